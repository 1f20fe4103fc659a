/* INSERT, UPDATE and DELETE as SQL: which columns get which values, and what follows. */
#include "sql/dml.h"

#include <stdio.h>
#include <string.h>

#include "compile/compiler_private.h"

static corm_text *text_of(corm_compiler *compiler) {
    return &compiler->out->text;
}

/* What one column of the statement gets. */
typedef struct target {
    corm_column *column;
    size_t given;                /* its place in COLUMNS, or NOT_GIVEN */
    const corm_default *implied; /* its default or onupdate, or NULL: a named parameter */
    corm_node *sequence;         /* whose next value it gets; borrowed, or NULL */
} target;

#define NOT_GIVEN SIZE_MAX

typedef struct targets {
    target *items;
    size_t count;
} targets;

static bool in_keys(const corm_compile_options *options, const char *key) {
    for (size_t i = 0; i < options->column_key_count; i++) {
        if (strcmp(options->column_keys[i], key) == 0)
            return true;
    }
    return false;
}

static size_t place_of(const corm_node *columns, const corm_column *column) {
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        if (corm_node_as_column(corm_list_at(columns, i)) == column)
            return i;
    }
    return NOT_GIVEN;
}

/* Every key and every column given must be the table's. */
static corm_status check_names(const corm_compiler *compiler, const corm_table *table, const corm_node *columns) {
    const corm_compile_options *options = &compiler->options;
    for (size_t i = 0; i < options->column_key_count; i++) {
        const char *key = options->column_keys[i];
        bool is_bind = false;
        for (size_t j = 0; j < compiler->statement_binds.count && !is_bind; j++) {
            const char *name = corm_node_bind(compiler->statement_binds.items[j])->key;
            is_bind = name && strcmp(name, key) == 0;
        }
        if (!is_bind && !corm_table_column(table, key))
            return corm_error_set(CORM_COMPILE_ERROR, "Unconsumed column names: %s", key);
    }
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        const corm_column *column = corm_node_as_column(corm_list_at(columns, i));
        if (!column && corm_list_at(columns, i)->kind == CORM_NODE_LITERAL_COLUMN)
            return corm_error_set(CORM_COMPILE_ERROR, "Unconsumed column names: %s",
                                  corm_node_display_name(corm_list_at(columns, i)));
        if (!column)
            return corm_error_set(CORM_COMPILE_ERROR, "A column was expected in VALUES, got %s",
                                  corm_node_kind_name(corm_list_at(columns, i)));
        if (column->table != table)
            return corm_error_set(CORM_COMPILE_ERROR, "Unconsumed column names: %s", column->name);
    }
    return CORM_OK;
}

/* In the table's order: what is given, what the keys name, and what the columns say by themselves. */
static corm_status find_targets(corm_compiler *compiler, const corm_node *dml, const corm_table *table, targets *out) {
    const corm_compile_options *options = &compiler->options;
    const corm_node *columns = corm_dml_part_of(dml, CORM_DML_COLUMNS);
    bool is_update = dml->kind == CORM_NODE_UPDATE;
    bool nested = compiler->open_ctes.count > 0;
    bool all = !corm_list_count(columns) && !options->column_keys && !nested && !(dml->detail & CORM_DML_EMPTY_VALUES);
    corm_status status = check_names(compiler, table, columns);
    if (status)
        return status;
    *out = (targets){0};
    out->items = corm_alloc_array(table->columns.count, sizeof *out->items);
    if (!out->items)
        return CORM_NO_MEMORY;
    for (size_t i = 0; i < table->columns.count; i++) {
        corm_column *column = table->columns.items[i];
        target item = {.column = column, .given = place_of(columns, column)};
        const corm_default *implied = is_update ? &column->on_update : &column->default_value;
        bool named = !nested && in_keys(options, column->key);
        if (item.given != NOT_GIVEN || named || (all && !column->computed)) {
            out->items[out->count++] = item;
        } else if (implied->kind != CORM_DEFAULT_NONE && !options->no_defaults) {
            item.implied = implied;
            out->items[out->count++] = item;
        } else if (!is_update && !options->no_defaults &&
                   (item.sequence = corm_dialect_sequence_of(compiler->dialect, column))) {
            out->items[out->count++] = item;
        }
    }
    return CORM_OK;
}

static corm_status keep(corm_compiler *compiler, corm_node *node) {
    if (!node)
        return corm_error_last()->status;
    corm_status status = corm_vector_push(&compiler->compiled->owned, node);
    if (status)
        corm_node_unref(node);
    return status;
}

static corm_status compile_implied(corm_compiler *compiler, corm_column *column, const corm_default *implied,
                                   const char *suffix) {
    switch (implied->kind) {
    case CORM_DEFAULT_EXPRESSION:
        return corm_compile_expression(compiler, implied->expression, ALWAYS, NULL);
    case CORM_DEFAULT_VALUE: {
        corm_node *bind = corm_bind_new(&implied->value, corm_column_type(column));
        corm_status status = keep(compiler, bind);
        return status ? status : corm_compiler_column_value(compiler, column, bind, suffix);
    }
    default:
        return corm_compiler_named_slot(compiler, column, suffix, implied);
    }
}

/* The value of one column; row NULL when none are given. */
static corm_status compile_value(corm_compiler *compiler, const target *item, const corm_node *row,
                                 const char *suffix) {
    if (item->sequence)
        return corm_compile_expression(compiler, item->sequence, ALWAYS, NULL);
    if (item->implied)
        return compile_implied(compiler, item->column, item->implied, suffix);
    if (item->given == NOT_GIVEN)
        return corm_compiler_named_slot(compiler, item->column, suffix, NULL);
    return corm_compiler_column_value(compiler, item->column, corm_list_at(row, item->given), suffix);
}

static corm_status write_column_name(corm_compiler *compiler, const corm_column *column) {
    if (!column->name)
        return corm_error_set(CORM_COMPILE_ERROR, "Cannot compile Column object until its 'name' is assigned.");
    if (column->quote_given && column->quote)
        return corm_dialect_quoted(compiler->dialect, column->name, text_of(compiler));
    return corm_dialect_identifier(compiler->dialect, column->name, text_of(compiler));
}

static corm_status write_prefixes(corm_compiler *compiler, const corm_node *dml) {
    const corm_node *prefixes = corm_dml_part_of(dml, CORM_DML_PREFIXES);
    for (size_t i = 0; i < corm_list_count(prefixes); i++) {
        corm_status status = corm_compile_expression(compiler, corm_list_at(prefixes, i), CORM_OP_NONE, NULL);
        if (status)
            return status;
        corm_text_append_char(text_of(compiler), ' ');
    }
    return CORM_OK;
}

static corm_status find_table(const corm_node *dml, corm_table **out) {
    const corm_node *node = corm_dml_part_of(dml, CORM_DML_TABLE);
    *out = corm_node_as_table(node);
    if (*out)
        return CORM_OK;
    return corm_error_set(CORM_COMPILE_ERROR, "A table was expected to be changed, got %s", corm_node_kind_name(node));
}

static corm_status compile_returning(corm_compiler *compiler, corm_node *dml) {
    if (!corm_list_count(corm_dml_part_of(dml, CORM_DML_RETURNING)))
        return CORM_OK;
    if (!compiler->dialect->supports_returning)
        return corm_error_set(CORM_UNSUPPORTED_COMPILATION, "%s does not support RETURNING", compiler->dialect->name);
    bool top = compiler->depth == 0 && compiler->open_ctes.count == 0;
    corm_labels *labels;
    corm_status status = corm_compiler_labels(compiler, dml, false, &labels);
    if (status)
        return status;
    bool plain = compiler->plain_columns;
    compiler->plain_columns = compiler->dialect->returning_without_table;
    corm_text_append(text_of(compiler), " RETURNING ");
    status = corm_compile_result_columns(compiler, labels, top);
    compiler->plain_columns = plain;
    return status;
}

/* ---- INSERT ---- */

static const target *find_target(const targets *columns, const corm_column *column) {
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->items[i].column == column)
            return &columns->items[i];
    }
    return NULL;
}

/* Does only the database know what the column gets? */
static bool is_numbered(const corm_node *insert, const targets *columns, const corm_column *column) {
    const target *item = find_target(columns, column);
    if (!item)
        return corm_table_autoincrement_column(column->table) == column || column->server_default ||
               column->server_default_node;
    if (item->sequence)
        return true;
    if (item->implied)
        return item->implied->kind == CORM_DEFAULT_EXPRESSION;
    const corm_node *rows = corm_dml_part_of(insert, CORM_DML_ROWS);
    return item->given != NOT_GIVEN && rows && corm_list_at(corm_list_at(rows, 0), item->given)->kind != CORM_NODE_BIND;
}

/* Beside the key: is the column given by the database and asked for? */
static bool is_returned_default(const corm_compiler *compiler, const corm_node *insert, const targets *columns,
                                const corm_column *column) {
    const corm_dialect *dialect = compiler->dialect;
    bool wanted = compiler->options.return_defaults && dialect->inserts_return_defaults && !column->primary_key &&
                  !corm_column_type(column)->host;
    if (!wanted)
        return false;
    bool generated = column->computed || (column->identity && dialect->supports_identity);
    return is_numbered(insert, columns, column) || (generated && !find_target(columns, column));
}

static bool returns_defaults(const corm_compiler *compiler, const corm_node *insert, const corm_table *table,
                             const targets *columns) {
    for (size_t i = 0; i < table->columns.count; i++) {
        if (is_returned_default(compiler, insert, columns, table->columns.items[i]))
            return true;
    }
    return false;
}

static corm_status write_returned(corm_compiler *compiler, const corm_table *table, corm_column *column) {
    corm_compiled *compiled = compiler->compiled;
    corm_text_append(text_of(compiler), compiled->returned_keys.count ? ", " : " RETURNING ");
    compiled->flags |= CORM_COMPILED_RETURNS_KEYS;
    corm_status status = corm_vector_push(&compiled->returned_keys, column);
    if (!status && !compiler->dialect->returning_without_table) {
        status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
        corm_text_append_char(text_of(compiler), '.');
    }
    return status ? status : write_column_name(compiler, column);
}

/* Ask for the key of the one row that is inserted, and for what else the database gives it. */
static corm_status compile_returned_keys(corm_compiler *compiler, const corm_node *insert, const corm_table *table,
                                         const targets *columns) {
    bool defaults = returns_defaults(compiler, insert, table, columns);
    bool wanted = (compiler->dialect->inserts_return_keys || defaults) && table->implicit_returning &&
                  !compiler->options.no_returned_keys && !(insert->detail & CORM_DML_MULTIPLE) &&
                  compiler->open_ctes.count == 0 && !corm_dml_part_of(insert, CORM_DML_SELECT) &&
                  !corm_list_count(corm_dml_part_of(insert, CORM_DML_RETURNING));
    corm_status status = CORM_OK;
    for (size_t i = 0; wanted && i < table->primary_key.count && !status; i++) {
        corm_column *column = table->primary_key.items[i];
        if (is_numbered(insert, columns, column))
            status = write_returned(compiler, table, column);
    }
    for (size_t i = 0; wanted && defaults && i < table->columns.count && !status; i++) {
        corm_column *column = table->columns.items[i];
        if (is_returned_default(compiler, insert, columns, column))
            status = write_returned(compiler, table, column);
    }
    return status;
}

static corm_status compile_names(corm_compiler *compiler, const targets *columns) {
    corm_text_append(text_of(compiler), " (");
    for (size_t i = 0; i < columns->count; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = write_column_name(compiler, columns->items[i].column);
        if (status)
            return status;
    }
    corm_text_append_char(text_of(compiler), ')');
    return CORM_OK;
}

static corm_status compile_row(corm_compiler *compiler, const targets *columns, const corm_node *row,
                               const char *suffix) {
    corm_text_append_char(text_of(compiler), '(');
    for (size_t i = 0; i < columns->count; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = compile_value(compiler, &columns->items[i], row, suffix);
        if (status)
            return status;
    }
    corm_text_append_char(text_of(compiler), ')');
    return corm_text_status(text_of(compiler));
}

static corm_status compile_rows(corm_compiler *compiler, const corm_node *insert, const targets *columns) {
    const corm_node *rows = corm_dml_part_of(insert, CORM_DML_ROWS);
    corm_text_append(text_of(compiler), " VALUES ");
    if (!(insert->detail & CORM_DML_MULTIPLE)) {
        size_t at = text_of(compiler)->size;
        corm_status status = compile_row(compiler, columns, rows ? corm_list_at(rows, 0) : NULL, "");
        if (compiler->out == &compiler->main) {
            compiler->compiled->row_at = at;
            compiler->compiled->row_size = text_of(compiler)->size - at;
        }
        return status;
    }
    for (size_t i = 0; i < corm_list_count(rows); i++) {
        char suffix[32];
        snprintf(suffix, sizeof suffix, "_m%zu", i);
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_status status = compile_row(compiler, columns, corm_list_at(rows, i), suffix);
        if (status)
            return status;
    }
    return CORM_OK;
}

static corm_status compile_insert_select(corm_compiler *compiler, const corm_node *insert, const corm_table *table) {
    const corm_node *columns = corm_dml_part_of(insert, CORM_DML_COLUMNS);
    corm_status status = check_names(compiler, table, columns);
    if (status)
        return status;
    corm_text_append(text_of(compiler), " (");
    for (size_t i = 0; i < corm_list_count(columns) && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        status = write_column_name(compiler, corm_node_as_column(corm_list_at(columns, i)));
    }
    corm_text_append(text_of(compiler), ") ");
    if (status)
        return status;
    if (compiler->dialect->leads_select_with_tables && compiler->out == &compiler->main)
        compiler->ctes_at = text_of(compiler)->size;
    corm_node *select = corm_dml_part_of(insert, CORM_DML_SELECT);
    if (!corm_node_is_select(select))
        return corm_compile_expression(compiler, select, CORM_OP_NONE, NULL);
    return corm_compile_select(compiler, select, 0);
}

static corm_status compile_settings(corm_compiler *compiler, const corm_conflict *conflict) {
    const corm_node *columns = conflict->children[2];
    const corm_node *values = conflict->children[3];
    for (size_t i = 0; i < corm_list_count(columns); i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        corm_node *value = corm_list_at(values, i);
        corm_column *column = corm_node_as_column(corm_list_at(columns, i));
        corm_status status = corm_compile_expression(compiler, corm_list_at(columns, i), CORM_OP_NONE, NULL);
        corm_text_append(text_of(compiler), " = ");
        compiler->plain_columns = false;
        if (!status && column && value->kind == CORM_NODE_BIND)
            status = corm_compiler_bind(compiler, value, corm_column_node(column));
        else if (!status)
            status = corm_compile_expression(compiler, value, ALWAYS, NULL);
        compiler->plain_columns = true;
        if (status)
            return status;
    }
    return CORM_OK;
}

static corm_status check_conflict(const corm_compiler *compiler, bool any_key) {
    const corm_dialect *dialect = compiler->dialect;
    if (any_key ? dialect->supports_on_duplicate_key : dialect->supports_on_conflict)
        return CORM_OK;
    return corm_error_set(CORM_UNSUPPORTED_COMPILATION, "%s does not support %s", dialect->name,
                          any_key ? "ON DUPLICATE KEY UPDATE" : "ON CONFLICT");
}

static corm_status compile_duplicate_key(corm_compiler *compiler, const corm_conflict *conflict) {
    bool plain = compiler->plain_columns;
    compiler->plain_columns = true;
    corm_text_append(text_of(compiler), " ON DUPLICATE KEY UPDATE ");
    corm_status status = compile_settings(compiler, conflict);
    compiler->plain_columns = plain;
    return status;
}

static corm_status compile_conflict(corm_compiler *compiler, const corm_node *node) {
    const corm_conflict *conflict = (const corm_conflict *)(const void *)node;
    bool plain = compiler->plain_columns, any_key = (node->detail & CORM_CONFLICT_ANY_KEY) != 0;
    corm_status status = check_conflict(compiler, any_key);
    if (status || any_key)
        return status ? status : compile_duplicate_key(compiler, conflict);
    compiler->plain_columns = true;
    corm_text_append(text_of(compiler), " ON CONFLICT");
    if (conflict->children[0]) {
        corm_text_append(text_of(compiler), " (");
        status = corm_compile_list(compiler, conflict->children[0], CORM_OP_COMMA);
        corm_text_append_char(text_of(compiler), ')');
    }
    if (conflict->children[1] && !status) {
        corm_text_append(text_of(compiler), " WHERE ");
        status = corm_compile_conditions(compiler, conflict->children[1]);
    }
    if (!status && !conflict->children[2])
        corm_text_append(text_of(compiler), " DO NOTHING");
    else if (!status) {
        corm_text_append(text_of(compiler), " DO UPDATE SET ");
        status = compile_settings(compiler, conflict);
    }
    compiler->plain_columns = plain;
    if (conflict->children[4] && !status) {
        corm_text_append(text_of(compiler), " WHERE ");
        compiler->plain_columns = false;
        status = corm_compile_conditions(compiler, conflict->children[4]);
        compiler->plain_columns = plain;
    }
    return status;
}

corm_status corm_compile_insert(corm_compiler *compiler, corm_node *insert) {
    corm_table *table;
    corm_status status = find_table(insert, &table);
    if (status)
        return status;
    targets columns = {0};
    corm_text_append(text_of(compiler), "INSERT ");
    status = write_prefixes(compiler, insert);
    corm_text_append(text_of(compiler), "INTO ");
    if (!status)
        status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
    if (!status && corm_dml_part_of(insert, CORM_DML_SELECT)) {
        status = compile_insert_select(compiler, insert, table);
    } else if (!status && !(status = find_targets(compiler, insert, table, &columns))) {
        if (columns.count) {
            status = compile_names(compiler, &columns);
            if (!status)
                status = compile_rows(compiler, insert, &columns);
        } else {
            corm_text_append(text_of(compiler),
                             compiler->dialect->supports_default_values ? " DEFAULT VALUES" : " () VALUES ()");
        }
    }
    const corm_node *conflict = corm_dml_part_of(insert, CORM_DML_CONFLICT);
    if (!status && conflict)
        status = conflict->kind == CORM_NODE_CONFLICT
                     ? compile_conflict(compiler, conflict)
                     : corm_compile_expression(compiler, (corm_node *)(uintptr_t)conflict, CORM_OP_NONE, NULL);
    if (!status)
        status = compile_returning(compiler, insert);
    if (!status)
        status = compile_returned_keys(compiler, insert, table, &columns);
    corm_free(columns.items);
    return status;
}

/* ---- UPDATE and DELETE ---- */

/* FROMs that are mentioned beside the table: new references. */
static corm_status extra_froms(corm_node *dml, const corm_node *table, corm_vector *out) {
    corm_vector mentioned = {0};
    corm_status status = corm_mentioned_froms(corm_dml_part_of(dml, CORM_DML_FROM), &mentioned);
    if (!status)
        status = corm_mentioned_froms(corm_dml_part_of(dml, CORM_DML_ROWS), &mentioned);
    if (!status)
        status = corm_mentioned_froms(corm_dml_part_of(dml, CORM_DML_WHERE), &mentioned);
    for (size_t i = 0; i < mentioned.count && !status; i++) {
        if (mentioned.items[i] != table)
            status = corm_vector_push(out, mentioned.items[i]);
    }
    corm_vector_clear(&mentioned);
    return status;
}

static corm_status compile_where(corm_compiler *compiler, corm_node *dml) {
    const corm_node *where = corm_dml_part_of(dml, CORM_DML_WHERE);
    if (!corm_list_count(where))
        return CORM_OK;
    corm_text_append(text_of(compiler), " WHERE ");
    return corm_compile_conditions(compiler, where);
}

/* qualified: with the table's name, where the statement has several. */
static corm_status compile_set(corm_compiler *compiler, corm_node *update, const corm_table *table, bool qualified) {
    targets columns = {0};
    const corm_node *rows = corm_dml_part_of(update, CORM_DML_ROWS);
    corm_status status = find_targets(compiler, update, table, &columns);
    corm_text_append(text_of(compiler), " SET ");
    for (size_t i = 0; i < columns.count && !status; i++) {
        if (i)
            corm_text_append(text_of(compiler), ", ");
        if (qualified) {
            status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
            corm_text_append_char(text_of(compiler), '.');
        }
        if (!status)
            status = write_column_name(compiler, columns.items[i].column);
        corm_text_append_char(text_of(compiler), '=');
        if (!status)
            status = compile_value(compiler, &columns.items[i], rows ? corm_list_at(rows, 0) : NULL, "");
    }
    corm_free(columns.items);
    return status;
}

/* The statement's table gives its rows to the subqueries in it. */
static corm_status open_frame(corm_compiler *compiler, corm_frame *frame, corm_node *table, corm_node *dml,
                              corm_vector *extra) {
    *frame = (corm_frame){.outer = compiler->frame};
    corm_status status = corm_frame_add(frame, table);
    if (!status)
        status = extra_froms(dml, table, extra);
    for (size_t i = 0; i < extra->count && !status; i++)
        status = corm_frame_add(frame, extra->items[i]);
    return status;
}

corm_status corm_compile_update(corm_compiler *compiler, corm_node *update) {
    corm_table *table;
    corm_vector extra = {0};
    corm_frame frame;
    corm_status status = find_table(update, &table);
    if (status)
        return status;
    corm_text_append(text_of(compiler), "UPDATE ");
    status = write_prefixes(compiler, update);
    if (!status)
        status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
    corm_status opened = open_frame(compiler, &frame, corm_table_node(table), update, &extra);
    if (!status)
        status = opened;
    if (!status && extra.count && !compiler->dialect->supports_update_from)
        status = corm_error_set(CORM_UNSUPPORTED_COMPILATION,
                                "This backend does not support multiple-table criteria within UPDATE");
    bool together = extra.count && compiler->dialect->names_tables_of_update;
    compiler->frame = &frame;
    if (!status && together) {
        corm_text_append(text_of(compiler), ", ");
        status = corm_compile_froms(compiler, &extra);
    }
    if (!status)
        status = compile_set(compiler, update, table, together);
    if (!status && extra.count && !together) {
        corm_text_append(text_of(compiler), " FROM ");
        status = corm_compile_froms(compiler, &extra);
    }
    if (!status)
        status = compile_where(compiler, update);
    compiler->frame = frame.outer;
    if (!status)
        status = compile_returning(compiler, update);
    corm_vector_clear(&frame.froms);
    corm_vector_clear(&extra);
    return status;
}

corm_status corm_compile_delete(corm_compiler *compiler, corm_node *node) {
    corm_table *table;
    corm_vector extra = {0};
    corm_frame frame;
    corm_status status = find_table(node, &table);
    if (status)
        return status;
    corm_text_append(text_of(compiler), "DELETE ");
    status = write_prefixes(compiler, node);
    corm_text_append(text_of(compiler), "FROM ");
    if (!status)
        status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
    corm_status opened = open_frame(compiler, &frame, corm_table_node(table), node, &extra);
    if (!status)
        status = opened;
    if (!status && extra.count && !compiler->dialect->supports_multi_table_delete)
        status = corm_error_set(CORM_UNSUPPORTED_COMPILATION,
                                "This backend does not support multiple-table criteria within DELETE");
    compiler->frame = &frame;
    bool together = extra.count && compiler->dialect->names_tables_of_update;
    if (!status && together) {
        corm_text_append(text_of(compiler), " USING ");
        status = corm_dialect_table_name(compiler->dialect, table, text_of(compiler));
    }
    if (!status && extra.count) {
        corm_text_append(text_of(compiler), together ? ", " : " , ");
        status = corm_compile_froms(compiler, &extra);
    }
    if (!status)
        status = compile_where(compiler, node);
    compiler->frame = frame.outer;
    if (!status)
        status = compile_returning(compiler, node);
    corm_vector_clear(&frame.froms);
    corm_vector_clear(&extra);
    return status;
}
