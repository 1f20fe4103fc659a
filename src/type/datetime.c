/*
 * Dates and times in ISO 8601's forms: see datetime.h.
 *
 * Day numbers count from 0001-01-01 as day 1 in the proleptic Gregorian calendar, as Python's date.toordinal(). The
 * arithmetic is Howard Hinnant's "chrono-compatible low-level date algorithms" (days_from_civil, civil_from_days).
 */
#include "type/datetime.h"

static bool is_leap(int year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static const int32_t day_seconds = 24 * 60 * 60;

bool corm_datetime_is_valid(const corm_datetime *datetime, corm_kind kind) {
    bool date = datetime->year >= 1 && datetime->year <= 9999 && datetime->month >= 1 && datetime->month <= 12 &&
                datetime->day >= 1 && datetime->day <= days_in_month(datetime->year, datetime->month);
    bool time = datetime->hour <= 23 && datetime->minute <= 59 && datetime->second <= 59 &&
                datetime->microsecond >= 0 && datetime->microsecond <= 999999 &&
                (!datetime->has_offset || (datetime->offset > -day_seconds && datetime->offset < day_seconds));
    return (kind == CORM_KIND_TIME || date) && (kind == CORM_KIND_DATE || time);
}

corm_status corm_datetime_refuse(const corm_datetime *datetime, corm_kind kind) {
    return corm_error_set(CORM_STATEMENT_ERROR,
                          "There is no such %s: year %d, month %d, day %d, time %d:%02d:%02d, microsecond %d",
                          corm_kind_name(kind), datetime->year, datetime->month, datetime->day, datetime->hour,
                          datetime->minute, datetime->second, datetime->microsecond);
}

int64_t corm_datetime_ordinal(const corm_datetime *datetime) {
    int64_t year = datetime->year - (datetime->month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t shifted = datetime->month + (datetime->month > 2 ? -3 : 9);
    int64_t of_year = (153 * shifted + 2) / 5 + datetime->day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 305;
}

void corm_datetime_from_ordinal(int64_t ordinal, corm_datetime *out) {
    int64_t day = ordinal + 305;
    int64_t era = (day >= 0 ? day : day - 146096) / 146097;
    int64_t of_era = day - era * 146097;
    int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    out->day = (uint8_t)(of_year - (153 * shifted + 2) / 5 + 1);
    out->month = (uint8_t)(shifted < 10 ? shifted + 3 : shifted - 9);
    out->year = (int16_t)(year_of_era + era * 400 + (out->month <= 2));
}

/* ---- parsing ---- */

typedef struct reader {
    const char *at, *end;
} reader;

static bool take(reader *cursor, char expected) {
    if (cursor->at < cursor->end && *cursor->at == expected) {
        cursor->at++;
        return true;
    }
    return false;
}

/* Exactly `digits` digits. */
static bool number(reader *cursor, int digits, int *out) {
    *out = 0;
    for (int i = 0; i < digits; i++) {
        if (cursor->at == cursor->end || *cursor->at < '0' || *cursor->at > '9') {
            return false;
        }
        *out = *out * 10 + (*cursor->at++ - '0');
    }
    return true;
}

static bool parse_date(reader *cursor, corm_datetime *out) {
    int year, month, day;
    if (!number(cursor, 4, &year) || !take(cursor, '-') || !number(cursor, 2, &month) || !take(cursor, '-') ||
        !number(cursor, 2, &day)) {
        return false;
    }
    out->year = (int16_t)year;
    out->month = (uint8_t)month;
    out->day = (uint8_t)day;
    return true;
}

/* Up to six digits of a fraction; further ones are cut off. */
static void parse_fraction(reader *cursor, corm_datetime *out) {
    int32_t scale = 100000;
    out->microsecond = 0;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        out->microsecond += (*cursor->at++ - '0') * scale;
        scale /= 10;
    }
}

static bool parse_offset(reader *cursor, corm_datetime *out) {
    if (take(cursor, 'Z')) {
        out->has_offset = true;
        return true;
    }
    int sign = take(cursor, '+') ? 1 : take(cursor, '-') ? -1 : 0;
    int hours, minutes = 0, seconds = 0;
    if (sign == 0) {
        return true;
    }
    if (!number(cursor, 2, &hours)) {
        return false;
    }
    if (cursor->at < cursor->end) {
        take(cursor, ':');
        if (!number(cursor, 2, &minutes) || (take(cursor, ':') && !number(cursor, 2, &seconds))) {
            return false;
        }
    }
    out->has_offset = true;
    out->offset = sign * ((hours * 60 + minutes) * 60 + seconds);
    return true;
}

static bool parse_time(reader *cursor, corm_datetime *out) {
    int hour, minute, second = 0;
    if (!number(cursor, 2, &hour) || !take(cursor, ':') || !number(cursor, 2, &minute) ||
        (take(cursor, ':') && !number(cursor, 2, &second))) {
        return false;
    }
    out->hour = (uint8_t)hour;
    out->minute = (uint8_t)minute;
    out->second = (uint8_t)second;
    if (take(cursor, '.')) {
        parse_fraction(cursor, out);
    }
    return parse_offset(cursor, out);
}

corm_status corm_datetime_parse(corm_kind kind, const char *text, size_t size, corm_value *out) {
    reader cursor = {text, text + size};
    corm_datetime parsed = {0};
    bool good = kind == CORM_KIND_TIME || parse_date(&cursor, &parsed);
    if (good && kind == CORM_KIND_DATETIME && cursor.at < cursor.end) {
        good = (take(&cursor, ' ') || take(&cursor, 'T')) && parse_time(&cursor, &parsed);
    } else if (good && kind == CORM_KIND_TIME) {
        good = parse_time(&cursor, &parsed);
    }
    if (!good || cursor.at != cursor.end || !corm_datetime_is_valid(&parsed, kind)) {
        *out = CORM_ABSENT_VALUE;
        return corm_error_set(CORM_VALUE_ERROR, "'%.*s' is no valid %s", (int)(size > 64 ? 64 : size), text,
                              corm_kind_name(kind));
    }
    *out = (corm_value){.kind = (uint8_t)kind};
    out->as.datetime = parsed;
    return CORM_OK;
}

/* ---- printing ---- */

static char *put(char *at, int value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + digits;
}

static char *put_offset(char *at, int32_t offset) {
    int32_t seconds = offset < 0 ? -offset : offset;
    *at++ = offset < 0 ? '-' : '+';
    at = put(at, seconds / 3600, 2);
    *at++ = ':';
    at = put(at, seconds / 60 % 60, 2);
    if (seconds % 60 != 0) {
        *at++ = ':';
        at = put(at, seconds % 60, 2);
    }
    return at;
}

size_t corm_datetime_format(corm_kind kind, const corm_datetime *datetime, char separator, bool always_micro,
                            char *buffer) {
    char *at = buffer;
    if (kind != CORM_KIND_TIME) {
        at = put(at, datetime->year, 4);
        *at++ = '-';
        at = put(at, datetime->month, 2);
        *at++ = '-';
        at = put(at, datetime->day, 2);
    }
    if (kind == CORM_KIND_DATETIME) {
        *at++ = separator;
    }
    if (kind != CORM_KIND_DATE) {
        at = put(at, datetime->hour, 2);
        *at++ = ':';
        at = put(at, datetime->minute, 2);
        *at++ = ':';
        at = put(at, datetime->second, 2);
        if (always_micro || datetime->microsecond != 0) {
            *at++ = '.';
            at = put(at, datetime->microsecond, 6);
        }
        if (datetime->has_offset) {
            at = put_offset(at, datetime->offset);
        }
    }
    return (size_t)(at - buffer);
}
