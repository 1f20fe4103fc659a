/*
 * SQL expressions as Python objects: views of nodes.
 *
 * One node, one view: the node knows its view while one is alive. Operators make new nodes and wrap them; the Python class
 * of a view is chosen by the node's kind, from a table that the package fills in.
 */
#include "core.h"

#include <structmember.h>

#include "compile/compile.h"
#include "orm/entity.h"
#include "sql/select.h"

PyTypeObject *CormPyClauseElement_Type;
PyTypeObject *CormPyColumnElement_Type;
PyTypeObject *corm_py_view_classes[CORM_NODE_KIND_COUNT];
corm_node *(*corm_py_entity_of_class)(PyObject *cls);

/* ---- views ---- */

PyObject *corm_py_wrap(corm_node *node) {
    if (node == NULL) {
        return corm_py_raise();
    }
    if (node->host != NULL) {
        PyObject *view = Py_NewRef((PyObject *)node->host);
        corm_node_unref(node);
        return view;
    }
    PyTypeObject *cls = corm_py_view_classes[node->kind];
    if (cls == NULL) {
        cls = CormPyColumnElement_Type;
    }
    CormPyElement *view = (CormPyElement *)cls->tp_alloc(cls, 0);
    if (view == NULL) {
        corm_node_unref(node);
        return NULL;
    }
    view->node = node;
    if (!(node->flags & CORM_NODE_IMMORTAL)) {
        node->host = view;
    }
    return (PyObject *)view;
}

/* __new__(cls, view): another view class over the node of an element, e.g. for users' subclasses. */
static PyObject *element_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    return cls->tp_alloc(cls, 0);
}

static int element_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((CormPyElement *)self)->dict);
    return 0;
}

static int element_clear(PyObject *self) {
    Py_CLEAR(((CormPyElement *)self)->dict);
    return 0;
}

static void element_dealloc(PyObject *self) {
    CormPyElement *element = (CormPyElement *)self;
    PyTypeObject *cls = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (element->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_CLEAR(element->dict);
    if (element->node != NULL) {
        if (element->node->host == element) {
            element->node->host = NULL;
        }
        corm_node_unref(element->node);
    }
    cls->tp_free(self);
    Py_DECREF(cls);
}

/* _adopt(other): take over the node of another element: `other` is no view of it any more. */
static PyObject *element_adopt(PyObject *self, PyObject *other) {
    CormPyElement *element = (CormPyElement *)self;
    if (!PyObject_TypeCheck(other, CormPyClauseElement_Type) || ((CormPyElement *)other)->node == NULL) {
        PyErr_SetString(PyExc_TypeError, "an element with a node is needed");
        return NULL;
    }
    corm_node *node = corm_node_ref(((CormPyElement *)other)->node);
    if (element->node != NULL) {
        if (element->node->host == element) {
            element->node->host = NULL;
        }
        corm_node_unref(element->node);
    }
    element->node = node;
    if (!(node->flags & CORM_NODE_IMMORTAL)) {
        node->host = element;
    }
    Py_RETURN_NONE;
}

/* ---- nodes of objects ---- */

static corm_node *argument_error(PyObject *object) {
    corm_error_set(CORM_ARGUMENT_ERROR, "SQL expression element or literal value expected, got %s",
                   Py_TYPE(object)->tp_name);
    corm_py_raise();
    return NULL;
}

/* NULL without an exception: not an element. */
static corm_node *node_of(PyObject *object) {
    if (PyObject_TypeCheck(object, CormPyClauseElement_Type)) {
        corm_node *node = ((CormPyElement *)object)->node;
        if (node == NULL) {
            PyErr_Format(PyExc_TypeError, "%.100s was not initialised", Py_TYPE(object)->tp_name);
            return NULL;
        }
        return corm_node_ref(node);
    }
    if (corm_py_entity_of_class != NULL) {
        corm_node *entity = corm_py_entity_of_class(object);
        if (entity != NULL || PyErr_Occurred() != NULL) {
            return entity;
        }
    }
    if (PyUnicode_CheckExact(object) || PyLong_CheckExact(object) || object == Py_None || PyFloat_CheckExact(object) ||
        PyBytes_CheckExact(object) || PyBool_Check(object)) {
        return NULL;
    }
    PyObject *method = PyObject_GetAttrString(object, "__clause_element__");
    if (method == NULL) {
        PyErr_Clear();
        return NULL;
    }
    PyObject *element = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    corm_node *node = element == NULL || element == object ? NULL : corm_py_node(element);
    Py_XDECREF(element);
    return node;
}

corm_node *corm_py_node(PyObject *object) {
    corm_node *node = node_of(object);
    return node == NULL && PyErr_Occurred() == NULL ? argument_error(object) : node;
}

corm_node *corm_py_node_or_bind(PyObject *object, corm_type *type) {
    corm_node *node = node_of(object);
    corm_value value;
    if (node != NULL || PyErr_Occurred() != NULL) {
        return node;
    }
    if (object == Py_None) {
        return corm_null();
    }
    if (corm_py_to_value(object, &value) != CORM_OK) {
        corm_py_raise();
        return NULL;
    }
    node = corm_bind_new(&value, type);
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

int corm_py_nodes(PyObject *sequence, bool strings, bool bind, corm_vector *out) {
    PyObject *items = PySequence_Fast(sequence, "a sequence of expressions is needed");
    if (items == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        corm_node *node = NULL;
        if (strings && PyUnicode_Check(item)) {
            const char *name = PyUnicode_AsUTF8(item);
            node = name == NULL ? NULL : corm_label_reference(name);
            if (node == NULL && PyErr_Occurred() == NULL) {
                corm_py_raise();
            }
        } else {
            node = bind ? corm_py_node_or_bind(item, NULL) : corm_py_node(item);
        }
        if (node == NULL || corm_vector_push(out, node) != CORM_OK) {
            if (node != NULL) {
                corm_node_unref(node);
                corm_py_raise();
            }
            Py_DECREF(items);
            corm_nodes_unref(out);
            return -1;
        }
    }
    Py_DECREF(items);
    return 0;
}

/* ---- operators ---- */

static corm_node *self_node(PyObject *self) {
    return ((CormPyElement *)self)->node;
}

/* left op right, where one side may be a plain value. */
static PyObject *operate(corm_operator op, PyObject *left, PyObject *right) {
    bool reversed = !PyObject_TypeCheck(left, CormPyClauseElement_Type);
    PyObject *element = reversed ? right : left, *other = reversed ? left : right;
    if (!PyObject_TypeCheck(element, CormPyClauseElement_Type) || self_node(element) == NULL) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    corm_node *node = node_of(other);
    corm_node *result = NULL;
    if (node != NULL) {
        result = reversed ? corm_binary_new(op, node, self_node(element)) : corm_binary_new(op, self_node(element), node);
        corm_node_unref(node);
        return corm_py_wrap(result);
    }
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    corm_value value;
    if (corm_py_to_value(other, &value) != CORM_OK) {
        return corm_py_raise();
    }
    result = reversed ? corm_binary_value_reversed(op, &value, self_node(element))
                      : corm_binary_value(op, self_node(element), &value);
    return corm_py_wrap(result);
}

static PyObject *element_richcompare(PyObject *self, PyObject *other, int op) {
    static const corm_operator operators[] = {[Py_LT] = CORM_OP_LT, [Py_LE] = CORM_OP_LE, [Py_EQ] = CORM_OP_EQ,
                                              [Py_NE] = CORM_OP_NE, [Py_GT] = CORM_OP_GT, [Py_GE] = CORM_OP_GE};
    return operate(operators[op], self, other);
}

static Py_hash_t element_hash(PyObject *self) {
    return _Py_HashPointer(self);
}

#define NUMBER_OPERATOR(name, op)                                                                                      \
    static PyObject *name(PyObject *left, PyObject *right) {                                                           \
        return operate(op, left, right);                                                                               \
    }
NUMBER_OPERATOR(element_add, CORM_OP_ADD)
NUMBER_OPERATOR(element_subtract, CORM_OP_SUB)
NUMBER_OPERATOR(element_multiply, CORM_OP_MUL)
NUMBER_OPERATOR(element_true_divide, CORM_OP_TRUE_DIV)
NUMBER_OPERATOR(element_floor_divide, CORM_OP_FLOOR_DIV)
NUMBER_OPERATOR(element_remainder, CORM_OP_MOD)
NUMBER_OPERATOR(element_lshift, CORM_OP_LEFT_SHIFT)
NUMBER_OPERATOR(element_rshift, CORM_OP_RIGHT_SHIFT)

static PyObject *combine(PyObject *left, PyObject *right, bool both) {
    corm_node *a = corm_py_node_or_bind(left, NULL), *b = a == NULL ? NULL : corm_py_node_or_bind(right, NULL);
    if (b == NULL) {
        corm_node_unref(a);
        return NULL;
    }
    corm_node *result = both ? corm_and2(a, b) : corm_or2(a, b);
    corm_node_unref(a);
    corm_node_unref(b);
    return corm_py_wrap(result);
}

static PyObject *element_and(PyObject *left, PyObject *right) {
    return combine(left, right, true);
}

static PyObject *element_or(PyObject *left, PyObject *right) {
    return combine(left, right, false);
}

static PyObject *element_invert(PyObject *self) {
    return corm_py_wrap(corm_not(self_node(self)));
}

static PyObject *element_negative(PyObject *self) {
    return corm_py_wrap(corm_unary_new(CORM_OP_NEGATE, self_node(self)));
}

/* `a == b` is asked for its truth by `in` and by dictionaries: whether both sides are the same expression. */
static int element_bool(PyObject *self) {
    corm_node *node = self_node(self);
    if (node != NULL && node->kind == CORM_NODE_BINARY && (node->op == CORM_OP_EQ || node->op == CORM_OP_NE)) {
        bool same = corm_binary_left(node) == corm_binary_right(node) ||
                    corm_node_equal(corm_binary_left(node), corm_binary_right(node));
        if (corm_binary_right(node)->kind == CORM_NODE_BIND) {
            same = false;
        }
        return node->op == CORM_OP_EQ ? same : !same;
    }
    PyErr_SetString(PyExc_TypeError, "Boolean value of this clause is not defined");
    return -1;
}

/* _operate(op, other, escape=None): an operator by its number. */
static PyObject *element_operate(PyObject *self, PyObject *args) {
    int op;
    PyObject *other;
    const char *escape = NULL;
    if (!PyArg_ParseTuple(args, "iO|z", &op, &other, &escape)) {
        return NULL;
    }
    if (escape == NULL) {
        return operate((corm_operator)op, self, other);
    }
    corm_node *right = corm_py_node_or_bind(other, corm_node_type(self_node(self)));
    if (right == NULL) {
        return NULL;
    }
    corm_node *result = corm_binary_escape((corm_operator)op, self_node(self), right, escape);
    corm_node_unref(right);
    return corm_py_wrap(result);
}

/* _match(op, text, escape, autoescape): startswith and its kin. */
static PyObject *element_match(PyObject *self, PyObject *args) {
    int op, autoescape;
    PyObject *other;
    const char *escape;
    if (!PyArg_ParseTuple(args, "iOzp", &op, &other, &escape, &autoescape)) {
        return NULL;
    }
    if (PyUnicode_Check(other)) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(other, &size);
        return text == NULL ? NULL
                            : corm_py_wrap(corm_binary_text_match((corm_operator)op, self_node(self), text, (size_t)size,
                                                                  escape, autoescape != 0));
    }
    if (autoescape) {
        PyErr_SetString(PyExc_TypeError, "String value expected when autoescape=True");
        return NULL;
    }
    corm_node *right = corm_py_node_or_bind(other, corm_node_type(self_node(self)));
    corm_node *result = right == NULL ? NULL : corm_binary_escape((corm_operator)op, self_node(self), right, escape);
    corm_node_unref(right);
    return PyErr_Occurred() != NULL ? NULL : corm_py_wrap(result);
}

/* _custom(text, other, is_comparison) */
static PyObject *element_custom(PyObject *self, PyObject *args) {
    const char *text;
    PyObject *other;
    int is_comparison;
    if (!PyArg_ParseTuple(args, "sOp", &text, &other, &is_comparison)) {
        return NULL;
    }
    corm_node *right = corm_py_node_or_bind(other, corm_node_type(self_node(self)));
    if (right == NULL) {
        return NULL;
    }
    corm_node *result = corm_binary_custom(text, self_node(self), right, is_comparison != 0, NULL);
    corm_node_unref(right);
    return corm_py_wrap(result);
}

static PyObject *in_values(corm_node *left, PyObject *items) {
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    corm_value *values = PyMem_Calloc((size_t)count + 1, sizeof *values);
    if (values == NULL) {
        return PyErr_NoMemory();
    }
    corm_status status = CORM_OK;
    for (Py_ssize_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PySequence_Fast_GET_ITEM(items, i), &values[i]);
    }
    corm_node *list = status == CORM_OK ? corm_bind_list(values, (size_t)count, 1, corm_node_type(left)) : NULL;
    corm_node *in = corm_in(left, list);
    corm_node_unref(list);
    PyMem_Free(values);
    return corm_py_wrap(in);
}

/* in_(other): a select, a list of values, a list with expressions. */
static PyObject *element_in(PyObject *self, PyObject *other) {
    corm_node *node = PyObject_TypeCheck(other, CormPyClauseElement_Type) ? corm_py_node(other) : NULL;
    if (node != NULL) {
        if (node->kind == CORM_NODE_ALIAS) {
            corm_node *inner = corm_node_ref(corm_alias_element(node));
            corm_node_unref(node);
            node = inner;
        }
        corm_node *in = corm_in(self_node(self), node);
        corm_node_unref(node);
        return corm_py_wrap(in);
    }
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (PyUnicode_Check(other) || PyBytes_Check(other)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "IN expression list, SELECT construct, or bound parameter object expected, got a text");
        return corm_py_raise();
    }
    PyObject *items = PySequence_Fast(other, "IN expression list, SELECT construct, or bound parameter object expected");
    if (items == NULL) {
        return NULL;
    }
    bool expressions = false;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        expressions = expressions || PyObject_TypeCheck(PySequence_Fast_GET_ITEM(items, i), CormPyClauseElement_Type);
    }
    PyObject *result = NULL;
    if (!expressions) {
        result = in_values(self_node(self), items);
    } else {
        corm_vector nodes = {0};
        if (corm_py_nodes(items, false, true, &nodes) == 0) {
            corm_node *list = corm_list_new(CORM_OP_COMMA, (corm_node *const *)(void *)nodes.items, nodes.count);
            corm_node *in = corm_in(self_node(self), list);
            corm_node_unref(list);
            result = corm_py_wrap(in);
        }
        corm_nodes_unref(&nodes);
    }
    Py_DECREF(items);
    return result;
}

static PyObject *element_between(PyObject *self, PyObject *args) {
    PyObject *low, *high;
    int symmetric = 0;
    if (!PyArg_ParseTuple(args, "OO|p", &low, &high, &symmetric)) {
        return NULL;
    }
    corm_type *type = corm_node_type(self_node(self));
    corm_node *from = corm_py_node_or_bind(low, type), *to = from == NULL ? NULL : corm_py_node_or_bind(high, type);
    PyObject *result = to == NULL ? NULL : corm_py_wrap(corm_between(self_node(self), from, to, symmetric != 0));
    corm_node_unref(from);
    corm_node_unref(to);
    return result;
}

static PyObject *element_unary(PyObject *self, PyObject *args) {
    int op;
    return PyArg_ParseTuple(args, "i", &op) ? corm_py_wrap(corm_unary_new((corm_operator)op, self_node(self))) : NULL;
}

static PyObject *element_label(PyObject *self, PyObject *name) {
    const char *text = name == Py_None ? NULL : PyUnicode_AsUTF8(name);
    return name != Py_None && text == NULL ? NULL : corm_py_wrap(corm_label(self_node(self), text));
}

/* ---- looking ---- */

static PyObject *element_render(PyObject *self, PyObject *args) {
    int literal = 0;
    const char *dialect_name = NULL;
    if (!PyArg_ParseTuple(args, "|pz", &literal, &dialect_name)) {
        return NULL;
    }
    const corm_dialect *dialect = dialect_name == NULL ? NULL : corm_dialect_find(dialect_name);
    corm_text text = CORM_TEXT_EMPTY;
    corm_node *core = corm_orm_to_core(self_node(self), false);
    corm_status status = core == NULL ? corm_error_last()->status
                                      : corm_statement_render(dialect, core, literal != 0, &text);
    corm_node_unref(core);
    if (status == CORM_OK) {
        status = corm_text_status(&text);
    }
    PyObject *result = status == CORM_OK ? PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.size) : corm_py_raise();
    corm_text_clear(&text);
    return result;
}

static PyObject *element_str(PyObject *self) {
    PyObject *none = PyTuple_New(0);
    PyObject *text = none == NULL ? NULL : element_render(self, none);
    Py_XDECREF(none);
    return text;
}

static PyObject *get_name(PyObject *self, void *closure) {
    (void)closure;
    const char *name = corm_node_result_name(self_node(self));
    if (name == NULL) {
        name = corm_node_display_name(self_node(self));
    }
    return name == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(name);
}

static PyObject *get_type(PyObject *self, void *closure) {
    (void)closure;
    const corm_type *type = corm_node_type(self_node(self));
    if (type->host != NULL) {
        return Py_NewRef((PyObject *)type->host);
    }
    PyObject *module = PyImport_ImportModule("cormorant.types");
    PyObject *made = module == NULL ? NULL
                                    : PyObject_CallMethod(module, "_of", "iiiiOOz", type->kind, type->length,
                                                          type->precision, type->scale,
                                                          type->as_decimal ? Py_True : Py_False,
                                                          type->timezone ? Py_True : Py_False, type->name);
    Py_XDECREF(module);
    return made;
}

static PyObject *get_kind(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromLong(self_node(self) == NULL ? 0 : self_node(self)->kind);
}

static PyMethodDef element_methods[] = {
    {"_adopt", element_adopt, METH_O, "Take over the node of another element."},
    {"_render", element_render, METH_VARARGS, "_render(literal=False, dialect=None)\n--\n\nThe SQL, for people."},
    {NULL}};

static PyMethodDef column_methods[] = {
    {"_operate", element_operate, METH_VARARGS, "An operator by its number."},
    {"_match", element_match, METH_VARARGS, "startswith() and its kin."},
    {"_custom", element_custom, METH_VARARGS, "An operator by its text."},
    {"_unary", element_unary, METH_VARARGS, "A unary operator by its number."},
    {"in_", element_in, METH_O, "in_(other)\n--\n\nIN a list of values or a select."},
    {"between", element_between, METH_VARARGS, "between(low, high, symmetric=False)\n--\n\nBETWEEN."},
    {"label", element_label, METH_O, "label(name)\n--\n\nGive the expression a name."},
    {NULL}};

static PyGetSetDef element_getset[] = {{"_kind", get_kind, NULL, "The node's kind.", NULL}, {NULL}};

static PyGetSetDef column_getset[] = {{"name", get_name, NULL, "The name in results.", NULL},
                                      {"key", get_name, NULL, "The name in results.", NULL},
                                      {"type", get_type, NULL, "The SQL type.", NULL},
                                      {NULL}};

static PyMemberDef element_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyElement, dict), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyElement, weakrefs), READONLY},
    {NULL}};

static PyType_Slot clause_slots[] = {{Py_tp_new, element_new},
                                     {Py_tp_dealloc, element_dealloc},
                                     {Py_tp_traverse, element_traverse},
                                     {Py_tp_clear, element_clear},
                                     {Py_tp_methods, element_methods},
                                     {Py_tp_getset, element_getset},
                                     {Py_tp_members, element_members},
                                     {Py_tp_str, element_str},
                                     {Py_tp_doc, "The base of all SQL expressions: a view of a node."},
                                     {0}};

static PyType_Spec clause_spec = {.name = "cormorant._engine.ClauseElement",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = clause_slots};

static PyType_Slot column_slots[] = {{Py_tp_methods, column_methods},
                                     {Py_tp_getset, column_getset},
                                     {Py_tp_richcompare, element_richcompare},
                                     {Py_tp_hash, element_hash},
                                     {Py_nb_add, element_add},
                                     {Py_nb_subtract, element_subtract},
                                     {Py_nb_multiply, element_multiply},
                                     {Py_nb_true_divide, element_true_divide},
                                     {Py_nb_floor_divide, element_floor_divide},
                                     {Py_nb_remainder, element_remainder},
                                     {Py_nb_lshift, element_lshift},
                                     {Py_nb_rshift, element_rshift},
                                     {Py_nb_and, element_and},
                                     {Py_nb_or, element_or},
                                     {Py_nb_invert, element_invert},
                                     {Py_nb_negative, element_negative},
                                     {Py_nb_bool, element_bool},
                                     {Py_tp_doc, "An SQL expression with operators."},
                                     {0}};

static PyType_Spec column_spec = {.name = "cormorant._engine.ColumnElementBase",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = column_slots};

/* register_view(kind, cls): the class that views of a kind have. */
static PyObject *register_view(PyObject *module, PyObject *args) {
    (void)module;
    int kind;
    PyObject *cls;
    if (!PyArg_ParseTuple(args, "iO!", &kind, &PyType_Type, &cls)) {
        return NULL;
    }
    if (kind <= 0 || kind >= CORM_NODE_KIND_COUNT) {
        PyErr_SetString(PyExc_ValueError, "no such kind of node");
        return NULL;
    }
    Py_INCREF(cls);
    Py_XDECREF((PyObject *)corm_py_view_classes[kind]);
    corm_py_view_classes[kind] = (PyTypeObject *)cls;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"register_view", register_view, METH_VARARGS, "Set the class of a kind's views."}, {NULL}};

int corm_py_elements_init(PyObject *module) {
    CormPyClauseElement_Type = corm_py_type(module, &clause_spec, NULL);
    CormPyColumnElement_Type =
        CormPyClauseElement_Type == NULL ? NULL : corm_py_type(module, &column_spec, CormPyClauseElement_Type);
    return CormPyColumnElement_Type == NULL ? -1 : PyModule_AddFunctions(module, functions);
}
