/* Values across the border: what other files than the contract in module.h need. */
#ifndef CORM_PYTHON_VALUES_H
#define CORM_PYTHON_VALUES_H

#include "module.h"

int corm_py_values_init(void);
/* The type of a date, time or decimal; else NULL. Borrowed. */
corm_type *corm_py_type_of(PyObject *object);
/* A bound value of a type, NULL: its own. name NULL: anonymous. NULL with the engine's error. */
corm_node *corm_py_bind(PyObject *object, const char *name, corm_type *type, bool unique);
/* Call a column's default (defaults.c): of an object that is flushed, or NULL; of a statement. *out is owned. */
corm_status corm_py_call_default(void *callable, PyObject *object, corm_value *out);
struct corm_default_call;
corm_status corm_py_call_statement_default(void *callable, const struct corm_default_call *of, corm_value *out);

#endif
