/*
 * Inside the driver of PostgreSQL: what its files share.
 *
 * A connection is in libpq's pipeline mode only while one of its calls sends several messages; between calls nothing is
 * under way, because a result is taken whole from the socket. So statements may be used in turn, and a transaction's
 * state is always known.
 */
#ifndef CORM_DRIVER_POSTGRESQL_PRIVATE_H
#define CORM_DRIVER_POSTGRESQL_PRIVATE_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "base/vector.h"
#include "driver/driver.h"

/* Types of the system catalogue whose numbers never change. */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_JSON = 114,
    OID_XML = 142,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
    OID_INTERVAL = 1186,
    OID_CIDR = 650,
    OID_INET = 869,
    OID_INT4_ARRAY = 1007,
    OID_TEXT_ARRAY = 1009,
    OID_UUID = 2950,
    OID_JSONB = 3802
};

/* What cancelling needs, shared with the thread that does it. */
typedef struct corm_pg_canceller {
    atomic_uint references;
    PGcancel *cancel;
} corm_pg_canceller;

struct corm_driver_connection {
    PGconn *native;
    corm_pg_canceller *canceller;
    bool broken;
    bool begins;           /* BEGIN is owed: it goes with the next statement */
    bool prepares;         /* statements are prepared on the server; else sent anew each time */
    unsigned transactions; /* that have ended: a stream's rows go with its own */
    unsigned syncs;        /* of a pipeline, that were sent and not answered yet */
    uint64_t last_name;    /* prepared statements go by numbers */
    uint64_t *closed;      /* names that the server does not know yet to be free */
    size_t closed_count, closed_capacity;
    char isolation[40];        /* of transactions: "" the server's default */
    int64_t timeout;           /* ns that an answer may take; 0: no limit */
    struct corm_pg_left *left; /* what is under way in an open pipeline, in order; empty: the pipeline is closed */
    size_t left_count, left_capacity;
    size_t left_rows; /* executions among it */
    bool left_inside; /* the pipeline was opened in a transaction */
};

/* Answers that were left in the pipeline: of commands, or of the rows of a batch. */
typedef struct corm_pg_left {
    corm_driver_statement *statement; /* NULL: commands */
    const corm_batch *batch;
    size_t next, count; /* rows told and sent; of commands, how many */
    uint64_t savepoint; /* before rows that went as arrays; 0: they went one by one */
    bool released;      /* it ends behind them */
} corm_pg_left;

/* How a column's bytes become a value. */
typedef enum corm_pg_decoder {
    DECODE_TEXT, /* as they are */
    DECODE_BOOL,
    DECODE_INTEGER,
    DECODE_FLOAT,
    DECODE_DECIMAL,
    DECODE_BYTES,
    DECODE_DATE,
    DECODE_TIME,
    DECODE_DATETIME,
    DECODE_BINARY_BOOL,
    DECODE_BINARY_INT2,
    DECODE_BINARY_INT4,
    DECODE_BINARY_INT8,
    DECODE_BINARY_OID,
    DECODE_BINARY_FLOAT4,
    DECODE_BINARY_FLOAT8,
    DECODE_BINARY_NUMERIC,
    DECODE_BINARY_BYTES,
    DECODE_BINARY_DATE,
    DECODE_BINARY_TIME,
    DECODE_BINARY_TIMETZ,
    DECODE_BINARY_TIMESTAMP,
    DECODE_BINARY_TIMESTAMPTZ,
    DECODE_BINARY_UUID,
    DECODE_BINARY_JSONB,
    DECODE_BINARY_INTERVAL
} corm_pg_decoder;

/* What the texts of a type stand for: postgresql_forms.c. */
unsigned corm_pg_form(Oid type);
/* A type whose texts stand for that; 0: the server shall guess. */
Oid corm_pg_type_of_form(unsigned form);

/* Parameters as libpq takes them. */
typedef struct corm_pg_parameters {
    size_t count;
    const char **values;
    int *lengths;
    int *formats;
    size_t *places; /* in room, or SIZE_MAX: values[i] stands elsewhere */
    char *room;
    size_t size, capacity;
} corm_pg_parameters;

/* Rows that come by a cursor on the server's side: postgresql_cursor.c. */
typedef struct corm_pg_stream {
    uint64_t name;
    size_t chunk; /* rows fetched at a time */
    unsigned transaction;
    bool open;
    bool ended; /* its last chunk is here */
    bool holds; /* it outlives transactions */
} corm_pg_stream;

typedef struct corm_pg_arrays corm_pg_arrays; /* an INSERT of many rows: postgresql_arrays.c */

struct corm_driver_statement {
    corm_driver_connection *connection;
    char *sql;
    uint64_t name; /* on the server; 0: not prepared */
    bool several;  /* more than one statement: sent as they are, in one message */
    bool is_plan;  /* a kind that is worth preparing: the server plans it */
    bool is_readonly;
    bool described;    /* parameter_types and formats are known */
    bool reads_binary; /* all columns are of types that are read faster so */
    bool has_zoned;    /* a column is a point in time that is shown in the session's time zone */
    size_t parameter_count;
    bool has_untyped;     /* some parameter is not cast where it stands: it has its value's type */
    bool *casts;          /* by parameter */
    bool has_given;       /* some type of these is not 0 */
    Oid *given_types;     /* what the statement was prepared with; 0: the server's guess */
    Oid *parameter_types; /* what the server says */
    corm_pg_parameters parameters;
    const corm_value *values; /* bound: borrowed */
    PGresult *result;
    int row, rows;
    corm_pg_stream stream;
    size_t columns;
    corm_pg_decoder *decoders;
    uint8_t *forms; /* of the columns' texts */
    bool converts;  /* some column needs room */
    char *room;     /* of the present row's converted values */
    size_t room_capacity;
    int64_t changed;
    Oid first_column;       /* its type, once described */
    corm_pg_arrays *arrays; /* the same INSERT for many rows; NULL: not made yet */
    bool has_no_arrays;     /* it cannot be made */
};

/* What stands in a text of SQL. */
typedef struct corm_pg_text {
    size_t parameters; /* the highest $n */
    size_t statements;
    const char *word; /* the first one */
    size_t word_size;
} corm_pg_text;

/* postgresql_text.c */
void corm_pg_scan(const char *sql, size_t size, corm_pg_text *out);
/* Which parameters are followed by a cast, always. */
void corm_pg_scan_casts(const char *sql, size_t size, bool *casts, size_t count);
bool corm_pg_word_is(const corm_pg_text *text, const char *word);

/* postgresql_errors.c */
/* Of the connection: lost, or misused. */
corm_status corm_pg_fail(corm_driver_connection *connection);
corm_status corm_pg_fail_result(corm_driver_connection *connection, const PGresult *result);

/* postgresql_connect.c */
corm_status corm_pg_connect(const struct corm_url *url, corm_driver_connection **out);
void corm_pg_close(corm_driver_connection *connection);
void corm_pg_abandon(corm_driver_connection *connection);
void corm_pg_interrupt(corm_driver_connection *connection);
/* Ask the server to stop, and wait until it has heard it: a late request would hit what runs next. */
void corm_pg_cancel(corm_pg_canceller *canceller, int64_t deadline);

/* postgresql_calls.c: sending and waiting */
/* The next result, or NULL at the end of a command's. A failed command's result is given too. */
corm_status corm_pg_next_result(corm_driver_connection *connection, PGresult **out);
/* Send what is buffered as far as it goes without blocking. */
corm_status corm_pg_flush(corm_driver_connection *connection);
/* Several messages, then their answers: begin, send with PQsend...(), sync, take the results, end. */
corm_status corm_pg_pipeline_begin(corm_driver_connection *connection);
corm_status corm_pg_pipeline_sync(corm_driver_connection *connection);
/* Take what is left, and leave pipeline mode; what fails here is added to no error that is there already. */
corm_status corm_pg_pipeline_end(corm_driver_connection *connection, corm_status status);
/* Send BEGIN if it is owed, within a pipeline; *answers counts what has to be taken before anything else. */
corm_status corm_pg_send_begin(corm_driver_connection *connection, size_t *answers);
/* Free names on the server, likewise. */
corm_status corm_pg_send_closed(corm_driver_connection *connection, size_t *answers);
/* Take the answer to corm_pg_pipeline_sync(), which comes next. */
corm_status corm_pg_take_sync(corm_driver_connection *connection);
/* Take answers of commands that give no rows. */
corm_status corm_pg_take_answers(corm_driver_connection *connection, size_t answers);
/* One command without rows, at once. */
corm_status corm_pg_run(corm_driver_connection *connection, const char *sql);
/* After a wait that was cut short: stop the server's work and take what comes, or give the connection up. Keeps the
 * error. */
void corm_pg_stop(corm_driver_connection *connection);

/* postgresql_parameters.c */
corm_status corm_pg_parameters_reserve(corm_pg_parameters *parameters, size_t count);
/* The type that a value has by itself; 0: the server shall guess. */
Oid corm_pg_type_of_value(const corm_value *value);
/* types NULL: not known. */
corm_status corm_pg_parameters_set(corm_pg_parameters *parameters, const Oid *types, const corm_value *values,
                                   size_t count);
void corm_pg_parameters_clear(corm_pg_parameters *parameters);

/* postgresql_rows.c */
bool corm_pg_reads_binary(Oid type);
/* Choose decoders for the columns of the statement's result. */
corm_status corm_pg_describe_result(corm_driver_statement *statement);
corm_status corm_pg_row(corm_driver_statement *statement, corm_value *values, size_t count);

/* postgresql_cursor.c */
corm_status corm_pg_execute_streamed(corm_driver_statement *statement, size_t chunk, bool *has_row);
/* The next chunk, to its first row; and the end of it all, which never fails. */
corm_status corm_pg_stream_next(corm_driver_statement *statement, bool *has_row);
void corm_pg_stream_close(corm_driver_statement *statement);

/* postgresql_statement.c */
corm_status corm_pg_prepare(corm_driver_connection *connection, const char *sql, size_t size,
                            corm_driver_statement **out);
void corm_pg_finalize(corm_driver_statement *statement);
corm_status corm_pg_bind(corm_driver_statement *statement, const corm_value *values, size_t count);
corm_status corm_pg_execute(corm_driver_statement *statement, bool *has_row);
corm_status corm_pg_step(corm_driver_statement *statement, bool *has_row);
void corm_pg_reset(corm_driver_statement *statement);
/* Which form results are asked for: 1 binary, 0 text. */
int corm_pg_result_format(const corm_driver_statement *statement);
bool corm_pg_is_utc(PGconn *native);
/* Results of what was sent, to their end, also when something fails on the way; without a pipeline. */
corm_status corm_pg_take_to_end(corm_driver_statement *statement);
/* It is prepared anew when it runs next. */
void corm_pg_forget(corm_driver_statement *statement);
/* Send PREPARE and DESCRIBE, within a pipeline; and take their answers. */
corm_status corm_pg_send_prepare(corm_driver_statement *statement);
corm_status corm_pg_take_prepare(corm_driver_statement *statement);
/* Types for a statement that is prepared now, by the values that it gets first. */
void corm_pg_choose_types(corm_driver_statement *statement, const corm_value *values);
/* Was it prepared for values of other types? */
bool corm_pg_types_differ(const corm_driver_statement *statement, const corm_value *values);
/* The types that parameters are sent for; NULL: not known. */
const Oid *corm_pg_known_types(const corm_driver_statement *statement);
/* Prepare in a round trip of its own, with the BEGIN that is owed. */
corm_status corm_pg_prepare_now(corm_driver_statement *statement);
/* The results of one execution: one, or of several statements the last. */
corm_status corm_pg_take_results(corm_driver_statement *statement);
/* Send one execution with the parameters that are set. */
corm_status corm_pg_send_execute(corm_driver_statement *statement);
bool corm_pg_wants_preparing(const corm_driver_statement *statement);
/* Make a result the statement's: it is checked, kept, and its rows counted. */
corm_status corm_pg_accept(corm_driver_statement *statement, PGresult *result);

/* postgresql_arrays_text.c */
struct corm_text;
/* The statement of arrays for one of VALUES, and the elements' types by parameter; empty when it has not the form.
 * *returns: it gives rows. *witness: 1 + the parameter that is to come back in a last column; 0 when it does not. */
corm_status corm_pg_arrays_rewrite(const corm_driver_statement *statement, Oid *types, bool *returns, size_t *witness,
                                   struct corm_text *out);

/* postgresql_arrays.c */
/* Insert rows of a batch together, from the first on, as long as that is possible; *done: how many. */
corm_status corm_pg_insert_arrays(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                                  size_t *done);
/* Fill the arrays with a batch that may wait; *ready false: it has to go row by row. Settles when it must prepare. */
corm_status corm_pg_arrays_ready(corm_driver_statement *statement, const corm_batch *batch, corm_value *values,
                                 bool *ready);
/* Send what was filled, behind a savepoint, into the open pipeline. */
corm_status corm_pg_arrays_leave(corm_driver_statement *statement, corm_pg_left *left);
/* Take what came of it, and tell it. *undo: the rows have to go one by one instead, from the savepoint on. */
corm_status corm_pg_arrays_take(const corm_pg_left *left, bool *undo);
void corm_pg_arrays_free(corm_pg_arrays *arrays); /* accepts NULL */

/* postgresql_batch.c */
corm_status corm_pg_execute_batch(corm_driver_statement *statement, const corm_batch *batch);
corm_status corm_pg_settle(corm_driver_connection *connection, bool tell);

#endif
