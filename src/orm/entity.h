/*
 * The ORM's own expression nodes: entities (a mapped class or an alias of one), their attributes, and what
 * relationships compare as. They stand in statements beside Core's nodes until orm/query.h turns a statement
 * into one that the compiler knows.
 *
 * All constructors give a new reference, or NULL with the error set; a NULL argument gives NULL.
 */
#ifndef CORM_ORM_ENTITY_H
#define CORM_ORM_ENTITY_H

#include "orm/mapper.h"
#include "orm/state.h"

/* A class in a statement: the class itself, or an aliased() one. Nodes of one class compare equal; aliases by place. */
typedef struct corm_entity {
    corm_node node;         /* EXTENSION */
    corm_node *children[1]; /* of an aliased one: the ALIAS, or a subquery; else NULL */
    corm_mapper *mapper;    /* a reference of the registry */
    char *name;             /* what rows call it: the class' name, or the alias' */
} corm_entity;

/* An attribute of an entity: a column, or a relationship to join along or to compare. */
typedef struct corm_attribute_node {
    corm_node node;         /* EXTENSION; its type is the column's */
    corm_node *children[3]; /* the entity; of_type()'s entity or NULL; and_()'s criteria or NULL */
    corm_attribute *attribute;
} corm_attribute_node;

static inline bool corm_entity_is_aliased(const corm_entity *entity) {
    return entity->children[0] != NULL;
}
/* What stands in the FROM clause: the alias or the mapper's table. Borrowed. */
static inline corm_node *corm_entity_from(const corm_entity *entity) {
    return entity->children[0] != NULL ? entity->children[0] : corm_table_node(entity->mapper->table);
}
static inline corm_entity *corm_attribute_node_entity(const corm_attribute_node *node) {
    return (corm_entity *)(void *)node->children[0];
}
static inline corm_entity *corm_attribute_node_target(const corm_attribute_node *node) {
    return (corm_entity *)(void *)node->children[1];
}

corm_node *corm_entity_of(corm_mapper *mapper);                        /* configures the registry */
corm_node *corm_entity_declared(corm_mapper *mapper);                  /* leaves configuring to later: class bodies */
corm_node *corm_entity_aliased(corm_mapper *mapper, const char *name); /* name may be NULL */
corm_node *corm_entity_aliased_from(corm_mapper *mapper, corm_node *from, const char *name); /* of a subquery */
corm_node *corm_attribute_node_new(corm_node *entity, corm_attribute *attribute);
corm_node *corm_attribute_node_of_type(corm_node *attribute_node, corm_node *entity);
corm_node *corm_attribute_node_and(corm_node *attribute_node, corm_node *criteria);

/* NULL when the node is something else. Borrowed. */
corm_entity *corm_node_as_entity(corm_node *node);
corm_attribute_node *corm_node_as_attribute(corm_node *node);

/* The Core column that a column's attribute stands for: a new reference. */
corm_node *corm_attribute_column(const corm_attribute_node *node);
/* A FROM's own view of a table's column: a new reference. CORM_INVALID_REQUEST when it has none. */
corm_node *corm_adapt_column(corm_node *from, corm_column *column);
/* The ON condition of a relationship between these FROMs; secondary_from: of a many-to-many. For a many-to-many two
 * conditions: `out` between parent and association, `second` between association and target (else NULL). */
corm_status corm_relationship_on(const corm_relationship *relationship, corm_node *parent_from,
                                 corm_node *secondary_from, corm_node *target_from, corm_node **out,
                                 corm_node **second);

/* Relationship comparisons; the node is a relationship's attribute node. object NULL: "is nothing". */
corm_node *corm_relationship_equals(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_differs(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_contains(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_exists(corm_node *attribute_node, corm_node *criterion); /* any() and has() */
/* with_parent(): rows of the relationship of this very object. */
corm_node *corm_relationship_of_parent(corm_state *state, corm_attribute *attribute);

#endif
