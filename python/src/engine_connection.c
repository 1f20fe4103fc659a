/*
 * Connections: a core connection as Python sees it.
 *
 * One that was taken with engine.connect() owns its core connection; one of a session only looks at it, and is closed when
 * the session gives it back. A transaction begins with the first statement.
 */
#include "engine.h"
#include "orm.h"
#include "parameters.h"
#include "result.h"
#include "session.h"
#include "sql.h"

#include <structmember.h>

#include "base/alloc.h"
#include "sql/select.h"

PyTypeObject *CormPyConnection_Type;

PyObject *corm_py_raise_as(const char *name, const char *message) {
    PyObject *cls = corm_py_import("cormorant.exc", name);
    if (cls != NULL) {
        PyErr_SetString(cls, message);
        Py_DECREF(cls);
    }
    return NULL;
}

/* ---- making and closing ---- */

PyObject *corm_py_connection_new(corm_connection *connection, PyObject *engine, bool owned) {
    if (corm_connection_host(connection) != NULL) {
        return Py_NewRef((PyObject *)corm_connection_host(connection));
    }
    CormPyConnection *self = (CormPyConnection *)CormPyConnection_Type->tp_alloc(CormPyConnection_Type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->connection = connection;
    self->engine = (CormPyEngine *)Py_NewRef(engine);
    self->owned = owned;
    corm_connection_set_host(connection, self);
    return (PyObject *)self;
}

PyObject *corm_py_connection_of(CormPyContext *context, corm_connection *connection) {
    if (corm_connection_host(connection) != NULL) {
        return Py_NewRef((PyObject *)corm_connection_host(connection));
    }
    if (context->engine == NULL) {
        return corm_py_raise_as("ResourceClosedError", "The Engine of this connection is gone");
    }
    return corm_py_connection_new(connection, (PyObject *)context->engine, false);
}

/* A level as people write it: "repeatable_read". */
static int read_isolation(PyObject *level, char *out, size_t size) {
    PyObject *text = PyObject_Str(level);
    PyObject *spaced = text == NULL ? NULL : corm_py_call(text, "replace", "ss", "_", " ");
    PyObject *upper = spaced == NULL ? NULL : corm_py_call(spaced, "upper", NULL);
    const char *name = upper == NULL ? NULL : PyUnicode_AsUTF8(upper);
    if (name != NULL) {
        snprintf(out, size, "%s", name);
    }
    Py_XDECREF(text);
    Py_XDECREF(spaced);
    Py_XDECREF(upper);
    return name == NULL ? -1 : 0;
}

static int read_wish(PyObject *options, const char *name, corm_wish *out) {
    PyObject *given = corm_py_item(options, name);
    int on = given == NULL || given == Py_None ? -1 : PyObject_IsTrue(given);
    *out = on < 0 ? CORM_WISH_NONE : on ? CORM_WISH_ON : CORM_WISH_OFF;
    return PyErr_Occurred() == NULL ? 0 : -1;
}

int corm_py_read_characteristics(PyObject *options, corm_characteristics *out) {
    *out = (corm_characteristics){0};
    PyObject *level = options == NULL ? NULL : corm_py_item(options, "isolation_level");
    if (options == NULL) {
        return 0;
    }
    if (level != NULL && level != Py_None && read_isolation(level, out->isolation, sizeof out->isolation) < 0) {
        return -1;
    }
    return read_wish(options, "postgresql_readonly", &out->read_only) < 0
               ? -1
               : read_wish(options, "postgresql_deferrable", &out->deferrable);
}

/* What the options ask of the core connection. */
static int apply_characteristics(corm_connection *core, PyObject *options) {
    corm_characteristics wanted;
    if (corm_py_read_characteristics(options, &wanted) < 0) {
        return -1;
    }
    return corm_connection_characterize(core, &wanted) == CORM_OK ? 0 : corm_py_raise_int();
}

PyObject *corm_py_engine_connect(CormPyEngine *engine) {
    corm_connection *core;
    corm_characteristics wanted;
    if (corm_py_read_characteristics(engine->options, &wanted) < 0) {
        return NULL;
    }
    if (corm_engine_connect_as(engine->engine, &wanted, &core) != CORM_OK) {
        return corm_py_raise();
    }
    CormPyConnection *self = (CormPyConnection *)corm_py_connection_new(core, (PyObject *)engine, true);
    if (self == NULL) {
        corm_connection_close(core);
        return NULL;
    }
    self->options = Py_XNewRef(engine->options);
    if (corm_py_engine_listened(engine->context, NULL, CORM_PY_ENGINE_CONNECT)) {
        PyObject *args = PyTuple_Pack(1, self);
        int failed = corm_py_engine_fire(engine->context, self, CORM_PY_ENGINE_CONNECT, args);
        Py_XDECREF(args);
        if (failed < 0) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

int corm_py_connection_shut(CormPyConnection *self) {
    corm_connection *core = self->connection;
    if (core == NULL) {
        return 0;
    }
    if (!self->owned) { /* it goes on without this object */
        corm_connection_set_host(core, NULL);
        self->connection = NULL;
        corm_py_transactions_end(self);
        return 0;
    }
    Py_INCREF(self);
    corm_connection_close(core); /* tells hook_detached */
    self->connection = NULL;
    Py_DECREF(self);
    return 0;
}

/* What was invalidated and rolled back takes another connection. */
static corm_connection *reconnect(CormPyConnection *self) {
    corm_characteristics wanted;
    corm_connection *core;
    if (self->doomed) {
        corm_py_raise_as("PendingRollbackError", "Can't reconnect until invalid transaction is rolled back.  Please "
                                                 "rollback() fully before proceeding");
        return NULL;
    }
    if (corm_py_read_characteristics(self->options, &wanted) < 0) {
        return NULL;
    }
    if (corm_engine_connect_as(self->engine->engine, &wanted, &core) != CORM_OK) {
        corm_py_raise();
        return NULL;
    }
    self->connection = core;
    self->was_invalid = false;
    corm_connection_set_host(core, self);
    return core;
}

corm_connection *corm_py_connection_open(CormPyConnection *self) {
    if (self->connection == NULL && self->was_invalid) {
        return reconnect(self);
    }
    if (self->connection == NULL) {
        corm_py_raise_as("ResourceClosedError", "This Connection is closed");
    }
    return self->connection;
}

/* The driver's connection is closed at once; a transaction that was under way has to be rolled back by its user. */
static void invalidate(CormPyConnection *self, PyObject *cause) {
    corm_connection *core = self->connection;
    bool begun = corm_connection_in_transaction(core);
    corm_connection_invalidate(core);
    if (self->owned) {
        self->was_invalid = true;
        self->doomed = begun;
        self->cause = cause;
        Py_CLEAR(self->proxy);
        corm_py_connection_shut(self);
        self->cause = NULL;
    }
}

PyObject *corm_py_connection_raise(CormPyConnection *self) {
    bool lost = self->connection != NULL && self->owned && corm_error_last()->disconnected;
    corm_py_raise();
    if (lost) {
        PyObject *type, *error, *traceback;
        PyErr_Fetch(&type, &error, &traceback);
        PyErr_NormalizeException(&type, &error, &traceback);
        PyObject *cause = error == NULL ? NULL : corm_py_get(error, "orig");
        PyErr_Clear();
        invalidate(self, cause == NULL ? error : cause);
        Py_XDECREF(cause);
        PyErr_Restore(type, error, traceback);
    }
    return NULL;
}

corm_connection *corm_py_connection_begun(CormPyConnection *self) {
    corm_connection *core = corm_py_connection_open(self);
    if (core == NULL) {
        return NULL;
    }
    if (self->entered != NULL && !corm_py_transaction_is_active(self->entered)) {
        corm_py_raise_as("InvalidRequestError", "Can't operate on closed transaction inside context manager.  Please "
                                                "complete the context manager before emitting further commands.");
        return NULL;
    }
    if (!corm_connection_in_transaction(core)) {
        corm_py_transactions_end(self);
        if (corm_connection_begin(core) != CORM_OK) {
            corm_py_raise();
            return NULL;
        }
    }
    return self->connection;
}

corm_connection *corm_py_connection_borrow(PyObject *object) {
    if (!PyObject_TypeCheck(object, CormPyConnection_Type)) {
        PyObject *cls = corm_py_import("cormorant.exc", "ArgumentError");
        if (cls != NULL) {
            PyErr_Format(cls, "Expected a Connection, got %.100s", Py_TYPE(object)->tp_name);
            Py_DECREF(cls);
        }
        return NULL;
    }
    return corm_py_connection_open((CormPyConnection *)object);
}

/* ---- executing ---- */

/* The statement of what execute() was given: a new reference, NULL raised. */
static corm_node *statement_of(PyObject *object) {
    corm_node *node =
        PyUnicode_Check(object) || PyLong_Check(object) || object == Py_None ? NULL : corm_py_node(object);
    if (node != NULL) {
        switch (node->kind) {
        case CORM_NODE_SELECT:
        case CORM_NODE_COMPOUND:
        case CORM_NODE_INSERT:
        case CORM_NODE_UPDATE:
        case CORM_NODE_DELETE:
        case CORM_NODE_TEXT:
            return node;
        case CORM_NODE_FUNCTION: {
            corm_node *select = corm_select_new(&node, 1);
            corm_node_unref(node);
            if (select == NULL) {
                corm_py_raise();
            }
            return select;
        }
        case CORM_NODE_EXTENSION: /* a higher layer's statement */
            return node;
        default:
            corm_node_unref(node);
        }
    }
    if (PyErr_Occurred() != NULL && !PyErr_ExceptionMatches(PyExc_Exception)) {
        return NULL;
    }
    PyErr_Clear();
    PyObject *cls = corm_py_import("cormorant.exc", "ObjectNotExecutableError");
    PyObject *error = cls == NULL ? NULL : PyObject_CallOneArg(cls, object);
    if (error != NULL) {
        PyErr_SetObject(cls, error);
    }
    Py_XDECREF(error);
    Py_XDECREF(cls);
    return NULL;
}

static int fire_execute(CormPyConnection *self, corm_py_engine_event event, PyObject *statement, PyObject *parameters,
                        PyObject *options, PyObject *result) {
    if (!corm_py_engine_listened(self->engine->context, self, event)) {
        return 0;
    }
    bool many = parameters != NULL && PyList_Check(parameters);
    PyObject *multi = many ? Py_NewRef(parameters) : PyList_New(0);
    PyObject *single = many || parameters == NULL || parameters == Py_None ? PyDict_New() : Py_NewRef(parameters);
    PyObject *given = options == NULL || options == Py_None ? PyDict_New() : Py_NewRef(options);
    PyObject *args = multi == NULL || single == NULL || given == NULL ? NULL
                     : result == NULL ? PyTuple_Pack(5, self, statement, multi, single, given)
                                      : PyTuple_Pack(6, self, statement, multi, single, given, result);
    int status = corm_py_engine_fire(self->engine->context, self, event, args);
    Py_XDECREF(args);
    Py_XDECREF(given);
    Py_XDECREF(single);
    Py_XDECREF(multi);
    return status;
}

/* The options in effect: the statement's, the connection's, the call's; the last word counts. statement may be NULL. */
static int read_options(const CormPyConnection *self, PyObject *statement, PyObject *options,
                        corm_execute_options *out) {
    *out = (corm_execute_options){0};
    PyObject *own = statement != NULL && PyObject_TypeCheck(statement, CormPyStatement_Type)
                        ? ((CormPyStatement *)statement)->options
                        : NULL;
    return corm_py_execution_read(out, own) < 0 || corm_py_execution_read(out, self->options) < 0
               ? -1
               : corm_py_execution_read(out, options);
}

/* A Result as the options want it. Takes over the core's. */
static PyObject *make_result(CormPyConnection *self, corm_result *raw, const corm_execute_options *how) {
    PyObject *made = corm_py_result_of_connection(raw, (PyObject *)self);
    if (made != NULL && how->yield_per > 0) {
        PyObject *same = corm_py_call(made, "yield_per", "n", (Py_ssize_t)how->yield_per);
        Py_SETREF(made, same);
    }
    return made;
}

static PyObject *run_node(CormPyConnection *self, PyObject *statement, corm_node *node, PyObject *parameters,
                          PyObject *options) {
    corm_py_parameters sets;
    corm_result *result;
    corm_execute_options how;
    if (read_options(self, statement, options, &how) < 0 || corm_py_parameters_parse(parameters, &sets) < 0) {
        return NULL;
    }
    corm_connection *core = corm_py_connection_begun(self);
    corm_status status = CORM_OK;
    if (core != NULL) {
        status = corm_connection_execute_node(core, node, sets.sets, sets.count, &how, &result);
    }
    corm_py_parameters_clear(&sets);
    if (core == NULL || status != CORM_OK) {
        return core == NULL ? NULL : corm_py_connection_raise(self);
    }
    return make_result(self, result, &how);
}

/* Elements that run themselves (DDL) have a method for it. */
static PyObject *run_object(CormPyConnection *self, PyObject *statement, PyObject *parameters, PyObject *options,
                            bool *handled) {
    PyObject *run = NULL;
    *handled = false;
    if (!PyObject_TypeCheck(statement, CormPyClauseElement_Type) || ((CormPyElement *)statement)->node == NULL) {
        run = corm_py_get(statement, "_execute_on_connection");
        if (run == NULL) {
            PyErr_Clear();
        }
    }
    if (run == NULL) {
        return NULL;
    }
    *handled = true;
    PyObject *result = PyObject_CallFunctionObjArgs(run, self, parameters == NULL ? Py_None : parameters,
                                                    options == NULL ? Py_None : options, NULL);
    Py_DECREF(run);
    return result;
}

static PyObject *execute_statement(CormPyConnection *self, PyObject *statement, PyObject *parameters,
                                   PyObject *options) {
    bool handled;
    PyObject *result = run_object(self, statement, parameters, options, &handled);
    if (handled) {
        return result;
    }
    corm_node *node = statement_of(statement);
    if (node == NULL) {
        return NULL;
    }
    if (fire_execute(self, CORM_PY_BEFORE_EXECUTE, statement, parameters, options, NULL) == 0) {
        result = run_node(self, statement, node, parameters, options);
    }
    if (result != NULL && fire_execute(self, CORM_PY_AFTER_EXECUTE, statement, parameters, options, result) < 0) {
        Py_CLEAR(result);
    }
    corm_node_unref(node);
    return result;
}

/* (statement, parameters=None, *, execution_options=None) */
static int parse_execute(PyObject *const *args, Py_ssize_t count, PyObject *names, PyObject **out) {
    static const char *const known[] = {"statement", "parameters", "execution_options"};
    out[0] = out[1] = out[2] = NULL;
    if (count > 2) {
        PyErr_SetString(PyExc_TypeError, "execute() takes a statement and parameters");
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        out[i] = args[i];
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *name = PyTuple_GET_ITEM(names, i);
        int place = 0;
        while (place < 3 && PyUnicode_CompareWithASCIIString(name, known[place]) != 0) {
            place++;
        }
        if (place == 3 || out[place] != NULL) {
            PyErr_Format(PyExc_TypeError, "execute() got an unexpected keyword argument '%U'", name);
            return -1;
        }
        out[place] = args[count + i];
    }
    if (out[0] == NULL) {
        PyErr_SetString(PyExc_TypeError, "execute() is missing its statement");
        return -1;
    }
    return 0;
}

static PyObject *connection_execute(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    return parse_execute(args, count, names, given) < 0
               ? NULL
               : execute_statement((CormPyConnection *)object, given[0], given[1], given[2]);
}

static PyObject *execute_and(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names,
                             const char *method) {
    PyObject *result = connection_execute(object, args, count, names);
    if (result != NULL && PyLong_Check(result)) {
        return result; /* what a sequence gave */
    }
    PyObject *value = result == NULL ? NULL : corm_py_call(result, method, NULL);
    Py_XDECREF(result);
    return value;
}

static PyObject *connection_scalar(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return execute_and(object, args, count, names, "scalar");
}

static PyObject *connection_scalars(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return execute_and(object, args, count, names, "scalars");
}

static PyObject *connection_exec_driver_sql(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"statement", "parameters", "execution_options", NULL};
    CormPyConnection *self = (CormPyConnection *)object;
    PyObject *sql, *parameters = Py_None, *options = Py_None;
    corm_py_placed placed;
    corm_result *result;
    corm_execute_options how;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "U|OO", keywords, &sql, &parameters, &options) ||
        read_options(self, NULL, options, &how) < 0) {
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(sql, &size);
    corm_connection *core = text == NULL ? NULL : corm_py_connection_begun(self);
    if (core == NULL || corm_py_placed_parse(corm_engine_driver(self->engine->engine), corm_connection_driver(core),
                                             sql, parameters, &placed) < 0) {
        return NULL;
    }
    corm_status status = self->connection == NULL
                             ? corm_error_set(CORM_RESOURCE_CLOSED, "This Connection is closed")
                             : corm_connection_execute_sql(core, text, (size_t)size, placed.values, placed.set_count,
                                                           placed.width, &how, &result);
    corm_py_placed_clear(&placed);
    return status == CORM_OK ? make_result(self, result, &how) : corm_py_connection_raise(self);
}

/* ---- transactions ---- */

static PyObject *connection_begin(PyObject *object, PyObject *unused) {
    CormPyConnection *self = (CormPyConnection *)object;
    (void)unused;
    corm_connection *core = corm_py_connection_open(self);
    if (core == NULL) {
        return NULL;
    }
    if (corm_connection_in_transaction(core)) {
        return corm_py_raise_as(
            "InvalidRequestError",
            "This connection has already initialized a SQLAlchemy Transaction() object via begin() or "
            "autobegin; can't call begin() here unless rollback() or commit() is called first.");
    }
    return corm_py_connection_begun(self) == NULL ? NULL : corm_py_transaction_root(self);
}

static PyObject *connection_begin_nested(PyObject *object, PyObject *unused) {
    (void)unused;
    return corm_py_transaction_nested((CormPyConnection *)object);
}

static PyObject *connection_begin_two_phase(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                            PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Connection.begin_twophase", 1, 0, "xid");
    PyObject *given[1];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    bool named = given[0] != NULL && given[0] != Py_None;
    PyObject *xid = named ? PyObject_Str(given[0]) : NULL;
    if (named && xid == NULL) {
        return NULL;
    }
    PyObject *made = corm_py_transaction_two_phase((CormPyConnection *)object, xid);
    Py_XDECREF(xid);
    return made;
}

static bool has_two_phase(const CormPyConnection *self) {
    const corm_dialect *dialect = corm_engine_dialect(self->engine->engine);
    if (dialect->two_phase == NULL) {
        PyErr_Format(PyExc_NotImplementedError, "%s has no two-phase transactions", dialect->name);
    }
    return dialect->two_phase != NULL;
}

static PyObject *connection_recover(PyObject *object, PyObject *unused) {
    CormPyConnection *self = (CormPyConnection *)object;
    corm_vector names = {0};
    (void)unused;
    corm_connection *core = corm_py_connection_open(self);
    if (core == NULL || !has_two_phase(self)) {
        return NULL;
    }
    PyObject *list = corm_connection_recover(core, &names) == CORM_OK ? PyList_New(0) : corm_py_raise();
    for (size_t i = 0; i < names.count && list != NULL; i++) {
        const char *xid = names.items[i];
        PyObject *name = PyUnicode_DecodeUTF8(xid, (Py_ssize_t)strlen(xid), "surrogateescape");
        if (name == NULL || PyList_Append(list, name) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(name);
    }
    for (size_t i = 0; i < names.count; i++) {
        corm_free(names.items[i]);
    }
    corm_vector_clear(&names);
    return list;
}

static PyObject *end_prepared(PyObject *object, bool commit, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Connection.commit_prepared", 1, 1, "xid", "recover");
    CormPyConnection *self = (CormPyConnection *)object;
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_connection *core = corm_py_connection_open(self);
    int recover = corm_py_flag(given[1], 0);
    const char *xid = core == NULL || recover < 0 || !has_two_phase(self) ? NULL : PyUnicode_AsUTF8(given[0]);
    if (xid == NULL) {
        return NULL;
    }
    corm_status status = corm_connection_end_prepared(core, xid, commit, recover != 0);
    if (!corm_connection_in_transaction(core)) {
        corm_py_transactions_end(self);
    }
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

static PyObject *connection_commit_prepared(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                            PyObject *names) {
    return end_prepared(object, true, args, count, names);
}

static PyObject *connection_rollback_prepared(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                              PyObject *names) {
    return end_prepared(object, false, args, count, names);
}

static PyObject *end_with(PyObject *object, const char *method) {
    CormPyConnection *self = (CormPyConnection *)object;
    if (self->doomed && strcmp(method, "commit") == 0) {
        return reconnect(self) == NULL ? NULL : Py_NewRef(Py_None); /* says why not */
    }
    self->doomed = false;
    if (self->connection == NULL || !corm_connection_in_transaction(self->connection)) {
        Py_RETURN_NONE;
    }
    PyObject *root = corm_py_transaction_root(self);
    PyObject *result = root == NULL ? NULL : corm_py_call(root, method, NULL);
    Py_XDECREF(root);
    return result;
}

static PyObject *connection_commit(PyObject *object, PyObject *unused) {
    (void)unused;
    return end_with(object, "commit");
}

static PyObject *connection_rollback(PyObject *object, PyObject *unused) {
    (void)unused;
    return end_with(object, "rollback");
}

static bool in_transaction(const CormPyConnection *self) {
    return self->doomed || (self->connection != NULL && corm_connection_in_transaction(self->connection));
}

static PyObject *connection_in_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    return PyBool_FromLong(in_transaction((CormPyConnection *)object));
}

static PyObject *connection_in_nested(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyConnection *self = (CormPyConnection *)object;
    return PyBool_FromLong(self->nested != NULL && corm_py_transaction_is_active(self->nested));
}

static PyObject *connection_get_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyConnection *self = (CormPyConnection *)object;
    return in_transaction(self) ? corm_py_transaction_root(self) : Py_NewRef(Py_None);
}

static PyObject *connection_get_nested(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyConnection *self = (CormPyConnection *)object;
    return Py_NewRef(self->nested == NULL ? Py_None : self->nested);
}

/* ---- the rest ---- */

static PyObject *connection_close(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyConnection *self = (CormPyConnection *)object;
    corm_py_connection_shut(self);
    self->was_invalid = self->doomed = false;
    Py_RETURN_NONE;
}

static PyObject *connection_invalidate(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"exception", NULL};
    CormPyConnection *self = (CormPyConnection *)object;
    PyObject *exception = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", keywords, &exception)) {
        return NULL;
    }
    if (self->was_invalid) {
        Py_RETURN_NONE;
    }
    if (corm_py_connection_open(self) == NULL) {
        return NULL;
    }
    invalidate(self, exception == Py_None ? NULL : exception);
    Py_RETURN_NONE;
}

static PyObject *connection_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    return Py_NewRef(object);
}

static PyObject *connection_exit(PyObject *object, PyObject *args) {
    (void)args;
    CormPyConnection *self = (CormPyConnection *)object;
    corm_py_connection_shut(self);
    self->was_invalid = self->doomed = false;
    Py_RETURN_FALSE;
}

static PyObject *merged(PyObject *options, PyObject *more) {
    PyObject *dict = options == NULL ? PyDict_New() : PyDict_Copy(options);
    if (dict != NULL && more != NULL && PyDict_Update(dict, more) < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *connection_execution_options(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyConnection *self = (CormPyConnection *)object;
    corm_connection *core = corm_py_connection_open(self);
    if (core == NULL || !PyArg_ParseTuple(args, "")) {
        return NULL;
    }
    PyObject *options = merged(self->options, kwargs);
    if (options == NULL || (kwargs != NULL && apply_characteristics(core, kwargs) < 0)) {
        Py_XDECREF(options);
        return NULL;
    }
    Py_XSETREF(self->options, options);
    return Py_NewRef(object);
}

static PyObject *connection_get_options(PyObject *object, PyObject *unused) {
    (void)unused;
    return merged(((CormPyConnection *)object)->options, NULL);
}

static PyObject *connection_get_isolation(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_connection *core = corm_py_connection_open((CormPyConnection *)object);
    char *level;
    if (core == NULL || corm_connection_isolation(core, &level) != CORM_OK) {
        return core == NULL ? NULL : corm_py_raise();
    }
    PyObject *text = PyUnicode_FromString(level);
    corm_free(level);
    return text;
}

static PyObject *get_default_isolation(PyObject *object, void *closure) {
    (void)closure;
    corm_connection *core = corm_py_connection_open((CormPyConnection *)object);
    char *level;
    if (core == NULL || corm_connection_default_isolation(core, &level) != CORM_OK) {
        return core == NULL ? NULL : corm_py_raise();
    }
    PyObject *text = PyUnicode_FromString(level);
    corm_free(level);
    return text;
}

static PyObject *connection_detach(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_connection *core = corm_py_connection_open((CormPyConnection *)object);
    if (core == NULL) {
        return NULL;
    }
    corm_connection_detach(core);
    Py_RETURN_NONE;
}

static PyObject *get_engine(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef((PyObject *)((CormPyConnection *)object)->engine);
}

static PyObject *get_dialect(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(((CormPyConnection *)object)->engine->dialect);
}

static PyObject *get_closed(PyObject *object, void *closure) {
    (void)closure;
    CormPyConnection *self = (CormPyConnection *)object;
    return PyBool_FromLong(self->connection == NULL && !self->was_invalid);
}

static PyObject *get_invalidated(PyObject *object, void *closure) {
    (void)closure;
    const CormPyConnection *self = (CormPyConnection *)object;
    return PyBool_FromLong(self->was_invalid ||
                           (self->connection != NULL && corm_connection_is_invalid(self->connection)));
}

static PyObject *get_proxy(PyObject *object, void *closure) {
    (void)closure;
    CormPyConnection *self = (CormPyConnection *)object;
    corm_connection *core = corm_py_connection_open(self);
    if (core == NULL) {
        return NULL;
    }
    if (self->proxy == NULL) {
        PyObject *pair = corm_py_raw_pair(self->engine->context, corm_connection_driver(core));
        PyObject *make = pair == NULL ? NULL : corm_py_import("cormorant.pool", "_ConnectionFairy");
        self->proxy = make == NULL ? NULL
                                   : PyObject_CallFunctionObjArgs(make, self, PyTuple_GET_ITEM(pair, 0),
                                                                  PyTuple_GET_ITEM(pair, 1), NULL);
        Py_XDECREF(make);
        Py_XDECREF(pair);
    }
    return Py_XNewRef(self->proxy);
}

static PyObject *get_info(PyObject *object, void *closure) {
    (void)closure;
    CormPyConnection *self = (CormPyConnection *)object;
    corm_connection *core = corm_py_connection_open(self);
    PyObject *pair = core == NULL ? NULL : corm_py_raw_pair(self->engine->context, corm_connection_driver(core));
    PyObject *info = pair == NULL ? NULL : corm_py_get(PyTuple_GET_ITEM(pair, 1), "info");
    Py_XDECREF(pair);
    return info;
}

static int connection_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyConnection *self = (CormPyConnection *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->engine);
    Py_VISIT(self->nested);
    Py_VISIT(self->options);
    Py_VISIT(self->proxy);
    Py_VISIT(self->dict);
    for (int i = 0; i < CORM_PY_ENGINE_EVENT_COUNT; i++) {
        Py_VISIT(self->listeners[i]);
    }
    return 0;
}

static int connection_clear(PyObject *object) {
    CormPyConnection *self = (CormPyConnection *)object;
    Py_CLEAR(self->nested);
    Py_CLEAR(self->options);
    Py_CLEAR(self->proxy);
    Py_CLEAR(self->dict);
    for (int i = 0; i < CORM_PY_ENGINE_EVENT_COUNT; i++) {
        Py_CLEAR(self->listeners[i]);
    }
    return 0;
}

/* Giving the core connection back may run hooks, which get this object: it is alive again meanwhile. */
static void connection_finalize(PyObject *object) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    corm_py_connection_shut((CormPyConnection *)object);
    PyErr_Restore(type, value, traceback);
}

static void connection_dealloc(PyObject *object) {
    CormPyConnection *self = (CormPyConnection *)object;
    PyTypeObject *type = Py_TYPE(object);
    if (PyObject_CallFinalizerFromDealloc(object) < 0) {
        return;
    }
    PyObject_GC_UnTrack(object);
    if (self->connection != NULL) { /* finalized before, and opened by nobody since: only forget */
        corm_connection_set_host(self->connection, NULL);
    }
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    connection_clear(object);
    Py_XDECREF((PyObject *)self->engine);
    type->tp_free(object);
    Py_DECREF(type);
}

#define FASTCALL(function) (PyCFunction)(void (*)(void))(function)
enum { FAST = METH_FASTCALL | METH_KEYWORDS, KEYWORDS = METH_VARARGS | METH_KEYWORDS };

static PyMethodDef connection_methods[] = {
    {"execute", FASTCALL(connection_execute), FAST,
     "execute($self, /, statement, parameters=None, *, execution_options=None)\n--\n\nRun a statement."},
    {"scalar", FASTCALL(connection_scalar), FAST,
     "scalar($self, /, statement, parameters=None, *, execution_options=None)\n--\n\nThe first value of the first "
     "row."},
    {"scalars", FASTCALL(connection_scalars), FAST,
     "scalars($self, /, statement, parameters=None, *, execution_options=None)\n--\n\nThe first values of the rows."},
    {"exec_driver_sql", FASTCALL(connection_exec_driver_sql), KEYWORDS,
     "exec_driver_sql($self, /, statement, parameters=None, execution_options=None)\n--\n\nRun SQL as it is."},
    {"begin", connection_begin, METH_NOARGS, "begin($self, /)\n--\n\nBegin a transaction."},
    {"begin_nested", connection_begin_nested, METH_NOARGS, "begin_nested($self, /)\n--\n\nSet a savepoint."},
    {"begin_twophase", FASTCALL(connection_begin_two_phase), FAST,
     "begin_twophase($self, /, xid=None)\n--\n\nBegin a transaction that can be prepared, and committed by its name."},
    {"recover_twophase", connection_recover, METH_NOARGS,
     "recover_twophase($self, /)\n--\n\nThe names of the transactions that are prepared: a list."},
    {"commit_prepared", FASTCALL(connection_commit_prepared), FAST,
     "commit_prepared($self, /, xid, recover=False)\n--\n\nCommit a prepared transaction by its name."},
    {"rollback_prepared", FASTCALL(connection_rollback_prepared), FAST,
     "rollback_prepared($self, /, xid, recover=False)\n--\n\nRoll a prepared transaction back by its name."},
    {"commit", connection_commit, METH_NOARGS, "commit($self, /)\n--\n\nCommit the transaction under way, if any."},
    {"rollback", connection_rollback, METH_NOARGS, "rollback($self, /)\n--\n\nRoll back the transaction, if any."},
    {"in_transaction", connection_in_transaction, METH_NOARGS,
     "in_transaction($self, /)\n--\n\nWhether a transaction is under way."},
    {"in_nested_transaction", connection_in_nested, METH_NOARGS,
     "in_nested_transaction($self, /)\n--\n\nWhether a savepoint is set."},
    {"get_transaction", connection_get_transaction, METH_NOARGS,
     "get_transaction($self, /)\n--\n\nThe transaction under way, or None."},
    {"get_nested_transaction", connection_get_nested, METH_NOARGS,
     "get_nested_transaction($self, /)\n--\n\nThe innermost savepoint, or None."},
    {"close", connection_close, METH_NOARGS, "close($self, /)\n--\n\nRoll back what is open and give it back."},
    {"invalidate", FASTCALL(connection_invalidate), KEYWORDS,
     "invalidate($self, /, exception=None)\n--\n\nClose the driver's connection instead of pooling it."},
    {"detach", connection_detach, METH_NOARGS, "detach($self, /)\n--\n\nTake it out of the pool for good."},
    {"execution_options", FASTCALL(connection_execution_options), KEYWORDS,
     "execution_options($self, /, **opt)\n--\n\nSet options, such as isolation_level; gives the connection."},
    {"get_execution_options", connection_get_options, METH_NOARGS,
     "get_execution_options($self, /)\n--\n\nThe options in effect."},
    {"get_isolation_level", connection_get_isolation, METH_NOARGS,
     "get_isolation_level($self, /)\n--\n\nThe isolation level in effect."},
    {"__enter__", connection_enter, METH_NOARGS, NULL},
    {"__exit__", connection_exit, METH_VARARGS, NULL},
    {NULL}};

static PyGetSetDef connection_getset[] = {
    {"engine", get_engine, NULL, "Its engine.", NULL},
    {"dialect", get_dialect, NULL, "Its dialect.", NULL},
    {"closed", get_closed, NULL, "Whether it was closed.", NULL},
    {"invalidated", get_invalidated, NULL, "Whether it was invalidated.", NULL},
    {"default_isolation_level", get_default_isolation, NULL, "The isolation level of connections that ask for none.",
     NULL},
    {"connection", get_proxy, NULL, "The driver's connection, as the pool shows it.", NULL},
    {"info", get_info, NULL, "A dict that lives as long as the driver's connection.", NULL},
    {NULL}};

static PyMemberDef connection_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyConnection, dict), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyConnection, weakrefs), READONLY},
    {NULL}};

static PyType_Slot connection_slots[] = {{Py_tp_dealloc, connection_dealloc},
                                         {Py_tp_finalize, connection_finalize},
                                         {Py_tp_traverse, connection_traverse},
                                         {Py_tp_clear, connection_clear},
                                         {Py_tp_methods, connection_methods},
                                         {Py_tp_getset, connection_getset},
                                         {Py_tp_members, connection_members},
                                         {Py_tp_doc, "A connection to the database. Used by one thread at a time."},
                                         {0}};

static PyType_Spec connection_spec = {"cormorant._engine.Connection", sizeof(CormPyConnection), 0,
                                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE |
                                          Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                      connection_slots};

int corm_py_connection_init(PyObject *module) {
    CormPyConnection_Type = corm_py_type(module, &connection_spec, NULL);
    return CormPyConnection_Type == NULL ? -1 : 0;
}
