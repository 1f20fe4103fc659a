/* Spans of time as texts: see interval.h. Numbers are added up with checks; a text that is none is named by the error. */
#include "type/interval.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t second = 1000000;

typedef struct reader {
    const char *at, *end;
} reader;

static bool is_digit(const reader *text) {
    return text->at < text->end && *text->at >= '0' && *text->at <= '9';
}

static bool take(reader *text, char expected) {
    bool there = text->at < text->end && *text->at == expected;
    text->at += there;
    return there;
}

static bool read_digits(reader *text, int64_t *out) {
    *out = 0;
    if (!is_digit(text)) {
        return false;
    }
    while (is_digit(text)) {
        if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *text->at - '0', out)) {
            return false;
        }
        text->at++;
    }
    return true;
}

/* ".789": six digits, further ones are cut off. */
static int64_t read_fraction(reader *text) {
    int64_t fraction = 0, unit = second / 10;
    if (!take(text, '.')) {
        return 0;
    }
    for (; is_digit(text); text->at++, unit /= 10) {
        fraction += (*text->at - '0') * unit;
    }
    return fraction;
}

/* out += sign * number * unit */
static bool add(int64_t *out, int64_t number, int64_t unit, bool negative) {
    int64_t product;
    return !__builtin_mul_overflow(number, unit, &product) &&
           !(negative ? __builtin_sub_overflow(*out, product, out) : __builtin_add_overflow(*out, product, out));
}

/* ":05:06.789" behind the hours. */
static bool read_clock(reader *text, int64_t hours, bool negative, corm_interval *out) {
    int64_t minutes, seconds = 0;
    if (!take(text, ':') || !read_digits(text, &minutes) || (take(text, ':') && !read_digits(text, &seconds))) {
        return false;
    }
    return add(&out->microseconds, hours, 3600 * second, negative) &&
           add(&out->microseconds, minutes, 60 * second, negative) &&
           add(&out->microseconds, seconds, second, negative) &&
           add(&out->microseconds, read_fraction(text), 1, negative);
}

static bool word_is(const char *word, size_t size, const char *singular) {
    size_t length = strlen(singular);
    return (size == length || (size == length + 1 && word[length] == 's')) && memcmp(word, singular, length) == 0;
}

/* "3 days" behind its number. */
static bool read_unit(reader *text, int64_t number, bool negative, corm_interval *out) {
    while (take(text, ' ')) {
    }
    const char *word = text->at;
    while (text->at < text->end && *text->at >= 'a' && *text->at <= 'z') {
        text->at++;
    }
    size_t size = (size_t)(text->at - word);
    if (size == 0) {
        return false;
    }
    if (word_is(word, size, "year")) {
        return add(&out->months, number, 12, negative);
    }
    if (word_is(word, size, "mon")) {
        return add(&out->months, number, 1, negative);
    }
    return word_is(word, size, "day") && add(&out->days, number, 1, negative);
}

static bool read_words(reader *text, corm_interval *out) {
    bool any = false;
    while (text->at < text->end) {
        int64_t number;
        if (take(text, ' ')) {
            continue;
        }
        bool negative = take(text, '-');
        if (!negative) {
            take(text, '+');
        }
        if (!read_digits(text, &number)) {
            return false;
        }
        bool clock = text->at < text->end && *text->at == ':';
        if (!(clock ? read_clock(text, number, negative, out) : read_unit(text, number, negative, out))) {
            return false;
        }
        any = true;
    }
    return any;
}

static bool add_iso(char letter, bool time, int64_t number, int64_t fraction, bool negative, corm_interval *out) {
    switch (letter) {
    case 'Y':
        return add(&out->months, number, 12, negative);
    case 'M':
        return time ? add(&out->microseconds, number, 60 * second, negative) : add(&out->months, number, 1, negative);
    case 'D':
        return add(&out->days, number, 1, negative);
    case 'H':
        return add(&out->microseconds, number, 3600 * second, negative);
    case 'S':
        return add(&out->microseconds, number, second, negative) && add(&out->microseconds, fraction, 1, negative);
    default:
        return false;
    }
}

static bool read_iso(reader *text, corm_interval *out) {
    bool time = false, any = false;
    while (text->at < text->end) {
        int64_t number;
        if (!time && take(text, 'T')) {
            time = true;
            continue;
        }
        bool negative = take(text, '-');
        if (!read_digits(text, &number)) {
            return false;
        }
        int64_t fraction = read_fraction(text);
        if (text->at == text->end || !add_iso(*text->at++, time, number, fraction, negative, out)) {
            return false;
        }
        any = true;
    }
    return any;
}

corm_status corm_interval_parse(const char *text, size_t size, corm_interval *out) {
    reader read = {text, text + size};
    *out = (corm_interval){0};
    if (take(&read, 'P') ? read_iso(&read, out) : read_words(&read, out)) {
        return CORM_OK;
    }
    return corm_error_set(CORM_VALUE_ERROR, "'%.*s' is no interval", (int)(size > 64 ? 64 : size), text);
}

size_t corm_interval_format(const corm_interval *interval, char *buffer) {
    int size = 0;
    uint64_t rest = interval->microseconds < 0 ? -(uint64_t)interval->microseconds : (uint64_t)interval->microseconds;
    int64_t years = interval->months / 12, months = interval->months % 12;
    if (years != 0) {
        size += snprintf(buffer + size, (size_t)(CORM_INTERVAL_MAX - size), "%" PRId64 " year%s ", years,
                         years == 1 ? "" : "s");
    }
    if (months != 0) {
        size += snprintf(buffer + size, (size_t)(CORM_INTERVAL_MAX - size), "%" PRId64 " mon%s ", months,
                         months == 1 ? "" : "s");
    }
    if (interval->days != 0) {
        size += snprintf(buffer + size, (size_t)(CORM_INTERVAL_MAX - size), "%" PRId64 " day%s ", interval->days,
                         interval->days == 1 ? "" : "s");
    }
    if (rest == 0 && size > 0) {
        return (size_t)size - 1;
    }
    uint64_t seconds = rest / (uint64_t)second, fraction = rest % (uint64_t)second;
    size += snprintf(buffer + size, (size_t)(CORM_INTERVAL_MAX - size), "%s%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                     interval->microseconds < 0 ? "-" : "", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (fraction != 0) {
        size += snprintf(buffer + size, (size_t)(CORM_INTERVAL_MAX - size), ".%06" PRIu64, fraction);
        while (buffer[size - 1] == '0') {
            size--;
        }
    }
    return (size_t)size;
}
