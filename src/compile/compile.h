/*
 * Compiled statements, their parameters and the cache of them.
 *
 * A compiled statement is immutable and reference-counted; many threads may execute it at once. It knows, for every
 * parameter of its SQL, where the value comes from: a BIND of the statement it was made from (by its index in the order
 * of corm_node_collect_binds(), so that an equal statement's binds give the values), a named parameter of the
 * execution, or a column's default.
 */
#ifndef CORM_COMPILE_COMPILE_H
#define CORM_COMPILE_COMPILE_H

#include "dialect/dialect.h"
#include "schema/schema.h"
#include "sql/dml.h"

typedef struct corm_compiled corm_compiled;
typedef struct corm_statement_cache corm_statement_cache;

typedef struct corm_compile_options {
    /* INSERT and UPDATE: the columns that get values when executing, by key, beside those of the statement. NULL: not
     * said, so that a statement without values gets every column; not NULL with count 0: none. */
    const char *const *column_keys;
    size_t column_key_count;
    /* The node whose binds the executions will give (the ORM's statement); NULL: the statement itself. Binds of the
     * statement that are not in it keep the value they have now. */
    const corm_node *bind_source;
    bool literal_binds; /* values in the text: for people and DDL */
    bool for_people;    /* parameters as people write them, where that is not what the database takes */
    bool no_defaults;   /* columns' defaults are not added: the caller gives every value */
    /* An INSERT of one row gives back, beside the key, what the database puts into columns, where it can: those whose
     * type has no conversion of the host's. */
    bool return_defaults;
    bool no_returned_keys; /* nor the key: for many rows, of which nobody asks it */
} corm_compile_options;

enum { /* corm_compiled_flags() */
       CORM_COMPILED_SELECT = 1u << 0,
       CORM_COMPILED_INSERT = 1u << 1,
       CORM_COMPILED_UPDATE = 1u << 2,
       CORM_COMPILED_DELETE = 1u << 3,
       CORM_COMPILED_TEXT = 1u << 4,
       CORM_COMPILED_RETURNS_ROWS = 1u << 5, /* known; of TEXT the driver tells */
       CORM_COMPILED_CACHEABLE = 1u << 6,
       CORM_COMPILED_EXPANDING = 1u << 7,   /* the text depends on the lengths of lists */
       CORM_COMPILED_RETURNS_KEYS = 1u << 8 /* an INSERT whose one row is the key: see corm_compiled_returned_keys() */
};

/* A column of the result. */
typedef struct corm_result_column {
    const char *name;            /* the key in rows */
    corm_type *type;             /* never NULL */
    corm_convert_result convert; /* the dialect's; NULL: as it is */
    corm_node *node;             /* what was selected: COLUMN, LABEL, ... */
} corm_result_column;

/* A new reference in *out. options may be NULL. CORM_COMPILE_ERROR, CORM_UNSUPPORTED_COMPILATION and what the schema
 * gives (no such table, no join). */
corm_status corm_compile(const corm_dialect *dialect, corm_node *statement, const corm_compile_options *options,
                         corm_compiled **out);
corm_compiled *corm_compiled_ref(corm_compiled *compiled); /* both accept NULL */
void corm_compiled_unref(corm_compiled *compiled);
uint64_t corm_compiled_id(const corm_compiled *compiled); /* unique in the process */
uint32_t corm_compiled_flags(const corm_compiled *compiled);
const corm_dialect *corm_compiled_dialect(const corm_compiled *compiled);
/* The text that was asked for: of a statement without lists, what goes to the database; of one with lists, with
 * `__[POSTCOMPILE_name]` in their places. Borrowed, zero-terminated. */
const char *corm_compiled_text(const corm_compiled *compiled, size_t *size);
size_t corm_compiled_column_count(const corm_compiled *compiled);
const corm_result_column *corm_compiled_columns(const corm_compiled *compiled);
/* The bind of the n-th parameter in the text, before lists are expanded: its name for people (`name_1`). */
size_t corm_compiled_parameter_count(const corm_compiled *compiled);
const char *corm_compiled_parameter_name(const corm_compiled *compiled, size_t index);
/* The value that the statement itself has for it, borrowed; ABSENT when it has none, or it is a list. */
const corm_value *corm_compiled_parameter_value(const corm_compiled *compiled, size_t index);
const corm_bind *corm_compiled_parameter_bind(const corm_compiled *compiled, size_t index); /* NULL: by name only */
const corm_type *corm_compiled_parameter_type(const corm_compiled *compiled, size_t index);
/* Of an INSERT: its table; else NULL. */
corm_table *corm_compiled_insert_table(const corm_compiled *compiled);
/* Of an INSERT of one row whose values are all parameters: where in the text they stand, with their parentheses, so that
 * repeating it makes a statement of several rows. size 0: another statement, or its markers are not `?`. (An expression is
 * not repeated: it may look at rows that were inserted before.) */
void corm_compiled_row(const corm_compiled *compiled, size_t *at, size_t *size);
/* The columns of the primary key that only the database knows and that an INSERT gives back without being asked, where
 * the dialect says so; in the order of its row. Borrowed. */
size_t corm_compiled_returned_keys(const corm_compiled *compiled, corm_column *const **out);

/* ---- executing ---- */

typedef struct corm_named_values { /* one set of parameters: execute(statement, {...}) */
    size_t count;
    const char *const *names;
    const corm_value *values; /* HOST values are converted by type */
    /* Lists for expanding binds: lists[i] not NULL means that names[i] is a list of list_counts[i] values. */
    const corm_value *const *lists; /* may be NULL: none */
    const size_t *list_counts;
} corm_named_values;

/* An execution whose parameters are being found: what a default that is called may look at. */
typedef struct corm_default_call {
    const corm_compiled *compiled;
    const corm_vector *binds;
    const corm_named_values *values;
} corm_default_call;
/* The value of a parameter of it, borrowed, before conversion; ABSENT when it is a list, or not known yet. */
corm_status corm_default_call_value(const corm_default_call *call, size_t index, corm_value *out);

/* How the engine gets what only the host knows; set once at start-up. */
typedef struct corm_compile_host {
    /* Convert an object to a plain value fit for a type; *out is borrowed until scratch is cleared (memory from
     * corm_scratch_alloc) or owned (the caller clears it). */
    corm_status (*convert)(const corm_type *type, const corm_value *in, corm_value *out, struct corm_scratch *scratch);
    /* Call a column's default or onupdate; *out is owned. */
    corm_status (*call_default)(void *callable, const corm_default_call *call, corm_value *out);
} corm_compile_host;
void corm_compile_host_set(const corm_compile_host *host);
/* The conversion of one value: HOST values by the host, then the dialect's for the type. */
corm_status corm_convert_parameter(const corm_dialect *dialect, const corm_type *type, const corm_value *in,
                                   corm_value *out, struct corm_scratch *scratch);
/* The same for a literal: exact numbers stay exact, and truth has its own spelling. */
corm_status corm_convert_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *in,
                                 corm_value *out, struct corm_scratch *scratch);

/* Values ready for the driver, and the text for them. Use one for many executions; it keeps its memory. */
typedef struct corm_execution {
    const char *sql; /* borrowed from the compiled statement, or kept here */
    size_t sql_size;
    corm_value *values;
    size_t count;
    uint64_t shape;  /* with the compiled id: names the text in a cache of prepared statements */
    size_t capacity; /* the rest is private */
    corm_text expanded;
    struct corm_scratch scratch;
    corm_compiled *expanded_of;
    size_t *lengths;
    size_t length_count;
} corm_execution;

#define CORM_EXECUTION_EMPTY ((corm_execution){0})
/* Evaluate the parameters of one execution. binds: the fresh statement's (from the cache's find or
 * corm_node_collect_binds), values: named ones, may be NULL. CORM_STATEMENT_ERROR: a required value is missing or cannot
 * be converted. Values are valid until the next call, as long as binds and named values are. */
corm_status corm_execution_prepare(corm_execution *execution, corm_compiled *compiled, const corm_vector *binds,
                                   const corm_named_values *values);
void corm_execution_clear(corm_execution *execution);

/* ---- rendering for people ---- */

/* Append the SQL, as str(statement) shows it; dialect NULL: the default one. */
corm_status corm_statement_render(const corm_dialect *dialect, corm_node *node, bool literal_binds, corm_text *out);

/* ---- the cache ---- */

/* A bounded cache, least recently used out first; safe to use from many threads. capacity 0: 500. */
corm_status corm_statement_cache_new(size_t capacity, corm_statement_cache **out);
void corm_statement_cache_free(corm_statement_cache *cache); /* accepts NULL */
void corm_statement_cache_clear(corm_statement_cache *cache);

/* An entry: what was made of a statement. plan is opaque (the ORM's row plan), let go of with the entry. */
typedef struct corm_cached {
    atomic_uint references;
    corm_node *key;          /* the statement it was made from; a reference */
    corm_compiled *compiled; /* a reference */
    const corm_dialect *dialect;
    uint64_t options;
    void *plan;
    void (*plan_release)(void *plan);
    const uint32_t *same; /* pairs of bind places that are one bind */
    size_t same_count;
    struct corm_cached *newer, *older, *next; /* private to the cache */
    uint64_t hash;
} corm_cached;

/* One probe and one match: *out a new reference, or NULL when the statement is not there (not an error; binds then
 * holds nothing). binds gets the statement's own BINDs (borrowed from node). options: a hash of everything else that
 * the compiled form depends on (column keys, session settings). An uncacheable node is never found. */
corm_status corm_statement_cache_find(corm_statement_cache *cache, const corm_dialect *dialect, corm_node *node,
                                      uint64_t options, corm_vector *binds, corm_cached **out);
/* Put what was compiled for the node; takes over the plan (released, also on failure, when not kept). An uncacheable
 * node's entry is given back without being kept. *out a new reference. */
corm_status corm_statement_cache_put(corm_statement_cache *cache, const corm_dialect *dialect, corm_node *node,
                                     uint64_t options, corm_compiled *compiled, void *plan,
                                     void (*plan_release)(void *plan), corm_cached **out);
void corm_cached_unref(corm_cached *cached); /* accepts NULL */
/* A hash of column keys for `options`. */
uint64_t corm_column_keys_hash(const char *const *keys, size_t count);
size_t corm_statement_cache_count(corm_statement_cache *cache);
/* How many finds hit and missed, for tests and tuning. */
void corm_statement_cache_statistics(corm_statement_cache *cache, uint64_t *hits, uint64_t *misses);

#endif
