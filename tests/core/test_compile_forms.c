/* The less common forms of SQL, each as users know its text. */
#include "sql_story.h"

static corm_node *list_of(size_t count, ...) {
    corm_node *nodes[16];
    va_list arguments;
    va_start(arguments, count);
    for (size_t i = 0; i < count; i++)
        nodes[i] = va_arg(arguments, corm_node *);
    va_end(arguments);
    return keep(corm_list_new(CORM_OP_COMMA, nodes, count));
}
static corm_node *unary(corm_operator which, corm_node *operand) {
    return keep(corm_unary_new(which, operand));
}
static corm_node *not_(corm_node *operand) {
    return keep(corm_not(operand));
}

static void windows_and_filters(void **state) {
    (void)state;
    corm_node *id = user("id");
    corm_node *sum = call("sum", id);
    corm_node *number = call("row_number", NULL);
    shows(select_of(1, keep(corm_over(number, list_of(1, user("name")), list_of(1, id)))),
          "SELECT row_number() OVER (PARTITION BY users.name ORDER BY users.id) AS anon_1 \nFROM users");
    shows(select_of(3, keep(corm_over(sum, NULL, NULL)),
                    label(keep(corm_over(sum, NULL, list_of(1, unary(CORM_OP_DESC, id)))), "w"),
                    op(CORM_OP_FILTER, call("count", NULL), op_int(CORM_OP_GT, id, 4))),
          "SELECT sum(users.id) OVER () AS anon_1, sum(users.id) OVER (ORDER BY users.id DESC) AS w, "
          "count(*) FILTER (WHERE "
          "users.id > :id_1) AS anon_2 \nFROM users");
    shows(select_of(2, call("count", unary(CORM_OP_DISTINCT, id)), unary(CORM_OP_DISTINCT, id)),
          "SELECT count(DISTINCT users.id) AS count_1, DISTINCT users.id \nFROM users");
}

static void grouping_ordering_and_distinct(void **state) {
    (void)state;
    corm_node *id = user("id");
    corm_node *name = user("name");
    corm_node *select = keep(corm_select_group_by(select_of(1, id), &name, 1));
    select = keep(corm_select_having(select, op_int(CORM_OP_GT, call("count", NULL), 1)));
    select = keep(corm_select_distinct(select));
    corm_node *orders[2] = {unary(CORM_OP_NULLS_LAST, unary(CORM_OP_DESC, id)), unary(CORM_OP_ASC, name)};
    shows(keep(corm_select_order_by(select, orders, 2)),
          "SELECT DISTINCT users.id \nFROM users GROUP BY users.name \nHAVING count(*) > :count_1 ORDER BY "
          "users.id DESC NULLS "
          "LAST, users.name ASC");
    shows(keep(corm_select_offset(select_of(1, id), 3)), "SELECT users.id \nFROM users\n LIMIT -1 OFFSET :param_1");
    sends(keep(corm_select_offset(select_of(1, id), 3)), "SELECT users.id \nFROM users\n LIMIT ? OFFSET ?");
}

static void functions_are_labelled_and_dotted(void **state) {
    (void)state;
    corm_value one = corm_value_integer(1);
    corm_value x = text_value("x");
    corm_node *arguments[2] = {user("name"), keep(corm_bind_compared(user("name"), &x))};
    corm_node *coalesce = keep(corm_function_new("coalesce", arguments, 2, NULL));
    corm_node *bound = keep(corm_bind_compared(user("id"), &one));
    shows(
        select_of(4, label(coalesce, "q"), call("now", NULL), call("current_timestamp", NULL), call("foo.bar", bound)),
        "SELECT coalesce(users.name, :coalesce_1) AS q, now() AS now_1, CURRENT_TIMESTAMP AS "
        "current_timestamp_1, "
        "foo.bar(:bar_2) AS bar_1 \nFROM users");
    shows(op_text(CORM_OP_EQ, call("lower", user("name")), "x"), "lower(users.name) = :lower_1");
    shows(op_int(CORM_OP_ADD, call("sum", op_int(CORM_OP_ADD, user("id"), 1)), 1), "sum(users.id + :id_1) + :sum_1");
}

static void strings_collate_match_and_concatenate(void **state) {
    (void)state;
    corm_node *name = user("name");
    corm_node *collation = keep(corm_literal_column("NOCASE", NULL));
    shows(select_of(1, op(CORM_OP_COLLATE, name, collation)),
          "SELECT users.name COLLATE \"NOCASE\" AS anon_1 \nFROM users");
    shows(op_text(CORM_OP_LIKE, op(CORM_OP_COLLATE, name, collation), "y"),
          "(users.name COLLATE \"NOCASE\") LIKE :param_1");
    sends(op_text(CORM_OP_REGEXP_MATCH, name, "x"), "users.name REGEXP ?");
    shows(op_text(CORM_OP_REGEXP_MATCH, name, "x"), "users.name <regexp> :name_1");
    shows(op_text(CORM_OP_ADD, op_text(CORM_OP_ADD, name, "a"), "b"), "users.name || :name_1 || :param_1");
    shows(not_(op_text(CORM_OP_ADD, name, "x")), "NOT (users.name || :name_1)");
    shows(keep(corm_binary_custom("~~", name, name, false, NULL)), "users.name ~~ users.name");
    corm_node *starts = keep(corm_binary_text_match(CORM_OP_STARTSWITH, name, "a", 1, "/", true));
    corm_node *contains = keep(corm_binary_text_match(CORM_OP_ICONTAINS, name, "b", 1, NULL, false));
    shows(keep(corm_or2(starts, contains)), "(users.name LIKE :name_1 || '%' ESCAPE '/') OR "
                                            "(lower(users.name) LIKE '%' || lower(:name_2) || '%')");
}

static void lists_hold_expressions_and_tuples(void **state) {
    (void)state;
    shows(keep(corm_in(user("id"), list_of(2, keep(corm_literal_column("1", NULL)), user("age")))),
          "users.id IN (1, users.age)");
    corm_value one = corm_value_integer(1);
    corm_node *pair = list_of(2, user("id"), user("age"));
    shows(op(CORM_OP_EQ, pair, list_of(2, literal_int(1), keep(corm_bind_new(&one, NULL)))),
          "(users.id, users.age) = (:param_1, :param_2)");
    corm_node *ids = keep(corm_bind_list_named("ids", NULL, 0, 1, NULL, true));
    shows(keep(corm_in(user("id"), ids)), "users.id IN (__[POSTCOMPILE_ids])");
    refuses(select_of(1, pair), CORM_COMPILE_ERROR, "SELECTing from a tuple");
}

static void exists_is_parenthesised_beside_others(void **state) {
    (void)state;
    corm_node *same = op(CORM_OP_EQ, address("user_id"), user("id"));
    corm_node *exists = keep(corm_exists(where(select_of(1, address("id")), same)));
    shows(where(where(select_of(1, user("id")), exists), op_int(CORM_OP_EQ, user("id"), 1)),
          "SELECT users.id \nFROM users \nWHERE (EXISTS (SELECT addresses.id \nFROM addresses \nWHERE "
          "addresses.user_id = "
          "users.id)) AND users.id = :id_1");
    shows(select_of(1, keep(corm_exists(select_of(1, user("id"))))),
          "SELECT EXISTS (SELECT users.id \nFROM users) AS anon_1");
}

static void correlation_can_be_said(void **state) {
    (void)state;
    corm_node *inner = where(select_of(1, user("id")), op(CORM_OP_EQ, user("id"), address("id")));
    corm_node *alone = keep(corm_select_with_detail(inner, 0, CORM_SELECT_NO_CORRELATE));
    shows(where(select_of(1, address("id")), keep(corm_in(address("id"), alone))),
          "SELECT addresses.id \nFROM addresses \nWHERE addresses.id IN (SELECT users.id \nFROM users, "
          "addresses \nWHERE "
          "users.id = addresses.id)");
    shows(where(select_of(1, address("id")), keep(corm_in(address("id"), inner))),
          "SELECT addresses.id \nFROM addresses \nWHERE addresses.id IN (SELECT users.id \nFROM users "
          "\nWHERE users.id = "
          "addresses.id)");
}

static void froms_may_be_text_and_explicit(void **state) {
    (void)state;
    corm_node *foo = keep(corm_text_new("foo", NULL, 0, NULL, 0));
    shows(keep(corm_select_from(select_of(1, keep(corm_text_new("1", NULL, 0, NULL, 0))), foo)), "SELECT 1 \nFROM foo");
    shows(keep(corm_select_from(select_of(1, call("count", NULL)), users())),
          "SELECT count(*) AS count_1 \nFROM users");
    corm_node *join = keep(corm_join_new(users(), addresses(), NULL, CORM_JOIN_FULL));
    shows(where(keep(corm_select_from(select_of(1, user("id")), join)), op_int(CORM_OP_EQ, address("id"), 5)),
          "SELECT users.id \nFROM users FULL OUTER JOIN addresses ON users.id = addresses.user_id \nWHERE "
          "addresses.id = "
          ":id_1");
    shows(keep(corm_select_join(select_of(2, address("id"), user("id")), users(), addresses(), NULL, 0)),
          "SELECT addresses.id, users.id AS id_1 \nFROM users JOIN addresses ON users.id = addresses.user_id");
    corm_node *two = keep(corm_select_join(select_of(1, user("id")), NULL, addresses(), NULL, 0));
    corm_node *other = alias(addresses(), NULL);
    two = keep(corm_select_join(two, NULL, other, op(CORM_OP_EQ, column_of(other, "id"), address("id")), 0));
    shows(two, "SELECT users.id \nFROM users JOIN addresses ON users.id = addresses.user_id JOIN addresses "
               "AS addresses_1 ON "
               "addresses_1.id = addresses.id");
    sends(keep(corm_select_join(select_of(1, user("id")), NULL, other, corm_true(), 0)),
          "SELECT users.id \nFROM users JOIN addresses AS addresses_1 ON 1 = 1");
}

static void subqueries_of_unions_and_of_aliases(void **state) {
    (void)state;
    corm_node *branches[2] = {select_of(1, user("id")), select_of(1, address("id"))};
    corm_node *both = keep(corm_compound_new(CORM_OP_UNION, branches, 2));
    shows(select_of(1, alias(both, NULL)), "SELECT anon_1.id \nFROM (SELECT users.id AS id \nFROM users UNION SELECT "
                                           "addresses.id AS id \nFROM addresses) AS anon_1");
    corm_node *cte = keep(corm_alias_new(select_of(1, user("id")), "c1", CORM_ALIAS_CTE));
    corm_node *other = alias(cte, "z");
    shows(select_of(2, column_of(other, "id"), column_of(cte, "id")),
          "WITH c1 AS \n(SELECT users.id AS id \nFROM users)\n SELECT z.id, c1.id AS id_1 \nFROM c1 AS z, c1");
    corm_node *second = keep(corm_alias_new(
        where(select_of(1, column_of(cte, "id")), op_int(CORM_OP_GT, column_of(cte, "id"), 3)), "c2", CORM_ALIAS_CTE));
    shows(select_of(1, column_of(second, "id")), "WITH c1 AS \n(SELECT users.id AS id \nFROM users), \nc2 AS "
                                                 "\n(SELECT c1.id AS id \nFROM c1 \nWHERE c1.id > "
                                                 ":id_1)\n SELECT c2.id \nFROM c2");
    corm_node *insert = keep(corm_insert_new(users()));
    corm_node *id = user("id");
    shows(keep(corm_insert_from_select(insert, &id, 1, select_of(1, column_of(cte, "id")))),
          "WITH c1 AS \n(SELECT users.id AS id \nFROM users)\n INSERT INTO users (id) SELECT c1.id \nFROM c1");
    shows(select_of(1, alias(select_of(1, literal_int(1)), NULL)),
          "SELECT anon_2.anon_1 \nFROM (SELECT :param_1 AS anon_1) AS anon_2");
}

static void parameters_follow_the_text(void **state) {
    (void)state;
    corm_node *cte =
        keep(corm_alias_new(where(select_of(1, user("id")), op_int(CORM_OP_GT, user("id"), 1)), "c", CORM_ALIAS_CTE));
    corm_node *select =
        where(select_of(2, literal_int(2), column_of(cte, "id")), op_int(CORM_OP_LT, column_of(cte, "id"), 3));
    select = keep(corm_select_limit(select, 4));
    corm_compiled *compiled;
    corm_vector binds = {0};
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_compile(corm_dialect_find("sqlite"), select, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_node_collect_binds(select, &binds), CORM_OK);
    assert_int_equal(corm_execution_prepare(&execution, compiled, &binds, NULL), CORM_OK);
    assert_int_equal(execution.count, 5); /* SQLite's OFFSET 0 is one */
    for (int64_t i = 0; i < 4; i++)
        assert_int_equal(execution.values[i].as.integer, i + 1);
    corm_execution_clear(&execution);
    corm_vector_clear(&binds);
    corm_compiled_unref(compiled);
}

static void names_of_the_user_may_not_be_ours(void **state) {
    (void)state;
    corm_node *given = keep(corm_bind_named("id_1", NULL, NULL, false));
    refuses(
        where(where(select_of(1, user("id")), op_int(CORM_OP_EQ, user("id"), 3)), op(CORM_OP_EQ, user("name"), given)),
        CORM_COMPILE_ERROR, "conflicts with unique bind parameter");
}

static corm_status seven(void *context, corm_value *out) {
    (void)context;
    *out = corm_value_integer(7);
    return CORM_OK;
}

static void a_deferred_value_is_asked_for_when_executing(void **state) {
    (void)state;
    corm_node *bind = keep(corm_bind_deferred(seven, NULL, NULL, corm_type_of_kind(CORM_TYPE_INTEGER), "later"));
    corm_node *select = where(select_of(1, user("id")), op(CORM_OP_EQ, user("id"), bind));
    shows(select, "SELECT users.id \nFROM users \nWHERE users.id = :later_1");
    corm_compiled *compiled;
    corm_vector binds = {0};
    corm_execution execution = CORM_EXECUTION_EMPTY;
    assert_int_equal(corm_compile(corm_dialect_find("sqlite"), select, NULL, &compiled), CORM_OK);
    assert_int_equal(corm_node_collect_binds(select, &binds), CORM_OK);
    assert_int_equal(corm_execution_prepare(&execution, compiled, &binds, NULL), CORM_OK);
    assert_int_equal(execution.values[0].as.integer, 7);
    corm_execution_clear(&execution);
    corm_vector_clear(&binds);
    corm_compiled_unref(compiled);
}

static void defaults_come_with_inserts_and_updates(void **state) {
    (void)state;
    corm_column *age = corm_table_column(now.users, "age");
    corm_value ten = corm_value_integer(10);
    assert_int_equal(corm_column_set_default_value(age, false, &ten), CORM_OK);
    assert_int_equal(corm_column_set_default_expression(age, true, op_int(CORM_OP_ADD, user("age"), 1)), CORM_OK);
    corm_node *name = user("name");
    corm_value x = text_value("x");
    corm_node *value = keep(corm_bind_new(&x, NULL));
    spells(keep(corm_dml_values(keep(corm_insert_new(users())), &name, &value, 1)),
           "INSERT INTO users (name, age) VALUES ('x', 10)");
    spells(keep(corm_dml_values(keep(corm_update_new(users())), &name, &value, 1)),
           "UPDATE users SET name='x', age=(users.age + 1)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_story, close_story)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(windows_and_filters),
        TEST(grouping_ordering_and_distinct),
        TEST(functions_are_labelled_and_dotted),
        TEST(strings_collate_match_and_concatenate),
        TEST(lists_hold_expressions_and_tuples),
        TEST(exists_is_parenthesised_beside_others),
        TEST(correlation_can_be_said),
        TEST(froms_may_be_text_and_explicit),
        TEST(subqueries_of_unions_and_of_aliases),
        TEST(parameters_follow_the_text),
        TEST(names_of_the_user_may_not_be_ours),
        TEST(a_deferred_value_is_asked_for_when_executing),
        TEST(defaults_come_with_inserts_and_updates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
