/* Cursors: see result.h. A cursor knows that it lost its connection. */
#include "base/alloc.h"
#include "engine/connection_private.h"

/* A stream asks the server, which has to be done with what was sent before. */
static corm_status step(corm_cursor *cursor) {
    corm_connection *connection = cursor->connection;
    corm_status status = cursor->streamed ? corm_connection_settle(connection) : CORM_OK;
    if (status == CORM_OK) {
        status = connection->driver->step(cursor->prepared->statement, &cursor->has_row);
    }
    if (status != CORM_OK) {
        corm_connection_add_origin(connection);
    }
    return status;
}

corm_status corm_cursor_next(corm_cursor *cursor, bool *has_row) {
    *has_row = false;
    if (cursor->connection == NULL) {
        return cursor->lost ? corm_error_set(CORM_RESOURCE_CLOSED,
                                             "This result object is closed: its connection was closed or rolled back")
                            : CORM_OK;
    }
    const corm_driver *driver = cursor->connection->driver;
    corm_status status = CORM_OK;
    if (cursor->first) {
        cursor->first = false;
    } else {
        status = step(cursor);
    }
    if (status == CORM_OK && cursor->has_row) {
        status = driver->row(cursor->prepared->statement, cursor->values, cursor->columns);
        *has_row = status == CORM_OK;
        if (status != CORM_OK) {
            corm_connection_add_origin(cursor->connection);
        }
        return status;
    }
    if (status == CORM_OK) {
        cursor->changed = driver->changed_rows(cursor->prepared->statement);
        cursor->generated = driver->last_generated_key(cursor->connection->record->connection);
    }
    corm_error reason;
    corm_error_take(&reason);
    corm_cursor_close(cursor);
    corm_error_restore(&reason);
    return status;
}

const corm_value *corm_cursor_values(const corm_cursor *cursor) {
    return cursor->values;
}

size_t corm_cursor_column_count(const corm_cursor *cursor) {
    return cursor->columns;
}

const char *corm_cursor_column_name(const corm_cursor *cursor, size_t column) {
    return cursor->connection == NULL ? ""
                                      : cursor->connection->driver->column_name(cursor->prepared->statement, column);
}

size_t corm_cursor_rows_here(const corm_cursor *cursor) {
    if (cursor->connection == NULL || cursor->connection->driver->rows_here == NULL) {
        return 0;
    }
    return cursor->connection->driver->rows_here(cursor->prepared->statement);
}

int64_t corm_cursor_changed_rows(const corm_cursor *cursor) {
    return cursor->changed;
}

int64_t corm_cursor_generated_key(const corm_cursor *cursor) {
    return cursor->generated;
}

bool corm_cursor_is_open(const corm_cursor *cursor) {
    return cursor->connection != NULL;
}

void corm_cursor_close(corm_cursor *cursor) {
    corm_connection *connection = cursor->connection;
    if (connection == NULL) {
        return;
    }
    cursor->connection = NULL;
    *cursor->link = cursor->next;
    if (cursor->next != NULL) {
        cursor->next->link = cursor->link;
    }
    corm_statements_give(&connection->record->statements, cursor->prepared);
    cursor->prepared = NULL;
}

void corm_cursor_free(corm_cursor *cursor) {
    if (cursor != NULL) {
        corm_cursor_close(cursor);
        corm_free(cursor);
    }
}
