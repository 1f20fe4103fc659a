/*
 * PostgreSQL's live schema, by its catalogue. In the queries $w stands for the condition on the schema, $n for the names
 * asked for, $v for whether the search path decides what is visible without a schema.
 */
#include <string.h>

#include "dialect/dialects.h"
#include "dialect/inspect.h"

#define RELATIONS "pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
#define TABLES "c.relkind IN ('r', 'p', 'f', 'v', 'm') AND $w AND c.relname$n"

/* A constraint, a row for each of its columns. */
#define KEY                                                                                                            \
    "SELECT c.relname::TEXT, k.conname::TEXT, u.place::INTEGER, k.conname::TEXT, a.attname::TEXT, NULL::TEXT, "        \
    "NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::BOOLEAN, NULL::TEXT, true, NULL::TEXT, "        \
    "NULL::TEXT, NULL::TEXT, NULL::TEXT, false, pg_catalog.obj_description(k.oid, 'pg_constraint'), NULL::TEXT "       \
    "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "                                \
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "                                                        \
    "CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY u(number, place) "                                            \
    "JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number "
#define ACTION(column)                                                                                                 \
    "CASE k." column " WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' "                  \
    "WHEN 'r' THEN 'RESTRICT' END"

static const char *const queries[CORM_FOUND_KIND_COUNT] = {
    [CORM_FOUND_RELATION] =
        "SELECT c.relname::TEXT, 0, 0, CASE c.relpersistence WHEN 't' THEN 'temporary ' ELSE '' END || "
        "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' "
        "WHEN 'f' THEN 'foreign table' ELSE 'table' END, pg_catalog.obj_description(c.oid, 'pg_class'), "
        "CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END "
        "FROM " RELATIONS "WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND $w AND c.relname$n",
    [CORM_FOUND_COLUMN] =
        "SELECT c.relname::TEXT, 0, a.attnum::INTEGER, a.attname::TEXT, "
        "CASE coalesce(i.typtype, t.typtype) WHEN 'e' THEN 'enum(' || (SELECT string_agg(quote_literal(e.enumlabel), "
        "',' ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE e.enumtypid = coalesce(i.oid, t.oid)) || ')' || "
        "CASE WHEN i.oid IS NULL THEN '' ELSE '[]' END "
        "WHEN 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) "
        "ELSE pg_catalog.format_type(a.atttypid, a.atttypmod) END, NOT a.attnotnull, "
        "CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END, "
        "a.attidentity != '' OR pg_catalog.pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', "
        "pg_catalog.col_description(a.attrelid, a.attnum), "
        "CASE WHEN a.attgenerated != '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END, a.attgenerated = 's', "
        "nullif(a.attidentity::TEXT, ''), CASE WHEN a.attidentity != '' THEN (SELECT concat_ws(' ', s.seqstart, "
        "s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle) FROM pg_catalog.pg_depend x "
        "JOIN pg_catalog.pg_sequence s ON s.seqrelid = x.objid WHERE x.refobjid = a.attrelid "
        "AND x.refobjsubid = a.attnum AND x.classid = 'pg_catalog.pg_class'::regclass AND x.deptype = 'i') END, "
        "CASE WHEN a.attcollation != t.typcollation THEN (SELECT l.collname::TEXT FROM pg_catalog.pg_collation l "
        "WHERE l.oid = a.attcollation) END, CASE WHEN coalesce(i.typtype, t.typtype) = 'e' "
        "THEN coalesce(i.typname, t.typname)::TEXT END "
        "FROM " RELATIONS "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_catalog.pg_type i ON i.oid = t.typelem AND t.typcategory = 'A' AND i.typtype = 'e' "
        "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        "WHERE a.attnum > 0 AND NOT a.attisdropped AND " TABLES,
    [CORM_FOUND_PRIMARY_KEY] = KEY "WHERE k.contype = 'p' AND " TABLES,
    [CORM_FOUND_UNIQUE] = KEY "WHERE k.contype = 'u' AND " TABLES,
    [CORM_FOUND_FOREIGN_KEY] =
        "SELECT c.relname::TEXT, k.conname::TEXT, u.place::INTEGER, k.conname::TEXT, a.attname::TEXT, NULL::TEXT, "
        "CASE WHEN $v AND pg_catalog.pg_table_is_visible(f.oid) THEN NULL ELSE fn.nspname::TEXT END, "
        "f.relname::TEXT, b.attname::TEXT, " ACTION("confupdtype") ", " ACTION(
            "confdeltype") ", "
                           "CASE WHEN k.condeferrable THEN true END, CASE WHEN k.condeferred THEN 'DEFERRED' END, "
                           "false, NULL::TEXT, "
                           "NULL::TEXT, NULL::TEXT, NULL::TEXT, false, pg_catalog.obj_description(k.oid, "
                           "'pg_constraint'), NULL::TEXT "
                           "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                           "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class f ON "
                           "f.oid = k.confrelid "
                           "JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace "
                           "CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY u(own, other, place) "
                           "JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own "
                           "JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.other "
                           "WHERE k.contype = 'f' AND k.conparentid = 0 AND " TABLES,
    [CORM_FOUND_CHECK] = "SELECT c.relname::TEXT, k.conname::TEXT, 0, k.conname::TEXT, NULL::TEXT, "
                         "pg_catalog.pg_get_expr(k.conbin, k.conrelid, true), NULL::TEXT, NULL::TEXT, NULL::TEXT, "
                         "NULL::TEXT, NULL::TEXT, "
                         "NULL::BOOLEAN, NULL::TEXT, false, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT, false, "
                         "pg_catalog.obj_description(k.oid, 'pg_constraint'), NULL::TEXT "
                         "FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                         "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'c' AND " TABLES,
    [CORM_FOUND_INDEX] =
        "SELECT c.relname::TEXT, i.relname::TEXT, u.place::INTEGER, i.relname::TEXT, a.attname::TEXT, "
        "CASE WHEN u.number = 0 THEN pg_catalog.pg_get_indexdef(x.indexrelid, u.place::INTEGER, true) END, "
        "NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::TEXT, NULL::BOOLEAN, NULL::TEXT, x.indisunique, "
        "pg_catalog.pg_get_expr(x.indpred, x.indrelid), m.amname::TEXT, NULL::TEXT, "
        "CASE WHEN u.place > x.indnkeyatts THEN NULL ELSE CASE x.indoption[u.place::INTEGER - 1] & 3 "
        "WHEN 1 THEN 'desc nulls_last' WHEN 2 THEN 'nulls_first' WHEN 3 THEN 'desc' END END, "
        "u.place > x.indnkeyatts, NULL::TEXT, k.conname::TEXT "
        "FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid "
        "JOIN pg_catalog.pg_am m ON m.oid = i.relam JOIN pg_catalog.pg_class c ON c.oid = x.indrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY u(number, place) "
        "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.number AND u.number > 0 "
        "LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('u', 'x', 'p') "
        "AND k.conrelid = x.indrelid WHERE NOT x.indisprimary AND " TABLES,
};

static corm_status append_condition(const char *schema, corm_text *out) {
    if (schema == NULL) {
        corm_text_append(out, "pg_catalog.pg_table_is_visible(c.oid) AND n.nspname != 'pg_catalog'");
        return corm_text_status(out);
    }
    corm_value name = corm_value_bytes(CORM_KIND_TEXT, schema, strlen(schema));
    corm_text_append(out, "n.nspname = ");
    return corm_standard_literal(&corm_dialect_postgresql, corm_type_of_kind(CORM_TYPE_STRING), &name, out);
}

corm_status corm_postgresql_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out) {
    corm_text within = CORM_TEXT_EMPTY, among = CORM_TEXT_EMPTY;
    corm_status status = append_condition(schema, &within);
    if (status == CORM_OK) {
        status = corm_inspect_among(names, true, &among);
    }
    if (status == CORM_OK) {
        status = corm_inspect_expand(
            queries[kind],
            (const corm_inspect_mark[]){
                {'w', within.data}, {'n', among.data}, {'v', schema == NULL ? "true" : "false"}, {'\0', NULL}},
            out);
    }
    corm_text_clear(&within);
    corm_text_clear(&among);
    return status;
}

corm_status corm_postgresql_schemas_query(corm_text *out) {
    corm_text_append(out, "SELECT nspname::TEXT FROM pg_catalog.pg_namespace "
                          "WHERE nspname NOT LIKE 'pg!_%' ESCAPE '!' ORDER BY nspname");
    return corm_text_status(out);
}

/* ---- types ---- */

#define LENGTH CORM_TYPE_ARGUMENT_LENGTH
#define PRECISION CORM_TYPE_ARGUMENT_PRECISION
#define NONE CORM_TYPE_ARGUMENT_NONE
static const corm_type_word words[] = {
    {"bigint", CORM_TYPE_BIG_INTEGER, "BIGINT", NONE},
    {"boolean", CORM_TYPE_BOOLEAN, "BOOLEAN", NONE},
    {"bytea", CORM_TYPE_BINARY, "BYTEA", NONE},
    {"character", CORM_TYPE_STRING, "CHAR", LENGTH},
    {"character varying", CORM_TYPE_STRING, "VARCHAR", LENGTH},
    {"date", CORM_TYPE_DATE, "DATE", NONE},
    {"double precision", CORM_TYPE_FLOAT, "DOUBLE PRECISION", NONE},
    {"enum", CORM_TYPE_NULL, "ENUM", NONE},
    {"integer", CORM_TYPE_INTEGER, "INTEGER", NONE},
    {"interval", CORM_TYPE_NULL, "INTERVAL", NONE},
    {"json", CORM_TYPE_NULL, "JSON", NONE},
    {"jsonb", CORM_TYPE_NULL, "JSONB", NONE},
    {"name", CORM_TYPE_STRING, "NAME", NONE},
    {"numeric", CORM_TYPE_NUMERIC, "NUMERIC", PRECISION},
    {"real", CORM_TYPE_FLOAT, "REAL", NONE},
    {"smallint", CORM_TYPE_SMALL_INTEGER, "SMALLINT", NONE},
    {"text", CORM_TYPE_TEXT, "TEXT", NONE},
    {"uuid", CORM_TYPE_NULL, "UUID", NONE},
};

/* "time(3) with time zone", "timestamp without time zone". */
static corm_status type_of_time(const corm_type_text *read, corm_type **out) {
    bool is_point = strncmp(read->words, "timestamp", strlen("timestamp")) == 0;
    corm_type_options options = {.name = is_point ? "TIMESTAMP" : "TIME",
                                 .timezone = strstr(read->words, " with time zone") != NULL ||
                                             strcmp(read->rest, "with time zone") == 0};
    *out = corm_type_new(is_point ? CORM_TYPE_DATETIME : CORM_TYPE_TIME, &options);
    return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
}

corm_status corm_postgresql_type_of_text(const char *text, corm_type **out) {
    corm_type_text read;
    corm_type_text_read(text, &read);
    *out = NULL;
    if (strchr(text, '[') != NULL && strncmp(read.words, "enum", strlen("enum")) != 0) {
        return CORM_OK; /* an array */
    }
    if (strcmp(read.words, "time") == 0 || strcmp(read.words, "timestamp") == 0 ||
        strncmp(read.words, "time with", strlen("time with")) == 0 ||
        strncmp(read.words, "timestamp with", strlen("timestamp with")) == 0) {
        return type_of_time(&read, out);
    }
    return corm_type_from_words(words, sizeof words / sizeof *words, &read, out);
}
