/* Columns, as nodes and as descriptions; and the stand-ins for columns inside what a metadata itself keeps. */
#include <assert.h>
#include <string.h>

#include "schema/schema_private.h"
#include "sql/walk.h"

/* A column that is referred to from inside its own metadata: borrowed, or the metadata would keep itself alive. */
typedef struct stand_in {
    corm_node node;
    corm_column *column;
} stand_in;

static const char *column_name(const corm_node *node) {
    const corm_column *column = corm_node_as_column(node);
    return column->key ? column->key : column->name;
}

static bool column_equal(const corm_node *left, const corm_node *right) {
    return corm_node_as_column(left) == corm_node_as_column(right);
}

static void default_clear(corm_default *content) {
    corm_value_clear(&content->value);
    if (content->release)
        content->release(content->callable);
    corm_node_unref(content->expression);
    *content = (corm_default){0};
}

static void column_release(corm_node *node) {
    corm_column *column = (corm_column *)(void *)node;
    corm_free(column->name);
    corm_free(column->key);
    default_clear(&column->default_value);
    default_clear(&column->on_update);
    corm_free(column->server_default);
    corm_node_unref(column->server_default_node);
    corm_node_unref(column->computed);
    corm_node_unref(column->sequence);
    corm_free(column->identity);
    corm_free(column->comment);
    /* Foreign keys of a column without a table have constraints of their own. */
    if (!column->table) {
        for (size_t i = 0; i < column->foreign_keys.count; i++) {
            corm_foreign_key *key = column->foreign_keys.items[i];
            corm_constraint_destroy(key->constraint);
        }
    }
    corm_vector_clear(&column->foreign_keys);
    corm_host_slot_clear(&column->info);
}

static const corm_node_vtable column_vtable = {
    .name = "Column",
    .equal = column_equal,
    .release = column_release,
    .display_name = column_name,
};
static const corm_node_vtable stand_in_vtable = {
    .name = "Column",
    .equal = column_equal,
    .display_name = column_name,
};

corm_column *corm_node_as_column(const corm_node *node) {
    if (!node || node->kind != CORM_NODE_COLUMN)
        return NULL;
    if (node->vtable == &stand_in_vtable)
        return ((const stand_in *)(const void *)node)->column;
    return (corm_column *)(uintptr_t)node;
}

void corm_host_slot_clear(corm_host_slot *slot) {
    if (slot->data && slot->release)
        slot->release(slot->data);
    *slot = (corm_host_slot){0};
}

corm_status corm_replace_text(char **place, const char *text) {
    char *copy = NULL;
    if (text && !(copy = corm_strdup(text)))
        return CORM_NO_MEMORY;
    corm_free(*place);
    *place = copy;
    return CORM_OK;
}

corm_status corm_column_new(const char *name, corm_type *type, corm_column **out) {
    *out = NULL;
    corm_column *column = corm_calloc(1, sizeof *column);
    if (!column)
        return CORM_NO_MEMORY;
    corm_node *node = &column->shared.node;
    corm_node_init(node, &column_vtable, CORM_NODE_COLUMN, type);
    node->flags |= CORM_NODE_SHARED | CORM_NODE_SEALED;
    node->hash = corm_hash_mix(CORM_NODE_COLUMN, (uint64_t)(uintptr_t)column);
    column->nullable = true;
    if (name && (corm_replace_text(&column->name, name) || corm_replace_text(&column->key, name))) {
        corm_node_unref(node);
        return CORM_NO_MEMORY;
    }
    *out = column;
    return CORM_OK;
}

void corm_column_destroy(corm_column *column) {
    column_release(&column->shared.node);
    corm_type_unref(column->shared.node.type);
    corm_free(column);
}

corm_column *corm_column_ref(corm_column *column) {
    corm_node_ref(corm_column_node(column));
    return column;
}

void corm_column_unref(corm_column *column) {
    corm_node_unref(corm_column_node(column));
}

corm_status corm_column_set_name(corm_column *column, const char *name) {
    if (column->table)
        return corm_error_set(CORM_INVALID_REQUEST, "Column '%s' has its name already: it belongs to table '%s'",
                              column->name, column->table->name);
    if (!column->key || (column->name && strcmp(column->key, column->name) == 0)) {
        corm_status status = corm_replace_text(&column->key, name);
        if (status)
            return status;
    }
    return corm_replace_text(&column->name, name);
}

corm_status corm_column_set_key(corm_column *column, const char *key) {
    if (column->table)
        return corm_error_set(CORM_INVALID_REQUEST, "Column '%s' has its key already: it belongs to table '%s'",
                              column->name, column->table->name);
    return corm_replace_text(&column->key, key);
}

void corm_column_set_type(corm_column *column, corm_type *type) {
    corm_type *old = column->shared.node.type;
    column->shared.node.type = corm_type_ref(type);
    corm_type_unref(old);
}

void corm_column_set_nullable(corm_column *column, bool nullable) {
    column->nullable = nullable;
    column->nullable_given = true;
}

void corm_column_set_primary_key(corm_column *column, bool primary_key) {
    column->primary_key = primary_key;
    if (!column->nullable_given)
        column->nullable = !primary_key;
}

/* Keep a node in a place of the column: interned when the column is a metadata's. */
static corm_status keep_node(corm_column *column, corm_node **place, corm_node *node) {
    corm_node *kept = NULL;
    if (node) {
        kept = column->table ? corm_metadata_intern(column->table->metadata, node) : corm_node_ref(node);
        if (!kept)
            return corm_error_last()->status;
    }
    corm_node_unref(*place);
    *place = kept;
    return CORM_OK;
}

corm_status corm_column_set_server_default(corm_column *column, const char *text, corm_node *node) {
    corm_status status = corm_replace_text(&column->server_default, text);
    return status ? status : keep_node(column, &column->server_default_node, node);
}

corm_status corm_column_set_comment(corm_column *column, const char *comment) {
    return corm_replace_text(&column->comment, comment);
}

corm_status corm_column_set_computed(corm_column *column, corm_node *expression, bool persisted) {
    column->computed_persisted = persisted;
    return keep_node(column, &column->computed, expression);
}

corm_status corm_column_set_sequence(corm_column *column, corm_node *next, bool optional) {
    column->sequence_optional = optional;
    return keep_node(column, &column->sequence, next);
}

corm_status corm_column_set_identity(corm_column *column, const char *words) {
    return corm_replace_text(&column->identity, words);
}

static corm_default *default_of(corm_column *column, bool on_update) {
    return on_update ? &column->on_update : &column->default_value;
}

corm_status corm_column_set_default_value(corm_column *column, bool on_update, const corm_value *value) {
    corm_value copy;
    corm_status status = corm_value_copy(value, &copy);
    if (status)
        return status;
    corm_default *place = default_of(column, on_update);
    default_clear(place);
    place->kind = CORM_DEFAULT_VALUE;
    place->value = copy;
    return CORM_OK;
}

void corm_column_set_default_callable(corm_column *column, bool on_update, void *callable,
                                      void (*release)(void *callable)) {
    corm_default *place = default_of(column, on_update);
    default_clear(place);
    place->kind = CORM_DEFAULT_CALLABLE;
    place->callable = callable;
    place->release = release;
}

corm_status corm_column_set_default_expression(corm_column *column, bool on_update, corm_node *expression) {
    corm_node *kept = NULL;
    corm_status status = keep_node(column, &kept, expression);
    if (status)
        return status;
    corm_default *place = default_of(column, on_update);
    default_clear(place);
    place->kind = CORM_DEFAULT_EXPRESSION;
    place->expression = kept;
    return CORM_OK;
}

corm_status corm_column_intern(corm_column *column) {
    corm_node **places[] = {&column->default_value.expression, &column->on_update.expression,
                            &column->server_default_node, &column->computed, &column->sequence};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (!*places[i])
            continue;
        corm_status status = keep_node(column, places[i], *places[i]);
        if (status)
            return status;
    }
    return CORM_OK;
}

/* ---- copies ---- */

static corm_status copy_default(corm_column *copy, bool on_update, const corm_default *from) {
    switch (from->kind) {
    case CORM_DEFAULT_VALUE:
        return corm_column_set_default_value(copy, on_update, &from->value);
    case CORM_DEFAULT_EXPRESSION:
        return corm_column_set_default_expression(copy, on_update, from->expression);
    case CORM_DEFAULT_CALLABLE:
        /* Only the host can share its callables: it sets them again on the copy. */
    case CORM_DEFAULT_NONE:
        break;
    }
    return CORM_OK;
}

static corm_status copy_foreign_keys(corm_column *copy, const corm_column *column) {
    for (size_t i = 0; i < column->foreign_keys.count; i++) {
        const corm_foreign_key *key = column->foreign_keys.items[i];
        const corm_constraint *constraint = key->constraint;
        if (constraint && constraint->foreign_keys.count > 1)
            continue;
        corm_foreign_key_options options = {0};
        if (constraint) {
            options = (corm_foreign_key_options){.name = constraint->name,
                                                 .ondelete = constraint->ondelete,
                                                 .onupdate = constraint->onupdate,
                                                 .initially = constraint->initially,
                                                 .match = constraint->match,
                                                 .deferrable_given = constraint->deferrable >= 0,
                                                 .deferrable = constraint->deferrable > 0,
                                                 .use_alter = constraint->use_alter};
        }
        corm_status status =
            corm_column_add_foreign_key(copy, key->target, key->target ? NULL : key->column, &options, NULL);
        if (status)
            return status;
    }
    return CORM_OK;
}

corm_status corm_column_copy(const corm_column *column, corm_column **out) {
    corm_status status = corm_column_new(column->name, column->shared.node.type, out);
    if (status)
        return status;
    corm_column *copy = *out;
    copy->primary_key = column->primary_key;
    copy->nullable = column->nullable;
    copy->nullable_given = column->nullable_given;
    copy->unique = column->unique;
    copy->index = column->index;
    copy->system = column->system;
    copy->quote_given = column->quote_given;
    copy->quote = column->quote;
    copy->autoincrement = column->autoincrement;
    status = corm_replace_text(&copy->key, column->key);
    if (!status)
        status = copy_default(copy, false, &column->default_value);
    if (!status)
        status = copy_default(copy, true, &column->on_update);
    if (!status)
        status = corm_column_set_server_default(copy, column->server_default, column->server_default_node);
    if (!status)
        status = corm_column_set_computed(copy, column->computed, column->computed_persisted);
    if (!status)
        status = corm_column_set_sequence(copy, column->sequence, column->sequence_optional);
    if (!status)
        status = corm_column_set_identity(copy, column->identity);
    if (!status)
        status = corm_replace_text(&copy->comment, column->comment);
    if (!status)
        status = copy_foreign_keys(copy, column);
    if (status) {
        corm_column_unref(copy);
        *out = NULL;
    }
    return status;
}

/* ---- stand-ins ---- */

static corm_status replace_column(void *context, corm_node *node, corm_node **out) {
    corm_metadata *metadata = context;
    corm_column *column = corm_node_as_column(node);
    if (!column || node->vtable == &stand_in_vtable || !column->table || column->table->metadata != metadata)
        return CORM_OK;
    corm_node *made =
        corm_node_make(&stand_in_vtable, CORM_NODE_COLUMN, CORM_OP_NONE, node->type, sizeof(stand_in), NULL, 0, true);
    if (!made)
        return CORM_NO_MEMORY;
    ((stand_in *)(void *)made)->column = column;
    made = corm_node_seal(made);
    made->hash = node->hash;
    *out = made;
    return CORM_OK;
}

corm_node *corm_metadata_intern(corm_metadata *metadata, corm_node *expression) {
    return corm_node_replace(expression, replace_column, metadata);
}
