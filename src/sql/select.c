/* SELECT and its kin: fixed sets of parts, copied with one of them changed. */
#include "sql/select.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

static const corm_select *as_select(const corm_node *node) {
    return (const corm_select *)(const void *)node;
}

static corm_node *select_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable select_vtable = {
    .name = "Select",
    .children_at = offsetof(corm_select, parts),
    .clone = select_clone,
};
static const corm_node_vtable compound_vtable = {
    .name = "CompoundSelect",
    .children_at = offsetof(corm_compound, parts),
    .clone = select_clone,
};

static corm_node *select_make(const corm_node_vtable *vtable, corm_node_kind kind, corm_operator op, unsigned detail,
                              corm_node *const *parts) {
    corm_node *node = corm_node_make(vtable, kind, op, NULL, sizeof(corm_select), parts, CORM_SELECT_PART_COUNT, true);
    if (!node)
        return NULL;
    node->detail = (uint16_t)detail;
    return corm_node_seal(node);
}

static corm_node *select_clone(const corm_node *node, corm_node *const *children) {
    return select_make(node->vtable, (corm_node_kind)node->kind, (corm_operator)node->op, node->detail, children);
}

corm_node *corm_select_new(corm_node *const *columns, size_t count) {
    corm_node *parts[CORM_SELECT_PART_COUNT] = {NULL};
    if (count && !(parts[CORM_SELECT_COLUMNS] = corm_list_new(CORM_OP_COMMA, columns, count)))
        return NULL;
    corm_node *node = select_make(&select_vtable, CORM_NODE_SELECT, CORM_OP_NONE, 0, parts);
    corm_node_unref(parts[CORM_SELECT_COLUMNS]);
    return node;
}

static bool takes_parts(const corm_node *node) {
    if (corm_node_is_select(node))
        return true;
    corm_error_set(CORM_ARGUMENT_ERROR, "A SELECT was expected, got %s", corm_node_kind_name(node));
    return false;
}

corm_node *corm_select_with_part(const corm_node *select, corm_select_part part, corm_node *node) {
    if (!select || !takes_parts(select))
        return NULL;
    corm_node *parts[CORM_SELECT_PART_COUNT];
    memcpy(parts, as_select(select)->parts, sizeof parts);
    parts[part] = node;
    return select_clone(select, parts);
}

corm_node *corm_select_append(const corm_node *select, corm_select_part part, corm_node *const *nodes, size_t count) {
    if (!select || !takes_parts(select))
        return NULL;
    corm_node *list = corm_list_append(as_select(select)->parts[part], nodes, count);
    if (!list)
        return NULL;
    corm_node *made = corm_select_with_part(select, part, list);
    corm_node_unref(list);
    return made;
}

corm_node *corm_select_with_detail(const corm_node *select, uint16_t clear, uint16_t set) {
    if (!select || !takes_parts(select))
        return NULL;
    return select_make(select->vtable, (corm_node_kind)select->kind, (corm_operator)select->op,
                       (unsigned)(select->detail & ~clear) | set, as_select(select)->parts);
}

corm_node *corm_select_with_style(const corm_node *select, corm_label_style style) {
    return corm_select_with_detail(select, CORM_SELECT_STYLE_MASK, (uint16_t)style);
}

corm_node *corm_select_where(const corm_node *select, corm_node *criterion) {
    return criterion ? corm_select_append(select, CORM_SELECT_WHERE, &criterion, 1) : NULL;
}

corm_node *corm_select_having(const corm_node *select, corm_node *criterion) {
    return criterion ? corm_select_append(select, CORM_SELECT_HAVING, &criterion, 1) : NULL;
}

corm_node *corm_select_order_by(const corm_node *select, corm_node *const *nodes, size_t count) {
    return corm_select_append(select, CORM_SELECT_ORDER_BY, nodes, count);
}

corm_node *corm_select_group_by(const corm_node *select, corm_node *const *nodes, size_t count) {
    return corm_select_append(select, CORM_SELECT_GROUP_BY, nodes, count);
}

corm_node *corm_select_from(const corm_node *select, corm_node *from) {
    return from ? corm_select_append(select, CORM_SELECT_FROM, &from, 1) : NULL;
}

corm_node *corm_select_join(const corm_node *select, corm_node *left, corm_node *target, corm_node *on,
                            uint16_t detail) {
    corm_node *join = corm_join_new(left, target, on, detail);
    if (!join)
        return NULL;
    corm_node *made = corm_select_append(select, CORM_SELECT_JOINS, &join, 1);
    corm_node_unref(join);
    return made;
}

static corm_node *with_number(const corm_node *select, corm_select_part part, int64_t number) {
    if (number < 0)
        return corm_select_with_part(select, part, NULL);
    corm_value value = corm_value_integer(number);
    corm_node *bind = corm_bind_new(&value, NULL);
    if (!bind)
        return NULL;
    corm_node *made = corm_select_with_part(select, part, bind);
    corm_node_unref(bind);
    return made;
}

corm_node *corm_select_limit(const corm_node *select, int64_t limit) {
    return with_number(select, CORM_SELECT_LIMIT, limit);
}

corm_node *corm_select_offset(const corm_node *select, int64_t offset) {
    return with_number(select, CORM_SELECT_OFFSET, offset);
}

corm_node *corm_select_distinct(const corm_node *select) {
    return corm_select_with_detail(select, 0, CORM_SELECT_IS_DISTINCT);
}

corm_node *corm_select_columns_are(const corm_node *select, corm_node *const *nodes, size_t count) {
    corm_node *list = corm_list_new(CORM_OP_COMMA, nodes, count);
    if (!list)
        return NULL;
    corm_node *made = corm_select_with_part(select, CORM_SELECT_COLUMNS, list);
    corm_node_unref(list);
    return made;
}

corm_node *corm_compound_new(corm_operator op, corm_node *const *selects, size_t count) {
    if (op < CORM_OP_UNION || op > CORM_OP_EXCEPT_ALL || !count) {
        corm_error_set(CORM_ARGUMENT_ERROR, "A compound SELECT needs an operator such as UNION, and SELECTs");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!selects[i])
            return NULL;
        if (!corm_node_is_select(selects[i]) && selects[i]->kind != CORM_NODE_TEXT &&
            selects[i]->kind != CORM_NODE_EXTENSION) {
            corm_error_set(CORM_ARGUMENT_ERROR,
                           "SELECT construct for inclusion in a UNION or other set construct "
                           "expected, got %s",
                           corm_node_kind_name(selects[i]));
            return NULL;
        }
    }
    corm_node *parts[CORM_SELECT_PART_COUNT] = {NULL};
    parts[CORM_SELECT_COLUMNS] = corm_list_new(CORM_OP_COMMA, selects, count);
    if (!parts[CORM_SELECT_COLUMNS])
        return NULL;
    corm_node *node = select_make(&compound_vtable, CORM_NODE_COMPOUND, op, 0, parts);
    corm_node_unref(parts[CORM_SELECT_COLUMNS]);
    return node;
}

/* ---- the select as a value ---- */

typedef struct scalar_subquery {
    corm_node node;
    corm_node *children[1];
} scalar_subquery;

static corm_node *scalar_clone(const corm_node *node, corm_node *const *children) {
    (void)node;
    return corm_scalar_subquery(children[0]);
}

static const corm_node_vtable scalar_vtable = {
    .name = "ScalarSelect",
    .children_at = offsetof(scalar_subquery, children),
    .clone = scalar_clone,
};

corm_node *corm_scalar_subquery(corm_node *select) {
    if (!select)
        return NULL;
    corm_type *type = NULL;
    if (corm_node_is_select(select)) {
        const corm_node *first = select;
        while (first->kind == CORM_NODE_COMPOUND)
            first = corm_list_at(corm_select_part_of(first, CORM_SELECT_COLUMNS), 0);
        const corm_node *columns =
            first->kind == CORM_NODE_SELECT ? corm_select_part_of(first, CORM_SELECT_COLUMNS) : NULL;
        if (corm_list_count(columns))
            type = corm_list_at(columns, 0)->type;
    }
    return corm_node_make(&scalar_vtable, CORM_NODE_SCALAR_SUBQUERY, CORM_OP_NONE, type, sizeof(scalar_subquery),
                          &select, 1, false);
}

/* ---- aliases and joins ---- */

static const corm_alias *as_alias(const corm_node *node) {
    return (const corm_alias *)(const void *)node;
}

static uint64_t alias_hash(const corm_node *node) {
    const char *name = as_alias(node)->name;
    return name ? corm_hash_bytes(name, strlen(name)) : 0;
}

static bool alias_equal(const corm_node *left, const corm_node *right) {
    const char *first = as_alias(left)->name;
    const char *second = as_alias(right)->name;
    return first == second || (first && second && strcmp(first, second) == 0);
}

static void alias_release(corm_node *node) {
    corm_free(((corm_alias *)(void *)node)->name);
}

static const char *alias_name(const corm_node *node) {
    return as_alias(node)->name;
}

static corm_node *alias_clone(const corm_node *node, corm_node *const *children) {
    return corm_alias_new(children[0], as_alias(node)->name, node->detail);
}

static const corm_node_vtable alias_vtable = {
    .name = "Alias",
    .children_at = offsetof(corm_alias, children),
    .clone = alias_clone,
    .hash = alias_hash,
    .equal = alias_equal,
    .release = alias_release,
    .display_name = alias_name,
};

corm_node *corm_alias_new(corm_node *from, const char *name, uint16_t detail) {
    if (!from)
        return NULL;
    corm_node *node =
        corm_node_make(&alias_vtable, CORM_NODE_ALIAS, CORM_OP_NONE, NULL, sizeof(corm_alias), &from, 1, true);
    if (!node)
        return NULL;
    node->detail = detail;
    node->flags |= CORM_NODE_HAS_ALIAS;
    if (name && !(((corm_alias *)(void *)node)->name = corm_strdup(name))) {
        corm_node_unref(node);
        return NULL;
    }
    return corm_node_seal(node);
}

static corm_node *join_clone(const corm_node *node, corm_node *const *children) {
    return corm_join_new(children[0], children[1], children[2], node->detail);
}

static const corm_node_vtable join_vtable = {
    .name = "Join",
    .children_at = offsetof(corm_join, children),
    .clone = join_clone,
};

corm_node *corm_join_new(corm_node *left, corm_node *right, corm_node *on, uint16_t detail) {
    if (!right)
        return NULL;
    corm_node *children[3] = {left, right, on};
    corm_node *node =
        corm_node_make(&join_vtable, CORM_NODE_JOIN, CORM_OP_NONE, NULL, sizeof(corm_join), children, 3, true);
    if (!node)
        return NULL;
    node->detail = detail;
    return corm_node_seal(node);
}
