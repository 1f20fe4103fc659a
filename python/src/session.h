/*
 * Sessions in Python, what their files share: session.c (life, objects), session_bind.c (engines and connections),
 * session_transaction.c, session_execute.c (statements, get), session_bulk.c, session_views.c (sets of objects, the identity map),
 * session_maker.c (sessionmaker, scoped_session).
 *
 * A CormPySession owns a core session, from tp_init on until it is deallocated. The core session knows its Python object without
 * owning it, and forgets it first thing when that is finalized, so that no hook sees a dying object.
 */
#ifndef CORM_PYTHON_SESSION_H
#define CORM_PYTHON_SESSION_H

#include "arguments.h"
#include "orm.h"

#include "orm/session_private.h"

/* A begin() or begin_nested(). It knows the core's transaction by its number; when that is over, so is the view. */
struct CormPyTransaction {
    PyObject_HEAD CormPySession *session; /* owned; NULL once cleared */
    PyObject *parent;                     /* the view around it, or NULL */
    uint32_t serial;
    bool nested;
    struct CormPyTransaction *outer; /* the one that was managed when this one's `with` was entered: borrowed */
    struct CormPyTransaction *previous, *next; /* in session->transactions */
};
extern PyTypeObject *CormPyTransaction_Type;

static inline CormPySession *corm_py_as_session(PyObject *object) {
    return (CormPySession *)object;
}

/* The core's transaction of a view is still there. */
bool corm_py_transaction_alive(const CormPyTransaction *transaction);
/* The view of the transaction at a depth (0: the root): a new reference. */
PyObject *corm_py_transaction_view(CormPySession *self, size_t depth);
/* Fires after_transaction_end and after_transaction_create for what ended and began; called after each change. */
int corm_py_transactions_changed(CormPySession *self);

/* Raise the engine's error after an operation of the session. When that left the transaction failed, PendingRollbackErrors to
 * come will quote the exception. Always NULL. */
PyObject *corm_py_session_raise(CormPySession *self);
/* Raise cormorant.<module>.<name> with a message; always NULL. */
PyObject *corm_py_raise_class(const char *module, const char *name, const char *format, ...);
#define corm_py_raise_exc(name, ...) corm_py_raise_class("cormorant.exc", name, __VA_ARGS__)

/* Turn an object's primary key to a Python tuple or take it from one; see session_execute.c. */
PyObject *corm_py_identity_key(const corm_mapper *mapper, const corm_value *values, size_t count);
/* An IdentitySet of the objects of one of the session's sets; an IdentityMap. */
PyObject *corm_py_identity_set(CormPySession *self, enum corm_session_set set);
PyObject *corm_py_identity_map(CormPySession *self);
PyObject *corm_py_no_autoflush(CormPySession *self);
/* All objects of a set: a list. */
PyObject *corm_py_session_objects(CormPySession *self, enum corm_session_set set);

/* ---- session_execute.c ---- */

/* Take in a mapping of execution options (or NULL, None): -1 raised. */
int corm_py_execution_read(corm_execute_options *options, PyObject *mapping);
/* A value of synchronize_session. */
int corm_py_read_synchronize(PyObject *value, int *out);
/* The object with a primary key, as Session.get() takes it: a new reference; NULL without an exception when there is none. */
PyObject *corm_py_session_load(CormPySession *self, corm_mapper *mapper, PyObject *ident, corm_load_options *options,
                               bool populate_existing);
/* The node of something that can be executed: a new reference, or NULL with what SQLAlchemy raises. */
corm_node *corm_py_executable(PyObject *object);
/* Run an INSERT of a mapped class for a list of dictionaries, each run of equal keys as one batch: the last one's result. */
corm_result *corm_py_session_insert_batches(CormPySession *self, corm_node *statement, PyObject *rows,
                                            const corm_execute_options *options);
/* Do two dictionaries have the same keys? */
bool corm_py_same_names(PyObject *left, PyObject *right);
/* Run with parameters that are parsed. NULL raised. */
corm_result *corm_py_session_run_sets(CormPySession *self, corm_node *statement, const corm_py_parameters *parameters,
                                      const corm_execute_options *options);

/* ---- session_bulk.c ---- */

/* UPDATE rows by their primary keys, from a list of dictionaries by attribute names that hold them. expire: the changed
 * attributes of the session's objects of these rows. 0, or -1 raised; *rowcount is set. */
int corm_py_bulk_update(CormPySession *self, corm_mapper *mapper, PyObject *rows, bool expire, int64_t *rowcount);

/* Methods, for the type's table in session.c. */
#define CORM_PY_SESSION_FAST(name)                                                                                     \
    PyObject *corm_py_session_##name(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
CORM_PY_SESSION_FAST(execute);
CORM_PY_SESSION_FAST(scalars);
CORM_PY_SESSION_FAST(scalar);
CORM_PY_SESSION_FAST(get);
CORM_PY_SESSION_FAST(get_one);
CORM_PY_SESSION_FAST(query);
CORM_PY_SESSION_FAST(begin);
CORM_PY_SESSION_FAST(get_bind);
CORM_PY_SESSION_FAST(connection_method);
CORM_PY_SESSION_FAST(bulk_save_objects);
CORM_PY_SESSION_FAST(bulk_insert_mappings);
CORM_PY_SESSION_FAST(bulk_update_mappings);
PyObject *corm_py_session_execute_unheard(PyObject *self, PyObject *args);
PyObject *corm_py_session_prepare(PyObject *self, PyObject *unused);
PyObject *corm_py_session_begin_nested(PyObject *self, PyObject *unused);
PyObject *corm_py_session_commit(PyObject *self, PyObject *unused);
PyObject *corm_py_session_rollback(PyObject *self, PyObject *unused);
PyObject *corm_py_session_bind_mapper(PyObject *self, PyObject *args);
PyObject *corm_py_session_bind_table(PyObject *self, PyObject *args);

/* ---- session_bind.c ---- */

/* Set bind=: an Engine, a Connection or None. */
int corm_py_session_set_bind(CormPySession *self, PyObject *bind);
/* Add to binds=: a mapped class, Mapper, Table or base class, and an Engine or Connection. */
int corm_py_session_add_bind(CormPySession *self, PyObject *key, PyObject *bind);
/* The Mapper of the first mapped class that a statement names, or None: a new reference. */
PyObject *corm_py_statement_mapper(PyObject *module, PyObject *statement);
/* corm_py_session_ensure_bind() for a SELECT of a mapped class: it differs in the message. */
int corm_py_session_ensure_bind_select(CormPySession *self, corm_mapper *mapper);
/* Take in bind_arguments= for the statement that comes, and forget them again. */
int corm_py_session_ask(CormPySession *self, PyObject *arguments);
void corm_py_session_asked(CormPySession *self);
/* The caller's Connection is told when its transaction was ended from here. */
void corm_py_session_tell_connection(CormPySession *self);
/* The engine before a flush: of any object that it will write. */
int corm_py_session_bind_for_flush(CormPySession *self);

/* ---- session_maker.c ---- */

/* A scoped_session's session of the present scope, or the object itself: a new reference. */
PyObject *corm_py_session_resolve(PyObject *object);

int corm_py_session_transaction_init(PyObject *module);
int corm_py_session_views_init(PyObject *module);
int corm_py_session_maker_init(PyObject *module);

#endif
