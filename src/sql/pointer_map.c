/* From pointers to pointers; see pointer_map.h. Nothing is ever removed, so a free entry ends a probe. */
#include "sql/pointer_map.h"

#include "base/alloc.h"

static size_t first_place(const void *key, size_t capacity) {
    uint64_t bits = (uint64_t)(uintptr_t)key >> 4;
    bits *= 0x9E3779B97F4A7C15ull;
    return (size_t)(bits >> 32) & (capacity - 1);
}

static corm_pointer_entry *find(corm_pointer_entry *entries, size_t capacity, const void *key) {
    size_t place = first_place(key, capacity);
    while (entries[place].key && entries[place].key != key)
        place = (place + 1) & (capacity - 1);
    return &entries[place];
}

static corm_status grow(corm_pointer_map *map) {
    size_t capacity = map->capacity ? map->capacity * 2 : 16;
    corm_pointer_entry *entries = corm_calloc(capacity, sizeof *entries);
    if (!entries)
        return CORM_NO_MEMORY;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->entries[i].key)
            *find(entries, capacity, map->entries[i].key) = map->entries[i];
    }
    corm_free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return CORM_OK;
}

corm_status corm_pointer_map_set(corm_pointer_map *map, const void *key, void *value) {
    if ((map->count + 1) * 4 > map->capacity * 3) {
        corm_status status = grow(map);
        if (status)
            return status;
    }
    corm_pointer_entry *entry = find(map->entries, map->capacity, key);
    if (!entry->key) {
        entry->key = key;
        map->count++;
    }
    entry->value = value;
    return CORM_OK;
}

bool corm_pointer_map_get(const corm_pointer_map *map, const void *key, void **value) {
    *value = NULL;
    if (!map->count)
        return false;
    corm_pointer_entry *entry = find(map->entries, map->capacity, key);
    *value = entry->value;
    return entry->key != NULL;
}

void corm_pointer_map_clear(corm_pointer_map *map) {
    corm_free(map->entries);
    *map = (corm_pointer_map){0};
}
