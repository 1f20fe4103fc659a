/* Bound values: what is sent beside the SQL. A value is no part of a bind's hash, its type and flags are. */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sql/expression.h"

static corm_bind *as_bind(corm_node *node) {
    return (corm_bind *)(void *)node;
}

static uint64_t bind_hash(const corm_node *node) {
    const corm_bind *bind = corm_node_bind(node);
    uint64_t hash = node->type ? (uint64_t)node->type->kind : 0;
    hash = corm_hash_mix(hash, bind->item_width);
    if (bind->key)
        hash = corm_hash_mix(hash, corm_hash_bytes(bind->key, strlen(bind->key)));
    return hash;
}

static bool same_text(const char *left, const char *right) {
    return left == right || (left && right && strcmp(left, right) == 0);
}

static bool same_literal(const corm_bind *left, const corm_bind *right) {
    if (left->item_count != right->item_count || !corm_value_equal(&left->value, &right->value))
        return false;
    for (size_t i = 0; i < left->item_count; i++) {
        if (!corm_value_equal(&left->items[i], &right->items[i]))
            return false;
    }
    return true;
}

static bool bind_equal(const corm_node *left, const corm_node *right) {
    const corm_bind *first = corm_node_bind(left);
    const corm_bind *second = corm_node_bind(right);
    if (left->type != right->type && !corm_type_equal(corm_node_type(left), corm_node_type(right)))
        return false;
    if (left->detail & CORM_BIND_LITERAL && !same_literal(first, second))
        return false;
    return first->item_width == second->item_width && same_text(first->key, second->key) &&
           same_text(first->hint, second->hint);
}

static void bind_release(corm_node *node) {
    corm_bind *bind = as_bind(node);
    corm_free(bind->key);
    corm_free(bind->hint);
    corm_value_clear(&bind->value);
    for (size_t i = 0; i < bind->item_count; i++)
        corm_value_clear(&bind->items[i]);
    corm_free(bind->items);
    if (bind->release)
        bind->release(bind->context);
}

static const char *bind_name(const corm_node *node) {
    const corm_bind *bind = corm_node_bind(node);
    return bind->key ? bind->key : bind->hint;
}

static const corm_node_vtable bind_vtable = {
    .name = "BindParameter",
    .hash = bind_hash,
    .equal = bind_equal,
    .release = bind_release,
    .display_name = bind_name,
};

static corm_bind *bind_open(corm_type *type, unsigned detail) {
    corm_bind *bind =
        as_bind(corm_node_make(&bind_vtable, CORM_NODE_BIND, CORM_OP_NONE, type, sizeof *bind, NULL, 0, true));
    if (!bind)
        return NULL;
    bind->node.detail = (uint16_t)detail;
    bind->node.flags |= CORM_NODE_HAS_BIND;
    bind->item_width = 1;
    return bind;
}

static corm_node *fail(corm_bind *bind) {
    corm_node_unref(&bind->node);
    return NULL;
}

corm_node *corm_bind_new(const corm_value *value, corm_type *type) {
    if (!value)
        return NULL;
    corm_bind *bind = bind_open(type ? type : corm_type_of_value(value), CORM_BIND_UNIQUE);
    if (!bind)
        return NULL;
    if (corm_value_copy(value, &bind->value))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

/* What kinds are the same family of values. */
static int family(const corm_type *type) {
    switch (type->kind) {
    case CORM_TYPE_INTEGER:
    case CORM_TYPE_SMALL_INTEGER:
    case CORM_TYPE_BIG_INTEGER:
        return 1;
    case CORM_TYPE_FLOAT:
    case CORM_TYPE_NUMERIC:
        return 2;
    case CORM_TYPE_STRING:
    case CORM_TYPE_TEXT:
        return 3;
    case CORM_TYPE_NULL:
        return 0;
    default:
        return 16 + (int)type->kind;
    }
}

static corm_type *type_compared(const corm_node *with, const corm_value *value) {
    corm_type *type = corm_node_type(with);
    if (value->kind == CORM_KIND_NULL || value->kind == CORM_KIND_ABSENT || value->kind == CORM_KIND_HOST ||
        type->host || type->adapter || type->kind == CORM_TYPE_OWN || type->kind == CORM_TYPE_ENUM)
        return type;
    corm_type *own = corm_type_of_value(value);
    int own_family = family(own);
    return own_family == 0 || own_family == family(type) ? type : own;
}

corm_node *corm_bind_compared(const corm_node *with, const corm_value *value) {
    if (!with || !value)
        return NULL;
    corm_bind *bind = bind_open(type_compared(with, value), CORM_BIND_UNIQUE | CORM_BIND_COMPARED);
    if (!bind)
        return NULL;
    if (corm_value_copy(value, &bind->value))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

corm_node *corm_bind_named(const char *key, const corm_value *value, corm_type *type, bool unique) {
    if (!type && value)
        type = corm_type_of_value(value);
    unsigned detail = (unique ? CORM_BIND_UNIQUE : 0u) | (value ? 0u : CORM_BIND_REQUIRED);
    corm_bind *bind = bind_open(type, detail);
    if (!bind)
        return NULL;
    char **place = unique ? &bind->hint : &bind->key;
    if (key && !(*place = corm_strdup(key)))
        return fail(bind);
    if (value && corm_value_copy(value, &bind->value))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

static corm_status copy_items(corm_bind *bind, const corm_value *values, size_t count, uint32_t width) {
    bind->item_width = width ? width : 1;
    if (count % bind->item_width)
        return corm_error_set(CORM_ARGUMENT_ERROR, "A list of tuples for IN needs %u values in each tuple",
                              (unsigned)bind->item_width);
    if (!count)
        return CORM_OK;
    bind->items = corm_alloc_array(count, sizeof *bind->items);
    if (!bind->items)
        return CORM_NO_MEMORY;
    for (; bind->item_count < count; bind->item_count++) {
        corm_status status = corm_value_copy(&values[bind->item_count], &bind->items[bind->item_count]);
        if (status)
            return status;
    }
    return CORM_OK;
}

corm_node *corm_bind_list_named(const char *key, const corm_value *values, size_t count, uint32_t width,
                                corm_type *type, bool required) {
    unsigned detail = CORM_BIND_EXPANDING | (key ? 0u : CORM_BIND_UNIQUE) | (required ? CORM_BIND_REQUIRED : 0u);
    if (width > 1)
        detail |= CORM_BIND_TUPLES;
    if (!type && count && width <= 1)
        type = corm_type_of_value(&values[0]);
    corm_bind *bind = bind_open(type, detail);
    if (!bind)
        return NULL;
    if (key && !(bind->key = corm_strdup(key)))
        return fail(bind);
    if (copy_items(bind, values, count, width))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

corm_node *corm_bind_list(const corm_value *values, size_t count, uint32_t width, corm_type *type) {
    corm_node *node = corm_bind_list_named(NULL, values, count, width, type, false);
    if (node) {
        node->detail |= CORM_BIND_COMPARED;
        node = corm_node_seal(node);
    }
    return node;
}

corm_node *corm_bind_deferred(corm_bind_evaluate evaluate, void *context, void (*release)(void *context),
                              corm_type *type, const char *hint) {
    corm_bind *bind = bind_open(type, CORM_BIND_UNIQUE);
    if (!bind) {
        if (release)
            release(context);
        return NULL;
    }
    bind->evaluate = evaluate;
    bind->context = context;
    bind->release = release;
    if (hint && !(bind->hint = corm_strdup(hint)))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

/* A copy without value, callback and list. */
static corm_bind *bind_copy(const corm_node *node, corm_type *type) {
    const corm_bind *old = corm_node_bind(node);
    corm_bind *bind = bind_open(type ? type : node->type, node->detail);
    if (!bind)
        return NULL;
    bind->item_width = old->item_width;
    if ((old->key && !(bind->key = corm_strdup(old->key))) || (old->hint && !(bind->hint = corm_strdup(old->hint)))) {
        corm_node_unref(&bind->node);
        return NULL;
    }
    return bind;
}

static corm_node *copy_with_content(const corm_node *node, corm_type *type, unsigned detail) {
    const corm_bind *old = corm_node_bind(node);
    if (old->evaluate) {
        corm_error_set(CORM_INVALID_REQUEST, "A bound value that is computed when executing cannot be changed");
        return NULL;
    }
    corm_bind *bind = bind_copy(node, type);
    if (!bind)
        return NULL;
    bind->node.detail |= (uint16_t)detail;
    if (corm_value_copy(&old->value, &bind->value) || copy_items(bind, old->items, old->item_count, old->item_width))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

corm_node *corm_bind_with_value(const corm_node *node, const corm_value *value) {
    if (!node || !value)
        return NULL;
    corm_bind *bind = bind_copy(node, NULL);
    if (!bind)
        return NULL;
    if (value->kind != CORM_KIND_ABSENT)
        bind->node.detail &= (uint16_t)~CORM_BIND_REQUIRED;
    if (corm_value_copy(value, &bind->value))
        return fail(bind);
    return corm_node_seal(&bind->node);
}

corm_node *corm_bind_with_type(const corm_node *node, corm_type *type) {
    return node ? copy_with_content(node, type, 0) : NULL;
}

corm_node *corm_bind_with_literal(const corm_node *node) {
    return node ? copy_with_content(node, NULL, CORM_BIND_LITERAL) : NULL;
}

corm_node *corm_bind_stripped(const corm_node *node) {
    corm_bind *bind = node ? bind_copy(node, NULL) : NULL;
    if (!bind)
        return NULL;
    return corm_node_seal(&bind->node);
}
