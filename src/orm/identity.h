/*
 * The identity map: open addressing over states, keyed by mapper and primary key.
 *
 * Entries are borrowed states; whoever destroys an object takes its entry out first. Each carries a
 * code of its mapper and key, so that neither probing nor growing touches the states. Lookup hands out a state that may be dying: callers
 * hold it with the host's try_hold() before use. Specialised because a general hash table cannot key on the state itself
 * without an extra allocation per object; bench/ compares.
 */
#ifndef CORM_ORM_IDENTITY_H
#define CORM_ORM_IDENTITY_H

#include "orm/state.h"

typedef struct corm_identity_entry {
    uint64_t code;     /* of the mapper, and of the integer key or the hash of another key */
    corm_state *state; /* NULL: free; CORM_IDENTITY_GONE: removed */
} corm_identity_entry;

typedef struct corm_identity_map {
    corm_identity_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;    /* live entries */
    size_t used;     /* live and removed entries */
} corm_identity_map;

#define CORM_IDENTITY_GONE ((corm_state *)1)

/* Does one more entry need a larger table? */
static inline bool corm_identity_is_full(const corm_identity_map *map) {
    return (map->used + 1) * 3 > map->capacity * 2;
}

/* The state at a place below capacity, or NULL. */
static inline corm_state *corm_identity_at(const corm_identity_map *map, size_t place) {
    corm_state *state = map->entries[place].state;
    return state == CORM_IDENTITY_GONE ? NULL : state;
}

corm_status corm_identity_reserve(corm_identity_map *map, size_t more) CORM_MUST_CHECK;
/* The state's key must be set and not in the map yet. */
corm_status corm_identity_add(corm_identity_map *map, corm_state *state) CORM_MUST_CHECK;
void corm_identity_remove(corm_identity_map *map, corm_state *state);
corm_state *corm_identity_find_integer(const corm_identity_map *map, const corm_mapper *mapper, int64_t key);
corm_state *corm_identity_find(const corm_identity_map *map, const corm_mapper *mapper, const corm_value *values,
                               size_t count);
void corm_identity_clear(corm_identity_map *map);

/* Set a state's key from values (one per primary key column). An integer key of a mapper with integer_key is
 * stored inline. */
corm_status corm_state_set_key(corm_state *state, const corm_value *values, size_t count);
/* A state's key, to be given back to it; owned until then. */
corm_state_identity corm_state_identity_ref(const corm_state *state);
void corm_state_identity_give_back(corm_state *state, corm_state_identity *identity); /* leaves it empty */
void corm_state_identity_clear(corm_state_identity *identity);
void corm_state_clear_key(corm_state *state);
bool corm_state_key_equals(const corm_state *state, const corm_value *values, size_t count);
corm_key *corm_key_ref(corm_key *key);
void corm_key_unref(corm_key *key);

#endif
