/*
 * UPDATE and DELETE of many rows: see bulk.h.
 *
 * Which objects are concerned is asked of the database, with the statement's own criteria, before it runs; not at all when
 * the session has no object of the class.
 */
#include "orm/bulk.h"

#include "base/alloc.h"
#include "orm/session_private.h"

/* Objects of a mapper that the session has: none, then nothing has to be kept in step. */
static bool has_objects(const corm_session *session, const corm_mapper *mapper) {
    for (size_t i = 0; i < session->identity.capacity; i++) {
        const corm_state *state = corm_identity_at(&session->identity, i);
        if (state != NULL && state->mapper == mapper) {
            return true;
        }
    }
    return false;
}

static corm_node *keys_of(corm_node *statement, corm_entity *entity) {
    corm_mapper *mapper = entity->mapper;
    corm_node **keys = corm_calloc(mapper->primary_key_count, sizeof *keys);
    corm_node *select = NULL;
    bool good = keys != NULL;
    for (size_t i = 0; good && i < mapper->primary_key_count; i++) {
        keys[i] = corm_attribute_node_new(&entity->node, mapper->primary_key[i]);
        good = keys[i] != NULL;
    }
    if (good) {
        select = corm_select_new(keys, mapper->primary_key_count);
    }
    corm_node *where = corm_dml_part_of(statement, CORM_DML_WHERE);
    if (select != NULL && where != NULL) {
        corm_node *narrowed = corm_select_with_part(select, CORM_SELECT_WHERE, where);
        corm_node_unref(select);
        select = narrowed;
    }
    for (size_t i = 0; keys != NULL && i < mapper->primary_key_count; i++) {
        corm_node_unref(keys[i]);
    }
    corm_free(keys);
    return select;
}

/* The session's objects among the rows that the statement will touch: each held. */
static corm_status find_objects(corm_session *session, corm_node *statement, corm_entity *entity,
                                const corm_parameters *sets, size_t set_count, corm_vector *out) {
    corm_mapper *mapper = entity->mapper;
    corm_result *result = NULL;
    corm_node *select = keys_of(statement, entity);
    corm_item *items = corm_calloc(mapper->primary_key_count, sizeof *items);
    corm_value *key = corm_calloc(mapper->primary_key_count, sizeof *key);
    bool has_row = true;
    corm_status status = select == NULL || items == NULL || key == NULL
                             ? corm_error_last()->status
                             : corm_session_execute_plain(session, select, sets, set_count, NULL, &result);
    while (status == CORM_OK && has_row) {
        status = corm_result_next(result, items, &has_row);
        for (size_t i = 0; i < mapper->primary_key_count && has_row; i++) {
            key[i] = items[i].value;
        }
        corm_state *state = status == CORM_OK && has_row
                                ? corm_identity_find(&session->identity, mapper, key, mapper->primary_key_count)
                                : NULL;
        if (state != NULL && mapper->host->try_hold(state)) {
            status = corm_vector_push(out, state);
            if (status != CORM_OK) {
                mapper->host->release(corm_state_object(state));
            }
        }
    }
    corm_result_free(result);
    corm_node_unref(select);
    corm_free(items);
    corm_free(key);
    return status;
}

static corm_attribute *set_attribute(const corm_mapper *mapper, corm_node *column) {
    corm_attribute_node *attribute = corm_node_as_attribute(column);
    if (attribute != NULL) {
        return attribute->attribute;
    }
    corm_column *plain = corm_node_as_column(column);
    return plain == NULL ? NULL : corm_mapper_attribute_of(mapper, plain);
}

/* What the UPDATE set is read again when it is next wanted. */
static corm_status expire_set(corm_node *statement, const corm_mapper *mapper, corm_state *state) {
    corm_node *columns = corm_dml_part_of(statement, CORM_DML_COLUMNS);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(columns) && status == CORM_OK; i++) {
        corm_attribute *attribute = set_attribute(mapper, corm_list_at(columns, i));
        if (attribute != NULL && !attribute->primary_key) {
            status = corm_journal_value(state->session, state, attribute);
            corm_state_commit_attribute(state, attribute);
            if (status == CORM_OK) {
                status = mapper->host->set(corm_state_object(state), attribute, &CORM_ABSENT_VALUE);
            }
        }
    }
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        const corm_column *column = mapper->attributes[i]->column;
        if (column != NULL && (column->on_update.kind != CORM_DEFAULT_NONE || column->computed != NULL)) {
            status = mapper->host->set(corm_state_object(state), mapper->attributes[i], &CORM_ABSENT_VALUE);
        }
    }
    state->touched = corm_session_serial(state->session);
    return status;
}

/* Relationships of a strong session's objects follow too. */
static corm_status follow(corm_session *session, corm_node *statement, corm_mapper *mapper,
                          const corm_vector *objects) {
    corm_vector concerned = {0};
    corm_status status = CORM_OK;
    if (!session->strong) {
        return CORM_OK;
    }
    if (statement->kind == CORM_NODE_DELETE) {
        for (size_t i = 0; i < objects->count; i++) {
            ((corm_state *)objects->items[i])->flags |= CORM_STATE_DELETING;
        }
        status = corm_vector_push(&concerned, mapper);
        status = status == CORM_OK ? corm_follow_deleted(session, &concerned) : status;
        for (size_t i = 0; i < objects->count && status != CORM_OK; i++) {
            ((corm_state *)objects->items[i])->flags &= ~(uint32_t)CORM_STATE_DELETING;
        }
    } else {
        corm_node *columns = corm_dml_part_of(statement, CORM_DML_COLUMNS);
        for (size_t i = 0; i < corm_list_count(columns) && status == CORM_OK; i++) {
            corm_attribute *attribute = set_attribute(mapper, corm_list_at(columns, i));
            status = attribute == NULL ? CORM_OK : corm_vector_push(&concerned, attribute->column);
        }
        status = status == CORM_OK ? corm_follow_columns(session, &concerned) : status;
    }
    corm_vector_clear(&concerned);
    return status;
}

corm_status corm_bulk_execute(corm_session *session, corm_node *statement, const corm_parameters *sets,
                              size_t set_count, const corm_execute_options *options, corm_result **out) {
    corm_entity *entity = corm_node_as_entity(corm_dml_part_of(statement, CORM_DML_TABLE));
    corm_vector objects = {0};
    corm_status status = CORM_OK;
    if (has_objects(session, entity->mapper)) {
        status = find_objects(session, statement, entity, sets, set_count, &objects);
    }
    if (status == CORM_OK) {
        status = corm_session_execute_plain(session, statement, sets, set_count, options, out);
    }
    if (status == CORM_OK) {
        status = follow(session, statement, entity->mapper, &objects);
    }
    for (size_t i = 0; i < objects.count; i++) {
        corm_state *state = objects.items[i];
        if (status == CORM_OK && state->session == session && (state->flags & CORM_STATE_IN_MAP)) {
            status = statement->kind == CORM_NODE_DELETE ? corm_session_bury(session, state)
                                                         : expire_set(statement, entity->mapper, state);
        }
        state->mapper->host->release(corm_state_object(state));
    }
    corm_vector_clear(&objects);
    if (status != CORM_OK && *out != NULL) {
        corm_result_free(*out);
        *out = NULL;
    }
    return status;
}
