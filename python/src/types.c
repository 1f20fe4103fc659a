/* SQL types as Python sees them: the base of every type class in cormorant.types. */
#include "core.h"

#include <structmember.h>

PyTypeObject *CormPyTypeEngine_Type;

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
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_DECREF((PyObject *)host);
    PyGILState_Release(gil);
}

/* _set(kind, length, precision, scale, as_decimal, timezone, name, collation, host) */
static PyObject *type_set(PyObject *self, PyObject *args) {
    int kind, length, precision, scale, as_decimal, timezone;
    const char *name, *collation;
    PyObject *host;
    if (!PyArg_ParseTuple(args, "iiiippzzO", &kind, &length, &precision, &scale, &as_decimal, &timezone, &name, &collation,
                          &host)) {
        return NULL;
    }
    corm_type_options options = {.length = length, .precision = precision, .scale = scale, .as_decimal = as_decimal,
                                 .timezone = timezone, .name = name, .collation = collation};
    bool plain = length < 0 && precision < 0 && scale < 0 && !timezone && name == NULL && collation == NULL &&
                 host == Py_None && as_decimal == (kind == CORM_TYPE_NUMERIC);
    corm_type *type = kind < 0 || kind >= CORM_TYPE_KIND_COUNT
                          ? NULL
                          : corm_type_new((corm_type_kind)kind, plain ? NULL : &options);
    if (type == NULL) {
        return corm_py_raise();
    }
    if (host != Py_None) {
        type->host = Py_NewRef(host);
        type->host_release = release_host;
    }
    corm_type_unref(((CormPyType *)self)->type);
    ((CormPyType *)self)->type = type;
    Py_RETURN_NONE;
}

static PyObject *type_describe(PyObject *self, PyObject *unused) {
    (void)unused;
    const corm_type *type = ((CormPyType *)self)->type;
    return Py_BuildValue("iiiiOOz", type->kind, type->length, type->precision, type->scale,
                         type->as_decimal ? Py_True : Py_False, type->timezone ? Py_True : Py_False, type->name);
}

static PyObject *type_compile(PyObject *self, PyObject *args) {
    const char *dialect_name = "default";
    if (!PyArg_ParseTuple(args, "|s", &dialect_name)) {
        return NULL;
    }
    const corm_dialect *dialect = corm_dialect_find(dialect_name);
    corm_text text = CORM_TEXT_EMPTY;
    if (dialect == NULL || dialect->type_name(((CormPyType *)self)->type, &text) != CORM_OK) {
        corm_text_clear(&text);
        return corm_py_raise();
    }
    PyObject *result = PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.size);
    corm_text_clear(&text);
    return result;
}

static int type_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((CormPyType *)self)->dict);
    return 0;
}

static int type_clear(PyObject *self) {
    Py_CLEAR(((CormPyType *)self)->dict);
    return 0;
}

static void type_dealloc(PyObject *self) {
    PyTypeObject *cls = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (((CormPyType *)self)->weakrefs != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    type_clear(self);
    corm_type_unref(((CormPyType *)self)->type);
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
        PyErr_Format(PyExc_TypeError, "%.100s is no SQL type", Py_TYPE(instance)->tp_name);
        Py_DECREF(instance);
        return NULL;
    }
    corm_type *type = corm_type_ref(((CormPyType *)instance)->type);
    Py_DECREF(instance);
    return type;
}

static PyMethodDef type_methods[] = {
    {"_set", type_set, METH_VARARGS, "_set(kind, length, precision, scale, as_decimal, timezone, name, collation, host)"},
    {"_describe", type_describe, METH_NOARGS, "The type's kind and arguments."},
    {"_compile", type_compile, METH_VARARGS, "_compile(dialect='default')\n--\n\nThe type's DDL spelling."},
    {NULL}};

static PyMemberDef type_members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyType, dict), READONLY},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyType, weakrefs), READONLY},
    {NULL}};

static PyType_Slot type_slots[] = {{Py_tp_new, type_new},         {Py_tp_dealloc, type_dealloc},
                                   {Py_tp_traverse, type_traverse}, {Py_tp_clear, type_clear},
                                   {Py_tp_methods, type_methods}, {Py_tp_members, type_members},
                                   {Py_tp_doc, "The base of SQL types."}, {0}};

static PyType_Spec type_spec = {.name = "cormorant._engine.TypeEngine",
                                .basicsize = sizeof(CormPyType),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                .slots = type_slots};

int corm_py_types_init(PyObject *module) {
    CormPyTypeEngine_Type = corm_py_type(module, &type_spec, NULL);
    return CormPyTypeEngine_Type == NULL ? -1 : 0;
}
