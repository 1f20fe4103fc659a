/*
 * The module cormorant._engine: one for the process, made once.
 *
 * Each family of types has an init function in its own file; they are called here in the order in which they need each
 * other.
 */
#include "core.h"
#include "values.h"

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cormorant._engine",
    .m_doc = "The engine behind the package: SQL expressions, connections, results, mapped instances, sessions.",
    .m_size = -1,
};

typedef int (*init_function)(PyObject *module);

static int init_parts(PyObject *module) {
    static const init_function parts[] = {corm_py_types_init,      corm_py_elements_init, corm_py_schema_init,
                                          corm_py_statements_init, corm_py_result_init,   corm_py_engine_init,
                                          corm_py_dbapi_init,      corm_py_orm_init};
    if (corm_py_values_init() < 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i](module) < 0) {
            return -1;
        }
    }
    return 0;
}

PyMODINIT_FUNC PyInit__engine(void);

PyMODINIT_FUNC PyInit__engine(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module != NULL && init_parts(module) < 0) {
        Py_CLEAR(module);
    }
    return module;
}
