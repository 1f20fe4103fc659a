/*
 * Cascades: what an operation on one object reaches along its relationships.
 *
 * The list of what was found is the list of what is still to be looked at, so depth costs no stack and circles end.
 */
#include "base/set.h"
#include "orm/attribute.h"
#include "orm/session_private.h"

corm_status corm_relationship_objects(corm_state *state, corm_attribute *attribute, corm_vector *out) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    if (attribute->kind == CORM_ATTRIBUTE_REFERENCE) {
        corm_value value;
        corm_status status = host->get(object, attribute, &value);
        if (status != CORM_OK || value.kind != CORM_KIND_HOST) {
            return status;
        }
        status = corm_vector_push(out, value.as.host);
        if (status == CORM_OK) {
            host->retain(value.as.host);
        }
        return status;
    }
    corm_status status = host->collection_items(object, attribute, out);
    corm_change *change = corm_state_change(state, attribute);
    if (change == NULL || change->loaded) {
        return status;
    }
    for (size_t i = 0; i < change->added.count && status == CORM_OK; i++) {
        status = corm_vector_push(out, change->added.items[i]);
        if (status == CORM_OK) {
            host->retain(change->added.items[i]);
        }
    }
    return status;
}

/* Must the relationship be loaded for this cascade to be complete? */
static bool must_load(const corm_state *state, const corm_relationship *relationship) {
    return (state->flags & CORM_STATE_HAS_KEY) && state->session != NULL &&
           relationship->passive_deletes == CORM_PASSIVE_DELETES_OFF;
}

/* Drop from `out`, from `first` on, what was seen before. */
static corm_status keep_new(const corm_host *host, corm_set *seen, corm_vector *out, size_t first) {
    size_t kept = first;
    corm_status status = CORM_OK;
    for (size_t i = first; i < out->count; i++) {
        bool added = false;
        if (status == CORM_OK) {
            status = corm_set_add(seen, out->items[i], &added);
        }
        if (added) {
            out->items[kept++] = out->items[i];
        } else {
            host->release(out->items[i]);
        }
    }
    out->count = kept;
    return status;
}

/* Objects of another class than the relationship's were put into it. */
static corm_status check_targets(const corm_attribute *attribute, const corm_vector *objects, size_t first) {
    const corm_mapper *mapper = attribute->mapper, *target = attribute->relationship->target;
    for (size_t i = first; i < objects->count; i++) {
        const corm_state *state = mapper->host->state_of(objects->items[i]);
        if (state != NULL && state->mapper != target) {
            return corm_error_set(CORM_FLUSH_ERROR, "Attribute '%s' on class '%s' doesn't handle objects of type '%s'",
                                  attribute->key, mapper->name, state->mapper->name);
        }
    }
    return CORM_OK;
}

static corm_status reach(corm_state *state, uint32_t cascade, bool load, corm_set *seen, corm_vector *out) {
    const corm_mapper *mapper = state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (!corm_attribute_is_relationship(attribute) || !(attribute->relationship->cascade & cascade) ||
            attribute->relationship->view_only) {
            continue;
        }
        if (load && must_load(state, attribute->relationship)) {
            status = corm_attribute_load(state, attribute);
        }
        size_t first = out->count;
        if (status == CORM_OK) {
            status = corm_relationship_objects(state, attribute, out);
        }
        if (status == CORM_OK) {
            status = check_targets(attribute, out, first);
        }
        corm_status kept = keep_new(mapper->host, seen, out, first);
        status = status == CORM_OK ? kept : status;
    }
    return status;
}

corm_status corm_cascade_collect(corm_state *start, uint32_t cascade, bool load, const corm_session *within,
                                 corm_vector *out) {
    const corm_host *host = start->mapper->host;
    corm_object *object = corm_state_object(start);
    corm_set seen = {0};
    bool added;
    corm_status status = corm_mapper_configure(start->mapper);
    if (status == CORM_OK) {
        status = corm_set_add(&seen, object, &added);
    }
    if (status == CORM_OK) {
        status = corm_vector_push(out, object);
    }
    if (status == CORM_OK) {
        host->retain(object);
    }
    for (size_t i = 0; i < out->count && status == CORM_OK; i++) {
        corm_state *state = host->state_of(out->items[i]);
        if (state == NULL) {
            status = corm_error_last()->status;
        } else if (i == 0 || within == NULL || state->session != within) {
            status = reach(state, cascade, load, &seen, out);
        }
    }
    corm_set_clear(&seen);
    return status;
}
