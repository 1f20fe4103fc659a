/*
 * Names that the compiler gives: name_1, addresses_1, anon_1. Each belongs to something (a bind, an alias, a label) and
 * is numbered, within all names after the same word, when it is first needed.
 */
#include <string.h>

#include "compile/compiler_private.h"
#include "sql/select.h"

const char *corm_compiler_keep(corm_compiler *compiler, char *text) {
    if (!text)
        return NULL;
    if (corm_vector_push(&compiler->compiled->strings, text)) {
        corm_free(text);
        return NULL;
    }
    return text;
}

const char *corm_compiler_keep_copy(corm_compiler *compiler, const char *text) {
    return corm_compiler_keep(compiler, corm_strdup(text));
}

static name_counter *counter_of(corm_compiler *compiler, const char *base) {
    name_counter *counter = NULL;
    HASH_FIND_STR(compiler->counters, base, counter);
    if (counter)
        return counter;
    counter = corm_calloc(1, sizeof *counter);
    if (!counter)
        return NULL;
    counter->base = corm_strdup(base);
    if (counter->base)
        HASH_ADD_KEYPTR(hh, compiler->counters, counter->base, strlen(counter->base), counter);
    if (!counter->base || !counter->hh.tbl) {
        corm_free(counter->base);
        corm_free(counter);
        return NULL;
    }
    return counter;
}

const char *corm_compiler_anonymous(corm_compiler *compiler, const void *identity, const char *base) {
    void *known;
    if (corm_pointer_map_get(&compiler->names, identity, &known))
        return known;
    name_counter *counter = counter_of(compiler, base);
    if (!counter)
        return NULL;
    corm_text text = CORM_TEXT_EMPTY;
    corm_text_append_format(&text, "%s_%u", base, ++counter->count);
    const char *name = corm_compiler_keep(compiler, corm_text_take(&text, NULL));
    if (!name || corm_pointer_map_set(&compiler->names, identity, (void *)(uintptr_t)name))
        return NULL;
    return name;
}

corm_node *corm_compiler_canonical(corm_compiler *compiler, corm_node *alias) {
    void *known = NULL;
    if (alias->detail & CORM_ALIAS_RECURSIVE &&
        corm_pointer_map_get(&compiler->restated, corm_alias_element(alias), &known))
        return known;
    return alias;
}

const char *corm_compiler_alias_name(corm_compiler *compiler, corm_node *alias) {
    alias = corm_compiler_canonical(compiler, alias);
    const char *name = corm_alias_name(alias);
    if (name)
        return name;
    const corm_node *element = corm_alias_element(alias);
    const char *base =
        element->kind == CORM_NODE_TABLE || element->kind == CORM_NODE_ALIAS ? corm_node_display_name(element) : NULL;
    return corm_compiler_anonymous(compiler, alias, base ? base : "anon");
}
