/* Standard spellings of expressions, types and literals: what most databases agree on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dialects.h"
#include "type/datetime.h"

static const char *const type_names[CORM_TYPE_KIND_COUNT] = {
    [CORM_TYPE_NULL] = "NULL",          [CORM_TYPE_INTEGER] = "INTEGER", [CORM_TYPE_SMALL_INTEGER] = "SMALLINT",
    [CORM_TYPE_BIG_INTEGER] = "BIGINT", [CORM_TYPE_BOOLEAN] = "BOOLEAN", [CORM_TYPE_FLOAT] = "FLOAT",
    [CORM_TYPE_NUMERIC] = "NUMERIC",    [CORM_TYPE_STRING] = "VARCHAR",  [CORM_TYPE_TEXT] = "TEXT",
    [CORM_TYPE_BINARY] = "BLOB",        [CORM_TYPE_DATE] = "DATE",       [CORM_TYPE_TIME] = "TIME",
    [CORM_TYPE_DATETIME] = "DATETIME",  [CORM_TYPE_ENUM] = "VARCHAR",
};

corm_status corm_standard_extract(corm_compiler *compiler, const char *field, corm_node *operand) {
    corm_compiler_append(compiler, "EXTRACT(");
    corm_compiler_append(compiler, field);
    corm_compiler_append(compiler, " FROM ");
    corm_status status = corm_compiler_node(compiler, operand, CORM_OP_NONE);
    corm_compiler_append(compiler, ")");
    return status;
}

const char *corm_standard_function_name(const char *name) {
    (void)name;
    return NULL;
}

corm_status corm_standard_type_name(const corm_dialect *dialect, const corm_type *type, corm_text *out) {
    if (type->kind == CORM_TYPE_NULL && !type->name)
        return corm_error_set(CORM_COMPILE_ERROR, "Can't generate DDL for NullType(); did you forget to specify a type "
                                                  "on this Column?");
    if (type->kind == CORM_TYPE_OWN && !type->name)
        return corm_error_set(CORM_COMPILE_ERROR, "A type of the database's own needs a name");
    bool named = type->name && type->kind != CORM_TYPE_ENUM; /* an enumeration is a text here */
    corm_text_append(out, named ? type->name : type_names[type->kind]);
    bool sized = type->kind == CORM_TYPE_STRING || type->kind == CORM_TYPE_ENUM || type->kind == CORM_TYPE_TEXT ||
                 (type->kind == CORM_TYPE_BINARY && type->name);
    if (sized && type->length > 0)
        corm_text_append_format(out, "(%d)", type->length);
    if (type->kind == CORM_TYPE_NUMERIC && type->precision > 0) {
        if (type->scale >= 0)
            corm_text_append_format(out, "(%d, %d)", type->precision, type->scale);
        else
            corm_text_append_format(out, "(%d)", type->precision);
    }
    if (type->collation) {
        corm_text_append(out, " COLLATE ");
        return corm_dialect_identifier(dialect, type->collation, out);
    }
    return corm_text_status(out);
}

static corm_status literal_text(const char *data, size_t size, corm_text *out) {
    if (size && memchr(data, 0, size))
        return corm_error_set(CORM_COMPILE_ERROR, "A text with a NUL byte cannot be rendered as a literal");
    corm_text_append_char(out, '\'');
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\'')
            corm_text_append_char(out, '\'');
        corm_text_append_char(out, data[i]);
    }
    corm_text_append_char(out, '\'');
    return corm_text_status(out);
}

static corm_status literal_float(double real, corm_text *out) {
    if (!isfinite(real))
        return corm_error_set(CORM_COMPILE_ERROR, "A number that is not finite cannot be rendered as a literal");
    char digits[40];
    int size = 0;
    for (int precision = 15; precision <= 17; precision++) {
        size = snprintf(digits, sizeof digits, "%.*g", precision, real);
        if (strtod(digits, NULL) == real)
            break;
    }
    corm_text_append_bytes(out, digits, (size_t)size);
    if (!strpbrk(digits, ".e"))
        corm_text_append(out, ".0");
    return corm_text_status(out);
}

static corm_status literal_bytes(const corm_value *value, corm_text *out) {
    static const char digits[] = "0123456789ABCDEF";
    corm_text_append(out, "X'");
    for (size_t i = 0; i < value->as.text.size; i++) {
        unsigned char byte = (unsigned char)value->as.text.data[i];
        corm_text_append_char(out, digits[byte >> 4]);
        corm_text_append_char(out, digits[byte & 15]);
    }
    corm_text_append_char(out, '\'');
    return corm_text_status(out);
}

static corm_status literal_decimal(const corm_value *value, corm_text *out) {
    for (size_t i = 0; i < value->as.text.size; i++) {
        if (!strchr("0123456789+-.eE", value->as.text.data[i]) || !value->as.text.data[i])
            return corm_error_set(CORM_COMPILE_ERROR, "A number that is not finite cannot be rendered as a literal");
    }
    corm_text_append_bytes(out, value->as.text.data, value->as.text.size);
    return corm_text_status(out);
}

corm_status corm_standard_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                                  corm_text *out) {
    char date[CORM_DATETIME_MAX];
    switch ((corm_kind)value->kind) {
    case CORM_KIND_NULL:
        corm_text_append(out, "NULL");
        return corm_text_status(out);
    case CORM_KIND_BOOLEAN:
        if (dialect->supports_native_boolean || dialect->has_boolean_words)
            corm_text_append(out, value->as.boolean ? "true" : "false");
        else
            corm_text_append(out, value->as.boolean ? "1" : "0");
        return corm_text_status(out);
    case CORM_KIND_INTEGER:
        corm_text_append_format(out, "%lld", (long long)value->as.integer);
        return corm_text_status(out);
    case CORM_KIND_FLOAT:
        return literal_float(value->as.real, out);
    case CORM_KIND_TEXT:
        return literal_text(value->as.text.data, value->as.text.size, out);
    case CORM_KIND_BYTES:
        return literal_bytes(value, out);
    case CORM_KIND_DECIMAL:
        return literal_decimal(value, out);
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        return literal_text(date, corm_datetime_format((corm_kind)value->kind, &value->as.datetime, ' ', false, date),
                            out);
    case CORM_KIND_ABSENT:
    case CORM_KIND_HOST:
        break;
    }
    corm_text description = CORM_TEXT_EMPTY;
    corm_value_describe(value, &description);
    corm_text_append(&description, " of type ");
    corm_type_describe(type, &description);
    corm_status status = corm_error_set(CORM_COMPILE_ERROR, "Could not render literal value %s",
                                        description.data ? description.data : "");
    corm_text_clear(&description);
    return status;
}

/* ---- truth ---- */

static corm_status refuse_boolean(const char *format, corm_status reason, const corm_value *value) {
    corm_text description = CORM_TEXT_EMPTY;
    corm_value_describe(value, &description);
    corm_text message = CORM_TEXT_EMPTY;
    const char *at = strchr(format, '@');
    corm_text_append_bytes(&message, format, (size_t)(at - format));
    corm_text_append(&message, description.data ? description.data : "");
    corm_text_append(&message, at + 1);
    corm_status status = corm_text_status(&message);
    if (!status)
        status = corm_error_set(CORM_STATEMENT_ERROR, "%s", message.data);
    if (status == CORM_STATEMENT_ERROR)
        corm_error_add_native((int)reason, NULL);
    corm_text_clear(&message);
    corm_text_clear(&description);
    return status;
}

corm_status corm_standard_bind_boolean(const corm_type *type, const corm_value *in, corm_value *out,
                                       corm_scratch *scratch) {
    (void)type;
    (void)scratch;
    bool number = in->kind == CORM_KIND_INTEGER || in->kind == CORM_KIND_FLOAT;
    if (in->kind == CORM_KIND_BOOLEAN)
        *out = corm_value_boolean(in->as.boolean);
    else if (in->kind == CORM_KIND_INTEGER && (in->as.integer == 0 || in->as.integer == 1))
        *out = corm_value_boolean(in->as.integer != 0);
    else
        return number ? refuse_boolean("Value @ is not None, True, or False", CORM_VALUE_ERROR, in)
                      : refuse_boolean("Not a boolean value: @", CORM_TYPE_ERROR, in);
    return CORM_OK;
}

/* ---- UUIDs ---- */

/* The same text on every database, as keys are compared: without hyphens. */
corm_status corm_standard_result_uuid(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    size_t size = 0;
    *out = *in;
    if (in->kind != CORM_KIND_TEXT || in->as.text.size > CORM_RESULT_ROOM)
        return CORM_OK;
    for (size_t i = 0; i < in->as.text.size; i++) {
        if (in->as.text.data[i] != '-')
            room[size++] = in->as.text.data[i];
    }
    *out = corm_value_bytes(CORM_KIND_TEXT, room, size);
    return CORM_OK;
}
