/* Results and rows: what result.c, row.c and the engine's files share. */
#ifndef CORM_PYTHON_RESULT_H
#define CORM_PYTHON_RESULT_H

#include "core.h"

/* The names of a result's columns, shared by its rows. */
typedef struct CormPyKeys {
    PyObject_HEAD PyObject *names; /* tuple of str */
    PyObject *index;               /* dict: name -> place; NULL until asked for */
    corm_node **nodes;             /* references, entries may be NULL; NULL: none */
} CormPyKeys;
extern PyTypeObject *CormPyKeys_Type;
extern PyTypeObject *CormPyRow_Type;
extern PyTypeObject *CormPyRowMapping_Type;

/* Takes over nothing; nodes are referenced. */
PyObject *corm_py_keys_new(PyObject *names, const corm_output *outputs, size_t count);
/* The place of a column by name or expression: -1 without an exception when there is none, -2 with one. */
Py_ssize_t corm_py_keys_find(CormPyKeys *keys, PyObject *key);

/*
 * A row is a tuple with one more place behind its items, where its keys are. It is not known to the collector unless an
 * item may be part of a cycle.
 */
static inline PyObject **corm_py_row_items(PyObject *row) {
    return ((PyTupleObject *)row)->ob_item;
}
/* With empty places, all of which must be filled; then corm_py_row_done(). */
PyObject *corm_py_row_new(PyObject *keys, Py_ssize_t count);
void corm_py_row_done(PyObject *row);
PyObject *corm_py_row_mapping(PyObject *row);

/* A Result that keeps a connection alive, and its execution's keep. */
PyObject *corm_py_result_of_connection(corm_result *result, PyObject *connection);

int corm_py_row_init(PyObject *module);

#endif
