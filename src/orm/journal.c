/*
 * The journal of a strong session: what columns held before the transaction's flushes wrote them, put back by a rollback.
 *
 * A host whose objects are read without the engine (plain fields of a struct) cannot load an expired value when it is
 * looked at, so after a rollback the former values have to be there. They are the changes that a flush would forget: it
 * hands them over instead. Serial numbers say which a rollback undoes; the outcome of the transaction drops them all.
 */
#include "base/alloc.h"
#include "orm/session_private.h"

typedef struct journal_entry {
    corm_object *object; /* retained */
    corm_state *state;
    corm_changes *changes; /* owned: columns only */
    uint32_t serial;
} journal_entry;

static void entry_free(journal_entry *entry) {
    const corm_host *host = entry->state->mapper->host;
    corm_object *object = entry->object;
    corm_changes_free(host, entry->changes);
    corm_free(entry);
    host->release(object);
}

static bool has_columns(const corm_changes *changes) {
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->items[i].attribute->column != NULL) {
            return true;
        }
    }
    return false;
}

corm_status corm_journal_note(corm_session *session, corm_state *state) {
    if (!session->strong || state->changes == NULL || !has_columns(state->changes)) {
        return CORM_OK;
    }
    journal_entry *entry = corm_alloc(sizeof *entry);
    if (entry == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_vector_push(&session->journal, entry);
    if (status != CORM_OK) {
        corm_free(entry);
        return status;
    }
    *entry = (journal_entry){corm_state_object(state), state, state->changes, corm_session_serial(session)};
    state->mapper->host->retain(entry->object);
    state->changes = NULL;
    return CORM_OK;
}

corm_status corm_journal_value(corm_session *session, corm_state *state, corm_attribute *attribute) {
    corm_changes *others = state->changes;
    bool held = (state->flags & CORM_STATE_HELD) != 0;
    if (!session->strong || corm_state_change(state, attribute) != NULL) {
        return CORM_OK; /* what is changed and not flushed has a record of its own */
    }
    state->changes = NULL;
    corm_status status = corm_state_changing(state, attribute);
    if (status == CORM_OK) {
        status = corm_journal_note(session, state);
    }
    corm_changes_free(state->mapper->host, state->changes);
    state->changes = others;
    if (others == NULL) {
        state->flags &= ~(uint32_t)CORM_STATE_MODIFIED;
    }
    if (!held) {
        corm_session_unhold(session, state);
    }
    return status;
}

static void put_back(corm_state *state, corm_changes *changes) {
    const corm_host *host = state->mapper->host;
    for (size_t i = changes->count; i > 0 && host->restore != NULL; i--) {
        corm_change *change = &changes->items[i - 1];
        if (change->attribute->column != NULL && change->committed.kind != CORM_KIND_ABSENT) {
            host->restore(corm_state_object(state), change->attribute, &change->committed);
        }
    }
}

void corm_journal_revert(corm_session *session, corm_state *state) {
    if (session->strong && state->changes != NULL) {
        put_back(state, state->changes);
        corm_state_commit(state);
    }
}

void corm_journal_undo(corm_session *session, uint32_t serial) {
    while (session->journal.count > 0) {
        journal_entry *entry = session->journal.items[session->journal.count - 1];
        if (entry->serial < serial) {
            break;
        }
        session->journal.count--;
        corm_journal_revert(session, entry->state); /* what is younger than the entry comes first */
        put_back(entry->state, entry->changes);
        entry_free(entry);
    }
}

void corm_journal_forget(corm_session *session) {
    while (session->journal.count > 0) {
        entry_free(session->journal.items[--session->journal.count]);
    }
}
