/* The inside of a result: execute.c makes it, rows.c reads it, selectin.c completes what it loaded. */
#ifndef CORM_ORM_RESULT_PRIVATE_H
#define CORM_ORM_RESULT_PRIVATE_H

#include "orm/loading.h"
#include "orm/plan.h"
#include "orm/session_private.h"

/* A joined collection under way: what the rows had for one parent. */
typedef struct corm_filling {
    corm_state *state;
    corm_attribute *attribute;
    corm_vector items; /* corm_object *, retained */
    UT_hash_handle hh; /* keyed by state and attribute */
} corm_filling;

struct corm_result {
    corm_session *session; /* borrowed; NULL: run on a plain connection */
    corm_cursor *cursor;   /* owned; NULL: no rows */
    corm_cached *cached;   /* a reference: keeps plan and compiled statement */
    const corm_plan *plan; /* borrowed; NULL: columns only */
    corm_output *outputs;  /* the plan's, or own_outputs */
    corm_output *own_outputs;
    char **own_names;
    size_t output_count;
    corm_execution execution;
    corm_vector binds;    /* borrowed from the statement */
    corm_node *statement; /* a reference: its binds are used */
    bool converts;        /* some column has a converter */
    corm_value *row;      /* converted values, when it converts */
    char *rooms;
    bool populate_existing;
    corm_load_options *options; /* the statement's own, when the plan's have values of another one; or NULL */
    corm_load_options **below;  /* the same by joined entity: made when first needed */
    size_t chunk;               /* rows fetched at a time; 0: all */
    size_t load_rows;           /* rows loaded at a time; 0: all */
    bool buffered;              /* all rows are read into `buffer` */
    corm_item *buffer;
    bool *buffer_objects;
    size_t buffer_count, buffer_capacity, next; /* in rows */
    corm_vector *loaded;    /* by entity number: states (objects retained) whose later loads are due */
    corm_filling *fillings; /* uthash */
    int64_t rowcount, generated_key;
    corm_value *returned_key; /* owned values, those of corm_compiled_returned_keys(); or NULL */
    size_t returned_key_count;
    corm_value *inserted_key; /* owned values */
    size_t inserted_key_count;
    bool finished;
};

/* The options that the result's objects are loaded by: the plan's, with the statement's own values. Borrowed. */
corm_load_options *corm_result_options(corm_result *result);
void corm_result_drop_returned_key(corm_result *result);
/* Append all rows of the present cursor to the buffer. */
corm_status corm_result_take_rows(corm_result *result);
/* Load what the plan loads after the rows, for the states collected so far. */
corm_status corm_load_later(corm_result *result);
/* One relationship of many states by SELECT ... IN. path: from the root of the options. */
corm_status corm_load_selectin(corm_session *session, corm_state *const *states, size_t count,
                               corm_attribute *attribute, corm_load_options *options, corm_attribute *const *path,
                               size_t depth);

#endif
