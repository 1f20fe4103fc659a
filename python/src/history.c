/*
 * Attributes from outside, as cormorant.orm.attributes offers them: history, raw values, marks of change.
 */
#include "orm.h"

#include "orm/session_private.h"

/* ---- arguments ---- */

PyObject *corm_py_no_value(void) {
    static PyObject *symbol;
    if (symbol == NULL) {
        symbol = corm_py_import("cormorant.orm.base", "NO_VALUE");
    }
    return symbol;
}

/* The attribute of an object under a name: NULL with AttributeError or UnmappedInstanceError. */
static corm_attribute *find(PyObject *object, PyObject *key) {
    corm_state *state = corm_py_state_required(object);
    if (state == NULL) {
        return NULL;
    }
    PyObject *name = PyObject_TypeCheck(key, CormPyAttribute_Type) ? ((CormPyAttribute *)key)->key : key;
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    corm_attribute *attribute = text == NULL ? NULL : corm_mapper_attribute(state->mapper, text);
    if (attribute == NULL && corm_mapper_configure(state->mapper) != CORM_OK) {
        corm_py_raise();
        return NULL;
    }
    attribute = attribute == NULL && text != NULL ? corm_mapper_attribute(state->mapper, text) : attribute;
    if (attribute == NULL && !PyErr_Occurred()) {
        PyErr_Format(PyExc_AttributeError, "Mapper '%s' has no property '%S'", state->mapper->name, name);
    }
    return attribute;
}

static CormPyInstance *as_instance(PyObject *object) {
    return (CormPyInstance *)object;
}

/* ---- history ---- */

static PyObject *scalar_part(const corm_value *value, const corm_type *type) {
    if (value->kind == CORM_KIND_ABSENT) {
        return PyTuple_New(0);
    }
    PyObject *item = corm_py_from_value(value, value->kind == CORM_KIND_HOST ? NULL : type);
    return item == NULL ? NULL : Py_BuildValue("[N]", item);
}

static PyObject *object_part(const corm_vector *objects, bool collection) {
    if (objects->count == 0 && !collection) {
        return PyTuple_New(0);
    }
    PyObject *list = PyList_New((Py_ssize_t)objects->count);
    for (size_t i = 0; list != NULL && i < objects->count; i++) {
        PyObject *item = objects->items[i];
        PyList_SET_ITEM(list, (Py_ssize_t)i, Py_NewRef(item == NULL ? Py_None : item));
    }
    return list;
}

static PyObject *make_history(CormPyInstance *object, corm_attribute *attribute, bool load) {
    corm_history history;
    if (corm_state_history(&object->state, attribute, load, &history) != CORM_OK) {
        corm_history_clear(&object->state, &history);
        return corm_py_raise();
    }
    PyObject *added, *unchanged, *deleted;
    if (attribute->kind == CORM_ATTRIBUTE_COLUMN) {
        const corm_type *type = corm_column_type(attribute->column);
        added = scalar_part(&history.added, type);
        unchanged = scalar_part(&history.unchanged, type);
        deleted = scalar_part(&history.deleted, type);
    } else {
        bool collection = attribute->kind == CORM_ATTRIBUTE_COLLECTION &&
                          (corm_py_instance_peek(object, attribute) != NULL || history.added_objects.count > 0 ||
                           history.deleted_objects.count > 0);
        added = object_part(&history.added_objects, collection);
        unchanged = object_part(&history.unchanged_objects, collection);
        deleted = object_part(&history.deleted_objects, collection);
    }
    corm_history_clear(&object->state, &history);
    PyObject *make = corm_py_import("cormorant.orm.attributes", "History");
    PyObject *result = make == NULL || added == NULL || unchanged == NULL || deleted == NULL
                           ? NULL
                           : PyObject_CallFunctionObjArgs(make, added, unchanged, deleted, NULL);
    Py_XDECREF(make);
    Py_XDECREF(added);
    Py_XDECREF(unchanged);
    Py_XDECREF(deleted);
    return result;
}

static PyObject *history_of(PyObject *module, PyObject *args) {
    PyObject *object, *key;
    int load;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOp", &object, &key, &load)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    return attribute == NULL ? NULL : make_history(as_instance(object), attribute, load);
}

/* get_history(obj, key, passive=PASSIVE_OFF): loads unless told otherwise. */
static PyObject *get_history(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"obj", "key", "passive", NULL};
    PyObject *object, *key, *passive = NULL;
    enum { SQL_OK = 2, CALLABLES_OK = 1 };
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O:get_history", names, &object, &key, &passive)) {
        return NULL;
    }
    PyObject *held =
        PyObject_TypeCheck(object, CormPyInstanceState_Type) ? corm_py_call(object, "obj", NULL) : Py_NewRef(object);
    corm_attribute *attribute = held == NULL ? NULL : find(held, key);
    PyObject *history = NULL;
    if (attribute != NULL) {
        CormPyInstance *instance = as_instance(held);
        long flags = passive != NULL && PyLong_Check(passive) ? PyLong_AsLong(passive) : SQL_OK | CALLABLES_OK;
        bool load = (flags & SQL_OK) && (flags & CALLABLES_OK) && (instance->state.flags & CORM_STATE_HAS_KEY) &&
                    instance->state.session != NULL && corm_state_change(&instance->state, attribute) == NULL;
        history = make_history(instance, attribute, load);
    }
    Py_XDECREF(held);
    return history;
}

/* ---- values ---- */

static PyObject *peek(PyObject *module, PyObject *args) {
    PyObject *object, *key, *fallback = Py_None;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO|O", &object, &key, &fallback)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    PyObject *value = corm_py_instance_peek(as_instance(object), attribute);
    return Py_NewRef(value == NULL ? fallback : value);
}

static PyObject *collection_items(PyObject *module, PyObject *collection) {
    (void)module;
    return collection == Py_None ? PyList_New(0) : corm_py_collection_items(collection);
}

static PyObject *set_attribute(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"instance", "key", "value", "initiator", NULL};
    PyObject *object, *key, *value, *initiator = Py_None;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|O:set_attribute", names, &object, &key, &value, &initiator)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL || corm_py_attribute_write(as_instance(object), attribute, value) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *get_attribute(PyObject *module, PyObject *args) {
    PyObject *object, *key;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:get_attribute", &object, &key)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    return attribute == NULL ? NULL : corm_py_attribute_read(as_instance(object), attribute);
}

static PyObject *del_attribute(PyObject *module, PyObject *args) {
    PyObject *object, *key;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:del_attribute", &object, &key)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL || PyObject_DelAttr(object, corm_py_data(attribute)->key) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int store_items(CormPyInstance *object, corm_attribute *attribute, PyObject *value) {
    PyObject *items = corm_py_collection_adapt(attribute, value);
    if (items == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        if (corm_py_state_required(PyList_GET_ITEM(items, i)) == NULL) {
            Py_DECREF(items);
            return -1;
        }
    }
    corm_status status = corm_py_host.collection_set((corm_object *)(void *)object, attribute,
                                                     (corm_object *const *)(void *)PySequence_Fast_ITEMS(items),
                                                     (size_t)PyList_GET_SIZE(items));
    Py_DECREF(items);
    return status == CORM_OK ? 0 : corm_py_raise_int();
}

static PyObject *set_committed_value(PyObject *module, PyObject *args) {
    PyObject *object, *key, *value;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:set_committed_value", &object, &key, &value)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    CormPyInstance *instance = as_instance(object);
    corm_state_commit_attribute(&instance->state, attribute);
    int failed;
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        failed = store_items(instance, attribute, value);
    } else if (attribute->kind == CORM_ATTRIBUTE_REFERENCE && value != Py_None &&
               corm_py_state_required(value) == NULL) {
        failed = -1;
    } else {
        failed = corm_py_instance_store(instance, attribute, Py_NewRef(value));
    }
    return failed < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *init_collection(PyObject *module, PyObject *args) {
    PyObject *object, *key;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:init_collection", &object, &key)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    if (attribute->kind != CORM_ATTRIBUTE_COLLECTION) {
        PyErr_Format(PyExc_TypeError, "attribute '%s' is no collection", attribute->key);
        return NULL;
    }
    if (corm_py_host.collection_set((corm_object *)(void *)object, attribute, NULL, 0) != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *make = corm_py_import("cormorant.orm.collections", "collection_adapter");
    PyObject *adapter =
        make == NULL ? NULL : PyObject_CallOneArg(make, corm_py_instance_peek(as_instance(object), attribute));
    Py_XDECREF(make);
    return adapter;
}

static PyObject *raw_append(PyObject *module, PyObject *args) {
    PyObject *collection, *item;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &collection, &item) || corm_py_state_required(item) == NULL ||
        corm_py_collection_append(collection, item) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *raw_remove(PyObject *module, PyObject *args) {
    PyObject *collection, *item;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO", &collection, &item) || corm_py_collection_remove(collection, item) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- marks of change ---- */

/* The attribute counts as changed whatever its value. */
static PyObject *flag_modified(PyObject *module, PyObject *args) {
    PyObject *object, *key;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:flag_modified", &object, &key)) {
        return NULL;
    }
    corm_attribute *attribute = find(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    CormPyInstance *instance = as_instance(object);
    if (corm_py_instance_peek(instance, attribute) == NULL) {
        corm_error_set(CORM_INVALID_REQUEST, "Can't flag attribute '%s' modified; it's not present in the object state",
                       attribute->key);
        return corm_py_raise();
    }
    corm_status status;
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        status = corm_state_changing(&instance->state, attribute);
    } else {
        corm_value unknown = CORM_ABSENT_VALUE;
        corm_state_commit_attribute(&instance->state, attribute);
        status = corm_state_changed(&instance->state, attribute, &unknown);
    }
    if (status != CORM_OK) {
        return corm_py_raise();
    }
    return corm_py_attribute_modified(instance, attribute) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *flag_dirty(PyObject *module, PyObject *object) {
    (void)module;
    corm_state *state = corm_py_state_required(object);
    if (state == NULL) {
        return NULL;
    }
    if (state->session != NULL && (state->flags & (CORM_STATE_IN_MAP | CORM_STATE_HELD)) == CORM_STATE_IN_MAP &&
        corm_session_hold(state->session, state) != CORM_OK) {
        return corm_py_raise();
    }
    if (state->flags & CORM_STATE_HAS_KEY) {
        state->flags |= CORM_STATE_MODIFIED;
    }
    Py_RETURN_NONE;
}

/* ---- with_parent ---- */

static PyObject *with_parent(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"instance", "prop", "from_entity", NULL};
    PyObject *object, *property, *from = Py_None;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|O:with_parent", names, &object, &property, &from)) {
        return NULL;
    }
    if (PyUnicode_Check(property)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "with_parent() accepts class-bound mapped attributes, not strings");
        return corm_py_raise();
    }
    corm_attribute *attribute = find(object, property);
    if (attribute == NULL) {
        return NULL;
    }
    if (!corm_attribute_is_relationship(attribute)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "with_parent(): %s.%s is no relationship", attribute->mapper->name,
                       attribute->key);
        return corm_py_raise();
    }
    if (corm_mapper_configure(attribute->mapper) != CORM_OK) {
        return corm_py_raise();
    }
    return corm_py_wrap(corm_relationship_of_parent(&as_instance(object)->state, attribute));
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
    {"_history", history_of, METH_VARARGS, "_history(obj, key, load)"},
    {"_peek", peek, METH_VARARGS, "_peek(obj, key, default=None)\n--\n\nA value if it is loaded."},
    {"_collection_items", collection_items, METH_O, "A list of a collection's items."},
    {"_collection_append", raw_append, METH_VARARGS, "Append to a collection without telling anyone."},
    {"_collection_remove", raw_remove, METH_VARARGS, "Remove from a collection without telling anyone."},
    {"get_history", KEYWORDS(get_history),
     "get_history(obj, key, passive=PASSIVE_OFF)\n--\n\nWhat happened to an attribute since the last flush: a "
     "History."},
    {"set_attribute", KEYWORDS(set_attribute),
     "set_attribute(instance, key, value, initiator=None)\n--\n\nSet an attribute, with events and history."},
    {"get_attribute", get_attribute, METH_VARARGS, "get_attribute(instance, key)\n--\n\nThe value, loaded if need be."},
    {"del_attribute", del_attribute, METH_VARARGS, "del_attribute(instance, key)\n--\n\nDelete the value."},
    {"set_committed_value", set_committed_value, METH_VARARGS,
     "set_committed_value(instance, key, value)\n--\n\nSet a value as if it had been loaded: no events, no history."},
    {"init_collection", init_collection, METH_VARARGS,
     "init_collection(obj, key)\n--\n\nPut an empty collection, and give its adapter."},
    {"flag_modified", flag_modified, METH_VARARGS,
     "flag_modified(instance, key)\n--\n\nHave the next flush write an attribute whatever its value."},
    {"flag_dirty", flag_dirty, METH_O,
     "flag_dirty(instance)\n--\n\nHave the next flush look at an object without a change of its attributes."},
    {"with_parent", KEYWORDS(with_parent),
     "with_parent(instance, prop, from_entity=None)\n--\n\nThe criterion of rows that a relationship of this object "
     "has."},
    {NULL, NULL, 0, NULL}};

int corm_py_history_init(PyObject *module) {
    return PyModule_AddObjectRef(module, "QueryableAttribute", (PyObject *)CormPyAttribute_Type) < 0
               ? -1
               : PyModule_AddFunctions(module, functions);
}
