/* Resolving: see resolve.h. A request is shared by the thread that resolves and the one that waits; the last to leave frees
 * it, so neither has to outlast the other. */
#include "base/resolve.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/wait.h"

typedef struct request {
    atomic_uint references;
    corm_resolver resolver;
    char *host;
    int done; /* an eventfd: the outcome is there */
    struct addrinfo *found;
    atomic_int outcome; /* written last */
} request;

static corm_resolver chosen;

void corm_resolve_with(corm_resolver resolver) {
    chosen = resolver;
}

bool corm_is_address(const char *host) {
    struct in6_addr room;
    return inet_pton(AF_INET, host, &room) == 1 || inet_pton(AF_INET6, host, &room) == 1 || strchr(host, '%') != NULL;
}

void corm_addresses_free(corm_vector *addresses) {
    for (size_t i = 0; i < addresses->count; i++) {
        corm_free(addresses->items[i]);
    }
    corm_vector_clear(addresses);
}

static void request_unref(request *made) {
    if (made != NULL && atomic_fetch_sub_explicit(&made->references, 1, memory_order_acq_rel) == 1) {
        if (made->found != NULL) {
            freeaddrinfo(made->found);
        }
        if (made->done >= 0) {
            close(made->done);
        }
        corm_free(made->host);
        corm_free(made);
    }
}

static request *request_new(const char *host) {
    request *made = corm_calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    atomic_init(&made->references, 1);
    made->resolver = chosen == NULL ? getaddrinfo : chosen;
    made->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    made->host = corm_strdup(host);
    if (made->host != NULL && made->done < 0) {
        corm_error_set(CORM_OPERATIONAL_ERROR, "no file descriptor is left to resolve a host's name");
    }
    if (made->host == NULL || made->done < 0) {
        request_unref(made);
        return NULL;
    }
    return made;
}

static void *resolve(void *context) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    request *made = context;
    int outcome = made->resolver(made->host, NULL, &hints, &made->found);
    atomic_store_explicit(&made->outcome, outcome, memory_order_release);
    eventfd_write(made->done, 1);
    request_unref(made);
    return NULL;
}

/* Signals are for the other threads. */
static bool start(request *made) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, resolve, made) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

static corm_status take_addresses(const request *made, corm_vector *addresses) {
    corm_status status = CORM_OK;
    for (const struct addrinfo *each = made->found; each != NULL && status == CORM_OK; each = each->ai_next) {
        char text[NI_MAXHOST];
        if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0) {
            continue;
        }
        char *copy = corm_strdup(text);
        status = copy == NULL ? CORM_NO_MEMORY : corm_vector_push(addresses, copy);
        if (status != CORM_OK) {
            corm_free(copy);
        }
    }
    return status;
}

corm_status corm_resolve(const char *host, int64_t deadline, corm_vector *addresses) {
    request *made = request_new(host);
    if (made == NULL) {
        return corm_error_last()->status;
    }
    atomic_fetch_add_explicit(&made->references, 1, memory_order_relaxed); /* resolve()'s, whoever runs it */
    if (!start(made)) {
        corm_wait_begin(); /* no thread is left: then it blocks */
        resolve(made);
        corm_wait_end();
    }
    corm_status status = corm_wait_descriptor(made->done, CORM_WAIT_READ, deadline);
    int outcome = status == CORM_OK ? atomic_load_explicit(&made->outcome, memory_order_acquire) : 0;
    if (outcome != 0) {
        status = corm_error_set(CORM_OPERATIONAL_ERROR, "could not translate host name \"%s\" to address: %s", host,
                                gai_strerror(outcome));
        corm_error_add_native(outcome, NULL);
    } else if (status == CORM_OK) {
        status = take_addresses(made, addresses);
    }
    request_unref(made);
    return status;
}
