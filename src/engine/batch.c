/*
 * One statement for many rows. A driver may leave results of batches for later: then they wait here, in order, until
 * somebody needs the connection or the results.
 */
#include "base/alloc.h"
#include "base/wait.h"
#include "engine/connection_private.h"

/* Shown of many parameter sets, on each side of the gap. */
enum { SHOWN_SETS = 8, SHOWN_LAST_SETS = 2 };

/* A batch whose rows are shown when it fails: remembers the row under way. */
typedef struct watched_batch {
    const corm_batch *batch;
    size_t row; /* the first that is not done: a driver may ask for many before the first is */
} watched_batch;

/* A batch whose results may be told later. */
typedef struct waiting_batch {
    struct waiting_batch *next;
    uint64_t id;
    const char *sql; /* borrowed, as the batch is */
    corm_prepared *prepared;
    bool given; /* prepared was taken for this batch */
    watched_batch watched;
    corm_batch through;
} waiting_batch;

static corm_status watched_bind(void *context, size_t row, corm_value *values, size_t count) {
    watched_batch *watched = context;
    corm_status status = watched->batch->bind(watched->batch->context, row, values, count);
    if (status != CORM_OK) {
        watched->row = row;
    }
    return status;
}

static corm_status watched_result(void *context, size_t row, int64_t generated_key, int64_t changed,
                                  const corm_value *values, size_t count) {
    watched_batch *watched = context;
    const corm_batch *batch = watched->batch;
    if (batch->result == NULL) {
        watched->row = row + 1;
        return CORM_OK;
    }
    corm_status status = batch->result(batch->context, row, generated_key, changed, values, count);
    watched->row = row + (status == CORM_OK);
    return status;
}

/* The parameters of the row that failed, asked for once more. */
static void add_batch_statement(corm_connection *connection, const char *sql, const watched_batch *watched) {
    const corm_batch *batch = watched->batch;
    corm_error kept;
    corm_error_take(&kept);
    corm_value *values = corm_calloc(batch->parameter_count, sizeof *values);
    corm_text parameters = CORM_TEXT_EMPTY;
    if (values != NULL && watched->row < batch->rows && !corm_engine_hides_parameters(connection->engine) &&
        batch->bind(batch->context, watched->row, values, batch->parameter_count) == CORM_OK) {
        corm_describe_values(values, batch->parameter_count, &parameters);
        if (batch->rows > 1) {
            corm_text_append_format(&parameters, " (set %zu of %zu)", watched->row + 1, batch->rows);
        }
    }
    corm_error_restore(&kept);
    corm_connection_add_origin(connection);
    corm_error_add_statement(sql, parameters.data);
    corm_text_clear(&parameters);
    corm_free(values);
}

static void log_batch(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                      int64_t start) {
    const corm_batch *batch = call->batch;
    corm_text sets = CORM_TEXT_EMPTY;
    corm_value *values = corm_calloc(batch->parameter_count, sizeof *values);
    corm_text_append(&sets, batch->rows == 1 ? "" : "[");
    for (size_t row = 0; row < batch->rows && values != NULL; row++) {
        if (batch->rows > SHOWN_SETS + SHOWN_LAST_SETS && row == SHOWN_SETS) {
            corm_text_append_format(&sets, "  ... displaying %d of %zu total bound parameter sets ... ",
                                    SHOWN_SETS + SHOWN_LAST_SETS, batch->rows);
            row = batch->rows - SHOWN_LAST_SETS;
        }
        if (batch->bind(batch->context, row, values, batch->parameter_count) != CORM_OK) {
            corm_error_clear(); /* the execution says it */
            break;
        }
        corm_text_append(&sets, row == 0 ? "" : ", ");
        corm_describe_values(values, batch->parameter_count, &sets);
    }
    corm_text_append(&sets, batch->rows == 1 ? "" : "]");
    corm_connection_log(connection, call, prepared, start, sets.data == NULL ? "" : sets.data);
    corm_text_clear(&sets);
    corm_free(values);
}

/* A prepared statement for a batch: one that a waiting batch uses may be used again. *given: it is to be given back. */
static corm_status take_statement(corm_connection *connection, const corm_engine_call *call, corm_prepared **out,
                                  bool *given) {
    *given = false;
    for (const waiting_batch *one = connection->waiting; one != NULL && call->id != 0; one = one->next) {
        if (one->id == call->id) {
            *out = one->prepared;
            return CORM_OK;
        }
    }
    *given = true;
    return corm_statements_take(&connection->record->statements, connection->record->connection, call->id, call->sql,
                                call->size, out);
}

static waiting_batch *waiting_new(const corm_engine_call *call) {
    waiting_batch *made = corm_calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->id = call->id;
    made->sql = call->sql;
    made->watched.batch = call->batch;
    made->through = *call->batch;
    made->through.bind = watched_bind;
    made->through.result = watched_result;
    made->through.context = &made->watched;
    return made;
}

static void waiting_free(corm_connection *connection, waiting_batch *batch) {
    if (batch->prepared != NULL && batch->given) {
        corm_statements_give(&connection->record->statements, batch->prepared);
    }
    corm_free(batch);
}

static void free_waiting(corm_connection *connection) {
    while (connection->waiting != NULL) {
        waiting_batch *next = connection->waiting->next;
        waiting_free(connection, connection->waiting);
        connection->waiting = next;
    }
    connection->last_waiting = NULL;
}

void corm_connection_drop_waiting(corm_connection *connection) {
    if (connection->waiting != NULL) {
        connection->driver->settle(connection->record->connection, false);
        free_waiting(connection);
    }
}

/* The first batch with rows that were not told. */
static const waiting_batch *first_unfinished(const corm_connection *connection) {
    const waiting_batch *batch = connection->waiting;
    while (batch != NULL && batch->watched.row == batch->through.rows) {
        batch = batch->next;
    }
    return batch;
}

corm_status corm_connection_settle(corm_connection *connection) {
    if (connection->waiting == NULL) {
        return CORM_OK;
    }
    corm_status status = connection->driver->settle(connection->record->connection, true);
    const waiting_batch *failed = first_unfinished(connection);
    if (status != CORM_OK && status != CORM_HOST_ERROR && failed != NULL) {
        add_batch_statement(connection, failed->sql, &failed->watched);
    }
    corm_error reason;
    corm_error_take(&reason);
    free_waiting(connection);
    corm_error_restore(&reason);
    return status;
}

static void keep_waiting(corm_connection *connection, waiting_batch *batch) {
    *(connection->last_waiting == NULL ? &connection->waiting : &connection->last_waiting->next) = batch;
    connection->last_waiting = batch;
}

static corm_status run_batch(corm_connection *connection, const corm_engine_call *call, waiting_batch *batch) {
    int64_t start = corm_clock_now();
    corm_status status = take_statement(connection, call, &batch->prepared, &batch->given);
    if (status != CORM_OK) {
        batch->prepared = NULL;
        corm_connection_add_origin(connection);
        corm_error_add_statement(call->sql, NULL);
        return status;
    }
    if (corm_engine_echo(connection->engine, CORM_LOG_ENGINE)) {
        log_batch(connection, call, batch->prepared, start);
    }
    status = corm_connection_begin_for(connection, batch->prepared->statement);
    if (status == CORM_OK) {
        status = connection->driver->execute_batch(batch->prepared->statement, &batch->through);
    }
    if (status != CORM_OK && status != CORM_HOST_ERROR) {
        const waiting_batch *failed = first_unfinished(connection); /* an answer to an earlier one may have come */
        failed = failed == NULL ? batch : failed;
        add_batch_statement(connection, failed->sql, &failed->watched);
    }
    return status;
}

static corm_status execute_batch_call(corm_connection *connection, const corm_engine_call *call, bool may_wait) {
    may_wait = may_wait && connection->driver->settle != NULL;
    corm_status status = may_wait ? CORM_OK : corm_connection_settle(connection);
    waiting_batch *batch = status == CORM_OK ? waiting_new(call) : NULL;
    if (batch == NULL) {
        return status == CORM_OK ? CORM_NO_MEMORY : status;
    }
    batch->through.may_wait = may_wait;
    status = run_batch(connection, call, batch);
    if (status == CORM_OK && may_wait) {
        keep_waiting(connection, batch);
        return CORM_OK;
    }
    corm_error reason;
    corm_error_take(&reason);
    waiting_free(connection, batch);
    if (status != CORM_OK) {
        corm_connection_drop_waiting(connection);
    }
    corm_error_restore(&reason);
    return status;
}

corm_status corm_connection_execute_batch(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                          const corm_batch *batch) {
    corm_engine_call call = {.id = id, .sql = sql, .size = size, .batch = batch};
    const corm_engine_hooks *hooks = corm_engine_hooks_of(connection->engine);
    corm_status checked = corm_connection_check(connection);
    if (checked != CORM_OK) {
        return checked;
    }
    if (!corm_engine_is_listened(connection->engine, CORM_LISTEN_EXECUTE)) {
        return execute_batch_call(connection, &call, batch->may_wait);
    }
    corm_status status = hooks->executing == NULL ? CORM_OK : hooks->executing(hooks->context, connection, &call);
    if (status == CORM_OK) {
        status = execute_batch_call(connection, &call, false);
        if (hooks->executed != NULL) {
            status = hooks->executed(hooks->context, connection, &call, NULL, status);
        }
    }
    return status;
}
