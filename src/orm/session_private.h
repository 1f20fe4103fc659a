/*
 * The inside of a session, for the files of the ORM that share it: session.c (life, objects), transaction.c,
 * flush.c, and loading.
 */
#ifndef CORM_ORM_SESSION_PRIVATE_H
#define CORM_ORM_SESSION_PRIVATE_H

#include <pthread.h>

#include "orm/session.h"

/* One begin(): the root, or a savepoint inside it. */
typedef struct corm_transaction {
    uint32_t serial; /* grows with each transaction of the session */
    bool savepoint;
    bool begun;       /* of the root: the connection is taken */
    bool on_database; /* BEGIN or SAVEPOINT was sent, or a caller's BEGIN is ours to end */
    bool joined;      /* of the root: it is a savepoint in a caller's transaction */
    char name[40];    /* the savepoint's */
} corm_transaction;

/* A row that was deleted in the transaction: its object is held until the outcome is known. */
typedef struct corm_tombstone {
    corm_object *object; /* retained */
    corm_state *state;
    uint32_t serial;
} corm_tombstone;

/* A primary key that a flush changed: undone by rollback. */
typedef struct corm_key_switch {
    corm_object *object; /* retained */
    corm_state *state;
    corm_state_identity old_key; /* a reference */
    uint32_t serial;
} corm_key_switch;

/* An engine that the transaction reaches beside the session's present one, with its connection. */
typedef struct corm_partner {
    corm_engine *engine;         /* a reference */
    corm_connection *connection; /* owned; NULL: not begun */
    corm_vector marks;           /* corm_transaction *, owned: how far each of the session's is on this connection */
} corm_partner;

struct corm_session {
    corm_engine *engine;                  /* a reference, or NULL */
    corm_characteristics characteristics; /* of the connections that are checked out */
    corm_connection *connection;          /* checked out while a transaction runs */
    bool borrowed_connection;             /* the caller's: its transaction is not ours to end */
    corm_connection_watch watch;          /* of a borrowed connection */
    corm_session_join join;
    corm_session_get_bind get_bind; /* or NULL: one engine for everything */
    void *bind_context;
    bool chosen;          /* the engine of the next statement is chosen already */
    corm_vector partners; /* corm_partner * */
    uint64_t number;
    bool autoflush;
    bool expire_on_commit;
    bool autobegin;
    bool strong;
    bool closed;
    bool flushing;
    bool detecting; /* plain assignments are being looked for */
    bool two_phase; /* transactions are prepared before they are committed */
    bool prepared;  /* this one is: it can only be ended */
    bool failed;    /* a flush failed: the transaction is rolled back, rollback() is due */
    char *failure;  /* what failed, for PendingRollbackError */
    void *host;
    const corm_host *host_functions;
    uint32_t listening;
    corm_identity_map identity;
    corm_vector held;                /* corm_state *: retained; NULL where one left */
    size_t held_count;               /* those that are not NULL */
    corm_vector transactions;        /* corm_transaction *, the root first */
    corm_vector tombstones;          /* corm_tombstone * */
    corm_vector key_switches;        /* corm_key_switch * */
    corm_vector journal;             /* see journal.c */
    uint32_t serial;                 /* of the last transaction begun */
    corm_attribute *const *expiring; /* while CORM_EVENT_EXPIRE is told: the attributes; NULL: all */
    size_t expiring_count;
    atomic_uintptr_t owner; /* the thread whose operations are under way, or 0 */
    unsigned entered;       /* how many: the owner's alone */
};

void corm_key_switch_free(corm_key_switch *change);

/* ---- holding (session.c) ---- */

/* Keep the object alive and on the list of what the next flush looks at. */
corm_status corm_session_hold(corm_session *session, corm_state *state);
/* The reverse; releases, so user's code may run. */
void corm_session_unhold(corm_session *session, corm_state *state);

/* Enter a keyed state in the identity map: it becomes persistent. CORM_INVALID_REQUEST when another object has
 * the key. A strong session retains it. */
corm_status corm_session_register(corm_session *session, corm_state *state);
/* The same when it is known that no object has the key. */
corm_status corm_session_enroll(corm_session *session, corm_state *state);
/* Out of the identity map; a strong session releases it. Does not touch state->session. */
void corm_session_unregister(corm_session *session, corm_state *state);
/* Add a state and what save-update reaches from it. */
corm_status corm_session_add_state(corm_session *session, corm_state *state);
/* Take the state out of the session altogether: detached (or transient if it has no key). */
void corm_session_detach(corm_session *session, corm_state *state);
/* The row was deleted in this transaction: out of the identity map, held until the outcome is known. */
corm_status corm_session_bury(corm_session *session, corm_state *state);
/* All live states of the identity map, each held; the caller releases the objects. */
corm_status corm_session_live(corm_session *session, corm_vector *out);
/* Expire everything of a state; its pending changes are forgotten. */
void corm_session_expire_state(corm_session *session, corm_state *state);
/* Call the session's listeners of a kind, if there are any. */
corm_status corm_session_event(corm_session *session, corm_event_kind kind, corm_state *state);

/* ---- several engines (partners.c) ---- */

/* Ask which engine, and use it. Nothing when there is one for everything. */
corm_status corm_session_choose(corm_session *session, corm_node *statement, corm_mapper *mapper);
/* A transaction was pushed: partners take notice. */
corm_status corm_partners_follow(corm_session *session);
/* Put a partner in the place of the session's own engine and connection, and the reverse. Never fails. */
void corm_partner_swap(corm_session *session, corm_partner *partner);
/* Give their connections back. */
void corm_partners_clear(corm_session *session);

/* ---- transactions (transaction.c) ---- */

/* Begin the root transaction if there is none (autobegin), or fail with what forbids it. */
corm_status corm_session_ensure_transaction(corm_session *session);
/* The root transaction failed inside a flush: roll it back on the database and restore objects; further use says
 * CORM_PENDING_ROLLBACK until rollback(). The thread's error is kept. */
void corm_session_fail(corm_session *session);
static inline uint32_t corm_session_serial(const corm_session *session) {
    return session->transactions.count == 0
               ? session->serial
               : ((corm_transaction *)session->transactions.items[session->transactions.count - 1])->serial;
}

/* ---- the journal (journal.c) ---- */

/* A flush wrote a state: its columns' former values go to the journal of a strong session. */
corm_status corm_journal_note(corm_session *session, corm_state *state);
/* A column is about to be read anew, for a statement wrote it: its value goes to the journal. The state is held by the
 * caller. */
corm_status corm_journal_value(corm_session *session, corm_state *state, corm_attribute *attribute);
/* Put back, and forget, what is changed and not flushed; put back what flushes since transaction `serial` wrote. */
void corm_journal_revert(corm_session *session, corm_state *state);
void corm_journal_undo(corm_session *session, uint32_t serial);
/* The outcome of the transaction is known. */
void corm_journal_forget(corm_session *session);

/* ---- relationships that follow rows (flush_follow.c) ---- */

/* Take objects that are being deleted (CORM_STATE_DELETING) out of what the session's objects hold. classes: theirs,
 * corm_mapper *. */
corm_status corm_follow_deleted(corm_session *session, const corm_vector *classes);
/* Many rows got another value in these columns (corm_column *): unload what is joined by them. */
corm_status corm_follow_columns(corm_session *session, const corm_vector *columns);

/* ---- cascades (cascade.c) ---- */

/* The state and everything that the cascade reaches from it along loaded relationships (load: also those that are
 * not loaded), each object retained, parents before what they reach. Iterative, each object once. within: objects that
 * are in this session already end the walk (they are told, but not what they reach); may be NULL. */
corm_status corm_cascade_collect(corm_state *start, uint32_t cascade, bool load, const corm_session *within,
                                 corm_vector *out);
void corm_objects_release(const corm_host *host, corm_vector *objects);
/* What one relationship of a state holds now without loading, pending additions too: each retained. */
corm_status corm_relationship_objects(corm_state *state, corm_attribute *attribute, corm_vector *out);

#endif
