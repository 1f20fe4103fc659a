/*
 * The calls of MariaDB's client library that may wait.
 *
 * Each is begun, and gone on with whenever the socket is ready; the waiting in between is corm_wait_descriptor()'s. A
 * wait that fails leaves the library in the middle of a call, which it cannot take back: the connection is broken then.
 *
 * When the host wants an operation to stop, the server is asked to end the statement and gets a moment to do so: then the
 * connection is as good as before, else it is broken. A request that comes when the statement has ended already would hit
 * the next one; that is one of no meaning, sent for it.
 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>
#include <unistd.h>

#include "base/wait.h"
#include "driver/mysql_private.h"

static const int64_t cancel_patience = 2 * 1000000000ll; /* ns from a cancel request to the end of the statement */

static const char *const scapegoat = "DO 0";

static int64_t deadline_of(const corm_driver_connection *connection) {
    if (connection->deadline != 0) {
        return connection->deadline;
    }
    return connection->settings->timeout > 0 ? corm_clock_now() + connection->settings->timeout : -1;
}

static corm_status say_late(const corm_driver_connection *connection) {
    bool connecting = connection->deadline != 0;
    corm_status status =
        corm_error_set(CORM_OPERATIONAL_ERROR, connecting ? "Can't connect to the server: it did not answer "
                                                            "within connect_timeout"
                                                          : "Lost connection to server during query: it did "
                                                            "not answer within read_timeout");
    corm_error_add_native(connecting ? CR_CONN_HOST_ERROR : CR_SERVER_LOST, "HY000");
    corm_error_add_driver(CORM_MYSQL_DRIVER);
    return status;
}

/* Wait for what the library wants; *ready is what to tell it. */
static corm_status await(corm_driver_connection *connection, int wanted, int *ready) {
    int directions =
        (wanted & MYSQL_WAIT_READ ? CORM_WAIT_READ : 0) | (wanted & MYSQL_WAIT_WRITE ? CORM_WAIT_WRITE : 0);
    int descriptor = (int)mysql_get_socket(connection->mysql);
    int64_t deadline = connection->cancelled != 0 ? connection->cancelled : deadline_of(connection);
    corm_status status = corm_wait_descriptor(descriptor, directions, deadline);
    *ready = wanted & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
    if (status == CORM_INTERRUPTED && connection->deadline == 0 && connection->cancelled == 0) {
        connection->cancelled = corm_clock_now() + cancel_patience;
        connection->request_done = corm_mysql_send_cancel(connection);
        status = corm_wait_descriptor(descriptor, directions, connection->cancelled);
    }
    if (status == CORM_OK) {
        return CORM_OK;
    }
    corm_mysql_break(connection);
    return status == CORM_TIMEOUT && connection->cancelled == 0 ? say_late(connection) : status;
}

static corm_status check_usable(const corm_driver_connection *connection) {
    if (!connection->broken) {
        return CORM_OK;
    }
    corm_status status = corm_error_set(CORM_OPERATIONAL_ERROR, "Server has gone away: the connection was lost");
    corm_error_add_native(CR_SERVER_GONE_ERROR, "HY000");
    corm_error_add_driver(CORM_MYSQL_DRIVER);
    return status;
}

corm_status corm_mysql_call_connect(corm_driver_connection *connection, const char *host) {
    const corm_mysql_settings *settings = connection->settings;
    corm_status status = CORM_OK;
    MYSQL *connected = NULL;
    int ready;
    corm_wait_begin();
    int wanted = mysql_real_connect_start(&connected, connection->mysql, host, settings->user, settings->password,
                                          settings->database, settings->port, settings->unix_socket, CLIENT_FOUND_ROWS);
    corm_wait_end();
    while (wanted != 0 && (status = await(connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_real_connect_cont(&connected, connection->mysql, ready);
    }
    return status != CORM_OK ? status : connected == NULL ? corm_mysql_fail(connection) : CORM_OK;
}

corm_status corm_mysql_call_query(corm_driver_connection *connection, const char *sql, size_t size,
                                  MYSQL_RES **result) {
    int failed = 0, ready;
    *result = NULL;
    corm_status status = check_usable(connection);
    if (status != CORM_OK) {
        return status;
    }
    int wanted = mysql_real_query_start(&failed, connection->mysql, sql, size);
    while (wanted != 0 && (status = await(connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_real_query_cont(&failed, connection->mysql, ready);
    }
    if (status != CORM_OK || failed) {
        return status != CORM_OK ? status : corm_mysql_fail(connection);
    }
    if (mysql_field_count(connection->mysql) == 0) {
        return CORM_OK;
    }
    wanted = mysql_store_result_start(result, connection->mysql);
    while (wanted != 0 && (status = await(connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_store_result_cont(result, connection->mysql, ready);
    }
    return status != CORM_OK ? status : *result == NULL ? corm_mysql_fail(connection) : CORM_OK;
}

corm_status corm_mysql_call_prepare(corm_driver_statement *statement, const char *sql, size_t size) {
    int failed = 0, ready;
    corm_status status = check_usable(statement->connection);
    if (status != CORM_OK) {
        return status;
    }
    int wanted = mysql_stmt_prepare_start(&failed, statement->prepared, sql, size);
    while (wanted != 0 && (status = await(statement->connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_stmt_prepare_cont(&failed, statement->prepared, ready);
    }
    return status != CORM_OK ? status : failed ? corm_mysql_fail_statement(statement) : CORM_OK;
}

corm_status corm_mysql_call_execute(corm_driver_statement *statement) {
    int failed = 0, ready;
    corm_status status = check_usable(statement->connection);
    if (status != CORM_OK) {
        return status;
    }
    int wanted = mysql_stmt_execute_start(&failed, statement->prepared);
    while (wanted != 0 && (status = await(statement->connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_stmt_execute_cont(&failed, statement->prepared, ready);
    }
    return status != CORM_OK ? status : failed ? corm_mysql_fail_statement(statement) : CORM_OK;
}

corm_status corm_mysql_call_store(corm_driver_statement *statement) {
    int failed = 0, ready;
    corm_status status = CORM_OK;
    int wanted = mysql_stmt_store_result_start(&failed, statement->prepared);
    while (wanted != 0 && (status = await(statement->connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_stmt_store_result_cont(&failed, statement->prepared, ready);
    }
    return status != CORM_OK ? status : failed ? corm_mysql_fail_statement(statement) : CORM_OK;
}

corm_status corm_mysql_call_fetch(corm_driver_statement *statement, bool *has_row) {
    int outcome = 0, ready;
    *has_row = false;
    corm_status status = check_usable(statement->connection);
    if (status != CORM_OK) {
        return status;
    }
    int wanted = mysql_stmt_fetch_start(&outcome, statement->prepared);
    while (wanted != 0 && (status = await(statement->connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_stmt_fetch_cont(&outcome, statement->prepared, ready);
    }
    if (status != CORM_OK || outcome == 1) {
        return status != CORM_OK ? status : corm_mysql_fail_statement(statement);
    }
    *has_row = outcome != MYSQL_NO_DATA;
    return CORM_OK;
}

void corm_mysql_call_drop(corm_driver_statement *statement) {
    my_bool failed = 0;
    int ready;
    corm_error pending;
    if (statement->connection->broken) {
        return;
    }
    corm_error_take(&pending);
    int wanted = mysql_stmt_reset_start(&failed, statement->prepared);
    while (wanted != 0 && await(statement->connection, wanted, &ready) == CORM_OK) {
        wanted = mysql_stmt_reset_cont(&failed, statement->prepared, ready);
    }
    corm_mysql_call_end(statement->connection, CORM_OK);
    corm_error_restore(&pending);
}

/* What it says about failing interests nobody: a broken connection shows at its next use. */
void corm_mysql_call_close(corm_driver_statement *statement) {
    my_bool failed = 0;
    int ready;
    corm_status status = CORM_OK;
    corm_error pending;
    corm_error_take(&pending);
    int wanted = mysql_stmt_close_start(&failed, statement->prepared);
    while (wanted != 0 && (status = await(statement->connection, wanted, &ready)) == CORM_OK) {
        wanted = mysql_stmt_close_cont(&failed, statement->prepared, ready);
    }
    statement->prepared = NULL;
    corm_error_restore(&pending);
}

/* Whether the connection can be used again after a request to cancel. */
static bool settle(corm_driver_connection *connection) {
    MYSQL_RES *none;
    if (connection->broken || connection->request_done < 0 ||
        corm_wait_descriptor(connection->request_done, CORM_WAIT_READ, connection->cancelled) != CORM_OK) {
        return false;
    }
    return corm_mysql_call_query(connection, scapegoat, strlen(scapegoat), &none) == CORM_OK ||
           (!connection->broken && corm_error_last()->native_code == ER_QUERY_INTERRUPTED);
}

corm_status corm_mysql_call_end(corm_driver_connection *connection, corm_status status) {
    if (connection->cancelled == 0) {
        return status;
    }
    if (!settle(connection)) {
        corm_mysql_break(connection);
    }
    if (connection->request_done >= 0) {
        close(connection->request_done);
    }
    connection->cancelled = 0;
    return corm_error_set(CORM_INTERRUPTED, "the statement was interrupted");
}
