/* See support.h. */
#include "support.h"

#include <sqlite3.h>
#include <unistd.h>

world now;

long test_stride(void) {
    const char *text = getenv("CORM_TEST_STRIDE");
    long value = text == NULL ? 1 : atol(text);
    return value < 1 ? 1 : value;
}

void test_filter(void) {
    if (getenv("CORM_TEST_ONLY") != NULL) {
        cmocka_set_test_filter(getenv("CORM_TEST_ONLY"));
    }
}

void new_path(char *path, size_t size) {
    static unsigned count;
    const char *directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(path, size, "%s/cormorant-%ld-%u.db", directory, (long)getpid(), count++);
}

void remove_database(const char *path) {
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        remove(name);
    }
}

int set_up(void **state) {
    (void)state;
    memset(&now, 0, sizeof now);
    new_path(now.path, sizeof now.path);
    snprintf(now.url, sizeof now.url, "sqlite:///%s?foreign_keys=1", now.path);
    now.models = there(corm_models_new());
    ok(add_all_models(now.models));
    now.engine = there(corm_open(now.url));
    ok(corm_create_all(now.models, now.engine));
    now.session = there(corm_session_open(now.engine, now.models));
    corm_error_clear();
    return 0;
}

int tear_down(void **state) {
    (void)state;
    corm_session_end(now.session);
    corm_close(now.engine);
    corm_models_free(now.models);
    remove_database(now.path);
    return 0;
}

void reopen(void) {
    corm_session_end(now.session);
    now.session = there(corm_session_open(now.engine, now.models));
}

void ok_at(corm_status status, const char *call, const char *file, int line) {
    if (status != CORM_OK) {
        const corm_error *error = corm_error_last();
        print_error("%s: %s: %s\n%s\n", call, corm_status_name(status), error->message == NULL ? "" : error->message,
                    error->statement == NULL ? "" : error->statement);
        _fail(file, line);
    }
}

void fails_at(corm_status status, corm_status expected, const char *part, const char *call, const char *file,
              int line) {
    const corm_error *error = corm_error_last();
    const char *message = error->message == NULL ? "" : error->message;
    if (status != expected || error->status != expected || (part != NULL && strstr(message, part) == NULL)) {
        print_error("%s: expected %s '%s', got %s (last error %s): %s\n", call, corm_status_name(expected),
                    part == NULL ? "" : part, corm_status_name(status), corm_status_name(error->status), message);
        _fail(file, line);
    }
    corm_error_clear();
}

void *there_at(const void *pointer, const char *what, const char *file, int line) {
    if (pointer == NULL) {
        const corm_error *error = corm_error_last();
        print_error("%s is NULL: %s: %s\n", what, corm_status_name(error->status),
                    error->message == NULL ? "" : error->message);
        _fail(file, line);
    }
    return (void *)(uintptr_t)pointer;
}

/* ---- the file, from outside ---- */

static sqlite3 *open_file(void) {
    sqlite3 *database;
    assert_int_equal(sqlite3_open(now.path, &database), SQLITE_OK);
    sqlite3_busy_timeout(database, 2000);
    return database;
}

int64_t in_file(const char *sql) {
    sqlite3 *database = open_file();
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : INT64_MIN;
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return value;
}

const char *rows_in_file(const char *sql) {
    static char rows[8192];
    sqlite3 *database = open_file();
    sqlite3_stmt *statement;
    size_t size = 0;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    rows[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            const char *separator = i > 0 ? "," : size > 0 ? "; " : "";
            size += (size_t)snprintf(rows + size, sizeof rows - size, "%s%s", separator, value == NULL ? "-" : value);
            assert_true(size < sizeof rows);
        }
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return rows;
}

void change_file(const char *sql) {
    sqlite3 *database = open_file();
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(database));
    }
    sqlite3_close(database);
}

/* ---- objects ---- */

user *new_user(const char *name) {
    user *made = there(corm_new(now.session, user));
    made->name = text_of(name);
    return made;
}

address *new_address(user *owner, const char *email) {
    address *made = there(corm_new(now.session, address));
    made->email = text_of(email);
    if (owner != NULL) {
        ok(corm_many_add(owner->addresses, made));
    }
    return made;
}
