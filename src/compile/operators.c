/*
 * Operators as SQL: those that stand between their operands, in a loop along chains, and those with a form of their own.
 */
#include <string.h>

#include "compile/compiler_private.h"
#include "sql/select.h"

static corm_text *text_of(corm_compiler *compiler) {
    return &compiler->out->text;
}

/* ---- operators that are not simply between their operands ---- */

static corm_status write_escape(corm_compiler *compiler, const corm_node *escape) {
    if (!escape)
        return CORM_OK;
    corm_text_append(text_of(compiler), " ESCAPE ");
    const char *character = corm_node_display_name(escape);
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, character, strlen(character));
    return compiler->dialect->literal(compiler->dialect, corm_node_type(escape), &value, text_of(compiler));
}

static corm_status lowered(corm_compiler *compiler, corm_node *node, const corm_node *beside, bool lower,
                           corm_operator against) {
    if (lower)
        corm_text_append(text_of(compiler), "lower(");
    corm_status status = corm_compile_expression(compiler, node, lower ? CORM_OP_NONE : against, beside);
    if (lower)
        corm_text_append_char(text_of(compiler), ')');
    return status;
}

/* LIKE with '%' put before or after the operand, and its forms that ignore case. */
static corm_status compile_like(corm_compiler *compiler, const corm_binary *binary, bool ignores_case, bool before,
                                bool after, bool negated) {
    const corm_dialect *dialect = compiler->dialect;
    bool concatenates = before || after;
    bool lower = ignores_case && !dialect->like_ignoring_case;
    corm_status status =
        lowered(compiler, binary->children[0], binary->children[1], lower, concatenates ? ALWAYS : CORM_OP_LIKE);
    if (ignores_case && !lower)
        corm_text_append(text_of(compiler), negated ? dialect->not_like_ignoring_case : dialect->like_ignoring_case);
    else
        corm_text_append(text_of(compiler), negated ? " NOT LIKE " : " LIKE ");
    const char *joiner = dialect->concat_function ? ", " : " || ";
    if (concatenates && dialect->concat_function)
        corm_text_append_format(text_of(compiler), "%s(", dialect->concat_function);
    if (before)
        corm_text_append_format(text_of(compiler), "'%%'%s", joiner);
    if (!status)
        status = lowered(compiler, binary->children[1], binary->children[0], lower,
                         concatenates ? CORM_OP_CONCAT : CORM_OP_LIKE);
    if (after)
        corm_text_append_format(text_of(compiler), "%s'%%'", joiner);
    if (concatenates && dialect->concat_function)
        corm_text_append_char(text_of(compiler), ')');
    return status ? status : write_escape(compiler, binary->children[2]);
}

static corm_status compile_in(corm_compiler *compiler, const corm_binary *binary, bool negated) {
    corm_node *left = binary->children[0];
    corm_node *right = binary->children[1];
    /* NOT IN carries its own parentheses. */
    if (negated)
        corm_text_append_char(text_of(compiler), '(');
    corm_status status = corm_compile_expression(compiler, left, CORM_OP_IN, NULL);
    corm_text_append(text_of(compiler), negated ? " NOT IN " : " IN ");
    bool own =
        right->kind == CORM_NODE_SCALAR_SUBQUERY || right->kind == CORM_NODE_LIST || right->kind == CORM_NODE_GROUPING;
    if (!own)
        corm_text_append_char(text_of(compiler), '(');
    if (!status && right->kind == CORM_NODE_LIST && corm_list_count(right) == 0) {
        corm_text_append_char(text_of(compiler), '(');
        corm_empty_set(compiler->dialect, 1, negated, text_of(compiler));
        corm_text_append_char(text_of(compiler), ')');
    } else if (!status && corm_node_is_select(right)) {
        status = corm_compile_select(compiler, right, 0);
    } else if (!status && right->kind == CORM_NODE_ALIAS) {
        corm_text_append(text_of(compiler), "SELECT * FROM ");
        status = corm_compile_from(compiler, right);
    } else if (!status) {
        bool outer = compiler->negates_list;
        compiler->negates_list = negated;
        status = corm_compile_expression(compiler, right, CORM_OP_NONE, left);
        compiler->negates_list = outer;
    }
    if (!own)
        corm_text_append_char(text_of(compiler), ')');
    if (negated)
        corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_between(corm_compiler *compiler, const corm_binary *binary) {
    const corm_node *range = binary->children[1];
    corm_status status =
        corm_compile_expression(compiler, binary->children[0], CORM_OP_BETWEEN, corm_list_at(range, 0));
    corm_text_append(text_of(compiler), binary->node.op == CORM_OP_BETWEEN ? " BETWEEN " : " NOT BETWEEN ");
    if (binary->node.detail & CORM_BINARY_SYMMETRIC)
        corm_text_append(text_of(compiler), "SYMMETRIC ");
    for (size_t i = 0; i < 2 && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), " AND ");
        status = corm_compile_expression(compiler, corm_list_at(range, i), CORM_OP_BETWEEN, binary->children[0]);
    }
    return status;
}

static corm_status compile_filter(corm_compiler *compiler, const corm_binary *binary) {
    corm_status status = corm_compile_expression(compiler, binary->children[0], CORM_OP_NONE, NULL);
    corm_text_append(text_of(compiler), " FILTER (WHERE ");
    if (!status)
        status = corm_compile_expression(compiler, binary->children[1], CORM_OP_AS_BOOLEAN, NULL);
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_collate(corm_compiler *compiler, const corm_binary *binary) {
    corm_status status = corm_compile_expression(compiler, binary->children[0], CORM_OP_COLLATE, NULL);
    corm_text_append(text_of(compiler), " COLLATE ");
    const corm_node *right = binary->children[1];
    if (status)
        return status;
    if (right->kind == CORM_NODE_LITERAL_COLUMN)
        return corm_dialect_identifier(compiler->dialect, corm_node_display_name(right), text_of(compiler));
    if (right->kind == CORM_NODE_BIND && corm_node_bind(right)->value.kind == CORM_KIND_TEXT) {
        const corm_value *value = &corm_node_bind(right)->value;
        char *name = corm_strndup(value->as.text.data, value->as.text.size);
        status = name ? corm_dialect_identifier(compiler->dialect, name, text_of(compiler)) : CORM_NO_MEMORY;
        corm_free(name);
        return status;
    }
    return corm_error_set(CORM_COMPILE_ERROR, "A collation is a name");
}

/* Text joined by a function: a chain of them is one call. */
static corm_status compile_concat(corm_compiler *compiler, corm_node *node) {
    corm_vector spine = {0};
    corm_status status = CORM_OK;
    while (!status && node->kind == CORM_NODE_BINARY && node->op == CORM_OP_CONCAT) {
        status = corm_vector_push(&spine, node);
        node = corm_node_child(node, 0);
    }
    corm_text_append_format(text_of(compiler), "%s(", compiler->dialect->concat_function);
    if (!status)
        status =
            corm_compile_expression(compiler, node, CORM_OP_CONCAT, corm_node_child(spine.items[spine.count - 1], 1));
    while (!status && spine.count) {
        const corm_node *joined = spine.items[--spine.count];
        corm_text_append(text_of(compiler), ", ");
        status =
            corm_compile_expression(compiler, corm_node_child(joined, 1), CORM_OP_CONCAT, corm_node_child(joined, 0));
    }
    corm_text_append_char(text_of(compiler), ')');
    corm_vector_clear(&spine);
    return status;
}

static corm_status compile_between_words(corm_compiler *compiler, const corm_binary *binary, const char *before,
                                         const char *middle, corm_operator against) {
    corm_text_append(text_of(compiler), before);
    corm_status status = corm_compile_expression(compiler, binary->children[0], against, binary->children[1]);
    corm_text_append(text_of(compiler), middle);
    if (!status)
        status = corm_compile_expression(compiler, binary->children[1], against, binary->children[0]);
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

/* ---- the spine ---- */

/* The text between the operands; NULL for operators with a form of their own. */
static const char *infix(const corm_compiler *compiler, const corm_node *node) {
    switch ((corm_operator)node->op) {
    case CORM_OP_IN:
    case CORM_OP_NOT_IN:
    case CORM_OP_BETWEEN:
    case CORM_OP_NOT_BETWEEN:
    case CORM_OP_COLLATE:
    case CORM_OP_FILTER:
        return NULL;
    case CORM_OP_IS_DISTINCT_FROM:
        return compiler->dialect->distinct_from;
    case CORM_OP_IS_NOT_DISTINCT_FROM:
        return compiler->dialect->not_distinct_from;
    case CORM_OP_REGEXP_MATCH:
        return compiler->dialect->regexp;
    case CORM_OP_NOT_REGEXP_MATCH:
        return compiler->dialect->not_regexp;
    case CORM_OP_CUSTOM:
        return " ";
    case CORM_OP_TRUE_DIV:
        return compiler->dialect->true_divide ? NULL : " / ";
    case CORM_OP_FLOOR_DIV:
        return compiler->dialect->floors_division ? NULL : " / ";
    case CORM_OP_CONCAT:
        return compiler->dialect->concat_function ? NULL : " || ";
    default:
        return corm_operators[node->op].text;
    }
}

corm_status corm_compile_special(corm_compiler *compiler, const corm_node *node) {
    const corm_binary *binary = (const corm_binary *)(const void *)node;
    switch ((corm_operator)node->op) {
    case CORM_OP_IN:
        return compile_in(compiler, binary, false);
    case CORM_OP_NOT_IN:
        return compile_in(compiler, binary, true);
    case CORM_OP_BETWEEN:
    case CORM_OP_NOT_BETWEEN:
        return compile_between(compiler, binary);
    case CORM_OP_COLLATE:
        return compile_collate(compiler, binary);
    case CORM_OP_FILTER:
        return compile_filter(compiler, binary);
    case CORM_OP_TRUE_DIV:
        return compiler->dialect->true_divide(compiler, binary);
    case CORM_OP_FLOOR_DIV:
        return compile_between_words(compiler, binary, "FLOOR(", " / ", CORM_OP_FLOOR_DIV);
    case CORM_OP_CONCAT:
        return compile_concat(compiler, (corm_node *)(uintptr_t)node);
    case CORM_OP_IS_DISTINCT_FROM:
        return compile_between_words(compiler, binary, "NOT (", compiler->dialect->not_distinct_from,
                                     CORM_OP_IS_DISTINCT_FROM);
    case CORM_OP_ILIKE:
        return compile_like(compiler, binary, true, false, false, false);
    case CORM_OP_NOT_ILIKE:
        return compile_like(compiler, binary, true, false, false, true);
    case CORM_OP_STARTSWITH:
        return compile_like(compiler, binary, false, false, true, false);
    case CORM_OP_NOT_STARTSWITH:
        return compile_like(compiler, binary, false, false, true, true);
    case CORM_OP_ENDSWITH:
        return compile_like(compiler, binary, false, true, false, false);
    case CORM_OP_NOT_ENDSWITH:
        return compile_like(compiler, binary, false, true, false, true);
    case CORM_OP_CONTAINS:
        return compile_like(compiler, binary, false, true, true, false);
    case CORM_OP_NOT_CONTAINS:
        return compile_like(compiler, binary, false, true, true, true);
    case CORM_OP_ISTARTSWITH:
        return compile_like(compiler, binary, true, false, true, false);
    case CORM_OP_NOT_ISTARTSWITH:
        return compile_like(compiler, binary, true, false, true, true);
    case CORM_OP_IENDSWITH:
        return compile_like(compiler, binary, true, true, false, false);
    case CORM_OP_NOT_IENDSWITH:
        return compile_like(compiler, binary, true, true, false, true);
    case CORM_OP_ICONTAINS:
        return compile_like(compiler, binary, true, true, true, false);
    case CORM_OP_NOT_ICONTAINS:
        return compile_like(compiler, binary, true, true, true, true);
    default:
        return corm_error_set(CORM_COMPILE_ERROR, "An operator cannot be compiled here");
    }
}

bool corm_is_chain(const corm_compiler *compiler, const corm_node *node) {
    if (node->kind == CORM_NODE_LIST)
        return (node->op == CORM_OP_AND || node->op == CORM_OP_OR) && node->child_count > 0;
    if (node->kind == CORM_NODE_UNARY)
        return node->op == CORM_OP_NOT && corm_node_is_chain(corm_node_child(node, 0));
    return node->kind == CORM_NODE_BINARY && infix(compiler, node) != NULL;
}

bool corm_is_parenthesised(const corm_node *node, corm_operator against) {
    return against != CORM_OP_NONE && corm_operator_needs_parentheses((corm_operator)node->op, against);
}

/* Which operand of a chain's node the loop goes into. */
static size_t place_on_spine(const corm_node *node) {
    size_t deepest = corm_node_deepest(node);
    return node->kind == CORM_NODE_BINARY && deepest > 1 ? 0 : deepest; /* an ESCAPE character is no operand */
}

static void write_infix(corm_compiler *compiler, const corm_node *node) {
    corm_text_append(text_of(compiler), infix(compiler, node));
    if (node->op == CORM_OP_CUSTOM) {
        corm_text_append(text_of(compiler), ((const corm_binary *)(const void *)node)->custom);
        corm_text_append_char(text_of(compiler), ' ');
    }
}

/* The operands of AND or OR from one place to before another, each with the word between it and its neighbour. */
static corm_status compile_some(corm_compiler *compiler, const corm_node *list, size_t from, size_t until) {
    corm_operator op = (corm_operator)list->op;
    corm_status status = CORM_OK;
    for (size_t i = from; i < until && !status; i++) {
        if (from > 0)
            corm_text_append(text_of(compiler), corm_operators[op].text);
        status = corm_compile_expression(compiler, corm_list_at(list, i), op, NULL);
        if (from == 0)
            corm_text_append(text_of(compiler), corm_operators[op].text);
    }
    return status;
}

/* What stands before the operand that the loop goes into. */
static corm_status compile_before(corm_compiler *compiler, const corm_node *node, size_t place) {
    corm_operator op = (corm_operator)node->op;
    if (node->kind == CORM_NODE_LIST)
        return compile_some(compiler, node, 0, place);
    if (node->kind == CORM_NODE_UNARY) {
        corm_text_append(text_of(compiler), corm_operators[op].text);
        return CORM_OK;
    }
    if (place == 0)
        return CORM_OK;
    corm_status status = corm_compile_expression(compiler, corm_node_child(node, 0), op, corm_node_child(node, 1));
    write_infix(compiler, node);
    return status;
}

/* What follows it. */
static corm_status compile_after(corm_compiler *compiler, const corm_node *node, size_t place) {
    if (node->kind == CORM_NODE_LIST)
        return compile_some(compiler, node, place + 1, node->child_count);
    if (node->kind == CORM_NODE_UNARY)
        return CORM_OK;
    const corm_binary *binary = (const corm_binary *)(const void *)node;
    corm_status status = CORM_OK;
    if (place == 0) {
        write_infix(compiler, node);
        status = corm_compile_expression(compiler, binary->children[1], (corm_operator)node->op, binary->children[0]);
    }
    return status ? status : write_escape(compiler, binary->children[2]);
}

corm_status corm_compile_chain(corm_compiler *compiler, corm_node *node, corm_operator against) {
    corm_vector spine = {0};
    corm_status status = CORM_OK;
    corm_operator outer = against;
    const corm_node *beside = NULL;
    while (corm_is_chain(compiler, node)) {
        size_t place = place_on_spine(node);
        if (corm_is_parenthesised(node, outer))
            corm_text_append_char(text_of(compiler), '(');
        if ((status = corm_vector_push(&spine, node)) || (status = compile_before(compiler, node, place)))
            goto done;
        outer = (corm_operator)node->op;
        beside = node->kind == CORM_NODE_BINARY ? corm_node_child(node, 1 - place) : NULL;
        node = corm_node_child(node, place);
    }
    status = corm_compile_leaf(compiler, node, outer, beside);
    while (spine.count && !status) {
        node = spine.items[--spine.count];
        outer = spine.count ? (corm_operator)((corm_node *)spine.items[spine.count - 1])->op : against;
        status = compile_after(compiler, node, place_on_spine(node));
        if (corm_is_parenthesised(node, outer))
            corm_text_append_char(text_of(compiler), ')');
    }
done:
    corm_vector_clear(&spine);
    return status;
}
