/*
 * The classes of views: one for each kind of node, with what users read of it.
 *
 * The classes are empty but for getters; what an element is made of is in its node.
 */
#include "sql.h"
#include "values.h"

#include "sql/select.h"

PyTypeObject *CormPyColumnClause_Type;

static PyTypeObject *boolean_list_type, *tuple_type, *null_type, *true_type, *false_type;
static PyTypeObject *coerce_type, *expression_type;

static corm_node *node_of(PyObject *self) {
    return corm_py_node_of(self);
}

static PyObject *view_or_none(corm_node *node) {
    return node == NULL ? Py_NewRef(Py_None) : corm_py_wrap(corm_node_ref(node));
}

static PyObject *text_or_none(const char *text) {
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
}

/* ---- children ---- */

PyObject *corm_py_get_child(PyObject *self, void *closure) {
    size_t index = (size_t)(uintptr_t)closure;
    corm_node *node = node_of(self);
    return view_or_none(index < corm_node_child_count(node) ? corm_node_child(node, index) : NULL);
}

static PyObject *children_from(corm_node *node, size_t first) {
    size_t count = corm_node_child_count(node);
    PyObject *list = PyList_New(0);
    for (size_t i = first; list != NULL && i < count; i++) {
        PyObject *view = view_or_none(corm_node_child(node, i));
        if (view == NULL || PyList_Append(list, view) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(view);
    }
    return list;
}

static PyObject *get_clauses(PyObject *self, void *closure) {
    (void)closure;
    return children_from(node_of(self), 0);
}

static PyObject *get_whens(PyObject *self, void *closure) {
    corm_node *node = node_of(self);
    PyObject *list = PyList_New(0);
    (void)closure;
    for (size_t i = 2; list != NULL && i + 1 < corm_node_child_count(node); i += 2) {
        PyObject *condition = corm_py_wrap(corm_node_ref(corm_node_child(node, i)));
        PyObject *result = condition == NULL ? NULL : corm_py_wrap(corm_node_ref(corm_node_child(node, i + 1)));
        PyObject *pair = result == NULL ? NULL : PyTuple_Pack(2, condition, result);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(condition);
        Py_XDECREF(result);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *get_display_name(PyObject *self, void *closure) {
    (void)closure;
    return text_or_none(corm_node_display_name(node_of(self)));
}

static PyObject *get_operator(PyObject *self, void *closure) {
    (void)closure;
    corm_node *node = node_of(self);
    PyObject *function = PyImport_ImportModule("cormorant.sql.operators");
    Py_XSETREF(function, function == NULL ? NULL : corm_py_get(function, "_by_number"));
    const char *custom = node->kind == CORM_NODE_BINARY ? ((const corm_binary *)(const void *)node)->custom : NULL;
    PyObject *made = function == NULL ? NULL : PyObject_CallFunction(function, "iz", (int)node->op, custom);
    Py_XDECREF(function);
    return made;
}

#define CHILD(name, index, doc) CORM_PY_CHILD(name, index, doc)
#define END                                                                                                            \
    { NULL, NULL, NULL, NULL, NULL }

static PyGetSetDef binary_getset[] = {CHILD("left", 0, "The left operand."),
                                      CHILD("right", 1, "The right operand."),
                                      {"operator", get_operator, NULL, "The operator, of sql.operators.", NULL},
                                      END};
static PyGetSetDef unary_getset[] = {CHILD("element", 0, "The operand."),
                                     {"operator", get_operator, NULL, "The operator, of sql.operators.", NULL},
                                     {"modifier", get_operator, NULL, "The operator, of sql.operators.", NULL},
                                     END};
static PyGetSetDef list_getset[] = {{"clauses", get_clauses, NULL, "The elements.", NULL},
                                    {"operator", get_operator, NULL, "The operator, of sql.operators.", NULL},
                                    END};
static PyGetSetDef label_getset[] = {CHILD("element", 0, "What has the label."),
                                     {"name", get_display_name, NULL, "The label, or None.", NULL},
                                     {"key", get_display_name, NULL, "The label, or None.", NULL},
                                     END};
static PyGetSetDef element_getset[] = {CHILD("element", 0, "What is inside."), END};
static PyGetSetDef cast_getset[] = {CHILD("clause", 0, "What is converted."), END};
static PyGetSetDef extract_getset[] = {
    CHILD("expr", 0, "What the field is taken of."), {"field", get_display_name, NULL, "The field's name.", NULL}, END};
static PyGetSetDef case_getset[] = {CHILD("value", 0, "What is compared, or None."),
                                    CHILD("else_", 1, "The result when nothing fits, or None."),
                                    {"whens", get_whens, NULL, "Pairs of a condition and a result.", NULL},
                                    END};
static PyGetSetDef over_getset[] = {CHILD("element", 0, "The function."),
                                    CHILD("partition_by", 1, "PARTITION BY, or None."),
                                    CHILD("order_by", 2, "ORDER BY, or None."), END};
/* ---- columns of FROMs ---- */

static PyObject *get_column_table(PyObject *self, void *closure) {
    (void)closure;
    corm_node *node = node_of(self);
    return view_or_none(node->kind == CORM_NODE_COLUMN_OF ? corm_node_child(node, 0) : NULL);
}

static corm_column *shown_column(const corm_node *node) {
    while (node != NULL && (node->kind == CORM_NODE_COLUMN_OF || node->kind == CORM_NODE_LABEL)) {
        node = corm_node_child(node, node->kind == CORM_NODE_COLUMN_OF ? 1 : 0);
    }
    return corm_node_as_column(node);
}

static PyObject *get_column_primary_key(PyObject *self, void *closure) {
    (void)closure;
    const corm_column *column = shown_column(node_of(self));
    return PyBool_FromLong(column != NULL && column->primary_key);
}

static PyObject *get_is_literal(PyObject *self, void *closure) {
    (void)closure;
    corm_node *node = node_of(self);
    return PyBool_FromLong(node->kind == CORM_NODE_LITERAL_COLUMN && !(node->detail & CORM_LITERAL_QUOTED));
}

static PyGetSetDef column_getset[] = {
    {"table", get_column_table, NULL, "The FROM that the column is of, or None.", NULL},
    {"primary_key", get_column_primary_key, NULL, "Part of the primary key.", NULL},
    {"is_literal", get_is_literal, NULL, "SQL text, not a name.", NULL},
    END};

/* ---- bound values ---- */

static const corm_bind *bind_of(PyObject *self) {
    return corm_node_bind(node_of(self));
}

static PyObject *get_bind_value(PyObject *self, void *closure) {
    const corm_bind *bind = bind_of(self);
    (void)closure;
    if (bind->node.detail & CORM_BIND_EXPANDING) {
        PyObject *list = PyList_New(0);
        for (size_t i = 0; list != NULL && i < bind->item_count; i++) {
            PyObject *item = corm_py_from_value(&bind->items[i], NULL);
            if (item == NULL || PyList_Append(list, item) < 0) {
                Py_CLEAR(list);
            }
            Py_XDECREF(item);
        }
        return list;
    }
    return corm_py_from_value(&bind->value, NULL);
}

static PyObject *get_bind_key(PyObject *self, void *closure) {
    const corm_bind *bind = bind_of(self);
    (void)closure;
    return bind->key != NULL
               ? PyUnicode_FromString(bind->key)
               : PyUnicode_FromFormat("%%(%p %s)s", (void *)bind, bind->hint == NULL ? "param" : bind->hint);
}

static PyObject *get_bind_flag(PyObject *self, void *closure) {
    return PyBool_FromLong((bind_of(self)->node.detail & (unsigned)(uintptr_t)closure) != 0);
}

static PyObject *bind_repr(PyObject *self) {
    PyObject *key = get_bind_key(self, NULL), *value = get_bind_value(self, NULL);
    PyObject *type = corm_py_get(self, "type");
    PyObject *text = key == NULL || value == NULL || type == NULL
                         ? NULL
                         : PyUnicode_FromFormat("BindParameter(%R, %R, type_=%R)", key, value, type);
    Py_XDECREF(key);
    Py_XDECREF(value);
    Py_XDECREF(type);
    return text;
}

static PyGetSetDef bind_getset[] = {
    {"value", get_bind_value, NULL, "The value that it has now.", NULL},
    {"effective_value", get_bind_value, NULL, "The value that it has now.", NULL},
    {"key", get_bind_key, NULL, "The parameter's name.", NULL},
    {"unique", get_bind_flag, NULL, "The name is made unique.", (void *)(uintptr_t)CORM_BIND_UNIQUE},
    {"required", get_bind_flag, NULL, "A value is given when executing.", (void *)(uintptr_t)CORM_BIND_REQUIRED},
    {"expanding", get_bind_flag, NULL, "It stands for a list.", (void *)(uintptr_t)CORM_BIND_EXPANDING},
    END};

/* ---- texts ---- */

static PyObject *get_text(PyObject *self, void *closure) {
    (void)closure;
    const corm_text_node *text = (const corm_text_node *)(const void *)node_of(self);
    return PyUnicode_FromStringAndSize(text->text, (Py_ssize_t)text->size);
}

/* bindparams(*binds, **values): the same text with parameters of these. */
static PyObject *text_bindparams(PyObject *self, PyObject *args, PyObject *kwargs) {
    corm_vector binds = {0};
    PyObject *result = NULL, *key, *value;
    Py_ssize_t position = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        corm_node *node = corm_py_node(PyTuple_GET_ITEM(args, i));
        if (node == NULL || node->kind != CORM_NODE_BIND || corm_vector_push(&binds, node) != CORM_OK) {
            if (node != NULL) {
                corm_node_unref(node);
                corm_error_set(CORM_ARGUMENT_ERROR, "bindparams() takes bindparam() objects");
                corm_py_raise();
            }
            goto done;
        }
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        const char *name = corm_py_text(key);
        if (name == NULL) {
            goto done;
        }
        corm_node *node = corm_py_bind(value, name, NULL, false);
        if (node == NULL || corm_vector_push(&binds, node) != CORM_OK) {
            corm_node_unref(node);
            corm_py_raise();
            goto done;
        }
    }
    result = corm_py_derive(self, corm_text_with_binds(node_of(self), corm_py_items(&binds), binds.count));
done:
    corm_nodes_unref(&binds);
    return result;
}

/* columns(*columns, **types): the result's columns. */
static PyObject *text_columns(PyObject *self, PyObject *args, PyObject *kwargs) {
    corm_vector columns = {0};
    PyObject *result = NULL, *key, *value;
    Py_ssize_t position = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        corm_node *node = corm_py_node(PyTuple_GET_ITEM(args, i));
        if (node == NULL || corm_vector_push(&columns, node) != CORM_OK) {
            if (node != NULL) {
                corm_node_unref(node);
                corm_py_raise();
            }
            goto done;
        }
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        const char *name = corm_py_text(key);
        corm_type *type = name == NULL ? NULL : corm_py_sql_type(value);
        if (type == NULL) {
            goto done;
        }
        corm_node *node = corm_plain_column(name, type);
        corm_type_unref(type);
        if (node == NULL || corm_vector_push(&columns, node) != CORM_OK) {
            corm_node_unref(node);
            corm_py_raise();
            goto done;
        }
    }
    result = corm_py_derive(self, corm_text_with_columns(node_of(self), corm_py_items(&columns), columns.count));
done:
    corm_nodes_unref(&columns);
    return result;
}

static PyObject *text_alias(PyObject *self, PyObject *args, PyObject *kwargs, uint16_t detail) {
    static char *names[] = {"name", NULL};
    const char *name = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|z", names, &name)
               ? corm_py_wrap(corm_alias_new(node_of(self), name, detail))
               : NULL;
}

static PyObject *text_subquery(PyObject *self, PyObject *args, PyObject *kwargs) {
    return text_alias(self, args, kwargs, 0);
}

static PyObject *text_cte(PyObject *self, PyObject *args, PyObject *kwargs) {
    return text_alias(self, args, kwargs, CORM_ALIAS_CTE);
}

static PyObject *text_scalar_subquery(PyObject *self, PyObject *unused) {
    (void)unused;
    return corm_py_wrap(corm_scalar_subquery(node_of(self)));
}

static PyObject *text_label(PyObject *self, PyObject *name) {
    const char *label;
    return corm_py_text_or_none(name, &label) < 0 ? NULL : corm_py_wrap(corm_label(node_of(self), label));
}

static PyObject *text_in(PyObject *self, PyObject *other) {
    return corm_py_in(node_of(self), other, false);
}

static PyObject *text_and(PyObject *left, PyObject *right) {
    return corm_py_combine(left, right, true);
}

static PyObject *text_or(PyObject *left, PyObject *right) {
    return corm_py_combine(left, right, false);
}

static PyObject *text_invert(PyObject *self) {
    return corm_py_wrap(corm_not(node_of(self)));
}

static PyObject *get_text_columns(PyObject *self, void *closure) {
    (void)closure;
    return corm_py_collection_of(node_of(self));
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS
static PyMethodDef text_methods[] = {
    {"bindparams", KEYWORDS(text_bindparams), "bindparams(*binds, **values)\n--\n\nGive parameters values or types."},
    {"columns", KEYWORDS(text_columns), "columns(*columns, **types)\n--\n\nSay what the result's columns are."},
    {"subquery", KEYWORDS(text_subquery), "subquery(name=None)\n--\n\nA FROM of the text."},
    {"alias", KEYWORDS(text_subquery), "alias(name=None)\n--\n\nA FROM of the text."},
    {"cte", KEYWORDS(text_cte), "cte(name=None)\n--\n\nA common table expression of the text."},
    {"scalar_subquery", text_scalar_subquery, METH_NOARGS, "scalar_subquery()\n--\n\nThe text as a value."},
    {"label", text_label, METH_O, "label(name)\n--\n\nThe text under a name."},
    {"in_", text_in, METH_O, "in_(other)\n--\n\nIN."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef textual_getset[] = {{"text", get_text, NULL, "The SQL.", NULL},
                                       {"selected_columns", get_text_columns, NULL, "The result's columns.", NULL},
                                       {"c", get_text_columns, NULL, "The result's columns.", NULL},
                                       END};

/* ---- the table of classes ---- */

typedef struct view_class {
    const char *name; /* in cormorant.sql.elements */
    int kind;         /* whose views are of the class, or 0 */
    int base;         /* 'c' ColumnElement, 'n' ColumnClause, 'e' Executable */
    PyGetSetDef *getset;
    PyMethodDef *methods;
    PyTypeObject **place;
    reprfunc repr;
} view_class;

static const view_class classes[] = {
    /* Bases of other classes have views of a class of their own: Python asks the class that derives from the other first
     * when two are compared, and the sides would change places. */
    {"ColumnClause", 0, 'c', column_getset, NULL, &CormPyColumnClause_Type, NULL},
    {"_PlainColumn", CORM_NODE_LITERAL_COLUMN, 'n', NULL, NULL, NULL, NULL},
    {"_ColumnOf", CORM_NODE_COLUMN_OF, 'n', NULL, NULL, NULL, NULL},
    {"_Expression", CORM_NODE_EXTENSION, 'c', NULL, NULL, &expression_type, NULL},
    {"BindParameter", CORM_NODE_BIND, 'c', bind_getset, NULL, NULL, bind_repr},
    {"BinaryExpression", CORM_NODE_BINARY, 'c', binary_getset, NULL, NULL, NULL},
    {"UnaryExpression", CORM_NODE_UNARY, 'c', unary_getset, NULL, NULL, NULL},
    {"ClauseList", CORM_NODE_LIST, 'c', list_getset, NULL, NULL, NULL},
    {"BooleanClauseList", 0, 'c', list_getset, NULL, &boolean_list_type, NULL},
    {"Tuple", 0, 'c', list_getset, NULL, &tuple_type, NULL},
    {"Over", CORM_NODE_OVER, 'c', over_getset, NULL, NULL, NULL},
    {"Case", CORM_NODE_CASE, 'c', case_getset, NULL, NULL, NULL},
    {"Cast", CORM_NODE_CAST, 'c', cast_getset, NULL, NULL, NULL},
    {"TypeCoerce", 0, 'c', cast_getset, NULL, &coerce_type, NULL},
    {"Extract", CORM_NODE_EXTRACT, 'c', extract_getset, NULL, NULL, NULL},
    {"Label", CORM_NODE_LABEL, 'c', label_getset, NULL, NULL, NULL},
    {"Grouping", CORM_NODE_GROUPING, 'c', element_getset, NULL, NULL, NULL},
    {"Null", CORM_NODE_CONSTANT, 'c', NULL, NULL, &null_type, NULL},
    {"True_", 0, 'c', NULL, NULL, &true_type, NULL},
    {"False_", 0, 'c', NULL, NULL, &false_type, NULL},
    {"TextClause", CORM_NODE_TEXT, 'e', textual_getset, text_methods, NULL, NULL},
};

static PyTypeObject *make_class(PyObject *module, const view_class *described) {
    char name[96];
    PyType_Slot slots[12];
    size_t count = 0;
    PyOS_snprintf(name, sizeof name, "cormorant.sql.elements.%s", described->name);
    slots[count++] = (PyType_Slot){Py_tp_dealloc, corm_py_element_dealloc};
    if (described->getset != NULL) {
        slots[count++] = (PyType_Slot){Py_tp_getset, described->getset};
    }
    if (described->methods != NULL) {
        slots[count++] = (PyType_Slot){Py_tp_methods, described->methods};
    }
    if (described->repr != NULL) {
        slots[count++] = (PyType_Slot){Py_tp_repr, described->repr};
    }
    if (described->kind == CORM_NODE_TEXT) {
        slots[count++] = (PyType_Slot){Py_nb_and, text_and};
        slots[count++] = (PyType_Slot){Py_nb_or, text_or};
        slots[count++] = (PyType_Slot){Py_nb_invert, text_invert};
    }
    slots[count++] = (PyType_Slot){0, NULL};
    PyType_Spec spec = {.name = name,
                        .basicsize = described->base == 'e' ? sizeof(CormPyStatement) : sizeof(CormPyElement),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                        .slots = slots};
    PyTypeObject *base = described->base == 'e'   ? CormPyStatement_Type
                         : described->base == 'n' ? CormPyColumnClause_Type
                                                  : CormPyColumnElement_Type;
    return corm_py_type(module, &spec, base);
}

PyTypeObject *corm_py_view_class(const corm_node *node) {
    PyTypeObject *cls = NULL;
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_LIST:
        cls = node->op == CORM_OP_COMMA ? tuple_type : boolean_list_type;
        break;
    case CORM_NODE_CONSTANT:
        cls = node->op == CORM_OP_TRUE ? true_type : node->op == CORM_OP_FALSE ? false_type : null_type;
        break;
    case CORM_NODE_UNARY:
        cls = node->op == CORM_OP_EXISTS ? CormPyExists_Type : NULL;
        break;
    case CORM_NODE_BINARY:
        cls = node->op == CORM_OP_FILTER ? CormPyFunctionFilter_Type : NULL;
        break;
    case CORM_NODE_CAST:
        cls = node->detail == 1 ? coerce_type : NULL;
        break;
    case CORM_NODE_ALIAS:
        cls = corm_py_alias_class(node);
        break;
    default:
        break;
    }
    if (cls == NULL) {
        cls = corm_py_view_classes[node->kind];
    }
    return cls == NULL ? expression_type : cls;
}

int corm_py_views_init(PyObject *module) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        PyTypeObject *cls = make_class(module, &classes[i]);
        if (cls == NULL) {
            return -1;
        }
        if (classes[i].place != NULL) {
            *classes[i].place = cls;
        }
        if (classes[i].kind != 0) {
            corm_py_view_classes[classes[i].kind] = cls;
        }
    }
    return 0;
}
