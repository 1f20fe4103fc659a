/*
 * Waiting happens in one place: every point that can block is bracketed, or made, here.
 *
 * A host with a lock of its own (Python's interpreter lock) sets hooks: release() before blocking, acquire() after, and
 * interrupted() to learn of signals. Without hooks the calls cost a test of a pointer. Under asyncio the hooks switch to
 * the loop. No other line of the code may block.
 *
 * Thread rule: hooks are set once, before threads use the engine. A bracket is entered and left by one thread.
 */
#ifndef CORM_BASE_WAIT_H
#define CORM_BASE_WAIT_H

#include <pthread.h>

#include "base/error.h"

typedef struct corm_wait_hooks {
    void *(*release)(void *context); /* let go of the host's lock; the token goes to acquire() */
    void (*acquire)(void *context, void *token);
    bool (*interrupted)(void *context); /* with the lock held: shall the operation stop? */
    void *context;
} corm_wait_hooks;

/* NULL: none. */
void corm_wait_hooks_set(const corm_wait_hooks *hooks);

/* Bracket a blocking call. Nesting is allowed: only the outermost lets go. */
void corm_wait_begin(void);
void corm_wait_end(void);
/* For long work without blocking: let other threads run for a moment and look for signals; works inside and outside of a
 * bracket. true: stop. */
bool corm_wait_yield(void);
/* CORM_INTERRUPTED when the host wants the operation to stop. */
corm_status corm_wait_check(void);

/* Monotonic nanoseconds. */
int64_t corm_clock_now(void);

/* Sleep, lock and wait on a condition, each within a bracket. deadline: of corm_clock_now(), or negative for none. */
void corm_wait_sleep(int64_t nanoseconds);
/* The same, but the host may want to stop it: CORM_INTERRUPTED. */
corm_status corm_wait_pause(int64_t nanoseconds);
/* Before a further attempt at what was in the way of others: longer from attempt to attempt (from 1), and never the same
 * for two who met. In nanoseconds. */
int64_t corm_wait_before_attempt(unsigned attempt, int64_t first, int64_t longest);
void corm_wait_lock(pthread_mutex_t *mutex);
/* The condition must use CLOCK_MONOTONIC; the mutex is held before and after. CORM_TIMEOUT when the deadline passed. */
corm_status corm_wait_condition(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);

enum { CORM_WAIT_READ = 1, CORM_WAIT_WRITE = 2 };
/* Until the descriptor is ready in one of the directions. CORM_TIMEOUT, CORM_INTERRUPTED. */
corm_status corm_wait_descriptor(int descriptor, int directions, int64_t deadline);

#endif
