/* What dialects share: the registry, the quoting of identifiers, scratch memory. */
#include "dialect/dialect.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "dialect/dialects.h"

static const corm_dialect *const dialects[] = {&corm_dialect_sqlite, &corm_dialect_postgresql, &corm_dialect_mariadb,
                                               &corm_dialect_mysql, &corm_dialect_plain};

const corm_dialect *corm_dialect_find(const char *name) {
    for (size_t i = 0; name && i < sizeof dialects / sizeof dialects[0]; i++) {
        if (strcmp(dialects[i]->name, name) == 0)
            return dialects[i];
    }
    corm_error_set(CORM_NO_SUCH_MODULE, "Can't load plugin: sqlalchemy.dialects:%s", name ? name : "");
    return NULL;
}

const corm_dialect *corm_dialect_default(void) {
    return &corm_dialect_plain;
}

/* ---- identifiers ---- */

static int compare_words(const void *key, const void *word) {
    return strcmp(key, *(const char *const *)word);
}

static bool is_reserved(const corm_dialect *dialect, const char *name) {
    size_t count = 0;
    while (dialect->reserved_words[count])
        count++;
    return bsearch(name, dialect->reserved_words, count, sizeof *dialect->reserved_words, compare_words) != NULL;
}

bool corm_dialect_requires_quotes(const corm_dialect *dialect, const char *name) {
    if (!*name || (*name >= '0' && *name <= '9') || *name == '$')
        return true;
    for (const char *at = name; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_' || *at == '$';
        if (!plain)
            return true;
    }
    return is_reserved(dialect, name);
}

corm_status corm_dialect_quoted(const corm_dialect *dialect, const char *name, corm_text *out) {
    if (!name || !*name)
        return corm_error_set(CORM_COMPILE_ERROR, "An identifier cannot be empty");
    corm_text_append_char(out, dialect->quote_open);
    for (const char *at = name; *at; at++) {
        if (*at == dialect->quote_close)
            corm_text_append_char(out, *at);
        corm_text_append_char(out, *at);
    }
    corm_text_append_char(out, dialect->quote_close);
    return corm_text_status(out);
}

corm_status corm_dialect_identifier(const corm_dialect *dialect, const char *name, corm_text *out) {
    if (!name || !*name || corm_dialect_requires_quotes(dialect, name))
        return corm_dialect_quoted(dialect, name, out);
    corm_text_append(out, name);
    return corm_text_status(out);
}

corm_status corm_dialect_table_name(const corm_dialect *dialect, const corm_table *table, corm_text *out) {
    if (table->schema) {
        corm_status status = corm_dialect_identifier(dialect, table->schema, out);
        if (status)
            return status;
        corm_text_append_char(out, '.');
    }
    if (table->quote_given && table->quote)
        return corm_dialect_quoted(dialect, table->name, out);
    return corm_dialect_identifier(dialect, table->name, out);
}

/* The parentheses of IN are closed early: what follows decides. */
static void empty_list(uint32_t width, bool negated, corm_text *out) {
    for (uint32_t i = 0; i < width; i++)
        corm_text_append(out, i ? ", NULL" : width > 1 ? "(NULL" : "NULL");
    corm_text_append(out, width > 1 ? ")" : "");
    corm_text_append(out, negated ? ") OR (1 = 1" : ") AND (1 != 1");
}

void corm_empty_set(const corm_dialect *dialect, uint32_t width, bool negated, corm_text *out) {
    if (!dialect->empty_set) {
        empty_list(width, negated, out);
        return;
    }
    if (width <= 1) {
        corm_text_append(out, dialect->empty_set);
        return;
    }
    int parts = dialect->empty_set_end ? 1 : 2;
    for (int part = 0; part < parts; part++) {
        corm_text_append(out, part ? " FROM (SELECT 1" : "SELECT 1");
        for (uint32_t i = 1; i < width; i++)
            corm_text_append(out, ", 1");
    }
    corm_text_append(out, dialect->empty_set_end ? dialect->empty_set_end : ") WHERE 1!=1");
}

corm_status corm_dialect_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                                 corm_text *out) {
    corm_scratch scratch = {0};
    corm_value converted = CORM_ABSENT_VALUE;
    corm_status status = corm_convert_literal(dialect, type, value, &converted, &scratch);
    if (!status)
        status = dialect->literal(dialect, type, &converted, out);
    if (converted.owned)
        corm_value_clear(&converted);
    corm_scratch_clear(&scratch);
    return status;
}

/* ---- scratch memory ---- */

struct corm_scratch_block {
    struct corm_scratch_block *next;
    size_t size;
    max_align_t data[];
};

enum { SCRATCH_BLOCK = 1024 };

void *corm_scratch_alloc(corm_scratch *scratch, size_t size) {
    if (size > SIZE_MAX - 2 * SCRATCH_BLOCK) {
        corm_error_no_memory();
        return NULL;
    }
    size = (size + 7) & ~(size_t)7;
    if (size > scratch->left) {
        size_t room = size > SCRATCH_BLOCK ? size : SCRATCH_BLOCK;
        struct corm_scratch_block *block = corm_alloc(sizeof *block + room);
        if (!block)
            return NULL;
        block->next = scratch->blocks;
        block->size = room;
        scratch->blocks = block;
        scratch->next = (char *)block->data;
        scratch->left = room;
    }
    void *memory = scratch->next;
    scratch->next += size;
    scratch->left -= size;
    return memory;
}

void corm_scratch_reset(corm_scratch *scratch) {
    struct corm_scratch_block *kept = scratch->blocks;
    if (!kept)
        return;
    while (kept->next) {
        struct corm_scratch_block *next = kept->next->next;
        corm_free(kept->next);
        kept->next = next;
    }
    scratch->next = (char *)kept->data;
    scratch->left = kept->size;
}

void corm_scratch_clear(corm_scratch *scratch) {
    while (scratch->blocks) {
        struct corm_scratch_block *next = scratch->blocks->next;
        corm_free(scratch->blocks);
        scratch->blocks = next;
    }
    *scratch = (corm_scratch){0};
}

corm_node *corm_dialect_sequence_of(const corm_dialect *dialect, const corm_column *column) {
    bool left_out = column->sequence_optional && dialect->sequences_optional;
    return dialect->supports_sequences && !left_out ? column->sequence : NULL;
}
