/* Session.merge(): copying the state of one object onto the session's own with the same key. */
#include "base/alloc.h"
#include "base/set.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

/* Objects that were merged so far: pairs of given and merged, so that circles end. Held both. */
typedef struct merge_run {
    corm_session *session;
    const corm_host *host;
    bool load;
    corm_vector given, merged; /* corm_object *, retained */
    size_t depth;
} merge_run;

enum { MAX_MERGE_DEPTH = 1000 };

static corm_status merge_one(merge_run *run, corm_object *object, corm_object **out);

static corm_object *known(const merge_run *run, const corm_object *object) {
    for (size_t i = 0; i < run->given.count; i++) {
        if (run->given.items[i] == object) {
            return run->merged.items[i];
        }
    }
    return NULL;
}

static corm_status remember(merge_run *run, corm_object *object, corm_object *merged) {
    corm_status status = corm_vector_push(&run->given, object);
    if (status != CORM_OK) {
        return status;
    }
    run->host->retain(object);
    status = corm_vector_push(&run->merged, merged);
    if (status == CORM_OK) {
        run->host->retain(merged);
    }
    return status;
}

/* The key that the object has, or would have. *complete false: part of it is not there. */
static corm_status object_key(corm_state *state, corm_value *key, bool *complete) {
    corm_status status = CORM_OK;
    *complete = true;
    for (size_t i = 0; i < state->mapper->primary_key_count && status == CORM_OK; i++) {
        status = corm_column_value(state, state->mapper->primary_key[i], &key[i]);
        *complete = *complete && key[i].kind != CORM_KIND_ABSENT && key[i].kind != CORM_KIND_NULL;
    }
    return status;
}

/* The session's object of the same row, held: present, loaded, or new. */
static corm_status find_target(merge_run *run, corm_state *state, corm_object **out) {
    corm_mapper *mapper = state->mapper;
    bool complete = false;
    *out = NULL;
    corm_value *key = corm_calloc(mapper->primary_key_count, sizeof *key);
    if (key == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = CORM_OK;
    if (state->flags & CORM_STATE_HAS_KEY) {
        const corm_value *own;
        corm_value room;
        size_t count = corm_state_key(state, &own, &room);
        for (size_t i = 0; i < count && status == CORM_OK; i++) {
            status = corm_value_copy(&own[i], &key[i]);
        }
        complete = true;
    } else {
        status = object_key(state, key, &complete);
    }
    if (status == CORM_OK && complete && run->load) {
        status = corm_session_get(run->session, mapper, key, mapper->primary_key_count, NULL, false, out);
    } else if (status == CORM_OK && complete) {
        corm_state *present = corm_identity_find(&run->session->identity, mapper, key, mapper->primary_key_count);
        if (present != NULL && run->host->try_hold(present)) {
            *out = corm_state_object(present);
        }
    }
    if (status == CORM_OK && *out == NULL) {
        status = run->host->create_for_merge(mapper, out);
        if (status == CORM_OK && !run->load) {
            corm_state *made = run->host->state_of(*out);
            status = corm_state_set_key(made, key, mapper->primary_key_count);
            status = status == CORM_OK ? corm_session_register(run->session, made) : status;
        } else if (status == CORM_OK) {
            status = corm_session_add_state(run->session, run->host->state_of(*out));
        }
        if (status != CORM_OK && *out != NULL) {
            run->host->release(*out);
            *out = NULL;
        }
    }
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        corm_value_clear(&key[i]);
    }
    corm_free(key);
    return status;
}

static corm_status merge_column(merge_run *run, corm_state *from, corm_state *to, corm_attribute *attribute) {
    corm_value value;
    corm_status status = run->host->snapshot(corm_state_object(from), attribute, &value);
    if (status != CORM_OK || value.kind == CORM_KIND_ABSENT) {
        return status;
    }
    if (!run->load) {
        status = run->host->set(corm_state_object(to), attribute, &value);
    } else {
        corm_attribute_load(to, attribute);
        corm_error_clear();
        if (!run->host->unchanged(corm_state_object(to), attribute, &value)) {
            status = corm_attribute_set_column(to, attribute, &value);
        }
    }
    corm_value_clear(&value);
    return status;
}

static corm_status merge_collection(merge_run *run, corm_state *from, corm_state *to, corm_attribute *attribute) {
    corm_vector items = {0}, merged = {0};
    if (!run->host->collection_is_loaded(corm_state_object(from), attribute)) {
        return CORM_OK;
    }
    corm_status status = run->host->collection_items(corm_state_object(from), attribute, &items);
    for (size_t i = 0; i < items.count && status == CORM_OK; i++) {
        corm_object *object = NULL;
        status = merge_one(run, items.items[i], &object);
        if (status == CORM_OK) {
            status = corm_vector_push(&merged, object);
        }
        if (status != CORM_OK && object != NULL) {
            run->host->release(object);
        }
    }
    if (status == CORM_OK) {
        corm_object *const *objects = (corm_object *const *)(void *)merged.items;
        status = run->load ? corm_collection_replace(to, attribute, objects, merged.count)
                           : run->host->collection_set(corm_state_object(to), attribute, objects, merged.count);
    }
    corm_objects_release(run->host, &items);
    corm_objects_release(run->host, &merged);
    return status;
}

static corm_status merge_reference(merge_run *run, corm_state *from, corm_state *to, corm_attribute *attribute) {
    corm_value value;
    corm_status status = run->host->get(corm_state_object(from), attribute, &value);
    if (status != CORM_OK || value.kind == CORM_KIND_ABSENT) {
        return status;
    }
    corm_object *object = NULL;
    if (value.kind == CORM_KIND_HOST) {
        status = merge_one(run, value.as.host, &object);
    }
    if (status == CORM_OK) {
        status = corm_attribute_set_reference(to, attribute, object);
    }
    if (object != NULL) {
        run->host->release(object);
    }
    return status;
}

static corm_status copy_state(merge_run *run, corm_state *from, corm_state *to) {
    const corm_mapper *mapper = from->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (attribute->kind == CORM_ATTRIBUTE_COLUMN) {
            status = merge_column(run, from, to, attribute);
        } else if (!(attribute->relationship->cascade & CORM_CASCADE_MERGE) || attribute->relationship->view_only) {
            continue;
        } else if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
            status = merge_collection(run, from, to, attribute);
        } else {
            status = merge_reference(run, from, to, attribute);
        }
    }
    return status;
}

/* *out: the session's object, held. */
static corm_status merge_one(merge_run *run, corm_object *object, corm_object **out) {
    *out = known(run, object);
    if (*out != NULL) {
        run->host->retain(*out);
        return CORM_OK;
    }
    corm_state *state = run->host->state_of(object);
    if (state == NULL) {
        return corm_error_last()->status;
    }
    if (corm_session_contains(run->session, state)) {
        *out = object;
        run->host->retain(object);
        return CORM_OK;
    }
    if (++run->depth > MAX_MERGE_DEPTH) {
        return corm_error_set(CORM_INVALID_REQUEST, "merge() cascades more than %d objects deep", MAX_MERGE_DEPTH);
    }
    corm_status status = find_target(run, state, out);
    if (status == CORM_OK) {
        status = remember(run, object, *out);
    }
    if (status == CORM_OK) {
        status = copy_state(run, state, run->host->state_of(*out));
    }
    run->depth--;
    if (status != CORM_OK && *out != NULL) {
        run->host->release(*out);
        *out = NULL;
    }
    return status;
}

corm_status corm_session_merge(corm_session *session, corm_object *object, const corm_host *host, bool load,
                               corm_object **out) {
    merge_run run = {.session = session, .host = host, .load = load};
    *out = NULL;
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    /* No autoflush while objects are half copied. */
    status = corm_session_flush_if_needed(session);
    bool autoflush = session->autoflush;
    session->autoflush = false;
    if (status == CORM_OK) {
        status = merge_one(&run, object, out);
    }
    session->autoflush = autoflush;
    corm_objects_release(host, &run.given);
    corm_objects_release(host, &run.merged);
    corm_session_leave(session);
    return status;
}
