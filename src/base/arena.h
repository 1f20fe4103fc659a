/* Memory that is let go of as a whole: for the many small records of one operation. */
#ifndef CORM_BASE_ARENA_H
#define CORM_BASE_ARENA_H

#include "base/error.h"

typedef struct corm_arena {
    struct corm_arena_block *blocks; /* the newest first */
    size_t left;                     /* bytes free in it */
} corm_arena;

/* Zeroed memory, aligned for anything; NULL with CORM_NO_MEMORY. */
void *corm_arena_alloc(corm_arena *arena, size_t size);
void corm_arena_clear(corm_arena *arena);

#endif
