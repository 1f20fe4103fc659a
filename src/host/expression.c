/*
 * Expressions of the C face: see cormorant/query.h.
 *
 * Expressions are nodes; each constructor consumes its arguments. See query.h for what becomes of failures.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "host/query.h"

/* ---- failures ---- */

static const corm_node_vtable failed_vtable = {.name = "failed expression"};

corm_node c_failed_node = {
    .kind = CORM_NODE_CONSTANT, .flags = CORM_NODE_IMMORTAL | CORM_NODE_SEALED, .vtable = &failed_vtable};

/* Why expressions of this thread failed: kept apart from the thread's last error, which later calls overwrite. */
static _Thread_local struct {
    corm_status status;
    char message[256];
} reason;

corm_expression *c_expression_failed(void) {
    const corm_error *error = corm_error_last();
    if (reason.status == CORM_OK) {
        reason.status = error->status == CORM_OK ? CORM_NO_MEMORY : error->status;
        snprintf(reason.message, sizeof reason.message, "%s",
                 error->message == NULL ? "out of memory" : error->message);
    }
    return &c_failed_node;
}

corm_status c_expression_reason(void) {
    corm_status status = reason.status;
    reason.status = CORM_OK;
    if (status == CORM_NO_MEMORY) {
        return corm_error_no_memory();
    }
    return status == CORM_OK ? corm_error_set(CORM_ARGUMENT_ERROR, "an expression could not be made")
                             : corm_error_set(status, "%s", reason.message);
}

corm_expression *c_expression_of(corm_node *node) {
    return node == NULL ? c_expression_failed() : node;
}

bool c_expression_check(const corm_expression *expression, const char *what) {
    if (expression == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s is NULL where an expression is needed", what);
        return false;
    }
    if (!c_expression_is_made(expression)) {
        c_expression_reason();
        return false;
    }
    return true;
}

/* Are both operands there? */
static bool are_made(const corm_expression *first, const corm_expression *second) {
    return c_expression_check(first, "an operand") && c_expression_check(second, "an operand");
}

/* The result of a constructor that took these; NULL ones are not there. */
static corm_expression *consume(corm_node *result, corm_expression *first, corm_expression *second) {
    corm_node_unref(first);
    corm_node_unref(second);
    return c_expression_of(result);
}

/* ---- columns ---- */

corm_node *c_attribute_node(corm_mapping *mapping, corm_node *entity, const char *field) {
    corm_attribute *attribute = c_attribute_of(mapping, field);
    corm_node *own = attribute != NULL && entity == NULL ? corm_entity_of(attribute->mapper) : corm_node_ref(entity);
    corm_node *node = attribute == NULL || own == NULL ? NULL : corm_attribute_node_new(own, attribute);
    corm_node_unref(own);
    return node;
}

corm_expression *corm_column_of_field(corm_mapping *mapping, const char *field) {
    return c_expression_of(c_attribute_node(mapping, NULL, field));
}

corm_aliased *corm_aliased_of(corm_mapping *mapping) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_aliased *alias = mapper == NULL ? NULL : corm_alloc(sizeof *alias);
    if (alias == NULL) {
        return NULL;
    }
    *alias = (corm_aliased){.entity = corm_entity_aliased(mapper, NULL), .mapper = mapper};
    if (alias->entity == NULL) {
        corm_free(alias);
        return NULL;
    }
    return alias;
}

void corm_aliased_free(corm_aliased *alias) {
    if (alias != NULL) {
        corm_node_unref(alias->entity);
        corm_free(alias);
    }
}

corm_expression *corm_column_of_alias(const corm_aliased *alias, const char *field) {
    if (alias == NULL) {
        return c_expression_failed();
    }
    return c_expression_of(c_attribute_node(c_mapping_of(alias->mapper)->mapping, alias->entity, field));
}

/* ---- values ---- */

static corm_expression *bind(corm_value value) {
    return c_expression_of(value.kind == CORM_KIND_NULL ? corm_null() : corm_bind_new(&value, NULL));
}

corm_expression *corm_value_null(void) {
    return corm_null();
}

corm_expression *corm_value_int(int64_t value) {
    return bind(corm_value_integer(value));
}

corm_expression *corm_value_double(double value) {
    return bind(corm_value_float(value));
}

corm_expression *corm_value_bool(bool value) {
    return bind(corm_value_boolean(value));
}

corm_expression *corm_value_text(const char *value) {
    return bind(value == NULL ? CORM_NULL_VALUE : corm_value_bytes(CORM_KIND_TEXT, value, strlen(value)));
}

corm_expression *corm_value_blob(corm_bytes bytes) {
    return bind(bytes.data == NULL ? CORM_NULL_VALUE : corm_value_bytes(CORM_KIND_BYTES, bytes.data, bytes.size));
}

corm_expression *corm_value_datetime(corm_datetime datetime) {
    corm_value value = {.kind = CORM_KIND_DATETIME};
    value.as.datetime = datetime;
    return bind(value);
}

corm_expression *corm_value_maybe_int(corm_int value) {
    return value.set ? corm_value_int(value.value) : corm_null();
}

corm_expression *corm_value_maybe_double(corm_float value) {
    return value.set ? corm_value_double(value.value) : corm_null();
}

corm_expression *corm_value_maybe_bool(corm_bool value) {
    return value.set ? corm_value_bool(value.value) : corm_null();
}

corm_expression *corm_value_moment(corm_moment value) {
    return value.set ? corm_value_datetime(value.value) : corm_null();
}

corm_expression *corm_value_expression(corm_expression *expression) {
    return expression;
}

corm_node *c_expression_fitting(corm_node *left, corm_node *right) {
    if (left != NULL && right != NULL && right->kind == CORM_NODE_BIND && !(right->detail & CORM_BIND_EXPANDING)) {
        /* A corm_datetime is what the column is: a day, a time, or both. */
        corm_value value = corm_node_bind(right)->value;
        corm_type_kind kind = corm_node_type(left)->kind;
        if (value.kind == CORM_KIND_DATETIME && (kind == CORM_TYPE_DATE || kind == CORM_TYPE_TIME)) {
            value.kind = kind == CORM_TYPE_DATE ? CORM_KIND_DATE : CORM_KIND_TIME;
        }
        return corm_bind_compared(left, &value);
    }
    return corm_node_ref(right);
}

/* ---- operators ---- */

/* % and _ of a plain text stand for themselves. */
static corm_node *match_text(corm_operator op, corm_node *left, const corm_node *right) {
    const corm_value *text = &corm_node_bind(right)->value;
    return corm_binary_text_match(op, left, text->as.text.data, text->as.text.size, NULL, true);
}

corm_expression *corm_compare(corm_comparison how, corm_expression *left, corm_expression *right) {
    static const corm_operator operators[] = {
        [CORM_COMPARE_EQ] = CORM_OP_EQ,
        [CORM_COMPARE_NE] = CORM_OP_NE,
        [CORM_COMPARE_LT] = CORM_OP_LT,
        [CORM_COMPARE_LE] = CORM_OP_LE,
        [CORM_COMPARE_GT] = CORM_OP_GT,
        [CORM_COMPARE_GE] = CORM_OP_GE,
        [CORM_COMPARE_LIKE] = CORM_OP_LIKE,
        [CORM_COMPARE_ILIKE] = CORM_OP_ILIKE,
        [CORM_COMPARE_STARTS_WITH] = CORM_OP_STARTSWITH,
        [CORM_COMPARE_ENDS_WITH] = CORM_OP_ENDSWITH,
        [CORM_COMPARE_CONTAINS] = CORM_OP_CONTAINS,
        [CORM_COMPARE_ADD] = CORM_OP_ADD,
        [CORM_COMPARE_SUBTRACT] = CORM_OP_SUB,
        [CORM_COMPARE_MULTIPLY] = CORM_OP_MUL,
        [CORM_COMPARE_DIVIDE] = CORM_OP_TRUE_DIV,
        [CORM_COMPARE_MODULO] = CORM_OP_MOD,
        [CORM_COMPARE_CONCAT] = CORM_OP_CONCAT,
    };
    corm_node *result = NULL;
    if ((size_t)how == 0 || (size_t)how >= sizeof operators / sizeof *operators) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%d is no comparison", (int)how);
        return consume(NULL, left, right);
    }
    if (!are_made(left, right)) {
        return consume(NULL, left, right);
    }
    bool matches = how == CORM_COMPARE_STARTS_WITH || how == CORM_COMPARE_ENDS_WITH || how == CORM_COMPARE_CONTAINS;
    if (matches && right->kind == CORM_NODE_BIND && corm_node_bind(right)->value.kind == CORM_KIND_TEXT) {
        return consume(match_text(operators[how], left, right), left, right);
    }
    corm_node *fit = c_expression_fitting(left, right);
    result = corm_binary_new(operators[how], left, fit);
    corm_node_unref(fit);
    return consume(result, left, right);
}

corm_expression *corm_null_test(corm_expression *expression, bool is_null) {
    bool made = c_expression_check(expression, "what is compared with NULL");
    return consume(made ? corm_binary_new(is_null ? CORM_OP_IS : CORM_OP_IS_NOT, expression, corm_null()) : NULL,
                   expression, NULL);
}

corm_expression *corm_between_of(corm_expression *expression, corm_expression *low, corm_expression *high) {
    corm_node *between = NULL;
    if (are_made(expression, low) && c_expression_check(high, "an operand")) {
        corm_node *from = c_expression_fitting(expression, low), *to = c_expression_fitting(expression, high);
        between = corm_between(expression, from, to, false);
        corm_node_unref(from);
        corm_node_unref(to);
    }
    corm_node_unref(high);
    return consume(between, expression, low);
}

static corm_expression *in_values(corm_expression *expression, corm_value *values, size_t count) {
    bool made = c_expression_check(expression, "what is looked for in a list");
    corm_node *list = !made || values == NULL ? NULL : corm_bind_list(values, count, 1, corm_node_type(expression));
    corm_free(values);
    return consume(list == NULL ? NULL : corm_in(expression, list), expression, list);
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

corm_expression *corm_both(corm_expression *left, corm_expression *right) {
    return consume(are_made(left, right) ? corm_and2(left, right) : NULL, left, right);
}

corm_expression *corm_either(corm_expression *left, corm_expression *right) {
    return consume(are_made(left, right) ? corm_or2(left, right) : NULL, left, right);
}

corm_expression *corm_negate(corm_expression *expression) {
    return consume(c_expression_check(expression, "what is negated") ? corm_not(expression) : NULL, expression, NULL);
}

static corm_expression *unary(corm_operator op, corm_expression *expression) {
    bool made = c_expression_check(expression, "the operand");
    return consume(made ? corm_unary_new(op, expression) : NULL, expression, NULL);
}

corm_expression *corm_desc(corm_expression *expression) {
    return unary(CORM_OP_DESC, expression);
}

corm_expression *corm_nulls_first(corm_expression *expression) {
    return unary(CORM_OP_NULLS_FIRST, expression);
}

corm_expression *corm_nulls_last(corm_expression *expression) {
    return unary(CORM_OP_NULLS_LAST, expression);
}

corm_expression *corm_distinct_of(corm_expression *expression) {
    return unary(CORM_OP_DISTINCT, expression);
}

/* ---- functions and their kin ---- */

corm_expression *corm_call(const char *name, corm_expression *first, corm_expression *second, corm_expression *third) {
    corm_node *arguments[] = {first, second, third};
    size_t count = first == NULL ? 0 : second == NULL ? 1 : third == NULL ? 2 : 3;
    bool made = true;
    for (size_t i = 0; i < 3; i++) {
        made = made && (i >= count || c_expression_check(arguments[i], "an argument"));
    }
    corm_node *call = made ? corm_function_new(name, arguments, count, NULL) : NULL;
    corm_node_unref(third);
    return consume(call, first, second);
}

corm_expression *corm_count_all(void) {
    return corm_call("count", corm_star(), NULL, NULL);
}

corm_expression *corm_as(corm_expression *expression, const char *name) {
    bool made = c_expression_check(expression, "what is named");
    return consume(made ? corm_label(expression, name) : NULL, expression, NULL);
}

corm_expression *corm_by_name(const char *name) {
    return c_expression_of(corm_label_reference(name));
}

corm_expression *corm_cast_to(corm_expression *expression, corm_sql_type type) {
    corm_type *made = NULL;
    corm_node *cast = NULL;
    if (c_expression_check(expression, "what is cast") && c_type_of(type, false, &made) == CORM_OK) {
        cast = corm_cast(expression, made);
    }
    corm_type_unref(made);
    return consume(cast, expression, NULL);
}

corm_expression *corm_when(corm_expression *condition, corm_expression *result, corm_expression *otherwise) {
    corm_node *pair[] = {condition, result};
    corm_node *made = NULL;
    if (are_made(condition, result) && c_expression_check(otherwise, "ELSE")) {
        made = corm_case_new(NULL, pair, 1, otherwise);
    }
    corm_node_unref(otherwise);
    return consume(made, condition, result);
}

corm_expression *corm_sql(const char *text) {
    return c_expression_of(corm_text_new(text, NULL, 0, NULL, 0));
}

corm_expression *corm_sql_value(corm_expression *text, const char *name, corm_expression *value) {
    corm_node *made = NULL, *named = NULL;
    if (are_made(text, value)) {
        const corm_value *plain = value->kind == CORM_NODE_BIND ? &corm_node_bind(value)->value : NULL;
        if (value == corm_null()) {
            plain = &CORM_NULL_VALUE;
        }
        if (text->kind != CORM_NODE_TEXT || plain == NULL) {
            corm_error_set(CORM_ARGUMENT_ERROR, "corm_sql_value() gives a plain value to a place of a corm_sql() text");
        } else {
            named = corm_bind_named(name, plain, value->type, false);
        }
        made = named == NULL ? NULL : corm_text_with_binds(text, &named, 1);
        corm_node_unref(named);
    }
    return consume(made, text, value);
}

/* ---- subqueries, relationships ---- */

corm_expression *corm_in_query(corm_expression *expression, corm_query *query) {
    corm_node *select = c_query_select(query);
    bool made = select != NULL && c_expression_check(expression, "what is looked for in a query");
    return consume(made ? corm_in(expression, select) : NULL, expression, NULL);
}

corm_expression *corm_exists_query(corm_query *query) {
    corm_node *select = c_query_select(query);
    return c_expression_of(select == NULL ? NULL : corm_exists(select));
}

corm_expression *corm_scalar_query(corm_query *query) {
    corm_node *select = c_query_select(query);
    return c_expression_of(select == NULL ? NULL : corm_scalar_subquery(select));
}

corm_expression *corm_relationship_is(corm_mapping *mapping, const char *field, void *object) {
    corm_node *attribute = c_attribute_node(mapping, NULL, field), *made = NULL;
    c_object *known = object == NULL ? NULL : c_object_of(object);
    if (attribute != NULL && (object == NULL || known != NULL)) {
        corm_object *handle = known == NULL ? NULL : c_object_handle(known);
        const corm_attribute *what = corm_node_as_attribute(attribute)->attribute;
        made = what->kind == CORM_ATTRIBUTE_COLLECTION && handle != NULL ? corm_relationship_contains(attribute, handle)
                                                                         : corm_relationship_equals(attribute, handle);
    }
    return consume(made, attribute, NULL);
}

corm_expression *corm_relationship_any(corm_mapping *mapping, const char *field, corm_expression *criterion) {
    corm_node *attribute = c_attribute_node(mapping, NULL, field);
    bool made = attribute != NULL && (criterion == NULL || c_expression_check(criterion, "the criterion"));
    return consume(made ? corm_relationship_exists(attribute, criterion) : NULL, attribute, criterion);
}
