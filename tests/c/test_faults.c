/*
 * The disk and the locks fail: each scenario runs with its 1st, 2nd, 3rd ... read, write, sync ... failing, alone or with
 * all that follow, until it passes. Each time the error has its class, the file is whole and holds all of the scenario or
 * nothing, the objects have the values of the file, and the session works again.
 */
#include "differences.h"
#include "scenarios.h"

#include "faulty_vfs.h"

static long injected;
static bool write_ahead;

/* ---- the world, on the faulty file system ---- */

static void set_up_faulty(void) {
    set_up(NULL);
    if (write_ahead) {
        change_file("PRAGMA journal_mode = WAL");
    }
    corm_session_end(now.session);
    corm_close(now.engine);
    snprintf(now.url, sizeof now.url, "sqlite:///%s?foreign_keys=1&vfs=faulty&timeout=0", now.path);
    now.engine = there(corm_open(now.url));
    now.session = there(corm_session_open(now.engine, now.models));
}

/* ---- what holds afterwards ---- */

static void file_is_whole(const char *what) {
    const char *check = rows_in_file("PRAGMA integrity_check");
    if (strcmp(check, "ok") != 0) {
        fail_msg("%s: integrity_check: %s", what, check);
    }
    check = rows_in_file("PRAGMA foreign_key_check");
    if (check[0] != '\0') {
        fail_msg("%s: foreign_key_check: %s", what, check);
    }
}

/* Values of objects that were there before, as the struct shows them, are those of the file. */
static void objects_are_as_in_the_file(const char *what, user *const *known, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char sql[128], shown[256];
        snprintf(sql, sizeof sql, "SELECT name, age FROM users WHERE id = %d", (int)i + 1);
        const char *row = rows_in_file(sql);
        snprintf(shown, sizeof shown, known[i]->age.set ? "%s,%lld" : "%s,-", known[i]->name,
                 (long long)known[i]->age.value);
        if (row[0] != '\0' && strcmp(row, shown) != 0) {
            fail_msg("%s: the object has %s, the file %s", what, shown, row);
        }
    }
}

static void session_works(const char *what) {
    corm_query *query = corm_select(user);
    corm_foreach(user, found, now.session, query) {
        assert_true(corm_many_count(found->addresses) != SIZE_MAX);
    }
    if (corm_error_last()->status != CORM_OK) {
        fail_msg("%s: then: %s", what, corm_error_last()->message);
    }
    corm_query_free(query);
    there(corm_new(now.session, basket));
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
}

/* ---- one run ---- */

static bool run_once(const scenario *tried, fault_kind kind, long nth, bool all) {
    static char before[8192];
    char what[160];
    user *known[2] = {NULL, NULL};
    size_t count = 0;
    snprintf(what, sizeof what, "%s, %s %ld%s%s", tried->name, fault_name(kind), nth, all ? " and on" : "",
             write_ahead ? ", WAL" : "");
    set_up_faulty();
    if (tried->prepare != NULL) {
        tried->prepare();
    }
    while (count < 2 && (known[count] = corm_get(now.session, user, (int64_t)count + 1)) != NULL) {
        corm_keep(known[count++]);
    }
    ok(corm_rollback(now.session));
    snprintf(before, sizeof before, "%s", file_contents());
    faulty_vfs_arm(kind, nth, all);
    corm_error_clear();
    corm_status status = tried->run();
    corm_status error = corm_error_last()->status;
    char message[256];
    snprintf(message, sizeof message, "%s", corm_error_last()->message == NULL ? "" : corm_error_last()->message);
    corm_rollback(now.session); /* also while nothing works */
    bool failed = faulty_vfs_heal();
    if (status != CORM_OK && (!failed || status != CORM_OPERATIONAL_ERROR || error != status || message[0] == '\0')) {
        fail_msg("%s: %s (%s): %s", what, corm_status_name(status), corm_status_name(error), message);
    }
    if (corm_rollback(now.session) != CORM_OK) {
        fail_msg("%s: rollback: %s", what, corm_error_last()->message);
    }
    const char *contents = file_contents();
    const char *after = tried->after == NULL ? before : tried->after;
    if (strcmp(contents, after) != 0 && (status == CORM_OK || strcmp(contents, before) != 0)) {
        fail_msg("%s: the file has\n%s\nneither\n%s\nnor\n%s", what, contents, before, after);
    }
    file_is_whole(what);
    objects_are_as_in_the_file(what, known, count);
    session_works(what);
    while (count > 0) {
        corm_let_go(known[--count]);
    }
    tear_down(NULL);
    corm_error_clear();
    injected += failed;
    return failed;
}

static void each_fault_of(void **state) {
    const scenario *tried = *state;
    for (fault_kind kind = FAULT_READ; kind < FAULT_KIND_COUNT; kind++) {
        for (int all = 0; all < 2; all++) {
            for (long nth = 0; run_once(tried, kind, nth, all != 0); nth += test_stride()) {
            }
        }
    }
}

static void with_a_write_ahead_log(void **state) {
    (void)state;
    write_ahead = true;
    for (size_t i = 0; i < 3; i++) {
        for (fault_kind kind = FAULT_READ; kind < FAULT_OPEN; kind++) {
            for (long nth = 0; run_once(&scenarios[i], kind, nth, nth % 2 != 0); nth += test_stride()) {
            }
        }
    }
    write_ahead = false;
}

/* ---- another process is killed while it writes ---- */

static void a_torn_commit_is_rolled_back_by_the_next_program(void **state) {
    (void)state;
    char before[8192];
    set_up_faulty();
    scenarios[1].prepare();
    snprintf(before, sizeof before, "%s", file_contents());
    faulty_vfs_arm(FAULT_DELETE, 0, true); /* the journal stays, as after a crash before the commit */
    assert_int_not_equal(scenarios[1].run(), CORM_OK);
    corm_rollback(now.session);
    faulty_vfs_heal();
    ok(corm_rollback(now.session));
    reopen();
    assert_string_equal(file_contents(), before);
    file_is_whole("a torn commit");
    tear_down(NULL);
}

int main(void) {
    struct CMUnitTest tests[64];
    size_t count = 0;
    faulty_vfs_register();
    for (size_t i = 0; i < scenario_count && count < 60; i++) {
        tests[count++] = (struct CMUnitTest){
            .name = scenarios[i].name, .test_func = each_fault_of, .initial_state = (void *)(uintptr_t)&scenarios[i]};
    }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(with_a_write_ahead_log);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_torn_commit_is_rolled_back_by_the_next_program);
    test_filter();
    int failures = run_stories_of(__FILE__, tests, count);
    printf("faults: %ld injected\n", injected);
    return failures;
}
