/* Loading relationships: when they are looked at, with the query, or never; and how many statements that takes. */
#include "differences.h"

static int statements;

static void count_selects(void *context, const char *message) {
    (void)context;
    statements += strncmp(message, "SELECT", 6) == 0;
}

/* 3 users; ann has a1 and a2, bob b1; each in the clubs of their number; a tree of leaves. The engine counts. */
static int loaded_world(void **state) {
    set_up(state);
    const char *const names[] = {"ann", "bob", "cid"};
    club *clubs[2];
    for (int i = 0; i < 2; i++) {
        clubs[i] = there(corm_new(now.session, club));
        clubs[i]->title = text_of(i == 0 ? "chess" : "go");
    }
    for (int i = 0; i < 3; i++) {
        user *made = new_user(names[i]);
        new_address(i == 2 ? NULL : made, i == 0 ? "a1" : "b1");
        if (i == 0) {
            new_address(made, "a2");
        }
        for (int c = 0; c < i; c++) {
            ok(corm_many_add(made->clubs, clubs[c]));
        }
        profile *own = there(corm_new(now.session, profile));
        own->motto = text_of(names[i]);
        ok(corm_set(made, profile, own));
    }
    leaf *root = there(corm_new(now.session, leaf));
    for (int i = 0; i < 3; i++) {
        leaf *child = there(corm_new(now.session, leaf)), *grandchild = there(corm_new(now.session, leaf));
        ok(corm_many_add(root->children, child));
        ok(corm_many_add(child->children, grandchild));
    }
    ok(corm_commit(now.session));
    corm_session_end(now.session);
    corm_close(now.engine);
    ok(corm_open_with_echo(now.url, count_selects, NULL, &now.engine));
    now.session = there(corm_session_open(now.engine, now.models));
    statements = 0;
    return 0;
}
#define over_loaded(name) cmocka_unit_test_setup_teardown(name, loaded_world, tear_down)

/* Walk all users and their addresses with a query; the number of SELECTs it took. */
static int walk_addresses(corm_query *query) {
    static const size_t expected[] = {2, 1, 0};
    static const char *const emails[] = {"a1", "a2", "b1"};
    size_t at = 0, email = 0;
    statements = 0;
    corm_order_by(query, corm_column(user, id));
    corm_foreach(user, found, now.session, query) {
        assert_int_equal(corm_many_count(found->addresses), expected[at++]);
        corm_each(address, one, found->addresses) {
            assert_string_equal(one->email, emails[email++]);
            assert_ptr_equal(corm_fetch(one, user), found);
        }
    }
    ok(corm_error_last()->status);
    assert_int_equal(at, 3);
    assert_int_equal(email, 3);
    corm_query_free(query);
    return statements;
}

static void lazily_each_collection_is_a_statement(void **state) {
    (void)state;
    assert_int_equal(walk_addresses(corm_select(user)), 1 + 3);
}

static void selectin_takes_one_more_statement(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_with(query, user, addresses, "selectin");
    assert_int_equal(walk_addresses(query), 2);
}

static void joined_takes_no_more_statement(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_with(query, user, addresses, "joined");
    assert_int_equal(walk_addresses(query), 1);
}

static void joined_with_limit_counts_objects_not_rows(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_with(query, user, addresses, "joined");
    corm_order_by(query, corm_column(user, id));
    corm_limit(query, 2);
    int count = 0;
    corm_foreach(user, found, now.session, query) {
        assert_int_equal(corm_many_count(found->addresses), count == 0 ? 2 : 1);
        count++;
    }
    ok(corm_error_last()->status);
    assert_int_equal(count, 2);
    assert_int_equal(corm_count(now.session, query), 2);
    corm_query_free(query);
}

static void references_come_along(void **state) {
    (void)state;
    static const char *const strategies[] = {"joined", "selectin"};
    for (size_t i = 0; i < 2; i++) {
        reopen();
        statements = 0;
        corm_query *query = corm_select(address);
        corm_with(query, address, user, strategies[i]);
        int owners = 0;
        corm_foreach(address, one, now.session, query) {
            owners += one->user != NULL; /* loaded eagerly: may be read directly */
        }
        ok(corm_error_last()->status);
        assert_int_equal(owners, 3);
        assert_int_equal(statements, i == 0 ? 1 : 2);
        corm_query_free(query);
    }
}

static void a_reference_that_is_known_needs_no_statement(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_foreach(user, found, now.session, query) {
        assert_non_null(found->name);
    }
    corm_query_free(query);
    statements = 0;
    address *first = there(corm_get(now.session, address, 1));
    assert_int_equal(statements, 1);
    there(corm_fetch(first, user));
    assert_int_equal(statements, 1);
}

static void one_to_one_and_many_to_many_come_along(void **state) {
    (void)state;
    static const char *const strategies[] = {"joined", "selectin", "select"};
    static const int expected[] = {1, 3, 1 + 3 + 3};
    for (size_t i = 0; i < 3; i++) {
        reopen();
        statements = 0;
        corm_query *query = corm_select(user);
        corm_with(query, user, profile, strategies[i]);
        corm_with(query, user, clubs, strategies[i]);
        corm_order_by(query, corm_column(user, id));
        size_t at = 0;
        corm_foreach(user, found, now.session, query) {
            assert_int_equal(corm_many_count(found->clubs), at);
            assert_string_equal(((profile *)there(corm_fetch(found, profile)))->motto, found->name);
            at++;
        }
        ok(corm_error_last()->status);
        assert_int_equal(at, 3);
        assert_int_equal(statements, expected[i]);
        corm_query_free(query);
    }
}

static void paths_lead_further(void **state) {
    (void)state;
    static const char *const strategies[][2] = {{"selectin", "selectin"}, {"joined", "joined"}, {"selectin", "joined"}};
    static const int expected[] = {3, 1, 2};
    for (size_t i = 0; i < 3; i++) {
        reopen();
        statements = 0;
        corm_query *query = corm_select(leaf);
        corm_where(query, corm_is_null(leaf, parent_id));
        corm_with(query, leaf, children, strategies[i][0]);
        corm_with_path(query, leaf, "children.children", strategies[i][1]);
        int grandchildren = 0;
        corm_foreach(leaf, root, now.session, query) {
            corm_each(leaf, child, root->children) {
                corm_each(leaf, grandchild, child->children) {
                    grandchildren += grandchild->id > 0;
                }
            }
        }
        ok(corm_error_last()->status);
        assert_int_equal(grandchildren, 3);
        assert_int_equal(statements, expected[i]);
        corm_query_free(query);
    }
}

static void raise_refuses_to_load(void **state) {
    (void)state;
    corm_query *query = corm_select(user);
    corm_with(query, user, addresses, "raise");
    user *found = there(corm_first(now.session, query, user));
    assert_int_equal(corm_many_count(found->addresses), SIZE_MAX);
    failed_with(CORM_INVALID_REQUEST, "user.addresses");
    corm_each(address, one, found->addresses) {
        fail_msg("%s", one->email);
    }
    failed_with(CORM_INVALID_REQUEST, "raise");
    corm_query_free(query);
}

static void wrong_options_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *path, *strategy, *part;
    } wrong[] = {{"addresses", "eagerly", "no loading strategy"},
                 {"name", "joined", "no relationship"},
                 {"zork", "joined", "user.zork"},
                 {"addresses.zork", "selectin", "address.zork"},
                 {"addresses.email.x", "selectin", "no relationship"},
                 {"", "selectin", "user."}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        corm_query *query = corm_select(user);
        corm_query_with(query, user_mapping(), wrong[i].path, wrong[i].strategy);
        assert_null(corm_first(now.session, query, user));
        failed_with(CORM_ARGUMENT_ERROR, wrong[i].part);
        corm_query_free(query);
    }
}

static void what_is_loaded_and_changed_is_not_overwritten(void **state) {
    (void)state;
    user *ann = there(corm_get(now.session, user, 1));
    ok(corm_many_remove(ann->addresses, corm_many_at(ann->addresses, 0)));
    address *fresh = new_address(ann, "new");
    corm_query *query = corm_select(user);
    corm_with(query, user, addresses, "selectin");
    corm_foreach(user, found, now.session, query) {
        assert_non_null(found->name);
    }
    ok(corm_error_last()->status);
    assert_int_equal(corm_many_count(ann->addresses), 2);
    assert_true(corm_many_contains(ann->addresses, fresh));
    corm_query_free(query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        over_loaded(lazily_each_collection_is_a_statement),
        over_loaded(selectin_takes_one_more_statement),
        over_loaded(joined_takes_no_more_statement),
        over_loaded(joined_with_limit_counts_objects_not_rows),
        over_loaded(references_come_along),
        over_loaded(a_reference_that_is_known_needs_no_statement),
        over_loaded(one_to_one_and_many_to_many_come_along),
        over_loaded(paths_lead_further),
        over_loaded(raise_refuses_to_load),
        over_loaded(wrong_options_are_refused),
        over_loaded(what_is_loaded_and_changed_is_not_overwritten),
    };
    return run_stories(tests);
}
