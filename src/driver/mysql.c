/*
 * The driver of MariaDB and MySQL, on MariaDB Connector/C.
 *
 * The server is told to commit nothing by itself when a connection opens, so that beginning a transaction costs nothing;
 * COMMIT and ROLLBACK are sent when something ran since the last one. One driver serves both servers: what differs is
 * asked of the connection.
 */
#include <string.h>

#include "driver/mysql_private.h"

extern const corm_driver corm_driver_mysql, corm_driver_mariadb;

/* Placeholders of one statement: a count of 16 bits in the protocol. */
enum { MOST_PARAMETERS = 65535 };

static bool is_usable(corm_driver_connection *connection) {
    return !connection->broken;
}

static bool is_in_transaction(const corm_driver_connection *connection) {
    return (connection->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

static bool in_transaction(corm_driver_connection *connection) {
    return is_in_transaction(connection);
}

static int server_version(corm_driver_connection *connection) {
    return (int)mysql_get_server_version(connection->mysql);
}

static void *native(corm_driver_connection *connection) {
    return connection->mysql;
}

static size_t parameter_limit(corm_driver_connection *connection) {
    (void)connection;
    return MOST_PARAMETERS;
}

/* ---- statements ---- */

static size_t parameter_count(corm_driver_statement *statement) {
    return statement->parameters;
}

static size_t column_count(corm_driver_statement *statement) {
    return statement->columns;
}

static const char *column_name(corm_driver_statement *statement, size_t column) {
    return statement->fields == NULL ? "" : statement->fields[column].name;
}

static const char *parameter_name(corm_driver_statement *statement, size_t index) {
    (void)statement;
    (void)index;
    return NULL;
}

static bool is_readonly(corm_driver_statement *statement) {
    (void)statement;
    return false;
}

static bool needs_transaction(corm_driver_statement *statement) {
    (void)statement;
    return true;
}

static size_t rows_here(corm_driver_statement *statement) {
    return statement->result != NULL                            ? mysql_num_rows(statement->result)
           : statement->prepared != NULL && !statement->streams ? mysql_stmt_num_rows(statement->prepared)
                                                                : 0;
}

static int64_t changed_rows(corm_driver_statement *statement) {
    return statement->changed;
}

static int64_t last_generated_key(corm_driver_connection *connection) {
    return (int64_t)connection->generated;
}

/* ---- transactions ---- */

static corm_status control(corm_driver_connection *connection, const char *sql) {
    MYSQL_RES *none;
    return corm_mysql_call_end(connection, corm_mysql_call_query(connection, sql, strlen(sql), &none));
}

/* Where somebody had the server commit by itself, it has to be told; else the next statement begins a transaction. */
static corm_status begin(corm_driver_connection *connection) {
    return connection->mysql->server_status & SERVER_STATUS_AUTOCOMMIT ? control(connection, "BEGIN") : CORM_OK;
}

static corm_status end(corm_driver_connection *connection, const char *sql) {
    if (!connection->touched && !is_in_transaction(connection)) {
        return CORM_OK;
    }
    corm_status status = control(connection, sql);
    connection->touched = connection->touched && status != CORM_OK;
    return status;
}

static corm_status set_autocommit(corm_driver_connection *connection, bool on) {
    return control(connection, on ? "SET autocommit=1" : "SET autocommit=0");
}

static corm_status commit(corm_driver_connection *connection) {
    return end(connection, "COMMIT");
}

static corm_status rollback(corm_driver_connection *connection) {
    return end(connection, "ROLLBACK");
}

static const char *const other_names[] = {
    "pymysql", "mysqlconnector", "mariadbconnector", "cymysql", "oursql", "pyodbc", NULL};
static const char *const asyncio_names[] = {"aiomysql", "asyncmy", NULL};

#define DRIVER(dialect_name, driver_name)                                                                              \
    {                                                                                                                  \
        .name = driver_name, .dialect = dialect_name, .other_names = other_names, .asyncio_names = asyncio_names,      \
        .connect = corm_mysql_connect, .close = corm_mysql_close, .abandon = corm_mysql_abandon,                       \
        .is_usable = is_usable, .in_transaction = in_transaction, .interrupt = corm_mysql_interrupt,                   \
        .server_version = server_version, .native = native, .parameter_limit = parameter_limit,                        \
        .prepare = corm_mysql_prepare, .finalize = corm_mysql_finalize, .parameter_count = parameter_count,            \
        .column_count = column_count, .column_name = column_name, .parameter_name = parameter_name,                    \
        .is_readonly = is_readonly, .needs_transaction = needs_transaction, .bind = corm_mysql_bind,                   \
        .execute = corm_mysql_execute, .execute_streamed = corm_mysql_execute_streamed, .step = corm_mysql_step,       \
        .row = corm_mysql_row, .rows_here = rows_here, .reset = corm_mysql_reset,                                      \
        .execute_batch = corm_mysql_execute_batch, .changed_rows = changed_rows,                                       \
        .last_generated_key = last_generated_key, .set_autocommit = set_autocommit, .begin = begin, .commit = commit,  \
        .rollback = rollback,                                                                                          \
    }

const corm_driver corm_driver_mysql = DRIVER("mysql", CORM_MYSQL_DRIVER);
const corm_driver corm_driver_mariadb = DRIVER("mariadb", CORM_MYSQL_DRIVER);
