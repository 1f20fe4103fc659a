/*
 * Keys that travel in a flush: from the objects that are referred to into the foreign keys of those that refer.
 *
 * A foreign key is set as a change of the child's attribute, so it is part of the child's INSERT or UPDATE. Values are
 * copied between objects of one host as plain values.
 */
#include "base/alloc.h"
#include "compile/compile.h"
#include "orm/flush_private.h"

static const corm_host *host_of(const corm_state *state) {
    return state->mapper->host;
}

corm_status corm_column_value(corm_state *state, corm_attribute *attribute, corm_value *out) {
    corm_value stored;
    *out = CORM_ABSENT_VALUE;
    corm_status status = host_of(state)->get(corm_state_object(state), attribute, &stored);
    if (status != CORM_OK || stored.kind != CORM_KIND_HOST) {
        return status == CORM_OK ? corm_value_copy(&stored, out) : status;
    }
    corm_scratch scratch = {0};
    corm_value plain;
    status = corm_convert_parameter(corm_session_dialect(state->session), corm_column_type(attribute->column), &stored,
                                    &plain, &scratch);
    if (status == CORM_OK) {
        status = corm_value_copy(&plain, out);
        corm_value_clear(&plain);
    }
    corm_scratch_clear(&scratch);
    return status;
}

/* Store a value in a column unless it is there already. */
static corm_status store(corm_state *state, corm_attribute *attribute, const corm_value *value, bool *changed) {
    corm_value present;
    corm_status status = host_of(state)->get(corm_state_object(state), attribute, &present);
    if (status != CORM_OK) {
        return status;
    }
    if (present.kind != CORM_KIND_ABSENT && present.kind != CORM_KIND_HOST && corm_value_equal(&present, value)) {
        return CORM_OK;
    }
    if (present.kind == CORM_KIND_ABSENT && value->kind == CORM_KIND_NULL && !(state->flags & CORM_STATE_HAS_KEY)) {
        return CORM_OK;
    }
    status = corm_state_changing(state, attribute);
    if (status == CORM_OK) {
        status = host_of(state)->set(corm_state_object(state), attribute, value);
    }
    if (changed != NULL) {
        *changed = true;
    }
    return status;
}

/* Copy a parent's key into a child's foreign key. */
static corm_status copy_key(const corm_relationship *relationship, corm_state *parent, corm_state *child,
                            bool *changed) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < relationship->sync_count && status == CORM_OK; i++) {
        corm_attribute *source = corm_mapper_attribute_of(parent->mapper, relationship->sync[i].source);
        corm_attribute *destination = corm_mapper_attribute_of(child->mapper, relationship->sync[i].destination);
        if (source == NULL || destination == NULL) {
            return corm_error_set(CORM_FLUSH_ERROR,
                                  "relationship %s.%s: objects of class %s and %s do not have the columns it joins",
                                  relationship->attribute->mapper->name, relationship->attribute->key,
                                  parent->mapper->name, child->mapper->name);
        }
        corm_value key;
        status = corm_attribute_load(parent, source);
        if (status == CORM_OK) {
            status = corm_column_value(parent, source, &key);
        }
        if (status == CORM_OK) {
            status = store(child, destination, key.kind == CORM_KIND_ABSENT ? &CORM_NULL_VALUE : &key, changed);
            corm_value_clear(&key);
        }
    }
    return status;
}

static corm_status clear_key(const corm_relationship *relationship, corm_state *child, bool *changed) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < relationship->sync_count && status == CORM_OK; i++) {
        const corm_column *column = relationship->sync[i].destination;
        corm_attribute *destination = corm_mapper_attribute_of(child->mapper, column);
        if (destination == NULL) {
            continue;
        }
        if (destination->primary_key) {
            return corm_error_set(CORM_FLUSH_ERROR,
                                  "Dependency rule on relationship %s.%s tried to blank-out primary key column "
                                  "'%s.%s': delete the object instead (cascade=\"all, delete-orphan\")",
                                  relationship->attribute->mapper->name, relationship->attribute->key,
                                  column->table->name, column->name);
        }
        status = store(child, destination, &CORM_NULL_VALUE, changed);
    }
    return status;
}

corm_status corm_sync_nullify(corm_attribute *attribute, corm_state *child) {
    return clear_key(attribute->relationship, child, NULL);
}

static corm_status not_in_session(const corm_state *other, const corm_attribute *attribute) {
    const corm_host *host = host_of(other);
    if (host->warn == NULL) {
        return CORM_OK;
    }
    corm_text message = CORM_TEXT_EMPTY;
    corm_text_append_format(&message,
                            "Object of type <%s> not in session, add operation along '%s.%s' will not proceed",
                            other->mapper->name, attribute->mapper->name, attribute->key);
    corm_status status = corm_text_status(&message);
    if (status == CORM_OK) {
        status = host->warn(message.data);
    }
    corm_text_clear(&message);
    return status;
}

/* May a key be copied from or to it: is it, or will it be, a row of this session? */
static bool is_row(const corm_flush *flush, const corm_state *state) {
    return state->session == flush->session || (state->flags & CORM_STATE_HAS_KEY);
}

corm_status corm_sync_references(corm_flush *flush, corm_work *work, bool post, bool *changed) {
    corm_state *state = work->state;
    const corm_mapper *mapper = state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_relationship *relationship = attribute->relationship;
        if (relationship == NULL || relationship->direction != CORM_MANY_TO_ONE || relationship->view_only ||
            relationship->post_update != post ||
            ((state->flags & CORM_STATE_HAS_KEY) && corm_state_change(state, attribute) == NULL)) {
            continue;
        }
        corm_value value;
        status = host_of(state)->get(work->object, attribute, &value);
        if (status != CORM_OK) {
            break;
        }
        if (value.kind != CORM_KIND_HOST) {
            /* Set to nothing: of a new object that is no reason to touch a foreign key set by hand. */
            if (state->flags & CORM_STATE_HAS_KEY) {
                status = clear_key(relationship, state, changed);
            }
            continue;
        }
        corm_object *object = value.as.host;
        corm_state *parent = host_of(state)->state_of(object);
        host_of(state)->retain(object);
        if (parent == NULL) {
            status = corm_error_last()->status;
        } else {
            status = is_row(flush, parent) ? copy_key(relationship, parent, state, changed)
                                           : not_in_session(parent, attribute);
        }
        host_of(state)->release(object);
    }
    return status;
}

/* Copy the key to those of a collection's objects that it has to reach. */
static corm_status sync_each(corm_flush *flush, corm_state *state, const corm_attribute *attribute,
                             const corm_vector *children) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < children->count && status == CORM_OK; i++) {
        if (children->items[i] == NULL) {
            continue;
        }
        corm_state *child = host_of(state)->state_of(children->items[i]);
        if (child == NULL) {
            status = corm_error_last()->status;
        } else {
            status = is_row(flush, child) ? copy_key(attribute->relationship, state, child, NULL)
                                          : not_in_session(child, attribute);
        }
    }
    return status;
}

/* Did the object get another key, which the database does not carry to the children by itself? */
static bool key_moved(const corm_state *state, const corm_relationship *relationship) {
    bool moved = false;
    for (size_t i = 0; i < state->mapper->primary_key_count && !relationship->passive_updates; i++) {
        moved = moved || corm_state_change(state, state->mapper->primary_key[i]) != NULL;
    }
    return moved;
}

corm_status corm_sync_children(corm_flush *flush, corm_work *work, bool post) {
    corm_state *state = work->state;
    const corm_mapper *mapper = state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_relationship *relationship = attribute->relationship;
        if (relationship == NULL || relationship->direction != CORM_ONE_TO_MANY || relationship->view_only ||
            relationship->post_update != post) {
            continue;
        }
        corm_history history;
        status = corm_state_history(state, attribute, false, &history);
        if (status == CORM_OK) {
            status = sync_each(flush, state, attribute, &history.added_objects);
        }
        if (status == CORM_OK && key_moved(state, relationship)) {
            status = sync_each(flush, state, attribute, &history.unchanged_objects);
        }
        corm_history_clear(state, &history);
    }
    return status;
}

/* ---- association tables ---- */

static corm_status add_pair(corm_flush *flush, corm_attribute *attribute, corm_state *left, corm_state *right,
                            bool removed) {
    corm_attribute *inverse = attribute->relationship->inverse;
    if (inverse != NULL && inverse < attribute) {
        corm_state *other = left;
        attribute = inverse;
        left = right;
        right = other;
    }
    corm_pair key = {.attribute = attribute, .left = left, .right = right};
    corm_pair *pair;
    enum { KEY_SIZE = sizeof key.attribute + sizeof key.left + sizeof key.right };
    HASH_FIND(hh, flush->pairs, &key, KEY_SIZE, pair);
    if (pair != NULL) {
        return CORM_OK;
    }
    pair = corm_calloc(1, sizeof *pair);
    if (pair == NULL) {
        return CORM_NO_MEMORY;
    }
    pair->attribute = attribute;
    pair->left = left;
    pair->right = right;
    pair->removed = removed;
    corm_status status = corm_vector_push(&flush->pair_order, pair);
    if (status != CORM_OK) {
        corm_free(pair);
        return status;
    }
    HASH_ADD(hh, flush->pairs, attribute, KEY_SIZE, pair);
    return pair->hh.tbl == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status add_pairs(corm_flush *flush, corm_attribute *attribute, corm_state *state, const corm_vector *others,
                             bool removed) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < others->count && status == CORM_OK; i++) {
        if (others->items[i] == NULL) {
            continue;
        }
        corm_state *other = host_of(state)->state_of(others->items[i]);
        if (other == NULL) {
            status = corm_error_last()->status;
        } else if (!removed && !is_row(flush, other)) {
            status = not_in_session(other, attribute);
        } else if (!removed || (other->flags & CORM_STATE_HAS_KEY)) {
            status = add_pair(flush, attribute, state, other, removed);
        }
    }
    return status;
}

corm_status corm_sync_pairs(corm_flush *flush, corm_work *work) {
    corm_state *state = work->state;
    const corm_mapper *mapper = state->mapper;
    bool deleted = (work->flags & CORM_WORK_DELETE) != 0;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_relationship *relationship = attribute->relationship;
        if (relationship == NULL || relationship->direction != CORM_MANY_TO_MANY || relationship->view_only) {
            continue;
        }
        corm_history history;
        bool load = deleted && relationship->passive_deletes == CORM_PASSIVE_DELETES_OFF;
        status = corm_state_history(state, attribute, load, &history);
        if (status == CORM_OK) {
            status = add_pairs(flush, attribute, state, &history.deleted_objects, true);
        }
        if (status == CORM_OK) {
            status = deleted ? add_pairs(flush, attribute, state, &history.unchanged_objects, true)
                             : add_pairs(flush, attribute, state, &history.added_objects, false);
        }
        corm_history_clear(state, &history);
    }
    return status;
}
