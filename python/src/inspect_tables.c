/*
 * What the engine found in a live schema, as plain Python: engine/reflection.py makes the documented dictionaries of it.
 *
 * Tables, columns and keys are tuples in the order that reflection.py names them in.
 */
#include "engine.h"

#include "base/alloc.h"
#include "engine/inspect.h"

/* A type as the arguments of types._of(). */
static PyObject *type_tuple(const corm_type *type) {
    return Py_BuildValue("(iiiiOOzz)", (int)type->kind, type->length, type->precision, type->scale,
                         type->as_decimal ? Py_True : Py_False, type->timezone ? Py_True : Py_False, type->name,
                         type->collation);
}

static PyObject *column_tuple(const corm_found_column *column) {
    return Py_BuildValue("(zzNOzOzzOzzzz)", column->name, column->type_text, type_tuple(column->type),
                         column->nullable ? Py_True : Py_False, column->default_text,
                         column->autoincrement ? Py_True : Py_False, column->comment, column->computed,
                         column->persisted ? Py_True : Py_False, column->identity, column->identity_options,
                         column->collation, column->type_name);
}

static PyObject *part_list(const corm_found_key *key) {
    PyObject *parts = PyList_New((Py_ssize_t)key->part_count);
    Py_ssize_t place = 0;
    for (const corm_found_part *part = key->parts; parts != NULL && part != NULL; part = part->next) {
        PyObject *made = Py_BuildValue("(zzzzzO)", part->column, part->expression, part->referred, part->order,
                                       part->length, part->included ? Py_True : Py_False);
        if (made == NULL) {
            Py_CLEAR(parts);
        } else {
            PyList_SET_ITEM(parts, place++, made);
        }
    }
    return parts;
}

static PyObject *key_tuple(const corm_found_key *key) {
    return Py_BuildValue("(izNzzzzzOOzzzz)", (int)key->kind, key->name, part_list(key), key->referred_schema,
                         key->referred_table, key->on_update, key->on_delete, key->initially,
                         key->deferrable < 0   ? Py_None
                         : key->deferrable > 0 ? Py_True
                                               : Py_False,
                         key->unique ? Py_True : Py_False, key->where, key->method, key->comment, key->constraint);
}

/* Append and let go of `made`. */
static int append(PyObject *list, PyObject *made) {
    int failed = made == NULL || PyList_Append(list, made) < 0;
    Py_XDECREF(made);
    return failed ? -1 : 0;
}

static PyObject *table_tuple(const corm_found_table *table) {
    PyObject *columns = PyList_New(0), *keys = PyList_New(0);
    int failed = columns == NULL || keys == NULL;
    for (const corm_found_column *column = table->columns; column != NULL && !failed; column = column->next) {
        failed = append(columns, column_tuple(column)) < 0;
    }
    for (const corm_found_key *key = table->keys; key != NULL && !failed; key = key->next) {
        failed = append(keys, key_tuple(key)) < 0;
    }
    if (failed) {
        Py_XDECREF(columns);
        Py_XDECREF(keys);
        return NULL;
    }
    return Py_BuildValue("(zzzzNN)", table->name, table->type, table->comment, table->sql, columns, keys);
}

static PyObject *found_list(const corm_found *found) {
    PyObject *list = PyList_New(0);
    for (const corm_found_table *table = found->tables; table != NULL && list != NULL; table = table->next) {
        if (append(list, table_tuple(table)) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* The names of a sequence: borrowed from it. */
static const char **names_of(PyObject *sequence, Py_ssize_t count) {
    const char **names = PyMem_Calloc((size_t)count + 1, sizeof *names);
    if (names == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        names[i] = PyUnicode_AsUTF8(PyTuple_GET_ITEM(sequence, i));
        if (names[i] == NULL) {
            PyMem_Free(names);
            return NULL;
        }
    }
    return names;
}

/* _inspect_tables(connection, schema, names, kinds): names a tuple, or None for all. */
static PyObject *inspect_tables(PyObject *module, PyObject *args) {
    PyObject *connection, *wanted;
    const char *schema;
    unsigned kinds;
    corm_found *found;
    (void)module;
    if (!PyArg_ParseTuple(args, "OzOI", &connection, &schema, &wanted, &kinds)) {
        return NULL;
    }
    if (wanted != Py_None && !PyTuple_Check(wanted)) {
        return PyErr_Format(PyExc_TypeError, "names are a tuple or None");
    }
    Py_ssize_t count = wanted == Py_None ? 0 : PyTuple_GET_SIZE(wanted);
    if (wanted != Py_None && count == 0) {
        return PyList_New(0);
    }
    corm_connection *core = corm_py_connection_borrow(connection);
    const char **names = core == NULL ? NULL : names_of(wanted, count);
    if (names == NULL) {
        return NULL;
    }
    corm_status status = corm_inspect_tables(core, schema, names, (size_t)count, kinds, &found);
    PyMem_Free(names);
    if (status != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *list = found_list(found);
    corm_found_free(found);
    return list;
}

static PyObject *inspect_schemas(PyObject *module, PyObject *connection) {
    corm_vector names = {0};
    (void)module;
    corm_connection *core = corm_py_connection_borrow(connection);
    if (core == NULL) {
        return NULL;
    }
    corm_status status = corm_inspect_schema_names(core, &names);
    PyObject *list = status == CORM_OK ? PyList_New(0) : corm_py_raise();
    for (size_t i = 0; i < names.count; i++) {
        if (list != NULL && append(list, PyUnicode_FromString(names.items[i])) < 0) {
            Py_CLEAR(list);
        }
        corm_free(names.items[i]);
    }
    corm_vector_clear(&names);
    return list;
}

static PyObject *inspect_default_schema(PyObject *module, PyObject *connection) {
    char *name;
    (void)module;
    corm_connection *core = corm_py_connection_borrow(connection);
    if (core == NULL) {
        return NULL;
    }
    if (corm_inspect_default_schema(core, &name) != CORM_OK) {
        return corm_py_raise();
    }
    PyObject *text = name == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(name);
    corm_free(name);
    return text;
}

static PyMethodDef functions[] = {
    {"_inspect_tables", inspect_tables, METH_VARARGS,
     "_inspect_tables(connection, schema, names, kinds)\n--\n\nDescribe relations of a live schema."},
    {"_inspect_schemas", inspect_schemas, METH_O, "_inspect_schemas(connection)\n--\n\nNames of schemas."},
    {"_inspect_default_schema", inspect_default_schema, METH_O,
     "_inspect_default_schema(connection)\n--\n\nThe default schema's name, or None."},
    {NULL, NULL, 0, NULL}};

int corm_py_inspect_tables_init(PyObject *module) {
    return PyModule_AddFunctions(module, functions);
}
