/* See scenarios.h. */
#include "scenarios.h"

/* All columns as texts, which every database can put below each other. */
const char *file_contents(void) {
    return rows_in_file("SELECT 'user', '' || id, name, '' || age FROM users UNION ALL "
                        "SELECT 'address', '' || id, email, '' || user_id FROM addresses UNION ALL "
                        "SELECT 'profile', '' || id, motto, '' || user_id FROM profiles UNION ALL "
                        "SELECT 'club', '' || id, title, NULL FROM clubs UNION ALL "
                        "SELECT 'member', '' || user_id, '' || club_id, NULL FROM memberships UNION ALL "
                        "SELECT 'basket', '' || id, label, NULL FROM baskets UNION ALL "
                        "SELECT 'entry', '' || id, '' || amount, '' || basket_id FROM entries UNION ALL "
                        "SELECT 'leaf', '' || id, name, '' || parent_id FROM leaves UNION ALL "
                        "SELECT 'office', '' || id, name, '' || head_id FROM offices UNION ALL "
                        "SELECT 'worker', '' || id, name, '' || office_id FROM workers UNION ALL "
                        "SELECT 'stop', route, '' || place, name FROM stops ORDER BY 1, 2, 3");
}

/* ---- the world that most of them start from ---- */

static void people(void) {
    user *ann = new_user("ann"), *bob = new_user("bob");
    ann->age = corm_int_of(20);
    new_address(ann, "a1");
    new_address(ann, "a2");
    new_address(bob, "b1");
    profile *own = there(corm_new(now.session, profile));
    own->motto = text_of("a motto that is longer than what a new struct has room for, so that it is a text of its own");
    ok(corm_set(ann, profile, own));
    club *chess = there(corm_new(now.session, club)), *go = there(corm_new(now.session, club));
    chess->title = text_of("chess");
    go->title = text_of("go");
    ok(corm_many_add(ann->clubs, chess));
    ok(corm_many_add(bob->clubs, chess));
    ok(corm_many_add(bob->clubs, go));
    basket *made = there(corm_new(now.session, basket));
    for (int i = 0; i < 3; i++) {
        entry *one = there(corm_new(now.session, entry));
        one->amount = i;
        ok(corm_many_add(made->entries, one));
    }
    ok(corm_commit(now.session));
    reopen();
}

#define MEMBERS "member,1,1,-; member,2,1,-; member,2,2,-"
#define MOTTO "a motto that is longer than what a new struct has room for, so that it is a text of its own"

/* ---- writing ---- */

static corm_status insert_graph(void) {
    user *ann, *bob;
    address *home;
    club *chess;
    attempt_made(ann = corm_new(now.session, user));
    attempt_made(bob = corm_new(now.session, user));
    ann->name = text_of("ann");
    bob->name = text_of("a name too long for the room of a new struct");
    attempt_made(home = corm_new(now.session, address));
    home->email = text_of("home");
    attempt(corm_many_add(ann->addresses, home));
    attempt_made(chess = corm_new(now.session, club));
    chess->title = text_of("chess");
    attempt(corm_many_add(chess->members, ann));
    attempt(corm_many_add(bob->clubs, chess));
    attempt(corm_commit(now.session));
    holds(ann->id == 1 && bob->id == 2 && home->user_id.value == 1 && home->user == ann);
    return CORM_OK;
}

static corm_status change_everything(void) {
    user *ann, *bob;
    attempt_made(ann = corm_get(now.session, user, 1));
    attempt_made(bob = corm_get(now.session, user, 2));
    ann->name = text_of("anne");
    ann->age.set = false;
    holds(corm_many_count(ann->addresses) == 2);
    address *moved = corm_many_at(ann->addresses, 0), *dropped = corm_many_at(ann->addresses, 1);
    attempt(corm_set(moved, user, bob));
    attempt(corm_many_remove(ann->addresses, dropped));
    profile *own;
    attempt_made(own = corm_fetch(ann, profile));
    own->motto = text_of("short");
    holds(corm_many_count(bob->clubs) == 2);
    attempt(corm_many_remove(bob->clubs, corm_many_at(bob->clubs, 0)));
    attempt(corm_commit(now.session));
    holds(strcmp(ann->name, "anne") == 0 && moved->user_id.value == 2 && !dropped->user_id.set);
    return CORM_OK;
}

static corm_status delete_everything(void) {
    user *ann;
    basket *made;
    attempt_made(ann = corm_get(now.session, user, 1));
    attempt_made(made = corm_get(now.session, basket, 1));
    holds(corm_many_count(made->entries) == 3);
    attempt(corm_many_remove(made->entries, corm_many_at(made->entries, 1)));
    attempt(corm_delete(now.session, ann));
    attempt(corm_flush(now.session));
    attempt(corm_delete(now.session, made));
    attempt(corm_commit(now.session));
    return CORM_OK;
}

static corm_status trees_and_circles(void) {
    leaf *nodes[4];
    for (int i = 3; i >= 0; i--) {
        attempt_made(nodes[i] = corm_new(now.session, leaf));
        nodes[i]->name = text_of("leaf");
        if (i < 3) {
            attempt(corm_many_add(nodes[i]->children, nodes[i + 1]));
        }
    }
    office *north;
    worker *head;
    attempt_made(north = corm_new(now.session, office));
    attempt_made(head = corm_new(now.session, worker));
    attempt(corm_many_add(north->workers, head));
    attempt(corm_set(north, head, head));
    stop *first;
    attempt_made(first = corm_new(now.session, stop));
    first->route = text_of("7");
    attempt(corm_commit(now.session));
    return CORM_OK;
}

static corm_status change_keys(void) {
    stop *first, *other;
    attempt_made(first = corm_new(now.session, stop));
    attempt_made(other = corm_new(now.session, stop));
    first->route = text_of("1");
    other->route = text_of("2");
    attempt(corm_flush(now.session));
    first->route = text_of("9");
    first->place = 3;
    attempt(corm_flush(now.session));
    attempt(corm_delete(now.session, other));
    attempt(corm_commit(now.session));
    holds(strcmp(first->route, "9") == 0);
    return CORM_OK;
}

static corm_status change_many(void) {
    user *ann;
    int64_t changed = 0;
    attempt_made(ann = corm_get(now.session, user, 1));
    holds(corm_many_count(ann->addresses) == 2);
    attempt(corm_update_all(now.session, user, age, 40, corm_eq(user, name, "ann"), &changed));
    holds(changed == 1 && ann->age.value == 40);
    const corm_assignment both[] = {{"email", corm_value_text("moved")}, {"user_id", corm_value_int(2)}};
    attempt(corm_update_fields(now.session, address_mapping(), both, 2, corm_eq(address, email, "a1"), &changed));
    attempt(corm_delete_all(now.session, address, corm_eq(address, email, "a2"), &changed));
    holds(corm_many_count(ann->addresses) == 0);
    attempt(corm_run(now.session,
                     corm_sql_value(corm_sql("DELETE FROM memberships WHERE user_id = :id"), "id", corm_value_int(2)),
                     &changed));
    attempt(corm_commit(now.session));
    return CORM_OK;
}

/* ---- going back ---- */

static corm_status go_back(void) {
    user *ann, *made;
    attempt_made(ann = corm_get(now.session, user, 1));
    ann->name = text_of("one");
    attempt(corm_save(now.session));
    ann->name = text_of("two");
    attempt_made(made = corm_new(now.session, user));
    made->name = text_of("made");
    address *first = corm_many_at(ann->addresses, 0);
    attempt_made(first);
    attempt(corm_delete(now.session, first));
    attempt(corm_flush(now.session));
    attempt(corm_rollback_save(now.session));
    holds(strcmp(ann->name, "one") == 0);
    attempt(corm_save(now.session));
    ann->age = corm_int_of(3);
    attempt(corm_release(now.session));
    attempt(corm_rollback(now.session));
    holds(strcmp(ann->name, "ann") == 0 && ann->age.value == 20);
    holds(corm_many_count(ann->addresses) == 2);
    attempt(corm_refresh(now.session, ann));
    return CORM_OK;
}

static corm_status fail_and_go_back(void) {
    user *ann;
    club *twin;
    attempt_made(ann = corm_get(now.session, user, 1));
    ann->name = text_of("lost");
    attempt_made(twin = corm_new(now.session, club));
    twin->title = text_of("chess");
    corm_status status = corm_flush(now.session);
    if (status != CORM_INTEGRITY_ERROR) {
        return status == CORM_OK ? CORM_INTERNAL_ERROR : status;
    }
    attempt(corm_rollback(now.session));
    holds(strcmp(ann->name, "ann") == 0);
    return CORM_OK;
}

/* ---- reading ---- */

static corm_status walk(corm_query *query) {
    size_t users = 0, addresses = 0, clubs = 0;
    corm_order_by(query, corm_column(user, id));
    corm_foreach(user, found, now.session, query) {
        users++;
        holds(corm_many_count(found->addresses) != SIZE_MAX && corm_many_count(found->clubs) != SIZE_MAX);
        corm_each(address, one, found->addresses) {
            attempt_made(corm_fetch(one, user));
            addresses++;
        }
        attempt(corm_error_last()->status);
        clubs += corm_many_count(found->clubs);
    }
    attempt(corm_error_last()->status);
    holds(users == 2 && addresses == 3 && clubs == 3);
    return CORM_OK;
}

static corm_status load_with(const char *strategy) {
    corm_query *query = corm_select(user);
    attempt_made(query);
    if (strategy != NULL) {
        corm_with(query, user, addresses, strategy);
        corm_with(query, user, clubs, strategy);
        corm_with(query, user, profile, strategy);
    }
    corm_status status = walk(query);
    corm_query_free(query);
    return status;
}

static corm_status load_lazily(void) {
    return load_with(NULL);
}

static corm_status load_selectin(void) {
    return load_with("selectin");
}

static corm_status load_joined(void) {
    return load_with("joined");
}

static corm_status load_each(void) {
    address *first;
    stop *none;
    const corm_value key[] = {{.kind = CORM_KIND_TEXT, .as.text = {"S", 1}},
                              {.kind = CORM_KIND_INTEGER, .as.integer = 1}};
    attempt_made(first = corm_get(now.session, address, 1));
    attempt_made(corm_fetch(first, user));
    attempt(corm_refresh(now.session, first));
    none = corm_get_by(now.session, stop, key, 2);
    attempt(none == NULL ? corm_error_last()->status : CORM_INTERNAL_ERROR);
    corm_keep(first);
    corm_status status = corm_expunge(now.session, first);
    if (status == CORM_OK) {
        status = corm_add(now.session, first);
    }
    corm_let_go(first);
    return status;
}

static corm_status take_rows(corm_query *query, size_t expected) {
    size_t count = 0;
    while (corm_next_row(now.session, query)) {
        count++;
        corm_row_text(query, 0);
    }
    attempt(corm_error_last()->status);
    holds(count == expected);
    holds(corm_count(now.session, query) == (int64_t)expected);
    char *sql;
    attempt_made(sql = corm_query_sql(query));
    corm_string_free(sql);
    return CORM_OK;
}

static corm_status ask(void) {
    const int64_t ages[] = {20, 30, 40};
    corm_query *inner = corm_query_new(), *query = corm_query_new();
    corm_aliased *other = corm_aliased_new(user);
    corm_pick(inner, corm_column(address, user_id));
    corm_where(inner, corm_starts_with(address, email, "a"));
    corm_pick(query, corm_column(user, name));
    corm_pick(query, corm_as(corm_call("count", corm_column(address, id), NULL, NULL), "how_many"));
    corm_pick(query,
              corm_when(corm_gt(user, age, 10), corm_cast_to(corm_column(user, age), CORM_TEXT), corm_value_text("?")));
    corm_join(query, user, addresses);
    if (inner != NULL) {
        corm_where(query, corm_in_query(corm_column(user, id), inner));
    }
    corm_where(query, corm_either(corm_in_ints(corm_column(user, age), ages, 3), corm_like(user, name, "x%")));
    corm_where(query, corm_negate(corm_any(user, clubs, corm_eq(club, title, "none"))));
    corm_where(query, corm_between_of(corm_column(user, id), corm_value_int(0), corm_value_int(9)));
    corm_where(query, corm_compare(CORM_COMPARE_LE, corm_column(user, age),
                                   corm_compare(CORM_COMPARE_ADD, corm_value_int(10), corm_value_int(10))));
    corm_group_by(query, corm_column(user, id));
    corm_having(query, corm_compare(CORM_COMPARE_GT, corm_count_all(), corm_value_int(1)));
    corm_order_by(query, corm_desc(corm_by_name("how_many")));
    corm_limit(query, 5);
    corm_status status = take_rows(query, 1); /* also of NULL: it says why */
    corm_query_free(query);
    corm_query_free(inner);
    query = other == NULL ? NULL : corm_query_of_alias(other);
    if (query != NULL && status == CORM_OK) {
        corm_where(query, corm_eq(user, name, "ann"));
        corm_where(query, corm_compare(CORM_COMPARE_NE, corm_aliased_column(other, user, id), corm_column(user, id)));
        corm_distinct(query);
        status = take_rows(query, 1);
    }
    corm_query_free(query);
    corm_aliased_free(other);
    return other == NULL && status == CORM_OK ? corm_fail(CORM_NO_MEMORY, "no alias") : status;
}

/* ---- merging ---- */

static user *outside;

static void people_outside(void) {
    people();
    outside = there(corm_get(now.session, user, 1));
    corm_keep(outside);
    ok(corm_expunge(now.session, outside));
    outside->name = text_of("outside");
}

static corm_status merge_it(void) {
    user *mine = outside == NULL ? NULL : corm_merge(now.session, user, outside);
    corm_status status = mine == NULL ? corm_error_last()->status : corm_commit(now.session);
    corm_let_go(outside);
    outside = NULL;
    return status;
}

#define GRAPH                                                                                                          \
    "address,1,home,1; club,1,chess,-; member,1,1,-; member,2,1,-; user,1,ann,-; "                                     \
    "user,2,a name too long for the room of a new struct,-"

const scenario scenarios[] = {
    {"insert a graph", NULL, insert_graph, GRAPH},
    {"change everything", people, change_everything,
     "address,1,a1,2; address,2,a2,-; address,3,b1,2; basket,1,-,-; club,1,chess,-; club,2,go,-; entry,1,0,1; "
     "entry,2,1,1; "
     "entry,3,2,1; member,1,1,-; member,2,2,-; profile,1,short,1; user,1,anne,-; user,2,bob,-"},
    {"delete everything", people, delete_everything,
     "address,1,a1,-; address,2,a2,-; address,3,b1,2; club,1,chess,-; club,2,go,-; member,2,1,-; member,2,2,-; "
     "user,2,bob,-"},
    {"trees and circles", NULL, trees_and_circles,
     "leaf,1,leaf,-; leaf,2,leaf,1; leaf,3,leaf,2; leaf,4,leaf,3; office,1,-,1; stop,7,0,-; worker,1,-,1"},
    {"change keys", NULL, change_keys, "stop,9,3,-"},
    {"change many rows at once", people, change_many,
     "address,1,moved,2; address,3,b1,2; basket,1,-,-; club,1,chess,-; club,2,go,-; entry,1,0,1; entry,2,1,1; "
     "entry,3,2,1; member,1,1,-; profile,1," MOTTO ",1; user,1,ann,40; user,2,bob,-"},
    {"go back", people, go_back, NULL},
    {"fail and go back", people, fail_and_go_back, NULL},
    {"load lazily", people, load_lazily, NULL},
    {"load selectin", people, load_selectin, NULL},
    {"load joined", people, load_joined, NULL},
    {"load one by one", people, load_each, NULL},
    {"ask", people, ask, NULL},
    {"merge", people_outside, merge_it,
     "address,1,a1,1; address,2,a2,1; address,3,b1,2; basket,1,-,-; club,1,chess,-; club,2,go,-; entry,1,0,1; "
     "entry,2,1,1; entry,3,2,1; " MEMBERS "; profile,1," MOTTO ",1; user,1,outside,20; user,2,bob,-"},
};
const size_t scenario_count = sizeof scenarios / sizeof *scenarios;
