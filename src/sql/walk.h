/* The one walker and the one mutator of node trees. Both loop over chains that grow to the left. */
#ifndef CORM_SQL_WALK_H
#define CORM_SQL_WALK_H

#include "sql/node.h"

typedef enum corm_walk_action {
    CORM_WALK_INTO, /* go on with the children */
    CORM_WALK_OVER, /* leave out the children */
    CORM_WALK_STOP  /* end the walk */
} corm_walk_action;

typedef corm_walk_action (*corm_node_visitor)(void *context, corm_node *node);

/* Visit node and all below it, parents first, children in order; a node that occurs twice is visited twice. Fails only
 * for lack of memory: a visitor keeps its own failures in its context and stops. */
corm_status corm_node_walk(corm_node *node, corm_node_visitor visit, void *context) CORM_MUST_CHECK;

/* Gives a replacement: *out a new reference (its children are not looked at again), or leaves *out NULL to have the node
 * kept and its children rewritten. Put *out = corm_node_ref(node) to keep the node with all below it. */
typedef corm_status (*corm_node_replacer)(void *context, corm_node *node, corm_node **out);

/* The rewritten tree: a new reference; parts that did not change are shared with the old. A node that occurs many
 * times is replaced once, by the same node everywhere. NULL with the error set. */
corm_node *corm_node_replace(corm_node *node, corm_node_replacer replace, void *context);

/* The same over several trees, with one memory of what has been replaced. */
typedef struct corm_rewrite corm_rewrite;
corm_rewrite *corm_rewrite_new(corm_node_replacer replace, void *context);
corm_node *corm_rewrite_apply(corm_rewrite *rewrite, corm_node *node);
void corm_rewrite_free(corm_rewrite *rewrite);

#endif
