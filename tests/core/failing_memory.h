/* For tests: an allocator that fails at the n-th allocation, and counts what is alive. */
#ifndef CORM_TEST_FAILING_MEMORY_H
#define CORM_TEST_FAILING_MEMORY_H

#include <stdlib.h>

#include "base/alloc.h"

typedef struct failing_memory {
    long until_failure; /* negative: never */
    bool once;          /* only that one fails; else all from then on */
    long alive;
    bool failed;
} failing_memory;

static failing_memory memory_now = {.until_failure = -1};

static inline bool memory_fails(void) {
    if (memory_now.until_failure < 0)
        return false;
    if (memory_now.until_failure-- > 0)
        return false;
    memory_now.until_failure = memory_now.once ? -1 : 0;
    memory_now.failed = true;
    return true;
}
static inline void *memory_allocate(void *context, size_t size) {
    (void)context;
    if (memory_fails())
        return NULL;
    memory_now.alive++;
    return malloc(size ? size : 1);
}
static inline void *memory_reallocate(void *context, void *memory, size_t size) {
    (void)context;
    if (memory_fails())
        return NULL;
    memory_now.alive += !memory;
    return realloc(memory, size ? size : 1);
}
static inline void memory_release(void *context, void *memory) {
    (void)context;
    memory_now.alive -= memory != NULL;
    free(memory);
}
static inline void memory_install(void) {
    static const corm_allocator allocator = {memory_allocate, memory_reallocate, memory_release, NULL};
    corm_allocator_set(&allocator);
}

/* Run a story with each of its allocations failing in turn, until it succeeds. The story lets go of all it made;
 * it returns true when it succeeded. */
static inline void each_allocation_fails(bool (*tried)(void), long most) {
    for (long failing = 0; failing < most; failing++) {
        long before = memory_now.alive;
        memory_now.until_failure = failing;
        memory_now.failed = false;
        bool succeeded = tried();
        memory_now.until_failure = -1;
        corm_error_clear();
        if (memory_now.alive != before)
            fail_msg("allocation %ld: %ld blocks were leaked", failing, memory_now.alive - before);
        if (!memory_now.failed) {
            assert_true(succeeded);
            return;
        }
    }
    fail_msg("the story needs more than %ld allocations", most);
}

#endif
