/* The growing array of pointers: see vector.h. */
#include "base/vector.h"

#include <string.h>

#include "base/alloc.h"

static const size_t first_capacity = 8;

corm_status corm_vector_reserve(corm_vector *vector, size_t more) {
    if (more <= vector->capacity - vector->count) {
        return CORM_OK;
    }
    size_t capacity = vector->capacity == 0 ? first_capacity : vector->capacity;
    while (capacity - vector->count < more) {
        if (capacity > SIZE_MAX / 2) {
            return corm_error_no_memory();
        }
        capacity *= 2;
    }
    void **items = corm_realloc_array(vector->items, capacity, sizeof *items);
    if (items == NULL) {
        return CORM_NO_MEMORY;
    }
    vector->items = items;
    vector->capacity = capacity;
    return CORM_OK;
}

void corm_vector_remove(corm_vector *vector, size_t index) {
    vector->count--;
    memmove(vector->items + index, vector->items + index + 1, (vector->count - index) * sizeof *vector->items);
}

bool corm_vector_contains(const corm_vector *vector, const void *item) {
    for (size_t i = 0; i < vector->count; i++) {
        if (vector->items[i] == item) {
            return true;
        }
    }
    return false;
}

void corm_vector_clear(corm_vector *vector) {
    corm_free(vector->items);
    *vector = (corm_vector){0};
}
