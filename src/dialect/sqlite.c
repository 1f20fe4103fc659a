/* SQLite's SQL. How it stores values is in sqlite_values.c. */
#include <string.h>

#include "dialect/dialects.h"
#include "dialect/sqlite_words.h"

static corm_status limit(corm_compiler *compiler, corm_node *count, corm_node *offset) {
    corm_status status = CORM_OK;
    corm_compiler_append(compiler, "\n LIMIT ");
    if (count)
        status = corm_compiler_node(compiler, count, CORM_OP_NONE);
    else
        status = corm_compiler_number(compiler, -1);
    if (status)
        return status;
    corm_compiler_append(compiler, " OFFSET ");
    if (offset)
        return corm_compiler_node(compiler, offset, CORM_OP_NONE);
    return corm_compiler_number(compiler, 0);
}

static corm_status true_divide(corm_compiler *compiler, const corm_binary *binary) {
    corm_status status = corm_compiler_node(compiler, binary->children[0], CORM_OP_TRUE_DIV);
    if (status)
        return status;
    corm_compiler_append(compiler, " / (");
    status = corm_compiler_operand(compiler, binary->children[1], CORM_OP_ADD, binary->children[0]);
    corm_compiler_append(compiler, " + 0.0)");
    return status;
}

static const struct {
    const char *field, *format;
} fields[] = {
    {"month", "%m"}, {"day", "%d"},    {"year", "%Y"},  {"second", "%S"}, {"hour", "%H"},
    {"doy", "%j"},   {"minute", "%M"}, {"epoch", "%s"}, {"dow", "%w"},    {"week", "%W"},
};

static corm_status extract(corm_compiler *compiler, const char *field, corm_node *operand) {
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].field, field) != 0)
            continue;
        corm_compiler_append(compiler, "CAST(STRFTIME('");
        corm_compiler_append(compiler, fields[i].format);
        corm_compiler_append(compiler, "', ");
        corm_status status = corm_compiler_node(compiler, operand, CORM_OP_NONE);
        corm_compiler_append(compiler, ") AS INTEGER)");
        return status;
    }
    return corm_error_set(CORM_COMPILE_ERROR, "%s is not a valid extract argument.", field);
}

static const char *function_name(const char *name) {
    if (strcmp(name, "now") == 0)
        return "CURRENT_TIMESTAMP";
    if (strcmp(name, "char_length") == 0)
        return "length";
    return NULL;
}

static corm_status type_name(const corm_type *type, corm_text *out) {
    return corm_standard_type_name(&corm_dialect_sqlite, type, out);
}

static corm_status table_end(const corm_table *table, corm_text *out) {
    if (table->sqlite_without_rowid)
        corm_text_append(out, "\n WITHOUT ROWID");
    if (table->sqlite_strict)
        corm_text_append(out, table->sqlite_without_rowid ? ",\n STRICT" : "\n STRICT");
    return corm_text_status(out);
}

/* ---- inspection ---- */

static corm_status from_master(const char *schema, corm_text *out) {
    corm_text_append(out, "SELECT name FROM ");
    if (schema) {
        corm_status status = corm_dialect_identifier(&corm_dialect_sqlite, schema, out);
        if (status)
            return status;
        corm_text_append_char(out, '.');
    }
    corm_text_append(out, "sqlite_master ");
    return corm_text_status(out);
}

static corm_status has_table_query(const char *schema, corm_text *out) {
    corm_status status = from_master(schema, out);
    corm_text_append(out, "WHERE type IN ('table', 'view') AND name = ?");
    return status ? status : corm_text_status(out);
}

static corm_status table_names_query(const char *schema, corm_text *out) {
    corm_status status = from_master(schema, out);
    corm_text_append(out, "WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name");
    return status ? status : corm_text_status(out);
}

static const corm_isolation isolations[] = {
    {"READ UNCOMMITTED", "PRAGMA read_uncommitted = 1"},
    {"SERIALIZABLE", "PRAGMA read_uncommitted = 0"},
    {"AUTOCOMMIT", NULL},
    {NULL, NULL},
};

const corm_dialect corm_dialect_sqlite = {
    .name = "sqlite",
    .paramstyle = CORM_PARAMSTYLE_QMARK,
    .quote_open = '"',
    .quote_close = '"',
    .reserved_words = sqlite_words,
    .identifier_limit = 9999,
    .supports_returning = true,
    .supports_on_conflict = true,
    .supports_default_values = true,
    .supports_update_from = true,
    .returning_without_table = true,
    .inserts_return_defaults = true,
    .supports_if_exists = true,
    .supports_nested_transactions = true,
    .supports_deferrable = true,
    .parenthesises_defaults = true,
    .numbers_beside_column = true,
    .distinct_from = " IS NOT ",
    .not_distinct_from = " IS ",
    .regexp = " REGEXP ",
    .not_regexp = " NOT REGEXP ",
    .empty_set = "SELECT 1 FROM (SELECT 1) WHERE 1!=1",
    .tuples_in_values = true,
    .isolations = isolations,
    .isolation_reset = "PRAGMA read_uncommitted = 0",
    .isolation_default = "SELECT 'SERIALIZABLE'",
    .isolation_query = "SELECT CASE WHEN read_uncommitted THEN 'READ UNCOMMITTED' ELSE 'SERIALIZABLE' END "
                       "FROM pragma_read_uncommitted",
    .limit = limit,
    .true_divide = true_divide,
    .extract = extract,
    .function_name = function_name,
    .type_name = type_name,
    .table_end = table_end,
    .has_table_query = has_table_query,
    .table_names_query = table_names_query,
    .inspect_query = corm_sqlite_inspect_query,
    .schemas_query = corm_sqlite_schemas_query,
    .default_schema_query = "SELECT 'main'",
    .inspect_source = corm_sqlite_inspect_source,
    .type_of_text = corm_sqlite_type_of_text,
    .literal = corm_standard_literal,
    .bind_converter = corm_sqlite_bind_converter,
    .result_converter = corm_sqlite_result_converter,
};
