/* Commit, rollback and savepoints: what is in the file, and what the objects hold. */
#include "differences.h"

static void nothing_is_in_the_file_before_the_commit(void **state) {
    (void)state;
    new_user("ann");
    ok(corm_flush(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
}

static void a_rollback_gives_fields_their_former_values(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ann->age = corm_int_of(20);
    ok(corm_commit(now.session));
    ann->name = text_of("changed");
    ann->age.set = false;
    ok(corm_flush(now.session));
    ann->name = text_of("changed again");
    ok(corm_flush(now.session));
    ann->name = text_of("never flushed");
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "ann");
    assert_true(ann->age.set && ann->age.value == 20);
    ann->age.value = 21;
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, age FROM users"), "ann,21");
}

static void a_rollback_takes_back_what_was_only_assigned(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ann->name = text_of("assigned"); /* which begins no transaction */
    ann->age = corm_int_of(5);
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "ann");
    assert_false(ann->age.set);
}

static void each_rollback_gives_back_what_its_transaction_changed(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    for (int i = 0; i < 3; i++) { /* nothing is read between them */
        ann->name = text_of("changed");
        ok(corm_flush(now.session));
        ok(corm_rollback(now.session));
        assert_string_equal(ann->name, "ann");
        ok(corm_update_all(now.session, user, name, "all", NULL, NULL));
        assert_string_equal(ann->name, "all");
        ann->name = text_of("mine");
        ok(corm_flush(now.session));
        ok(corm_rollback(now.session));
        assert_string_equal(ann->name, "ann");
    }
    change_file("UPDATE users SET name = 'elsewhere'");
    assert_ptr_equal(corm_get(now.session, user, 1), ann);
    assert_string_equal(ann->name, "elsewhere");
}

static void a_rollback_makes_new_objects_transient_again(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    corm_keep(ann);
    corm_keep(bob);
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
    assert_string_equal(ann->name, "ann");
    ok(corm_add(now.session, bob));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "bob");
    corm_let_go(ann);
    corm_let_go(bob);
}

static void a_rollback_brings_deleted_objects_back(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    assert_null(corm_get(now.session, user, ann->id));
    ok(corm_rollback(now.session));
    assert_ptr_equal(corm_get(now.session, user, 1), ann);
    assert_string_equal(ann->name, "ann");
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
}

static void a_rollback_restores_relationships(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    address *home = new_address(ann, "home"), *work = new_address(ann, "work");
    ok(corm_commit(now.session));
    ok(corm_many_remove(ann->addresses, home));
    ok(corm_many_add(bob->addresses, work));
    new_address(bob, "new");
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
    assert_int_equal(corm_many_count(ann->addresses), 2);
    assert_ptr_equal(corm_many_at(ann->addresses, 0), home);
    assert_ptr_equal(corm_many_at(ann->addresses, 1), work);
    assert_int_equal(corm_many_count(bob->addresses), 0);
    assert_ptr_equal(corm_fetch(work, user), ann);
    assert_true(home->user_id.set && home->user_id.value == ann->id);
}

static void a_changed_key_is_taken_back(void **state) {
    (void)state;
    stop *first = there(corm_new(now.session, stop));
    first->route = text_of("1");
    first->place = 1;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    int64_t id = ann->id;
    ann->id = 500;
    first->route = text_of("9");
    ok(corm_flush(now.session));
    assert_ptr_equal(corm_get(now.session, user, 500), ann);
    ok(corm_rollback(now.session));
    assert_int_equal(ann->id, id);
    assert_string_equal(first->route, "1");
    assert_ptr_equal(corm_get(now.session, user, id), ann);
    assert_null(corm_get(now.session, user, 500));
    ann->id = 7;
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, name FROM users"), "7,ann");
}

static void keys_that_went_from_one_object_to_another_come_back(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob"), *cid = new_user("cid");
    corm_keep(cid);
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    bob->id = 1; /* ann's */
    ok(corm_flush(now.session));
    user *dot = new_user("dot");
    dot->id = 2; /* bob's */
    ok(corm_flush(now.session));
    ok(corm_delete(now.session, cid));
    ok(corm_flush(now.session));
    dot->id = 3; /* cid's */
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
    assert_ptr_equal(corm_get(now.session, user, 1), ann);
    assert_ptr_equal(corm_get(now.session, user, 2), bob);
    assert_ptr_equal(corm_get(now.session, user, 3), cid);
    assert_int_equal(corm_standing_of(dot), CORM_TRANSIENT);
    ok(corm_delete(now.session, bob));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, name FROM users"), "1,ann; 3,cid");
    corm_let_go(cid);
}

static void a_row_that_comes_back_takes_its_key_from_one_that_goes(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    user *bob = new_user("bob");
    bob->id = ann->id;
    ok(corm_flush(now.session));
    corm_keep(bob);
    ok(corm_expunge(now.session, bob));
    user *read = there(corm_get(now.session, user, ann->id)); /* bob's row, as another object */
    corm_keep(read);
    ok(corm_rollback(now.session));
    assert_ptr_equal(corm_get(now.session, user, ann->id), ann);
    assert_string_equal(ann->name, "ann");
    assert_int_equal(corm_standing_of(read), CORM_DETACHED);
    corm_let_go(bob);
    corm_let_go(read);
}

static void savepoints_nest(void **state) {
    (void)state;
    user *ann = new_user("one");
    ok(corm_save(now.session));
    ann->name = text_of("two");
    ok(corm_save(now.session));
    ann->name = text_of("three");
    user *bob = new_user("bob");
    corm_keep(bob);
    ok(corm_flush(now.session));
    ok(corm_rollback_save(now.session));
    assert_string_equal(ann->name, "two");
    assert_null(corm_get(now.session, user, bob->id));
    ok(corm_release(now.session));
    assert_string_equal(ann->name, "two");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "two");
    corm_let_go(bob);
    fails(corm_release(now.session), CORM_INVALID_REQUEST, "SAVEPOINT");
    fails(corm_rollback_save(now.session), CORM_INVALID_REQUEST, "SAVEPOINT");
}

static void what_a_released_savepoint_wrote_goes_with_the_outer_rollback(void **state) {
    (void)state;
    user *ann = new_user("one");
    ok(corm_commit(now.session));
    ok(corm_save(now.session));
    ann->name = text_of("two");
    user *bob = new_user("bob");
    corm_keep(bob);
    ok(corm_release(now.session));
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "one");
    assert_string_equal(rows_in_file("SELECT name FROM users"), "one");
    ok(corm_add(now.session, bob)); /* transient again */
    corm_let_go(bob);
}

static void a_deletion_in_a_savepoint_is_taken_back(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_save(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_flush(now.session));
    ok(corm_rollback_save(now.session));
    assert_ptr_equal(corm_get(now.session, user, ann->id), ann);
    ann->name = text_of("alive");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "alive");
}

static void assignments_after_a_savepoint_are_taken_back_unflushed(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_save(now.session));
    ann->name = text_of("not flushed");
    ok(corm_rollback_save(now.session));
    assert_string_equal(ann->name, "ann");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
}

/* ---- a flush that fails ---- */

static void a_failed_flush_rolls_back_and_says_so_until_rollback(void **state) {
    (void)state;
    club *chess = there(corm_new(now.session, club));
    chess->title = text_of("chess");
    ok(corm_commit(now.session));
    user *ann = new_user("ann");
    corm_keep(ann);
    chess->title = text_of("go");
    ok(corm_flush(now.session));
    club *other = there(corm_new(now.session, club));
    corm_keep(other);
    other->title = text_of("go");
    assert_int_equal(corm_flush(now.session), CORM_INTEGRITY_ERROR);
    assert_string_equal(corm_error_last()->statement,
                        on("INSERT INTO clubs (title) VALUES (?)",
                           "INSERT INTO clubs (title) VALUES ($1::VARCHAR) RETURNING clubs.id",
                           "INSERT INTO clubs (title) VALUES (?) RETURNING clubs.id"));
    assert_non_null(strstr(corm_error_last()->parameters, "'go'"));
    assert_true(corm_error_last()->native_code != 0 || strcmp(corm_error_last()->sqlstate, "23505") == 0);
    assert_string_equal(chess->title, "chess"); /* the whole transaction is taken back */
    assert_string_equal(ann->name, "ann");
    fails(corm_flush(now.session) == CORM_OK ? corm_commit(now.session) : CORM_PENDING_ROLLBACK, CORM_PENDING_ROLLBACK,
          on("UNIQUE", "duplicate key", "Duplicate entry"));
    corm_query *query = corm_select(user);
    assert_null(corm_first(now.session, query, user));
    failed_with(CORM_PENDING_ROLLBACK, "rolled back");
    corm_query_free(query);
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
    other->title = text_of("chess 2");
    ok(corm_add(now.session, other));
    ok(corm_add(now.session, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT title FROM clubs ORDER BY id"), "chess; chess 2");
    corm_let_go(other);
    corm_let_go(ann);
}

static void a_flush_that_fails_in_a_savepoint_loses_only_that(void **state) {
    (void)state;
    club *chess = there(corm_new(now.session, club));
    chess->title = text_of("chess");
    ok(corm_save(now.session));
    there(corm_new(now.session, club));
    club *double_ = there(corm_new(now.session, club));
    double_->title = text_of("chess");
    assert_int_equal(corm_flush(now.session), CORM_INTEGRITY_ERROR);
    ok(corm_rollback_save(now.session));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT title FROM clubs"), "chess");
}

static void a_required_field_that_is_null_is_refused_by_the_database(void **state) {
    (void)state;
    address *made = there(corm_new(now.session, address));
    (void)made;
    fails(corm_flush(now.session), CORM_INTEGRITY_ERROR,
          on("addresses.email", "column \"email\" of relation \"addresses\"", "Column 'email' cannot be null"));
    ok(corm_rollback(now.session));
}

static void a_row_that_others_took_is_stale(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    change_file("DELETE FROM users");
    ann->name = text_of("too late");
    fails(corm_flush(now.session), CORM_STALE_DATA, "users");
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "ann");
    fails(corm_refresh(now.session, ann), CORM_INVALID_REQUEST, "not there any more");
}

static void a_locked_file_is_an_operational_error_and_can_be_tried_again(void **state) {
    (void)state;
    corm_engine *engine;
    char url[sizeof now.url + 16];
    snprintf(url, sizeof url, "%s&timeout=0", now.url);
    engine = there(corm_open(url));
    corm_session *session = there(corm_session_open(engine, now.models));
    new_user("holds the lock");
    ok(corm_flush(now.session));
    user *late = there(corm_new(session, user));
    late->name = text_of("late");
    corm_keep(late);
    fails(corm_commit(session), CORM_OPERATIONAL_ERROR, "locked");
    ok(corm_rollback(session));
    ok(corm_commit(now.session));
    ok(corm_add(session, late));
    ok(corm_commit(session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 2);
    corm_session_end(session);
    corm_let_go(late);
    corm_close(engine);
}

static corm_status look(void) {
    corm_query *query = corm_select(user);
    corm_status status = corm_first(now.session, query, user) == NULL ? corm_error_last()->status : CORM_OK;
    corm_query_free(query);
    return status;
}

static void a_session_has_an_isolation_level(void **state) {
    (void)state;
    ok(corm_set_isolation(now.session, "AUTOCOMMIT"));
    new_user("kept");
    ok(corm_flush(now.session));
    fails(corm_set_isolation(now.session, NULL), CORM_INVALID_REQUEST, "under way");
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    ok(corm_set_isolation(now.session, "SERIALIZABLE"));
    new_user("lost");
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    ok(corm_set_isolation(now.session, "CHAOS"));
    fails(look(), CORM_ARGUMENT_ERROR, "CHAOS");
    ok(corm_rollback(now.session));
    ok(corm_set_isolation(now.session, NULL));
    ok(look());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(nothing_is_in_the_file_before_the_commit),
        story(a_rollback_gives_fields_their_former_values),
        story(a_rollback_takes_back_what_was_only_assigned),
        story(each_rollback_gives_back_what_its_transaction_changed),
        story(a_rollback_makes_new_objects_transient_again),
        story(a_rollback_brings_deleted_objects_back),
        story(a_rollback_restores_relationships),
        story(a_changed_key_is_taken_back),
        story(keys_that_went_from_one_object_to_another_come_back),
        story(a_row_that_comes_back_takes_its_key_from_one_that_goes),
        story(savepoints_nest),
        story(what_a_released_savepoint_wrote_goes_with_the_outer_rollback),
        story(a_deletion_in_a_savepoint_is_taken_back),
        story(assignments_after_a_savepoint_are_taken_back_unflushed),
        story(a_failed_flush_rolls_back_and_says_so_until_rollback),
        story(a_flush_that_fails_in_a_savepoint_loses_only_that),
        story(a_required_field_that_is_null_is_refused_by_the_database),
        story(a_row_that_others_took_is_stale),
        story(a_session_has_an_isolation_level),
        story(a_locked_file_is_an_operational_error_and_can_be_tried_again),
    };
    return run_stories(tests);
}
