/*
 * What all statements share: execution options, loader options, parameters given in advance, filter_by().
 *
 * A statement is never changed: each method gives a new one of the same class, with the same execution options.
 */
#include "sql.h"

#include <structmember.h>

#include "orm.h"
#include "sql/walk.h"

PyTypeObject *CormPyStatement_Type;

static CormPyStatement *as_statement(PyObject *object) {
    return (CormPyStatement *)object;
}

static int statement_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(as_statement(self)->options);
    Py_VISIT(as_statement(self)->collection);
    return corm_py_element_traverse(self, visit, arg);
}

static int statement_clear(PyObject *self) {
    Py_CLEAR(as_statement(self)->options);
    Py_CLEAR(as_statement(self)->collection);
    return corm_py_element_clear(self);
}

PyObject *corm_py_derive(PyObject *self, corm_node *node) {
    if (node == corm_py_node_of(self)) {
        corm_node_unref(node);
        return Py_NewRef(self);
    }
    PyObject *made = corm_py_wrap_as(node, Py_TYPE(self));
    if (made != NULL && as_statement(self)->options != NULL) {
        Py_XSETREF(as_statement(made)->options, Py_NewRef(as_statement(self)->options));
    }
    return made;
}

/* A node like the statement's that has no view yet. */
static corm_node *fresh_copy(corm_node *node) {
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_SELECT:
    case CORM_NODE_COMPOUND:
        return corm_select_with_detail(node, 0, 0);
    case CORM_NODE_INSERT:
    case CORM_NODE_UPDATE:
    case CORM_NODE_DELETE:
        return corm_dml_with_detail(node, 0, 0);
    case CORM_NODE_TEXT:
        return corm_text_with_binds(node, NULL, 0);
    default:
        corm_error_set(CORM_INVALID_REQUEST, "%s takes no execution options", corm_node_kind_name(node));
        return NULL;
    }
}

static PyObject *execution_options(PyObject *self, PyObject *args, PyObject *kwargs) {
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "execution_options() takes keyword arguments only");
        return NULL;
    }
    PyObject *options = as_statement(self)->options == NULL ? PyDict_New() : PyDict_Copy(as_statement(self)->options);
    if (options == NULL || (kwargs != NULL && PyDict_Update(options, kwargs) < 0)) {
        Py_XDECREF(options);
        return NULL;
    }
    PyObject *made = corm_py_derive(self, fresh_copy(corm_py_node_of(self)));
    if (made == NULL) {
        Py_DECREF(options);
        return NULL;
    }
    Py_XSETREF(as_statement(made)->options, options);
    return made;
}

static PyObject *options_view(PyObject *self) {
    PyObject *none = as_statement(self)->options == NULL ? PyDict_New() : NULL;
    PyObject *options = as_statement(self)->options == NULL ? none : as_statement(self)->options;
    PyObject *view = options == NULL ? NULL : PyDictProxy_New(options);
    Py_XDECREF(none);
    return view;
}

static PyObject *get_execution_options(PyObject *self, PyObject *unused) {
    (void)unused;
    return options_view(self);
}

static PyObject *execution_options_getter(PyObject *self, void *closure) {
    (void)closure;
    return options_view(self);
}

/* options(*options): loader options, as nodes of the statement. */
static PyObject *statement_options(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    corm_vector nodes = {0};
    corm_node *node = corm_py_node_of(self), *made = NULL;
    for (Py_ssize_t i = 0; i < count; i++) {
        int known = corm_py_option_nodes(args[i], &nodes);
        if (known == 0) {
            PyErr_Format(PyExc_TypeError, "%.200s is no option of a statement", Py_TYPE(args[i])->tp_name);
        }
        if (known <= 0) {
            corm_nodes_unref(&nodes);
            return NULL;
        }
    }
    if (nodes.count == 0) {
        return Py_NewRef(self);
    }
    if (corm_node_is_select(node)) {
        made = corm_select_append(node, CORM_SELECT_OPTIONS, corm_py_items(&nodes), nodes.count);
    } else if (node->kind == CORM_NODE_TEXT) {
        corm_error_set(CORM_INVALID_REQUEST, "a text takes no options: use select(Entity).from_statement()");
    } else {
        made = corm_dml_append(node, CORM_DML_OPTIONS, corm_py_items(&nodes), nodes.count);
    }
    corm_nodes_unref(&nodes);
    return corm_py_derive(self, made);
}

/* ---- params() ---- */

static corm_node *bind_of_list(const corm_bind *bind, PyObject *value) {
    PyObject *items = PySequence_Fast(value, "a parameter of IN is a sequence");
    if (items == NULL) {
        corm_py_error();
        return NULL;
    }
    size_t count = (size_t)PySequence_Fast_GET_SIZE(items);
    corm_value *values = PyMem_Calloc(count + 1, sizeof *values);
    corm_status status = values == NULL ? corm_error_no_memory() : CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = corm_py_to_value(PySequence_Fast_GET_ITEM(items, (Py_ssize_t)i), &values[i]);
    }
    corm_node *made =
        status == CORM_OK ? corm_bind_list_named(bind->key, values, count, 1, bind->node.type, false) : NULL;
    PyMem_Free(values);
    Py_DECREF(items);
    return made;
}

static corm_status replace_value(void *context, corm_node *node, corm_node **out) {
    *out = NULL;
    if (node->kind != CORM_NODE_BIND || corm_node_bind(node)->key == NULL) {
        return CORM_OK;
    }
    PyObject *given = corm_py_item((PyObject *)context, corm_node_bind(node)->key);
    corm_value value;
    if (given == NULL) {
        return CORM_OK;
    }
    if (node->detail & CORM_BIND_EXPANDING) {
        *out = bind_of_list(corm_node_bind(node), given);
    } else if (corm_py_to_value(given, &value) == CORM_OK) {
        *out = corm_bind_with_value(node, &value);
    }
    return *out == NULL ? corm_error_last()->status : CORM_OK;
}

static PyObject *statement_params(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *given = NULL;
    if (!PyArg_ParseTuple(args, "|O!:params", &PyDict_Type, &given)) {
        return NULL;
    }
    PyObject *all = given == NULL ? PyDict_New() : PyDict_Copy(given);
    if (all == NULL || (kwargs != NULL && PyDict_Update(all, kwargs) < 0)) {
        Py_XDECREF(all);
        return NULL;
    }
    corm_node *made = corm_node_replace(corm_py_node_of(self), replace_value, all);
    Py_DECREF(all);
    return corm_py_derive(self, made);
}

/* ---- filter_by() ---- */

/* The attribute or column of that name; NULL without an error when there is none. A new reference. */
static corm_node *member_of(corm_node *from, const char *name) {
    corm_entity *entity = corm_node_as_entity(from);
    if (entity == NULL) {
        corm_table *table = corm_node_as_table(from);
        corm_column *column = table == NULL ? NULL : corm_table_column(table, name);
        return table != NULL ? corm_node_ref(corm_column_node(column)) : corm_from_column(from, name);
    }
    corm_attribute *attribute = corm_mapper_attribute(entity->mapper, name);
    return attribute == NULL ? NULL : corm_attribute_node_new(from, attribute);
}

static corm_node *equality_of(corm_node *member, PyObject *value) {
    corm_attribute_node *attribute = corm_node_as_attribute(member);
    if (attribute != NULL && corm_attribute_is_relationship(attribute->attribute)) {
        corm_node *result = NULL;
        if (value == Py_None || corm_py_state_required(value) != NULL) {
            result = corm_relationship_equals(member, value == Py_None ? NULL : (corm_object *)(void *)value);
            if (result == NULL) {
                corm_py_raise();
            }
        }
        return result;
    }
    corm_node *other = corm_py_node_maybe(value), *result = NULL;
    corm_value plain;
    if (other != NULL) {
        result = corm_binary_new(CORM_OP_EQ, member, other);
        corm_node_unref(other);
    } else if (PyErr_Occurred() != NULL) {
        return NULL;
    } else if (corm_py_to_value(value, &plain) == CORM_OK) {
        result = corm_binary_value(CORM_OP_EQ, member, &plain);
    }
    if (result == NULL) {
        corm_py_raise();
    }
    return result;
}

corm_node *corm_py_equality(corm_node *entity, PyObject *key, PyObject *value) {
    const char *name = corm_py_text(key);
    corm_node *member = name == NULL ? NULL : member_of(entity, name);
    if (member == NULL) {
        if (PyErr_Occurred() == NULL) {
            const char *called = corm_node_display_name(entity);
            corm_error_set(CORM_INVALID_REQUEST, "Entity namespace for \"%s\" has no property \"%s\"",
                           called == NULL ? "" : called, name);
            corm_py_raise();
        }
        return NULL;
    }
    corm_node *result = equality_of(member, value);
    corm_node_unref(member);
    return result;
}

/* What a statement selects from, as far as its parts name it: appended once each, borrowed. */
static corm_status add_from(corm_vector *froms, corm_node *from) {
    if (from == NULL || corm_vector_contains(froms, from)) {
        return CORM_OK;
    }
    corm_entity *entity = corm_node_as_entity(from);
    for (size_t i = 0; i < froms->count; i++) {
        corm_entity *other = corm_node_as_entity(froms->items[i]);
        if (entity != NULL && other != NULL && other->mapper == entity->mapper &&
            corm_entity_from(other) == corm_entity_from(entity)) {
            return CORM_OK;
        }
    }
    return corm_vector_push(froms, from);
}

static corm_walk_action find_from(void *context, corm_node *node) {
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_column *column = corm_node_as_column(node);
    corm_node *from = NULL;
    if (attribute != NULL) {
        from = attribute->children[0];
    } else if (column != NULL) {
        from = corm_table_node(column->table);
    } else if (node->kind == CORM_NODE_COLUMN_OF) {
        from = corm_node_child(node, 0);
    } else if (corm_node_as_entity(node) != NULL || (corm_node_is_from(node) && node->kind != CORM_NODE_JOIN)) {
        from = node;
    } else {
        return corm_node_is_select(node) || node->kind == CORM_NODE_SCALAR_SUBQUERY ? CORM_WALK_OVER : CORM_WALK_INTO;
    }
    return add_from(context, from) == CORM_OK ? CORM_WALK_OVER : CORM_WALK_STOP;
}

static corm_status walk_into(corm_vector *froms, corm_node *part) {
    return part == NULL ? CORM_OK : corm_node_walk(part, find_from, froms);
}

/* The target of one join: along a relationship, its other side. *made is a reference to let go of, or NULL. */
static corm_status add_joined(corm_vector *froms, const corm_node *join, corm_vector *made) {
    corm_node *right = corm_join_right(join);
    corm_attribute_node *along = corm_node_as_attribute(right);
    if (along == NULL || along->attribute->relationship == NULL) {
        return walk_into(froms, right);
    }
    if (along->children[1] != NULL) {
        return add_from(froms, along->children[1]);
    }
    corm_status status = corm_mapper_configure(along->attribute->mapper);
    corm_node *entity = status == CORM_OK ? corm_entity_of(along->attribute->relationship->target) : NULL;
    if (entity == NULL) {
        return corm_error_last()->status;
    }
    if (corm_vector_push(made, entity) != CORM_OK) {
        corm_node_unref(entity);
        return CORM_NO_MEMORY;
    }
    return add_from(froms, entity);
}

static corm_status gather_froms(corm_node *node, corm_vector *froms, corm_vector *made) {
    if (node->kind != CORM_NODE_SELECT) {
        return add_from(froms, corm_dml_part_of(node, CORM_DML_TABLE));
    }
    corm_node *joins = corm_select_part_of(node, CORM_SELECT_JOINS);
    corm_status status = walk_into(froms, corm_select_part_of(node, CORM_SELECT_FROM));
    for (size_t i = 0; i < corm_list_count(joins) && status == CORM_OK; i++) {
        const corm_node *join = corm_list_at(joins, i);
        status = walk_into(froms, corm_join_left(join));
        if (status == CORM_OK) {
            status = add_joined(froms, join, made);
        }
    }
    return status == CORM_OK ? walk_into(froms, corm_select_part_of(node, CORM_SELECT_COLUMNS)) : status;
}

static void describe_from(corm_text *out, corm_node *from) {
    corm_entity *entity = corm_node_as_entity(from);
    const char *name = corm_node_display_name(from);
    if (entity != NULL) {
        corm_text_append_format(out, "Mapper[%s(%s)]", entity->mapper->name, entity->mapper->table->name);
    } else {
        corm_text_append(out, name == NULL ? corm_node_kind_name(from) : name);
    }
}

static corm_node *lookup_error(const corm_vector *froms, const char *name, const corm_vector *owners) {
    corm_text text = CORM_TEXT_EMPTY;
    const corm_vector *shown = owners->count > 1 ? owners : froms;
    for (size_t i = 0; i < shown->count; i++) {
        corm_text_append(&text, i == 0 ? "" : ", ");
        describe_from(&text, shown->items[i]);
    }
    const char *list = text.data == NULL ? "" : text.data;
    if (owners->count > 1) {
        PyObject *error = corm_py_import("cormorant.exc", "AmbiguousColumnError");
        if (error != NULL) {
            PyErr_Format(error,
                         "Attribute name \"%s\" is ambiguous; it exists in multiple FROM clause entities (%s). Use "
                         "filter() with explicit column references instead of filter_by().",
                         name, list);
            Py_DECREF(error);
        }
    } else {
        corm_error_set(CORM_INVALID_REQUEST,
                       "None of the FROM clause entities have a property \"%s\". Searched entities: %s", name, list);
        corm_py_raise();
    }
    corm_text_clear(&text);
    return NULL;
}

/* The equality of one keyword: the name must be of one FROM alone. */
static corm_node *find_equality(const corm_vector *froms, PyObject *key, PyObject *value) {
    const char *name = corm_py_text(key);
    corm_vector owners = {0};
    corm_node *member = NULL, *result = NULL;
    if (name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < froms->count; i++) {
        corm_node *found = member_of(froms->items[i], name);
        if (found == NULL) {
            continue;
        }
        if (corm_vector_push(&owners, froms->items[i]) != CORM_OK) {
            corm_node_unref(found);
            corm_py_raise();
            goto done;
        }
        if (member == NULL) {
            member = found;
        } else {
            corm_node_unref(found);
        }
    }
    result = owners.count == 1 ? equality_of(member, value) : lookup_error(froms, name, &owners);
done:
    corm_node_unref(member);
    corm_vector_clear(&owners);
    return result;
}

static PyObject *statement_filter_by(PyObject *self, PyObject *args, PyObject *kwargs) {
    corm_vector froms = {0}, made = {0}, criteria = {0};
    corm_node *node = corm_py_node_of(self);
    PyObject *result = NULL, *key, *value;
    Py_ssize_t position = 0;
    if (PyTuple_GET_SIZE(args) > 0) {
        PyErr_SetString(PyExc_TypeError, "filter_by() takes keyword arguments only");
        return NULL;
    }
    if (gather_froms(node, &froms, &made) != CORM_OK) {
        corm_py_raise();
        goto done;
    }
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        corm_node *criterion = find_equality(&froms, key, value);
        if (criterion == NULL || corm_vector_push(&criteria, criterion) != CORM_OK) {
            if (criterion != NULL) {
                corm_node_unref(criterion);
                corm_py_raise();
            }
            goto done;
        }
    }
    if (criteria.count == 0) {
        result = Py_NewRef(self);
    } else if (node->kind == CORM_NODE_SELECT) {
        result =
            corm_py_derive(self, corm_select_append(node, CORM_SELECT_WHERE, corm_py_items(&criteria), criteria.count));
    } else {
        result = corm_py_derive(self, corm_dml_append(node, CORM_DML_WHERE, corm_py_items(&criteria), criteria.count));
    }
done:
    corm_nodes_unref(&criteria);
    corm_nodes_unref(&made);
    corm_vector_clear(&froms);
    return result;
}

PyMethodDef corm_py_filter_by_method = {"filter_by", (PyCFunction)(void (*)(void))statement_filter_by,
                                        METH_VARARGS | METH_KEYWORDS,
                                        "filter_by(**names)\n--\n\nAdd equalities: names of the statement's entities."};

/* The FROMs that the statement's parts name: a list of views. */
PyObject *corm_py_froms(corm_node *node) {
    corm_vector froms = {0}, made = {0};
    PyObject *list = NULL;
    if (gather_froms(node, &froms, &made) != CORM_OK) {
        corm_py_raise();
    } else {
        list = PyList_New(0);
    }
    for (size_t i = 0; list != NULL && i < froms.count; i++) {
        corm_entity *entity = corm_node_as_entity(froms.items[i]);
        PyObject *view = corm_py_wrap(corm_node_ref(entity == NULL ? froms.items[i] : corm_entity_from(entity)));
        int there = view == NULL ? -1 : 0;
        for (Py_ssize_t j = 0; there == 0 && j < PyList_GET_SIZE(list); j++) {
            there = PyList_GET_ITEM(list, j) == view;
        }
        if (there < 0 || (there == 0 && PyList_Append(list, view) < 0)) {
            Py_CLEAR(list);
        }
        Py_XDECREF(view);
    }
    corm_nodes_unref(&made);
    corm_vector_clear(&froms);
    return list;
}

/* ---- texts ---- */

int corm_py_text_nodes(PyObject *const *objects, Py_ssize_t count, corm_vector *out) {
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *text = PyUnicode_Check(objects[i]) ? corm_py_text(objects[i]) : NULL;
        corm_node *node = NULL;
        if (text != NULL) {
            node = corm_text_new(text, NULL, 0, NULL, 0);
        } else if (PyErr_Occurred() == NULL) {
            node = corm_py_node(objects[i]);
        }
        if (node == NULL || corm_vector_push(out, node) != CORM_OK) {
            corm_node_unref(node);
            if (PyErr_Occurred() == NULL) {
                corm_py_raise();
            }
            corm_nodes_unref(out);
            return -1;
        }
    }
    return 0;
}

/* ---- the base of all statements ---- */

static PyObject *get_is_statement(PyObject *self, void *closure) {
    corm_node *node = corm_py_node_of(self);
    return PyBool_FromLong(node != NULL && ((uintptr_t)closure == 0 ? corm_node_is_select(node)
                                                                    : node->kind == (uint8_t)(uintptr_t)closure));
}

static PyMethodDef statement_methods[] = {
    {"execution_options", (PyCFunction)(void (*)(void))execution_options, METH_VARARGS | METH_KEYWORDS,
     "execution_options(**options)\n--\n\nThe statement with options for its execution."},
    {"get_execution_options", get_execution_options, METH_NOARGS,
     "get_execution_options()\n--\n\nThe options for its execution."},
    {"options", (PyCFunction)(void (*)(void))statement_options, METH_FASTCALL,
     "options(*options)\n--\n\nThe statement with loader options."},
    {"params", (PyCFunction)(void (*)(void))statement_params, METH_VARARGS | METH_KEYWORDS,
     "params(**values)\n--\n\nThe statement with values for its named parameters."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef statement_getset[] = {
    {"_execution_options", execution_options_getter, NULL, "The options for its execution.", NULL},
    {"is_select", get_is_statement, NULL, "A SELECT.", NULL},
    {"is_insert", get_is_statement, NULL, "An INSERT.", (void *)(uintptr_t)CORM_NODE_INSERT},
    {"is_update", get_is_statement, NULL, "An UPDATE.", (void *)(uintptr_t)CORM_NODE_UPDATE},
    {"is_delete", get_is_statement, NULL, "A DELETE.", (void *)(uintptr_t)CORM_NODE_DELETE},
    {"is_text", get_is_statement, NULL, "A text.", (void *)(uintptr_t)CORM_NODE_TEXT},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot statement_slots[] = {{Py_tp_doc, "What can be executed."},
                                        {Py_tp_dealloc, corm_py_element_dealloc},
                                        {Py_tp_traverse, statement_traverse},
                                        {Py_tp_clear, statement_clear},
                                        {Py_tp_methods, statement_methods},
                                        {Py_tp_getset, statement_getset},
                                        {0, NULL}};
static PyType_Spec statement_spec = {.name = "cormorant.sql.base.Executable",
                                     .basicsize = sizeof(CormPyStatement),
                                     .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                     .slots = statement_slots};

int corm_py_statement_init(PyObject *module) {
    CormPyStatement_Type = corm_py_type(module, &statement_spec, CormPyClauseElement_Type);
    return CormPyStatement_Type == NULL ? -1 : 0;
}

int corm_py_statements_init(PyObject *module) {
    return corm_py_select_init(module) < 0 || corm_py_dml_init(module) < 0 || corm_py_functions_init(module) < 0 ||
                   corm_py_constructs_init(module) < 0
               ? -1
               : 0;
}
