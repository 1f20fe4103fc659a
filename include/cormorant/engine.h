/* Engines: a database by its URL, with a pool of connections. May be used from many threads. */
#ifndef CORMORANT_ENGINE_H
#define CORMORANT_ENGINE_H

#include <cormorant/common.h>
#include <cormorant/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_engine corm_engine;

/* Called with each SQL statement and transaction mark: for echo. */
typedef void (*corm_echo)(void *context, const char *message);

/* Open a database by its URL: "sqlite:///file.db", "sqlite://" (in memory),
 * "sqlite:///file.db?foreign_keys=1&timeout=10". Connects when first used. NULL: see corm_error_last(). */
CORM_API corm_engine *corm_open(const char *url);
/* Give back; closes connections when the last session is gone. Accepts NULL. */
CORM_API void corm_close(corm_engine *engine);
/* Tell each statement to a function; NULL: to standard error. */
CORM_API corm_status corm_open_with_echo(const char *url, corm_echo echo, void *context, corm_engine **out);

#ifdef __cplusplus
}
#endif
#endif
