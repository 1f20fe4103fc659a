/*
 * What the files of the extension share: module state, errors, values, nodes' views.
 *
 * One interpreter, one module `cormorant._engine`. Every function here needs the interpreter lock.
 */
#ifndef CORM_PYTHON_MODULE_H
#define CORM_PYTHON_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "orm/query.h"

/* ---- errors (errors.c) ---- */

/* Raise the engine's last error as the Python exception of its class (cormorant.exc, cormorant.orm.exc), or the
 * user's own exception that is attached. Always returns NULL. */
PyObject *corm_py_raise(void);
/* The same for functions that return int: -1. */
int corm_py_raise_int(void);
/* Move the pending Python exception into the engine's error, as CORM_HOST_ERROR (a MemoryError as
 * CORM_NO_MEMORY). For host functions called by the engine. */
corm_status corm_py_error(void);
/* The same of a conversion of a value to be sent: an exception that is none of ours becomes CORM_STATEMENT_ERROR. */
corm_status corm_py_value_error(void);

/* ---- values (values.c) ---- */

/* A new reference. type may be NULL; it decides e.g. bool of an INTEGER kind or Decimal. */
PyObject *corm_py_from_value(const corm_value *value, const corm_type *type);
/* Borrowed from the object: exact int (64 bits), float, str, bytes, bool, None become plain kinds without a copy;
 * everything else becomes HOST (borrowed). Fails only for str that is not valid Unicode (lone surrogates). */
corm_status corm_py_to_value(PyObject *object, corm_value *out);

/* ---- attributes, methods and items by C names (names.c) ---- */

/* As PyObject_GetAttrString() and its kin, which would fill the interpreter's cache of attributes with strings. */
PyObject *corm_py_get(PyObject *object, const char *name);
int corm_py_set(PyObject *object, const char *name, PyObject *value);
bool corm_py_has(PyObject *object, const char *name);
/* Borrowed, or NULL, with no exception. Needs no memory, unlike PyDict_GetItemString(), which takes a key that it has no
 * memory for as missing. Looks at each key: for small dictionaries. */
PyObject *corm_py_item(PyObject *dict, const char *name);
/* The format is that of Py_BuildValue(), NULL for no arguments; a single "O" is one argument, also a tuple. */
PyObject *corm_py_call(PyObject *object, const char *name, const char *format, ...);

/* ---- views of nodes (elements.c) ---- */

/* The base of every SQL expression object: ClauseElement and its subtypes. */
typedef struct CormPyElement {
    PyObject_HEAD corm_node *node; /* owned reference */
    PyObject *dict;                /* subclasses' and users' attributes */
    PyObject *weakrefs;
} CormPyElement;

extern PyTypeObject *CormPyClauseElement_Type;
extern PyTypeObject *CormPyColumnElement_Type; /* all operators */

/* The view of a node: takes over the reference (also on failure); NULL node -> raises the engine's error. The same
 * node gives the same object while one is alive. The Python class is chosen by the node's kind. */
PyObject *corm_py_wrap(corm_node *node);
/* A new reference to the node of an object: an element, anything with __clause_element__() or
 * __cormorant_node__, a mapped class (its entity), or NULL with a Python exception (ArgumentError). */
corm_node *corm_py_node(PyObject *object);
/* The same, but any other value becomes a bound parameter of `type` (NULL: by its own). None becomes NULL. */
corm_node *corm_py_node_or_bind(PyObject *object, corm_type *type);

/* ---- the ORM's part registers itself here (called once by module.c) ---- */
int corm_py_orm_init(PyObject *module);

/* Set by the ORM's part: the entity node (new reference) of a mapped class, or NULL without an exception when the
 * object is not a mapped class. */
extern corm_node *(*corm_py_entity_of_class)(PyObject *cls);

/* ---- results (result.c) ---- */

/* A Result over an engine's result (taken over). unique: Query's automatic uniquing. */
PyObject *corm_py_result_new(corm_result *result);
/* Fast ends of a query, each taking over the result also on failure. A list of the first item of each row (unique: each
 * object once, in the order of first appearance); a list of Rows. */
PyObject *corm_py_result_all_scalars(corm_result *result, bool unique);
PyObject *corm_py_result_all_rows(corm_result *result, bool unique);

/* ---- engines (engine.c) ---- */
corm_engine *corm_py_engine_borrow(PyObject *object); /* NULL with TypeError-like ArgumentError */
corm_connection *corm_py_connection_borrow(PyObject *object);
PyObject *corm_py_connection_new(corm_connection *connection, PyObject *engine, bool owned);

/* Parameter sets from execute()'s second argument: None, a dict, or a list of dicts/tuples. */
typedef struct corm_py_parameters {
    corm_parameters *sets;
    size_t count;
    void *memory;
    PyObject *keep;
} corm_py_parameters;
int corm_py_parameters_parse(PyObject *object, corm_py_parameters *out);
void corm_py_parameters_clear(corm_py_parameters *parameters);

#endif
