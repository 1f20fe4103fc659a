/* INSERT, UPDATE, DELETE and ON CONFLICT: fixed sets of parts, as SELECT is. */
#include "sql/dml.h"

#include <string.h>

#include "base/alloc.h"

static const corm_dml *as_dml(const corm_node *node) {
    return (const corm_dml *)(const void *)node;
}

static corm_node *dml_clone(const corm_node *node, corm_node *const *children);

#define DML(title)                                                                                                     \
    { .name = title, .children_at = offsetof(corm_dml, parts), .clone = dml_clone }
static const corm_node_vtable insert_vtable = DML("Insert");
static const corm_node_vtable update_vtable = DML("Update");
static const corm_node_vtable delete_vtable = DML("Delete");

static corm_node *dml_make(const corm_node_vtable *vtable, corm_node_kind kind, unsigned detail,
                           corm_node *const *parts) {
    corm_node *node =
        corm_node_make(vtable, kind, CORM_OP_NONE, NULL, sizeof(corm_dml), parts, CORM_DML_PART_COUNT, true);
    if (!node)
        return NULL;
    node->detail = (uint16_t)detail;
    return corm_node_seal(node);
}

static corm_node *dml_clone(const corm_node *node, corm_node *const *children) {
    return dml_make(node->vtable, (corm_node_kind)node->kind, node->detail, children);
}

static corm_node *dml_new(const corm_node_vtable *vtable, corm_node_kind kind, corm_node *table) {
    if (!table)
        return NULL;
    corm_node *parts[CORM_DML_PART_COUNT] = {[CORM_DML_TABLE] = table};
    return dml_make(vtable, kind, 0, parts);
}

corm_node *corm_insert_new(corm_node *table) {
    return dml_new(&insert_vtable, CORM_NODE_INSERT, table);
}

corm_node *corm_update_new(corm_node *table) {
    return dml_new(&update_vtable, CORM_NODE_UPDATE, table);
}

corm_node *corm_delete_new(corm_node *table) {
    return dml_new(&delete_vtable, CORM_NODE_DELETE, table);
}

corm_node *corm_dml_with_part(const corm_node *dml, corm_dml_part part, corm_node *node) {
    if (!dml)
        return NULL;
    corm_node *parts[CORM_DML_PART_COUNT];
    memcpy(parts, as_dml(dml)->parts, sizeof parts);
    parts[part] = node;
    return dml_clone(dml, parts);
}

corm_node *corm_dml_append(const corm_node *dml, corm_dml_part part, corm_node *const *nodes, size_t count) {
    if (!dml)
        return NULL;
    corm_node *list = corm_list_append(as_dml(dml)->parts[part], nodes, count);
    if (!list)
        return NULL;
    corm_node *made = corm_dml_with_part(dml, part, list);
    corm_node_unref(list);
    return made;
}

corm_node *corm_dml_with_detail(const corm_node *dml, uint16_t clear, uint16_t set) {
    if (!dml)
        return NULL;
    return dml_make(dml->vtable, (corm_node_kind)dml->kind, (unsigned)(dml->detail & ~clear) | set, as_dml(dml)->parts);
}

/* A copy with these columns and rows. Takes over neither. */
static corm_node *with_rows(const corm_node *dml, corm_node *columns, corm_node *rows, unsigned detail) {
    if (!columns || !rows)
        return NULL;
    corm_node *parts[CORM_DML_PART_COUNT];
    memcpy(parts, as_dml(dml)->parts, sizeof parts);
    parts[CORM_DML_COLUMNS] = columns;
    parts[CORM_DML_ROWS] = rows;
    return dml_make(dml->vtable, (corm_node_kind)dml->kind, dml->detail | detail, parts);
}

corm_node *corm_dml_values(const corm_node *dml, corm_node *const *columns, corm_node *const *values, size_t count) {
    if (!dml)
        return NULL;
    const corm_node *old_columns = as_dml(dml)->parts[CORM_DML_COLUMNS];
    const corm_node *old_rows = as_dml(dml)->parts[CORM_DML_ROWS];
    if (corm_list_count(old_rows) > 1) {
        corm_error_set(CORM_INVALID_REQUEST, "Can't mix single and multiple VALUES formats in one INSERT statement");
        return NULL;
    }
    size_t old = corm_list_count(old_columns);
    corm_node **all = corm_alloc_array(2 * (old + count), sizeof *all);
    if (!all)
        return NULL;
    corm_node **all_values = all + old + count;
    size_t total = old;
    for (size_t i = 0; i < old; i++) {
        all[i] = corm_list_at(old_columns, i);
        all_values[i] = corm_list_at(corm_list_at(old_rows, 0), i);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < total && all[at] != columns[i])
            at++;
        all[at] = columns[i];
        all_values[at] = values[i];
        if (at == total)
            total++;
    }
    corm_node *list = corm_list_new(CORM_OP_COMMA, all, total);
    corm_node *row = corm_list_new(CORM_OP_COMMA, all_values, total);
    corm_node *rows = corm_list_new(CORM_OP_COMMA, &row, 1);
    corm_node *made = with_rows(dml, list, rows, 0);
    corm_node_unref(list);
    corm_node_unref(row);
    corm_node_unref(rows);
    corm_free(all);
    return made;
}

corm_node *corm_insert_rows(const corm_node *insert, corm_node *const *columns, size_t count, corm_node *const *values,
                            size_t rows) {
    if (!insert)
        return NULL;
    corm_node **lists = corm_alloc_array(rows, sizeof *lists);
    if (!lists)
        return NULL;
    corm_node *made = NULL;
    corm_node *list = NULL;
    corm_node *all = NULL;
    size_t done = 0;
    for (; done < rows; done++) {
        lists[done] = corm_list_new(CORM_OP_COMMA, values + done * count, count);
        if (!lists[done])
            goto done;
    }
    list = corm_list_new(CORM_OP_COMMA, columns, count);
    all = corm_list_new(CORM_OP_COMMA, lists, rows);
    made = with_rows(insert, list, all, CORM_DML_MULTIPLE);
done:
    for (size_t i = 0; i < done; i++)
        corm_node_unref(lists[i]);
    corm_free(lists);
    corm_node_unref(list);
    corm_node_unref(all);
    return made;
}

corm_node *corm_insert_from_select(const corm_node *insert, corm_node *const *columns, size_t count,
                                   corm_node *select) {
    if (!insert || !select)
        return NULL;
    corm_node *list = corm_list_new(CORM_OP_COMMA, columns, count);
    if (!list)
        return NULL;
    corm_node *parts[CORM_DML_PART_COUNT];
    memcpy(parts, as_dml(insert)->parts, sizeof parts);
    parts[CORM_DML_COLUMNS] = list;
    parts[CORM_DML_ROWS] = NULL;
    parts[CORM_DML_SELECT] = select;
    corm_node *made = dml_clone(insert, parts);
    corm_node_unref(list);
    return made;
}

corm_node *corm_dml_where(const corm_node *dml, corm_node *criterion) {
    return criterion ? corm_dml_append(dml, CORM_DML_WHERE, &criterion, 1) : NULL;
}

corm_node *corm_dml_returning(const corm_node *dml, corm_node *const *nodes, size_t count) {
    return corm_dml_append(dml, CORM_DML_RETURNING, nodes, count);
}

static corm_node *conflict_clone(const corm_node *node, corm_node *const *children) {
    (void)node;
    return corm_conflict_new(children[0], children[1], children[2], children[3], children[4]);
}

static const corm_node_vtable conflict_vtable = {
    .name = "OnConflict",
    .children_at = offsetof(corm_conflict, children),
    .clone = conflict_clone,
};

corm_node *corm_conflict_new(corm_node *targets, corm_node *target_where, corm_node *columns, corm_node *values,
                             corm_node *where) {
    if (corm_list_count(columns) != corm_list_count(values)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "ON CONFLICT DO UPDATE needs a value for each column");
        return NULL;
    }
    corm_node *children[5] = {targets, target_where, columns, values, where};
    return corm_node_make(&conflict_vtable, CORM_NODE_CONFLICT, CORM_OP_NONE, NULL, sizeof(corm_conflict), children, 5,
                          false);
}

static corm_node *new_row(const char *name, corm_type *type, unsigned detail) {
    corm_node *node = corm_plain_column(name, type);
    if (!node)
        return NULL;
    node->detail |= detail;
    return corm_node_seal(node);
}

corm_node *corm_excluded(const char *name, corm_type *type) {
    return new_row(name, type, CORM_LITERAL_EXCLUDED);
}

corm_node *corm_inserted(const char *name, corm_type *type) {
    return new_row(name, type, CORM_LITERAL_INSERTED);
}

static corm_node *duplicate_key_clone(const corm_node *node, corm_node *const *children) {
    (void)node;
    return corm_duplicate_key_new(children[2], children[3]);
}

static const corm_node_vtable duplicate_key_vtable = {
    .name = "OnDuplicateClause",
    .children_at = offsetof(corm_conflict, children),
    .clone = duplicate_key_clone,
};

corm_node *corm_duplicate_key_new(corm_node *columns, corm_node *values) {
    if (corm_list_count(columns) != corm_list_count(values)) {
        corm_error_set(CORM_ARGUMENT_ERROR, "ON DUPLICATE KEY UPDATE needs a value for each column");
        return NULL;
    }
    corm_node *children[5] = {NULL, NULL, columns, values, NULL};
    corm_node *node = corm_node_make(&duplicate_key_vtable, CORM_NODE_CONFLICT, CORM_OP_NONE, NULL,
                                     sizeof(corm_conflict), children, 5, true);
    if (!node)
        return NULL;
    node->detail |= CORM_CONFLICT_ANY_KEY;
    return corm_node_seal(node);
}
