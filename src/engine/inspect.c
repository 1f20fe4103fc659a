/* Looking at a live schema: see inspect.h. The queries are the dialect's. */
#include "engine/inspect.h"

#include <string.h>

#include "base/alloc.h"

static const corm_dialect *dialect_of(const corm_connection *connection) {
    return corm_engine_dialect(corm_connection_engine(connection));
}

corm_status corm_inspect_has_table(corm_connection *connection, const char *schema, const char *name, bool *out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_cursor *cursor = NULL;
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, name, strlen(name));
    *out = false;
    corm_status status = dialect_of(connection)->has_table_query(schema, &sql);
    if (status == CORM_OK) {
        status = corm_connection_execute(connection, 0, sql.data, sql.size, &value, 1, &cursor);
    }
    if (status == CORM_OK) {
        status = corm_cursor_next(cursor, out);
    }
    corm_cursor_free(cursor);
    corm_text_clear(&sql);
    return status;
}

corm_status corm_inspect_table_names(corm_connection *connection, const char *schema, corm_vector *out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_cursor *cursor = NULL;
    bool has_row = true;
    corm_status status = dialect_of(connection)->table_names_query(schema, &sql);
    if (status == CORM_OK) {
        status = corm_connection_execute(connection, 0, sql.data, sql.size, NULL, 0, &cursor);
    }
    while (status == CORM_OK && has_row) {
        status = corm_cursor_next(cursor, &has_row);
        if (status == CORM_OK && has_row) {
            const corm_value *value = corm_cursor_values(cursor);
            char *name = corm_strndup(value->as.text.data, value->as.text.size);
            status = name == NULL ? CORM_NO_MEMORY : corm_vector_push(out, name);
            if (status != CORM_OK) {
                corm_free(name);
            }
        }
    }
    corm_cursor_free(cursor);
    corm_text_clear(&sql);
    return status;
}
