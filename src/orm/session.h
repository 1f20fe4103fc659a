/*
 * Sessions: a unit of work over one transaction, and the identity of objects in it.
 *
 * The identity map does not hold its objects (C's host does, through `held` references); pending, modified and
 * deleting objects are held by the session until they are flushed.
 *
 * Thread rule: a session is used by one thread at a time; a second one that comes while an operation runs gets
 * CORM_ILLEGAL_STATE_CHANGE. Re-entry by the same thread (hooks) is allowed where it makes sense and is
 * CORM_INVALID_REQUEST where not (flush inside flush).
 */
#ifndef CORM_ORM_SESSION_H
#define CORM_ORM_SESSION_H

#include "engine/engine.h"
#include "orm/identity.h"
#include "orm/state.h"

typedef struct corm_session corm_session;

typedef struct corm_session_options {
    bool no_autoflush;
    bool keep_on_commit; /* expire_on_commit=False */
    bool no_autobegin;
    void *host;                      /* the host's session object, borrowed, given back to hooks */
    const corm_host *host_functions; /* for session events; may be NULL */
    bool strong;                     /* the identity map holds its objects (the C face) */
} corm_session_options;

/* How a session takes part in a transaction that is under way on a connection of the caller's. */
typedef enum corm_session_join {
    CORM_SESSION_JOIN_CONDITIONAL = 0, /* by a savepoint when the connection has one under way, else rollback only */
    CORM_SESSION_JOIN_ROLLBACK_ONLY,   /* commit and close leave it open, rollback ends it */
    CORM_SESSION_JOIN_CONTROL_FULLY,   /* it ends with the session's */
    CORM_SESSION_JOIN_SAVEPOINT        /* the session's is a savepoint inside of it */
} corm_session_join;

/* A new session. It refs the engine; engine may be NULL until corm_session_bind(). */
corm_status corm_session_new(corm_engine *engine, const corm_session_options *options, corm_session **out);
/* Close and free. Objects in it become detached; pending ones transient. */
void corm_session_free(corm_session *session);
corm_status corm_session_bind(corm_session *session, corm_engine *engine);
/* Bind to a connection of the caller's (borrowed; its transaction is the caller's). When it is closed before the session is,
 * the session's transaction is over, and its further use CORM_RESOURCE_CLOSED. */
corm_status corm_session_bind_connection(corm_session *session, corm_connection *connection);
void corm_session_set_join(corm_session *session, corm_session_join join);
/* The session's number in the process, from 1: for messages. */
uint64_t corm_session_number(const corm_session *session);
/* A session whose classes live in several databases asks which engine a statement, or else the rows of a mapper, are for
 * (either may be NULL). *out is borrowed. */
typedef corm_status (*corm_session_get_bind)(void *context, corm_session *session, corm_node *statement,
                                             corm_mapper *mapper, corm_engine **out);
void corm_session_on_bind(corm_session *session, corm_session_get_bind get_bind, void *context);
/* Go on with this engine, inside of the transaction that is under way too: it then spans all engines that were used, and
 * their commits follow one another. CORM_INVALID_REQUEST on a connection of the caller's. */
corm_status corm_session_use(corm_session *session, corm_engine *engine);
void *corm_session_host(const corm_session *session);
/* How transactions are to be on connections that are checked out from now on. */
void corm_session_characterize(corm_session *session, const corm_characteristics *wanted);
corm_engine *corm_session_engine(const corm_session *session);
void corm_session_set_autoflush(corm_session *session, bool autoflush);
bool corm_session_autoflush(const corm_session *session);
void corm_session_set_expire_on_commit(corm_session *session, bool expire);
bool corm_session_expire_on_commit(const corm_session *session);
void corm_session_listen(corm_session *session, uint32_t event_kinds);

/* ---- objects ---- */
corm_status corm_session_add(corm_session *session, corm_object *object, const corm_host *host);
corm_status corm_session_delete(corm_session *session, corm_object *object, const corm_host *host);
corm_status corm_session_expunge(corm_session *session, corm_state *state);
corm_status corm_session_expunge_all(corm_session *session);
/* attributes: keys to expire, or NULL for all. */
corm_status corm_session_expire(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                                size_t count);
corm_status corm_session_expire_all(corm_session *session);
corm_status corm_session_refresh(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                                 size_t count);
/* The dialect of the database at hand; of none yet, or without a session, the default one. */
const corm_dialect *corm_session_dialect(const corm_session *session);
/* The object with this primary key, from the identity map or the database; *out is retained, NULL when there is
 * none. values: one for each primary key column, any kind the host can convert. options: a load-options
 * node list, may be NULL. */
corm_status corm_session_get(corm_session *session, corm_mapper *mapper, const corm_value *values, size_t count,
                             struct corm_load_options *options, bool populate_existing, corm_object **out);
/* Is an object with this key in the identity map? It may have expired. */
bool corm_session_knows(const corm_session *session, const corm_mapper *mapper, const corm_value *values, size_t count);
corm_status corm_session_merge(corm_session *session, corm_object *object, const corm_host *host, bool load,
                               corm_object **out);
bool corm_session_contains(const corm_session *session, const corm_state *state);
/* Retained objects, appended to out; the caller releases. */
enum corm_session_set { CORM_SESSION_NEW, CORM_SESSION_DIRTY, CORM_SESSION_DELETED, CORM_SESSION_ALL };
corm_status corm_session_objects(corm_session *session, enum corm_session_set set, corm_vector *out);
bool corm_session_is_modified(corm_state *state);
/* To the transient state: forget key and session. */
corm_status corm_make_transient(corm_state *state);
corm_status corm_make_transient_to_detached(corm_state *state);

/* ---- transactions ---- */
corm_status corm_session_begin(corm_session *session);
corm_status corm_session_begin_nested(corm_session *session);
/* Flush, then commit; commits the innermost begin_nested() if there is one when `nested`. */
corm_status corm_session_commit(corm_session *session);
/* Transactions to come are two-phase ones: a commit prepares on all connections before it commits on any. */
void corm_session_set_two_phase(corm_session *session, bool two_phase);
/* Flush, and prepare the root transaction: what is left is to commit or roll back. CORM_INVALID_REQUEST. */
corm_status corm_session_prepare(corm_session *session);
corm_status corm_session_commit_nested(corm_session *session); /* RELEASE SAVEPOINT */
corm_status corm_session_rollback(corm_session *session);
corm_status corm_session_rollback_nested(corm_session *session); /* the innermost savepoint only */
corm_status corm_session_close(corm_session *session);
bool corm_session_in_transaction(const corm_session *session);
bool corm_session_in_nested_transaction(const corm_session *session);
bool corm_session_is_active(const corm_session *session);
size_t corm_session_depth(const corm_session *session); /* 0: none, 1: root, 2..: savepoints */
/* Write all changes; objects NULL: everything. */
corm_status corm_session_flush(corm_session *session);
/* The flush that queries do first, when autoflush is on. */
corm_status corm_session_flush_if_needed(corm_session *session);
/* The session's connection, with a transaction begun: borrowed until commit, rollback or close. */
corm_status corm_session_connection(corm_session *session, corm_connection **out);

/* Bracket every operation that uses the session: refuses a second thread. */
corm_status corm_session_enter(corm_session *session);
void corm_session_leave(corm_session *session);
/* Is an operation under way, in this thread or another? */
bool corm_session_is_busy(const corm_session *session);

#endif
