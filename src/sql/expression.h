/*
 * Expressions: columns of aliases, bound values, operators, functions, CASE, CAST, labels and text.
 *
 * Constructors follow node.h's rules: borrowed arguments, a new reference or NULL.
 */
#ifndef CORM_SQL_EXPRESSION_H
#define CORM_SQL_EXPRESSION_H

#include "sql/node.h"

/* ---- bound values ---- */

enum {
    CORM_BIND_UNIQUE = 1u << 0,    /* anonymous: named `name_1` after what it is compared with */
    CORM_BIND_EXPANDING = 1u << 1, /* a list: IN (...) */
    CORM_BIND_REQUIRED = 1u << 2,  /* has no value of its own: given when executing */
    CORM_BIND_LITERAL = 1u << 3,   /* rendered into the text (literal_execute) */
    CORM_BIND_TUPLES = 1u << 4,    /* an expanding list of tuples: item_width values each */
    CORM_BIND_COMPARED = 1u << 5   /* anonymous, named after what it is compared with */
};

/* A value known only when the statement runs; *out is borrowed until the next call, or owned. */
typedef corm_status (*corm_bind_evaluate)(void *context, corm_value *out);

typedef struct corm_bind {
    corm_node node;              /* detail: the flags above */
    char *key;                   /* bindparam's name; NULL: anonymous */
    char *hint;                  /* what an anonymous one is named after; NULL: what it is compared with */
    corm_value value;            /* owned; ABSENT: none given. Not of an expanding one */
    corm_value *items;           /* of an expanding one: owned values */
    size_t item_count;           /* in values: tuples x width */
    uint32_t item_width;         /* values of one tuple, else 1 */
    corm_bind_evaluate evaluate; /* NULL: the value above */
    void *context;
    void (*release)(void *context);
} corm_bind;

/* An anonymous bound value (copied). type NULL: the value's own. */
corm_node *corm_bind_new(const corm_value *value, corm_type *type);
/* A value compared with an expression: takes the expression's type where the value fits it. */
corm_node *corm_bind_compared(const corm_node *with, const corm_value *value);
/* bindparam(key, value): value NULL: required when executing. unique: key is only a hint. */
corm_node *corm_bind_named(const char *key, const corm_value *value, corm_type *type, bool unique);
/* A list for IN. Values are copied. width > 1: tuples, `types` then one for each place (may be NULL). */
corm_node *corm_bind_list(const corm_value *values, size_t count, uint32_t width, corm_type *type);
/* bindparam(key, expanding=True): a list that may be given when executing. values may be NULL with count 0. */
corm_node *corm_bind_list_named(const char *key, const corm_value *values, size_t count, uint32_t width,
                                corm_type *type, bool required);
/* A value that a callback gives at execution. release may be NULL; called also when construction fails. */
corm_node *corm_bind_deferred(corm_bind_evaluate evaluate, void *context, void (*release)(void *context),
                              corm_type *type, const char *hint);
/* The same bind with another value (a copy), type (NULL: keep) or flag. */
corm_node *corm_bind_with_value(const corm_node *bind, const corm_value *value);
corm_node *corm_bind_with_type(const corm_node *bind, corm_type *type);
/* The same bind without value, list and callback: equal in structure. */
corm_node *corm_bind_stripped(const corm_node *bind);
corm_node *corm_bind_with_literal(const corm_node *bind);
static inline const corm_bind *corm_node_bind(const corm_node *node) {
    return (const corm_bind *)(const void *)node;
}

/* ---- operators ---- */

typedef struct corm_binary {
    corm_node node;         /* op; detail: CORM_BINARY_... */
    corm_node *children[3]; /* left, right, escape: a BIND or LITERAL_COLUMN, may be NULL */
    char *custom;           /* spelling of CORM_OP_CUSTOM, or flags of REGEXP_MATCH */
} corm_binary;

enum { CORM_BINARY_SYMMETRIC = 1u << 0, CORM_BINARY_IS_COMPARISON = 1u << 1 };

typedef struct corm_unary {
    corm_node node;
    corm_node *children[1];
} corm_unary;

typedef struct corm_list {
    corm_node node;
    corm_node *items[]; /* node.child_count of them */
} corm_list;

/* left op right. `+` of text becomes CONCAT; EQ and NE with the NULL constant become IS and IS NOT. The result's type
 * follows the operator. */
corm_node *corm_binary_new(corm_operator op, corm_node *left, corm_node *right);
/* With escape: a character for LIKE and its kin ("" or NULL: none). */
corm_node *corm_binary_escape(corm_operator op, corm_node *left, corm_node *right, const char *escape);
/* left text right; is_comparison: gives a boolean. type NULL: left's. */
corm_node *corm_binary_custom(const char *text, corm_node *left, corm_node *right, bool is_comparison, corm_type *type);
/* value op right, as of a reflected operator: the value is named after the right side. */
corm_node *corm_binary_value_reversed(corm_operator op, const corm_value *value, corm_node *right);
/* left op value: binds the value with a fitting type; NULL values become IS NULL for EQ and NE. */
corm_node *corm_binary_value(corm_operator op, corm_node *left, const corm_value *value);
/* STARTSWITH, CONTAINS and their kin with a plain text. autoescape: escapes %, _ and the escape character in it. */
corm_node *corm_binary_text_match(corm_operator op, corm_node *left, const char *text, size_t size, const char *escape,
                                  bool autoescape);
corm_node *corm_between(corm_node *operand, corm_node *low, corm_node *high, bool symmetric);
/* operand IN right: a LIST in parentheses, an expanding BIND or a SELECT. */
corm_node *corm_in(corm_node *operand, corm_node *right);
corm_node *corm_unary_new(corm_operator op, corm_node *operand);
/* The negation: `a = b` becomes `a != b`, IN becomes NOT IN, others are wrapped in NOT. */
corm_node *corm_not(corm_node *operand);
corm_node *corm_exists(corm_node *select);
/* AND and OR drop neutral constants; one element is given back as it is; none is TRUE (AND) or FALSE (OR). */
corm_node *corm_and(corm_node *const *nodes, size_t count);
corm_node *corm_or(corm_node *const *nodes, size_t count);
corm_node *corm_and2(corm_node *left, corm_node *right);
corm_node *corm_or2(corm_node *left, corm_node *right);
/* A comma-separated list; as a tuple when in an expression. */
corm_node *corm_list_new(corm_operator op, corm_node *const *nodes, size_t count);
/* list may be NULL: a new one. */
corm_node *corm_list_append(const corm_node *list, corm_node *const *nodes, size_t count);
static inline size_t corm_list_count(const corm_node *list) {
    return list ? list->child_count : 0;
}
static inline corm_node *corm_list_at(const corm_node *list, size_t index) {
    return ((const corm_list *)(const void *)list)->items[index];
}
static inline corm_node *corm_binary_left(const corm_node *node) {
    return ((const corm_binary *)(const void *)node)->children[0];
}
static inline corm_node *corm_binary_right(const corm_node *node) {
    return ((const corm_binary *)(const void *)node)->children[1];
}

/* ---- others ---- */

typedef struct corm_column_of {
    corm_node node;
    corm_node *children[2]; /* the FROM; the column it shows (COLUMN, COLUMN_OF, LABEL, ...) */
    char *name;             /* when the column has none of its own: given by position */
} corm_column_of;

enum {                               /* what a FUNCTION is instead */
       CORM_FUNCTION_NEXT_VALUE = 1, /* of a sequence: the arguments are its schema, or none, and its name */
       CORM_FUNCTION_ARRAY,          /* ARRAY[...] */
       CORM_FUNCTION_SUBSCRIPT       /* a[b], or a[b:c] */
};

typedef struct corm_function {
    corm_node node; /* detail: CORM_FUNCTION_..., or 0 */
    char *name;     /* may be dotted: "schema.name" */
    corm_node *arguments[];
} corm_function;

typedef struct corm_case {
    corm_node node;        /* detail: 1 when there is a value */
    corm_node *children[]; /* value or NULL, else or NULL, then pairs of condition and result */
} corm_case;

typedef struct corm_named { /* LABEL, EXTRACT (the field), LITERAL_COLUMN (the text) */
    corm_node node;
    corm_node *children[1]; /* NULL in LITERAL_COLUMN */
    char *name;             /* NULL: an anonymous label */
} corm_named;

enum {                                   /* node.detail of LITERAL_COLUMN */
       CORM_LITERAL_QUOTED = 1u << 0,    /* a name: quoted as such */
       CORM_LITERAL_REFERENCE = 1u << 1, /* corm_label_reference() */
       CORM_LITERAL_EXCLUDED = 1u << 2,  /* excluded.name of ON CONFLICT */
       CORM_LITERAL_INSERTED = 1u << 3   /* VALUES(name) of ON DUPLICATE KEY UPDATE */
};

typedef struct corm_text_node {
    corm_node node;
    char *text; /* with :name for parameters, "\:" for a plain colon */
    size_t size;
    corm_node **children; /* BINDs for names, then result columns (each a LABEL or COLUMN-like with name and type) */
    uint32_t bind_count;
    uint32_t column_count;
} corm_text_node;

corm_node *corm_column_of_new(corm_node *from, corm_node *column, const char *name);
/* A function; its type is known for count, sum, min, max, coalesce, now, ... else `type` (may be NULL). */
corm_node *corm_function_new(const char *name, corm_node *const *arguments, size_t count, corm_type *type);
/* ARRAY[...], whose type is the array's. */
corm_node *corm_array_literal(corm_node *const *items, size_t count, corm_type *type);
/* An item of an array: it and an index; or a slice: and two ends. */
corm_node *corm_subscript(corm_node *const *parts, size_t count, corm_type *type);
/* The next value of a sequence; schema may be NULL. */
corm_node *corm_sequence_next(const char *schema, const char *name, corm_type *type);
/* Both lists may be NULL. */
corm_node *corm_over(corm_node *function, corm_node *partition_by, corm_node *order_by);
/* value and otherwise may be NULL. pairs: 2 x count nodes. */
corm_node *corm_case_new(corm_node *value, corm_node *const *pairs, size_t count, corm_node *otherwise);
corm_node *corm_cast(corm_node *operand, corm_type *type);
/* The same SQL with another type. */
corm_node *corm_type_coerce(corm_node *operand, corm_type *type);
corm_node *corm_extract(const char *field, corm_node *operand);
/* name NULL: anonymous (`anon_1`). */
corm_node *corm_label(corm_node *operand, const char *name);
corm_node *corm_grouping(corm_node *operand);
/* :name places become BINDs: required ones, or those of `binds` by key. Result columns may be none. */
corm_node *corm_text_new(const char *text, corm_node *const *binds, size_t bind_count, corm_node *const *columns,
                         size_t column_count);
/* The same text with some binds replaced, by key, or with other result columns. CORM_ARGUMENT_ERROR: no such name. */
corm_node *corm_text_with_binds(const corm_node *text, corm_node *const *binds, size_t count);
corm_node *corm_text_with_columns(const corm_node *text, corm_node *const *columns, size_t count);
corm_node *corm_literal_column(const char *text, corm_type *type);
/* A column known by name only: quoted, unlike literal_column. */
corm_node *corm_plain_column(const char *name, corm_type *type);
corm_node *corm_star(void);
/* A name of a selected column, for ORDER BY and GROUP BY: order_by("name"). Resolved when compiled. */
corm_node *corm_label_reference(const char *name);
/* Static nodes; a new reference that need not be let go of. */
corm_node *corm_null(void);
corm_node *corm_true(void);
corm_node *corm_false(void);
bool corm_node_is_constant(const corm_node *node, corm_operator which);
const char *corm_node_label_name(const corm_node *label); /* of LABEL; NULL when anonymous */

#endif
