/*
 * The SQL of MariaDB and MySQL: two dialects that differ in a few spellings. How they store values is in mysql_values.c.
 *
 * What is told apart by name here is what URLs tell apart; a MariaDB server under mysql:// is as good, as every statement
 * of one runs on the other where both have the feature.
 */
#include <string.h>

#include "dialect/dialects.h"
#include "dialect/mysql_words.h"

/* ---- clauses ---- */

static corm_status limit(corm_compiler *compiler, corm_node *count, corm_node *offset) {
    corm_status status = CORM_OK;
    corm_compiler_append(compiler, " \n LIMIT ");
    if (offset) {
        status = corm_compiler_node(compiler, offset, CORM_OP_NONE);
        corm_compiler_append(compiler, ", ");
    }
    if (status)
        return status;
    if (count)
        return corm_compiler_node(compiler, count, CORM_OP_NONE);
    corm_compiler_append(compiler, "18446744073709551615"); /* what the manual says for "all the rest" */
    return CORM_OK;
}

static const char *function_name(const char *name) {
    if (strcmp(name, "random") == 0)
        return "rand";
    return strcmp(name, "sysdate") == 0 ? "SYSDATE" : NULL;
}

/* ---- types ---- */

/* A type asked for by a name that these databases spell otherwise. */
static const char *own_name(const char *name) {
    if (strcmp(name, "BOOLEAN") == 0)
        return "BOOL";
    if (strcmp(name, "NCHAR") == 0)
        return "NATIONAL CHAR";
    return strcmp(name, "NVARCHAR") == 0 ? "NATIONAL VARCHAR" : name;
}

static bool needs_length(const corm_type *type) {
    if (type->kind != CORM_TYPE_STRING)
        return false;
    return !type->name || strcmp(type->name, "VARCHAR") == 0 || strcmp(type->name, "NVARCHAR") == 0;
}

static corm_status literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value, corm_text *out);

/* ENUM('a','b') */
static corm_status append_enum(const corm_dialect *dialect, const corm_type *type, corm_text *out) {
    corm_status status = CORM_OK;
    corm_text_append(out, "ENUM(");
    for (size_t i = 0; type->labels && type->labels[i] && !status; i++) {
        corm_value label = corm_value_bytes(CORM_KIND_TEXT, type->labels[i], strlen(type->labels[i]));
        if (i)
            corm_text_append_char(out, ',');
        status = literal(dialect, type, &label, out);
    }
    corm_text_append_char(out, ')');
    if (!status && type->collation) {
        corm_text_append(out, " COLLATE ");
        status = corm_dialect_identifier(dialect, type->collation, out);
    }
    return status ? status : corm_text_status(out);
}

static corm_status append_type(const corm_dialect *dialect, const corm_type *type, corm_text *out) {
    if (type->kind == CORM_TYPE_ENUM && type->labels)
        return append_enum(dialect, type, out);
    corm_type spelled = {.kind = type->kind,
                         .length = type->length,
                         .precision = type->precision,
                         .scale = type->scale,
                         .name = type->name,
                         .collation = type->collation};
    if (needs_length(type) && type->length <= 0)
        return corm_error_set(CORM_COMPILE_ERROR, "%s requires a length on dialect %s",
                              type->name ? type->name : "VARCHAR", dialect->name);
    if (type->kind == CORM_TYPE_BOOLEAN && !type->name)
        spelled.name = (char *)(uintptr_t) "BOOL";
    else if (type->name)
        spelled.name = (char *)(uintptr_t)own_name(type->name);
    if (type->kind == CORM_TYPE_BINARY && !type->name)
        spelled.name = (char *)(uintptr_t) "BLOB"; /* with a name, a length is written behind it */
    if (type->kind == CORM_TYPE_FLOAT && type->precision > 0 && !type->name) {
        corm_text_append_format(out, "FLOAT(%d)", type->precision);
        return corm_text_status(out);
    }
    corm_status status = corm_standard_type_name(dialect, &spelled, out);
    if ((type->kind == CORM_TYPE_TIME || type->kind == CORM_TYPE_DATETIME) && type->precision > 0 && status == CORM_OK)
        corm_text_append_format(out, "(%d)", type->precision); /* digits of a second's fraction: else there are none */
    return status == CORM_OK ? corm_text_status(out) : status;
}

static corm_status mysql_type_name(const corm_type *type, corm_text *out) {
    return append_type(&corm_dialect_mysql, type, out);
}

static corm_status mariadb_type_name(const corm_type *type, corm_text *out) {
    return append_type(&corm_dialect_mariadb, type, out);
}

static void append_sized(const char *name, int size, corm_text *out) {
    corm_text_append(out, name);
    if (size > 0)
        corm_text_append_format(out, "(%d)", size);
}

/* What stands behind the word of a name that says more: "(20) CHARACTER SET utf8mb4". */
static void append_rest(const corm_type *type, corm_text *out) {
    static const char national[] = "NATIONAL ";
    const char *rest = type->name ? type->name : "";
    rest += strncmp(rest, national, strlen(national)) == 0 ? strlen(national) : 0;
    corm_text_append(out, rest + strcspn(rest, " ("));
}

/* CAST knows a few types only; a value of another stands as it is. */
static corm_status cast_type(const corm_type *type, corm_text *out) {
    switch (type->kind) {
    case CORM_TYPE_INTEGER:
    case CORM_TYPE_SMALL_INTEGER:
    case CORM_TYPE_BIG_INTEGER:
        corm_text_append(out, type->name && strstr(type->name, " UNSIGNED") ? "UNSIGNED INTEGER" : "SIGNED INTEGER");
        break;
    case CORM_TYPE_STRING:
    case CORM_TYPE_TEXT:
        if (type->name && (strcmp(type->name, "JSON") == 0 || strcmp(type->name, "UUID") == 0))
            corm_text_append(out, strcmp(type->name, "JSON") == 0 ? "JSON" : "");
        else
            append_sized("CHAR", type->length, out);
        if (type->length <= 0)
            append_rest(type, out);
        break;
    case CORM_TYPE_NUMERIC:
        corm_text_append(out, "DECIMAL");
        if (type->precision > 0 && type->scale >= 0)
            corm_text_append_format(out, "(%d, %d)", type->precision, type->scale);
        else if (type->precision > 0)
            corm_text_append_format(out, "(%d)", type->precision);
        else
            append_rest(type, out);
        break;
    case CORM_TYPE_DATE:
        corm_text_append(out, "DATE");
        break;
    case CORM_TYPE_TIME:
        corm_text_append(out, "TIME");
        append_rest(type, out);
        break;
    case CORM_TYPE_DATETIME:
        corm_text_append(out, "DATETIME");
        append_rest(type, out);
        break;
    case CORM_TYPE_BINARY:
        corm_text_append(out, "BINARY");
        break;
    default:
        break;
    }
    return corm_text_status(out);
}

/* ---- CREATE TABLE ---- */

static corm_status append_comment(const char *introduction, const char *comment, const corm_dialect *dialect,
                                  corm_text *out) {
    if (!comment)
        return CORM_OK;
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, comment, strlen(comment));
    corm_text_append(out, introduction);
    return dialect->literal(dialect, corm_type_of_kind(CORM_TYPE_STRING), &value, out);
}

static corm_status end_of_column(const corm_dialect *dialect, const corm_column *column, const corm_type *type,
                                 corm_text *out) {
    if (column->nullable && type->name && strncmp(type->name, "TIMESTAMP", strlen("TIMESTAMP")) == 0)
        corm_text_append(out, " NULL"); /* else it is NOT NULL and follows changes by itself */
    if (column->table && corm_table_autoincrement_column(column->table) == column && !column->server_default &&
        !column->server_default_node && !corm_dialect_sequence_of(dialect, column))
        corm_text_append(out, " AUTO_INCREMENT");
    return append_comment(" COMMENT ", column->comment, &corm_dialect_mysql, out);
}

static corm_status mysql_column_end(const corm_column *column, const corm_type *type, corm_text *out) {
    return end_of_column(&corm_dialect_mysql, column, type, out);
}

static corm_status mariadb_column_end(const corm_column *column, const corm_type *type, corm_text *out) {
    return end_of_column(&corm_dialect_mariadb, column, type, out);
}

static corm_status next_value(const char *sequence, corm_text *out) {
    corm_text_append_format(out, "nextval(%s)", sequence);
    return corm_text_status(out);
}

static corm_status table_end(const corm_table *table, corm_text *out) {
    return append_comment("COMMENT=", table->comment, &corm_dialect_mysql, out);
}

/* ---- inspection ---- */

static corm_status append_schema(const char *schema, corm_text *out) {
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, schema, schema ? strlen(schema) : 0);
    if (schema)
        return corm_dialect_mysql.literal(&corm_dialect_mysql, corm_type_of_kind(CORM_TYPE_STRING), &value, out);
    corm_text_append(out, "DATABASE()");
    return corm_text_status(out);
}

static corm_status has_table_query(const char *schema, corm_text *out) {
    /* Names are compared as the server compares them in statements: by case, but where its files do not know case. */
    corm_text_append(out, "SELECT table_name FROM information_schema.tables, "
                          "(SELECT CONVERT(? USING utf8mb3) AS wanted) AS w WHERE table_schema = ");
    corm_status status = append_schema(schema, out);
    corm_text_append(out, " AND table_name = wanted AND (@@lower_case_table_names != 0 "
                          "OR BINARY table_name = BINARY wanted)");
    return status ? status : corm_text_status(out);
}

static corm_status table_names_query(const char *schema, corm_text *out) {
    corm_text_append(out, "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE' "
                          "AND table_schema = ");
    corm_status status = append_schema(schema, out);
    corm_text_append(out, " ORDER BY table_name");
    return status ? status : corm_text_status(out);
}

/* ---- the tables ---- */

/* Quotes are doubled, and backslashes as well: whether the server takes them for escapes or not, no text ends early. */
static corm_status literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                           corm_text *out) {
    size_t start = out->size;
    corm_status status = corm_standard_literal(dialect, type, value, out);
    if (status || value->kind != CORM_KIND_TEXT ||
        !memchr(value->as.text.data ? value->as.text.data : "", '\\', value->as.text.size))
        return status;
    corm_text doubled = CORM_TEXT_EMPTY;
    for (size_t i = start; i < out->size; i++) {
        corm_text_append_char(&doubled, out->data[i]);
        if (out->data[i] == '\\')
            corm_text_append_char(&doubled, '\\');
    }
    corm_text_truncate(out, start);
    corm_text_append_bytes(out, doubled.data ? doubled.data : "", doubled.size);
    status = corm_text_status(&doubled);
    corm_text_clear(&doubled);
    return status ? status : corm_text_status(out);
}

static const corm_two_phase two_phase = {
    .begin = "XA BEGIN",
    .end = "XA END",
    .prepare = "XA PREPARE",
    .commit = "XA COMMIT",
    .rollback = "XA ROLLBACK",
    .at_once = " ONE PHASE",
    .recover = "XA RECOVER",
    .name_column = 3,
    .size_column = 1,
    .longest = 64,
};

#define SET_LEVEL(level)                                                                                               \
    { level, "SET SESSION TRANSACTION ISOLATION LEVEL " level }
static const corm_isolation isolations[] = {
    SET_LEVEL("READ UNCOMMITTED"), SET_LEVEL("READ COMMITTED"), SET_LEVEL("REPEATABLE READ"),
    SET_LEVEL("SERIALIZABLE"),     {"AUTOCOMMIT", NULL},        {NULL, NULL},
};
/* Each server sees its own name for the variable: the comments are MariaDB's and MySQL's ways of saying so. */
#define ISOLATION_VARIABLE "/*M!100000 tx_isolation */ /*!80000 transaction_isolation */"

enum { LONGEST_ALIAS = 255 };

#define DIALECT(dialect_name, type_spelling, end_spelling, sequence_spelling, returns_keys, catalogue_query)           \
    {                                                                                                                  \
        .name = dialect_name, .paramstyle = CORM_PARAMSTYLE_FORMAT, .quote_open = '`', .quote_close = '`',             \
        .reserved_words = mysql_words, .identifier_limit = LONGEST_ALIAS, .supports_returning = true,                  \
        .supports_on_duplicate_key = true, .has_enums = true, .has_big_integers = true,                                \
        .supports_multi_table_delete = true, .supports_update_from = true, .supports_for_update = true,                \
        .returning_without_table = false, .has_true_division = true, .supports_if_exists = true,                       \
        .supports_nested_transactions = true, .supports_foreign_key_alter = true, .parenthesises_compound = true,      \
        .not_distinct_from = " <=> ", .regexp = " REGEXP ", .not_regexp = " NOT REGEXP ",                              \
        .empty_set = "SELECT 1 FROM (SELECT 1) as _empty_set WHERE 1!=1", .empty_set_end = " FROM DUAL WHERE 1!=1",    \
        .concat_function = "concat", .share_lock = " LOCK IN SHARE MODE", .waits_or_not = true,                        \
        .leads_select_with_tables = true, .floors_division = true, .has_boolean_words = true,                          \
        .lacks_null_ordering = true, .names_tables_of_update = true, .drops_index_of_table = true,                     \
        .nullness_before_default = true, .numbered_key_first = true, .inserts_return_keys = returns_keys,              \
        .inserts_return_defaults = returns_keys, .parenthesises_defaults = true, .isolations = isolations,             \
        .two_phase = &two_phase, .isolation_reset = "SET SESSION " ISOLATION_VARIABLE " = DEFAULT",                    \
        .isolation_default = "SELECT @@GLOBAL." ISOLATION_VARIABLE,                                                    \
        .isolation_query = "SELECT @@SESSION." ISOLATION_VARIABLE, .limit = limit, .extract = corm_standard_extract,   \
        .function_name = function_name, .type_name = type_spelling, .cast_type = cast_type,                            \
        .column_end = end_spelling, .supports_sequences = returns_keys, .sequences_optional = true,                    \
        .next_value = sequence_spelling, .table_end = table_end, .has_table_query = has_table_query,                   \
        .table_names_query = table_names_query, .inspect_query = catalogue_query,                                      \
        .schemas_query = corm_mysql_schemas_query, .default_schema_query = "SELECT DATABASE()",                        \
        .type_of_text = corm_mysql_type_of_text, .literal = literal, .bind_converter = corm_mysql_bind_converter,      \
        .result_converter = corm_mysql_result_converter,                                                               \
    }

const corm_dialect corm_dialect_mysql =
    DIALECT("mysql", mysql_type_name, mysql_column_end, NULL, false, corm_mysql_inspect_query);
const corm_dialect corm_dialect_mariadb =
    DIALECT("mariadb", mariadb_type_name, mariadb_column_end, next_value, true, corm_mariadb_inspect_query);
