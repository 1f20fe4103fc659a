/*
 * Defaults of columns that are called, and the context that some of them want.
 *
 * A callable is wrapped, so that calling one costs no Python code but the user's own. The context is made only for those
 * that take one: it knows the other values of the row, of a statement or of an object that is flushed.
 */
#include "orm.h"
#include "sql.h"
#include "values.h"

#include <structmember.h>

#include "compile/compile.h"

static PyTypeObject *callable_type, *context_type;

/* ---- the callables ---- */

typedef struct callable_default {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject *function;
    bool takes_context;
} callable_default;

static PyObject *callable_vectorcall(PyObject *self, PyObject *const *args, size_t flags, PyObject *names) {
    callable_default *wrapped = (callable_default *)self;
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (names != NULL || count > 1) {
        PyErr_SetString(PyExc_TypeError, "a default is called with a context at most");
        return NULL;
    }
    if (!wrapped->takes_context) {
        return PyObject_CallNoArgs(wrapped->function);
    }
    return PyObject_CallOneArg(wrapped->function, count == 1 ? args[0] : Py_None);
}

static PyObject *callable_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *function;
    int takes_context;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "Op", &function, &takes_context)) {
        return NULL;
    }
    callable_default *self = (callable_default *)type->tp_alloc(type, 0);
    if (self != NULL) {
        self->vectorcall = callable_vectorcall;
        self->function = Py_NewRef(function);
        self->takes_context = takes_context != 0;
    }
    return (PyObject *)self;
}

static int callable_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((callable_default *)self)->function);
    return 0;
}

static int callable_clear(PyObject *self) {
    Py_CLEAR(((callable_default *)self)->function);
    return 0;
}

static void callable_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    callable_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMemberDef callable_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(callable_default, vectorcall), READONLY, NULL},
    {"function", T_OBJECT, offsetof(callable_default, function), READONLY, "What is called."},
    {"takes_context", T_BOOL, offsetof(callable_default, takes_context), READONLY, "Whether it is given a context."},
    {NULL, 0, 0, 0, NULL}};
static PyType_Slot callable_slots[] = {{Py_tp_doc, "A default that is called, with a context or without."},
                                       {Py_tp_new, callable_new},
                                       {Py_tp_dealloc, callable_dealloc},
                                       {Py_tp_traverse, callable_traverse},
                                       {Py_tp_clear, callable_clear},
                                       {Py_tp_call, PyVectorcall_Call},
                                       {Py_tp_members, callable_members},
                                       {0, NULL}};
static PyType_Spec callable_spec = {.name = "cormorant._engine.DefaultCallable",
                                    .basicsize = sizeof(callable_default),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
                                    .slots = callable_slots};

/* ---- the context ---- */

typedef struct default_context {
    PyObject_HEAD PyObject *parameters; /* dict */
} default_context;

static int context_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((default_context *)self)->parameters);
    return 0;
}

static int context_clear(PyObject *self) {
    Py_CLEAR(((default_context *)self)->parameters);
    return 0;
}

static void context_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    context_clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *context_get(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"isolate_multiinsert_groups", NULL};
    int isolate;
    return PyArg_ParseTupleAndKeywords(args, kwargs, "|p", names, &isolate)
               ? Py_NewRef(((default_context *)self)->parameters)
               : NULL;
}

static PyMethodDef context_methods[] = {
    {"get_current_parameters", (PyCFunction)(void (*)(void))context_get, METH_VARARGS | METH_KEYWORDS,
     "get_current_parameters(isolate_multiinsert_groups=True)\n--\n\nThe row's other values, by name."},
    {NULL, NULL, 0, NULL}};
static PyMemberDef context_members[] = {{"current_parameters", T_OBJECT, offsetof(default_context, parameters),
                                         READONLY, "The row's other values, by name."},
                                        {NULL, 0, 0, 0, NULL}};
static PyType_Slot context_slots[] = {{Py_tp_doc, "What a default may know of the row that it is for."},
                                      {Py_tp_dealloc, context_dealloc},
                                      {Py_tp_traverse, context_traverse},
                                      {Py_tp_clear, context_clear},
                                      {Py_tp_methods, context_methods},
                                      {Py_tp_members, context_members},
                                      {0, NULL}};
static PyType_Spec context_spec = {.name = "cormorant.engine.default.DefaultExecutionContext",
                                   .basicsize = sizeof(default_context),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                   .slots = context_slots};

/* Takes over the dictionary; NULL gives NULL. */
static PyObject *context_new(PyObject *parameters) {
    default_context *made = parameters == NULL ? NULL : (default_context *)context_type->tp_alloc(context_type, 0);
    if (made == NULL) {
        Py_XDECREF(parameters);
        return NULL;
    }
    made->parameters = parameters;
    return (PyObject *)made;
}

static int set_value(PyObject *parameters, const char *name, const corm_value *value, const corm_type *type) {
    PyObject *made = corm_py_from_value(value, type);
    int failed = made == NULL ? -1 : PyDict_SetItemString(parameters, name, made);
    Py_XDECREF(made);
    return failed;
}

/* The parameters of a statement that is executed. */
static PyObject *of_statement(const corm_default_call *call) {
    PyObject *parameters = PyDict_New();
    for (size_t i = 0; parameters != NULL && i < corm_compiled_parameter_count(call->compiled); i++) {
        corm_value value;
        if (corm_default_call_value(call, i, &value) != CORM_OK) {
            corm_py_raise();
            Py_CLEAR(parameters);
        } else if (value.kind != CORM_KIND_ABSENT &&
                   set_value(parameters, corm_compiled_parameter_name(call->compiled, i), &value, NULL) < 0) {
            Py_CLEAR(parameters);
        }
    }
    return parameters;
}

/* The columns of an object that is flushed. */
static PyObject *of_object(PyObject *object) {
    CormPyInstance *instance = (CormPyInstance *)object;
    const corm_mapper *mapper = instance->state.mapper;
    PyObject *parameters = PyDict_New();
    for (size_t i = 0; parameters != NULL && i < mapper->attribute_count; i++) {
        const corm_attribute *attribute = mapper->attributes[i];
        PyObject *value = attribute->column == NULL ? NULL : corm_py_instance_peek(instance, attribute);
        if (value != NULL && PyDict_SetItemString(parameters, attribute->column->key, value) < 0) {
            Py_CLEAR(parameters);
        }
    }
    return parameters;
}

/* ---- for the engine ---- */

static bool takes_context(void *callable) {
    return Py_TYPE((PyObject *)callable) == callable_type && ((callable_default *)callable)->takes_context;
}

/* Takes over the context, NULL: none, or that making it failed. */
static corm_status call(void *callable, PyObject *context, corm_value *out) {
    corm_value value;
    *out = CORM_ABSENT_VALUE;
    PyObject *made =
        PyErr_Occurred() != NULL ? NULL : PyObject_CallOneArg(callable, context == NULL ? Py_None : context);
    Py_XDECREF(context);
    if (made == NULL) {
        return corm_py_error();
    }
    corm_status status = corm_py_to_value(made, &value);
    if (status == CORM_OK) {
        status = corm_value_copy(&value, out);
    }
    Py_DECREF(made);
    return status;
}

corm_status corm_py_call_default(void *callable, PyObject *object, corm_value *out) {
    bool wanted = takes_context(callable) && object != NULL && corm_py_is_instance(object);
    return call(callable, wanted ? context_new(of_object(object)) : NULL, out);
}

corm_status corm_py_call_statement_default(void *callable, const corm_default_call *of, corm_value *out) {
    return call(callable, takes_context(callable) ? context_new(of_statement(of)) : NULL, out);
}

int corm_py_defaults_init(PyObject *module) {
    callable_type = corm_py_type(module, &callable_spec, NULL);
    context_type = corm_py_type(module, &context_spec, NULL);
    return callable_type == NULL || context_type == NULL ? -1 : 0;
}
