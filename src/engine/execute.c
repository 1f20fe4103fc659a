/*
 * One statement: prepared or found prepared, bound, and run to its first row. What fails gets the statement and its
 * parameters added to the error.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "engine/connection_private.h"

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
        status = corm_connection_begin_for(connection, prepared->statement);
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
        corm_connection_log_call(connection, call, status == CORM_OK ? prepared : NULL, start);
        corm_error_restore(&reason);
    }
    if (status == CORM_OK) {
        status = run_prepared(connection, call, prepared, &cursor);
        if (status != CORM_OK) {
            corm_statements_give(&record->statements, prepared);
        }
    }
    if (status != CORM_OK) {
        corm_connection_add_statement(connection, call->sql, call->values, call->count);
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
    corm_status checked = corm_connection_check(connection);
    if (checked != CORM_OK) {
        return checked;
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

corm_status corm_connection_run(corm_connection *connection, const char *sql) {
    corm_cursor *cursor;
    corm_engine_call call = {.sql = sql, .size = strlen(sql), .internal = true};
    corm_status status = run_call(connection, &call, &cursor);
    corm_cursor_free(cursor);
    return status;
}
