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

/* The texts of a query's first column, appended. */
static corm_status texts_of(corm_connection *connection, const corm_text *sql, corm_vector *out) {
    corm_cursor *cursor = NULL;
    bool has_row = true;
    corm_status status = corm_connection_execute(connection, 0, sql->data, sql->size, NULL, 0, &cursor);
    while (status == CORM_OK && has_row) {
        status = corm_cursor_next(cursor, &has_row);
        const corm_value *value = status == CORM_OK && has_row ? corm_cursor_values(cursor) : NULL;
        if (value != NULL && value->kind == CORM_KIND_TEXT) {
            char *name = corm_strndup(value->as.text.data, value->as.text.size);
            status = name == NULL ? CORM_NO_MEMORY : corm_vector_push(out, name);
            if (status != CORM_OK) {
                corm_free(name);
            }
        }
    }
    corm_cursor_free(cursor);
    return status;
}

corm_status corm_inspect_table_names(corm_connection *connection, const char *schema, corm_vector *out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_status status = dialect_of(connection)->table_names_query(schema, &sql);
    if (status == CORM_OK) {
        status = texts_of(connection, &sql, out);
    }
    corm_text_clear(&sql);
    return status;
}

corm_status corm_inspect_schema_names(corm_connection *connection, corm_vector *out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_status status = dialect_of(connection)->schemas_query(&sql);
    if (status == CORM_OK) {
        status = texts_of(connection, &sql, out);
    }
    corm_text_clear(&sql);
    return status;
}

corm_status corm_inspect_default_schema(corm_connection *connection, char **out) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_vector names = {0};
    *out = NULL;
    corm_text_append(&sql, dialect_of(connection)->default_schema_query);
    corm_status status = corm_text_status(&sql);
    if (status == CORM_OK) {
        status = texts_of(connection, &sql, &names);
    }
    for (size_t i = 0; i < names.count; i++) {
        if (i == 0 && status == CORM_OK) {
            *out = names.items[i];
        } else {
            corm_free(names.items[i]);
        }
    }
    corm_vector_clear(&names);
    corm_text_clear(&sql);
    return status;
}
