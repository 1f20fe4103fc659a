/*
 * MariaDB's and MySQL's live schema, by information_schema. In the queries $s stands for the schema, $n for the names
 * asked for, $v for whether the schema was not named.
 */
#include <string.h>
#include <strings.h>

#include "dialect/dialects.h"
#include "dialect/inspect.h"

#define COLUMN_KEY(is_unique, method)                                                                                  \
    "SELECT x.table_name, x.index_name, x.seq_in_index, x.index_name, x.column_name, NULL, NULL, NULL, NULL, NULL, "   \
    "NULL, NULL, NULL, " is_unique ", NULL, " method ", x.sub_part, "                                                  \
    "CASE x.collation WHEN 'D' THEN 'desc' END, 0, NULL, NULL "                                                        \
    "FROM information_schema.statistics AS x WHERE x.table_schema = $s AND x.table_name$n AND x.index_name "
/* What the server does by default is not told. */
#define ACTION(column) "CASE WHEN r." column " NOT IN ('RESTRICT', 'NO ACTION') THEN r." column " END"

static const char *const queries[CORM_FOUND_KIND_COUNT] = {
    [CORM_FOUND_RELATION] =
        "SELECT t.table_name, 0, 0, CASE t.table_type WHEN 'VIEW' THEN 'view' WHEN 'SEQUENCE' THEN 'sequence' "
        "WHEN 'SYSTEM VIEW' THEN 'view' ELSE 'table' END, "
        "CASE WHEN t.table_type NOT LIKE '%VIEW' THEN nullif(t.table_comment, '') END, v.view_definition "
        "FROM information_schema.tables AS t LEFT JOIN information_schema.views AS v "
        "ON v.table_schema = t.table_schema AND v.table_name = t.table_name "
        "WHERE t.table_schema = $s AND t.table_name$n",
    /* MySQL tells texts of defaults without their quotes, MariaDB as they are written. */
    [CORM_FOUND_COLUMN] =
        "SELECT c.table_name, 0, c.ordinal_position, c.column_name, c.column_type, c.is_nullable = 'YES', "
        "CASE WHEN coalesce(c.generation_expression, '') != '' THEN NULL "
        "WHEN version() LIKE '%MariaDB%' THEN concat(nullif(c.column_default, 'NULL'), "
        "CASE WHEN c.extra LIKE 'on update%' THEN concat(' ON UPDATE', substr(c.extra, 10)) ELSE '' END) "
        "WHEN c.extra LIKE '%DEFAULT_GENERATED%' THEN c.column_default ELSE quote(c.column_default) END, "
        "c.extra LIKE '%auto_increment%', nullif(c.column_comment, ''), concat('(', nullif(c.generation_expression, "
        "''), ')'), "
        "c.extra LIKE '%STORED%' OR c.extra LIKE '%PERSISTENT%', NULL, NULL, "
        "CASE WHEN c.collation_name != t.table_collation THEN c.collation_name END, NULL "
        "FROM information_schema.columns AS c LEFT JOIN information_schema.tables AS t "
        "ON t.table_schema = c.table_schema AND t.table_name = c.table_name "
        "WHERE c.table_schema = $s AND c.table_name$n",
    [CORM_FOUND_PRIMARY_KEY] = COLUMN_KEY("1", "NULL") "= 'PRIMARY'",
    [CORM_FOUND_UNIQUE] = COLUMN_KEY("1", "NULL") "!= 'PRIMARY' AND x.non_unique = 0",
    [CORM_FOUND_INDEX] = COLUMN_KEY("x.non_unique = 0", "x.index_type") "!= 'PRIMARY'",
    [CORM_FOUND_FOREIGN_KEY] =
        "SELECT k.table_name, k.constraint_name, k.ordinal_position, k.constraint_name, k.column_name, NULL, "
        "CASE WHEN $v AND k.referenced_table_schema = k.table_schema THEN NULL ELSE k.referenced_table_schema END, "
        "k.referenced_table_name, k.referenced_column_name, " ACTION("update_rule") ", " ACTION(
            "delete_rule") ", "
                           "NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL "
                           "FROM information_schema.key_column_usage AS k JOIN "
                           "information_schema.referential_constraints AS r "
                           "ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name "
                           "AND r.table_name = k.table_name "
                           "WHERE k.table_schema = $s AND k.table_name$n AND k.referenced_table_name IS NOT NULL",
    /* One constraint of a schema may have the name of another one only on MariaDB, which tells whose it is. */
    [CORM_FOUND_CHECK] =
        "SELECT k.table_name, k.constraint_name, 0, k.constraint_name, NULL, c.check_clause, NULL, NULL, NULL, NULL, "
        "NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL "
        "FROM information_schema.check_constraints AS c JOIN information_schema.table_constraints AS k "
        "ON k.constraint_schema = c.constraint_schema AND k.constraint_name = c.constraint_name "
        "AND k.constraint_type = 'CHECK' WHERE k.table_schema = $s AND k.table_name$n",
};
static const char mariadb_checks[] =
    "SELECT c.table_name, c.constraint_name, 0, c.constraint_name, NULL, c.check_clause, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL FROM information_schema.check_constraints AS c "
    "WHERE c.constraint_schema = $s AND c.table_name$n AND c.level = 'Table'";

static corm_status append_schema(const char *schema, corm_text *out) {
    if (schema == NULL) {
        corm_text_append(out, "DATABASE()");
        return corm_text_status(out);
    }
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, schema, strlen(schema));
    return corm_dialect_mysql.literal(&corm_dialect_mysql, corm_type_of_kind(CORM_TYPE_STRING), &value, out);
}

static corm_status expand(const char *pattern, const char *schema, size_t names, corm_text *out) {
    corm_text within = CORM_TEXT_EMPTY, among = CORM_TEXT_EMPTY;
    corm_status status = append_schema(schema, &within);
    if (status == CORM_OK) {
        status = corm_inspect_among(names, false, &among);
    }
    if (status == CORM_OK) {
        status = corm_inspect_expand(
            pattern,
            (const corm_inspect_mark[]){
                {'s', within.data}, {'n', among.data}, {'v', schema == NULL ? "TRUE" : "FALSE"}, {'\0', NULL}},
            out);
    }
    corm_text_clear(&within);
    corm_text_clear(&among);
    return status;
}

corm_status corm_mysql_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out) {
    return expand(queries[kind], schema, names, out);
}

corm_status corm_mariadb_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out) {
    return expand(kind == CORM_FOUND_CHECK ? mariadb_checks : queries[kind], schema, names, out);
}

corm_status corm_mysql_schemas_query(corm_text *out) {
    corm_text_append(out, "SELECT schema_name FROM information_schema.schemata ORDER BY schema_name");
    return corm_text_status(out);
}

/* ---- types ---- */

#define LENGTH CORM_TYPE_ARGUMENT_LENGTH
#define PRECISION CORM_TYPE_ARGUMENT_PRECISION
#define INEXACT CORM_TYPE_ARGUMENT_INEXACT
#define NONE CORM_TYPE_ARGUMENT_NONE
static const corm_type_word words[] = {
    {"bigint", CORM_TYPE_BIG_INTEGER, "BIGINT", NONE},
    {"binary", CORM_TYPE_BINARY, "BINARY", LENGTH},
    {"blob", CORM_TYPE_BINARY, "BLOB", NONE},
    {"char", CORM_TYPE_STRING, "CHAR", LENGTH},
    {"date", CORM_TYPE_DATE, "DATE", NONE},
    {"datetime", CORM_TYPE_DATETIME, "DATETIME", NONE},
    {"decimal", CORM_TYPE_NUMERIC, "DECIMAL", PRECISION},
    {"double", CORM_TYPE_FLOAT, "DOUBLE", INEXACT},
    {"enum", CORM_TYPE_NULL, "ENUM", NONE},
    {"float", CORM_TYPE_FLOAT, "FLOAT", INEXACT},
    {"int", CORM_TYPE_INTEGER, "INTEGER", NONE},
    {"json", CORM_TYPE_NULL, "JSON", NONE},
    {"longblob", CORM_TYPE_BINARY, "LONGBLOB", NONE},
    {"longtext", CORM_TYPE_TEXT, "LONGTEXT", NONE},
    {"mediumblob", CORM_TYPE_BINARY, "MEDIUMBLOB", NONE},
    {"mediumint", CORM_TYPE_INTEGER, "MEDIUMINT", NONE},
    {"mediumtext", CORM_TYPE_TEXT, "MEDIUMTEXT", NONE},
    {"smallint", CORM_TYPE_SMALL_INTEGER, "SMALLINT", NONE},
    {"text", CORM_TYPE_TEXT, "TEXT", NONE},
    {"time", CORM_TYPE_TIME, "TIME", NONE},
    {"timestamp", CORM_TYPE_DATETIME, "TIMESTAMP", NONE},
    {"tinyblob", CORM_TYPE_BINARY, "TINYBLOB", NONE},
    {"tinyint", CORM_TYPE_SMALL_INTEGER, "TINYINT", NONE},
    {"tinytext", CORM_TYPE_TEXT, "TINYTEXT", NONE},
    {"uuid", CORM_TYPE_NULL, "UUID", NONE},
    {"varbinary", CORM_TYPE_BINARY, "VARBINARY", LENGTH},
    {"varchar", CORM_TYPE_STRING, "VARCHAR", LENGTH},
    {"year", CORM_TYPE_SMALL_INTEGER, "YEAR", NONE},
};
/* Those that may be unsigned. */
static const corm_type_word unsigned_words[] = {
    {"bigint", CORM_TYPE_BIG_INTEGER, "BIGINT UNSIGNED", NONE},
    {"int", CORM_TYPE_INTEGER, "INTEGER UNSIGNED", NONE},
    {"mediumint", CORM_TYPE_INTEGER, "MEDIUMINT UNSIGNED", NONE},
    {"smallint", CORM_TYPE_INTEGER, "SMALLINT UNSIGNED", NONE},
    {"tinyint", CORM_TYPE_SMALL_INTEGER, "TINYINT UNSIGNED", NONE},
};
/* What BOOLEAN is stored as; its values are numbers. */
static const corm_type_word truth = {"tinyint", CORM_TYPE_SMALL_INTEGER, "TINYINT(1)", NONE};

corm_status corm_mysql_type_of_text(const char *text, corm_type **out) {
    static const char without_sign[] = " unsigned";
    corm_type_text read;
    corm_type_text_read(text, &read);
    bool is_unsigned = strncmp(read.rest, without_sign + 1, strlen(without_sign + 1)) == 0;
    char *end = strstr(read.words, without_sign);
    if (end != NULL) { /* MySQL 8 tells no widths */
        is_unsigned = true;
        *end = '\0';
    }
    *out = NULL;
    corm_status status = CORM_OK;
    if (is_unsigned) {
        status = corm_type_from_words(unsigned_words, sizeof unsigned_words / sizeof *unsigned_words, &read, out);
    } else if (strcasecmp(text, "tinyint(1)") == 0) {
        status = corm_type_from_words(&truth, 1, &read, out);
    }
    return status == CORM_OK && *out == NULL ? corm_type_from_words(words, sizeof words / sizeof *words, &read, out)
                                             : status;
}
