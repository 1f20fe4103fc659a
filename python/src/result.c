/*
 * Results: rows of a statement, as tuples with names, first items, or mappings.
 *
 * A Result owns the engine's result. What scalars(), mappings(), columns() and tuples() give looks at the same rows: it
 * holds the Result and reads through it. The fast ends (all scalars, all rows) fill a plain array, so that the list is
 * made once and the collector does not look at it while it grows.
 */
#include "result.h"
#include "orm.h"

#include <structmember.h>

#include "base/alloc.h"
#include "base/set.h"

typedef enum result_mode { MODE_ROWS, MODE_SCALARS, MODE_MAPPINGS } result_mode;

typedef struct CormPyResult {
    PyObject_HEAD struct CormPyResult *source; /* the Result whose rows these are; NULL: itself. Owned */
    corm_result *result;                       /* of a source: owned */
    corm_item *items;                          /* of a source: one row */
    PyObject *connection;                      /* kept alive, or NULL */
    PyObject *keys;                            /* a CormPyKeys, NULL until asked for */
    Py_ssize_t *picked;                        /* the columns that are given; NULL: all */
    Py_ssize_t width;
    result_mode mode;
    bool unique;
    bool closed;        /* close() or first(): of a source */
    bool reading;       /* a row is under way: of a source */
    PyObject *strategy; /* of unique(), or NULL */
    PyObject *seen;     /* set, NULL until the first row */
    Py_ssize_t yield_per;
    PyObject *weakrefs;
} CormPyResult;

static PyTypeObject *result_type, *cursor_result_type, *scalar_type, *mapping_type, *tuple_type;

static CormPyResult *source_of(CormPyResult *self) {
    return self->source == NULL ? self : self->source;
}

/* ---- values ---- */

/* How a column's value becomes an object, as far as it depends on the type alone. */
static inline bool is_direct(const corm_type *type) {
    return type == NULL || (type->host == NULL && type->kind != CORM_TYPE_BOOLEAN);
}

static inline PyObject *text_object(const char *data, size_t size) {
    uint64_t bits = 0, chunk;
    size_t at = 0;
    if (size < 2 || size > 1024) {
        return PyUnicode_DecodeUTF8(data, (Py_ssize_t)size, NULL);
    }
    for (; at + sizeof chunk <= size; at += sizeof chunk) {
        memcpy(&chunk, data + at, sizeof chunk);
        bits |= chunk;
    }
    for (; at < size; at++) {
        bits |= (uint64_t)(unsigned char)data[at];
    }
    if ((bits & 0x8080808080808080u) != 0) {
        return PyUnicode_DecodeUTF8(data, (Py_ssize_t)size, NULL);
    }
    PyObject *made = PyUnicode_New((Py_ssize_t)size, 127);
    if (made != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(made), data, size);
    }
    return made;
}

/* The item as an object: a new reference. Lets go of the item. */
static inline PyObject *take_item(const corm_output *output, corm_item *item) {
    if (output->is_object) {
        PyObject *object = (PyObject *)(void *)item->object;
        return object == NULL ? Py_NewRef(Py_None) : object;
    }
    if (is_direct(output->type)) {
        switch ((corm_kind)item->value.kind) {
        case CORM_KIND_NULL:
            return Py_NewRef(Py_None);
        case CORM_KIND_INTEGER:
            return PyLong_FromLongLong(item->value.as.integer);
        case CORM_KIND_FLOAT:
            return PyFloat_FromDouble(item->value.as.real);
        case CORM_KIND_TEXT:
            if (!item->value.owned) {
                return text_object(item->value.as.text.data, item->value.as.text.size);
            }
            break;
        default:
            break;
        }
    }
    PyObject *made = corm_py_from_value(&item->value, output->type);
    if (item->value.owned) {
        corm_value_clear(&item->value);
    }
    return made;
}

static void drop_item(const corm_output *output, corm_item *item) {
    if (!output->is_object) {
        if (item->value.owned) {
            corm_value_clear(&item->value);
        }
    } else if (item->object != NULL) {
        PyObject *object = (PyObject *)(void *)item->object;
        item->object = NULL;
        Py_DECREF(object);
    }
}

static void drop_items(const corm_output *outputs, corm_item *items, size_t from, size_t count) {
    for (size_t i = from; i < count; i++) {
        drop_item(&outputs[i], &items[i]);
    }
}

/* ---- names ---- */

static PyObject *make_keys(corm_result *result) {
    size_t count = corm_result_output_count(result);
    const corm_output *outputs = corm_result_outputs(result);
    PyObject *names = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && names != NULL; i++) {
        const char *text = outputs[i].name == NULL ? "" : outputs[i].name;
        PyObject *name = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
        if (name == NULL) {
            Py_CLEAR(names);
        } else {
            PyUnicode_InternInPlace(&name);
            PyTuple_SET_ITEM(names, (Py_ssize_t)i, name);
        }
    }
    PyObject *keys = names == NULL ? NULL : corm_py_keys_new(names, outputs, count);
    Py_XDECREF(names);
    return keys;
}

static PyObject *picked_keys(CormPyResult *self, CormPyKeys *all) {
    corm_output *outputs = PyMem_Calloc((size_t)self->width + 1, sizeof *outputs);
    PyObject *names = outputs == NULL ? PyErr_NoMemory() : PyTuple_New(self->width);
    for (Py_ssize_t i = 0; i < self->width && names != NULL; i++) {
        PyTuple_SET_ITEM(names, i, Py_NewRef(PyTuple_GET_ITEM(all->names, self->picked[i])));
        outputs[i].node = all->nodes == NULL ? NULL : all->nodes[self->picked[i]];
    }
    PyObject *keys = names == NULL ? NULL : corm_py_keys_new(names, outputs, (size_t)self->width);
    Py_XDECREF(names);
    PyMem_Free(outputs);
    return keys;
}

/* Borrowed. */
static CormPyKeys *keys_of(CormPyResult *self) {
    if (self->keys == NULL) {
        CormPyResult *source = source_of(self);
        if (source->keys == NULL) {
            source->keys = make_keys(source->result);
        }
        if (self != source && source->keys != NULL) {
            self->keys = self->picked == NULL ? Py_NewRef(source->keys) : picked_keys(self, (CormPyKeys *)source->keys);
        }
    }
    return (CormPyKeys *)self->keys;
}

/* ---- errors ---- */

static PyObject *raise_named(const char *name, const char *message) {
    PyObject *module = PyImport_ImportModule("cormorant.exc");
    PyObject *cls = module == NULL ? NULL : corm_py_get(module, name);
    if (cls != NULL) {
        PyErr_SetString(cls, message);
    }
    Py_XDECREF(cls);
    Py_XDECREF(module);
    return NULL;
}

static int check_rows(CormPyResult *self) {
    CormPyResult *source = source_of(self);
    if (source->result == NULL || source->closed) {
        raise_named("ResourceClosedError", "This result object is closed.");
        return -1;
    }
    if (!corm_result_returns_rows(source->result)) {
        raise_named("ResourceClosedError",
                    "This result object does not return rows. It has been closed automatically.");
        return -1;
    }
    return 0;
}

static int check_unique(CormPyResult *self) {
    if (!self->unique && corm_result_needs_unique(source_of(self)->result)) {
        raise_named("InvalidRequestError",
                    "The unique() method must be invoked on this Result, as it contains results that need to be "
                    "deduplicated: joined eager loads against collections");
        return -1;
    }
    return 0;
}

/* ---- one row ---- */

static PyObject *build_row(CormPyResult *self, const corm_output *outputs, corm_item *items, size_t count) {
    CormPyKeys *keys = keys_of(self);
    Py_ssize_t width = self->picked == NULL ? (Py_ssize_t)count : self->width;
    PyObject *row = keys == NULL ? NULL : corm_py_row_new((PyObject *)keys, width);
    if (row == NULL) {
        drop_items(outputs, items, 0, count);
        return NULL;
    }
    PyObject **places = corm_py_row_items(row);
    bool failed = false;
    if (self->picked == NULL) {
        for (size_t i = 0; i < count && !failed; i++) {
            places[i] = take_item(&outputs[i], &items[i]);
            failed = places[i] == NULL;
            if (failed) {
                drop_items(outputs, items, i + 1, count);
            }
        }
    } else {
        /* A column may be picked twice: every value is made once. */
        PyObject *all = PyTuple_New((Py_ssize_t)count);
        failed = all == NULL;
        for (size_t i = 0; i < count; i++) {
            PyObject *value = failed ? NULL : take_item(&outputs[i], &items[i]);
            if (value == NULL) {
                drop_items(outputs, items, failed ? i : i + 1, count);
                failed = true;
                break;
            }
            PyTuple_SET_ITEM(all, (Py_ssize_t)i, value);
        }
        for (Py_ssize_t i = 0; i < width && !failed; i++) {
            places[i] = Py_NewRef(PyTuple_GET_ITEM(all, self->picked[i]));
        }
        Py_XDECREF(all);
    }
    if (failed) {
        Py_DECREF(row);
        return NULL;
    }
    corm_py_row_done(row);
    return row;
}

static PyObject *build_scalar(CormPyResult *self, const corm_output *outputs, corm_item *items, size_t count) {
    size_t place = self->picked == NULL ? 0 : (size_t)self->picked[0];
    drop_items(outputs, items, 0, place);
    PyObject *value = take_item(&outputs[place], &items[place]);
    drop_items(outputs, items, place + 1, count);
    return value;
}

/* What unique() compares: an entity by its identity, a value by itself. */
static PyObject *unique_key(CormPyResult *self, PyObject *item, const corm_output *outputs, size_t count) {
    if (self->strategy != NULL) {
        return PyObject_CallOneArg(self->strategy, item);
    }
    if (self->mode == MODE_SCALARS) {
        size_t place = self->picked == NULL ? 0 : (size_t)self->picked[0];
        return outputs[place].is_object ? PyLong_FromVoidPtr(item) : Py_NewRef(item);
    }
    Py_ssize_t width = self->picked == NULL ? (Py_ssize_t)count : self->width;
    PyObject *key = PyTuple_New(width);
    for (Py_ssize_t i = 0; i < width && key != NULL; i++) {
        size_t place = self->picked == NULL ? (size_t)i : (size_t)self->picked[i];
        PyObject *value = PyTuple_GET_ITEM(item, i);
        PyObject *part = outputs[place].is_object ? PyLong_FromVoidPtr(value) : Py_NewRef(value);
        if (part == NULL) {
            Py_CLEAR(key);
        } else {
            PyTuple_SET_ITEM(key, i, part);
        }
    }
    return key;
}

/* 1: not seen before; 0: seen; -1 raised. */
static int is_new(CormPyResult *self, PyObject *item, const corm_output *outputs, size_t count) {
    if (self->seen == NULL) {
        self->seen = PySet_New(NULL);
    }
    PyObject *key = self->seen == NULL ? NULL : unique_key(self, item, outputs, count);
    if (key == NULL) {
        return -1;
    }
    int seen = PySet_Contains(self->seen, key);
    if (seen == 0 && PySet_Add(self->seen, key) < 0) {
        seen = -1;
    }
    Py_DECREF(key);
    return seen < 0 ? -1 : !seen;
}

/* One row as it comes: a new reference; NULL without an exception at the end. User's code runs meanwhile (conversions,
 * events) and may not read from the same result. */
static PyObject *read_item(CormPyResult *self, CormPyResult *source, const corm_output *outputs, size_t count) {
    bool has_row;
    if (source->reading) {
        return raise_named("InvalidRequestError", "This result is being read already, further up in the same call");
    }
    PyObject *item = NULL;
    source->reading = true;
    if (corm_result_next(source->result, source->items, &has_row) != CORM_OK) {
        corm_py_raise();
    } else if (has_row) {
        item = self->mode == MODE_SCALARS ? build_scalar(self, outputs, source->items, count)
                                          : build_row(self, outputs, source->items, count);
    }
    source->reading = false;
    return item;
}

/* The next item that is wanted: a new reference; NULL without an exception at the end. */
static PyObject *next_item(CormPyResult *self) {
    CormPyResult *source = source_of(self);
    size_t count = corm_result_output_count(source->result);
    const corm_output *outputs = corm_result_outputs(source->result);
    for (;;) {
        PyObject *item = read_item(self, source, outputs, count);
        int wanted = item == NULL || !self->unique ? 1 : is_new(self, item, outputs, count);
        if (wanted < 0) {
            Py_CLEAR(item);
        }
        if (item != NULL && wanted && self->mode == MODE_MAPPINGS) {
            Py_SETREF(item, corm_py_row_mapping(item));
        }
        if (wanted) {
            return item;
        }
        Py_DECREF(item);
    }
}

static PyObject *next_checked(CormPyResult *self) {
    return check_rows(self) < 0 || check_unique(self) < 0 ? NULL : next_item(self);
}

/* ---- many rows ---- */

typedef struct object_array {
    PyObject **items;
    size_t count, capacity;
} object_array;

static inline int array_reserve(object_array *array) {
    if (array->count < array->capacity) {
        return 0;
    }
    size_t capacity = array->capacity == 0 ? 64 : array->capacity * 2;
    PyObject **grown = PyMem_Realloc(array->items, capacity * sizeof *grown);
    if (grown == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    array->items = grown;
    array->capacity = capacity;
    return 0;
}

/* A list of the items; NULL when failed. The array is gone. */
static PyObject *array_finish(object_array *array, bool failed) {
    PyObject *list = failed ? NULL : PyList_New((Py_ssize_t)array->count);
    for (size_t i = 0; i < array->count; i++) {
        if (list == NULL) {
            Py_DECREF(array->items[i]);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, array->items[i]);
        }
    }
    PyMem_Free(array->items);
    *array = (object_array){0};
    return list;
}

/* Up to limit items; negative: all. */
static PyObject *collect(CormPyResult *self, Py_ssize_t limit) {
    object_array array = {0};
    bool failed = false;
    while (limit < 0 || (Py_ssize_t)array.count < limit) {
        PyObject *item = array_reserve(&array) < 0 ? NULL : next_item(self);
        if (item == NULL) {
            failed = PyErr_Occurred() != NULL;
            break;
        }
        array.items[array.count++] = item;
    }
    return array_finish(&array, failed);
}

static int scalars_into(corm_result *result, bool unique, object_array *array, corm_set *seen, corm_item *items) {
    size_t count = corm_result_output_count(result);
    const corm_output *outputs = corm_result_outputs(result);
    for (;;) {
        bool has_row;
        if (array_reserve(array) < 0) {
            return -1;
        }
        if (corm_result_next(result, items, &has_row) != CORM_OK) {
            return corm_py_raise_int();
        }
        if (!has_row) {
            return 0;
        }
        PyObject *item = take_item(&outputs[0], &items[0]);
        if (count > 1) {
            drop_items(outputs, items, 1, count);
        }
        if (item == NULL) {
            return -1;
        }
        bool added = true;
        if (unique && corm_set_add(seen, item, &added) != CORM_OK) {
            Py_DECREF(item);
            return corm_py_raise_int();
        }
        if (added) {
            array->items[array->count++] = item;
        } else {
            Py_DECREF(item);
        }
    }
}

static corm_item *items_for(corm_result *result) {
    size_t count = corm_result_output_count(result);
    corm_item *items = PyMem_Calloc(count + 1, sizeof *items);
    if (items == NULL) {
        PyErr_NoMemory();
    }
    return items;
}

static PyObject *no_rows(corm_result *result) {
    corm_result_free(result);
    return raise_named("ResourceClosedError",
                       "This result object does not return rows. It has been closed automatically.");
}

PyObject *corm_py_result_all_scalars(corm_result *result, bool unique) {
    if (!corm_result_returns_rows(result)) {
        return no_rows(result);
    }
    bool objects = corm_result_outputs(result)[0].is_object;
    object_array array = {0};
    corm_set seen = {0};
    corm_item *items = items_for(result);
    bool failed = items == NULL || scalars_into(result, unique && objects, &array, &seen, items) < 0;
    corm_set_clear(&seen);
    PyMem_Free(items);
    PyObject *list = array_finish(&array, failed);
    corm_result_free(result);
    if (list != NULL && unique && !objects) { /* plain values, by equality */
        PyObject *dict = PyDict_New();
        for (Py_ssize_t i = 0; dict != NULL && i < PyList_GET_SIZE(list); i++) {
            if (PyDict_SetItem(dict, PyList_GET_ITEM(list, i), Py_None) < 0) {
                Py_CLEAR(dict);
            }
        }
        Py_SETREF(list, dict == NULL ? NULL : PyDict_Keys(dict));
        Py_XDECREF(dict);
    }
    return list;
}

static PyObject *wrap(PyTypeObject *type, corm_result *result) {
    CormPyResult *self = (CormPyResult *)type->tp_alloc(type, 0);
    corm_item *items = self == NULL ? NULL : items_for(result);
    if (items == NULL) {
        Py_XDECREF(self);
        corm_result_free(result);
        return NULL;
    }
    self->result = result;
    self->items = items;
    return (PyObject *)self;
}

PyObject *corm_py_result_new(corm_result *result) {
    return result == NULL ? corm_py_raise() : wrap(cursor_result_type, result);
}

PyObject *corm_py_result_of_connection(corm_result *result, PyObject *connection) {
    PyObject *made = corm_py_result_new(result);
    /* Without rows there is nothing to come from the connection. */
    if (made != NULL && corm_result_returns_rows(result)) {
        ((CormPyResult *)made)->connection = Py_NewRef(connection);
    }
    return made;
}

PyObject *corm_py_result_all_rows(corm_result *result, bool unique) {
    if (!corm_result_returns_rows(result)) {
        return no_rows(result);
    }
    CormPyResult *self = (CormPyResult *)wrap(result_type, result);
    if (self == NULL) {
        return NULL;
    }
    self->unique = unique;
    PyObject *list = collect(self, -1);
    Py_DECREF(self);
    return list;
}

/* ---- life ---- */

static int result_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyResult *self = (CormPyResult *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->source);
    Py_VISIT(self->connection);
    Py_VISIT(self->strategy);
    Py_VISIT(self->seen);
    return 0;
}

static int result_clear(PyObject *object) {
    CormPyResult *self = (CormPyResult *)object;
    Py_CLEAR(self->connection);
    Py_CLEAR(self->strategy);
    Py_CLEAR(self->seen);
    return 0;
}

static void result_dealloc(PyObject *object) {
    CormPyResult *self = (CormPyResult *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    corm_result *result = self->result;
    self->result = NULL;
    corm_result_free(result);
    result_clear(object);
    Py_XDECREF(self->source);
    Py_XDECREF(self->keys);
    PyMem_Free(self->items);
    PyMem_Free(self->picked);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Rows that are left are dropped. */
static void close_source(CormPyResult *self) {
    CormPyResult *source = source_of(self);
    source->closed = true;
    if (source->result != NULL) {
        corm_result_close(source->result);
    }
    Py_CLEAR(source->connection);
}

/* Another look at the same rows. */
static CormPyResult *derive(CormPyResult *self, PyTypeObject *type, result_mode mode) {
    CormPyResult *made = (CormPyResult *)type->tp_alloc(type, 0);
    if (made == NULL) {
        return NULL;
    }
    made->source = (CormPyResult *)Py_NewRef((PyObject *)source_of(self));
    made->mode = mode;
    made->unique = self->unique;
    made->strategy = Py_XNewRef(self->strategy);
    made->yield_per = self->yield_per;
    if (self->picked != NULL) {
        made->picked = PyMem_Calloc((size_t)self->width + 1, sizeof *made->picked);
        if (made->picked == NULL) {
            Py_DECREF(made);
            PyErr_NoMemory();
            return NULL;
        }
        memcpy(made->picked, self->picked, (size_t)self->width * sizeof *made->picked);
        made->width = self->width;
    }
    return made;
}

/* ---- methods: reading ---- */

static PyObject *result_all(PyObject *object, PyObject *unused) {
    CormPyResult *self = (CormPyResult *)object;
    (void)unused;
    return check_rows(self) < 0 || check_unique(self) < 0 ? NULL : collect(self, -1);
}

static PyObject *none_at_end(PyObject *item) {
    return item != NULL || PyErr_Occurred() != NULL ? item : Py_NewRef(Py_None);
}

static PyObject *result_fetchone(PyObject *object, PyObject *unused) {
    (void)unused;
    return none_at_end(next_checked((CormPyResult *)object));
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
    return check_rows(self) < 0 || check_unique(self) < 0 ? NULL : collect(self, size);
}

static PyObject *result_first(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyResult *self = (CormPyResult *)object;
    PyObject *item = next_checked(self);
    if (item == NULL && PyErr_Occurred() != NULL) {
        return NULL;
    }
    close_source(self);
    return none_at_end(item);
}

/* The one row; *missing when there is none, which is an error unless it is allowed. */
static PyObject *only_item(CormPyResult *self, bool may_be_missing) {
    PyObject *item = next_checked(self);
    if (item == NULL) {
        if (PyErr_Occurred() != NULL) {
            return NULL;
        }
        close_source(self);
        return may_be_missing ? Py_NewRef(Py_None)
                              : raise_named("NoResultFound", "No row was found when one was required");
    }
    /* Without unique(), equal rows are still several. */
    PyObject *second = next_item(self);
    if (second != NULL || PyErr_Occurred() != NULL) {
        Py_DECREF(item);
        if (second != NULL) {
            Py_DECREF(second);
            close_source(self);
            raise_named("MultipleResultsFound", may_be_missing
                                                    ? "Multiple rows were found when one or none was required"
                                                    : "Multiple rows were found when exactly one was required");
        }
        return NULL;
    }
    close_source(self);
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
    CormPyResult *scalars = derive(self, scalar_type, MODE_SCALARS);
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
    return check_rows((CormPyResult *)object) < 0 ? NULL : Py_NewRef(object);
}

static PyObject *result_next(PyObject *object) {
    return next_checked((CormPyResult *)object);
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
    if (result == NULL || check_rows(result) < 0 || check_unique(result) < 0) {
        return NULL;
    }
    PyObject *list = collect(result, ((Partitions *)self)->size);
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
    CormPyKeys *keys = keys_of(self);
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
                raise_named("NoSuchColumnError", PyUnicode_AsUTF8(shown));
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
    if (check_rows(self) < 0) {
        return NULL;
    }
    CormPyResult *made = derive(self, self->mode == MODE_MAPPINGS ? mapping_type : result_type, self->mode);
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
    if (check_rows(self) < 0) {
        return NULL;
    }
    CormPyResult *made = derive(self, scalar_type, MODE_SCALARS);
    if (made != NULL && count == 1 && pick(self, made, args, count) < 0) {
        Py_CLEAR(made);
    }
    return (PyObject *)made;
}

static PyObject *result_mappings(PyObject *object, PyObject *unused) {
    (void)unused;
    return (PyObject *)derive((CormPyResult *)object, mapping_type, MODE_MAPPINGS);
}

static PyObject *result_tuples(PyObject *object, PyObject *unused) {
    (void)unused;
    return (PyObject *)derive((CormPyResult *)object, tuple_type, MODE_ROWS);
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
    if (source_of(self)->result == NULL || !corm_result_returns_rows(source_of(self)->result)) {
        return check_rows(self) < 0 ? NULL : Py_NewRef(Py_None);
    }
    CormPyKeys *keys = keys_of(self);
    PyObject *make = keys == NULL ? NULL : corm_py_import("cormorant.engine.result", "RMKeyView");
    PyObject *view = make == NULL ? NULL : PyObject_CallOneArg(make, keys->names);
    Py_XDECREF(make);
    return view;
}

static PyObject *result_close(PyObject *object, PyObject *unused) {
    (void)unused;
    close_source((CormPyResult *)object);
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
    return source_of((CormPyResult *)object)->result;
}

static PyObject *get_closed(PyObject *object, void *closure) {
    (void)closure;
    CormPyResult *source = source_of((CormPyResult *)object);
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
        return raise_named("InvalidRequestError", "Statement is not an insert() expression construct.");
    }
    if (corm_result_inserted_key(result, &values, &count) != CORM_OK) {
        return corm_py_raise();
    }
    if (count == 0 && table->primary_key.count > 0) {
        return raise_named(
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
    PyObject *connection = source_of((CormPyResult *)object)->connection;
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
    {Py_tp_dealloc, result_dealloc}, {Py_tp_traverse, result_traverse}, {Py_tp_clear, result_clear},                   \
        {Py_tp_iter, result_iter}, {Py_tp_iternext, result_next}, {                                                    \
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
    result_type = corm_py_type(module, &result_spec, NULL);
    cursor_result_type = result_type == NULL ? NULL : corm_py_type(module, &cursor_spec, result_type);
    scalar_type = cursor_result_type == NULL ? NULL : corm_py_type(module, &scalar_spec, NULL);
    mapping_type = scalar_type == NULL ? NULL : corm_py_type(module, &mapping_spec, NULL);
    tuple_type = mapping_type == NULL ? NULL : corm_py_type(module, &tuple_spec, result_type);
    partitions_type = tuple_type == NULL ? NULL : corm_py_type(module, &partitions_spec, NULL);
    return partitions_type == NULL ? -1 : 0;
}
