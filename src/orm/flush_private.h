/*
 * A flush under way: what flush.c (the order of events), flush_plan.c (what is written, in which order), flush_sync.c
 * (keys from parents to children), flush_batch.c (objects of one shape as a batch), flush_write.c (a step's batches) and
 * flush_pairs.c (association tables) share.
 */
#ifndef CORM_ORM_FLUSH_PRIVATE_H
#define CORM_ORM_FLUSH_PRIVATE_H

#include <string.h>

#include "base/arena.h"
#include "base/set.h"
#include "orm/attribute.h"
#include "orm/session_private.h"

enum {
    CORM_WORK_INSERT = 1u << 0,
    CORM_WORK_UPDATE = 1u << 1, /* only if a column changed */
    CORM_WORK_DELETE = 1u << 2,
    CORM_WORK_PREPARED = 1u << 3, /* its relationships were looked at */
    CORM_WORK_FETCHED = 1u << 5,  /* the INSERT gave back what the database put into columns */
    CORM_WORK_REPLACED = 1u << 4  /* a new object took over the row of a deleted one: both have been written */
};

/* One object that the flush writes. */
typedef struct corm_work {
    corm_object *object; /* retained */
    corm_state *state;
    corm_mapper *mapper; /* the state's: walks over all works need not touch the objects */
    uint32_t flags;
    uint32_t group;       /* index of its mapper in the flush */
    uint32_t level;       /* in a circle of mappers: how many rows deep it depends on others */
    uint32_t waits;       /* in a circle: rows it still waits for */
    bool key_written;     /* new_key is filled in */
    uint64_t *shape;      /* columns of its statement, a bit each, by position; lies behind the work */
    corm_value new_key[]; /* the key's values as written, owned, ABSENT until then */
} corm_work;

/* The works of one mapper. */
typedef struct corm_work_group {
    corm_mapper *mapper;
    corm_vector works; /* corm_work * */
    bool done;
} corm_work_group;

/* Works of one mapper that may be written together; steps run in order. */
typedef struct corm_work_step {
    corm_mapper *mapper;
    corm_vector works; /* corm_work * */
    int64_t missing;   /* rows to delete that were not there */
} corm_work_step;

/* A row of an association table to insert or delete. */
typedef struct corm_pair {
    corm_attribute *attribute; /* of the two sides the one with the lower address */
    corm_state *left, *right;
    UT_hash_handle hh;
    bool removed;
} corm_pair;

typedef struct corm_flush {
    corm_session *session;
    corm_connection *connection;
    corm_arena memory;      /* of the works */
    uint32_t actions;       /* CORM_WORK_INSERT ...: those that occur, or occurred */
    bool related;           /* some class has relationships */
    corm_vector works;      /* corm_work *: in the order they came */
    corm_vector by_held;    /* corm_work *, by the state's place in session->held: every work is held */
    corm_vector groups;     /* corm_work_group *, owned */
    corm_vector steps;      /* corm_work_step *, owned */
    bool waits;             /* batches may wait for their results: see flush_write.c */
    corm_vector waiting;    /* corm_waiting_batch *, owned */
    corm_vector unfinished; /* corm_work_step *: written, but for what follows from the results */
    corm_vector undeleted;  /* the same of deletes */
    corm_pair *pairs;       /* uthash, owned */
    corm_vector pair_order; /* corm_pair * */
} corm_flush;

/* ---- flush_plan.c ---- */

corm_status corm_flush_add(corm_flush *flush, corm_state *state, uint32_t action, corm_work **out);
corm_work *corm_flush_find(const corm_flush *flush, const corm_state *state); /* NULL: not in it */
/* Take in what the session holds and all that relationships add to it. */
corm_status corm_flush_collect(corm_flush *flush);
/* Order the works into steps: parents before children. CORM_CIRCULAR_DEPENDENCY. */
corm_status corm_flush_order(corm_flush *flush);
void corm_flush_clear(corm_flush *flush);

/* ---- flush_follow.c ---- */

/* Rows are written, objects not finished: relationships of a strong session's objects follow. */
corm_status corm_flush_follow(corm_flush *flush);

/* ---- flush_sync.c ---- */

/* Before an object is written: foreign keys of its many-to-one references. post: those with post_update. */
corm_status corm_sync_references(corm_flush *flush, corm_work *work, bool post, bool *changed);
/* After it was written: foreign keys of the objects in its one-to-many relationships. */
corm_status corm_sync_children(corm_flush *flush, corm_work *work, bool post);
/* A parent that is deleted, or lets go of a child: the child's foreign key becomes NULL. */
corm_status corm_sync_nullify(corm_attribute *attribute, corm_state *child);
/* Rows of association tables that come and go with this object. */
corm_status corm_sync_pairs(corm_flush *flush, corm_work *work);
/* A column's value as the database will have it: an owned plain value. */
corm_status corm_column_value(corm_state *state, corm_attribute *attribute, corm_value *out);

/* ---- shapes ---- */

static inline void corm_shape_add(corm_work *work, const corm_column *column) {
    work->shape[column->position / 64] |= (uint64_t)1 << (column->position % 64);
}

static inline bool corm_shape_has(const corm_work *work, const corm_column *column) {
    return (work->shape[column->position / 64] >> (column->position % 64)) & 1;
}

static inline size_t corm_shape_size(const corm_work *work) {
    return (work->mapper->table->columns.count + 63) / 64 * sizeof *work->shape;
}

static inline bool corm_shape_is_empty(const corm_work *work) {
    for (size_t i = 0; i < corm_shape_size(work) / sizeof *work->shape; i++) {
        if (work->shape[i] != 0) {
            return false;
        }
    }
    return true;
}

static inline bool corm_shape_same(const corm_work *left, const corm_work *right) {
    return left->shape[0] == right->shape[0] && memcmp(left->shape, right->shape, corm_shape_size(left)) == 0;
}

static inline bool corm_is_nothing(const corm_value *value) {
    return value->kind == CORM_KIND_ABSENT || value->kind == CORM_KIND_NULL;
}

/* What the values of works are, the later the more: plain ones, objects that the host converts, SQL expressions. */
typedef enum corm_values_kind { CORM_VALUES_PLAIN, CORM_VALUES_OF_HOST, CORM_VALUES_EXPRESSION } corm_values_kind;

/* ---- flush_batch.c ---- */

corm_values_kind corm_flush_values(const corm_work *work, corm_status *status);
/* One batch: `count` works of one shape. *missing, which stays where it is until the batch is settled, grows by the rows
 * that were not there. */
corm_status corm_flush_batch(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **works, size_t count,
                             corm_values_kind values, int64_t *missing);
/* Works in runs of one shape. */
corm_status corm_flush_batches(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **items,
                               size_t count);

/* Have the results of the batches that wait told; what was borrowed for them is let go of. */
corm_status corm_flush_settle_batches(corm_flush *flush);
void corm_flush_drop_batches(corm_flush *flush);

/* ---- flush_write.c ---- */

/* Have all results, and do what follows from them. */
corm_status corm_flush_settle(corm_flush *flush);

/* The connection for rows of a mapper, into flush->connection. */
corm_status corm_flush_connect(corm_flush *flush, corm_mapper *mapper);
corm_status corm_write_step(corm_flush *flush, corm_work_step *step);
corm_status corm_write_post_updates(corm_flush *flush);
corm_status corm_write_deletes(corm_flush *flush, corm_work_step *step);

/* ---- flush_pairs.c ---- */

corm_status corm_write_pairs(corm_flush *flush, bool removed);

#endif
