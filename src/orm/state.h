/*
 * Instance state: what the engine knows of one object. It lies inside the object (the host decides where).
 *
 * Life: transient -> pending (added) -> persistent (flushed or loaded; in the identity map) -> deleted (its
 * DELETE ran, not committed) -> detached. A state does not own its session.
 *
 * The first change of an attribute since the last flush records its former value in `changes`; what is not
 * recorded did not change. A state with changes, or pending, is held by its session (session->held).
 *
 * `born` and `touched` are serial numbers of transactions (they only grow): a rollback of transaction t makes
 * transient what was born in it or later and expires what was touched in it or later.
 */
#ifndef CORM_ORM_STATE_H
#define CORM_ORM_STATE_H

#include "orm/mapper.h"

enum {
    CORM_STATE_HAS_KEY = 1u << 0,   /* key is set: persistent, deleted or detached */
    CORM_STATE_KEY_TUPLE = 1u << 1, /* key.tuple, not key.integer */
    CORM_STATE_IN_MAP = 1u << 2,    /* in its session's identity map */
    CORM_STATE_PENDING = 1u << 3,
    CORM_STATE_DELETING = 1u << 4, /* Session.delete() was called, not flushed */
    CORM_STATE_DELETED = 1u << 5,  /* its DELETE ran in the present transaction */
    CORM_STATE_HELD = 1u << 6,     /* session->held holds a reference */
    CORM_STATE_MODIFIED = 1u << 7,
    CORM_STATE_EXPIRED = 1u << 8,      /* absent columns mean "load again", all of them */
    CORM_STATE_LOADING = 1u << 9,      /* a row is being loaded into it */
    CORM_STATE_PROCESSING = 1u << 10,  /* a flush works on it */
    CORM_STATE_WAS_DELETED = 1u << 11, /* deleted and committed */
    CORM_STATE_DYING = 1u << 12,
    CORM_STATE_MARK_OLD = 1u << 13, /* scratch of one comparison: was in a collection */
    CORM_STATE_MARK_NEW = 1u << 14, /* scratch of one comparison: is in a collection */
    CORM_STATE_VISITED = 1u << 15   /* scratch of one cascade */
    /* The upper eight bits belong to the host. */
};

/* A composite or non-integer identity: owned values, shared by reference. */
typedef struct corm_key {
    atomic_uint references;
    uint64_t hash;
    size_t count;
    corm_value values[];
} corm_key;

/* The former value of a changed attribute. For a collection, the items it had (retained); not loaded: what was
 * added and removed meanwhile. */
typedef struct corm_change {
    corm_attribute *attribute;
    corm_value committed; /* columns and references; ABSENT: it was not loaded */
    bool loaded;          /* of a collection: `items` is what it had */
    corm_vector items;    /* corm_object *, retained */
    corm_vector added;    /* of a collection that is not loaded: pending mutations */
    corm_vector removed;
} corm_change;

typedef struct corm_changes {
    size_t count;
    size_t capacity;
    corm_change items[];
} corm_changes;

typedef union corm_state_key_value {
    int64_t integer;
    corm_key *tuple; /* a reference */
} corm_state_key_value;

/* A state's key by itself, apart from the state. */
typedef struct corm_state_identity {
    corm_state_key_value key;
    bool tuple;
} corm_state_identity;

typedef struct corm_state {
    corm_mapper *mapper;          /* borrowed: the object's class keeps it */
    struct corm_session *session; /* borrowed: cleared when the session lets go of the object */
    corm_state_key_value key;
    uint32_t flags;
    uint32_t born;
    uint32_t touched;
    uint32_t held_index;               /* in session->held, when HELD */
    corm_changes *changes;             /* NULL: none */
    struct corm_load_options *options; /* a reference, or NULL: what later loads from this object follow */
} corm_state;

/* Called by a host for each new object. */
static inline void corm_state_init(corm_state *state, corm_mapper *mapper) {
    *state = (corm_state){.mapper = mapper};
}
/* Called by a host first thing when the object is destroyed: leaves the identity map, frees changes. Releases
 * other objects, so user's code may run. */
void corm_state_destroy(corm_state *state);
/* The first part of it, without user's code: nobody finds the object in a session any more. */
void corm_state_leave(corm_state *state);
/* For the host's collector: what the state refers to. Calls visit for every retained object; non-zero stops. */
int corm_state_visit(corm_state *state, int (*visit)(corm_object *object, void *context), void *context);
/* Let go of the changes' references, for the host's collector. */
void corm_state_clear_references(corm_state *state);

corm_object *corm_state_object(const corm_state *state); /* borrowed */
bool corm_state_is_transient(const corm_state *state);
bool corm_state_is_pending(const corm_state *state);
bool corm_state_is_persistent(const corm_state *state);
bool corm_state_is_deleted(const corm_state *state);
bool corm_state_is_detached(const corm_state *state);

/* The identity's values, borrowed, `count` of them; 0 when there is none. */
size_t corm_state_key(const corm_state *state, const corm_value **out, corm_value *room);

/* ---- changes ---- */

/* About to change: records the former value once and has the session hold the object. */
corm_status corm_state_changing(corm_state *state, corm_attribute *attribute);
/* The same, with the former value given (a host that knows it only afterwards). Takes over *committed. */
corm_status corm_state_changed(corm_state *state, corm_attribute *attribute, corm_value *committed);
corm_change *corm_state_change(const corm_state *state, const corm_attribute *attribute); /* or NULL */
/* All changes are now the truth (after a flush or a refresh). */
void corm_state_commit(corm_state *state);
void corm_changes_free(const corm_host *host, corm_changes *changes); /* accepts NULL */
/* Forget one attribute's change. */
void corm_state_commit_attribute(corm_state *state, const corm_attribute *attribute);
bool corm_state_is_modified(const corm_state *state);

typedef struct corm_history {
    /* Columns: owned values, ABSENT when that part is empty. Relationships: retained objects (NULL for a
     * reference to nothing is a NULL item). */
    corm_value added, unchanged, deleted;
    corm_vector added_objects, unchanged_objects, deleted_objects;
} corm_history;
/* What happened to an attribute since the last flush. load: fetch what is not loaded first. */
corm_status corm_state_history(corm_state *state, corm_attribute *attribute, bool load, corm_history *out);
void corm_history_clear(const corm_state *state, corm_history *history);

#endif
