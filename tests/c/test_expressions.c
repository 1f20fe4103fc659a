/* Expressions in queries: each form selects the rows that it names. */
#include "differences.h"

/* Names of the users that a criterion selects, in the order of their keys, separated by spaces. */
static const char *who(corm_expression *criterion) {
    static char names[256];
    corm_query *query = corm_select(user);
    names[0] = '\0';
    corm_where(query, criterion);
    corm_order_by(query, corm_column(user, id));
    corm_foreach(user, found, now.session, query) {
        strcat(names, names[0] == '\0' ? "" : " ");
        strcat(names, found->name == NULL ? "NULL" : found->name);
    }
    ok(corm_error_last()->status);
    corm_query_free(query);
    return names;
}

/* The one value that an expression has, over no table. */
static const char *value_of(corm_expression *expression) {
    static char text[128];
    corm_query *query = corm_query_new();
    corm_pick(query, expression);
    if (!corm_next_row(now.session, query)) {
        ok(corm_error_last()->status);
        fail_msg("no row");
    }
    const char *value = corm_row_text(query, 0);
    snprintf(text, sizeof text, "%s", value == NULL ? "NULL" : value);
    corm_query_free(query);
    return text;
}

/* ann 20, bob 30, cid 40, Dot without an age, 100%_x 50 */
static int people(void **state) {
    static const struct {
        const char *name;
        corm_int age;
    } all[] = {
        {"ann", {20, true}}, {"bob", {30, true}}, {"cid", {40, true}}, {"Dot", {0, false}}, {"100%_x", {50, true}}};
    set_up(state);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        user *made = new_user(all[i].name);
        made->age = all[i].age;
        new_address(made, all[i].name);
    }
    ok(corm_commit(now.session));
    return 0;
}
#define over_people(name) cmocka_unit_test_setup_teardown(name, people, tear_down)

static void comparisons(void **state) {
    (void)state;
    assert_string_equal(who(corm_eq(user, age, 30)), "bob");
    assert_string_equal(who(corm_ne(user, age, 30)), "ann cid 100%_x");
    assert_string_equal(who(corm_lt(user, age, 30)), "ann");
    assert_string_equal(who(corm_le(user, age, 30)), "ann bob");
    assert_string_equal(who(corm_gt(user, age, 30)), "cid 100%_x");
    assert_string_equal(who(corm_ge(user, age, 30)), "bob cid 100%_x");
    assert_string_equal(who(corm_eq(user, name, "cid")), "cid");
    assert_string_equal(who(corm_compare(CORM_COMPARE_EQ, corm_column(user, id), corm_column(user, id))),
                        "ann bob cid Dot 100%_x");
}

static void null_is_tested_and_compared(void **state) {
    (void)state;
    assert_string_equal(who(corm_is_null(user, age)), "Dot");
    assert_string_equal(who(corm_not_null(user, age)), "ann bob cid 100%_x");
    assert_string_equal(who(corm_eq(user, name, (char *)NULL)), "");
    assert_string_equal(who(corm_eq(user, age, ((corm_int){0, false}))), "Dot"); /* = NULL becomes IS NULL */
    assert_string_equal(who(corm_eq(user, age, corm_int_of(20))), "ann");
    assert_string_equal(who(corm_compare(CORM_COMPARE_NE, corm_column(user, age), corm_value_null())),
                        "ann bob cid 100%_x");
}

static void texts_match(void **state) {
    (void)state;
    assert_string_equal(who(corm_like(user, name, "_o%")), "bob Dot");
    assert_string_equal(who(corm_ilike(user, name, "D%")), "Dot");
    assert_string_equal(who(corm_starts_with(user, name, "b")), "bob");
    assert_string_equal(who(corm_ends_with(user, name, "d")), "cid");
    assert_string_equal(who(corm_contains(user, name, "0%_")), "100%_x");
    assert_string_equal(who(corm_contains(user, name, "n%n")), "");
    assert_string_equal(who(corm_contains(user, name, "/")), "");
}

static void lists_and_ranges(void **state) {
    (void)state;
    const int64_t ages[] = {20, 40, 77};
    const char *const names[] = {"bob", "Dot", NULL};
    assert_string_equal(who(corm_in_ints(corm_column(user, age), ages, 3)), "ann cid");
    assert_string_equal(who(corm_negate(corm_in_ints(corm_column(user, age), ages, 3))), "bob 100%_x");
    assert_string_equal(who(corm_in_texts(corm_column(user, name), names, 2)), "bob Dot");
    assert_string_equal(who(corm_in_ints(corm_column(user, age), ages, 0)), "");
    assert_string_equal(who(corm_negate(corm_in_ints(corm_column(user, age), ages, 0))), "ann bob cid Dot 100%_x");
    assert_string_equal(who(corm_between_of(corm_column(user, age), corm_value_int(25), corm_value_int(40))),
                        "bob cid");
}

static void criteria_combine(void **state) {
    (void)state;
    assert_string_equal(who(corm_both(corm_gt(user, age, 20), corm_lt(user, age, 50))), "bob cid");
    assert_string_equal(who(corm_either(corm_eq(user, name, "ann"), corm_is_null(user, age))), "ann Dot");
    assert_string_equal(who(corm_negate(corm_eq(user, name, "ann"))), "bob cid Dot 100%_x");
    assert_string_equal(who(corm_negate(corm_either(corm_lt(user, age, 40), corm_is_null(user, age)))), "cid 100%_x");
    assert_string_equal(who(corm_both(corm_either(corm_eq(user, age, 20), corm_eq(user, age, 30)),
                                      corm_negate(corm_eq(user, name, "bob")))),
                        "ann");
}

static void arithmetic_and_text(void **state) {
    (void)state;
    assert_string_equal(
        who(corm_compare(CORM_COMPARE_EQ, corm_compare(CORM_COMPARE_ADD, corm_column(user, age), corm_value_int(10)),
                         corm_value_int(40))),
        "bob");
    assert_string_equal(value_of(corm_compare(CORM_COMPARE_SUBTRACT, corm_value_int(2), corm_value_int(5))), "-3");
    assert_string_equal(value_of(corm_compare(CORM_COMPARE_MULTIPLY, corm_value_int(4), corm_value_int(5))), "20");
    assert_string_equal(value_of(corm_compare(CORM_COMPARE_DIVIDE, corm_value_int(1), corm_value_int(2))),
                        on("0.5000000000", "0.50000000000000000000", "0.5000"));
    assert_string_equal(value_of(corm_compare(CORM_COMPARE_MODULO, corm_value_int(7), corm_value_int(4))), "3");
    assert_string_equal(value_of(corm_compare(CORM_COMPARE_CONCAT, corm_value_text("a"), corm_value_text("b"))), "ab");
    /* (2 + 3) * 4: parentheses are where they have to be */
    assert_string_equal(
        value_of(corm_compare(CORM_COMPARE_MULTIPLY,
                              corm_compare(CORM_COMPARE_ADD, corm_value_int(2), corm_value_int(3)), corm_value_int(4))),
        "20");
}

static void functions_case_and_cast(void **state) {
    (void)state;
    assert_string_equal(value_of(corm_call("lower", corm_value_text("ABC"), NULL, NULL)), "abc");
    assert_string_equal(value_of(corm_call("substr", corm_value_text("abcdef"), corm_value_int(2), corm_value_int(3))),
                        "bcd");
    assert_string_equal(value_of(corm_call("coalesce", corm_value_null(), corm_value_text("x"), NULL)), "x");
    assert_string_equal(value_of(corm_cast_to(corm_value_text("12"), CORM_INTEGER)), "12");
    assert_string_equal(value_of(corm_cast_to(corm_value_int(12), CORM_STRING(5))), "12");
    corm_expression *grade = corm_when(corm_ge(user, age, 40), corm_value_text("old"),
                                       corm_when(corm_ge(user, age, 30), corm_value_text("mid"), corm_value_text("?")));
    assert_string_equal(who(corm_compare(CORM_COMPARE_EQ, grade, corm_value_text("mid"))), "bob");
}

static void subqueries(void **state) {
    (void)state;
    corm_query *inner = corm_query_new();
    corm_pick(inner, corm_column(address, user_id));
    corm_where(inner, corm_starts_with(address, email, "b"));
    assert_string_equal(who(corm_in_query(corm_column(user, id), inner)), "bob");
    assert_string_equal(who(corm_negate(corm_in_query(corm_column(user, id), inner))), "ann cid Dot 100%_x");
    corm_query_free(inner);

    inner = corm_query_new();
    corm_pick(inner, corm_column(address, id));
    corm_where(inner, corm_compare(CORM_COMPARE_EQ, corm_column(address, user_id), corm_column(user, id)));
    corm_where(inner, corm_eq(address, email, "cid"));
    assert_string_equal(who(corm_exists_query(inner)), "cid");
    assert_string_equal(who(corm_negate(corm_exists_query(inner))), "ann bob Dot 100%_x");
    corm_query_free(inner);

    inner = corm_query_new();
    corm_pick(inner, corm_call("max", corm_column(user, age), NULL, NULL));
    corm_aliased *other = there(corm_aliased_new(user));
    corm_query *oldest = corm_query_of_alias(other);
    corm_where(oldest, corm_compare(CORM_COMPARE_EQ, corm_aliased_column(other, user, age), corm_scalar_query(inner)));
    assert_string_equal(((user *)there(corm_first(now.session, oldest, user)))->name, "100%_x");
    corm_aliased_free(other);
    corm_query_free(oldest);
    corm_query_free(inner);
}

static void relationships_are_criteria(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_where(query, corm_eq(user, name, "bob"));
    user *bob = there(corm_first(now.session, query, user));
    corm_query_free(query);
    assert_string_equal(who(corm_any(user, addresses, corm_eq(address, email, "cid"))), "cid");
    assert_string_equal(who(corm_any(user, addresses, NULL)), "ann bob cid Dot 100%_x");
    assert_string_equal(who(corm_negate(corm_any(user, profile, NULL))), "ann bob cid Dot 100%_x");

    query = corm_select(address);
    corm_where(query, corm_refers_to(address, user, bob));
    address *of_bob = there(corm_first(now.session, query, address));
    assert_string_equal(of_bob->email, "bob");
    assert_int_equal(corm_count(now.session, query), 1);
    corm_query_free(query);
    assert_string_equal(who(corm_refers_to(user, addresses, of_bob)), "bob"); /* the collection contains it */

    query = corm_select(address);
    corm_where(query, corm_any(address, user, corm_gt(user, age, 35))); /* has() */
    assert_int_equal(corm_count(now.session, query), 2);
    corm_query_free(query);
    query = corm_select(address);
    corm_where(query, corm_refers_to(address, user, NULL));
    assert_int_equal(corm_count(now.session, query), 0);
    corm_query_free(query);
}

static void dates_and_bytes_are_compared(void **state) {
    (void)state;
    nullable *made = there(corm_new(now.session, nullable));
    corm_datetime day = {.year = 2024, .month = 5, .day = 6};
    made->day = (corm_moment){day, true};
    made->bytes = (corm_bytes){"a\0b", 3};
    ok(corm_commit(now.session));
    corm_query *query = corm_select(nullable);
    corm_where(query, corm_eq(nullable, day, day));
    corm_where(query, corm_eq(nullable, bytes, ((corm_bytes){"a\0b", 3})));
    assert_int_equal(corm_count(now.session, query), 1);
    corm_query_free(query);
    query = corm_select(nullable);
    day.day = 7;
    corm_where(query, corm_ge(nullable, day, ((corm_moment){day, true})));
    assert_int_equal(corm_count(now.session, query), 0);
    corm_query_free(query);
}

static void text_takes_values(void **state) {
    (void)state;
    assert_string_equal(who(corm_sql_value(corm_sql("users.age > :low"), "low", corm_value_int(35))), "cid 100%_x");
    corm_query *query = corm_query_of_sql(corm_sql_value(corm_sql("SELECT name, age FROM users WHERE name = :name"),
                                                         "name", corm_value_text("b' OR 1=1")));
    assert_false(corm_next_row(now.session, query));
    ok(corm_error_last()->status);
    corm_query_free(query);
    query = corm_query_of_sql(corm_sql("SELECT name, age FROM users ORDER BY id LIMIT 1"));
    assert_true(corm_next_row(now.session, query));
    assert_string_equal(corm_row_text(query, 0), "ann");
    assert_int_equal(corm_row_int(query, 1), 20);
    corm_where(query, corm_value_bool(true));
    corm_query_rewind(query);
    assert_false(corm_next_row(now.session, query));
    failed_with(CORM_INVALID_REQUEST, "text");
    corm_query_free(query);
    query = corm_query_of_sql(corm_sql_value(corm_sql("SELECT :here"), "there", corm_value_int(1)));
    assert_false(corm_next_row(now.session, query));
    failed_with(CORM_ARGUMENT_ERROR, "there");
    corm_query_free(query);
}

static void the_cache_does_not_confuse_values(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(who(corm_eq(user, age, 20)), "ann");
        assert_string_equal(who(corm_eq(user, age, 30)), "bob");
        assert_string_equal(who(corm_eq(user, name, "30")), "");
        assert_string_equal(who(corm_in_ints(corm_column(user, age), (int64_t[]){20, 30}, (size_t)i)), i == 0 ? ""
                                                                                                       : i == 1
                                                                                                           ? "ann"
                                                                                                           : "ann bob");
    }
}

static void what_could_not_be_made_fails_where_it_is_run(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_where(query, corm_compare((corm_comparison)99, corm_column(user, age), corm_value_int(1)));
    corm_where(query, corm_eq(user, age, 20));
    assert_null(corm_first(now.session, query, user));
    failed_with(CORM_ARGUMENT_ERROR, "99 is no comparison");
    assert_int_equal(corm_count(now.session, query), -1);
    failed_with(CORM_ARGUMENT_ERROR, "99 is no comparison");
    corm_query_free(query);

    /* and a DELETE never loses its criterion */
    fails(corm_delete_all(now.session, address, corm_both(corm_eq(address, email, "x"), NULL), NULL),
          CORM_ARGUMENT_ERROR, "NULL");
    fails(corm_delete_all(now.session, address,
                          corm_either(corm_compare((corm_comparison)99, corm_column(address, id), corm_value_int(1)),
                                      corm_eq(address, email, "x")),
                          NULL),
          CORM_ARGUMENT_ERROR, "99");
    fails(corm_update_all(now.session, user, age, 1, corm_column_of_field(user_mapping(), "nothing"), NULL),
          CORM_ARGUMENT_ERROR, "nothing");
    assert_int_equal(in_file("SELECT count(*) FROM addresses"), 5);

    query = corm_query_new();
    corm_pick(query, corm_call("max", corm_column_of_field(user_mapping(), "zork"), NULL, NULL));
    assert_false(corm_next_row(now.session, query));
    failed_with(CORM_ARGUMENT_ERROR, "user.zork");
    corm_query_free(query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        over_people(comparisons),
        over_people(null_is_tested_and_compared),
        over_people(texts_match),
        over_people(lists_and_ranges),
        over_people(criteria_combine),
        over_people(arithmetic_and_text),
        over_people(functions_case_and_cast),
        over_people(subqueries),
        over_people(relationships_are_criteria),
        over_people(dates_and_bytes_are_compared),
        over_people(text_takes_values),
        over_people(the_cache_does_not_confuse_values),
        over_people(what_could_not_be_made_fails_where_it_is_run),
    };
    return run_stories(tests);
}
