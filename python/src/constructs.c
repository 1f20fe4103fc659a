/*
 * Constructors of expressions that are functions: and_(), case(), cast(), literal(), text(), bindparam(), exists()...
 */
#include "sql.h"
#include "values.h"

#include "sql/select.h"

PyTypeObject *CormPyExists_Type;
static PyTypeObject *scalar_type;

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

/* ---- and_(), or_(), not_() and constants ---- */

static PyObject *junction(PyObject *const *args, Py_ssize_t count, bool both) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_WHERE, &nodes) < 0) {
        return NULL;
    }
    corm_node *made;
    if (nodes.count == 0) {
        made = corm_list_new(both ? CORM_OP_AND : CORM_OP_OR, NULL, 0); /* no condition at all */
    } else {
        made = both ? corm_and(corm_py_items(&nodes), nodes.count) : corm_or(corm_py_items(&nodes), nodes.count);
    }
    corm_nodes_unref(&nodes);
    return corm_py_wrap(made);
}

static PyObject *make_and(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    return junction(args, count, true);
}

static PyObject *make_or(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    return junction(args, count, false);
}

static PyObject *make_not(PyObject *module, PyObject *clause) {
    (void)module;
    corm_node *node = corm_py_node_as(clause, CORM_PY_ROLE_WHERE);
    PyObject *result = node == NULL ? NULL : corm_py_wrap(corm_not(node));
    corm_node_unref(node);
    return result;
}

static PyObject *make_null(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return corm_py_wrap(corm_null());
}

static PyObject *make_true(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return corm_py_wrap(corm_true());
}

static PyObject *make_false(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return corm_py_wrap(corm_false());
}

/* ---- one element ---- */

static PyObject *unary(corm_operator op, PyObject *object, corm_py_role role) {
    corm_node *node = corm_py_node_as(object, role);
    PyObject *result = node == NULL ? NULL : corm_py_wrap(corm_unary_new(op, node));
    corm_node_unref(node);
    return result;
}

#define UNARY(name, op, role)                                                                                          \
    static PyObject *make_##name(PyObject *module, PyObject *object) {                                                 \
        (void)module;                                                                                                  \
        return unary(op, object, role);                                                                                \
    }
UNARY(asc, CORM_OP_ASC, CORM_PY_ROLE_ORDER_BY)
UNARY(desc, CORM_OP_DESC, CORM_PY_ROLE_ORDER_BY)
UNARY(nulls_first, CORM_OP_NULLS_FIRST, CORM_PY_ROLE_ORDER_BY)
UNARY(nulls_last, CORM_OP_NULLS_LAST, CORM_PY_ROLE_ORDER_BY)
UNARY(distinct, CORM_OP_DISTINCT, CORM_PY_ROLE_WHERE)
UNARY(any, CORM_OP_ANY, CORM_PY_ROLE_WHERE)
UNARY(all, CORM_OP_ALL, CORM_PY_ROLE_WHERE)
UNARY(bitwise_not, CORM_OP_BIT_NOT, CORM_PY_ROLE_WHERE)

static PyObject *make_collate(PyObject *module, PyObject *args) {
    PyObject *expression, *collation;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:collate", &expression, &collation)) {
        return NULL;
    }
    const char *name = corm_py_text(collation);
    corm_node *left = name == NULL ? NULL : corm_py_node_or_bind(expression, NULL);
    corm_node *right = left == NULL ? NULL : corm_literal_column(name, NULL);
    PyObject *result =
        left == NULL ? NULL : corm_py_wrap(right == NULL ? NULL : corm_binary_new(CORM_OP_COLLATE, left, right));
    corm_node_unref(left);
    corm_node_unref(right);
    return result;
}

static PyObject *make_between(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"expr", "lower_bound", "upper_bound", "symmetric", NULL};
    PyObject *expression, *low, *high;
    int symmetric = 0;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|p:between", names, &expression, &low, &high, &symmetric)) {
        return NULL;
    }
    corm_node *node = corm_py_node_or_bind(expression, NULL);
    corm_node *from = node == NULL ? NULL : corm_py_operand(node, low);
    corm_node *to = from == NULL ? NULL : corm_py_operand(node, high);
    PyObject *result = to == NULL ? NULL : corm_py_wrap(corm_between(node, from, to, symmetric != 0));
    corm_node_unref(node);
    corm_node_unref(from);
    corm_node_unref(to);
    return result;
}

static PyObject *make_label(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"name", "element", "type_", NULL};
    PyObject *name, *element, *type_ = Py_None;
    const char *text;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O:label", names, &name, &element, &type_) ||
        corm_py_text_or_none(name, &text) < 0) {
        return NULL;
    }
    corm_node *node = corm_py_node_or_bind(element, NULL);
    if (node != NULL && type_ != Py_None) {
        corm_type *type = corm_py_sql_type(type_);
        corm_node *typed = type == NULL ? NULL : corm_type_coerce(node, type);
        corm_node_unref(node);
        corm_type_unref(type);
        if (typed == NULL && !PyErr_Occurred()) {
            corm_py_raise();
        }
        node = typed;
    }
    PyObject *result = node == NULL ? NULL : corm_py_wrap(corm_label(node, text));
    corm_node_unref(node);
    return result;
}

/* ---- CASE, CAST, EXTRACT ---- */

/* A WHEN of case(value=...) is compared with it; otherwise it is a condition. */
static int push_when(corm_vector *pairs, PyObject *condition, PyObject *result, corm_node *value) {
    corm_node *when =
        value != NULL ? corm_py_node_or_bind(condition, value->type) : corm_py_node_as(condition, CORM_PY_ROLE_WHERE);
    return corm_py_push(pairs, when) < 0 || corm_py_push(pairs, corm_py_node_or_bind(result, NULL)) < 0 ? -1 : 0;
}

static int read_whens(PyObject *whens, corm_node *value, corm_vector *pairs) {
    if (PyTuple_GET_SIZE(whens) == 1 && PyDict_Check(PyTuple_GET_ITEM(whens, 0))) {
        PyObject *key, *result;
        Py_ssize_t position = 0;
        while (PyDict_Next(PyTuple_GET_ITEM(whens, 0), &position, &key, &result)) {
            if (push_when(pairs, key, result, value) < 0) {
                return -1;
            }
        }
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(whens); i++) {
        PyObject *pair = PyTuple_GET_ITEM(whens, i);
        if (PyList_Check(pair)) {
            corm_error_set(
                CORM_ARGUMENT_ERROR,
                "The \"whens\" argument to case(), when referring to a sequence of items, is now passed as a "
                "series of positional elements, rather than as a list. ");
            return corm_py_raise_int();
        }
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            corm_error_set(CORM_ARGUMENT_ERROR, "case() takes pairs of a condition and a result");
            return corm_py_raise_int();
        }
        if (push_when(pairs, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), value) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *make_case(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"value", "else_", NULL};
    PyObject *value = Py_None, *otherwise = Py_None, *result = NULL, *none = PyTuple_New(0);
    corm_node *value_node = NULL, *else_node = NULL;
    corm_vector pairs = {0};
    (void)module;
    if (none == NULL || !PyArg_ParseTupleAndKeywords(none, kwargs, "|$OO:case", names, &value, &otherwise)) {
        Py_XDECREF(none);
        return NULL;
    }
    Py_DECREF(none);
    if ((value != Py_None && (value_node = corm_py_node_or_bind(value, NULL)) == NULL) ||
        (otherwise != Py_None && (else_node = corm_py_node_or_bind(otherwise, NULL)) == NULL) ||
        read_whens(args, value_node, &pairs) < 0) {
        goto done;
    }
    result = corm_py_wrap(corm_case_new(value_node, corm_py_items(&pairs), pairs.count / 2, else_node));
done:
    corm_nodes_unref(&pairs);
    corm_node_unref(value_node);
    corm_node_unref(else_node);
    return result;
}

static PyObject *typed(PyObject *args, const char *format, corm_node *(*make)(corm_node *node, corm_type *type)) {
    PyObject *expression, *type_;
    if (!PyArg_ParseTuple(args, format, &expression, &type_)) {
        return NULL;
    }
    corm_type *type = corm_py_sql_type(type_);
    corm_node *node = type == NULL ? NULL : corm_py_node_or_bind(expression, type);
    if (node != NULL && corm_node_is_select(node)) {
        corm_node *scalar = corm_scalar_subquery(node);
        corm_node_unref(node);
        node = scalar;
    }
    PyObject *result = type == NULL || PyErr_Occurred() ? NULL : corm_py_wrap(node == NULL ? NULL : make(node, type));
    corm_node_unref(node);
    corm_type_unref(type);
    return result;
}

static PyObject *make_cast(PyObject *module, PyObject *args) {
    (void)module;
    return typed(args, "OO:cast", corm_cast);
}

static PyObject *make_type_coerce(PyObject *module, PyObject *args) {
    (void)module;
    return typed(args, "OO:type_coerce", corm_type_coerce);
}

static PyObject *make_extract(PyObject *module, PyObject *args) {
    PyObject *expression;
    const char *field;
    (void)module;
    if (!PyArg_ParseTuple(args, "sO:extract", &field, &expression)) {
        return NULL;
    }
    corm_node *node = corm_py_node_or_bind(expression, NULL);
    PyObject *result = node == NULL ? NULL : corm_py_wrap(corm_extract(field, node));
    corm_node_unref(node);
    return result;
}

/* ---- values ---- */

/* A type argument that may be missing: *out NULL then. 0, or -1 raised. */
static int type_or_none(PyObject *given, corm_type **out) {
    *out = NULL;
    if (given == NULL || given == Py_None) {
        return 0;
    }
    *out = corm_py_sql_type(given);
    return *out == NULL ? -1 : 0;
}

static PyObject *make_literal(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"value", "type_", "literal_execute", NULL};
    PyObject *value, *type_ = NULL;
    int in_text = 0;
    corm_type *type;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Op:literal", names, &value, &type_, &in_text) ||
        type_or_none(type_, &type) < 0) {
        return NULL;
    }
    corm_node *node = corm_py_bind(value, NULL, type, false);
    corm_type_unref(type);
    if (node != NULL && in_text) {
        corm_node *written = corm_bind_with_literal(node);
        corm_node_unref(node);
        node = written;
    }
    return corm_py_wrap(node);
}

static PyObject *make_literal_column(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"text", "type_", NULL};
    PyObject *given, *type_ = NULL;
    corm_type *type;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:literal_column", names, &given, &type_)) {
        return NULL;
    }
    const char *text = corm_py_text(given);
    if (text == NULL || type_or_none(type_, &type) < 0) {
        return NULL;
    }
    PyObject *result = corm_py_wrap(corm_literal_column(text, type));
    corm_type_unref(type);
    return result;
}

static PyObject *make_column(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"text", "type_", "is_literal", NULL};
    PyObject *given, *type_ = NULL;
    corm_type *type;
    int is_literal = 0;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Op:column", names, &given, &type_, &is_literal)) {
        return NULL;
    }
    const char *text = corm_py_text(given);
    if (text == NULL || type_or_none(type_, &type) < 0) {
        return NULL;
    }
    PyObject *result = corm_py_wrap(is_literal ? corm_literal_column(text, type) : corm_plain_column(text, type));
    corm_type_unref(type);
    return result;
}

static PyObject *make_text(PyObject *module, PyObject *given) {
    (void)module;
    const char *text = corm_py_text(given);
    return text == NULL ? NULL : corm_py_wrap(corm_text_new(text, NULL, 0, NULL, 0));
}

/* ---- bindparam() ---- */

static corm_status evaluate_callable(void *context, corm_value *out) {
    PyObject *made = PyObject_CallNoArgs((PyObject *)context);
    corm_value value;
    *out = CORM_ABSENT_VALUE;
    if (made == NULL) {
        return corm_py_error();
    }
    corm_status status = corm_py_to_value(made, &value);
    if (status == CORM_OK) {
        status = corm_value_copy(&value, out);
    }
    Py_DECREF(made);
    return status;
}

static void release_callable(void *context) {
    PyGILState_STATE lock = PyGILState_Ensure();
    Py_DECREF((PyObject *)context);
    PyGILState_Release(lock);
}

static corm_node *expanding_bind(const char *key, PyObject *value, corm_type *type) {
    if (value == NULL) {
        return corm_bind_list_named(key, NULL, 0, 1, type, true);
    }
    PyObject *items = PySequence_Fast(value, "an expanding parameter takes a sequence");
    size_t count = items == NULL ? 0 : (size_t)PySequence_Fast_GET_SIZE(items);
    corm_value *values = items == NULL ? NULL : PyMem_Calloc(count + 1, sizeof *values);
    corm_node *node = NULL;
    corm_status status = CORM_OK;
    if (values == NULL) {
        if (items == NULL) {
            corm_py_error();
        } else {
            corm_error_no_memory();
        }
        goto done;
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i), &values[i]);
    }
    node = status == CORM_OK ? corm_bind_list_named(key, values, count, 1, type, false) : NULL;
done:
    PyMem_Free(values);
    Py_XDECREF(items);
    return node;
}

static PyObject *make_bindparam(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"key",       "value",     "type_",      "unique",          "required", "quote",
                            "callable_", "expanding", "isoutparam", "literal_execute", NULL};
    PyObject *key, *value = NULL, *type_ = NULL, *required = NULL, *quote = NULL, *callable = Py_None;
    int unique = 0, expanding = 0, out = 0, in_text = 0;
    const char *name;
    corm_type *type;
    corm_node *node = NULL;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|OOpOOOppp:bindparam", names, &key, &value, &type_, &unique,
                                     &required, &quote, &callable, &expanding, &out, &in_text) ||
        corm_py_text_or_none(key, &name) < 0) {
        return NULL;
    }
    int must = corm_py_flag(required, 0);
    if (must < 0 || type_or_none(type_, &type) < 0) {
        return NULL;
    }
    if (must) {
        value = NULL;
    } else if (value == NULL && required != NULL) {
        value = Py_None;
    }
    if (callable != Py_None) {
        node = corm_bind_deferred(evaluate_callable, Py_NewRef(callable), release_callable, type, name);
    } else if (expanding) {
        node = expanding_bind(name, value == Py_None ? NULL : value, type);
    } else if (value == NULL) {
        node = corm_bind_named(name, NULL, type, unique != 0);
    } else {
        node = corm_py_bind(value, name, type, unique != 0);
    }
    corm_type_unref(type);
    if (node != NULL && in_text) {
        corm_node *written = corm_bind_with_literal(node);
        corm_node_unref(node);
        node = written;
    }
    return corm_py_wrap(node);
}

/* ---- tuple_() ---- */

static PyObject *make_tuple(PyObject *module, PyObject *args, PyObject *kwargs) {
    corm_vector nodes = {0};
    PyObject *result = NULL;
    (void)module;
    (void)kwargs;
    if (corm_py_nodes(args, false, true, &nodes) == 0) {
        result = corm_py_wrap(corm_list_new(CORM_OP_COMMA, corm_py_items(&nodes), nodes.count));
    }
    corm_nodes_unref(&nodes);
    return result;
}

/* ---- EXISTS and scalar subqueries ---- */

/* The SELECT inside, or NULL when there is something else. Borrowed. */
static corm_node *inner_select(PyObject *self) {
    corm_node *inner = corm_node_child(corm_py_node_of(self), 0);
    while (inner != NULL && (inner->kind == CORM_NODE_SCALAR_SUBQUERY || inner->kind == CORM_NODE_GROUPING)) {
        inner = corm_node_child(inner, 0);
    }
    return inner != NULL && corm_node_is_select(inner) ? inner : NULL;
}

/* Call a method of the SELECT inside, and put what it gives into a new element of the same kind. */
static PyObject *through_select(PyObject *self, const char *method, PyObject *args, PyObject *kwargs) {
    corm_node *inner = inner_select(self);
    if (inner == NULL) {
        PyErr_Format(PyExc_AttributeError, "there is no SELECT inside for %s()", method);
        return NULL;
    }
    PyObject *view = corm_py_wrap(corm_node_ref(inner));
    PyObject *bound = view == NULL ? NULL : corm_py_get(view, method);
    PyObject *changed = bound == NULL ? NULL : PyObject_Call(bound, args, kwargs);
    PyObject *result = NULL;
    if (changed != NULL && corm_py_is_element(changed)) {
        corm_node *node = corm_py_node_of(changed);
        bool exists = corm_py_node_of(self)->kind == CORM_NODE_UNARY;
        result = corm_py_wrap(exists ? corm_exists(node) : corm_scalar_subquery(node));
    }
    Py_XDECREF(view);
    Py_XDECREF(bound);
    Py_XDECREF(changed);
    return result;
}

#define THROUGH(name)                                                                                                  \
    static PyObject *inner_##name(PyObject *self, PyObject *args, PyObject *kwargs) {                                  \
        return through_select(self, #name, args, kwargs);                                                              \
    }
THROUGH(where)
THROUGH(select_from)
THROUGH(correlate)
THROUGH(correlate_except)

static PyObject *exists_select(PyObject *self, PyObject *unused) {
    corm_node *node = corm_py_node_of(self);
    (void)unused;
    return corm_py_wrap(corm_select_new(&node, 1));
}

/* exists(), exists(select), exists(columns...) */
static PyObject *make_exists(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    corm_node *select = NULL;
    (void)module;
    if (count == 1) {
        corm_node *node = corm_py_node_maybe(args[0]);
        if (node == NULL && PyErr_Occurred() != NULL) {
            return NULL;
        }
        bool inside = node != NULL && (node->kind == CORM_NODE_SCALAR_SUBQUERY || node->kind == CORM_NODE_GROUPING);
        corm_node *found = inside ? corm_node_child(node, 0) : node;
        if (found != NULL && corm_node_is_select(found)) {
            select = corm_node_ref(found);
        }
        corm_node_unref(node);
    }
    if (select == NULL && count == 0) {
        corm_node *star = corm_star();
        select = star == NULL ? NULL : corm_select_new(&star, 1);
        corm_node_unref(star);
    } else if (select == NULL) {
        corm_vector nodes = {0};
        if (corm_py_nodes_as(args, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0) {
            return NULL;
        }
        select = corm_select_new(corm_py_items(&nodes), nodes.count);
        corm_nodes_unref(&nodes);
    }
    corm_node *exists = corm_exists(select);
    corm_node_unref(select);
    return corm_py_wrap(exists);
}

#define INNER(name, doc)                                                                                               \
    { #name, KEYWORDS(inner_##name), #name "(*clauses)\n--\n\n" doc }
static PyMethodDef exists_methods[] = {
    INNER(where, "Conditions on the SELECT inside."),
    INNER(select_from, "FROMs of the SELECT inside."),
    INNER(correlate, "What the SELECT inside leaves to the one around it."),
    INNER(correlate_except, "What the SELECT inside does not leave to the one around it."),
    {"select", exists_select, METH_NOARGS, "select()\n--\n\nSELECT EXISTS (...)."},
    {NULL, NULL, 0, NULL}};
static PyMethodDef scalar_methods[] = {
    INNER(where, "Conditions on the SELECT inside."),
    INNER(correlate, "What the SELECT inside leaves to the one around it."),
    INNER(correlate_except, "What the SELECT inside does not leave to the one around it."),
    {NULL, NULL, 0, NULL}};
static PyGetSetDef inner_getset[] = {CORM_PY_CHILD("element", 0, "The SELECT."), {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot exists_slots[] = {{Py_tp_doc, "EXISTS (SELECT ...)."},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
                                     {Py_tp_methods, exists_methods},
                                     {Py_tp_getset, inner_getset},
                                     {0, NULL}};
static PyType_Spec exists_spec = {.name = "cormorant.sql.selectable.Exists",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                  .slots = exists_slots};
static PyType_Slot scalar_slots[] = {{Py_tp_doc, "A SELECT of one column as a value."},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
                                     {Py_tp_methods, scalar_methods},
                                     {Py_tp_getset, inner_getset},
                                     {0, NULL}};
static PyType_Spec scalar_spec = {.name = "cormorant.sql.selectable.ScalarSelect",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                  .slots = scalar_slots};

#define ONE(name, function, doc)                                                                                       \
    { name, function, METH_O, name "(column)\n--\n\n" doc }
#define NONE(name, function, doc)                                                                                      \
    { name, function, METH_NOARGS, name "()\n--\n\n" doc }
#define MANY(name, function, doc)                                                                                      \
    { name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, name "(*clauses)\n--\n\n" doc }

static PyMethodDef functions[] = {
    MANY("and_", make_and, "All of these hold."),
    MANY("or_", make_or, "One of these holds."),
    ONE("not_", make_not, "The opposite."),
    NONE("null", make_null, "NULL."),
    NONE("true", make_true, "What is true."),
    NONE("false", make_false, "What is false."),
    ONE("asc", make_asc, "ASC."),
    ONE("desc", make_desc, "DESC."),
    ONE("nulls_first", make_nulls_first, "NULLS FIRST."),
    ONE("nullsfirst", make_nulls_first, "NULLS FIRST."),
    ONE("nulls_last", make_nulls_last, "NULLS LAST."),
    ONE("nullslast", make_nulls_last, "NULLS LAST."),
    ONE("distinct", make_distinct, "DISTINCT, inside of an aggregate."),
    ONE("any_", make_any, "ANY."),
    ONE("all_", make_all, "ALL."),
    ONE("bitwise_not", make_bitwise_not, "~."),
    {"collate", make_collate, METH_VARARGS, "collate(expression, collation)\n--\n\nCOLLATE."},
    {"between", KEYWORDS(make_between), "between(expr, lower_bound, upper_bound, symmetric=False)\n--\n\nBETWEEN."},
    {"label", KEYWORDS(make_label), "label(name, element, type_=None)\n--\n\nAn expression under a name."},
    {"case", KEYWORDS(make_case), "case(*whens, value=None, else_=None)\n--\n\nCASE WHEN ... THEN ... ELSE ... END."},
    {"cast", make_cast, METH_VARARGS, "cast(expression, type_)\n--\n\nCAST."},
    {"type_coerce", make_type_coerce, METH_VARARGS,
     "type_coerce(expression, type_)\n--\n\nThe same SQL, of another type in Python."},
    {"extract", make_extract, METH_VARARGS, "extract(field, expr)\n--\n\nEXTRACT."},
    {"literal", KEYWORDS(make_literal), "literal(value, type_=None)\n--\n\nA bound value."},
    {"literal_column", KEYWORDS(make_literal_column),
     "literal_column(text, type_=None)\n--\n\nSQL text as an expression."},
    {"column", KEYWORDS(make_column), "column(text, type_=None, is_literal=False)\n--\n\nA column known by name."},
    {"text", make_text, METH_O, "text(text)\n--\n\nSQL text, with :name for parameters."},
    {"bindparam", KEYWORDS(make_bindparam),
     "bindparam(key, value=..., type_=None, unique=False, required=..., quote=None, callable_=None, "
     "expanding=False)\n--\n\n"
     "A parameter."},
    {"tuple_", KEYWORDS(make_tuple), "tuple_(*clauses)\n--\n\nA tuple of expressions."},
    MANY("exists", make_exists, "EXISTS."),
    {NULL, NULL, 0, NULL}};

int corm_py_constructs_init(PyObject *module) {
    CormPyExists_Type = corm_py_type(module, &exists_spec, CormPyColumnElement_Type);
    scalar_type = corm_py_type(module, &scalar_spec, CormPyColumnElement_Type);
    if (CormPyExists_Type == NULL || scalar_type == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_SCALAR_SUBQUERY] = scalar_type;
    return PyModule_AddFunctions(module, functions);
}
