/*
 * Listeners: who is told what, and how they are called.
 *
 * Listeners lie in dictionaries of tuples, by the event's name: of a mapped class in its record, of an attribute in its
 * descriptor, of a session in the session, of a session class in the class itself under _cormorant_listeners. A tuple is
 * never changed, only replaced, so that one may come or go while others are called. cormorant/event.py finds the target
 * and adapts arguments (named, once); here is only what the engine calls.
 */
#include "orm.h"

#include "orm/session_private.h"

enum {
    LISTEN_RAW = 1,    /* gets the InstanceState, not the object */
    LISTEN_RETVAL = 2, /* what it returns is stored instead */
    LISTEN_VALIDATOR = 4,
    LISTEN_REMOVES = 8,  /* of a validator: include_removes */
    LISTEN_OWN_SIDE = 16 /* of a validator: not include_backrefs */
};

static PyObject *name_class_listeners, *name_original;
static Py_ssize_t class_listeners; /* how many session classes have listeners: mostly none */

static const struct {
    const char *name;
    corm_event_kind kind;
} kinds[] = {{"before_insert", CORM_EVENT_BEFORE_INSERT},
             {"after_insert", CORM_EVENT_AFTER_INSERT},
             {"before_update", CORM_EVENT_BEFORE_UPDATE},
             {"after_update", CORM_EVENT_AFTER_UPDATE},
             {"before_delete", CORM_EVENT_BEFORE_DELETE},
             {"after_delete", CORM_EVENT_AFTER_DELETE},
             {"load", CORM_EVENT_LOAD},
             {"refresh", CORM_EVENT_REFRESH},
             {"expire", CORM_EVENT_EXPIRE},
             {"before_flush", CORM_EVENT_BEFORE_FLUSH},
             {"after_flush", CORM_EVENT_AFTER_FLUSH},
             {"after_flush_postexec", CORM_EVENT_AFTER_FLUSH_POSTEXEC},
             {"before_commit", CORM_EVENT_BEFORE_COMMIT},
             {"after_commit", CORM_EVENT_AFTER_COMMIT},
             {"after_rollback", CORM_EVENT_AFTER_ROLLBACK},
             {"after_soft_rollback", CORM_EVENT_AFTER_SOFT_ROLLBACK},
             {"after_begin", CORM_EVENT_AFTER_BEGIN},
             {"before_attach", CORM_EVENT_BEFORE_ATTACH},
             {"after_attach", CORM_EVENT_AFTER_ATTACH},
             {"transient_to_pending", CORM_EVENT_TRANSIENT_TO_PENDING},
             {"pending_to_persistent", CORM_EVENT_PENDING_TO_PERSISTENT},
             {"persistent_to_deleted", CORM_EVENT_PERSISTENT_TO_DELETED},
             {"loaded_as_persistent", CORM_EVENT_LOADED_AS_PERSISTENT},
             {"deleted_to_detached", CORM_EVENT_DELETED_TO_DETACHED},
             {"persistent_to_detached", CORM_EVENT_PERSISTENT_TO_DETACHED},
             {"pending_to_transient", CORM_EVENT_PENDING_TO_TRANSIENT},
             {"persistent_to_transient", CORM_EVENT_PERSISTENT_TO_TRANSIENT},
             {"deleted_to_persistent", CORM_EVENT_DELETED_TO_PERSISTENT},
             {"detached_to_persistent", CORM_EVENT_DETACHED_TO_PERSISTENT}};

enum { MAPPER_KINDS = CORM_EVENT_EXPIRE * 2 - 1 };

static uint32_t kind_of(const char *name) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return kinds[i].kind;
        }
    }
    return 0;
}

static const char *name_of(corm_event_kind kind) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "";
}

/* ---- dictionaries of tuples ---- */

/* Borrowed, or NULL without an exception. */
static PyObject *listeners_of(PyObject *dict, const char *name) {
    PyObject *tuple = dict == NULL ? NULL : corm_py_item(dict, name);
    return tuple != NULL && PyTuple_GET_SIZE(tuple) > 0 ? tuple : NULL;
}

static int listeners_add(PyObject **dict, const char *name, PyObject *function, int flags, bool first) {
    if (*dict == NULL && (*dict = PyDict_New()) == NULL) {
        return -1;
    }
    PyObject *former = corm_py_item(*dict, name);
    PyObject *entry = Py_BuildValue("(Oi)", function, flags);
    PyObject *one = entry == NULL ? NULL : PyTuple_Pack(1, entry);
    PyObject *all = one == NULL      ? NULL
                    : former == NULL ? Py_NewRef(one)
                    : first          ? PySequence_Concat(one, former)
                                     : PySequence_Concat(former, one);
    int failed = all == NULL || PyDict_SetItemString(*dict, name, all) < 0;
    Py_XDECREF(entry);
    Py_XDECREF(one);
    Py_XDECREF(all);
    return failed ? -1 : 0;
}

/* Is it the function that was registered, or what event.py made of it? */
static int is_same(PyObject *listener, PyObject *function) {
    int same = listener == function ? 1 : PyObject_RichCompareBool(listener, function, Py_EQ);
    if (same == 0) {
        PyObject *original = PyObject_GetAttr(listener, name_original);
        if (original == NULL) {
            PyErr_Clear();
        } else {
            same = PyObject_RichCompareBool(original, function, Py_EQ);
            Py_DECREF(original);
        }
    }
    return same;
}

/* 1: it was there; 0: not; -1. keep: only look. */
static int listeners_remove(PyObject *dict, const char *name, PyObject *function, bool keep) {
    PyObject *former = Py_XNewRef(listeners_of(dict, name));
    PyObject *kept = former == NULL ? NULL : PyList_New(0);
    if (kept == NULL) {
        int none = former == NULL ? 0 : -1;
        Py_XDECREF(former);
        return none;
    }
    int found = 0, failed = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(former) && !failed; i++) {
        PyObject *entry = PyTuple_GET_ITEM(former, i);
        int same = is_same(PyTuple_GET_ITEM(entry, 0), function);
        found |= same > 0;
        failed = same < 0 || (same == 0 && PyList_Append(kept, entry) < 0);
    }
    PyObject *tuple = failed ? NULL : PyList_AsTuple(kept);
    failed = tuple == NULL || (!keep && PyDict_SetItemString(dict, name, tuple) < 0);
    Py_XDECREF(tuple);
    Py_DECREF(kept);
    Py_DECREF(former);
    return failed ? -1 : found;
}

static int flags_of(PyObject *entry) {
    return (int)PyLong_AsLong(PyTuple_GET_ITEM(entry, 1));
}

/* The arguments of a raw listener: the InstanceState in the place of the object. */
static PyObject *raw_arguments(PyObject *arguments, Py_ssize_t target) {
    PyObject *state = corm_py_instance_state_new(PyTuple_GET_ITEM(arguments, target));
    PyObject *raw = state == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(arguments));
    for (Py_ssize_t i = 0; raw != NULL && i < PyTuple_GET_SIZE(arguments); i++) {
        PyTuple_SET_ITEM(raw, i, Py_NewRef(i == target ? state : PyTuple_GET_ITEM(arguments, i)));
    }
    Py_XDECREF(state);
    return raw;
}

/* Call all listeners; `target` is the place of the object in the arguments, or negative. */
static int call_all(PyObject *tuple, PyObject *arguments, Py_ssize_t target) {
    int failed = 0;
    Py_INCREF(tuple);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple) && !failed; i++) {
        PyObject *entry = PyTuple_GET_ITEM(tuple, i);
        bool raw = target >= 0 && (flags_of(entry) & LISTEN_RAW);
        PyObject *given = raw ? raw_arguments(arguments, target) : Py_NewRef(arguments);
        PyObject *result = given == NULL ? NULL : PyObject_Call(PyTuple_GET_ITEM(entry, 0), given, NULL);
        failed = result == NULL;
        Py_XDECREF(result);
        Py_XDECREF(given);
    }
    Py_DECREF(tuple);
    return failed ? -1 : 0;
}

/* ---- mapped classes ---- */

bool corm_py_instance_listened(corm_py_class *record, const char *name) {
    return listeners_of(record->listeners, name) != NULL;
}

int corm_py_fire_instance(corm_py_class *record, const char *name, PyObject *arguments) {
    PyObject *tuple = listeners_of(record->listeners, name);
    return tuple == NULL ? 0 : call_all(tuple, arguments, 0);
}

static int call_reconstructors(corm_py_class *record, PyObject *object) {
    PyObject *list = Py_XNewRef(record->reconstructors);
    int failed = 0;
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list) && !failed; i++) {
        PyObject *result = PyObject_CallOneArg(PyList_GET_ITEM(list, i), object);
        failed = result == NULL;
        Py_XDECREF(result);
    }
    Py_XDECREF(list);
    return failed ? -1 : 0;
}

/* A list of the attributes that are expired; None: all. */
static PyObject *expiring_names(const corm_session *session) {
    if (session == NULL || session->expiring == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *names = PyList_New((Py_ssize_t)session->expiring_count);
    for (size_t i = 0; names != NULL && i < session->expiring_count; i++) {
        PyList_SET_ITEM(names, (Py_ssize_t)i, Py_NewRef(corm_py_data(session->expiring[i])->key));
    }
    return names;
}

static PyObject *mapper_arguments(corm_event_kind kind, corm_session *session, corm_state *state, PyObject *object) {
    corm_py_class *record = corm_py_class_of_mapper(state->mapper);
    if (kind == CORM_EVENT_LOAD) {
        return PyTuple_Pack(2, object, Py_None);
    }
    if (kind == CORM_EVENT_EXPIRE) {
        PyObject *names = expiring_names(session);
        PyObject *arguments = names == NULL ? NULL : PyTuple_Pack(2, object, names);
        Py_XDECREF(names);
        return arguments;
    }
    if (kind == CORM_EVENT_REFRESH) {
        return PyTuple_Pack(3, object, Py_None, Py_None);
    }
    CormPySession *view = session == NULL ? NULL : corm_py_session_of_core(session);
    PyObject *connection = view == NULL ? Py_NewRef(Py_None) : corm_py_session_connection(view);
    PyObject *arguments =
        connection == NULL ? NULL : PyTuple_Pack(3, record->view == NULL ? Py_None : record->view, connection, object);
    Py_XDECREF(connection);
    return arguments;
}

static int fire_mapper(corm_event_kind kind, corm_session *session, corm_state *state) {
    corm_py_class *record = corm_py_class_of_mapper(state->mapper);
    PyObject *object = (PyObject *)corm_py_instance_of_state(state);
    PyObject *tuple = listeners_of(record->listeners, name_of(kind));
    Py_INCREF(object);
    int failed = kind == CORM_EVENT_LOAD && record->reconstructors != NULL ? call_reconstructors(record, object) : 0;
    if (!failed && tuple != NULL) {
        PyObject *arguments = mapper_arguments(kind, session, state, object);
        failed = arguments == NULL || call_all(tuple, arguments, kind >= CORM_EVENT_LOAD ? 0 : 2) < 0;
        Py_XDECREF(arguments);
    }
    Py_DECREF(object);
    return failed ? -1 : 0;
}

/* ---- sessions ---- */

static PyObject *class_dict(PyTypeObject *type) {
    PyObject *dict = type->tp_dict == NULL ? NULL : PyDict_GetItemWithError(type->tp_dict, name_class_listeners);
    return dict != NULL && PyDict_Check(dict) ? dict : NULL;
}

bool corm_py_session_listened(CormPySession *session, const char *name) {
    if (listeners_of(session->listeners, name) != NULL) {
        return true;
    }
    PyObject *mro = class_listeners == 0 ? NULL : Py_TYPE(session)->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        if (listeners_of(class_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i)), name) != NULL) {
            return true;
        }
    }
    return false;
}

int corm_py_session_fire(CormPySession *session, const char *name, PyObject *arguments) {
    int failed = 0;
    PyObject *mro = class_listeners == 0 ? NULL : Py_XNewRef(Py_TYPE(session)->tp_mro);
    Py_INCREF(session);
    for (Py_ssize_t i = mro == NULL ? 0 : PyTuple_GET_SIZE(mro); i > 0 && !failed; i--) {
        PyObject *tuple = listeners_of(class_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i - 1)), name);
        failed = tuple != NULL && call_all(tuple, arguments, -1) < 0;
    }
    PyObject *tuple = failed ? NULL : listeners_of(session->listeners, name);
    failed = failed || (tuple != NULL && call_all(tuple, arguments, -1) < 0);
    Py_DECREF(session);
    Py_XDECREF(mro);
    return failed ? -1 : 0;
}

static uint32_t mask_of(PyObject *dict) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    uint32_t mask = 0;
    while (dict != NULL && PyDict_Next(dict, &position, &key, &value)) {
        const char *name = PyTuple_GET_SIZE(value) == 0 ? NULL : PyUnicode_AsUTF8(key);
        mask |= name == NULL ? 0 : kind_of(name);
    }
    return mask;
}

int corm_py_session_apply_listeners(CormPySession *session) {
    if (session->listeners == NULL && class_listeners == 0) {
        return 0;
    }
    uint32_t mask = mask_of(session->listeners);
    PyObject *mro = Py_TYPE(session)->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        mask |= mask_of(class_dict((PyTypeObject *)PyTuple_GET_ITEM(mro, i)));
    }
    if (session->session != NULL) {
        corm_session_listen(session->session, mask);
    }
    return 0;
}

/* The arguments of a session event of the core. */
static PyObject *session_arguments(corm_event_kind kind, CormPySession *session, corm_state *state) {
    PyObject *self = (PyObject *)session, *made, *arguments;
    switch ((int)kind) {
    case CORM_EVENT_BEFORE_FLUSH:
    case CORM_EVENT_AFTER_FLUSH:
    case CORM_EVENT_AFTER_FLUSH_POSTEXEC:
        made = corm_py_import("cormorant.orm.unitofwork", "UOWTransaction");
        Py_XSETREF(made, made == NULL ? NULL : PyObject_CallOneArg(made, self));
        arguments = made == NULL                      ? NULL
                    : kind == CORM_EVENT_BEFORE_FLUSH ? PyTuple_Pack(3, self, made, Py_None)
                                                      : PyTuple_Pack(2, self, made);
        Py_XDECREF(made);
        return arguments;
    case CORM_EVENT_AFTER_SOFT_ROLLBACK:
        made = corm_py_session_transaction(session);
        arguments = made == NULL ? NULL : PyTuple_Pack(2, self, made);
        Py_XDECREF(made);
        return arguments;
    case CORM_EVENT_AFTER_BEGIN: {
        PyObject *connection = corm_py_session_connection(session);
        made = connection == NULL ? NULL : corm_py_session_transaction(session);
        arguments = made == NULL ? NULL : PyTuple_Pack(3, self, made, connection);
        Py_XDECREF(connection);
        Py_XDECREF(made);
        return arguments;
    }
    default:
        return state == NULL ? PyTuple_Pack(1, self)
                             : PyTuple_Pack(2, self, (PyObject *)corm_py_instance_of_state(state));
    }
}

corm_status corm_py_event(corm_event_kind kind, corm_session *session, corm_connection *connection, corm_state *state) {
    int failed = 0;
    (void)connection;
    if (kind & MAPPER_KINDS) {
        failed = fire_mapper(kind, session, state);
    } else {
        CormPySession *view = corm_py_session_of_core(session);
        if (view != NULL) {
            PyObject *arguments = session_arguments(kind, view, state);
            failed = arguments == NULL || corm_py_session_fire(view, name_of(kind), arguments) < 0;
            Py_XDECREF(arguments);
        }
    }
    return failed ? corm_py_error() : CORM_OK;
}

/* ---- attributes ---- */

static PyObject *replacements; /* list, or NULL */
static Py_ssize_t change_depth;

void corm_py_change_begin(void) {
    change_depth++;
}

void corm_py_change_end(void) {
    if (--change_depth == 0 && replacements != NULL) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Py_CLEAR(replacements);
        PyErr_Restore(type, value, traceback);
    }
}

/* Put an object in the place of what is stored: takes over the reference. */
static int replace_value(corm_value *value, PyObject *object) {
    if (value->owned) {
        corm_value_clear(value);
        *value = (corm_value){.kind = CORM_KIND_HOST, .owned = true};
        value->as.host = object;
        return 0;
    }
    int failed = 0;
    if (object != Py_None) {
        if (replacements == NULL) {
            replacements = PyList_New(0);
        }
        failed = replacements == NULL || PyList_Append(replacements, object) < 0;
    }
    *value = CORM_NULL_VALUE;
    if (object != Py_None) {
        value->kind = CORM_KIND_HOST;
        value->as.host = object;
    }
    Py_DECREF(object);
    return failed ? -1 : 0;
}

typedef struct attribute_change {
    char kind;
    CormPyAttribute *descriptor;
    PyObject *owner;
    PyObject *value;     /* owned */
    PyObject *old;       /* owned; of 's' */
    PyObject *initiator; /* owned; made at the first need */
    const corm_attribute *began;
    bool replaced;
} attribute_change;

static PyObject *initiator_of(attribute_change *change) {
    if (change->initiator == NULL) {
        PyObject *make = corm_py_import("cormorant.orm.attributes", "AttributeEventToken");
        PyObject *began = corm_py_data(change->began)->descriptor;
        const char *op = change->kind == 's'   ? "replace"
                         : change->kind == 'a' ? "append"
                         : change->kind == 'r' ? "remove"
                                               : "modified";
        change->initiator =
            make == NULL ? NULL : PyObject_CallFunction(make, "Os", began == NULL ? Py_None : began, op);
        Py_XDECREF(make);
    }
    return change->initiator;
}

static PyObject *call_validator(const attribute_change *change, PyObject *function, int flags) {
    if (change->kind == 'r' && !(flags & LISTEN_REMOVES)) {
        return Py_NewRef(change->value);
    }
    if ((flags & LISTEN_OWN_SIDE) && change->began != change->descriptor->attribute) {
        return Py_NewRef(change->value);
    }
    PyObject *removes = flags & LISTEN_REMOVES ? (change->kind == 'r' ? Py_True : Py_False) : NULL;
    return PyObject_CallFunctionObjArgs(function, change->owner, change->descriptor->key, change->value, removes, NULL);
}

static PyObject *call_listener(attribute_change *change, PyObject *function, int flags) {
    if (flags & LISTEN_VALIDATOR) {
        return call_validator(change, function, flags);
    }
    PyObject *initiator = initiator_of(change);
    PyObject *target = initiator == NULL    ? NULL
                       : flags & LISTEN_RAW ? corm_py_instance_state_new(change->owner)
                                            : Py_NewRef(change->owner);
    PyObject *result = NULL;
    if (target != NULL && change->kind == 's') {
        result = PyObject_CallFunctionObjArgs(function, target, change->value, change->old, initiator, NULL);
    } else if (target != NULL) {
        result = PyObject_CallFunctionObjArgs(function, target, change->value, initiator, NULL);
    }
    Py_XDECREF(target);
    return result;
}

static int call_listeners(attribute_change *change, PyObject *tuple) {
    int failed = 0;
    Py_INCREF(tuple);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple) && !failed; i++) {
        PyObject *entry = PyTuple_GET_ITEM(tuple, i);
        int flags = flags_of(entry);
        PyObject *result = call_listener(change, PyTuple_GET_ITEM(entry, 0), flags);
        failed = result == NULL;
        if (result != NULL && (flags & (LISTEN_RETVAL | LISTEN_VALIDATOR)) && change->kind != 'r' &&
            result != change->value) {
            Py_SETREF(change->value, result);
            change->replaced = true;
        } else {
            Py_XDECREF(result);
        }
    }
    Py_DECREF(tuple);
    return failed ? -1 : 0;
}

corm_status corm_py_attribute_event(char kind, corm_state *state, const corm_attribute *attribute, corm_value *value,
                                    const corm_value *old, const corm_attribute *initiator) {
    PyObject *descriptor = corm_py_data(attribute)->descriptor;
    PyObject *dict = descriptor == NULL ? NULL : ((CormPyAttribute *)descriptor)->listeners;
    PyObject *tuple = listeners_of(dict, kind == 's' ? "set" : kind == 'a' ? "append" : "remove");
    if (tuple == NULL) {
        return CORM_OK;
    }
    attribute_change change = {
        .kind = kind, .descriptor = (CormPyAttribute *)Py_NewRef(descriptor), .began = initiator};
    change.owner = Py_NewRef((PyObject *)corm_py_instance_of_state(state));
    change.value = corm_py_from_value(value, NULL);
    change.old = old->kind == CORM_KIND_ABSENT ? Py_XNewRef(corm_py_no_value()) : corm_py_from_value(old, NULL);
    int failed = change.value == NULL || change.old == NULL || call_listeners(&change, tuple) < 0;
    if (!failed && change.replaced) {
        failed = replace_value(value, Py_NewRef(change.value)) < 0;
    }
    corm_status status = failed ? corm_py_error() : CORM_OK;
    Py_XDECREF(change.value);
    Py_XDECREF(change.old);
    Py_XDECREF(change.initiator);
    Py_DECREF(change.owner);
    Py_DECREF(change.descriptor);
    return status;
}

int corm_py_attribute_modified(CormPyInstance *self, const corm_attribute *attribute) {
    PyObject *descriptor = corm_py_data(attribute)->descriptor;
    PyObject *tuple = descriptor == NULL ? NULL : listeners_of(((CormPyAttribute *)descriptor)->listeners, "modified");
    if (tuple == NULL) {
        return 0;
    }
    attribute_change change = {.kind = 'm', .began = attribute};
    PyObject *initiator = initiator_of(&change);
    PyObject *arguments = initiator == NULL ? NULL : PyTuple_Pack(2, (PyObject *)self, initiator);
    int failed = arguments == NULL ? -1 : call_all(tuple, arguments, 0);
    Py_XDECREF(arguments);
    Py_XDECREF(initiator);
    return failed;
}

PyObject *corm_py_attribute_default(CormPyInstance *self, const corm_attribute *attribute) {
    PyObject *descriptor = corm_py_data(attribute)->descriptor;
    PyObject *tuple =
        descriptor == NULL ? NULL : listeners_of(((CormPyAttribute *)descriptor)->listeners, "init_scalar");
    PyObject *value = Py_NewRef(Py_None);
    if (tuple == NULL) {
        return value;
    }
    PyObject *dict = corm_py_instance_dict(self);
    Py_INCREF(tuple);
    for (Py_ssize_t i = 0; dict != NULL && value != NULL && i < PyTuple_GET_SIZE(tuple); i++) {
        PyObject *entry = PyTuple_GET_ITEM(tuple, i);
        PyObject *result =
            PyObject_CallFunctionObjArgs(PyTuple_GET_ITEM(entry, 0), (PyObject *)self, value, self->dict, NULL);
        if (result == NULL || (flags_of(entry) & LISTEN_RETVAL)) {
            Py_SETREF(value, result);
        } else {
            Py_DECREF(result);
        }
    }
    Py_DECREF(tuple);
    if (dict == NULL) {
        Py_CLEAR(value);
    }
    return value;
}

/* ---- for cormorant/event.py ---- */

static CormPyMapper *mapper_argument(PyObject *object) {
    if (!PyObject_TypeCheck(object, CormPyMapper_Type) || ((CormPyMapper *)object)->record == NULL) {
        PyErr_SetString(PyExc_TypeError, "a Mapper is needed");
        return NULL;
    }
    return (CormPyMapper *)object;
}

static void update_mapper(corm_py_class *record) {
    record->mapper->listening = mask_of(record->listeners) & MAPPER_KINDS;
    if (record->reconstructors != NULL) {
        record->mapper->listening |= CORM_EVENT_LOAD;
    }
}

static PyObject *mapper_listen(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int flags, first = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OsOi|p", &target, &name, &function, &flags, &first)) {
        return NULL;
    }
    CormPyMapper *mapper = mapper_argument(target);
    if (mapper == NULL || listeners_add(&mapper->record->listeners, name, function, flags, first) < 0) {
        return NULL;
    }
    update_mapper(mapper->record);
    Py_RETURN_NONE;
}

static PyObject *mapper_unlisten(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int keep = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OsO|p", &target, &name, &function, &keep)) {
        return NULL;
    }
    CormPyMapper *mapper = mapper_argument(target);
    int found = mapper == NULL ? -1 : listeners_remove(mapper->record->listeners, name, function, keep);
    if (found < 0) {
        return NULL;
    }
    update_mapper(mapper->record);
    return PyBool_FromLong(found);
}

static void update_attribute(CormPyAttribute *descriptor) {
    bool any = false;
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (descriptor->listeners != NULL && PyDict_Next(descriptor->listeners, &position, &key, &value)) {
        any = any || PyTuple_GET_SIZE(value) > 0;
    }
    descriptor->attribute->listening = any;
}

static PyObject *attribute_listen(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int flags, first = 0, history = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!sOi|pp", CormPyAttribute_Type, &target, &name, &function, &flags, &first,
                          &history)) {
        return NULL;
    }
    CormPyAttribute *descriptor = (CormPyAttribute *)target;
    if (listeners_add(&descriptor->listeners, name, function, flags, first) < 0) {
        return NULL;
    }
    if (history) {
        descriptor->attribute->active_history = true;
    }
    update_attribute(descriptor);
    Py_RETURN_NONE;
}

static PyObject *attribute_unlisten(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int keep = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!sO|p", CormPyAttribute_Type, &target, &name, &function, &keep)) {
        return NULL;
    }
    CormPyAttribute *descriptor = (CormPyAttribute *)target;
    int found = listeners_remove(descriptor->listeners, name, function, keep);
    if (found < 0) {
        return NULL;
    }
    update_attribute(descriptor);
    return PyBool_FromLong(found);
}

static PyObject *attribute_validate(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    int removes, backrefs;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!Opp", CormPyAttribute_Type, &target, &function, &removes, &backrefs)) {
        return NULL;
    }
    CormPyAttribute *descriptor = (CormPyAttribute *)target;
    int flags = LISTEN_VALIDATOR | (removes ? LISTEN_REMOVES : 0) | (backrefs ? 0 : LISTEN_OWN_SIDE);
    if (listeners_add(&descriptor->listeners, "set", function, flags, false) < 0 ||
        listeners_add(&descriptor->listeners, "append", function, flags, false) < 0 ||
        (removes && listeners_add(&descriptor->listeners, "remove", function, flags, false) < 0)) {
        return NULL;
    }
    update_attribute(descriptor);
    Py_RETURN_NONE;
}

/* All sessions there are take notice. */
static int refresh_sessions(void) {
    PyObject *get_objects = corm_py_import("gc", "get_objects");
    PyObject *objects = get_objects == NULL ? NULL : PyObject_CallNoArgs(get_objects);
    int failed = objects == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(objects); i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (PyObject_TypeCheck(object, CormPySession_Type)) {
            failed = corm_py_session_apply_listeners((CormPySession *)object) < 0;
        }
    }
    Py_XDECREF(objects);
    Py_XDECREF(get_objects);
    return failed ? -1 : 0;
}

static int class_listen(PyObject *cls, const char *name, PyObject *function, int flags, bool first) {
    PyObject *dict = Py_XNewRef(class_dict((PyTypeObject *)cls));
    if (dict == NULL) {
        dict = PyDict_New();
        if (dict == NULL || PyType_Type.tp_setattro(cls, name_class_listeners, dict) < 0) {
            Py_XDECREF(dict);
            return -1;
        }
        class_listeners++;
    }
    PyObject *same = dict;
    int failed = listeners_add(&same, name, function, flags, first) < 0;
    Py_DECREF(dict);
    return failed ? -1 : refresh_sessions();
}

static bool is_session_class(PyObject *object) {
    return PyType_Check(object) && PyType_IsSubtype((PyTypeObject *)object, CormPySession_Type);
}

static PyObject *session_listen(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int flags, first = 0, failed;
    (void)module;
    if (!PyArg_ParseTuple(args, "OsOi|p", &target, &name, &function, &flags, &first)) {
        return NULL;
    }
    if (is_session_class(target)) {
        failed = class_listen(target, name, function, flags, first);
    } else if (PyObject_TypeCheck(target, CormPySession_Type)) {
        CormPySession *session = (CormPySession *)target;
        failed = listeners_add(&session->listeners, name, function, flags, first) < 0 ||
                 corm_py_session_apply_listeners(session) < 0;
    } else {
        PyErr_SetString(PyExc_TypeError, "a Session or a class of sessions is needed");
        return NULL;
    }
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *session_unlisten(PyObject *module, PyObject *args) {
    PyObject *target, *function;
    const char *name;
    int keep = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "OsO|p", &target, &name, &function, &keep)) {
        return NULL;
    }
    int found = 0;
    if (is_session_class(target)) {
        found = listeners_remove(class_dict((PyTypeObject *)target), name, function, keep);
        found = found > 0 && refresh_sessions() < 0 ? -1 : found;
    } else if (PyObject_TypeCheck(target, CormPySession_Type)) {
        CormPySession *session = (CormPySession *)target;
        found = listeners_remove(session->listeners, name, function, keep);
        found = found > 0 && corm_py_session_apply_listeners(session) < 0 ? -1 : found;
    }
    return found < 0 ? NULL : PyBool_FromLong(found);
}

/* A class was mapped: listeners of its bases and of all mappers apply, if there are any. */
static PyObject *class_mapped(PyObject *module, PyObject *mapper) {
    (void)module;
    PyObject *name = PyUnicode_InternFromString("cormorant.event");
    PyObject *event = name == NULL ? NULL : PyDict_GetItemWithError(PyImport_GetModuleDict(), name);
    Py_XDECREF(name);
    if (event == NULL) {
        return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    }
    return corm_py_call(event, "_class_mapped", "O", mapper);
}

/* Call the listeners of an event that Python's side knows of. */
static PyObject *mapper_fire(PyObject *module, PyObject *args) {
    PyObject *target, *arguments;
    const char *name;
    (void)module;
    if (!PyArg_ParseTuple(args, "OsO!", &target, &name, &PyTuple_Type, &arguments)) {
        return NULL;
    }
    CormPyMapper *mapper = mapper_argument(target);
    PyObject *tuple = mapper == NULL ? NULL : listeners_of(mapper->record->listeners, name);
    bool of_object = strcmp(name, "init") == 0 || strcmp(name, "init_failure") == 0;
    if (mapper == NULL || (tuple != NULL && call_all(tuple, arguments, of_object ? 0 : -1) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_mapper_fire", mapper_fire, METH_VARARGS, "_mapper_fire(mapper, name, arguments)"},
    {"_mapper_listen", mapper_listen, METH_VARARGS, "_mapper_listen(mapper, name, function, flags, first)"},
    {"_mapper_unlisten", mapper_unlisten, METH_VARARGS, "_mapper_unlisten(mapper, name, function)"},
    {"_attribute_listen", attribute_listen, METH_VARARGS,
     "_attribute_listen(attribute, name, function, flags, first, active_history)"},
    {"_attribute_unlisten", attribute_unlisten, METH_VARARGS, "_attribute_unlisten(attribute, name, function)"},
    {"_attribute_validate", attribute_validate, METH_VARARGS,
     "_attribute_validate(attribute, function, include_removes, include_backrefs)"},
    {"_session_listen", session_listen, METH_VARARGS, "_session_listen(session, name, function, flags, first)"},
    {"_session_unlisten", session_unlisten, METH_VARARGS, "_session_unlisten(session, name, function)"},
    {"_class_mapped", class_mapped, METH_O, "Apply listeners that wait for classes to be mapped."},
    {NULL, NULL, 0, NULL}};

int corm_py_events_init(PyObject *module) {
    name_class_listeners = PyUnicode_InternFromString("_cormorant_listeners");
    name_original = PyUnicode_InternFromString("_sa_original");
    return name_class_listeners == NULL || name_original == NULL ? -1 : PyModule_AddFunctions(module, functions);
}
