/*
 * PostgreSQL's SQL, and how it stores values: nearly all types are its own, so little is converted.
 *
 * Parameters are cast to their types where they stand, because the server would otherwise have to guess them. People are
 * shown the casts that programs on psycopg know; on the wire go a few more, because our parameters have no type of their
 * own.
 */
#include <stdio.h>
#include <string.h>

#include "dialect/dialects.h"
#include "dialect/postgresql_words.h"
#include "sql/dml.h"

/* ---- statements ---- */

static corm_status limit(corm_compiler *compiler, corm_node *count, corm_node *offset) {
    corm_status status = CORM_OK;
    corm_compiler_append(compiler, count ? " \n LIMIT " : "\n LIMIT ALL");
    if (count)
        status = corm_compiler_node(compiler, count, CORM_OP_NONE);
    if (offset && !status) {
        corm_compiler_append(compiler, " OFFSET ");
        status = corm_compiler_node(compiler, offset, CORM_OP_NONE);
    }
    return status;
}

static corm_status type_name(const corm_type *type, corm_text *out);

/* The divisor is made a number that is not whole. */
static corm_status true_divide(corm_compiler *compiler, const corm_binary *binary) {
    const corm_type *type = corm_node_type(binary->children[1]);
    bool exact = type->kind == CORM_TYPE_NUMERIC || type->kind == CORM_TYPE_FLOAT;
    corm_text spelling = CORM_TEXT_EMPTY;
    corm_status status = corm_compiler_node(compiler, binary->children[0], CORM_OP_TRUE_DIV);
    corm_compiler_append(compiler, " / CAST(");
    if (!status)
        status = corm_compiler_operand(compiler, binary->children[1], CORM_OP_NONE, binary->children[0]);
    if (!status)
        status = type_name(exact ? type : corm_type_of_kind(CORM_TYPE_NUMERIC), &spelling);
    if (!status) {
        corm_compiler_append(compiler, " AS ");
        corm_compiler_append(compiler, spelling.data);
        corm_compiler_append(compiler, ")");
    }
    corm_text_clear(&spelling);
    return status;
}

/* The name is a text that the server reads as a name. */
static corm_status next_value(const char *sequence, corm_text *out) {
    corm_value name = corm_value_bytes(CORM_KIND_TEXT, sequence, strlen(sequence));
    corm_text_append(out, "nextval(");
    corm_status status =
        corm_standard_literal(&corm_dialect_postgresql, corm_type_of_kind(CORM_TYPE_STRING), &name, out);
    corm_text_append_char(out, ')');
    return status ? status : corm_text_status(out);
}

/* ---- types ---- */

static corm_status timed(const char *word, const corm_type *type, corm_text *out) {
    corm_text_append(out, word);
    corm_text_append(out, type->timezone ? " WITH TIME ZONE" : " WITHOUT TIME ZONE");
    return corm_text_status(out);
}

/* "schema.mood" */
static corm_status enum_name(const corm_type *type, corm_text *out) {
    if (!type->name)
        return corm_error_set(CORM_COMPILE_ERROR, "PostgreSQL ENUM type requires a name.");
    corm_status status = CORM_OK;
    if (type->schema) {
        status = corm_dialect_identifier(&corm_dialect_postgresql, type->schema, out);
        corm_text_append_char(out, '.');
    }
    return status ? status : corm_dialect_identifier(&corm_dialect_postgresql, type->name, out);
}

/* "INTEGER[][]" */
static corm_status array_name(const corm_type *type, corm_text *out) {
    const corm_type *item = corm_type_adapted(type->item, corm_dialect_postgresql.name);
    corm_status status = item ? type_name(item, out) : corm_error_last()->status;
    for (int i = 0; i < type->dimensions || i == 0; i++)
        corm_text_append(out, "[]");
    return status ? status : corm_text_status(out);
}

static corm_status type_name(const corm_type *type, corm_text *out) {
    const char *name = type->name;
    switch (type->kind) {
    case CORM_TYPE_DATETIME:
        if (!name || strcmp(name, "TIMESTAMP") == 0)
            return timed("TIMESTAMP", type, out);
        break;
    case CORM_TYPE_TIME:
        if (!name || strcmp(name, "TIME") == 0)
            return timed("TIME", type, out);
        break;
    case CORM_TYPE_BINARY:
        if (!name) {
            corm_text_append(out, "BYTEA");
            return corm_text_status(out);
        }
        break;
    case CORM_TYPE_FLOAT:
        if (name && strcmp(name, "DOUBLE") == 0) {
            corm_text_append(out, "DOUBLE PRECISION");
            return corm_text_status(out);
        }
        if ((!name || strcmp(name, "FLOAT") == 0) && type->precision > 0) {
            corm_text_append_format(out, "FLOAT(%d)", type->precision);
            return corm_text_status(out);
        }
        break;
    case CORM_TYPE_ENUM:
        return enum_name(type, out);
    case CORM_TYPE_OWN:
        if (type->item)
            return array_name(type, out);
        break;
    default:
        break;
    }
    return corm_standard_type_name(&corm_dialect_postgresql, type, out);
}

static const char *serial_name(const corm_type *type) {
    switch (type->kind) {
    case CORM_TYPE_SMALL_INTEGER:
        return "SMALLSERIAL";
    case CORM_TYPE_BIG_INTEGER:
        return "BIGSERIAL";
    default:
        return "SERIAL";
    }
}

static corm_status column_type(const corm_column *column, const corm_type *type, corm_text *out) {
    bool numbered = column->table && corm_table_autoincrement_column(column->table) == column &&
                    column->default_value.kind == CORM_DEFAULT_NONE && !column->server_default &&
                    !column->server_default_node && !column->identity && !type->host &&
                    !corm_dialect_sequence_of(&corm_dialect_postgresql, column);
    if (!numbered)
        return type_name(type, out);
    corm_text_append(out, serial_name(type));
    return corm_text_status(out);
}

/* ---- parameters ---- */

/* Texts that go by a name of their own are of that type. */
static const char *text_cast(const corm_type *type) {
    static const char *const own[] = {"JSON", "JSONB", "CITEXT"};
    for (size_t i = 0; type->name && i < sizeof own / sizeof own[0]; i++) {
        if (strcmp(type->name, own[i]) == 0)
            return own[i];
    }
    return "VARCHAR";
}

static corm_status bind_cast(const corm_type *type, bool for_people, corm_text *out) {
    const char *cast = NULL;
    switch (type->kind) {
    case CORM_TYPE_INTEGER:
        cast = "INTEGER";
        break;
    case CORM_TYPE_SMALL_INTEGER:
        cast = "SMALLINT";
        break;
    case CORM_TYPE_BIG_INTEGER:
        cast = "BIGINT";
        break;
    case CORM_TYPE_STRING:
    case CORM_TYPE_TEXT:
        cast = text_cast(type);
        break;
    case CORM_TYPE_DATE:
        cast = "DATE";
        break;
    case CORM_TYPE_TIME:
        corm_text_append(out, "::");
        return timed("TIME", type, out);
    case CORM_TYPE_DATETIME:
        corm_text_append(out, "::");
        return timed("TIMESTAMP", type, out);
    case CORM_TYPE_BOOLEAN:
        cast = for_people ? NULL : "BOOLEAN";
        break;
    case CORM_TYPE_FLOAT:
        cast = for_people ? NULL : "FLOAT";
        break;
    case CORM_TYPE_NUMERIC:
        cast = for_people ? NULL : "NUMERIC";
        break;
    case CORM_TYPE_BINARY:
        cast = for_people ? NULL : "BYTEA";
        break;
    case CORM_TYPE_OWN:
    case CORM_TYPE_ENUM:
        corm_text_append(out, "::");
        return type_name(type, out);
    default:
        break;
    }
    if (cast) {
        corm_text_append(out, "::");
        corm_text_append(out, cast);
    }
    return corm_text_status(out);
}

static corm_convert_bind bind_converter(const corm_type *type) {
    return type->kind == CORM_TYPE_BOOLEAN ? corm_standard_bind_boolean : NULL;
}

/* ---- literals ---- */

static corm_status literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                           corm_text *out) {
    static const char digits[] = "0123456789abcdef";
    if (value->kind != CORM_KIND_BYTES)
        return corm_standard_literal(dialect, type, value, out);
    corm_text_append(out, "'\\x");
    for (size_t i = 0; i < value->as.text.size; i++) {
        unsigned char byte = (unsigned char)value->as.text.data[i];
        corm_text_append_char(out, digits[byte >> 4]);
        corm_text_append_char(out, digits[byte & 15]);
    }
    corm_text_append(out, "'::BYTEA");
    return corm_text_status(out);
}

/* ---- results ---- */

enum { DEFAULT_SCALE = 10 /* of inexact numbers that are wanted as decimals */, LARGEST_SCALE = 100 };

static corm_status result_decimal(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    *out = *in;
    if (in->kind != CORM_KIND_FLOAT)
        return CORM_OK;
    int scale = type->scale >= 0 ? type->scale : DEFAULT_SCALE;
    int size = snprintf(room, CORM_RESULT_ROOM, "%.*f", scale > LARGEST_SCALE ? LARGEST_SCALE : scale, in->as.real);
    if (size < 0 || size >= CORM_RESULT_ROOM)
        return corm_error_set(CORM_VALUE_ERROR, "A number is too large: %g", in->as.real);
    *out = corm_value_bytes(CORM_KIND_DECIMAL, room, (size_t)size);
    return CORM_OK;
}

static corm_status result_float(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    *out = *in;
    if (in->kind == CORM_KIND_INTEGER) {
        *out = corm_value_float((double)in->as.integer);
    } else if (in->kind == CORM_KIND_DECIMAL && in->as.text.size < CORM_RESULT_ROOM) {
        double real;
        memcpy(room, in->as.text.data, in->as.text.size);
        room[in->as.text.size] = '\0';
        if (sscanf(room, "%lf", &real) == 1)
            *out = corm_value_float(real);
    }
    return CORM_OK;
}

static corm_convert_result result_converter(const corm_type *type) {
    if (type->kind == CORM_TYPE_OWN && type->name && strcmp(type->name, "UUID") == 0)
        return corm_standard_result_uuid;
    if (type->kind != CORM_TYPE_NUMERIC && type->kind != CORM_TYPE_FLOAT)
        return NULL;
    return type->as_decimal ? result_decimal : result_float;
}

/* ---- inspection ---- */

static corm_status in_schema(const char *schema, corm_text *out) {
    if (!schema) {
        corm_text_append(out, "n.nspname = pg_catalog.current_schema()");
        return corm_text_status(out);
    }
    corm_value name = corm_value_bytes(CORM_KIND_TEXT, schema, strlen(schema));
    corm_text_append(out, "n.nspname = ");
    return corm_standard_literal(&corm_dialect_postgresql, corm_type_of_kind(CORM_TYPE_STRING), &name, out);
}

static const char relations[] = "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
                                "c.relnamespace WHERE c.relkind IN ";

static corm_status has_table_query(const char *schema, corm_text *out) {
    corm_text_append(out, relations);
    corm_text_append(out, "('r', 'p', 'f', 'v', 'm') AND c.relname = $1::TEXT AND ");
    if (schema)
        return in_schema(schema, out);
    corm_text_append(out, "pg_catalog.pg_table_is_visible(c.oid) AND n.nspname != 'pg_catalog'");
    return corm_text_status(out);
}

static corm_status table_names_query(const char *schema, corm_text *out) {
    corm_text_append(out, relations);
    corm_text_append(out, "('r', 'p') AND ");
    corm_status status = in_schema(schema, out);
    corm_text_append(out, " ORDER BY c.relname");
    return status ? status : corm_text_status(out);
}

#define SET_LEVEL(level)                                                                                               \
    { level, "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL " level }
static const corm_isolation isolations[] = {
    SET_LEVEL("READ UNCOMMITTED"), SET_LEVEL("READ COMMITTED"), SET_LEVEL("REPEATABLE READ"),
    SET_LEVEL("SERIALIZABLE"),     {"AUTOCOMMIT", NULL},        {NULL, NULL},
};

#define CHARACTERISTIC(words) "SET SESSION CHARACTERISTICS AS TRANSACTION " words
static const char *const read_only[] = {CHARACTERISTIC("READ WRITE"), CHARACTERISTIC("READ ONLY")};
static const char *const deferrable[] = {CHARACTERISTIC("NOT DEFERRABLE"), CHARACTERISTIC("DEFERRABLE")};

static const corm_two_phase two_phase = {
    .prepare = "PREPARE TRANSACTION",
    .commit = "COMMIT PREPARED",
    .rollback = "ROLLBACK PREPARED",
    .recover = "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()",
    .longest = 199,
};

const corm_dialect corm_dialect_postgresql = {
    .name = "postgresql",
    .paramstyle = CORM_PARAMSTYLE_NUMERIC,
    .quote_open = '"',
    .quote_close = '"',
    .reserved_words = postgresql_words,
    .identifier_limit = 63,
    .supports_returning = true,
    .supports_on_conflict = true,
    .supports_native_boolean = true,
    .has_enums = true,
    .has_big_integers = true,
    .supports_default_values = true,
    .supports_multi_table_delete = true,
    .supports_update_from = true,
    .supports_for_update = true,
    .supports_distinct_on = true,
    .supports_if_exists = true,
    .supports_nested_transactions = true,
    .supports_sequences = true,
    .sequences_optional = true,
    .supports_identity = true,
    .supports_foreign_key_alter = true,
    .supports_deferrable = true,
    .parenthesises_compound = true,
    .distinct_from = " IS DISTINCT FROM ",
    .not_distinct_from = " IS NOT DISTINCT FROM ",
    .regexp = " ~ ",
    .not_regexp = " !~ ",
    .like_ignoring_case = " ILIKE ",
    .not_like_ignoring_case = " NOT ILIKE ",
    .inserts_return_keys = true,
    .inserts_return_defaults = true,
    .share_lock = " FOR SHARE",
    .waits_or_not = true,
    .isolations = isolations,
    .isolation_reset = "RESET default_transaction_isolation; RESET default_transaction_read_only; "
                       "RESET default_transaction_deferrable",
    .read_only = read_only,
    .deferrable = deferrable,
    .two_phase = &two_phase,
    .isolation_default = "SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_isolation'",
    .isolation_query = "SELECT current_setting('transaction_isolation')",
    .limit = limit,
    .true_divide = true_divide,
    .extract = corm_standard_extract,
    .next_value = next_value,
    .function_name = corm_standard_function_name,
    .type_name = type_name,
    .column_type = column_type,
    .bind_cast = bind_cast,
    .literal = literal,
    .has_table_query = has_table_query,
    .table_names_query = table_names_query,
    .inspect_query = corm_postgresql_inspect_query,
    .schemas_query = corm_postgresql_schemas_query,
    .default_schema_query = "SELECT pg_catalog.current_schema()::TEXT",
    .type_of_text = corm_postgresql_type_of_text,
    .bind_converter = bind_converter,
    .result_converter = result_converter,
};
