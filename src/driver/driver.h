/*
 * The driver seam: what a database's client library must do, and nothing else.
 *
 * One static corm_driver per library, registered in driver/registry.c. Columns come out as borrowed tagged
 * values, valid until the next step, reset or close. Errors are classified by the driver into the engine's
 * error classes, with native code; the caller adds the statement. All blocking goes through base/wait.h.
 *
 * Thread rule: a connection and its statements are used by one thread at a time; interrupt() may be called
 * from any thread.
 */
#ifndef CORM_DRIVER_DRIVER_H
#define CORM_DRIVER_DRIVER_H

#include "type/value.h"

struct corm_url;

typedef struct corm_driver_connection corm_driver_connection; /* each driver's own struct */
typedef struct corm_driver_statement corm_driver_statement;

/* Gives the parameters of one row of a batch: fill values[0..count). Values are borrowed until the next
 * call. Non-zero status stops the batch and is returned by it. */
typedef corm_status (*corm_batch_bind)(void *context, size_t row, corm_value *values, size_t count);
/* Told after each row of a batch, in the batch's order: the generated key (0 when none), the number of rows
 * changed (where the database tells it for many rows together, shares that add up), and, for a statement that returns
 * rows, its one result row (else NULL). */
typedef corm_status (*corm_batch_result)(void *context, size_t row, int64_t generated_key, int64_t changed,
                                         const corm_value *values, size_t count);

/* Of an INSERT of one row, what a driver needs to write several rows with one statement. */
typedef struct corm_batch_row {
    size_t at, size; /* the row's values in the statement's text; size 0: they cannot be repeated */
    /* Whether a row's values stay valid until its result was told; else until the next bind. */
    bool keeps_values;
} corm_batch_row;

typedef struct corm_batch {
    size_t rows;
    size_t parameter_count; /* of each row */
    corm_batch_bind bind;
    corm_batch_result result; /* may be NULL */
    bool wants_keys;          /* each row's generated key must be told; else it may be 0 */
    size_t unique;            /* 1 + the parameter that is the key of each row: all differ; 0: none is known to be */
    bool may_wait;            /* results may be told later, by settle(): until then the batch stays as it is */
    corm_batch_row row;       /* all zero: statements are repeated */
    void *context;
} corm_batch;

typedef struct corm_driver {
    const char *name;    /* "pysqlite": as in sqlite+pysqlite:// */
    const char *dialect; /* "sqlite" */
    /* What other libraries for this database are called: in URLs they mean this driver. NULL-terminated, or NULL. */
    const char *const *other_names;
    /* Those for asyncio, which are refused. NULL-terminated, or NULL. */
    const char *const *asyncio_names;
    /* Whether each connection of the URL would have a database of its own; NULL: never. */
    bool (*is_private)(const struct corm_url *url);
    /* Rows of a batch from which on a larger one gains nothing; 0: the larger the better. */
    size_t batch_rows;

    corm_status (*connect)(const struct corm_url *url, corm_driver_connection **out);
    /* Closes the connection and what is left open on it; never fails, accepts NULL. */
    void (*close)(corm_driver_connection *connection);
    /* Let go without touching the socket or file: for the child of a fork. */
    void (*abandon)(corm_driver_connection *connection);
    bool (*is_usable)(corm_driver_connection *connection); /* false after a fatal error */
    bool (*in_transaction)(corm_driver_connection *connection);
    void (*interrupt)(corm_driver_connection *connection);
    int (*server_version)(corm_driver_connection *connection); /* 3040001 */
    void *(*native)(corm_driver_connection *connection);       /* sqlite3 * */
    /* How many parameters one statement may have. */
    size_t (*parameter_limit)(corm_driver_connection *connection);

    /* Compile one statement. Text after it but white space and comments is CORM_PROGRAMMING_ERROR. */
    corm_status (*prepare)(corm_driver_connection *connection, const char *sql, size_t size,
                           corm_driver_statement **out);
    void (*finalize)(corm_driver_statement *statement); /* accepts NULL */
    size_t (*parameter_count)(corm_driver_statement *statement);
    /* Known for certain once the statement was executed. */
    size_t (*column_count)(corm_driver_statement *statement);
    const char *(*column_name)(corm_driver_statement *statement, size_t column); /* borrowed */
    /* The name of a parameter without its mark, or NULL when it goes by its place. Borrowed. */
    const char *(*parameter_name)(corm_driver_statement *statement, size_t index);
    bool (*is_readonly)(corm_driver_statement *statement);
    /* Whether a transaction that was asked for must have begun before this statement runs. */
    bool (*needs_transaction)(corm_driver_statement *statement);
    /* Bind all parameters; values are borrowed until reset. */
    corm_status (*bind)(corm_driver_statement *statement, const corm_value *values, size_t count);
    /* Run to the first row (*has_row) or to the end. */
    corm_status (*execute)(corm_driver_statement *statement, bool *has_row);
    /* Likewise, but rows come from the server while they are stepped to, so many at a time, and other statements may run
     * meanwhile. A stream does not outlive its transaction for certain. NULL: execute() does so. */
    corm_status (*execute_streamed)(corm_driver_statement *statement, size_t chunk, bool *has_row);
    corm_status (*step)(corm_driver_statement *statement, bool *has_row);
    /* The current row, columns 0..count-1. */
    corm_status (*row)(corm_driver_statement *statement, corm_value *values, size_t count);
    /* How many rows of the result are here, read ones too; NULL: never known. */
    size_t (*rows_here)(corm_driver_statement *statement);
    /* Ready for the next bind and execute; drops remaining rows. */
    void (*reset)(corm_driver_statement *statement);
    corm_status (*execute_batch)(corm_driver_statement *statement, const corm_batch *batch);
    /* Tell the results that batches which may wait have left, in order; tell false: drop them, without a word. Until then
     * only such batches are executed, and nothing is reset. NULL: nothing is ever left. */
    corm_status (*settle)(corm_driver_connection *connection, bool tell);
    int64_t (*changed_rows)(corm_driver_statement *statement); /* of the last execution; -1 unknown */
    int64_t (*last_generated_key)(corm_driver_connection *connection);

    /* Shall each statement be a transaction of its own? NULL: it is, unless begin() was called. */
    corm_status (*set_autocommit)(corm_driver_connection *connection, bool on);
    /* Transaction control; name is a savepoint's, already a safe identifier. */
    corm_status (*begin)(corm_driver_connection *connection);
    corm_status (*commit)(corm_driver_connection *connection);
    corm_status (*rollback)(corm_driver_connection *connection);
} corm_driver;

/* NULL with CORM_NO_SUCH_MODULE when there is none. driver_name may be NULL, or another library's: the dialect's own. */
const corm_driver *corm_driver_find(const char *dialect, const char *driver_name);

#endif
