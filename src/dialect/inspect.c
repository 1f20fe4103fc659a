/* What dialects share when they look at a live schema: records in an arena, and texts of types. See inspect.h. */
#include "dialect/inspect.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* ---- records ---- */

char *corm_found_text(corm_arena *arena, const char *bytes, size_t size) {
    char *text = corm_arena_alloc(arena, size + 1);
    if (text != NULL && size != 0) {
        memcpy(text, bytes, size);
    }
    return text;
}

corm_found_key *corm_found_add_key(corm_arena *arena, corm_found_table *table, corm_found_kind kind, const char *name) {
    corm_found_key *key = corm_arena_alloc(arena, sizeof *key);
    corm_found_key **link = &table->keys;
    if (key == NULL) {
        return NULL;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = key;
    key->kind = kind;
    key->name = name;
    key->deferrable = -1;
    return key;
}

corm_found_part *corm_found_add_part(corm_arena *arena, corm_found_key *key, const char *column) {
    corm_found_part *part = corm_arena_alloc(arena, sizeof *part);
    corm_found_part **link = &key->parts;
    if (part == NULL) {
        return NULL;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = part;
    part->column = column;
    key->part_count++;
    return part;
}

/* ---- queries ---- */

corm_status corm_inspect_expand(const char *pattern, const corm_inspect_mark *marks, corm_text *out) {
    for (const char *mark; (mark = strchr(pattern, '$')) != NULL; pattern = mark + 2) {
        const corm_inspect_mark *found = marks;
        while (found->letter != '\0' && found->letter != mark[1]) {
            found++;
        }
        corm_text_append_bytes(out, pattern, (size_t)(mark - pattern));
        corm_text_append(out, found->letter == '\0' ? "" : found->text);
    }
    corm_text_append(out, pattern);
    return corm_text_status(out);
}

corm_status corm_inspect_among(size_t names, bool numbered, corm_text *out) {
    corm_text_append(out, names == 0 ? " IS NOT NULL" : " IN (");
    for (size_t i = 0; i < names; i++) {
        corm_text_append(out, i == 0 ? "" : ", ");
        if (numbered) {
            corm_text_append_format(out, "$%zu::TEXT", i + 1);
        } else {
            corm_text_append(out, "?");
        }
    }
    corm_text_append(out, names == 0 ? "" : ")");
    return corm_text_status(out);
}

/* ---- texts of types ---- */

/* Words up to a parenthesis or the end, in lower case; spaces before, between and after them are made one or none. */
static const char *read_words(const char *text, char *out, size_t room) {
    size_t size = 0;
    for (; *text != '\0' && *text != '('; text++) {
        bool space = isspace((unsigned char)*text);
        if (space && (size == 0 || out[size - 1] == ' ')) {
            continue;
        }
        if (size + 1 == room) {
            size = 0;
            text += strcspn(text, "(");
            break;
        }
        out[size++] = space ? ' ' : (char)tolower((unsigned char)*text);
    }
    size -= size > 0 && out[size - 1] == ' ';
    out[size] = '\0';
    return text;
}

static int read_size(const char *text) {
    long size = 0;
    enum { BASE = 10 };
    text += strspn(text, " ");
    if (!isdigit((unsigned char)*text)) {
        return -1;
    }
    for (; isdigit((unsigned char)*text) && size <= INT_MAX / BASE; text++) {
        size = size * BASE + (*text - '0');
    }
    return size > INT_MAX ? -1 : (int)size;
}

void corm_type_text_read(const char *text, corm_type_text *out) {
    *out = (corm_type_text){.sizes = {-1, -1}};
    text = read_words(text, out->words, sizeof out->words);
    if (*text == '\0') {
        return;
    }
    const char *end = strrchr(text, ')');
    const char *comma = strchr(text, ',');
    out->sizes[0] = read_size(text + 1);
    if (comma != NULL && (end == NULL || comma < end)) {
        out->sizes[1] = read_size(comma + 1);
    }
    if (end != NULL) {
        read_words(end + 1, out->rest, sizeof out->rest);
    }
}

corm_status corm_type_from_words(const corm_type_word *table, size_t count, const corm_type_text *read,
                                 corm_type **out) {
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].words, read->words) != 0) {
            continue;
        }
        corm_type_options options = {.name = table[i].name, .as_decimal = table[i].kind == CORM_TYPE_NUMERIC};
        switch (table[i].argument) {
        case CORM_TYPE_ARGUMENT_LENGTH:
            options.length = read->sizes[0];
            break;
        case CORM_TYPE_ARGUMENT_PRECISION:
            options.precision = read->sizes[0];
            options.scale = read->sizes[1];
            break;
        case CORM_TYPE_ARGUMENT_INEXACT:
            options.precision = read->sizes[1] < 0 ? read->sizes[0] : -1;
            options.scale = -1;
            break;
        case CORM_TYPE_ARGUMENT_NONE:
            break;
        }
        *out = corm_type_new(table[i].kind, &options);
        return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    return CORM_OK;
}
