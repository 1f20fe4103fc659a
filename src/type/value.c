/* Operations on tagged values: see value.h. */
#include "type/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "type/datetime.h"

static corm_value_host host;

void corm_value_host_set(const corm_value_host *functions) {
    host = functions == NULL ? (corm_value_host){0} : *functions;
}

static bool has_bytes(const corm_value *value) {
    return value->kind == CORM_KIND_TEXT || value->kind == CORM_KIND_BYTES || value->kind == CORM_KIND_DECIMAL;
}

corm_status corm_value_copy(const corm_value *value, corm_value *out) {
    *out = CORM_ABSENT_VALUE;
    if (has_bytes(value)) {
        char *data = corm_strndup(value->as.text.data == NULL ? "" : value->as.text.data, value->as.text.size);
        if (data == NULL) {
            return CORM_NO_MEMORY;
        }
        *out = corm_value_bytes((corm_kind)value->kind, data, value->as.text.size);
        out->form = value->form;
        out->stored = value->stored;
        out->owned = true;
        return CORM_OK;
    }
    *out = *value;
    out->owned = false;
    if (value->kind == CORM_KIND_HOST && host.retain != NULL) {
        host.retain(value->as.host);
        out->owned = true;
    }
    return CORM_OK;
}

void corm_value_clear(corm_value *value) {
    corm_value taken = *value;
    *value = CORM_ABSENT_VALUE;
    if (!taken.owned) {
        return;
    }
    if (has_bytes(&taken)) {
        corm_free((char *)taken.as.text.data);
    } else if (taken.kind == CORM_KIND_HOST && host.release != NULL) {
        host.release(taken.as.host);
    }
}

static bool is_integral(const corm_value *value) {
    return value->kind == CORM_KIND_INTEGER || value->kind == CORM_KIND_BOOLEAN;
}

static bool is_number(const corm_value *value) {
    return is_integral(value) || value->kind == CORM_KIND_FLOAT;
}

static int64_t integral(const corm_value *value) {
    return value->kind == CORM_KIND_BOOLEAN ? value->as.boolean : value->as.integer;
}

/* 2^63 as a double: the first that is no int64_t. */
static const double beyond_integers = 9223372036854775808.0;

/* Exact comparison of an integer with a double, without rounding the integer; NaN counts as greatest. */
static int compare_mixed(int64_t integer, double real) {
    if (isnan(real) || real >= beyond_integers) {
        return -1;
    }
    if (real < -beyond_integers) {
        return 1;
    }
    int64_t whole = (int64_t)real;
    if (integer != whole) {
        return integer < whole ? -1 : 1;
    }
    double rest = real - (double)whole;
    return rest > 0 ? -1 : rest < 0;
}

static int compare_reals(double left, double right) {
    if (isnan(left) || isnan(right)) {
        return isnan(left) && isnan(right) ? 0 : isnan(left) ? 1 : -1;
    }
    return left < right ? -1 : left > right;
}

static int compare_numbers(const corm_value *left, const corm_value *right) {
    bool left_real = left->kind == CORM_KIND_FLOAT, right_real = right->kind == CORM_KIND_FLOAT;
    if (left_real && right_real) {
        return compare_reals(left->as.real, right->as.real);
    }
    if (left_real) {
        return -compare_mixed(integral(right), left->as.real);
    }
    if (right_real) {
        return compare_mixed(integral(left), right->as.real);
    }
    return integral(left) < integral(right) ? -1 : integral(left) > integral(right);
}

static int compare_bytes(const corm_value *left, const corm_value *right) {
    size_t a = left->as.text.size, b = right->as.text.size, shorter = a < b ? a : b;
    int order = shorter == 0 ? 0 : memcmp(left->as.text.data, right->as.text.data, shorter);
    return order != 0 ? order : a < b ? -1 : a > b;
}

static int compare_datetimes(const corm_datetime *a, const corm_datetime *b) {
    const int64_t left[] = {a->year,   a->month,       a->day,        a->hour,  a->minute,
                            a->second, a->microsecond, a->has_offset, a->offset};
    const int64_t right[] = {b->year,   b->month,       b->day,        b->hour,  b->minute,
                             b->second, b->microsecond, b->has_offset, b->offset};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        if (left[i] != right[i]) {
            return left[i] < right[i] ? -1 : 1;
        }
    }
    return 0;
}

static int rank(const corm_value *value) {
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
        return 0;
    case CORM_KIND_NULL:
        return 1;
    case CORM_KIND_BOOLEAN:
    case CORM_KIND_INTEGER:
    case CORM_KIND_FLOAT:
        return 2;
    case CORM_KIND_DECIMAL:
        return 3;
    case CORM_KIND_TEXT:
        return 4;
    case CORM_KIND_BYTES:
        return 5;
    case CORM_KIND_DATE:
        return 6;
    case CORM_KIND_TIME:
        return 7;
    case CORM_KIND_DATETIME:
        return 8;
    case CORM_KIND_HOST:
        return 9;
    }
    return 10;
}

int corm_value_compare(const corm_value *left, const corm_value *right) {
    int order = rank(left) - rank(right);
    if (order != 0) {
        return order;
    }
    if (is_number(left)) {
        return compare_numbers(left, right);
    }
    if (has_bytes(left)) {
        return compare_bytes(left, right);
    }
    switch ((corm_kind)left->kind) {
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        return compare_datetimes(&left->as.datetime, &right->as.datetime);
    case CORM_KIND_HOST:
        return (uintptr_t)left->as.host < (uintptr_t)right->as.host ? -1 : left->as.host != right->as.host;
    default:
        return 0;
    }
}

bool corm_value_equal(const corm_value *left, const corm_value *right) {
    if (left->kind == CORM_KIND_HOST && right->kind == CORM_KIND_HOST) {
        return left->as.host == right->as.host || (host.equal != NULL && host.equal(left->as.host, right->as.host));
    }
    return rank(left) == rank(right) && corm_value_compare(left, right) == 0;
}

uint64_t corm_value_hash(const corm_value *value) {
    if (is_integral(value)) {
        return corm_hash_mix(2, (uint64_t)integral(value));
    }
    switch ((corm_kind)value->kind) {
    case CORM_KIND_FLOAT: {
        double real = value->as.real;
        if (real >= -beyond_integers && real < beyond_integers && real == (double)(int64_t)real) {
            return corm_hash_mix(2, (uint64_t)(int64_t)real);
        }
        uint64_t bits = 0;
        if (!isnan(real)) {
            memcpy(&bits, &real, sizeof bits);
        }
        return corm_hash_mix(3, bits);
    }
    case CORM_KIND_TEXT:
    case CORM_KIND_BYTES:
    case CORM_KIND_DECIMAL:
        return corm_hash_mix((uint64_t)rank(value), corm_hash_bytes(value->as.text.data, value->as.text.size));
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME: {
        const corm_datetime *d = &value->as.datetime;
        uint64_t day = (uint64_t)corm_datetime_ordinal(d);
        uint64_t time = (((uint64_t)d->hour * 60 + d->minute) * 60 + d->second) * 1000000 + (uint64_t)d->microsecond;
        return corm_hash_mix(corm_hash_mix((uint64_t)rank(value), day), time);
    }
    case CORM_KIND_HOST:
        return host.hash != NULL ? host.hash(value->as.host) : (uint64_t)(uintptr_t)value->as.host;
    default:
        return (uint64_t)rank(value);
    }
}

static void describe_bytes(const corm_value *value, corm_text *out) {
    static const char digits[] = "0123456789abcdef";
    if (value->kind == CORM_KIND_BYTES) {
        corm_text_append_char(out, 'b');
    }
    corm_text_append_char(out, '\'');
    for (size_t i = 0; i < value->as.text.size; i++) {
        unsigned char c = (unsigned char)value->as.text.data[i];
        if (c == '\'' || c == '\\') {
            corm_text_append_char(out, '\\');
            corm_text_append_char(out, (char)c);
        } else if (c == '\n') {
            corm_text_append(out, "\\n");
        } else if (c < ' ' || c == 0x7F || (c > 0x7F && value->kind == CORM_KIND_BYTES)) {
            char escape[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            corm_text_append_bytes(out, escape, sizeof escape);
        } else {
            corm_text_append_char(out, (char)c);
        }
    }
    corm_text_append_char(out, '\'');
}

static void describe_real(double real, corm_text *out) {
    char room[40];
    /* The shortest form that reads back as the same number. */
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(room, sizeof room, "%.*g", precision, real);
        double back = 0;
        if (sscanf(room, "%lf", &back) == 1 && back == real) {
            break;
        }
    }
    corm_text_append(out, room);
    if (isfinite(real) && strpbrk(room, ".e") == NULL) {
        corm_text_append(out, ".0");
    }
}

void corm_value_describe(const corm_value *value, corm_text *out) {
    char room[CORM_DATETIME_MAX];
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
    case CORM_KIND_NULL:
        corm_text_append(out, "None");
        break;
    case CORM_KIND_BOOLEAN:
        corm_text_append(out, value->as.boolean ? "True" : "False");
        break;
    case CORM_KIND_INTEGER:
        corm_text_append_format(out, "%" PRId64, value->as.integer);
        break;
    case CORM_KIND_FLOAT:
        describe_real(value->as.real, out);
        break;
    case CORM_KIND_TEXT:
    case CORM_KIND_BYTES:
        describe_bytes(value, out);
        break;
    case CORM_KIND_DECIMAL:
        corm_text_append_bytes(out, value->as.text.data, value->as.text.size);
        break;
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME: {
        size_t size = corm_datetime_format((corm_kind)value->kind, &value->as.datetime, ' ', false, room);
        corm_text_append_char(out, '\'');
        corm_text_append_bytes(out, room, size);
        corm_text_append_char(out, '\'');
        break;
    }
    case CORM_KIND_HOST:
        if (host.describe != NULL) {
            host.describe(value->as.host, out);
        } else {
            corm_text_append(out, "<object>");
        }
        break;
    }
}

const char *corm_kind_name(corm_kind kind) {
    static const char *const names[] = {"nothing", "NULL",    "boolean", "integer", "float",    "text",
                                        "bytes",   "decimal", "date",    "time",    "datetime", "object"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}
