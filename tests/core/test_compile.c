/* What statements become: their text for people and for SQLite, their parameters, and the cache. */
#include "sql_story.h"

#define USERS "users.id, users.name, users.age, users.ok"

static void a_select_of_a_table_names_its_columns(void **state) {
    (void)state;
    corm_node *select = where(select_of(1, users()), op_text(CORM_OP_EQ, user("name"), "x"));
    corm_node *order = user("id");
    select = keep(corm_select_order_by(select, &order, 1));
    select = keep(corm_select_limit(select, 5));
    corm_node *all = keep(corm_select_offset(select, 3));
    shows(all, "SELECT " USERS " \nFROM users \nWHERE users.name = :name_1 ORDER BY users.id\n LIMIT :param_1 OFFSET "
               ":param_2");
    sends(all, "SELECT " USERS " \nFROM users \nWHERE users.name = ? ORDER BY users.id\n LIMIT ? OFFSET ?");
    spells(select, "SELECT " USERS " \nFROM users \nWHERE users.name = 'x' ORDER BY users.id\n LIMIT 5 OFFSET 0");
}

static void joins_are_found_along_foreign_keys(void **state) {
    (void)state;
    corm_node *select = keep(corm_select_join(select_of(2, user("id"), addresses()), NULL, addresses(), NULL, 0));
    shows(select, "SELECT users.id, addresses.id AS id_1, addresses.user_id, addresses.email \nFROM users "
                  "JOIN addresses ON "
                  "users.id = addresses.user_id");
    corm_node *other = alias(addresses(), NULL);
    select = keep(corm_select_join(select_of(1, user("id")), NULL, other, NULL, CORM_JOIN_OUTER));
    shows(select, "SELECT users.id \nFROM users LEFT OUTER JOIN addresses AS addresses_1 ON users.id = "
                  "addresses_1.user_id");
    select = keep(corm_select_join(select_of(2, user("id"), address("id")), NULL, other,
                                   op(CORM_OP_EQ, column_of(other, "id"), user("id")), 0));
    shows(select, "SELECT users.id, addresses.id AS id_1 \nFROM users JOIN addresses AS addresses_1 ON "
                  "addresses_1.id = "
                  "users.id, addresses");
    corm_node *nested = keep(corm_join_new(users(), addresses(), NULL, 0));
    shows(nested, "users JOIN addresses ON users.id = addresses.user_id");
    corm_node *third = alias(addresses(), NULL);
    corm_node *right =
        keep(corm_join_new(other, third, op(CORM_OP_EQ, column_of(other, "id"), column_of(third, "id")), 0));
    shows(keep(corm_join_new(nested, right, op(CORM_OP_EQ, column_of(other, "id"), user("id")), 0)),
          "users JOIN addresses ON users.id = addresses.user_id JOIN (addresses AS addresses_1 JOIN "
          "addresses AS "
          "addresses_2 ON addresses_1.id = addresses_2.id) ON addresses_1.id = users.id");
    refuses(keep(corm_select_join(select_of(1, user("id")), NULL, alias(users(), NULL), NULL, 0)), CORM_INVALID_REQUEST,
            "Don't know how to join");
}

static void labels_keep_names_apart(void **state) {
    (void)state;
    corm_node *id = user("id");
    corm_node *select = select_of(4, id, id, address("id"), id);
    shows(select, "SELECT users.id, users.id AS id__1, addresses.id AS id_1, users.id AS id__2 \nFROM users, "
                  "addresses");
    select = select_of(5, id, address("id"), literal_int(5), call("count", id), op_int(CORM_OP_ADD, user("age"), 1));
    select = keep(corm_select_with_style(select, CORM_LABEL_TABLE_COLUMN));
    shows(select, "SELECT users.id AS users_id, addresses.id AS addresses_id, :param_1 AS anon_1, count(users.id) AS "
                  "count_1, users.age + :age_1 AS anon_2 \nFROM users, addresses");
    corm_node *cast = keep(corm_cast(user("age"), corm_type_of_kind(CORM_TYPE_STRING)));
    shows(select_of(3, id, cast, call("count", NULL)),
          "SELECT users.id, CAST(users.age AS VARCHAR) AS age, count(*) AS count_1 \nFROM users");
    corm_node *first = alias(addresses(), NULL);
    corm_node *second = alias(addresses(), NULL);
    select = select_of(2, column_of(first, "id"), column_of(second, "id"));
    shows(keep(corm_select_with_style(select, CORM_LABEL_TABLE_COLUMN)),
          "SELECT addresses_1.id AS addresses_1_id, addresses_2.id AS addresses_2_id \nFROM addresses AS "
          "addresses_1, "
          "addresses AS addresses_2");
    shows(select_of(2, keep(corm_unary_new(CORM_OP_NEGATE, id)), label(id, NULL)),
          "SELECT -users.id, users.id AS id_1 \nFROM users");
}

static void parentheses_stand_where_precedence_wants_them(void **state) {
    (void)state;
    corm_node *id = user("id");
    corm_node *or_node = keep(corm_or2(
        op_int(CORM_OP_EQ, id, 1), keep(corm_and2(op_int(CORM_OP_EQ, id, 2), op_text(CORM_OP_EQ, user("name"), "y")))));
    corm_node *negated = keep(corm_not(keep(corm_or2(op_int(CORM_OP_EQ, id, 4), op_int(CORM_OP_EQ, id, 8)))));
    shows(where(where(select_of(1, id), or_node), negated),
          "SELECT users.id \nFROM users \nWHERE (users.id = :id_1 OR users.id = :id_2 AND users.name = "
          ":name_1) AND NOT "
          "(users.id = :id_3 OR users.id = :id_4)");
    corm_node *sum = op_int(CORM_OP_ADD, id, 1);
    shows(op_int(CORM_OP_MUL, sum, 2), "(users.id + :id_1) * :param_1");
    shows(op_int(CORM_OP_SUB, op(CORM_OP_SUB, id, sum), 1), "(users.id - (users.id + :id_1)) - :param_1");
    corm_value two = corm_value_integer(2);
    shows(op_int(CORM_OP_ADD, keep(corm_binary_value_reversed(CORM_OP_MUL, &two, id)), 1),
          ":id_1 * users.id + :param_1");
    shows(op(CORM_OP_EQ, op_int(CORM_OP_EQ, id, 1), op_int(CORM_OP_EQ, user("age"), 2)),
          "(users.id = :id_1) = (users.age = :age_1)");
    shows(keep(corm_unary_new(CORM_OP_NEGATE, sum)), "-(users.id + :id_1)");
    corm_node *condition[2] = {op_int(CORM_OP_GT, user("age"), 5), keep(corm_label(literal_int(1), NULL))};
    shows(keep(corm_case_new(NULL, condition, 1, user("name"))),
          "CASE WHEN (users.age > :age_1) THEN :param_1 ELSE users.name END");
}

static void operators_are_negated_and_spelled(void **state) {
    (void)state;
    corm_node *id = user("id");
    corm_node *name = user("name");
    shows(keep(corm_not(op_int(CORM_OP_LT, id, 5))), "users.id >= :id_1");
    shows(keep(corm_not(op_int(CORM_OP_EQ, id, 5))), "users.id != :id_1");
    corm_value null = CORM_NULL_VALUE;
    shows(keep(corm_binary_value(CORM_OP_EQ, id, &null)), "users.id IS NULL");
    shows(keep(corm_binary_value(CORM_OP_NE, id, &null)), "users.id IS NOT NULL");
    shows(op_text(CORM_OP_ADD, name, "x"), "users.name || :name_1");
    sends(op_text(CORM_OP_ILIKE, name, "x"), "lower(users.name) LIKE lower(?)");
    shows(keep(corm_binary_text_match(CORM_OP_STARTSWITH, name, "a%b", 3, NULL, true)),
          "users.name LIKE :name_1 || '%' ESCAPE '/'");
    spells(keep(corm_binary_text_match(CORM_OP_CONTAINS, name, "a%b/", 4, NULL, true)),
           "users.name LIKE '%' || 'a/%b//' || '%' ESCAPE '/'");
    corm_node *starts = keep(corm_binary_text_match(CORM_OP_STARTSWITH, name, "a", 1, NULL, false));
    shows(where(select_of(1, id), starts), "SELECT users.id \nFROM users \nWHERE (users.name LIKE :name_1 || '%')");
    shows(keep(corm_not(starts)), "users.name NOT LIKE :name_1 || '%'");
    sends(op_int(CORM_OP_IS_DISTINCT_FROM, id, 4), "users.id IS NOT ?");
    shows(op_int(CORM_OP_IS_DISTINCT_FROM, id, 4), "users.id IS DISTINCT FROM :id_1");
    corm_node *between = keep(corm_between(id, literal_int(1), literal_int(2), false));
    shows(keep(corm_not(between)), "users.id NOT BETWEEN :param_1 AND :param_2");
    sends(op_int(CORM_OP_TRUE_DIV, user("age"), 2), "users.age / (? + 0.0)");
    shows(op_int(CORM_OP_TRUE_DIV, user("age"), 2), "users.age / CAST(:age_1 AS NUMERIC)");
    sends(keep(corm_extract("year", id)), "CAST(STRFTIME('%Y', users.id) AS INTEGER)");
    sends(call("now", NULL), "CURRENT_TIMESTAMP");
}

static void truth_depends_on_the_dialect(void **state) {
    (void)state;
    corm_node *ok = user("ok");
    corm_node *select = select_of(1, user("id"));
    shows(where(select, ok), "SELECT users.id \nFROM users \nWHERE users.ok");
    sends(where(select, ok), "SELECT users.id \nFROM users \nWHERE users.ok = 1");
    sends(where(select, keep(corm_not(ok))), "SELECT users.id \nFROM users \nWHERE users.ok = 0");
    sends(where(select, corm_true()), "SELECT users.id \nFROM users \nWHERE 1 = 1");
    sends(where(select, corm_false()), "SELECT users.id \nFROM users \nWHERE 0 = 1");
    shows(where(where(select, corm_true()), op_int(CORM_OP_EQ, user("id"), 4)),
          "SELECT users.id \nFROM users \nWHERE users.id = :id_1");
    corm_value truth = corm_value_boolean(true);
    sends(where(select, keep(corm_binary_value(CORM_OP_EQ, ok, &truth))),
          "SELECT users.id \nFROM users \nWHERE users.ok = 1");
}

static void lists_are_expanded_when_executing(void **state) {
    (void)state;
    corm_value numbers[2] = {corm_value_integer(1), corm_value_integer(2)};
    corm_node *in = keep(corm_in(user("id"), keep(corm_bind_list(numbers, 2, 1, NULL))));
    corm_node *select = where(select_of(1, user("id")), in);
    shows(select, "SELECT users.id \nFROM users \nWHERE users.id IN (__[POSTCOMPILE_id_1])");
    spells(select, "SELECT users.id \nFROM users \nWHERE users.id IN (1, 2)");
    shows(where(select_of(1, user("id")), keep(corm_not(in))),
          "SELECT users.id \nFROM users \nWHERE (users.id NOT IN (__[POSTCOMPILE_id_1]))");
    spells(keep(corm_in(user("id"), keep(corm_bind_list(NULL, 0, 1, NULL)))),
           "users.id IN (SELECT 1 FROM (SELECT 1) WHERE 1!=1)");
    corm_node *pair[2] = {user("id"), user("age")};
    corm_node *tuple = keep(corm_list_new(CORM_OP_COMMA, pair, 2));
    spells(keep(corm_in(tuple, keep(corm_bind_list(numbers, 2, 2, NULL)))), "(users.id, users.age) IN (VALUES (1, 2))");

    corm_compiled *compiled;
    assert_int_equal(corm_compile(corm_dialect_find("sqlite"), select, NULL, &compiled), CORM_OK);
    corm_vector binds = {0};
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_node_collect_binds(select, &binds), CORM_OK);
    assert_int_equal(corm_execution_prepare(&execution, compiled, &binds, NULL), CORM_OK);
    assert_string_equal(execution.sql, "SELECT users.id \nFROM users \nWHERE users.id IN (?, ?)");
    assert_int_equal(execution.count, 2);
    assert_int_equal(execution.values[1].as.integer, 2);
    corm_node *empty =
        where(select_of(1, user("id")),
              keep(corm_in(user("id"), keep(corm_bind_list(NULL, 0, 1, corm_type_of_kind(CORM_TYPE_INTEGER))))));
    binds.count = 0;
    assert_int_equal(corm_node_collect_binds(empty, &binds), CORM_OK);
    assert_int_equal(corm_execution_prepare(&execution, compiled, &binds, NULL), CORM_OK);
    assert_string_equal(execution.sql,
                        "SELECT users.id \nFROM users \nWHERE users.id IN (SELECT 1 FROM (SELECT 1) WHERE 1!=1)");
    assert_int_equal(execution.count, 0);
    corm_execution_clear(&execution);
    corm_vector_clear(&binds);
    corm_compiled_unref(compiled);
}

static void subqueries_correlate_to_what_encloses_them(void **state) {
    (void)state;
    corm_node *same = op(CORM_OP_EQ, address("user_id"), user("id"));
    corm_node *star = keep(corm_star());
    corm_node *exists = keep(corm_exists(where(select_of(1, star), same)));
    shows(where(select_of(1, user("id")), exists), "SELECT users.id \nFROM users \nWHERE EXISTS (SELECT * "
                                                   "\nFROM addresses \nWHERE addresses.user_id = users.id)");
    shows(where(select_of(1, user("id")), keep(corm_not(exists))),
          "SELECT users.id \nFROM users \nWHERE NOT (EXISTS (SELECT * \nFROM addresses \nWHERE "
          "addresses.user_id = "
          "users.id))");
    corm_node *count = where(select_of(1, call("count", address("id"))), same);
    shows(select_of(2, user("id"), keep(corm_scalar_subquery(count))),
          "SELECT users.id, (SELECT count(addresses.id) AS count_1 \nFROM addresses \nWHERE "
          "addresses.user_id = users.id) "
          "AS anon_1 \nFROM users");
    corm_node *in = keep(corm_in(user("id"), select_of(1, address("user_id"))));
    shows(where(select_of(1, user("id")), keep(corm_not(in))),
          "SELECT users.id \nFROM users \nWHERE (users.id NOT IN (SELECT addresses.user_id \nFROM addresses))");
    corm_node *sub = alias(select_of(1, addresses()), NULL);
    shows(keep(corm_select_join(select_of(1, user("id")), NULL, sub,
                                op(CORM_OP_EQ, column_of(sub, "user_id"), user("id")), 0)),
          "SELECT users.id \nFROM users JOIN (SELECT addresses.id AS id, addresses.user_id AS user_id, "
          "addresses.email AS "
          "email \nFROM addresses) AS anon_1 ON anon_1.user_id = users.id");
    sub = alias(select_of(3, user("id"), op_int(CORM_OP_ADD, user("age"), 1), address("id")), NULL);
    shows(select_of(1, sub), "SELECT anon_1.id, anon_1.anon_2, anon_1.id_1 \nFROM (SELECT users.id AS id, users.age + "
                             ":age_1 AS anon_2, addresses.id AS id_1 \nFROM users, addresses) AS anon_1");
}

static void common_table_expressions_come_first(void **state) {
    (void)state;
    corm_node *cte = keep(
        corm_alias_new(where(select_of(1, address("id")), op_int(CORM_OP_GT, address("id"), 5)), "q", CORM_ALIAS_CTE));
    shows(select_of(1, cte), "WITH q AS \n(SELECT addresses.id AS id \nFROM addresses \nWHERE addresses.id > :id_1)\n "
                             "SELECT q.id \nFROM q");
    corm_node *base = select_of(1, user("id"));
    corm_node *before = keep(corm_alias_new(base, "t", CORM_ALIAS_CTE | CORM_ALIAS_RECURSIVE));
    corm_node *step = where(select_of(1, address("id")), op(CORM_OP_EQ, address("user_id"), column_of(before, "id")));
    corm_node *branches[2] = {base, step};
    corm_node *both = keep(corm_compound_new(CORM_OP_UNION_ALL, branches, 2));
    corm_node *tree = keep(corm_alias_new(both, "t", CORM_ALIAS_CTE | CORM_ALIAS_RECURSIVE));
    shows(select_of(1, tree), "WITH RECURSIVE t(id) AS \n(SELECT users.id AS id \nFROM users UNION ALL "
                              "SELECT addresses.id AS id \nFROM "
                              "addresses, t \nWHERE addresses.user_id = t.id)\n SELECT t.id \nFROM t");
}

static void compound_selects_are_put_together(void **state) {
    (void)state;
    corm_node *first = select_of(1, user("id"));
    corm_node *branches[2] = {first, select_of(1, address("id"))};
    corm_node *both = keep(corm_compound_new(CORM_OP_UNION, branches, 2));
    corm_node *order = keep(corm_label_reference("id"));
    both = keep(corm_select_order_by(both, &order, 1));
    shows(keep(corm_select_limit(both, 5)), "SELECT users.id \nFROM users UNION SELECT addresses.id \nFROM "
                                            "addresses ORDER BY id\n LIMIT :param_1");
    branches[0] = keep(corm_select_limit(first, 3));
    shows(keep(corm_compound_new(CORM_OP_UNION_ALL, branches, 2)),
          "(SELECT users.id \nFROM users\n LIMIT :param_1) UNION ALL SELECT addresses.id \nFROM addresses");
}

static void order_by_calls_selected_columns_by_their_labels(void **state) {
    (void)state;
    corm_node *named = label(user("id"), "x");
    corm_node *select = select_of(1, named);
    corm_node *order = keep(corm_unary_new(CORM_OP_DESC, named));
    shows(keep(corm_select_order_by(select, &order, 1)), "SELECT users.id AS x \nFROM users ORDER BY x DESC");
    shows(keep(corm_select_group_by(select, &named, 1)), "SELECT users.id AS x \nFROM users GROUP BY users.id");
    shows(where(select, op_int(CORM_OP_EQ, named, 5)), "SELECT users.id AS x \nFROM users \nWHERE users.id = :param_1");
    order = keep(corm_label_reference("name"));
    shows(keep(corm_select_order_by(select_of(1, user("name")), &order, 1)),
          "SELECT users.name \nFROM users ORDER BY users.name");
    order = keep(corm_label_reference("zork"));
    refuses(keep(corm_select_order_by(select, &order, 1)), CORM_COMPILE_ERROR, "Can't resolve label reference");
}

static void inserts_take_values_keys_or_everything(void **state) {
    (void)state;
    corm_node *insert = keep(corm_insert_new(users()));
    shows(insert, "INSERT INTO users (id, name, age, ok) VALUES (:id, :name, :age, :ok)");
    corm_node *columns[2] = {user("name"), user("id")};
    corm_value x = text_value("x");
    corm_node *values[2] = {keep(corm_bind_new(&x, NULL)), literal_int(5)};
    corm_node *given = keep(corm_dml_values(insert, columns, values, 2));
    shows(given, "INSERT INTO users (id, name) VALUES (:id, :name)");
    spells(given, "INSERT INTO users (id, name) VALUES (5, 'x')");
    corm_node *id = user("id");
    sends(keep(corm_dml_returning(given, &id, 1)), "INSERT INTO users (id, name) VALUES (?, ?) RETURNING id");
    corm_node *rows[2] = {values[0], call("now", NULL)};
    shows(keep(corm_insert_rows(insert, columns, 1, rows, 2)), "INSERT INTO users (name) VALUES (:name_m0), (now())");
    corm_compile_options options = {.column_keys = (const char *const[]){"name"}, .column_key_count = 1};
    corm_compiled *compiled;
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    assert_int_equal(corm_compile(sqlite, insert, &options, &compiled), CORM_OK);
    assert_string_equal(corm_compiled_text(compiled, NULL), "INSERT INTO users (name) VALUES (?)");
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_execution_prepare(&execution, compiled, NULL, NULL), CORM_STATEMENT_ERROR);
    corm_named_values named = {1, (const char *const[]){"name"}, &x, NULL, NULL};
    assert_int_equal(corm_execution_prepare(&execution, compiled, NULL, &named), CORM_OK);
    assert_memory_equal(execution.values[0].as.text.data, "x", 1);
    corm_execution_clear(&execution);
    corm_compiled_unref(compiled);
    options.column_key_count = 0;
    assert_int_equal(corm_compile(sqlite, insert, &options, &compiled), CORM_OK);
    assert_string_equal(corm_compiled_text(compiled, NULL), "INSERT INTO users DEFAULT VALUES");
    corm_compiled_unref(compiled);
    options = (corm_compile_options){.column_keys = (const char *const[]){"zork"}, .column_key_count = 1};
    assert_int_equal(corm_compile(sqlite, insert, &options, &compiled), CORM_COMPILE_ERROR);
    assert_string_equal(corm_error_last()->message, "Unconsumed column names: zork");
    shows(keep(corm_insert_from_select(insert, columns, 1, select_of(1, address("email")))),
          "INSERT INTO users (name) SELECT addresses.email \nFROM addresses");
    corm_node *targets = keep(corm_list_new(CORM_OP_COMMA, &id, 1));
    corm_node *excluded = keep(corm_excluded("name", user("name")->type));
    corm_node *set = keep(corm_list_new(CORM_OP_COMMA, columns, 1));
    corm_node *to = keep(corm_list_new(CORM_OP_COMMA, &excluded, 1));
    corm_node *conflict = keep(corm_conflict_new(targets, NULL, set, to, NULL));
    sends(keep(corm_dml_with_part(given, CORM_DML_CONFLICT, conflict)),
          "INSERT INTO users (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name");
}

static void updates_and_deletes(void **state) {
    (void)state;
    corm_node *update = keep(corm_update_new(users()));
    corm_node *columns[2] = {user("name"), user("age")};
    corm_value x = text_value("x");
    corm_node *values[2] = {keep(corm_bind_new(&x, NULL)), op_int(CORM_OP_ADD, user("age"), 1)};
    corm_node *set = keep(corm_dml_values(update, columns, values, 2));
    set = keep(corm_dml_where(set, op_text(CORM_OP_EQ, user("name"), "q")));
    shows(keep(corm_dml_where(set, op_int(CORM_OP_EQ, user("age"), 2))),
          "UPDATE users SET name=:name, age=(users.age + :age_1) WHERE users.name = :name_1 AND users.age = "
          ":age_2");
    corm_node *email[1] = {address("email")};
    corm_node *many = keep(corm_dml_values(update, columns, email, 1));
    sends(keep(corm_dml_where(many, op(CORM_OP_EQ, user("id"), address("user_id")))),
          "UPDATE users SET name=addresses.email FROM addresses WHERE users.id = addresses.user_id");
    corm_node *delete_all = keep(corm_delete_new(users()));
    shows(delete_all, "DELETE FROM users");
    shows(keep(corm_dml_where(delete_all, op_int(CORM_OP_EQ, user("id"), 4))),
          "DELETE FROM users WHERE users.id = :id_1");
    refuses(keep(corm_dml_where(delete_all, op(CORM_OP_EQ, user("id"), address("user_id")))),
            CORM_UNSUPPORTED_COMPILATION, "multiple-table");
    corm_node *exists =
        keep(corm_exists(where(select_of(1, keep(corm_star())), op(CORM_OP_EQ, address("user_id"), user("id")))));
    shows(keep(corm_dml_where(delete_all, exists)),
          "DELETE FROM users WHERE EXISTS (SELECT * \nFROM addresses \nWHERE addresses.user_id = users.id)");
}

static void text_keeps_its_colons_and_binds_its_names(void **state) {
    (void)state;
    corm_node *text = keep(corm_text_new("select :x, a::int, \\:y, ':z' from t where b=:x", NULL, 0, NULL, 0));
    shows(text, "select :x, a::int, :y, ':z' from t where b=:x");
    sends(keep(corm_text_new("select :x, :y", NULL, 0, NULL, 0)), "select ?, ?");
    corm_value five = corm_value_integer(5);
    corm_node *bind = keep(corm_bind_named("zork", &five, NULL, false));
    assert_null(corm_text_with_binds(text, &bind, 1));
    assert_string_equal(corm_error_last()->message,
                        "This text() construct doesn't define a bound parameter named 'zork'");
}

static void identifiers_are_quoted_where_they_must_be(void **state) {
    (void)state;
    corm_node *odd = alias(addresses(), "Foo \"Bar");
    shows(select_of(2, column_of(odd, "email"), keep(corm_plain_column("select", NULL))),
          "SELECT \"Foo \"\"Bar\".email, \"select\" \nFROM addresses AS \"Foo \"\"Bar\"");
    corm_value quote = text_value("it's");
    spells(keep(corm_bind_new(&quote, NULL)), "'it''s'");
    corm_value zero = corm_value_bytes(CORM_KIND_TEXT, "a\0b", 3);
    corm_text out = CORM_TEXT_EMPTY;
    assert_int_equal(
        corm_dialect_literal(corm_dialect_find("sqlite"), corm_type_of_kind(CORM_TYPE_STRING), &zero, &out),
        CORM_COMPILE_ERROR);
    corm_text_clear(&out);
    assert_int_equal(corm_dialect_identifier(corm_dialect_find("sqlite"), "", &out), CORM_COMPILE_ERROR);
    corm_text_clear(&out);
}

static corm_node *by_id(int64_t id) {
    return where(select_of(1, users()), op_int(CORM_OP_EQ, user("id"), id));
}

static void an_equal_statement_is_found_with_its_own_values(void **state) {
    (void)state;
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    corm_statement_cache *cache;
    corm_vector binds = {0};
    corm_cached *cached;
    corm_compiled *compiled;
    assert_int_equal(corm_statement_cache_new(2, &cache), CORM_OK);
    corm_node *first = by_id(1);
    assert_int_equal(corm_statement_cache_find(cache, sqlite, first, 0, &binds, &cached), CORM_OK);
    assert_null(cached);
    assert_int_equal(corm_compile(sqlite, first, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_statement_cache_put(cache, sqlite, first, 0, compiled, NULL, NULL, &cached), CORM_OK);
    corm_compiled_unref(compiled);
    corm_cached_unref(cached);

    corm_node *second = by_id(42);
    assert_int_equal(corm_statement_cache_find(cache, sqlite, second, 0, &binds, &cached), CORM_OK);
    assert_non_null(cached);
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_execution_prepare(&execution, cached->compiled, &binds, NULL), CORM_OK);
    assert_int_equal(execution.count, 1);
    assert_int_equal(execution.values[0].as.integer, 42);
    corm_cached_unref(cached);

    corm_node *other = where(select_of(1, users()), op_int(CORM_OP_GT, user("id"), 1));
    assert_int_equal(corm_statement_cache_find(cache, sqlite, other, 0, &binds, &cached), CORM_OK);
    assert_null(cached);
    assert_int_equal(corm_statement_cache_find(cache, sqlite, second, 7, &binds, &cached), CORM_OK);
    assert_null(cached);
    corm_execution_clear(&execution);
    corm_vector_clear(&binds);
    corm_statement_cache_free(cache);
}

static void aliases_are_told_apart_by_their_places(void **state) {
    (void)state;
    corm_node *a = alias(addresses(), NULL);
    corm_node *b = alias(addresses(), NULL);
    corm_node *c = alias(addresses(), NULL);
    corm_node *d = alias(addresses(), NULL);
    corm_node *crossed = where(select_of(2, a, b), op(CORM_OP_EQ, column_of(a, "id"), column_of(b, "user_id")));
    corm_node *again = where(select_of(2, c, d), op(CORM_OP_EQ, column_of(c, "id"), column_of(d, "user_id")));
    corm_node *same = where(select_of(2, c, d), op(CORM_OP_EQ, column_of(c, "id"), column_of(c, "user_id")));
    assert_true(corm_node_equal(crossed, again));
    assert_false(corm_node_equal(crossed, same));
    assert_false(corm_node_equal(same, crossed));
}

static void one_bind_in_two_places_is_not_two(void **state) {
    (void)state;
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    corm_statement_cache *cache;
    corm_vector binds = {0};
    corm_cached *cached;
    corm_compiled *compiled;
    corm_node *one = literal_int(1), *two = literal_int(2);
    corm_node *shared =
        where(where(select_of(1, user("id")), op(CORM_OP_GT, user("id"), one)), op(CORM_OP_LT, user("age"), one));
    corm_node *apart =
        where(where(select_of(1, user("id")), op(CORM_OP_GT, user("id"), one)), op(CORM_OP_LT, user("age"), two));
    assert_int_equal(corm_statement_cache_new(0, &cache), CORM_OK);
    assert_int_equal(corm_compile(sqlite, shared, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_statement_cache_put(cache, sqlite, shared, 0, compiled, NULL, NULL, &cached), CORM_OK);
    corm_cached_unref(cached);
    corm_compiled_unref(compiled);
    assert_int_equal(corm_statement_cache_find(cache, sqlite, apart, 0, &binds, &cached), CORM_OK);
    assert_null(cached);
    corm_vector_clear(&binds);
    corm_statement_cache_free(cache);
}

static void the_cache_forgets_what_was_used_least(void **state) {
    (void)state;
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    corm_statement_cache *cache;
    corm_vector binds = {0};
    assert_int_equal(corm_statement_cache_new(10, &cache), CORM_OK);
    for (int i = 0; i < 100; i++) {
        corm_node *select =
            select_of(1, label(user("id"), (char[]){'a', (char)('a' + i / 26), (char)('a' + i % 26), 0}));
        corm_compiled *compiled;
        corm_cached *cached;
        assert_int_equal(corm_compile(sqlite, select, NULL, &compiled), CORM_OK);
        assert_int_equal(corm_statement_cache_put(cache, sqlite, select, 0, compiled, NULL, NULL, &cached), CORM_OK);
        corm_cached_unref(cached);
        corm_compiled_unref(compiled);
    }
    assert_int_equal(corm_statement_cache_count(cache), 10);
    corm_vector_clear(&binds);
    corm_statement_cache_free(cache);
}

static void wide_and_deep_statements_compile(void **state) {
    (void)state;
    enum { MANY = 100000 };
    corm_value *values = corm_alloc_array(MANY, sizeof *values);
    for (size_t i = 0; i < MANY; i++)
        values[i] = corm_value_integer((int64_t)i);
    corm_node *wide =
        where(select_of(1, user("id")), keep(corm_in(user("id"), keep(corm_bind_list(values, MANY, 1, NULL)))));
    corm_free(values);
    corm_compiled *compiled;
    corm_vector binds = {0};
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_compile(corm_dialect_find("sqlite"), wide, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_node_collect_binds(wide, &binds), CORM_OK);
    assert_int_equal(corm_execution_prepare(&execution, compiled, &binds, NULL), CORM_OK);
    assert_int_equal(execution.count, MANY);
    corm_execution_clear(&execution);
    corm_compiled_unref(compiled);
    corm_vector_clear(&binds);

    corm_node *chain = corm_node_ref(op_int(CORM_OP_EQ, user("id"), 0));
    for (int64_t i = 1; i < MANY; i++) {
        corm_value value = corm_value_integer(i);
        corm_node *next = corm_binary_value(CORM_OP_EQ, user("id"), &value);
        corm_node *both = corm_or2(chain, next);
        corm_node_unref(next);
        corm_node_unref(chain);
        chain = both;
    }
    corm_node *deep = where(select_of(1, user("id")), keep(chain));
    assert_int_equal(corm_compile(corm_dialect_find("sqlite"), deep, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_compiled_parameter_count(compiled), MANY);
    corm_compiled_unref(compiled);
}

static void storage_is_converted_both_ways(void **state) {
    (void)state;
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    corm_scratch scratch = {0};
    corm_value in = {.kind = CORM_KIND_DATETIME};
    in.as.datetime = (corm_datetime){.year = 2024, .month = 2, .day = 29, .hour = 13, .minute = 5, .second = 7};
    corm_value out, back;
    char room[CORM_RESULT_ROOM];
    corm_type *type = corm_type_of_kind(CORM_TYPE_DATETIME);
    assert_int_equal(corm_convert_parameter(sqlite, type, &in, &out, &scratch), CORM_OK);
    assert_int_equal(out.as.text.size, strlen("2024-02-29 13:05:07.000000"));
    assert_memory_equal(out.as.text.data, "2024-02-29 13:05:07.000000", out.as.text.size);
    assert_int_equal(sqlite->result_converter(type)(type, &out, &back, room), CORM_OK);
    assert_true(corm_value_equal(&in, &back));
    corm_value wrong = text_value("zork");
    assert_int_equal(corm_convert_parameter(sqlite, type, &wrong, &out, &scratch), CORM_STATEMENT_ERROR);
    assert_int_equal(sqlite->result_converter(type)(type, &wrong, &back, room), CORM_VALUE_ERROR);
    assert_non_null(strstr(corm_error_last()->message, "zork"));
    corm_type *exact = corm_type_new(
        CORM_TYPE_NUMERIC, &(corm_type_options){.scale = -1, .precision = -1, .length = -1, .as_decimal = true});
    corm_value number = corm_value_float(1.5);
    assert_int_equal(sqlite->result_converter(exact)(exact, &number, &back, room), CORM_OK);
    assert_memory_equal(back.as.text.data, "1.5000000000", 12);
    corm_type_unref(exact);
    corm_scratch_clear(&scratch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_story, close_story)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_select_of_a_table_names_its_columns),
        TEST(joins_are_found_along_foreign_keys),
        TEST(labels_keep_names_apart),
        TEST(parentheses_stand_where_precedence_wants_them),
        TEST(operators_are_negated_and_spelled),
        TEST(truth_depends_on_the_dialect),
        TEST(lists_are_expanded_when_executing),
        TEST(subqueries_correlate_to_what_encloses_them),
        TEST(common_table_expressions_come_first),
        TEST(compound_selects_are_put_together),
        TEST(order_by_calls_selected_columns_by_their_labels),
        TEST(inserts_take_values_keys_or_everything),
        TEST(updates_and_deletes),
        TEST(text_keeps_its_colons_and_binds_its_names),
        TEST(identifiers_are_quoted_where_they_must_be),
        TEST(an_equal_statement_is_found_with_its_own_values),
        TEST(aliases_are_told_apart_by_their_places),
        TEST(one_bind_in_two_places_is_not_two),
        TEST(the_cache_forgets_what_was_used_least),
        TEST(wide_and_deep_statements_compile),
        TEST(storage_is_converted_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
