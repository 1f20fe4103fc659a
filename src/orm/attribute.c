/*
 * Attributes as a user reads and changes them: loading, events, history, the other side, cascades. See
 * attribute.h.
 *
 * Both sides of a relationship are kept in step by storing raw on the other side, never by calling the entry
 * points again, so there is no ping-pong to guard against. An order holds throughout: history first, then the
 * store, then the other side, so that a failure leaves a recorded change at most.
 */
#include "orm/attribute.h"

#include "orm/loading.h"
#include "orm/session_private.h"

static const corm_host *host_of(const corm_state *state) {
    return state->mapper->host;
}

static corm_attribute *inverse_of(const corm_attribute *attribute) {
    return attribute->relationship->inverse;
}

/* ---- loading ---- */

static corm_status detached_error(corm_state *state, const corm_attribute *attribute) {
    corm_text name = CORM_TEXT_EMPTY;
    host_of(state)->describe(corm_state_object(state), &name);
    const char *shown = name.data == NULL ? "" : name.data;
    if (corm_attribute_is_relationship(attribute)) {
        corm_error_set(CORM_DETACHED_INSTANCE,
                       "Parent instance %s is not bound to a Session; lazy load operation of attribute '%s' "
                       "cannot proceed",
                       shown, attribute->key);
    } else {
        corm_error_set(
            CORM_DETACHED_INSTANCE,
            "Instance %s is not bound to a Session; attribute refresh operation cannot proceed (attribute '%s')", shown,
            attribute->key);
    }
    corm_text_clear(&name);
    return CORM_DETACHED_INSTANCE;
}

static corm_status is_absent(corm_state *state, const corm_attribute *attribute, bool *absent) {
    const corm_host *host = host_of(state);
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        *absent = !host->collection_is_loaded(corm_state_object(state), attribute);
        return CORM_OK;
    }
    corm_value value;
    corm_status status = host->get(corm_state_object(state), attribute, &value);
    *absent = value.kind == CORM_KIND_ABSENT;
    return status;
}

static corm_status load_absent(corm_state *state, corm_attribute *attribute) {
    if (!(state->flags & CORM_STATE_HAS_KEY)) {
        /* Never written: a collection starts empty, anything else stays unset. */
        return attribute->kind == CORM_ATTRIBUTE_COLLECTION
                   ? host_of(state)->collection_set(corm_state_object(state), attribute, NULL, 0)
                   : CORM_OK;
    }
    corm_session *session = state->session;
    if (session == NULL) {
        return detached_error(state, attribute);
    }
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    if (corm_attribute_is_relationship(attribute)) {
        status = corm_load_relationship(session, state, attribute);
    } else {
        bool absent = true;
        status = corm_session_flush_if_needed(session);
        if (status == CORM_OK) {
            status = is_absent(state, attribute, &absent); /* a hook of the flush may have looked as well */
        }
        if (status == CORM_OK && absent) {
            status = corm_load_columns(session, state, &attribute, 1);
        }
    }
    corm_session_leave(session);
    return status;
}

corm_status corm_attribute_load(corm_state *state, corm_attribute *attribute) {
    bool absent;
    corm_status status = is_absent(state, attribute, &absent);
    if (status != CORM_OK || !absent) {
        return status;
    }
    const corm_host *host = host_of(state);
    corm_object *object = corm_state_object(state);
    host->retain(object);
    status = load_absent(state, attribute);
    host->release(object);
    return status;
}

/* What a change replaces, loaded without a flush: half of the change is done already, or should not be there yet. */
static corm_status load_quietly(corm_state *state, corm_attribute *attribute) {
    corm_session *session = state->session;
    bool autoflush = session != NULL && session->autoflush;
    if (session != NULL) {
        session->autoflush = false;
    }
    corm_status status = corm_attribute_load(state, attribute);
    if (session != NULL) {
        session->autoflush = autoflush;
    }
    return status;
}

/* ---- raw stores on the other side ---- */

static corm_status tell(char kind, corm_state *state, corm_attribute *attribute, corm_value *value,
                        const corm_value *old, const corm_attribute *initiator) {
    return attribute->listening ? host_of(state)->attribute_event(kind, state, attribute, value, old, initiator)
                                : CORM_OK;
}

static corm_value object_value(corm_object *object) {
    corm_value value = CORM_NULL_VALUE;
    if (object != NULL) {
        value.kind = CORM_KIND_HOST;
        value.as.host = object;
    }
    return value;
}

static corm_status link_reference(corm_state *state, corm_attribute *attribute, corm_object *object,
                                  const corm_attribute *initiator) {
    corm_value value = object_value(object);
    corm_value old = CORM_ABSENT_VALUE;
    corm_status status = tell('s', state, attribute, &value, &old, initiator);
    if (status == CORM_OK) {
        status = corm_state_changing(state, attribute);
    }
    return status == CORM_OK ? host_of(state)->set(corm_state_object(state), attribute, &value) : status;
}

/* Remember for when the collection is loaded; taking back a pending opposite. */
static corm_status pend(corm_state *owner, corm_attribute *attribute, corm_object *item, bool add) {
    const corm_host *host = host_of(owner);
    corm_change *change = corm_state_change(owner, attribute);
    corm_vector *opposite = add ? &change->removed : &change->added;
    corm_vector *list = add ? &change->added : &change->removed;
    for (size_t i = 0; i < opposite->count; i++) {
        if (opposite->items[i] == item) {
            corm_vector_remove(opposite, i);
            host->release(item);
            return CORM_OK;
        }
    }
    if (corm_vector_contains(list, item)) {
        return CORM_OK;
    }
    corm_status status = corm_vector_push(list, item);
    if (status == CORM_OK) {
        host->retain(item);
    }
    return status;
}

static corm_status store_item(corm_state *owner, corm_attribute *attribute, corm_object *item, bool add) {
    const corm_host *host = host_of(owner);
    corm_object *object = corm_state_object(owner);
    corm_status status = corm_state_changing(owner, attribute);
    if (status != CORM_OK) {
        return status;
    }
    if (host->collection_is_loaded(object, attribute)) {
        return add ? host->collection_append(object, attribute, item)
                   : host->collection_remove(object, attribute, item);
    }
    if (owner->flags & CORM_STATE_HAS_KEY) {
        return pend(owner, attribute, item, add);
    }
    return add ? host->collection_set(object, attribute, &item, 1) : CORM_OK;
}

static corm_status link_item(corm_state *owner, corm_attribute *attribute, corm_object *item,
                             const corm_attribute *initiator) {
    corm_value value = object_value(item);
    corm_status status = tell('a', owner, attribute, &value, &CORM_ABSENT_VALUE, initiator);
    return status == CORM_OK ? store_item(owner, attribute, item, true) : status;
}

static corm_status unlink_item(corm_state *owner, corm_attribute *attribute, corm_object *item,
                               const corm_attribute *initiator) {
    corm_value value = object_value(item);
    corm_status status = tell('r', owner, attribute, &value, &CORM_ABSENT_VALUE, initiator);
    return status == CORM_OK ? store_item(owner, attribute, item, false) : status;
}

/* The object that a reference holds, without loading: from the attribute, else from the identity map. */
static corm_status peek_reference(corm_state *state, corm_attribute *attribute, corm_object **out) {
    *out = NULL;
    corm_value value;
    corm_status status = host_of(state)->get(corm_state_object(state), attribute, &value);
    if (status == CORM_OK && value.kind == CORM_KIND_HOST) {
        *out = value.as.host;
    }
    return status;
}

/* A reference that is not loaded leads to `item`, as far as is known without loading it. */
static corm_status refers_unloaded(corm_state *owner, corm_attribute *attribute, const corm_object *item, bool *out) {
    corm_object *known = NULL;
    corm_status status = owner->session == NULL ? CORM_OK : corm_load_peek(owner->session, owner, attribute, &known);
    *out = known == NULL || known == item;
    if (known != NULL) {
        host_of(owner)->release(known);
    }
    return status;
}

/* `item` no longer belongs to `owner` by `attribute` (a relationship of the owner). */
static corm_status sever(corm_state *owner, corm_attribute *attribute, corm_object *item,
                         const corm_attribute *initiator) {
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        return unlink_item(owner, attribute, item, initiator);
    }
    corm_value value;
    corm_status status = host_of(owner)->get(corm_state_object(owner), attribute, &value);
    bool held = status == CORM_OK && value.kind == CORM_KIND_HOST && value.as.host == item;
    if (status == CORM_OK && value.kind == CORM_KIND_ABSENT && (owner->flags & CORM_STATE_HAS_KEY)) {
        status = refers_unloaded(owner, attribute, item, &held);
    }
    return status == CORM_OK && held ? link_reference(owner, attribute, NULL, initiator) : status;
}

static void drop_pending_orphan(const corm_attribute *attribute, corm_state *other);

/* A one-to-one owner takes `item` in place of `held`, which is an orphan now. */
static corm_status take_over(corm_state *owner, corm_attribute *attribute, corm_object *held, corm_object *item,
                             const corm_attribute *initiator) {
    const corm_host *host = host_of(owner);
    corm_state *other = host->state_of(held);
    if (other == NULL) {
        return CORM_UNMAPPED_INSTANCE;
    }
    host->retain(held);
    corm_object *present = NULL;
    corm_status status = peek_reference(other, inverse_of(attribute), &present);
    /* What the database still shows may have gone to another owner meanwhile. */
    bool is_ours = present == NULL || present == corm_state_object(owner);
    if (status == CORM_OK && is_ours) {
        status = link_reference(other, inverse_of(attribute), NULL, initiator);
    }
    if (status == CORM_OK) {
        status = link_reference(owner, attribute, item, initiator);
    }
    if (status == CORM_OK && is_ours) {
        drop_pending_orphan(attribute, other);
    }
    host->release(held);
    return status;
}

/* What a reference refers to now, held: what is there; of a one-to-one owner what the database has, for it must be let go
 * of; else what the identity map knows of the foreign key. */
static corm_status present_partner(corm_state *owner, corm_attribute *attribute, corm_object **out) {
    const corm_host *host = host_of(owner);
    corm_value value;
    *out = NULL;
    corm_status status = CORM_OK;
    if (attribute->relationship->direction == CORM_ONE_TO_MANY && owner->session != NULL) {
        status = load_quietly(owner, attribute);
    }
    if (status == CORM_OK) {
        status = host->get(corm_state_object(owner), attribute, &value);
    }
    if (status == CORM_OK && value.kind == CORM_KIND_HOST) {
        *out = value.as.host;
        host->retain(*out);
    } else if (status == CORM_OK && value.kind == CORM_KIND_ABSENT && owner->session != NULL &&
               (owner->flags & CORM_STATE_HAS_KEY)) {
        status = corm_load_peek(owner->session, owner, attribute, out);
    }
    return status;
}

/* `owner` moves from the collection of `held` to another one. */
static corm_status leave_collection(corm_state *owner, corm_attribute *attribute, corm_object *held,
                                    const corm_attribute *initiator) {
    corm_state *other = host_of(owner)->state_of(held);
    return other == NULL ? CORM_UNMAPPED_INSTANCE
                         : unlink_item(other, inverse_of(attribute), corm_state_object(owner), initiator);
}

/* `item` now belongs to `owner` by `attribute`; a one-to-one owner lets go of what it had. */
static corm_status join(corm_state *owner, corm_attribute *attribute, corm_object *item,
                        const corm_attribute *initiator) {
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        return link_item(owner, attribute, item, initiator);
    }
    corm_object *held;
    corm_status status = present_partner(owner, attribute, &held);
    if (status == CORM_OK && held != item) {
        if (held != NULL && initiator->kind == CORM_ATTRIBUTE_REFERENCE) {
            status = take_over(owner, attribute, held, item, initiator);
        } else {
            status = held == NULL ? CORM_OK : leave_collection(owner, attribute, held, initiator);
            status = status == CORM_OK ? link_reference(owner, attribute, item, initiator) : status;
        }
    }
    if (held != NULL) {
        host_of(owner)->release(held);
    }
    return status;
}

/* ---- cascades on attachment ---- */

/* save-update along a relationship: what is attached to an object of a session comes into it too. */
static corm_status cascade_add(corm_state *state, const corm_attribute *attribute, corm_state *other) {
    if (state->session == NULL || other->session == state->session || (other->flags & CORM_STATE_WAS_DELETED) ||
        !(attribute->relationship->cascade & CORM_CASCADE_SAVE_UPDATE) || attribute->relationship->view_only) {
        return CORM_OK;
    }
    return corm_session_add_state(state->session, other);
}

/* delete-orphan: an object that was never written and lost its parent leaves the session. */
static void drop_pending_orphan(const corm_attribute *attribute, corm_state *other) {
    if (!(attribute->relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) || other->session == NULL ||
        !(other->flags & CORM_STATE_PENDING)) {
        return;
    }
    corm_attribute *inverse = inverse_of(attribute);
    corm_object *parent = NULL;
    if (inverse != NULL && inverse->kind == CORM_ATTRIBUTE_REFERENCE &&
        peek_reference(other, inverse, &parent) == CORM_OK && parent != NULL) {
        return; /* it went to another parent */
    }
    corm_session *session = other->session;
    corm_object *object = corm_state_object(other);
    other->mapper->host->retain(object);
    corm_session_detach(session, other);
    if (corm_session_event(session, CORM_EVENT_PENDING_TO_TRANSIENT, other) != CORM_OK) {
        corm_error_clear();
    }
    other->mapper->host->release(object);
}

static corm_status item_state(corm_state *owner, const corm_attribute *attribute, corm_object *item, corm_state **out) {
    *out = host_of(owner)->state_of(item);
    if (*out == NULL) {
        return corm_error_last()->status;
    }
    /* An object of another class does not have the attributes that the two sides are kept in step by. */
    if (attribute->relationship->target != (*out)->mapper) {
        return corm_error_set(CORM_TYPE_ERROR, "attribute '%s.%s' holds objects of class %s: this one is of class %s",
                              owner->mapper->name, attribute->key, attribute->relationship->target->name,
                              (*out)->mapper->name);
    }
    return CORM_OK;
}

/* ---- setting ---- */

corm_status corm_attribute_set_column(corm_state *state, corm_attribute *attribute, const corm_value *value) {
    const corm_host *host = host_of(state);
    corm_object *object = corm_state_object(state);
    corm_status status = CORM_OK;
    if (!attribute->listening) {
        status = corm_state_changing(state, attribute);
        return status == CORM_OK ? host->set(object, attribute, value) : status;
    }
    corm_value stored, old;
    if (attribute->active_history) {
        status = corm_attribute_load(state, attribute);
    }
    if (status == CORM_OK) {
        status = host->snapshot(object, attribute, &old);
    }
    if (status != CORM_OK) {
        return status;
    }
    status = corm_value_copy(value, &stored);
    if (status == CORM_OK) {
        status = host->attribute_event('s', state, attribute, &stored, &old, attribute);
    }
    if (status == CORM_OK) {
        status = corm_state_changing(state, attribute);
    }
    if (status == CORM_OK) {
        status = host->set(object, attribute, &stored);
    }
    corm_value_clear(&stored);
    corm_value_clear(&old);
    return status;
}

/* The former reference: what is there, else, for history's sake, what the identity map knows of it. */
static corm_status former_reference(corm_state *state, corm_attribute *attribute, corm_value *out) {
    corm_status status = host_of(state)->snapshot(corm_state_object(state), attribute, out);
    if (status != CORM_OK || out->kind != CORM_KIND_ABSENT || !(state->flags & CORM_STATE_HAS_KEY) ||
        state->session == NULL) {
        return status;
    }
    corm_relationship *relationship = attribute->relationship;
    bool orphans = (relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) != 0;
    if (attribute->active_history || orphans || relationship->direction == CORM_ONE_TO_MANY) {
        /* The former partner must be known to be let go of. */
        status = load_quietly(state, attribute);
        return status == CORM_OK ? host_of(state)->snapshot(corm_state_object(state), attribute, out) : status;
    }
    corm_object *known = NULL;
    status = corm_load_peek(state->session, state, attribute, &known);
    if (status == CORM_OK && known != NULL) {
        *out = object_value(known);
        out->owned = true; /* corm_load_peek() retained it */
    }
    return status;
}

/* When the former value is unknown, the other side may hold the object already. */
static bool already_there(corm_state *owner, const corm_attribute *attribute, corm_object *item) {
    const corm_host *host = host_of(owner);
    corm_object *object = corm_state_object(owner);
    return attribute->kind == CORM_ATTRIBUTE_COLLECTION && host->collection_is_loaded(object, attribute) &&
           host->collection_contains(object, attribute, item);
}

corm_status corm_attribute_set_reference(corm_state *state, corm_attribute *attribute, corm_object *object) {
    const corm_host *host = host_of(state);
    corm_attribute *inverse = inverse_of(attribute);
    corm_object *self = corm_state_object(state);
    corm_state *other = NULL;
    corm_value value = object_value(object);
    corm_value old = CORM_ABSENT_VALUE;
    corm_status status = former_reference(state, attribute, &old);
    if (status == CORM_OK) {
        status = tell('s', state, attribute, &value, &old, attribute);
    }
    object = value.kind == CORM_KIND_HOST ? value.as.host : NULL;
    if (object != NULL) {
        host->retain(object);
    }
    if (status == CORM_OK && object != NULL) {
        status = item_state(state, attribute, object, &other);
    }
    if (status != CORM_OK) {
        goto done;
    }
    corm_object *past = old.kind == CORM_KIND_HOST ? old.as.host : NULL;
    if (corm_state_change(state, attribute) == NULL) {
        corm_value committed;
        status = corm_value_copy(&old, &committed);
        if (status == CORM_OK) {
            status = corm_state_changed(state, attribute, &committed);
        }
    }
    if (status == CORM_OK) {
        status = host->set(self, attribute, &value);
    }
    if (status != CORM_OK || past == object) {
        goto cascade;
    }
    if (past != NULL) {
        corm_state *past_state = host->state_of(past);
        if (past_state == NULL) {
            status = corm_error_last()->status;
        } else if (inverse != NULL) {
            status = sever(past_state, inverse, self, attribute);
        }
        if (status == CORM_OK) {
            drop_pending_orphan(attribute, past_state);
        }
        if (status == CORM_OK && inverse != NULL) {
            drop_pending_orphan(inverse, state);
        }
    }
    if (status == CORM_OK && object != NULL && inverse != NULL &&
        !(old.kind == CORM_KIND_ABSENT && already_there(other, inverse, self))) {
        status = join(other, inverse, self, attribute);
    }
cascade:
    if (status == CORM_OK && other != NULL) {
        status = cascade_add(state, attribute, other);
    }
done:
    if (object != NULL) {
        host->release(object);
    }
    corm_value_clear(&old);
    return status;
}

corm_status corm_attribute_delete(corm_state *state, corm_attribute *attribute) {
    switch (attribute->kind) {
    case CORM_ATTRIBUTE_COLUMN: {
        corm_status status = corm_state_changing(state, attribute);
        return status == CORM_OK ? host_of(state)->set(corm_state_object(state), attribute, &CORM_NULL_VALUE) : status;
    }
    case CORM_ATTRIBUTE_REFERENCE:
        return corm_attribute_set_reference(state, attribute, NULL);
    case CORM_ATTRIBUTE_COLLECTION:
        return corm_collection_replace(state, attribute, NULL, 0);
    }
    return CORM_OK;
}

/* ---- collections ---- */

corm_status corm_collection_adding(corm_state *state, corm_attribute *attribute, corm_object **item) {
    const corm_host *host = host_of(state);
    corm_attribute *inverse = inverse_of(attribute);
    corm_value value = object_value(*item);
    corm_status status = tell('a', state, attribute, &value, &CORM_ABSENT_VALUE, attribute);
    if (status != CORM_OK) {
        return status;
    }
    *item = value.as.host;
    corm_state *other;
    status = item_state(state, attribute, *item, &other);
    if (status == CORM_OK) {
        status = corm_state_changing(state, attribute);
    }
    if (status != CORM_OK) {
        return status;
    }
    host->retain(*item);
    if (inverse != NULL) {
        status = join(other, inverse, corm_state_object(state), attribute);
    }
    if (status == CORM_OK) {
        status = cascade_add(state, attribute, other);
    }
    host->release(*item);
    return status;
}

corm_status corm_collection_removing(corm_state *state, corm_attribute *attribute, corm_object *item) {
    const corm_host *host = host_of(state);
    corm_attribute *inverse = inverse_of(attribute);
    corm_value value = object_value(item);
    corm_state *other;
    corm_status status = item_state(state, attribute, item, &other);
    if (status == CORM_OK) {
        status = tell('r', state, attribute, &value, &CORM_ABSENT_VALUE, attribute);
    }
    if (status == CORM_OK) {
        status = corm_state_changing(state, attribute);
    }
    if (status != CORM_OK) {
        return status;
    }
    host->retain(item);
    if (inverse != NULL) {
        status = sever(other, inverse, corm_state_object(state), attribute);
    }
    if (status == CORM_OK) {
        drop_pending_orphan(attribute, other);
    }
    host->release(item);
    return status;
}

/* Set or clear a mark on the states of objects; objects without a state are skipped. */
static void mark(const corm_host *host, corm_object *const *objects, size_t count, uint32_t flag, bool on) {
    for (size_t i = 0; i < count; i++) {
        corm_state *state = host->state_of(objects[i]);
        if (state != NULL) {
            state->flags = on ? state->flags | flag : state->flags & ~flag;
        }
    }
}

/* Fire for what `from` has and `other` has not. The list of them is made first: events run user's code, which may
 * use the marks for its own comparisons. */
static corm_status fire_difference(corm_state *state, corm_attribute *attribute, corm_vector *from,
                                   corm_object *const *other, size_t other_count, bool adding) {
    const corm_host *host = host_of(state);
    corm_vector fired = {0};
    corm_status status = CORM_OK;
    mark(host, other, other_count, CORM_STATE_MARK_OLD, true);
    for (size_t i = 0; i < from->count && status == CORM_OK; i++) {
        corm_state *item = host->state_of(from->items[i]);
        if (item == NULL) {
            status = corm_error_last()->status;
        } else if (!(item->flags & (CORM_STATE_MARK_OLD | CORM_STATE_MARK_NEW))) {
            item->flags |= CORM_STATE_MARK_NEW;
            /* A place in the vector, so that a replacement by a listener is seen. */
            status = corm_vector_push(&fired, &from->items[i]);
        }
    }
    mark(host, other, other_count, CORM_STATE_MARK_OLD, false);
    mark(host, (corm_object *const *)from->items, from->count, CORM_STATE_MARK_NEW, false);
    for (size_t i = 0; i < fired.count && status == CORM_OK; i++) {
        corm_object **place = fired.items[i];
        corm_object *item = *place;
        if (!adding) {
            status = corm_collection_removing(state, attribute, item);
            continue;
        }
        status = corm_collection_adding(state, attribute, &item);
        if (status == CORM_OK && item != *place) {
            host->retain(item);
            host->release(*place);
            *place = item;
        }
    }
    corm_vector_clear(&fired);
    return status;
}

corm_status corm_collection_replace(corm_state *state, corm_attribute *attribute, corm_object *const *items,
                                    size_t count) {
    const corm_host *host = host_of(state);
    corm_object *object = corm_state_object(state);
    corm_vector present = {0}, wanted = {0};
    /* What goes must be known; SQLAlchemy loads it too. */
    corm_status status = corm_attribute_load(state, attribute);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_vector_push(&wanted, items[i]);
        if (status == CORM_OK) {
            host->retain(items[i]);
        }
    }
    if (status == CORM_OK) {
        status = host->collection_items(object, attribute, &present);
    }
    if (status == CORM_OK) {
        status = corm_state_changing(state, attribute);
    }
    if (status == CORM_OK) {
        status = fire_difference(state, attribute, &wanted, (corm_object *const *)present.items, present.count, true);
    }
    if (status == CORM_OK) {
        status = fire_difference(state, attribute, &present, (corm_object *const *)wanted.items, wanted.count, false);
    }
    if (status == CORM_OK) {
        status = host->collection_set(object, attribute, (corm_object *const *)wanted.items, wanted.count);
    }
    corm_objects_release(host, &present);
    corm_objects_release(host, &wanted);
    return status;
}

corm_status corm_collection_append(corm_state *state, corm_attribute *attribute, corm_object *item) {
    corm_status status = corm_collection_adding(state, attribute, &item);
    return status == CORM_OK ? store_item(state, attribute, item, true) : status;
}

corm_status corm_collection_remove(corm_state *state, corm_attribute *attribute, corm_object *item) {
    corm_status status = corm_collection_removing(state, attribute, item);
    return status == CORM_OK ? store_item(state, attribute, item, false) : status;
}
