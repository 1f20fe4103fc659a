/*
 * Batches: executions of one statement, sent one behind the other without waiting for answers. What comes back is read
 * as soon as the server's side of the socket could fill up, so that neither side waits for the other.
 */
#include "base/alloc.h"
#include "driver/postgresql_private.h"

/* Rows under way: enough to hide a round trip, little enough for the answers to stay in the socket's buffers or ours. */
enum { ROWS_AHEAD = 256 };

/* The result of one row, told to the batch. */
static corm_status take_row(corm_driver_statement *statement, const corm_batch *batch, size_t row,
                            corm_value **returned, size_t *room) {
    PGresult *result = NULL, *end = NULL;
    corm_status status = corm_pg_next_result(statement->connection, &result);
    if (status == CORM_OK && result == NULL) {
        status = corm_pg_fail(statement->connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_accept(statement, result);
    }
    if (status == CORM_OK && statement->columns > *room) {
        corm_value *grown = corm_realloc_array(*returned, statement->columns, sizeof *grown);
        if (grown == NULL) {
            return CORM_NO_MEMORY;
        }
        *returned = grown;
        *room = statement->columns;
    }
    bool has_row = status == CORM_OK && statement->rows > 0;
    if (has_row) {
        status = corm_pg_row(statement, *returned, statement->columns);
    }
    if (status == CORM_OK && batch->result != NULL) {
        status = batch->result(batch->context, row, 0, statement->changed < 0 ? 0 : statement->changed,
                               has_row ? *returned : NULL, has_row ? statement->columns : 0);
    }
    if (status == CORM_OK) {
        status = corm_pg_next_result(statement->connection, &end);
        PQclear(end);
    }
    return status;
}

static corm_status send_row(corm_driver_statement *statement, const corm_batch *batch, size_t row, corm_value *values) {
    corm_status status = batch->bind(batch->context, row, values, batch->parameter_count);
    if (status == CORM_OK && corm_pg_types_differ(statement, values)) {
        corm_pg_forget(statement); /* this row and the next bring their types with them */
    }
    if (status == CORM_OK && !statement->described) {
        corm_pg_choose_types(statement, values);
    }
    if (status == CORM_OK) {
        status = corm_pg_parameters_set(&statement->parameters, corm_pg_known_types(statement), values,
                                        batch->parameter_count);
    }
    return status == CORM_OK ? corm_pg_send_execute(statement) : status;
}

/* Rows go out in runs: each is sent whole before its answers are read, and the next is sent meanwhile. */
static corm_status run_rows(corm_driver_statement *statement, const corm_batch *batch, size_t first, corm_value *values,
                            corm_value **returned, size_t *room) {
    corm_driver_connection *connection = statement->connection;
    size_t sent = first, taken = first;
    corm_status status = CORM_OK;
    while (taken < batch->rows && status == CORM_OK) {
        while (sent < batch->rows && sent - taken < ROWS_AHEAD && status == CORM_OK) {
            status = send_row(statement, batch, sent, values);
            sent += status == CORM_OK;
        }
        if (status == CORM_OK && sent == batch->rows && connection->syncs == 0) {
            status = corm_pg_pipeline_sync(connection);
        } else if (status == CORM_OK && PQsendFlushRequest(connection->native) == 0) {
            status = corm_pg_fail(connection);
        }
        size_t until = sent == batch->rows ? sent : taken + ROWS_AHEAD / 2;
        while (taken < until && status == CORM_OK) {
            status = take_row(statement, batch, taken, returned, room);
            taken += status == CORM_OK;
        }
    }
    return status;
}

/* BEGIN, and PREPARE with the types that make the rows' parameters short; the first row says what is not said. */
static corm_status open_batch(corm_driver_statement *statement, const corm_batch *batch, corm_value *values) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    corm_status status = CORM_OK;
    if (statement->has_untyped && corm_pg_wants_preparing(statement)) {
        status = batch->bind(batch->context, 0, values, batch->parameter_count);
        if (status == CORM_OK) {
            corm_pg_choose_types(statement, values);
        }
    }
    if (status == CORM_OK) {
        status = corm_pg_send_closed(connection, &answers);
    }
    if (status == CORM_OK) {
        status = corm_pg_send_begin(connection, &answers);
    }
    bool prepares = corm_pg_wants_preparing(statement);
    if (status == CORM_OK && prepares) {
        status = corm_pg_send_prepare(statement);
    }
    if (status == CORM_OK && (answers > 0 || prepares) && PQsendFlushRequest(connection->native) == 0) {
        status = corm_pg_fail(connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers);
    }
    return status == CORM_OK && prepares ? corm_pg_take_prepare(statement) : status;
}

corm_status corm_pg_execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    if (batch->parameter_count != statement->parameter_count) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the query has %zu placeholders but %zu parameters were passed",
                              statement->parameter_count, batch->parameter_count);
    }
    if (statement->several) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "cannot run several statements as a batch");
    }
    size_t room = 0;
    corm_value *returned = NULL;
    corm_value *values = corm_calloc(batch->parameter_count + 1, sizeof *values);
    corm_status status =
        values == NULL ? CORM_NO_MEMORY : corm_pg_parameters_reserve(&statement->parameters, batch->parameter_count);
    size_t done = 0;
    if (status == CORM_OK) {
        status = corm_pg_insert_arrays(statement, batch, values, &done);
    }
    if (status == CORM_OK && done < batch->rows) {
        status = corm_pg_pipeline_begin(statement->connection);
        if (status == CORM_OK) {
            status = open_batch(statement, batch, values);
            if (status == CORM_OK) {
                status = run_rows(statement, batch, done, values, &returned, &room);
            }
            status = corm_pg_pipeline_end(statement->connection, status);
        }
    }
    corm_pg_reset(statement);
    corm_free(values);
    corm_free(returned);
    return status;
}
