/*
 * Errors across the border: the engine's as Python exceptions, Python's as the engine's.
 *
 * The classes live in cormorant.exc and cormorant.orm.exc and are looked up when the first error is raised.
 */
#include "module.h"

/* The class' name by status; what is not in cormorant.exc is in cormorant.orm.exc or a builtin. */
static PyObject *find_class(const char *name) {
    static const char *const modules[] = {"cormorant.exc", "cormorant.orm.exc", "builtins"};
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        PyObject *module = PyImport_ImportModule(modules[i]);
        if (module == NULL) {
            return NULL;
        }
        PyObject *cls = corm_py_get(module, name);
        Py_DECREF(module);
        if (cls != NULL) {
            return cls;
        }
        PyErr_Clear();
    }
    PyErr_Format(PyExc_SystemError, "no exception class %s", name);
    return NULL;
}

static bool is_driver_error(corm_status status) {
    switch (status) {
    case CORM_INTERFACE_ERROR:
    case CORM_DATABASE_ERROR:
    case CORM_DATA_ERROR:
    case CORM_OPERATIONAL_ERROR:
    case CORM_INTEGRITY_ERROR:
    case CORM_INTERNAL_ERROR:
    case CORM_PROGRAMMING_ERROR:
    case CORM_NOT_SUPPORTED:
        return true;
    default:
        return false;
    }
}

static PyObject *text_or_none(const char *text) {
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* What the server said beside its message: a tuple of texts and None, in the order of corm_diagnostic. */
static PyObject *diagnostics_of(const corm_error *error) {
    PyObject *all = PyTuple_New(CORM_DIAGNOSTIC_COUNT);
    for (Py_ssize_t i = 0; i < CORM_DIAGNOSTIC_COUNT && all != NULL; i++) {
        PyObject *text = text_or_none(error->diagnostics[i]);
        if (text == NULL) {
            Py_CLEAR(all);
        } else {
            PyTuple_SET_ITEM(all, i, text);
        }
    }
    return all;
}

static bool is_of_statement(corm_status status) {
    return is_driver_error(status) || status == CORM_STATEMENT_ERROR;
}

static void raise_error(const corm_error *error) {
    PyObject *original = error->host_exception == NULL ? Py_None : (PyObject *)error->host_exception;
    PyObject *cls = find_class(corm_status_name(error->status));
    PyObject *message = text_or_none(error->message == NULL ? "" : error->message);
    PyObject *statement = text_or_none(error->statement);
    PyObject *parameters = text_or_none(error->parameters);
    PyObject *exception = NULL;
    if (cls != NULL && message != NULL && statement != NULL && parameters != NULL) {
        if (is_of_statement(error->status)) {
            PyObject *make = corm_py_get(cls, "_of_engine");
            PyObject *diagnostics = make == NULL ? NULL : diagnostics_of(error);
            exception = diagnostics == NULL
                            ? NULL
                            : PyObject_CallFunction(make, "OOOiOzsOOO", message, statement, parameters,
                                                    error->native_code, original, error->driver, error->sqlstate,
                                                    diagnostics, error->disconnected ? Py_True : Py_False,
                                                    corm_error_is_transient(error) ? Py_True : Py_False);
            Py_XDECREF(diagnostics);
            Py_XDECREF(make);
        } else {
            exception = PyObject_CallOneArg(cls, message);
        }
    }
    if (exception != NULL) {
        PyObject *cause = is_of_statement(error->status) ? corm_py_get(exception, "orig") : NULL;
        if (cause != NULL && PyExceptionInstance_Check(cause)) {
            PyException_SetCause(exception, cause);
        } else {
            PyErr_Clear();
            Py_XDECREF(cause);
        }
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    }
    Py_XDECREF(cls);
    Py_XDECREF(message);
    Py_XDECREF(statement);
    Py_XDECREF(parameters);
    Py_XDECREF(exception);
}

PyObject *corm_py_raise(void) {
    corm_error error;
    corm_error_take(&error);
    if (PyErr_Occurred() != NULL) {
        /* The user's own exception, or a signal's, is pending already. */
    } else if (error.host_exception != NULL && !is_of_statement(error.status)) {
        PyObject *exception = error.host_exception;
        error.host_exception = NULL;
        PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), exception, PyException_GetTraceback(exception));
    } else if (error.status == CORM_NO_MEMORY) {
        PyErr_NoMemory();
    } else if (error.status == CORM_INTERRUPTED && PyErr_CheckSignals() != 0) {
        /* KeyboardInterrupt, or what a handler raised */
    } else if (error.status == CORM_OK) {
        PyErr_SetString(PyExc_SystemError, "an operation failed without saying why");
    } else {
        raise_error(&error);
    }
    corm_error_free_content(&error);
    return NULL;
}

int corm_py_raise_int(void) {
    corm_py_raise();
    return -1;
}

static void release_exception(void *exception) {
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)exception);
    PyGILState_Release(gil);
}

corm_status corm_py_error(void) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    if (type == NULL) {
        return corm_error_set(CORM_HOST_ERROR, "a hook failed without an exception");
    }
    if (PyErr_GivenExceptionMatches(type, PyExc_MemoryError)) {
        Py_XDECREF(type);
        Py_XDECREF(exception);
        Py_XDECREF(traceback);
        return corm_error_no_memory();
    }
    PyErr_NormalizeException(&type, &exception, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(exception, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return corm_error_set_host(CORM_HOST_ERROR, exception, release_exception);
}

corm_status corm_py_value_error(void) {
    PyObject *type, *exception, *traceback;
    PyErr_Fetch(&type, &exception, &traceback);
    PyObject *known = find_class("SQLAlchemyError");
    PyErr_Clear();
    PyErr_Restore(type, exception, traceback);
    bool plain = known != NULL && PyErr_ExceptionMatches(PyExc_Exception) && !PyErr_ExceptionMatches(known) &&
                 !PyErr_ExceptionMatches(PyExc_MemoryError);
    Py_XDECREF(known);
    corm_status status = corm_py_error();
    corm_error error;
    if (!plain || status != CORM_HOST_ERROR) {
        return status;
    }
    corm_error_take(&error);
    status = corm_error_set_host(CORM_STATEMENT_ERROR, error.host_exception, release_exception);
    error.host_exception = NULL;
    corm_error_free_content(&error);
    return status;
}
