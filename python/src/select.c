/*
 * SELECT and compound selects as Python objects: each method gives a new statement with one part changed.
 */
#include "sql.h"

#include "orm.h"
#include "orm/query.h"
#include "sql/select.h"

static PyTypeObject *base_type, *select_type, *compound_type;

static corm_node *node_of(PyObject *self) {
    return corm_py_node_of(self);
}

static PyObject *append(PyObject *self, corm_select_part part, PyObject *const *args, Py_ssize_t count,
                        corm_py_role role) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, role, &nodes) < 0) {
        return NULL;
    }
    PyObject *result =
        nodes.count == 0
            ? Py_NewRef(self)
            : corm_py_derive(self, corm_select_append(node_of(self), part, corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

/* ---- ORDER BY, GROUP BY, limits: of SELECT and of compounds ---- */

/* A single None takes away what is there. */
static PyObject *append_or_clear(PyObject *self, corm_select_part part, PyObject *const *args, Py_ssize_t count,
                                 corm_py_role role) {
    if (count == 1 && (args[0] == Py_None || args[0] == Py_False)) {
        return corm_py_derive(self, corm_select_with_part(node_of(self), part, NULL));
    }
    return append(self, part, args, count, role);
}

static PyObject *select_order_by(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append_or_clear(self, CORM_SELECT_ORDER_BY, args, count, CORM_PY_ROLE_ORDER_BY);
}

static PyObject *select_group_by(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append_or_clear(self, CORM_SELECT_GROUP_BY, args, count, CORM_PY_ROLE_GROUP_BY);
}

/* The node of a limit: a number, an expression, or None (*out NULL). 0, or -1 raised. */
static int limit_node(PyObject *object, corm_node **out) {
    *out = NULL;
    if (object == Py_None) {
        return 0;
    }
    corm_node *node = PyLong_CheckExact(object) ? NULL : corm_py_node_maybe(object);
    if (node == NULL && PyErr_Occurred() == NULL) {
        PyObject *number = PyNumber_Long(object);
        long long limit = number == NULL ? -1 : PyLong_AsLongLong(number);
        Py_XDECREF(number);
        if (limit == -1 && PyErr_Occurred() != NULL) {
            return -1;
        }
        corm_value value = corm_value_integer(limit);
        node = corm_bind_new(&value, NULL);
        if (node == NULL) {
            return corm_py_raise_int();
        }
    }
    *out = node;
    return node == NULL ? -1 : 0;
}

static PyObject *with_limit(PyObject *self, corm_select_part part, PyObject *limit) {
    corm_node *node;
    if (limit_node(limit, &node) < 0) {
        return NULL;
    }
    PyObject *result = corm_py_derive(self, corm_select_with_part(node_of(self), part, node));
    corm_node_unref(node);
    return result;
}

static PyObject *select_limit(PyObject *self, PyObject *limit) {
    return with_limit(self, CORM_SELECT_LIMIT, limit);
}

static PyObject *select_offset(PyObject *self, PyObject *offset) {
    return with_limit(self, CORM_SELECT_OFFSET, offset);
}

static PyObject *select_slice(PyObject *self, PyObject *args) {
    PyObject *start, *stop;
    if (!PyArg_ParseTuple(args, "OO:slice", &start, &stop)) {
        return NULL;
    }
    PyObject *length = stop == Py_None    ? Py_NewRef(Py_None)
                       : start == Py_None ? Py_NewRef(stop)
                                          : PyNumber_Subtract(stop, start);
    PyObject *limited = length == NULL ? NULL : with_limit(self, CORM_SELECT_LIMIT, length);
    Py_XDECREF(length);
    if (limited == NULL || start == Py_None) {
        return limited;
    }
    int from_beginning = PyLong_CheckExact(start) && PyLong_AsLong(start) == 0;
    PyObject *result = from_beginning ? Py_NewRef(limited) : with_limit(limited, CORM_SELECT_OFFSET, start);
    Py_DECREF(limited);
    return result;
}

CORM_PY_SIGNATURE(for_update_signature, "with_for_update", 0, 0, "nowait", "read", "of", "skip_locked", "key_share");

static PyObject *select_with_for_update(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    static const uint16_t bits[] = {CORM_SELECT_FOR_UPDATE_NOWAIT, CORM_SELECT_FOR_UPDATE_READ, 0,
                                    CORM_SELECT_FOR_UPDATE_SKIP, 0};
    PyObject *given[5];
    uint16_t set = CORM_SELECT_FOR_UPDATE;
    if (corm_py_unpack(&for_update_signature, args, count, names, given) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        int flag = bits[i] == 0 ? 0 : corm_py_flag(given[i], 0);
        if (flag < 0) {
            return NULL;
        }
        set = (uint16_t)(set | (flag ? bits[i] : 0));
    }
    return corm_py_derive(self, corm_select_with_detail(node_of(self), 0, set));
}

/* ---- the statement as something else ---- */

/* A SELECT of mapped classes as Core's, whose columns are known. A new reference or NULL raised. */
static corm_node *core_of(PyObject *self) {
    corm_node *node = node_of(self);
    corm_node *core = node->flags & CORM_NODE_HAS_EXTENSION ? corm_orm_to_core(node, false) : corm_node_ref(node);
    if (core == NULL) {
        corm_py_raise();
    }
    return core;
}

static PyObject *aliased(PyObject *self, PyObject *name, uint16_t detail) {
    const char *text;
    corm_node *core = corm_py_text_or_none(name, &text) < 0 ? NULL : core_of(self);
    PyObject *result = core == NULL ? NULL : corm_py_wrap(corm_alias_new(core, text, detail));
    corm_node_unref(core);
    return result;
}

CORM_PY_SIGNATURE(subquery_signature, "subquery", 1, 0, "name");
CORM_PY_SIGNATURE(alias_signature, "alias", 2, 0, "name", "flat");
CORM_PY_SIGNATURE(cte_signature, "cte", 3, 0, "name", "recursive", "nesting");

static PyObject *select_subquery(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[1];
    return corm_py_unpack(&subquery_signature, args, count, names, given) < 0 ? NULL : aliased(self, given[0], 0);
}

static PyObject *select_lateral(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[1];
    return corm_py_unpack(&subquery_signature, args, count, names, given) < 0
               ? NULL
               : aliased(self, given[0], CORM_ALIAS_LATERAL);
}

static PyObject *select_alias(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[2];
    return corm_py_unpack(&alias_signature, args, count, names, given) < 0 ? NULL : aliased(self, given[0], 0);
}

static PyObject *select_cte(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    int recursive;
    if (corm_py_unpack(&cte_signature, args, count, names, given) < 0 || (recursive = corm_py_flag(given[1], 0)) < 0) {
        return NULL;
    }
    return aliased(self, given[0], (uint16_t)(CORM_ALIAS_CTE | (recursive ? CORM_ALIAS_RECURSIVE : 0)));
}

static PyObject *select_scalar_subquery(PyObject *self, PyObject *unused) {
    (void)unused;
    return corm_py_wrap(corm_scalar_subquery(node_of(self)));
}

static PyObject *select_label(PyObject *self, PyObject *name) {
    const char *text;
    if (corm_py_text_or_none(name, &text) < 0) {
        return NULL;
    }
    corm_node *scalar = corm_scalar_subquery(node_of(self));
    PyObject *result = corm_py_wrap(scalar == NULL ? NULL : corm_label(scalar, text));
    corm_node_unref(scalar);
    return result;
}

static PyObject *select_exists(PyObject *self, PyObject *unused) {
    (void)unused;
    return corm_py_wrap(corm_exists(node_of(self)));
}

static PyObject *unite(corm_operator op, corm_node *first, PyObject *const *args, Py_ssize_t count) {
    corm_vector selects = {0};
    PyObject *result = NULL;
    if (first != NULL && corm_vector_push(&selects, corm_node_ref(first)) != CORM_OK) {
        corm_node_unref(first);
        return corm_py_raise();
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_SELECT, &selects) == 0) {
        result = corm_py_wrap(corm_compound_new(op, corm_py_items(&selects), selects.count));
    }
    corm_nodes_unref(&selects);
    return result;
}

#define COMPOUND(name, op)                                                                                             \
    static PyObject *select_##name(PyObject *self, PyObject *const *args, Py_ssize_t count) {                          \
        return unite(op, node_of(self), args, count);                                                                  \
    }                                                                                                                  \
    static PyObject *function_##name(PyObject *module, PyObject *const *args, Py_ssize_t count) {                      \
        (void)module;                                                                                                  \
        return unite(op, NULL, args, count);                                                                           \
    }
COMPOUND(union, CORM_OP_UNION)
COMPOUND(union_all, CORM_OP_UNION_ALL)
COMPOUND(intersect, CORM_OP_INTERSECT)
COMPOUND(intersect_all, CORM_OP_INTERSECT_ALL)
COMPOUND(except, CORM_OP_EXCEPT)
COMPOUND(except_all, CORM_OP_EXCEPT_ALL)

/* ---- looking ---- */

static PyObject *get_selected_columns(PyObject *self, void *closure) {
    CormPyStatement *statement = (CormPyStatement *)self;
    (void)closure;
    if (statement->collection == NULL) {
        corm_node *core = core_of(self);
        PyObject *made = core == NULL ? NULL : corm_py_collection_of(core);
        corm_node_unref(core);
        if (made == NULL) {
            return NULL;
        }
        Py_XSETREF(statement->collection, made);
    }
    return Py_NewRef(statement->collection);
}

static PyObject *conjunction(corm_node *list) {
    return corm_list_count(list) == 0
               ? Py_NewRef(Py_None)
               : corm_py_wrap(corm_and(((const corm_list *)(const void *)list)->items, corm_list_count(list)));
}

static PyObject *get_whereclause(PyObject *self, void *closure) {
    (void)closure;
    return conjunction(corm_select_part_of(node_of(self), CORM_SELECT_WHERE));
}

static PyObject *select_get_final_froms(PyObject *self, PyObject *unused) {
    (void)unused;
    return corm_py_froms(node_of(self));
}

static PyObject *get_froms(PyObject *self, void *closure) {
    (void)closure;
    return corm_py_froms(node_of(self));
}

static PyObject *get_label_style(PyObject *self, PyObject *unused) {
    (void)unused;
    PyObject *function = corm_py_import("cormorant.sql.selectable", "_label_style");
    PyObject *style =
        function == NULL ? NULL : PyObject_CallFunction(function, "i", (int)corm_select_style(node_of(self)));
    Py_XDECREF(function);
    return style;
}

static PyObject *select_set_label_style(PyObject *self, PyObject *style) {
    long number = PyLong_AsLong(style);
    if (number < 0 || number > CORM_LABEL_NONE) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a LABEL_STYLE_ constant is needed");
        }
        return NULL;
    }
    return corm_py_derive(self, corm_select_with_style(node_of(self), (corm_label_style)number));
}

static PyObject *class_of(const corm_mapper *mapper) {
    const corm_py_class *record = corm_py_class_of_mapper(mapper);
    return Py_NewRef(record == NULL || record->type == NULL ? Py_None : (PyObject *)record->type);
}

static PyObject *describe_entity(corm_entity *entity) {
    PyObject *cls = class_of(entity->mapper);
    PyObject *expression =
        corm_entity_is_aliased(entity) ? corm_py_wrap(corm_node_ref(&entity->node)) : Py_XNewRef(cls);
    PyObject *described = expression == NULL
                              ? NULL
                              : Py_BuildValue("{sssOsOsOsO}", "name", entity->name, "type", cls, "aliased",
                                              corm_entity_is_aliased(entity) ? Py_True : Py_False, "expr", expression,
                                              "entity", expression);
    Py_XDECREF(cls);
    Py_XDECREF(expression);
    return described;
}

static const char *name_in_rows(const corm_node *node) {
    const char *name = corm_node_result_name(node);
    return name == NULL ? corm_node_display_name(node) : name;
}

static PyObject *describe_column(corm_node *node, size_t same) {
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    const char *own = name_in_rows(node);
    PyObject *name = own == NULL ? Py_NewRef(Py_None)
                     : same == 0 ? PyUnicode_FromString(own)
                                 : PyUnicode_FromFormat("%s_%zu", own, same);
    PyObject *expression = corm_py_wrap(corm_node_ref(node));
    PyObject *type = corm_py_type_object(corm_node_type(node));
    PyObject *described =
        name == NULL || expression == NULL || type == NULL
            ? NULL
            : Py_BuildValue("{sOsOsOsO}", "name", name, "type", type, "aliased", Py_False, "expr", expression);
    Py_XDECREF(name);
    if (described != NULL && attribute != NULL) {
        corm_entity *entity = corm_attribute_node_entity(attribute);
        PyObject *cls = class_of(entity->mapper);
        if (PyDict_SetItemString(described, "entity", cls) < 0 ||
            PyDict_SetItemString(described, "aliased", corm_entity_is_aliased(entity) ? Py_True : Py_False) < 0) {
            Py_CLEAR(described);
        }
        Py_DECREF(cls);
    } else if (described != NULL && PyDict_DelItemString(described, "aliased") < 0) {
        Py_CLEAR(described);
    }
    Py_XDECREF(expression);
    Py_XDECREF(type);
    return described;
}

static PyObject *get_column_descriptions(PyObject *self, void *closure) {
    corm_node *columns = corm_select_part_of(node_of(self), CORM_SELECT_COLUMNS);
    PyObject *list = PyList_New(0);
    corm_vector nodes = {0};
    (void)closure;
    for (size_t i = 0; list != NULL && i < corm_list_count(columns); i++) {
        corm_node *node = corm_list_at(columns, i);
        if (corm_node_is_from(node) ? corm_from_columns(node, &nodes) != CORM_OK
                                    : corm_vector_push(&nodes, corm_node_ref(node)) != CORM_OK) {
            corm_py_raise();
            Py_CLEAR(list);
        }
    }
    for (size_t i = 0; list != NULL && i < nodes.count; i++) {
        corm_entity *entity = corm_node_as_entity(nodes.items[i]);
        const char *name = entity == NULL ? name_in_rows(nodes.items[i]) : NULL;
        size_t same = 0;
        for (size_t j = 0; name != NULL && j < i && corm_node_as_attribute(nodes.items[i]) == NULL; j++) {
            const char *other = corm_node_as_entity(nodes.items[j]) == NULL ? name_in_rows(nodes.items[j]) : NULL;
            same += other != NULL && strcmp(other, name) == 0;
        }
        PyObject *described = entity != NULL ? describe_entity(entity) : describe_column(nodes.items[i], same);
        if (described == NULL || PyList_Append(list, described) < 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(described);
    }
    corm_nodes_unref(&nodes);
    return list;
}

/* ---- SELECT alone ---- */

static PyObject *select_where(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_SELECT_WHERE, args, count, CORM_PY_ROLE_WHERE);
}

static PyObject *select_having(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_SELECT_HAVING, args, count, CORM_PY_ROLE_WHERE);
}

static PyObject *select_select_from(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_SELECT_FROM, args, count, CORM_PY_ROLE_FROM);
}

static PyObject *select_add_columns(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_SELECT_COLUMNS, args, count, CORM_PY_ROLE_COLUMNS);
}

static PyObject *select_add_cte(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    return append(self, CORM_SELECT_CTES, args, count, CORM_PY_ROLE_FROM);
}

/* The FROMs of what was selected stay, as if given to select_from(). */
static corm_node *keep_froms(corm_node *node) {
    PyObject *froms = corm_py_froms(node);
    corm_node *kept = froms == NULL ? NULL : corm_node_ref(node);
    for (Py_ssize_t i = 0; kept != NULL && i < PyList_GET_SIZE(froms); i++) {
        corm_node *from = corm_py_node(PyList_GET_ITEM(froms, i));
        corm_node *next = from == NULL ? NULL : corm_select_from(kept, from);
        corm_node_unref(from);
        corm_node_unref(kept);
        kept = next;
    }
    Py_XDECREF(froms);
    if (kept == NULL && !PyErr_Occurred()) {
        corm_py_raise();
    }
    return kept;
}

static PyObject *select_with_only_columns(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    corm_vector nodes = {0};
    int maintain = 0;
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), "maintain_column_froms") != 0) {
            PyErr_Format(PyExc_TypeError, "with_only_columns() got an unexpected keyword argument '%U'",
                         PyTuple_GET_ITEM(names, i));
            return NULL;
        }
        if ((maintain = PyObject_IsTrue(args[count + i])) < 0) {
            return NULL;
        }
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0) {
        return NULL;
    }
    corm_node *node = maintain ? keep_froms(node_of(self)) : corm_node_ref(node_of(self));
    PyObject *result = NULL;
    if (node != NULL) {
        result = corm_py_derive(self, corm_select_columns_are(node, corm_py_items(&nodes), nodes.count));
    }
    corm_node_unref(node);
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *select_distinct(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    corm_node *distinct = corm_select_distinct(node_of(self));
    corm_vector nodes = {0};
    if (distinct != NULL && count > 0) {
        if (corm_py_nodes_as(args, count, CORM_PY_ROLE_GROUP_BY, &nodes) < 0) {
            corm_node_unref(distinct);
            return NULL;
        }
        corm_node *on = corm_select_append(distinct, CORM_SELECT_DISTINCT_ON, corm_py_items(&nodes), nodes.count);
        corm_node_unref(distinct);
        corm_nodes_unref(&nodes);
        distinct = on;
    }
    return corm_py_derive(self, distinct);
}

static PyObject *select_prefix_with(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    corm_vector nodes = {0};
    (void)names;
    if (corm_py_text_nodes(args, count, &nodes) < 0) {
        return NULL;
    }
    PyObject *result = corm_py_derive(
        self, corm_select_append(node_of(self), CORM_SELECT_PREFIXES, corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *select_correlate(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count == 1 && (args[0] == Py_None || args[0] == Py_False)) {
        return corm_py_derive(self, corm_select_with_detail(node_of(self), 0, CORM_SELECT_NO_CORRELATE));
    }
    return append(self, CORM_SELECT_CORRELATE, args, count, CORM_PY_ROLE_FROM);
}

static PyObject *select_correlate_except(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    corm_vector nodes = {0};
    if (count == 1 && (args[0] == Py_None || args[0] == Py_False)) {
        count = 0;
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_FROM, &nodes) < 0) {
        return NULL;
    }
    corm_node *flagged = corm_select_with_detail(node_of(self), 0, CORM_SELECT_CORRELATE_EXCEPT);
    PyObject *result = corm_py_derive(
        self, flagged == NULL ? NULL
                              : corm_select_append(flagged, CORM_SELECT_CORRELATE, corm_py_items(&nodes), nodes.count));
    corm_node_unref(flagged);
    corm_nodes_unref(&nodes);
    return result;
}

/* ---- joins ---- */

static PyObject *join(PyObject *self, PyObject *left, PyObject *target, PyObject *onclause, int outer, int full) {
    corm_node *source = NULL, *on = NULL, *right = corm_py_node_as(target, CORM_PY_ROLE_JOIN);
    PyObject *result = NULL;
    if (right == NULL || (left != NULL && (source = corm_py_node_as(left, CORM_PY_ROLE_FROM)) == NULL) ||
        (onclause != NULL && onclause != Py_None && (on = corm_py_node_as(onclause, CORM_PY_ROLE_ON)) == NULL)) {
        goto done;
    }
    uint16_t detail = (uint16_t)((outer || full ? CORM_JOIN_OUTER : 0) | (full ? CORM_JOIN_FULL : 0));
    result = corm_py_derive(self, corm_select_join(node_of(self), source, right, on, detail));
done:
    corm_node_unref(source);
    corm_node_unref(right);
    corm_node_unref(on);
    return result;
}

CORM_PY_SIGNATURE(join_signature, "join", 2, 1, "target", "onclause", "isouter", "full");
CORM_PY_SIGNATURE(outerjoin_signature, "outerjoin", 2, 1, "target", "onclause", "full");
CORM_PY_SIGNATURE(join_from_signature, "join_from", 3, 2, "from_", "target", "onclause", "isouter", "full");
CORM_PY_SIGNATURE(outerjoin_from_signature, "outerjoin_from", 3, 2, "from_", "target", "onclause", "full");

static PyObject *select_join(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[4];
    int outer, full;
    if (corm_py_unpack(&join_signature, args, count, names, given) < 0 || (outer = corm_py_flag(given[2], 0)) < 0 ||
        (full = corm_py_flag(given[3], 0)) < 0) {
        return NULL;
    }
    return join(self, NULL, given[0], given[1], outer, full);
}

static PyObject *select_outerjoin(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[3];
    int full;
    if (corm_py_unpack(&outerjoin_signature, args, count, names, given) < 0 || (full = corm_py_flag(given[2], 0)) < 0) {
        return NULL;
    }
    return join(self, NULL, given[0], given[1], 1, full);
}

static PyObject *select_join_from(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[5];
    int outer, full;
    if (corm_py_unpack(&join_from_signature, args, count, names, given) < 0 ||
        (outer = corm_py_flag(given[3], 0)) < 0 || (full = corm_py_flag(given[4], 0)) < 0) {
        return NULL;
    }
    return join(self, given[0], given[1], given[2], outer, full);
}

static PyObject *select_outerjoin_from(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    PyObject *given[4];
    int full;
    if (corm_py_unpack(&outerjoin_from_signature, args, count, names, given) < 0 ||
        (full = corm_py_flag(given[3], 0)) < 0) {
        return NULL;
    }
    return join(self, given[0], given[1], given[2], 1, full);
}

/* ---- from_statement() ---- */

/* Append the columns of the mapped classes and attributes that are selected, once each. */
static corm_status wanted_columns(const corm_node *columns, corm_vector *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(columns) && status == CORM_OK; i++) {
        corm_entity *entity = corm_node_as_entity(corm_list_at(columns, i));
        corm_attribute_node *attribute = corm_node_as_attribute(corm_list_at(columns, i));
        if (attribute != NULL && attribute->attribute->column != NULL) {
            status = corm_vector_push(out, corm_column_node(attribute->attribute->column));
        }
        for (size_t j = 0; entity != NULL && j < entity->mapper->attribute_count && status == CORM_OK; j++) {
            corm_column *column = entity->mapper->attributes[j]->column;
            if (column != NULL && !corm_vector_contains(out, corm_column_node(column))) {
                status = corm_vector_push(out, corm_column_node(column));
            }
        }
    }
    return status;
}

/* The statement as a FROM: its columns are those that are wanted, by name. A new reference or NULL raised. */
static corm_node *as_from(const corm_node *columns, corm_node *statement) {
    corm_vector wanted = {0};
    corm_node *core = NULL, *from = NULL;
    if (statement->kind == CORM_NODE_TEXT) {
        bool declared = ((const corm_text_node *)(const void *)statement)->column_count > 0;
        if (declared) {
            core = corm_node_ref(statement);
        } else if (wanted_columns(columns, &wanted) == CORM_OK) {
            core = corm_text_with_columns(statement, corm_py_items(&wanted), wanted.count);
        }
    } else if (corm_node_is_select(statement)) {
        core = corm_orm_to_core(statement, false);
    } else {
        corm_error_set(CORM_ARGUMENT_ERROR, "from_statement() takes a text or a SELECT");
    }
    corm_vector_clear(&wanted);
    from = core == NULL ? NULL : corm_alias_new(core, NULL, 0);
    corm_node_unref(core);
    if (from == NULL) {
        corm_py_raise();
    }
    return from;
}

/* The same class or attribute, read from another FROM. */
static corm_node *read_from(corm_node *node, corm_node *from) {
    corm_entity *entity = corm_node_as_entity(node);
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (entity == NULL && attribute != NULL) {
        entity = corm_attribute_node_entity(attribute);
    }
    if (entity == NULL) {
        return corm_from_corresponding(from, node);
    }
    corm_node *moved = corm_entity_aliased_from(entity->mapper, from, entity->name);
    if (attribute != NULL && moved != NULL) {
        corm_node *read = corm_attribute_node_new(moved, attribute->attribute);
        corm_node_unref(moved);
        moved = read;
    }
    return moved;
}

static PyObject *select_from_statement(PyObject *self, PyObject *statement) {
    corm_node *node = node_of(self), *columns = corm_select_part_of(node, CORM_SELECT_COLUMNS);
    corm_vector moved = {0};
    PyObject *result = NULL;
    corm_node *given = corm_py_node_as(statement, CORM_PY_ROLE_SELECT);
    corm_node *from = given == NULL ? NULL : as_from(columns, given);
    corm_node_unref(given);
    if (from == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        corm_node *read = read_from(corm_list_at(columns, i), from);
        if (read == NULL || corm_vector_push(&moved, read) != CORM_OK) {
            corm_node_unref(read);
            corm_py_raise();
            goto done;
        }
    }
    corm_node *fresh = corm_select_new(corm_py_items(&moved), moved.count);
    corm_node *options = corm_select_part_of(node, CORM_SELECT_OPTIONS);
    result = corm_py_derive(self, fresh == NULL ? NULL : corm_select_with_part(fresh, CORM_SELECT_OPTIONS, options));
    corm_node_unref(fresh);
done:
    corm_nodes_unref(&moved);
    corm_node_unref(from);
    return result;
}

/* ---- making ---- */

static corm_node *new_select(PyObject *const *args, Py_ssize_t count) {
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0) {
        return NULL;
    }
    corm_node *node = corm_select_new(corm_py_items(&nodes), nodes.count);
    for (size_t i = 0; i < nodes.count && node != NULL; i++) {
        corm_node *join = nodes.items[i];
        if (join->kind == CORM_NODE_JOIN) { /* all columns of a join, from the join */
            corm_node *from = corm_select_from(node, join);
            corm_node_unref(node);
            node = from;
        }
    }
    corm_nodes_unref(&nodes);
    if (node == NULL) {
        corm_py_raise();
    }
    return node;
}

static PyObject *function_select(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    (void)module;
    corm_node *node = new_select(args, count);
    return node == NULL ? NULL : corm_py_wrap(node);
}

static PyObject *select_new(PyTypeObject *cls, PyObject *args, PyObject *kwargs) {
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs) > 0) {
        PyErr_SetString(PyExc_TypeError, "select() takes no keyword arguments");
        return NULL;
    }
    corm_node *node = new_select(((PyTupleObject *)args)->ob_item, PyTuple_GET_SIZE(args));
    return node == NULL ? NULL : corm_py_wrap_as(node, cls);
}

#define MANY(name, function, doc)                                                                                      \
    { name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, name "(*clauses)\n--\n\n" doc }
#define NONE(name, function, doc)                                                                                      \
    { name, function, METH_NOARGS, name "()\n--\n\n" doc }

static PyMethodDef base_methods[] = {
    MANY("order_by", select_order_by, "Add to ORDER BY: expressions and names; None takes it away."),
    MANY("group_by", select_group_by, "Add to GROUP BY: expressions and names; None takes it away."),
    {"limit", select_limit, METH_O, "limit(limit)\n--\n\nAt most so many rows; None: all."},
    {"offset", select_offset, METH_O, "offset(offset)\n--\n\nLeave out so many rows."},
    {"slice", select_slice, METH_VARARGS, "slice(start, stop)\n--\n\nThe rows from start to stop, without stop."},
    {"with_for_update", CORM_PY_FAST(select_with_for_update),
     "with_for_update(*, nowait=False, read=False, of=None, skip_locked=False, key_share=False)\n--\n\nFOR UPDATE, "
     "where the "
     "database has it."},
    {"subquery", CORM_PY_FAST(select_subquery), "subquery(name=None)\n--\n\nThe statement as a FROM."},
    {"alias", CORM_PY_FAST(select_alias), "alias(name=None, flat=False)\n--\n\nThe statement as a FROM."},
    {"lateral", CORM_PY_FAST(select_lateral), "lateral(name=None)\n--\n\nThe statement as a LATERAL FROM."},
    {"cte", CORM_PY_FAST(select_cte),
     "cte(name=None, recursive=False, nesting=False)\n--\n\nThe statement as a common table expression."},
    NONE("scalar_subquery", select_scalar_subquery, "The statement as a value."),
    NONE("as_scalar", select_scalar_subquery, "The statement as a value."),
    NONE("exists", select_exists, "EXISTS of the statement."),
    {"label", select_label, METH_O, "label(name)\n--\n\nThe statement as a value with a name."},
    MANY("union", select_union, "UNION with others."),
    MANY("union_all", select_union_all, "UNION ALL with others."),
    MANY("intersect", select_intersect, "INTERSECT with others."),
    MANY("intersect_all", select_intersect_all, "INTERSECT ALL with others."),
    MANY("except_", select_except, "EXCEPT others."),
    MANY("except_all", select_except_all, "EXCEPT ALL others."),
    MANY("add_cte", select_add_cte, "Put common table expressions before the statement."),
    {"set_label_style", select_set_label_style, METH_O, "set_label_style(style)\n--\n\nHow result columns are called."},
    {"get_label_style", get_label_style, METH_NOARGS, "get_label_style()\n--\n\nHow result columns are called."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef base_getset[] = {{"selected_columns", get_selected_columns, NULL, "The columns of its rows.", NULL},
                                    {"exported_columns", get_selected_columns, NULL, "The columns of its rows.", NULL},
                                    {"c", get_selected_columns, NULL, "The columns of its rows.", NULL},
                                    {"columns", get_selected_columns, NULL, "The columns of its rows.", NULL},
                                    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot base_slots[] = {{Py_tp_doc, "SELECT and compound selects."},
                                   {Py_tp_dealloc, corm_py_element_dealloc},
                                   {Py_tp_methods, base_methods},
                                   {Py_tp_getset, base_getset},
                                   {0, NULL}};
static PyType_Spec base_spec = {.name = "cormorant.sql.selectable.SelectBase",
                                .basicsize = sizeof(CormPyStatement),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                .slots = base_slots};

static PyMethodDef select_methods[] = {
    MANY("where", select_where, "Add conditions, all of which hold."),
    MANY("filter", select_where, "Add conditions, all of which hold."),
    MANY("having", select_having, "Add conditions on groups."),
    MANY("select_from", select_select_from, "Add FROMs."),
    MANY("add_columns", select_add_columns, "Select more."),
    {"with_only_columns", CORM_PY_FAST(select_with_only_columns),
     "with_only_columns(*entities, maintain_column_froms=False)\n--\n\nSelect these instead."},
    MANY("distinct", select_distinct, "DISTINCT."),
    {"prefix_with", CORM_PY_FAST(select_prefix_with), "prefix_with(*prefixes)\n--\n\nText after SELECT."},
    MANY("correlate", select_correlate, "Leave these FROMs to the enclosing statement; None: none."),
    MANY("correlate_except", select_correlate_except, "Leave all FROMs but these to the enclosing statement."),
    {"join", CORM_PY_FAST(select_join), "join(target, onclause=None, *, isouter=False, full=False)\n--\n\nJoin."},
    {"outerjoin", CORM_PY_FAST(select_outerjoin),
     "outerjoin(target, onclause=None, *, full=False)\n--\n\nLeft outer join."},
    {"join_from", CORM_PY_FAST(select_join_from),
     "join_from(from_, target, onclause=None, *, isouter=False, full=False)\n--\n\nJoin, from a FROM that is named."},
    {"outerjoin_from", CORM_PY_FAST(select_outerjoin_from),
     "outerjoin_from(from_, target, onclause=None, *, full=False)\n--\n\nLeft outer join, from a FROM that is named."},
    {"from_statement", select_from_statement, METH_O,
     "from_statement(statement)\n--\n\nRead the same from the rows of a text or another statement."},
    NONE("get_final_froms", select_get_final_froms, "The FROMs that the statement names."),
    {NULL, NULL, 0, NULL}, /* filter_by */
    {NULL, NULL, 0, NULL}};
static PyGetSetDef select_getset[] = {
    {"whereclause", get_whereclause, NULL, "The conditions as one, or None.", NULL},
    {"froms", get_froms, NULL, "The FROMs that the statement names.", NULL},
    {"column_descriptions", get_column_descriptions, NULL, "What is selected: a list of dictionaries.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot select_slots[] = {
    {Py_tp_doc, "A SELECT."},        {Py_tp_new, select_new},       {Py_tp_dealloc, corm_py_element_dealloc},
    {Py_tp_methods, select_methods}, {Py_tp_getset, select_getset}, {0, NULL}};
static PyType_Spec select_spec = {.name = "cormorant.sql.selectable.Select",
                                  .basicsize = sizeof(CormPyStatement),
                                  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                  .slots = select_slots};
static PyType_Slot compound_slots[] = {
    {Py_tp_doc, "UNION, INTERSECT or EXCEPT of SELECTs."}, {Py_tp_dealloc, corm_py_element_dealloc}, {0, NULL}};
static PyType_Spec compound_spec = {.name = "cormorant.sql.selectable.CompoundSelect",
                                    .basicsize = sizeof(CormPyStatement),
                                    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                                    .slots = compound_slots};

static PyMethodDef functions[] = {
    MANY("select", function_select, "SELECT columns, tables, mapped classes and their attributes."),
    MANY("union", function_union, "UNION."),
    MANY("union_all", function_union_all, "UNION ALL."),
    MANY("intersect", function_intersect, "INTERSECT."),
    MANY("intersect_all", function_intersect_all, "INTERSECT ALL."),
    MANY("except_", function_except, "EXCEPT."),
    MANY("except_all", function_except_all, "EXCEPT ALL."),
    {NULL, NULL, 0, NULL}};

int corm_py_select_init(PyObject *module) {
    for (size_t i = 0; i < sizeof select_methods / sizeof *select_methods; i++) {
        if (select_methods[i].ml_name == NULL) {
            select_methods[i] = corm_py_filter_by_method;
            break;
        }
    }
    base_type = corm_py_type(module, &base_spec, CormPyStatement_Type);
    select_type = base_type == NULL ? NULL : corm_py_type(module, &select_spec, base_type);
    compound_type = select_type == NULL ? NULL : corm_py_type(module, &compound_spec, base_type);
    if (compound_type == NULL) {
        return -1;
    }
    corm_py_view_classes[CORM_NODE_SELECT] = select_type;
    corm_py_view_classes[CORM_NODE_COMPOUND] = compound_type;
    return PyModule_AddFunctions(module, functions);
}
