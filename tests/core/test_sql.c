/* Nodes: counting, hashing, comparing, walking, rewriting, and what happens when memory is short. */
#include "sql_story.h"

#include "failing_memory.h"

static void a_null_argument_gives_null(void **state) {
    (void)state;
    assert_null(corm_binary_new(CORM_OP_EQ, NULL, user("id")));
    assert_null(corm_and2(user("id"), NULL));
    assert_null(corm_not(NULL));
    assert_null(corm_select_where(NULL, user("id")));
    assert_null(corm_select_where(select_of(1, user("id")), NULL));
    corm_node *nothing = NULL;
    assert_null(corm_select_new(&nothing, 1));
    assert_null(corm_function_new("f", &nothing, 1, NULL));
}

static void a_value_is_no_part_of_a_hash_but_its_type_is(void **state) {
    (void)state;
    corm_node *five = op_int(CORM_OP_EQ, user("id"), 5);
    assert_true(five->hash == op_int(CORM_OP_EQ, user("id"), 6)->hash);
    assert_true(corm_node_equal(five, op_int(CORM_OP_EQ, user("id"), 6)));
    assert_false(corm_node_equal(five, op_text(CORM_OP_EQ, user("id"), "6")));
    assert_false(corm_node_equal(five, op_int(CORM_OP_EQ, address("id"), 5)));
    assert_false(corm_node_equal(five, op_int(CORM_OP_NE, user("id"), 5)));
    corm_value many[3] = {corm_value_integer(1), corm_value_integer(2), corm_value_integer(3)};
    corm_node *two = keep(corm_in(user("id"), keep(corm_bind_list(many, 2, 1, NULL))));
    corm_node *three = keep(corm_in(user("id"), keep(corm_bind_list(many, 3, 1, NULL))));
    assert_true(corm_node_equal(two, three));
}

static void a_match_collects_the_fresh_values_in_order(void **state) {
    (void)state;
    corm_node *first = keep(corm_and2(op_int(CORM_OP_EQ, user("id"), 1), op_int(CORM_OP_GT, user("age"), 2)));
    corm_node *second = keep(corm_and2(op_int(CORM_OP_EQ, user("id"), 3), op_int(CORM_OP_GT, user("age"), 4)));
    corm_vector matched = {0}, collected = {0};
    bool matches;
    assert_int_equal(corm_node_match(first, second, &matched, &matches), CORM_OK);
    assert_true(matches);
    assert_int_equal(corm_node_collect_binds(second, &collected), CORM_OK);
    assert_int_equal(matched.count, 2);
    assert_int_equal(collected.count, 2);
    assert_memory_equal(matched.items, collected.items, 2 * sizeof(void *));
    corm_vector_clear(&matched);
    corm_vector_clear(&collected);
}

static corm_node *deep_chain(size_t count) {
    corm_node *chain = op_int(CORM_OP_EQ, user("id"), 0);
    corm_node_ref(chain);
    for (size_t i = 1; i < count && chain; i++) {
        corm_value value = corm_value_integer((int64_t)i);
        corm_node *next = corm_binary_value(CORM_OP_EQ, user("id"), &value);
        corm_node *both = i % 2 ? corm_or2(chain, next) : corm_and2(chain, next);
        corm_node_unref(next);
        corm_node_unref(chain);
        chain = both;
    }
    return chain;
}

static corm_walk_action count_node(void *context, corm_node *node) {
    (void)node;
    ++*(size_t *)context;
    return CORM_WALK_INTO;
}

static corm_status replace_nothing(void *context, corm_node *node, corm_node **out) {
    (void)context;
    (void)node;
    (void)out;
    return CORM_OK;
}

static corm_status user_to_address(void *context, corm_node *node, corm_node **out) {
    (void)context;
    if (node == user("id"))
        *out = corm_node_ref(address("id"));
    return CORM_OK;
}

static void a_chain_of_a_hundred_thousand_needs_no_stack(void **state) {
    (void)state;
    enum { MANY = 100000 };
    corm_node *chain = keep(deep_chain(MANY));
    corm_node *other = keep(deep_chain(MANY));
    assert_true(chain->depth < 10);
    assert_true(corm_node_equal(chain, other));
    size_t visited = 0;
    assert_int_equal(corm_node_walk(chain, count_node, &visited), CORM_OK);
    assert_int_equal(visited, MANY - 1 + MANY * 3);
    assert_ptr_equal(keep(corm_node_replace(chain, replace_nothing, NULL)), chain);
    corm_node *changed = keep(corm_node_replace(chain, user_to_address, NULL));
    assert_ptr_not_equal(changed, chain);
    corm_vector binds = {0};
    assert_int_equal(corm_node_collect_binds(changed, &binds), CORM_OK);
    assert_int_equal(binds.count, MANY);
    corm_vector_clear(&binds);
}

static void nesting_has_a_limit(void **state) {
    (void)state;
    corm_node *node = corm_node_ref(user("id"));
    size_t depth = 0;
    for (; node && depth < 10000; depth++) {
        corm_node *next = corm_function_new("f", &node, 1, NULL);
        corm_node_unref(node);
        node = next;
    }
    assert_null(node);
    assert_int_equal(corm_error_last()->status, CORM_COMPILE_ERROR);
    assert_true(depth > 1000 && depth < 3000);
}

static void rewriting_shares_what_stays_and_replaces_once(void **state) {
    (void)state;
    corm_node *kept = op_int(CORM_OP_EQ, user("name"), 5);
    corm_node *both = keep(corm_and2(kept, op_int(CORM_OP_EQ, user("id"), 6)));
    corm_node *changed = keep(corm_node_replace(both, user_to_address, NULL));
    assert_ptr_equal(corm_list_at(changed, 0), kept);
    shows(changed, "users.name = :name_1 AND addresses.id = :id_1");
}

static void constants_decide_and_or(void **state) {
    (void)state;
    corm_node *five = op_int(CORM_OP_EQ, user("id"), 5);
    assert_ptr_equal(corm_and2(corm_true(), five), five);
    corm_node_unref(five);
    assert_ptr_equal(corm_and2(corm_false(), five), corm_false());
    assert_ptr_equal(corm_or2(corm_true(), five), corm_true());
    assert_ptr_equal(corm_not(corm_true()), corm_false());
}

static void types_follow_operators(void **state) {
    (void)state;
    assert_int_equal(corm_node_type(op_int(CORM_OP_EQ, user("id"), 5))->kind, CORM_TYPE_BOOLEAN);
    assert_int_equal(corm_node_type(op_int(CORM_OP_ADD, user("id"), 5))->kind, CORM_TYPE_INTEGER);
    assert_int_equal(corm_node_type(op_int(CORM_OP_TRUE_DIV, user("id"), 5))->kind, CORM_TYPE_NUMERIC);
    assert_int_equal(op_text(CORM_OP_ADD, user("name"), "x")->op, CORM_OP_CONCAT);
    assert_int_equal(corm_node_type(call("count", user("name")))->kind, CORM_TYPE_INTEGER);
    assert_int_equal(corm_node_type(call("max", user("name")))->kind, CORM_TYPE_STRING);
}

static void columns_of_a_subquery_have_keys(void **state) {
    (void)state;
    corm_node *sub = alias(select_of(3, user("id"), address("id"), label(user("name"), "n")), "s");
    corm_vector columns = {0};
    assert_int_equal(corm_from_columns(sub, &columns), CORM_OK);
    assert_int_equal(columns.count, 3);
    assert_string_equal(corm_node_display_name(columns.items[0]), "id");
    assert_string_equal(corm_node_display_name(columns.items[1]), "id_1");
    assert_string_equal(corm_node_display_name(columns.items[2]), "n");
    corm_nodes_unref(&columns);
    corm_node *found = keep(corm_from_corresponding(sub, address("id")));
    assert_string_equal(corm_node_display_name(found), "id_1");
    assert_null(corm_from_column(sub, "zork"));
}

/* ---- short of memory ---- */

static bool build_and_compile(void) {
    corm_node *columns[1] = {users()};
    corm_value value = corm_value_integer(5);
    corm_node *select = corm_select_new(columns, 1);
    corm_node *criterion = corm_binary_value(CORM_OP_EQ, user("id"), &value);
    corm_node *filtered = corm_select_where(select, criterion);
    corm_node *named = corm_alias_new(addresses(), NULL, 0);
    corm_node *joined = corm_select_join(filtered, NULL, named, NULL, 0);
    corm_node *listed = corm_bind_list(&value, 1, 1, NULL);
    corm_node *in = corm_in(user("age"), listed);
    corm_node *whole = corm_select_where(joined, in);
    corm_compiled *compiled = NULL;
    corm_execution execution = CORM_EXECUTION_EMPTY;
    corm_statement_cache *cache = NULL;
    corm_cached *cached = NULL;
    corm_vector binds = {0};
    const corm_dialect *sqlite = corm_dialect_find("sqlite");
    bool succeeded =
        whole && !corm_compile(sqlite, whole, NULL, &compiled) && !corm_node_collect_binds(whole, &binds) &&
        !corm_execution_prepare(&execution, compiled, &binds, NULL) && !corm_statement_cache_new(4, &cache) &&
        !corm_statement_cache_put(cache, sqlite, whole, 0, compiled, NULL, NULL, &cached);
    corm_cached_unref(cached);
    cached = NULL;
    succeeded = succeeded && !corm_statement_cache_find(cache, sqlite, whole, 0, &binds, &cached) && cached;
    corm_cached_unref(cached);
    corm_statement_cache_free(cache);
    corm_vector_clear(&binds);
    corm_execution_clear(&execution);
    corm_compiled_unref(compiled);
    corm_node *made[] = {select, criterion, filtered, named, joined, listed, in, whole};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        corm_node_unref(made[i]);
    return succeeded;
}

static bool rewrite_and_write(void) {
    corm_value x = text_value("x");
    corm_node *columns[1] = {user("name")};
    corm_node *bind = corm_bind_named("x", &x, NULL, false);
    corm_node *update = corm_update_new(users());
    corm_node *set = corm_dml_values(update, columns, &bind, 1);
    corm_node *criterion = corm_binary_new(CORM_OP_EQ, user("id"), address("user_id"));
    corm_node *filtered = corm_dml_where(set, criterion);
    corm_node *text = corm_text_new("select :x", &bind, 1, NULL, 0);
    corm_node *cte = corm_alias_new(text, "q", CORM_ALIAS_CTE);
    corm_node *rewritten = corm_node_replace(criterion, user_to_address, NULL);
    corm_compiled *compiled = NULL, *second = NULL;
    corm_text ddl = CORM_TEXT_EMPTY;
    bool succeeded = filtered && rewritten && cte && !corm_compile(NULL, filtered, NULL, &compiled) &&
                     !corm_compile(NULL, text, NULL, &second) &&
                     !corm_ddl_create_table(corm_dialect_default(), now.addresses, 0, NULL, &ddl);
    corm_text_clear(&ddl);
    corm_compiled_unref(compiled);
    corm_compiled_unref(second);
    corm_node *made[] = {bind, update, set, criterion, filtered, text, cte, rewritten};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        corm_node_unref(made[i]);
    return succeeded;
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    each_allocation_fails(build_and_compile, 2000);
    each_allocation_fails(rewrite_and_write, 2000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_story, close_story)

int main(void) {
    memory_install();
    const struct CMUnitTest tests[] = {
        TEST(a_null_argument_gives_null),
        TEST(a_value_is_no_part_of_a_hash_but_its_type_is),
        TEST(a_match_collects_the_fresh_values_in_order),
        TEST(a_chain_of_a_hundred_thousand_needs_no_stack),
        TEST(nesting_has_a_limit),
        TEST(rewriting_shares_what_stays_and_replaces_once),
        TEST(constants_decide_and_or),
        TEST(types_follow_operators),
        TEST(columns_of_a_subquery_have_keys),
        TEST(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
