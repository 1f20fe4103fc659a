/*
 * Connecting, closing and cancelling.
 *
 * Everything in a URL's query that is not ours goes to libpq, which says what it does not know. A cancel request is a
 * connection of its own that libpq only makes in a blocking way, so a thread makes it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/resolve.h"
#include "base/text.h"
#include "base/wait.h"
#include "driver/postgresql_private.h"
#include "engine/url.h"

static const int64_t second = 1000000000;

/* ---- options ---- */

/* Arguments that are not libpq's: ours, and those of the Python libraries that mean nothing here. */
static bool is_ours(const char *key) {
    static const char *const keys[] = {"autocommit",      "row_factory",   "cursor_factory",    "connection_factory",
                                       "async",           "async_",        "prepare_threshold", "context",
                                       "client_encoding", CORM_URL_SHARED, "connect_timeout",   "read_timeout"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* Keywords and values as libpq takes them. Strings are borrowed from the URL, but for hosts, ports and the port. */
typedef struct options {
    const char **keywords, **values;
    size_t count;
    corm_text hosts, ports;
    size_t entries; /* in the lists that follow */
    corm_text found_hosts, addresses, found_ports;
    char port[8];
} options;

static void add(options *all, const char *keyword, const char *value) {
    if (value != NULL) {
        all->keywords[all->count] = keyword;
        all->values[all->count++] = value;
    }
}

/* host=a:1&host=b:2, of which each may bring its port. */
static void add_host(options *all, const char *value) {
    const char *colon = strrchr(value, ':');
    bool has_port = colon != NULL && strchr(value, ':') == colon && value[0] != '/' && strchr(value, ',') == NULL;
    if (all->hosts.size > 0) {
        corm_text_append_char(&all->hosts, ',');
        corm_text_append_char(&all->ports, ',');
    }
    corm_text_append_bytes(&all->hosts, value, has_port ? (size_t)(colon - value) : strlen(value));
    if (has_port) {
        corm_text_append(&all->ports, colon + 1);
    }
}

/* One entry of the lists that libpq takes: a host, its address (empty: it is found by the host) and its port. */
static void add_entry(options *all, const char *host, size_t size, const char *address, const char *port,
                      size_t port_size) {
    const char *comma = all->entries > 0 ? "," : "";
    corm_text_append(&all->found_hosts, comma);
    corm_text_append_bytes(&all->found_hosts, host, size);
    corm_text_append(&all->addresses, comma);
    corm_text_append(&all->addresses, address);
    corm_text_append(&all->found_ports, comma);
    corm_text_append_bytes(&all->found_ports, port, port_size);
    all->entries++;
}

static bool is_name(const char *host) {
    return host[0] != '\0' && host[0] != '/' && host[0] != '@' && !corm_is_address(host);
}

/* The addresses of one host, which follow each other in the lists. */
static corm_status resolve_host(options *all, const char *host, size_t size, const char *port, size_t port_size,
                                int64_t deadline) {
    char *name = corm_strndup(host, size);
    corm_vector addresses = {0};
    if (name == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = CORM_OK;
    if (!is_name(name)) {
        add_entry(all, host, size, "", port, port_size);
    } else {
        status = corm_resolve(name, deadline, &addresses);
    }
    for (size_t i = 0; i < addresses.count && status == CORM_OK; i++) {
        add_entry(all, host, size, addresses.items[i], port, port_size);
    }
    corm_addresses_free(&addresses);
    corm_free(name);
    return status;
}

/* Hosts that are not found are left out, as long as another one is. libpq would block while it resolves. */
static corm_status resolve_hosts(options *all, int64_t deadline) {
    const char *host = all->hosts.data, *port = all->ports.data == NULL ? "" : all->ports.data;
    corm_status status = CORM_OK;
    for (bool more = true; more && status != CORM_INTERRUPTED && status != CORM_NO_MEMORY && status != CORM_TIMEOUT;) {
        size_t size = strcspn(host, ","), port_size = strcspn(port, ",");
        status = resolve_host(all, host, size, port, port_size, deadline);
        more = host[size] == ',';
        host += size + more;
        port += port_size + (port[port_size] == ',');
    }
    if (status == CORM_OPERATIONAL_ERROR && all->entries > 0) {
        corm_error_clear();
        status = CORM_OK;
    }
    if (status == CORM_TIMEOUT) {
        return corm_error_set(CORM_OPERATIONAL_ERROR, "connection timeout expired while a host's name was resolved");
    }
    if (status == CORM_OK &&
        (all->found_hosts.failed || corm_text_status(&all->addresses) != CORM_OK || all->found_ports.failed)) {
        return CORM_NO_MEMORY;
    }
    return status;
}

static bool has_port(const options *all) {
    return all->ports.size > 0 && strspn(all->ports.data, ",") < all->ports.size;
}

static corm_status read_options(const corm_url *url, int64_t deadline, options *all) {
    static const size_t own = 9; /* user, password, host, address, port, dbname, encoding, name, end */
    all->keywords = corm_calloc(url->query_count + own, sizeof *all->keywords);
    all->values = corm_calloc(url->query_count + own, sizeof *all->values);
    if (all->keywords == NULL || all->values == NULL) {
        return CORM_NO_MEMORY;
    }
    const char *application = "cormorant";
    add(all, "user", url->username);
    add(all, "password", url->password);
    add(all, "dbname", url->database);
    if (url->host != NULL && corm_url_query(url, "host") == NULL) { /* else those that follow stand in its place */
        add_host(all, url->host);
    }
    for (size_t i = 0; i < url->query_count; i++) {
        const char *key = url->query[i].key;
        if (strcmp(key, "host") == 0) {
            add_host(all, url->query[i].value);
        } else if (strcmp(key, "application_name") == 0) {
            application = url->query[i].value;
        } else if (!is_ours(key)) {
            add(all, strcmp(key, "database") == 0 ? "dbname" : key, url->query[i].value);
        }
    }
    if (corm_text_status(&all->hosts) != CORM_OK || corm_text_status(&all->ports) != CORM_OK) {
        return CORM_NO_MEMORY;
    }
    bool resolves = all->hosts.size > 0 && corm_url_query(url, "hostaddr") == NULL;
    corm_status status = resolves ? resolve_hosts(all, deadline) : CORM_OK;
    if (status != CORM_OK) {
        return status;
    }
    if (all->hosts.size > 0) {
        add(all, "host", resolves ? all->found_hosts.data : all->hosts.data);
        add(all, "hostaddr", resolves ? all->addresses.data : NULL);
    }
    if (url->port != 0) {
        snprintf(all->port, sizeof all->port, "%d", url->port);
    }
    add(all, "port",
        !has_port(all) ? url->port != 0 ? all->port : NULL
        : resolves     ? all->found_ports.data
                       : all->ports.data);
    add(all, "client_encoding", "UTF8");
    add(all, "application_name", application);
    return CORM_OK;
}

static void options_clear(options *all) {
    corm_free(all->keywords);
    corm_free(all->values);
    corm_text_clear(&all->hosts);
    corm_text_clear(&all->ports);
    corm_text_clear(&all->found_hosts);
    corm_text_clear(&all->addresses);
    corm_text_clear(&all->found_ports);
}

/* ---- connecting ---- */

static corm_status connection_failed(PGconn *native) {
    const char *message = PQerrorMessage(native);
    size_t size = strlen(message);
    while (size > 0 && message[size - 1] == '\n') {
        size--;
    }
    bool misused = strncmp(message, "invalid connection option", 25) == 0 || strncmp(message, "invalid URI", 11) == 0;
    if (size == 0) {
        return corm_error_set(CORM_OPERATIONAL_ERROR, "connecting to the server failed");
    }
    return corm_error_set(misused ? CORM_PROGRAMMING_ERROR : CORM_OPERATIONAL_ERROR, "%.*s", (int)size, message);
}

static PostgresPollingStatusType poll_once(PGconn *native) {
    corm_wait_begin();
    PostgresPollingStatusType state = PQconnectPoll(native);
    corm_wait_end();
    return state;
}

static corm_status finish_connecting(PGconn *native, int64_t deadline) {
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    corm_status status = CORM_OK;
    while (status == CORM_OK && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        status = corm_wait_descriptor(PQsocket(native),
                                      state == PGRES_POLLING_READING ? CORM_WAIT_READ : CORM_WAIT_WRITE, deadline);
        if (status == CORM_OK) {
            state = poll_once(native);
        }
    }
    if (status == CORM_TIMEOUT) {
        return corm_error_set(CORM_OPERATIONAL_ERROR, "connection timeout expired");
    }
    return status == CORM_OK && state == PGRES_POLLING_FAILED ? connection_failed(native) : status;
}

/* An argument in seconds, as nanoseconds; 0: none. */
static int64_t seconds_of(const corm_url *url, const char *key) {
    const char *given = corm_url_query(url, key);
    double seconds = given == NULL ? 0 : strtod(given, NULL);
    return seconds > 0 ? (int64_t)(seconds * (double)second) : 0;
}

static void ignore_notice(void *context, const PGresult *result) {
    (void)context;
    (void)result;
}

/* Texts of dates are read in one form only. */
static corm_status settle(corm_driver_connection *connection) {
    const char *style = PQparameterStatus(connection->native, "DateStyle");
    PQsetNoticeReceiver(connection->native, ignore_notice, NULL);
    if (PQsetnonblocking(connection->native, 1) != 0) {
        return corm_pg_fail(connection);
    }
    return style != NULL && strncmp(style, "ISO", 3) == 0 ? CORM_OK : corm_pg_run(connection, "SET DateStyle TO ISO");
}

static corm_pg_canceller *canceller_new(PGconn *native) {
    corm_pg_canceller *canceller = corm_calloc(1, sizeof *canceller);
    if (canceller == NULL) {
        return NULL;
    }
    atomic_init(&canceller->references, 1);
    canceller->cancel = PQgetCancel(native);
    if (canceller->cancel == NULL) {
        corm_free(canceller);
        corm_error_no_memory();
        return NULL;
    }
    return canceller;
}

static void canceller_unref(corm_pg_canceller *canceller) {
    if (canceller != NULL && atomic_fetch_sub_explicit(&canceller->references, 1, memory_order_acq_rel) == 1) {
        PQfreeCancel(canceller->cancel);
        corm_free(canceller);
    }
}

static bool wants_preparing(const corm_url *url) {
    const char *threshold = corm_url_query(url, "prepare_threshold");
    return threshold == NULL || (threshold[0] != '\0' && strcasecmp(threshold, "none") != 0);
}

/* Names of prepared statements begin anywhere: a pooler may hand this connection's statements to the session of another,
 * and then one that is not there is an error, but another's under the same name would be run instead. */
static uint64_t first_name(const corm_driver_connection *connection) {
    enum { ROOM = 20 /* bits: statements of one connection */ };
    uint64_t chance = corm_hash_mix((uint64_t)corm_clock_now(), (uint64_t)(uintptr_t)connection);
    return (corm_hash_mix(chance, (uint64_t)getpid()) & UINT32_MAX) << ROOM;
}

static corm_status open_connection(corm_driver_connection *connection, const corm_url *url) {
    options all = {0};
    int64_t limit = seconds_of(url, "connect_timeout");
    connection->timeout = seconds_of(url, "read_timeout");
    int64_t deadline = limit > 0 ? corm_clock_now() + limit : -1;
    corm_status status = read_options(url, deadline, &all);
    if (status == CORM_OK) {
        corm_wait_begin();
        connection->native = PQconnectStartParams(all.keywords, all.values, 0);
        corm_wait_end();
        status = connection->native == NULL ? corm_error_no_memory() : CORM_OK;
    }
    options_clear(&all);
    if (status == CORM_OK && PQstatus(connection->native) == CONNECTION_BAD) {
        status = connection_failed(connection->native);
    }
    if (status == CORM_OK) {
        status = finish_connecting(connection->native, deadline);
    }
    if (status == CORM_OK) {
        status = settle(connection);
    }
    if (status == CORM_OK) {
        connection->canceller = canceller_new(connection->native);
        status = connection->canceller == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    return status;
}

corm_status corm_pg_connect(const corm_url *url, corm_driver_connection **out) {
    *out = NULL;
    corm_driver_connection *connection = corm_calloc(1, sizeof *connection);
    if (connection == NULL) {
        return CORM_NO_MEMORY;
    }
    connection->prepares = wants_preparing(url);
    connection->last_name = first_name(connection);
    corm_status status = open_connection(connection, url);
    if (status != CORM_OK) {
        corm_error reason;
        corm_error_take(&reason);
        corm_pg_close(connection);
        corm_error_restore(&reason);
        return status;
    }
    *out = connection;
    return CORM_OK;
}

static void let_go(corm_driver_connection *connection) {
    corm_free(connection->left);
    canceller_unref(connection->canceller);
    corm_free(connection->closed);
    corm_free(connection);
}

void corm_pg_close(corm_driver_connection *connection) {
    if (connection == NULL) {
        return;
    }
    PQfinish(connection->native);
    let_go(connection);
}

/* A forked child: PQfinish() would say goodbye on the parent's socket. The descriptor is closed, the rest is left. */
void corm_pg_abandon(corm_driver_connection *connection) {
    int descriptor = PQsocket(connection->native);
    if (descriptor >= 0) {
        close(descriptor);
    }
    let_go(connection);
}

/* ---- cancelling ---- */

typedef struct request {
    corm_pg_canceller *canceller; /* a reference */
    int done;                     /* an eventfd to tell on, the request's own; or -1 */
} request;

static void *send_request(void *context) {
    request *made = context;
    char message[256];
    PQcancel(made->canceller->cancel, message, sizeof message);
    if (made->done >= 0) {
        eventfd_write(made->done, 1);
        close(made->done);
    }
    canceller_unref(made->canceller);
    corm_free(made);
    return NULL;
}

static void start_request(corm_pg_canceller *canceller, int done) {
    pthread_t thread;
    request *made = corm_calloc(1, sizeof *made);
    if (made == NULL) {
        corm_error_clear();
        if (done >= 0) {
            close(done);
        }
        return;
    }
    atomic_fetch_add_explicit(&canceller->references, 1, memory_order_relaxed);
    *made = (request){canceller, done};
    if (pthread_create(&thread, NULL, send_request, made) == 0) {
        pthread_detach(thread);
    } else {
        send_request(made);
    }
}

void corm_pg_interrupt(corm_driver_connection *connection) {
    start_request(connection->canceller, -1);
}

void corm_pg_cancel(corm_pg_canceller *canceller, int64_t deadline) {
    int done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int told = done < 0 ? -1 : dup(done);
    start_request(canceller, told);
    while (told >= 0 && corm_wait_descriptor(done, CORM_WAIT_READ, deadline) == CORM_INTERRUPTED) {
        corm_error_clear(); /* it is being stopped */
    }
    corm_error_clear();
    if (done >= 0) {
        close(done);
    }
}
