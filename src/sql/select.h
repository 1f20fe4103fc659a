/*
 * SELECT, what it selects from, and compound selects.
 *
 * A SELECT is a fixed set of parts, each a node or NULL, so that copies with one part changed are cheap. Which tables
 * stand in its FROM clause, beyond those asked for, is found when it is compiled.
 */
#ifndef CORM_SQL_SELECT_H
#define CORM_SQL_SELECT_H

#include "sql/expression.h"

typedef enum corm_select_part {
    CORM_SELECT_COLUMNS,  /* LIST: expressions, FROMs (all their columns), extensions */
    CORM_SELECT_FROM,     /* LIST: select_from() */
    CORM_SELECT_JOINS,    /* LIST of JOINs whose left may be NULL: in order */
    CORM_SELECT_WHERE,    /* LIST, all of which hold */
    CORM_SELECT_GROUP_BY, /* LIST */
    CORM_SELECT_HAVING,   /* LIST */
    CORM_SELECT_ORDER_BY, /* LIST */
    CORM_SELECT_LIMIT,    /* an expression, mostly a BIND */
    CORM_SELECT_OFFSET,
    CORM_SELECT_DISTINCT_ON, /* LIST */
    CORM_SELECT_CORRELATE,   /* LIST of FROMs: only these are left to the enclosing select */
    CORM_SELECT_OPTIONS,     /* LIST of EXTENSIONs of the ORM: no SQL of their own */
    CORM_SELECT_CTES,        /* LIST: add_cte() */
    CORM_SELECT_PREFIXES,    /* LIST: text after SELECT */
    CORM_SELECT_PART_COUNT
} corm_select_part;

typedef enum corm_label_style {
    CORM_LABEL_DISAMBIGUATE = 0, /* id, id_1 */
    CORM_LABEL_TABLE_COLUMN,     /* users.id AS users_id */
    CORM_LABEL_NONE
} corm_label_style;

enum {                              /* node.detail of SELECT and COMPOUND */
       CORM_SELECT_STYLE_MASK = 3u, /* a corm_label_style */
       CORM_SELECT_IS_DISTINCT = 1u << 2,
       CORM_SELECT_FOR_UPDATE = 1u << 3,
       CORM_SELECT_FOR_UPDATE_NOWAIT = 1u << 4,
       CORM_SELECT_FOR_UPDATE_READ = 1u << 5,
       CORM_SELECT_FOR_UPDATE_SKIP = 1u << 6,
       CORM_SELECT_NO_CORRELATE = 1u << 7,     /* correlate(None) */
       CORM_SELECT_CORRELATE_EXCEPT = 1u << 8, /* CORRELATE lists what is not left out */
       CORM_SELECT_USER_BITS = 0xFE00u         /* seven bits for the ORM (populate_existing, ...) */
};

typedef struct corm_select {
    corm_node node;
    corm_node *parts[CORM_SELECT_PART_COUNT];
} corm_select;

typedef struct corm_compound {
    corm_node node;                           /* op: UNION ... */
    corm_node *parts[CORM_SELECT_PART_COUNT]; /* COLUMNS holds the LIST of selects; ORDER_BY, LIMIT, OFFSET as above */
} corm_compound;

typedef struct corm_alias {
    corm_node node;         /* detail: CORM_ALIAS_... */
    corm_node *children[1]; /* TABLE, JOIN, SELECT, COMPOUND, an EXTENSION */
    char *name;             /* NULL: anonymous: addresses_1, anon_1 */
} corm_alias;

enum { CORM_ALIAS_CTE = 1u << 0, CORM_ALIAS_RECURSIVE = 1u << 1, CORM_ALIAS_LATERAL = 1u << 2 };

typedef struct corm_join {
    corm_node node;         /* detail: CORM_JOIN_... */
    corm_node *children[3]; /* left (NULL in a SELECT's join: found out), right, ON (NULL: along foreign keys) */
} corm_join;

enum { CORM_JOIN_OUTER = 1u << 0, CORM_JOIN_FULL = 1u << 1 };

corm_node *corm_select_new(corm_node *const *columns, size_t count);
static inline corm_node *corm_select_part_of(const corm_node *select, corm_select_part part) {
    return ((const corm_select *)(const void *)select)->parts[part];
}

/* Each returns a new SELECT (or COMPOUND, where that has the part) that differs from the given one. */
corm_node *corm_select_with_part(const corm_node *select, corm_select_part part, corm_node *node); /* NULL: none */
corm_node *corm_select_append(const corm_node *select, corm_select_part part, corm_node *const *nodes, size_t count);
corm_node *corm_select_with_detail(const corm_node *select, uint16_t clear, uint16_t set);
corm_node *corm_select_with_style(const corm_node *select, corm_label_style style);
corm_node *corm_select_where(const corm_node *select, corm_node *criterion);
corm_node *corm_select_having(const corm_node *select, corm_node *criterion);
corm_node *corm_select_order_by(const corm_node *select, corm_node *const *nodes, size_t count);
corm_node *corm_select_group_by(const corm_node *select, corm_node *const *nodes, size_t count);
corm_node *corm_select_from(const corm_node *select, corm_node *from);
/* left and on may be NULL. detail: CORM_JOIN_... */
corm_node *corm_select_join(const corm_node *select, corm_node *left, corm_node *target, corm_node *on,
                            uint16_t detail);
corm_node *corm_select_limit(const corm_node *select, int64_t limit); /* negative: none */
corm_node *corm_select_offset(const corm_node *select, int64_t offset);
corm_node *corm_select_distinct(const corm_node *select);
corm_node *corm_select_columns_are(const corm_node *select, corm_node *const *nodes, size_t count);
static inline corm_label_style corm_select_style(const corm_node *select) {
    return (corm_label_style)(select->detail & CORM_SELECT_STYLE_MASK);
}

corm_node *corm_compound_new(corm_operator op, corm_node *const *selects, size_t count);
/* The parenthesised select as a value; its type is the one column's. */
corm_node *corm_scalar_subquery(corm_node *select);

/* A table, join or select under a name; name NULL: anonymous. A select becomes a subquery. */
corm_node *corm_alias_new(corm_node *from, const char *name, uint16_t detail);
/* left may be NULL in a select's list of joins; on may be NULL. */
corm_node *corm_join_new(corm_node *left, corm_node *right, corm_node *on, uint16_t detail);
static inline corm_node *corm_alias_element(const corm_node *alias) {
    return ((const corm_alias *)(const void *)alias)->children[0];
}
static inline const char *corm_alias_name(const corm_node *alias) {
    return ((const corm_alias *)(const void *)alias)->name;
}
static inline corm_node *corm_join_left(const corm_node *join) {
    return ((const corm_join *)(const void *)join)->children[0];
}
static inline corm_node *corm_join_right(const corm_node *join) {
    return ((const corm_join *)(const void *)join)->children[1];
}
static inline corm_node *corm_join_on(const corm_node *join) {
    return ((const corm_join *)(const void *)join)->children[2];
}

/* ---- columns of FROMs ---- */

/* Append a new reference for each column that a FROM has (TABLE: its COLUMNs; ALIAS: COLUMN_OFs; JOIN: both sides'), or
 * that a SELECT, COMPOUND, INSERT... RETURNING gives. The caller lets go of them, also on failure. */
corm_status corm_from_columns(const corm_node *from, corm_vector *out) CORM_MUST_CHECK;
/* The column of a FROM that goes by this name: a new reference; NULL without error when there is none. */
corm_node *corm_from_column(const corm_node *from, const char *name);
/* The alias' own view of a column of what it is an alias of (matched by identity, then by name): a new
 * reference; NULL without error when the alias does not have it. */
corm_node *corm_from_corresponding(const corm_node *from, const corm_node *column);
/* The name that a selected expression goes by in rows; NULL when it is anonymous. Borrowed. */
const char *corm_node_result_name(const corm_node *node);
void corm_nodes_unref(corm_vector *nodes); /* lets go of all and clears the vector */

#endif
