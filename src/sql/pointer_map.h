/* From pointers to pointers: open addressing. For memories of what a walk has met. */
#ifndef CORM_SQL_POINTER_MAP_H
#define CORM_SQL_POINTER_MAP_H

#include "base/error.h"

typedef struct corm_pointer_entry {
    const void *key; /* NULL: free */
    void *value;
} corm_pointer_entry;

typedef struct corm_pointer_map {
    corm_pointer_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
} corm_pointer_map;

/* Set key (not NULL) to value, replacing what was there. */
corm_status corm_pointer_map_set(corm_pointer_map *map, const void *key, void *value) CORM_MUST_CHECK;
/* False when the key is not there; *value is then NULL. */
bool corm_pointer_map_get(const corm_pointer_map *map, const void *key, void **value);
void corm_pointer_map_clear(corm_pointer_map *map);

#endif
