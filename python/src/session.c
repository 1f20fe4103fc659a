/*
 * Session: the type, its life, and what is done to objects in it. See session.h.
 */
#include "session.h"

#include <stdarg.h>
#include <structmember.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "orm/attribute.h"

PyTypeObject *CormPySession_Type;
static CormPySession *open_sessions; /* all that are alive */

PyObject *corm_py_raise_class(const char *module, const char *name, const char *format, ...) {
    PyObject *cls = corm_py_import(module, name);
    if (cls != NULL) {
        va_list arguments;
        va_start(arguments, format);
        PyErr_FormatV(cls, format, arguments);
        va_end(arguments);
        Py_DECREF(cls);
    }
    return NULL;
}

/* ---- the core session behind the object ---- */

/* Also of one that is closed for good, or waits for its `with` to end. */
static corm_session *core_of(PyObject *object) {
    CormPySession *self = corm_py_as_session(object);
    if (self->session == NULL) {
        PyErr_Format(PyExc_TypeError, "%.100s.__init__() was not called", Py_TYPE(object)->tp_name);
    }
    return self->session;
}

corm_session *corm_py_session_open(PyObject *object) {
    if (!PyObject_TypeCheck(object, CormPySession_Type)) {
        PyErr_Format(PyExc_TypeError, "a Session is needed, not %.100s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    CormPySession *self = corm_py_as_session(object);
    corm_session *session = core_of(object);
    if (session == NULL) {
        return NULL;
    }
    if (self->dead) {
        corm_py_raise_exc(
            "InvalidRequestError",
            "This Session has been permanently closed and is unable to handle any more transaction requests.");
        return NULL;
    }
    if (self->managed != NULL && !corm_py_transaction_alive(self->managed)) {
        corm_py_raise_exc("InvalidRequestError", "Can't operate on closed transaction inside context manager.  Please "
                                                 "complete the context manager before emitting further commands.");
        return NULL;
    }
    return session;
}

CormPySession *corm_py_session_of_core(const corm_session *session) {
    return session == NULL ? NULL : corm_session_host(session);
}

PyObject *corm_py_session_of(const corm_state *state) {
    return (PyObject *)corm_py_session_of_core(state->session);
}

PyObject *corm_py_session_raise(CormPySession *self) {
    PyObject *type, *exception, *traceback;
    bool failed = self->session->failed && !self->quoted;
    corm_py_raise();
    if (self->session->borrowed_connection) {
        corm_py_session_tell_connection(self);
    }
    if (!failed) {
        return NULL;
    }
    self->quoted = true;
    PyErr_Fetch(&type, &exception, &traceback);
    PyErr_NormalizeException(&type, &exception, &traceback);
    PyObject *text = exception == NULL ? NULL : PyObject_Str(exception);
    const char *message = text == NULL ? NULL : PyUnicode_AsUTF8(text);
    char *copy = message == NULL ? NULL : corm_strdup(message);
    if (copy != NULL) {
        corm_free(self->session->failure);
        self->session->failure = copy;
    }
    Py_XDECREF(text);
    corm_error_clear();
    PyErr_Restore(type, exception, traceback);
    return NULL;
}

/* What a method gives back. */
static PyObject *done(CormPySession *self, corm_status status) {
    if (status != CORM_OK) {
        return corm_py_session_raise(self);
    }
    if (corm_py_transactions_changed(self) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- life ---- */

/* In the order of corm_session_join. */
static int join_mode(PyObject *given, corm_session_join *out) {
    static const char *const names[] = {"conditional_savepoint", "rollback_only", "control_fully", "create_savepoint"};
    *out = CORM_SESSION_JOIN_CONDITIONAL;
    if (given == NULL) {
        return 0;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names && PyUnicode_Check(given); i++) {
        if (PyUnicode_CompareWithASCIIString(given, names[i]) == 0) {
            *out = (corm_session_join)i;
            return 0;
        }
    }
    PyObject *text = PyObject_Str(given);
    if (text != NULL) {
        corm_py_raise_exc("ArgumentError", "invalid selection for join_transaction_mode: \"%U\"", text);
        Py_DECREF(text);
    }
    return -1;
}

static int add_binds(CormPySession *self, PyObject *binds) {
    PyObject *items = PyMapping_Items(binds);
    if (items == NULL) {
        return -1;
    }
    int failed = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && !failed; i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        failed = corm_py_session_add_bind(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) < 0;
    }
    Py_DECREF(items);
    return failed ? -1 : 0;
}

static PyObject *dict_copy(PyObject *mapping) {
    PyObject *copy = PyDict_New();
    if (copy != NULL && mapping != NULL && mapping != Py_None && PyDict_Update(copy, mapping) < 0) {
        Py_CLEAR(copy);
    }
    return copy;
}

enum {
    INIT_BIND,
    INIT_AUTOFLUSH,
    INIT_FUTURE,
    INIT_EXPIRE_ON_COMMIT,
    INIT_AUTOBEGIN,
    INIT_TWOPHASE,
    INIT_BINDS,
    INIT_BAKED,
    INIT_INFO,
    INIT_QUERY_CLASS,
    INIT_AUTOCOMMIT,
    INIT_JOIN_MODE,
    INIT_CLOSE_RESETS_ONLY,
    INIT_EXECUTION_OPTIONS,
    INIT_COUNT
};

static int refuse_modes(PyObject *const *given) {
    int future = corm_py_flag(given[INIT_FUTURE], 1), autocommit = corm_py_flag(given[INIT_AUTOCOMMIT], 0);
    if (future < 0 || autocommit < 0) {
        return -1;
    }
    if (autocommit) {
        corm_py_raise_exc("ArgumentError", "autocommit=True is no longer supported");
    } else if (!future) {
        corm_py_raise_exc("ArgumentError", "The 'future' parameter passed to Session() may only be set to True.");
    } else {
        return 0;
    }
    return -1;
}

static void enlist(CormPySession *self) {
    self->next = open_sessions;
    if (open_sessions != NULL) {
        open_sessions->previous = self;
    }
    open_sessions = self;
}

static void delist(CormPySession *self) {
    if (self->previous != NULL) {
        self->previous->next = self->next;
    } else if (open_sessions == self) {
        open_sessions = self->next;
    }
    if (self->next != NULL) {
        self->next->previous = self->previous;
    }
    self->previous = self->next = NULL;
}

static int make_core(CormPySession *self, const corm_session_options *options) {
    corm_session *session;
    if (corm_session_new(NULL, options, &session) != CORM_OK) {
        return corm_py_raise_int();
    }
    if (self->session != NULL) { /* __init__() a second time: begin anew */
        corm_session *former = self->session;
        self->session = session;
        former->host = NULL;
        corm_session_free(former);
    } else {
        self->session = session;
        enlist(self);
    }
    return 0;
}

static int session_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    CORM_PY_SIGNATURE(signature, "Session.__init__", 1, 0, "bind", "autoflush", "future", "expire_on_commit",
                      "autobegin", "twophase", "binds", "enable_baked_queries", "info", "query_cls", "autocommit",
                      "join_transaction_mode", "close_resets_only", "execution_options");
    CormPySession *self = corm_py_as_session(object);
    PyObject *given[INIT_COUNT];
    corm_session_join join;
    if (corm_py_unpack_call(&signature, args, kwargs, given) < 0 || refuse_modes(given) < 0 ||
        join_mode(given[INIT_JOIN_MODE], &join) < 0) {
        return -1;
    }
    int autoflush = corm_py_flag(given[INIT_AUTOFLUSH], 1), expire = corm_py_flag(given[INIT_EXPIRE_ON_COMMIT], 1),
        autobegin = corm_py_flag(given[INIT_AUTOBEGIN], 1), resets = corm_py_flag(given[INIT_CLOSE_RESETS_ONLY], 1),
        twophase = corm_py_flag(given[INIT_TWOPHASE], 0);
    if (twophase < 0 || autoflush < 0 || expire < 0 || autobegin < 0 || resets < 0) {
        return -1;
    }
    corm_session_options options = {.no_autoflush = !autoflush,
                                    .keep_on_commit = !expire,
                                    .no_autobegin = !autobegin,
                                    .host = self,
                                    .host_functions = &corm_py_host};
    if (make_core(self, &options) < 0) {
        return -1;
    }
    corm_session_set_join(self->session, join);
    corm_session_set_two_phase(self->session, twophase != 0);
    self->closes_for_good = !resets;
    self->dead = false;
    if (given[INIT_QUERY_CLASS] != NULL && given[INIT_QUERY_CLASS] != Py_None) {
        Py_XSETREF(self->query_class, Py_NewRef(given[INIT_QUERY_CLASS]));
    }
    if (given[INIT_INFO] != NULL && given[INIT_INFO] != Py_None) {
        Py_XSETREF(self->info, dict_copy(given[INIT_INFO]));
        if (self->info == NULL) {
            return -1;
        }
    }
    if (given[INIT_EXECUTION_OPTIONS] != NULL && PyObject_IsTrue(given[INIT_EXECUTION_OPTIONS]) == 1) {
        Py_XSETREF(self->options, dict_copy(given[INIT_EXECUTION_OPTIONS]));
        if (self->options == NULL) {
            return -1;
        }
    }
    if (given[INIT_BINDS] != NULL && given[INIT_BINDS] != Py_None && add_binds(self, given[INIT_BINDS]) < 0) {
        return -1;
    }
    if (given[INIT_BIND] != NULL && given[INIT_BIND] != Py_None &&
        corm_py_session_set_bind(self, given[INIT_BIND]) < 0) {
        return -1;
    }
    return corm_py_session_apply_listeners(self);
}

/* The session is not needed any more: what is in it is let go of while the object still works, since that runs user's code. */
static void session_finalize(PyObject *object) {
    CormPySession *self = corm_py_as_session(object);
    PyObject *type, *value, *traceback;
    if (self->session == NULL) {
        return;
    }
    PyErr_Fetch(&type, &value, &traceback);
    self->session->host = NULL;
    corm_session_listen(self->session, 0);
    if (corm_session_close(self->session) != CORM_OK) {
        corm_error_clear();
    }
    self->session->host = self; /* user's code may have made it reachable again */
    PyErr_Restore(type, value, traceback);
}

static int session_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPySession *self = corm_py_as_session(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->bind);
    Py_VISIT(self->binds);
    Py_VISIT(self->query_class);
    Py_VISIT(self->listeners);
    Py_VISIT(self->info);
    Py_VISIT(self->options);
    Py_VISIT(self->dict);
    Py_VISIT(self->tracked);
    if (self->session == NULL) { /* __init__() has not run */
        return 0;
    }
    const corm_session *session = self->session;
    for (size_t i = 0; i < session->held.count; i++) {
        if (session->held.items[i] != NULL) {
            Py_VISIT((PyObject *)(void *)corm_state_object(session->held.items[i]));
        }
    }
    for (size_t i = 0; i < session->tombstones.count; i++) {
        Py_VISIT((PyObject *)(void *)((corm_tombstone *)session->tombstones.items[i])->object);
    }
    for (size_t i = 0; i < session->key_switches.count; i++) {
        Py_VISIT((PyObject *)(void *)((corm_key_switch *)session->key_switches.items[i])->object);
    }
    return 0;
}

static int session_clear(PyObject *object) {
    CormPySession *self = corm_py_as_session(object);
    session_finalize(object);
    Py_CLEAR(self->bind);
    Py_CLEAR(self->binds);
    Py_CLEAR(self->query_class);
    Py_CLEAR(self->listeners);
    Py_CLEAR(self->info);
    Py_CLEAR(self->options);
    Py_CLEAR(self->dict);
    Py_CLEAR(self->tracked);
    return 0;
}

static void session_dealloc(PyObject *object) {
    CormPySession *self = corm_py_as_session(object);
    PyTypeObject *type = Py_TYPE(object);
    if (PyObject_CallFinalizerFromDealloc(object) < 0) {
        return; /* a finalizer made it reachable again */
    }
    PyObject_GC_UnTrack(object);
    delist(self);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    session_clear(object);
    corm_session *session = self->session;
    self->session = NULL;
    if (session != NULL) {
        session->host = NULL;
    }
    corm_session_free(session);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- adding and taking out ---- */

static corm_object *as_object(PyObject *object) {
    return (corm_object *)(void *)object;
}

static PyObject *session_add(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.add", 1, 1, "instance", "_warn");
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_session *session = corm_py_session_open(object);
    if (session == NULL || corm_py_state_required(given[0]) == NULL) {
        return NULL;
    }
    return done(corm_py_as_session(object), corm_session_add(session, as_object(given[0]), &corm_py_host));
}

typedef corm_status (*object_operation)(corm_session *session, corm_object *object, const corm_host *host);

/* One operation on each object of an iterable. */
static PyObject *on_each(PyObject *object, PyObject *instances, object_operation operation) {
    PyObject *iterator = PyObject_GetIter(instances), *instance;
    corm_status status = CORM_OK;
    while (iterator != NULL && status == CORM_OK && (instance = PyIter_Next(iterator)) != NULL) {
        corm_session *session = corm_py_session_open(object);
        if (session == NULL || corm_py_state_required(instance) == NULL) {
            Py_DECREF(instance);
            break;
        }
        status = operation(session, as_object(instance), &corm_py_host);
        Py_DECREF(instance);
    }
    Py_XDECREF(iterator);
    return status == CORM_OK && PyErr_Occurred() != NULL ? NULL : done(corm_py_as_session(object), status);
}

static PyObject *session_add_all(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.add_all", 1, 1, "instances");
    PyObject *instances;
    return corm_py_unpack(&signature, args, count, names, &instances) < 0
               ? NULL
               : on_each(object, instances, corm_session_add);
}

/* Deleting follows cascades, which load: the session needs its engine. */
static corm_session *open_for_object(PyObject *object, PyObject *instance) {
    corm_session *session = corm_py_session_open(object);
    corm_state *state = session == NULL ? NULL : corm_py_state_required(instance);
    if (state == NULL) {
        return NULL;
    }
    bool loads = (state->flags & CORM_STATE_HAS_KEY) != 0;
    return loads && corm_py_session_ensure_bind(corm_py_as_session(object), NULL, state->mapper) < 0 ? NULL : session;
}

static PyObject *session_delete(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.delete", 1, 1, "instance");
    PyObject *instance;
    if (corm_py_unpack(&signature, args, count, names, &instance) < 0) {
        return NULL;
    }
    corm_session *session = open_for_object(object, instance);
    return session == NULL
               ? NULL
               : done(corm_py_as_session(object), corm_session_delete(session, as_object(instance), &corm_py_host));
}

static PyObject *session_delete_all(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.delete_all", 1, 1, "instances");
    PyObject *instances;
    return corm_py_unpack(&signature, args, count, names, &instances) < 0
               ? NULL
               : on_each(object, instances, corm_session_delete);
}

static PyObject *session_expunge(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.expunge", 1, 1, "instance");
    PyObject *instance;
    if (corm_py_unpack(&signature, args, count, names, &instance) < 0) {
        return NULL;
    }
    corm_session *session = core_of(object);
    corm_state *state = session == NULL ? NULL : corm_py_state_required(instance);
    return state == NULL ? NULL : done(corm_py_as_session(object), corm_session_expunge(session, state));
}

static PyObject *session_expunge_all(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : done(corm_py_as_session(object), corm_session_expunge_all(session));
}

/* ---- expiring and refreshing ---- */

/* The attributes of names, in an array that PyMem_Free() frees; *out NULL when there are no names. */
static int find_attributes(const corm_mapper *mapper, PyObject *names, corm_attribute ***out, size_t *count) {
    *out = NULL;
    *count = 0;
    if (names == NULL || names == Py_None) {
        return 0;
    }
    PyObject *sequence = PySequence_Fast(names, "attribute_names must be an iterable of names");
    if (sequence == NULL) {
        return -1;
    }
    Py_ssize_t size = PySequence_Fast_GET_SIZE(sequence);
    corm_attribute **attributes = PyMem_Calloc((size_t)size + 1, sizeof *attributes);
    int failed = attributes == NULL;
    if (failed) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < size && !failed; i++) {
        PyObject *name = PySequence_Fast_GET_ITEM(sequence, i);
        const char *key = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
        attributes[i] = key == NULL ? NULL : corm_mapper_attribute(mapper, key);
        if (attributes[i] == NULL) {
            PyErr_SetObject(PyExc_KeyError, name);
            failed = 1;
        }
    }
    Py_DECREF(sequence);
    if (failed) {
        PyMem_Free(attributes);
        return -1;
    }
    *out = attributes;
    *count = (size_t)size;
    return 0;
}

typedef corm_status (*state_operation)(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                                       size_t count);

static PyObject *on_attributes(PyObject *object, corm_session *session, PyObject *instance, PyObject *names,
                               state_operation operation) {
    corm_attribute **attributes;
    size_t count;
    corm_state *state = corm_py_state_required(instance);
    if (state == NULL || find_attributes(state->mapper, names, &attributes, &count) < 0) {
        return NULL;
    }
    corm_status status = operation(session, state, count == 0 ? NULL : attributes, count);
    PyMem_Free(attributes);
    return done(corm_py_as_session(object), status);
}

static PyObject *session_expire(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.expire", 2, 1, "instance", "attribute_names");
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_session *session = core_of(object);
    return session == NULL ? NULL : on_attributes(object, session, given[0], given[1], corm_session_expire);
}

static PyObject *session_expire_all(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : done(corm_py_as_session(object), corm_session_expire_all(session));
}

static PyObject *session_refresh(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.refresh", 3, 1, "instance", "attribute_names", "with_for_update");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_session *session = open_for_object(object, given[0]);
    return session == NULL ? NULL : on_attributes(object, session, given[0], given[1], corm_session_refresh);
}

/* ---- merging ---- */

static PyObject *merge_one(PyObject *object, PyObject *instance, bool load) {
    corm_session *session = corm_py_session_open(object);
    corm_state *state = session == NULL ? NULL : corm_py_state_required(instance);
    corm_object *merged;
    if (state == NULL || corm_py_session_ensure_bind(corm_py_as_session(object), NULL, state->mapper) < 0) {
        return NULL;
    }
    if (!load && !(state->flags & CORM_STATE_HAS_KEY)) {
        return corm_py_raise_exc("InvalidRequestError",
                                 "merge() with load=False option does not support objects transient (i.e. unpersisted) "
                                 "objects.  flush() all changes on mapped instances before merging with load=False.");
    }
    if (corm_session_merge(session, as_object(instance), &corm_py_host, load, &merged) != CORM_OK) {
        return corm_py_session_raise(corm_py_as_session(object));
    }
    return (PyObject *)(void *)merged;
}

static PyObject *session_merge(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.merge", 1, 1, "instance", "load", "options");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int load = corm_py_flag(given[1], 1);
    return load < 0 ? NULL : merge_one(object, given[0], load != 0);
}

static PyObject *session_merge_all(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.merge_all", 1, 1, "instances", "load", "options");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int load = corm_py_flag(given[1], 1);
    PyObject *iterator = load < 0 ? NULL : PyObject_GetIter(given[0]);
    PyObject *list = iterator == NULL ? NULL : PyList_New(0), *instance;
    while (list != NULL && (instance = PyIter_Next(iterator)) != NULL) {
        PyObject *merged = merge_one(object, instance, load != 0);
        Py_DECREF(instance);
        if (merged == NULL || PyList_Append(list, merged) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(merged);
    }
    Py_XDECREF(iterator);
    if (list != NULL && PyErr_Occurred() != NULL) {
        Py_CLEAR(list);
    }
    return list;
}

/* ---- flushing and closing ---- */

static PyObject *session_flush(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.flush", 1, 0, "objects");
    PyObject *given[1];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_session *session = corm_py_session_open(object);
    if (session == NULL || corm_py_session_bind_for_flush(corm_py_as_session(object)) < 0) {
        return NULL;
    }
    return done(corm_py_as_session(object), corm_session_flush(session));
}

static PyObject *reset(PyObject *object, bool for_good) {
    CormPySession *self = corm_py_as_session(object);
    corm_session *session = core_of(object);
    if (session == NULL) {
        return NULL;
    }
    PyObject *result = done(self, corm_session_close(session));
    self->dead = self->dead || (for_good && result != NULL);
    return result;
}

static PyObject *session_close(PyObject *object, PyObject *unused) {
    (void)unused;
    return reset(object, corm_py_as_session(object)->closes_for_good);
}

static PyObject *session_reset(PyObject *object, PyObject *unused) {
    (void)unused;
    return reset(object, false);
}

static PyObject *session_invalidate(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    if (session != NULL && session->connection != NULL) {
        corm_connection_invalidate(session->connection);
    }
    return session == NULL ? NULL : reset(object, false);
}

static PyObject *session_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    return Py_NewRef(object);
}

static PyObject *session_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    (void)args;
    (void)count;
    PyObject *method = corm_py_call(object, "close", NULL); /* a subclass' own one counts */
    if (method == NULL) {
        return NULL;
    }
    Py_DECREF(method);
    Py_RETURN_NONE;
}

PyObject *corm_py_session_objects(CormPySession *self, enum corm_session_set set) {
    corm_vector objects = {0};
    corm_session *session = core_of((PyObject *)self);
    if (session == NULL) {
        return NULL;
    }
    corm_status status = corm_session_objects(session, set, &objects);
    PyObject *list = status == CORM_OK ? PyList_New((Py_ssize_t)objects.count) : corm_py_raise();
    for (size_t i = 0; i < objects.count; i++) {
        if (list != NULL) {
            PyList_SET_ITEM(list, (Py_ssize_t)i, (PyObject *)objects.items[i]);
        } else {
            Py_DECREF((PyObject *)objects.items[i]);
        }
    }
    corm_vector_clear(&objects);
    return list;
}

static int session_contains(PyObject *object, PyObject *instance) {
    corm_session *session = core_of(object);
    corm_state *state = session == NULL ? NULL : corm_py_state_required(instance);
    return state == NULL ? -1 : corm_session_contains(session, state);
}

static PyObject *session_iter(PyObject *object) {
    PyObject *list = corm_py_session_objects(corm_py_as_session(object), CORM_SESSION_ALL);
    PyObject *iterator = list == NULL ? NULL : PyObject_GetIter(list);
    Py_XDECREF(list);
    return iterator;
}

static PyObject *session_is_modified(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.is_modified", 2, 1, "instance", "include_collections");
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_state *state = core_of(object) == NULL ? NULL : corm_py_state_required(given[0]);
    int collections = corm_py_flag(given[1], 1);
    if (state == NULL || collections < 0) {
        return NULL;
    }
    bool modified = corm_session_is_modified(state);
    if (modified && !collections) {
        modified = false;
        for (size_t i = 0; state->changes != NULL && i < state->changes->count; i++) {
            const corm_change *change = &state->changes->items[i];
            modified =
                modified || (change->attribute->kind != CORM_ATTRIBUTE_COLLECTION &&
                             !corm_py_host.unchanged(as_object(given[0]), change->attribute, &change->committed));
        }
    }
    return PyBool_FromLong(modified);
}

static PyObject *session_in_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(corm_session_in_transaction(session));
}

static PyObject *session_in_nested_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(corm_session_in_nested_transaction(session));
}

static PyObject *session_get_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : corm_py_transaction_view(corm_py_as_session(object), 0);
}

static PyObject *session_get_nested_transaction(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_session *session = core_of(object);
    if (session != NULL && session->transactions.count < 2) {
        Py_RETURN_NONE;
    }
    return session == NULL ? NULL
                           : corm_py_transaction_view(corm_py_as_session(object), session->transactions.count - 1);
}

/* object_session(instance): the Session an object is in, or None. */
static PyObject *object_session(PyObject *unused, PyObject *instance) {
    (void)unused;
    corm_state *state = corm_py_state_required(instance);
    if (state == NULL) {
        return NULL;
    }
    PyObject *session = corm_py_session_of(state);
    return Py_NewRef(session == NULL ? Py_None : session);
}

static PyObject *key_of_instance(PyObject *instance) {
    const corm_value *key;
    corm_value room;
    corm_state *state = corm_py_state_required(instance);
    if (state == NULL) {
        return NULL;
    }
    size_t count = corm_state_key(state, &key, &room);
    if (count > 0) {
        return corm_py_identity_key(state->mapper, key, count);
    }
    const corm_mapper *mapper = state->mapper;
    PyObject *values = PyTuple_New((Py_ssize_t)mapper->primary_key_count);
    for (size_t i = 0; values != NULL && i < mapper->primary_key_count; i++) {
        PyObject *value = corm_py_instance_peek((CormPyInstance *)instance, mapper->primary_key[i]);
        PyTuple_SET_ITEM(values, (Py_ssize_t)i, Py_NewRef(value == NULL ? Py_None : value));
    }
    return values == NULL ? NULL : Py_BuildValue("(ONO)", Py_TYPE(instance), values, Py_None);
}

static PyObject *identity_key(PyObject *cls, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    (void)cls;
    CORM_PY_SIGNATURE(signature, "Session.identity_key", 2, 0, "class_", "ident", "instance", "row", "identity_token");
    PyObject *given[5];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    if (given[2] != NULL && given[2] != Py_None) {
        return key_of_instance(given[2]);
    }
    if (given[0] == NULL || given[0] == Py_None) {
        return corm_py_raise_exc("ArgumentError", "class or instance is required");
    }
    corm_mapper *mapper = corm_py_mapper_required(given[0]);
    PyObject *ident = given[3] != NULL ? given[3] : given[1];
    if (mapper == NULL) {
        return NULL;
    }
    if (ident == NULL) {
        return corm_py_raise_exc("ArgumentError", "ident or row is required");
    }
    PyObject *values = PyList_Check(ident) || PyTuple_Check(ident) || ident == given[3] ? PySequence_Tuple(ident)
                                                                                        : PyTuple_Pack(1, ident);
    return values == NULL ? NULL
                          : Py_BuildValue("(ONO)", corm_py_class_of_mapper(mapper)->type, values,
                                          given[4] == NULL ? Py_None : given[4]);
}

static PyObject *close_all_sessions(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    PyObject *list = PyList_New(0);
    for (CormPySession *at = open_sessions; list != NULL && at != NULL; at = at->next) {
        if (Py_REFCNT(at) > 0 && PyList_Append(list, (PyObject *)at) < 0) {
            Py_CLEAR(list);
        }
    }
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *result = corm_py_call(PyList_GET_ITEM(list, i), "close", NULL);
        if (result == NULL) {
            Py_CLEAR(list);
        }
        Py_XDECREF(result);
    }
    if (list == NULL) {
        return NULL;
    }
    Py_DECREF(list);
    Py_RETURN_NONE;
}

/* ---- the state of objects, by hand ---- */

static PyObject *make_transient(PyObject *module, PyObject *instance) {
    (void)module;
    corm_state *state = corm_py_state_required(instance);
    if (state == NULL) {
        return NULL;
    }
    if (corm_make_transient(state) != CORM_OK) {
        return corm_py_raise();
    }
    Py_RETURN_NONE;
}

static PyObject *make_transient_to_detached(PyObject *module, PyObject *instance) {
    (void)module;
    corm_state *state = corm_py_state_required(instance);
    if (state == NULL) {
        return NULL;
    }
    if (corm_make_transient_to_detached(state) != CORM_OK) {
        return corm_py_raise();
    }
    Py_RETURN_NONE;
}

static PyObject *was_deleted(PyObject *module, PyObject *instance) {
    (void)module;
    corm_state *state = corm_py_state_required(instance);
    return state == NULL ? NULL : PyBool_FromLong((state->flags & (CORM_STATE_WAS_DELETED | CORM_STATE_DELETED)) != 0);
}

/* ---- attributes ---- */

static PyObject *get_new(PyObject *object, void *closure) {
    (void)closure;
    return corm_py_identity_set(corm_py_as_session(object), CORM_SESSION_NEW);
}

static PyObject *get_dirty(PyObject *object, void *closure) {
    (void)closure;
    return corm_py_identity_set(corm_py_as_session(object), CORM_SESSION_DIRTY);
}

static PyObject *get_deleted(PyObject *object, void *closure) {
    (void)closure;
    return corm_py_identity_set(corm_py_as_session(object), CORM_SESSION_DELETED);
}

static PyObject *get_identity_map(PyObject *object, void *closure) {
    (void)closure;
    return corm_py_identity_map(corm_py_as_session(object));
}

static PyObject *get_no_autoflush(PyObject *object, void *closure) {
    (void)closure;
    return corm_py_no_autoflush(corm_py_as_session(object));
}

static PyObject *get_autoflush(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(corm_session_autoflush(session));
}

static int set_autoflush(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    int on = session == NULL || value == NULL ? -1 : PyObject_IsTrue(value);
    if (on >= 0) {
        corm_session_set_autoflush(session, on != 0);
    }
    return on < 0 ? -1 : 0;
}

static PyObject *get_expire_on_commit(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(corm_session_expire_on_commit(session));
}

static int set_expire_on_commit(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    int on = session == NULL || value == NULL ? -1 : PyObject_IsTrue(value);
    if (on >= 0) {
        corm_session_set_expire_on_commit(session, on != 0);
    }
    return on < 0 ? -1 : 0;
}

static PyObject *get_autobegin(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(session->autobegin);
}

static PyObject *get_is_active(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(corm_session_is_active(session));
}

static PyObject *get_twophase(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyBool_FromLong(session->two_phase);
}

static PyObject *get_info(PyObject *object, void *closure) {
    (void)closure;
    CormPySession *self = corm_py_as_session(object);
    if (self->info == NULL) {
        self->info = PyDict_New();
    }
    return Py_XNewRef(self->info);
}

static PyObject *get_options(PyObject *object, void *closure) {
    (void)closure;
    CormPySession *self = corm_py_as_session(object);
    return self->options == NULL ? PyDict_New() : Py_NewRef(self->options);
}

static PyObject *get_session_bind(PyObject *object, void *closure) {
    (void)closure;
    PyObject *bind = corm_py_as_session(object)->bind;
    return Py_NewRef(bind == NULL ? Py_None : bind);
}

static int set_session_bind(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    return core_of(object) == NULL
               ? -1
               : corm_py_session_set_bind(corm_py_as_session(object), value == NULL ? Py_None : value);
}

static PyObject *get_query_class(PyObject *object, void *closure) {
    (void)closure;
    PyObject *cls = corm_py_as_session(object)->query_class;
    return Py_NewRef(cls == NULL ? (PyObject *)CormPyQuery_Type : cls);
}

static PyObject *get_hash_key(PyObject *object, void *closure) {
    (void)closure;
    corm_session *session = core_of(object);
    return session == NULL ? NULL : PyLong_FromUnsignedLongLong(corm_session_number(session));
}

static PyObject *get_listeners(PyObject *object, void *closure) {
    (void)closure;
    PyObject *listeners = corm_py_as_session(object)->listeners;
    return listeners == NULL ? PyDict_New() : PyDict_Copy(listeners);
}

static PyGetSetDef session_getset[] = {
    {"new", get_new, NULL, "The pending objects: an IdentitySet.", NULL},
    {"dirty", get_dirty, NULL, "The persistent objects with changes: an IdentitySet.", NULL},
    {"deleted", get_deleted, NULL, "The objects that the next flush deletes: an IdentitySet.", NULL},
    {"identity_map", get_identity_map, NULL, "The persistent objects by identity key.", NULL},
    {"no_autoflush", get_no_autoflush, NULL, "A context manager in whose body queries do not flush first.", NULL},
    {"autoflush", get_autoflush, set_autoflush, "Do queries flush first?", NULL},
    {"expire_on_commit", get_expire_on_commit, set_expire_on_commit, "Does commit() expire the objects?", NULL},
    {"autobegin", get_autobegin, NULL, "Does the first operation begin a transaction?", NULL},
    {"twophase", get_twophase, NULL, "Are transactions prepared on all databases before they are committed?", NULL},
    {"is_active", get_is_active, NULL, "False when a failed flush waits for rollback().", NULL},
    {"info", get_info, NULL, "A dictionary for the user.", NULL},
    {"execution_options", get_options, NULL, "Options of all statements of the session.", NULL},
    {"bind", get_session_bind, set_session_bind, "The Engine or Connection, or None.", NULL},
    {"_query_cls", get_query_class, NULL, "The class of query()'s results.", NULL},
    {"_listeners", get_listeners, NULL, "The session's own listeners by event.", NULL},
    {"hash_key", get_hash_key, NULL, "The session's number in the process.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef session_methods[] = {
    {"add", CORM_PY_FAST(session_add),
     "add(instance)\n--\n\nPut an object, and what save-update cascades reach from it, into the session."},
    {"add_all", CORM_PY_FAST(session_add_all), "add_all(instances)\n--\n\nadd() each object of an iterable."},
    {"delete", CORM_PY_FAST(session_delete), "delete(instance)\n--\n\nHave the next flush delete the object's row."},
    {"delete_all", CORM_PY_FAST(session_delete_all),
     "delete_all(instances)\n--\n\ndelete() each object of an iterable."},
    {"expunge", CORM_PY_FAST(session_expunge), "expunge(instance)\n--\n\nTake an object out of the session."},
    {"expunge_all", session_expunge_all, METH_NOARGS, "expunge_all()\n--\n\nTake all objects out of the session."},
    {"expire", CORM_PY_FAST(session_expire),
     "expire(instance, attribute_names=None)\n--\n\nForget loaded values, all or the named ones: the next access loads "
     "them."},
    {"expire_all", session_expire_all, METH_NOARGS, "expire_all()\n--\n\nexpire() all persistent objects."},
    {"refresh", CORM_PY_FAST(session_refresh),
     "refresh(instance, attribute_names=None, with_for_update=None)\n--\n\nLoad an object's values anew, now."},
    {"merge", CORM_PY_FAST(session_merge),
     "merge(instance, *, load=True, options=None)\n--\n\nCopy an object's state onto the session's object of the same "
     "row, "
     "which is returned."},
    {"merge_all", CORM_PY_FAST(session_merge_all),
     "merge_all(instances, *, load=True, options=None)\n--\n\nmerge() each object of an iterable: a list."},
    {"flush", CORM_PY_FAST(session_flush), "flush(objects=None)\n--\n\nWrite all changes to the database."},
    {"close", session_close, METH_NOARGS,
     "close()\n--\n\nTake all objects out, roll back what is open and give the connection back."},
    {"reset", session_reset, METH_NOARGS, "reset()\n--\n\nThe same; the session stays usable in any case."},
    {"invalidate", session_invalidate, METH_NOARGS,
     "invalidate()\n--\n\nClose the session, and its connection for good."},
    {"is_modified", CORM_PY_FAST(session_is_modified),
     "is_modified(instance, include_collections=True)\n--\n\nDoes the object have changes that differ from what was "
     "loaded?"},
    {"in_transaction", session_in_transaction, METH_NOARGS, "in_transaction()\n--\n\nHas a transaction begun?"},
    {"in_nested_transaction", session_in_nested_transaction, METH_NOARGS,
     "in_nested_transaction()\n--\n\nIs a begin_nested() under way?"},
    {"get_transaction", session_get_transaction, METH_NOARGS,
     "get_transaction()\n--\n\nThe root SessionTransaction, or None."},
    {"get_nested_transaction", session_get_nested_transaction, METH_NOARGS,
     "get_nested_transaction()\n--\n\nThe innermost begin_nested(), or None."},
    {"begin", CORM_PY_FAST(corm_py_session_begin),
     "begin(nested=False)\n--\n\nBegin a transaction: a SessionTransaction, which is a context manager."},
    {"prepare", corm_py_session_prepare, METH_NOARGS,
     "prepare()\n--\n\nFlush, and prepare the two-phase transaction: what is left is commit() or rollback()."},
    {"begin_nested", corm_py_session_begin_nested, METH_NOARGS,
     "begin_nested()\n--\n\nBegin a SAVEPOINT: a SessionTransaction, which is a context manager."},
    {"commit", corm_py_session_commit, METH_NOARGS, "commit()\n--\n\nFlush and commit the transaction."},
    {"rollback", corm_py_session_rollback, METH_NOARGS,
     "rollback()\n--\n\nRoll back the transaction and restore the objects."},
    {"execute", CORM_PY_FAST(corm_py_session_execute),
     "execute(statement, params=None, *, execution_options={}, bind_arguments=None)\n--\n\nRun a statement: a Result."},
    {"scalars", CORM_PY_FAST(corm_py_session_scalars),
     "scalars(statement, params=None, *, execution_options={}, bind_arguments=None)\n--\n\nRun a statement: the first "
     "item of "
     "each row."},
    {"scalar", CORM_PY_FAST(corm_py_session_scalar),
     "scalar(statement, params=None, *, execution_options={}, bind_arguments=None)\n--\n\nRun a statement: the first "
     "item of "
     "the first row, or None."},
    {"get", CORM_PY_FAST(corm_py_session_get),
     "get(entity, ident, *, options=None, populate_existing=False, with_for_update=None, identity_token=None, "
     "execution_options={}, bind_arguments=None)\n--\n\nThe object with this primary key, from the session or the "
     "database, or "
     "None."},
    {"get_one", CORM_PY_FAST(corm_py_session_get_one),
     "get_one(entity, ident, *, options=None, populate_existing=False, with_for_update=None, identity_token=None, "
     "execution_options={}, bind_arguments=None)\n--\n\nThe same; NoResultFound when there is none."},
    {"query", CORM_PY_FAST(corm_py_session_query), "query(*entities)\n--\n\nA Query of this session."},
    {"get_bind", CORM_PY_FAST(corm_py_session_get_bind),
     "get_bind(mapper=None, *, clause=None, bind=None)\n--\n\nThe Engine or Connection for a mapper or a statement."},
    {"bind_mapper", corm_py_session_bind_mapper, METH_VARARGS,
     "bind_mapper(mapper, bind)\n--\n\nUse an Engine or Connection for a mapped class."},
    {"bind_table", corm_py_session_bind_table, METH_VARARGS,
     "bind_table(table, bind)\n--\n\nUse an Engine or Connection for a table."},
    {"connection", CORM_PY_FAST(corm_py_session_connection_method),
     "connection(bind_arguments=None, execution_options=None)\n--\n\nThe Connection of the transaction, which begins."},
    {"bulk_save_objects", CORM_PY_FAST(corm_py_session_bulk_save_objects),
     "bulk_save_objects(objects, return_defaults=False, update_changed_only=True, preserve_order=True)\n--\n\nInsert "
     "or update "
     "the rows of many objects without taking them into the session."},
    {"bulk_insert_mappings", CORM_PY_FAST(corm_py_session_bulk_insert_mappings),
     "bulk_insert_mappings(mapper, mappings, return_defaults=False, render_nulls=False)\n--\n\nInsert many rows from "
     "dictionaries."},
    {"bulk_update_mappings", CORM_PY_FAST(corm_py_session_bulk_update_mappings),
     "bulk_update_mappings(mapper, mappings)\n--\n\nUpdate many rows from dictionaries that hold their primary keys."},
    {"object_session", object_session, METH_O | METH_STATIC,
     "object_session(instance)\n--\n\nThe Session that an object is in, or None."},
    {"identity_key", (PyCFunction)(void (*)(void))identity_key, METH_FASTCALL | METH_KEYWORDS | METH_CLASS,
     "identity_key(class_=None, ident=None, *, instance=None, row=None, identity_token=None)\n--\n\nThe key of an "
     "object in "
     "identity_map."},
    {"_execute", corm_py_session_execute_unheard, METH_VARARGS,
     "_execute(statement, params, execution_options)\n--\n\nexecute() past the listeners of do_orm_execute."},
    {"__enter__", session_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))session_exit, METH_FASTCALL, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL}};

static PyMemberDef session_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPySession, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPySession, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};

static PyType_Slot session_slots[] = {
    {Py_tp_doc,
     "Session(bind=None, *, autoflush=True, future=True, expire_on_commit=True, autobegin=True, twophase=False, "
     "binds=None, enable_baked_queries=True, info=None, query_cls=None, autocommit=False, "
     "join_transaction_mode='conditional_savepoint', close_resets_only=True, execution_options={})\n--\n\n"
     "A unit of work over one transaction, and the identity of objects in it. For one thread at a time."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, session_init},
    {Py_tp_dealloc, session_dealloc},
    {Py_tp_finalize, session_finalize},
    {Py_tp_traverse, session_traverse},
    {Py_tp_clear, session_clear},
    {Py_tp_iter, session_iter},
    {Py_sq_contains, session_contains},
    {Py_tp_methods, session_methods},
    {Py_tp_getset, session_getset},
    {Py_tp_members, session_members},
    {0, NULL}};

static PyType_Spec session_spec = {.name = "cormorant.orm.session.Session",
                                   .basicsize = sizeof(CormPySession),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                   .slots = session_slots};

static PyObject *pause_before_attempt(PyObject *module, PyObject *args) {
    unsigned attempt;
    double first, longest;
    (void)module;
    if (!PyArg_ParseTuple(args, "Idd", &attempt, &first, &longest)) {
        return NULL;
    }
    int64_t pause = corm_wait_before_attempt(attempt, (int64_t)(first * 1e9), (int64_t)(longest * 1e9));
    return corm_wait_pause(pause) == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

static PyMethodDef functions[] = {
    {"_pause_before_attempt", pause_before_attempt, METH_VARARGS,
     "Let time pass before another attempt: its number from 1, the first pause and the longest in seconds."},
    {"object_session", object_session, METH_O,
     "object_session(instance)\n--\n\nThe Session that an object is in, or None."},
    {"close_all_sessions", close_all_sessions, METH_NOARGS,
     "close_all_sessions()\n--\n\nclose() every Session there is."},
    {"make_transient", make_transient, METH_O,
     "make_transient(instance)\n--\n\nForget that the object has a row and a session."},
    {"make_transient_to_detached", make_transient_to_detached, METH_O,
     "make_transient_to_detached(instance)\n--\n\nTake a new object for one that has the row of its primary key."},
    {"_statement_mapper", corm_py_statement_mapper, METH_O,
     "_statement_mapper(statement)\n--\n\nThe Mapper of the first mapped class in a statement, or None."},
    {"was_deleted", was_deleted, METH_O, "was_deleted(instance)\n--\n\nWas the object's row deleted in a session?"},
    {NULL, NULL, 0, NULL}};

int corm_py_session_init(PyObject *module) {
    CormPySession_Type = corm_py_type(module, &session_spec, NULL);
    return CormPySession_Type == NULL || PyModule_AddFunctions(module, functions) < 0 ||
                   corm_py_session_transaction_init(module) < 0 || corm_py_session_views_init(module) < 0 ||
                   corm_py_session_maker_init(module) < 0
               ? -1
               : 0;
}
