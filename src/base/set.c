/* The set of pointers: see set.h. Linear probing, at most half full, nothing is ever removed. */
#include "base/set.h"

#include "base/alloc.h"
#include "base/hash.h"

static size_t find(const void *const *entries, size_t capacity, const void *pointer) {
    size_t mask = capacity - 1;
    size_t at = (size_t)corm_hash_mix(0, (uint64_t)(uintptr_t)pointer) & mask;
    while (entries[at] != NULL && entries[at] != pointer) {
        at = (at + 1) & mask;
    }
    return at;
}

static corm_status grow(corm_set *set) {
    size_t capacity = set->capacity == 0 ? CORM_SET_INLINE * 4 : set->capacity * 2;
    const void **entries = corm_calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        return CORM_NO_MEMORY;
    }
    size_t from_count = set->entries == NULL ? set->count : set->capacity;
    const void **from = set->entries == NULL ? set->first : set->entries;
    for (size_t i = 0; i < from_count; i++) {
        if (from[i] != NULL) {
            entries[find(entries, capacity, from[i])] = from[i];
        }
    }
    corm_free(set->entries);
    set->entries = entries;
    set->capacity = capacity;
    return CORM_OK;
}

bool corm_set_contains(const corm_set *set, const void *pointer) {
    if (set->entries != NULL) {
        return set->entries[find(set->entries, set->capacity, pointer)] != NULL;
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->first[i] == pointer) {
            return true;
        }
    }
    return false;
}

corm_status corm_set_add(corm_set *set, const void *pointer, bool *added) {
    *added = !corm_set_contains(set, pointer);
    if (!*added) {
        return CORM_OK;
    }
    if (set->entries == NULL && set->count < CORM_SET_INLINE) {
        set->first[set->count++] = pointer;
        return CORM_OK;
    }
    if (set->entries == NULL || (set->count + 1) * 2 > set->capacity) {
        corm_status status = grow(set);
        if (status != CORM_OK) {
            return status;
        }
    }
    set->entries[find(set->entries, set->capacity, pointer)] = pointer;
    set->count++;
    return CORM_OK;
}

void corm_set_clear(corm_set *set) {
    corm_free(set->entries);
    *set = (corm_set){0};
}
