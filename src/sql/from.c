/* The columns that a FROM shows and a statement gives, and the names they go by. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "sql/dml.h"
#include "sql/select.h"

void corm_nodes_unref(corm_vector *nodes) {
    for (size_t i = 0; i < nodes->count; i++)
        corm_node_unref(nodes->items[i]);
    corm_vector_clear(nodes);
}

static corm_status push_ref(corm_vector *out, corm_node *node) {
    corm_status status = corm_vector_push(out, node);
    if (!status)
        corm_node_ref(node);
    return status;
}

const char *corm_node_result_name(const corm_node *node) {
    for (;;) {
        switch ((corm_node_kind)node->kind) {
        case CORM_NODE_COLUMN:
        case CORM_NODE_COLUMN_OF:
        case CORM_NODE_LABEL:
        case CORM_NODE_LITERAL_COLUMN:
        case CORM_NODE_FUNCTION:
        case CORM_NODE_EXTENSION:
            return corm_node_display_name(node);
        case CORM_NODE_CAST:
        case CORM_NODE_GROUPING:
            node = corm_node_child(node, 0);
            break;
        default:
            return NULL;
        }
    }
}

/* What stands in a columns clause: a FROM stands for all of its columns. */
static corm_status listed_columns(const corm_node *list, corm_vector *out) {
    for (size_t i = 0; i < corm_list_count(list); i++) {
        corm_node *node = corm_list_at(list, i);
        corm_status status;
        if (corm_node_is_from(node) || node->vtable->column_count)
            status = corm_from_columns(node, out);
        else
            status = push_ref(out, node);
        if (status)
            return status;
    }
    return CORM_OK;
}

/* Each column of an alias, with the name it has there when several of its element are called the same. */
static corm_status alias_columns(const corm_node *alias, corm_vector *out) {
    corm_vector inner = {0};
    corm_status status = corm_from_columns(corm_alias_element(alias), &inner);
    for (size_t i = 0; i < inner.count && !status; i++) {
        const char *own = corm_node_result_name(inner.items[i]);
        size_t same = 0;
        for (size_t j = 0; j < i && own; j++) {
            const char *other = corm_node_result_name(inner.items[j]);
            if (other && strcmp(other, own) == 0)
                same++;
        }
        char *name = NULL;
        if (same) {
            corm_text text = CORM_TEXT_EMPTY;
            corm_text_append_format(&text, "%s_%zu", own, same);
            name = corm_text_take(&text, NULL);
            if (!name) {
                status = CORM_NO_MEMORY;
                break;
            }
        }
        corm_node *column = corm_column_of_new((corm_node *)(uintptr_t)alias, inner.items[i], name);
        corm_free(name);
        status = column ? corm_vector_push(out, column) : corm_error_last()->status;
        if (status)
            corm_node_unref(column);
    }
    corm_nodes_unref(&inner);
    return status;
}

corm_status corm_from_columns(const corm_node *from, corm_vector *out) {
    if (from->vtable->column_count) {
        size_t count = from->vtable->column_count(from);
        for (size_t i = 0; i < count; i++) {
            corm_status status = push_ref(out, from->vtable->column(from, i));
            if (status)
                return status;
        }
        return CORM_OK;
    }
    switch ((corm_node_kind)from->kind) {
    case CORM_NODE_ALIAS:
        return alias_columns(from, out);
    case CORM_NODE_JOIN: {
        corm_status status = corm_join_left(from) ? corm_from_columns(corm_join_left(from), out) : CORM_OK;
        return status ? status : corm_from_columns(corm_join_right(from), out);
    }
    case CORM_NODE_SELECT:
        return listed_columns(corm_select_part_of(from, CORM_SELECT_COLUMNS), out);
    case CORM_NODE_COMPOUND:
        return corm_from_columns(corm_list_at(corm_select_part_of(from, CORM_SELECT_COLUMNS), 0), out);
    case CORM_NODE_INSERT:
    case CORM_NODE_UPDATE:
    case CORM_NODE_DELETE:
        return listed_columns(corm_dml_part_of(from, CORM_DML_RETURNING), out);
    case CORM_NODE_SCALAR_SUBQUERY:
    case CORM_NODE_GROUPING:
        return corm_from_columns(corm_node_child(from, 0), out);
    case CORM_NODE_TEXT: {
        const corm_text_node *text = (const corm_text_node *)(const void *)from;
        for (size_t i = 0; i < text->column_count; i++) {
            corm_status status = push_ref(out, text->children[text->bind_count + i]);
            if (status)
                return status;
        }
        return CORM_OK;
    }
    default:
        return corm_error_set(CORM_ARGUMENT_ERROR, "%s has no columns to select from", corm_node_kind_name(from));
    }
}

corm_node *corm_from_column(const corm_node *from, const char *name) {
    corm_vector columns = {0};
    corm_node *found = NULL;
    if (!corm_from_columns(from, &columns)) {
        for (size_t i = 0; i < columns.count && !found; i++) {
            corm_node *column = columns.items[i];
            const char *own = corm_node_result_name(column);
            if (own && strcmp(own, name) == 0)
                found = corm_node_ref(column);
        }
    }
    corm_nodes_unref(&columns);
    return found;
}

/* The column that another one shows: through labels and columns of aliases. */
static const corm_node *shown(const corm_node *column) {
    switch ((corm_node_kind)column->kind) {
    case CORM_NODE_COLUMN_OF:
        return ((const corm_column_of *)(const void *)column)->children[1];
    case CORM_NODE_LABEL:
        return corm_node_child(column, 0);
    default:
        return NULL;
    }
}

static bool shows(const corm_node *column, const corm_node *sought) {
    for (; column; column = shown(column)) {
        if (column == sought)
            return true;
        if (column->kind == CORM_NODE_COLUMN_OF && sought->kind == CORM_NODE_COLUMN_OF &&
            corm_node_equal(column, sought) && corm_node_child(column, 0) == corm_node_child(sought, 0))
            return true;
    }
    return false;
}

corm_node *corm_from_corresponding(const corm_node *from, const corm_node *column) {
    corm_vector columns = {0};
    corm_node *found = NULL;
    if (corm_from_columns(from, &columns))
        goto done;
    for (size_t i = 0; i < columns.count && !found; i++) {
        if (shows(columns.items[i], column))
            found = corm_node_ref(columns.items[i]);
    }
    const char *name = found ? NULL : corm_node_result_name(column);
    for (size_t i = 0; i < columns.count && name && !found; i++) {
        const char *own = corm_node_result_name(columns.items[i]);
        if (own && strcmp(own, name) == 0)
            found = corm_node_ref(columns.items[i]);
    }
done:
    corm_nodes_unref(&columns);
    return found;
}
