/*
 * Statements of MariaDB and MySQL: prepared on the server, executed in the binary protocol.
 *
 * A statement that begins with a word of control or definition and has no parameters goes as text at once, which saves a
 * round trip, and so does one that the server says it cannot prepare, or has too many parameters for it. All rows are
 * fetched by executing, so that other statements can run on the connection meanwhile and the server waits for nobody; or,
 * where they are wanted as a stream, the server keeps them and gives them by a cursor, a chunk at a time.
 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>

#include "base/alloc.h"
#include "driver/mysql_private.h"

/* ---- preparing ---- */

/* Past white space and comments, but not into the kind that the server runs. */
static const char *first_word(const char *sql, const char *end, size_t *size) {
    while (sql < end) {
        const char *next = sql + 1;
        if (end - sql >= 2 && memcmp(sql, "--", 2) == 0) {
            next = memchr(sql, '\n', (size_t)(end - sql));
        } else if (end - sql >= 3 && memcmp(sql, "/*", 2) == 0 && sql[2] != '!' && sql[2] != 'M') {
            next = memmem(sql + 2, (size_t)(end - sql) - 2, "*/", 2);
            next = next == NULL ? NULL : next + 2;
        } else if (*sql != ' ' && *sql != '\t' && *sql != '\n' && *sql != '\r' && *sql != ';' && *sql != '(') {
            break;
        }
        sql = next == NULL ? end : next;
    }
    const char *after = sql;
    while (after < end && ((*after >= 'a' && *after <= 'z') || (*after >= 'A' && *after <= 'Z'))) {
        after++;
    }
    *size = (size_t)(after - sql);
    return sql;
}

static bool is_word(const char *word, size_t length, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i]) == length && strncasecmp(words[i], word, length) == 0) {
            return true;
        }
    }
    return false;
}

static void find_verb(corm_driver_statement *statement, const char *sql, size_t size) {
    static const char *const verbs[] = {"INSERT", "REPLACE", "UPDATE", "DELETE"};
    enum { INSERTING = 2 };
    size_t length;
    const char *word = first_word(sql, sql + size, &length);
    statement->inserts = is_word(word, length, verbs, INSERTING);
    statement->writes = is_word(word, length, verbs, sizeof verbs / sizeof *verbs);
}

static bool goes_as_text(const char *sql, size_t size) {
    static const char *const words[] = {"SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT",  "BEGIN",   "START",
                                        "SET",       "CREATE",  "DROP",     "ALTER",   "USE",     "TRUNCATE",
                                        "LOCK",      "UNLOCK",  "KILL",     "PREPARE", "EXECUTE", "XA"};
    size_t length;
    const char *word = first_word(sql, sql + size, &length);
    if (length == 0) {
        return true; /* nothing at all, or something the server shall judge */
    }
    return is_word(word, length, words, sizeof words / sizeof *words) && memchr(sql, '?', size) == NULL;
}

static corm_status keep_text(corm_driver_statement *statement, const char *sql, size_t size) {
    statement->sql = corm_strndup(sql, size);
    statement->size = size;
    return statement->sql == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status make_binds(corm_driver_statement *statement) {
    statement->parameters = mysql_stmt_param_count(statement->prepared);
    statement->binds = corm_calloc(statement->parameters, sizeof *statement->binds);
    statement->rooms = corm_calloc(statement->parameters, sizeof *statement->rooms);
    return statement->binds == NULL || statement->rooms == NULL ? CORM_NO_MEMORY : CORM_OK;
}

/* What the result looks like; may change between executions, when a table does. */
static corm_status find_columns(corm_driver_statement *statement) {
    size_t columns = statement->prepared != NULL ? mysql_stmt_field_count(statement->prepared)
                     : statement->result != NULL ? mysql_num_fields(statement->result)
                                                 : 0;
    if (columns > statement->columns || statement->digits == NULL) {
        corm_free(statement->digits);
        statement->digits = corm_alloc_array(columns, sizeof *statement->digits);
        if (statement->digits == NULL) {
            return CORM_NO_MEMORY;
        }
    }
    statement->columns = columns;
    statement->fields = columns == 0                  ? NULL
                        : statement->prepared != NULL ? mariadb_stmt_fetch_fields(statement->prepared)
                                                      : mysql_fetch_fields(statement->result);
    return CORM_OK;
}

static void close_prepared(corm_driver_statement *statement) {
    if (statement->prepared != NULL) {
        corm_mysql_call_close(statement);
    }
}

static corm_status prepare_again(corm_driver_statement *statement) {
    statement->prepared = mysql_stmt_init(statement->connection->mysql);
    if (statement->prepared == NULL) {
        return corm_error_no_memory();
    }
    corm_status status = corm_mysql_call_prepare(statement, statement->sql, statement->size);
    if (status == CORM_OK && statement->array_rows > 0 &&
        mysql_stmt_attr_set(statement->prepared, STMT_ATTR_ARRAY_SIZE, &statement->array_rows)) {
        status = corm_mysql_fail_statement(statement);
    }
    if (status != CORM_OK) {
        close_prepared(statement);
    }
    return status;
}

static corm_status prepare_on_server(corm_driver_statement *statement) {
    const char *sql = statement->sql;
    size_t size = statement->size;
    corm_status status = corm_mysql_call_end(statement->connection, prepare_again(statement));
    if (status == CORM_OK) {
        status = make_binds(statement);
        return status == CORM_OK ? find_columns(statement) : status;
    }
    int code = corm_error_last()->native_code;
    bool as_text = code == ER_PS_MANY_PARAM || (code == ER_UNSUPPORTED_PS && memchr(sql, '?', size) == NULL);
    if (!as_text) {
        return status;
    }
    corm_error_clear();
    statement->as_text = true;
    statement->parameters = corm_mysql_count_marks(statement);
    return CORM_OK;
}

corm_status corm_mysql_prepare(corm_driver_connection *connection, const char *sql, size_t size,
                               corm_driver_statement **out) {
    *out = NULL;
    if (memchr(sql, '\0', size) != NULL) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the statement contains a NUL character");
    }
    corm_driver_statement *statement = corm_calloc(1, sizeof *statement);
    if (statement == NULL) {
        return CORM_NO_MEMORY;
    }
    statement->connection = connection;
    statement->changed = -1;
    statement->next = connection->statements;
    statement->link = &connection->statements;
    if (statement->next != NULL) {
        statement->next->link = &statement->next;
    }
    connection->statements = statement;
    find_verb(statement, sql, size);
    corm_status status = keep_text(statement, sql, size);
    statement->as_text = goes_as_text(sql, size);
    if (status == CORM_OK && !statement->as_text) {
        status = prepare_on_server(statement);
    }
    if (status != CORM_OK) {
        corm_mysql_finalize(statement);
        return status;
    }
    *out = statement;
    return CORM_OK;
}

static void drop_rows(corm_driver_statement *statement) {
    if (statement->result != NULL) {
        mysql_free_result(statement->result);
        statement->result = NULL;
        statement->fields = NULL;
    }
    if (statement->prepared != NULL && statement->row_set && statement->streams) {
        corm_mysql_call_drop(statement);
    }
    if (statement->prepared != NULL && statement->row_set) {
        mysql_stmt_free_result(statement->prepared);
    }
    statement->row_set = statement->streams = false;
    statement->next_row = NULL;
    statement->row = NULL;
    statement->text_row = NULL;
}

void corm_mysql_finalize(corm_driver_statement *statement) {
    if (statement == NULL) {
        return;
    }
    corm_mysql_finalize(statement->several);
    if (statement->owner != NULL) {
        statement->owner->several = NULL;
    }
    drop_rows(statement);
    close_prepared(statement);
    *statement->link = statement->next;
    if (statement->next != NULL) {
        statement->next->link = statement->link;
    }
    corm_free(statement->sql);
    corm_text_clear(&statement->filled);
    corm_free(statement->binds);
    corm_free(statement->rooms);
    corm_free(statement->digits);
    corm_free(statement);
}

/* ---- running ---- */

corm_status corm_mysql_bind(corm_driver_statement *statement, const corm_value *values, size_t count) {
    if (count != statement->parameters) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "Incorrect number of bindings supplied. The current statement uses %zu, and there are "
                              "%zu supplied.",
                              statement->parameters, count);
    }
    if (statement->as_text && count > 0) {
        return corm_mysql_write_literals(statement, values, count);
    }
    corm_status status = statement->prepared == NULL && count > 0 ? prepare_again(statement) : CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_mysql_encode(&statement->binds[i], &statement->rooms[i], &values[i], i + 1);
    }
    if (status == CORM_OK && count > 0 && mysql_stmt_bind_param(statement->prepared, statement->binds)) {
        status = corm_mysql_fail_statement(statement);
    }
    return status;
}

/* A table changed: the statement gives other columns than before, or the server forgot how to run it. It ran without
 * anybody seeing a row of it, or not at all, and runs once more. */
static corm_status execute_anew(corm_driver_statement *statement) {
    corm_error_clear();
    close_prepared(statement); /* drops what was sent */
    corm_status status = prepare_again(statement);
    if (status == CORM_OK && statement->parameters > 0 &&
        mysql_stmt_bind_param(statement->prepared, statement->binds)) {
        status = corm_mysql_fail_statement(statement);
    }
    return status == CORM_OK ? corm_mysql_call_execute(statement) : status;
}

static corm_status execute_prepared(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = statement->prepared == NULL ? prepare_again(statement) : CORM_OK;
    status = status == CORM_OK ? corm_mysql_call_execute(statement) : status;
    if (status != CORM_OK && (corm_error_last()->native_code == CR_NEW_STMT_METADATA ||
                              corm_error_last()->native_code == ER_NEED_REPREPARE)) {
        status = execute_anew(statement);
    }
    if (status == CORM_OK) {
        status = find_columns(statement);
    }
    if (status == CORM_OK && statement->columns > 0 && statement->prepared->cursor_exists) {
        statement->row_set = statement->streams = true;
    } else if (status == CORM_OK && statement->columns > 0) {
        status = corm_mysql_call_store(statement);
        statement->row_set = status == CORM_OK;
        statement->next_row = status == CORM_OK ? mysql_stmt_row_tell(statement->prepared) : NULL;
    }
    if (status == CORM_NO_MEMORY) {
        corm_mysql_break(connection); /* rows may be left unread */
    }
    if (status == CORM_OK) {
        statement->changed = (int64_t)mysql_stmt_affected_rows(statement->prepared);
        connection->generated = mysql_stmt_insert_id(statement->prepared);
        statement->executed = true;
    }
    return status;
}

static corm_status execute_text(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    size_t length;
    first_word(statement->sql, statement->sql + statement->size, &length);
    if (length == 0 && statement->size == strspn(statement->sql, " \t\r\n;")) {
        return CORM_OK; /* an empty text */
    }
    bool is_filled = statement->parameters > 0;
    corm_status status =
        corm_mysql_call_query(connection, is_filled ? statement->filled.data : statement->sql,
                              is_filled ? statement->filled.size : statement->size, &statement->result);
    if (status == CORM_OK) {
        status = find_columns(statement);
        statement->changed = (int64_t)mysql_affected_rows(connection->mysql);
        connection->generated = mysql_insert_id(connection->mysql);
    }
    return status;
}

corm_status corm_mysql_run(corm_driver_statement *statement) {
    statement->changed = -1;
    drop_rows(statement);
    statement->connection->touched = true;
    corm_status status = statement->as_text ? execute_text(statement) : execute_prepared(statement);
    return corm_mysql_call_end(statement->connection, status);
}

corm_status corm_mysql_execute(corm_driver_statement *statement, bool *has_row) {
    *has_row = false;
    corm_status status = corm_mysql_run(statement);
    return status == CORM_OK ? corm_mysql_step(statement, has_row) : status;
}

/* The library takes chunks as it hands out rows one by one: it is told that all that it has were read. */
static corm_status fetch_chunk(corm_driver_statement *statement) {
    bool has_row;
    mysql_stmt_row_seek(statement->prepared, NULL);
    corm_status status = corm_mysql_call_end(statement->connection, corm_mysql_call_fetch(statement, &has_row));
    statement->next_row = status == CORM_OK && has_row ? statement->prepared->result.data : NULL;
    if (status == CORM_OK && !has_row) {
        mysql_stmt_free_result(statement->prepared); /* the server closed its cursor with the last row */
        statement->row_set = statement->streams = false;
    }
    return status;
}

/* Whether rows are wanted by a cursor: told with the next execution. */
static corm_status choose_cursor(corm_driver_statement *statement, size_t chunk) {
    unsigned long kind = chunk > 0 ? CURSOR_TYPE_READ_ONLY : CURSOR_TYPE_NO_CURSOR, rows = chunk;
    if (statement->prepared == NULL) {
        corm_status status = corm_mysql_call_end(statement->connection, prepare_again(statement));
        if (status != CORM_OK) {
            return status;
        }
    }
    bool failed = mysql_stmt_attr_set(statement->prepared, STMT_ATTR_CURSOR_TYPE, &kind) ||
                  (chunk > 0 && mysql_stmt_attr_set(statement->prepared, STMT_ATTR_PREFETCH_ROWS, &rows));
    return failed ? corm_mysql_fail_statement(statement) : CORM_OK;
}

corm_status corm_mysql_execute_streamed(corm_driver_statement *statement, size_t chunk, bool *has_row) {
    *has_row = false;
    if (statement->as_text || statement->writes || chunk > UINT32_MAX) {
        return corm_mysql_execute(statement, has_row);
    }
    corm_status status = choose_cursor(statement, chunk);
    status = status == CORM_OK ? corm_mysql_run(statement) : status;
    if (statement->prepared != NULL && choose_cursor(statement, 0) != CORM_OK && status == CORM_OK) {
        return corm_error_last()->status;
    }
    return status == CORM_OK ? corm_mysql_step(statement, has_row) : status;
}

corm_status corm_mysql_step(corm_driver_statement *statement, bool *has_row) {
    *has_row = false;
    if (statement->result == NULL && statement->streams && statement->next_row == NULL) {
        corm_status status = fetch_chunk(statement);
        if (status != CORM_OK) {
            return status;
        }
    }
    if (statement->result != NULL) {
        statement->text_row = mysql_fetch_row(statement->result);
        *has_row = statement->text_row != NULL;
    } else if (statement->next_row != NULL) {
        statement->row = (const unsigned char *)statement->next_row->data;
        statement->row_size = statement->next_row->length;
        statement->next_row = statement->next_row->next;
        *has_row = true;
    }
    return CORM_OK;
}

corm_status corm_mysql_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    if (count > statement->columns) {
        return corm_error_set(CORM_INTERNAL_ERROR, "a row was read that has fewer columns");
    }
    return statement->text_row != NULL ? corm_mysql_decode_text_row(statement, values, count)
                                       : corm_mysql_decode_row(statement, values, count);
}

void corm_mysql_reset(corm_driver_statement *statement) {
    drop_rows(statement);
}
