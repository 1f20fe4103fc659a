/*
 * The founding story in C: structs as tables, a session, queries, a relationship.
 *
 * usage: [ECHO=1] story [URL]      (default sqlite://, in memory)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cormorant.h>

typedef struct address address;

typedef struct user {
    int64_t id;
    char *name;
    corm_int age;
    corm_many *addresses;
} user;

struct address {
    int64_t id;
    char *email_address;
    corm_int user_id;
    user *user;
};

CORM_MAPPING(user, "users", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(age, CORM_INTEGER), CORM_HAS_MANY(addresses, address, .inverse = "user", .order_by = "id"));

CORM_MAPPING(address, "addresses", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(email_address, CORM_STRING(200), .required = true),
             CORM_COLUMN(user_id, CORM_INTEGER, .references = "users.id"),
             CORM_BELONGS_TO(user, user, .inverse = "addresses"));

/* A failure ends this program; a service would roll back and go on. */
static void check(corm_status status) {
    if (status != CORM_OK) {
        fprintf(stderr, "%s: %s\n", corm_status_name(status), corm_error_last()->message);
        exit(1);
    }
}

#define expect(condition) expect_that((condition), #condition, __LINE__)
static void expect_that(bool holds, const char *condition, int line) {
    if (!holds) {
        fprintf(stderr, "line %d: it does not hold that %s\n", line, condition);
        exit(1);
    }
}

static address *add_address(corm_session *session, user *owner, const char *email) {
    address *made = corm_new(session, address);
    made->email_address = (char *)(uintptr_t)email;
    check(corm_many_add(owner->addresses, made));
    return made;
}

int main(int argc, char **argv) {
    corm_models *models = corm_models_new();
    check(corm_models_add(models, user));
    check(corm_models_add(models, address));

    const char *url = argc > 1 ? argv[1] : "sqlite://";
    corm_engine *engine;
    if (getenv("ECHO") != NULL) {
        check(corm_open_with_echo(url, NULL, NULL, &engine));
    } else if ((engine = corm_open(url)) == NULL) {
        check(corm_error_last()->status);
    }
    check(corm_drop_all(models, engine));
    check(corm_create_all(models, engine));
    corm_session *session = corm_session_open(engine, models);

    /* A new user */
    user *john = corm_new(session, user);
    john->name = "John Doe";
    john->age = corm_int_of(30);
    check(corm_commit(session));
    expect(john->id != 0);

    /* Querying: one row is one object */
    corm_query *by_name = corm_select(user);
    corm_where(by_name, corm_eq(user, name, "John Doe"));
    int found = 0;
    corm_foreach(user, u, session, by_name) {
        expect(u == john && u->age.set && u->age.value == 30);
        found++;
    }
    check(corm_error_last()->status);
    expect(found == 1);

    /* The relationship, from both sides */
    address *b = add_address(session, john, "b@example.com");
    add_address(session, john, "a@example.com");
    expect(b->user == john);
    address *third = corm_new(session, address);
    third->email_address = "c@example.com";
    check(corm_set(third, user, john));
    expect(corm_many_contains(john->addresses, third));
    check(corm_commit(session));

    static const char *const emails[] = {"b@example.com", "a@example.com", "c@example.com"};
    size_t place = 0;
    corm_each(address, one, john->addresses) {
        expect(strcmp(one->email_address, emails[place++]) == 0);
    }
    expect(place == 3);

    corm_query *of_john = corm_select(address);
    corm_where(of_john, corm_refers_to(address, user, john));
    expect(corm_count(session, of_john) == 3);

    corm_query *joined = corm_select(user);
    corm_join(joined, user, addresses);
    corm_where(joined, corm_eq(address, email_address, "a@example.com"));
    expect(corm_first(session, joined, user) == john);

    /* Changing and removing */
    john->age.value = 31;
    check(corm_many_remove(john->addresses, third));
    check(corm_commit(session));
    expect(!third->user_id.set);
    corm_query *ages = corm_query_new();
    corm_pick(ages, corm_column(user, age));
    expect(corm_next_row(session, ages) && corm_row_int(ages, 0) == 31);
    corm_query_rewind(ages);

    check(corm_delete(session, third));
    check(corm_rollback(session));
    corm_query *all = corm_select(address);
    expect(corm_count(session, all) == 3);

    corm_query_free(by_name);
    corm_query_free(of_john);
    corm_query_free(joined);
    corm_query_free(ages);
    corm_query_free(all);
    corm_session_end(session);
    check(corm_drop_all(models, engine));
    corm_close(engine);
    corm_models_free(models);
    puts("the founding story holds in C");
    return 0;
}
