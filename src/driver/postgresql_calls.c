/*
 * Sending and waiting. libpq is never left to block: it writes what the socket takes and reads what is there, and the
 * engine waits for the socket in between (base/wait.h).
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "base/wait.h"
#include "driver/postgresql_private.h"

/* How long a server may take to stop when it is told to. */
static const int64_t stop_time = 5 * (int64_t)1000000000;

corm_status corm_pg_flush(corm_driver_connection *connection) {
    return PQflush(connection->native) < 0 ? corm_pg_fail(connection) : CORM_OK;
}

/* Until a result, or the end of one, can be taken without waiting. Runs in a bracket: decoding what came needs no lock
 * of the host's. */
static corm_status await(corm_driver_connection *connection, int64_t deadline) {
    PGconn *native = connection->native;
    corm_status status = CORM_OK;
    corm_wait_begin();
    for (;;) {
        int unsent = PQflush(native);
        if (unsent < 0) {
            break;
        }
        if (!PQisBusy(native)) {
            break;
        }
        status = corm_wait_descriptor(PQsocket(native), CORM_WAIT_READ | (unsent > 0 ? CORM_WAIT_WRITE : 0), deadline);
        if (status != CORM_OK || !PQconsumeInput(native)) {
            break; /* of a lost connection the result tells */
        }
    }
    corm_wait_end();
    return status;
}

static int64_t deadline_of(const corm_driver_connection *connection) {
    return connection->timeout > 0 ? corm_clock_now() + connection->timeout : -1;
}

/* The statement is cancelled without waiting for what comes of it: the connection is not used again. */
static corm_status too_late(corm_driver_connection *connection) {
    connection->broken = true;
    corm_pg_interrupt(connection);
    return corm_error_set(CORM_OPERATIONAL_ERROR, "the server did not answer within read_timeout");
}

corm_status corm_pg_next_result(corm_driver_connection *connection, PGresult **out) {
    *out = NULL;
    corm_status status = await(connection, deadline_of(connection));
    if (status == CORM_TIMEOUT) {
        return too_late(connection);
    }
    if (status == CORM_OK) {
        *out = PQgetResult(connection->native);
        if (*out != NULL && PQresultStatus(*out) == PGRES_PIPELINE_SYNC) {
            connection->syncs--;
        }
    }
    return status;
}

/* ---- stopping ---- */

/* Take results until nothing is under way; false: it did not end in time, or not well. */
static bool drain(corm_driver_connection *connection, int64_t deadline) {
    bool piped = PQpipelineStatus(connection->native) != PQ_PIPELINE_OFF;
    unsigned ends = 0;
    while (await(connection, deadline) == CORM_OK) {
        PGresult *result = PQgetResult(connection->native);
        ExecStatusType kind = result == NULL ? PGRES_EMPTY_QUERY : PQresultStatus(result);
        PQclear(result);
        if (kind == PGRES_PIPELINE_SYNC) {
            connection->syncs--;
        }
        if (kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH ||
            PQstatus(connection->native) != CONNECTION_OK) {
            return false;
        }
        ends = result == NULL ? ends + 1 : 0;
        if (piped ? connection->syncs == 0 : result == NULL) {
            return true;
        }
        if (ends > 2) {
            return false; /* a pipeline that nobody closed */
        }
    }
    return false;
}

void corm_pg_stop(corm_driver_connection *connection) {
    corm_error reason;
    corm_error_take(&reason);
    corm_pg_cancel(connection->canceller, corm_clock_now() + stop_time);
    if (!drain(connection, corm_clock_now() + stop_time)) {
        connection->broken = true;
    }
    corm_error_restore(&reason);
}

/* ---- pipelines ---- */

corm_status corm_pg_pipeline_begin(corm_driver_connection *connection) {
    return PQenterPipelineMode(connection->native) == 0 ? corm_pg_fail(connection) : CORM_OK;
}

corm_status corm_pg_pipeline_sync(corm_driver_connection *connection) {
    if (PQpipelineSync(connection->native) == 0) {
        return corm_pg_fail(connection);
    }
    connection->syncs++;
    return CORM_OK;
}

corm_status corm_pg_pipeline_end(corm_driver_connection *connection, corm_status status) {
    corm_error reason;
    corm_error_take(&reason);
    if (status == CORM_INTERRUPTED || status == CORM_TIMEOUT) {
        corm_pg_stop(connection);
    } else if (!connection->broken && connection->syncs == 0 && status != CORM_OK) {
        connection->syncs += PQpipelineSync(connection->native) == 1; /* what was sent by then has an end too */
    }
    if (!connection->broken && connection->syncs > 0 && !drain(connection, deadline_of(connection))) {
        connection->broken = true;
    }
    if (PQexitPipelineMode(connection->native) == 0) {
        connection->broken = true;
    }
    corm_error_restore(&reason);
    return status;
}

corm_status corm_pg_send_begin(corm_driver_connection *connection, size_t *answers) {
    char sql[80] = "BEGIN";
    if (!connection->begins) {
        return CORM_OK;
    }
    if (connection->isolation[0] != '\0') {
        snprintf(sql, sizeof sql, "BEGIN %s", connection->isolation);
    }
    if (PQsendQueryParams(connection->native, sql, 0, NULL, NULL, NULL, NULL, 0) == 0) {
        return corm_pg_fail(connection);
    }
    connection->begins = false;
    ++*answers;
    return CORM_OK;
}

corm_status corm_pg_send_closed(corm_driver_connection *connection, size_t *answers) {
    while (connection->closed_count > 0 && PQtransactionStatus(connection->native) != PQTRANS_INERROR) {
        char sql[48];
        snprintf(sql, sizeof sql, "DEALLOCATE corm_%llu",
                 (unsigned long long)connection->closed[connection->closed_count - 1]);
        if (PQsendQueryParams(connection->native, sql, 0, NULL, NULL, NULL, NULL, 0) == 0) {
            return corm_pg_fail(connection);
        }
        connection->closed_count--;
        ++*answers;
    }
    return CORM_OK;
}

/* The result of one command, and its end. */
static corm_status take_answer(corm_driver_connection *connection) {
    PGresult *result;
    corm_status status = corm_pg_next_result(connection, &result);
    if (status == CORM_OK && result == NULL) {
        return corm_pg_fail(connection);
    }
    while (status == CORM_OK && result != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK) {
            status = corm_pg_fail_result(connection, result);
        }
        PQclear(result);
        result = NULL;
        if (status == CORM_OK) {
            status = corm_pg_next_result(connection, &result);
        }
    }
    return status;
}

corm_status corm_pg_take_answers(corm_driver_connection *connection, size_t answers) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < answers && status == CORM_OK; i++) {
        status = take_answer(connection);
    }
    return status;
}

corm_status corm_pg_take_sync(corm_driver_connection *connection) {
    PGresult *result;
    corm_status status = corm_pg_next_result(connection, &result);
    if (status == CORM_OK && PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
        status = corm_pg_fail(connection);
    }
    PQclear(result);
    return status;
}

corm_status corm_pg_run(corm_driver_connection *connection, const char *sql) {
    if (PQsendQuery(connection->native, sql) == 0) {
        return corm_pg_fail(connection);
    }
    corm_status status = take_answer(connection);
    if (status == CORM_INTERRUPTED || status == CORM_TIMEOUT) {
        corm_pg_stop(connection);
    } else if (status != CORM_OK && !connection->broken && !drain(connection, corm_clock_now() + stop_time)) {
        connection->broken = true;
    }
    return status;
}
