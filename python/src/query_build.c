/*
 * Query's methods that give another query. See query.h.
 */
#include "query.h"

#include "sql/walk.h"

/* ---- what may still be said ---- */

static bool is_limited(const CormPyQuery *self) {
    return corm_py_query_part(self, CORM_SELECT_LIMIT) != NULL || corm_py_query_part(self, CORM_SELECT_OFFSET) != NULL;
}

static int refuse_statement(const CormPyQuery *self, const char *method) {
    if (self->statement != NULL && !self->no_assertions) {
        corm_py_raise_exc("InvalidRequestError",
                          "Query.%s() being called on a Query with an existing full statement - can't apply criterion.",
                          method);
        return -1;
    }
    return 0;
}

/* Ready, without a limit and without a statement given as a whole. */
static int check_open(PyObject *query, const char *method) {
    const CormPyQuery *self = corm_py_as_query(query);
    if (corm_py_query_ready(query) < 0 || refuse_statement(self, method) < 0) {
        return -1;
    }
    if (is_limited(self) && !self->no_assertions) {
        corm_py_raise_exc(
            "InvalidRequestError",
            "Query.%s() being called on a Query which already has LIMIT or OFFSET applied.  Call %s() before "
            "limit() or offset() are applied.",
            method, method);
        return -1;
    }
    return 0;
}

/* Without anything that select_from() would have to come before. */
static int check_unbuilt(PyObject *query, const char *method) {
    static const corm_select_part parts[] = {CORM_SELECT_WHERE,  CORM_SELECT_JOINS,    CORM_SELECT_LIMIT,
                                             CORM_SELECT_OFFSET, CORM_SELECT_GROUP_BY, CORM_SELECT_ORDER_BY};
    const CormPyQuery *self = corm_py_as_query(query);
    if (corm_py_query_ready(query) < 0) {
        return -1;
    }
    bool built = self->statement != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        built = built || corm_py_query_part(self, parts[i]) != NULL;
    }
    if (built && !self->no_assertions) {
        corm_py_raise_exc("InvalidRequestError", "Query.%s() being called on a Query with existing criterion. ",
                          method);
        return -1;
    }
    return 0;
}

/* ---- criteria ---- */

/* Columns of tables are those of the union that the query selects from. */
static corm_status to_adapted(void *context, corm_node *node, corm_node **out) {
    corm_node *from = context;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_column *column = corm_node_as_column(node);
    *out = NULL;
    if (attribute != NULL && !corm_entity_is_aliased(corm_attribute_node_entity(attribute))) {
        column = attribute->attribute->column;
    }
    if (column == NULL) {
        return CORM_OK;
    }
    *out = corm_from_corresponding(from, corm_column_node(column));
    return *out == NULL && corm_error_last()->status == CORM_NO_MEMORY ? CORM_NO_MEMORY : CORM_OK;
}

/* Replace nodes by what they are in the query. */
static int adapt_all(const CormPyQuery *self, corm_vector *nodes) {
    corm_error_clear();
    for (size_t i = 0; self->adapt != NULL && i < nodes->count; i++) {
        corm_node *adapted = corm_node_replace(nodes->items[i], to_adapted, self->adapt);
        if (adapted == NULL) {
            return corm_py_raise_int();
        }
        corm_node_unref(nodes->items[i]);
        nodes->items[i] = adapted;
    }
    return 0;
}

static PyObject *append(PyObject *query, corm_select_part part, PyObject *const *args, Py_ssize_t count,
                        corm_py_role role) {
    CormPyQuery *self = corm_py_as_query(query);
    corm_vector nodes = {0};
    if (corm_py_nodes_as(args, count, role, &nodes) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (adapt_all(self, &nodes) == 0) {
        result = nodes.count == 0 ? (PyObject *)corm_py_query_copy(query)
                                  : corm_py_query_derive(query, corm_select_append(self->select, part,
                                                                                   corm_py_items(&nodes), nodes.count));
    }
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *query_filter(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    return check_open(query, "filter") < 0 ? NULL : append(query, CORM_SELECT_WHERE, args, count, CORM_PY_ROLE_WHERE);
}

static PyObject *query_having(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    return check_open(query, "having") < 0 ? NULL : append(query, CORM_SELECT_HAVING, args, count, CORM_PY_ROLE_WHERE);
}

/* Where filter_by() looks for names: borrowed, or NULL when nothing is selected. */
static corm_node *filter_target(const CormPyQuery *self) {
    corm_node *from = corm_py_query_part(self, CORM_SELECT_FROM),
              *columns = corm_py_query_part(self, CORM_SELECT_COLUMNS);
    if (self->target != NULL) {
        return self->target;
    }
    if (corm_list_count(from) > 0 && self->adapt == NULL) {
        return corm_list_at(from, 0);
    }
    corm_node *first = corm_list_count(columns) == 0 ? NULL : corm_list_at(columns, 0);
    corm_attribute_node *attribute = corm_node_as_attribute(first);
    corm_column *column = first == NULL ? NULL : corm_node_as_column(first);
    return attribute != NULL ? attribute->children[0] : column != NULL ? corm_table_node(column->table) : first;
}

static PyObject *query_filter_by(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CormPyQuery *self = corm_py_as_query(query);
    if (count > 0) {
        PyErr_Format(PyExc_TypeError, "Query.filter_by() takes 1 positional argument but %zd were given", count + 1);
        return NULL;
    }
    if (check_open(query, "filter") < 0) {
        return NULL;
    }
    corm_node *target = filter_target(self);
    corm_vector nodes = {0};
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++) {
        if (target == NULL) {
            corm_py_raise_exc("InvalidRequestError", "Query has no entity for filter_by()");
            goto done;
        }
        corm_node *node = corm_py_equality(target, PyTuple_GET_ITEM(names, i), args[i]);
        if (node == NULL) {
            goto done;
        }
        if (corm_vector_push(&nodes, node) != CORM_OK) {
            corm_node_unref(node);
            corm_py_raise();
            goto done;
        }
    }
    if (adapt_all(self, &nodes) < 0) {
        goto done;
    }
    result = nodes.count == 0 ? (PyObject *)corm_py_query_copy(query)
                              : corm_py_query_derive(query, corm_select_append(self->select, CORM_SELECT_WHERE,
                                                                               corm_py_items(&nodes), nodes.count));
done:
    corm_nodes_unref(&nodes);
    return result;
}

/* ---- order, groups, limits ---- */

/* A single None or False takes away what is there. */
static PyObject *append_or_clear(PyObject *query, corm_select_part part, PyObject *const *args, Py_ssize_t count,
                                 corm_py_role role, const char *method) {
    CormPyQuery *self = corm_py_as_query(query);
    if (check_open(query, method) < 0) {
        return NULL;
    }
    if (count == 1 && (args[0] == Py_None || args[0] == Py_False)) {
        return corm_py_query_derive(query, corm_select_with_part(self->select, part, NULL));
    }
    return append(query, part, args, count, role);
}

static PyObject *query_order_by(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    return append_or_clear(query, CORM_SELECT_ORDER_BY, args, count, CORM_PY_ROLE_ORDER_BY, "order_by");
}

static PyObject *query_group_by(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    return append_or_clear(query, CORM_SELECT_GROUP_BY, args, count, CORM_PY_ROLE_GROUP_BY, "group_by");
}

/* A number, an expression, or None, for which *out is NULL. */
static int limit_node(PyObject *given, corm_node **out) {
    *out = NULL;
    if (given == Py_None) {
        return 0;
    }
    if (corm_py_is_element(given)) {
        *out = corm_py_node(given);
        return *out == NULL ? -1 : 0;
    }
    PyObject *number = PyNumber_Long(given);
    long long value = number == NULL ? -1 : PyLong_AsLongLong(number);
    Py_XDECREF(number);
    if (value == -1 && PyErr_Occurred() != NULL) {
        return -1;
    }
    corm_value bound = corm_value_integer(value);
    *out = corm_bind_new(&bound, corm_type_of_kind(CORM_TYPE_INTEGER));
    return *out == NULL ? corm_py_raise_int() : 0;
}

static PyObject *with_limit(PyObject *query, corm_select_part part, PyObject *given, const char *method) {
    corm_node *node;
    if (corm_py_query_ready(query) < 0 || refuse_statement(corm_py_as_query(query), method) < 0 ||
        limit_node(given, &node) < 0) {
        return NULL;
    }
    PyObject *result = corm_py_query_derive(query, corm_select_with_part(corm_py_as_query(query)->select, part, node));
    corm_node_unref(node);
    return result;
}

static PyObject *query_limit(PyObject *query, PyObject *limit) {
    return with_limit(query, CORM_SELECT_LIMIT, limit, "limit");
}

static PyObject *query_offset(PyObject *query, PyObject *offset) {
    return with_limit(query, CORM_SELECT_OFFSET, offset, "offset");
}

/* The offset that the query has, as a number: None when there is none, NULL raised for another expression. */
static PyObject *present_offset(const CormPyQuery *self) {
    const corm_node *node = corm_py_query_part(self, CORM_SELECT_OFFSET);
    if (node == NULL) {
        return PyLong_FromLong(0);
    }
    if (node->kind != CORM_NODE_BIND || corm_node_bind(node)->value.kind != CORM_KIND_INTEGER) {
        return corm_py_raise_exc("CompileError", "slices of a query need an offset that is a number");
    }
    return PyLong_FromLongLong(corm_node_bind(node)->value.as.integer);
}

PyObject *corm_py_query_slice(PyObject *query, PyObject *start, PyObject *stop) {
    CormPyQuery *self = corm_py_as_query(query);
    PyObject *length = NULL, *present = NULL, *offset = NULL, *limited = NULL, *result = NULL;
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    if (stop == Py_None) {
        limited = Py_NewRef(query);
    } else {
        length = start == Py_None ? Py_NewRef(stop) : PyNumber_Subtract(stop, start);
        limited = length == NULL ? NULL : with_limit(query, CORM_SELECT_LIMIT, length, "slice");
    }
    if (limited == NULL || start == Py_None) {
        Py_XDECREF(length);
        return limited;
    }
    present = present_offset(self);
    offset = present == NULL ? NULL : PyNumber_Add(present, start);
    if (offset != NULL && PyLong_CheckExact(offset) && Py_SIZE(offset) == 0) {
        result = corm_py_query_derive(
            limited, corm_select_with_part(corm_py_as_query(limited)->select, CORM_SELECT_OFFSET, NULL));
    } else if (offset != NULL) {
        result = with_limit(limited, CORM_SELECT_OFFSET, offset, "slice");
    }
    Py_XDECREF(length);
    Py_XDECREF(present);
    Py_XDECREF(offset);
    Py_DECREF(limited);
    return result;
}

static PyObject *query_slice(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.slice", 2, 2, "start", "stop");
    PyObject *given[2];
    return corm_py_unpack(&signature, args, count, names, given) < 0 ? NULL
                                                                     : corm_py_query_slice(query, given[0], given[1]);
}

/* ---- what is selected, and from where ---- */

/* Options of entities that are not selected any more are of no use. Consumes select. */
static corm_node *with_fitting_options(corm_node *select) {
    corm_node *options = select == NULL ? NULL : corm_select_part_of(select, CORM_SELECT_OPTIONS);
    corm_node *columns = select == NULL ? NULL : corm_select_part_of(select, CORM_SELECT_COLUMNS);
    corm_vector kept = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(options) && status == CORM_OK; i++) {
        const corm_load_option *option = corm_node_as_load_option(corm_list_at(options, i));
        bool fits = option == NULL || option->path.count == 0;
        for (size_t n = 0; n < corm_list_count(columns) && !fits; n++) {
            const corm_entity *entity = corm_node_as_entity(corm_list_at(columns, n));
            fits = entity != NULL && entity->mapper == corm_node_as_attribute(option->path.items[0])->attribute->mapper;
        }
        if (fits) {
            status = corm_vector_push(&kept, corm_list_at(options, i));
        }
    }
    corm_node *result = NULL;
    if (status == CORM_OK && select != NULL && kept.count == corm_list_count(options)) {
        result = corm_node_ref(select);
    } else if (status == CORM_OK && select != NULL) {
        corm_node *list = kept.count == 0 ? NULL : corm_list_new(CORM_OP_COMMA, corm_py_items(&kept), kept.count);
        result = kept.count > 0 && list == NULL ? NULL : corm_select_with_part(select, CORM_SELECT_OPTIONS, list);
        corm_node_unref(list);
    }
    corm_vector_clear(&kept);
    corm_node_unref(select);
    return result;
}

static PyObject *query_with_entities(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    CormPyQuery *self = corm_py_query_copy(query);
    corm_vector nodes = {0};
    if (self == NULL) {
        return NULL;
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0 || adapt_all(self, &nodes) < 0 ||
        corm_py_query_set(self, with_fitting_options(
                                    corm_select_columns_are(self->select, corm_py_items(&nodes), nodes.count))) < 0) {
        Py_CLEAR(self);
    }
    corm_nodes_unref(&nodes);
    return (PyObject *)self;
}

static PyObject *query_add_columns(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    CormPyQuery *self = corm_py_query_copy(query);
    corm_vector nodes = {0};
    if (self == NULL) {
        return NULL;
    }
    if (corm_py_nodes_as(args, count, CORM_PY_ROLE_COLUMNS, &nodes) < 0 || adapt_all(self, &nodes) < 0 ||
        corm_py_query_set(
            self, corm_select_append(self->select, CORM_SELECT_COLUMNS, corm_py_items(&nodes), nodes.count)) < 0) {
        Py_CLEAR(self);
    }
    corm_nodes_unref(&nodes);
    return (PyObject *)self;
}

static PyObject *query_add_entity(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    if (count != 1) {
        PyErr_Format(PyExc_TypeError, "Query.add_entity() takes 2 positional arguments but %zd were given", count + 1);
        return NULL;
    }
    return query_add_columns(query, args, 1);
}

static PyObject *query_select_from(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    return check_unbuilt(query, "select_from") < 0 ? NULL
                                                   : append(query, CORM_SELECT_FROM, args, count, CORM_PY_ROLE_FROM);
}

static PyObject *query_distinct(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    CormPyQuery *self = corm_py_as_query(query);
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    PyObject *distinct = corm_py_query_derive(query, corm_select_distinct(self->select));
    if (distinct == NULL || count == 0) {
        return distinct;
    }
    PyObject *on = append(distinct, CORM_SELECT_DISTINCT_ON, args, count, CORM_PY_ROLE_GROUP_BY);
    Py_DECREF(distinct);
    return on;
}

static PyObject *query_correlate(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    if (count == 1 && (args[0] == Py_None || args[0] == Py_False)) {
        return corm_py_query_derive(
            query, corm_select_with_detail(corm_py_as_query(query)->select, 0, CORM_SELECT_NO_CORRELATE));
    }
    return append(query, CORM_SELECT_CORRELATE, args, count, CORM_PY_ROLE_FROM);
}

static PyObject *query_prefix_with(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    (void)names;
    corm_vector nodes = {0};
    if (corm_py_query_ready(query) < 0 || corm_py_text_nodes(args, count, &nodes) < 0) {
        return NULL;
    }
    PyObject *result =
        corm_py_query_derive(query, corm_select_append(corm_py_as_query(query)->select, CORM_SELECT_PREFIXES,
                                                       corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *query_with_for_update(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.with_for_update", 0, 0, "nowait", "read", "of", "skip_locked", "key_share");
    static const uint16_t bits[] = {CORM_SELECT_FOR_UPDATE_NOWAIT, CORM_SELECT_FOR_UPDATE_READ, 0,
                                    CORM_SELECT_FOR_UPDATE_SKIP, 0};
    PyObject *given[5];
    uint16_t set = CORM_SELECT_FOR_UPDATE;
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || corm_py_query_ready(query) < 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        int flag = bits[i] == 0 ? 0 : corm_py_flag(given[i], 0);
        if (flag < 0) {
            return NULL;
        }
        set = (uint16_t)(set | (flag ? bits[i] : 0));
    }
    return corm_py_query_derive(query, corm_select_with_detail(corm_py_as_query(query)->select, 0, set));
}

/* ---- joins ---- */

/* What filter_by() means after a join to this: a new reference, NULL raised. */
static corm_node *joined_target(corm_node *right) {
    corm_attribute_node *along = corm_node_as_attribute(right);
    if (along == NULL) {
        return corm_node_ref(right);
    }
    corm_entity *given = corm_attribute_node_target(along);
    if (along->attribute->relationship == NULL) {
        corm_py_raise_exc("ArgumentError", "Join target %s.%s does not refer to a mapped entity",
                          along->attribute->mapper->name, along->attribute->key);
        return NULL;
    }
    if (given != NULL) {
        return corm_node_ref(&given->node);
    }
    corm_node *entity = NULL;
    if (corm_mapper_configure(along->attribute->mapper) == CORM_OK) {
        entity = corm_py_class_entity(corm_py_class_of_mapper(along->attribute->relationship->target));
    } else {
        corm_py_raise();
    }
    return entity;
}

static PyObject *join(PyObject *query, PyObject *target, PyObject *onclause, bool outer, bool full) {
    corm_node *right, *on = NULL, *joined = NULL, *select = NULL;
    CormPyQuery *self = NULL;
    if (check_open(query, "join") < 0 || (right = corm_py_node_as(target, CORM_PY_ROLE_JOIN)) == NULL) {
        return NULL;
    }
    if (onclause != NULL && onclause != Py_None && (on = corm_py_node_as(onclause, CORM_PY_ROLE_ON)) == NULL) {
        goto done;
    }
    joined = joined_target(right);
    self = joined == NULL ? NULL : corm_py_query_copy(query);
    if (self == NULL) {
        goto done;
    }
    uint16_t detail = (uint16_t)((outer || full ? CORM_JOIN_OUTER : 0) | (full ? CORM_JOIN_FULL : 0));
    select = corm_select_join(self->select, NULL, right, on, detail);
    if (select == NULL) {
        corm_py_raise();
        Py_CLEAR(self);
        goto done;
    }
    corm_node_unref(self->select);
    self->select = select;
    corm_node_unref(self->target);
    self->target = corm_node_ref(joined);
done:
    corm_node_unref(right);
    corm_node_unref(on);
    corm_node_unref(joined);
    return (PyObject *)self;
}

static PyObject *query_join(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.join", 2, 1, "target", "onclause", "isouter", "full");
    PyObject *given[4];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int outer = corm_py_flag(given[2], 0), full = corm_py_flag(given[3], 0);
    return outer < 0 || full < 0 ? NULL : join(query, given[0], given[1], outer != 0, full != 0);
}

static PyObject *query_outerjoin(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.outerjoin", 2, 1, "target", "onclause", "full");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int full = corm_py_flag(given[2], 0);
    return full < 0 ? NULL : join(query, given[0], given[1], true, full != 0);
}

static PyObject *query_reset_joinpoint(PyObject *query, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_query_copy(query);
    if (self != NULL) {
        corm_node_unref(self->target);
        self->target = NULL;
    }
    return (PyObject *)self;
}

/* ---- with_parent() ---- */

/* The one relationship of the object's class whose objects the query selects. */
static corm_attribute *find_relationship(const corm_mapper *mapper, const corm_mapper *target) {
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (attribute->relationship != NULL && attribute->relationship->target == target) {
            return attribute;
        }
    }
    return NULL;
}

static PyObject *query_with_parent(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.with_parent", 3, 1, "instance", "property", "from_entity");
    PyObject *given[3];
    if (corm_py_unpack(&signature, args, count, names, given) < 0 || check_open(query, "filter") < 0) {
        return NULL;
    }
    corm_state *state = corm_py_state_required(given[0]);
    if (state == NULL) {
        return NULL;
    }
    if (corm_mapper_configure(state->mapper) != CORM_OK) {
        return corm_py_raise();
    }
    corm_attribute *attribute = NULL;
    corm_entity *entity = corm_node_as_entity(filter_target(corm_py_as_query(query)));
    if (given[1] != NULL && given[1] != Py_None) {
        corm_attribute_node *node =
            corm_py_is_element(given[1]) ? corm_node_as_attribute(corm_py_node_of(given[1])) : NULL;
        if (node == NULL) {
            return corm_py_raise_exc("ArgumentError", "Expected relationship property for with_parent(), got %R",
                                     given[1]);
        }
        attribute = node->attribute;
    } else if (entity != NULL) {
        attribute = find_relationship(state->mapper, entity->mapper);
    }
    if (attribute == NULL) {
        return corm_py_raise_exc(
            "InvalidRequestError",
            "Could not locate a property which relates instances of class '%s' to instances of class '%s'",
            entity == NULL ? "" : entity->mapper->name, state->mapper->name);
    }
    corm_node *criterion = corm_relationship_of_parent(state, attribute);
    PyObject *result = NULL;
    if (criterion == NULL) {
        corm_py_raise();
    } else {
        result = corm_py_query_derive(query, corm_select_where(corm_py_as_query(query)->select, criterion));
    }
    corm_node_unref(criterion);
    return result;
}

/* ---- options ---- */

static PyObject *query_options(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    corm_vector nodes = {0};
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        int known = corm_py_option_nodes(args[i], &nodes);
        if (known <= 0) {
            if (known == 0) {
                corm_py_raise_exc("ArgumentError", "ExecutionOption Core or ORM object expected, got %R.", args[i]);
            }
            corm_nodes_unref(&nodes);
            return NULL;
        }
    }
    PyObject *result =
        nodes.count == 0
            ? (PyObject *)corm_py_query_copy(query)
            : corm_py_query_derive(query, corm_select_append(corm_py_as_query(query)->select, CORM_SELECT_OPTIONS,
                                                             corm_py_items(&nodes), nodes.count));
    corm_nodes_unref(&nodes);
    return result;
}

static PyObject *query_populate_existing(PyObject *query, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_query_copy(query);
    if (self != NULL) {
        self->populate_existing = true;
    }
    return (PyObject *)self;
}

/* A copy with a flag changed: *flag is its place in the copy, on the truth of the argument. */
static PyObject *with_flag(PyObject *query, PyObject *value, size_t offset, bool negated) {
    int on = PyObject_IsTrue(value);
    CormPyQuery *self = on < 0 ? NULL : corm_py_query_copy(query);
    if (self != NULL) {
        *(bool *)((char *)self + offset) = (on != 0) != negated;
    }
    return (PyObject *)self;
}

static PyObject *query_autoflush(PyObject *query, PyObject *setting) {
    return with_flag(query, setting, offsetof(CormPyQuery, no_autoflush), true);
}

static PyObject *query_enable_eagerloads(PyObject *query, PyObject *value) {
    return with_flag(query, value, offsetof(CormPyQuery, no_eager), true);
}

static PyObject *query_enable_assertions(PyObject *query, PyObject *value) {
    return with_flag(query, value, offsetof(CormPyQuery, no_assertions), true);
}

static PyObject *query_only_return_tuples(PyObject *query, PyObject *value) {
    return with_flag(query, value, offsetof(CormPyQuery, tuples), false);
}

static PyObject *query_tuples(PyObject *query, PyObject *unused) {
    (void)unused;
    return query_only_return_tuples(query, Py_True);
}

static PyObject *query_yield_per(PyObject *query, PyObject *count) {
    Py_ssize_t rows = PyNumber_AsSsize_t(count, PyExc_OverflowError);
    CormPyQuery *self = rows == -1 && PyErr_Occurred() != NULL ? NULL : corm_py_query_copy(query);
    if (self != NULL) {
        self->yield_per = rows > 0 ? (size_t)rows : 0;
    }
    return (PyObject *)self;
}

static PyObject *query_with_session(PyObject *query, PyObject *session) {
    CormPyQuery *self = corm_py_query_copy(query);
    if (self != NULL) {
        Py_XSETREF(self->session, session == Py_None ? NULL : Py_NewRef(session));
    }
    return (PyObject *)self;
}

/* A new dictionary with the given names in it. */
static PyObject *extended(PyObject *present, PyObject *mapping, PyObject *kwargs) {
    PyObject *made = present == NULL ? PyDict_New() : PyDict_Copy(present);
    if (made != NULL && ((mapping != NULL && PyDict_Update(made, mapping) < 0) ||
                         (kwargs != NULL && PyDict_Update(made, kwargs) < 0))) {
        Py_CLEAR(made);
    }
    return made;
}

static PyObject *query_params(PyObject *query, PyObject *args, PyObject *kwargs) {
    PyObject *mapping = NULL;
    if (!PyArg_ParseTuple(args, "|O!:params", &PyDict_Type, &mapping)) {
        return NULL;
    }
    CormPyQuery *self = corm_py_query_copy(query);
    PyObject *made = self == NULL ? NULL : extended(self->parameters, mapping, kwargs);
    if (made == NULL) {
        Py_XDECREF(self);
        return NULL;
    }
    Py_XSETREF(self->parameters, made);
    return (PyObject *)self;
}

static PyObject *query_execution_options(PyObject *query, PyObject *args, PyObject *kwargs) {
    corm_execute_options checked = {0};
    if (!PyArg_ParseTuple(args, ":execution_options") || corm_py_execution_read(&checked, kwargs) < 0) {
        return NULL;
    }
    CormPyQuery *self = corm_py_query_copy(query);
    PyObject *made = self == NULL ? NULL : extended(self->options, NULL, kwargs);
    if (made == NULL) {
        Py_XDECREF(self);
        return NULL;
    }
    Py_XSETREF(self->options, made);
    if (checked.yield_per != 0) {
        self->yield_per = checked.yield_per;
    }
    return (PyObject *)self;
}

static PyObject *query_with_labels(PyObject *query, PyObject *unused) {
    (void)unused;
    return corm_py_query_ready(query) < 0
               ? NULL
               : corm_py_query_derive(query,
                                      corm_select_with_style(corm_py_as_query(query)->select, CORM_LABEL_TABLE_COLUMN));
}

static PyObject *query_set_label_style(PyObject *query, PyObject *style) {
    long number = PyLong_AsLong(style);
    if (corm_py_query_ready(query) < 0 || (number == -1 && PyErr_Occurred() != NULL)) {
        return NULL;
    }
    if (number < 0 || number > CORM_LABEL_NONE) {
        PyErr_SetString(PyExc_ValueError, "a LABEL_STYLE_ constant is needed");
        return NULL;
    }
    return corm_py_query_derive(query,
                                corm_select_with_style(corm_py_as_query(query)->select, (corm_label_style)number));
}

static PyObject *query_with_transformation(PyObject *query, PyObject *function) {
    return PyObject_CallOneArg(function, query);
}

static PyObject *query_from_statement(PyObject *query, PyObject *statement) {
    corm_node *node = corm_py_executable(statement);
    CormPyQuery *self = node == NULL ? NULL : corm_py_query_copy(query);
    if (self == NULL) {
        corm_node_unref(node);
        return NULL;
    }
    corm_node_unref(self->statement);
    self->statement = node;
    return (PyObject *)self;
}

/* ---- UNION and its kin ---- */

/* A query's SELECT with labels that name table and column, as a part of a compound. */
static corm_node *compound_part(PyObject *query) {
    if (!PyObject_TypeCheck(query, CormPyQuery_Type)) {
        return corm_py_node_as(query, CORM_PY_ROLE_SELECT);
    }
    corm_node *plain = corm_py_query_ready(query) < 0 ? NULL : corm_py_query_plain(corm_py_as_query(query));
    corm_node *core = plain == NULL ? NULL : corm_orm_to_core(plain, true);
    if (plain != NULL && core == NULL) {
        corm_py_raise();
    }
    corm_node_unref(plain);
    return core;
}

/* What a selected column is outside of the compound; next: the place among its columns. A new reference. */
static corm_node *outside(corm_node *column, corm_node *alias, const corm_vector *columns, size_t *next) {
    const corm_entity *entity = corm_node_as_entity(column);
    if (entity != NULL) {
        for (size_t i = 0; i < entity->mapper->table->columns.count; i++) {
            *next += corm_mapper_attribute_of(entity->mapper, entity->mapper->table->columns.items[i]) != NULL;
        }
        return corm_entity_aliased_from(entity->mapper, alias, entity->name);
    }
    if (*next >= columns->count) {
        corm_error_set(CORM_INVALID_REQUEST, "the selects of a compound have different numbers of columns");
        return NULL;
    }
    corm_node *found = corm_node_ref(columns->items[(*next)++]);
    const corm_attribute_node *attribute = corm_node_as_attribute(column);
    corm_node *named = attribute == NULL ? corm_node_ref(found) : corm_label(found, attribute->attribute->key);
    corm_node_unref(found);
    return named;
}

static corm_node *select_from_compound(const CormPyQuery *self, corm_node *alias) {
    corm_node *list = corm_py_query_part(self, CORM_SELECT_COLUMNS), *select = NULL;
    corm_vector columns = {0}, selected = {0};
    corm_status status = corm_from_columns(alias, &columns);
    size_t next = 0;
    for (size_t i = 0; i < corm_list_count(list) && status == CORM_OK; i++) {
        corm_node *node = outside(corm_list_at(list, i), alias, &columns, &next);
        status = node == NULL ? corm_error_last()->status : corm_vector_push(&selected, node);
        if (status != CORM_OK) {
            corm_node_unref(node);
        }
    }
    if (status == CORM_OK) {
        select = corm_select_new(corm_py_items(&selected), selected.count);
    }
    corm_nodes_unref(&columns);
    corm_nodes_unref(&selected);
    return select;
}

static PyObject *unite(PyObject *query, corm_operator op, PyObject *const *args, Py_ssize_t count) {
    corm_vector parts = {0};
    corm_node *compound = NULL, *alias = NULL;
    CormPyQuery *self = NULL;
    for (Py_ssize_t i = -1; i < count; i++) {
        corm_node *part = compound_part(i < 0 ? query : args[i]);
        if (part == NULL || corm_vector_push(&parts, part) != CORM_OK) {
            corm_node_unref(part);
            if (PyErr_Occurred() == NULL) {
                corm_py_raise();
            }
            goto done;
        }
    }
    compound = corm_compound_new(op, corm_py_items(&parts), parts.count);
    alias = compound == NULL ? NULL : corm_alias_new(compound, NULL, 0);
    if (alias == NULL) {
        corm_py_raise();
        goto done;
    }
    self = corm_py_query_copy(query);
    if (self != NULL && corm_py_query_set(self, select_from_compound(self, alias)) < 0) {
        Py_CLEAR(self);
    }
    if (self != NULL) {
        corm_node_unref(self->adapt);
        self->adapt = corm_node_ref(alias);
        corm_node_unref(self->target);
        self->target = NULL;
    }
done:
    corm_nodes_unref(&parts);
    corm_node_unref(compound);
    corm_node_unref(alias);
    return (PyObject *)self;
}

#define COMPOUND(name, op)                                                                                             \
    static PyObject *query_##name(PyObject *query, PyObject *const *args, Py_ssize_t count) {                          \
        return unite(query, op, args, count);                                                                          \
    }
COMPOUND(union, CORM_OP_UNION)
COMPOUND(union_all, CORM_OP_UNION_ALL)
COMPOUND(intersect, CORM_OP_INTERSECT)
COMPOUND(intersect_all, CORM_OP_INTERSECT_ALL)
COMPOUND(except, CORM_OP_EXCEPT)
COMPOUND(except_all, CORM_OP_EXCEPT_ALL)

#define MANY(name, function, doc)                                                                                      \
    { name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL, name "(*clauses)\n--\n\n" doc }
#define ONE(name, function, argument, doc)                                                                             \
    { name, function, METH_O, name "(" argument ")\n--\n\n" doc }
#define NONE(name, function, doc)                                                                                      \
    { name, function, METH_NOARGS, name "()\n--\n\n" doc }

PyMethodDef corm_py_query_build_methods[] = {
    MANY("filter", query_filter, "Add criteria, all of which hold."),
    MANY("where", query_filter, "Add criteria, all of which hold."),
    {"filter_by", CORM_PY_FAST(query_filter_by),
     "filter_by(**kwargs)\n--\n\nAdd criteria that attributes of what was joined last, else of the first entity, equal "
     "values."},
    MANY("having", query_having, "Add criteria of groups."),
    MANY("order_by", query_order_by, "Add to ORDER BY; None takes it away."),
    MANY("group_by", query_group_by, "Add to GROUP BY; None takes it away."),
    ONE("limit", query_limit, "limit", "At most so many rows; None: all."),
    ONE("offset", query_offset, "offset", "Leave out so many rows."),
    {"slice", CORM_PY_FAST(query_slice),
     "slice(start, stop)\n--\n\nThe rows that query[start:stop] would give, as a query."},
    MANY("distinct", query_distinct, "SELECT DISTINCT."),
    MANY("select_from", query_select_from, "What to select from, before anything is joined to it."),
    MANY("with_entities", query_with_entities, "Select these instead."),
    MANY("add_columns", query_add_columns, "Select these too."),
    MANY("add_column", query_add_columns, "Select this too."),
    MANY("add_entity", query_add_entity, "Select this too."),
    MANY("correlate", query_correlate, "Leave these FROMs to the enclosing statement."),
    {"prefix_with", CORM_PY_FAST(query_prefix_with), "prefix_with(*prefixes, dialect='*')\n--\n\nText after SELECT."},
    {"with_for_update", CORM_PY_FAST(query_with_for_update),
     "with_for_update(*, nowait=False, read=False, of=None, skip_locked=False, key_share=False)\n--\n\nSELECT ... FOR "
     "UPDATE, where "
     "the database has it."},
    {"join", CORM_PY_FAST(query_join),
     "join(target, onclause=None, *, isouter=False, full=False)\n--\n\nJoin along a relationship, or to a class or "
     "FROM."},
    {"outerjoin", CORM_PY_FAST(query_outerjoin),
     "outerjoin(target, onclause=None, *, full=False)\n--\n\nLeft outer join along a relationship, or to a class or "
     "FROM."},
    NONE("reset_joinpoint", query_reset_joinpoint, "filter_by() is again of the first entity."),
    {"with_parent", CORM_PY_FAST(query_with_parent),
     "with_parent(instance, property=None, from_entity=None)\n--\n\nOnly what is in a relationship of an object."},
    MANY("options", query_options, "Add loader options."),
    NONE("populate_existing", query_populate_existing, "Objects that are there already are loaded anew."),
    ONE("autoflush", query_autoflush, "setting", "Does this query flush first?"),
    ONE("enable_eagerloads", query_enable_eagerloads, "value", "Load relationships eagerly?"),
    ONE("enable_assertions", query_enable_assertions, "value", "Refuse criteria after limit() and the like?"),
    ONE("only_return_tuples", query_only_return_tuples, "value", "Rows also for a single entity?"),
    NONE("tuples", query_tuples, "Rows also for a single entity."),
    ONE("yield_per", query_yield_per, "count", "Load while iterating, so many rows at a time."),
    ONE("with_session", query_with_session, "session", "The same query of another session."),
    {"params", (PyCFunction)(void (*)(void))query_params, METH_VARARGS | METH_KEYWORDS,
     "params(params=None, /, **kw)\n--\n\nValues for the query's bindparam()s."},
    {"execution_options", (PyCFunction)(void (*)(void))query_execution_options, METH_VARARGS | METH_KEYWORDS,
     "execution_options(**kwargs)\n--\n\nOptions of the execution."},
    NONE("with_labels", query_with_labels, "Columns are labelled with their table's name."),
    NONE("apply_labels", query_with_labels, "Columns are labelled with their table's name."),
    ONE("set_label_style", query_set_label_style, "style", "How result columns are labelled."),
    ONE("with_transformation", query_with_transformation, "fn", "What a function makes of the query."),
    ONE("from_statement", query_from_statement, "statement", "The objects of a whole statement, a SELECT or text()."),
    MANY("union", query_union, "UNION with other queries."),
    MANY("union_all", query_union_all, "UNION ALL with other queries."),
    MANY("intersect", query_intersect, "INTERSECT with other queries."),
    MANY("intersect_all", query_intersect_all, "INTERSECT ALL with other queries."),
    MANY("except_", query_except, "EXCEPT other queries."),
    MANY("except_all", query_except_all, "EXCEPT ALL other queries."),
    {NULL, NULL, 0, NULL}};
