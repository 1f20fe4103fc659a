/* Queries: joins, order, groups, rows of mixed columns, aliases; how results are walked and left; many rows at once. */
#include "differences.h"

/* ann 20 (a1, a2), bob 30 (b1), cid 30, without address */
static int people(void **state) {
    set_up(state);
    user *ann = new_user("ann"), *bob = new_user("bob"), *cid = new_user("cid");
    ann->age = corm_int_of(20);
    bob->age = cid->age = corm_int_of(30);
    new_address(ann, "a1");
    new_address(ann, "a2");
    new_address(bob, "b1");
    ok(corm_commit(now.session));
    return 0;
}
#define over_people(name) cmocka_unit_test_setup_teardown(name, people, tear_down)

/* All rows of a query as "a,b; c,d"; NULL is "-". Frees the query. */
static const char *rows(corm_query *query, size_t columns) {
    static char text[1024];
    text[0] = '\0';
    while (corm_next_row(now.session, query)) {
        strcat(text, text[0] == '\0' ? "" : "; ");
        for (size_t i = 0; i < columns; i++) {
            const char *value = corm_row_text(query, i);
            strcat(text, i == 0 ? "" : ",");
            strcat(text, value == NULL ? "-" : value);
        }
    }
    ok(corm_error_last()->status);
    corm_query_free(query);
    return text;
}

static corm_query *names(void) {
    corm_query *query = corm_query_new();
    corm_pick(query, corm_column(user, name));
    return query;
}

static void order_limit_and_offset(void **state) {
    (void)state;
    corm_query *query = names();
    corm_order_by(query, corm_desc(corm_column(user, age)));
    corm_order_by(query, corm_column(user, name));
    assert_string_equal(rows(query, 1), "bob; cid; ann");
    query = names();
    corm_order_by(query, corm_column(user, id));
    corm_limit(query, 1);
    corm_offset(query, 1);
    assert_string_equal(rows(query, 1), "bob");
    query = names();
    corm_order_by(query, corm_column(user, id));
    corm_offset(query, 2);
    assert_string_equal(rows(query, 1), "cid");
    query = names();
    corm_limit(query, 0);
    assert_string_equal(rows(query, 1), "");
}

static void nulls_are_ordered_as_asked(void **state) {
    (void)state;
    new_user("nil");
    corm_query *query = names();
    corm_order_by(query, corm_nulls_last(corm_column(user, age)));
    corm_order_by(query, corm_column(user, id));
    assert_string_equal(rows(query, 1), "ann; bob; cid; nil");
    query = names();
    corm_order_by(query, corm_nulls_first(corm_desc(corm_column(user, age))));
    corm_order_by(query, corm_column(user, id));
    assert_string_equal(rows(query, 1), "nil; bob; cid; ann");
}

static void distinct_rows(void **state) {
    (void)state;
    corm_query *query = corm_query_new();
    corm_pick(query, corm_column(user, age));
    corm_distinct(query);
    corm_order_by(query, corm_column(user, age));
    assert_string_equal(rows(query, 1), "20; 30");
}

static void aggregates_groups_and_having(void **state) {
    (void)state;
    corm_query *query = corm_query_new();
    corm_pick(query, corm_column(user, age));
    corm_pick(query, corm_as(corm_count_all(), "how_many"));
    corm_group_by(query, corm_column(user, age));
    corm_order_by(query, corm_by_name("how_many"));
    assert_string_equal(rows(query, 2), "20,1; 30,2");
    query = corm_query_new();
    corm_pick(query, corm_column(user, age));
    corm_group_by(query, corm_column(user, age));
    corm_having(query, corm_compare(CORM_COMPARE_GT, corm_count_all(), corm_value_int(1)));
    assert_string_equal(rows(query, 1), "30");
    query = corm_query_new();
    corm_pick(query, corm_call("max", corm_column(user, age), NULL, NULL));
    corm_pick(query, corm_call("sum", corm_column(user, age), NULL, NULL));
    corm_pick(query, corm_call("count", corm_distinct_of(corm_column(user, age)), NULL, NULL));
    assert_string_equal(rows(query, 3), "30,80,2");
}

static void joins(void **state) {
    (void)state;
    corm_query *query = names();
    corm_pick(query, corm_column(address, email));
    corm_join(query, user, addresses);
    corm_order_by(query, corm_column(address, email));
    assert_string_equal(rows(query, 2), "ann,a1; ann,a2; bob,b1");
    query = names();
    corm_pick(query, corm_column(address, email));
    corm_outer_join(query, user, addresses);
    corm_order_by(query, corm_column(user, id));
    corm_order_by(query, corm_column(address, id));
    assert_string_equal(rows(query, 2), "ann,a1; ann,a2; bob,b1; cid,-");
    query = names();
    corm_join_by_key(query, address);
    corm_where(query, corm_eq(address, email, "b1"));
    assert_string_equal(rows(query, 1), "bob");
    query = names();
    corm_join_where(query, address, corm_compare(CORM_COMPARE_LT, corm_column(address, id), corm_column(user, id)));
    corm_order_by(query, corm_column(user, id));
    assert_string_equal(rows(query, 1), "bob; cid; cid");
}

static void an_aliased_struct_joins_itself(void **state) {
    (void)state;
    corm_aliased *older = there(corm_aliased_new(user));
    corm_query *query = names();
    corm_pick(query, corm_aliased_column(older, user, name));
    corm_where(query, corm_compare(CORM_COMPARE_GT, corm_aliased_column(older, user, age), corm_column(user, age)));
    corm_order_by(query, corm_aliased_column(older, user, name));
    corm_aliased_free(older);
    assert_string_equal(rows(query, 2), "ann,bob; ann,cid");

    leaf *root = there(corm_new(now.session, leaf)), *child = there(corm_new(now.session, leaf));
    root->name = text_of("root");
    child->name = text_of("child");
    ok(corm_set(child, parent, root));
    corm_aliased *parent = there(corm_aliased_new(leaf));
    query = corm_query_new();
    corm_pick(query, corm_column(leaf, name));
    corm_pick(query, corm_aliased_column(parent, leaf, name));
    corm_join_aliased(query, leaf, parent, parent);
    assert_string_equal(rows(query, 2), "child,root");
    query = corm_select(leaf);
    corm_pick_aliased(query, parent);
    corm_join_aliased(query, leaf, parent, parent);
    assert_true(corm_next_row(now.session, query));
    assert_ptr_equal(corm_row_object(query, 0), child);
    assert_ptr_equal(corm_row_object(query, 1), root);
    corm_query_free(query);
    corm_aliased_free(parent);
}

static void rows_mix_objects_and_columns(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_pick(query, corm_column(address, email));
    corm_pick_object(query, address);
    corm_outer_join(query, user, addresses);
    corm_order_by(query, corm_column(user, id));
    corm_order_by(query, corm_column(address, id));
    static const char *const emails[] = {"a1", "a2", "b1", NULL};
    size_t at = 0;
    while (corm_next_row(now.session, query)) {
        user *owner = corm_row_object(query, 0);
        address *one = corm_row_object(query, 2);
        if (emails[at] == NULL) {
            assert_null(one);
            assert_true(corm_row_is_null(query, 1));
            assert_null(corm_row_text(query, 1));
        } else {
            assert_string_equal(one->email, emails[at]);
            assert_string_equal(corm_row_text(query, 1), emails[at]);
            assert_ptr_equal(corm_fetch(one, user), owner);
        }
        assert_null(corm_row_object(query, 1));
        assert_null(corm_row_object(query, 99));
        assert_int_equal(corm_row_value(query, 0)->kind, CORM_KIND_ABSENT);
        at++;
    }
    ok(corm_error_last()->status);
    assert_int_equal(at, 4);
    corm_query_free(query);
}

static void row_values_have_their_types(void **state) {
    (void)state;
    corm_query *query = corm_query_new();
    corm_pick(query, corm_value_int(INT64_MAX));
    corm_pick(query, corm_value_double(1.5));
    corm_pick(query, corm_value_bool(true));
    corm_pick(query, corm_value_null());
    corm_pick(query, corm_value_text("12"));
    assert_true(corm_next_row(now.session, query));
    assert_true(corm_row_int(query, 0) == INT64_MAX);
    assert_true(corm_row_double(query, 1) == 1.5);
    assert_int_equal(corm_row_int(query, 1), 1);
    assert_int_equal(corm_row_int(query, 2), 1);
    assert_true(corm_row_is_null(query, 3));
    assert_int_equal(corm_row_int(query, 3), 0);
    assert_string_equal(corm_row_text(query, 4), "12");
    assert_string_equal(corm_row_text(query, 0), "9223372036854775807");
    assert_int_equal(corm_row_int(query, 77), 0);
    corm_query_free(query);
}

/* ---- walking results ---- */

static void a_loop_may_be_left_and_the_query_run_again(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_order_by(query, corm_column(user, id));
    for (int i = 0; i < 3; i++) {
        corm_foreach(user, found, now.session, query) {
            assert_string_equal(found->name, "ann");
            break;
        }
        corm_query_rewind(query);
    }
    int count = 0;
    corm_foreach(user, found, now.session, query) {
        count += found != NULL;
    }
    assert_int_equal(count, 3);
    assert_int_equal(corm_count(now.session, query), 3);
    corm_session *other = there(corm_session_open(now.engine, now.models));
    assert_string_equal(((user *)there(corm_first(other, query, user)))->name, "ann");
    corm_session_end(other);
    corm_query_free(query);
}

static void objects_may_be_changed_in_the_loop(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_foreach(user, found, now.session, query) {
        found->age.value++;
        ok(corm_flush(now.session));
    }
    ok(corm_error_last()->status);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT age FROM users ORDER BY id"), "21; 31; 31");
    corm_query_free(query);
}

static void a_rollback_in_the_loop_ends_it_with_an_error(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    there(corm_next(now.session, query, user));
    ok(corm_rollback(now.session));
    assert_null(corm_next(now.session, query, user));
    failed_with(CORM_RESOURCE_CLOSED, "closed");
    corm_query_free(query);
}

static void a_failing_query_ends_the_loop_with_its_sql(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_where(query, corm_call("no_such_function", corm_column(user, age), NULL, NULL));
    corm_foreach(user, found, now.session, query) {
        fail_msg("%s", found->name);
    }
    const corm_error *error = corm_error_last();
    assert_int_equal(error->status,
                     database_now()->kind == ON_POSTGRESQL ? CORM_PROGRAMMING_ERROR : CORM_OPERATIONAL_ERROR);
    assert_non_null(strstr(error->message, "no_such_function"));
    assert_non_null(strstr(error->statement, "SELECT users.id"));
    corm_query_free(query);
    ok(corm_rollback(now.session));
}

static void asking_for_another_struct_is_an_error(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    assert_null(corm_first(now.session, query, address));
    failed_with(CORM_ARGUMENT_ERROR, "address");
    corm_query_free(query);
    query = names();
    assert_null(corm_first(now.session, query, user));
    failed_with(CORM_ARGUMENT_ERROR, "user");
    corm_query_free(query);
    query = corm_query_new();
    assert_false(corm_next_row(now.session, query));
    failed_with(CORM_INVALID_REQUEST, "selects nothing");
    corm_where(query, corm_eq(user, age, 1));
    assert_int_equal(corm_count(now.session, query), -1);
    failed_with(CORM_INVALID_REQUEST, "selects nothing yet");
    corm_query_free(query);
}

static void sql_is_shown(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_where(query, corm_eq(user, name, "x"));
    char *sql = there(corm_query_sql(query));
    assert_string_equal(sql, "SELECT users.id, users.name, users.age \nFROM users \nWHERE users.name = :name_1");
    corm_string_free(sql);
    corm_query_free(query);
}

static void joins_without_a_path_are_refused(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_join_by_key(query, basket);
    assert_null(corm_first(now.session, query, user));
    failed_with(CORM_INVALID_REQUEST, "join");
    corm_query_free(query);
    query = corm_select(team);
    corm_join_by_key(query, game);
    assert_null(corm_first(now.session, query, team));
    failed_with(CORM_AMBIGUOUS_FOREIGN_KEYS, "teams");
    corm_query_free(query);
    query = corm_select(user);
    corm_query_join(query, user_mapping(), "name", false);
    assert_null(corm_first(now.session, query, user));
    assert_int_not_equal(corm_error_last()->status, CORM_OK);
    corm_query_free(query);
}

/* ---- many rows at once ---- */

static void an_update_of_many_rows_is_seen_in_the_objects(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1)), *bob = there(corm_get(now.session, user, 2));
    int64_t changed = 0;
    ok(corm_update_all(now.session, user, age, 99, corm_eq(user, name, "ann"), &changed));
    assert_int_equal(changed, 1);
    assert_int_equal(ann->age.value, 99);
    assert_int_equal(bob->age.value, 30);
    ok(corm_update_rows(now.session, user_mapping(), "age",
                        corm_compare(CORM_COMPARE_ADD, corm_column(user, age), corm_value_int(1)), NULL, &changed));
    assert_int_equal(changed, 3);
    assert_int_equal(ann->age.value, 100);
    assert_int_equal(bob->age.value, 31);
    const corm_assignment both[] = {{"name", corm_value_text("all")}, {"age", corm_value_null()}};
    ok(corm_update_fields(now.session, user_mapping(), both, 2, corm_gt(user, id, 1), &changed));
    assert_int_equal(changed, 2);
    assert_string_equal(bob->name, "all");
    assert_false(bob->age.set);
    ok(corm_rollback(now.session));
    ok(corm_refresh(now.session, bob));
    assert_string_equal(bob->name, "bob");
}

static void an_update_of_many_rows_first_writes_what_was_assigned(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1));
    ann->name = text_of("renamed");
    int64_t changed = 0;
    ok(corm_update_all(now.session, user, age, 1, corm_eq(user, name, "renamed"), &changed));
    assert_int_equal(changed, 1);
    assert_string_equal(ann->name, "renamed");
    assert_int_equal(ann->age.value, 1);
}

static void a_delete_of_many_rows_is_seen_in_the_objects(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1));
    assert_int_equal(corm_many_count(ann->addresses), 2);
    int64_t changed = 0;
    ok(corm_delete_all(now.session, address, corm_eq(address, email, "a1"), &changed));
    assert_int_equal(changed, 1);
    assert_int_equal(corm_many_count(ann->addresses), 1);
    assert_null(corm_get(now.session, address, 1));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT email FROM addresses"), "a2; b1");
    ok(corm_delete_all(now.session, address, NULL, &changed));
    assert_int_equal(changed, 2);
    assert_int_equal(corm_many_count(ann->addresses), 0);
}

static void an_update_of_foreign_keys_moves_objects_between_collections(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1)), *cid = there(corm_get(now.session, user, 3));
    assert_int_equal(corm_many_count(ann->addresses), 2);
    assert_int_equal(corm_many_count(cid->addresses), 0);
    address *first = corm_many_at(ann->addresses, 0);
    ok(corm_update_all(now.session, address, user_id, 3, corm_eq(address, email, "a1"), NULL));
    assert_int_equal(corm_many_count(ann->addresses), 1);
    assert_int_equal(corm_many_count(cid->addresses), 1);
    assert_ptr_equal(corm_fetch(first, user), cid);
}

static void foreign_keys_set_by_hand_are_followed(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1)), *cid = there(corm_get(now.session, user, 3));
    assert_int_equal(corm_many_count(ann->addresses), 2);
    assert_int_equal(corm_many_count(cid->addresses), 0);
    address *first = corm_many_at(ann->addresses, 0);
    assert_ptr_equal(corm_fetch(first, user), ann);
    first->user_id = corm_int_of(cid->id);
    address *fresh = new_address(NULL, "fresh");
    fresh->user_id = corm_int_of(cid->id);
    ok(corm_commit(now.session));
    assert_ptr_equal(corm_fetch(first, user), cid);
    assert_int_equal(corm_many_count(ann->addresses), 1);
    assert_int_equal(corm_many_count(cid->addresses), 2);
    assert_ptr_equal(corm_fetch(fresh, user), cid);
}

static void any_statement_can_be_run(void **state) {
    (void)state;
    int64_t changed = 0;
    ok(corm_run(now.session, corm_sql_value(corm_sql("UPDATE users SET age = :age"), "age", corm_value_int(5)),
                &changed));
    assert_int_equal(changed, 3);
    ok(corm_save(now.session)); /* after a failure PostgreSQL goes on from a savepoint only */
    fails(corm_run(now.session, corm_sql("UPDATE users SET zork = 1"), NULL),
          database_now()->kind == ON_POSTGRESQL ? CORM_PROGRAMMING_ERROR : CORM_OPERATIONAL_ERROR, "zork");
    ok(corm_rollback_save(now.session));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT DISTINCT age FROM users"), "5");
}

static void several_statements_at_once_are_refused(void **state) {
    (void)state;
    fails(corm_run(now.session, corm_sql("DELETE FROM users; DELETE FROM addresses"), NULL), CORM_PROGRAMMING_ERROR,
          on("one statement", NULL, "error in your SQL syntax"));
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        over_people(order_limit_and_offset),
        over_people(nulls_are_ordered_as_asked),
        over_people(distinct_rows),
        over_people(aggregates_groups_and_having),
        over_people(joins),
        over_people(an_aliased_struct_joins_itself),
        over_people(rows_mix_objects_and_columns),
        over_people(row_values_have_their_types),
        over_people(a_loop_may_be_left_and_the_query_run_again),
        over_people(objects_may_be_changed_in_the_loop),
        over_people(a_rollback_in_the_loop_ends_it_with_an_error),
        over_people(a_failing_query_ends_the_loop_with_its_sql),
        over_people(asking_for_another_struct_is_an_error),
        over_people(sql_is_shown),
        over_people(joins_without_a_path_are_refused),
        over_people(an_update_of_many_rows_is_seen_in_the_objects),
        over_people(an_update_of_many_rows_first_writes_what_was_assigned),
        over_people(a_delete_of_many_rows_is_seen_in_the_objects),
        over_people(an_update_of_foreign_keys_moves_objects_between_collections),
        over_people(foreign_keys_set_by_hand_are_followed),
        over_people(any_statement_can_be_run),
        over_people(several_statements_at_once_are_refused),
    };
    return run_stories(tests);
}
