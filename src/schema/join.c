/*
 * Joining along foreign keys: the ON condition between two FROMs.
 *
 * A column of an alias or subquery stands for the table's column that it shows; a foreign key of that column to one
 * that the other side shows makes a pair. The pairs of one constraint make a condition.
 */
#include "schema/schema.h"

#include <stdlib.h>

#include "sql/select.h"

/* A column that a FROM shows, and the table's column behind it. */
typedef struct shown {
    corm_node *node;
    corm_column *column;
} shown;

typedef struct side {
    corm_vector columns; /* new references */
    shown *items;
    size_t count;
} side;

typedef struct pair {
    const corm_constraint *constraint;
    corm_node *target;
    corm_node *parent;
} pair;

typedef struct pairs {
    pair *items;
    size_t count, capacity;
} pairs;

static corm_column *column_behind(const corm_node *node) {
    for (;;) {
        switch ((corm_node_kind)node->kind) {
        case CORM_NODE_COLUMN:
            return corm_node_as_column(node);
        case CORM_NODE_COLUMN_OF:
            node = corm_node_child(node, 1);
            break;
        case CORM_NODE_LABEL:
            node = corm_node_child(node, 0);
            break;
        default:
            return NULL;
        }
    }
}

static corm_status side_open(side *out, const corm_node *from) {
    *out = (side){0};
    corm_status status = corm_from_columns(from, &out->columns);
    if (status)
        return status;
    out->items = corm_alloc_array(out->columns.count, sizeof *out->items);
    if (!out->items)
        return CORM_NO_MEMORY;
    for (size_t i = 0; i < out->columns.count; i++) {
        corm_column *column = column_behind(out->columns.items[i]);
        if (column)
            out->items[out->count++] = (shown){out->columns.items[i], column};
    }
    return CORM_OK;
}

static void side_close(side *content) {
    corm_nodes_unref(&content->columns);
    corm_free(content->items);
}

static corm_status add_pair(pairs *found, const corm_constraint *constraint, corm_node *target, corm_node *parent) {
    if (found->count == found->capacity) {
        size_t capacity = found->capacity ? found->capacity * 2 : 8;
        pair *items = corm_realloc_array(found->items, capacity, sizeof *items);
        if (!items)
            return CORM_NO_MEMORY;
        found->items = items;
        found->capacity = capacity;
    }
    found->items[found->count++] = (pair){constraint, target, parent};
    return CORM_OK;
}

static bool has_table(const side *content, const corm_table *table) {
    for (size_t i = 0; i < content->count; i++) {
        if (content->items[i].column->table == table)
            return true;
    }
    return false;
}

/* Pairs of foreign keys that `from` has to what `to` shows. A key to a table that is not there concerns nobody here. */
static corm_status scan(const side *from, const side *to, pairs *found) {
    for (size_t i = 0; i < from->count; i++) {
        const corm_vector *keys = &from->items[i].column->foreign_keys;
        for (size_t j = 0; j < keys->count; j++) {
            corm_foreign_key *key = keys->items[j];
            corm_table *table = corm_foreign_key_table(key);
            if (!table || !has_table(to, table))
                continue;
            corm_column *target;
            corm_status status = corm_foreign_key_resolve(key, &target);
            if (status)
                return status;
            for (size_t k = 0; k < to->count; k++) {
                if (to->items[k].column != target)
                    continue;
                status = add_pair(found, key->constraint, to->items[k].node, from->items[i].node);
                if (status)
                    return status;
                break;
            }
        }
    }
    return CORM_OK;
}

static bool same_pairs(const pairs *found, const corm_constraint *left, const corm_constraint *right) {
    size_t at = 0;
    for (size_t i = 0; i < found->count; i++) {
        if (found->items[i].constraint != left)
            continue;
        while (at < found->count && found->items[at].constraint != right)
            at++;
        if (at == found->count || found->items[at].target != found->items[i].target ||
            found->items[at].parent != found->items[i].parent)
            return false;
        at++;
    }
    return true;
}

static const char *describe(const corm_node *from) {
    if (from->kind == CORM_NODE_JOIN)
        return "Join object";
    const char *name = corm_node_display_name(from);
    if (!name && from->kind == CORM_NODE_ALIAS)
        name = corm_node_display_name(corm_alias_element(from));
    return name ? name : corm_node_kind_name(from);
}

static corm_node *condition(const pairs *found, const corm_constraint *constraint) {
    corm_node *result = NULL;
    for (size_t i = 0; i < found->count; i++) {
        if (found->items[i].constraint != constraint)
            continue;
        corm_node *equal = corm_binary_new(CORM_OP_EQ, found->items[i].target, found->items[i].parent);
        corm_node *both = result ? corm_and2(result, equal) : corm_node_ref(equal);
        corm_node_unref(equal);
        corm_node_unref(result);
        result = both;
        if (!result)
            return NULL;
    }
    return result;
}

/* Foreign keys in both directions between left and right. */
static corm_status find_pairs(const side *left, const side *right, bool same, pairs *found) {
    corm_status status = scan(right, left, found);
    return status || same ? status : scan(left, right, found);
}

static corm_status open_both(corm_node *left, corm_node *right, side *left_side, side *right_side) {
    *right_side = (side){0};
    corm_status status = side_open(left_side, left);
    return status ? status : side_open(right_side, right);
}

corm_node *corm_join_condition(corm_node *left, corm_node *right, corm_node *left_subset) {
    if (!left || !right)
        return NULL;
    side left_side, right_side, subset_side = {0};
    pairs found = {0};
    corm_node *result = NULL;
    corm_status status = open_both(left, right, &left_side, &right_side);
    if (!status && left_subset)
        status = side_open(&subset_side, left_subset);
    if (!status && left_subset)
        status = find_pairs(&subset_side, &right_side, left_subset == right, &found);
    if (!status && !found.count)
        status = find_pairs(&left_side, &right_side, left == right, &found);
    if (status)
        goto done;
    if (!found.count) {
        corm_error_set(CORM_NO_FOREIGN_KEYS, "Can't find any foreign key relationships between '%s' and '%s'.",
                       describe(left), describe(right));
        goto done;
    }
    for (size_t i = 1; i < found.count; i++) {
        const corm_constraint *first = found.items[0].constraint;
        const corm_constraint *other = found.items[i].constraint;
        if (other != first && !(same_pairs(&found, first, other) && same_pairs(&found, other, first))) {
            corm_error_set(CORM_AMBIGUOUS_FOREIGN_KEYS,
                           "Can't determine join between '%s' and '%s'; tables have more than one foreign key "
                           "constraint relationship between them. Please specify the 'onclause' of this join "
                           "explicitly.",
                           describe(left), describe(right));
            goto done;
        }
    }
    result = condition(&found, found.items[0].constraint);
done:
    side_close(&left_side);
    side_close(&right_side);
    side_close(&subset_side);
    corm_free(found.items);
    return result;
}

bool corm_can_join(corm_node *left, corm_node *right) {
    side left_side, right_side;
    pairs found = {0};
    bool result = !open_both(left, right, &left_side, &right_side) &&
                  !find_pairs(&left_side, &right_side, left == right, &found) && found.count > 0;
    side_close(&left_side);
    side_close(&right_side);
    corm_free(found.items);
    return result;
}
