/*
 * Entities and attributes as expression nodes: see entity.h. They hold a reference of the registry, so that a statement
 * keeps the mappers it names.
 */
#include "orm/entity.h"

#include <string.h>

#include "base/alloc.h"
#include "compile/compiler.h"
#include "sql/select.h"
#include "sql/walk.h"

static corm_entity *as_entity(const corm_node *node) {
    return (corm_entity *)(uintptr_t)node;
}

static corm_attribute_node *as_attribute(const corm_node *node) {
    return (corm_attribute_node *)(uintptr_t)node;
}

/* ---- entities ---- */

static uint64_t entity_hash(const corm_node *node) {
    return corm_hash_mix(0xE17171, as_entity(node)->mapper->identity);
}

static bool entity_equal(const corm_node *left, const corm_node *right) {
    return as_entity(left)->mapper == as_entity(right)->mapper &&
           corm_entity_is_aliased(as_entity(left)) == corm_entity_is_aliased(as_entity(right));
}

static void entity_release(corm_node *node) {
    corm_free(as_entity(node)->name);
    corm_mapper_unref(as_entity(node)->mapper);
}

static const char *entity_name(const corm_node *node) {
    return as_entity(node)->name;
}

static corm_status entity_compile(struct corm_compiler *compiler, corm_node *node) {
    return corm_compiler_node(compiler, corm_entity_from(as_entity(node)), CORM_OP_NONE);
}

static corm_node *entity_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable entity_vtable = {.name = "entity",
                                               .children_at = offsetof(corm_entity, children),
                                               .clone = entity_clone,
                                               .hash = entity_hash,
                                               .equal = entity_equal,
                                               .release = entity_release,
                                               .display_name = entity_name,
                                               .compile = entity_compile};

static corm_node *entity_new(corm_mapper *mapper, corm_node *from, const char *name) {
    char *copy = corm_strdup(name);
    if (copy == NULL) {
        return NULL;
    }
    corm_node *node =
        corm_node_make(&entity_vtable, CORM_NODE_EXTENSION, CORM_OP_NONE, NULL, sizeof(corm_entity), &from, 1, true);
    if (node == NULL) {
        corm_free(copy);
        return NULL;
    }
    as_entity(node)->mapper = corm_mapper_ref(mapper);
    as_entity(node)->name = copy;
    node->flags |= CORM_NODE_HAS_EXTENSION;
    return corm_node_seal(node);
}

static corm_node *entity_clone(const corm_node *node, corm_node *const *children) {
    return entity_new(as_entity(node)->mapper, children[0], as_entity(node)->name);
}

corm_node *corm_entity_of(corm_mapper *mapper) {
    return corm_mapper_configure(mapper) == CORM_OK ? entity_new(mapper, NULL, mapper->name) : NULL;
}

corm_node *corm_entity_declared(corm_mapper *mapper) {
    return entity_new(mapper, NULL, mapper->name);
}

corm_node *corm_entity_aliased_from(corm_mapper *mapper, corm_node *from, const char *name) {
    if (from == NULL || corm_mapper_configure(mapper) != CORM_OK) {
        return NULL;
    }
    return entity_new(mapper, from, name == NULL ? mapper->name : name);
}

corm_node *corm_entity_aliased(corm_mapper *mapper, const char *name) {
    corm_node *alias = corm_alias_new(corm_table_node(mapper->table), name, 0);
    corm_node *entity = corm_entity_aliased_from(mapper, alias, name);
    corm_node_unref(alias);
    return entity;
}

corm_entity *corm_node_as_entity(corm_node *node) {
    return node != NULL && node->vtable == &entity_vtable ? as_entity(node) : NULL;
}

/* ---- attributes ---- */

static uint64_t attribute_hash(const corm_node *node) {
    return (uint64_t)(uintptr_t)as_attribute(node)->attribute;
}

static bool attribute_equal(const corm_node *left, const corm_node *right) {
    return as_attribute(left)->attribute == as_attribute(right)->attribute;
}

static const char *attribute_name(const corm_node *node) {
    return as_attribute(node)->attribute->key;
}

static corm_status attribute_compile(struct corm_compiler *compiler, corm_node *node) {
    corm_node *column = corm_attribute_column(as_attribute(node));
    corm_status status =
        column == NULL ? corm_error_last()->status : corm_compiler_node(compiler, column, CORM_OP_NONE);
    corm_node_unref(column);
    return status;
}

static corm_node *attribute_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable attribute_vtable = {.name = "attribute",
                                                  .children_at = offsetof(corm_attribute_node, children),
                                                  .clone = attribute_clone,
                                                  .hash = attribute_hash,
                                                  .equal = attribute_equal,
                                                  .display_name = attribute_name,
                                                  .compile = attribute_compile};

static corm_node *attribute_new(corm_attribute *attribute, corm_node *const *children) {
    if (children[0] == NULL) {
        return NULL;
    }
    corm_type *type = attribute->column == NULL ? NULL : corm_column_type(attribute->column);
    corm_node *node = corm_node_make(&attribute_vtable, CORM_NODE_EXTENSION, CORM_OP_NONE, type,
                                     sizeof(corm_attribute_node), children, 3, true);
    if (node == NULL) {
        return NULL;
    }
    as_attribute(node)->attribute = attribute;
    node->flags |= CORM_NODE_HAS_EXTENSION;
    return corm_node_seal(node);
}

static corm_node *attribute_clone(const corm_node *node, corm_node *const *children) {
    return attribute_new(as_attribute(node)->attribute, children);
}

corm_node *corm_attribute_node_new(corm_node *entity, corm_attribute *attribute) {
    corm_node *children[3] = {entity, NULL, NULL};
    return attribute_new(attribute, children);
}

static corm_node *relationship_part(corm_node *node, size_t place, corm_node *part) {
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (attribute == NULL || part == NULL) {
        return NULL;
    }
    if (attribute->attribute->relationship == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no relationship", attribute->attribute->mapper->name,
                       attribute->attribute->key);
        return NULL;
    }
    corm_node *children[3] = {attribute->children[0], attribute->children[1], attribute->children[2]};
    children[place] = part;
    return attribute_new(attribute->attribute, children);
}

corm_node *corm_attribute_node_of_type(corm_node *attribute_node, corm_node *entity) {
    return relationship_part(attribute_node, 1, entity);
}

corm_node *corm_attribute_node_and(corm_node *attribute_node, corm_node *criteria) {
    return relationship_part(attribute_node, 2, criteria);
}

corm_attribute_node *corm_node_as_attribute(corm_node *node) {
    return node != NULL && node->vtable == &attribute_vtable ? as_attribute(node) : NULL;
}

/* ---- columns and joins ---- */

corm_node *corm_adapt_column(corm_node *from, corm_column *column) {
    if (from->kind == CORM_NODE_TABLE) {
        return corm_node_ref(corm_column_node(column));
    }
    corm_node *found = corm_from_corresponding(from, corm_column_node(column));
    if (found == NULL && corm_error_last()->status != CORM_NO_MEMORY) {
        corm_error_set(CORM_INVALID_REQUEST, "column '%s.%s' is not in what stands for the table here: select it there",
                       column->table->name, column->name);
    }
    return found;
}

corm_node *corm_attribute_column(const corm_attribute_node *node) {
    corm_attribute *attribute = node->attribute;
    if (attribute->column == NULL) {
        corm_error_set(CORM_INVALID_REQUEST,
                       "relationship %s.%s is no column: join along it, or compare it with ==, any(), has() or "
                       "contains()",
                       attribute->mapper->name, attribute->key);
        return NULL;
    }
    return corm_adapt_column(corm_entity_from(corm_attribute_node_entity(node)), attribute->column);
}

/* Which FROM each table's columns belong to, when a relationship's join is rewritten. */
typedef struct join_sides {
    const corm_relationship *relationship;
    corm_node *parent, *secondary, *target;
    bool second; /* the condition between association and target */
} join_sides;

static corm_node *side_of(const join_sides *sides, const corm_column *column) {
    const corm_relationship *relationship = sides->relationship;
    const corm_table *parent = relationship->attribute->mapper->table, *target = relationship->target->table;
    if (relationship->secondary != NULL) {
        if (column->table == relationship->secondary) {
            return sides->secondary;
        }
        if (parent == target) {
            return sides->second ? sides->target : sides->parent;
        }
    } else if (parent == target && column->table == target) {
        return corm_vector_contains(&relationship->remote_side, column) ? sides->target : sides->parent;
    }
    return column->table == target ? sides->target : column->table == parent ? sides->parent : NULL;
}

static corm_status to_side(void *context, corm_node *node, corm_node **out) {
    corm_column *column = corm_node_as_column(node);
    corm_node *from = column == NULL ? NULL : side_of(context, column);
    *out = NULL;
    if (from != NULL) {
        *out = corm_adapt_column(from, column);
        return *out == NULL ? corm_error_last()->status : CORM_OK;
    }
    return CORM_OK;
}

corm_status corm_relationship_on(const corm_relationship *relationship, corm_node *parent_from,
                                 corm_node *secondary_from, corm_node *target_from, corm_node **out,
                                 corm_node **second) {
    join_sides sides = {relationship, parent_from, secondary_from, target_from, false};
    *second = NULL;
    *out = corm_node_replace(relationship->primary_join, to_side, &sides);
    if (*out != NULL && relationship->secondary != NULL) {
        sides.second = true;
        *second = corm_node_replace(relationship->secondary_join, to_side, &sides);
        if (*second == NULL) {
            corm_node_unref(*out);
            *out = NULL;
        }
    }
    return *out == NULL ? corm_error_last()->status : CORM_OK;
}
