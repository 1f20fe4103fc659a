/*
 * Attributes of mapped classes: a descriptor over an instance's slot that is also an expression.
 *
 * `User.name` is this object itself; `user.name` reads the slot. What is loaded is read without a call into the engine;
 * a column that is new or recorded as changed is stored the same way. Everything else goes through orm/attribute.h.
 */
#include "orm.h"
#include "type_operators.h"

PyTypeObject *CormPyAttribute_Type;

static void data_release(void *memory) {
    corm_py_attribute_data *data = memory;
    PyGILState_STATE lock = PyGILState_Ensure();
    Py_CLEAR(data->key);
    PyGILState_Release(lock);
    PyMem_RawFree(data);
}

int corm_py_attribute_prepare(corm_attribute *attribute, PyObject *key) {
    if (attribute->host != NULL) {
        return 0;
    }
    corm_py_attribute_data *data = PyMem_RawCalloc(1, sizeof *data);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    data->key = Py_NewRef(key);
    PyUnicode_InternInPlace(&data->key);
    const corm_type *type = attribute->column == NULL ? NULL : corm_column_type(attribute->column);
    if (type != NULL && type->host == NULL && type->adapter == NULL) {
        switch (type->kind) {
        case CORM_TYPE_INTEGER:
        case CORM_TYPE_SMALL_INTEGER:
        case CORM_TYPE_BIG_INTEGER:
        case CORM_TYPE_STRING:
        case CORM_TYPE_TEXT:
        case CORM_TYPE_FLOAT:
            data->fast = !type->as_decimal;
            break;
        default:
            break;
        }
    }
    attribute->host = data;
    attribute->host_release = data_release;
    return 0;
}

PyObject *corm_py_attribute_new(corm_node *entity, corm_attribute *attribute, PyObject *parent, PyObject *property) {
    corm_node *node = corm_attribute_node_new(entity, attribute);
    if (node == NULL) {
        return corm_py_raise();
    }
    CormPyAttribute *self = (CormPyAttribute *)CormPyAttribute_Type->tp_alloc(CormPyAttribute_Type, 0);
    if (self == NULL) {
        corm_node_unref(node);
        return NULL;
    }
    self->element.node = node;
    node->host = self;
    self->attribute = attribute;
    self->key = Py_NewRef(corm_py_data(attribute)->key);
    self->parent = Py_XNewRef(parent);
    self->property = Py_XNewRef(property);
    return (PyObject *)self;
}

/* ---- reading ---- */

PyObject *corm_py_attribute_read(CormPyInstance *self, corm_attribute *attribute) {
    PyObject *value = corm_py_instance_peek(self, attribute);
    if (value != NULL) {
        return Py_NewRef(value);
    }
    if (attribute->relationship != NULL && !attribute->relationship->configured &&
        corm_py_configure(attribute->mapper->registry) < 0) {
        return NULL;
    }
    Py_INCREF(self);
    if (corm_attribute_load(&self->state, attribute) != CORM_OK) {
        Py_DECREF(self);
        return corm_py_raise();
    }
    value = corm_py_instance_peek(self, attribute);
    if (value != NULL) {
        Py_INCREF(value);
    } else {
        value = attribute->listening ? corm_py_attribute_default(self, attribute) : Py_NewRef(Py_None);
    }
    Py_DECREF(self);
    return value;
}

static PyObject *attribute_get(PyObject *descriptor, PyObject *object, PyObject *type) {
    CormPyAttribute *self = (CormPyAttribute *)descriptor;
    (void)type;
    if (object == NULL) {
        return Py_NewRef(descriptor);
    }
    const corm_attribute *attribute = self->attribute;
    CormPyInstance *instance = (CormPyInstance *)object;
    if (Py_TYPE(object)->tp_dealloc == corm_py_instance_dealloc && instance->state.mapper == attribute->mapper) {
        if (corm_py_in_slot(instance, attribute)) {
            PyObject *value = corm_py_slots(instance)[attribute->index];
            if (value != NULL) {
                return Py_NewRef(value);
            }
        }
        return corm_py_attribute_read(instance, self->attribute);
    }
    PyErr_Format(PyExc_AttributeError, "attribute '%U' of %s does not belong to '%.200s' objects", self->key,
                 attribute->mapper->name, Py_TYPE(object)->tp_name);
    return NULL;
}

/* ---- writing ---- */

static int write_collection(CormPyInstance *self, corm_attribute *attribute, PyObject *value) {
    if (value == corm_py_instance_peek(self, attribute)) {
        return 0; /* obj.items += [...] stores back what it changed in place */
    }
    PyObject *items = corm_py_collection_adapt(attribute, value);
    if (items == NULL) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        if (corm_py_attribute_check(attribute, PyList_GET_ITEM(items, i)) < 0) {
            Py_DECREF(items);
            return -1;
        }
    }
    corm_status status =
        corm_collection_replace(&self->state, attribute, (corm_object *const *)(void *)PySequence_Fast_ITEMS(items),
                                (size_t)PySequence_Fast_GET_SIZE(items));
    Py_DECREF(items);
    return status == CORM_OK ? 0 : corm_py_raise_int();
}

static void no_state(PyObject *value) {
    if (PyType_Check(value)) {
        PyErr_Format(PyExc_AttributeError, "type object '%.200s' has no attribute '_sa_instance_state'",
                     _PyType_Name((PyTypeObject *)value));
    } else {
        PyErr_Format(PyExc_AttributeError, "'%.200s' object has no attribute '_sa_instance_state'",
                     _PyType_Name(Py_TYPE(value)));
    }
}

int corm_py_attribute_check(const corm_attribute *attribute, PyObject *item) {
    if (!corm_py_is_instance(item)) {
        no_state(item);
        return -1;
    }
    const corm_mapper *target = attribute->relationship->target;
    if (target == NULL || ((CormPyInstance *)item)->state.mapper == target) {
        return 0;
    }
    PyObject *error = corm_py_import("cormorant.orm.exc", "FlushError");
    PyTypeObject *wanted = corm_py_class_of_mapper(target)->type;
    if (error != NULL) {
        PyErr_Format(error,
                     "Attempting to flush an item of type %R as a member of collection \"%s.%s\". Expected an object "
                     "of type %R or a polymorphic subclass of this type.",
                     Py_TYPE(item), attribute->mapper->name, attribute->key,
                     wanted == NULL ? Py_None : (PyObject *)wanted);
        Py_DECREF(error);
    }
    return -1;
}

static int write_reference(CormPyInstance *self, corm_attribute *attribute, PyObject *value) {
    if (value != Py_None && corm_py_attribute_check(attribute, value) < 0) {
        return -1;
    }
    corm_object *object = value == Py_None ? NULL : (corm_object *)(void *)value;
    return corm_attribute_set_reference(&self->state, attribute, object) == CORM_OK ? 0 : corm_py_raise_int();
}

int corm_py_attribute_write(CormPyInstance *self, corm_attribute *attribute, PyObject *value) {
    corm_status status = CORM_OK;
    if (attribute->kind != CORM_ATTRIBUTE_COLUMN) {
        if (corm_mapper_configure(attribute->mapper) != CORM_OK) {
            return corm_py_raise_int();
        }
        Py_INCREF(self);
        corm_py_change_begin();
        int result = attribute->kind == CORM_ATTRIBUTE_COLLECTION ? write_collection(self, attribute, value)
                                                                  : write_reference(self, attribute, value);
        corm_py_change_end();
        Py_DECREF(self);
        return result;
    }
    if (attribute->listening) {
        corm_value tagged = {.kind = CORM_KIND_HOST};
        tagged.as.host = value;
        Py_INCREF(self);
        status = corm_attribute_set_column(&self->state, attribute, &tagged);
        Py_DECREF(self);
        return status == CORM_OK ? 0 : corm_py_raise_int();
    }
    if ((self->state.flags & CORM_STATE_HAS_KEY) && corm_state_change(&self->state, attribute) == NULL) {
        if (attribute->active_history && corm_attribute_load(&self->state, attribute) != CORM_OK) {
            return corm_py_raise_int();
        }
        if (corm_state_changing(&self->state, attribute) != CORM_OK) {
            return corm_py_raise_int();
        }
    }
    return corm_py_instance_store(self, attribute, Py_NewRef(value));
}

static int delete_value(CormPyInstance *self, CormPyAttribute *descriptor) {
    corm_attribute *attribute = descriptor->attribute;
    if (corm_py_instance_peek(self, attribute) == NULL &&
        (!(self->state.flags & CORM_STATE_HAS_KEY) || corm_attribute_load(&self->state, attribute) != CORM_OK ||
         corm_py_instance_peek(self, attribute) == NULL)) {
        PyErr_Format(PyExc_AttributeError, "%s.%U object does not have a value", attribute->mapper->name,
                     descriptor->key);
        return -1;
    }
    if (!(self->state.flags & CORM_STATE_HAS_KEY) && attribute->kind == CORM_ATTRIBUTE_COLUMN) {
        return corm_py_instance_store(self, attribute, NULL);
    }
    return corm_attribute_delete(&self->state, attribute) == CORM_OK ? 0 : corm_py_raise_int();
}

static int attribute_set(PyObject *descriptor, PyObject *object, PyObject *value) {
    CormPyAttribute *self = (CormPyAttribute *)descriptor;
    corm_attribute *attribute = self->attribute;
    CormPyInstance *instance = (CormPyInstance *)object;
    if (Py_TYPE(object)->tp_dealloc != corm_py_instance_dealloc || instance->state.mapper != attribute->mapper) {
        PyErr_Format(PyExc_AttributeError, "attribute '%U' of %s does not belong to '%.200s' objects", self->key,
                     attribute->mapper->name, Py_TYPE(object)->tp_name);
        return -1;
    }
    if (value == NULL) {
        Py_INCREF(object);
        int failed = delete_value(instance, self);
        Py_DECREF(object);
        return failed;
    }
    return corm_py_attribute_write(instance, attribute, value);
}

/* ---- as an expression ---- */

static int configure(CormPyAttribute *self) {
    return corm_py_configure(self->attribute->mapper->registry);
}

static bool is_relationship(const CormPyAttribute *self) {
    return corm_attribute_is_relationship(self->attribute);
}

static PyObject *attribute_richcompare(PyObject *left, PyObject *right, int op) {
    CormPyAttribute *self = (CormPyAttribute *)left;
    if (!PyObject_TypeCheck(left, CormPyAttribute_Type) || !is_relationship(self)) {
        return CormPyColumnElement_Type->tp_richcompare(left, right, op);
    }
    if (left == right && (op == Py_EQ || op == Py_NE)) {
        return PyBool_FromLong(op == Py_EQ);
    }
    if (op != Py_EQ && op != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (configure(self) < 0) {
        return NULL;
    }
    if (right != Py_None && corm_py_state_required(right) == NULL) {
        PyErr_Clear();
        if (PyObject_TypeCheck(right, CormPyClauseElement_Type)) {
            Py_RETURN_NOTIMPLEMENTED;
        }
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is compared with a mapped object or None, not with a '%s'",
                       self->attribute->mapper->name, self->attribute->key, Py_TYPE(right)->tp_name);
        return corm_py_raise();
    }
    corm_object *object = right == Py_None ? NULL : (corm_object *)(void *)right;
    if (self->attribute->kind == CORM_ATTRIBUTE_COLLECTION && object != NULL && op == Py_EQ) {
        corm_error_set(CORM_INVALID_REQUEST,
                       "Can't compare a collection to an object or collection; use contains() to test for membership.");
        return corm_py_raise();
    }
    return corm_py_wrap(op == Py_EQ ? corm_relationship_equals(self->element.node, object)
                                    : corm_relationship_differs(self->element.node, object));
}

static Py_hash_t attribute_hash(PyObject *self) {
    return _Py_HashPointer(self);
}

/* any() and has(): the criterion and keyword equalities joined by AND. */
static PyObject *exists(CormPyAttribute *self, PyObject *args, PyObject *kwargs, bool many, const char *name) {
    PyObject *criterion = NULL;
    if (!PyArg_UnpackTuple(args, name, 0, 1, &criterion) || configure(self) < 0) {
        return NULL;
    }
    if (!is_relationship(self)) {
        PyErr_Format(PyExc_AttributeError,
                     "Neither 'InstrumentedAttribute' object nor 'Comparator' object associated with "
                     "%s.%U has an attribute '%s'",
                     self->attribute->mapper->name, self->key, name);
        return NULL;
    }
    if ((self->attribute->kind == CORM_ATTRIBUTE_COLLECTION) != many) {
        corm_error_set(CORM_INVALID_REQUEST, many ? "'any()' not implemented for scalar attributes. Use has()."
                                                  : "'has()' not implemented for collections. Use any().");
        return corm_py_raise();
    }
    corm_node *all = NULL;
    if (criterion != NULL && criterion != Py_None) {
        all = corm_py_node(criterion);
        if (all == NULL) {
            return NULL;
        }
    }
    corm_attribute_node *node = corm_node_as_attribute(self->element.node);
    corm_mapper *target = self->attribute->relationship->target;
    corm_node *entity = corm_attribute_node_target(node) != NULL
                            ? corm_node_ref(node->children[1])
                            : corm_py_class_entity(corm_py_class_of_mapper(target));
    PyObject *key, *value;
    Py_ssize_t position = 0;
    while (kwargs != NULL && PyDict_Next(kwargs, &position, &key, &value)) {
        corm_attribute *attribute = corm_mapper_attribute(target, PyUnicode_AsUTF8(key));
        if (attribute == NULL) {
            corm_error_set(CORM_INVALID_REQUEST, "Entity namespace for \"%s\" has no property \"%s\"", target->name,
                           PyUnicode_AsUTF8(key));
            corm_node_unref(all);
            corm_node_unref(entity);
            return corm_py_raise();
        }
        corm_value tagged;
        corm_node *left = corm_attribute_node_new(entity, attribute);
        corm_node *equality = NULL;
        if (left != NULL && corm_py_to_value(value, &tagged) == CORM_OK) {
            equality = corm_binary_value(CORM_OP_EQ, left, &tagged);
        }
        corm_node *joined = all == NULL ? corm_node_ref(equality) : corm_and2(all, equality);
        corm_node_unref(left);
        corm_node_unref(equality);
        corm_node_unref(all);
        all = joined;
        if (all == NULL) {
            corm_node_unref(entity);
            return corm_py_raise();
        }
    }
    corm_node_unref(entity);
    corm_node *result = corm_relationship_exists(self->element.node, all);
    corm_node_unref(all);
    return corm_py_wrap(result);
}

static PyObject *attribute_any(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *own = is_relationship((CormPyAttribute *)self) ? NULL : corm_py_own_function(self, "any");
    if (own != NULL) {
        PyObject *result = PyObject_Call(own, args, kwargs);
        Py_DECREF(own);
        return result;
    }
    return PyErr_Occurred() != NULL ? NULL : exists((CormPyAttribute *)self, args, kwargs, true, "any");
}

static PyObject *attribute_has(PyObject *self, PyObject *args, PyObject *kwargs) {
    return exists((CormPyAttribute *)self, args, kwargs, false, "has");
}

/* A method of the plain expression, for column attributes. */
static PyObject *base_method(PyObject *self, const char *name, PyObject *args, PyObject *kwargs) {
    PyObject *method = corm_py_get((PyObject *)CormPyColumnElement_Type, name);
    PyObject *all = method == NULL ? NULL : PyTuple_New(PyTuple_GET_SIZE(args) + 1);
    PyObject *result = NULL;
    if (all != NULL) {
        PyTuple_SET_ITEM(all, 0, Py_NewRef(self));
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
            PyTuple_SET_ITEM(all, i + 1, Py_NewRef(PyTuple_GET_ITEM(args, i)));
        }
        result = PyObject_Call(method, all, kwargs);
    }
    Py_XDECREF(all);
    Py_XDECREF(method);
    return result;
}

static PyObject *attribute_contains(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    if (!is_relationship(self)) {
        return base_method(object, "contains", args, kwargs);
    }
    PyObject *other;
    if (!PyArg_UnpackTuple(args, "contains", 1, 1, &other) || configure(self) < 0 ||
        corm_py_state_required(other) == NULL) {
        return NULL;
    }
    if (self->attribute->kind != CORM_ATTRIBUTE_COLLECTION) {
        corm_error_set(CORM_INVALID_REQUEST, "'contains' not implemented for scalar attributes.  Use ==");
        return corm_py_raise();
    }
    return corm_py_wrap(corm_relationship_contains(self->element.node, (corm_object *)(void *)other));
}

static PyObject *refuse_in(PyObject *object, PyObject *args, PyObject *kwargs, const char *name) {
    if (!is_relationship((CormPyAttribute *)object)) {
        return base_method(object, name, args, kwargs);
    }
    PyErr_SetString(PyExc_NotImplementedError,
                    "in_() not yet supported for relationships.  For a simple many-to-one, use in_() against the set "
                    "of foreign key values.");
    return NULL;
}

static PyObject *attribute_in(PyObject *self, PyObject *args, PyObject *kwargs) {
    return refuse_in(self, args, kwargs, "in_");
}

/* The same attribute with another node: of_type(), and_(). */
static PyObject *with_node(CormPyAttribute *self, corm_node *node) {
    if (node == NULL) {
        return corm_py_raise();
    }
    CormPyAttribute *made = (CormPyAttribute *)CormPyAttribute_Type->tp_alloc(CormPyAttribute_Type, 0);
    if (made == NULL) {
        corm_node_unref(node);
        return NULL;
    }
    made->element.node = node;
    node->host = made;
    made->attribute = self->attribute;
    made->key = Py_NewRef(self->key);
    made->parent = Py_XNewRef(self->parent);
    made->property = Py_XNewRef(self->property);
    return (PyObject *)made;
}

static PyObject *attribute_of_type(PyObject *object, PyObject *target) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    corm_node *entity =
        configure(self) < 0 || corm_py_mapper_required(target) == NULL ? NULL : corm_py_entity_node(target);
    if (entity == NULL) {
        return PyErr_Occurred() ? NULL : corm_py_raise();
    }
    corm_node *node = corm_attribute_node_of_type(self->element.node, entity);
    corm_node_unref(entity);
    return with_node(self, node);
}

static PyObject *attribute_and(PyObject *object, PyObject *args) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    if (!is_relationship(self)) {
        PyErr_SetString(PyExc_AttributeError, "and_() is for relationships: use sqlalchemy.and_() with columns");
        return NULL;
    }
    corm_node *all = NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); i++) {
        corm_node *one = corm_py_node(PyTuple_GET_ITEM(args, i));
        if (one == NULL) {
            corm_node_unref(all);
            return NULL;
        }
        corm_node *joined = all == NULL ? corm_node_ref(one) : corm_and2(all, one);
        corm_node_unref(one);
        corm_node_unref(all);
        all = joined;
    }
    corm_node *node = configure(self) < 0 ? NULL : corm_attribute_node_and(self->element.node, all);
    corm_node_unref(all);
    return node == NULL && PyErr_Occurred() ? NULL : with_node(self, node);
}

/* adapt: used by aliased(). */
static PyObject *attribute_adapt_to_entity(PyObject *object, PyObject *alias) {
    return PyObject_GetAttr(alias, ((CormPyAttribute *)object)->key);
}

static PyMethodDef attribute_methods[] = {
    {"any", (PyCFunction)(void (*)(void))attribute_any, METH_VARARGS | METH_KEYWORDS,
     "EXISTS of the collection's items that meet a criterion."},
    {"has", (PyCFunction)(void (*)(void))attribute_has, METH_VARARGS | METH_KEYWORDS,
     "EXISTS of the referred object if it meets a criterion."},
    {"contains", (PyCFunction)(void (*)(void))attribute_contains, METH_VARARGS | METH_KEYWORDS,
     "Of a relationship: the object is in the collection; of a column: LIKE '%' || text || '%'."},
    {"in_", (PyCFunction)(void (*)(void))attribute_in, METH_VARARGS | METH_KEYWORDS, "IN a list or a select."},
    {"of_type", attribute_of_type, METH_O, "The relationship to an aliased class of its target."},
    {"and_", attribute_and, METH_VARARGS, "The relationship with further criteria in its ON clause."},
    {"adapt_to_entity", attribute_adapt_to_entity, METH_O, "The same attribute of an aliased class."},
    {NULL, NULL, 0, NULL}};

/* ---- what it is ---- */

static PyObject *attribute_get_key(PyObject *self, void *closure) {
    (void)closure;
    return Py_NewRef(((CormPyAttribute *)self)->key);
}

static PyObject *attribute_get_property(PyObject *object, void *closure) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    (void)closure;
    if (is_relationship(self) && configure(self) < 0) {
        return NULL;
    }
    return Py_NewRef(self->property == NULL ? Py_None : self->property);
}

static PyObject *attribute_get_declared(PyObject *object, void *closure) {
    PyObject *property = ((CormPyAttribute *)object)->property;
    (void)closure;
    return Py_NewRef(property == NULL ? Py_None : property);
}

static PyObject *attribute_get_class(PyObject *object, void *closure) {
    corm_py_class *record = corm_py_class_of_mapper(((CormPyAttribute *)object)->attribute->mapper);
    (void)closure;
    return Py_NewRef(record->type == NULL ? Py_None : (PyObject *)record->type);
}

static PyObject *attribute_get_parent(PyObject *self, void *closure) {
    PyObject *parent = ((CormPyAttribute *)self)->parent;
    (void)closure;
    return Py_NewRef(parent == NULL ? Py_None : parent);
}

static PyObject *attribute_get_expression(PyObject *object, void *closure) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    (void)closure;
    if (is_relationship(self)) {
        return Py_NewRef(object);
    }
    return corm_py_wrap(corm_attribute_column(corm_node_as_attribute(self->element.node)));
}

static PyObject *attribute_get_name(PyObject *self, void *closure) {
    const corm_attribute *attribute = ((CormPyAttribute *)self)->attribute;
    (void)closure;
    return PyUnicode_FromString(attribute->column != NULL && attribute->column->name != NULL ? attribute->column->name
                                                                                             : attribute->key);
}

static PyObject *attribute_get_true(PyObject *self, void *closure) {
    (void)self;
    (void)closure;
    Py_RETURN_TRUE;
}

static PyObject *attribute_getattr(PyObject *object, PyObject *name) {
    PyObject *found = PyObject_GenericGetAttr(object, name);
    CormPyAttribute *self = (CormPyAttribute *)object;
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    found = self->attribute->column == NULL ? NULL : corm_py_own_attribute(object, name);
    if (found != NULL) {
        return found;
    }
    /* Of a column: whatever the column itself has (table, primary_key, default...). */
    if (self->attribute->column != NULL) {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        PyObject *column = corm_py_wrap(corm_node_ref(corm_column_node(self->attribute->column)));
        found = column == NULL ? NULL : PyObject_GetAttr(column, name);
        Py_XDECREF(column);
        if (found == NULL) {
            PyErr_Clear();
            PyErr_Restore(type, value, traceback);
            PyErr_Clear();
            PyErr_Format(PyExc_AttributeError,
                         "Neither 'InstrumentedAttribute' object nor 'Comparator' object associated with %s.%U has an "
                         "attribute %R",
                         self->attribute->mapper->name, self->key, name);
            return NULL;
        }
        Py_XDECREF(type);
        Py_XDECREF(value);
        Py_XDECREF(traceback);
        return found;
    }
    PyErr_Clear();
    PyErr_Format(
        PyExc_AttributeError,
        "Neither 'InstrumentedAttribute' object nor 'Comparator' object associated with %s.%U has an attribute "
        "%R",
        self->attribute->mapper->name, self->key, name);
    return NULL;
}

static PyGetSetDef attribute_getset[] = {
    {"key", attribute_get_key, NULL, "The attribute's name.", NULL},
    {"name", attribute_get_name, NULL, "The column's name in SQL.", NULL},
    {"property", attribute_get_property, NULL, "What was declared: the relationship or column property.", NULL},
    {"prop", attribute_get_property, NULL, "The same as property.", NULL},
    {"_property", attribute_get_declared, NULL, "The same without resolving it.", NULL},
    {"class_", attribute_get_class, NULL, "The mapped class.", NULL},
    {"parent", attribute_get_parent, NULL, "The mapper, or the aliased class.", NULL},
    {"expression", attribute_get_expression, NULL, "The column in SQL.", NULL},
    {"is_attribute", attribute_get_true, NULL, "True.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyObject *attribute_str(PyObject *object) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    return PyUnicode_FromFormat("%s.%U", self->attribute->mapper->name, self->key);
}

static PyObject *attribute_repr(PyObject *object) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    return PyUnicode_FromFormat("<cormorant.orm.attributes.InstrumentedAttribute %s.%U>", self->attribute->mapper->name,
                                self->key);
}

/* ---- life ---- */

static int attribute_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    Py_VISIT(self->property);
    Py_VISIT(self->parent);
    Py_VISIT(self->listeners);
    Py_VISIT(self->factory);
    if (CormPyColumnElement_Type->tp_traverse != NULL) {
        return CormPyColumnElement_Type->tp_traverse(object, visit, arg);
    }
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->element.dict);
    return 0;
}

static int attribute_clear(PyObject *object) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    Py_CLEAR(self->property);
    Py_CLEAR(self->parent);
    Py_CLEAR(self->listeners);
    Py_CLEAR(self->factory);
    return CormPyColumnElement_Type->tp_clear != NULL ? CormPyColumnElement_Type->tp_clear(object) : 0;
}

static void attribute_dealloc(PyObject *object) {
    CormPyAttribute *self = (CormPyAttribute *)object;
    PyObject_GC_UnTrack(object);
    if (self->attribute != NULL && self->attribute->host != NULL &&
        corm_py_data(self->attribute)->descriptor == object) {
        corm_py_data(self->attribute)->descriptor = NULL;
    }
    self->attribute = NULL;
    Py_CLEAR(self->property);
    Py_CLEAR(self->parent);
    Py_CLEAR(self->listeners);
    Py_CLEAR(self->factory);
    Py_CLEAR(self->key);
    CormPyColumnElement_Type->tp_dealloc(object);
}

static PyType_Slot attribute_slots[] = {
    {Py_tp_doc, "An attribute of a mapped class: an expression when read from the class, its value from an object."},
    {Py_tp_dealloc, attribute_dealloc},
    {Py_tp_traverse, attribute_traverse},
    {Py_tp_clear, attribute_clear},
    {Py_tp_descr_get, attribute_get},
    {Py_tp_descr_set, attribute_set},
    {Py_tp_getattro, attribute_getattr},
    {Py_tp_richcompare, attribute_richcompare},
    {Py_tp_hash, attribute_hash},
    {Py_tp_str, attribute_str},
    {Py_tp_repr, attribute_repr},
    {Py_tp_methods, attribute_methods},
    {Py_tp_getset, attribute_getset},
    {0, NULL}};

static PyType_Spec attribute_spec = {
    .name = "cormorant._engine.InstrumentedAttribute",
    .basicsize = sizeof(CormPyAttribute),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = attribute_slots,
};

int corm_py_attribute_init(PyObject *module) {
    CormPyAttribute_Type = corm_py_type(module, &attribute_spec, CormPyColumnElement_Type);
    return CormPyAttribute_Type == NULL ? -1 : 0;
}
