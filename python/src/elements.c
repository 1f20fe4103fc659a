/*
 * SQL expressions as Python objects: views of nodes, and nodes of whatever a user gives.
 *
 * One node, one view: the node knows its view while one is alive. The Python class of a view is chosen by the node's kind
 * (views.c), from a table that the package may change.
 */
#include "sql.h"
#include "type_operators.h"
#include "values.h"

#include <structmember.h>

#include "orm/entity.h"
#include "sql/select.h"

PyTypeObject *CormPyClauseElement_Type;
PyTypeObject *CormPyColumnElement_Type;
PyTypeObject *corm_py_view_classes[CORM_NODE_KIND_COUNT];
corm_node *(*corm_py_entity_of_class)(PyObject *cls);

/* ---- views ---- */

static void link_view(CormPyElement *view, corm_node *node) {
    view->node = node;
    if (!(node->flags & CORM_NODE_IMMORTAL)) {
        node->host = view;
    }
}

static void unlink_view(CormPyElement *view) {
    corm_node *node = view->node;
    if (node == NULL) {
        return;
    }
    if (node->host == view) {
        node->host = NULL;
    }
    view->node = NULL;
    corm_node_unref(node);
}

PyObject *corm_py_wrap_as(corm_node *node, PyTypeObject *cls) {
    if (node == NULL) {
        return corm_py_raise();
    }
    if (node->host != NULL) {
        PyObject *view = Py_NewRef((PyObject *)node->host);
        corm_node_unref(node);
        return view;
    }
    CormPyElement *view = (CormPyElement *)cls->tp_alloc(cls, 0);
    if (view == NULL) {
        corm_node_unref(node);
        return NULL;
    }
    link_view(view, node);
    return (PyObject *)view;
}

PyObject *corm_py_wrap(corm_node *node) {
    if (node == NULL) {
        return corm_py_raise();
    }
    corm_column *column = corm_node_as_column(node);
    if (column != NULL && corm_column_node(column) != node) {
        /* A stand-in inside what a metadata keeps: the column itself is what users know. */
        corm_node *real = corm_node_ref(corm_column_node(column));
        corm_node_unref(node);
        node = real;
    }
    return corm_py_wrap_as(node, corm_py_view_class(node));
}

int corm_py_adopt(PyObject *element, corm_node *node) {
    if (node == NULL) {
        return corm_py_raise_int();
    }
    unlink_view((CormPyElement *)element);
    link_view((CormPyElement *)element, node);
    return 0;
}

static PyObject *element_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    return cls->tp_alloc(cls, 0);
}

int corm_py_element_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((CormPyElement *)self)->dict);
    return 0;
}

int corm_py_element_clear(PyObject *self) {
    Py_CLEAR(((CormPyElement *)self)->dict);
    return 0;
}

void corm_py_element_dealloc(PyObject *self) {
    CormPyElement *element = (CormPyElement *)self;
    PyTypeObject *cls = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    /* Nobody may find the view from here on, whatever code the next lines run. */
    if (element->node != NULL && element->node->host == element) {
        element->node->host = NULL;
    }
    if (element->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    cls->tp_clear(self);
    Py_CLEAR(element->dict);
    unlink_view(element);
    cls->tp_free(self);
    Py_DECREF(cls);
}

/* ---- texts ---- */

const char *corm_py_text(PyObject *object) {
    Py_ssize_t size;
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a str is expected, not '%.200s'", Py_TYPE(object)->tp_name);
        return NULL;
    }
    const char *text = PyUnicode_AsUTF8AndSize(object, &size);
    if (text != NULL && strlen(text) != (size_t)size) {
        corm_error_set(CORM_ARGUMENT_ERROR, "a name or SQL text may not contain a NUL character");
        corm_py_raise();
        return NULL;
    }
    return text;
}

int corm_py_text_or_none(PyObject *object, const char **out) {
    *out = NULL;
    if (object == NULL || object == Py_None) {
        return 0;
    }
    *out = corm_py_text(object);
    return *out == NULL ? -1 : 0;
}

/* ---- nodes of objects ---- */

static corm_node *node_of_method(PyObject *object) {
    static PyObject *name;
    if (name == NULL && (name = PyUnicode_InternFromString("__clause_element__")) == NULL) {
        return NULL;
    }
    PyObject *method = NULL;
    if (_PyObject_LookupAttr(object, name, &method) <= 0) {
        return NULL;
    }
    PyObject *element = PyObject_CallNoArgs(method);
    Py_DECREF(method);
    corm_node *node = element == NULL || element == object ? NULL : corm_py_node(element);
    Py_XDECREF(element);
    return node;
}

corm_node *corm_py_node_maybe(PyObject *object) {
    if (corm_py_is_element(object)) {
        corm_node *node = corm_py_node_of(object);
        if (node == NULL) {
            PyErr_Format(PyExc_TypeError, "%.100s was not initialised", Py_TYPE(object)->tp_name);
            return NULL;
        }
        return corm_node_ref(node);
    }
    if (PyUnicode_CheckExact(object) || PyLong_CheckExact(object) || object == Py_None || PyFloat_CheckExact(object) ||
        PyBytes_CheckExact(object) || PyBool_Check(object)) {
        return NULL;
    }
    if (corm_py_entity_of_class != NULL) {
        corm_node *entity = corm_py_entity_of_class(object);
        if (entity != NULL || PyErr_Occurred() != NULL) {
            return entity;
        }
    }
    return node_of_method(object);
}

corm_node *corm_py_node(PyObject *object) {
    corm_node *node = corm_py_node_maybe(object);
    if (node == NULL && PyErr_Occurred() == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "SQL expression element or literal value expected, got %s.",
                       Py_TYPE(object)->tp_name);
        corm_py_raise();
    }
    return node;
}

corm_node *corm_py_node_or_bind(PyObject *object, corm_type *type) {
    corm_node *node = corm_py_node_maybe(object);
    if (node != NULL || PyErr_Occurred() != NULL) {
        return node;
    }
    if (object == Py_None) {
        return corm_null();
    }
    node = corm_py_bind(object, NULL, type, false);
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
    int failed = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items) && !failed; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        corm_node *node = NULL;
        if (strings && PyUnicode_Check(item)) {
            const char *name = corm_py_text(item);
            node = name == NULL ? NULL : corm_label_reference(name);
            if (name != NULL && node == NULL) {
                corm_py_raise();
            }
        } else {
            node = bind ? corm_py_node_or_bind(item, NULL) : corm_py_node(item);
        }
        failed = node == NULL;
        if (node != NULL && corm_vector_push(out, node) != CORM_OK) {
            corm_node_unref(node);
            corm_py_raise();
            failed = 1;
        }
    }
    Py_DECREF(items);
    if (failed) {
        corm_nodes_unref(out);
    }
    return failed ? -1 : 0;
}

/* ---- arguments of statements ---- */

static const char *const expectations[] = {
    [CORM_PY_ROLE_COLUMNS] = "Column expression, FROM clause, or other columns clause element expected",
    [CORM_PY_ROLE_WHERE] = "SQL expression for WHERE/HAVING role expected",
    [CORM_PY_ROLE_ORDER_BY] = "ORDER BY expression expected",
    [CORM_PY_ROLE_GROUP_BY] = "GROUP BY expression expected",
    [CORM_PY_ROLE_FROM] = "FROM expression, such as a Table or alias() object expected",
    [CORM_PY_ROLE_JOIN] = "Join target, typically a FROM expression, or ORM relationship attribute expected",
    [CORM_PY_ROLE_ON] = "SQL expression for WHERE/HAVING role expected",
    [CORM_PY_ROLE_SELECT] = "SELECT construct for inclusion in a UNION or other set construct expected",
    [CORM_PY_ROLE_TABLE] = "subject table for an INSERT, UPDATE or DELETE expected",
    [CORM_PY_ROLE_OPERAND] = "SQL expression element or literal value expected",
    [CORM_PY_ROLE_RETURNING] = "Column expression, FROM clause, or other columns clause element expected"};

corm_node *corm_py_role_error(PyObject *object, corm_py_role role) {
    PyObject *shown = PyObject_Repr(object);
    PyObject *hint = NULL;
    const char *text = shown == NULL ? NULL : PyUnicode_AsUTF8(shown);
    if (text != NULL && role == CORM_PY_ROLE_COLUMNS && PyUnicode_Check(object)) {
        corm_error_set(CORM_ARGUMENT_ERROR,
                       "Textual column expression %s should be explicitly declared with text(%s), or use column(%s) "
                       "for more specificity",
                       text, text, text);
    } else if (text != NULL && PyUnicode_Check(object) && role != CORM_PY_ROLE_JOIN && role != CORM_PY_ROLE_TABLE) {
        corm_error_set(CORM_ARGUMENT_ERROR, "Textual SQL expression %s should be explicitly declared as text(%s)", text,
                       text);
    } else if (text != NULL && role == CORM_PY_ROLE_COLUMNS && PyList_Check(object) && PyList_GET_SIZE(object) > 0) {
        hint = PyObject_Repr(PyList_GET_ITEM(object, 0));
        const char *first = hint == NULL ? NULL : PyUnicode_AsUTF8(hint);
        if (first != NULL) {
            corm_error_set(CORM_ARGUMENT_ERROR, "%s, got %s. Did you mean to say select(%s)?", expectations[role], text,
                           first);
        }
    } else if (text != NULL && role == CORM_PY_ROLE_COLUMNS && PyObject_TypeCheck(object, CormPyStatement_Type)) {
        corm_error_set(CORM_ARGUMENT_ERROR,
                       "%s, got %s. To create a FROM clause from a <class '%s'> object, use the .subquery() method.",
                       expectations[role], text, "cormorant.sql.selectable.Select");
    } else if (text != NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s, got %s.", expectations[role], text);
    }
    if (PyErr_Occurred() == NULL) {
        corm_py_raise();
    }
    Py_XDECREF(hint);
    Py_XDECREF(shown);
    return NULL;
}

/* select(1): a number stands as it is written. */
static corm_node *number_column(PyObject *number) {
    PyObject *shown = PyObject_Str(number);
    const char *text = shown == NULL ? NULL : corm_py_text(shown);
    corm_node *node = text == NULL ? NULL : corm_literal_column(text, NULL);
    if (text != NULL && node == NULL) {
        corm_py_raise();
    }
    Py_XDECREF(shown);
    return node;
}

/* A column's bare name stands for a label, a constant for itself. */
static corm_node *plain_as(PyObject *object, corm_py_role role) {
    if ((role == CORM_PY_ROLE_ORDER_BY || role == CORM_PY_ROLE_GROUP_BY) && PyUnicode_Check(object)) {
        const char *name = corm_py_text(object);
        corm_node *node = name == NULL ? NULL : corm_label_reference(name);
        if (name != NULL && node == NULL) {
            corm_py_raise();
        }
        return node;
    }
    if (role == CORM_PY_ROLE_COLUMNS && !PyBool_Check(object) && (PyLong_Check(object) || PyFloat_Check(object))) {
        return number_column(object);
    }
    if (role == CORM_PY_ROLE_WHERE || role == CORM_PY_ROLE_ON || role == CORM_PY_ROLE_COLUMNS) {
        if (PyBool_Check(object)) {
            return object == Py_True ? corm_true() : corm_false();
        }
        if (object == Py_None) {
            return corm_null();
        }
    }
    return corm_py_role_error(object, role);
}

static bool fits_role(const corm_node *node, corm_py_role role) {
    bool foreign = node->kind == CORM_NODE_EXTENSION;
    switch (role) {
    case CORM_PY_ROLE_FROM:
    case CORM_PY_ROLE_JOIN:
        return foreign || corm_node_is_from(node) || node->kind == CORM_NODE_TEXT || node->kind == CORM_NODE_FUNCTION ||
               corm_node_is_select(node);
    case CORM_PY_ROLE_SELECT:
        return foreign || corm_node_is_select(node) || node->kind == CORM_NODE_TEXT || node->kind == CORM_NODE_GROUPING;
    case CORM_PY_ROLE_TABLE:
        return foreign || node->kind == CORM_NODE_TABLE;
    case CORM_PY_ROLE_WHERE:
    case CORM_PY_ROLE_ON:
        return !corm_node_is_from(node) && node->kind != CORM_NODE_INSERT && node->kind != CORM_NODE_UPDATE &&
               node->kind != CORM_NODE_DELETE;
    case CORM_PY_ROLE_COLUMNS:
        return !corm_node_is_select(node);
    case CORM_PY_ROLE_ORDER_BY:
    case CORM_PY_ROLE_GROUP_BY:
        return !corm_node_is_from(node);
    default:
        return true;
    }
}

corm_node *corm_py_node_as(PyObject *object, corm_py_role role) {
    corm_node *node = corm_py_node_maybe(object);
    if (node == NULL) {
        return PyErr_Occurred() != NULL ? NULL : plain_as(object, role);
    }
    if (!fits_role(node, role)) {
        corm_node_unref(node);
        return corm_py_role_error(object, role);
    }
    /* A SELECT among columns or tables of another is a value, or a table without a name. */
    if (corm_node_is_select(node) && role != CORM_PY_ROLE_SELECT && role != CORM_PY_ROLE_TABLE) {
        bool as_from = role == CORM_PY_ROLE_FROM || role == CORM_PY_ROLE_JOIN;
        corm_node *made = as_from ? corm_alias_new(node, NULL, 0) : corm_scalar_subquery(node);
        corm_node_unref(node);
        if (made == NULL) {
            corm_py_raise();
        }
        return made;
    }
    return node;
}

int corm_py_push(corm_vector *nodes, corm_node *node) {
    if (node == NULL) {
        return -1;
    }
    if (corm_vector_push(nodes, node) != CORM_OK) {
        corm_node_unref(node);
        return corm_py_raise_int();
    }
    return 0;
}

int corm_py_nodes_as(PyObject *const *objects, Py_ssize_t count, corm_py_role role, corm_vector *out) {
    for (Py_ssize_t i = 0; i < count; i++) {
        corm_node *node = corm_py_node_as(objects[i], role);
        if (node != NULL && role == CORM_PY_ROLE_WHERE && node->kind == CORM_NODE_LIST && node->child_count == 0) {
            corm_node_unref(node); /* and_() of nothing says nothing */
            continue;
        }
        if (node == NULL || corm_vector_push(out, node) != CORM_OK) {
            if (node != NULL) {
                corm_node_unref(node);
                corm_py_raise();
            }
            corm_nodes_unref(out);
            return -1;
        }
    }
    return 0;
}

corm_node *corm_py_column_node(PyObject *object) {
    corm_node *node = corm_py_node(object);
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (attribute != NULL && attribute->attribute->column != NULL) {
        corm_node *column = corm_attribute_column(attribute);
        corm_node_unref(node);
        if (column == NULL) {
            corm_py_raise();
        }
        node = column;
    }
    if (node != NULL && corm_node_as_column(node) == NULL) {
        corm_node_unref(node);
        corm_error_set(CORM_ARGUMENT_ERROR, "a Column is expected, got %s", Py_TYPE(object)->tp_name);
        corm_py_raise();
        return NULL;
    }
    return node;
}

/* ---- what all elements have ---- */

static PyObject *element_str(PyObject *self) {
    if (corm_py_node_of(self) == NULL) {
        return PyUnicode_FromFormat("<%s without a value>", Py_TYPE(self)->tp_name);
    }
    return corm_py_render(corm_py_node_of(self), false, NULL);
}

static PyObject *element_repr(PyObject *self) {
    const PyTypeObject *type = Py_TYPE(self);
    while (type->tp_name[0] == '_') {
        type = type->tp_base; /* classes of views of their own go by the name of the public one */
    }
    PyObject *module = corm_py_get((PyObject *)(uintptr_t)type, "__module__");
    corm_node *node = corm_py_node_of(self);
    const char *name = node == NULL || corm_node_is_select(node) ? NULL : corm_node_display_name(node);
    PyObject *shown = module == NULL ? NULL
                      : name == NULL ? PyUnicode_FromFormat("<%U.%s object at %p>", module, type->tp_name, self)
                                     : PyUnicode_FromFormat("<%U.%s at %p; %s>", module, type->tp_name, self, name);
    Py_XDECREF(module);
    return shown;
}

static int element_bool(PyObject *self) {
    (void)self;
    PyErr_SetString(PyExc_TypeError, "Boolean value of this clause is not defined");
    return -1;
}

static PyObject *element_adopt(PyObject *self, PyObject *other) {
    if (!corm_py_is_element(other) || corm_py_node_of(other) == NULL) {
        PyErr_SetString(PyExc_TypeError, "an element with a node is needed");
        return NULL;
    }
    return corm_py_adopt(self, corm_node_ref(corm_py_node_of(other))) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *element_render(PyObject *self, PyObject *args) {
    int literal = 0;
    const char *dialect = NULL;
    return PyArg_ParseTuple(args, "|pz", &literal, &dialect)
               ? corm_py_render(corm_py_node_of(self), literal != 0, dialect)
               : NULL;
}

static PyObject *element_compare(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *other;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O", &other)) {
        return NULL;
    }
    return PyBool_FromLong(corm_py_is_element(other) && corm_py_node_of(self) != NULL &&
                           corm_py_node_of(other) != NULL &&
                           corm_node_equal(corm_py_node_of(self), corm_py_node_of(other)));
}

static PyObject *element_self_group(PyObject *self, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    return Py_NewRef(self);
}

static PyObject *element_get_children(PyObject *self, PyObject *args, PyObject *kwargs) {
    corm_node *node = corm_py_node_of(self);
    PyObject *list = PyList_New(0);
    (void)args;
    (void)kwargs;
    for (size_t i = 0; list != NULL && i < corm_node_child_count(node); i++) {
        corm_node *child = corm_node_child(node, i);
        PyObject *view = child == NULL ? NULL : corm_py_wrap(corm_node_ref(child));
        if (child != NULL && (view == NULL || PyList_Append(list, view) < 0)) {
            Py_CLEAR(list);
        }
        Py_XDECREF(view);
    }
    return list;
}

static PyObject *get_kind(PyObject *self, void *closure) {
    (void)closure;
    return PyLong_FromLong(corm_py_node_of(self) == NULL ? 0 : corm_py_node_of(self)->kind);
}

static PyObject *get_true(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    Py_RETURN_TRUE;
}

static PyMethodDef element_methods[] = {
    {"_adopt", element_adopt, METH_O, "_adopt(other)\n--\n\nBe the view of the other's node from now on."},
    {"_render", element_render, METH_VARARGS, "_render(literal=False, dialect=None)\n--\n\nThe SQL, for people."},
    {"compare", (PyCFunction)(void (*)(void))element_compare, METH_VARARGS | METH_KEYWORDS,
     "compare(other)\n--\n\nWhether both are the same expression in structure."},
    {"self_group", (PyCFunction)(void (*)(void))element_self_group, METH_VARARGS | METH_KEYWORDS,
     "self_group(against=None)\n--\n\nThe element itself: parentheses are the compiler's."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "__class_getitem__(item)\n--\n\nFor annotations."},
    {"get_children", (PyCFunction)(void (*)(void))element_get_children, METH_VARARGS | METH_KEYWORDS,
     "get_children()\n--\n\nThe elements that this one is made of."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef element_getset[] = {{"_kind", get_kind, NULL, "The node's kind.", NULL},
                                       {"is_clause_element", get_true, NULL, "True.", NULL},
                                       {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef element_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyElement, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyElement, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot clause_slots[] = {{Py_tp_new, element_new},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
                                     {Py_tp_traverse, corm_py_element_traverse},
                                     {Py_tp_clear, corm_py_element_clear},
                                     {Py_tp_methods, element_methods},
                                     {Py_tp_getset, element_getset},
                                     {Py_tp_members, element_members},
                                     {Py_tp_str, element_str},
                                     {Py_tp_repr, element_repr},
                                     {Py_nb_bool, element_bool},
                                     {Py_tp_doc, "The base of all SQL expressions: a view of a node."},
                                     {0, NULL}};

static PyType_Spec clause_spec = {.name = "cormorant.sql.elements.ClauseElement",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = clause_slots};

static PyObject *register_view(PyObject *module, PyObject *args) {
    int kind;
    PyObject *cls;
    (void)module;
    if (!PyArg_ParseTuple(args, "iO!", &kind, &PyType_Type, &cls)) {
        return NULL;
    }
    if (kind <= 0 || kind >= CORM_NODE_KIND_COUNT || !PyType_IsSubtype((PyTypeObject *)cls, CormPyClauseElement_Type)) {
        PyErr_SetString(PyExc_ValueError, "a kind of node and a class of elements are needed");
        return NULL;
    }
    PyTypeObject *former = corm_py_view_classes[kind];
    corm_py_view_classes[kind] = (PyTypeObject *)Py_NewRef(cls);
    Py_XDECREF((PyObject *)former);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"register_view", register_view, METH_VARARGS, "register_view(kind, cls)\n--\n\nSet the class of a kind's views."},
    {NULL, NULL, 0, NULL}};

int corm_py_elements_init(PyObject *module) {
    CormPyClauseElement_Type = corm_py_type(module, &clause_spec, NULL);
    return CormPyClauseElement_Type == NULL || PyModule_AddIntConstant(module, "NODE_TABLE", CORM_NODE_TABLE) < 0 ||
                   PyModule_AddIntConstant(module, "NODE_COLUMN", CORM_NODE_COLUMN) < 0 ||
                   PyModule_AddFunctions(module, functions) < 0 || corm_py_compiled_init(module) < 0 ||
                   corm_py_operators_init(module) < 0 || corm_py_type_operators_init(module) < 0 ||
                   corm_py_statement_init(module) < 0 || corm_py_views_init(module) < 0 || corm_py_from_init(module) < 0
               ? -1
               : 0;
}
