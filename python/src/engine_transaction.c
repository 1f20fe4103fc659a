/*
 * Transactions of a Connection: the root, savepoints inside it, and engine.begin().
 *
 * The core connection knows whether a transaction has begun; these objects stand for it and for its savepoints. A nested
 * transaction knows the one around it; ending one ends those inside it. Inside a with block whose transaction has ended,
 * the connection refuses to begin another by itself.
 *
 * A transaction holds its connection. The connection knows its root transaction without holding it, so that one which is
 * dropped takes the connection along without the collector; savepoints are held, as nobody else knows of them.
 */
#include "engine.h"
#include "orm.h"

typedef struct Transaction {
    PyObject_HEAD CormPyConnection *connection;
    PyObject *outer;   /* of a nested one: the nested one around it, or NULL */
    PyObject *entered; /* what was entered before this one's with block, or NULL */
    bool nested;
    bool active;
    bool inside;   /* its with block is under way */
    char name[32]; /* of a savepoint */
} Transaction;

typedef struct EngineBegin {
    PyObject_HEAD CormPyEngine *engine;
    PyObject *connection, *transaction;
} EngineBegin;

static PyTypeObject *transaction_type, *root_type, *two_phase_type, *nested_type, *begin_type;

bool corm_py_transaction_is_active(PyObject *transaction) {
    return ((Transaction *)transaction)->active;
}

static Transaction *make(PyTypeObject *type, CormPyConnection *connection) {
    Transaction *made = (Transaction *)type->tp_alloc(type, 0);
    if (made != NULL) {
        made->connection = (CormPyConnection *)Py_NewRef((PyObject *)connection);
        made->active = true;
    }
    return made;
}

PyObject *corm_py_transaction_root(CormPyConnection *connection) {
    if (connection->transaction != NULL) {
        return Py_NewRef(connection->transaction);
    }
    const corm_connection *core = connection->connection;
    bool has_name = core != NULL && corm_connection_xid(core) != NULL;
    connection->transaction = (PyObject *)make(has_name ? two_phase_type : root_type, connection);
    return connection->transaction;
}

PyObject *corm_py_transaction_two_phase(CormPyConnection *connection, PyObject *xid) {
    corm_connection *core = corm_py_connection_open(connection);
    const char *name = core == NULL || xid == NULL ? NULL : PyUnicode_AsUTF8(xid);
    if (core == NULL || (xid != NULL && name == NULL)) {
        return NULL;
    }
    if (corm_engine_dialect(connection->engine->engine)->two_phase == NULL) {
        PyErr_Format(PyExc_NotImplementedError, "%s has no two-phase transactions",
                     corm_engine_dialect(connection->engine->engine)->name);
        return NULL;
    }
    if (!corm_connection_in_transaction(core)) {
        corm_py_transactions_end(connection);
    }
    return corm_connection_begin_two_phase(core, name) == CORM_OK ? corm_py_transaction_root(connection)
                                                                  : corm_py_raise();
}

void corm_py_transactions_end(CormPyConnection *connection) {
    PyObject *nested = connection->nested, *root = connection->transaction;
    connection->nested = connection->transaction = NULL;
    for (Transaction *each = (Transaction *)nested; each != NULL; each = (Transaction *)each->outer) {
        each->active = false;
    }
    if (root != NULL) {
        ((Transaction *)root)->active = false;
    }
    Py_XDECREF(nested);
}

PyObject *corm_py_transaction_nested(CormPyConnection *connection) {
    corm_connection *core = corm_py_connection_begun(connection);
    Transaction *made = core == NULL ? NULL : make(nested_type, connection);
    if (made == NULL) {
        return NULL;
    }
    made->nested = true;
    PyOS_snprintf(made->name, sizeof made->name, "sa_savepoint_%u", corm_connection_next_savepoint(core));
    if (corm_connection_savepoint(core, made->name) != CORM_OK) {
        made->active = false;
        Py_DECREF(made);
        return corm_py_connection_raise(connection);
    }
    made->outer = connection->nested;
    connection->nested = Py_NewRef((PyObject *)made);
    return (PyObject *)made;
}

/* ---- ending ---- */

static PyObject *inactive(const Transaction *self) {
    return corm_py_raise_as("InvalidRequestError",
                            self->nested ? "This nested transaction is inactive" : "This transaction is inactive");
}

/* This savepoint and those inside it are over. */
static void leave_nested(Transaction *self) {
    CormPyConnection *connection = self->connection;
    bool mine = false;
    for (Transaction *each = (Transaction *)connection->nested; each != NULL; each = (Transaction *)each->outer) {
        mine = mine || each == self;
    }
    while (mine && connection->nested != NULL) {
        Transaction *inner = (Transaction *)connection->nested;
        bool last = inner == self;
        connection->nested = Py_XNewRef(inner->outer);
        inner->active = false;
        Py_DECREF(inner);
        if (last) {
            break;
        }
    }
    self->active = false;
}

static PyObject *finish(Transaction *self, corm_status status) {
    if (status != CORM_OK) {
        return corm_py_connection_raise(self->connection);
    }
    if (self->nested) {
        leave_nested(self);
    } else {
        corm_py_transactions_end(self->connection);
        self->active = false;
    }
    Py_RETURN_NONE;
}

static PyObject *commit(PyObject *object, PyObject *unused) {
    Transaction *self = (Transaction *)object;
    (void)unused;
    bool doomed = self->connection->doomed && !self->nested;
    corm_connection *core = self->active || doomed ? corm_py_connection_open(self->connection) : NULL;
    if (core == NULL) {
        return PyErr_Occurred() != NULL ? NULL : inactive(self);
    }
    Py_INCREF(self);
    PyObject *result =
        finish(self, self->nested ? corm_connection_release(core, self->name) : corm_connection_commit(core));
    Py_DECREF(self);
    return result;
}

/* Of what is inactive: nothing. */
static PyObject *rollback(PyObject *object, PyObject *unused) {
    Transaction *self = (Transaction *)object;
    (void)unused;
    if (!self->active || self->connection->connection == NULL) {
        self->active = false;
        self->connection->doomed = self->connection->doomed && self->nested;
        Py_RETURN_NONE;
    }
    corm_connection *core = self->connection->connection;
    Py_INCREF(self);
    corm_status status = self->nested ? corm_connection_rollback_to(core, self->name) : corm_connection_rollback(core);
    if (status != CORM_OK && !self->nested) { /* the connection is invalid now: its transaction is over */
        corm_py_transactions_end(self->connection);
        self->active = false;
    }
    PyObject *result = finish(self, status);
    Py_DECREF(self);
    return result;
}

/* ---- two-phase ---- */

static PyObject *two_phase_prepare(PyObject *object, PyObject *unused) {
    Transaction *self = (Transaction *)object;
    (void)unused;
    corm_connection *core = self->active ? corm_py_connection_open(self->connection) : NULL;
    if (core == NULL) {
        return PyErr_Occurred() != NULL ? NULL : inactive(self);
    }
    return corm_connection_prepare(core) == CORM_OK ? Py_NewRef(Py_None) : corm_py_connection_raise(self->connection);
}

static PyObject *get_xid(PyObject *object, void *closure) {
    (void)closure;
    const Transaction *self = (const Transaction *)object;
    const corm_connection *core = self->active ? self->connection->connection : NULL;
    const char *xid = core == NULL ? NULL : corm_connection_xid(core);
    return xid == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(xid, (Py_ssize_t)strlen(xid), "replace");
}

/* ---- with blocks ---- */

static PyObject *enter(PyObject *object, PyObject *unused) {
    Transaction *self = (Transaction *)object;
    (void)unused;
    if (!self->inside) {
        self->inside = true;
        self->entered = Py_XNewRef(self->connection->entered);
        self->connection->entered = object;
    }
    return Py_NewRef(object);
}

static void leave_block(Transaction *self) {
    if (self->inside) {
        self->inside = false;
        if (self->connection->entered == (PyObject *)self) {
            self->connection->entered = self->entered; /* whose own block goes on */
        }
        Py_CLEAR(self->entered);
    }
}

/* Roll back with the exception under way kept. */
static void rollback_quietly(PyObject *object) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *done = rollback(object, NULL);
    if (done == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(done);
    PyErr_Restore(type, value, traceback);
}

static PyObject *leave(PyObject *object, PyObject *args) {
    Transaction *self = (Transaction *)object;
    PyObject *type = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : Py_None;
    PyObject *result;
    Py_INCREF(self);
    if (type == Py_None && self->active) {
        result = commit(object, NULL);
        if (result == NULL) {
            rollback_quietly(object);
        }
    } else {
        result = rollback(object, NULL);
    }
    leave_block(self);
    Py_DECREF(self);
    if (result != NULL) {
        Py_SETREF(result, Py_NewRef(Py_False));
    }
    return result;
}

static PyObject *get_active(PyObject *object, void *closure) {
    (void)closure;
    Transaction *self = (Transaction *)object;
    return PyBool_FromLong(self->active && self->connection->connection != NULL);
}

static PyObject *get_connection(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef((PyObject *)((Transaction *)object)->connection);
}

static PyObject *get_nested(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(((Transaction *)object)->nested);
}

static int transaction_traverse(PyObject *object, visitproc visit, void *arg) {
    Transaction *self = (Transaction *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->connection);
    Py_VISIT(self->outer);
    Py_VISIT(self->entered);
    return 0;
}

static int transaction_clear(PyObject *object) {
    Transaction *self = (Transaction *)object;
    Py_CLEAR(self->outer);
    Py_CLEAR(self->entered);
    return 0;
}

static void transaction_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    CormPyConnection *connection = ((Transaction *)object)->connection;
    PyObject_GC_UnTrack(object);
    if (connection != NULL) {
        if (connection->transaction == object) {
            connection->transaction = NULL;
        }
        leave_block((Transaction *)object);
    }
    transaction_clear(object);
    Py_XDECREF((PyObject *)connection);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef transaction_methods[] = {
    {"commit", commit, METH_NOARGS, "commit($self, /)\n--\n\nCommit, or release the savepoint."},
    {"rollback", rollback, METH_NOARGS, "rollback($self, /)\n--\n\nRoll back, or to the savepoint."},
    {"close", rollback, METH_NOARGS, "close($self, /)\n--\n\nRoll back what is not committed."},
    {"__enter__", enter, METH_NOARGS, NULL},
    {"__exit__", leave, METH_VARARGS, NULL},
    {NULL}};

static PyGetSetDef transaction_getset[] = {
    {"is_active", get_active, NULL, "Whether it is under way.", NULL},
    {"is_valid", get_active, NULL, "Whether it is under way on a valid connection.", NULL},
    {"connection", get_connection, NULL, "Its connection.", NULL},
    {"nested", get_nested, NULL, "Whether it is a savepoint.", NULL},
    {NULL}};

enum {
    DERIVED_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    TYPE_FLAGS = DERIVED_FLAGS | Py_TPFLAGS_HAVE_GC
};

static PyType_Slot transaction_slots[] = {{Py_tp_dealloc, transaction_dealloc},
                                          {Py_tp_traverse, transaction_traverse},
                                          {Py_tp_clear, transaction_clear},
                                          {Py_tp_methods, transaction_methods},
                                          {Py_tp_getset, transaction_getset},
                                          {Py_tp_doc, "A transaction of a connection."},
                                          {0}};
static PyType_Slot root_slots[] = {{Py_tp_doc, "The transaction of a connection itself."}, {0}};
static PyMethodDef two_phase_methods[] = {
    {"prepare", two_phase_prepare, METH_NOARGS,
     "prepare($self, /)\n--\n\nPrepare it: commit() is then certain, here or elsewhere by its name."},
    {NULL}};
static PyGetSetDef two_phase_getset[] = {{"xid", get_xid, NULL, "Its name, while it is under way.", NULL}, {NULL}};
static PyType_Slot two_phase_slots[] = {{Py_tp_methods, two_phase_methods},
                                        {Py_tp_getset, two_phase_getset},
                                        {Py_tp_doc, "A two-phase transaction of a connection."},
                                        {0}};
static PyType_Slot nested_slots[] = {{Py_tp_doc, "A savepoint."}, {0}};
static PyType_Spec transaction_spec = {"cormorant._engine.Transaction", sizeof(Transaction), 0, TYPE_FLAGS,
                                       transaction_slots};
static PyType_Spec root_spec = {"cormorant._engine.RootTransaction", sizeof(Transaction), 0, DERIVED_FLAGS, root_slots};
static PyType_Spec two_phase_spec = {"cormorant._engine.TwoPhaseTransaction", sizeof(Transaction), 0, DERIVED_FLAGS,
                                     two_phase_slots};
static PyType_Spec nested_spec = {"cormorant._engine.NestedTransaction", sizeof(Transaction), 0, DERIVED_FLAGS,
                                  nested_slots};

/* ---- engine.begin() ---- */

PyObject *corm_py_engine_begin(CormPyEngine *engine) {
    EngineBegin *made = (EngineBegin *)begin_type->tp_alloc(begin_type, 0);
    if (made != NULL) {
        made->engine = (CormPyEngine *)Py_NewRef((PyObject *)engine);
    }
    return (PyObject *)made;
}

static PyObject *begin_enter(PyObject *object, PyObject *unused) {
    EngineBegin *self = (EngineBegin *)object;
    (void)unused;
    if (self->connection != NULL) {
        return corm_py_raise_as("InvalidRequestError", "This with block has been entered already");
    }
    PyObject *connection = corm_py_engine_connect(self->engine);
    PyObject *transaction = connection == NULL ? NULL : corm_py_call(connection, "begin", NULL);
    PyObject *entered = transaction == NULL ? NULL : enter(transaction, NULL);
    if (entered == NULL) {
        Py_XDECREF(connection);
        Py_XDECREF(transaction);
        return NULL;
    }
    Py_DECREF(entered);
    self->connection = connection;
    self->transaction = transaction;
    return Py_NewRef(connection);
}

static PyObject *begin_exit(PyObject *object, PyObject *args) {
    EngineBegin *self = (EngineBegin *)object;
    PyObject *connection = self->connection, *transaction = self->transaction;
    if (connection == NULL) {
        Py_RETURN_FALSE;
    }
    self->connection = self->transaction = NULL;
    PyObject *result = leave(transaction, args);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    corm_py_connection_shut((CormPyConnection *)connection);
    PyErr_Restore(type, value, traceback);
    Py_DECREF(transaction);
    Py_DECREF(connection);
    return result;
}

static int begin_traverse(PyObject *object, visitproc visit, void *arg) {
    EngineBegin *self = (EngineBegin *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->engine);
    Py_VISIT(self->connection);
    Py_VISIT(self->transaction);
    return 0;
}

static int begin_clear(PyObject *object) {
    EngineBegin *self = (EngineBegin *)object;
    Py_CLEAR(self->transaction);
    Py_CLEAR(self->connection);
    return 0;
}

static void begin_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    begin_clear(object);
    Py_XDECREF((PyObject *)((EngineBegin *)object)->engine);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef begin_methods[] = {
    {"__enter__", begin_enter, METH_NOARGS, NULL}, {"__exit__", begin_exit, METH_VARARGS, NULL}, {NULL}};

static PyType_Slot begin_slots[] = {{Py_tp_dealloc, begin_dealloc},
                                    {Py_tp_traverse, begin_traverse},
                                    {Py_tp_clear, begin_clear},
                                    {Py_tp_methods, begin_methods},
                                    {Py_tp_doc, "A with block over a connection with a transaction."},
                                    {0}};

static PyType_Spec begin_spec = {"cormorant._engine._EngineBegin", sizeof(EngineBegin), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 begin_slots};

int corm_py_transaction_init(PyObject *module) {
    transaction_type = corm_py_type(module, &transaction_spec, NULL);
    root_type = transaction_type == NULL ? NULL : corm_py_type(module, &root_spec, transaction_type);
    two_phase_type = root_type == NULL ? NULL : corm_py_type(module, &two_phase_spec, root_type);
    nested_type = two_phase_type == NULL ? NULL : corm_py_type(module, &nested_spec, transaction_type);
    begin_type = nested_type == NULL ? NULL : corm_py_type(module, &begin_spec, NULL);
    return begin_type == NULL ? -1 : 0;
}
