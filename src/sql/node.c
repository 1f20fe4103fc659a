/*
 * The life of nodes: counting, sealing, freeing.
 *
 * Freeing never recurses: nodes that lost their last reference wait in a list that is threaded through their own
 * `host` field, so letting go of a chain of any length takes no stack and no memory.
 */
#include "sql/node.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

corm_node *corm_node_ref(corm_node *node) {
    if (!node || node->flags & CORM_NODE_IMMORTAL)
        return node;
    if (node->flags & CORM_NODE_SHARED) {
        corm_owner *owner = ((corm_shared_node *)(void *)node)->owner;
        if (owner) {
            atomic_fetch_add_explicit(&owner->references, 1, memory_order_relaxed);
            return node;
        }
    }
    atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
    return node;
}

/* Give up one reference; true when it was the last and the node is to be freed by the caller. */
static bool drop(corm_node *node) {
    if (node->flags & CORM_NODE_IMMORTAL)
        return false;
    if (node->flags & CORM_NODE_SHARED) {
        corm_owner *owner = ((corm_shared_node *)(void *)node)->owner;
        if (owner) {
            size_t before = atomic_fetch_sub_explicit(&owner->references, 1, memory_order_acq_rel);
            assert(before > 0);
            if (before == 1)
                owner->destroy(owner);
            return false;
        }
    }
    unsigned before = atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel);
    assert(before > 0);
    return before == 1;
}

void corm_node_unref(corm_node *node) {
    if (!node || !drop(node))
        return;
    node->host = NULL;
    corm_node *waiting = node;
    while (waiting) {
        node = waiting;
        waiting = node->host;
        size_t count = corm_node_child_count(node);
        for (size_t i = 0; i < count; i++) {
            corm_node *child = corm_node_child(node, i);
            if (child && drop(child)) {
                child->host = waiting;
                waiting = child;
            }
        }
        if (node->vtable->release)
            node->vtable->release(node);
        corm_type_unref(node->type);
        corm_free(node);
    }
}

const char *corm_node_display_name(const corm_node *node) {
    return node->vtable->display_name ? node->vtable->display_name(node) : NULL;
}

corm_type *corm_node_type(const corm_node *node) {
    return node->type ? node->type : corm_type_of_kind(CORM_TYPE_NULL);
}

const char *corm_node_kind_name(const corm_node *node) {
    return node->vtable->name;
}

bool corm_node_is_from(const corm_node *node) {
    return node->kind == CORM_NODE_TABLE || node->kind == CORM_NODE_ALIAS || node->kind == CORM_NODE_JOIN;
}

bool corm_node_is_select(const corm_node *node) {
    return node->kind == CORM_NODE_SELECT || node->kind == CORM_NODE_COMPOUND;
}

bool corm_node_is_statement(const corm_node *node) {
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_SELECT:
    case CORM_NODE_COMPOUND:
    case CORM_NODE_INSERT:
    case CORM_NODE_UPDATE:
    case CORM_NODE_DELETE:
    case CORM_NODE_TEXT:
        return true;
    default:
        return false;
    }
}

void corm_node_init(corm_node *node, const corm_node_vtable *vtable, corm_node_kind kind, corm_type *type) {
    atomic_init(&node->references, 1);
    node->kind = (uint8_t)kind;
    node->op = CORM_OP_NONE;
    node->flags = 0;
    node->depth = 0;
    node->detail = 0;
    node->child_count = 0;
    node->hash = 0;
    node->vtable = vtable;
    node->type = corm_type_ref(type);
    node->host = NULL;
}

bool corm_node_is_chain(const corm_node *node) {
    return node->kind == CORM_NODE_BINARY || node->kind == CORM_NODE_LIST ||
           (node->kind == CORM_NODE_UNARY && node->op == CORM_OP_NOT);
}

size_t corm_node_deepest(const corm_node *node) {
    size_t deepest = 0;
    const corm_node *found = NULL;
    size_t count = node->flags & CORM_NODE_LEANS ? corm_node_child_count(node) : 0;
    for (size_t i = 0; i < count; i++) {
        const corm_node *child = corm_node_child(node, i);
        if (child && (!found || child->depth > found->depth)) {
            found = child;
            deepest = i;
        }
    }
    return deepest;
}

/* The deepest child costs nothing where it continues a chain, all others a level each. */
static unsigned depth_of(const corm_node *node, const corm_node *deepest, unsigned others) {
    bool loops = corm_node_is_chain(node) && corm_node_is_chain(deepest);
    unsigned along = deepest->depth + (loops ? 0u : 1u);
    return along > others ? along : others;
}

corm_node *corm_node_seal(corm_node *node) {
    uint64_t hash = (uint64_t)node->kind | (uint64_t)node->op << 8 | (uint64_t)node->detail << 16;
    size_t count = corm_node_child_count(node);
    hash = corm_hash_mix(hash, count);
    if (node->vtable->hash)
        hash = corm_hash_mix(hash, node->vtable->hash(node));
    unsigned others = 0; /* levels that the children beside the deepest one need */
    unsigned flags = node->flags & ~(unsigned)CORM_NODE_LEANS;
    const corm_node *deepest = NULL;
    for (size_t i = 0; i < count; i++) {
        const corm_node *child = corm_node_child(node, i);
        if (!child) {
            hash = corm_hash_mix(hash, i);
            continue;
        }
        hash = corm_hash_mix(hash, child->hash);
        flags |= child->flags & CORM_NODE_INHERITED;
        const corm_node *other = child;
        if (!deepest || child->depth > deepest->depth) {
            other = deepest;
            deepest = child;
            if (i > 0 && !node->vtable->child) /* children that are computed keep their order for good */
                flags |= CORM_NODE_LEANS;
        }
        if (other && other->depth + 1u > others)
            others = other->depth + 1u;
    }
    unsigned depth = deepest ? depth_of(node, deepest, others) : 0;
    if (depth > CORM_NODE_MAX_DEPTH) {
        corm_node_unref(node);
        corm_error_set(CORM_COMPILE_ERROR, "This expression is nested more than %d levels deep, which is the limit",
                       CORM_NODE_MAX_DEPTH);
        return NULL;
    }
    node->hash = hash;
    node->depth = (uint16_t)depth;
    node->flags = (uint16_t)(flags | CORM_NODE_SEALED);
    return node;
}

corm_node *corm_node_make(const corm_node_vtable *vtable, corm_node_kind kind, corm_operator op, corm_type *type,
                          size_t size, corm_node *const *children, size_t count, bool open) {
    if (count > UINT32_MAX) {
        corm_error_set(CORM_VALUE_ERROR, "An expression has too many elements");
        return NULL;
    }
    corm_node *node = corm_alloc(size);
    if (!node)
        return NULL;
    size_t fixed = vtable->children_at ? vtable->children_at + count * sizeof *children : sizeof *node;
    if (size > fixed)
        memset((char *)node + fixed, 0, size - fixed);
    if (vtable->children_at > sizeof *node)
        memset((char *)node + sizeof *node, 0, vtable->children_at - sizeof *node);
    corm_node_init(node, vtable, kind, type);
    node->op = (uint8_t)op;
    if (vtable->children_at) {
        corm_node **places = (corm_node **)(void *)((char *)node + vtable->children_at);
        for (size_t i = 0; i < count; i++)
            places[i] = corm_node_ref(children[i]);
        node->child_count = (uint32_t)count;
    }
    return open ? node : corm_node_seal(node);
}
