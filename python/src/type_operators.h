/* What columns of a type of the database's own answer to, beside what all columns do: functions that the type names. */
#ifndef CORM_PYTHON_TYPE_OPERATORS_H
#define CORM_PYTHON_TYPE_OPERATORS_H

#include "sql.h"

/* Has the element a type whose class names operators of its own? */
bool corm_py_has_own_operators(PyObject *element);
/* Call the type's function of that name with the element and the arguments. NULL without an exception: it has none. */
PyObject *corm_py_own_operator(PyObject *element, const char *name, PyObject *const *args, Py_ssize_t count,
                               PyObject *names);
/* The type's function of that name, bound to the element. NULL without an exception: it has none. */
PyObject *corm_py_own_function(PyObject *element, const char *name);
/* As an attribute of the element that was not found: the function, waiting for its arguments. The AttributeError that is
 * set stays when there is none. */
PyObject *corm_py_own_attribute(PyObject *element, PyObject *name);
/* element[index] */
PyObject *corm_py_own_item(PyObject *element, PyObject *index);
int corm_py_type_operators_init(PyObject *module);

#endif
