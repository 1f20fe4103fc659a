/*
 * Rows in bulk: bulk_save_objects(), bulk_insert_mappings(), bulk_update_mappings(), and update(User) with a list of dictionaries.
 *
 * Neighbouring rows that name the same columns go to the database as one batch. The objects are not taken into the session.
 */
#include "session.h"
#include "sql.h"

/* ---- inserting ---- */

/* Is a value of None left out, so that a default takes its place? */
static bool has_default(const corm_attribute *attribute) {
    const corm_column *column = attribute->column;
    return column->default_value.kind != CORM_DEFAULT_NONE || column->server_default != NULL ||
           column->server_default_node != NULL || column->computed != NULL || attribute->primary_key;
}

static const corm_attribute *column_attribute(const corm_mapper *mapper, PyObject *name) {
    const char *key = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    const corm_attribute *attribute = key == NULL ? NULL : corm_mapper_attribute(mapper, key);
    return attribute == NULL || attribute->column == NULL ? NULL : attribute;
}

/* The columns of a mapping, as a new dictionary: what is no column is left out. */
static PyObject *columns_of(const corm_mapper *mapper, PyObject *mapping, bool nulls) {
    PyObject *row = PyDict_New(), *items = row == NULL ? NULL : PyMapping_Items(mapping);
    int failed = items == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(items); i++) {
        PyObject *name = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 0),
                 *value = PyTuple_GET_ITEM(PyList_GET_ITEM(items, i), 1);
        const corm_attribute *attribute = column_attribute(mapper, name);
        if (attribute != NULL && (value != Py_None || nulls || !has_default(attribute))) {
            failed = PyDict_SetItem(row, name, value) < 0;
        }
    }
    Py_XDECREF(items);
    if (failed || PyErr_Occurred() != NULL) {
        Py_CLEAR(row);
    }
    return row;
}

/* Store the keys that the database gave to a row: in a dictionary, or by an object's attributes. */
static int store_keys(const corm_mapper *mapper, const corm_result *result, PyObject *into) {
    const corm_value *values;
    size_t count;
    if (corm_result_inserted_key(result, &values, &count) != CORM_OK) {
        return corm_py_raise_int();
    }
    for (size_t i = 0; i < count && i < mapper->primary_key_count; i++) {
        const corm_attribute *attribute = mapper->primary_key[i];
        if (values[i].kind == CORM_KIND_ABSENT) {
            continue;
        }
        PyObject *value = corm_py_from_value(&values[i], corm_column_type(attribute->column));
        int failed = value == NULL;
        if (!failed && PyDict_Check(into)) {
            failed = PyDict_SetItemString(into, attribute->key, value) < 0;
            Py_DECREF(value);
        } else if (!failed) {
            failed = corm_py_instance_store((CormPyInstance *)into, attribute, value) < 0;
        }
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static corm_node *insert_of(corm_mapper *mapper) {
    corm_node *entity = corm_py_class_entity(corm_py_class_of_mapper(mapper));
    corm_node *insert = entity == NULL ? NULL : corm_insert_new(entity);
    corm_node_unref(entity);
    if (insert == NULL && PyErr_Occurred() == NULL) {
        corm_py_raise();
    }
    return insert;
}

/* INSERT rows. targets: a list as long as rows, where each row's generated key is stored; or NULL. */
static int insert_rows(CormPySession *self, corm_mapper *mapper, PyObject *rows, PyObject *targets) {
    corm_execute_options options = {.no_autoflush = true};
    corm_node *insert = PyList_GET_SIZE(rows) == 0 ? NULL : insert_of(mapper);
    int failed = insert == NULL && PyErr_Occurred() != NULL;
    if (insert != NULL && targets == NULL) {
        corm_result *result = corm_py_session_insert_batches(self, insert, rows, &options);
        failed = result == NULL;
        corm_result_free(result);
    }
    for (Py_ssize_t i = 0; insert != NULL && targets != NULL && i < PyList_GET_SIZE(rows) && !failed; i++) {
        corm_result *result = corm_py_session_run(self, insert, PyList_GET_ITEM(rows, i), &options);
        failed = result == NULL || store_keys(mapper, result, PyList_GET_ITEM(targets, i)) < 0;
        corm_result_free(result);
    }
    corm_node_unref(insert);
    return failed ? -1 : 0;
}

/* ---- updating ---- */

enum { KEY_NAME_SIZE = 32 };

static const char *key_name(size_t place, char *room) {
    PyOS_snprintf(room, KEY_NAME_SIZE, "cormorant_key_%zu", place);
    return room;
}

/* UPDATE of the class where each key column equals a parameter of its own. */
static corm_node *update_of(corm_mapper *mapper) {
    corm_node *entity = corm_py_class_entity(corm_py_class_of_mapper(mapper));
    corm_node *update = entity == NULL ? NULL : corm_update_new(entity);
    char room[KEY_NAME_SIZE];
    for (size_t i = 0; i < mapper->primary_key_count && update != NULL; i++) {
        corm_attribute *attribute = mapper->primary_key[i];
        corm_node *column = corm_attribute_node_new(entity, attribute);
        corm_node *key = corm_bind_named(key_name(i, room), NULL, corm_column_type(attribute->column), false);
        corm_node *equal = corm_binary_new(CORM_OP_EQ, column, key);
        corm_node *narrowed = equal == NULL ? NULL : corm_dml_where(update, equal);
        corm_node_unref(column);
        corm_node_unref(key);
        corm_node_unref(equal);
        corm_node_unref(update);
        update = narrowed;
    }
    corm_node_unref(entity);
    if (update == NULL && PyErr_Occurred() == NULL) {
        corm_py_raise();
    }
    return update;
}

/* A row's parameters: what is set, and the keys under their own names. *empty: nothing is set. */
static PyObject *update_parameters(const corm_mapper *mapper, PyObject *mapping, bool *empty) {
    PyObject *row = columns_of(mapper, mapping, true);
    char room[KEY_NAME_SIZE];
    for (size_t i = 0; i < mapper->primary_key_count && row != NULL; i++) {
        const corm_attribute *attribute = mapper->primary_key[i];
        PyObject *value = Py_XNewRef(corm_py_item(row, attribute->key));
        if (value == NULL || value == Py_None) {
            corm_py_raise_exc(
                "InvalidRequestError",
                "No primary key value supplied for column(s) %s.%s; per-row ORM Bulk UPDATE by Primary Key "
                "requires that records contain primary key values",
                mapper->table->name, attribute->column->name);
            Py_CLEAR(row);
        } else if (PyDict_DelItemString(row, attribute->key) < 0 ||
                   PyDict_SetItemString(row, key_name(i, room), value) < 0) {
            Py_CLEAR(row);
        }
        Py_XDECREF(value);
    }
    *empty = row != NULL && (size_t)PyDict_GET_SIZE(row) == mapper->primary_key_count;
    return row;
}

/* Expire what a row set of the session's object, if it has one. */
static int expire_row(CormPySession *self, corm_mapper *mapper, PyObject *row) {
    corm_value key[16];
    char room[KEY_NAME_SIZE];
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->primary_key_count && i < 16 && status == CORM_OK; i++) {
        status = corm_py_to_value(corm_py_item(row, key_name(i, room)), &key[i]);
    }
    corm_state *state = status == CORM_OK && mapper->primary_key_count <= 16
                            ? corm_identity_find(&self->session->identity, mapper, key, mapper->primary_key_count)
                            : NULL;
    PyObject *name, *value;
    Py_ssize_t position = 0;
    if (state == NULL || !corm_py_host.try_hold(state)) {
        corm_error_clear();
        return 0;
    }
    while (status == CORM_OK && PyDict_Next(row, &position, &name, &value)) {
        corm_attribute *attribute = (corm_attribute *)(uintptr_t)column_attribute(mapper, name);
        if (attribute != NULL) {
            status = corm_session_expire(self->session, state, &attribute, 1);
        }
    }
    Py_DECREF((PyObject *)(void *)corm_state_object(state));
    return status == CORM_OK ? 0 : corm_py_raise_int();
}

/* One batch of rows that set the same columns. */
static int update_batch(CormPySession *self, corm_node *update, PyObject *rows, int64_t *rowcount) {
    corm_execute_options options = {.no_autoflush = true, .synchronize_session = 3};
    corm_result *result = corm_py_session_run(self, update, rows, &options);
    if (result == NULL) {
        return -1;
    }
    *rowcount += corm_result_rowcount(result);
    corm_result_free(result);
    return 0;
}

static int update_batches(CormPySession *self, corm_node *update, PyObject *rows, int64_t *rowcount) {
    Py_ssize_t start = 0;
    while (start < PyList_GET_SIZE(rows)) {
        Py_ssize_t end = start + 1;
        while (end < PyList_GET_SIZE(rows) &&
               corm_py_same_names(PyList_GET_ITEM(rows, start), PyList_GET_ITEM(rows, end))) {
            end++;
        }
        PyObject *batch = PyList_GetSlice(rows, start, end);
        int failed = batch == NULL ? -1 : update_batch(self, update, batch, rowcount);
        Py_XDECREF(batch);
        if (failed < 0) {
            return -1;
        }
        start = end;
    }
    return 0;
}

static int stale(const corm_mapper *mapper, Py_ssize_t expected, int64_t matched) {
    corm_py_raise_class("cormorant.orm.exc", "StaleDataError",
                        "UPDATE statement on table '%s' expected to update %zd row(s); %lld were matched.",
                        mapper->table->name, expected, (long long)matched);
    return -1;
}

int corm_py_bulk_update(CormPySession *self, corm_mapper *mapper, PyObject *rows, bool expire, int64_t *rowcount) {
    PyObject *sequence = PySequence_Fast(rows, "mappings must be an iterable of dictionaries");
    PyObject *all = sequence == NULL ? NULL : PyList_New(0);
    int failed = all == NULL;
    *rowcount = 0;
    for (Py_ssize_t i = 0; !failed && i < PySequence_Fast_GET_SIZE(sequence); i++) {
        bool empty;
        PyObject *row = update_parameters(mapper, PySequence_Fast_GET_ITEM(sequence, i), &empty);
        failed = row == NULL || (!empty && PyList_Append(all, row) < 0);
        Py_XDECREF(row);
    }
    Py_XDECREF(sequence);
    corm_node *update = failed || PyList_GET_SIZE(all) == 0 ? NULL : update_of(mapper);
    if (update != NULL) {
        failed = update_batches(self, update, all, rowcount) < 0;
        if (!failed && *rowcount != PyList_GET_SIZE(all)) {
            failed = stale(mapper, PyList_GET_SIZE(all), *rowcount) < 0;
        }
        corm_node_unref(update);
    } else {
        failed = failed || PyErr_Occurred() != NULL;
    }
    for (Py_ssize_t i = 0; expire && !failed && i < PyList_GET_SIZE(all); i++) {
        failed = expire_row(self, mapper, PyList_GET_ITEM(all, i)) < 0;
    }
    Py_XDECREF(all);
    return failed ? -1 : 0;
}

/* ---- methods ---- */

static corm_mapper *mapper_of(PyObject *object, PyObject *entity) {
    corm_mapper *mapper = corm_py_session_open(object) == NULL ? NULL : corm_py_mapper_required(entity);
    if (mapper != NULL && corm_mapper_configure(mapper) != CORM_OK) {
        corm_py_raise();
        return NULL;
    }
    return mapper != NULL && corm_py_session_ensure_bind(corm_py_as_session(object), NULL, mapper) < 0 ? NULL : mapper;
}

PyObject *corm_py_session_bulk_insert_mappings(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                               PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.bulk_insert_mappings", 4, 2, "mapper", "mappings", "return_defaults",
                      "render_nulls");
    PyObject *given[4];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int back = corm_py_flag(given[2], 0), nulls = corm_py_flag(given[3], 0);
    corm_mapper *mapper = back < 0 || nulls < 0 ? NULL : mapper_of(object, given[0]);
    PyObject *mappings = mapper == NULL ? NULL : PySequence_List(given[1]);
    PyObject *rows = mappings == NULL ? NULL : PyList_New(0);
    int failed = rows == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(mappings); i++) {
        PyObject *row = columns_of(mapper, PyList_GET_ITEM(mappings, i), nulls != 0);
        failed = row == NULL || PyList_Append(rows, row) < 0;
        Py_XDECREF(row);
    }
    failed = failed || insert_rows(corm_py_as_session(object), mapper, rows, back ? mappings : NULL) < 0;
    Py_XDECREF(mappings);
    Py_XDECREF(rows);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyObject *corm_py_session_bulk_update_mappings(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                               PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.bulk_update_mappings", 2, 2, "mapper", "mappings");
    PyObject *given[2];
    int64_t rowcount;
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    corm_mapper *mapper = mapper_of(object, given[0]);
    if (mapper == NULL || corm_py_bulk_update(corm_py_as_session(object), mapper, given[1], false, &rowcount) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- objects ---- */

/* What of an object goes into its row: all that is loaded, or (changed) the key and what was changed. */
static PyObject *row_of_object(PyObject *object, bool changed) {
    CormPyInstance *instance = (CormPyInstance *)object;
    const corm_mapper *mapper = instance->state.mapper;
    PyObject *row = PyDict_New();
    for (size_t i = 0; i < mapper->attribute_count && row != NULL; i++) {
        const corm_attribute *attribute = mapper->attributes[i];
        PyObject *value = attribute->column == NULL ? NULL : corm_py_instance_peek(instance, attribute);
        if (value == NULL ||
            (changed && !attribute->primary_key && corm_state_change(&instance->state, attribute) == NULL)) {
            continue;
        }
        if (PyDict_SetItemString(row, attribute->key, value) < 0) {
            Py_CLEAR(row);
        }
    }
    return row;
}

/* One run of objects of a class that all have rows, or all have none. */
static int save_run(CormPySession *self, corm_mapper *mapper, PyObject *objects, bool persistent, bool back,
                    bool changed) {
    PyObject *rows = PyList_New(0);
    int64_t rowcount;
    int failed = rows == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(objects); i++) {
        PyObject *given = row_of_object(PyList_GET_ITEM(objects, i), persistent && changed);
        PyObject *row = given == NULL ? NULL : persistent ? Py_NewRef(given) : columns_of(mapper, given, false);
        failed = row == NULL || PyList_Append(rows, row) < 0;
        Py_XDECREF(given);
        Py_XDECREF(row);
    }
    if (!failed) {
        failed = persistent ? corm_py_bulk_update(self, mapper, rows, false, &rowcount) < 0
                            : insert_rows(self, mapper, rows, back ? objects : NULL) < 0;
    }
    Py_XDECREF(rows);
    return failed ? -1 : 0;
}

PyObject *corm_py_session_bulk_save_objects(PyObject *object, PyObject *const *args, Py_ssize_t count,
                                            PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.bulk_save_objects", 4, 1, "objects", "return_defaults", "update_changed_only",
                      "preserve_order");
    PyObject *given[4];
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || corm_py_session_open(object) == NULL) {
        return NULL;
    }
    int back = corm_py_flag(given[1], 0), changed = corm_py_flag(given[2], 1);
    PyObject *objects = back < 0 || changed < 0 ? NULL : PySequence_List(given[0]);
    int failed = objects == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(objects); i++) {
        failed = corm_py_state_required(PyList_GET_ITEM(objects, i)) == NULL;
    }
    Py_ssize_t start = 0;
    while (!failed && start < PyList_GET_SIZE(objects)) {
        const corm_state *first = corm_py_state_required(PyList_GET_ITEM(objects, start));
        bool persistent = (first->flags & CORM_STATE_HAS_KEY) != 0;
        corm_mapper *mapper = first->mapper;
        Py_ssize_t end = start + 1;
        while (end < PyList_GET_SIZE(objects)) {
            const corm_state *state = corm_py_state_required(PyList_GET_ITEM(objects, end));
            if (state == NULL || state->mapper != mapper || ((state->flags & CORM_STATE_HAS_KEY) != 0) != persistent) {
                break;
            }
            end++;
        }
        PyObject *run = PyList_GetSlice(objects, start, end);
        failed = run == NULL || corm_mapper_configure(mapper) != CORM_OK ||
                 corm_py_session_ensure_bind(corm_py_as_session(object), NULL, mapper) < 0 ||
                 save_run(corm_py_as_session(object), mapper, run, persistent, back != 0, changed != 0) < 0;
        Py_XDECREF(run);
        start = end;
    }
    Py_XDECREF(objects);
    if (failed) {
        return PyErr_Occurred() != NULL ? NULL : corm_py_raise();
    }
    Py_RETURN_NONE;
}
