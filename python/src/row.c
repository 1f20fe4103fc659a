/*
 * Rows: tuples with names.
 *
 * A row's memory is a tuple's with one place more, behind the items, for the keys that all rows of a result share. Rows of
 * plain values are unknown to the cyclic collector, which is the largest cost of many of them.
 */
#include "result.h"

#include "base/alloc.h"

PyTypeObject *CormPyKeys_Type;
PyTypeObject *CormPyRow_Type;
PyTypeObject *CormPyRowMapping_Type;

/* ---- keys ---- */

PyObject *corm_py_keys_new(PyObject *names, const corm_output *outputs, size_t count) {
    CormPyKeys *keys = (CormPyKeys *)CormPyKeys_Type->tp_alloc(CormPyKeys_Type, 0);
    if (keys == NULL) {
        return NULL;
    }
    keys->names = Py_NewRef(names);
    if (outputs != NULL && count > 0) {
        keys->nodes = PyMem_Calloc(count, sizeof *keys->nodes);
        if (keys->nodes == NULL) {
            Py_DECREF(keys);
            return PyErr_NoMemory();
        }
        for (size_t i = 0; i < count; i++) {
            keys->nodes[i] = outputs[i].node == NULL ? NULL : corm_node_ref(outputs[i].node);
        }
    }
    return (PyObject *)keys;
}

static void keys_dealloc(PyObject *self) {
    CormPyKeys *keys = (CormPyKeys *)self;
    PyTypeObject *type = Py_TYPE(self);
    for (Py_ssize_t i = 0; keys->nodes != NULL && i < PyTuple_GET_SIZE(keys->names); i++) {
        corm_node_unref(keys->nodes[i]);
    }
    PyMem_Free(keys->nodes);
    Py_XDECREF(keys->names);
    Py_XDECREF(keys->index);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The first of several columns of one name is found. */
static PyObject *index_of(CormPyKeys *keys) {
    if (keys->index != NULL) {
        return keys->index;
    }
    PyObject *index = PyDict_New();
    for (Py_ssize_t i = PyTuple_GET_SIZE(keys->names) - 1; i >= 0 && index != NULL; i--) {
        PyObject *place = PyLong_FromSsize_t(i);
        if (place == NULL || PyDict_SetItem(index, PyTuple_GET_ITEM(keys->names, i), place) < 0) {
            Py_CLEAR(index);
        }
        Py_XDECREF(place);
    }
    keys->index = index;
    return index;
}

static Py_ssize_t find_name(CormPyKeys *keys, PyObject *name) {
    PyObject *index = index_of(keys);
    PyObject *place = index == NULL ? NULL : PyDict_GetItemWithError(index, name);
    if (place == NULL) {
        return PyErr_Occurred() == NULL ? -1 : -2;
    }
    return PyLong_AsSsize_t(place);
}

static Py_ssize_t find_node(const CormPyKeys *keys, const corm_node *node) {
    Py_ssize_t count = keys->nodes == NULL ? 0 : PyTuple_GET_SIZE(keys->names);
    for (Py_ssize_t i = 0; i < count; i++) {
        if (keys->nodes[i] == node) {
            return i;
        }
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (keys->nodes[i] != NULL && corm_node_equal(keys->nodes[i], node)) {
            return i;
        }
    }
    return -1;
}

Py_ssize_t corm_py_keys_find(CormPyKeys *keys, PyObject *key) {
    if (PyUnicode_Check(key)) {
        return find_name(keys, key);
    }
    if (PyLong_Check(key) || PyTuple_Check(key) || PySlice_Check(key)) {
        return -1;
    }
    corm_node *node = corm_py_node(key);
    if (node == NULL) {
        if (PyErr_ExceptionMatches(PyExc_Exception)) {
            PyErr_Clear();
            return -1;
        }
        return -2;
    }
    Py_ssize_t place = find_node(keys, node);
    if (place < 0) {
        const char *text = corm_node_result_name(node);
        PyObject *name = text == NULL ? NULL : PyUnicode_FromString(text);
        if (name != NULL) {
            place = find_name(keys, name);
            Py_DECREF(name);
        } else if (PyErr_Occurred() != NULL) {
            place = -2;
        }
    }
    corm_node_unref(node);
    return place;
}

static PyType_Slot keys_slots[] = {{Py_tp_dealloc, keys_dealloc}, {Py_tp_doc, "The names of a result's columns."}, {0}};

static PyType_Spec keys_spec = {.name = "cormorant._engine._RowKeys",
                                .basicsize = sizeof(CormPyKeys),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                .slots = keys_slots};

/* ---- rows ---- */

static CormPyKeys *keys_of(PyObject *row) {
    return (CormPyKeys *)corm_py_row_items(row)[Py_SIZE(row)];
}

PyObject *corm_py_row_new(PyObject *keys, Py_ssize_t count) {
    PyTupleObject *row = PyObject_GC_NewVar(PyTupleObject, CormPyRow_Type, count + 1);
    if (row == NULL) {
        return NULL;
    }
    memset(row->ob_item, 0, (size_t)(count + 1) * sizeof *row->ob_item);
    Py_SET_SIZE(row, count);
    row->ob_item[count] = Py_NewRef(keys);
    return (PyObject *)row;
}

void corm_py_row_done(PyObject *row) {
    PyObject **items = corm_py_row_items(row);
    for (Py_ssize_t i = 0; i < Py_SIZE(row); i++) {
        if (PyType_IS_GC(Py_TYPE(items[i]))) {
            PyObject_GC_Track(row);
            return;
        }
    }
}

static void row_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject **items = corm_py_row_items(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, row_dealloc) for (Py_ssize_t i = Py_SIZE(self); i >= 0; i--) {
        Py_XDECREF(items[i]);
    }
    PyObject_GC_Del(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

static int row_traverse(PyObject *self, visitproc visit, void *arg) {
    PyObject **items = corm_py_row_items(self);
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = Py_SIZE(self); i >= 0; i--) {
        Py_VISIT(items[i]);
    }
    return 0;
}

static PyObject *no_column(const char *exception, PyObject *key) {
    PyObject *module = PyImport_ImportModule("cormorant.exc");
    PyObject *cls = module == NULL ? NULL : corm_py_get(module, exception);
    if (cls != NULL) {
        PyErr_Format(cls, "Could not locate column in row for column '%S'", key);
    }
    Py_XDECREF(cls);
    Py_XDECREF(module);
    return NULL;
}

/* Columns come before the tuple's methods (count, index), after names with an underscore. */
static PyObject *row_getattro(PyObject *self, PyObject *name) {
    bool private = PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) == '_';
    if (!private) {
        Py_ssize_t place = find_name(keys_of(self), name);
        if (place >= 0) {
            return Py_NewRef(corm_py_row_items(self)[place]);
        }
        if (place < -1) {
            return NULL;
        }
    }
    PyObject *found = PyObject_GenericGetAttr(self, name);
    if (found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        Py_ssize_t place = -1;
        if (private) {
            PyErr_Clear();
            place = find_name(keys_of(self), name);
        }
        if (place >= 0) {
            return Py_NewRef(corm_py_row_items(self)[place]);
        }
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "Could not locate column in row for column '%U'", name);
    }
    return found;
}

static int row_setattro(PyObject *self, PyObject *name, PyObject *value) {
    (void)self;
    (void)value;
    PyErr_Format(PyExc_AttributeError, "can't set attribute '%U': rows do not change", name);
    return -1;
}

static PyObject *row_subscript(PyObject *self, PyObject *key) {
    if (PyUnicode_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "tuple indices must be integers or slices, not str");
        return NULL;
    }
    return PyTuple_Type.tp_as_mapping->mp_subscript(self, key);
}

static PyObject *row_asdict(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *made = PyDict_New();
    PyObject *names = keys_of(self)->names;
    for (Py_ssize_t i = 0; i < Py_SIZE(self) && made != NULL; i++) {
        if (PyDict_SetDefault(made, PyTuple_GET_ITEM(names, i), corm_py_row_items(self)[i]) == NULL) {
            Py_CLEAR(made);
        }
    }
    return made;
}

static PyObject *row_tuple(PyObject *self, PyObject *unused) {
    (void)unused;
    return Py_NewRef(self);
}

static PyObject *row_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *module = PyImport_ImportModule("cormorant._engine");
    PyObject *function = module == NULL ? NULL : corm_py_get(module, "_row_restore");
    PyObject *items = PyTuple_GetSlice(self, 0, Py_SIZE(self));
    PyObject *result =
        function == NULL || items == NULL ? NULL : Py_BuildValue("O(OO)", function, keys_of(self)->names, items);
    Py_XDECREF(items);
    Py_XDECREF(function);
    Py_XDECREF(module);
    return result;
}

static PyObject *row_restore(PyObject *module, PyObject *args) {
    PyObject *names, *items;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", &PyTuple_Type, &names, &PyTuple_Type, &items)) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(names) != PyTuple_GET_SIZE(items)) {
        PyErr_SetString(PyExc_ValueError, "a row needs a value for each name");
        return NULL;
    }
    PyObject *keys = corm_py_keys_new(names, NULL, 0);
    PyObject *row = keys == NULL ? NULL : corm_py_row_new(keys, PyTuple_GET_SIZE(items));
    Py_XDECREF(keys);
    if (row != NULL) {
        for (Py_ssize_t i = 0; i < Py_SIZE(row); i++) {
            corm_py_row_items(row)[i] = Py_NewRef(PyTuple_GET_ITEM(items, i));
        }
        corm_py_row_done(row);
    }
    return row;
}

static PyObject *row_fields(PyObject *self, void *closure) {
    (void)closure;
    return Py_NewRef(keys_of(self)->names);
}

static PyObject *row_mapping(PyObject *self, void *closure) {
    (void)closure;
    return corm_py_row_mapping(self);
}

static PyObject *row_itself(PyObject *self, void *closure) {
    (void)closure;
    return Py_NewRef(self);
}

static PyMethodDef row_methods[] = {
    {"_asdict", row_asdict, METH_NOARGS, "_asdict($self, /)\n--\n\nA new dict of the row's names and values."},
    {"_tuple", row_tuple, METH_NOARGS, "_tuple($self, /)\n--\n\nThe row, typed as a tuple."},
    {"tuple", row_tuple, METH_NOARGS, "tuple($self, /)\n--\n\nThe row, typed as a tuple."},
    {"__reduce__", row_reduce, METH_NOARGS, "For pickle and copy."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "Row[Tuple[int, str]], for annotations."},
    {NULL}};

static PyGetSetDef row_getset[] = {{"_fields", row_fields, NULL, "The names, as a tuple.", NULL},
                                   {"_mapping", row_mapping, NULL, "The row as a mapping, by name or column.", NULL},
                                   {"_t", row_itself, NULL, "The row, typed as a tuple.", NULL},
                                   {"t", row_itself, NULL, "The row, typed as a tuple.", NULL},
                                   {NULL}};

static PyType_Slot row_slots[] = {{Py_tp_dealloc, row_dealloc},
                                  {Py_tp_traverse, row_traverse},
                                  {Py_tp_getattro, row_getattro},
                                  {Py_tp_setattro, row_setattro},
                                  {Py_mp_subscript, row_subscript},
                                  {Py_tp_methods, row_methods},
                                  {Py_tp_getset, row_getset},
                                  {Py_tp_doc, "A row of a result: a tuple with names."},
                                  {0}};

static PyType_Spec row_spec = {.name = "cormorant._engine.Row",
                               .basicsize = offsetof(PyTupleObject, ob_item),
                               .itemsize = sizeof(PyObject *),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = row_slots};

/* ---- a row as a mapping ---- */

typedef struct CormPyRowMapping {
    PyObject_HEAD PyObject *row;
} CormPyRowMapping;

static PyObject *row_of(PyObject *self) {
    return ((CormPyRowMapping *)self)->row;
}

PyObject *corm_py_row_mapping(PyObject *row) {
    CormPyRowMapping *mapping = (CormPyRowMapping *)CormPyRowMapping_Type->tp_alloc(CormPyRowMapping_Type, 0);
    if (mapping != NULL) {
        mapping->row = Py_NewRef(row);
    }
    return (PyObject *)mapping;
}

static int mapping_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(row_of(self));
    return 0;
}

static int mapping_clear(PyObject *self) {
    (void)self; /* a mapping without its row would be broken; the row's items are cleared by their own types */
    return 0;
}

static void mapping_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(row_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *mapping_subscript(PyObject *self, PyObject *key) {
    Py_ssize_t place = corm_py_keys_find(keys_of(row_of(self)), key);
    if (place == -1) {
        return no_column("NoSuchColumnError", key);
    }
    return place < 0 ? NULL : Py_NewRef(corm_py_row_items(row_of(self))[place]);
}

static Py_ssize_t mapping_length(PyObject *self) {
    return Py_SIZE(row_of(self));
}

static int mapping_contains(PyObject *self, PyObject *key) {
    Py_ssize_t place = corm_py_keys_find(keys_of(row_of(self)), key);
    return place >= 0 ? 1 : place == -1 ? 0 : -1;
}

static PyObject *mapping_iter(PyObject *self) {
    return PyObject_GetIter(keys_of(row_of(self))->names);
}

static PyObject *as_dict(PyObject *self) {
    return row_asdict(row_of(self), NULL);
}

static PyObject *mapping_repr(PyObject *self) {
    PyObject *dict = as_dict(self);
    PyObject *text = dict == NULL ? NULL : PyObject_Repr(dict);
    Py_XDECREF(dict);
    return text;
}

static PyObject *mapping_view(PyObject *self, const char *name) {
    PyObject *dict = as_dict(self);
    PyObject *view = dict == NULL ? NULL : corm_py_call(dict, name, NULL);
    Py_XDECREF(dict);
    return view;
}

static PyObject *mapping_keys(PyObject *self, PyObject *unused) {
    (void)unused;
    return mapping_view(self, "keys");
}

static PyObject *mapping_values(PyObject *self, PyObject *unused) {
    (void)unused;
    return mapping_view(self, "values");
}

static PyObject *mapping_items(PyObject *self, PyObject *unused) {
    (void)unused;
    return mapping_view(self, "items");
}

static PyObject *mapping_get(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count < 1 || count > 2) {
        PyErr_SetString(PyExc_TypeError, "get() takes a key and a default");
        return NULL;
    }
    Py_ssize_t place = corm_py_keys_find(keys_of(row_of(self)), args[0]);
    if (place < -1) {
        return NULL;
    }
    return Py_NewRef(place >= 0 ? corm_py_row_items(row_of(self))[place] : count == 2 ? args[1] : Py_None);
}

static PyObject *mapping_compare(PyObject *self, PyObject *other, int op) {
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *dict = as_dict(self);
    PyObject *right = NULL, *result = NULL;
    if (dict != NULL) {
        right = Py_TYPE(other) == CormPyRowMapping_Type ? as_dict(other) : Py_NewRef(other);
        result = right == NULL ? NULL : PyObject_RichCompare(dict, right, op);
    }
    Py_XDECREF(dict);
    Py_XDECREF(right);
    return result;
}

static PyObject *mapping_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *get = PyImport_ImportModule("operator");
    PyObject *attribute = get == NULL ? NULL : corm_py_call(get, "attrgetter", "s", "_mapping");
    PyObject *result = attribute == NULL ? NULL : Py_BuildValue("O(O)", attribute, row_of(self));
    Py_XDECREF(get);
    Py_XDECREF(attribute);
    return result;
}

static PyMethodDef mapping_methods[] = {
    {"keys", mapping_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names."},
    {"values", mapping_values, METH_NOARGS, "values($self, /)\n--\n\nThe values."},
    {"items", mapping_items, METH_NOARGS, "items($self, /)\n--\n\nPairs of name and value."},
    {"get", (PyCFunction)(void (*)(void))mapping_get, METH_FASTCALL,
     "get($self, key, default=None, /)\n--\n\nThe value of a column, or the default."},
    {"__reduce__", mapping_reduce, METH_NOARGS, "For pickle and copy."},
    {NULL}};

static PyType_Slot mapping_slots[] = {{Py_tp_dealloc, mapping_dealloc},
                                      {Py_tp_traverse, mapping_traverse},
                                      {Py_tp_clear, mapping_clear},
                                      {Py_tp_iter, mapping_iter},
                                      {Py_tp_repr, mapping_repr},
                                      {Py_tp_richcompare, mapping_compare},
                                      {Py_tp_hash, PyObject_HashNotImplemented},
                                      {Py_tp_methods, mapping_methods},
                                      {Py_mp_subscript, mapping_subscript},
                                      {Py_mp_length, mapping_length},
                                      {Py_sq_contains, mapping_contains},
                                      {Py_tp_doc, "A row as a mapping of names, or columns, to values."},
                                      {0}};

static PyType_Spec mapping_spec = {.name = "cormorant._engine.RowMapping",
                                   .basicsize = sizeof(CormPyRowMapping),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                            Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_MAPPING,
                                   .slots = mapping_slots};

static PyMethodDef functions[] = {{"_row_restore", row_restore, METH_VARARGS, "Make a row of names and values."},
                                  {NULL}};

int corm_py_row_init(PyObject *module) {
    CormPyKeys_Type = corm_py_type(module, &keys_spec, NULL);
    CormPyRow_Type = CormPyKeys_Type == NULL ? NULL : corm_py_type(module, &row_spec, &PyTuple_Type);
    CormPyRowMapping_Type = CormPyRow_Type == NULL ? NULL : corm_py_type(module, &mapping_spec, NULL);
    return CormPyRowMapping_Type == NULL ? -1 : PyModule_AddFunctions(module, functions);
}
