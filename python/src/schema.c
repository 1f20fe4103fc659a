/*
 * MetaData, Table and Column: the engine's schema as Python objects.
 *
 * As long as one view of a metadata, its tables or its columns is alive, all that were made are: a column holds its
 * table, a table its metadata and its columns, a metadata its tables. What a view lacks is made again when asked for.
 * Reading arguments and keeping what the engine does not (info, doc, defaults as objects) is schema.py's part.
 */
#include "sql.h"

#include <structmember.h>

#include "schema/schema.h"

PyTypeObject *CormPyMetaData_Type;
PyTypeObject *CormPyTable_Type;
PyTypeObject *CormPyColumn_Type;

/* ---- MetaData ---- */

static CormPyMetaData *as_metadata(PyObject *object) {
    return (CormPyMetaData *)object;
}

/*
 * Does nothing but views hold the metadata, and does each of them lead back to this one? Then what the engine keeps of
 * Python (defaults that are called, which may refer to the tables again) is as reachable as the views are.
 */
static bool held_by_views_alone(PyObject *self) {
    const corm_metadata *metadata = as_metadata(self)->metadata;
    size_t views = 1;
    for (size_t i = 0; i < metadata->tables.count + metadata->removed.count; i++) {
        const corm_table *table = i < metadata->tables.count ? metadata->tables.items[i]
                                                             : metadata->removed.items[i - metadata->tables.count];
        const CormPyTable *view = table->shared.node.host;
        if (view != NULL && view->metadata != self) {
            return false;
        }
        views += view != NULL;
        for (size_t j = 0; j < table->columns.count + table->replaced.count; j++) {
            const corm_column *column =
                j < table->columns.count ? table->columns.items[j] : table->replaced.items[j - table->columns.count];
            const CormPyColumn *column_view = column->shared.node.host;
            if (column_view != NULL && (view == NULL || column_view->table != (const PyObject *)view)) {
                return false;
            }
            views += column_view != NULL;
        }
    }
    return atomic_load_explicit(&metadata->owner.references, memory_order_relaxed) == views;
}

static int visit_default(const corm_default *content, visitproc visit, void *arg) {
    if (content->kind == CORM_DEFAULT_CALLABLE) {
        Py_VISIT((PyObject *)content->callable);
    }
    return 0;
}

static int visit_defaults(const corm_metadata *metadata, visitproc visit, void *arg) {
    int result = 0;
    for (size_t i = 0; i < metadata->tables.count && result == 0; i++) {
        const corm_table *table = metadata->tables.items[i];
        for (size_t j = 0; j < table->columns.count && result == 0; j++) {
            const corm_column *column = table->columns.items[j];
            result = visit_default(&column->default_value, visit, arg);
            result = result != 0 ? result : visit_default(&column->on_update, visit, arg);
        }
    }
    return result;
}

static int metadata_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_metadata(self)->tables);
    Py_VISIT(as_metadata(self)->dict);
    if (as_metadata(self)->metadata != NULL && held_by_views_alone(self)) {
        return visit_defaults(as_metadata(self)->metadata, visit, arg);
    }
    return 0;
}

static int metadata_clear(PyObject *self) {
    Py_CLEAR(as_metadata(self)->tables);
    Py_CLEAR(as_metadata(self)->dict);
    return 0;
}

static void metadata_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    corm_metadata *metadata = as_metadata(self)->metadata;
    PyObject_GC_UnTrack(self);
    if (metadata != NULL && metadata->host.data == self) {
        metadata->host.data = NULL;
    }
    if (as_metadata(self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    metadata_clear(self);
    corm_metadata_unref(metadata);
    type->tp_free(self);
    Py_DECREF(type);
}

static corm_metadata *core_metadata(PyObject *self) {
    if (as_metadata(self)->metadata == NULL) {
        PyErr_SetString(PyExc_TypeError, "the MetaData was not initialised");
    }
    return as_metadata(self)->metadata;
}

static PyObject *metadata_init(PyObject *self, PyObject *args) {
    const char *schema;
    if (!PyArg_ParseTuple(args, "z", &schema)) {
        return NULL;
    }
    if (as_metadata(self)->metadata != NULL) {
        PyErr_SetString(PyExc_TypeError, "the MetaData was initialised already");
        return NULL;
    }
    corm_metadata *metadata;
    if (corm_metadata_new(schema, &metadata) != CORM_OK) {
        return corm_py_raise();
    }
    as_metadata(self)->metadata = metadata;
    metadata->host.data = self;
    Py_RETURN_NONE;
}

PyObject *corm_py_metadata_view(corm_metadata *metadata) {
    if (metadata->host.data != NULL) {
        return Py_NewRef((PyObject *)metadata->host.data);
    }
    PyObject *cls = PyImport_ImportModule("cormorant.schema");
    Py_XSETREF(cls, cls == NULL ? NULL : corm_py_get(cls, "MetaData"));
    if (cls == NULL) {
        return NULL;
    }
    PyTypeObject *type = (PyTypeObject *)cls;
    CormPyMetaData *view =
        PyType_IsSubtype(type, CormPyMetaData_Type) ? (CormPyMetaData *)type->tp_alloc(type, 0) : NULL;
    Py_DECREF(cls);
    if (view != NULL) {
        view->metadata = corm_metadata_ref(metadata);
        metadata->host.data = view;
    }
    return (PyObject *)view;
}

/* The dictionary of tables, made of all that are there when it is first asked for. Borrowed. */
static PyObject *tables_of(PyObject *self) {
    corm_metadata *metadata = core_metadata(self);
    if (metadata == NULL || as_metadata(self)->tables != NULL) {
        return metadata == NULL ? NULL : as_metadata(self)->tables;
    }
    PyObject *tables = PyDict_New();
    for (size_t i = 0; tables != NULL && i < metadata->tables.count; i++) {
        corm_table *table = metadata->tables.items[i];
        PyObject *view = corm_py_wrap(corm_node_ref(corm_table_node(table)));
        if (view == NULL || PyDict_SetItemString(tables, table->key, view) < 0) {
            Py_CLEAR(tables);
        }
        Py_XDECREF(view);
    }
    if (as_metadata(self)->tables == NULL) {
        as_metadata(self)->tables = tables;
    } else {
        Py_XDECREF(tables);
    }
    return as_metadata(self)->tables;
}

static PyObject *metadata_get_tables(PyObject *self, void *closure) {
    (void)closure;
    return Py_XNewRef(tables_of(self));
}

static PyObject *metadata_get_schema(PyObject *self, void *closure) {
    corm_metadata *metadata = core_metadata(self);
    (void)closure;
    return metadata == NULL           ? NULL
           : metadata->schema == NULL ? Py_NewRef(Py_None)
                                      : PyUnicode_FromString(metadata->schema);
}

static PyObject *metadata_sorted(PyObject *self, PyObject *unused) {
    corm_metadata *metadata = core_metadata(self);
    corm_vector tables = {0};
    PyObject *list = NULL;
    (void)unused;
    if (metadata == NULL) {
        return NULL;
    }
    if (corm_metadata_sorted_tables(metadata, &tables, NULL) != CORM_OK) {
        corm_py_raise();
    } else {
        list = PyList_New(0);
    }
    for (size_t i = 0; list != NULL && i < tables.count; i++) {
        PyObject *view = corm_py_wrap(corm_node_ref(corm_table_node(tables.items[i])));
        if (view == NULL || PyList_Append(list, view) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(view);
    }
    corm_vector_clear(&tables);
    return list;
}

static corm_table *core_table(PyObject *object) {
    corm_table *table =
        PyObject_TypeCheck(object, CormPyTable_Type) ? corm_node_as_table(corm_py_node_of(object)) : NULL;
    if (table == NULL) {
        PyErr_Format(PyExc_TypeError, "a Table is expected, not '%.200s'", Py_TYPE(object)->tp_name);
    }
    return table;
}

static PyObject *metadata_remove(PyObject *self, PyObject *object) {
    corm_metadata *metadata = core_metadata(self);
    corm_table *table = metadata == NULL ? NULL : core_table(object);
    PyObject *tables = table == NULL ? NULL : tables_of(self);
    if (tables == NULL) {
        return NULL;
    }
    if (table->metadata == metadata && !table->removed) {
        corm_metadata_remove(metadata, table);
        if (PyDict_DelItemString(tables, table->key) < 0) {
            PyErr_Clear();
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef metadata_methods[] = {
    {"_init", metadata_init, METH_VARARGS, "_init(schema)\n--\n\nMake the engine's metadata."},
    {"_sorted_tables", metadata_sorted, METH_NOARGS, "_sorted_tables()\n--\n\nTables after those they refer to."},
    {"_remove", metadata_remove, METH_O, "_remove(table)\n--\n\nTake a table out."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef metadata_getset[] = {
    {"_tables", metadata_get_tables, NULL, "Tables by key.", NULL},
    {"schema", metadata_get_schema, NULL, "The default schema of tables, or None.", NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef metadata_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyMetaData, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyMetaData, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyType_Slot metadata_slots[] = {
    {Py_tp_doc, "The base of MetaData."}, {Py_tp_new, PyType_GenericNew},    {Py_tp_dealloc, metadata_dealloc},
    {Py_tp_traverse, metadata_traverse},  {Py_tp_clear, metadata_clear},     {Py_tp_methods, metadata_methods},
    {Py_tp_getset, metadata_getset},      {Py_tp_members, metadata_members}, {0, NULL}};
static PyType_Spec metadata_spec = {.name = "cormorant._engine.MetaDataBase",
                                    .basicsize = sizeof(CormPyMetaData),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                    .slots = metadata_slots};

/* ---- Table ---- */

static CormPyTable *as_table(PyObject *object) {
    return (CormPyTable *)object;
}

static int table_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(as_table(self)->metadata);
    return CormPyFromClause_Type->tp_traverse(self, visit, arg);
}

static int table_clear(PyObject *self) {
    Py_CLEAR(as_table(self)->metadata);
    return CormPyFromClause_Type->tp_clear(self);
}

/* _create(metadata, name, schema, quote): schema "" is none, None the metadata's. */
static PyObject *table_create(PyObject *self, PyObject *args) {
    PyObject *metadata, *quote;
    const char *name, *schema;
    if (!PyArg_ParseTuple(args, "O!szO", CormPyMetaData_Type, &metadata, &name, &schema, &quote)) {
        return NULL;
    }
    corm_metadata *core = core_metadata(metadata);
    PyObject *tables = core == NULL ? NULL : tables_of(metadata);
    corm_table *table;
    if (tables == NULL) {
        return NULL;
    }
    if (corm_table_new(core, name, schema, &table) != CORM_OK) {
        return corm_py_raise();
    }
    table->quote_given = quote != Py_None;
    table->quote = quote == Py_True;
    if (corm_py_adopt(self, corm_node_ref(corm_table_node(table))) < 0 ||
        PyDict_SetItemString(tables, table->key, self) < 0) {
        return NULL;
    }
    Py_XSETREF(as_table(self)->metadata, Py_NewRef(metadata));
    Py_RETURN_NONE;
}

static PyObject *table_get_metadata(PyObject *self, void *closure) {
    corm_table *table = core_table(self);
    (void)closure;
    if (table == NULL) {
        return NULL;
    }
    if (as_table(self)->metadata == NULL) {
        PyObject *view = corm_py_metadata_view(table->metadata);
        if (view == NULL) {
            return NULL;
        }
        Py_XSETREF(as_table(self)->metadata, view);
    }
    return Py_NewRef(as_table(self)->metadata);
}

static PyObject *table_get_text(PyObject *self, void *closure) {
    corm_table *table = core_table(self);
    if (table == NULL) {
        return NULL;
    }
    const char *text = *(char **)(void *)((char *)table + (size_t)(uintptr_t)closure);
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
}

static int table_set_comment(PyObject *self, PyObject *value, void *closure) {
    corm_table *table = core_table(self);
    const char *text;
    (void)closure;
    if (table == NULL || corm_py_text_or_none(value, &text) < 0) {
        return -1;
    }
    return corm_table_set_comment(table, text) == CORM_OK ? 0 : corm_py_raise_int();
}

/* _append_column(column, replace) */
static PyObject *table_append_column(PyObject *self, PyObject *args) {
    PyObject *column;
    int replace;
    corm_table *table = core_table(self);
    if (table == NULL || !PyArg_ParseTuple(args, "O!p", CormPyColumn_Type, &column, &replace)) {
        return NULL;
    }
    corm_column *core = corm_node_as_column(corm_py_node_of(column));
    if (core == NULL) {
        PyErr_SetString(PyExc_TypeError, "the Column was not initialised");
        return NULL;
    }
    if (corm_table_append_column(table, core, replace != 0) != CORM_OK) {
        return corm_py_raise();
    }
    Py_XSETREF(((CormPyColumn *)column)->table, Py_NewRef(self));
    /* Views of columns live as long as the table's: the former collection goes when the new one is there. */
    PyObject *former = as_table(self)->from.collection;
    as_table(self)->from.collection = NULL;
    PyObject *columns = corm_py_get(self, "c");
    Py_XDECREF(columns);
    Py_XDECREF(former);
    return columns == NULL ? NULL : Py_NewRef(Py_None);
}

static PyObject *column_list(const corm_vector *columns) {
    PyObject *list = PyList_New((Py_ssize_t)columns->count);
    for (size_t i = 0; list != NULL && i < columns->count; i++) {
        PyObject *view = corm_py_wrap(corm_node_ref(corm_column_node(columns->items[i])));
        if (view == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, (Py_ssize_t)i, view);
        }
    }
    return list;
}

static PyObject *table_get_primary_key_columns(PyObject *self, void *closure) {
    corm_table *table = core_table(self);
    (void)closure;
    return table == NULL ? NULL : column_list(&table->primary_key);
}

static PyObject *table_get_autoincrement_column(PyObject *self, void *closure) {
    corm_table *table = core_table(self);
    corm_column *column = table == NULL ? NULL : corm_table_autoincrement_column(table);
    (void)closure;
    return table == NULL    ? NULL
           : column == NULL ? Py_NewRef(Py_None)
                            : corm_py_wrap(corm_node_ref(corm_column_node(column)));
}

/* _flags(sqlite_autoincrement, sqlite_without_rowid, sqlite_strict, implicit_returning) */
static PyObject *table_flags(PyObject *self, PyObject *args) {
    int autoincrement, without_rowid, strict, returning;
    corm_table *table = core_table(self);
    if (table == NULL || !PyArg_ParseTuple(args, "pppp", &autoincrement, &without_rowid, &strict, &returning)) {
        return NULL;
    }
    table->sqlite_autoincrement = autoincrement != 0;
    table->sqlite_without_rowid = without_rowid != 0;
    table->sqlite_strict = strict != 0;
    table->implicit_returning = returning != 0;
    Py_RETURN_NONE;
}

static PyObject *table_add_prefix(PyObject *self, PyObject *prefix) {
    corm_table *table = core_table(self);
    const char *text = table == NULL ? NULL : corm_py_text(prefix);
    if (text == NULL) {
        return NULL;
    }
    return corm_table_add_prefix(table, text) == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

static PyMethodDef table_methods[] = {
    {"_create", table_create, METH_VARARGS, "_create(metadata, name, schema, quote)\n--\n\nMake the engine's table."},
    {"_append_column", table_append_column, METH_VARARGS, "_append_column(column, replace)\n--\n\nTake in a column."},
    {"_flags", table_flags, METH_VARARGS,
     "_flags(sqlite_autoincrement, sqlite_without_rowid, sqlite_strict, implicit_returning)\n--\n\nSet options."},
    {"_add_prefix", table_add_prefix, METH_O, "_add_prefix(text)\n--\n\nText after CREATE."},
    {NULL, NULL, 0, NULL}};
#define TABLE_TEXT(name, member, doc)                                                                                  \
    { name, table_get_text, NULL, doc, (void *)(uintptr_t)offsetof(corm_table, member) }
static PyGetSetDef table_getset[] = {
    {"metadata", table_get_metadata, NULL, "The MetaData.", NULL},
    TABLE_TEXT("name", name, "The name."),
    TABLE_TEXT("description", name, "The name."),
    TABLE_TEXT("schema", schema, "The schema, or None."),
    TABLE_TEXT("key", key, "The name, with the schema before it."),
    TABLE_TEXT("fullname", key, "The name, with the schema before it."),
    {"comment", table_get_text, table_set_comment, "The comment, or None.",
     (void *)(uintptr_t)offsetof(corm_table, comment)},
    {"_primary_key_columns", table_get_primary_key_columns, NULL, "The columns of the primary key.", NULL},
    {"_autoincrement_column", table_get_autoincrement_column, NULL, "The column that the database numbers, or None.",
     NULL},
    {"autoincrement_column", table_get_autoincrement_column, NULL, "The column that the database numbers, or None.",
     NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot table_slots[] = {{Py_tp_doc, "The base of Table and of table()."},
                                    {Py_tp_dealloc, corm_py_element_dealloc},
                                    {Py_tp_traverse, table_traverse},
                                    {Py_tp_clear, table_clear},
                                    {Py_tp_methods, table_methods},
                                    {Py_tp_getset, table_getset},
                                    {0, NULL}};
static PyType_Spec table_spec = {.name = "cormorant.sql.selectable.TableClause",
                                 .basicsize = sizeof(CormPyTable),
                                 .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                 .slots = table_slots};

/* ---- Column ---- */

static CormPyColumn *as_column(PyObject *object) {
    return (CormPyColumn *)object;
}

static corm_column *core_column(PyObject *object) {
    corm_column *column = corm_node_as_column(corm_py_node_of(object));
    if (column == NULL) {
        PyErr_SetString(PyExc_TypeError, "the Column was not initialised");
    }
    return column;
}

static int column_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(as_column(self)->table);
    Py_VISIT(as_column(self)->type);
    return corm_py_element_traverse(self, visit, arg);
}

static int column_clear(PyObject *self) {
    Py_CLEAR(as_column(self)->table);
    Py_CLEAR(as_column(self)->type);
    return corm_py_element_clear(self);
}

/* _init(name, type): name and type may be None, to come later. */
static PyObject *column_init(PyObject *self, PyObject *args) {
    const char *name;
    PyObject *type;
    corm_column *column;
    if (!PyArg_ParseTuple(args, "zO", &name, &type)) {
        return NULL;
    }
    corm_type *core = corm_py_sql_type(type);
    if (core == NULL) {
        return NULL;
    }
    corm_status status = corm_column_new(name, core, &column);
    corm_type_unref(core);
    if (status != CORM_OK) {
        return corm_py_raise();
    }
    if (corm_py_adopt(self, corm_column_node(column)) < 0) {
        return NULL;
    }
    Py_XSETREF(as_column(self)->type, type == Py_None ? NULL : Py_NewRef(type));
    Py_RETURN_NONE;
}

static PyObject *column_get_text(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    if (column == NULL) {
        return NULL;
    }
    const char *text = *(char **)(void *)((char *)column + (size_t)(uintptr_t)closure);
    return text == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(text);
}

static int set_text(PyObject *self, PyObject *value, corm_status (*set)(corm_column *column, const char *text)) {
    corm_column *column = core_column(self);
    const char *text;
    if (column == NULL || corm_py_text_or_none(value, &text) < 0) {
        return -1;
    }
    return set(column, text) == CORM_OK ? 0 : corm_py_raise_int();
}

static int column_set_name(PyObject *self, PyObject *value, void *closure) {
    (void)closure;
    return set_text(self, value, corm_column_set_name);
}

static int column_set_key(PyObject *self, PyObject *value, void *closure) {
    (void)closure;
    return set_text(self, value, corm_column_set_key);
}

static int column_set_comment(PyObject *self, PyObject *value, void *closure) {
    (void)closure;
    return set_text(self, value, corm_column_set_comment);
}

static PyObject *column_get_table(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    if (column == NULL || column->table == NULL) {
        return column == NULL ? NULL : Py_NewRef(Py_None);
    }
    if (as_column(self)->table == NULL) {
        PyObject *view = corm_py_wrap(corm_node_ref(corm_table_node(column->table)));
        if (view == NULL) {
            return NULL;
        }
        Py_XSETREF(as_column(self)->table, view);
    }
    return Py_NewRef(as_column(self)->table);
}

/* The type of a column that was not given one is that of the column it refers to, once that is there. */
static void find_type(corm_column *column) {
    for (size_t i = 0; i < column->foreign_keys.count && corm_column_type(column)->kind == CORM_TYPE_NULL; i++) {
        corm_column *target;
        if (corm_foreign_key_resolve(column->foreign_keys.items[i], &target) != CORM_OK) {
            corm_error_clear();
        }
    }
}

static PyObject *column_get_type(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    if (column == NULL) {
        return NULL;
    }
    if (as_column(self)->type != NULL) {
        return Py_NewRef(as_column(self)->type);
    }
    find_type(column);
    return corm_py_type_object(corm_column_type(column));
}

static int column_set_type(PyObject *self, PyObject *value, void *closure) {
    corm_column *column = core_column(self);
    corm_type *type = column == NULL || value == NULL ? NULL : corm_py_sql_type(value);
    (void)closure;
    if (type == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_AttributeError, "a column's type cannot be deleted");
        }
        return -1;
    }
    corm_column_set_type(column, type);
    corm_type_unref(type);
    Py_XSETREF(as_column(self)->type, Py_NewRef(value));
    return 0;
}

static PyObject *column_get_primary_key(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    return column == NULL ? NULL : PyBool_FromLong(column->primary_key);
}

static int column_set_primary_key(PyObject *self, PyObject *value, void *closure) {
    corm_column *column = core_column(self);
    int truth = column == NULL || value == NULL ? -1 : PyObject_IsTrue(value);
    (void)closure;
    if (truth < 0) {
        return -1;
    }
    if (column->table != NULL) {
        PyErr_SetString(PyExc_AttributeError, "the primary key of a table is set with its columns");
        return -1;
    }
    corm_column_set_primary_key(column, truth != 0);
    return 0;
}

static PyObject *column_get_nullable(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    return column == NULL ? NULL : PyBool_FromLong(column->nullable);
}

static int column_set_nullable(PyObject *self, PyObject *value, void *closure) {
    corm_column *column = core_column(self);
    int truth = column == NULL || value == NULL ? -1 : PyObject_IsTrue(value);
    (void)closure;
    if (truth >= 0) {
        corm_column_set_nullable(column, truth != 0);
    }
    return truth < 0 ? -1 : 0;
}

static PyObject *column_get_nullable_given(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    return column == NULL ? NULL : PyBool_FromLong(column->nullable_given);
}

static PyObject *column_get_autoincrement(PyObject *self, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    if (column == NULL) {
        return NULL;
    }
    return column->autoincrement == CORM_AUTOINCREMENT_AUTO
               ? PyUnicode_FromString("auto")
               : PyBool_FromLong(column->autoincrement == CORM_AUTOINCREMENT_YES);
}

static int column_set_autoincrement(PyObject *self, PyObject *value, void *closure) {
    corm_column *column = core_column(self);
    (void)closure;
    if (column == NULL || value == NULL) {
        return -1;
    }
    if (PyUnicode_Check(value)) {
        bool ignores = PyUnicode_CompareWithASCIIString(value, "ignore_fk") == 0;
        column->autoincrement = ignores ? CORM_AUTOINCREMENT_YES : CORM_AUTOINCREMENT_AUTO;
        return 0;
    }
    int truth = PyObject_IsTrue(value);
    if (truth >= 0) {
        column->autoincrement = truth ? CORM_AUTOINCREMENT_YES : CORM_AUTOINCREMENT_NO;
    }
    return truth < 0 ? -1 : 0;
}

/* _set_quote(quote), _set_system(system) */
static PyObject *column_set_quote(PyObject *self, PyObject *args) {
    corm_column *column = core_column(self);
    PyObject *quote;
    int system;
    if (column == NULL || !PyArg_ParseTuple(args, "Op", &quote, &system)) {
        return NULL;
    }
    column->quote_given = quote != Py_None;
    column->quote = quote == Py_True;
    column->system = system != 0;
    Py_RETURN_NONE;
}

static void release_callable(void *callable) {
    PyGILState_STATE lock = PyGILState_Ensure();
    Py_DECREF((PyObject *)callable);
    PyGILState_Release(lock);
}

/* _set_default(on_update, kind, value): kind 'value', 'callable', 'expression'. */
static PyObject *column_set_default(PyObject *self, PyObject *args) {
    corm_column *column = core_column(self);
    int on_update;
    const char *kind;
    PyObject *value;
    corm_status status = CORM_OK;
    if (column == NULL || !PyArg_ParseTuple(args, "psO", &on_update, &kind, &value)) {
        return NULL;
    }
    if (strcmp(kind, "callable") == 0) {
        corm_column_set_default_callable(column, on_update != 0, Py_NewRef(value), release_callable);
    } else if (strcmp(kind, "expression") == 0) {
        corm_node *node = corm_py_node(value);
        if (node != NULL && corm_node_is_select(node)) {
            corm_node *scalar = corm_scalar_subquery(node);
            corm_node_unref(node);
            node = scalar;
        }
        if (node == NULL) {
            return PyErr_Occurred() ? NULL : corm_py_raise();
        }
        status = corm_column_set_default_expression(column, on_update != 0, node);
        corm_node_unref(node);
    } else {
        corm_value plain;
        status = corm_py_to_value(value, &plain);
        if (status == CORM_OK) {
            status = corm_column_set_default_value(column, on_update != 0, &plain);
        }
    }
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* _set_server_default(text or expression) */
static PyObject *column_set_server_default(PyObject *self, PyObject *value) {
    corm_column *column = core_column(self);
    corm_status status;
    if (column == NULL) {
        return NULL;
    }
    if (value == Py_None) {
        status = corm_column_set_server_default(column, NULL, NULL);
    } else if (PyUnicode_Check(value)) {
        const char *text = corm_py_text(value);
        if (text == NULL) {
            return NULL;
        }
        status = corm_column_set_server_default(column, text, NULL);
    } else {
        corm_node *node = corm_py_node(value);
        if (node == NULL) {
            return NULL;
        }
        status = corm_column_set_server_default(column, NULL, node);
        corm_node_unref(node);
    }
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* _set_computed(expression, persisted) */
static PyObject *column_set_computed(PyObject *self, PyObject *args) {
    corm_column *column = core_column(self);
    PyObject *expression;
    int persisted;
    if (column == NULL || !PyArg_ParseTuple(args, "Op", &expression, &persisted)) {
        return NULL;
    }
    corm_node *node = corm_py_node(expression);
    corm_status status = node == NULL ? CORM_OK : corm_column_set_computed(column, node, persisted != 0);
    if (node == NULL) {
        return NULL;
    }
    corm_node_unref(node);
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* _set_sequence(next_value, optional) */
static PyObject *column_set_sequence(PyObject *self, PyObject *args) {
    corm_column *column = core_column(self);
    PyObject *next;
    int optional;
    if (column == NULL || !PyArg_ParseTuple(args, "Op", &next, &optional)) {
        return NULL;
    }
    corm_node *node = corm_py_node(next);
    if (node == NULL) {
        return NULL;
    }
    corm_status status = corm_column_set_sequence(column, node, optional != 0);
    corm_node_unref(node);
    return status == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* _set_identity(words) */
static PyObject *column_set_identity(PyObject *self, PyObject *words) {
    corm_column *column = core_column(self);
    const char *text = column == NULL ? NULL : corm_py_text(words);
    if (text == NULL) {
        return NULL;
    }
    return corm_column_set_identity(column, text) == CORM_OK ? Py_NewRef(Py_None) : corm_py_raise();
}

/* _foreign_keys_of(): what the engine knows: (target, ondelete, onupdate, resolves) of each. */
static PyObject *column_foreign_keys(PyObject *self, PyObject *unused) {
    corm_column *column = core_column(self);
    PyObject *list = column == NULL ? NULL : PyList_New(0);
    (void)unused;
    for (size_t i = 0; list != NULL && i < column->foreign_keys.count; i++) {
        corm_foreign_key *key = column->foreign_keys.items[i];
        const corm_constraint *constraint = key->constraint;
        PyObject *target = key->target != NULL ? PyUnicode_FromString(key->target)
                                               : corm_py_wrap(corm_node_ref(corm_column_node(key->column)));
        PyObject *item = target == NULL ? NULL
                                        : Py_BuildValue("Ozz", target, constraint == NULL ? NULL : constraint->ondelete,
                                                        constraint == NULL ? NULL : constraint->onupdate);
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(target);
        Py_XDECREF(item);
    }
    return list;
}

/* _resolve_foreign_key(index): the column that the index-th key refers to. */
static PyObject *column_resolve(PyObject *self, PyObject *index) {
    corm_column *column = core_column(self), *target;
    size_t at = column == NULL ? 0 : PyLong_AsSize_t(index);
    if (column == NULL || PyErr_Occurred()) {
        return NULL;
    }
    if (at >= column->foreign_keys.count) {
        PyErr_SetString(PyExc_IndexError, "no such foreign key");
        return NULL;
    }
    if (corm_foreign_key_resolve(column->foreign_keys.items[at], &target) != CORM_OK) {
        return corm_py_raise();
    }
    return corm_py_wrap(corm_node_ref(corm_column_node(target)));
}

static PyMethodDef column_methods[] = {
    {"_init", column_init, METH_VARARGS, "_init(name, type)\n--\n\nMake the engine's column."},
    {"_set_quote", column_set_quote, METH_VARARGS, "_set_quote(quote, system)\n--\n\nSet options."},
    {"_set_default", column_set_default, METH_VARARGS, "_set_default(on_update, kind, value)\n--\n\nSet a default."},
    {"_set_server_default", column_set_server_default, METH_O, "_set_server_default(value)\n--\n\nSet DEFAULT."},
    {"_set_computed", column_set_computed, METH_VARARGS,
     "_set_computed(expression, persisted)\n--\n\nGENERATED ALWAYS AS."},
    {"_set_sequence", column_set_sequence, METH_VARARGS,
     "_set_sequence(next_value, optional)\n--\n\nA sequence as its default."},
    {"_set_identity", column_set_identity, METH_O, "_set_identity(words)\n--\n\nGENERATED AS IDENTITY."},
    {"_core_foreign_keys", column_foreign_keys, METH_NOARGS,
     "_core_foreign_keys()\n--\n\nWhat the engine knows of them."},
    {"_resolve_foreign_key", column_resolve, METH_O,
     "_resolve_foreign_key(index)\n--\n\nThe column that a key refers to."},
    {NULL, NULL, 0, NULL}};
#define COLUMN_TEXT(name, member, set, doc)                                                                            \
    { name, column_get_text, set, doc, (void *)(uintptr_t)offsetof(corm_column, member) }
static PyGetSetDef column_getset[] = {
    COLUMN_TEXT("name", name, column_set_name, "The name in SQL, or None."),
    COLUMN_TEXT("key", key, column_set_key, "The name in table.c, or None."),
    COLUMN_TEXT("comment", comment, column_set_comment, "The comment, or None."),
    {"table", column_get_table, NULL, "The Table, or None.", NULL},
    {"type", column_get_type, column_set_type, "The SQL type.", NULL},
    {"primary_key", column_get_primary_key, column_set_primary_key, "Part of the primary key.", NULL},
    {"nullable", column_get_nullable, column_set_nullable, "May be NULL.", NULL},
    {"_nullable_given", column_get_nullable_given, NULL, "Whether nullable was said.", NULL},
    {"autoincrement", column_get_autoincrement, column_set_autoincrement, "'auto', True or False.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot column_slots[] = {{Py_tp_doc, "The base of Column."},
                                     {Py_tp_dealloc, corm_py_element_dealloc},
                                     {Py_tp_traverse, column_traverse},
                                     {Py_tp_clear, column_clear},
                                     {Py_tp_methods, column_methods},
                                     {Py_tp_getset, column_getset},
                                     {0, NULL}};
static PyType_Spec column_spec = {.name = "cormorant._engine.ColumnBase",
                                  .basicsize = sizeof(CormPyColumn),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = column_slots};

int corm_py_schema_init(PyObject *module) {
    CormPyMetaData_Type = corm_py_type(module, &metadata_spec, NULL);
    CormPyTable_Type = corm_py_type(module, &table_spec, CormPyFromClause_Type);
    CormPyColumn_Type = corm_py_type(module, &column_spec, CormPyColumnClause_Type);
    if (CormPyMetaData_Type == NULL || CormPyTable_Type == NULL || CormPyColumn_Type == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_TABLE] = CormPyTable_Type;
    corm_py_view_classes[CORM_NODE_COLUMN] = CormPyColumn_Type;
    return corm_py_ddl_init(module);
}
