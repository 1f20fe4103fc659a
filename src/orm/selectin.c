/*
 * Loading a relationship of many objects at once by SELECT ... WHERE key IN (...). See result_private.h.
 *
 *   one-to-many    SELECT fk, target.* FROM target WHERE fk IN (keys of the parents)
 *   many-to-many   SELECT association.fk, target.* FROM target JOIN association WHERE association.fk IN (...)
 *   many-to-one    SELECT target.* FROM target WHERE key IN (those that the identity map does not have)
 *
 * In chunks, so that the number of parameters stays within what databases take. Where the join is more than one pair of
 * equal columns, each object is loaded by itself.
 */
#include "base/alloc.h"
#include "base/set.h"
#include "orm/bulk.h"
#include "orm/flush_private.h"
#include "orm/result_private.h"
#include "sql/select.h"

enum { CHUNK = 500 };

/* ---- collections and one-to-one ---- */

/* The column that holds the parent's key, and the parent's column it equals; NULL: not so simple. */
static const corm_sync_pair *parent_pair(const corm_relationship *relationship) {
    const corm_mapper *parent = relationship->attribute->mapper;
    bool simple = relationship->simple && relationship->sync_count == 1 && parent->primary_key_count == 1 &&
                  (relationship->secondary == NULL || relationship->secondary_sync_count >= 1) &&
                  relationship->direction != CORM_MANY_TO_ONE &&
                  relationship->sync[0].source == parent->primary_key[0]->column;
    return simple ? &relationship->sync[0] : NULL;
}

static corm_node *select_children(const corm_relationship *relationship, const corm_sync_pair *pair,
                                  const corm_vector *options, corm_node *criteria, const corm_value *keys,
                                  size_t count) {
    corm_node *columns[2] = {corm_column_node(pair->destination), corm_entity_of(relationship->target)};
    corm_node *select = columns[1] == NULL ? NULL : corm_select_new(columns, 2);
    corm_node_unref(columns[1]);
    if (select != NULL && relationship->secondary_join != NULL) {
        corm_node *from = corm_select_from(select, corm_table_node(relationship->target->table));
        corm_node *joined =
            from == NULL ? NULL
                         : corm_select_join(from, corm_table_node(relationship->target->table),
                                            corm_table_node(relationship->secondary), relationship->secondary_join, 0);
        corm_node_unref(from);
        corm_node_unref(select);
        select = joined;
    }
    corm_node *list = corm_bind_list(keys, count, 1, corm_column_type(pair->destination));
    corm_node *in = corm_in(corm_column_node(pair->destination), list);
    corm_node *narrowed = select == NULL ? NULL : corm_select_where(select, in);
    corm_node_unref(list);
    corm_node_unref(in);
    corm_node_unref(select);
    if (narrowed != NULL && criteria != NULL) {
        corm_node *both = corm_select_where(narrowed, criteria);
        corm_node_unref(narrowed);
        narrowed = both;
    }
    if (narrowed != NULL && relationship->order_by.count > 0) {
        corm_node *sorted = corm_select_order_by(narrowed, (corm_node *const *)(void *)relationship->order_by.items,
                                                 relationship->order_by.count);
        corm_node_unref(narrowed);
        narrowed = sorted;
    }
    if (narrowed != NULL && options->count > 0) {
        corm_node *with = corm_select_append(narrowed, CORM_SELECT_OPTIONS, (corm_node *const *)(void *)options->items,
                                             options->count);
        corm_node_unref(narrowed);
        narrowed = with;
    }
    return narrowed;
}

/* The children of each parent of a chunk, gathered by the parent's place in it. */
static corm_status gather(corm_session *session, corm_result *result, corm_state *const *states, size_t count,
                          corm_vector *children) {
    const corm_mapper *mapper = states[0]->mapper;
    const corm_host *host = mapper->host;
    corm_item items[2];
    bool has_row = true;
    corm_status status = CORM_OK;
    size_t last = 0;
    /* A collection that is joined to the children repeats their rows. */
    corm_set *seen = corm_result_needs_unique(result) ? corm_calloc(count, sizeof *seen) : NULL;
    if (seen == NULL && corm_result_needs_unique(result)) {
        return CORM_NO_MEMORY;
    }
    while (status == CORM_OK) {
        bool fresh = true;
        status = corm_result_next(result, items, &has_row);
        if (status != CORM_OK || !has_row) {
            break;
        }
        corm_state *parent = corm_identity_find(&session->identity, mapper, &items[0].value, 1);
        /* Rows often come grouped: look on from the last parent. */
        size_t place = last;
        for (size_t tried = 0; tried < count && states[place] != parent; tried++) {
            place = place + 1 == count ? 0 : place + 1;
        }
        if (items[1].object != NULL && parent != NULL && states[place] == parent) {
            last = place;
            if (seen != NULL) {
                status = corm_set_add(&seen[place], items[1].object, &fresh);
            }
            if (status == CORM_OK && fresh) {
                status = corm_vector_push(&children[place], items[1].object);
            }
            if (status == CORM_OK && fresh) {
                host->retain(items[1].object);
            }
        }
        corm_result_release_items(result, items);
    }
    for (size_t i = 0; seen != NULL && i < count; i++) {
        corm_set_clear(&seen[i]);
    }
    corm_free(seen);
    return status;
}

static corm_status store_children(corm_state *state, corm_attribute *attribute, const corm_vector *children) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    if (corm_state_change(state, attribute) != NULL) {
        return CORM_OK; /* changed meanwhile: what is there, or a lazy load, will do */
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        return host->collection_set(object, attribute, (corm_object *const *)(void *)children->items, children->count);
    }
    corm_value value = CORM_NULL_VALUE;
    if (children->count > 0) {
        value.kind = CORM_KIND_HOST;
        value.as.host = children->items[0];
    }
    return host->set(object, attribute, &value);
}

static corm_status load_chunk(corm_session *session, corm_state *const *states, size_t count, corm_attribute *attribute,
                              const corm_vector *options, corm_node *criteria) {
    const corm_relationship *relationship = attribute->relationship;
    corm_result *result = NULL;
    corm_node *select = NULL;
    corm_value *keys = corm_calloc(count, sizeof *keys);
    corm_vector *children = corm_calloc(count, sizeof *children);
    corm_status status = keys == NULL || children == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const corm_value *key;
        corm_value room;
        corm_state_key(states[i], &key, &room);
        keys[i] = key[0]; /* borrowed: the objects are held */
    }
    if (status == CORM_OK) {
        select = select_children(relationship, parent_pair(relationship), options, criteria, keys, count);
        status = select == NULL ? corm_error_last()->status
                                : corm_session_execute_plain(session, select, NULL, 0, NULL, &result);
    }
    if (status == CORM_OK) {
        status = gather(session, result, states, count, children);
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = store_children(states[i], attribute, &children[i]);
    }
    for (size_t i = 0; i < count && children != NULL; i++) {
        corm_objects_release(states[0]->mapper->host, &children[i]);
    }
    corm_result_free(result);
    corm_node_unref(select);
    corm_free(keys);
    corm_free(children);
    return status;
}

/* ---- many-to-one ---- */

static corm_status read_targets(corm_session *session, corm_mapper *target, const corm_value *keys, size_t count,
                                const corm_vector *options, corm_vector *held) {
    corm_column *column = target->primary_key[0]->column;
    corm_node *entity = corm_entity_of(target);
    corm_node *select = entity == NULL ? NULL : corm_select_new(&entity, 1);
    corm_node *list = corm_bind_list(keys, count, 1, corm_column_type(column));
    corm_node *in = corm_in(corm_column_node(column), list);
    corm_node *narrowed = select == NULL ? NULL : corm_select_where(select, in);
    corm_result *result = NULL;
    corm_item item;
    bool has_row = true;
    if (narrowed != NULL && options->count > 0) {
        corm_node *with = corm_select_append(narrowed, CORM_SELECT_OPTIONS, (corm_node *const *)(void *)options->items,
                                             options->count);
        corm_node_unref(narrowed);
        narrowed = with;
    }
    corm_status status = narrowed == NULL ? corm_error_last()->status
                                          : corm_session_execute_plain(session, narrowed, NULL, 0, NULL, &result);
    while (status == CORM_OK && has_row) {
        status = corm_result_next(result, &item, &has_row);
        if (status == CORM_OK && has_row && item.object != NULL) {
            status = corm_vector_push(held, item.object); /* kept alive until they are referred to */
            if (status != CORM_OK) {
                target->host->release(item.object);
            }
        }
    }
    corm_result_free(result);
    corm_node_unref(entity);
    corm_node_unref(select);
    corm_node_unref(list);
    corm_node_unref(in);
    corm_node_unref(narrowed);
    return status;
}

static corm_status refer(corm_session *session, corm_state *state, corm_attribute *attribute) {
    corm_object *object;
    corm_status status = corm_load_peek(session, state, attribute, &object);
    if (status != CORM_OK) {
        return status;
    }
    corm_value value = CORM_NULL_VALUE;
    if (object != NULL) {
        value.kind = CORM_KIND_HOST;
        value.as.host = object;
    }
    status = corm_state_change(state, attribute) == NULL
                 ? state->mapper->host->set(corm_state_object(state), attribute, &value)
                 : CORM_OK;
    if (object != NULL) {
        attribute->relationship->target->host->release(object);
    }
    return status;
}

static corm_status load_references(corm_session *session, corm_state *const *states, size_t count,
                                   corm_attribute *attribute, const corm_vector *options) {
    const corm_relationship *relationship = attribute->relationship;
    corm_mapper *target = relationship->target;
    corm_attribute *source = corm_mapper_attribute_of(attribute->mapper, relationship->sync[0].destination);
    corm_value *keys = corm_calloc(CHUNK, sizeof *keys);
    corm_vector held = {0};
    size_t pending = 0;
    corm_status status = keys == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        corm_value key;
        status = corm_column_value(states[i], source, &key);
        bool wanted = status == CORM_OK && key.kind != CORM_KIND_NULL && key.kind != CORM_KIND_ABSENT &&
                      corm_identity_find(&session->identity, target, &key, 1) == NULL;
        /* The same key again within the last few: not asked twice. */
        for (size_t back = pending; wanted && back > 0 && back + 8 > pending; back--) {
            wanted = !corm_value_equal(&keys[back - 1], &key);
        }
        if (wanted) {
            keys[pending++] = key;
        } else {
            corm_value_clear(&key);
        }
        if (status == CORM_OK && (pending == CHUNK || (i + 1 == count && pending > 0))) {
            status = read_targets(session, target, keys, pending, options, &held);
            while (pending > 0) {
                corm_value_clear(&keys[--pending]);
            }
        }
    }
    if (status == CORM_OK && pending > 0) {
        status = read_targets(session, target, keys, pending, options, &held);
    }
    while (pending > 0) {
        corm_value_clear(&keys[--pending]);
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = refer(session, states[i], attribute);
    }
    corm_objects_release(target->host, &held);
    corm_free(keys);
    return status;
}

/* ---- entry points ---- */

static corm_status load_each(corm_state *const *states, size_t count, corm_attribute *attribute) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_attribute_load(states[i], attribute);
    }
    return status;
}

static corm_status is_due(corm_state *state, const corm_attribute *attribute, bool *due) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    corm_value value = CORM_ABSENT_VALUE;
    corm_status status = CORM_OK;
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        *due = !host->collection_is_loaded(object, attribute);
    } else {
        status = host->get(object, attribute, &value);
        *due = value.kind == CORM_KIND_ABSENT;
    }
    *due = *due && state->session != NULL && (state->flags & CORM_STATE_IN_MAP);
    return status;
}

corm_status corm_load_selectin(corm_session *session, corm_state *const *states, size_t count,
                               corm_attribute *attribute, corm_load_options *options, corm_attribute *const *path,
                               size_t depth) {
    const corm_relationship *relationship = attribute->relationship;
    corm_vector due = {0}, below = {0};
    corm_set seen = {0};
    corm_status status = corm_load_options_below(options, path, depth, attribute, &below);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        bool wanted, added = false;
        status = is_due(states[i], attribute, &wanted);
        if (status == CORM_OK && wanted) {
            status = corm_set_add(&seen, states[i], &added);
        }
        if (status == CORM_OK && added) {
            status = corm_vector_push(&due, states[i]);
        }
    }
    corm_set_clear(&seen);
    corm_state *const *items = (corm_state *const *)(void *)due.items;
    if (status == CORM_OK && due.count > 0) {
        corm_node *criteria = corm_load_options_criteria(options, path, depth, attribute);
        if (relationship->target_key && relationship->sync_count == 1 && criteria == NULL) {
            status = load_references(session, items, due.count, attribute, &below);
        } else if (parent_pair(relationship) == NULL) {
            status = load_each(items, due.count, attribute);
        } else {
            for (size_t first = 0; first < due.count && status == CORM_OK; first += CHUNK) {
                size_t size = due.count - first < CHUNK ? due.count - first : CHUNK;
                status = load_chunk(session, items + first, size, attribute, &below, criteria);
            }
        }
    }
    corm_vector_clear(&due);
    corm_nodes_unref(&below);
    return status;
}

static corm_status load_later(corm_result *result, const corm_plan_entity *entity) {
    const corm_vector *states = &result->loaded[entity->number];
    corm_status status = CORM_OK;
    for (size_t i = 0; i < entity->later_count && status == CORM_OK; i++) {
        status =
            corm_load_selectin(result->session, (corm_state *const *)(void *)states->items, states->count,
                               entity->later[i].attribute, corm_result_options(result), entity->path, entity->depth);
    }
    for (size_t i = 0; i < entity->joined.count && status == CORM_OK; i++) {
        status = load_later(result, entity->joined.items[i]);
    }
    return status;
}

corm_status corm_load_later(corm_result *result) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < result->output_count && status == CORM_OK; i++) {
        if (result->plan->entities[i] != NULL) {
            status = load_later(result, result->plan->entities[i]);
        }
    }
    return status;
}
