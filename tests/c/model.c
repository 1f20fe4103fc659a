/* See model.h. */
#include "model.h"

model_run run;

void trace(const char *format, ...) {
    if (run.trace) {
        va_list arguments;
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
}

bool wrong(const char *format, ...) {
    if (run.failure[0] == '\0') {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(run.failure, sizeof run.failure, format, arguments);
        va_end(arguments);
    }
    return false;
}

bool good(corm_status status, const char *what) {
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

corm_mapping *mapping_of(kind of) {
    corm_mapping *const all[] = {user_mapping(),   address_mapping(), profile_mapping(), club_mapping(),
                                 basket_mapping(), entry_mapping(),   leaf_mapping()};
    return all[of];
}

const char *name_of(int index) {
    static char names[4][32];
    static unsigned next;
    static const char *const kinds[] = {"user", "address", "profile", "club", "basket", "entry", "leaf"};
    char *name = names[next++ % 4];
    snprintf(name, 32, "%s%d", index < 0 ? "nothing" : kinds[run.now.things[index].kind], index);
    return name;
}

char **text_field(const thing *one) {
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
void *object_of(int index) {
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

bool usable(int index) {
    return run.now.things[index].alive && !run.now.things[index].dying;
}

/* The n-th usable thing of a kind (KINDS: of any), modulo how many there are; -1: none. */
int pick(unsigned choice, kind of) {
    int candidates[THINGS], count = 0;
    for (int i = 0; i < run.now.count; i++) {
        if (usable(i) && (of == KINDS || run.now.things[i].kind == of)) {
            candidates[count++] = i;
        }
    }
    return count == 0 ? -1 : candidates[choice % (unsigned)count];
}

kind parent_kind(kind of) {
    return of == ADDRESS || of == PROFILE ? USER : of == ENTRY ? BASKET : of == LEAF ? LEAF : KINDS;
}

const char *parent_field(kind of) {
    return of == ENTRY ? "basket" : of == LEAF ? "parent" : "user";
}

corm_many *children_of(const thing *one, kind of) {
    return of == ADDRESS ? ((user *)one->object)->addresses
           : of == ENTRY ? ((basket *)one->object)->entries
                         : ((leaf *)one->object)->children;
}

void **reference_field(const thing *one) {
    return one->kind == ADDRESS   ? (void **)&((address *)one->object)->user
           : one->kind == PROFILE ? (void **)&((profile *)one->object)->user
           : one->kind == ENTRY   ? (void **)&((entry *)one->object)->basket
                                  : (void **)&((leaf *)one->object)->parent;
}

/* ---- comparing ---- */

int alive_of(kind of) {
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
    return one->kind == BASKET ? compare_children(index, ENTRY)
           : one->kind == LEAF ? compare_children(index, LEAF)
                               : true;
}

/* Rows of a table, read as columns: as many as the model has, each as the model says. */
static bool compare_rows(kind of) {
    static const char *const selects[] = {
        "SELECT id, name, age FROM users",         "SELECT id, email, user_id FROM addresses",
        "SELECT id, motto, user_id FROM profiles", "SELECT id, title, NULL FROM clubs",
        "SELECT id, label, NULL FROM baskets",     "SELECT id, text, basket_id FROM entries",
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

bool settle(void) {
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

bool compare(void) {
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
