/* Dates and times: what is parsed and printed is parsed to the same, and is a date that there is. */
#include "fuzz.h"

#include "type/datetime.h"

const char *const fuzz_seeds[] = {
    "2024-02-29",           "23:59:59.999999", "2024-02-29 12:34:56.789", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z", "12:34",           "1999-12-31 00:00-05:30",  NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const corm_kind kinds[] = {CORM_KIND_DATE, CORM_KIND_TIME, CORM_KIND_DATETIME};
    for (size_t i = 0; i < 3; i++) {
        corm_value parsed, again;
        if (corm_datetime_parse(kinds[i], (const char *)data, size, &parsed) != CORM_OK) {
            must(parsed.kind == CORM_KIND_ABSENT);
            continue;
        }
        must(parsed.kind == kinds[i] && corm_datetime_is_valid(&parsed.as.datetime, kinds[i]));
        char room[CORM_DATETIME_MAX];
        for (int form = 0; form < 4; form++) {
            size_t printed = corm_datetime_format(kinds[i], &parsed.as.datetime, form & 1 ? 'T' : ' ', form & 2, room);
            must(printed <= sizeof room);
            must(corm_datetime_parse(kinds[i], room, printed, &again) == CORM_OK && corm_value_equal(&parsed, &again));
        }
        if (kinds[i] != CORM_KIND_TIME) {
            corm_datetime day = parsed.as.datetime;
            corm_datetime_from_ordinal(corm_datetime_ordinal(&parsed.as.datetime), &day);
            must(day.year == parsed.as.datetime.year && day.month == parsed.as.datetime.month &&
                 day.day == parsed.as.datetime.day);
        }
    }
    corm_error_clear();
    return 0;
}
