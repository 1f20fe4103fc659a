/*
 * What users call on results: the ends (all, one, scalar, ...), other looks at the rows, and what a statement left behind.
 */
#include "engine.h"
#include "orm.h"
#include "result_private.h"

#include <structmember.h>

static PyTypeObject *scalar_type, *mapping_type, *tuple_type;

/* ---- methods: reading ---- */

static PyObject *result_all(PyObject *object, PyObject *unused) {
    CormPyResult *self = (CormPyResult *)object;
    (void)unused;
    return corm_py_result_check_rows(self) < 0 || corm_py_result_check_unique(self) < 0
               ? NULL
               : corm_py_result_collect(self, -1);
}

static PyObject *none_at_end(PyObject *item) {
    return item != NULL || PyErr_Occurred() != NULL ? item : Py_NewRef(Py_None);
}

static PyObject *result_fetchone(PyObject *object, PyObject *unused) {
    (void)unused;
    return none_at_end(corm_py_result_next_checked((CormPyResult *)object));
}

static PyObject *result_fetchmany(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"size", NULL};
    CormPyResult *self = (CormPyResult *)object;
    PyObject *given = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", keywords, &given)) {
        return NULL;
    }
    Py_ssize_t size = self->yield_per > 0 ? self->yield_per : 1;
    if (given != Py_None) {
        size = PyNumber_AsSsize_t(given, PyExc_OverflowError);
        if (size == -1 && PyErr_Occurred() != NULL) {
            return NULL;
        }
    }
    return corm_py_result_check_rows(self) < 0 || corm_py_result_check_unique(self) < 0
               ? NULL
               : corm_py_result_collect(self, size);
}

static PyObject *result_first(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyResult *self = (CormPyResult *)object;
    PyObject *item = corm_py_result_next_checked(self);
    if (item == NULL && PyErr_Occurred() != NULL) {
        return NULL;
    }
    corm_py_result_close(self);
    return none_at_end(item);
}

/* The one row; *missing when there is none, which is an error unless it is allowed. */
static PyObject *only_item(CormPyResult *self, bool may_be_missing) {
    PyObject *item = corm_py_result_next_checked(self);
    if (item == NULL) {
        if (PyErr_Occurred() != NULL) {
            return NULL;
        }
        corm_py_result_close(self);
        return may_be_missing ? Py_NewRef(Py_None)
                              : corm_py_raise_as("NoResultFound", "No row was found when one was required");
    }
    /* Without unique(), equal rows are still several. */
    PyObject *second = corm_py_result_next_item(self);
    if (second != NULL || PyErr_Occurred() != NULL) {
        Py_DECREF(item);
        if (second != NULL) {
            Py_DECREF(second);
            corm_py_result_close(self);
            corm_py_raise_as("MultipleResultsFound", may_be_missing
                                                         ? "Multiple rows were found when one or none was required"
                                                         : "Multiple rows were found when exactly one was required");
        }
        return NULL;
    }
    corm_py_result_close(self);
    return item;
}

static PyObject *result_one(PyObject *object, PyObject *unused) {
    (void)unused;
    return only_item((CormPyResult *)object, false);
}

static PyObject *result_one_or_none(PyObject *object, PyObject *unused) {
    (void)unused;
    return only_item((CormPyResult *)object, true);
}

/* The first column of what a method gives. */
static PyObject *scalar_by(PyObject *object, PyCFunction method) {
    CormPyResult *self = (CormPyResult *)object;
    CormPyResult *scalars = corm_py_result_derive(self, scalar_type, CORM_PY_RESULT_SCALARS);
    PyObject *value = scalars == NULL ? NULL : method((PyObject *)scalars, NULL);
    Py_XDECREF(scalars);
    return value;
}

static PyObject *result_scalar(PyObject *object, PyObject *unused) {
    (void)unused;
    return scalar_by(object, result_first);
}

static PyObject *result_scalar_one(PyObject *object, PyObject *unused) {
    (void)unused;
    return scalar_by(object, result_one);
}

static PyObject *result_scalar_one_or_none(PyObject *object, PyObject *unused) {
    (void)unused;
    return scalar_by(object, result_one_or_none);
}

static PyObject *result_iter(PyObject *object) {
    return corm_py_result_check_rows((CormPyResult *)object) < 0 ? NULL : Py_NewRef(object);
}

static PyObject *result_next(PyObject *object) {
    return corm_py_result_next_checked((CormPyResult *)object);
}

/* ---- partitions ---- */

typedef struct Partitions {
    PyObject_HEAD CormPyResult *result;
    Py_ssize_t size;
} Partitions;

static PyTypeObject *partitions_type;

static int partitions_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Partitions *)self)->result);
    return 0;
}

static int partitions_clear(PyObject *self) {
    Py_CLEAR(((Partitions *)self)->result);
    return 0;
}

static void partitions_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    partitions_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *partitions_next(PyObject *self) {
    CormPyResult *result = ((Partitions *)self)->result;
    if (result == NULL || corm_py_result_check_rows(result) < 0 || corm_py_result_check_unique(result) < 0) {
        return NULL;
    }
    PyObject *list = corm_py_result_collect(result, ((Partitions *)self)->size);
    if (list != NULL && PyList_GET_SIZE(list) == 0) {
        Py_CLEAR(list);
    }
    return list;
}

static PyType_Slot partitions_slots[] = {{Py_tp_dealloc, partitions_dealloc},
                                         {Py_tp_traverse, partitions_traverse},
                                         {Py_tp_clear, partitions_clear},
                                         {Py_tp_iter, PyObject_SelfIter},
                                         {Py_tp_iternext, partitions_next},
                                         {Py_tp_doc, "Lists of rows, one after the other."},
                                         {0}};

static PyType_Spec partitions_spec = {.name = "cormorant._engine._Partitions",
                                      .basicsize = sizeof(Partitions),
                                      .flags =
                                          Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                      .slots = partitions_slots};

static PyObject *result_partitions(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"size", NULL};
    CormPyResult *self = (CormPyResult *)object;
    PyObject *given = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", keywords, &given)) {
        return NULL;
    }
    Py_ssize_t size = self->yield_per > 0 ? self->yield_per : -1;
    if (given != Py_None) {
        size = PyNumber_AsSsize_t(given, PyExc_OverflowError);
        if (size < 1) {
            if (PyErr_Occurred() == NULL) {
                PyErr_SetString(PyExc_ValueError, "partitions() takes a size of 1 or more");
            }
            return NULL;
        }
    }
    Partitions *made = (Partitions *)partitions_type->tp_alloc(partitions_type, 0);
    if (made != NULL) {
        made->result = (CormPyResult *)Py_NewRef(object);
        made->size = size;
    }
    return (PyObject *)made;
}

/* ---- methods: other looks ---- */

/* The place of a column by number, name or expression; -1 raised. */
static Py_ssize_t find_column(CormPyResult *self, PyObject *key) {
    CormPyKeys *keys = corm_py_result_keys(self);
    if (keys == NULL) {
        return -1;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(keys->names);
    Py_ssize_t place;
    if (PyLong_Check(key)) {
        place = PyLong_AsSsize_t(key);
        if (place == -1 && PyErr_Occurred() != NULL) {
            return -1;
        }
        place = place < 0 ? place + count : place;
        if (place < 0 || place >= count) {
            PyErr_SetString(PyExc_IndexError, "tuple index out of range");
            return -1;
        }
    } else {
        place = corm_py_keys_find(keys, key);
        if (place == -1) {
            PyObject *shown = PyUnicode_FromFormat("Could not locate column in row for column '%S'", key);
            if (shown != NULL) {
                corm_py_raise_as("NoSuchColumnError", PyUnicode_AsUTF8(shown));
                Py_DECREF(shown);
            }
        }
        if (place < 0) {
            return -1;
        }
    }
    return self->picked == NULL ? place : self->picked[place];
}

static int pick(CormPyResult *from, CormPyResult *made, PyObject *const *columns, Py_ssize_t count) {
    Py_ssize_t *picked = PyMem_Calloc((size_t)count + 1, sizeof *picked);
    if (picked == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        picked[i] = find_column(from, columns[i]);
        if (picked[i] < 0) {
            PyMem_Free(picked);
            return -1;
        }
    }
    PyMem_Free(made->picked);
    made->picked = picked;
    made->width = count;
    return 0;
}

static PyObject *result_columns(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    CormPyResult *self = (CormPyResult *)object;
    if (corm_py_result_check_rows(self) < 0) {
        return NULL;
    }
    CormPyResult *made = corm_py_result_derive(
        self, self->mode == CORM_PY_RESULT_MAPPINGS ? mapping_type : corm_py_result_type, self->mode);
    if (made != NULL && pick(self, made, args, count) < 0) {
        Py_CLEAR(made);
    }
    return (PyObject *)made;
}

static PyObject *result_scalars(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    CormPyResult *self = (CormPyResult *)object;
    if (count > 1) {
        PyErr_SetString(PyExc_TypeError, "scalars() takes one column");
        return NULL;
    }
    if (corm_py_result_check_rows(self) < 0) {
        return NULL;
    }
    CormPyResult *made = corm_py_result_derive(self, scalar_type, CORM_PY_RESULT_SCALARS);
    if (made != NULL && count == 1 && pick(self, made, args, count) < 0) {
        Py_CLEAR(made);
    }
    return (PyObject *)made;
}

static PyObject *result_mappings(PyObject *object, PyObject *unused) {
    (void)unused;
    return (PyObject *)corm_py_result_derive((CormPyResult *)object, mapping_type, CORM_PY_RESULT_MAPPINGS);
}

static PyObject *result_tuples(PyObject *object, PyObject *unused) {
    (void)unused;
    return (PyObject *)corm_py_result_derive((CormPyResult *)object, tuple_type, CORM_PY_RESULT_ROWS);
}

static PyObject *result_unique(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"strategy", NULL};
    CormPyResult *self = (CormPyResult *)object;
    PyObject *strategy = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", keywords, &strategy)) {
        return NULL;
    }
    self->unique = true;
    Py_XSETREF(self->strategy, strategy == Py_None ? NULL : Py_NewRef(strategy));
    Py_CLEAR(self->seen);
    return Py_NewRef(object);
}

static PyObject *result_yield_per(PyObject *object, PyObject *size) {
    Py_ssize_t count = PyNumber_AsSsize_t(size, PyExc_OverflowError);
    if (count == -1 && PyErr_Occurred() != NULL) {
        return NULL;
    }
    ((CormPyResult *)object)->yield_per = count;
    return Py_NewRef(object);
}

static PyObject *result_keys(PyObject *object, PyObject *unused) {
    CormPyResult *self = (CormPyResult *)object;
    (void)unused;
    if (corm_py_result_source(self)->result == NULL || !corm_result_returns_rows(corm_py_result_source(self)->result)) {
        return corm_py_result_check_rows(self) < 0 ? NULL : Py_NewRef(Py_None);
    }
    CormPyKeys *keys = corm_py_result_keys(self);
    PyObject *make = keys == NULL ? NULL : corm_py_import("cormorant.engine.result", "RMKeyView");
    PyObject *view = make == NULL ? NULL : PyObject_CallOneArg(make, keys->names);
    Py_XDECREF(make);
    return view;
}

static PyObject *result_close(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_py_result_close((CormPyResult *)object);
    Py_RETURN_NONE;
}

static PyObject *result_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    return Py_NewRef(object);
}

static PyObject *result_exit(PyObject *object, PyObject *args) {
    (void)args;
    return result_close(object, NULL);
}

/* ---- attributes ---- */

static corm_result *engine_result(PyObject *object) {
    return corm_py_result_source((CormPyResult *)object)->result;
}

static PyObject *get_closed(PyObject *object, void *closure) {
    (void)closure;
    CormPyResult *source = corm_py_result_source((CormPyResult *)object);
    return PyBool_FromLong(source->closed || (source->result != NULL && !corm_result_returns_rows(source->result)));
}

static PyObject *get_returns_rows(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(engine_result(object) != NULL && corm_result_returns_rows(engine_result(object)));
}

static PyObject *get_rowcount(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromLongLong(engine_result(object) == NULL ? -1 : corm_result_rowcount(engine_result(object)));
}

static PyObject *get_lastrowid(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromLongLong(engine_result(object) == NULL ? 0 : corm_result_generated_key(engine_result(object)));
}

static PyObject *get_is_insert(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(engine_result(object) != NULL &&
                           (corm_result_statement_flags(engine_result(object)) & CORM_COMPILED_INSERT));
}

static PyObject *get_inserted_key(PyObject *object, void *closure) {
    (void)closure;
    corm_result *result = engine_result(object);
    const corm_value *values;
    size_t count;
    corm_table *table = result == NULL ? NULL : corm_result_inserted_table(result);
    if (table == NULL) {
        return corm_py_raise_as("InvalidRequestError", "Statement is not an insert() expression construct.");
    }
    if (corm_result_inserted_key(result, &values, &count) != CORM_OK) {
        return corm_py_raise();
    }
    if (count == 0 && table->primary_key.count > 0) {
        return corm_py_raise_as(
            "InvalidRequestError",
            "This statement was an executemany call; if primary key information is needed, insert row by "
            "row or use returning().");
    }
    PyObject *names = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && names != NULL; i++) {
        PyObject *name = PyUnicode_FromString(((corm_column *)table->primary_key.items[i])->key);
        if (name == NULL) {
            Py_CLEAR(names);
        } else {
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
        }
    }
    PyObject *keys = names == NULL ? NULL : corm_py_keys_new(names, NULL, 0);
    PyObject *row = keys == NULL ? NULL : corm_py_row_new(keys, (Py_ssize_t)count);
    for (size_t i = 0; i < count && row != NULL; i++) {
        PyObject *value = corm_py_from_value(&values[i], corm_column_type(table->primary_key.items[i]));
        if (value == NULL) {
            Py_CLEAR(row);
        } else {
            corm_py_row_items(row)[i] = value;
        }
    }
    if (row != NULL) {
        corm_py_row_done(row);
    }
    Py_XDECREF(keys);
    Py_XDECREF(names);
    return row;
}

static PyObject *get_inserted_key_rows(PyObject *object, void *closure) {
    PyObject *row = get_inserted_key(object, closure);
    PyObject *list = row == NULL ? NULL : PyList_New(1);
    if (list == NULL) {
        Py_XDECREF(row);
    } else {
        PyList_SET_ITEM(list, 0, row);
    }
    return list;
}

static PyObject *get_connection(PyObject *object, void *closure) {
    (void)closure;
    PyObject *connection = corm_py_result_source((CormPyResult *)object)->connection;
    return Py_NewRef(connection == NULL ? Py_None : connection);
}

/* ---- types ---- */

#define FASTCALL(function) (PyCFunction)(void (*)(void))(function)

#define READING                                                                                                        \
    {"all", result_all, METH_NOARGS, "all($self, /)\n--\n\nAll remaining items in a list."},                           \
        {"first", result_first, METH_NOARGS, "first($self, /)\n--\n\nThe first item or None; closes the result."},     \
        {"one", result_one, METH_NOARGS,                                                                               \
         "one($self, /)\n--\n\nThe only item; NoResultFound or MultipleResultsFound."},                                \
        {"one_or_none", result_one_or_none, METH_NOARGS,                                                               \
         "one_or_none($self, /)\n--\n\nThe only item or None; MultipleResultsFound."},                                 \
        {"fetchall", result_all, METH_NOARGS, "fetchall($self, /)\n--\n\nAll remaining items in a list."},             \
        {"fetchmany", FASTCALL(result_fetchmany), METH_VARARGS | METH_KEYWORDS,                                        \
         "fetchmany($self, size=None)\n--\n\nUp to size items in a list."},                                            \
        {"partitions", FASTCALL(result_partitions), METH_VARARGS | METH_KEYWORDS,                                      \
         "partitions($self, size=None)\n--\n\nIterate over lists of up to size items."},                               \
        {"unique", FASTCALL(result_unique), METH_VARARGS | METH_KEYWORDS,                                              \
         "unique($self, strategy=None)\n--\n\nGive each item once; strategy makes what is compared."},                 \
        {"yield_per", result_yield_per, METH_O, "yield_per($self, num, /)\n--\n\nHow many rows partitions() has."},    \
        {"close", result_close, METH_NOARGS, "close($self, /)\n--\n\nDrop the remaining rows."},                       \
        {"__enter__", result_enter, METH_NOARGS, NULL}, {"__exit__", result_exit, METH_VARARGS, NULL}, {               \
        "__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, "For annotations."                                  \
    }

static PyMethodDef result_methods[] = {
    READING,
    {"fetchone", result_fetchone, METH_NOARGS, "fetchone($self, /)\n--\n\nThe next row, or None at the end."},
    {"scalar", result_scalar, METH_NOARGS,
     "scalar($self, /)\n--\n\nThe first column of the first row, or None; closes the result."},
    {"scalar_one", result_scalar_one, METH_NOARGS, "scalar_one($self, /)\n--\n\nThe first column of the only row."},
    {"scalar_one_or_none", result_scalar_one_or_none, METH_NOARGS,
     "scalar_one_or_none($self, /)\n--\n\nThe first column of the only row, or None."},
    {"scalars", FASTCALL(result_scalars), METH_FASTCALL,
     "scalars($self, index=0, /)\n--\n\nThe rows' values of one column."},
    {"mappings", result_mappings, METH_NOARGS, "mappings($self, /)\n--\n\nThe rows as mappings."},
    {"columns", FASTCALL(result_columns), METH_FASTCALL, "columns($self, /, *columns)\n--\n\nSome columns only."},
    {"tuples", result_tuples, METH_NOARGS, "tuples($self, /)\n--\n\nThe rows, typed as tuples."},
    {"keys", result_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the columns."},
    {NULL}};

static PyMethodDef scalar_methods[] = {READING, {NULL}};

static PyMethodDef mapping_methods[] = {
    READING,
    {"fetchone", result_fetchone, METH_NOARGS, "fetchone($self, /)\n--\n\nThe next mapping, or None at the end."},
    {"columns", FASTCALL(result_columns), METH_FASTCALL, "columns($self, /, *columns)\n--\n\nSome columns only."},
    {"keys", result_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the columns."},
    {NULL}};

static PyGetSetDef filter_getset[] = {{"closed", get_closed, NULL, "Whether the result was closed.", NULL}, {NULL}};

static PyGetSetDef cursor_getset[] = {
    {"closed", get_closed, NULL, "Whether the result was closed.", NULL},
    {"returns_rows", get_returns_rows, NULL, "Whether the statement gives rows.", NULL},
    {"rowcount", get_rowcount, NULL, "How many rows an UPDATE or DELETE matched.", NULL},
    {"lastrowid", get_lastrowid, NULL, "The database's number for the inserted row.", NULL},
    {"is_insert", get_is_insert, NULL, "Whether the statement is an insert().", NULL},
    {"inserted_primary_key", get_inserted_key, NULL, "The primary key of the inserted row.", NULL},
    {"inserted_primary_key_rows", get_inserted_key_rows, NULL, "The primary keys of the inserted rows.", NULL},
    {"connection", get_connection, NULL, "The connection that it came from.", NULL},
    {NULL}};

static PyMemberDef result_members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyResult, weakrefs), READONLY},
                                       {NULL}};

#define RESULT_SLOTS                                                                                                   \
    {Py_tp_dealloc, corm_py_result_dealloc}, {Py_tp_traverse, corm_py_result_traverse},                                \
        {Py_tp_clear, corm_py_result_clear}, {Py_tp_iter, result_iter}, {Py_tp_iternext, result_next}, {               \
        Py_tp_members, result_members                                                                                  \
    }

enum {
    DERIVED_FLAGS = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    RESULT_FLAGS = DERIVED_FLAGS | Py_TPFLAGS_HAVE_GC
};

static PyType_Slot result_slots[] = {RESULT_SLOTS,
                                     {Py_tp_methods, result_methods},
                                     {Py_tp_getset, filter_getset},
                                     {Py_tp_doc, "The rows of a statement."},
                                     {0}};
static PyType_Slot cursor_slots[] = {{Py_tp_getset, cursor_getset}, {Py_tp_doc, "The outcome of a statement."}, {0}};
static PyType_Slot scalar_slots[] = {RESULT_SLOTS,
                                     {Py_tp_methods, scalar_methods},
                                     {Py_tp_getset, filter_getset},
                                     {Py_tp_doc, "The values of one column of a result."},
                                     {0}};
static PyType_Slot mapping_slots[] = {RESULT_SLOTS,
                                      {Py_tp_methods, mapping_methods},
                                      {Py_tp_getset, filter_getset},
                                      {Py_tp_doc, "The rows of a result as mappings."},
                                      {0}};
static PyType_Slot tuple_slots[] = {{Py_tp_doc, "The rows of a result, typed as tuples."}, {0}};

static PyType_Spec result_spec = {"cormorant._engine.Result", sizeof(CormPyResult), 0, RESULT_FLAGS, result_slots};
static PyType_Spec cursor_spec = {"cormorant._engine.CursorResult", sizeof(CormPyResult), 0, DERIVED_FLAGS,
                                  cursor_slots};
static PyType_Spec scalar_spec = {"cormorant._engine.ScalarResult", sizeof(CormPyResult), 0, RESULT_FLAGS,
                                  scalar_slots};
static PyType_Spec mapping_spec = {"cormorant._engine.MappingResult", sizeof(CormPyResult), 0, RESULT_FLAGS,
                                   mapping_slots};
static PyType_Spec tuple_spec = {"cormorant._engine.TupleResult", sizeof(CormPyResult), 0, DERIVED_FLAGS, tuple_slots};

int corm_py_result_init(PyObject *module) {
    if (corm_py_row_init(module) < 0) {
        return -1;
    }
    corm_py_result_type = corm_py_type(module, &result_spec, NULL);
    corm_py_cursor_result_type =
        corm_py_result_type == NULL ? NULL : corm_py_type(module, &cursor_spec, corm_py_result_type);
    scalar_type = corm_py_cursor_result_type == NULL ? NULL : corm_py_type(module, &scalar_spec, NULL);
    mapping_type = scalar_type == NULL ? NULL : corm_py_type(module, &mapping_spec, NULL);
    tuple_type = mapping_type == NULL ? NULL : corm_py_type(module, &tuple_spec, corm_py_result_type);
    partitions_type = tuple_type == NULL ? NULL : corm_py_type(module, &partitions_spec, NULL);
    return partitions_type == NULL ? -1 : 0;
}
