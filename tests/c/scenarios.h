/*
 * Scenarios for what may go wrong underneath: memory, disk, locks. Each is prepared with everything in order; then it runs,
 * and may fail at any point; then the world must be as it was before, or as it is after, and nothing between.
 */
#ifndef CORM_TEST_SCENARIOS_H
#define CORM_TEST_SCENARIOS_H

#include "support.h"

typedef struct scenario {
    const char *name;
    void (*prepare)(void); /* may be NULL */
    /* Works with now.session and commits at most once, at its end. Gives back the first failure. What it checks of its own
     * and does not hold is CORM_INTERNAL_ERROR. */
    corm_status (*run)(void);
    const char *after; /* the file's rows when it committed, as file_contents(); NULL: as before */
} scenario;

extern const scenario scenarios[];
extern const size_t scenario_count;

/* Rows of the tables that scenarios write. */
const char *file_contents(void);

/* Leave the running scenario with a failure. */
#define attempt(call)                                                                                                  \
    do {                                                                                                               \
        corm_status status_ = (call);                                                                                  \
        if (status_ != CORM_OK) {                                                                                      \
            return status_;                                                                                            \
        }                                                                                                              \
    } while (0)
#define attempt_made(pointer)                                                                                          \
    do {                                                                                                               \
        if ((pointer) == NULL) {                                                                                       \
            return corm_error_last()->status != CORM_OK ? corm_error_last()->status : CORM_INTERNAL_ERROR;             \
        }                                                                                                              \
    } while (0)
#define holds(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            return corm_error_last()->status != CORM_OK                                                                \
                       ? corm_error_last()->status                                                                     \
                       : corm_fail(CORM_INTERNAL_ERROR, "line %d: it does not hold that %s", __LINE__, #condition);    \
        }                                                                                                              \
    } while (0)

#endif
