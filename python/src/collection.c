/*
 * Collections of relationships: real lists, sets and dictionaries that tell their owner of each item before it comes or
 * goes, so that history is kept, the other side follows and cascades run.
 *
 * The tie to the owner is a link inside the collection, in a list that the owner heads; neither holds the other through
 * it. A collection that was replaced, or whose owner is gone, has no owner and behaves as a plain one.
 *
 * Telling runs user's code that may change the very collection: every mutation looks at sizes again afterwards.
 */
#include "orm.h"

typedef struct CormPyList {
    PyListObject list;
    corm_py_link link;
} CormPyList;

typedef struct CormPySet {
    PySetObject set;
    corm_py_link link;
} CormPySet;

typedef struct CormPyDict {
    PyDictObject dict;
    corm_py_link link;
    PyObject *key_function;
} CormPyDict;

typedef struct CormPyAdapter { /* of a user's collection class */
    PyObject_HEAD corm_py_link link;
} CormPyAdapter;

static PyTypeObject *list_type, *set_type, *dict_type, *adapter_type;
static PyObject *name_adapter, *name_append, *name_remove, *name_items;

/* ---- links ---- */

void corm_py_link_attach(corm_py_link *link, CormPyInstance *owner, const corm_attribute *attribute) {
    corm_py_link_detach(link);
    link->owner = owner;
    link->attribute = (corm_attribute *)(uintptr_t)attribute;
    link->previous = NULL;
    link->next = owner->collections;
    if (link->next != NULL) {
        link->next->previous = link;
    }
    owner->collections = link;
}

void corm_py_link_detach(corm_py_link *link) {
    if (link->owner == NULL) {
        return;
    }
    if (link->previous != NULL) {
        link->previous->next = link->next;
    } else {
        link->owner->collections = link->next;
    }
    if (link->next != NULL) {
        link->next->previous = link->previous;
    }
    link->owner = NULL;
    link->previous = link->next = NULL;
}

/* Of a user's class: the adapter that the Python side put into the object. Borrowed; no exception. */
static CormPyAdapter *adapter_of(PyObject *collection) {
    if (_PyType_Lookup(Py_TYPE(collection), name_adapter) == NULL) {
        return NULL;
    }
    PyObject *adapter = PyObject_GetAttr(collection, name_adapter);
    if (adapter == NULL) {
        PyErr_Clear();
        return NULL;
    }
    Py_DECREF(adapter); /* the collection keeps it */
    return PyObject_TypeCheck(adapter, adapter_type) ? (CormPyAdapter *)adapter : NULL;
}

corm_py_link *corm_py_link_of(PyObject *collection) {
    if (PyList_Check(collection) && PyObject_TypeCheck(collection, list_type)) {
        return &((CormPyList *)collection)->link;
    }
    if (PyAnySet_Check(collection) && PyObject_TypeCheck(collection, set_type)) {
        return &((CormPySet *)collection)->link;
    }
    if (PyDict_Check(collection) && PyObject_TypeCheck(collection, dict_type)) {
        return &((CormPyDict *)collection)->link;
    }
    CormPyAdapter *adapter = adapter_of(collection);
    return adapter == NULL ? NULL : &adapter->link;
}

/* Tell that an item comes. *item is borrowed and may be replaced; on success it becomes a new reference. */
static int adding(corm_py_link *link, PyObject **item) {
    CormPyInstance *owner = link->owner;
    Py_INCREF(*item);
    if (owner == NULL) {
        return 0;
    }
    PyObject *given = *item;
    corm_object *object = (corm_object *)(void *)given;
    if (corm_py_attribute_check(link->attribute, given) < 0) {
        Py_DECREF(given);
        return -1;
    }
    Py_INCREF(owner);
    corm_py_change_begin();
    corm_status status = corm_collection_adding(&owner->state, link->attribute, &object);
    if (status == CORM_OK && (PyObject *)(void *)object != given) {
        *item = Py_NewRef((PyObject *)(void *)object);
        Py_DECREF(given);
    }
    corm_py_change_end();
    Py_DECREF(owner);
    if (status != CORM_OK) {
        Py_DECREF(given);
        return corm_py_raise_int();
    }
    return 0;
}

static int removing(corm_py_link *link, PyObject *item) {
    CormPyInstance *owner = link->owner;
    if (owner == NULL) {
        return 0;
    }
    Py_INCREF(owner);
    Py_INCREF(item);
    corm_py_change_begin();
    corm_status status = corm_collection_removing(&owner->state, link->attribute, (corm_object *)(void *)item);
    corm_py_change_end();
    Py_DECREF(item);
    Py_DECREF(owner);
    return status == CORM_OK ? 0 : corm_py_raise_int();
}

/* Tell for every item of a list. */
static int removing_all(corm_py_link *link, PyObject *items) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items); i++) {
        if (removing(link, PyList_GET_ITEM(items, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *link_get_adapter(PyObject *self, void *closure) {
    (void)closure;
    corm_py_link *link = corm_py_link_of(self);
    return Py_NewRef(link == NULL || link->owner == NULL ? Py_None : (PyObject *)link->owner);
}

static PyObject *collection_reduce(PyObject *self, PyObject *plain_type) {
    /* Pickled and copied as the plain container: the owner makes it one of its own again. */
    PyObject *items = PySequence_List(self);
    return items == NULL ? NULL : Py_BuildValue("O(N)", plain_type, items);
}

/* ---- list ---- */

static corm_py_link *list_link(PyObject *self) {
    return &((CormPyList *)self)->link;
}

static PyObject *list_append(PyObject *self, PyObject *item) {
    if (adding(list_link(self), &item) < 0) {
        return NULL;
    }
    int failed = PyList_Append(self, item);
    Py_DECREF(item);
    if (failed < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int list_extend_with(PyObject *self, PyObject *iterable) {
    PyObject *items = PySequence_List(iterable);
    int failed = items == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(items); i++) {
        PyObject *done = list_append(self, PyList_GET_ITEM(items, i));
        failed = done == NULL;
        Py_XDECREF(done);
    }
    Py_XDECREF(items);
    return failed ? -1 : 0;
}

static PyObject *list_extend(PyObject *self, PyObject *iterable) {
    if (list_extend_with(self, iterable) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *list_insert(PyObject *self, PyObject *args) {
    Py_ssize_t index;
    PyObject *item;
    if (!PyArg_ParseTuple(args, "nO:insert", &index, &item) || adding(list_link(self), &item) < 0) {
        return NULL;
    }
    if (index < 0) {
        index = index + PyList_GET_SIZE(self) < 0 ? 0 : index + PyList_GET_SIZE(self);
    }
    int failed = PyList_Insert(self, index, item);
    Py_DECREF(item);
    if (failed < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* The place of this very object, else of an equal one; negative: none, or an exception. */
static Py_ssize_t list_find(PyObject *self, PyObject *item) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self); i++) {
        if (PyList_GET_ITEM(self, i) == item) {
            return i;
        }
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self); i++) {
        PyObject *candidate = Py_NewRef(PyList_GET_ITEM(self, i));
        int equal = PyObject_RichCompareBool(candidate, item, Py_EQ);
        Py_DECREF(candidate);
        if (equal != 0) {
            return equal < 0 ? -1 : i;
        }
    }
    return -1;
}

static int list_delete_at(PyObject *self, Py_ssize_t index) {
    return PyList_SetSlice(self, index, index + 1, NULL);
}

/* Take out this very object, wherever it is by now. */
static int list_drop(PyObject *self, PyObject *item) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(self); i++) {
        if (PyList_GET_ITEM(self, i) == item) {
            return list_delete_at(self, i);
        }
    }
    return 0;
}

static PyObject *list_remove(PyObject *self, PyObject *item) {
    Py_ssize_t index = list_find(self, item);
    if (index < 0) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "list.remove(x): x not in list");
        }
        return NULL;
    }
    PyObject *found = Py_NewRef(PyList_GET_ITEM(self, index));
    int failed = removing(list_link(self), found);
    if (!failed) {
        failed = list_drop(self, found);
    }
    Py_DECREF(found);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *list_pop(PyObject *self, PyObject *args) {
    Py_ssize_t index = -1;
    if (!PyArg_ParseTuple(args, "|n:pop", &index)) {
        return NULL;
    }
    Py_ssize_t size = PyList_GET_SIZE(self);
    if (size == 0) {
        PyErr_SetString(PyExc_IndexError, "pop from empty list");
        return NULL;
    }
    index = index < 0 ? index + size : index;
    if (index < 0 || index >= size) {
        PyErr_SetString(PyExc_IndexError, "pop index out of range");
        return NULL;
    }
    PyObject *item = Py_NewRef(PyList_GET_ITEM(self, index));
    int failed = removing(list_link(self), item);
    if (!failed && index < PyList_GET_SIZE(self) && PyList_GET_ITEM(self, index) == item) {
        failed = list_delete_at(self, index);
    } else if (!failed) {
        failed = list_drop(self, item);
    }
    if (failed) {
        Py_DECREF(item);
        return NULL;
    }
    return item;
}

static PyObject *list_clear(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *items = PyList_GetSlice(self, 0, PyList_GET_SIZE(self));
    int failed = items == NULL || removing_all(list_link(self), items) < 0 ||
                 PyList_SetSlice(self, 0, PyList_GET_SIZE(self), NULL) < 0;
    Py_XDECREF(items);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static int base_assign(PyObject *self, PyObject *key, PyObject *value) {
    return PyList_Type.tp_as_mapping->mp_ass_subscript(self, key, value);
}

static int list_assign_slice(PyObject *self, PyObject *slice, PyObject *value) {
    PyObject *former = PyList_Type.tp_as_mapping->mp_subscript(self, slice);
    PyObject *fresh = former == NULL ? NULL : value == NULL ? PyList_New(0) : PySequence_List(value);
    int failed = fresh == NULL;
    /* An item that stays fires nothing. */
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(fresh); i++) {
        PyObject *item = PyList_GET_ITEM(fresh, i);
        bool stays = false;
        for (Py_ssize_t j = 0; j < PyList_GET_SIZE(former) && !stays; j++) {
            stays = PyList_GET_ITEM(former, j) == item;
        }
        if (!stays) {
            failed = adding(list_link(self), &item) < 0 || PyList_SetItem(fresh, i, item) < 0;
        }
    }
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(former); i++) {
        PyObject *item = PyList_GET_ITEM(former, i);
        bool stays = false;
        for (Py_ssize_t j = 0; j < PyList_GET_SIZE(fresh) && !stays; j++) {
            stays = PyList_GET_ITEM(fresh, j) == item;
        }
        failed = !stays && removing(list_link(self), item) < 0;
    }
    if (!failed) {
        failed = base_assign(self, slice, value == NULL ? NULL : fresh) < 0;
    }
    Py_XDECREF(former);
    Py_XDECREF(fresh);
    return failed ? -1 : 0;
}

static int list_assign(PyObject *self, PyObject *key, PyObject *value) {
    if (PySlice_Check(key)) {
        return list_assign_slice(self, key, value);
    }
    PyObject *former = PyObject_GetItem(self, key);
    if (former == NULL) {
        return -1;
    }
    if (former == value) {
        Py_DECREF(former);
        return 0;
    }
    int failed = removing(list_link(self), former);
    PyObject *item = value;
    if (!failed && value != NULL) {
        failed = adding(list_link(self), &item);
    }
    if (!failed) {
        failed = base_assign(self, key, value == NULL ? NULL : item);
        if (value != NULL) {
            Py_DECREF(item);
        }
    }
    Py_DECREF(former);
    return failed;
}

static int list_assign_at(PyObject *self, Py_ssize_t index, PyObject *value) {
    PyObject *key = PyLong_FromSsize_t(index);
    int failed = key == NULL ? -1 : list_assign(self, key, value);
    Py_XDECREF(key);
    return failed;
}

static PyObject *list_inplace_concat(PyObject *self, PyObject *other) {
    return list_extend_with(self, other) < 0 ? NULL : Py_NewRef(self);
}

static PyObject *list_inplace_repeat(PyObject *self, Py_ssize_t count) {
    PyObject *items = PyList_GetSlice(self, 0, PyList_GET_SIZE(self));
    PyObject *result = NULL;
    if (items != NULL && count <= 0) {
        result = list_clear(self, NULL);
        Py_XDECREF(result);
        result = result == NULL ? NULL : Py_NewRef(self);
    } else if (items != NULL) {
        int failed = 0;
        for (Py_ssize_t i = 1; i < count && !failed; i++) {
            failed = PyList_SetSlice(self, PyList_GET_SIZE(self), PyList_GET_SIZE(self), items);
        }
        result = failed ? NULL : Py_NewRef(self);
    }
    Py_XDECREF(items);
    return result;
}

static PyObject *list_copy(PyObject *self, PyObject *unused) {
    (void)unused;
    return PyList_GetSlice(self, 0, PyList_GET_SIZE(self));
}

static PyObject *list_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    return collection_reduce(self, (PyObject *)&PyList_Type);
}

static void list_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    corm_py_link_detach(list_link(self));
    PyList_Type.tp_dealloc(self);
    Py_DECREF(type);
}

/* list's own, and the type: instances of heap types hold theirs. */
static int list_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return PyList_Type.tp_traverse(self, visit, arg);
}

static PyMethodDef list_methods[] = {
    {"append", list_append, METH_O, "Append an item."},
    {"extend", list_extend, METH_O, "Append all items of an iterable."},
    {"insert", list_insert, METH_VARARGS, "Insert an item before an index."},
    {"remove", list_remove, METH_O, "Remove the first occurrence of an item."},
    {"pop", list_pop, METH_VARARGS, "Remove and give the item at an index (default: the last)."},
    {"clear", list_clear, METH_NOARGS, "Remove all items."},
    {"copy", list_copy, METH_NOARGS, "A plain list of the items."},
    {"__reduce__", list_reduce, METH_NOARGS, "Pickled as a plain list."},
    {"__reduce_ex__", list_reduce, METH_O, "Pickled as a plain list."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef link_getset[] = {{"_sa_owner", link_get_adapter, NULL, "The object that owns the collection.", NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot list_slots[] = {{Py_tp_doc, "A list of related objects: its owner follows each change."},
                                   {Py_tp_dealloc, list_dealloc},
                                   {Py_tp_traverse, list_traverse},
                                   {Py_tp_methods, list_methods},
                                   {Py_tp_getset, link_getset},
                                   {Py_mp_ass_subscript, list_assign},
                                   {Py_sq_ass_item, list_assign_at},
                                   {Py_sq_inplace_concat, list_inplace_concat},
                                   {Py_sq_inplace_repeat, list_inplace_repeat},
                                   {0, NULL}};

static PyType_Spec list_spec = {.name = "cormorant._engine.InstrumentedList",
                                .basicsize = sizeof(CormPyList),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                .slots = list_slots};

/* ---- set ---- */

static corm_py_link *set_link(PyObject *self) {
    return &((CormPySet *)self)->link;
}

static PyObject *set_add(PyObject *self, PyObject *item) {
    int present = PySet_Contains(self, item);
    if (present != 0) {
        return present < 0 ? NULL : Py_NewRef(Py_None);
    }
    if (adding(set_link(self), &item) < 0) {
        return NULL;
    }
    int failed = PySet_Add(self, item);
    Py_DECREF(item);
    return failed < 0 ? NULL : Py_NewRef(Py_None);
}

static int set_take_out(PyObject *self, PyObject *item) {
    Py_INCREF(item);
    int failed = removing(set_link(self), item) < 0 || PySet_Discard(self, item) < 0;
    Py_DECREF(item);
    return failed ? -1 : 0;
}

static PyObject *set_discard(PyObject *self, PyObject *item) {
    int present = PySet_Contains(self, item);
    if (present < 0 || (present && set_take_out(self, item) < 0)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *set_remove(PyObject *self, PyObject *item) {
    int present = PySet_Contains(self, item);
    if (present == 0) {
        PyErr_SetObject(PyExc_KeyError, item);
    }
    if (present <= 0 || set_take_out(self, item) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *set_pop(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *iterator = PyObject_GetIter(self);
    PyObject *item = iterator == NULL ? NULL : PyIter_Next(iterator);
    Py_XDECREF(iterator);
    if (item == NULL) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_KeyError, "pop from an empty set");
        }
        return NULL;
    }
    if (set_take_out(self, item) < 0) {
        Py_DECREF(item);
        return NULL;
    }
    return item;
}

/* Make the set hold exactly these items, firing for the difference. */
static int set_become(PyObject *self, PyObject *wanted) {
    PyObject *gone = PyNumber_Subtract(self, wanted), *come = gone == NULL ? NULL : PyNumber_Subtract(wanted, self);
    PyObject *going = come == NULL ? NULL : PySequence_List(gone),
             *coming = going == NULL ? NULL : PySequence_List(come);
    int failed = coming == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(going); i++) {
        failed = set_take_out(self, PyList_GET_ITEM(going, i)) < 0;
    }
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(coming); i++) {
        PyObject *done = set_add(self, PyList_GET_ITEM(coming, i));
        failed = done == NULL;
        Py_XDECREF(done);
    }
    Py_XDECREF(gone);
    Py_XDECREF(come);
    Py_XDECREF(going);
    Py_XDECREF(coming);
    return failed ? -1 : 0;
}

/* Apply a plain set operation to a copy, then become that. */
static PyObject *set_apply(PyObject *self, const char *operation, PyObject *args) {
    PyObject *copy = PySet_New(self);
    PyObject *method = copy == NULL ? NULL : corm_py_get(copy, operation);
    PyObject *done = method == NULL ? NULL : PyObject_CallObject(method, args);
    int failed = done == NULL || set_become(self, copy) < 0;
    Py_XDECREF(done);
    Py_XDECREF(method);
    Py_XDECREF(copy);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *set_update(PyObject *self, PyObject *args) {
    return set_apply(self, "update", args);
}
static PyObject *set_difference_update(PyObject *self, PyObject *args) {
    return set_apply(self, "difference_update", args);
}
static PyObject *set_intersection_update(PyObject *self, PyObject *args) {
    return set_apply(self, "intersection_update", args);
}
static PyObject *set_symmetric_difference_update(PyObject *self, PyObject *args) {
    return set_apply(self, "symmetric_difference_update", args);
}
static PyObject *set_clear(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *empty = PySet_New(NULL);
    int failed = empty == NULL || set_become(self, empty) < 0;
    Py_XDECREF(empty);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *set_inplace(PyObject *self, PyObject *other, const char *operation) {
    if (!PyAnySet_Check(other)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    PyObject *args = PyTuple_Pack(1, other);
    PyObject *done = args == NULL ? NULL : set_apply(self, operation, args);
    Py_XDECREF(args);
    Py_XDECREF(done);
    return done == NULL ? NULL : Py_NewRef(self);
}
static PyObject *set_ior(PyObject *self, PyObject *other) {
    return set_inplace(self, other, "update");
}
static PyObject *set_isub(PyObject *self, PyObject *other) {
    return set_inplace(self, other, "difference_update");
}
static PyObject *set_iand(PyObject *self, PyObject *other) {
    return set_inplace(self, other, "intersection_update");
}
static PyObject *set_ixor(PyObject *self, PyObject *other) {
    return set_inplace(self, other, "symmetric_difference_update");
}
static PyObject *set_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    return collection_reduce(self, (PyObject *)&PySet_Type);
}
static void set_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    corm_py_link_detach(set_link(self));
    PySet_Type.tp_dealloc(self);
    Py_DECREF(type);
}
static int set_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return PySet_Type.tp_traverse(self, visit, arg);
}

static PyMethodDef set_methods[] = {
    {"add", set_add, METH_O, "Add an item."},
    {"remove", set_remove, METH_O, "Remove an item; KeyError when it is not there."},
    {"discard", set_discard, METH_O, "Remove an item if it is there."},
    {"pop", set_pop, METH_NOARGS, "Remove and give some item."},
    {"clear", set_clear, METH_NOARGS, "Remove all items."},
    {"update", set_update, METH_VARARGS, "Add the items of other sets."},
    {"difference_update", set_difference_update, METH_VARARGS, "Remove the items of other sets."},
    {"intersection_update", set_intersection_update, METH_VARARGS, "Keep what is in all sets."},
    {"symmetric_difference_update", set_symmetric_difference_update, METH_VARARGS, "Keep what is in one of both."},
    {"__reduce__", set_reduce, METH_NOARGS, "Pickled as a plain set."},
    {"__reduce_ex__", set_reduce, METH_O, "Pickled as a plain set."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot set_slots[] = {{Py_tp_doc, "A set of related objects: its owner follows each change."},
                                  {Py_tp_dealloc, set_dealloc},
                                  {Py_tp_traverse, set_traverse},
                                  {Py_tp_methods, set_methods},
                                  {Py_tp_getset, link_getset},
                                  {Py_nb_inplace_or, set_ior},
                                  {Py_nb_inplace_subtract, set_isub},
                                  {Py_nb_inplace_and, set_iand},
                                  {Py_nb_inplace_xor, set_ixor},
                                  {Py_tp_hash, PyObject_HashNotImplemented},
                                  {0, NULL}};

static PyType_Spec set_spec = {.name = "cormorant._engine.InstrumentedSet",
                               .basicsize = sizeof(CormPySet),
                               .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                               .slots = set_slots};

/* ---- dict ---- */

static corm_py_link *dict_link(PyObject *self) {
    return &((CormPyDict *)self)->link;
}

static int dict_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *function = NULL;
    if (kwargs != NULL) {
        function = corm_py_item(kwargs, "keyfunc");
    }
    if (function == NULL && PyTuple_GET_SIZE(args) > 0) {
        function = PyTuple_GET_ITEM(args, 0);
    }
    if (function == NULL || !PyCallable_Check(function)) {
        PyErr_SetString(PyExc_TypeError, "KeyFuncDict needs a function that gives an item's key");
        return -1;
    }
    Py_XSETREF(((CormPyDict *)self)->key_function, Py_NewRef(function));
    return 0;
}

static PyObject *dict_key(PyObject *self, PyObject *item) {
    PyObject *function = ((CormPyDict *)self)->key_function;
    if (function == NULL) {
        PyErr_SetString(PyExc_TypeError, "this dictionary has no key function");
        return NULL;
    }
    return PyObject_CallOneArg(function, item);
}

static int base_dict_assign(PyObject *self, PyObject *key, PyObject *value) {
    return value == NULL ? PyDict_DelItem(self, key) : PyDict_SetItem(self, key, value);
}

static int dict_assign(PyObject *self, PyObject *key, PyObject *value) {
    PyObject *former = PyDict_GetItemWithError(self, key);
    if (former == NULL && PyErr_Occurred()) {
        return -1;
    }
    if (former == NULL && value == NULL) {
        PyErr_SetObject(PyExc_KeyError, key);
        return -1;
    }
    if (former == value) {
        return 0;
    }
    Py_XINCREF(former);
    int failed = former != NULL ? removing(dict_link(self), former) : 0;
    PyObject *item = value;
    if (!failed && value != NULL) {
        failed = adding(dict_link(self), &item);
    }
    if (!failed) {
        failed = value == NULL && PyDict_Contains(self, key) == 0
                     ? 0
                     : base_dict_assign(self, key, value == NULL ? NULL : item);
        if (value != NULL) {
            Py_DECREF(item);
        }
    }
    Py_XDECREF(former);
    return failed;
}

static PyObject *dict_set(PyObject *self, PyObject *item) {
    PyObject *key = dict_key(self, item);
    int failed = key == NULL || dict_assign(self, key, item) < 0;
    Py_XDECREF(key);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *dict_remove(PyObject *self, PyObject *item) {
    PyObject *key = dict_key(self, item);
    PyObject *present = key == NULL ? NULL : PyDict_GetItemWithError(self, key);
    if (present != item) {
        if (key != NULL && !PyErr_Occurred()) {
            PyErr_Format(PyExc_KeyError, "Can not remove '%R' from collection; collection holds '%R' for key '%R'.",
                         item, present == NULL ? Py_None : present, key);
        }
        Py_XDECREF(key);
        return NULL;
    }
    int failed = dict_assign(self, key, NULL);
    Py_DECREF(key);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *dict_pop(PyObject *self, PyObject *args) {
    PyObject *key, *fallback = NULL;
    if (!PyArg_UnpackTuple(args, "pop", 1, 2, &key, &fallback)) {
        return NULL;
    }
    PyObject *present = PyDict_GetItemWithError(self, key);
    if (present == NULL) {
        if (!PyErr_Occurred() && fallback != NULL) {
            return Py_NewRef(fallback);
        }
        if (!PyErr_Occurred()) {
            PyErr_SetObject(PyExc_KeyError, key);
        }
        return NULL;
    }
    Py_INCREF(present);
    if (dict_assign(self, key, NULL) < 0) {
        Py_CLEAR(present);
    }
    return present;
}

static PyObject *dict_popitem(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *keys = PyDict_Keys(self);
    if (keys == NULL || PyList_GET_SIZE(keys) == 0) {
        if (keys != NULL) {
            PyErr_SetString(PyExc_KeyError, "popitem(): dictionary is empty");
        }
        Py_XDECREF(keys);
        return NULL;
    }
    PyObject *key = PyList_GET_ITEM(keys, PyList_GET_SIZE(keys) - 1);
    PyObject *args = PyTuple_Pack(1, key);
    PyObject *value = args == NULL ? NULL : dict_pop(self, args);
    PyObject *pair = value == NULL ? NULL : PyTuple_Pack(2, key, value);
    Py_XDECREF(value);
    Py_XDECREF(args);
    Py_DECREF(keys);
    return pair;
}

static PyObject *dict_clear_all(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *keys = PyDict_Keys(self);
    int failed = keys == NULL;
    for (Py_ssize_t i = 0; !failed && i < PyList_GET_SIZE(keys); i++) {
        failed = PyDict_Contains(self, PyList_GET_ITEM(keys, i)) == 1 &&
                 dict_assign(self, PyList_GET_ITEM(keys, i), NULL) < 0;
    }
    Py_XDECREF(keys);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *dict_setdefault(PyObject *self, PyObject *args) {
    PyObject *key, *fallback = Py_None;
    if (!PyArg_UnpackTuple(args, "setdefault", 1, 2, &key, &fallback)) {
        return NULL;
    }
    PyObject *present = PyDict_GetItemWithError(self, key);
    if (present == NULL) {
        if (PyErr_Occurred() || dict_assign(self, key, fallback) < 0) {
            return NULL;
        }
        present = PyDict_GetItemWithError(self, key);
    }
    return Py_XNewRef(present);
}

static PyObject *dict_update(PyObject *self, PyObject *args, PyObject *kwargs) {
    PyObject *other = PyObject_Call((PyObject *)&PyDict_Type, args, kwargs);
    PyObject *key, *value;
    Py_ssize_t position = 0;
    int failed = other == NULL;
    while (!failed && PyDict_Next(other, &position, &key, &value)) {
        failed = dict_assign(self, key, value) < 0;
    }
    Py_XDECREF(other);
    return failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *dict_reduce(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *copy = PyDict_New();
    if (copy == NULL || PyDict_Update(copy, self) < 0) {
        Py_XDECREF(copy);
        return NULL;
    }
    return Py_BuildValue("O(N)", &PyDict_Type, copy);
}

static PyObject *dict_get_function(PyObject *self, void *closure) {
    PyObject *function = ((CormPyDict *)self)->key_function;
    (void)closure;
    return Py_NewRef(function == NULL ? Py_None : function);
}

static int dict_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((CormPyDict *)self)->key_function);
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int dict_tp_clear(PyObject *self) {
    Py_CLEAR(((CormPyDict *)self)->key_function);
    return PyDict_Type.tp_clear(self);
}

static void dict_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    corm_py_link_detach(dict_link(self));
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((CormPyDict *)self)->key_function);
    PyDict_Type.tp_dealloc(self);
    Py_DECREF(type);
}

static PyMethodDef dict_methods[] = {
    {"set", dict_set, METH_O, "Put an item under its key."},
    {"remove", dict_remove, METH_O, "Take an item out."},
    {"pop", dict_pop, METH_VARARGS, "Take out and give what is under a key."},
    {"popitem", dict_popitem, METH_NOARGS, "Take out and give the last key and item."},
    {"clear", dict_clear_all, METH_NOARGS, "Take out all items."},
    {"setdefault", dict_setdefault, METH_VARARGS, "What is under a key, put there first if need be."},
    {"update", (PyCFunction)(void (*)(void))dict_update, METH_VARARGS | METH_KEYWORDS, "Put in the items of others."},
    {"__reduce__", dict_reduce, METH_NOARGS, "Pickled as a plain dict."},
    {"__reduce_ex__", dict_reduce, METH_O, "Pickled as a plain dict."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef dict_getset[] = {{"keyfunc", dict_get_function, NULL, "Gives an item's key.", NULL},
                                    {"_sa_owner", link_get_adapter, NULL, "The object that owns the collection.", NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot dict_slots[] = {{Py_tp_doc, "A dictionary of related objects under keys that a function gives."},
                                   {Py_tp_init, dict_init},
                                   {Py_tp_dealloc, dict_dealloc},
                                   {Py_tp_traverse, dict_traverse},
                                   {Py_tp_clear, dict_tp_clear},
                                   {Py_tp_methods, dict_methods},
                                   {Py_tp_getset, dict_getset},
                                   {Py_mp_ass_subscript, dict_assign},
                                   {0, NULL}};

static PyType_Spec dict_spec = {.name = "cormorant._engine.KeyFuncDict",
                                .basicsize = sizeof(CormPyDict),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                .slots = dict_slots};

/* ---- users' own classes: the Python side (orm/collections.py) instruments them with an adapter ---- */

static PyObject *adapter_adding(PyObject *self, PyObject *item) {
    return adding(&((CormPyAdapter *)self)->link, &item) < 0 ? NULL : item;
}

static PyObject *adapter_removing(PyObject *self, PyObject *item) {
    return removing(&((CormPyAdapter *)self)->link, item) < 0 ? NULL : Py_NewRef(Py_None);
}

static void adapter_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    corm_py_link_detach(&((CormPyAdapter *)self)->link);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *adapter_get_owner(PyObject *self, void *closure) {
    CormPyInstance *owner = ((CormPyAdapter *)self)->link.owner;
    (void)closure;
    return Py_NewRef(owner == NULL ? Py_None : (PyObject *)owner);
}

static PyMethodDef adapter_methods[] = {{"adding", adapter_adding, METH_O, "An item comes: gives the item to put in."},
                                        {"removing", adapter_removing, METH_O, "An item goes."},
                                        {NULL, NULL, 0, NULL}};
static PyGetSetDef adapter_getset[] = {{"owner", adapter_get_owner, NULL, "The owning object, or None.", NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot adapter_slots[] = {{Py_tp_doc, "Ties a collection of a user's class to its owner."},
                                      {Py_tp_new, PyType_GenericNew},
                                      {Py_tp_dealloc, adapter_dealloc},
                                      {Py_tp_methods, adapter_methods},
                                      {Py_tp_getset, adapter_getset},
                                      {0, NULL}};
static PyType_Spec adapter_spec = {.name = "cormorant._engine.CollectionAdapter",
                                   .basicsize = sizeof(CormPyAdapter),
                                   .flags = Py_TPFLAGS_DEFAULT,
                                   .slots = adapter_slots};

/* ---- for the host ---- */

PyObject *corm_py_collection_new(const corm_attribute *attribute) {
    const corm_py_attribute_data *data = corm_py_data(attribute);
    PyObject *factory = data->descriptor == NULL ? NULL : ((CormPyAttribute *)data->descriptor)->factory;
    PyObject *made;
    if (factory == NULL) {
        made = list_type->tp_alloc(list_type, 0);
    } else {
        Py_INCREF(factory);
        made = PyObject_CallNoArgs(factory);
        Py_DECREF(factory);
        if (made != NULL && corm_py_link_of(made) == NULL) {
            /* A factory function that gives a plain container, or an object of a class not seen yet. */
            PyObject *adapt = corm_py_import("cormorant.orm.collections", "_instrument_object");
            PyObject *adapted = adapt == NULL ? NULL : PyObject_CallOneArg(adapt, made);
            Py_XDECREF(adapt);
            Py_SETREF(made, adapted);
        }
    }
    if (made != NULL) {
        corm_py_link *link = corm_py_link_of(made);
        if (link == NULL) {
            PyErr_Format(PyExc_TypeError, "collection class %.200s of %s.%s is no collection", Py_TYPE(made)->tp_name,
                         attribute->mapper->name, attribute->key);
            Py_CLEAR(made);
        } else {
            link->collection = made;
        }
    }
    return made;
}

static int call_raw(PyObject *collection, PyObject *method, PyObject *item) {
    PyObject *done = PyObject_CallMethodOneArg(collection, method, item);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

int corm_py_collection_append(PyObject *collection, PyObject *item) {
    if (PyObject_TypeCheck(collection, list_type)) {
        return PyList_Append(collection, item);
    }
    if (PyObject_TypeCheck(collection, set_type)) {
        return PySet_Add(collection, item);
    }
    if (PyObject_TypeCheck(collection, dict_type)) {
        PyObject *key = dict_key(collection, item);
        int failed = key == NULL ? -1 : PyDict_SetItem(collection, key, item);
        Py_XDECREF(key);
        return failed;
    }
    return call_raw(collection, name_append, item);
}

int corm_py_collection_remove(PyObject *collection, PyObject *item) {
    if (PyObject_TypeCheck(collection, list_type)) {
        return list_drop(collection, item);
    }
    if (PyObject_TypeCheck(collection, set_type)) {
        return PySet_Discard(collection, item) < 0 ? -1 : 0;
    }
    if (PyObject_TypeCheck(collection, dict_type)) {
        PyObject *key, *value, *found = NULL;
        Py_ssize_t position = 0;
        while (PyDict_Next(collection, &position, &key, &value)) {
            if (value == item) {
                found = Py_NewRef(key);
                break;
            }
        }
        int failed = found == NULL ? 0 : PyDict_DelItem(collection, found);
        Py_XDECREF(found);
        return failed;
    }
    return call_raw(collection, name_remove, item);
}

PyObject *corm_py_collection_items(PyObject *collection) {
    if (PyDict_Check(collection)) {
        return PyDict_Values(collection);
    }
    if (PyList_Check(collection)) {
        return PyList_GetSlice(collection, 0, PyList_GET_SIZE(collection));
    }
    if (adapter_of(collection) != NULL) {
        PyObject *items = PyObject_CallMethodNoArgs(collection, name_items);
        if (items == NULL) {
            return NULL;
        }
        PyObject *list = PySequence_List(items);
        Py_DECREF(items);
        return list;
    }
    return PySequence_List(collection);
}

int corm_py_collection_contains(PyObject *collection, PyObject *item) {
    if (PyList_Check(collection)) {
        for (Py_ssize_t i = 0; i < PyList_GET_SIZE(collection); i++) {
            if (PyList_GET_ITEM(collection, i) == item) {
                return 1;
            }
        }
        return 0;
    }
    if (PyAnySet_Check(collection)) {
        return PySet_Contains(collection, item);
    }
    PyObject *items = corm_py_collection_items(collection);
    int found = items == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; found == 0 && i < PyList_GET_SIZE(items); i++) {
        found = PyList_GET_ITEM(items, i) == item;
    }
    Py_XDECREF(items);
    return found;
}

static const char *wanted_kind(const corm_attribute *attribute, bool *dict, bool *set) {
    const corm_py_attribute_data *data = corm_py_data(attribute);
    PyObject *factory = data->descriptor == NULL ? NULL : ((CormPyAttribute *)data->descriptor)->factory;
    *dict = *set = false;
    if (factory != NULL && PyType_Check(factory)) {
        *dict = PyType_IsSubtype((PyTypeObject *)factory, &PyDict_Type);
        *set = PyType_IsSubtype((PyTypeObject *)factory, &PySet_Type);
    } else if (factory != NULL) {
        PyObject *made = corm_py_collection_new(attribute);
        if (made == NULL) {
            return NULL;
        }
        *dict = PyDict_Check(made);
        *set = PyAnySet_Check(made);
        Py_DECREF(made);
    }
    return *dict ? "dict" : *set ? "set" : "list";
}

PyObject *corm_py_collection_adapt(const corm_attribute *attribute, PyObject *value) {
    bool dict, set;
    const char *wanted = wanted_kind(attribute, &dict, &set);
    if (wanted == NULL) {
        return NULL;
    }
    bool fits = dict  ? PyDict_Check(value)
                : set ? PyAnySet_Check(value)
                      : (PyList_Check(value) || PyTuple_Check(value) || adapter_of(value) != NULL);
    if (!fits && !dict && !set && !PyUnicode_Check(value) && !PyDict_Check(value) && !PyAnySet_Check(value) &&
        value != Py_None && Py_TYPE(value)->tp_iter != NULL) {
        fits = true;
    }
    if (!fits) {
        PyErr_Format(PyExc_TypeError, "Incompatible collection type: %.200s is not %s-like",
                     value == Py_None ? "None" : Py_TYPE(value)->tp_name, wanted);
        return NULL;
    }
    if (dict) {
        /* Keys must be what the key function says. */
        return PyDict_Values(value);
    }
    return corm_py_collection_items(value);
}

int corm_py_collection_init(PyObject *module) {
    name_adapter = PyUnicode_InternFromString("_sa_adapter");
    name_append = PyUnicode_InternFromString("_sa_append");
    name_remove = PyUnicode_InternFromString("_sa_remove");
    name_items = PyUnicode_InternFromString("_sa_items");
    if (name_adapter == NULL || name_append == NULL || name_remove == NULL || name_items == NULL) {
        return -1;
    }
    list_type = corm_py_type(module, &list_spec, &PyList_Type);
    set_type = corm_py_type(module, &set_spec, &PySet_Type);
    dict_type = corm_py_type(module, &dict_spec, &PyDict_Type);
    adapter_type = corm_py_type(module, &adapter_spec, NULL);
    return list_type == NULL || set_type == NULL || dict_type == NULL || adapter_type == NULL ? -1 : 0;
}
