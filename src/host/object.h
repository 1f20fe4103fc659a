/*
 * C structs as mapped objects: a header in front of the struct that the user sees.
 *
 *     [ c_object | committed copy of the fields | loaded bits ][ the user's struct ][ texts as loaded ]
 *
 * The committed copy tells what plain assignment changed. Texts in it are owned; a field that points to its committed
 * text is unchanged. Objects are counted: the session holds one reference, corm_keep() others.
 */
#ifndef CORM_HOST_OBJECT_H
#define CORM_HOST_OBJECT_H

#include <cormorant.h>

#include "base/slab.h"
#include "orm/attribute.h"

/* Where a field lies, from the object's header: what a loaded row needs, close together. */
typedef struct c_place {
    uint32_t field_type; /* corm_field_type */
    uint32_t in_struct;
    uint32_t committed;
} c_place;

typedef struct c_mapping {
    corm_mapping *mapping;
    corm_models *models;         /* borrowed */
    corm_mapper *mapper;         /* borrowed */
    corm_attribute **attributes; /* by field */
    c_place *places;             /* by field */
    size_t field_count;
    bool has_many;           /* some field is a collection */
    bool is_simple;          /* every field is a number, a date or a text */
    size_t committed_offset; /* of the committed copy, from the header */
    size_t loaded_offset;
    size_t struct_offset;           /* of the user's struct */
    const corm_attribute *numbered; /* the key that the database gives, or NULL */
    size_t text_room;               /* of a new object: short texts need no memory of their own */
    struct c_hook *hooks;
} c_mapping;

typedef struct c_hook {
    corm_hook_kind kind;
    corm_hook call;
    void *context;
    struct c_hook *next;
} c_hook;

typedef struct c_object {
    uint32_t magic;
    uint32_t references;
    corm_slab_block *block; /* that the memory is part of; NULL: of none */
    uint32_t size;          /* of the whole memory */
    uint32_t used;          /* of it: what is behind is room for texts */
    corm_state state;
} c_object;

/* The host's own bits in a state's flags. */
enum {
    C_STATE_LEFT = 1u << 24,   /* the object is in c_session.left */
    C_STATE_UNSEEN = 1u << 25, /* made by the user, and its fields were never looked at */
};

struct corm_many {
    c_object *owner; /* borrowed: the owner holds the collection */
    corm_attribute *attribute;
    corm_vector items; /* corm_object *, retained */
    bool loaded;
};

/* What the C face keeps of a session. */
typedef struct c_session {
    corm_slab objects;      /* memory of those made for it */
    corm_vector retired;    /* char *: texts that were replaced, freed after the flush */
    corm_vector incomplete; /* corm_object *, retained: some columns have to be read again */
    corm_vector queries;    /* corm_query *: those that run; closed when the session ends */
    corm_vector left;       /* corm_object *, retained: became transient again, and may hold each other in circles */
    size_t may_leave;       /* objects that are new in this transaction: as much room `left` has */
} c_session;

struct corm_models {
    corm_registry *registry;
    corm_vector mappings; /* c_mapping *, owned */
};

extern const corm_host corm_c_host;

/* References between objects travel in values: tell the engine how to keep them. */
void c_object_values_init(void);
/* The header of a user's struct; NULL with CORM_UNMAPPED_INSTANCE. */
c_object *c_object_of(const void *user_struct);
static inline const c_mapping *c_mapping_of(const corm_mapper *mapper) {
    return mapper->host_data;
}
static inline const c_mapping *c_object_mapping(const c_object *object) {
    return c_mapping_of(object->state.mapper);
}
static inline void *c_object_struct(c_object *object) {
    return (char *)object + c_object_mapping(object)->struct_offset;
}
/* The engine knows an object by its header. */
static inline corm_object *c_object_handle(c_object *object) {
    return (corm_object *)(void *)object;
}
static inline c_object *c_object_from(corm_object *handle) {
    return (c_object *)(void *)handle;
}
/* session: which will have it, or NULL. */
corm_status c_object_new(corm_session *session, corm_mapper *mapper, c_object **out);
/* The outcome of a flush is known: free what was kept for it. */
void c_session_forget(c_session *own);
/* Read the columns that the database computed: fields are read without the engine, so they have to be there. */
corm_status c_session_complete(corm_session *session);
/* Let go of all relationships: objects that leave a session do not hold each other in circles. */
void c_object_cut(c_object *object);
/* Take in what was assigned to an object's references. */
corm_status c_object_detect(c_object *object);
/* An object that was never written: every field counts as set. */
void c_object_mark_new(c_object *object);

/* NULL with an error: the mapping is in no corm_models. */
corm_mapper *c_mapper_of(const corm_mapping *mapping);
/* Strings of a relationship's declaration to what they name: see mapping.c. */
corm_status c_mapping_resolve(corm_mapper *mapper, corm_attribute *attribute);
/* A column type of the mapping macros; exact: numbers are texts. A new reference. */
corm_status c_type_of(corm_sql_type type, bool exact, corm_type **out);
corm_attribute *c_attribute_of(const corm_mapping *mapping, const char *field);

#endif
