/*
 * Rows: columns of a result as tagged values. What has a value of its own size is decoded in place, texts and bytes point
 * into libpq's result, and what has to be written anew (numbers with digits, UUIDs) goes to the statement's room, which
 * is measured before the first pointer into it is given.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "driver/postgresql_private.h"
#include "type/datetime.h"
#include "type/interval.h"

static const int64_t epoch_ordinal = 730120; /* 2000-01-01 */
static const int64_t day_microseconds = 86400 * INT64_C(1000000);
enum {
    UUID_TEXT = 36,
    INTERVAL_SIZE = 16,
    NUMERIC_DIGITS = 4 /* decimal digits in a group */,
    NUMERIC_HEADER = 8,
    FLOAT_ROOM = 40
};

/* ---- columns ---- */

static corm_pg_decoder binary_decoder(Oid type) {
    switch (type) {
    case OID_BOOL:
        return DECODE_BINARY_BOOL;
    case OID_BYTEA:
        return DECODE_BINARY_BYTES;
    case OID_INT8:
        return DECODE_BINARY_INT8;
    case OID_INT2:
        return DECODE_BINARY_INT2;
    case OID_INT4:
        return DECODE_BINARY_INT4;
    case OID_OID:
        return DECODE_BINARY_OID;
    case OID_FLOAT4:
        return DECODE_BINARY_FLOAT4;
    case OID_FLOAT8:
        return DECODE_BINARY_FLOAT8;
    case OID_NUMERIC:
        return DECODE_BINARY_NUMERIC;
    case OID_DATE:
        return DECODE_BINARY_DATE;
    case OID_TIME:
        return DECODE_BINARY_TIME;
    case OID_TIMETZ:
        return DECODE_BINARY_TIMETZ;
    case OID_TIMESTAMP:
        return DECODE_BINARY_TIMESTAMP;
    case OID_TIMESTAMPTZ:
        return DECODE_BINARY_TIMESTAMPTZ;
    case OID_UUID:
        return DECODE_BINARY_UUID;
    case OID_JSONB:
        return DECODE_BINARY_JSONB;
    case OID_INTERVAL:
        return DECODE_BINARY_INTERVAL;
    default:
        return DECODE_TEXT;
    }
}

static corm_pg_decoder text_decoder(Oid type) {
    switch (type) {
    case OID_BOOL:
        return DECODE_BOOL;
    case OID_BYTEA:
        return DECODE_BYTES;
    case OID_INT8:
    case OID_INT2:
    case OID_INT4:
    case OID_OID:
        return DECODE_INTEGER;
    case OID_FLOAT4:
    case OID_FLOAT8:
        return DECODE_FLOAT;
    case OID_NUMERIC:
        return DECODE_DECIMAL;
    case OID_DATE:
        return DECODE_DATE;
    case OID_TIME:
    case OID_TIMETZ:
        return DECODE_TIME;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return DECODE_DATETIME;
    default:
        return DECODE_TEXT;
    }
}

bool corm_pg_reads_binary(Oid type) {
    switch (type) {
    case OID_TEXT:
    case OID_VARCHAR:
    case OID_BPCHAR:
    case OID_NAME:
    case OID_JSON:
    case OID_XML:
    case OID_UNKNOWN:
        return true; /* the same bytes in both forms */
    default:
        return binary_decoder(type) != DECODE_TEXT;
    }
}

static bool needs_room(corm_pg_decoder decoder) {
    return decoder == DECODE_BYTES || decoder == DECODE_BINARY_NUMERIC || decoder == DECODE_BINARY_UUID ||
           decoder == DECODE_BINARY_INTERVAL;
}

corm_status corm_pg_describe_result(corm_driver_statement *statement) {
    size_t columns = (size_t)PQnfields(statement->result);
    if (columns > statement->columns || statement->decoders == NULL) {
        corm_pg_decoder *decoders = corm_realloc_array(statement->decoders, columns + 1, sizeof *decoders);
        if (decoders == NULL) {
            return CORM_NO_MEMORY;
        }
        statement->decoders = decoders;
        uint8_t *forms = corm_realloc_array(statement->forms, columns + 1, sizeof *forms);
        if (forms == NULL) {
            return CORM_NO_MEMORY;
        }
        statement->forms = forms;
    }
    statement->columns = columns;
    statement->converts = false;
    statement->reads_binary = true;
    statement->has_zoned = false;
    for (size_t i = 0; i < columns; i++) {
        Oid type = PQftype(statement->result, (int)i);
        bool binary = PQfformat(statement->result, (int)i) == 1;
        statement->decoders[i] = binary ? binary_decoder(type) : text_decoder(type);
        statement->forms[i] = (uint8_t)corm_pg_form(type);
        statement->converts = statement->converts || needs_room(statement->decoders[i]);
        statement->reads_binary = statement->reads_binary && corm_pg_reads_binary(type);
        statement->has_zoned = statement->has_zoned || type == OID_TIMESTAMPTZ;
    }
    return CORM_OK;
}

/* ---- numbers ---- */

static uint64_t read_number(const char *data, int size) {
    uint64_t number = 0;
    for (int i = 0; i < size; i++) {
        number = number << 8 | (unsigned char)data[i];
    }
    return number;
}

static int16_t read_int2(const char *data) {
    return (int16_t)read_number(data, 2);
}

static int32_t read_int4(const char *data) {
    return (int32_t)read_number(data, 4);
}

static int64_t read_int8(const char *data) {
    return (int64_t)read_number(data, 8);
}

/* A server that does not keep to its protocol: what else it says is not listened to. */
static corm_status malformed(const char *what) {
    return corm_error_set(CORM_INTERNAL_ERROR, "the server sent a malformed %s", what);
}

static double read_float8(const char *data) {
    uint64_t bits = read_number(data, 8);
    double real;
    memcpy(&real, &bits, sizeof real);
    return real;
}

/* The number that people read: 0.1, not the double nearest to the float nearest to it. */
static double read_float4(const char *data) {
    uint32_t bits = (uint32_t)read_number(data, 4);
    float real;
    char room[FLOAT_ROOM];
    memcpy(&real, &bits, sizeof real);
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(room, sizeof room, "%.*g", precision, (double)real);
        if (strtof(room, NULL) == real) {
            break;
        }
    }
    return strtod(room, NULL);
}

static corm_status read_integer(const char *text, size_t size, corm_value *out) {
    int64_t number = 0;
    bool negative = size > 0 && *text == '-';
    for (size_t i = negative; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(number, 10, &number) ||
            (negative ? __builtin_sub_overflow(number, text[i] - '0', &number)
                      : __builtin_add_overflow(number, text[i] - '0', &number))) {
            return malformed("integer");
        }
    }
    *out = corm_value_integer(number);
    return size > (size_t)negative ? CORM_OK : malformed("integer");
}

/* [-]digits[.digits], or a word for what is no number. */
static bool is_number(const char *text, size_t size) {
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    size_t digits = 0, points = 0, sign = size > 0 && *text == '-';
    for (size_t i = sign; i < size; i++) {
        digits += text[i] >= '0' && text[i] <= '9';
        points += text[i] == '.';
    }
    for (size_t i = 0; i < sizeof words / sizeof *words && digits == 0; i++) {
        if (size == strlen(words[i]) && memcmp(text, words[i], size) == 0) {
            return true;
        }
    }
    return digits > 0 && points <= 1 && sign + digits + points == size;
}

/* The most that a number takes as text: every group, the digits of zero around the point, sign, point. */
static size_t numeric_room(const char *data, size_t size) {
    if (size < NUMERIC_HEADER) {
        return 0;
    }
    int groups = read_int2(data), weight = read_int2(data + 2), scale = (uint16_t)read_int2(data + 6);
    int before = weight >= 0 ? weight + 1 : 1;
    return (size_t)((groups > before ? groups : before) * NUMERIC_DIGITS + scale + NUMERIC_DIGITS + 4);
}

static char *put_group(char *at, int group, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + group % 10);
        group /= 10;
    }
    return at + digits;
}

/* Groups of four decimal digits: the first has the weight 10000 ^ weight; scale digits follow the point. */
static corm_status read_numeric(const char *data, size_t size, char *room, corm_value *out, size_t *used) {
    enum { NEGATIVE = 0x4000, NOT_A_NUMBER = 0xC000, INFINITE = 0xD000, NEGATIVE_INFINITE = 0xF000 };
    if (size < NUMERIC_HEADER) {
        return malformed("number");
    }
    int groups = read_int2(data), weight = read_int2(data + 2), sign = (uint16_t)read_int2(data + 4);
    int scale = (uint16_t)read_int2(data + 6);
    if (groups < 0 || size != (size_t)NUMERIC_HEADER + 2 * (size_t)groups) {
        return malformed("number");
    }
    if (sign == NOT_A_NUMBER || sign == INFINITE || sign == NEGATIVE_INFINITE) {
        const char *name = sign == NOT_A_NUMBER ? "NaN" : sign == INFINITE ? "Infinity" : "-Infinity";
        *out = corm_value_bytes(CORM_KIND_DECIMAL, name, strlen(name));
        *used = 0;
        return CORM_OK;
    }
    char *at = room;
    if (sign == NEGATIVE) {
        *at++ = '-';
    }
    char *whole = at;
    for (int i = 0; i <= weight; i++) {
        int group = i < groups ? (uint16_t)read_int2(data + NUMERIC_HEADER + 2 * i) : 0;
        if (group > 9999) {
            return malformed("number");
        }
        at = put_group(at, group, NUMERIC_DIGITS);
    }
    size_t zeros = 0;
    while (zeros + 1 < (size_t)(at - whole) && whole[zeros] == '0') {
        zeros++;
    }
    memmove(whole, whole + zeros, (size_t)(at - whole) - zeros);
    at -= zeros;
    if (at == whole) {
        *at++ = '0';
    }
    if (scale > 0) {
        *at++ = '.';
        char *end = at + scale;
        for (int i = weight + 1; at < end; i++) {
            int group = i >= 0 && i < groups ? (uint16_t)read_int2(data + NUMERIC_HEADER + 2 * i) : 0;
            if (group > 9999) {
                return malformed("number");
            }
            at = put_group(at, group, NUMERIC_DIGITS); /* the room has place for a whole group */
        }
        at = end;
    }
    *used = (size_t)(at - room);
    *out = corm_value_bytes(CORM_KIND_DECIMAL, room, *used);
    return CORM_OK;
}

/* ---- dates and times ---- */

static corm_status out_of_range(const char *what, bool early) {
    return corm_error_set(CORM_DATA_ERROR, "%s too %s", what,
                          early ? "small (before year 1)" : "large (after year 10K)");
}

static corm_status set_day(int64_t day, corm_datetime *out) {
    static const int64_t last_ordinal = 3652059; /* 9999-12-31 */
    int64_t ordinal = day + epoch_ordinal;
    if (ordinal < 1 || ordinal > last_ordinal) {
        return out_of_range("date", ordinal < 1);
    }
    corm_datetime_from_ordinal(ordinal, out);
    return CORM_OK;
}

static void set_time(int64_t microseconds, corm_datetime *out) {
    int64_t seconds = microseconds / 1000000;
    out->microsecond = (int32_t)(microseconds % 1000000);
    out->second = (uint8_t)(seconds % 60);
    out->minute = (uint8_t)(seconds / 60 % 60);
    out->hour = (uint8_t)(seconds / 3600);
}

static corm_status read_date(const char *data, corm_value *out) {
    *out = (corm_value){.kind = CORM_KIND_DATE};
    return set_day(read_int4(data), &out->as.datetime);
}

static corm_status read_time(const char *data, bool has_offset, corm_value *out) {
    enum { DAY_SECONDS = 86400 };
    int64_t microseconds = read_int8(data);
    int64_t west = has_offset ? read_int4(data + 8) : 0;
    *out = (corm_value){.kind = CORM_KIND_TIME};
    if (microseconds < 0 || microseconds >= day_microseconds) {
        return corm_error_set(CORM_DATA_ERROR, "time not supported: hour 24");
    }
    if (west <= -DAY_SECONDS || west >= DAY_SECONDS) {
        return malformed("time zone");
    }
    set_time(microseconds, &out->as.datetime);
    out->as.datetime.has_offset = has_offset;
    out->as.datetime.offset = (int32_t)-west;
    return CORM_OK;
}

static corm_status read_timestamp(const char *data, bool has_offset, corm_value *out) {
    int64_t microseconds = read_int8(data);
    *out = (corm_value){.kind = CORM_KIND_DATETIME};
    if (microseconds == INT64_MAX || microseconds == INT64_MIN) {
        return out_of_range("timestamp", microseconds < 0);
    }
    int64_t day = microseconds / day_microseconds;
    int64_t rest = microseconds % day_microseconds;
    if (rest < 0) {
        rest += day_microseconds;
        day--;
    }
    corm_status status = set_day(day, &out->as.datetime);
    if (status == CORM_OK) {
        set_time(rest, &out->as.datetime);
        out->as.datetime.has_offset = has_offset;
    }
    return status;
}

static corm_status parse(corm_kind kind, const char *text, size_t size, corm_value *out) {
    if (corm_datetime_parse(kind, text, size, out) == CORM_OK) {
        return CORM_OK;
    }
    bool early = size > 2 && (memcmp(text + size - 2, "BC", 2) == 0 || text[0] == '-');
    return corm_error_set(CORM_DATA_ERROR, "%s %.*s is out of range: years are 1 to 9999%s", corm_kind_name(kind),
                          (int)(size > 64 ? 64 : size), text, early ? " of our era" : "");
}

/* ---- other values ---- */

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static corm_status read_hex_bytes(const char *text, size_t size, char *room, corm_value *out, size_t *used) {
    if (size < 2 || text[0] != '\\' || text[1] != 'x' || size % 2 != 0) {
        return malformed("bytea");
    }
    for (size_t i = 2; i + 1 < size; i += 2) {
        int high = hex(text[i]), low = hex(text[i + 1]);
        if (high < 0 || low < 0) {
            return malformed("bytea");
        }
        room[i / 2 - 1] = (char)(high << 4 | low);
    }
    *used = size / 2 - 1;
    *out = corm_value_bytes(CORM_KIND_BYTES, room, *used);
    return CORM_OK;
}

static void read_uuid(const char *data, char *room, corm_value *out) {
    static const char digits[] = "0123456789abcdef";
    char *at = room;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = digits[(unsigned char)data[i] >> 4];
        *at++ = digits[(unsigned char)data[i] & 15];
    }
    *out = corm_value_bytes(CORM_KIND_TEXT, room, UUID_TEXT);
}

static void read_interval(const char *data, char *room, corm_value *out, size_t *used) {
    corm_interval interval = {
        .microseconds = read_int8(data), .days = read_int4(data + 8), .months = read_int4(data + 12)};
    *used = corm_interval_format(&interval, room);
    *out = corm_value_bytes(CORM_KIND_TEXT, room, *used);
}

/* ---- one value ---- */

/* How many bytes a binary value must have; 0: any. */
static size_t size_of(corm_pg_decoder decoder) {
    switch (decoder) {
    case DECODE_BINARY_BOOL:
        return 1;
    case DECODE_BINARY_INT2:
        return 2;
    case DECODE_BINARY_INT4:
    case DECODE_BINARY_OID:
    case DECODE_BINARY_FLOAT4:
    case DECODE_BINARY_DATE:
        return 4;
    case DECODE_BINARY_INT8:
    case DECODE_BINARY_FLOAT8:
    case DECODE_BINARY_TIME:
    case DECODE_BINARY_TIMESTAMP:
    case DECODE_BINARY_TIMESTAMPTZ:
        return 8;
    case DECODE_BINARY_TIMETZ:
        return 12;
    case DECODE_BINARY_UUID:
        return 16;
    case DECODE_BINARY_INTERVAL:
        return INTERVAL_SIZE;
    default:
        return 0;
    }
}

static corm_status decode(corm_pg_decoder decoder, const char *data, size_t size, char *room, corm_value *out,
                          size_t *used) {
    size_t expected = size_of(decoder);
    *used = 0;
    if (expected != 0 && size != expected) {
        return malformed("value");
    }
    switch (decoder) {
    case DECODE_TEXT:
        *out = corm_value_bytes(CORM_KIND_TEXT, data, size);
        return CORM_OK;
    case DECODE_BINARY_INT4:
        *out = corm_value_integer(read_int4(data));
        return CORM_OK;
    case DECODE_BINARY_INT8:
        *out = corm_value_integer(read_int8(data));
        return CORM_OK;
    case DECODE_BINARY_INT2:
        *out = corm_value_integer(read_int2(data));
        return CORM_OK;
    case DECODE_BINARY_OID:
        *out = corm_value_integer((int64_t)read_number(data, 4));
        return CORM_OK;
    case DECODE_BINARY_BOOL:
        *out = corm_value_boolean(data[0] != 0);
        return CORM_OK;
    case DECODE_BINARY_FLOAT8:
        *out = corm_value_float(read_float8(data));
        return CORM_OK;
    case DECODE_BINARY_FLOAT4:
        *out = corm_value_float(read_float4(data));
        return CORM_OK;
    case DECODE_BINARY_BYTES:
        *out = corm_value_bytes(CORM_KIND_BYTES, data, size);
        return CORM_OK;
    case DECODE_BINARY_NUMERIC:
        return read_numeric(data, size, room, out, used);
    case DECODE_BINARY_DATE:
        return read_date(data, out);
    case DECODE_BINARY_TIME:
        return read_time(data, false, out);
    case DECODE_BINARY_TIMETZ:
        return read_time(data, true, out);
    case DECODE_BINARY_TIMESTAMP:
        return read_timestamp(data, false, out);
    case DECODE_BINARY_TIMESTAMPTZ:
        return read_timestamp(data, true, out);
    case DECODE_BINARY_UUID:
        read_uuid(data, room, out);
        *used = UUID_TEXT;
        return CORM_OK;
    case DECODE_BINARY_INTERVAL:
        read_interval(data, room, out, used);
        return CORM_OK;
    case DECODE_BINARY_JSONB: /* a version stands before the text */
        *out = corm_value_bytes(CORM_KIND_TEXT, data + (size > 0), size - (size > 0));
        return CORM_OK;
    case DECODE_BOOL:
        *out = corm_value_boolean(data[0] == 't');
        return CORM_OK;
    case DECODE_INTEGER:
        return read_integer(data, size, out);
    case DECODE_FLOAT:
        *out = corm_value_float(strtod(data, NULL)); /* texts from libpq end with a NUL */
        return CORM_OK;
    case DECODE_DECIMAL:
        *out = corm_value_bytes(CORM_KIND_DECIMAL, data, size);
        return is_number(data, size) ? CORM_OK : malformed("number");
    case DECODE_BYTES:
        return read_hex_bytes(data, size, room, out, used);
    case DECODE_DATE:
        return parse(CORM_KIND_DATE, data, size, out);
    case DECODE_TIME:
        return parse(CORM_KIND_TIME, data, size, out);
    case DECODE_DATETIME:
        return parse(CORM_KIND_DATETIME, data, size, out);
    }
    return malformed("value");
}

/* Room for all that is written anew of the present row. */
static corm_status reserve(corm_driver_statement *statement, size_t count) {
    size_t needed = 0;
    for (size_t i = 0; i < count; i++) {
        corm_pg_decoder decoder = statement->decoders[i];
        if (!needs_room(decoder)) {
            continue;
        }
        size_t size = (size_t)PQgetlength(statement->result, statement->row, (int)i);
        needed += decoder == DECODE_BYTES         ? size / 2
                  : decoder == DECODE_BINARY_UUID ? UUID_TEXT
                  : decoder == DECODE_BINARY_INTERVAL
                      ? CORM_INTERVAL_MAX
                      : numeric_room(PQgetvalue(statement->result, statement->row, (int)i), size);
    }
    if (needed > statement->room_capacity) {
        char *room = corm_realloc(statement->room, needed * 2);
        if (room == NULL) {
            return CORM_NO_MEMORY;
        }
        statement->room = room;
        statement->room_capacity = needed * 2;
    }
    return CORM_OK;
}

corm_status corm_pg_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    PGresult *result = statement->result;
    corm_status status = statement->converts ? reserve(statement, count) : CORM_OK;
    char *room = statement->room;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        size_t size = (size_t)PQgetlength(result, statement->row, (int)i);
        if (size == 0 && PQgetisnull(result, statement->row, (int)i)) {
            values[i] = CORM_NULL_VALUE;
            continue;
        }
        size_t used;
        const char *data = PQgetvalue(result, statement->row, (int)i);
        status = decode(statement->decoders[i], data, size, room, &values[i], &used);
        values[i].form = values[i].kind == CORM_KIND_TEXT ? statement->forms[i] : 0;
        room += used;
    }
    statement->connection->broken = statement->connection->broken || status == CORM_INTERNAL_ERROR;
    return status;
}
