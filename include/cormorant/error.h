/*
 * Errors: what failed, why, and in which statement.
 *
 * A function that can fail returns a corm_status. The details of the last failure belong to the
 * calling thread and are read with corm_error_last(); an operation that has its own place to keep
 * them (a session, a query) moves them there before any clean-up can overwrite them.
 */
#ifndef CORMORANT_ERROR_H
#define CORMORANT_ERROR_H

#include <cormorant/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The class of a failure. The names follow the exceptions that SQLAlchemy documents. */
typedef enum corm_status {
    CORM_OK = 0,
    CORM_NO_MEMORY,               /* an allocation failed */
    CORM_ARGUMENT_ERROR,          /* a wrong argument to a construct: wrong kind, unknown name */
    CORM_TYPE_ERROR,              /* a value of a type that does not fit */
    CORM_VALUE_ERROR,             /* a value out of its range */
    CORM_KEY_ERROR,               /* no such column, parameter or name */
    CORM_INVALID_REQUEST,         /* the call makes no sense in the present state */
    CORM_COMPILE_ERROR,           /* the statement cannot be turned to SQL */
    CORM_UNSUPPORTED_COMPILATION, /* this dialect cannot render the construct */
    CORM_STATEMENT_ERROR,         /* a parameter is missing or cannot be converted */
    CORM_INTERFACE_ERROR,         /* driver classes, as PEP 249 names them */
    CORM_DATABASE_ERROR,
    CORM_DATA_ERROR,
    CORM_OPERATIONAL_ERROR,
    CORM_INTEGRITY_ERROR,
    CORM_INTERNAL_ERROR,
    CORM_PROGRAMMING_ERROR,
    CORM_NOT_SUPPORTED,
    CORM_NO_RESULT_FOUND,
    CORM_MULTIPLE_RESULTS_FOUND,
    CORM_RESOURCE_CLOSED, /* a closed result, connection or engine was used */
    CORM_NO_SUCH_COLUMN,
    CORM_NO_SUCH_MODULE, /* no dialect or driver of that name */
    CORM_NO_REFERENCED_TABLE,
    CORM_NO_REFERENCED_COLUMN,
    CORM_NO_FOREIGN_KEYS, /* no path to join along */
    CORM_AMBIGUOUS_FOREIGN_KEYS,
    CORM_CIRCULAR_DEPENDENCY,
    CORM_PENDING_ROLLBACK,     /* the transaction failed; roll back first */
    CORM_ILLEGAL_STATE_CHANGE, /* a session used while another of its operations runs */
    CORM_TIMEOUT,              /* waited too long, e.g. for a pooled connection */
    CORM_INTERRUPTED,          /* the wait was interrupted by the host (a signal) */
    CORM_UNMAPPED_CLASS,
    CORM_UNMAPPED_INSTANCE,
    CORM_DETACHED_INSTANCE,
    CORM_OBJECT_DELETED,
    CORM_STALE_DATA,
    CORM_FLUSH_ERROR,
    CORM_LOADER_STRATEGY, /* a loader option that does not fit */
    CORM_HOST_ERROR,      /* user's code failed; the host's own exception is attached */
    CORM_OVERFLOW_ERROR   /* a number that the database cannot hold */
} corm_status;

/* What a server says about a failure beside its message. */
typedef enum corm_diagnostic {
    CORM_DIAGNOSTIC_PRIMARY, /* the message alone */
    CORM_DIAGNOSTIC_SEVERITY,
    CORM_DIAGNOSTIC_DETAIL,
    CORM_DIAGNOSTIC_HINT,
    CORM_DIAGNOSTIC_POSITION, /* in the statement, in characters from 1 */
    CORM_DIAGNOSTIC_CONTEXT,
    CORM_DIAGNOSTIC_SCHEMA,
    CORM_DIAGNOSTIC_TABLE,
    CORM_DIAGNOSTIC_COLUMN,
    CORM_DIAGNOSTIC_TYPE,
    CORM_DIAGNOSTIC_CONSTRAINT,
    CORM_DIAGNOSTIC_COUNT
} corm_diagnostic;

/* The details of a failure. All strings may be NULL; they live as long as the error. */
typedef struct corm_error {
    corm_status status;
    char *message;      /* one sentence: what, where, what to do */
    char *statement;    /* the SQL text that failed */
    char *parameters;   /* its parameters, rendered for people, long lists cut short */
    int native_code;    /* the client library's extended code, 0 if none; of CORM_STATEMENT_ERROR: the
                                 corm_status of what is wrong with a value */
    char sqlstate[6];   /* "" where the database has none */
    const char *driver; /* whose failure it is: "pysqlite"; a static string; NULL: the engine's own */
    char *diagnostics[CORM_DIAGNOSTIC_COUNT];
    bool disconnected;    /* the connection is of no more use */
    bool transient;       /* the database gave way to others: see corm_error_is_transient() */
    bool in_doubt;        /* the connection was lost when it was told to commit: whether it did is not known */
    void *host_exception; /* an owned reference of the host, see corm_error_set_host() */
} corm_error;

/* The calling thread's last error. Never NULL; its status is CORM_OK when there is none. Valid until
 * the next failing call in this thread. */
CORM_API const corm_error *corm_error_last(void);

/* May the same transaction go well when it is tried again? So it is after a deadlock, a serialization failure, a lock that
 * was not got in time, or a connection that was lost before it was told to commit; not when the commit is in doubt. NULL:
 * the calling thread's last error. corm_retry() tries again. */
CORM_API bool corm_error_is_transient(const corm_error *error);

/* The status' name, such as "IntegrityError". A static string. */
CORM_API const char *corm_status_name(corm_status status);

/* Forget the calling thread's last error. */
CORM_API void corm_error_clear(void);

#ifdef __cplusplus
}
#endif
#endif
