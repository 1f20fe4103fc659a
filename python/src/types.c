/*
 * SQL types as Python sees them: the base of every type class in cormorant.types.
 *
 * A type object holds the engine's type. One that converts values in Python is behind it as its host: engine's type and
 * object then hold each other, which the collector sees as long as nothing else holds the engine's.
 */
#include "sql.h"

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

/* _set(kind, length, precision, scale, as_decimal, timezone, name, collation, host) */
static PyObject *type_set(PyObject *self, PyObject *args) {
    int kind, length, precision, scale, as_decimal, timezone;
    const char *name, *collation;
    PyObject *host;
    if (!PyArg_ParseTuple(args, "iiiippzzO", &kind, &length, &precision, &scale, &as_decimal, &timezone, &name,
                          &collation, &host)) {
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
    bool plain = length < 0 && precision < 0 && scale < 0 && !timezone && name == NULL && collation == NULL &&
                 host == Py_None && as_decimal == (kind == CORM_TYPE_NUMERIC);
    corm_type *type = corm_type_new((corm_type_kind)kind, plain ? NULL : &options);
    if (type == NULL) {
        return corm_py_raise();
    }
    if (host != Py_None) {
        type->host = Py_NewRef(host);
        type->host_release = release_host;
    }
    corm_type *former = as_type(self)->type;
    as_type(self)->type = type;
    as_type(self)->made = true;
    corm_type_unref(former);
    Py_RETURN_NONE;
}

/* _be(other): stand for the engine's type of another object. */
static PyObject *type_be(PyObject *self, PyObject *other) {
    if (!PyObject_TypeCheck(other, CormPyTypeEngine_Type)) {
        PyErr_SetString(PyExc_TypeError, "a type is needed");
        return NULL;
    }
    corm_type *former = as_type(self)->type;
    as_type(self)->type = corm_type_ref(as_type(other)->type);
    as_type(self)->made = true;
    corm_type_unref(former);
    Py_RETURN_NONE;
}

static PyObject *type_describe(PyObject *self, PyObject *unused) {
    const corm_type *type = as_type(self)->type;
    (void)unused;
    return Py_BuildValue("iiiiOOzz", type->kind, type->length, type->precision, type->scale,
                         type->as_decimal ? Py_True : Py_False, type->timezone ? Py_True : Py_False, type->name,
                         type->collation);
}

static PyObject *type_spelling(PyObject *self, PyObject *args) {
    const char *dialect_name = "default";
    if (!PyArg_ParseTuple(args, "|s", &dialect_name)) {
        return NULL;
    }
    const corm_dialect *dialect = corm_dialect_find(dialect_name);
    corm_text text = CORM_TEXT_EMPTY;
    if (dialect == NULL || dialect->type_name(as_type(self)->type, &text) != CORM_OK ||
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

static bool holds_itself(PyObject *self) {
    const corm_type *type = as_type(self)->type;
    return type != NULL && type->host == self && atomic_load_explicit(&type->references, memory_order_relaxed) == 1;
}

static int type_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_type(self)->dict);
    if (holds_itself(self)) {
        Py_VISIT(self);
    }
    return 0;
}

static int type_clear(PyObject *self) {
    Py_CLEAR(as_type(self)->dict);
    if (holds_itself(self)) {
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
    PyObject *late = as_type(instance)->made ? Py_NewRef(Py_None) : corm_py_call(instance, "_make_late", NULL);
    corm_type *type = late == NULL ? NULL : corm_type_ref(as_type(instance)->type);
    Py_XDECREF(late);
    Py_DECREF(instance);
    return type;
}

PyObject *corm_py_type_object(corm_type *type) {
    if (type->host != NULL) {
        return Py_NewRef((PyObject *)type->host);
    }
    PyObject *module = PyImport_ImportModule("cormorant.types");
    PyObject *made = module == NULL ? NULL
                                    : corm_py_call(module, "_of", "iiiiOOzz", type->kind, type->length, type->precision,
                                                   type->scale, type->as_decimal ? Py_True : Py_False,
                                                   type->timezone ? Py_True : Py_False, type->name, type->collation);
    Py_XDECREF(module);
    return made;
}

static PyMethodDef type_methods[] = {
    {"_set", type_set, METH_VARARGS,
     "_set(kind, length, precision, scale, as_decimal, timezone, name, collation, host)\n--\n\nWhat the type is."},
    {"_be", type_be, METH_O, "_be(other)\n--\n\nStand for the same as another type."},
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
    return CormPyTypeEngine_Type == NULL ? -1 : 0;
}
