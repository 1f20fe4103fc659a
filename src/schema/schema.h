/*
 * Schema: MetaData, Table, Column, constraints and indexes.
 *
 * A metadata owns its tables, a table its columns and constraints. One atomic count on the metadata keeps the whole
 * graph alive: taking a reference of a table or column (also as a node) takes one of the metadata, so edges inside
 * are borrowed and nothing in it can dangle. A column counts by itself until a table takes it in; what was taken of it
 * by then becomes references of the metadata.
 *
 * Expressions that are kept inside (defaults, checks, indexes) have their columns replaced by borrowed stand-ins
 * (corm_metadata_intern()), or the graph would keep itself alive.
 *
 * Thread rule: declare from one thread at a time; afterwards it is read-only and may be used by many. Late names,
 * types and foreign keys are resolved before the first statement is compiled.
 */
#ifndef CORM_SCHEMA_SCHEMA_H
#define CORM_SCHEMA_SCHEMA_H

#include "base/hash.h"
#include "sql/expression.h"

typedef struct corm_metadata corm_metadata;
typedef struct corm_table corm_table;
typedef struct corm_column corm_column;
typedef struct corm_foreign_key corm_foreign_key;
typedef struct corm_constraint corm_constraint;
typedef struct corm_index corm_index;

/* A host's object attached to one of these, let go of with it. */
typedef struct corm_host_slot {
    void *data;
    void (*release)(void *data);
} corm_host_slot;

struct corm_metadata {
    corm_owner owner;    /* first */
    char *schema;        /* default schema of its tables, or NULL */
    corm_vector tables;  /* corm_table *, in the order of declaration */
    corm_vector removed; /* tables taken out, kept alive */
    corm_table *by_key;  /* uthash: "name" or "schema.name" */
    uint32_t declared;   /* tables ever added: their serial numbers */
    corm_host_slot host;
};

typedef enum corm_autoincrement {
    CORM_AUTOINCREMENT_AUTO = 0, /* a single integer primary key without foreign keys and defaults */
    CORM_AUTOINCREMENT_YES,
    CORM_AUTOINCREMENT_NO
} corm_autoincrement;

typedef enum corm_default_kind {
    CORM_DEFAULT_NONE = 0,
    CORM_DEFAULT_VALUE,     /* bound */
    CORM_DEFAULT_CALLABLE,  /* a hook of the host: called for each row */
    CORM_DEFAULT_EXPRESSION /* SQL, put in place of the value */
} corm_default_kind;

typedef struct corm_default {
    corm_default_kind kind;
    corm_value value; /* owned */
    void *callable;   /* given to the host's call_default(); owned by `release` */
    void (*release)(void *callable);
    corm_node *expression; /* owned */
} corm_default;

struct corm_column {
    corm_shared_node shared; /* first: a COLUMN node; the type is shared.node.type */
    char *name;              /* in SQL; NULL until it is known */
    char *key;               /* in t.c; mostly the name */
    corm_table *table;       /* borrowed; NULL until a table takes it in */
    uint32_t position;       /* in the table */
    bool primary_key;
    bool nullable;
    bool nullable_given; /* else: not a primary key */
    bool unique;
    bool index;
    bool system;
    bool quote_given, quote;
    corm_autoincrement autoincrement;
    corm_default default_value;
    corm_default on_update;
    char *server_default;           /* literal text of DEFAULT '...'; else the node, or neither */
    corm_node *server_default_node; /* owned */
    char *comment;
    corm_vector foreign_keys; /* corm_foreign_key *, owned by their constraint or by the column until attached */
    corm_node *computed;      /* GENERATED ALWAYS AS: owned, or NULL */
    bool computed_persisted;
    corm_node *sequence;    /* its next value is the default where the database has sequences: owned, or NULL */
    bool sequence_optional; /* only where the database numbers rows in no other way */
    char *identity;         /* GENERATED ... AS IDENTITY, where the database has it; or NULL */
    corm_host_slot info;
    UT_hash_handle hh; /* in table->by_key */
};

/* One column's side of a foreign key. */
struct corm_foreign_key {
    corm_column *parent;         /* borrowed; NULL until attached */
    char *target;                /* "table.column", "schema.table.column", "table" (same name); NULL when given */
    corm_column *column;         /* the target once resolved: borrowed (same metadata), see corm_foreign_key_resolve */
    corm_node *foreign;          /* a reference that keeps a target of another metadata, or NULL */
    corm_constraint *constraint; /* borrowed */
    corm_host_slot host;
};

typedef enum corm_constraint_kind {
    CORM_CONSTRAINT_PRIMARY_KEY,
    CORM_CONSTRAINT_UNIQUE,
    CORM_CONSTRAINT_CHECK,
    CORM_CONSTRAINT_FOREIGN_KEY
} corm_constraint_kind;

struct corm_constraint {
    corm_constraint_kind kind;
    char *name;               /* NULL: not named */
    corm_table *table;        /* borrowed */
    corm_vector columns;      /* corm_column *: own columns; of a foreign key: the parents */
    corm_vector foreign_keys; /* corm_foreign_key *: owned; of a foreign key */
    corm_node *check;         /* owned */
    corm_column *of_type; /* a check that stands for the column's type where the database has no such type; or NULL */
    corm_column *beside;  /* a check written beside this column, not in a line of its own; or NULL */
    char *ondelete, *onupdate, *initially, *match; /* NULL: not given */
    int deferrable;                                /* -1: not given, 0: NOT DEFERRABLE, 1 */
    bool use_alter;
    bool implicit; /* made by a column's unique=True or ForeignKey */
    corm_host_slot host;
};

struct corm_index {
    char *name; /* NULL: ix_<table>_<columns> */
    corm_table *table;
    corm_vector expressions; /* corm_node *, owned (interned): COLUMNs are borrowed as they are */
    bool unique;
    bool implicit;    /* made by a column's index=True */
    corm_node *where; /* SQLite, PostgreSQL: a partial index; owned, or NULL */
    corm_host_slot host;
};

struct corm_table {
    corm_shared_node shared; /* first: a TABLE node */
    char *name;
    char *schema;            /* or NULL */
    char *key;               /* "name" or "schema.name" */
    corm_metadata *metadata; /* borrowed */
    uint32_t serial;
    corm_vector columns;     /* corm_column *, by position */
    corm_vector replaced;    /* corm_column *: columns that others took the place of */
    corm_column *by_key;     /* uthash */
    corm_vector primary_key; /* corm_column *, in order */
    corm_vector constraints; /* corm_constraint *, in order of declaration, the primary key first */
    corm_vector indexes;     /* corm_index * */
    char *comment;
    corm_vector prefixes; /* char *: CREATE <prefix> TABLE */
    bool implicit_returning;
    bool quote_given, quote;
    bool sqlite_autoincrement, sqlite_without_rowid, sqlite_strict;
    bool removed;
    corm_host_slot host;
    corm_host_slot info;
    UT_hash_handle hh; /* in metadata->by_key */
};

/* ---- metadata ---- */

corm_status corm_metadata_new(const char *schema, corm_metadata **out);
corm_metadata *corm_metadata_ref(corm_metadata *metadata); /* both accept NULL */
void corm_metadata_unref(corm_metadata *metadata);
/* By "name" or "schema.name"; borrowed; NULL (no error set) when there is none. */
corm_table *corm_metadata_table(const corm_metadata *metadata, const char *key);
/* Take a table out; it lives on as long as the metadata, but nothing finds it. */
void corm_metadata_remove(corm_metadata *metadata, corm_table *table);
void corm_metadata_clear(corm_metadata *metadata);
/* Append the tables (borrowed) so that each comes after those it refers to, names breaking ties. Foreign keys of a
 * cycle and those with use_alter do not count: those of a cycle are appended to `skipped` (corm_constraint *; may be
 * NULL). */
corm_status corm_metadata_sorted_tables(corm_metadata *metadata, corm_vector *out, corm_vector *skipped);
/* The expression with this metadata's columns replaced by borrowed stand-ins; to be kept inside the metadata. */
corm_node *corm_metadata_intern(corm_metadata *metadata, corm_node *expression);

/* ---- tables ---- */

/* Add a table: *out is borrowed from the metadata. CORM_INVALID_REQUEST when the name is taken. schema NULL: the
 * metadata's; "": none. */
corm_status corm_table_new(corm_metadata *metadata, const char *name, const char *schema, corm_table **out);
void corm_table_unref(corm_table *table);
static inline corm_node *corm_table_node(corm_table *table) {
    return table ? &table->shared.node : NULL;
}
/* Take in a column, at the end. It must have a name. A column of the same key is replaced when `replace`, else
 * CORM_ARGUMENT_ERROR. Makes its implicit constraints and index. */
corm_status corm_table_append_column(corm_table *table, corm_column *column, bool replace);
/* By key; borrowed; NULL (no error set) when there is none. */
corm_column *corm_table_column(const corm_table *table, const char *key);
corm_column *corm_table_column_named(const corm_table *table, const char *name);
corm_status corm_table_set_comment(corm_table *table, const char *comment);
corm_status corm_table_add_prefix(corm_table *table, const char *prefix);
/* The column that the database numbers by itself, or NULL. */
corm_column *corm_table_autoincrement_column(const corm_table *table);
/* NULL when the node is not a TABLE. */
corm_table *corm_node_as_table(const corm_node *node);

/* ---- columns ---- */

/* A new column with one reference. name and type may be NULL, to come later. */
corm_status corm_column_new(const char *name, corm_type *type, corm_column **out);
corm_column *corm_column_ref(corm_column *column);
void corm_column_unref(corm_column *column);
static inline corm_node *corm_column_node(corm_column *column) {
    return column ? &column->shared.node : NULL;
}
/* Only before a table takes it in (name, key) or a statement uses it (type). */
corm_status corm_column_set_name(corm_column *column, const char *name);
corm_status corm_column_set_key(corm_column *column, const char *key);
void corm_column_set_type(corm_column *column, corm_type *type);
void corm_column_set_nullable(corm_column *column, bool nullable);
void corm_column_set_primary_key(corm_column *column, bool primary_key);
corm_status corm_column_set_server_default(corm_column *column, const char *text, corm_node *node);
corm_status corm_column_set_comment(corm_column *column, const char *comment);
corm_status corm_column_set_computed(corm_column *column, corm_node *expression, bool persisted);
/* next: of corm_sequence_next(). optional: databases that number keys in another way do so. */
corm_status corm_column_set_sequence(corm_column *column, corm_node *next, bool optional);
/* The words from GENERATED on: they are not looked at. */
corm_status corm_column_set_identity(corm_column *column, const char *words);
/* on_update false: the default. Each replaces what was there. */
corm_status corm_column_set_default_value(corm_column *column, bool on_update, const corm_value *value);
void corm_column_set_default_callable(corm_column *column, bool on_update, void *callable,
                                      void (*release)(void *callable));
corm_status corm_column_set_default_expression(corm_column *column, bool on_update, corm_node *expression);
/* A copy that no table has: for mixins and Table.to_metadata(). Foreign keys are copied as strings. */
corm_status corm_column_copy(const corm_column *column, corm_column **out);
/* NULL when the node is not a COLUMN. */
corm_column *corm_node_as_column(const corm_node *node);
static inline corm_type *corm_column_type(const corm_column *column) {
    return corm_node_type(&column->shared.node);
}

/* ---- constraints and indexes; all *out are borrowed from their table or column, out may be NULL ---- */

typedef struct corm_foreign_key_options {
    const char *name, *ondelete, *onupdate, *initially, *match; /* NULL: none */
    bool deferrable_given, deferrable;
    bool use_alter;
} corm_foreign_key_options;

/* One column refers to another, given as "table.column" or as a column; options may be NULL. */
corm_status corm_column_add_foreign_key(corm_column *column, const char *target, corm_column *target_column,
                                        const corm_foreign_key_options *options, corm_foreign_key **out);
/* Several columns together. targets: strings; target_columns: used where not NULL. */
corm_status corm_table_add_foreign_key(corm_table *table, corm_column *const *columns, const char *const *targets,
                                       corm_column *const *target_columns, size_t count,
                                       const corm_foreign_key_options *options, corm_constraint **out);
corm_status corm_table_add_unique(corm_table *table, const char *name, corm_column *const *columns, size_t count,
                                  corm_constraint **out);
/* The check is an expression (interned) or a text() node. */
corm_status corm_table_add_check(corm_table *table, const char *name, corm_node *check, corm_constraint **out);
/* Name the primary key, or give its columns (count > 0) in an order of their own. */
corm_status corm_table_set_primary_key(corm_table *table, const char *name, corm_column *const *columns, size_t count,
                                       corm_constraint **out);
/* name NULL: from table and columns. */
corm_status corm_table_add_index(corm_table *table, const char *name, corm_node *const *expressions, size_t count,
                                 bool unique, corm_index **out);
corm_status corm_index_set_where(corm_index *index, corm_node *where);
/* The given name, or ix_<table>_<columns>. Appends. */
void corm_index_name(const corm_index *index, corm_text *out);
const corm_constraint *corm_table_primary_key_constraint(const corm_table *table);

/* Find the target: CORM_NO_REFERENCED_TABLE, CORM_NO_REFERENCED_COLUMN. *out is borrowed. */
corm_status corm_foreign_key_resolve(corm_foreign_key *key, corm_column **out);
/* The table that the key refers to, found without resolving the column; NULL (no error set) when not there. */
corm_table *corm_foreign_key_table(const corm_foreign_key *key);
/* Does the key (resolved) refer to this column? Errors count as no. */
bool corm_foreign_key_refers_to(corm_foreign_key *key, const corm_column *column);

/* ---- joining along foreign keys ---- */

/* The ON condition between two FROMs (tables, aliases, joins, subqueries): a new reference. `left_subset` narrows the
 * left side when it is a join, NULL: all of it. NULL with CORM_NO_FOREIGN_KEYS or CORM_AMBIGUOUS_FOREIGN_KEYS. */
corm_node *corm_join_condition(corm_node *left, corm_node *right, corm_node *left_subset);
/* Is there at least one foreign key between them, in any direction? */
bool corm_can_join(corm_node *left, corm_node *right);

#endif
