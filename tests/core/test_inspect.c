/* Describing a live schema: what SQLite's catalogue and the text of its tables tell, and memory that is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dialect/dialects.h"
#include "engine/inspect.h"
#include "engine/url.h"
#include "failing_memory.h"

static const char *const shop[] = {
    "CREATE TABLE makers (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT 'x', CONSTRAINT \"uq name\" UNIQUE "
    "(name))",
    "CREATE TABLE things (a INT, b DECIMAL(10, 2), m INT CONSTRAINT fk_m REFERENCES makers ON DELETE CASCADE NOT NULL, "
    "twice INT GENERATED ALWAYS AS (a * 2) STORED, -- (not, this\n"
    " CONSTRAINT pk PRIMARY KEY (b, a), CHECK (a > 0), FOREIGN KEY (a) REFERENCES makers (id) DEFERRABLE)",
    "CREATE INDEX ix ON things (lower(m), a DESC) WHERE a > 5",
    "CREATE VIEW seen AS SELECT a FROM things",
};

/* Open a database in memory with the shop in it. */
static corm_status open_shop(corm_engine **engine, corm_connection **connection) {
    corm_url *url = NULL;
    *engine = NULL;
    *connection = NULL;
    corm_status status = corm_url_parse("sqlite://", &url);
    if (status == CORM_OK)
        status = corm_engine_new(url, NULL, engine);
    corm_url_free(url);
    if (status == CORM_OK)
        status = corm_engine_connect(*engine, connection);
    for (size_t i = 0; i < sizeof shop / sizeof *shop && status == CORM_OK; i++)
        status = corm_connection_run(*connection, shop[i]);
    return status;
}

static void close_shop(corm_engine *engine, corm_connection *connection) {
    corm_connection_close(connection);
    corm_engine_unref(engine);
}

static const corm_found_key *key_of(const corm_found_table *table, corm_found_kind kind, size_t place) {
    for (const corm_found_key *key = table->keys; key; key = key->next)
        if (key->kind == kind && place-- == 0)
            return key;
    fail_msg("%s has no such key", table->name);
    return NULL;
}

static void a_table_is_described(void **state) {
    corm_engine *engine;
    corm_connection *connection;
    corm_found *found;
    (void)state;
    assert_int_equal(open_shop(&engine, &connection), CORM_OK);
    assert_int_equal(corm_inspect_tables(connection, NULL, NULL, 0, CORM_FOUND_ALL, &found), CORM_OK);
    assert_int_equal(found->count, 3);
    const corm_found_table *things = corm_found_table_named(found, "things");
    const corm_found_column *price = things->columns->next;
    assert_string_equal(price->name, "b");
    assert_int_equal(price->type->kind, CORM_TYPE_NUMERIC);
    assert_int_equal(price->type->precision, 10);
    assert_int_equal(price->type->scale, 2);
    assert_string_equal(price->next->next->computed, "a * 2");
    assert_true(price->next->next->persisted);

    const corm_found_key *key = key_of(things, CORM_FOUND_PRIMARY_KEY, 0);
    assert_string_equal(key->name, "pk");
    assert_string_equal(key->parts->column, "b");
    key = key_of(things, CORM_FOUND_FOREIGN_KEY, 0);
    assert_string_equal(key->name, "fk_m");
    assert_string_equal(key->on_delete, "CASCADE");
    assert_string_equal(key->parts->referred, "id");
    key = key_of(things, CORM_FOUND_FOREIGN_KEY, 1);
    assert_null(key->name);
    assert_int_equal(key->deferrable, 1);
    assert_string_equal(key_of(things, CORM_FOUND_CHECK, 0)->parts->expression, "a > 0");
    key = key_of(things, CORM_FOUND_INDEX, 0);
    assert_string_equal(key->where, "a > 5");
    assert_string_equal(key->parts->expression, "lower(m)");
    assert_string_equal(key->parts->next->order, "desc");
    assert_string_equal(key_of(corm_found_table_named(found, "makers"), CORM_FOUND_UNIQUE, 0)->name, "uq name");
    assert_string_equal(corm_found_table_named(found, "seen")->type, "view");
    corm_found_free(found);
    close_shop(engine, connection);
}

static void only_tables_that_are_named_are_described(void **state) {
    const char *names[] = {"makers", "nothing"};
    corm_engine *engine;
    corm_connection *connection;
    corm_found *found;
    (void)state;
    assert_int_equal(open_shop(&engine, &connection), CORM_OK);
    assert_int_equal(corm_inspect_tables(connection, "main", names, 2, CORM_FOUND_BIT(CORM_FOUND_COLUMN), &found),
                     CORM_OK);
    assert_int_equal(found->count, 1);
    assert_null(found->tables->keys);
    assert_non_null(found->tables->columns);
    assert_null(corm_found_table_named(found, "nothing"));
    corm_found_free(found);
    close_shop(engine, connection);
}

static bool describe_all(void) {
    corm_engine *engine;
    corm_connection *connection;
    corm_found *found = NULL;
    corm_status status = open_shop(&engine, &connection);
    if (status == CORM_OK)
        status = corm_inspect_tables(connection, NULL, NULL, 0, CORM_FOUND_ALL, &found);
    corm_found_free(found);
    close_shop(engine, connection);
    return status == CORM_OK;
}

static void short_memory_leaves_nothing_behind(void **state) {
    enum { MOST = 5000 };
    (void)state;
    assert_true(describe_all()); /* what is made once in a process is made */
    each_allocation_fails(describe_all, MOST);
}

/* ---- texts that SQLite accepts, or nearly ---- */

static void any_text_of_a_table_is_read_to_its_end(void **state) {
    static const char *const texts[] = {
        "",
        "CREATE TABLE t",
        "CREATE TABLE t (",
        "CREATE TABLE t ()",
        "CREATE TABLE t (a, b,)",
        "CREATE TABLE t (a CHECK (",
        "CREATE TABLE t (a CHECK ('",
        "CREATE TABLE t (a CONSTRAINT",
        "CREATE TABLE t (a REFERENCES",
        "CREATE TABLE t (FOREIGN KEY",
        "CREATE TABLE t (FOREIGN KEY (a REFERENCES p ON",
        "CREATE TABLE t (PRIMARY KEY",
        "CREATE TABLE t (UNIQUE",
        "CREATE TABLE t (a /* no end",
        "CREATE TABLE t (a -- no end",
        "CREATE TABLE t (a \"no end",
        "CREATE TABLE t (a [no end",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        corm_arena arena = {0};
        corm_found_table table = {.name = "t", .type = "table", .sql = texts[i]};
        assert_int_equal(corm_sqlite_inspect_source(&arena, &table, CORM_FOUND_ALL), CORM_OK);
        corm_arena_clear(&arena);
    }
}

/* ---- types ---- */

static void is_type(const corm_dialect *dialect, const char *text, corm_type_kind kind, const char *name, int size) {
    corm_type *type;
    assert_int_equal(dialect->type_of_text(text, &type), CORM_OK);
    if (!type)
        fail_msg("%s is not known", text);
    if (type->kind != kind || (name && strcmp(type->name, name) != 0) ||
        (type->length >= 0 ? type->length : type->precision) != size)
        fail_msg("%s: kind %d, name %s, length %d, precision %d", text, (int)type->kind, type->name, type->length,
                 type->precision);
    corm_type_unref(type);
}

static void texts_of_types_are_understood(void **state) {
    (void)state;
    is_type(&corm_dialect_sqlite, "VARCHAR(50)", CORM_TYPE_STRING, "VARCHAR", 50);
    is_type(&corm_dialect_sqlite, "native character", CORM_TYPE_TEXT, "TEXT", -1);
    is_type(&corm_dialect_sqlite, "unsigned big int", CORM_TYPE_INTEGER, "INTEGER", -1);
    is_type(&corm_dialect_postgresql, "character varying(50)", CORM_TYPE_STRING, "VARCHAR", 50);
    is_type(&corm_dialect_postgresql, "numeric(10,2)", CORM_TYPE_NUMERIC, "NUMERIC", 10);
    is_type(&corm_dialect_postgresql, "double precision", CORM_TYPE_FLOAT, "DOUBLE PRECISION", -1);
    is_type(&corm_dialect_postgresql, "timestamp(3) with time zone", CORM_TYPE_DATETIME, "TIMESTAMP", -1);
    is_type(&corm_dialect_mariadb, "int(11) unsigned", CORM_TYPE_INTEGER, "INTEGER UNSIGNED", -1);
    is_type(&corm_dialect_mariadb, "tinyint(1)", CORM_TYPE_SMALL_INTEGER, "TINYINT(1)", -1);
    is_type(&corm_dialect_mysql, "bigint unsigned", CORM_TYPE_BIG_INTEGER, "BIGINT UNSIGNED", -1);
    is_type(&corm_dialect_mariadb, "enum('a','b(2)')", CORM_TYPE_NULL, "ENUM", -1);
}

static void a_type_that_is_not_known_is_none(void **state) {
    static const char *const texts[] = {
        "integer[]", "polygon", "", "x(999999999999999999999)",
        "a word that is longer than any type of any database could ever be, and then some"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        corm_type *type;
        assert_int_equal(corm_dialect_postgresql.type_of_text(texts[i], &type), CORM_OK);
        assert_null(type);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_described),
        cmocka_unit_test(only_tables_that_are_named_are_described),
        cmocka_unit_test(short_memory_leaves_nothing_behind),
        cmocka_unit_test(any_text_of_a_table_is_read_to_its_end),
        cmocka_unit_test(texts_of_types_are_understood),
        cmocka_unit_test(a_type_that_is_not_known_is_none),
    };
    memory_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
