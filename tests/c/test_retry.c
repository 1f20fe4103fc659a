/* Units of work that are tried again when others were in their way: done once, or not at all. */
#include <pthread.h>

#include "differences.h"

static const corm_patience quick = {.pause = 0.001};

/* Adds one to the ages of two users; in the first attempt it waits in between for the other. */
typedef struct crossing {
    pthread_barrier_t *meeting;
    int64_t first, second;
    unsigned attempts;
    corm_status status;
} crossing;

static corm_status add_one(corm_session *session, int64_t key) {
    user *one = corm_get(session, user, key);
    if (one == NULL) {
        return corm_error_last()->status;
    }
    one->age = corm_int_of(one->age.value + 1);
    return corm_flush(session);
}

static corm_status cross(void *context, corm_session *session) {
    crossing *way = context;
    corm_status status = add_one(session, way->first);
    if (++way->attempts == 1) {
        pthread_barrier_wait(way->meeting);
    }
    return status == CORM_OK ? add_one(session, way->second) : status;
}

static void *run_crossing(void *context) {
    crossing *way = context;
    way->status = corm_retry(now.engine, now.models, &quick, cross, way);
    return NULL;
}

static void make_users(void) {
    for (int i = 0; i < 2; i++) {
        new_user("ann")->age = corm_int_of(30);
    }
    ok(corm_commit(now.session));
}

static void of_two_that_wait_for_each_other_one_is_tried_again(void **state) {
    (void)state;
    pthread_barrier_t meeting;
    pthread_t thread;
    make_users();
    pthread_barrier_init(&meeting, NULL, 2);
    crossing there_way = {&meeting, 1, 2, 0, CORM_OK}, back = {&meeting, 2, 1, 0, CORM_OK};
    assert_int_equal(pthread_create(&thread, NULL, run_crossing, &back), 0);
    run_crossing(&there_way);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&meeting);
    assert_int_equal(there_way.status, CORM_OK);
    assert_int_equal(back.status, CORM_OK);
    assert_int_equal(there_way.attempts + back.attempts, 3);
}

/* ---- SQLite: a file that another writes to ---- */

static corm_status write_late(void *context, corm_session *session) {
    unsigned *attempts = context;
    if (++*attempts == 2) {
        ok(corm_commit(now.session));
    }
    user *late = there(corm_new(session, user));
    late->name = text_of("late");
    corm_status status = corm_flush(session);
    assert_true(*attempts == 2 ? status == CORM_OK : corm_error_is_transient(NULL));
    return status;
}

static void a_locked_file_is_tried_again(void **state) {
    (void)state;
    unsigned attempts = 0;
    char url[sizeof now.url + 16];
    snprintf(url, sizeof url, "%s&timeout=0", now.url);
    corm_engine *impatient = there(corm_open(url));
    new_user("holds the lock");
    ok(corm_flush(now.session));
    ok(corm_retry(impatient, now.models, &quick, write_late, &attempts));
    assert_int_equal(attempts, 2);
    assert_int_equal(in_file("SELECT count(*) FROM users"), 2);
    corm_close(impatient);
}

/* ---- what is not tried again ---- */

static corm_status write_and_fail(void *context, corm_session *session) {
    ++*(unsigned *)context;
    user *made = there(corm_new(session, user));
    made->name = text_of("never");
    ok(corm_flush(session));
    return corm_fail(CORM_VALUE_ERROR, "the work's own reason");
}

static void what_trying_again_does_not_help_against_is_returned_at_once(void **state) {
    (void)state;
    unsigned attempts = 0;
    fails(corm_retry(now.engine, now.models, NULL, write_and_fail, &attempts), CORM_VALUE_ERROR, "own reason");
    assert_int_equal(attempts, 1);
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
    assert_false(corm_error_is_transient(NULL));
}

static void wrong_arguments_are_refused(void **state) {
    (void)state;
    const corm_patience backwards = {.pause = -1};
    unsigned attempts = 0;
    fails(corm_retry(NULL, now.models, NULL, write_and_fail, &attempts), CORM_ARGUMENT_ERROR, "engine");
    fails(corm_retry(now.engine, now.models, &backwards, write_and_fail, &attempts), CORM_ARGUMENT_ERROR, "seconds");
    assert_int_equal(attempts, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(of_two_that_wait_for_each_other_one_is_tried_again),
        story(a_locked_file_is_tried_again),
        story(what_trying_again_does_not_help_against_is_returned_at_once),
        story(wrong_arguments_are_refused),
    };
    return run_stories(tests);
}
