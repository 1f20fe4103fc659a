/*
 * Results: rows of a statement, as tuples with names, first items, or mappings.
 *
 * A Result owns the engine's result. What scalars(), mappings(), columns() and tuples() give looks at the same rows: it
 * holds the Result and reads through it. The fast ends (all scalars, all rows) fill a plain array, so that the list is
 * made once and the collector does not look at it while it grows.
 */
#include "engine.h"
#include "result_private.h"

#include "base/alloc.h"
#include "base/set.h"

PyTypeObject *corm_py_result_type, *corm_py_cursor_result_type;

/* ---- values ---- */

/* How a column's value becomes an object, as far as it depends on the type alone. */
static inline bool is_direct(const corm_type *type) {
    return type == NULL || (type->host == NULL && type->kind != CORM_TYPE_BOOLEAN);
}

/* Else a text that stands for something comes as that. */
static inline bool is_typed(const corm_type *type) {
    return type != NULL && type->kind != CORM_TYPE_NULL;
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
            if (!item->value.owned && (item->value.form == CORM_FORM_TEXT || is_typed(output->type))) {
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
CormPyKeys *corm_py_result_keys(CormPyResult *self) {
    if (self->keys == NULL) {
        CormPyResult *source = corm_py_result_source(self);
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

int corm_py_result_check_rows(CormPyResult *self) {
    CormPyResult *source = corm_py_result_source(self);
    if (source->result == NULL || source->closed) {
        corm_py_raise_as("ResourceClosedError", "This result object is closed.");
        return -1;
    }
    if (!corm_result_returns_rows(source->result)) {
        corm_py_raise_as("ResourceClosedError",
                         "This result object does not return rows. It has been closed automatically.");
        return -1;
    }
    return 0;
}

int corm_py_result_check_unique(CormPyResult *self) {
    if (!self->unique && corm_result_needs_unique(corm_py_result_source(self)->result)) {
        corm_py_raise_as("InvalidRequestError",
                         "The unique() method must be invoked on this Result, as it contains results that need to be "
                         "deduplicated: joined eager loads against collections");
        return -1;
    }
    return 0;
}

/* ---- one row ---- */

static PyObject *build_row(CormPyResult *self, const corm_output *outputs, corm_item *items, size_t count) {
    CormPyKeys *keys = corm_py_result_keys(self);
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
    if (self->mode == CORM_PY_RESULT_SCALARS) {
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
        return corm_py_raise_as("InvalidRequestError",
                                "This result is being read already, further up in the same call");
    }
    PyObject *item = NULL;
    source->reading = true;
    if (corm_result_next(source->result, source->items, &has_row) != CORM_OK) {
        corm_py_raise();
    } else if (has_row) {
        item = self->mode == CORM_PY_RESULT_SCALARS ? build_scalar(self, outputs, source->items, count)
                                                    : build_row(self, outputs, source->items, count);
    }
    source->reading = false;
    return item;
}

/* The next item that is wanted: a new reference; NULL without an exception at the end. */
PyObject *corm_py_result_next_item(CormPyResult *self) {
    CormPyResult *source = corm_py_result_source(self);
    size_t count = corm_result_output_count(source->result);
    const corm_output *outputs = corm_result_outputs(source->result);
    for (;;) {
        PyObject *item = read_item(self, source, outputs, count);
        int wanted = item == NULL || !self->unique ? 1 : is_new(self, item, outputs, count);
        if (wanted < 0) {
            Py_CLEAR(item);
        }
        if (item != NULL && wanted && self->mode == CORM_PY_RESULT_MAPPINGS) {
            Py_SETREF(item, corm_py_row_mapping(item));
        }
        if (wanted) {
            return item;
        }
        Py_DECREF(item);
    }
}

PyObject *corm_py_result_next_checked(CormPyResult *self) {
    return corm_py_result_check_rows(self) < 0 || corm_py_result_check_unique(self) < 0
               ? NULL
               : corm_py_result_next_item(self);
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
PyObject *corm_py_result_collect(CormPyResult *self, Py_ssize_t limit) {
    object_array array = {0};
    bool failed = false;
    while (limit < 0 || (Py_ssize_t)array.count < limit) {
        PyObject *item = array_reserve(&array) < 0 ? NULL : corm_py_result_next_item(self);
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
    return corm_py_raise_as("ResourceClosedError",
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
    return result == NULL ? corm_py_raise() : wrap(corm_py_cursor_result_type, result);
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
    CormPyResult *self = (CormPyResult *)wrap(corm_py_result_type, result);
    if (self == NULL) {
        return NULL;
    }
    self->unique = unique;
    PyObject *list = corm_py_result_collect(self, -1);
    Py_DECREF(self);
    return list;
}

/* ---- life ---- */

int corm_py_result_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyResult *self = (CormPyResult *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->source);
    Py_VISIT(self->connection);
    Py_VISIT(self->strategy);
    Py_VISIT(self->seen);
    return 0;
}

int corm_py_result_clear(PyObject *object) {
    CormPyResult *self = (CormPyResult *)object;
    Py_CLEAR(self->connection);
    Py_CLEAR(self->strategy);
    Py_CLEAR(self->seen);
    return 0;
}

void corm_py_result_dealloc(PyObject *object) {
    CormPyResult *self = (CormPyResult *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    corm_result *result = self->result;
    self->result = NULL;
    corm_result_free(result);
    corm_py_result_clear(object);
    Py_XDECREF(self->source);
    Py_XDECREF(self->keys);
    PyMem_Free(self->items);
    PyMem_Free(self->picked);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Rows that are left are dropped. */
void corm_py_result_close(CormPyResult *self) {
    CormPyResult *source = corm_py_result_source(self);
    source->closed = true;
    if (source->result != NULL) {
        corm_result_close(source->result);
    }
    Py_CLEAR(source->connection);
}

/* Another look at the same rows. */
CormPyResult *corm_py_result_derive(CormPyResult *self, PyTypeObject *type, corm_py_result_mode mode) {
    CormPyResult *made = (CormPyResult *)type->tp_alloc(type, 0);
    if (made == NULL) {
        return NULL;
    }
    made->source = (CormPyResult *)Py_NewRef((PyObject *)corm_py_result_source(self));
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
