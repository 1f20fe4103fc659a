/*
 * Inside connections: what the files share that make them. connection.c takes one out of the pool and gives it back,
 * transaction.c begins and ends what it does, execute.c runs statements and batch.c many rows of one, cursor.c reads rows,
 * describe.c says what happened.
 */
#ifndef CORM_ENGINE_CONNECTION_PRIVATE_H
#define CORM_ENGINE_CONNECTION_PRIVATE_H

#include "engine/pool.h"
#include "engine/result.h"

struct corm_connection {
    corm_engine *engine; /* a reference */
    corm_record *record;
    const corm_driver *driver;
    void *host; /* borrowed */
    bool begun;
    bool invalid;  /* of no more use but to roll back */
    bool detached; /* not given back to the pool */
    bool autocommit;
    bool prepared;       /* its two-phase transaction is: it can only be ended */
    char *xid;           /* the name of the two-phase transaction under way, or NULL */
    unsigned savepoints; /* names given out */
    unsigned depth;      /* savepoints under way */
    corm_connection_watch *watches;
    corm_cursor *cursors; /* open ones */
    struct waiting_batch *waiting, *last_waiting;
};

struct corm_cursor {
    corm_connection *connection; /* NULL: closed, or the connection is gone */
    corm_prepared *prepared;
    corm_cursor *next, **link;
    size_t columns;
    bool first;    /* the first row was fetched by executing */
    bool streamed; /* reading rows may ask the server */
    bool has_row;
    bool lost; /* closed with its connection */
    int64_t changed, generated;
    corm_value values[];
};

/* ---- describe.c ---- */

/* Whose error it is, and whether the connection outlived it. */
void corm_connection_add_origin(corm_connection *connection);
void corm_connection_add_statement(corm_connection *connection, const char *sql, const corm_value *values,
                                   size_t count);
/* Values for people: (1, 'two'); long ones and long lists are cut short. */
void corm_describe_values(const corm_value *values, size_t count, corm_text *out);
/* Log a statement, where it comes from and how long ago; prepared NULL: it could not be prepared. */
void corm_connection_log(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                         int64_t start, const char *parameters);
void corm_connection_log_call(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                              int64_t start);

/* ---- connection.c ---- */

void corm_connection_detach_cursors(corm_connection *connection);
bool corm_connection_is_inherited(const corm_connection *connection);
corm_status corm_connection_refuse_inherited(void);
/* CORM_OK if statements may run on it now. */
corm_status corm_connection_check(const corm_connection *connection);
/* In a forked child: the parent's connection is not touched, what hangs on it is only forgotten. */
void corm_connection_abandon(corm_connection *connection);

/* ---- transaction.c ---- */

/* Of a connection that comes from the pool: make its transactions what is wanted, whatever they were. */
corm_status corm_connection_adopt(corm_connection *connection, const corm_characteristics *wanted);
/* Tell the database of the transaction that was begun, before the first statement that needs it. */
corm_status corm_connection_begin_for(corm_connection *connection, corm_driver_statement *statement);

/* Tell the host of a step of a transaction, if it listens; a failure stops it. */
corm_status corm_connection_announce(corm_connection *connection, corm_transaction_event event, const char *name);

/* ---- two_phase.c ---- */

/* End the transaction that has a name, prepared or not; and forget the name. */
corm_status corm_connection_commit_named(corm_connection *connection);
corm_status corm_connection_rollback_named(corm_connection *connection);
void corm_connection_forget_xid(corm_connection *connection);

/* ---- batch.c ---- */

/* Forget what batches have left, without a word. */
void corm_connection_drop_waiting(corm_connection *connection);

#endif
