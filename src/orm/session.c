/*
 * Sessions: which objects are in, and what holds them. See session.h; transactions are in transaction.c, writing
 * in flush.c, loading in load.c.
 *
 * An object is in the session in one of four ways: pending (held), persistent (in the identity map; held too while
 * it has changes or is to be deleted), deleted in this transaction (held by a tombstone), or not at all. Letting
 * go of an object may run user's code, so each change of these structures is complete before a release.
 */
#include "orm/session.h"

#include "base/alloc.h"
#include "orm/loading.h"
#include "orm/options.h"
#include "orm/session_private.h"

static atomic_uint_fast64_t sessions_made;

/* ---- life ---- */

corm_status corm_session_new(corm_engine *engine, const corm_session_options *options, corm_session **out) {
    static const corm_session_options no_options = {0};
    *out = NULL;
    if (options == NULL) {
        options = &no_options;
    }
    corm_session *session = corm_calloc(1, sizeof *session);
    if (session == NULL) {
        return CORM_NO_MEMORY;
    }
    session->engine = engine == NULL ? NULL : corm_engine_ref(engine);
    session->autoflush = !options->no_autoflush;
    session->expire_on_commit = !options->keep_on_commit;
    session->autobegin = !options->no_autobegin;
    session->strong = options->strong;
    session->host = options->host;
    session->host_functions = options->host_functions;
    atomic_init(&session->owner, 0);
    session->number = atomic_fetch_add(&sessions_made, 1) + 1;
    *out = session;
    return CORM_OK;
}

void corm_session_free(corm_session *session) {
    if (session == NULL) {
        return;
    }
    corm_error pending;
    corm_error_take(&pending);
    corm_session_close(session);
    corm_error_restore(&pending);
    corm_connection_watch_end(&session->watch);
    corm_identity_clear(&session->identity);
    corm_partners_clear(session);
    corm_vector_clear(&session->held);
    corm_vector_clear(&session->transactions);
    corm_vector_clear(&session->tombstones);
    corm_vector_clear(&session->key_switches);
    corm_vector_clear(&session->journal);
    corm_free(session->failure);
    if (session->engine != NULL) {
        corm_engine_unref(session->engine);
    }
    corm_free(session);
}

static corm_status rebind(corm_session *session, corm_engine *engine) {
    if (session->transactions.count > 0 && session->connection != NULL) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "the session has a transaction under way: commit or roll back before it is bound "
                              "to something else");
    }
    corm_engine *former = session->engine;
    session->engine = engine == NULL ? NULL : corm_engine_ref(engine);
    if (former != NULL) {
        corm_engine_unref(former);
    }
    return CORM_OK;
}

corm_status corm_session_bind(corm_session *session, corm_engine *engine) {
    corm_status status = rebind(session, engine);
    if (status == CORM_OK && session->borrowed_connection) {
        corm_connection_watch_end(&session->watch);
        session->connection = NULL;
        session->borrowed_connection = false;
    }
    return status;
}

/* The caller closed the connection, which rolled back. */
static void connection_closed(corm_connection_watch *watch) {
    corm_session *session = (corm_session *)(void *)((char *)watch - offsetof(corm_session, watch));
    session->connection = NULL;
    for (size_t i = 0; i < session->transactions.count; i++) {
        ((corm_transaction *)session->transactions.items[i])->on_database = false;
    }
}

corm_status corm_session_bind_connection(corm_session *session, corm_connection *connection) {
    corm_status status = rebind(session, corm_connection_engine(connection));
    if (status == CORM_OK) {
        session->connection = connection;
        session->borrowed_connection = true;
        session->watch.closed = connection_closed;
        corm_connection_watch_begin(connection, &session->watch);
    }
    return status;
}

void corm_session_set_join(corm_session *session, corm_session_join join) {
    session->join = join;
}

uint64_t corm_session_number(const corm_session *session) {
    return session->number;
}

void *corm_session_host(const corm_session *session) {
    return session->host;
}

void corm_session_set_two_phase(corm_session *session, bool two_phase) {
    session->two_phase = two_phase;
}

void corm_session_characterize(corm_session *session, const corm_characteristics *wanted) {
    session->characteristics = *wanted;
}

corm_engine *corm_session_engine(const corm_session *session) {
    return session->engine;
}

void corm_session_set_autoflush(corm_session *session, bool autoflush) {
    session->autoflush = autoflush;
}

bool corm_session_autoflush(const corm_session *session) {
    return session->autoflush;
}

void corm_session_set_expire_on_commit(corm_session *session, bool expire) {
    session->expire_on_commit = expire;
}

bool corm_session_expire_on_commit(const corm_session *session) {
    return session->expire_on_commit;
}

void corm_session_listen(corm_session *session, uint32_t event_kinds) {
    session->listening = event_kinds;
}

/* The calling thread: no two that live have the same. */
static uintptr_t this_thread(void) {
    static _Thread_local char place;
    return (uintptr_t)&place;
}

corm_status corm_session_enter(corm_session *session) {
    uintptr_t self = this_thread(), nobody = 0;
    if (atomic_load_explicit(&session->owner, memory_order_relaxed) == self ||
        atomic_compare_exchange_strong_explicit(&session->owner, &nobody, self, memory_order_acquire,
                                                memory_order_relaxed)) {
        session->entered++;
        return CORM_OK;
    }
    return corm_error_set(CORM_ILLEGAL_STATE_CHANGE,
                          "this Session is used by another thread while an operation of it is under way: give "
                          "each thread a session of its own (scoped_session does)");
}

bool corm_session_is_busy(const corm_session *session) {
    return atomic_load_explicit(&session->owner, memory_order_relaxed) != 0;
}

void corm_session_leave(corm_session *session) {
    if (--session->entered == 0) {
        atomic_store_explicit(&session->owner, 0, memory_order_release);
    }
}

corm_status corm_session_event(corm_session *session, corm_event_kind kind, corm_state *state) {
    if (!(session->listening & kind) || session->host_functions == NULL) {
        return CORM_OK;
    }
    return session->host_functions->event(kind, session, session->connection, state);
}

/* ---- holding ---- */

corm_status corm_session_hold(corm_session *session, corm_state *state) {
    if (state->flags & CORM_STATE_HELD) {
        return CORM_OK;
    }
    if (session->held.count >= UINT32_MAX) {
        return corm_error_set(CORM_INVALID_REQUEST, "more than %u changed objects in one session",
                              (unsigned)UINT32_MAX);
    }
    corm_status status = corm_vector_push(&session->held, state);
    if (status == CORM_OK) {
        state->held_index = (uint32_t)(session->held.count - 1);
        state->flags |= CORM_STATE_HELD;
        session->held_count++;
        state->mapper->host->retain(corm_state_object(state));
    }
    return status;
}

void corm_session_unhold(corm_session *session, corm_state *state) {
    if (!(state->flags & CORM_STATE_HELD)) {
        return;
    }
    state->flags &= ~(uint32_t)CORM_STATE_HELD;
    session->held.items[state->held_index] = NULL;
    if (--session->held_count == 0) {
        session->held.count = 0;
    }
    state->mapper->host->release(corm_state_object(state));
}

corm_status corm_session_register(corm_session *session, corm_state *state) {
    const corm_value *key;
    corm_value room;
    size_t count = corm_state_key(state, &key, &room);
    corm_state *present = corm_identity_find(&session->identity, state->mapper, key, count);
    if (present == state) {
        return CORM_OK;
    }
    const corm_host *host = state->mapper->host;
    if (present != NULL && host->try_hold(present)) {
        corm_text name = CORM_TEXT_EMPTY;
        host->describe(corm_state_object(state), &name);
        corm_error_set(CORM_INVALID_REQUEST,
                       "Can't attach instance %s; another instance with the same key is already present in this "
                       "session: use merge() to copy its state onto that one",
                       name.data == NULL ? state->mapper->name : name.data);
        corm_text_clear(&name);
        host->release(corm_state_object(present));
        return CORM_INVALID_REQUEST;
    }
    if (present != NULL) {
        corm_identity_remove(&session->identity, present);
    }
    return corm_session_enroll(session, state);
}

corm_status corm_session_enroll(corm_session *session, corm_state *state) {
    corm_status status = corm_identity_add(&session->identity, state);
    if (status == CORM_OK) {
        state->session = session;
        if (session->strong) {
            state->mapper->host->retain(corm_state_object(state));
        }
    }
    return status;
}

void corm_session_unregister(corm_session *session, corm_state *state) {
    if (!(state->flags & CORM_STATE_IN_MAP)) {
        return;
    }
    corm_identity_remove(&session->identity, state);
    if (session->strong) {
        state->mapper->host->release(corm_state_object(state));
    }
}

/* Retain what must survive while references are let go of one by one. */
static void leave(corm_session *session, corm_state *state) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    host->retain(object);
    bool pending = (state->flags & CORM_STATE_PENDING) != 0;
    state->flags &= ~(uint32_t)(CORM_STATE_PENDING | CORM_STATE_DELETING);
    state->session = NULL;
    corm_session_unregister(session, state);
    corm_session_unhold(session, state);
    if (pending) {
        state->flags &= ~(uint32_t)CORM_STATE_MODIFIED;
    }
    host->release(object);
}

static void drop_tombstone(corm_session *session, const corm_state *state) {
    for (size_t i = 0; i < session->tombstones.count; i++) {
        corm_tombstone *tombstone = session->tombstones.items[i];
        if (tombstone->state == state) {
            corm_object *object = tombstone->object;
            const corm_host *host = state->mapper->host;
            corm_vector_remove(&session->tombstones, i);
            corm_free(tombstone);
            host->release(object);
            return;
        }
    }
}

void corm_session_detach(corm_session *session, corm_state *state) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    host->retain(object);
    leave(session, state);
    if (state->flags & CORM_STATE_DELETED) {
        state->flags &= ~(uint32_t)CORM_STATE_DELETED;
        state->flags |= CORM_STATE_WAS_DELETED;
        drop_tombstone(session, state);
    }
    host->release(object);
}

corm_status corm_session_bury(corm_session *session, corm_state *state) {
    if (corm_journal_note(session, state) != CORM_OK) {
        return CORM_NO_MEMORY;
    }
    corm_tombstone *tombstone = corm_alloc(sizeof *tombstone);
    if (tombstone == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_vector_push(&session->tombstones, tombstone);
    if (status != CORM_OK) {
        corm_free(tombstone);
        return status;
    }
    *tombstone = (corm_tombstone){corm_state_object(state), state, corm_session_serial(session)};
    state->mapper->host->retain(tombstone->object);
    state->flags &= ~(uint32_t)CORM_STATE_DELETING;
    state->flags |= CORM_STATE_DELETED;
    state->touched = tombstone->serial;
    corm_session_unregister(session, state);
    corm_state_commit(state);
    corm_session_unhold(session, state);
    return corm_session_event(session, CORM_EVENT_PERSISTENT_TO_DELETED, state);
}

corm_status corm_session_live(corm_session *session, corm_vector *out) {
    corm_status status = corm_vector_reserve(out, session->identity.count);
    for (size_t i = 0; i < session->identity.capacity && status == CORM_OK; i++) {
        corm_state *state = corm_identity_at(&session->identity, i);
        if (state != NULL && state->mapper->host->try_hold(state)) {
            status = corm_vector_push(out, state);
        }
    }
    return status;
}

static void release_states(corm_vector *states) {
    for (size_t i = 0; i < states->count; i++) {
        corm_state *state = states->items[i];
        state->mapper->host->release(corm_state_object(state));
    }
    corm_vector_clear(states);
}

/* ---- adding ---- */

static corm_status refuse(corm_status status, corm_state *state, const char *what) {
    corm_text name = CORM_TEXT_EMPTY;
    state->mapper->host->describe(corm_state_object(state), &name);
    corm_error_set(status, "Instance '%s'%s", name.data == NULL ? state->mapper->name : name.data, what);
    corm_text_clear(&name);
    return status;
}

static corm_status other_session(const corm_session *session, corm_state *state) {
    corm_text name = CORM_TEXT_EMPTY;
    state->mapper->host->describe(corm_state_object(state), &name);
    corm_error_set(CORM_INVALID_REQUEST, "Object '%s' is already attached to session '%llu' (this is '%llu')",
                   name.data == NULL ? state->mapper->name : name.data, (unsigned long long)state->session->number,
                   (unsigned long long)session->number);
    corm_text_clear(&name);
    return CORM_INVALID_REQUEST;
}

static corm_status attach_pending(corm_session *session, corm_state *state) {
    const uint32_t heard =
        session->listening & (CORM_EVENT_BEFORE_ATTACH | CORM_EVENT_AFTER_ATTACH | CORM_EVENT_TRANSIENT_TO_PENDING);
    corm_status status = heard ? corm_session_event(session, CORM_EVENT_BEFORE_ATTACH, state) : CORM_OK;
    if (status == CORM_OK) {
        status = corm_session_hold(session, state);
    }
    if (status != CORM_OK) {
        return status;
    }
    state->session = session;
    state->born = corm_session_serial(session);
    state->flags |= CORM_STATE_PENDING;
    if (!heard) {
        return CORM_OK;
    }
    status = corm_session_event(session, CORM_EVENT_AFTER_ATTACH, state);
    return status == CORM_OK ? corm_session_event(session, CORM_EVENT_TRANSIENT_TO_PENDING, state) : status;
}

static corm_status attach_detached(corm_session *session, corm_state *state) {
    if (state->flags & CORM_STATE_WAS_DELETED) {
        return refuse(CORM_INVALID_REQUEST, state,
                      " has been deleted.  Use the make_transient() function to send this object back to the "
                      "transient state.");
    }
    corm_status status = corm_session_event(session, CORM_EVENT_BEFORE_ATTACH, state);
    if (status == CORM_OK) {
        status = corm_session_register(session, state);
    }
    if (status == CORM_OK && (state->flags & CORM_STATE_MODIFIED)) {
        status = corm_session_hold(session, state);
        if (status != CORM_OK) {
            state->session = NULL;
            corm_session_unregister(session, state);
        }
    }
    if (status == CORM_OK) {
        status = corm_session_event(session, CORM_EVENT_AFTER_ATTACH, state);
    }
    return status == CORM_OK ? corm_session_event(session, CORM_EVENT_DETACHED_TO_PERSISTENT, state) : status;
}

static corm_status add_one(corm_session *session, corm_state *state) {
    if (state->session != NULL && state->session != session) {
        return other_session(session, state);
    }
    if (state->flags & CORM_STATE_DELETED) {
        return refuse(CORM_INVALID_REQUEST, state,
                      " has been deleted.  Use the make_transient() function to send this object back to the "
                      "transient state.");
    }
    if (state->session == session) {
        state->flags &= ~(uint32_t)CORM_STATE_DELETING; /* add() takes a delete() back */
        return CORM_OK;
    }
    return state->flags & CORM_STATE_HAS_KEY ? attach_detached(session, state) : attach_pending(session, state);
}

corm_status corm_session_add_state(corm_session *session, corm_state *state) {
    corm_vector reached = {0};
    const corm_host *host = state->mapper->host;
    corm_status status = corm_session_ensure_transaction(session);
    if (status == CORM_OK) {
        status = corm_mapper_configure(state->mapper);
    }
    if (status != CORM_OK || state->mapper->relationship_count == 0) {
        return status != CORM_OK ? status : add_one(session, state);
    }
    status = corm_cascade_collect(state, CORM_CASCADE_SAVE_UPDATE, false, session, &reached);
    for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
        corm_state *other = host->state_of(reached.items[i]);
        if (other == NULL) {
            status = corm_error_last()->status;
        } else if (other == state || (other->session != session && !(other->flags & CORM_STATE_DELETED))) {
            status = add_one(session, other);
        }
    }
    corm_objects_release(host, &reached);
    return status;
}

corm_status corm_session_add(corm_session *session, corm_object *object, const corm_host *host) {
    corm_state *state = host->state_of(object);
    if (state == NULL) {
        return corm_error_last()->status;
    }
    corm_status status = corm_session_enter(session);
    if (status == CORM_OK) {
        status = corm_session_add_state(session, state);
        corm_session_leave(session);
    }
    return status;
}

/* ---- deleting ---- */

static corm_status delete_state(corm_session *session, corm_state *state) {
    if (!(state->flags & CORM_STATE_HAS_KEY)) {
        return refuse(CORM_INVALID_REQUEST, state, " is not persisted");
    }
    if (state->session != NULL && state->session != session) {
        return other_session(session, state);
    }
    if (state->flags & (CORM_STATE_DELETED | CORM_STATE_DELETING)) {
        return CORM_OK;
    }
    corm_status status = state->session == NULL ? attach_detached(session, state) : CORM_OK;
    if (status == CORM_OK) {
        status = corm_session_hold(session, state);
    }
    if (status == CORM_OK) {
        state->flags |= CORM_STATE_DELETING;
    }
    return status;
}

corm_status corm_session_delete(corm_session *session, corm_object *object, const corm_host *host) {
    corm_state *state = host->state_of(object);
    if (state == NULL) {
        return corm_error_last()->status;
    }
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    corm_vector reached = {0};
    host->retain(object);
    status = corm_session_ensure_transaction(session);
    if (status == CORM_OK && !(state->flags & CORM_STATE_HAS_KEY)) {
        status = delete_state(session, state); /* says why not */
    }
    /* An object that is on its way already ends the cascade: SQLAlchemy's rule, and what makes cycles end. */
    if (status == CORM_OK && !(state->flags & (CORM_STATE_DELETING | CORM_STATE_DELETED))) {
        if (state->session == NULL) {
            status = attach_detached(session, state);
        }
        if (status == CORM_OK) {
            status = corm_cascade_collect(state, CORM_CASCADE_DELETE, true, NULL, &reached);
        }
        for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
            corm_state *other = host->state_of(reached.items[i]);
            if (other == state || (other->flags & CORM_STATE_HAS_KEY)) {
                status = delete_state(session, other);
            }
        }
    }
    corm_objects_release(host, &reached);
    host->release(object);
    corm_session_leave(session);
    return status;
}

/* ---- expunging ---- */

static corm_status expunge_one(corm_session *session, corm_state *state) {
    bool pending = (state->flags & CORM_STATE_PENDING) != 0;
    corm_session_detach(session, state);
    return corm_session_event(session, pending ? CORM_EVENT_PENDING_TO_TRANSIENT : CORM_EVENT_PERSISTENT_TO_DETACHED,
                              state);
}

corm_status corm_session_expunge(corm_session *session, corm_state *state) {
    if (state->session != session) {
        corm_text name = CORM_TEXT_EMPTY;
        state->mapper->host->describe(corm_state_object(state), &name);
        corm_error_set(CORM_INVALID_REQUEST, "Instance %s is not present in this Session",
                       name.data == NULL ? state->mapper->name : name.data);
        corm_text_clear(&name);
        return CORM_INVALID_REQUEST;
    }
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    const corm_host *host = state->mapper->host;
    corm_vector reached = {0};
    status = corm_cascade_collect(state, CORM_CASCADE_EXPUNGE, false, NULL, &reached);
    for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
        corm_state *other = host->state_of(reached.items[i]);
        if (other != NULL && other->session == session) {
            status = expunge_one(session, other);
        }
    }
    corm_objects_release(host, &reached);
    corm_session_leave(session);
    return status;
}

corm_status corm_session_expunge_all(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    /* Each round takes one object out, whatever user's code does meanwhile. */
    for (size_t i = 0; i < session->held.count; i++) {
        corm_state *state = session->held.items[i];
        if (state != NULL) {
            corm_session_detach(session, state);
        }
    }
    while (session->tombstones.count > 0) {
        corm_tombstone *tombstone = session->tombstones.items[session->tombstones.count - 1];
        corm_session_detach(session, tombstone->state);
    }
    for (size_t i = 0; i < session->identity.capacity; i++) {
        corm_state *state = corm_identity_at(&session->identity, i);
        if (state == NULL) {
            continue;
        }
        if (session->strong) {
            corm_session_detach(session, state);
        } else {
            corm_identity_remove(&session->identity, state);
            state->session = NULL;
        }
    }
    if (session->identity.count == 0) {
        corm_identity_clear(&session->identity);
    }
    corm_session_leave(session);
    return CORM_OK;
}

/* ---- expiring ---- */

void corm_session_expire_state(corm_session *session, corm_state *state) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    host->retain(object);
    corm_state_commit(state);
    state->flags |= CORM_STATE_EXPIRED;
    host->unload_all(object);
    if ((state->flags & (CORM_STATE_HELD | CORM_STATE_DELETING)) == CORM_STATE_HELD) {
        corm_session_unhold(session, state);
    }
    host->release(object);
}

static corm_status not_persistent(corm_session *session, corm_state *state) {
    (void)session;
    return refuse(CORM_INVALID_REQUEST, state, " is not persistent within this Session");
}

static corm_status expire_one(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                              size_t count) {
    corm_status status = CORM_OK;
    if (attributes == NULL) {
        corm_session_expire_state(session, state);
    } else {
        for (size_t i = 0; i < count && status == CORM_OK; i++) {
            corm_state_commit_attribute(state, attributes[i]);
            status = state->mapper->host->set(corm_state_object(state), attributes[i], &CORM_ABSENT_VALUE);
        }
        if (state->changes == NULL || state->changes->count == 0) {
            state->flags &= ~(uint32_t)CORM_STATE_MODIFIED;
        }
    }
    if (status == CORM_OK && (state->mapper->listening & CORM_EVENT_EXPIRE)) {
        session->expiring = attributes;
        session->expiring_count = count;
        status = state->mapper->host->event(CORM_EVENT_EXPIRE, session, session->connection, state);
        session->expiring = NULL;
        session->expiring_count = 0;
    }
    return status;
}

corm_status corm_session_expire(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                                size_t count) {
    if (state->session != session || !(state->flags & CORM_STATE_IN_MAP)) {
        return not_persistent(session, state);
    }
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    const corm_host *host = state->mapper->host;
    if (attributes != NULL) {
        status = expire_one(session, state, attributes, count);
    } else {
        corm_vector reached = {0};
        status = corm_cascade_collect(state, CORM_CASCADE_REFRESH_EXPIRE, false, NULL, &reached);
        for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
            corm_state *other = host->state_of(reached.items[i]);
            if (other != NULL && other->session == session && (other->flags & CORM_STATE_IN_MAP)) {
                status = expire_one(session, other, NULL, 0);
            }
        }
        corm_objects_release(host, &reached);
    }
    corm_session_leave(session);
    return status;
}

corm_status corm_session_expire_all(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    corm_vector live = {0};
    status = corm_session_live(session, &live);
    for (size_t i = 0; i < live.count && status == CORM_OK; i++) {
        corm_state *state = live.items[i];
        if (state->session == session) {
            status = expire_one(session, state, NULL, 0);
        }
    }
    release_states(&live);
    corm_session_leave(session);
    return status;
}

corm_status corm_session_refresh(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                                 size_t count) {
    if (state->session != session || !(state->flags & CORM_STATE_IN_MAP)) {
        return not_persistent(session, state);
    }
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_session_flush_if_needed(session);
    if (status == CORM_OK && attributes == NULL) {
        corm_vector reached = {0};
        const corm_host *host = state->mapper->host;
        status = corm_cascade_collect(state, CORM_CASCADE_REFRESH_EXPIRE, false, NULL, &reached);
        for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
            corm_state *other = host->state_of(reached.items[i]);
            if (other != NULL && other != state && other->session == session && (other->flags & CORM_STATE_IN_MAP)) {
                status = expire_one(session, other, NULL, 0);
            }
        }
        corm_objects_release(host, &reached);
    } else if (status == CORM_OK) {
        status = expire_one(session, state, attributes, count);
    }
    if (status == CORM_OK) {
        status = corm_load_refresh(session, state, attributes, count);
    }
    corm_session_leave(session);
    return status;
}

/* ---- looking ---- */

/* An expired object is looked for in the database; none when its row is gone. */
static corm_status still_there(corm_session *session, corm_state *state, corm_object **out) {
    corm_status status = CORM_OK;
    if ((state->flags & (CORM_STATE_EXPIRED | CORM_STATE_IN_MAP)) == (CORM_STATE_EXPIRED | CORM_STATE_IN_MAP)) {
        status = corm_load_expired(session, state);
    }
    if (status == CORM_OBJECT_DELETED) {
        corm_error_clear();
        return CORM_OK;
    }
    if (status == CORM_OK && (state->flags & CORM_STATE_IN_MAP)) {
        *out = corm_state_object(state);
    }
    return status;
}

const corm_dialect *corm_session_dialect(const corm_session *session) {
    const corm_connection *connection = session == NULL ? NULL : session->connection;
    return connection == NULL ? corm_dialect_default() : corm_engine_dialect(corm_connection_engine(connection));
}

/* The key as the database has it, where the host converts it; else *converted is NULL. */
static corm_status convert_key(const corm_session *session, const corm_mapper *mapper, const corm_value *values,
                               size_t count, corm_value **converted) {
    bool converts = false;
    *converted = NULL;
    for (size_t i = 0; i < count; i++) {
        converts = converts || corm_column_type(mapper->primary_key[i]->column)->host != NULL;
    }
    if (!converts) {
        return CORM_OK;
    }
    corm_scratch scratch = {0};
    corm_status status = CORM_OK;
    *converted = corm_calloc(count, sizeof **converted);
    for (size_t i = 0; *converted != NULL && i < count && status == CORM_OK; i++) {
        corm_value plain;
        status = corm_convert_parameter(corm_session_dialect(session), corm_column_type(mapper->primary_key[i]->column),
                                        &values[i], &plain, &scratch);
        if (status == CORM_OK) {
            status = corm_value_copy(&plain, &(*converted)[i]);
            corm_value_clear(&plain);
        }
    }
    corm_scratch_clear(&scratch);
    return *converted == NULL ? CORM_NO_MEMORY : status;
}

static void free_key(corm_value *key, size_t count) {
    for (size_t i = 0; key != NULL && i < count; i++) {
        corm_value_clear(&key[i]);
    }
    corm_free(key);
}

corm_status corm_session_get(corm_session *session, corm_mapper *mapper, const corm_value *values, size_t count,
                             struct corm_load_options *options, bool populate_existing, corm_object **out) {
    corm_value *converted = NULL;
    *out = NULL;
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_mapper_configure(mapper);
    if (status == CORM_OK && count != mapper->primary_key_count) {
        status = corm_error_set(CORM_INVALID_REQUEST,
                                "Incorrect number of values in identifier to formulate primary key for "
                                "session.get(); %s has %zu primary key column(s), %zu value(s) were given",
                                mapper->name, mapper->primary_key_count, count);
    }
    if (status == CORM_OK) {
        status = convert_key(session, mapper, values, count, &converted);
        values = converted == NULL ? values : converted;
    }
    corm_state *known = status == CORM_OK ? corm_identity_find(&session->identity, mapper, values, count) : NULL;
    bool held = known != NULL && !populate_existing && mapper->host->try_hold(known);
    if (held && !(known->flags & CORM_STATE_EXPIRED)) {
        *out = corm_state_object(known);
        goto done;
    }
    if (status == CORM_OK) {
        status = corm_session_flush_if_needed(session);
    }
    if (held) {
        status = status == CORM_OK ? still_there(session, known, out) : status;
        if (*out == NULL) {
            mapper->host->release(corm_state_object(known));
        }
    } else if (status == CORM_OK) {
        status = corm_load_by_key(session, mapper, values, count, options, populate_existing, out);
    }
done:
    free_key(converted, count);
    corm_session_leave(session);
    return status;
}

bool corm_session_knows(const corm_session *session, const corm_mapper *mapper, const corm_value *values,
                        size_t count) {
    return count == mapper->primary_key_count && corm_identity_find(&session->identity, mapper, values, count) != NULL;
}

bool corm_session_contains(const corm_session *session, const corm_state *state) {
    return state->session == session && (state->flags & (CORM_STATE_PENDING | CORM_STATE_IN_MAP));
}

static bool belongs(const corm_state *state, enum corm_session_set set) {
    switch (set) {
    case CORM_SESSION_NEW:
        return (state->flags & CORM_STATE_PENDING) != 0;
    case CORM_SESSION_DIRTY:
        return (state->flags & (CORM_STATE_MODIFIED | CORM_STATE_PENDING | CORM_STATE_DELETING)) == CORM_STATE_MODIFIED;
    case CORM_SESSION_DELETED:
        return (state->flags & CORM_STATE_DELETING) != 0;
    case CORM_SESSION_ALL:
        return (state->flags & CORM_STATE_PENDING) != 0; /* the rest is in the identity map */
    }
    return false;
}

corm_status corm_session_objects(corm_session *session, enum corm_session_set set, corm_vector *out) {
    corm_vector live = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < session->held.count && status == CORM_OK; i++) {
        corm_state *state = session->held.items[i];
        if (state != NULL && belongs(state, set)) {
            status = corm_vector_push(out, corm_state_object(state));
            if (status == CORM_OK) {
                state->mapper->host->retain(corm_state_object(state));
            }
        }
    }
    if (status == CORM_OK && set == CORM_SESSION_ALL) {
        status = corm_session_live(session, &live);
    }
    if (status == CORM_OK) {
        status = corm_vector_reserve(out, live.count);
    }
    for (size_t i = 0; i < live.count && status == CORM_OK; i++) {
        corm_object *object = corm_state_object(live.items[i]);
        ((corm_state *)live.items[i])->mapper->host->retain(object);
        out->items[out->count++] = object;
    }
    release_states(&live);
    return status;
}

/* ---- changing the state by hand ---- */

corm_status corm_make_transient(corm_state *state) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    host->retain(object);
    if (state->session != NULL) {
        corm_session_detach(state->session, state);
    }
    corm_state_commit(state);
    corm_state_clear_key(state);
    corm_load_options_unref(state->options);
    state->options = NULL;
    state->flags &= ~(uint32_t)(CORM_STATE_EXPIRED | CORM_STATE_DELETED | CORM_STATE_WAS_DELETED);
    host->release(object);
    return CORM_OK;
}

corm_status corm_make_transient_to_detached(corm_state *state) {
    if (state->session != NULL || (state->flags & CORM_STATE_HAS_KEY)) {
        return corm_error_set(CORM_INVALID_REQUEST, "Given object must be transient");
    }
    corm_status status = corm_state_key_from_object(state);
    if (status == CORM_OK) {
        corm_state_commit(state);
        state->flags |= CORM_STATE_EXPIRED;
    }
    return status;
}

bool corm_session_is_modified(corm_state *state) {
    corm_changes *changes = state->changes;
    for (size_t i = 0; changes != NULL && i < changes->count; i++) {
        const corm_change *change = &changes->items[i];
        if (change->attribute->kind == CORM_ATTRIBUTE_COLLECTION || change->committed.kind == CORM_KIND_ABSENT ||
            !state->mapper->host->unchanged(corm_state_object(state), change->attribute, &change->committed)) {
            return true;
        }
    }
    return (state->flags & CORM_STATE_PENDING) != 0;
}
