/*
 * Random programs of adds, changes, relationship edits, removals, flushes, savepoints, rollbacks, refreshes and reloads, run
 * against Cormorant and against a trivially simple model: an array of things. After each settling the objects in memory and
 * the rows in the database must be what the model says. A program that fails is made as short as possible and printed.
 *
 * environment: CORM_MODEL_SEED (first program), CORM_MODEL_COUNT (how many; 0: no limit), CORM_MODEL_SECONDS (bound, 8),
 * CORM_MODEL_TRACE (print the steps of each program)
 */
#include <time.h>

#include "support.h"

enum { THINGS = 40, STEPS = 40, DEPTH = 4 };

typedef enum kind { USER, ADDRESS, PROFILE, CLUB, BASKET, ENTRY, LEAF, KINDS } kind;

/* ---- the model ---- */

typedef struct thing {
    kind kind;
    bool alive, persistent, dying;
    char text[16];
    int number;      /* negative: NULL */
    int parent;      /* of an address, profile, entry, leaf: index, or -1 */
    uint64_t clubs;  /* of a user: bits by index */
    int64_t id;
    void *object;    /* in the present session, or NULL */
} thing;

typedef struct model {
    thing things[THINGS];
    int count;
} model;

typedef struct step {
    unsigned what, a, b, c;
} step;

typedef struct program {
    step steps[STEPS];
    bool skip[STEPS];
    unsigned long seed;
} program;

static struct {
    model now;
    model saved[DEPTH]; /* 0: the last commit; then savepoints */
    int depth;          /* savepoints */
    int serial;         /* for texts that are unique */
    bool trace;
    char failure[512];
} run;

static void trace(const char *format, ...) CORM_PRINTF(1, 2);
static void trace(const char *format, ...) {
    if (run.trace) {
        va_list arguments;
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
}

static bool wrong(const char *format, ...) CORM_PRINTF(1, 2);
static bool wrong(const char *format, ...) {
    if (run.failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(run.failure, sizeof run.failure, format, arguments);
        va_end(arguments);
    }
    return false;
}

static bool good(corm_status status, const char *what) {
    return status == CORM_OK || wrong("%s: %s: %s", what, corm_status_name(status), corm_error_last()->message);
}

static bool settled_away(const thing *one) {
    const thing *parent = one->parent < 0 ? NULL : &run.now.things[one->parent];
    return one->alive && one->kind == ENTRY && (parent == NULL || !parent->alive);
}

/* What a flush does to the model. */
static void settle_model(void) {
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        one->alive = one->alive && !one->dying;
    }
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        if (settled_away(one)) {
            one->alive = false;
        }
        if (one->parent >= 0 && !run.now.things[one->parent].alive) {
            one->parent = -1;
        }
        for (int c = 0; c < run.now.count; c++) {
            if ((one->clubs >> c & 1) && !run.now.things[c].alive) {
                one->clubs &= ~((uint64_t)1 << c);
            }
        }
        one->persistent = one->persistent || one->alive;
    }
}

/* ---- things and objects ---- */

static corm_mapping *mapping_of(kind of) {
    corm_mapping *const all[] = {user_mapping(),   address_mapping(), profile_mapping(), club_mapping(),
                                 basket_mapping(), entry_mapping(),   leaf_mapping()};
    return all[of];
}

static const char *name_of(int index) {
    static char names[4][32];
    static unsigned next;
    static const char *const kinds[] = {"user", "address", "profile", "club", "basket", "entry", "leaf"};
    char *name = names[next++ % 4];
    snprintf(name, 32, "%s%d", index < 0 ? "nothing" : kinds[run.now.things[index].kind], index);
    return name;
}

static char **text_field(const thing *one) {
    void *object = one->object;
    switch (one->kind) {
    case USER:
        return &((user *)object)->name;
    case ADDRESS:
        return &((address *)object)->email;
    case PROFILE:
        return &((profile *)object)->motto;
    case CLUB:
        return &((club *)object)->title;
    case BASKET:
        return &((basket *)object)->label;
    case ENTRY:
        return &((entry *)object)->text;
    default:
        return &((leaf *)object)->name;
    }
}

static int64_t id_of(const thing *one) {
    return *(int64_t *)one->object; /* the first field of each */
}

/* The object of a thing, fetched if it is not known in this session. */
static void *object_of(int index) {
    thing *one = &run.now.things[index];
    if (one->object == NULL) {
        one->object = corm_object_get(now.session, mapping_of(one->kind), one->id);
        if (one->object == NULL) {
            wrong("%s (id %lld) is not there: %s", name_of(index), (long long)one->id,
                  corm_error_last()->message == NULL ? "no row" : corm_error_last()->message);
        }
    }
    return one->object;
}

static bool usable(int index) {
    return run.now.things[index].alive && !run.now.things[index].dying;
}

/* The n-th usable thing of a kind (KINDS: of any), modulo how many there are; -1: none. */
static int pick(unsigned choice, kind of) {
    int candidates[THINGS], count = 0;
    for (int i = 0; i < run.now.count; i++) {
        if (usable(i) && (of == KINDS || run.now.things[i].kind == of)) {
            candidates[count++] = i;
        }
    }
    return count == 0 ? -1 : candidates[choice % (unsigned)count];
}

static kind parent_kind(kind of) {
    return of == ADDRESS || of == PROFILE ? USER : of == ENTRY ? BASKET : of == LEAF ? LEAF : KINDS;
}

static const char *parent_field(kind of) {
    return of == ENTRY ? "basket" : of == LEAF ? "parent" : "user";
}

static corm_many *children_of(const thing *one, kind of) {
    return of == ADDRESS ? ((user *)one->object)->addresses
           : of == ENTRY ? ((basket *)one->object)->entries
                         : ((leaf *)one->object)->children;
}

static void **reference_field(const thing *one) {
    return one->kind == ADDRESS   ? (void **)&((address *)one->object)->user
           : one->kind == PROFILE ? (void **)&((profile *)one->object)->user
           : one->kind == ENTRY   ? (void **)&((entry *)one->object)->basket
                                  : (void **)&((leaf *)one->object)->parent;
}

/* ---- comparing ---- */

static int alive_of(kind of) {
    int count = 0;
    for (int i = 0; i < run.now.count; i++) {
        count += run.now.things[i].alive && run.now.things[i].kind == of;
    }
    return count;
}

static bool same_text(const char *left, const char *right) {
    return left != NULL && strcmp(left, right) == 0;
}

static bool compare_children(int index, kind of) {
    thing *one = &run.now.things[index];
    corm_many *many = children_of(one, of);
    size_t expected = 0;
    for (int i = 0; i < run.now.count; i++) {
        const thing *child = &run.now.things[i];
        if (child->alive && child->kind == of && child->parent == index) {
            expected++;
            if (object_of(i) == NULL || !corm_many_contains(many, child->object)) {
                return wrong("%s does not hold %s", name_of(index), name_of(i));
            }
        }
    }
    size_t count = corm_many_count(many);
    return count == expected || wrong("%s holds %zu, not %zu", name_of(index), count, expected);
}

static bool compare_clubs(int index) {
    thing *one = &run.now.things[index];
    size_t expected = 0;
    for (int c = 0; c < run.now.count; c++) {
        if (one->clubs >> c & 1) {
            expected++;
            if (object_of(c) == NULL || !corm_many_contains(((user *)one->object)->clubs, run.now.things[c].object) ||
                !corm_many_contains(((club *)run.now.things[c].object)->members, one->object)) {
                return wrong("%s and %s do not know each other", name_of(index), name_of(c));
            }
        }
    }
    size_t count = corm_many_count(((user *)one->object)->clubs);
    return count == expected || wrong("%s is in %zu clubs, not %zu", name_of(index), count, expected);
}

static bool compare_thing(int index) {
    thing *one = &run.now.things[index];
    if (object_of(index) == NULL) {
        return false;
    }
    if (id_of(one) != one->id) {
        return wrong("%s has id %lld, not %lld", name_of(index), (long long)id_of(one), (long long)one->id);
    }
    if (!same_text(*text_field(one), one->text)) {
        return wrong("%s has text %s, not %s", name_of(index), *text_field(one), one->text);
    }
    if (one->kind == USER) {
        corm_int age = ((user *)one->object)->age;
        if (age.set != (one->number >= 0) || (age.set && age.value != one->number)) {
            return wrong("%s has age %lld, not %d", name_of(index), age.set ? (long long)age.value : -1, one->number);
        }
        return compare_children(index, ADDRESS) && compare_clubs(index);
    }
    if (parent_kind(one->kind) != KINDS) {
        void *parent = one->parent < 0 ? NULL : object_of(one->parent);
        void *found = corm_reference_fetch(one->object, parent_field(one->kind));
        if (found != parent) {
            return wrong("%s does not belong to %s", name_of(index), name_of(one->parent));
        }
        if (one->kind == PROFILE && parent != NULL && corm_fetch((user *)parent, profile) != one->object) {
            return wrong("%s does not have %s", name_of(one->parent), name_of(index));
        }
    }
    return one->kind == BASKET ? compare_children(index, ENTRY) : one->kind == LEAF ? compare_children(index, LEAF) : true;
}

/* Rows of a table, read as columns: as many as the model has, each as the model says. */
static bool compare_rows(kind of) {
    static const char *const selects[] = {"SELECT id, name, age FROM users",
                                          "SELECT id, email, user_id FROM addresses",
                                          "SELECT id, motto, user_id FROM profiles",
                                          "SELECT id, title, NULL FROM clubs",
                                          "SELECT id, label, NULL FROM baskets",
                                          "SELECT id, text, basket_id FROM entries",
                                          "SELECT id, name, parent_id FROM leaves"};
    corm_query *query = corm_query_of_sql(corm_sql(selects[of]));
    int count = 0;
    bool same = true;
    while (same && corm_next_row(now.session, query)) {
        int64_t third = corm_row_is_null(query, 2) ? -1 : corm_row_int(query, 2), expected = -2;
        for (int i = 0; i < run.now.count; i++) {
            const thing *one = &run.now.things[i];
            if (one->alive && one->kind == of && one->id == corm_row_int(query, 0)) {
                expected = of == USER ? one->number : one->parent < 0 ? -1 : run.now.things[one->parent].id;
                same = same_text(corm_row_text(query, 1), one->text);
            }
        }
        same = (same && third == expected) ||
               wrong("%s: row %lld, %s, %lld is wrong", selects[of], (long long)corm_row_int(query, 0),
                     corm_row_text(query, 1), (long long)third);
        count++;
    }
    same = same && good(corm_error_last()->status, "rows");
    corm_query_free(query);
    return same && (count == alive_of(of) || wrong("%s: %d rows, not %d", selects[of], count, alive_of(of)));
}

static bool compare_memberships(void) {
    corm_query *query = corm_query_of_sql(corm_sql("SELECT count(*) FROM memberships"));
    int expected = 0;
    for (int i = 0; i < run.now.count; i++) {
        expected += run.now.things[i].alive ? __builtin_popcountll(run.now.things[i].clubs) : 0;
    }
    int64_t count = corm_next_row(now.session, query) ? corm_row_int(query, 0) : -1;
    corm_query_free(query);
    return count == expected || wrong("%lld memberships, not %d", (long long)count, expected);
}

static bool settle(void) {
    if (!good(corm_flush(now.session), "flush")) {
        return false;
    }
    settle_model();
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        if (one->alive && one->object != NULL) {
            one->id = id_of(one);
        }
    }
    return true;
}

static bool compare(void) {
    if (!settle()) {
        return false;
    }
    for (kind of = 0; of < KINDS; of++) {
        if (!compare_rows(of)) {
            return false;
        }
    }
    for (int i = 0; i < run.now.count; i++) {
        if (run.now.things[i].alive && !compare_thing(i)) {
            return false;
        }
    }
    return compare_memberships();
}

/* ---- the steps ---- */

static bool is_under(int index, int ancestor) {
    for (int at = index, hops = 0; at >= 0 && hops <= THINGS; at = run.now.things[at].parent, hops++) {
        if (at == ancestor) {
            return true;
        }
    }
    return false;
}

/* A user has one profile: the former one is an orphan, and goes. */
static void drop_profile(int owner, int but) {
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        if (one->alive && one->kind == PROFILE && one->parent == owner && i != but) {
            one->parent = -1;
            one->dying = one->persistent;
            one->alive = one->persistent;
        }
    }
}

static bool give_parent(int index, int parent, unsigned how) {
    static const char *const hows[] = {"set", "assigned", "added"};
    thing *one = &run.now.things[index];
    if (object_of(index) == NULL || (parent >= 0 && object_of(parent) == NULL)) {
        return false;
    }
    how = one->kind == PROFILE || parent < 0 ? how % 2 : how % 3;
    trace("  %s -> %s (%s)\n", name_of(index), name_of(parent), hows[how]);
    if (one->kind == PROFILE && parent >= 0) {
        drop_profile(parent, index);
        if (how == 1) {
            how = 0; /* an assigned reference is seen at the flush: what it replaces is not known before */
        }
    }
    void *owner = parent < 0 ? NULL : run.now.things[parent].object;
    one->parent = parent;
    if (how == 0) {
        return good(corm_reference_set(one->object, parent_field(one->kind), owner), "corm_set");
    }
    if (how == 1) {
        corm_error_clear();
        if (corm_reference_fetch(one->object, parent_field(one->kind)) == NULL &&
            !good(corm_error_last()->status, "corm_fetch")) { /* a NULL over a NULL that is not loaded is no change */
            return false;
        }
        *reference_field(one) = owner;
        return true;
    }
    return good(corm_many_add(children_of(&run.now.things[parent], one->kind), one->object), "corm_many_add");
}

static bool step_add(const step *it) {
    kind of = (kind)(it->a % KINDS);
    int parent = parent_kind(of) == KINDS ? -1 : pick(it->b, parent_kind(of));
    if (run.now.count == THINGS || (of == ENTRY && parent < 0)) {
        return true;
    }
    if (parent >= 0 && object_of(parent) == NULL) { /* now: it flushes */
        return false;
    }
    int index = run.now.count++;
    thing *one = &run.now.things[index];
    *one = (thing){.kind = of, .alive = true, .number = -1, .parent = -1};
    snprintf(one->text, sizeof one->text, "t%d", run.serial++);
    trace("add %s '%s'\n", name_of(index), one->text);
    one->object = corm_object_new(now.session, mapping_of(of));
    if (one->object == NULL) {
        return good(corm_error_last()->status, "corm_new");
    }
    *text_field(one) = one->text; /* lives as long as the program */
    return of == ENTRY || (parent >= 0 && it->c % 3 != 0) ? give_parent(index, parent, it->c) : true;
}

static bool step_text(const step *it) {
    int index = pick(it->a, KINDS);
    if (index < 0 || object_of(index) == NULL) {
        return index < 0;
    }
    thing *one = &run.now.things[index];
    snprintf(one->text, sizeof one->text, it->b % 4 == 0 ? "a long text %d" : "t%d", run.serial++ % 1000);
    if (one->kind == CLUB) {
        snprintf(one->text, sizeof one->text, "c%d", run.serial++);
    }
    trace("%s = '%s'\n", name_of(index), one->text);
    *text_field(one) = one->text;
    return true;
}

static bool step_number(const step *it) {
    int index = pick(it->a, USER);
    if (index < 0 || object_of(index) == NULL) {
        return index < 0;
    }
    thing *one = &run.now.things[index];
    one->number = (int)(it->b % 5) - 1;
    trace("%s.age = %d\n", name_of(index), one->number);
    ((user *)one->object)->age = (corm_int){one->number, one->number >= 0};
    return true;
}

static bool step_move(const step *it) {
    static const kind kinds[] = {ADDRESS, ENTRY, LEAF, PROFILE};
    kind of = kinds[it->a % 4];
    int index = pick(it->b, of), parent = pick(it->c, parent_kind(of));
    if (it->c % 5 == 0 && of != ENTRY && of != PROFILE) {
        parent = -1;
    }
    if (index < 0 || (parent < 0 && (of == ENTRY || of == PROFILE)) || (of == LEAF && parent >= 0 && is_under(parent, index))) {
        return true;
    }
    trace("move\n");
    return give_parent(index, parent, it->c / 7);
}

static bool step_remove(const step *it) {
    static const kind kinds[] = {ADDRESS, ENTRY, LEAF};
    kind of = kinds[it->a % 3];
    int index = pick(it->b, of);
    thing *one = index < 0 ? NULL : &run.now.things[index];
    if (one == NULL || one->parent < 0 || !usable(one->parent)) {
        return true;
    }
    if (object_of(index) == NULL || object_of(one->parent) == NULL) {
        return false;
    }
    trace("remove %s from %s\n", name_of(index), name_of(one->parent));
    corm_many *many = children_of(&run.now.things[one->parent], of);
    one->parent = -1;
    if (of == ENTRY && !one->persistent) {
        one->alive = false; /* an orphan that was never written leaves the session */
    }
    return good(corm_many_remove(many, one->object), "corm_many_remove");
}

static bool step_club(const step *it) {
    int who = pick(it->a, USER), where = pick(it->b, CLUB);
    if (who < 0 || where < 0) {
        return true;
    }
    if (object_of(who) == NULL || object_of(where) == NULL) {
        return false;
    }
    user *member = run.now.things[who].object;
    club *place = run.now.things[where].object;
    bool in = run.now.things[who].clubs >> where & 1;
    run.now.things[who].clubs ^= (uint64_t)1 << where;
    corm_many *many = it->c % 2 ? member->clubs : place->members;
    void *item = it->c % 2 ? (void *)place : (void *)member;
    trace("%s %s %s (%s)\n", name_of(who), in ? "leaves" : "joins", name_of(where), it->c % 2 ? "its clubs" : "members");
    return good(in ? corm_many_remove(many, item) : corm_many_add(many, item), "club");
}

static void dies(int index) {
    run.now.things[index].dying = true;
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        if (one->alive && one->parent == index && (one->kind == ENTRY || one->kind == PROFILE)) {
            one->dying = true;
        }
    }
}

static bool step_delete(const step *it) {
    int index = pick(it->a, KINDS);
    if (index < 0 || !settle() || !usable(index) || object_of(index) == NULL) {
        return run.failure[0] == '\0';
    }
    trace("delete %s\n", name_of(index));
    dies(index);
    return good(corm_delete(now.session, run.now.things[index].object), "corm_delete");
}

static bool step_commit(bool reload) {
    if (!settle() || !good(corm_commit(now.session), "commit")) {
        return false;
    }
    trace("%s\n", reload ? "commit and reload" : "commit");
    run.depth = 0;
    if (reload) {
        reopen();
        for (int i = 0; i < run.now.count; i++) {
            run.now.things[i].object = NULL;
        }
    }
    run.saved[0] = run.now;
    return true;
}

/* Objects that a snapshot does not know yet, but that are the session's, are known afterwards too. */
static void restore(const model *saved) {
    model before = run.now;
    run.now = *saved;
    for (int i = 0; i < run.now.count; i++) {
        if (run.now.things[i].persistent && run.now.things[i].object == NULL) {
            run.now.things[i].object = before.things[i].object;
        }
        if (run.now.things[i].alive && run.now.things[i].object != NULL) {
            /* The text lives in the model: the object has a copy of its own, or points at the saved one. */
            run.now.things[i].id = saved->things[i].id;
        }
    }
}

static bool step_rollback(void) {
    trace("rollback\n");
    run.depth = 0;
    if (!good(corm_rollback(now.session), "rollback")) {
        return false;
    }
    restore(&run.saved[0]);
    return true;
}

static bool step_savepoint(const step *it) {
    if (it->a % 3 == 0 && run.depth + 1 < DEPTH) {
        trace("save\n");
        if (!settle() || !good(corm_save(now.session), "save")) {
            return false;
        }
        run.saved[++run.depth] = run.now;
    } else if (it->a % 3 == 1 && run.depth > 0) {
        trace("release\n");
        run.depth--;
        return settle() && good(corm_release(now.session), "release");
    } else if (run.depth > 0) {
        trace("rollback to the savepoint\n");
        if (!good(corm_rollback_save(now.session), "rollback_save")) {
            return false;
        }
        restore(&run.saved[run.depth--]);
    }
    return true;
}

static bool step_refresh(const step *it) {
    int index = pick(it->a, KINDS);
    if (index < 0 || !settle() || !usable(index) || object_of(index) == NULL) {
        return run.failure[0] == '\0';
    }
    trace("refresh %s\n", name_of(index));
    void *object = run.now.things[index].object;
    if (it->b % 3 == 0) {
        corm_keep(object);
        bool both = good(corm_expunge(now.session, object), "expunge") && good(corm_add(now.session, object), "add");
        corm_let_go(object);
        for (int i = 0; i < run.now.count; i++) {
            if (run.now.things[i].parent == index && parent_kind(run.now.things[i].kind) != LEAF &&
                run.now.things[i].kind != ADDRESS) {
                run.now.things[i].object = NULL; /* the cascade took it along */
            }
        }
        return both;
    }
    return good(corm_refresh(now.session, object), "refresh");
}

static bool step_load(const step *it) {
    static const char *const strategies[] = {"selectin", "joined", "select"};
    const char *strategy = strategies[it->a % 3];
    if (!settle()) {
        return false;
    }
    trace("load (%s)\n", strategy);
    corm_query *query = it->b % 3 == 0 ? corm_select(user) : it->b % 3 == 1 ? corm_select(basket) : corm_select(leaf);
    int expected = alive_of(it->b % 3 == 0 ? USER : it->b % 3 == 1 ? BASKET : LEAF), count = 0;
    if (it->b % 3 == 0) {
        corm_with(query, user, addresses, strategy);
        corm_with(query, user, clubs, strategy);
        corm_with(query, user, profile, strategy);
        corm_foreach(user, found, now.session, query) {
            count++;
            (void)found;
        }
    } else if (it->b % 3 == 1) {
        corm_with(query, basket, entries, strategy);
        corm_foreach(basket, found, now.session, query) {
            count++;
            (void)found;
        }
    } else {
        corm_with(query, leaf, children, strategy);
        corm_foreach(leaf, found, now.session, query) {
            count++;
            (void)found;
        }
    }
    bool same = good(corm_error_last()->status, "query");
    corm_query_free(query);
    return same && (count == expected || wrong("the query gives %d objects, not %d", count, expected));
}

static bool step_many(const step *it) {
    if (!settle()) {
        return false;
    }
    if (it->a % 2 == 0) {
        int old = (int)(it->b % 4), new = (int)(it->c % 4);
        trace("all users of age %d get age %d\n", old, new);
        for (int i = 0; i < run.now.count; i++) {
            thing *one = &run.now.things[i];
            if (one->kind == USER && one->number == old) {
                one->number = new;
            }
        }
        return good(corm_update_all(now.session, user, age, new, corm_eq(user, age, old), NULL), "update_all");
    }
    int index = pick(it->b, ADDRESS);
    if (index < 0) {
        return true;
    }
    trace("delete where email = that of %s\n", name_of(index));
    for (int i = 0; i < run.now.count; i++) {
        thing *one = &run.now.things[i];
        if (one->alive && one->kind == ADDRESS && strcmp(one->text, run.now.things[index].text) == 0) {
            one->alive = false;
        }
    }
    return good(corm_delete_all(now.session, address, corm_eq(address, email, run.now.things[index].text), NULL),
                "delete_all");
}

static bool step_by_hand(const step *it) {
    int index = pick(it->a, ADDRESS), parent = pick(it->b, USER);
    if (index < 0 || parent < 0 || !settle() || !usable(index) || !usable(parent) || object_of(index) == NULL) {
        return run.failure[0] == '\0';
    }
    trace("%s.user_id = id of %s\n", name_of(index), name_of(parent));
    run.now.things[index].parent = parent;
    ((address *)run.now.things[index].object)->user_id = corm_int_of(run.now.things[parent].id);
    return settle();
}

static bool take_step(const step *it) {
    static bool (*const steps[])(const step *) = {step_add,  step_add,     step_add,     step_text, step_number,
                                                  step_move, step_move,    step_remove,  step_club, step_club,
                                                  step_delete, step_savepoint, step_savepoint, step_refresh, step_load,
                                                  step_many, step_by_hand};
    unsigned count = sizeof steps / sizeof *steps, what = it->what % (count + 5);
    if (what < count) {
        return steps[what](it);
    }
    switch (what - count) {
    case 0:
        trace("flush\n");
        return settle();
    case 1:
        return step_commit(false);
    case 2:
        return step_rollback();
    case 3:
        return step_commit(it->a % 2 == 0);
    default:
        trace("compare\n");
        return compare();
    }
}

/* ---- programs ---- */

static unsigned next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 33);
}

static void make(program *made, unsigned long seed) {
    uint64_t state = seed * 2654435761u + 12345;
    memset(made, 0, sizeof *made);
    made->seed = seed;
    for (int i = 0; i < STEPS; i++) {
        made->steps[i] = (step){next_random(&state), next_random(&state), next_random(&state), next_random(&state)};
    }
}

static void empty_tables(void) {
    static const char *const tables[] = {"memberships", "addresses", "profiles", "entries", "baskets",
                                         "clubs",       "users",     "leaves"};
    corm_rollback(now.session);
    reopen();
    ok(corm_run(now.session, corm_sql("UPDATE leaves SET parent_id = NULL"), NULL));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "DELETE FROM %s", tables[i]);
        ok(corm_run(now.session, corm_sql(sql), NULL));
    }
    ok(corm_commit(now.session));
}

static bool execute(const program *it, bool shown) {
    empty_tables();
    bool kept = run.trace;
    memset(&run, 0, sizeof run);
    run.trace = kept || shown;
    trace("program %lu\n", it->seed);
    bool holds = true;
    for (int i = 0; i < STEPS && holds; i++) {
        holds = it->skip[i] || take_step(&it->steps[i]);
    }
    holds = holds && compare() && step_commit(true) && compare();
    run.trace = kept;
    return holds;
}

/* Leave out what is not needed for the failure. */
static void shorten(program *failing) {
    for (int size = STEPS / 2; size >= 1; size /= 2) {
        for (int first = 0; first < STEPS; first += size) {
            program shorter = *failing;
            for (int i = first; i < first + size && i < STEPS; i++) {
                shorter.skip[i] = true;
            }
            if (memcmp(shorter.skip, failing->skip, sizeof shorter.skip) != 0 && !execute(&shorter, false)) {
                *failing = shorter;
            }
        }
    }
}

static long setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : atol(text);
}

static long programs;

static void random_programs_agree_with_the_model(void **state) {
    (void)state;
    unsigned long first = (unsigned long)setting("CORM_MODEL_SEED", 1);
    long count = setting("CORM_MODEL_COUNT", 0), seconds = setting("CORM_MODEL_SECONDS", 8);
    time_t end = time(NULL) + seconds;
    run.trace = getenv("CORM_MODEL_TRACE") != NULL;
    for (; (count == 0 || programs < count) && time(NULL) < end; programs++) {
        program made;
        make(&made, first + (unsigned long)programs);
        if (!execute(&made, false)) {
            shorten(&made);
            run.trace = false;
            execute(&made, true);
            fail_msg("program %lu: %s", made.seed, run.failure);
        }
    }
}

/* In memory: nothing waits for a disk. */
static int in_memory(void **state) {
    (void)state;
    memset(&now, 0, sizeof now);
    now.models = there(corm_models_new());
    ok(add_all_models(now.models));
    now.engine = there(corm_open("sqlite://?foreign_keys=1"));
    ok(corm_create_all(now.models, now.engine));
    now.session = there(corm_session_open(now.engine, now.models));
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_programs_agree_with_the_model, in_memory, tear_down),
    };
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    printf("programs: %ld generated\n", programs);
    return failures;
}
