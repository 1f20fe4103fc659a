/*
 * Errors: one per thread. See error.h.
 *
 * Being short of memory needs no memory: it is a status without strings. What a thread leaves behind is freed when it
 * ends.
 */
#include "base/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

typedef struct thread_error {
    corm_error error;
    void (*release)(void *exception); /* of error.host_exception */
} thread_error;

static _Thread_local thread_error last;
static _Thread_local bool clean_up_registered;
static pthread_key_t clean_up_key;
static pthread_once_t clean_up_once = PTHREAD_ONCE_INIT;
/* One host per process has exceptions; its release function is remembered for errors that were moved. */
static void (*release_exception)(void *exception);

static void clean_up(void *unused) {
    (void)unused;
    corm_error_clear();
}

static void make_clean_up_key(void) {
    pthread_key_create(&clean_up_key, clean_up);
}

static void register_clean_up(void) {
    if (!clean_up_registered) {
        clean_up_registered = true;
        pthread_once(&clean_up_once, make_clean_up_key);
        pthread_setspecific(clean_up_key, &last);
    }
}

const corm_error *corm_error_last(void) {
    return &last.error;
}

void corm_error_free_content(corm_error *error) {
    void *exception = error->host_exception;
    corm_free(error->message);
    corm_free(error->statement);
    corm_free(error->parameters);
    for (size_t i = 0; i < CORM_DIAGNOSTIC_COUNT; i++) {
        corm_free(error->diagnostics[i]);
    }
    *error = (corm_error){0};
    if (exception != NULL && release_exception != NULL) {
        release_exception(exception);
    }
}

void corm_error_clear(void) {
    corm_error taken = last.error;
    last.error = (corm_error){0};
    corm_error_free_content(&taken);
}

corm_status corm_error_no_memory(void) {
    corm_error_clear();
    last.error.status = CORM_NO_MEMORY;
    return CORM_NO_MEMORY;
}

corm_status corm_error_set(corm_status status, const char *format, ...) {
    corm_text message = CORM_TEXT_EMPTY;
    va_list arguments;
    char room[256];
    va_start(arguments, format);
    int size = vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof room) {
        corm_text_append_bytes(&message, room, (size_t)size);
    } else if (size >= 0) {
        char *longer = corm_alloc((size_t)size + 1);
        if (longer != NULL) {
            va_start(arguments, format);
            vsnprintf(longer, (size_t)size + 1, format, arguments);
            va_end(arguments);
            message = (corm_text){longer, (size_t)size, (size_t)size + 1, false};
        } else {
            message.failed = true;
        }
    }
    char *text = corm_text_take(&message, NULL);
    corm_error_clear();
    if (text == NULL) {
        return corm_error_no_memory();
    }
    register_clean_up();
    last.error.status = status;
    last.error.message = text;
    return status;
}

corm_status corm_error_set_host(corm_status status, void *exception, void (*release)(void *exception)) {
    corm_error_clear();
    register_clean_up();
    release_exception = release;
    last.error.status = status;
    last.error.host_exception = exception;
    return status;
}

void corm_error_add_statement(const char *statement, const char *parameters) {
    /* Short of memory, the error stays as it is. */
    corm_error kept;
    corm_error_take(&kept);
    if (kept.statement == NULL && statement != NULL) {
        kept.statement = corm_strdup(statement);
    }
    if (kept.parameters == NULL && parameters != NULL) {
        kept.parameters = corm_strdup(parameters);
    }
    corm_error_restore(&kept);
}

void corm_error_add_native(int native_code, const char *sqlstate) {
    last.error.native_code = native_code;
    if (sqlstate != NULL) {
        snprintf(last.error.sqlstate, sizeof last.error.sqlstate, "%s", sqlstate);
    }
}

void corm_error_add_words(const char *words) {
    corm_error kept;
    corm_error_take(&kept); /* being short of memory would replace it */
    size_t size = kept.message == NULL ? 0 : strlen(kept.message), more = strlen(words) + 1;
    char *longer = kept.message == NULL ? NULL : corm_realloc(kept.message, size + more);
    if (longer != NULL) {
        memcpy(longer + size, words, more);
        kept.message = longer;
    }
    corm_error_clear();
    corm_error_restore(&kept);
}

void corm_error_add_driver(const char *driver) {
    if (last.error.driver == NULL) {
        last.error.driver = driver;
    }
}

void corm_error_add_disconnect(void) {
    last.error.disconnected = last.error.status != CORM_OK;
}

void corm_error_add_transient(void) {
    last.error.transient = last.error.status != CORM_OK;
}

void corm_error_add_doubt(void) {
    last.error.in_doubt = last.error.status != CORM_OK;
}

bool corm_error_is_transient(const corm_error *error) {
    error = error == NULL ? &last.error : error;
    return !error->in_doubt && (error->transient || (error->disconnected && error->status == CORM_OPERATIONAL_ERROR));
}

void corm_error_add_diagnostic(corm_diagnostic which, const char *text) {
    corm_error kept;
    corm_error_take(&kept);
    if (text != NULL && kept.diagnostics[which] == NULL) {
        kept.diagnostics[which] = corm_strdup(text);
    }
    corm_error_restore(&kept);
}

void corm_error_take(corm_error *out) {
    *out = last.error;
    last.error = (corm_error){0};
}

void corm_error_restore(corm_error *error) {
    corm_error_clear();
    last.error = *error;
    *error = (corm_error){0};
}

const char *corm_status_name(corm_status status) {
    switch (status) {
    case CORM_OK:
        return "OK";
    case CORM_NO_MEMORY:
        return "MemoryError";
    case CORM_ARGUMENT_ERROR:
        return "ArgumentError";
    case CORM_TYPE_ERROR:
        return "TypeError";
    case CORM_VALUE_ERROR:
        return "ValueError";
    case CORM_OVERFLOW_ERROR:
        return "OverflowError";
    case CORM_KEY_ERROR:
        return "KeyError";
    case CORM_INVALID_REQUEST:
        return "InvalidRequestError";
    case CORM_COMPILE_ERROR:
        return "CompileError";
    case CORM_UNSUPPORTED_COMPILATION:
        return "UnsupportedCompilationError";
    case CORM_STATEMENT_ERROR:
        return "StatementError";
    case CORM_INTERFACE_ERROR:
        return "InterfaceError";
    case CORM_DATABASE_ERROR:
        return "DatabaseError";
    case CORM_DATA_ERROR:
        return "DataError";
    case CORM_OPERATIONAL_ERROR:
        return "OperationalError";
    case CORM_INTEGRITY_ERROR:
        return "IntegrityError";
    case CORM_INTERNAL_ERROR:
        return "InternalError";
    case CORM_PROGRAMMING_ERROR:
        return "ProgrammingError";
    case CORM_NOT_SUPPORTED:
        return "NotSupportedError";
    case CORM_NO_RESULT_FOUND:
        return "NoResultFound";
    case CORM_MULTIPLE_RESULTS_FOUND:
        return "MultipleResultsFound";
    case CORM_RESOURCE_CLOSED:
        return "ResourceClosedError";
    case CORM_NO_SUCH_COLUMN:
        return "NoSuchColumnError";
    case CORM_NO_SUCH_MODULE:
        return "NoSuchModuleError";
    case CORM_NO_REFERENCED_TABLE:
        return "NoReferencedTableError";
    case CORM_NO_REFERENCED_COLUMN:
        return "NoReferencedColumnError";
    case CORM_NO_FOREIGN_KEYS:
        return "NoForeignKeysError";
    case CORM_AMBIGUOUS_FOREIGN_KEYS:
        return "AmbiguousForeignKeysError";
    case CORM_CIRCULAR_DEPENDENCY:
        return "CircularDependencyError";
    case CORM_PENDING_ROLLBACK:
        return "PendingRollbackError";
    case CORM_ILLEGAL_STATE_CHANGE:
        return "IllegalStateChangeError";
    case CORM_TIMEOUT:
        return "TimeoutError";
    case CORM_INTERRUPTED:
        return "Interrupted";
    case CORM_UNMAPPED_CLASS:
        return "UnmappedClassError";
    case CORM_UNMAPPED_INSTANCE:
        return "UnmappedInstanceError";
    case CORM_DETACHED_INSTANCE:
        return "DetachedInstanceError";
    case CORM_OBJECT_DELETED:
        return "ObjectDeletedError";
    case CORM_STALE_DATA:
        return "StaleDataError";
    case CORM_FLUSH_ERROR:
        return "FlushError";
    case CORM_LOADER_STRATEGY:
        return "LoaderStrategyException";
    case CORM_HOST_ERROR:
        return "HostError";
    }
    return "UnknownError";
}
