/*
 * The core engine's hooks: connections that open and close, transactions, statements, and what is logged.
 *
 * All run with the interpreter lock. A hook that cannot fail reports an exception as unraisable; the others hand it over as
 * the engine's error, so that it comes out where the user's call began.
 */
#include "engine.h"
#include "orm.h"

/* ---- what users are shown of a driver's connection ---- */

static PyObject *key_of(corm_driver_connection *native) {
    return PyLong_FromVoidPtr(native);
}

PyObject *corm_py_raw_pair(CormPyContext *context, corm_driver_connection *native) {
    PyObject *key = key_of(native);
    PyObject *pair = key == NULL ? NULL : PyDict_GetItemWithError(context->raw, key);
    if (pair != NULL || PyErr_Occurred() != NULL) {
        Py_XDECREF(key);
        return Py_XNewRef(pair);
    }
    const corm_driver *driver = corm_engine_driver(context->core);
    PyObject *shown =
        driver == &corm_py_dbapi_driver ? Py_NewRef(corm_py_dbapi_object(native)) : corm_py_dbapi_new(driver, native);
    PyObject *make = shown == NULL ? NULL : corm_py_import("cormorant.pool", "_ConnectionRecord");
    PyObject *record = make == NULL ? NULL : PyObject_CallOneArg(make, shown);
    pair = record == NULL ? NULL : PyTuple_Pack(2, shown, record);
    if (pair != NULL && PyDict_SetItem(context->raw, key, pair) < 0) {
        Py_CLEAR(pair);
    }
    if (pair == NULL && shown != NULL && driver != &corm_py_dbapi_driver) {
        corm_py_dbapi_detach(shown);
    }
    Py_XDECREF(record);
    Py_XDECREF(make);
    Py_XDECREF(shown);
    Py_XDECREF(key);
    return pair;
}

static corm_status hook_connect(void *context, corm_driver_connection **out) {
    CormPyContext *self = context;
    PyObject *connection = PyObject_CallNoArgs(self->creator);
    *out = NULL;
    corm_status status = connection == NULL ? corm_py_error() : corm_py_dbapi_open(connection, out);
    Py_XDECREF(connection);
    return status;
}

static corm_status hook_connected(void *context, corm_driver_connection *native) {
    CormPyContext *self = context;
    bool first = !self->connected && corm_py_engine_listened(self, NULL, CORM_PY_FIRST_CONNECT);
    self->connected = true;
    if (!first && !corm_py_engine_listened(self, NULL, CORM_PY_CONNECT)) {
        return CORM_OK;
    }
    Py_INCREF(self);
    PyObject *pair = corm_py_raw_pair(self, native);
    bool failed = pair == NULL || (first && corm_py_engine_fire(self, NULL, CORM_PY_FIRST_CONNECT, pair) < 0) ||
                  corm_py_engine_fire(self, NULL, CORM_PY_CONNECT, pair) < 0;
    corm_status status = failed ? corm_py_error() : CORM_OK;
    Py_XDECREF(pair);
    Py_DECREF(self);
    return status;
}

static corm_status hook_checked_out(void *context, corm_driver_connection *native) {
    CormPyContext *self = context;
    if (corm_py_engine_refresh_echo(self) < 0) {
        return corm_py_error();
    }
    if (!corm_py_engine_listened(self, NULL, CORM_PY_CHECKOUT)) {
        return CORM_OK;
    }
    Py_INCREF(self);
    PyObject *pair = corm_py_raw_pair(self, native);
    PyObject *make = pair == NULL ? NULL : corm_py_import("cormorant.pool", "_ConnectionFairy");
    PyObject *proxy = make == NULL ? NULL
                                   : PyObject_CallFunctionObjArgs(make, Py_None, PyTuple_GET_ITEM(pair, 0),
                                                                  PyTuple_GET_ITEM(pair, 1), NULL);
    PyObject *args =
        proxy == NULL ? NULL : PyTuple_Pack(3, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), proxy);
    corm_status status = corm_py_engine_fire(self, NULL, CORM_PY_CHECKOUT, args) < 0 ? corm_py_error() : CORM_OK;
    Py_XDECREF(args);
    Py_XDECREF(proxy);
    Py_XDECREF(make);
    Py_XDECREF(pair);
    Py_DECREF(self);
    return status;
}

static void fire_quietly(CormPyContext *self, corm_driver_connection *native, corm_py_engine_event event) {
    if (!corm_py_engine_listened(self, NULL, event)) {
        return;
    }
    PyObject *pair = corm_py_raw_pair(self, native);
    PyObject *args = pair == NULL || event != CORM_PY_RESET
                         ? Py_XNewRef(pair)
                         : PyTuple_Pack(3, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), Py_None);
    if (args == NULL || corm_py_engine_fire(self, NULL, event, args) < 0) {
        PyErr_WriteUnraisable((PyObject *)self);
    }
    Py_XDECREF(args);
    Py_XDECREF(pair);
}

static void hook_invalidated(void *context, corm_connection *connection) {
    CormPyContext *self = context;
    const CormPyConnection *shown = corm_connection_host(connection);
    PyObject *type, *value, *traceback;
    if (!corm_py_engine_listened(self, NULL, CORM_PY_INVALIDATE)) {
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    Py_INCREF(self);
    PyObject *pair = corm_py_raw_pair(self, corm_connection_driver(connection));
    PyObject *cause = shown == NULL || shown->cause == NULL ? Py_None : shown->cause;
    PyObject *args = pair == NULL ? NULL : PyTuple_Pack(3, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), cause);
    if (args == NULL || corm_py_engine_fire(self, NULL, CORM_PY_INVALIDATE, args) < 0) {
        PyErr_WriteUnraisable((PyObject *)self);
    }
    Py_XDECREF(args);
    Py_XDECREF(pair);
    Py_DECREF(self);
    PyErr_Restore(type, value, traceback);
}

static void hook_checked_in(void *context, corm_driver_connection *native) {
    CormPyContext *self = context;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_INCREF(self);
    fire_quietly(self, native, CORM_PY_RESET);
    fire_quietly(self, native, CORM_PY_CHECKIN);
    Py_DECREF(self);
    PyErr_Restore(type, value, traceback);
}

static void hook_closing(void *context, corm_driver_connection *native) {
    CormPyContext *self = context;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    Py_INCREF(self);
    fire_quietly(self, native, CORM_PY_CLOSE);
    PyObject *key = key_of(native);
    PyObject *pair = key == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(self->raw, key));
    if (pair != NULL) {
        if (corm_engine_driver(self->core) != &corm_py_dbapi_driver) {
            corm_py_dbapi_detach(PyTuple_GET_ITEM(pair, 0));
        }
        PyDict_DelItem(self->raw, key);
        Py_DECREF(pair);
    }
    Py_XDECREF(key);
    PyErr_Clear();
    Py_DECREF(self);
    PyErr_Restore(type, value, traceback);
}

static void hook_detached(void *context, corm_connection *connection) {
    CormPyConnection *shown = corm_connection_host(connection);
    (void)context;
    if (shown != NULL) {
        corm_connection_set_host(connection, NULL);
        shown->connection = NULL;
        corm_py_transactions_end(shown);
    }
}

/* ---- transactions ---- */

static PyObject *transaction_arguments(PyObject *shown, const corm_connection *connection, corm_transaction_event event,
                                       const char *name) {
    bool is_prepared = corm_connection_is_prepared(connection) || corm_connection_xid(connection) == NULL;
    switch (event) {
    case CORM_TRANSACTION_SAVEPOINT:
    case CORM_TRANSACTION_BEGIN_NAMED:
    case CORM_TRANSACTION_PREPARE:
        return Py_BuildValue("(Os)", shown, name);
    case CORM_TRANSACTION_COMMIT_NAMED:
    case CORM_TRANSACTION_ROLLBACK_NAMED:
        return Py_BuildValue("(OsO)", shown, name, is_prepared ? Py_True : Py_False);
    case CORM_TRANSACTION_RELEASE:
    case CORM_TRANSACTION_ROLLBACK_TO:
        return Py_BuildValue("(OsO)", shown, name, Py_None);
    default:
        return PyTuple_Pack(1, shown);
    }
}

static corm_status hook_transaction(void *context, corm_connection *connection, corm_transaction_event event,
                                    const char *name) {
    static const corm_py_engine_event events[] = {CORM_PY_BEGIN,
                                                  CORM_PY_COMMIT,
                                                  CORM_PY_ROLLBACK,
                                                  CORM_PY_SAVEPOINT,
                                                  CORM_PY_RELEASE_SAVEPOINT,
                                                  CORM_PY_ROLLBACK_SAVEPOINT,
                                                  CORM_PY_BEGIN_TWO_PHASE,
                                                  CORM_PY_PREPARE_TWO_PHASE,
                                                  CORM_PY_COMMIT_TWO_PHASE,
                                                  CORM_PY_ROLLBACK_TWO_PHASE};
    CormPyContext *self = context;
    CormPyConnection *known = corm_connection_host(connection);
    if (!corm_py_engine_listened(self, known, events[event])) {
        return CORM_OK;
    }
    PyObject *shown = corm_py_connection_of(self, connection);
    PyObject *args = shown == NULL ? NULL : transaction_arguments(shown, connection, event, name);
    int failed = corm_py_engine_fire(self, (CormPyConnection *)shown, events[event], args);
    corm_status status = failed < 0 ? corm_py_error() : CORM_OK;
    Py_XDECREF(args);
    Py_XDECREF(shown);
    return status;
}

/* ---- statements ---- */

/* What lives from before a statement to after it. */
typedef struct call_state {
    PyObject *connection, *args; /* args: (conn, cursor, statement, parameters, context, executemany) */
    corm_value *values;          /* of replaced parameters, borrowed from args */
} call_state;

static PyObject *tuple_of(const corm_value *values, size_t count) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && tuple != NULL; i++) {
        PyObject *value = corm_py_from_value(&values[i], NULL);
        if (value == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, value);
        }
    }
    return tuple;
}

/* Of one set the set itself, else a list of them: as execute() and executemany() are given them. */
static PyObject *sets_of(const corm_batch *batch) {
    PyObject *list = PyList_New(0);
    corm_value *values = PyMem_Calloc(batch->parameter_count + 1, sizeof *values);
    if (values == NULL) {
        Py_XDECREF(list);
        return PyErr_NoMemory();
    }
    for (size_t row = 0; row < batch->rows && list != NULL; row++) {
        PyObject *set = batch->bind(batch->context, row, values, batch->parameter_count) == CORM_OK
                            ? tuple_of(values, batch->parameter_count)
                            : corm_py_raise();
        if (set == NULL || PyList_Append(list, set) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(set);
    }
    PyMem_Free(values);
    if (list != NULL && batch->rows == 1) {
        PyObject *only = Py_NewRef(PyList_GET_ITEM(list, 0));
        Py_SETREF(list, only);
    }
    return list;
}

static PyObject *describe_call(CormPyContext *self, corm_connection *connection, const corm_engine_call *call,
                               PyObject *shown) {
    PyObject *result = NULL;
    PyObject *pair = corm_py_raw_pair(self, corm_connection_driver(connection));
    PyObject *cursor = pair == NULL ? NULL : corm_py_call(PyTuple_GET_ITEM(pair, 0), "cursor", NULL);
    PyObject *statement = cursor == NULL ? NULL : PyUnicode_DecodeUTF8(call->sql, (Py_ssize_t)call->size, "replace");
    PyObject *parameters = statement == NULL     ? NULL
                           : call->batch != NULL ? sets_of(call->batch)
                                                 : tuple_of(call->values, call->count);
    PyObject *make = parameters == NULL ? NULL : corm_py_import("cormorant.engine.events", "ExecutionContext");
    PyObject *many = call->batch != NULL && call->batch->rows > 1 ? Py_True : Py_False;
    PyObject *context =
        make == NULL ? NULL : PyObject_CallFunctionObjArgs(make, shown, cursor, statement, parameters, many, NULL);
    if (context != NULL) {
        result = PyTuple_Pack(6, shown, cursor, statement, parameters, context, many);
    }
    Py_XDECREF(context);
    Py_XDECREF(make);
    Py_XDECREF(parameters);
    Py_XDECREF(statement);
    Py_XDECREF(cursor);
    Py_XDECREF(pair);
    return result;
}

/* A listener with retval=True gave (statement, parameters). */
static int replace(call_state *state, PyObject *result) {
    if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(result, 0))) {
        PyErr_SetString(PyExc_TypeError, "before_cursor_execute with retval=True returns (statement, parameters)");
        return -1;
    }
    PyObject *old = state->args;
    PyObject *args = PyTuple_Pack(6, PyTuple_GET_ITEM(old, 0), PyTuple_GET_ITEM(old, 1), PyTuple_GET_ITEM(result, 0),
                                  PyTuple_GET_ITEM(result, 1), PyTuple_GET_ITEM(old, 4), PyTuple_GET_ITEM(old, 5));
    if (args == NULL) {
        return -1;
    }
    Py_SETREF(state->args, args);
    return 0;
}

static int replace_values(call_state *state, corm_engine_call *call, PyObject *parameters) {
    PyObject *fixed = PySequence_Tuple(parameters);
    if (fixed == NULL) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(fixed);
    state->values = PyMem_Calloc((size_t)count + 1, sizeof *state->values);
    int status = state->values == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; i < count && status == 0; i++) {
        if (corm_py_to_value(PyTuple_GET_ITEM(fixed, i), &state->values[i]) != CORM_OK) {
            status = corm_py_raise_int();
        }
    }
    /* The objects live in the arguments from now on. */
    PyObject *old = state->args;
    PyObject *args = status < 0
                         ? NULL
                         : PyTuple_Pack(6, PyTuple_GET_ITEM(old, 0), PyTuple_GET_ITEM(old, 1), PyTuple_GET_ITEM(old, 2),
                                        fixed, PyTuple_GET_ITEM(old, 4), PyTuple_GET_ITEM(old, 5));
    Py_DECREF(fixed);
    if (args == NULL) {
        return -1;
    }
    Py_SETREF(state->args, args);
    call->values = state->values;
    call->count = (size_t)count;
    return 0;
}

static int call_before(CormPyContext *self, call_state *state, corm_engine_call *call) {
    PyObject *all =
        corm_py_engine_listeners(self, (CormPyConnection *)state->connection, CORM_PY_BEFORE_CURSOR_EXECUTE);
    PyObject *statement = Py_NewRef(PyTuple_GET_ITEM(state->args, 2));
    PyObject *parameters = Py_NewRef(PyTuple_GET_ITEM(state->args, 3));
    int status = all == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(all); i++) {
        PyObject *entry = PyList_GET_ITEM(all, i);
        PyObject *args = Py_NewRef(state->args);
        PyObject *result = PyObject_Call(PyTuple_GET_ITEM(entry, 0), args, NULL);
        Py_DECREF(args);
        status = result == NULL ? -1 : PyTuple_GET_ITEM(entry, 1) == Py_True ? replace(state, result) : 0;
        Py_XDECREF(result);
    }
    Py_XDECREF(all);
    if (status == 0 && PyTuple_GET_ITEM(state->args, 2) != statement) {
        Py_ssize_t size;
        call->sql = PyUnicode_AsUTF8AndSize(PyTuple_GET_ITEM(state->args, 2), &size);
        call->size = (size_t)size;
        call->id = 0;
        status = call->sql == NULL ? -1 : 0;
    }
    if (status == 0 && call->batch == NULL && PyTuple_GET_ITEM(state->args, 3) != parameters) {
        status = replace_values(state, call, PyTuple_GET_ITEM(state->args, 3));
    }
    Py_DECREF(statement);
    Py_DECREF(parameters);
    return status;
}

static void state_free(call_state *state) {
    if (state != NULL) {
        Py_XDECREF(state->args);
        Py_XDECREF(state->connection);
        PyMem_Free(state->values);
        PyMem_Free(state);
    }
}

static corm_status hook_executing(void *context, corm_connection *connection, corm_engine_call *call) {
    CormPyContext *self = context;
    CormPyConnection *known = corm_connection_host(connection);
    if (!corm_py_engine_listened(self, known, CORM_PY_BEFORE_CURSOR_EXECUTE) &&
        !corm_py_engine_listened(self, known, CORM_PY_AFTER_CURSOR_EXECUTE) &&
        !corm_py_engine_listened(self, known, CORM_PY_HANDLE_ERROR)) {
        return CORM_OK;
    }
    call_state *state = PyMem_Calloc(1, sizeof *state);
    if (state == NULL) {
        return corm_error_no_memory();
    }
    state->connection = corm_py_connection_of(self, connection);
    state->args = state->connection == NULL ? NULL : describe_call(self, connection, call, state->connection);
    if (state->args == NULL || call_before(self, state, call) < 0) {
        state_free(state);
        return corm_py_error();
    }
    call->host = state;
    return CORM_OK;
}

/* The error as an exception for handle_error's listeners, which may put another in its place. */
static corm_status call_handlers(CormPyContext *self, const call_state *state) {
    PyObject *type, *exception, *traceback;
    corm_py_raise();
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(exception, traceback);
    }
    PyObject *handle = corm_py_import("cormorant.engine.events", "_handle_error");
    PyObject *all = corm_py_engine_listeners(self, (CormPyConnection *)state->connection, CORM_PY_HANDLE_ERROR);
    PyObject *result =
        handle == NULL || all == NULL ? NULL : PyObject_CallFunctionObjArgs(handle, all, exception, state->args, NULL);
    if (result != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(result), result);
    }
    Py_XDECREF(result);
    Py_XDECREF(all);
    Py_XDECREF(handle);
    Py_XDECREF(type);
    Py_XDECREF(exception);
    Py_XDECREF(traceback);
    return corm_py_error();
}

static corm_status hook_executed(void *context, corm_connection *connection, corm_engine_call *call,
                                 corm_cursor *cursor, corm_status status) {
    CormPyContext *self = context;
    call_state *state = call->host;
    (void)connection;
    (void)cursor;
    if (state == NULL) {
        return status;
    }
    if (status == CORM_OK) {
        if (corm_py_engine_fire(self, (CormPyConnection *)state->connection, CORM_PY_AFTER_CURSOR_EXECUTE,
                                state->args) < 0) {
            status = corm_py_error();
        }
    } else if (corm_py_engine_listened(self, (CormPyConnection *)state->connection, CORM_PY_HANDLE_ERROR)) {
        status = call_handlers(self, state);
    }
    state_free(state);
    return status;
}

/* ---- logging ---- */

/* Borrowed, once made; NULL raised. */
static PyObject *logger_of(CormPyContext *self, corm_log_kind kind) {
    if (self->loggers[kind] == NULL) {
        PyObject *get = corm_py_import("cormorant.log", "_logger");
        self->loggers[kind] = get == NULL ? NULL : PyObject_CallFunction(get, "O", self->logger_names[kind]);
        Py_XDECREF(get);
    }
    return self->loggers[kind];
}

static const int log_levels[] = {20, 10}; /* the engine's lines are INFO, the pool's DEBUG */

static int is_enabled(CormPyContext *self, corm_log_kind kind, PyObject *modules) {
    if (self->echo[kind] > 0) {
        return self->echo[kind] <= log_levels[kind];
    }
    /* Without the logging module nobody can have asked for it. */
    if (PyDict_GetItemString(modules, "logging") == NULL) {
        return 0;
    }
    PyObject *logger = logger_of(self, kind);
    PyObject *enabled = logger == NULL ? NULL : corm_py_call(logger, "isEnabledFor", "i", log_levels[kind]);
    int result = enabled == NULL ? -1 : PyObject_IsTrue(enabled);
    Py_XDECREF(enabled);
    return result;
}

int corm_py_engine_refresh_echo(CormPyContext *context) {
    PyObject *modules = PyImport_GetModuleDict();
    for (int kind = CORM_LOG_ENGINE; kind <= CORM_LOG_POOL; kind++) {
        int enabled = is_enabled(context, kind, modules);
        if (enabled < 0) {
            return -1;
        }
        corm_engine_set_echo(context->core, kind, enabled);
    }
    return 0;
}

int corm_py_engine_set_echo(CormPyContext *context, corm_log_kind kind, PyObject *echo) {
    int on = echo == NULL ? 0 : PyObject_IsTrue(echo);
    if (on < 0) {
        return -1;
    }
    bool debug = on && PyUnicode_Check(echo) && PyUnicode_CompareWithASCIIString(echo, "debug") == 0;
    context->echo[kind] = !on ? -1 : debug ? 10 : 20;
    if (on) {
        PyObject *prepare = corm_py_import("cormorant.log", "_add_default_handler");
        PyObject *done = prepare == NULL ? NULL : PyObject_CallNoArgs(prepare);
        Py_XDECREF(prepare);
        if (done == NULL) {
            return -1;
        }
        Py_DECREF(done);
    }
    return corm_py_engine_refresh_echo(context);
}

static void hook_log(void *context, corm_log_kind kind, const char *message) {
    CormPyContext *self = context;
    PyObject *type, *value, *traceback;
    corm_error pending;
    corm_error_take(&pending);
    PyErr_Fetch(&type, &value, &traceback);
    Py_INCREF(self);
    PyObject *emit = logger_of(self, kind) == NULL ? NULL : corm_py_import("cormorant.log", "_emit");
    PyObject *text = emit == NULL ? NULL : PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    PyObject *done =
        text == NULL ? NULL : PyObject_CallFunction(emit, "OiO", self->loggers[kind], log_levels[kind], text);
    if (done == NULL) {
        PyErr_WriteUnraisable((PyObject *)self);
    }
    Py_XDECREF(done);
    Py_XDECREF(text);
    Py_XDECREF(emit);
    Py_DECREF(self);
    PyErr_Restore(type, value, traceback);
    corm_error_restore(&pending);
}

static void hook_release(void *context) {
    CormPyContext *self = context;
    self->core = NULL;
    Py_DECREF(self);
}

const corm_engine_hooks corm_py_engine_hooks = {
    .connect = hook_connect,
    .connected = hook_connected,
    .checked_out = hook_checked_out,
    .checked_in = hook_checked_in,
    .closing = hook_closing,
    .invalidated = hook_invalidated,
    .detached = hook_detached,
    .transaction = hook_transaction,
    .executing = hook_executing,
    .executed = hook_executed,
    .log = hook_log,
    .release = hook_release,
};
