/*
 * Relationships in expressions: `Address.user == u`, contains(), any() and has(). See entity.h.
 *
 * The values of an object's key are read when the statement runs, so an object that is pending now and flushed by
 * autoflush compares by the key it gets.
 */
#include "base/alloc.h"
#include "orm/attribute.h"
#include "orm/entity.h"
#include "orm/flush_private.h"
#include "sql/select.h"
#include "sql/walk.h"

/* ---- values of an object ---- */

typedef struct key_source {
    corm_object *object; /* retained */
    corm_state *state;
    corm_attribute *attribute;
} key_source;

static corm_status evaluate_key(void *context, corm_value *out) {
    key_source *source = context;
    corm_status status = corm_attribute_load(source->state, source->attribute);
    if (status == CORM_OK) {
        status = corm_column_value(source->state, source->attribute, out);
    }
    if (status == CORM_OK && out->kind == CORM_KIND_ABSENT) {
        *out = CORM_NULL_VALUE;
    }
    return status;
}

static void release_key(void *context) {
    key_source *source = context;
    source->state->mapper->host->release(source->object);
    corm_free(source);
}

/* A parameter that is the object's value of a column. */
static corm_node *object_value(corm_state *state, corm_column *column) {
    corm_attribute *attribute = corm_mapper_attribute_of(state->mapper, column);
    if (attribute == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "an object of class %s has no column '%s.%s' to compare with",
                       state->mapper->name, column->table->name, column->name);
        return NULL;
    }
    key_source *source = corm_alloc(sizeof *source);
    if (source == NULL) {
        return NULL;
    }
    *source = (key_source){corm_state_object(state), state, attribute};
    state->mapper->host->retain(source->object);
    return corm_bind_deferred(evaluate_key, source, release_key, corm_column_type(column), "param");
}

static corm_node *and_also(corm_node *left, corm_node *right) {
    if (left == NULL) {
        return right;
    }
    corm_node *both = corm_and2(left, right);
    corm_node_unref(left);
    corm_node_unref(right);
    return both;
}

/* Each column `mine` of a pair, as `from` sees it, equals the object's value of the other one. */
static corm_node *pairs_equal(corm_node *from, corm_state *state, const corm_sync_pair *pairs, size_t count,
                              bool mine_is_source) {
    corm_node *all = NULL;
    for (size_t i = 0; i < count; i++) {
        corm_column *mine = mine_is_source ? pairs[i].source : pairs[i].destination;
        corm_column *theirs = mine_is_source ? pairs[i].destination : pairs[i].source;
        corm_node *column = corm_adapt_column(from, mine);
        corm_node *value = column == NULL ? NULL : object_value(state, theirs);
        /* As the relationship's own condition has it: what is referred to comes first. */
        corm_node *equal =
            mine_is_source ? corm_binary_new(CORM_OP_EQ, column, value) : corm_binary_new(CORM_OP_EQ, value, column);
        corm_node_unref(column);
        corm_node_unref(value);
        if (equal == NULL) {
            corm_node_unref(all);
            return NULL;
        }
        all = and_also(all, equal);
        if (all == NULL) {
            return NULL;
        }
    }
    return all;
}

static corm_node *pairs_null(corm_node *from, const corm_sync_pair *pairs, size_t count) {
    corm_node *all = NULL;
    for (size_t i = 0; i < count; i++) {
        corm_node *column = corm_adapt_column(from, pairs[i].destination);
        corm_node *null = corm_null();
        corm_node *test = corm_binary_new(CORM_OP_IS, column, null);
        corm_node_unref(column);
        corm_node_unref(null);
        if (test == NULL) {
            corm_node_unref(all);
            return NULL;
        }
        all = and_also(all, test);
        if (all == NULL) {
            return NULL;
        }
    }
    return all;
}

/* ---- comparing ---- */

static corm_attribute_node *relationship_node(corm_node *node) {
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (attribute == NULL) {
        if (node != NULL) {
            corm_error_set(CORM_ARGUMENT_ERROR, "not a relationship's attribute");
        }
        return NULL;
    }
    if (attribute->attribute->relationship == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no relationship", attribute->attribute->mapper->name,
                       attribute->attribute->key);
        return NULL;
    }
    return attribute;
}

static corm_state *state_of(const corm_attribute *attribute, corm_object *object) {
    corm_state *state = attribute->mapper->host->state_of(object);
    if (state != NULL && state->mapper != attribute->relationship->target) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s refers to objects of class %s, not of %s", attribute->mapper->name,
                       attribute->key, attribute->relationship->target->name, state->mapper->name);
        return NULL;
    }
    return state;
}

static corm_node *negated(corm_node *node) {
    corm_node *result = corm_not(node);
    corm_node_unref(node);
    return result;
}

corm_node *corm_relationship_equals(corm_node *attribute_node, corm_object *object) {
    corm_attribute_node *node = relationship_node(attribute_node);
    if (node == NULL) {
        return NULL;
    }
    corm_attribute *attribute = node->attribute;
    const corm_relationship *relationship = attribute->relationship;
    corm_node *from = corm_entity_from(corm_attribute_node_entity(node));
    bool to_one = relationship->direction == CORM_MANY_TO_ONE;
    if (object == NULL) {
        return to_one ? pairs_null(from, relationship->sync, relationship->sync_count)
                      : negated(corm_relationship_exists(attribute_node, NULL));
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        corm_error_set(CORM_INVALID_REQUEST,
                       "Can't compare a collection to an object or collection; use contains() to test for membership.");
        return NULL;
    }
    corm_state *state = state_of(attribute, object);
    if (state == NULL) {
        return NULL;
    }
    return relationship->direction == CORM_MANY_TO_MANY
               ? corm_relationship_contains(attribute_node, object)
               : pairs_equal(from, state, relationship->sync, relationship->sync_count, !to_one);
}

corm_node *corm_relationship_differs(corm_node *attribute_node, corm_object *object) {
    corm_attribute_node *node = relationship_node(attribute_node);
    if (node == NULL) {
        return NULL;
    }
    const corm_relationship *relationship = node->attribute->relationship;
    if (object == NULL) {
        return relationship->direction == CORM_MANY_TO_ONE ? negated(corm_relationship_equals(attribute_node, NULL))
                                                           : corm_relationship_exists(attribute_node, NULL);
    }
    corm_node *differs = negated(corm_relationship_equals(attribute_node, object));
    if (differs == NULL || relationship->direction != CORM_MANY_TO_ONE) {
        return differs;
    }
    /* Rows that refer to nothing differ too. */
    corm_node *null =
        pairs_null(corm_entity_from(corm_attribute_node_entity(node)), relationship->sync, relationship->sync_count);
    corm_node *either = corm_or2(differs, null);
    corm_node_unref(differs);
    corm_node_unref(null);
    return either;
}

/* ---- EXISTS ---- */

/* Columns of the target in the user's criterion are those of the alias. */
typedef struct retarget {
    corm_mapper *target;
    corm_node *from;
} retarget;

static corm_status to_alias(void *context, corm_node *node, corm_node **out) {
    const retarget *to = context;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_column *column = corm_node_as_column(node);
    *out = NULL;
    if (attribute != NULL && attribute->attribute->mapper == to->target && attribute->attribute->column != NULL &&
        !corm_entity_is_aliased(corm_attribute_node_entity(attribute))) {
        column = attribute->attribute->column;
    }
    if (column != NULL && column->table == to->target->table) {
        *out = corm_adapt_column(to->from, column);
        return *out == NULL ? corm_error_last()->status : CORM_OK;
    }
    return CORM_OK;
}

static corm_node *where(corm_node *select, corm_node *criterion) {
    corm_node *narrowed = criterion == NULL ? corm_node_ref(select) : corm_select_where(select, criterion);
    corm_node_unref(select);
    return narrowed;
}

/* The target is looked through anew, also where the enclosing statement has the same table. */
static corm_node *with_own_rows(corm_node *select, corm_node *target, corm_node *secondary) {
    corm_node *own[] = {target, secondary};
    corm_node *flagged = corm_select_with_detail(select, 0, CORM_SELECT_CORRELATE_EXCEPT);
    corm_node *result =
        flagged == NULL ? NULL : corm_select_append(flagged, CORM_SELECT_CORRELATE, own, secondary != NULL ? 2 : 1);
    corm_node_unref(flagged);
    corm_node_unref(select);
    return result;
}

corm_node *corm_relationship_exists(corm_node *attribute_node, corm_node *criterion) {
    corm_attribute_node *node = relationship_node(attribute_node);
    if (node == NULL) {
        return NULL;
    }
    const corm_relationship *relationship = node->attribute->relationship;
    corm_mapper *target = relationship->target;
    corm_entity *of_type = corm_attribute_node_target(node);
    bool self = target == node->attribute->mapper && of_type == NULL;
    corm_node *target_from = of_type != NULL ? corm_node_ref(corm_entity_from(of_type))
                             : self          ? corm_alias_new(corm_table_node(target->table), NULL, 0)
                                             : corm_node_ref(corm_table_node(target->table));
    corm_node *secondary = relationship->secondary == NULL ? NULL : corm_table_node(relationship->secondary);
    corm_node *on = NULL, *second = NULL, *one = NULL, *select = NULL, *adapted = NULL;
    if (target_from == NULL || corm_relationship_on(relationship, corm_entity_from(corm_attribute_node_entity(node)),
                                                    secondary, target_from, &on, &second) != CORM_OK) {
        goto done;
    }
    if (criterion != NULL) {
        retarget to = {target, target_from};
        adapted = self ? corm_node_replace(criterion, to_alias, &to) : corm_node_ref(criterion);
        if (adapted == NULL) {
            goto done;
        }
    }
    one = corm_literal_column("1", corm_type_of_kind(CORM_TYPE_INTEGER));
    select = corm_select_new(&one, 1);
    if (select != NULL) {
        corm_node *from = corm_select_from(select, target_from);
        corm_node_unref(select);
        select = from == NULL ? NULL : where(from, on);
    }
    if (select != NULL && second != NULL) {
        select = where(select, second);
    }
    if (select != NULL && node->children[2] != NULL) {
        select = where(select, node->children[2]);
    }
    if (select != NULL && adapted != NULL) {
        select = where(select, adapted);
    }
    if (select != NULL) {
        select = with_own_rows(select, target_from, secondary);
    }
done:
    corm_node_unref(target_from);
    corm_node_unref(on);
    corm_node_unref(second);
    corm_node_unref(one);
    corm_node_unref(adapted);
    corm_node *exists = corm_exists(select);
    corm_node_unref(select);
    return exists;
}

corm_node *corm_relationship_contains(corm_node *attribute_node, corm_object *object) {
    corm_attribute_node *node = relationship_node(attribute_node);
    corm_state *state = node == NULL ? NULL : state_of(node->attribute, object);
    if (state == NULL) {
        return NULL;
    }
    const corm_relationship *relationship = node->attribute->relationship;
    if (node->attribute->kind != CORM_ATTRIBUTE_COLLECTION && relationship->direction != CORM_MANY_TO_MANY) {
        corm_error_set(CORM_INVALID_REQUEST, "'contains' not implemented for scalar attributes.  Use ==");
        return NULL;
    }
    if (relationship->direction == CORM_ONE_TO_MANY) {
        return pairs_equal(corm_entity_from(corm_attribute_node_entity(node)), state, relationship->sync,
                           relationship->sync_count, true);
    }
    corm_node *that = pairs_equal(corm_table_node(relationship->secondary), state, relationship->secondary_sync,
                                  relationship->secondary_sync_count, false);
    corm_node *exists = that == NULL ? NULL : corm_relationship_exists(attribute_node, that);
    corm_node_unref(that);
    return exists;
}

corm_node *corm_relationship_of_parent(corm_state *state, corm_attribute *attribute) {
    const corm_relationship *relationship = attribute->relationship;
    if (relationship == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no relationship", attribute->mapper->name, attribute->key);
        return NULL;
    }
    corm_node *target = corm_table_node(relationship->target->table);
    if (relationship->secondary == NULL) {
        return pairs_equal(target, state, relationship->sync, relationship->sync_count,
                           relationship->direction == CORM_MANY_TO_ONE);
    }
    corm_node *ours = pairs_equal(corm_table_node(relationship->secondary), state, relationship->sync,
                                  relationship->sync_count, false);
    corm_node *on = NULL, *second = NULL, *both = NULL;
    if (ours != NULL &&
        corm_relationship_on(relationship, corm_table_node(attribute->mapper->table),
                             corm_table_node(relationship->secondary), target, &on, &second) == CORM_OK) {
        both = corm_and2(ours, second);
    }
    corm_node_unref(ours);
    corm_node_unref(on);
    corm_node_unref(second);
    return both;
}
