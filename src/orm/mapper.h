/*
 * Mappers: which class is which table, which attribute which column, and how classes relate.
 *
 * A registry owns mappers, a mapper owns its attributes, an attribute owns its relationship; edges between
 * them are borrowed. One atomic count on the registry keeps the whole graph alive (corm_mapper_ref forwards
 * to it). The registry refs its MetaData, so tables and columns live at least as long.
 *
 * Mapping has two steps. Declaring adds mappers and attributes; nothing is resolved, so classes may refer to
 * what is not there yet. Configuring (corm_registry_configure, called by the first use) resolves targets,
 * finds join conditions and directions and makes backrefs. Declaring more later is allowed and configures
 * again only what is new.
 *
 * Thread rule: declare and configure from one thread at a time; a configured registry is read-only and may be
 * used by many.
 */
#ifndef CORM_ORM_MAPPER_H
#define CORM_ORM_MAPPER_H

#include "base/hash.h"
#include "orm/host.h"
#include "schema/schema.h"
#include "sql/node.h"

typedef struct corm_registry corm_registry;
typedef struct corm_mapper corm_mapper;
typedef struct corm_attribute corm_attribute;
typedef struct corm_relationship corm_relationship;

typedef enum corm_attribute_kind {
    CORM_ATTRIBUTE_COLUMN,
    CORM_ATTRIBUTE_REFERENCE, /* a relationship to one object or none */
    CORM_ATTRIBUTE_COLLECTION /* a relationship to many */
} corm_attribute_kind;

typedef enum corm_direction { CORM_ONE_TO_MANY = 1, CORM_MANY_TO_ONE, CORM_MANY_TO_MANY } corm_direction;

typedef enum corm_lazy {
    CORM_LAZY_DEFAULT = 0, /* in options: what the mapping says */
    CORM_LAZY_SELECT,
    CORM_LAZY_JOINED,
    CORM_LAZY_SELECTIN,
    CORM_LAZY_RAISE,        /* raises on any lazy load */
    CORM_LAZY_RAISE_ON_SQL, /* raises only when SQL would be emitted */
    CORM_LAZY_NOLOAD,
    CORM_LAZY_DEFER,       /* column options */
    CORM_LAZY_DEFER_RAISE, /* deferred, and reading it is an error */
    CORM_LAZY_UNDEFER,
    CORM_LAZY_CONTAINS /* contains_eager: columns are already in the statement */
} corm_lazy;

enum {
    CORM_CASCADE_SAVE_UPDATE = 1u << 0,
    CORM_CASCADE_MERGE = 1u << 1,
    CORM_CASCADE_DELETE = 1u << 2,
    CORM_CASCADE_DELETE_ORPHAN = 1u << 3,
    CORM_CASCADE_EXPUNGE = 1u << 4,
    CORM_CASCADE_REFRESH_EXPIRE = 1u << 5,
    CORM_CASCADE_DEFAULT = CORM_CASCADE_SAVE_UPDATE | CORM_CASCADE_MERGE,
    CORM_CASCADE_ALL = CORM_CASCADE_SAVE_UPDATE | CORM_CASCADE_MERGE | CORM_CASCADE_DELETE | CORM_CASCADE_EXPUNGE |
                       CORM_CASCADE_REFRESH_EXPIRE
};

/* "all, delete-orphan" and the like; CORM_ARGUMENT_ERROR names an unknown word. */
corm_status corm_cascade_parse(const char *text, uint32_t *out);

typedef enum corm_passive_deletes {
    CORM_PASSIVE_DELETES_OFF,
    CORM_PASSIVE_DELETES_ON,
    CORM_PASSIVE_DELETES_ALL
} corm_passive_deletes;

/* A pair of columns that a relationship keeps equal: the value flows from `source` to `destination`. */
typedef struct corm_sync_pair {
    corm_column *source;      /* the key that is referred to */
    corm_column *destination; /* the foreign key */
} corm_sync_pair;

struct corm_relationship {
    corm_attribute *attribute; /* the owner, borrowed */

    /* -- as declared; the host fills in the rest in resolve_relationship() -- */
    corm_mapper *target;     /* borrowed */
    corm_table *secondary;   /* the association table, borrowed, or NULL */
    corm_node *primary_join; /* owned; NULL: found along the foreign keys */
    corm_node *secondary_join;
    corm_vector foreign_keys; /* corm_column *, borrowed: as given by the user */
    corm_vector remote_side;  /* corm_column *, borrowed */
    corm_vector order_by;     /* corm_node *, owned references */
    char *back_populates;
    char *backref;      /* name of the attribute to make on the target, or NULL */
    void *host_backref; /* the host's arguments of that attribute, see corm_attribute.host */
    int use_list;       /* -1: by direction, else false or true */
    uint32_t cascade;
    bool cascade_given;
    corm_lazy lazy;
    corm_passive_deletes passive_deletes;
    bool passive_updates;
    bool post_update;
    bool view_only;
    bool single_parent;
    bool inner_join;
    int join_depth; /* of self-referential joined loading; 0: none */

    /* -- as configured -- */
    corm_direction direction;
    corm_attribute *inverse; /* the other side, or NULL */
    corm_sync_pair *sync;    /* between parent and target, or parent and secondary */
    size_t sync_count;
    corm_sync_pair *secondary_sync; /* between target and secondary */
    size_t secondary_sync_count;
    bool configured;
    bool simple;     /* the join is equality of the sync pairs and nothing else */
    bool target_key; /* many-to-one: the sync pairs are exactly the target's primary key */
};

struct corm_attribute {
    corm_mapper *mapper; /* borrowed */
    char *key;           /* the attribute's name in the class */
    uint32_t index;      /* its slot */
    corm_attribute_kind kind;
    bool deferred;
    bool primary_key;
    bool listening; /* someone wants attribute_event() */
    bool active_history;
    corm_column *column;             /* of a column: borrowed from the metadata */
    corm_relationship *relationship; /* owned; of a reference or collection */
    void *host;                      /* the host's data of the attribute, let go with host_release */
    void (*host_release)(void *host);
    UT_hash_handle hh; /* in mapper->by_key */
};

struct corm_mapper {
    corm_registry *registry; /* borrowed */
    const corm_host *host;
    void *host_class;  /* the user's class: borrowed; a class lets go of its mapper, never the reverse */
    char *name;        /* the class' name, for messages and late references */
    corm_table *table; /* borrowed from the metadata that the registry refs */
    corm_attribute **attributes;
    size_t attribute_count;
    size_t attribute_capacity;
    size_t relationship_count;  /* of attributes that are relationships */
    corm_attribute *by_key;     /* uthash */
    corm_attribute **by_column; /* indexed by the column's position; NULL: not mapped */
    size_t by_column_count;
    corm_attribute **primary_key; /* in the table's order */
    size_t primary_key_count;
    bool leaves_defaults; /* what the database gives to new rows is read when it is asked for, not by the INSERT */
    bool integer_key;     /* one key column of an integer type: keys are not boxed */
    bool configured;
    bool eager;         /* some relationship is joined or selectin by default */
    uint32_t identity;  /* number in the process: seeds the hash of keys */
    uint32_t listening; /* corm_event_kind bits */
    bool disposed;      /* its class is gone */
    void *plans;        /* statements the ORM prepares once a mapper: owned by loading */
    void (*plans_release)(void *plans);
    void *host_data; /* the host's own, let go with host_release */
    void (*host_release)(void *host_data);
    UT_hash_handle hh; /* in registry->by_name */
};

/* ---- registries ---- */

/* A new registry on a metadata (which it refs). */
corm_status corm_registry_new(corm_metadata *metadata, corm_registry **out);
corm_registry *corm_registry_ref(corm_registry *registry);
void corm_registry_unref(corm_registry *registry);
corm_metadata *corm_registry_metadata(corm_registry *registry);
/* Resolve everything declared so far; cheap when there is nothing new. */
corm_status corm_registry_configure(corm_registry *registry);
/* The mapper of a class' name, or NULL (no error set) when there is none. */
corm_mapper *corm_registry_find(corm_registry *registry, const char *name);
size_t corm_registry_count(const corm_registry *registry);
corm_mapper *corm_registry_at(const corm_registry *registry, size_t index);

/* ---- declaring ---- */

/* Add a mapper for a table. The table must have, or get before configuring, a primary key. */
corm_status corm_mapper_new(corm_registry *registry, const corm_host *host, void *host_class, const char *name,
                            corm_table *table, corm_mapper **out);
/* Take the mapper out of its registry's names, when its class goes away; it lives on until the registry goes. */
void corm_mapper_dispose(corm_mapper *mapper);
corm_mapper *corm_mapper_ref(corm_mapper *mapper);
void corm_mapper_unref(corm_mapper *mapper);
/* Map a column, or declare a relationship; *out is borrowed. The relationship's fields are then filled in by the
 * caller. A key that is taken is CORM_ARGUMENT_ERROR. */
corm_status corm_mapper_add_column(corm_mapper *mapper, const char *key, corm_column *column, corm_attribute **out);
corm_status corm_mapper_add_relationship(corm_mapper *mapper, const char *key, corm_attribute **out);
/* NULL (no error set) when there is none. */
corm_attribute *corm_mapper_attribute(const corm_mapper *mapper, const char *key);
corm_attribute *corm_mapper_attribute_of(const corm_mapper *mapper, const corm_column *column);
corm_status corm_mapper_configure(corm_mapper *mapper);

static inline bool corm_attribute_is_relationship(const corm_attribute *attribute) {
    return attribute->kind != CORM_ATTRIBUTE_COLUMN;
}

#endif
