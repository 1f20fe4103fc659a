/* Counted blocks, each several times the size of the one before. See slab.h. */
#include "base/slab.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/alloc.h"

struct corm_slab_block {
    atomic_size_t live; /* objects in it, and one for the slab while the block is its newest */
    size_t size;        /* of the memory */
    max_align_t memory[];
};

/* Each block is several times as large as the one before, until they are CORM_BLOCK_SIZE. */
enum { FIRST_BLOCK = 4 * 1024, GROWTH = 16, OBJECTS_IN_BLOCK = 8 };

/* A sanitizer watches each object's own memory. */
#if defined(__SANITIZE_ADDRESS__)
static const bool objects_stand_alone = true;
#else
static const bool objects_stand_alone = false;
#endif

static void block_release(corm_slab_block *block) {
    if (block == NULL || atomic_fetch_sub_explicit(&block->live, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (block->size == CORM_BLOCK_SIZE - sizeof *block) {
        corm_block_give(block);
    } else {
        corm_free(block);
    }
}

static corm_status add_block(corm_slab *slab) {
    size_t whole = slab->block == NULL ? FIRST_BLOCK : (slab->block->size + sizeof *slab->block) * GROWTH;
    whole = whole > CORM_BLOCK_SIZE ? CORM_BLOCK_SIZE : whole;
    corm_slab_block *block = whole == CORM_BLOCK_SIZE ? corm_block_take() : corm_alloc_large(whole);
    if (block == NULL) {
        return CORM_NO_MEMORY;
    }
    atomic_init(&block->live, 1);
    block->size = whole - sizeof *block;
    block_release(slab->block);
    slab->block = block;
    slab->left = block->size;
    return CORM_OK;
}

void *corm_slab_alloc(corm_slab *slab, size_t size, corm_slab_block **block) {
    const size_t alignment = _Alignof(max_align_t);
    *block = NULL;
    if (slab == NULL || objects_stand_alone || size > FIRST_BLOCK / OBJECTS_IN_BLOCK) {
        return corm_alloc(size);
    }
    size = (size + alignment - 1) / alignment * alignment;
    if (size > slab->left && add_block(slab) != CORM_OK) {
        return NULL;
    }
    *block = slab->block;
    atomic_fetch_add_explicit(&slab->block->live, 1, memory_order_relaxed);
    char *memory = (char *)slab->block->memory + (slab->block->size - slab->left);
    slab->left -= size;
    return memory;
}

void corm_slab_free(corm_slab_block *block, void *memory) {
    if (block == NULL) {
        corm_free(memory);
    } else {
        block_release(block);
    }
}

void corm_slab_close(corm_slab *slab) {
    block_release(slab->block);
    *slab = (corm_slab){0};
}
