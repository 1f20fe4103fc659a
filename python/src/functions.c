/*
 * SQL functions: `func.name(...)`, what they give, and the windows and filters around them.
 */
#include "sql.h"
#include "values.h"

#include "sql/select.h"

PyTypeObject *CormPyFunctionFilter_Type;
static PyTypeObject *generator_type, *function_type;

/* ---- func.a.b.c ---- */

typedef struct generator {
    PyObject_HEAD PyObject *name; /* "a.b.c"; NULL: func itself */
} generator;

static void generator_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(((generator *)self)->name);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *generator_make(PyObject *name) {
    generator *made = PyObject_New(generator, generator_type);
    if (made == NULL) {
        Py_XDECREF(name);
        return NULL;
    }
    made->name = name;
    return (PyObject *)made;
}

static PyObject *generator_getattr(PyObject *self, PyObject *name) {
    PyObject *above = ((generator *)self)->name;
    Py_ssize_t size = PyUnicode_GET_LENGTH(name);
    if (size >= 2 && PyUnicode_READ_CHAR(name, 0) == '_' && PyUnicode_READ_CHAR(name, 1) == '_') {
        return PyObject_GenericGetAttr(self, name);
    }
    if (size > 0 && PyUnicode_READ_CHAR(name, size - 1) == '_') {
        size--;
    }
    PyObject *part = PyUnicode_Substring(name, 0, size);
    PyObject *full = part == NULL ? NULL : above == NULL ? Py_NewRef(part) : PyUnicode_FromFormat("%U.%U", above, part);
    Py_XDECREF(part);
    return full == NULL ? NULL : generator_make(full);
}

/* The argument of a function: values are named after it. */
static corm_node *argument(PyObject *object, const char *name) {
    corm_node *node = corm_py_node_maybe(object);
    if (node != NULL) {
        if (!corm_node_is_select(node)) {
            return node;
        }
        corm_node *scalar = corm_scalar_subquery(node);
        corm_node_unref(node);
        if (scalar == NULL) {
            corm_py_raise();
        }
        return scalar;
    }
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (object == Py_None) {
        return corm_null();
    }
    const char *dot = strrchr(name, '.');
    node = corm_py_bind(object, dot == NULL ? name : dot + 1, NULL, true);
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

/* ARRAY of a type, as array_agg() gives it; NULL raised. */
static corm_type *array_of(corm_type *item) {
    PyObject *module = PyImport_ImportModule("cormorant.types");
    PyObject *object = module == NULL ? NULL : corm_py_type_object(item);
    PyObject *made = object == NULL ? NULL : corm_py_call(module, "_array_of", "O", object);
    corm_type *type = made == NULL ? NULL : corm_py_sql_type(made);
    Py_XDECREF(made);
    Py_XDECREF(object);
    Py_XDECREF(module);
    return type;
}

static PyObject *call(const char *name, PyObject *const *args, Py_ssize_t count, PyObject *type_) {
    corm_vector nodes = {0};
    PyObject *result = NULL;
    corm_type *type = NULL;
    if (type_ != NULL && (type = corm_py_sql_type(type_)) == NULL) {
        return NULL;
    }
    if (count == 0 && strcasecmp(name, "count") == 0 && corm_vector_push(&nodes, corm_star()) != CORM_OK) {
        corm_py_raise();
        goto done;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        corm_node *node = argument(args[i], name);
        if (node == NULL || corm_vector_push(&nodes, node) != CORM_OK) {
            if (node != NULL) {
                corm_node_unref(node);
                corm_py_raise();
            }
            goto done;
        }
    }
    corm_node *first = count == 1 ? nodes.items[0] : NULL;
    if (first != NULL && first->kind == CORM_NODE_FUNCTION && first->detail == CORM_FUNCTION_NEXT_VALUE &&
        strcasecmp(name, "next_value") == 0) {
        result = corm_py_wrap(corm_node_ref(first)); /* a sequence is its next value already */
        goto done;
    }
    if (type == NULL && strcasecmp(name, "array_agg") == 0 && nodes.count > 0 &&
        (type = array_of(corm_node_type(nodes.items[0]))) == NULL) {
        goto done;
    }
    result = corm_py_wrap(corm_function_new(name, corm_py_items(&nodes), nodes.count, type));
done:
    corm_nodes_unref(&nodes);
    corm_type_unref(type);
    return result;
}

static PyObject *generator_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *own = ((generator *)self)->name, *type_ = NULL;
    if (own == NULL) {
        PyErr_SetString(PyExc_TypeError, "func is called by a function's name: func.name(...)");
        return NULL;
    }
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        type_ = corm_py_item(kwargs, "type_");
        if (type_ == NULL || PyDict_GET_SIZE(kwargs) > 1) {
            PyErr_Format(PyExc_TypeError, "func.%U() takes type_ as its only keyword argument", own);
            return NULL;
        }
    }
    const char *name = corm_py_text(own);
    return name == NULL ? NULL : call(name, ((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args), type_);
}

static PyObject *generator_repr(PyObject *self) {
    PyObject *own = ((generator *)self)->name;
    return own == NULL ? PyUnicode_FromString("<func>") : PyUnicode_FromFormat("<func.%U>", own);
}

static PyType_Slot generator_slots[] = {{Py_tp_doc, "Makes SQL functions: func.name(arguments)."},
                                        {Py_tp_dealloc, generator_dealloc},
                                        {Py_tp_getattro, generator_getattr},
                                        {Py_tp_call, generator_call},
                                        {Py_tp_repr, generator_repr},
                                        {0, NULL}};
static PyType_Spec generator_spec = {.name = "cormorant.sql.functions._FunctionGenerator",
                                     .basicsize = sizeof(generator),
                                     .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                     .slots = generator_slots};

/* ---- windows and filters ---- */

/* A LIST of one expression or of a sequence of them; *out stays NULL for none. 0, or -1 raised. */
static int list_of(PyObject *given, corm_py_role role, corm_node **out) {
    corm_vector nodes = {0};
    *out = NULL;
    if (given == NULL || given == Py_None) {
        return 0;
    }
    bool many = PyList_Check(given) || PyTuple_Check(given);
    int failed = corm_py_nodes_as(many ? PySequence_Fast_ITEMS(given) : &given,
                                  many ? PySequence_Fast_GET_SIZE(given) : 1, role, &nodes);
    if (!failed && nodes.count > 0) {
        *out = corm_list_new(CORM_OP_COMMA, corm_py_items(&nodes), nodes.count);
        failed = *out == NULL ? corm_py_raise_int() : 0;
    }
    corm_nodes_unref(&nodes);
    return failed;
}

static PyObject *over(corm_node *function, PyObject *partition_by, PyObject *order_by) {
    corm_node *partition = NULL, *order = NULL;
    PyObject *result = NULL;
    if (list_of(partition_by, CORM_PY_ROLE_GROUP_BY, &partition) == 0 &&
        list_of(order_by, CORM_PY_ROLE_ORDER_BY, &order) == 0) {
        result = corm_py_wrap(corm_over(function, partition, order));
    }
    corm_node_unref(partition);
    corm_node_unref(order);
    return result;
}

CORM_PY_SIGNATURE(over_signature, "over", 0, 0, "partition_by", "order_by");

static PyObject *function_over(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    return corm_py_unpack(&over_signature, args, count, names, given) < 0
               ? NULL
               : over(corm_py_node_of(self), given[0], given[1]);
}

static PyObject *filtered(corm_node *function, PyObject *const *args, Py_ssize_t count) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_WHERE, &nodes) < 0) {
        return NULL;
    }
    corm_node *criterion = corm_and(corm_py_items(&nodes), nodes.count);
    PyObject *result = corm_py_wrap(criterion == NULL ? NULL : corm_binary_new(CORM_OP_FILTER, function, criterion));
    corm_node_unref(criterion);
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *function_filter(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return count == 0 ? Py_NewRef(self) : filtered(corm_py_node_of(self), args, count);
}

static PyObject *function_select(PyObject *self, PyObject *unused) {
    corm_node *node = corm_py_node_of(self);
    (void)unused;
    return corm_py_wrap(corm_select_new(&node, 1));
}

static PyObject *get_clauses(PyObject *self, void *closure) {
    corm_node *node = corm_py_node_of(self);
    const corm_function *function = (const corm_function *)(const void *)node;
    (void)closure;
    return corm_py_wrap(corm_list_new(CORM_OP_COMMA, function->arguments, node->child_count));
}

static PyMethodDef function_methods[] = {
    {"over", CORM_PY_FAST(function_over), "over(*, partition_by=None, order_by=None)\n--\n\nOVER: a window."},
    {"filter", (PyCFunction)(void (*)(void))function_filter, METH_FASTCALL,
     "filter(*criteria)\n--\n\nFILTER (WHERE ...): only rows for which these hold."},
    {"select", function_select, METH_NOARGS, "select()\n--\n\nSELECT of the function."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef function_getset[] = {{"clauses", get_clauses, NULL, "The arguments.", NULL},
                                        {"clause_expr", get_clauses, NULL, "The arguments.", NULL},
                                        {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot function_slots[] = {{Py_tp_doc, "A call of an SQL function."},
                                       {Py_tp_dealloc, corm_py_element_dealloc},
                                       {Py_tp_methods, function_methods},
                                       {Py_tp_getset, function_getset},
                                       {0, NULL}};
static PyType_Spec function_spec = {.name = "cormorant.sql.functions.Function",
                                    .basicsize = sizeof(CormPyElement),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                    .slots = function_slots};

static PyMethodDef filter_methods[] = {
    {"over", CORM_PY_FAST(function_over), "over(*, partition_by=None, order_by=None)\n--\n\nOVER: a window."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef filter_getset[] = {CORM_PY_CHILD("func", 0, "The function."),
                                      CORM_PY_CHILD("criterion", 1, "The condition."),
                                      {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot filter_slots[] = {{Py_tp_doc, "A function with FILTER (WHERE ...)."},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
                                     {Py_tp_methods, filter_methods},
                                     {Py_tp_getset, filter_getset},
                                     {0, NULL}};
static PyType_Spec filter_spec = {.name = "cormorant.sql.elements.FunctionFilter",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                  .slots = filter_slots};

/* over(element, partition_by=None, order_by=None), funcfilter(func, *criteria) */
static PyObject *over_function(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"element", "partition_by", "order_by", NULL};
    PyObject *element, *partition_by = NULL, *order_by = NULL;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OO:over", names, &element, &partition_by, &order_by)) {
        return NULL;
    }
    corm_node *node = corm_py_node(element);
    PyObject *result = node == NULL ? NULL : over(node, partition_by, order_by);
    corm_node_unref(node);
    return result;
}

static PyObject *funcfilter_function(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    if (count == 0) {
        PyErr_SetString(PyExc_TypeError, "funcfilter() takes a function and conditions");
        return NULL;
    }
    corm_node *node = corm_py_node(args[0]);
    PyObject *result = node == NULL ? NULL : filtered(node, args + 1, count - 1);
    corm_node_unref(node);
    return result;
}

/* _next_value(schema, name, type) */
static PyObject *next_value(PyObject *module, PyObject *args) {
    const char *schema, *name;
    PyObject *given;
    (void)module;
    if (!PyArg_ParseTuple(args, "zsO:_next_value", &schema, &name, &given)) {
        return NULL;
    }
    corm_type *type = corm_py_sql_type(given);
    PyObject *result = type == NULL ? NULL : corm_py_wrap(corm_sequence_next(schema, name, type));
    corm_type_unref(type);
    return result;
}

static PyMethodDef functions[] = {{"_next_value", next_value, METH_VARARGS, "The next value of a sequence."},
                                  {"over", (PyCFunction)(void (*)(void))over_function, METH_VARARGS | METH_KEYWORDS,
                                   "over(element, partition_by=None, order_by=None)\n--\n\nOVER: a window."},
                                  {"funcfilter", (PyCFunction)(void (*)(void))funcfilter_function, METH_FASTCALL,
                                   "funcfilter(func, *criteria)\n--\n\nFILTER (WHERE ...) of an aggregate."},
                                  {NULL, NULL, 0, NULL}};

int corm_py_functions_init(PyObject *module) {
    generator_type = corm_py_type(module, &generator_spec, NULL);
    function_type = corm_py_type(module, &function_spec, CormPyColumnElement_Type);
    CormPyFunctionFilter_Type = corm_py_type(module, &filter_spec, CormPyColumnElement_Type);
    if (generator_type == NULL || function_type == NULL || CormPyFunctionFilter_Type == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_FUNCTION] = function_type;
    PyObject *func = generator_make(NULL);
    int failed = func == NULL ? -1 : PyModule_AddObjectRef(module, "func", func);
    Py_XDECREF(func);
    return failed < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
