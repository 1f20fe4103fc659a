/* Batches of MariaDB and MySQL. */
#include "base/alloc.h"
#include "driver/mysql_private.h"

/* One row of a batch, alone. */
static corm_status run_row(corm_driver_statement *statement, const corm_batch *batch, size_t row, corm_value *values,
                           corm_value *returned) {
    bool has_row = false;
    corm_status status = batch->bind(batch->context, row, values, batch->parameter_count);
    if (status == CORM_OK) {
        status = corm_mysql_bind(statement, values, batch->parameter_count);
    }
    if (status == CORM_OK) {
        status = corm_mysql_execute(statement, &has_row);
    }
    if (status == CORM_OK && has_row) {
        status = corm_mysql_row(statement, returned, statement->columns);
    }
    if (status == CORM_OK && batch->result != NULL) {
        int64_t changed = statement->columns > 0 ? (int64_t)has_row : statement->changed;
        status = batch->result(batch->context, row, (int64_t)statement->connection->generated, changed,
                               has_row ? returned : NULL, has_row ? statement->columns : 0);
    }
    corm_mysql_reset(statement);
    return status;
}

corm_status corm_mysql_execute_batch(corm_driver_statement *statement, const corm_batch *batch) {
    if (batch->parameter_count != statement->parameters) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "Incorrect number of bindings supplied. The current statement uses %zu, and there are "
                              "%zu supplied.",
                              statement->parameters, batch->parameter_count);
    }
    corm_value *values = corm_calloc(batch->parameter_count + statement->columns, sizeof *values);
    if (values == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = CORM_OK;
    for (size_t row = 0; row < batch->rows && status == CORM_OK; row++) {
        status = run_row(statement, batch, row, values, values + batch->parameter_count);
    }
    corm_free(values);
    return status;
}
