/* Counted blocks, each several times the size of the one before. See slab.h. */
#include "base/slab.h"

#include <stdatomic.h>
#include <stddef.h>

#include "base/alloc.h"

/* The newest block of a slab is counted as if it held many objects more: the slab notes by itself how many of them it
 * really cut off, so that this takes no atomic operation, and corrects the count when it lets go of the block. */
struct corm_slab_block {
    atomic_size_t live; /* objects in it; of a slab's newest block, ahead - slab->given more */
    size_t size;        /* of the memory */
    max_align_t memory[];
};

/* Each block is several times as large as the one before, until they are CORM_BLOCK_SIZE. */
static const size_t ahead = SIZE_MAX / 2;
enum { FIRST_BLOCK = 4 * 1024, GROWTH = 16, OBJECTS_IN_BLOCK = 8 };

/* A sanitizer watches each object's own memory. */
#if defined(__SANITIZE_ADDRESS__)
static const bool objects_stand_alone = true;
#else
static const bool objects_stand_alone = false;
#endif

/* `count` of those for which the block is held are gone. */
static void block_release(corm_slab_block *block, size_t count) {
    if (atomic_fetch_sub_explicit(&block->live, count, memory_order_acq_rel) != count) {
        return;
    }
    if (block->size == CORM_BLOCK_SIZE - sizeof *block) {
        corm_block_give(block);
    } else {
        corm_free(block);
    }
}

static void retire_newest(corm_slab *slab) {
    if (slab->block != NULL) {
        block_release(slab->block, ahead - slab->given);
    }
    *slab = (corm_slab){0};
}

static corm_status add_block(corm_slab *slab) {
    size_t whole = slab->block == NULL ? FIRST_BLOCK : (slab->block->size + sizeof *slab->block) * GROWTH;
    whole = whole > CORM_BLOCK_SIZE ? CORM_BLOCK_SIZE : whole;
    corm_slab_block *block = whole == CORM_BLOCK_SIZE ? corm_block_take() : corm_alloc_large(whole);
    if (block == NULL) {
        return CORM_NO_MEMORY;
    }
    atomic_init(&block->live, ahead);
    block->size = whole - sizeof *block;
    retire_newest(slab);
    *slab = (corm_slab){.block = block, .left = block->size};
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
    slab->given++;
    char *memory = (char *)slab->block->memory + (slab->block->size - slab->left);
    slab->left -= size;
    return memory;
}

void corm_slab_free(corm_slab_block *block, void *memory) {
    if (block == NULL) {
        corm_free(memory);
    } else {
        block_release(block, 1);
    }
}

void corm_slab_close(corm_slab *slab) {
    retire_newest(slab);
}
