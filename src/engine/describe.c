/* What is said of statements: in errors, and in the log. Values are shortened for people. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "engine/connection_private.h"

/* Shown of a long list of parameters, on both sides of the gap, and of a long value. */
enum { SHOWN_PARAMETERS = 100, SHOWN_BYTES = 300 };

/* Whose error it is, and whether the connection outlived it. */
void corm_connection_add_origin(corm_connection *connection) {
    corm_error_add_driver(connection->driver->name);
    if (!connection->driver->is_usable(connection->record->connection)) {
        corm_error_add_disconnect();
        if (connection->autocommit) {
            corm_error_add_doubt(); /* each statement commits */
        }
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

void corm_describe_values(const corm_value *values, size_t count, corm_text *out) {
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

void corm_connection_add_statement(corm_connection *connection, const char *sql, const corm_value *values,
                                   size_t count) {
    corm_error kept;
    corm_text parameters = CORM_TEXT_EMPTY;
    corm_error_take(&kept);
    if (!corm_engine_hides_parameters(connection->engine)) {
        corm_describe_values(values, count, &parameters);
    } else if (count > 0) {
        corm_text_append(&parameters, hidden_parameters);
    }
    corm_error_restore(&kept);
    corm_connection_add_origin(connection);
    corm_error_add_statement(sql, parameters.data);
    corm_text_clear(&parameters);
}

/* Where the statement comes from and how long ago; prepared NULL: it could not be prepared. */
void corm_connection_log(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
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

void corm_connection_log_call(corm_connection *connection, const corm_engine_call *call, const corm_prepared *prepared,
                              int64_t start) {
    corm_text parameters = CORM_TEXT_EMPTY;
    if (call->count == 0) {
        corm_text_append(&parameters, "()");
    } else if (!corm_engine_hides_parameters(connection->engine)) {
        corm_describe_values(call->values, call->count, &parameters);
    }
    corm_connection_log(connection, call, prepared, start, parameters.data == NULL ? "" : parameters.data);
    corm_text_clear(&parameters);
}
