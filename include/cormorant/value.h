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

/*
 * What a TEXT from a database stands for, where the database has a type for it and the value is not of a kind of its own:
 * the text is as the database writes it ("2001:db8::/32", "{1,2,NULL}", "[1,10)"). A leaf, with flags of what it stands in.
 */
typedef enum corm_form {
    CORM_FORM_TEXT = 0, /* plain text */
    CORM_FORM_BOOLEAN,  /* of items: t or f */
    CORM_FORM_INTEGER,
    CORM_FORM_FLOAT,
    CORM_FORM_DECIMAL,
    CORM_FORM_BYTES, /* \x and hexadecimal digits */
    CORM_FORM_DATE,
    CORM_FORM_TIME,
    CORM_FORM_DATETIME,
    CORM_FORM_INTERVAL, /* "1 year 2 mons -3 days 04:05:06.789" */
    CORM_FORM_UUID,
    CORM_FORM_JSON,
    CORM_FORM_ADDRESS, /* of a host, perhaps with the size of its network */
    CORM_FORM_NETWORK,
    CORM_FORM_RANGE = 0x20,      /* of a leaf: "[1,10)" */
    CORM_FORM_MULTIRANGE = 0x40, /* of a leaf: "{[1,10),[20,30)}" */
    CORM_FORM_ARRAY = 0x80       /* of a leaf or a range: "{1,2,NULL}", nested for more dimensions */
} corm_form;
enum { CORM_FORM_LEAF = 0x1F };

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
    uint8_t form; /* of a text: a corm_form */
    bool stored;  /* it is as the database has it: the host converts it no more when it is sent */
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
