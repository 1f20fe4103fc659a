/*
 * A driver over connections of Python's own drivers: what create_engine(creator=...) gives.
 *
 * It drives any PEP 249 connection with question marks for parameters, so that such connections behave exactly as they
 * do for their owner: their transactions begin as theirs do, and their exceptions come out as they are, classified by the
 * names that PEP 249 gives.
 */
#include <sqlite3.h>

#include "engine.h"
#include "orm.h"

#include "base/alloc.h"

struct corm_driver_connection {
    PyObject *connection;
    int64_t generated;
};

struct corm_driver_statement {
    corm_driver_connection *connection;
    PyObject *sql;
    PyObject *parameters;  /* tuple */
    PyObject *cursor;      /* of the last execution, or NULL */
    PyObject *description; /* tuple or NULL: no rows */
    PyObject *row;         /* the present one, a tuple, or NULL */
    size_t columns;
    int64_t changed;
};

/* ---- errors ---- */

static corm_status classify(PyObject *exception) {
    static const struct {
        const char *name;
        corm_status status;
    } classes[] = {{"IntegrityError", CORM_INTEGRITY_ERROR},
                   {"OperationalError", CORM_OPERATIONAL_ERROR},
                   {"ProgrammingError", CORM_PROGRAMMING_ERROR},
                   {"DataError", CORM_DATA_ERROR},
                   {"InternalError", CORM_INTERNAL_ERROR},
                   {"NotSupportedError", CORM_NOT_SUPPORTED},
                   {"InterfaceError", CORM_INTERFACE_ERROR},
                   {"DatabaseError", CORM_DATABASE_ERROR},
                   {"Error", CORM_DATABASE_ERROR}};
    PyObject *mro = Py_TYPE(exception)->tp_mro;
    for (Py_ssize_t i = 0; mro != NULL && i < PyTuple_GET_SIZE(mro); i++) {
        const char *name = _PyType_Name((PyTypeObject *)PyTuple_GET_ITEM(mro, i));
        for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
            if (strcmp(name, classes[c].name) == 0) {
                return classes[c].status;
            }
        }
    }
    return CORM_HOST_ERROR;
}

static void release_exception(void *exception) {
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)exception);
    PyGILState_Release(gil);
}

/* The pending exception as the engine's error. */
static corm_status fail(void) {
    corm_status status = corm_py_error();
    if (status != CORM_HOST_ERROR || corm_error_last()->host_exception == NULL) {
        return status;
    }
    PyObject *exception = corm_error_last()->host_exception;
    corm_status class = classify(exception);
    return class == CORM_HOST_ERROR ? status : corm_error_set_host(class, Py_NewRef(exception), release_exception);
}

static corm_status call(PyObject *object, const char *method) {
    PyObject *result = corm_py_call(object, method, NULL);
    if (result == NULL) {
        return fail();
    }
    Py_DECREF(result);
    return CORM_OK;
}

static void call_quietly(PyObject *object, const char *method) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *result = corm_py_call(object, method, NULL);
    PyErr_Clear();
    Py_XDECREF(result);
    PyErr_Restore(type, value, traceback);
}

/* ---- connections ---- */

corm_status corm_py_dbapi_open(PyObject *connection, corm_driver_connection **out) {
    *out = corm_calloc(1, sizeof **out);
    if (*out == NULL) {
        return CORM_NO_MEMORY;
    }
    (*out)->connection = Py_NewRef(connection);
    return CORM_OK;
}

PyObject *corm_py_dbapi_object(corm_driver_connection *native) {
    return native->connection;
}

static corm_status connect(const struct corm_url *url, corm_driver_connection **out) {
    (void)url;
    *out = NULL;
    return corm_error_set(CORM_ARGUMENT_ERROR, "this driver opens connections with creator= only");
}

static void close_connection(corm_driver_connection *connection) {
    if (connection == NULL) {
        return;
    }
    PyObject *object = connection->connection;
    corm_free(connection);
    call_quietly(object, "close");
    Py_DECREF(object);
}

/* A forked child: the object is left as it is, as closing it would touch the parent's file. */
static void abandon(corm_driver_connection *connection) {
    corm_free(connection);
}

static bool is_usable(corm_driver_connection *connection) {
    (void)connection;
    return true;
}

static bool in_transaction(corm_driver_connection *connection) {
    PyObject *value = corm_py_get(connection->connection, "in_transaction");
    int is_true = value == NULL ? 0 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    PyErr_Clear();
    return is_true > 0;
}

static void interrupt(corm_driver_connection *connection) {
    PyGILState_STATE gil = PyGILState_Ensure();
    call_quietly(connection->connection, "interrupt");
    PyGILState_Release(gil);
}

static int server_version(corm_driver_connection *connection) {
    (void)connection;
    return sqlite3_libversion_number();
}

static void *native(corm_driver_connection *connection) {
    (void)connection;
    return NULL;
}

static size_t parameter_limit(corm_driver_connection *connection) {
    (void)connection;
    return 32766; /* SQLite's since 3.32 */
}

/* ---- statements ---- */

static void reset(corm_driver_statement *statement) {
    PyObject *cursor = statement->cursor;
    statement->cursor = NULL;
    Py_CLEAR(statement->row);
    Py_CLEAR(statement->parameters);
    if (cursor != NULL) {
        call_quietly(cursor, "close");
        Py_DECREF(cursor);
    }
}

static corm_status prepare(corm_driver_connection *connection, const char *sql, size_t size,
                           corm_driver_statement **out) {
    *out = corm_calloc(1, sizeof **out);
    if (*out == NULL) {
        return CORM_NO_MEMORY;
    }
    (*out)->connection = connection;
    (*out)->changed = -1;
    (*out)->sql = PyUnicode_DecodeUTF8(sql, (Py_ssize_t)size, NULL);
    if ((*out)->sql == NULL) {
        corm_free(*out);
        *out = NULL;
        return fail();
    }
    return CORM_OK;
}

static void finalize(corm_driver_statement *statement) {
    if (statement != NULL) {
        reset(statement);
        Py_CLEAR(statement->description);
        Py_CLEAR(statement->sql);
        corm_free(statement);
    }
}

static size_t parameter_count(corm_driver_statement *statement) {
    return statement->parameters == NULL ? 0 : (size_t)PyTuple_GET_SIZE(statement->parameters);
}

static const char *parameter_name(corm_driver_statement *statement, size_t index) {
    (void)statement;
    (void)index;
    return NULL;
}

static size_t column_count(corm_driver_statement *statement) {
    return statement->columns;
}

static const char *column_name(corm_driver_statement *statement, size_t column) {
    PyObject *entry =
        statement->description == NULL ? NULL : PyTuple_GET_ITEM(statement->description, (Py_ssize_t)column);
    const char *name = entry == NULL ? "" : PyUnicode_AsUTF8(PyTuple_GET_ITEM(entry, 0));
    if (name == NULL) {
        PyErr_Clear();
    }
    return name == NULL ? "" : name;
}

static bool never(corm_driver_statement *statement) {
    (void)statement;
    return false; /* such connections begin their transactions themselves */
}

static corm_status bind(corm_driver_statement *statement, const corm_value *values, size_t count) {
    PyObject *parameters = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && parameters != NULL; i++) {
        PyObject *value = corm_py_from_value(&values[i], NULL);
        if (value == NULL) {
            Py_CLEAR(parameters);
        } else {
            PyTuple_SET_ITEM(parameters, (Py_ssize_t)i, value);
        }
    }
    Py_XSETREF(statement->parameters, parameters);
    return parameters == NULL ? fail() : CORM_OK;
}

/* ---- running ---- */

static int64_t number_of(PyObject *cursor, const char *name, int64_t otherwise) {
    PyObject *value = corm_py_get(cursor, name);
    long long number = value == NULL || value == Py_None ? otherwise : PyLong_AsLongLong(value);
    if (PyErr_Occurred() != NULL) {
        PyErr_Clear();
        number = otherwise;
    }
    Py_XDECREF(value);
    return number;
}

/* The description as a tuple of tuples that begin with a str. */
static int describe(corm_driver_statement *statement) {
    PyObject *given = corm_py_get(statement->cursor, "description");
    PyObject *columns = given == NULL || given == Py_None ? NULL : PySequence_Tuple(given);
    int status = given == NULL || (given != Py_None && columns == NULL) ? -1 : 0;
    Py_XDECREF(given);
    for (Py_ssize_t i = 0; status == 0 && columns != NULL && i < PyTuple_GET_SIZE(columns); i++) {
        PyObject *name = PySequence_GetItem(PyTuple_GET_ITEM(columns, i), 0);
        PyObject *text = name == NULL ? NULL : PyObject_Str(name);
        PyObject *entry = text == NULL ? NULL : PyTuple_Pack(1, text);
        Py_XDECREF(name);
        Py_XDECREF(text);
        if (entry == NULL) {
            status = -1;
        } else {
            PyObject *old = PyTuple_GET_ITEM(columns, i);
            PyTuple_SET_ITEM(columns, i, entry);
            Py_DECREF(old);
        }
    }
    if (status < 0) {
        Py_CLEAR(columns);
    }
    Py_XSETREF(statement->description, columns);
    statement->columns = columns == NULL ? 0 : (size_t)PyTuple_GET_SIZE(columns);
    return status;
}

static corm_status step(corm_driver_statement *statement, bool *has_row) {
    *has_row = false;
    Py_CLEAR(statement->row);
    if (statement->cursor == NULL || statement->description == NULL) {
        return CORM_OK;
    }
    PyObject *row = corm_py_call(statement->cursor, "fetchone", NULL);
    if (row == NULL) {
        return fail();
    }
    if (row == Py_None) {
        Py_DECREF(row);
        statement->changed = number_of(statement->cursor, "rowcount", -1);
        return CORM_OK;
    }
    statement->row = PySequence_Tuple(row);
    Py_DECREF(row);
    if (statement->row == NULL) {
        return fail();
    }
    if ((size_t)PyTuple_GET_SIZE(statement->row) != statement->columns) {
        return corm_error_set(CORM_INTERFACE_ERROR, "a row has %zd items, its description %zu",
                              PyTuple_GET_SIZE(statement->row), statement->columns);
    }
    *has_row = true;
    return CORM_OK;
}

static corm_status execute(corm_driver_statement *statement, bool *has_row) {
    PyObject *parameters = statement->parameters;
    statement->parameters = NULL;
    reset(statement);
    *has_row = false;
    statement->changed = -1;
    statement->cursor = corm_py_call(statement->connection->connection, "cursor", NULL);
    PyObject *result = NULL;
    if (statement->cursor != NULL) {
        result = parameters == NULL || PyTuple_GET_SIZE(parameters) == 0
                     ? corm_py_call(statement->cursor, "execute", "O", statement->sql)
                     : corm_py_call(statement->cursor, "execute", "OO", statement->sql, parameters);
    }
    Py_XDECREF(parameters);
    if (result == NULL || describe(statement) < 0) {
        Py_XDECREF(result);
        return fail();
    }
    Py_DECREF(result);
    statement->changed = number_of(statement->cursor, "rowcount", -1);
    statement->connection->generated = number_of(statement->cursor, "lastrowid", 0);
    return step(statement, has_row);
}

static corm_status read_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        corm_status status = corm_py_to_value(PyTuple_GET_ITEM(statement->row, (Py_ssize_t)i), &values[i]);
        if (status != CORM_OK) {
            return status;
        }
    }
    return CORM_OK;
}

static corm_status run_row(corm_driver_statement *statement, const corm_batch *batch, size_t row, corm_value *values) {
    bool has_row = false;
    corm_value *returned = values + batch->parameter_count;
    corm_status status = batch->bind(batch->context, row, values, batch->parameter_count);
    if (status == CORM_OK) {
        status = bind(statement, values, batch->parameter_count);
    }
    if (status == CORM_OK) {
        status = execute(statement, &has_row);
    }
    if (status == CORM_OK && has_row) {
        status = read_row(statement, returned, statement->columns);
    }
    if (status == CORM_OK && batch->result != NULL) {
        status = batch->result(batch->context, row, statement->connection->generated, has_row ? 1 : statement->changed,
                               has_row ? returned : NULL, has_row ? statement->columns : 0);
    }
    while (status == CORM_OK && has_row) {
        status = step(statement, &has_row);
    }
    return status;
}

enum { RETURNED_COLUMNS = 2000 }; /* SQLite's limit */

static corm_status execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    corm_value *values = corm_calloc(batch->parameter_count + RETURNED_COLUMNS, sizeof *values);
    corm_status status = values == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t row = 0; row < batch->rows && status == CORM_OK; row++) {
        status = run_row(statement, batch, row, values);
    }
    corm_free(values);
    return status;
}

static int64_t changed_rows(corm_driver_statement *statement) {
    return statement->changed;
}

static int64_t last_generated_key(corm_driver_connection *connection) {
    return connection->generated;
}

static corm_status begin(corm_driver_connection *connection) {
    (void)connection;
    return CORM_OK;
}

static corm_status commit(corm_driver_connection *connection) {
    return call(connection->connection, "commit");
}

static corm_status rollback(corm_driver_connection *connection) {
    return call(connection->connection, "rollback");
}

const corm_driver corm_py_dbapi_driver = {
    .name = "pysqlite",
    .dialect = "sqlite",
    .connect = connect,
    .close = close_connection,
    .abandon = abandon,
    .is_usable = is_usable,
    .in_transaction = in_transaction,
    .interrupt = interrupt,
    .server_version = server_version,
    .native = native,
    .parameter_limit = parameter_limit,
    .prepare = prepare,
    .finalize = finalize,
    .parameter_count = parameter_count,
    .column_count = column_count,
    .column_name = column_name,
    .parameter_name = parameter_name,
    .is_readonly = never,
    .needs_transaction = never,
    .bind = bind,
    .execute = execute,
    .step = step,
    .row = read_row,
    .reset = reset,
    .execute_batch = execute_batch,
    .changed_rows = changed_rows,
    .last_generated_key = last_generated_key,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
};
