/*
 * From rows to objects: the loop that runs a row plan. See plan.h and query.h.
 *
 * Of each entity in a row the identity map is asked once. An object that is there stays as it is, unless it is expired or
 * the query asked to populate existing objects; a new one is made, filled, and entered.
 */
#include <string.h>

#include "base/alloc.h"
#include "orm/result_private.h"
#include "sql/select.h"

/* ---- one entity of one row ---- */

static bool is_null_key(const corm_plan_entity *entity, const corm_value *row) {
    for (size_t i = 0; i < entity->mapper->primary_key_count; i++) {
        if (row[entity->key_columns[i]].kind == CORM_KIND_NULL) {
            return true;
        }
    }
    return false;
}

static corm_state *find(const corm_session *session, const corm_plan_entity *entity, const corm_value *row) {
    const corm_mapper *mapper = entity->mapper;
    const corm_value *first = &row[entity->key_columns[0]];
    if (mapper->integer_key && first->kind == CORM_KIND_INTEGER) {
        return corm_identity_find_integer(&session->identity, mapper, first->as.integer);
    }
    corm_value key[16] = {0};
    corm_value *values =
        mapper->primary_key_count <= 16 ? key : corm_alloc_array(mapper->primary_key_count, sizeof key[0]);
    if (values == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        values[i] = row[entity->key_columns[i]];
    }
    corm_state *state = corm_identity_find(&session->identity, mapper, values, mapper->primary_key_count);
    if (values != key) {
        corm_free(values);
    }
    return state;
}

static corm_status set_key(corm_state *state, const corm_plan_entity *entity, const corm_value *row) {
    size_t count = entity->mapper->primary_key_count;
    if (count == 1) {
        return corm_state_set_key(state, &row[entity->key_columns[0]], 1);
    }
    corm_value *values = corm_alloc_array(count, sizeof *values);
    if (values == NULL) {
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = row[entity->key_columns[i]];
    }
    corm_status status = corm_state_set_key(state, values, count);
    corm_free(values);
    return status;
}

/* Take options from the plan only when they hold no values: those are of the statement that was planned. */
static corm_load_options *own_options(corm_result *result) {
    corm_node *list = corm_select_part_of(result->statement, CORM_SELECT_OPTIONS);
    if (result->options == NULL && list != NULL) {
        result->options = corm_load_options_new(((const corm_list *)(const void *)list)->items, corm_list_count(list));
    }
    return result->options;
}

static bool has_values(const corm_result *result) {
    const corm_node *list = result->statement->kind == CORM_NODE_SELECT
                                ? corm_select_part_of(result->statement, CORM_SELECT_OPTIONS)
                                : NULL;
    return list != NULL && (list->flags & CORM_NODE_HAS_BIND);
}

corm_load_options *corm_result_options(corm_result *result) {
    return has_values(result) ? own_options(result) : result->plan->options;
}

/* Short of memory, an object goes without: what it loads later is then loaded as its mapping says. */
static corm_load_options *options_of(corm_result *result, const corm_plan_entity *entity) {
    if (result->plan->options == NULL) {
        return NULL;
    }
    if (entity->depth == 0) {
        return corm_result_options(result);
    }
    if (entity->options == NULL || !has_values(result)) {
        return entity->options;
    }
    if (result->below == NULL) {
        result->below = corm_calloc(result->plan->entity_count, sizeof *result->below);
    }
    corm_vector nodes = {0};
    if (result->below != NULL && result->below[entity->number] == NULL &&
        corm_load_options_below(own_options(result), entity->path, entity->depth - 1, entity->parent, &nodes) ==
            CORM_OK) {
        result->below[entity->number] = corm_load_options_new((corm_node *const *)(void *)nodes.items, nodes.count);
    }
    corm_nodes_unref(&nodes);
    corm_error_clear();
    return result->below == NULL ? NULL : result->below[entity->number];
}

/* The identity map grows once for all rows that are here: most of them will be new objects too. */
static void make_room(corm_result *result) {
    corm_identity_map *map = &result->session->identity;
    if (corm_identity_is_full(map) &&
        corm_identity_reserve(map, 1 + corm_cursor_rows_here(result->cursor)) != CORM_OK) {
        corm_error_clear(); /* it is tried again for one */
    }
}

/* A new object of the row; *out is held for the caller. It is reachable only when it is complete. */
static corm_status create(corm_result *result, const corm_plan_entity *entity, const corm_value *row,
                          corm_state **out) {
    corm_session *session = result->session;
    const corm_host *host = entity->mapper->host;
    corm_object *object;
    *out = NULL;
    corm_status status = host->create(session, entity->mapper, entity->steps, entity->step_count, row, &object);
    if (status != CORM_OK) {
        return status;
    }
    corm_state *state = host->state_of(object);
    status = set_key(state, entity, row);
    if (status == CORM_OK) {
        make_room(result);
        status = corm_identity_add(&session->identity, state);
    }
    if (status != CORM_OK) {
        corm_state_clear_key(state);
        host->release(object);
        return status;
    }
    state->session = session;
    if (session->strong) {
        host->retain(object);
    }
    state->options = corm_load_options_ref(options_of(result, entity));
    *out = state;
    if (entity->mapper->listening & CORM_EVENT_LOAD) {
        status = host->event(CORM_EVENT_LOAD, session, session->connection, state);
    }
    if (status == CORM_OK) {
        status = corm_session_event(session, CORM_EVENT_LOADED_AS_PERSISTENT, state);
    }
    if (status != CORM_OK) {
        host->release(object);
        *out = NULL;
    }
    return status;
}

/* The row's values for those attributes that the user did not change. */
static corm_status refresh_unchanged(corm_state *state, const corm_plan_entity *entity, const corm_value *row) {
    const corm_host *host = state->mapper->host;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < entity->step_count && status == CORM_OK; i++) {
        if (corm_state_change(state, entity->steps[i].attribute) == NULL) {
            status = host->load_row(corm_state_object(state), &entity->steps[i], 1, row);
        }
    }
    return status;
}

static corm_status refresh(corm_result *result, corm_state *state, const corm_plan_entity *entity,
                           const corm_value *row) {
    corm_session *session = result->session;
    const corm_host *host = state->mapper->host;
    corm_status status = CORM_OK;
    if (result->populate_existing && state->changes != NULL) {
        corm_state_commit(state);
        if (!(state->flags & (CORM_STATE_DELETING | CORM_STATE_PENDING))) {
            corm_session_unhold(session, state);
        }
    }
    status = state->changes == NULL ? host->load_row(corm_state_object(state), entity->steps, entity->step_count, row)
                                    : refresh_unchanged(state, entity, row);
    if (status == CORM_OK) {
        state->flags &= ~(uint32_t)CORM_STATE_EXPIRED;
    }
    if (status == CORM_OK && (entity->mapper->listening & CORM_EVENT_REFRESH)) {
        status = host->event(CORM_EVENT_REFRESH, session, session->connection, state);
    }
    return status;
}

/* The object of an entity in this row, held; NULL when an outer join found none. *fresh: it was made or refreshed. */
static corm_status load_entity(corm_result *result, const corm_plan_entity *entity, const corm_value *row,
                               corm_state **out, bool *fresh) {
    *out = NULL;
    *fresh = false;
    if (is_null_key(entity, row)) {
        return CORM_OK;
    }
    corm_state *state = find(result->session, entity, row);
    if (state != NULL && !entity->mapper->host->try_hold(state)) {
        corm_identity_remove(&result->session->identity, state);
        state = NULL;
    }
    if (state == NULL) {
        *fresh = true;
        return create(result, entity, row, out);
    }
    corm_status status = CORM_OK;
    if (result->populate_existing || (state->flags & CORM_STATE_EXPIRED)) {
        *fresh = true;
        status = refresh(result, state, entity, row);
    }
    if (status != CORM_OK) {
        entity->mapper->host->release(corm_state_object(state));
        return status;
    }
    *out = state;
    return CORM_OK;
}

/* ---- joined relationships ---- */

static corm_status fill(corm_result *result, corm_state *parent, corm_attribute *attribute, corm_object *item) {
    const corm_host *host = parent->mapper->host;
    corm_filling key = {.state = parent, .attribute = attribute};
    enum { KEY_SIZE = sizeof key.state + sizeof key.attribute };
    corm_filling *filling;
    HASH_FIND(hh, result->fillings, &key, KEY_SIZE, filling);
    if (filling == NULL) {
        if (host->collection_is_loaded(corm_state_object(parent), attribute) && !result->populate_existing) {
            return CORM_OK;
        }
        filling = corm_calloc(1, sizeof *filling);
        if (filling == NULL) {
            return CORM_NO_MEMORY;
        }
        filling->state = parent;
        filling->attribute = attribute;
        HASH_ADD(hh, result->fillings, state, KEY_SIZE, filling);
        if (filling->hh.tbl == NULL) {
            corm_free(filling);
            return CORM_NO_MEMORY;
        }
        host->retain(corm_state_object(parent));
    }
    /* Rows of one parent mostly follow each other: look from the end. */
    for (size_t i = filling->items.count; i > 0 && item != NULL; i--) {
        if (filling->items.items[i - 1] == item) {
            return CORM_OK;
        }
    }
    corm_status status = item == NULL ? CORM_OK : corm_vector_push(&filling->items, item);
    if (status == CORM_OK && item != NULL) {
        host->retain(item);
    }
    return status;
}

static corm_status collect_later(corm_result *result, const corm_plan_entity *entity, corm_state *state) {
    if (entity->later_count == 0) {
        return CORM_OK;
    }
    corm_status status = corm_vector_push(&result->loaded[entity->number], state);
    if (status == CORM_OK) {
        state->mapper->host->retain(corm_state_object(state));
    }
    return status;
}

static corm_status load_joined(corm_result *result, const corm_plan_entity *entity, corm_state *parent,
                               const corm_value *row) {
    const corm_host *host = entity->mapper->host;
    corm_status status = collect_later(result, entity, parent);
    for (size_t i = 0; i < entity->joined.count && status == CORM_OK; i++) {
        const corm_plan_entity *child = entity->joined.items[i];
        corm_state *state;
        bool fresh;
        status = load_entity(result, child, row, &state, &fresh);
        if (status != CORM_OK) {
            break;
        }
        corm_object *object = state == NULL ? NULL : corm_state_object(state);
        if (child->parent->kind == CORM_ATTRIBUTE_COLLECTION) {
            status = fill(result, parent, child->parent, object);
        } else {
            corm_value present, value = CORM_NULL_VALUE;
            status = host->get(corm_state_object(parent), child->parent, &present);
            if (object != NULL) {
                value.kind = CORM_KIND_HOST;
                value.as.host = object;
            }
            bool keep = present.kind != CORM_KIND_ABSENT && !result->populate_existing;
            if (status == CORM_OK && !keep && corm_state_change(parent, child->parent) == NULL) {
                status = host->set(corm_state_object(parent), child->parent, &value);
            }
        }
        if (status == CORM_OK && state != NULL) {
            status = load_joined(result, child, state, row);
        }
        if (object != NULL) {
            host->release(object);
        }
    }
    return status;
}

/* ---- rows ---- */

static corm_status convert_row(corm_result *result, const corm_value **row) {
    const corm_result_column *columns = corm_compiled_columns(result->cached->compiled);
    size_t count = corm_compiled_column_count(result->cached->compiled);
    const corm_value *raw = *row;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        if (columns[i].convert == NULL || raw[i].kind == CORM_KIND_NULL) {
            result->row[i] = raw[i];
        } else {
            status =
                columns[i].convert(columns[i].type, &raw[i], &result->row[i], result->rooms + i * CORM_RESULT_ROOM);
        }
    }
    *row = result->row;
    return status;
}

static corm_status read_items(corm_result *result, const corm_value *row, corm_item *items) {
    const corm_plan *plan = result->plan;
    corm_status status = CORM_OK;
    size_t at = 0;
    for (; at < result->output_count && status == CORM_OK; at++) {
        const corm_plan_entity *entity = plan == NULL ? NULL : plan->entities[at];
        if (entity == NULL) {
            items[at].value = row[plan == NULL ? at : plan->columns[at]];
            continue;
        }
        corm_state *state;
        bool fresh;
        items[at].object = NULL;
        status = load_entity(result, entity, row, &state, &fresh);
        if (status == CORM_OK && state != NULL) {
            items[at].object = corm_state_object(state);
            if (entity->joined.count > 0 || entity->later_count > 0) {
                status = load_joined(result, entity, state, row);
            }
        }
    }
    if (status != CORM_OK) {
        for (size_t i = 0; i < at; i++) {
            if (result->outputs[i].is_object && items[i].object != NULL) {
                result->outputs[i].mapper->host->release(items[i].object);
            }
        }
    }
    return status;
}

static corm_status next_from_cursor(corm_result *result, corm_item *items, bool *has_row) {
    *has_row = false;
    if (result->cursor == NULL) {
        return CORM_OK;
    }
    if (result->plan != NULL && result->session->connection == NULL && corm_cursor_is_open(result->cursor)) {
        return corm_error_set(CORM_RESOURCE_CLOSED, "the Session of this result was closed");
    }
    corm_status status = corm_cursor_next(result->cursor, has_row);
    if (status != CORM_OK || !*has_row) {
        result->rowcount = corm_cursor_changed_rows(result->cursor);
        return status;
    }
    const corm_value *row = corm_cursor_values(result->cursor);
    if (result->converts) {
        status = convert_row(result, &row);
    }
    if (status == CORM_OK) {
        status = read_items(result, row, items);
    }
    *has_row = status == CORM_OK;
    return status;
}

/* ---- buffering ---- */

static corm_status reserve_row(corm_result *result) {
    if (result->buffer_count < result->buffer_capacity) {
        return CORM_OK;
    }
    size_t capacity = result->buffer_capacity == 0 ? 16 : result->buffer_capacity * 2;
    size_t width = result->output_count == 0 ? 1 : result->output_count, bytes;
    if (__builtin_mul_overflow(capacity, width * sizeof *result->buffer, &bytes)) {
        return corm_error_no_memory();
    }
    corm_item *grown = corm_realloc(result->buffer, bytes);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    result->buffer = grown;
    result->buffer_capacity = capacity;
    return CORM_OK;
}

/* Values are the cursor's until the next row: keep copies. */
static corm_status own_items(corm_result *result, corm_item *items) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < result->output_count; i++) {
        if (!result->outputs[i].is_object) {
            corm_value value = items[i].value;
            items[i].value = CORM_NULL_VALUE;
            if (status == CORM_OK) {
                status = corm_value_copy(&value, &items[i].value);
            }
        }
    }
    return status;
}

static corm_status finish_fillings(corm_result *result) {
    corm_status status = CORM_OK;
    corm_filling *filling, *next;
    HASH_ITER(hh, result->fillings, filling, next) {
        const corm_host *host = filling->state->mapper->host;
        corm_object *object = corm_state_object(filling->state);
        HASH_DELETE(hh, result->fillings, filling);
        if (status == CORM_OK && corm_state_change(filling->state, filling->attribute) == NULL) {
            status = host->collection_set(object, filling->attribute,
                                          (corm_object *const *)(void *)filling->items.items, filling->items.count);
        }
        corm_objects_release(host, &filling->items);
        corm_free(filling);
        host->release(object);
    }
    return status;
}

static void drop_loaded(corm_result *result) {
    for (size_t i = 0; result->loaded != NULL && i < result->plan->entity_count; i++) {
        corm_vector states = result->loaded[i];
        result->loaded[i] = (corm_vector){0};
        for (size_t s = 0; s < states.count; s++) {
            corm_state *state = states.items[s];
            state->mapper->host->release(corm_state_object(state));
        }
        corm_vector_clear(&states);
    }
}

static corm_status take_rows(corm_result *result, size_t limit) {
    corm_status status = CORM_OK;
    bool has_row = true;
    while (status == CORM_OK && has_row && result->buffer_count < limit) {
        status = reserve_row(result);
        if (status == CORM_OK) {
            corm_item *items = result->buffer + result->buffer_count * result->output_count;
            status = next_from_cursor(result, items, &has_row);
            if (status == CORM_OK && has_row) {
                result->buffer_count++;
                status = own_items(result, items);
            }
        }
    }
    return status;
}

corm_status corm_result_take_rows(corm_result *result) {
    return take_rows(result, SIZE_MAX);
}

/* Rows into the buffer, up to so many, with what their objects load after them. */
static corm_status load_rows(corm_result *result, size_t limit) {
    corm_status status = take_rows(result, limit);
    if (status == CORM_OK) {
        status = finish_fillings(result);
    }
    if (status == CORM_OK && result->plan != NULL && result->plan->later) {
        status = corm_load_later(result);
    }
    drop_loaded(result);
    return status;
}

corm_status corm_result_buffer(corm_result *result) {
    if (result->buffered) {
        return CORM_OK;
    }
    result->buffered = true;
    return load_rows(result, SIZE_MAX);
}

corm_status corm_result_append(corm_result *result, corm_result *other) {
    if (result->output_count != other->output_count) {
        return corm_error_set(CORM_INVALID_REQUEST, "results of %zu and of %zu columns do not make one",
                              result->output_count, other->output_count);
    }
    corm_status status = corm_result_buffer(result);
    if (status == CORM_OK) {
        status = corm_result_buffer(other);
    }
    while (status == CORM_OK && other->next < other->buffer_count) {
        status = reserve_row(result);
        if (status == CORM_OK) {
            memcpy(result->buffer + result->buffer_count++ * result->output_count,
                   other->buffer + other->next++ * other->output_count, other->output_count * sizeof *other->buffer);
        }
    }
    return status;
}

corm_status corm_result_next(corm_result *result, corm_item *items, bool *has_row) {
    *has_row = false;
    if (result->finished) {
        return CORM_OK;
    }
    corm_status status = CORM_OK;
    bool loads = !result->buffered && result->plan != NULL && (result->plan->later || result->plan->joined_many);
    bool in_parts = loads && result->load_rows > 0;
    if (in_parts && result->next == result->buffer_count) {
        result->next = result->buffer_count = 0;
        status = load_rows(result, result->load_rows);
    } else if (loads && !in_parts) {
        status = corm_result_buffer(result);
    }
    if (status == CORM_OK && !result->buffered && !in_parts) {
        status = next_from_cursor(result, items, has_row);
    } else if (status == CORM_OK && result->next < result->buffer_count) {
        memcpy(items, result->buffer + result->next * result->output_count, result->output_count * sizeof *items);
        result->next++;
        *has_row = true;
    }
    if (status != CORM_OK || !*has_row) {
        corm_error pending;
        corm_error_take(&pending);
        corm_result_close(result);
        corm_error_restore(&pending);
    }
    return status;
}

void corm_result_release_items(const corm_result *result, corm_item *items) {
    for (size_t i = 0; i < result->output_count; i++) {
        if (!result->outputs[i].is_object) {
            corm_value_clear(&items[i].value);
        } else if (items[i].object != NULL) {
            result->outputs[i].mapper->host->release(items[i].object);
            items[i].object = NULL;
        }
    }
}

/* ---- the end ---- */

static void drop_fillings(corm_result *result) {
    corm_filling *filling, *next;
    HASH_ITER(hh, result->fillings, filling, next) {
        const corm_host *host = filling->state->mapper->host;
        corm_object *object = corm_state_object(filling->state);
        HASH_DELETE(hh, result->fillings, filling);
        corm_objects_release(host, &filling->items);
        corm_free(filling);
        host->release(object);
    }
}

void corm_result_close(corm_result *result) {
    result->finished = true;
    corm_cursor *cursor = result->cursor;
    result->cursor = NULL;
    if (cursor != NULL && result->rowcount < 0) {
        result->rowcount = corm_cursor_changed_rows(cursor);
    }
    corm_cursor_free(cursor);
    drop_fillings(result);
    drop_loaded(result);
    while (result->next < result->buffer_count) {
        corm_result_release_items(result, result->buffer + result->next * result->output_count);
        result->next++;
    }
}

void corm_result_free(corm_result *result) {
    if (result == NULL) {
        return;
    }
    corm_error pending;
    corm_error_take(&pending);
    corm_result_close(result);
    for (size_t i = 0; i < result->inserted_key_count; i++) {
        corm_value_clear(&result->inserted_key[i]);
    }
    corm_free(result->inserted_key);
    corm_result_drop_returned_key(result);
    corm_free(result->buffer);
    corm_free(result->loaded);
    for (size_t i = 0; result->below != NULL && i < result->plan->entity_count; i++) {
        corm_load_options_unref(result->below[i]);
    }
    corm_free(result->below);
    corm_load_options_unref(result->options);
    for (size_t i = 0; result->own_names != NULL && i < result->output_count; i++) {
        corm_free(result->own_names[i]);
    }
    corm_free(result->own_names);
    corm_free(result->own_outputs);
    corm_free(result->row);
    corm_free(result->rooms);
    corm_execution_clear(&result->execution);
    corm_vector_clear(&result->binds);
    corm_node_unref(result->statement);
    corm_cached_unref(result->cached);
    corm_free(result);
    corm_error_restore(&pending);
}

bool corm_result_returns_rows(const corm_result *result) {
    return result->output_count > 0;
}

uint32_t corm_result_statement_flags(const corm_result *result) {
    return result->cached == NULL ? 0 : corm_compiled_flags(result->cached->compiled);
}

corm_table *corm_result_inserted_table(const corm_result *result) {
    return result->cached == NULL ? NULL : corm_compiled_insert_table(result->cached->compiled);
}

size_t corm_result_output_count(const corm_result *result) {
    return result->output_count;
}

const corm_output *corm_result_outputs(const corm_result *result) {
    return result->outputs;
}

bool corm_result_needs_unique(const corm_result *result) {
    return result->plan != NULL && result->plan->unique;
}

int64_t corm_result_rowcount(const corm_result *result) {
    return result->rowcount;
}

int64_t corm_result_generated_key(const corm_result *result) {
    return result->generated_key;
}

corm_status corm_result_inserted_key(const corm_result *result, const corm_value **values, size_t *count) {
    *values = result->inserted_key;
    *count = result->inserted_key_count;
    return CORM_OK;
}
