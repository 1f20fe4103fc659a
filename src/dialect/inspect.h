/*
 * What is found in a live schema: tables, their columns and keys, as the catalogue of a database tells of them.
 *
 * Every dialect gives one query for each kind of thing, whose rows have the same columns whatever the database: see
 * corm_found_row and its kin. The engine reads them (engine/inspect.c), so that a database is asked as often for one
 * table as for a thousand. All texts live in the arena of the whole.
 */
#ifndef CORM_DIALECT_INSPECT_H
#define CORM_DIALECT_INSPECT_H

#include "base/arena.h"
#include "type/type.h"

typedef enum corm_found_kind {
    CORM_FOUND_RELATION, /* tables, views and sequences: always asked for first */
    CORM_FOUND_COLUMN,
    CORM_FOUND_PRIMARY_KEY,
    CORM_FOUND_FOREIGN_KEY,
    CORM_FOUND_UNIQUE,
    CORM_FOUND_CHECK,
    CORM_FOUND_INDEX,
    CORM_FOUND_KIND_COUNT
} corm_found_kind;
#define CORM_FOUND_BIT(kind) (1u << (kind))
#define CORM_FOUND_ALL (CORM_FOUND_BIT(CORM_FOUND_KIND_COUNT) - 1)

/* The columns of every query: the table and the thing's place in it. */
enum { CORM_FOUND_ROW_TABLE, CORM_FOUND_ROW_GROUP, CORM_FOUND_ROW_PLACE, CORM_FOUND_ROW_OWN };
/* Those of relations. */
typedef enum corm_relation_row {
    CORM_RELATION_TYPE = CORM_FOUND_ROW_OWN, /* 'table', 'view', 'materialized view', 'sequence'; 'temporary ...' */
    CORM_RELATION_COMMENT,
    CORM_RELATION_SQL, /* of a view its query; on SQLite the statement that made it */
    CORM_RELATION_ROW_SIZE
} corm_relation_row;
/* Those of columns. */
typedef enum corm_column_row {
    CORM_COLUMN_NAME = CORM_FOUND_ROW_OWN,
    CORM_COLUMN_TYPE,
    CORM_COLUMN_NULLABLE,
    CORM_COLUMN_DEFAULT,
    CORM_COLUMN_AUTOINCREMENT,
    CORM_COLUMN_COMMENT,
    CORM_COLUMN_COMPUTED, /* its expression */
    CORM_COLUMN_PERSISTED,
    CORM_COLUMN_IDENTITY,         /* 'a': always, 'd': by default, or NULL */
    CORM_COLUMN_IDENTITY_OPTIONS, /* "start increment minimum maximum cache cycle" */
    CORM_COLUMN_COLLATION,
    CORM_COLUMN_TYPE_NAME, /* of an enumeration that has a name */
    CORM_COLUMN_ROW_SIZE
} corm_column_row;
/* Those of keys, checks and indexes: a row for each column; rows of one group are one key. */
typedef enum corm_key_row {
    CORM_KEY_NAME = CORM_FOUND_ROW_OWN,
    CORM_KEY_COLUMN,     /* NULL: an expression */
    CORM_KEY_EXPRESSION, /* of an index; of a check its condition */
    CORM_KEY_REFERRED_SCHEMA,
    CORM_KEY_REFERRED_TABLE,
    CORM_KEY_REFERRED_COLUMN,
    CORM_KEY_ON_UPDATE,
    CORM_KEY_ON_DELETE,
    CORM_KEY_DEFERRABLE, /* NULL: not said */
    CORM_KEY_INITIALLY,
    CORM_KEY_UNIQUE,
    CORM_KEY_WHERE,
    CORM_KEY_METHOD,
    CORM_KEY_LENGTH,   /* of a prefix of the column */
    CORM_KEY_ORDER,    /* "desc", "nulls_first", ...: what is unusual, separated by spaces */
    CORM_KEY_INCLUDED, /* carried along, no part of the key */
    CORM_KEY_COMMENT,
    CORM_KEY_CONSTRAINT, /* that an index is of */
    CORM_KEY_ROW_SIZE
} corm_key_row;

typedef struct corm_found_column {
    struct corm_found_column *next;
    const char *name;
    const char *type_text; /* as the catalogue spells it */
    corm_type *type;       /* owned; of kind CORM_TYPE_NULL without a name: not known */
    const char *default_text, *comment, *computed, *identity, *identity_options, *collation, *type_name; /* or NULL */
    bool nullable, autoincrement, persisted;
} corm_found_column;

typedef struct corm_found_part {
    struct corm_found_part *next;
    const char *column, *expression, *referred, *order, *length; /* or NULL */
    bool included;
} corm_found_part;

typedef struct corm_found_key {
    struct corm_found_key *next;
    corm_found_kind kind;
    const char *name; /* or NULL */
    corm_found_part *parts;
    size_t part_count;
    const char *referred_schema, *referred_table, *on_update, *on_delete, *initially; /* or NULL */
    const char *where, *method, *comment, *constraint;                                /* or NULL */
    int deferrable;                                                                   /* -1: not said */
    bool unique;
} corm_found_key;

typedef struct corm_found_table {
    struct corm_found_table *next;
    const char *name, *type;
    const char *comment, *sql; /* or NULL */
    corm_found_column *columns;
    corm_found_key *keys; /* by kind, each in the order of the catalogue */
} corm_found_table;

/* Texts and records of one inspection. */
char *corm_found_text(corm_arena *arena, const char *bytes, size_t size);
/* A key at the end of the table's, a part at the end of the key's; NULL with CORM_NO_MEMORY. */
corm_found_key *corm_found_add_key(corm_arena *arena, corm_found_table *table, corm_found_kind kind, const char *name);
corm_found_part *corm_found_add_part(corm_arena *arena, corm_found_key *key, const char *column);

/* Text with marks: $s, $n and the like stand for other texts. The last mark has the letter 0. */
typedef struct corm_inspect_mark {
    char letter;
    const char *text;
} corm_inspect_mark;
corm_status corm_inspect_expand(const char *pattern, const corm_inspect_mark *marks, corm_text *out);
/* What follows a name: " IN (?, ?)" for so many parameters; none: " IS NOT NULL", all names. */
corm_status corm_inspect_among(size_t names, bool numbered, corm_text *out);

/* A type of the catalogue by the words that it begins with. */
typedef enum corm_type_argument {
    CORM_TYPE_ARGUMENT_NONE, /* arguments say nothing that we keep */
    CORM_TYPE_ARGUMENT_LENGTH,
    CORM_TYPE_ARGUMENT_PRECISION, /* and perhaps a scale */
    CORM_TYPE_ARGUMENT_INEXACT    /* a precision, where there is no scale */
} corm_type_argument;
typedef struct corm_type_word {
    const char *words; /* lower case */
    corm_type_kind kind;
    const char *name; /* the spelling in DDL that the type keeps; NULL: the dialect's own */
    corm_type_argument argument;
} corm_type_word;
/* The words, sizes and ends ("unsigned", "with time zone") of a type's text. */
typedef struct corm_type_text {
    char words[64]; /* lower case, one space between words; empty: too long or none */
    int sizes[2];   /* -1: not given */
    char rest[32];  /* what follows the parenthesis, as the words */
} corm_type_text;
void corm_type_text_read(const char *text, corm_type_text *out);
/* The type of the table that `read` names; NULL (no error set) when the table has it not. *out is owned. */
corm_status corm_type_from_words(const corm_type_word *table, size_t count, const corm_type_text *read,
                                 corm_type **out);

#endif
