/*
 * The identity map and the keys of states. See identity.h.
 *
 * An integer key's first place is the key itself, so that rows in the order of keys walk the table in order; what
 * collides goes on to places that ever more bits of the scrambled key decide, as in Python's dictionaries, so that no
 * pattern of keys makes long runs. A removed entry leaves a mark that a later insertion reuses. The table is rebuilt when
 * live and removed entries fill two thirds of it, to a size that its live entries need.
 */
#include "orm/identity.h"

#include "base/alloc.h"

static const size_t first_capacity = 64;
static const size_t small_capacity = 1u << 18;
static const uint64_t odd_stride = 0x9E3779B97F4A7C15ull; /* 2^64 by the golden ratio */
enum { PERTURB_SHIFT = 5 };

/* ---- probing ---- */

typedef struct identity_probe {
    size_t mask;
    size_t at;
    uint64_t perturb;
} identity_probe;

/* Of an integer key, or of the hash of another. Mappers lie a large odd stride apart: their sequences of keys seldom lie
 * on each other. */
static uint64_t code_of(const corm_mapper *mapper, uint64_t word) {
    return word + (uint64_t)mapper->identity * odd_stride;
}

static identity_probe probe_start(const corm_identity_map *map, uint64_t code) {
    size_t mask = map->capacity - 1;
    return (identity_probe){.mask = mask, .at = (size_t)code & mask, .perturb = code * odd_stride};
}

static void probe_next(identity_probe *probe) {
    probe->perturb >>= PERTURB_SHIFT;
    probe->at = (probe->at * 5 + (size_t)probe->perturb + 1) & probe->mask;
}

static uint64_t hash_values(const corm_mapper *mapper, const corm_value *values, size_t count) {
    uint64_t hash = mapper->identity;
    for (size_t i = 0; i < count; i++) {
        hash = corm_hash_mix(hash, corm_value_hash(&values[i]));
    }
    return hash;
}

static uint64_t state_code(const corm_state *state) {
    bool is_tuple = (state->flags & CORM_STATE_KEY_TUPLE) != 0;
    return code_of(state->mapper, is_tuple ? state->key.tuple->hash : (uint64_t)state->key.integer);
}

static bool is_live(const corm_state *state) {
    return state != NULL && state != CORM_IDENTITY_GONE;
}

/* ---- the table ---- */

/* Put a state where its probe path first has room; the table has some. */
static void place(corm_identity_map *map, uint64_t code, corm_state *state) {
    identity_probe probe = probe_start(map, code);
    while (is_live(map->entries[probe.at].state)) {
        probe_next(&probe);
    }
    if (map->entries[probe.at].state == NULL) {
        map->used++;
    }
    map->entries[probe.at] = (corm_identity_entry){code, state};
}

static corm_status rebuild(corm_identity_map *map, size_t capacity) {
    corm_identity_map former = *map;
    corm_identity_entry *entries = corm_calloc_large(capacity, sizeof *entries);
    if (entries == NULL) {
        return CORM_NO_MEMORY;
    }
    *map = (corm_identity_map){.entries = entries, .capacity = capacity, .count = former.count};
    for (size_t i = 0; i < former.capacity; i++) {
        if (is_live(former.entries[i].state)) {
            place(map, former.entries[i].code, former.entries[i].state);
        }
    }
    corm_free(former.entries);
    return CORM_OK;
}

corm_status corm_identity_reserve(corm_identity_map *map, size_t more) {
    if ((map->used + more) * 3 <= map->capacity * 2) {
        return CORM_OK;
    }
    /* Small tables grow by four: placing entries anew costs more than the room. */
    size_t slack = map->capacity < small_capacity ? 4 : 2;
    size_t capacity = map->capacity == 0 ? first_capacity : map->capacity;
    while ((map->count + more) * slack > capacity) {
        if (capacity > SIZE_MAX / 2 / sizeof *map->entries) {
            return corm_error_no_memory();
        }
        capacity *= 2;
    }
    return rebuild(map, capacity);
}

corm_status corm_identity_add(corm_identity_map *map, corm_state *state) {
    corm_status status = corm_identity_reserve(map, 1);
    /* Short of memory the table may become fuller than it should, as long as a probe finds an end. */
    if (status != CORM_OK && map->used + 1 < map->capacity) {
        corm_error_clear();
        status = CORM_OK;
    }
    if (status != CORM_OK) {
        return status;
    }
    place(map, state_code(state), state);
    map->count++;
    state->flags |= CORM_STATE_IN_MAP;
    return CORM_OK;
}

void corm_identity_remove(corm_identity_map *map, corm_state *state) {
    if (!(state->flags & CORM_STATE_IN_MAP)) {
        return;
    }
    identity_probe probe = probe_start(map, state_code(state));
    while (map->entries[probe.at].state != state) {
        probe_next(&probe);
    }
    map->entries[probe.at].state = CORM_IDENTITY_GONE;
    map->count--;
    state->flags &= ~(uint32_t)CORM_STATE_IN_MAP;
}

corm_state *corm_identity_find_integer(const corm_identity_map *map, const corm_mapper *mapper, int64_t key) {
    if (map->count == 0) {
        return NULL;
    }
    uint64_t code = code_of(mapper, (uint64_t)key);
    identity_probe probe = probe_start(map, code);
    for (corm_state *state; (state = map->entries[probe.at].state) != NULL; probe_next(&probe)) {
        if (map->entries[probe.at].code == code && state != CORM_IDENTITY_GONE && state->mapper == mapper &&
            !(state->flags & CORM_STATE_KEY_TUPLE)) {
            return state;
        }
    }
    return NULL;
}

bool corm_state_key_equals(const corm_state *state, const corm_value *values, size_t count) {
    corm_value room;
    const corm_value *own;
    if (corm_state_key(state, &own, &room) != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!corm_value_equal(&own[i], &values[i])) {
            return false;
        }
    }
    return true;
}

/* Is the key stored inline? Values of any other kind than the mapper promises make a tuple. */
static bool is_inline(const corm_mapper *mapper, const corm_value *values, size_t count) {
    return mapper->integer_key && count == 1 && values[0].kind == CORM_KIND_INTEGER;
}

corm_state *corm_identity_find(const corm_identity_map *map, const corm_mapper *mapper, const corm_value *values,
                               size_t count) {
    if (is_inline(mapper, values, count)) {
        return corm_identity_find_integer(map, mapper, values[0].as.integer);
    }
    if (map->count == 0) {
        return NULL;
    }
    uint64_t code = code_of(mapper, hash_values(mapper, values, count));
    identity_probe probe = probe_start(map, code);
    for (corm_state *state; (state = map->entries[probe.at].state) != NULL; probe_next(&probe)) {
        if (map->entries[probe.at].code == code && state != CORM_IDENTITY_GONE && state->mapper == mapper &&
            (state->flags & CORM_STATE_KEY_TUPLE) && corm_state_key_equals(state, values, count)) {
            return state;
        }
    }
    return NULL;
}

void corm_identity_clear(corm_identity_map *map) {
    corm_free(map->entries);
    *map = (corm_identity_map){0};
}

/* ---- keys ---- */

corm_key *corm_key_ref(corm_key *key) {
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void corm_key_unref(corm_key *key) {
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < key->count; i++) {
        corm_value_clear(&key->values[i]);
    }
    corm_free(key);
}

static corm_key *key_new(const corm_mapper *mapper, const corm_value *values, size_t count) {
    corm_key *key = corm_calloc(1, sizeof *key + count * sizeof *key->values);
    if (key == NULL) {
        return NULL;
    }
    atomic_init(&key->references, 1);
    for (; key->count < count; key->count++) {
        if (corm_value_copy(&values[key->count], &key->values[key->count]) != CORM_OK) {
            corm_key_unref(key);
            return NULL;
        }
        key->values[key->count].stored = true; /* whether it comes from a row or from an object that was written */
    }
    key->hash = hash_values(mapper, key->values, count);
    return key;
}

corm_status corm_state_set_key(corm_state *state, const corm_value *values, size_t count) {
    if (is_inline(state->mapper, values, count)) {
        corm_state_clear_key(state);
        state->key.integer = values[0].as.integer;
    } else {
        corm_key *key = key_new(state->mapper, values, count);
        if (key == NULL) {
            return corm_error_last()->status;
        }
        corm_state_clear_key(state);
        state->key.tuple = key;
        state->flags |= CORM_STATE_KEY_TUPLE;
    }
    state->flags |= CORM_STATE_HAS_KEY;
    return CORM_OK;
}

corm_state_identity corm_state_identity_ref(const corm_state *state) {
    corm_state_identity identity = {.key = state->key, .tuple = (state->flags & CORM_STATE_KEY_TUPLE) != 0};
    if (identity.tuple) {
        corm_key_ref(identity.key.tuple);
    }
    return identity;
}

void corm_state_identity_clear(corm_state_identity *identity) {
    if (identity->tuple) {
        corm_key_unref(identity->key.tuple);
    }
    *identity = (corm_state_identity){.tuple = false};
}

void corm_state_identity_give_back(corm_state *state, corm_state_identity *identity) {
    corm_state_clear_key(state);
    state->key = identity->key;
    state->flags |= CORM_STATE_HAS_KEY | (identity->tuple ? (uint32_t)CORM_STATE_KEY_TUPLE : 0);
    identity->tuple = false;
}

void corm_state_clear_key(corm_state *state) {
    if (state->flags & CORM_STATE_KEY_TUPLE) {
        corm_key_unref(state->key.tuple);
    }
    state->key.integer = 0;
    state->flags &= ~(uint32_t)(CORM_STATE_HAS_KEY | CORM_STATE_KEY_TUPLE);
}

size_t corm_state_key(const corm_state *state, const corm_value **out, corm_value *room) {
    if (!(state->flags & CORM_STATE_HAS_KEY)) {
        return 0;
    }
    if (state->flags & CORM_STATE_KEY_TUPLE) {
        *out = state->key.tuple->values;
        return state->key.tuple->count;
    }
    *room = corm_value_integer(state->key.integer);
    *out = room;
    return 1;
}
