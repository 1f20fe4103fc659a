/* Tables: FROM nodes with columns. */
#include <string.h>

#include "schema/schema_private.h"

static bool table_equal(const corm_node *left, const corm_node *right) {
    return left == right;
}

static const char *table_name(const corm_node *node) {
    return ((const corm_table *)(const void *)node)->name;
}

static size_t table_column_count(const corm_node *node) {
    return ((const corm_table *)(const void *)node)->columns.count;
}

static corm_node *table_column(const corm_node *node, size_t index) {
    return corm_column_node(((const corm_table *)(const void *)node)->columns.items[index]);
}

static const corm_node_vtable table_vtable = {
    .name = "Table",
    .equal = table_equal,
    .display_name = table_name,
    .column_count = table_column_count,
    .column = table_column,
};

corm_table *corm_node_as_table(const corm_node *node) {
    return node && node->kind == CORM_NODE_TABLE ? (corm_table *)(uintptr_t)node : NULL;
}

void corm_table_destroy(corm_table *table) {
    HASH_CLEAR(hh, table->by_key);
    for (size_t i = 0; i < table->constraints.count; i++)
        corm_constraint_destroy(table->constraints.items[i]);
    for (size_t i = 0; i < table->indexes.count; i++)
        corm_index_destroy(table->indexes.items[i]);
    for (size_t i = 0; i < table->columns.count; i++)
        corm_column_destroy(table->columns.items[i]);
    for (size_t i = 0; i < table->replaced.count; i++)
        corm_column_destroy(table->replaced.items[i]);
    for (size_t i = 0; i < table->prefixes.count; i++)
        corm_free(table->prefixes.items[i]);
    corm_vector_clear(&table->columns);
    corm_vector_clear(&table->replaced);
    corm_vector_clear(&table->primary_key);
    corm_vector_clear(&table->constraints);
    corm_vector_clear(&table->indexes);
    corm_vector_clear(&table->prefixes);
    corm_host_slot_clear(&table->host);
    corm_host_slot_clear(&table->info);
    corm_free(table->name);
    corm_free(table->schema);
    corm_free(table->key);
    corm_free(table->comment);
    corm_free(table);
}

static corm_status name_table(corm_table *table, const char *name, const char *schema) {
    table->name = corm_strdup(name);
    if (!table->name)
        return CORM_NO_MEMORY;
    if (!schema || !*schema) {
        table->key = corm_strdup(name);
        return table->key ? CORM_OK : CORM_NO_MEMORY;
    }
    table->schema = corm_strdup(schema);
    corm_text key = CORM_TEXT_EMPTY;
    corm_text_append_format(&key, "%s.%s", schema, name);
    table->key = corm_text_take(&key, NULL);
    return table->schema && table->key ? CORM_OK : CORM_NO_MEMORY;
}

/* The constraint is there from the beginning, and empty as long as no column is a primary key. */
static corm_status add_primary_key(corm_table *table) {
    corm_constraint *constraint = corm_calloc(1, sizeof *constraint);
    if (!constraint)
        return CORM_NO_MEMORY;
    constraint->kind = CORM_CONSTRAINT_PRIMARY_KEY;
    constraint->deferrable = -1;
    constraint->table = table;
    constraint->implicit = true;
    corm_status status = corm_vector_push(&table->constraints, constraint);
    if (status)
        corm_free(constraint);
    return status;
}

corm_status corm_table_new(corm_metadata *metadata, const char *name, const char *schema, corm_table **out) {
    *out = NULL;
    if (!name || !*name)
        return corm_error_set(CORM_ARGUMENT_ERROR, "A table needs a name");
    corm_table *table = corm_calloc(1, sizeof *table);
    if (!table)
        return CORM_NO_MEMORY;
    corm_node *node = &table->shared.node;
    corm_node_init(node, &table_vtable, CORM_NODE_TABLE, NULL);
    node->flags |= CORM_NODE_SHARED | CORM_NODE_SEALED;
    node->hash = corm_hash_mix(CORM_NODE_TABLE, (uint64_t)(uintptr_t)table);
    table->shared.owner = &metadata->owner;
    table->metadata = metadata;
    table->implicit_returning = true;
    corm_status status = name_table(table, name, schema ? schema : metadata->schema);
    if (!status)
        status = add_primary_key(table);
    if (!status && corm_metadata_table(metadata, table->key))
        status = corm_error_set(CORM_INVALID_REQUEST,
                                "Table '%s' is already defined for this MetaData instance.  Specify "
                                "'extend_existing=True' to redefine options and columns on an existing Table object.",
                                table->key);
    if (!status)
        status = corm_vector_reserve(&metadata->tables, 1);
    if (!status) /* so that taking it out again cannot fail */
        status = corm_vector_reserve(&metadata->removed, metadata->tables.count + 1);
    if (!status) {
        HASH_ADD_KEYPTR(hh, metadata->by_key, table->key, strlen(table->key), table);
        if (!table->hh.tbl)
            status = CORM_NO_MEMORY;
    }
    if (status) {
        corm_table_destroy(table);
        return status;
    }
    (void)!corm_vector_push(&metadata->tables, table);
    table->serial = metadata->declared++;
    *out = table;
    return CORM_OK;
}

void corm_table_unref(corm_table *table) {
    corm_node_unref(corm_table_node(table));
}

/* References of the column become references of the metadata. */
static void take_in(corm_table *table, corm_column *column) {
    unsigned references = atomic_load_explicit(&column->shared.node.references, memory_order_relaxed);
    atomic_fetch_add_explicit(&table->metadata->owner.references, references, memory_order_relaxed);
    column->shared.owner = &table->metadata->owner;
    column->table = table;
}

/* Take the place of a column of the same key. What it implied goes; it lives on for those who have it. */
static corm_status replace_column(corm_table *table, corm_column *old, corm_column *column) {
    corm_status status = corm_vector_reserve(&table->replaced, 1);
    if (status)
        return status;
    for (size_t i = table->constraints.count; i-- > 0;) {
        corm_constraint *constraint = table->constraints.items[i];
        if (!constraint->implicit || constraint->kind == CORM_CONSTRAINT_PRIMARY_KEY ||
            !corm_vector_contains(&constraint->columns, old))
            continue;
        corm_vector_remove(&table->constraints, i);
        corm_constraint_destroy(constraint);
    }
    for (size_t i = table->indexes.count; i-- > 0;) {
        corm_index *index = table->indexes.items[i];
        if (index->implicit && corm_vector_contains(&index->expressions, corm_column_node(old))) {
            corm_vector_remove(&table->indexes, i);
            corm_index_destroy(index);
        }
    }
    corm_vector_clear(&old->foreign_keys);
    for (size_t i = 0; i < table->primary_key.count; i++) {
        if (table->primary_key.items[i] == old) {
            corm_vector_remove(&table->primary_key, i);
            break;
        }
    }
    corm_constraint *primary_key = table->constraints.items[0];
    for (size_t i = 0; i < primary_key->columns.count; i++) {
        if (primary_key->columns.items[i] == old) {
            corm_vector_remove(&primary_key->columns, i);
            break;
        }
    }
    HASH_DEL(table->by_key, old);
    table->columns.items[old->position] = column;
    column->position = old->position;
    (void)!corm_vector_push(&table->replaced, old);
    return CORM_OK;
}

corm_status corm_table_append_column(corm_table *table, corm_column *column, bool replace) {
    if (!column->name || !*column->name)
        return corm_error_set(CORM_ARGUMENT_ERROR, "Column must be constructed with a non-blank name or assign a "
                                                   "non-blank .name before adding to a Table.");
    if (column->table == table)
        return CORM_OK;
    if (column->table)
        return corm_error_set(CORM_ARGUMENT_ERROR, "Column object '%s' already assigned to Table '%s'", column->name,
                              column->table->name);
    if (!column->key && corm_replace_text(&column->key, column->name))
        return CORM_NO_MEMORY;
    corm_column *old = corm_table_column(table, column->key);
    if (old && !replace)
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "A column with name '%s' is already present in table '%s'. Specify replace_existing=True "
                              "to replace it.",
                              column->key, table->name);
    if (table->columns.count >= UINT32_MAX)
        return corm_error_set(CORM_VALUE_ERROR, "Table '%s' has too many columns", table->name);
    corm_status status = corm_vector_reserve(&table->columns, 1);
    if (!status)
        status = corm_vector_reserve(&table->primary_key, 1);
    /* Its foreign keys, and a constraint or index of its own. */
    if (!status)
        status = corm_vector_reserve(&table->constraints, column->foreign_keys.count + 1);
    if (!status && old)
        status = replace_column(table, old, column);
    if (status)
        return status;
    HASH_ADD_KEYPTR(hh, table->by_key, column->key, strlen(column->key), column);
    if (!column->hh.tbl) {
        if (old) {
            /* The old column is gone from the names: keep it out of the table as a whole. */
            table->columns.items[old->position] = old;
            (void)table->replaced.items[--table->replaced.count];
        }
        return CORM_NO_MEMORY;
    }
    if (!old) {
        column->position = (uint32_t)table->columns.count;
        (void)!corm_vector_push(&table->columns, column);
    }
    take_in(table, column);
    status = corm_column_intern(column);
    corm_status implied = corm_table_adopt_implied(table, column);
    return status ? status : implied;
}

corm_column *corm_table_column(const corm_table *table, const char *key) {
    corm_column *column = NULL;
    HASH_FIND_STR(table->by_key, key, column);
    return column;
}

corm_column *corm_table_column_named(const corm_table *table, const char *name) {
    for (size_t i = 0; i < table->columns.count; i++) {
        corm_column *column = table->columns.items[i];
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

corm_status corm_table_set_comment(corm_table *table, const char *comment) {
    return corm_replace_text(&table->comment, comment);
}

corm_status corm_table_add_prefix(corm_table *table, const char *prefix) {
    char *copy = corm_strdup(prefix);
    if (!copy)
        return CORM_NO_MEMORY;
    corm_status status = corm_vector_push(&table->prefixes, copy);
    if (status)
        corm_free(copy);
    return status;
}

static bool is_integer(const corm_type *type) {
    return type->kind == CORM_TYPE_INTEGER || type->kind == CORM_TYPE_SMALL_INTEGER ||
           type->kind == CORM_TYPE_BIG_INTEGER;
}

corm_column *corm_table_autoincrement_column(const corm_table *table) {
    for (size_t i = 0; i < table->primary_key.count; i++) {
        corm_column *column = table->primary_key.items[i];
        if (column->autoincrement == CORM_AUTOINCREMENT_YES)
            return column;
    }
    if (table->primary_key.count != 1)
        return NULL;
    corm_column *column = table->primary_key.items[0];
    if (column->autoincrement == CORM_AUTOINCREMENT_NO || !is_integer(corm_column_type(column)) ||
        column->foreign_keys.count || column->default_value.kind != CORM_DEFAULT_NONE || column->server_default ||
        column->server_default_node)
        return NULL;
    return column;
}
