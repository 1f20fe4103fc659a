/*
 * What the driver decodes of what a PostgreSQL server sends: columns of any type and any bytes are values or errors, within
 * their memory; and the SQL that it reads as far as it has to.
 *
 * The first byte says of which types two columns are and in which form, the second where the first one's bytes end.
 */
#include "fuzz.h"

#include "base/alloc.h"
#include "driver/postgresql_private.h"
#include "type/datetime.h"

const char *const fuzz_seeds[] = {
    "\x03\x04\x7f\xff\xff\xff",
    "\x05\x08\x01\x02\x03\x04\x05\x06\x07\x08",
    "\x17\x0e\xff\xff\x01\x01\x40\x01\x01\x05\x27\x0f\x12\x34",
    "\x19\x04\x01\x01\x1f\x2f",
    "\x1d\x0c\x01\x01\x1f\x2f\x01\x01\x1f\x2f\x80\x01\x01\x01",
    "\x23\x10\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
    "\x20\x1b"
    "2024-02-29 12:34:56.789+05:30",
    "\x0e\x08\\xdeadbeef",
    "\x16\x08-123.4567",
    "SELECT $1::INTEGER, E'\\'', $tag$ $2 $tag$, \"a\"\"b\" /* /* */ */ -- x",
    NULL,
};

static const Oid types[] = {OID_BOOL,   OID_INT4,  OID_INT8,      OID_INT2,        OID_OID,     OID_FLOAT4, OID_FLOAT8,
                            OID_BYTEA,  OID_JSONB, OID_TEXT,      OID_JSON,        OID_NUMERIC, OID_DATE,   OID_TIME,
                            OID_TIMETZ, OID_UUID,  OID_TIMESTAMP, OID_TIMESTAMPTZ, OID_INTERVAL};
enum { TYPES = sizeof types / sizeof *types };

/* A value that was given can be shown, and is one that there is. */
static void check(const corm_value *value) {
    corm_text shown = CORM_TEXT_EMPTY;
    corm_value_describe(value, &shown);
    corm_text_clear(&shown);
    if (value->kind == CORM_KIND_DATE || value->kind == CORM_KIND_TIME || value->kind == CORM_KIND_DATETIME) {
        must(corm_datetime_is_valid(&value->as.datetime, (corm_kind)value->kind));
    }
}

static PGresult *make_result(unsigned chosen, char *bytes, size_t size, size_t cut) {
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    char name[] = "c";
    PGresAttDesc columns[] = {
        {.name = name, .format = (int)(chosen % 2), .typid = types[chosen / 2 % TYPES]},
        {.name = name, .format = (int)(cut % 2), .typid = types[(chosen + size) % TYPES]},
    };
    must(result != NULL && PQsetResultAttrs(result, 2, columns) != 0);
    must(PQsetvalue(result, 0, 0, bytes, (int)cut) != 0);
    must(PQsetvalue(result, 0, 1, bytes + cut, (int)(size - cut)) != 0);
    return result;
}

static void decode(unsigned chosen, char *bytes, size_t size, size_t cut) {
    corm_driver_connection connection = {0};
    corm_driver_statement statement = {.connection = &connection, .rows = 1};
    corm_value values[2];
    statement.result = make_result(chosen, bytes, size, cut);
    must(corm_pg_describe_result(&statement) == CORM_OK);
    corm_status status = corm_pg_row(&statement, values, 2);
    if (status == CORM_OK) {
        check(&values[0]);
        check(&values[1]);
    } else {
        must(status == CORM_INTERNAL_ERROR || status == CORM_DATA_ERROR);
        must(connection.broken == (status == CORM_INTERNAL_ERROR));
    }
    corm_free(statement.decoders);
    corm_free(statement.forms);
    corm_free(statement.room);
    PQclear(statement.result);
}

static void read_sql(const char *sql, size_t size) {
    corm_pg_text found;
    bool casts[8];
    corm_pg_scan(sql, size, &found);
    must(found.word == NULL || (found.word >= sql && found.word + found.word_size <= sql + size));
    corm_pg_scan_casts(sql, size, casts, sizeof casts / sizeof *casts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = malloc(size + (size == 0)); /* without a NUL behind it: its end is its end */
    must(bytes != NULL);
    memcpy(bytes, data, size);
    read_sql(bytes, size);
    if (size > 2) {
        decode(data[0], bytes + 2, size - 2, data[1] < size - 2 ? data[1] : size - 2);
    }
    free(bytes);
    corm_error_clear();
    return 0;
}
