/* Expressions as SQL, except for operators with two sides: operators.c. Recurses as deep as a node may be. */
#include <string.h>

#include "compile/compiler_private.h"
#include "sql/select.h"
#include "sql/text_scan.h"

static corm_text *text_of(corm_compiler *compiler) {
    return &compiler->out->text;
}

static corm_status write_text(corm_compiler *compiler, const char *sql) {
    corm_text_append(text_of(compiler), sql);
    return corm_text_status(text_of(compiler));
}

/* ---- what is true ---- */

static bool is_boolean_context(corm_operator against) {
    return against == CORM_OP_AND || against == CORM_OP_OR || against == CORM_OP_NOT || against == CORM_OP_AS_BOOLEAN;
}

static bool is_plain_boolean(const corm_node *node) {
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_COLUMN:
    case CORM_NODE_COLUMN_OF:
    case CORM_NODE_FUNCTION:
    case CORM_NODE_BIND:
    case CORM_NODE_CAST:
    case CORM_NODE_LITERAL_COLUMN:
        return corm_node_type(node)->kind == CORM_TYPE_BOOLEAN;
    default:
        return false;
    }
}

static corm_status compile_constant(corm_compiler *compiler, const corm_node *node, corm_operator against) {
    if (node->op == CORM_OP_NULL)
        return write_text(compiler, "NULL");
    bool truth = node->op == CORM_OP_TRUE;
    if (compiler->dialect->supports_native_boolean)
        return write_text(compiler, truth ? "true" : "false");
    if (compiler->dialect->has_boolean_words) {
        corm_text_append(text_of(compiler), truth ? "true" : "false");
        return write_text(compiler, is_boolean_context(against) ? " = 1" : "");
    }
    if (is_boolean_context(against))
        return write_text(compiler, truth ? "1 = 1" : "0 = 1");
    return write_text(compiler, truth ? "1" : "0");
}

/* ---- columns ---- */

static corm_status compile_column(corm_compiler *compiler, const corm_node *node) {
    const corm_column *column = corm_node_as_column(node);
    if (!column->name)
        return corm_error_set(CORM_COMPILE_ERROR, "Cannot compile Column object until its 'name' is assigned.");
    if (column->table && !compiler->plain_columns) {
        corm_status status = corm_dialect_table_name(compiler->dialect, column->table, text_of(compiler));
        if (status)
            return status;
        corm_text_append_char(text_of(compiler), '.');
    }
    if (column->quote_given && column->quote)
        return corm_dialect_quoted(compiler->dialect, column->name, text_of(compiler));
    return corm_dialect_identifier(compiler->dialect, column->name, text_of(compiler));
}

static corm_status compile_column_of(corm_compiler *compiler, const corm_node *node) {
    const char *name;
    corm_node *from = corm_node_child(node, 0);
    if (from->kind != CORM_NODE_ALIAS)
        return corm_error_set(CORM_COMPILE_ERROR, "A column of %s cannot be compiled", corm_node_kind_name(from));
    corm_status status = corm_compiler_column_of_name(compiler, node, &name);
    if (status)
        return status;
    if (!compiler->plain_columns) {
        const char *alias = corm_compiler_alias_name(compiler, from);
        if (!alias)
            return CORM_NO_MEMORY;
        status = corm_dialect_identifier(compiler->dialect, alias, text_of(compiler));
        if (status)
            return status;
        corm_text_append_char(text_of(compiler), '.');
    }
    return corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
}

/* A name of a selected column, in ORDER BY or GROUP BY; else of a column of what is selected from. */
static corm_status compile_reference(corm_compiler *compiler, const corm_node *node) {
    const char *name = corm_node_display_name(node);
    corm_frame *frame = compiler->frame;
    for (size_t i = 0; frame && frame->labels && i < frame->labels->count; i++) {
        const corm_label_info *label = &frame->labels->items[i];
        const char *written;
        corm_status status = corm_label_text(compiler, label, &written);
        if (status)
            return status;
        const char *own = corm_node_result_name(label->node);
        bool is_written = written && strcmp(written, name) == 0;
        if (!is_written && !(own && strcmp(own, name) == 0))
            continue;
        if (is_written || frame->is_compound || label->node->kind == CORM_NODE_LABEL)
            return corm_dialect_identifier(compiler->dialect, written ? written : own, text_of(compiler));
        return corm_compile_expression(compiler, label->node, CORM_OP_NONE, NULL);
    }
    for (size_t i = 0; frame && i < frame->froms.count; i++) {
        corm_node *column = corm_from_column(frame->froms.items[i], name);
        if (!column)
            continue;
        corm_status status = corm_compile_expression(compiler, column, CORM_OP_NONE, NULL);
        corm_node_unref(column);
        return status;
    }
    return corm_error_set(
        CORM_COMPILE_ERROR,
        "Can't resolve label reference for ORDER BY / GROUP BY / DISTINCT etc. Textual SQL expression "
        "'%s' should be explicitly declared as text('%s')",
        name, name);
}

static corm_status compile_literal_column(corm_compiler *compiler, const corm_node *node) {
    const char *name = corm_node_display_name(node);
    if (node->detail & CORM_LITERAL_REFERENCE)
        return compile_reference(compiler, node);
    if (node->detail & CORM_LITERAL_EXCLUDED)
        corm_text_append(text_of(compiler), "excluded.");
    if (node->detail & CORM_LITERAL_INSERTED) {
        corm_text_append(text_of(compiler), "VALUES(");
        corm_status status = corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
        corm_text_append_char(text_of(compiler), ')');
        return status;
    }
    if (node->detail & CORM_LITERAL_QUOTED)
        return corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
    return write_text(compiler, name);
}

/* ---- functions, CASE, CAST ---- */

static bool takes_no_parentheses(const char *name) {
    static const char *const names[] = {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_USER",
                                        "LOCALTIMESTAMP",    "LOCALTIME",    "SESSION_USER", "USER"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* A function's name may be dotted; each part is quoted where it must be. */
static corm_status write_function_name(corm_compiler *compiler, const char *name) {
    while (*name) {
        size_t size = strcspn(name, ".");
        char *part = corm_strndup(name, size);
        if (!part)
            return CORM_NO_MEMORY;
        bool plain = size > 0 && !(*part >= '0' && *part <= '9');
        for (size_t i = 0; i < size && plain; i++) {
            char c = part[i];
            plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
        }
        corm_status status =
            plain ? write_text(compiler, part) : corm_dialect_quoted(compiler->dialect, part, text_of(compiler));
        corm_free(part);
        if (status)
            return status;
        name += size;
        if (*name == '.') {
            corm_text_append_char(text_of(compiler), '.');
            name++;
        }
    }
    return CORM_OK;
}

/* The dialect's way of asking a sequence, around its quoted name. */
static corm_status compile_next_value(corm_compiler *compiler, const corm_node *node) {
    const corm_dialect *dialect = compiler->dialect;
    corm_text name = CORM_TEXT_EMPTY;
    corm_status status = CORM_OK;
    if (!dialect->next_value)
        return corm_error_set(CORM_UNSUPPORTED_COMPILATION, "Dialect '%s' does not support sequence increments.",
                              dialect->name);
    for (size_t i = 0; i < node->child_count && !status; i++) {
        corm_text_append(&name, i ? "." : "");
        status = corm_dialect_identifier(dialect, corm_node_display_name(corm_node_child(node, i)), &name);
    }
    if (!status)
        status = corm_text_status(&name);
    if (!status)
        status = dialect->next_value(name.data, text_of(compiler));
    corm_text_clear(&name);
    return status;
}

/* Of an array without items, only the type says what it is. */
static corm_status compile_array(corm_compiler *compiler, const corm_node *node) {
    const corm_function *function = (const corm_function *)(const void *)node;
    corm_status status = CORM_OK;
    corm_text_append(text_of(compiler), "ARRAY[");
    for (size_t i = 0; i < node->child_count && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        status = corm_compile_expression(compiler, function->arguments[i], CORM_OP_COMMA, node);
    }
    corm_text_append_char(text_of(compiler), ']');
    const corm_type *type = corm_node_type(node);
    bool typed = !node->child_count && type->item && type->item->kind != CORM_TYPE_NULL;
    if (!status && typed && compiler->dialect->bind_cast)
        status = compiler->dialect->bind_cast(type, compiler->options.for_people, text_of(compiler));
    return status ? status : corm_text_status(text_of(compiler));
}

static corm_status compile_subscript(corm_compiler *compiler, const corm_node *node) {
    const corm_function *function = (const corm_function *)(const void *)node;
    const corm_node *array = function->arguments[0];
    bool plain = array->kind == CORM_NODE_COLUMN || array->kind == CORM_NODE_COLUMN_OF ||
                 array->kind == CORM_NODE_EXTENSION || array->kind == CORM_NODE_LITERAL_COLUMN ||
                 (array->kind == CORM_NODE_FUNCTION && array->detail == CORM_FUNCTION_SUBSCRIPT);
    if (!plain)
        corm_text_append_char(text_of(compiler), '(');
    corm_status status = corm_compile_expression(compiler, function->arguments[0], CORM_OP_NONE, NULL);
    if (!plain)
        corm_text_append_char(text_of(compiler), ')');
    for (size_t i = 1; i < node->child_count && !status; i++) {
        corm_text_append_char(text_of(compiler), i == 1 ? '[' : ':');
        status = corm_compile_expression(compiler, function->arguments[i], CORM_OP_NONE, array);
    }
    corm_text_append_char(text_of(compiler), ']');
    return status ? status : corm_text_status(text_of(compiler));
}

static corm_status compile_function(corm_compiler *compiler, const corm_node *node) {
    const corm_function *function = (const corm_function *)(const void *)node;
    if (node->detail == CORM_FUNCTION_NEXT_VALUE)
        return compile_next_value(compiler, node);
    if (node->detail == CORM_FUNCTION_ARRAY)
        return compile_array(compiler, node);
    if (node->detail == CORM_FUNCTION_SUBSCRIPT)
        return compile_subscript(compiler, node);
    size_t count = node->child_count;
    const char *known = compiler->dialect->function_name(function->name);
    if (count == 0 && takes_no_parentheses(known ? known : function->name)) {
        char *upper = corm_strdup(known ? known : function->name);
        for (char *at = upper; at && *at; at++) {
            if (*at >= 'a' && *at <= 'z')
                *at = (char)(*at - 'a' + 'A');
        }
        corm_status status = upper ? write_text(compiler, upper) : CORM_NO_MEMORY;
        corm_free(upper);
        return status;
    }
    corm_status status = known ? write_text(compiler, known) : write_function_name(compiler, function->name);
    corm_text_append_char(text_of(compiler), '(');
    if (count == 0 && strcasecmp(function->name, "count") == 0)
        corm_text_append_char(text_of(compiler), '*');
    for (size_t i = 0; i < count && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        status = corm_compile_expression(compiler, function->arguments[i], CORM_OP_COMMA, node);
    }
    corm_text_append_char(text_of(compiler), ')');
    return status ? status : corm_text_status(text_of(compiler));
}

static corm_status compile_over(corm_compiler *compiler, const corm_node *node) {
    corm_node *partition = corm_node_child(node, 1);
    corm_node *order = corm_node_child(node, 2);
    corm_status status = corm_compile_expression(compiler, corm_node_child(node, 0), CORM_OP_NONE, NULL);
    corm_text_append(text_of(compiler), " OVER (");
    if (corm_list_count(partition) && !status) {
        corm_text_append(text_of(compiler), "PARTITION BY ");
        status = corm_compile_list(compiler, partition, CORM_OP_COMMA);
    }
    if (corm_list_count(order) && !status) {
        corm_text_append(text_of(compiler), corm_list_count(partition) ? " ORDER BY " : "ORDER BY ");
        status = corm_compile_list(compiler, order, CORM_OP_COMMA);
    }
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_case(corm_compiler *compiler, const corm_node *node) {
    const corm_case *element = (const corm_case *)(const void *)node;
    corm_node *value = element->children[0];
    corm_node *otherwise = element->children[1];
    corm_status status = CORM_OK;
    corm_text_append(text_of(compiler), "CASE ");
    if (value) {
        status = corm_compile_expression(compiler, value, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), ' ');
    }
    for (size_t i = 2; i + 1 < node->child_count && !status; i += 2) {
        corm_text_append(text_of(compiler), "WHEN ");
        status = corm_compile_expression(compiler, element->children[i], value ? CORM_OP_NONE : ALWAYS, NULL);
        corm_text_append(text_of(compiler), " THEN ");
        if (!status)
            status = corm_compile_expression(compiler, element->children[i + 1], CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), ' ');
    }
    if (otherwise && !status) {
        corm_text_append(text_of(compiler), "ELSE ");
        status = corm_compile_expression(compiler, otherwise, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), ' ');
    }
    corm_text_append(text_of(compiler), "END");
    return status;
}

static corm_status compile_cast(corm_compiler *compiler, const corm_node *node, corm_operator against) {
    corm_node *operand = corm_node_child(node, 0);
    if (node->detail) /* a change of mind, not of SQL */
        return corm_compile_expression(compiler, operand, against, NULL);
    const corm_dialect *dialect = compiler->dialect;
    corm_text type = CORM_TEXT_EMPTY;
    const corm_type *adapted = corm_type_adapted(node->type, dialect->name);
    if (!adapted)
        return corm_error_last()->status;
    corm_status spelled = dialect->cast_type ? dialect->cast_type(adapted, &type) : dialect->type_name(adapted, &type);
    if (!spelled && type.size == 0)
        return corm_compile_expression(compiler, operand, against, NULL);
    corm_text_append(text_of(compiler), "CAST(");
    corm_status status = corm_compile_expression(compiler, operand, CORM_OP_NONE, NULL);
    corm_text_append(text_of(compiler), " AS ");
    if (!status)
        status = spelled;
    corm_text_append_bytes(text_of(compiler), type.data ? type.data : "", type.size);
    corm_text_append_char(text_of(compiler), ')');
    corm_text_clear(&type);
    return status;
}

/* Where there is no NULLS FIRST: NULLs are the smallest, so that only two of the four orders need an order before. */
bool corm_null_order_needs_key(const corm_compiler *compiler, const corm_node *node) {
    if (!compiler->dialect->lacks_null_ordering || (node->op != CORM_OP_NULLS_FIRST && node->op != CORM_OP_NULLS_LAST))
        return false;
    const corm_node *inner = corm_node_child(node, 0);
    bool descends = inner->kind == CORM_NODE_UNARY && inner->op == CORM_OP_DESC;
    return descends == (node->op == CORM_OP_NULLS_FIRST);
}

const char *corm_order_word(const corm_compiler *compiler, const corm_node *node) {
    bool of_nulls = node->op == CORM_OP_NULLS_FIRST || node->op == CORM_OP_NULLS_LAST;
    return of_nulls && compiler->dialect->lacks_null_ordering ? "" : corm_operators[node->op].text;
}

corm_node *corm_ordered(corm_node *node) {
    while (node->kind == CORM_NODE_UNARY && node->op >= CORM_OP_ASC && node->op <= CORM_OP_NULLS_LAST)
        node = corm_node_child(node, 0);
    return node;
}

corm_status corm_compile_text(corm_compiler *compiler, const corm_node *node) {
    const corm_text_node *text = (const corm_text_node *)(const void *)node;
    size_t position = 0;
    corm_text_piece piece;
    while (corm_text_scan(text->text, text->size, &position, &piece)) {
        if (!piece.is_parameter) {
            corm_text_append_bytes(text_of(compiler), piece.start, piece.size);
            continue;
        }
        for (size_t i = 0; i < text->bind_count; i++) {
            const char *key = corm_node_bind(text->children[i])->key;
            if (strlen(key) != piece.size || memcmp(key, piece.start, piece.size) != 0)
                continue;
            /* A list is put between parentheses where the text does not have them: IN :ids. */
            bool bare = text->children[i]->detail & CORM_BIND_EXPANDING &&
                        !(piece.start - 1 > text->text && piece.start[-2] == '(');
            if (bare)
                corm_text_append_char(text_of(compiler), '(');
            corm_status status = corm_compiler_bind(compiler, text->children[i], NULL);
            if (bare)
                corm_text_append_char(text_of(compiler), ')');
            if (status)
                return status;
            break;
        }
    }
    return corm_text_status(text_of(compiler));
}

/* ---- one operand ---- */

static corm_status compile_unary(corm_compiler *compiler, const corm_node *node) {
    corm_node *operand = corm_node_child(node, 0);
    corm_operator op = (corm_operator)node->op;
    const char *sql = corm_operators[op].text;
    corm_status status;
    switch (op) {
    case CORM_OP_ASC:
    case CORM_OP_DESC:
    case CORM_OP_NULLS_FIRST:
    case CORM_OP_NULLS_LAST:
        if (corm_null_order_needs_key(compiler, node)) {
            status = corm_compile_expression(compiler, corm_ordered(operand), CORM_OP_IS, NULL);
            if (status)
                return status;
            corm_text_append(text_of(compiler), op == CORM_OP_NULLS_FIRST ? " IS NULL DESC, " : " IS NULL, ");
        }
        status = corm_compile_expression(compiler, operand, CORM_OP_NONE, NULL);
        return status ? status : write_text(compiler, corm_order_word(compiler, node));
    case CORM_OP_NOT:
        if (!compiler->dialect->supports_native_boolean && is_plain_boolean(operand)) {
            status = corm_compile_leaf(compiler, operand, CORM_OP_NONE, NULL);
            return status ? status : write_text(compiler, " = 0");
        }
        corm_text_append(text_of(compiler), sql);
        return corm_compile_expression(compiler, operand, CORM_OP_NOT, NULL);
    case CORM_OP_EXISTS:
        corm_text_append(text_of(compiler), sql);
        if (!corm_node_is_select(operand))
            return corm_compile_expression(compiler, operand, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), '(');
        status = corm_compile_select(compiler, operand, 0);
        corm_text_append_char(text_of(compiler), ')');
        return status;
    case CORM_OP_ANY:
    case CORM_OP_ALL:
        corm_text_append(text_of(compiler), sql);
        if (operand->kind == CORM_NODE_SCALAR_SUBQUERY || operand->kind == CORM_NODE_GROUPING)
            return corm_compile_expression(compiler, operand, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), '(');
        status = corm_node_is_select(operand) ? corm_compile_select(compiler, operand, 0)
                                              : corm_compile_expression(compiler, operand, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), ')');
        return status;
    default:
        corm_text_append(text_of(compiler), sql);
        return corm_compile_expression(compiler, operand, op, NULL);
    }
}

/* A label where it is not being defined: the element, or the name of a selected one in ORDER BY. */
static corm_status compile_label(corm_compiler *compiler, const corm_node *node, corm_operator against) {
    return corm_compile_expression(compiler, corm_node_child(node, 0), against, NULL);
}

static corm_status compile_select_value(corm_compiler *compiler, corm_node *select) {
    corm_text_append_char(text_of(compiler), '(');
    corm_status status = corm_compile_select(compiler, select, 0);
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_plain(corm_compiler *compiler, corm_node *node, corm_operator against,
                                 const corm_node *beside) {
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_COLUMN:
        return compile_column(compiler, node);
    case CORM_NODE_COLUMN_OF:
        return compile_column_of(compiler, node);
    case CORM_NODE_BIND:
        return corm_compiler_bind(compiler, node, beside);
    case CORM_NODE_BINARY:
        return corm_compile_special(compiler, node);
    case CORM_NODE_UNARY:
        return compile_unary(compiler, node);
    case CORM_NODE_LIST: {
        if (node->op != CORM_OP_COMMA && !corm_list_count(node))
            return CORM_OK;
        corm_text_append_char(text_of(compiler), '(');
        corm_status status = CORM_OK;
        for (size_t i = 0; i < corm_list_count(node) && !status; i++) {
            if (i)
                corm_text_append(text_of(compiler), ", ");
            status = corm_compile_expression(compiler, corm_list_at(node, i), CORM_OP_COMMA, beside);
        }
        corm_text_append_char(text_of(compiler), ')');
        return status;
    }
    case CORM_NODE_FUNCTION:
        return compile_function(compiler, node);
    case CORM_NODE_OVER:
        return compile_over(compiler, node);
    case CORM_NODE_CASE:
        return compile_case(compiler, node);
    case CORM_NODE_CAST:
        return compile_cast(compiler, node, against);
    case CORM_NODE_EXTRACT:
        return compiler->dialect->extract(compiler, ((const corm_named *)(const void *)node)->name,
                                          corm_node_child(node, 0));
    case CORM_NODE_LABEL:
        return compile_label(compiler, node, against);
    case CORM_NODE_TEXT:
        return corm_compile_text(compiler, node);
    case CORM_NODE_LITERAL_COLUMN:
        return compile_literal_column(compiler, node);
    case CORM_NODE_CONSTANT:
        return compile_constant(compiler, node, against);
    case CORM_NODE_GROUPING: {
        corm_text_append_char(text_of(compiler), '(');
        corm_node *inner = corm_node_child(node, 0);
        corm_status status = corm_node_is_select(inner) ? corm_compile_select(compiler, inner, 0)
                                                        : corm_compile_expression(compiler, inner, CORM_OP_NONE, NULL);
        corm_text_append_char(text_of(compiler), ')');
        return status;
    }
    case CORM_NODE_SCALAR_SUBQUERY:
        return compile_select_value(compiler, corm_node_child(node, 0));
    case CORM_NODE_SELECT:
    case CORM_NODE_COMPOUND:
        return compile_select_value(compiler, node);
    case CORM_NODE_TABLE:
    case CORM_NODE_ALIAS:
    case CORM_NODE_JOIN:
        return corm_compile_from(compiler, node);
    case CORM_NODE_EXTENSION:
        if (node->vtable->compile)
            return node->vtable->compile(compiler, node);
        break;
    default:
        break;
    }
    return corm_error_set(CORM_COMPILE_ERROR, "%s cannot be compiled as an expression", corm_node_kind_name(node));
}

corm_status corm_compile_leaf(corm_compiler *compiler, corm_node *node, corm_operator against,
                              const corm_node *beside) {
    if (compiler->depth >= CORM_NODE_MAX_DEPTH)
        return corm_error_set(CORM_COMPILE_ERROR,
                              "This expression is nested more than %d levels deep, which is the "
                              "limit",
                              CORM_NODE_MAX_DEPTH);
    compiler->depth++;
    bool has_operator = node->kind == CORM_NODE_BINARY || node->kind == CORM_NODE_UNARY;
    bool not_in = node->kind == CORM_NODE_BINARY && node->op == CORM_OP_NOT_IN;
    bool parentheses = has_operator && !not_in && corm_is_parenthesised(node, against);
    if (parentheses)
        corm_text_append_char(text_of(compiler), '(');
    corm_status status = compile_plain(compiler, node, against, beside);
    if (!status && is_boolean_context(against) && against != CORM_OP_NOT &&
        !compiler->dialect->supports_native_boolean && is_plain_boolean(node))
        corm_text_append(text_of(compiler), " = 1");
    if (parentheses)
        corm_text_append_char(text_of(compiler), ')');
    compiler->depth--;
    return status ? status : corm_text_status(text_of(compiler));
}

corm_status corm_compile_expression(corm_compiler *compiler, corm_node *node, corm_operator against,
                                    const corm_node *beside) {
    if (!corm_is_chain(compiler, node))
        return corm_compile_leaf(compiler, node, against, beside);
    if (compiler->depth >= CORM_NODE_MAX_DEPTH)
        return corm_compile_leaf(compiler, node, against, beside);
    compiler->depth++;
    corm_status status = corm_compile_chain(compiler, node, against);
    compiler->depth--;
    return status ? status : corm_text_status(text_of(compiler));
}

corm_status corm_compile_conditions(corm_compiler *compiler, const corm_node *list) {
    /* Constants decide as in and_(). */
    size_t count = corm_list_count(list);
    corm_node *single = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        corm_node *item = corm_list_at(list, i);
        if (corm_node_is_constant(item, CORM_OP_FALSE))
            return corm_compile_expression(compiler, item, CORM_OP_AS_BOOLEAN, NULL);
        if (!corm_node_is_constant(item, CORM_OP_TRUE)) {
            single = item;
            kept++;
        }
    }
    if (kept <= 1)
        return corm_compile_expression(compiler, kept ? single : corm_true(), CORM_OP_AS_BOOLEAN, NULL);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        corm_node *item = corm_list_at(list, i);
        if (corm_node_is_constant(item, CORM_OP_TRUE))
            continue;
        if (!first)
            corm_text_append(text_of(compiler), " AND ");
        first = false;
        corm_status status = corm_compile_expression(compiler, item, CORM_OP_AND, NULL);
        if (status)
            return status;
    }
    return CORM_OK;
}

corm_status corm_compile_list(corm_compiler *compiler, const corm_node *list, corm_operator against) {
    for (size_t i = 0; i < corm_list_count(list); i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = corm_compile_expression(compiler, corm_list_at(list, i), against, NULL);
        if (status)
            return status;
    }
    return corm_text_status(text_of(compiler));
}

/* ---- for dialects and extensions ---- */

void corm_compiler_append(corm_compiler *compiler, const char *sql) {
    corm_text_append(text_of(compiler), sql);
}

corm_status corm_compiler_node(corm_compiler *compiler, corm_node *node, corm_operator against) {
    return corm_compile_expression(compiler, node, against, NULL);
}

corm_status corm_compiler_operand(corm_compiler *compiler, corm_node *node, corm_operator against,
                                  const corm_node *beside) {
    return corm_compile_expression(compiler, node, against, beside);
}

const corm_dialect *corm_compiler_dialect(const corm_compiler *compiler) {
    return compiler->dialect;
}
