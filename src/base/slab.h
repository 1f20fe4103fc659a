/*
 * Memory for many objects of one owner that live long and go in any order.
 *
 * An object is cut off the end of its owner's newest block; a block is let go of with the last object in it. So an object
 * costs no search and no header, and blocks grow large enough to be served by large pages. An object that is kept keeps
 * its block: slabs suit objects that mostly go together.
 *
 * Thread rule: a slab is used by one thread at a time; objects of it may be let go of by any.
 */
#ifndef CORM_BASE_SLAB_H
#define CORM_BASE_SLAB_H

#include "base/error.h"

typedef struct corm_slab_block corm_slab_block;

typedef struct corm_slab {
    corm_slab_block *block; /* the newest */
    size_t left;            /* bytes free in it */
    size_t given;           /* objects cut off it */
} corm_slab;

/* Memory aligned for anything, not zeroed, and the block to give back with it; NULL with CORM_NO_MEMORY. A large object,
 * and one without a slab (NULL), has memory of its own: then *block is NULL. */
void *corm_slab_alloc(corm_slab *slab, size_t size, corm_slab_block **block);
void corm_slab_free(corm_slab_block *block, void *memory);
/* The owner goes; its objects may stay. */
void corm_slab_close(corm_slab *slab);

#endif
