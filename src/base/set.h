/* A set of pointers: open addressing, no allocation for a handful. For "have I seen this object", which user's code
 * may interrupt at any point, so marks in the objects will not do. */
#ifndef CORM_BASE_SET_H
#define CORM_BASE_SET_H

#include "base/error.h"

#define CORM_SET_INLINE 8

typedef struct corm_set {
    const void **entries; /* NULL while the inline ones suffice */
    size_t capacity;
    size_t count;
    const void *first[CORM_SET_INLINE];
} corm_set;

/* *added tells whether it was not there yet. The pointer is not NULL. */
corm_status corm_set_add(corm_set *set, const void *pointer, bool *added) CORM_MUST_CHECK;
bool corm_set_contains(const corm_set *set, const void *pointer);
void corm_set_clear(corm_set *set);

#endif
