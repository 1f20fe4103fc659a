/* Values across the border: what other files than the contract in module.h need. */
#ifndef CORM_PYTHON_VALUES_H
#define CORM_PYTHON_VALUES_H

#include "module.h"

int corm_py_values_init(void);
/* Call a column's default, wrapped to take one argument; *out is owned. */
corm_status corm_py_call_default(void *callable, PyObject *context, corm_value *out);

#endif
