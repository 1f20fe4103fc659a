/*
 * Inside the driver of MariaDB and MySQL: what its files share.
 *
 * mysql.c holds the driver's table and transactions, mysql_connect.c options and connecting, mysql_calls.c the calls of
 * the client library that may wait, mysql_statement.c statements, mysql_values.c how values travel, mysql_literals.c
 * values in text, mysql_batch.c batches, mysql_errors.c the classes of errors.
 */
#ifndef CORM_DRIVER_MYSQL_PRIVATE_H
#define CORM_DRIVER_MYSQL_PRIVATE_H

#include <mysql.h>
#include <stdatomic.h>

#include "driver/driver.h"
#include "engine/url.h"

/* The driver's name, after the library that programs know. */
#define CORM_MYSQL_DRIVER "mysqldb"

/* How to reach the server: shared with the thread that cancels a statement. */
typedef struct corm_mysql_settings {
    atomic_uint references;
    corm_url *url;
    char *host, *user, *password, *database, *unix_socket;
    unsigned int port;
    int64_t connect_timeout; /* ns; 0: none */
    int64_t timeout;         /* ns that one wait may last; 0: no limit */
} corm_mysql_settings;

struct corm_driver_connection {
    MYSQL *mysql;
    corm_mysql_settings *settings;
    int64_t deadline;  /* of connecting; 0: none */
    int64_t cancelled; /* until when the server has time to end what was cancelled; 0: nothing was */
    int request_done;  /* of the cancel request, see corm_mysql_send_cancel() */
    bool broken;
    bool is_mariadb;
    bool touched;                      /* something ran since the last COMMIT or ROLLBACK */
    uint64_t generated;                /* the key that the last INSERT made; 0: none */
    corm_driver_statement *statements; /* open ones */
};

/* A parameter's value while it is bound. */
typedef union corm_mysql_room {
    int64_t integer;
    double real;
    MYSQL_TIME time;
} corm_mysql_room;

/* Digits of an integer that needs more than 63 bits. */
enum { CORM_MYSQL_DIGITS = 24 };

struct corm_driver_statement {
    corm_driver_connection *connection;
    corm_driver_statement *next, **link; /* among the connection's */
    bool as_text;
    MYSQL_STMT *prepared; /* else; NULL: to be prepared again */
    char *sql;
    size_t size;
    corm_text filled;     /* the same with its values, where it has parameters */
    bool writes, inserts; /* INSERT, REPLACE; UPDATE or DELETE as well */
    bool executed;        /* what it returns is known */
    size_t parameters;
    corm_driver_statement *several; /* the same INSERT for several rows at once; NULL: not made yet */
    size_t several_rows;
    corm_driver_statement *owner; /* whose `several` this is; NULL: nobody's */
    unsigned int array_rows;      /* rows that the bound arrays have; 0: values are bound */
    MYSQL_BIND *binds;
    corm_mysql_room *rooms;
    MYSQL_RES *result; /* rows of one that goes as text */
    MYSQL_FIELD *fields;
    size_t columns;
    bool row_set; /* rows of a prepared one are there */
    bool streams; /* they come in chunks, from a cursor on the server's side */
    MYSQL_ROWS *next_row;
    const unsigned char *row;          /* the present row ... */
    size_t row_size;                   /* ... and its bytes */
    MYSQL_ROW text_row;                /* of one that goes as text */
    char (*digits)[CORM_MYSQL_DIGITS]; /* room for values that are made while reading a row, by column */
    int64_t changed;
};

/* ---- mysql_errors.c ---- */

/* The error of a call on the connection, or on a statement. Marks the connection broken where it is. */
corm_status corm_mysql_fail(corm_driver_connection *connection);
corm_status corm_mysql_fail_statement(corm_driver_statement *statement);
corm_status corm_mysql_fail_with(corm_driver_connection *connection, unsigned int code, const char *state,
                                 const char *message);
/* Nothing more can be said to the server: wakes whoever waits for it. */
void corm_mysql_break(corm_driver_connection *connection);

/* ---- mysql_connect.c ---- */

corm_status corm_mysql_connect(const corm_url *url, corm_driver_connection **out);
void corm_mysql_close(corm_driver_connection *connection);
void corm_mysql_abandon(corm_driver_connection *connection);
/* Ask the server, on a connection of its own in a thread of its own, to stop what this one runs. */
void corm_mysql_interrupt(corm_driver_connection *connection);
/* The same; the descriptor can be read when the request was answered, and is the caller's to close; -1: not sent. */
int corm_mysql_send_cancel(corm_driver_connection *connection);

/* ---- mysql_calls.c: each waits through base/wait.h ---- */

/* host: the one of the settings, or its address. */
corm_status corm_mysql_call_connect(corm_driver_connection *connection, const char *host);
/* Run a text of one statement; its rows, if any, go to *result (NULL: none). */
corm_status corm_mysql_call_query(corm_driver_connection *connection, const char *sql, size_t size, MYSQL_RES **result);
corm_status corm_mysql_call_prepare(corm_driver_statement *statement, const char *sql, size_t size);
/* Send the bound values and read the answer's beginning, then all rows. */
corm_status corm_mysql_call_execute(corm_driver_statement *statement);
corm_status corm_mysql_call_store(corm_driver_statement *statement);
/* Of a cursor: have the next rows sent; *has_row false at the end. And drop what is left of it, without a word. */
corm_status corm_mysql_call_fetch(corm_driver_statement *statement, bool *has_row);
void corm_mysql_call_drop(corm_driver_statement *statement);
void corm_mysql_call_close(corm_driver_statement *statement);
/* What was asked of the server is over, with this outcome. CORM_INTERRUPTED when the host wanted it to stop. */
corm_status corm_mysql_call_end(corm_driver_connection *connection, corm_status status);

/* ---- mysql_values.c ---- */

corm_status corm_mysql_encode(MYSQL_BIND *bind, corm_mysql_room *room, const corm_value *value, size_t place);
/* The present row of a prepared statement's result. */
corm_status corm_mysql_decode_row(corm_driver_statement *statement, corm_value *values, size_t count);
/* The present row of a result in text. */
corm_status corm_mysql_decode_text_row(corm_driver_statement *statement, corm_value *values, size_t count);

/* ---- mysql_literals.c: parameters of statements that go as text ---- */

size_t corm_mysql_count_marks(const corm_driver_statement *statement);
corm_status corm_mysql_write_literals(corm_driver_statement *statement, const corm_value *values, size_t count);

/* ---- mysql_statement.c ---- */

corm_status corm_mysql_prepare(corm_driver_connection *connection, const char *sql, size_t size,
                               corm_driver_statement **out);
void corm_mysql_finalize(corm_driver_statement *statement);
corm_status corm_mysql_bind(corm_driver_statement *statement, const corm_value *values, size_t count);
corm_status corm_mysql_execute_streamed(corm_driver_statement *statement, size_t chunk, bool *has_row);
/* Execute what is bound and fetch all rows, of which none is the present one yet. */
corm_status corm_mysql_run(corm_driver_statement *statement);
corm_status corm_mysql_execute(corm_driver_statement *statement, bool *has_row);
corm_status corm_mysql_step(corm_driver_statement *statement, bool *has_row);
corm_status corm_mysql_row(corm_driver_statement *statement, corm_value *values, size_t count);
void corm_mysql_reset(corm_driver_statement *statement);

/* ---- mysql_batch.c ---- */

corm_status corm_mysql_execute_batch(corm_driver_statement *statement, const corm_batch *batch);

#endif
