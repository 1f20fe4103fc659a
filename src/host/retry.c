/*
 * A unit of work that is tried again when others were in its way: see cormorant/session.h. Each attempt has a session of
 * its own, so that nothing of a failed one is left.
 */
#include <cormorant/session.h>

#include "base/wait.h"

static const unsigned usual_attempts = 5;
static const double usual_pause = 0.05, usual_longest_pause = 2, second = 1e9;

static corm_status attempt(corm_engine *engine, corm_models *models, corm_work work, void *context) {
    corm_session *session = corm_session_open(engine, models);
    if (session == NULL) {
        return corm_error_last()->status;
    }
    corm_status status = work(context, session);
    if (status == CORM_OK) {
        status = corm_commit(session);
    }
    corm_error reason;
    corm_error_take(&reason);
    corm_session_end(session);
    corm_error_restore(&reason);
    return status;
}

corm_status corm_retry(corm_engine *engine, corm_models *models, const corm_patience *patience, corm_work work,
                       void *context) {
    const corm_patience usual = {0};
    const corm_patience *chosen = patience == NULL ? &usual : patience;
    unsigned attempts = chosen->attempts == 0 ? usual_attempts : chosen->attempts;
    double pause = chosen->pause == 0 ? usual_pause : chosen->pause;
    double longest = chosen->longest_pause == 0 ? usual_longest_pause : chosen->longest_pause;
    if (engine == NULL || models == NULL || work == NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "corm_retry() needs an engine, models and work");
    }
    if (!(pause >= 0 && longest >= 0 && pause < (double)INT32_MAX && longest < (double)INT32_MAX)) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "a pause before another attempt is a number of seconds from 0 on");
    }
    for (unsigned count = 1;; count++) {
        corm_status status = attempt(engine, models, work, context);
        if (status == CORM_OK || count == attempts || !corm_error_is_transient(NULL)) {
            return status;
        }
        corm_error_clear();
        status =
            corm_wait_pause(corm_wait_before_attempt(count, (int64_t)(pause * second), (int64_t)(longest * second)));
        if (status != CORM_OK) {
            return status;
        }
    }
}
