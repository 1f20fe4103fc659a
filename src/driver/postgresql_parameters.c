/*
 * Parameters as libpq takes them: in binary form where the server's type is known and the form is shorter, else as text,
 * which the server reads as it reads literals. Texts and bytes are not copied.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "driver/postgresql_private.h"
#include "type/datetime.h"

enum { FORMAT_TEXT = 0, FORMAT_BINARY = 1, NUMBER_ROOM = 40 };

static const int64_t epoch_ordinal = 730120; /* 2000-01-01 */
static const int64_t day_microseconds = 86400 * INT64_C(1000000);

corm_status corm_pg_parameters_reserve(corm_pg_parameters *parameters, size_t count) {
    if (count <= parameters->count && parameters->values != NULL) {
        parameters->count = count;
        return CORM_OK;
    }
    const char **values = corm_realloc_array((void *)parameters->values, count + 1, sizeof *values);
    if (values != NULL) {
        parameters->values = values;
    }
    int *lengths = values == NULL ? NULL : corm_realloc_array(parameters->lengths, count + 1, sizeof *lengths);
    if (lengths != NULL) {
        parameters->lengths = lengths;
    }
    int *formats = lengths == NULL ? NULL : corm_realloc_array(parameters->formats, count + 1, sizeof *formats);
    if (formats != NULL) {
        parameters->formats = formats;
    }
    size_t *places = formats == NULL ? NULL : corm_realloc_array(parameters->places, count + 1, sizeof *places);
    if (places == NULL) {
        return CORM_NO_MEMORY;
    }
    parameters->places = places;
    parameters->count = count;
    return CORM_OK;
}

void corm_pg_parameters_clear(corm_pg_parameters *parameters) {
    corm_free((void *)parameters->values);
    corm_free(parameters->lengths);
    corm_free(parameters->formats);
    corm_free(parameters->places);
    corm_free(parameters->room);
    *parameters = (corm_pg_parameters){0};
}

/* Room for a converted value; pointers into it are set when all are there. */
static char *reserve(corm_pg_parameters *parameters, size_t index, size_t size) {
    if (size > SIZE_MAX / 2 - parameters->size) {
        corm_error_no_memory();
        return NULL;
    }
    if (parameters->size + size > parameters->capacity) {
        size_t capacity = (parameters->size + size) * 2;
        char *room = corm_realloc(parameters->room, capacity);
        if (room == NULL) {
            return NULL;
        }
        parameters->room = room;
        parameters->capacity = capacity;
    }
    parameters->places[index] = parameters->size;
    parameters->size += size;
    return parameters->room + parameters->places[index];
}

/* A whole number, most significant byte first. */
static corm_status set_number(corm_pg_parameters *parameters, size_t index, uint64_t number, int size) {
    char *to = reserve(parameters, index, (size_t)size);
    if (to == NULL) {
        return CORM_NO_MEMORY;
    }
    for (int i = size - 1; i >= 0; i--) {
        to[i] = (char)(number & 0xFF);
        number >>= 8;
    }
    parameters->lengths[index] = size;
    parameters->formats[index] = FORMAT_BINARY;
    return CORM_OK;
}

static corm_status set_text(corm_pg_parameters *parameters, size_t index, const char *text, size_t size) {
    char *to = reserve(parameters, index, size + 1);
    if (to == NULL) {
        return CORM_NO_MEMORY;
    }
    memcpy(to, text, size);
    to[size] = '\0';
    parameters->formats[index] = FORMAT_TEXT;
    return CORM_OK;
}

static corm_status set_borrowed(corm_pg_parameters *parameters, size_t index, const char *data, size_t size) {
    if (size > INT32_MAX) {
        return corm_error_set(CORM_DATA_ERROR, "parameter %zu is longer than 2 GiB", index + 1);
    }
    parameters->places[index] = SIZE_MAX;
    parameters->values[index] = data == NULL ? "" : data;
    parameters->lengths[index] = (int)size;
    parameters->formats[index] = FORMAT_BINARY;
    return CORM_OK;
}

static bool is_text(Oid type) {
    return type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME || type == OID_JSON ||
           type == OID_UNKNOWN;
}

static corm_status set_integer(corm_pg_parameters *parameters, size_t index, Oid type, int64_t integer) {
    if (type == OID_INT8) {
        return set_number(parameters, index, (uint64_t)integer, 8);
    }
    if (type == OID_INT4 && integer >= INT32_MIN && integer <= INT32_MAX) {
        return set_number(parameters, index, (uint64_t)integer, 4);
    }
    if (type == OID_INT2 && integer >= INT16_MIN && integer <= INT16_MAX) {
        return set_number(parameters, index, (uint64_t)integer, 2);
    }
    char room[NUMBER_ROOM];
    int size = snprintf(room, sizeof room, "%" PRId64, integer);
    return set_text(parameters, index, room, (size_t)size);
}

static corm_status set_float(corm_pg_parameters *parameters, size_t index, Oid type, double real) {
    char room[NUMBER_ROOM];
    if (type == OID_FLOAT8) {
        uint64_t bits;
        memcpy(&bits, &real, sizeof bits);
        return set_number(parameters, index, bits, 8);
    }
    bool is_whole = type == OID_INT2 || type == OID_INT4 || type == OID_INT8;
    if (is_whole && fabs(real) < 9.2e18) { /* as the server's own cast does */
        return set_integer(parameters, index, type, (int64_t)rint(real));
    }
    if (!isfinite(real)) {
        const char *name = isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity";
        return set_text(parameters, index, name, strlen(name));
    }
    int size = 0;
    for (int precision = 15; precision <= 17; precision++) { /* the shortest that gives the same number */
        size = snprintf(room, sizeof room, "%.*g", precision, real);
        double back;
        if (sscanf(room, "%lf", &back) == 1 && back == real) {
            break;
        }
    }
    return set_text(parameters, index, room, (size_t)size);
}

static corm_status set_boolean(corm_pg_parameters *parameters, size_t index, Oid type, bool boolean) {
    if (type == OID_BOOL) {
        return set_number(parameters, index, boolean, 1);
    }
    if (type == OID_INT2 || type == OID_INT4 || type == OID_INT8 || type == OID_NUMERIC || type == OID_FLOAT8) {
        return set_integer(parameters, index, type, boolean);
    }
    const char *text = boolean ? "true" : "false";
    return set_text(parameters, index, text, strlen(text));
}

static int64_t microseconds_of_day(const corm_datetime *datetime) {
    return ((datetime->hour * INT64_C(60) + datetime->minute) * 60 + datetime->second) * 1000000 +
           datetime->microsecond;
}

static corm_status set_datetime(corm_pg_parameters *parameters, size_t index, Oid type, const corm_value *value) {
    const corm_datetime *given = &value->as.datetime;
    corm_kind kind = (corm_kind)value->kind;
    if (!corm_datetime_is_valid(given, kind)) {
        return corm_datetime_refuse(given, kind);
    }
    int64_t day = kind == CORM_KIND_TIME ? 0 : corm_datetime_ordinal(given) - epoch_ordinal;
    int64_t point = day * day_microseconds + microseconds_of_day(given);
    if (kind == CORM_KIND_DATE && type == OID_DATE) {
        return set_number(parameters, index, (uint64_t)day, 4);
    }
    if (kind == CORM_KIND_DATETIME && type == OID_TIMESTAMP && !given->has_offset) {
        return set_number(parameters, index, (uint64_t)point, 8);
    }
    if (kind == CORM_KIND_DATETIME && type == OID_TIMESTAMPTZ && given->has_offset) {
        return set_number(parameters, index, (uint64_t)(point - given->offset * INT64_C(1000000)), 8);
    }
    if (kind == CORM_KIND_TIME && type == OID_TIME && !given->has_offset) {
        return set_number(parameters, index, (uint64_t)point, 8);
    }
    char room[CORM_DATETIME_MAX];
    return set_text(parameters, index, room, corm_datetime_format(kind, given, ' ', false, room));
}

static corm_status refuse(size_t index, const corm_value *value) {
    corm_text shown = CORM_TEXT_EMPTY;
    corm_value_describe(value, &shown);
    corm_status status = corm_error_set(CORM_PROGRAMMING_ERROR, "cannot adapt parameter %zu: %s", index + 1,
                                        shown.data == NULL ? "its type is not supported" : shown.data);
    corm_text_clear(&shown);
    return status;
}

static corm_status set_characters(corm_pg_parameters *parameters, size_t index, Oid type, const corm_value *value) {
    const char *text = value->as.text.data;
    size_t size = value->as.text.size;
    if (size > 0 && memchr(text, '\0', size) != NULL) {
        return corm_error_set(CORM_DATA_ERROR, "PostgreSQL text fields cannot contain NUL (0x00) bytes");
    }
    return is_text(type) ? set_borrowed(parameters, index, text, size) : set_text(parameters, index, text, size);
}

static corm_status set_one(corm_pg_parameters *parameters, size_t index, Oid type, const corm_value *value) {
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
    case CORM_KIND_NULL:
        parameters->places[index] = SIZE_MAX;
        parameters->values[index] = NULL;
        parameters->lengths[index] = 0;
        parameters->formats[index] = FORMAT_TEXT;
        return CORM_OK;
    case CORM_KIND_BOOLEAN:
        return set_boolean(parameters, index, type, value->as.boolean);
    case CORM_KIND_INTEGER:
        return set_integer(parameters, index, type, value->as.integer);
    case CORM_KIND_FLOAT:
        return set_float(parameters, index, type, value->as.real);
    case CORM_KIND_TEXT:
        return set_characters(parameters, index, type, value);
    case CORM_KIND_DECIMAL:
        return set_text(parameters, index, value->as.text.data, value->as.text.size);
    case CORM_KIND_BYTES:
        return set_borrowed(parameters, index, value->as.text.data, value->as.text.size);
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        return set_datetime(parameters, index, type, value);
    case CORM_KIND_HOST:
        return refuse(index, value);
    }
    return refuse(index, value);
}

Oid corm_pg_type_of_value(const corm_value *value) {
    switch ((corm_kind)value->kind) {
    case CORM_KIND_BOOLEAN:
        return OID_BOOL;
    case CORM_KIND_INTEGER:
        return value->as.integer >= INT32_MIN && value->as.integer <= INT32_MAX ? OID_INT4 : OID_INT8;
    case CORM_KIND_FLOAT:
        return OID_FLOAT8;
    case CORM_KIND_DECIMAL:
        return OID_NUMERIC;
    case CORM_KIND_BYTES:
        return OID_BYTEA;
    case CORM_KIND_DATE:
        return OID_DATE;
    case CORM_KIND_TIME:
        return value->as.datetime.has_offset ? OID_TIMETZ : OID_TIME;
    case CORM_KIND_DATETIME:
        return value->as.datetime.has_offset ? OID_TIMESTAMPTZ : OID_TIMESTAMP;
    case CORM_KIND_TEXT:
        return value->form == CORM_FORM_TEXT ? 0 : corm_pg_type_of_form(value->form);
    default:
        return 0; /* a text is what the place wants it to be */
    }
}

corm_status corm_pg_parameters_set(corm_pg_parameters *parameters, const Oid *types, const corm_value *values,
                                   size_t count) {
    corm_status status = CORM_OK;
    parameters->size = 0;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = set_one(parameters, i, types == NULL ? 0 : types[i], &values[i]);
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        if (parameters->places[i] != SIZE_MAX) {
            parameters->values[i] = parameters->room + parameters->places[i];
        }
    }
    return status;
}
