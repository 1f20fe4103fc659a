/* What the files of the SQL layer share: views of nodes, conversions of arguments, statements, schema. */
#ifndef CORM_PYTHON_SQL_H
#define CORM_PYTHON_SQL_H

#include "arguments.h"
#include "core.h"

#include "sql/dml.h"

/* ---- elements.c ---- */

static inline corm_node *corm_py_node_of(PyObject *element) { /* borrowed */
    return ((CormPyElement *)element)->node;
}
static inline bool corm_py_is_element(PyObject *object) {
    return PyObject_TypeCheck(object, CormPyClauseElement_Type);
}
void corm_py_element_dealloc(PyObject *self);
int corm_py_element_traverse(PyObject *self, visitproc visit, void *arg);
int corm_py_element_clear(PyObject *self);
/* The view of a node as an instance of the given class, unless it has a view already. Takes over the node. */
PyObject *corm_py_wrap_as(corm_node *node, PyTypeObject *cls);
/* Make an element without a node the view of one. Takes over the node, also on failure. */
int corm_py_adopt(PyObject *element, corm_node *node);
/* A new reference, or NULL without an exception when the object is no element and has none. */
corm_node *corm_py_node_maybe(PyObject *object);

/* What an argument is for, which decides its conversions and the words of its error. */
typedef enum corm_py_role {
    CORM_PY_ROLE_COLUMNS,  /* of select(): elements and FROMs */
    CORM_PY_ROLE_WHERE,    /* conditions: also True, False and None */
    CORM_PY_ROLE_ORDER_BY, /* also names of labels */
    CORM_PY_ROLE_GROUP_BY,
    CORM_PY_ROLE_FROM,
    CORM_PY_ROLE_JOIN,
    CORM_PY_ROLE_ON,
    CORM_PY_ROLE_SELECT, /* a SELECT, compound or textual, as part of a compound */
    CORM_PY_ROLE_TABLE,  /* of insert(), update(), delete() */
    CORM_PY_ROLE_OPERAND,
    CORM_PY_ROLE_RETURNING
} corm_py_role;
/* A new reference, or NULL with ArgumentError. */
corm_node *corm_py_node_as(PyObject *object, corm_py_role role);
/* ArgumentError: the object does not fit. Always NULL. */
corm_node *corm_py_role_error(PyObject *object, corm_py_role role);
/* Append a new reference, which is taken over also on failure. NULL is a failure that was raised already. */
int corm_py_push(corm_vector *nodes, corm_node *node);
/* Append one for each; a failure lets go of all. */
int corm_py_nodes_as(PyObject *const *objects, Py_ssize_t count, corm_py_role role, corm_vector *out);
static inline corm_node *const *corm_py_items(const corm_vector *nodes) {
    return (corm_node *const *)(void *)nodes->items;
}
/* The column that an expression is: through mapped attributes. A new reference or NULL raised. */
corm_node *corm_py_column_node(PyObject *object);
/* text of a str argument, without NULs in it; NULL raised. */
const char *corm_py_text(PyObject *object);
/* The same, where None gives NULL: 0, or -1 raised. */
int corm_py_text_or_none(PyObject *object, const char **out);

/* ---- operators.c ---- */

/* The operand of an expression: its node or the value bound with a fitting type. New reference. */
corm_node *corm_py_operand(corm_node *beside, PyObject *other);
/* Also of texts and other elements that can stand in conditions. */
PyObject *corm_py_combine(PyObject *left, PyObject *right, bool both);
PyObject *corm_py_in(corm_node *left, PyObject *other, bool negated);

/* ---- views.c ---- */

extern PyTypeObject *CormPyColumnClause_Type;
extern PyTypeObject *CormPyExists_Type;         /* constructs.c */
extern PyTypeObject *CormPyFunctionFilter_Type; /* functions.c */
PyTypeObject *corm_py_view_class(const corm_node *node);
/* A getter of the child whose index the closure is. */
PyObject *corm_py_get_child(PyObject *self, void *closure);
#define CORM_PY_CHILD(name, index, doc)                                                                                \
    { name, corm_py_get_child, NULL, doc, (void *)(uintptr_t)(index) }

/* ---- compiled.c ---- */

PyObject *corm_py_render(corm_node *node, bool literal, const char *dialect);
extern PyMethodDef corm_py_compile_method; /* compile() */

/* ---- from.c ---- */

typedef struct CormPyFrom {
    CormPyElement element;
    PyObject *collection; /* made when first asked for, or NULL */
} CormPyFrom;
extern PyTypeObject *CormPyFromClause_Type;
/* Of an ALIAS: Alias, Subquery or CTE. Borrowed. */
PyTypeObject *corm_py_alias_class(const corm_node *alias);
extern PyTypeObject *CormPyCollection_Type;
/* A collection of the columns that a FROM or statement has. */
PyObject *corm_py_collection_of(corm_node *from);
/* Of given pairs: a list of (key, column) tuples, taken over. */
PyObject *corm_py_columns_new(PyObject *pairs);
/* A join of two FROMs; onclause NULL or None: along foreign keys. */
PyObject *corm_py_join(corm_node *left, PyObject *right, PyObject *onclause, int outer, int full);

/* ---- statements.c ---- */

typedef struct CormPyStatement {
    CormPyElement element;
    PyObject *options;    /* execution options: a dict that is never changed, or NULL */
    PyObject *collection; /* of the columns, or NULL */
} CormPyStatement;
extern PyTypeObject *CormPyStatement_Type;
extern PyMethodDef corm_py_filter_by_method;
int corm_py_statement_init(PyObject *module);
/* The FROMs that a statement names: a list of views. */
PyObject *corm_py_froms(corm_node *node);
/* A statement of the same class and with the same options. Takes over the node; NULL raises. */
PyObject *corm_py_derive(PyObject *self, corm_node *node);
/* The equality of a name of a FROM or mapped class with a value. New reference, or NULL raised. */
corm_node *corm_py_equality(corm_node *entity, PyObject *key, PyObject *value);
/* New text nodes of strings, others as they are. */
int corm_py_text_nodes(PyObject *const *objects, Py_ssize_t count, corm_vector *out);

/* ---- schema.c ---- */

typedef struct CormPyMetaData {
    PyObject_HEAD corm_metadata *metadata;
    PyObject *tables; /* dict: key -> Table */
    PyObject *dict;
    PyObject *weakrefs;
} CormPyMetaData;
typedef struct CormPyTable {
    CormPyFrom from;
    PyObject *metadata; /* the view, or NULL: made when asked for */
} CormPyTable;
typedef struct CormPyColumn {
    CormPyElement element;
    PyObject *table; /* the view, which keeps all others alive; or NULL */
    PyObject *type;  /* as it was given, or NULL */
} CormPyColumn;
extern PyTypeObject *CormPyMetaData_Type;
extern PyTypeObject *CormPyTable_Type;
extern PyTypeObject *CormPyColumn_Type;
/* The view of a metadata, made when there is none. New reference. */
PyObject *corm_py_metadata_view(corm_metadata *metadata);
/* The expression's type as a Python object. */
PyObject *corm_py_type_object(corm_type *type);

int corm_py_operators_init(PyObject *module);
int corm_py_views_init(PyObject *module);
int corm_py_compiled_init(PyObject *module);
int corm_py_from_init(PyObject *module);
int corm_py_select_init(PyObject *module);
int corm_py_dml_init(PyObject *module);
int corm_py_functions_init(PyObject *module);
int corm_py_constructs_init(PyObject *module);
int corm_py_tables_init(PyObject *module);
int corm_py_ddl_init(PyObject *module);
int corm_py_defaults_init(PyObject *module);

#endif
