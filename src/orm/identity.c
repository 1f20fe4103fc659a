/*
 * The identity map and the keys of states. See identity.h.
 *
 * Probing is linear; a removed entry leaves a mark that a later insertion on the same path reuses. The table is
 * rebuilt when live and removed entries fill two thirds of it, to a size that its live entries need.
 */
#include "orm/identity.h"

#include <string.h>

#include "base/alloc.h"

static const size_t first_capacity = 64;
static const size_t small_capacity = 1u << 16;

/* Eight neighbouring keys share a cache line, as rows often come in the order of keys; lines are scattered (Fibonacci
 * hashing), so that no pattern of keys makes long runs. */
static uint64_t hash_integer(const corm_mapper *mapper, int64_t key) {
    uint64_t line = (((uint64_t)key >> 3) + ((uint64_t)mapper->identity << 32)) * 0x9E3779B97F4A7C15ull;
    return (line ^ line >> 32) << 3 | ((uint64_t)key & 7);
}

static uint64_t hash_values(const corm_mapper *mapper, const corm_value *values, size_t count) {
    uint64_t hash = mapper->identity;
    for (size_t i = 0; i < count; i++) {
        hash = corm_hash_mix(hash, corm_value_hash(&values[i]));
    }
    return hash;
}

static uint64_t hash_state(const corm_state *state) {
    return state->flags & CORM_STATE_KEY_TUPLE ? state->key.tuple->hash
                                               : hash_integer(state->mapper, state->key.integer);
}

static bool is_live(const corm_state *entry) {
    return entry != NULL && entry != CORM_IDENTITY_GONE;
}

/* Put a state where its probe path first has room; the table has some. */
static void place(corm_state **entries, size_t capacity, corm_state *state, size_t *used) {
    size_t mask = capacity - 1;
    size_t at = (size_t)hash_state(state) & mask;
    while (is_live(entries[at])) {
        at = (at + 1) & mask;
    }
    if (entries[at] == NULL) {
        *used += 1;
    }
    entries[at] = state;
}

static corm_status rebuild(corm_identity_map *map, size_t capacity) {
    corm_state **entries = corm_calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        return CORM_NO_MEMORY;
    }
    size_t used = 0;
    for (size_t i = 0; i < map->capacity; i++) {
        if (is_live(map->entries[i])) {
            place(entries, capacity, map->entries[i], &used);
        }
    }
    corm_free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    map->used = used;
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
    if (status != CORM_OK) {
        return status;
    }
    place(map->entries, map->capacity, state, &map->used);
    map->count++;
    state->flags |= CORM_STATE_IN_MAP;
    return CORM_OK;
}

void corm_identity_remove(corm_identity_map *map, corm_state *state) {
    if (!(state->flags & CORM_STATE_IN_MAP)) {
        return;
    }
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash_state(state) & mask;
    while (map->entries[at] != state) {
        at = (at + 1) & mask;
    }
    /* The last of a probe path needs no mark. */
    if (map->entries[(at + 1) & mask] == NULL) {
        map->entries[at] = NULL;
        map->used--;
    } else {
        map->entries[at] = CORM_IDENTITY_GONE;
    }
    map->count--;
    state->flags &= ~(uint32_t)CORM_STATE_IN_MAP;
}

corm_state *corm_identity_find_integer(const corm_identity_map *map, const corm_mapper *mapper, int64_t key) {
    if (map->count == 0) {
        return NULL;
    }
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash_integer(mapper, key) & mask;
    for (corm_state *entry; (entry = map->entries[at]) != NULL; at = (at + 1) & mask) {
        if (entry != CORM_IDENTITY_GONE && entry->key.integer == key && entry->mapper == mapper &&
            !(entry->flags & CORM_STATE_KEY_TUPLE)) {
            return entry;
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

corm_state *corm_identity_find(const corm_identity_map *map, const corm_mapper *mapper,
                               const corm_value *values, size_t count) {
    if (is_inline(mapper, values, count)) {
        return corm_identity_find_integer(map, mapper, values[0].as.integer);
    }
    if (map->count == 0) {
        return NULL;
    }
    uint64_t hash = hash_values(mapper, values, count);
    size_t mask = map->capacity - 1;
    size_t at = (size_t)hash & mask;
    for (corm_state *entry; (entry = map->entries[at]) != NULL; at = (at + 1) & mask) {
        if (entry != CORM_IDENTITY_GONE && entry->mapper == mapper && (entry->flags & CORM_STATE_KEY_TUPLE) &&
            entry->key.tuple->hash == hash && corm_state_key_equals(entry, values, count)) {
            return entry;
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
