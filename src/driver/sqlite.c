/*
 * The SQLite driver, on libsqlite3.
 *
 * What may block: the first step of an execution (it may sort or wait for a lock), COMMIT, and the busy handler's sleep
 * are waited for in a bracket (base/wait.h). Further steps of a result are short and keep the host's lock; a progress
 * handler lets other threads and signals through when one is not.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "driver/sqlite_private.h"
#include "engine/url.h"
#include "type/datetime.h"

extern const corm_driver corm_driver_sqlite;

/* Virtual machine steps between two looks at signals and other threads: some tenths of a millisecond. */
enum { PROGRESS_STEPS = 20000 };
static const double default_timeout = 5.0;
static const int64_t busy_sleep = 1000000;          /* 1 ms, doubling ... */
static const int64_t longest_busy_sleep = 50000000; /* ... up to 50 ms */

/* ---- errors ---- */

/* As Python's sqlite3 maps result codes to exception classes. */
static corm_status classify(int code) {
    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return CORM_NO_MEMORY;
    case SQLITE_INTERNAL:
    case SQLITE_NOTFOUND:
        return CORM_INTERNAL_ERROR;
    case SQLITE_ERROR:
    case SQLITE_PERM:
    case SQLITE_ABORT:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_EMPTY:
    case SQLITE_SCHEMA:
        return CORM_OPERATIONAL_ERROR;
    case SQLITE_TOOBIG:
        return CORM_DATA_ERROR;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return CORM_INTEGRITY_ERROR;
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        return CORM_INTERFACE_ERROR;
    default: /* CORRUPT, NOTADB, AUTH, ... */
        return CORM_DATABASE_ERROR;
    }
}

corm_status corm_sqlite_fail(corm_driver_connection *connection, int code) {
    int primary = code & 0xFF;
    if (primary == SQLITE_NOMEM) {
        return corm_error_no_memory();
    }
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_MISUSE) {
        connection->broken = true;
    }
    if (primary == SQLITE_INTERRUPT) {
        bool by_host = connection->stopped;
        connection->stopped = false;
        if (by_host) {
            return corm_error_set(CORM_INTERRUPTED, "the statement was interrupted");
        }
    }
    corm_status status = corm_error_set(classify(code), "%s", sqlite3_errmsg(connection->database));
    corm_error_add_native(code, NULL);
    corm_error_add_driver(corm_driver_sqlite.name);
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
        corm_error_add_transient();
    }
    return status;
}

/* ---- opening ---- */

static int on_progress(void *context) {
    corm_driver_connection *connection = context;
    connection->stopped = corm_wait_yield();
    return connection->stopped;
}

static int on_busy(void *context, int times) {
    corm_driver_connection *connection = context;
    int64_t now = corm_clock_now();
    if (times == 0) {
        connection->busy_since = now;
        connection->busy_next = busy_sleep;
    }
    int64_t left = connection->busy_since + connection->busy_timeout - now;
    if (left <= 0) {
        return 0;
    }
    corm_wait_sleep(left < connection->busy_next ? left : connection->busy_next);
    if (connection->busy_next < longest_busy_sleep) {
        connection->busy_next *= 2;
    }
    connection->stopped = corm_wait_yield();
    return !connection->stopped;
}

static bool is_true(const char *text) {
    return text != NULL && (strcmp(text, "1") == 0 || strcasecmp(text, "on") == 0 || strcasecmp(text, "true") == 0 ||
                            strcasecmp(text, "yes") == 0);
}

/* Arguments that Python's sqlite3 takes and that mean nothing here. */
static bool is_ignored(const char *key) {
    static const char *const keys[] = {
        "check_same_thread", "isolation_level", "cached_statements", "detect_types", "factory", "autocommit", "uri"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

typedef struct open_options {
    int flags;
    const char *vfs;
    double timeout;
    bool foreign_keys;
} open_options;

static corm_status read_number(const char *key, const char *value, double scale, double *out) {
    char *end;
    *out = strtod(value, &end) * scale;
    return end == value || *end != '\0' || !(*out >= 0)
               ? corm_error_set(CORM_ARGUMENT_ERROR, "URL argument %s: '%s' is no number of 0 or more", key, value)
               : CORM_OK;
}

static corm_status read_mode(const char *value, int *flags) {
    *flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (strcmp(value, "ro") == 0) {
        *flags |= SQLITE_OPEN_READONLY;
    } else if (strcmp(value, "rw") == 0) {
        *flags |= SQLITE_OPEN_READWRITE;
    } else if (strcmp(value, "rwc") == 0) {
        *flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    } else if (strcmp(value, "memory") == 0) {
        *flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    } else {
        return corm_error_set(CORM_ARGUMENT_ERROR, "URL argument mode: '%s' is none of ro, rw, rwc, memory", value);
    }
    return CORM_OK;
}

static corm_status read_options(const corm_url *url, open_options *out) {
    /* One thread at a time uses a connection, so it needs no mutex of its own, unless the pool shares it. */
    *out = (open_options){
        .flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                 (corm_url_query(url, CORM_URL_SHARED) != NULL ? SQLITE_OPEN_FULLMUTEX : SQLITE_OPEN_NOMUTEX),
        .timeout = default_timeout};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < url->query_count && status == CORM_OK; i++) {
        const char *key = url->query[i].key, *value = url->query[i].value;
        if (strcmp(key, "timeout") == 0) {
            status = read_number(key, value, 1, &out->timeout);
        } else if (strcmp(key, "busy_timeout") == 0) {
            status = read_number(key, value, 0.001, &out->timeout);
        } else if (strcmp(key, "foreign_keys") == 0) {
            out->foreign_keys = is_true(value);
        } else if (strcmp(key, "vfs") == 0) {
            out->vfs = value;
        } else if (strcmp(key, "mode") == 0) {
            status = read_mode(value, &out->flags);
        } else if (strcmp(key, "cache") == 0) {
            out->flags |= strcmp(value, "shared") == 0 ? SQLITE_OPEN_SHAREDCACHE : SQLITE_OPEN_PRIVATECACHE;
        } else if (!is_ignored(key) && strcmp(key, CORM_URL_SHARED) != 0) {
            status = corm_error_set(CORM_ARGUMENT_ERROR,
                                    "URL argument '%s' is not known: SQLite takes timeout, busy_timeout, "
                                    "foreign_keys, mode, cache and vfs",
                                    key);
        }
    }
    return status;
}

static void close_connection(corm_driver_connection *connection) {
    if (connection == NULL) {
        return;
    }
    sqlite3_finalize(connection->begin);
    sqlite3_finalize(connection->commit);
    sqlite3_finalize(connection->rollback);
    sqlite3_close_v2(connection->database);
    corm_free(connection);
}

static bool is_private(const corm_url *url) {
    const char *mode = corm_url_query(url, "mode");
    return url->database == NULL || url->database[0] == '\0' || strcmp(url->database, ":memory:") == 0 ||
           strstr(url->database, "mode=memory") != NULL || (mode != NULL && strcmp(mode, "memory") == 0);
}

static corm_status open_database(corm_driver_connection *connection, const corm_url *url, const open_options *options) {
    const char *path = url->database == NULL ? ":memory:" : url->database;
    corm_wait_begin();
    int code = sqlite3_open_v2(path, &connection->database, options->flags, options->vfs);
    corm_wait_end();
    if (code != SQLITE_OK) {
        if (connection->database == NULL) {
            return corm_error_no_memory();
        }
        sqlite3_extended_result_codes(connection->database, 1);
        return corm_sqlite_fail(connection, code);
    }
    sqlite3_extended_result_codes(connection->database, 1);
    connection->mutex = sqlite3_db_mutex(connection->database);
    connection->busy_timeout = (int64_t)(options->timeout * 1e9);
    sqlite3_busy_handler(connection->database, on_busy, connection);
    sqlite3_progress_handler(connection->database, PROGRESS_STEPS, on_progress, connection);
    if (options->foreign_keys) {
        code = sqlite3_exec(connection->database, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? CORM_OK : corm_sqlite_fail(connection, code);
}

static corm_status connect(const corm_url *url, corm_driver_connection **out) {
    *out = NULL;
    open_options options;
    corm_status status = read_options(url, &options);
    corm_driver_connection *connection = status == CORM_OK ? corm_calloc(1, sizeof *connection) : NULL;
    if (connection == NULL) {
        return corm_error_last()->status;
    }
    status = open_database(connection, url, &options);
    if (status != CORM_OK) {
        close_connection(connection);
        return status;
    }
    *out = connection;
    return CORM_OK;
}

/* A forked child: closing would drop the parent's POSIX locks, so the handle is left as it is. */
static void abandon(corm_driver_connection *connection) {
    corm_free(connection);
}

static bool is_usable(corm_driver_connection *connection) {
    return !connection->broken;
}

static bool in_transaction(corm_driver_connection *connection) {
    return !sqlite3_get_autocommit(connection->database);
}

static void interrupt(corm_driver_connection *connection) {
    sqlite3_interrupt(connection->database);
}

static int server_version(corm_driver_connection *connection) {
    (void)connection;
    return sqlite3_libversion_number();
}

static void *native(corm_driver_connection *connection) {
    return connection->database;
}

size_t corm_sqlite_parameter_limit(corm_driver_connection *connection) {
    return (size_t)sqlite3_limit(connection->database, SQLITE_LIMIT_VARIABLE_NUMBER, -1);
}

/* ---- statements ---- */

/* Only white space, comments and semicolons may follow a statement. */
static bool is_blank(const char *text, const char *end) {
    while (text < end) {
        if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r' || *text == ';') {
            text++;
        } else if (end - text >= 2 && text[0] == '-' && text[1] == '-') {
            while (text < end && *text != '\n') {
                text++;
            }
        } else if (end - text >= 2 && text[0] == '/' && text[1] == '*') {
            text += 2;
            while (text < end && !(end - text >= 2 && text[0] == '*' && text[1] == '/')) {
                text++;
            }
            text = end - text >= 2 ? text + 2 : end;
        } else {
            return false;
        }
    }
    return true;
}

corm_status corm_sqlite_prepare(corm_driver_connection *connection, const char *sql, size_t size, sqlite3_stmt **out) {
    const char *tail = NULL;
    *out = NULL;
    if (size >= INT_MAX) {
        return corm_error_set(CORM_DATA_ERROR, "the statement is longer than SQLite takes (2 GiB)");
    }
    if (memchr(sql, '\0', size) != NULL) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the statement contains a NUL character");
    }
    int code = sqlite3_prepare_v3(connection->database, sql, (int)size, SQLITE_PREPARE_PERSISTENT, out, &tail);
    if (code != SQLITE_OK) {
        return corm_sqlite_fail(connection, code);
    }
    if (tail != NULL && !is_blank(tail, sql + size)) {
        sqlite3_finalize(*out);
        *out = NULL;
        return corm_error_set(CORM_PROGRAMMING_ERROR, "You can only execute one statement at a time.");
    }
    return CORM_OK;
}

/* The first word of a statement, past white space and comments. */
static const char *first_word(const char *sql, const char *end, size_t *size) {
    while (sql < end) {
        const char *next = sql + 1;
        if (end - sql >= 2 && memcmp(sql, "--", 2) == 0) {
            next = memchr(sql, '\n', (size_t)(end - sql));
        } else if (end - sql >= 2 && memcmp(sql, "/*", 2) == 0) {
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

/*
 * A transaction begins with its first statement that writes, so that reading holds no lock between statements, and
 * PRAGMA and VACUUM, which are refused or do nothing inside a transaction, work. A savepoint without BEGIN would be a
 * transaction of its own.
 */
static bool begins_transaction(sqlite3_stmt *prepared, const char *sql, size_t size) {
    static const char *const outside[] = {"PRAGMA", "VACUUM", "ATTACH", "DETACH", "BEGIN", "COMMIT", "END", "ROLLBACK"};
    size_t length;
    const char *word = first_word(sql, sql + size, &length);
    if (sqlite3_stmt_readonly(prepared)) {
        return length == strlen("SAVEPOINT") && strncasecmp(word, "SAVEPOINT", length) == 0;
    }
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        if (length == strlen(outside[i]) && strncasecmp(word, outside[i], length) == 0) {
            return false;
        }
    }
    return true;
}

static corm_status prepare(corm_driver_connection *connection, const char *sql, size_t size,
                           corm_driver_statement **out) {
    *out = NULL;
    sqlite3_stmt *prepared;
    corm_status status = corm_sqlite_prepare(connection, sql, size, &prepared);
    if (status != CORM_OK) {
        return status;
    }
    corm_driver_statement *statement = corm_calloc(1, sizeof *statement);
    if (statement == NULL) {
        sqlite3_finalize(prepared);
        return CORM_NO_MEMORY;
    }
    statement->connection = connection;
    statement->statement = prepared;
    statement->columns = (size_t)sqlite3_column_count(prepared);
    statement->needs_transaction = prepared != NULL && begins_transaction(prepared, sql, size);
    *out = statement;
    return CORM_OK;
}

static void finalize(corm_driver_statement *statement) {
    if (statement != NULL) {
        sqlite3_finalize(statement->statement);
        sqlite3_finalize(statement->several.statement);
        corm_free(statement);
    }
}

size_t corm_sqlite_parameter_count(corm_driver_statement *statement) {
    return (size_t)sqlite3_bind_parameter_count(statement->statement);
}

static size_t column_count(corm_driver_statement *statement) {
    return statement->columns;
}

static const char *column_name(corm_driver_statement *statement, size_t column) {
    const char *name = sqlite3_column_name(statement->statement, (int)column);
    return name == NULL ? "" : name;
}

static const char *parameter_name(corm_driver_statement *statement, size_t index) {
    const char *name = sqlite3_bind_parameter_name(statement->statement, (int)index + 1);
    return name == NULL || *name == '?' ? NULL : name + 1;
}

static bool is_readonly(corm_driver_statement *statement) {
    return sqlite3_stmt_readonly(statement->statement) != 0;
}

static bool needs_transaction(corm_driver_statement *statement) {
    return statement->needs_transaction;
}

/* ---- binding ---- */

corm_status corm_sqlite_bind(corm_driver_connection *connection, sqlite3_stmt *prepared, int index,
                             const corm_value *value, bool keeps) {
    sqlite3_destructor_type life = keeps ? SQLITE_STATIC : SQLITE_TRANSIENT;
    char room[CORM_DATETIME_MAX];
    int code = SQLITE_OK;
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
    case CORM_KIND_NULL:
        code = sqlite3_bind_null(prepared, index);
        break;
    case CORM_KIND_BOOLEAN:
        code = sqlite3_bind_int(prepared, index, value->as.boolean);
        break;
    case CORM_KIND_INTEGER:
        code = sqlite3_bind_int64(prepared, index, value->as.integer);
        break;
    case CORM_KIND_FLOAT:
        code = sqlite3_bind_double(prepared, index, value->as.real);
        break;
    case CORM_KIND_DECIMAL:
    case CORM_KIND_TEXT:
        if (!corm_text_is_utf8(value->as.text.data, value->as.text.size)) {
            return corm_error_set(CORM_VALUE_ERROR, "parameter %d is text that is not valid UTF-8", index);
        }
        code = sqlite3_bind_text64(prepared, index, value->as.text.data == NULL ? "" : value->as.text.data,
                                   value->as.text.size, life, SQLITE_UTF8);
        break;
    case CORM_KIND_BYTES:
        code = sqlite3_bind_blob64(prepared, index, value->as.text.data == NULL ? "" : value->as.text.data,
                                   value->as.text.size, life);
        break;
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME: {
        size_t size = corm_datetime_format((corm_kind)value->kind, &value->as.datetime, ' ', false, room);
        code = sqlite3_bind_text64(prepared, index, room, size, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    }
    case CORM_KIND_HOST: {
        corm_text shown = CORM_TEXT_EMPTY;
        corm_value_describe(value, &shown);
        corm_error_set(CORM_INTERFACE_ERROR, "Error binding parameter %d: the type of %s is not supported", index,
                       shown.data == NULL ? "the value" : shown.data);
        corm_text_clear(&shown);
        return CORM_INTERFACE_ERROR;
    }
    }
    return code == SQLITE_OK ? CORM_OK : corm_sqlite_fail(connection, code);
}

static corm_status bind(corm_driver_statement *statement, const corm_value *values, size_t count) {
    if (count != corm_sqlite_parameter_count(statement)) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "Incorrect number of bindings supplied. The current statement uses %zu, and there are "
                              "%zu supplied.",
                              corm_sqlite_parameter_count(statement), count);
    }
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_sqlite_bind(statement->connection, statement->statement, (int)i + 1, &values[i], true);
    }
    return status;
}

/* ---- running ---- */

static corm_status outcome(corm_driver_statement *statement, int code, bool *has_row) {
    *has_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW) {
        return CORM_OK;
    }
    if (code == SQLITE_DONE) {
        statement->changed =
            sqlite3_stmt_readonly(statement->statement) ? -1 : sqlite3_changes64(statement->connection->database);
        return CORM_OK;
    }
    return corm_sqlite_fail(statement->connection, code);
}

static corm_status execute(corm_driver_statement *statement, bool *has_row) {
    statement->changed = -1;
    *has_row = false;
    if (statement->statement == NULL) {
        return CORM_OK; /* an empty text, or comments only */
    }
    corm_wait_begin();
    int code = sqlite3_step(statement->statement);
    corm_wait_end();
    statement->columns = (size_t)sqlite3_column_count(statement->statement); /* SELECT * after a change of the schema */
    return outcome(statement, code, has_row);
}

corm_status corm_sqlite_step(corm_driver_statement *statement, bool *has_row) {
    return outcome(statement, sqlite3_step(statement->statement), has_row);
}

/* sqlite3_value_*() cost a fraction of sqlite3_column_*(), which take the connection's mutex and look at it each; they ask
 * that nobody else uses the connection meanwhile, so a shared one is locked for the row. */
corm_status corm_sqlite_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    sqlite3_stmt *prepared = statement->statement;
    sqlite3_mutex *mutex = statement->connection->mutex;
    corm_status status = CORM_OK;
    sqlite3_mutex_enter(mutex);
    for (size_t i = 0; i < count; i++) {
        sqlite3_value *column = sqlite3_column_value(prepared, (int)i);
        corm_value *value = &values[i];
        value->owned = value->stored = false;
        value->form = CORM_FORM_TEXT;
        switch (sqlite3_value_type(column)) {
        case SQLITE_INTEGER:
            value->kind = CORM_KIND_INTEGER;
            value->as.integer = sqlite3_value_int64(column);
            break;
        case SQLITE_TEXT:
            value->kind = CORM_KIND_TEXT;
            value->as.text.data = (const char *)sqlite3_value_text(column);
            value->as.text.size = (size_t)sqlite3_value_bytes(column);
            if (value->as.text.data == NULL) {
                status = corm_error_no_memory();
            }
            break;
        case SQLITE_FLOAT:
            value->kind = CORM_KIND_FLOAT;
            value->as.real = sqlite3_value_double(column);
            break;
        case SQLITE_BLOB:
            value->kind = CORM_KIND_BYTES;
            value->as.text.data = sqlite3_value_blob(column);
            value->as.text.size = (size_t)sqlite3_value_bytes(column);
            if (value->as.text.data == NULL) {
                if (value->as.text.size > 0) {
                    status = corm_error_no_memory();
                }
                value->as.text.data = "";
            }
            break;
        default:
            value->kind = CORM_KIND_NULL;
        }
    }
    sqlite3_mutex_leave(mutex);
    return status;
}

static void reset(corm_driver_statement *statement) {
    sqlite3_reset(statement->statement);
    sqlite3_clear_bindings(statement->statement);
}

static int64_t changed_rows(corm_driver_statement *statement) {
    return statement->changed;
}

static int64_t last_generated_key(corm_driver_connection *connection) {
    return sqlite3_last_insert_rowid(connection->database);
}

/* ---- transactions ---- */

static corm_status control(corm_driver_connection *connection, sqlite3_stmt **kept, const char *sql) {
    if (*kept == NULL) {
        corm_status status = corm_sqlite_prepare(connection, sql, strlen(sql), kept);
        if (status != CORM_OK) {
            return status;
        }
    }
    corm_wait_begin();
    int code = sqlite3_step(*kept);
    corm_wait_end();
    corm_status status = code == SQLITE_DONE ? CORM_OK : corm_sqlite_fail(connection, code);
    sqlite3_reset(*kept);
    return status;
}

static corm_status begin(corm_driver_connection *connection) {
    return control(connection, &connection->begin, "BEGIN");
}

static corm_status commit(corm_driver_connection *connection) {
    return in_transaction(connection) ? control(connection, &connection->commit, "COMMIT") : CORM_OK;
}

/* SQLite rolls back by itself on some errors; then there is nothing left to do. */
static corm_status rollback(corm_driver_connection *connection) {
    return in_transaction(connection) ? control(connection, &connection->rollback, "ROLLBACK") : CORM_OK;
}

const corm_driver corm_driver_sqlite = {
    .name = "pysqlite",
    .dialect = "sqlite",
    .is_private = is_private,
    .batch_rows = 513, /* no round trips: what counts is that the rows stay in the cache; see sqlite_batch.c */
    .connect = connect,
    .close = close_connection,
    .abandon = abandon,
    .is_usable = is_usable,
    .in_transaction = in_transaction,
    .interrupt = interrupt,
    .server_version = server_version,
    .native = native,
    .parameter_limit = corm_sqlite_parameter_limit,
    .prepare = prepare,
    .finalize = finalize,
    .parameter_count = corm_sqlite_parameter_count,
    .column_count = column_count,
    .column_name = column_name,
    .parameter_name = parameter_name,
    .is_readonly = is_readonly,
    .needs_transaction = needs_transaction,
    .bind = bind,
    .execute = execute,
    .step = corm_sqlite_step,
    .row = corm_sqlite_row,
    .reset = reset,
    .execute_batch = corm_sqlite_execute_batch,
    .changed_rows = changed_rows,
    .last_generated_key = last_generated_key,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
};
