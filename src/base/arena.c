/* Blocks that grow up to a limit; what is asked for is cut off the end of the newest. */
#include "base/arena.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"

typedef struct corm_arena_block {
    struct corm_arena_block *older;
    size_t size;
    max_align_t memory[];
} corm_arena_block;

enum { FIRST_BLOCK = 1024, GROWTH = 4, LARGEST_BLOCK = CORM_BLOCK_SIZE - (int)sizeof(corm_arena_block) };

static corm_status add_block(corm_arena *arena, size_t size) {
    size_t next = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * GROWTH;
    next = next > LARGEST_BLOCK ? LARGEST_BLOCK : next;
    next = next < size ? size : next;
    corm_arena_block *block = next == LARGEST_BLOCK             ? corm_block_take()
                              : next > SIZE_MAX - sizeof *block ? NULL
                                                                : corm_alloc_large(sizeof *block + next);
    if (block == NULL) {
        return corm_error_no_memory();
    }
    block->older = arena->blocks;
    block->size = next;
    arena->blocks = block;
    arena->left = next;
    return CORM_OK;
}

void *corm_arena_alloc(corm_arena *arena, size_t size) {
    const size_t alignment = _Alignof(max_align_t);
    if (size > SIZE_MAX - alignment) {
        corm_error_no_memory();
        return NULL;
    }
    size = (size + alignment - 1) / alignment * alignment;
    if (size > arena->left && add_block(arena, size) != CORM_OK) {
        return NULL;
    }
    char *memory = (char *)arena->blocks->memory + (arena->blocks->size - arena->left);
    arena->left -= size;
    return memset(memory, 0, size);
}

void corm_arena_clear(corm_arena *arena) {
    while (arena->blocks != NULL) {
        corm_arena_block *block = arena->blocks;
        arena->blocks = block->older;
        if (block->size == LARGEST_BLOCK) {
            corm_block_give(block);
        } else {
            corm_free(block);
        }
    }
    arena->left = 0;
}
