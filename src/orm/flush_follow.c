/*
 * Relationships in memory follow what a flush did to rows: for sessions whose objects are not expired on commit (strong
 * ones). Without it a collection would go on holding an object whose row is gone, and a reference what its foreign key
 * no longer says.
 *
 * Deleted objects are taken out of what is loaded. What a foreign key that was set by hand concerns is unloaded, to be
 * loaded again when it is looked at; what was changed through the relationship itself is in step already.
 */
#include "base/alloc.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

/* ---- deleted objects ---- */

static bool is_leaving(const corm_session *session, const corm_state *state) {
    return state != NULL && state->session == session && (state->flags & CORM_STATE_DELETING);
}

static corm_status drop_from_collection(corm_session *session, corm_state *state, corm_attribute *attribute) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    corm_vector items = {0};
    if (!host->collection_is_loaded(object, attribute)) {
        return CORM_OK;
    }
    corm_status status = host->collection_items(object, attribute, &items);
    for (size_t i = 0; i < items.count && status == CORM_OK; i++) {
        if (is_leaving(session, host->state_of(items.items[i]))) {
            status = host->collection_remove(object, attribute, items.items[i]);
        }
    }
    corm_objects_release(host, &items);
    return status;
}

static corm_status drop_reference(corm_session *session, corm_state *state, corm_attribute *attribute) {
    const corm_host *host = state->mapper->host;
    corm_value value;
    corm_status status = host->get(corm_state_object(state), attribute, &value);
    bool leaves =
        status == CORM_OK && value.kind == CORM_KIND_HOST && is_leaving(session, host->state_of(value.as.host));
    return leaves ? host->set(corm_state_object(state), attribute, &CORM_ABSENT_VALUE) : status;
}

static corm_status drop_deleted(corm_session *session, const corm_vector *classes, corm_state *state) {
    const corm_mapper *mapper = state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (attribute->relationship != NULL && corm_vector_contains(classes, attribute->relationship->target)) {
            status = attribute->kind == CORM_ATTRIBUTE_COLLECTION ? drop_from_collection(session, state, attribute)
                                                                  : drop_reference(session, state, attribute);
        }
    }
    return status;
}

corm_status corm_follow_deleted(corm_session *session, const corm_vector *classes) {
    corm_vector live = {0};
    corm_status status = corm_session_live(session, &live);
    for (size_t i = 0; i < live.count; i++) {
        corm_state *state = live.items[i];
        if (status == CORM_OK && !(state->flags & CORM_STATE_DELETING)) {
            status = drop_deleted(session, classes, state);
        }
        state->mapper->host->release(corm_state_object(state));
    }
    corm_vector_clear(&live);
    return status;
}

/* Out of everything that the session holds. */
static corm_status follow_deletes(corm_flush *flush) {
    corm_vector classes = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        const corm_work *work = flush->works.items[i];
        if ((work->flags & CORM_WORK_DELETE) && !corm_vector_contains(&classes, work->state->mapper)) {
            status = corm_vector_push(&classes, work->state->mapper);
        }
    }
    /* What is new is not in the identity map yet. */
    for (size_t i = 0; i < flush->works.count && status == CORM_OK && classes.count > 0; i++) {
        corm_work *work = flush->works.items[i];
        if (work->flags & CORM_WORK_INSERT) {
            status = drop_deleted(flush->session, &classes, work->state);
        }
    }
    if (status == CORM_OK && classes.count > 0) {
        status = corm_follow_deleted(flush->session, &classes);
    }
    corm_vector_clear(&classes);
    return status;
}

/* ---- foreign keys set by hand ---- */

enum { LONGEST_KEY = 16 };

/* Unload a relationship unless it has changes of its own. */
static corm_status unload(corm_state *state, corm_attribute *attribute) {
    return corm_state_change(state, attribute) != NULL
               ? CORM_OK
               : state->mapper->host->set(corm_state_object(state), attribute, &CORM_ABSENT_VALUE);
}

/* The foreign key that a child has (or had before the flush), in the order of the parent's primary key; false: part of it
 * is not there. Values are borrowed from the child. */
static bool foreign_key(corm_state *child, const corm_relationship *relationship, bool former, corm_value *key) {
    const corm_mapper *parent =
        relationship->direction == CORM_ONE_TO_MANY ? relationship->attribute->mapper : relationship->target;
    for (size_t i = 0; i < parent->primary_key_count; i++) {
        key[i] = CORM_ABSENT_VALUE;
        for (size_t s = 0; s < relationship->sync_count; s++) {
            corm_attribute *attribute = corm_mapper_attribute_of(child->mapper, relationship->sync[s].destination);
            if (relationship->sync[s].source != parent->primary_key[i]->column || attribute == NULL) {
                continue;
            }
            const corm_change *change = former ? corm_state_change(child, attribute) : NULL;
            if (change != NULL) {
                key[i] = change->committed;
            } else if (child->mapper->host->get(corm_state_object(child), attribute, &key[i]) != CORM_OK) {
                return false;
            }
        }
        if (key[i].kind == CORM_KIND_ABSENT || key[i].kind == CORM_KIND_NULL || key[i].kind == CORM_KIND_HOST) {
            return false;
        }
    }
    return parent->primary_key_count == relationship->sync_count;
}

/* Did the foreign key change, other than through the reference along it? */
static bool set_by_hand(const corm_work *work, const corm_relationship *relationship, const corm_attribute *reference) {
    corm_state *child = work->state;
    const corm_host *host = child->mapper->host;
    corm_value value;
    if (work->flags & CORM_WORK_INSERT) {
        return reference == NULL ||
               (host->get(work->object, reference, &value) == CORM_OK && value.kind != CORM_KIND_HOST);
    }
    if (reference != NULL && corm_state_change(child, reference) != NULL) {
        return false;
    }
    for (size_t s = 0; s < relationship->sync_count; s++) {
        corm_attribute *attribute = corm_mapper_attribute_of(child->mapper, relationship->sync[s].destination);
        if (attribute != NULL && corm_state_change(child, attribute) != NULL) {
            return true;
        }
    }
    return false;
}

/* A parent that was read before the child's new foreign key was written still shows the child. */
static corm_status take_out(corm_state *parent, corm_attribute *attribute, corm_object *child) {
    const corm_host *host = parent->mapper->host;
    corm_object *object = corm_state_object(parent);
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        return host->collection_is_loaded(object, attribute) ? host->collection_remove(object, attribute, child)
                                                             : CORM_OK;
    }
    corm_value value;
    corm_status status = host->get(object, attribute, &value);
    bool shown = status == CORM_OK && value.kind == CORM_KIND_HOST && value.as.host == (void *)child;
    return shown ? unload(parent, attribute) : status;
}

/* The child went to another parent when it was not known which one it had: nobody told that one. */
static corm_status follow_unknown(corm_flush *flush, const corm_work *work, corm_attribute *attribute) {
    const corm_relationship *relationship = attribute->relationship;
    const corm_change *change =
        relationship->inverse == NULL ? NULL : corm_state_change(work->state, relationship->inverse);
    size_t count = attribute->mapper->primary_key_count;
    corm_value former[LONGEST_KEY], present[LONGEST_KEY];
    if (!(work->flags & CORM_WORK_UPDATE) || change == NULL || change->committed.kind != CORM_KIND_ABSENT ||
        count > LONGEST_KEY || !foreign_key(work->state, relationship, true, former)) {
        return CORM_OK;
    }
    bool moved = !foreign_key(work->state, relationship, false, present);
    for (size_t i = 0; i < count && !moved; i++) {
        moved = !corm_value_equal(&former[i], &present[i]);
    }
    corm_state *parent = moved ? corm_identity_find(&flush->session->identity, attribute->mapper, former, count) : NULL;
    if (parent == NULL || !parent->mapper->host->try_hold(parent)) {
        return CORM_OK;
    }
    corm_status status = take_out(parent, attribute, work->object);
    parent->mapper->host->release(corm_state_object(parent));
    return status;
}

/* The parent's side: the collections of the former and the present parent. */
static corm_status follow_parents(corm_flush *flush, const corm_work *work, corm_attribute *attribute) {
    const corm_relationship *relationship = attribute->relationship;
    corm_value key[LONGEST_KEY];
    corm_status status = CORM_OK;
    if (attribute->mapper->primary_key_count > LONGEST_KEY || !set_by_hand(work, relationship, relationship->inverse)) {
        return CORM_OK;
    }
    for (int former = 0; former < 2 && status == CORM_OK; former++) {
        corm_state *parent = foreign_key(work->state, relationship, former != 0, key)
                                 ? corm_identity_find(&flush->session->identity, attribute->mapper, key,
                                                      attribute->mapper->primary_key_count)
                                 : NULL;
        if (parent != NULL && parent->mapper->host->try_hold(parent)) {
            status = unload(parent, attribute);
            parent->mapper->host->release(corm_state_object(parent));
        }
    }
    return status;
}

/* The child's own references. */
static corm_status follow_references(const corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_relationship *relationship = attribute->relationship;
        if (relationship != NULL && relationship->direction == CORM_MANY_TO_ONE &&
            set_by_hand(work, relationship, attribute)) {
            status = unload(work->state, attribute);
        }
    }
    return status;
}

/* Is the column a foreign key that the relationship joins by? */
static bool joins_by(const corm_relationship *relationship, const corm_vector *columns) {
    for (size_t s = 0; s < relationship->sync_count; s++) {
        if (corm_vector_contains(columns, relationship->sync[s].destination)) {
            return true;
        }
    }
    return false;
}

corm_status corm_follow_columns(corm_session *session, const corm_vector *columns) {
    corm_vector live = {0};
    corm_status status = corm_session_live(session, &live);
    for (size_t i = 0; i < live.count; i++) {
        corm_state *state = live.items[i];
        const corm_mapper *mapper = state->mapper;
        for (size_t a = 0; a < mapper->attribute_count && status == CORM_OK; a++) {
            const corm_relationship *relationship = mapper->attributes[a]->relationship;
            if (relationship != NULL && relationship->direction != CORM_MANY_TO_MANY &&
                joins_by(relationship, columns)) {
                status = unload(state, mapper->attributes[a]);
            }
        }
        mapper->host->release(corm_state_object(state));
    }
    corm_vector_clear(&live);
    return status;
}

/* One-to-many relationships that lead to a class. */
static corm_status incoming(const corm_mapper *mapper, corm_vector *out) {
    corm_status status = CORM_OK;
    out->count = 0;
    for (size_t m = 0; m < corm_registry_count(mapper->registry); m++) {
        const corm_mapper *other = corm_registry_at(mapper->registry, m);
        for (size_t i = 0; i < other->attribute_count && status == CORM_OK; i++) {
            const corm_relationship *relationship = other->attributes[i]->relationship;
            if (relationship != NULL && relationship->configured && relationship->target == mapper &&
                relationship->direction == CORM_ONE_TO_MANY) {
                status = corm_vector_push(out, other->attributes[i]);
            }
        }
    }
    return status;
}

/* Does any class of the flush relate to another? If not, its objects need not be looked at. */
static corm_status is_related(const corm_flush *flush, corm_vector *relationships, bool *out) {
    corm_status status = CORM_OK;
    *out = flush->related || (flush->actions & CORM_WORK_DELETE); /* anything may refer to what goes */
    for (size_t i = 0; i < flush->groups.count && status == CORM_OK && !*out; i++) {
        status = incoming(((corm_work_group *)flush->groups.items[i])->mapper, relationships);
        *out = relationships->count > 0;
    }
    return status;
}

corm_status corm_flush_follow(corm_flush *flush) {
    corm_vector relationships = {0};
    const corm_mapper *mapper = NULL;
    bool related = false;
    if (!flush->session->strong) {
        return CORM_OK;
    }
    corm_status status = is_related(flush, &relationships, &related);
    if (status != CORM_OK || !related) {
        corm_vector_clear(&relationships);
        return status;
    }
    if (flush->actions & CORM_WORK_DELETE) {
        status = follow_deletes(flush);
    }
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        const corm_work *work = flush->works.items[i];
        if (work->flags & CORM_WORK_DELETE) {
            continue;
        }
        if (work->state->mapper != mapper) {
            mapper = work->state->mapper;
            status = incoming(mapper, &relationships);
        }
        for (size_t r = 0; r < relationships.count && status == CORM_OK; r++) {
            status = follow_parents(flush, work, relationships.items[r]);
            if (status == CORM_OK) {
                status = follow_unknown(flush, work, relationships.items[r]);
            }
        }
        if (status == CORM_OK) {
            status = follow_references(work);
        }
    }
    corm_vector_clear(&relationships);
    return status;
}
