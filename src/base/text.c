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
    if (reserve(text, size)) {
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
