/*
 * Listeners of engines, connections and pools.
 *
 * They are kept by event: of each engine in its context, of a single connection in its object, of the classes in one table
 * for the process. What the core must tell is set as bits on the engine whenever a listener comes or goes.
 */
#include "engine.h"
#include "orm.h"

static const char *const names[CORM_PY_ENGINE_EVENT_COUNT] = {
    "connect",
    "first_connect",
    "checkout",
    "checkin",
    "reset",
    "close",
    "invalidate",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "release_savepoint",
    "rollback_savepoint",
    "begin_twophase",
    "prepare_twophase",
    "commit_twophase",
    "rollback_twophase",
    "before_execute",
    "after_execute",
    "before_cursor_execute",
    "after_cursor_execute",
    "engine_connect",
    "engine_disposed",
    "handle_error",
};

/* The arguments' names, for listeners with named=True. */
static const char *const argument_names[CORM_PY_ENGINE_EVENT_COUNT] = {
    "dbapi_connection connection_record",
    "dbapi_connection connection_record",
    "dbapi_connection connection_record connection_proxy",
    "dbapi_connection connection_record",
    "dbapi_connection connection_record reset_state",
    "dbapi_connection connection_record",
    "dbapi_connection connection_record exception",
    "conn",
    "conn",
    "conn",
    "conn name",
    "conn name context",
    "conn name context",
    "conn xid",
    "conn xid",
    "conn xid is_prepared",
    "conn xid is_prepared",
    "conn clauseelement multiparams params execution_options",
    "conn clauseelement multiparams params execution_options result",
    "conn cursor statement parameters context executemany",
    "conn cursor statement parameters context executemany",
    "conn",
    "engine",
    "exception_context",
};

static PyObject *class_listeners[CORM_PY_ENGINE_EVENT_COUNT]; /* lists, or NULL */
static CormPyContext *contexts;

static bool has_any(PyObject *list) {
    return list != NULL && PyList_GET_SIZE(list) > 0;
}

bool corm_py_engine_listened(const CormPyContext *context, const CormPyConnection *connection,
                             corm_py_engine_event event) {
    return has_any(class_listeners[event]) || has_any(context->listeners[event]) ||
           (connection != NULL && has_any(connection->listeners[event]));
}

void corm_py_engine_apply(CormPyContext *context) {
    unsigned kinds = 0;
    if (context->core == NULL) {
        return;
    }
    for (int event = CORM_PY_BEGIN; event <= CORM_PY_ROLLBACK_TWO_PHASE; event++) {
        kinds |= corm_py_engine_listened(context, NULL, event) ? (unsigned)CORM_LISTEN_TRANSACTION : 0u;
    }
    if (corm_py_engine_listened(context, NULL, CORM_PY_BEFORE_CURSOR_EXECUTE) ||
        corm_py_engine_listened(context, NULL, CORM_PY_AFTER_CURSOR_EXECUTE) ||
        corm_py_engine_listened(context, NULL, CORM_PY_HANDLE_ERROR)) {
        kinds |= CORM_LISTEN_EXECUTE;
    }
    corm_engine_listen(context->core, kinds);
}

/* ---- calling ---- */

static int extend(PyObject *all, PyObject *list) {
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        if (PyList_Append(all, PyList_GET_ITEM(list, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

PyObject *corm_py_engine_listeners(CormPyContext *context, CormPyConnection *connection, corm_py_engine_event event) {
    PyObject *all = PyList_New(0);
    if (all != NULL && (extend(all, class_listeners[event]) < 0 || extend(all, context->listeners[event]) < 0 ||
                        (connection != NULL && extend(all, connection->listeners[event]) < 0))) {
        Py_CLEAR(all);
    }
    return all;
}

int corm_py_engine_fire(CormPyContext *context, CormPyConnection *connection, corm_py_engine_event event,
                        PyObject *args) {
    PyObject *all = args == NULL ? NULL : corm_py_engine_listeners(context, connection, event);
    int status = all == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(all); i++) {
        PyObject *result = PyObject_Call(PyTuple_GET_ITEM(PyList_GET_ITEM(all, i), 0), args, NULL);
        status = result == NULL ? -1 : 0;
        Py_XDECREF(result);
    }
    Py_XDECREF(all);
    return status;
}

/* ---- targets ---- */

/* The lists that a target's listeners of an event are in; *context NULL: of all engines. NULL: not a target of ours. */
static PyObject **lists_of(PyObject *target, CormPyContext **context) {
    *context = NULL;
    if (PyObject_TypeCheck(target, CormPyEngine_Type)) {
        *context = ((CormPyEngine *)target)->context;
        return (*context)->listeners;
    }
    if (PyObject_TypeCheck(target, CormPyConnection_Type)) {
        *context = ((CormPyConnection *)target)->engine->context;
        return ((CormPyConnection *)target)->listeners;
    }
    PyObject *pool_class = corm_py_import("cormorant.pool", "Pool");
    if (pool_class == NULL) {
        return NULL;
    }
    PyObject **lists = NULL;
    bool is_class = PyType_Check(target);
    if (is_class && (PyType_IsSubtype((PyTypeObject *)target, CormPyEngine_Type) ||
                     PyType_IsSubtype((PyTypeObject *)target, CormPyConnection_Type) ||
                     PyType_IsSubtype((PyTypeObject *)target, (PyTypeObject *)pool_class))) {
        lists = class_listeners;
    } else if (!is_class && PyObject_TypeCheck(target, (PyTypeObject *)pool_class)) {
        PyObject *engine = corm_py_get(target, "_engine");
        if (engine != NULL && PyObject_TypeCheck(engine, CormPyEngine_Type)) {
            *context = ((CormPyEngine *)engine)->context;
            lists = (*context)->listeners; /* the pool keeps its engine */
        } else {
            PyErr_Clear();
        }
        Py_XDECREF(engine);
    }
    Py_DECREF(pool_class);
    return lists;
}

static int event_of(PyObject *identifier) {
    for (int i = 0; i < CORM_PY_ENGINE_EVENT_COUNT; i++) {
        if (PyUnicode_CompareWithASCIIString(identifier, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static void apply_all(CormPyContext *context) {
    for (CormPyContext *each = contexts; each != NULL; each = each->next) {
        if (context == NULL || context == each) {
            corm_py_engine_apply(each);
        }
    }
}

static int option(PyObject *options, const char *name) {
    PyObject *value = options == Py_None ? NULL : corm_py_item(options, name);
    return value == NULL ? 0 : PyObject_IsTrue(value);
}

/* The function that is called: wrapped when it takes names or goes after its first call. */
static PyObject *callable_of(PyObject *fn, PyObject *target, PyObject *identifier, int event, PyObject *options) {
    int named = option(options, "named"), once = option(options, "once");
    if (named < 0 || once < 0) {
        return NULL;
    }
    if (!named && !once) {
        return Py_NewRef(fn);
    }
    PyObject *wrap = corm_py_import("cormorant.engine.events", "_wrap_listener");
    PyObject *made = wrap == NULL ? NULL
                                  : PyObject_CallFunction(wrap, "OsiiOO", fn, argument_names[event], named, once,
                                                          target, identifier);
    Py_XDECREF(wrap);
    return made;
}

static PyObject *engine_listen(PyObject *module, PyObject *args) {
    PyObject *target, *identifier, *fn, *options = Py_None;
    CormPyContext *context;
    (void)module;
    if (!PyArg_ParseTuple(args, "OUO|O", &target, &identifier, &fn, &options)) {
        return NULL;
    }
    PyObject **lists = lists_of(target, &context);
    int event = lists == NULL ? -1 : event_of(identifier);
    if (event < 0) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_False);
    }
    int first = option(options, "insert"), retval = option(options, "retval");
    if (lists[event] == NULL) {
        lists[event] = PyList_New(0);
    }
    PyObject *callable =
        lists[event] == NULL || first < 0 || retval < 0 ? NULL : callable_of(fn, target, identifier, event, options);
    PyObject *entry = callable == NULL ? NULL : Py_BuildValue("(OOO)", callable, retval ? Py_True : Py_False, fn);
    int status = entry == NULL ? -1
                 : first       ? PyList_Insert(lists[event], 0, entry)
                               : PyList_Append(lists[event], entry);
    Py_XDECREF(callable);
    Py_XDECREF(entry);
    if (status < 0) {
        return NULL;
    }
    apply_all(lists == class_listeners ? NULL : context);
    if (context != NULL && lists != context->listeners) { /* of a connection: the whole engine tells */
        corm_engine_listen(context->core, CORM_LISTEN_TRANSACTION | CORM_LISTEN_EXECUTE);
    }
    Py_RETURN_TRUE;
}

static Py_ssize_t place_of(PyObject *list, PyObject *fn) {
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(PyList_GET_ITEM(list, i), 2), fn, Py_EQ);
        if (same != 0) {
            return same < 0 ? -2 : i;
        }
    }
    return -1;
}

static PyObject *find(PyObject *args, bool remove) {
    PyObject *target, *identifier, *fn;
    CormPyContext *context;
    if (!PyArg_ParseTuple(args, "OUO", &target, &identifier, &fn)) {
        return NULL;
    }
    PyObject **lists = lists_of(target, &context);
    int event = lists == NULL ? -1 : event_of(identifier);
    if (event < 0) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_False);
    }
    Py_ssize_t place = place_of(lists[event], fn);
    if (place < -1) {
        return NULL;
    }
    if (place >= 0 && remove) {
        if (PySequence_DelItem(lists[event], place) < 0) {
            return NULL;
        }
        apply_all(lists == class_listeners ? NULL : context);
    }
    return PyBool_FromLong(place >= 0);
}

static PyObject *engine_unlisten(PyObject *module, PyObject *args) {
    (void)module;
    return find(args, true);
}

static PyObject *engine_contains(PyObject *module, PyObject *args) {
    (void)module;
    return find(args, false);
}

/* ---- contexts ---- */

static int context_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyContext *self = (CormPyContext *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->creator);
    Py_VISIT(self->raw);
    for (int i = 0; i < CORM_PY_ENGINE_EVENT_COUNT; i++) {
        Py_VISIT(self->listeners[i]);
    }
    Py_VISIT(self->loggers[0]);
    Py_VISIT(self->loggers[1]);
    return 0;
}

static int context_clear(PyObject *object) {
    CormPyContext *self = (CormPyContext *)object;
    for (int i = 0; i < CORM_PY_ENGINE_EVENT_COUNT; i++) {
        Py_CLEAR(self->listeners[i]);
    }
    return 0;
}

static void context_dealloc(PyObject *object) {
    CormPyContext *self = (CormPyContext *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else if (contexts == self) {
        contexts = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    context_clear(object);
    Py_CLEAR(self->creator);
    Py_CLEAR(self->raw);
    for (int i = 0; i < 2; i++) {
        Py_CLEAR(self->loggers[i]);
        Py_CLEAR(self->logger_names[i]);
    }
    type->tp_free(object);
    Py_DECREF(type);
}

PyObject *corm_py_context_new(void) {
    CormPyContext *self = (CormPyContext *)CormPyContext_Type->tp_alloc(CormPyContext_Type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->echo[0] = self->echo[1] = -1;
    self->next = contexts;
    if (contexts != NULL) {
        contexts->previous = self;
    }
    contexts = self;
    self->raw = PyDict_New();
    if (self->raw == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static PyType_Slot context_slots[] = {{Py_tp_dealloc, context_dealloc},
                                      {Py_tp_traverse, context_traverse},
                                      {Py_tp_clear, context_clear},
                                      {Py_tp_doc, "What an engine's hooks need."},
                                      {0}};

static PyType_Spec context_spec = {.name = "cormorant._engine._EngineContext",
                                   .basicsize = sizeof(CormPyContext),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                   .slots = context_slots};

static PyMethodDef functions[] = {
    {"_engine_listen", engine_listen, METH_VARARGS,
     "_engine_listen(target, identifier, fn, options=None)\n--\n\nAdd a listener; False when the target is no "
     "engine's."},
    {"_engine_unlisten", engine_unlisten, METH_VARARGS,
     "_engine_unlisten(target, identifier, fn)\n--\n\nRemove a listener; False when it is not there."},
    {"_engine_contains", engine_contains, METH_VARARGS,
     "_engine_contains(target, identifier, fn)\n--\n\nWhether the listener is there."},
    {NULL}};

PyTypeObject *CormPyContext_Type;

int corm_py_engine_events_init(PyObject *module) {
    CormPyContext_Type = corm_py_type(module, &context_spec, NULL);
    return CormPyContext_Type == NULL ? -1 : PyModule_AddFunctions(module, functions);
}
