/*
 * The PostgreSQL driver, on libpq: the table, and transactions. postgresql_connect.c connects and cancels,
 * postgresql_calls.c waits, postgresql_statement.c runs statements, postgresql_cursor.c streams rows, postgresql_batch.c runs many at once,
 * postgresql_parameters.c and postgresql_rows.c turn values to bytes and back, postgresql_errors.c reads errors,
 * postgresql_text.c SQL.
 *
 * BEGIN is not sent when a transaction begins, but with its first statement; so beginning and ending a transaction that
 * did nothing costs nothing.
 */
#include <string.h>

#include "driver/postgresql_private.h"

extern const corm_driver corm_driver_postgresql;

static bool is_usable(corm_driver_connection *connection) {
    return !connection->broken && PQstatus(connection->native) == CONNECTION_OK;
}

static bool in_transaction(corm_driver_connection *connection) {
    PGTransactionStatusType state = PQtransactionStatus(connection->native);
    return connection->begins || state == PQTRANS_INTRANS || state == PQTRANS_INERROR || state == PQTRANS_ACTIVE;
}

static int server_version(corm_driver_connection *connection) {
    return PQserverVersion(connection->native);
}

static void *native(corm_driver_connection *connection) {
    return connection->native;
}

static size_t parameter_limit(corm_driver_connection *connection) {
    (void)connection;
    return UINT16_MAX; /* of the protocol */
}

static size_t parameter_count(corm_driver_statement *statement) {
    return statement->parameter_count;
}

static size_t column_count(corm_driver_statement *statement) {
    return statement->result == NULL ? 0 : statement->columns;
}

static const char *column_name(corm_driver_statement *statement, size_t column) {
    const char *name = statement->result == NULL ? NULL : PQfname(statement->result, (int)column);
    return name == NULL ? "" : name;
}

static const char *parameter_name(corm_driver_statement *statement, size_t index) {
    (void)statement;
    (void)index;
    return NULL;
}

static bool is_readonly(corm_driver_statement *statement) {
    return statement->is_readonly;
}

static bool needs_transaction(corm_driver_statement *statement) {
    (void)statement;
    return true; /* reading too: a transaction sees one state of the database */
}

static size_t rows_here(corm_driver_statement *statement) {
    return (size_t)statement->rows;
}

static int64_t changed_rows(corm_driver_statement *statement) {
    return statement->changed;
}

static int64_t last_generated_key(corm_driver_connection *connection) {
    (void)connection;
    return 0; /* keys come back by RETURNING */
}

/* ---- transactions ---- */

static corm_status begin(corm_driver_connection *connection) {
    connection->begins = true;
    return CORM_OK;
}

static corm_status end(corm_driver_connection *connection, const char *sql) {
    connection->transactions++;
    if (connection->begins) {
        connection->begins = false;
        return CORM_OK;
    }
    return in_transaction(connection) ? corm_pg_run(connection, sql) : CORM_OK;
}

static corm_status commit(corm_driver_connection *connection) {
    return end(connection, "COMMIT");
}

/* What a lost connection had begun, the server rolls back. */
static corm_status rollback(corm_driver_connection *connection) {
    if (!is_usable(connection)) {
        connection->begins = false;
        return CORM_OK;
    }
    return end(connection, "ROLLBACK");
}

static const char *const other_names[] = {"libpq", "psycopg2", "psycopg2cffi", "pg8000", "pygresql", NULL};
static const char *const asyncio_names[] = {"asyncpg", "psycopg_async", "aiopg", NULL};

const corm_driver corm_driver_postgresql = {
    .name = "psycopg",
    .dialect = "postgresql",
    .other_names = other_names,
    .asyncio_names = asyncio_names,
    .connect = corm_pg_connect,
    .close = corm_pg_close,
    .abandon = corm_pg_abandon,
    .is_usable = is_usable,
    .in_transaction = in_transaction,
    .interrupt = corm_pg_interrupt,
    .server_version = server_version,
    .native = native,
    .parameter_limit = parameter_limit,
    .prepare = corm_pg_prepare,
    .finalize = corm_pg_finalize,
    .parameter_count = parameter_count,
    .column_count = column_count,
    .column_name = column_name,
    .parameter_name = parameter_name,
    .is_readonly = is_readonly,
    .needs_transaction = needs_transaction,
    .bind = corm_pg_bind,
    .execute = corm_pg_execute,
    .execute_streamed = corm_pg_execute_streamed,
    .step = corm_pg_step,
    .row = corm_pg_row,
    .rows_here = rows_here,
    .reset = corm_pg_reset,
    .execute_batch = corm_pg_execute_batch,
    .settle = corm_pg_settle,
    .changed_rows = changed_rows,
    .last_generated_key = last_generated_key,
    .begin = begin,
    .commit = commit,
    .rollback = rollback,
};
