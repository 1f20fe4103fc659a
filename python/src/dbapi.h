/* The raw connection that users are shown: dbapi.c has the connection and its cursors, dbapi_functions.c what is SQLite's
 * own (functions, collations, scripts). */
#ifndef CORM_PYTHON_DBAPI_H
#define CORM_PYTHON_DBAPI_H

#include "engine.h"
#include "parameters.h"

struct CormPyCursor;

typedef struct CormPyRaw {
    PyObject_HEAD const corm_driver *driver;
    corm_driver_connection *native; /* borrowed; NULL once it is closed */
    struct CormPyCursor *cursors;   /* borrowed: those with a statement */
    PyObject *isolation_level, *row_factory, *text_factory;
    PyObject *dict;
    PyObject *weakrefs;
} CormPyRaw;

/* The open connection's handle of libsqlite3; NULL raised. */
struct sqlite3 *corm_py_raw_sqlite(CormPyRaw *self);
/* Raise the engine's error as the driver's own exception. */
PyObject *corm_py_raw_raise(void);
PyObject *corm_py_raw_error(const char *name, const char *message);

extern PyMethodDef corm_py_raw_functions[]; /* of the connection, dbapi_functions.c */

#endif
