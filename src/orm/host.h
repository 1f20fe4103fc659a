/*
 * The host seam: how the engine touches a user's object, without knowing what it is.
 *
 * A host is a language: it implements the functions below once (src/host for C's structs, python/src for
 * Python's classes) and hands them over with each mapper. Everything between rows and objects goes through
 * them.
 *
 * Re-entry: every call may run user's code, which may use or close the session. Nobody keeps a pointer into
 * growable storage, or a half-updated structure, across one. Objects that must survive a call are retained.
 *
 * Values given out by get() are borrowed until the next call on the same object.
 */
#ifndef CORM_ORM_HOST_H
#define CORM_ORM_HOST_H

#include "base/vector.h"
#include "type/type.h"

typedef struct corm_object corm_object; /* a user's object: a PyObject, a C struct */
struct corm_mapper;
struct corm_attribute;
struct corm_state;
struct corm_session;
struct corm_connection;
struct corm_node;

/* One column of a row that goes to one attribute. */
typedef struct corm_load_step {
    struct corm_attribute *attribute;
    uint32_t column;       /* index in the row's values */
    const corm_type *type; /* that the database has for it (see corm_type_adapted()): borrowed */
} corm_load_step;

/* What happened; see corm_host.event. Each kind is one bit in the masks that say who listens. */
typedef enum corm_event_kind {
    CORM_EVENT_BEFORE_INSERT = 1u << 0, /* mapper events: subject is the state */
    CORM_EVENT_AFTER_INSERT = 1u << 1,
    CORM_EVENT_BEFORE_UPDATE = 1u << 2,
    CORM_EVENT_AFTER_UPDATE = 1u << 3,
    CORM_EVENT_BEFORE_DELETE = 1u << 4,
    CORM_EVENT_AFTER_DELETE = 1u << 5,
    CORM_EVENT_LOAD = 1u << 6, /* instance events: subject is the state */
    CORM_EVENT_REFRESH = 1u << 7,
    CORM_EVENT_EXPIRE = 1u << 8,
    CORM_EVENT_BEFORE_FLUSH = 1u << 9, /* session events: subject is NULL or the state */
    CORM_EVENT_AFTER_FLUSH = 1u << 10,
    CORM_EVENT_AFTER_FLUSH_POSTEXEC = 1u << 11,
    CORM_EVENT_BEFORE_COMMIT = 1u << 12,
    CORM_EVENT_AFTER_COMMIT = 1u << 13,
    CORM_EVENT_AFTER_ROLLBACK = 1u << 14,
    CORM_EVENT_AFTER_SOFT_ROLLBACK = 1u << 15,
    CORM_EVENT_AFTER_BEGIN = 1u << 16,
    CORM_EVENT_BEFORE_ATTACH = 1u << 17,
    CORM_EVENT_AFTER_ATTACH = 1u << 18,
    CORM_EVENT_TRANSIENT_TO_PENDING = 1u << 19,
    CORM_EVENT_PENDING_TO_PERSISTENT = 1u << 20,
    CORM_EVENT_PERSISTENT_TO_DELETED = 1u << 21,
    CORM_EVENT_LOADED_AS_PERSISTENT = 1u << 22,
    CORM_EVENT_DELETED_TO_DETACHED = 1u << 23,
    CORM_EVENT_PERSISTENT_TO_DETACHED = 1u << 24,
    CORM_EVENT_PENDING_TO_TRANSIENT = 1u << 25,
    CORM_EVENT_PERSISTENT_TO_TRANSIENT = 1u << 26,
    CORM_EVENT_DELETED_TO_PERSISTENT = 1u << 27,
    CORM_EVENT_DETACHED_TO_PERSISTENT = 1u << 28
} corm_event_kind;

typedef struct corm_host {
    const char *name;

    /* ---- life ---- */
    /* A new object of the mapper with the columns of a row stored: no constructor of the user runs; its state is
     * initialised with corm_state_init(). The session will have it. *out is an owned reference. */
    corm_status (*create)(struct corm_session *session, struct corm_mapper *mapper, const corm_load_step *steps,
                          size_t count, const corm_value *row, corm_object **out);
    void (*retain)(corm_object *object);
    void (*release)(corm_object *object);
    /* Take a reference unless the object is being destroyed. */
    bool (*try_hold)(struct corm_state *state);
    corm_object *(*object_of)(struct corm_state *state); /* borrowed */
    /* The state of any object; NULL with CORM_UNMAPPED_INSTANCE when it is not a mapped one. */
    struct corm_state *(*state_of)(corm_object *object);

    /* ---- attributes: raw access, no events, no loading ---- */
    /* ABSENT when not loaded. Columns: a tagged value. References: NULL or HOST with the object. */
    corm_status (*get)(corm_object *object, const struct corm_attribute *attribute, corm_value *out);
    /* The kind of value that get() would give, without reading it. */
    corm_kind (*kind)(corm_object *object, const struct corm_attribute *attribute);
    /* Store; ABSENT unloads. The object takes its own copy or reference. */
    corm_status (*set)(corm_object *object, const struct corm_attribute *attribute, const corm_value *value);
    /* Put back a former value (an owned snapshot), taking it over. Never fails. NULL: the host's objects load again what
     * they are asked for. A host that has it leaves columns as they are in unload_all(): their fields are looked at
     * without it. */
    void (*restore)(corm_object *object, const struct corm_attribute *attribute, corm_value *value);
    /* As get, but an owned value that keeps the very object the user stored, for history. */
    corm_status (*snapshot)(corm_object *object, const struct corm_attribute *attribute, corm_value *out);
    /* Is the attribute's present value equal to a snapshot? An exception counts as unequal. */
    bool (*unchanged)(corm_object *object, const struct corm_attribute *attribute, const corm_value *snapshot);
    /* Store the columns of one row. */
    corm_status (*load_row)(corm_object *object, const corm_load_step *steps, size_t count, const corm_value *row);
    /* Unload all attributes, columns and relationships, that are set. Never fails. */
    void (*unload_all)(corm_object *object);

    /* ---- collections ---- */
    /* Put a fresh collection holding these items (borrowed), replacing what was there. */
    corm_status (*collection_set)(corm_object *owner, const struct corm_attribute *attribute, corm_object *const *items,
                                  size_t count);
    /* Append all items to `out`, each retained: the caller releases them. An absent collection has none. */
    corm_status (*collection_items)(corm_object *owner, const struct corm_attribute *attribute, corm_vector *out);
    bool (*collection_is_loaded)(corm_object *owner, const struct corm_attribute *attribute);
    /* Raw append and remove; the collection is loaded. Removing what is not there is not an error. */
    corm_status (*collection_append)(corm_object *owner, const struct corm_attribute *attribute, corm_object *item);
    corm_status (*collection_remove)(corm_object *owner, const struct corm_attribute *attribute, corm_object *item);
    bool (*collection_contains)(corm_object *owner, const struct corm_attribute *attribute, corm_object *item);

    /* ---- hooks ---- */
    /* Tell listeners. Called only when the mapper's or session's mask has the bit. */
    corm_status (*event)(corm_event_kind kind, struct corm_session *session, struct corm_connection *connection,
                         struct corm_state *state);
    /* Attribute listeners and validators: may replace the value or item. Called only when
     * attribute->listening. kind is 's'et, 'a'ppend or 'r'emove; *value is what is stored (a HOST value for
     * objects), old the former value (ABSENT when unknown). initiator: the attribute that began it. */
    corm_status (*attribute_event)(char kind, struct corm_state *state, const struct corm_attribute *attribute,
                                   corm_value *value, const corm_value *old, const struct corm_attribute *initiator);
    /* Run a column's default or onupdate that is the user's callable; *out is owned. */
    corm_status (*call_default)(void *callable, struct corm_session *session, struct corm_state *state,
                                corm_value *out);
    /* An attribute holds an SQL expression (u.visits = User.visits + 1): its node, a new reference; NULL without an
     * error when the HOST value is a plain object. May be NULL. */
    struct corm_node *(*expression)(const corm_value *value);
    /* Fill in what a relationship left to be resolved late: strings, callables. Called once, before the
     * mapper is configured. */
    corm_status (*resolve_relationship)(struct corm_mapper *mapper, struct corm_attribute *attribute);
    /* A relationship made an attribute on the other side (backref): show it to the user's class. */
    corm_status (*attribute_added)(struct corm_mapper *mapper, struct corm_attribute *attribute);
    /* Find changes made by plain assignment and report each with corm_state_changed(); NULL when every
     * change is reported as it happens. */
    corm_status (*detect_changes)(struct corm_state *state);
    /* Whether detect_changes() would find nothing, at a glance; true only when that is certain. Runs nobody's code. NULL: it
     * is never certain. */
    bool (*seems_unchanged)(const struct corm_state *state);
    /* Say something to the user that is not an error (SQLAlchemy's SAWarning). An error if the user asked
     * for warnings to be errors. */
    corm_status (*warn)(const char *message);
    /* "<User at 0x7f..>" for messages. */
    void (*describe)(corm_object *object, corm_text *out);
    /* A new empty object of the class for merge(), which runs the user's constructor hooks if there are. */
    corm_status (*create_for_merge)(struct corm_mapper *mapper, corm_object **out);
} corm_host;

#endif
