/* MetaData, tables, columns and constraints: their life, how they find each other, and their DDL. */
#include "sql_story.h"

#include "failing_memory.h"

static void a_column_keeps_its_metadata_alive(void **state) {
    (void)state;
    corm_column *id = corm_column_ref(corm_table_column(now.users, "id"));
    corm_metadata_unref(now.metadata);
    assert_string_equal(id->table->name, "users");
    now.metadata = corm_metadata_ref(id->table->metadata);
    corm_column_unref(id);
}

static void references_taken_before_a_table_are_the_metadatas(void **state) {
    (void)state;
    corm_column *late;
    assert_int_equal(corm_column_new(NULL, NULL, &late), CORM_OK);
    corm_node *expression = keep(corm_unary_new(CORM_OP_DESC, corm_column_node(late)));
    assert_int_equal(corm_table_append_column(now.users, late, false), CORM_ARGUMENT_ERROR);
    assert_int_equal(corm_column_set_name(late, "late"), CORM_OK);
    corm_column_set_type(late, corm_type_of_kind(CORM_TYPE_INTEGER));
    assert_int_equal(corm_table_append_column(now.users, late, false), CORM_OK);
    corm_column_unref(late);
    shows(expression, "users.late DESC");
}

static void what_the_metadata_keeps_does_not_keep_it_alive(void **state) {
    (void)state;
    corm_node *check = op_int(CORM_OP_GT, user("age"), 5);
    assert_int_equal(corm_table_add_check(now.users, "grown", check, NULL), CORM_OK);
    corm_node *lower = call("lower", user("name"));
    assert_int_equal(corm_table_add_index(now.users, "ix_lower", &lower, 1, true, NULL), CORM_OK);
    corm_text text = CORM_TEXT_EMPTY;
    assert_int_equal(corm_ddl_create_index(corm_dialect_default(), now.users->indexes.items[0], 0, &text), CORM_OK);
    assert_string_equal(text.data, "CREATE UNIQUE INDEX ix_lower ON users (lower(name))");
    corm_text_clear(&text);
    /* That all is let go of when the story closes is what the sanitizer checks. */
}

static void missing_targets_are_named(void **state) {
    (void)state;
    corm_column *column = add_column(now.addresses, "b_id", CORM_TYPE_INTEGER, 0, false);
    corm_foreign_key *key;
    corm_column *target;
    assert_int_equal(corm_column_add_foreign_key(column, "b.id", NULL, NULL, &key), CORM_OK);
    assert_int_equal(corm_foreign_key_resolve(key, &target), CORM_NO_REFERENCED_TABLE);
    assert_string_equal(corm_error_last()->message,
                        "Foreign key associated with column 'addresses.b_id' could not find table 'b' with which to "
                        "generate a foreign key to target column 'id'");
    assert_int_equal(corm_column_add_foreign_key(column, "users.zork", NULL, NULL, &key), CORM_OK);
    assert_int_equal(corm_foreign_key_resolve(key, &target), CORM_NO_REFERENCED_COLUMN);
}

static void joins_need_exactly_one_path(void **state) {
    (void)state;
    shows(keep(corm_join_condition(users(), addresses(), NULL)), "users.id = addresses.user_id");
    corm_node *other = alias(users(), "u");
    shows(keep(corm_join_condition(addresses(), other, NULL)), "u.id = addresses.user_id");
    assert_null(corm_join_condition(users(), other, NULL));
    assert_int_equal(corm_error_last()->status, CORM_NO_FOREIGN_KEYS);
    assert_string_equal(corm_error_last()->message,
                        "Can't find any foreign key relationships between 'users' and 'u'.");
    corm_column *second = add_column(now.addresses, "other_id", CORM_TYPE_INTEGER, 0, false);
    assert_int_equal(corm_column_add_foreign_key(second, "users.id", NULL, NULL, NULL), CORM_OK);
    assert_null(corm_join_condition(users(), addresses(), NULL));
    assert_int_equal(corm_error_last()->status, CORM_AMBIGUOUS_FOREIGN_KEYS);
}

static void tables_are_sorted_by_dependency_and_cycles_tolerated(void **state) {
    (void)state;
    corm_vector sorted = {0}, skipped = {0};
    assert_int_equal(corm_metadata_sorted_tables(now.metadata, &sorted, &skipped), CORM_OK);
    assert_ptr_equal(sorted.items[0], now.users);
    assert_ptr_equal(sorted.items[1], now.addresses);
    assert_int_equal(skipped.count, 0);
    corm_column *back = add_column(now.users, "main_id", CORM_TYPE_INTEGER, 0, false);
    assert_int_equal(corm_column_add_foreign_key(back, "addresses.id", NULL, NULL, NULL), CORM_OK);
    sorted.count = 0;
    assert_int_equal(corm_metadata_sorted_tables(now.metadata, &sorted, &skipped), CORM_OK);
    assert_int_equal(sorted.count, 2);
    assert_int_equal(skipped.count, 2);
    corm_vector_clear(&sorted);
    corm_vector_clear(&skipped);
}

static void names_are_taken_once(void **state) {
    (void)state;
    corm_table *again;
    assert_int_equal(corm_table_new(now.metadata, "users", NULL, &again), CORM_INVALID_REQUEST);
    assert_null(again);
    assert_int_equal(corm_table_new(now.metadata, "users", "other", &again), CORM_OK);
    assert_ptr_equal(corm_metadata_table(now.metadata, "other.users"), again);
    corm_metadata_remove(now.metadata, again);
    assert_null(corm_metadata_table(now.metadata, "other.users"));
    corm_column *twice;
    assert_int_equal(corm_column_new("name", NULL, &twice), CORM_OK);
    assert_int_equal(corm_table_append_column(now.users, twice, false), CORM_ARGUMENT_ERROR);
    assert_int_equal(corm_table_append_column(now.users, twice, true), CORM_OK);
    assert_ptr_equal(corm_table_column(now.users, "name"), twice);
    assert_int_equal(twice->position, 1);
    corm_column_unref(twice);
}

static void creates(corm_table *table, const char *expected) {
    corm_text text = CORM_TEXT_EMPTY;
    assert_int_equal(corm_ddl_create_table(corm_dialect_find("sqlite"), table, 0, NULL, &text), CORM_OK);
    assert_string_equal(text.data, expected);
    corm_text_clear(&text);
}

static void tables_are_created_as_the_field_prints_them(void **state) {
    (void)state;
    creates(now.users, "\nCREATE TABLE users (\n\tid INTEGER NOT NULL, \n\tname VARCHAR(50), \n\tage INTEGER, \n\tok "
                       "BOOLEAN, \n\tPRIMARY KEY (id)\n)\n\n");
    creates(now.addresses,
            "\nCREATE TABLE addresses (\n\tid INTEGER NOT NULL, \n\tuser_id INTEGER, \n\temail VARCHAR, "
            "\n\tPRIMARY KEY (id), \n\tFOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE\n)\n\n");
    corm_table *odd;
    assert_int_equal(corm_table_new(now.metadata, "odd", NULL, &odd), CORM_OK);
    corm_column *a = add_column(odd, "a", CORM_TYPE_INTEGER, 0, true);
    corm_column *b = add_column(odd, "b", CORM_TYPE_INTEGER, 0, true);
    corm_column *c = add_column(odd, "c", CORM_TYPE_FLOAT, 0, false);
    corm_column *d = add_column(odd, "d", CORM_TYPE_DATETIME, 0, false);
    assert_int_equal(corm_column_set_server_default(c, "it's", NULL), CORM_OK);
    corm_column_set_nullable(c, false);
    assert_int_equal(corm_column_set_server_default(d, NULL, call("now", NULL)), CORM_OK);
    corm_node *check = keep(corm_text_new("a > 5", NULL, 0, NULL, 0));
    assert_int_equal(corm_table_add_check(odd, "cc", check, NULL), CORM_OK);
    corm_column *both[2] = {a, b};
    assert_int_equal(corm_table_add_unique(odd, "uu", both, 2, NULL), CORM_OK);
    const char *targets[2] = {"users.id", "users.age"};
    corm_foreign_key_options options = {.name = "fk1",
                                        .ondelete = "SET NULL",
                                        .onupdate = "CASCADE",
                                        .deferrable_given = true,
                                        .deferrable = true,
                                        .initially = "DEFERRED"};
    assert_int_equal(corm_table_add_foreign_key(odd, both, targets, NULL, 2, &options, NULL), CORM_OK);
    creates(odd, "\nCREATE TABLE odd (\n\ta INTEGER NOT NULL, \n\tb INTEGER NOT NULL, \n\tc FLOAT DEFAULT 'it''s' NOT "
                 "NULL, "
                 "\n\td DATETIME DEFAULT CURRENT_TIMESTAMP, \n\tPRIMARY KEY (a, b), \n\tCONSTRAINT cc CHECK (a > 5), "
                 "\n\tCONSTRAINT uu UNIQUE (a, b), \n\tCONSTRAINT fk1 FOREIGN KEY(a, b) REFERENCES users (id, age) ON "
                 "DELETE "
                 "SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED\n)\n\n");
    options = (corm_foreign_key_options){.ondelete = "CASCADE; DROP TABLE users"};
    assert_int_equal(corm_table_add_foreign_key(odd, both, targets, NULL, 2, &options, NULL), CORM_OK);
    corm_text text = CORM_TEXT_EMPTY;
    assert_int_equal(corm_ddl_create_table(corm_dialect_default(), odd, 0, NULL, &text), CORM_COMPILE_ERROR);
    corm_text_clear(&text);
}

static void indexes_name_themselves(void **state) {
    (void)state;
    corm_column *column;
    assert_int_equal(corm_column_new("nick", corm_type_of_kind(CORM_TYPE_STRING), &column), CORM_OK);
    column->index = true;
    assert_int_equal(corm_table_append_column(now.users, column, false), CORM_OK);
    corm_column_unref(column);
    corm_text text = CORM_TEXT_EMPTY;
    assert_int_equal(corm_ddl_create_index(corm_dialect_default(), now.users->indexes.items[0], 0, &text), CORM_OK);
    assert_string_equal(text.data, "CREATE INDEX ix_users_nick ON users (nick)");
    corm_text_clear(&text);
    assert_int_equal(corm_ddl_drop_index(corm_dialect_default(), now.users->indexes.items[0], 0, &text), CORM_OK);
    assert_string_equal(text.data, "\nDROP INDEX ix_users_nick");
    corm_text_clear(&text);
}

static void autoincrement_is_for_one_plain_integer_key(void **state) {
    (void)state;
    assert_ptr_equal(corm_table_autoincrement_column(now.users), corm_table_column(now.users, "id"));
    corm_table_column(now.users, "id")->autoincrement = CORM_AUTOINCREMENT_NO;
    assert_null(corm_table_autoincrement_column(now.users));
}

static void a_copy_of_a_column_is_free(void **state) {
    (void)state;
    corm_column *copy;
    assert_int_equal(corm_column_copy(corm_table_column(now.addresses, "user_id"), &copy), CORM_OK);
    assert_null(copy->table);
    corm_table *table;
    assert_int_equal(corm_table_new(now.metadata, "copies", NULL, &table), CORM_OK);
    assert_int_equal(corm_table_append_column(table, copy, false), CORM_OK);
    corm_column_unref(copy);
    creates(table, "\nCREATE TABLE copies (\n\tuser_id INTEGER, \n\tFOREIGN KEY(user_id) REFERENCES users "
                   "(id) ON DELETE "
                   "CASCADE\n)\n\n");
}

static bool declare(void) {
    corm_metadata *metadata;
    if (corm_metadata_new("main", &metadata))
        return false;
    corm_table *table;
    bool succeeded = !corm_table_new(metadata, "t", NULL, &table);
    for (int i = 0; i < 3 && succeeded; i++) {
        corm_column *column;
        succeeded =
            !corm_column_new((const char *[]){"id", "a", "b"}[i], corm_type_of_kind(CORM_TYPE_INTEGER), &column);
        if (!succeeded)
            break;
        corm_column_set_primary_key(column, i == 0);
        column->unique = i == 1;
        column->index = i == 2;
        succeeded = !corm_column_add_foreign_key(column, "t.id", NULL, NULL, NULL) &&
                    !corm_table_append_column(table, column, false);
        corm_column_unref(column);
    }
    corm_metadata_unref(metadata);
    return succeeded;
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    each_allocation_fails(declare, 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_story, close_story)

int main(void) {
    memory_install();
    const struct CMUnitTest tests[] = {
        TEST(a_column_keeps_its_metadata_alive),
        TEST(references_taken_before_a_table_are_the_metadatas),
        TEST(what_the_metadata_keeps_does_not_keep_it_alive),
        TEST(missing_targets_are_named),
        TEST(joins_need_exactly_one_path),
        TEST(tables_are_sorted_by_dependency_and_cycles_tolerated),
        TEST(names_are_taken_once),
        TEST(tables_are_created_as_the_field_prints_them),
        TEST(indexes_name_themselves),
        TEST(autoincrement_is_for_one_plain_integer_key),
        TEST(a_copy_of_a_column_is_free),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
