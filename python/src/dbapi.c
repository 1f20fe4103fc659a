/*
 * The raw connection: what `connect` listeners, connection.connection and raw_connection() give: a connection and cursors
 * in the shape of PEP 249, over the same driver connection that the engine uses.
 *
 * The pool closes the driver's connection, not this object, which then says that it is closed. Cursors hold a prepared
 * statement while they have rows; the connection knows them, so that none outlives it.
 */
#include "dbapi.h"
#include "orm.h"

#include <structmember.h>

typedef struct CormPyCursor {
    PyObject_HEAD CormPyRaw *raw;
    corm_driver_statement *statement; /* NULL: no rows */
    struct CormPyCursor *next, **link;
    corm_py_placed placed; /* its values are bound */
    corm_value *values;    /* of a row */
    size_t columns;
    bool first, has_row, closed;
    PyObject *description; /* tuple or NULL */
    PyObject *row_factory;
    long long rowcount, lastrowid;
    Py_ssize_t arraysize;
    PyObject *weakrefs;
} CormPyCursor;

static PyTypeObject *raw_type, *cursor_type;

/* ---- errors ---- */

PyObject *corm_py_raw_error(const char *name, const char *message) {
    PyObject *cls = corm_py_import("sqlite3", name);
    if (cls != NULL) {
        PyErr_SetString(cls, message);
        Py_DECREF(cls);
    }
    return NULL;
}

PyObject *corm_py_raw_raise(void) {
    PyObject *type, *value, *traceback;
    corm_py_raise();
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    PyObject *base = corm_py_import("cormorant.exc", "DBAPIError");
    PyObject *orig = base != NULL && PyObject_IsInstance(value, base) == 1 ? corm_py_get(value, "orig") : NULL;
    Py_XDECREF(base);
    if (orig != NULL && PyExceptionInstance_Check(orig)) {
        PyErr_SetObject((PyObject *)Py_TYPE(orig), orig);
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
    } else {
        PyErr_Restore(type, value, traceback);
    }
    Py_XDECREF(orig);
    return NULL;
}

static corm_driver_connection *open_native(CormPyRaw *self) {
    if (self->native == NULL) {
        corm_py_raw_error("ProgrammingError", "Cannot operate on a closed database.");
    }
    return self->native;
}

/* ---- cursors ---- */

/* Give back the statement; its counts stay. */
static void drop_statement(CormPyCursor *self) {
    corm_driver_statement *statement = self->statement;
    if (statement == NULL) {
        return;
    }
    self->statement = NULL;
    *self->link = self->next;
    if (self->next != NULL) {
        self->next->link = self->link;
    }
    self->raw->driver->finalize(statement);
    PyMem_Free(self->values);
    self->values = NULL;
    corm_py_placed_clear(&self->placed);
}

static int ready(CormPyCursor *self) {
    if (self->closed) {
        corm_py_raw_error("ProgrammingError", "Cannot operate on a closed cursor.");
        return -1;
    }
    return open_native(self->raw) == NULL ? -1 : 0;
}

/* Python's sqlite3 begins a transaction before these, unless isolation_level is None. */
static bool begins(const char *sql) {
    static const char *const words[] = {"INSERT", "UPDATE", "DELETE", "REPLACE"};
    while (*sql == ' ' || *sql == '\t' || *sql == '\n' || *sql == '\r') {
        sql++;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strncasecmp(sql, words[i], strlen(words[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int describe(CormPyCursor *self) {
    const corm_driver *driver = self->raw->driver;
    self->columns = driver->column_count(self->statement);
    PyObject *description = self->columns == 0 ? NULL : PyTuple_New((Py_ssize_t)self->columns);
    for (size_t i = 0; i < self->columns && description != NULL; i++) {
        PyObject *column = Py_BuildValue("(sOOOOOO)", driver->column_name(self->statement, i), Py_None, Py_None,
                                         Py_None, Py_None, Py_None, Py_None);
        if (column == NULL) {
            Py_CLEAR(description);
        } else {
            PyTuple_SET_ITEM(description, (Py_ssize_t)i, column);
        }
    }
    Py_XSETREF(self->description, description);
    self->values = PyMem_Calloc(self->columns + 1, sizeof *self->values);
    if (self->values == NULL) {
        PyErr_NoMemory();
    }
    return self->values == NULL || (description == NULL && self->columns > 0) ? -1 : 0;
}

static int run(CormPyCursor *self, const char *sql, size_t size, const corm_value *values, size_t count) {
    const corm_driver *driver = self->raw->driver;
    corm_driver_connection *native = self->raw->native;
    if (driver->prepare(native, sql, size, &self->statement) != CORM_OK) {
        corm_error_add_driver(driver->name);
        corm_py_raw_raise();
        return -1;
    }
    self->link = &self->raw->cursors;
    self->next = *self->link;
    if (self->next != NULL) {
        self->next->link = &self->next;
    }
    *self->link = self;
    corm_status status = driver->bind(self->statement, values, count);
    if (status == CORM_OK && self->raw->isolation_level != Py_None && begins(sql) && !driver->in_transaction(native)) {
        status = driver->begin(native);
    }
    if (status == CORM_OK) {
        status = driver->execute(self->statement, &self->has_row);
    }
    if (status != CORM_OK) {
        corm_error_add_driver(driver->name);
        corm_py_raw_raise();
        return -1;
    }
    if (self->statement == NULL) { /* closed by a function of the user's meanwhile */
        return ready(self);
    }
    self->first = true;
    self->lastrowid = driver->last_generated_key(native);
    self->rowcount = driver->changed_rows(self->statement);
    return describe(self);
}

static void finish_if_done(CormPyCursor *self) {
    if (self->statement != NULL && !self->has_row) {
        self->rowcount = self->raw->driver->changed_rows(self->statement);
        drop_statement(self);
    }
}

static int cursor_run(CormPyCursor *self, PyObject *sql, PyObject *parameters, bool many) {
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(sql, &size);
    if (text == NULL || ready(self) < 0) {
        return -1;
    }
    drop_statement(self);
    Py_CLEAR(self->description);
    self->rowcount = -1;
    corm_py_placed placed;
    if (corm_py_placed_parse(self->raw->driver, self->raw->native, sql, parameters, &placed) < 0) {
        return -1;
    }
    long long changed = 0;
    int status = 0;
    for (size_t i = 0; i < placed.set_count && status == 0 && (placed.set_count == 1 || many); i++) {
        drop_statement(self);
        status = ready(self) < 0 ? -1 : run(self, text, (size_t)size, placed.values + i * placed.width, placed.width);
        changed += status == 0 && self->rowcount > 0 ? self->rowcount : 0;
    }
    if (self->statement != NULL) {
        self->placed = placed; /* as long as its values are bound */
    } else {
        corm_py_placed_clear(&placed);
    }
    if (status < 0) {
        drop_statement(self);
        return -1;
    }
    finish_if_done(self);
    if (many) {
        self->rowcount = changed;
    }
    return 0;
}

static PyObject *cursor_execute(PyObject *object, PyObject *args) {
    PyObject *sql, *parameters = Py_None;
    if (!PyArg_ParseTuple(args, "U|O", &sql, &parameters)) {
        return NULL;
    }
    return cursor_run((CormPyCursor *)object, sql, parameters, false) < 0 ? NULL : Py_NewRef(object);
}

static PyObject *cursor_executemany(PyObject *object, PyObject *args) {
    PyObject *sql, *parameters;
    if (!PyArg_ParseTuple(args, "UO", &sql, &parameters)) {
        return NULL;
    }
    PyObject *list = PySequence_List(parameters);
    if (list == NULL) {
        return NULL;
    }
    int status = PyList_GET_SIZE(list) == 0 ? 0 : cursor_run((CormPyCursor *)object, sql, list, true);
    Py_DECREF(list);
    return status < 0 ? NULL : Py_NewRef(object);
}

/* The next row; NULL without an exception at the end. */
static PyObject *next_row(CormPyCursor *self) {
    if (ready(self) < 0 || self->statement == NULL) {
        return NULL;
    }
    const corm_driver *driver = self->raw->driver;
    corm_status status = CORM_OK;
    if (!self->first) {
        status = driver->step(self->statement, &self->has_row);
    }
    self->first = false;
    if (status == CORM_OK && self->has_row) {
        status = driver->row(self->statement, self->values, self->columns);
    }
    if (status != CORM_OK) {
        corm_py_raw_raise();
        drop_statement(self);
        return NULL;
    }
    if (!self->has_row) {
        finish_if_done(self);
        return NULL;
    }
    PyObject *row = PyTuple_New((Py_ssize_t)self->columns);
    for (size_t i = 0; i < self->columns && row != NULL; i++) {
        PyObject *value = corm_py_from_value(&self->values[i], NULL);
        if (value == NULL) {
            Py_CLEAR(row);
        } else {
            PyTuple_SET_ITEM(row, (Py_ssize_t)i, value);
        }
    }
    PyObject *factory = self->row_factory;
    if (row != NULL && factory != NULL && factory != Py_None) {
        Py_SETREF(row, PyObject_CallFunctionObjArgs(factory, self, row, NULL));
    }
    return row;
}

static PyObject *cursor_fetchone(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *row = next_row((CormPyCursor *)object);
    return row == NULL && PyErr_Occurred() == NULL ? Py_NewRef(Py_None) : row;
}

static PyObject *fetch(CormPyCursor *self, Py_ssize_t limit) {
    PyObject *list = ready(self) < 0 ? NULL : PyList_New(0);
    while (list != NULL && (limit < 0 || PyList_GET_SIZE(list) < limit)) {
        PyObject *row = next_row(self);
        if (row == NULL) {
            if (PyErr_Occurred() != NULL) {
                Py_CLEAR(list);
            }
            break;
        }
        if (PyList_Append(list, row) < 0) {
            Py_CLEAR(list);
        }
        Py_DECREF(row);
    }
    return list;
}

static PyObject *cursor_fetchall(PyObject *object, PyObject *unused) {
    (void)unused;
    return fetch((CormPyCursor *)object, -1);
}

static PyObject *cursor_fetchmany(PyObject *object, PyObject *args, PyObject *kwargs) {
    static char *keywords[] = {"size", NULL};
    Py_ssize_t size = ((CormPyCursor *)object)->arraysize;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|n", keywords, &size)) {
        return NULL;
    }
    return fetch((CormPyCursor *)object, size);
}

static PyObject *cursor_close(PyObject *object, PyObject *unused) {
    (void)unused;
    drop_statement((CormPyCursor *)object);
    ((CormPyCursor *)object)->closed = true;
    Py_RETURN_NONE;
}

static PyObject *cursor_ignore(PyObject *object, PyObject *args) {
    (void)object;
    (void)args;
    Py_RETURN_NONE;
}

static PyObject *cursor_get_lastrowid(PyObject *object, void *closure) {
    (void)closure;
    return PyLong_FromLongLong(((CormPyCursor *)object)->lastrowid);
}

static int cursor_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyCursor *self = (CormPyCursor *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->raw);
    Py_VISIT(self->placed.objects);
    Py_VISIT(self->row_factory);
    return 0;
}

static int cursor_clear(PyObject *object) {
    Py_CLEAR(((CormPyCursor *)object)->row_factory);
    return 0;
}

static void cursor_dealloc(PyObject *object) {
    CormPyCursor *self = (CormPyCursor *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    drop_statement(self);
    cursor_clear(object);
    Py_CLEAR(self->description);
    Py_XDECREF((PyObject *)self->raw);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef cursor_methods[] = {
    {"execute", cursor_execute, METH_VARARGS, "execute($self, sql, parameters=(), /)\n--\n\nRun a statement."},
    {"executemany", cursor_executemany, METH_VARARGS,
     "executemany($self, sql, parameters, /)\n--\n\nRun a statement for each set of parameters."},
    {"fetchone", cursor_fetchone, METH_NOARGS, "fetchone($self, /)\n--\n\nThe next row or None."},
    {"fetchall", cursor_fetchall, METH_NOARGS, "fetchall($self, /)\n--\n\nAll remaining rows."},
    {"fetchmany", (PyCFunction)(void (*)(void))cursor_fetchmany, METH_VARARGS | METH_KEYWORDS,
     "fetchmany($self, size=1)\n--\n\nUp to size rows."},
    {"close", cursor_close, METH_NOARGS, "close($self, /)\n--\n\nDrop the remaining rows."},
    {"setinputsizes", cursor_ignore, METH_VARARGS, "Does nothing."},
    {"setoutputsize", cursor_ignore, METH_VARARGS, "Does nothing."},
    {NULL}};

static PyMemberDef cursor_members[] = {
    {"connection", T_OBJECT, offsetof(CormPyCursor, raw), READONLY, "Its connection."},
    {"description", T_OBJECT, offsetof(CormPyCursor, description), READONLY, "The columns, or None."},
    {"rowcount", T_LONGLONG, offsetof(CormPyCursor, rowcount), READONLY, "How many rows were changed."},
    {"arraysize", T_PYSSIZET, offsetof(CormPyCursor, arraysize), 0, "What fetchmany() gives."},
    {"row_factory", T_OBJECT, offsetof(CormPyCursor, row_factory), 0, "Makes rows of tuples."},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyCursor, weakrefs), READONLY},
    {NULL}};

static PyGetSetDef cursor_getset[] = {{"lastrowid", cursor_get_lastrowid, NULL, "The inserted row's number.", NULL},
                                      {NULL}};

static PyType_Slot cursor_slots[] = {{Py_tp_dealloc, cursor_dealloc},
                                     {Py_tp_traverse, cursor_traverse},
                                     {Py_tp_clear, cursor_clear},
                                     {Py_tp_iter, PyObject_SelfIter},
                                     {Py_tp_iternext, next_row},
                                     {Py_tp_methods, cursor_methods},
                                     {Py_tp_members, cursor_members},
                                     {Py_tp_getset, cursor_getset},
                                     {Py_tp_doc, "A cursor of the raw connection."},
                                     {0}};

static PyType_Spec cursor_spec = {"cormorant._engine._RawCursor", sizeof(CormPyCursor), 0,
                                  Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                  cursor_slots};

/* ---- the connection ---- */

PyObject *corm_py_dbapi_new(const corm_driver *driver, corm_driver_connection *native) {
    CormPyRaw *self = (CormPyRaw *)raw_type->tp_alloc(raw_type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->driver = driver;
    self->native = native;
    self->row_factory = Py_NewRef(Py_None);
    self->text_factory = Py_NewRef((PyObject *)&PyUnicode_Type);
    self->isolation_level = PyUnicode_FromString("");
    if (self->isolation_level == NULL) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

void corm_py_dbapi_detach(PyObject *connection) {
    CormPyRaw *self = (CormPyRaw *)connection;
    while (self->cursors != NULL) {
        drop_statement(self->cursors);
    }
    self->native = NULL;
}

struct sqlite3 *corm_py_raw_sqlite(CormPyRaw *self) {
    corm_driver_connection *native = open_native(self);
    return native == NULL ? NULL : self->driver->native(native);
}

static PyObject *raw_cursor(PyObject *object, PyObject *args) {
    CormPyRaw *self = (CormPyRaw *)object;
    PyObject *factory = NULL;
    if (!PyArg_ParseTuple(args, "|O", &factory) || open_native(self) == NULL) {
        return NULL;
    }
    CormPyCursor *cursor = (CormPyCursor *)cursor_type->tp_alloc(cursor_type, 0);
    if (cursor != NULL) {
        cursor->raw = (CormPyRaw *)Py_NewRef(object);
        cursor->row_factory = Py_NewRef(self->row_factory == NULL ? Py_None : self->row_factory);
        cursor->arraysize = 1;
        cursor->rowcount = -1;
    }
    return (PyObject *)cursor;
}

static PyObject *with_cursor(PyObject *object, PyObject *args, PyCFunction method) {
    PyObject *none = PyTuple_New(0);
    PyObject *cursor = none == NULL ? NULL : raw_cursor(object, none);
    PyObject *result = cursor == NULL ? NULL : method(cursor, args);
    Py_XDECREF(cursor);
    Py_XDECREF(none);
    return result;
}

static PyObject *raw_execute(PyObject *object, PyObject *args) {
    return with_cursor(object, args, cursor_execute);
}

static PyObject *raw_executemany(PyObject *object, PyObject *args) {
    return with_cursor(object, args, cursor_executemany);
}

static PyObject *outcome(corm_status status) {
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raw_raise();
}

static PyObject *raw_commit(PyObject *object, PyObject *unused) {
    CormPyRaw *self = (CormPyRaw *)object;
    (void)unused;
    return open_native(self) == NULL ? NULL : outcome(self->driver->commit(self->native));
}

static PyObject *raw_rollback(PyObject *object, PyObject *unused) {
    CormPyRaw *self = (CormPyRaw *)object;
    (void)unused;
    return open_native(self) == NULL ? NULL : outcome(self->driver->rollback(self->native));
}

/* The pool closes the driver's connection; this object lets go of it. */
static PyObject *raw_close(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_py_dbapi_detach(object);
    Py_RETURN_NONE;
}

static PyObject *raw_interrupt(PyObject *object, PyObject *unused) {
    CormPyRaw *self = (CormPyRaw *)object;
    (void)unused;
    if (open_native(self) == NULL) {
        return NULL;
    }
    self->driver->interrupt(self->native);
    Py_RETURN_NONE;
}

static PyObject *raw_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    return Py_NewRef(object);
}

static PyObject *raw_exit(PyObject *object, PyObject *args) {
    PyObject *type = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : Py_None;
    PyObject *done = type == Py_None ? raw_commit(object, NULL) : raw_rollback(object, NULL);
    if (done != NULL) {
        Py_SETREF(done, Py_NewRef(Py_False));
    }
    return done;
}

static PyObject *raw_in_transaction(PyObject *object, void *closure) {
    CormPyRaw *self = (CormPyRaw *)object;
    (void)closure;
    return open_native(self) == NULL ? NULL : PyBool_FromLong(self->driver->in_transaction(self->native));
}

/* Programs ask isinstance(connection, sqlite3.Connection) before they send a PRAGMA. */
static PyObject *raw_class(PyObject *object, void *closure) {
    (void)closure;
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = PyDict_GetItemString(modules, "sqlite3");
    PyObject *cls = module == NULL ? NULL : corm_py_get(module, "Connection");
    if (cls == NULL) {
        PyErr_Clear();
        cls = Py_NewRef((PyObject *)Py_TYPE(object));
    }
    return cls;
}

static int raw_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyRaw *self = (CormPyRaw *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->row_factory);
    Py_VISIT(self->text_factory);
    Py_VISIT(self->dict);
    return 0;
}

static int raw_clear(PyObject *object) {
    CormPyRaw *self = (CormPyRaw *)object;
    Py_CLEAR(self->row_factory);
    Py_CLEAR(self->text_factory);
    Py_CLEAR(self->dict);
    return 0;
}

static void raw_dealloc(PyObject *object) {
    CormPyRaw *self = (CormPyRaw *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    raw_clear(object);
    Py_CLEAR(self->isolation_level);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef raw_methods[] = {
    {"cursor", raw_cursor, METH_VARARGS, "cursor($self, factory=None, /)\n--\n\nA new cursor."},
    {"execute", raw_execute, METH_VARARGS, "execute($self, sql, parameters=(), /)\n--\n\nRun a statement; its cursor."},
    {"executemany", raw_executemany, METH_VARARGS,
     "executemany($self, sql, parameters, /)\n--\n\nRun a statement for each set of parameters; its cursor."},
    {"commit", raw_commit, METH_NOARGS, "commit($self, /)\n--\n\nCommit."},
    {"rollback", raw_rollback, METH_NOARGS, "rollback($self, /)\n--\n\nRoll back."},
    {"close", raw_close, METH_NOARGS, "close($self, /)\n--\n\nLet go of the connection."},
    {"interrupt", raw_interrupt, METH_NOARGS, "interrupt($self, /)\n--\n\nStop what runs in another thread."},
    {"__enter__", raw_enter, METH_NOARGS, NULL},
    {"__exit__", raw_exit, METH_VARARGS, NULL},
    {NULL}};

static PyMemberDef raw_members[] = {
    {"isolation_level", T_OBJECT, offsetof(CormPyRaw, isolation_level), 0, "None: no transaction begins by itself."},
    {"row_factory", T_OBJECT, offsetof(CormPyRaw, row_factory), 0, "Makes rows of tuples, of later cursors."},
    {"text_factory", T_OBJECT, offsetof(CormPyRaw, text_factory), 0, "Accepted; texts are str."},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyRaw, dict), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyRaw, weakrefs), READONLY},
    {NULL}};

static PyGetSetDef raw_getset[] = {
    {"in_transaction", raw_in_transaction, NULL, "Whether a transaction is under way.", NULL},
    {"__class__", raw_class, NULL, "sqlite3.Connection, for isinstance().", NULL},
    {NULL}};

static PyType_Slot raw_slots[] = {{Py_tp_dealloc, raw_dealloc},
                                  {Py_tp_traverse, raw_traverse},
                                  {Py_tp_clear, raw_clear},
                                  {Py_tp_methods, raw_methods},
                                  {Py_tp_members, raw_members},
                                  {Py_tp_getset, raw_getset},
                                  {Py_tp_doc, "The driver's connection, in the shape of PEP 249."},
                                  {0}};

static PyType_Spec raw_spec = {"cormorant._engine._RawConnection", sizeof(CormPyRaw), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, raw_slots};

/* The methods that are SQLite's own become the type's. */
static int add_functions(void) {
    for (PyMethodDef *method = corm_py_raw_functions; method->ml_name != NULL; method++) {
        PyObject *descriptor = PyDescr_NewMethod(raw_type, method);
        int status = descriptor == NULL ? -1 : corm_py_set((PyObject *)raw_type, method->ml_name, descriptor);
        Py_XDECREF(descriptor);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

int corm_py_dbapi_init(PyObject *module) {
    cursor_type = corm_py_type(module, &cursor_spec, NULL);
    raw_type = cursor_type == NULL ? NULL : corm_py_type(module, &raw_spec, NULL);
    return raw_type == NULL ? -1 : add_functions();
}
