/*
 * A session's further engines: classes that live in several databases, in one transaction of the session.
 *
 * The session works with one engine and connection at a time; the others are partners. Going on with another engine swaps it
 * with the present one, together with the marks that say which of the session's transactions have begun on its connection.
 * What ends a transaction does so on the present connection and then, swapped in one by one, on each partner.
 */
#include "base/alloc.h"
#include "orm/session_private.h"

void corm_session_on_bind(corm_session *session, corm_session_get_bind get_bind, void *context) {
    session->get_bind = get_bind;
    session->bind_context = context;
}

/* As many marks as there are transactions, each of the one at its place. */
static corm_status align(const corm_session *session, corm_partner *partner) {
    corm_status status = CORM_OK;
    while (partner->marks.count > session->transactions.count) {
        corm_free(partner->marks.items[--partner->marks.count]);
    }
    for (size_t i = 0; i < session->transactions.count && status == CORM_OK; i++) {
        const corm_transaction *transaction = session->transactions.items[i];
        if (i == partner->marks.count) {
            corm_transaction *mark = corm_calloc(1, sizeof *mark);
            status = mark == NULL ? CORM_NO_MEMORY : corm_vector_push(&partner->marks, mark);
            if (status != CORM_OK) {
                corm_free(mark);
                return status;
            }
        }
        corm_transaction *mark = partner->marks.items[i];
        if (mark->serial != transaction->serial) {
            *mark = (corm_transaction){.serial = transaction->serial, .savepoint = transaction->savepoint};
        }
    }
    return status;
}

corm_status corm_partners_follow(corm_session *session) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < session->partners.count && status == CORM_OK; i++) {
        status = align(session, session->partners.items[i]);
    }
    return status;
}

void corm_partner_swap(corm_session *session, corm_partner *partner) {
    corm_engine *engine = session->engine;
    corm_connection *connection = session->connection;
    session->engine = partner->engine;
    session->connection = partner->connection;
    partner->engine = engine;
    partner->connection = connection;
    for (size_t i = 0; i < session->transactions.count && i < partner->marks.count; i++) {
        corm_transaction *transaction = session->transactions.items[i], *mark = partner->marks.items[i];
        if (mark->serial == transaction->serial) {
            corm_transaction former = *transaction;
            *transaction = *mark;
            *mark = former;
        }
    }
}

static void partner_free(corm_partner *partner) {
    for (size_t i = 0; i < partner->marks.count; i++) {
        corm_free(partner->marks.items[i]);
    }
    corm_vector_clear(&partner->marks);
    corm_connection_close(partner->connection);
    if (partner->engine != NULL) {
        corm_engine_unref(partner->engine);
    }
    corm_free(partner);
}

void corm_partners_clear(corm_session *session) {
    while (session->partners.count > 0) {
        partner_free(session->partners.items[--session->partners.count]);
    }
    corm_vector_clear(&session->partners);
}

static corm_status partner_new(corm_session *session, corm_engine *engine, corm_partner **out) {
    corm_partner *partner = corm_calloc(1, sizeof *partner);
    *out = NULL;
    if (partner == NULL) {
        return CORM_NO_MEMORY;
    }
    partner->engine = corm_engine_ref(engine);
    corm_status status = align(session, partner);
    if (status == CORM_OK) {
        status = corm_vector_push(&session->partners, partner);
    }
    if (status != CORM_OK) {
        partner_free(partner);
        return status;
    }
    *out = partner;
    return CORM_OK;
}

corm_status corm_session_use(corm_session *session, corm_engine *engine) {
    if (engine == session->engine) {
        return CORM_OK;
    }
    corm_partner *partner = NULL;
    for (size_t i = 0; i < session->partners.count && partner == NULL; i++) {
        corm_partner *known = session->partners.items[i];
        partner = known->engine == engine ? known : NULL;
    }
    if (partner == NULL && session->connection == NULL) {
        return corm_session_bind(session, engine);
    }
    if (session->borrowed_connection) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "this Session is on a Connection: it cannot reach another engine from there");
    }
    corm_status status = partner == NULL ? partner_new(session, engine, &partner) : CORM_OK;
    if (status == CORM_OK) {
        corm_partner_swap(session, partner);
    }
    return status;
}

corm_status corm_session_choose(corm_session *session, corm_node *statement, corm_mapper *mapper) {
    corm_engine *engine = NULL;
    if (session->get_bind == NULL) {
        return CORM_OK;
    }
    corm_status status = session->get_bind(session->bind_context, session, statement, mapper, &engine);
    return status == CORM_OK && engine != NULL ? corm_session_use(session, engine) : status;
}
