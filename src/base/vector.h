/* A growing array of pointers, for lists of nodes, states and the like. */
#ifndef CORM_BASE_VECTOR_H
#define CORM_BASE_VECTOR_H

#include "base/error.h"

typedef struct corm_vector {
    void **items;
    size_t count;
    size_t capacity;
} corm_vector;

corm_status corm_vector_reserve(corm_vector *vector, size_t more) CORM_MUST_CHECK;
static inline corm_status CORM_MUST_CHECK corm_vector_push(corm_vector *vector, void *item) {
    if (vector->count == vector->capacity) {
        corm_status status = corm_vector_reserve(vector, 1);
        if (status != CORM_OK) {
            return status;
        }
    }
    vector->items[vector->count++] = item;
    return CORM_OK;
}
void corm_vector_remove(corm_vector *vector, size_t index); /* keeps the order */
bool corm_vector_contains(const corm_vector *vector, const void *item);
void corm_vector_clear(corm_vector *vector); /* frees the array, not the items */

#endif
