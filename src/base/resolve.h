/*
 * Names of hosts as addresses. The system's resolver can only block, so it runs on a thread of its own, and the caller waits
 * for that thread as for a server: with a deadline, letting others run, and to be interrupted.
 */
#ifndef CORM_BASE_RESOLVE_H
#define CORM_BASE_RESOLVE_H

#include <netdb.h>

#include "base/error.h"
#include "base/vector.h"

/* The addresses of a host, in the resolver's order, as texts that the caller frees, with those that are in the vector
 * already. CORM_OPERATIONAL_ERROR: there are none, with the resolver's words and its number (EAI_...) as native code.
 * CORM_TIMEOUT, CORM_INTERRUPTED. deadline: of corm_clock_now(), or negative for none. */
corm_status corm_resolve(const char *host, int64_t deadline, corm_vector *addresses);
/* Whether it is an address already. */
bool corm_is_address(const char *host);
void corm_addresses_free(corm_vector *addresses);

/* For tests: another resolver; NULL: the system's. */
typedef int (*corm_resolver)(const char *host, const char *service, const struct addrinfo *hints,
                             struct addrinfo **out);
void corm_resolve_with(corm_resolver resolver);

#endif
