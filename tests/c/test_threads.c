/*
 * Many threads on one engine: each has sessions of its own over the same pool and the same cache of statements. Run under
 * ThreadSanitizer by tools/check.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "differences.h"

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

/* ---- readers beside writers, with every kind of statement ---- */

static void *read_all(void *argument) {
    for (int round = 0; round < ROUNDS; round++) {
        corm_session *session = corm_session_open(now.engine, now.models);
        corm_query *query = corm_select(user);
        bool good = session != NULL && query != NULL;
        if (good) {
            corm_with(query, user, addresses, round % 2 ? "selectin" : "joined");
            corm_foreach(user, found, session, query) {
                good = good && found->name != NULL && corm_many_count(found->addresses) == 1;
                good = good && corm_fetch((address *)corm_many_at(found->addresses, 0), user) == found;
            }
            good = good && corm_error_last()->status == CORM_OK && corm_count(session, query) >= 0;
            corm_save(session);
            corm_rollback_save(session);
            corm_rollback(session);
        }
        corm_query_free(query);
        corm_session_end(session);
        if (!good) {
            return argument;
        }
    }
    return NULL;
}

static void *write_some(void *argument) {
    corm_session *session = corm_session_open(now.engine, now.models);
    bool good = session != NULL;
    for (int round = 0; round < ROUNDS / 2 && good; round++) {
        user *made = corm_new(session, user);
        address *home = corm_new(session, address);
        made->name = text_of("writer");
        home->email = text_of("home");
        good = corm_many_add(made->addresses, home) == CORM_OK;
        /* Another writer may have the lock longer than is waited for: then this one tries again. */
        corm_status status = good ? corm_commit(session) : CORM_INTERNAL_ERROR;
        if (status == CORM_OPERATIONAL_ERROR) {
            good = corm_rollback(session) == CORM_OK;
        } else {
            good = status == CORM_OK;
        }
    }
    corm_session_end(session);
    return good ? NULL : argument;
}

static void readers_and_writers_keep_out_of_each_others_way(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    new_address(new_user("first"), "home");
    ok(corm_commit(now.session));
    if (database_now()->kind == ON_SQLITE) {
        change_file("PRAGMA journal_mode = WAL");
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, i % 4 == 0 ? write_some : read_all, &now), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(
        in_file("SELECT count(*) FROM users LEFT JOIN addresses ON user_id = users.id WHERE user_id IS NULL"), 0);
    file_is_sound();
}

/* ---- more threads than connections ---- */

enum { CROWD = 100, CROWD_ROUNDS = 3 };

static void *add_one(void *argument) {
    bool good = true;
    for (int round = 0; round < CROWD_ROUNDS && good; round++) {
        corm_session *session = corm_session_open(now.engine, now.models);
        user *counter = session == NULL ? NULL : corm_get(session, user, 1);
        good = counter != NULL;
        user *made = good ? corm_new(session, user) : NULL;
        if (made != NULL) {
            made->name = text_of("one of the crowd");
        }
        good = made != NULL && corm_commit(session) == CORM_OK;
        corm_session_end(session);
    }
    return good ? NULL : argument;
}

/* The pool has 15 connections: the others wait for their turn. */
static void a_crowd_shares_few_connections(void **state) {
    static pthread_t threads[CROWD];
    (void)state;
    new_user("counter");
    ok(corm_commit(now.session));
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, add_one, &now), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1 + CROWD * CROWD_ROUNDS);
}

/* ---- one session, handed from thread to thread ---- */

static void *rename_it(void *argument) {
    user *ann = argument;
    ann->name = text_of("renamed");
    return corm_commit(now.session) == CORM_OK && corm_many_count(ann->addresses) == 1 ? NULL : argument;
}

static void a_session_may_go_from_thread_to_thread(void **state) {
    pthread_t thread;
    void *failed;
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "home");
    ok(corm_commit(now.session));
    for (int i = 0; i < 3; i++) {
        ann->name = text_of("mine");
        ok(corm_commit(now.session));
        assert_int_equal(pthread_create(&thread, NULL, rename_it, ann), 0);
        pthread_join(thread, &failed);
        assert_null(failed);
        assert_string_equal(rows_in_file("SELECT name FROM users"), "renamed");
    }
}

/* ---- many threads that all want the one session ---- */

static atomic_int turned_away, served;

static void *push_in(void *unused) {
    (void)unused;
    for (int i = 0; i < 200; i++) {
        corm_status status = corm_flush(now.session);
        atomic_fetch_add(status == CORM_OK ? &served : &turned_away, 1);
        if (status != CORM_OK && status != CORM_ILLEGAL_STATE_CHANGE) {
            return &turned_away;
        }
    }
    return NULL;
}

static void threads_that_want_one_session_are_served_one_at_a_time(void **state) {
    pthread_t threads[THREADS];
    (void)state;
    ok(corm_commit(now.session));
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, push_in, NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(atomic_load(&served) + atomic_load(&turned_away), THREADS * 200);
    assert_true(atomic_load(&served) > 0);
    new_user("after");
    ok(corm_commit(now.session));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(threads_share_an_engine),
        story(readers_and_writers_keep_out_of_each_others_way),
        story(a_crowd_shares_few_connections),
        story(a_session_may_go_from_thread_to_thread),
        story(threads_that_want_one_session_are_served_one_at_a_time),
    };
    return run_stories(tests);
}
