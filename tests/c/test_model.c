/*
 * Random programs of adds, changes, relationship edits, removals, flushes, savepoints, rollbacks, refreshes and reloads, run
 * against Cormorant and against a trivially simple model: an array of things. After each settling the objects in memory and
 * the rows in the database must be what the model says. A program that fails is made as short as possible and printed.
 *
 * environment: CORM_MODEL_SEED (first program), CORM_MODEL_COUNT (how many; 0: no limit), CORM_MODEL_SECONDS (bound, 8),
 * CORM_MODEL_TRACE (print the steps of each program)
 */
#include <time.h>

#include "differences.h"
#include "model.h"

enum { STEPS = 40 };

typedef struct step {
    unsigned what, a, b, c;
} step;

typedef struct program {
    step steps[STEPS];
    bool skip[STEPS];
    unsigned long seed;
} program;

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
    if (index < 0 || (parent < 0 && (of == ENTRY || of == PROFILE)) ||
        (of == LEAF && parent >= 0 && is_under(parent, index))) {
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
    return good(corm_many_remove(many, one->object), "corm_many_remove") && (!run.autoflush || of != ENTRY || settle());
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
    trace("%s %s %s (%s)\n", name_of(who), in ? "leaves" : "joins", name_of(where),
          it->c % 2 ? "its clubs" : "members");
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
        corm_set_autoflush(now.session, run.autoflush);
        for (int i = 0; i < run.now.count; i++) {
            run.now.things[i].object = NULL;
        }
    }
    run.saved[0] = run.now;
    return true;
}

/* Objects that were read since the snapshot show what they read then: they are read again, and are the same ones. */
static bool restore(const model *saved) {
    static model before;
    before = run.now;
    run.now = *saved;
    for (int i = 0; i < run.now.count; i++) {
        if (run.now.things[i].persistent && run.now.things[i].object == NULL && before.things[i].object != NULL &&
            object_of(i) != before.things[i].object) {
            return wrong("%s is another object after the rollback", name_of(i));
        }
    }
    return true;
}

static bool step_rollback(void) {
    trace("rollback\n");
    run.depth = 0;
    if (!good(corm_rollback(now.session), "rollback")) {
        return false;
    }
    return restore(&run.saved[0]);
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
        return restore(&run.saved[run.depth--]);
    }
    return true;
}

/* It is not in the session any more, whatever is rolled back. */
static void forget_object(int index) {
    run.now.things[index].object = NULL;
    for (int i = 0; i <= run.depth; i++) {
        run.saved[i].things[index].object = NULL;
    }
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
                forget_object(i); /* the cascade took it along */
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
    static bool (*const steps[])(const step *) = {
        step_add,       step_add,     step_add,  step_text, step_number, step_move,
        step_move,      step_remove,  step_club, step_club, step_delete, step_savepoint,
        step_savepoint, step_refresh, step_load, step_many, step_by_hand};
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
    static const char *const tables[] = {"memberships", "addresses", "profiles", "entries",
                                         "baskets",     "clubs",     "users",    "leaves"};
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
    run.autoflush = it->seed % 2 == 0;
    corm_set_autoflush(now.session, run.autoflush);
    trace("program %lu%s\n", it->seed, run.autoflush ? "" : " (no autoflush)");
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

/* SQLite in memory: nothing waits for a disk. */
static int in_memory(void **state) {
    if (database_now()->kind != ON_SQLITE) {
        return set_up(state);
    }
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
    int failures = run_stories(tests);
    printf("programs: %ld generated\n", programs);
    return failures;
}
