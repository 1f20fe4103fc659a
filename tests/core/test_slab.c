/* Memory in slabs and arenas: objects that outlive their owner, blocks that are kept, allocations that fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/slab.h"
#include "failing_memory.h"

enum { OBJECT = 192, OBJECTS = 50000, FEW = 300 };

static bool make_and_free(size_t count, bool close_first) {
    static char *objects[OBJECTS];
    static corm_slab_block *blocks[OBJECTS];
    corm_slab slab = {0};
    size_t made = 0;
    for (; made < count; made++) {
        objects[made] = corm_slab_alloc(&slab, OBJECT, &blocks[made]);
        if (objects[made] == NULL) {
            break;
        }
        memset(objects[made], (int)(made % 251), OBJECT);
    }
    if (close_first) {
        corm_slab_close(&slab);
    }
    for (size_t i = 0; i < made; i++) {
        for (size_t at = 0; at < OBJECT; at++) {
            assert_int_equal((unsigned char)objects[i][at], i % 251);
        }
        corm_slab_free(blocks[i], objects[i]);
    }
    corm_slab_close(&slab);
    return made == count;
}

static void objects_outlive_their_slab(void **state) {
    (void)state;
    assert_true(make_and_free(OBJECTS, true));
    assert_true(make_and_free(OBJECTS, false));
    corm_blocks_trim();
    assert_int_equal(memory_now.alive, 0);
}

static void a_large_object_stands_alone(void **state) {
    (void)state;
    corm_slab slab = {0};
    corm_slab_block *block;
    char *object = corm_slab_alloc(&slab, 1 << 20, &block);
    assert_non_null(object);
    assert_null(block);
    object[(1 << 20) - 1] = 1;
    corm_slab_free(block, object);
    object = corm_slab_alloc(NULL, OBJECT, &block);
    assert_null(block);
    corm_slab_free(block, object);
    corm_slab_close(&slab);
    assert_int_equal(memory_now.alive, 0);
}

static bool few_objects(void) {
    return make_and_free(FEW, true);
}

static void any_allocation_of_a_slab_may_fail(void **state) {
    (void)state;
    each_allocation_fails(few_objects, 2 * FEW);
}

static void an_arena_gives_zeroed_memory_of_blocks_used_before(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        corm_arena arena = {0};
        for (size_t i = 0; i < OBJECTS * 2; i++) {
            unsigned char *memory = corm_arena_alloc(&arena, OBJECT);
            assert_non_null(memory);
            assert_int_equal(memory[0] | memory[OBJECT - 1], 0);
            memset(memory, 0xFF, OBJECT);
        }
        corm_arena_clear(&arena);
    }
    corm_blocks_trim();
    assert_int_equal(memory_now.alive, 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_outlive_their_slab),
        cmocka_unit_test(a_large_object_stands_alone),
        cmocka_unit_test(any_allocation_of_a_slab_may_fail),
        cmocka_unit_test(an_arena_gives_zeroed_memory_of_blocks_used_before),
    };
    memory_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
