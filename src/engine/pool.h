/*
 * Pools of driver connections.
 *
 * A record is a driver connection and its cache of prepared statements; it goes from the pool to a corm_connection and
 * back. Waiting is first-come first-served: each waiter has a ticket, and a connection that comes back goes to the
 * oldest. In a forked child the pool starts anew and abandons what it inherited.
 */
#ifndef CORM_ENGINE_POOL_H
#define CORM_ENGINE_POOL_H

#include <pthread.h>

#include "engine/engine.h"
#include "engine/statements.h"

typedef struct corm_record {
    corm_driver_connection *connection;
    corm_statements statements;
    int64_t opened;          /* corm_clock_now() */
    uint64_t generation;     /* of the pool when it was opened: dispose() makes older ones stale */
    unsigned process;        /* corm_fork_count() when it was opened */
    pthread_t thread;        /* of a THREAD pool */
    unsigned users;          /* of a STATIC or THREAD pool: connections that share it now */
    corm_characteristics is; /* what its transactions are, told to the server */
    struct corm_record *next;
} corm_record;

typedef struct corm_waiter {
    struct corm_waiter *next;
} corm_waiter;

typedef struct corm_pool {
    corm_engine *engine; /* borrowed: the engine owns the pool */
    corm_pool_kind kind;
    int size, overflow; /* overflow negative: no limit */
    double timeout, recycle;
    bool pre_ping, fifo;
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    corm_record *idle; /* newest first; of STATIC and THREAD: all */
    int idle_count, in_use;
    corm_waiter *first_waiter, *last_waiter;
    uint64_t generation;
    unsigned process;
} corm_pool;

/* How many forks lie between the first engine's process and this one: what was opened at another count is another
 * process'. */
unsigned corm_fork_count(void);

corm_status corm_pool_init(corm_pool *pool, corm_engine *engine, const corm_engine_options *options);
void corm_pool_clear(corm_pool *pool);
corm_status corm_pool_take(corm_pool *pool, corm_record **out);
/* keep false: close it. */
void corm_pool_give(corm_pool *pool, corm_record *record, bool keep);
void corm_pool_dispose(corm_pool *pool);

corm_pool *corm_engine_pool(corm_engine *engine);
const corm_engine_hooks *corm_engine_hooks_of(const corm_engine *engine);
/* engine.c: open one connection with all hooks; close one. */
corm_status corm_engine_open(corm_engine *engine, corm_driver_connection **out);
void corm_engine_close(corm_engine *engine, corm_driver_connection *connection);
void corm_engine_log(corm_engine *engine, corm_log_kind kind, const char *format, ...) CORM_PRINTF(3, 4);

#endif
