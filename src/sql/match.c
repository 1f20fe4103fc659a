/*
 * Comparing trees by structure, and collecting the bound values of one.
 *
 * Both walk in one order: a node, then its children from the last to the first, and at the end, in a loop, the deepest
 * one, so that chains take no stack, on whatever side they grow. Aliases (and whatever else is told apart by being itself) are equal when
 * they stand in the same places: pairs met once must meet again.
 */
#include "sql/node.h"

#include "base/alloc.h"
#include "sql/pointer_map.h"

typedef struct matching {
    corm_vector *binds;         /* may be NULL */
    corm_pointer_map by_cached; /* aliases: cached to fresh, and back */
    corm_pointer_map by_fresh;
    corm_status status;
} matching;

static corm_status collect(const corm_node *node, corm_vector *binds) {
    while (node && node->flags & CORM_NODE_HAS_BIND) {
        if (node->kind == CORM_NODE_BIND)
            return corm_vector_push(binds, (void *)(uintptr_t)node);
        size_t count = corm_node_child_count(node);
        if (!count)
            return CORM_OK;
        size_t deepest = corm_node_deepest(node);
        for (size_t i = count; i-- > 0;) {
            corm_status status = i == deepest ? CORM_OK : collect(corm_node_child(node, i), binds);
            if (status)
                return status;
        }
        node = corm_node_child(node, deepest);
    }
    return CORM_OK;
}

corm_status corm_node_collect_binds(const corm_node *node, corm_vector *binds) {
    return collect(node, binds);
}

/* An alias is met: is it the same pair as before? */
static bool same_alias(matching *match, const corm_node *cached, const corm_node *fresh) {
    void *known = NULL;
    bool met = corm_pointer_map_get(&match->by_cached, cached, &known);
    if (met)
        return known == fresh;
    if (corm_pointer_map_get(&match->by_fresh, fresh, &known))
        return false;
    match->status = corm_pointer_map_set(&match->by_cached, cached, (void *)(uintptr_t)fresh);
    if (!match->status)
        match->status = corm_pointer_map_set(&match->by_fresh, fresh, (void *)(uintptr_t)cached);
    return !match->status;
}

static bool same_node(const corm_node *cached, const corm_node *fresh) {
    if (cached->hash != fresh->hash || cached->vtable != fresh->vtable || cached->kind != fresh->kind ||
        cached->op != fresh->op || cached->detail != fresh->detail)
        return false;
    return !cached->vtable->equal || cached->vtable->equal(cached, fresh);
}

static bool walk(matching *match, const corm_node *cached, const corm_node *fresh) {
    for (;;) {
        if (!cached || !fresh)
            return cached == fresh;
        /* A shared part without aliases in it is equal to itself; one that has them must still be paired. */
        if (cached == fresh && !(cached->flags & (CORM_NODE_HAS_BIND | CORM_NODE_HAS_ALIAS)))
            return true;
        if (cached != fresh && !same_node(cached, fresh))
            return false;
        if (cached->kind == CORM_NODE_BIND) {
            if (match->binds)
                match->status = corm_vector_push(match->binds, (void *)(uintptr_t)fresh);
            return !match->status;
        }
        if (cached->kind == CORM_NODE_ALIAS && !same_alias(match, cached, fresh))
            return false;
        size_t count = corm_node_child_count(cached);
        if (cached != fresh && count != corm_node_child_count(fresh))
            return false;
        if (!count)
            return true;
        size_t deepest = corm_node_deepest(cached);
        for (size_t i = count; i-- > 0;) {
            if (i != deepest && !walk(match, corm_node_child(cached, i), corm_node_child(fresh, i)))
                return false;
        }
        cached = corm_node_child(cached, deepest);
        fresh = corm_node_child(fresh, deepest);
    }
}

corm_status corm_node_match(const corm_node *cached, const corm_node *fresh, corm_vector *binds, bool *out) {
    matching match = {.binds = binds};
    *out = walk(&match, cached, fresh) && !match.status;
    corm_pointer_map_clear(&match.by_cached);
    corm_pointer_map_clear(&match.by_fresh);
    return match.status;
}

bool corm_node_equal(const corm_node *left, const corm_node *right) {
    if (left == right)
        return true;
    bool equal = false;
    return !corm_node_match(left, right, NULL, &equal) && equal;
}
