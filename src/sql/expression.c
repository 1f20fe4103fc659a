/* Columns of FROMs, functions, CASE, CAST, labels, constants and pieces of literal SQL. */
#include "sql/expression.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

static uint64_t text_hash(const char *text) {
    return text ? corm_hash_bytes(text, strlen(text)) : 0;
}

static bool same_text(const char *left, const char *right) {
    return left == right || (left && right && strcmp(left, right) == 0);
}

/* ---- kinds with a name: LABEL, EXTRACT, LITERAL_COLUMN ---- */

static const corm_named *as_named(const corm_node *node) {
    return (const corm_named *)(const void *)node;
}

static uint64_t named_hash(const corm_node *node) {
    return corm_hash_mix(text_hash(as_named(node)->name), node->type ? (uint64_t)node->type->kind : 0);
}

static bool named_equal(const corm_node *left, const corm_node *right) {
    return same_text(as_named(left)->name, as_named(right)->name) &&
           (left->type == right->type || corm_type_equal(corm_node_type(left), corm_node_type(right)));
}

static void named_release(corm_node *node) {
    corm_free(((corm_named *)(void *)node)->name);
}

static const char *named_name(const corm_node *node) {
    return as_named(node)->name;
}

static corm_node *named_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable label_vtable = {
    .name = "Label",
    .children_at = offsetof(corm_named, children),
    .clone = named_clone,
    .hash = named_hash,
    .equal = named_equal,
    .release = named_release,
    .display_name = named_name,
};
static const corm_node_vtable extract_vtable = {
    .name = "Extract",
    .children_at = offsetof(corm_named, children),
    .clone = named_clone,
    .hash = named_hash,
    .equal = named_equal,
    .release = named_release,
};
static const corm_node_vtable literal_vtable = {
    .name = "ColumnClause",
    .children_at = offsetof(corm_named, children),
    .clone = named_clone,
    .hash = named_hash,
    .equal = named_equal,
    .release = named_release,
    .display_name = named_name,
};

static corm_node *named_make(const corm_node_vtable *vtable, corm_node_kind kind, corm_node *child, const char *name,
                             corm_type *type, unsigned detail) {
    corm_node *node = corm_node_make(vtable, kind, CORM_OP_NONE, type, sizeof(corm_named), &child, child ? 1 : 0, true);
    if (!node)
        return NULL;
    corm_named *named = (corm_named *)(void *)node;
    if (!child)
        named->children[0] = NULL;
    named->name = NULL;
    node->detail = (uint16_t)detail;
    if (name && !(named->name = corm_strdup(name))) {
        corm_node_unref(node);
        return NULL;
    }
    return corm_node_seal(node);
}

static corm_node *named_clone(const corm_node *node, corm_node *const *children) {
    return named_make(node->vtable, (corm_node_kind)node->kind, node->child_count ? children[0] : NULL,
                      as_named(node)->name, node->type, node->detail);
}

corm_node *corm_label(corm_node *operand, const char *name) {
    if (!operand)
        return NULL;
    if (operand->kind == CORM_NODE_LABEL)
        operand = corm_node_child(operand, 0);
    return named_make(&label_vtable, CORM_NODE_LABEL, operand, name, operand->type, 0);
}

corm_node *corm_extract(const char *field, corm_node *operand) {
    if (!field || !operand)
        return NULL;
    for (const char *at = field; *at; at++) {
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_')) {
            corm_error_set(CORM_ARGUMENT_ERROR, "extract() does not know the field '%s'", field);
            return NULL;
        }
    }
    return named_make(&extract_vtable, CORM_NODE_EXTRACT, operand, field, corm_type_of_kind(CORM_TYPE_INTEGER), 0);
}

corm_node *corm_literal_column(const char *text, corm_type *type) {
    return text ? named_make(&literal_vtable, CORM_NODE_LITERAL_COLUMN, NULL, text, type, 0) : NULL;
}

corm_node *corm_plain_column(const char *name, corm_type *type) {
    return name ? named_make(&literal_vtable, CORM_NODE_LITERAL_COLUMN, NULL, name, type, CORM_LITERAL_QUOTED) : NULL;
}

corm_node *corm_label_reference(const char *name) {
    return name ? named_make(&literal_vtable, CORM_NODE_LITERAL_COLUMN, NULL, name, NULL, CORM_LITERAL_REFERENCE)
                : NULL;
}

corm_node *corm_star(void) {
    return corm_literal_column("*", NULL);
}

const char *corm_node_label_name(const corm_node *label) {
    return as_named(label)->name;
}

/* ---- constants ---- */

static bool constant_equal(const corm_node *left, const corm_node *right) {
    return left == right;
}

static const corm_node_vtable constant_vtable = {.name = "Constant", .equal = constant_equal};

#define CONSTANT(which, number)                                                                                        \
    {                                                                                                                  \
        .kind = CORM_NODE_CONSTANT, .op = which, .flags = CORM_NODE_IMMORTAL | CORM_NODE_SEALED, .hash = number,       \
        .vtable = &constant_vtable                                                                                     \
    }
static corm_node null_node = CONSTANT(CORM_OP_NULL, 0x9D2C5680A3B1C701);
static corm_node true_node = CONSTANT(CORM_OP_TRUE, 0x9D2C5680A3B1C703);
static corm_node false_node = CONSTANT(CORM_OP_FALSE, 0x9D2C5680A3B1C707);

corm_node *corm_null(void) {
    return &null_node;
}

corm_node *corm_true(void) {
    return &true_node;
}

corm_node *corm_false(void) {
    return &false_node;
}

bool corm_node_is_constant(const corm_node *node, corm_operator which) {
    return node->kind == CORM_NODE_CONSTANT && node->op == which;
}

/* ---- columns of aliases ---- */

static corm_node *column_of_clone(const corm_node *node, corm_node *const *children);

static const corm_column_of *as_column_of(const corm_node *node) {
    return (const corm_column_of *)(const void *)node;
}

static uint64_t column_of_hash(const corm_node *node) {
    return text_hash(as_column_of(node)->name);
}

static bool column_of_equal(const corm_node *left, const corm_node *right) {
    return same_text(as_column_of(left)->name, as_column_of(right)->name);
}

static void column_of_release(corm_node *node) {
    corm_free(((corm_column_of *)(void *)node)->name);
}

static const char *column_of_name(const corm_node *node) {
    const corm_column_of *column = as_column_of(node);
    return column->name ? column->name : corm_node_display_name(column->children[1]);
}

static const corm_node_vtable column_of_vtable = {
    .name = "Column",
    .children_at = offsetof(corm_column_of, children),
    .clone = column_of_clone,
    .hash = column_of_hash,
    .equal = column_of_equal,
    .release = column_of_release,
    .display_name = column_of_name,
};

corm_node *corm_column_of_new(corm_node *from, corm_node *column, const char *name) {
    if (!from || !column)
        return NULL;
    corm_node *children[2] = {from, column};
    corm_node *node = corm_node_make(&column_of_vtable, CORM_NODE_COLUMN_OF, CORM_OP_NONE, column->type,
                                     sizeof(corm_column_of), children, 2, true);
    if (!node)
        return NULL;
    corm_column_of *made = (corm_column_of *)(void *)node;
    made->name = NULL;
    if (name && !(made->name = corm_strdup(name))) {
        corm_node_unref(node);
        return NULL;
    }
    return corm_node_seal(node);
}

static corm_node *column_of_clone(const corm_node *node, corm_node *const *children) {
    return corm_column_of_new(children[0], children[1], as_column_of(node)->name);
}

/* ---- functions ---- */

static corm_node *function_clone(const corm_node *node, corm_node *const *children);

static const corm_function *as_function(const corm_node *node) {
    return (const corm_function *)(const void *)node;
}

static uint64_t function_hash(const corm_node *node) {
    return text_hash(as_function(node)->name);
}

static bool function_equal(const corm_node *left, const corm_node *right) {
    return same_text(as_function(left)->name, as_function(right)->name) && left->detail == right->detail &&
           (left->type == right->type || corm_type_equal(corm_node_type(left), corm_node_type(right)));
}

static void function_release(corm_node *node) {
    corm_free(((corm_function *)(void *)node)->name);
}

static const char *function_name(const corm_node *node) {
    const char *dot = strrchr(as_function(node)->name, '.');
    return dot ? dot + 1 : as_function(node)->name;
}

static const corm_node_vtable function_vtable = {
    .name = "Function",
    .children_at = offsetof(corm_function, arguments),
    .clone = function_clone,
    .hash = function_hash,
    .equal = function_equal,
    .release = function_release,
    .display_name = function_name,
};

/* What well-known functions give; FIRST_ARGUMENT: the type of what they are given. */
enum { FIRST_ARGUMENT = CORM_TYPE_KIND_COUNT };
static const struct {
    const char *name;
    int kind;
} known_functions[] = {
    {"avg", CORM_TYPE_NULL},
    {"char_length", CORM_TYPE_INTEGER},
    {"coalesce", FIRST_ARGUMENT},
    {"concat", CORM_TYPE_STRING},
    {"count", CORM_TYPE_INTEGER},
    {"cume_dist", CORM_TYPE_NUMERIC},
    {"current_date", CORM_TYPE_DATE},
    {"current_time", CORM_TYPE_TIME},
    {"current_timestamp", CORM_TYPE_DATETIME},
    {"current_user", CORM_TYPE_STRING},
    {"dense_rank", CORM_TYPE_INTEGER},
    {"localtime", CORM_TYPE_DATETIME},
    {"localtimestamp", CORM_TYPE_DATETIME},
    {"max", FIRST_ARGUMENT},
    {"min", FIRST_ARGUMENT},
    {"now", CORM_TYPE_DATETIME},
    {"percent_rank", CORM_TYPE_NUMERIC},
    {"random", CORM_TYPE_NULL},
    {"rank", CORM_TYPE_INTEGER},
    {"session_user", CORM_TYPE_STRING},
    {"sum", FIRST_ARGUMENT},
    {"sysdate", CORM_TYPE_DATETIME},
    {"user", CORM_TYPE_STRING},
};

static corm_type *known_type(const char *name, corm_node *const *arguments, size_t count) {
    for (size_t i = 0; i < sizeof known_functions / sizeof known_functions[0]; i++) {
        if (strcasecmp(known_functions[i].name, name) != 0)
            continue;
        if (known_functions[i].kind != FIRST_ARGUMENT)
            return corm_type_of_kind((corm_type_kind)known_functions[i].kind);
        for (size_t j = 0; j < count; j++) {
            if (corm_node_type(arguments[j])->kind != CORM_TYPE_NULL)
                return arguments[j]->type;
        }
        return NULL;
    }
    return NULL;
}

static corm_node *function_make(const char *name, corm_node *const *arguments, size_t count, corm_type *type,
                                uint16_t detail) {
    if (!name)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (!arguments[i])
            return NULL;
    }
    if (count > (SIZE_MAX - sizeof(corm_function)) / sizeof *arguments) {
        corm_error_no_memory();
        return NULL;
    }
    if (!type)
        type = known_type(name, arguments, count);
    corm_node *node = corm_node_make(&function_vtable, CORM_NODE_FUNCTION, CORM_OP_NONE, type,
                                     sizeof(corm_function) + count * sizeof *arguments, arguments, count, true);
    if (!node)
        return NULL;
    corm_function *function = (corm_function *)(void *)node;
    node->detail = detail;
    function->name = corm_strdup(name);
    if (!function->name) {
        corm_node_unref(node);
        return NULL;
    }
    return corm_node_seal(node);
}

corm_node *corm_function_new(const char *name, corm_node *const *arguments, size_t count, corm_type *type) {
    return function_make(name, arguments, count, type, 0);
}

corm_node *corm_array_literal(corm_node *const *items, size_t count, corm_type *type) {
    return function_make("anon", items, count, type, CORM_FUNCTION_ARRAY);
}

corm_node *corm_subscript(corm_node *const *parts, size_t count, corm_type *type) {
    return function_make("anon", parts, count, type, CORM_FUNCTION_SUBSCRIPT);
}

corm_node *corm_sequence_next(const char *schema, const char *name, corm_type *type) {
    corm_node *parts[2] = {corm_plain_column(schema ? schema : name, NULL),
                           schema ? corm_plain_column(name, NULL) : NULL};
    corm_node *made =
        schema && !parts[1] ? NULL : function_make("next_value", parts, schema ? 2 : 1, type, CORM_FUNCTION_NEXT_VALUE);
    corm_node_unref(parts[0]);
    corm_node_unref(parts[1]);
    return made;
}

static corm_node *function_clone(const corm_node *node, corm_node *const *children) {
    return function_make(as_function(node)->name, children, node->child_count, node->type, node->detail);
}

/* ---- CASE, CAST, OVER, parentheses: nothing but children ---- */

typedef struct plain {
    corm_node node;
    corm_node *children[];
} plain;

static corm_node *plain_clone(const corm_node *node, corm_node *const *children);

static uint64_t type_hash(const corm_node *node) {
    return corm_type_hash(corm_node_type(node));
}

static bool type_equal(const corm_node *left, const corm_node *right) {
    return left->type == right->type || corm_type_equal(corm_node_type(left), corm_node_type(right));
}

#define PLAIN(title)                                                                                                   \
    {                                                                                                                  \
        .name = title, .children_at = offsetof(plain, children), .clone = plain_clone, .hash = type_hash,              \
        .equal = type_equal                                                                                            \
    }
static const corm_node_vtable case_vtable = PLAIN("Case");
static const corm_node_vtable cast_vtable = PLAIN("Cast");
static const corm_node_vtable over_vtable = PLAIN("Over");
static const corm_node_vtable grouping_vtable = PLAIN("Grouping");

static corm_node *plain_make(const corm_node_vtable *vtable, corm_node_kind kind, corm_type *type, unsigned detail,
                             corm_node *const *children, size_t count) {
    if (count > (SIZE_MAX - sizeof(plain)) / sizeof *children) {
        corm_error_no_memory();
        return NULL;
    }
    corm_node *node = corm_node_make(vtable, kind, CORM_OP_NONE, type, sizeof(plain) + count * sizeof *children,
                                     children, count, true);
    if (!node)
        return NULL;
    node->detail = (uint16_t)detail;
    return corm_node_seal(node);
}

static corm_node *plain_clone(const corm_node *node, corm_node *const *children) {
    return plain_make(node->vtable, (corm_node_kind)node->kind, node->type, node->detail, children, node->child_count);
}

corm_node *corm_over(corm_node *function, corm_node *partition_by, corm_node *order_by) {
    if (!function)
        return NULL;
    corm_node *children[3] = {function, partition_by, order_by};
    return plain_make(&over_vtable, CORM_NODE_OVER, function->type, 0, children, 3);
}

corm_node *corm_case_new(corm_node *value, corm_node *const *pairs, size_t count, corm_node *otherwise) {
    if (!count) {
        corm_error_set(CORM_ARGUMENT_ERROR, "case() needs at least one condition");
        return NULL;
    }
    if (count > (SIZE_MAX / sizeof *pairs - 2) / 2) {
        corm_error_no_memory();
        return NULL;
    }
    corm_node **children = corm_alloc_array(2 + 2 * count, sizeof *children);
    if (!children)
        return NULL;
    children[0] = value;
    children[1] = otherwise;
    corm_type *type = otherwise ? otherwise->type : NULL;
    corm_node *node = NULL;
    for (size_t i = 0; i < 2 * count; i++) {
        if (!pairs[i])
            goto done;
        children[2 + i] = pairs[i];
        if (i % 2 && pairs[i]->type && pairs[i]->type->kind != CORM_TYPE_NULL)
            type = pairs[i]->type;
    }
    node = plain_make(&case_vtable, CORM_NODE_CASE, type, value != NULL, children, 2 + 2 * count);
done:
    corm_free(children);
    return node;
}

corm_node *corm_cast(corm_node *operand, corm_type *type) {
    return operand && type ? plain_make(&cast_vtable, CORM_NODE_CAST, type, 0, &operand, 1) : NULL;
}

/* A cast of detail 1 is of our own mind only. */
corm_node *corm_type_coerce(corm_node *operand, corm_type *type) {
    if (!operand || !type)
        return NULL;
    if (operand->kind == CORM_NODE_BIND && !corm_node_bind(operand)->evaluate)
        return corm_bind_with_type(operand, type);
    return plain_make(&cast_vtable, CORM_NODE_CAST, type, 1, &operand, 1);
}

corm_node *corm_grouping(corm_node *operand) {
    return operand ? plain_make(&grouping_vtable, CORM_NODE_GROUPING, operand->type, 0, &operand, 1) : NULL;
}
