/*
 * What the ORM's half of the extension shares: instances, classes, descriptors, collections.
 *
 * An instance carries the engine's state in its own memory; its values lie in slots behind the fixed part, or, from the
 * first access to `__dict__` on, in that dictionary. A mapped class has a record (corm_py_class) that its Mapper view
 * and its instances share, so that the mapper outlives the last of them in whatever order the collector takes them.
 */
#ifndef CORM_PYTHON_ORM_H
#define CORM_PYTHON_ORM_H

#include "module.h"

#include "orm/attribute.h"
#include "orm/entity.h"
#include "orm/query.h"

/* ---- classes (mapping.c) ---- */

typedef struct corm_py_class {
    size_t references;     /* under the interpreter lock: the Mapper view's and each instance's */
    corm_mapper *mapper;   /* a reference of the registry */
    PyTypeObject *type;    /* borrowed; NULL once the class is gone */
    PyObject *view;        /* borrowed: the Mapper; NULL once it is gone */
    Py_ssize_t slot_count; /* fixed by the first instance; negative before */
    bool anchored;         /* its module has it under its name: instances of plain values need no collector */
    bool anchor_known;
    corm_node *entity;        /* a reference; NULL until asked for */
    PyObject *reconstructors; /* list of functions, or NULL */
    PyObject *listeners;      /* dict: an event's name -> tuple of (function, flags); or NULL. See events.c */
    struct corm_py_class *previous, *next;
} corm_py_class;

void corm_py_class_unref(corm_py_class *record);
/* The record of a mapped class itself, not of one that it inherits from; NULL without an exception. */
corm_py_class *corm_py_class_of(PyTypeObject *type);
/* Decide slots and anchor before the first instance. */
int corm_py_class_prepare(corm_py_class *record);
/* The class' entity: a new reference. */
corm_node *corm_py_class_entity(corm_py_class *record);
static inline corm_py_class *corm_py_class_of_mapper(const corm_mapper *mapper) {
    return mapper->host_data;
}

typedef struct CormPyMapper {
    PyObject_HEAD corm_py_class *record;
    PyObject *cls;
    PyObject *registry;
    PyObject *dict;
    PyObject *weakrefs;
} CormPyMapper;
extern PyTypeObject *CormPyMapper_Type;

typedef struct CormPyAliased { /* what aliased() gives */
    PyObject_HEAD corm_node *entity;
    PyObject *mapper; /* the view */
    PyObject *dict;   /* attributes made so far */
    PyObject *weakrefs;
} CormPyAliased;
extern PyTypeObject *CormPyAliased_Type;

/* The class, Mapper or aliased class' mapper; NULL without an exception when it is none. Borrowed. */
corm_mapper *corm_py_mapper_of(PyObject *object);
/* The same with UnmappedClassError. */
corm_mapper *corm_py_mapper_required(PyObject *object);
/* The entity node of such an object: a new reference; NULL without an exception when it is none. */
corm_node *corm_py_entity_node(PyObject *object);
/* Configure what is declared, of one registry or of all; raises. */
int corm_py_configure(corm_registry *registry);
int corm_py_configure_all(void);

/* ---- instances (instance.c) ---- */

typedef struct corm_py_link corm_py_link;

typedef struct CormPyInstance {
    PyObject_VAR_HEAD corm_state state;
    PyObject *dict;
    PyObject *weakrefs;
    corm_py_link *collections; /* those that tell this object of their changes */
} CormPyInstance;

enum { CORM_PY_DICT_MODE = 1u << 30 }; /* in state.flags, whose upper bits are the host's */

extern PyTypeObject *CormPyInstance_Type;
void corm_py_instance_dealloc(PyObject *self);

static inline bool corm_py_is_instance(PyObject *object) {
    return Py_TYPE(object)->tp_dealloc == corm_py_instance_dealloc && ((CormPyInstance *)object)->state.mapper != NULL;
}
static inline PyObject **corm_py_slots(CormPyInstance *self) {
    return (PyObject **)(void *)((char *)self + Py_TYPE(self)->tp_basicsize);
}
static inline bool corm_py_in_slot(const CormPyInstance *self, const corm_attribute *attribute) {
    return !(self->state.flags & CORM_PY_DICT_MODE) && (Py_ssize_t)attribute->index < Py_SIZE(self);
}
static inline CormPyInstance *corm_py_instance_of_state(corm_state *state) {
    return (CormPyInstance *)(void *)((char *)state - offsetof(CormPyInstance, state));
}

/* A bare instance of a mapped class: no constructor runs. */
PyObject *corm_py_instance_create(corm_py_class *record);
/* The value, borrowed, or NULL when it is not loaded (no exception). */
PyObject *corm_py_instance_peek(CormPyInstance *self, const corm_attribute *attribute);
/* Store, taking over the value; NULL unloads. */
int corm_py_instance_store(CormPyInstance *self, const corm_attribute *attribute, PyObject *value);
/* Have the collector know the object. */
void corm_py_instance_track(PyObject *self);
/* Patch a subclass' type slots for the layout. */
void corm_py_instance_adopt(PyTypeObject *type);
/* The real dictionary, from now on the truth. Borrowed. */
PyObject *corm_py_instance_dict(CormPyInstance *self);
/* The state of any object with UnmappedInstanceError. */
corm_state *corm_py_state_required(PyObject *object);

/* ---- attributes (attribute.c) ---- */

/* corm_attribute.host */
typedef struct corm_py_attribute_data {
    PyObject *key;        /* interned */
    PyObject *descriptor; /* borrowed: the class' own; NULL once it is gone */
    char fast;            /* 'i', 't', 'f': how loading makes the object without looking at the type; or 0 */
} corm_py_attribute_data;

typedef struct CormPyAttribute {
    CormPyElement element; /* its node is the attribute's */
    corm_attribute *attribute;
    PyObject *key;
    PyObject *property;  /* what was declared: a RelationshipProperty, a ColumnProperty */
    PyObject *parent;    /* the Mapper, or the aliased class */
    PyObject *listeners; /* dict of lists of tuples: see events.c; or NULL */
    PyObject *factory;   /* a collection's class or callable; NULL: list */
} CormPyAttribute;
extern PyTypeObject *CormPyAttribute_Type;

static inline corm_py_attribute_data *corm_py_data(const corm_attribute *attribute) {
    return attribute->host;
}
PyObject *corm_py_attribute_new(corm_node *entity, corm_attribute *attribute, PyObject *parent, PyObject *property);
int corm_py_attribute_prepare(corm_attribute *attribute, PyObject *key);
/* Read with loading, and write with events. */
PyObject *corm_py_attribute_read(CormPyInstance *self, corm_attribute *attribute);
int corm_py_attribute_write(CormPyInstance *self, corm_attribute *attribute, PyObject *value);

/* May the item stand in this relationship? AttributeError when it is not mapped, FlushError when it is of another class. */
int corm_py_attribute_check(const corm_attribute *attribute, PyObject *item);

/* ---- collections (collection.c) ---- */

struct corm_py_link {
    CormPyInstance *owner; /* borrowed; NULL: a plain collection of nobody */
    corm_attribute *attribute;
    PyObject *collection; /* borrowed: the object that the link is in */
    corm_py_link *previous, *next;
};
void corm_py_link_attach(corm_py_link *link, CormPyInstance *owner, const corm_attribute *attribute);
void corm_py_link_detach(corm_py_link *link);
/* NULL: not a collection of ours. */
corm_py_link *corm_py_link_of(PyObject *collection);
/* A new collection of the attribute, of nobody yet. */
PyObject *corm_py_collection_new(const corm_attribute *attribute);
/* Without events. */
int corm_py_collection_append(PyObject *collection, PyObject *item);
int corm_py_collection_remove(PyObject *collection, PyObject *item);
int corm_py_collection_contains(PyObject *collection, PyObject *item);
/* A list of the items; new reference. */
PyObject *corm_py_collection_items(PyObject *collection);
/* The items of any value that is assigned to a collection attribute; TypeError when it does not fit. */
PyObject *corm_py_collection_adapt(const corm_attribute *attribute, PyObject *value);

/* ---- the host (host.c), events (events.c) ---- */

extern const corm_host corm_py_host;
int corm_py_relationship_resolve(corm_attribute *attribute); /* relationship.c */
int corm_py_attribute_added(corm_attribute *attribute);      /* mapping.c: a backref's */
corm_status corm_py_event(corm_event_kind kind, corm_session *session, corm_connection *connection, corm_state *state);
corm_status corm_py_attribute_event(char kind, corm_state *state, const corm_attribute *attribute, corm_value *value,
                                    const corm_value *old, const corm_attribute *initiator);
/* Objects that listeners put in place of others are kept until the outermost change is over. */
void corm_py_change_begin(void);
void corm_py_change_end(void);
/* Tell that flag_modified() was called; the value of an attribute that was never set, as listeners say: a new reference. */
int corm_py_attribute_modified(CormPyInstance *self, const corm_attribute *attribute);
PyObject *corm_py_attribute_default(CormPyInstance *self, const corm_attribute *attribute);
/* Call mapper or instance listeners by name: init, load, ... */
int corm_py_fire_instance(corm_py_class *record, const char *name, PyObject *arguments);
/* Does anyone listen to instance events of this name? */
bool corm_py_instance_listened(corm_py_class *record, const char *name);

/* Session listeners (events.c). Tell the core session which events have listeners, of this session, its class and its
 * sessionmaker: called when a session is made and when a listener comes or goes. */
struct CormPySession;
int corm_py_session_apply_listeners(struct CormPySession *session);
/* Fire a session event that the core does not know (do_orm_execute, after_transaction_create, ...): 0, or -1 raised. */
int corm_py_session_fire(struct CormPySession *session, const char *name, PyObject *arguments);
bool corm_py_session_listened(struct CormPySession *session, const char *name);

/* ---- inspect.c, history.c ---- */
PyObject *corm_py_instance_state_new(PyObject *instance);
extern PyTypeObject *CormPyInstanceState_Type;
/* Take over the identity that an unpickled InstanceState brings along. */
int corm_py_instance_state_restore(PyObject *view, corm_state *state);
/* The symbol NO_VALUE: borrowed. */
PyObject *corm_py_no_value(void);
int corm_py_history_init(PyObject *module);

/* ---- session.c ---- */

typedef struct CormPyTransaction CormPyTransaction; /* a SessionTransaction view, see session.h */

typedef struct CormPySession { /* the class is open to subclassing in Python */
    PyObject_HEAD corm_session *session;
    PyObject *bind;        /* an Engine, a Connection, or NULL */
    PyObject *binds;       /* dict, or NULL */
    PyObject *query_class; /* or NULL */
    PyObject *listeners;   /* dict: name -> list; of this session, or NULL */
    PyObject *info;        /* dict, or NULL */
    PyObject *options;     /* execution_options: dict, or NULL */
    PyObject *dict;
    PyObject *weakrefs;
    CormPyTransaction *transactions;       /* the views that are alive: borrowed */
    CormPyTransaction *managed;            /* in the body of its `with`: borrowed, or NULL */
    struct CormPySession *previous, *next; /* all open sessions */
    PyObject *tracked;    /* list of views: transactions whose beginning was told to listeners; or NULL */
    corm_mapper *asked;   /* bind_arguments of the execution under way: a mapper, borrowed; or NULL */
    PyObject *asked_bind; /* and an Engine or Connection, borrowed; or NULL */
    size_t seen_count;    /* transactions when listeners were last told */
    uint32_t seen_serial;
    bool closes_for_good; /* close_resets_only=False */
    bool dead;            /* and closed so */
    bool quoted;          /* what failed the transaction was noted for later exceptions */
} CormPySession;
extern PyTypeObject *CormPySession_Type;
/* The open session behind the object; raises. */
corm_session *corm_py_session_open(PyObject *object);
/* Find and bind an engine if none is yet. mapper may be NULL. */
int corm_py_session_ensure_bind(CormPySession *self, corm_node *statement, corm_mapper *mapper);
/* The Connection view of the session's transaction, begun if need be: a new reference. */
PyObject *corm_py_session_connection(CormPySession *self);
/* The view of the innermost transaction: a new reference; None when there is none. */
PyObject *corm_py_session_transaction(CormPySession *self);
/* The Python session of a core session, borrowed, or NULL. */
CormPySession *corm_py_session_of_core(const corm_session *session);
/* The Python session of a state, borrowed, or NULL. */
PyObject *corm_py_session_of(const corm_state *state);
/* Run a statement with its binding looked after. */
corm_result *corm_py_session_run(CormPySession *self, corm_node *statement, PyObject *parameters,
                                 const corm_execute_options *options);

/* ---- query.c ---- */
extern PyTypeObject *CormPyQuery_Type;
PyObject *corm_py_query_new(PyTypeObject *type, PyObject *session, PyObject *const *entities, Py_ssize_t count);

/* ---- options.c ---- */
/* Append the option nodes of a loader option (new references) to a vector; 1 when the object is one, 0 not, -1. */
int corm_py_option_nodes(PyObject *object, corm_vector *out);
/* What the session keeps for objects: of an iterable of options; NULL without an exception when there are none. */
corm_load_options *corm_py_load_options(PyObject *options);

/* Parts of module initialisation. */
int corm_py_instance_init(PyObject *module);
int corm_py_attribute_init(PyObject *module);
int corm_py_collection_init(PyObject *module);
int corm_py_mapping_init(PyObject *module);
int corm_py_relationship_init(PyObject *module);
int corm_py_inspect_init(PyObject *module);
int corm_py_events_init(PyObject *module);
int corm_py_options_init(PyObject *module);
int corm_py_session_init(PyObject *module);
int corm_py_query_init(PyObject *module);

/* Make a heap type and put it into the module under the last part of its name. */
PyTypeObject *corm_py_type(PyObject *module, PyType_Spec *spec, PyTypeObject *base);
/* An attribute of a Python module of the package, imported at first use. */
PyObject *corm_py_import(const char *module, const char *name);

#endif
