/* See support.h. */
#include "support.h"

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
    now = (world){.keep_tables = now.keep_tables};
    database_now()->open(now.url, sizeof now.url);
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
    if (now.keep_tables && database_now()->empty != NULL) {
        database_now()->empty();
    } else {
        database_now()->close();
    }
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

/* ---- the database, from outside ---- */

typedef struct rows_text {
    char text[8192];
    size_t size;
} rows_text;

static void add_cell(void *context, const char *text, bool first) {
    rows_text *rows = context;
    const char *separator = !first ? "," : rows->size > 0 ? "; " : "";
    rows->size += (size_t)snprintf(rows->text + rows->size, sizeof rows->text - rows->size, "%s%s", separator,
                                   text == NULL ? "-" : text);
    assert_true(rows->size < sizeof rows->text);
}

const char *rows_in_file(const char *sql) {
    static rows_text rows;
    rows = (rows_text){.size = 0};
    database_now()->run(sql, add_cell, &rows);
    return rows.text;
}

int64_t in_file(const char *sql) {
    const char *rows = rows_in_file(sql);
    return *rows == '\0' ? INT64_MIN : strtoll(rows, NULL, 10);
}

void change_file(const char *sql) {
    rows_in_file(sql);
}

const char *on(const char *sqlite, const char *postgresql, const char *mariadb) {
    const database_kind kind = database_now()->kind;
    return kind == ON_SQLITE ? sqlite : kind == ON_POSTGRESQL ? postgresql : mariadb;
}

int64_t tables_in_file(const char *name) {
    char sql[256];
    snprintf(sql, sizeof sql, "%s AND '%s' IN ('', %s)",
             on("SELECT count(*) FROM sqlite_master WHERE type = 'table'",
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = DATABASE()"),
             name == NULL ? "" : name, on("name", "table_name", "table_name"));
    return in_file(sql);
}

void file_is_sound(void) {
    if (database_now()->kind == ON_SQLITE) { /* servers have no such question */
        assert_string_equal(rows_in_file("PRAGMA integrity_check"), "ok");
    }
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
