/*
 * FROMs: tables, aliases, subqueries, CTEs and joins, and the collections of their columns.
 *
 * A FROM makes the views of its columns once and keeps them, so that `alias.c.x is alias.c.x`.
 */
#include "sql.h"

#include <structmember.h>

#include "schema/schema.h"
#include "sql/select.h"

PyTypeObject *CormPyFromClause_Type;
PyTypeObject *CormPyCollection_Type;
static PyTypeObject *alias_type, *subquery_type, *cte_type, *join_type;

/* ---- collections of columns ---- */

typedef struct CormPyCollection {
    PyObject_HEAD PyObject *keys; /* tuple */
    PyObject *columns;            /* tuple, beside keys */
    PyObject *by_key;             /* dict: the first of each key */
} CormPyCollection;

static CormPyCollection *as_collection(PyObject *object) {
    return (CormPyCollection *)object;
}

static int collection_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_collection(self)->keys);
    Py_VISIT(as_collection(self)->columns);
    Py_VISIT(as_collection(self)->by_key);
    return 0;
}

static void collection_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(as_collection(self)->keys);
    Py_CLEAR(as_collection(self)->columns);
    Py_CLEAR(as_collection(self)->by_key);
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *corm_py_columns_new(PyObject *pairs) {
    Py_ssize_t count = pairs == NULL ? 0 : PyList_GET_SIZE(pairs);
    CormPyCollection *self =
        pairs == NULL ? NULL : (CormPyCollection *)CormPyCollection_Type->tp_alloc(CormPyCollection_Type, 0);
    if (self == NULL) {
        Py_XDECREF(pairs);
        return NULL;
    }
    self->keys = PyTuple_New(count);
    self->columns = PyTuple_New(count);
    self->by_key = PyDict_New();
    int failed = self->keys == NULL || self->columns == NULL || self->by_key == NULL;
    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        PyObject *pair = PyList_GET_ITEM(pairs, i);
        PyObject *key = PyTuple_GET_ITEM(pair, 0), *column = PyTuple_GET_ITEM(pair, 1);
        PyTuple_SET_ITEM(self->keys, i, Py_NewRef(key));
        PyTuple_SET_ITEM(self->columns, i, Py_NewRef(column));
        failed = key != Py_None && PyDict_SetDefault(self->by_key, key, column) == NULL;
    }
    Py_DECREF(pairs);
    if (failed) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static PyObject *collection_find(CormPyCollection *self, PyObject *key) { /* borrowed */
    return PyDict_GetItemWithError(self->by_key, key);
}

static PyObject *collection_at(CormPyCollection *self, Py_ssize_t index) {
    Py_ssize_t count = PyTuple_GET_SIZE(self->columns);
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count) {
        PyErr_SetString(PyExc_IndexError, "list index out of range");
        return NULL;
    }
    return Py_NewRef(PyTuple_GET_ITEM(self->columns, index));
}

static PyObject *pair_list(const CormPyCollection *self, PyObject *wanted) {
    PyObject *pairs = PyList_New(0);
    for (Py_ssize_t i = 0; pairs != NULL && i < PyTuple_GET_SIZE(self->keys); i++) {
        PyObject *key = PyTuple_GET_ITEM(self->keys, i);
        int take = wanted == NULL ? 1 : PySequence_Contains(wanted, key);
        PyObject *pair = take <= 0 ? NULL : PyTuple_Pack(2, key, PyTuple_GET_ITEM(self->columns, i));
        if (take < 0 || (take > 0 && (pair == NULL || PyList_Append(pairs, pair) < 0))) {
            Py_CLEAR(pairs);
        }
        Py_XDECREF(pair);
    }
    return pairs;
}

static PyObject *collection_subscript(PyObject *object, PyObject *key) {
    CormPyCollection *self = as_collection(object);
    if (PyUnicode_Check(key)) {
        PyObject *found = collection_find(self, key);
        if (found == NULL && !PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, key);
        }
        return Py_XNewRef(found);
    }
    if (PyLong_Check(key)) {
        Py_ssize_t index = PyLong_AsSsize_t(key);
        return index == -1 && PyErr_Occurred() ? NULL : collection_at(self, index);
    }
    if (PySlice_Check(key)) {
        PyObject *pairs = pair_list(self, NULL);
        PyObject *part = pairs == NULL ? NULL : PyObject_GetItem(pairs, key);
        Py_XDECREF(pairs);
        return part == NULL ? NULL : corm_py_columns_new(part);
    }
    if (PyTuple_Check(key)) {
        return corm_py_columns_new(pair_list(self, key));
    }
    PyErr_Format(PyExc_KeyError, "%R", key);
    return NULL;
}

static PyObject *collection_getattr(PyObject *object, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(object, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    PyErr_Clear();
    found = collection_find(as_collection(object), name);
    if (found == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_AttributeError, name);
    }
    return Py_XNewRef(found);
}

static Py_ssize_t collection_length(PyObject *self) {
    return PyTuple_GET_SIZE(as_collection(self)->columns);
}

static int collection_contains(PyObject *self, PyObject *key) {
    if (!PyUnicode_Check(key)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "__contains__ requires a string argument");
        return corm_py_raise_int();
    }
    return PyDict_Contains(as_collection(self)->by_key, key);
}

static PyObject *collection_iter(PyObject *self) {
    return PyObject_GetIter(as_collection(self)->columns);
}

static int collection_bool(PyObject *self) {
    (void)self;
    return 1;
}

static PyObject *collection_keys(PyObject *self, PyObject *unused) {
    (void)unused;
    return PySequence_List(as_collection(self)->keys);
}

static PyObject *collection_values(PyObject *self, PyObject *unused) {
    (void)unused;
    return PySequence_List(as_collection(self)->columns);
}

static PyObject *collection_items(PyObject *self, PyObject *unused) {
    (void)unused;
    return pair_list(as_collection(self), NULL);
}

static PyObject *collection_get(PyObject *self, PyObject *args) {
    PyObject *key, *otherwise = Py_None;
    if (!PyArg_ParseTuple(args, "O|O:get", &key, &otherwise)) {
        return NULL;
    }
    PyObject *found = collection_find(as_collection(self), key);
    return found == NULL && PyErr_Occurred() ? NULL : Py_NewRef(found == NULL ? otherwise : found);
}

static PyObject *collection_contains_column(PyObject *object, PyObject *column) {
    CormPyCollection *self = as_collection(object);
    if (PyUnicode_Check(column)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "contains_column cannot be used with string arguments. Use "
                                            "``col_name in table.c`` instead.");
        return corm_py_raise();
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self->columns); i++) {
        if (PyTuple_GET_ITEM(self->columns, i) == column) {
            Py_RETURN_TRUE;
        }
    }
    Py_RETURN_FALSE;
}

static PyObject *collection_self(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *corresponding_in(corm_node *from, PyObject *column) {
    corm_node *sought = corm_py_node(column);
    if (sought == NULL) {
        return NULL;
    }
    corm_error_clear();
    corm_node *found = corm_from_corresponding(from, sought);
    corm_node_unref(sought);
    if (found == NULL && corm_error_last()->status == CORM_OK) {
        Py_RETURN_NONE;
    }
    return corm_py_wrap(found);
}

static PyObject *collection_str(PyObject *self) {
    CormPyCollection *collection = as_collection(self);
    PyObject *texts = PyList_New(0), *comma = PyUnicode_FromString(", ");
    for (Py_ssize_t i = 0; texts != NULL && i < PyTuple_GET_SIZE(collection->columns); i++) {
        PyObject *text = PyObject_Str(PyTuple_GET_ITEM(collection->columns, i));
        if (text == NULL || PyList_Append(texts, text) < 0) {
            Py_CLEAR(texts);
        }
        Py_XDECREF(text);
    }
    PyObject *joined = texts == NULL || comma == NULL ? NULL : PyUnicode_Join(comma, texts);
    PyObject *shown = joined == NULL ? NULL : PyUnicode_FromFormat("%s(%U)", Py_TYPE(self)->tp_name, joined);
    Py_XDECREF(texts);
    Py_XDECREF(comma);
    Py_XDECREF(joined);
    return shown;
}

static PyMethodDef collection_methods[] = {
    {"keys", collection_keys, METH_NOARGS, "keys()\n--\n\nThe names, in order."},
    {"values", collection_values, METH_NOARGS, "values()\n--\n\nThe columns, in order."},
    {"items", collection_items, METH_NOARGS, "items()\n--\n\nPairs of a name and a column, in order."},
    {"get", collection_get, METH_VARARGS, "get(key, default=None)\n--\n\nThe column of a name."},
    {"contains_column", collection_contains_column, METH_O,
     "contains_column(column)\n--\n\nWhether it is one of these."},
    {"as_readonly", collection_self, METH_NOARGS, "as_readonly()\n--\n\nThe collection itself."},
    {NULL, NULL, 0, NULL}};
static PyType_Slot collection_slots[] = {{Py_tp_doc, "Columns in order, by name, by position and as attributes."},
                                         {Py_tp_dealloc, collection_dealloc},
                                         {Py_tp_traverse, collection_traverse},
                                         {Py_tp_getattro, collection_getattr},
                                         {Py_tp_iter, collection_iter},
                                         {Py_tp_str, collection_str},
                                         {Py_tp_methods, collection_methods},
                                         {Py_mp_subscript, collection_subscript},
                                         {Py_mp_length, collection_length},
                                         {Py_sq_contains, collection_contains},
                                         {Py_nb_bool, collection_bool},
                                         {0, NULL}};
static PyType_Spec collection_spec = {.name = "cormorant.sql.base.ReadOnlyColumnCollection",
                                      .basicsize = sizeof(CormPyCollection),
                                      .flags =
                                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                      .slots = collection_slots};

/* ---- the columns of a FROM ---- */

static const char *own_key(const corm_node *column) {
    const corm_column *plain = corm_node_as_column(column);
    if (plain != NULL) {
        return plain->key;
    }
    const char *name = corm_node_display_name(column);
    return name != NULL ? name : corm_node_result_name(column);
}

/* The name in a join: with the table's before it. */
static PyObject *join_key(const corm_node *column) {
    const char *key = own_key(column), *table = NULL;
    const corm_column *plain = corm_node_as_column(column);
    if (plain != NULL && plain->table != NULL) {
        table = plain->table->name;
    } else if (column->kind == CORM_NODE_COLUMN_OF) {
        table = corm_node_display_name(corm_node_child(column, 0));
    }
    if (key == NULL) {
        return Py_NewRef(Py_None);
    }
    return table == NULL ? PyUnicode_FromString(key) : PyUnicode_FromFormat("%s_%s", table, key);
}

/* The n-th of the same name among a SELECT's columns has the number after it. */
static PyObject *numbered_key(const corm_vector *columns, size_t index, const char *name) {
    size_t same = 0;
    for (size_t i = 0; i < index; i++) {
        const char *other = own_key(columns->items[i]);
        same += other != NULL && strcmp(other, name) == 0;
    }
    return same == 0 ? PyUnicode_FromString(name) : PyUnicode_FromFormat("%s_%zu", name, same);
}

PyObject *corm_py_collection_of(corm_node *from) {
    corm_vector columns = {0};
    PyObject *pairs = NULL;
    if (corm_from_columns(from, &columns) != CORM_OK) {
        corm_nodes_unref(&columns);
        return corm_py_raise();
    }
    pairs = PyList_New(0);
    for (size_t i = 0; pairs != NULL && i < columns.count; i++) {
        corm_node *column = columns.items[i];
        const char *name = from->kind == CORM_NODE_JOIN ? NULL : own_key(column);
        PyObject *key = from->kind == CORM_NODE_JOIN ? join_key(column)
                        : name == NULL               ? Py_NewRef(Py_None)
                                                     : numbered_key(&columns, i, name);
        PyObject *view = key == NULL ? NULL : corm_py_wrap(corm_node_ref(column));
        PyObject *pair = view == NULL ? NULL : PyTuple_Pack(2, key, view);
        if (pair == NULL || PyList_Append(pairs, pair) < 0) {
            Py_CLEAR(pairs);
        }
        Py_XDECREF(key);
        Py_XDECREF(view);
        Py_XDECREF(pair);
    }
    corm_nodes_unref(&columns);
    return corm_py_columns_new(pairs);
}

/* ---- FROMs ---- */

static CormPyFrom *as_from(PyObject *object) {
    return (CormPyFrom *)object;
}

static int from_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(as_from(self)->collection);
    return corm_py_element_traverse(self, visit, arg);
}

static int from_clear(PyObject *self) {
    Py_CLEAR(as_from(self)->collection);
    return corm_py_element_clear(self);
}

static PyObject *get_columns(PyObject *self, void *closure) {
    (void)closure;
    if (as_from(self)->collection == NULL) {
        PyObject *made = corm_py_collection_of(corm_py_node_of(self));
        if (made == NULL) {
            return NULL;
        }
        Py_XSETREF(as_from(self)->collection, made);
    }
    return Py_NewRef(as_from(self)->collection);
}

static PyObject *get_name(PyObject *self, void *closure) {
    (void)closure;
    const char *name = corm_node_display_name(corm_py_node_of(self));
    return name == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(name);
}

CORM_PY_SIGNATURE(alias_signature, "alias", 2, 0, "name", "flat");

static PyObject *from_alias(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    const char *name;
    if (corm_py_unpack(&alias_signature, args, count, names, given) < 0 || corm_py_text_or_none(given[0], &name) < 0) {
        return NULL;
    }
    return corm_py_wrap(corm_alias_new(corm_py_node_of(self), name, 0));
}

static PyObject *from_select(PyObject *self, PyObject *unused) {
    corm_node *node = corm_py_node_of(self);
    (void)unused;
    return corm_py_wrap(corm_select_new(&node, 1));
}

PyObject *corm_py_join(corm_node *left, PyObject *right, PyObject *onclause, int outer, int full) {
    corm_node *target = corm_py_node_as(right, CORM_PY_ROLE_JOIN), *on = NULL;
    PyObject *result = NULL;
    if (target == NULL) {
        return NULL;
    }
    if (onclause != NULL && onclause != Py_None) {
        on = corm_py_node_as(onclause, CORM_PY_ROLE_ON);
    } else if (!((left->flags | target->flags) & CORM_NODE_HAS_EXTENSION)) {
        on = corm_join_condition(left, target, NULL);
        if (on == NULL) {
            corm_py_raise();
        }
    }
    if (PyErr_Occurred() == NULL) {
        uint16_t detail = (uint16_t)((outer || full ? CORM_JOIN_OUTER : 0) | (full ? CORM_JOIN_FULL : 0));
        result = corm_py_wrap(corm_join_new(left, target, on, detail));
    }
    corm_node_unref(target);
    corm_node_unref(on);
    return result;
}

CORM_PY_SIGNATURE(join_signature, "join", 4, 1, "right", "onclause", "isouter", "full");

static PyObject *from_join(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[4];
    int outer, full;
    if (corm_py_unpack(&join_signature, args, count, names, given) < 0 || (outer = corm_py_flag(given[2], 0)) < 0 ||
        (full = corm_py_flag(given[3], 0)) < 0) {
        return NULL;
    }
    return corm_py_join(corm_py_node_of(self), given[0], given[1], outer, full);
}

CORM_PY_SIGNATURE(outerjoin_signature, "outerjoin", 3, 1, "right", "onclause", "full");

static PyObject *from_outerjoin(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    int full;
    if (corm_py_unpack(&outerjoin_signature, args, count, names, given) < 0 || (full = corm_py_flag(given[2], 0)) < 0) {
        return NULL;
    }
    return corm_py_join(corm_py_node_of(self), given[0], given[1], 1, full);
}

static PyObject *from_corresponding(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"column", "require_embedded", NULL};
    PyObject *column;
    int embedded;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "O|p", names, &column, &embedded)
               ? corresponding_in(corm_py_node_of(self), column)
               : NULL;
}

static PyMethodDef from_methods[] = {
    {"alias", CORM_PY_FAST(from_alias), "alias(name=None, flat=False)\n--\n\nThe same FROM under another name."},
    {"select", from_select, METH_NOARGS, "select()\n--\n\nA SELECT of all columns."},
    {"join", CORM_PY_FAST(from_join), "join(right, onclause=None, isouter=False, full=False)\n--\n\nA join."},
    {"outerjoin", CORM_PY_FAST(from_outerjoin),
     "outerjoin(right, onclause=None, full=False)\n--\n\nA LEFT OUTER JOIN."},
    {"corresponding_column", (PyCFunction)(void (*)(void))from_corresponding, METH_VARARGS | METH_KEYWORDS,
     "corresponding_column(column)\n--\n\nThis FROM's view of a column, or None."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef from_getset[] = {{"c", get_columns, NULL, "The columns.", NULL},
                                    {"columns", get_columns, NULL, "The columns.", NULL},
                                    {"exported_columns", get_columns, NULL, "The columns.", NULL},
                                    {"entity_namespace", get_columns, NULL, "The columns.", NULL},
                                    {"name", get_name, NULL, "The name, or None.", NULL},
                                    {"description", get_name, NULL, "The name, or None.", NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot from_slots[] = {{Py_tp_doc, "What can stand in a FROM clause."},
                                   {Py_tp_dealloc, corm_py_element_dealloc},
                                   {Py_tp_traverse, from_traverse},
                                   {Py_tp_clear, from_clear},
                                   {Py_tp_methods, from_methods},
                                   {Py_tp_getset, from_getset},
                                   {0, NULL}};
static PyType_Spec from_spec = {.name = "cormorant.sql.selectable.FromClause",
                                .basicsize = sizeof(CormPyFrom),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                .slots = from_slots};

/* ---- aliases, subqueries and CTEs ---- */

static PyGetSetDef alias_getset[] = {CORM_PY_CHILD("element", 0, "What the name stands for."),
                                     CORM_PY_CHILD("original", 0, "What the name stands for."),
                                     {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot alias_slots[] = {{Py_tp_doc, "A FROM under another name."},
                                    {Py_tp_dealloc, corm_py_element_dealloc},
                                    {Py_tp_getset, alias_getset},
                                    {0, NULL}};
static PyType_Spec alias_spec = {.name = "cormorant.sql.selectable.Alias",
                                 .basicsize = sizeof(CormPyFrom),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                 .slots = alias_slots};

static PyObject *subquery_as_scalar(PyObject *self, PyObject *unused) {
    (void)unused;
    return corm_py_wrap(corm_scalar_subquery(corm_alias_element(corm_py_node_of(self))));
}

static PyMethodDef subquery_methods[] = {
    {"as_scalar", subquery_as_scalar, METH_NOARGS, "as_scalar()\n--\n\nThe SELECT as a value."}, {NULL, NULL, 0, NULL}};
static PyType_Slot subquery_slots[] = {{Py_tp_doc, "A SELECT as a FROM."},
                                       {Py_tp_dealloc, corm_py_element_dealloc},
                                       {Py_tp_methods, subquery_methods},
                                       {0, NULL}};
static PyType_Spec subquery_spec = {.name = "cormorant.sql.selectable.Subquery",
                                    .basicsize = sizeof(CormPyFrom),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                    .slots = subquery_slots};

/* A CTE of the same name whose SELECT is united with others, which may refer to it. */
static PyObject *cte_unite(corm_operator op, PyObject *self, PyObject *const *args, Py_ssize_t count) {
    corm_node *node = corm_py_node_of(self), *compound = NULL;
    corm_vector selects = {0};
    PyObject *result = NULL;
    if (corm_vector_push(&selects, corm_node_ref(corm_alias_element(node))) != CORM_OK) {
        corm_node_unref(corm_alias_element(node));
        return corm_py_raise();
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_SELECT, &selects) == 0) {
        compound = corm_compound_new(op, corm_py_items(&selects), selects.count);
        result = corm_py_wrap(compound == NULL ? NULL : corm_alias_new(compound, corm_alias_name(node), node->detail));
    }
    corm_node_unref(compound);
    corm_nodes_unref(&selects);
    return result;
}

static PyObject *cte_union(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return cte_unite(CORM_OP_UNION, self, args, count);
}

static PyObject *cte_union_all(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return cte_unite(CORM_OP_UNION_ALL, self, args, count);
}

static PyObject *get_recursive(PyObject *self, void *closure) {
    (void)closure;
    return PyBool_FromLong((corm_py_node_of(self)->detail & CORM_ALIAS_RECURSIVE) != 0);
}

static PyMethodDef cte_methods[] = {
    {"union", (PyCFunction)(void (*)(void))cte_union, METH_FASTCALL, "union(*selects)\n--\n\nThe CTE with UNION."},
    {"union_all", (PyCFunction)(void (*)(void))cte_union_all, METH_FASTCALL,
     "union_all(*selects)\n--\n\nThe CTE with UNION ALL."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef cte_getset[] = {{"recursive", get_recursive, NULL, "WITH RECURSIVE.", NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot cte_slots[] = {{Py_tp_doc, "A common table expression: WITH name AS (SELECT ...)."},
                                  {Py_tp_dealloc, corm_py_element_dealloc},
                                  {Py_tp_methods, cte_methods},
                                  {Py_tp_getset, cte_getset},
                                  {0, NULL}};
static PyType_Spec cte_spec = {.name = "cormorant.sql.selectable.CTE",
                               .basicsize = sizeof(CormPyFrom),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                               .slots = cte_slots};

PyTypeObject *corm_py_alias_class(const corm_node *alias) {
    if (alias->detail & CORM_ALIAS_CTE) {
        return cte_type;
    }
    const corm_node *element = corm_alias_element(alias);
    return corm_node_is_select(element) || element->kind == CORM_NODE_TEXT ? subquery_type : alias_type;
}

/* ---- joins ---- */

static PyObject *get_isouter(PyObject *self, void *closure) {
    return PyBool_FromLong((corm_py_node_of(self)->detail & (unsigned)(uintptr_t)closure) != 0);
}

static PyGetSetDef join_getset[] = {CORM_PY_CHILD("left", 0, "The left side."),
                                    CORM_PY_CHILD("right", 1, "The right side."),
                                    CORM_PY_CHILD("onclause", 2, "The ON condition."),
                                    {"isouter", get_isouter, NULL, "LEFT OUTER.", (void *)(uintptr_t)CORM_JOIN_OUTER},
                                    {"full", get_isouter, NULL, "FULL OUTER.", (void *)(uintptr_t)CORM_JOIN_FULL},
                                    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot join_slots[] = {{Py_tp_doc, "Two FROMs joined on a condition."},
                                   {Py_tp_dealloc, corm_py_element_dealloc},
                                   {Py_tp_getset, join_getset},
                                   {0, NULL}};
static PyType_Spec join_spec = {.name = "cormorant.sql.selectable.Join",
                                .basicsize = sizeof(CormPyFrom),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                .slots = join_slots};

/* join(left, right, onclause=None, isouter=False, full=False) and outerjoin() */
static PyObject *make_join(PyObject *args, PyObject *kwargs, int outer) {
    static char *names[] = {"left", "right", "onclause", "isouter", "full", NULL};
    static char *outer_names[] = {"left", "right", "onclause", "full", NULL};
    PyObject *left, *right, *onclause = NULL;
    int full = 0;
    if (!(outer ? PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Op:outerjoin", outer_names, &left, &right, &onclause,
                                              &full)
                : PyArg_ParseTupleAndKeywords(args, kwargs, "OO|Opp:join", names, &left, &right, &onclause, &outer,
                                              &full))) {
        return NULL;
    }
    corm_node *node = corm_py_node_as(left, CORM_PY_ROLE_FROM);
    PyObject *result = node == NULL ? NULL : corm_py_join(node, right, onclause, outer, full);
    corm_node_unref(node);
    return result;
}

static PyObject *join_function(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    return make_join(args, kwargs, 0);
}

static PyObject *outerjoin_function(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    return make_join(args, kwargs, 1);
}

static PyObject *alias_with(PyObject *args, PyObject *kwargs, uint16_t detail) {
    static char *names[] = {"selectable", "name", "flat", NULL};
    PyObject *selectable, *name = Py_None;
    int flat = 0;
    const char *text;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Op", names, &selectable, &name, &flat) ||
        corm_py_text_or_none(name, &text) < 0) {
        return NULL;
    }
    corm_node *node = corm_py_node(selectable);
    PyObject *result = node == NULL ? NULL : corm_py_wrap(corm_alias_new(node, text, detail));
    corm_node_unref(node);
    return result;
}

static PyObject *alias_function(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    return alias_with(args, kwargs, 0);
}

static PyObject *lateral_function(PyObject *module, PyObject *args, PyObject *kwargs) {
    (void)module;
    return alias_with(args, kwargs, CORM_ALIAS_LATERAL);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS
static PyMethodDef functions[] = {
    {"join", KEYWORDS(join_function), "join(left, right, onclause=None, isouter=False, full=False)\n--\n\nA join."},
    {"outerjoin", KEYWORDS(outerjoin_function),
     "outerjoin(left, right, onclause=None, full=False)\n--\n\nA LEFT OUTER JOIN."},
    {"alias", KEYWORDS(alias_function), "alias(selectable, name=None)\n--\n\nA FROM under another name."},
    {"lateral", KEYWORDS(lateral_function), "lateral(selectable, name=None)\n--\n\nA LATERAL subquery."},
    {NULL, NULL, 0, NULL}};

int corm_py_from_init(PyObject *module) {
    CormPyCollection_Type = corm_py_type(module, &collection_spec, NULL);
    CormPyFromClause_Type = corm_py_type(module, &from_spec, CormPyClauseElement_Type);
    if (CormPyCollection_Type == NULL || CormPyFromClause_Type == NULL) {
        return -1;
    }
    alias_type = corm_py_type(module, &alias_spec, CormPyFromClause_Type);
    subquery_type = corm_py_type(module, &subquery_spec, alias_type);
    cte_type = corm_py_type(module, &cte_spec, alias_type);
    join_type = corm_py_type(module, &join_spec, CormPyFromClause_Type);
    if (alias_type == NULL || subquery_type == NULL || cte_type == NULL || join_type == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_ALIAS] = alias_type;
    corm_py_view_classes[CORM_NODE_JOIN] = join_type;
    return PyModule_AddFunctions(module, functions);
}
