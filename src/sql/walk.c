/*
 * The walker keeps the nodes still to visit on a stack of its own; the mutator loops into the deepest children and
 * recurses into the others.
 */
#include "sql/walk.h"

#include "base/alloc.h"
#include "sql/pointer_map.h"

corm_status corm_node_walk(corm_node *node, corm_node_visitor visit, void *context) {
    corm_vector waiting = {0};
    corm_status status = CORM_OK;
    while (node) {
        corm_walk_action action = visit(context, node);
        if (action == CORM_WALK_STOP)
            break;
        corm_node *next = NULL;
        size_t count = action == CORM_WALK_INTO ? corm_node_child_count(node) : 0;
        for (size_t i = count; i-- > 0;) {
            corm_node *child = corm_node_child(node, i);
            if (!child)
                continue;
            if (next && (status = corm_vector_push(&waiting, next)))
                goto done;
            next = child;
        }
        if (!next && waiting.count)
            next = waiting.items[--waiting.count];
        node = next;
    }
done:
    corm_vector_clear(&waiting);
    return status;
}

struct corm_rewrite {
    corm_node_replacer replace;
    void *context;
    corm_pointer_map known; /* from old nodes to new ones, all owned in `made` */
    corm_vector made;
};

corm_rewrite *corm_rewrite_new(corm_node_replacer replace, void *context) {
    corm_rewrite *rewrite = corm_calloc(1, sizeof *rewrite);
    if (!rewrite)
        return NULL;
    rewrite->replace = replace;
    rewrite->context = context;
    return rewrite;
}

void corm_rewrite_free(corm_rewrite *rewrite) {
    if (!rewrite)
        return;
    for (size_t i = 0; i < rewrite->made.count; i++)
        corm_node_unref(rewrite->made.items[i]);
    corm_vector_clear(&rewrite->made);
    corm_pointer_map_clear(&rewrite->known);
    corm_free(rewrite);
}

/* Remember what became of a node. Both are kept alive, so that no address is used twice. */
static corm_status remember(corm_rewrite *rewrite, corm_node *old, corm_node *made) {
    corm_status status = corm_vector_reserve(&rewrite->made, 2);
    if (status)
        return status;
    status = corm_pointer_map_set(&rewrite->known, old, made);
    if (status)
        return status;
    (void)!corm_vector_push(&rewrite->made, corm_node_ref(old));
    (void)!corm_vector_push(&rewrite->made, corm_node_ref(made));
    return CORM_OK;
}

static corm_node *rewrite_node(corm_rewrite *rewrite, corm_node *node);

/* A copy of node with `given` as the child there, unless it is NULL, and the other children rewritten; shares when nothing
 * changed. */
static corm_node *rebuild(corm_rewrite *rewrite, corm_node *node, size_t there, corm_node *given) {
    size_t count = corm_node_child_count(node);
    corm_node *few[8];
    corm_node **children = count <= 8 ? few : corm_alloc_array(count, sizeof *children);
    if (!children)
        return NULL;
    corm_node *result = NULL;
    size_t done = 0;
    bool changed = false;
    for (; done < count; done++) {
        corm_node *child = corm_node_child(node, done);
        if (done == there && given)
            children[done] = corm_node_ref(given);
        else if (child)
            children[done] = rewrite_node(rewrite, child);
        else
            children[done] = NULL;
        if (child && !children[done])
            goto done;
        changed = changed || children[done] != child;
    }
    if (!changed)
        result = corm_node_ref(node);
    else if (node->vtable->clone)
        result = node->vtable->clone(node, children);
    else
        corm_error_set(CORM_COMPILE_ERROR, "%s cannot be rewritten", corm_node_kind_name(node));
done:
    for (size_t i = 0; i < done; i++)
        corm_node_unref(children[i]);
    if (children != few)
        corm_free(children);
    return result;
}

/* What the replacer says, or what is known already: *out NULL means "rewrite the children". */
static corm_status ask(corm_rewrite *rewrite, corm_node *node, corm_node **out) {
    void *known;
    *out = NULL;
    if (corm_pointer_map_get(&rewrite->known, node, &known)) {
        *out = corm_node_ref(known);
        return CORM_OK;
    }
    corm_status status = rewrite->replace(rewrite->context, node, out);
    if (status || !*out)
        return status;
    status = remember(rewrite, node, *out);
    if (status) {
        corm_node_unref(*out);
        *out = NULL;
    }
    return status;
}

static corm_node *rewrite_node(corm_rewrite *rewrite, corm_node *node) {
    corm_vector chain = {0};
    corm_node *made = NULL;
    /* Down the spine... */
    for (;;) {
        if (ask(rewrite, node, &made))
            goto fail;
        if (made)
            break;
        if (corm_node_child_count(node) == 0) {
            made = corm_node_ref(node);
            break;
        }
        corm_node *deepest = corm_node_child(node, corm_node_deepest(node));
        if (!deepest) {
            made = rebuild(rewrite, node, 0, NULL);
            if (!made || remember(rewrite, node, made))
                goto fail;
            break;
        }
        if (corm_vector_push(&chain, node))
            goto fail;
        node = deepest;
    }
    /* ...and up again. */
    while (chain.count) {
        node = chain.items[--chain.count];
        corm_node *next = rebuild(rewrite, node, corm_node_deepest(node), made);
        corm_node_unref(made);
        made = next;
        if (!made || ((made != node || !corm_node_is_chain(node)) && remember(rewrite, node, made)))
            goto fail;
    }
    corm_vector_clear(&chain);
    return made;
fail:
    corm_node_unref(made);
    corm_vector_clear(&chain);
    return NULL;
}

corm_node *corm_rewrite_apply(corm_rewrite *rewrite, corm_node *node) {
    return node ? rewrite_node(rewrite, node) : NULL;
}

corm_node *corm_node_replace(corm_node *node, corm_node_replacer replace, void *context) {
    if (!node)
        return NULL;
    corm_rewrite *rewrite = corm_rewrite_new(replace, context);
    if (!rewrite)
        return NULL;
    corm_node *made = rewrite_node(rewrite, node);
    corm_rewrite_free(rewrite);
    return made;
}
