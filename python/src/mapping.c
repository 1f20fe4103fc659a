/*
 * Mapped classes: from a class and its table to the engine's mapper, and what a class is in statements.
 *
 * Reading class bodies and annotations is Python's part (cormorant/orm/decl_base.py); it calls in here to map a class,
 * a column, a relationship. The Mapper view holds its class and is held by it, as `__mapper__`; the collector takes both
 * together, and then the engine's mapper is told that its class is gone.
 */
#include "orm.h"

#include <structmember.h>

#include "orm/registry_private.h"

typedef struct CormPyRegistry {
    PyObject_HEAD corm_registry *core; /* made with the first class: its metadata is the tables' */
    PyObject *dict;
    PyObject *weakrefs;
} CormPyRegistry;

PyTypeObject *CormPyMapper_Type;
PyTypeObject *CormPyAliased_Type;
static PyTypeObject *registry_type;
static PyObject *name_mapper;
static corm_py_class *classes; /* all records */
static bool pending_configuration;

/* ---- records ---- */

void corm_py_class_unref(corm_py_class *record) {
    if (--record->references > 0) {
        return;
    }
    if (record->previous != NULL) {
        record->previous->next = record->next;
    } else {
        classes = record->next;
    }
    if (record->next != NULL) {
        record->next->previous = record->previous;
    }
    corm_node_unref(record->entity);
    Py_CLEAR(record->reconstructors);
    Py_CLEAR(record->listeners);
    corm_mapper_unref(record->mapper);
    PyMem_Free(record);
}

corm_py_class *corm_py_class_of(PyTypeObject *type) {
    PyObject *view = _PyType_Lookup(type, name_mapper);
    if (view == NULL || !PyObject_TypeCheck(view, CormPyMapper_Type)) {
        return NULL;
    }
    corm_py_class *record = ((CormPyMapper *)view)->record;
    return record != NULL && record->type == type ? record : NULL;
}

/* Is the class what its module has under its name? Then it lives as long as the program, or until it is replaced. */
static bool is_anchored(PyTypeObject *type) {
    PyObject *module_name = corm_py_item(type->tp_dict, "__module__");
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *module = module_name == NULL ? NULL : PyDict_GetItemWithError(modules, module_name);
    PyObject *place = module != NULL && PyModule_Check(module) ? PyModule_GetDict(module) : NULL;
    const char *path = PyUnicode_AsUTF8(((PyHeapTypeObject *)type)->ht_qualname);
    PyObject *found = NULL;
    while (place != NULL && path != NULL) {
        size_t size = strcspn(path, ".");
        PyObject *name = PyUnicode_FromStringAndSize(path, (Py_ssize_t)size);
        found = name == NULL ? NULL : PyDict_GetItemWithError(place, name);
        Py_XDECREF(name);
        if (path[size] == '\0') {
            break;
        }
        path += size + 1;
        place = found != NULL && PyType_Check(found) ? ((PyTypeObject *)found)->tp_dict : NULL;
        found = NULL;
    }
    PyErr_Clear();
    return found == (PyObject *)type;
}

int corm_py_class_prepare(corm_py_class *record) {
    if (corm_py_configure(record->mapper->registry) < 0) {
        return -1;
    }
    if (record->slot_count < 0) {
        record->slot_count = (Py_ssize_t)record->mapper->attribute_count;
    }
    if (record->type != NULL) {
        record->anchored = is_anchored(record->type);
        record->anchor_known = true;
    }
    return 0;
}

corm_node *corm_py_class_entity(corm_py_class *record) {
    if (record->entity == NULL) {
        record->entity = corm_entity_declared(record->mapper);
    }
    return corm_node_ref(record->entity);
}

/* ---- instances that the collector must learn of, when a class lost its anchor ---- */

static int track_of_class(PyObject *object, void *record) {
    if (corm_py_is_instance(object) && corm_py_class_of_mapper(((CormPyInstance *)object)->state.mapper) == record) {
        corm_py_instance_track(object);
    }
    return 0;
}

static void track_all(corm_py_class *record) {
    PyObject *get_objects = corm_py_import("gc", "get_objects");
    PyObject *objects = get_objects == NULL ? NULL : PyObject_CallNoArgs(get_objects);
    for (Py_ssize_t i = 0; objects != NULL && i < PyList_GET_SIZE(objects); i++) {
        PyObject *object = PyList_GET_ITEM(objects, i);
        if (Py_TYPE(object)->tp_traverse != NULL) {
            Py_TYPE(object)->tp_traverse(object, track_of_class, record);
        }
    }
    Py_XDECREF(objects);
    Py_XDECREF(get_objects);
    PyErr_Clear();
}

/* Called at the start and end of collections. */
static PyObject *on_collection(PyObject *module, PyObject *args) {
    PyObject *phase, *info;
    (void)module;
    if (!PyArg_ParseTuple(args, "UO!", &phase, &PyDict_Type, &info)) {
        return NULL;
    }
    PyObject *generation = corm_py_item(info, "generation");
    if (generation == NULL || PyLong_AsLong(generation) != 2 || PyUnicode_CompareWithASCIIString(phase, "start") != 0) {
        Py_RETURN_NONE;
    }
    for (corm_py_class *record = classes; record != NULL; record = record->next) {
        if (record->anchored && record->type != NULL && !is_anchored(record->type)) {
            record->anchored = false;
            track_all(record);
        }
    }
    Py_RETURN_NONE;
}

/* ---- registries ---- */

static int registry_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((CormPyRegistry *)self)->dict);
    return 0;
}

static int registry_clear(PyObject *self) {
    Py_CLEAR(((CormPyRegistry *)self)->dict);
    return 0;
}

static void registry_dealloc(PyObject *object) {
    CormPyRegistry *self = (CormPyRegistry *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    Py_CLEAR(self->dict);
    corm_registry_unref(self->core);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *registry_configure(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyRegistry *self = (CormPyRegistry *)object;
    (void)args;
    (void)kwargs;
    if (self->core != NULL && corm_py_configure(self->core) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *registry_mappers(PyObject *object, void *closure) {
    CormPyRegistry *self = (CormPyRegistry *)object;
    (void)closure;
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && self->core != NULL && i < corm_registry_count(self->core); i++) {
        corm_mapper *mapper = corm_registry_at(self->core, i);
        corm_py_class *record = mapper->disposed ? NULL : corm_py_class_of_mapper(mapper);
        if (record != NULL && record->view != NULL && PyList_Append(list, record->view) < 0) {
            Py_CLEAR(list);
        }
    }
    PyObject *set = list == NULL ? NULL : PyFrozenSet_New(list);
    Py_XDECREF(list);
    return set;
}

static PyObject *registry_dispose(PyObject *object, PyObject *args, PyObject *kwargs) {
    CormPyRegistry *self = (CormPyRegistry *)object;
    (void)args;
    (void)kwargs;
    for (size_t i = 0; self->core != NULL && i < corm_registry_count(self->core); i++) {
        corm_mapper *mapper = corm_registry_at(self->core, i);
        if (!mapper->disposed) {
            corm_mapper_dispose(mapper);
        }
    }
    Py_RETURN_NONE;
}

static PyMethodDef registry_methods[] = {
    {"configure", (PyCFunction)(void (*)(void))registry_configure, METH_VARARGS | METH_KEYWORDS,
     "Resolve what is declared: targets, joins and backrefs of relationships."},
    {"dispose", (PyCFunction)(void (*)(void))registry_dispose, METH_VARARGS | METH_KEYWORDS, "Forget all mappers."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef registry_getset[] = {{"mappers", registry_mappers, NULL, "All mappers, a frozenset.", NULL},
                                        {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
                                        {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef registry_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyRegistry, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyRegistry, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyType_Slot registry_slots[] = {{Py_tp_doc, "The base of registry: mappers that refer to each other by name."},
                                       {Py_tp_new, PyType_GenericNew},
                                       {Py_tp_dealloc, registry_dealloc},
                                       {Py_tp_traverse, registry_traverse},
                                       {Py_tp_clear, registry_clear},
                                       {Py_tp_methods, registry_methods},
                                       {Py_tp_getset, registry_getset},
                                       {Py_tp_members, registry_members},
                                       {0, NULL}};
static PyType_Spec registry_spec = {.name = "cormorant._engine.RegistryBase",
                                    .basicsize = sizeof(CormPyRegistry),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                    .slots = registry_slots};

static bool watching_configure; /* someone listens to before_configured and its kin */

static PyObject *watch_configure(PyObject *module, PyObject *on) {
    (void)module;
    watching_configure = PyObject_IsTrue(on) > 0;
    Py_RETURN_NONE;
}

static int tell_configure(const char *function, PyObject *argument) {
    PyObject *tell = corm_py_import("cormorant.event", function);
    PyObject *result = tell == NULL ? NULL : PyObject_CallOneArg(tell, argument);
    Py_XDECREF(tell);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static int configure_and_tell(corm_registry *registry) {
    PyObject *fresh = PyList_New(0);
    int failed = fresh == NULL;
    for (size_t i = 0; i < corm_registry_count(registry) && !failed; i++) {
        corm_mapper *mapper = corm_registry_at(registry, i);
        corm_py_class *record = mapper->disposed || mapper->configured ? NULL : corm_py_class_of_mapper(mapper);
        failed = record != NULL && record->view != NULL && PyList_Append(fresh, record->view) < 0;
    }
    failed = failed || tell_configure("_before_configure", fresh) < 0;
    if (!failed && corm_registry_configure(registry) != CORM_OK) {
        failed = corm_py_raise_int();
    }
    failed = failed || tell_configure("_after_configure", fresh) < 0;
    Py_XDECREF(fresh);
    return failed ? -1 : 0;
}

int corm_py_configure(corm_registry *registry) {
    if (watching_configure && !atomic_load(&registry->configured) && !registry->busy) {
        return configure_and_tell(registry);
    }
    return corm_registry_configure(registry) == CORM_OK ? 0 : corm_py_raise_int();
}

int corm_py_configure_all(void) {
    if (!pending_configuration) {
        return 0;
    }
    const corm_registry *last = NULL;
    for (corm_py_class *record = classes; record != NULL; record = record->next) {
        if (record->mapper->registry != last && record->type != NULL) {
            last = record->mapper->registry;
            if (corm_py_configure(record->mapper->registry) < 0) {
                return -1;
            }
        }
    }
    pending_configuration = false;
    return 0;
}

static PyObject *configure_mappers(PyObject *module, PyObject *unused) {
    (void)module;
    (void)unused;
    return corm_py_configure_all() < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- mappers ---- */

static CormPyMapper *as_mapper(PyObject *object) {
    return (CormPyMapper *)object;
}

static corm_mapper *core_of(PyObject *view) {
    corm_py_class *record = as_mapper(view)->record;
    if (record == NULL) {
        PyErr_SetString(PyExc_ReferenceError, "the mapped class is gone");
        return NULL;
    }
    return record->mapper;
}

static int make_record(CormPyMapper *self, CormPyRegistry *registry, PyTypeObject *type, corm_table *table) {
    corm_py_class *record = PyMem_Calloc(1, sizeof *record);
    corm_mapper *mapper;
    if (record == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if ((registry->core == NULL && corm_registry_new(table->metadata, &registry->core) != CORM_OK) ||
        corm_mapper_new(registry->core, &corm_py_host, type, _PyType_Name(type), table, &mapper) != CORM_OK) {
        PyMem_Free(record);
        return corm_py_raise_int();
    }
    mapper->host_data = record;
    record->references = 1;
    record->mapper = corm_mapper_ref(mapper);
    record->type = type;
    record->view = (PyObject *)self;
    record->slot_count = -1;
    record->next = classes;
    if (classes != NULL) {
        classes->previous = record;
    }
    classes = record;
    self->record = record;
    self->cls = Py_NewRef(type);
    self->registry = Py_NewRef(registry);
    pending_configuration = true;
    return 0;
}

/* Mapper(registry, cls, table) */
static PyObject *mapper_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *registry, *cls, *table;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!O!O", registry_type, &registry, &PyType_Type, &cls, &table)) {
        return NULL;
    }
    PyTypeObject *mapped = (PyTypeObject *)cls;
    if (!PyType_IsSubtype(mapped, CormPyInstance_Type)) {
        PyErr_Format(PyExc_TypeError,
                     "class %s has a layout of its own: map classes that derive from a declarative base",
                     mapped->tp_name);
        return NULL;
    }
    corm_node *node = corm_py_node(table);
    corm_table *core_table = node == NULL ? NULL : corm_node_as_table(node);
    if (core_table == NULL) {
        if (node != NULL) {
            corm_node_unref(node);
            corm_error_set(CORM_ARGUMENT_ERROR, "class %s: it can be mapped to a Table only", mapped->tp_name);
            corm_py_raise();
        }
        return NULL;
    }
    CormPyMapper *self = (CormPyMapper *)type->tp_alloc(type, 0);
    int failed = self == NULL || make_record(self, (CormPyRegistry *)registry, mapped, core_table) < 0;
    corm_node_unref(node);
    if (!failed) {
        mapped->tp_itemsize = sizeof(PyObject *);
        corm_py_instance_adopt(mapped);
        failed = PyType_Type.tp_setattro(cls, name_mapper, (PyObject *)self) < 0;
    }
    if (failed) {
        Py_XDECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static int mapper_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    (void)self;
    (void)args;
    (void)kwargs;
    return 0;
}

static void drop_record(CormPyMapper *self) {
    corm_py_class *record = self->record;
    self->record = NULL;
    if (record != NULL) {
        record->type = NULL;
        record->view = NULL;
        if (!record->mapper->disposed) {
            corm_mapper_dispose(record->mapper);
        }
        corm_py_class_unref(record);
    }
}

static int mapper_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyMapper *self = as_mapper(object);
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->cls);
    Py_VISIT(self->registry);
    Py_VISIT(self->dict);
    if (self->record != NULL) {
        Py_VISIT(self->record->reconstructors);
        Py_VISIT(self->record->listeners);
    }
    return 0;
}

static int mapper_clear(PyObject *object) {
    CormPyMapper *self = as_mapper(object);
    drop_record(self);
    Py_CLEAR(self->cls);
    Py_CLEAR(self->registry);
    Py_CLEAR(self->dict);
    return 0;
}

static void mapper_dealloc(PyObject *object) {
    CormPyMapper *self = as_mapper(object);
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    mapper_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

/* Make the attribute's data and descriptor, and show it to the class. */
static PyObject *show(CormPyMapper *self, corm_attribute *attribute, PyObject *key, PyObject *property) {
    if (corm_py_attribute_prepare(attribute, key) < 0) {
        return NULL;
    }
    corm_node *entity = corm_py_class_entity(self->record);
    PyObject *descriptor =
        entity == NULL ? corm_py_raise() : corm_py_attribute_new(entity, attribute, (PyObject *)self, property);
    corm_node_unref(entity);
    if (descriptor == NULL) {
        return NULL;
    }
    corm_py_data(attribute)->descriptor = descriptor;
    if (PyType_Type.tp_setattro(self->cls, key, descriptor) < 0) {
        Py_DECREF(descriptor);
        return NULL;
    }
    return descriptor;
}

static PyObject *mapper_map_column(PyObject *object, PyObject *args) {
    PyObject *key, *column, *property = Py_None;
    int deferred = 0, active_history = 0;
    corm_mapper *mapper = core_of(object);
    if (mapper == NULL || !PyArg_ParseTuple(args, "UO|Opp", &key, &column, &property, &deferred, &active_history)) {
        return NULL;
    }
    corm_node *node = corm_py_node(column);
    corm_column *core = node == NULL ? NULL : corm_node_as_column(node);
    if (core == NULL) {
        if (node != NULL) {
            corm_error_set(CORM_ARGUMENT_ERROR, "class %s: attribute '%s' is mapped to something that is no column",
                           mapper->name, PyUnicode_AsUTF8(key));
            corm_py_raise();
        }
        corm_node_unref(node);
        return NULL;
    }
    corm_attribute *attribute;
    const char *name = PyUnicode_AsUTF8(key);
    corm_status status = name == NULL ? CORM_HOST_ERROR : corm_mapper_add_column(mapper, name, core, &attribute);
    corm_node_unref(node);
    if (status != CORM_OK) {
        return name == NULL ? NULL : corm_py_raise();
    }
    attribute->deferred = deferred;
    attribute->active_history = active_history;
    return show(as_mapper(object), attribute, key, property);
}

static PyObject *mapper_map_relationship(PyObject *object, PyObject *args) {
    PyObject *key, *property;
    corm_mapper *mapper = core_of(object);
    if (mapper == NULL || !PyArg_ParseTuple(args, "UO", &key, &property)) {
        return NULL;
    }
    corm_attribute *attribute;
    const char *name = PyUnicode_AsUTF8(key);
    if (name == NULL) {
        return NULL;
    }
    if (corm_mapper_add_relationship(mapper, name, &attribute) != CORM_OK) {
        return corm_py_raise();
    }
    pending_configuration = true;
    return show(as_mapper(object), attribute, key, property);
}

int corm_py_attribute_added(corm_attribute *attribute) {
    corm_py_class *record = corm_py_class_of_mapper(attribute->mapper);
    if (record == NULL || record->view == NULL) {
        return 0;
    }
    PyObject *key = PyUnicode_InternFromString(attribute->key);
    PyObject *make = key == NULL ? NULL : corm_py_import("cormorant.orm.relationships", "_make_backref_property");
    PyObject *arguments = attribute->relationship->host_backref;
    PyObject *property = make == NULL ? NULL
                                      : PyObject_CallFunctionObjArgs(make, record->view, key,
                                                                     arguments == NULL ? Py_None : arguments, NULL);
    PyObject *descriptor = property == NULL ? NULL : show(as_mapper(record->view), attribute, key, property);
    PyObject *attach = descriptor == NULL ? NULL : corm_py_import("cormorant.orm.decl_base", "attach_validator");
    PyObject *attached = attach == NULL ? NULL : PyObject_CallFunctionObjArgs(attach, record->view, key, NULL);
    if (attached == NULL) {
        Py_CLEAR(descriptor);
    }
    Py_XDECREF(attached);
    Py_XDECREF(attach);
    Py_XDECREF(make);
    Py_XDECREF(key);
    Py_XDECREF(property);
    Py_XDECREF(descriptor);
    return descriptor == NULL ? -1 : 0;
}

static PyObject *mapper_keys(PyObject *object, PyObject *unused) {
    corm_mapper *mapper = core_of(object);
    (void)unused;
    PyObject *list = mapper == NULL ? NULL : PyList_New(0);
    for (size_t i = 0; list != NULL && i < mapper->attribute_count; i++) {
        PyObject *pair = Py_BuildValue("(OO)", corm_py_data(mapper->attributes[i])->key,
                                       mapper->attributes[i]->column != NULL ? Py_True : Py_False);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    return list;
}

static corm_attribute *find_attribute(PyObject *object, PyObject *key) {
    corm_mapper *mapper = core_of(object);
    const char *name = mapper == NULL ? NULL : PyUnicode_AsUTF8(key);
    corm_attribute *attribute = name == NULL ? NULL : corm_mapper_attribute(mapper, name);
    if (attribute == NULL && !PyErr_Occurred()) {
        PyErr_SetObject(PyExc_KeyError, key);
    }
    return attribute;
}

static PyObject *mapper_descriptor(PyObject *object, PyObject *key) {
    corm_attribute *attribute = find_attribute(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    PyObject *descriptor = corm_py_data(attribute)->descriptor;
    return Py_NewRef(descriptor == NULL ? Py_None : descriptor);
}

static PyObject *mapper_column_of(PyObject *object, PyObject *key) {
    corm_attribute *attribute = find_attribute(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    if (attribute->column == NULL) {
        Py_RETURN_NONE;
    }
    return corm_py_wrap(corm_node_ref(corm_column_node(attribute->column)));
}

static PyObject *mapper_key_of_column(PyObject *object, PyObject *column) {
    corm_mapper *mapper = core_of(object);
    corm_node *node = mapper == NULL ? NULL : corm_py_node(column);
    if (node == NULL) {
        return NULL;
    }
    corm_column *core = corm_node_as_column(node);
    corm_attribute *attribute = core == NULL ? NULL : corm_mapper_attribute_of(mapper, core);
    corm_node_unref(node);
    return attribute == NULL ? Py_NewRef(Py_None) : Py_NewRef(corm_py_data(attribute)->key);
}

static PyObject *mapper_primary_keys(PyObject *object, PyObject *unused) {
    corm_mapper *mapper = core_of(object);
    (void)unused;
    if (mapper == NULL || corm_mapper_configure(mapper) != CORM_OK) {
        return mapper == NULL ? NULL : corm_py_raise();
    }
    PyObject *tuple = PyTuple_New((Py_ssize_t)mapper->primary_key_count);
    for (size_t i = 0; tuple != NULL && i < mapper->primary_key_count; i++) {
        PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, Py_NewRef(corm_py_data(mapper->primary_key[i])->key));
    }
    return tuple;
}

static PyObject *mapper_get_table(PyObject *object, void *closure) {
    corm_mapper *mapper = core_of(object);
    (void)closure;
    return mapper == NULL ? NULL : corm_py_wrap(corm_node_ref(corm_table_node(mapper->table)));
}

static PyObject *mapper_get_class(PyObject *object, void *closure) {
    PyObject *cls = as_mapper(object)->cls;
    (void)closure;
    return Py_NewRef(cls == NULL ? Py_None : cls);
}

static PyObject *mapper_get_registry(PyObject *object, void *closure) {
    PyObject *registry = as_mapper(object)->registry;
    (void)closure;
    return Py_NewRef(registry == NULL ? Py_None : registry);
}

static PyObject *mapper_get_configured(PyObject *object, void *closure) {
    corm_mapper *mapper = core_of(object);
    (void)closure;
    return mapper == NULL ? NULL : PyBool_FromLong(mapper->configured);
}

static PyObject *mapper_get_name(PyObject *object, void *closure) {
    corm_mapper *mapper = core_of(object);
    (void)closure;
    return mapper == NULL ? NULL : PyUnicode_FromString(mapper->name);
}

static PyObject *mapper_clause_element(PyObject *object, PyObject *unused) {
    (void)unused;
    corm_mapper *mapper = core_of(object);
    if (mapper == NULL || corm_py_configure(mapper->registry) < 0) {
        return NULL;
    }
    return corm_py_wrap(corm_py_class_entity(as_mapper(object)->record));
}

static PyObject *column_list(corm_sync_pair *pairs, size_t count) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *source = corm_py_wrap(corm_node_ref(corm_column_node(pairs[i].source)));
        PyObject *destination =
            source == NULL ? NULL : corm_py_wrap(corm_node_ref(corm_column_node(pairs[i].destination)));
        PyObject *pair = destination == NULL ? NULL : PyTuple_Pack(2, source, destination);
        if (pair == NULL || PyList_Append(list, pair) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
        Py_XDECREF(source);
        Py_XDECREF(destination);
    }
    return list;
}

/* What a relationship came out as: a dict. */
static PyObject *mapper_relationship_info(PyObject *object, PyObject *key) {
    corm_attribute *attribute = find_attribute(object, key);
    if (attribute == NULL) {
        return NULL;
    }
    if (corm_mapper_configure(attribute->mapper) != CORM_OK) {
        return corm_py_raise();
    }
    corm_relationship *relationship = attribute->relationship;
    if (relationship == NULL) {
        Py_RETURN_NONE;
    }
    static const char *const directions[] = {"", "ONETOMANY", "MANYTOONE", "MANYTOMANY"};
    corm_py_class *target = corm_py_class_of_mapper(relationship->target);
    PyObject *pairs = column_list(relationship->sync, relationship->sync_count);
    PyObject *second = column_list(relationship->secondary_sync, relationship->secondary_sync_count);
    PyObject *secondary = relationship->secondary == NULL
                              ? Py_NewRef(Py_None)
                              : corm_py_wrap(corm_node_ref(corm_table_node(relationship->secondary)));
    PyObject *primary = corm_py_wrap(corm_node_ref(relationship->primary_join));
    PyObject *secondary_join = relationship->secondary_join == NULL
                                   ? Py_NewRef(Py_None)
                                   : corm_py_wrap(corm_node_ref(relationship->secondary_join));
    PyObject *info = NULL;
    if (pairs != NULL && second != NULL && secondary != NULL && primary != NULL && secondary_join != NULL) {
        info = Py_BuildValue(
            "{s:s,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:s,s:I,s:i}", "direction", directions[relationship->direction], "mapper",
            target == NULL || target->view == NULL ? Py_None : target->view, "uselist",
            attribute->kind == CORM_ATTRIBUTE_COLLECTION ? Py_True : Py_False, "pairs", pairs, "secondary_pairs",
            second, "secondary", secondary, "primaryjoin", primary, "secondaryjoin", secondary_join, "inverse",
            relationship->inverse == NULL ? NULL : relationship->inverse->key, "cascade",
            (unsigned)relationship->cascade, "lazy", (int)relationship->lazy);
    }
    Py_XDECREF(pairs);
    Py_XDECREF(second);
    Py_XDECREF(secondary);
    Py_XDECREF(primary);
    Py_XDECREF(secondary_join);
    return info;
}

static PyObject *mapper_add_reconstructor(PyObject *object, PyObject *function) {
    corm_mapper *mapper = core_of(object);
    if (mapper == NULL) {
        return NULL;
    }
    corm_py_class *record = as_mapper(object)->record;
    if (record->reconstructors == NULL) {
        record->reconstructors = PyList_New(0);
    }
    if (record->reconstructors == NULL || PyList_Append(record->reconstructors, function) < 0) {
        return NULL;
    }
    mapper->listening |= CORM_EVENT_LOAD;
    Py_RETURN_NONE;
}

/* _set_eager_defaults(wanted) */
static PyObject *mapper_set_eager_defaults(PyObject *self, PyObject *wanted) {
    int eager = PyObject_IsTrue(wanted);
    if (eager < 0) {
        return NULL;
    }
    as_mapper(self)->record->mapper->leaves_defaults = eager == 0;
    Py_RETURN_NONE;
}

static PyMethodDef mapper_methods[] = {
    {"_set_eager_defaults", mapper_set_eager_defaults, METH_O, "Whether INSERT gives back what the database computes."},
    {"_map_column", mapper_map_column, METH_VARARGS, "Map a column of the table to an attribute of the class."},
    {"_map_relationship", mapper_map_relationship, METH_VARARGS, "Declare a relationship."},
    {"_keys", mapper_keys, METH_NOARGS, "Pairs of an attribute's name and whether it is a column."},
    {"_descriptor", mapper_descriptor, METH_O, "The class' attribute of a name."},
    {"_column_of", mapper_column_of, METH_O, "The column of an attribute, or None."},
    {"_key_of_column", mapper_key_of_column, METH_O, "The attribute's name of a column, or None."},
    {"_primary_keys", mapper_primary_keys, METH_NOARGS, "Names of the primary key's attributes."},
    {"_relationship_info", mapper_relationship_info, METH_O, "What a relationship came out as."},
    {"_add_reconstructor", mapper_add_reconstructor, METH_O, "Call a method on each loaded object."},
    {"__clause_element__", mapper_clause_element, METH_NOARGS, "The class in a statement."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef mapper_getset[] = {
    {"class_", mapper_get_class, NULL, "The mapped class.", NULL},
    {"entity", mapper_get_class, NULL, "The mapped class.", NULL},
    {"local_table", mapper_get_table, NULL, "The class' table.", NULL},
    {"registry", mapper_get_registry, NULL, "The registry.", NULL},
    {"configured", mapper_get_configured, NULL, "Whether relationships have been resolved.", NULL},
    {"_name", mapper_get_name, NULL, "The class' name.", NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef mapper_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyMapper, weakrefs), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(CormPyMapper, dict), READONLY, NULL},
    {NULL, 0, 0, 0, NULL}};
static PyType_Slot mapper_slots[] = {{Py_tp_doc, "The base of Mapper: a class and its table."},
                                     {Py_tp_new, mapper_new},
                                     {Py_tp_init, mapper_init},
                                     {Py_tp_dealloc, mapper_dealloc},
                                     {Py_tp_traverse, mapper_traverse},
                                     {Py_tp_clear, mapper_clear},
                                     {Py_tp_methods, mapper_methods},
                                     {Py_tp_getset, mapper_getset},
                                     {Py_tp_members, mapper_members},
                                     {0, NULL}};
static PyType_Spec mapper_spec = {.name = "cormorant._engine.MapperBase",
                                  .basicsize = sizeof(CormPyMapper),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                  .slots = mapper_slots};

/* ---- aliased classes ---- */

static PyObject *aliased_getattr(PyObject *object, PyObject *name) {
    CormPyAliased *self = (CormPyAliased *)object;
    corm_entity *entity = corm_node_as_entity(self->entity);
    const char *text = PyUnicode_AsUTF8(name);
    corm_attribute *attribute = text == NULL || entity == NULL ? NULL : corm_mapper_attribute(entity->mapper, text);
    if (attribute == NULL) {
        PyErr_Clear();
        PyObject *found = PyObject_GenericGetAttr(object, name);
        if (found != NULL || text == NULL || text[0] == '_' || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return found;
        }
        /* Hybrids, methods and constants of the class: evaluated with the alias as their class. */
        PyErr_Clear();
        PyObject *cls = as_mapper(self->mapper)->cls;
        PyObject *raw = cls == NULL ? NULL : _PyType_Lookup((PyTypeObject *)cls, name);
        if (raw == NULL) {
            PyErr_SetObject(PyExc_AttributeError, name);
            return NULL;
        }
        descrgetfunc get = Py_TYPE(raw)->tp_descr_get;
        return get == NULL ? Py_NewRef(raw) : get(raw, NULL, object);
    }
    PyObject *made = PyDict_GetItemWithError(self->dict, name);
    if (made != NULL || PyErr_Occurred()) {
        return Py_XNewRef(made);
    }
    PyObject *descriptor = corm_py_data(attribute)->descriptor;
    made = corm_py_attribute_new(self->entity, attribute, object,
                                 descriptor == NULL ? NULL : ((CormPyAttribute *)descriptor)->property);
    if (made != NULL && PyDict_SetItem(self->dict, name, made) < 0) {
        Py_CLEAR(made);
    }
    return made;
}

static PyObject *aliased_clause_element(PyObject *object, PyObject *unused) {
    (void)unused;
    return corm_py_wrap(corm_node_ref(((CormPyAliased *)object)->entity));
}

static PyObject *aliased_get_mapper(PyObject *object, void *closure) {
    (void)closure;
    return Py_NewRef(((CormPyAliased *)object)->mapper);
}

static PyObject *aliased_get_name(PyObject *object, void *closure) {
    corm_entity *entity = corm_node_as_entity(((CormPyAliased *)object)->entity);
    (void)closure;
    return PyUnicode_FromString(entity->name);
}

static PyObject *aliased_repr(PyObject *object) {
    corm_entity *entity = corm_node_as_entity(((CormPyAliased *)object)->entity);
    return PyUnicode_FromFormat("<AliasedClass at %p; %s>", object, entity->mapper->name);
}

static int aliased_traverse(PyObject *object, visitproc visit, void *arg) {
    CormPyAliased *self = (CormPyAliased *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->mapper);
    Py_VISIT(self->dict);
    return 0;
}

static int aliased_clear(PyObject *object) {
    CormPyAliased *self = (CormPyAliased *)object;
    if (self->dict != NULL) {
        PyDict_Clear(self->dict);
    }
    return 0;
}

static void aliased_dealloc(PyObject *object) {
    CormPyAliased *self = (CormPyAliased *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    if (self->weakrefs != NULL) {
        PyObject_ClearWeakRefs(object);
    }
    Py_CLEAR(self->dict);
    Py_CLEAR(self->mapper);
    corm_node_unref(self->entity);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef aliased_methods[] = {
    {"__clause_element__", aliased_clause_element, METH_NOARGS, "The alias in a statement."}, {NULL, NULL, 0, NULL}};
static PyGetSetDef aliased_getset[] = {{"_aliased_mapper", aliased_get_mapper, NULL, "The Mapper.", NULL},
                                       {"_aliased_name", aliased_get_name, NULL, "The alias' name.", NULL},
                                       {NULL, NULL, NULL, NULL, NULL}};
static PyMemberDef aliased_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(CormPyAliased, weakrefs), READONLY, NULL}, {NULL, 0, 0, 0, NULL}};
static PyType_Slot aliased_slots[] = {{Py_tp_doc, "A mapped class under another name in a statement."},
                                      {Py_tp_dealloc, aliased_dealloc},
                                      {Py_tp_traverse, aliased_traverse},
                                      {Py_tp_clear, aliased_clear},
                                      {Py_tp_getattro, aliased_getattr},
                                      {Py_tp_repr, aliased_repr},
                                      {Py_tp_methods, aliased_methods},
                                      {Py_tp_getset, aliased_getset},
                                      {Py_tp_members, aliased_members},
                                      {0, NULL}};
static PyType_Spec aliased_spec = {.name = "cormorant._engine.AliasedClass",
                                   .basicsize = sizeof(CormPyAliased),
                                   .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                   .slots = aliased_slots};

/* aliased(element, alias=None, name=None, flat=False, adapt_on_names=False) */
static PyObject *make_aliased(PyObject *module, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"element", "alias", "name", "flat", "adapt_on_names", NULL};
    PyObject *element, *alias = Py_None;
    const char *name = NULL;
    int flat = 0, adapt = 0;
    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|Ozpp:aliased", names, &element, &alias, &name, &flat, &adapt)) {
        return NULL;
    }
    corm_mapper *mapper = corm_py_mapper_of(element);
    if (mapper == NULL) {
        /* A table, join or select: Core's alias() or subquery(). */
        PyObject *method = PyErr_Occurred() ? NULL : corm_py_get(element, "alias");
        PyObject *made = method == NULL ? NULL : PyObject_CallFunction(method, "z", name);
        Py_XDECREF(method);
        return made;
    }
    if (corm_py_configure(mapper->registry) < 0) {
        return NULL;
    }
    corm_node *entity;
    if (alias != Py_None) {
        corm_node *from = corm_py_node(alias);
        if (from == NULL) {
            return NULL;
        }
        entity = corm_entity_aliased_from(mapper, from, name);
        corm_node_unref(from);
    } else {
        entity = corm_entity_aliased(mapper, name);
    }
    if (entity == NULL) {
        return corm_py_raise();
    }
    CormPyAliased *self = (CormPyAliased *)CormPyAliased_Type->tp_alloc(CormPyAliased_Type, 0);
    if (self == NULL) {
        corm_node_unref(entity);
        return NULL;
    }
    self->entity = entity;
    self->mapper = Py_XNewRef(corm_py_class_of_mapper(mapper)->view);
    self->dict = PyDict_New();
    if (self->dict == NULL || self->mapper == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

/* ---- finding mappers ---- */

corm_mapper *corm_py_mapper_of(PyObject *object) {
    if (PyType_Check(object)) {
        corm_py_class *record = corm_py_class_of((PyTypeObject *)object);
        return record == NULL ? NULL : record->mapper;
    }
    if (PyObject_TypeCheck(object, CormPyMapper_Type)) {
        corm_py_class *record = as_mapper(object)->record;
        return record == NULL ? NULL : record->mapper;
    }
    if (PyObject_TypeCheck(object, CormPyAliased_Type)) {
        return corm_node_as_entity(((CormPyAliased *)object)->entity)->mapper;
    }
    if (PyObject_TypeCheck(object, CormPyClauseElement_Type)) {
        corm_entity *entity = corm_node_as_entity(((CormPyElement *)object)->node);
        return entity == NULL ? NULL : entity->mapper;
    }
    return NULL;
}

corm_mapper *corm_py_mapper_required(PyObject *object) {
    corm_mapper *mapper = corm_py_mapper_of(object);
    if (mapper == NULL && !PyErr_Occurred()) {
        bool is_class = PyType_Check(object);
        PyObject *error = is_class ? corm_py_import("cormorant.orm.exc", "UnmappedClassError")
                                   : corm_py_import("cormorant.exc", "ArgumentError");
        PyObject *argument =
            is_class ? Py_NewRef(object) : PyUnicode_FromFormat("Class object expected, got '%R'.", object);
        PyObject *exception = error == NULL || argument == NULL ? NULL : PyObject_CallOneArg(error, argument);
        if (exception != NULL) {
            PyErr_SetObject(error, exception);
            Py_DECREF(exception);
        }
        Py_XDECREF(argument);
        Py_XDECREF(error);
    }
    return mapper;
}

corm_node *corm_py_entity_node(PyObject *object) {
    if (PyObject_TypeCheck(object, CormPyAliased_Type)) {
        return corm_node_ref(((CormPyAliased *)object)->entity);
    }
    if (PyObject_TypeCheck(object, CormPyClauseElement_Type)) {
        corm_node *node = ((CormPyElement *)object)->node;
        return corm_node_as_entity(node) == NULL ? NULL : corm_node_ref(node);
    }
    corm_mapper *mapper = corm_py_mapper_of(object);
    return mapper == NULL ? NULL : corm_py_class_entity(corm_py_class_of_mapper(mapper));
}

static corm_node *entity_of_class(PyObject *cls) {
    corm_py_class *record = PyType_Check(cls) ? corm_py_class_of((PyTypeObject *)cls) : NULL;
    if (record == NULL) {
        return PyObject_TypeCheck(cls, CormPyAliased_Type) || PyObject_TypeCheck(cls, CormPyMapper_Type)
                   ? corm_py_entity_node(cls)
                   : NULL;
    }
    return corm_py_class_entity(record);
}

static PyObject *mapper_of_object(PyObject *module, PyObject *object) {
    (void)module;
    corm_mapper *mapper = corm_py_mapper_of(object);
    corm_py_class *record = mapper == NULL ? NULL : corm_py_class_of_mapper(mapper);
    return Py_NewRef(record == NULL || record->view == NULL ? Py_None : record->view);
}

static PyObject *all_mappers(PyObject *module, PyObject *unused) {
    PyObject *list = PyList_New(0);
    (void)module;
    (void)unused;
    for (corm_py_class *record = classes; list != NULL && record != NULL; record = record->next) {
        if (record->view != NULL && Py_REFCNT(record->view) > 0 && PyList_Append(list, record->view) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *aliased_from(PyObject *module, PyObject *object) {
    (void)module;
    if (!PyObject_TypeCheck(object, CormPyAliased_Type)) {
        PyErr_SetString(PyExc_TypeError, "an aliased class is needed");
        return NULL;
    }
    return corm_py_wrap(corm_node_ref(corm_entity_from(corm_node_as_entity(((CormPyAliased *)object)->entity))));
}

static PyMethodDef functions[] = {
    {"_all_mappers", all_mappers, METH_NOARGS, "All Mappers whose classes are alive."},
    {"_aliased_from", aliased_from, METH_O, "What an aliased class stands for in the FROM clause."},
    {"_watch_configure", watch_configure, METH_O, "Tell cormorant.event before and after mappers are configured."},
    {"_on_collection", on_collection, METH_VARARGS, "For gc.callbacks."},
    {"configure_mappers", configure_mappers, METH_NOARGS, "Resolve all that is declared."},
    {"_mapper_of", mapper_of_object, METH_O, "The Mapper of a class, Mapper or aliased class, or None."},
    {"aliased", (PyCFunction)(void (*)(void))make_aliased, METH_VARARGS | METH_KEYWORDS,
     "aliased(element, alias=None, name=None)\n--\n\nA mapped class under another name, or of a subquery."},
    {NULL, NULL, 0, NULL}};

int corm_py_mapping_init(PyObject *module) {
    name_mapper = PyUnicode_InternFromString("__mapper__");
    registry_type = corm_py_type(module, &registry_spec, NULL);
    CormPyMapper_Type = corm_py_type(module, &mapper_spec, NULL);
    CormPyAliased_Type = corm_py_type(module, &aliased_spec, NULL);
    if (name_mapper == NULL || registry_type == NULL || CormPyMapper_Type == NULL || CormPyAliased_Type == NULL ||
        PyModule_AddFunctions(module, functions) < 0) {
        return -1;
    }
    corm_py_entity_of_class = entity_of_class;
    PyObject *callbacks = corm_py_import("gc", "callbacks");
    PyObject *hook = callbacks == NULL ? NULL : corm_py_get(module, "_on_collection");
    int failed = hook == NULL ? -1 : PyList_Append(callbacks, hook);
    Py_XDECREF(hook);
    Py_XDECREF(callbacks);
    return failed;
}
