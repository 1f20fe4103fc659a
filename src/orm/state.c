/*
 * Instance state: life, changes and history. See state.h.
 *
 * Changes are recorded only for objects that have a row (HAS_KEY): of an object that was never written everything
 * is new, and its history is read off its present values.
 */
#include "orm/state.h"

#include <string.h>

#include "base/alloc.h"
#include "orm/attribute.h"
#include "orm/options.h"
#include "orm/session_private.h"

static const size_t first_changes = 4;

corm_object *corm_state_object(const corm_state *state) {
    return state->mapper->host->object_of((corm_state *)state);
}

bool corm_state_is_transient(const corm_state *state) {
    return !(state->flags & (CORM_STATE_HAS_KEY | CORM_STATE_PENDING));
}

bool corm_state_is_pending(const corm_state *state) {
    return (state->flags & CORM_STATE_PENDING) != 0;
}

bool corm_state_is_persistent(const corm_state *state) {
    return (state->flags & CORM_STATE_IN_MAP) != 0;
}

bool corm_state_is_deleted(const corm_state *state) {
    return (state->flags & CORM_STATE_DELETED) != 0;
}

bool corm_state_is_detached(const corm_state *state) {
    return (state->flags & CORM_STATE_HAS_KEY) != 0 && state->session == NULL;
}

bool corm_state_is_modified(const corm_state *state) {
    return (state->flags & CORM_STATE_MODIFIED) != 0;
}

/* ---- changes ---- */

static void release_objects(const corm_host *host, corm_vector *objects) {
    corm_vector taken = *objects;
    *objects = (corm_vector){0};
    for (size_t i = 0; i < taken.count; i++) {
        if (taken.items[i] != NULL) {
            host->release(taken.items[i]);
        }
    }
    corm_vector_clear(&taken);
}

void corm_objects_release(const corm_host *host, corm_vector *objects) {
    release_objects(host, objects);
}

static void change_clear(const corm_host *host, corm_change *change) {
    corm_value_clear(&change->committed);
    release_objects(host, &change->items);
    release_objects(host, &change->added);
    release_objects(host, &change->removed);
}

/* Detach the changes first: letting go of objects runs user's code that may change the state anew. */
void corm_changes_free(const corm_host *host, corm_changes *changes) {
    if (changes == NULL) {
        return;
    }
    for (size_t i = 0; i < changes->count; i++) {
        change_clear(host, &changes->items[i]);
    }
    corm_free(changes);
}

corm_change *corm_state_change(const corm_state *state, const corm_attribute *attribute) {
    corm_changes *changes = state->changes;
    if (changes != NULL) {
        for (size_t i = 0; i < changes->count; i++) {
            if (changes->items[i].attribute == attribute) {
                return &changes->items[i];
            }
        }
    }
    return NULL;
}

static corm_status changes_reserve(corm_state *state) {
    corm_changes *changes = state->changes;
    if (changes != NULL && changes->count < changes->capacity) {
        return CORM_OK;
    }
    size_t capacity = changes == NULL ? first_changes : changes->capacity * 2;
    corm_changes *grown = corm_realloc(changes, sizeof *grown + capacity * sizeof *grown->items);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    if (changes == NULL) {
        grown->count = 0;
    }
    grown->capacity = capacity;
    state->changes = grown;
    return CORM_OK;
}

/* The state has something to flush: its session holds it, and is in a transaction that a rollback can undo. */
static corm_status mark_modified(corm_state *state) {
    corm_session *session = state->session;
    if (session != NULL && session->transactions.count == 0 && !session->failed) {
        corm_status status = corm_session_ensure_transaction(session);
        if (status != CORM_OK) {
            return status;
        }
    }
    if (state->session != NULL && (state->flags & (CORM_STATE_IN_MAP | CORM_STATE_HELD)) == CORM_STATE_IN_MAP) {
        corm_status status = corm_session_hold(state->session, state);
        if (status != CORM_OK) {
            return status;
        }
    }
    state->flags |= CORM_STATE_MODIFIED;
    return CORM_OK;
}

corm_status corm_state_changed(corm_state *state, corm_attribute *attribute, corm_value *committed) {
    corm_value former = *committed;
    *committed = CORM_ABSENT_VALUE;
    corm_status status = CORM_OK;
    if ((state->flags & CORM_STATE_HAS_KEY) && corm_state_change(state, attribute) == NULL) {
        status = changes_reserve(state);
        if (status == CORM_OK) {
            status = mark_modified(state);
        }
        if (status == CORM_OK) {
            state->changes->items[state->changes->count++] = (corm_change){.attribute = attribute, .committed = former};
            return CORM_OK;
        }
    }
    corm_value_clear(&former);
    return status;
}

/* Record what a collection holds before its first change. */
static corm_status collection_changing(corm_state *state, corm_attribute *attribute) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    corm_change change = {.attribute = attribute, .loaded = host->collection_is_loaded(object, attribute)};
    corm_status status = CORM_OK;
    if (change.loaded) {
        status = host->collection_items(object, attribute, &change.items);
    }
    if (status == CORM_OK) {
        status = changes_reserve(state);
    }
    if (status == CORM_OK) {
        status = mark_modified(state);
    }
    if (status != CORM_OK) {
        release_objects(host, &change.items);
        return status;
    }
    state->changes->items[state->changes->count++] = change;
    return CORM_OK;
}

corm_status corm_state_changing(corm_state *state, corm_attribute *attribute) {
    if (!(state->flags & CORM_STATE_HAS_KEY) || corm_state_change(state, attribute) != NULL) {
        return CORM_OK;
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        return collection_changing(state, attribute);
    }
    corm_value committed;
    corm_status status = state->mapper->host->snapshot(corm_state_object(state), attribute, &committed);
    return status != CORM_OK ? status : corm_state_changed(state, attribute, &committed);
}

void corm_state_commit(corm_state *state) {
    corm_changes *changes = state->changes;
    state->changes = NULL;
    state->flags &= ~(uint32_t)CORM_STATE_MODIFIED;
    corm_changes_free(state->mapper->host, changes);
}

void corm_state_commit_attribute(corm_state *state, const corm_attribute *attribute) {
    corm_change *change = corm_state_change(state, attribute);
    if (change == NULL) {
        return;
    }
    corm_change taken = *change;
    corm_changes *changes = state->changes;
    size_t at = (size_t)(change - changes->items);
    changes->count--;
    memmove(change, change + 1, (changes->count - at) * sizeof *change);
    change_clear(state->mapper->host, &taken);
}

/* ---- destruction ---- */

void corm_state_leave(corm_state *state) {
    state->flags |= CORM_STATE_DYING;
    if (state->session != NULL) {
        /* Neither pending nor modified: those are held and do not die. */
        if (state->flags & CORM_STATE_IN_MAP) {
            corm_identity_remove(&state->session->identity, state);
        }
        state->session = NULL;
    }
}

void corm_state_destroy(corm_state *state) {
    corm_state_leave(state);
    corm_state_clear_key(state);
    corm_state_clear_references(state);
}

int corm_state_visit(corm_state *state, int (*visit)(corm_object *object, void *context), void *context) {
    corm_changes *changes = state->changes;
    int stop = 0;
    for (size_t i = 0; changes != NULL && i < changes->count && stop == 0; i++) {
        corm_change *change = &changes->items[i];
        if (change->committed.kind == CORM_KIND_HOST && change->committed.owned) {
            stop = visit(change->committed.as.host, context);
        }
        const corm_vector *lists[] = {&change->items, &change->added, &change->removed};
        for (size_t list = 0; list < 3; list++) {
            for (size_t item = 0; item < lists[list]->count && stop == 0; item++) {
                if (lists[list]->items[item] != NULL) {
                    stop = visit(lists[list]->items[item], context);
                }
            }
        }
    }
    return stop;
}

void corm_state_clear_references(corm_state *state) {
    corm_changes *changes = state->changes;
    corm_load_options *options = state->options;
    state->changes = NULL;
    state->options = NULL;
    corm_changes_free(state->mapper->host, changes);
    corm_load_options_unref(options);
}

/* ---- history ---- */

void corm_history_clear(const corm_state *state, corm_history *history) {
    corm_value_clear(&history->added);
    corm_value_clear(&history->unchanged);
    corm_value_clear(&history->deleted);
    release_objects(state->mapper->host, &history->added_objects);
    release_objects(state->mapper->host, &history->unchanged_objects);
    release_objects(state->mapper->host, &history->deleted_objects);
    *history = (corm_history){0};
}

static corm_status push_retained(const corm_host *host, corm_vector *vector, corm_object *object) {
    corm_status status = corm_vector_push(vector, object);
    if (status == CORM_OK && object != NULL) {
        host->retain(object);
    }
    return status;
}

static corm_status push_all(const corm_host *host, corm_vector *to, const corm_vector *from) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < from->count && status == CORM_OK; i++) {
        status = push_retained(host, to, from->items[i]);
    }
    return status;
}

static corm_status column_history(corm_state *state, corm_attribute *attribute, corm_history *out) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    corm_change *change = corm_state_change(state, attribute);
    corm_value now;
    corm_status status = host->snapshot(object, attribute, &now);
    if (status != CORM_OK) {
        return status;
    }
    bool is_new = !(state->flags & CORM_STATE_HAS_KEY);
    if (!is_new && (change == NULL || (change->committed.kind != CORM_KIND_ABSENT &&
                                       host->unchanged(object, attribute, &change->committed)))) {
        out->unchanged = now;
        return CORM_OK;
    }
    out->added = now;
    /* unchanged() may have run user's code: look again. */
    change = corm_state_change(state, attribute);
    return change == NULL ? CORM_OK : corm_value_copy(&change->committed, &out->deleted);
}

static corm_status reference_history(corm_state *state, corm_attribute *attribute, corm_history *out) {
    const corm_host *host = state->mapper->host;
    corm_change *change = corm_state_change(state, attribute);
    corm_value now;
    corm_status status = host->get(corm_state_object(state), attribute, &now);
    if (status != CORM_OK) {
        return status;
    }
    corm_object *present = now.kind == CORM_KIND_HOST ? now.as.host : NULL;
    bool is_new = !(state->flags & CORM_STATE_HAS_KEY);
    if (now.kind == CORM_KIND_ABSENT && change == NULL) {
        return CORM_OK;
    }
    corm_value former = change != NULL ? change->committed : CORM_ABSENT_VALUE;
    corm_object *past = former.kind == CORM_KIND_HOST ? former.as.host : NULL;
    if ((change == NULL && !is_new) || (change != NULL && former.kind != CORM_KIND_ABSENT && past == present)) {
        return push_retained(host, &out->unchanged_objects, present);
    }
    if (now.kind != CORM_KIND_ABSENT) {
        status = push_retained(host, &out->added_objects, present);
    }
    if (status == CORM_OK && past != NULL) {
        status = push_retained(host, &out->deleted_objects, past);
    }
    return status;
}

/* Sort the present and the former items of a collection by marks in their states; each object once. */
static corm_status compare_items(const corm_host *host, const corm_vector *past, const corm_vector *present,
                                 corm_history *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < past->count; i++) {
        corm_state *item = host->state_of(past->items[i]);
        if (item != NULL) {
            item->flags |= CORM_STATE_MARK_OLD;
        }
    }
    for (size_t i = 0; i < present->count && status == CORM_OK; i++) {
        corm_state *item = host->state_of(present->items[i]);
        if (item == NULL) {
            status = corm_error_last()->status;
        } else if (!(item->flags & CORM_STATE_MARK_NEW)) {
            item->flags |= CORM_STATE_MARK_NEW;
            status =
                push_retained(host, item->flags & CORM_STATE_MARK_OLD ? &out->unchanged_objects : &out->added_objects,
                              present->items[i]);
        }
    }
    for (size_t i = 0; i < past->count; i++) {
        corm_state *item = host->state_of(past->items[i]);
        if (item != NULL && (item->flags & CORM_STATE_MARK_OLD)) {
            item->flags &= ~(uint32_t)CORM_STATE_MARK_OLD;
            if (!(item->flags & CORM_STATE_MARK_NEW) && status == CORM_OK) {
                status = push_retained(host, &out->deleted_objects, past->items[i]);
            }
        }
    }
    for (size_t i = 0; i < present->count; i++) {
        corm_state *item = host->state_of(present->items[i]);
        if (item != NULL) {
            item->flags &= ~(uint32_t)CORM_STATE_MARK_NEW;
        }
    }
    return status;
}

static corm_status collection_history(corm_state *state, corm_attribute *attribute, corm_history *out) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    corm_change *change = corm_state_change(state, attribute);
    if (change != NULL && !change->loaded && !host->collection_is_loaded(object, attribute)) {
        corm_status status = push_all(host, &out->added_objects, &change->added);
        return status != CORM_OK ? status : push_all(host, &out->deleted_objects, &change->removed);
    }
    corm_vector present = {0};
    corm_status status = host->collection_items(object, attribute, &present);
    if (status == CORM_OK) {
        change = corm_state_change(state, attribute);
        if (!(state->flags & CORM_STATE_HAS_KEY)) {
            status = compare_items(host, &(corm_vector){0}, &present, out);
        } else if (change == NULL) {
            status = push_all(host, &out->unchanged_objects, &present);
        } else if (!change->loaded) {
            /* Assigned without having been loaded: all that is there counts as added. */
            status = compare_items(host, &change->removed, &present, out);
        } else {
            status = compare_items(host, &change->items, &present, out);
        }
    }
    release_objects(host, &present);
    return status;
}

corm_status corm_state_history(corm_state *state, corm_attribute *attribute, bool load, corm_history *out) {
    *out = (corm_history){0};
    corm_status status = load ? corm_attribute_load(state, attribute) : CORM_OK;
    if (status == CORM_OK) {
        switch (attribute->kind) {
        case CORM_ATTRIBUTE_COLUMN:
            status = column_history(state, attribute, out);
            break;
        case CORM_ATTRIBUTE_REFERENCE:
            status = reference_history(state, attribute, out);
            break;
        case CORM_ATTRIBUTE_COLLECTION:
            status = collection_history(state, attribute, out);
            break;
        }
    }
    if (status != CORM_OK) {
        corm_history_clear(state, out);
    }
    return status;
}
