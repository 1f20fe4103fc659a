/*
 * sessionmaker and scoped_session: where programs get their sessions from. See session.h.
 *
 * A sessionmaker has a class of its own, so that listeners can be of all its sessions. A scoped_session gives each thread, or what
 * else its scope function tells apart, a session, and passes everything on to it.
 */
#include "session.h"

#include <structmember.h>

/* ---- sessionmaker ---- */

typedef struct CormPyMaker {
    PyObject_HEAD PyObject *cls;
    PyObject *kw; /* dict */
    PyObject *dict;
    PyObject *weakrefs;
} CormPyMaker;

static PyTypeObject *maker_type, *maker_context_type, *registry_type, *scoped_type, *query_property_type;

static CormPyMaker *as_maker(PyObject *object) {
    return (CormPyMaker *)object;
}

/* A subclass of the given class that nobody else has. */
static PyObject *own_class(PyObject *base) {
    PyObject *name = corm_py_get(base, "__name__");
    PyObject *module = name == NULL ? NULL : corm_py_get(base, "__module__");
    PyObject *cls = module == NULL ? NULL
                                   : PyObject_CallFunction((PyObject *)Py_TYPE(base), "O(O){sOs()}", name, base,
                                                           "__module__", module, "__slots__");
    Py_XDECREF(name);
    Py_XDECREF(module);
    return cls;
}

static int maker_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyMaker *self = as_maker(object);
    if (PyTuple_GET_SIZE(args) > 1) {
        PyErr_Format(PyExc_TypeError,
                     "sessionmaker.__init__() takes from 1 to 2 positional arguments but %zd were given",
                     PyTuple_GET_SIZE(args) + 1);
        return -1;
    }
    PyObject *kw = PyDict_New(), *base = NULL;
    int failed =
        kw == NULL ||
        PyDict_SetItemString(kw, "bind", PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : Py_None) < 0 ||
        PyDict_SetItemString(kw, "autoflush", Py_True) < 0 ||
        PyDict_SetItemString(kw, "expire_on_commit", Py_True) < 0 || (kwargs != NULL && PyDict_Update(kw, kwargs) < 0);
    if (!failed && PyTuple_GET_SIZE(args) == 1 && kwargs != NULL && corm_py_item(kwargs, "bind") != NULL) {
        PyErr_SetString(PyExc_TypeError, "sessionmaker.__init__() got multiple values for argument 'bind'");
        failed = 1;
    }
    if (!failed) {
        base = Py_XNewRef(corm_py_item(kw, "class_"));
        failed = base != NULL && PyDict_DelItemString(kw, "class_") < 0;
    }
    if (!failed && corm_py_item(kw, "info") == Py_None) {
        failed = PyDict_DelItemString(kw, "info") < 0;
    }
    PyObject *cls = failed ? NULL : own_class(base == NULL ? (PyObject *)CormPySession_Type : base);
    Py_XDECREF(base);
    if (cls == NULL) {
        Py_XDECREF(kw);
        return -1;
    }
    Py_XSETREF(self->kw, kw);
    Py_XSETREF(self->cls, cls);
    return 0;
}

/* The maker's arguments with the call's: those of the call count, `info` dictionaries are put together. */
static PyObject *merged(CormPyMaker *self, PyObject *given) {
    PyObject *all = PyDict_Copy(self->kw);
    if (all == NULL || PyDict_Update(all, given) < 0) {
        Py_XDECREF(all);
        return NULL;
    }
    PyObject *own = corm_py_item(self->kw, "info"), *info = corm_py_item(given, "info");
    if (own != NULL && info != NULL && info != Py_None && PyDict_Check(own)) {
        PyObject *both = PyDict_Copy(own);
        if (both == NULL || PyDict_Update(both, info) < 0 || PyDict_SetItemString(all, "info", both) < 0) {
            Py_CLEAR(all);
        }
        Py_XDECREF(both);
    }
    return all;
}

static int maker_ready(const CormPyMaker *self) {
    if (self->cls == NULL || self->kw == NULL) {
        PyErr_SetString(PyExc_TypeError, "sessionmaker.__init__() was not called");
        return -1;
    }
    return 0;
}

static PyObject *maker_call(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyMaker *self = as_maker(object);
    if (maker_ready(self) < 0) {
        return NULL;
    }
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_Format(PyExc_TypeError, "sessionmaker.__call__() takes 1 positional argument but %zd were given",
                     PyTuple_GET_SIZE(args) + 1);
        return NULL;
    }
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        return PyObject_Call(self->cls, args, self->kw);
    }
    PyObject *all = merged(self, kwargs);
    PyObject *session = all == NULL ? NULL : PyObject_Call(self->cls, args, all);
    Py_XDECREF(all);
    return session;
}

static PyObject *maker_configure(PyObject *object, PyObject *args, PyObject *kwargs) {
    if (maker_ready(as_maker(object)) < 0 || !PyArg_ParseTuple(args, ":configure") ||
        (kwargs != NULL && PyDict_Update(as_maker(object)->kw, kwargs) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *maker_repr(PyObject *object) {
    CormPyMaker *self = as_maker(object);
    if (maker_ready(self) < 0) {
        return NULL;
    }
    PyObject *parts = PyList_New(0), *name, *value;
    Py_ssize_t position = 0;
    PyObject *class_name = self->cls == NULL || parts == NULL ? NULL : corm_py_get(self->cls, "__name__");
    PyObject *first = class_name == NULL ? NULL : PyUnicode_FromFormat("class_=%R", class_name);
    int failed = first == NULL || PyList_Append(parts, first) < 0;
    Py_XDECREF(first);
    Py_XDECREF(class_name);
    while (!failed && PyDict_Next(self->kw, &position, &name, &value)) {
        PyObject *part = PyUnicode_FromFormat("%U=%R", name, value);
        failed = part == NULL || PyList_Append(parts, part) < 0;
        Py_XDECREF(part);
    }
    PyObject *separator = failed ? NULL : PyUnicode_FromString(", ");
    PyObject *all = separator == NULL ? NULL : PyUnicode_Join(separator, parts);
    PyObject *text = all == NULL ? NULL : PyUnicode_FromFormat("%s(%U)", _PyType_Name(Py_TYPE(object)), all);
    Py_XDECREF(separator);
    Py_XDECREF(all);
    Py_XDECREF(parts);
    return text;
}

static int maker_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(as_maker(object)->cls);
    Py_VISIT(as_maker(object)->kw);
    Py_VISIT(as_maker(object)->dict);
    return 0;
}

static int maker_clear(PyObject *object) {
    Py_CLEAR(as_maker(object)->cls);
    Py_CLEAR(as_maker(object)->kw);
    Py_CLEAR(as_maker(object)->dict);
    return 0;
}

static void maker_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (as_maker(object)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    maker_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Class methods of Session that a sessionmaker has too. */
static PyObject *of_session_class(const char *name, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *method = corm_py_get((PyObject *)CormPySession_Type, name);
    PyObject *result = method == NULL ? NULL : PyObject_Vectorcall(method, args, (size_t)count, names);
    Py_XDECREF(method);
    return result;
}

static PyObject *maker_object_session(PyObject *unused, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    (void)unused;
    return of_session_class("object_session", args, count, names);
}

static PyObject *maker_identity_key(PyObject *unused, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    (void)unused;
    return of_session_class("identity_key", args, count, names);
}

static PyObject *maker_begin(PyObject *object, PyObject *unused);

static PyMethodDef maker_methods[] = {
    {"configure", (PyCFunction)(void (*)(void))maker_configure, METH_VARARGS | METH_KEYWORDS,
     "configure(**new_kw)\n--\n\nChange the arguments of the sessions to come."},
    {"begin", maker_begin, METH_NOARGS,
     "begin()\n--\n\nA context manager: a session with a transaction that is committed at the end, and the session "
     "closed."},
    {"object_session", (PyCFunction)(void (*)(void))maker_object_session, METH_FASTCALL | METH_KEYWORDS | METH_STATIC,
     "object_session(instance)\n--\n\nThe Session that an object is in, or None."},
    {"identity_key", (PyCFunction)(void (*)(void))maker_identity_key, METH_FASTCALL | METH_KEYWORDS | METH_STATIC,
     "identity_key(class_=None, ident=None, *, instance=None, row=None, identity_token=None)\n--\n\nSee Session."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL}};

static PyMemberDef maker_members[] = {
    {"class_", T_OBJECT, offsetof(CormPyMaker, cls), 0, "The class of the sessions."},
    {"kw", T_OBJECT, offsetof(CormPyMaker, kw), READONLY, "The arguments of the sessions."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyMaker, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyMaker, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot maker_slots[] = {
    {Py_tp_doc,
     "sessionmaker(bind=None, *, class_=Session, autoflush=True, expire_on_commit=True, info=None, **kw)\n--\n\n"
     "A factory of sessions that all have these arguments."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, maker_init},
    {Py_tp_call, maker_call},
    {Py_tp_repr, maker_repr},
    {Py_tp_dealloc, maker_dealloc},
    {Py_tp_traverse, maker_traverse},
    {Py_tp_clear, maker_clear},
    {Py_tp_methods, maker_methods},
    {Py_tp_members, maker_members},
    {0, NULL}};

static PyType_Spec maker_spec = {.name = "cormorant.orm.session.sessionmaker",
                                 .basicsize = sizeof(CormPyMaker),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                 .slots = maker_slots};

/* ---- sessionmaker.begin() ---- */

/* Two objects; also of the types below. */
typedef struct CormPyPair {
    PyObject_HEAD PyObject *first, *second;
    PyObject *dict;
    PyObject *weakrefs;
    unsigned long long number; /* of a registry: what threads' dictionaries know it by */
} CormPyPair;

static CormPyPair *as_pair(PyObject *object) {
    return (CormPyPair *)object;
}

static int pair_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(as_pair(object)->first);
    Py_VISIT(as_pair(object)->second);
    Py_VISIT(as_pair(object)->dict);
    return 0;
}

static int pair_clear(PyObject *object) {
    Py_CLEAR(as_pair(object)->first);
    Py_CLEAR(as_pair(object)->second);
    Py_CLEAR(as_pair(object)->dict);
    return 0;
}

static void pair_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (as_pair(object)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    pair_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *pair_new(PyTypeObject *type, PyObject *first, PyObject *second) {
    CormPyPair *self = (CormPyPair *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->first = Py_XNewRef(first);
        self->second = Py_XNewRef(second);
    }
    return (PyObject *)self;
}

static PyObject *maker_begin(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *session = PyObject_CallNoArgs(object);
    PyObject *context = session == NULL ? NULL : pair_new(maker_context_type, session, NULL);
    Py_XDECREF(session);
    return context;
}

static PyObject *context_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyPair *self = as_pair(object);
    PyObject *transaction = self->first == NULL ? NULL : corm_py_call(self->first, "begin", NULL);
    PyObject *entered = transaction == NULL ? NULL : corm_py_call(transaction, "__enter__", NULL);
    if (entered == NULL) {
        Py_XDECREF(transaction);
        return NULL;
    }
    Py_DECREF(entered);
    Py_XSETREF(self->second, transaction);
    return Py_NewRef(self->first);
}

/* The transaction ends, then the session closes whatever came of that. */
static PyObject *context_exit(PyObject *object, PyObject *args) {
    CormPyPair *self = as_pair(object);
    PyObject *type, *value, *traceback;
    PyObject *exit = self->second == NULL ? NULL : corm_py_get(self->second, "__exit__");
    PyObject *result = exit == NULL ? NULL : PyObject_Call(exit, args, NULL);
    Py_XDECREF(exit);
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *closed = self->first == NULL ? NULL : corm_py_call(self->first, "close", NULL);
    if (type != NULL) {
        PyErr_Clear();
        PyErr_Restore(type, value, traceback);
    }
    if (closed == NULL) {
        Py_CLEAR(result);
    }
    Py_XDECREF(closed);
    return result;
}

static PyMethodDef context_methods[] = {{"__enter__", context_enter, METH_NOARGS, NULL},
                                        {"__exit__", context_exit, METH_VARARGS, NULL},
                                        {NULL, NULL, 0, NULL}};

static PyType_Slot context_slots[] = {{Py_tp_doc, "A session and its transaction, for the body of a with."},
                                      {Py_tp_dealloc, pair_dealloc},
                                      {Py_tp_traverse, pair_traverse},
                                      {Py_tp_clear, pair_clear},
                                      {Py_tp_methods, context_methods},
                                      {0, NULL}};

static PyType_Spec context_spec = {.name = "cormorant._engine.MakerContext",
                                   .basicsize = sizeof(CormPyPair),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                   .slots = context_slots};

/* ---- registries: first is the factory; second the scope function, or NULL; dict: scope -> object, or NULL ---- */

/* Where the object of the present scope is: a dictionary (borrowed) and a key (new). Of threads: the thread's own. */
static PyObject *scope(PyObject *object, PyObject **key) {
    CormPyPair *self = as_pair(object);
    if (self->second == NULL) {
        PyObject *dict = PyThreadState_GetDict();
        *key = PyUnicode_FromFormat("cormorant registry %llu", self->number);
        return *key == NULL ? NULL : dict;
    }
    *key = PyObject_CallNoArgs(self->second);
    return *key == NULL ? NULL : self->dict;
}

static PyObject *registry_peek(PyObject *object) {
    PyObject *key, *dict = scope(object, &key);
    PyObject *found = dict == NULL ? NULL : PyDict_GetItemWithError(dict, key);
    Py_XDECREF(key);
    return Py_XNewRef(found);
}

static int registry_put(PyObject *object, PyObject *value) {
    PyObject *key, *dict = scope(object, &key);
    int failed = -1;
    if (dict != NULL && value != NULL) {
        failed = PyDict_SetItem(dict, key, value);
    } else if (dict != NULL) {
        failed = PyDict_Contains(dict, key);
        failed = failed > 0 ? PyDict_DelItem(dict, key) : failed;
    }
    Py_XDECREF(key);
    return failed;
}

static PyObject *registry_get(PyObject *object) {
    PyObject *found = registry_peek(object);
    if (found != NULL || PyErr_Occurred() != NULL) {
        return found;
    }
    found = PyObject_CallNoArgs(as_pair(object)->first);
    if (found != NULL && registry_put(object, found) < 0) {
        Py_CLEAR(found);
    }
    return found;
}

static PyObject *registry_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"createfunc", "scopefunc", NULL};
    static unsigned long long last;
    PyObject *factory, *scopefunc = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:ScopedRegistry", names, &factory, &scopefunc)) {
        return NULL;
    }
    PyObject *self = pair_new(type, factory, scopefunc == Py_None ? NULL : scopefunc);
    if (self != NULL && as_pair(self)->second != NULL) {
        as_pair(self)->dict = PyDict_New();
        if (as_pair(self)->dict == NULL) {
            Py_CLEAR(self);
        }
    }
    if (self != NULL) {
        as_pair(self)->number = ++last;
    }
    return self;
}

static void registry_dealloc(PyObject *object) {
    if (as_pair(object)->second == NULL && as_pair(object)->first != NULL) {
        /* This thread's session goes with the registry; those of other threads with their threads. */
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        if (registry_put(object, NULL) < 0) {
            PyErr_Clear();
        }
        PyErr_Restore(type, value, traceback);
    }
    pair_dealloc(object);
}

static PyObject *registry_call(PyObject *object, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) > 0 || (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        PyErr_SetString(PyExc_TypeError, "a registry is called without arguments");
        return NULL;
    }
    return registry_get(object);
}

static PyObject *registry_has(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *found = registry_peek(object);
    Py_XDECREF(found);
    return PyErr_Occurred() != NULL ? NULL : PyBool_FromLong(found != NULL);
}

static PyObject *registry_set(PyObject *object, PyObject *value) {
    if (registry_put(object, value) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *registry_clear(PyObject *object, PyObject *unused) {
    (void)unused;
    if (registry_put(object, NULL) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef registry_methods[] = {
    {"has", registry_has, METH_NOARGS, "has()\n--\n\nIs there a session for the present scope?"},
    {"set", registry_set, METH_O, "set(obj)\n--\n\nThis is the session of the present scope."},
    {"clear", registry_clear, METH_NOARGS, "clear()\n--\n\nForget the session of the present scope."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot registry_slots[] = {{Py_tp_doc,
                                        "ScopedRegistry(createfunc, scopefunc=None)\n--\n\nOne object for each thread, "
                                        "or for each value of the scope function."},
                                       {Py_tp_new, registry_new},
                                       {Py_tp_call, registry_call},
                                       {Py_tp_dealloc, registry_dealloc},
                                       {Py_tp_traverse, pair_traverse},
                                       {Py_tp_clear, pair_clear},
                                       {Py_tp_methods, registry_methods},
                                       {0, NULL}};

static PyType_Spec registry_spec = {.name = "cormorant.orm.scoping.ScopedRegistry",
                                    .basicsize = sizeof(CormPyPair),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                    .slots = registry_slots};

/* ---- scoped_session: first is the factory, second the registry ---- */

static PyObject *scoped_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    return pair_new(type, NULL, NULL);
}

static int scoped_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"session_factory", "scopefunc", NULL};
    PyObject *factory, *scopefunc = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:scoped_session", names, &factory, &scopefunc)) {
        return -1;
    }
    PyObject *registry = PyObject_CallFunctionObjArgs((PyObject *)registry_type, factory, scopefunc, NULL);
    if (registry == NULL) {
        return -1;
    }
    Py_XSETREF(as_pair(object)->first, Py_NewRef(factory));
    Py_XSETREF(as_pair(object)->second, registry);
    return 0;
}

/* The registry: borrowed; NULL raised. */
static PyObject *registry_of(PyObject *object) {
    PyObject *registry = as_pair(object)->second;
    if (registry == NULL || !Py_IS_TYPE(registry, registry_type)) {
        PyErr_SetString(PyExc_TypeError, registry == NULL ? "scoped_session.__init__() was not called"
                                                          : "the registry of a scoped_session is a ScopedRegistry");
        return NULL;
    }
    return registry;
}

/* The session of the present scope: a new reference. */
static PyObject *scoped_session(PyObject *object) {
    PyObject *registry = registry_of(object);
    return registry == NULL ? NULL : registry_get(registry);
}

/* That which there is already: a new reference; NULL without an exception when there is none. */
static PyObject *present_session(PyObject *object) {
    PyObject *registry = registry_of(object);
    return registry == NULL ? NULL : registry_peek(registry);
}

static PyObject *scoped_call(PyObject *object, PyObject *args, PyObject *kwargs) {
    if (kwargs == NULL || PyDict_GET_SIZE(kwargs) == 0) {
        return scoped_session(object);
    }
    PyObject *present = present_session(object);
    if (present != NULL) {
        Py_DECREF(present);
        return corm_py_raise_exc("InvalidRequestError",
                                 "Scoped session is already present; no new arguments may be specified.");
    }
    PyObject *session = PyErr_Occurred() != NULL ? NULL : PyObject_Call(as_pair(object)->first, args, kwargs);
    if (session != NULL && registry_put(as_pair(object)->second, session) < 0) {
        Py_CLEAR(session);
    }
    return session;
}

/* Texts that are the session's own attributes: a scoped_session's are set on it. */
static bool is_sessions(PyObject *name) {
    static const char *const names[] = {"autoflush", "bind", "info", "expire_on_commit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static PyObject *scoped_getattro(PyObject *object, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(object, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError) || as_pair(object)->second == NULL ||
        PyUnicode_READ_CHAR(name, 0) == '_') {
        return found;
    }
    PyErr_Clear();
    PyObject *session = scoped_session(object);
    found = session == NULL ? NULL : PyObject_GetAttr(session, name);
    if (session != NULL && found == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", _PyType_Name(Py_TYPE(object)),
                     name);
    }
    Py_XDECREF(session);
    return found;
}

static int scoped_setattro(PyObject *object, PyObject *name, PyObject *value) {
    if (!is_sessions(name)) {
        return PyObject_GenericSetAttr(object, name, value);
    }
    PyObject *session = scoped_session(object);
    int failed = session == NULL ? -1 : PyObject_SetAttr(session, name, value);
    Py_XDECREF(session);
    return failed;
}

static int scoped_contains(PyObject *object, PyObject *instance) {
    PyObject *session = scoped_session(object);
    int found = session == NULL ? -1 : PySequence_Contains(session, instance);
    Py_XDECREF(session);
    return found;
}

static PyObject *scoped_iter(PyObject *object) {
    PyObject *session = scoped_session(object);
    PyObject *iterator = session == NULL ? NULL : PyObject_GetIter(session);
    Py_XDECREF(session);
    return iterator;
}

static PyObject *scoped_remove(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *session = present_session(object);
    if (session != NULL) {
        PyObject *closed = corm_py_call(session, "close", NULL);
        Py_DECREF(session);
        if (closed == NULL) {
            return NULL;
        }
        Py_DECREF(closed);
    } else if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    return registry_clear(as_pair(object)->second, NULL);
}

static PyObject *scoped_configure(PyObject *object, PyObject *args, PyObject *kwargs) {
    PyObject *present = present_session(object);
    if (present != NULL) {
        Py_DECREF(present);
        if (corm_py_host.warn(
                "At least one scoped session is already present.  configure() can not affect sessions that have "
                "already been created.") != CORM_OK) {
            return corm_py_raise();
        }
    } else if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    PyObject *method = corm_py_get(as_pair(object)->first, "configure");
    PyObject *result = method == NULL ? NULL : PyObject_Call(method, args, kwargs);
    Py_XDECREF(method);
    return result;
}

static PyObject *scoped_query_property(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "scoped_session.query_property", 1, 0, "query_cls");
    PyObject *given[1];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    return pair_new(query_property_type, object, given[0] == Py_None ? NULL : given[0]);
}

static PyMethodDef scoped_methods[] = {
    {"remove", scoped_remove, METH_NOARGS, "remove()\n--\n\nClose the session of the present scope and forget it."},
    {"configure", (PyCFunction)(void (*)(void))scoped_configure, METH_VARARGS | METH_KEYWORDS,
     "configure(**kwargs)\n--\n\nChange the arguments of the sessions to come."},
    {"query_property", CORM_PY_FAST(scoped_query_property),
     "query_property(query_cls=None)\n--\n\nA class attribute that gives a Query of the class it is read from."},
    {"object_session", (PyCFunction)(void (*)(void))maker_object_session, METH_FASTCALL | METH_KEYWORDS | METH_STATIC,
     "object_session(instance)\n--\n\nThe Session that an object is in, or None."},
    {"identity_key", (PyCFunction)(void (*)(void))maker_identity_key, METH_FASTCALL | METH_KEYWORDS | METH_STATIC,
     "identity_key(class_=None, ident=None, *, instance=None, row=None, identity_token=None)\n--\n\nSee Session."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL}};

static PyMemberDef scoped_members[] = {
    {"session_factory", T_OBJECT, offsetof(CormPyPair, first), 0, "What makes the sessions."},
    {"registry", T_OBJECT, offsetof(CormPyPair, second), READONLY, "The sessions by scope."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyPair, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyPair, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot scoped_slots[] = {
    {Py_tp_doc,
     "scoped_session(session_factory, scopefunc=None)\n--\n\nA session for each thread, or for each value of the scope "
     "function, behind one object that has all of Session's methods."},
    {Py_tp_new, scoped_new},
    {Py_tp_init, scoped_init},
    {Py_tp_call, scoped_call},
    {Py_tp_getattro, scoped_getattro},
    {Py_tp_setattro, scoped_setattro},
    {Py_sq_contains, scoped_contains},
    {Py_tp_iter, scoped_iter},
    {Py_tp_dealloc, pair_dealloc},
    {Py_tp_traverse, pair_traverse},
    {Py_tp_clear, pair_clear},
    {Py_tp_methods, scoped_methods},
    {Py_tp_members, scoped_members},
    {0, NULL}};

static PyType_Spec scoped_spec = {.name = "cormorant.orm.scoping.scoped_session",
                                  .basicsize = sizeof(CormPyPair),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = scoped_slots};

PyObject *corm_py_session_resolve(PyObject *object) {
    return PyObject_TypeCheck(object, scoped_type) ? scoped_session(object) : Py_NewRef(object);
}

/* ---- query_property(): first is the scoped_session, second the class of queries or NULL ---- */

static PyObject *query_property_get(PyObject *object, PyObject *instance, PyObject *owner) {
    CormPyPair *self = as_pair(object);
    PyObject *cls = owner != NULL && owner != Py_None ? owner : (PyObject *)Py_TYPE(instance);
    if (corm_py_mapper_of(cls) == NULL) {
        if (PyErr_Occurred() != NULL) {
            return NULL;
        }
        Py_RETURN_NONE;
    }
    PyObject *session = scoped_session(self->first);
    PyObject *query = NULL;
    if (session != NULL && self->second != NULL) {
        query = PyObject_CallFunction(self->second, "(O)O", cls, session);
    } else if (session != NULL) {
        query = corm_py_call(session, "query", "O", cls);
    }
    Py_XDECREF(session);
    return query;
}

static PyType_Slot query_property_slots[] = {{Py_tp_doc, "Gives a Query of the mapped class it is read from."},
                                             {Py_tp_descr_get, query_property_get},
                                             {Py_tp_dealloc, pair_dealloc},
                                             {Py_tp_traverse, pair_traverse},
                                             {Py_tp_clear, pair_clear},
                                             {0, NULL}};

static PyType_Spec query_property_spec = {.name = "cormorant.orm.scoping.QueryProperty",
                                          .basicsize = sizeof(CormPyPair),
                                          .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                                   Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                          .slots = query_property_slots};

int corm_py_session_maker_init(PyObject *module) {
    maker_type = corm_py_type(module, &maker_spec, NULL);
    maker_context_type = corm_py_type(module, &context_spec, NULL);
    registry_type = corm_py_type(module, &registry_spec, NULL);
    scoped_type = corm_py_type(module, &scoped_spec, NULL);
    query_property_type = corm_py_type(module, &query_property_spec, NULL);
    return maker_type == NULL || maker_context_type == NULL || registry_type == NULL || scoped_type == NULL ||
                   query_property_type == NULL
               ? -1
               : 0;
}
