/*
 * Input that no program should give, and some will: each gets an error with a code and a sentence, or simply works. None
 * crashes, none writes half of something.
 */
#include <math.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "differences.h"

static long inputs;

static bool is_clean(corm_status status) {
    inputs++;
    return status == CORM_OK || (corm_error_last()->status == status && corm_error_last()->message != NULL &&
                                 corm_error_last()->message[0] != '\0');
}

/* ---- names ---- */

/* A struct of a key and a text, whose table and column go by these names: a row goes in and comes out. */
static corm_status use_names(const char *table, const char *column) {
    const corm_field fields[] = {
        {.name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true},
        {.name = "it", .offset = 8, .field_type = CORM_FIELD_TEXT, .type = CORM_TEXT, .column = column, .index = true}};
    corm_mapping mapping = {"odd", table, 16, fields, 2, NULL};
    corm_models *models = there(corm_models_new());
    corm_engine *engine = there(corm_open("sqlite://"));
    corm_session *session = NULL;
    corm_status status = corm_models_add_mapping(models, &mapping);
    if (status == CORM_OK) {
        status = corm_create_all(models, engine);
    }
    if (status == CORM_OK) {
        session = there(corm_session_open(engine, models));
        char **made = there(corm_object_new(session, &mapping));
        made[1] = text_of("there");
        status = corm_commit(session);
        corm_query *query = corm_query_of(&mapping);
        corm_where(query,
                   corm_compare(CORM_COMPARE_EQ, corm_column_of_field(&mapping, "it"), corm_value_text("there")));
        assert_true(status != CORM_OK || corm_query_first(session, query, &mapping) == made);
        corm_query_free(query);
        if (status == CORM_OK) {
            ok(corm_drop_all(models, engine));
        }
    }
    inputs++;
    corm_session_end(session);
    corm_close(engine);
    corm_models_free(models);
    return status;
}

static void names_of_any_kind_are_quoted(void **state) {
    (void)state;
    static const char *const names[] = {
        "select",    "order",        "we\"ird",   "it's", "a b",    "x;DROP TABLE users;--",
        "new\nline", "na\xc3\xafve", "UPPER",     "1st",  "`tick`", "[brackets]",
        "per%cent",  "co:lon",       "ques?tion", "\"",   "\"\"",   "back\\slash",
        "sqlite",    "rowid",        "a.b"};
    size_t count = sizeof names / sizeof *names;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            ok(use_names(names[i], names[j]));
        }
    }
}

static void long_names_work(void **state) {
    (void)state;
    for (size_t size = 100; size <= 100000; size *= 10) {
        char *name = malloc(size + 1);
        memset(name, 'n', size);
        name[size] = '\0';
        corm_status status = use_names(name, name);
        if (status != CORM_OK && status != CORM_ARGUMENT_ERROR) {
            fail_msg("%zu: %s: %s", size, corm_status_name(status), corm_error_last()->message);
        }
        free(name);
    }
}

static void names_that_cannot_be_are_refused(void **state) {
    (void)state;
    assert_true(use_names("", "x") != CORM_OK && is_clean(corm_error_last()->status));
    assert_true(use_names("x", "") != CORM_OK && is_clean(corm_error_last()->status));
    assert_true(use_names(NULL, "x") != CORM_OK && is_clean(corm_error_last()->status));
    assert_true(use_names("x", "id") != CORM_OK && is_clean(corm_error_last()->status)); /* twice */
    assert_true(use_names("sqlite_mine", "x") != CORM_OK && is_clean(corm_error_last()->status));
}

/* ---- texts and numbers ---- */

static void texts_that_are_no_utf8_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\xff",     "\xc3",           "a\xe2\x82",        "\xed\xa0\x80", "\xf5\x80\x80\x80",
        "\xc0\xaf", "ok so far \x80", "\xf0\x80\x80\x80", "12345678\xfe"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        new_user(bad[i]);
        corm_status status = corm_commit(now.session);
        assert_true(status != CORM_OK && is_clean(status));
        assert_non_null(strstr(corm_error_last()->message, on("UTF-8", "UTF8", "UTF-8")));
        ok(corm_rollback(now.session));
        corm_query *query = corm_select(user);
        corm_where(query, corm_eq(user, name, bad[i]));
        assert_null(corm_first(now.session, query, user));
        assert_true(corm_error_last()->status != CORM_OK && is_clean(corm_error_last()->status));
        corm_query_free(query);
        ok(corm_rollback(now.session));
    }
    assert_int_equal(in_file("SELECT count(*) FROM users"), 0);
}

static void what_others_wrote_is_not_lost_by_reading_it(void **state) {
    (void)state;
    change_file(
        "INSERT INTO users (name, age) VALUES ('a' || char(0) || 'b', 1), (CAST(x'ff61' AS TEXT), 2), (12.5, 3)");
    const char *before = rows_in_file("SELECT hex(name) FROM users");
    char kept[128];
    snprintf(kept, sizeof kept, "%s", before);
    corm_query *query = corm_select(user);
    corm_foreach(user, found, now.session, query) {
        assert_non_null(found->name);
        found->age.value++;
        inputs++;
    }
    ok(corm_error_last()->status);
    corm_query_free(query);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT hex(name) FROM users"), kept);
    assert_string_equal(rows_in_file("SELECT age FROM users"), "2; 3; 4");
}

static void numbers_beyond_their_column_are_refused_or_kept(void **state) {
    (void)state;
    change_file("INSERT INTO users (age) VALUES (9223372036854775807), (-9223372036854775808), (1e300), ('many')");
    corm_query *query = corm_select(user);
    assert_true(((user *)there(corm_next(now.session, query, user)))->age.value == INT64_MAX);
    assert_true(((user *)there(corm_next(now.session, query, user)))->age.value == INT64_MIN);
    assert_null(corm_next(now.session, query, user));
    failed_with(CORM_VALUE_ERROR, "user.age");
    corm_query_free(query);
    ok(corm_rollback(now.session));
    inputs += 4;
    query = corm_query_new();
    corm_pick(query, corm_compare(CORM_COMPARE_MULTIPLY, corm_value_int(INT64_MAX), corm_value_int(2)));
    corm_pick(query, corm_value_double(INFINITY));
    corm_pick(query, corm_value_double(-INFINITY));
    corm_pick(query, corm_value_double(NAN));
    corm_pick(query, corm_compare(CORM_COMPARE_DIVIDE, corm_value_int(1), corm_value_int(0)));
    assert_true(corm_next_row(now.session, query));
    assert_true(corm_row_int(query, 0) == INT64_MAX);
    assert_true(isinf(corm_row_double(query, 1)) && corm_row_int(query, 2) == INT64_MIN);
    assert_true(corm_row_is_null(query, 3) && corm_row_is_null(query, 4));
    corm_query_free(query);
    inputs += 5;
}

static void injected_sql_stays_a_value(void **state) {
    (void)state;
    static const char *const texts[] = {"'; DROP TABLE users; --",
                                        "\"",
                                        "%",
                                        "_",
                                        "\\",
                                        "' OR '1'='1",
                                        ":name_1",
                                        "?",
                                        "?1",
                                        "@x",
                                        "$1",
                                        "/*",
                                        "*/",
                                        "\x01\x02",
                                        "NULL",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        user *made = new_user(texts[i]);
        ok(corm_commit(now.session));
        corm_expression *(*const makers[])(corm_comparison, corm_expression *, corm_expression *) = {corm_compare};
        static const corm_comparison hows[] = {CORM_COMPARE_EQ, CORM_COMPARE_STARTS_WITH, CORM_COMPARE_ENDS_WITH,
                                               CORM_COMPARE_CONTAINS};
        for (size_t h = 0; h < 4; h++) {
            corm_query *query = corm_select(user);
            corm_where(query, makers[0](hows[h], corm_column(user, name), corm_value_text(texts[i])));
            corm_where(query, corm_eq(user, id, made->id));
            assert_ptr_equal(corm_first(now.session, query, user), made);
            corm_query_free(query);
            inputs++;
        }
    }
    assert_int_equal(in_file("SELECT count(*) FROM users"), sizeof texts / sizeof *texts);
}

/* ---- depth and length ---- */

static corm_expression *chain(size_t length, corm_expression *(*join)(corm_expression *, corm_expression *)) {
    corm_expression *all = corm_eq(user, id, 0);
    for (size_t i = 1; i < length; i++) {
        all = join(all, corm_eq(user, id, (int64_t)i));
    }
    return all;
}

static void long_chains_are_built_and_fail_in_plain_words(void **state) {
    (void)state;
    static const size_t lengths[] = {10, 500, 100000};
    new_user("ann");
    ok(corm_commit(now.session));
    for (size_t i = 0; i < 3; i++) {
        corm_query *query = corm_select(user);
        corm_where(query, chain(lengths[i], corm_either));
        user *found = corm_first(now.session, query, user);
        if (i < 2) {
            assert_string_equal(((user *)there(found))->name, "ann");
        } else if (database_now()->kind == ON_MARIADB) { /* it has no limit here */
            assert_string_equal(((user *)there(found))->name, "ann");
        } else {
            assert_null(found);
            failed_with(CORM_OPERATIONAL_ERROR, on("Expression tree is too large", "too many parameters", NULL));
        }
        corm_query_free(query);
        ok(corm_rollback(now.session));
        query = corm_select(user);
        corm_where(query, chain(lengths[i], corm_both));
        assert_null(corm_first(now.session, query, user));
        assert_true(i == 2 || corm_error_last()->status == CORM_OK);
        corm_query_free(query);
        ok(corm_rollback(now.session));
        inputs += 2;
    }
}

static corm_expression *plus(corm_expression *left, corm_expression *right) {
    return corm_compare(CORM_COMPARE_ADD, left, right);
}

static void deep_trees_end_in_an_error_not_in_a_crash(void **state) {
    (void)state;
    corm_expression *deep = corm_value_int(1);
    for (int i = 0; i < 100000; i++) {
        deep = plus(corm_value_int(1), deep);
    }
    corm_query *query = corm_query_new();
    corm_pick(query, deep);
    assert_false(corm_next_row(now.session, query));
    assert_true(is_clean(corm_error_last()->status));
    corm_query_free(query);
    deep = corm_eq(user, id, 1);
    for (int i = 0; i < 100000; i++) {
        deep =
            corm_negate(i % 2 == 0 ? corm_both(deep, corm_eq(user, id, 1)) : corm_either(deep, corm_eq(user, id, 1)));
    }
    query = corm_select(user);
    corm_where(query, deep);
    assert_null(corm_first(now.session, query, user));
    assert_true(corm_error_last()->status != CORM_OK && is_clean(corm_error_last()->status));
    corm_query_free(query);
    ok(corm_rollback(now.session));
}

static void lists_of_any_length_work(void **state) {
    (void)state;
    enum { MANY = 100000 };
    int64_t *keys = malloc(MANY * sizeof *keys);
    const char **texts = malloc(MANY * sizeof *texts);
    for (int i = 0; i < MANY; i++) {
        keys[i] = i;
        texts[i] = i % 2 == 0 ? "ann" : "other";
    }
    new_user("ann");
    ok(corm_commit(now.session));
    for (int round = 0; round < 2; round++) {
        corm_query *query = corm_select(user);
        corm_where(query, corm_in_ints(corm_column(user, id), keys, MANY));
        there(corm_first(now.session, query, user));
        corm_query_free(query);
        query = corm_select(user);
        corm_where(query, corm_in_texts(corm_column(user, name), texts, MANY));
        there(corm_first(now.session, query, user));
        corm_query_free(query);
        inputs += 2;
    }
    free(keys);
    free(texts);
}

/* ---- cascades in circles, collections that change meanwhile ---- */

typedef struct left_side {
    int64_t id;
    corm_int right_id;
    struct right_side *right;
    corm_many *rights;
} left_side;

typedef struct right_side {
    int64_t id;
    corm_int left_id;
    left_side *left;
    corm_many *lefts;
} right_side;

CORM_DECLARE(right_side);
CORM_MAPPING(left_side, "lefts", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(right_id, CORM_INTEGER, .references = "rights.id"),
             CORM_BELONGS_TO(right, right_side, .inverse = "lefts", .foreign_keys = "right_id", .cascade = "all",
                             .post_update = true),
             CORM_HAS_MANY(rights, right_side, .inverse = "left", .foreign_keys = "left_id", .cascade = "all"));
CORM_MAPPING(right_side, "rights", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(left_id, CORM_INTEGER, .references = "lefts.id"),
             CORM_BELONGS_TO(left, left_side, .inverse = "rights", .foreign_keys = "left_id", .cascade = "all"),
             CORM_HAS_MANY(lefts, left_side, .inverse = "right", .foreign_keys = "right_id", .cascade = "all",
                           .post_update = true));

static void cascades_may_go_in_circles(void **state) {
    (void)state;
    ok(corm_models_add(now.models, left_side));
    ok(corm_models_add(now.models, right_side));
    ok(corm_create_all(now.models, now.engine));
    left_side *lefts[3];
    right_side *rights[3];
    for (int i = 0; i < 3; i++) {
        lefts[i] = there(corm_new(now.session, left_side));
        rights[i] = there(corm_new(now.session, right_side));
    }
    for (int i = 0; i < 3; i++) {
        ok(corm_set(lefts[i], right, rights[i]));
        ok(corm_set(rights[i], left, lefts[(i + 1) % 3]));
    }
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT right_id FROM lefts ORDER BY id"), "1; 2; 3");
    assert_string_equal(rows_in_file("SELECT left_id FROM rights ORDER BY id"), "2; 3; 1");
    ok(corm_expunge(now.session, lefts[0])); /* all of them; that nothing is left is what the sanitizer checks */
    assert_ptr_not_equal(corm_get(now.session, right_side, 1), NULL);
    reopen();
    ok(corm_delete(now.session, there(corm_get(now.session, left_side, 1))));
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT (SELECT count(*) FROM lefts) + (SELECT count(*) FROM rights)"), 0);
    inputs++;
}

static void a_collection_may_change_while_it_is_walked(void **state) {
    (void)state;
    user *ann = new_user("ann"), *bob = new_user("bob");
    for (int i = 0; i < 10; i++) {
        new_address(ann, "x");
    }
    ok(corm_commit(now.session));
    int met = 0;
    corm_each(address, one, ann->addresses) {
        met++;
        ok(met % 2 == 0 ? corm_many_remove(ann->addresses, one) : corm_many_add(bob->addresses, one));
        if (met < 3) {
            new_address(ann, "y");
        }
        ok(corm_flush(now.session));
        assert_true(met < 100);
    }
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM addresses"), 12);
    corm_each(address, one, bob->addresses) {
        ok(corm_delete(now.session, one));
        ok(corm_flush(now.session));
        inputs++;
    }
    ok(corm_rollback(now.session));
    corm_each(address, one, bob->addresses) {
        assert_non_null(one->email);
    }
}

/* ---- threads ---- */

typedef struct visitor {
    pthread_t thread;
    user *ann;
    corm_status statuses[16];
    size_t count;
} visitor;

static visitor second;

static void note(corm_status status) {
    second.statuses[second.count++] = status;
}

/* What a second thread tries while the first is inside of a flush. */
static void *intrude(void *unused) {
    (void)unused;
    corm_query *query = corm_select(user);
    note(corm_flush(now.session));
    note(corm_commit(now.session));
    note(corm_rollback(now.session));
    note(corm_save(now.session));
    note(corm_new(now.session, user) == NULL ? corm_error_last()->status : CORM_OK);
    note(corm_get(now.session, user, 99) == NULL ? corm_error_last()->status : CORM_OK);
    note(corm_first(now.session, query, user) == NULL ? corm_error_last()->status : CORM_OK);
    note(corm_delete(now.session, second.ann));
    note(corm_refresh(now.session, second.ann));
    note(corm_expunge(now.session, second.ann));
    note(corm_many_count(second.ann->addresses) == SIZE_MAX ? corm_error_last()->status : CORM_OK);
    note(corm_many_add(second.ann->addresses, second.ann));
    note(corm_reference_set(second.ann, "profile", NULL));
    corm_session_end(now.session);
    note(corm_error_last()->status);
    corm_query_free(query);
    corm_error_clear();
    return NULL;
}

static corm_status let_intrude(void *context, corm_session *session, void *object) {
    (void)context;
    (void)session;
    (void)object;
    pthread_t other;
    if (pthread_create(&other, NULL, intrude, NULL) != 0 || pthread_join(other, NULL) != 0) {
        return CORM_INTERNAL_ERROR;
    }
    return CORM_OK;
}

static void a_second_thread_is_turned_away(void **state) {
    (void)state;
    user *ann = new_user("ann");
    new_address(ann, "home");
    ok(corm_commit(now.session));
    reopen();
    second = (visitor){.ann = there(corm_get(now.session, user, 1))};
    ok(corm_listen(user, CORM_HOOK_BEFORE_UPDATE, let_intrude, NULL));
    second.ann->name = text_of("changed");
    ok(corm_commit(now.session));
    assert_int_equal(second.count, 14);
    for (size_t i = 0; i < second.count; i++) {
        if (second.statuses[i] != CORM_ILLEGAL_STATE_CHANGE &&
            !(i == 13 && second.statuses[i] == CORM_INVALID_REQUEST)) {
            fail_msg("attempt %zu: %s", i, corm_status_name(second.statuses[i]));
        }
        inputs++;
    }
    assert_string_equal(rows_in_file("SELECT name FROM users"), "changed");
    assert_int_equal(corm_many_count(second.ann->addresses), 1);
}

/* ---- fork ---- */

static int child(void) {
    /* The parent's session is the parent's. */
    corm_status status = corm_commit(now.session);
    if (status == CORM_OK) {
        return 10;
    }
    /* The engine serves the child with a connection of its own. */
    corm_session *own = corm_session_open(now.engine, now.models);
    if (own == NULL) {
        return 11;
    }
    corm_query *query = corm_select(user);
    if (corm_count(own, query) != 1) { /* what the parent did not commit is not there */
        return 12;
    }
    corm_query_free(query);
    corm_session_end(own);
    return 0;
}

static void a_forked_child_leaves_the_parents_transaction_alone(void **state) {
    (void)state;
    new_user("committed");
    ok(corm_commit(now.session));
    new_user("under way");
    ok(corm_flush(now.session));
    int way[2], result = -1;
    assert_int_equal(pipe(way), 0);
    pid_t process = fork();
    if (process == 0) {
        result = child();
        _exit(write(way[1], &result, sizeof result) != sizeof result);
    }
    assert_int_equal(read(way[0], &result, sizeof result), sizeof result);
    assert_int_equal(waitpid(process, NULL, 0), process);
    assert_int_equal(result, 0);
    close(way[0]);
    close(way[1]);
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    ok(corm_commit(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 2);
    file_is_sound();
    inputs++;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(names_of_any_kind_are_quoted),
        story(long_names_work),
        story(names_that_cannot_be_are_refused),
        story(texts_that_are_no_utf8_are_refused),
        story(what_others_wrote_is_not_lost_by_reading_it),
        story(numbers_beyond_their_column_are_refused_or_kept),
        story(injected_sql_stays_a_value),
        story(long_chains_are_built_and_fail_in_plain_words),
        story(deep_trees_end_in_an_error_not_in_a_crash),
        story(lists_of_any_length_work),
        story(cascades_may_go_in_circles),
        story(a_collection_may_change_while_it_is_walked),
        story(a_second_thread_is_turned_away),
        story(a_forked_child_leaves_the_parents_transaction_alone),
    };
    int failures = run_stories(tests);
    printf("inputs: %ld tried\n", inputs);
    return failures;
}
