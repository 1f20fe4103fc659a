/*
 * Parameter sets of execute(): None, a mapping, or a list of mappings.
 *
 * Values are borrowed from Python's objects, which are held one by one, since the caller's dictionary may change while
 * user code runs. A list or tuple is offered both as a list, for IN, and as the object that it is.
 */
#include "parameters.h"
#include "engine.h"

#include "base/alloc.h"

typedef struct parameter_memory {
    PyObject **held;
    size_t held_count, held_capacity;
    const char **names;
    corm_value *values;
    const corm_value **lists;
    size_t *list_counts;
    corm_value **list_memory;
    size_t list_memory_count;
} parameter_memory;

static int hold(parameter_memory *memory, PyObject *object) {
    if (memory->held_count == memory->held_capacity) {
        size_t capacity = memory->held_capacity == 0 ? 16 : memory->held_capacity * 2;
        PyObject **grown = PyMem_Realloc(memory->held, capacity * sizeof *grown);
        if (grown == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        memory->held = grown;
        memory->held_capacity = capacity;
    }
    memory->held[memory->held_count++] = Py_NewRef(object);
    return 0;
}

/* The items of a list that may be meant for IN. */
static int add_list(parameter_memory *memory, PyObject *object, size_t place) {
    PyObject *items = PySequence_Tuple(object);
    if (items == NULL) {
        return -1;
    }
    int status = hold(memory, items);
    Py_DECREF(items);
    size_t count = status < 0 ? 0 : (size_t)PyTuple_GET_SIZE(items);
    size_t width = count > 0 && PyTuple_Check(PyTuple_GET_ITEM(items, 0))
                       ? (size_t)PyTuple_GET_SIZE(PyTuple_GET_ITEM(items, 0))
                       : 1;
    corm_value *values = status < 0 ? NULL : PyMem_Calloc(count * (width == 0 ? 1 : width) + 1, sizeof *values);
    corm_value **grown = values == NULL ? NULL
                                        : PyMem_Realloc(memory->list_memory,
                                                        (memory->list_memory_count + 1) * sizeof *memory->list_memory);
    if (grown == NULL) {
        PyMem_Free(values);
        if (status == 0) {
            PyErr_NoMemory();
        }
        return -1;
    }
    memory->list_memory = grown;
    memory->list_memory[memory->list_memory_count++] = values;
    memory->lists[place] = values;
    memory->list_counts[place] = count * width;
    for (size_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, (Py_ssize_t)i);
        bool is_tuple = PyTuple_Check(item) && (size_t)PyTuple_GET_SIZE(item) == width;
        for (size_t part = 0; part < width; part++) {
            PyObject *value = is_tuple ? PyTuple_GET_ITEM(item, (Py_ssize_t)part) : item;
            if (corm_py_to_value(value, &values[i * width + part]) != CORM_OK) {
                return corm_py_raise_int();
            }
        }
    }
    return 0;
}

static int add_value(parameter_memory *memory, PyObject *key, PyObject *value, size_t place) {
    if (!PyUnicode_Check(key)) {
        PyObject *name = corm_py_get(key, "key"); /* of columns; others are what they say */
        if (name == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            name = PyObject_Str(key);
        }
        if (name == NULL || !PyUnicode_Check(name)) {
            if (PyErr_Occurred() == NULL) {
                PyErr_SetString(PyExc_TypeError, "names of parameters are strings");
            }
            Py_XDECREF(name);
            return -1;
        }
        int status = hold(memory, name);
        memory->names[place] = status < 0 ? NULL : PyUnicode_AsUTF8(name);
        Py_DECREF(name);
    } else {
        memory->names[place] = hold(memory, key) < 0 ? NULL : PyUnicode_AsUTF8(key);
    }
    if (memory->names[place] == NULL || hold(memory, value) < 0) {
        return -1;
    }
    if (corm_py_to_value(value, &memory->values[place]) != CORM_OK) {
        return corm_py_raise_int();
    }
    if (PyList_Check(value) || PyTuple_Check(value) || PyAnySet_Check(value)) {
        return add_list(memory, value, place);
    }
    return 0;
}

static int add_set(parameter_memory *memory, PyObject *dict, size_t *place) {
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(dict, &at, &key, &value)) {
        if (add_value(memory, key, value, (*place)++) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *argument_error(const char *message) {
    return corm_py_raise_as("ArgumentError", message);
}

/* A dict of a mapping: itself when it is one. */
static PyObject *as_dict(PyObject *object) {
    if (PyDict_Check(object)) {
        return Py_NewRef(object);
    }
    PyObject *dict = PyDict_New();
    if (dict != NULL && PyDict_Update(dict, object) < 0) {
        Py_CLEAR(dict);
    }
    return dict;
}

static bool is_mapping(PyObject *object) {
    return PyDict_Check(object) || (Py_TYPE(object)->tp_as_mapping != NULL && !PySequence_Check(object)) ||
           (PyMapping_Check(object) && corm_py_has(object, "keys"));
}

/* A list of dicts; NULL raised. */
static PyObject *sets_of(PyObject *object) {
    if (is_mapping(object)) {
        PyObject *dict = as_dict(object);
        PyObject *list = dict == NULL ? NULL : PyList_New(1);
        if (list == NULL) {
            Py_XDECREF(dict);
        } else {
            PyList_SET_ITEM(list, 0, dict);
        }
        return list;
    }
    if (!PyList_Check(object) && !PyTuple_Check(object)) {
        return argument_error("mapping or list expected for parameters");
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(object);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *item = i < PySequence_Fast_GET_SIZE(object) ? PySequence_Fast_GET_ITEM(object, i) : Py_None;
        PyObject *dict =
            is_mapping(item) ? as_dict(item) : argument_error("List argument must consist only of dictionaries");
        if (dict == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, dict);
        }
    }
    return list;
}

static int fill(parameter_memory *memory, PyObject *list, corm_py_parameters *out) {
    size_t total = 0, place = 0;
    out->count = (size_t)PyList_GET_SIZE(list);
    for (size_t i = 0; i < out->count; i++) {
        total += (size_t)PyDict_GET_SIZE(PyList_GET_ITEM(list, (Py_ssize_t)i));
    }
    out->sets = PyMem_Calloc(out->count + 1, sizeof *out->sets);
    memory->names = PyMem_Calloc(total + 1, sizeof *memory->names);
    memory->values = PyMem_Calloc(total + 1, sizeof *memory->values);
    memory->lists = PyMem_Calloc(total + 1, sizeof *memory->lists);
    memory->list_counts = PyMem_Calloc(total + 1, sizeof *memory->list_counts);
    if (out->sets == NULL || memory->names == NULL || memory->values == NULL || memory->lists == NULL ||
        memory->list_counts == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < out->count; i++) {
        PyObject *dict = PyList_GET_ITEM(list, (Py_ssize_t)i);
        size_t start = place;
        if (place + (size_t)PyDict_GET_SIZE(dict) > total) {
            PyErr_SetString(PyExc_RuntimeError, "the parameters changed while they were read");
            return -1;
        }
        if (add_set(memory, dict, &place) < 0) {
            return -1;
        }
        out->sets[i] = (corm_parameters){.count = place - start,
                                         .names = memory->names + start,
                                         .values = memory->values + start,
                                         .lists = memory->lists + start,
                                         .list_counts = memory->list_counts + start};
    }
    return 0;
}

int corm_py_parameters_parse(PyObject *object, corm_py_parameters *out) {
    *out = (corm_py_parameters){0};
    if (object == NULL || object == Py_None) {
        return 0;
    }
    PyObject *list = sets_of(object);
    if (list == NULL) {
        return -1;
    }
    parameter_memory *memory = PyMem_Calloc(1, sizeof *memory);
    out->memory = memory;
    out->keep = list;
    if (memory == NULL) {
        PyErr_NoMemory();
    }
    if (memory == NULL || fill(memory, list, out) < 0) {
        corm_py_parameters_clear(out);
        return -1;
    }
    return 0;
}

void corm_py_parameters_clear(corm_py_parameters *parameters) {
    parameter_memory *memory = parameters->memory;
    PyObject *keep = parameters->keep;
    PyMem_Free(parameters->sets);
    *parameters = (corm_py_parameters){0};
    if (memory != NULL) {
        for (size_t i = 0; i < memory->held_count; i++) {
            Py_DECREF(memory->held[i]);
        }
        for (size_t i = 0; i < memory->list_memory_count; i++) {
            PyMem_Free(memory->list_memory[i]);
        }
        PyMem_Free(memory->list_memory);
        PyMem_Free(memory->held);
        PyMem_Free((void *)memory->names);
        PyMem_Free(memory->values);
        PyMem_Free((void *)memory->lists);
        PyMem_Free(memory->list_counts);
        PyMem_Free(memory);
    }
    Py_XDECREF(keep);
}

/* ---- parameters by place, of plain SQL ---- */

/* The values of one set in the order of the statement's parameters, borrowed references. */
static int place_named(const corm_driver *driver, corm_driver_statement *statement, PyObject *dict, PyObject *out) {
    size_t count = driver->parameter_count(statement);
    for (size_t i = 0; i < count; i++) {
        const char *name = driver->parameter_name(statement, i);
        PyObject *key = name == NULL ? NULL : PyUnicode_FromString(name);
        PyObject *value = key == NULL ? NULL : PyObject_GetItem(dict, key);
        if (value == NULL && (PyErr_Occurred() == NULL || PyErr_ExceptionMatches(PyExc_KeyError))) {
            PyErr_Clear();
            corm_error_set(CORM_PROGRAMMING_ERROR, "You did not supply a value for binding parameter :%s.",
                           name == NULL ? "?" : name);
            corm_py_raise();
        }
        Py_XDECREF(key);
        if (value == NULL || PyList_Append(out, value) < 0) {
            Py_XDECREF(value);
            return -1;
        }
        Py_DECREF(value);
    }
    return 0;
}

static int place_set(const corm_driver *driver, corm_driver_connection *native, PyObject *sql, PyObject *set,
                     PyObject *out) {
    if (PyTuple_Check(set) || PyList_Check(set)) {
        return PyList_SetSlice(out, PyList_GET_SIZE(out), PyList_GET_SIZE(out), set);
    }
    if (!is_mapping(set)) {
        argument_error("List argument must consist only of tuples or dictionaries");
        return -1;
    }
    corm_driver_statement *statement;
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(sql, &size);
    if (text == NULL) {
        return -1;
    }
    if (driver->prepare(native, text, (size_t)size, &statement) != CORM_OK) {
        return corm_py_raise_int();
    }
    int status = place_named(driver, statement, set, out);
    driver->finalize(statement);
    return status;
}

int corm_py_placed_parse(const corm_driver *driver, corm_driver_connection *native, PyObject *sql, PyObject *object,
                         corm_py_placed *out) {
    const corm_dialect *dialect = corm_dialect_find(driver->dialect);
    *out = (corm_py_placed){.set_count = 1};
    out->objects = PyList_New(0);
    if (out->objects == NULL || dialect == NULL) {
        Py_CLEAR(out->objects);
        return dialect == NULL ? corm_py_raise_int() : -1;
    }
    int status = 0;
    bool many = object != NULL && object != Py_None && PyList_Check(object) && PyList_GET_SIZE(object) > 0 &&
                (PyTuple_Check(PyList_GET_ITEM(object, 0)) || PyList_Check(PyList_GET_ITEM(object, 0)) ||
                 is_mapping(PyList_GET_ITEM(object, 0)));
    if (many) {
        out->set_count = (size_t)PyList_GET_SIZE(object);
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(object) && status == 0; i++) {
            status = place_set(driver, native, sql, PyList_GET_ITEM(object, i), out->objects);
        }
    } else if (object != NULL && object != Py_None) {
        if (!PyTuple_Check(object) && !PyList_Check(object) && !is_mapping(object)) {
            argument_error("mapping or list expected for parameters");
            status = -1;
        } else {
            status = place_set(driver, native, sql, object, out->objects);
        }
    }
    size_t total = (size_t)PyList_GET_SIZE(out->objects);
    out->width = total / out->set_count;
    if (status == 0 && out->width * out->set_count != total) {
        corm_error_set(CORM_PROGRAMMING_ERROR, "the sets of parameters differ in their lengths");
        status = corm_py_raise_int();
    }
    out->values = status < 0 ? NULL : PyMem_Calloc(total + 1, sizeof *out->values);
    if (status == 0 && out->values == NULL) {
        PyErr_NoMemory();
        status = -1;
    }
    for (size_t i = 0; i < total && status == 0; i++) {
        corm_value given;
        if (corm_py_to_value(PyList_GET_ITEM(out->objects, (Py_ssize_t)i), &given) != CORM_OK ||
            corm_convert_parameter(dialect, NULL, &given, &out->values[i], &out->scratch) != CORM_OK) {
            status = corm_py_raise_int();
        }
    }
    if (status < 0) {
        corm_py_placed_clear(out);
    }
    return status;
}

void corm_py_placed_clear(corm_py_placed *placed) {
    size_t total = placed->values == NULL ? 0 : placed->width * placed->set_count;
    for (size_t i = 0; i < total; i++) {
        corm_value_clear(&placed->values[i]);
    }
    PyMem_Free(placed->values);
    corm_scratch_clear(&placed->scratch);
    Py_XDECREF(placed->objects);
    *placed = (corm_py_placed){0};
}
