/* All memory of the engine goes through one allocator, so that tests can make any allocation fail. */
#ifndef CORM_BASE_ALLOC_H
#define CORM_BASE_ALLOC_H

#include <cormorant/common.h>

typedef struct corm_allocator {
    void *(*allocate)(void *context, size_t size);
    void *(*reallocate)(void *context, void *memory, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
} corm_allocator;

/* Replace the allocator; NULL restores malloc. Call it before the first allocation, or when the new
 * one accepts memory of the old. Not thread-safe. */
CORM_API void corm_allocator_set(const corm_allocator *allocator);

/* Each returns NULL and sets CORM_NO_MEMORY when memory is short or a size overflows. Size 0 gives a
 * unique pointer. corm_free(NULL) does nothing. */
void *corm_alloc(size_t size);
void *corm_calloc(size_t count, size_t size); /* zeroed */
/* The same for what may be large and is filled soon: the system is asked for large pages, which cost far less to touch for
 * the first time. */
void *corm_alloc_large(size_t size);
void *corm_calloc_large(size_t count, size_t size);

/* Blocks of one large size, for memory that comes and goes as a whole. A few that were given back are kept, so that work
 * that repeats itself does not ask the system for its pages each time. By any thread. */
enum { CORM_BLOCK_SIZE = 4 * 1024 * 1024 - 64 /* with the allocator's own bytes it fills large pages */ };
void *corm_block_take(void);
void corm_block_give(void *block); /* accepts NULL */
/* Let go of those that are kept. */
CORM_API void corm_blocks_trim(void);
void *corm_realloc(void *memory, size_t size);
void *corm_alloc_array(size_t count, size_t size); /* checked product, not zeroed */
void *corm_realloc_array(void *memory, size_t count, size_t size);
char *corm_strdup(const char *text);
char *corm_strndup(const char *text, size_t size); /* copies size bytes and adds a NUL */
void corm_free(void *memory);

#endif
