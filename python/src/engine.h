/*
 * Engines, connections and transactions: what their files share.
 *
 * The engine's hooks lead to a context, which lives as long as the core's engine: listeners, logging, and the raw
 * connections that users were shown. Several Engine objects (execution_options()) may stand for one core engine.
 */
#ifndef CORM_PYTHON_ENGINE_H
#define CORM_PYTHON_ENGINE_H

#include "core.h"

#include "engine/engine.h"

/* Events of engines, connections and pools, in the order of their names in engine_events.c. */
typedef enum corm_py_engine_event {
    CORM_PY_CONNECT,
    CORM_PY_FIRST_CONNECT,
    CORM_PY_CHECKOUT,
    CORM_PY_CHECKIN,
    CORM_PY_RESET,
    CORM_PY_CLOSE,
    CORM_PY_INVALIDATE,
    CORM_PY_BEGIN,
    CORM_PY_COMMIT,
    CORM_PY_ROLLBACK,
    CORM_PY_SAVEPOINT,
    CORM_PY_RELEASE_SAVEPOINT,
    CORM_PY_ROLLBACK_SAVEPOINT,
    CORM_PY_BEGIN_TWO_PHASE,
    CORM_PY_PREPARE_TWO_PHASE,
    CORM_PY_COMMIT_TWO_PHASE,
    CORM_PY_ROLLBACK_TWO_PHASE,
    CORM_PY_BEFORE_EXECUTE,
    CORM_PY_AFTER_EXECUTE,
    CORM_PY_BEFORE_CURSOR_EXECUTE,
    CORM_PY_AFTER_CURSOR_EXECUTE,
    CORM_PY_ENGINE_CONNECT,
    CORM_PY_ENGINE_DISPOSED,
    CORM_PY_HANDLE_ERROR,
    CORM_PY_ENGINE_EVENT_COUNT
} corm_py_engine_event;

typedef struct CormPyEngine CormPyEngine;

typedef struct CormPyContext {
    PyObject_HEAD corm_engine *core;                 /* borrowed: it owns the context */
    CormPyEngine *engine;                            /* borrowed: the first Engine object; NULL once it is gone */
    PyObject *creator;                               /* or NULL */
    PyObject *listeners[CORM_PY_ENGINE_EVENT_COUNT]; /* lists, or NULL */
    PyObject *raw;        /* dict: address of a driver's connection -> (what users were shown, its record) */
    PyObject *loggers[2]; /* by corm_log_kind; NULL until needed */
    PyObject *logger_names[2];
    int echo[2];                           /* -1: the logger's level decides; else the level asked for */
    bool connected;                        /* first_connect was fired */
    struct CormPyContext *previous, *next; /* all contexts, for listeners of classes */
} CormPyContext;

struct CormPyEngine {
    PyObject_HEAD corm_engine *engine; /* a reference */
    CormPyContext *context;            /* borrowed from it */
    PyObject *url, *dialect, *pool;
    PyObject *options; /* dict: execution options, never changed */
    PyObject *dict;
    PyObject *weakrefs;
};

typedef struct CormPyConnection {
    PyObject_HEAD corm_connection *connection; /* NULL: closed */
    CormPyEngine *engine;
    bool owned;
    bool was_invalid;      /* and has no connection: it takes another one when it is used again */
    bool doomed;           /* and its transaction was not rolled back yet */
    PyObject *cause;       /* borrowed: of its being invalidated, while that is under way; or NULL */
    PyObject *transaction; /* borrowed: the RootTransaction; NULL: none, or nobody has it */
    PyObject *nested;      /* the innermost NestedTransaction, or NULL */
    PyObject *entered;     /* borrowed: the transaction of the innermost with block, or NULL */
    PyObject *options;     /* dict, never changed; or NULL */
    PyObject *listeners[CORM_PY_ENGINE_EVENT_COUNT];
    PyObject *proxy; /* connection.connection, or NULL */
    PyObject *dict;
    PyObject *weakrefs;
} CormPyConnection;

extern PyTypeObject *CormPyEngine_Type;
extern PyTypeObject *CormPyConnection_Type;
extern PyTypeObject *CormPyContext_Type;

/* Raise the engine's last error; a connection that it cost is invalidated. NULL. */
PyObject *corm_py_connection_raise(CormPyConnection *self);
PyObject *corm_py_raise_as(const char *name, const char *message); /* of cormorant.exc: NULL */

/* ---- engine_events.c ---- */

/* The listeners' numbers of the classes Engine, Connection and Pool. */
bool corm_py_engine_listened(const CormPyContext *context, const CormPyConnection *connection,
                             corm_py_engine_event event);
/* Call the listeners of connection, engine and classes; args is borrowed. -1 raised. */
int corm_py_engine_fire(CormPyContext *context, CormPyConnection *connection, corm_py_engine_event event,
                        PyObject *args);
/* A snapshot of all listeners, for those whose returned values matter: list of tuples (function, retval). */
PyObject *corm_py_engine_listeners(CormPyContext *context, CormPyConnection *connection, corm_py_engine_event event);
PyObject *corm_py_context_new(void);
/* Tell the core which hooks have work to do. */
void corm_py_engine_apply(CormPyContext *context);
int corm_py_engine_events_init(PyObject *module);

/* ---- engine_hooks.c ---- */

extern const corm_engine_hooks corm_py_engine_hooks; /* its context is set by the user */
/* (what users are shown of the driver's connection, its record): a new reference to the tuple. */
PyObject *corm_py_raw_pair(CormPyContext *context, corm_driver_connection *native);
/* Whether the loggers want what the engine says: looked at when a connection is taken. */
int corm_py_engine_refresh_echo(CormPyContext *context);
int corm_py_engine_set_echo(CormPyContext *context, corm_log_kind kind, PyObject *echo);

/* ---- engine_connection.c ---- */

/* The Connection object of a core connection, made when there is none: a new reference. */
PyObject *corm_py_connection_of(CormPyContext *context, corm_connection *connection);
/* Take one from the pool. */
PyObject *corm_py_engine_connect(CormPyEngine *engine);
/* What execution options say about transactions; options NULL: nothing. -1 raised. */
int corm_py_read_characteristics(PyObject *options, corm_characteristics *out);
int corm_py_connection_shut(CormPyConnection *self);
/* The open connection with a transaction begun; NULL raised. */
corm_connection *corm_py_connection_begun(CormPyConnection *self);
corm_connection *corm_py_connection_open(CormPyConnection *self); /* NULL raised */
int corm_py_connection_init(PyObject *module);

/* ---- engine_transaction.c ---- */

PyObject *corm_py_transaction_root(CormPyConnection *connection); /* of what has begun: a new reference */
PyObject *corm_py_transaction_two_phase(CormPyConnection *connection, PyObject *xid); /* xid may be NULL */
PyObject *corm_py_transaction_nested(CormPyConnection *connection);                   /* begin_nested() */
/* The connection's transactions are over: its objects say so. */
void corm_py_transactions_end(CormPyConnection *connection);
bool corm_py_transaction_is_active(PyObject *transaction);
PyObject *corm_py_engine_begin(CormPyEngine *engine); /* engine.begin() */
int corm_py_transaction_init(PyObject *module);
int corm_py_inspect_tables_init(PyObject *module);

/* ---- dbapi.c, dbapi_driver.c ---- */

/* A DBAPI-shaped object over a driver's connection, and its end. */
PyObject *corm_py_dbapi_new(const corm_driver *driver, corm_driver_connection *native);
void corm_py_dbapi_detach(PyObject *connection);
/* The driver that drives connections of Python's own drivers (creator=). */
extern const corm_driver corm_py_dbapi_driver;
corm_status corm_py_dbapi_open(PyObject *connection, corm_driver_connection **out); /* refs it */
PyObject *corm_py_dbapi_object(corm_driver_connection *native);                     /* borrowed */

#endif
