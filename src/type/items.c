/* Arrays and ranges as texts: see items.h. */
#include "type/items.h"

#include <string.h>
#include <strings.h>

static corm_status no_array(const corm_items *items) {
    (void)items;
    return corm_error_set(CORM_VALUE_ERROR, "the text of an array is malformed");
}

static corm_status no_range(void) {
    return corm_error_set(CORM_VALUE_ERROR, "the text of a range is malformed");
}

/* ---- arrays ---- */

void corm_items_open(const char *text, size_t size, corm_items *out) {
    const char *equals = size > 0 && *text == '[' ? memchr(text, '=', size) : NULL;
    *out = (corm_items){.at = equals == NULL ? text : equals + 1, .end = text + size};
}

void corm_items_close(corm_items *items) {
    corm_text_clear(&items->room);
}

/* What stands between quotes, backslashes being taken for what follows them. */
static corm_status read_quoted(corm_items *items) {
    for (items->at++; items->at < items->end && *items->at != '"'; items->at++) {
        if (*items->at == '\\' && ++items->at == items->end) {
            return no_array(items);
        }
        corm_text_append_char(&items->room, *items->at);
    }
    if (items->at == items->end) {
        return no_array(items);
    }
    items->at++;
    return corm_text_status(&items->room);
}

static corm_status read_plain(corm_items *items) {
    while (items->at < items->end && *items->at != ',' && *items->at != '}') {
        if (*items->at == '{' || *items->at == '"') {
            return no_array(items);
        }
        items->at += *items->at == '\\' && items->at + 1 < items->end;
        corm_text_append_char(&items->room, *items->at++);
    }
    return corm_text_status(&items->room);
}

static corm_status read_item(corm_items *items, corm_item_token *token, const char **item, size_t *size) {
    bool quoted = *items->at == '"';
    corm_text_truncate(&items->room, 0);
    corm_status status = quoted ? read_quoted(items) : read_plain(items);
    if (status != CORM_OK) {
        return status;
    }
    *item = items->room.data == NULL ? "" : items->room.data;
    *size = items->room.size;
    if (!quoted && *size == 0) {
        return no_array(items);
    }
    *token = !quoted && *size == 4 && strncasecmp(*item, "null", 4) == 0 ? CORM_ITEM_NULL : CORM_ITEM_TEXT;
    items->begun = true;
    return CORM_OK;
}

corm_status corm_items_next(corm_items *items, corm_item_token *token, const char **item, size_t *size) {
    *item = NULL;
    *size = 0;
    if (items->at == items->end) {
        *token = CORM_ITEM_END;
        return items->depth == 0 && items->begun ? CORM_OK : no_array(items);
    }
    if (items->depth == 0 && items->begun) {
        return no_array(items);
    }
    if (*items->at == '}' && items->depth > 0) {
        items->at++;
        items->depth--;
        items->begun = true;
        *token = CORM_ITEM_CLOSE;
        return CORM_OK;
    }
    if (items->begun && *items->at++ != ',') {
        return no_array(items);
    }
    if (items->at == items->end) {
        return no_array(items);
    }
    if (*items->at == '{') {
        if (items->depth == CORM_ARRAY_DEPTH) {
            return no_array(items);
        }
        items->at++;
        items->depth++;
        items->begun = false;
        *token = CORM_ITEM_OPEN;
        return CORM_OK;
    }
    return items->depth == 0 ? no_array(items) : read_item(items, token, item, size);
}

static void append_quoted(corm_text *out, const char *item, size_t size) {
    corm_text_append_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (item[i] == '"' || item[i] == '\\') {
            corm_text_append_char(out, '\\');
        }
        corm_text_append_char(out, item[i]);
    }
    corm_text_append_char(out, '"');
}

static bool is_plain(const char *item, size_t size, const char *special) {
    bool null = size == 4 && strncasecmp(item, "null", 4) == 0;
    for (size_t i = 0; i < size; i++) {
        if (item[i] == '\0' || strchr(special, item[i]) != NULL) {
            return false;
        }
    }
    return size > 0 && !null;
}

void corm_items_append(corm_text *out, const char *item, size_t size) {
    if (is_plain(item, size, "{}\",\\ \t\n\r\v\f")) {
        corm_text_append_bytes(out, item, size);
    } else {
        append_quoted(out, item, size);
    }
}

/* ---- ranges ---- */

/* One end, up to what closes it: a comma, or a bracket. Quotes stand anywhere, and doubled ones are one. */
static bool read_end(const char **at, const char *end, corm_text *room, bool *there) {
    bool inside = false;
    *there = false;
    for (; *at < end && (inside || (**at != ',' && **at != ']' && **at != ')')); ++*at) {
        *there = true;
        if (**at == '"') {
            bool doubled = inside && *at + 1 < end && (*at)[1] == '"';
            if (!doubled) {
                inside = !inside;
                continue;
            }
            ++*at;
        } else if (**at == '\\' && *at + 1 < end) {
            ++*at;
        }
        corm_text_append_char(room, **at);
    }
    return !inside && *at < end;
}

corm_status corm_range_parse(const char *text, size_t size, corm_text *room, corm_range *out) {
    const char *at = text, *end = text + size;
    *out = (corm_range){0};
    if (size == 5 && strncasecmp(text, "empty", 5) == 0) {
        out->empty = true;
        return CORM_OK;
    }
    if (size < 3 || (*at != '[' && *at != '(')) {
        return no_range();
    }
    out->lower_inclusive = *at++ == '[';
    size_t start = room->size;
    if (!read_end(&at, end, room, &out->has_lower) || *at++ != ',') {
        return no_range();
    }
    out->lower_size = room->size - start;
    if (!read_end(&at, end, room, &out->has_upper) || *at == ',' || at + 1 != end) {
        return no_range();
    }
    out->upper_inclusive = *at == ']';
    out->upper_size = room->size - start - out->lower_size;
    if (corm_text_status(room) != CORM_OK) {
        return corm_text_status(room);
    }
    out->lower = room->data == NULL ? "" : room->data + start;
    out->upper = out->lower + out->lower_size;
    return CORM_OK;
}

corm_status corm_multirange_next(const char *text, size_t size, size_t *at, const char **range, size_t *range_size,
                                 bool *found) {
    *found = false;
    if (size < 2 || text[0] != '{' || text[size - 1] != '}') {
        return no_range();
    }
    size_t i = *at == 0 ? 1 : *at;
    if (i == size - 1) {
        return CORM_OK;
    }
    i += *at != 0 && text[i] == ',';
    size_t start = i;
    bool inside = false;
    for (; i < size - 1 && (inside || (text[i] != ']' && text[i] != ')')); i++) {
        if (text[i] == '"') {
            inside = !inside;
        } else if (text[i] == '\\') {
            i++;
        }
    }
    if (i >= size - 1) {
        return no_range();
    }
    *range = text + start;
    *range_size = i + 1 - start;
    *at = i + 1;
    *found = true;
    return CORM_OK;
}

void corm_range_append(corm_text *out, const char *end, size_t size) {
    if (is_plain(end, size, "[](){}\",\\ \t\n\r\v\f")) {
        corm_text_append_bytes(out, end, size);
    } else {
        append_quoted(out, end, size);
    }
}

/* ---- pairs of texts ---- */

static corm_status no_hstore(void) {
    return corm_error_set(CORM_VALUE_ERROR, "the text of an hstore is malformed");
}

/* A quoted text from *at on; false: there is none. */
static bool read_quoted_part(const char *text, size_t size, size_t *at, corm_text *room) {
    size_t i = *at;
    if (i >= size || text[i++] != '"') {
        return false;
    }
    for (; i < size && text[i] != '"'; i++) {
        i += text[i] == '\\' && i + 1 < size;
        corm_text_append_char(room, text[i]);
    }
    *at = i + 1;
    return i < size;
}

static bool pass(const char *text, size_t size, size_t *at, const char *expected) {
    size_t length = strlen(expected);
    bool there = size - *at >= length && strncasecmp(text + *at, expected, length) == 0;
    *at += there ? length : 0;
    return there;
}

corm_status corm_hstore_next(const char *text, size_t size, size_t *at, corm_text *room, corm_pair *out, bool *found) {
    *found = false;
    *out = (corm_pair){0};
    corm_text_truncate(room, 0);
    if (*at >= size) {
        return CORM_OK;
    }
    if (*at > 0 && !pass(text, size, at, ", ")) {
        return no_hstore();
    }
    if (!read_quoted_part(text, size, at, room) || *at > size || !pass(text, size, at, "=>")) {
        return no_hstore();
    }
    out->key_size = room->size;
    bool null = pass(text, size, at, "NULL");
    if (!null && !read_quoted_part(text, size, at, room)) {
        return no_hstore();
    }
    if (corm_text_status(room) != CORM_OK) {
        return corm_text_status(room);
    }
    out->key = room->data == NULL ? "" : room->data;
    out->value = null ? NULL : out->key + out->key_size;
    out->value_size = room->size - out->key_size;
    *found = true;
    return CORM_OK;
}
