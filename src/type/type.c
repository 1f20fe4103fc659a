/* SQL types: see type.h. Types without arguments are static and never counted. */
#include "type/type.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

enum { IMMORTAL = 1u << 30 };

#define SHARED(type_kind, decimal)                                                                                     \
    [type_kind] = {                                                                                                    \
        .references = IMMORTAL, .kind = type_kind, .length = -1, .precision = -1, .scale = -1, .as_decimal = decimal}
static corm_type shared[CORM_TYPE_KIND_COUNT] = {
    SHARED(CORM_TYPE_NULL, false),        SHARED(CORM_TYPE_INTEGER, false), SHARED(CORM_TYPE_SMALL_INTEGER, false),
    SHARED(CORM_TYPE_BIG_INTEGER, false), SHARED(CORM_TYPE_BOOLEAN, false), SHARED(CORM_TYPE_FLOAT, false),
    SHARED(CORM_TYPE_NUMERIC, true),      SHARED(CORM_TYPE_STRING, false),  SHARED(CORM_TYPE_TEXT, false),
    SHARED(CORM_TYPE_BINARY, false),      SHARED(CORM_TYPE_DATE, false),    SHARED(CORM_TYPE_TIME, false),
    SHARED(CORM_TYPE_DATETIME, false),    SHARED(CORM_TYPE_ENUM, false),    SHARED(CORM_TYPE_OWN, false)};
#undef SHARED

static bool is_shared(const corm_type *type) {
    return type >= shared && type < shared + CORM_TYPE_KIND_COUNT;
}

static int argument(int given) {
    return given <= 0 ? -1 : given;
}

/* Copies of texts with a NULL at the end; NULL short of memory. */
static char **copy_labels(const char *const *labels) {
    size_t count = 0;
    while (labels[count] != NULL) {
        count++;
    }
    char **copies = corm_calloc(count + 1, sizeof *copies);
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = corm_strdup(labels[i]);
        if (copies[i] == NULL) {
            while (i > 0) {
                corm_free(copies[--i]);
            }
            corm_free(copies);
            return NULL;
        }
    }
    return copies;
}

/* A copy of an option's text; false: short of memory. */
static bool take_text(const char *given, char **out) {
    *out = given == NULL ? NULL : corm_strdup(given);
    return given == NULL || *out != NULL;
}

corm_type *corm_type_new(corm_type_kind kind, const corm_type_options *options) {
    if (options == NULL) {
        return corm_type_of_kind(kind);
    }
    corm_type *type = corm_calloc(1, sizeof *type);
    if (type == NULL) {
        return NULL;
    }
    atomic_init(&type->references, 1);
    type->kind = kind;
    type->length = argument(options->length);
    type->precision = argument(options->precision);
    /* A scale of 0 is one, where a precision is given. */
    type->scale = options->precision > 0 && options->scale == 0 ? 0 : argument(options->scale);
    type->as_decimal = options->as_decimal;
    type->timezone = options->timezone;
    type->item = corm_type_ref(options->item);
    type->dimensions = options->dimensions;
    type->labels = options->labels == NULL ? NULL : copy_labels(options->labels);
    if (!take_text(options->name, &type->name) || !take_text(options->collation, &type->collation) ||
        !take_text(options->schema, &type->schema) || (options->labels != NULL && type->labels == NULL)) {
        corm_type_unref(type);
        return NULL;
    }
    return type;
}

corm_type *corm_type_ref(corm_type *type) {
    if (type != NULL && !is_shared(type)) {
        atomic_fetch_add_explicit(&type->references, 1, memory_order_relaxed);
    }
    return type;
}

void corm_type_unref(corm_type *type) {
    if (type == NULL || is_shared(type) || atomic_fetch_sub_explicit(&type->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (type->host != NULL && type->host_release != NULL) {
        type->host_release(type->host);
    }
    if (type->adapter != NULL) {
        type->host_release(type->adapter);
    }
    for (size_t i = 0; type->labels != NULL && type->labels[i] != NULL; i++) {
        corm_free(type->labels[i]);
    }
    corm_free(type->labels);
    corm_type_unref(type->item);
    corm_free(type->schema);
    corm_free(type->name);
    corm_free(type->collation);
    corm_free(type);
}

static corm_type_adapt adapt_type;

void corm_type_adapt_set(corm_type_adapt adapt) {
    adapt_type = adapt;
}

corm_type *corm_type_adapted(corm_type *type, const char *dialect) {
    return type == NULL || type->adapter == NULL || adapt_type == NULL ? type : adapt_type(type, dialect);
}

corm_type *corm_type_of_kind(corm_type_kind kind) {
    return &shared[kind];
}

static bool same_text(const char *left, const char *right) {
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool same_labels(char *const *left, char *const *right) {
    if (left == NULL || right == NULL) {
        return left == right;
    }
    while (*left != NULL && *right != NULL && strcmp(*left, *right) == 0) {
        left++;
        right++;
    }
    return *left == NULL && *right == NULL;
}

bool corm_type_equal(const corm_type *left, const corm_type *right) {
    return left == right ||
           (left != NULL && right != NULL && left->kind == right->kind && left->length == right->length &&
            left->precision == right->precision && left->scale == right->scale &&
            left->as_decimal == right->as_decimal && left->timezone == right->timezone && left->host == right->host &&
            left->adapter == right->adapter && left->dimensions == right->dimensions &&
            corm_type_equal(left->item, right->item) && same_labels(left->labels, right->labels) &&
            same_text(left->schema, right->schema) && same_text(left->name, right->name) &&
            same_text(left->collation, right->collation));
}

uint64_t corm_type_hash(const corm_type *type) {
    if (type == NULL) {
        return 0;
    }
    uint64_t hash = corm_hash_mix(type->kind, (uint64_t)(unsigned)type->length);
    hash = corm_hash_mix(hash, (uint64_t)(unsigned)type->precision << 32 | (unsigned)type->scale);
    hash = corm_hash_mix(hash, (uint64_t)(type->as_decimal | type->timezone << 1));
    hash = corm_hash_mix(hash, (uint64_t)(uintptr_t)type->host);
    hash = corm_hash_mix(hash, (uint64_t)(uintptr_t)type->adapter);
    return type->name == NULL ? hash : corm_hash_mix(hash, corm_hash_bytes(type->name, strlen(type->name)));
}

corm_type *corm_type_of_value(const corm_value *value) {
    static const corm_type_kind kinds[] = {
        [CORM_KIND_BOOLEAN] = CORM_TYPE_BOOLEAN,   [CORM_KIND_INTEGER] = CORM_TYPE_INTEGER,
        [CORM_KIND_FLOAT] = CORM_TYPE_FLOAT,       [CORM_KIND_TEXT] = CORM_TYPE_STRING,
        [CORM_KIND_BYTES] = CORM_TYPE_BINARY,      [CORM_KIND_DECIMAL] = CORM_TYPE_NUMERIC,
        [CORM_KIND_DATE] = CORM_TYPE_DATE,         [CORM_KIND_TIME] = CORM_TYPE_TIME,
        [CORM_KIND_DATETIME] = CORM_TYPE_DATETIME, [CORM_KIND_HOST] = CORM_TYPE_NULL};
    if (value->kind == CORM_KIND_INTEGER && (value->as.integer > INT32_MAX || value->as.integer < INT32_MIN)) {
        return corm_type_of_kind(CORM_TYPE_BIG_INTEGER);
    }
    return corm_type_of_kind(value->kind < sizeof kinds / sizeof *kinds ? kinds[value->kind] : CORM_TYPE_NULL);
}

bool corm_type_is_number(const corm_type *type) {
    return type != NULL &&
           (type->kind == CORM_TYPE_INTEGER || type->kind == CORM_TYPE_SMALL_INTEGER ||
            type->kind == CORM_TYPE_BIG_INTEGER || type->kind == CORM_TYPE_FLOAT || type->kind == CORM_TYPE_NUMERIC);
}

bool corm_type_is_text(const corm_type *type) {
    return type != NULL &&
           (type->kind == CORM_TYPE_STRING || type->kind == CORM_TYPE_TEXT || type->kind == CORM_TYPE_ENUM);
}

void corm_type_describe(const corm_type *type, corm_text *out) {
    static const char *const names[CORM_TYPE_KIND_COUNT] = {
        "NullType", "Integer",     "SmallInteger", "BigInteger", "Boolean",  "Float", "Numeric", "String",
        "Text",     "LargeBinary", "Date",         "Time",       "DateTime", "Enum",  NULL};
    corm_text_append(out, type->kind != CORM_TYPE_OWN ? names[type->kind] : type->name != NULL ? type->name : "OWN");
    if (type->length >= 0) {
        corm_text_append_format(out, "(%d)", type->length);
    } else if (type->precision >= 0 && type->scale >= 0) {
        corm_text_append_format(out, "(%d, %d)", type->precision, type->scale);
    } else if (type->precision >= 0) {
        corm_text_append_format(out, "(%d)", type->precision);
    }
}
