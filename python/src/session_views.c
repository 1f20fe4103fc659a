/*
 * What a session shows of itself: IdentitySet (new, dirty, deleted), IdentityMap, and the context manager no_autoflush.
 *
 * An IdentitySet is a snapshot that compares by identity, since users' objects may define equality as they like. An IdentityMap
 * looks into the session each time.
 */
#include "session.h"

static PyTypeObject *identity_set_type, *identity_map_type, *no_autoflush_type;

/* ---- IdentitySet ---- */

typedef struct CormPyIdentitySet {
    PyObject_HEAD PyObject *items; /* dict: address -> object */
} CormPyIdentitySet;

static PyObject *items_of(PyObject *set) {
    return ((CormPyIdentitySet *)set)->items;
}

static int put(PyObject *items, PyObject *object) {
    PyObject *key = PyLong_FromVoidPtr(object);
    int failed = key == NULL ? -1 : PyDict_SetItem(items, key, object);
    Py_XDECREF(key);
    return failed;
}

static int has(PyObject *items, PyObject *object) {
    PyObject *key = PyLong_FromVoidPtr(object);
    int found = key == NULL ? -1 : PyDict_Contains(items, key);
    Py_XDECREF(key);
    return found;
}

static PyObject *set_of(PyObject *iterable) {
    CormPyIdentitySet *self = (CormPyIdentitySet *)identity_set_type->tp_alloc(identity_set_type, 0);
    PyObject *iterator = iterable == NULL ? NULL : PyObject_GetIter(iterable), *object;
    int failed = self == NULL || (iterable != NULL && iterator == NULL) || (self->items = PyDict_New()) == NULL;
    while (!failed && iterator != NULL && (object = PyIter_Next(iterator)) != NULL) {
        failed = put(self->items, object) < 0;
        Py_DECREF(object);
    }
    Py_XDECREF(iterator);
    if (failed || PyErr_Occurred() != NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyObject *corm_py_identity_set(CormPySession *self, enum corm_session_set set) {
    PyObject *list = corm_py_session_objects(self, set);
    PyObject *made = list == NULL ? NULL : set_of(list);
    Py_XDECREF(list);
    return made;
}

static PyObject *set_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)type;
    PyObject *iterable = NULL;
    static char *names[] = {"iterable", NULL};
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|O:IdentitySet", names, &iterable) ? set_of(iterable) : NULL;
}

static Py_ssize_t set_length(PyObject *self) {
    return PyDict_GET_SIZE(items_of(self));
}

static int set_contains(PyObject *self, PyObject *object) {
    return has(items_of(self), object);
}

static PyObject *set_list(PyObject *self) {
    return PyDict_Values(items_of(self));
}

static PyObject *set_iter(PyObject *self) {
    PyObject *list = set_list(self);
    PyObject *iterator = list == NULL ? NULL : PyObject_GetIter(list);
    Py_XDECREF(list);
    return iterator;
}

static PyObject *set_repr(PyObject *self) {
    PyObject *list = set_list(self);
    PyObject *text = list == NULL ? NULL : PyUnicode_FromFormat("IdentitySet(%R)", list);
    Py_XDECREF(list);
    return text;
}

static PyObject *set_compare(PyObject *self, PyObject *other, int op) {
    if (!Py_IS_TYPE(other, identity_set_type) || (op != Py_EQ && op != Py_NE)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    int same = PyDict_GET_SIZE(items_of(self)) == PyDict_GET_SIZE(items_of(other));
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (same > 0 && PyDict_Next(items_of(self), &position, &key, &value)) {
        same = PyDict_Contains(items_of(other), key);
    }
    return same < 0 ? NULL : PyBool_FromLong((op == Py_EQ) == (same != 0));
}

static PyObject *set_copy(PyObject *self, PyObject *unused) {
    (void)unused;
    return set_of(self);
}

static PyObject *set_union(PyObject *self, PyObject *other) {
    PyObject *made = set_of(self), *rest = made == NULL ? NULL : set_of(other);
    if (rest == NULL || PyDict_Update(items_of(made), items_of(rest)) < 0) {
        Py_CLEAR(made);
    }
    Py_XDECREF(rest);
    return made;
}

/* The objects that are (wanted) or are not in the other one too. */
static PyObject *filtered(PyObject *self, PyObject *other, int wanted) {
    PyObject *made = set_of(NULL), *rest = made == NULL ? NULL : set_of(other), *key, *value;
    Py_ssize_t position = 0;
    int failed = rest == NULL;
    while (!failed && PyDict_Next(items_of(self), &position, &key, &value)) {
        int found = PyDict_Contains(items_of(rest), key);
        failed = found < 0 || (found == wanted && PyDict_SetItem(items_of(made), key, value) < 0);
    }
    Py_XDECREF(rest);
    if (failed) {
        Py_CLEAR(made);
    }
    return made;
}

static PyObject *set_intersection(PyObject *self, PyObject *other) {
    return filtered(self, other, 1);
}

static PyObject *set_difference(PyObject *self, PyObject *other) {
    return filtered(self, other, 0);
}

static PyObject *set_add(PyObject *self, PyObject *object) {
    if (put(items_of(self), object) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *set_discard(PyObject *self, PyObject *object) {
    int found = has(items_of(self), object);
    if (found > 0) {
        PyObject *key = PyLong_FromVoidPtr(object);
        found = key == NULL ? -1 : PyDict_DelItem(items_of(self), key);
        Py_XDECREF(key);
    }
    if (found < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

#define SET_OPERATOR(name, method)                                                                                     \
    static PyObject *name(PyObject *left, PyObject *right) {                                                           \
        if (!Py_IS_TYPE(left, identity_set_type) || !Py_IS_TYPE(right, identity_set_type)) {                           \
            Py_RETURN_NOTIMPLEMENTED;                                                                                  \
        }                                                                                                              \
        return method(left, right);                                                                                    \
    }
SET_OPERATOR(set_or, set_union)
SET_OPERATOR(set_and, set_intersection)
SET_OPERATOR(set_subtract, set_difference)

static int set_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(items_of(self));
    return 0;
}

static int set_clear(PyObject *self) {
    PyObject *items = items_of(self);
    if (items != NULL) {
        PyDict_Clear(items);
    }
    return 0;
}

static void set_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(items_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef set_methods[] = {
    {"copy", set_copy, METH_NOARGS, "copy()\n--\n\nAnother set of the same objects."},
    {"union", set_union, METH_O, "union(other)\n--\n\nThe objects of both."},
    {"intersection", set_intersection, METH_O, "intersection(other)\n--\n\nThe objects that are in both."},
    {"difference", set_difference, METH_O, "difference(other)\n--\n\nThe objects that are not in the other one."},
    {"add", set_add, METH_O, "add(object)\n--\n\nPut an object in."},
    {"discard", set_discard, METH_O, "discard(object)\n--\n\nTake an object out, if it is in."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot set_slots[] = {
    {Py_tp_doc, "IdentitySet(iterable=())\n--\n\nA set of objects that compares them by identity."},
    {Py_tp_new, set_new},
    {Py_tp_dealloc, set_dealloc},
    {Py_tp_traverse, set_traverse},
    {Py_tp_clear, set_clear},
    {Py_tp_iter, set_iter},
    {Py_tp_repr, set_repr},
    {Py_tp_richcompare, set_compare},
    {Py_tp_hash, PyObject_HashNotImplemented},
    {Py_sq_length, set_length},
    {Py_sq_contains, set_contains},
    {Py_nb_or, set_or},
    {Py_nb_and, set_and},
    {Py_nb_subtract, set_subtract},
    {Py_tp_methods, set_methods},
    {0, NULL}};

static PyType_Spec set_spec = {.name = "cormorant.orm.session.IdentitySet",
                               .basicsize = sizeof(CormPyIdentitySet),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                               .slots = set_slots};

/* ---- what holds a session: IdentityMap, no_autoflush ---- */

typedef struct CormPyHolder {
    PyObject_HEAD CormPySession *session;
    bool former; /* of no_autoflush */
} CormPyHolder;

static CormPySession *session_of(PyObject *holder) {
    return ((CormPyHolder *)holder)->session;
}

static PyObject *make_holder(PyTypeObject *type, CormPySession *session) {
    CormPyHolder *self = (CormPyHolder *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->session = (CormPySession *)Py_NewRef(session);
    }
    return (PyObject *)self;
}

static int holder_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(session_of(self));
    return 0;
}

static int holder_clear(PyObject *self) {
    Py_CLEAR(((CormPyHolder *)self)->session);
    return 0;
}

static void holder_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_XDECREF(session_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

PyObject *corm_py_identity_map(CormPySession *self) {
    return make_holder(identity_map_type, self);
}

/* The persistent objects: a list. */
static PyObject *map_list(PyObject *self) {
    corm_session *session = session_of(self)->session;
    corm_vector live = {0};
    if (session == NULL) {
        return PyList_New(0);
    }
    corm_status status = corm_session_live(session, &live);
    PyObject *list = status == CORM_OK ? PyList_New((Py_ssize_t)live.count) : corm_py_raise();
    for (size_t i = 0; i < live.count; i++) {
        PyObject *object = (PyObject *)(void *)corm_state_object(live.items[i]);
        if (list != NULL) {
            PyList_SET_ITEM(list, (Py_ssize_t)i, object);
        } else {
            Py_DECREF(object);
        }
    }
    corm_vector_clear(&live);
    return list;
}

static PyObject *key_of(PyObject *object) {
    const corm_state *state = &((CormPyInstance *)object)->state;
    const corm_value *key;
    corm_value room;
    size_t count = corm_state_key(state, &key, &room);
    return corm_py_identity_key(state->mapper, key, count);
}

enum map_part { MAP_KEYS, MAP_VALUES, MAP_ITEMS };

static PyObject *map_parts(PyObject *self, enum map_part part) {
    PyObject *list = map_list(self);
    for (Py_ssize_t i = 0; part != MAP_VALUES && list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *object = PyList_GET_ITEM(list, i), *key = key_of(object);
        PyObject *item = key == NULL || part == MAP_KEYS ? key : PyTuple_Pack(2, key, object);
        if (item != key) {
            Py_DECREF(key);
        }
        if (item == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SetItem(list, i, item);
    }
    return list;
}

static PyObject *map_keys(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_parts(self, MAP_KEYS);
}

static PyObject *map_values(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_parts(self, MAP_VALUES);
}

static PyObject *map_items(PyObject *self, PyObject *unused) {
    (void)unused;
    return map_parts(self, MAP_ITEMS);
}

/* A new reference; NULL without an exception when it is not there. */
static PyObject *map_find(PyObject *self, PyObject *key) {
    corm_session *session = session_of(self)->session;
    if (session == NULL || !PyTuple_Check(key) || PyTuple_GET_SIZE(key) < 2 ||
        !PyTuple_Check(PyTuple_GET_ITEM(key, 1))) {
        return NULL;
    }
    PyObject *ident = PyTuple_GET_ITEM(key, 1);
    corm_mapper *mapper = corm_py_mapper_of(PyTuple_GET_ITEM(key, 0));
    Py_ssize_t count = PyTuple_GET_SIZE(ident);
    corm_value *values = mapper == NULL ? NULL : PyMem_Calloc((size_t)count + 1, sizeof *values);
    corm_status status = values == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (Py_ssize_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PyTuple_GET_ITEM(ident, i), &values[i]);
    }
    corm_state *state = status == CORM_OK && (size_t)count == mapper->primary_key_count
                            ? corm_identity_find(&session->identity, mapper, values, (size_t)count)
                            : NULL;
    PyMem_Free(values);
    corm_error_clear();
    return state != NULL && corm_py_host.try_hold(state) ? (PyObject *)(void *)corm_state_object(state) : NULL;
}

static PyObject *map_get(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "IdentityMap.get", 2, 1, "key", "default");
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    PyObject *found = map_find(self, given[0]);
    return found != NULL || PyErr_Occurred() != NULL ? found : Py_NewRef(given[1] == NULL ? Py_None : given[1]);
}

static PyObject *map_subscript(PyObject *self, PyObject *key) {
    PyObject *found = map_find(self, key);
    if (found == NULL && PyErr_Occurred() == NULL) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return found;
}

static int map_contains(PyObject *self, PyObject *key) {
    PyObject *found = map_find(self, key);
    Py_XDECREF(found);
    return PyErr_Occurred() != NULL ? -1 : found != NULL;
}

static Py_ssize_t map_length(PyObject *self) {
    PyObject *list = map_list(self);
    Py_ssize_t length = list == NULL ? -1 : PyList_GET_SIZE(list);
    Py_XDECREF(list);
    return length;
}

static PyObject *map_iter(PyObject *self) {
    PyObject *list = map_parts(self, MAP_KEYS);
    PyObject *iterator = list == NULL ? NULL : PyObject_GetIter(list);
    Py_XDECREF(list);
    return iterator;
}

static PyMethodDef map_methods[] = {
    {"keys", map_keys, METH_NOARGS, "keys()\n--\n\nThe identity keys: a list."},
    {"values", map_values, METH_NOARGS, "values()\n--\n\nThe persistent objects: a list."},
    {"items", map_items, METH_NOARGS, "items()\n--\n\nPairs of key and object: a list."},
    {"get", CORM_PY_FAST(map_get), "get(key, default=None)\n--\n\nThe object of an identity key, or the default."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot map_slots[] = {
    {Py_tp_doc, "The persistent objects of a session by identity key; they are held weakly."},
    {Py_tp_dealloc, holder_dealloc},
    {Py_tp_traverse, holder_traverse},
    {Py_tp_clear, holder_clear},
    {Py_tp_iter, map_iter},
    {Py_sq_contains, map_contains},
    {Py_mp_length, map_length},
    {Py_mp_subscript, map_subscript},
    {Py_tp_methods, map_methods},
    {0, NULL}};

static PyType_Spec map_spec = {.name = "cormorant.orm.session.IdentityMap",
                               .basicsize = sizeof(CormPyHolder),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               .slots = map_slots};

PyObject *corm_py_no_autoflush(CormPySession *self) {
    return make_holder(no_autoflush_type, self);
}

static PyObject *no_autoflush_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPySession *session = session_of(object);
    if (session->session != NULL) {
        ((CormPyHolder *)object)->former = corm_session_autoflush(session->session);
        corm_session_set_autoflush(session->session, false);
    }
    return Py_NewRef(session);
}

static PyObject *no_autoflush_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    (void)args;
    (void)count;
    CormPySession *session = session_of(object);
    if (session->session != NULL) {
        corm_session_set_autoflush(session->session, ((CormPyHolder *)object)->former);
    }
    Py_RETURN_NONE;
}

static PyMethodDef no_autoflush_methods[] = {
    {"__enter__", no_autoflush_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))no_autoflush_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot no_autoflush_slots[] = {
    {Py_tp_doc, "Queries in the body of this context manager do not flush first."},
    {Py_tp_dealloc, holder_dealloc},
    {Py_tp_traverse, holder_traverse},
    {Py_tp_clear, holder_clear},
    {Py_tp_methods, no_autoflush_methods},
    {0, NULL}};

static PyType_Spec no_autoflush_spec = {.name = "cormorant._engine.NoAutoflush",
                                        .basicsize = sizeof(CormPyHolder),
                                        .flags =
                                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                        .slots = no_autoflush_slots};

int corm_py_session_views_init(PyObject *module) {
    identity_set_type = corm_py_type(module, &set_spec, NULL);
    identity_map_type = corm_py_type(module, &map_spec, NULL);
    no_autoflush_type = corm_py_type(module, &no_autoflush_spec, NULL);
    return identity_set_type == NULL || identity_map_type == NULL || no_autoflush_type == NULL ? -1 : 0;
}
