/*
 * Operators of SQL expressions: what Python's own operators and the methods of every column-like element make.
 *
 * Each makes a new node and wraps it. A plain value on the other side is bound with the type that the element has.
 */
#include "sql.h"
#include "type_operators.h"

#include <structmember.h>

#include "sql/select.h"

static corm_node *self_node(PyObject *self) {
    return corm_py_node_of(self);
}

static bool has_node(PyObject *object) {
    return corm_py_is_element(object) && corm_py_node_of(object) != NULL;
}

/* ---- two sides ---- */

static bool is_tuple(const corm_node *node) {
    return node->kind == CORM_NODE_LIST && node->op == CORM_OP_COMMA && node->child_count > 0;
}

/* A tuple of values beside a tuple of expressions. */
static corm_node *tuple_operand(PyObject *tuple) {
    corm_vector nodes = {0};
    corm_node *list = NULL;
    if (corm_py_nodes(tuple, false, true, &nodes) == 0) {
        list = corm_list_new(CORM_OP_COMMA, corm_py_items(&nodes), nodes.count);
        if (list == NULL) {
            corm_py_raise();
        }
    }
    corm_nodes_unref(&nodes);
    return list;
}

/* The node of an operand; NULL without an exception: a plain value. A table is no operand. */
static corm_node *operand_node(corm_node *beside, PyObject *other) {
    if (is_tuple(beside) && PyTuple_Check(other)) {
        return tuple_operand(other);
    }
    corm_node *node = corm_py_node_maybe(other);
    if (node != NULL && corm_node_is_from(node)) {
        corm_node_unref(node);
        return corm_py_role_error(other, CORM_PY_ROLE_OPERAND);
    }
    return node;
}

corm_node *corm_py_operand(corm_node *beside, PyObject *other) {
    corm_node *node = operand_node(beside, other);
    corm_value value;
    if (node != NULL || PyErr_Occurred() != NULL) {
        return node;
    }
    if (other == Py_None) {
        return corm_null();
    }
    if (corm_py_to_value(other, &value) == CORM_OK) {
        node = corm_bind_compared(beside, &value);
    }
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

/* left op right, where one side may be a plain value. */
static PyObject *operate(corm_operator op, PyObject *left, PyObject *right) {
    bool reversed = !has_node(left);
    PyObject *element = reversed ? right : left, *other = reversed ? left : right;
    if (!has_node(element)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    corm_node *node = operand_node(self_node(element), other);
    corm_node *result = NULL;
    if (node != NULL) {
        result =
            reversed ? corm_binary_new(op, node, self_node(element)) : corm_binary_new(op, self_node(element), node);
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

/* ---- conditions ---- */

/* A side of AND and OR: constants for themselves, everything else as it compares. */
static corm_node *condition(PyObject *object) {
    return corm_py_node_as(object, CORM_PY_ROLE_WHERE);
}

PyObject *corm_py_combine(PyObject *left, PyObject *right, bool both) {
    if (!corm_py_is_element(left) && !corm_py_is_element(right)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    corm_node *a = condition(left), *b = a == NULL ? NULL : condition(right);
    PyObject *result = b == NULL ? NULL : corm_py_wrap(both ? corm_and2(a, b) : corm_or2(a, b));
    corm_node_unref(a);
    corm_node_unref(b);
    return result;
}

static PyObject *element_and(PyObject *left, PyObject *right) {
    return corm_py_combine(left, right, true);
}

static PyObject *element_or(PyObject *left, PyObject *right) {
    return corm_py_combine(left, right, false);
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
        corm_node *left = corm_binary_left(node), *right = corm_binary_right(node);
        bool same = left == right || (right->kind != CORM_NODE_BIND && corm_node_equal(left, right));
        return node->op == CORM_OP_EQ ? same : !same;
    }
    PyErr_SetString(PyExc_TypeError, "Boolean value of this clause is not defined");
    return -1;
}

/* ---- methods with one operand ---- */

#define BINARY_METHOD(name, op)                                                                                        \
    static PyObject *name(PyObject *self, PyObject *other) {                                                           \
        return operate(op, self, other);                                                                               \
    }
BINARY_METHOD(element_is, CORM_OP_IS)
BINARY_METHOD(element_is_not, CORM_OP_IS_NOT)
BINARY_METHOD(element_is_distinct_from, CORM_OP_IS_DISTINCT_FROM)
BINARY_METHOD(element_is_not_distinct_from, CORM_OP_IS_NOT_DISTINCT_FROM)
BINARY_METHOD(element_concat, CORM_OP_CONCAT)
BINARY_METHOD(element_bitwise_and, CORM_OP_BIT_AND)
BINARY_METHOD(element_bitwise_or, CORM_OP_BIT_OR)
BINARY_METHOD(element_bitwise_xor, CORM_OP_BIT_XOR)
BINARY_METHOD(element_bitwise_lshift, CORM_OP_LEFT_SHIFT)
BINARY_METHOD(element_bitwise_rshift, CORM_OP_RIGHT_SHIFT)

static PyObject *element_match(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *other;
    if (!PyArg_ParseTuple(args, "O:match", &other)) {
        return NULL;
    }
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "match() takes no keyword arguments for this kind of database");
        return NULL;
    }
    return operate(CORM_OP_MATCH, self, other);
}

CORM_PY_SIGNATURE(regexp_signature, "regexp_match", 2, 1, "pattern", "flags");

static PyObject *element_regexp_match(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    if (corm_py_unpack(&regexp_signature, args, count, names, given) < 0) {
        return NULL;
    }
    if (given[1] != NULL && given[1] != Py_None) {
        corm_error_set(CORM_COMPILE_ERROR, "flags of a regular expression are not supported by this database");
        return corm_py_raise();
    }
    return operate(CORM_OP_REGEXP_MATCH, self, given[0]);
}

/* LIKE and its kin: other, escape=None. */
CORM_PY_SIGNATURE(like_signature, "like", 2, 1, "other", "escape");

static PyObject *like(corm_operator op, PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    const char *escape;
    if (corm_py_unpack(&like_signature, args, count, names, given) < 0 || corm_py_text_or_none(given[1], &escape) < 0) {
        return NULL;
    }
    if (escape == NULL) {
        return operate(op, self, given[0]);
    }
    corm_node *right = corm_py_operand(self_node(self), given[0]);
    PyObject *result = right == NULL ? NULL : corm_py_wrap(corm_binary_escape(op, self_node(self), right, escape));
    corm_node_unref(right);
    return result;
}

#define LIKE_METHOD(name, op)                                                                                          \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {                  \
        return like(op, self, args, count, names);                                                                     \
    }
LIKE_METHOD(element_like, CORM_OP_LIKE)
LIKE_METHOD(element_not_like, CORM_OP_NOT_LIKE)
LIKE_METHOD(element_ilike, CORM_OP_ILIKE)
LIKE_METHOD(element_not_ilike, CORM_OP_NOT_ILIKE)

/* startswith() and its kin: other, *, escape=None, autoescape=False. */
CORM_PY_SIGNATURE(part_signature, "startswith", 1, 1, "other", "escape", "autoescape");

static PyObject *part(corm_operator op, PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    const char *escape;
    int autoescape;
    if (corm_py_unpack(&part_signature, args, count, names, given) < 0 || corm_py_text_or_none(given[1], &escape) < 0 ||
        (autoescape = corm_py_flag(given[2], 0)) < 0) {
        return NULL;
    }
    if (PyUnicode_Check(given[0])) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(given[0], &size);
        return text == NULL ? NULL
                            : corm_py_wrap(corm_binary_text_match(op, self_node(self), text, (size_t)size, escape,
                                                                  autoescape != 0));
    }
    if (autoescape) {
        PyErr_SetString(PyExc_TypeError, "String value expected when autoescape=True");
        return NULL;
    }
    corm_node *right = corm_py_operand(self_node(self), given[0]);
    PyObject *result = right == NULL ? NULL : corm_py_wrap(corm_binary_escape(op, self_node(self), right, escape));
    corm_node_unref(right);
    return result;
}

#define PART_METHOD(name, op)                                                                                          \
    static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {                  \
        return part(op, self, args, count, names);                                                                     \
    }
PART_METHOD(element_startswith, CORM_OP_STARTSWITH)
PART_METHOD(element_endswith, CORM_OP_ENDSWITH)
static PyObject *element_contains(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *own = corm_py_own_operator(self, "contains", args, count, names);
    return own != NULL || PyErr_Occurred() != NULL ? own : part(CORM_OP_CONTAINS, self, args, count, names);
}
PART_METHOD(element_istartswith, CORM_OP_ISTARTSWITH)
PART_METHOD(element_iendswith, CORM_OP_IENDSWITH)
PART_METHOD(element_icontains, CORM_OP_ICONTAINS)

/* ---- IN ---- */

static PyObject *in_error(PyObject *other) {
    PyObject *shown = PyObject_Repr(other);
    const char *text = shown == NULL ? NULL : PyUnicode_AsUTF8(shown);
    if (text != NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR,
                       "IN expression list, SELECT construct, or bound parameter object expected, got %s.", text);
        corm_py_raise();
    }
    Py_XDECREF(shown);
    return NULL;
}

/* operand IN list, which is taken over; NULL list: the engine's error. */
static PyObject *finish_in(corm_node *left, corm_node *list, bool negated) {
    corm_node *in = list == NULL ? NULL : corm_in(left, list);
    corm_node_unref(list);
    if (negated && in != NULL) {
        corm_node *inverse = corm_not(in);
        corm_node_unref(in);
        in = inverse;
    }
    return corm_py_wrap(in);
}

/* The right side when it is an element: a SELECT, a list, a bound parameter. Takes over the node. */
static PyObject *in_node(corm_node *left, corm_node *node, PyObject *other, bool negated) {
    corm_node *list = node;
    if (node->kind == CORM_NODE_ALIAS || node->kind == CORM_NODE_TABLE) {
        list = corm_select_new(&node, 1);
        corm_node_unref(node);
    } else if (node->kind == CORM_NODE_BIND && !(node->detail & CORM_BIND_EXPANDING)) {
        const corm_bind *bind = corm_node_bind(node);
        bool required = (node->detail & CORM_BIND_REQUIRED) != 0;
        list = corm_bind_list_named(bind->key, required ? NULL : &bind->value, required ? 0 : 1, 1,
                                    corm_node_type(left), required);
        corm_node_unref(node);
    } else if (node->kind == CORM_NODE_EXTENSION || node->kind == CORM_NODE_COLUMN ||
               node->kind == CORM_NODE_CONSTANT) {
        corm_node_unref(node);
        return in_error(other);
    }
    return finish_in(left, list, negated);
}

/* Tuples of values, all as long as the left side's. */
static corm_node *tuple_list(corm_node *left, PyObject *items) {
    size_t width = left->child_count, count = (size_t)PySequence_Fast_GET_SIZE(items);
    corm_value *values = PyMem_Calloc(count * width + 1, sizeof *values);
    corm_node *list = NULL;
    if (values == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i);
        if (!PyTuple_Check(item) && !PyList_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "IN of a tuple is compared with tuples");
            goto done;
        }
        if ((size_t)PySequence_Fast_GET_SIZE(item) != width) {
            PyErr_Format(PyExc_ValueError, "IN of a tuple of %zu is compared with a tuple of %zd", width,
                         PySequence_Fast_GET_SIZE(item));
            goto done;
        }
        for (size_t j = 0; j < width; j++) {
            if (corm_py_to_value(PySequence_Fast_GET_ITEM(item, (Py_ssize_t)j), &values[i * width + j]) != CORM_OK) {
                corm_py_raise();
                goto done;
            }
        }
    }
    list = corm_bind_list(values, count * width, (uint32_t)width, NULL);
    if (list == NULL) {
        corm_py_raise();
    }
done:
    PyMem_Free(values);
    return list;
}

static corm_node *value_list(corm_node *left, PyObject *items) {
    size_t count = (size_t)PySequence_Fast_GET_SIZE(items);
    corm_value *values = PyMem_Calloc(count + 1, sizeof *values);
    if (values == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i), &values[i]);
    }
    corm_type *type = corm_node_type(left);
    if (count > 0 && status == CORM_OK && values[0].kind != CORM_KIND_NULL && values[0].kind != CORM_KIND_HOST) {
        corm_node *like_first = corm_bind_compared(left, &values[0]);
        type = like_first == NULL ? type : corm_node_type(like_first);
        corm_type_ref(type);
        corm_node_unref(like_first);
    } else {
        corm_type_ref(type);
    }
    corm_node *list = status == CORM_OK ? corm_bind_list(values, count, 1, type) : NULL;
    corm_type_unref(type);
    PyMem_Free(values);
    if (list == NULL) {
        corm_py_raise();
    }
    return list;
}

/* A list in which expressions stand between the values. */
static corm_node *mixed_list(corm_node *left, PyObject *items) {
    corm_vector nodes = {0};
    corm_node *list = NULL;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items); i++) {
        corm_node *node = corm_py_operand(left, PySequence_Fast_GET_ITEM(items, i));
        if (node == NULL) {
            goto done;
        }
        if (corm_vector_push(&nodes, node) != CORM_OK) {
            corm_node_unref(node);
            corm_py_raise();
            goto done;
        }
    }
    list = corm_list_new(CORM_OP_COMMA, corm_py_items(&nodes), nodes.count);
    if (list == NULL) {
        corm_py_raise();
    }
done:
    corm_nodes_unref(&nodes);
    return list;
}

PyObject *corm_py_in(corm_node *left, PyObject *other, bool negated) {
    bool is_list = PyList_CheckExact(other) || PyTuple_CheckExact(other) || PyAnySet_CheckExact(other);
    corm_node *node = is_list ? NULL : corm_py_node_maybe(other);
    if (node != NULL) {
        return in_node(left, node, other, negated);
    }
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (PyUnicode_Check(other) || PyBytes_Check(other) || Py_TYPE(other)->tp_iter == NULL) {
        return in_error(other);
    }
    PyObject *items =
        PySequence_Fast(other, "IN expression list, SELECT construct, or bound parameter object expected");
    if (items == NULL) {
        return NULL;
    }
    bool expressions = false;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items) && !expressions; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        expressions = !PyLong_CheckExact(item) && !PyUnicode_CheckExact(item) && corm_py_is_element(item);
    }
    corm_node *list = expressions      ? mixed_list(left, items)
                      : is_tuple(left) ? tuple_list(left, items)
                                       : value_list(left, items);
    Py_DECREF(items);
    return list == NULL ? NULL : finish_in(left, list, negated);
}

static PyObject *element_in(PyObject *self, PyObject *other) {
    return corm_py_in(self_node(self), other, false);
}

static PyObject *element_not_in(PyObject *self, PyObject *other) {
    return corm_py_in(self_node(self), other, true);
}

/* ---- BETWEEN, COLLATE, CAST ---- */

CORM_PY_SIGNATURE(between_signature, "between", 3, 2, "cleft", "cright", "symmetric");

static PyObject *element_between(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    int symmetric;
    if (corm_py_unpack(&between_signature, args, count, names, given) < 0 ||
        (symmetric = corm_py_flag(given[2], 0)) < 0) {
        return NULL;
    }
    corm_node *from = corm_py_operand(self_node(self), given[0]);
    corm_node *to = from == NULL ? NULL : corm_py_operand(self_node(self), given[1]);
    PyObject *result = to == NULL ? NULL : corm_py_wrap(corm_between(self_node(self), from, to, symmetric != 0));
    corm_node_unref(from);
    corm_node_unref(to);
    return result;
}

static PyObject *element_collate(PyObject *self, PyObject *collation) {
    const char *name = corm_py_text(collation);
    if (name == NULL) {
        return NULL;
    }
    corm_node *right = corm_literal_column(name, NULL);
    PyObject *result = corm_py_wrap(right == NULL ? NULL : corm_binary_new(CORM_OP_COLLATE, self_node(self), right));
    corm_node_unref(right);
    return result;
}

static PyObject *element_cast(PyObject *self, PyObject *type_) {
    corm_type *type = corm_py_sql_type(type_);
    PyObject *result = type == NULL ? NULL : corm_py_wrap(corm_cast(self_node(self), type));
    corm_type_unref(type);
    return result;
}

/* ---- one side ---- */

#define UNARY_METHOD(name, op)                                                                                         \
    static PyObject *name(PyObject *self, PyObject *unused) {                                                          \
        (void)unused;                                                                                                  \
        return corm_py_wrap(corm_unary_new(op, self_node(self)));                                                      \
    }
UNARY_METHOD(element_asc, CORM_OP_ASC)
UNARY_METHOD(element_desc, CORM_OP_DESC)
UNARY_METHOD(element_nulls_first, CORM_OP_NULLS_FIRST)
UNARY_METHOD(element_nulls_last, CORM_OP_NULLS_LAST)
UNARY_METHOD(element_distinct, CORM_OP_DISTINCT)
UNARY_METHOD(element_any, CORM_OP_ANY)
UNARY_METHOD(element_all, CORM_OP_ALL)
UNARY_METHOD(element_bitwise_not, CORM_OP_BIT_NOT)

static PyObject *element_label(PyObject *self, PyObject *name) {
    const char *text;
    return corm_py_text_or_none(name, &text) < 0 ? NULL : corm_py_wrap(corm_label(self_node(self), text));
}

/* ---- op(): an operator of the user's spelling, waiting for its right side ---- */

typedef struct custom_operator {
    PyObject_HEAD corm_node *left;
    char *text;
    corm_type *type; /* or NULL */
    bool is_comparison;
} custom_operator;

static PyTypeObject *custom_type;

static void custom_dealloc(PyObject *self) {
    custom_operator *custom = (custom_operator *)self;
    PyTypeObject *type = Py_TYPE(self);
    corm_node_unref(custom->left);
    corm_type_unref(custom->type);
    PyMem_Free(custom->text);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *custom_call(PyObject *self, PyObject *args, PyObject *kwargs) {
    custom_operator *custom = (custom_operator *)self;
    PyObject *other;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O", &other)) {
        return NULL;
    }
    corm_node *right = corm_py_operand(custom->left, other);
    PyObject *result =
        right == NULL
            ? NULL
            : corm_py_wrap(corm_binary_custom(custom->text, custom->left, right, custom->is_comparison, custom->type));
    corm_node_unref(right);
    return result;
}

static PyType_Slot custom_slots[] = {{Py_tp_doc, "An operator of op(), called with its right side."},
                                     {Py_tp_dealloc, custom_dealloc},
                                     {Py_tp_call, custom_call},
                                     {0, NULL}};
static PyType_Spec custom_spec = {.name = "cormorant._engine.CustomOperator",
                                  .basicsize = sizeof(custom_operator),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                  .slots = custom_slots};

static PyObject *custom_new(PyObject *self, PyObject *opstring, bool is_comparison, PyObject *return_type) {
    const char *text = corm_py_text(opstring);
    corm_type *type = NULL;
    if (text == NULL) {
        return NULL;
    }
    if (return_type != NULL && return_type != Py_None && (type = corm_py_sql_type(return_type)) == NULL) {
        return NULL;
    }
    custom_operator *custom = PyObject_New(custom_operator, custom_type);
    if (custom == NULL) {
        corm_type_unref(type);
        return NULL;
    }
    custom->left = corm_node_ref(self_node(self));
    custom->type = type;
    custom->is_comparison = is_comparison;
    custom->text = PyMem_Malloc(strlen(text) + 1);
    if (custom->text == NULL) {
        Py_DECREF(custom);
        return PyErr_NoMemory();
    }
    strcpy(custom->text, text);
    return (PyObject *)custom;
}

CORM_PY_SIGNATURE(op_signature, "op", 4, 1, "opstring", "precedence", "is_comparison", "return_type", "python_impl");

static PyObject *element_op(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[5];
    int is_comparison;
    if (corm_py_unpack(&op_signature, args, count, names, given) < 0 ||
        (is_comparison = corm_py_flag(given[2], 0)) < 0) {
        return NULL;
    }
    return custom_new(self, given[0], is_comparison != 0, given[3]);
}

CORM_PY_SIGNATURE(bool_op_signature, "bool_op", 3, 1, "opstring", "precedence", "python_impl");

static PyObject *element_bool_op(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    return corm_py_unpack(&bool_op_signature, args, count, names, given) < 0 ? NULL
                                                                             : custom_new(self, given[0], true, NULL);
}

/* _operate(op, other): an operator by its number, for operators.py. */
static PyObject *element_operate(PyObject *self, PyObject *args) {
    int op;
    PyObject *other = NULL;
    if (!PyArg_ParseTuple(args, "i|O", &op, &other)) {
        return NULL;
    }
    if (op <= CORM_OP_NONE || op >= CORM_OP_COUNT) {
        PyErr_SetString(PyExc_ValueError, "no such operator");
        return NULL;
    }
    return other == NULL ? corm_py_wrap(corm_unary_new((corm_operator)op, self_node(self)))
                         : operate((corm_operator)op, self, other);
}

/* ---- operators of types of the database's own ---- */

/* << and >>, which no other type has. */
static PyObject *shift(PyObject *left, PyObject *right, const char *name) {
    PyObject *own = has_node(left) ? corm_py_own_operator(left, name, &right, 1, NULL) : NULL;
    if (own == NULL && PyErr_Occurred() == NULL) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return own;
}

static PyObject *element_lshift(PyObject *left, PyObject *right) {
    return shift(left, right, "lshift");
}

static PyObject *element_rshift(PyObject *left, PyObject *right) {
    return shift(left, right, "rshift");
}

static PyObject *element_getattr(PyObject *self, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    return corm_py_own_attribute(self, name);
}

/* ---- names and types ---- */

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
    return corm_py_type_object(corm_node_type(self_node(self)));
}

static PyObject *get_empty_set(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    return PyFrozenSet_New(NULL);
}

static PyObject *get_self(PyObject *self, void *closure) {
    (void)closure;
    return Py_NewRef(self);
}

#define ONE(name, function, doc)                                                                                       \
    { name, function, METH_O, name "(other)\n--\n\n" doc }
#define NONE(name, function, doc)                                                                                      \
    { name, function, METH_NOARGS, name "()\n--\n\n" doc }
#define LIKE(name, function, doc)                                                                                      \
    { name, CORM_PY_FAST(function), name "(other, escape=None)\n--\n\n" doc }
#define PART(name, function, doc)                                                                                      \
    { name, CORM_PY_FAST(function), name "(other, *, escape=None, autoescape=False)\n--\n\n" doc }

static PyMethodDef column_methods[] = {
    ONE("in_", element_in, "IN a list of values, a select or a parameter."),
    ONE("not_in", element_not_in, "NOT IN."),
    ONE("notin_", element_not_in, "NOT IN."),
    ONE("is_", element_is, "IS."),
    ONE("is_not", element_is_not, "IS NOT."),
    ONE("isnot", element_is_not, "IS NOT."),
    ONE("is_distinct_from", element_is_distinct_from, "IS DISTINCT FROM: NULLs are equal."),
    ONE("is_not_distinct_from", element_is_not_distinct_from, "IS NOT DISTINCT FROM."),
    ONE("isnot_distinct_from", element_is_not_distinct_from, "IS NOT DISTINCT FROM."),
    ONE("concat", element_concat, "||."),
    ONE("bitwise_and", element_bitwise_and, "&."),
    ONE("bitwise_or", element_bitwise_or, "|."),
    ONE("bitwise_xor", element_bitwise_xor, "^."),
    ONE("bitwise_lshift", element_bitwise_lshift, "<<."),
    ONE("bitwise_rshift", element_bitwise_rshift, ">>."),
    ONE("collate", element_collate, "COLLATE."),
    ONE("cast", element_cast, "CAST to a type."),
    ONE("label", element_label, "Give the expression a name; None: one of the compiler's."),
    {"match", (PyCFunction)(void (*)(void))element_match, METH_VARARGS | METH_KEYWORDS,
     "match(other)\n--\n\nThe database's own MATCH."},
    {"regexp_match", CORM_PY_FAST(element_regexp_match),
     "regexp_match(pattern, flags=None)\n--\n\nMatch a regular expression."},
    LIKE("like", element_like, "LIKE."),
    LIKE("not_like", element_not_like, "NOT LIKE."),
    LIKE("notlike", element_not_like, "NOT LIKE."),
    LIKE("ilike", element_ilike, "LIKE without regard to case."),
    LIKE("not_ilike", element_not_ilike, "NOT LIKE without regard to case."),
    LIKE("notilike", element_not_ilike, "NOT LIKE without regard to case."),
    PART("startswith", element_startswith, "LIKE 'other%'."),
    PART("endswith", element_endswith, "LIKE '%other'."),
    PART("contains", element_contains, "LIKE '%other%'."),
    PART("istartswith", element_istartswith, "LIKE 'other%' without regard to case."),
    PART("iendswith", element_iendswith, "LIKE '%other' without regard to case."),
    PART("icontains", element_icontains, "LIKE '%other%' without regard to case."),
    {"between", CORM_PY_FAST(element_between), "between(cleft, cright, symmetric=False)\n--\n\nBETWEEN."},
    NONE("asc", element_asc, "ASC."),
    NONE("desc", element_desc, "DESC."),
    NONE("nulls_first", element_nulls_first, "NULLS FIRST."),
    NONE("nullsfirst", element_nulls_first, "NULLS FIRST."),
    NONE("nulls_last", element_nulls_last, "NULLS LAST."),
    NONE("nullslast", element_nulls_last, "NULLS LAST."),
    NONE("distinct", element_distinct, "DISTINCT, inside of an aggregate."),
    NONE("any_", element_any, "ANY."),
    NONE("all_", element_all, "ALL."),
    NONE("bitwise_not", element_bitwise_not, "~."),
    {"op", CORM_PY_FAST(element_op),
     "op(opstring, precedence=0, is_comparison=False, return_type=None)\n--\n\nAn operator by its spelling: call the "
     "result with the other side."},
    {"bool_op", CORM_PY_FAST(element_bool_op),
     "bool_op(opstring, precedence=0)\n--\n\nAn operator by its spelling that gives a boolean."},
    {"_operate", element_operate, METH_VARARGS, "_operate(op, other)\n--\n\nAn operator by its number."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef column_getset[] = {{"name", get_name, NULL, "The name in results.", NULL},
                                      {"key", get_name, NULL, "The name in results.", NULL},
                                      {"type", get_type, NULL, "The SQL type.", NULL},
                                      {"foreign_keys", get_empty_set, NULL, "Foreign keys: of a Column only.", NULL},
                                      {"expression", get_self, NULL, "The element itself.", NULL},
                                      {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot column_slots[] = {{Py_tp_methods, column_methods},
                                     {Py_tp_getset, column_getset},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
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
                                     {Py_mp_subscript, corm_py_own_item},
                                     {Py_tp_getattro, element_getattr},
                                     {Py_nb_and, element_and},
                                     {Py_nb_or, element_or},
                                     {Py_nb_invert, element_invert},
                                     {Py_nb_negative, element_negative},
                                     {Py_nb_bool, element_bool},
                                     {Py_tp_doc, "An SQL expression with operators."},
                                     {0, NULL}};

static PyType_Spec column_spec = {.name = "cormorant.sql.elements.ColumnElement",
                                  .basicsize = sizeof(CormPyElement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                  .slots = column_slots};

int corm_py_operators_init(PyObject *module) {
    custom_type = corm_py_type(module, &custom_spec, NULL);
    CormPyColumnElement_Type = corm_py_type(module, &column_spec, CormPyClauseElement_Type);
    return custom_type == NULL || CormPyColumnElement_Type == NULL ? -1 : 0;
}
