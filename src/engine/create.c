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

static corm_status each_table(const schema_run *run, corm_metadata *metadata, const corm_vector *tables, bool create) {
    corm_vector sorted = {0}, cycles = {0};
    corm_status status = corm_metadata_sorted_tables(metadata, &sorted, &cycles);
    for (size_t i = 0; i < sorted.count && status == CORM_OK; i++) {
        corm_table *table = sorted.items[create ? i : sorted.count - 1 - i];
        if (is_wanted(tables, table)) {
            status = create ? create_one(run, table, &cycles) : drop_one(run, table);
        }
    }
    for (size_t i = 0; i < cycles.count && status == CORM_OK && create && run->dialect->supports_foreign_key_alter;
         i++) {
        corm_text sql = CORM_TEXT_EMPTY;
        status = corm_ddl_add_constraint(run->dialect, cycles.items[i], &sql);
        status = run_text(run, status, &sql);
    }
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
