/*
 * A session's transactions: the root and savepoints inside it, and what each outcome does to the objects.
 *
 * Serial numbers (they only grow) say in which transaction a state was born and last written. So a savepoint's
 * release needs no bookkeeping: what was born in it is also younger than its parent; and a rollback of
 * transaction t restores every state whose number is t's or greater.
 *
 * The database transaction begins with the first statement: until then a begun session costs nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "orm/options.h"
#include "orm/session_private.h"

/* Flushes that a commit repeats while hooks keep making changes. */
enum { MAX_COMMIT_FLUSHES = 100 };

static corm_transaction *innermost(const corm_session *session) {
    return session->transactions.count == 0 ? NULL : session->transactions.items[session->transactions.count - 1];
}

static corm_status pending_rollback(const corm_session *session) {
    return corm_error_set(CORM_PENDING_ROLLBACK,
                          "This Session's transaction has been rolled back due to a previous exception during "
                          "flush. To begin a new transaction with this Session, first issue "
                          "Session.rollback(). Original exception was: %s",
                          session->failure == NULL ? "(not known)" : session->failure);
}

/* Serials restart when they run out; then no state may keep an old one. */
static void renumber(corm_session *session) {
    for (size_t i = 0; i < session->identity.capacity; i++) {
        corm_state *state = corm_identity_at(&session->identity, i);
        if (state != NULL) {
            state->born = 0;
            state->touched = 0;
        }
    }
    session->serial = 0;
}

static corm_status push_transaction(corm_session *session, bool savepoint) {
    corm_transaction *transaction = corm_calloc(1, sizeof *transaction);
    if (transaction == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_vector_push(&session->transactions, transaction);
    if (status != CORM_OK) {
        corm_free(transaction);
        return status;
    }
    if (session->serial == UINT32_MAX && session->transactions.count == 1) {
        renumber(session);
    }
    transaction->savepoint = savepoint;
    transaction->serial = ++session->serial;
    status = corm_partners_follow(session);
    if (status != CORM_OK) {
        session->transactions.count--;
        corm_free(transaction);
    }
    return status;
}

typedef corm_status (*on_connection)(corm_session *session, corm_transaction *transaction);

/* Do it on the present connection, then on those of all partners; the first failure is kept. */
static corm_status on_each(corm_session *session, corm_transaction *transaction, on_connection act) {
    corm_error first;
    corm_status status = act(session, transaction);
    if (session->partners.count == 0) {
        return status;
    }
    corm_error_take(&first);
    for (size_t i = 0; i < session->partners.count; i++) {
        corm_partner *partner = session->partners.items[i];
        if (partner->connection == NULL) {
            continue;
        }
        corm_partner_swap(session, partner);
        corm_status other = act(session, transaction);
        corm_partner_swap(session, partner);
        if (status == CORM_OK && other != CORM_OK) {
            status = other;
            corm_error_free_content(&first);
            corm_error_take(&first);
        }
    }
    corm_error_restore(&first);
    return status;
}

static void pop_transaction(corm_session *session) {
    corm_free(innermost(session));
    session->transactions.count--;
    session->prepared = session->prepared && session->transactions.count > 0;
}

corm_status corm_session_ensure_transaction(corm_session *session) {
    if (session->failed) {
        return pending_rollback(session);
    }
    if (session->transactions.count > 0) {
        return CORM_OK;
    }
    if (!session->autobegin) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "Autobegin is disabled on this Session; please call session.begin() to start a new "
                              "transaction");
    }
    return push_transaction(session, false);
}

corm_status corm_session_begin(corm_session *session) {
    if (session->failed) {
        return pending_rollback(session);
    }
    if (session->transactions.count > 0) {
        return corm_error_set(CORM_INVALID_REQUEST, "A transaction is already begun on this Session.");
    }
    return push_transaction(session, false);
}

static void name_savepoint(corm_session *session, corm_transaction *transaction) {
    snprintf(transaction->name, sizeof transaction->name, "sa_savepoint_%u",
             corm_connection_next_savepoint(session->connection));
}

/* Take part in the transaction that is under way on the caller's connection. */
static corm_status join_root(corm_session *session, corm_transaction *root) {
    corm_session_join how = session->join;
    if (how == CORM_SESSION_JOIN_CONDITIONAL) {
        how = corm_connection_savepoints(session->connection) > 0 ? CORM_SESSION_JOIN_SAVEPOINT
                                                                  : CORM_SESSION_JOIN_ROLLBACK_ONLY;
    }
    if (how != CORM_SESSION_JOIN_SAVEPOINT) {
        root->on_database = how == CORM_SESSION_JOIN_CONTROL_FULLY;
        return CORM_OK;
    }
    name_savepoint(session, root);
    corm_status status = corm_connection_savepoint(session->connection, root->name);
    root->on_database = root->joined = status == CORM_OK;
    return status;
}

static corm_status set_savepoint(corm_session *session, corm_transaction *nested) {
    if (session->connection == NULL || nested->on_database) {
        return CORM_OK;
    }
    name_savepoint(session, nested);
    corm_status status = corm_connection_savepoint(session->connection, nested->name);
    nested->on_database = status == CORM_OK;
    return status;
}

static corm_status begin_root(corm_session *session, corm_transaction *root) {
    corm_status status = CORM_OK;
    if (session->connection == NULL && session->borrowed_connection) {
        return corm_error_set(CORM_RESOURCE_CLOSED, "This Connection is closed");
    }
    if (session->connection == NULL) {
        if (session->engine == NULL) {
            return corm_error_set(CORM_INVALID_REQUEST,
                                  "this Session is not bound to an engine or connection: give it one with bind=");
        }
        status = corm_engine_connect_as(session->engine, &session->characteristics, &session->connection);
    }
    if (status == CORM_OK && !corm_connection_in_transaction(session->connection)) {
        status = session->two_phase ? corm_connection_begin_two_phase(session->connection, NULL)
                                    : corm_connection_begin(session->connection);
        root->on_database = status == CORM_OK;
    } else if (status == CORM_OK && session->borrowed_connection) {
        status = join_root(session, root);
    }
    root->begun = status == CORM_OK;
    /* A partner that comes late takes part in the savepoints that are under way. */
    for (size_t i = 1; i < session->transactions.count && status == CORM_OK; i++) {
        status = set_savepoint(session, session->transactions.items[i]);
    }
    if (status != CORM_OK && !session->borrowed_connection && session->connection != NULL) {
        corm_connection_close(session->connection);
        session->connection = NULL;
    }
    return status;
}

corm_status corm_session_connection(corm_session *session, corm_connection **out) {
    *out = NULL;
    corm_status status = corm_session_ensure_transaction(session);
    if (status == CORM_OK && session->prepared) {
        status = corm_error_set(CORM_INVALID_REQUEST, "This session is in 'prepared' state; no further SQL can be "
                                                      "emitted within this transaction.");
    }
    if (status != CORM_OK) {
        return status;
    }
    corm_transaction *root = session->transactions.items[0];
    if (!root->begun || session->connection == NULL ||
        (!root->on_database && !corm_connection_in_transaction(session->connection))) {
        status = begin_root(session, root);
        if (status == CORM_OK) {
            status = corm_session_event(session, CORM_EVENT_AFTER_BEGIN, NULL);
        }
    }
    *out = status == CORM_OK ? session->connection : NULL;
    if (status == CORM_OK && session->connection == NULL) {
        status = corm_error_set(CORM_RESOURCE_CLOSED, "the Session was closed while its transaction began");
    }
    return status;
}

corm_status corm_session_begin_nested(corm_session *session) {
    corm_connection *connection;
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    /* Where there are several engines, each takes part when it is first used. */
    status = session->get_bind != NULL ? corm_session_ensure_transaction(session)
                                       : corm_session_connection(session, &connection);
    if (status == CORM_OK) {
        status = corm_session_flush(session); /* refused inside of a flush */
    }
    if (status == CORM_OK) {
        status = push_transaction(session, true);
    }
    if (status == CORM_OK) {
        corm_transaction *nested = innermost(session);
        status = on_each(session, nested, set_savepoint);
        if (status != CORM_OK) {
            pop_transaction(session);
        }
    }
    corm_session_leave(session);
    return status;
}

/* ---- restoring objects ---- */

static void to_transient(corm_session *session, corm_state *state) {
    const corm_host *host = state->mapper->host;
    corm_object *object = corm_state_object(state);
    bool had_row = (state->flags & CORM_STATE_HAS_KEY) != 0;
    host->retain(object);
    state->flags &= ~(uint32_t)CORM_STATE_DELETED;
    corm_session_detach(session, state);
    corm_state_commit(state);
    if (had_row) {
        corm_state_clear_key(state);
    }
    state->flags &= ~(uint32_t)(CORM_STATE_EXPIRED | CORM_STATE_WAS_DELETED);
    state->born = 0;
    if (corm_session_event(session, had_row ? CORM_EVENT_PERSISTENT_TO_TRANSIENT : CORM_EVENT_PENDING_TO_TRANSIENT,
                           state) != CORM_OK) {
        corm_error_clear();
    }
    host->release(object);
}

/* Each live state of the identity map, held meanwhile. There is no list of them, for this has to work without memory; when
 * user's code makes the map anew, it begins again. */
static void each_live(corm_session *session, uint32_t serial, bool everything,
                      void (*act)(corm_session *session, corm_state *state, uint32_t serial, bool everything)) {
    const void *table = session->identity.entries;
    for (size_t i = 0; i < session->identity.capacity; i++) {
        corm_state *state = session->identity.entries[i].state;
        if (state == NULL || state == CORM_IDENTITY_GONE || !state->mapper->host->try_hold(state)) {
            continue;
        }
        const corm_host *host = state->mapper->host;
        corm_object *object = corm_state_object(state);
        act(session, state, serial, everything);
        host->release(object);
        if (session->identity.entries != table) {
            table = session->identity.entries;
            i = SIZE_MAX;
        }
    }
}

static void drop_if_newborn(corm_session *session, corm_state *state, uint32_t serial, bool everything) {
    (void)everything;
    if (state->session == session && state->born >= serial) {
        to_transient(session, state);
    }
}

/* Objects that were pending or became persistent in the transaction are not in the session any more. */
static void drop_newborn(corm_session *session, uint32_t serial) {
    for (size_t i = 0; i < session->held.count; i++) {
        corm_state *state = session->held.items[i];
        if (state == NULL) {
            continue;
        }
        if ((state->flags & CORM_STATE_PENDING) && state->born >= serial) {
            to_transient(session, state);
        } else if (state->flags & CORM_STATE_DELETING) {
            state->flags &= ~(uint32_t)CORM_STATE_DELETING;
        }
    }
    each_live(session, serial, false, drop_if_newborn);
}

void corm_key_switch_free(corm_key_switch *change) {
    const corm_host *host = change->state->mapper->host;
    corm_object *object = change->object;
    corm_state_identity_clear(&change->old_key);
    corm_free(change);
    host->release(object);
}

/* Give back their former keys; the objects enter the identity map again when all keys are free. *first: the first of them. */
static void take_back_keys(corm_session *session, uint32_t serial, size_t *first) {
    size_t at = session->key_switches.count;
    for (; at > 0 && ((corm_key_switch *)session->key_switches.items[at - 1])->serial >= serial; at--) {
        corm_key_switch *change = session->key_switches.items[at - 1];
        if (change->state->session == session) {
            corm_session_unregister(session, change->state);
        }
        corm_state_identity_give_back(change->state, &change->old_key);
    }
    *first = at;
}

/* Whose row comes back takes the place of an object that was read from a row that goes. Cannot be entered for want of
 * memory: out of the session, never under a wrong key. */
static void enter_or_detach(corm_session *session, corm_state *state) {
    const corm_value *key;
    corm_value room;
    size_t count = corm_state_key(state, &key, &room);
    corm_state *present = corm_identity_find(&session->identity, state->mapper, key, count);
    if (present != NULL && present != state) {
        corm_session_detach(session, present);
    }
    if (corm_session_register(session, state) != CORM_OK) {
        corm_error_clear();
        corm_session_detach(session, state);
    }
}

static void enter_switched(corm_session *session, uint32_t serial, size_t first) {
    while (session->key_switches.count > first) {
        corm_key_switch *change = session->key_switches.items[--session->key_switches.count];
        corm_state *state = change->state;
        if (state->session == session && !(state->flags & (CORM_STATE_IN_MAP | CORM_STATE_DELETED))) {
            if (state->born >= serial) {
                to_transient(session, state);
            } else {
                enter_or_detach(session, state);
            }
        }
        corm_key_switch_free(change);
    }
}

static void revive(corm_session *session, uint32_t serial) {
    while (session->tombstones.count > 0) {
        corm_tombstone *tombstone = session->tombstones.items[session->tombstones.count - 1];
        if (tombstone->serial < serial) {
            break;
        }
        session->tombstones.count--;
        corm_state *state = tombstone->state;
        const corm_host *host = state->mapper->host;
        state->flags &= ~(uint32_t)CORM_STATE_DELETED;
        if (state->born >= serial) {
            to_transient(session, state);
        } else {
            enter_or_detach(session, state);
        }
        if ((state->flags & CORM_STATE_IN_MAP) && (session->listening & CORM_EVENT_DELETED_TO_PERSISTENT) &&
            corm_session_event(session, CORM_EVENT_DELETED_TO_PERSISTENT, state) != CORM_OK) {
            corm_error_clear();
        }
        corm_object *object = tombstone->object;
        corm_free(tombstone);
        host->release(object);
    }
}

static void expire_if_touched(corm_session *session, corm_state *state, uint32_t serial, bool everything) {
    if (state->session == session && (everything || state->touched >= serial || (state->flags & CORM_STATE_MODIFIED))) {
        corm_journal_revert(session, state);
        corm_session_expire_state(session, state);
        if ((state->mapper->listening & CORM_EVENT_EXPIRE) &&
            state->mapper->host->event(CORM_EVENT_EXPIRE, session, session->connection, state) != CORM_OK) {
            corm_error_clear(); /* the rollback goes on */
        }
    }
}

/* Put the objects back to what they were before transaction `serial`. Never fails, and needs no memory. A key may have
 * gone from one object to another: first all leave that have to, then those come back whose keys they were. */
static void restore(corm_session *session, uint32_t serial, bool everything) {
    size_t switched;
    corm_journal_undo(session, serial);
    take_back_keys(session, serial, &switched);
    drop_newborn(session, serial);
    revive(session, serial);
    enter_switched(session, serial, switched);
    each_live(session, serial, everything, expire_if_touched);
}

/* ---- ends ---- */

static void let_go_of_connection(corm_session *session) {
    if (session->connection != NULL && !session->borrowed_connection) {
        corm_connection *connection = session->connection;
        session->connection = NULL;
        corm_connection_close(connection);
    }
    corm_partners_clear(session);
}

static void bury(corm_session *session) {
    corm_journal_forget(session);
    while (session->tombstones.count > 0) {
        corm_tombstone *tombstone = session->tombstones.items[--session->tombstones.count];
        corm_state *state = tombstone->state;
        const corm_host *host = state->mapper->host;
        corm_object *object = tombstone->object;
        corm_free(tombstone);
        if (state->session == session && (state->flags & CORM_STATE_DELETED)) {
            state->flags &= ~(uint32_t)CORM_STATE_DELETED;
            state->flags |= CORM_STATE_WAS_DELETED;
            state->session = NULL;
            if (corm_session_event(session, CORM_EVENT_DELETED_TO_DETACHED, state) != CORM_OK) {
                corm_error_clear();
            }
            if (session->strong) {
                host->unload_all(object); /* objects without a collector must not hold each other in circles */
            }
        }
        host->release(object);
    }
    while (session->key_switches.count > 0) {
        corm_key_switch_free(session->key_switches.items[--session->key_switches.count]);
    }
}

static void end_failure(corm_session *session) {
    session->failed = false;
    corm_free(session->failure);
    session->failure = NULL;
}

/* Roll back the database part of the innermost transaction, on the present connection. */
static corm_status roll_back_one(corm_session *session, corm_transaction *transaction) {
    if (session->connection == NULL || !transaction->on_database) {
        bool callers = session->borrowed_connection && session->connection != NULL && !transaction->savepoint &&
                       transaction->begun && !transaction->joined &&
                       corm_connection_in_transaction(session->connection);
        return callers ? corm_connection_rollback(session->connection) : CORM_OK;
    }
    transaction->on_database = false;
    return transaction->savepoint || transaction->joined
               ? corm_connection_rollback_to(session->connection, transaction->name)
               : corm_connection_rollback(session->connection);
}

static corm_status roll_back_database(corm_session *session, corm_transaction *transaction) {
    return on_each(session, transaction, roll_back_one);
}

/* The same unless the transaction is the caller's, which stays as it is. */
static corm_status roll_back_own(corm_session *session, corm_transaction *transaction) {
    return transaction->on_database ? roll_back_one(session, transaction) : CORM_OK;
}

static corm_status roll_back_all(corm_session *session) {
    if (session->transactions.count == 0) {
        end_failure(session);
        if (session->strong) { /* plain assignments begin no transaction, and are taken back all the same */
            if (session->serial == UINT32_MAX) {
                renumber(session);
            }
            restore(session, session->serial + 1, true);
        }
        return CORM_OK;
    }
    corm_transaction *root = session->transactions.items[0];
    uint32_t serial = root->serial;
    corm_status status = roll_back_database(session, root);
    while (session->transactions.count > 0) {
        pop_transaction(session);
    }
    let_go_of_connection(session);
    end_failure(session);
    corm_error pending;
    corm_error_take(&pending);
    restore(session, serial, true);
    corm_error_restore(&pending);
    return status;
}

corm_status corm_session_rollback(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    bool active = session->transactions.count > 0;
    if (session->flushing) {
        status =
            corm_error_set(CORM_INVALID_REQUEST,
                           "rollback() inside of a flush is not possible: raise an exception from the hook instead");
    } else {
        status = roll_back_all(session);
    }
    if (status == CORM_OK && active) {
        status = corm_session_event(session, CORM_EVENT_AFTER_ROLLBACK, NULL);
    }
    if (status == CORM_OK && active) {
        status = corm_session_event(session, CORM_EVENT_AFTER_SOFT_ROLLBACK, NULL);
    }
    corm_session_leave(session);
    return status;
}

static corm_status no_savepoint(void) {
    return corm_error_set(CORM_INVALID_REQUEST, "no nested transaction (SAVEPOINT) is under way in this Session");
}

corm_status corm_session_rollback_nested(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    corm_transaction *nested = innermost(session);
    if (nested == NULL || !nested->savepoint) {
        status = no_savepoint();
    } else {
        uint32_t serial = nested->serial;
        status = roll_back_database(session, nested);
        pop_transaction(session);
        end_failure(session);
        corm_error pending;
        corm_error_take(&pending);
        restore(session, serial, session->strong); /* plain assignments are not known yet: all are taken back */
        corm_error_restore(&pending);
        if (status == CORM_OK) {
            status = corm_session_event(session, CORM_EVENT_AFTER_SOFT_ROLLBACK, NULL);
        }
    }
    corm_session_leave(session);
    return status;
}

void corm_session_fail(corm_session *session) {
    corm_error reason;
    corm_error_take(&reason);
    corm_transaction *transaction = innermost(session);
    if (transaction != NULL && !session->failed) {
        session->failed = true;
        corm_free(session->failure);
        session->failure = corm_strdup(reason.message == NULL ? "" : reason.message);
        uint32_t serial = transaction->serial;
        bool savepoint = transaction->savepoint;
        if (roll_back_database(session, transaction) != CORM_OK) {
            corm_error_clear(); /* the connection says so itself when it is returned */
        }
        restore(session, serial, !savepoint || session->strong);
        if (corm_session_event(session, CORM_EVENT_AFTER_SOFT_ROLLBACK, NULL) != CORM_OK) {
            corm_error_clear();
        }
    }
    corm_error_restore(&reason);
}

/* Flush until nothing is left to write. */
static corm_status flush_out(corm_session *session) {
    for (int round = 0; round < MAX_COMMIT_FLUSHES; round++) {
        if (session->held_count == 0) {
            return CORM_OK;
        }
        corm_status status = corm_session_flush(session);
        if (status != CORM_OK) {
            return status;
        }
    }
    return corm_error_set(CORM_FLUSH_ERROR,
                          "Over %d subsequent flushes have occurred within session.commit() - is an after_flush() "
                          "hook creating new objects?",
                          MAX_COMMIT_FLUSHES);
}

/* Commit the root on the present connection. */
static corm_status commit_one(corm_session *session, corm_transaction *root) {
    if (root->begun && session->connection == NULL) {
        return corm_error_set(CORM_RESOURCE_CLOSED, "This Connection is closed");
    }
    if (!root->on_database) {
        return CORM_OK;
    }
    corm_status status = root->joined ? corm_connection_release(session->connection, root->name)
                                      : corm_connection_commit(session->connection);
    root->on_database = status != CORM_OK;
    if (status != CORM_OK && corm_connection_is_prepared(session->connection)) {
        corm_connection_leave_prepared(session->connection); /* others may have committed: it is not rolled back */
        root->on_database = false;
    }
    return status;
}

/* Prepare the root on the present connection. */
static corm_status prepare_one(corm_session *session, corm_transaction *root) {
    if (root->begun && session->connection == NULL) {
        return corm_error_set(CORM_RESOURCE_CLOSED, "This Connection is closed");
    }
    return root->on_database && !root->joined ? corm_connection_prepare(session->connection) : CORM_OK;
}

static corm_status prepare_root(corm_session *session) {
    corm_status status = on_each(session, session->transactions.items[0], prepare_one);
    session->prepared = status == CORM_OK;
    if (status != CORM_OK) {
        corm_session_fail(session);
    }
    return status;
}

corm_status corm_session_prepare(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    if (!session->two_phase || session->transactions.count > 1 || session->flushing) {
        status = corm_error_set(CORM_INVALID_REQUEST,
                                "'twophase' mode not enabled, or not root transaction; can't prepare.");
    } else if (!session->prepared) {
        status = corm_session_ensure_transaction(session);
        status = status == CORM_OK ? flush_out(session) : status;
        if (status == CORM_OK && session->transactions.count > 0) {
            status = prepare_root(session);
        }
    }
    corm_session_leave(session);
    return status;
}

static corm_status commit_root(corm_session *session) {
    if (session->two_phase && !session->prepared) {
        while (session->transactions.count > 1) {
            pop_transaction(session);
        }
        corm_status prepared = prepare_root(session);
        if (prepared != CORM_OK) {
            return prepared;
        }
    }
    corm_status status = on_each(session, session->transactions.items[0], commit_one);
    if (status != CORM_OK) {
        while (session->transactions.count > 1) {
            pop_transaction(session);
        }
        corm_session_fail(session);
        return status;
    }
    while (session->transactions.count > 0) {
        pop_transaction(session);
    }
    let_go_of_connection(session);
    bury(session);
    if (session->expire_on_commit && session->identity.count > 0) {
        status = corm_session_expire_all(session);
    }
    return status;
}

corm_status corm_session_commit(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    if (session->flushing) {
        status = corm_error_set(CORM_INVALID_REQUEST, "commit() inside of a flush is not possible");
    } else {
        status = corm_session_ensure_transaction(session);
    }
    if (status == CORM_OK) {
        status = corm_session_event(session, CORM_EVENT_BEFORE_COMMIT, NULL);
    }
    if (status == CORM_OK) {
        status = flush_out(session);
    }
    if (status == CORM_OK && session->transactions.count > 0) {
        status = commit_root(session);
    }
    if (status == CORM_OK) {
        status = corm_session_event(session, CORM_EVENT_AFTER_COMMIT, NULL);
    }
    corm_session_leave(session);
    return status;
}

static corm_status release_one(corm_session *session, corm_transaction *nested) {
    return nested->on_database ? corm_connection_release(session->connection, nested->name) : CORM_OK;
}

corm_status corm_session_commit_nested(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    corm_transaction *nested = innermost(session);
    if (session->failed) {
        status = pending_rollback(session);
    } else if (nested == NULL || !nested->savepoint) {
        status = no_savepoint();
    } else {
        status = flush_out(session);
    }
    /* A flush runs hooks; look again. */
    nested = innermost(session);
    if (status == CORM_OK && nested != NULL && nested->savepoint) {
        status = on_each(session, nested, release_one);
        if (status == CORM_OK) {
            pop_transaction(session);
        } else {
            corm_session_fail(session);
        }
    }
    corm_session_leave(session);
    return status;
}

corm_status corm_session_close(corm_session *session) {
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    if (session->flushing) {
        corm_session_leave(session);
        return corm_error_set(CORM_INVALID_REQUEST, "close() inside of a flush is not possible");
    }
    /* Objects keep what they have: no expiry, unlike rollback(). */
    corm_status expunged = corm_session_expunge_all(session);
    if (session->transactions.count > 0) {
        corm_transaction *root = session->transactions.items[0];
        status = on_each(session, root, roll_back_own);
        while (session->transactions.count > 0) {
            pop_transaction(session);
        }
    }
    let_go_of_connection(session);
    bury(session);
    end_failure(session);
    corm_session_leave(session);
    return status == CORM_OK ? expunged : status;
}

bool corm_session_in_transaction(const corm_session *session) {
    return session->transactions.count > 0;
}

bool corm_session_in_nested_transaction(const corm_session *session) {
    return session->transactions.count > 1;
}

bool corm_session_is_active(const corm_session *session) {
    return !session->failed;
}

size_t corm_session_depth(const corm_session *session) {
    return session->transactions.count;
}
