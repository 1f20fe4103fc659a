/* Waiting: see wait.h. The plain implementation polls; a host's hooks let go of its lock meanwhile. */
#include "base/wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/hash.h"

static corm_wait_hooks hooks;
static bool has_hooks;
static _Thread_local unsigned depth;
static _Thread_local void *token;

static const int64_t second = 1000000000;
static const int64_t millisecond = 1000000;
/* How often a wait without an event looks for signals. */
static const int64_t poll_interval = 100 * 1000000;

void corm_wait_hooks_set(const corm_wait_hooks *set) {
    has_hooks = set != NULL;
    hooks = set == NULL ? (corm_wait_hooks){0} : *set;
}

void corm_wait_begin(void) {
    if (has_hooks && depth++ == 0) {
        token = hooks.release(hooks.context);
    }
}

void corm_wait_end(void) {
    if (has_hooks && --depth == 0) {
        hooks.acquire(hooks.context, token);
    }
}

static bool interrupted(void) {
    if (!has_hooks || hooks.interrupted == NULL) {
        return false;
    }
    if (depth == 0) {
        return hooks.interrupted(hooks.context);
    }
    hooks.acquire(hooks.context, token);
    bool stop = hooks.interrupted(hooks.context);
    token = hooks.release(hooks.context);
    return stop;
}

bool corm_wait_yield(void) {
    if (!has_hooks) {
        return false;
    }
    if (depth == 0) {
        hooks.acquire(hooks.context, hooks.release(hooks.context));
    }
    return interrupted();
}

corm_status corm_wait_check(void) {
    return interrupted() ? corm_error_set(CORM_INTERRUPTED, "the operation was interrupted") : CORM_OK;
}

int64_t corm_clock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * second + now.tv_nsec;
}

void corm_wait_sleep(int64_t nanoseconds) {
    struct timespec duration = {.tv_sec = nanoseconds / second, .tv_nsec = nanoseconds % second};
    corm_wait_begin();
    nanosleep(&duration, NULL);
    corm_wait_end();
}

corm_status corm_wait_pause(int64_t nanoseconds) {
    int64_t end = corm_clock_now() + nanoseconds;
    corm_status status = corm_wait_check();
    for (int64_t left = nanoseconds; left > 0 && status == CORM_OK; left = end - corm_clock_now()) {
        corm_wait_sleep(left < poll_interval ? left : poll_interval);
        status = corm_wait_check();
    }
    return status;
}

int64_t corm_wait_before_attempt(unsigned attempt, int64_t first, int64_t longest) {
    enum { STEPS = 1024 };
    int64_t pause = first;
    for (unsigned i = 1; i < attempt && pause < longest; i++) {
        pause *= 2;
    }
    pause = pause > longest ? longest : pause;
    uint64_t chance = corm_hash_mix((uint64_t)corm_clock_now(), (uint64_t)pthread_self());
    return pause / 2 + pause / 2 / STEPS * (int64_t)(chance % STEPS);
}

void corm_wait_lock(pthread_mutex_t *mutex) {
    if (pthread_mutex_trylock(mutex) != 0) {
        corm_wait_begin();
        pthread_mutex_lock(mutex);
        corm_wait_end();
    }
}

corm_status corm_wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline) {
    int64_t now = corm_clock_now();
    int64_t until = now + poll_interval;
    if (deadline >= 0 && deadline < until) {
        until = deadline;
    }
    struct timespec wake = {.tv_sec = until / second, .tv_nsec = until % second};
    corm_wait_begin();
    int outcome = pthread_cond_timedwait(condition, mutex, &wake);
    /* The host's lock is taken without the mutex: its holder may be waiting for the mutex. */
    pthread_mutex_unlock(mutex);
    corm_wait_end();
    corm_status status = corm_wait_check();
    corm_wait_lock(mutex);
    if (status != CORM_OK) {
        return status;
    }
    return outcome == ETIMEDOUT && deadline >= 0 && corm_clock_now() >= deadline
               ? corm_error_set(CORM_TIMEOUT, "the wait timed out")
               : CORM_OK;
}

corm_status corm_wait_descriptor(int descriptor, int directions, int64_t deadline) {
    struct pollfd watched = {.fd = descriptor};
    watched.events = (short)((directions & CORM_WAIT_READ ? POLLIN : 0) | (directions & CORM_WAIT_WRITE ? POLLOUT : 0));
    for (;;) {
        int64_t left = deadline < 0 ? poll_interval : deadline - corm_clock_now();
        if (left <= 0) {
            return corm_error_set(CORM_TIMEOUT, "the server did not answer in time");
        }
        corm_wait_begin();
        int ready = poll(&watched, 1, (int)((left < poll_interval ? left : poll_interval) / millisecond) + 1);
        int reason = errno;
        corm_wait_end();
        if (ready > 0) {
            return CORM_OK;
        }
        if (ready < 0 && reason != EINTR) {
            return corm_error_set(CORM_OPERATIONAL_ERROR, "waiting for the server failed (poll: error %d)", reason);
        }
        corm_status status = corm_wait_check();
        if (status != CORM_OK) {
            return status;
        }
    }
}
