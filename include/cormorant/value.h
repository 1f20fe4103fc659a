/*
 * A tagged value: what a column holds, what a parameter is bound to, what an attribute is set to.
 *
 * A value is small and copied freely. What it points to (text, bytes) is either borrowed, valid as
 * long as the giver says, or owned: corm_value_copy() makes an owned one and corm_value_clear() lets
 * go of it. A decoded row's values are borrowed until the next row.
 */
#ifndef CORMORANT_VALUE_H
#define CORMORANT_VALUE_H

#include <cormorant/common.h>
#include <cormorant/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum corm_kind {
    CORM_KIND_ABSENT = 0, /* no value at all: an attribute that is not loaded, a key not given */
    CORM_KIND_NULL,       /* SQL's NULL */
    CORM_KIND_BOOLEAN,
    CORM_KIND_INTEGER, /* 64 bits, signed */
    CORM_KIND_FLOAT,
    CORM_KIND_TEXT, /* UTF-8, any byte but may hold NUL; not zero-terminated in general */
    CORM_KIND_BYTES,
    CORM_KIND_DECIMAL, /* an exact decimal number in text, also integers beyond 64 bits */
    CORM_KIND_DATE,
    CORM_KIND_TIME,
    CORM_KIND_DATETIME,
    CORM_KIND_HOST /* an object of the host's language, not yet converted */
} corm_kind;

/* A point in time, a day, or a time of day; unused fields are 0. Proleptic Gregorian, years 1..9999. */
typedef struct corm_datetime {
    int16_t year;
    uint8_t month;  /* 1..12 */
    uint8_t day;    /* 1..31 */
    uint8_t hour;   /* 0..23 */
    uint8_t minute; /* 0..59 */
    uint8_t second; /* 0..59 */
    bool has_offset;
    int32_t microsecond; /* 0..999999 */
    int32_t offset;      /* seconds east of UTC, when has_offset */
} corm_datetime;

typedef struct corm_value {
    uint8_t kind; /* a corm_kind */
    bool owned;   /* text, bytes, decimal: freed by clear; host: a reference let go by clear */
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct {
            const char *data;
            size_t size;
        } text; /* text, bytes and decimal */
        corm_datetime datetime;
        void *host;
    } as;
} corm_value;

#define CORM_ABSENT_VALUE ((corm_value){0})
#define CORM_NULL_VALUE ((corm_value){.kind = CORM_KIND_NULL})

#ifdef __cplusplus
}
#endif
#endif
