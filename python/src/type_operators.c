/*
 * Operators of types of the database's own: see type_operators.h. A type's class has an attribute `_operators`, a class
 * of functions whose first argument is the element. Types of all databases have none, which one look at the kind tells.
 */
#include "type_operators.h"

static bool may_have(const corm_node *node) {
    const corm_type *type = corm_node_type(node);
    return type->kind == CORM_TYPE_OWN || (type->adapter != NULL && type->host != NULL);
}

/* The class of functions; NULL without an exception: there is none. */
static PyObject *operators_of(PyObject *element) {
    corm_node *node = corm_py_is_element(element) ? corm_py_node_of(element) : NULL;
    if (node == NULL || !may_have(node)) {
        return NULL;
    }
    PyObject *type = corm_py_type_object(corm_node_type(node));
    PyObject *operators = type == NULL ? NULL : corm_py_get(type, "_operators");
    Py_XDECREF(type);
    if (operators == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    return operators;
}

bool corm_py_has_own_operators(PyObject *element) {
    PyObject *operators = operators_of(element);
    Py_XDECREF(operators);
    PyErr_Clear();
    return operators != NULL;
}

static PyObject *function_named(PyObject *element, const char *name) {
    PyObject *operators = operators_of(element);
    PyObject *function = operators == NULL ? NULL : corm_py_get(operators, name);
    if (operators != NULL && function == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
    }
    Py_XDECREF(operators);
    return function;
}

PyObject *corm_py_own_operator(PyObject *element, const char *name, PyObject *const *args, Py_ssize_t count,
                               PyObject *names) {
    PyObject *function = function_named(element, name);
    if (function == NULL) {
        return NULL;
    }
    Py_ssize_t all = count + (names == NULL ? 0 : PyTuple_GET_SIZE(names));
    PyObject **given = PyMem_Calloc((size_t)all + 1, sizeof *given);
    PyObject *result = NULL;
    if (given == NULL) {
        PyErr_NoMemory();
    } else {
        given[0] = element;
        for (Py_ssize_t i = 0; i < all; i++) {
            given[i + 1] = args[i];
        }
        result = PyObject_Vectorcall(function, given, (size_t)count + 1, names);
    }
    PyMem_Free(given);
    Py_DECREF(function);
    return result;
}

PyObject *corm_py_own_function(PyObject *element, const char *name) {
    PyObject *function = function_named(element, name);
    PyObject *bound = function == NULL ? NULL : PyMethod_New(function, element);
    Py_XDECREF(function);
    return bound;
}

PyObject *corm_py_own_attribute(PyObject *element, PyObject *name) {
    PyObject *kind, *value, *trace;
    PyErr_Fetch(&kind, &value, &trace);
    const char *text = PyUnicode_AsUTF8(name);
    PyObject *bound = text == NULL || *text == '_' ? NULL : corm_py_own_function(element, text);
    if (bound == NULL && PyErr_Occurred() == NULL) {
        PyErr_Restore(kind, value, trace);
        return NULL;
    }
    Py_XDECREF(kind);
    Py_XDECREF(value);
    Py_XDECREF(trace);
    return bound;
}

PyObject *corm_py_own_item(PyObject *element, PyObject *index) {
    PyObject *result = corm_py_own_operator(element, "getitem", &index, 1, NULL);
    if (result == NULL && PyErr_Occurred() == NULL) {
        PyErr_SetString(PyExc_NotImplementedError, "Operator 'getitem' is not supported on this expression");
    }
    return result;
}

/* ---- what they are made of ---- */

/* A reference to an end of a slice; a missing one is nothing. */
static corm_node *end_node(PyObject *end) {
    return end == Py_None ? corm_literal_column("", NULL) : corm_py_node(end);
}

/* _subscript(element, first, last, is_slice, type) */
static PyObject *subscript(PyObject *module, PyObject *args) {
    PyObject *element, *first, *last, *type_;
    int is_slice;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOpO", &element, &first, &last, &is_slice, &type_)) {
        return NULL;
    }
    corm_node *parts[3] = {corm_py_node(element), NULL, NULL};
    parts[1] = parts[0] == NULL ? NULL : end_node(first);
    parts[2] = parts[1] == NULL || !is_slice ? NULL : end_node(last);
    corm_type *type = parts[1] == NULL || (is_slice && parts[2] == NULL) ? NULL : corm_py_sql_type(type_);
    PyObject *made = type == NULL ? NULL : corm_py_wrap(corm_subscript(parts, is_slice ? 3 : 2, type));
    corm_type_unref(type);
    for (size_t i = 0; i < 3; i++) {
        corm_node_unref(parts[i]);
    }
    return made;
}

/* The type of an array of some items: of the first that has one. */
static PyObject *array_type(const corm_vector *items, PyObject *cls, PyObject *given) {
    corm_type *type = corm_type_of_kind(CORM_TYPE_NULL);
    for (size_t i = 0; i < items->count && type->kind == CORM_TYPE_NULL && type->host == NULL; i++) {
        type = corm_node_type(items->items[i]);
    }
    PyObject *item = given == Py_None ? corm_py_type_object(type) : Py_NewRef(given);
    PyObject *made = NULL;
    if (item != NULL) {
        PyObject *inner = corm_py_get(item, "item_type"); /* an array of arrays has one more dimension */
        PyErr_Clear();
        made = PyObject_CallOneArg(cls, inner == NULL ? item : inner);
        Py_XDECREF(inner);
    }
    Py_XDECREF(item);
    return made;
}

/* _array_literal(items, class of ARRAY, type of the items or None) */
static PyObject *array_literal(PyObject *module, PyObject *args) {
    PyObject *list, *cls, *given, *made = NULL, *type_ = NULL;
    corm_vector items = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO", &PyList_Type, &list, &cls, &given)) {
        return NULL;
    }
    corm_type *item = given == Py_None ? NULL : corm_py_sql_type(given);
    int status = given != Py_None && item == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(list); i++) {
        status = corm_py_push(&items, corm_py_node_or_bind(PyList_GET_ITEM(list, i), item));
    }
    type_ = status < 0 ? NULL : array_type(&items, cls, given);
    corm_type *type = type_ == NULL ? NULL : corm_py_sql_type(type_);
    if (type != NULL) {
        made = corm_py_wrap(corm_array_literal(corm_py_items(&items), items.count, type));
    }
    corm_type_unref(type);
    corm_type_unref(item);
    Py_XDECREF(type_);
    corm_nodes_unref(&items);
    return made;
}

static PyMethodDef functions[] = {{"_subscript", subscript, METH_VARARGS, "An item or a slice of an array."},
                                  {"_array_literal", array_literal, METH_VARARGS, "ARRAY[...]."},
                                  {NULL, NULL, 0, NULL}};

int corm_py_type_operators_init(PyObject *module) {
    return PyModule_AddFunctions(module, functions);
}
