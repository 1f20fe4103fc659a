/*
 * Many threads on one engine: each has sessions of its own over the same pool and the same cache of statements. Run under
 * ThreadSanitizer by tools/check.
 */
#include <pthread.h>

#include "support.h"

enum { THREADS = 8, ROUNDS = 20 };

static void *work(void *argument) {
    const int number = *(const int *)argument;
    char name[32];
    for (int round = 0; round < ROUNDS; round++) {
        corm_session *session = corm_session_open(now.engine, now.models);
        if (session == NULL) {
            return argument;
        }
        user *made = corm_new(session, user);
        snprintf(name, sizeof name, "%d-%d", number, round);
        made->name = name;
        bool good = corm_commit(session) == CORM_OK;
        corm_query *query = corm_select(user);
        corm_where(query, corm_eq(user, name, name));
        user *found = corm_first(session, query, user);
        good = good && found == made;
        corm_query_free(query);
        corm_session_end(session);
        if (!good) {
            return argument;
        }
    }
    return NULL;
}

static void threads_share_an_engine(void **state) {
    pthread_t threads[THREADS];
    int numbers[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(in_file("SELECT count(*) FROM users"), THREADS * ROUNDS);
}

int main(void) {
    const struct CMUnitTest tests[] = {story(threads_share_an_engine)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
