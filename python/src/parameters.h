/* Parameters by place, of plain SQL: execute(sql, (1, 2)), [(1, 2), (3, 4)] or {"name": 1}. */
#ifndef CORM_PYTHON_PARAMETERS_H
#define CORM_PYTHON_PARAMETERS_H

#include "core.h"

#include "dialect/dialect.h"
#include "driver/driver.h"

typedef struct corm_py_placed {
    corm_value *values; /* set_count times width */
    size_t set_count, width;
    PyObject *objects; /* what the values are borrowed from */
    struct corm_scratch scratch;
} corm_py_placed;

int corm_py_placed_parse(const corm_driver *driver, corm_driver_connection *native, PyObject *sql, PyObject *object,
                         corm_py_placed *out);
void corm_py_placed_clear(corm_py_placed *placed);

#endif
