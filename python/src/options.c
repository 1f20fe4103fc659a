/*
 * Loader options: selectinload(User.addresses).joinedload(Address.city), Load(User).load_only(User.name) and their kin.
 *
 * A Load is immutable: a path of attributes from a root entity, where the next method goes on, and the option nodes made so far,
 * which are what statements and objects get (orm/options.h). subqueryload() and immediateload() load what selectinload() does, by
 * the same statement.
 */
#include "arguments.h"
#include "orm.h"

#include "orm/options.h"
#include "sql/select.h"

typedef struct CormPyLoad {
    PyObject_HEAD corm_node *entity; /* the root: a reference; NULL: wildcards for every entity */
    corm_vector path;                /* attribute nodes: references */
    corm_vector options;             /* option nodes: references */
} CormPyLoad;

static PyTypeObject *load_type;

/* A method or function: what it asks of what kind of attribute. */
typedef struct strategy {
    const char *name, *loader; /* as messages call it */
    corm_lazy lazy;
    bool columns;
} strategy;

static const strategy selectin_strategy = {"selectinload", "select in loader", CORM_LAZY_SELECTIN, false};
static const strategy subquery_strategy = {"subqueryload", "subquery loader", CORM_LAZY_SELECTIN, false};
static const strategy immediate_strategy = {"immediateload", "immediate loader", CORM_LAZY_SELECTIN, false};
static const strategy joined_strategy = {"joinedload", "joined loader", CORM_LAZY_JOINED, false};
static const strategy lazy_strategy = {"lazyload", "lazy loader", CORM_LAZY_SELECT, false};
static const strategy no_strategy = {"noload", "no loader", CORM_LAZY_NOLOAD, false};
static const strategy raise_strategy = {"raiseload", "lazy loader", CORM_LAZY_RAISE, false};
static const strategy raise_on_sql_strategy = {"raiseload", "lazy loader", CORM_LAZY_RAISE_ON_SQL, false};
static const strategy contains_strategy = {"contains_eager", "joined loader", CORM_LAZY_CONTAINS, false};
static const strategy default_strategy = {"defaultload", "default loader", CORM_LAZY_DEFAULT, false};
static const strategy defer_strategy = {"defer", "deferred column loader", CORM_LAZY_DEFER, true};
static const strategy defer_raise_strategy = {"defer", "deferred column loader", CORM_LAZY_DEFER_RAISE, true};
static const strategy undefer_strategy = {"undefer", "column loader", CORM_LAZY_UNDEFER, true};

static CormPyLoad *as_load(PyObject *object) {
    return (CormPyLoad *)object;
}

static PyObject *argument_error(const char *format, const char *first, const char *second, const char *third,
                                const char *fourth) {
    PyObject *cls = corm_py_import("cormorant.exc", "ArgumentError");
    if (cls != NULL) {
        PyErr_Format(cls, format, first, second, third, fourth);
        Py_DECREF(cls);
    }
    return NULL;
}

/* ---- life ---- */

static int push_ref(corm_vector *nodes, corm_node *node) {
    if (node == NULL || corm_vector_push(nodes, node) != CORM_OK) {
        corm_py_raise();
        corm_node_unref(node);
        return -1;
    }
    return 0;
}

static int push_all(corm_vector *to, const corm_vector *from) {
    for (size_t i = 0; i < from->count; i++) {
        if (push_ref(to, corm_node_ref(from->items[i])) < 0) {
            return -1;
        }
    }
    return 0;
}

static CormPyLoad *load_new(corm_node *entity) {
    CormPyLoad *self = (CormPyLoad *)load_type->tp_alloc(load_type, 0);
    if (self != NULL) {
        self->entity = corm_node_ref(entity);
    }
    return self;
}

static CormPyLoad *load_copy(const CormPyLoad *from) {
    CormPyLoad *self = load_new(from->entity);
    if (self != NULL && (push_all(&self->path, &from->path) < 0 || push_all(&self->options, &from->options) < 0)) {
        Py_CLEAR(self);
    }
    return self;
}

static void load_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    corm_node_unref(as_load(object)->entity);
    corm_nodes_unref(&as_load(object)->path);
    corm_nodes_unref(&as_load(object)->options);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *load_create(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"entity", NULL};
    (void)type;
    PyObject *entity;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O:Load", names, &entity)) {
        return NULL;
    }
    corm_node *node = corm_py_entity_node(entity);
    if (node == NULL) {
        if (PyErr_Occurred() == NULL) {
            PyObject *cls = corm_py_import("cormorant.exc", "NoInspectionAvailable");
            if (cls != NULL) {
                PyErr_Format(cls, "No inspection system is available for object of type %R", Py_TYPE(entity));
                Py_DECREF(cls);
            }
        }
        return NULL;
    }
    CormPyLoad *self = load_new(node);
    corm_node_unref(node);
    return (PyObject *)self;
}

static PyObject *load_str(PyObject *object) {
    const corm_node *entity = as_load(object)->entity;
    return PyUnicode_FromFormat(
        "Load(%s)", entity == NULL ? "*" : corm_node_as_entity((corm_node *)(uintptr_t)entity)->mapper->name);
}

/* ---- attributes ---- */

/* The attribute node of an argument: borrowed; NULL raised. */
static corm_attribute_node *attribute_of(PyObject *object) {
    corm_attribute_node *node = PyObject_TypeCheck(object, CormPyClauseElement_Type)
                                    ? corm_node_as_attribute(((CormPyElement *)object)->node)
                                    : NULL;
    if (node == NULL) {
        argument_error(PyUnicode_Check(object)
                           ? "Strings are not accepted for attribute names in loader options; please use "
                             "class-bound attributes directly."
                           : "expected ORM mapped attribute for loader strategy argument",
                       NULL, NULL, NULL, NULL);
    }
    return node;
}

static bool is_wildcard(PyObject *object) {
    return PyUnicode_Check(object) && PyUnicode_CompareWithASCIIString(object, "*") == 0;
}

static corm_mapper *target_of(const corm_attribute_node *node) {
    corm_entity *given = corm_attribute_node_target(node);
    return given != NULL                           ? given->mapper
           : node->attribute->relationship != NULL ? node->attribute->relationship->target
                                                   : NULL;
}

/* Does the attribute go on from where the path ends? */
static int check_link(const CormPyLoad *self, const corm_attribute_node *next) {
    const corm_attribute *attribute = next->attribute;
    if (self->path.count > 0) {
        const corm_attribute_node *last = corm_node_as_attribute(self->path.items[self->path.count - 1]);
        if (corm_mapper_configure(last->attribute->mapper) != CORM_OK) {
            return corm_py_raise_int();
        }
        if (target_of(last) != attribute->mapper) {
            argument_error("ORM mapped entity or attribute \"%s.%s\" does not link from relationship \"%s.%s\".",
                           attribute->mapper->name, attribute->key, last->attribute->mapper->name,
                           last->attribute->key);
            return -1;
        }
    } else if (self->entity != NULL && corm_node_as_entity(self->entity)->mapper != attribute->mapper) {
        argument_error("ORM mapped attribute \"%s.%s\" does not link mapped class \"%s\"", attribute->mapper->name,
                       attribute->key, corm_node_as_entity(self->entity)->mapper->name, NULL);
        return -1;
    }
    return 0;
}

static int check_kind(const strategy *how, const corm_attribute *attribute) {
    bool column = attribute->relationship == NULL;
    if (column == how->columns || how->lazy == CORM_LAZY_DEFAULT) {
        return 0;
    }
    PyObject *cls = corm_py_import("cormorant.orm.exc", "LoaderStrategyException");
    if (cls != NULL) {
        PyErr_Format(cls,
                     "Can't apply \"%s\" strategy to property \"%s.%s\", which is a \"%s\"; this loader strategy is "
                     "intended to be used with a \"%s\".",
                     how->loader, attribute->mapper->name, attribute->key, column ? "column property" : "relationship",
                     column ? "relationship property" : "column property");
        Py_DECREF(cls);
    }
    return -1;
}

static int go_to(CormPyLoad *self, PyObject *attribute, const strategy *how) {
    corm_attribute_node *node = attribute_of(attribute);
    if (node == NULL || check_link(self, node) < 0 || check_kind(how, node->attribute) < 0) {
        return -1;
    }
    if (self->entity == NULL) {
        self->entity = corm_node_ref(&corm_attribute_node_entity(node)->node);
    }
    return push_ref(&self->path, corm_node_ref(&node->node));
}

/* ---- options ---- */

static corm_node *const *path_of(const CormPyLoad *self) {
    return (corm_node *const *)(void *)self->path.items;
}

static corm_mapper *root_of(const CormPyLoad *self) {
    return self->entity == NULL || self->path.count > 0 ? NULL : corm_node_as_entity(self->entity)->mapper;
}

/* All relationships, or all columns, of the entity where the path ends. */
static int add_wildcard(CormPyLoad *self, const strategy *how) {
    corm_node *node;
    if (how->columns) {
        node = corm_load_option_wildcard_columns(path_of(self), self->path.count, root_of(self));
    } else {
        node = corm_load_option_new(path_of(self), self->path.count, how->lazy, true, false, NULL);
    }
    if (node != NULL) {
        corm_load_option *option = corm_node_as_load_option(node);
        option->strategy = how->lazy;
        option->wildcard_root = root_of(self);
    }
    return push_ref(&self->options, node);
}

static int add_option(CormPyLoad *self, const strategy *how, bool inner, corm_node *alias) {
    if (how->lazy == CORM_LAZY_DEFAULT) {
        return 0;
    }
    return push_ref(&self->options,
                    corm_load_option_new(path_of(self), self->path.count, how->lazy, false, inner, alias));
}

/* Go on to the attributes, of which the last gets the strategy. */
static PyObject *follow(const CormPyLoad *from, PyObject *const *keys, Py_ssize_t count, const strategy *how,
                        bool inner, corm_node *alias) {
    CormPyLoad *self = from == NULL ? load_new(NULL) : load_copy(from);
    int failed = self == NULL;
    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        bool last = i == count - 1;
        if (last && is_wildcard(keys[i])) {
            failed = add_wildcard(self, how) < 0;
        } else {
            failed = go_to(self, keys[i], last ? how : &default_strategy) < 0 ||
                     (last && add_option(self, how, inner, alias) < 0);
        }
        if (last && how->columns && self->path.count > 0 && !is_wildcard(keys[i])) {
            corm_node_unref(self->path.items[--self->path.count]); /* further options are of the same entity */
        }
    }
    if (failed) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static int at_least_one(const char *name, Py_ssize_t count) {
    if (count == 0) {
        PyErr_Format(PyExc_TypeError, "%s() needs at least one attribute", name);
        return -1;
    }
    return 0;
}

/* load_only(): all other columns of the entity are deferred. */
static PyObject *only(const CormPyLoad *from, PyObject *const *keys, Py_ssize_t count, const strategy *others) {
    if (count > 0 && PyUnicode_Check(keys[0])) {
        return argument_error("expected ORM mapped attribute for loader strategy argument", NULL, NULL, NULL, NULL);
    }
    corm_attribute_node *first = at_least_one("load_only", count) < 0 ? NULL : attribute_of(keys[0]);
    CormPyLoad *self = first == NULL  ? NULL
                       : from == NULL ? load_new(&corm_attribute_node_entity(first)->node)
                                      : load_copy(from);
    if (self == NULL) {
        return NULL;
    }
    int failed = check_link(self, first) < 0 || add_wildcard(self, others) < 0;
    for (Py_ssize_t i = 0; i < count && !failed; i++) {
        size_t depth = self->path.count;
        corm_attribute_node *each = attribute_of(keys[i]);
        if (each != NULL && each->attribute->mapper != first->attribute->mapper) {
            argument_error(
                "Can't apply wildcard ('*') or load_only() loader option to multiple entities in the same option. Use "
                "separate options per entity.",
                NULL, NULL, NULL, NULL);
            each = NULL;
        }
        failed = each == NULL || go_to(self, keys[i], &undefer_strategy) < 0 ||
                 add_option(self, &undefer_strategy, false, NULL) < 0;
        while (self->path.count > depth) {
            corm_node_unref(self->path.items[--self->path.count]);
        }
    }
    if (failed) {
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* ---- options inside options ---- */

/* The option with another path in front of its own. */
static corm_node *moved(const CormPyLoad *self, corm_node *node) {
    const corm_load_option *option = corm_node_as_load_option(node);
    size_t count = self->path.count + option->path.count;
    corm_node **path = PyMem_Calloc(count + 1, sizeof *path);
    if (path == NULL) {
        corm_error_no_memory();
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        path[i] = i < self->path.count ? self->path.items[i] : option->path.items[i - self->path.count];
    }
    corm_node *made = corm_load_option_with_path(option, path, count);
    PyMem_Free(path);
    return made;
}

static PyObject *load_options(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    CormPyLoad *self = load_copy(as_load(object));
    for (Py_ssize_t i = 0; self != NULL && i < count; i++) {
        if (!Py_IS_TYPE(args[i], load_type)) {
            PyErr_Format(PyExc_TypeError, "options() takes loader options, not %.100s", Py_TYPE(args[i])->tp_name);
            Py_CLEAR(self);
            break;
        }
        const CormPyLoad *inner = as_load(args[i]);
        const corm_attribute_node *first = inner->path.count == 0 ? NULL : corm_node_as_attribute(inner->path.items[0]);
        int failed = first != NULL && check_link(self, first) < 0;
        for (size_t n = 0; n < inner->options.count && !failed; n++) {
            failed = push_ref(&self->options, moved(self, inner->options.items[n])) < 0;
        }
        if (failed) {
            Py_CLEAR(self);
        }
    }
    return (PyObject *)self;
}

/* ---- methods and functions: a method goes on from self, a function begins ---- */

static const CormPyLoad *start_of(PyObject *self) {
    return Py_IS_TYPE(self, load_type) ? as_load(self) : NULL;
}

static PyObject *no_keywords(const char *name, PyObject *names) {
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name, PyTuple_GET_ITEM(names, 0));
    return NULL;
}

/* The one keyword argument that the function has, borrowed; *good false: raised. */
static PyObject *one_keyword(const char *name, PyObject *const *args, Py_ssize_t count, PyObject *names,
                             const char *wanted, bool *good) {
    PyObject *found = NULL;
    *good = true;
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names) && *good; i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), wanted) == 0) {
            found = args[count + i];
        } else {
            PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", name,
                         PyTuple_GET_ITEM(names, i));
            *good = false;
        }
    }
    return found;
}

static PyObject *simple(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names, const strategy *how) {
    if (names != NULL && PyTuple_GET_SIZE(names) > 0) {
        return no_keywords(how->name, names);
    }
    return at_least_one(how->name, count) < 0 ? NULL : follow(start_of(self), args, count, how, false, NULL);
}

#define SIMPLE(function, how)                                                                                          \
    static PyObject *function(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {              \
        return simple(self, args, count, names, &(how));                                                               \
    }
SIMPLE(selectinload, selectin_strategy)
SIMPLE(subqueryload, subquery_strategy)
SIMPLE(immediateload, immediate_strategy)
SIMPLE(lazyload, lazy_strategy)
SIMPLE(noload, no_strategy)
SIMPLE(defaultload, default_strategy)
SIMPLE(undefer, undefer_strategy)

static PyObject *load_only(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool good;
    PyObject *raises = one_keyword("load_only", args, count, names, "raiseload", &good);
    int on = good ? corm_py_flag(raises, 0) : -1;
    return on < 0 ? NULL : only(start_of(self), args, count, on ? &defer_raise_strategy : &defer_strategy);
}

static PyObject *defer(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool good;
    PyObject *raises = one_keyword("defer", args, count, names, "raiseload", &good);
    int on = !good || at_least_one("defer", count) < 0 ? -1 : corm_py_flag(raises, 0);
    return on < 0 ? NULL
                  : follow(start_of(self), args, count, on ? &defer_raise_strategy : &defer_strategy, false, NULL);
}

static PyObject *joinedload(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool good;
    PyObject *inner = one_keyword("joinedload", args, count, names, "innerjoin", &good);
    int on = !good || at_least_one("joinedload", count) < 0 ? -1 : corm_py_flag(inner, 0);
    return on < 0 ? NULL : follow(start_of(self), args, count, &joined_strategy, on != 0, NULL);
}

static PyObject *raiseload(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool good;
    PyObject *sql_only = one_keyword("raiseload", args, count, names, "sql_only", &good);
    int on = !good || at_least_one("raiseload", count) < 0 ? -1 : corm_py_flag(sql_only, 0);
    return on < 0 ? NULL
                  : follow(start_of(self), args, count, on ? &raise_on_sql_strategy : &raise_strategy, false, NULL);
}

/* The entity of contains_eager(alias=): a new reference; NULL raised. */
static corm_node *alias_entity(PyObject *alias, PyObject *attribute) {
    corm_node *entity = corm_py_entity_node(alias);
    if (entity != NULL || PyErr_Occurred() != NULL) {
        return entity;
    }
    corm_attribute_node *node = attribute_of(attribute);
    corm_node *from = node == NULL ? NULL : corm_py_node(alias);
    if (from == NULL) {
        return NULL;
    }
    if (corm_mapper_configure(node->attribute->mapper) == CORM_OK && target_of(node) != NULL) {
        entity = corm_entity_aliased_from(target_of(node), from, NULL);
    } else {
        corm_error_set(CORM_ARGUMENT_ERROR, "contains_eager(alias=) is for relationships");
    }
    corm_node_unref(from);
    if (entity == NULL) {
        corm_py_raise();
    }
    return entity;
}

static PyObject *contains_eager(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    bool good;
    PyObject *alias = one_keyword("contains_eager", args, count, names, "alias", &good);
    if (!good || at_least_one("contains_eager", count) < 0) {
        return NULL;
    }
    corm_node *entity = NULL;
    if (alias != NULL && alias != Py_None && (entity = alias_entity(alias, args[count - 1])) == NULL) {
        return NULL;
    }
    PyObject *made = follow(start_of(self), args, count, &contains_strategy, false, entity);
    corm_node_unref(entity);
    return made;
}

/* ---- what statements and sessions take ---- */

int corm_py_option_nodes(PyObject *object, corm_vector *out) {
    if (!Py_IS_TYPE(object, load_type)) {
        return 0;
    }
    return push_all(out, &as_load(object)->options) < 0 ? -1 : 1;
}

corm_load_options *corm_py_load_options(PyObject *options) {
    corm_vector nodes = {0};
    PyObject *option;
    if (options == Py_None) {
        return NULL;
    }
    PyObject *iterator = PyObject_GetIter(options);
    int failed = iterator == NULL;
    while (!failed && (option = PyIter_Next(iterator)) != NULL) {
        int known = corm_py_option_nodes(option, &nodes);
        if (known == 0) {
            PyObject *cls = corm_py_import("cormorant.exc", "ArgumentError");
            if (cls != NULL) {
                PyErr_Format(cls, "ExecutionOption Core or ORM object expected, got %R.", option);
                Py_DECREF(cls);
            }
        }
        failed = known <= 0;
        Py_DECREF(option);
    }
    Py_XDECREF(iterator);
    corm_load_options *made = NULL;
    if (!failed && PyErr_Occurred() == NULL && nodes.count > 0) {
        made = corm_load_options_new((corm_node *const *)(void *)nodes.items, nodes.count);
        if (made == NULL) {
            corm_py_raise();
        }
    }
    corm_nodes_unref(&nodes);
    return made;
}

#define OPTION_METHODS                                                                                                 \
    {"selectinload", CORM_PY_FAST(selectinload),                                                                       \
     "selectinload(*keys)\n--\n\nLoad a relationship by one more SELECT for all objects, with IN."},                   \
        {"subqueryload", CORM_PY_FAST(subqueryload),                                                                   \
         "subqueryload(*keys)\n--\n\nLoad a relationship as selectinload() does."},                                    \
        {"immediateload", CORM_PY_FAST(immediateload),                                                                 \
         "immediateload(*keys)\n--\n\nLoad a relationship as selectinload() does."},                                   \
        {"joinedload", CORM_PY_FAST(joinedload),                                                                       \
         "joinedload(*keys, innerjoin=False)\n--\n\nLoad a relationship by a join in the same SELECT."},               \
        {"lazyload", CORM_PY_FAST(lazyload), "lazyload(*keys)\n--\n\nLoad a relationship when it is first read."},     \
        {"noload", CORM_PY_FAST(noload), "noload(*keys)\n--\n\nLeave a relationship empty."},                          \
        {"raiseload", CORM_PY_FAST(raiseload),                                                                         \
         "raiseload(*keys, sql_only=False)\n--\n\nReading a relationship that is not loaded is an error."},            \
        {"contains_eager", CORM_PY_FAST(contains_eager),                                                               \
         "contains_eager(*keys, alias=None)\n--\n\nThe statement's own joins have the rows of a relationship."},       \
        {"defaultload", CORM_PY_FAST(defaultload),                                                                     \
         "defaultload(*keys)\n--\n\nGo along a relationship without changing how it is loaded."},                      \
        {"load_only", CORM_PY_FAST(load_only),                                                                         \
         "load_only(*attrs, raiseload=False)\n--\n\nDefer all columns but these."},                                    \
        {"defer", CORM_PY_FAST(defer),                                                                                 \
         "defer(key, raiseload=False)\n--\n\nLoad a column when it is first read; raiseload: reading it is an "        \
         "error."},                                                                                                    \
    {                                                                                                                  \
        "undefer", CORM_PY_FAST(undefer), "undefer(key)\n--\n\nLoad a deferred column with the others."                \
    }

static PyMethodDef load_methods[] = {OPTION_METHODS,
                                     {"options", (PyCFunction)(void (*)(void))load_options, METH_FASTCALL,
                                      "options(*opts)\n--\n\nSeveral options for the entity where this one ends."},
                                     {NULL, NULL, 0, NULL}};

static PyMethodDef functions[] = {OPTION_METHODS, {NULL, NULL, 0, NULL}};

static PyType_Slot load_slots[] = {
    {Py_tp_doc, "Load(entity)\n--\n\nLoader options of an entity, to be made by its methods."},
    {Py_tp_new, load_create},
    {Py_tp_dealloc, load_dealloc},
    {Py_tp_str, load_str},
    {Py_tp_methods, load_methods},
    {0, NULL}};

static PyType_Spec load_spec = {.name = "cormorant.orm.strategy_options.Load",
                                .basicsize = sizeof(CormPyLoad),
                                .flags = Py_TPFLAGS_DEFAULT,
                                .slots = load_slots};

int corm_py_options_init(PyObject *module) {
    load_type = corm_py_type(module, &load_spec, NULL);
    return load_type == NULL ? -1 : PyModule_AddFunctions(module, functions);
}
