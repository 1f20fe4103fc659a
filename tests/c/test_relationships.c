/* Relationships: both sides kept in step in memory, and what that means for rows. */
#include "differences.h"

/* ---- one-to-many and many-to-one ---- */

static void adding_to_a_collection_sets_the_reference(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(ann, "home");
    assert_ptr_equal(home->user, ann);
    assert_int_equal(corm_many_count(ann->addresses), 1);
    ok(corm_commit(now.session));
    assert_true(home->user_id.set && home->user_id.value == ann->id);
    assert_int_equal(in_file("SELECT user_id FROM addresses"), ann->id);
}

static void setting_the_reference_adds_to_the_collection(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(NULL, "home");
    ok(corm_set(home, user, ann));
    assert_true(corm_many_contains(ann->addresses, home));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT user_id FROM addresses"), ann->id);
}

static void plain_assignment_of_a_reference_is_seen_at_the_flush(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    address *home = new_address(NULL, "home");
    home->user = ann;
    ok(corm_flush(now.session));
    assert_true(corm_many_contains(ann->addresses, home));
    home->user = bob;
    ok(corm_commit(now.session));
    assert_int_equal(corm_many_count(ann->addresses), 0);
    assert_true(corm_many_contains(bob->addresses, home));
    home->user = NULL;
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT user_id FROM addresses"), "-");
    assert_int_equal(corm_many_count(bob->addresses), 0);
}

static void an_item_moves_from_one_collection_to_another(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    address *home = new_address(ann, "home");
    ok(corm_commit(now.session));
    ok(corm_many_add(bob->addresses, home));
    assert_int_equal(corm_many_count(ann->addresses), 0);
    assert_ptr_equal(home->user, bob);
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT user_id FROM addresses"), bob->id);
    reopen();
    assert_int_equal(corm_many_count(((user *)there(corm_get(now.session, user, 1)))->addresses), 0);
    assert_int_equal(corm_many_count(((user *)there(corm_get(now.session, user, 2)))->addresses), 1);
}

static void removing_from_a_collection_nullifies(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(ann, "home");
    new_address(ann, "work");
    ok(corm_commit(now.session));
    ok(corm_many_remove(ann->addresses, home));
    assert_null(home->user);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT email, user_id FROM addresses ORDER BY id"), "home,-; work,1");
    assert_false(home->user_id.set);
    fails(corm_many_remove(ann->addresses, home), CORM_INVALID_REQUEST, "not in");
}

static void a_reference_without_another_side_lets_go_of_what_is_deleted(void **state) {
    (void)state;
    office *north = there(corm_new(now.session, office));
    worker *head = there(corm_new(now.session, worker));
    ok(corm_set(north, head, head)); /* a worker does not know whose head it is */
    ok(corm_commit(now.session));
    north->head_id = (corm_int){0, false};
    ok(corm_delete(now.session, head));
    ok(corm_commit(now.session));
    assert_null(north->head);
    assert_null(corm_fetch(north, head));
    ok(corm_error_last()->status);
}

static void deleting_the_parent_nullifies_the_children(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(ann, "home");
    ok(corm_commit(now.session));
    ok(corm_delete(now.session, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT email, user_id FROM addresses"), "home,-");
    assert_false(home->user_id.set);
    assert_null(corm_fetch(home, user));
}

static void a_collection_is_loaded_in_its_order(void **state) {
    (void)state;
    team *home = there(corm_new(now.session, team)), *guest = there(corm_new(now.session, team));
    for (int i = 0; i < 3; i++) {
        game *made = there(corm_new(now.session, game));
        ok(corm_many_add(home->at_home, made));
        ok(corm_many_add(guest->away, made));
    }
    ok(corm_commit(now.session));
    reopen();
    home = there(corm_get(now.session, team, 1));
    int64_t expected = 3;
    corm_each(game, played, home->at_home) {
        assert_int_equal(played->id, expected--); /* "id desc" */
    }
    assert_int_equal(expected, 0);
}

static void adding_twice_is_one_row_and_once_in_a_loaded_collection(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(ann, "home");
    ok(corm_many_add(ann->addresses, home));
    ok(corm_commit(now.session));
    reopen();
    ann = there(corm_get(now.session, user, 1));
    assert_int_equal(corm_many_count(ann->addresses), 1);
}

static void what_is_attached_comes_into_the_session(void **state) {
    (void)state;
    user *ann = new_user("ann");
    address *home = new_address(ann, "home");
    corm_keep(ann);
    corm_keep(home);
    ok(corm_rollback(now.session)); /* both are transient */
    ok(corm_many_add(ann->addresses, home));
    ok(corm_add(now.session, home)); /* save-update cascades along the reference */
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
    assert_string_equal(rows_in_file("SELECT email, user_id FROM addresses"), "home,1");
    corm_let_go(ann);
    corm_let_go(home);
}

/* ---- one-to-one ---- */

static void a_one_to_one_has_one_object_on_each_side(void **state) {
    (void)state;
    user *ann = new_user("ann");
    profile *first = there(corm_new(now.session, profile));
    first->motto = text_of("first");
    ok(corm_set(ann, profile, first));
    assert_ptr_equal(first->user, ann);
    ok(corm_commit(now.session));
    reopen();
    ann = there(corm_get(now.session, user, 1));
    first = there(corm_fetch(ann, profile));
    assert_string_equal(first->motto, "first");
    assert_ptr_equal(corm_fetch(first, user), ann);
    profile *second = there(corm_new(now.session, profile));
    second->motto = text_of("second");
    ok(corm_set(ann, profile, NULL));
    ok(corm_flush(now.session)); /* the orphan goes */
    ok(corm_set(second, user, ann));
    assert_ptr_equal(ann->profile, second);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT motto, user_id FROM profiles"), "second,1");
    ok(corm_delete(now.session, ann));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM profiles"), 0);
}

static void a_one_to_one_that_moved_is_not_let_go_of_twice(void **state) {
    (void)state;
    new_user("ann");
    new_user("bob");
    profile *first = there(corm_new(now.session, profile)), *second = there(corm_new(now.session, profile));
    ok(corm_flush(now.session));
    ok(corm_set(first, user, corm_get(now.session, user, 1)));
    ok(corm_commit(now.session));
    reopen();
    corm_set_autoflush(now.session, false);
    first = there(corm_get(now.session, profile, 1));
    second = there(corm_get(now.session, profile, 2));
    ok(corm_set(first, user, there(corm_get(now.session, user, 2))));
    ok(corm_set(second, user, there(corm_get(now.session, user, 1)))); /* the file still has the first one there */
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, user_id FROM profiles ORDER BY id"), "1,2; 2,1");
}

/* ---- many-to-many ---- */

static void many_to_many_writes_pairs_from_either_side(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    club *chess = there(corm_new(now.session, club)), *go = there(corm_new(now.session, club));
    chess->title = text_of("chess");
    go->title = text_of("go");
    ok(corm_many_add(ann->clubs, chess));
    ok(corm_many_add(go->members, ann));
    ok(corm_many_add(chess->members, bob));
    assert_true(corm_many_contains(chess->members, ann));
    assert_true(corm_many_contains(ann->clubs, go));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT user_id, club_id FROM memberships ORDER BY 1, 2"), "1,1; 1,2; 2,1");
    ok(corm_many_remove(chess->members, ann));
    assert_false(corm_many_contains(ann->clubs, chess));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT user_id, club_id FROM memberships ORDER BY 1, 2"), "1,2; 2,1");
    reopen();
    chess = there(corm_get(now.session, club, 1));
    assert_int_equal(corm_many_count(chess->members), 1);
    ok(corm_delete(now.session, chess));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT user_id, club_id FROM memberships"), "1,2");
    assert_int_equal(in_file("SELECT count(*) FROM users"), 2);
}

static void the_same_pair_added_from_both_sides_is_one_row(void **state) {
    (void)state;
    user *ann = new_user("ann");
    club *chess = there(corm_new(now.session, club));
    ok(corm_commit(now.session));
    reopen();
    ann = there(corm_get(now.session, user, 1));
    chess = there(corm_get(now.session, club, 1));
    ok(corm_many_add(ann->clubs, chess)); /* neither collection was loaded by us */
    ok(corm_many_add(chess->members, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT user_id, club_id FROM memberships"), "1,1");
}

/* ---- collections that were not loaded ---- */

static void the_other_side_need_not_be_loaded(void **state) {
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "old");
    ok(corm_commit(now.session));
    reopen();
    ann = there(corm_get(now.session, user, 1));
    address *fresh = new_address(NULL, "new");
    ok(corm_set(fresh, user, ann));
    ok(corm_commit(now.session));
    assert_int_equal(corm_many_count(ann->addresses), 2);
    assert_ptr_equal(corm_many_at(ann->addresses, 1), fresh);
}

static void pending_additions_are_worked_in_when_the_collection_loads(void **state) {
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "old");
    ok(corm_commit(now.session));
    reopen();
    ann = there(corm_get(now.session, user, 1));
    address *old = there(corm_get(now.session, address, 1));
    address *fresh = new_address(NULL, "new");
    ok(corm_set(fresh, user, ann));
    ok(corm_set(old, user, NULL));
    assert_int_equal(corm_many_count(ann->addresses), 1);
    assert_ptr_equal(corm_many_at(ann->addresses, 0), fresh);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT email, user_id FROM addresses ORDER BY id"), "old,-; new,1");
}

/* ---- itself ---- */

static void a_tree_is_written_parents_first_and_deleted_children_first(void **state) {
    (void)state;
    leaf *nodes[15];
    for (int i = 14; i >= 0; i--) { /* children are made before their parents */
        nodes[i] = there(corm_new(now.session, leaf));
        nodes[i]->name = text_of("n");
    }
    for (int i = 1; i < 15; i++) {
        ok(corm_set(nodes[i], parent, nodes[(i - 1) / 2]));
    }
    ok(corm_commit(now.session));
    assert_int_equal(corm_many_count(nodes[0]->children), 2);
    assert_int_equal(in_file("SELECT count(*) FROM leaves c JOIN leaves p ON c.parent_id = p.id"), 14);
    for (int i = 0; i < 15; i++) {
        ok(corm_delete(now.session, nodes[i]));
    }
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM leaves"), 0);
}

static void a_row_may_be_its_own_parent(void **state) {
    (void)state;
    leaf *root = there(corm_new(now.session, leaf));
    root->id = 5;
    ok(corm_set(root, parent, root));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, parent_id FROM leaves"), "5,5");
    ok(corm_delete(now.session, root));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM leaves"), 0);
}

static void rows_in_a_circle_are_refused_by_name(void **state) {
    (void)state;
    leaf *a = there(corm_new(now.session, leaf)), *b = there(corm_new(now.session, leaf));
    ok(corm_set(a, parent, b));
    ok(corm_set(b, parent, a));
    fails(corm_flush(now.session), CORM_CIRCULAR_DEPENDENCY, "post_update");
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM leaves"), 0);
}

static void two_paths_stay_apart(void **state) {
    (void)state;
    team *home = there(corm_new(now.session, team)), *guest = there(corm_new(now.session, team));
    game *final = there(corm_new(now.session, game));
    ok(corm_set(final, home, home));
    ok(corm_set(final, guest, guest));
    ok(corm_commit(now.session));
    assert_int_equal(final->home_id, home->id);
    assert_int_equal(final->guest_id, guest->id);
    assert_int_equal(corm_many_count(home->at_home), 1);
    assert_int_equal(corm_many_count(home->away), 0);
    assert_int_equal(corm_many_count(guest->away), 1);
}

static void rows_that_refer_to_each_other_are_written_with_post_update(void **state) {
    (void)state;
    office *north = there(corm_new(now.session, office));
    north->name = text_of("north");
    worker *ann = there(corm_new(now.session, worker)), *bob = there(corm_new(now.session, worker));
    ok(corm_many_add(north->workers, ann));
    ok(corm_many_add(north->workers, bob));
    ok(corm_set(north, head, bob));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT head_id FROM offices"), "2");
    assert_string_equal(rows_in_file("SELECT office_id FROM workers"), "1; 1");
    assert_true(north->head_id.set && north->head_id.value == bob->id);
    ok(corm_set(north, head, ann));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT head_id FROM offices"), "1");
    north->name = text_of("south"); /* other changes leave the head alone */
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, head_id FROM offices"), "south,1");
    ok(corm_delete(now.session, north));
    ok(corm_delete(now.session, ann));
    ok(corm_delete(now.session, bob));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT (SELECT count(*) FROM offices) + (SELECT count(*) FROM workers)"), 0);
}

static void a_post_update_is_written_only_when_it_changed(void **state) {
    (void)state;
    office *north = there(corm_new(now.session, office));
    worker *ann = there(corm_new(now.session, worker));
    ok(corm_set(north, head, ann));
    ok(corm_commit(now.session));
    change_file("UPDATE offices SET head_id = NULL");
    north->name = text_of("south");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, head_id FROM offices"), "south,-");
}

/* ---- cascades ---- */

static basket *filled_basket(int count) {
    basket *made = there(corm_new(now.session, basket));
    for (int i = 0; i < count; i++) {
        entry *one = there(corm_new(now.session, entry));
        one->amount = i;
        ok(corm_many_add(made->entries, one));
    }
    return made;
}

static void deleting_the_owner_deletes_what_it_owns(void **state) {
    (void)state;
    basket *made = filled_basket(3);
    ok(corm_commit(now.session));
    reopen();
    made = there(corm_get(now.session, basket, 1));
    ok(corm_delete(now.session, made));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM entries"), 0);
}

static void an_orphan_is_deleted(void **state) {
    (void)state;
    basket *made = filled_basket(3);
    ok(corm_commit(now.session));
    ok(corm_many_remove(made->entries, corm_many_at(made->entries, 1)));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT amount FROM entries ORDER BY id"), "0; 2");
}

static void an_orphan_that_was_never_written_is_not(void **state) {
    (void)state;
    basket *made = filled_basket(2);
    entry *gone = corm_many_at(made->entries, 0);
    corm_keep(gone);
    ok(corm_many_remove(made->entries, gone));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT amount FROM entries"), "1");
    corm_let_go(gone);
}

static void an_item_that_changes_its_owner_is_no_orphan(void **state) {
    (void)state;
    basket *first = filled_basket(2), *second = filled_basket(0);
    ok(corm_commit(now.session));
    entry *moved = corm_many_at(first->entries, 0);
    ok(corm_many_add(second->entries, moved));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, basket_id FROM entries ORDER BY id"), "1,2; 2,1");
    moved->basket = first;
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, basket_id FROM entries ORDER BY id"), "1,1; 2,1");
}

static void the_order_of_adds_is_the_order_of_keys(void **state) {
    (void)state;
    basket *made = filled_basket(50);
    ok(corm_commit(now.session));
    size_t at = 0;
    corm_each(entry, one, made->entries) {
        assert_int_equal(one->id, at + 1);
        assert_int_equal(one->amount, at);
        at++;
    }
    assert_int_equal(at, 50);
}

/* ---- what is refused ---- */

static void wrong_objects_are_refused(void **state) {
    (void)state;
    user *ann = new_user("ann");
    club *chess = there(corm_new(now.session, club));
    fails(corm_many_add(ann->addresses, chess), CORM_TYPE_ERROR, "club");
    fails(corm_many_add(ann->addresses, NULL), CORM_UNMAPPED_INSTANCE, "NULL");
    fails(corm_reference_set(ann, "profile", chess), CORM_TYPE_ERROR, "club");
    fails(corm_reference_set(ann, "addresses", NULL), CORM_ARGUMENT_ERROR, "no reference");
    fails(corm_reference_set(ann, "nothing", NULL), CORM_ARGUMENT_ERROR, "user.nothing");
    ann->addresses = NULL;
    fails(corm_flush(now.session), CORM_INVALID_REQUEST, "corm_many_add");
    assert_non_null(ann->addresses);
    ok(corm_commit(now.session));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(adding_to_a_collection_sets_the_reference),
        story(setting_the_reference_adds_to_the_collection),
        story(plain_assignment_of_a_reference_is_seen_at_the_flush),
        story(an_item_moves_from_one_collection_to_another),
        story(removing_from_a_collection_nullifies),
        story(a_reference_without_another_side_lets_go_of_what_is_deleted),
        story(deleting_the_parent_nullifies_the_children),
        story(a_collection_is_loaded_in_its_order),
        story(adding_twice_is_one_row_and_once_in_a_loaded_collection),
        story(what_is_attached_comes_into_the_session),
        story(a_one_to_one_has_one_object_on_each_side),
        story(a_one_to_one_that_moved_is_not_let_go_of_twice),
        story(many_to_many_writes_pairs_from_either_side),
        story(the_same_pair_added_from_both_sides_is_one_row),
        story(the_other_side_need_not_be_loaded),
        story(pending_additions_are_worked_in_when_the_collection_loads),
        story(a_tree_is_written_parents_first_and_deleted_children_first),
        story(a_row_may_be_its_own_parent),
        story(rows_in_a_circle_are_refused_by_name),
        story(two_paths_stay_apart),
        story(rows_that_refer_to_each_other_are_written_with_post_update),
        story(a_post_update_is_written_only_when_it_changed),
        story(deleting_the_owner_deletes_what_it_owns),
        story(an_orphan_is_deleted),
        story(an_orphan_that_was_never_written_is_not),
        story(an_item_that_changes_its_owner_is_no_orphan),
        story(the_order_of_adds_is_the_order_of_keys),
        story(wrong_objects_are_refused),
    };
    return run_stories(tests);
}
