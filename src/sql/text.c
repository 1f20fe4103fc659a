/*
 * Textual SQL: the user's own text, with `:name` for parameters. Colons that belong to SQL are left alone: `::`, a
 * colon after a word or a digit, and `\:` (which becomes a plain colon when compiled).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sql/expression.h"
#include "sql/text_scan.h"

static const corm_text_node *as_text(const corm_node *node) {
    return (const corm_text_node *)(const void *)node;
}

static size_t text_child_count(const corm_node *node) {
    return (size_t)as_text(node)->bind_count + as_text(node)->column_count;
}

static corm_node *text_child(const corm_node *node, size_t index) {
    return as_text(node)->children[index];
}

static uint64_t text_hash(const corm_node *node) {
    return corm_hash_bytes(as_text(node)->text, as_text(node)->size);
}

static bool text_equal(const corm_node *left, const corm_node *right) {
    const corm_text_node *first = as_text(left);
    const corm_text_node *second = as_text(right);
    return first->size == second->size && first->bind_count == second->bind_count &&
           memcmp(first->text, second->text, first->size) == 0;
}

static void text_release(corm_node *node) {
    corm_text_node *text = (corm_text_node *)(void *)node;
    corm_free(text->text);
    corm_free(text->children);
}

static corm_node *text_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable text_vtable = {
    .name = "TextClause",
    .child_count = text_child_count,
    .child = text_child,
    .clone = text_clone,
    .hash = text_hash,
    .equal = text_equal,
    .release = text_release,
};

static bool is_word(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_';
}

bool corm_text_scan(const char *text, size_t size, size_t *position, corm_text_piece *piece) {
    size_t start = *position;
    if (start >= size)
        return false;
    size_t at = start;
    for (; at < size; at++) {
        if (text[at] == '\\' && at + 1 < size && text[at + 1] == ':')
            break;
        if (text[at] != ':')
            continue;
        if (at + 1 < size && text[at + 1] == ':') {
            while (at + 1 < size && text[at + 1] == ':')
                at++;
            continue;
        }
        bool after_word = at > 0 && (is_word(text[at - 1]) || text[at - 1] == ':');
        if (!after_word && at + 1 < size && is_word(text[at + 1])) {
            size_t end = at + 1;
            while (end < size && is_word(text[end]))
                end++;
            /* `:name:` is no parameter. */
            if (end >= size || text[end] != ':')
                break;
            if (end + 1 < size && text[end + 1] == ':')
                break;
            at = end;
        }
    }
    if (at > start) {
        *piece = (corm_text_piece){.start = text + start, .size = at - start};
        *position = at;
        return true;
    }
    if (text[at] == '\\') {
        *piece = (corm_text_piece){.start = text + at + 1, .size = 1};
        *position = at + 2;
        return true;
    }
    size_t end = at + 1;
    while (end < size && is_word(text[end]))
        end++;
    *piece = (corm_text_piece){.start = text + at + 1, .size = end - at - 1, .is_parameter = true};
    *position = end;
    return true;
}

static bool is_named(const corm_node *bind, const char *name, size_t size) {
    const char *key = corm_node_bind(bind)->key;
    return key && strlen(key) == size && memcmp(key, name, size) == 0;
}

static corm_node *find_bind(corm_node *const *binds, size_t count, const char *name, size_t size) {
    for (size_t i = 0; i < count; i++) {
        if (is_named(binds[i], name, size))
            return binds[i];
    }
    return NULL;
}

static corm_node *text_make(const char *sql, size_t size, corm_node *const *children, size_t bind_count,
                            size_t column_count) {
    if (bind_count > UINT32_MAX || column_count > UINT32_MAX) {
        corm_error_set(CORM_VALUE_ERROR, "A text has too many parameters or columns");
        return NULL;
    }
    corm_node *node =
        corm_node_make(&text_vtable, CORM_NODE_TEXT, CORM_OP_NONE, NULL, sizeof(corm_text_node), NULL, 0, true);
    if (!node)
        return NULL;
    corm_text_node *text = (corm_text_node *)(void *)node;
    text->text = corm_strndup(sql, size);
    text->size = size;
    text->children = corm_alloc_array(bind_count + column_count, sizeof *text->children);
    if (!text->text || !text->children) {
        corm_node_unref(node);
        return NULL;
    }
    for (size_t i = 0; i < bind_count + column_count; i++)
        text->children[i] = corm_node_ref(children[i]);
    text->bind_count = (uint32_t)bind_count;
    text->column_count = (uint32_t)column_count;
    return corm_node_seal(node);
}

static corm_node *text_clone(const corm_node *node, corm_node *const *children) {
    const corm_text_node *text = as_text(node);
    return text_make(text->text, text->size, children, text->bind_count, text->column_count);
}

/* The bind of each name in the text, once: the given one or a new required one; all new references. */
static corm_status gather_binds(const char *sql, size_t size, corm_node *const *binds, size_t count, corm_vector *out) {
    size_t position = 0;
    corm_text_piece piece;
    while (corm_text_scan(sql, size, &position, &piece)) {
        if (!piece.is_parameter ||
            find_bind((corm_node *const *)(void *)out->items, out->count, piece.start, piece.size))
            continue;
        corm_node *bind = corm_node_ref(find_bind(binds, count, piece.start, piece.size));
        if (!bind) {
            char *name = corm_strndup(piece.start, piece.size);
            bind = name ? corm_bind_named(name, NULL, NULL, false) : NULL;
            corm_free(name);
        }
        if (!bind)
            return CORM_NO_MEMORY;
        corm_status status = corm_vector_push(out, bind);
        if (status) {
            corm_node_unref(bind);
            return status;
        }
    }
    return CORM_OK;
}

static void unref_all(corm_vector *nodes) {
    for (size_t i = 0; i < nodes->count; i++)
        corm_node_unref(nodes->items[i]);
    corm_vector_clear(nodes);
}

static corm_node *text_with(const char *sql, size_t size, corm_node *const *binds, size_t bind_count,
                            corm_node *const *columns, size_t column_count) {
    corm_vector children = {0};
    corm_node *node = NULL;
    for (size_t i = 0; i < column_count; i++) {
        if (!columns[i])
            return NULL;
    }
    if (gather_binds(sql, size, binds, bind_count, &children))
        goto done;
    size_t found = children.count;
    for (size_t i = 0; i < bind_count; i++) {
        const char *key = corm_node_bind(binds[i])->key;
        if (!corm_vector_contains(&children, binds[i])) {
            corm_error_set(CORM_ARGUMENT_ERROR, "This text() construct doesn't define a bound parameter named '%s'",
                           key ? key : "None");
            goto done;
        }
    }
    for (size_t i = 0; i < column_count; i++) {
        if (corm_vector_push(&children, corm_node_ref(columns[i]))) {
            corm_node_unref(columns[i]);
            goto done;
        }
    }
    node = text_make(sql, size, (corm_node *const *)(void *)children.items, found, column_count);
done:
    unref_all(&children);
    return node;
}

corm_node *corm_text_new(const char *text, corm_node *const *binds, size_t bind_count, corm_node *const *columns,
                         size_t column_count) {
    if (!text)
        return NULL;
    for (size_t i = 0; i < bind_count; i++) {
        if (!binds[i])
            return NULL;
    }
    return text_with(text, strlen(text), binds, bind_count, columns, column_count);
}

corm_node *corm_text_with_binds(const corm_node *node, corm_node *const *binds, size_t count) {
    if (!node)
        return NULL;
    const corm_text_node *text = as_text(node);
    size_t total = text->bind_count;
    corm_node **children = corm_alloc_array(total + text->column_count, sizeof *children);
    if (!children)
        return NULL;
    corm_node *made = NULL;
    memcpy(children, text->children, (total + text->column_count) * sizeof *children);
    for (size_t i = 0; i < count; i++) {
        if (!binds[i])
            goto done;
        const char *key = corm_node_bind(binds[i])->key;
        size_t at = 0;
        while (at < total && !(key && is_named(children[at], key, strlen(key))))
            at++;
        if (at == total) {
            corm_error_set(CORM_ARGUMENT_ERROR, "This text() construct doesn't define a bound parameter named '%s'",
                           key ? key : "None");
            goto done;
        }
        children[at] = binds[i];
    }
    made = text_clone(node, children);
done:
    corm_free(children);
    return made;
}

corm_node *corm_text_with_columns(const corm_node *node, corm_node *const *columns, size_t count) {
    if (!node)
        return NULL;
    const corm_text_node *text = as_text(node);
    return text_with(text->text, text->size, text->children, text->bind_count, columns, count);
}
