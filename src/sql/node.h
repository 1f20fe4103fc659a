/*
 * Nodes: the immutable, reference-counted elements of which expressions and statements are made.
 *
 * Rules of all constructors, here and in the headers beside: arguments are BORROWED (a constructor takes its own
 * references), the result is a NEW reference or NULL with the error set, and a NULL argument gives NULL, so that
 * a chain of calls is checked once, at its end, and reports its first failure. Where NULL means "none" it says so.
 *
 * What a node is made of is fixed when it is sealed: its structural hash, the depth of recursion it needs and what
 * is somewhere in it. A bound value is no part of the hash; tables and columns count by identity; anonymous
 * aliases by their place. A node deeper than CORM_NODE_MAX_DEPTH is refused (CORM_COMPILE_ERROR), so recursion
 * over nodes is bounded; chains (`x = x | y`, `x = y & (z | x)`) do not count, everything loops along them.
 *
 * Tables and columns are nodes too. They are owned by their metadata: their counting forwards to its count.
 *
 * Thread rule: nodes may be shared freely. `host` belongs to the host, which guards it by itself.
 */
#ifndef CORM_SQL_NODE_H
#define CORM_SQL_NODE_H

#include <stdatomic.h>

#include "base/vector.h"
#include "sql/operator.h"
#include "type/type.h"

typedef enum corm_node_kind {
    CORM_NODE_COLUMN = 1, /* corm_column, schema/schema.h */
    CORM_NODE_COLUMN_OF,  /* a column of an alias, a subquery or a CTE */
    CORM_NODE_BIND,
    CORM_NODE_BINARY,
    CORM_NODE_UNARY,
    CORM_NODE_LIST, /* op: AND, OR, COMMA */
    CORM_NODE_FUNCTION,
    CORM_NODE_OVER, /* a window: function, PARTITION BY list, ORDER BY list */
    CORM_NODE_CASE,
    CORM_NODE_CAST,
    CORM_NODE_EXTRACT,
    CORM_NODE_LABEL,
    CORM_NODE_TEXT,
    CORM_NODE_LITERAL_COLUMN, /* SQL text that is a column expression; STAR is one with "*" */
    CORM_NODE_CONSTANT,       /* op: NULL_, TRUE_, FALSE_ */
    CORM_NODE_GROUPING,       /* explicit parentheses */
    CORM_NODE_SCALAR_SUBQUERY,
    CORM_NODE_SELECT,
    CORM_NODE_COMPOUND,
    CORM_NODE_INSERT,
    CORM_NODE_UPDATE,
    CORM_NODE_DELETE,
    CORM_NODE_TABLE, /* corm_table, schema/schema.h */
    CORM_NODE_ALIAS, /* of a table, or of a select: a subquery or CTE */
    CORM_NODE_JOIN,
    CORM_NODE_CONFLICT,  /* ON CONFLICT of an INSERT */
    CORM_NODE_EXTENSION, /* defined by a higher layer */
    CORM_NODE_KIND_COUNT
} corm_node_kind;

enum {
    /* What is somewhere in the node; goes up the tree. */
    CORM_NODE_HAS_BIND = 1u << 0,
    CORM_NODE_HAS_EXTENSION = 1u << 1,
    CORM_NODE_UNCACHEABLE = 1u << 2, /* a statement with it is compiled each time */
    CORM_NODE_HAS_ALIAS = 1u << 3,   /* ALIAS, also CTE: paired when matching */
    CORM_NODE_INHERITED = 0xFu,
    /* Of the node itself. */
    CORM_NODE_SHARED = 1u << 4,   /* counts by its owner: see corm_shared_node */
    CORM_NODE_IMMORTAL = 1u << 5, /* static, not counted */
    CORM_NODE_SEALED = 1u << 6,
    CORM_NODE_LEANS = 1u << 7 /* its deepest child is not the first */
};

#define CORM_NODE_MAX_DEPTH 2000

typedef struct corm_node_vtable corm_node_vtable;

typedef struct corm_node {
    atomic_uint references;
    uint8_t kind; /* corm_node_kind */
    uint8_t op;   /* corm_operator */
    uint16_t flags;
    uint16_t depth;       /* of the recursion it needs */
    uint16_t detail;      /* small bits of the kind; part of hash and equality */
    uint32_t child_count; /* of children kept in the node itself, see children_at */
    uint64_t hash;
    const corm_node_vtable *vtable;
    corm_type *type; /* of an expression: owned; may be NULL */
    void *host;      /* the host's view object: set and cleared by the host */
} corm_node;

struct corm_compiler;

/* What a kind of node is. All functions may be NULL unless said otherwise. */
struct corm_node_vtable {
    const char *name;
    /* Where the array of child_count child pointers lies in the struct. Instead, child_count() and child() give
     * them. A child may be NULL: an empty place. Children are references that the node owns and that generic code
     * lets go of. */
    size_t children_at;
    size_t (*child_count)(const corm_node *node);
    corm_node *(*child)(const corm_node *node, size_t index);
    /* A new node like this one with other children (borrowed, as many as there are). NULL with the error set. A
     * node without children needs none. */
    corm_node *(*clone)(const corm_node *node, corm_node *const *children);
    /* Of what is not a child: mixed into the hash, compared. NULL: there is nothing else. */
    uint64_t (*hash)(const corm_node *node);
    bool (*equal)(const corm_node *left, const corm_node *right);
    /* Free what is not a child, and not the struct itself. */
    void (*release)(corm_node *node);
    /* A name that a column or FROM goes by, for messages and bind names; borrowed, may be NULL. */
    const char *(*display_name)(const corm_node *node);
    /* Of a FROM: its columns, borrowed, each a COLUMN or like one. */
    size_t (*column_count)(const corm_node *node);
    corm_node *(*column)(const corm_node *node, size_t index);
    /* An EXTENSION that stands for an alias has the ALIAS node among its children, so that two of them are told
     * apart by it. */
    /* An EXTENSION's SQL, see compile/compiler.h; NULL: it cannot be compiled as it is. */
    corm_status (*compile)(struct corm_compiler *compiler, corm_node *node);
};

/* What is owned as a whole: a metadata. */
typedef struct corm_owner {
    atomic_size_t references;
    void (*destroy)(struct corm_owner *owner);
} corm_owner;

/* TABLE and COLUMN begin with this. While owner is NULL the node counts by itself. */
typedef struct corm_shared_node {
    corm_node node;
    corm_owner *owner;
} corm_shared_node;

/* ---- counting ---- */

/* Both accept NULL. */
corm_node *corm_node_ref(corm_node *node);
void corm_node_unref(corm_node *node);

/* ---- children, names ---- */

static inline size_t corm_node_child_count(const corm_node *node) {
    return node->vtable->child_count ? node->vtable->child_count(node) : node->child_count;
}
/* Borrowed; may be NULL. */
static inline corm_node *corm_node_child(const corm_node *node, size_t index) {
    if (node->vtable->child)
        return node->vtable->child(node, index);
    return ((corm_node *const *)(const void *)((const char *)node + node->vtable->children_at))[index];
}
/* May be NULL. */
const char *corm_node_display_name(const corm_node *node);
/* The type of an expression, CORM_TYPE_NULL's when it has none. Borrowed, never NULL. */
corm_type *corm_node_type(const corm_node *node);
/* "BINARY", or an extension's own name. */
const char *corm_node_kind_name(const corm_node *node);

/* AND, OR, NOT and what has two operands: whoever walks loops along these, into the deepest child, which therefore costs
 * no depth. What is left needs at most the logarithm of the number of nodes. */
bool corm_node_is_chain(const corm_node *node);
/* The place of the child that needs the most depth, the first of equals. */
size_t corm_node_deepest(const corm_node *node);

bool corm_node_is_from(const corm_node *node);      /* TABLE, ALIAS, JOIN */
bool corm_node_is_select(const corm_node *node);    /* SELECT, COMPOUND */
bool corm_node_is_statement(const corm_node *node); /* SELECT, COMPOUND, INSERT, UPDATE, DELETE, TEXT */

/* ---- making new kinds ---- */

/* Prepare the header of memory that the caller allocated with corm_alloc(): one reference, no children. */
void corm_node_init(corm_node *node, const corm_node_vtable *vtable, corm_node_kind kind, corm_type *type);
/* Call last in a constructor: computes hash, depth and inherited flags from the children. On failure (too deep) the
 * node is let go of, and NULL returned. */
corm_node *corm_node_seal(corm_node *node);
/* Allocate `size` bytes for a node that keeps `count` children at vtable->children_at, ref the children (NULL ones
 * stay NULL) and seal it unless `open`. */
corm_node *corm_node_make(const corm_node_vtable *vtable, corm_node_kind kind, corm_operator op, corm_type *type,
                          size_t size, corm_node *const *children, size_t count, bool open);

/* ---- comparing ---- */

/* One walk that compares structurally and appends `fresh`'s BIND nodes (borrowed) to binds, in the order of
 * corm_node_collect_binds(). *out false: no match, binds' content is then undefined. */
corm_status corm_node_match(const corm_node *cached, const corm_node *fresh, corm_vector *binds,
                            bool *out) CORM_MUST_CHECK;
corm_status corm_node_collect_binds(const corm_node *node, corm_vector *binds) CORM_MUST_CHECK;
/* The same without binds; short of memory counts as unequal. */
bool corm_node_equal(const corm_node *left, const corm_node *right);

/* ---- walking and rewriting: sql/walk.h ---- */

#endif
