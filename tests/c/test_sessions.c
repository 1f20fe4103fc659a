/* Sessions: identity, what is in and what is out, keys, keeping objects. */
#include "differences.h"

static void one_row_is_one_object(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    assert_ptr_equal(corm_get(now.session, user, ann->id), ann);
    corm_query *query = corm_select(user);
    assert_ptr_equal(corm_first(now.session, query, user), ann);
    corm_query_free(query);
    new_address(ann, "home");
    ok(corm_commit(now.session));
    assert_ptr_equal(corm_fetch((address *)there(corm_get(now.session, address, 1)), user), ann);
}

static void two_sessions_have_two_objects(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    corm_session *other = there(corm_session_open(now.engine, now.models));
    user *twin = there(corm_get(other, user, ann->id));
    assert_ptr_not_equal(twin, ann);
    ok(corm_rollback(other));
    twin->name = text_of("changed");
    ok(corm_commit(other));
    assert_string_equal(ann->name, "ann"); /* until it is read again */
    ok(corm_refresh(now.session, ann));
    assert_string_equal(ann->name, "changed");
    corm_session_end(other);
}

static void a_missing_row_is_null_without_an_error(void **state) {
    (void)state;
    fails(corm_fail(CORM_VALUE_ERROR, "an old error"), CORM_VALUE_ERROR, "old");
    assert_null(corm_get(now.session, user, 12345));
    assert_int_equal(corm_error_last()->status, CORM_OK);
}

static void keys_may_be_composite(void **state) {
    (void)state;
    for (int i = 1; i <= 3; i++) {
        stop *made = there(corm_new(now.session, stop));
        made->route = text_of("S1");
        made->place = i;
        made->name = text_of(i == 2 ? "two" : "other");
    }
    ok(corm_commit(now.session));
    const corm_value key[] = {{.kind = CORM_KIND_TEXT, .as.text = {"S1", 2}},
                              {.kind = CORM_KIND_INTEGER, .as.integer = 2}};
    stop *second = there(corm_get_by(now.session, stop, key, 2));
    assert_string_equal(second->name, "two");
    reopen();
    second = there(corm_get_by(now.session, stop, key, 2));
    assert_string_equal(second->name, "two");
    assert_ptr_equal(corm_get_by(now.session, stop, key, 2), second);
    assert_null(corm_get_by(now.session, stop, key, 1));
    failed_with(CORM_INVALID_REQUEST, "primary key");
    second->name = text_of("renamed");
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, second));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT place FROM stops ORDER BY 1"), "1; 3");
}

static void keys_of_ones_own_are_used(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ann->id = 77;
    user *bob = new_user("bob");
    ok(corm_commit(now.session));
    assert_int_equal(ann->id, 77);
    /* PostgreSQL's sequence does not know of the other key. */
    assert_int_equal(bob->id, database_now()->kind == ON_POSTGRESQL ? 1 : 78);
    assert_string_equal(rows_in_file("SELECT id FROM users ORDER BY id"), on("77; 78", "1; 77", "77; 78"));
}

static void the_same_key_twice_is_refused(void **state) {
    (void)state;
    new_user("ann")->id = 5;
    ok(corm_commit(now.session));
    new_user("bob")->id = 5;
    assert_int_not_equal(corm_flush(now.session), CORM_OK);
    ok(corm_rollback(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
}

static void a_deleted_objects_key_may_be_taken_again(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ann->id = 5;
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    user *bob = new_user("bob");
    bob->id = 5;
    ok(corm_commit(now.session));
    assert_ptr_equal(corm_get(now.session, user, 5), bob);
    assert_string_equal(rows_in_file("SELECT name FROM users"), "bob");
}

static void an_object_lives_until_its_session_ends_or_longer_if_kept(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    corm_keep(ann);
    reopen();
    assert_string_equal(ann->name, "ann");
    assert_int_equal(corm_many_count(ann->addresses), SIZE_MAX);
    failed_with(CORM_DETACHED_INSTANCE, "addresses");
    assert_null(corm_fetch(ann, profile));
    failed_with(CORM_DETACHED_INSTANCE, "profile");
    ann->name = text_of("changed while detached");
    ok(corm_add(now.session, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "changed while detached");
    assert_int_equal(corm_many_count(ann->addresses), 0);
    corm_let_go(ann);
}

static void a_rolled_back_object_that_nobody_holds_goes_with_the_session(void **state) {
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "home");
    new_user("alone");
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "ann");
    for (int i = 0; i < 3; i++) {
        ok(corm_add(now.session, ann));
        ok(corm_flush(now.session));
        ok(corm_rollback(now.session));
    }
    ok(corm_add(now.session, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT email FROM addresses"), "home"); /* it came along */
}

static void an_object_belongs_to_one_session(void **state) {
    (void)state;
    user *ann = new_user("ann");
    corm_session *other = there(corm_session_open(now.engine, now.models));
    fails(corm_add(other, ann), CORM_INVALID_REQUEST, "already attached to session");
    ok(corm_commit(now.session));
    fails(corm_delete(other, ann), CORM_INVALID_REQUEST, "already attached to session");
    corm_keep(ann);
    ok(corm_expunge(now.session, ann));
    ok(corm_add(other, ann));
    ann->name = text_of("from the other");
    ok(corm_commit(other));
    corm_session_end(other);
    assert_string_equal(rows_in_file("SELECT name FROM users"), "from the other");
    corm_let_go(ann);
}

static void an_expunged_object_is_forgotten(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ann->name = text_of("lost");
    corm_keep(ann);
    ok(corm_expunge(now.session, ann));
    fails(corm_expunge(now.session, ann), CORM_INVALID_REQUEST, "not present");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
    user *again = there(corm_get(now.session, user, 1));
    assert_ptr_not_equal(again, ann);
    fails(corm_add(now.session, ann), CORM_INVALID_REQUEST, "another instance with the same key");
    user *pending = new_user("pending");
    corm_keep(pending);
    ok(corm_expunge(now.session, pending));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    corm_let_go(pending);
    corm_let_go(ann);
}

static void a_deleted_object_is_gone_for_good(void **state) {
    (void)state;
    user *ann = new_user("ann");
    fails(corm_delete(now.session, ann), CORM_INVALID_REQUEST, "not persisted");
    ok(corm_commit(now.session));
    corm_keep(ann);
    ok(corm_delete(now.session, ann));
    ok(corm_delete(now.session, ann)); /* twice is once */
    ok(corm_commit(now.session));
    assert_string_equal(ann->name, "ann");
    fails(corm_add(now.session, ann), CORM_INVALID_REQUEST, "deleted");
    fails(corm_refresh(now.session, ann), CORM_INVALID_REQUEST, "not persistent");
    corm_let_go(ann);
}

static void adding_takes_a_deletion_back(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_add(now.session, ann));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
}

static void refresh_drops_changes_and_reads_the_row(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    change_file("UPDATE users SET name = 'elsewhere', age = 9");
    ann->name = text_of("mine");
    ok(corm_refresh(now.session, ann));
    assert_string_equal(ann->name, "elsewhere");
    assert_true(ann->age.set && ann->age.value == 9);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "elsewhere");
    change_file("DELETE FROM users");
    fails(corm_refresh(now.session, ann), CORM_INVALID_REQUEST, "not there any more");
}

static void a_query_sees_what_was_assigned_before_it(void **state) {
    (void)state;
    user *ann = new_user("ann"); /* not even flushed */
    corm_query *query = corm_select(user);
    corm_where(query, corm_eq(user, name, "ann"));
    assert_ptr_equal(corm_first(now.session, query, user), ann);
    ann->name = text_of("anne");
    assert_null(corm_first(now.session, query, user));
    ok(corm_error_last()->status);
    corm_query_free(query);
}

static void a_text_is_loaded_once_and_stays_where_it_is(void **state) {
    (void)state;
    new_user("ann");
    ok(corm_commit(now.session));
    reopen();
    user *ann = there(corm_get(now.session, user, 1));
    const char *name = ann->name;
    corm_query *query = corm_select(user);
    corm_foreach(user, again, now.session, query) {
        assert_ptr_equal(again->name, name);
    }
    corm_query_free(query);
    ok(corm_commit(now.session));
    assert_ptr_equal(ann->name, name);
}

static void an_object_says_where_it_stands(void **state) {
    (void)state;
    user *ann = new_user("ann");
    corm_keep(ann);
    assert_int_equal(corm_standing_of(ann), CORM_PENDING);
    assert_ptr_equal(corm_session_of(ann), now.session);
    ok(corm_rollback(now.session));
    assert_int_equal(corm_standing_of(ann), CORM_TRANSIENT);
    assert_null(corm_session_of(ann));
    ok(corm_add(now.session, ann));
    ok(corm_flush(now.session));
    assert_int_equal(corm_standing_of(ann), CORM_PERSISTENT);
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    assert_int_equal(corm_standing_of(ann), CORM_DELETED);
    ok(corm_commit(now.session));
    assert_int_equal(corm_standing_of(ann), CORM_DETACHED);
    assert_int_equal(corm_standing_of(NULL), 0);
    corm_let_go(ann);
}

static void autoflush_can_be_off(void **state) {
    (void)state;
    corm_set_autoflush(now.session, false);
    new_user("ann");
    corm_query *query = corm_select(user);
    assert_null(corm_first(now.session, query, user));
    corm_set_autoflush(now.session, true);
    there(corm_first(now.session, query, user));
    corm_query_free(query);
}

static void what_is_read_does_not_overwrite_what_was_assigned(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_rollback(now.session)); /* a query reads the row again */
    corm_set_autoflush(now.session, false);
    ann->name = text_of("assigned");
    corm_query *query = corm_select(user);
    assert_ptr_equal(corm_first(now.session, query, user), ann);
    corm_query_free(query);
    assert_string_equal(ann->name, "assigned");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "assigned");
}

/* ---- merging ---- */

static void a_detached_object_is_copied_onto_the_sessions(void **state) {
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "home");
    address *work = new_address(ann, "work");
    ok(corm_commit(now.session));
    corm_keep(ann);
    corm_keep(work);
    ok(corm_expunge(now.session, ann));
    reopen();
    ann->name = text_of("changed outside");
    user *mine = there(corm_merge(now.session, user, ann));
    assert_ptr_not_equal(mine, ann);
    assert_string_equal(mine->name, "changed outside");
    assert_ptr_equal(corm_merge(now.session, user, mine), mine);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "changed outside");
    assert_int_equal(corm_many_count(mine->addresses), 2);
    assert_null(corm_merge(now.session, address, ann));
    failed_with(CORM_TYPE_ERROR, "user");
    corm_let_go(ann);
    corm_let_go(work);
}

static void a_transient_object_is_merged_with_what_it_holds(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ann->id = 5;
    new_address(ann, "home")->id = 6;
    corm_keep(ann);
    ok(corm_rollback(now.session));
    user *mine = there(corm_merge(now.session, user, ann));
    assert_int_equal(corm_many_count(mine->addresses), 1);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT users.id, addresses.id, email FROM users CROSS JOIN addresses"),
                        "5,6,home");
    ann->name = text_of("anne");
    assert_ptr_equal(corm_merge(now.session, user, ann), mine);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "anne");
    assert_int_equal(in_file("SELECT count(*) FROM addresses"), 1);
    corm_let_go(ann);
}

static void strangers_are_refused(void **state) {
    (void)state;
    struct {
        max_align_t room[8];
        user stranger;
    } place;
    memset(&place, 0, sizeof place);
    fails(corm_add(now.session, &place.stranger), CORM_UNMAPPED_INSTANCE, "corm_new");
    fails(corm_add(now.session, NULL), CORM_UNMAPPED_INSTANCE, "NULL");
    fails(corm_delete(now.session, NULL), CORM_UNMAPPED_INSTANCE, "NULL");
    fails(corm_refresh(now.session, NULL), CORM_UNMAPPED_INSTANCE, "NULL");
    assert_null(corm_reference_fetch(NULL, "x"));
    corm_keep(NULL);
    corm_let_go(NULL);
    corm_session_end(NULL);
    corm_query_free(NULL);
    corm_close(NULL);
    corm_models_free(NULL);
}

static void a_session_may_end_in_the_middle_of_everything(void **state) {
    (void)state;
    new_user("written");
    new_user("too");
    ok(corm_flush(now.session));
    ok(corm_save(now.session));
    new_user("pending");
    corm_query *query = corm_select(user);
    there(corm_next(now.session, query, user));
    reopen();
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
    assert_null(corm_next(now.session, query, user)); /* runs again, in the new session */
    ok(corm_error_last()->status);
    corm_query_free(query);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(one_row_is_one_object),
        story(two_sessions_have_two_objects),
        story(a_missing_row_is_null_without_an_error),
        story(keys_may_be_composite),
        story(keys_of_ones_own_are_used),
        story(the_same_key_twice_is_refused),
        story(a_deleted_objects_key_may_be_taken_again),
        story(an_object_lives_until_its_session_ends_or_longer_if_kept),
        story(a_rolled_back_object_that_nobody_holds_goes_with_the_session),
        story(an_object_belongs_to_one_session),
        story(an_expunged_object_is_forgotten),
        story(a_deleted_object_is_gone_for_good),
        story(adding_takes_a_deletion_back),
        story(refresh_drops_changes_and_reads_the_row),
        story(a_query_sees_what_was_assigned_before_it),
        story(a_text_is_loaded_once_and_stays_where_it_is),
        story(an_object_says_where_it_stands),
        story(autoflush_can_be_off),
        story(what_is_read_does_not_overwrite_what_was_assigned),
        story(a_detached_object_is_copied_onto_the_sessions),
        story(a_transient_object_is_merged_with_what_it_holds),
        story(strangers_are_refused),
        story(a_session_may_end_in_the_middle_of_everything),
    };
    return run_stories(tests);
}
