/*
 * How values travel to MariaDB and MySQL, and back.
 *
 * Rows of prepared statements come in the binary protocol and are decoded from the packets as they lie in the client
 * library's buffers: text and bytes are borrowed from there. Every read is checked against the packet's end. Rows of
 * statements that cannot be prepared come as text. Both give the same values:
 *
 * - integers of 64 bits; an unsigned one beyond that is an exact number in text, with the form of an integer
 * - FLOAT, which has 32 bits, is the shortest decimal number that stands for it: 0.1 stays 0.1
 * - a date or point in time that has a part of zero ("0000-00-00") is NULL, as with mysqlclient
 * - a TIME outside of a day is the text of an interval: "-12:30:00", "100:00:00"
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/mysql_private.h"
#include "type/datetime.h"
#include "type/interval.h"

/* The character set number that stands for bytes. */
enum { BINARY_CHARSET = 63 };
enum { HOURS_OF_DAY = 24, MICROSECOND_DIGITS = 6 };
/* Significant digits after which a 32-bit number comes back as it was. */
enum { FEWEST_FLOAT_DIGITS = 6, MOST_FLOAT_DIGITS = 9 };

/* ---- parameters ---- */

static void encode_time(MYSQL_BIND *bind, corm_mysql_room *room, const corm_value *value) {
    const corm_datetime *from = &value->as.datetime;
    bool day = value->kind != CORM_KIND_TIME;
    room->time = (MYSQL_TIME){.year = day ? (unsigned int)from->year : 0,
                              .month = day ? from->month : 0,
                              .day = day ? from->day : 0,
                              .hour = from->hour,
                              .minute = from->minute,
                              .second = from->second,
                              .second_part = (unsigned long)from->microsecond};
    bind->buffer_type = value->kind == CORM_KIND_DATE   ? MYSQL_TYPE_DATE
                        : value->kind == CORM_KIND_TIME ? MYSQL_TYPE_TIME
                                                        : MYSQL_TYPE_DATETIME;
    room->time.time_type = value->kind == CORM_KIND_DATE   ? MYSQL_TIMESTAMP_DATE
                           : value->kind == CORM_KIND_TIME ? MYSQL_TIMESTAMP_TIME
                                                           : MYSQL_TIMESTAMP_DATETIME;
    bind->buffer = &room->time;
}

/* A span of time, as TIME has it. */
static corm_status encode_interval(MYSQL_BIND *bind, corm_mysql_room *room, const corm_value *value) {
    static const int64_t second = 1000000, day_seconds = 86400;
    corm_interval interval;
    corm_status status = corm_interval_parse(value->as.text.data, value->as.text.size, &interval);
    int64_t days = 0, span = 0;
    bool fits = status == CORM_OK && interval.months == 0 &&
                !__builtin_mul_overflow(interval.days, day_seconds, &days) &&
                !__builtin_mul_overflow(days, second, &days) &&
                !__builtin_add_overflow(days, interval.microseconds, &span) && span != INT64_MIN;
    if (!fits) {
        return status != CORM_OK ? status : corm_error_set(CORM_DATA_ERROR, "a span of time is too long for TIME");
    }
    int64_t rest = span < 0 ? -span : span;
    room->time = (MYSQL_TIME){.neg = span < 0,
                              .day = (unsigned int)(rest / second / day_seconds),
                              .hour = (unsigned int)(rest / second % day_seconds / 3600),
                              .minute = (unsigned int)(rest / second / 60 % 60),
                              .second = (unsigned int)(rest / second % 60),
                              .second_part = (unsigned long)(rest % second),
                              .time_type = MYSQL_TIMESTAMP_TIME};
    bind->buffer_type = MYSQL_TYPE_TIME;
    bind->buffer = &room->time;
    return CORM_OK;
}

static void encode_bytes(MYSQL_BIND *bind, const corm_value *value, enum enum_field_types type) {
    bind->buffer_type = type;
    bind->buffer = (void *)(uintptr_t)(value->as.text.data == NULL ? "" : value->as.text.data);
    bind->buffer_length = value->as.text.size;
    bind->length_value = value->as.text.size;
    bind->length = &bind->length_value;
}

static corm_status refuse(const corm_value *value, size_t place) {
    corm_text shown = CORM_TEXT_EMPTY;
    corm_value_describe(value, &shown);
    corm_error_set(CORM_INTERFACE_ERROR, "Error binding parameter %zu: the type of %s is not supported", place,
                   shown.data == NULL ? "the value" : shown.data);
    corm_text_clear(&shown);
    return CORM_INTERFACE_ERROR;
}

static size_t count_digits(const char *text, size_t size) {
    size_t count = 0;
    while (count < size && text[count] >= '0' && text[count] <= '9') {
        count++;
    }
    return count;
}

/* [sign] digits [. digits] [e [sign] digits]. The server takes anything for an exact number, and reads zero. */
static bool is_number(const char *text, size_t size) {
    const char *end = text + size;
    text += text < end && (*text == '-' || *text == '+');
    size_t whole = count_digits(text, (size_t)(end - text)), fraction = 0;
    text += whole;
    if (text < end && *text == '.') {
        text++;
        fraction = count_digits(text, (size_t)(end - text));
        text += fraction;
    }
    if (whole + fraction == 0 || text == end) {
        return whole + fraction > 0;
    }
    if (*text != 'e' && *text != 'E') {
        return false;
    }
    text++;
    text += text < end && (*text == '-' || *text == '+');
    size_t exponent = count_digits(text, (size_t)(end - text));
    return exponent > 0 && text + exponent == end;
}

static corm_status refuse_number(const corm_value *value) {
    corm_text shown = CORM_TEXT_EMPTY;
    corm_value_describe(value, &shown);
    corm_status status = corm_error_set(CORM_STATEMENT_ERROR, "Not a number: %s", shown.data == NULL ? "" : shown.data);
    corm_text_clear(&shown);
    return status;
}

corm_status corm_mysql_encode(MYSQL_BIND *bind, corm_mysql_room *room, const corm_value *value, size_t place) {
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_NULL};
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
    case CORM_KIND_NULL:
        return CORM_OK;
    case CORM_KIND_BOOLEAN:
    case CORM_KIND_INTEGER:
        room->integer = value->kind == CORM_KIND_BOOLEAN ? value->as.boolean : value->as.integer;
        bind->buffer_type = MYSQL_TYPE_LONGLONG;
        bind->buffer = &room->integer;
        return CORM_OK;
    case CORM_KIND_FLOAT:
        if (!isfinite(value->as.real)) {
            return corm_error_set(CORM_PROGRAMMING_ERROR, "%s can not be used with MySQL",
                                  isnan(value->as.real) ? "nan"
                                  : value->as.real > 0  ? "inf"
                                                        : "-inf");
        }
        room->real = value->as.real;
        bind->buffer_type = MYSQL_TYPE_DOUBLE;
        bind->buffer = &room->real;
        return CORM_OK;
    case CORM_KIND_DECIMAL:
        if (!is_number(value->as.text.data, value->as.text.size)) {
            return refuse_number(value);
        }
        encode_bytes(bind, value, MYSQL_TYPE_NEWDECIMAL);
        return CORM_OK;
    case CORM_KIND_TEXT:
        if (value->form == CORM_FORM_INTERVAL) {
            return encode_interval(bind, room, value);
        }
        if (!corm_text_is_utf8(value->as.text.data, value->as.text.size)) {
            return corm_error_set(CORM_VALUE_ERROR, "parameter %zu is text that is not valid UTF-8", place);
        }
        encode_bytes(bind, value, MYSQL_TYPE_VAR_STRING);
        return CORM_OK;
    case CORM_KIND_BYTES:
        encode_bytes(bind, value, MYSQL_TYPE_BLOB);
        return CORM_OK;
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        if (!corm_datetime_is_valid(&value->as.datetime, (corm_kind)value->kind)) {
            return corm_datetime_refuse(&value->as.datetime, (corm_kind)value->kind);
        }
        encode_time(bind, room, value);
        return CORM_OK;
    default:
        return refuse(value, place);
    }
}

/* ---- the binary protocol ---- */

typedef struct reader {
    const unsigned char *at, *end;
} reader;

static uint64_t read_bytes(const unsigned char *at, size_t size) {
    uint64_t number = 0;
    memcpy(&number, at, size); /* both sides are little-endian, or it is turned below */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    return number;
}

static bool has(const reader *from, uint64_t size) {
    return size <= (uint64_t)(from->end - from->at);
}

static bool read_length(reader *from, uint64_t *out) {
    enum { TWO_BYTES = 252, THREE_BYTES = 253, EIGHT_BYTES = 254 };
    if (!has(from, 1)) {
        return false;
    }
    unsigned char first = *from->at++;
    if (first < 251) {
        *out = first;
        return true;
    }
    size_t size = first == TWO_BYTES ? 2 : first == THREE_BYTES ? 3 : first == EIGHT_BYTES ? 8 : 0;
    if (size == 0 || !has(from, size)) {
        return false;
    }
    *out = read_bytes(from->at, size);
    from->at += size;
    return true;
}

static void set_integer(corm_driver_statement *statement, size_t column, uint64_t number, corm_value *out) {
    if (number > INT64_MAX && (statement->fields[column].flags & UNSIGNED_FLAG)) {
        int size = snprintf(statement->digits[column], CORM_MYSQL_DIGITS, "%llu", (unsigned long long)number);
        *out = corm_value_bytes(CORM_KIND_DECIMAL, statement->digits[column], (size_t)size);
        out->form = CORM_FORM_INTEGER;
    } else {
        *out = corm_value_integer((int64_t)number);
    }
}

static bool read_integer(corm_driver_statement *statement, size_t column, reader *from, size_t size, corm_value *out) {
    if (!has(from, size)) {
        return false;
    }
    uint64_t number = read_bytes(from->at, size);
    from->at += size;
    if (!(statement->fields[column].flags & UNSIGNED_FLAG) && size < sizeof number) {
        unsigned unused = (unsigned)(sizeof number - size) * 8;
        number = (uint64_t)((int64_t)(number << unused) >> unused);
    }
    set_integer(statement, column, number, out);
    return true;
}

static double widen(float narrow) {
    char digits[32];
    for (int precision = FEWEST_FLOAT_DIGITS; precision <= MOST_FLOAT_DIGITS && isfinite(narrow); precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)narrow);
        if (strtof(digits, NULL) == narrow) {
            return strtod(digits, NULL);
        }
    }
    return narrow;
}

static bool read_real(reader *from, bool is_double, corm_value *out) {
    size_t size = is_double ? sizeof(double) : sizeof(float);
    if (!has(from, size)) {
        return false;
    }
    uint64_t bits = read_bytes(from->at, size);
    from->at += size;
    double real;
    if (is_double) {
        memcpy(&real, &bits, sizeof real);
    } else {
        uint32_t narrow_bits = (uint32_t)bits;
        float narrow;
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        real = widen(narrow);
    }
    *out = corm_value_float(real);
    return true;
}

static void set_datetime(corm_kind kind, const corm_datetime *parts, corm_value *out) {
    *out = (corm_value){.kind = (uint8_t)kind};
    out->as.datetime = *parts;
    if (!corm_datetime_is_valid(parts, kind)) {
        *out = CORM_NULL_VALUE; /* zero dates, or a server that lies */
    }
}

/* Length 0, 4, 7 or 11: what is left out is zero. */
static bool read_datetime(reader *from, corm_kind kind, corm_value *out) {
    enum { DAY = 4, SECOND = 7, MICROSECOND = 11 };
    corm_datetime parts = {0};
    if (!has(from, 1)) {
        return false;
    }
    size_t size = *from->at++;
    const unsigned char *at = from->at;
    if (!has(from, size) || (size != 0 && size != DAY && size != SECOND && size != MICROSECOND)) {
        return false;
    }
    from->at += size;
    if (size >= DAY) {
        parts.year = (int16_t)read_bytes(at, 2);
        parts.month = at[2];
        parts.day = at[3];
    }
    if (size >= SECOND && kind == CORM_KIND_DATETIME) {
        parts.hour = at[4];
        parts.minute = at[5];
        parts.second = at[6];
    }
    if (size >= MICROSECOND && kind == CORM_KIND_DATETIME) {
        parts.microsecond = (int32_t)read_bytes(at + SECOND, 4);
    }
    set_datetime(kind, &parts, out);
    return true;
}

static void set_time(corm_driver_statement *statement, size_t column, bool negative, uint64_t hours,
                     const corm_datetime *rest, corm_value *out) {
    corm_datetime parts = *rest;
    parts.hour = (uint8_t)(hours % HOURS_OF_DAY);
    if (!negative && hours < HOURS_OF_DAY) {
        set_datetime(CORM_KIND_TIME, &parts, out);
        return;
    }
    char *room = statement->digits[column];
    int size = snprintf(room, CORM_MYSQL_DIGITS, "%s%02u:%02u:%02u", negative ? "-" : "",
                        (unsigned)(hours > UINT16_MAX ? UINT16_MAX : hours), parts.minute, parts.second);
    if (parts.microsecond > 0 && size + MICROSECOND_DIGITS + 1 < CORM_MYSQL_DIGITS) {
        size +=
            snprintf(room + size, CORM_MYSQL_DIGITS - (size_t)size, ".%06u", (unsigned)parts.microsecond % 1000000u);
    }
    *out = corm_value_form(CORM_FORM_INTERVAL, room, (size_t)size);
}

/* Length 0, 8 or 12: sign, days, hours, minutes, seconds, microseconds. */
static bool read_time(corm_driver_statement *statement, size_t column, reader *from, corm_value *out) {
    enum { SECOND = 8, MICROSECOND = 12 };
    corm_datetime parts = {0};
    if (!has(from, 1)) {
        return false;
    }
    size_t size = *from->at++;
    const unsigned char *at = from->at;
    if (!has(from, size) || (size != 0 && size != SECOND && size != MICROSECOND)) {
        return false;
    }
    from->at += size;
    bool negative = size >= SECOND && at[0] != 0;
    uint64_t hours = size >= SECOND ? read_bytes(at + 1, 4) * HOURS_OF_DAY + at[5] : 0;
    if (size >= SECOND) {
        parts.minute = at[6];
        parts.second = at[7];
    }
    if (size >= MICROSECOND) {
        parts.microsecond = (int32_t)read_bytes(at + SECOND, 4);
    }
    set_time(statement, column, negative, hours, &parts, out);
    return true;
}

static corm_kind kind_of(const MYSQL_FIELD *field) {
    switch (field->type) {
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
        return CORM_KIND_DECIMAL;
    case MYSQL_TYPE_JSON:
        return CORM_KIND_TEXT;
    case MYSQL_TYPE_BIT:
    case MYSQL_TYPE_GEOMETRY:
        return CORM_KIND_BYTES;
    default:
        return field->charsetnr == BINARY_CHARSET ? CORM_KIND_BYTES : CORM_KIND_TEXT;
    }
}

static bool read_value(corm_driver_statement *statement, size_t column, reader *from, corm_value *out) {
    const MYSQL_FIELD *field = &statement->fields[column];
    uint64_t size;
    switch (field->type) {
    case MYSQL_TYPE_TINY:
        return read_integer(statement, column, from, 1, out);
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
        return read_integer(statement, column, from, 2, out);
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
        return read_integer(statement, column, from, 4, out);
    case MYSQL_TYPE_LONGLONG:
        return read_integer(statement, column, from, 8, out);
    case MYSQL_TYPE_FLOAT:
        return read_real(from, false, out);
    case MYSQL_TYPE_DOUBLE:
        return read_real(from, true, out);
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
        return read_datetime(from, CORM_KIND_DATE, out);
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return read_datetime(from, CORM_KIND_DATETIME, out);
    case MYSQL_TYPE_TIME:
        return read_time(statement, column, from, out);
    case MYSQL_TYPE_NULL:
        *out = CORM_NULL_VALUE;
        return true;
    default:
        if (!read_length(from, &size) || !has(from, size)) {
            return false;
        }
        *out = corm_value_bytes(kind_of(field), (const char *)from->at, (size_t)size);
        from->at += size;
        return out->kind != CORM_KIND_DECIMAL || is_number(out->as.text.data, out->as.text.size);
    }
}

static corm_status say_malformed(corm_driver_statement *statement) {
    corm_mysql_break(statement->connection);
    return corm_error_set(CORM_INTERNAL_ERROR, "the server sent a row that cannot be read");
}

corm_status corm_mysql_decode_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    /* A status byte, then a bit for each column that is NULL, of which the first two are not used. */
    enum { UNUSED_BITS = 2 };
    size_t nulls = (statement->columns + UNUSED_BITS + 7) / 8;
    reader from = {statement->row, statement->row + statement->row_size};
    if (!has(&from, 1 + nulls)) {
        return say_malformed(statement);
    }
    const unsigned char *bits = from.at + 1;
    from.at += 1 + nulls;
    for (size_t i = 0; i < count; i++) {
        size_t bit = i + UNUSED_BITS;
        if (bits[bit / 8] >> (bit % 8) & 1) {
            values[i] = CORM_NULL_VALUE;
        } else if (!read_value(statement, i, &from, &values[i])) {
            return say_malformed(statement);
        }
    }
    return CORM_OK;
}

/* ---- rows in text ---- */

/* "[-]hours:minutes:seconds[.microseconds]"; the text has a NUL behind it. */
static void read_text_time(corm_driver_statement *statement, size_t column, const char *text, corm_value *out) {
    bool negative = *text == '-';
    unsigned hours = 0, minute = 0, second = 0, fraction = 0;
    int digits = 0, end = 0;
    sscanf(text + negative, "%4u:%2u:%2u%n.%6u%n", &hours, &minute, &second, &digits, &fraction, &end);
    for (int i = end - digits - 1; end > 0 && i < MICROSECOND_DIGITS; i++) {
        fraction *= 10;
    }
    corm_datetime parts = {.minute = (uint8_t)minute, .second = (uint8_t)second, .microsecond = (int32_t)fraction};
    set_time(statement, column, negative, hours, &parts, out);
}

static void read_text(corm_driver_statement *statement, size_t column, const char *text, size_t size, corm_value *out) {
    const MYSQL_FIELD *field = &statement->fields[column];
    switch (field->type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONGLONG:
        set_integer(statement, column,
                    field->flags & UNSIGNED_FLAG ? strtoull(text, NULL, 10) : (uint64_t)strtoll(text, NULL, 10), out);
        return;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
        *out = corm_value_float(strtod(text, NULL));
        return;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: {
        bool day = field->type == MYSQL_TYPE_DATE || field->type == MYSQL_TYPE_NEWDATE;
        if (corm_datetime_parse(day ? CORM_KIND_DATE : CORM_KIND_DATETIME, text, size, out) != CORM_OK) {
            corm_error_clear();
            *out = CORM_NULL_VALUE;
        }
        return;
    }
    case MYSQL_TYPE_TIME:
        read_text_time(statement, column, text, out);
        return;
    default:
        *out = corm_value_bytes(kind_of(field), text, size);
    }
}

corm_status corm_mysql_decode_text_row(corm_driver_statement *statement, corm_value *values, size_t count) {
    const unsigned long *lengths = mysql_fetch_lengths(statement->result);
    for (size_t i = 0; i < count; i++) {
        const char *text = statement->text_row[i];
        if (text == NULL) {
            values[i] = CORM_NULL_VALUE;
        } else {
            read_text(statement, i, text, lengths[i], &values[i]);
        }
        if (values[i].kind == CORM_KIND_DECIMAL && !is_number(values[i].as.text.data, values[i].as.text.size)) {
            return say_malformed(statement);
        }
    }
    return CORM_OK;
}
