/*
 * INSERT, UPDATE and DELETE.
 *
 * Values are pairs of a column and an expression. An INSERT or UPDATE without any takes its columns from the keys of
 * the parameters it is executed with (corm_compile_options.column_keys).
 */
#ifndef CORM_SQL_DML_H
#define CORM_SQL_DML_H

#include "sql/select.h"

typedef enum corm_dml_part {
    CORM_DML_TABLE,
    CORM_DML_COLUMNS,   /* LIST of COLUMNs that get values */
    CORM_DML_ROWS,      /* LIST of LISTs of expressions, each as long as COLUMNS; UPDATE: one */
    CORM_DML_SELECT,    /* INSERT ... SELECT */
    CORM_DML_WHERE,     /* LIST */
    CORM_DML_RETURNING, /* LIST */
    CORM_DML_FROM,      /* LIST: reserved for extra FROMs; those of WHERE are found out */
    CORM_DML_CONFLICT,  /* ON CONFLICT: see corm_conflict_new() */
    CORM_DML_PREFIXES,  /* LIST: text after INSERT, UPDATE */
    CORM_DML_OPTIONS,   /* LIST of EXTENSIONs of the ORM */
    CORM_DML_PART_COUNT
} corm_dml_part;

typedef struct corm_dml {
    corm_node node;
    corm_node *parts[CORM_DML_PART_COUNT];
} corm_dml;

enum {                                  /* node.detail */
       CORM_DML_NO_DEFAULTS = 1u << 0,  /* INSERT ... SELECT without the columns' defaults */
       CORM_DML_MULTIPLE = 1u << 1,     /* values([...]): names are numbered, `name_m0` */
       CORM_DML_EMPTY_VALUES = 1u << 2, /* values({}): no column at all, not every column */
       CORM_DML_USER_BITS = 0xFF00u
};

corm_node *corm_insert_new(corm_node *table);
corm_node *corm_update_new(corm_node *table);
corm_node *corm_delete_new(corm_node *table);
static inline corm_node *corm_dml_part_of(const corm_node *dml, corm_dml_part part) {
    return ((const corm_dml *)(const void *)dml)->parts[part];
}

/* Each returns a new statement that differs from the given one. */
corm_node *corm_dml_with_part(const corm_node *dml, corm_dml_part part, corm_node *node); /* NULL: none */
corm_node *corm_dml_append(const corm_node *dml, corm_dml_part part, corm_node *const *nodes, size_t count);
corm_node *corm_dml_with_detail(const corm_node *dml, uint16_t clear, uint16_t set);
/* Set columns to expressions; those that are set already are replaced. Of a single row. */
corm_node *corm_dml_values(const corm_node *dml, corm_node *const *columns, corm_node *const *values, size_t count);
/* Many rows: values has rows x count nodes. */
corm_node *corm_insert_rows(const corm_node *insert, corm_node *const *columns, size_t count, corm_node *const *values,
                            size_t rows);
corm_node *corm_insert_from_select(const corm_node *insert, corm_node *const *columns, size_t count, corm_node *select);
corm_node *corm_dml_where(const corm_node *dml, corm_node *criterion);
corm_node *corm_dml_returning(const corm_node *dml, corm_node *const *nodes, size_t count);

/* ON CONFLICT (targets) [WHERE target_where] DO NOTHING, or DO UPDATE SET columns = values [WHERE where] when there are
 * columns. targets, target_where, columns, values, where are LISTs or NULL. `excluded` columns: corm_excluded(). */
corm_node *corm_conflict_new(corm_node *targets, corm_node *target_where, corm_node *columns, corm_node *values,
                             corm_node *where);
corm_node *corm_excluded(const char *name, corm_type *type);
/* ON DUPLICATE KEY UPDATE columns = values, whichever key it is; LISTs. The new row's columns: corm_inserted(). */
corm_node *corm_duplicate_key_new(corm_node *columns, corm_node *values);
corm_node *corm_inserted(const char *name, corm_type *type);

enum { CORM_CONFLICT_ANY_KEY = 1u << 0 }; /* detail of a CONFLICT: ON DUPLICATE KEY UPDATE */

typedef struct corm_conflict {
    corm_node node;
    corm_node *children[5]; /* in the order of corm_conflict_new() */
} corm_conflict;

#endif
