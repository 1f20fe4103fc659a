/* Values of types that are more than plain ones: how they become Python's objects and back. */
#ifndef CORM_PYTHON_TYPE_VALUES_H
#define CORM_PYTHON_TYPE_VALUES_H

#include "core.h"

/* How a type converts; what its data are stands in brackets. */
enum {
    CORM_PY_PLAIN = 0,      /* not at all */
    CORM_PY_METHODS = 'p',  /* by the type's own _bind() and _result() */
    CORM_PY_ENUM = 'e',     /* [texts by object, objects by text] */
    CORM_PY_UUID = 'u',     /* [whether uuid.UUID, not text] */
    CORM_PY_JSON = 'j',     /* [whether None is NULL] */
    CORM_PY_INTERVAL = 'i', /* a timedelta: as the server's text, or as a point in time after 1970 */
    CORM_PY_FORM = 'f',     /* [the form of its texts] */
    CORM_PY_ARRAY = 'a',    /* [the items' type, (dimensions, as_tuple)] */
    CORM_PY_BITS = 'b',     /* [whether int: else bytes] of a number or bytes */
    CORM_PY_SET = 's',      /* [the members by their place, whether they come as bits] */
    CORM_PY_HSTORE = 'h'    /* a dict of texts */
};

int corm_py_type_values_init(void);
/* What came, as a plain object, as the type has it; what is given, as a plain object to be sent. New references. */
PyObject *corm_py_type_result(PyObject *type, PyObject *plain);
PyObject *corm_py_type_bind(PyObject *type, PyObject *object);
/* A text that stands for something, as an object. */
PyObject *corm_py_from_form(const char *text, size_t size, unsigned form);
/* The text for an object that databases have a type for (UUID, timedelta, list, Range, an address): *form says what it
 * is; NULL without an exception: the object is none of these. */
PyObject *corm_py_to_form(PyObject *object, unsigned *form);

#endif
