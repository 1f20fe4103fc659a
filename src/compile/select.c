/* SELECT, compound selects and common table expressions as SQL. */
#include "sql/select.h"

#include <string.h>

#include "compile/compiler_private.h"

static corm_text *text_of(corm_compiler *compiler) {
    return &compiler->out->text;
}

/* ---- the columns clause ---- */

static corm_status add_result_column(corm_compiler *compiler, const char *name, corm_node *node) {
    corm_compiled *compiled = compiler->compiled;
    if (compiled->column_count == compiled->column_capacity) {
        size_t capacity = compiled->column_capacity ? compiled->column_capacity * 2 : 8;
        corm_result_column *columns = corm_realloc_array(compiled->columns, capacity, sizeof *columns);
        if (!columns)
            return CORM_NO_MEMORY;
        compiled->columns = columns;
        compiled->column_capacity = capacity;
    }
    const char *kept = corm_compiler_keep_copy(compiler, name ? name : "");
    if (!kept)
        return CORM_NO_MEMORY;
    corm_type *type = corm_type_adapted(corm_node_type(node), compiler->dialect->name);
    if (!type)
        return corm_error_last()->status;
    compiled->columns[compiled->column_count++] =
        (corm_result_column){.name = kept,
                             .type = corm_type_ref(type),
                             .convert = compiler->dialect->result_converter(type),
                             .node = corm_node_ref(node)};
    return CORM_OK;
}

/* The name that a column goes by in rows. */
static const char *row_name(const corm_node *node, const char *label) {
    if (label)
        return label;
    if (node->kind == CORM_NODE_COLUMN)
        return corm_node_display_name(node);
    if (node->kind == CORM_NODE_TEXT)
        return ((const corm_text_node *)(const void *)node)->text;
    return corm_node_result_name(node);
}

static corm_status compile_selected(corm_compiler *compiler, const corm_label_info *label, bool top) {
    corm_node *node = label->node;
    const char *name;
    corm_status status = corm_label_text(compiler, label, &name);
    if (status)
        return status;
    corm_node *element = node->kind == CORM_NODE_LABEL ? corm_node_child(node, 0) : node;
    if (element->kind == CORM_NODE_LIST && element->op == CORM_OP_COMMA)
        return corm_error_set(CORM_COMPILE_ERROR,
                              "Most backends don't support SELECTing from a tuple() object.  If this is an ORM query, "
                              "consider using the Bundle object.");
    status = corm_compile_expression(compiler, element, name ? CORM_OP_AS : CORM_OP_NONE, NULL);
    if (status)
        return status;
    /* A column of a subquery keeps its name there unless it was given another. */
    if (name) {
        corm_text_append(text_of(compiler), " AS ");
        status = corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
    }
    if (status || !top)
        return status;
    if (!name && node->kind == CORM_NODE_COLUMN_OF) {
        status = corm_compiler_column_of_name(compiler, node, &name);
        if (status)
            return status;
    }
    return add_result_column(compiler, row_name(node, name), node);
}

corm_status corm_compile_result_columns(corm_compiler *compiler, const corm_labels *labels, bool top) {
    for (size_t i = 0; i < labels->count; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = compile_selected(compiler, &labels->items[i], top);
        if (status)
            return status;
    }
    return corm_text_status(text_of(compiler));
}

/* ---- ORDER BY and GROUP BY ---- */

/* Is it one of the selected columns, to be called by its label? */
static const corm_label_info *selected_label(const corm_frame *frame, const corm_node *node) {
    for (size_t i = 0; frame->labels && i < frame->labels->count; i++) {
        const corm_label_info *label = &frame->labels->items[i];
        if (label->node == node || (node->kind == CORM_NODE_LABEL && corm_node_equal(label->node, node)))
            return label;
    }
    return NULL;
}

static corm_status compile_order_item(corm_compiler *compiler, corm_node *node) {
    bool is_modifier = node->kind == CORM_NODE_UNARY && node->op >= CORM_OP_ASC && node->op <= CORM_OP_NULLS_LAST;
    if (is_modifier) {
        corm_status status = CORM_OK;
        if (corm_null_order_needs_key(compiler, node)) {
            status = compile_order_item(compiler, corm_ordered(node));
            corm_text_append(text_of(compiler), node->op == CORM_OP_NULLS_FIRST ? " IS NULL DESC, " : " IS NULL, ");
        }
        if (!status)
            status = compile_order_item(compiler, corm_node_child(node, 0));
        if (!status)
            corm_text_append(text_of(compiler), corm_order_word(compiler, node));
        return status;
    }
    bool by_name = node->kind == CORM_NODE_LABEL || (compiler->frame->is_compound && node->kind == CORM_NODE_COLUMN);
    const corm_label_info *label = by_name ? selected_label(compiler->frame, node) : NULL;
    if (label) {
        const char *name;
        corm_status status = corm_label_text(compiler, label, &name);
        if (!status && !name)
            name = row_name(node, NULL);
        return status ? status : corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
    }
    return corm_compile_expression(compiler, node, CORM_OP_NONE, NULL);
}

static corm_status compile_order_by(corm_compiler *compiler, const corm_node *list) {
    if (!corm_list_count(list))
        return CORM_OK;
    corm_text_append(text_of(compiler), " ORDER BY ");
    for (size_t i = 0; i < corm_list_count(list); i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = compile_order_item(compiler, corm_list_at(list, i));
        if (status)
            return status;
    }
    return corm_text_status(text_of(compiler));
}

static void write_lock(corm_compiler *compiler, uint16_t detail) {
    const corm_dialect *dialect = compiler->dialect;
    bool shares = (detail & CORM_SELECT_FOR_UPDATE_READ) && dialect->share_lock;
    corm_text_append(text_of(compiler), shares ? dialect->share_lock : " FOR UPDATE");
    if (dialect->waits_or_not && detail & CORM_SELECT_FOR_UPDATE_NOWAIT)
        corm_text_append(text_of(compiler), " NOWAIT");
    if (dialect->waits_or_not && detail & CORM_SELECT_FOR_UPDATE_SKIP)
        corm_text_append(text_of(compiler), " SKIP LOCKED");
}

static corm_status compile_tail(corm_compiler *compiler, const corm_node *select) {
    corm_node *limit = corm_select_part_of(select, CORM_SELECT_LIMIT);
    corm_node *offset = corm_select_part_of(select, CORM_SELECT_OFFSET);
    corm_status status = compile_order_by(compiler, corm_select_part_of(select, CORM_SELECT_ORDER_BY));
    if (!status && (limit || offset))
        status = compiler->dialect->limit(compiler, limit, offset);
    if (!status && select->detail & CORM_SELECT_FOR_UPDATE && compiler->dialect->supports_for_update)
        write_lock(compiler, select->detail);
    return status;
}

/* ---- SELECT ---- */

static corm_status compile_clause(corm_compiler *compiler, const char *keyword, const corm_node *list) {
    if (!corm_list_count(list))
        return CORM_OK;
    corm_text_append(text_of(compiler), keyword);
    return corm_compile_conditions(compiler, list);
}

static corm_status compile_distinct(corm_compiler *compiler, const corm_node *select) {
    const corm_node *on = corm_select_part_of(select, CORM_SELECT_DISTINCT_ON);
    const corm_node *prefixes = corm_select_part_of(select, CORM_SELECT_PREFIXES);
    for (size_t i = 0; i < corm_list_count(prefixes); i++) {
        corm_status status = corm_compile_expression(compiler, corm_list_at(prefixes, i), CORM_OP_NONE, NULL);
        if (status)
            return status;
        corm_text_append_char(text_of(compiler), ' ');
    }
    if (corm_list_count(on) && compiler->dialect->supports_distinct_on) {
        corm_text_append(text_of(compiler), "DISTINCT ON (");
        corm_status status = corm_compile_list(compiler, on, CORM_OP_COMMA);
        corm_text_append(text_of(compiler), ") ");
        return status;
    }
    if (corm_list_count(on) || (select->detail & CORM_SELECT_IS_DISTINCT))
        corm_text_append(text_of(compiler), "DISTINCT ");
    return CORM_OK;
}

static corm_status compile_parts(corm_compiler *compiler, corm_node *select, const corm_labels *labels,
                                 const corm_vector *froms, bool top) {
    const corm_node *ctes = corm_select_part_of(select, CORM_SELECT_CTES);
    for (size_t i = 0; i < corm_list_count(ctes); i++) {
        corm_status status = corm_compile_cte(compiler, corm_list_at(ctes, i));
        if (status)
            return status;
    }
    corm_text_append(text_of(compiler), labels->count ? "SELECT " : "SELECT");
    corm_status status = compile_distinct(compiler, select);
    if (!status)
        status = corm_compile_result_columns(compiler, labels, top);
    if (!status && froms->count) {
        corm_text_append(text_of(compiler), " \nFROM ");
        status = corm_compile_froms(compiler, froms);
    }
    if (!status)
        status = compile_clause(compiler, " \nWHERE ", corm_select_part_of(select, CORM_SELECT_WHERE));
    const corm_node *groups = corm_select_part_of(select, CORM_SELECT_GROUP_BY);
    if (!status && corm_list_count(groups)) {
        corm_text_append(text_of(compiler), " GROUP BY ");
        status = corm_compile_list(compiler, groups, CORM_OP_NONE);
    }
    if (!status)
        status = compile_clause(compiler, " \nHAVING ", corm_select_part_of(select, CORM_SELECT_HAVING));
    return status ? status : compile_tail(compiler, select);
}

static corm_status compile_simple(corm_compiler *compiler, corm_node *select, unsigned how) {
    corm_vector froms = {0};
    corm_frame frame = {.outer = compiler->frame};
    corm_labels *labels;
    bool as_from = how & SELECT_AS_FROM;
    corm_status status = corm_compiler_labels(compiler, select, as_from, &labels);
    if (!status)
        status = corm_select_froms(compiler, select, &froms);
    if (!status)
        status = corm_correlate(compiler, select, as_from, &froms);
    for (size_t i = 0; i < froms.count && !status; i++)
        status = corm_frame_add(&frame, froms.items[i]);
    if (!status) {
        frame.labels = labels;
        compiler->frame = &frame;
        status = compile_parts(compiler, select, labels, &froms, how & SELECT_TOP);
        compiler->frame = frame.outer;
    }
    corm_vector_clear(&frame.froms);
    corm_nodes_unref(&froms);
    return status;
}

/* ---- compound selects ---- */

static bool needs_parentheses(const corm_node *branch) {
    if (branch->kind == CORM_NODE_COMPOUND)
        return true;
    if (branch->kind != CORM_NODE_SELECT)
        return false;
    return corm_select_part_of(branch, CORM_SELECT_ORDER_BY) || corm_select_part_of(branch, CORM_SELECT_LIMIT) ||
           corm_select_part_of(branch, CORM_SELECT_OFFSET);
}

static corm_status compile_branch(corm_compiler *compiler, corm_node *branch, unsigned how) {
    if (branch->kind == CORM_NODE_TEXT)
        return corm_compile_text(compiler, branch);
    bool parentheses = needs_parentheses(branch);
    if (parentheses)
        corm_text_append_char(text_of(compiler), '(');
    corm_status status = corm_compile_select(compiler, branch, how);
    if (parentheses)
        corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_compound(corm_compiler *compiler, corm_node *compound, unsigned how) {
    const corm_node *branches = corm_select_part_of(compound, CORM_SELECT_COLUMNS);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < corm_list_count(branches) && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), corm_operators[compound->op].text);
        status = compile_branch(compiler, corm_list_at(branches, i), i ? how & ~(unsigned)SELECT_TOP : how);
    }
    if (status)
        return status;
    corm_node *first = corm_list_at(branches, 0);
    while (first->kind == CORM_NODE_COMPOUND)
        first = corm_list_at(corm_select_part_of(first, CORM_SELECT_COLUMNS), 0);
    corm_frame frame = {.outer = compiler->frame, .is_compound = true};
    if (first->kind == CORM_NODE_SELECT)
        status = corm_compiler_labels(compiler, first, how & SELECT_AS_FROM, &frame.labels);
    compiler->frame = &frame;
    if (!status)
        status = compile_tail(compiler, compound);
    compiler->frame = frame.outer;
    return status;
}

corm_status corm_compile_select(corm_compiler *compiler, corm_node *select, unsigned how) {
    if (compiler->depth >= CORM_NODE_MAX_DEPTH)
        return corm_error_set(CORM_COMPILE_ERROR,
                              "This statement is nested more than %d levels deep, which is the limit",
                              CORM_NODE_MAX_DEPTH);
    compiler->depth++;
    bool plain = compiler->plain_columns;
    compiler->plain_columns = false;
    corm_status status = select->kind == CORM_NODE_COMPOUND ? compile_compound(compiler, select, how)
                                                            : compile_simple(compiler, select, how);
    compiler->plain_columns = plain;
    compiler->depth--;
    return status;
}

/* ---- common table expressions ---- */

static bool is_known_cte(const corm_compiler *compiler, const corm_node *alias) {
    for (size_t i = 0; i < compiler->cte_count; i++) {
        if (compiler->ctes[i].alias == alias)
            return true;
    }
    return corm_vector_contains(&compiler->open_ctes, alias);
}

/* "name" or, of a recursive one, "name(columns)". */
static corm_status write_cte_name(corm_compiler *compiler, corm_node *alias, corm_node *element) {
    const char *name = corm_compiler_alias_name(compiler, alias);
    if (!name)
        return CORM_NO_MEMORY;
    corm_status status = corm_dialect_identifier(compiler->dialect, name, text_of(compiler));
    if (status || !(alias->detail & CORM_ALIAS_RECURSIVE))
        return status;
    while (element->kind == CORM_NODE_COMPOUND)
        element = corm_list_at(corm_select_part_of(element, CORM_SELECT_COLUMNS), 0);
    if (element->kind != CORM_NODE_SELECT)
        return CORM_OK;
    corm_labels *labels;
    status = corm_compiler_labels(compiler, element, true, &labels);
    corm_text_append_char(text_of(compiler), '(');
    for (size_t i = 0; !status && i < labels->count; i++) {
        const char *column;
        if (i)
            corm_text_append(text_of(compiler), ", ");
        status = corm_label_text(compiler, &labels->items[i], &column);
        if (!status && !column)
            column = row_name(labels->items[i].node, NULL);
        if (!status)
            status = corm_dialect_identifier(compiler->dialect, column, text_of(compiler));
    }
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

static corm_status compile_cte_body(corm_compiler *compiler, corm_node *alias) {
    corm_node *element = corm_alias_element(alias);
    corm_status status = write_cte_name(compiler, alias, element);
    if (status)
        return status;
    corm_text_append(text_of(compiler), " AS \n(");
    switch ((corm_node_kind)element->kind) {
    case CORM_NODE_INSERT:
        status = corm_compile_insert(compiler, element);
        break;
    case CORM_NODE_UPDATE:
        status = corm_compile_update(compiler, element);
        break;
    case CORM_NODE_DELETE:
        status = corm_compile_delete(compiler, element);
        break;
    case CORM_NODE_TEXT:
        status = corm_compile_text(compiler, element);
        break;
    default:
        status = corm_compile_select(compiler, element, SELECT_AS_FROM);
        break;
    }
    corm_text_append_char(text_of(compiler), ')');
    return status;
}

corm_status corm_compile_cte(corm_compiler *compiler, corm_node *alias) {
    /* The inner statement of a recursive one refers to what it was before it was extended. */
    if (corm_compiler_canonical(compiler, alias) != alias || is_known_cte(compiler, alias))
        return CORM_OK;
    corm_node *element = corm_alias_element(alias);
    corm_status status = CORM_OK;
    if (alias->detail & CORM_ALIAS_RECURSIVE) {
        compiler->any_recursive = true;
        if (element->kind == CORM_NODE_COMPOUND) {
            corm_node *first = corm_list_at(corm_select_part_of(element, CORM_SELECT_COLUMNS), 0);
            status = corm_pointer_map_set(&compiler->restated, first, alias);
        }
    }
    if (!status)
        status = corm_vector_push(&compiler->open_ctes, alias);
    if (status)
        return status;
    corm_sql_output output = {0};
    corm_sql_output *outer = compiler->out;
    corm_frame *frame = compiler->frame;
    compiler->out = &output;
    compiler->frame = NULL;
    status = compile_cte_body(compiler, alias);
    if (!status)
        status = corm_text_status(&output.text);
    compiler->out = outer;
    compiler->frame = frame;
    compiler->open_ctes.count--;
    if (!status && compiler->cte_count == compiler->cte_capacity) {
        size_t capacity = compiler->cte_capacity ? compiler->cte_capacity * 2 : 4;
        corm_cte *ctes = corm_realloc_array(compiler->ctes, capacity, sizeof *ctes);
        if (ctes) {
            compiler->ctes = ctes;
            compiler->cte_capacity = capacity;
        } else {
            status = CORM_NO_MEMORY;
        }
    }
    if (status) {
        corm_slots_clear(output.slots, output.count);
        corm_free(output.slots);
        corm_text_clear(&output.text);
        return status;
    }
    compiler->ctes[compiler->cte_count++] = (corm_cte){alias, output};
    return CORM_OK;
}

/* Put one output behind another. */
static corm_status join_outputs(corm_sql_output *to, corm_sql_output *from) {
    size_t base = to->text.size;
    corm_text_append_bytes(&to->text, from->text.data ? from->text.data : "", from->text.size);
    if (from->count) {
        corm_slot *slots = corm_realloc_array(to->slots, to->count + from->count, sizeof *slots);
        if (!slots)
            return CORM_NO_MEMORY;
        to->slots = slots;
        to->capacity = to->count + from->count;
        for (size_t i = 0; i < from->count; i++) {
            from->slots[i].offset += base;
            to->slots[to->count++] = from->slots[i];
        }
        from->count = 0;
    }
    return corm_text_status(&to->text);
}

/* Put the beginning of an output into another. */
static corm_status take_beginning(corm_sql_output *from, size_t size, corm_sql_output *to) {
    corm_sql_output beginning = *from;
    corm_text text = CORM_TEXT_EMPTY, rest = CORM_TEXT_EMPTY;
    size_t slots = 0;
    if (!size)
        return CORM_OK;
    corm_text_append_bytes(&text, from->text.data, size);
    corm_text_append_bytes(&rest, from->text.data + size, from->text.size - size);
    while (slots < from->count && from->slots[slots].offset < size)
        slots++;
    beginning.text = text;
    beginning.count = slots;
    corm_status status = corm_text_status(&rest) ? CORM_NO_MEMORY : join_outputs(to, &beginning);
    corm_text_clear(&text);
    if (status) {
        corm_text_clear(&rest);
        return status;
    }
    if (slots)
        memmove(from->slots, from->slots + slots, (from->count - slots) * sizeof *from->slots);
    from->count -= slots;
    for (size_t i = 0; i < from->count; i++)
        from->slots[i].offset -= size;
    corm_text_clear(&from->text);
    from->text = rest;
    return CORM_OK;
}

corm_status corm_compile_ctes(corm_compiler *compiler) {
    if (!compiler->cte_count)
        return CORM_OK;
    corm_sql_output whole = {0};
    corm_status status = take_beginning(&compiler->main, compiler->ctes_at, &whole);
    corm_text_append(&whole.text, compiler->any_recursive ? "WITH RECURSIVE " : "WITH ");
    for (size_t i = 0; i < compiler->cte_count && !status; i++) {
        if (i)
            corm_text_append(&whole.text, ", \n");
        status = join_outputs(&whole, &compiler->ctes[i].output);
    }
    corm_text_append(&whole.text, "\n ");
    if (!status)
        status = join_outputs(&whole, &compiler->main);
    if (status) {
        corm_slots_clear(whole.slots, whole.count);
        corm_free(whole.slots);
        corm_text_clear(&whole.text);
        return status;
    }
    corm_free(compiler->main.slots);
    corm_text_clear(&compiler->main.text);
    compiler->main = whole;
    return CORM_OK;
}
