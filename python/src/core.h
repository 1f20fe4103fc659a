/* What the Core half of the extension shares beyond module.h. */
#ifndef CORM_PYTHON_CORE_H
#define CORM_PYTHON_CORE_H

#include "module.h"

enum { CORM_PY_DIALECTS = 5 };

/* A Python view of an SQL type. Types made in Python subclass it. */
typedef struct CormPyType {
    PyObject_HEAD corm_type *type; /* owned reference */
    PyObject *dict;
    PyObject *weakrefs;
    bool made;                           /* it was said what the type is */
    char converts;                       /* how values become objects and back: see type_values.h */
    PyObject *data[2];                   /* what that needs */
    PyObject *adapted[CORM_PY_DIALECTS]; /* the types that databases have for it, once they were asked for; or NULL */
} CormPyType;
extern PyTypeObject *CormPyTypeEngine_Type;

/* The type of a TypeEngine instance or class (which is called): a new reference; NULL with an exception. None gives the
 * type that is not known. */
corm_type *corm_py_sql_type(PyObject *object);

/* The Python classes of views, by kind of node: set by the package. */
extern PyTypeObject *corm_py_view_classes[CORM_NODE_KIND_COUNT];

/* Nodes of a sequence's items, appended as new references. strings: texts are names of labels (ORDER BY), else an error;
 * bind: other values become parameters. */
int corm_py_nodes(PyObject *sequence, bool strings, bool bind, corm_vector *out);

/* Make a heap type and put it into the module under the last part of its name (host.c). */
PyTypeObject *corm_py_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base);

int corm_py_elements_init(PyObject *module);
int corm_py_types_init(PyObject *module);
int corm_py_schema_init(PyObject *module);
int corm_py_statements_init(PyObject *module);
int corm_py_engine_init(PyObject *module);
int corm_py_result_init(PyObject *module);
int corm_py_dbapi_init(PyObject *module);

#endif
