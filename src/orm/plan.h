/*
 * The row plan of an ORM statement: what each column of the result is for. Made once when the statement is compiled, kept
 * with it in the cache; the loop over rows runs it and looks nothing up.
 */
#ifndef CORM_ORM_PLAN_H
#define CORM_ORM_PLAN_H

#include "compile/compile.h"
#include "orm/options.h"
#include "orm/query.h"

typedef struct corm_plan_entity corm_plan_entity;

/* A relationship that is loaded after the rows, for all of them at once. */
typedef struct corm_plan_later {
    corm_attribute *attribute;
    corm_lazy strategy;
} corm_plan_later;

/* An entity in a row: where its columns are. */
struct corm_plan_entity {
    corm_mapper *mapper;
    corm_load_step *steps;
    size_t step_count;
    uint32_t *key_columns; /* of the primary key, in its order */
    bool deferred;         /* some columns are not in the row */
    corm_attribute **path; /* from the root entity to this one: relationships */
    size_t depth;
    corm_attribute *parent;  /* of a joined one: the relationship of the entity above */
    corm_plan_entity *above; /* borrowed */
    corm_vector joined;      /* corm_plan_entity *, owned */
    corm_plan_later *later;
    size_t later_count;
    size_t number;              /* among all entities of the plan */
    corm_load_options *options; /* of a joined one: those that begin at it; a reference, or NULL */
};

typedef struct corm_plan {
    corm_output *outputs;
    char **names; /* owned: outputs[].name */
    size_t output_count;
    corm_plan_entity **entities; /* by output: owned; NULL for a column */
    uint32_t *columns;           /* by output: the result column of a plain one */
    corm_node *core;             /* what was compiled: a reference */
    corm_load_options *options;  /* a reference, or NULL */
    size_t entity_count;         /* all, joined ones too */
    bool unique;                 /* rows repeat their first entity */
    bool later;                  /* something is loaded after the rows */
    bool joined_many;            /* collections are filled from repeated rows */
} corm_plan;

/* Turn a SELECT with entities to Core and make its plan. *core is a new reference. */
corm_status corm_plan_select(corm_node *select, bool legacy_labels, corm_plan **out, corm_node **core);
/* The same of an INSERT, UPDATE or DELETE whose RETURNING names entities. Nothing is loaded eagerly. */
corm_status corm_plan_returning(corm_node *dml, corm_plan **out, corm_node **core);
/* The compiled statement, which lives as long as the plan, knows the types that the database has. */
void corm_plan_take_types(corm_plan *plan, const corm_compiled *compiled);
void corm_plan_free(void *plan);
/* The Core form of any statement without a plan: entities and attributes become tables and columns. */
corm_node *corm_plan_core(corm_node *statement);

#endif
