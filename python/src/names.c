/*
 * Attributes, methods and items by C names.
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

/* The next character of a text in UTF-8, which is well formed. */
static Py_UCS4 next_character(const unsigned char **text) {
    const unsigned char *at = *text;
    int more = at[0] < 0x80 ? 0 : at[0] < 0xE0 ? 1 : at[0] < 0xF0 ? 2 : 3;
    Py_UCS4 character = more == 0 ? at[0] : at[0] & (0x3Fu >> more);
    for (int i = 1; i <= more; i++) {
        character = character << 6 | (at[i] & 0x3Fu);
    }
    *text = at + more + 1;
    return character;
}

static bool same_text(PyObject *text, const char *name) {
    const unsigned char *at = (const unsigned char *)name;
    Py_ssize_t length = PyUnicode_GET_LENGTH(text), i = 0;
    int kind = PyUnicode_KIND(text);
    const void *data = PyUnicode_DATA(text);
    while (i < length && *at != '\0' && PyUnicode_READ(kind, data, i) == next_character(&at)) {
        i++;
    }
    return i == length && *at == '\0';
}

PyObject *corm_py_item(PyObject *dict, const char *name) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &value)) {
        if (PyUnicode_Check(key) && PyUnicode_READY(key) == 0 && same_text(key, name)) {
            return value;
        }
    }
    return NULL;
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
