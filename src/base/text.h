/* A growing buffer of bytes, always zero-terminated, for SQL text and messages. Errors are sticky: after
 * a failed append every further one is a no-op and corm_text_status() tells. */
#ifndef CORM_BASE_TEXT_H
#define CORM_BASE_TEXT_H

#include <stdarg.h>

#include "base/error.h"

typedef struct corm_text {
    char *data;
    size_t size; /* without the terminating NUL */
    size_t capacity;
    bool failed;
} corm_text;

#define CORM_TEXT_EMPTY ((corm_text){0})

void corm_text_append(corm_text *text, const char *string); /* zero-terminated */
void corm_text_append_bytes(corm_text *text, const char *bytes, size_t size);
void corm_text_append_char(corm_text *text, char character);
void corm_text_append_format(corm_text *text, const char *format, ...) CORM_PRINTF(2, 3);
void corm_text_truncate(corm_text *text, size_t size);
corm_status corm_text_status(const corm_text *text);
/* Move the string out, owned by the caller (corm_free); NULL after a failed append. */
char *corm_text_take(corm_text *text, size_t *size);
void corm_text_clear(corm_text *text);

/* Whether bytes are valid UTF-8: no surrogates, no overlong forms (RFC 3629). NULL with size 0 is. */
bool corm_text_is_utf8(const char *bytes, size_t size);

#endif
