/* Constraints, foreign keys and indexes. */
#include <string.h>

#include "schema/schema_private.h"

void corm_foreign_key_destroy(corm_foreign_key *key) {
    if (!key)
        return;
    corm_host_slot_clear(&key->host);
    corm_node_unref(key->foreign);
    corm_free(key->target);
    corm_free(key);
}

void corm_constraint_destroy(corm_constraint *constraint) {
    if (!constraint)
        return;
    for (size_t i = 0; i < constraint->foreign_keys.count; i++)
        corm_foreign_key_destroy(constraint->foreign_keys.items[i]);
    corm_vector_clear(&constraint->foreign_keys);
    corm_vector_clear(&constraint->columns);
    corm_node_unref(constraint->check);
    corm_host_slot_clear(&constraint->host);
    corm_free(constraint->name);
    corm_free(constraint->ondelete);
    corm_free(constraint->onupdate);
    corm_free(constraint->initially);
    corm_free(constraint->match);
    corm_free(constraint);
}

void corm_index_destroy(corm_index *index) {
    if (!index)
        return;
    for (size_t i = 0; i < index->expressions.count; i++) {
        corm_node *node = index->expressions.items[i];
        if (!corm_node_as_column(node))
            corm_node_unref(node);
    }
    corm_vector_clear(&index->expressions);
    corm_node_unref(index->where);
    corm_host_slot_clear(&index->host);
    corm_free(index->name);
    corm_free(index);
}

static corm_constraint *constraint_new(corm_constraint_kind kind, corm_table *table, const char *name) {
    corm_constraint *constraint = corm_calloc(1, sizeof *constraint);
    if (!constraint)
        return NULL;
    constraint->kind = kind;
    constraint->table = table;
    constraint->deferrable = -1;
    if (corm_replace_text(&constraint->name, name)) {
        corm_free(constraint);
        return NULL;
    }
    return constraint;
}

/* Hand a finished constraint to its table; on failure it is gone. */
static corm_status attach(corm_table *table, corm_constraint *constraint, corm_constraint **out) {
    constraint->table = table;
    corm_status status = corm_vector_push(&table->constraints, constraint);
    if (status) {
        corm_constraint_destroy(constraint);
        constraint = NULL;
    }
    if (out)
        *out = constraint;
    return status;
}

static corm_status add_columns(corm_constraint *constraint, corm_table *table, corm_column *const *columns,
                               size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (columns[i]->table != table)
            return corm_error_set(CORM_ARGUMENT_ERROR, "Column '%s' does not belong to table '%s'",
                                  columns[i]->name ? columns[i]->name : "?", table->name);
        corm_status status = corm_vector_push(&constraint->columns, columns[i]);
        if (status)
            return status;
    }
    return CORM_OK;
}

/* ---- foreign keys ---- */

static corm_status apply_options(corm_constraint *constraint, const corm_foreign_key_options *options) {
    if (!options)
        return CORM_OK;
    constraint->deferrable = options->deferrable_given ? options->deferrable : -1;
    constraint->use_alter = options->use_alter;
    if (corm_replace_text(&constraint->name, options->name) ||
        corm_replace_text(&constraint->ondelete, options->ondelete) ||
        corm_replace_text(&constraint->onupdate, options->onupdate) ||
        corm_replace_text(&constraint->initially, options->initially) ||
        corm_replace_text(&constraint->match, options->match))
        return CORM_NO_MEMORY;
    return CORM_OK;
}

/* A key whose parent is `column` (which may not have a table yet), owned by the constraint. */
static corm_status add_key(corm_constraint *constraint, corm_column *column, const char *target,
                           corm_column *target_column, corm_foreign_key **out) {
    if (!target && !target_column)
        return corm_error_set(CORM_ARGUMENT_ERROR, "A foreign key needs a target");
    corm_foreign_key *key = corm_calloc(1, sizeof *key);
    if (!key)
        return CORM_NO_MEMORY;
    key->parent = column;
    key->constraint = constraint;
    key->column = target ? NULL : target_column;
    corm_status status = corm_replace_text(&key->target, target);
    if (!status)
        status = corm_vector_push(&constraint->foreign_keys, key);
    if (status) {
        corm_foreign_key_destroy(key);
        return status;
    }
    /* The target is kept alive unless it is of the same metadata, which holds itself together. */
    bool inside =
        column->table && key->column && key->column->table && key->column->table->metadata == column->table->metadata;
    if (key->column && key->column != column && !inside)
        key->foreign = corm_node_ref(corm_column_node(key->column));
    *out = key;
    return CORM_OK;
}

corm_status corm_column_add_foreign_key(corm_column *column, const char *target, corm_column *target_column,
                                        const corm_foreign_key_options *options, corm_foreign_key **out) {
    corm_foreign_key *key = NULL;
    if (out)
        *out = NULL;
    corm_status status = corm_vector_reserve(&column->foreign_keys, 1);
    if (status)
        return status;
    corm_constraint *constraint = constraint_new(CORM_CONSTRAINT_FOREIGN_KEY, column->table, NULL);
    if (!constraint)
        return CORM_NO_MEMORY;
    constraint->implicit = true;
    status = apply_options(constraint, options);
    if (!status)
        status = corm_vector_push(&constraint->columns, column);
    if (!status)
        status = add_key(constraint, column, target, target_column, &key);
    if (status) {
        corm_constraint_destroy(constraint);
        return status;
    }
    if (column->table && (status = attach(column->table, constraint, NULL)))
        return status;
    (void)!corm_vector_push(&column->foreign_keys, key);
    if (out)
        *out = key;
    return CORM_OK;
}

corm_status corm_table_add_foreign_key(corm_table *table, corm_column *const *columns, const char *const *targets,
                                       corm_column *const *target_columns, size_t count,
                                       const corm_foreign_key_options *options, corm_constraint **out) {
    if (out)
        *out = NULL;
    if (!count)
        return corm_error_set(CORM_ARGUMENT_ERROR, "A foreign key constraint needs columns");
    corm_constraint *constraint = constraint_new(CORM_CONSTRAINT_FOREIGN_KEY, table, NULL);
    if (!constraint)
        return CORM_NO_MEMORY;
    corm_status status = apply_options(constraint, options);
    if (!status)
        status = add_columns(constraint, table, columns, count);
    for (size_t i = 0; i < count && !status; i++) {
        corm_foreign_key *key;
        status = corm_vector_reserve(&columns[i]->foreign_keys, count);
        if (!status)
            status = add_key(constraint, columns[i], targets ? targets[i] : NULL,
                             target_columns ? target_columns[i] : NULL, &key);
    }
    if (status) {
        corm_constraint_destroy(constraint);
        return status;
    }
    status = attach(table, constraint, out);
    for (size_t i = 0; i < count && !status; i++)
        (void)!corm_vector_push(&columns[i]->foreign_keys, constraint->foreign_keys.items[i]);
    return status;
}

/* The parts of "schema.table.column": the size of the table's; *column is NULL for a bare table. */
static size_t split_target(const char *target, const char **column) {
    const char *dot = strrchr(target, '.');
    *column = dot ? dot + 1 : NULL;
    return dot ? (size_t)(dot - target) : strlen(target);
}

/* Is a table's key this schema and this name? */
static bool is_in_schema(const char *key, const char *schema, const char *name, size_t size) {
    size_t before = strlen(schema);
    return strncmp(key, schema, before) == 0 && key[before] == '.' && strlen(key) == before + 1 + size &&
           memcmp(key + before + 1, name, size) == 0;
}

/* Without memory of its own: that it found nothing means that there is nothing. */
static corm_table *find_table(const corm_metadata *metadata, const char *name, size_t size) {
    for (size_t i = 0; i < metadata->tables.count && metadata->schema && !memchr(name, '.', size); i++) {
        corm_table *table = metadata->tables.items[i];
        if (is_in_schema(table->key, metadata->schema, name, size))
            return table;
    }
    corm_table *table;
    HASH_FIND(hh, metadata->by_key, name, size, table);
    return table;
}

corm_table *corm_foreign_key_table(const corm_foreign_key *key) {
    if (!key->target)
        return key->column ? key->column->table : NULL;
    if (!key->parent || !key->parent->table)
        return NULL;
    const char *column;
    size_t size = split_target(key->target, &column);
    return find_table(key->parent->table->metadata, key->target, size);
}

/* A column whose type was not given has that of the column referred to. */
static void take_type(corm_foreign_key *key) {
    if (key->parent && (!key->parent->shared.node.type || key->parent->shared.node.type->kind == CORM_TYPE_NULL))
        corm_column_set_type(key->parent, key->column->shared.node.type);
}

corm_status corm_foreign_key_resolve(corm_foreign_key *key, corm_column **out) {
    *out = NULL;
    if (key->column && key->column->table) {
        /* A target that came into our own metadata after we took a reference is held by it now. */
        if (key->foreign && key->parent && key->parent->table &&
            key->parent->table->metadata == key->column->table->metadata) {
            corm_node_unref(key->foreign);
            key->foreign = NULL;
        }
        take_type(key);
        *out = key->column;
        return CORM_OK;
    }
    if (!key->parent || !key->parent->table || !key->target)
        return corm_error_set(CORM_INVALID_REQUEST,
                              "This ForeignKey object does not yet have a parent Column associated with it.");
    const corm_table *own = key->parent->table;
    const char *column_name;
    size_t size = split_target(key->target, &column_name);
    corm_table *table = find_table(own->metadata, key->target, size);
    if (!column_name)
        column_name = key->parent->name;
    if (!table)
        return corm_error_set(CORM_NO_REFERENCED_TABLE,
                              "Foreign key associated with column '%s.%s' could not find table '%.*s' with which to "
                              "generate a foreign key to target column '%s'",
                              own->name, key->parent->name, (int)size, key->target, column_name);
    corm_column *column = corm_table_column(table, column_name);
    if (!column)
        column = corm_table_column_named(table, column_name);
    if (!column)
        return corm_error_set(CORM_NO_REFERENCED_COLUMN,
                              "Could not initialize target column for ForeignKey '%s' on table '%s': table '%s' has "
                              "no column named '%s'",
                              key->target, own->name, table->name, column_name);
    key->column = column;
    take_type(key);
    *out = column;
    return CORM_OK;
}

bool corm_foreign_key_refers_to(corm_foreign_key *key, const corm_column *column) {
    if (!key->column && corm_foreign_key_table(key) != column->table)
        return false;
    corm_column *target;
    return !corm_foreign_key_resolve(key, &target) && target == column;
}

/* ---- the other constraints ---- */

corm_status corm_table_add_unique(corm_table *table, const char *name, corm_column *const *columns, size_t count,
                                  corm_constraint **out) {
    if (out)
        *out = NULL;
    corm_constraint *constraint = constraint_new(CORM_CONSTRAINT_UNIQUE, table, name);
    if (!constraint)
        return CORM_NO_MEMORY;
    corm_status status = add_columns(constraint, table, columns, count);
    if (status) {
        corm_constraint_destroy(constraint);
        return status;
    }
    return attach(table, constraint, out);
}

corm_status corm_table_add_check(corm_table *table, const char *name, corm_node *check, corm_constraint **out) {
    if (out)
        *out = NULL;
    corm_constraint *constraint = constraint_new(CORM_CONSTRAINT_CHECK, table, name);
    if (!constraint)
        return CORM_NO_MEMORY;
    constraint->check = corm_metadata_intern(table->metadata, check);
    if (!constraint->check) {
        corm_constraint_destroy(constraint);
        return corm_error_last()->status;
    }
    return attach(table, constraint, out);
}

corm_status corm_table_set_primary_key(corm_table *table, const char *name, corm_column *const *columns, size_t count,
                                       corm_constraint **out) {
    corm_constraint *constraint = table->constraints.items[0];
    if (out)
        *out = constraint;
    corm_status status = corm_replace_text(&constraint->name, name);
    if (status || !count)
        return status;
    status = corm_vector_reserve(&constraint->columns, count);
    if (!status)
        status = corm_vector_reserve(&table->primary_key, count);
    if (status)
        return status;
    for (size_t i = 0; i < count; i++) {
        if (columns[i]->table != table)
            return corm_error_set(CORM_ARGUMENT_ERROR, "Column '%s' does not belong to table '%s'",
                                  columns[i]->name ? columns[i]->name : "?", table->name);
    }
    for (size_t i = 0; i < table->primary_key.count; i++)
        corm_column_set_primary_key(table->primary_key.items[i], false);
    constraint->columns.count = 0;
    table->primary_key.count = 0;
    constraint->implicit = false;
    for (size_t i = 0; i < count; i++) {
        corm_column_set_primary_key(columns[i], true);
        (void)!corm_vector_push(&constraint->columns, columns[i]);
        (void)!corm_vector_push(&table->primary_key, columns[i]);
    }
    return CORM_OK;
}

const corm_constraint *corm_table_primary_key_constraint(const corm_table *table) {
    return table->constraints.items[0];
}

/* ---- indexes ---- */

corm_status corm_table_add_index(corm_table *table, const char *name, corm_node *const *expressions, size_t count,
                                 bool unique, corm_index **out) {
    if (out)
        *out = NULL;
    corm_index *index = corm_calloc(1, sizeof *index);
    if (!index)
        return CORM_NO_MEMORY;
    index->table = table;
    index->unique = unique;
    corm_status status = corm_replace_text(&index->name, name);
    if (!status)
        status = corm_vector_reserve(&index->expressions, count);
    if (!status)
        status = corm_vector_reserve(&table->indexes, 1);
    for (size_t i = 0; i < count && !status; i++) {
        corm_column *column = corm_node_as_column(expressions[i]);
        corm_node *kept = column ? corm_column_node(column) : corm_metadata_intern(table->metadata, expressions[i]);
        if (column && column->table != table)
            status = corm_error_set(CORM_ARGUMENT_ERROR, "Column '%s' of an index does not belong to table '%s'",
                                    column->name ? column->name : "?", table->name);
        else if (!kept)
            status = corm_error_last()->status;
        else
            status = corm_vector_push(&index->expressions, kept);
    }
    if (status) {
        corm_index_destroy(index);
        return status;
    }
    (void)!corm_vector_push(&table->indexes, index);
    if (out)
        *out = index;
    return CORM_OK;
}

corm_status corm_index_set_where(corm_index *index, corm_node *where) {
    corm_node *kept = corm_metadata_intern(index->table->metadata, where);
    if (!kept)
        return corm_error_last()->status;
    corm_node_unref(index->where);
    index->where = kept;
    return CORM_OK;
}

void corm_index_name(const corm_index *index, corm_text *out) {
    if (index->name) {
        corm_text_append(out, index->name);
        return;
    }
    corm_text_append_format(out, "ix_%s", index->table->key);
    for (size_t i = 0; i < out->size; i++) {
        if (out->data[i] == '.')
            out->data[i] = '_';
    }
    /* Only the first column names an index, as the field expects. */
    const corm_column *column = index->expressions.count ? corm_node_as_column(index->expressions.items[0]) : NULL;
    if (column)
        corm_text_append_format(out, "_%s", column->name);
}

/* ---- what a column implies ---- */

corm_status corm_table_adopt_implied(corm_table *table, corm_column *column) {
    corm_status status = CORM_OK;
    if (column->primary_key) {
        corm_constraint *primary_key = table->constraints.items[0];
        status = corm_vector_push(&primary_key->columns, column);
        if (!status)
            status = corm_vector_push(&table->primary_key, column);
        if (!column->nullable_given)
            column->nullable = false;
    }
    if (column->index && !status) {
        corm_node *node = corm_column_node(column);
        corm_index *index;
        status = corm_table_add_index(table, NULL, &node, 1, column->unique, &index);
        if (!status)
            index->implicit = true;
    } else if (column->unique && !status) {
        corm_constraint *constraint;
        status = corm_table_add_unique(table, NULL, &column, 1, &constraint);
        if (!status)
            constraint->implicit = true;
    }
    /* The foreign keys become the table's whatever happened: the column owns them no more. The room is reserved. */
    for (size_t i = 0; i < column->foreign_keys.count; i++) {
        corm_foreign_key *key = column->foreign_keys.items[i];
        (void)!corm_vector_push(&table->constraints, key->constraint);
        key->constraint->table = table;
        /* A target of the same metadata is held by it; a reference would be one to ourselves. */
        if (key->foreign && key->column && key->column->table && key->column->table->metadata == table->metadata) {
            corm_node_unref(key->foreign);
            key->foreign = NULL;
        }
    }
    return status;
}
