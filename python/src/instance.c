/*
 * Instances of mapped classes: memory, values in slots, the dictionary, the collector, pickling.
 *
 * An instance begins as values in slots. `obj.__dict__` turns it for good to dictionary mode: all loaded values move
 * into the dictionary, which user code may then change at will. Attributes mapped after the first instance was made
 * have no slot in it and lie in the dictionary too.
 *
 * The collector does not know an instance that holds nothing it could be part of a cycle through, as long as its class
 * is anchored in its module.
 */
#include "orm.h"

#include <structmember.h>

#include "orm/identity.h"

PyTypeObject *CormPyInstance_Type;

static PyObject *name_mapper, *name_state, *name_del;

static PyObject *base_del; /* object of our own __del__: what a class has that defines none */

/* ---- memory ---- */

void corm_py_instance_track(PyObject *self) {
    if (!PyObject_GC_IsTracked(self)) {
        PyObject_GC_Track(self);
    }
}

static PyObject *allocate(corm_py_class *record, PyTypeObject *type) {
    Py_ssize_t count = record->slot_count;
    CormPyInstance *self = PyObject_GC_NewVar(CormPyInstance, type, count);
    if (self == NULL) {
        return NULL;
    }
    size_t head = offsetof(CormPyInstance, dict);
    memset((char *)self + head, 0, (size_t)type->tp_basicsize - head + (size_t)count * sizeof(PyObject *));
    corm_state_init(&self->state, record->mapper);
    record->references++;
    if (!record->anchored) {
        PyObject_GC_Track((PyObject *)self);
    }
    return (PyObject *)self;
}

PyObject *corm_py_instance_create(corm_py_class *record) {
    if (record->type == NULL) {
        PyErr_Format(PyExc_ReferenceError, "the mapped class %s is gone", record->mapper->name);
        return NULL;
    }
    if (record->slot_count < 0 && corm_py_class_prepare(record) < 0) {
        return NULL;
    }
    return allocate(record, record->type);
}

static PyObject *instance_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    corm_py_class *record = corm_py_class_of(type);
    if (record == NULL) {
        if (PyErr_Occurred()) {
            return NULL;
        }
        if (_PyType_Lookup(type, name_mapper) != NULL) {
            PyErr_Format(PyExc_TypeError,
                         "class %s derives from a mapped class but is not mapped itself: inheritance "
                         "of mapped classes is not supported yet",
                         type->tp_name);
            return NULL;
        }
        /* A base class by itself: an object like any other. */
        return PyType_GenericAlloc(type, 0);
    }
    if (record->slot_count < 0 && corm_py_class_prepare(record) < 0) {
        return NULL;
    }
    return allocate(record, type);
}

static int visit_object(corm_object *object, void *context) {
    void **call = context;
    return ((visitproc)(uintptr_t)call[0])((PyObject *)object, call[1]);
}

static bool has_own_slots(const PyTypeObject *type) {
    return type->tp_basicsize > (Py_ssize_t)sizeof(CormPyInstance);
}

/* Members that classes declare with __slots__. */
static int each_member(PyObject *self, visitproc visit, void *arg) {
    for (PyTypeObject *type = Py_TYPE(self); type != NULL && type != CormPyInstance_Type; type = type->tp_base) {
        PyMemberDef *member = (type->tp_flags & Py_TPFLAGS_HEAPTYPE) ? type->tp_members : NULL;
        Py_ssize_t count = member == NULL ? 0 : Py_SIZE(type);
        for (Py_ssize_t i = 0; i < count; i++, member++) {
            if (member->type != T_OBJECT_EX) {
                continue;
            }
            PyObject **place = (PyObject **)(void *)((char *)self + member->offset);
            if (visit == NULL) {
                Py_CLEAR(*place);
            } else if (*place != NULL) {
                int stop = visit(*place, arg);
                if (stop != 0) {
                    return stop;
                }
            }
        }
    }
    return 0;
}

static int instance_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyInstance *self = (CormPyInstance *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->dict);
    PyObject **slots = corm_py_slots(self);
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        Py_VISIT(slots[i]);
    }
    if (has_own_slots(Py_TYPE(object))) {
        int stop = each_member(object, visit, arg);
        if (stop != 0) {
            return stop;
        }
    }
    void *context[2] = {(void *)(uintptr_t)visit, arg};
    return self->state.mapper == NULL ? 0 : corm_state_visit(&self->state, visit_object, context);
}

static int instance_clear(PyObject *object) {
    CormPyInstance *self = (CormPyInstance *)object;
    PyObject **slots = corm_py_slots(self);
    if (self->state.mapper != NULL) {
        corm_state_clear_references(&self->state);
    }
    while (self->collections != NULL) {
        corm_py_link_detach(self->collections);
    }
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        Py_CLEAR(slots[i]);
    }
    if (has_own_slots(Py_TYPE(object))) {
        each_member(object, NULL, NULL);
    }
    Py_CLEAR(self->dict);
    return 0;
}

/* The identity map must not hand out the object any more before any user's code of destruction runs. */
static void leave_session(CormPyInstance *self) {
    if (self->state.mapper != NULL && (self->state.flags & CORM_STATE_DYING) == 0) {
        corm_state_leave(&self->state);
    }
}

/* A lookup that misses the type's cache clears the pending exception, which objects may be destroyed with. */
static bool defines_del(PyTypeObject *type) {
    PyObject *error = NULL, *value = NULL, *traceback = NULL;
    if (PyErr_Occurred() != NULL) {
        PyErr_Fetch(&error, &value, &traceback);
    }
    PyObject *found = _PyType_Lookup(type, name_del);
    if (error != NULL) {
        PyErr_Restore(error, value, traceback);
    }
    return found != NULL && found != base_del;
}

/* tp_finalize: by the collector for all of its garbage before anything is cleared, or by dealloc. */
static void instance_finalize(PyObject *object) {
    CormPyInstance *self = (CormPyInstance *)object;
    PyObject *type, *value, *traceback;
    if (self->state.mapper != NULL && !(self->state.flags & CORM_STATE_HELD)) {
        leave_session(self);
    }
    if (!defines_del(Py_TYPE(object))) {
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *hook = PyObject_GetAttr(object, name_del);
    PyObject *result = hook == NULL ? NULL : PyObject_CallNoArgs(hook);
    if (result == NULL) {
        PyErr_WriteUnraisable(hook == NULL ? object : hook);
    }
    Py_XDECREF(result);
    Py_XDECREF(hook);
    PyErr_Restore(type, value, traceback);
}

void corm_py_instance_dealloc(PyObject *object) {
    CormPyInstance *self = (CormPyInstance *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_TRASHCAN_BEGIN(object, corm_py_instance_dealloc) leave_session(self);
    if (defines_del(type)) {
        PyObject_GC_Track(object);
        if (PyObject_CallFinalizerFromDealloc(object) < 0) {
            self->state.flags &= ~(uint32_t)CORM_STATE_DYING; /* it lives on */
            goto resurrected;
        }
        PyObject_GC_UnTrack(object);
    }
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    corm_py_class *record = self->state.mapper == NULL ? NULL : corm_py_class_of_mapper(self->state.mapper);
    if (record != NULL) {
        corm_state_destroy(&self->state);
    }
    instance_clear(object);
    PyObject_GC_Del(object);
    if (record != NULL) {
        corm_py_class_unref(record);
    }
    Py_DECREF(type);
resurrected:;
    Py_TRASHCAN_END
}

void corm_py_instance_adopt(PyTypeObject *type) {
    type->tp_dealloc = corm_py_instance_dealloc;
    type->tp_traverse = instance_traverse;
    type->tp_clear = instance_clear;
    type->tp_finalize = instance_finalize;
}

/* ---- values ---- */

PyObject *corm_py_instance_peek(CormPyInstance *self, const corm_attribute *attribute) {
    if (corm_py_in_slot(self, attribute)) {
        return corm_py_slots(self)[attribute->index];
    }
    if (self->dict == NULL || corm_py_data(attribute) == NULL) {
        return NULL;
    }
    PyObject *value = PyDict_GetItemWithError(self->dict, corm_py_data(attribute)->key);
    if (value == NULL) {
        PyErr_Clear();
    }
    return value;
}

/* A collection that is replaced no longer tells its former owner. */
static void let_go(PyObject *value) {
    if (value != NULL) {
        corm_py_link *link = PyType_IS_GC(Py_TYPE(value)) ? corm_py_link_of(value) : NULL;
        if (link != NULL) {
            corm_py_link_detach(link);
        }
        Py_DECREF(value);
    }
}

int corm_py_instance_store(CormPyInstance *self, const corm_attribute *attribute, PyObject *value) {
    if (value != NULL && PyType_IS_GC(Py_TYPE(value))) {
        corm_py_instance_track((PyObject *)self);
    }
    if (corm_py_in_slot(self, attribute)) {
        PyObject **slot = &corm_py_slots(self)[attribute->index];
        PyObject *former = *slot;
        *slot = value;
        if (former != NULL && attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
            let_go(former);
        } else {
            Py_XDECREF(former);
        }
        return 0;
    }
    PyObject *key = corm_py_data(attribute)->key;
    if (self->dict == NULL) {
        if (value == NULL) {
            return 0;
        }
        self->dict = PyDict_New();
        if (self->dict == NULL) {
            Py_DECREF(value);
            return -1;
        }
    }
    corm_py_instance_track((PyObject *)self);
    PyObject *former = Py_XNewRef(PyDict_GetItemWithError(self->dict, key));
    int failed = 0;
    if (value != NULL) {
        failed = PyDict_SetItem(self->dict, key, value);
        Py_DECREF(value);
    } else if (former != NULL) {
        failed = PyDict_DelItem(self->dict, key);
    }
    if (former != NULL && former != value && attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        let_go(former);
    } else {
        Py_XDECREF(former);
    }
    return failed;
}

/* A dictionary of the state and the slots' values, then of what was in the dictionary before. */
static PyObject *fill_dict(CormPyInstance *self) {
    PyObject **slots = corm_py_slots(self);
    const corm_mapper *mapper = self->state.mapper;
    PyObject *fresh = PyDict_New();
    PyObject *state = fresh == NULL ? NULL : corm_py_instance_state_new((PyObject *)self);
    int failed = state == NULL || PyDict_SetItem(fresh, name_state, state) < 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(self) && !failed; i++) {
        failed = slots[i] != NULL && PyDict_SetItem(fresh, corm_py_data(mapper->attributes[i])->key, slots[i]) < 0;
    }
    failed = failed || (self->dict != NULL && PyDict_Update(fresh, self->dict) < 0);
    Py_XDECREF(state);
    if (failed) {
        Py_CLEAR(fresh);
    }
    return fresh;
}

PyObject *corm_py_instance_dict(CormPyInstance *self) {
    corm_py_instance_track((PyObject *)self);
    if (self->state.mapper == NULL || (self->state.flags & CORM_PY_DICT_MODE)) {
        if (self->dict == NULL) {
            self->dict = PyDict_New();
        }
        return self->dict;
    }
    PyObject *fresh = fill_dict(self);
    if (fresh == NULL) {
        return NULL;
    }
    PyObject **slots = corm_py_slots(self);
    Py_XSETREF(self->dict, fresh);
    self->state.flags |= CORM_PY_DICT_MODE;
    for (Py_ssize_t i = 0; i < Py_SIZE(self); i++) {
        Py_CLEAR(slots[i]); /* the dictionary has them all: nothing is destroyed here */
    }
    return self->dict;
}

static PyObject *instance_get_dict(PyObject *self, void *closure) {
    (void)closure;
    return Py_XNewRef(corm_py_instance_dict((CormPyInstance *)self));
}

static int instance_set_dict(PyObject *object, PyObject *value, void *closure) {
    CormPyInstance *self = (CormPyInstance *)object;
    (void)closure;
    if (value == NULL || !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'",
                     value == NULL ? "NULL" : Py_TYPE(value)->tp_name);
        return -1;
    }
    if (corm_py_instance_dict(self) == NULL) {
        return -1;
    }
    Py_XSETREF(self->dict, Py_NewRef(value));
    return 0;
}

static int instance_setattro(PyObject *self, PyObject *name, PyObject *value) {
    int failed = PyObject_GenericSetAttr(self, name, value);
    if (((CormPyInstance *)self)->dict != NULL) {
        corm_py_instance_track(self);
    }
    return failed;
}

corm_state *corm_py_state_required(PyObject *object) {
    if (corm_py_is_instance(object)) {
        return &((CormPyInstance *)object)->state;
    }
    PyObject *error = corm_py_import("cormorant.orm.exc", "UnmappedInstanceError");
    PyObject *module = corm_py_get((PyObject *)Py_TYPE(object), "__module__");
    if (error != NULL && module != NULL && corm_py_mapper_of(object) != NULL && PyType_Check(object)) {
        PyObject *own = corm_py_get(object, "__module__");
        PyErr_Format(error, "Class '%S.%s' is not mapped; was a class (%S.%s) supplied where an instance was required?",
                     module, _PyType_Name(Py_TYPE(object)), own == NULL ? Py_None : own,
                     _PyType_Name((PyTypeObject *)object));
        Py_XDECREF(own);
    } else if (error != NULL && module != NULL) {
        PyErr_Format(error, "Class '%S.%s' is not mapped", module, _PyType_Name(Py_TYPE(object)));
    }
    Py_XDECREF(module);
    Py_XDECREF(error);
    return NULL;
}

/* ---- constructor, pickling, messages ---- */

static int instance_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_Format(PyExc_TypeError, "__init__() takes 1 positional argument but %zd were given",
                     PyTuple_GET_SIZE(args) + 1);
        return -1;
    }
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        PyObject *found = _PyType_Lookup(Py_TYPE(self), key);
        if (found == NULL) {
            PyErr_Format(PyExc_TypeError, "%R is an invalid keyword argument for %s", key, _PyType_Name(Py_TYPE(self)));
            return -1;
        }
        Py_INCREF(value);
        int failed = PyObject_SetAttr(self, key, value);
        Py_DECREF(value);
        if (failed < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *instance_getstate(PyObject *self, PyObject *unused) {
    (void)unused;
    CormPyInstance *instance = (CormPyInstance *)self;
    PyObject *dict = corm_py_instance_dict(instance);
    PyObject *copy = dict == NULL ? NULL : PyDict_Copy(dict);
    corm_py_class *record = instance->state.mapper == NULL ? NULL : corm_py_class_of_mapper(instance->state.mapper);
    if (copy != NULL && record != NULL && corm_py_instance_listened(record, "pickle")) {
        PyObject *arguments = PyTuple_Pack(2, self, copy);
        if (arguments == NULL || corm_py_fire_instance(record, "pickle", arguments) < 0) {
            Py_CLEAR(copy);
        }
        Py_XDECREF(arguments);
    }
    return copy;
}

static int fire_unpickle(CormPyInstance *self, PyObject *dict) {
    corm_py_class *record = self->state.mapper == NULL ? NULL : corm_py_class_of_mapper(self->state.mapper);
    if (record == NULL || !corm_py_instance_listened(record, "unpickle")) {
        return 0;
    }
    PyObject *arguments = PyTuple_Pack(2, (PyObject *)self, dict);
    int failed = arguments == NULL ? -1 : corm_py_fire_instance(record, "unpickle", arguments);
    Py_XDECREF(arguments);
    return failed;
}

static PyObject *instance_setstate(PyObject *object, PyObject *state) {
    CormPyInstance *self = (CormPyInstance *)object;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (!PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "the state of a mapped object is a dict");
        return NULL;
    }
    PyObject *copy = PyDict_Copy(state);
    while (copy != NULL && PyDict_Next(copy, &position, &key, &value)) {
        const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
        if (name == NULL) {
            PyErr_Clear();
        }
        if (name != NULL && self->state.mapper != NULL && strcmp(name, "_sa_instance_state") == 0) {
            if (corm_py_instance_state_restore(value, &self->state) < 0) {
                Py_DECREF(copy);
                return NULL;
            }
            continue;
        }
        corm_attribute *attribute =
            name == NULL || self->state.mapper == NULL ? NULL : corm_mapper_attribute(self->state.mapper, name);
        int failed;
        if (attribute != NULL && attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
            PyObject *items = corm_py_collection_items(value);
            PyObject *fresh = items == NULL ? NULL : corm_py_collection_new(attribute);
            failed = fresh == NULL;
            for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(items); i++) {
                failed = corm_py_collection_append(fresh, PyList_GET_ITEM(items, i)) < 0;
            }
            if (!failed) {
                corm_py_link *link = corm_py_link_of(fresh);
                failed = corm_py_instance_store(self, attribute, Py_NewRef(fresh)) < 0;
                if (!failed && link != NULL) {
                    corm_py_link_attach(link, self, attribute);
                }
            }
            Py_XDECREF(fresh);
            Py_XDECREF(items);
        } else if (attribute != NULL) {
            failed = corm_py_instance_store(self, attribute, Py_NewRef(value)) < 0;
        } else {
            corm_py_instance_track(object);
            if (self->dict == NULL) {
                self->dict = PyDict_New();
            }
            failed = self->dict == NULL || PyDict_SetItem(self->dict, key, value) < 0;
        }
        if (failed) {
            Py_DECREF(copy);
            return NULL;
        }
    }
    Py_XDECREF(copy);
    if (copy == NULL || fire_unpickle(self, state) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *instance_reduce_ex(PyObject *self, PyObject *protocol) {
    (void)protocol;
    PyObject *newobj = corm_py_import("copyreg", "__newobj__");
    PyObject *state = newobj == NULL ? NULL : corm_py_call(self, "__getstate__", NULL);
    if (state == NULL) {
        Py_XDECREF(newobj);
        return NULL;
    }
    return Py_BuildValue("N(O)N", newobj, Py_TYPE(self), state);
}

static PyObject *instance_get_state_view(PyObject *self, void *closure) {
    (void)closure;
    if (!corm_py_is_instance(self)) {
        PyErr_SetString(PyExc_AttributeError, "_sa_instance_state");
        return NULL;
    }
    return corm_py_instance_state_new(self);
}

static PyObject *instance_sizeof(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyLong_FromSsize_t(Py_TYPE(self)->tp_basicsize + Py_SIZE(self) * (Py_ssize_t)sizeof(PyObject *));
}

static PyMethodDef instance_methods[] = {
    {"__getstate__", instance_getstate, METH_NOARGS, "The loaded values, to be pickled."},
    {"__setstate__", instance_setstate, METH_O, "Take in pickled values."},
    {"__reduce_ex__", instance_reduce_ex, METH_O, "Pickle and copy through __getstate__ and __setstate__."},
    {"__sizeof__", instance_sizeof, METH_NOARGS, "Size in memory, in bytes, without the values."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef instance_getset[] = {
    {"__dict__", instance_get_dict, instance_set_dict, "All loaded values and plain attributes.", NULL},
    {"_sa_instance_state", instance_get_state_view, NULL, "What the ORM knows of the object.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef instance_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyInstance, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyInstance, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot instance_slots[] = {{Py_tp_doc, "The base of mapped instances: values in slots, state inside.\n\n"
                                                   "Keyword arguments of the constructor set attributes."},
                                       {Py_tp_new, instance_new},
                                       {Py_tp_init, instance_init},
                                       {Py_tp_dealloc, corm_py_instance_dealloc},
                                       {Py_tp_traverse, instance_traverse},
                                       {Py_tp_clear, instance_clear},
                                       {Py_tp_finalize, instance_finalize},
                                       {Py_tp_setattro, instance_setattro},
                                       {Py_tp_methods, instance_methods},
                                       {Py_tp_getset, instance_getset},
                                       {Py_tp_members, instance_members},
                                       {0, NULL}};

static PyType_Spec instance_spec = {
    .name = "cormorant._engine.Instance",
    .basicsize = sizeof(CormPyInstance),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = instance_slots,
};

int corm_py_instance_init(PyObject *module) {
    name_mapper = PyUnicode_InternFromString("__mapper__");
    name_state = PyUnicode_InternFromString("_sa_instance_state");
    name_del = PyUnicode_InternFromString("__del__");
    if (name_mapper == NULL || name_state == NULL || name_del == NULL) {
        return -1;
    }
    CormPyInstance_Type = corm_py_type(module, &instance_spec, NULL);
    if (CormPyInstance_Type == NULL) {
        return -1;
    }
    base_del = _PyType_Lookup(CormPyInstance_Type, name_del);
    return 0;
}
