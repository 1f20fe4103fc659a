/*
 * Constraints and indexes of tables, their SQL, and creating and dropping them.
 *
 * Constraints are objects of schema.py; the engine gets them when their table does.
 */
#include "engine.h"
#include "sql.h"

#include "compile/ddl.h"
#include "engine/create.h"
#include "schema/schema.h"

/* ---- arguments ---- */

static corm_table *table_of(PyObject *object) {
    corm_table *table =
        PyObject_TypeCheck(object, CormPyTable_Type) ? corm_node_as_table(corm_py_node_of(object)) : NULL;
    if (table == NULL) {
        PyErr_Format(PyExc_TypeError, "a Table is expected, not '%.200s'", Py_TYPE(object)->tp_name);
    }
    return table;
}

/* Borrowed columns of a list of Columns; 0, or -1 raised. */
static int columns_of(PyObject *list, corm_vector *out) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        corm_column *column =
            PyObject_TypeCheck(item, CormPyColumn_Type) ? corm_node_as_column(corm_py_node_of(item)) : NULL;
        if (column == NULL) {
            PyErr_Format(PyExc_TypeError, "a Column is expected, not '%.200s'", Py_TYPE(item)->tp_name);
            return -1;
        }
        if (corm_vector_push(out, column) != CORM_OK) {
            return corm_py_raise_int();
        }
    }
    return 0;
}

static corm_column *const *items_of(const corm_vector *columns) {
    return (corm_column *const *)(void *)columns->items;
}

static PyObject *done(corm_status status) {
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* ---- constraints ---- */

/* Targets of a foreign key: texts, or Columns. Fills both arrays, which have room for all. */
static int read_targets(PyObject *list, const char **texts, corm_column **columns) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        texts[i] = NULL;
        columns[i] = NULL;
        if (PyUnicode_Check(item)) {
            texts[i] = corm_py_text(item);
        } else if (PyObject_TypeCheck(item, CormPyColumn_Type)) {
            columns[i] = corm_node_as_column(corm_py_node_of(item));
        } else {
            PyErr_SetString(PyExc_TypeError, "a foreign key refers to a name or to a Column");
        }
        if (texts[i] == NULL && columns[i] == NULL) {
            return -1;
        }
    }
    return 0;
}

/* _table_add_foreign_key(table, columns, targets, name, ondelete, onupdate, initially, match, deferrable, use_alter,
 * implicit) */
static PyObject *add_foreign_key(PyObject *module, PyObject *args) {
    PyObject *object, *list, *targets, *deferrable;
    int use_alter, implicit;
    corm_foreign_key_options options = {0};
    corm_vector columns = {0};
    corm_constraint *made;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!O!zzzzzOpp", &object, &PyList_Type, &list, &PyList_Type, &targets, &options.name,
                          &options.ondelete, &options.onupdate, &options.initially, &options.match, &deferrable,
                          &use_alter, &implicit)) {
        return NULL;
    }
    size_t count = (size_t)PyList_GET_SIZE(list);
    corm_table *table = table_of(object);
    if (table == NULL || count != (size_t)PyList_GET_SIZE(targets)) {
        if (table != NULL) {
            PyErr_SetString(PyExc_ValueError, "a foreign key needs a target for each column");
        }
        return NULL;
    }
    options.deferrable_given = deferrable != Py_None;
    options.deferrable = deferrable == Py_True;
    options.use_alter = use_alter != 0;
    const char **texts = PyMem_Calloc(count + 1, sizeof *texts);
    corm_column **target_columns = PyMem_Calloc(count + 1, sizeof *target_columns);
    if (texts == NULL || target_columns == NULL) {
        PyErr_NoMemory();
    } else if (columns_of(list, &columns) == 0 && read_targets(targets, texts, target_columns) == 0) {
        corm_status status =
            corm_table_add_foreign_key(table, items_of(&columns), texts, target_columns, count, &options, &made);
        if (status == CORM_OK) {
            made->implicit = implicit != 0;
        }
        result = done(status);
    }
    corm_vector_clear(&columns);
    PyMem_Free(texts);
    PyMem_Free(target_columns);
    return result;
}

/* _table_add_unique(table, name, columns, implicit) */
static PyObject *add_unique(PyObject *module, PyObject *args) {
    PyObject *object, *list;
    const char *name;
    int implicit;
    corm_vector columns = {0};
    corm_constraint *made;
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "OzO!p", &object, &name, &PyList_Type, &list, &implicit)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    if (table != NULL && columns_of(list, &columns) == 0) {
        corm_status status = corm_table_add_unique(table, name, items_of(&columns), columns.count, &made);
        if (status == CORM_OK) {
            made->implicit = implicit != 0;
        }
        result = done(status);
    }
    corm_vector_clear(&columns);
    return result;
}

static corm_column *column_or_none(PyObject *object) {
    return PyObject_TypeCheck(object, CormPyColumn_Type) ? corm_node_as_column(corm_py_node_of(object)) : NULL;
}

/* _table_add_check(table, name, expression, column, implicit, of_type): column None, or the one that it stands beside;
 * of_type likewise the one whose type it stands for. */
static PyObject *add_check(PyObject *module, PyObject *args) {
    PyObject *object, *expression, *beside, *of_type = Py_None;
    const char *name;
    int implicit;
    corm_constraint *made;
    (void)module;
    if (!PyArg_ParseTuple(args, "OzOOp|O", &object, &name, &expression, &beside, &implicit, &of_type)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    corm_node *node = table == NULL ? NULL : corm_py_node(expression);
    if (node == NULL) {
        return NULL;
    }
    corm_status status = corm_table_add_check(table, name, node, &made);
    corm_node_unref(node);
    if (status == CORM_OK) {
        made->implicit = implicit != 0;
        made->beside = column_or_none(beside);
        made->of_type = column_or_none(of_type);
    }
    return done(status);
}

/* _table_set_primary_key(table, name, columns) */
static PyObject *set_primary_key(PyObject *module, PyObject *args) {
    PyObject *object, *list;
    const char *name;
    corm_vector columns = {0};
    PyObject *result = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "OzO!", &object, &name, &PyList_Type, &list)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    if (table != NULL && columns_of(list, &columns) == 0) {
        result = done(corm_table_set_primary_key(table, name, items_of(&columns), columns.count, NULL));
    }
    corm_vector_clear(&columns);
    return result;
}

/* _table_add_index(table, name, expressions, unique, where, implicit): its position in the table. */
static PyObject *add_index(PyObject *module, PyObject *args) {
    PyObject *object, *list, *where;
    const char *name;
    int unique, implicit;
    corm_vector nodes = {0};
    corm_index *made = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "OzO!pOp", &object, &name, &PyList_Type, &list, &unique, &where, &implicit)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    if (table == NULL || corm_py_nodes(list, false, false, &nodes) < 0) {
        return NULL;
    }
    corm_status status = corm_table_add_index(table, name, corm_py_items(&nodes), nodes.count, unique != 0, &made);
    corm_nodes_unref(&nodes);
    if (status == CORM_OK) {
        made->implicit = implicit != 0;
    }
    if (status == CORM_OK && where != Py_None) {
        corm_node *criterion = corm_py_node(where);
        if (criterion == NULL) {
            return NULL;
        }
        status = corm_index_set_where(made, criterion);
        corm_node_unref(criterion);
    }
    return status == CORM_OK ? PyLong_FromSize_t(table->indexes.count - 1) : corm_py_raise();
}

/* ---- SQL ---- */

static PyObject *text_result(corm_status status, corm_text *text) {
    PyObject *result = status == CORM_OK && corm_text_status(text) == CORM_OK
                           ? PyUnicode_FromStringAndSize(text->data, (Py_ssize_t)text->size)
                           : corm_py_raise();
    corm_text_clear(text);
    return result;
}

/* _ddl_table(table, dialect, drop, if_flag) */
static PyObject *ddl_table(PyObject *module, PyObject *args) {
    PyObject *object;
    const char *name;
    int drop, flag;
    corm_text text = CORM_TEXT_EMPTY;
    (void)module;
    if (!PyArg_ParseTuple(args, "Ospp", &object, &name, &drop, &flag)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    const corm_dialect *dialect = table == NULL ? NULL : corm_dialect_find(name);
    if (dialect == NULL) {
        return table == NULL ? NULL : corm_py_raise();
    }
    return text_result(drop ? corm_ddl_drop_table(dialect, table, flag ? CORM_DDL_IF_EXISTS : 0, &text)
                            : corm_ddl_create_table(dialect, table, flag ? CORM_DDL_IF_NOT_EXISTS : 0, NULL, &text),
                       &text);
}

/* _ddl_index(table, position, dialect, drop, if_flag) */
static PyObject *ddl_index(PyObject *module, PyObject *args) {
    PyObject *object;
    const char *name;
    Py_ssize_t position;
    int drop, flag;
    corm_text text = CORM_TEXT_EMPTY;
    (void)module;
    if (!PyArg_ParseTuple(args, "Onspp", &object, &position, &name, &drop, &flag)) {
        return NULL;
    }
    corm_table *table = table_of(object);
    const corm_dialect *dialect = table == NULL ? NULL : corm_dialect_find(name);
    if (dialect == NULL) {
        return table == NULL ? NULL : corm_py_raise();
    }
    if (position < 0 || (size_t)position >= table->indexes.count) {
        PyErr_SetString(PyExc_IndexError, "no such index");
        return NULL;
    }
    const corm_index *index = table->indexes.items[position];
    return text_result(drop ? corm_ddl_drop_index(dialect, index, flag ? CORM_DDL_IF_EXISTS : 0, &text)
                            : corm_ddl_create_index(dialect, index, flag ? CORM_DDL_IF_NOT_EXISTS : 0, &text),
                       &text);
}

/* ---- creating and dropping ---- */

static corm_connection *begun(PyObject *connection) {
    if (!PyObject_TypeCheck(connection, CormPyConnection_Type)) {
        PyErr_Format(PyExc_TypeError, "a Connection is expected, not '%.200s'", Py_TYPE(connection)->tp_name);
        return NULL;
    }
    return corm_py_connection_begun((CormPyConnection *)connection);
}

/* _create_tables(connection, metadata, tables, checkfirst, drop): tables None: all. In the connection's transaction. */
static PyObject *create_tables(PyObject *module, PyObject *args) {
    PyObject *connection, *metadata, *list;
    int check, drop;
    corm_vector tables = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!Opp", &connection, CormPyMetaData_Type, &metadata, &list, &check, &drop)) {
        return NULL;
    }
    corm_metadata *core = ((CormPyMetaData *)metadata)->metadata;
    corm_connection *open = core == NULL ? NULL : begun(connection);
    PyObject *items = open == NULL || list == Py_None ? NULL : PySequence_List(list);
    if (open == NULL || (list != Py_None && items == NULL)) {
        return NULL;
    }
    for (Py_ssize_t i = 0; items != NULL && i < PyList_GET_SIZE(items); i++) {
        corm_table *table = table_of(PyList_GET_ITEM(items, i));
        if (table == NULL || corm_vector_push(&tables, table) != CORM_OK) {
            if (table != NULL) {
                corm_py_raise();
            }
            corm_vector_clear(&tables);
            Py_DECREF(items);
            return NULL;
        }
    }
    const corm_vector *wanted = items == NULL ? NULL : &tables;
    corm_status status =
        drop ? corm_drop_tables(open, core, wanted, check != 0) : corm_create_tables(open, core, wanted, check != 0);
    corm_vector_clear(&tables);
    Py_XDECREF(items);
    return done(status);
}

/* _run_ddl(connection, sql) */
static PyObject *run_ddl(PyObject *module, PyObject *args) {
    PyObject *connection;
    const char *sql;
    (void)module;
    if (!PyArg_ParseTuple(args, "Os", &connection, &sql)) {
        return NULL;
    }
    corm_connection *open = begun(connection);
    return open == NULL ? NULL : done(corm_connection_run(open, sql));
}

/* ---- collections of columns ---- */

/* _columns(pairs): a collection of (key, column) pairs. */
static PyObject *make_columns(PyObject *module, PyObject *pairs) {
    (void)module;
    PyObject *list = PySequence_List(pairs);
    for (Py_ssize_t i = 0; list != NULL && i < PyList_GET_SIZE(list); i++) {
        PyObject *pair = PyList_GET_ITEM(list, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "pairs of a key and a column are needed");
            Py_CLEAR(list);
        }
    }
    return corm_py_columns_new(list);
}

/* _as_column(object): the Column that an expression is, through mapped attributes. */
static PyObject *make_column_of(PyObject *module, PyObject *object) {
    (void)module;
    corm_node *node = corm_py_column_node(object);
    return node == NULL ? NULL : corm_py_wrap(node);
}

static PyMethodDef functions[] = {
    {"_table_add_foreign_key", add_foreign_key, METH_VARARGS, "Add a foreign key constraint."},
    {"_table_add_unique", add_unique, METH_VARARGS, "Add a unique constraint."},
    {"_table_add_check", add_check, METH_VARARGS, "Add a check constraint."},
    {"_table_set_primary_key", set_primary_key, METH_VARARGS, "Name the primary key, or say its columns."},
    {"_table_add_index", add_index, METH_VARARGS, "Add an index."},
    {"_ddl_table", ddl_table, METH_VARARGS, "CREATE TABLE or DROP TABLE as text."},
    {"_ddl_index", ddl_index, METH_VARARGS, "CREATE INDEX or DROP INDEX as text."},
    {"_create_tables", create_tables, METH_VARARGS, "Create or drop tables."},
    {"_run_ddl", run_ddl, METH_VARARGS, "Run DDL in a connection's transaction."},
    {"_columns", make_columns, METH_O, "A collection of pairs of a key and a column."},
    {"_as_column", make_column_of, METH_O, "The Column that an expression is."},
    {NULL, NULL, 0, NULL}};

int corm_py_ddl_init(PyObject *module) {
    return corm_py_defaults_init(module) < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
