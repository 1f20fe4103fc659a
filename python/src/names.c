/*
 * Attributes and methods by C names.
 *
 * The interpreter's cache of type attributes keeps the very string that was looked up, by its address. A fresh string for
 * each call would fill the cache with strings that nobody finds again, so names are interned first.
 */
#include "module.h"

PyObject *corm_py_get(PyObject *object, const char *name) {
    PyObject *text = PyUnicode_InternFromString(name);
    PyObject *value = text == NULL ? NULL : PyObject_GetAttr(object, text);
    Py_XDECREF(text);
    return value;
}

int corm_py_set(PyObject *object, const char *name, PyObject *value) {
    PyObject *text = PyUnicode_InternFromString(name);
    int status = text == NULL ? -1 : PyObject_SetAttr(object, text, value);
    Py_XDECREF(text);
    return status;
}

bool corm_py_has(PyObject *object, const char *name) {
    PyObject *value = corm_py_get(object, name);
    if (value == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(value);
    return value != NULL;
}

/* The arguments of a format, as a tuple. */
static PyObject *arguments_of(const char *format, va_list list) {
    if (format == NULL || *format == '\0') {
        return PyTuple_New(0);
    }
    PyObject *built = Py_VaBuildValue(format, list);
    if (built == NULL || (PyTuple_Check(built) && format[1] != '\0')) {
        return built; /* several, or one in parentheses */
    }
    PyObject *arguments = PyTuple_Pack(1, built);
    Py_DECREF(built);
    return arguments;
}

PyObject *corm_py_call(PyObject *object, const char *name, const char *format, ...) {
    va_list list;
    PyObject *method = object == NULL ? NULL : corm_py_get(object, name);
    if (method == NULL) {
        return NULL;
    }
    va_start(list, format);
    PyObject *arguments = arguments_of(format, list);
    va_end(list);
    PyObject *result = arguments == NULL ? NULL : PyObject_CallObject(method, arguments);
    Py_XDECREF(arguments);
    Py_DECREF(method);
    return result;
}
