/*
 * Connections: see engine.h. Checked out of the pool and given back, clean or not at all; a connection knows its open
 * cursors, so that closing it closes them.
 */
#include "base/alloc.h"
#include "engine/connection_private.h"

corm_status corm_engine_connect(corm_engine *engine, corm_connection **out) {
    return corm_engine_connect_as(engine, NULL, out);
}

corm_status corm_engine_connect_as(corm_engine *engine, const corm_characteristics *wanted, corm_connection **out) {
    static const corm_characteristics usual;
    const corm_engine_hooks *hooks = corm_engine_hooks_of(engine);
    *out = NULL;
    corm_connection *connection = corm_calloc(1, sizeof *connection);
    if (connection == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_pool_take(corm_engine_pool(engine), &connection->record);
    if (status != CORM_OK) {
        corm_free(connection);
        return status;
    }
    connection->engine = corm_engine_ref(engine);
    connection->driver = corm_engine_driver(engine);
    if (hooks->checked_out != NULL) {
        status = hooks->checked_out(hooks->context, connection->record->connection);
    }
    if (status == CORM_OK) {
        status = corm_connection_adopt(connection, wanted == NULL ? &usual : wanted);
    }
    if (status != CORM_OK) {
        corm_connection_close(connection);
        return status;
    }
    *out = connection;
    return CORM_OK;
}

void corm_connection_detach_cursors(corm_connection *connection) {
    while (connection->cursors != NULL) {
        corm_cursor *cursor = connection->cursors;
        corm_cursor_close(cursor);
        cursor->lost = true;
    }
}

bool corm_connection_is_inherited(const corm_connection *connection) {
    return connection->record->process != corm_fork_count();
}

corm_status corm_connection_refuse_inherited(void) {
    return corm_error_set(CORM_INVALID_REQUEST, "This connection belongs to the process that forked this one: a child "
                                                "process connects anew");
}

corm_status corm_connection_check(const corm_connection *connection) {
    if (corm_connection_is_inherited(connection)) {
        return corm_connection_refuse_inherited();
    }
    if (connection->invalid) {
        return corm_error_set(CORM_PENDING_ROLLBACK,
                              "Can't reconnect until invalid transaction is rolled back.  Please "
                              "rollback() fully before proceeding");
    }
    if (connection->prepared) {
        return corm_error_set(CORM_INVALID_REQUEST, "This connection's transaction is prepared; no further SQL can be "
                                                    "emitted within it: commit or roll back");
    }
    return CORM_OK;
}

/* In a forked child: the parent's connection is not touched, what hangs on it is only forgotten. */
void corm_connection_abandon(corm_connection *connection) {
    while (connection->cursors != NULL) {
        corm_cursor *cursor = connection->cursors;
        connection->cursors = cursor->next;
        cursor->connection = NULL;
        cursor->prepared = NULL;
        cursor->lost = true;
    }
    connection->begun = false;
    connection->invalid = true;
}

void corm_connection_close(corm_connection *connection) {
    if (connection == NULL) {
        return;
    }
    corm_error pending;
    corm_error_take(&pending);
    bool inherited = corm_connection_is_inherited(connection);
    if (inherited) {
        corm_connection_abandon(connection);
    }
    corm_connection_detach_cursors(connection);
    corm_connection_drop_waiting(connection);
    corm_engine *engine = connection->engine;
    const corm_engine_hooks *hooks = corm_engine_hooks_of(engine);
    bool keep =
        !connection->invalid && !connection->detached && connection->driver->is_usable(connection->record->connection);
    if (keep && connection->begun) {
        keep = corm_connection_rollback(connection) == CORM_OK;
    }
    while (connection->watches != NULL) {
        corm_connection_watch *watch = connection->watches;
        corm_connection_watch_end(watch);
        watch->closed(watch);
    }
    if (!keep && !connection->detached && hooks->invalidated != NULL && !inherited) {
        hooks->invalidated(hooks->context, connection);
    }
    if (connection->host != NULL && hooks->detached != NULL) {
        hooks->detached(hooks->context, connection);
    }
    if (hooks->checked_in != NULL && !inherited) {
        hooks->checked_in(hooks->context, connection->record->connection);
    }
    corm_pool_give(corm_engine_pool(engine), connection->record, keep);
    corm_connection_forget_xid(connection);
    corm_free(connection);
    corm_error_restore(&pending);
    corm_engine_unref(engine);
}

void corm_connection_watch_begin(corm_connection *connection, corm_connection_watch *watch) {
    corm_connection_watch_end(watch);
    watch->link = &connection->watches;
    watch->next = connection->watches;
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    connection->watches = watch;
}

void corm_connection_watch_end(corm_connection_watch *watch) {
    if (watch->link != NULL) {
        *watch->link = watch->next;
        if (watch->next != NULL) {
            watch->next->link = watch->link;
        }
        watch->link = NULL;
    }
}

unsigned corm_connection_savepoints(const corm_connection *connection) {
    return connection->depth;
}

void corm_connection_invalidate(corm_connection *connection) {
    connection->invalid = true;
}

bool corm_connection_is_invalid(const corm_connection *connection) {
    return connection->invalid;
}

void corm_connection_detach(corm_connection *connection) {
    connection->detached = true;
}

corm_engine *corm_connection_engine(const corm_connection *connection) {
    return connection->engine;
}

corm_driver_connection *corm_connection_driver(corm_connection *connection) {
    return connection->record->connection;
}

void corm_connection_set_host(corm_connection *connection, void *host) {
    connection->host = host;
}

void *corm_connection_host(const corm_connection *connection) {
    return connection->host;
}
