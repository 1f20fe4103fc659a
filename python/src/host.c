/*
 * The host seam for Python: how the engine touches Python objects (orm/host.h).
 *
 * Every function needs the interpreter lock, which the engine lets go of only inside the waiting seam. A Python
 * exception becomes the engine's error, with the exception attached, and comes out as itself.
 */
#include "orm.h"
#include "values.h"

#include "orm/session_private.h"

static PyObject *as_python(corm_object *object) {
    return (PyObject *)(void *)object;
}

static corm_object *as_object(PyObject *object) {
    return (corm_object *)(void *)object;
}

static CormPyInstance *as_instance(corm_object *object) {
    return (CormPyInstance *)(void *)object;
}

/* ---- life ---- */

static corm_status host_create_for_merge(corm_mapper *mapper, corm_object **out) {
    PyObject *made = corm_py_instance_create(corm_py_class_of_mapper(mapper));
    *out = as_object(made);
    return made == NULL ? corm_py_error() : CORM_OK;
}

static void host_retain(corm_object *object) {
    Py_INCREF(as_python(object));
}

static void host_release(corm_object *object) {
    Py_DECREF(as_python(object));
}

static bool host_try_hold(corm_state *state) {
    PyObject *object = (PyObject *)corm_py_instance_of_state(state);
    if (Py_REFCNT(object) <= 0 || (state->flags & CORM_STATE_DYING)) {
        return false;
    }
    Py_INCREF(object);
    return true;
}

static corm_object *host_object_of(corm_state *state) {
    return as_object((PyObject *)corm_py_instance_of_state(state));
}

static corm_state *host_state_of(corm_object *object) {
    if (corm_py_is_instance(as_python(object))) {
        return &as_instance(object)->state;
    }
    if (corm_py_state_required(as_python(object)) == NULL) {
        corm_py_error();
    }
    return NULL;
}

/* ---- attributes ---- */

static corm_status host_get(corm_object *object, const corm_attribute *attribute, corm_value *out) {
    PyObject *value = corm_py_instance_peek(as_instance(object), attribute);
    *out = CORM_ABSENT_VALUE;
    if (value == NULL) {
        return CORM_OK;
    }
    if (value == Py_None) {
        *out = CORM_NULL_VALUE;
        return CORM_OK;
    }
    if (attribute->kind != CORM_ATTRIBUTE_COLUMN || corm_column_type(attribute->column)->host != NULL) {
        out->kind = CORM_KIND_HOST;
        out->as.host = value;
        return CORM_OK;
    }
    return corm_py_to_value(value, out);
}

static corm_kind host_kind(corm_object *object, const corm_attribute *attribute) {
    PyObject *value = corm_py_instance_peek(as_instance(object), attribute);
    if (value == NULL) {
        return CORM_KIND_ABSENT;
    }
    if (value == Py_None) {
        return CORM_KIND_NULL;
    }
    if (attribute->kind != CORM_ATTRIBUTE_COLUMN || corm_column_type(attribute->column)->host != NULL) {
        return CORM_KIND_HOST;
    }
    return PyLong_CheckExact(value)      ? CORM_KIND_INTEGER
           : PyUnicode_CheckExact(value) ? CORM_KIND_TEXT
           : PyFloat_CheckExact(value)   ? CORM_KIND_FLOAT
           : PyBytes_CheckExact(value)   ? CORM_KIND_BYTES
           : PyBool_Check(value)         ? CORM_KIND_BOOLEAN
                                         : CORM_KIND_HOST;
}

static PyObject *text_object(const char *data, size_t size) {
    if (size > 0 && size < 512) {
        uint64_t bits = 0, chunk;
        size_t at = 0;
        for (; at + sizeof chunk <= size; at += sizeof chunk) {
            memcpy(&chunk, data + at, sizeof chunk);
            bits |= chunk;
        }
        for (; at < size; at++) {
            bits |= (uint64_t)(unsigned char)data[at];
        }
        if ((bits & 0x8080808080808080u) == 0 && size > 1) {
            PyObject *made = PyUnicode_New((Py_ssize_t)size, 127);
            if (made != NULL) {
                memcpy(PyUnicode_1BYTE_DATA(made), data, size);
            }
            return made;
        }
    }
    return PyUnicode_DecodeUTF8(data, (Py_ssize_t)size, NULL);
}

/* type: that the database has for the column; NULL: not known, or no column. */
static PyObject *to_python(const corm_value *value, const corm_attribute *attribute, const corm_type *type) {
    if (type == NULL && attribute->column != NULL) {
        type = corm_column_type(attribute->column);
    }
    if (value->kind == CORM_KIND_NULL && (type == NULL || type->host == NULL)) {
        return Py_NewRef(Py_None);
    }
    if (value->kind == CORM_KIND_HOST) {
        return Py_NewRef((PyObject *)value->as.host);
    }
    if (corm_py_data(attribute)->fast) {
        switch ((corm_kind)value->kind) {
        case CORM_KIND_INTEGER:
            return PyLong_FromLongLong(value->as.integer);
        case CORM_KIND_FLOAT:
            return PyFloat_FromDouble(value->as.real);
        case CORM_KIND_TEXT:
            return text_object(value->as.text.data, value->as.text.size);
        default:
            break;
        }
    }
    return corm_py_from_value(value, type);
}

static corm_status host_set(corm_object *object, const corm_attribute *attribute, const corm_value *value) {
    PyObject *converted = NULL;
    if (value->kind != CORM_KIND_ABSENT) {
        converted = to_python(value, attribute, NULL);
        if (converted == NULL) {
            return corm_py_error();
        }
    }
    return corm_py_instance_store(as_instance(object), attribute, converted) < 0 ? corm_py_error() : CORM_OK;
}

static corm_status host_snapshot(corm_object *object, const corm_attribute *attribute, corm_value *out) {
    PyObject *value = corm_py_instance_peek(as_instance(object), attribute);
    *out = CORM_ABSENT_VALUE;
    if (value == NULL) {
        return CORM_OK;
    }
    if (value == Py_None) {
        *out = CORM_NULL_VALUE;
        return CORM_OK;
    }
    if (attribute->kind == CORM_ATTRIBUTE_COLUMN && (PyLong_CheckExact(value) || PyFloat_CheckExact(value))) {
        corm_status status = corm_py_to_value(value, out);
        if (status != CORM_OK || out->kind != CORM_KIND_HOST) {
            return status;
        }
    }
    out->kind = CORM_KIND_HOST;
    out->owned = true;
    out->as.host = Py_NewRef(value);
    return CORM_OK;
}

static bool host_unchanged(corm_object *object, const corm_attribute *attribute, const corm_value *snapshot) {
    PyObject *value = corm_py_instance_peek(as_instance(object), attribute);
    if (value == NULL || snapshot->kind == CORM_KIND_ABSENT) {
        return value == NULL && snapshot->kind == CORM_KIND_ABSENT;
    }
    if (snapshot->kind == CORM_KIND_NULL || value == Py_None) {
        return snapshot->kind == CORM_KIND_NULL && value == Py_None;
    }
    PyObject *former = corm_py_from_value(snapshot, NULL);
    if (former == NULL) {
        PyErr_Clear();
        return false;
    }
    int equal = value == former;
    if (!equal && attribute->kind == CORM_ATTRIBUTE_COLUMN) {
        Py_INCREF(value);
        equal = PyObject_RichCompareBool(value, former, Py_EQ);
        Py_DECREF(value);
        if (equal < 0) {
            PyErr_Clear();
            equal = 0;
        }
    }
    Py_DECREF(former);
    return equal != 0;
}

static corm_status host_load_row(corm_object *object, const corm_load_step *steps, size_t count,
                                 const corm_value *row) {
    CormPyInstance *self = as_instance(object);
    PyObject **slots = corm_py_slots(self);
    for (size_t i = 0; i < count; i++) {
        const corm_attribute *attribute = steps[i].attribute;
        PyObject *value = to_python(&row[steps[i].column], attribute, steps[i].type);
        if (value == NULL) {
            return corm_py_error();
        }
        if (corm_py_in_slot(self, attribute) && !PyType_IS_GC(Py_TYPE(value))) {
            PyObject *former = slots[attribute->index];
            slots[attribute->index] = value;
            Py_XDECREF(former);
        } else if (corm_py_instance_store(self, attribute, value) < 0) {
            return corm_py_error();
        }
    }
    return CORM_OK;
}

static corm_status host_create(corm_session *session, corm_mapper *mapper, const corm_load_step *steps, size_t count,
                               const corm_value *row, corm_object **out) {
    (void)session;
    PyObject *made = corm_py_instance_create(corm_py_class_of_mapper(mapper));
    *out = NULL;
    if (made == NULL) {
        return corm_py_error();
    }
    corm_status status = host_load_row(as_object(made), steps, count, row);
    if (status != CORM_OK) {
        Py_DECREF(made);
        return status;
    }
    *out = as_object(made);
    return CORM_OK;
}

static void host_unload_all(corm_object *object) {
    CormPyInstance *self = as_instance(object);
    const corm_mapper *mapper = self->state.mapper;
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        if (corm_py_instance_peek(self, mapper->attributes[i]) != NULL &&
            corm_py_instance_store(self, mapper->attributes[i], NULL) < 0) {
            PyErr_Clear();
        }
    }
    PyErr_Restore(type, value, traceback);
}

/* ---- collections ---- */

static corm_status host_collection_set(corm_object *owner, const corm_attribute *attribute, corm_object *const *items,
                                       size_t count) {
    PyObject *fresh = corm_py_collection_new(attribute);
    if (fresh == NULL) {
        return corm_py_error();
    }
    for (size_t i = 0; i < count; i++) {
        if (corm_py_collection_append(fresh, as_python(items[i])) < 0) {
            Py_DECREF(fresh);
            return corm_py_error();
        }
    }
    corm_py_link *link = corm_py_link_of(fresh);
    CormPyInstance *self = as_instance(owner);
    Py_INCREF(self);
    Py_INCREF(fresh);
    corm_status status = corm_py_instance_store(self, attribute, fresh) < 0 ? corm_py_error() : CORM_OK;
    if (status == CORM_OK && corm_py_instance_peek(self, attribute) == fresh) {
        corm_py_link_attach(link, self, attribute);
    }
    Py_DECREF(fresh);
    Py_DECREF(self);
    return status;
}

static corm_status host_collection_items(corm_object *owner, const corm_attribute *attribute, corm_vector *out) {
    PyObject *collection = corm_py_instance_peek(as_instance(owner), attribute);
    if (collection == NULL || collection == Py_None) {
        return CORM_OK;
    }
    PyObject *items = corm_py_collection_items(collection);
    if (items == NULL) {
        return corm_py_error();
    }
    corm_status status = corm_vector_reserve(out, (size_t)PyList_GET_SIZE(items));
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && status == CORM_OK; i++) {
        out->items[out->count++] = Py_NewRef(PyList_GET_ITEM(items, i));
    }
    Py_DECREF(items);
    return status;
}

static bool host_collection_is_loaded(corm_object *owner, const corm_attribute *attribute) {
    return corm_py_instance_peek(as_instance(owner), attribute) != NULL;
}

static corm_status host_collection_append(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    PyObject *collection = corm_py_instance_peek(as_instance(owner), attribute);
    if (collection == NULL) {
        return CORM_OK;
    }
    Py_INCREF(collection);
    corm_status status = corm_py_collection_append(collection, as_python(item)) < 0 ? corm_py_error() : CORM_OK;
    Py_DECREF(collection);
    return status;
}

static corm_status host_collection_remove(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    PyObject *collection = corm_py_instance_peek(as_instance(owner), attribute);
    if (collection == NULL) {
        return CORM_OK;
    }
    Py_INCREF(collection);
    corm_status status = corm_py_collection_remove(collection, as_python(item)) < 0 ? corm_py_error() : CORM_OK;
    Py_DECREF(collection);
    return status;
}

static bool host_collection_contains(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    PyObject *collection = corm_py_instance_peek(as_instance(owner), attribute);
    if (collection == NULL) {
        return false;
    }
    Py_INCREF(collection);
    int found = corm_py_collection_contains(collection, as_python(item));
    Py_DECREF(collection);
    if (found < 0) {
        PyErr_Clear();
    }
    return found > 0;
}

/* ---- hooks ---- */

static corm_status host_call_default(void *callable, corm_session *session, corm_state *state, corm_value *out) {
    (void)session;
    PyObject *object = state == NULL ? NULL : (PyObject *)corm_py_instance_of_state(state);
    return corm_py_call_default(callable, object, out);
}

static corm_node *host_expression(const corm_value *value) {
    PyObject *object = value->as.host;
    if (!PyObject_TypeCheck(object, CormPyClauseElement_Type)) {
        if (Py_TYPE(object)->tp_flags & (Py_TPFLAGS_LONG_SUBCLASS | Py_TPFLAGS_UNICODE_SUBCLASS)) {
            return NULL;
        }
        static PyObject *name;
        if (name == NULL) {
            name = PyUnicode_InternFromString("__clause_element__");
        }
        if (name == NULL || _PyType_Lookup(Py_TYPE(object), name) == NULL) {
            PyErr_Clear();
            return NULL;
        }
    }
    corm_node *node = corm_py_node(object);
    if (node == NULL) {
        PyErr_Clear();
    }
    return node;
}

static corm_status host_resolve_relationship(corm_mapper *mapper, corm_attribute *attribute) {
    (void)mapper;
    return corm_py_relationship_resolve(attribute) < 0 ? corm_py_error() : CORM_OK;
}

static corm_status host_attribute_added(corm_mapper *mapper, corm_attribute *attribute) {
    (void)mapper;
    return corm_py_attribute_added(attribute) < 0 ? corm_py_error() : CORM_OK;
}

static corm_status host_warn(const char *message) {
    PyObject *category = corm_py_import("cormorant.exc", "SAWarning");
    int failed = category == NULL ? -1 : PyErr_WarnEx(category, message, 1);
    Py_XDECREF(category);
    return failed < 0 ? corm_py_error() : CORM_OK;
}

static void host_describe(corm_object *object, corm_text *out) {
    corm_text_append_format(out, "<%s at 0x%llx>", _PyType_Name(Py_TYPE(as_python(object))),
                            (unsigned long long)(uintptr_t)object);
}

const corm_host corm_py_host = {
    .name = "python",
    .create = host_create,
    .retain = host_retain,
    .release = host_release,
    .try_hold = host_try_hold,
    .object_of = host_object_of,
    .state_of = host_state_of,
    .get = host_get,
    .kind = host_kind,
    .set = host_set,
    .snapshot = host_snapshot,
    .unchanged = host_unchanged,
    .load_row = host_load_row,
    .unload_all = host_unload_all,
    .collection_set = host_collection_set,
    .collection_items = host_collection_items,
    .collection_is_loaded = host_collection_is_loaded,
    .collection_append = host_collection_append,
    .collection_remove = host_collection_remove,
    .collection_contains = host_collection_contains,
    .event = corm_py_event,
    .attribute_event = corm_py_attribute_event,
    .call_default = host_call_default,
    .expression = host_expression,
    .resolve_relationship = host_resolve_relationship,
    .attribute_added = host_attribute_added,
    .warn = host_warn,
    .describe = host_describe,
    .create_for_merge = host_create_for_merge,
};

/* ---- what the parts share ---- */

PyTypeObject *corm_py_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base) {
    PyObject *bases = base == NULL ? NULL : PyTuple_Pack(1, base);
    PyTypeObject *type = (PyTypeObject *)PyType_FromSpecWithBases(spec, bases);
    Py_XDECREF(bases);
    const char *dot = strrchr(spec->name, '.');
    if (type != NULL && PyModule_AddObjectRef(module, dot + 1, (PyObject *)type) < 0) {
        Py_CLEAR(type);
    }
    if (type != NULL) {
        /* Messages name the class as they name classes of Python: without its module. */
        type->tp_name = PyUnicode_AsUTF8(((PyHeapTypeObject *)type)->ht_name);
    }
    return type; /* the reference is kept for good */
}

PyObject *corm_py_import(const char *module, const char *name) {
    PyObject *imported = PyImport_ImportModule(module);
    PyObject *found = imported == NULL ? NULL : corm_py_get(imported, name);
    Py_XDECREF(imported);
    return found;
}

int corm_py_orm_init(PyObject *module) {
    return corm_py_instance_init(module) < 0 || corm_py_attribute_init(module) < 0 ||
                   corm_py_collection_init(module) < 0 || corm_py_mapping_init(module) < 0 ||
                   corm_py_relationship_init(module) < 0 || corm_py_inspect_init(module) < 0 ||
                   corm_py_events_init(module) < 0 || corm_py_options_init(module) < 0 ||
                   corm_py_session_init(module) < 0 || corm_py_query_init(module) < 0
               ? -1
               : 0;
}
