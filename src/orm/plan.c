/*
 * From an ORM statement to a Core statement and a row plan. See plan.h.
 *
 * One rewrite replaces entities and attributes by tables and columns wherever they stand, subqueries included. Around it,
 * for a SELECT: entities in the list of columns are spread out, joins along relationships get their conditions, and
 * relationships that are loaded joined add outer joins to anonymous aliases. When such a join multiplies rows and the
 * statement has a LIMIT, the statement itself becomes a subquery first, so that the limit counts its own rows.
 */
#include "orm/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "sql/dml.h"
#include "sql/walk.h"

enum { MAX_JOINED_DEPTH = 32 };

/* ---- Core's form of expressions ---- */

static corm_node *core_select(corm_node *select);

static corm_status to_core(void *context, corm_node *node, corm_node **out) {
    (void)context;
    *out = NULL;
    corm_entity *entity = corm_node_as_entity(node);
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (entity != NULL) {
        *out = corm_node_ref(corm_entity_from(entity));
    } else if (attribute != NULL) {
        *out = corm_attribute_column(attribute);
    } else if (node->kind == CORM_NODE_SELECT && (node->flags & CORM_NODE_HAS_EXTENSION)) {
        *out = core_select(node);
    } else if (!(node->flags & CORM_NODE_HAS_EXTENSION)) {
        *out = corm_node_ref(node); /* nothing below changes */
    } else {
        return CORM_OK;
    }
    return *out == NULL ? corm_error_last()->status : CORM_OK;
}

/* ---- entities' columns ---- */

static corm_status push_node(corm_vector *list, corm_node *node) {
    corm_status status = node == NULL ? corm_error_last()->status : corm_vector_push(list, node);
    if (status != CORM_OK) {
        corm_node_unref(node);
    }
    return status;
}

/* Is the column part of the row, by options and mapping? Keys always are. */
static bool is_selected(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                        corm_attribute *attribute) {
    return attribute->primary_key ||
           !corm_lazy_defers(corm_load_options_strategy(options, path, depth, attribute, NULL));
}

/* Append an entity's columns and fill in where they are. */
static corm_status add_entity_columns(corm_plan_entity *entity, corm_node *from, const corm_load_options *options,
                                      corm_vector *columns) {
    corm_mapper *mapper = entity->mapper;
    corm_status status = CORM_OK;
    entity->steps = corm_calloc(mapper->attribute_count, sizeof *entity->steps);
    entity->key_columns = corm_calloc(mapper->primary_key_count, sizeof *entity->key_columns);
    if (entity->steps == NULL || entity->key_columns == NULL) {
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < mapper->table->columns.count && status == CORM_OK; i++) {
        corm_attribute *attribute = corm_mapper_attribute_of(mapper, mapper->table->columns.items[i]);
        if (attribute == NULL) {
            continue;
        }
        if (!is_selected(options, entity->path, entity->depth, attribute)) {
            entity->deferred = true;
            continue;
        }
        for (size_t key = 0; key < mapper->primary_key_count; key++) {
            if (mapper->primary_key[key] == attribute) {
                entity->key_columns[key] = (uint32_t)columns->count;
            }
        }
        entity->steps[entity->step_count++] = (corm_load_step){attribute, (uint32_t)columns->count, NULL};
        status = push_node(columns, corm_adapt_column(from, attribute->column));
    }
    return status;
}

static void take_types(corm_plan_entity *entity, const corm_compiled *compiled) {
    const corm_result_column *columns = corm_compiled_columns(compiled);
    for (size_t i = 0; i < entity->step_count; i++) {
        bool known = entity->steps[i].column < corm_compiled_column_count(compiled);
        entity->steps[i].type = known ? columns[entity->steps[i].column].type : NULL;
    }
    for (size_t i = 0; i < entity->joined.count; i++) {
        take_types(entity->joined.items[i], compiled);
    }
}

void corm_plan_take_types(corm_plan *plan, const corm_compiled *compiled) {
    for (size_t i = 0; i < plan->output_count; i++) {
        if (plan->entities[i] != NULL) {
            take_types(plan->entities[i], compiled);
        }
    }
}

/* What the objects of a joined entity keep for later loads. */
static corm_status take_options(const corm_plan *plan, corm_plan_entity *entity) {
    corm_vector nodes = {0};
    corm_status status =
        corm_load_options_below(plan->options, entity->path, entity->depth - 1, entity->parent, &nodes);
    if (status == CORM_OK && nodes.count > 0) {
        entity->options = corm_load_options_new((corm_node *const *)(void *)nodes.items, nodes.count);
        status = entity->options == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    corm_nodes_unref(&nodes);
    return status;
}

static corm_status entity_new(corm_plan *plan, corm_mapper *mapper, corm_plan_entity *above, corm_attribute *parent,
                              corm_plan_entity **out) {
    corm_plan_entity *entity = corm_calloc(1, sizeof *entity);
    *out = entity;
    if (entity == NULL) {
        return CORM_NO_MEMORY;
    }
    entity->mapper = mapper;
    entity->above = above;
    entity->parent = parent;
    entity->number = plan->entity_count++;
    entity->depth = above == NULL ? 0 : above->depth + 1;
    if (entity->depth > 0) {
        entity->path = corm_calloc(entity->depth, sizeof *entity->path);
        if (entity->path == NULL) {
            return CORM_NO_MEMORY;
        }
        if (above->depth > 0) {
            memcpy(entity->path, above->path, above->depth * sizeof *entity->path);
        }
        entity->path[above->depth] = parent;
        return take_options(plan, entity);
    }
    return CORM_OK;
}

static void entity_free(corm_plan_entity *entity) {
    if (entity == NULL) {
        return;
    }
    for (size_t i = 0; i < entity->joined.count; i++) {
        entity_free(entity->joined.items[i]);
    }
    corm_vector_clear(&entity->joined);
    corm_free(entity->steps);
    corm_free(entity->key_columns);
    corm_free(entity->path);
    corm_free(entity->later);
    corm_load_options_unref(entity->options);
    corm_free(entity);
}

void corm_plan_free(void *freed) {
    corm_plan *plan = freed;
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->output_count; i++) {
        if (plan->entities != NULL) {
            entity_free(plan->entities[i]);
        }
        if (plan->names != NULL) {
            corm_free(plan->names[i]);
        }
        if (plan->outputs != NULL) {
            corm_node_unref(plan->outputs[i].node);
        }
    }
    corm_free(plan->entities);
    corm_free(plan->names);
    corm_free(plan->outputs);
    corm_free(plan->columns);
    corm_node_unref(plan->core);
    corm_load_options_unref(plan->options);
    corm_free(plan);
}

/* ---- building ---- */

typedef struct plan_builder {
    corm_plan *plan;
    corm_rewrite *rewrite;
    corm_node *select;    /* Core's, as far as it is built: owned */
    corm_vector columns;  /* owned references */
    corm_vector order_by; /* owned: of joined collections */
    bool nested;          /* inside another statement: nothing is loaded eagerly there */
    bool wrapped;
    corm_node *wrapper; /* the subquery, once wrapped: owned */
    corm_vector roots;  /* by output: the FROM of a root entity, borrowed, or NULL */
} plan_builder;

static corm_status replace_select(plan_builder *build, corm_node *select) {
    corm_node_unref(build->select);
    build->select = select;
    return select == NULL ? corm_error_last()->status : CORM_OK;
}

static corm_status name_output(corm_plan *plan, size_t index, const char *name) {
    if (name != NULL) {
        plan->names[index] = corm_strdup(name);
        if (plan->names[index] == NULL) {
            return CORM_NO_MEMORY;
        }
        plan->outputs[index].name = plan->names[index];
    }
    return CORM_OK;
}

static corm_status add_output(plan_builder *build, size_t index, corm_node *node) {
    corm_plan *plan = build->plan;
    corm_entity *entity = corm_node_as_entity(node);
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_output *output = &plan->outputs[index];
    output->node = corm_node_ref(node); /* the plan outlives the statement */
    if (entity != NULL) {
        corm_status status = corm_mapper_configure(entity->mapper);
        if (status == CORM_OK) {
            status = entity_new(plan, entity->mapper, NULL, NULL, &plan->entities[index]);
        }
        output->is_object = true;
        output->mapper = entity->mapper;
        build->roots.items[index] = corm_entity_from(entity);
        if (status == CORM_OK) {
            status = name_output(plan, index, entity->name);
        }
        return status == CORM_OK
                   ? add_entity_columns(plan->entities[index], corm_entity_from(entity), plan->options, &build->columns)
                   : status;
    }
    plan->columns[index] = (uint32_t)build->columns.count;
    output->type = corm_node_type(node);
    corm_node *column = corm_rewrite_apply(build->rewrite, node);
    corm_status status = push_node(&build->columns, column);
    return status == CORM_OK && attribute != NULL ? name_output(plan, index, attribute->attribute->key) : status;
}

/* A FROM in the list of columns, or `*`: all its columns are outputs. */
static corm_status spread(corm_node *list, corm_vector *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(list) && status == CORM_OK; i++) {
        corm_node *node = corm_list_at(list, i);
        status = corm_node_is_from(node) ? corm_from_columns(node, out) : push_node(out, corm_node_ref(node));
    }
    return status;
}

static corm_status add_outputs(plan_builder *build, corm_node *list) {
    corm_plan *plan = build->plan;
    corm_vector nodes = {0};
    corm_status status = spread(list, &nodes);
    size_t count = nodes.count;
    plan->outputs = corm_calloc(count, sizeof *plan->outputs);
    plan->names = corm_calloc(count, sizeof *plan->names);
    plan->columns = corm_calloc(count, sizeof *plan->columns);
    plan->entities = corm_calloc(count, sizeof *plan->entities);
    if (status == CORM_OK &&
        (plan->outputs == NULL || plan->names == NULL || plan->columns == NULL || plan->entities == NULL)) {
        status = CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        plan->output_count = i + 1;
        status = corm_vector_push(&build->roots, NULL);
        if (status == CORM_OK) {
            status = add_output(build, i, nodes.items[i]);
        }
    }
    corm_nodes_unref(&nodes);
    return status;
}

/* ---- joins ---- */

static corm_status join(plan_builder *build, corm_node *left, corm_node *right, corm_node *on, uint16_t detail) {
    return replace_select(build, corm_select_join(build->select, left, right, on, detail));
}

/* Join along a relationship: its association table first, if it has one, under a name of its own. extra: added to the last condition. */
static corm_status join_relationship(plan_builder *build, const corm_relationship *relationship, corm_node *parent_from,
                                     corm_node *target_from, corm_node *extra, uint16_t detail) {
    corm_node *secondary = NULL, *on = NULL, *second = NULL;
    corm_status status = CORM_OK;
    if (relationship->secondary != NULL) {
        secondary = corm_alias_new(corm_table_node(relationship->secondary), NULL, 0);
        status = secondary == NULL ? corm_error_last()->status : CORM_OK;
    }
    if (status == CORM_OK) {
        status = corm_relationship_on(relationship, parent_from, secondary, target_from, &on, &second);
    }
    if (status == CORM_OK && secondary != NULL && (detail & CORM_JOIN_OUTER)) {
        /* LEFT OUTER JOIN (association JOIN target): an association without its target is no match. */
        if (extra != NULL) {
            corm_node *both = corm_and2(second, extra);
            corm_node_unref(second);
            second = both;
        }
        corm_node *inner = second == NULL ? NULL : corm_join_new(secondary, target_from, second, 0);
        status = inner == NULL ? corm_error_last()->status : join(build, parent_from, inner, on, detail);
        corm_node_unref(inner);
    } else if (status == CORM_OK) {
        corm_node **last = second != NULL ? &second : &on;
        if (extra != NULL) {
            corm_node *both = corm_and2(*last, extra);
            corm_node_unref(*last);
            *last = both;
            status = both == NULL ? corm_error_last()->status : CORM_OK;
        }
        if (status == CORM_OK) {
            status = join(build, parent_from, secondary != NULL ? secondary : target_from, on, detail);
        }
        if (status == CORM_OK && secondary != NULL) {
            status = join(build, secondary, target_from, second, detail);
        }
    }
    corm_node_unref(secondary);
    corm_node_unref(on);
    corm_node_unref(second);
    return status;
}

static corm_node *target_from(const corm_attribute_node *node, corm_entity *given) {
    corm_entity *target = given != NULL ? given : corm_attribute_node_target(node);
    return target != NULL ? corm_entity_from(target) : corm_table_node(node->attribute->relationship->target->table);
}

/* One join as the user wrote it: along a relationship, to a target, on a condition. */
static corm_status add_join(plan_builder *build, const corm_node *written) {
    corm_node *right = corm_join_right(written), *on = corm_join_on(written), *left = corm_join_left(written);
    corm_attribute_node *along = corm_node_as_attribute(right);
    corm_entity *target = NULL;
    if (along == NULL && corm_node_as_attribute(on) != NULL &&
        corm_node_as_attribute(on)->attribute->relationship != NULL) {
        along = corm_node_as_attribute(on);
        target = corm_node_as_entity(right);
        if (target == NULL) {
            return corm_error_set(CORM_ARGUMENT_ERROR, "join() along relationship %s.%s needs a mapped class as target",
                                  along->attribute->mapper->name, along->attribute->key);
        }
    }
    if (along != NULL && along->attribute->relationship == NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "Expected mapped entity or relationship in join(); %s.%s is a column",
                              along->attribute->mapper->name, along->attribute->key);
    }
    corm_status status = along != NULL ? corm_mapper_configure(along->attribute->mapper) : CORM_OK;
    if (status != CORM_OK) {
        return status;
    }
    if (along != NULL) {
        corm_node *extra = along->children[2] == NULL ? NULL : corm_rewrite_apply(build->rewrite, along->children[2]);
        if (along->children[2] != NULL && extra == NULL) {
            return corm_error_last()->status;
        }
        status = join_relationship(build, along->attribute->relationship,
                                   corm_entity_from(corm_attribute_node_entity(along)), target_from(along, target),
                                   extra, written->detail);
        corm_node_unref(extra);
        return status;
    }
    corm_node *plain_right = corm_rewrite_apply(build->rewrite, right);
    corm_node *plain_left = left == NULL ? NULL : corm_rewrite_apply(build->rewrite, left);
    corm_node *plain_on = on == NULL ? NULL : corm_rewrite_apply(build->rewrite, on);
    status = plain_right == NULL || (left != NULL && plain_left == NULL) || (on != NULL && plain_on == NULL)
                 ? corm_error_last()->status
                 : join(build, plain_left, plain_right, plain_on, written->detail);
    corm_node_unref(plain_right);
    corm_node_unref(plain_left);
    corm_node_unref(plain_on);
    return status;
}

static corm_status add_joins(plan_builder *build, corm_node *joins) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(joins) && status == CORM_OK; i++) {
        status = add_join(build, corm_list_at(joins, i));
    }
    return status;
}

/* ---- eager loading ---- */

static corm_status plan_later(plan_builder *build, corm_plan_entity *entity, corm_attribute *attribute,
                              corm_lazy strategy) {
    corm_plan_later *grown = corm_realloc_array(entity->later, entity->later_count + 1, sizeof *grown);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    entity->later = grown;
    grown[entity->later_count++] = (corm_plan_later){attribute, strategy};
    build->plan->later = true;
    return CORM_OK;
}

/* Does the path lead through this mapper already? Then a default of lazy="joined" or "selectin" goes no deeper. */
static bool recurs(const corm_plan_entity *entity, const corm_attribute *attribute) {
    size_t times = 0;
    for (size_t i = 0; i < entity->depth; i++) {
        times += entity->path[i] == attribute || entity->path[i]->relationship->inverse == attribute;
    }
    int limit = attribute->relationship->join_depth;
    if (attribute->relationship->target == attribute->mapper) {
        return limit <= 0 || times >= (size_t)limit;
    }
    return times > 0;
}

static corm_status join_eagerly(plan_builder *build, corm_plan_entity *entity, corm_node *from);

static corm_status add_order(plan_builder *build, const corm_relationship *relationship, corm_node *from);
static corm_status joined_criteria(plan_builder *build, const corm_plan_entity *entity, const corm_attribute *attribute,
                                   corm_node *from, corm_node **out);

static corm_status join_child(plan_builder *build, corm_plan_entity *entity, corm_node *from, corm_attribute *attribute,
                              bool inner) {
    const corm_relationship *relationship = attribute->relationship;
    corm_plan_entity *child = NULL;
    if (entity->depth >= MAX_JOINED_DEPTH) {
        return corm_error_set(CORM_COMPILE_ERROR, "joined loading of %s.%s is nested more than %d deep",
                              attribute->mapper->name, attribute->key, MAX_JOINED_DEPTH);
    }
    corm_node *alias = corm_alias_new(corm_table_node(relationship->target->table), NULL, 0);
    corm_status status = alias == NULL ? corm_error_last()->status
                                       : entity_new(build->plan, relationship->target, entity, attribute, &child);
    if (status == CORM_OK) {
        status = corm_vector_push(&entity->joined, child);
    }
    if (status != CORM_OK) {
        entity_free(child);
        corm_node_unref(alias);
        return status;
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        build->plan->unique = build->plan->joined_many = true;
    }
    corm_node *extra = NULL;
    status = joined_criteria(build, entity, attribute, alias, &extra);
    if (status == CORM_OK) {
        status = join_relationship(build, relationship, from, alias, extra, inner ? 0 : CORM_JOIN_OUTER);
    }
    corm_node_unref(extra);
    if (status == CORM_OK) {
        status = add_entity_columns(child, alias, build->plan->options, &build->columns);
    }
    if (status == CORM_OK && attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        status = add_order(build, relationship, alias);
    }
    if (status == CORM_OK) {
        status = join_eagerly(build, child, alias);
    }
    corm_node_unref(alias);
    return status;
}

/* The columns of contains_eager(): the entity is joined by the user. */
static corm_status take_child(plan_builder *build, corm_plan_entity *entity, corm_attribute *attribute,
                              const corm_load_option *option) {
    corm_entity *alias = option->alias == NULL ? NULL : corm_node_as_entity(option->alias);
    corm_attribute_node *last = corm_node_as_attribute(option->path.items[option->path.count - 1]);
    corm_plan_entity *child = NULL;
    corm_status status = entity_new(build->plan, attribute->relationship->target, entity, attribute, &child);
    if (status == CORM_OK) {
        status = corm_vector_push(&entity->joined, child);
    }
    if (status != CORM_OK) {
        entity_free(child);
        return status;
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        build->plan->unique = build->plan->joined_many = true;
    }
    corm_node *from = target_from(last, alias);
    status = add_entity_columns(child, from, build->plan->options, &build->columns);
    return status == CORM_OK ? join_eagerly(build, child, from) : status;
}

static corm_status join_eagerly(plan_builder *build, corm_plan_entity *entity, corm_node *from) {
    corm_mapper *mapper = entity->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_load_option *option;
        if (attribute->relationship == NULL) {
            continue;
        }
        corm_lazy strategy =
            corm_load_options_strategy(build->plan->options, entity->path, entity->depth, attribute, &option);
        if ((option == NULL || option->wildcard) && recurs(entity, attribute)) {
            continue;
        }
        if (strategy == CORM_LAZY_CONTAINS && option != NULL) {
            status = take_child(build, entity, attribute, option);
        } else if (strategy == CORM_LAZY_JOINED) {
            bool inner = option != NULL ? option->inner_join : attribute->relationship->inner_join;
            status = join_child(build, entity, from, attribute, inner && entity->depth == 0);
        } else if (strategy == CORM_LAZY_SELECTIN) {
            status = plan_later(build, entity, attribute, strategy);
        }
    }
    return status;
}

/* ---- ORDER BY of joined collections ---- */

typedef struct order_side {
    corm_mapper *target;
    corm_node *from;
} order_side;

static corm_status to_order_side(void *context, corm_node *node, corm_node **out) {
    const order_side *side = context;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_column *column = attribute != NULL ? attribute->attribute->column : corm_node_as_column(node);
    *out = NULL;
    if (column != NULL && column->table == side->target->table) {
        *out = corm_adapt_column(side->from, column);
        return *out == NULL ? corm_error_last()->status : CORM_OK;
    }
    return CORM_OK;
}

static corm_status add_order(plan_builder *build, const corm_relationship *relationship, corm_node *from) {
    order_side side = {relationship->target, from};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < relationship->order_by.count && status == CORM_OK; i++) {
        status = push_node(&build->order_by, corm_node_replace(relationship->order_by.items[i], to_order_side, &side));
    }
    return status;
}

/* The criteria that options have on a joined relationship, of the alias it is joined to: *out is a new reference or
 * NULL. */
static corm_status joined_criteria(plan_builder *build, const corm_plan_entity *entity, const corm_attribute *attribute,
                                   corm_node *from, corm_node **out) {
    corm_node *criteria = corm_load_options_criteria(build->plan->options, entity->path, entity->depth, attribute);
    order_side side = {attribute->relationship->target, from};
    *out = NULL;
    if (criteria == NULL) {
        return CORM_OK;
    }
    corm_node *moved = corm_node_replace(criteria, to_order_side, &side);
    *out = moved == NULL ? NULL : corm_rewrite_apply(build->rewrite, moved);
    corm_node_unref(moved);
    return *out == NULL ? corm_error_last()->status : CORM_OK;
}

/* ---- the limit's subquery ---- */

/* Will some collection be joined? Looked up before anything is joined. */
static bool joins_many(const plan_builder *build, const corm_plan_entity *entity) {
    for (size_t i = 0; i < entity->mapper->attribute_count; i++) {
        corm_attribute *attribute = entity->mapper->attributes[i];
        const corm_load_option *option;
        if (attribute->relationship == NULL || attribute->kind != CORM_ATTRIBUTE_COLLECTION) {
            continue;
        }
        if (corm_load_options_strategy(build->plan->options, entity->path, entity->depth, attribute, &option) ==
                CORM_LAZY_JOINED &&
            ((option != NULL && !option->wildcard) || !recurs(entity, attribute))) {
            return true;
        }
    }
    return false;
}

static bool needs_wrapping(const plan_builder *build, const corm_node *select) {
    bool many = false;
    for (size_t i = 0; i < build->plan->output_count; i++) {
        many = many || (build->plan->entities[i] != NULL && joins_many(build, build->plan->entities[i]));
    }
    return many &&
           (corm_select_part_of(select, CORM_SELECT_LIMIT) != NULL ||
            corm_select_part_of(select, CORM_SELECT_OFFSET) != NULL || (select->detail & CORM_SELECT_IS_DISTINCT));
}

static corm_status to_wrapper(void *context, corm_node *node, corm_node **out) {
    corm_node *wrapper = context;
    *out = NULL;
    if (node->kind == CORM_NODE_COLUMN || node->kind == CORM_NODE_COLUMN_OF) {
        *out = corm_from_corresponding(wrapper, node);
        if (*out == NULL) {
            return corm_error_set(CORM_COMPILE_ERROR,
                                  "ORDER BY column '%s' must be selected too, when a collection is "
                                  "loaded joined and the number of rows limited",
                                  corm_node_display_name(node) == NULL ? "" : corm_node_display_name(node));
        }
    }
    return CORM_OK;
}

/* The statement so far becomes a subquery; its columns are selected from outside, in the same order. */
static corm_status wrap(plan_builder *build) {
    corm_node *list = corm_select_part_of(build->select, CORM_SELECT_ORDER_BY);
    corm_node *inner =
        corm_select_columns_are(build->select, (corm_node *const *)(void *)build->columns.items, build->columns.count);
    corm_node *labelled = inner == NULL ? NULL : corm_select_with_style(inner, CORM_LABEL_TABLE_COLUMN);
    corm_vector outer = {0}, order = {0};
    build->wrapper = labelled == NULL ? NULL : corm_alias_new(labelled, NULL, 0);
    corm_status status = build->wrapper == NULL ? corm_error_last()->status : corm_from_columns(build->wrapper, &outer);
    for (size_t i = 0; i < corm_list_count(list) && status == CORM_OK; i++) {
        status = push_node(&order, corm_node_replace(corm_list_at(list, i), to_wrapper, build->wrapper));
    }
    corm_node_unref(inner);
    corm_node_unref(labelled);
    if (status == CORM_OK) {
        corm_label_style style = corm_select_style(build->select);
        corm_node *fresh = corm_select_new((corm_node *const *)(void *)outer.items, outer.count);
        corm_node *styled = fresh == NULL ? NULL : corm_select_with_style(fresh, style);
        corm_node_unref(fresh);
        status = replace_select(build, styled);
    }
    if (status == CORM_OK && order.count > 0) {
        status = replace_select(
            build, corm_select_order_by(build->select, (corm_node *const *)(void *)order.items, order.count));
    }
    corm_nodes_unref(&order);
    corm_nodes_unref(&build->columns);
    build->columns = outer;
    build->wrapped = true;
    for (size_t i = 0; i < build->roots.count; i++) {
        build->roots.items[i] = build->roots.items[i] == NULL ? NULL : build->wrapper;
    }
    return status;
}

/* ---- the whole ---- */

static corm_status rewrite_parts(plan_builder *build, corm_node *select) {
    static const corm_select_part parts[] = {
        CORM_SELECT_FROM,  CORM_SELECT_WHERE,  CORM_SELECT_GROUP_BY,    CORM_SELECT_HAVING,    CORM_SELECT_ORDER_BY,
        CORM_SELECT_LIMIT, CORM_SELECT_OFFSET, CORM_SELECT_DISTINCT_ON, CORM_SELECT_CORRELATE, CORM_SELECT_CTES};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == CORM_OK; i++) {
        corm_node *part = corm_select_part_of(select, parts[i]);
        if (part == NULL || !(part->flags & CORM_NODE_HAS_EXTENSION)) {
            continue;
        }
        corm_node *plain = corm_rewrite_apply(build->rewrite, part);
        status = plain == NULL ? corm_error_last()->status
                               : replace_select(build, corm_select_with_part(build->select, parts[i], plain));
        corm_node_unref(plain);
    }
    return status;
}

static corm_status read_options(corm_plan *plan, const corm_node *select) {
    corm_node *list = corm_select_part_of(select, CORM_SELECT_OPTIONS);
    if (corm_list_count(list) == 0) {
        return CORM_OK;
    }
    plan->options = corm_load_options_new(((const corm_list *)(const void *)list)->items, corm_list_count(list));
    return plan->options == NULL ? CORM_NO_MEMORY : CORM_OK;
}

/* Each option must begin at an entity that is selected. */
static corm_status check_options(const corm_plan *plan) {
    const corm_mapper *first = NULL;
    for (size_t i = 0; i < plan->output_count && first == NULL; i++) {
        first = plan->outputs[i].mapper;
    }
    for (size_t i = 0; plan->options != NULL && i < plan->options->count; i++) {
        const corm_load_option *option = corm_node_as_load_option(plan->options->options[i]);
        if (option == NULL || option->path.count == 0) {
            continue;
        }
        const corm_attribute *root = corm_node_as_attribute(option->path.items[0])->attribute;
        const corm_attribute *last = corm_node_as_attribute(option->path.items[option->path.count - 1])->attribute;
        bool found = false;
        for (size_t n = 0; n < plan->output_count && !found; n++) {
            found = plan->outputs[n].mapper == root->mapper;
        }
        if (!found && first == NULL) {
            return corm_error_set(
                CORM_ARGUMENT_ERROR,
                "Query has only expression-based entities; attribute loader option %s(%s.%s) can't be "
                "applied here.",
                corm_load_option_name(option->strategy), last->mapper->name, last->key);
        }
        if (!found) {
            return corm_error_set(CORM_ARGUMENT_ERROR,
                                  "Mapped class %s referenced in option %s(%s.%s) does not apply to any of the root "
                                  "entities in this query, e.g. %s. Please specify the full path from one of the root "
                                  "entities to the target attribute. ",
                                  root->mapper->name, corm_load_option_name(option->strategy), last->mapper->name,
                                  last->key, first->name);
        }
    }
    return CORM_OK;
}

/* A select of nothing but relationships' or joins' sources still needs its FROM: the entities asked for. */
static corm_status build_all(plan_builder *build, corm_node *select, bool legacy_labels) {
    corm_status status = read_options(build->plan, select);
    corm_node *bare = corm_select_with_part(select, CORM_SELECT_OPTIONS, NULL);
    build->select = bare == NULL ? NULL : corm_select_with_part(bare, CORM_SELECT_JOINS, NULL);
    corm_node_unref(bare);
    if (status == CORM_OK && build->select == NULL) {
        status = corm_error_last()->status;
    }
    if (status == CORM_OK && legacy_labels) {
        status = replace_select(build, corm_select_with_style(build->select, CORM_LABEL_TABLE_COLUMN));
    }
    if (status == CORM_OK) {
        status = add_outputs(build, corm_select_part_of(select, CORM_SELECT_COLUMNS));
    }
    if (status == CORM_OK && !build->nested) {
        status = check_options(build->plan);
    }
    if (status == CORM_OK) {
        status = rewrite_parts(build, select);
    }
    if (status == CORM_OK) {
        status = add_joins(build, corm_select_part_of(select, CORM_SELECT_JOINS));
    }
    if (status == CORM_OK && !build->nested && needs_wrapping(build, select)) {
        status = wrap(build);
    }
    for (size_t i = 0; i < build->plan->output_count && status == CORM_OK && !build->nested; i++) {
        if (build->plan->entities[i] != NULL) {
            status = join_eagerly(build, build->plan->entities[i], build->roots.items[i]);
        }
    }
    if (status == CORM_OK) {
        status = replace_select(build,
                                corm_select_columns_are(build->select, (corm_node *const *)(void *)build->columns.items,
                                                        build->columns.count));
    }
    if (status == CORM_OK && build->order_by.count > 0) {
        status =
            replace_select(build, corm_select_order_by(build->select, (corm_node *const *)(void *)build->order_by.items,
                                                       build->order_by.count));
    }
    return status;
}

static corm_status plan_select(corm_node *select, bool legacy_labels, bool nested, corm_plan **out, corm_node **core) {
    plan_builder build = {
        .plan = corm_calloc(1, sizeof(corm_plan)), .rewrite = corm_rewrite_new(to_core, NULL), .nested = nested};
    corm_status status =
        build.plan == NULL || build.rewrite == NULL ? CORM_NO_MEMORY : build_all(&build, select, legacy_labels);
    corm_nodes_unref(&build.columns);
    corm_nodes_unref(&build.order_by);
    corm_vector_clear(&build.roots);
    corm_node_unref(build.wrapper);
    corm_rewrite_free(build.rewrite);
    *out = NULL;
    *core = NULL;
    if (status != CORM_OK) {
        corm_node_unref(build.select);
        corm_plan_free(build.plan);
        return status;
    }
    build.plan->core = corm_node_ref(build.select);
    *out = build.plan;
    *core = build.select;
    return CORM_OK;
}

corm_status corm_plan_select(corm_node *select, bool legacy_labels, corm_plan **out, corm_node **core) {
    return plan_select(select, legacy_labels, false, out, core);
}

corm_status corm_plan_returning(corm_node *dml, corm_plan **out, corm_node **core) {
    plan_builder build = {.plan = corm_calloc(1, sizeof(corm_plan)), .rewrite = corm_rewrite_new(to_core, NULL)};
    corm_node *bare = NULL, *plain = NULL, *list = NULL;
    corm_status status = build.plan == NULL || build.rewrite == NULL
                             ? CORM_NO_MEMORY
                             : add_outputs(&build, corm_dml_part_of(dml, CORM_DML_RETURNING));
    *out = NULL;
    *core = NULL;
    if (status == CORM_OK) {
        bare = corm_dml_with_part(dml, CORM_DML_RETURNING, NULL);
        plain = bare == NULL ? NULL : corm_rewrite_apply(build.rewrite, bare);
        list = plain == NULL
                   ? NULL
                   : corm_list_new(CORM_OP_COMMA, (corm_node *const *)(void *)build.columns.items, build.columns.count);
        build.plan->core = list == NULL ? NULL : corm_dml_with_part(plain, CORM_DML_RETURNING, list);
        status = build.plan->core == NULL ? corm_error_last()->status : CORM_OK;
    }
    corm_node_unref(bare);
    corm_node_unref(plain);
    corm_node_unref(list);
    corm_nodes_unref(&build.columns);
    corm_vector_clear(&build.roots);
    corm_rewrite_free(build.rewrite);
    if (status != CORM_OK) {
        corm_plan_free(build.plan);
        return status;
    }
    *out = build.plan;
    *core = corm_node_ref(build.plan->core);
    return CORM_OK;
}

/* A SELECT inside another statement: its plan is of no use there. */
static corm_node *core_select(corm_node *select) {
    corm_plan *plan;
    corm_node *core;
    if (plan_select(select, false, true, &plan, &core) != CORM_OK) {
        return NULL;
    }
    corm_plan_free(plan);
    return core;
}

corm_node *corm_plan_core(corm_node *statement) {
    if (!(statement->flags & CORM_NODE_HAS_EXTENSION)) {
        return corm_node_ref(statement);
    }
    return statement->kind == CORM_NODE_SELECT ? core_select(statement) : corm_node_replace(statement, to_core, NULL);
}

corm_node *corm_orm_to_core(corm_node *statement, bool legacy_labels) {
    if (statement->kind != CORM_NODE_SELECT) {
        return corm_plan_core(statement);
    }
    corm_plan *plan;
    corm_node *core;
    if (corm_plan_select(statement, legacy_labels, &plan, &core) != CORM_OK) {
        return NULL;
    }
    corm_plan_free(plan);
    return core;
}
