/* Creating and dropping tables: see create.h. */
#include "engine/create.h"

#include "compile/ddl.h"
#include "engine/inspect.h"

typedef struct schema_run {
    corm_connection *connection;
    const corm_dialect *dialect;
    bool check_first;
} schema_run;

static corm_status run_text(const schema_run *run, corm_status status, corm_text *sql) {
    if (status == CORM_OK) {
        status = corm_text_status(sql);
    }
    if (status == CORM_OK) {
        status = corm_connection_run(run->connection, sql->data);
    }
    corm_text_clear(sql);
    return status;
}

static corm_status create_one(const schema_run *run, corm_table *table, const corm_vector *cycles) {
    bool there = false;
    corm_text sql = CORM_TEXT_EMPTY;
    corm_status status = CORM_OK;
    if (run->check_first) {
        status = corm_inspect_has_table(run->connection, table->schema, table->name, &there);
    }
    if (status != CORM_OK || there) {
        return status;
    }
    const corm_vector *without = run->dialect->supports_foreign_key_alter ? cycles : NULL;
    status = corm_ddl_create_table(run->dialect, table, 0, without, &sql);
    status = run_text(run, status, &sql);
    for (size_t i = 0; i < table->indexes.count && status == CORM_OK; i++) {
        status = corm_ddl_create_index(run->dialect, table->indexes.items[i], 0, &sql);
        status = run_text(run, status, &sql);
    }
    return status;
}

static corm_status drop_one(const schema_run *run, corm_table *table) {
    bool there = true;
    corm_text sql = CORM_TEXT_EMPTY;
    corm_status status = CORM_OK;
    if (run->check_first) {
        status = corm_inspect_has_table(run->connection, table->schema, table->name, &there);
    }
    if (status != CORM_OK || !there) {
        return status;
    }
    status = corm_ddl_drop_table(run->dialect, table, 0, &sql);
    return run_text(run, status, &sql);
}

static bool is_wanted(const corm_vector *tables, const corm_table *table) {
    return tables == NULL || corm_vector_contains(tables, table);
}

/* Foreign keys that ask to be added by ALTER TABLE, beside those of cycles. */
static corm_status add_altered(const corm_vector *tables, corm_vector *keys) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < tables->count && status == CORM_OK; i++) {
        const corm_table *table = tables->items[i];
        for (size_t c = 0; c < table->constraints.count && status == CORM_OK; c++) {
            corm_constraint *constraint = table->constraints.items[c];
            if (constraint->kind == CORM_CONSTRAINT_FOREIGN_KEY && constraint->use_alter &&
                !corm_vector_contains(keys, constraint)) {
                status = corm_vector_push(keys, constraint);
            }
        }
    }
    return status;
}

/* The wanted tables that are there now (or not), before anything is done. */
static corm_status find_present(const schema_run *run, const corm_vector *sorted, const corm_vector *tables,
                                corm_vector *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < sorted->count && status == CORM_OK; i++) {
        corm_table *table = sorted->items[i];
        bool there = true;
        if (is_wanted(tables, table) && run->check_first) {
            status = corm_inspect_has_table(run->connection, table->schema, table->name, &there);
        }
        if (status == CORM_OK && there && is_wanted(tables, table)) {
            status = corm_vector_push(out, table);
        }
    }
    return status;
}

static corm_status add_key(const schema_run *run, const corm_constraint *key) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_status status = corm_ddl_add_constraint(run->dialect, key, &sql);
    return run_text(run, status, &sql);
}

static corm_status drop_key(const schema_run *run, const corm_constraint *key) {
    corm_text sql = CORM_TEXT_EMPTY;
    if (key->name == NULL) {
        return corm_error_set(CORM_CIRCULAR_DEPENDENCY,
                              "Can't sort tables for DROP; an unresolvable foreign key dependency exists between "
                              "tables: table '%s' takes part in it.  Please ensure that the ForeignKey and "
                              "ForeignKeyConstraint objects involved in the cycle have names so that they can be "
                              "dropped using DROP CONSTRAINT.",
                              key->table->name);
    }
    corm_status status = corm_ddl_drop_constraint(run->dialect, key, &sql);
    return run_text(run, status, &sql);
}

/* Keys that stand outside of their tables: added after all are there, dropped before any goes. `present`: the tables
 * that are there when this begins. */
static corm_status each_key(const schema_run *run, const corm_vector *keys, const corm_vector *tables,
                            const corm_vector *present, bool create) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < keys->count && status == CORM_OK; i++) {
        const corm_constraint *key = keys->items[i];
        bool is_there = corm_vector_contains(present, key->table);
        if (is_wanted(tables, key->table) && create && !(run->check_first && is_there)) {
            status = add_key(run, key);
        } else if (!create && is_there) {
            status = drop_key(run, key);
        }
    }
    return status;
}

static corm_status each_table(const schema_run *run, corm_metadata *metadata, const corm_vector *tables, bool create) {
    corm_vector sorted = {0}, cycles = {0}, present = {0};
    bool alters = run->dialect->supports_foreign_key_alter;
    corm_status status = corm_metadata_sorted_tables(metadata, &sorted, &cycles);
    if (status == CORM_OK && alters) {
        status = add_altered(&sorted, &cycles);
    }
    if (status == CORM_OK && alters && cycles.count > 0) {
        status = find_present(run, &sorted, tables, &present);
        if (status == CORM_OK && !create) {
            status = each_key(run, &cycles, tables, &present, false);
        }
    }
    for (size_t i = 0; i < sorted.count && status == CORM_OK; i++) {
        corm_table *table = sorted.items[create ? i : sorted.count - 1 - i];
        if (is_wanted(tables, table)) {
            status = create ? create_one(run, table, &cycles) : drop_one(run, table);
        }
    }
    if (status == CORM_OK && alters && create) {
        status = each_key(run, &cycles, tables, &present, true);
    }
    corm_vector_clear(&present);
    corm_vector_clear(&sorted);
    corm_vector_clear(&cycles);
    return status;
}

static corm_status run_all(corm_connection *connection, corm_metadata *metadata, const corm_vector *tables,
                           bool check_first, bool create) {
    schema_run run = {connection, corm_engine_dialect(corm_connection_engine(connection)), check_first};
    bool own = !corm_connection_in_transaction(connection);
    corm_status status = own ? corm_connection_begin(connection) : CORM_OK;
    if (status == CORM_OK) {
        status = each_table(&run, metadata, tables, create);
        if (own && status == CORM_OK) {
            status = corm_connection_commit(connection);
        }
        if (own && status != CORM_OK) {
            corm_error reason;
            corm_error_take(&reason);
            if (corm_connection_rollback(connection) != CORM_OK) {
                corm_connection_invalidate(connection);
            }
            corm_error_restore(&reason);
        }
    }
    return status;
}

corm_status corm_create_tables(corm_connection *connection, corm_metadata *metadata, const corm_vector *tables,
                               bool check_first) {
    return run_all(connection, metadata, tables, check_first, true);
}

corm_status corm_drop_tables(corm_connection *connection, corm_metadata *metadata, const corm_vector *tables,
                             bool check_first) {
    return run_all(connection, metadata, tables, check_first, false);
}
