/*
 * What each column of a SELECT is called: its own name, a label, or a name that the compiler gives where names would
 * be the same or there is none.
 */
#include <string.h>

#include "compile/compiler_private.h"
#include "sql/select.h"

void corm_labels_free(corm_labels *labels) {
    if (!labels)
        return;
    for (size_t i = 0; i < labels->count; i++) {
        corm_node_unref(labels->items[i].node);
        corm_free(labels->items[i].name);
    }
    corm_free(labels->items);
    corm_free(labels);
}

/* A column with a name of its own, and the FROM it is of. */
static const char *own_name(const corm_node *node, corm_node **from) {
    *from = NULL;
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_COLUMN: {
        corm_column *column = corm_node_as_column(node);
        *from = corm_table_node(column->table);
        return column->name;
    }
    case CORM_NODE_COLUMN_OF: {
        const corm_node *shown = node;
        *from = corm_node_child(node, 0);
        while (shown->kind == CORM_NODE_COLUMN_OF && !((const corm_column_of *)(const void *)shown)->name)
            shown = corm_node_child(shown, 1);
        if (shown->kind == CORM_NODE_COLUMN)
            return corm_node_as_column(shown)->name;
        return shown->kind == CORM_NODE_LABEL || shown->kind == CORM_NODE_LITERAL_COLUMN ||
                       shown->kind == CORM_NODE_COLUMN_OF
                   ? corm_node_display_name(shown)
                   : NULL;
    }
    case CORM_NODE_LITERAL_COLUMN:
        return node->detail & CORM_LITERAL_QUOTED ? corm_node_display_name(node) : NULL;
    default:
        return NULL;
    }
}

static bool same_name(const corm_label_info *label, const char *name) {
    return label->name && label->kind != LABEL_ANONYMOUS && strcmp(label->name, name) == 0;
}

/* The first column that took this name (and prefix), or NULL. */
static corm_label_info *taken(corm_labels *labels, size_t before, const char *name, const corm_node *prefix) {
    for (size_t i = 0; i < before; i++) {
        if (same_name(&labels->items[i], name) && labels->items[i].prefix == prefix)
            return &labels->items[i];
    }
    return NULL;
}

static bool seen(const corm_labels *labels, size_t before, const corm_node *node) {
    for (size_t i = 0; i < before; i++) {
        if (labels->items[i].node == node)
            return true;
    }
    return false;
}

static char *join_text(const char *first, const char *second, const char *third) {
    corm_text text = CORM_TEXT_EMPTY;
    corm_text_append(&text, first);
    corm_text_append(&text, second);
    corm_text_append(&text, third);
    return corm_text_take(&text, NULL);
}

static bool is_anonymous_alias(const corm_node *from) {
    return from && from->kind == CORM_NODE_ALIAS && !corm_alias_name(from);
}

/* A column that has a name: written alone when the name is free. */
static corm_status name_column(corm_labels *labels, size_t at, const char *name, corm_node *from,
                               corm_label_style style, bool as_from) {
    corm_label_info *label = &labels->items[at];
    bool with_table = style == CORM_LABEL_TABLE_COLUMN && from && from->kind != CORM_NODE_JOIN;
    const char *table = with_table && !is_anonymous_alias(from) ? corm_node_display_name(from) : NULL;
    const corm_table *real_table = from ? corm_node_as_table(from) : NULL;
    char *full;
    if (table && real_table && real_table->schema) {
        char *qualified = join_text(real_table->schema, "_", table);
        full = qualified ? join_text(qualified, "_", name) : NULL;
        corm_free(qualified);
    } else {
        full = table ? join_text(table, "_", name) : corm_strdup(name);
    }
    if (!full)
        return CORM_NO_MEMORY;
    label->prefixed = with_table && !table;
    label->prefix = label->prefixed ? from : NULL;
    const corm_label_info *other = style == CORM_LABEL_NONE ? NULL : taken(labels, at, full, label->prefix);
    label->kind = with_table || as_from ? LABEL_NAME : LABEL_NONE;
    label->name = full;
    if (!other)
        return CORM_OK;
    label->kind = LABEL_ANONYMOUS;
    label->identity = label;
    if (seen(labels, at, label->node)) {
        label->name = join_text(full, "_", "");
        corm_free(full);
    }
    return label->name ? CORM_OK : CORM_NO_MEMORY;
}

static corm_status set_label(corm_label_info *label, label_kind kind, const char *name, const void *identity) {
    label->kind = kind;
    label->identity = identity;
    label->name = corm_strdup(name);
    return label->name ? CORM_OK : CORM_NO_MEMORY;
}

static bool is_column(const corm_node *node) {
    return node->kind == CORM_NODE_COLUMN || node->kind == CORM_NODE_COLUMN_OF;
}

static corm_status name_expression(corm_labels *labels, size_t at, corm_label_style style, bool as_from) {
    corm_label_info *label = &labels->items[at];
    const corm_node *node = label->node;
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_LABEL: {
        const char *name = corm_node_label_name(node);
        if (name)
            return set_label(label, LABEL_NAME, name, NULL);
        corm_node *from;
        const char *own = own_name(corm_node_child(node, 0), &from);
        return set_label(label, LABEL_ANONYMOUS, own ? own : "anon", node);
    }
    case CORM_NODE_FUNCTION:
        return set_label(label, LABEL_ANONYMOUS, corm_node_display_name(node), label);
    case CORM_NODE_CAST: {
        const corm_node *inner = node;
        while (inner->kind == CORM_NODE_CAST)
            inner = corm_node_child(inner, 0);
        corm_node *from;
        const char *name = own_name(inner, &from);
        if (!name)
            return set_label(label, LABEL_ANONYMOUS, "anon", label);
        corm_status status = name_column(labels, at, name, from, style, as_from);
        if (label->kind == LABEL_NONE)
            label->kind = LABEL_NAME;
        return status;
    }
    case CORM_NODE_UNARY:
        if ((node->op == CORM_OP_NOT && !is_column(corm_node_child(node, 0))) || node->op == CORM_OP_EXISTS || as_from)
            return set_label(label, LABEL_ANONYMOUS, "anon", label);
        return CORM_OK;
    case CORM_NODE_TEXT:
    case CORM_NODE_LITERAL_COLUMN:
    case CORM_NODE_EXTENSION:
        return CORM_OK;
    default:
        return set_label(label, LABEL_ANONYMOUS, "anon", label);
    }
}

static corm_status fill(corm_labels *labels, const corm_vector *columns, corm_label_style style, bool as_from) {
    for (size_t i = 0; i < columns->count; i++) {
        corm_label_info *label = &labels->items[i];
        label->node = corm_node_ref(columns->items[i]);
        labels->count++;
        corm_node *from;
        const char *name = own_name(label->node, &from);
        corm_status status;
        if (name)
            status = name_column(labels, i, name, from, style, as_from);
        else if (label->node->kind == CORM_NODE_COLUMN_OF)
            /* A column of a subquery whose own name is given there. */
            status = as_from || taken(labels, i, "", NULL) ? set_label(label, LABEL_NAME, "", NULL) : CORM_OK;
        else
            status = name_expression(labels, i, style, as_from);
        if (status)
            return status;
    }
    return CORM_OK;
}

corm_status corm_compiler_labels(corm_compiler *compiler, corm_node *select, bool as_from, corm_labels **out) {
    void *known;
    if (corm_pointer_map_get(&compiler->labels, select, &known)) {
        corm_labels *labels = known;
        if (labels->as_from || !as_from) {
            *out = labels;
            return CORM_OK;
        }
    }
    *out = NULL;
    corm_vector columns = {0};
    corm_labels *labels = NULL;
    corm_status status = corm_from_columns(select, &columns);
    if (status)
        goto done;
    labels = corm_calloc(1, sizeof *labels);
    if (!labels || !(labels->items = corm_calloc(columns.count ? columns.count : 1, sizeof *labels->items))) {
        status = CORM_NO_MEMORY;
        goto done;
    }
    labels->as_from = as_from;
    corm_label_style style = corm_node_is_select(select) ? corm_select_style(select) : CORM_LABEL_DISAMBIGUATE;
    status = fill(labels, &columns, style, as_from);
    if (!status)
        status = corm_vector_push(&compiler->all_labels, labels);
    if (!status) {
        *out = labels;
        labels = NULL;
        status = corm_pointer_map_set(&compiler->labels, select, *out);
    }
done:
    corm_labels_free(labels);
    corm_nodes_unref(&columns);
    return status;
}

corm_status corm_label_text(corm_compiler *compiler, const corm_label_info *label, const char **out) {
    *out = NULL;
    if (label->kind == LABEL_NONE)
        return CORM_OK;
    const char *base = label->name;
    char *made = NULL;
    if (label->kind == LABEL_NAME && !*base && label->node->kind == CORM_NODE_COLUMN_OF)
        return corm_compiler_column_of_name(compiler, label->node, out);
    if (label->prefixed) {
        const char *alias = corm_compiler_alias_name(compiler, label->prefix), *name = label->name;
        /* A subquery's column goes by what it is called there. */
        if (label->node->kind == CORM_NODE_COLUMN_OF &&
            corm_compiler_column_of_name(compiler, label->node, &name) != CORM_OK)
            return corm_error_last()->status;
        made = alias ? join_text(alias, "_", name) : NULL;
        if (!made)
            return CORM_NO_MEMORY;
        base = made;
    }
    if (label->kind == LABEL_ANONYMOUS)
        *out = corm_compiler_anonymous(compiler, label->identity, base);
    else if (made)
        *out = corm_compiler_keep_copy(compiler, made);
    else
        *out = label->name;
    corm_free(made);
    return *out ? CORM_OK : CORM_NO_MEMORY;
}

corm_status corm_compiler_column_of_name(corm_compiler *compiler, const corm_node *node, const char **out) {
    const corm_column_of *column = (const corm_column_of *)(const void *)node;
    *out = NULL;
    corm_node *element = column->children[0];
    while (element->kind == CORM_NODE_ALIAS)
        element = corm_alias_element(element);
    corm_node *shown = column->children[1];
    /* A column of an alias of an alias: down to what the innermost one shows. */
    for (corm_node *at = column->children[0]; at->kind == CORM_NODE_ALIAS && shown->kind == CORM_NODE_COLUMN_OF &&
                                              corm_node_child(shown, 0) == corm_alias_element(at);
         at = corm_alias_element(at))
        shown = corm_node_child(shown, 1);
    while (element->kind == CORM_NODE_COMPOUND)
        element = corm_list_at(corm_select_part_of(element, CORM_SELECT_COLUMNS), 0);
    if (element->kind == CORM_NODE_SELECT) {
        corm_labels *labels;
        corm_status status = corm_compiler_labels(compiler, element, true, &labels);
        if (status)
            return status;
        for (size_t i = 0; i < labels->count; i++) {
            if (labels->items[i].node != shown && !corm_node_equal(labels->items[i].node, shown))
                continue;
            status = corm_label_text(compiler, &labels->items[i], out);
            if (status || *out)
                return status;
            break;
        }
    }
    const corm_column *real = corm_node_as_column(shown);
    *out = real ? real->name : corm_node_result_name(shown);
    if (!*out)
        *out = column->name;
    if (*out)
        return CORM_OK;
    return corm_error_set(CORM_COMPILE_ERROR, "A column of a subquery has no name; give it one with label()");
}
