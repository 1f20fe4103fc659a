/* Operations on tagged values; the public part is cormorant/value.h. */
#ifndef CORM_TYPE_VALUE_H
#define CORM_TYPE_VALUE_H

#include <cormorant/value.h>

#include "base/text.h"

/* How a host's objects inside values are kept: set once by a host at start-up (one host with object
 * values per process: Python's; C has none). NULL functions mean the host has no such values. */
typedef struct corm_value_host {
    void (*retain)(void *object);
    void (*release)(void *object);
    bool (*equal)(void *left, void *right); /* must not fail: an exception counts as unequal */
    uint64_t (*hash)(void *object);
    void (*describe)(void *object, corm_text *out); /* for messages and echo, as Python's repr */
} corm_value_host;
void corm_value_host_set(const corm_value_host *host);

static inline corm_value corm_value_integer(int64_t integer) {
    corm_value value = {.kind = CORM_KIND_INTEGER};
    value.as.integer = integer;
    return value;
}
static inline corm_value corm_value_boolean(bool boolean) {
    corm_value value = {.kind = CORM_KIND_BOOLEAN};
    value.as.boolean = boolean;
    return value;
}
static inline corm_value corm_value_float(double real) {
    corm_value value = {.kind = CORM_KIND_FLOAT};
    value.as.real = real;
    return value;
}
/* Borrowed: the bytes must live as long as the value is used. kind is TEXT, BYTES or DECIMAL. */
static inline corm_value corm_value_bytes(corm_kind kind, const char *data, size_t size) {
    corm_value value = {.kind = (uint8_t)kind};
    value.as.text.data = data;
    value.as.text.size = size;
    return value;
}

/* A borrowed text that stands for something. */
static inline corm_value corm_value_form(unsigned form, const char *data, size_t size) {
    corm_value value = corm_value_bytes(CORM_KIND_TEXT, data, size);
    value.form = (uint8_t)form;
    return value;
}

/* Make *out an owned copy (or a new reference of a host object). On failure *out is ABSENT. */
corm_status corm_value_copy(const corm_value *value, corm_value *out) CORM_MUST_CHECK;
/* Let go of what is owned and make the value ABSENT. */
void corm_value_clear(corm_value *value);

/* Equality for keys and change detection: NULL equals NULL; integer, boolean and float compare by number
 * (NaN equals NaN); text and bytes by bytes; values of other different kinds are unequal. */
bool corm_value_equal(const corm_value *left, const corm_value *right);
/* Agrees with corm_value_equal. */
uint64_t corm_value_hash(const corm_value *value);
/* Order of keys in a flush: ABSENT < NULL < numbers < text < bytes < dates; <0, 0, >0. */
int corm_value_compare(const corm_value *left, const corm_value *right);
/* For people (echo, errors), as Python's repr would show it: 'text', 12, None, b'..', datetime... */
void corm_value_describe(const corm_value *value, corm_text *out);
const char *corm_kind_name(corm_kind kind);

#endif
