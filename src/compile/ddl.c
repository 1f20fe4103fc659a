/* CREATE and DROP of tables and indexes, as the field prints them. */
#include "compile/ddl.h"

#include <string.h>

#include "compile/compiler_private.h"

static corm_status write_columns(const corm_dialect *dialect, const corm_vector *columns, corm_text *out) {
    for (size_t i = 0; i < columns->count; i++) {
        const corm_column *column = columns->items[i];
        if (i)
            corm_text_append(out, ", ");
        corm_status status = corm_dialect_identifier(dialect, column->name, out);
        if (status)
            return status;
    }
    return CORM_OK;
}

/* ---- columns ---- */

/* More than a word or a literal: some databases want parentheses around it. */
static bool is_expression(const char *sql) {
    while (*sql == ' ')
        sql++;
    if (*sql == '\'' || *sql == '"' || *sql == '(')
        return false;
    if (strstr(sql, " ON UPDATE ")) /* of MariaDB and MySQL: a clause behind the default, no part of it */
        return false;
    for (; *sql; sql++) {
        bool word = (*sql >= 'a' && *sql <= 'z') || (*sql >= 'A' && *sql <= 'Z') || (*sql >= '0' && *sql <= '9') ||
                    *sql == '_' || (unsigned char)*sql >= 0x80;
        if (!word)
            return true;
    }
    return false;
}

static corm_status write_default(const corm_dialect *dialect, const corm_column *column, corm_text *out) {
    if (!column->server_default && !column->server_default_node)
        return CORM_OK;
    corm_text_append(out, " DEFAULT ");
    if (column->server_default) {
        corm_value text = corm_value_bytes(CORM_KIND_TEXT, column->server_default, strlen(column->server_default));
        return dialect->literal(dialect, corm_type_of_kind(CORM_TYPE_STRING), &text, out);
    }
    corm_node *node = column->server_default_node;
    bool wraps = node->kind == CORM_NODE_BINARY || node->kind == CORM_NODE_LIST || node->kind == CORM_NODE_CASE ||
                 node->kind == CORM_NODE_CAST;
    corm_text expression = CORM_TEXT_EMPTY;
    corm_status status = corm_compile_fragment(dialect, node, true, &expression);
    if (!status)
        status = corm_text_status(&expression);
    if (!status) {
        bool may_wrap = node->kind == CORM_NODE_TEXT || node->kind == CORM_NODE_FUNCTION;
        wraps = wraps || (may_wrap && is_expression(expression.data));
        wraps = wraps && dialect->parenthesises_defaults;
        corm_text_append(out, wraps ? "(" : "");
        corm_text_append(out, expression.data);
        corm_text_append(out, wraps ? ")" : "");
    }
    corm_text_clear(&expression);
    return status;
}

/* SQLite numbers rows by itself only with PRIMARY KEY AUTOINCREMENT beside the column. */
static bool is_inline_key(const corm_column *column) {
    return column->table && column->table->sqlite_autoincrement &&
           corm_table_autoincrement_column(column->table) == column;
}

static corm_status write_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out);

/* The checks that stand beside a column. */
static corm_status write_checks(const corm_dialect *dialect, const corm_column *column, corm_text *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; column->table && i < column->table->constraints.count && !status; i++) {
        const corm_constraint *constraint = column->table->constraints.items[i];
        if (constraint->beside != column)
            continue;
        corm_text_append_char(out, ' ');
        status = write_constraint(dialect, constraint, out);
    }
    return status;
}

corm_status corm_ddl_column(const corm_dialect *dialect, corm_column *column, corm_text *out) {
    corm_status status = column->quote_given && column->quote ? corm_dialect_quoted(dialect, column->name, out)
                                                              : corm_dialect_identifier(dialect, column->name, out);
    if (status)
        return status;
    corm_text_append_char(out, ' ');
    /* A type that is not given is that of the column referred to. */
    for (size_t i = 0; i < column->foreign_keys.count && corm_column_type(column)->kind == CORM_TYPE_NULL; i++) {
        corm_column *target;
        status = corm_foreign_key_resolve(column->foreign_keys.items[i], &target);
        if (status)
            return status;
    }
    corm_type *type = corm_type_adapted(corm_column_type(column), dialect->name);
    if (!type)
        return corm_error_last()->status;
    if (type->kind == CORM_TYPE_NULL && !type->name)
        return corm_error_set(
            CORM_COMPILE_ERROR,
            "(in table '%s', column '%s'): Can't generate DDL for NullType(); did you forget to specify "
            "a type on this Column?",
            column->table ? column->table->name : "", column->name);
    status = dialect->column_type ? dialect->column_type(column, type, out) : dialect->type_name(type, out);
    if (!status && dialect->nullness_before_default && !column->nullable)
        corm_text_append(out, " NOT NULL");
    if (!status)
        status = write_default(dialect, column, out);
    if (status)
        return status;
    const char *identity = dialect->supports_identity ? column->identity : NULL;
    if (identity) {
        corm_text_append_char(out, ' ');
        corm_text_append(out, identity);
    }
    if (identity && column->nullable && column->nullable_given)
        corm_text_append(out, " NULL");
    if (!identity && !column->nullable && !dialect->nullness_before_default)
        corm_text_append(out, " NOT NULL");
    if (is_inline_key(column) && dialect->numbers_beside_column)
        corm_text_append(out, " PRIMARY KEY AUTOINCREMENT");
    if (dialect->column_end)
        status = dialect->column_end(column, type, out);
    if (column->computed && !status) {
        corm_text_append(out, " GENERATED ALWAYS AS (");
        status = corm_compile_fragment(dialect, column->computed, true, out);
        corm_text_append(out, column->computed_persisted ? ") STORED" : ")");
    }
    if (!status)
        status = write_checks(dialect, column, out);
    return status ? status : corm_text_status(out);
}

/* ---- constraints ---- */

static corm_status write_name(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    if (!constraint->name)
        return CORM_OK;
    corm_text_append(out, "CONSTRAINT ");
    corm_status status = corm_dialect_identifier(dialect, constraint->name, out);
    corm_text_append_char(out, ' ');
    return status;
}

/* CASCADE, SET NULL and the like: words, nothing else. */
static corm_status write_action(const char *clause, const char *action, corm_text *out) {
    if (!action)
        return CORM_OK;
    for (const char *at = action; *at; at++) {
        bool plain = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') || *at == ' ' || *at == '_';
        if (!plain)
            return corm_error_set(CORM_COMPILE_ERROR, "Unexpected SQL phrase: '%s'", action);
    }
    corm_text_append(out, clause);
    corm_text_append(out, action);
    return corm_text_status(out);
}

static corm_status write_foreign_key(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    corm_vector targets = {0};
    corm_status status = CORM_OK;
    corm_table *table = NULL;
    for (size_t i = 0; i < constraint->foreign_keys.count && !status; i++) {
        corm_column *target;
        status = corm_foreign_key_resolve(constraint->foreign_keys.items[i], &target);
        if (!status)
            status = corm_vector_push(&targets, target);
        if (!status)
            table = target->table;
    }
    corm_text_append(out, "FOREIGN KEY(");
    if (!status)
        status = write_columns(dialect, &constraint->columns, out);
    corm_text_append(out, ") REFERENCES ");
    if (!status)
        status = corm_dialect_table_name(dialect, table, out);
    corm_text_append(out, " (");
    if (!status)
        status = write_columns(dialect, &targets, out);
    corm_text_append_char(out, ')');
    corm_vector_clear(&targets);
    if (!status)
        status = write_action(" MATCH ", constraint->match, out);
    if (!status)
        status = write_action(" ON DELETE ", constraint->ondelete, out);
    if (!status)
        status = write_action(" ON UPDATE ", constraint->onupdate, out);
    if (status || !dialect->supports_deferrable)
        return status;
    if (constraint->deferrable >= 0)
        corm_text_append(out, constraint->deferrable ? " DEFERRABLE" : " NOT DEFERRABLE");
    return write_action(" INITIALLY ", constraint->initially, out);
}

static corm_status write_key_columns(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    corm_column *numbered = corm_table_autoincrement_column(constraint->table);
    if (!dialect->numbered_key_first || !numbered || !corm_vector_contains(&constraint->columns, numbered))
        return write_columns(dialect, &constraint->columns, out);
    corm_vector columns = {0};
    corm_status status = corm_vector_push(&columns, numbered);
    for (size_t i = 0; i < constraint->columns.count && !status; i++) {
        if (constraint->columns.items[i] != numbered)
            status = corm_vector_push(&columns, constraint->columns.items[i]);
    }
    if (!status)
        status = write_columns(dialect, &columns, out);
    corm_vector_clear(&columns);
    return status;
}

static corm_status write_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    corm_status status = write_name(dialect, constraint, out);
    if (status)
        return status;
    switch (constraint->kind) {
    case CORM_CONSTRAINT_PRIMARY_KEY:
        corm_text_append(out, "PRIMARY KEY (");
        status = write_key_columns(dialect, constraint, out);
        corm_text_append_char(out, ')');
        break;
    case CORM_CONSTRAINT_UNIQUE:
        corm_text_append(out, "UNIQUE (");
        status = write_columns(dialect, &constraint->columns, out);
        corm_text_append_char(out, ')');
        break;
    case CORM_CONSTRAINT_CHECK:
        corm_text_append(out, "CHECK (");
        status = corm_compile_fragment(dialect, constraint->check, true, out);
        corm_text_append_char(out, ')');
        break;
    case CORM_CONSTRAINT_FOREIGN_KEY:
        status = write_foreign_key(dialect, constraint, out);
        break;
    }
    return status ? status : corm_text_status(out);
}

/* Does the column's type say by itself what a check would? */
static bool is_checked_by_type(const corm_dialect *dialect, corm_column *column) {
    const corm_type *type = corm_type_adapted(corm_column_type(column), dialect->name);
    return type && ((type->kind == CORM_TYPE_ENUM && dialect->has_enums) ||
                    (type->kind == CORM_TYPE_BOOLEAN && dialect->supports_native_boolean));
}

static bool is_written(const corm_dialect *dialect, const corm_constraint *constraint, const corm_vector *without) {
    if (constraint->of_type && is_checked_by_type(dialect, constraint->of_type))
        return false;
    if (without && corm_vector_contains(without, constraint) && dialect->supports_foreign_key_alter)
        return false;
    switch (constraint->kind) {
    case CORM_CONSTRAINT_PRIMARY_KEY: {
        const corm_vector *columns = &constraint->columns;
        bool is_inline = columns->count == 1 && is_inline_key(columns->items[0]) && dialect->numbers_beside_column;
        return columns->count > 0 && !is_inline;
    }
    case CORM_CONSTRAINT_UNIQUE:
        return constraint->columns.count > 0;
    case CORM_CONSTRAINT_FOREIGN_KEY:
        return !(constraint->use_alter && dialect->supports_foreign_key_alter);
    default:
        return !constraint->beside;
    }
}

/* ---- tables ---- */

corm_status corm_ddl_create_table(const corm_dialect *dialect, corm_table *table, uint32_t flags,
                                  const corm_vector *without, corm_text *out) {
    corm_text_append(out, "\nCREATE ");
    for (size_t i = 0; i < table->prefixes.count; i++) {
        corm_text_append(out, table->prefixes.items[i]);
        corm_text_append_char(out, ' ');
    }
    corm_text_append(out, "TABLE ");
    if (flags & CORM_DDL_IF_NOT_EXISTS)
        corm_text_append(out, "IF NOT EXISTS ");
    corm_status status = corm_dialect_table_name(dialect, table, out);
    corm_text_append(out, " (");
    const char *separator = "\n";
    for (size_t i = 0; i < table->columns.count && !status; i++) {
        corm_column *column = table->columns.items[i];
        if (column->system)
            continue;
        corm_text_append(out, separator);
        corm_text_append_char(out, '\t');
        status = corm_ddl_column(dialect, column, out);
        separator = ", \n";
    }
    for (size_t i = 0; i < table->constraints.count && !status; i++) {
        const corm_constraint *constraint = table->constraints.items[i];
        if (!is_written(dialect, constraint, without))
            continue;
        corm_text_append(out, separator);
        corm_text_append_char(out, '\t');
        status = write_constraint(dialect, constraint, out);
        separator = ", \n";
    }
    corm_text_append(out, "\n)");
    if (dialect->table_end && !status)
        status = dialect->table_end(table, out);
    corm_text_append(out, "\n\n");
    return status ? status : corm_text_status(out);
}

corm_status corm_ddl_drop_table(const corm_dialect *dialect, corm_table *table, uint32_t flags, corm_text *out) {
    corm_text_append(out, flags & CORM_DDL_IF_EXISTS ? "\nDROP TABLE IF EXISTS " : "\nDROP TABLE ");
    return corm_dialect_table_name(dialect, table, out);
}

/* ---- indexes ---- */

static corm_status write_index_name(const corm_dialect *dialect, const corm_index *index, corm_text *out) {
    corm_text name = CORM_TEXT_EMPTY;
    corm_index_name(index, &name);
    corm_status status = corm_text_status(&name);
    if (!status)
        status = corm_dialect_identifier(dialect, name.data, out);
    corm_text_clear(&name);
    return status;
}

corm_status corm_ddl_create_index(const corm_dialect *dialect, const corm_index *index, uint32_t flags,
                                  corm_text *out) {
    corm_text_append(out, index->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
    if (flags & CORM_DDL_IF_NOT_EXISTS)
        corm_text_append(out, "IF NOT EXISTS ");
    corm_status status = write_index_name(dialect, index, out);
    corm_text_append(out, " ON ");
    if (!status)
        status = corm_dialect_table_name(dialect, index->table, out);
    corm_text_append(out, " (");
    for (size_t i = 0; i < index->expressions.count && !status; i++) {
        if (i)
            corm_text_append(out, ", ");
        status = corm_compile_fragment(dialect, index->expressions.items[i], true, out);
    }
    corm_text_append_char(out, ')');
    if (index->where && !status) {
        corm_text_append(out, " WHERE ");
        status = corm_compile_fragment(dialect, index->where, true, out);
    }
    return status ? status : corm_text_status(out);
}

corm_status corm_ddl_drop_index(const corm_dialect *dialect, const corm_index *index, uint32_t flags, corm_text *out) {
    corm_text_append(out, flags & CORM_DDL_IF_EXISTS ? "\nDROP INDEX IF EXISTS " : "\nDROP INDEX ");
    if (dialect->drops_index_of_table) {
        corm_status status = write_index_name(dialect, index, out);
        corm_text_append(out, " ON ");
        return status ? status : corm_dialect_table_name(dialect, index->table, out);
    }
    if (index->table->schema) {
        corm_status status = corm_dialect_identifier(dialect, index->table->schema, out);
        if (status)
            return status;
        corm_text_append_char(out, '.');
    }
    return write_index_name(dialect, index, out);
}

/* ---- constraints of tables that exist ---- */

static corm_status alter(const corm_dialect *dialect, const corm_constraint *constraint, const char *what,
                         bool needs_name, corm_text *out) {
    if (!constraint->name && needs_name)
        return corm_error_set(CORM_COMPILE_ERROR,
                              "Can't emit %s CONSTRAINT for constraint of table '%s'; it has no name", what,
                              constraint->table->name);
    corm_text_append(out, "ALTER TABLE ");
    corm_status status = corm_dialect_table_name(dialect, constraint->table, out);
    corm_text_append_char(out, ' ');
    corm_text_append(out, what);
    corm_text_append_char(out, ' ');
    return status;
}

corm_status corm_ddl_add_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    corm_status status = alter(dialect, constraint, "ADD", false, out);
    return status ? status : write_constraint(dialect, constraint, out);
}

corm_status corm_ddl_drop_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out) {
    corm_status status = alter(dialect, constraint, "DROP", true, out);
    if (status)
        return status;
    corm_text_append(out, "CONSTRAINT ");
    return corm_dialect_identifier(dialect, constraint->name, out);
}
