/*
 * What a Session is bound to: an Engine, a Connection, one by class or table (binds=), or what a subclass' get_bind() gives.
 *
 * The core session has one engine at a time. With bind= it has it from the start; otherwise it is found for the first statement or
 * flush that needs it, and may become another one between transactions.
 */
#include "engine.h"
#include "session.h"

#include "engine/pool.h"
#include "sql/dml.h"
#include "sql/walk.h"

/* ---- bind= ---- */

enum bind_kind { BIND_ENGINE, BIND_CONNECTION };

/* 0 and what it is, or -1 with an ArgumentError. */
static int look_at(PyObject *bind, enum bind_kind *kind, corm_engine **engine, corm_connection **connection) {
    *connection = NULL;
    *engine = NULL;
    if (PyObject_TypeCheck(bind, CormPyConnection_Type)) {
        *kind = BIND_CONNECTION;
        *connection = corm_py_connection_borrow(bind);
        return *connection == NULL ? -1 : 0;
    }
    *kind = BIND_ENGINE;
    *engine = corm_py_engine_borrow(bind);
    return *engine == NULL ? -1 : 0;
}

/* The transactions of an Engine are as its options say. */
static int characterize(CormPySession *self, PyObject *bind) {
    corm_characteristics wanted = {0};
    if (PyObject_TypeCheck(bind, CormPyEngine_Type) &&
        corm_py_read_characteristics(((CormPyEngine *)bind)->options, &wanted) < 0) {
        return -1;
    }
    corm_session_characterize(self->session, &wanted);
    return 0;
}

static int bind_core(CormPySession *self, PyObject *bind) {
    enum bind_kind kind;
    corm_engine *engine;
    corm_connection *connection;
    if (look_at(bind, &kind, &engine, &connection) < 0) {
        return -1;
    }
    corm_status status = kind == BIND_ENGINE ? corm_session_bind(self->session, engine)
                                             : corm_session_bind_connection(self->session, connection);
    return status == CORM_OK ? characterize(self, bind) : corm_py_raise_int();
}

int corm_py_session_set_bind(CormPySession *self, PyObject *bind) {
    if (bind == Py_None) {
        Py_CLEAR(self->bind);
        return corm_session_bind(self->session, NULL) == CORM_OK ? 0 : corm_py_raise_int();
    }
    if (bind_core(self, bind) < 0) {
        return -1;
    }
    Py_XSETREF(self->bind, Py_NewRef(bind));
    return 0;
}

/* ---- binds= ---- */

/* What binds go by: the class of a mapped class or Mapper, any other class, or a table's address. */
static PyObject *bind_key(PyObject *key) {
    corm_mapper *mapper = corm_py_mapper_of(key);
    if (mapper != NULL && corm_py_class_of_mapper(mapper)->type != NULL) {
        return Py_NewRef((PyObject *)corm_py_class_of_mapper(mapper)->type);
    }
    if (PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (PyType_Check(key)) {
        return Py_NewRef(key);
    }
    if (PyObject_TypeCheck(key, CormPyClauseElement_Type)) {
        corm_table *table = corm_node_as_table(((CormPyElement *)key)->node);
        if (table != NULL) {
            return PyLong_FromVoidPtr(table);
        }
    }
    return corm_py_raise_exc("ArgumentError", "Not an acceptable bind target: %R", key);
}

int corm_py_session_add_bind(CormPySession *self, PyObject *key, PyObject *bind) {
    enum bind_kind kind;
    corm_engine *engine;
    corm_connection *connection;
    if (look_at(bind, &kind, &engine, &connection) < 0 ||
        (self->binds == NULL && (self->binds = PyDict_New()) == NULL)) {
        return -1;
    }
    PyObject *found = bind_key(key), *pair = found == NULL ? NULL : PyTuple_Pack(2, bind, key);
    int failed = pair == NULL ? -1 : PyDict_SetItem(self->binds, found, pair);
    Py_XDECREF(pair);
    Py_XDECREF(found);
    return failed;
}

static PyObject *bind_at(CormPySession *self, PyObject *key) {
    PyObject *pair = PyDict_GetItemWithError(self->binds, key);
    return pair == NULL ? NULL : PyTuple_GET_ITEM(pair, 0);
}

/* Borrowed; NULL without an exception when there is none. */
static PyObject *bind_of_table(CormPySession *self, corm_table *table) {
    PyObject *key = table == NULL ? NULL : PyLong_FromVoidPtr(table);
    PyObject *bind = key == NULL ? NULL : bind_at(self, key);
    Py_XDECREF(key);
    return bind;
}

static PyObject *bind_of_mapper(CormPySession *self, const corm_mapper *mapper) {
    PyTypeObject *type = corm_py_class_of_mapper(mapper)->type;
    PyObject *bases = type == NULL ? NULL : type->tp_mro;
    PyObject *bind = NULL;
    for (Py_ssize_t i = 0; bases != NULL && i < PyTuple_GET_SIZE(bases) && bind == NULL && PyErr_Occurred() == NULL;
         i++) {
        bind = bind_at(self, PyTuple_GET_ITEM(bases, i));
    }
    return bind != NULL || PyErr_Occurred() != NULL ? bind : bind_of_table(self, mapper->table);
}

/* ---- finding one ---- */

typedef struct subject {
    corm_mapper *mapper;
    corm_table *table;
} subject;

static corm_walk_action look_for_subject(void *context, corm_node *node) {
    subject *found = context;
    corm_entity *entity = corm_node_as_entity(node);
    corm_column *column = corm_node_as_column(node);
    corm_table *table = corm_node_as_table(node);
    if (entity != NULL) {
        found->mapper = entity->mapper;
        return CORM_WALK_STOP;
    }
    if (found->table == NULL) {
        found->table = table != NULL ? table : column != NULL ? column->table : NULL;
    }
    return CORM_WALK_INTO;
}

PyObject *corm_py_statement_mapper(PyObject *module, PyObject *statement) {
    (void)module;
    subject found = {NULL, NULL};
    corm_node *node = corm_py_node(statement);
    if (node == NULL) {
        return NULL;
    }
    corm_status status = corm_node_walk(node, look_for_subject, &found);
    corm_node_unref(node);
    if (status != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *view = found.mapper == NULL ? NULL : corm_py_class_of_mapper(found.mapper)->view;
    return Py_NewRef(view == NULL ? Py_None : view);
}

static PyObject *none_found(const corm_mapper *mapper, bool statement) {
    if (mapper != NULL) {
        return corm_py_raise_exc("UnboundExecutionError",
                                 "Could not locate a bind configured on mapper Mapper[%s(%s)]%s or this Session.",
                                 mapper->name, mapper->table->name, statement ? ", SQL expression" : "");
    }
    return corm_py_raise_exc("UnboundExecutionError", "%s",
                             statement
                                 ? "Could not locate a bind configured on SQL expression or this Session."
                                 : "This session is not bound to a single Engine or Connection, and no context was "
                                   "provided to locate a binding.");
}

/* By binds=, else bind=: borrowed; raises UnboundExecutionError. */
static PyObject *find_bind(CormPySession *self, corm_node *statement, corm_mapper *mapper) {
    subject found = {mapper, NULL};
    PyObject *bind = NULL;
    if (statement != NULL && mapper == NULL && corm_node_walk(statement, look_for_subject, &found) != CORM_OK) {
        return corm_py_raise();
    }
    if (self->binds != NULL && found.mapper != NULL) {
        bind = bind_of_mapper(self, found.mapper);
    } else if (self->binds != NULL) {
        bind = bind_of_table(self, found.table);
    }
    if (bind == NULL && PyErr_Occurred() == NULL) {
        bool tables = self->binds != NULL && found.mapper != NULL; /* its table was looked up, too */
        bind = self->bind != NULL ? self->bind : none_found(found.mapper, statement != NULL || tables);
    }
    return bind;
}

static PyObject *wrap_or_none(corm_node *node) {
    return node == NULL ? Py_NewRef(Py_None) : corm_py_wrap(corm_node_ref(node));
}

/* A subclass' own get_bind(), called; a new reference. */
static PyObject *ask_subclass(CormPySession *self, corm_node *statement, const corm_mapper *mapper) {
    PyObject *view = mapper == NULL ? NULL : corm_py_class_of_mapper(mapper)->view;
    PyObject *clause = wrap_or_none(statement);
    PyObject *method = clause == NULL ? NULL : corm_py_get((PyObject *)self, "get_bind");
    PyObject *args = method == NULL ? NULL : PyTuple_New(0);
    PyObject *kwargs =
        args == NULL ? NULL : Py_BuildValue("{sOsO}", "mapper", view == NULL ? Py_None : view, "clause", clause);
    PyObject *bind = kwargs == NULL ? NULL : PyObject_Call(method, args, kwargs);
    Py_XDECREF(clause);
    Py_XDECREF(method);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return bind;
}

static bool overrides_get_bind(CormPySession *self) {
    static PyObject *name, *own;
    if (Py_IS_TYPE(self, CormPySession_Type)) {
        return false;
    }
    if (name == NULL && (name = PyUnicode_InternFromString("get_bind")) == NULL) {
        PyErr_Clear();
        return false;
    }
    if (own == NULL) {
        own = _PyType_Lookup(CormPySession_Type, name);
    }
    return _PyType_Lookup(Py_TYPE(self), name) != own;
}

/* Go on with what a bind is. A Connection only when nothing is under way. */
static int use(CormPySession *self, PyObject *bind) {
    enum bind_kind kind;
    corm_engine *engine;
    corm_connection *connection;
    if (look_at(bind, &kind, &engine, &connection) < 0) {
        return -1;
    }
    if (kind == BIND_CONNECTION) {
        return self->session->borrowed_connection && self->session->connection == connection ? 0
                                                                                             : bind_core(self, bind);
    }
    return corm_session_use(self->session, engine) == CORM_OK ? characterize(self, bind) : corm_py_raise_int();
}

/* Find what the statement or mapper is for, and go on with it. */
static int route(CormPySession *self, corm_node *statement, corm_mapper *mapper) {
    subject found = {mapper, NULL};
    bool asks = overrides_get_bind(self);
    if (asks && statement != NULL && mapper == NULL && corm_node_walk(statement, look_for_subject, &found) != CORM_OK) {
        return corm_py_raise_int();
    }
    PyObject *bind =
        asks ? ask_subclass(self, statement, found.mapper) : Py_XNewRef(find_bind(self, statement, mapper));
    int failed = bind == NULL ? -1 : use(self, bind);
    Py_XDECREF(bind);
    return failed;
}

/* The core asks which engine a statement, or the rows of a mapper, are for: see corm_session_get_bind. */
static corm_status choose(void *context, corm_session *session, corm_node *statement, corm_mapper *mapper,
                          corm_engine **out) {
    CormPySession *self = context;
    *out = NULL;
    if (session->host == NULL) {
        return CORM_OK; /* the Session is going away */
    }
    if (statement != NULL && self->asked_bind != NULL) {
        return use(self, self->asked_bind) < 0 ? corm_py_error() : CORM_OK;
    }
    if (statement != NULL && self->asked != NULL) {
        mapper = self->asked;
    }
    return route(self, statement, mapper) < 0 ? corm_py_error() : CORM_OK;
}

/* Several engines: the core asks for each statement. */
static bool is_routed(CormPySession *self) {
    if (self->session->get_bind == NULL && (self->binds != NULL || overrides_get_bind(self))) {
        corm_session_on_bind(self->session, choose, self);
    }
    return self->session->get_bind != NULL;
}

int corm_py_session_ensure_bind(CormPySession *self, corm_node *statement, corm_mapper *mapper) {
    if (is_routed(self)) {
        return 0;
    }
    if (self->session->engine != NULL) {
        return 0;
    }
    PyObject *bind = find_bind(self, statement, mapper);
    return bind == NULL ? -1 : use(self, bind);
}

int corm_py_session_ensure_bind_select(CormPySession *self, corm_mapper *mapper) {
    if (!is_routed(self) && self->session->engine == NULL && self->bind == NULL) {
        none_found(mapper, true);
        return -1;
    }
    return corm_py_session_ensure_bind(self, NULL, mapper);
}

int corm_py_session_bind_for_flush(CormPySession *self) {
    const corm_session *session = self->session;
    if (is_routed(self) || session->engine != NULL) {
        return 0;
    }
    for (size_t i = 0; i < session->held.count; i++) {
        const corm_state *state = session->held.items[i];
        if (state != NULL) {
            return corm_py_session_ensure_bind(self, NULL, state->mapper);
        }
    }
    return 0;
}

int corm_py_session_ask(CormPySession *self, PyObject *arguments) {
    self->asked = NULL;
    self->asked_bind = NULL;
    if (arguments == NULL || arguments == Py_None || !PyDict_Check(arguments)) {
        return 0;
    }
    PyObject *mapper = corm_py_item(arguments, "mapper"), *bind = corm_py_item(arguments, "bind");
    if (mapper != NULL && mapper != Py_None && (self->asked = corm_py_mapper_required(mapper)) == NULL) {
        return -1;
    }
    self->asked_bind = bind == Py_None ? NULL : bind;
    if (self->asked_bind != NULL && self->session->get_bind == NULL) {
        corm_session_on_bind(self->session, choose, self);
    }
    return 0;
}

void corm_py_session_asked(CormPySession *self) {
    self->asked = NULL;
    self->asked_bind = NULL;
}

/* ---- methods ---- */

PyObject *corm_py_session_get_bind(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.get_bind", 1, 0, "mapper", "clause", "bind", "_sa_skip_events",
                      "_sa_skip_for_implicit_returning");
    PyObject *given[5];
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || corm_py_session_open(object) == NULL) {
        return NULL;
    }
    if (given[2] != NULL && given[2] != Py_None) {
        return Py_NewRef(given[2]);
    }
    CormPySession *self = corm_py_as_session(object);
    corm_mapper *mapper = NULL;
    corm_node *statement = NULL;
    if (given[0] != NULL && given[0] != Py_None && (mapper = corm_py_mapper_required(given[0])) == NULL) {
        return NULL;
    }
    if (given[1] != NULL && given[1] != Py_None && (statement = corm_py_node(given[1])) == NULL) {
        return NULL;
    }
    PyObject *bind = find_bind(self, statement, mapper);
    Py_XINCREF(bind);
    corm_node_unref(statement);
    return bind;
}

PyObject *corm_py_session_bind_mapper(PyObject *object, PyObject *args) {
    PyObject *mapper, *bind;
    if (!PyArg_ParseTuple(args, "OO:bind_mapper", &mapper, &bind) ||
        corm_py_session_add_bind(corm_py_as_session(object), mapper, bind) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *corm_py_session_bind_table(PyObject *object, PyObject *args) {
    return corm_py_session_bind_mapper(object, args);
}

/* ---- the connection ---- */

void corm_py_session_tell_connection(CormPySession *self) {
    if (self->bind != NULL && PyObject_TypeCheck(self->bind, CormPyConnection_Type)) {
        CormPyConnection *view = (CormPyConnection *)self->bind;
        if (view->connection != NULL && !corm_connection_in_transaction(view->connection) &&
            view->transaction != NULL) {
            corm_py_transactions_end(view);
        }
    }
}

PyObject *corm_py_session_connection(CormPySession *self) {
    corm_connection *connection;
    corm_session *session = self->session;
    if (corm_session_enter(session) != CORM_OK) {
        return corm_py_raise();
    }
    corm_status status = corm_session_connection(session, &connection);
    corm_session_leave(session);
    if (status != CORM_OK) {
        return corm_py_raise();
    }
    if (session->borrowed_connection && self->bind != NULL) {
        return Py_NewRef(self->bind);
    }
    if (self->bind != NULL && PyObject_TypeCheck(self->bind, CormPyEngine_Type)) {
        return corm_py_connection_new(connection, self->bind, false);
    }
    return corm_py_connection_of(corm_engine_hooks_of(session->engine)->context, connection);
}

static PyObject *with_options(PyObject *connection, PyObject *options) {
    PyObject *method = corm_py_get(connection, "execution_options");
    PyObject *empty = method == NULL ? NULL : PyTuple_New(0);
    PyObject *result = empty == NULL ? NULL : PyObject_Call(method, empty, options);
    Py_XDECREF(method);
    Py_XDECREF(empty);
    return result;
}

static int warn(const char *message) {
    PyObject *category = corm_py_import("cormorant.exc", "SAWarning");
    int failed = category == NULL ? -1 : PyErr_WarnEx(category, message, 1);
    Py_XDECREF(category);
    return failed;
}

/* What transactions are to be like is said before this one begins. */
static PyObject *connection_with_options(CormPySession *self, PyObject *options) {
    static const char *const names[] = {"isolation_level", "postgresql_readonly", "postgresql_deferrable"};
    corm_session *session = self->session;
    corm_characteristics usual = session->characteristics, wanted;
    PyObject *others = PyDict_Copy(options);
    if (others == NULL || corm_py_read_characteristics(options, &wanted) < 0) {
        Py_XDECREF(others);
        return NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (corm_py_item(others, names[i]) != NULL && PyDict_DelItemString(others, names[i]) < 0) {
            Py_DECREF(others);
            return NULL;
        }
    }
    bool late = session->connection != NULL && corm_connection_in_transaction(session->connection);
    if (late && warn("Connection is already established for the given bind; execution_options ignored") < 0) {
        Py_DECREF(others);
        return NULL;
    }
    snprintf(session->characteristics.isolation, sizeof usual.isolation, "%s",
             wanted.isolation[0] != '\0' ? wanted.isolation : usual.isolation);
    session->characteristics.read_only = wanted.read_only != CORM_WISH_NONE ? wanted.read_only : usual.read_only;
    session->characteristics.deferrable = wanted.deferrable != CORM_WISH_NONE ? wanted.deferrable : usual.deferrable;
    PyObject *connection = corm_py_session_connection(self);
    session->characteristics = usual;
    PyObject *result = connection == NULL || late || PyDict_GET_SIZE(others) == 0 ? Py_XNewRef(connection)
                                                                                  : with_options(connection, others);
    Py_XDECREF(connection);
    Py_DECREF(others);
    return result;
}

PyObject *corm_py_session_connection_method(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                            PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.connection", 1, 0, "bind_arguments", "execution_options");
    PyObject *given[2];
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || corm_py_session_open(object) == NULL) {
        return NULL;
    }
    CormPySession *self = corm_py_as_session(object);
    corm_mapper *mapper = NULL;
    if (given[0] != NULL && PyDict_Check(given[0])) {
        PyObject *named = corm_py_item(given[0], "mapper");
        if (named != NULL && (mapper = corm_py_mapper_required(named)) == NULL) {
            return NULL;
        }
    }
    if ((is_routed(self) ? route(self, NULL, mapper) : corm_py_session_ensure_bind(self, NULL, mapper)) < 0) {
        return NULL;
    }
    PyObject *connection = given[1] != NULL && PyDict_Check(given[1]) ? connection_with_options(self, given[1])
                                                                      : corm_py_session_connection(self);
    return connection != NULL && corm_py_transactions_changed(self) < 0 ? (Py_DECREF(connection), NULL) : connection;
}
