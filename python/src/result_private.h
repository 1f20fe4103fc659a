/* The inside of results: result.c reads rows, result_methods.c has what users call. */
#ifndef CORM_PYTHON_RESULT_PRIVATE_H
#define CORM_PYTHON_RESULT_PRIVATE_H

#include "result.h"

typedef enum corm_py_result_mode {
    CORM_PY_RESULT_ROWS,
    CORM_PY_RESULT_SCALARS,
    CORM_PY_RESULT_MAPPINGS
} corm_py_result_mode;

typedef struct CormPyResult {
    PyObject_HEAD struct CormPyResult *source; /* the Result whose rows these are; NULL: itself. Owned */
    corm_result *result;                       /* of a source: owned */
    corm_item *items;                          /* of a source: one row */
    PyObject *connection;                      /* kept alive, or NULL */
    PyObject *keys;                            /* a CormPyKeys, NULL until asked for */
    Py_ssize_t *picked;                        /* the columns that are given; NULL: all */
    Py_ssize_t width;
    corm_py_result_mode mode;
    bool unique;
    bool closed;        /* close() or first(): of a source */
    bool reading;       /* a row is under way: of a source */
    PyObject *strategy; /* of unique(), or NULL */
    PyObject *seen;     /* set, NULL until the first row */
    Py_ssize_t yield_per;
    PyObject *weakrefs;
} CormPyResult;

extern PyTypeObject *corm_py_result_type, *corm_py_cursor_result_type;

static inline CormPyResult *corm_py_result_source(CormPyResult *self) {
    return self->source == NULL ? self : self->source;
}

/* The names of what it gives: borrowed, NULL raised. */
CormPyKeys *corm_py_result_keys(CormPyResult *self);
/* Whether rows can be read, and need not be uniqued: 0, or -1 raised. */
int corm_py_result_check_rows(CormPyResult *self);
int corm_py_result_check_unique(CormPyResult *self);
/* The next item: a new reference; NULL without an exception at the end. The second checks first. */
PyObject *corm_py_result_next_item(CormPyResult *self);
PyObject *corm_py_result_next_checked(CormPyResult *self);
/* Up to limit items in a list; negative: all. */
PyObject *corm_py_result_collect(CormPyResult *self, Py_ssize_t limit);
/* Rows that are left are dropped. */
void corm_py_result_close(CormPyResult *self);
/* Another look at the same rows: a new reference. */
CormPyResult *corm_py_result_derive(CormPyResult *self, PyTypeObject *type, corm_py_result_mode mode);

int corm_py_result_traverse(PyObject *object, visitproc visit, void *arg);
int corm_py_result_clear(PyObject *object);
void corm_py_result_dealloc(PyObject *object);

#endif
