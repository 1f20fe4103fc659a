/*
 * Two-phase transactions: see engine.h. A transaction with a name is prepared, so that it survives the connection and the
 * server, and committed or rolled back by its name, here or elsewhere. How that is said is the dialect's (corm_two_phase).
 */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "engine/connection_private.h"

enum { NAME_BYTES = 16 /* of chance, in a name that nobody gave */ };

static const corm_two_phase *words_of(const corm_connection *connection) {
    return corm_engine_dialect(connection->engine)->two_phase;
}

static corm_status refuse(const corm_connection *connection) {
    return corm_error_set(CORM_NOT_SUPPORTED, "%s has no two-phase transactions",
                          corm_engine_dialect(connection->engine)->name);
}

/* ---- statements about a name ---- */

static corm_status say(corm_connection *connection, const char *verb, const char *xid, const char *rest) {
    const corm_dialect *dialect = corm_engine_dialect(connection->engine);
    corm_value name = corm_value_bytes(CORM_KIND_TEXT, xid, strlen(xid));
    corm_text sql = CORM_TEXT_EMPTY;
    corm_text_append(&sql, verb);
    corm_text_append_char(&sql, ' ');
    corm_status status = corm_dialect_literal(dialect, NULL, &name, &sql);
    corm_text_append(&sql, rest);
    status = status == CORM_OK ? corm_text_status(&sql) : status;
    if (status == CORM_OK) {
        status = corm_connection_run(connection, sql.data);
    }
    corm_text_clear(&sql);
    return status;
}

/* The same with no transaction around it. */
static corm_status say_outside(corm_connection *connection, const char *verb, const char *xid) {
    bool begun = connection->begun, prepared = connection->prepared;
    connection->begun = connection->prepared = false;
    corm_status status = say(connection, verb, xid, "");
    connection->begun = begun;
    connection->prepared = prepared;
    return status;
}

static corm_status say_end(corm_connection *connection) {
    const corm_two_phase *words = words_of(connection);
    return words->end == NULL ? CORM_OK : say(connection, words->end, connection->xid, "");
}

void corm_connection_forget_xid(corm_connection *connection) {
    corm_free(connection->xid);
    connection->xid = NULL;
    connection->prepared = false;
}

/* ---- beginning and preparing ---- */

/* A name that no other transaction has: out has room for it. */
static corm_status invent_name(char *out, size_t size) {
    unsigned char chance[NAME_BYTES];
    if (getrandom(chance, sizeof chance, 0) != (ssize_t)sizeof chance) {
        return corm_error_set(CORM_OPERATIONAL_ERROR, "the system gives no random number for a transaction's name");
    }
    int at = snprintf(out, size, "_sa_");
    for (size_t i = 0; i < sizeof chance; i++) {
        at += snprintf(out + at, size - (size_t)at, "%02x", chance[i]);
    }
    return CORM_OK;
}

corm_status corm_connection_begin_two_phase(corm_connection *connection, const char *xid) {
    const corm_two_phase *words = words_of(connection);
    char invented[2 * NAME_BYTES + sizeof "_sa_"];
    if (xid == NULL) {
        corm_status made = invent_name(invented, sizeof invented);
        if (made != CORM_OK) {
            return made;
        }
        xid = invented;
    }
    if (words == NULL) {
        return refuse(connection);
    }
    if (connection->begun) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "Cannot start a two phase transaction when a transaction is already in progress.");
    }
    if (strlen(xid) == 0 || strlen(xid) > words->longest) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "the name of a two-phase transaction has 1 to %zu bytes",
                              words->longest);
    }
    connection->xid = corm_strdup(xid);
    corm_status status = connection->xid == NULL ? CORM_NO_MEMORY : CORM_OK;
    if (status == CORM_OK && words->begin != NULL) {
        status = say(connection, words->begin, xid, "");
    }
    if (status == CORM_OK) {
        status = corm_connection_begin(connection);
    }
    if (status != CORM_OK) {
        corm_connection_forget_xid(connection);
    }
    return status;
}

corm_status corm_connection_prepare(corm_connection *connection) {
    const corm_two_phase *words = words_of(connection);
    if (connection->xid == NULL || !connection->begun) {
        return corm_error_set(CORM_INVALID_REQUEST, "this connection's transaction is no two-phase transaction");
    }
    if (connection->prepared) {
        return corm_error_set(CORM_INVALID_REQUEST, "this connection's transaction is prepared already");
    }
    corm_status status = corm_connection_announce(connection, CORM_TRANSACTION_PREPARE, connection->xid);
    status = status == CORM_OK ? say_end(connection) : status;
    if (status == CORM_OK) {
        status = say(connection, words->prepare, connection->xid, "");
    }
    connection->prepared = status == CORM_OK;
    return status;
}

const char *corm_connection_xid(const corm_connection *connection) {
    return connection->xid;
}

bool corm_connection_is_prepared(const corm_connection *connection) {
    return connection->prepared;
}

/* ---- ending ---- */

corm_status corm_connection_commit_named(corm_connection *connection) {
    const corm_two_phase *words = words_of(connection);
    if (connection->prepared) {
        return say_outside(connection, words->commit, connection->xid);
    }
    if (words->end == NULL) {
        return connection->driver->commit(connection->record->connection);
    }
    corm_status status = say_end(connection);
    return status == CORM_OK ? say(connection, words->commit, connection->xid, words->at_once) : status;
}

corm_status corm_connection_rollback_named(corm_connection *connection) {
    const corm_two_phase *words = words_of(connection);
    if (connection->invalid) {
        return CORM_OK; /* the server rolls back what was not prepared, and keeps what was */
    }
    if (connection->prepared) {
        return say_outside(connection, words->rollback, connection->xid);
    }
    if (words->end == NULL) {
        return connection->driver->rollback(connection->record->connection);
    }
    if (!connection->driver->is_usable(connection->record->connection)) {
        return CORM_OK; /* the server rolls back what was not prepared */
    }
    if (say_end(connection) != CORM_OK) {
        corm_error_clear(); /* a deadlock has ended it already, but for the name */
    }
    return say(connection, words->rollback, connection->xid, "");
}

void corm_connection_leave_prepared(corm_connection *connection) {
    corm_connection_forget_xid(connection);
    connection->begun = false;
    connection->invalid = true;
}

/* ---- by name, from anywhere ---- */

/* A session of MariaDB's that commits by COMMIT only is always inside of a transaction to its XA statements. */
static corm_status say_alone(corm_connection *connection, const char *verb, const char *xid) {
    const corm_driver *driver = connection->driver;
    corm_driver_connection *native = connection->record->connection;
    bool switches = driver->set_autocommit != NULL && !connection->autocommit;
    corm_status status = switches ? driver->set_autocommit(native, true) : CORM_OK;
    status = status == CORM_OK ? say_outside(connection, verb, xid) : status;
    if (switches && driver->is_usable(native)) {
        corm_error reason;
        corm_error_take(&reason);
        connection->invalid = driver->set_autocommit(native, false) != CORM_OK || connection->invalid;
        corm_error_restore(&reason);
    }
    return status;
}

corm_status corm_connection_end_prepared(corm_connection *connection, const char *xid, bool commit, bool recover) {
    const corm_two_phase *words = words_of(connection);
    corm_status status = CORM_OK;
    if (words == NULL) {
        return refuse(connection);
    }
    if (connection->prepared && strcmp(connection->xid, xid) == 0) {
        return commit ? corm_connection_commit(connection) : corm_connection_rollback(connection);
    }
    if (recover && connection->xid == NULL &&
        (connection->begun || connection->driver->in_transaction(connection->record->connection))) {
        status = corm_connection_rollback(connection);
    }
    if (status == CORM_OK && connection->begun) {
        return corm_error_set(CORM_INVALID_REQUEST, "a prepared transaction is ended outside of other transactions: "
                                                    "this connection has one under way");
    }
    if (status == CORM_OK) {
        status = corm_connection_announce(
            connection, commit ? CORM_TRANSACTION_COMMIT_NAMED : CORM_TRANSACTION_ROLLBACK_NAMED, xid);
    }
    return status == CORM_OK ? say_alone(connection, commit ? words->commit : words->rollback, xid) : status;
}

static corm_status take_name(const corm_two_phase *words, const corm_value *row, size_t columns, corm_vector *names) {
    size_t place = words->name_column, size_place = words->size_column;
    const corm_value *name = place < columns ? &row[place] : NULL;
    if (name == NULL || (name->kind != CORM_KIND_TEXT && name->kind != CORM_KIND_BYTES)) {
        return corm_error_set(CORM_INTERNAL_ERROR, "the server tells no names of prepared transactions");
    }
    size_t size = name->as.text.size;
    if (size_place != place && size_place < columns && row[size_place].kind == CORM_KIND_INTEGER &&
        (uint64_t)row[size_place].as.integer < size) {
        size = (size_t)row[size_place].as.integer;
    }
    char *copy = corm_strndup(name->as.text.data, size);
    corm_status status = copy == NULL ? CORM_NO_MEMORY : corm_vector_push(names, copy);
    if (status != CORM_OK) {
        corm_free(copy);
    }
    return status;
}

corm_status corm_connection_recover(corm_connection *connection, corm_vector *names) {
    const corm_two_phase *words = words_of(connection);
    corm_cursor *cursor = NULL;
    bool has_row = true;
    if (words == NULL) {
        return refuse(connection);
    }
    corm_status status =
        corm_connection_execute(connection, 0, words->recover, strlen(words->recover), NULL, 0, &cursor);
    while (status == CORM_OK && has_row) {
        status = corm_cursor_next(cursor, &has_row);
        if (status == CORM_OK && has_row) {
            status = take_name(words, corm_cursor_values(cursor), corm_cursor_column_count(cursor), names);
        }
    }
    corm_error reason;
    corm_error_take(&reason);
    corm_cursor_free(cursor);
    corm_error_restore(&reason);
    return status;
}
