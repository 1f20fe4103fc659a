/*
 * Every allocation fails once: each scenario runs with its 1st, 2nd, 3rd ... allocation failing, alone or with all that
 * follow, until it passes. Each time there is a clean error, nothing leaks, the session works after a rollback, and the
 * file holds all of the scenario or nothing.
 */
#include "differences.h"
#include "scenarios.h"

#include "../core/failing_memory.h"

static long injected;

static void memory_fails_at(long nth, bool once) {
    memory_now.until_failure = nth;
    memory_now.once = once;
    memory_now.failed = false;
}

static void memory_works(void) {
    memory_now.until_failure = -1;
}

/* The session goes on working: it can be rolled back, queried and written. */
static void session_works(void) {
    ok(corm_rollback(now.session));
    corm_query *query = corm_select(user);
    corm_foreach(user, found, now.session, query) {
        assert_true(corm_many_count(found->addresses) != SIZE_MAX);
    }
    ok(corm_error_last()->status);
    corm_query_free(query);
    there(corm_new(now.session, basket));
    ok(corm_flush(now.session));
    ok(corm_rollback(now.session));
}

static bool run_once(const scenario *tried, long nth, bool once) {
    static char before[8192];
    char what[128];
    snprintf(what, sizeof what, "%s, allocation %ld%s", tried->name, nth, once ? " alone" : "");
    long alive = memory_now.alive;
    set_up(NULL);
    if (tried->prepare != NULL) {
        tried->prepare();
    }
    snprintf(before, sizeof before, "%s", file_contents());
    memory_fails_at(nth, once);
    corm_error_clear();
    corm_status status = tried->run();
    bool failed = memory_now.failed;
    memory_works();
    if (status != CORM_OK && (!failed || status != CORM_NO_MEMORY || corm_error_last()->status != CORM_NO_MEMORY)) {
        fail_msg("%s: %s: %s", what, corm_status_name(status), corm_error_last()->message);
    }
    session_works();
    const char *contents = file_contents();
    const char *after = tried->after == NULL ? before : tried->after;
    if (strcmp(contents, after) != 0 && (status == CORM_OK || strcmp(contents, before) != 0)) {
        fail_msg("%s: the file has\n%s\nneither\n%s\nnor\n%s", what, contents, before, after);
    }
    tear_down(NULL);
    corm_error_clear();
    if (memory_now.alive != alive) {
        fail_msg("%s: %ld blocks leaked", what, memory_now.alive - alive);
    }
    injected += failed;
    return failed;
}

static void each_allocation_of(void **state) {
    const scenario *tried = *state;
    for (int once = 0; once < 2; once++) {
        long nth = 0;
        while (run_once(tried, nth, once != 0)) {
            nth += test_stride();
        }
    }
}

/* ---- from nothing: models, engine, session ---- */

static bool from_nothing(const char *url, long nth) {
    corm_engine *engine = NULL;
    corm_session *session = NULL;
    corm_models *models = corm_models_new();
    bool good = models != NULL && add_all_models(models) == CORM_OK && corm_models_check(models) == CORM_OK;
    good = good && (engine = corm_open(url)) != NULL;
    good = good && corm_create_all(models, engine) == CORM_OK;
    good = good && (session = corm_session_open(engine, models)) != NULL;
    good = good && corm_listen(user, CORM_HOOK_LOAD, (corm_hook)(void (*)(void))abort, NULL) == CORM_OK;
    user *made = good ? corm_new(session, user) : NULL;
    good = made != NULL && corm_commit(session) == CORM_OK && corm_drop_all(models, engine) == CORM_OK;
    if (!good && corm_error_last()->status != CORM_NO_MEMORY) {
        fail_msg("allocation %ld: %s: %s", nth, corm_status_name(corm_error_last()->status),
                 corm_error_last()->message);
    }
    corm_session_end(session);
    corm_close(engine);
    corm_models_free(models);
    return good;
}

static void a_world_is_made_or_not_made(void **state) {
    char url[sizeof now.url] = "sqlite://?foreign_keys=1";
    (void)state;
    for (int once = 0; once < 2; once++) {
        long nth = 0;
        bool failed = true;
        for (; failed; nth += test_stride()) {
            if (database_now()->kind != ON_SQLITE) {
                database_now()->open(url, sizeof url);
            }
            long alive = memory_now.alive;
            memory_fails_at(nth, once != 0);
            bool good = from_nothing(url, nth);
            failed = memory_now.failed;
            memory_works();
            corm_error_clear();
            assert_true(good || failed);
            if (memory_now.alive != alive) {
                fail_msg("allocation %ld%s: %ld blocks leaked", nth, once ? " alone" : "", memory_now.alive - alive);
            }
            injected += failed;
            if (database_now()->kind != ON_SQLITE) {
                database_now()->close();
            }
        }
    }
}

int main(void) {
    struct CMUnitTest tests[64] = {cmocka_unit_test(a_world_is_made_or_not_made)};
    size_t count = 1;
    memory_install();
    now.keep_tables = true;
    for (size_t i = 0; i < scenario_count && count < 64; i++) {
        tests[count++] = (struct CMUnitTest){.name = scenarios[i].name,
                                             .test_func = each_allocation_of,
                                             .initial_state = (void *)(uintptr_t)&scenarios[i]};
    }
    test_filter();
    int failures = run_stories_of(__FILE__, tests, count);
    printf("injected: %ld allocations failed\n", injected);
    return failures;
}
