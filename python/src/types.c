/*
 * SQL types as Python sees them: the base of every type class in cormorant.types.
 *
 * A type object holds the engine's type. One that converts values in Python is behind it as its host: engine's type and
 * object then hold each other, which the collector sees as long as nothing else holds the engine's.
 */
#include "sql.h"
#include "type_values.h"

#include <structmember.h>

#include "dialect/dialect.h"

PyTypeObject *CormPyTypeEngine_Type;

static CormPyType *as_type(PyObject *object) {
    return (CormPyType *)object;
}

static PyObject *type_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    CormPyType *self = (CormPyType *)cls->tp_alloc(cls, 0);
    if (self != NULL) {
        self->type = corm_type_ref(corm_type_of_kind(CORM_TYPE_NULL));
    }
    return (PyObject *)self;
}

static void release_host(void *host) {
    PyGILState_STATE lock = PyGILState_Ensure();
    Py_DECREF((PyObject *)host);
    PyGILState_Release(lock);
}

/* A tuple of texts as a list with a NULL at the end, which points into it; NULL raised. */
static const char **labels_of(PyObject *labels) {
    Py_ssize_t count = PyTuple_GET_SIZE(labels);
    const char **texts = PyMem_Calloc((size_t)count + 1, sizeof *texts);
    if (texts == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; texts != NULL && i < count; i++) {
        texts[i] = corm_py_text(PyTuple_GET_ITEM(labels, i));
        if (texts[i] == NULL) {
            PyMem_Free(texts);
            texts = NULL;
        }
    }
    return texts;
}

/* A new type of the options, whose own type is the object where it converts values or differs between databases. */
static int set_type(PyObject *self, int kind, const corm_type_options *options, PyObject *host, int adapts) {
    bool plain = options->length < 0 && options->precision < 0 && options->scale < 0 && !options->timezone &&
                 options->name == NULL && options->collation == NULL && host == Py_None && !adapts &&
                 options->labels == NULL && options->item == NULL && options->as_decimal == (kind == CORM_TYPE_NUMERIC);
    corm_type *type = corm_type_new((corm_type_kind)kind, plain ? NULL : options);
    if (type == NULL) {
        return corm_py_raise_int();
    }
    type->host = host == Py_None || plain ? NULL : Py_NewRef(host);
    type->adapter = adapts ? Py_NewRef(self) : NULL;
    if (!plain) {
        type->host_release = release_host;
    }
    corm_type *former = as_type(self)->type;
    as_type(self)->type = type;
    as_type(self)->made = true;
    corm_type_unref(former);
    for (size_t i = 0; i < CORM_PY_DIALECTS; i++) {
        Py_CLEAR(as_type(self)->adapted[i]);
    }
    return 0;
}

/* _convert_by(letter, first, second): how values are converted, and with what. */
static PyObject *type_convert_by(PyObject *self, PyObject *args) {
    const char *letter;
    PyObject *first = Py_None, *second = Py_None;
    if (!PyArg_ParseTuple(args, "s|OO", &letter, &first, &second)) {
        return NULL;
    }
    if (*letter == CORM_PY_ARRAY && (!PyObject_TypeCheck(first, CormPyTypeEngine_Type) || !PyTuple_Check(second) ||
                                     PyTuple_GET_SIZE(second) != 2)) {
        PyErr_SetString(PyExc_TypeError, "an array needs the type of its items");
        return NULL;
    }
    if (*letter == CORM_PY_ENUM && (!PyDict_Check(first) || !PyDict_Check(second))) {
        PyErr_SetString(PyExc_TypeError, "an enumeration needs dictionaries");
        return NULL;
    }
    as_type(self)->converts = *letter;
    Py_XSETREF(as_type(self)->data[0], Py_NewRef(first));
    Py_XSETREF(as_type(self)->data[1], Py_NewRef(second));
    Py_RETURN_NONE;
}

static PyObject *type_bind(PyObject *self, PyObject *value) {
    return as_type(self)->converts == CORM_PY_METHODS ? Py_NewRef(value) : corm_py_type_bind(self, value);
}

static PyObject *type_result(PyObject *self, PyObject *value) {
    return as_type(self)->converts == CORM_PY_METHODS ? Py_NewRef(value) : corm_py_type_result(self, value);
}

static int make_if_late(PyObject *self);

static PyObject *type_set(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"kind", "length", "precision", "scale",  "as_decimal", "timezone",   "name", "collation",
                            "host", "adapts", "schema",    "labels", "item",       "dimensions", NULL};
    int kind, length, precision, scale, as_decimal, timezone, adapts = 0, dimensions = 0;
    const char *name, *collation, *schema = NULL;
    PyObject *host, *given = Py_None, *item = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iiiippzzO|pzOOi", names, &kind, &length, &precision, &scale,
                                     &as_decimal, &timezone, &name, &collation, &host, &adapts, &schema, &given, &item,
                                     &dimensions)) {
        return NULL;
    }
    if (kind < 0 || kind >= CORM_TYPE_KIND_COUNT) {
        PyErr_SetString(PyExc_ValueError, "no such kind of type");
        return NULL;
    }
    corm_type_options options = {.length = length,
                                 .precision = precision,
                                 .scale = scale,
                                 .as_decimal = as_decimal,
                                 .timezone = timezone,
                                 .name = name,
                                 .collation = collation};
    if (given != Py_None && !PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "labels are a tuple");
        return NULL;
    }
    const char **labels = given == Py_None ? NULL : labels_of(given);
    if (given != Py_None && labels == NULL) {
        return NULL;
    }
    options.labels = labels;
    options.schema = schema;
    options.dimensions = dimensions;
    if (item != Py_None) {
        if (!PyObject_TypeCheck(item, CormPyTypeEngine_Type) || make_if_late(item) < 0) {
            PyMem_Free(labels);
            return PyErr_Occurred() != NULL ? NULL : PyErr_Format(PyExc_TypeError, "an item's type is a type object");
        }
        options.item = as_type(item)->type;
    }
    int failed = set_type(self, kind, &options, host, adapts);
    PyMem_Free(labels);
    return failed < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- the types that databases have ---- */

static int dialect_number(const char *name) {
    static const char *const names[CORM_PY_DIALECTS] = {"sqlite", "postgresql", "mysql", "mariadb", "default"};
    for (int i = 0; i < CORM_PY_DIALECTS; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static int make_if_late(PyObject *self) {
    PyObject *late = as_type(self)->made ? Py_NewRef(Py_None) : corm_py_call(self, "_make_late", NULL);
    Py_XDECREF(late);
    return late == NULL ? -1 : 0;
}

/* The object of the type that a database has for this one, which keeps it: borrowed, NULL raised. */
static PyObject *adapted_object(PyObject *self, const char *dialect) {
    int number = dialect_number(dialect);
    PyObject **place = number < 0 ? NULL : &as_type(self)->adapted[number];
    if (make_if_late(self) < 0) {
        return NULL;
    }
    if (as_type(self)->type->adapter == NULL || place == NULL) {
        return self;
    }
    if (*place == NULL) {
        PyObject *made = corm_py_call(self, "_adapted", "s", dialect);
        if (made != NULL && !PyObject_TypeCheck(made, CormPyTypeEngine_Type)) {
            PyErr_Format(PyExc_TypeError, "'%.100s' is no SQL type", Py_TYPE(made)->tp_name);
            Py_CLEAR(made);
        }
        if (made == NULL || make_if_late(made) < 0) {
            Py_XDECREF(made);
            return NULL;
        }
        Py_XSETREF(*place, made);
    }
    return *place;
}

static corm_type *adapt(corm_type *type, const char *dialect) {
    PyObject *found = adapted_object((PyObject *)type->adapter, dialect);
    if (found == NULL) {
        corm_py_error();
        return NULL;
    }
    return as_type(found)->type;
}

static PyObject *type_on(PyObject *self, PyObject *name) {
    const char *dialect = corm_py_text(name);
    return dialect == NULL ? NULL : Py_XNewRef(adapted_object(self, dialect));
}

static PyObject *labels_tuple(const corm_type *type) {
    Py_ssize_t count = 0;
    while (type->labels != NULL && type->labels[count] != NULL) {
        count++;
    }
    PyObject *labels = PyTuple_New(count);
    for (Py_ssize_t i = 0; labels != NULL && i < count; i++) {
        PyObject *label = PyUnicode_FromString(type->labels[i]);
        if (label == NULL) {
            Py_CLEAR(labels);
            break;
        }
        PyTuple_SET_ITEM(labels, i, label);
    }
    return labels;
}

static PyObject *item_object(const corm_type *type) {
    return type->item == NULL ? Py_NewRef(Py_None) : corm_py_type_object(type->item);
}

static PyObject *labels_or_none(const corm_type *type) {
    return type->labels == NULL ? Py_NewRef(Py_None) : labels_tuple(type);
}

/* The type's kind and arguments: those of _set() before and after the host. */
static PyObject *type_describe(PyObject *self, PyObject *unused) {
    const corm_type *type = as_type(self)->type;
    (void)unused;
    return Py_BuildValue("iiiiOOzzzNNi", type->kind, type->length, type->precision, type->scale,
                         type->as_decimal ? Py_True : Py_False, type->timezone ? Py_True : Py_False, type->name,
                         type->collation, type->schema, labels_or_none(type), item_object(type), type->dimensions);
}

static PyObject *type_spelling(PyObject *self, PyObject *args) {
    const char *dialect_name = "default";
    if (!PyArg_ParseTuple(args, "|s", &dialect_name)) {
        return NULL;
    }
    const corm_dialect *dialect = corm_dialect_find(dialect_name);
    corm_text text = CORM_TEXT_EMPTY;
    PyObject *adapted = dialect == NULL ? NULL : adapted_object(self, dialect_name);
    if (dialect != NULL && adapted == NULL) {
        return NULL;
    }
    if (dialect == NULL || dialect->type_name(as_type(adapted)->type, &text) != CORM_OK ||
        corm_text_status(&text) != CORM_OK) {
        corm_text_clear(&text);
        return corm_py_raise();
    }
    PyObject *result = PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.size);
    corm_text_clear(&text);
    return result;
}

static PyObject *type_equals(PyObject *self, PyObject *other) {
    return PyBool_FromLong(PyObject_TypeCheck(other, CormPyTypeEngine_Type) &&
                           corm_type_equal(as_type(self)->type, as_type(other)->type));
}

/* How often the type, which nothing else holds, holds the object. */
static int holds_itself(PyObject *self) {
    const corm_type *type = as_type(self)->type;
    bool alone = type != NULL && (type->host == self || type->adapter == self) &&
                 atomic_load_explicit(&type->references, memory_order_relaxed) == 1;
    return alone ? (type->host == self) + (type->adapter == self) : 0;
}

static int type_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_type(self)->dict);
    Py_VISIT(as_type(self)->data[0]);
    Py_VISIT(as_type(self)->data[1]);
    for (size_t i = 0; i < CORM_PY_DIALECTS; i++) {
        Py_VISIT(as_type(self)->adapted[i]);
    }
    for (int i = holds_itself(self); i > 0; i--) {
        Py_VISIT(self);
    }
    return 0;
}

static int type_clear(PyObject *self) {
    Py_CLEAR(as_type(self)->dict);
    Py_CLEAR(as_type(self)->data[0]);
    Py_CLEAR(as_type(self)->data[1]);
    for (size_t i = 0; i < CORM_PY_DIALECTS; i++) {
        Py_CLEAR(as_type(self)->adapted[i]);
    }
    if (holds_itself(self) > 0) {
        corm_type *type = as_type(self)->type;
        as_type(self)->type = corm_type_of_kind(CORM_TYPE_NULL);
        corm_type_unref(type);
    }
    return 0;
}

static void type_dealloc(PyObject *self) {
    PyTypeObject *cls = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (as_type(self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_CLEAR(as_type(self)->dict);
    Py_CLEAR(as_type(self)->data[0]);
    Py_CLEAR(as_type(self)->data[1]);
    for (size_t i = 0; i < CORM_PY_DIALECTS; i++) {
        Py_CLEAR(as_type(self)->adapted[i]);
    }
    corm_type_unref(as_type(self)->type);
    cls->tp_free(self);
    Py_DECREF(cls);
}

corm_type *corm_py_sql_type(PyObject *object) {
    if (object == NULL || object == Py_None) {
        return corm_type_ref(corm_type_of_kind(CORM_TYPE_NULL));
    }
    PyObject *instance = PyType_Check(object) ? PyObject_CallNoArgs(object) : Py_NewRef(object);
    if (instance == NULL) {
        return NULL;
    }
    if (!PyObject_TypeCheck(instance, CormPyTypeEngine_Type)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "'%s' is no SQL type", Py_TYPE(instance)->tp_name);
        corm_py_raise();
        Py_DECREF(instance);
        return NULL;
    }
    /* Classes of users' own need not call the constructor of their base. */
    corm_type *type = make_if_late(instance) < 0 ? NULL : corm_type_ref(as_type(instance)->type);
    Py_DECREF(instance);
    return type;
}

PyObject *corm_py_type_object(corm_type *type) {
    if (type->adapter != NULL || type->host != NULL) {
        return Py_NewRef((PyObject *)(type->adapter != NULL ? type->adapter : type->host));
    }
    PyObject *labels = labels_or_none(type);
    PyObject *module = labels == NULL ? NULL : PyImport_ImportModule("cormorant.types");
    PyObject *made = module == NULL ? NULL
                                    : corm_py_call(module, "_of", "iiiiOOzzzO", type->kind, type->length,
                                                   type->precision, type->scale, type->as_decimal ? Py_True : Py_False,
                                                   type->timezone ? Py_True : Py_False, type->name, type->collation,
                                                   type->schema, labels);
    Py_XDECREF(module);
    Py_XDECREF(labels);
    return made;
}

static PyMethodDef type_methods[] = {
    {"_set", (PyCFunction)(void (*)(void))type_set, METH_VARARGS | METH_KEYWORDS,
     "_set(kind, length, precision, scale, as_decimal, timezone, name, collation, host, adapts=False, schema=None, "
     "labels=None, item=None, dimensions=0)\n--\n\nWhat the type is."},
    {"_convert_by", type_convert_by, METH_VARARGS,
     "_convert_by(letter, first=None, second=None)\n--\n\nHow values become objects and back, and with what."},
    {"_bind", type_bind, METH_O, "_bind(value)\n--\n\nWhat is sent for a value."},
    {"_result", type_result, METH_O, "_result(value)\n--\n\nWhat a value that came is in Python."},
    {"_on", type_on, METH_O, "_on(dialect)\n--\n\nThe type that a database has for this one."},
    {"_describe", type_describe, METH_NOARGS, "_describe()\n--\n\nThe type's kind and arguments."},
    {"_spelling", type_spelling, METH_VARARGS, "_spelling(dialect='default')\n--\n\nThe type's DDL spelling."},
    {"_equals", type_equals, METH_O, "_equals(other)\n--\n\nWhether both are the same type."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef type_getset[] = {{"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef type_members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(CormPyType, dict), READONLY, NULL},
                                     {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyType, weakrefs), READONLY, NULL},
                                     {NULL, 0, 0, 0, NULL}};

static PyType_Slot type_slots[] = {
    {Py_tp_new, type_new},         {Py_tp_dealloc, type_dealloc},         {Py_tp_traverse, type_traverse},
    {Py_tp_clear, type_clear},     {Py_tp_methods, type_methods},         {Py_tp_getset, type_getset},
    {Py_tp_members, type_members}, {Py_tp_doc, "The base of SQL types."}, {0, NULL}};

static PyType_Spec type_spec = {.name = "cormorant._engine.TypeEngine",
                                .basicsize = sizeof(CormPyType),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                .slots = type_slots};

int corm_py_types_init(PyObject *module) {
    CormPyTypeEngine_Type = corm_py_type(module, &type_spec, NULL);
    corm_type_adapt_set(adapt);
    return CormPyTypeEngine_Type == NULL ? -1 : 0;
}
