/*
 * Many rows by one INSERT: each parameter becomes an array of all rows' values, and the statement selects from the arrays
 * in the rows' order (postgresql_arrays_text.c).
 *
 * The server evaluates what numbers the rows after it sorted them, so that the n-th key in the sequence's order is the
 * n-th row's; a RETURNING clause by itself promises no order. What else the clause returns comes beside the key. Where the
 * program gives the keys, the statement returns them too, and they are compared. Values that look at no row (nextval(),
 * now()) stand in the SELECT likewise. Other statements are not taken.
 *
 * The rows of a failed run are undone to a savepoint and sent one by one, so that the error names the row. Where the
 * answer is left in an open pipeline, postgresql_batch.c does so with all that was sent behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "driver/postgresql_private.h"

enum { FEWEST_ROWS = 8, MOST_ROWS = 4096, MOST_BYTES = 1 << 22, HEADER_SIZE = 20 };

struct corm_pg_arrays {
    corm_driver_statement *insert; /* the statement of arrays */
    size_t count;                  /* of parameters */
    Oid *types;
    corm_text *columns;   /* arrays under way */
    size_t witness;       /* 1 + the parameter that comes back in a last column, to say whose row it is; 0: none */
    bool pending;         /* its values are still needed: the answer was not taken */
    corm_value *returned; /* of one row */
    size_t returned_capacity;
    bool returns;
    bool trusted; /* a first run gave its keys in the rows' order: nothing in the table upsets it */
};

/* ---- the statement ---- */

void corm_pg_arrays_free(corm_pg_arrays *arrays) {
    if (arrays == NULL) {
        return;
    }
    for (size_t i = 0; i < arrays->count && arrays->columns != NULL; i++) {
        corm_text_clear(&arrays->columns[i]);
    }
    corm_pg_finalize(arrays->insert);
    corm_free(arrays->columns);
    corm_free(arrays->returned);
    corm_free(arrays->types);
    corm_free(arrays);
}

static corm_status arrays_new(corm_driver_statement *statement, const corm_batch *batch, corm_pg_arrays **out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_pg_arrays *arrays = corm_calloc(1, sizeof *arrays);
    *out = NULL;
    if (arrays == NULL) {
        return CORM_NO_MEMORY;
    }
    arrays->count = statement->parameter_count;
    arrays->witness = batch->wants_keys ? 0 : batch->unique;
    arrays->types = corm_calloc(arrays->count + 1, sizeof *arrays->types);
    arrays->columns = corm_calloc(arrays->count + 1, sizeof *arrays->columns);
    corm_status status =
        arrays->types == NULL || arrays->columns == NULL
            ? CORM_NO_MEMORY
            : corm_pg_arrays_rewrite(statement, arrays->types, &arrays->returns, &arrays->witness, &sql);
    if (status == CORM_OK && sql.size > 0) {
        status = corm_pg_prepare(statement->connection, sql.data, sql.size, &arrays->insert);
    }
    corm_text_clear(&sql);
    if (status != CORM_OK || arrays->insert == NULL) {
        corm_pg_arrays_free(arrays);
        return status;
    }
    *out = arrays;
    return CORM_OK;
}

static bool is_whole(Oid type) {
    return type == OID_INT2 || type == OID_INT4 || type == OID_INT8;
}

/* The statement of arrays, prepared; *out NULL: the statement has none. */
static corm_status find_arrays(corm_driver_statement *statement, const corm_batch *batch, corm_pg_arrays **out) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = CORM_OK;
    *out = NULL;
    if (statement->has_no_arrays || !connection->prepares || statement->parameter_count == 0) {
        return CORM_OK;
    }
    if (statement->arrays == NULL) {
        status = arrays_new(statement, batch, &statement->arrays);
    }
    corm_pg_arrays *arrays = statement->arrays;
    if (status == CORM_OK && arrays != NULL && corm_pg_wants_preparing(arrays->insert)) {
        status = corm_pg_prepare_now(arrays->insert);
    }
    bool numbered = arrays != NULL && arrays->returns && arrays->witness == 0;
    if (status == CORM_OK && (arrays == NULL || (numbered && !is_whole(arrays->insert->first_column)))) {
        statement->has_no_arrays = true;
        return CORM_OK;
    }
    /* A key that no sequence gives says nothing of its row. */
    bool told =
        arrays != NULL && (!arrays->returns || (numbered ? batch->wants_keys : batch->unique == arrays->witness));
    *out = status == CORM_OK && told ? arrays : NULL;
    return status;
}

/* ---- arrays ---- */

static void append_number(corm_text *out, uint32_t number) {
    char bytes[4] = {(char)(number >> 24), (char)(number >> 16), (char)(number >> 8), (char)number};
    corm_text_append_bytes(out, bytes, sizeof bytes);
}

/* Dimensions, whether there are NULLs, the elements' type; then of the one dimension its size and first index. */
static void open_arrays(corm_pg_arrays *arrays) {
    for (size_t i = 0; i < arrays->count; i++) {
        corm_text *column = &arrays->columns[i];
        corm_text_truncate(column, 0);
        append_number(column, 1);
        append_number(column, 1);
        append_number(column, arrays->types[i]);
        append_number(column, 0); /* the size: see close_arrays() */
        append_number(column, 1);
    }
}

static void close_arrays(corm_pg_arrays *arrays, size_t rows) {
    corm_pg_parameters *parameters = &arrays->insert->parameters;
    for (size_t i = 0; i < arrays->count; i++) {
        corm_text *column = &arrays->columns[i];
        char size[4] = {(char)(rows >> 24), (char)(rows >> 16), (char)(rows >> 8), (char)rows};
        memcpy(column->data + HEADER_SIZE - 8, size, sizeof size);
        parameters->values[i] = column->data;
        parameters->lengths[i] = (int)column->size;
        parameters->formats[i] = 1;
    }
}

/* Append a row's values; false: one has no binary form of its column's type. */
static bool append_row(corm_pg_arrays *arrays, const corm_pg_parameters *row) {
    for (size_t i = 0; i < arrays->count; i++) {
        if (row->values[i] != NULL && row->formats[i] == 0 && arrays->types[i] != OID_TEXT) {
            return false;
        }
    }
    for (size_t i = 0; i < arrays->count; i++) {
        corm_text *column = &arrays->columns[i];
        if (row->values[i] == NULL) {
            append_number(column, UINT32_MAX);
            continue;
        }
        size_t size = row->formats[i] == 0 ? strlen(row->values[i]) : (size_t)row->lengths[i];
        append_number(column, (uint32_t)size);
        corm_text_append_bytes(column, row->values[i], size);
    }
    return true;
}

static size_t bytes_of(const corm_pg_arrays *arrays) {
    size_t bytes = 0;
    for (size_t i = 0; i < arrays->count; i++) {
        bytes += arrays->columns[i].size;
    }
    return bytes;
}

/* Fill the arrays from a row on; *rows: how many went in. */
static corm_status fill(corm_pg_arrays *arrays, corm_driver_statement *statement, const corm_batch *batch, size_t first,
                        corm_value *values, size_t *rows) {
    corm_status status = CORM_OK;
    *rows = 0;
    open_arrays(arrays);
    while (status == CORM_OK && first + *rows < batch->rows && *rows < MOST_ROWS && bytes_of(arrays) < MOST_BYTES) {
        status = batch->bind(batch->context, first + *rows, values, batch->parameter_count);
        if (status == CORM_OK) {
            status = corm_pg_parameters_set(&statement->parameters, arrays->types, values, arrays->count);
        }
        if (status != CORM_OK || !append_row(arrays, &statement->parameters)) {
            break;
        }
        ++*rows;
    }
    for (size_t i = 0; i < arrays->count && status == CORM_OK; i++) {
        status = corm_text_status(&arrays->columns[i]);
    }
    if (status == CORM_OK) {
        status = corm_pg_parameters_reserve(&arrays->insert->parameters, arrays->count);
    }
    if (status == CORM_OK) {
        close_arrays(arrays, *rows);
    }
    return status;
}

/* ---- running ---- */

static corm_status send_command(corm_driver_connection *connection, const char *sql) {
    return PQsendQueryParams(connection->native, sql, 0, NULL, NULL, NULL, NULL, 0) == 0 ? corm_pg_fail(connection)
                                                                                         : CORM_OK;
}

/* SAVEPOINT, INSERT and RELEASE in one round trip; the first time the savepoint stays until the keys were looked at. */
static corm_status run_arrays(corm_pg_arrays *arrays) {
    corm_driver_connection *connection = arrays->insert->connection;
    size_t answers = 1;
    corm_status status = corm_pg_pipeline_begin(connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_pg_send_begin(connection, &answers);
    if (status == CORM_OK) {
        status = send_command(connection, "SAVEPOINT corm_rows");
    }
    if (status == CORM_OK) {
        status = corm_pg_send_execute(arrays->insert);
    }
    if (status == CORM_OK && arrays->trusted) {
        status = send_command(connection, "RELEASE SAVEPOINT corm_rows");
    }
    if (status == CORM_OK) {
        status = corm_pg_pipeline_sync(connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_results(arrays->insert);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, arrays->trusted);
    }
    return corm_pg_pipeline_end(connection, status);
}

static corm_status reserve_returned(corm_pg_arrays *arrays) {
    size_t columns = arrays->insert->columns;
    if (columns <= arrays->returned_capacity) {
        return CORM_OK;
    }
    corm_value *grown = corm_realloc_array(arrays->returned, columns, sizeof *grown);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    arrays->returned = grown;
    arrays->returned_capacity = columns;
    return CORM_OK;
}

static bool same_bytes(const corm_value *value, const char *bytes, size_t size) {
    return value->as.text.size == size && memcmp(value->as.text.data, bytes, size) == 0;
}

/* The same digits, whatever hyphens stand between them. */
static bool same_uuid(const corm_value *value, const char *bytes, size_t size) {
    size_t at = 0;
    for (size_t i = 0; i < value->as.text.size; i++) {
        if (value->as.text.data[i] == '-') {
            continue;
        }
        at += at < size && bytes[at] == '-';
        if (at >= size || bytes[at++] != value->as.text.data[i]) {
            return false;
        }
    }
    return at == size;
}

/* Is a value that came back the one that was sent as an element of the type? */
static bool is_same(const corm_value *value, Oid type, const char *bytes, size_t size) {
    uint64_t number = 0;
    switch (type) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        for (size_t i = 0; i < size; i++) {
            number = number << 8 | (unsigned char)bytes[i];
        }
        return value->kind == CORM_KIND_INTEGER && size > 0 && size <= sizeof number &&
               ((uint64_t)value->as.integer ^ number) << (64 - 8 * size) == 0;
    case OID_TEXT:
        return value->kind == CORM_KIND_TEXT &&
               (value->form == CORM_FORM_UUID ? same_uuid(value, bytes, size) : same_bytes(value, bytes, size));
    case OID_BYTEA:
        return value->kind == CORM_KIND_BYTES && same_bytes(value, bytes, size);
    default:
        return false;
    }
}

/* Whether each row gave back the witness that was sent with the row at its place. */
static corm_status compare_witnesses(corm_pg_arrays *arrays, size_t rows, bool *in_order) {
    corm_driver_statement *insert = arrays->insert;
    const corm_text *sent = &arrays->columns[arrays->witness - 1];
    size_t at = HEADER_SIZE;
    corm_status status = reserve_returned(arrays);
    *in_order = insert->rows >= 0 && (size_t)insert->rows == rows;
    for (size_t i = 0; *in_order && i < rows && status == CORM_OK; i++) {
        uint32_t size = 0;
        for (size_t byte = 0; byte < sizeof size; byte++) {
            size = size << 8 | (unsigned char)sent->data[at++];
        }
        insert->row = (int)i;
        status = corm_pg_row(insert, arrays->returned, insert->columns);
        *in_order =
            status == CORM_OK && size != UINT32_MAX &&
            is_same(&arrays->returned[insert->columns - 1], arrays->types[arrays->witness - 1], sent->data + at, size);
        at += size;
    }
    return status;
}

/* Whether the keys that came, in the first column, are what a sequence gives to rows in their order. */
static corm_status read_keys(corm_pg_arrays *arrays, size_t rows, bool *in_order) {
    corm_driver_statement *insert = arrays->insert;
    corm_status status = CORM_OK;
    bool rising = true, falling = true;
    int64_t before = 0;
    if (arrays->witness != 0) {
        return compare_witnesses(arrays, rows, in_order);
    }
    *in_order = insert->rows >= 0 && (size_t)insert->rows == rows;
    for (size_t i = 0; *in_order && i < rows && status == CORM_OK; i++) {
        corm_value value = CORM_NULL_VALUE;
        insert->row = (int)i;
        status = corm_pg_row(insert, &value, 1);
        *in_order = value.kind == CORM_KIND_INTEGER;
        rising = rising && (i == 0 || before < value.as.integer);
        falling = falling && (i == 0 || before > value.as.integer);
        before = value.as.integer;
    }
    *in_order = *in_order && (rising || falling);
    return status;
}

static corm_status tell_rows(corm_pg_arrays *arrays, const corm_batch *batch, size_t first, size_t rows) {
    corm_driver_statement *insert = arrays->insert;
    int64_t changed = insert->changed; /* what a trigger left out is not known by row: shares that add up */
    size_t columns = arrays->returns ? insert->columns - (arrays->witness != 0) : 0;
    corm_status status = reserve_returned(arrays);
    for (size_t i = 0; i < rows && batch->result != NULL && status == CORM_OK; i++) {
        int64_t share = changed > (int64_t)i;
        insert->row = (int)i;
        status = columns == 0 ? CORM_OK : corm_pg_row(insert, arrays->returned, insert->columns);
        if (status == CORM_OK) {
            status =
                batch->result(batch->context, first + i, 0, share, columns == 0 ? NULL : arrays->returned, columns);
        }
    }
    return status;
}

/* Is it the server that refused the rows, so that asking row by row says which one? */
static bool is_refused(const corm_driver_connection *connection, corm_status status) {
    return !connection->broken && corm_error_last()->sqlstate[0] != '\0' && status != CORM_INTERRUPTED &&
           status != CORM_NO_MEMORY;
}

static corm_status out_of_order(size_t rows) {
    return corm_error_set(CORM_FLUSH_ERROR,
                          "the keys of %zu new rows cannot be told: the table does not number them in their order, or "
                          "left some out",
                          rows);
}

/* A first run in which the keys were in order ends its savepoint; one in which they were not is undone, and the
 * statement is never tried again. Later there is no way back. */
static corm_status judge(corm_pg_arrays *arrays, corm_driver_statement *statement, bool in_order, size_t *rows) {
    corm_driver_connection *connection = statement->connection;
    if (in_order && !arrays->trusted) {
        arrays->trusted = true;
        return corm_pg_run(connection, "RELEASE SAVEPOINT corm_rows");
    }
    if (!in_order && !arrays->trusted) {
        *rows = 0;
        statement->has_no_arrays = true;
        return corm_pg_run(connection, "ROLLBACK TO SAVEPOINT corm_rows");
    }
    return in_order ? CORM_OK : out_of_order(*rows);
}

/* Run the next rows; *rows 0: they have to be sent one by one. */
static corm_status run_some(corm_pg_arrays *arrays, corm_driver_statement *statement, const corm_batch *batch,
                            size_t first, corm_value *values, size_t *rows) {
    bool in_order = true;
    corm_status status = fill(arrays, statement, batch, first, values, rows);
    if (status != CORM_OK || *rows < FEWEST_ROWS) {
        *rows = 0;
        return status;
    }
    status = run_arrays(arrays);
    if (status != CORM_OK && is_refused(statement->connection, status)) {
        *rows = 0;
        return corm_pg_run(statement->connection, "ROLLBACK TO SAVEPOINT corm_rows");
    }
    if (status == CORM_OK && arrays->returns) {
        status = read_keys(arrays, *rows, &in_order);
    }
    if (status == CORM_OK) {
        status = judge(arrays, statement, in_order, rows);
    }
    return status == CORM_OK ? tell_rows(arrays, batch, first, *rows) : status;
}

/* ---- one run behind the other ---- */

static corm_status send_savepoint(corm_driver_connection *connection, const char *verb, uint64_t number) {
    char sql[64];
    snprintf(sql, sizeof sql, "%s corm_rows_%llu", verb, (unsigned long long)number);
    return send_command(connection, sql);
}

/* Rows that were sent together, behind a savepoint. */
typedef struct array_run {
    size_t first, rows;
    uint64_t savepoint;
} array_run;

/* Fill the arrays from a row on, and send them; rows 0: there are none that can go so. */
static corm_status send_run(corm_pg_arrays *arrays, corm_driver_statement *statement, const corm_batch *batch,
                            corm_value *values, array_run *run) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = fill(arrays, statement, batch, run->first, values, &run->rows);
    if (status != CORM_OK || run->rows < FEWEST_ROWS) {
        run->rows = 0;
        return status;
    }
    run->savepoint = ++connection->last_name;
    status = send_savepoint(connection, "SAVEPOINT", run->savepoint);
    if (status == CORM_OK) {
        status = corm_pg_send_execute(arrays->insert);
    }
    if (status == CORM_OK) {
        status = send_savepoint(connection, "RELEASE SAVEPOINT", run->savepoint);
    }
    if (status == CORM_OK && run->first + run->rows == batch->rows) {
        status = corm_pg_pipeline_sync(connection);
    } else if (status == CORM_OK && PQsendFlushRequest(connection->native) == 0) {
        status = corm_pg_fail(connection);
    }
    return status == CORM_OK ? corm_pg_flush(connection) : status;
}

static corm_status take_run(corm_pg_arrays *arrays, const corm_batch *batch, const array_run *run, bool *refused) {
    corm_driver_connection *connection = arrays->insert->connection;
    bool in_order = true;
    corm_status status = corm_pg_take_answers(connection, 1);
    if (status == CORM_OK) {
        status = corm_pg_take_results(arrays->insert);
        *refused = status != CORM_OK && is_refused(connection, status);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, 1);
    }
    if (status == CORM_OK && arrays->returns) {
        status = read_keys(arrays, run->rows, &in_order);
    }
    if (status == CORM_OK && !in_order) {
        status = out_of_order(run->rows);
    }
    return status == CORM_OK ? tell_rows(arrays, batch, run->first, run->rows) : status;
}

/* Not before the keys' order is trusted, nor where what was sent is still compared with what comes. */
static bool overlaps(const corm_pg_arrays *arrays) {
    return arrays->trusted && arrays->witness == 0;
}

/* The server works on a run while the next one is filled. *done grows by the rows that are told; those behind a run that
 * was refused were not written. */
static corm_status run_overlapped(corm_pg_arrays *arrays, corm_driver_statement *statement, const corm_batch *batch,
                                  corm_value *values, size_t *done) {
    corm_driver_connection *connection = statement->connection;
    array_run before = {.first = *done}, next = before;
    size_t answers = 0;
    bool refused = false;
    corm_status status = corm_pg_pipeline_begin(connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_pg_send_begin(connection, &answers);
    while (status == CORM_OK) {
        next = (array_run){.first = before.first + before.rows};
        if (next.first < batch->rows) {
            status = send_run(arrays, statement, batch, values, &next);
        }
        if (status == CORM_OK && before.rows > 0) {
            status = corm_pg_take_answers(connection, answers);
            answers = 0;
            status = status == CORM_OK ? take_run(arrays, batch, &before, &refused) : status;
            *done += status == CORM_OK ? before.rows : 0;
        }
        if (status != CORM_OK || next.rows == 0) {
            break;
        }
        before = next;
    }
    if (status == CORM_OK && connection->syncs == 0 && *done < batch->rows) {
        status = corm_pg_pipeline_sync(connection); /* rows that do not go as arrays come next */
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers);
    }
    status = corm_pg_pipeline_end(connection, status);
    if (!refused || connection->broken) {
        return status;
    }
    char sql[64];
    snprintf(sql, sizeof sql, "ROLLBACK TO SAVEPOINT corm_rows_%llu", (unsigned long long)before.savepoint);
    corm_error_clear();
    return corm_pg_run(connection, sql);
}

corm_status corm_pg_insert_arrays(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                                  size_t *done) {
    corm_driver_connection *connection = statement->connection;
    PGTransactionStatusType state = PQtransactionStatus(connection->native);
    corm_pg_arrays *arrays = NULL;
    *done = 0;
    if (batch->rows < FEWEST_ROWS || !(connection->begins || state == PQTRANS_INTRANS)) {
        return CORM_OK; /* outside of a transaction there are no savepoints */
    }
    corm_status status = find_arrays(statement, batch, &arrays);
    if (arrays == NULL) {
        return status;
    }
    for (size_t rows = 1; status == CORM_OK && rows > 0 && *done < batch->rows && !overlaps(arrays); *done += rows) {
        status = run_some(arrays, statement, batch, *done, values, &rows);
    }
    if (status == CORM_OK && *done < batch->rows && overlaps(arrays)) {
        status = run_overlapped(arrays, statement, batch, values, done);
    }
    corm_pg_reset(arrays->insert);
    return status;
}

/* ---- in an open pipeline ---- */

static bool is_inside(const corm_driver_connection *connection) {
    return connection->left_count > 0
               ? connection->left_inside
               : connection->begins || PQtransactionStatus(connection->native) == PQTRANS_INTRANS;
}

corm_status corm_pg_arrays_ready(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                                 bool *ready) {
    corm_driver_connection *connection = statement->connection;
    corm_pg_arrays *arrays = NULL;
    size_t rows = 0;
    *ready = false;
    if (batch->rows < FEWEST_ROWS || batch->rows > MOST_ROWS || !is_inside(connection)) {
        return CORM_OK;
    }
    bool is_new =
        statement->arrays == NULL || statement->arrays->pending || corm_pg_wants_preparing(statement->arrays->insert);
    corm_status status = is_new && !statement->has_no_arrays ? corm_pg_settle(connection, true) : CORM_OK;
    if (status == CORM_OK) {
        status = find_arrays(statement, batch, &arrays);
    }
    if (status == CORM_OK && arrays != NULL) {
        status = fill(arrays, statement, batch, 0, values, &rows);
        *ready = status == CORM_OK && rows == batch->rows;
    }
    return status;
}

corm_status corm_pg_arrays_leave(corm_driver_statement *statement, corm_pg_left *left) {
    corm_driver_connection *connection = statement->connection;
    left->savepoint = ++connection->last_name;
    left->released = statement->arrays->trusted;
    statement->arrays->pending = statement->arrays->witness != 0;
    corm_status status = send_savepoint(connection, "SAVEPOINT", left->savepoint);
    if (status == CORM_OK) {
        status = corm_pg_send_execute(statement->arrays->insert);
    }
    if (status == CORM_OK && left->released) {
        status = send_savepoint(connection, "RELEASE SAVEPOINT", left->savepoint);
    }
    return status;
}

/* Keys that came in order the first time are trusted from then on; the savepoint stays until the transaction's end. */
static corm_status take_keys(corm_driver_statement *statement, const corm_pg_left *left, bool *undo) {
    corm_pg_arrays *arrays = statement->arrays;
    bool in_order = true;
    corm_status status = arrays->returns ? read_keys(arrays, left->count, &in_order) : CORM_OK;
    if (status == CORM_OK && !in_order && left->released) {
        return out_of_order(left->count);
    }
    if (status == CORM_OK) {
        *undo = !in_order;
        statement->has_no_arrays = !in_order;
        arrays->trusted = in_order;
    }
    return status;
}

corm_status corm_pg_arrays_take(const corm_pg_left *left, bool *undo) {
    corm_driver_statement *insert = left->statement->arrays->insert;
    corm_driver_connection *connection = insert->connection;
    *undo = false;
    corm_status status = corm_pg_take_answers(connection, 1);
    if (status == CORM_OK) {
        status = corm_pg_take_results(insert);
        *undo = status != CORM_OK && is_refused(connection, status);
    }
    if (status == CORM_OK && left->released) {
        status = corm_pg_take_answers(connection, 1);
    }
    if (status == CORM_OK) {
        status = take_keys(left->statement, left, undo);
    }
    if (status == CORM_OK && !*undo) {
        status = tell_rows(left->statement->arrays, left->batch, 0, left->count);
    }
    left->statement->arrays->pending = false;
    corm_error reason;
    corm_error_take(&reason);
    corm_pg_reset(insert);
    corm_error_restore(&reason);
    return *undo ? CORM_OK : status;
}
