/*
 * What every C suite needs: a world (models, engine, session) over an empty database, checks that show the library's
 * error, and a look at the database that does not go through the library.
 */
#ifndef CORM_TEST_SUPPORT_H
#define CORM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "databases.h"
#include "models.h"

typedef struct world {
    corm_models *models;
    corm_engine *engine;
    corm_session *session;
    char path[128]; /* SQLite's file */
    char url[512];
    bool keep_tables; /* from test to test, where that is faster; it stays as it was set */
} world;

/* The world of the running test: made by set_up(), which cmocka calls before each. */
extern world now;

int set_up(void **state);
int tear_down(void **state);
#define story(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A bound for slow surroundings (valgrind): only every n-th point of failure is tried. CORM_TEST_STRIDE, else 1. */
long test_stride(void);
/* Only the tests that CORM_TEST_ONLY says, if it is set. */
void test_filter(void);

/* A path for a database file that does not exist; in memory where the system has such a place. */
void new_path(char *path, size_t size);
void remove_database(const char *path);

/* The call succeeds, or the test fails with the library's own words. */
#define ok(call) ok_at((call), #call, __FILE__, __LINE__)
void ok_at(corm_status status, const char *call, const char *file, int line);
/* The call fails with this status and a message that contains the text. */
#define fails(call, expected, part) fails_at((call), (expected), (part), #call, __FILE__, __LINE__)
void fails_at(corm_status status, corm_status expected, const char *part, const char *call, const char *file, int line);
/* The last failure was this. */
#define failed_with(expected, part) fails(corm_error_last()->status, expected, part)
/* Something is there (else: the library's words). */
#define there(pointer) there_at((pointer), #pointer, __FILE__, __LINE__)
void *there_at(const void *pointer, const char *what, const char *file, int line);

/* What SQL over a connection of its own says about the database ("the file", wherever it lies): a number, or a text in a static buffer (rows separated by
 * "; ", columns by ","; NULL is "-"). */
int64_t in_file(const char *sql);
const char *rows_in_file(const char *sql);
void change_file(const char *sql);

/* What differs from database to database: the words for this run's. */
const char *on(const char *sqlite, const char *postgresql, const char *mariadb);
/* How many tables there are (of that name; NULL: at all). */
int64_t tables_in_file(const char *name);
/* Nothing of the database is damaged, as far as it can tell. */
void file_is_sound(void);

/* A text for a field, without the cast that a literal needs. */
static inline char *text_of(const char *literal) {
    return (char *)(uintptr_t)literal;
}

/* Make objects; they are pending. */
user *new_user(const char *name);
address *new_address(user *owner, const char *email);
/* A new session over the same file, in place of the old one. */
void reopen(void);

#endif
