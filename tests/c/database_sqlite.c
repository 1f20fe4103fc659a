/* One file a test, in memory where the system has such a place; see databases.h. */
#include <sqlite3.h>

#include "support.h"

static void sqlite_open(char *url, size_t size) {
    new_path(now.path, sizeof now.path);
    snprintf(url, size, "sqlite:///%s?foreign_keys=1", now.path);
}

static void sqlite_close(void) {
    remove_database(now.path);
}

static void sqlite_run(const char *sql, database_cell cell, void *context) {
    enum { BUSY = 2000 }; /* milliseconds */
    sqlite3 *file;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(now.path, &file), SQLITE_OK);
    sqlite3_busy_timeout(file, BUSY);
    for (const char *rest = sql; *rest != '\0';) {
        int status = sqlite3_prepare_v2(file, rest, -1, &statement, &rest);
        while (status == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(statement); i++) {
                cell(context, (const char *)sqlite3_column_text(statement, i), i == 0);
            }
        }
        if (status != SQLITE_OK || sqlite3_finalize(statement) != SQLITE_OK) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(file));
        }
    }
    sqlite3_close(file);
}

const database sqlite_database = {ON_SQLITE, "sqlite", NULL, sqlite_open, sqlite_close, NULL, sqlite_run};
