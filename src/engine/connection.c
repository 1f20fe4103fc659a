/*
 * Connections and cursors: see engine.h and result.h.
 *
 * A connection knows its open cursors, so that closing it closes them; a cursor knows that it lost its connection. What
 * fails gets the statement and its parameters added to the error, shortened for people.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "engine/pool.h"
#include "engine/result.h"

/* Shown of a long list of parameters, and of parameter sets, on each side of the gap. */
enum { SHOWN_PARAMETERS = 100, SHOWN_SETS = 8, SHOWN_LAST_SETS = 2, SHOWN_BYTES = 300 };

struct corm_connection {
    corm_engine *engine; /* a reference */
    corm_record *record;
    const corm_driver *driver;
    void *host; /* borrowed */
    bool begun;
    bool invalid;
    bool autocommit;
    bool isolated;       /* its isolation level was set */
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

static void drop_waiting(corm_connection *connection);

/* ---- messages ---- */

/* Whose error it is, and whether the connection outlived it. */
static void add_origin(corm_connection *connection) {
    corm_error_add_driver(connection->driver->name);
    if (!connection->driver->is_usable(connection->record->connection)) {
        corm_error_add_disconnect();
    }
}

static void describe_value(const corm_value *value, corm_text *out) {
    size_t start = out->size;
    corm_value_describe(value, out);
    if (!out->failed && out->size - start > SHOWN_BYTES) {
        size_t size = out->size - start;
        corm_text_truncate(out, start + SHOWN_BYTES / 2);
        corm_text_append_format(out, " ... (%zu characters truncated) ... ", size - SHOWN_BYTES / 2);
    }
}

static void describe_values(const corm_value *values, size_t count, corm_text *out) {
    corm_text_append_char(out, '(');
    for (size_t i = 0; i < count; i++) {
        if (count > SHOWN_PARAMETERS && i == SHOWN_PARAMETERS / 2) {
            corm_text_append_format(out, " ... %zu parameters truncated ... ", count - SHOWN_PARAMETERS);
            i = count - SHOWN_PARAMETERS / 2;
        }
        corm_text_append(out, i == 0 ? "" : ", ");
        describe_value(&values[i], out);
    }
    corm_text_append(out, count == 1 ? ",)" : ")");
}

static const char hidden_parameters[] = "[SQL parameters hidden due to hide_parameters=True]";

static void add_statement(corm_connection *connection, const char *sql, const corm_value *values, size_t count) {
    corm_error kept;
    corm_text parameters = CORM_TEXT_EMPTY;
    corm_error_take(&kept);
    if (!corm_engine_hides_parameters(connection->engine)) {
        describe_values(values, count, &parameters);
    } else if (count > 0) {
        corm_text_append(&parameters, hidden_parameters);
    }
    corm_error_restore(&kept);
    add_origin(connection);
    corm_error_add_statement(sql, parameters.data);
    corm_text_clear(&parameters);
}

/* Where the statement comes from and how long ago; prepared NULL: it could not be prepared. */
static void log_statement(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                          int64_t start, const char *parameters) {
    double seconds = (double)(corm_clock_now() - start) / 1e9;
    bool cached = prepared != NULL && prepared->made < start;
    if (cached) {
        seconds = (double)(start - prepared->made) / 1e9;
    }
    if (corm_engine_hides_parameters(connection->engine)) {
        parameters = hidden_parameters;
    }
    corm_engine_log(connection->engine, CORM_LOG_ENGINE, "%s", call->sql);
    if (call->internal) {
        corm_engine_log(connection->engine, CORM_LOG_ENGINE, "[no key %.5fs] ()", seconds);
    } else if (call->id == 0) {
        corm_engine_log(connection->engine, CORM_LOG_ENGINE, "[raw sql] %s", parameters);
    } else if (cached) {
        corm_engine_log(connection->engine, CORM_LOG_ENGINE, "[cached since %.4gs ago] %s", seconds, parameters);
    } else {
        corm_engine_log(connection->engine, CORM_LOG_ENGINE, "[generated in %.5fs] %s", seconds, parameters);
    }
}

static void log_execution(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                          int64_t start) {
    corm_text parameters = CORM_TEXT_EMPTY;
    if (call->count == 0) {
        corm_text_append(&parameters, "()");
    } else if (!corm_engine_hides_parameters(connection->engine)) {
        describe_values(call->values, call->count, &parameters);
    }
    log_statement(connection, call, prepared, start, parameters.data == NULL ? "" : parameters.data);
    corm_text_clear(&parameters);
}

/* ---- checking out and in ---- */

corm_status corm_engine_connect(corm_engine *engine, corm_connection **out) {
    const corm_engine_hooks *hooks = corm_engine_hooks_of(engine);
    *out = NULL;
    corm_connection *connection = corm_calloc(1, sizeof *connection);
    if (connection == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_pool_take(corm_engine_pool(engine), &connection->record);
    if (status != CORM_OK) {
        corm_free(connection);
        return status;
    }
    connection->engine = corm_engine_ref(engine);
    connection->driver = corm_engine_driver(engine);
    if (hooks->checked_out != NULL) {
        status = hooks->checked_out(hooks->context, connection->record->connection);
        if (status != CORM_OK) {
            corm_connection_close(connection);
            return status;
        }
    }
    *out = connection;
    return CORM_OK;
}

static void detach_cursors(corm_connection *connection) {
    while (connection->cursors != NULL) {
        corm_cursor *cursor = connection->cursors;
        corm_cursor_close(cursor);
        cursor->lost = true;
    }
}

static bool is_inherited(const corm_connection *connection) {
    return connection->record->process != corm_fork_count();
}

static corm_status refuse_inherited(void) {
    return corm_error_set(CORM_INVALID_REQUEST, "This connection belongs to the process that forked this one: a child "
                                                "process connects anew");
}

/* In a forked child: the parent's connection is not touched, what hangs on it is only forgotten. */
static void abandon(corm_connection *connection) {
    while (connection->cursors != NULL) {
        corm_cursor *cursor = connection->cursors;
        connection->cursors = cursor->next;
        cursor->connection = NULL;
        cursor->prepared = NULL;
        cursor->lost = true;
    }
    connection->begun = false;
    connection->invalid = true;
}

static corm_status reset_isolation(corm_connection *connection);

void corm_connection_close(corm_connection *connection) {
    if (connection == NULL) {
        return;
    }
    corm_error pending;
    corm_error_take(&pending);
    bool inherited = is_inherited(connection);
    if (inherited) {
        abandon(connection);
    }
    detach_cursors(connection);
    drop_waiting(connection);
    corm_engine *engine = connection->engine;
    const corm_engine_hooks *hooks = corm_engine_hooks_of(engine);
    bool keep = !connection->invalid && connection->driver->is_usable(connection->record->connection);
    if (keep && connection->begun) {
        keep = corm_connection_rollback(connection) == CORM_OK;
    }
    if (keep && connection->isolated && !inherited) {
        keep = reset_isolation(connection) == CORM_OK;
    }
    while (connection->watches != NULL) {
        corm_connection_watch *watch = connection->watches;
        corm_connection_watch_end(watch);
        watch->closed(watch);
    }
    if (connection->host != NULL && hooks->detached != NULL) {
        hooks->detached(hooks->context, connection);
    }
    if (hooks->checked_in != NULL && !inherited) {
        hooks->checked_in(hooks->context, connection->record->connection);
    }
    corm_pool_give(corm_engine_pool(engine), connection->record, keep);
    corm_free(connection);
    corm_error_restore(&pending);
    corm_engine_unref(engine);
}

void corm_connection_watch_begin(corm_connection *connection, corm_connection_watch *watch) {
    corm_connection_watch_end(watch);
    watch->link = &connection->watches;
    watch->next = connection->watches;
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    connection->watches = watch;
}

void corm_connection_watch_end(corm_connection_watch *watch) {
    if (watch->link != NULL) {
        *watch->link = watch->next;
        if (watch->next != NULL) {
            watch->next->link = watch->link;
        }
        watch->link = NULL;
    }
}

unsigned corm_connection_savepoints(const corm_connection *connection) {
    return connection->depth;
}

void corm_connection_invalidate(corm_connection *connection) {
    connection->invalid = true;
}

corm_engine *corm_connection_engine(const corm_connection *connection) {
    return connection->engine;
}

corm_driver_connection *corm_connection_driver(corm_connection *connection) {
    return connection->record->connection;
}

void corm_connection_set_host(corm_connection *connection, void *host) {
    connection->host = host;
}

void *corm_connection_host(const corm_connection *connection) {
    return connection->host;
}

static corm_status set_autocommit(corm_connection *connection, bool on) {
    const corm_driver *driver = connection->driver;
    bool changes = on != connection->autocommit && driver->set_autocommit != NULL;
    corm_status status = changes ? driver->set_autocommit(connection->record->connection, on) : CORM_OK;
    connection->autocommit = status == CORM_OK ? on : connection->autocommit;
    return status;
}

static corm_status refuse_isolation(const corm_dialect *dialect, const char *level) {
    corm_text levels = CORM_TEXT_EMPTY;
    for (const corm_isolation *known = dialect->isolations; known != NULL && known->level != NULL; known++) {
        corm_text_append(&levels, levels.size == 0 ? "" : ", ");
        corm_text_append(&levels, known->level);
    }
    corm_status status = corm_error_set(
        CORM_ARGUMENT_ERROR, "Invalid value '%s' for isolation_level. Valid isolation levels for '%s' are %s", level,
        dialect->name, levels.data == NULL ? "none" : levels.data);
    corm_text_clear(&levels);
    return status;
}

corm_status corm_connection_set_isolation(corm_connection *connection, const char *level) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    const corm_isolation *known = dialect->isolations;
    while (known != NULL && known->level != NULL && strcmp(known->level, level) != 0) {
        known++;
    }
    if (known == NULL || known->level == NULL) {
        return refuse_isolation(dialect, level);
    }
    if (connection->begun) {
        return corm_error_set(
            CORM_INVALID_REQUEST,
            "This connection has already initialized a SQLAlchemy Transaction() object via begin() or "
            "autobegin; isolation_level may not be altered unless rollback() or commit() is called "
            "first.");
    }
    connection->isolated = true;
    corm_status status = set_autocommit(connection, known->statement == NULL);
    return status == CORM_OK && known->statement != NULL ? corm_connection_run(connection, known->statement) : status;
}

/* What the next user of the pool's connection expects. */
static corm_status reset_isolation(corm_connection *connection) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    corm_status status = set_autocommit(connection, false);
    return status == CORM_OK && dialect->isolation_reset != NULL
               ? corm_connection_run(connection, dialect->isolation_reset)
               : status;
}

corm_status corm_connection_isolation(corm_connection *connection, char **out) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    corm_cursor *cursor = NULL;
    bool has_row = false;
    *out = NULL;
    if (connection->autocommit || dialect->isolation_query == NULL) {
        *out = corm_strdup(connection->autocommit ? "AUTOCOMMIT" : "");
        return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    corm_status status = corm_connection_execute(connection, 0, dialect->isolation_query,
                                                 strlen(dialect->isolation_query), NULL, 0, &cursor);
    status = status == CORM_OK ? corm_cursor_next(cursor, &has_row) : status;
    if (status == CORM_OK) {
        const corm_value *level = has_row ? corm_cursor_values(cursor) : NULL;
        bool is_text = level != NULL && level->kind == CORM_KIND_TEXT;
        *out = corm_strndup(is_text ? level->as.text.data : "", is_text ? level->as.text.size : 0);
        status = *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    for (char *at = *out; at != NULL && *at != '\0'; at++) {
        *at = *at == '-' ? ' ' : *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    corm_cursor_free(cursor);
    return status;
}

bool corm_connection_autocommit(const corm_connection *connection) {
    return connection->autocommit;
}

/* ---- transactions ---- */

static corm_status announce(corm_connection *connection, corm_transaction_event event, const char *savepoint) {
    const corm_engine_hooks *hooks = corm_engine_hooks_of(connection->engine);
    if (!corm_engine_is_listened(connection->engine, CORM_LISTEN_TRANSACTION) || hooks->transaction == NULL) {
        return CORM_OK;
    }
    return hooks->transaction(hooks->context, connection, event, savepoint);
}

/* Tell the database of the transaction that was begun, before the first statement that needs it. A shared connection
 * may be inside another user's transaction, and a user may have sent a BEGIN of another kind: then this one joins it. */
static corm_status begin_for(corm_connection *connection, corm_driver_statement *statement) {
    const corm_driver *driver = connection->driver;
    corm_driver_connection *native = connection->record->connection;
    if (!connection->begun || connection->autocommit || !driver->needs_transaction(statement) ||
        driver->in_transaction(native)) {
        return CORM_OK;
    }
    return driver->begin(native);
}

bool corm_connection_in_transaction(const corm_connection *connection) {
    return connection->begun;
}

corm_status corm_connection_begin(corm_connection *connection) {
    if (connection->begun) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "This connection has already initialized a transaction; can't call begin() here unless "
                              "rollback() or commit() is called first.");
    }
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit ? "BEGIN (implicit; DBAPI should not BEGIN due to autocommit mode)"
                                           : "BEGIN (implicit)");
    connection->begun = true;
    connection->savepoints = connection->depth = 0;
    corm_status status = announce(connection, CORM_TRANSACTION_BEGIN, NULL);
    connection->begun = status == CORM_OK;
    return status;
}

corm_status corm_connection_commit(corm_connection *connection) {
    if (is_inherited(connection)) {
        return refuse_inherited();
    }
    corm_status status = announce(connection, CORM_TRANSACTION_COMMIT, NULL);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_connection_settle(connection);
    if (status != CORM_OK) {
        return status;
    }
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit
                        ? "COMMIT using DBAPI connection.commit(), has no effect due to autocommit mode"
                        : "COMMIT");
    status = connection->driver->commit(connection->record->connection);
    if (status == CORM_OK) {
        connection->begun = false;
    } else {
        add_origin(connection);
        if (!connection->driver->is_usable(connection->record->connection)) {
            corm_error_add_words(
                " (the connection was lost during COMMIT: whether the transaction was committed is not known)");
        }
        corm_error_add_statement("COMMIT", NULL);
    }
    return status;
}

/* Cursors that read hold no lock against a rollback in SQLite, but their rows may be gone: they are closed. */
corm_status corm_connection_rollback(corm_connection *connection) {
    if (is_inherited(connection)) {
        abandon(connection);
        return CORM_OK;
    }
    corm_status announced = announce(connection, CORM_TRANSACTION_ROLLBACK, NULL);
    corm_error reason;
    corm_error_take(&reason);
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit
                        ? "ROLLBACK using DBAPI connection.rollback(), has no effect due to autocommit mode"
                        : "ROLLBACK");
    detach_cursors(connection);
    drop_waiting(connection);
    corm_status status = connection->driver->rollback(connection->record->connection);
    connection->begun = false;
    if (announced != CORM_OK && status == CORM_OK) {
        corm_error_restore(&reason); /* the hook's failure does not keep the rollback back */
        return announced;
    }
    corm_error_free_content(&reason);
    if (status != CORM_OK) {
        connection->invalid = true;
        add_origin(connection);
        corm_error_add_statement("ROLLBACK", NULL);
    }
    return status;
}

static corm_status run_named(corm_connection *connection, const char *verb, const char *name) {
    char sql[128];
    int size = snprintf(sql, sizeof sql, "%s %s", verb, name);
    if (size < 0 || (size_t)size >= sizeof sql) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "the savepoint's name is too long");
    }
    return corm_connection_run(connection, sql);
}

corm_status corm_connection_savepoint(corm_connection *connection, const char *name) {
    corm_status status = announce(connection, CORM_TRANSACTION_SAVEPOINT, name);
    status = status == CORM_OK ? run_named(connection, "SAVEPOINT", name) : status;
    connection->depth += status == CORM_OK;
    return status;
}

corm_status corm_connection_release(corm_connection *connection, const char *name) {
    corm_status status = announce(connection, CORM_TRANSACTION_RELEASE, name);
    status = status == CORM_OK ? run_named(connection, "RELEASE SAVEPOINT", name) : status;
    connection->depth -= status == CORM_OK && connection->depth > 0;
    return status;
}

corm_status corm_connection_rollback_to(corm_connection *connection, const char *name) {
    corm_status status = announce(connection, CORM_TRANSACTION_ROLLBACK_TO, name);
    drop_waiting(connection);
    status = status == CORM_OK ? run_named(connection, "ROLLBACK TO SAVEPOINT", name) : status;
    connection->depth -= status == CORM_OK && connection->depth > 0;
    return status;
}

unsigned corm_connection_next_savepoint(corm_connection *connection) {
    return ++connection->savepoints;
}

/* ---- executing ---- */

/* Bind, run to the first row, and make room for as many columns as there are now. */
static corm_status run_prepared(corm_connection *connection, const corm_engine_call *call, corm_prepared *prepared,
                                corm_cursor **out) {
    const corm_driver *driver = connection->driver;
    size_t columns = driver->column_count(prepared->statement);
    corm_cursor *cursor = corm_alloc(sizeof *cursor + columns * sizeof *cursor->values);
    if (cursor == NULL) {
        return CORM_NO_MEMORY;
    }
    *cursor = (corm_cursor){.connection = connection, .prepared = prepared, .first = true, .changed = -1};
    corm_status status = driver->bind(prepared->statement, call->values, call->count);
    if (status != CORM_OK && call->id != 0 && driver->parameter_count(prepared->statement) != call->count) {
        connection->invalid = true; /* the engine counts right: the server does not */
    }
    if (status == CORM_OK) {
        status = begin_for(connection, prepared->statement);
    }
    if (status == CORM_OK) {
        cursor->streamed = call->chunk > 0 && driver->execute_streamed != NULL;
        status = cursor->streamed ? driver->execute_streamed(prepared->statement, call->chunk, &cursor->has_row)
                                  : driver->execute(prepared->statement, &cursor->has_row);
    }
    cursor->columns = driver->column_count(prepared->statement);
    if (status == CORM_OK && cursor->columns > columns) {
        corm_cursor *larger = corm_realloc(cursor, sizeof *cursor + cursor->columns * sizeof *cursor->values);
        status = larger == NULL ? CORM_NO_MEMORY : CORM_OK;
        cursor = larger == NULL ? cursor : larger;
    }
    if (status != CORM_OK) {
        corm_free(cursor);
        return status;
    }
    *out = cursor;
    return CORM_OK;
}

static corm_status execute_call(corm_connection *connection, const corm_engine_call *call, corm_cursor **out) {
    const corm_driver *driver = connection->driver;
    corm_record *record = connection->record;
    corm_prepared *prepared;
    corm_cursor *cursor;
    bool echo = corm_engine_echo(connection->engine, CORM_LOG_ENGINE);
    int64_t start = echo ? corm_clock_now() : 0;
    corm_status status =
        corm_statements_take(&record->statements, record->connection, call->id, call->sql, call->size, &prepared);
    if (echo) {
        corm_error reason;
        corm_error_take(&reason);
        log_execution(connection, call, status == CORM_OK ? prepared : NULL, start);
        corm_error_restore(&reason);
    }
    if (status == CORM_OK) {
        status = run_prepared(connection, call, prepared, &cursor);
        if (status != CORM_OK) {
            corm_statements_give(&record->statements, prepared);
        }
    }
    if (status != CORM_OK) {
        add_statement(connection, call->sql, call->values, call->count);
        return status;
    }
    cursor->next = connection->cursors;
    cursor->link = &connection->cursors;
    if (cursor->next != NULL) {
        cursor->next->link = &cursor->next;
    }
    connection->cursors = cursor;
    cursor->changed = driver->changed_rows(prepared->statement);
    cursor->generated = driver->last_generated_key(record->connection);
    if (cursor->columns == 0) {
        corm_cursor_close(cursor);
    }
    *out = cursor;
    return CORM_OK;
}

static corm_status execute_listened(corm_connection *connection, corm_engine_call *call, corm_cursor **out) {
    const corm_engine_hooks *hooks = corm_engine_hooks_of(connection->engine);
    corm_status status = hooks->executing == NULL ? CORM_OK : hooks->executing(hooks->context, connection, call);
    if (status != CORM_OK) {
        return status;
    }
    status = execute_call(connection, call, out);
    if (hooks->executed != NULL) {
        status = hooks->executed(hooks->context, connection, call, *out, status);
    }
    if (status != CORM_OK) {
        corm_error reason;
        corm_error_take(&reason);
        corm_cursor_free(*out);
        corm_error_restore(&reason);
        *out = NULL;
    }
    return status;
}

static corm_status run_call(corm_connection *connection, corm_engine_call *call, corm_cursor **out) {
    *out = NULL;
    if (is_inherited(connection)) {
        return refuse_inherited();
    }
    corm_status status = corm_connection_settle(connection);
    if (status != CORM_OK) {
        return status;
    }
    return corm_engine_is_listened(connection->engine, CORM_LISTEN_EXECUTE) ? execute_listened(connection, call, out)
                                                                            : execute_call(connection, call, out);
}

corm_status corm_connection_execute(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                    const corm_value *values, size_t count, corm_cursor **out) {
    return corm_connection_stream(connection, id, sql, size, values, count, 0, out);
}

corm_status corm_connection_stream(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                   const corm_value *values, size_t count, size_t chunk, corm_cursor **out) {
    corm_engine_call call = {.id = id, .sql = sql, .size = size, .values = values, .count = count, .chunk = chunk};
    return run_call(connection, &call, out);
}

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
        describe_values(values, batch->parameter_count, &parameters);
        if (batch->rows > 1) {
            corm_text_append_format(&parameters, " (set %zu of %zu)", watched->row + 1, batch->rows);
        }
    }
    corm_error_restore(&kept);
    add_origin(connection);
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
        describe_values(values, batch->parameter_count, &sets);
    }
    corm_text_append(&sets, batch->rows == 1 ? "" : "]");
    log_statement(connection, call, prepared, start, sets.data == NULL ? "" : sets.data);
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

static void drop_waiting(corm_connection *connection) {
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
        add_origin(connection);
        corm_error_add_statement(call->sql, NULL);
        return status;
    }
    if (corm_engine_echo(connection->engine, CORM_LOG_ENGINE)) {
        log_batch(connection, call, batch->prepared, start);
    }
    status = begin_for(connection, batch->prepared->statement);
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
        drop_waiting(connection);
    }
    corm_error_restore(&reason);
    return status;
}

corm_status corm_connection_execute_batch(corm_connection *connection, uint64_t id, const char *sql, size_t size,
                                          const corm_batch *batch) {
    corm_engine_call call = {.id = id, .sql = sql, .size = size, .batch = batch};
    const corm_engine_hooks *hooks = corm_engine_hooks_of(connection->engine);
    if (is_inherited(connection)) {
        return refuse_inherited();
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

corm_status corm_connection_run(corm_connection *connection, const char *sql) {
    corm_cursor *cursor;
    corm_engine_call call = {.sql = sql, .size = strlen(sql), .internal = true};
    corm_status status = run_call(connection, &call, &cursor);
    corm_cursor_free(cursor);
    return status;
}

/* ---- cursors ---- */

/* A stream asks the server, which has to be done with what was sent before. */
static corm_status step(corm_cursor *cursor) {
    corm_connection *connection = cursor->connection;
    corm_status status = cursor->streamed ? corm_connection_settle(connection) : CORM_OK;
    if (status == CORM_OK) {
        status = connection->driver->step(cursor->prepared->statement, &cursor->has_row);
    }
    if (status != CORM_OK) {
        add_origin(connection);
    }
    return status;
}

corm_status corm_cursor_next(corm_cursor *cursor, bool *has_row) {
    *has_row = false;
    if (cursor->connection == NULL) {
        return cursor->lost ? corm_error_set(CORM_RESOURCE_CLOSED,
                                             "This result object is closed: its connection was closed or rolled back")
                            : CORM_OK;
    }
    const corm_driver *driver = cursor->connection->driver;
    corm_status status = CORM_OK;
    if (cursor->first) {
        cursor->first = false;
    } else {
        status = step(cursor);
    }
    if (status == CORM_OK && cursor->has_row) {
        status = driver->row(cursor->prepared->statement, cursor->values, cursor->columns);
        *has_row = status == CORM_OK;
        if (status != CORM_OK) {
            add_origin(cursor->connection);
        }
        return status;
    }
    if (status == CORM_OK) {
        cursor->changed = driver->changed_rows(cursor->prepared->statement);
        cursor->generated = driver->last_generated_key(cursor->connection->record->connection);
    }
    corm_error reason;
    corm_error_take(&reason);
    corm_cursor_close(cursor);
    corm_error_restore(&reason);
    return status;
}

const corm_value *corm_cursor_values(const corm_cursor *cursor) {
    return cursor->values;
}

size_t corm_cursor_column_count(const corm_cursor *cursor) {
    return cursor->columns;
}

const char *corm_cursor_column_name(const corm_cursor *cursor, size_t column) {
    return cursor->connection == NULL ? ""
                                      : cursor->connection->driver->column_name(cursor->prepared->statement, column);
}

int64_t corm_cursor_changed_rows(const corm_cursor *cursor) {
    return cursor->changed;
}

int64_t corm_cursor_generated_key(const corm_cursor *cursor) {
    return cursor->generated;
}

bool corm_cursor_is_open(const corm_cursor *cursor) {
    return cursor->connection != NULL;
}

void corm_cursor_close(corm_cursor *cursor) {
    corm_connection *connection = cursor->connection;
    if (connection == NULL) {
        return;
    }
    cursor->connection = NULL;
    *cursor->link = cursor->next;
    if (cursor->next != NULL) {
        cursor->next->link = cursor->link;
    }
    corm_statements_give(&connection->record->statements, cursor->prepared);
    cursor->prepared = NULL;
}

void corm_cursor_free(corm_cursor *cursor) {
    if (cursor != NULL) {
        corm_cursor_close(cursor);
        corm_free(cursor);
    }
}
