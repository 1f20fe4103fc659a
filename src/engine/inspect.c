/* Looking at a live schema: see inspect.h. SQLite's sqlite_master; other databases bring their own queries. */
#include "engine/inspect.h"

#include <string.h>

#include "base/alloc.h"

static void master_of(const corm_connection *connection, const char *schema, corm_text *out) {
    corm_text_append(out, "SELECT name FROM ");
    if (schema != NULL) {
        corm_dialect_identifier(corm_engine_dialect(corm_connection_engine(connection)), schema, out);
        corm_text_append_char(out, '.');
    }
    corm_text_append(out, "sqlite_master WHERE type IN ('table', 'view') ");
}

corm_status corm_inspect_has_table(corm_connection *connection, const char *schema, const char *name, bool *out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_cursor *cursor = NULL;
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, name, strlen(name));
    *out = false;
    master_of(connection, schema, &sql);
    corm_text_append(&sql, "AND name = ?");
    corm_status status = corm_text_status(&sql);
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
    master_of(connection, schema, &sql);
    corm_text_append(&sql, "AND type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name");
    corm_status status = corm_text_status(&sql);
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
