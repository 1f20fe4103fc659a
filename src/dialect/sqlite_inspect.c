/*
 * SQLite's live schema: its PRAGMAs as tables tell most; names of constraints, checks and the conditions of indexes
 * stand only in the statement that made the table (sqlite_source.c reads it). In the queries $m stands for what is
 * in the schema, $n for the names asked for, $r for the schema that foreign keys refer to: their own.
 */
#include <string.h>

#include "dialect/dialects.h"
#include "dialect/inspect.h"

/* What is in a schema; by default, in the main one and the one of temporary tables. */
static corm_status append_master(const char *schema, corm_text *out) {
    if (schema == NULL) {
        corm_text_append(out, "(SELECT 'main' AS db, type, name, tbl_name, sql FROM main.sqlite_master UNION ALL "
                              "SELECT 'temp', type, name, tbl_name, sql FROM temp.sqlite_master)");
        return corm_text_status(out);
    }
    corm_text_append(out, "(SELECT ");
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, schema, strlen(schema));
    corm_status status = corm_standard_literal(&corm_dialect_sqlite, corm_type_of_kind(CORM_TYPE_STRING), &value, out);
    corm_text_append(out, " AS db, type, name, tbl_name, sql FROM ");
    if (status == CORM_OK) {
        status = corm_dialect_quoted(&corm_dialect_sqlite, schema, out);
    }
    corm_text_append(out, ".sqlite_master)");
    return status == CORM_OK ? corm_text_status(out) : status;
}

/* table, group, place, then what the kind's rows have. */
static const char *const queries[CORM_FOUND_KIND_COUNT] = {
    [CORM_FOUND_RELATION] = "SELECT m.name AS table_name, 0 AS grp, 0 AS place, "
                            "CASE m.db WHEN 'temp' THEN 'temporary ' ELSE '' END || m.type, NULL, m.sql FROM $m AS m "
                            "WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND m.name$n",
    [CORM_FOUND_COLUMN] = "SELECT m.name AS table_name, 0 AS grp, p.cid AS place, p.name, p.type, NOT p.\"notnull\", "
                          "p.dflt_value, NULL, NULL, CASE WHEN p.hidden IN (2, 3) THEN '' END, p.hidden = 3, NULL, "
                          "NULL, NULL, NULL FROM $m AS m, pragma_table_xinfo(m.name, m.db) AS p "
                          "WHERE m.type IN ('table', 'view') AND p.hidden != 1 AND m.name$n",
    [CORM_FOUND_PRIMARY_KEY] =
        "SELECT m.name AS table_name, 0 AS grp, p.pk AS place, NULL, p.name, NULL, NULL, NULL, NULL, "
        "NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, 0, NULL, NULL "
        "FROM $m AS m, pragma_table_info(m.name, m.db) AS p WHERE m.type = 'table' AND p.pk > 0 AND m.name$n",
    [CORM_FOUND_FOREIGN_KEY] =
        "SELECT m.name AS table_name, -f.id AS grp, f.seq AS place, NULL, f.\"from\", NULL, $r, f.\"table\", "
        "coalesce(f.\"to\", (SELECT x.name FROM pragma_table_info(f.\"table\", m.db) AS x WHERE x.pk = f.seq + 1)), "
        "nullif(f.on_update, 'NO ACTION'), nullif(f.on_delete, 'NO ACTION'), NULL, NULL, 0, NULL, NULL, NULL, NULL, "
        "0, NULL, NULL FROM $m AS m, pragma_foreign_key_list(m.name, m.db) AS f WHERE m.type = 'table' AND m.name$n",
    [CORM_FOUND_UNIQUE] = "SELECT m.name AS table_name, -l.seq AS grp, x.seqno AS place, NULL, x.name, NULL, NULL, "
                          "NULL, NULL, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, 0, NULL, NULL "
                          "FROM $m AS m, pragma_index_list(m.name, m.db) AS l, pragma_index_info(l.name, m.db) AS x "
                          "WHERE m.type = 'table' AND l.origin = 'u' AND m.name$n",
    [CORM_FOUND_INDEX] = "SELECT m.name AS table_name, l.name AS grp, x.seqno AS place, l.name, x.name, NULL, NULL, "
                         "NULL, NULL, NULL, NULL, NULL, NULL, l.\"unique\", i.sql, NULL, NULL, "
                         "CASE WHEN x.\"desc\" THEN 'desc' END, 0, NULL, NULL "
                         "FROM $m AS m, pragma_index_list(m.name, m.db) AS l, $m AS i, "
                         "pragma_index_xinfo(l.name, m.db) AS x WHERE m.type = 'table' AND l.origin = 'c' "
                         "AND i.type = 'index' AND i.name = l.name AND i.db = m.db AND x.key AND m.name$n",
};

corm_status corm_sqlite_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out) {
    corm_text master = CORM_TEXT_EMPTY, among = CORM_TEXT_EMPTY;
    corm_status status = append_master(schema, &master);
    if (status == CORM_OK) {
        status = corm_inspect_among(names, false, &among);
    }
    if (status == CORM_OK && queries[kind] != NULL) {
        status = corm_inspect_expand(
            queries[kind],
            (const corm_inspect_mark[]){
                {'m', master.data}, {'n', among.data}, {'r', schema == NULL ? "NULL" : "m.db"}, {'\0', NULL}},
            out);
    }
    corm_text_clear(&master);
    corm_text_clear(&among);
    return status;
}

corm_status corm_sqlite_schemas_query(corm_text *out) {
    corm_text_append(out, "SELECT name FROM pragma_database_list WHERE name != 'temp' ORDER BY seq");
    return corm_text_status(out);
}

/* ---- types ---- */

#define LENGTH CORM_TYPE_ARGUMENT_LENGTH
#define PRECISION CORM_TYPE_ARGUMENT_PRECISION
#define INEXACT CORM_TYPE_ARGUMENT_INEXACT
#define NONE CORM_TYPE_ARGUMENT_NONE
static const corm_type_word words[] = {
    {"bigint", CORM_TYPE_BIG_INTEGER, "BIGINT", NONE},
    {"blob", CORM_TYPE_BINARY, "BLOB", LENGTH},
    {"bool", CORM_TYPE_BOOLEAN, "BOOLEAN", NONE},
    {"boolean", CORM_TYPE_BOOLEAN, "BOOLEAN", NONE},
    {"char", CORM_TYPE_STRING, "CHAR", LENGTH},
    {"date", CORM_TYPE_DATE, "DATE", NONE},
    {"date_char", CORM_TYPE_DATE, "DATE", NONE},
    {"datetime", CORM_TYPE_DATETIME, "DATETIME", NONE},
    {"datetime_char", CORM_TYPE_DATETIME, "DATETIME", NONE},
    {"decimal", CORM_TYPE_NUMERIC, "DECIMAL", PRECISION},
    {"double", CORM_TYPE_FLOAT, "DOUBLE", INEXACT},
    {"double_precision", CORM_TYPE_FLOAT, "DOUBLE PRECISION", INEXACT},
    {"float", CORM_TYPE_FLOAT, "FLOAT", INEXACT},
    {"int", CORM_TYPE_INTEGER, "INTEGER", NONE},
    {"integer", CORM_TYPE_INTEGER, "INTEGER", NONE},
    {"json", CORM_TYPE_NULL, "JSON", NONE},
    {"nchar", CORM_TYPE_STRING, "NCHAR", LENGTH},
    {"numeric", CORM_TYPE_NUMERIC, "NUMERIC", PRECISION},
    {"nvarchar", CORM_TYPE_STRING, "NVARCHAR", LENGTH},
    {"real", CORM_TYPE_FLOAT, "REAL", INEXACT},
    {"smallint", CORM_TYPE_SMALL_INTEGER, "SMALLINT", NONE},
    {"text", CORM_TYPE_TEXT, "TEXT", LENGTH},
    {"time", CORM_TYPE_TIME, "TIME", NONE},
    {"time_char", CORM_TYPE_TIME, "TIME", NONE},
    {"timestamp", CORM_TYPE_DATETIME, "TIMESTAMP", NONE},
    {"varchar", CORM_TYPE_STRING, "VARCHAR", LENGTH},
};

/* By the rules of affinity: of what is not known, a part of the words decides. */
static const corm_type_word affinities[] = {
    {"int", CORM_TYPE_INTEGER, "INTEGER", NONE}, {"char", CORM_TYPE_TEXT, "TEXT", NONE},
    {"clob", CORM_TYPE_TEXT, "TEXT", NONE},      {"text", CORM_TYPE_TEXT, "TEXT", NONE},
    {"blob", CORM_TYPE_NULL, NULL, NONE},        {"real", CORM_TYPE_FLOAT, "REAL", NONE},
    {"floa", CORM_TYPE_FLOAT, "REAL", NONE},     {"doub", CORM_TYPE_FLOAT, "REAL", NONE},
    {"", CORM_TYPE_NUMERIC, "NUMERIC", NONE},
};

corm_status corm_sqlite_type_of_text(const char *text, corm_type **out) {
    corm_type_text read;
    corm_type_text_read(text, &read);
    *out = NULL;
    if (read.words[0] == '\0') {
        return CORM_OK;
    }
    corm_status status = corm_type_from_words(words, sizeof words / sizeof *words, &read, out);
    for (size_t i = 0; status == CORM_OK && *out == NULL; i++) {
        if (strstr(read.words, affinities[i].words) != NULL) {
            corm_type_text affinity = {.sizes = {-1, -1}};
            memcpy(affinity.words, affinities[i].words, strlen(affinities[i].words) + 1);
            return corm_type_from_words(&affinities[i], 1, &affinity, out);
        }
    }
    return status;
}
