/*
 * Relationships that are declared late: names, callables and marked columns become what the engine configures.
 *
 * The Python side evaluates strings and callables and gives a dictionary; here it becomes a corm_relationship. Join
 * conditions are turned to Core's columns, so that the registry holds nothing that holds the registry.
 *
 * foreign() and remote() put a mark around a column: an extension node that compiles as what it holds, and tells here
 * which side the column is on.
 */
#include "orm.h"

#include "base/alloc.h"
#include "compile/compiler.h"
#include "sql/walk.h"

/* ---- marks ---- */

enum { MARK_FOREIGN = 1, MARK_REMOTE = 2 };

typedef struct mark_node {
    corm_node node; /* detail: MARK_... */
    corm_node *children[1];
} mark_node;

static mark_node *as_mark(const corm_node *node) {
    return (mark_node *)(uintptr_t)node;
}

static corm_node *mark_clone(const corm_node *node, corm_node *const *children);

static corm_status mark_compile(struct corm_compiler *compiler, corm_node *node) {
    return corm_compiler_node(compiler, as_mark(node)->children[0], CORM_OP_NONE);
}

static const corm_node_vtable mark_vtable = {
    .name = "mark", .children_at = offsetof(mark_node, children), .clone = mark_clone, .compile = mark_compile};

static corm_node *mark_new(corm_node *child, uint16_t detail) {
    corm_node *node = corm_node_make(&mark_vtable, CORM_NODE_EXTENSION, CORM_OP_NONE, corm_node_type(child),
                                     sizeof(mark_node), &child, 1, true);
    if (node != NULL) {
        node->detail = detail;
        node = corm_node_seal(node);
    }
    return node;
}

static corm_node *mark_clone(const corm_node *node, corm_node *const *children) {
    return mark_new(children[0], node->detail);
}

static PyObject *mark(PyObject *object, uint16_t detail) {
    corm_node *child = corm_py_node(object);
    if (child == NULL) {
        return NULL;
    }
    corm_node *made;
    if (child->kind == CORM_NODE_EXTENSION && child->vtable == &mark_vtable) {
        made = mark_new(as_mark(child)->children[0], child->detail | detail);
    } else {
        made = mark_new(child, detail);
    }
    corm_node_unref(child);
    return corm_py_wrap(made);
}

static PyObject *make_foreign(PyObject *module, PyObject *object) {
    (void)module;
    return mark(object, MARK_FOREIGN);
}

static PyObject *make_remote(PyObject *module, PyObject *object) {
    (void)module;
    return mark(object, MARK_REMOTE);
}

/* ---- to Core ---- */

static corm_status push_once(corm_vector *columns, corm_column *column) {
    return column == NULL || corm_vector_contains(columns, column) ? CORM_OK : corm_vector_push(columns, column);
}

static corm_status to_core(void *context, corm_node *node, corm_node **out) {
    corm_relationship *relationship = context;
    *out = NULL;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (attribute != NULL) {
        *out = corm_attribute_column(attribute);
        return *out == NULL ? corm_error_last()->status : CORM_OK;
    }
    corm_entity *entity = corm_node_as_entity(node);
    if (entity != NULL) {
        *out = corm_node_ref(corm_entity_from(entity));
        return CORM_OK;
    }
    if (node->kind == CORM_NODE_EXTENSION && node->vtable == &mark_vtable) {
        corm_node *inner = corm_node_replace(as_mark(node)->children[0], to_core, context);
        if (inner == NULL) {
            return corm_error_last()->status;
        }
        corm_column *column = corm_node_as_column(inner);
        corm_status status = CORM_OK;
        if (node->detail & MARK_FOREIGN) {
            status = push_once(&relationship->foreign_keys, column);
        }
        if (status == CORM_OK && (node->detail & MARK_REMOTE)) {
            status = push_once(&relationship->remote_side, column);
        }
        *out = inner;
        return status;
    }
    return CORM_OK;
}

static corm_node *core_node(corm_relationship *relationship, PyObject *object) {
    corm_node *node = corm_py_node(object);
    if (node == NULL) {
        return NULL;
    }
    corm_node *core = corm_node_replace(node, to_core, relationship);
    corm_node_unref(node);
    if (core == NULL) {
        corm_py_raise();
    }
    return core;
}

/* ---- reading the dictionary ---- */

static PyObject *item(PyObject *arguments, const char *name) {
    PyObject *value = corm_py_item(arguments, name);
    return value == Py_None ? NULL : value;
}

static int read_node(corm_relationship *relationship, PyObject *arguments, const char *name, corm_node **out) {
    PyObject *value = item(arguments, name);
    if (value == NULL) {
        return 0;
    }
    corm_node *node = core_node(relationship, value);
    if (node == NULL) {
        return -1;
    }
    corm_node_unref(*out);
    *out = node;
    return 0;
}

static int read_columns(corm_relationship *relationship, PyObject *arguments, const char *name, corm_vector *out) {
    PyObject *list = item(arguments, name);
    Py_ssize_t count = list == NULL ? 0 : PyList_GET_SIZE(list);
    for (Py_ssize_t i = 0; i < count; i++) {
        corm_node *node = core_node(relationship, PyList_GET_ITEM(list, i));
        if (node == NULL) {
            return -1;
        }
        corm_column *column = corm_node_as_column(node);
        corm_status status =
            column == NULL ? corm_error_set(CORM_ARGUMENT_ERROR,
                                            "relationship %s.%s: %s has something that is no "
                                            "column of a table",
                                            relationship->attribute->mapper->name, relationship->attribute->key, name)
                           : push_once(out, column);
        corm_node_unref(node);
        if (status != CORM_OK) {
            return corm_py_raise_int();
        }
    }
    return 0;
}

static int read_order(corm_relationship *relationship, PyObject *arguments) {
    PyObject *list = item(arguments, "order_by");
    if (list == NULL) {
        return 0;
    }
    while (relationship->order_by.count > 0) {
        corm_node_unref(relationship->order_by.items[--relationship->order_by.count]);
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        corm_node *node = core_node(relationship, PyList_GET_ITEM(list, i));
        if (node == NULL) {
            return -1;
        }
        if (corm_vector_push(&relationship->order_by, node) != CORM_OK) {
            corm_node_unref(node);
            return corm_py_raise_int();
        }
    }
    return 0;
}

static int read_text(PyObject *arguments, const char *name, char **out) {
    PyObject *value = item(arguments, name);
    if (value == NULL) {
        return 0;
    }
    const char *text = PyUnicode_AsUTF8(value);
    char *copy = text == NULL ? NULL : corm_strdup(text);
    if (copy == NULL) {
        return text == NULL ? -1 : corm_py_raise_int();
    }
    corm_free(*out);
    *out = copy;
    return 0;
}

static bool is_true(PyObject *arguments, const char *name, bool otherwise) {
    PyObject *value = item(arguments, name);
    return value == NULL ? otherwise : PyObject_IsTrue(value) > 0;
}

static int read_lazy(PyObject *arguments, corm_relationship *relationship) {
    static const struct {
        const char *name;
        corm_lazy lazy;
    } kinds[] = {{"select", CORM_LAZY_SELECT},     {"joined", CORM_LAZY_JOINED},
                 {"selectin", CORM_LAZY_SELECTIN}, {"raise", CORM_LAZY_RAISE},
                 {"noload", CORM_LAZY_NOLOAD},     {"raise_on_sql", CORM_LAZY_RAISE_ON_SQL},
                 {"subquery", CORM_LAZY_SELECTIN}, {"immediate", CORM_LAZY_SELECTIN}};
    PyObject *value = item(arguments, "lazy");
    const char *name = value == NULL ? NULL : PyUnicode_AsUTF8(value);
    for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(name, kinds[i].name) == 0) {
            relationship->lazy = kinds[i].lazy;
        }
    }
    return value != NULL && name == NULL ? -1 : 0;
}

static int read_flags(corm_attribute *attribute, PyObject *arguments) {
    corm_relationship *relationship = attribute->relationship;
    PyObject *cascade = item(arguments, "cascade"), *list = item(arguments, "uselist");
    PyObject *passive = item(arguments, "passive_deletes"), *depth = item(arguments, "join_depth");
    if (cascade != NULL) {
        const char *text = PyUnicode_AsUTF8(cascade);
        if (text == NULL || corm_cascade_parse(text, &relationship->cascade) != CORM_OK) {
            return text == NULL ? -1 : corm_py_raise_int();
        }
        relationship->cascade_given = true;
    }
    if (list != NULL) {
        relationship->use_list = PyObject_IsTrue(list);
    }
    if (passive != NULL) {
        relationship->passive_deletes = PyUnicode_Check(passive)       ? CORM_PASSIVE_DELETES_ALL
                                        : PyObject_IsTrue(passive) > 0 ? CORM_PASSIVE_DELETES_ON
                                                                       : CORM_PASSIVE_DELETES_OFF;
    }
    if (depth != NULL) {
        relationship->join_depth = (int)PyLong_AsLong(depth);
    }
    relationship->passive_updates = is_true(arguments, "passive_updates", relationship->passive_updates);
    relationship->post_update = is_true(arguments, "post_update", relationship->post_update);
    relationship->view_only = is_true(arguments, "viewonly", relationship->view_only);
    if (relationship->view_only && cascade == NULL) {
        relationship->cascade &= ~(uint32_t)CORM_CASCADE_SAVE_UPDATE;
    }
    relationship->single_parent = is_true(arguments, "single_parent", relationship->single_parent);
    relationship->inner_join = is_true(arguments, "innerjoin", relationship->inner_join);
    attribute->active_history = is_true(arguments, "active_history", attribute->active_history);
    return PyErr_Occurred() ? -1 : 0;
}

static int read_target(corm_relationship *relationship, PyObject *arguments) {
    PyObject *target = item(arguments, "target"), *secondary = item(arguments, "secondary");
    if (target != NULL) {
        relationship->target = corm_py_mapper_required(target);
        if (relationship->target == NULL) {
            return -1;
        }
    }
    if (secondary != NULL) {
        corm_node *node = corm_py_node(secondary);
        corm_table *table = node == NULL ? NULL : corm_node_as_table(node);
        corm_node_unref(node); /* the metadata keeps it */
        if (table == NULL) {
            if (!PyErr_Occurred()) {
                corm_error_set(CORM_ARGUMENT_ERROR, "relationship %s.%s: secondary is not a Table",
                               relationship->attribute->mapper->name, relationship->attribute->key);
                corm_py_raise();
            }
            return -1;
        }
        relationship->secondary = table;
    }
    return 0;
}

int corm_py_relationship_resolve(corm_attribute *attribute) {
    corm_py_attribute_data *data = corm_py_data(attribute);
    CormPyAttribute *descriptor = data == NULL ? NULL : (CormPyAttribute *)data->descriptor;
    if (descriptor == NULL || descriptor->property == NULL) {
        return 0;
    }
    corm_relationship *relationship = attribute->relationship;
    Py_INCREF(descriptor);
    PyObject *arguments = corm_py_call(descriptor->property, "_resolve", NULL);
    int failed = -1;
    if (arguments == NULL || !PyDict_Check(arguments)) {
        goto done;
    }
    PyObject *backref = item(arguments, "backref_arguments"), *factory = item(arguments, "collection_class");
    relationship->host_backref = backref; /* the property keeps it */
    if (factory != NULL) {
        Py_XSETREF(descriptor->factory, Py_NewRef(factory));
    }
    failed = read_target(relationship, arguments) < 0 ||
             read_node(relationship, arguments, "primaryjoin", &relationship->primary_join) < 0 ||
             read_node(relationship, arguments, "secondaryjoin", &relationship->secondary_join) < 0 ||
             read_columns(relationship, arguments, "foreign_keys", &relationship->foreign_keys) < 0 ||
             read_columns(relationship, arguments, "remote_side", &relationship->remote_side) < 0 ||
             read_order(relationship, arguments) < 0 ||
             read_text(arguments, "back_populates", &relationship->back_populates) < 0 ||
             read_text(arguments, "backref", &relationship->backref) < 0 || read_lazy(arguments, relationship) < 0 ||
             read_flags(attribute, arguments) < 0;
done:
    Py_XDECREF(arguments);
    Py_DECREF(descriptor);
    return failed ? -1 : 0;
}

static PyMethodDef functions[] = {
    {"foreign", make_foreign, METH_O, "Mark a column of a join condition as the foreign key."},
    {"remote", make_remote, METH_O, "Mark a column of a join condition as the target's."},
    {NULL, NULL, 0, NULL}};

int corm_py_relationship_init(PyObject *module) {
    return PyModule_AddFunctions(module, functions);
}
