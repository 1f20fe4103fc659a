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

/* A class in a statement. One per mapper for the class itself (shared); one per aliased(). */
typedef struct corm_entity {
    corm_node node;          /* EXTENSION */
    corm_mapper *mapper;     /* a reference of the registry */
    corm_node *from;         /* the mapper's table, or the ALIAS node: owned reference */
    char *name;              /* the alias' given name, or NULL */
    bool aliased;
} corm_entity;

/* An attribute of an entity: a column, or a relationship to join along or to compare. */
typedef struct corm_attribute_node {
    corm_node node;          /* EXTENSION; its type is the column's */
    corm_entity *entity;     /* owned reference */
    corm_attribute *attribute;
    corm_entity *of_type;    /* relationship.of_type(alias): where the join goes, or NULL */
    corm_node *extra;        /* relationship.and_(...): added to the ON clause, or NULL */
} corm_attribute_node;

corm_node *corm_entity_of(corm_mapper *mapper);                         /* configures the registry */
corm_node *corm_entity_aliased(corm_mapper *mapper, const char *name);  /* name may be NULL */
corm_node *corm_entity_aliased_from(corm_mapper *mapper, corm_node *from, const char *name); /* of a subquery */
corm_node *corm_attribute_node_new(corm_node *entity, corm_attribute *attribute);
corm_node *corm_attribute_node_of_type(corm_node *attribute_node, corm_node *entity);
corm_node *corm_attribute_node_and(corm_node *attribute_node, corm_node *criteria);

/* NULL when the node is something else. Borrowed. */
corm_entity *corm_node_as_entity(corm_node *node);
corm_attribute_node *corm_node_as_attribute(corm_node *node);

/* Relationship comparisons; the node is a relationship's attribute node. object NULL: "is nothing". */
corm_node *corm_relationship_equals(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_differs(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_contains(corm_node *attribute_node, corm_object *object);
corm_node *corm_relationship_exists(corm_node *attribute_node, corm_node *criterion); /* any() and has() */
/* with_parent(): rows of the relationship of this very object. */
corm_node *corm_relationship_of_parent(corm_state *state, corm_attribute *attribute);

#endif
