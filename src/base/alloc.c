/* The allocator: malloc, unless a test has put another in its place. See alloc.h. */
#include "base/alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"

enum { LARGE_PAGE = 2 * 1024 * 1024 };

static void *plain_allocate(void *context, size_t size) {
    (void)context;
    return malloc(size);
}

static void *plain_reallocate(void *context, void *memory, size_t size) {
    (void)context;
    return realloc(memory, size);
}

static void plain_release(void *context, void *memory) {
    (void)context;
    free(memory);
}

static const corm_allocator plain = {plain_allocate, plain_reallocate, plain_release, NULL};
static corm_allocator current = {plain_allocate, plain_reallocate, plain_release, NULL};

void corm_allocator_set(const corm_allocator *allocator) {
    corm_blocks_trim();
    current = allocator == NULL ? plain : *allocator;
}

static void *checked(void *memory) {
    if (memory == NULL) {
        corm_error_no_memory();
    }
    return memory;
}

void *corm_alloc(size_t size) {
    return checked(current.allocate(current.context, size == 0 ? 1 : size));
}

/* Advice may be refused, or mean nothing to the system: the memory is good all the same. */
static void *with_large_pages(char *memory, size_t size) {
#ifdef MADV_HUGEPAGE
    if (memory != NULL && size >= LARGE_PAGE / 2) {
        /* Whole pages around it: at worst a neighbour's memory is served by large pages too. */
        size_t before = (uintptr_t)memory & (LARGE_PAGE - 1);
        int kept = errno;
        madvise(memory - before, (before + size + LARGE_PAGE - 1) & ~(size_t)(LARGE_PAGE - 1), MADV_HUGEPAGE);
        errno = kept;
    }
#endif
    return memory;
}

void *corm_alloc_large(size_t size) {
    return with_large_pages(corm_alloc(size), size);
}

/* The system's fresh pages are zero: calloc() knows them and does not touch them. */
void *corm_calloc_large(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return checked(NULL);
    }
    return with_large_pages(
        current.allocate == plain_allocate ? checked(calloc(count, size)) : corm_calloc(count, size), bytes);
}

/* ---- blocks ---- */

enum { BLOCKS_KEPT = 8 };

static struct {
    pthread_mutex_t mutex;
    size_t count;
    void *blocks[BLOCKS_KEPT];
} kept = {.mutex = PTHREAD_MUTEX_INITIALIZER};

void *corm_block_take(void) {
    pthread_mutex_lock(&kept.mutex); /* held for a moment: nobody waits inside */
    void *block = kept.count > 0 ? kept.blocks[--kept.count] : NULL;
    pthread_mutex_unlock(&kept.mutex);
    return block != NULL ? block : corm_alloc_large(CORM_BLOCK_SIZE);
}

void corm_block_give(void *block) {
    pthread_mutex_lock(&kept.mutex);
    if (block != NULL && kept.count < BLOCKS_KEPT) {
        kept.blocks[kept.count++] = block;
        block = NULL;
    }
    pthread_mutex_unlock(&kept.mutex);
    corm_free(block);
}

void corm_blocks_trim(void) {
    pthread_mutex_lock(&kept.mutex);
    while (kept.count > 0) {
        corm_free(kept.blocks[--kept.count]);
    }
    pthread_mutex_unlock(&kept.mutex);
}

void *corm_alloc_array(size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? checked(NULL) : corm_alloc(bytes);
}

void *corm_calloc(size_t count, size_t size) {
    void *memory = corm_alloc_array(count, size);
    if (memory != NULL) {
        memset(memory, 0, count * size);
    }
    return memory;
}

void *corm_realloc(void *memory, size_t size) {
    return checked(current.reallocate(current.context, memory, size == 0 ? 1 : size));
}

void *corm_realloc_array(void *memory, size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? checked(NULL) : corm_realloc(memory, bytes);
}

char *corm_strndup(const char *text, size_t size) {
    char *copy = size == SIZE_MAX ? checked(NULL) : corm_alloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *corm_strdup(const char *text) {
    return corm_strndup(text, strlen(text));
}

void corm_free(void *memory) {
    if (memory != NULL) {
        current.release(current.context, memory);
    }
}
