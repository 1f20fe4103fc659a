/* Spans of time as databases have them: months, days and a time, none of which is made another's part. */
#ifndef CORM_TYPE_INTERVAL_H
#define CORM_TYPE_INTERVAL_H

#include "base/text.h"

typedef struct corm_interval {
    int64_t microseconds;
    int64_t days;
    int64_t months;
} corm_interval;

/* Parse "1 year 2 mons -3 days 04:05:06.789", "-00:00:01", "3 days"; also the ISO form "P1Y2M-3DT4H5M6.7S".
 * CORM_VALUE_ERROR names the text. */
corm_status corm_interval_parse(const char *text, size_t size, corm_interval *out);

/* Print in the first form; returns the size written (no NUL). buffer has CORM_INTERVAL_MAX bytes. */
#define CORM_INTERVAL_MAX 128
size_t corm_interval_format(const corm_interval *interval, char *buffer);

#endif
