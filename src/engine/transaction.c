/*
 * Transactions of connections, savepoints, and isolation levels: see engine.h. The database is told of a transaction with
 * the first statement that needs it.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/connection_private.h"

/* ---- isolation ---- */

static corm_status set_autocommit(corm_connection *connection, bool on) {
    const corm_driver *driver = connection->driver;
    bool changes = on != connection->autocommit && driver->set_autocommit != NULL;
    corm_status status = changes ? driver->set_autocommit(connection->record->connection, on) : CORM_OK;
    connection->autocommit = status == CORM_OK ? on : connection->autocommit;
    return status;
}

static corm_status refuse_isolation(const corm_dialect *dialect, const char *level) {
    corm_text levels = CORM_TEXT_EMPTY;
    for (const corm_isolation *known = dialect->isolations; known != NULL && known->level != NULL; known++) {
        corm_text_append(&levels, levels.size == 0 ? "" : ", ");
        corm_text_append(&levels, known->level);
    }
    corm_status status = corm_error_set(
        CORM_ARGUMENT_ERROR, "Invalid value '%s' for isolation_level. Valid isolation levels for '%s' are %s", level,
        dialect->name, levels.data == NULL ? "none" : levels.data);
    corm_text_clear(&levels);
    return status;
}

static corm_status find_isolation(const corm_dialect *dialect, const char *level, const corm_isolation **out) {
    *out = dialect->isolations;
    while (*out != NULL && (*out)->level != NULL && strcmp((*out)->level, level) != 0) {
        ++*out;
    }
    return *out == NULL || (*out)->level == NULL ? refuse_isolation(dialect, level) : CORM_OK;
}

static corm_status set_isolation(corm_connection *connection, const char *level) {
    const corm_isolation *known;
    corm_characteristics *is = &connection->record->is;
    corm_status status = find_isolation(corm_engine_dialect(connection->engine), level, &known);
    if (status == CORM_OK) {
        snprintf(is->isolation, sizeof is->isolation, "%s", level);
        status = set_autocommit(connection, known->statement == NULL);
    }
    return status == CORM_OK && known->statement != NULL ? corm_connection_run(connection, known->statement) : status;
}

static corm_status set_wish(corm_connection *connection, const char *const *statements, corm_wish wish, corm_wish *is) {
    if (wish == CORM_WISH_NONE || wish == *is || statements == NULL) {
        return CORM_OK;
    }
    *is = wish;
    return corm_connection_run(connection, statements[wish == CORM_WISH_ON]);
}

/* What is noted as told may not have arrived when something fails: then the connection is of no use. */
static corm_status change(corm_connection *connection, const corm_characteristics *wanted) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    corm_characteristics *is = &connection->record->is;
    corm_status status = CORM_OK;
    if (wanted->isolation[0] != '\0' && strcmp(wanted->isolation, is->isolation) != 0) {
        status = set_isolation(connection, wanted->isolation);
    }
    if (status == CORM_OK) {
        status = set_wish(connection, dialect->read_only, wanted->read_only, &is->read_only);
    }
    return status == CORM_OK ? set_wish(connection, dialect->deferrable, wanted->deferrable, &is->deferrable) : status;
}

corm_status corm_connection_characterize(corm_connection *connection, const corm_characteristics *wanted) {
    const corm_isolation *known;
    const char *first = wanted->isolation[0] != '\0'           ? "isolation_level"
                        : wanted->read_only != CORM_WISH_NONE  ? "read_only"
                        : wanted->deferrable != CORM_WISH_NONE ? "deferrable"
                                                               : NULL;
    if (first == NULL) {
        return CORM_OK;
    }
    if (wanted->isolation[0] != '\0' &&
        find_isolation(corm_engine_dialect(connection->engine), wanted->isolation, &known) != CORM_OK) {
        return CORM_ARGUMENT_ERROR;
    }
    if (connection->begun) {
        return corm_error_set(
            CORM_INVALID_REQUEST,
            "This connection has already initialized a SQLAlchemy Transaction() object via begin() or "
            "autobegin; %s may not be altered unless rollback() or commit() is called first.",
            first);
    }
    corm_status status = change(connection, wanted);
    connection->invalid = connection->invalid || status != CORM_OK;
    return status;
}

/* Back to the server's own. */
static corm_status reset(corm_connection *connection) {
    const char *sql = corm_engine_dialect(connection->engine)->isolation_reset;
    corm_status status = set_autocommit(connection, false);
    if (status == CORM_OK && sql != NULL) {
        status = corm_connection_run(connection, sql);
    }
    connection->record->is = (corm_characteristics){0};
    return status;
}

static bool takes_back(const corm_characteristics *is, const corm_characteristics *wanted) {
    return (is->isolation[0] != '\0' && wanted->isolation[0] == '\0') ||
           (is->read_only != CORM_WISH_NONE && wanted->read_only == CORM_WISH_NONE) ||
           (is->deferrable != CORM_WISH_NONE && wanted->deferrable == CORM_WISH_NONE);
}

corm_status corm_connection_adopt(corm_connection *connection, const corm_characteristics *wanted) {
    const corm_characteristics *is = &connection->record->is;
    connection->autocommit = strcmp(is->isolation, "AUTOCOMMIT") == 0;
    corm_status status = takes_back(is, wanted) ? reset(connection) : CORM_OK;
    return status == CORM_OK ? corm_connection_characterize(connection, wanted) : status;
}

/* A level as the server tells it, as levels are called. */
static corm_status ask_isolation(corm_connection *connection, const char *query, char **out) {
    corm_cursor *cursor = NULL;
    bool has_row = false;
    corm_status status = corm_connection_execute(connection, 0, query, strlen(query), NULL, 0, &cursor);
    status = status == CORM_OK ? corm_cursor_next(cursor, &has_row) : status;
    if (status == CORM_OK) {
        const corm_value *level = has_row ? corm_cursor_values(cursor) : NULL;
        bool is_text = level != NULL && level->kind == CORM_KIND_TEXT;
        *out = corm_strndup(is_text ? level->as.text.data : "", is_text ? level->as.text.size : 0);
        status = *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    for (char *at = *out; at != NULL && *at != '\0'; at++) {
        *at = *at == '-' ? ' ' : *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
    }
    corm_cursor_free(cursor);
    return status;
}

corm_status corm_connection_isolation(corm_connection *connection, char **out) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    *out = NULL;
    if (connection->autocommit || dialect->isolation_query == NULL) {
        *out = corm_strdup(connection->autocommit ? "AUTOCOMMIT" : "");
        return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    return ask_isolation(connection, dialect->isolation_query, out);
}

corm_status corm_connection_default_isolation(corm_connection *connection, char **out) {
    *out = NULL;
    return ask_isolation(connection, corm_engine_dialect(connection->engine)->isolation_default, out);
}

bool corm_connection_autocommit(const corm_connection *connection) {
    return connection->autocommit;
}

/* ---- transactions ---- */

corm_status corm_connection_announce(corm_connection *connection, corm_transaction_event event, const char *name) {
    const corm_engine_hooks *hooks = corm_engine_hooks_of(connection->engine);
    if (!corm_engine_is_listened(connection->engine, CORM_LISTEN_TRANSACTION) || hooks->transaction == NULL) {
        return CORM_OK;
    }
    return hooks->transaction(hooks->context, connection, event, name);
}

/* Tell the database of the transaction that was begun, before the first statement that needs it. A shared connection
 * may be inside another user's transaction, and a user may have sent a BEGIN of another kind: then this one joins it. */
corm_status corm_connection_begin_for(corm_connection *connection, corm_driver_statement *statement) {
    const corm_driver *driver = connection->driver;
    corm_driver_connection *native = connection->record->connection;
    if (!connection->begun || connection->autocommit || !driver->needs_transaction(statement) ||
        driver->in_transaction(native)) {
        return CORM_OK;
    }
    return driver->begin(native);
}

bool corm_connection_in_transaction(const corm_connection *connection) {
    return connection->begun;
}

corm_status corm_connection_begin(corm_connection *connection) {
    if (connection->begun) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "This connection has already initialized a transaction; can't call begin() here unless "
                              "rollback() or commit() is called first.");
    }
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit ? "BEGIN (implicit; DBAPI should not BEGIN due to autocommit mode)"
                                           : "BEGIN (implicit)");
    connection->begun = true;
    connection->savepoints = connection->depth = 0;
    corm_status status = corm_connection_announce(
        connection, connection->xid != NULL ? CORM_TRANSACTION_BEGIN_NAMED : CORM_TRANSACTION_BEGIN, connection->xid);
    connection->begun = status == CORM_OK;
    return status;
}

corm_status corm_connection_commit(corm_connection *connection) {
    corm_status status = connection->prepared ? CORM_OK : corm_connection_check(connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_connection_announce(
        connection, connection->xid != NULL ? CORM_TRANSACTION_COMMIT_NAMED : CORM_TRANSACTION_COMMIT, connection->xid);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_connection_settle(connection);
    if (status != CORM_OK) {
        return status;
    }
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit
                        ? "COMMIT using DBAPI connection.commit(), has no effect due to autocommit mode"
                        : "COMMIT");
    status = connection->xid != NULL ? corm_connection_commit_named(connection)
                                     : connection->driver->commit(connection->record->connection);
    if (status == CORM_OK) {
        connection->begun = false;
        corm_connection_forget_xid(connection);
    } else {
        corm_connection_add_origin(connection);
        if (connection->prepared) {
            corm_error_add_words(" (the transaction is prepared: while it is not ended by its name, it stays)");
        }
        if (!connection->driver->is_usable(connection->record->connection)) {
            corm_error_add_doubt();
            corm_error_add_words(
                " (the connection was lost during COMMIT: whether the transaction was committed is not known)");
        }
        corm_error_add_statement("COMMIT", NULL);
    }
    return status;
}

/* Cursors that read hold no lock against a rollback in SQLite, but their rows may be gone: they are closed. */
corm_status corm_connection_rollback(corm_connection *connection) {
    if (corm_connection_is_inherited(connection)) {
        corm_connection_abandon(connection);
        return CORM_OK;
    }
    corm_status announced = corm_connection_announce(
        connection, connection->xid != NULL ? CORM_TRANSACTION_ROLLBACK_NAMED : CORM_TRANSACTION_ROLLBACK,
        connection->xid);
    corm_error reason;
    corm_error_take(&reason);
    corm_engine_log(connection->engine, CORM_LOG_ENGINE,
                    connection->autocommit
                        ? "ROLLBACK using DBAPI connection.rollback(), has no effect due to autocommit mode"
                        : "ROLLBACK");
    corm_connection_detach_cursors(connection);
    corm_connection_drop_waiting(connection);
    corm_status status = connection->xid != NULL ? corm_connection_rollback_named(connection)
                         : connection->invalid   ? CORM_OK /* it is closed soon */
                                                 : connection->driver->rollback(connection->record->connection);
    connection->begun = false;
    corm_connection_forget_xid(connection);
    if (announced != CORM_OK && status == CORM_OK) {
        corm_error_restore(&reason); /* the hook's failure does not keep the rollback back */
        return announced;
    }
    corm_error_free_content(&reason);
    if (status != CORM_OK) {
        connection->invalid = true;
        corm_connection_add_origin(connection);
        corm_error_add_statement("ROLLBACK", NULL);
    }
    return status;
}

static corm_status run_named(corm_connection *connection, const char *verb, const char *name) {
    char sql[128];
    int size = snprintf(sql, sizeof sql, "%s %s", verb, name);
    if (size < 0 || (size_t)size >= sizeof sql) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "the savepoint's name is too long");
    }
    return corm_connection_run(connection, sql);
}

corm_status corm_connection_savepoint(corm_connection *connection, const char *name) {
    corm_status status = corm_connection_announce(connection, CORM_TRANSACTION_SAVEPOINT, name);
    status = status == CORM_OK ? run_named(connection, "SAVEPOINT", name) : status;
    connection->depth += status == CORM_OK;
    return status;
}

corm_status corm_connection_release(corm_connection *connection, const char *name) {
    corm_status status = corm_connection_announce(connection, CORM_TRANSACTION_RELEASE, name);
    status = status == CORM_OK ? run_named(connection, "RELEASE SAVEPOINT", name) : status;
    connection->depth -= status == CORM_OK && connection->depth > 0;
    return status;
}

corm_status corm_connection_rollback_to(corm_connection *connection, const char *name) {
    corm_status status = corm_connection_announce(connection, CORM_TRANSACTION_ROLLBACK_TO, name);
    corm_connection_drop_waiting(connection);
    status = status == CORM_OK ? run_named(connection, "ROLLBACK TO SAVEPOINT", name) : status;
    connection->depth -= status == CORM_OK && connection->depth > 0;
    return status;
}

unsigned corm_connection_next_savepoint(corm_connection *connection) {
    return ++connection->savepoints;
}
