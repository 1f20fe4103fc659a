/*
 * Query: the type, its life, and what it shows of itself. See query.h.
 */
#include "query.h"

#include <structmember.h>

#include "orm/query.h"

PyTypeObject *CormPyQuery_Type;

/* ---- life ---- */

int corm_py_query_ready(PyObject *query) {
    if (corm_py_as_query(query)->select == NULL) {
        PyErr_Format(PyExc_TypeError, "%.100s.__init__() was not called", Py_TYPE(query)->tp_name);
        return -1;
    }
    return 0;
}

int corm_py_query_set(CormPyQuery *self, corm_node *select) {
    if (select == NULL) {
        corm_py_raise();
        return -1;
    }
    corm_node *columns = corm_select_part_of(select, CORM_SELECT_COLUMNS);
    corm_node *former = self->select;
    self->single = corm_list_count(columns) == 1 && corm_node_as_entity(corm_list_at(columns, 0)) != NULL;
    self->select = select;
    corm_node_unref(former);
    return 0;
}

/* Set what is selected. */
static int select_entities(CormPyQuery *self, PyObject *const *entities, Py_ssize_t count) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(entities, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0) {
        return -1;
    }
    int failed = corm_py_query_set(self, corm_select_new(corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return failed;
}

PyObject *corm_py_query_new(PyTypeObject *type, PyObject *session, PyObject *const *entities, Py_ssize_t count) {
    CormPyQuery *self = (CormPyQuery *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->session = Py_XNewRef(session);
    if (select_entities(self, entities, count) < 0) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int query_init(PyObject *object, PyObject *args, PyObject *kwargs) {
    CORM_PY_SIGNATURE(signature, "Query.__init__", 2, 1, "entities", "session");
    CormPyQuery *self = corm_py_as_query(object);
    PyObject *given[2];
    if (corm_py_unpack_call(&signature, args, kwargs, given) < 0) {
        return -1;
    }
    bool many = PyTuple_Check(given[0]) || PyList_Check(given[0]);
    PyObject *entities = many ? PySequence_Tuple(given[0]) : PyTuple_Pack(1, given[0]);
    if (entities == NULL) {
        return -1;
    }
    int failed = select_entities(self, ((PyTupleObject *)entities)->ob_item, PyTuple_GET_SIZE(entities));
    Py_DECREF(entities);
    if (!failed) {
        Py_XSETREF(self->session, given[1] == NULL || given[1] == Py_None ? NULL : Py_NewRef(given[1]));
    }
    return failed;
}

CormPyQuery *corm_py_query_copy(PyObject *query) {
    CormPyQuery *from = corm_py_as_query(query);
    PyTypeObject *type = Py_TYPE(query);
    CormPyQuery *self = corm_py_query_ready(query) < 0 ? NULL : (CormPyQuery *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->select = corm_node_ref(from->select);
    self->statement = corm_node_ref(from->statement);
    self->target = corm_node_ref(from->target);
    self->adapt = corm_node_ref(from->adapt);
    self->session = Py_XNewRef(from->session);
    self->parameters = Py_XNewRef(from->parameters);
    self->options = Py_XNewRef(from->options);
    self->yield_per = from->yield_per;
    self->single = from->single;
    self->tuples = from->tuples;
    self->no_assertions = from->no_assertions;
    self->no_eager = from->no_eager;
    self->populate_existing = from->populate_existing;
    self->no_autoflush = from->no_autoflush;
    if (from->dict != NULL && PyDict_GET_SIZE(from->dict) > 0) {
        self->dict = PyDict_Copy(from->dict);
        if (self->dict == NULL) {
            Py_CLEAR(self);
        }
    }
    return self;
}

PyObject *corm_py_query_derive(PyObject *query, corm_node *select) {
    if (select == NULL) {
        return corm_py_raise();
    }
    CormPyQuery *self = corm_py_query_copy(query);
    if (self == NULL) {
        corm_node_unref(select);
        return NULL;
    }
    corm_node_unref(self->select);
    self->select = select;
    return (PyObject *)self;
}

static int query_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyQuery *self = corm_py_as_query(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->session);
    Py_VISIT(self->parameters);
    Py_VISIT(self->options);
    Py_VISIT(self->dict);
    return 0;
}

static int query_clear(PyObject *object) {
    CormPyQuery *self = corm_py_as_query(object);
    Py_CLEAR(self->session);
    Py_CLEAR(self->parameters);
    Py_CLEAR(self->options);
    Py_CLEAR(self->dict);
    return 0;
}

static void query_dealloc(PyObject *object) {
    CormPyQuery *self = corm_py_as_query(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    query_clear(object);
    corm_node_unref(self->select);
    corm_node_unref(self->statement);
    corm_node_unref(self->target);
    corm_node_unref(self->adapt);
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---- the statement ---- */

corm_node *corm_py_select_without_eager(corm_node *select) {
    corm_node *lazy = corm_load_option_new(NULL, 0, CORM_LAZY_SELECT, true, false, NULL);
    corm_node *list = lazy == NULL ? NULL : corm_list_new(CORM_OP_COMMA, &lazy, 1);
    corm_node *plain = list == NULL ? NULL : corm_select_with_part(select, CORM_SELECT_OPTIONS, list);
    corm_node_unref(lazy);
    corm_node_unref(list);
    if (plain == NULL) {
        corm_py_raise();
    }
    return plain;
}

/* Nothing is loaded eagerly anyway: no options, and no entity whose mapping says so. */
static bool has_eager(const CormPyQuery *self) {
    corm_node *columns = corm_py_query_part(self, CORM_SELECT_COLUMNS);
    if (corm_py_query_part(self, CORM_SELECT_OPTIONS) != NULL) {
        return true;
    }
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        const corm_entity *entity = corm_node_as_entity(corm_list_at(columns, i));
        if (entity != NULL && entity->mapper->eager) {
            return true;
        }
    }
    return false;
}

corm_node *corm_py_query_plain(const CormPyQuery *self) {
    return has_eager(self) ? corm_py_select_without_eager(self->select) : corm_node_ref(self->select);
}

corm_node *corm_py_query_select(const CormPyQuery *self) {
    return self->no_eager ? corm_py_query_plain(self) : corm_node_ref(self->select);
}

static const char *dialect_of(const CormPyQuery *self) {
    if (self->session == NULL || !PyObject_TypeCheck(self->session, CormPySession_Type)) {
        return NULL;
    }
    const corm_session *session = corm_py_as_session(self->session)->session;
    return session == NULL || session->engine == NULL ? NULL : corm_engine_dialect(session->engine)->name;
}

static PyObject *query_str(PyObject *object) {
    CormPyQuery *self = corm_py_as_query(object);
    if (corm_py_query_ready(object) < 0) {
        return NULL;
    }
    corm_node *select = self->statement != NULL ? corm_node_ref(self->statement) : corm_py_query_select(self);
    corm_node *core = select == NULL ? NULL : corm_orm_to_core(select, self->statement == NULL);
    PyObject *text = NULL;
    if (core != NULL) {
        text = corm_py_render(core, false, dialect_of(self));
    } else if (select != NULL) {
        corm_py_raise();
    }
    corm_node_unref(select);
    corm_node_unref(core);
    return text;
}

/* The SELECT (or what from_statement() has) as an element of its own. */
static PyObject *as_element(CormPyQuery *self) {
    if (corm_py_query_ready((PyObject *)self) < 0) {
        return NULL;
    }
    corm_node *select = self->statement != NULL ? corm_node_ref(self->statement) : corm_py_query_select(self);
    return select == NULL ? NULL : corm_py_wrap(select);
}

static PyObject *query_clause_element(PyObject *object, PyObject *unused) {
    (void)unused;
    return as_element(corm_py_as_query(object));
}

static PyObject *get_statement(PyObject *object, void *closure) {
    (void)closure;
    return as_element(corm_py_as_query(object));
}

/* What the SELECT without eager loading has under a name. */
static PyObject *of_element(PyObject *object, const char *name) {
    corm_node *plain = corm_py_query_ready(object) < 0 ? NULL : corm_py_query_plain(corm_py_as_query(object));
    PyObject *element = plain == NULL ? NULL : corm_py_wrap(plain);
    PyObject *found = element == NULL ? NULL : corm_py_get(element, name);
    Py_XDECREF(element);
    return found;
}

/* Call a method of that SELECT. */
static PyObject *call_element(PyObject *object, const char *name, PyObject *const *args, Py_ssize_t count,
                              PyObject *names) {
    PyObject *method = of_element(object, name);
    PyObject *result = method == NULL ? NULL : PyObject_Vectorcall(method, args, (size_t)count, names);
    Py_XDECREF(method);
    return result;
}

static PyObject *query_subquery(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.subquery", 3, 0, "name", "with_labels", "reduce_columns");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || corm_py_query_ready(object) < 0) {
        return NULL;
    }
    int labels = corm_py_flag(given[1], 0);
    const char *name = NULL;
    if (labels < 0 || (given[0] != NULL && corm_py_text_or_none(given[0], &name) < 0)) {
        return NULL;
    }
    corm_node *plain = corm_py_query_plain(corm_py_as_query(object));
    if (plain == NULL) {
        return NULL;
    }
    corm_node *core = corm_orm_to_core(plain, labels != 0);
    corm_node_unref(plain);
    PyObject *result = corm_py_wrap(core == NULL ? NULL : corm_alias_new(core, name, 0));
    corm_node_unref(core);
    return result;
}

static PyObject *query_cte(PyObject *object, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    return call_element(object, "cte", args, count, names);
}

static PyObject *query_label(PyObject *object, PyObject *name) {
    return call_element(object, "label", &name, 1, NULL);
}

static PyObject *query_scalar_subquery(PyObject *object, PyObject *unused) {
    (void)unused;
    return call_element(object, "scalar_subquery", NULL, 0, NULL);
}

/* EXISTS (SELECT 1 FROM what the query selects from WHERE ...). */
static PyObject *query_exists(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_as_query(object);
    corm_node *plain = corm_py_query_ready(object) < 0 ? NULL : corm_py_query_plain(self);
    if (plain == NULL) {
        return NULL;
    }
    corm_node *one = corm_literal_column("1", corm_type_of_kind(CORM_TYPE_INTEGER));
    corm_node *columns = corm_select_part_of(plain, CORM_SELECT_COLUMNS);
    corm_node *select = one == NULL ? NULL : corm_select_columns_are(plain, &one, 1);
    for (size_t i = 0; select != NULL && corm_select_part_of(plain, CORM_SELECT_FROM) == NULL &&
                       corm_select_part_of(plain, CORM_SELECT_JOINS) == NULL && i < corm_list_count(columns);
         i++) {
        corm_node *column = corm_list_at(columns, i), *from = NULL;
        corm_attribute_node *attribute = corm_node_as_attribute(column);
        if (attribute != NULL) {
            from = attribute->children[0];
        } else if (corm_node_as_entity(column) != NULL || corm_node_is_from(column)) {
            from = column;
        } else if (corm_node_as_column(column) != NULL) {
            from = corm_table_node(corm_node_as_column(column)->table);
        }
        corm_node *next = from == NULL ? corm_node_ref(select) : corm_select_from(select, from);
        corm_node_unref(select);
        select = next;
        break;
    }
    PyObject *result = corm_py_wrap(select == NULL ? NULL : corm_exists(select));
    corm_node_unref(one);
    corm_node_unref(plain);
    corm_node_unref(select);
    return result;
}

/* ---- attributes ---- */

static PyObject *get_column_descriptions(PyObject *object, void *closure) {
    (void)closure;
    return of_element(object, "column_descriptions");
}

static PyObject *get_whereclause(PyObject *object, void *closure) {
    (void)closure;
    return of_element(object, "whereclause");
}

static PyObject *get_session(PyObject *object, void *closure) {
    (void)closure;
    PyObject *session = corm_py_as_query(object)->session;
    return Py_NewRef(session == NULL ? Py_None : session);
}

static int set_session(PyObject *object, PyObject *value, void *closure) {
    (void)closure;
    Py_XSETREF(corm_py_as_query(object)->session, value == NULL || value == Py_None ? NULL : Py_NewRef(value));
    return 0;
}

static PyObject *get_is_single_entity(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(corm_py_query_gives_objects(corm_py_as_query(object)));
}

static PyObject *get_parameters(PyObject *object, void *closure) {
    (void)closure;
    PyObject *parameters = corm_py_as_query(object)->parameters;
    return parameters == NULL ? PyDict_New() : PyDict_Copy(parameters);
}

static PyObject *query_get_execution_options(PyObject *object, PyObject *unused) {
    (void)unused;
    PyObject *options = corm_py_as_query(object)->options;
    return options == NULL ? PyDict_New() : PyDict_Copy(options);
}

static PyGetSetDef getset[] = {
    {"statement", get_statement, NULL, "The query's SELECT.", NULL},
    {"selectable", get_statement, NULL, "The query's SELECT.", NULL},
    {"column_descriptions", get_column_descriptions, NULL, "What is selected: a list of dictionaries.", NULL},
    {"whereclause", get_whereclause, NULL, "The criteria as one, or None.", NULL},
    {"session", get_session, set_session, "The Session, or None.", NULL},
    {"is_single_entity", get_is_single_entity, NULL, "Are the results objects, not rows?", NULL},
    {"_params", get_parameters, NULL, "The values given to params().", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyQuery, weakrefs), READONLY, NULL},
                                {"__dictoffset__", T_PYSSIZET, offsetof(CormPyQuery, dict), READONLY, NULL},
                                {NULL, 0, 0, 0, NULL}};

static PyMethodDef methods[] = {
    {"subquery", CORM_PY_FAST(query_subquery),
     "subquery(name=None, with_labels=False, reduce_columns=False)\n--\n\nThe query as a FROM of others."},
    {"cte", CORM_PY_FAST(query_cte),
     "cte(name=None, recursive=False, nesting=False)\n--\n\nThe query as a common table expression."},
    {"label", query_label, METH_O, "label(name)\n--\n\nThe query as a value with a name."},
    {"scalar_subquery", query_scalar_subquery, METH_NOARGS, "scalar_subquery()\n--\n\nThe query as a value."},
    {"as_scalar", query_scalar_subquery, METH_NOARGS, "as_scalar()\n--\n\nThe query as a value."},
    {"exists", query_exists, METH_NOARGS, "exists()\n--\n\nEXISTS of the query."},
    {"get_execution_options", query_get_execution_options, METH_NOARGS,
     "get_execution_options()\n--\n\nThe options given to execution_options()."},
    {"__clause_element__", query_clause_element, METH_NOARGS, NULL},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, NULL},
    {NULL, NULL, 0, NULL}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Query(entities, session=None)\n--\n\nA SELECT that is built step by step and gives objects."},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_init, query_init},
    {Py_tp_str, query_str},
    {Py_tp_iter, corm_py_query_iter},
    {Py_mp_subscript, corm_py_query_subscript},
    {Py_tp_dealloc, query_dealloc},
    {Py_tp_traverse, query_traverse},
    {Py_tp_clear, query_clear},
    {Py_tp_methods, methods},
    {Py_tp_getset, getset},
    {Py_tp_members, members},
    {0, NULL}};

static PyType_Spec spec = {.name = "cormorant.orm.query.Query",
                           .basicsize = sizeof(CormPyQuery),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                           .slots = slots};

/* Methods of the other files: descriptors beside the type's own. */
static int add_methods(PyMethodDef *defined) {
    for (; defined->ml_name != NULL; defined++) {
        PyObject *descriptor = PyDescr_NewMethod(CormPyQuery_Type, defined);
        int failed =
            descriptor == NULL || PyDict_SetItemString(CormPyQuery_Type->tp_dict, defined->ml_name, descriptor) < 0;
        Py_XDECREF(descriptor);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

int corm_py_query_init(PyObject *module) {
    CormPyQuery_Type = corm_py_type(module, &spec, NULL);
    if (CormPyQuery_Type == NULL || add_methods(corm_py_query_build_methods) < 0 ||
        add_methods(corm_py_query_run_methods) < 0) {
        return -1;
    }
    PyType_Modified(CormPyQuery_Type);
    return 0;
}
