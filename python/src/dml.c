/*
 * INSERT, UPDATE and DELETE as Python objects, with ON CONFLICT and ON DUPLICATE KEY UPDATE.
 *
 * Names that the table does not have become plain columns: compiling says that nobody consumes them.
 */
#include "sql.h"

#include "engine.h"
#include "orm.h"
#include "schema/schema.h"

static PyTypeObject *base_type, *insert_type, *update_type, *delete_type, *sqlite_insert_type, *mysql_insert_type;

static corm_node *node_of(PyObject *self) {
    return corm_py_node_of(self);
}

/* ---- columns and values ---- */

static corm_node *table_of(PyObject *self) {
    return corm_dml_part_of(node_of(self), CORM_DML_TABLE);
}

static corm_table *core_table(corm_node *node) {
    corm_entity *entity = corm_node_as_entity(node);
    return entity != NULL ? entity->mapper->table : corm_node_as_table(node);
}

/* The column that a key of values() means. A new reference or NULL raised. */
static corm_node *column_of_key(corm_node *table_node, PyObject *key) {
    if (!PyUnicode_Check(key)) {
        return corm_py_column_node(key);
    }
    const char *name = corm_py_text(key);
    if (name == NULL) {
        return NULL;
    }
    corm_entity *entity = corm_node_as_entity(table_node);
    corm_table *table = core_table(table_node);
    corm_attribute *attribute = entity == NULL ? NULL : corm_mapper_attribute(entity->mapper, name);
    corm_column *column = attribute != NULL ? attribute->column : table == NULL ? NULL : corm_table_column(table, name);
    corm_node *node = column != NULL ? corm_node_ref(corm_column_node(column)) : corm_plain_column(name, NULL);
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

/* None is a value here, not SQL's NULL: the parameter is sent. */
static corm_node *value_node(PyObject *value, corm_node *column) {
    corm_node *node = corm_py_node_maybe(value);
    corm_value plain;
    if (node != NULL || PyErr_Occurred() != NULL) {
        if (node != NULL && corm_node_is_select(node)) {
            corm_node *scalar = corm_scalar_subquery(node);
            corm_node_unref(node);
            node = scalar;
            if (node == NULL) {
                corm_py_raise();
            }
        }
        return node;
    }
    if (corm_py_to_value(value, &plain) == CORM_OK) {
        node = corm_bind_new(&plain, column->type);
    }
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

/* Append columns and values of a mapping. */
static int read_mapping(corm_node *table, PyObject *mapping, corm_vector *columns, corm_vector *values) {
    PyObject *items = PyMapping_Items(mapping);
    if (items == NULL) {
        return -1;
    }
    int failed = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items) && !failed; i++) {
        PyObject *item = PyList_GET_ITEM(items, i);
        if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
            PyErr_SetString(PyExc_TypeError, "values() takes a mapping of columns to values");
            failed = -1;
            break;
        }
        corm_node *column = column_of_key(table, PyTuple_GET_ITEM(item, 0));
        failed = corm_py_push(columns, column);
        if (!failed) {
            failed = corm_py_push(values, value_node(PyTuple_GET_ITEM(item, 1), column));
        }
    }
    Py_DECREF(items);
    return failed;
}

/* Append the first columns of the table, and a tuple's values. */
static int read_tuple(corm_node *node, PyObject *tuple, corm_vector *columns, corm_vector *values) {
    const corm_table *table = core_table(node);
    size_t count = (size_t)PySequence_Fast_GET_SIZE(tuple);
    if (table == NULL || count > table->columns.count) {
        corm_error_set(CORM_ARGUMENT_ERROR, "values() was given %zu values for %zu columns", count,
                       table == NULL ? 0 : table->columns.count);
        return corm_py_raise_int();
    }
    for (size_t i = 0; i < count; i++) {
        corm_node *column = corm_column_node(table->columns.items[i]);
        if ((columns != NULL && corm_py_push(columns, corm_node_ref(column)) < 0) ||
            corm_py_push(values, value_node(PySequence_Fast_GET_ITEM(tuple, (Py_ssize_t)i), column)) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The value of a later row for each column of the first. */
static int read_row(corm_node *table, PyObject *row, const corm_vector *columns, corm_vector *values) {
    corm_vector own = {0}, own_values = {0};
    int failed = read_mapping(table, row, &own, &own_values);
    for (size_t i = 0; i < columns->count && !failed; i++) {
        size_t at = 0;
        while (at < own.count && own.items[at] != columns->items[i] &&
               !corm_node_equal(own.items[at], columns->items[i])) {
            at++;
        }
        if (at == own.count) {
            const char *table_name = corm_node_display_name(table);
            const char *name = corm_node_display_name(columns->items[i]);
            corm_error_set(
                CORM_COMPILE_ERROR,
                "INSERT value for column %s.%s is explicitly rendered as a boundparameter in the VALUES clause; "
                "a Python-side value or SQL expression is required",
                table_name == NULL ? "" : table_name, name == NULL ? "" : name);
            failed = corm_py_raise_int();
        } else {
            failed = corm_py_push(values, corm_node_ref(own_values.items[at]));
        }
    }
    corm_nodes_unref(&own);
    corm_nodes_unref(&own_values);
    return failed;
}

static PyObject *no_values(PyObject *self) {
    return corm_py_derive(self, corm_dml_with_detail(node_of(self), 0, CORM_DML_EMPTY_VALUES));
}

static PyObject *many_rows(PyObject *self, PyObject *rows) {
    corm_vector columns = {0}, values = {0};
    corm_node *table = table_of(self);
    PyObject *result = NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(rows);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *row = PySequence_Fast_GET_ITEM(rows, i);
        bool positional = PyTuple_Check(row) || PyList_Check(row);
        size_t before = values.count;
        int failed = positional ? read_tuple(table, row, i == 0 ? &columns : NULL, &values)
                     : i == 0   ? read_mapping(table, row, &columns, &values)
                                : read_row(table, row, &columns, &values);
        if (!failed && values.count - before != columns.count) {
            corm_error_set(CORM_ARGUMENT_ERROR, "values(): all rows need the same columns");
            failed = corm_py_raise_int();
        }
        if (failed) {
            goto done;
        }
    }
    result = corm_py_derive(self, corm_insert_rows(node_of(self), corm_py_items(&columns), columns.count,
                                                   corm_py_items(&values), (size_t)count));
done:
    corm_nodes_unref(&columns);
    corm_nodes_unref(&values);
    return result;
}

static PyObject *one_row(PyObject *self, PyObject *given, PyObject *kwargs) {
    corm_vector columns = {0}, values = {0};
    corm_node *table = table_of(self);
    PyObject *result = NULL;
    int failed = 0;
    if (given != NULL) {
        failed = PyTuple_Check(given) || PyList_Check(given) ? read_tuple(table, given, &columns, &values)
                                                             : read_mapping(table, given, &columns, &values);
    }
    if (!failed && kwargs != NULL) {
        failed = read_mapping(table, kwargs, &columns, &values);
    }
    if (!failed && columns.count == 0) {
        result = no_values(self);
    } else if (!failed) {
        result = corm_py_derive(
            self, corm_dml_values(node_of(self), corm_py_items(&columns), corm_py_items(&values), columns.count));
    }
    corm_nodes_unref(&columns);
    corm_nodes_unref(&values);
    return result;
}

static PyObject *dml_values(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *given = PyTuple_GET_SIZE(args) > 0 ? PyTuple_GET_ITEM(args, 0) : NULL;
    bool with_names = kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0;
    if (PyTuple_GET_SIZE(args) > 1) {
        corm_error_set(CORM_ARGUMENT_ERROR,
                       "Only a single dictionary/tuple or list of dictionaries/tuples is accepted positionally.");
        return corm_py_raise();
    }
    if (given != NULL && with_names) {
        corm_error_set(CORM_ARGUMENT_ERROR, "Can't pass positional and kwargs to values() simultaneously");
        return corm_py_raise();
    }
    if (node_of(self)->kind == CORM_NODE_INSERT && corm_dml_part_of(node_of(self), CORM_DML_SELECT) != NULL) {
        corm_error_set(CORM_INVALID_REQUEST, "This construct already inserts from a SELECT");
        return corm_py_raise();
    }
    if (given == NULL && !with_names) {
        return Py_NewRef(self);
    }
    if (given != NULL && (PyList_Check(given) || PyTuple_Check(given))) {
        Py_ssize_t count = PySequence_Fast_GET_SIZE(given);
        PyObject *first = count == 0 ? NULL : PySequence_Fast_GET_ITEM(given, 0);
        if (first == NULL) {
            return no_values(self);
        }
        if (PyMapping_Check(first) && !PyUnicode_Check(first) && !PyBytes_Check(first)) {
            if (node_of(self)->kind != CORM_NODE_INSERT) {
                corm_error_set(CORM_INVALID_REQUEST, "UPDATE construct does not support multiple parameter sets.");
                return corm_py_raise();
            }
            return many_rows(self, given);
        }
    }
    return one_row(self, given, kwargs);
}

/* ---- WHERE, RETURNING ---- */

static PyObject *append(PyObject *self, corm_dml_part part, PyObject *const *args, Py_ssize_t count,
                        corm_py_role role) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, role, &nodes) < 0) {
        return NULL;
    }
    PyObject *result =
        nodes.count == 0
            ? Py_NewRef(self)
            : corm_py_derive(self, corm_dml_append(node_of(self), part, corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *dml_where(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_DML_WHERE, args, count, CORM_PY_ROLE_WHERE);
}

static PyObject *dml_returning(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "sort_by_parameter_order") != 0) {
            PyErr_Format(PyExc_TypeError, "returning() got an unexpected keyword argument '%U'",
                         PyTuple_GET_ITEM(names, i));
            return NULL;
        }
    }
    return append(self, CORM_DML_RETURNING, args, count, CORM_PY_ROLE_RETURNING);
}

static PyObject *dml_prefix_with(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    corm_vector nodes = {0};
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        PyObject *dialect = args[count + i];
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "dialect") != 0 || !PyUnicode_Check(dialect)) {
            PyErr_SetString(PyExc_TypeError, "prefix_with() takes texts and dialect='name'");
            return NULL;
        }
        if (PyUnicode_CompareWithASCIIString(dialect, "*") != 0 &&
            PyUnicode_CompareWithASCIIString(dialect, "sqlite") != 0) {
            return Py_NewRef(self);
        }
    }
    if (corm_py_text_nodes(args, count, &nodes) < 0) {
        return NULL;
    }
    PyObject *result =
        corm_py_derive(self, corm_dml_append(node_of(self), CORM_DML_PREFIXES, corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

/* ---- INSERT ---- */

CORM_PY_SIGNATURE(from_select_signature, "from_select", 3, 2, "names", "select", "include_defaults");

static PyObject *insert_from_select(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3], *result = NULL;
    corm_vector columns = {0};
    int defaults;
    if (corm_py_unpack(&from_select_signature, args, count, names, given) < 0 ||
        (defaults = corm_py_flag(given[2], 1)) < 0) {
        return NULL;
    }
    PyObject *keys = PySequence_Fast(given[0], "names of from_select() are a sequence");
    corm_node *select = keys == NULL ? NULL : corm_py_node_as(given[1], CORM_PY_ROLE_SELECT);
    if (select == NULL) {
        goto done;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(keys); i++) {
        if (corm_py_push(&columns, column_of_key(table_of(self), PySequence_Fast_GET_ITEM(keys, i))) < 0) {
            goto done;
        }
    }
    corm_node *made = corm_insert_from_select(node_of(self), corm_py_items(&columns), columns.count, select);
    if (made != NULL && !defaults) {
        corm_node *flagged = corm_dml_with_detail(made, 0, CORM_DML_NO_DEFAULTS);
        corm_node_unref(made);
        made = flagged;
    }
    result = corm_py_derive(self, made);
done:
    corm_nodes_unref(&columns);
    corm_node_unref(select);
    Py_XDECREF(keys);
    return result;
}

/* ---- ON CONFLICT ---- */

/* A LIST of the expressions; *out stays NULL when there is nothing. 0, or -1 raised. */
static int list_of(PyObject *self, PyObject *given, bool names, corm_node **out) {
    corm_vector nodes = {0};
    *out = NULL;
    if (given == NULL || given == Py_None) {
        return 0;
    }
    PyObject *items = names && !PyUnicode_Check(given) ? PySequence_Fast(given, "index_elements is a sequence")
                                                       : PyTuple_Pack(1, given);
    if (items == NULL) {
        return -1;
    }
    int failed = 0;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items) && !failed; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(items, i);
        failed = corm_py_push(&nodes, names && PyUnicode_Check(item) ? column_of_key(table_of(self), item)
                                      : names                        ? corm_py_node(item)
                                                                     : corm_py_node_as(item, CORM_PY_ROLE_WHERE));
    }
    Py_DECREF(items);
    if (!failed) {
        *out = corm_list_new(CORM_OP_COMMA, corm_py_items(&nodes), nodes.count);
        failed = *out == NULL ? corm_py_raise_int() : 0;
    }
    corm_nodes_unref(&nodes);
    return failed;
}

/* What to set: a mapping, or pairs. */
static int read_set(PyObject *self, PyObject *given, corm_node **columns_out, corm_node **values_out) {
    corm_vector columns = {0}, values = {0};
    PyObject *mapping = NULL;
    *columns_out = *values_out = NULL;
    if (PyObject_TypeCheck(given, CormPyCollection_Type)) {
        PyObject *items = corm_py_call(given, "items", NULL);
        mapping = items == NULL ? NULL : PyDict_New();
        if (mapping != NULL && PyDict_MergeFromSeq2(mapping, items, 1) < 0) {
            Py_CLEAR(mapping);
        }
        Py_XDECREF(items);
    } else if (PyList_Check(given) || PyTuple_Check(given)) {
        mapping = PyDict_New();
        if (mapping != NULL && PyDict_MergeFromSeq2(mapping, given, 1) < 0) {
            Py_CLEAR(mapping);
        }
    } else {
        mapping = Py_NewRef(given);
    }
    int failed = mapping == NULL ? -1 : read_mapping(table_of(self), mapping, &columns, &values);
    Py_XDECREF(mapping);
    if (!failed && columns.count == 0) {
        PyErr_SetString(PyExc_ValueError, "set parameter dictionary must not be empty");
        failed = -1;
    }
    if (!failed) {
        *columns_out = corm_list_new(CORM_OP_COMMA, corm_py_items(&columns), columns.count);
        *values_out = corm_list_new(CORM_OP_COMMA, corm_py_items(&values), values.count);
        failed = *columns_out == NULL || *values_out == NULL ? corm_py_raise_int() : 0;
    }
    corm_nodes_unref(&columns);
    corm_nodes_unref(&values);
    return failed;
}

static PyObject *on_conflict(PyObject *self, PyObject *elements, PyObject *elements_where, PyObject *set,
                             PyObject *where) {
    corm_node *targets = NULL, *target_where = NULL, *columns = NULL, *values = NULL, *criterion = NULL,
              *conflict = NULL;
    PyObject *result = NULL;
    if (list_of(self, elements, true, &targets) < 0 || list_of(self, elements_where, false, &target_where) < 0 ||
        (set != NULL && read_set(self, set, &columns, &values) < 0) || list_of(self, where, false, &criterion) < 0) {
        goto done;
    }
    conflict = corm_conflict_new(targets, target_where, columns, values, criterion);
    result =
        corm_py_derive(self, conflict == NULL ? NULL : corm_dml_with_part(node_of(self), CORM_DML_CONFLICT, conflict));
done:
    corm_node_unref(targets);
    corm_node_unref(target_where);
    corm_node_unref(columns);
    corm_node_unref(values);
    corm_node_unref(criterion);
    corm_node_unref(conflict);
    return result;
}

CORM_PY_SIGNATURE(nothing_signature, "on_conflict_do_nothing", 2, 0, "index_elements", "index_where");
CORM_PY_SIGNATURE(update_signature, "on_conflict_do_update", 4, 0, "index_elements", "index_where", "set_", "where");

static PyObject *insert_do_nothing(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    return corm_py_unpack(&nothing_signature, args, count, names, given) < 0
               ? NULL
               : on_conflict(self, given[0], given[1], NULL, NULL);
}

static PyObject *insert_do_update(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[4];
    if (corm_py_unpack(&update_signature, args, count, names, given) < 0) {
        return NULL;
    }
    if (given[2] == NULL || given[2] == Py_None) {
        PyErr_SetString(PyExc_ValueError,
                        "set parameter must be a non-empty dictionary or a ColumnCollection such as the "
                        "`.c.` collection of a Table object");
        return NULL;
    }
    return on_conflict(self, given[0], given[1], given[2], given[3]);
}

static PyObject *new_row(PyObject *self, corm_node *(*view_of)(const char *name, corm_type *type)) {
    const corm_table *table = core_table(table_of(self));
    PyObject *pairs = PyList_New(0);
    for (size_t i = 0; pairs != NULL && table != NULL && i < table->columns.count; i++) {
        corm_column *column = table->columns.items[i];
        PyObject *view = corm_py_wrap(view_of(column->name, corm_column_node(column)->type));
        PyObject *pair = view == NULL ? NULL : Py_BuildValue("sO", column->key, view);
        if (pair == NULL || PyList_Append(pairs, pair) < 0) {
            Py_CLEAR(pairs);
        }
        Py_XDECREF(view);
        Py_XDECREF(pair);
    }
    return corm_py_columns_new(pairs);
}

static PyObject *get_excluded(PyObject *self, void *closure) {
    (void)closure;
    return new_row(self, corm_excluded);
}

/* ---- ON DUPLICATE KEY UPDATE ---- */

static PyObject *get_inserted(PyObject *self, void *closure) {
    (void)closure;
    return new_row(self, corm_inserted);
}

/* A mapping goes in the order of the table's columns; pairs in their own. */
static void order_by_table(const corm_table *table, corm_vector *columns, corm_vector *values) {
    size_t done = 0;
    for (size_t i = 0; table != NULL && i < table->columns.count; i++) {
        for (size_t at = done; at < columns->count; at++) {
            if (corm_node_as_column(columns->items[at]) == table->columns.items[i]) {
                void *column = columns->items[at], *value = values->items[at];
                columns->items[at] = columns->items[done];
                values->items[at] = values->items[done];
                columns->items[done] = column;
                values->items[done++] = value;
                break;
            }
        }
    }
}

static int read_settings(PyObject *self, PyObject *given, corm_vector *columns, corm_vector *values) {
    bool pairs = PyList_Check(given) || PyTuple_Check(given);
    PyObject *mapping = NULL;
    if (PyObject_TypeCheck(given, CormPyCollection_Type)) {
        PyObject *items = corm_py_call(given, "items", NULL);
        mapping = items == NULL ? NULL : PyObject_CallOneArg((PyObject *)&PyDict_Type, items);
        Py_XDECREF(items);
    } else if (pairs || PyDict_Check(given)) {
        mapping = PyObject_CallOneArg((PyObject *)&PyDict_Type, given);
    } else {
        PyErr_SetString(PyExc_ValueError, "update parameter must be a non-empty dictionary or a ColumnCollection such "
                                          "as the `.c.` collection of a Table object");
    }
    int failed = mapping == NULL ? -1 : read_mapping(table_of(self), mapping, columns, values);
    if (!failed && columns->count == 0) {
        PyErr_SetString(PyExc_ValueError, "update parameter dictionary must not be empty");
        failed = -1;
    }
    if (!failed && !pairs) {
        order_by_table(core_table(table_of(self)), columns, values);
    }
    Py_XDECREF(mapping);
    return failed;
}

static PyObject *insert_update_duplicate(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *given = NULL, *result = NULL;
    corm_vector columns = {0}, values = {0};
    if (PyTuple_GET_SIZE(args) > 1 || (PyTuple_GET_SIZE(args) == 1 && kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0)) {
        return corm_py_raise_as("ArgumentError",
                                PyTuple_GET_SIZE(args) > 1
                                    ? "Only a single dictionary or list of tuples is accepted positionally."
                                    : "Can't pass kwargs and positional arguments simultaneously");
    }
    if (corm_dml_part_of(node_of(self), CORM_DML_CONFLICT) != NULL) {
        return corm_py_raise_as("InvalidRequestError",
                                "This Insert construct already has an ON DUPLICATE KEY clause present");
    }
    given = PyTuple_GET_SIZE(args) == 1 ? Py_NewRef(PyTuple_GET_ITEM(args, 0))
            : kwargs == NULL            ? PyDict_New()
                                        : Py_NewRef(kwargs);
    if (given != NULL && read_settings(self, given, &columns, &values) == 0) {
        corm_node *names = corm_list_new(CORM_OP_COMMA, corm_py_items(&columns), columns.count);
        corm_node *settings = corm_list_new(CORM_OP_COMMA, corm_py_items(&values), values.count);
        corm_node *part = names == NULL || settings == NULL ? NULL : corm_duplicate_key_new(names, settings);
        result = corm_py_derive(self, part == NULL ? NULL : corm_dml_with_part(node_of(self), CORM_DML_CONFLICT, part));
        corm_node_unref(names);
        corm_node_unref(settings);
        corm_node_unref(part);
    }
    corm_nodes_unref(&columns);
    corm_nodes_unref(&values);
    Py_XDECREF(given);
    return result;
}

/* ---- looking ---- */

static PyObject *get_table(PyObject *self, void *closure) {
    corm_table *table = core_table(table_of(self));
    (void)closure;
    return corm_py_wrap(corm_node_ref(table == NULL ? table_of(self) : corm_table_node(table)));
}

static PyObject *get_whereclause(PyObject *self, void *closure) {
    corm_node *list = corm_dml_part_of(node_of(self), CORM_DML_WHERE);
    (void)closure;
    return corm_list_count(list) == 0
               ? Py_NewRef(Py_None)
               : corm_py_wrap(corm_and(((const corm_list *)(const void *)list)->items, corm_list_count(list)));
}

static PyObject *get_entity_description(PyObject *self, void *closure) {
    corm_entity *entity = corm_node_as_entity(table_of(self));
    const corm_py_class *record = entity == NULL ? NULL : corm_py_class_of_mapper(entity->mapper);
    PyObject *table = get_table(self, closure);
    PyObject *result = NULL;
    if (table != NULL && record != NULL && record->type != NULL) {
        result = Py_BuildValue("{sssOsOsOsO}", "name", entity->name, "type", record->type, "expr", record->type,
                               "entity", record->type, "table", table);
    } else if (table != NULL) {
        const char *name = corm_node_display_name(table_of(self));
        result = Py_BuildValue("{szsOsO}", "name", name, "type", table, "table", table);
    }
    Py_XDECREF(table);
    return result;
}

static PyObject *get_returned(PyObject *self, void *closure) {
    (void)closure;
    return corm_py_collection_of(node_of(self));
}

/* cte(name=None): INSERT ... RETURNING and its kin as a common table expression. */
static PyObject *dml_cte(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"name", NULL};
    const char *name = NULL;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|z", names, &name)
               ? corm_py_wrap(corm_alias_new(node_of(self), name, CORM_ALIAS_CTE))
               : NULL;
}

/* ---- making ---- */

static PyObject *dml_new(corm_node *(*make)(corm_node *table), PyObject *table, PyTypeObject *cls) {
    corm_node *node = corm_py_node_as(table, CORM_PY_ROLE_TABLE);
    PyObject *result = node == NULL ? NULL : corm_py_wrap_as(make(node), cls);
    corm_node_unref(node);
    return result;
}

#define MAKE(name, constructor, type)                                                                                  \
    static PyObject *function_##name(PyObject *module, PyObject *table) {                                              \
        (void)module;                                                                                                  \
        return dml_new(constructor, table, type);                                                                      \
    }                                                                                                                  \
    static PyObject *name##_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {                                 \
        PyObject *table;                                                                                               \
        (void)kwargs;                                                                                                  \
        return PyArg_ParseTuple(args, "O", &table) ? dml_new(constructor, table, cls) : NULL;                          \
    }
MAKE(insert, corm_insert_new, insert_type)
MAKE(update, corm_update_new, update_type)
MAKE(delete, corm_delete_new, delete_type)

static PyObject *function_sqlite_insert(PyObject *module, PyObject *table) {
    (void)module;
    return dml_new(corm_insert_new, table, sqlite_insert_type);
}

static PyObject *function_mysql_insert(PyObject *module, PyObject *table) {
    (void)module;
    return dml_new(corm_insert_new, table, mysql_insert_type);
}

#define KEYWORDS(function) (PyCFunction)(void (*)(void))(function), METH_VARARGS | METH_KEYWORDS
#define WHERE                                                                                                          \
    {                                                                                                                  \
        "where", (PyCFunction)(void (*)(void))dml_where, METH_FASTCALL,                                                \
            "where(*criteria)\n--\n\nAdd conditions, all of which hold."                                               \
    }
#define VALUES                                                                                                         \
    { "values", KEYWORDS(dml_values), "values(*rows, **values)\n--\n\nWhat the columns get." }

static PyMethodDef base_methods[] = {
    {"returning", CORM_PY_FAST(dml_returning), "returning(*columns)\n--\n\nRETURNING."},
    {"prefix_with", CORM_PY_FAST(dml_prefix_with),
     "prefix_with(*prefixes, dialect='*')\n--\n\nText after the first word."},
    {"cte", KEYWORDS(dml_cte), "cte(name=None)\n--\n\nThe statement as a common table expression."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef base_getset[] = {
    {"table", get_table, NULL, "The table.", NULL},
    {"entity_description", get_entity_description, NULL, "What is changed: a dictionary.", NULL},
    {"exported_columns", get_returned, NULL, "The columns of RETURNING.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef insert_methods[] = {VALUES,
                                       {"from_select", CORM_PY_FAST(insert_from_select),
                                        "from_select(names, select, include_defaults=True)\n--\n\nINSERT ... SELECT."},
                                       {NULL, NULL, 0, NULL}};
static PyMethodDef sqlite_methods[] = {
    {"on_conflict_do_nothing", CORM_PY_FAST(insert_do_nothing),
     "on_conflict_do_nothing(index_elements=None, index_where=None)\n--\n\nON CONFLICT DO NOTHING."},
    {"on_conflict_do_update", CORM_PY_FAST(insert_do_update),
     "on_conflict_do_update(index_elements=None, index_where=None, set_=None, where=None)\n--\n\nON CONFLICT DO "
     "UPDATE."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef sqlite_getset[] = {{"excluded", get_excluded, NULL, "The columns of the row that conflicts.", NULL},
                                      {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef mysql_methods[] = {
    {"on_duplicate_key_update", (PyCFunction)(void (*)(void))insert_update_duplicate, METH_VARARGS | METH_KEYWORDS,
     "on_duplicate_key_update(*args, **kw)\n--\n\nON DUPLICATE KEY UPDATE: a mapping, pairs in order, or keywords."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef mysql_getset[] = {{"inserted", get_inserted, NULL, "The columns of the row that was to be.", NULL},
                                     {NULL, NULL, NULL, NULL, NULL}};
static PyMethodDef update_methods[] = {VALUES, WHERE, {NULL, NULL, 0, NULL}, {NULL, NULL, 0, NULL}};
static PyMethodDef delete_methods[] = {WHERE, {NULL, NULL, 0, NULL}, {NULL, NULL, 0, NULL}};
static PyGetSetDef where_getset[] = {{"whereclause", get_whereclause, NULL, "The conditions as one, or None.", NULL},
                                     {NULL, NULL, NULL, NULL, NULL}};

#define SPEC(variable, title, doc, ...)                                                                                \
    static PyType_Slot variable##_slots[] = {                                                                          \
        {Py_tp_doc, doc}, {Py_tp_dealloc, corm_py_element_dealloc}, __VA_ARGS__, {0, NULL}};                           \
    static PyType_Spec variable##_spec = {.name = title,                                                               \
                                          .basicsize = sizeof(CormPyStatement),                                        \
                                          .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                           \
                                          .slots = variable##_slots}
SPEC(base, "cormorant.sql.dml.UpdateBase", "INSERT, UPDATE and DELETE.", {Py_tp_methods, base_methods},
     {Py_tp_getset, base_getset});
SPEC(insert, "cormorant.sql.dml.Insert", "An INSERT.", {Py_tp_new, insert_new}, {Py_tp_methods, insert_methods});
SPEC(sqlite_insert, "cormorant.dialects.sqlite.SQLiteInsert", "An INSERT with ON CONFLICT.", {Py_tp_new, insert_new},
     {Py_tp_methods, sqlite_methods}, {Py_tp_getset, sqlite_getset});
SPEC(mysql_insert, "cormorant.dialects.mysql.MySQLInsert", "An INSERT with ON DUPLICATE KEY UPDATE.",
     {Py_tp_new, insert_new}, {Py_tp_methods, mysql_methods}, {Py_tp_getset, mysql_getset});
SPEC(update, "cormorant.sql.dml.Update", "An UPDATE.", {Py_tp_new, update_new}, {Py_tp_methods, update_methods},
     {Py_tp_getset, where_getset});
SPEC(delete, "cormorant.sql.dml.Delete", "A DELETE.", {Py_tp_new, delete_new}, {Py_tp_methods, delete_methods},
     {Py_tp_getset, where_getset});

static PyMethodDef functions[] = {
    {"insert", function_insert, METH_O, "insert(table)\n--\n\nINSERT."},
    {"update", function_update, METH_O, "update(table)\n--\n\nUPDATE."},
    {"delete", function_delete, METH_O, "delete(table)\n--\n\nDELETE."},
    {"sqlite_insert", function_sqlite_insert, METH_O, "insert(table)\n--\n\nINSERT with ON CONFLICT."},
    {"mysql_insert", function_mysql_insert, METH_O, "insert(table)\n--\n\nINSERT with ON DUPLICATE KEY UPDATE."},
    {NULL, NULL, 0, NULL}};

int corm_py_dml_init(PyObject *module) {
    update_methods[2] = corm_py_filter_by_method;
    delete_methods[1] = corm_py_filter_by_method;
    base_type = corm_py_type(module, &base_spec, CormPyStatement_Type);
    if (base_type == NULL || (insert_type = corm_py_type(module, &insert_spec, base_type)) == NULL ||
        (sqlite_insert_type = corm_py_type(module, &sqlite_insert_spec, insert_type)) == NULL ||
        (mysql_insert_type = corm_py_type(module, &mysql_insert_spec, insert_type)) == NULL ||
        (update_type = corm_py_type(module, &update_spec, base_type)) == NULL ||
        (delete_type = corm_py_type(module, &delete_spec, base_type)) == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_INSERT] = insert_type;
    corm_py_view_classes[CORM_NODE_UPDATE] = update_type;
    corm_py_view_classes[CORM_NODE_DELETE] = delete_type;
    return PyModule_AddFunctions(module, functions);
}
