/*
 * Query's methods that run it. See query.h.
 *
 * A query of one entity gives objects, each once; the SQL of most such queries cannot repeat a row, and then nothing is compared. A
 * query of anything else gives Rows.
 */
#include "query.h"

#include "sql/walk.h"

/* ---- running ---- */

/* The core Session: a new reference of its Python object; NULL raised. */
static CormPySession *session_of(CormPyQuery *self) {
    if (self->session == NULL) {
        corm_py_raise_exc("InvalidRequestError", "This Query has no Session: use with_session(), or Session.query()");
        return NULL;
    }
    PyObject *session = corm_py_session_resolve(self->session);
    if (session != NULL && corm_py_session_open(session) == NULL) {
        Py_CLEAR(session);
    }
    return (CormPySession *)session;
}

static int read_options(const CormPyQuery *self, const CormPySession *session, corm_execute_options *out) {
    *out = (corm_execute_options){.legacy_labels = self->statement == NULL};
    if (corm_py_execution_read(out, session->options) < 0 || corm_py_execution_read(out, self->options) < 0) {
        return -1;
    }
    out->populate_existing = out->populate_existing || self->populate_existing;
    out->no_autoflush = out->no_autoflush || self->no_autoflush;
    if (self->yield_per > 0) {
        out->yield_per = self->yield_per;
    }
    return 0;
}

/* SELECT the entity's columns from a text that has columns of these names. */
static corm_node *select_from_text(const CormPyQuery *self) {
    corm_entity *entity =
        self->single ? corm_node_as_entity(corm_list_at(corm_py_query_part(self, CORM_SELECT_COLUMNS), 0)) : NULL;
    if (entity == NULL) {
        return corm_node_ref(self->statement);
    }
    const corm_table *table = entity->mapper->table;
    corm_vector columns = {0};
    corm_node *text = NULL, *alias = NULL, *from = NULL, *select = NULL, *with = NULL;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < table->columns.count && status == CORM_OK; i++) {
        if (corm_mapper_attribute_of(entity->mapper, table->columns.items[i]) != NULL) {
            status = corm_vector_push(&columns, corm_column_node(table->columns.items[i]));
        }
    }
    if (status == CORM_OK) {
        text = corm_text_with_columns(self->statement, corm_py_items(&columns), columns.count);
        alias = text == NULL ? NULL : corm_alias_new(text, NULL, 0);
        from = alias == NULL ? NULL : corm_entity_aliased_from(entity->mapper, alias, entity->name);
        select = from == NULL ? NULL : corm_select_new(&from, 1);
    }
    corm_node *options = corm_py_query_part(self, CORM_SELECT_OPTIONS);
    if (select != NULL) {
        with = corm_select_with_part(select, CORM_SELECT_OPTIONS, options);
    }
    corm_vector_clear(&columns);
    corm_node_unref(text);
    corm_node_unref(alias);
    corm_node_unref(from);
    corm_node_unref(select);
    return with;
}

/* What is executed: a new reference; NULL raised. */
static corm_node *statement_of(const CormPyQuery *self) {
    if (self->statement == NULL) {
        if (corm_list_count(corm_py_query_part(self, CORM_SELECT_COLUMNS)) == 0) {
            corm_py_raise_exc("InvalidRequestError", "Query contains no columns with which to SELECT from.");
            return NULL;
        }
        return corm_py_query_select(self);
    }
    if (self->statement->kind != CORM_NODE_TEXT) {
        return corm_node_ref(self->statement);
    }
    corm_node *select = select_from_text(self);
    if (select == NULL) {
        corm_py_raise();
    }
    return select;
}

static corm_result *run_statement(CormPyQuery *self, CormPySession *session, corm_node *statement) {
    corm_execute_options options;
    if (read_options(self, session, &options) < 0) {
        return NULL;
    }
    corm_result *result = corm_py_session_run(session, statement, self->parameters, &options);
    if (result != NULL && options.yield_per > 0 && corm_result_needs_unique(result)) {
        corm_result_free(result);
        corm_py_raise_exc(
            "InvalidRequestError",
            "Can't use yield_per with eager loaders that require uniquing or row buffering, e.g. joinedload() "
            "against collections or subqueryload().  Consider the selectinload() strategy for better flexibility "
            "in loading objects.");
        return NULL;
    }
    return result;
}

/* The query's result; NULL raised. */
static corm_result *run(PyObject *query) {
    CormPyQuery *self = corm_py_as_query(query);
    CormPySession *session = corm_py_query_ready(query) < 0 ? NULL : session_of(self);
    corm_node *statement = session == NULL ? NULL : statement_of(self);
    corm_result *result = statement == NULL ? NULL : run_statement(self, session, statement);
    corm_node_unref(statement);
    Py_XDECREF(session);
    return result;
}

/* ---- listeners of do_orm_execute: the long way ---- */

static bool is_listened(CormPyQuery *self) {
    PyObject *session = self->session == NULL ? NULL : corm_py_session_resolve(self->session);
    bool listened = session != NULL && PyObject_TypeCheck(session, CormPySession_Type) &&
                    corm_py_session_listened((CormPySession *)session, "do_orm_execute");
    Py_XDECREF(session);
    PyErr_Clear();
    return listened;
}

/* A list, by Session.execute(). */
static PyObject *all_by_execute(PyObject *query) {
    CormPyQuery *self = corm_py_as_query(query);
    corm_node *statement = corm_py_query_ready(query) < 0 ? NULL : statement_of(self);
    PyObject *element = statement == NULL ? NULL : corm_py_wrap(statement);
    PyObject *options = element == NULL ? NULL : self->options == NULL ? PyDict_New() : PyDict_Copy(self->options);
    PyObject *function = options == NULL ? NULL : corm_py_import("cormorant.orm.context", "_execute");
    PyObject *result = NULL, *unique = NULL, *ends = NULL, *list = NULL;
    if (function != NULL &&
        (!self->populate_existing || PyDict_SetItemString(options, "populate_existing", Py_True) == 0) &&
        (!self->no_autoflush || PyDict_SetItemString(options, "autoflush", Py_False) == 0)) {
        result = PyObject_CallFunction(function, "OOOO", self->session == NULL ? Py_None : self->session, element,
                                       self->parameters == NULL ? Py_None : self->parameters, options);
    }
    unique = result == NULL ? NULL : corm_py_call(result, "unique", NULL);
    ends = unique == NULL                      ? NULL
           : corm_py_query_gives_objects(self) ? corm_py_call(unique, "scalars", NULL)
                                               : Py_NewRef(unique);
    list = ends == NULL ? NULL : corm_py_call(ends, "all", NULL);
    Py_XDECREF(element);
    Py_XDECREF(options);
    Py_XDECREF(function);
    Py_XDECREF(result);
    Py_XDECREF(unique);
    Py_XDECREF(ends);
    return list;
}

/* ---- may rows repeat? ---- */

typedef struct repeats {
    corm_node *columns; /* LIST: what is selected */
    bool found;
} repeats;

/* Is this FROM one of the entities that are selected? Then each of its rows tells results apart. */
static bool is_selected(const repeats *look, const corm_mapper *mapper, const corm_table *table,
                        const corm_node *alias) {
    for (size_t i = 0; i < corm_list_count(look->columns); i++) {
        const corm_entity *entity = corm_node_as_entity(corm_list_at(look->columns, i));
        if (entity == NULL) {
            continue;
        }
        if (alias != NULL
                ? corm_entity_from(entity) == alias
                : !corm_entity_is_aliased(entity) && (entity->mapper == mapper || entity->mapper->table == table)) {
            return true;
        }
    }
    return false;
}

static corm_walk_action look_for_others(void *context, corm_node *node) {
    repeats *look = context;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    corm_column *column = corm_node_as_column(node);
    bool selected = true;
    if (corm_node_is_select(node)) {
        return CORM_WALK_OVER; /* a subquery's own FROMs */
    }
    if (attribute != NULL) {
        corm_entity *entity = corm_attribute_node_entity(attribute);
        selected = is_selected(look, entity->mapper, NULL, entity->children[0]);
    } else if (column != NULL) {
        selected = is_selected(look, NULL, column->table, NULL);
    } else if (node->kind == CORM_NODE_COLUMN_OF) {
        selected = is_selected(look, NULL, NULL, corm_node_child(node, 0));
    } else {
        return CORM_WALK_INTO;
    }
    look->found = look->found || !selected;
    return look->found ? CORM_WALK_STOP : CORM_WALK_OVER;
}

/* Can the statement give a row of its entities twice? */
static bool may_repeat(const CormPyQuery *self) {
    if (self->statement != NULL || self->adapt != NULL || corm_py_query_part(self, CORM_SELECT_JOINS) != NULL ||
        corm_py_query_part(self, CORM_SELECT_FROM) != NULL) {
        return true;
    }
    corm_node *where = corm_py_query_part(self, CORM_SELECT_WHERE);
    repeats look = {corm_py_query_part(self, CORM_SELECT_COLUMNS), false};
    for (size_t i = 0; i < corm_list_count(look.columns); i++) {
        corm_node *column = corm_list_at(look.columns, i);
        if (corm_node_as_entity(column) == NULL && corm_node_walk(column, look_for_others, &look) != CORM_OK) {
            look.found = true;
        }
    }
    if (where != NULL && !look.found && corm_node_walk(where, look_for_others, &look) != CORM_OK) {
        look.found = true;
    }
    corm_error_clear();
    return look.found;
}

static bool has_entity(const CormPyQuery *self) {
    corm_node *columns = corm_py_query_part(self, CORM_SELECT_COLUMNS);
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        if (corm_node_as_entity(corm_list_at(columns, i)) != NULL) {
            return true;
        }
    }
    return false;
}

/* ---- all results ---- */

PyObject *corm_py_query_all(PyObject *query, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_as_query(query);
    if (is_listened(self)) {
        return all_by_execute(query);
    }
    corm_result *result = run(query);
    if (result == NULL) {
        return NULL;
    }
    bool unique = self->yield_per == 0 && has_entity(self) && (corm_result_needs_unique(result) || may_repeat(self));
    return corm_py_query_gives_objects(self) ? corm_py_result_all_scalars(result, unique)
                                             : corm_py_result_all_rows(result, unique);
}

PyObject *corm_py_query_iter(PyObject *query) {
    CormPyQuery *self = corm_py_as_query(query);
    PyObject *rows, *iterator;
    if (self->yield_per == 0 || is_listened(self)) {
        rows = corm_py_query_all(query, NULL);
    } else {
        corm_result *result = run(query);
        rows = result == NULL ? NULL : corm_py_result_new(result);
        if (rows != NULL && corm_py_query_gives_objects(self)) {
            PyObject *scalars = corm_py_call(rows, "scalars", NULL);
            Py_DECREF(rows);
            rows = scalars;
        }
    }
    iterator = rows == NULL ? NULL : PyObject_GetIter(rows);
    Py_XDECREF(rows);
    return iterator;
}

/* ---- some results ---- */

/* The next object that differs from `other`: a new reference; NULL without an exception at the end. */
static PyObject *next_object(corm_result *result, PyObject *other) {
    corm_item item;
    bool has_row = true;
    while (has_row) {
        if (corm_result_next(result, &item, &has_row) != CORM_OK) {
            return corm_py_raise();
        }
        PyObject *object = has_row ? (PyObject *)(void *)item.object : NULL;
        if (object != NULL && object != other) {
            return object;
        }
        Py_XDECREF(object);
    }
    return NULL;
}

/* The results of a query that is known to have at most two of interest: the first one (a new reference, NULL when there is none)
 * and whether there is another. -1 raised. */
static int first_two(PyObject *query, PyObject **first, bool *more) {
    CormPyQuery *self = corm_py_as_query(query);
    *first = NULL;
    *more = false;
    if (corm_py_query_gives_objects(self) && !is_listened(self)) {
        corm_result *result = run(query);
        if (result == NULL) {
            return -1;
        }
        if (corm_result_output_count(result) == 1 && corm_result_outputs(result)->is_object) {
            *first = next_object(result, NULL);
            PyObject *second = *first == NULL ? NULL : next_object(result, *first);
            *more = second != NULL;
            Py_XDECREF(second);
            corm_result_free(result);
            if (PyErr_Occurred() != NULL) {
                Py_CLEAR(*first);
                return -1;
            }
            return 0;
        }
        corm_result_free(result);
    }
    PyObject *list = corm_py_query_all(query, NULL);
    if (list == NULL) {
        return -1;
    }
    *first = PyList_GET_SIZE(list) == 0 ? NULL : Py_NewRef(PyList_GET_ITEM(list, 0));
    *more = PyList_GET_SIZE(list) > 1;
    Py_DECREF(list);
    return 0;
}

static PyObject *query_first(PyObject *query, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_as_query(query);
    PyObject *first, *limited;
    bool more;
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    if (self->statement != NULL) {
        limited = Py_NewRef(query);
    } else {
        limited = corm_py_query_derive(query, corm_select_limit(self->select, 1));
    }
    int failed = limited == NULL ? -1 : first_two(limited, &first, &more);
    Py_XDECREF(limited);
    if (failed < 0) {
        return NULL;
    }
    return first == NULL ? Py_NewRef(Py_None) : first;
}

static PyObject *query_one_or_none(PyObject *query, PyObject *unused) {
    (void)unused;
    PyObject *first;
    bool more;
    if (first_two(query, &first, &more) < 0) {
        return NULL;
    }
    if (more) {
        Py_DECREF(first);
        return corm_py_raise_exc("MultipleResultsFound", "Multiple rows were found when one or none was required");
    }
    return first == NULL ? Py_NewRef(Py_None) : first;
}

/* The only result: NULL without an exception when there is none. */
static PyObject *only_one(PyObject *query) {
    PyObject *first;
    bool more;
    if (first_two(query, &first, &more) < 0) {
        return NULL;
    }
    if (more) {
        Py_DECREF(first);
        return corm_py_raise_exc("MultipleResultsFound", "Multiple rows were found when exactly one was required");
    }
    return first;
}

static PyObject *query_one(PyObject *query, PyObject *unused) {
    (void)unused;
    PyObject *one = only_one(query);
    return one != NULL || PyErr_Occurred() != NULL
               ? one
               : corm_py_raise_exc("NoResultFound", "No row was found when one was required");
}

static PyObject *first_of_row(PyObject *row) {
    PyObject *item = PySequence_GetItem(row, 0);
    Py_DECREF(row);
    return item;
}

static PyObject *query_scalar(PyObject *query, PyObject *unused) {
    (void)unused;
    PyObject *one = only_one(query);
    if (one == NULL) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
    }
    return corm_py_query_gives_objects(corm_py_as_query(query)) ? one : first_of_row(one);
}

PyObject *corm_py_query_subscript(PyObject *query, PyObject *index) {
    static const char *const negative = "negative indexes are not accepted by SQL index / slice operators";
    if (PySlice_Check(index)) {
        PySliceObject *slice = (PySliceObject *)index;
        bool bounded = PyLong_Check(slice->start) && PyLong_Check(slice->stop);
        if ((PyLong_Check(slice->start) && Py_SIZE(slice->start) < 0) ||
            (PyLong_Check(slice->stop) && Py_SIZE(slice->stop) < 0)) {
            PyErr_SetString(PyExc_IndexError, negative);
            return NULL;
        }
        int empty = bounded ? PyObject_RichCompareBool(slice->stop, slice->start, Py_LE) : 0;
        if (empty != 0) {
            return empty < 0 ? NULL : PyList_New(0);
        }
        PyObject *part = corm_py_query_slice(query, slice->start, slice->stop);
        PyObject *list = part == NULL ? NULL : corm_py_query_all(part, NULL);
        Py_XDECREF(part);
        if (list != NULL && slice->step != Py_None) {
            PyObject *steps = PySlice_New(NULL, NULL, slice->step);
            PyObject *stepped = steps == NULL ? NULL : PyObject_GetItem(list, steps);
            Py_XDECREF(steps);
            Py_DECREF(list);
            return stepped;
        }
        return list;
    }
    PyObject *start = PyNumber_Index(index);
    if (start == NULL) {
        return NULL;
    }
    if (Py_SIZE(start) < 0) {
        Py_DECREF(start);
        PyErr_SetString(PyExc_IndexError, negative);
        return NULL;
    }
    PyObject *one = PyLong_FromLong(1);
    PyObject *stop = one == NULL ? NULL : PyNumber_Add(start, one);
    PyObject *part = stop == NULL ? NULL : corm_py_query_slice(query, start, stop);
    PyObject *list = part == NULL ? NULL : corm_py_query_all(part, NULL);
    PyObject *item = list == NULL ? NULL : PySequence_GetItem(list, 0);
    Py_XDECREF(one);
    Py_XDECREF(start);
    Py_XDECREF(stop);
    Py_XDECREF(part);
    Py_XDECREF(list);
    return item;
}

/* ---- count(), get(), value(), values() ---- */

/* SELECT count(*) FROM (the query) AS anon_1. */
static corm_node *counting(CormPyQuery *self) {
    corm_node *plain = corm_py_query_plain(self);
    if (plain == NULL) {
        return NULL;
    }
    corm_node *labelled = corm_select_with_style(plain, CORM_LABEL_TABLE_COLUMN);
    corm_node *alias = labelled == NULL ? NULL : corm_alias_new(labelled, NULL, 0);
    corm_node *star = alias == NULL ? NULL : corm_star();
    corm_node *count = star == NULL ? NULL : corm_function_new("count", &star, 1, corm_type_of_kind(CORM_TYPE_INTEGER));
    corm_node *select = count == NULL ? NULL : corm_select_new(&count, 1);
    corm_node *from = select == NULL ? NULL : corm_select_from(select, alias);
    corm_node_unref(plain);
    corm_node_unref(labelled);
    corm_node_unref(alias);
    corm_node_unref(star);
    corm_node_unref(count);
    corm_node_unref(select);
    if (from == NULL) {
        corm_py_raise();
    }
    return from;
}

static PyObject *query_count(PyObject *query, PyObject *unused) {
    (void)unused;
    CormPyQuery *self = corm_py_query_copy(query);
    corm_node *select = self == NULL ? NULL : counting(self);
    PyObject *count = NULL;
    if (select != NULL && corm_py_query_set(self, select) == 0) {
        corm_node_unref(self->statement);
        self->statement = NULL;
        self->yield_per = 0;
        count = query_scalar((PyObject *)self, NULL);
    }
    Py_XDECREF(self);
    return count;
}

static PyObject *query_get(PyObject *query, PyObject *ident) {
    static const corm_select_part parts[] = {CORM_SELECT_WHERE,  CORM_SELECT_JOINS,    CORM_SELECT_LIMIT,
                                             CORM_SELECT_OFFSET, CORM_SELECT_GROUP_BY, CORM_SELECT_FROM};
    CormPyQuery *self = corm_py_as_query(query);
    if (corm_py_query_ready(query) < 0) {
        return NULL;
    }
    bool built = self->statement != NULL;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        built = built || corm_py_query_part(self, parts[i]) != NULL;
    }
    if (built && !self->no_assertions) {
        return corm_py_raise_exc("InvalidRequestError",
                                 "Query.get() being called on a Query with existing criterion. ");
    }
    if (!self->single) {
        return corm_py_raise_exc("InvalidRequestError", "get() can only be used against a single mapped class.");
    }
    CormPySession *session = session_of(self);
    if (session == NULL) {
        return NULL;
    }
    corm_entity *entity = corm_node_as_entity(corm_list_at(corm_py_query_part(self, CORM_SELECT_COLUMNS), 0));
    corm_node *list = corm_py_query_part(self, CORM_SELECT_OPTIONS);
    corm_load_options *options = NULL;
    if (list != NULL) {
        options = corm_load_options_new(((const corm_list *)(const void *)list)->items, corm_list_count(list));
    }
    PyObject *found = list != NULL && options == NULL
                          ? corm_py_raise()
                          : corm_py_session_load(session, entity->mapper, ident, options, self->populate_existing);
    corm_load_options_unref(options);
    Py_DECREF(session);
    return found != NULL || PyErr_Occurred() != NULL ? found : Py_NewRef(Py_None);
}

static PyObject *query_values(PyObject *query, PyObject *const *args, Py_ssize_t count) {
    PyObject *method = corm_py_get(query, "with_entities");
    PyObject *other = method == NULL ? NULL : PyObject_Vectorcall(method, args, (size_t)count, NULL);
    PyObject *iterator = other == NULL ? NULL : PyObject_GetIter(other);
    Py_XDECREF(method);
    Py_XDECREF(other);
    return iterator;
}

static PyObject *query_value(PyObject *query, PyObject *column) {
    PyObject *iterator = query_values(query, &column, 1);
    PyObject *row = iterator == NULL ? NULL : PyIter_Next(iterator);
    Py_XDECREF(iterator);
    return row != NULL ? first_of_row(row) : PyErr_Occurred() != NULL ? NULL : Py_NewRef(Py_None);
}

/* ---- update() and delete() ---- */

static int check_changeable(const CormPyQuery *self) {
    static const struct {
        corm_select_part part;
        const char *method;
    } refused[] = {{CORM_SELECT_LIMIT, "limit()"},
                   {CORM_SELECT_OFFSET, "offset()"},
                   {CORM_SELECT_ORDER_BY, "order_by()"},
                   {CORM_SELECT_GROUP_BY, "group_by()"},
                   {CORM_SELECT_JOINS, "join(), outerjoin(), select_from(), or from_self()"},
                   {CORM_SELECT_FROM, "join(), outerjoin(), select_from(), or from_self()"}};
    const char *method = self->select->detail & CORM_SELECT_IS_DISTINCT ? "distinct()" : NULL;
    for (size_t i = 0; i < sizeof refused / sizeof *refused && method == NULL; i++) {
        method = corm_py_query_part(self, refused[i].part) != NULL ? refused[i].method : NULL;
    }
    if (method != NULL) {
        corm_py_raise_exc("InvalidRequestError", "Can't call Query.update() or Query.delete() when %s has been called",
                          method);
        return -1;
    }
    return 0;
}

/* What is changed: the query's one entity or table. Borrowed; NULL raised. */
static corm_node *changed_table(const CormPyQuery *self) {
    corm_node *columns = corm_py_query_part(self, CORM_SELECT_COLUMNS);
    corm_node *first = corm_list_count(columns) == 1 ? corm_list_at(columns, 0) : NULL;
    if (first == NULL || (corm_node_as_entity(first) == NULL && first->kind != CORM_NODE_TABLE)) {
        PyObject *view = first == NULL ? Py_NewRef(Py_None) : corm_py_wrap(corm_node_ref(first));
        if (view != NULL) {
            corm_py_raise_exc("ArgumentError", "subject table for an INSERT, UPDATE or DELETE expected, got %R.", view);
            Py_DECREF(view);
        }
        return NULL;
    }
    return first;
}

/* The statement with the values, as the methods of update() take them. Takes over the statement. */
static corm_node *with_values(corm_node *statement, PyObject *values) {
    PyObject *view = corm_py_wrap(statement);
    PyObject *changed = view == NULL ? NULL : corm_py_call(view, "values", "O", values);
    corm_node *node = changed == NULL ? NULL : corm_py_node(changed);
    Py_XDECREF(view);
    Py_XDECREF(changed);
    return node;
}

static int tell_bulk(PyObject *query, CormPySession *session, const char *event, PyObject *values, int64_t rowcount) {
    if (!corm_py_session_listened(session, event)) {
        return 0;
    }
    PyObject *function = corm_py_import("cormorant.orm.context", "_bulk_context");
    PyObject *context = function == NULL
                            ? NULL
                            : PyObject_CallFunction(function, "OOOL", session, query, values == NULL ? Py_None : values,
                                                    (long long)rowcount);
    PyObject *arguments = context == NULL ? NULL : PyTuple_Pack(1, context);
    int failed = arguments == NULL ? -1 : corm_py_session_fire(session, event, arguments);
    Py_XDECREF(function);
    Py_XDECREF(context);
    Py_XDECREF(arguments);
    return failed;
}

/* UPDATE (values not NULL) or DELETE the rows of the query; how many. */
static PyObject *change_rows(PyObject *query, PyObject *values, PyObject *synchronize) {
    CormPyQuery *self = corm_py_as_query(query);
    corm_execute_options options;
    corm_node *table, *statement = NULL, *criteria;
    int64_t rowcount = -1;
    CormPySession *session = NULL;
    if (corm_py_query_ready(query) < 0 || check_changeable(self) < 0 || (table = changed_table(self)) == NULL ||
        (session = session_of(self)) == NULL || read_options(self, session, &options) < 0) {
        goto done;
    }
    if (synchronize != NULL && corm_py_read_synchronize(synchronize, &options.synchronize_session) < 0) {
        goto done;
    }
    statement = values != NULL ? corm_update_new(table) : corm_delete_new(table);
    if (statement != NULL && values != NULL && (statement = with_values(statement, values)) == NULL) {
        goto done;
    }
    criteria = corm_py_query_part(self, CORM_SELECT_WHERE);
    if (statement != NULL && criteria != NULL) {
        corm_node *narrowed = corm_dml_with_part(statement, CORM_DML_WHERE, criteria);
        corm_node_unref(statement);
        statement = narrowed;
    }
    if (statement == NULL) {
        corm_py_raise();
        goto done;
    }
    options.legacy_labels = false;
    corm_result *result = corm_py_session_run(session, statement, self->parameters, &options);
    if (result != NULL) {
        rowcount = corm_result_rowcount(result);
        corm_result_free(result);
        if (tell_bulk(query, session, values != NULL ? "after_bulk_update" : "after_bulk_delete", values, rowcount) <
            0) {
            rowcount = -1;
        }
    }
done:
    corm_node_unref(statement);
    Py_XDECREF(session);
    return rowcount < 0 && PyErr_Occurred() != NULL ? NULL : PyLong_FromLongLong(rowcount);
}

static PyObject *query_update(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.update", 3, 1, "values", "synchronize_session", "update_args");
    PyObject *given[3];
    return corm_py_unpack(&signature, args, count, names, given) < 0 ? NULL : change_rows(query, given[0], given[1]);
}

static PyObject *query_delete(PyObject *query, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Query.delete", 2, 0, "synchronize_session", "delete_args");
    PyObject *given[2];
    return corm_py_unpack(&signature, args, count, names, given) < 0 ? NULL : change_rows(query, NULL, given[0]);
}

PyMethodDef corm_py_query_run_methods[] = {
    {"all", corm_py_query_all, METH_NOARGS, "all()\n--\n\nAll results: a list."},
    {"first", query_first, METH_NOARGS, "first()\n--\n\nThe first result, or None."},
    {"one", query_one, METH_NOARGS, "one()\n--\n\nThe only result; NoResultFound, MultipleResultsFound."},
    {"one_or_none", query_one_or_none, METH_NOARGS,
     "one_or_none()\n--\n\nThe only result, or None; MultipleResultsFound."},
    {"scalar", query_scalar, METH_NOARGS, "scalar()\n--\n\nThe first item of the only result, or None."},
    {"count", query_count, METH_NOARGS, "count()\n--\n\nHow many rows the query has."},
    {"get", query_get, METH_O, "get(ident)\n--\n\nThe object with this primary key, or None."},
    {"value", query_value, METH_O, "value(column)\n--\n\nA column of the first row."},
    {"values", (PyCFunction)(void (*)(void))query_values, METH_FASTCALL,
     "values(*columns)\n--\n\nAn iterator over rows of these columns."},
    {"update", CORM_PY_FAST(query_update),
     "update(values, synchronize_session='auto', update_args=None)\n--\n\nUPDATE the query's rows; how many there "
     "were."},
    {"delete", CORM_PY_FAST(query_delete),
     "delete(synchronize_session='auto', delete_args=None)\n--\n\nDELETE the query's rows; how many there were."},
    {NULL, NULL, 0, NULL}};
