/*
 * Mapping: which struct is which table, which field which column, and how structs relate.
 *
 *     typedef struct user {
 *         int64_t id;
 *         char *name;
 *         corm_int age;
 *         corm_many *addresses;
 *     } user;
 *
 *     CORM_MAPPING(user, "users",
 *         CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
 *         CORM_COLUMN(name, CORM_STRING(50)),
 *         CORM_COLUMN(age, CORM_INTEGER),
 *         CORM_HAS_MANY(addresses, address, .inverse = "user", .order_by = "id"));
 *
 * A mapping stands in one C file; other files (and C++) that use it say CORM_DECLARE(user). A misspelled field, or one
 * of a C type that no column can have, does not compile; a field whose type does not fit its column is refused by
 * corm_models_add(), which names both.
 *
 * Fields and what they can hold:
 *     int64_t, int32_t, int16_t, bool, double        never NULL
 *     corm_int, corm_float, corm_bool                NULL when not `set`
 *     char *                                         UTF-8 text, NULL pointer: NULL
 *     corm_bytes                                     NULL data: NULL
 *     corm_datetime, corm_moment                     date, time or date and time; a corm_moment may be NULL
 *     struct pointer (CORM_BELONGS_TO, CORM_HAS_ONE) NULL: nothing
 *     corm_many * (CORM_HAS_MANY)                    a collection, made by the library, never NULL
 *
 * What a text or bytes field points to. You may assign any pointer that stays valid until the next flush. A flush takes
 * a copy that belongs to the object and points the field at it; the library never frees what you assigned, you never
 * free what the library put there, and you change a text by assigning another pointer, not by writing into it.
 */
#ifndef CORMORANT_MAPPING_H
#define CORMORANT_MAPPING_H

#include <cormorant/engine.h>
#include <cormorant/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- fields that may be NULL ---- */

typedef struct corm_int {
    int64_t value;
    bool set;
} corm_int;

typedef struct corm_float {
    double value;
    bool set;
} corm_float;

typedef struct corm_bool {
    bool value;
    bool set;
} corm_bool;

typedef struct corm_moment {
    corm_datetime value;
    bool set;
} corm_moment;

typedef struct corm_bytes {
    const void *data; /* NULL: NULL */
    size_t size;
} corm_bytes;

static inline corm_int corm_int_of(int64_t value) {
    corm_int result;
    result.value = value;
    result.set = true;
    return result;
}
static inline corm_float corm_float_of(double value) {
    corm_float result;
    result.value = value;
    result.set = true;
    return result;
}
static inline corm_bool corm_bool_of(bool value) {
    corm_bool result;
    result.value = value;
    result.set = true;
    return result;
}

/* A collection: one side of a relationship, see collection.h. */
typedef struct corm_many corm_many;

/* ---- columns' types ---- */

typedef uint64_t corm_sql_type;

#define CORM_COLUMN_TYPE_(kind, a, b) ((corm_sql_type)(kind) << 56 | (corm_sql_type)(a) << 24 | (corm_sql_type)(b))
#define CORM_INTEGER CORM_COLUMN_TYPE_(1, 0, 0)
#define CORM_SMALL_INTEGER CORM_COLUMN_TYPE_(2, 0, 0)
#define CORM_BIG_INTEGER CORM_COLUMN_TYPE_(3, 0, 0)
#define CORM_BOOLEAN CORM_COLUMN_TYPE_(4, 0, 0)
#define CORM_FLOAT CORM_COLUMN_TYPE_(5, 0, 0)
#define CORM_NUMERIC(precision, scale) CORM_COLUMN_TYPE_(6, precision, scale)
#define CORM_STRING(length) CORM_COLUMN_TYPE_(7, length, 0)
#define CORM_TEXT CORM_COLUMN_TYPE_(8, 0, 0)
#define CORM_BINARY CORM_COLUMN_TYPE_(9, 0, 0)
#define CORM_DATE CORM_COLUMN_TYPE_(10, 0, 0)
#define CORM_TIME CORM_COLUMN_TYPE_(11, 0, 0)
#define CORM_DATETIME CORM_COLUMN_TYPE_(12, 0, 0)

/* ---- what a mapping is made of; filled in by the macros below ---- */

typedef enum corm_field_type {
    CORM_FIELD_INT64 = 1,
    CORM_FIELD_INT32,
    CORM_FIELD_INT16,
    CORM_FIELD_BOOL,
    CORM_FIELD_DOUBLE,
    CORM_FIELD_TEXT,
    CORM_FIELD_BYTES,
    CORM_FIELD_DATETIME,
    CORM_FIELD_NULLABLE_INT,
    CORM_FIELD_NULLABLE_FLOAT,
    CORM_FIELD_NULLABLE_BOOL,
    CORM_FIELD_NULLABLE_DATETIME,
    CORM_FIELD_REFERENCE,
    CORM_FIELD_MANY
} corm_field_type;

typedef struct corm_field {
    const char *name;
    size_t offset;
    corm_field_type field_type;
    /* Of a column: */
    corm_sql_type type;
    const char *column; /* its name; NULL: the field's */
    bool primary_key;
    bool required; /* NOT NULL; primary keys and plain C types are anyway */
    bool nullable; /* NULL allowed although the field cannot show it */
    bool unique;
    bool index;
    const char *references; /* "table.column" */
    const char *on_delete;  /* "CASCADE", ... */
    const char *on_update;
    const char *server_default; /* text of DEFAULT */
    /* Of a relationship: */
    const char *target;       /* the other struct's name */
    const char *inverse;      /* the field on the other side */
    const char *order_by;     /* fields of the target, "name, id desc" */
    const char *secondary;    /* association table of a many-to-many */
    const char *foreign_keys; /* columns, "home_id": which of several paths */
    const char *remote_side;  /* of a relationship to itself: "id" makes it many-to-one */
    const char *cascade;      /* "all, delete-orphan"; NULL: save-update, merge */
    const char *lazy;         /* "select", "selectin", "joined", "raise" */
    bool passive_deletes;
    bool post_update;
    bool view_only;
    bool one;  /* CORM_HAS_ONE */
    char end_; /* swallows the macros' last comma */
} corm_field;

typedef struct corm_mapping {
    const char *name;
    const char *table;
    size_t size;
    const corm_field *fields;
    size_t field_count;
    struct corm_mapper *mapper; /* set when it is added to a corm_models */
} corm_mapping;

#define CORM_FIELD_TYPE_(expression)                                                                                   \
    _Generic((expression),                                                                                             \
        int64_t: CORM_FIELD_INT64,                                                                                     \
        int32_t: CORM_FIELD_INT32,                                                                                     \
        int16_t: CORM_FIELD_INT16,                                                                                     \
        bool: CORM_FIELD_BOOL,                                                                                         \
        double: CORM_FIELD_DOUBLE,                                                                                     \
        char *: CORM_FIELD_TEXT,                                                                                       \
        const char *: CORM_FIELD_TEXT,                                                                                 \
        corm_bytes: CORM_FIELD_BYTES,                                                                                  \
        corm_datetime: CORM_FIELD_DATETIME,                                                                            \
        corm_int: CORM_FIELD_NULLABLE_INT,                                                                             \
        corm_float: CORM_FIELD_NULLABLE_FLOAT,                                                                         \
        corm_bool: CORM_FIELD_NULLABLE_BOOL,                                                                           \
        corm_moment: CORM_FIELD_NULLABLE_DATETIME)

/* A column. The first two arguments are the field and the column's type; then designated members of corm_field. */
#define CORM_COLUMN(...) CORM_COLUMN_(__VA_ARGS__, .end_ = 0)
#define CORM_COLUMN_(field_, type_, ...)                                                                               \
    {                                                                                                                  \
        .name = #field_, .offset = offsetof(corm_self_, field_),                                                       \
        .field_type = CORM_FIELD_TYPE_(((corm_self_ *)0)->field_), .type = (type_), __VA_ARGS__                        \
    }

/* A reference along a foreign key of this struct's table: many-to-one. */
#define CORM_BELONGS_TO(...) CORM_BELONGS_TO_(__VA_ARGS__, .end_ = 0)
#define CORM_BELONGS_TO_(field_, target_, ...)                                                                         \
    {                                                                                                                  \
        .name = #field_, .offset = offsetof(corm_self_, field_),                                                       \
        .field_type = _Generic(((corm_self_ *)0)->field_, struct target_ *                                             \
                               : CORM_FIELD_REFERENCE),                                                                \
        .target = #target_, __VA_ARGS__                                                                                \
    }

/* A reference to the one object whose foreign key refers to this: one-to-one. */
#define CORM_HAS_ONE(...) CORM_HAS_ONE_(__VA_ARGS__, .end_ = 0)
#define CORM_HAS_ONE_(field_, target_, ...)                                                                            \
    {                                                                                                                  \
        .name = #field_, .offset = offsetof(corm_self_, field_),                                                       \
        .field_type = _Generic(((corm_self_ *)0)->field_, struct target_ *                                             \
                               : CORM_FIELD_REFERENCE),                                                                \
        .target = #target_, .one = true, __VA_ARGS__                                                                   \
    }

/* A collection: one-to-many, or many-to-many with .secondary. */
#define CORM_HAS_MANY(...) CORM_HAS_MANY_(__VA_ARGS__, .end_ = 0)
#define CORM_HAS_MANY_(field_, target_, ...)                                                                           \
    {                                                                                                                  \
        .name = #field_, .offset = offsetof(corm_self_, field_),                                                       \
        .field_type = _Generic(((corm_self_ *)0)->field_, corm_many *                                                  \
                               : CORM_FIELD_MANY),                                                                     \
        .target = #target_, __VA_ARGS__                                                                                \
    }

/* Define the mapping of a struct `type` (a typedef of `struct type`). */
#define CORM_MAPPING(type_, table_, ...)                                                                               \
    corm_mapping *type_##_mapping(void);                                                                               \
    corm_mapping *type_##_mapping(void) {                                                                              \
        typedef type_ corm_self_;                                                                                      \
        static const corm_field fields[] = {__VA_ARGS__};                                                              \
        static corm_mapping mapping = {#type_, table_, sizeof(type_), fields, sizeof fields / sizeof *fields, NULL};   \
        return &mapping;                                                                                               \
    }                                                                                                                  \
    corm_mapping *type_##_mapping(void)
/* Say that the mapping stands in another file. */
#define CORM_DECLARE(type_) corm_mapping *type_##_mapping(void)

/* ---- models: mappings that belong together ---- */

typedef struct corm_models corm_models;

CORM_API corm_models *corm_models_new(void); /* NULL: CORM_NO_MEMORY */
/* Free after the sessions that use it are closed; engines may live on. Accepts NULL. */
CORM_API void corm_models_free(corm_models *models);
/* Add a struct. A mapping belongs to one corm_models at a time. */
#define corm_models_add(models, type_) corm_models_add_mapping((models), type_##_mapping())
CORM_API corm_status corm_models_add_mapping(corm_models *models, corm_mapping *mapping);
/* Add an association table of two foreign keys, which together are its primary key: for .secondary. */
CORM_API corm_status corm_models_add_association(corm_models *models, const char *table, const char *left_column,
                                                 const char *left_references, const char *right_column,
                                                 const char *right_references);
/* Resolve relationships and report what does not fit; sessions do it by themselves on first use. */
CORM_API corm_status corm_models_check(corm_models *models);
/* Create what is not there yet, in the order of foreign keys; drop what is there, in the reverse order. */
CORM_API corm_status corm_create_all(corm_models *models, corm_engine *engine);
CORM_API corm_status corm_drop_all(corm_models *models, corm_engine *engine);

#ifdef __cplusplus
}
#endif
#endif
