/* Inside the SQLite driver: sqlite.c holds connections, statements and values, sqlite_batch.c batches. */
#ifndef CORM_DRIVER_SQLITE_PRIVATE_H
#define CORM_DRIVER_SQLITE_PRIVATE_H

#include <sqlite3.h>

#include "driver/driver.h"

struct corm_driver_connection {
    sqlite3 *database;
    sqlite3_mutex *mutex; /* NULL unless the pool shares the connection */
    int64_t busy_timeout; /* ns */
    int64_t busy_since;
    int64_t busy_next; /* how long the next sleep is */
    bool broken;
    bool stopped; /* the host asked for the running statement to end */
    sqlite3_stmt *begin, *commit, *rollback;
};

/* An INSERT that writes several rows at once, made of one that writes one. */
typedef struct corm_sqlite_several {
    sqlite3_stmt *statement; /* NULL: not made yet */
    size_t rows;
    bool consecutive; /* generated keys are consecutive */
    int version;      /* how often the one-row statement had been prepared anew when that was found */
} corm_sqlite_several;

struct corm_driver_statement {
    corm_driver_connection *connection;
    sqlite3_stmt *statement;
    size_t columns;
    bool needs_transaction;
    int64_t changed;
    corm_sqlite_several several;
};

/* The error of a result code, into the thread. */
corm_status corm_sqlite_fail(corm_driver_connection *connection, int code);
corm_status corm_sqlite_prepare(corm_driver_connection *connection, const char *sql, size_t size, sqlite3_stmt **out);
size_t corm_sqlite_parameter_count(corm_driver_statement *statement);
size_t corm_sqlite_parameter_limit(corm_driver_connection *connection);
/* keeps: the value stays valid until the statement has run; else it is copied. */
corm_status corm_sqlite_bind(corm_driver_connection *connection, sqlite3_stmt *prepared, int index,
                             const corm_value *value, bool keeps);
corm_status corm_sqlite_step(corm_driver_statement *statement, bool *has_row);
corm_status corm_sqlite_row(corm_driver_statement *statement, corm_value *values, size_t count);
corm_status corm_sqlite_execute_batch(corm_driver_statement *statement, const corm_batch *batch);

#endif
