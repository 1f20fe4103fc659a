/*
 * What SQLite's raw connections have beyond PEP 249: functions, aggregates and collations of the user's, scripts, backup.
 *
 * Callbacks may come while the interpreter lock is let go of: each takes it. An exception in one becomes SQLite's error
 * "user-defined function raised exception", as with Python's sqlite3.
 */
#include <sqlite3.h>

#include "dbapi.h"

static void release_object(void *object) {
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)object);
    PyGILState_Release(gil);
}

static PyObject *sqlite_error(sqlite3 *database) {
    return corm_py_raw_error("OperationalError", sqlite3_errmsg(database));
}

/* ---- values ---- */

static PyObject *from_sqlite(sqlite3_value *value) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER:
        return PyLong_FromLongLong(sqlite3_value_int64(value));
    case SQLITE_FLOAT:
        return PyFloat_FromDouble(sqlite3_value_double(value));
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_value_text(value);
        return text == NULL ? PyErr_NoMemory() : PyUnicode_DecodeUTF8(text, sqlite3_value_bytes(value), NULL);
    }
    case SQLITE_BLOB: {
        const void *data = sqlite3_value_blob(value);
        return PyBytes_FromStringAndSize(data, sqlite3_value_bytes(value));
    }
    default:
        Py_RETURN_NONE;
    }
}

static PyObject *arguments_of(int count, sqlite3_value **values) {
    PyObject *arguments = PyTuple_New(count);
    for (int i = 0; i < count && arguments != NULL; i++) {
        PyObject *value = from_sqlite(values[i]);
        if (value == NULL) {
            Py_CLEAR(arguments);
        } else {
            PyTuple_SET_ITEM(arguments, i, value);
        }
    }
    return arguments;
}

static int give_result(sqlite3_context *context, PyObject *result) {
    corm_value value;
    if (result == NULL) {
        return -1;
    }
    if (corm_py_to_value(result, &value) != CORM_OK) {
        return corm_py_raise_int();
    }
    switch ((corm_kind)value.kind) {
    case CORM_KIND_NULL:
        sqlite3_result_null(context);
        return 0;
    case CORM_KIND_BOOLEAN:
        sqlite3_result_int(context, value.as.boolean);
        return 0;
    case CORM_KIND_INTEGER:
        sqlite3_result_int64(context, value.as.integer);
        return 0;
    case CORM_KIND_FLOAT:
        sqlite3_result_double(context, value.as.real);
        return 0;
    case CORM_KIND_TEXT:
        sqlite3_result_text64(context, value.as.text.data, value.as.text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
        return 0;
    case CORM_KIND_BYTES:
        sqlite3_result_blob64(context, value.as.text.data, value.as.text.size, SQLITE_TRANSIENT);
        return 0;
    default:
        return -1;
    }
}

static void fail_in(sqlite3_context *context, const char *what) {
    char message[80];
    bool no_memory = PyErr_Occurred() != NULL && PyErr_ExceptionMatches(PyExc_MemoryError);
    PyErr_Clear();
    if (no_memory) {
        sqlite3_result_error_nomem(context);
        return;
    }
    PyOS_snprintf(message, sizeof message, "user-defined %s raised exception", what);
    sqlite3_result_error(context, message, -1);
}

/* ---- functions ---- */

static void call_function(sqlite3_context *context, int count, sqlite3_value **values) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *arguments = arguments_of(count, values);
    PyObject *result = arguments == NULL ? NULL : PyObject_CallObject(sqlite3_user_data(context), arguments);
    if (give_result(context, result) < 0) {
        fail_in(context, "function");
    }
    Py_XDECREF(result);
    Py_XDECREF(arguments);
    PyGILState_Release(gil);
}

static PyObject *create_function(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"name", "narg", "func", "deterministic", NULL};
    const char *name;
    int count, deterministic = 0;
    PyObject *function;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "siO|$p", keywords, &name, &count, &function, &deterministic)) {
        return NULL;
    }
    sqlite3 *database = corm_py_raw_sqlite((CormPyRaw *)object);
    if (database == NULL) {
        return NULL;
    }
    int flags = SQLITE_UTF8 | (deterministic ? SQLITE_DETERMINISTIC : 0);
    int code = function == Py_None
                   ? sqlite3_create_function_v2(database, name, count, flags, NULL, NULL, NULL, NULL, NULL)
                   : sqlite3_create_function_v2(database, name, count, flags, Py_NewRef(function), call_function, NULL,
                                                NULL, release_object); /* which is called when it fails, too */
    return code == SQLITE_OK ? Py_NewRef(Py_None) : corm_py_raw_error("OperationalError", "Error creating function");
}

/* ---- aggregates ---- */

static PyObject **instance_of(sqlite3_context *context, bool make) {
    PyObject **place = sqlite3_aggregate_context(context, make ? (int)sizeof *place : 0);
    if (place != NULL && *place == NULL && make) {
        *place = PyObject_CallNoArgs(sqlite3_user_data(context));
    }
    return place;
}

static void step_aggregate(sqlite3_context *context, int count, sqlite3_value **values) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject **instance = instance_of(context, true);
    PyObject *method = instance == NULL || *instance == NULL ? NULL : corm_py_get(*instance, "step");
    PyObject *arguments = method == NULL ? NULL : arguments_of(count, values);
    PyObject *result = arguments == NULL ? NULL : PyObject_CallObject(method, arguments);
    if (result == NULL) {
        fail_in(context, "aggregate's 'step' method");
    }
    Py_XDECREF(result);
    Py_XDECREF(arguments);
    Py_XDECREF(method);
    PyGILState_Release(gil);
}

static void finish_aggregate(sqlite3_context *context) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject **place = instance_of(context, true);
    PyObject *instance = place == NULL ? NULL : *place;
    PyObject *result = instance == NULL ? NULL : corm_py_call(instance, "finalize", NULL);
    if (give_result(context, result) < 0) {
        fail_in(context, "aggregate's 'finalize' method");
    }
    if (place != NULL) {
        *place = NULL;
    }
    Py_XDECREF(result);
    Py_XDECREF(instance);
    PyGILState_Release(gil);
}

static PyObject *create_aggregate(PyObject *object, PyObject *args) {
    const char *name;
    int count;
    PyObject *cls;
    if (!PyArg_ParseTuple(args, "siO", &name, &count, &cls)) {
        return NULL;
    }
    sqlite3 *database = corm_py_raw_sqlite((CormPyRaw *)object);
    if (database == NULL) {
        return NULL;
    }
    int code = cls == Py_None
                   ? sqlite3_create_function_v2(database, name, count, SQLITE_UTF8, NULL, NULL, NULL, NULL, NULL)
                   : sqlite3_create_function_v2(database, name, count, SQLITE_UTF8, Py_NewRef(cls), NULL,
                                                step_aggregate, finish_aggregate, release_object);
    return code == SQLITE_OK ? Py_NewRef(Py_None) : corm_py_raw_error("OperationalError", "Error creating aggregate");
}

/* ---- collations ---- */

static int call_collation(void *callable, int left_size, const void *left, int right_size, const void *right) {
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *result = PyObject_CallFunction(callable, "s#s#", (const char *)left, (Py_ssize_t)left_size,
                                             (const char *)right, (Py_ssize_t)right_size);
    long order = result == NULL ? 0 : PyLong_AsLong(result);
    PyErr_Clear(); /* SQLite has no way to hear of it */
    Py_XDECREF(result);
    PyGILState_Release(gil);
    return order > 0 ? 1 : order < 0 ? -1 : 0;
}

static PyObject *create_collation(PyObject *object, PyObject *args) {
    const char *name;
    PyObject *callable;
    if (!PyArg_ParseTuple(args, "sO", &name, &callable)) {
        return NULL;
    }
    sqlite3 *database = corm_py_raw_sqlite((CormPyRaw *)object);
    if (database == NULL) {
        return NULL;
    }
    if (callable == Py_None) {
        return sqlite3_create_collation_v2(database, name, SQLITE_UTF8, NULL, NULL, NULL) == SQLITE_OK
                   ? Py_NewRef(Py_None)
                   : sqlite_error(database);
    }
    if (!PyCallable_Check(callable)) {
        PyErr_SetString(PyExc_TypeError, "parameter must be callable");
        return NULL;
    }
    Py_INCREF(callable);
    if (sqlite3_create_collation_v2(database, name, SQLITE_UTF8, callable, call_collation, release_object) !=
        SQLITE_OK) {
        Py_DECREF(callable); /* unlike functions, collations are not released when they cannot be made */
        return sqlite_error(database);
    }
    Py_RETURN_NONE;
}

/* ---- the rest ---- */

static PyObject *execute_script(PyObject *object, PyObject *script) {
    CormPyRaw *self = (CormPyRaw *)object;
    const char *text = PyUnicode_Check(script) ? PyUnicode_AsUTF8(script) : NULL;
    sqlite3 *database = text == NULL ? NULL : corm_py_raw_sqlite(self);
    if (database == NULL) {
        return PyErr_Occurred() != NULL ? NULL : PyErr_Format(PyExc_TypeError, "a script is a string");
    }
    if (!sqlite3_get_autocommit(database) && self->driver->commit(self->native) != CORM_OK) {
        return corm_py_raw_raise();
    }
    int code;
    Py_BEGIN_ALLOW_THREADS code = sqlite3_exec(database, text, NULL, NULL, NULL);
    Py_END_ALLOW_THREADS return code == SQLITE_OK ? corm_py_call(object, "cursor", NULL) : sqlite_error(database);
}

static PyObject *enable_extensions(PyObject *object, PyObject *enabled) {
    int on = PyObject_IsTrue(enabled);
    sqlite3 *database = on < 0 ? NULL : corm_py_raw_sqlite((CormPyRaw *)object);
    if (database == NULL) {
        return NULL;
    }
    return sqlite3_enable_load_extension(database, on) == SQLITE_OK ? Py_NewRef(Py_None) : sqlite_error(database);
}

static PyObject *load_extension(PyObject *object, PyObject *path) {
    const char *text = PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;
    sqlite3 *database = text == NULL ? NULL : corm_py_raw_sqlite((CormPyRaw *)object);
    char *message = NULL;
    if (database == NULL) {
        return PyErr_Occurred() != NULL ? NULL : PyErr_Format(PyExc_TypeError, "a path is a string");
    }
    if (sqlite3_load_extension(database, text, NULL, &message) == SQLITE_OK) {
        Py_RETURN_NONE;
    }
    corm_py_raw_error("OperationalError", message == NULL ? "the extension cannot be loaded" : message);
    sqlite3_free(message);
    return NULL;
}

static int call_trace(unsigned type, void *callable, void *statement, void *text) {
    (void)type;
    (void)text;
    PyGILState_STATE gil = PyGILState_Ensure();
    char *expanded = sqlite3_expanded_sql(statement);
    const char *sql = expanded != NULL ? expanded : sqlite3_sql(statement);
    PyObject *shown = PyUnicode_DecodeUTF8(sql, (Py_ssize_t)strlen(sql), "replace");
    PyObject *result = shown == NULL ? NULL : PyObject_CallOneArg(callable, shown);
    if (result == NULL) {
        PyErr_WriteUnraisable(callable);
    }
    Py_XDECREF(result);
    Py_XDECREF(shown);
    sqlite3_free(expanded);
    PyGILState_Release(gil);
    return 0;
}

/* The function is kept in the connection's dictionary, from which it goes with the connection. */
static PyObject *set_trace(PyObject *object, PyObject *callable) {
    CormPyRaw *self = (CormPyRaw *)object;
    sqlite3 *database = corm_py_raw_sqlite(self);
    if (database == NULL) {
        return NULL;
    }
    bool on = callable != Py_None;
    if (corm_py_set(object, "_trace", callable) < 0) {
        return NULL;
    }
    sqlite3_trace_v2(database, on ? SQLITE_TRACE_STMT : 0, on ? call_trace : NULL, on ? callable : NULL);
    Py_RETURN_NONE;
}

static PyObject *dump_to(PyObject *object, PyObject *args, PyObject *kwargs) {
    PyObject *target;
    static char *keywords[] = {"target", NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O", keywords, &target)) {
        return NULL;
    }
    if (Py_TYPE(target) != Py_TYPE(object)) {
        PyErr_SetString(PyExc_TypeError, "backup() goes to another raw connection");
        return NULL;
    }
    sqlite3 *from = corm_py_raw_sqlite((CormPyRaw *)object);
    sqlite3 *to = from == NULL ? NULL : corm_py_raw_sqlite((CormPyRaw *)target);
    sqlite3_backup *backup = to == NULL ? NULL : sqlite3_backup_init(to, "main", from, "main");
    if (backup == NULL) {
        return to == NULL ? NULL : sqlite_error(to);
    }
    int code;
    Py_BEGIN_ALLOW_THREADS sqlite3_backup_step(backup, -1);
    code = sqlite3_backup_finish(backup);
    Py_END_ALLOW_THREADS return code == SQLITE_OK ? Py_NewRef(Py_None) : sqlite_error(to);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

PyMethodDef corm_py_raw_functions[] = {
    {"create_function", KEYWORDS(create_function),
     "create_function($self, name, narg, func, *, deterministic=False)\n--\n\nGive SQL a function."},
    {"create_aggregate", create_aggregate, METH_VARARGS,
     "create_aggregate($self, name, n_arg, aggregate_class, /)\n--\n\nGive SQL an aggregate."},
    {"create_collation", create_collation, METH_VARARGS,
     "create_collation($self, name, callable, /)\n--\n\nGive SQL an order of texts."},
    {"executescript", execute_script, METH_O, "executescript($self, sql_script, /)\n--\n\nRun several statements."},
    {"enable_load_extension", enable_extensions, METH_O,
     "enable_load_extension($self, enable, /)\n--\n\nAllow extensions of SQLite."},
    {"load_extension", load_extension, METH_O, "load_extension($self, name, /)\n--\n\nLoad an extension of SQLite."},
    {"set_trace_callback", set_trace, METH_O,
     "set_trace_callback($self, callable, /)\n--\n\nCall a function with each statement."},
    {"backup", KEYWORDS(dump_to), "backup($self, target)\n--\n\nCopy the database to another connection's."},
    {NULL}};
