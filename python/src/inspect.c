/*
 * InstanceState: what inspect(obj) gives. It is a weak reference to its object, so that the object's own dictionary can hold
 * it, and is found again in the object's list of weak references: while one is alive, there is no other.
 *
 * Pickled with its object, it becomes a tuple of class and identity, which the object takes over when it is unpickled.
 */
#include "orm.h"

#include <structmember.h>

#include "orm/identity.h"
#include "orm/session_private.h"

typedef struct CormPyInstanceState {
    PyWeakReference reference;
    PyObject *weakrefs;
} CormPyInstanceState;

PyTypeObject *CormPyInstanceState_Type;

PyObject *corm_py_instance_state_new(PyObject *instance) {
    PyWeakReference *found = (PyWeakReference *)((CormPyInstance *)instance)->weakrefs;
    for (; found != NULL; found = found->wr_next) {
        if (Py_TYPE(found) == CormPyInstanceState_Type && Py_REFCNT(found) > 0) {
            return Py_NewRef((PyObject *)found);
        }
    }
    PyObject *args = PyTuple_Pack(1, instance);
    PyObject *made = args == NULL ? NULL : _PyWeakref_RefType.tp_new(CormPyInstanceState_Type, args, NULL);
    Py_XDECREF(args);
    return made;
}

/* A new reference to the object, or NULL without an exception. */
static CormPyInstance *object_of(PyObject *self) {
    PyObject *object = PyWeakref_GET_OBJECT(self);
    return object == Py_None ? NULL : (CormPyInstance *)Py_NewRef(object);
}

/* The same with an exception. */
static CormPyInstance *object_required(PyObject *self) {
    CormPyInstance *object = object_of(self);
    if (object == NULL) {
        PyErr_SetString(PyExc_ReferenceError, "the object of this state is gone");
    }
    return object;
}

/* ---- the life of an object ---- */

static PyObject *state_is(PyObject *self, bool (*question)(const corm_state *state)) {
    CormPyInstance *object = object_of(self);
    bool answer = object != NULL && question(&object->state);
    Py_XDECREF(object);
    return PyBool_FromLong(answer);
}

static PyObject *get_transient(PyObject *self, void *closure) {
    (void)closure;
    return state_is(self, corm_state_is_transient);
}
static PyObject *get_pending(PyObject *self, void *closure) {
    (void)closure;
    return state_is(self, corm_state_is_pending);
}
static PyObject *get_persistent(PyObject *self, void *closure) {
    (void)closure;
    return state_is(self, corm_state_is_persistent);
}
static PyObject *get_deleted(PyObject *self, void *closure) {
    (void)closure;
    return state_is(self, corm_state_is_deleted);
}
static PyObject *get_detached(PyObject *self, void *closure) {
    (void)closure;
    return state_is(self, corm_state_is_detached);
}

static PyObject *flag(PyObject *self, uint32_t bits) {
    CormPyInstance *object = object_of(self);
    bool set = object != NULL && (object->state.flags & bits) != 0;
    Py_XDECREF(object);
    return PyBool_FromLong(set);
}

static PyObject *get_was_deleted(PyObject *self, void *closure) {
    (void)closure;
    return flag(self, CORM_STATE_WAS_DELETED | CORM_STATE_DELETED);
}
static PyObject *get_expired(PyObject *self, void *closure) {
    (void)closure;
    return flag(self, CORM_STATE_EXPIRED);
}
static PyObject *get_has_identity(PyObject *self, void *closure) {
    (void)closure;
    return flag(self, CORM_STATE_HAS_KEY);
}

static bool has_values(CormPyInstance *object) {
    const corm_mapper *mapper = object->state.mapper;
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        if (corm_py_instance_peek(object, mapper->attributes[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static PyObject *get_modified(PyObject *self, void *closure) {
    CormPyInstance *object = object_of(self);
    (void)closure;
    bool modified = object != NULL && (corm_state_is_modified(&object->state) ||
                                       (!(object->state.flags & CORM_STATE_HAS_KEY) && has_values(object)));
    Py_XDECREF(object);
    return PyBool_FromLong(modified);
}

static PyObject *get_session(PyObject *self, void *closure) {
    CormPyInstance *object = object_of(self);
    (void)closure;
    PyObject *session = object == NULL ? NULL : corm_py_session_of(&object->state);
    session = Py_NewRef(session == NULL ? Py_None : session);
    Py_XDECREF(object);
    return session;
}

/* ---- identity ---- */

static PyObject *identity_of(CormPyInstance *object) {
    const corm_value *values;
    corm_value room;
    size_t count = corm_state_key(&object->state, &values, &room);
    if (count == 0) {
        return Py_NewRef(Py_None);
    }
    const corm_mapper *mapper = object->state.mapper;
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *value = corm_py_from_value(&values[i], corm_column_type(mapper->primary_key[i]->column));
        if (value == NULL) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, value);
    }
    return tuple;
}

static PyObject *get_identity(PyObject *self, void *closure) {
    CormPyInstance *object = object_of(self);
    (void)closure;
    PyObject *identity = object == NULL ? Py_NewRef(Py_None) : identity_of(object);
    Py_XDECREF(object);
    return identity;
}

static PyObject *class_of(PyObject *self) {
    CormPyInstance *object = object_of(self);
    PyObject *cls = object == NULL ? NULL : (PyObject *)Py_TYPE(object); /* the mapper keeps it */
    Py_XDECREF(object);
    return cls;
}

static PyObject *get_key(PyObject *self, void *closure) {
    PyObject *identity = get_identity(self, closure);
    PyObject *cls = class_of(self);
    if (identity == NULL || identity == Py_None || cls == NULL) {
        return identity;
    }
    return Py_BuildValue("(ONO)", cls, identity, Py_None);
}

static PyObject *get_class(PyObject *self, void *closure) {
    PyObject *cls = class_of(self);
    (void)closure;
    return Py_NewRef(cls == NULL ? Py_None : cls);
}

static PyObject *get_mapper(PyObject *self, void *closure) {
    CormPyInstance *object = object_required(self);
    (void)closure;
    if (object == NULL) {
        return NULL;
    }
    PyObject *view = corm_py_class_of_mapper(object->state.mapper)->view;
    view = Py_NewRef(view == NULL ? Py_None : view);
    Py_DECREF(object);
    return view;
}

static PyObject *get_object(PyObject *self, void *closure) {
    CormPyInstance *object = object_of(self);
    (void)closure;
    return object == NULL ? Py_NewRef(Py_None) : (PyObject *)object;
}

static PyObject *state_obj(PyObject *self, PyObject *unused) {
    (void)unused;
    return get_object(self, NULL);
}

static PyObject *get_none(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    Py_RETURN_NONE;
}

static PyObject *get_true(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    Py_RETURN_TRUE;
}

static PyObject *get_false(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    Py_RETURN_FALSE;
}

/* ---- attributes ---- */

static PyObject *get_dict(PyObject *self, void *closure) {
    CormPyInstance *object = object_of(self);
    (void)closure;
    if (object == NULL) {
        return PyDict_New();
    }
    PyObject *dict = Py_XNewRef(corm_py_instance_dict(object));
    Py_DECREF(object);
    return dict;
}

static PyObject *get_attrs(PyObject *self, void *closure) {
    PyObject *make = corm_py_import("cormorant.orm.state", "Attributes");
    (void)closure;
    PyObject *attrs = make == NULL ? NULL : PyObject_CallOneArg(make, self);
    Py_XDECREF(make);
    return attrs;
}

/* A set of the names of attributes that answer yes. */
static PyObject *names(PyObject *self, bool (*question)(CormPyInstance *object, const corm_attribute *attribute)) {
    CormPyInstance *object = object_required(self);
    PyObject *set = object == NULL ? NULL : PySet_New(NULL);
    for (size_t i = 0; set != NULL && i < object->state.mapper->attribute_count; i++) {
        const corm_attribute *attribute = object->state.mapper->attributes[i];
        if (question(object, attribute) && PySet_Add(set, corm_py_data(attribute)->key) < 0) {
            Py_CLEAR(set);
        }
    }
    Py_XDECREF(object);
    return set;
}

static bool is_unloaded(CormPyInstance *object, const corm_attribute *attribute) {
    return corm_py_instance_peek(object, attribute) == NULL;
}

static bool is_unmodified(CormPyInstance *object, const corm_attribute *attribute) {
    return object->state.flags & CORM_STATE_HAS_KEY ? corm_state_change(&object->state, attribute) == NULL
                                                    : is_unloaded(object, attribute);
}

static bool is_expired(CormPyInstance *object, const corm_attribute *attribute) {
    if (!(object->state.flags & CORM_STATE_HAS_KEY) || !is_unloaded(object, attribute)) {
        return false;
    }
    return (object->state.flags & CORM_STATE_EXPIRED) != 0 ||
           (attribute->kind == CORM_ATTRIBUTE_COLUMN && !attribute->deferred);
}

static PyObject *get_unloaded(PyObject *self, void *closure) {
    (void)closure;
    return names(self, is_unloaded);
}
static PyObject *get_unmodified(PyObject *self, void *closure) {
    (void)closure;
    return names(self, is_unmodified);
}
static PyObject *get_expired_attributes(PyObject *self, void *closure) {
    (void)closure;
    return names(self, is_expired);
}

/* The former values of changed attributes. */
static PyObject *get_committed(PyObject *self, void *closure) {
    CormPyInstance *object = object_required(self);
    (void)closure;
    PyObject *dict = object == NULL ? NULL : PyDict_New();
    corm_changes *changes = object == NULL ? NULL : object->state.changes;
    for (size_t i = 0; dict != NULL && changes != NULL && i < changes->count; i++) {
        const corm_change *change = &changes->items[i];
        PyObject *value;
        if (change->attribute->kind == CORM_ATTRIBUTE_COLLECTION && change->loaded) {
            value = PyList_New((Py_ssize_t)change->items.count);
            for (size_t item = 0; value != NULL && item < change->items.count; item++) {
                PyList_SET_ITEM(value, (Py_ssize_t)item, Py_NewRef((PyObject *)change->items.items[item]));
            }
        } else {
            value = change->committed.kind == CORM_KIND_ABSENT ? Py_XNewRef(corm_py_no_value())
                                                               : corm_py_from_value(&change->committed, NULL);
        }
        if (value == NULL || PyDict_SetItem(dict, corm_py_data(change->attribute)->key, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    Py_XDECREF(object);
    return dict;
}

/* ---- pickling ---- */

static PyObject *state_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *restore = corm_py_import("cormorant._engine", "_restore_state");
    PyObject *identity = restore == NULL ? NULL : get_identity(self, NULL);
    PyObject *cls = class_of(self), *changes = identity == NULL ? NULL : get_committed(self, NULL);
    if (changes == NULL) {
        Py_XDECREF(identity);
        Py_XDECREF(restore);
        return NULL;
    }
    return Py_BuildValue("N(ONN)", restore, cls == NULL ? Py_None : cls, identity, changes);
}

/* What an unpickled object finds in its dictionary. */
static PyObject *restore_state(PyObject *module, PyObject *args) {
    (void)module;
    return PyTuple_Size(args) == 3 ? Py_NewRef(args)
                                   : PyErr_Format(PyExc_TypeError, "class, identity and changes are needed");
}

static int restore_identity(PyObject *identity, corm_state *state) {
    size_t count = state->mapper->primary_key_count;
    if (!PyTuple_Check(identity) || PyTuple_GET_SIZE(identity) != (Py_ssize_t)count ||
        (state->flags & CORM_STATE_HAS_KEY)) {
        return 0;
    }
    corm_value *values = PyMem_Calloc(count, sizeof *values);
    if (values == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PyTuple_GET_ITEM(identity, (Py_ssize_t)i), &values[i]);
    }
    if (status == CORM_OK) {
        status = corm_state_set_key(state, values, count);
    }
    PyMem_Free(values);
    return status == CORM_OK ? 0 : corm_py_raise_int();
}

/* Former values of columns and references that were changed; a collection's changes are not carried over. */
static int restore_changes(PyObject *changes, corm_state *state) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Check(changes) && PyDict_Next(changes, &position, &key, &value)) {
        const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8(key) : NULL;
        corm_attribute *attribute = name == NULL ? NULL : corm_mapper_attribute(state->mapper, name);
        if (attribute == NULL || attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
            continue;
        }
        corm_value committed = CORM_ABSENT_VALUE, given;
        corm_status status = CORM_OK;
        if (value != corm_py_no_value()) {
            status = corm_py_to_value(value, &given);
            if (status == CORM_OK) {
                status = corm_value_copy(&given, &committed);
            }
        }
        if (status == CORM_OK) {
            status = corm_state_changed(state, attribute, &committed);
        }
        if (status != CORM_OK) {
            return corm_py_raise_int();
        }
    }
    return 0;
}

int corm_py_instance_state_restore(PyObject *view, corm_state *state) {
    PyObject *identity = Py_None, *changes = Py_None;
    if (PyObject_TypeCheck(view, CormPyInstanceState_Type)) { /* copy.copy() */
        identity = get_identity(view, NULL);
        changes = identity == NULL ? NULL : get_committed(view, NULL);
    } else if (PyTuple_Check(view) && PyTuple_GET_SIZE(view) == 3) {
        identity = Py_NewRef(PyTuple_GET_ITEM(view, 1));
        changes = Py_NewRef(PyTuple_GET_ITEM(view, 2));
    } else {
        return 0;
    }
    int failed = changes == NULL || restore_identity(identity, state) < 0 || restore_changes(changes, state) < 0;
    Py_XDECREF(identity);
    Py_XDECREF(changes);
    return failed ? -1 : 0;
}

/* ---- the type ---- */

static PyObject *state_richcompare(PyObject *left, PyObject *right, int op) {
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyBool_FromLong((left == right) == (op == Py_EQ));
}

static Py_hash_t state_hash(PyObject *self) {
    return _Py_HashPointer(self);
}

static PyObject *state_repr(PyObject *self) {
    return PyUnicode_FromFormat("<cormorant.orm.state.InstanceState object at %p>", self);
}

static int state_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return _PyWeakref_RefType.tp_traverse(self, visit, arg);
}

static int state_clear(PyObject *self) {
    return _PyWeakref_RefType.tp_clear(self);
}

static void state_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((CormPyInstanceState *)self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    PyObject_GC_Track(self); /* the base takes it off again */
    _PyWeakref_RefType.tp_dealloc(self);
    Py_DECREF(type);
}

static PyMethodDef state_methods[] = {
    {"obj", state_obj, METH_NOARGS, "obj()\n--\n\nThe object, or None when it is gone."},
    {"__reduce__", state_reduce, METH_NOARGS, "Pickled as class and identity."},
    {"__reduce_ex__", state_reduce, METH_O, "Pickled as class and identity."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef state_getset[] = {
    {"transient", get_transient, NULL, "Not in a session and without a row.", NULL},
    {"pending", get_pending, NULL, "Added to a session, not flushed.", NULL},
    {"persistent", get_persistent, NULL, "In a session and with a row.", NULL},
    {"deleted", get_deleted, NULL, "Its row was deleted in the present transaction.", NULL},
    {"detached", get_detached, NULL, "With a row, not in a session.", NULL},
    {"was_deleted", get_was_deleted, NULL, "Its row is or was deleted.", NULL},
    {"expired", get_expired, NULL, "All columns will be loaded again.", NULL},
    {"modified", get_modified, NULL, "Something changed since the last flush.", NULL},
    {"has_identity", get_has_identity, NULL, "Whether there is an identity key.", NULL},
    {"session", get_session, NULL, "The Session, or None.", NULL},
    {"async_session", get_none, NULL, "None.", NULL},
    {"identity", get_identity, NULL, "The primary key as a tuple, or None.", NULL},
    {"identity_token", get_none, NULL, "None.", NULL},
    {"identity_key", get_key, NULL, "Class, primary key and token, or None.", NULL},
    {"key", get_key, NULL, "Class, primary key and token, or None.", NULL},
    {"class_", get_class, NULL, "The object's class.", NULL},
    {"mapper", get_mapper, NULL, "The Mapper.", NULL},
    {"object", get_object, NULL, "The object, or None when it is gone.", NULL},
    {"dict", get_dict, NULL, "The object's dictionary.", NULL},
    {"attrs", get_attrs, NULL, "Each attribute's value and history.", NULL},
    {"unloaded", get_unloaded, NULL, "Names of attributes that have no value.", NULL},
    {"unloaded_expirable", get_unloaded, NULL, "The same as unloaded.", NULL},
    {"unmodified", get_unmodified, NULL, "Names of attributes without changes.", NULL},
    {"expired_attributes", get_expired_attributes, NULL, "Names of attributes that are loaded again.", NULL},
    {"committed_state", get_committed, NULL, "Former values of changed attributes by name.", NULL},
    {"is_instance", get_true, NULL, "True.", NULL},
    {"is_mapper", get_false, NULL, "False.", NULL},
    {"is_aliased_class", get_false, NULL, "False.", NULL},
    {"is_attribute", get_false, NULL, "False.", NULL},
    {"is_selectable", get_false, NULL, "False.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef state_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyInstanceState, weakrefs), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};

static PyType_Slot state_slots[] = {{Py_tp_doc, "What the ORM knows of an object: inspect(obj)."},
                                    {Py_tp_dealloc, state_dealloc},
                                    {Py_tp_traverse, state_traverse},
                                    {Py_tp_clear, state_clear},
                                    {Py_tp_richcompare, state_richcompare},
                                    {Py_tp_hash, state_hash},
                                    {Py_tp_repr, state_repr},
                                    {Py_tp_methods, state_methods},
                                    {Py_tp_getset, state_getset},
                                    {Py_tp_members, state_members},
                                    {0, NULL}};

static PyType_Spec state_spec = {.name = "cormorant._engine.InstanceState",
                                 .basicsize = sizeof(CormPyInstanceState),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 .slots = state_slots};

static PyObject *state_of(PyObject *module, PyObject *object) {
    (void)module;
    return corm_py_state_required(object) == NULL ? NULL : corm_py_instance_state_new(object);
}

/* NULL, not an exception, when the object is no mapped one: for inspect(). */
static PyObject *state_or_none(PyObject *module, PyObject *object) {
    (void)module;
    return corm_py_is_instance(object) ? corm_py_instance_state_new(object) : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    {"_state_of", state_of, METH_O, "The InstanceState of an object."},
    {"_state_or_none", state_or_none, METH_O, "The InstanceState of an object, or None when its class is not mapped."},
    {"_restore_state", restore_state, METH_VARARGS, "Unpickle an InstanceState."},
    {NULL, NULL, 0, NULL}};

int corm_py_inspect_init(PyObject *module) {
    CormPyInstanceState_Type = corm_py_type(module, &state_spec, &_PyWeakref_RefType);
    return CormPyInstanceState_Type == NULL || PyModule_AddFunctions(module, functions) < 0 ||
                   corm_py_history_init(module) < 0
               ? -1
               : 0;
}
