/*
 * What the texts of PostgreSQL's types stand for: see corm_form. Types are known by their numbers in the catalogue, which
 * never change; those of extensions and of users (hstore, enumerations) have no number of their own and stay plain texts.
 */
#include "driver/postgresql_private.h"

typedef struct known_type {
    Oid type;
    uint8_t form;
} known_type;

#define RANGES(range, range_array, multirange, multirange_array, leaf)                                                 \
    {range, CORM_FORM_RANGE | (leaf)}, {range_array, CORM_FORM_ARRAY | CORM_FORM_RANGE | (leaf)},                      \
        {multirange, CORM_FORM_MULTIRANGE | (leaf)}, {                                                                 \
        multirange_array, CORM_FORM_ARRAY | CORM_FORM_MULTIRANGE | (leaf)                                              \
    }

static const known_type known[] = {
    {OID_JSON, CORM_FORM_JSON},
    {199, CORM_FORM_ARRAY | CORM_FORM_JSON}, /* json[] */
    {OID_JSONB, CORM_FORM_JSON},
    {3807, CORM_FORM_ARRAY | CORM_FORM_JSON}, /* jsonb[] */
    {OID_UUID, CORM_FORM_UUID},
    {2951, CORM_FORM_ARRAY | CORM_FORM_UUID},
    {OID_INTERVAL, CORM_FORM_INTERVAL},
    {1187, CORM_FORM_ARRAY | CORM_FORM_INTERVAL},
    {OID_INET, CORM_FORM_ADDRESS},
    {1041, CORM_FORM_ARRAY | CORM_FORM_ADDRESS},
    {OID_CIDR, CORM_FORM_NETWORK},
    {651, CORM_FORM_ARRAY | CORM_FORM_NETWORK},
    {1000, CORM_FORM_ARRAY | CORM_FORM_BOOLEAN},
    {1001, CORM_FORM_ARRAY | CORM_FORM_BYTES},
    {1005, CORM_FORM_ARRAY | CORM_FORM_INTEGER}, /* int2[] */
    {OID_INT4_ARRAY, CORM_FORM_ARRAY | CORM_FORM_INTEGER},
    {1016, CORM_FORM_ARRAY | CORM_FORM_INTEGER}, /* int8[] */
    {1028, CORM_FORM_ARRAY | CORM_FORM_INTEGER}, /* oid[] */
    {1022, CORM_FORM_ARRAY | CORM_FORM_FLOAT},   /* float8[] */
    {1021, CORM_FORM_ARRAY | CORM_FORM_FLOAT},   /* float4[] */
    {1231, CORM_FORM_ARRAY | CORM_FORM_DECIMAL},
    {1002, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* "char"[] */
    {1003, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* name[] */
    {OID_TEXT_ARRAY, CORM_FORM_ARRAY | CORM_FORM_TEXT},
    {1014, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* bpchar[] */
    {1015, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* varchar[] */
    {143, CORM_FORM_ARRAY | CORM_FORM_TEXT},  /* xml[] */
    {791, CORM_FORM_ARRAY | CORM_FORM_TEXT},  /* money[] */
    {1040, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* macaddr[] */
    {775, CORM_FORM_ARRAY | CORM_FORM_TEXT},  /* macaddr8[] */
    {1561, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* bit[] */
    {1563, CORM_FORM_ARRAY | CORM_FORM_TEXT}, /* varbit[] */
    {1182, CORM_FORM_ARRAY | CORM_FORM_DATE},
    {1183, CORM_FORM_ARRAY | CORM_FORM_TIME},
    {1270, CORM_FORM_ARRAY | CORM_FORM_TIME},          /* timetz[] */
    {1115, CORM_FORM_ARRAY | CORM_FORM_DATETIME},      /* timestamp[] */
    {1185, CORM_FORM_ARRAY | CORM_FORM_DATETIME},      /* timestamptz[] */
    RANGES(3904, 3905, 4451, 6150, CORM_FORM_INTEGER), /* int4range */
    RANGES(3906, 3907, 4532, 6151, CORM_FORM_DECIMAL),
    RANGES(3908, 3909, 4533, 6152, CORM_FORM_DATETIME), /* tsrange */
    RANGES(3910, 3911, 4534, 6153, CORM_FORM_DATETIME), /* tstzrange */
    RANGES(3912, 3913, 4535, 6155, CORM_FORM_DATE),
    RANGES(3926, 3927, 4536, 6157, CORM_FORM_INTEGER), /* int8range */
};

unsigned corm_pg_form(Oid type) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].type == type) {
            return known[i].form;
        }
    }
    return CORM_FORM_TEXT;
}

/* Ranges are what the place wants: their ends alone do not say which they are. */
Oid corm_pg_type_of_form(unsigned form) {
    switch (form) {
    case CORM_FORM_UUID:
        return OID_UUID;
    case CORM_FORM_INTERVAL:
        return OID_INTERVAL;
    case CORM_FORM_ADDRESS:
        return OID_INET;
    case CORM_FORM_NETWORK:
        return OID_CIDR;
    case CORM_FORM_ARRAY | CORM_FORM_INTEGER:
        return OID_INT4_ARRAY;
    case CORM_FORM_ARRAY | CORM_FORM_TEXT:
        return 0; /* texts may be anything */
    default:
        break;
    }
    for (size_t i = 0; (form & CORM_FORM_ARRAY) != 0 && i < sizeof known / sizeof *known; i++) {
        if (known[i].form == form) {
            return known[i].type;
        }
    }
    return 0;
}
