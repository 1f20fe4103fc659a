/*
 * Running statements through a session: an ORM-level statement (select of entities, attributes and columns;
 * insert, update, delete of entities; plain Core statements and text) is compiled once per shape to Core's SQL
 * and a row plan, cached by structure on the engine, run, and its rows are turned to objects.
 *
 * Cache: the key is the ORM-level node itself; a hit costs one probe and one structural comparison that also
 * collects the parameters.
 */
#ifndef CORM_ORM_QUERY_H
#define CORM_ORM_QUERY_H

#include "compile/compile.h"
#include "engine/result.h"
#include "orm/options.h"
#include "orm/session.h"

/* One item of a result row. */
typedef struct corm_output {
    bool is_object;        /* an entity: the item is a corm_object * */
    corm_mapper *mapper;   /* of an entity */
    const char *name;      /* the key in rows: borrowed from the plan */
    const corm_type *type; /* of a column */
    corm_node *node;       /* the node it was selected as: borrowed */
} corm_output;

/* One item of the present row: a column's value (borrowed until the next row) or an object (retained for the
 * receiver, NULL when an outer join found none). */
typedef union corm_item {
    corm_value value;
    corm_object *object;
} corm_item;

typedef struct corm_result corm_result;

typedef struct corm_parameters { /* named values for a statement's binds: execute(stmt, {...}) */
    size_t count;
    const char *const *names;       /* borrowed */
    const corm_value *values;       /* borrowed; HOST values are converted by type */
    const corm_value *const *lists; /* lists for expanding binds, see corm_named_values; NULL: none */
    const size_t *list_counts;
} corm_parameters;

typedef struct corm_execute_options {
    bool populate_existing;
    bool no_autoflush;
    size_t yield_per;        /* rows fetched and loaded at a time; 0: the loader decides */
    bool stream;             /* rows are fetched while they are read, where yield_per is 0 too */
    size_t most_rows;        /* then so many at a time; 0: 1000 */
    bool legacy_labels;      /* Query's "table_column" result labels in the SQL */
    int synchronize_session; /* 0: auto, 1: evaluate, 2: fetch, 3: off (False) */
} corm_execute_options;

/* Run a statement. sets: parameter sets; more than one runs a batch (executemany) and has no rows. The result
 * is open until corm_result_free(), or its last row. */
corm_status corm_session_execute(corm_session *session, corm_node *statement, const corm_parameters *sets,
                                 size_t set_count, const corm_execute_options *options, corm_result **out);
/* The same on a plain connection: entities are not allowed to load there (their columns are given). */
corm_status corm_connection_execute_node(corm_connection *connection, corm_node *statement, const corm_parameters *sets,
                                         size_t set_count, const corm_execute_options *options, corm_result **out);

/* SQL as it is, its parameters by place; sets has set_count times width values, which need to live for the call only. */
corm_status corm_connection_execute_sql(corm_connection *connection, const char *sql, size_t size,
                                        const corm_value *sets, size_t set_count, size_t width,
                                        const corm_execute_options *options, corm_result **out);

bool corm_result_returns_rows(const corm_result *result);
/* What kind of statement it was, see corm_compiled_flags(); 0 of plain SQL. */
uint32_t corm_result_statement_flags(const corm_result *result);
corm_table *corm_result_inserted_table(const corm_result *result); /* borrowed; NULL: not an INSERT */
size_t corm_result_output_count(const corm_result *result);
const corm_output *corm_result_outputs(const corm_result *result);
/* The statement loads a joined collection into its first entity: rows repeat and must be uniqued. */
bool corm_result_needs_unique(const corm_result *result);
int64_t corm_result_rowcount(const corm_result *result);
int64_t corm_result_generated_key(const corm_result *result); /* lastrowid */
/* The primary key of the row just inserted: count values, borrowed; a column's ABSENT when unknown. */
corm_status corm_result_inserted_key(const corm_result *result, const corm_value **values, size_t *count);
/* The next row; *has_row false at the end. items has output_count places. */
corm_status corm_result_next(corm_result *result, corm_item *items, bool *has_row);
/* Read all rows now, so that what happens to session and connection meanwhile does not matter. */
corm_status corm_result_buffer(corm_result *result);
/* The rows of another result of the same columns follow; the other keeps none. */
corm_status corm_result_append(corm_result *result, corm_result *other);
/* Release what the items of one row hold (values that were buffered are owned). */
void corm_result_release_items(const corm_result *result, corm_item *items);
void corm_result_close(corm_result *result); /* rows that are left are dropped */
void corm_result_free(corm_result *result);

/* The Core statement that an ORM-level one stands for, for str() and EXPLAIN; a new reference. dialect may be
 * NULL. Plain Core statements come back as they are. */
corm_node *corm_orm_to_core(corm_node *statement, bool legacy_labels);

#endif
