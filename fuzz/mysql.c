/*
 * What the driver decodes of what a MariaDB or MySQL server sends: rows of the binary protocol, of columns of any type, are
 * values or errors, within their memory; and the marks of parameters that it looks for in SQL.
 *
 * The first bytes say of which types three columns are, what follows is the row.
 */
#include "fuzz.h"

#include "driver/mysql_private.h"
#include "type/datetime.h"

const char *const fuzz_seeds[] = {
    "\x03\x08\x0f\x80\x01\x01\x02\x03\x04\x01\x02\x03\x04\x05\x06\x07\x08\x03"
    "abc",
    "\x0a\x0c\x0b\x80\x01\x04\xe8\x07\x02\x1d\x0b\xe8\x07\x02\x1d\x0c\x22\x38\x15\x0b\x0c\x01\x08\x01\x01\x01\x01\x01"
    "\x0c"
    "\x22\x38",
    "\x04\x05\x06\x80\x01\x01\x02\x03\x3f\x01\x02\x03\x04\x05\x06\x3f\x40\x07"
    "123.456",
    "INSERT INTO t VALUES (?, 'a\\'?', `b?`, \"?\") /* ? */ -- ? \n # ?",
    NULL,
};

enum { COLUMNS = 3 };
static const enum enum_field_types types[] = {
    MYSQL_TYPE_TINY,  MYSQL_TYPE_SHORT,    MYSQL_TYPE_LONG,       MYSQL_TYPE_LONGLONG,
    MYSQL_TYPE_FLOAT, MYSQL_TYPE_DOUBLE,   MYSQL_TYPE_NULL,       MYSQL_TYPE_DATE,
    MYSQL_TYPE_TIME,  MYSQL_TYPE_DATETIME, MYSQL_TYPE_NEWDECIMAL, MYSQL_TYPE_VAR_STRING,
    MYSQL_TYPE_BLOB,  MYSQL_TYPE_YEAR,     MYSQL_TYPE_TIMESTAMP,  MYSQL_TYPE_BIT,
};
enum { TYPES = sizeof types / sizeof *types };

static corm_driver_connection *connection(void) {
    static corm_driver_connection one;
    if (one.mysql == NULL) {
        one.mysql = mysql_init(NULL);
        must(one.mysql != NULL);
    }
    one.broken = false;
    return &one;
}

static void decode(const uint8_t *chosen, const unsigned char *row, size_t size) {
    char digits[COLUMNS][CORM_MYSQL_DIGITS];
    MYSQL_FIELD fields[COLUMNS] = {0};
    corm_value values[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        fields[i].type = types[chosen[i] % TYPES];
        fields[i].flags = chosen[i] / TYPES % 2 ? UNSIGNED_FLAG : 0;
        fields[i].charsetnr = chosen[i] / TYPES % 4 > 1 ? 63 : 45;
    }
    corm_driver_statement statement = {.connection = connection(),
                                       .fields = fields,
                                       .columns = COLUMNS,
                                       .row = row,
                                       .row_size = size,
                                       .digits = digits};
    corm_status status = corm_mysql_decode_row(&statement, values, COLUMNS);
    must(status == CORM_OK || (status == CORM_INTERNAL_ERROR && statement.connection->broken));
    for (size_t i = 0; i < COLUMNS && status == CORM_OK; i++) {
        corm_text shown = CORM_TEXT_EMPTY;
        corm_value_describe(&values[i], &shown);
        corm_text_clear(&shown);
        if (values[i].kind == CORM_KIND_DATE || values[i].kind == CORM_KIND_TIME ||
            values[i].kind == CORM_KIND_DATETIME) {
            must(corm_datetime_is_valid(&values[i].as.datetime, (corm_kind)values[i].kind));
        }
    }
}

/* As many marks as are counted can be filled, and no more. */
static void fill(char *sql, size_t size) {
    corm_driver_statement statement = {.connection = connection(), .sql = sql, .size = size, .as_text = true};
    size_t count = corm_mysql_count_marks(&statement);
    corm_value *values = calloc(count + 1, sizeof *values);
    must(values != NULL);
    for (size_t i = 0; i <= count; i++) {
        values[i] = corm_value_bytes(CORM_KIND_TEXT, "?'\\", 3);
    }
    must(corm_mysql_write_literals(&statement, values, count) == CORM_OK);
    must(corm_mysql_write_literals(&statement, values, count + 1) == CORM_INTERNAL_ERROR);
    corm_text_clear(&statement.filled);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = malloc(size + (size == 0)); /* without a NUL behind it: its end is its end */
    must(bytes != NULL);
    memcpy(bytes, data, size);
    fill(bytes, size);
    if (size > COLUMNS) {
        decode(data, (unsigned char *)bytes + COLUMNS, size - COLUMNS);
    }
    free(bytes);
    corm_error_clear();
    return 0;
}
