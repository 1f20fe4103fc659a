/*
 * Queries of the C face: see cormorant/query.h.
 *
 * A query that was given a failed expression, or that could not be changed as asked, keeps the first reason and fails
 * with it when it runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "host/query.h"
#include "orm/session_private.h"

/* ---- making queries ---- */

static void note_failure(corm_query *query) {
    if (query->failure.status == CORM_OK && corm_error_last()->status != CORM_OK) {
        corm_error_take(&query->failure);
    }
}

static void become(corm_query *query, corm_node *select) {
    if (select == NULL) {
        note_failure(query);
        return;
    }
    corm_node_unref(query->select);
    query->select = select;
}

corm_query *corm_query_new(void) {
    return corm_calloc(1, sizeof(corm_query));
}

corm_query *corm_query_of(corm_mapping *mapping) {
    corm_query *query = corm_query_new();
    if (query != NULL) {
        corm_query_pick_mapping(query, mapping);
    }
    return query;
}

static void drop_texts(corm_query *query) {
    for (size_t i = 0; i < query->texts.count; i++) {
        corm_free(query->texts.items[i]);
    }
    query->texts.count = 0;
}

static void drop_row(corm_query *query) {
    drop_texts(query);
    if (query->has_row) {
        corm_result_release_items(query->result, query->items);
        query->has_row = false;
    }
}

void corm_query_rewind(corm_query *query) {
    drop_row(query);
    corm_result_free(query->result);
    query->result = NULL;
    corm_free(query->items);
    query->items = NULL;
    corm_set_clear(&query->seen);
    c_session *own = query->session == NULL ? NULL : corm_session_host(query->session);
    for (size_t i = own == NULL ? 0 : own->queries.count; i > 0; i--) {
        if (own->queries.items[i - 1] == query) {
            corm_vector_remove(&own->queries, i - 1);
        }
    }
    query->session = NULL;
}

void corm_query_free(corm_query *query) {
    if (query == NULL) {
        return;
    }
    corm_query_rewind(query);
    corm_node_unref(query->select);
    corm_error_free_content(&query->failure);
    corm_vector_clear(&query->texts);
    corm_free(query);
}

void corm_pick(corm_query *query, corm_expression *expression) {
    if (query == NULL) {
        corm_node_unref(expression);
        return;
    }
    if (!c_expression_check(expression, "what is picked")) {
        note_failure(query);
        return;
    }
    become(query, query->select == NULL ? corm_select_new(&expression, 1)
                                        : corm_select_append(query->select, CORM_SELECT_COLUMNS, &expression, 1));
    corm_node_unref(expression);
}

void corm_query_pick_mapping(corm_query *query, corm_mapping *mapping) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_pick(query, c_expression_of(mapper == NULL ? NULL : corm_entity_of(mapper)));
}

void corm_pick_aliased(corm_query *query, const corm_aliased *alias) {
    corm_pick(query, alias == NULL ? c_expression_failed() : corm_node_ref(alias->entity));
}

corm_query *corm_query_of_alias(const corm_aliased *alias) {
    corm_query *query = corm_query_new();
    corm_pick_aliased(query, alias);
    return query;
}

corm_query *corm_query_of_sql(corm_expression *text) {
    corm_query *query = corm_query_new();
    if (query == NULL || !c_expression_check(text, "the statement")) {
        if (query != NULL) {
            note_failure(query);
        }
        corm_node_unref(text);
        return query;
    }
    query->select = text;
    return query;
}

/* Is there something to add to? Consumes the expression if not. */
static bool may_add(corm_query *query, corm_expression *expression, bool needs_expression) {
    if (query == NULL) {
        corm_node_unref(expression);
        return false;
    }
    if (query->select == NULL && query->failure.status == CORM_OK) {
        corm_error_set(CORM_INVALID_REQUEST, "the query selects nothing yet: begin with corm_select() or corm_pick()");
    }
    if (query->select != NULL && query->select->kind != CORM_NODE_SELECT) {
        corm_error_set(CORM_INVALID_REQUEST, "the query is a text: nothing can be added to it");
        note_failure(query);
    }
    if (query->select == NULL || query->select->kind != CORM_NODE_SELECT ||
        (needs_expression && !c_expression_check(expression, "the expression"))) {
        note_failure(query);
        corm_node_unref(expression);
        return false;
    }
    return true;
}

void corm_where(corm_query *query, corm_expression *criterion) {
    if (may_add(query, criterion, true)) {
        become(query, corm_select_where(query->select, criterion));
        corm_node_unref(criterion);
    }
}

void corm_having(corm_query *query, corm_expression *criterion) {
    if (may_add(query, criterion, true)) {
        become(query, corm_select_having(query->select, criterion));
        corm_node_unref(criterion);
    }
}

void corm_order_by(corm_query *query, corm_expression *expression) {
    if (may_add(query, expression, true)) {
        become(query, corm_select_order_by(query->select, &expression, 1));
        corm_node_unref(expression);
    }
}

void corm_group_by(corm_query *query, corm_expression *expression) {
    if (may_add(query, expression, true)) {
        become(query, corm_select_group_by(query->select, &expression, 1));
        corm_node_unref(expression);
    }
}

void corm_limit(corm_query *query, int64_t limit) {
    if (may_add(query, NULL, false)) {
        become(query, corm_select_limit(query->select, limit));
    }
}

void corm_offset(corm_query *query, int64_t offset) {
    if (may_add(query, NULL, false)) {
        become(query, corm_select_offset(query->select, offset));
    }
}

void corm_distinct(corm_query *query) {
    if (may_add(query, NULL, false)) {
        become(query, corm_select_distinct(query->select));
    }
}

/* Consumes both. on may be NULL. */
static void join(corm_query *query, corm_node *target, corm_expression *on, bool outer) {
    if (may_add(query, c_expression_of(target), true)) {
        become(query, corm_select_join(query->select, NULL, target, on, outer ? CORM_JOIN_OUTER : 0));
        corm_node_unref(target);
    }
    corm_node_unref(on);
}

void corm_query_join(corm_query *query, corm_mapping *mapping, const char *field, bool outer) {
    join(query, c_attribute_node(mapping, NULL, field), NULL, outer);
}

void corm_query_join_alias(corm_query *query, corm_mapping *mapping, const char *field, const corm_aliased *alias,
                           bool outer) {
    corm_node *attribute = c_attribute_node(mapping, NULL, field);
    corm_node *to = attribute == NULL || alias == NULL ? NULL : corm_attribute_node_of_type(attribute, alias->entity);
    corm_node_unref(attribute);
    join(query, to, NULL, outer);
}

void corm_query_join_by_key(corm_query *query, corm_mapping *mapping, bool outer) {
    corm_mapper *mapper = c_mapper_of(mapping);
    join(query, mapper == NULL ? NULL : corm_entity_of(mapper), NULL, outer);
}

void corm_query_join_where(corm_query *query, corm_mapping *mapping, corm_expression *condition, bool outer) {
    corm_mapper *mapper = c_mapper_of(mapping);
    bool made = mapper != NULL && c_expression_check(condition, "the condition of a join");
    join(query, made ? corm_entity_of(mapper) : NULL, condition, outer);
}

enum { MAX_PATH = 16 };

static corm_lazy strategy_named(const char *strategy) {
    corm_lazy lazy = strcmp(strategy, "selectin") == 0 ? CORM_LAZY_SELECTIN
                     : strcmp(strategy, "joined") == 0 ? CORM_LAZY_JOINED
                     : strcmp(strategy, "select") == 0 ? CORM_LAZY_SELECT
                     : strcmp(strategy, "raise") == 0  ? CORM_LAZY_RAISE
                                                       : CORM_LAZY_DEFAULT;
    if (lazy == CORM_LAZY_DEFAULT) {
        corm_error_set(CORM_ARGUMENT_ERROR, "'%s' is no loading strategy: selectin, joined, select or raise", strategy);
    }
    return lazy;
}

/* "addresses.user" to the attributes that it names, from a struct on. */
static corm_status read_path(corm_mapping *mapping, const char *path, corm_node **out, size_t *count) {
    while (*count < MAX_PATH) {
        size_t size = strcspn(path, ".");
        char *field = corm_strndup(path, size);
        corm_node *node = field == NULL ? NULL : c_attribute_node(mapping, NULL, field);
        corm_free(field);
        if (node == NULL) {
            return corm_error_last()->status;
        }
        out[(*count)++] = node;
        const corm_attribute *attribute = corm_node_as_attribute(node)->attribute;
        if (attribute->relationship == NULL) {
            return corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no relationship: only those are loaded with a query",
                                  attribute->mapper->name, attribute->key);
        }
        if (path[size] == '\0') {
            return CORM_OK;
        }
        path += size + 1;
        mapping = c_mapping_of(attribute->relationship->target)->mapping;
    }
    return corm_error_set(CORM_ARGUMENT_ERROR, "a path of more than %d relationships", MAX_PATH);
}

void corm_query_with(corm_query *query, corm_mapping *mapping, const char *field, const char *strategy) {
    corm_node *path[MAX_PATH];
    size_t count = 0;
    corm_lazy lazy = strategy_named(strategy);
    corm_node *option = NULL;
    if (lazy != CORM_LAZY_DEFAULT && read_path(mapping, field, path, &count) == CORM_OK) {
        option = corm_load_option_new(path, count, lazy, false, false, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        corm_node_unref(path[i]);
    }
    if (may_add(query, c_expression_of(option), true)) {
        become(query, corm_select_append(query->select, CORM_SELECT_OPTIONS, &option, 1));
        corm_node_unref(option);
    }
}

/* ---- running ---- */

corm_node *c_query_select(const corm_query *query) {
    if (query == NULL) {
        corm_error_no_memory(); /* the only reason why there is no query */
    } else if (query->failure.status == CORM_NO_MEMORY) {
        corm_error_no_memory();
    } else if (query->failure.status != CORM_OK) {
        corm_error_set(query->failure.status, "%s", query->failure.message == NULL ? "" : query->failure.message);
    } else if (query->select == NULL) {
        corm_error_set(CORM_INVALID_REQUEST, "the query selects nothing");
    } else {
        return query->select;
    }
    return NULL;
}

static corm_status run(corm_session *session, corm_query *query) {
    if (c_query_select(query) == NULL) {
        return corm_error_last()->status;
    }
    c_session *own = corm_session_host(session);
    corm_status status = corm_vector_push(&own->queries, query);
    if (status != CORM_OK) {
        return status;
    }
    query->session = session;
    status = corm_session_execute(session, query->select, NULL, 0, NULL, &query->result);
    if (status == CORM_OK) {
        query->items = corm_calloc(corm_result_output_count(query->result), sizeof *query->items);
        status = query->items == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    if (status != CORM_OK) {
        corm_query_rewind(query);
    }
    return status;
}

bool corm_next_row(corm_session *session, corm_query *query) {
    bool has_row = false;
    if (query == NULL) {
        c_query_select(query); /* says why */
        return false;
    }
    drop_row(query);
    corm_status status = query->result == NULL ? run(session, query) : CORM_OK;
    if (status == CORM_OK) {
        status = corm_session_enter(query->session);
    }
    if (status == CORM_OK) {
        status = corm_result_next(query->result, query->items, &has_row);
        corm_session_leave(query->session);
    }
    if (status != CORM_OK || !has_row) {
        corm_error kept;
        corm_error_take(&kept);
        corm_query_rewind(query);
        corm_error_restore(&kept);
        if (status == CORM_OK) {
            corm_error_clear();
        }
        return false;
    }
    query->has_row = true;
    return true;
}

/* A joined collection repeats its parent in rows that need not follow each other: each object is given once. */
static bool is_repeated(corm_query *query, corm_object *object, corm_status *status) {
    bool added = true;
    if (corm_result_needs_unique(query->result)) {
        *status = corm_set_add(&query->seen, object, &added);
    }
    return !added && *status == CORM_OK;
}

void *corm_query_next(corm_session *session, corm_query *query, corm_mapping *mapping) {
    corm_status status = CORM_OK;
    corm_object *object;
    do {
        if (!corm_next_row(session, query)) {
            return NULL;
        }
        const corm_output *output = corm_result_outputs(query->result);
        if (!output->is_object || output->mapper != mapping->mapper) {
            corm_query_rewind(query);
            corm_error_set(CORM_ARGUMENT_ERROR, "the query's first column is no %s: read rows with corm_next_row()",
                           mapping->name);
            return NULL;
        }
        object = query->items[0].object;
    } while (object == NULL || is_repeated(query, object, &status));
    if (status != CORM_OK) {
        corm_query_rewind(query);
        corm_error_no_memory();
        return NULL;
    }
    return c_object_struct(c_object_from(object));
}

void *corm_query_first(corm_session *session, corm_query *query, corm_mapping *mapping) {
    void *object = corm_query_next(session, query, mapping);
    if (object != NULL) {
        corm_query_rewind(query); /* the session holds the object */
    }
    return object;
}

/* ---- rows ---- */

const corm_value *corm_row_value(const corm_query *query, size_t column) {
    static const corm_value absent = {0};
    if (!query->has_row || column >= corm_result_output_count(query->result) ||
        corm_result_outputs(query->result)[column].is_object) {
        return &absent;
    }
    return &query->items[column].value;
}

bool corm_row_is_null(const corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    return value->kind == CORM_KIND_NULL || value->kind == CORM_KIND_ABSENT;
}

/* An exact number is a text: as a double. */
static double decimal_of(const corm_value *value) {
    char text[64];
    snprintf(text, sizeof text, "%.*s",
             (int)(value->as.text.size < sizeof text ? value->as.text.size : sizeof text - 1), value->as.text.data);
    return strtod(text, NULL);
}

double corm_row_double(const corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    return value->kind == CORM_KIND_FLOAT     ? value->as.real
           : value->kind == CORM_KIND_DECIMAL ? decimal_of(value)
           : value->kind == CORM_KIND_INTEGER ? (double)value->as.integer
           : value->kind == CORM_KIND_BOOLEAN ? value->as.boolean
                                              : 0;
}

int64_t corm_row_int(const corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    if (value->kind == CORM_KIND_INTEGER) {
        return value->as.integer;
    }
    double real = corm_row_double(query, column);
    return real >= 9223372036854775808.0    ? INT64_MAX
           : real >= -9223372036854775808.0 ? (int64_t)real
           : real < 0                       ? INT64_MIN
                                            : 0;
}

const char *corm_row_text(corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    corm_text text = CORM_TEXT_EMPTY;
    if (corm_row_is_null(query, column)) {
        return NULL;
    }
    if (value->kind == CORM_KIND_TEXT || value->kind == CORM_KIND_BYTES || value->kind == CORM_KIND_DECIMAL) {
        corm_text_append_bytes(&text, value->as.text.data, value->as.text.size);
    } else {
        corm_value_describe(value, &text);
    }
    char *copy = corm_text_take(&text, NULL);
    if (copy == NULL || corm_vector_push(&query->texts, copy) != CORM_OK) {
        corm_free(copy);
        return NULL;
    }
    return copy;
}

void *corm_row_object(const corm_query *query, size_t column) {
    if (!query->has_row || column >= corm_result_output_count(query->result) ||
        !corm_result_outputs(query->result)[column].is_object || query->items[column].object == NULL) {
        return NULL;
    }
    return c_object_struct(c_object_from(query->items[column].object));
}

int64_t corm_count(corm_session *session, corm_query *query) {
    corm_query *counting = c_query_select(query) == NULL ? NULL : corm_query_new();
    int64_t count = -1;
    if (counting == NULL) {
        return -1;
    }
    corm_node *inner = corm_select_with_style(query->select, CORM_LABEL_TABLE_COLUMN);
    corm_node *from = inner == NULL ? NULL : corm_alias_new(inner, NULL, 0);
    corm_pick(counting, corm_count_all());
    if (from != NULL && counting->select != NULL) {
        become(counting, corm_select_from(counting->select, from));
    }
    if (from != NULL && corm_next_row(session, counting)) { /* a query that could not be made says why */
        count = corm_row_int(counting, 0);
    }
    corm_node_unref(inner);
    corm_node_unref(from);
    corm_query_free(counting);
    return count;
}

char *corm_query_sql(const corm_query *query) {
    corm_text text = CORM_TEXT_EMPTY;
    corm_node *select = c_query_select(query);
    corm_node *core = select == NULL ? NULL : corm_orm_to_core(select, false);
    bool made = core != NULL && corm_statement_render(NULL, core, false, &text) == CORM_OK;
    corm_node_unref(core);
    if (!made) {
        corm_text_clear(&text);
        return NULL;
    }
    return corm_text_take(&text, NULL);
}

void corm_string_free(char *text) {
    corm_free(text);
}

/* ---- many rows at once ---- */

static corm_status run_plain(corm_session *session, corm_node *statement, int64_t *changed) {
    corm_result *result = NULL;
    corm_status status = corm_session_execute(session, statement, NULL, 0, NULL, &result);
    if (status == CORM_OK && changed != NULL) {
        *changed = corm_result_rowcount(result);
    }
    corm_result_free(result);
    return status;
}

/* Consumes both; statement NULL: it could not be made. */
static corm_status run_dml(corm_session *session, corm_node *statement, corm_expression *criterion, int64_t *changed) {
    corm_status status = statement == NULL ? corm_error_last()->status : CORM_OK;
    if (status == CORM_OK && criterion != NULL) {
        bool made = c_expression_check(criterion, "the criterion");
        corm_node *narrowed = made ? corm_dml_where(statement, criterion) : NULL;
        status = narrowed == NULL ? corm_error_last()->status : CORM_OK;
        corm_node_unref(statement);
        statement = narrowed;
    }
    if (status == CORM_OK) {
        status = run_plain(session, statement, changed);
    }
    if (status == CORM_OK) {
        status = c_session_complete(session);
    }
    corm_node_unref(statement);
    corm_node_unref(criterion);
    return status;
}

/* UPDATE ... SET field = value; consumes the statement. */
static corm_node *with_assignment(corm_node *update, corm_mapping *mapping, const corm_assignment *assignment) {
    corm_node *column = update == NULL ? NULL : c_attribute_node(mapping, NULL, assignment->field);
    bool made = column != NULL && c_expression_check(assignment->value, "the value");
    if (made && corm_node_as_attribute(column)->attribute->column == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no column: UPDATE sets columns", mapping->name,
                       assignment->field);
        made = false;
    }
    corm_node *fit = made ? c_expression_fitting(column, assignment->value) : NULL;
    corm_node *set = fit == NULL ? NULL : corm_dml_values(update, &column, &fit, 1);
    corm_node_unref(column);
    corm_node_unref(fit);
    corm_node_unref(update);
    return set;
}

corm_status corm_update_fields(corm_session *session, corm_mapping *mapping, const corm_assignment *assignments,
                               size_t count, corm_expression *criterion, int64_t *changed) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_node *entity = mapper == NULL ? NULL : corm_entity_of(mapper);
    corm_node *update = entity == NULL ? NULL : corm_update_new(entity);
    for (size_t i = 0; i < count; i++) {
        update = with_assignment(update, mapping, &assignments[i]);
        corm_node_unref(assignments[i].value);
    }
    corm_node_unref(entity);
    return run_dml(session, update, criterion, changed);
}

corm_status corm_update_rows(corm_session *session, corm_mapping *mapping, const char *field, corm_expression *value,
                             corm_expression *criterion, int64_t *changed) {
    return corm_update_fields(session, mapping, &(corm_assignment){field, value}, 1, criterion, changed);
}

corm_status corm_delete_rows(corm_session *session, corm_mapping *mapping, corm_expression *criterion,
                             int64_t *changed) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_node *entity = mapper == NULL ? NULL : corm_entity_of(mapper);
    corm_node *statement = entity == NULL ? NULL : corm_delete_new(entity);
    corm_node_unref(entity);
    return run_dml(session, statement, criterion, changed);
}

corm_status corm_run(corm_session *session, corm_expression *text, int64_t *changed) {
    corm_status status =
        c_expression_check(text, "the statement") ? run_plain(session, text, changed) : corm_error_last()->status;
    corm_node_unref(text);
    return status;
}
