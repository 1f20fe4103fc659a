/*
 * Flushing: from changed objects to rows, in one transaction, all or nothing.
 *
 *   collect    what the session holds, and what relationships draw in (orphans, children whose key changes)
 *   order      parents before children; circles of rows are ordered row by row
 *   write      for each step: keys from parents, hooks, one batch a statement shape, keys to children
 *   pairs      rows of association tables
 *   delete     in the reverse order
 *   finish     new objects enter the identity map, deleted ones leave it, changes are forgotten
 *
 * Until `finish` no object's standing in the session changes, so a failure only has to roll back.
 */
#include "base/alloc.h"
#include "orm/flush_private.h"

/* The objects that have to be looked at: held, as looking may run anybody's code. */
static corm_status suspects(corm_session *session, corm_vector *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < session->identity.capacity && status == CORM_OK; i++) {
        corm_state *state = corm_identity_at(&session->identity, i);
        const corm_host *host = state == NULL ? NULL : state->mapper->host;
        if (host == NULL || host->detect_changes == NULL ||
            (host->seems_unchanged != NULL && host->seems_unchanged(state))) {
            continue;
        }
        status = corm_vector_reserve(out, 1);
        if (status == CORM_OK && host->try_hold(state)) {
            out->items[out->count++] = state;
        }
    }
    return status;
}

static corm_status detect(corm_session *session) {
    corm_vector live = {0};
    corm_status status = suspects(session, &live);
    for (size_t i = 0; i < live.count; i++) {
        corm_state *state = live.items[i];
        const corm_host *host = state->mapper->host;
        if (status == CORM_OK && state->session == session) {
            status = host->detect_changes(state);
        }
        host->release(corm_state_object(state));
    }
    corm_vector_clear(&live);
    /* New objects are held; what one of them draws in comes after it. */
    for (size_t i = 0; i < session->held.count && status == CORM_OK; i++) {
        corm_state *state = session->held.items[i];
        if (state != NULL && (state->flags & CORM_STATE_PENDING) && state->mapper->host->detect_changes != NULL) {
            status = state->mapper->host->detect_changes(state);
        }
    }
    return status;
}

static bool detects(const corm_session *session) {
    return session->host_functions != NULL && session->host_functions->detect_changes != NULL;
}

/* A host whose objects change by plain assignment looks for what changed. Taking a reference in may load its other side,
 * which begins anew here. */
static corm_status detect_changes(corm_session *session) {
    if (!detects(session) || session->detecting) {
        return CORM_OK;
    }
    session->detecting = true;
    corm_status status = detect(session);
    session->detecting = false;
    return status;
}

/* ---- finishing ---- */

static corm_status null_key(const corm_work *work) {
    corm_text name = CORM_TEXT_EMPTY;
    work->state->mapper->host->describe(work->object, &name);
    corm_error_set(CORM_FLUSH_ERROR,
                   "Instance %s has a NULL identity key.  If this is an auto-generated value, check that the "
                   "database table allows generation of new primary key values, and that the mapped Column object "
                   "is configured to expect these generated values.  Ensure also that this flush() is not occurring "
                   "at an inappropriate time, such as within a load() event.",
                   name.data == NULL ? "" : name.data);
    corm_text_clear(&name);
    return CORM_FLUSH_ERROR;
}

/* A row was written with this key. Another object that has it in the map is about to get another key, or is stale: its
 * row went away behind the session's back (or was never there: loaded, then rolled back). It gives way. */
static void make_way(corm_flush *flush, const corm_work *work) {
    corm_session *session = flush->session;
    const corm_mapper *mapper = work->state->mapper;
    corm_state *present = corm_identity_find(&session->identity, mapper, work->new_key, mapper->primary_key_count);
    if (present == NULL || present == work->state) {
        return;
    }
    if (!mapper->host->try_hold(present)) {
        corm_identity_remove(&session->identity, present);
        return;
    }
    corm_object *object = corm_state_object(present);
    const corm_work *other = corm_flush_find(flush, present);
    if (other != NULL && other->key_written &&
        !corm_state_key_equals(present, other->new_key, mapper->primary_key_count)) {
        corm_session_unregister(session, present);
    } else {
        corm_session_detach(session, present);
    }
    mapper->host->release(object);
}

static corm_status finish_changes(corm_session *session, corm_state *state) {
    state->touched = corm_session_serial(session);
    corm_status status = corm_journal_note(session, state);
    if (status == CORM_OK) {
        corm_state_commit(state);
        corm_session_unhold(session, state);
    }
    return status;
}

static corm_status finish_insert(corm_flush *flush, corm_work *work) {
    corm_session *session = flush->session;
    corm_state *state = work->state;
    size_t count = state->mapper->primary_key_count;
    for (size_t i = 0; i < count; i++) {
        if (work->new_key[i].kind == CORM_KIND_ABSENT || work->new_key[i].kind == CORM_KIND_NULL) {
            return null_key(work);
        }
    }
    make_way(flush, work);
    corm_status status = corm_state_set_key(state, work->new_key, count);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_session_enroll(session, state);
    if (status != CORM_OK) {
        corm_state_clear_key(state);
        return status;
    }
    state->flags &= ~(uint32_t)CORM_STATE_PENDING;
    state->born = corm_session_serial(session);
    status = finish_changes(session, state);
    return status == CORM_OK && (session->listening & CORM_EVENT_PENDING_TO_PERSISTENT)
               ? corm_session_event(session, CORM_EVENT_PENDING_TO_PERSISTENT, state)
               : status;
}

static corm_status record_key_switch(corm_session *session, corm_work *work) {
    corm_state *state = work->state;
    corm_key_switch *change = corm_calloc(1, sizeof *change);
    if (change == NULL) {
        return CORM_NO_MEMORY;
    }
    change->object = work->object;
    change->state = state;
    change->serial = corm_session_serial(session);
    state->mapper->host->retain(work->object);
    change->old_key = corm_state_identity_ref(state);
    corm_status status = corm_vector_push(&session->key_switches, change);
    if (status != CORM_OK) {
        corm_key_switch_free(change);
    }
    return status;
}

/* An UPDATE may have changed the primary key: the object moves in the identity map. */
static corm_status finish_update(corm_flush *flush, corm_work *work) {
    corm_session *session = flush->session;
    corm_state *state = work->state;
    corm_status status = CORM_OK;
    size_t count = state->mapper->primary_key_count;
    if (work->key_written && !corm_state_key_equals(state, work->new_key, count)) {
        status = record_key_switch(session, work);
        if (status == CORM_OK) {
            make_way(flush, work);
            corm_session_unregister(session, state);
            status = corm_state_set_key(state, work->new_key, count);
        }
        if (status == CORM_OK) {
            status = corm_session_register(session, state);
        }
    }
    return status == CORM_OK ? finish_changes(session, state) : status;
}

/* Deletes first, then moves, then births: a key that became free may be taken. */
static corm_status finish(corm_flush *flush) {
    corm_session *session = flush->session;
    corm_status status = corm_identity_reserve(&session->identity, flush->works.count);
    static const uint32_t rounds[] = {CORM_WORK_DELETE, CORM_WORK_UPDATE, CORM_WORK_INSERT};
    for (size_t round = 0; round < 3; round++) {
        size_t count = flush->actions & rounds[round] ? flush->works.count : 0;
        for (size_t i = 0; i < count && status == CORM_OK; i++) {
            corm_work *work = flush->works.items[i];
            if (!(work->flags & rounds[round]) || work->state->session != session) {
                continue;
            }
            status = round == 0   ? corm_session_bury(session, work->state)
                     : round == 1 ? finish_update(flush, work)
                                  : finish_insert(flush, work);
        }
    }
    return status;
}

/* ---- the flush ---- */

static corm_status write_all(corm_flush *flush) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < flush->steps.count && status == CORM_OK; i++) {
        status = corm_write_step(flush, flush->steps.items[i]);
    }
    if (status == CORM_OK) {
        status = corm_write_post_updates(flush);
    }
    for (size_t i = 0; i < flush->works.count && status == CORM_OK && flush->related; i++) {
        status = corm_sync_pairs(flush, flush->works.items[i]);
    }
    if (status == CORM_OK && flush->pair_order.count > 0) {
        status = corm_flush_settle(flush); /* their rows consist of keys */
    }
    if (status == CORM_OK) {
        status = corm_write_pairs(flush, true);
    }
    if (status == CORM_OK) {
        status = corm_write_pairs(flush, false);
    }
    for (size_t i = flush->steps.count; i > 0 && status == CORM_OK; i--) {
        status = corm_write_deletes(flush, flush->steps.items[i - 1]);
    }
    return status == CORM_OK ? corm_flush_settle(flush) : status;
}

/* Whether batches may wait for their results: nobody listens who is to hear of each as it happens. */
static bool may_wait(const corm_flush *flush) {
    static const uint32_t heard = CORM_EVENT_BEFORE_INSERT | CORM_EVENT_AFTER_INSERT | CORM_EVENT_BEFORE_UPDATE |
                                  CORM_EVENT_AFTER_UPDATE | CORM_EVENT_BEFORE_DELETE | CORM_EVENT_AFTER_DELETE;
    if (flush->session->get_bind != NULL ||
        corm_engine_driver(corm_connection_engine(flush->connection))->settle == NULL) {
        return false;
    }
    for (size_t i = 0; i < flush->groups.count; i++) {
        if (((const corm_work_group *)flush->groups.items[i])->mapper->listening & heard) {
            return false;
        }
    }
    return true;
}

static corm_status flush_works(corm_flush *flush) {
    corm_status status = corm_flush_collect(flush);
    if (status == CORM_OK && flush->works.count == 0) {
        return CORM_OK;
    }
    if (status == CORM_OK) {
        status = corm_flush_order(flush);
    }
    if (status == CORM_OK) {
        status =
            flush->session->get_bind == NULL ? corm_session_connection(flush->session, &flush->connection) : CORM_OK;
    }
    if (status == CORM_OK) {
        flush->waits = may_wait(flush);
        status = write_all(flush);
    }
    return status;
}

static corm_status flush_entered(corm_session *session) {
    if (session->flushing) {
        return corm_error_set(CORM_INVALID_REQUEST, "Session is already flushing");
    }
    corm_status status = detect_changes(session);
    if (status != CORM_OK || session->held_count == 0) {
        return status;
    }
    status = corm_session_ensure_transaction(session);
    if (status != CORM_OK) {
        return status;
    }
    corm_flush flush = {.session = session};
    session->flushing = true;
    status = corm_session_event(session, CORM_EVENT_BEFORE_FLUSH, NULL);
    if (status == CORM_OK) {
        status = flush_works(&flush);
    }
    if (status == CORM_OK) {
        status = corm_session_event(session, CORM_EVENT_AFTER_FLUSH, NULL);
    }
    if (status == CORM_OK) {
        status = corm_flush_follow(&flush);
    }
    if (status == CORM_OK) {
        status = finish(&flush);
    }
    if (status != CORM_OK) {
        corm_session_fail(session);
    }
    session->flushing = false;
    corm_error pending;
    corm_error_take(&pending);
    corm_flush_clear(&flush);
    corm_error_restore(&pending);
    return status == CORM_OK ? corm_session_event(session, CORM_EVENT_AFTER_FLUSH_POSTEXEC, NULL) : status;
}

corm_status corm_session_flush(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status == CORM_OK) {
        status = flush_entered(session);
        corm_session_leave(session);
    }
    return status;
}

corm_status corm_session_flush_if_needed(corm_session *session) {
    if (!session->autoflush || session->flushing) {
        /* Look all the same, so that what is read does not overwrite what was assigned. */
        corm_status status = detects(session) ? corm_session_enter(session) : CORM_OK;
        if (status == CORM_OK && detects(session)) {
            status = detect_changes(session);
            corm_session_leave(session);
        }
        return status;
    }
    if (session->held_count == 0 && detects(session)) { /* a look costs less than a flush that finds nothing */
        corm_status status = corm_session_enter(session);
        if (status != CORM_OK) {
            return status;
        }
        status = detect_changes(session);
        corm_session_leave(session);
        if (status != CORM_OK) {
            return status;
        }
    }
    return session->held_count == 0 ? CORM_OK : corm_session_flush(session);
}
