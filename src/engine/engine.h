/*
 * Engines, their pools, and connections.
 *
 * An engine is a URL, a dialect, a driver, a pool of connections and a cache of compiled statements. It may be used
 * from many threads; a connection by one at a time. A connection in an unknown state is never given back to the pool. A
 * forked child lets go of what it inherited without touching it.
 */
#ifndef CORM_ENGINE_ENGINE_H
#define CORM_ENGINE_ENGINE_H

#include "compile/compile.h"
#include "driver/driver.h"
#include "engine/url.h"

typedef struct corm_engine corm_engine;
typedef struct corm_connection corm_connection;
typedef struct corm_cursor corm_cursor;

typedef enum corm_pool_kind {
    CORM_POOL_DEFAULT = 0, /* THREAD where each connection has a database of its own, else QUEUE */
    CORM_POOL_QUEUE,       /* size and overflow; waits first-come first-served */
    CORM_POOL_NULL,        /* no pooling */
    CORM_POOL_STATIC,      /* one connection for everybody */
    CORM_POOL_THREAD       /* one connection a thread */
} corm_pool_kind;

/* What a log line is about. */
typedef enum corm_log_kind { CORM_LOG_ENGINE, CORM_LOG_POOL } corm_log_kind;

/* What a transaction goes through. */
typedef enum corm_transaction_event {
    CORM_TRANSACTION_BEGIN,
    CORM_TRANSACTION_COMMIT,
    CORM_TRANSACTION_ROLLBACK,
    CORM_TRANSACTION_SAVEPOINT,
    CORM_TRANSACTION_RELEASE,
    CORM_TRANSACTION_ROLLBACK_TO,
    CORM_TRANSACTION_BEGIN_NAMED, /* of two-phase transactions; their name is told */
    CORM_TRANSACTION_PREPARE,
    CORM_TRANSACTION_COMMIT_NAMED,
    CORM_TRANSACTION_ROLLBACK_NAMED
} corm_transaction_event;

/* A statement on its way to the driver. */
typedef struct corm_engine_call {
    uint64_t id;     /* 0: not from a compiled statement */
    const char *sql; /* a hook may replace the text; it then sets id to 0 */
    size_t size;
    const corm_value *values; /* and the values; of a single execution */
    size_t count;
    const corm_batch *batch; /* NULL: a single execution */
    size_t chunk;            /* rows that come from the server at a time, while they are read; 0: all by executing */
    bool internal;           /* the engine's own: savepoints, DDL */
    void *host;              /* what the first hook keeps for the second */
} corm_engine_call;

enum { /* corm_engine_listen() */
       CORM_LISTEN_TRANSACTION = 1u << 0,
       CORM_LISTEN_EXECUTE = 1u << 1
};

/* A host's hooks; each may be NULL. They run in the thread that uses the connection. */
typedef struct corm_engine_hooks {
    void *context;
    /* Open a connection instead of the driver (creator=). */
    corm_status (*connect)(void *context, corm_driver_connection **out);
    /* A new connection was opened; a failure closes it. */
    corm_status (*connected)(void *context, corm_driver_connection *connection);
    corm_status (*checked_out)(void *context, corm_driver_connection *connection);
    void (*checked_in)(void *context, corm_driver_connection *connection);
    /* A connection that is of no more use comes back: it was lost, or somebody said so. Before checked_in(). */
    void (*invalidated)(void *context, corm_connection *connection);
    void (*closing)(void *context, corm_driver_connection *connection);
    /* A connection whose host object is set is about to go; told while it is still whole. */
    void (*detached)(void *context, corm_connection *connection);
    /* Before each step of a transaction; a failure stops it. Only while listened to. name: of a savepoint or a two-phase
     * transaction, or NULL. */
    corm_status (*transaction)(void *context, corm_connection *connection, corm_transaction_event event,
                               const char *name);
    /* Before and after a statement runs, while listened to. The second is called whenever the first was, with the
     * outcome; it may replace the error. */
    corm_status (*executing)(void *context, corm_connection *connection, corm_engine_call *call);
    corm_status (*executed)(void *context, corm_connection *connection, corm_engine_call *call, corm_cursor *cursor,
                            corm_status status);
    void (*log)(void *context, corm_log_kind kind, const char *message);
    void (*release)(void *context);
} corm_engine_hooks;

typedef struct corm_engine_options {
    corm_pool_kind pool;
    int pool_size;       /* 0: 5; connections kept. negative: none is kept */
    int max_overflow;    /* connections beyond that; negative: no limit; see overflow_given */
    bool overflow_given; /* else 10 */
    double pool_timeout; /* seconds to wait for a connection; 0: 30; negative: no wait */
    double pool_recycle; /* seconds after which a connection is replaced; 0: never */
    bool pool_pre_ping;
    bool pool_fifo;
    bool hide_parameters;
    size_t cache_size;         /* compiled statements; 0: 500 */
    const corm_driver *driver; /* instead of the URL's; NULL: that */
    corm_engine_hooks hooks;
} corm_engine_options;

/* ---- engines ---- */

/* *out has one reference. options may be NULL. No connection is opened yet. CORM_ARGUMENT_ERROR, CORM_NO_SUCH_MODULE. */
corm_status corm_engine_new(const corm_url *url, const corm_engine_options *options, corm_engine **out);
corm_engine *corm_engine_ref(corm_engine *engine);
void corm_engine_unref(corm_engine *engine);
const corm_dialect *corm_engine_dialect(const corm_engine *engine);
const corm_driver *corm_engine_driver(const corm_engine *engine);
const corm_url *corm_engine_url(const corm_engine *engine);
corm_statement_cache *corm_engine_cache(corm_engine *engine);
/* Log statements, or the pool's doings, through the hook. */
void corm_engine_set_echo(corm_engine *engine, corm_log_kind kind, bool on);
bool corm_engine_echo(const corm_engine *engine, corm_log_kind kind);
bool corm_engine_hides_parameters(const corm_engine *engine);
/* Which hooks of statements and transactions have work to do: CORM_LISTEN_..., all of them. */
void corm_engine_listen(corm_engine *engine, unsigned kinds);
bool corm_engine_is_listened(const corm_engine *engine, unsigned kind);
/* Whether nobody else holds a reference: for the host's collector. */
bool corm_engine_is_sole(const corm_engine *engine);
/* Close all connections that are not in use; those in use are closed when they come back. */
void corm_engine_dispose(corm_engine *engine);
/* Counts for pool.status(): kept and idle, in use, size. */
void corm_engine_pool_counts(corm_engine *engine, int *idle, int *in_use, int *size, int *overflow);
corm_pool_kind corm_engine_pool_kind(const corm_engine *engine);

/* ---- connections ---- */

/* A word that is not asked for is the server's to say. */
typedef enum corm_wish { CORM_WISH_NONE, CORM_WISH_OFF, CORM_WISH_ON } corm_wish;
/* How the transactions of a connection are to be. All zero: as the server has it. */
typedef struct corm_characteristics {
    char
        isolation[24]; /* a level that the dialect has, or AUTOCOMMIT: each statement is its own transaction, and begin,
                           * commit and rollback are said, but not sent */
    corm_wish read_only;  /* where the database knows the word; elsewhere it is as if it was not said */
    corm_wish deferrable; /* likewise */
} corm_characteristics;

/* Check one out of the pool. CORM_TIMEOUT, CORM_OPERATIONAL_ERROR; CORM_ARGUMENT_ERROR for a level that is not known.
 * wanted may be NULL: the server's defaults. */
corm_status corm_engine_connect(corm_engine *engine, corm_connection **out);
corm_status corm_engine_connect_as(corm_engine *engine, const corm_characteristics *wanted, corm_connection **out);
/* Give it back: rolls back what is open, closes its cursors. Accepts NULL; the pointer is then invalid, but cursors of it
 * may still be freed. */
void corm_connection_close(corm_connection *connection);
/* Do not give it back to the pool: its state is unknown. */
void corm_connection_invalidate(corm_connection *connection);
bool corm_connection_is_invalid(const corm_connection *connection);
/* Close it when it is given back; until then it works. */
void corm_connection_detach(corm_connection *connection);
corm_engine *corm_connection_engine(const corm_connection *connection);      /* borrowed */
corm_driver_connection *corm_connection_driver(corm_connection *connection); /* borrowed */
/* To be told when a connection that is another's is closed: kept by the watcher, in one connection at a time. */
typedef struct corm_connection_watch {
    struct corm_connection_watch *next, **link;          /* link NULL: not watching */
    void (*closed)(struct corm_connection_watch *watch); /* the connection is still whole; the watch is over */
} corm_connection_watch;
void corm_connection_watch_begin(corm_connection *connection, corm_connection_watch *watch);
void corm_connection_watch_end(corm_connection_watch *watch);
/* How many savepoints are under way. */
unsigned corm_connection_savepoints(const corm_connection *connection);
/* What the host keeps for a connection: borrowed. */
void corm_connection_set_host(corm_connection *connection, void *host);
void *corm_connection_host(const corm_connection *connection);
/* How the transactions to come are to be, until the connection is closed; what is not asked for stays as it is.
 * CORM_ARGUMENT_ERROR, CORM_INVALID_REQUEST inside a transaction. */
corm_status corm_connection_characterize(corm_connection *connection, const corm_characteristics *wanted);
/* The present one; *out is owned by the caller. */
corm_status corm_connection_isolation(corm_connection *connection, char **out);
/* That of connections that ask for none. */
corm_status corm_connection_default_isolation(corm_connection *connection, char **out);
bool corm_connection_autocommit(const corm_connection *connection);
bool corm_connection_in_transaction(const corm_connection *connection);
/* The database is told with the first statement that needs it (see corm_driver.needs_transaction). */
corm_status corm_connection_begin(corm_connection *connection);
corm_status corm_connection_commit(corm_connection *connection);
corm_status corm_connection_rollback(corm_connection *connection);
/* The name is an identifier that needs no quotes. */
corm_status corm_connection_savepoint(corm_connection *connection, const char *name);
corm_status corm_connection_release(corm_connection *connection, const char *name);
corm_status corm_connection_rollback_to(corm_connection *connection, const char *name);
/* Begin a transaction with a name (NULL: one is made up), which can be prepared: its commit is then certain to succeed,
 * also after the connection and the server ended, here or from elsewhere. Commit and rollback end it either way.
 * CORM_NOT_SUPPORTED, CORM_ARGUMENT_ERROR, CORM_INVALID_REQUEST. */
corm_status corm_connection_begin_two_phase(corm_connection *connection, const char *xid);
corm_status corm_connection_prepare(corm_connection *connection);
const char *corm_connection_xid(const corm_connection *connection); /* borrowed; NULL: no two-phase transaction */
bool corm_connection_is_prepared(const corm_connection *connection);
/* Go away from a prepared transaction that could not be ended: it stays on the server. */
void corm_connection_leave_prepared(corm_connection *connection);
/* The names of all prepared transactions: char *, which the caller frees; those that are there are kept. */
corm_status corm_connection_recover(corm_connection *connection, corm_vector *names);
/* End a prepared transaction by its name, outside of others; recover: a transaction that looking for it began is rolled
 * back first. */
corm_status corm_connection_end_prepared(corm_connection *connection, const char *xid, bool commit, bool recover);
/* A number for savepoint names, from 1, in this transaction. */
unsigned corm_connection_next_savepoint(corm_connection *connection);

/* ---- executing ---- */

/* Run a statement. id names the text in the connection's cache of prepared statements (a compiled statement's id mixed
 * with its shape); 0: looked up by the text. Values are borrowed until the cursor is closed. *out is owned by the
 * caller. */
corm_status corm_connection_execute(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                    const corm_value *values, size_t count, corm_cursor **out);
/* Likewise, but rows come so many at a time, while they are read: of a result that need not fit into memory. */
corm_status corm_connection_stream(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                   const corm_value *values, size_t count, size_t chunk, corm_cursor **out);
corm_status corm_connection_execute_batch(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                          const corm_batch *batch);
/* Tell what batches that may wait have left. Other executions, COMMIT and closing do so by themselves, a rollback drops
 * it. The error is that of the batch that failed. */
corm_status corm_connection_settle(corm_connection *connection);
/* Run a statement whose rows do not matter. */
corm_status corm_connection_run(corm_connection *connection, const char *sql);

#endif
