/*
 * What only the text of CREATE TABLE and CREATE INDEX tells on SQLite: names of constraints, when keys are checked,
 * CHECKs, expressions of computed columns and indexes, conditions of partial indexes.
 *
 * SQLite keeps the text as it was written, and accepted it: the reader follows the grammar of constraints, passes over
 * what it does not know, and at worst finds less. A token lies in the text; groups in parentheses are passed as one.
 */
#include <string.h>
#include <strings.h>

#include "dialect/dialects.h"
#include "dialect/inspect.h"

typedef enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NAME, TOKEN_TEXT, TOKEN_GROUP, TOKEN_SIGN } token_kind;

typedef struct token {
    token_kind kind;
    const char *start; /* of a GROUP: behind its parenthesis */
    size_t size;       /* of a GROUP: without its parentheses */
} token;

typedef struct source {
    const char *at, *end;
    corm_arena *arena;
    corm_found_table *table;
    unsigned kinds;
    corm_found_column *column; /* the one that is read, or NULL */
    const char *name;          /* of CONSTRAINT, for the next constraint */
} source;

/* ---- tokens ---- */

static bool is_word(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_' ||
           (character >= '0' && character <= '9') || character == '$' || (unsigned char)character >= 0x80;
}

static const char *skip_space(const char *at, const char *end) {
    while (at < end) {
        if (strchr(" \t\r\n\f", *at) != NULL) {
            at++;
        } else if (end - at > 1 && at[0] == '-' && at[1] == '-') {
            const char *line = memchr(at, '\n', (size_t)(end - at));
            at = line == NULL ? end : line + 1;
        } else if (end - at > 1 && at[0] == '/' && at[1] == '*') {
            const char *close = at + 2;
            while (close < end && !(close[0] == '*' && close + 1 < end && close[1] == '/')) {
                close++;
            }
            at = end - close > 2 ? close + 2 : end;
        } else {
            break;
        }
    }
    return at;
}

/* Behind the closing quote; a doubled one is no end. */
static const char *skip_quoted(const char *at, const char *end) {
    char close = *at == '[' ? ']' : *at;
    for (at++; at < end; at++) {
        if (*at == close) {
            if (close == ']' || at + 1 == end || at[1] != close) {
                return at + 1;
            }
            at++;
        }
    }
    return end;
}

/* Behind the parenthesis that closes the one here. */
static const char *skip_group(const char *at, const char *end) {
    size_t depth = 0;
    while ((at = skip_space(at, end)) < end) {
        if (strchr("'\"`[", *at) != NULL) {
            at = skip_quoted(at, end);
            continue;
        }
        depth += *at == '(';
        depth -= *at == ')' && depth > 0;
        at++;
        if (depth == 0) {
            return at;
        }
    }
    return end;
}

static token next_token(const char **from, const char *end) {
    const char *at = skip_space(*from, end);
    token found = {TOKEN_END, at, 0};
    if (at < end && *at == '(') {
        *from = skip_group(at, end);
        found = (token){TOKEN_GROUP, at + 1, (size_t)(*from - at) - (*from - at > 1 && (*from)[-1] == ')' ? 2 : 1)};
    } else if (at < end && strchr("'\"`[", *at) != NULL) {
        *from = skip_quoted(at, end);
        found = (token){*at == '\'' ? TOKEN_TEXT : TOKEN_NAME, at, (size_t)(*from - at)};
    } else if (at < end && is_word(*at)) {
        const char *start = at;
        while (at < end && is_word(*at)) {
            at++;
        }
        *from = at;
        found = (token){TOKEN_WORD, start, (size_t)(at - start)};
    } else if (at < end) {
        *from = at + 1;
        found = (token){TOKEN_SIGN, at, 1};
    } else {
        *from = end;
    }
    return found;
}

static bool says(const token *found, const char *word) {
    return found->kind == TOKEN_WORD && found->size == strlen(word) &&
           strncasecmp(found->start, word, found->size) == 0;
}

static bool is_sign(const token *found, char sign) {
    return found->kind == TOKEN_SIGN && *found->start == sign;
}

/* A name without its quotes, or an expression as it stands, without spaces around it. */
static const char *text_of(corm_arena *arena, const token *found) {
    if ((found->kind != TOKEN_NAME && found->kind != TOKEN_TEXT) || found->size < 2) {
        const char *start = found->start, *end = found->start + found->size;
        while (start < end && strchr(" \t\r\n", *start) != NULL) {
            start++;
        }
        while (end > start && strchr(" \t\r\n", end[-1]) != NULL) {
            end--;
        }
        return corm_found_text(arena, start, (size_t)(end - start));
    }
    char quote = found->start[0], *text = corm_arena_alloc(arena, found->size), *to = text;
    for (size_t i = 1; text != NULL && i + 1 < found->size; i++) {
        *to++ = found->start[i];
        i += quote != '[' && found->start[i] == quote;
    }
    return text;
}

/* ---- lists of columns ---- */

/* Each part of a list, up to its comma. */
static bool next_item(const char **from, const char *end, token *first, token *whole) {
    const char *at = skip_space(*from, end), *start = at;
    *first = (token){TOKEN_END, at, 0};
    if (at >= end) {
        return false;
    }
    for (size_t count = 0;; count++) {
        const char *before = at;
        token found = next_token(&at, end);
        if (found.kind == TOKEN_END || is_sign(&found, ',')) {
            *whole = (token){TOKEN_SIGN, start, (size_t)(before - start)};
            *from = at;
            return true;
        }
        if (count == 0) {
            *first = found;
        }
    }
}

static corm_status add_columns(source *from, corm_found_key *key, const token *group) {
    const char *at = group->start, *end = group->start + group->size;
    token first, whole;
    while (next_item(&at, end, &first, &whole)) {
        const char *name = text_of(from->arena, &first);
        if (name == NULL || corm_found_add_part(from->arena, key, name) == NULL) {
            return CORM_NO_MEMORY;
        }
    }
    return CORM_OK;
}

static bool same_name(const char *left, const char *right) {
    return left != NULL && right != NULL && strcasecmp(left, right) == 0;
}

static bool same_columns(const corm_found_key *left, const corm_found_key *right) {
    const corm_found_part *a = left->parts, *b = right->parts;
    for (; a != NULL && b != NULL && same_name(a->column, b->column); a = a->next, b = b->next) {
    }
    return a == NULL && b == NULL;
}

/* The key of the catalogue that is the one read; NULL: none. */
static corm_found_key *matching(const source *from, const corm_found_key *read) {
    for (corm_found_key *key = from->table->keys; key != NULL; key = key->next) {
        if (key->kind == read->kind && key->name == NULL && same_columns(key, read) &&
            (read->kind != CORM_FOUND_FOREIGN_KEY || same_name(key->referred_table, read->referred_table))) {
            return key;
        }
    }
    return NULL;
}

/* ---- constraints ---- */

static bool wants(const source *from, corm_found_kind kind) {
    return (from->kinds & CORM_FOUND_BIT(kind)) != 0;
}

/* The name and times of a constraint that was read go to the catalogue's. */
static void tell(const source *from, const corm_found_key *read) {
    corm_found_key *key = matching(from, read);
    if (key != NULL) {
        key->name = read->name;
        key->deferrable = read->deferrable;
        key->initially = read->initially;
    }
}

static corm_status read_key(source *from, corm_found_kind kind, const token *group) {
    corm_found_key read = {.kind = kind, .name = from->name, .deferrable = -1};
    corm_status status = CORM_OK;
    from->name = NULL;
    if (group != NULL) {
        status = add_columns(from, &read, group);
    } else if (from->column != NULL && corm_found_add_part(from->arena, &read, from->column->name) == NULL) {
        status = CORM_NO_MEMORY;
    }
    if (status == CORM_OK && wants(from, kind)) {
        tell(from, &read);
    }
    return status;
}

static corm_status read_check(source *from, const token *group) {
    const char *name = from->name;
    from->name = NULL;
    if (!wants(from, CORM_FOUND_CHECK)) {
        return CORM_OK;
    }
    corm_found_key *key = corm_found_add_key(from->arena, from->table, CORM_FOUND_CHECK, name);
    corm_found_part *part = key == NULL ? NULL : corm_found_add_part(from->arena, key, NULL);
    if (part != NULL) {
        part->expression = text_of(from->arena, group);
    }
    return part == NULL || part->expression == NULL ? CORM_NO_MEMORY : CORM_OK;
}

/* [NOT] DEFERRABLE [INITIALLY word] and what else may follow REFERENCES; the first token that does not belong to it is
 * left. */
static void read_reference_options(source *from, corm_found_key *read) {
    for (;;) {
        const char *before = from->at;
        token found = next_token(&from->at, from->end), next;
        if (says(&found, "ON")) {
            next_token(&from->at, from->end);
            next = next_token(&from->at, from->end);
            if (says(&next, "SET") || says(&next, "NO")) {
                next_token(&from->at, from->end);
            }
        } else if (says(&found, "MATCH")) {
            next_token(&from->at, from->end);
        } else if (says(&found, "NOT")) {
            next = next_token(&from->at, from->end);
            if (!says(&next, "DEFERRABLE")) {
                from->at = before;
                return;
            }
            read->deferrable = 0;
        } else if (says(&found, "DEFERRABLE")) {
            read->deferrable = 1;
        } else if (says(&found, "INITIALLY")) {
            next = next_token(&from->at, from->end);
            read->initially = says(&next, "DEFERRED") ? "DEFERRED" : "IMMEDIATE";
        } else {
            from->at = before;
            return;
        }
    }
}

/* What follows REFERENCES. The columns are those of FOREIGN KEY (group), or the one that is read. */
static corm_status read_reference(source *from, const token *group) {
    corm_found_key read = {.kind = CORM_FOUND_FOREIGN_KEY, .name = from->name, .deferrable = -1};
    corm_status status = CORM_OK;
    token target = next_token(&from->at, from->end);
    const char *before = from->at;
    token referred = next_token(&from->at, from->end);
    from->name = NULL;
    if (referred.kind != TOKEN_GROUP) {
        from->at = before;
    }
    read.referred_table = text_of(from->arena, &target);
    if (read.referred_table == NULL) {
        return CORM_NO_MEMORY;
    }
    read_reference_options(from, &read);
    if (group != NULL) {
        status = add_columns(from, &read, group);
    } else if (from->column != NULL && corm_found_add_part(from->arena, &read, from->column->name) == NULL) {
        status = CORM_NO_MEMORY;
    }
    if (status == CORM_OK && wants(from, CORM_FOUND_FOREIGN_KEY)) {
        tell(from, &read);
    }
    return status;
}

static corm_found_column *column_named(const source *from, const char *name) {
    corm_found_column *column = from->table->columns;
    while (column != NULL && !same_name(column->name, name)) {
        column = column->next;
    }
    return column;
}

/* GENERATED ALWAYS AS (...): of the column that is read. */
static corm_status read_computed(source *from, const token *group) {
    if (from->column == NULL || from->column->computed == NULL) {
        return CORM_OK;
    }
    from->column->computed = text_of(from->arena, group);
    return from->column->computed == NULL ? CORM_NO_MEMORY : CORM_OK;
}

/* One token of a definition and what belongs to it. */
static corm_status read_part(source *from, const token *found, bool of_table) {
    const char *before = from->at;
    token next = next_token(&from->at, from->end);
    if (says(found, "CONSTRAINT")) {
        from->name = text_of(from->arena, &next);
        return from->name == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    if (says(found, "CHECK") && next.kind == TOKEN_GROUP) {
        return read_check(from, &next);
    }
    if (says(found, "AS") && next.kind == TOKEN_GROUP) {
        return read_computed(from, &next);
    }
    if (says(found, "UNIQUE")) {
        if (!of_table) {
            from->at = before;
        }
        return read_key(from, CORM_FOUND_UNIQUE, of_table ? &next : NULL);
    }
    if (says(found, "PRIMARY")) {
        token group = of_table ? next_token(&from->at, from->end) : (token){0};
        return read_key(from, CORM_FOUND_PRIMARY_KEY, of_table ? &group : NULL);
    }
    if (says(found, "FOREIGN")) {
        token group = next_token(&from->at, from->end);
        next_token(&from->at, from->end); /* REFERENCES */
        return read_reference(from, &group);
    }
    from->at = before;
    if (says(found, "REFERENCES")) {
        return read_reference(from, NULL);
    }
    if (says(found, "AUTOINCREMENT") && from->column != NULL) {
        from->column->autoincrement = true;
    }
    return CORM_OK;
}

static bool begins_constraint(const token *found) {
    return says(found, "CONSTRAINT") || says(found, "PRIMARY") || says(found, "UNIQUE") || says(found, "CHECK") ||
           says(found, "FOREIGN");
}

/* The definitions between the parentheses. A column's name may also be the one of a column that was not asked for. */
static corm_status read_definitions(source *from) {
    corm_found_column unknown = {0};
    corm_status status = CORM_OK;
    while (status == CORM_OK) {
        token found = next_token(&from->at, from->end);
        bool of_table = begins_constraint(&found);
        from->name = NULL;
        from->column = NULL;
        if (found.kind == TOKEN_END) {
            break;
        }
        if (!of_table) {
            unknown.name = text_of(from->arena, &found);
            if (unknown.name == NULL) {
                return CORM_NO_MEMORY;
            }
            from->column = column_named(from, unknown.name);
            from->column = from->column == NULL ? &unknown : from->column;
            found = next_token(&from->at, from->end);
        }
        for (; status == CORM_OK && found.kind != TOKEN_END && !is_sign(&found, ',');
             found = next_token(&from->at, from->end)) {
            status = read_part(from, &found, of_table);
        }
    }
    return status;
}

static corm_status read_table(source *from) {
    token found;
    do {
        found = next_token(&from->at, from->end);
    } while (found.kind != TOKEN_END && found.kind != TOKEN_GROUP);
    from->at = found.start;
    from->end = found.start + found.size;
    return found.kind == TOKEN_GROUP ? read_definitions(from) : CORM_OK;
}

/* ---- indexes ---- */

/* CREATE INDEX name ON t (parts) [WHERE condition]: the condition takes the text's place. */
static corm_status read_index(source *from, corm_found_key *key) {
    const char *at = key->where, *end = at + strlen(at);
    token found;
    do {
        found = next_token(&at, end);
    } while (found.kind != TOKEN_END && found.kind != TOKEN_GROUP);
    const char *parts = found.start, *parts_end = found.start + found.size;
    token first, whole;
    for (corm_found_part *part = key->parts; part != NULL && next_item(&parts, parts_end, &first, &whole);
         part = part->next) {
        if (part->column == NULL) {
            part->expression = text_of(from->arena, &whole);
            if (part->expression == NULL) {
                return CORM_NO_MEMORY;
            }
        }
    }
    token word = next_token(&at, end);
    token condition = {TOKEN_SIGN, at, (size_t)(end - at)};
    key->where = says(&word, "WHERE") ? text_of(from->arena, &condition) : NULL;
    return says(&word, "WHERE") && key->where == NULL ? CORM_NO_MEMORY : CORM_OK;
}

corm_status corm_sqlite_inspect_source(corm_arena *arena, corm_found_table *table, unsigned kinds) {
    corm_status status = CORM_OK;
    for (corm_found_key *key = table->keys; key != NULL && status == CORM_OK; key = key->next) {
        if (key->kind == CORM_FOUND_INDEX && key->where != NULL) {
            status = read_index(&(source){.arena = arena}, key);
        }
    }
    if (status == CORM_OK && table->sql != NULL && strstr(table->type, "table") != NULL) {
        source from = {
            .at = table->sql, .end = table->sql + strlen(table->sql), .arena = arena, .table = table, .kinds = kinds};
        status = read_table(&from);
    }
    return status;
}
