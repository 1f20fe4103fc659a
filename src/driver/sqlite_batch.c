/*
 * Batches of SQLite: one prepared statement, a row at a time; of plain INSERTs many rows at a time.
 *
 * Beginning and ending a statement costs SQLite more than the row it writes, so rows of an INSERT are written ROWS_AT_ONCE
 * with one statement. Their generated keys follow from the rule of sqlite.org/autoinc.html, that a row gets one more than
 * the largest key there is: after a first row that was written alone, each has the next integer, and SQLite's last key says
 * whether that came true. Where a trigger could interfere, and near the largest integer, rows go one by one
 * (docs/decisions/0012-rows-at-once-on-sqlite.md).
 *
 * A statement that breaks a constraint has written nothing. Its rows are then written one by one, and the one that is
 * wrong tells so.
 */
#include <string.h>

#include "base/alloc.h"
#include "driver/sqlite_private.h"

enum { ROWS_AT_ONCE = 64, FEWEST_ROWS_AT_ONCE = 8 };
/* Below this, there is always a next integer. */
static const int64_t largest_followed_key = INT64_MAX / 2;

/* Room for a row of a batch. */
typedef struct batch_room {
    corm_value *values;
    corm_value *returned; /* columns of the result */
} batch_room;

/* ---- one by one ---- */

/* The statement is reset before its values go away. *key: the generated one. */
static corm_status run_row(corm_driver_statement *statement, const corm_batch *batch, size_t row, batch_room *room,
                           int64_t *key) {
    sqlite3 *database = statement->connection->database;
    bool has_row = false;
    corm_status status = batch->bind(batch->context, row, room->values, batch->parameter_count);
    for (size_t i = 0; i < batch->parameter_count && status == CORM_OK; i++) {
        status = corm_sqlite_bind(statement->connection, statement->statement, (int)i + 1, &room->values[i], true);
    }
    if (status == CORM_OK) {
        status = corm_sqlite_step(statement, &has_row);
    }
    bool returns = has_row;
    *key = sqlite3_last_insert_rowid(database);
    if (status == CORM_OK && has_row) {
        status = corm_sqlite_row(statement, room->returned, statement->columns);
        if (status == CORM_OK && batch->result != NULL) {
            status = batch->result(batch->context, row, *key, 1, room->returned, statement->columns);
        }
        while (status == CORM_OK && has_row) {
            status = corm_sqlite_step(statement, &has_row);
        }
    }
    if (status == CORM_OK && !returns && batch->result != NULL) {
        status = batch->result(batch->context, row, *key, statement->changed, NULL, 0);
    }
    sqlite3_reset(statement->statement);
    return status;
}

/* ---- several at once ---- */

/* Whether the rows of an INSERT get consecutive keys: its program (sqlite.org/opcode.html) asks for new keys, and neither
 * runs a trigger, nor deletes what is in the way, nor leaves the work to a virtual table. */
static corm_status find_rule(corm_driver_connection *connection, const char *sql, bool *consecutive) {
    static const char *const interfering[] = {"Program", "Delete", "VUpdate"};
    enum { OPCODE_COLUMN = 1 };
    corm_text text = CORM_TEXT_EMPTY;
    sqlite3_stmt *program = NULL;
    bool numbered = false, disturbed = false;
    corm_text_append(&text, "EXPLAIN ");
    corm_text_append(&text, sql);
    corm_status status = corm_text_status(&text);
    if (status == CORM_OK) {
        status = corm_sqlite_prepare(connection, text.data, text.size, &program);
    }
    int code = SQLITE_DONE;
    while (status == CORM_OK && (code = sqlite3_step(program)) == SQLITE_ROW) {
        const char *opcode = (const char *)sqlite3_column_text(program, OPCODE_COLUMN);
        numbered = numbered || (opcode != NULL && strcmp(opcode, "NewRowid") == 0);
        for (size_t i = 0; i < sizeof interfering / sizeof *interfering; i++) {
            disturbed = disturbed || opcode == NULL || strcmp(opcode, interfering[i]) == 0;
        }
    }
    if (status == CORM_OK && code != SQLITE_DONE) {
        status = corm_sqlite_fail(connection, code);
    }
    sqlite3_finalize(program);
    corm_text_clear(&text);
    *consecutive = numbered && !disturbed;
    return status;
}

/* The INSERT of many rows, made of that of one. */
static corm_status make_several(corm_driver_statement *statement, const corm_batch *batch) {
    corm_driver_connection *connection = statement->connection;
    corm_sqlite_several *several = &statement->several;
    const char *sql = sqlite3_sql(statement->statement), *row = sql + batch->row.at;
    corm_text text = CORM_TEXT_EMPTY;
    corm_text_append_bytes(&text, sql, batch->row.at);
    for (size_t i = 0; i < several->rows; i++) {
        corm_text_append(&text, i == 0 ? "" : ", ");
        corm_text_append_bytes(&text, row, batch->row.size);
    }
    corm_text_append(&text, row + batch->row.size);
    corm_status status = corm_text_status(&text);
    if (status == CORM_OK) {
        status = corm_sqlite_prepare(connection, text.data, text.size, &several->statement);
    }
    corm_text_clear(&text);
    return status;
}

/* Ready the statement of many rows, if there can be one. What is known of it holds until the schema changes. */
static corm_status find_several(corm_driver_statement *statement, const corm_batch *batch, bool *found) {
    corm_sqlite_several *several = &statement->several;
    int version = sqlite3_stmt_status(statement->statement, SQLITE_STMTSTATUS_REPREPARE, 0);
    corm_status status = CORM_OK;
    *found = false;
    if (several->rows == 0) {
        size_t limit = corm_sqlite_parameter_limit(statement->connection) / batch->parameter_count;
        several->rows = limit < ROWS_AT_ONCE ? limit : ROWS_AT_ONCE;
    }
    if (several->rows < FEWEST_ROWS_AT_ONCE) {
        return CORM_OK;
    }
    if (several->statement == NULL || several->version != version) {
        status = find_rule(statement->connection, sqlite3_sql(statement->statement), &several->consecutive);
        several->version = version;
    }
    if (status == CORM_OK && several->statement == NULL) {
        status = make_several(statement, batch);
    }
    *found = status == CORM_OK && (!batch->wants_keys || several->consecutive);
    return status;
}

static corm_status bind_several(corm_driver_connection *connection, const corm_batch *batch, size_t first,
                                const corm_sqlite_several *several, corm_value *values) {
    corm_status status = CORM_OK;
    int index = 1;
    for (size_t row = first; row < first + several->rows && status == CORM_OK; row++) {
        status = batch->bind(batch->context, row, values, batch->parameter_count);
        for (size_t i = 0; i < batch->parameter_count && status == CORM_OK; i++) {
            status = corm_sqlite_bind(connection, several->statement, index++, &values[i], batch->row.keeps_values);
        }
    }
    return status;
}

/* key: the row's before these, then the last one's. */
static corm_status check_keys(const corm_driver_connection *connection, const corm_batch *batch, size_t rows,
                              int64_t *key) {
    int64_t written = sqlite3_changes64(connection->database), last = sqlite3_last_insert_rowid(connection->database);
    if (batch->wants_keys && (written != (int64_t)rows || last != *key + (int64_t)rows)) {
        return corm_error_set(CORM_FLUSH_ERROR,
                              "an INSERT of %zu rows after key %lld wrote %lld, the last with key %lld: an ON CONFLICT "
                              "clause of the table keeps rows out, so that their keys are not known",
                              rows, (long long)*key, (long long)written, (long long)last);
    }
    *key = last;
    return CORM_OK;
}

/* *again: nothing was written, and the rows are to be written one by one. */
static corm_status write_several(corm_driver_statement *statement, const corm_batch *batch, size_t first,
                                 corm_value *values, int64_t *key, bool *again) {
    corm_driver_connection *connection = statement->connection;
    const corm_sqlite_several *several = &statement->several;
    int64_t before = sqlite3_total_changes64(connection->database), key_before = *key;
    corm_status status = bind_several(connection, batch, first, several, values);
    if (status != CORM_OK) {
        sqlite3_reset(several->statement);
        return status;
    }
    int code = sqlite3_step(several->statement);
    status =
        code == SQLITE_DONE ? check_keys(connection, batch, several->rows, key) : corm_sqlite_fail(connection, code);
    sqlite3_reset(several->statement);
    *again = status == CORM_INTEGRITY_ERROR && !sqlite3_get_autocommit(connection->database) &&
             sqlite3_total_changes64(connection->database) == before;
    for (size_t i = 0; i < several->rows && status == CORM_OK && batch->result != NULL; i++) {
        int64_t generated = batch->wants_keys ? key_before + 1 + (int64_t)i : i + 1 == several->rows ? *key : 0;
        status = batch->result(batch->context, first + i, generated, 1, NULL, 0);
    }
    return status;
}

/* Rows from *next on. key: that of the row before. */
static corm_status run_groups(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                              int64_t key, size_t *next) {
    corm_sqlite_several *several = &statement->several;
    bool found, again = false;
    corm_status status = find_several(statement, batch, &found);
    while (status == CORM_OK && found && batch->rows - *next >= several->rows) {
        status = write_several(statement, batch, *next, values, &key, &again);
        *next += status == CORM_OK ? several->rows : 0;
    }
    if (again) {
        corm_error_clear();
        status = CORM_OK;
    }
    if (several->statement != NULL) {
        sqlite3_clear_bindings(several->statement);
    }
    return status;
}

/* ---- batches ---- */

corm_status corm_sqlite_execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    if (batch->parameter_count != corm_sqlite_parameter_count(statement)) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "Incorrect number of bindings supplied. The current statement uses %zu, and there are "
                              "%zu supplied.",
                              corm_sqlite_parameter_count(statement), batch->parameter_count);
    }
    batch_room room;
    room.values = corm_calloc(batch->parameter_count + statement->columns, sizeof *room.values);
    if (room.values == NULL) {
        return CORM_NO_MEMORY;
    }
    room.returned = room.values + batch->parameter_count;
    corm_status status = CORM_OK;
    int64_t key = 0;
    bool groups = batch->row.size > 0 && statement->columns == 0 && batch->rows > FEWEST_ROWS_AT_ONCE;
    for (size_t row = 0; row < batch->rows && status == CORM_OK; row++) {
        status = run_row(statement, batch, row, &room, &key);
        if (row == 0 && groups && status == CORM_OK && key < largest_followed_key) {
            size_t next = 1;
            status = run_groups(statement, batch, room.values, key, &next);
            row = next - 1;
        }
    }
    /* The error, if any, is in the thread already: resetting says it once more and does not count. */
    sqlite3_reset(statement->statement);
    sqlite3_clear_bindings(statement->statement);
    corm_free(room.values);
    return status;
}
