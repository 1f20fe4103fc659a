/*
 * Session.execute() and its kin, and Session.get(). See session.h.
 *
 * The usual call has a statement and nothing else: it goes straight to the core. Options, parameter sets and listeners of
 * do_orm_execute are looked at only when they are there.
 */
#include "session.h"
#include "sql.h"

/* ---- options ---- */

int corm_py_read_synchronize(PyObject *value, int *out) {
    static const char *const names[] = {"auto", "evaluate", "fetch"};
    if (value == Py_False) {
        *out = 3;
        return 0;
    }
    for (int i = 0; i < 3 && PyUnicode_Check(value); i++) {
        if (PyUnicode_CompareWithASCIIString(value, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    corm_py_raise_exc("ArgumentError",
                      "Valid strategies for session synchronization are 'auto', 'evaluate', 'fetch', False");
    return -1;
}

/* A number of rows; None: as it was. */
static int read_rows(size_t *out, PyObject *value) {
    if (value == Py_None) {
        return 0;
    }
    Py_ssize_t rows = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    *out = rows > 0 ? (size_t)rows : 0;
    return rows == -1 && PyErr_Occurred() != NULL ? -1 : 0;
}

static int read_option(corm_execute_options *options, PyObject *key, PyObject *value) {
    if (PyUnicode_CompareWithASCIIString(key, "populate_existing") == 0) {
        int on = PyObject_IsTrue(value);
        options->populate_existing = on > 0;
        return on < 0 ? -1 : 0;
    }
    if (PyUnicode_CompareWithASCIIString(key, "autoflush") == 0) {
        int on = PyObject_IsTrue(value);
        options->no_autoflush = on == 0;
        return on < 0 ? -1 : 0;
    }
    if (PyUnicode_CompareWithASCIIString(key, "yield_per") == 0) {
        return read_rows(&options->yield_per, value);
    }
    if (PyUnicode_CompareWithASCIIString(key, "max_row_buffer") == 0) {
        return read_rows(&options->most_rows, value);
    }
    if (PyUnicode_CompareWithASCIIString(key, "stream_results") == 0) {
        int on = PyObject_IsTrue(value);
        options->stream = on > 0;
        return on < 0 ? -1 : 0;
    }
    if (PyUnicode_CompareWithASCIIString(key, "synchronize_session") == 0) {
        return corm_py_read_synchronize(value, &options->synchronize_session);
    }
    return 0; /* of the connection, or of no meaning here */
}

int corm_py_execution_read(corm_execute_options *options, PyObject *mapping) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (mapping == NULL || mapping == Py_None || (PyDict_Check(mapping) && PyDict_GET_SIZE(mapping) == 0)) {
        return 0;
    }
    PyObject *dict = PyDict_Check(mapping) ? Py_NewRef(mapping) : PyDict_New();
    int failed = dict == NULL || (dict != mapping && PyDict_Update(dict, mapping) < 0);
    while (!failed && PyDict_Next(dict, &position, &key, &value)) {
        failed = !PyUnicode_Check(key) || read_option(options, key, value) < 0;
        if (failed && PyErr_Occurred() == NULL) {
            PyErr_SetString(PyExc_TypeError, "names of execution options are texts");
        }
    }
    Py_XDECREF(dict);
    return failed ? -1 : 0;
}

/* ---- statements ---- */

/* A Sequence stands for its next value. */
static bool is_sequence(PyObject *object) {
    if (corm_py_is_element(object) || PyUnicode_Check(object)) {
        return false;
    }
    PyObject *says = corm_py_get(object, "is_sequence");
    bool result = says == Py_True;
    Py_XDECREF(says);
    PyErr_Clear();
    return result;
}

corm_node *corm_py_executable(PyObject *object) {
    if (PyUnicode_Check(object)) {
        corm_py_raise_exc("ArgumentError", "Textual SQL expression %R should be explicitly declared as text(%R)",
                          object, object);
        return NULL;
    }
    if (PyObject_TypeCheck(object, CormPyQuery_Type)) {
        corm_py_raise_exc("ObjectNotExecutableError", "Not an executable object: %R", object);
        return NULL;
    }
    corm_node *node = corm_py_is_element(object) || is_sequence(object) ? corm_py_node(object) : NULL;
    if (node != NULL && !corm_node_is_statement(node)) {
        corm_node *select = node->kind == CORM_NODE_FUNCTION || node->kind == CORM_NODE_SCALAR_SUBQUERY
                                ? corm_select_new(&node, 1)
                                : NULL;
        corm_node_unref(node);
        node = select;
    }
    if (node == NULL && PyErr_Occurred() == NULL) {
        corm_py_raise_exc("ArgumentError", "Executable SQL or text() construct expected, got %R.", object);
    }
    return node;
}

static bool is_of_entity(corm_node *statement) {
    return (statement->kind == CORM_NODE_INSERT || statement->kind == CORM_NODE_UPDATE) &&
           corm_node_as_entity(corm_dml_part_of(statement, CORM_DML_TABLE)) != NULL;
}

/* ---- running ---- */

corm_result *corm_py_session_run_sets(CormPySession *self, corm_node *statement, const corm_py_parameters *parameters,
                                      const corm_execute_options *options) {
    corm_result *result;
    if (corm_py_session_ensure_bind(self, statement, NULL) < 0) {
        return NULL;
    }
    corm_status status = corm_session_execute(self->session, statement, parameters == NULL ? NULL : parameters->sets,
                                              parameters == NULL ? 0 : parameters->count, options, &result);
    if (status != CORM_OK) {
        corm_py_session_raise(self);
        return NULL;
    }
    if (corm_py_transactions_changed(self) < 0) {
        corm_result_free(result);
        return NULL;
    }
    return result;
}

corm_result *corm_py_session_run(CormPySession *self, corm_node *statement, PyObject *parameters,
                                 const corm_execute_options *options) {
    if (corm_py_session_open((PyObject *)self) == NULL) {
        return NULL;
    }
    if (parameters == NULL || parameters == Py_None) {
        return corm_py_session_run_sets(self, statement, NULL, options);
    }
    corm_py_parameters parsed;
    if (corm_py_parameters_parse(parameters, &parsed) < 0) {
        return NULL;
    }
    corm_result *result = corm_py_session_run_sets(self, statement, &parsed, options);
    corm_py_parameters_clear(&parsed);
    return result;
}

/* Do two rows of a batch name the same columns? */
bool corm_py_same_names(PyObject *left, PyObject *right) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    if (left == right || PyDict_GET_SIZE(left) != PyDict_GET_SIZE(right)) {
        return left == right;
    }
    while (PyDict_Next(left, &position, &key, &value)) {
        if (PyDict_Contains(right, key) != 1) {
            PyErr_Clear();
            return false;
        }
    }
    return true;
}

static bool is_batch(PyObject *parameters) {
    return parameters != NULL && PyList_Check(parameters) && PyList_GET_SIZE(parameters) > 0 &&
           PyDict_Check(PyList_GET_ITEM(parameters, 0));
}

/* The rows of a part of the batches behind those of the parts before it; without rows, the last one's result. */
static corm_result *join_results(corm_result *before, corm_result *part) {
    if (before == NULL || part == NULL || !corm_result_returns_rows(part)) {
        corm_result_free(before);
        return part;
    }
    corm_status status = corm_result_append(before, part);
    if (status != CORM_OK) {
        corm_py_raise();
        corm_result_free(before);
        before = NULL;
    }
    corm_result_free(part);
    return before;
}

/* insert(User) with dictionaries of different keys: one batch for each run of equal ones. */
corm_result *corm_py_session_insert_batches(CormPySession *self, corm_node *statement, PyObject *rows,
                                            const corm_execute_options *options) {
    corm_result *result = NULL;
    Py_ssize_t start = 0;
    while (start < PyList_GET_SIZE(rows)) {
        Py_ssize_t end = start + 1;
        PyObject *first = PyList_GET_ITEM(rows, start);
        while (end < PyList_GET_SIZE(rows) && PyDict_Check(PyList_GET_ITEM(rows, end)) &&
               corm_py_same_names(first, PyList_GET_ITEM(rows, end))) {
            end++;
        }
        if (start == 0 && end == PyList_GET_SIZE(rows)) {
            return corm_py_session_run(self, statement, rows, options);
        }
        if (result != NULL && corm_result_buffer(result) != CORM_OK) { /* the connection has to be free */
            corm_result_free(result);
            corm_py_raise();
            return NULL;
        }
        PyObject *part = PyList_GetSlice(rows, start, end);
        result = join_results(result, part == NULL ? NULL : corm_py_session_run(self, statement, part, options));
        Py_XDECREF(part);
        if (result == NULL) {
            return NULL;
        }
        start = end;
    }
    return result;
}

typedef struct call {
    PyObject *statement, *parameters, *options, *bind_arguments;
} call;

static int unpack(const corm_py_signature *signature, PyObject *const *args, Py_ssize_t count, PyObject *names,
                  call *out) {
    PyObject *given[6];
    if (count == 1 && names == NULL) {
        *out = (call){.statement = args[0]};
        return 0;
    }
    if (corm_py_unpack(signature, args, count, names, given) < 0) {
        return -1;
    }
    *out = (call){given[0], given[1], given[2], given[3]};
    return 0;
}

/* Listeners of do_orm_execute decide. *handled: *out is what they gave, a Result. */
static int ask_listeners(CormPySession *self, const call *what, PyObject **out) {
    *out = NULL;
    if (!corm_py_session_listened(self, "do_orm_execute")) {
        return 0;
    }
    PyObject *function = corm_py_import("cormorant.orm.context", "_do_orm_execute");
    PyObject *given = function == NULL
                          ? NULL
                          : PyObject_CallFunction(function, "OOOOO", self, what->statement,
                                                  what->parameters == NULL ? Py_None : what->parameters,
                                                  what->options == NULL ? Py_None : what->options,
                                                  what->bind_arguments == NULL ? Py_None : what->bind_arguments);
    Py_XDECREF(function);
    if (given == NULL) {
        return -1;
    }
    *out = given;
    return 0;
}

static corm_result *run_call(CormPySession *self, const call *what, corm_node *statement, size_t *yield_per) {
    corm_execute_options options = {0};
    *yield_per = 0;
    bool plain = !PyObject_TypeCheck(what->statement, CormPyStatement_Type) ||
                 ((CormPyStatement *)what->statement)->options == NULL;
    if (corm_py_execution_read(&options, self->options) < 0 ||
        (!plain && corm_py_execution_read(&options, ((CormPyStatement *)what->statement)->options) < 0) ||
        corm_py_execution_read(&options, what->options) < 0) {
        return NULL;
    }
    *yield_per = options.yield_per;
    if (is_batch(what->parameters) && is_of_entity(statement)) {
        return corm_py_session_insert_batches(self, statement, what->parameters, &options);
    }
    return corm_py_session_run(self, statement, what->parameters, &options);
}

/* A Result whose partitions() has so many rows, unless it is 0. Takes over the core's. */
static PyObject *result_of(corm_result *raw, size_t yield_per) {
    PyObject *result = corm_py_result_new(raw);
    if (result != NULL && yield_per > 0) {
        PyObject *same = PyObject_CallMethod(result, "yield_per", "n", (Py_ssize_t)yield_per);
        Py_DECREF(result);
        result = same;
    }
    return result;
}

/* update(User) with a list of dictionaries and no criteria of its own: by primary key. */
static bool is_update_by_key(corm_node *statement, PyObject *parameters) {
    return statement->kind == CORM_NODE_UPDATE && is_batch(parameters) && is_of_entity(statement) &&
           corm_dml_part_of(statement, CORM_DML_WHERE) == NULL && corm_dml_part_of(statement, CORM_DML_COLUMNS) == NULL;
}

static PyObject *update_by_key(CormPySession *self, corm_node *statement, PyObject *rows) {
    int64_t rowcount;
    corm_mapper *mapper = corm_node_as_entity(corm_dml_part_of(statement, CORM_DML_TABLE))->mapper;
    if (corm_py_session_ensure_bind(self, statement, NULL) < 0 ||
        corm_py_bulk_update(self, mapper, rows, true, &rowcount) < 0) {
        return NULL;
    }
    PyObject *function = corm_py_import("cormorant.orm.context", "_Counted");
    PyObject *result = function == NULL ? NULL : PyObject_CallFunction(function, "L", (long long)rowcount);
    Py_XDECREF(function);
    return result;
}

/* A Result of a call, by whatever way; or *raw is left for the caller to read. */
static PyObject *execute(PyObject *object, const call *what, corm_result **raw, size_t *yield_per) {
    CormPySession *self = corm_py_as_session(object);
    PyObject *handled;
    *raw = NULL;
    if (corm_py_session_open(object) == NULL) {
        return NULL;
    }
    corm_node *statement = corm_py_executable(what->statement);
    if (statement == NULL) {
        return NULL;
    }
    if (ask_listeners(self, what, &handled) < 0 || handled != NULL) {
        corm_node_unref(statement);
        return handled;
    }
    PyObject *result = NULL;
    if (corm_py_session_ask(self, what->bind_arguments) < 0) {
        corm_node_unref(statement);
        return NULL;
    }
    if (is_update_by_key(statement, what->parameters)) {
        result = update_by_key(self, statement, what->parameters);
    } else {
        *raw = run_call(self, what, statement, yield_per);
    }
    corm_py_session_asked(self);
    corm_node_unref(statement);
    return result;
}

static PyObject *execute_to_result(PyObject *self, const call *what) {
    corm_result *raw;
    size_t yield_per;
    PyObject *result = execute(self, what, &raw, &yield_per);
    return raw != NULL ? result_of(raw, yield_per) : result;
}

/* _execute(statement, params, execution_options): execute() past the listeners of do_orm_execute. */
PyObject *corm_py_session_execute_unheard(PyObject *object, PyObject *args) {
    CormPySession *self = corm_py_as_session(object);
    call what = {0};
    if (!PyArg_ParseTuple(args, "OOO:_execute", &what.statement, &what.parameters, &what.options) ||
        corm_py_session_open(object) == NULL) {
        return NULL;
    }
    corm_node *statement = corm_py_executable(what.statement);
    if (statement == NULL) {
        return NULL;
    }
    PyObject *result = NULL;
    if (is_update_by_key(statement, what.parameters)) {
        result = update_by_key(self, statement, what.parameters);
    } else {
        size_t yield_per;
        corm_result *raw = run_call(self, &what, statement, &yield_per);
        result = raw == NULL ? NULL : result_of(raw, yield_per);
    }
    corm_node_unref(statement);
    return result;
}

#define EXECUTE_SIGNATURE(name)                                                                                        \
    CORM_PY_SIGNATURE(signature, name, 2, 1, "statement", "params", "execution_options", "bind_arguments",             \
                      "_parent_execute_state", "_add_event")

PyObject *corm_py_session_execute(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    EXECUTE_SIGNATURE("Session.execute");
    call what;
    if (unpack(&signature, args, count, names, &what) < 0) {
        return NULL;
    }
    return is_sequence(what.statement) ? corm_py_session_scalar(self, args, count, names)
                                       : execute_to_result(self, &what);
}

PyObject *corm_py_session_scalars(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    EXECUTE_SIGNATURE("Session.scalars");
    call what;
    PyObject *result = unpack(&signature, args, count, names, &what) < 0 ? NULL : execute_to_result(self, &what);
    PyObject *scalars = result == NULL ? NULL : corm_py_call(result, "scalars", NULL);
    Py_XDECREF(result);
    return scalars;
}

/* The first item of the first row, or None. Takes over the result. */
static PyObject *first_item(corm_result *result) {
    size_t width = corm_result_output_count(result);
    corm_item room[16], *items = width <= 16 ? room : PyMem_Calloc(width, sizeof *items);
    PyObject *value = NULL;
    bool has_row = false;
    if (items == NULL) {
        PyErr_NoMemory();
    } else if (corm_result_next(result, items, &has_row) != CORM_OK) {
        corm_py_raise();
    } else if (!has_row) {
        value = Py_NewRef(Py_None);
    } else {
        const corm_output *output = corm_result_outputs(result);
        if (output->is_object) {
            value = Py_NewRef(items[0].object == NULL ? Py_None : (PyObject *)(void *)items[0].object);
        } else {
            value = corm_py_from_value(&items[0].value, output->type);
        }
        corm_result_release_items(result, items);
    }
    if (items != room) {
        PyMem_Free(items);
    }
    corm_result_free(result);
    return value;
}

PyObject *corm_py_session_scalar(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    EXECUTE_SIGNATURE("Session.scalar");
    call what;
    corm_result *raw;
    size_t yield_per;
    if (unpack(&signature, args, count, names, &what) < 0) {
        return NULL;
    }
    PyObject *result = execute(self, &what, &raw, &yield_per);
    if (raw != NULL && corm_result_returns_rows(raw)) {
        return first_item(raw);
    }
    if (raw != NULL) {
        result = corm_py_result_new(raw); /* says that there are no rows */
    }
    PyObject *scalar = result == NULL ? NULL : corm_py_call(result, "scalar", NULL);
    Py_XDECREF(result);
    return scalar;
}

/* ---- get() ---- */

PyObject *corm_py_identity_key(const corm_mapper *mapper, const corm_value *values, size_t count) {
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    PyTypeObject *type = corm_py_class_of_mapper(mapper)->type;
    for (size_t i = 0; tuple != NULL && i < count; i++) {
        PyObject *value = corm_py_from_value(&values[i], corm_column_type(mapper->primary_key[i]->column));
        if (value == NULL) {
            Py_CLEAR(tuple);
        } else {
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, value);
        }
    }
    return tuple == NULL ? NULL : Py_BuildValue("(ONO)", type == NULL ? Py_None : (PyObject *)type, tuple, Py_None);
}

static PyObject *wrong_count(const corm_mapper *mapper) {
    corm_text names = CORM_TEXT_EMPTY;
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        corm_text_append_format(&names, "%s'%s.%s'", i == 0 ? "" : ", ", mapper->table->name,
                                mapper->primary_key[i]->column->name);
    }
    corm_py_raise_exc(
        "InvalidRequestError",
        "Incorrect number of values in identifier to formulate primary key for session.get(); primary key "
        "columns are %s",
        names.data == NULL ? "" : names.data);
    corm_text_clear(&names);
    return NULL;
}

static PyObject *wrong_names(const corm_mapper *mapper) {
    corm_text names = CORM_TEXT_EMPTY;
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        corm_text_append_format(&names, "%s'%s'", i == 0 ? "" : ", ", mapper->primary_key[i]->key);
    }
    corm_py_raise_exc("InvalidRequestError",
                      "Incorrect names of values in identifier to formulate primary key for session.get(); primary key "
                      "attribute names are %s (synonym names are also accepted)",
                      names.data == NULL ? "" : names.data);
    corm_text_clear(&names);
    return NULL;
}

/* The identity's parts as a tuple or list of the right length; a new reference. */
static PyObject *identity_parts(const corm_mapper *mapper, PyObject *ident) {
    Py_ssize_t wanted = (Py_ssize_t)mapper->primary_key_count;
    PyObject *parts;
    if (PyDict_Check(ident)) {
        if (PyDict_GET_SIZE(ident) != wanted) {
            return wrong_count(mapper);
        }
        parts = PyTuple_New(wanted);
        for (Py_ssize_t i = 0; parts != NULL && i < wanted; i++) {
            PyObject *value = corm_py_item(ident, mapper->primary_key[i]->key);
            if (value == NULL) {
                Py_DECREF(parts);
                return wrong_names(mapper);
            }
            PyTuple_SET_ITEM(parts, i, Py_NewRef(value));
        }
        return parts;
    }
    if (PyTuple_Check(ident) || PyList_Check(ident)) {
        parts = PySequence_Tuple(ident); /* a list may change while its items are used */
    } else if (Py_TYPE(ident)->tp_as_sequence != NULL && Py_TYPE(ident)->tp_as_sequence->sq_item != NULL &&
               !PyUnicode_Check(ident) && !PyBytes_Check(ident) && !PyByteArray_Check(ident)) {
        parts = PySequence_Tuple(ident);
    } else {
        parts = PyTuple_Pack(1, ident);
    }
    if (parts != NULL && PyTuple_GET_SIZE(parts) != wanted) {
        Py_DECREF(parts);
        return wrong_count(mapper);
    }
    return parts;
}

static corm_mapper *mapper_for_get(PyObject *entity) {
    corm_mapper *mapper = PyObject_TypeCheck(entity, CormPyAliased_Type) ? NULL : corm_py_mapper_of(entity);
    if (mapper != NULL || PyErr_Occurred() != NULL) {
        return mapper;
    }
    if (PyObject_TypeCheck(entity, CormPyAliased_Type)) {
        corm_py_raise_exc("ArgumentError", "Expected mapped class or mapper, got: %R", entity);
    } else {
        corm_py_raise_exc("NoInspectionAvailable", "No inspection system is available for object of type %R",
                          Py_TYPE(entity));
    }
    return NULL;
}

/* A new reference, NULL with an exception, or NULL without one when there is no such row. */
static PyObject *load(CormPySession *self, corm_mapper *mapper, const corm_value *values, size_t count,
                      corm_load_options *options, bool populate_existing) {
    corm_object *found;
    if (corm_py_session_ensure_bind_select(self, mapper) < 0) {
        return NULL;
    }
    corm_status status = corm_session_get(self->session, mapper, values, count, options, populate_existing, &found);
    if (status != CORM_OK) {
        return corm_py_session_raise(self);
    }
    if (corm_py_transactions_changed(self) < 0) {
        Py_XDECREF((PyObject *)(void *)found);
        return NULL;
    }
    return (PyObject *)(void *)found;
}

/* How get() looks: its arguments beside the class and the key. */
typedef struct look {
    corm_load_options *options;
    bool populate_existing;
    PyObject *const *given; /* the call's arguments when its statement has to go through execute(), else NULL */
} look;

/* By a statement of its own: what listeners of do_orm_execute see, and what locks the row. */
static PyObject *load_by_statement(CormPySession *self, PyObject *parts, const look *how) {
    PyObject *function = corm_py_import("cormorant.orm.context", "_get");
    PyObject *arguments[7] = {(PyObject *)self, how->given[0], parts,        how->given[2],
                              how->given[4],    how->given[6], how->given[7]};
    for (size_t i = 0; i < 7; i++) {
        arguments[i] = arguments[i] == NULL ? Py_None : arguments[i];
    }
    PyObject *found = function == NULL
                          ? NULL
                          : PyObject_CallFunction(function, "OOOOOOOO", arguments[0], arguments[1], arguments[2],
                                                  arguments[3], how->populate_existing ? Py_True : Py_False,
                                                  arguments[4], arguments[5], arguments[6]);
    Py_XDECREF(function);
    if (found == Py_None) {
        Py_CLEAR(found);
    }
    return found;
}

static PyObject *load_parts(CormPySession *self, corm_mapper *mapper, PyObject *parts, const look *how) {
    corm_value room[8], *values = room;
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    PyObject *found = NULL;
    corm_status status = CORM_OK;
    bool all_null = true;
    if (count > 8 && (values = PyMem_Calloc((size_t)count, sizeof *values)) == NULL) {
        return PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PyTuple_GET_ITEM(parts, i), &values[i]);
        all_null = all_null && values[i].kind == CORM_KIND_NULL;
    }
    if (status != CORM_OK) {
        corm_py_raise();
    } else if (!all_null && how->given != NULL &&
               (how->populate_existing || !corm_session_knows(self->session, mapper, values, (size_t)count))) {
        found = load_by_statement(self, parts, how);
    } else if (!all_null) {
        found = load(self, mapper, values, (size_t)count, how->options, how->populate_existing);
    }
    if (values != room) {
        PyMem_Free(values);
    }
    return found;
}

static PyObject *load_ident(CormPySession *self, corm_mapper *mapper, PyObject *ident, const look *how) {
    if (corm_mapper_configure(mapper) != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *parts = identity_parts(mapper, ident);
    PyObject *found = parts == NULL ? NULL : load_parts(self, mapper, parts, how);
    Py_XDECREF(parts);
    return found;
}

PyObject *corm_py_session_load(CormPySession *self, corm_mapper *mapper, PyObject *ident, corm_load_options *options,
                               bool populate_existing) {
    const look how = {.options = options, .populate_existing = populate_existing};
    return load_ident(self, mapper, ident, &how);
}

static PyObject *get(PyObject *object, PyObject *const *given) {
    CormPySession *self = corm_py_as_session(object);
    corm_session *session = corm_py_session_open(object);
    corm_mapper *mapper = session == NULL ? NULL : mapper_for_get(given[0]);
    int populate = given[3] == Py_None ? 0 : corm_py_flag(given[3], 0);
    if (mapper == NULL || populate < 0) {
        return NULL;
    }
    corm_execute_options execution = {.populate_existing = populate != 0};
    if (given[6] != NULL && corm_py_execution_read(&execution, given[6]) < 0) {
        return NULL;
    }
    corm_load_options *options = given[2] == NULL ? NULL : corm_py_load_options(given[2]);
    if (options == NULL && PyErr_Occurred() != NULL) {
        return NULL;
    }
    bool locks = given[4] != NULL && given[4] != Py_None && given[4] != Py_False;
    bool heard = corm_py_session_listened(self, "do_orm_execute");
    const look how = {options, execution.populate_existing || locks, locks || heard ? given : NULL};
    PyObject *found = load_ident(self, mapper, given[1], &how);
    corm_load_options_unref(options);
    return found;
}

#define GET_SIGNATURE(name)                                                                                            \
    CORM_PY_SIGNATURE(signature, name, 2, 2, "entity", "ident", "options", "populate_existing", "with_for_update",     \
                      "identity_token", "execution_options", "bind_arguments")
enum { GET_ARGUMENTS = 8 };

PyObject *corm_py_session_get(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    GET_SIGNATURE("Session.get");
    PyObject *found;
    if (count == 2 && names == NULL && PyLong_CheckExact(args[1]) && PyType_Check(args[0]) &&
        !corm_py_session_listened(corm_py_as_session(object), "do_orm_execute")) {
        /* The usual call: a class and a number. */
        corm_mapper *mapper = corm_py_session_open(object) == NULL ? NULL : mapper_for_get(args[0]);
        corm_value value;
        if (mapper == NULL) {
            return NULL;
        }
        if (mapper->configured && mapper->primary_key_count == 1) {
            if (corm_py_to_value(args[1], &value) != CORM_OK) {
                return corm_py_raise();
            }
            found = load(corm_py_as_session(object), mapper, &value, 1, NULL, false);
            return found != NULL || PyErr_Occurred() != NULL ? found : Py_NewRef(Py_None);
        }
    }
    PyObject *given[GET_ARGUMENTS];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    found = get(object, given);
    return found != NULL || PyErr_Occurred() != NULL ? found : Py_NewRef(Py_None);
}

PyObject *corm_py_session_get_one(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    GET_SIGNATURE("Session.get_one");
    PyObject *given[GET_ARGUMENTS];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    PyObject *found = get(object, given);
    return found != NULL || PyErr_Occurred() != NULL
               ? found
               : corm_py_raise_exc("NoResultFound", "No row was found when one was required");
}

/* ---- query() ---- */

PyObject *corm_py_session_query(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CormPySession *self = corm_py_as_session(object);
    if (names != NULL && PyTuple_GET_SIZE(names) > 0) {
        PyErr_Format(PyExc_TypeError, "Session.query() got an unexpected keyword argument '%U'",
                     PyTuple_GET_ITEM(names, 0));
        return NULL;
    }
    if (self->query_class == NULL) {
        return corm_py_query_new(CormPyQuery_Type, object, args, count);
    }
    PyObject *entities = PyTuple_New(count);
    for (Py_ssize_t i = 0; entities != NULL && i < count; i++) {
        PyTuple_SET_ITEM(entities, i, Py_NewRef(args[i]));
    }
    PyObject *query = entities == NULL ? NULL : PyObject_CallFunction(self->query_class, "OO", entities, object);
    Py_XDECREF(entities);
    return query;
}
