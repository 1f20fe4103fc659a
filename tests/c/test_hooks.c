/* Hooks: when they are called, what they may change, what happens when they fail or use the session themselves. */
#include "differences.h"

static char calls[512];

static corm_status note(void *context, corm_session *session, void *object) {
    (void)session;
    const user *subject = object;
    snprintf(calls + strlen(calls), sizeof calls - strlen(calls), "%s%s:%s", calls[0] == '\0' ? "" : " ",
             (const char *)context, subject->name == NULL ? "-" : subject->name);
    return CORM_OK;
}

static void hooks_are_called_around_each_write(void **state) {
    (void)state;
    static const struct {
        corm_hook_kind kind;
        const char *name;
    } all[] = {{CORM_HOOK_BEFORE_INSERT, "bi"}, {CORM_HOOK_AFTER_INSERT, "ai"},  {CORM_HOOK_BEFORE_UPDATE, "bu"},
               {CORM_HOOK_AFTER_UPDATE, "au"},  {CORM_HOOK_BEFORE_DELETE, "bd"}, {CORM_HOOK_AFTER_DELETE, "ad"},
               {CORM_HOOK_LOAD, "load"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ok(corm_listen(user, all[i].kind, note, (void *)(uintptr_t)all[i].name));
    }
    calls[0] = '\0';
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    assert_string_equal(calls, "bi:ann ai:ann");
    ok(corm_commit(now.session));
    ann->name = text_of("anne");
    ok(corm_commit(now.session));
    assert_string_equal(calls, "bi:ann ai:ann bu:anne au:anne");
    reopen();
    calls[0] = '\0';
    ann = there(corm_get(now.session, user, 1));
    there(corm_get(now.session, user, 1));
    ok(corm_delete(now.session, ann));
    ok(corm_commit(now.session));
    assert_string_equal(calls, "load:anne bd:anne ad:anne");
}

static corm_status upper(void *context, corm_session *session, void *object) {
    (void)context;
    (void)session;
    ((user *)object)->name = text_of("CHANGED");
    ((user *)object)->age = corm_int_of(((user *)object)->age.value + 1);
    return CORM_OK;
}

static void what_a_hook_assigns_is_written(void **state) {
    (void)state;
    ok(corm_listen(user, CORM_HOOK_BEFORE_INSERT, upper, NULL));
    ok(corm_listen(user, CORM_HOOK_BEFORE_UPDATE, upper, NULL));
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, age FROM users"), "CHANGED,1");
    ann->name = text_of("again");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, age FROM users"), "CHANGED,2");
    assert_string_equal(ann->name, "CHANGED");
}

static corm_status refuse(void *context, corm_session *session, void *object) {
    (void)session;
    (void)object;
    return context == NULL ? CORM_VALUE_ERROR : corm_fail(CORM_VALUE_ERROR, "the hook says no to %s", (char *)context);
}

static void a_hook_that_fails_ends_the_flush(void **state) {
    (void)state;
    static const corm_hook_kind kinds[] = {CORM_HOOK_BEFORE_INSERT, CORM_HOOK_AFTER_INSERT};
    for (size_t i = 0; i < 2; i++) {
        ok(corm_listen(club, kinds[i], refuse, i == 0 ? NULL : text_of("clubs")));
        new_user("ann");
        club *made = there(corm_new(now.session, club));
        made->title = text_of("x");
        fails(corm_commit(now.session), CORM_VALUE_ERROR, "hook of club");
        assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
        ok(corm_rollback(now.session));
    }
}

static void a_hook_that_fails_on_update_and_delete_leaves_the_row(void **state) {
    (void)state;
    user *ann = new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_listen(user, CORM_HOOK_BEFORE_DELETE, refuse, text_of("deletion")));
    ok(corm_delete(now.session, ann));
    fails(corm_commit(now.session), CORM_VALUE_ERROR, "no to deletion");
    ok(corm_rollback(now.session));
    assert_ptr_equal(corm_get(now.session, user, 1), ann);
    ok(corm_listen(user, CORM_HOOK_AFTER_UPDATE, refuse, text_of("update")));
    ann->name = text_of("bob");
    fails(corm_commit(now.session), CORM_VALUE_ERROR, "no to update");
    ok(corm_rollback(now.session));
    assert_string_equal(ann->name, "ann");
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
}

static void a_load_hook_that_fails_fails_the_query(void **state) {
    (void)state;
    new_user("ann");
    ok(corm_commit(now.session));
    reopen();
    ok(corm_listen(user, CORM_HOOK_LOAD, refuse, text_of("loading")));
    corm_query *query = corm_select(user);
    assert_null(corm_first(now.session, query, user));
    failed_with(CORM_VALUE_ERROR, "no to loading");
    corm_query_free(query);
    ok(corm_rollback(now.session));
}

/* ---- hooks that use the session ---- */

static corm_status tried[8];

static corm_status reenter(void *context, corm_session *session, void *object) {
    (void)context;
    tried[0] = corm_flush(session);
    tried[1] = corm_commit(session);
    tried[2] = corm_rollback(session);
    tried[3] = corm_save(session);
    corm_session_end(session);
    tried[4] = corm_error_last()->status;
    tried[5] = corm_refresh(session, object);
    tried[6] = corm_expunge(session, object);
    return CORM_OK;
}

static void a_hook_cannot_end_the_flush_it_is_called_in(void **state) {
    (void)state;
    ok(corm_listen(user, CORM_HOOK_AFTER_INSERT, reenter, NULL));
    new_user("ann");
    ok(corm_flush(now.session));
    assert_int_equal(tried[6], CORM_OK); /* it may leave the session: its row is written */
    for (size_t i = 0; i < 6; i++) {
        if (tried[i] != CORM_INVALID_REQUEST) {
            fail_msg("attempt %zu: %s", i, corm_status_name(tried[i]));
        }
    }
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "ann");
}

static corm_status add_and_query(void *context, corm_session *session, void *object) {
    (void)context;
    user *owner = object;
    if (strcmp(owner->name, "second") == 0) {
        return CORM_OK;
    }
    user *second = corm_new(session, user);
    if (second == NULL) {
        return corm_error_last()->status;
    }
    second->name = text_of("second");
    corm_query *query = corm_select(user);
    int64_t count = corm_count(session, query); /* no flush inside of a flush: what is written so far */
    corm_query_free(query);
    owner->age = corm_int_of(count);
    address *made = corm_new(session, address);
    made->email = text_of("from a hook");
    return corm_many_add(owner->addresses, made);
}

static void a_hook_may_query_and_add(void **state) {
    (void)state;
    ok(corm_listen(user, CORM_HOOK_BEFORE_INSERT, add_and_query, NULL));
    new_user("first");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, age FROM users ORDER BY name"), "first,0; second,-");
    assert_string_equal(rows_in_file("SELECT email, user_id FROM addresses"), "from a hook,1");
}

static corm_status delete_others(void *context, corm_session *session, void *object) {
    (void)object;
    return corm_delete(session, context);
}

static void a_hook_may_delete(void **state) {
    (void)state;
    user *victim = new_user("victim");
    ok(corm_commit(now.session));
    ok(corm_listen(club, CORM_HOOK_AFTER_INSERT, delete_others, victim));
    there(corm_new(now.session, club));
    ok(corm_commit(now.session)); /* which flushes until nothing is left */
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
}

static corm_status drop_kept(void *context, corm_session *session, void *object) {
    (void)session;
    (void)object;
    if (*(void **)context != NULL) {
        corm_let_go(*(void **)context);
        *(void **)context = NULL;
    }
    return CORM_OK;
}

static void a_hook_may_drop_the_last_reference_that_the_program_has(void **state) {
    (void)state;
    user *ann = new_user("ann");
    void *kept = ann;
    corm_keep(ann);
    ok(corm_commit(now.session));
    ok(corm_listen(user, CORM_HOOK_AFTER_DELETE, drop_kept, &kept));
    ok(corm_delete(now.session, ann));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
}

static corm_status endless(void *context, corm_session *session, void *object) {
    (void)context;
    (void)object;
    return corm_new(session, club) == NULL ? corm_error_last()->status : CORM_OK;
}

static void hooks_that_never_stop_adding_are_stopped(void **state) {
    (void)state;
    ok(corm_listen(club, CORM_HOOK_AFTER_INSERT, endless, NULL));
    there(corm_new(now.session, club));
    fails(corm_commit(now.session), CORM_FLUSH_ERROR, "100");
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM clubs"), 0);
}

static void wrong_hooks_are_refused(void **state) {
    (void)state;
    fails(corm_listen(user, (corm_hook_kind)0, note, NULL), CORM_ARGUMENT_ERROR, "no kind of hook");
    fails(corm_listen(user, (corm_hook_kind)99, note, NULL), CORM_ARGUMENT_ERROR, "no kind of hook");
    fails(corm_listen(user, CORM_HOOK_LOAD, NULL, NULL), CORM_ARGUMENT_ERROR, "NULL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(hooks_are_called_around_each_write),
        story(what_a_hook_assigns_is_written),
        story(a_hook_that_fails_ends_the_flush),
        story(a_hook_that_fails_on_update_and_delete_leaves_the_row),
        story(a_load_hook_that_fails_fails_the_query),
        story(a_hook_cannot_end_the_flush_it_is_called_in),
        story(a_hook_may_query_and_add),
        story(a_hook_may_delete),
        story(a_hook_may_drop_the_last_reference_that_the_program_has),
        story(hooks_that_never_stop_adding_are_stopped),
        story(wrong_hooks_are_refused),
    };
    return run_stories(tests);
}
