/*
 * How MariaDB and MySQL store values: as their types say; truth as 0 and 1. The driver carries dates and exact numbers.
 * What came as something else than its type says is read as from SQLite, where that is the rule.
 */
#include <stdlib.h>
#include <string.h>

#include "dialect/dialects.h"

corm_convert_bind corm_mysql_bind_converter(const corm_type *type) {
    return type->kind == CORM_TYPE_BOOLEAN ? corm_sqlite_bind_converter(type) : NULL;
}

/* A Float, or a Numeric whose values are wanted as floats: sums of integers come as exact numbers. */
static corm_status result_float(const corm_type *type, const corm_value *in, corm_value *out, char *room) {
    (void)type;
    if (in->kind == CORM_KIND_INTEGER) {
        *out = corm_value_float((double)in->as.integer);
    } else if (in->kind == CORM_KIND_DECIMAL && in->as.text.size < CORM_RESULT_ROOM) {
        memcpy(room, in->as.text.data, in->as.text.size);
        room[in->as.text.size] = '\0';
        *out = corm_value_float(strtod(room, NULL));
    } else {
        *out = *in;
    }
    return CORM_OK;
}

corm_convert_result corm_mysql_result_converter(const corm_type *type) {
    if (type->kind == CORM_TYPE_OWN && type->name && strcmp(type->name, "UUID") == 0)
        return corm_standard_result_uuid;
    bool is_number = type->kind == CORM_TYPE_FLOAT || type->kind == CORM_TYPE_NUMERIC;
    return is_number && !type->as_decimal ? result_float : corm_sqlite_result_converter(type);
}
