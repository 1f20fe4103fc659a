/*
 * How values are stored in SQLite: dates and times as ISO text, booleans as 0 and 1, exact numbers as floating point
 * ones, which come back as decimals with a fixed number of digits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/dialects.h"
#include "type/datetime.h"

/* An error that names the value: "SQLite DateTime type only accepts ..., got 5". */
static corm_status refuse(corm_status status, const char *what, const corm_value *value) {
    corm_text description = CORM_TEXT_EMPTY;
    corm_value_describe(value, &description);
    status = corm_error_set(status, "%s: %s", what, description.data ? description.data : "");
    corm_text_clear(&description);
    return status;
}

/* The same of a parameter: a statement's error, whose native code is the class of what is wrong. */
static corm_status refuse_parameter(corm_status reason, const char *what, const corm_value *value) {
    corm_status status = refuse(CORM_STATEMENT_ERROR, what, value);
    if (status == CORM_STATEMENT_ERROR)
        corm_error_add_native((int)reason, NULL);
    return status;
}

/* ---- parameters ---- */

static corm_status bind_datetime(const corm_value *in, corm_kind kind, corm_value *out, corm_scratch *scratch) {
    const corm_datetime *given = &in->as.datetime;
    if (!corm_datetime_is_valid(given, kind))
        return corm_datetime_refuse(given, kind);
    char *text = corm_scratch_alloc(scratch, CORM_DATETIME_MAX);
    if (!text)
        return CORM_NO_MEMORY;
    /* The storage format has no place for an offset from UTC: the wall clock is kept. */
    corm_datetime datetime = in->as.datetime;
    datetime.has_offset = false;
    size_t size = corm_datetime_format(kind, &datetime, ' ', true, text);
    *out = corm_value_bytes(CORM_KIND_TEXT, text, size);
    return CORM_OK;
}

static corm_status bind_stored_datetime(const corm_type *type, const corm_value *in, corm_value *out,
                                        corm_scratch *scratch) {
    (void)type;
    if (in->kind != CORM_KIND_DATETIME && in->kind != CORM_KIND_DATE)
        return refuse_parameter(CORM_TYPE_ERROR,
                                "SQLite DateTime type only accepts Python datetime and date objects as input", in);
    return bind_datetime(in, CORM_KIND_DATETIME, out, scratch);
}

static corm_status bind_stored_date(const corm_type *type, const corm_value *in, corm_value *out,
                                    corm_scratch *scratch) {
    (void)type;
    if (in->kind != CORM_KIND_DATETIME && in->kind != CORM_KIND_DATE)
        return refuse_parameter(CORM_TYPE_ERROR, "SQLite Date type only accepts Python date objects as input", in);
    return bind_datetime(in, CORM_KIND_DATE, out, scratch);
}

static corm_status bind_stored_time(const corm_type *type, const corm_value *in, corm_value *out,
                                    corm_scratch *scratch) {
    (void)type;
    if (in->kind != CORM_KIND_TIME && in->kind != CORM_KIND_DATETIME)
        return refuse_parameter(CORM_TYPE_ERROR, "SQLite Time type only accepts Python time objects as input", in);
    return bind_datetime(in, CORM_KIND_TIME, out, scratch);
}

static corm_status bind_boolean(const corm_type *type, const corm_value *in, corm_value *out, corm_scratch *scratch) {
    corm_status status = corm_standard_bind_boolean(type, in, out, scratch);
    if (status == CORM_OK)
        *out = corm_value_integer(out->as.boolean);
    return status;
}

static corm_status bind_number(const corm_type *type, const corm_value *in, corm_value *out, corm_scratch *scratch) {
    switch ((corm_kind)in->kind) {
    case CORM_KIND_INTEGER:
        *out = corm_value_float((double)in->as.integer);
        return CORM_OK;
    case CORM_KIND_BOOLEAN:
        *out = corm_value_float(in->as.boolean);
        return CORM_OK;
    case CORM_KIND_FLOAT:
        *out = *in;
        return CORM_OK;
    case CORM_KIND_DECIMAL:
    case CORM_KIND_TEXT: {
        char *text = corm_scratch_alloc(scratch, in->as.text.size + 1);
        if (!text)
            return CORM_NO_MEMORY;
        memcpy(text, in->as.text.data, in->as.text.size);
        text[in->as.text.size] = 0;
        char *end;
        double real = strtod(text, &end);
        if (end == text || *end)
            return refuse_parameter(CORM_TYPE_ERROR, "Not a number", in);
        *out = corm_value_float(real);
        return CORM_OK;
    }
    default:
        (void)type;
        return refuse_parameter(CORM_TYPE_ERROR, "Not a number", in);
    }
}

corm_convert_bind corm_sqlite_bind_converter(const corm_type *type) {
    switch (type->kind) {
    case CORM_TYPE_BOOLEAN:
        return bind_boolean;
    case CORM_TYPE_FLOAT:
    case CORM_TYPE_NUMERIC:
        return bind_number;
    case CORM_TYPE_DATE:
        return bind_stored_date;
    case CORM_TYPE_TIME:
        return bind_stored_time;
    case CORM_TYPE_DATETIME:
        return bind_stored_datetime;
    default:
        return NULL;
    }
}

/* ---- results ---- */

static corm_status read_datetime(corm_kind kind, const corm_value *in, corm_value *out) {
    if (in->kind == (uint8_t)kind) {
        *out = *in;
        return CORM_OK;
    }
    static const char *const messages[] = {
        [CORM_KIND_DATE] = "Couldn't parse date string",
        [CORM_KIND_TIME] = "Couldn't parse time string",
        [CORM_KIND_DATETIME] = "Couldn't parse datetime string",
    };
    if (in->kind != CORM_KIND_TEXT)
        return refuse(CORM_VALUE_ERROR, messages[kind], in);
    if (!corm_datetime_parse(kind, in->as.text.data, in->as.text.size, out))
        return CORM_OK;
    /* A day alone is a point in time, and the other way round: databases that others write have both. */
    if (kind == CORM_KIND_DATETIME && !corm_datetime_parse(CORM_KIND_DATE, in->as.text.data, in->as.text.size, out)) {
        out->kind = CORM_KIND_DATETIME;
        return CORM_OK;
    }
    if (kind == CORM_KIND_DATE && !corm_datetime_parse(CORM_KIND_DATETIME, in->as.text.data, in->as.text.size, out)) {
        corm_datetime day = {
            .year = out->as.datetime.year, .month = out->as.datetime.month, .day = out->as.datetime.day};
        out->kind = CORM_KIND_DATE;
        out->as.datetime = day;
        return CORM_OK;
    }
    return refuse(CORM_VALUE_ERROR, messages[kind], in);
}

static corm_status result_date(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    (void)room;
    return read_datetime(CORM_KIND_DATE, in, out);
}

static corm_status result_time(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    (void)room;
    return read_datetime(CORM_KIND_TIME, in, out);
}

static corm_status result_datetime(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    (void)room;
    return read_datetime(CORM_KIND_DATETIME, in, out);
}

static corm_status result_boolean(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    (void)room;
    switch ((corm_kind)in->kind) {
    case CORM_KIND_BOOLEAN:
        *out = *in;
        return CORM_OK;
    case CORM_KIND_INTEGER:
        *out = corm_value_boolean(in->as.integer != 0);
        return CORM_OK;
    case CORM_KIND_FLOAT:
        *out = corm_value_boolean(in->as.real != 0);
        return CORM_OK;
    default:
        return refuse(CORM_VALUE_ERROR, "Not a boolean value", in);
    }
}

static corm_status result_float(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    (void)room;
    if (in->kind == CORM_KIND_INTEGER)
        *out = corm_value_float((double)in->as.integer);
    else
        *out = *in;
    return CORM_OK;
}

enum { DEFAULT_SCALE = 10, LARGEST_SCALE = 100 };

static corm_status result_decimal(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    double real;
    switch ((corm_kind)in->kind) {
    case CORM_KIND_FLOAT:
        real = in->as.real;
        break;
    case CORM_KIND_INTEGER:
        real = (double)in->as.integer;
        break;
    case CORM_KIND_TEXT:
    case CORM_KIND_DECIMAL: {
        *out = corm_value_bytes(CORM_KIND_DECIMAL, in->as.text.data, in->as.text.size);
        for (size_t i = 0; i < in->as.text.size; i++) {
            char character = in->as.text.data[i];
            if (!character || !strchr("0123456789+-.eE", character))
                return refuse(CORM_VALUE_ERROR, "Not a number", in);
        }
        return in->as.text.size ? CORM_OK : refuse(CORM_VALUE_ERROR, "Not a number", in);
    }
    default:
        return refuse(CORM_VALUE_ERROR, "Not a number", in);
    }
    int scale = type->scale >= 0 ? type->scale : DEFAULT_SCALE;
    if (scale > LARGEST_SCALE)
        scale = LARGEST_SCALE;
    int size = snprintf(room, CORM_RESULT_ROOM, "%.*f", scale, real);
    if (size < 0 || size >= CORM_RESULT_ROOM)
        return refuse(CORM_VALUE_ERROR, "A number is too large", in);
    *out = corm_value_bytes(CORM_KIND_DECIMAL, room, (size_t)size);
    return CORM_OK;
}

corm_convert_result corm_sqlite_result_converter(const corm_type *type) {
    switch (type->kind) {
    case CORM_TYPE_BOOLEAN:
        return result_boolean;
    case CORM_TYPE_DATE:
        return result_date;
    case CORM_TYPE_TIME:
        return result_time;
    case CORM_TYPE_DATETIME:
        return result_datetime;
    case CORM_TYPE_FLOAT:
    case CORM_TYPE_NUMERIC:
        return type->as_decimal ? result_decimal : result_float;
    default:
        return NULL;
    }
}
