/* The allocator: malloc, unless a test has put another in its place. See alloc.h. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

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
