/*
 * Batches of MariaDB and MySQL.
 *
 * MariaDB takes the values of many rows with one execution: arrays, a column each. The server runs the statement for one
 * row after the other, so that each key it numbers is higher than the last: the rows of an INSERT ... RETURNING are told
 * apart by that, and by nothing else. How many rows were changed it tells for all together. A run of rows goes out as one
 * execution as long as each column keeps its type; it is bounded in rows and in bytes, well within max_allowed_packet.
 *
 * Where there are no arrays, or an INSERT without RETURNING has to tell its keys, rows go several to a VALUES list. The
 * answer has the first key; the others follow it in steps of auto_increment_increment, which InnoDB promises for an INSERT
 * whose number of rows is known beforehand, unless innodb_autoinc_lock_mode is 2. So much is asked for first, once a batch.
 *
 * What remains goes row by row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/text.h"
#include "driver/mysql_private.h"

enum { MOST_ROWS = 4096, MOST_BYTES = 1 << 20 };

/* ---- row by row ---- */

/* Room for the values of a row that is bound, and of one that is returned. */
typedef struct row_values {
    corm_value *bound, *returned;
    size_t room; /* of returned */
} row_values;

/* What a statement returns is known when it was executed. */
static corm_status make_room(row_values *values, const corm_driver_statement *statement) {
    if (statement->columns <= values->room) {
        return CORM_OK;
    }
    corm_value *grown = corm_realloc_array(values->returned, statement->columns, sizeof *grown);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    values->returned = grown;
    values->room = statement->columns;
    return CORM_OK;
}

static corm_status run_row(corm_driver_statement *statement, const corm_batch *batch, size_t row, row_values *values) {
    bool has_row = false;
    corm_status status = batch->bind(batch->context, row, values->bound, batch->parameter_count);
    if (status == CORM_OK) {
        status = corm_mysql_bind(statement, values->bound, batch->parameter_count);
    }
    if (status == CORM_OK) {
        status = corm_mysql_execute(statement, &has_row);
    }
    if (status == CORM_OK && has_row) {
        status = make_room(values, statement);
        status = status == CORM_OK ? corm_mysql_row(statement, values->returned, statement->columns) : status;
    }
    if (status == CORM_OK && batch->result != NULL) {
        int64_t changed = statement->columns > 0 ? (int64_t)has_row : statement->changed;
        status = batch->result(batch->context, row, (int64_t)statement->connection->generated, changed,
                               has_row ? values->returned : NULL, has_row ? statement->columns : 0);
    }
    corm_mysql_reset(statement);
    return status;
}

/* ---- arrays ---- */

/* One parameter's values of all rows of a run. Text, bytes and times are pointers into the run's memory. */
typedef struct value_array {
    bool typed;
    enum enum_field_types type; /* once a value was there that is not NULL */
    union array_item {
        int64_t integer;
        double real;
        void *pointer;
    } * items;
    unsigned long *lengths;
    char *indicators;
} value_array;

typedef struct run {
    corm_driver_statement *statement;
    const corm_batch *batch;
    value_array *arrays; /* by parameter */
    size_t room;         /* rows that the arrays have room for */
    size_t rows, bytes;
    corm_arena memory;
    size_t key; /* the column that the server numbers, among those that are returned; their count: none */
} run;

static void run_clear(run *self) {
    for (size_t i = 0; self->arrays != NULL && i < self->batch->parameter_count; i++) {
        corm_free(self->arrays[i].items);
        corm_free(self->arrays[i].lengths);
        corm_free(self->arrays[i].indicators);
    }
    corm_free(self->arrays);
    corm_arena_clear(&self->memory);
}

static corm_status make_arrays(run *self) {
    size_t count = self->batch->parameter_count;
    self->room = self->batch->rows < MOST_ROWS ? self->batch->rows : MOST_ROWS;
    self->arrays = corm_calloc(count, sizeof *self->arrays);
    if (self->arrays == NULL) {
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        value_array *array = &self->arrays[i];
        array->items = corm_alloc_array(self->room, sizeof *array->items);
        array->lengths = corm_alloc_array(self->room, sizeof *array->lengths);
        array->indicators = corm_alloc(self->room);
        if (array->items == NULL || array->lengths == NULL || array->indicators == NULL) {
            return CORM_NO_MEMORY;
        }
    }
    return CORM_OK;
}

/* What a run is before its first row. */
static void begin_run(run *self) {
    self->rows = self->bytes = 0;
    corm_arena_clear(&self->memory);
    for (size_t i = 0; i < self->batch->parameter_count; i++) {
        self->arrays[i].typed = false;
        self->arrays[i].type = MYSQL_TYPE_VAR_STRING;
    }
}

/* Copy a value's bytes into the run. */
static corm_status keep_bytes(run *self, value_array *array, const void *bytes, size_t size) {
    void *copy = corm_arena_alloc(&self->memory, size == 0 ? 1 : size);
    if (copy == NULL) {
        return CORM_NO_MEMORY;
    }
    memcpy(copy, bytes, size);
    array->items[self->rows].pointer = copy;
    array->lengths[self->rows] = size;
    self->bytes += size;
    return CORM_OK;
}

/* Put a value in the run's next row; *fits is false when its type is another than the column's. */
static corm_status add_value(run *self, size_t place, const corm_value *value, bool *fits) {
    value_array *array = &self->arrays[place];
    MYSQL_BIND bind;
    corm_mysql_room room;
    corm_status status = corm_mysql_encode(&bind, &room, value, place + 1);
    if (status != CORM_OK) {
        return status;
    }
    array->indicators[self->rows] = STMT_INDICATOR_NONE;
    self->bytes += sizeof(int64_t);
    if (bind.buffer_type == MYSQL_TYPE_NULL) {
        array->indicators[self->rows] = STMT_INDICATOR_NULL;
        array->items[self->rows] = (union array_item){0};
        array->lengths[self->rows] = 0;
        return CORM_OK;
    }
    if (array->typed && array->type != bind.buffer_type) {
        *fits = false;
        return CORM_OK;
    }
    array->typed = true;
    array->type = bind.buffer_type;
    switch (bind.buffer_type) {
    case MYSQL_TYPE_LONGLONG:
        array->items[self->rows].integer = room.integer;
        return CORM_OK;
    case MYSQL_TYPE_DOUBLE:
        array->items[self->rows].real = room.real;
        return CORM_OK;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_DATETIME:
        return keep_bytes(self, array, &room.time, sizeof room.time);
    default:
        return keep_bytes(self, array, bind.buffer, bind.buffer_length);
    }
}

/* Ask for the rows of one run, beginning with `first`. A row that does not fit is asked for again by the next run. */
static corm_status collect(run *self, size_t first, row_values *values) {
    const corm_batch *batch = self->batch;
    corm_status status = CORM_OK;
    bool fits = true;
    begin_run(self);
    while (first + self->rows < batch->rows && self->rows < self->room && self->bytes < MOST_BYTES && fits) {
        status = batch->bind(batch->context, first + self->rows, values->bound, batch->parameter_count);
        for (size_t i = 0; i < batch->parameter_count && status == CORM_OK && fits; i++) {
            status = add_value(self, i, &values->bound[i], &fits);
        }
        if (status != CORM_OK) {
            return status;
        }
        self->rows += fits;
    }
    return CORM_OK;
}

static corm_status set_size(run *self, unsigned int rows) {
    self->statement->array_rows = rows;
    if (self->statement->prepared == NULL) {
        return CORM_OK; /* when it is prepared again */
    }
    return mysql_stmt_attr_set(self->statement->prepared, STMT_ATTR_ARRAY_SIZE, &rows)
               ? corm_mysql_fail_statement(self->statement)
               : CORM_OK;
}

static corm_status bind_arrays(run *self) {
    corm_driver_statement *statement = self->statement;
    for (size_t i = 0; i < statement->parameters; i++) {
        value_array *array = &self->arrays[i];
        statement->binds[i] = (MYSQL_BIND){.buffer_type = array->type,
                                           .buffer = array->items,
                                           .length = array->lengths,
                                           .u.indicator = array->indicators};
    }
    corm_status status = set_size(self, (unsigned int)self->rows);
    if (status == CORM_OK && mysql_stmt_bind_param(statement->prepared, statement->binds)) {
        status = corm_mysql_fail_statement(statement);
    }
    return status;
}

/* ---- what came back ---- */

typedef struct keyed_row {
    MYSQL_ROWS *row;
    int64_t key;
} keyed_row;

static int by_key(const void *left, const void *right) {
    int64_t a = ((const keyed_row *)left)->key, b = ((const keyed_row *)right)->key;
    return a < b ? -1 : a > b;
}

/* The rows that were returned, in the order of the keys that the server gave them: that in which they were inserted. */
static corm_status order_rows(run *self, corm_value *returned, keyed_row **out) {
    corm_driver_statement *statement = self->statement;
    size_t count = mysql_stmt_num_rows(statement->prepared);
    bool ascending = true, has_row = true;
    if (count != self->rows) {
        return corm_error_set(CORM_INTERNAL_ERROR, "the server returned %zu rows of %zu that were inserted", count,
                              self->rows);
    }
    keyed_row *rows = *out = corm_alloc_array(count, sizeof *rows);
    corm_status status = rows == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        rows[i].row = statement->next_row;
        status = corm_mysql_step(statement, &has_row);
        status = status == CORM_OK ? corm_mysql_row(statement, returned, statement->columns) : status;
        if (status == CORM_OK) {
            rows[i].key = returned[self->key].kind == CORM_KIND_INTEGER ? returned[self->key].as.integer : INT64_MAX;
            ascending = ascending && (i == 0 || rows[i - 1].key < rows[i].key);
        }
    }
    if (status == CORM_OK && !ascending) {
        qsort(rows, count, sizeof *rows, by_key);
    }
    return status;
}

static corm_status tell_returned(run *self, size_t first, corm_value *returned) {
    corm_driver_statement *statement = self->statement;
    const corm_batch *batch = self->batch;
    keyed_row *rows = NULL;
    bool has_row;
    corm_status status = order_rows(self, returned, &rows);
    for (size_t i = 0; i < self->rows && status == CORM_OK; i++) {
        statement->next_row = rows[i].row;
        status = corm_mysql_step(statement, &has_row);
        status = status == CORM_OK ? corm_mysql_row(statement, returned, statement->columns) : status;
        if (status == CORM_OK && batch->result != NULL) {
            status = batch->result(batch->context, first + i, 0, 1, returned, statement->columns);
        }
    }
    corm_free(rows);
    return status;
}

/* The sum is handed out: one each as far as it goes, and what is beyond to the last. */
static corm_status tell_changed(run *self, size_t first) {
    const corm_batch *batch = self->batch;
    int64_t left = self->statement->changed;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < self->rows && status == CORM_OK && batch->result != NULL; i++) {
        int64_t share = left <= 0 ? 0 : i + 1 == self->rows ? left : 1;
        left -= share;
        status = batch->result(batch->context, first + i, 0, share, NULL, 0);
    }
    return status;
}

static corm_status run_arrays(run *self, size_t first, row_values *values) {
    corm_driver_statement *statement = self->statement;
    corm_status status = make_arrays(self);
    for (; first < self->batch->rows && status == CORM_OK; first += self->rows) {
        status = collect(self, first, values);
        status = status == CORM_OK ? bind_arrays(self) : status;
        status = status == CORM_OK ? corm_mysql_run(statement) : status;
        status = status == CORM_OK ? make_room(values, statement) : status;
        if (status == CORM_OK) {
            status = statement->columns > 0 ? tell_returned(self, first, values->returned) : tell_changed(self, first);
        }
        corm_mysql_reset(statement);
    }
    corm_error pending;
    corm_error_take(&pending);
    set_size(self, 0);
    corm_error_restore(&pending);
    return status;
}

/* ---- several rows in a VALUES list ---- */

enum { FEWEST_SEVERAL = 16, MOST_SEVERAL = 1024, MOST_SEVERAL_PARAMETERS = 32768, TABLE_ROOM = 64 };

/* The words before a table's name, which itself stands before " (". */
static const char insert_into[] = "INSERT INTO ";

/* A part of a table's name as it is called, without quotes; false: it is not plain. */
static bool plain_name(const char *from, const char *end, char *out) {
    bool quoted = end - from > 2 && *from == '`' && end[-1] == '`';
    from += quoted;
    end -= quoted;
    size_t size = (size_t)(end - from);
    if (from >= end || size >= TABLE_ROOM || memchr(from, '`', size) || memchr(from, '\'', size) ||
        memchr(from, '\\', size) || memchr(from, '.', size)) {
        return false;
    }
    memcpy(out, from, size);
    out[size] = '\0';
    return true;
}

/* "INSERT INTO table (...) VALUES (?, ?)" and nothing behind; of the table its schema, "" for the current one, and name. */
static bool is_plain_insert(const corm_driver_statement *statement, const corm_batch *batch, char *schema,
                            char *table) {
    const char *start = statement->sql + strlen(insert_into);
    if (batch->row.size == 0 || batch->row.at + batch->row.size != statement->size ||
        strncmp(statement->sql, insert_into, strlen(insert_into)) != 0) {
        return false;
    }
    const char *end = strstr(start, " (");
    const char *dot = end == NULL ? NULL : memchr(start, '.', (size_t)(end - start));
    schema[0] = '\0';
    return end != NULL && (dot == NULL || plain_name(start, dot, schema)) &&
           plain_name(dot == NULL ? start : dot + 1, end, table);
}

/* The step between the keys of an INSERT's rows; 0: they are not known. Only rows of InnoDB are undone together when one
 * of them is refused, and a trigger may give keys of its own. */
static corm_status ask_step(corm_driver_connection *connection, const char *schema, const char *table, int64_t *step) {
    char sql[640], in[TABLE_ROOM + 8];
    MYSQL_RES *result = NULL;
    *step = 0;
    snprintf(in, sizeof in, schema[0] == '\0' ? "DATABASE()" : "'%s'", schema);
    int size = snprintf(sql, sizeof sql,
                        "SELECT @@auto_increment_increment FROM information_schema.tables WHERE table_schema = %s AND "
                        "table_name = '%s' AND engine = 'InnoDB' AND @@innodb_autoinc_lock_mode < 2 AND NOT EXISTS "
                        "(SELECT * FROM information_schema.triggers WHERE event_object_schema = %s AND "
                        "event_object_table = '%s' AND event_manipulation = 'INSERT')",
                        in, table, in, table);
    corm_status status = corm_mysql_call_end(connection, corm_mysql_call_query(connection, sql, (size_t)size, &result));
    MYSQL_ROW row = status == CORM_OK && result != NULL ? mysql_fetch_row(result) : NULL;
    if (row != NULL && row[0] != NULL) {
        *step = strtoll(row[0], NULL, 10);
    }
    mysql_free_result(result);
    return status;
}

/* The statement for so many rows. */
static corm_status make_several(corm_driver_statement *statement, const corm_batch *batch, size_t rows) {
    if (statement->several != NULL && statement->several_rows == rows) {
        return CORM_OK;
    }
    corm_mysql_finalize(statement->several);
    corm_text sql = CORM_TEXT_EMPTY;
    corm_text_append_bytes(&sql, statement->sql, statement->size);
    for (size_t i = 1; i < rows; i++) {
        corm_text_append(&sql, ", ");
        corm_text_append_bytes(&sql, statement->sql + batch->row.at, batch->row.size);
    }
    corm_status status = corm_text_status(&sql);
    if (status == CORM_OK) {
        status = corm_mysql_prepare(statement->connection, sql.data, sql.size, &statement->several);
        statement->several_rows = rows;
    }
    if (status == CORM_OK) {
        statement->several->owner = statement;
    }
    corm_text_clear(&sql);
    return status;
}

static corm_status bind_several(run *self) {
    corm_driver_statement *several = self->statement->several;
    size_t count = self->batch->parameter_count;
    corm_status status = several->prepared == NULL ? CORM_INTERNAL_ERROR : CORM_OK;
    for (size_t row = 0; row < self->rows && status == CORM_OK; row++) {
        for (size_t i = 0; i < count; i++) {
            value_array *array = &self->arrays[i];
            bool null = array->indicators[row] == STMT_INDICATOR_NULL;
            bool inside = array->type == MYSQL_TYPE_LONGLONG || array->type == MYSQL_TYPE_DOUBLE;
            several->binds[row * count + i] = (MYSQL_BIND){
                .buffer_type = null ? MYSQL_TYPE_NULL : array->type,
                .buffer = inside ? (void *)&array->items[row] : array->items[row].pointer,
                .buffer_length = array->lengths[row],
                .length = &array->lengths[row],
            };
        }
    }
    if (status == CORM_OK && mysql_stmt_bind_param(several->prepared, several->binds)) {
        status = corm_mysql_fail_statement(several);
    }
    return status;
}

static corm_status tell_keys(run *self, size_t first, int64_t step) {
    const corm_batch *batch = self->batch;
    int64_t key = (int64_t)self->statement->connection->generated;
    corm_status status = CORM_OK;
    if (self->statement->several->changed != (int64_t)self->rows || (batch->wants_keys && key <= 0)) {
        return corm_error_set(CORM_INTERNAL_ERROR, "an INSERT of %zu rows wrote %lld, the first with key %lld",
                              self->rows, (long long)self->statement->several->changed, (long long)key);
    }
    for (size_t i = 0; i < self->rows && status == CORM_OK && batch->result != NULL; i++) {
        status = batch->result(batch->context, first + i, batch->wants_keys ? key + (int64_t)i * step : 0, 1, NULL, 0);
    }
    return status;
}

/* Rows from *next on, as long as they can go so. Those that the server refuses go one by one, so that the error is of
 * one of them. */
static corm_status run_several(run *self, row_values *values, size_t *next) {
    char schema[TABLE_ROOM], table[TABLE_ROOM];
    corm_driver_statement *statement = self->statement;
    size_t count = self->batch->parameter_count;
    int64_t step = 0;
    corm_status status = CORM_OK;
    if (self->batch->rows - *next < FEWEST_SEVERAL || count == 0 || count * FEWEST_SEVERAL > MOST_SEVERAL_PARAMETERS ||
        statement->as_text || !is_plain_insert(statement, self->batch, schema, table)) {
        return CORM_OK;
    }
    status = ask_step(statement->connection, schema, table, &step);
    if (status != CORM_OK || step <= 0) {
        return status;
    }
    status = make_arrays(self);
    size_t most = MOST_SEVERAL_PARAMETERS / count;
    self->room = self->room < MOST_SEVERAL ? self->room : MOST_SEVERAL;
    self->room = self->room < most ? self->room : most;
    while (status == CORM_OK && self->batch->rows - *next >= FEWEST_SEVERAL) {
        status = collect(self, *next, values);
        if (status != CORM_OK || self->rows < FEWEST_SEVERAL) {
            break;
        }
        status = make_several(statement, self->batch, self->rows);
        status = status == CORM_OK ? bind_several(self) : status;
        status = status == CORM_OK ? corm_mysql_run(statement->several) : status;
        if (status == CORM_INTEGRITY_ERROR || status == CORM_DATA_ERROR) {
            corm_error_clear();
            return CORM_OK;
        }
        status = status == CORM_OK ? tell_keys(self, *next, step) : status;
        *next += status == CORM_OK ? self->rows : 0;
    }
    return status;
}

/* ---- which way ---- */

static bool takes_arrays(corm_driver_connection *connection) {
    unsigned int capabilities = 0;
    return connection->is_mariadb &&
           mariadb_get_infov(connection->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities) == 0 &&
           (capabilities & (unsigned int)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}

static size_t find_key(const corm_driver_statement *statement) {
    size_t column = 0;
    while (column < statement->columns && !(statement->fields[column].flags & AUTO_INCREMENT_FLAG)) {
        column++;
    }
    return column;
}

/* Without returned rows only the first key of a run would be known. */
static bool tells_rows_apart(const corm_driver_statement *statement, const corm_batch *batch) {
    return statement->columns > 0 ? find_key(statement) < statement->columns
                                  : !batch->wants_keys || !statement->inserts;
}

static corm_status run_batch(corm_driver_statement *statement, const corm_batch *batch, row_values *values) {
    bool arrays =
        statement->writes && batch->rows > 1 && batch->parameter_count > 0 && takes_arrays(statement->connection);
    corm_status status = CORM_OK;
    size_t row = 0;
    /* Whether an INSERT returns rows, the server says when it runs: the first row goes alone. */
    if (arrays && statement->inserts && !statement->executed) {
        status = run_row(statement, batch, row++, values);
    }
    if (arrays && status == CORM_OK && tells_rows_apart(statement, batch)) {
        run self = {.statement = statement, .batch = batch, .key = find_key(statement)};
        status = run_arrays(&self, row, values);
        run_clear(&self);
        return status;
    }
    if (statement->inserts && status == CORM_OK) {
        run self = {.statement = statement, .batch = batch};
        status = run_several(&self, values, &row);
        run_clear(&self);
    }
    while (row < batch->rows && status == CORM_OK) {
        status = run_row(statement, batch, row++, values);
    }
    return status;
}

corm_status corm_mysql_execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    if (batch->parameter_count != statement->parameters) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "Incorrect number of bindings supplied. The current statement uses %zu, and there are "
                              "%zu supplied.",
                              statement->parameters, batch->parameter_count);
    }
    row_values values = {.bound = corm_calloc(batch->parameter_count, sizeof *values.bound)};
    corm_status status = values.bound == NULL ? CORM_NO_MEMORY : run_batch(statement, batch, &values);
    corm_free(values.bound);
    corm_free(values.returned);
    return status;
}
