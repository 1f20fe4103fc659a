/*
 * SQL types: what a column holds and how its values travel.
 *
 * A type is immutable and reference-counted (atomically: compiled statements share types between threads).
 * It knows its kind and its arguments; how it is spelled in DDL and how values of it are stored is the
 * dialect's business, what objects of a language it stands for is the host's.
 */
#ifndef CORM_TYPE_TYPE_H
#define CORM_TYPE_TYPE_H

#include <stdatomic.h>

#include "type/value.h"

typedef enum corm_type_kind {
    CORM_TYPE_NULL = 0, /* not known */
    CORM_TYPE_INTEGER,
    CORM_TYPE_SMALL_INTEGER,
    CORM_TYPE_BIG_INTEGER,
    CORM_TYPE_BOOLEAN,
    CORM_TYPE_FLOAT,
    CORM_TYPE_NUMERIC,
    CORM_TYPE_STRING,
    CORM_TYPE_TEXT,
    CORM_TYPE_BINARY,
    CORM_TYPE_DATE,
    CORM_TYPE_TIME,
    CORM_TYPE_DATETIME,
    CORM_TYPE_ENUM, /* one of some texts: a type of the database's own, or text */
    CORM_TYPE_OWN,  /* of one database, which spells it by its name; values travel as texts */
    CORM_TYPE_KIND_COUNT
} corm_type_kind;

typedef struct corm_type {
    atomic_uint references;
    corm_type_kind kind;
    int length;      /* of strings and bytes; -1: none given */
    int precision;   /* of numbers; -1: none given */
    int scale;       /* of numbers; -1: none given */
    bool as_decimal; /* numbers come back exact (DECIMAL), not FLOAT */
    bool timezone;
    char *name;      /* DDL spelling asked for by name (e.g. "VARCHAR", "TIMESTAMP"), NULL: the
                             dialect's spelling of the kind */
    char *collation; /* NULL: none */
    void *host;      /* a host's own type behind this one (Python's TypeDecorator), or NULL; borrowed:
                             released by host_release with the type */
    void (*host_release)(void *host);
    void *adapter; /* a host's own type that may be another one on each database, or NULL; borrowed likewise: see
                             corm_type_adapted() */
    char *schema;  /* of an ENUM's type, or NULL */
    char **labels; /* of an ENUM, in their order, NULL at the end; NULL: none */
    struct corm_type *item; /* of an array (OWN): what it holds, a reference, and its dimensions; or NULL */
    int dimensions;
} corm_type;

typedef struct corm_type_options {
    int length; /* 0 and -1: none */
    int precision;
    int scale;
    bool as_decimal;
    bool timezone;
    const char *name;
    const char *collation;
    const char *schema;
    const char *const *labels;
    corm_type *item;
    int dimensions; /* of an array, at least 1 */
} corm_type_options;

/* A new reference; NULL with CORM_NO_MEMORY. options may be NULL. Types without options are shared. */
corm_type *corm_type_new(corm_type_kind kind, const corm_type_options *options);
/* Both accept NULL. */
corm_type *corm_type_ref(corm_type *type);
void corm_type_unref(corm_type *type);
/* The shared type of a kind without arguments: borrowed, lives for ever, never NULL. */
corm_type *corm_type_of_kind(corm_type_kind kind);
/* The type that a database (by its dialect's name) has for a type: mostly the type itself. Borrowed: it lives as long as
 * the type. NULL: the host failed. */
typedef corm_type *(*corm_type_adapt)(corm_type *type, const char *dialect);
void corm_type_adapt_set(corm_type_adapt adapt); /* once, at start-up, by the host whose types have adapters */
corm_type *corm_type_adapted(corm_type *type, const char *dialect);
/* Structural. */
bool corm_type_equal(const corm_type *left, const corm_type *right);
uint64_t corm_type_hash(const corm_type *type);

/* The type that a plain value has in an expression: what `5`, `'x'` or a date compare as. Borrowed. */
corm_type *corm_type_of_value(const corm_value *value);
bool corm_type_is_number(const corm_type *type);
bool corm_type_is_text(const corm_type *type);
/* The name that messages use: "Integer", "String(50)". Appends. */
void corm_type_describe(const corm_type *type, corm_text *out);

#endif
