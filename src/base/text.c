/* The growing text buffer: see text.h. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static const size_t first_capacity = 64;

/* Room for `more` bytes and the NUL. */
static bool reserve(corm_text *text, size_t more) {
    if (text->failed) {
        return false;
    }
    if (more < text->capacity - text->size) {
        return true;
    }
    size_t capacity = text->capacity == 0 ? first_capacity : text->capacity;
    while (capacity - text->size <= more) {
        if (capacity > SIZE_MAX / 2) {
            text->failed = true;
            corm_error_no_memory();
            return false;
        }
        capacity *= 2;
    }
    char *data = corm_realloc(text->data, capacity);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    data[text->size] = '\0';
    return true;
}

void corm_text_append_bytes(corm_text *text, const char *bytes, size_t size) {
    if (size > 0 && reserve(text, size)) { /* of nothing, bytes may be NULL */
        memcpy(text->data + text->size, bytes, size);
        text->size += size;
        text->data[text->size] = '\0';
    }
}

void corm_text_append(corm_text *text, const char *string) {
    corm_text_append_bytes(text, string, strlen(string));
}

void corm_text_append_char(corm_text *text, char character) {
    corm_text_append_bytes(text, &character, 1);
}

void corm_text_append_format(corm_text *text, const char *format, ...) {
    char room[256];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    if (size < 0) {
        return;
    }
    if ((size_t)size < sizeof room) {
        corm_text_append_bytes(text, room, (size_t)size);
    } else if (reserve(text, (size_t)size)) {
        va_start(arguments, format);
        vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
        va_end(arguments);
        text->size += (size_t)size;
    }
}

void corm_text_truncate(corm_text *text, size_t size) {
    if (size < text->size) {
        text->size = size;
        text->data[size] = '\0';
    }
}

corm_status corm_text_status(const corm_text *text) {
    return text->failed ? corm_error_no_memory() : CORM_OK;
}

char *corm_text_take(corm_text *text, size_t *size) {
    char *data = NULL;
    if (!text->failed && (text->data != NULL || reserve(text, 0))) {
        data = text->data;
        if (size != NULL) {
            *size = text->size;
        }
        *text = CORM_TEXT_EMPTY;
    } else {
        corm_text_clear(text);
    }
    return data;
}

void corm_text_clear(corm_text *text) {
    corm_free(text->data);
    *text = CORM_TEXT_EMPTY;
}

/* Eight ASCII bytes at a time. */
bool corm_text_is_utf8(const char *bytes, size_t size) {
    const unsigned char *at = (const unsigned char *)bytes;
    const unsigned char *end = size == 0 ? at : at + size;
    while (at < end) {
        if (end - at >= 8) {
            uint64_t word;
            memcpy(&word, at, sizeof word);
            if ((word & 0x8080808080808080ull) == 0) {
                at += 8;
                continue;
            }
        }
        unsigned char c = *at;
        if (c < 0x80) {
            at++;
            continue;
        }
        int more = c >= 0xC2 && c <= 0xDF ? 1 : c >= 0xE0 && c <= 0xEF ? 2 : c >= 0xF0 && c <= 0xF4 ? 3 : 0;
        if (more == 0 || end - at <= more) {
            return false;
        }
        unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (at[1] < low || at[1] > high) {
            return false;
        }
        for (int i = 2; i <= more; i++) {
            if (at[i] < 0x80 || at[i] > 0xBF) {
                return false;
            }
        }
        at += more + 1;
    }
    return true;
}
