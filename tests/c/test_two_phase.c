/* Two-phase transactions: prepared ones are certain, and outlive their session. */
#include "differences.h"

typedef struct noted {
    unsigned count;
    char name[64];
} noted;

static void note(void *context, const char *name) {
    noted *last = context;
    last->count++;
    snprintf(last->name, sizeof last->name, "%s", name);
}

static unsigned prepared(noted *last) {
    *last = (noted){0};
    ok(corm_each_prepared(now.engine, note, last));
    return last->count;
}

static void a_prepared_transaction_is_committed_or_rolled_back(void **state) {
    (void)state;
    noted last;
    ok(corm_set_two_phase(now.session, true));
    for (int round = 0; round < 2; round++) {
        new_user("ann");
        ok(corm_prepare(now.session));
        assert_int_equal(prepared(&last), 1);
        assert_string_equal(last.name, corm_transaction_name(now.session));
        assert_int_equal(in_file("SELECT count(*) FROM users"), round);
        ok(round == 0 ? corm_commit(now.session) : corm_rollback(now.session));
        assert_int_equal(prepared(&last), 0);
        assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    }
    new_user("bob");
    ok(corm_commit(now.session)); /* prepares by itself */
    assert_int_equal(in_file("SELECT count(*) FROM users"), 2);
}

static void a_prepared_transaction_outlives_its_session(void **state) {
    (void)state;
    noted last;
    for (int commit = 0; commit < 2; commit++) {
        reopen();
        ok(corm_set_two_phase(now.session, true));
        new_user("ann");
        ok(corm_prepare(now.session));
        ok(corm_leave_prepared(now.session));
        reopen();
        assert_int_equal(prepared(&last), 1);
        ok(corm_end_prepared(now.engine, last.name, commit));
        assert_int_equal(prepared(&last), 0);
        assert_int_equal(in_file("SELECT count(*) FROM users"), commit);
    }
    assert_int_not_equal(corm_end_prepared(now.engine, "nobody prepared this", true), CORM_OK);
    corm_error_clear();
}

static void what_makes_no_sense_is_refused(void **state) {
    (void)state;
    fails(corm_prepare(now.session), CORM_INVALID_REQUEST, "twophase");
    fails(corm_leave_prepared(now.session), CORM_INVALID_REQUEST, "no prepared transaction");
    new_user("ann");
    ok(corm_flush(now.session));
    assert_null(corm_transaction_name(now.session));
    fails(corm_set_two_phase(now.session, true), CORM_INVALID_REQUEST, "under way");
}

static void sqlite_has_none(void **state) {
    (void)state;
    noted last = {0};
    ok(corm_set_two_phase(now.session, true));
    new_user("ann");
    fails(corm_commit(now.session), CORM_NOT_SUPPORTED, "sqlite has no two-phase");
    fails(corm_each_prepared(now.engine, note, &last), CORM_NOT_SUPPORTED, "sqlite");
    fails(corm_end_prepared(now.engine, "x", true), CORM_NOT_SUPPORTED, "sqlite");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(a_prepared_transaction_is_committed_or_rolled_back),
        story(a_prepared_transaction_outlives_its_session),
        story(what_makes_no_sense_is_refused),
        story(sqlite_has_none),
    };
    return run_stories(tests);
}
