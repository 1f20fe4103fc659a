/*
 * Taking apart the arguments of fast calls, with the messages of Python's own functions.
 *
 * A signature names all parameters; the first `positional` of them may be given by place, `required` of those must be
 * given. Results are borrowed, NULL where an argument was not given.
 */
#ifndef CORM_PYTHON_ARGUMENTS_H
#define CORM_PYTHON_ARGUMENTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct corm_py_signature {
    const char *function; /* "Session.get", for messages */
    const char *const *names;
    int count, positional, required;
} corm_py_signature;

#define CORM_PY_SIGNATURE(variable, function_, positional_, required_, ...)                                            \
    static const char *const variable##_names[] = {__VA_ARGS__};                                                       \
    static const corm_py_signature variable = {.function = function_,                                                  \
                                               .names = variable##_names,                                              \
                                               .count = (int)(sizeof variable##_names / sizeof *variable##_names),     \
                                               .positional = positional_,                                              \
                                               .required = required_}

/* Of a METH_FASTCALL | METH_KEYWORDS function; out has signature->count places. 0, or -1 with a TypeError. */
int corm_py_unpack(const corm_py_signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                   PyObject **out);
/* The same of a tuple and a dictionary (or NULL), as tp_init and tp_new get. */
int corm_py_unpack_call(const corm_py_signature *signature, PyObject *args, PyObject *kwargs, PyObject **out);
/* The truth of an argument; when it was not given: otherwise. -1 raised. */
static inline int corm_py_flag(PyObject *given, int otherwise) {
    return given == NULL ? otherwise : given == Py_True ? 1 : given == Py_False ? 0 : PyObject_IsTrue(given);
}

/* How such functions stand in a PyMethodDef. */
#define CORM_PY_FAST(function) (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS

#endif
