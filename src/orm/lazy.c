/*
 * Loading one object's missing parts: columns, relationships, an object by its key. See loading.h.
 *
 * Each is a small statement built from nodes; the cache of compiled statements makes the second one of a shape cheap.
 */
#include <string.h>

#include "base/alloc.h"
#include "orm/bulk.h"
#include "orm/flush_private.h"
#include "orm/result_private.h"
#include "sql/select.h"
#include "sql/walk.h"

/* ---- statements ---- */

/* select.where(column = value), consuming select. */
static corm_node *narrow(corm_node *select, corm_node *column, const corm_value *value, corm_type *type) {
    corm_node *bind = corm_bind_named("pk", value, type, true);
    corm_node *equal = corm_binary_new(CORM_OP_EQ, column, bind);
    corm_node *narrowed = select == NULL ? NULL : corm_select_where(select, equal);
    corm_node_unref(bind);
    corm_node_unref(equal);
    corm_node_unref(select);
    return narrowed;
}

static corm_node *with_key(corm_node *select, const corm_mapper *mapper, const corm_value *key) {
    for (size_t i = 0; i < mapper->primary_key_count && select != NULL; i++) {
        corm_column *column = mapper->primary_key[i]->column;
        select = narrow(select, corm_column_node(column), &key[i], corm_column_type(column));
    }
    return select;
}

static corm_node *select_entity(corm_mapper *mapper, const corm_load_options *options) {
    corm_node *entity = corm_entity_of(mapper);
    corm_node *select = entity == NULL ? NULL : corm_select_new(&entity, 1);
    corm_node_unref(entity);
    if (select != NULL && options != NULL && options->count > 0) {
        corm_node *with = corm_select_append(select, CORM_SELECT_OPTIONS, options->options, options->count);
        corm_node_unref(select);
        select = with;
    }
    return select;
}

/* Run a select of one entity and take its first object, held; NULL when there is none. */
static corm_status first_object(corm_session *session, corm_node *select, bool populate_existing, corm_object **out) {
    corm_result *result = NULL;
    corm_item item;
    bool has_row;
    corm_execute_options how = {.populate_existing = populate_existing};
    *out = NULL;
    corm_status status = select == NULL ? corm_error_last()->status
                                        : corm_session_execute_plain(session, select, NULL, 0, &how, &result);
    if (status == CORM_OK) {
        status = corm_result_next(result, &item, &has_row);
    }
    if (status == CORM_OK && has_row) {
        *out = item.object;
    }
    corm_result_free(result);
    corm_node_unref(select);
    return status;
}

/* ---- by key ---- */

corm_status corm_load_by_key(corm_session *session, corm_mapper *mapper, const corm_value *values, size_t count,
                             corm_load_options *options, bool populate_existing, corm_object **out) {
    (void)count;
    *out = NULL;
    return first_object(session, with_key(select_entity(mapper, options), mapper, values), populate_existing, out);
}

/* ---- columns ---- */

static corm_status gone(corm_state *state, corm_status status) {
    corm_text name = CORM_TEXT_EMPTY;
    state->mapper->host->describe(corm_state_object(state), &name);
    corm_error_set(status,
                   status == CORM_OBJECT_DELETED
                       ? "Instance '%s' has been deleted, or its row is otherwise not present."
                       : "Could not refresh instance '%s': its row is not there any more",
                   name.data == NULL ? state->mapper->name : name.data);
    corm_text_clear(&name);
    return status;
}

/* Which columns a refresh reads: those asked for, and those that are absent anyway. */
static corm_status choose_columns(corm_state *state, corm_attribute *const *wanted, size_t count, bool all,
                                  corm_vector *out) {
    const corm_mapper *mapper = state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_value value;
        bool asked = all;
        for (size_t w = 0; w < count; w++) {
            asked = asked || wanted[w] == attribute;
        }
        if (attribute->column == NULL || (!asked && corm_state_change(state, attribute) != NULL)) {
            continue;
        }
        status = mapper->host->get(corm_state_object(state), attribute, &value);
        /* Objects that go on showing their values do not mark them absent when they expire. */
        bool absent =
            value.kind == CORM_KIND_ABSENT || ((state->flags & CORM_STATE_EXPIRED) && mapper->host->restore != NULL);
        bool deferred = corm_lazy_defers(corm_load_options_strategy(state->options, NULL, 0, attribute, NULL));
        bool alone = count == 1 && wanted != NULL && wanted[0]->column != NULL &&
                     corm_lazy_defers(corm_load_options_strategy(state->options, NULL, 0, wanted[0], NULL)) &&
                     !(state->flags & CORM_STATE_EXPIRED);
        if (status == CORM_OK && (asked || (absent && !deferred && !alone))) {
            status = corm_vector_push(out, attribute);
        }
    }
    return status;
}

static corm_node *select_columns(const corm_vector *attributes) {
    corm_node **columns = corm_alloc_array(attributes->count, sizeof *columns);
    if (columns == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < attributes->count; i++) {
        columns[i] = corm_column_node(((corm_attribute *)attributes->items[i])->column);
    }
    corm_node *select = corm_select_new(columns, attributes->count);
    corm_free(columns);
    return select;
}

static corm_status store_row(corm_state *state, const corm_vector *attributes, const corm_output *outputs,
                             const corm_item *items, bool all) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < attributes->count && status == CORM_OK; i++) {
        corm_attribute *attribute = attributes->items[i];
        if (all) {
            corm_state_commit_attribute(state, attribute);
        } else if (corm_state_change(state, attribute) != NULL) {
            continue;
        }
        corm_load_step step = {attribute, 0, outputs[i].type};
        status = state->mapper->host->load_row(corm_state_object(state), &step, 1, &items[i].value);
    }
    return status;
}

static corm_status read_columns(corm_session *session, corm_state *state, const corm_vector *attributes, bool all,
                                corm_status when_gone) {
    const corm_value *key;
    corm_value room;
    corm_result *result = NULL;
    bool has_row = false;
    corm_state_key(state, &key, &room);
    corm_item *items = corm_calloc(attributes->count, sizeof *items);
    corm_node *select = items == NULL ? NULL : with_key(select_columns(attributes), state->mapper, key);
    /* The statement names columns only, and not the class. */
    corm_status status = select == NULL ? corm_error_last()->status : corm_session_choose(session, NULL, state->mapper);
    if (status == CORM_OK) {
        session->chosen = true;
        status = corm_session_execute_plain(session, select, NULL, 0, NULL, &result);
        session->chosen = false;
    }
    if (status == CORM_OK) {
        status = corm_result_next(result, items, &has_row);
    }
    if (status == CORM_OK) {
        status =
            has_row ? store_row(state, attributes, corm_result_outputs(result), items, all) : gone(state, when_gone);
    }
    corm_result_free(result);
    corm_node_unref(select);
    corm_free(items);
    return status;
}

static corm_status refresh_columns(corm_session *session, corm_state *state, corm_attribute *const *wanted,
                                   size_t count, bool all, corm_status when_gone) {
    corm_vector attributes = {0};
    corm_status status = choose_columns(state, wanted, count, all, &attributes);
    if (status == CORM_OK && attributes.count == 0) {
        status = corm_vector_push(&attributes, state->mapper->primary_key[0]);
    }
    if (status == CORM_OK) {
        status = read_columns(session, state, &attributes, all, when_gone);
    }
    corm_vector_clear(&attributes);
    if (status == CORM_OK) {
        state->flags &= ~(uint32_t)CORM_STATE_EXPIRED;
        if (state->mapper->listening & CORM_EVENT_REFRESH) {
            status = state->mapper->host->event(CORM_EVENT_REFRESH, session, session->connection, state);
        }
    }
    return status;
}

corm_status corm_load_columns(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                              size_t count) {
    for (size_t i = 0; i < count && state->options != NULL && !(state->flags & CORM_STATE_EXPIRED); i++) {
        if (corm_load_options_strategy(state->options, NULL, 0, attributes[i], NULL) == CORM_LAZY_DEFER_RAISE) {
            return corm_error_set(CORM_INVALID_REQUEST, "'%s.%s' is not available due to raiseload=True",
                                  attributes[i]->mapper->name, attributes[i]->key);
        }
    }
    return refresh_columns(session, state, attributes, count, false, CORM_OBJECT_DELETED);
}

corm_status corm_load_expired(corm_session *session, corm_state *state) {
    return refresh_columns(session, state, NULL, 0, false, CORM_OBJECT_DELETED);
}

corm_status corm_load_refresh(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                              size_t count) {
    corm_vector columns = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        if (attributes[i]->column != NULL) {
            status = corm_vector_push(&columns, attributes[i]);
        }
    }
    if (status == CORM_OK) {
        status = refresh_columns(session, state, (corm_attribute *const *)(void *)columns.items, columns.count,
                                 attributes == NULL, CORM_INVALID_REQUEST);
    }
    corm_vector_clear(&columns);
    /* Relationships that are loaded eagerly, or named, come along. */
    for (size_t i = 0; i < state->mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = state->mapper->attributes[i];
        bool named = false;
        for (size_t n = 0; n < count; n++) {
            named = named || attributes[n] == attribute;
        }
        corm_lazy lazy = attribute->relationship == NULL
                             ? CORM_LAZY_SELECT
                             : corm_load_options_strategy(state->options, NULL, 0, attribute, NULL);
        bool eager = attributes == NULL && (lazy == CORM_LAZY_JOINED || lazy == CORM_LAZY_SELECTIN);
        if (attribute->relationship != NULL && (named || eager)) {
            corm_state_commit_attribute(state, attribute);
            status = state->mapper->host->set(corm_state_object(state), attribute, &CORM_ABSENT_VALUE);
            if (status == CORM_OK) {
                status = corm_load_relationship(session, state, attribute);
            }
        }
    }
    return status;
}

/* ---- many-to-one by key ---- */

/* The foreign key's values; *complete false: some are NULL or not there. Owned values. */
static corm_status foreign_key(corm_state *state, const corm_relationship *relationship, bool load, corm_value *key,
                               bool *complete) {
    corm_status status = CORM_OK;
    *complete = true;
    for (size_t i = 0; i < relationship->sync_count && status == CORM_OK; i++) {
        corm_attribute *attribute = corm_mapper_attribute_of(state->mapper, relationship->sync[i].destination);
        if (load) {
            status = corm_attribute_load(state, attribute);
        }
        if (status == CORM_OK) {
            status = corm_column_value(state, attribute, &key[i]);
        }
        *complete = *complete && key[i].kind != CORM_KIND_NULL && key[i].kind != CORM_KIND_ABSENT;
    }
    return status;
}

static void clear_values(corm_value *values, size_t count) {
    for (size_t i = 0; values != NULL && i < count; i++) {
        corm_value_clear(&values[i]);
    }
    corm_free(values);
}

/* The committed foreign key decides: what a flush has not written yet says nothing of the database. */
corm_status corm_load_peek(corm_session *session, corm_state *state, corm_attribute *attribute, corm_object **out) {
    const corm_relationship *relationship = attribute->relationship;
    bool complete;
    *out = NULL;
    if (!relationship->target_key) {
        return CORM_OK;
    }
    corm_value *key = corm_calloc(relationship->sync_count, sizeof *key);
    if (key == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = foreign_key(state, relationship, false, key, &complete);
    if (status == CORM_OK && complete) {
        corm_state *known = corm_identity_find(&session->identity, relationship->target, key, relationship->sync_count);
        if (known != NULL && known->mapper->host->try_hold(known)) {
            *out = corm_state_object(known);
        }
    }
    clear_values(key, relationship->sync_count);
    return status;
}

static corm_status store_reference(corm_state *state, corm_attribute *attribute, corm_object *object) {
    corm_value value = CORM_NULL_VALUE;
    if (object != NULL) {
        value.kind = CORM_KIND_HOST;
        value.as.host = object;
    }
    return state->mapper->host->set(corm_state_object(state), attribute, &value);
}

static corm_status raise_strategy(const corm_attribute *attribute, corm_lazy lazy) {
    return corm_error_set(CORM_INVALID_REQUEST, "'%s.%s' is not available due to lazy='%s'", attribute->mapper->name,
                          attribute->key, lazy == CORM_LAZY_RAISE ? "raise" : "raise_on_sql");
}

/* Options for what is loaded from here on: those of the path through this relationship. */
static corm_status options_below(const corm_load_options *options, corm_attribute *attribute, corm_load_options **out) {
    corm_vector below = {0};
    *out = NULL;
    corm_status status = corm_load_options_below(options, NULL, 0, attribute, &below);
    if (status == CORM_OK && below.count > 0) {
        *out = corm_load_options_new((corm_node *const *)(void *)below.items, below.count);
        status = *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    corm_nodes_unref(&below);
    return status;
}

/* The object that the foreign key names, when it is in the session: held. *complete as of foreign_key(). */
static corm_status find_target(corm_session *session, corm_state *state, const corm_relationship *relationship,
                               corm_value *key, bool *complete, corm_object **out) {
    corm_status status = foreign_key(state, relationship, true, key, complete);
    if (status != CORM_OK || !*complete) {
        return status;
    }
    corm_state *known = corm_identity_find(&session->identity, relationship->target, key, relationship->sync_count);
    if (known != NULL && known->mapper->host->try_hold(known)) {
        *out = corm_state_object(known);
    }
    return CORM_OK;
}

/* It is not in the session: what is pending is written, which may change that, or the key; then its row is asked for. */
static corm_status fetch_target(corm_session *session, corm_state *state, corm_attribute *attribute, corm_value *key,
                                corm_object **out) {
    const corm_relationship *relationship = attribute->relationship;
    corm_load_options *options = NULL;
    bool complete = false;
    corm_status status = corm_session_flush_if_needed(session);
    if (status == CORM_OK) {
        for (size_t i = 0; i < relationship->sync_count; i++) {
            corm_value_clear(&key[i]);
        }
        status = find_target(session, state, relationship, key, &complete, out);
    }
    if (status != CORM_OK || !complete || *out != NULL) {
        return status;
    }
    status = options_below(state->options, attribute, &options);
    if (status == CORM_OK) {
        status = corm_load_by_key(session, relationship->target, key, relationship->sync_count, options, false, out);
    }
    corm_load_options_unref(options);
    return status;
}

static corm_status load_target(corm_session *session, corm_state *state, corm_attribute *attribute, corm_lazy lazy) {
    const corm_relationship *relationship = attribute->relationship;
    corm_object *object = NULL;
    bool complete;
    corm_value *key = corm_calloc(relationship->sync_count, sizeof *key);
    if (key == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = find_target(session, state, relationship, key, &complete, &object);
    if (status == CORM_OK && complete && object == NULL) {
        status = lazy == CORM_LAZY_RAISE_ON_SQL ? raise_strategy(attribute, lazy)
                                                : fetch_target(session, state, attribute, key, &object);
    }
    if (status == CORM_OK) {
        status = store_reference(state, attribute, object);
    }
    if (object != NULL) {
        relationship->target->host->release(object);
    }
    clear_values(key, relationship->sync_count);
    return status;
}

/* ---- by the join condition ---- */

/* Columns of the parent become its values. */
typedef struct parent_values {
    corm_state *state;
    const corm_relationship *relationship;
} parent_values;

static bool is_parents(const parent_values *parent, const corm_column *column) {
    const corm_relationship *relationship = parent->relationship;
    if (column->table != parent->state->mapper->table) {
        return false;
    }
    return relationship->target->table != column->table || relationship->secondary != NULL ||
           !corm_vector_contains(&relationship->remote_side, column);
}

static corm_status to_parent_value(void *context, corm_node *node, corm_node **out) {
    const parent_values *parent = context;
    corm_column *column = corm_node_as_column(node);
    *out = NULL;
    if (column == NULL || !is_parents(parent, column)) {
        return CORM_OK;
    }
    corm_attribute *attribute = corm_mapper_attribute_of(parent->state->mapper, column);
    corm_value value;
    corm_status status = corm_attribute_load(parent->state, attribute);
    if (status == CORM_OK) {
        status = corm_column_value(parent->state, attribute, &value);
    }
    if (status == CORM_OK) {
        if (value.kind == CORM_KIND_ABSENT) {
            value = CORM_NULL_VALUE;
        }
        *out = corm_bind_named("param", &value, corm_column_type(column), true);
        corm_value_clear(&value);
        status = *out == NULL ? corm_error_last()->status : CORM_OK;
    }
    return status;
}

static corm_node *lazy_select(corm_state *state, corm_attribute *attribute, const corm_load_options *options,
                              corm_node *criteria) {
    const corm_relationship *relationship = attribute->relationship;
    parent_values parent = {state, relationship};
    corm_node *select = select_entity(relationship->target, options);
    corm_node *on = select == NULL ? NULL : corm_node_replace(relationship->primary_join, to_parent_value, &parent);
    corm_node *narrowed = on == NULL ? NULL : corm_select_where(select, on);
    corm_node_unref(select);
    corm_node_unref(on);
    if (narrowed != NULL && relationship->secondary_join != NULL) {
        corm_node *both = corm_select_where(narrowed, relationship->secondary_join);
        corm_node_unref(narrowed);
        narrowed = both;
    }
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
    return narrowed;
}

/* What was added and removed while the collection was not loaded. */
static corm_status work_in_pending(corm_state *state, corm_attribute *attribute, corm_vector *items) {
    const corm_host *host = state->mapper->host;
    corm_change *change = corm_state_change(state, attribute);
    corm_status status = CORM_OK;
    if (change == NULL || change->loaded) {
        return CORM_OK;
    }
    corm_vector former = {0};
    for (size_t i = 0; i < items->count && status == CORM_OK; i++) {
        status = corm_vector_push(&former, items->items[i]);
        if (status == CORM_OK) {
            host->retain(items->items[i]);
        }
    }
    for (size_t i = 0; i < change->added.count && status == CORM_OK; i++) {
        if (!corm_vector_contains(items, change->added.items[i])) {
            status = corm_vector_push(items, change->added.items[i]);
            if (status == CORM_OK) {
                host->retain(change->added.items[i]);
            }
        }
    }
    for (size_t i = items->count; i > 0 && status == CORM_OK; i--) {
        corm_object *item = items->items[i - 1];
        if (corm_vector_contains(&change->removed, item)) {
            corm_vector_remove(items, i - 1);
            host->release(item);
            change = corm_state_change(state, attribute);
        }
    }
    if (status != CORM_OK) {
        corm_objects_release(host, &former);
        return status;
    }
    corm_vector added = change->added, removed = change->removed;
    change->added = change->removed = (corm_vector){0};
    change->items = former;
    change->loaded = true;
    corm_objects_release(host, &added);
    corm_objects_release(host, &removed);
    return CORM_OK;
}

static corm_status load_by_join(corm_session *session, corm_state *state, corm_attribute *attribute,
                                corm_node *criteria) {
    const corm_host *host = state->mapper->host;
    corm_load_options *options = NULL;
    corm_result *result = NULL;
    corm_vector items = {0};
    corm_set seen = {0};
    corm_item item;
    bool has_row = true;
    corm_status status = options_below(state->options, attribute, &options);
    corm_node *select = status == CORM_OK ? lazy_select(state, attribute, options, criteria) : NULL;
    if (status == CORM_OK) {
        status = select == NULL ? corm_error_last()->status
                                : corm_session_execute_plain(session, select, NULL, 0, NULL, &result);
    }
    while (status == CORM_OK && has_row) {
        status = corm_result_next(result, &item, &has_row);
        bool added = true;
        if (status == CORM_OK && has_row && item.object != NULL) {
            status = corm_set_add(&seen, item.object, &added);
            if (status == CORM_OK && added) {
                status = corm_vector_push(&items, item.object);
            }
            if (status != CORM_OK || !added) {
                host->release(item.object);
            }
        }
    }
    corm_set_clear(&seen);
    corm_result_free(result);
    corm_node_unref(select);
    corm_load_options_unref(options);
    if (status == CORM_OK && attribute->kind == CORM_ATTRIBUTE_REFERENCE) {
        status = store_reference(state, attribute, items.count > 0 ? items.items[0] : NULL);
        if (status == CORM_OK && items.count > 1 && host->warn != NULL) {
            corm_text message = CORM_TEXT_EMPTY;
            corm_text_append_format(&message,
                                    "Multiple rows returned with uselist=False for lazily-loaded attribute '%s.%s'",
                                    attribute->mapper->name, attribute->key);
            status = corm_text_status(&message) == CORM_OK ? host->warn(message.data) : CORM_NO_MEMORY;
            corm_text_clear(&message);
        }
    } else if (status == CORM_OK) {
        status = work_in_pending(state, attribute, &items);
        if (status == CORM_OK) {
            status = host->collection_set(corm_state_object(state), attribute,
                                          (corm_object *const *)(void *)items.items, items.count);
        }
    }
    corm_objects_release(host, &items);
    return status;
}

corm_status corm_load_relationship(corm_session *session, corm_state *state, corm_attribute *attribute) {
    const corm_relationship *relationship = attribute->relationship;
    corm_lazy lazy = corm_load_options_strategy(state->options, NULL, 0, attribute, NULL);
    if (lazy == CORM_LAZY_RAISE) {
        return raise_strategy(attribute, lazy);
    }
    if (lazy == CORM_LAZY_NOLOAD) {
        return attribute->kind == CORM_ATTRIBUTE_COLLECTION
                   ? state->mapper->host->collection_set(corm_state_object(state), attribute, NULL, 0)
                   : store_reference(state, attribute, NULL);
    }
    corm_node *criteria = corm_load_options_criteria(state->options, NULL, 0, attribute);
    if (relationship->target_key && criteria == NULL) {
        return load_target(session, state, attribute, lazy);
    }
    if (lazy == CORM_LAZY_RAISE_ON_SQL) {
        return raise_strategy(attribute, lazy);
    }
    corm_status status = corm_session_flush_if_needed(session);
    return status == CORM_OK ? load_by_join(session, state, attribute, criteria) : status;
}

/* ---- keys ---- */

corm_status corm_state_key_from_object(corm_state *state) {
    const corm_mapper *mapper = state->mapper;
    corm_value *key = corm_calloc(mapper->primary_key_count, sizeof *key);
    if (key == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->primary_key_count && status == CORM_OK; i++) {
        status = corm_column_value(state, mapper->primary_key[i], &key[i]);
        if (status == CORM_OK && (key[i].kind == CORM_KIND_ABSENT || key[i].kind == CORM_KIND_NULL)) {
            status = corm_error_set(CORM_INVALID_REQUEST, "object of class %s has no value for primary key '%s'",
                                    mapper->name, mapper->primary_key[i]->key);
        }
    }
    if (status == CORM_OK) {
        status = corm_state_set_key(state, key, mapper->primary_key_count);
    }
    clear_values(key, mapper->primary_key_count);
    return status;
}
