/*
 * Batches: executions of one statement, sent one behind the other without waiting for answers. What comes back is read
 * as soon as the server's side of the socket could fill up, so that neither side waits for the other.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "driver/postgresql_private.h"

/* Rows under way: enough for the units of work of most programs to go out at once, little enough for the answers to stay
 * in some hundred kilobytes of libpq's buffers. (It reads what comes whenever it cannot send, so neither side blocks.) */
enum { ROWS_AHEAD = 2048, MOST_ROWS_LEFT = 1024 /* more go faster as arrays, at a round trip of their own */ };

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

/* Types that the statement does not say are those of the first row. */
static corm_status choose_types(corm_driver_statement *statement, const corm_batch *batch, corm_value *values) {
    if (!statement->has_untyped || !corm_pg_wants_preparing(statement)) {
        return CORM_OK;
    }
    corm_status status = batch->bind(batch->context, 0, values, batch->parameter_count);
    if (status == CORM_OK) {
        corm_pg_choose_types(statement, values);
    }
    return status;
}

/* BEGIN, and PREPARE with the types that make the rows' parameters short; the first row says what is not said. */
static corm_status open_batch(corm_driver_statement *statement, const corm_batch *batch, corm_value *values) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    corm_status status = choose_types(statement, batch, values);
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

/* ---- batches that wait ---- */

/*
 * A batch that may wait is sent, and its answers are left in the open pipeline, so that the next batch goes out behind it:
 * what does not depend on an answer shares one round trip. Only as many are left as fit into the buffers.
 *
 * Rows of an INSERT go as arrays behind a savepoint. When the server refuses them it does nothing more of the pipeline;
 * when it numbers them out of order, what came behind is undone with them. Either way everything from there on, which
 * nobody was told of yet, runs again batch by batch.
 */

static corm_status run_batch(corm_driver_statement *statement, const corm_batch *batch, corm_value *values);

static corm_status push_left(corm_driver_connection *connection, corm_driver_statement *statement,
                             const corm_batch *batch, size_t count) {
    if (connection->left_count == connection->left_capacity) {
        size_t capacity = connection->left_capacity == 0 ? 8 : connection->left_capacity * 2;
        corm_pg_left *grown = corm_realloc_array(connection->left, capacity, sizeof *grown);
        if (grown == NULL) {
            return CORM_NO_MEMORY;
        }
        connection->left = grown;
        connection->left_capacity = capacity;
    }
    connection->left[connection->left_count++] = (corm_pg_left){.statement = statement, .batch = batch, .count = count};
    return CORM_OK;
}

static corm_status roll_back_to(corm_driver_connection *connection, uint64_t savepoint) {
    char sql[64];
    snprintf(sql, sizeof sql, "ROLLBACK TO SAVEPOINT corm_rows_%llu", (unsigned long long)savepoint);
    return corm_pg_run(connection, sql);
}

/* The oldest of what is left, and all behind it, once more. The pipeline is closed then. */
static corm_status redo_left(corm_driver_connection *connection) {
    corm_pg_left *left = connection->left;
    size_t count = connection->left_count, widest = 0;
    connection->left = NULL;
    connection->left_count = connection->left_capacity = connection->left_rows = 0;
    corm_error_clear();
    corm_pg_pipeline_end(connection, CORM_OPERATIONAL_ERROR); /* takes what is under way */
    for (size_t i = 0; i < count; i++) {
        widest =
            left[i].batch != NULL && left[i].batch->parameter_count > widest ? left[i].batch->parameter_count : widest;
    }
    corm_value *values = corm_calloc(widest + 1, sizeof *values);
    corm_status status = connection->broken ? corm_pg_fail(connection)
                         : values == NULL   ? CORM_NO_MEMORY
                                            : roll_back_to(connection, left[0].savepoint);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        if (left[i].statement != NULL) { /* names that stay taken until the connection ends do no harm */
            status = run_batch(left[i].statement, left[i].batch, values);
        }
    }
    corm_free(values);
    corm_free(left);
    return status;
}

static void drop_told(corm_driver_connection *connection, size_t count) {
    connection->left_count -= count;
    memmove(connection->left, connection->left + count, connection->left_count * sizeof *connection->left);
}

/* Take answers, the oldest first, until at most so many rows are under way. */
static corm_status take_left(corm_driver_connection *connection, size_t kept) {
    corm_value *returned = NULL;
    size_t room = 0, done = 0;
    corm_status status = CORM_OK;
    while (status == CORM_OK && done < connection->left_count && connection->left_rows > kept) {
        corm_pg_left *left = &connection->left[done];
        if (left->statement == NULL) {
            status = corm_pg_take_answers(connection, left->count);
            left->next = left->count;
        } else if (left->savepoint != 0) {
            bool undo;
            status = corm_pg_arrays_take(left, &undo);
            if (undo) {
                drop_told(connection, done);
                corm_free(returned);
                return redo_left(connection);
            }
            left->next = left->count;
            connection->left_rows -= left->count;
        }
        while (status == CORM_OK && left->next < left->count && connection->left_rows > kept) {
            status = take_row(left->statement, left->batch, left->next, &returned, &room);
            left->next += status == CORM_OK;
            connection->left_rows -= status == CORM_OK;
        }
        done += left->next == left->count;
    }
    drop_told(connection, done);
    corm_free(returned);
    return status;
}

static corm_status end_left(corm_driver_connection *connection, corm_status status) {
    connection->left_count = connection->left_rows = 0;
    return corm_pg_pipeline_end(connection, status);
}

/* Answers are taken when many are under way; *undone: that ran this batch too, and closed the pipeline. */
static corm_status make_room(corm_driver_connection *connection, bool *undone) {
    *undone = false;
    if (connection->left_rows < ROWS_AHEAD) {
        return CORM_OK;
    }
    corm_status status =
        PQsendFlushRequest(connection->native) == 0 ? corm_pg_fail(connection) : take_left(connection, ROWS_AHEAD / 2);
    *undone = connection->left_count == 0;
    return status;
}

/* In one statement, behind a savepoint. */
static corm_status leave_arrays(corm_driver_statement *statement, const corm_batch *batch) {
    corm_driver_connection *connection = statement->connection;
    corm_pg_left *left = &connection->left[connection->left_count - 1];
    bool undone;
    corm_status status = corm_pg_arrays_leave(statement, left);
    if (status != CORM_OK) {
        return status;
    }
    left->count = batch->rows;
    connection->left_rows += batch->rows;
    return make_room(connection, &undone);
}

static corm_status leave_each(corm_driver_statement *statement, const corm_batch *batch, corm_value *values) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = CORM_OK;
    bool undone = false;
    for (size_t row = 0; row < batch->rows && status == CORM_OK && !undone; row++) {
        status = send_row(statement, batch, row, values);
        if (status == CORM_OK) {
            connection->left[connection->left_count - 1].count++;
            connection->left_rows++;
            status = make_room(connection, &undone);
        }
    }
    return status;
}

static corm_status leave_rows(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                              bool as_arrays) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    corm_status status = corm_pg_send_closed(connection, &answers);
    if (status == CORM_OK) {
        status = corm_pg_send_begin(connection, &answers);
    }
    if (status == CORM_OK && answers > 0) {
        status = push_left(connection, NULL, NULL, answers);
    }
    if (status == CORM_OK) {
        status = push_left(connection, statement, batch, 0);
    }
    if (status == CORM_OK) {
        status = as_arrays ? leave_arrays(statement, batch) : leave_each(statement, batch, values);
    }
    return status == CORM_OK ? corm_pg_flush(connection) : status;
}

static corm_status leave_batch(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                               bool as_arrays) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = CORM_OK;
    if (connection->left_count == 0) {
        connection->left_inside = connection->begins || PQtransactionStatus(connection->native) == PQTRANS_INTRANS;
        status = corm_pg_pipeline_begin(connection);
    }
    if (status == CORM_OK) {
        status = leave_rows(statement, batch, values, as_arrays);
        return status == CORM_OK ? CORM_OK : end_left(connection, status);
    }
    return status;
}

corm_status corm_pg_settle(corm_driver_connection *connection, bool tell) {
    if (connection->left_count == 0) {
        return CORM_OK;
    }
    if (!tell) {
        corm_error reason;
        corm_error_take(&reason);
        end_left(connection, CORM_OPERATIONAL_ERROR);
        corm_error_clear();
        corm_error_restore(&reason);
        return CORM_OK;
    }
    corm_status status = corm_pg_pipeline_sync(connection);
    if (status == CORM_OK) {
        status = take_left(connection, 0);
    }
    return end_left(connection, status);
}

/* ---- a batch ---- */

static corm_status run_batch(corm_driver_statement *statement, const corm_batch *batch, corm_value *values) {
    size_t room = 0, done = 0;
    corm_value *returned = NULL;
    corm_status status = corm_pg_insert_arrays(statement, batch, values, &done);
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
    corm_free(returned);
    return status;
}

static corm_status prepare_to_leave(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                                    bool *as_arrays) {
    corm_status status = corm_pg_arrays_ready(statement, batch, values, as_arrays);
    if (status != CORM_OK || *as_arrays || !corm_pg_wants_preparing(statement)) {
        return status;
    }
    status = corm_pg_settle(statement->connection, true);
    if (status == CORM_OK) {
        status = choose_types(statement, batch, values);
    }
    return status == CORM_OK ? corm_pg_prepare_now(statement) : status;
}

corm_status corm_pg_execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    if (batch->parameter_count != statement->parameter_count) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the query has %zu placeholders but %zu parameters were passed",
                              statement->parameter_count, batch->parameter_count);
    }
    if (statement->several) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "cannot run several statements as a batch");
    }
    corm_value *values = corm_calloc(batch->parameter_count + 1, sizeof *values);
    corm_status status =
        values == NULL ? CORM_NO_MEMORY : corm_pg_parameters_reserve(&statement->parameters, batch->parameter_count);
    if (status == CORM_OK && batch->rows > 0 && batch->may_wait && batch->rows <= MOST_ROWS_LEFT) {
        bool as_arrays;
        status = prepare_to_leave(statement, batch, values, &as_arrays);
        status = status == CORM_OK ? leave_batch(statement, batch, values, as_arrays) : status;
    } else if (status == CORM_OK && batch->rows > 0) {
        status = corm_pg_settle(statement->connection, true);
        status = status == CORM_OK ? run_batch(statement, batch, values) : status;
    }
    corm_free(values);
    return status;
}
