/*
 * Engines: a core engine as Python sees it, made by create_engine() (cormorant/engine/create.py), which reads arguments
 * and URLs.
 */
#include "engine.h"
#include "orm.h"

#include <structmember.h>

#include "base/alloc.h"
#include "engine/inspect.h"

PyTypeObject *CormPyEngine_Type;

/* ---- URLs ---- */

static PyObject *text_or_none(const char *text) {
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* _url_parse(text): (dialect, driver, username, password, host, port, database, [(key, value), ...]) */
static PyObject *url_parse(PyObject *module, PyObject *text) {
    corm_url *url;
    (void)module;
    const char *data = PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;
    if (data == NULL) {
        return PyErr_Occurred() != NULL ? NULL : PyErr_Format(PyExc_TypeError, "a URL is a string");
    }
    if (corm_url_parse(data, &url) != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *query = PyList_New(0);
    for (size_t i = 0; i < url->query_count && query != NULL; i++) {
        PyObject *pair = Py_BuildValue("(NN)", text_or_none(url->query[i].key), text_or_none(url->query[i].value));
        if (pair == NULL || PyList_Append(query, pair) < 0) {
            Py_CLEAR(query);
        }
        Py_XDECREF(pair);
    }
    PyObject *port = url->port == 0 ? Py_NewRef(Py_None) : PyLong_FromLong(url->port);
    PyObject *result = query == NULL || port == NULL
                           ? NULL
                           : Py_BuildValue("(NNNNNONO)", text_or_none(url->dialect), text_or_none(url->driver),
                                           text_or_none(url->username), text_or_none(url->password),
                                           text_or_none(url->host), port, text_or_none(url->database), query);
    Py_XDECREF(port);
    Py_XDECREF(query);
    corm_url_free(url);
    return result;
}

/* ---- making ---- */

static PyObject *driver_name(PyObject *module, PyObject *args) {
    const char *dialect, *name;
    (void)module;
    if (!PyArg_ParseTuple(args, "sz", &dialect, &name)) {
        return NULL;
    }
    const corm_driver *driver = corm_driver_find(dialect, name);
    return driver == NULL ? corm_py_raise() : PyUnicode_FromString(driver->name);
}

static int set_field(char **field, PyObject *value) {
    if (value == Py_None) {
        return 0;
    }
    const char *text = PyUnicode_AsUTF8(value);
    if (text == NULL) {
        return -1;
    }
    *field = corm_strdup(text);
    return *field == NULL ? corm_py_raise_int() : 0;
}

/* url: (dialect, driver, username, password, host, port, database, [(key, value), ...]) */
static corm_url *make_url(PyObject *parts) {
    const char *dialect, *driver;
    PyObject *username, *password, *host, *database, *query;
    int port;
    corm_url *url = NULL;
    if (!PyArg_ParseTuple(parts, "szOOOiOO!", &dialect, &driver, &username, &password, &host, &port, &database,
                          &PyList_Type, &query)) {
        return NULL;
    }
    if (corm_url_new(dialect, driver, &url) != CORM_OK) {
        corm_py_raise();
        return NULL;
    }
    url->port = port;
    int status = set_field(&url->username, username) < 0 || set_field(&url->password, password) < 0 ||
                         set_field(&url->host, host) < 0 || set_field(&url->database, database) < 0
                     ? -1
                     : 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(query) && status == 0; i++) {
        const char *key, *value;
        status = PyArg_ParseTuple(PyList_GET_ITEM(query, i), "ss", &key, &value) ? 0 : -1;
        if (status == 0 && corm_url_add_query(url, key, value) != CORM_OK) {
            status = corm_py_raise_int();
        }
    }
    if (status < 0) {
        corm_url_free(url);
        return NULL;
    }
    return url;
}

typedef struct engine_arguments {
    PyObject *parts, *url, *dialect, *creator, *logger_name, *pool_logger_name, *options;
    int pool, pool_size, max_overflow, pre_ping, fifo, hide, cache_size;
    double timeout, recycle;
} engine_arguments;

static int start(CormPyEngine *self, const engine_arguments *given) {
    CormPyContext *context = (CormPyContext *)corm_py_context_new();
    corm_url *url = context == NULL ? NULL : make_url(given->parts);
    if (url == NULL) {
        Py_XDECREF(context);
        return -1;
    }
    corm_engine_options options = {
        .pool = (corm_pool_kind)given->pool,
        .pool_size = given->pool_size,
        .max_overflow = given->max_overflow,
        .overflow_given = true,
        .pool_timeout = given->timeout,
        .pool_recycle = given->recycle,
        .pool_pre_ping = given->pre_ping,
        .pool_fifo = given->fifo,
        .hide_parameters = given->hide,
        .cache_size = given->cache_size > 0 ? (size_t)given->cache_size : 0,
        .hooks = corm_py_engine_hooks,
    };
    options.hooks.context = context;
    if (given->creator == Py_None) {
        options.hooks.connect = NULL;
    } else {
        options.driver = &corm_py_dbapi_driver;
        context->creator = Py_NewRef(given->creator);
    }
    context->logger_names[CORM_LOG_ENGINE] = Py_NewRef(given->logger_name);
    context->logger_names[CORM_LOG_POOL] = Py_NewRef(given->pool_logger_name);
    corm_status status = corm_engine_new(url, &options, &self->engine);
    corm_url_free(url);
    if (status != CORM_OK) {
        Py_DECREF(context);
        return corm_py_raise_int();
    }
    context->core = self->engine; /* which owns the context from now on */
    context->engine = self;
    self->context = context;
    corm_py_engine_apply(context);
    return 0;
}

static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"parts",
                               "url",
                               "dialect",
                               "creator",
                               "logger_name",
                               "pool_logger_name",
                               "options",
                               "pool",
                               "pool_size",
                               "max_overflow",
                               "pool_timeout",
                               "pool_recycle",
                               "pre_ping",
                               "fifo",
                               "hide_parameters",
                               "cache_size",
                               NULL};
    engine_arguments given = {.cache_size = 500, .max_overflow = 10, .timeout = 30, .creator = Py_None};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!OOOUUO!|iiiddpppi", keywords, &PyTuple_Type, &given.parts,
                                     &given.url, &given.dialect, &given.creator, &given.logger_name,
                                     &given.pool_logger_name, &PyDict_Type, &given.options, &given.pool,
                                     &given.pool_size, &given.max_overflow, &given.timeout, &given.recycle,
                                     &given.pre_ping, &given.fifo, &given.hide, &given.cache_size)) {
        return NULL;
    }
    CormPyEngine *self = (CormPyEngine *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->url = Py_NewRef(given.url);
    self->dialect = Py_NewRef(given.dialect);
    self->pool = Py_NewRef(Py_None);
    self->options = PyDict_GET_SIZE(given.options) == 0 ? NULL : PyDict_Copy(given.options);
    if ((self->options == NULL && PyErr_Occurred() != NULL) || start(self, &given) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

corm_engine *corm_py_engine_borrow(PyObject *object) {
    if (PyObject_TypeCheck(object, CormPyEngine_Type)) {
        return ((CormPyEngine *)object)->engine;
    }
    PyObject *cls = corm_py_import("cormorant.exc", "ArgumentError");
    if (cls != NULL) {
        PyErr_Format(cls, "Expected an Engine, got %.100s", Py_TYPE(object)->tp_name);
        Py_DECREF(cls);
    }
    return NULL;
}

/* ---- methods ---- */

static PyObject *engine_connect(PyObject *object, PyObject *unused) {
    (void)unused;
    return corm_py_engine_connect((CormPyEngine *)object);
}

static PyObject *engine_begin(PyObject *object, PyObject *unused) {
    (void)unused;
    return corm_py_engine_begin((CormPyEngine *)object);
}

static PyObject *engine_raw_connection(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *connection = corm_py_engine_connect((CormPyEngine *)object);
    PyObject *proxy = connection == NULL ? NULL : corm_py_get(connection, "connection");
    PyObject *owning = proxy == NULL ? NULL : corm_py_call(proxy, "_own", "O", connection);
    Py_XDECREF(proxy);
    Py_XDECREF(connection);
    return owning;
}

static PyObject *engine_dispose(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"close", NULL};
    CormPyEngine *self = (CormPyEngine *)object;
    int close = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p", keywords, &close)) {
        return NULL;
    }
    corm_engine_dispose(self->engine);
    if (corm_py_engine_listened(self->context, NULL, CORM_PY_ENGINE_DISPOSED)) {
        PyObject *arguments = PyTuple_Pack(1, object);
        int failed = corm_py_engine_fire(self->context, NULL, CORM_PY_ENGINE_DISPOSED, arguments);
        Py_XDECREF(arguments);
        if (failed < 0) {
            return NULL;
        }
    }
    Py_RETURN_NONE;
}

static PyObject *engine_execution_options(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyEngine *self = (CormPyEngine *)object;
    if (!PyArg_ParseTuple(args, "")) {
        return NULL;
    }
    CormPyEngine *made = (CormPyEngine *)Py_TYPE(object)->tp_alloc(Py_TYPE(object), 0);
    if (made == NULL) {
        return NULL;
    }
    made->engine = corm_engine_ref(self->engine);
    made->context = self->context;
    made->url = Py_NewRef(self->url);
    made->dialect = Py_NewRef(self->dialect);
    made->pool = Py_NewRef(self->pool);
    made->options = self->options == NULL ? PyDict_New() : PyDict_Copy(self->options);
    if (made->options == NULL || (kwargs != NULL && PyDict_Update(made->options, kwargs) < 0)) {
        Py_CLEAR(made);
    }
    return (PyObject *)made;
}

static PyObject *engine_get_options(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *options = ((CormPyEngine *)object)->options;
    return options == NULL ? PyDict_New() : PyDict_Copy(options);
}

static PyObject *engine_clear_cache(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_statement_cache_clear(corm_engine_cache(((CormPyEngine *)object)->engine));
    Py_RETURN_NONE;
}

static PyObject *engine_cache_statistics(PyObject *object, PyObject *unused) {
    (void)unused;
    uint64_t hits, misses;
    corm_statement_cache *cache = corm_engine_cache(((CormPyEngine *)object)->engine);
    corm_statement_cache_statistics(cache, &hits, &misses);
    return Py_BuildValue("nKK", (Py_ssize_t)corm_statement_cache_count(cache), (unsigned long long)hits,
                         (unsigned long long)misses);
}

/* _pool_counts(): (idle, in use, size, overflow) */
static PyObject *engine_pool_counts(PyObject *object, PyObject *unused) {
    (void)unused;
    int idle, in_use, size, overflow;
    corm_engine_pool_counts(((CormPyEngine *)object)->engine, &idle, &in_use, &size, &overflow);
    return Py_BuildValue("iiii", idle, in_use, size, overflow);
}

static PyObject *engine_set_pool(PyObject *object, PyObject *pool) {
    Py_XSETREF(((CormPyEngine *)object)->pool, Py_NewRef(pool));
    Py_RETURN_NONE;
}

static PyObject *engine_set_echo_pool(PyObject *object, PyObject *echo) {
    return corm_py_engine_set_echo(((CormPyEngine *)object)->context, CORM_LOG_POOL, echo) < 0 ? NULL
                                                                                               : Py_NewRef(Py_None);
}

static PyObject *engine_repr(PyObject *object) {
    return PyUnicode_FromFormat("Engine(%R)", ((CormPyEngine *)object)->url);
}

static PyObject *get_echo(PyObject *object, void *closure) {
    (void)closure;
    int echo = ((CormPyEngine *)object)->context->echo[CORM_LOG_ENGINE];
    return echo == 10 ? PyUnicode_FromString("debug") : PyBool_FromLong(echo > 0);
}

static int set_echo(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    return corm_py_engine_set_echo(((CormPyEngine *)object)->context, CORM_LOG_ENGINE, value);
}

static PyObject *get_itself(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(object);
}

static PyObject *get_name(PyObject *object, void *closure) {
    (void)closure;
    return PyUnicode_FromString(corm_engine_driver(((CormPyEngine *)object)->engine)->dialect);
}

static PyObject *get_driver(PyObject *object, void *closure) {
    (void)closure;
    return PyUnicode_FromString(corm_engine_driver(((CormPyEngine *)object)->engine)->name);
}

static PyObject *get_hides(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(corm_engine_hides_parameters(((CormPyEngine *)object)->engine));
}

/* ---- life ---- */

static int engine_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyEngine *self = (CormPyEngine *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->url);
    Py_VISIT(self->dialect);
    Py_VISIT(self->pool);
    Py_VISIT(self->options);
    Py_VISIT(self->dict);
    if (self->engine != NULL && corm_engine_is_sole(self->engine)) {
        Py_VISIT(self->context); /* nobody else holds the core engine, which holds the context */
    }
    return 0;
}

static int engine_clear(PyObject *object) {
    CormPyEngine *self = (CormPyEngine *)object;
    Py_CLEAR(self->pool);
    Py_CLEAR(self->options);
    Py_CLEAR(self->dict);
    return 0;
}

static void engine_dealloc(PyObject *object) {
    CormPyEngine *self = (CormPyEngine *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    engine_clear(object);
    if (self->context != NULL && self->context->engine == self) {
        self->context->engine = NULL;
    }
    corm_engine_unref(self->engine);
    Py_CLEAR(self->url);
    Py_CLEAR(self->dialect);
    type->tp_free(object);
    Py_DECREF(type);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS

static PyMethodDef engine_methods[] = {
    {"connect", engine_connect, METH_NOARGS, "connect($self, /)\n--\n\nA connection from the pool."},
    {"begin", engine_begin, METH_NOARGS,
     "begin($self, /)\n--\n\nA with block over a connection whose transaction is committed at its end."},
    {"raw_connection", engine_raw_connection, METH_NOARGS,
     "raw_connection($self, /)\n--\n\nThe driver's connection, as the pool shows it."},
    {"dispose", KEYWORDS(engine_dispose), "dispose($self, /, close=True)\n--\n\nClose the pool's connections."},
    {"execution_options", KEYWORDS(engine_execution_options),
     "execution_options($self, /, **opt)\n--\n\nAn Engine on the same pool with other options."},
    {"get_execution_options", engine_get_options, METH_NOARGS,
     "get_execution_options($self, /)\n--\n\nThe options in effect."},
    {"clear_compiled_cache", engine_clear_cache, METH_NOARGS,
     "clear_compiled_cache($self, /)\n--\n\nForget compiled statements."},
    {"_cache_statistics", engine_cache_statistics, METH_NOARGS, "(statements, hits, misses) of the compiled cache."},
    {"_pool_counts", engine_pool_counts, METH_NOARGS, "(idle, in use, size, overflow) of the pool."},
    {"_set_pool", engine_set_pool, METH_O, "The pool's Python object."},
    {"_set_echo_pool", engine_set_echo_pool, METH_O, "Log what the pool does."},
    {NULL}};

static PyGetSetDef engine_getset[] = {
    {"echo", get_echo, set_echo, "Whether statements are logged; may be set.", NULL},
    {"engine", get_itself, NULL, "The engine itself.", NULL},
    {"name", get_name, NULL, "The dialect's name.", NULL},
    {"driver", get_driver, NULL, "The driver's name.", NULL},
    {"hide_parameters", get_hides, NULL, "Whether parameters are left out of logs and errors.", NULL},
    {NULL}};

static PyMemberDef engine_members[] = {
    {"url", T_OBJECT, offsetof(CormPyEngine, url), READONLY, "The URL."},
    {"dialect", T_OBJECT, offsetof(CormPyEngine, dialect), READONLY, "The dialect."},
    {"pool", T_OBJECT, offsetof(CormPyEngine, pool), READONLY, "The pool of connections."},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyEngine, dict), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyEngine, weakrefs), READONLY},
    {NULL}};

static PyType_Slot engine_slots[] = {{Py_tp_new, engine_new},
                                     {Py_tp_dealloc, engine_dealloc},
                                     {Py_tp_traverse, engine_traverse},
                                     {Py_tp_clear, engine_clear},
                                     {Py_tp_repr, engine_repr},
                                     {Py_tp_methods, engine_methods},
                                     {Py_tp_getset, engine_getset},
                                     {Py_tp_members, engine_members},
                                     {Py_tp_doc,
                                      "A database: its pool of connections and its compiled statements. May be "
                                      "used from many threads."},
                                     {0}};

static PyType_Spec engine_spec = {"cormorant._engine.Engine", sizeof(CormPyEngine), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE, engine_slots};

/* ---- looking at a live schema ---- */

static PyObject *schema_has_table(PyObject *module, PyObject *args) {
    PyObject *connection;
    const char *name, *schema;
    bool found;
    (void)module;
    if (!PyArg_ParseTuple(args, "Osz", &connection, &name, &schema)) {
        return NULL;
    }
    corm_connection *core = corm_py_connection_borrow(connection);
    if (core == NULL) {
        return NULL;
    }
    return corm_inspect_has_table(core, schema, name, &found) == CORM_OK ? PyBool_FromLong(found) : corm_py_raise();
}

static PyMethodDef functions[] = {
    {"_driver_name", driver_name, METH_VARARGS,
     "_driver_name(dialect, driver)\n--\n\nThe driver that serves a dialect under a name, or None."},
    {"_url_parse", url_parse, METH_O, "_url_parse(text)\n--\n\nThe parts of a URL."},
    {"_has_table", schema_has_table, METH_VARARGS,
     "_has_table(connection, name, schema)\n--\n\nWhether the database has a table or view of this name."},
    {NULL}};

int corm_py_engine_init(PyObject *module) {
    CormPyEngine_Type = corm_py_type(module, &engine_spec, NULL);
    return CormPyEngine_Type == NULL || corm_py_engine_events_init(module) < 0 || corm_py_connection_init(module) < 0 ||
                   corm_py_transaction_init(module) < 0 || corm_py_inspect_tables_init(module) < 0
               ? -1
               : PyModule_AddFunctions(module, functions);
}
