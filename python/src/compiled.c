/*
 * SQL as text for people: str(element), and what compile() shows of a compiled statement.
 *
 * Executing does not come through here: the engine compiles by itself, and keeps what it compiled.
 */
#include "sql.h"

#include "compile/compile.h"
#include "orm/query.h"
#include "schema/schema.h"
#include "sql/select.h"

static const corm_dialect *find_dialect(const char *name) {
    const corm_dialect *dialect = corm_dialect_find(name);
    if (dialect == NULL) {
        corm_py_raise();
    }
    return dialect;
}

PyObject *corm_py_render(corm_node *node, bool literal, const char *dialect_name) {
    const corm_dialect *dialect = dialect_name == NULL ? NULL : find_dialect(dialect_name);
    if (dialect_name != NULL && dialect == NULL) {
        return NULL;
    }
    corm_text text = CORM_TEXT_EMPTY;
    while (node->kind == CORM_NODE_ALIAS && corm_node_is_select(corm_alias_element(node))) {
        node = corm_alias_element(node); /* a subquery by itself is shown as its SELECT */
    }
    corm_node *core = corm_orm_to_core(node, false);
    corm_status status =
        core == NULL ? corm_error_last()->status : corm_statement_render(dialect, core, literal, &text);
    corm_node_unref(core);
    if (status == CORM_OK) {
        status = corm_text_status(&text);
    }
    PyObject *result =
        status == CORM_OK ? PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.size) : corm_py_raise();
    corm_text_clear(&text);
    return result;
}

/* ---- parameters ---- */

static PyObject *list_of(const corm_bind *bind) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < bind->item_count; i += bind->item_width) {
        PyObject *item = bind->item_width == 1 ? corm_py_from_value(&bind->items[i], NULL)
                                               : PyTuple_New((Py_ssize_t)bind->item_width);
        for (uint32_t j = 0; item != NULL && bind->item_width > 1 && j < bind->item_width; j++) {
            PyObject *part = corm_py_from_value(&bind->items[i + j], NULL);
            if (part == NULL) {
                Py_CLEAR(item);
            } else {
                PyTuple_SET_ITEM(item, (Py_ssize_t)j, part);
            }
        }
        if (item == NULL || PyList_Append(list, item) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *value_of(const corm_compiled *compiled, size_t index) {
    const corm_bind *bind = corm_compiled_parameter_bind(compiled, index);
    if (bind == NULL) {
        Py_RETURN_NONE;
    }
    if (bind->node.detail & CORM_BIND_EXPANDING) {
        return list_of(bind);
    }
    if (bind->evaluate != NULL) {
        corm_value value;
        if (bind->evaluate(bind->context, &value) != CORM_OK) {
            return corm_py_raise();
        }
        PyObject *made = corm_py_from_value(&value, NULL);
        if (value.owned) {
            corm_value_clear(&value);
        }
        return made;
    }
    return corm_py_from_value(&bind->value, NULL);
}

/* Two lists: names and values of the parameters in the order of the text. */
static int parameters_of(const corm_compiled *compiled, PyObject *names, PyObject *values) {
    for (size_t i = 0; i < corm_compiled_parameter_count(compiled); i++) {
        const char *text = corm_compiled_parameter_name(compiled, i);
        PyObject *name = PyUnicode_FromString(text == NULL ? "" : text);
        PyObject *value = name == NULL ? NULL : value_of(compiled, i);
        int failed = value == NULL || PyList_Append(names, name) < 0 || PyList_Append(values, value) < 0;
        Py_XDECREF(name);
        Py_XDECREF(value);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/* ---- compile() ---- */

/* The keys of `column_keys`; borrowed from the objects in the sequence. */
static int read_keys(PyObject *sequence, corm_compile_options *options, PyObject **keep) {
    *keep = NULL;
    if (sequence == Py_None) {
        return 0;
    }
    PyObject *items = PySequence_Fast(sequence, "column_keys is a sequence of names");
    if (items == NULL) {
        return -1;
    }
    size_t count = (size_t)PySequence_Fast_GET_SIZE(items);
    const char **keys = PyMem_Calloc(count + 1, sizeof *keys);
    for (size_t i = 0; keys != NULL && i < count; i++) {
        keys[i] = corm_py_text(PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i));
        if (keys[i] == NULL) {
            PyMem_Free(keys);
            Py_DECREF(items);
            return -1;
        }
    }
    if (keys == NULL) {
        Py_DECREF(items);
        PyErr_NoMemory();
        return -1;
    }
    options->column_keys = keys;
    options->column_key_count = count;
    *keep = items;
    return 0;
}

/* _compile(element, dialect, literal_binds, column_keys): (text, names, values) */
static PyObject *compile_element(PyObject *module, PyObject *args) {
    PyObject *element, *keys, *keep;
    const char *dialect_name;
    int literal;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!zpO", CormPyClauseElement_Type, &element, &dialect_name, &literal, &keys)) {
        return NULL;
    }
    const corm_dialect *dialect = dialect_name == NULL ? NULL : find_dialect(dialect_name);
    if (dialect_name != NULL && dialect == NULL) {
        return NULL;
    }
    corm_compile_options options = {.literal_binds = literal != 0, .for_people = true};
    if (read_keys(keys, &options, &keep) < 0) {
        return NULL;
    }
    corm_compiled *compiled = NULL;
    PyObject *result = NULL, *names = NULL, *values = NULL;
    corm_node *core = corm_orm_to_core(corm_py_node_of(element), false);
    if (core == NULL || corm_compile(dialect, core, &options, &compiled) != CORM_OK) {
        corm_py_raise();
        goto done;
    }
    names = PyList_New(0);
    values = PyList_New(0);
    if (names != NULL && values != NULL && parameters_of(compiled, names, values) == 0) {
        size_t size;
        const char *text = corm_compiled_text(compiled, &size);
        result = Py_BuildValue("s#OO", text, (Py_ssize_t)size, names, values);
    }
done:
    Py_XDECREF(names);
    Py_XDECREF(values);
    corm_compiled_unref(compiled);
    corm_node_unref(core);
    PyMem_Free((void *)options.column_keys);
    Py_XDECREF(keep);
    return result;
}

/* element.compile(bind=None, dialect=None, *, compile_kwargs=None, column_keys=None): a Compiled of sql/compiler.py. */
static PyObject *compile_method(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *function = PyImport_ImportModule("cormorant.sql.compiler");
    Py_XSETREF(function, function == NULL ? NULL : corm_py_get(function, "compile_element"));
    PyObject *all = function == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(args) + 1);
    PyObject *result = NULL;
    if (all != NULL) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(self));
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
            PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        }
        result = PyObject_Call(function, all, kwargs);
    }
    Py_XDECREF(all);
    Py_XDECREF(function);
    return result;
}

PyMethodDef corm_py_compile_method = {
    "compile", (PyCFunction)(void (*)(void))compile_method, METH_VARARGS | METH_KEYWORDS,
    "compile(bind=None, dialect=None, *, compile_kwargs=None, column_keys=None)\n--\n\nThe SQL and its parameters."};

/* _quote(name, dialect): an identifier, quoted where it must be. */
static PyObject *quote(PyObject *module, PyObject *args) {
    const char *name, *dialect_name = "default";
    int always = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "s|sp", &name, &dialect_name, &always)) {
        return NULL;
    }
    const corm_dialect *dialect = find_dialect(dialect_name);
    corm_text text = CORM_TEXT_EMPTY;
    if (dialect == NULL) {
        return NULL;
    }
    corm_status status =
        always ? corm_dialect_quoted(dialect, name, &text) : corm_dialect_identifier(dialect, name, &text);
    PyObject *result = status == CORM_OK && corm_text_status(&text) == CORM_OK
                           ? PyUnicode_FromStringAndSize(text.data, (Py_ssize_t)text.size)
                           : corm_py_raise();
    corm_text_clear(&text);
    return result;
}

static PyMethodDef functions[] = {
    {"_compile", compile_element, METH_VARARGS,
     "_compile(element, dialect, literal_binds, column_keys)\n--\n\nFor compile()."},
    {"_quote", quote, METH_VARARGS, "_quote(name, dialect='default', always=False)\n--\n\nAn identifier as SQL."},
    {NULL, NULL, 0, NULL}};

int corm_py_compiled_init(PyObject *module) {
    /* A method of the base of all elements, which is defined elsewhere. */
    PyObject *method = PyDescr_NewMethod(CormPyClauseElement_Type, &corm_py_compile_method);
    int failed = method == NULL ? -1 : PyDict_SetItemString(CormPyClauseElement_Type->tp_dict, "compile", method);
    Py_XDECREF(method);
    PyType_Modified(CormPyClauseElement_Type);
    return failed < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
