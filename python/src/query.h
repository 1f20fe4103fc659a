/*
 * Query in Python, what its files share: query.c (the type, what it shows of itself), query_build.c (the methods that give another
 * query), query_run.c (those that run it).
 *
 * A Query is never changed by its public methods: each gives a copy of the same class, with the subclass' own attributes. It keeps a
 * SELECT node, to which the methods add, and beside it what is no part of the SQL.
 */
#ifndef CORM_PYTHON_QUERY_H
#define CORM_PYTHON_QUERY_H

#include "session.h"
#include "sql.h"

#include "sql/select.h"

typedef struct CormPyQuery {
    PyObject_HEAD corm_node *select; /* a reference; NULL before __init__() */
    corm_node *statement;            /* of from_statement(): a reference, or NULL */
    corm_node *target;               /* where filter_by() looks, after a join: a reference, or NULL */
    corm_node *adapt;  /* of union() and its kin: the FROM whose columns stand for the tables': a reference, or NULL */
    PyObject *session; /* a Session or scoped_session, or NULL */
    PyObject *parameters; /* dict, or NULL */
    PyObject *options;    /* execution options: a dict, or NULL */
    PyObject *dict;
    PyObject *weakrefs;
    size_t yield_per;
    bool single; /* one entity: results are objects, not rows */
    bool tuples; /* only_return_tuples() */
    bool no_assertions;
    bool no_eager;
    bool populate_existing;
    bool no_autoflush;
} CormPyQuery;

static inline CormPyQuery *corm_py_as_query(PyObject *object) {
    return (CormPyQuery *)object;
}
static inline corm_node *corm_py_query_part(const CormPyQuery *self, corm_select_part part) {
    return corm_select_part_of(self->select, part);
}
static inline bool corm_py_query_gives_objects(const CormPyQuery *self) {
    return self->single && !self->tuples;
}

/* A copy of the same class. */
CormPyQuery *corm_py_query_copy(PyObject *query);
/* A copy with another SELECT, which is taken over; NULL raises the engine's error. */
PyObject *corm_py_query_derive(PyObject *query, corm_node *select);
/* Set the SELECT and what depends on what is selected. Takes over; -1 raised. */
int corm_py_query_set(CormPyQuery *self, corm_node *select);
/* 0, or -1 raised when __init__() was not called. */
int corm_py_query_ready(PyObject *query);

/* The SELECT without eager loading: a new reference; NULL raised. */
corm_node *corm_py_query_plain(const CormPyQuery *self);
/* The SELECT as the query's other options have it, to be run or shown: a new reference; NULL raised. */
corm_node *corm_py_query_select(const CormPyQuery *self);
/* Add load options, and take away those that are there when `replace`. Takes over the option; NULL raised. */
corm_node *corm_py_select_without_eager(corm_node *select);

extern PyMethodDef corm_py_query_build_methods[], corm_py_query_run_methods[];
PyObject *corm_py_query_subscript(PyObject *query, PyObject *index);
PyObject *corm_py_query_iter(PyObject *query);
PyObject *corm_py_query_all(PyObject *query, PyObject *unused);
/* limit(stop - start).offset(start), as slices count. */
PyObject *corm_py_query_slice(PyObject *query, PyObject *start, PyObject *stop);

#endif
