/* The arguments of calls: see arguments.h. */
#include "arguments.h"

static int too_many(const corm_py_signature *signature, Py_ssize_t count) {
    PyErr_Format(PyExc_TypeError, "%s() takes %d positional argument%s but %zd %s given", signature->function,
                 signature->positional + 1, signature->positional == 0 ? "" : "s", count + 1,
                 count == 0 ? "was" : "were");
    return -1;
}

static int place_named(const corm_py_signature *signature, PyObject *name, PyObject *value, PyObject **out) {
    for (int i = 0; i < signature->count; i++) {
        if (PyUnicode_CompareWithASCIIString(name, signature->names[i]) == 0) {
            if (out[i] != NULL) {
                PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature->function, name);
                return -1;
            }
            out[i] = value;
            return 0;
        }
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", signature->function, name);
    return -1;
}

static int check_required(const corm_py_signature *signature, PyObject **out) {
    for (int i = 0; i < signature->required; i++) {
        if (out[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() missing 1 required positional argument: '%s'", signature->function,
                         signature->names[i]);
            return -1;
        }
    }
    return 0;
}

int corm_py_unpack(const corm_py_signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                   PyObject **out) {
    for (int i = 0; i < signature->count; i++) {
        out[i] = NULL;
    }
    if (count > signature->positional) {
        return too_many(signature, count);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        out[i] = args[i];
    }
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (place_named(signature, PyTuple_GET_ITEM(names, i), args[count + i], out) < 0) {
            return -1;
        }
    }
    return check_required(signature, out);
}

int corm_py_unpack_call(const corm_py_signature *signature, PyObject *args, PyObject *kwargs, PyObject **out) {
    PyObject *name, *value;
    Py_ssize_t position = 0, count = PyTuple_GET_SIZE(args);
    for (int i = 0; i < signature->count; i++) {
        out[i] = NULL;
    }
    if (count > signature->positional) {
        return too_many(signature, count);
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        out[i] = PyTuple_GET_ITEM(args, i);
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &name, &value)) {
        if (place_named(signature, name, value, out) < 0) {
            return -1;
        }
    }
    return check_required(signature, out);
}
