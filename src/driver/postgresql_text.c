/*
 * Reading SQL as far as the driver has to: how many parameters and statements there are, and the first word. Quoted
 * texts, identifiers, dollar quotes and comments (which nest) are passed over as the server does.
 */
#include <string.h>

#include "driver/postgresql_private.h"

typedef struct reader {
    const char *at, *end;
} reader;

typedef struct scan {
    corm_pg_text found;
    bool *casts; /* by parameter, or NULL */
    size_t count;
} scan;

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool begins(const reader *text, const char *with) {
    size_t size = strlen(with);
    return (size_t)(text->end - text->at) >= size && memcmp(text->at, with, size) == 0;
}

static void skip_comment(reader *text) {
    if (begins(text, "--")) {
        const char *line = memchr(text->at, '\n', (size_t)(text->end - text->at));
        text->at = line == NULL ? text->end : line;
        return;
    }
    size_t depth = 0;
    do {
        if (begins(text, "/*")) {
            depth++;
            text->at += 2;
        } else if (begins(text, "*/")) {
            depth--;
            text->at += 2;
        } else {
            text->at++;
        }
    } while (depth > 0 && text->at < text->end);
}

/* A text or an identifier; escapes: with backslashes. A doubled quote is two quotes that follow each other. */
static void skip_quoted(reader *text, bool escapes) {
    char quote = *text->at++;
    while (text->at < text->end && *text->at != quote) {
        text->at += escapes && *text->at == '\\' && text->at + 1 < text->end ? 2 : 1;
    }
    text->at += text->at < text->end;
}

/* $tag$ ... $tag$; false when it is none. */
static bool skip_dollar_quoted(reader *text) {
    const char *tag_end = text->at + 1;
    while (tag_end < text->end && (is_letter(*tag_end) || (is_digit(*tag_end) && tag_end > text->at + 1))) {
        tag_end++;
    }
    if (tag_end == text->end || *tag_end != '$') {
        return false;
    }
    size_t size = (size_t)(tag_end + 1 - text->at);
    const char *close = memmem(tag_end + 1, (size_t)(text->end - tag_end - 1), text->at, size);
    text->at = close == NULL ? text->end : close + size;
    return true;
}

/* $n, and whether a cast follows. */
static void read_parameter(reader *text, scan *out) {
    size_t number = 0;
    for (text->at++; text->at < text->end && is_digit(*text->at) && number < 100000; text->at++) {
        number = number * 10 + (size_t)(*text->at - '0');
    }
    out->found.parameters = number > out->found.parameters ? number : out->found.parameters;
    if (number > 0 && number <= out->count && !begins(text, "::")) {
        out->casts[number - 1] = false;
    }
}

/* A word, with the quoted text that E'...' is. */
static void read_word(reader *text, scan *out) {
    const char *start = text->at;
    while (text->at < text->end && (is_letter(*text->at) || is_digit(*text->at) || *text->at == '$')) {
        text->at++;
    }
    size_t size = (size_t)(text->at - start);
    if (out->found.word == NULL) {
        out->found.word = start;
        out->found.word_size = size;
    }
    if (size == 1 && (*start == 'E' || *start == 'e') && text->at < text->end && *text->at == '\'') {
        skip_quoted(text, true);
    }
}

static void scan_text(const char *sql, size_t size, scan *out) {
    reader text = {sql, sql + size};
    bool empty = true; /* the statement under way has nothing yet */
    while (text.at < text.end) {
        char c = *text.at;
        bool blank = c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == ';';
        if (c == ';') {
            empty = true;
        }
        if (blank) {
            text.at++;
            continue;
        }
        if (begins(&text, "--") || begins(&text, "/*")) {
            skip_comment(&text);
            continue;
        }
        out->found.statements += empty;
        empty = false;
        if (c == '\'' || c == '"') {
            skip_quoted(&text, false);
        } else if (c == '$' && text.at + 1 < text.end && is_digit(text.at[1])) {
            read_parameter(&text, out);
        } else if (c == '$' && skip_dollar_quoted(&text)) {
            continue;
        } else if (is_letter(c)) {
            read_word(&text, out);
        } else if (is_digit(c)) {
            while (text.at < text.end && (is_digit(*text.at) || is_letter(*text.at))) {
                text.at++;
            }
        } else {
            text.at++;
        }
    }
}

void corm_pg_scan(const char *sql, size_t size, corm_pg_text *out) {
    scan all = {0};
    scan_text(sql, size, &all);
    *out = all.found;
}

void corm_pg_scan_casts(const char *sql, size_t size, bool *casts, size_t count) {
    scan all = {.casts = casts, .count = count};
    memset(casts, true, count * sizeof *casts);
    scan_text(sql, size, &all);
}

bool corm_pg_word_is(const corm_pg_text *text, const char *word) {
    return text->word_size == strlen(word) && strncasecmp(text->word, word, text->word_size) == 0;
}
