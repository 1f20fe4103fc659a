/*
 * Sessions: a unit of work over one transaction.
 *
 * Objects are structs that the session owns: corm_new() makes one that will be inserted, queries give others; one row is
 * one object. You change an object by assigning its fields; a flush (before each query, at commit) finds what changed
 * and writes it. An object lives until its session is closed, it is expunged, or its deletion is committed; corm_keep()
 * holds it longer.
 *
 * After a commit objects keep their values. After a rollback, also of a failed flush, they have those from before the
 * transaction; references and collections are loaded again when they are asked for; objects that were new belong to no
 * session, but live until this one ends and may be added again. (What was first read within the transaction shows what it
 * read there, until it is read again.) A query or corm_get() that meets an object after a
 * rollback reads its row again, as corm_refresh() does at any time.
 *
 * Thread rule: a session and its objects are used by one thread at a time; one that comes while another's call is under
 * way gets CORM_ILLEGAL_STATE_CHANGE.
 */
#ifndef CORMORANT_SESSION_H
#define CORMORANT_SESSION_H

#include <cormorant/mapping.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_session corm_session;

/* NULL: see corm_error_last(). Both must outlive the session. */
CORM_API corm_session *corm_session_open(corm_engine *engine, corm_models *models);
/* Roll back what is not committed and free all objects. Accepts NULL. Inside of a hook it does nothing but set the error
 * CORM_INVALID_REQUEST. */
CORM_API void corm_session_end(corm_session *session);

/* A new object that the session will insert: all fields zero, collections empty. NULL: see corm_error_last(). */
#define corm_new(session, type_) ((type_ *)corm_object_new((session), type_##_mapping()))
CORM_API void *corm_object_new(corm_session *session, corm_mapping *mapping);
/* The object with an integer key, or NULL: no such row (corm_error_last()->status is CORM_OK) or a failure. */
#define corm_get(session, type_, key) ((type_ *)corm_object_get((session), type_##_mapping(), (key)))
CORM_API void *corm_object_get(corm_session *session, corm_mapping *mapping, int64_t key);
#define corm_get_by(session, type_, keys, count)                                                                       \
    ((type_ *)corm_object_get_by((session), type_##_mapping(), (keys), (count)))
CORM_API void *corm_object_get_by(corm_session *session, corm_mapping *mapping, const corm_value *keys, size_t count);

CORM_API corm_status corm_delete(corm_session *session, void *object);
/* Read the row again; changes that were not flushed are lost. CORM_INVALID_REQUEST: the row is gone. */
CORM_API corm_status corm_refresh(corm_session *session, void *object);
/* Take an object, and what the relationships' cascade "expunge" reaches, out of the session: without its relationships,
 * and freed unless it is kept. */
CORM_API corm_status corm_expunge(corm_session *session, void *object);
CORM_API corm_status corm_flush(corm_session *session);
CORM_API corm_status corm_commit(corm_session *session);
CORM_API corm_status corm_rollback(corm_session *session);
/* The isolation level of the transactions to come, such as "SERIALIZABLE", or "AUTOCOMMIT"; NULL: the server's own. A level
 * that the database does not have is a CORM_ARGUMENT_ERROR where the transaction begins. CORM_INVALID_REQUEST inside of
 * one. */
CORM_API corm_status corm_set_isolation(corm_session *session, const char *level);
/* Savepoints nest: each save is ended by a release or a rollback to it. */
CORM_API corm_status corm_save(corm_session *session);
CORM_API corm_status corm_release(corm_session *session);
CORM_API corm_status corm_rollback_save(corm_session *session);

/* Hold an object beyond its session; let it go again. */
CORM_API void corm_keep(void *object);
CORM_API void corm_let_go(void *object);
/* Bring an object that left its session (kept, expunged) into this one. */
CORM_API corm_status corm_add(corm_session *session, void *object);

/* Copy an object of another session, or of none, onto this session's object of the same key, which is loaded or made;
 * related objects come along where the relationship's cascade says "merge". NULL: see corm_error_last(). */
#define corm_merge(session, type_, object) ((type_ *)corm_object_merge((session), type_##_mapping(), (object)))
CORM_API void *corm_object_merge(corm_session *session, corm_mapping *mapping, void *object);

/* Where an object stands. */
typedef enum corm_standing {
    CORM_TRANSIENT = 1, /* no row, no session */
    CORM_PENDING,       /* will be inserted */
    CORM_PERSISTENT,    /* has a row and a session */
    CORM_DELETED,       /* its row was deleted in the transaction under way */
    CORM_DETACHED       /* has (or had) a row, no session */
} corm_standing;
CORM_API corm_standing corm_standing_of(const void *object); /* 0: no object */
CORM_API corm_session *corm_session_of(const void *object);  /* NULL: none */
/* Shall queries flush first? They do, unless this is off. */
CORM_API void corm_set_autoflush(corm_session *session, bool autoflush);

/* ---- two phases ---- */

/* Transactions to come can be prepared: then their commit is certain, also after the session, the connection and the server
 * ended. A commit prepares by itself. PostgreSQL (max_prepared_transactions is not 0) and MariaDB; elsewhere the first use
 * of the database is CORM_NOT_SUPPORTED. CORM_INVALID_REQUEST inside of a transaction. */
CORM_API corm_status corm_set_two_phase(corm_session *session, bool two_phase);
/* Flush and prepare: what is left is to commit, to roll back, or to leave. */
CORM_API corm_status corm_prepare(corm_session *session);
/* The name of the transaction under way, until it ends; NULL: none, or nothing was asked of the database yet. */
CORM_API const char *corm_transaction_name(const corm_session *session);
/* Go away from a prepared transaction, which stays: objects are as after a rollback. */
CORM_API corm_status corm_leave_prepared(corm_session *session);
/* Tell the name of each transaction that is prepared on the database. */
CORM_API corm_status corm_each_prepared(corm_engine *engine, void (*tell)(void *context, const char *name),
                                        void *context);
/* Commit a prepared transaction by its name, or roll it back. */
CORM_API corm_status corm_end_prepared(corm_engine *engine, const char *name, bool commit);

/* ---- trying again ---- */

/* A unit of work: what it does, it does with the session that it is given, and it may be called several times. */
typedef corm_status (*corm_work)(void *context, corm_session *session);

/* All zero: 5 attempts, with pauses from 50 milliseconds to 2 seconds. */
typedef struct corm_patience {
    unsigned attempts;    /* in all */
    double pause;         /* seconds after the first attempt; twice as long after each further one, at random less */
    double longest_pause; /* seconds */
} corm_patience;

/* Do a unit of work in a session of its own and commit it; when that fails for what corm_error_is_transient() tells, do it
 * again from the beginning in another session. What was rolled back leaves no trace in the database, so the work is done
 * once or not at all; what it did elsewhere is its own affair. The work may flush, but not commit. Its objects end with
 * the session. Any other failure, and the last attempt's, is returned. patience may be NULL. */
CORM_API corm_status corm_retry(corm_engine *engine, corm_models *models, const corm_patience *patience, corm_work work,
                                void *context);

/* ---- references ---- */

/* Read a reference, loading it when it was not: a->user may be read directly only after that, after assigning it, or
 * when it was loaded eagerly. NULL: nothing, or a failure. */
#define corm_fetch(object, field_) ((void)sizeof((object)->field_), corm_reference_fetch((object), #field_))
CORM_API void *corm_reference_fetch(void *object, const char *field);
/* Assign a reference and bring the other side's collection in step at once; plain assignment does so at flush, where the
 * field differs from what it showed. So NULL for a reference that was not loaded is assigned with corm_set(). */
#define corm_set(object, field_, other)                                                                                \
    ((void)sizeof((object)->field_ == (other)), corm_reference_set((object), #field_, (other)))
CORM_API corm_status corm_reference_set(void *object, const char *field, void *other);

/* ---- collections ---- */

/* The number of items; loads the collection when it was not. SIZE_MAX: a failure. */
CORM_API size_t corm_many_count(corm_many *many);
/* Item by place, or NULL: past the end (corm_error_last()->status is CORM_OK) or a failure. Items keep their places until
 * the collection changes. */
CORM_API void *corm_many_at(corm_many *many, size_t index);
/* An object is in a collection once: adding it again does nothing. */
CORM_API corm_status corm_many_add(corm_many *many, void *object);
/* CORM_INVALID_REQUEST when it is not in it. */
CORM_API corm_status corm_many_remove(corm_many *many, void *object);
CORM_API bool corm_many_contains(corm_many *many, const void *object);
/* A loop over a collection: corm_each(address, a, u->addresses) { ... }. The collection may change meanwhile; then items
 * may be met twice or not at all. It ends without an error, or where one is: see corm_error_last(). */
#define corm_each(type_, name, many)                                                                                   \
    for (size_t name##_at_ = 0; name##_at_ != SIZE_MAX; name##_at_ = SIZE_MAX)                                         \
        for (type_ *name = (type_ *)corm_many_at((many), 0); name != NULL;                                             \
             name = (type_ *)corm_many_at((many), ++name##_at_))

/* ---- hooks ---- */

typedef enum corm_hook_kind {
    CORM_HOOK_BEFORE_INSERT = 1,
    CORM_HOOK_AFTER_INSERT,
    CORM_HOOK_BEFORE_UPDATE,
    CORM_HOOK_AFTER_UPDATE,
    CORM_HOOK_BEFORE_DELETE,
    CORM_HOOK_AFTER_DELETE,
    CORM_HOOK_LOAD
} corm_hook_kind;

/* Anything but CORM_OK ends the operation with that status; set the error with corm_fail(). */
typedef corm_status (*corm_hook)(void *context, corm_session *session, void *object);
#define corm_listen(type_, kind, hook, context) corm_mapping_listen(type_##_mapping(), (kind), (hook), (context))
CORM_API corm_status corm_mapping_listen(corm_mapping *mapping, corm_hook_kind kind, corm_hook hook, void *context);
CORM_API corm_status corm_fail(corm_status status, const char *format, ...) CORM_PRINTF(2, 3);

#ifdef __cplusplus
}
#endif
#endif
