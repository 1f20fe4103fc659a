/* Setting and moving errors; the public part is cormorant/error.h. */
#ifndef CORM_BASE_ERROR_H
#define CORM_BASE_ERROR_H

#include <cormorant/error.h>

/* Set the calling thread's error, replacing the last, and return its status, so that a function can
 * end with `return corm_error_set(...)`. Never fails: a message that cannot be allocated becomes
 * CORM_NO_MEMORY. */
corm_status corm_error_set(corm_status status, const char *format, ...) CORM_PRINTF(2, 3);
corm_status corm_error_no_memory(void);

/* Record the host's own exception (an owned reference) with a class. `release` lets go of it when the
 * error is cleared. */
corm_status corm_error_set_host(corm_status status, void *exception, void (*release)(void *exception));

/* Add the failing statement, its parameters and native codes to the current error; what is already
 * there stays. Failing to allocate leaves the fields NULL. */
void corm_error_add_statement(const char *statement, const char *parameters);
void corm_error_add_native(int native_code, const char *sqlstate);
/* More to say, behind the message. */
void corm_error_add_words(const char *words);
/* Say that the current error is a driver's, unless that was said; the name is static. */
void corm_error_add_driver(const char *driver);
void corm_error_add_disconnect(void);                                    /* the connection cannot be used again */
void corm_error_add_transient(void);                                     /* what others did was in the way */
void corm_error_add_doubt(void);                                         /* it may have been committed */
void corm_error_add_diagnostic(corm_diagnostic which, const char *text); /* NULL: nothing */

/* Move the thread's error out (leaving none) and back in. An error moved out must be put back or
 * cleared with corm_error_free_content(). Used around clean-up and user's hooks. */
void corm_error_take(corm_error *out);
void corm_error_restore(corm_error *error);
void corm_error_free_content(corm_error *error);

#endif
