/* Operators with one, two or many operands. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sql/expression.h"

static corm_node *binary_clone(const corm_node *node, corm_node *const *children);
static corm_node *unary_clone(const corm_node *node, corm_node *const *children);
static corm_node *list_clone(const corm_node *node, corm_node *const *children);

static const corm_binary *as_binary(const corm_node *node) {
    return (const corm_binary *)(const void *)node;
}

static uint64_t binary_hash(const corm_node *node) {
    const char *custom = as_binary(node)->custom;
    return custom ? corm_hash_bytes(custom, strlen(custom)) : 0;
}

static bool binary_equal(const corm_node *left, const corm_node *right) {
    const char *first = as_binary(left)->custom;
    const char *second = as_binary(right)->custom;
    return first == second || (first && second && strcmp(first, second) == 0);
}

static void binary_release(corm_node *node) {
    corm_free(((corm_binary *)(void *)node)->custom);
}

static const corm_node_vtable binary_vtable = {
    .name = "BinaryExpression",
    .children_at = offsetof(corm_binary, children),
    .clone = binary_clone,
    .hash = binary_hash,
    .equal = binary_equal,
    .release = binary_release,
};

static const corm_node_vtable unary_vtable = {
    .name = "UnaryExpression",
    .children_at = offsetof(corm_unary, children),
    .clone = unary_clone,
};

static const corm_node_vtable list_vtable = {
    .name = "ClauseList",
    .children_at = offsetof(corm_list, items),
    .clone = list_clone,
};

static corm_node *binary_make(corm_operator op, corm_node *left, corm_node *right, corm_node *escape, corm_type *type,
                              unsigned detail, const char *custom) {
    corm_node *children[3] = {left, right, escape};
    corm_node *node =
        corm_node_make(&binary_vtable, CORM_NODE_BINARY, op, type, sizeof(corm_binary), children, 3, true);
    if (!node)
        return NULL;
    node->detail = (uint16_t)detail;
    if (custom && !(((corm_binary *)(void *)node)->custom = corm_strdup(custom))) {
        corm_node_unref(node);
        return NULL;
    }
    return corm_node_seal(node);
}

static corm_node *binary_clone(const corm_node *node, corm_node *const *children) {
    return binary_make((corm_operator)node->op, children[0], children[1], children[2], node->type, node->detail,
                       as_binary(node)->custom);
}

/* ---- types of results ---- */

static bool is_date(corm_type_kind kind) {
    return kind == CORM_TYPE_DATE || kind == CORM_TYPE_TIME || kind == CORM_TYPE_DATETIME;
}

static corm_type *arithmetic_type(corm_operator op, corm_type *left, corm_type *right) {
    if (op == CORM_OP_TRUE_DIV && (left->kind == CORM_TYPE_INTEGER || left->kind == CORM_TYPE_SMALL_INTEGER ||
                                   left->kind == CORM_TYPE_BIG_INTEGER)) {
        if (right->kind == CORM_TYPE_FLOAT)
            return right;
        return corm_type_of_kind(CORM_TYPE_NUMERIC);
    }
    if (left->kind == CORM_TYPE_NULL)
        return right;
    if (is_date(left->kind)) {
        /* Days between days are a number; what is between points in time has no type of its own here. */
        if (op == CORM_OP_SUB && is_date(right->kind))
            return corm_type_of_kind(left->kind == CORM_TYPE_DATE ? CORM_TYPE_INTEGER : CORM_TYPE_NULL);
        return left;
    }
    if (corm_type_is_number(left) && corm_type_is_number(right)) {
        bool left_exact = left->kind == CORM_TYPE_NUMERIC || left->kind == CORM_TYPE_FLOAT;
        bool right_exact = right->kind == CORM_TYPE_NUMERIC || right->kind == CORM_TYPE_FLOAT;
        if (right_exact && !left_exact)
            return right;
    }
    return left;
}

static corm_type *result_type(corm_operator op, const corm_node *left, const corm_node *right) {
    if (corm_operators[op].is_comparison)
        return corm_type_of_kind(CORM_TYPE_BOOLEAN);
    corm_type *first = corm_node_type(left);
    if (first->kind == CORM_TYPE_OWN)
        return first;
    switch (op) {
    case CORM_OP_ADD:
    case CORM_OP_SUB:
    case CORM_OP_MUL:
    case CORM_OP_TRUE_DIV:
    case CORM_OP_FLOOR_DIV:
    case CORM_OP_MOD:
        return arithmetic_type(op, first, corm_node_type(right));
    case CORM_OP_CONCAT:
        return corm_type_is_text(first) || first->kind == CORM_TYPE_OWN ? first : corm_node_type(right);
    default:
        return first;
    }
}

/* ---- two operands ---- */

static bool is_quantified(unsigned op) {
    return op == CORM_OP_ANY || op == CORM_OP_ALL;
}

/* ANY and ALL stand on the right side only: the comparison seen from there; NONE: it has none. */
static corm_operator mirrored(corm_operator op, const corm_node *left, const corm_node *right) {
    if (left->kind != CORM_NODE_UNARY || !is_quantified(left->op) ||
        (right->kind == CORM_NODE_UNARY && is_quantified(right->op)))
        return CORM_OP_NONE;
    switch (op) {
    case CORM_OP_EQ:
    case CORM_OP_NE:
        return op;
    case CORM_OP_LT:
        return CORM_OP_GT;
    case CORM_OP_LE:
        return CORM_OP_GE;
    case CORM_OP_GT:
        return CORM_OP_LT;
    case CORM_OP_GE:
        return CORM_OP_LE;
    default:
        return CORM_OP_NONE;
    }
}

static corm_node *binary_escape_node(corm_operator op, corm_node *left, corm_node *right, corm_node *escape) {
    corm_operator reversed = mirrored(op, left, right);
    if (reversed != CORM_OP_NONE)
        return binary_make(reversed, right, left, escape, corm_type_of_kind(CORM_TYPE_BOOLEAN), 0, NULL);
    if (op == CORM_OP_ADD && corm_node_type(left)->item)
        op = CORM_OP_CONCAT;
    if (op == CORM_OP_ADD &&
        (corm_type_is_text(corm_node_type(left)) ||
         (corm_node_type(left)->kind == CORM_TYPE_NULL && corm_type_is_text(corm_node_type(right)))))
        op = CORM_OP_CONCAT;
    if (corm_node_is_constant(right, CORM_OP_NULL)) {
        if (op == CORM_OP_EQ)
            op = CORM_OP_IS;
        else if (op == CORM_OP_NE)
            op = CORM_OP_IS_NOT;
    }
    return binary_make(op, left, right, escape, result_type(op, left, right), 0, NULL);
}

corm_node *corm_binary_new(corm_operator op, corm_node *left, corm_node *right) {
    if (!left || !right)
        return NULL;
    if (op == CORM_OP_AND)
        return corm_and2(left, right);
    if (op == CORM_OP_OR)
        return corm_or2(left, right);
    if (op == CORM_OP_IN || op == CORM_OP_NOT_IN) {
        corm_node *in = corm_in(left, right);
        if (op == CORM_OP_IN || !in)
            return in;
        corm_node *negated = corm_not(in);
        corm_node_unref(in);
        return negated;
    }
    return binary_escape_node(op, left, right, NULL);
}

/* The ESCAPE character is text of the compiler's making: one character, quoted as a literal when compiled. */
static corm_status escape_node(const char *escape, corm_node **out) {
    *out = NULL;
    if (!escape || !*escape)
        return CORM_OK;
    *out = corm_literal_column(escape, corm_type_of_kind(CORM_TYPE_STRING));
    return *out ? CORM_OK : corm_error_last()->status;
}

corm_node *corm_binary_escape(corm_operator op, corm_node *left, corm_node *right, const char *escape) {
    if (!left || !right)
        return NULL;
    corm_node *escaping;
    if (escape_node(escape, &escaping))
        return NULL;
    corm_node *node = binary_escape_node(op, left, right, escaping);
    corm_node_unref(escaping);
    return node;
}

corm_node *corm_binary_custom(const char *text, corm_node *left, corm_node *right, bool is_comparison,
                              corm_type *type) {
    if (!text || !left || !right)
        return NULL;
    if (!type)
        type = is_comparison ? corm_type_of_kind(CORM_TYPE_BOOLEAN) : corm_node_type(left);
    return binary_make(CORM_OP_CUSTOM, left, right, NULL, type, is_comparison ? CORM_BINARY_IS_COMPARISON : 0, text);
}

static bool takes_constants(corm_operator op) {
    return op == CORM_OP_EQ || op == CORM_OP_NE || op == CORM_OP_IS || op == CORM_OP_IS_NOT ||
           op == CORM_OP_IS_DISTINCT_FROM || op == CORM_OP_IS_NOT_DISTINCT_FROM;
}

corm_node *corm_binary_value(corm_operator op, corm_node *left, const corm_value *value) {
    if (!left || !value)
        return NULL;
    if (takes_constants(op)) {
        if (value->kind == CORM_KIND_NULL)
            return corm_binary_new(op, left, corm_null());
        if (value->kind == CORM_KIND_BOOLEAN)
            return corm_binary_new(op, left, value->as.boolean ? corm_true() : corm_false());
    }
    corm_node *right = corm_bind_compared(left, value);
    corm_node *node = corm_binary_new(op, left, right);
    corm_node_unref(right);
    return node;
}

corm_node *corm_binary_value_reversed(corm_operator op, const corm_value *value, corm_node *right) {
    if (!right || !value)
        return NULL;
    corm_node *left = corm_bind_compared(right, value);
    corm_node *node = corm_binary_new(op, left, right);
    corm_node_unref(left);
    return node;
}

static corm_status escape_text(corm_text *out, const char *text, size_t size, char escape) {
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' || text[i] == '_' || text[i] == escape)
            corm_text_append_char(out, escape);
        corm_text_append_char(out, text[i]);
    }
    return corm_text_status(out);
}

corm_node *corm_binary_text_match(corm_operator op, corm_node *left, const char *text, size_t size, const char *escape,
                                  bool autoescape) {
    if (!left || !text)
        return NULL;
    if (autoescape && (!escape || !*escape))
        escape = "/";
    corm_text escaped = CORM_TEXT_EMPTY;
    corm_node *node = NULL;
    if (autoescape) {
        if (escape_text(&escaped, text, size, escape[0]))
            goto done;
        text = escaped.data ? escaped.data : "";
        size = escaped.size;
    }
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, text, size);
    corm_node *right = corm_bind_compared(left, &value);
    node = corm_binary_escape(op, left, right, escape);
    corm_node_unref(right);
done:
    corm_text_clear(&escaped);
    return node;
}

corm_node *corm_between(corm_node *operand, corm_node *low, corm_node *high, bool symmetric) {
    if (!operand || !low || !high)
        return NULL;
    corm_node *bounds[2] = {low, high};
    corm_node *range = corm_list_new(CORM_OP_AND, bounds, 2);
    if (!range)
        return NULL;
    corm_node *node = binary_make(CORM_OP_BETWEEN, operand, range, NULL, corm_type_of_kind(CORM_TYPE_BOOLEAN),
                                  symmetric ? CORM_BINARY_SYMMETRIC : 0, NULL);
    corm_node_unref(range);
    return node;
}

corm_node *corm_in(corm_node *operand, corm_node *right) {
    if (!operand || !right)
        return NULL;
    bool fits = right->kind == CORM_NODE_LIST || corm_node_is_select(right) || right->kind == CORM_NODE_TEXT ||
                right->kind == CORM_NODE_GROUPING || right->kind == CORM_NODE_SCALAR_SUBQUERY ||
                right->kind == CORM_NODE_EXTENSION || right->kind == CORM_NODE_ALIAS ||
                right->kind == CORM_NODE_FUNCTION ||
                (right->kind == CORM_NODE_BIND && right->detail & CORM_BIND_EXPANDING);
    if (!fits) {
        corm_error_set(CORM_ARGUMENT_ERROR,
                       "IN expression list, SELECT construct, or bound parameter object expected, got %s",
                       corm_node_kind_name(right));
        return NULL;
    }
    return binary_make(CORM_OP_IN, operand, right, NULL, corm_type_of_kind(CORM_TYPE_BOOLEAN), 0, NULL);
}

/* ---- one operand ---- */

static corm_node *unary_make(corm_operator op, corm_node *operand, corm_type *type) {
    return corm_node_make(&unary_vtable, CORM_NODE_UNARY, op, type, sizeof(corm_unary), &operand, 1, false);
}

static corm_node *unary_clone(const corm_node *node, corm_node *const *children) {
    return unary_make((corm_operator)node->op, children[0], node->type);
}

corm_node *corm_unary_new(corm_operator op, corm_node *operand) {
    if (!operand)
        return NULL;
    bool is_boolean = op == CORM_OP_NOT || op == CORM_OP_EXISTS;
    corm_type *item = is_quantified(op) ? corm_node_type(operand)->item : NULL; /* of an array */
    corm_type *type = is_boolean ? corm_type_of_kind(CORM_TYPE_BOOLEAN) : operand->type;
    return unary_make(op, operand, item ? item : type);
}

corm_node *corm_not(corm_node *operand) {
    if (!operand)
        return NULL;
    if (operand->kind == CORM_NODE_CONSTANT) {
        if (operand->op == CORM_OP_TRUE)
            return corm_false();
        if (operand->op == CORM_OP_FALSE)
            return corm_true();
    }
    if (operand->kind == CORM_NODE_UNARY && operand->op == CORM_OP_NOT)
        return corm_node_ref(((const corm_unary *)(const void *)operand)->children[0]);
    corm_operator negation = corm_operator_negation((corm_operator)operand->op);
    if (operand->kind == CORM_NODE_BINARY && negation != CORM_OP_NONE) {
        const corm_binary *binary = as_binary(operand);
        return binary_make(negation, binary->children[0], binary->children[1], binary->children[2], operand->type,
                           operand->detail, binary->custom);
    }
    return unary_make(CORM_OP_NOT, operand, corm_type_of_kind(CORM_TYPE_BOOLEAN));
}

corm_node *corm_exists(corm_node *select) {
    return corm_unary_new(CORM_OP_EXISTS, select);
}

/* ---- many operands ---- */

corm_node *corm_list_new(corm_operator op, corm_node *const *nodes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i])
            return NULL;
    }
    if (count > (SIZE_MAX - sizeof(corm_list)) / sizeof *nodes) {
        corm_error_no_memory();
        return NULL;
    }
    corm_type *type = op == CORM_OP_COMMA ? NULL : corm_type_of_kind(CORM_TYPE_BOOLEAN);
    return corm_node_make(&list_vtable, CORM_NODE_LIST, op, type, sizeof(corm_list) + count * sizeof *nodes, nodes,
                          count, false);
}

static corm_node *list_clone(const corm_node *node, corm_node *const *children) {
    return corm_list_new((corm_operator)node->op, children, node->child_count);
}

corm_node *corm_list_append(const corm_node *list, corm_node *const *nodes, size_t count) {
    size_t old = corm_list_count(list);
    corm_operator op = list ? (corm_operator)list->op : CORM_OP_COMMA;
    if (!old)
        return corm_list_new(op, nodes, count);
    corm_node *few[16];
    corm_node **all = old + count <= 16 ? few : corm_alloc_array(old + count, sizeof *all);
    if (!all)
        return NULL;
    memcpy(all, ((const corm_list *)(const void *)list)->items, old * sizeof *all);
    if (count)
        memcpy(all + old, nodes, count * sizeof *all);
    corm_node *node = corm_list_new(op, all, old + count);
    if (all != few)
        corm_free(all);
    return node;
}

/* AND and OR: elements that change nothing are left out, one that decides everything stands alone. */
static corm_node *junction(corm_operator op, corm_node *const *nodes, size_t count) {
    corm_operator neutral = op == CORM_OP_AND ? CORM_OP_TRUE : CORM_OP_FALSE;
    corm_operator deciding = op == CORM_OP_AND ? CORM_OP_FALSE : CORM_OP_TRUE;
    corm_node *few[16];
    corm_node **kept = count <= 16 ? few : corm_alloc_array(count, sizeof *kept);
    if (!kept)
        return NULL;
    corm_node *result = NULL;
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i])
            goto done;
        if (corm_node_is_constant(nodes[i], deciding)) {
            result = corm_node_ref(nodes[i]);
            goto done;
        }
        if (!corm_node_is_constant(nodes[i], neutral))
            kept[kept_count++] = nodes[i];
    }
    if (kept_count == 0)
        result = neutral == CORM_OP_TRUE ? corm_true() : corm_false();
    else if (kept_count == 1)
        result = corm_node_ref(kept[0]);
    else
        result = corm_list_new(op, kept, kept_count);
done:
    if (kept != few)
        corm_free(kept);
    return result;
}

corm_node *corm_and(corm_node *const *nodes, size_t count) {
    return junction(CORM_OP_AND, nodes, count);
}

corm_node *corm_or(corm_node *const *nodes, size_t count) {
    return junction(CORM_OP_OR, nodes, count);
}

corm_node *corm_and2(corm_node *left, corm_node *right) {
    corm_node *both[2] = {left, right};
    return junction(CORM_OP_AND, both, 2);
}

corm_node *corm_or2(corm_node *left, corm_node *right) {
    corm_node *both[2] = {left, right};
    return junction(CORM_OP_OR, both, 2);
}
