/* Two-phase transactions of the C face: see cormorant/session.h. */
#include "base/alloc.h"
#include "host/object.h"
#include "orm/session_private.h"

corm_status corm_set_two_phase(corm_session *session, bool two_phase) {
    if (session->connection != NULL) {
        return corm_error_set(CORM_INVALID_REQUEST, "the session has a transaction under way, which stays as it is: "
                                                    "commit or roll back first");
    }
    corm_session_set_two_phase(session, two_phase);
    return CORM_OK;
}

corm_status corm_prepare(corm_session *session) {
    return corm_session_prepare(session);
}

const char *corm_transaction_name(const corm_session *session) {
    return session->connection == NULL ? NULL : corm_connection_xid(session->connection);
}

corm_status corm_leave_prepared(corm_session *session) {
    if (session->connection == NULL || !corm_connection_is_prepared(session->connection)) {
        return corm_error_set(CORM_INVALID_REQUEST, "the session has no prepared transaction to leave");
    }
    corm_connection_leave_prepared(session->connection);
    return corm_rollback(session);
}

corm_status corm_each_prepared(corm_engine *engine, void (*tell)(void *context, const char *name), void *context) {
    corm_connection *connection;
    corm_vector names = {0};
    corm_status status = corm_engine_connect(engine, &connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_connection_recover(connection, &names);
    corm_connection_close(connection);
    for (size_t i = 0; i < names.count; i++) {
        if (status == CORM_OK) {
            tell(context, names.items[i]);
        }
        corm_free(names.items[i]);
    }
    corm_vector_clear(&names);
    return status;
}

corm_status corm_end_prepared(corm_engine *engine, const char *name, bool commit) {
    corm_connection *connection;
    corm_status status = corm_engine_connect(engine, &connection);
    if (status == CORM_OK) {
        status = corm_connection_end_prepared(connection, name, commit, false);
        corm_connection_close(connection);
    }
    return status;
}
