/*
 * Expressions and queries of the C face: see cormorant/query.h.
 *
 * Expressions are nodes; each constructor here consumes its arguments. A failed one is NULL, and everything made with it
 * is NULL too. A query that was given NULL fails when it runs, with the reason it kept.
 */
#include <string.h>

#include "base/alloc.h"
#include "host/object.h"
#include "orm/query.h"
#include "orm/session_private.h"
#include "sql/walk.h"

struct corm_query {
    corm_node *select;     /* NULL: nothing is selected yet */
    corm_error failure;    /* the first thing that went wrong while it was made */
    corm_result *result;   /* while it runs */
    corm_session *session; /* of the result: borrowed */
    corm_item *items;      /* of the present row of columns */
    bool has_row;
    corm_vector texts;     /* char *: zero-terminated copies for corm_row_text() */
};

/* ---- consuming constructors ---- */

static corm_expression *consume(corm_expression *result, corm_expression *first, corm_expression *second) {
    corm_node_unref(first);
    corm_node_unref(second);
    return result;
}

static corm_expression *attribute_of(corm_mapping *mapping, const char *field) {
    corm_attribute *attribute = c_attribute_of(mapping, field);
    corm_node *entity = attribute == NULL ? NULL : corm_entity_of(attribute->mapper);
    corm_node *node = entity == NULL ? NULL : corm_attribute_node_new(entity, attribute);
    corm_node_unref(entity);
    return node;
}

corm_expression *corm_column_of_field(corm_mapping *mapping, const char *field) {
    return attribute_of(mapping, field);
}

static corm_expression *bind(const corm_value *value) {
    return value->kind == CORM_KIND_NULL ? corm_null() : corm_bind_new(value, NULL);
}

corm_expression *corm_value_int(int64_t value) {
    corm_value bound = corm_value_integer(value);
    return bind(&bound);
}

corm_expression *corm_value_double(double value) {
    corm_value bound = corm_value_float(value);
    return bind(&bound);
}

corm_expression *corm_value_bool(bool value) {
    corm_value bound = corm_value_boolean(value);
    return bind(&bound);
}

corm_expression *corm_value_text(const char *value) {
    if (value == NULL) {
        return corm_null();
    }
    corm_value bound = corm_value_bytes(CORM_KIND_TEXT, value, strlen(value));
    return bind(&bound);
}

corm_expression *corm_value_expression(corm_expression *expression) {
    return expression;
}

/* A plain value compared with a column takes the column's type. */
static corm_node *fitting(corm_node *left, corm_node *right) {
    if (left != NULL && right != NULL && right->kind == CORM_NODE_BIND && !(right->detail & CORM_BIND_EXPANDING)) {
        return corm_bind_compared(left, &corm_node_bind(right)->value);
    }
    return corm_node_ref(right);
}

corm_expression *corm_compare(corm_comparison how, corm_expression *left, corm_expression *right) {
    static const corm_operator operators[] = {
        [CORM_COMPARE_EQ] = CORM_OP_EQ,        [CORM_COMPARE_NE] = CORM_OP_NE,
        [CORM_COMPARE_LT] = CORM_OP_LT,        [CORM_COMPARE_LE] = CORM_OP_LE,
        [CORM_COMPARE_GT] = CORM_OP_GT,        [CORM_COMPARE_GE] = CORM_OP_GE,
        [CORM_COMPARE_LIKE] = CORM_OP_LIKE,    [CORM_COMPARE_ILIKE] = CORM_OP_ILIKE,
        [CORM_COMPARE_STARTS_WITH] = CORM_OP_STARTSWITH, [CORM_COMPARE_ENDS_WITH] = CORM_OP_ENDSWITH,
        [CORM_COMPARE_CONTAINS] = CORM_OP_CONTAINS,      [CORM_COMPARE_ADD] = CORM_OP_ADD,
        [CORM_COMPARE_SUBTRACT] = CORM_OP_SUB, [CORM_COMPARE_MULTIPLY] = CORM_OP_MUL,
        [CORM_COMPARE_DIVIDE] = CORM_OP_TRUE_DIV, [CORM_COMPARE_MODULO] = CORM_OP_MOD};
    corm_node *result = NULL;
    if ((size_t)how == 0 || (size_t)how >= sizeof operators / sizeof *operators) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%d is no comparison", (int)how);
        return consume(NULL, left, right);
    }
    bool matches = how == CORM_COMPARE_STARTS_WITH || how == CORM_COMPARE_ENDS_WITH || how == CORM_COMPARE_CONTAINS;
    if (matches && right != NULL && right->kind == CORM_NODE_BIND &&
        corm_node_bind(right)->value.kind == CORM_KIND_TEXT) {
        const corm_value *text = &corm_node_bind(right)->value;
        result = corm_binary_text_match(operators[how], left, text->as.text.data, text->as.text.size, NULL, true);
        return consume(result, left, right);
    }
    corm_node *fit = fitting(left, right);
    result = corm_binary_new(operators[how], left, fit);
    corm_node_unref(fit);
    return consume(result, left, right);
}

corm_expression *corm_null_test(corm_expression *expression, bool is_null) {
    corm_node *null = corm_null();
    corm_node *test = corm_binary_new(is_null ? CORM_OP_IS : CORM_OP_IS_NOT, expression, null);
    return consume(test, expression, null);
}

corm_expression *corm_between_of(corm_expression *expression, corm_expression *low, corm_expression *high) {
    corm_node *from = fitting(expression, low), *to = fitting(expression, high);
    corm_node *between = corm_between(expression, from, to, false);
    corm_node_unref(from);
    corm_node_unref(to);
    corm_node_unref(high);
    return consume(between, expression, low);
}

static corm_expression *in_values(corm_expression *expression, corm_value *values, size_t count) {
    corm_node *list =
        expression == NULL || values == NULL ? NULL : corm_bind_list(values, count, 1, corm_node_type(expression));
    corm_node *in = corm_in(expression, list);
    corm_free(values);
    return consume(in, expression, list);
}

corm_expression *corm_in_ints(corm_expression *expression, const int64_t *values, size_t count) {
    corm_value *list = corm_alloc_array(count, sizeof *list);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = corm_value_integer(values[i]);
    }
    return in_values(expression, list, count);
}

corm_expression *corm_in_texts(corm_expression *expression, const char *const *values, size_t count) {
    corm_value *list = corm_alloc_array(count, sizeof *list);
    for (size_t i = 0; list != NULL && i < count; i++) {
        list[i] = values[i] == NULL ? CORM_NULL_VALUE : corm_value_bytes(CORM_KIND_TEXT, values[i], strlen(values[i]));
    }
    return in_values(expression, list, count);
}

corm_expression *corm_in_query(corm_expression *expression, corm_query *query) {
    return consume(corm_in(expression, query->select), expression, NULL);
}

corm_expression *corm_both(corm_expression *left, corm_expression *right) {
    return consume(corm_and2(left, right), left, right);
}

corm_expression *corm_either(corm_expression *left, corm_expression *right) {
    return consume(corm_or2(left, right), left, right);
}

corm_expression *corm_negate(corm_expression *expression) {
    return consume(corm_not(expression), expression, NULL);
}

corm_expression *corm_call(const char *name, corm_expression *first, corm_expression *second, corm_expression *third) {
    corm_node *arguments[] = {first, second, third};
    size_t count = first == NULL ? 0 : second == NULL ? 1 : third == NULL ? 2 : 3;
    corm_node *call = corm_function_new(name, arguments, count, NULL);
    corm_node_unref(third);
    return consume(call, first, second);
}

corm_expression *corm_count_all(void) {
    return corm_call("count", corm_star(), NULL, NULL);
}

corm_expression *corm_as(corm_expression *expression, const char *name) {
    return consume(corm_label(expression, name), expression, NULL);
}

corm_expression *corm_desc(corm_expression *expression) {
    return consume(corm_unary_new(CORM_OP_DESC, expression), expression, NULL);
}

corm_expression *corm_sql(const char *text) {
    return corm_text_new(text, NULL, 0, NULL, 0);
}

corm_expression *corm_relationship_is(corm_mapping *mapping, const char *field, void *object) {
    corm_node *attribute = attribute_of(mapping, field);
    c_object *known = object == NULL ? NULL : c_object_of(object);
    if (attribute == NULL || (object != NULL && known == NULL)) {
        return consume(NULL, attribute, NULL);
    }
    return consume(corm_relationship_equals(attribute, known == NULL ? NULL : c_object_handle(known)), attribute, NULL);
}

corm_expression *corm_relationship_any(corm_mapping *mapping, const char *field, corm_expression *criterion) {
    corm_node *attribute = attribute_of(mapping, field);
    return consume(attribute == NULL ? NULL : corm_relationship_exists(attribute, criterion), attribute, criterion);
}

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
    if (expression == NULL) {
        note_failure(query);
        return;
    }
    become(query, query->select == NULL ? corm_select_new(&expression, 1)
                                        : corm_select_append(query->select, CORM_SELECT_COLUMNS, &expression, 1));
    corm_node_unref(expression);
}

void corm_query_pick_mapping(corm_query *query, corm_mapping *mapping) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_pick(query, mapper == NULL ? NULL : corm_entity_of(mapper));
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
    if (query->select == NULL || (needs_expression && expression == NULL)) {
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

void corm_query_join(corm_query *query, corm_mapping *mapping, const char *field, bool outer) {
    corm_node *attribute = attribute_of(mapping, field);
    if (may_add(query, attribute, true)) {
        become(query, corm_select_join(query->select, NULL, attribute, NULL, outer ? CORM_JOIN_OUTER : 0));
        corm_node_unref(attribute);
    }
}

void corm_query_with(corm_query *query, corm_mapping *mapping, const char *field, const char *strategy) {
    corm_node *attribute = attribute_of(mapping, field);
    corm_lazy lazy = strcmp(strategy, "selectin") == 0 ? CORM_LAZY_SELECTIN
                     : strcmp(strategy, "joined") == 0 ? CORM_LAZY_JOINED
                     : strcmp(strategy, "raise") == 0  ? CORM_LAZY_RAISE
                                                       : CORM_LAZY_DEFAULT;
    if (lazy == CORM_LAZY_DEFAULT) {
        corm_error_set(CORM_ARGUMENT_ERROR, "'%s' is no loading strategy: selectin, joined or raise", strategy);
        corm_node_unref(attribute);
        attribute = NULL;
    }
    if (may_add(query, attribute, true)) {
        corm_node *option = corm_load_option_new(&attribute, 1, lazy, false, false, NULL);
        become(query, option == NULL ? NULL : corm_select_append(query->select, CORM_SELECT_OPTIONS, &option, 1));
        corm_node_unref(option);
        corm_node_unref(attribute);
    }
}

/* ---- running ---- */

static corm_status run(corm_session *session, corm_query *query) {
    if (query->failure.status != CORM_OK) {
        return corm_error_set(query->failure.status, "%s",
                              query->failure.message == NULL ? "out of memory" : query->failure.message);
    }
    if (query->select == NULL) {
        return corm_error_set(CORM_INVALID_REQUEST, "the query selects nothing");
    }
    query->session = session;
    corm_status status = corm_session_execute(session, query->select, NULL, 0, NULL, &query->result);
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

void *corm_query_next(corm_session *session, corm_query *query, corm_mapping *mapping) {
    corm_object *last = NULL;
    /* A joined collection repeats its parent's row: each object is given once in a run. */
    if (query != NULL && query->has_row && query->result != NULL && corm_result_needs_unique(query->result)) {
        last = query->items[0].object;
    }
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
    } while (query->items[0].object == NULL || query->items[0].object == last);
    return c_object_struct(c_object_from(query->items[0].object));
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

int64_t corm_row_int(const corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    return value->kind == CORM_KIND_INTEGER   ? value->as.integer
           : value->kind == CORM_KIND_BOOLEAN ? value->as.boolean
           : value->kind == CORM_KIND_FLOAT   ? (int64_t)value->as.real
                                              : 0;
}

double corm_row_double(const corm_query *query, size_t column) {
    const corm_value *value = corm_row_value(query, column);
    return value->kind == CORM_KIND_FLOAT ? value->as.real : (double)corm_row_int(query, column);
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
    corm_query *counting = corm_query_new();
    int64_t count = -1;
    if (counting == NULL || query->select == NULL) {
        corm_query_free(counting);
        return -1;
    }
    corm_node *inner = corm_select_with_style(query->select, CORM_LABEL_TABLE_COLUMN);
    corm_node *from = inner == NULL ? NULL : corm_alias_new(inner, NULL, 0);
    corm_pick(counting, corm_count_all());
    if (from != NULL && counting->select != NULL) {
        become(counting, corm_select_from(counting->select, from));
        if (corm_next_row(session, counting)) {
            count = corm_row_int(counting, 0);
        }
    }
    corm_node_unref(inner);
    corm_node_unref(from);
    corm_query_free(counting);
    return count;
}

char *corm_query_sql(const corm_query *query) {
    corm_text text = CORM_TEXT_EMPTY;
    corm_node *core = query->select == NULL ? NULL : corm_orm_to_core(query->select, false);
    if (core == NULL || corm_statement_render(NULL, core, false, &text) != CORM_OK) {
        corm_text_clear(&text);
    }
    corm_node_unref(core);
    return corm_text_take(&text, NULL);
}

void corm_string_free(char *text) {
    corm_free(text);
}

/* ---- many rows at once ---- */

static corm_status run_dml(corm_session *session, corm_node *statement, corm_expression *criterion, int64_t *changed) {
    corm_result *result = NULL;
    corm_node *narrowed = statement == NULL || criterion == NULL ? corm_node_ref(statement)
                                                                 : corm_dml_where(statement, criterion);
    corm_status status = narrowed == NULL ? corm_error_last()->status
                                          : corm_session_execute(session, narrowed, NULL, 0, NULL, &result);
    if (status == CORM_OK && changed != NULL) {
        *changed = corm_result_rowcount(result);
    }
    corm_result_free(result);
    corm_node_unref(narrowed);
    corm_node_unref(statement);
    corm_node_unref(criterion);
    return status;
}

corm_status corm_update_rows(corm_session *session, corm_mapping *mapping, const char *field, corm_expression *value,
                             corm_expression *criterion, int64_t *changed) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_node *entity = mapper == NULL ? NULL : corm_entity_of(mapper);
    corm_node *column = attribute_of(mapping, field);
    corm_node *update = entity == NULL ? NULL : corm_update_new(entity);
    corm_node *fit = fitting(column, value);
    corm_node *set = update == NULL || column == NULL || fit == NULL ? NULL : corm_dml_values(update, &column, &fit, 1);
    corm_node_unref(entity);
    corm_node_unref(column);
    corm_node_unref(update);
    corm_node_unref(fit);
    corm_node_unref(value);
    return run_dml(session, set, criterion, changed);
}

corm_status corm_delete_rows(corm_session *session, corm_mapping *mapping, corm_expression *criterion, int64_t *changed) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_node *entity = mapper == NULL ? NULL : corm_entity_of(mapper);
    corm_node *statement = entity == NULL ? NULL : corm_delete_new(entity);
    corm_node_unref(entity);
    return run_dml(session, statement, criterion, changed);
}
