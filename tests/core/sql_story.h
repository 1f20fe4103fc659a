/* For tests of SQL: a small schema, a pool that lets go of nodes, and checks of rendered text. */
#ifndef CORM_TEST_SQL_STORY_H
#define CORM_TEST_SQL_STORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "compile/ddl.h"
#include "sql/walk.h"

typedef struct story {
    corm_metadata *metadata;
    corm_table *users, *addresses;
    corm_vector kept;
} story;

static story now;

/* Let go of the node when the test ends. */
static inline corm_node *keep(corm_node *node) {
    if (!node)
        fail_msg("no node: %s", corm_error_last()->message ? corm_error_last()->message : "?");
    assert_int_equal(corm_vector_push(&now.kept, node), CORM_OK);
    return node;
}

static inline corm_column *add_column(corm_table *table, const char *name, corm_type_kind kind, int length,
                                      bool primary_key) {
    corm_type_options options = {.length = length, .precision = -1, .scale = -1};
    corm_type *type = length > 0 ? corm_type_new(kind, &options) : corm_type_ref(corm_type_of_kind(kind));
    corm_column *column;
    assert_int_equal(corm_column_new(name, type, &column), CORM_OK);
    corm_type_unref(type);
    corm_column_set_primary_key(column, primary_key);
    assert_int_equal(corm_table_append_column(table, column, false), CORM_OK);
    corm_column_unref(column); /* the table's now */
    return column;
}

static inline int open_story(void **state) {
    (void)state;
    now = (story){0};
    assert_int_equal(corm_metadata_new(NULL, &now.metadata), CORM_OK);
    assert_int_equal(corm_table_new(now.metadata, "users", NULL, &now.users), CORM_OK);
    assert_int_equal(corm_table_new(now.metadata, "addresses", NULL, &now.addresses), CORM_OK);
    add_column(now.users, "id", CORM_TYPE_INTEGER, 0, true);
    add_column(now.users, "name", CORM_TYPE_STRING, 50, false);
    add_column(now.users, "age", CORM_TYPE_INTEGER, 0, false);
    add_column(now.users, "ok", CORM_TYPE_BOOLEAN, 0, false);
    add_column(now.addresses, "id", CORM_TYPE_INTEGER, 0, true);
    corm_column *owner = add_column(now.addresses, "user_id", CORM_TYPE_INTEGER, 0, false);
    corm_foreign_key_options options = {.ondelete = "CASCADE"};
    assert_int_equal(corm_column_add_foreign_key(owner, "users.id", NULL, &options, NULL), CORM_OK);
    add_column(now.addresses, "email", CORM_TYPE_STRING, 0, false);
    return 0;
}

static inline int close_story(void **state) {
    (void)state;
    for (size_t i = now.kept.count; i-- > 0;)
        corm_node_unref(now.kept.items[i]);
    corm_vector_clear(&now.kept);
    corm_metadata_unref(now.metadata);
    corm_error_clear();
    return 0;
}

static inline corm_node *user(const char *column) {
    return corm_column_node(corm_table_column(now.users, column));
}
static inline corm_node *address(const char *column) {
    return corm_column_node(corm_table_column(now.addresses, column));
}
static inline corm_node *users(void) {
    return corm_table_node(now.users);
}
static inline corm_node *addresses(void) {
    return corm_table_node(now.addresses);
}
static inline corm_node *op(corm_operator which, corm_node *left, corm_node *right) {
    return keep(corm_binary_new(which, left, right));
}
static inline corm_node *op_int(corm_operator which, corm_node *left, int64_t number) {
    corm_value value = corm_value_integer(number);
    return keep(corm_binary_value(which, left, &value));
}
static inline corm_value text_value(const char *text) {
    return corm_value_bytes(CORM_KIND_TEXT, text, strlen(text));
}
static inline corm_node *op_text(corm_operator which, corm_node *left, const char *text) {
    corm_value value = text_value(text);
    return keep(corm_binary_value(which, left, &value));
}
static inline corm_node *literal_int(int64_t number) {
    corm_value value = corm_value_integer(number);
    return keep(corm_bind_new(&value, NULL));
}
static inline corm_node *select_of(size_t count, ...) {
    corm_node *nodes[16];
    va_list arguments;
    va_start(arguments, count);
    for (size_t i = 0; i < count; i++)
        nodes[i] = va_arg(arguments, corm_node *);
    va_end(arguments);
    return keep(corm_select_new(nodes, count));
}
static inline corm_node *where(corm_node *select, corm_node *criterion) {
    return keep(corm_select_where(select, criterion));
}
static inline corm_node *label(corm_node *node, const char *name) {
    return keep(corm_label(node, name));
}
static inline corm_node *call(const char *name, corm_node *argument) {
    return keep(corm_function_new(name, &argument, argument ? 1 : 0, NULL));
}
static inline corm_node *alias(corm_node *from, const char *name) {
    return keep(corm_alias_new(from, name, 0));
}
static inline corm_node *column_of(corm_node *from, const char *name) {
    return keep(corm_from_column(from, name));
}

static inline void check_with(const corm_dialect *dialect, bool literal, corm_node *node, const char *expected,
                              int line) {
    corm_text text = CORM_TEXT_EMPTY;
    if (corm_statement_render(dialect, node, literal, &text))
        fail_msg("line %d: %s", line, corm_error_last()->message);
    const char *got = text.data ? text.data : "";
    if (strcmp(got, expected) != 0) {
        fprintf(stderr, "line %d:\n  expected %s\n  got      %s\n", line, expected, got);
        corm_text_clear(&text);
        fail_msg("the SQL differs");
    }
    corm_text_clear(&text);
}
/* As str(statement) shows it; as SQLite gets it; for SQLite with literals. */
#define shows(node, expected) check_with(NULL, false, node, expected, __LINE__)
#define sends(node, expected) check_with(corm_dialect_find("sqlite"), false, node, expected, __LINE__)
#define spells(node, expected) check_with(corm_dialect_find("sqlite"), true, node, expected, __LINE__)

static inline void refuses(corm_node *node, corm_status status, const char *part) {
    corm_text text = CORM_TEXT_EMPTY;
    assert_int_equal(corm_statement_render(corm_dialect_find("sqlite"), node, false, &text), status);
    assert_non_null(strstr(corm_error_last()->message, part));
    corm_text_clear(&text);
}

#endif
