/*
 * Statements.
 *
 * A statement is prepared on the server by its first execution: PREPARE, DESCRIBE, parameters as texts and the execution
 * go in one round trip, with the BEGIN that is owed. Later executions know the parameters' and columns' types and use
 * binary forms. A text of several statements goes as it is, in the simple protocol.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "driver/postgresql_private.h"

enum { NAME_ROOM = 32 };

static void name_of(const corm_driver_statement *statement, char *room) {
    snprintf(room, NAME_ROOM, "corm_%llu", (unsigned long long)statement->name);
}

bool corm_pg_wants_preparing(const corm_driver_statement *statement) {
    return statement->connection->prepares && statement->is_plan && statement->name == 0;
}

/* ---- life ---- */

static bool begins_with(const corm_pg_text *text, const char *const *words) {
    for (; *words != NULL; words++) {
        if (corm_pg_word_is(text, *words)) {
            return true;
        }
    }
    return false;
}

static const char *const reading[] = {"SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN", NULL};
static const char *const planned[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "TABLE", "MERGE", NULL};

corm_status corm_pg_prepare(corm_driver_connection *connection, const char *sql, size_t size,
                            corm_driver_statement **out) {
    corm_pg_text text;
    *out = NULL;
    if (memchr(sql, '\0', size) != NULL) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the statement contains a NUL character");
    }
    corm_pg_scan(sql, size, &text);
    if (text.statements > 1 && text.parameters > 0) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "cannot run several statements with parameters at once: PostgreSQL takes parameters in a "
                              "single statement only");
    }
    corm_driver_statement *statement = corm_calloc(1, sizeof *statement);
    if (statement == NULL) {
        return CORM_NO_MEMORY;
    }
    statement->connection = connection;
    statement->sql = corm_strndup(sql, size);
    statement->parameter_count = text.parameters;
    statement->several = text.statements > 1;
    statement->is_readonly = begins_with(&text, reading);
    statement->is_plan = text.parameters > 0 || begins_with(&text, planned);
    statement->changed = -1;
    statement->casts = corm_calloc(text.parameters + 1, sizeof *statement->casts);
    statement->given_types = corm_calloc(text.parameters + 1, sizeof *statement->given_types);
    if (statement->sql == NULL || statement->casts == NULL || statement->given_types == NULL) {
        corm_pg_finalize(statement);
        return CORM_NO_MEMORY;
    }
    corm_pg_scan_casts(sql, size, statement->casts, text.parameters);
    for (size_t i = 0; i < text.parameters; i++) {
        statement->has_untyped = statement->has_untyped || !statement->casts[i];
    }
    *out = statement;
    return CORM_OK;
}

/* The server learns of it with the next statement that is prepared. */
void corm_pg_forget(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    if (statement->name == 0) {
        return;
    }
    if (connection->closed_count == connection->closed_capacity) {
        size_t capacity = connection->closed_capacity * 2 + 8;
        uint64_t *closed = corm_realloc_array(connection->closed, capacity, sizeof *closed);
        if (closed == NULL) {
            corm_error_clear(); /* the server keeps it until the connection ends */
            statement->name = 0;
            return;
        }
        connection->closed = closed;
        connection->closed_capacity = capacity;
    }
    connection->closed[connection->closed_count++] = statement->name;
    statement->name = 0;
    statement->described = false;
}

void corm_pg_finalize(corm_driver_statement *statement) {
    if (statement == NULL) {
        return;
    }
    corm_pg_arrays_free(statement->arrays);
    corm_pg_forget(statement);
    PQclear(statement->result);
    corm_pg_parameters_clear(&statement->parameters);
    corm_free(statement->parameter_types);
    corm_free(statement->given_types);
    corm_free(statement->casts);
    corm_free(statement->decoders);
    corm_free(statement->forms);
    corm_free(statement->room);
    corm_free(statement->sql);
    corm_free(statement);
}

void corm_pg_reset(corm_driver_statement *statement) {
    corm_pg_stream_close(statement);
    PQclear(statement->result);
    statement->result = NULL;
    statement->rows = statement->row = 0;
    statement->values = NULL;
}

corm_status corm_pg_bind(corm_driver_statement *statement, const corm_value *values, size_t count) {
    if (count != statement->parameter_count) {
        return corm_error_set(CORM_PROGRAMMING_ERROR, "the query has %zu placeholders but %zu parameters were passed",
                              statement->parameter_count, count);
    }
    if (count > UINT16_MAX) {
        return corm_error_set(CORM_OPERATIONAL_ERROR, "too many parameters: %zu, of which PostgreSQL takes %d", count,
                              UINT16_MAX);
    }
    statement->values = values;
    return corm_pg_parameters_reserve(&statement->parameters, count);
}

/* ---- parameters' types ---- */

/* A point in time with an offset, which a cast to a type without one would forget: it has to come as what it is, so that
 * the server shows it in the session's time zone first. */
static bool has_offset(const corm_value *value) {
    return value->kind == CORM_KIND_DATETIME && value->as.datetime.has_offset;
}

void corm_pg_choose_types(corm_driver_statement *statement, const corm_value *values) {
    statement->has_given = false;
    for (size_t i = 0; i < statement->parameter_count; i++) {
        bool says = !statement->casts[i] || has_offset(&values[i]);
        statement->given_types[i] = says ? corm_pg_type_of_value(&values[i]) : 0;
        statement->has_given = statement->has_given || statement->given_types[i] != 0;
    }
}

/* Of a parameter that is cast where it stands. */
static bool cast_differs(const corm_driver_statement *statement, size_t index, const corm_value *value) {
    Oid known = statement->described ? statement->parameter_types[index] : 0;
    return value->kind == CORM_KIND_DATETIME &&
           (has_offset(value) ? known == OID_TIMESTAMP : statement->given_types[index] == OID_TIMESTAMPTZ);
}

bool corm_pg_types_differ(const corm_driver_statement *statement, const corm_value *values) {
    for (size_t i = 0; i < statement->parameter_count; i++) {
        if (statement->casts[i]) {
            if (cast_differs(statement, i, &values[i])) {
                return true;
            }
            continue;
        }
        Oid given = statement->given_types[i], wanted = corm_pg_type_of_value(&values[i]);
        if (wanted != given && !(given == OID_INT8 && wanted == OID_INT4) && values[i].kind != CORM_KIND_NULL) {
            return true;
        }
    }
    return false;
}

const Oid *corm_pg_known_types(const corm_driver_statement *statement) {
    return statement->described ? statement->parameter_types : statement->has_given ? statement->given_types : NULL;
}

/* ---- results ---- */

corm_status corm_pg_accept(corm_driver_statement *statement, PGresult *result) {
    corm_driver_connection *connection = statement->connection;
    ExecStatusType kind = PQresultStatus(result);
    PQclear(statement->result);
    statement->result = result;
    statement->row = statement->rows = 0;
    switch (kind) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        break;
    case PGRES_EMPTY_QUERY:
        return CORM_OK;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        connection->broken = true; /* there is no way back that does not read or write the data */
        return corm_error_set(CORM_NOT_SUPPORTED, "COPY cannot be used with this method; the connection is closed");
    default:
        return corm_pg_fail_result(connection, result);
    }
    const char *count = PQcmdTuples(result);
    statement->changed = count[0] == '\0' ? -1 : strtoll(count, NULL, 10);
    statement->rows = PQntuples(result);
    return corm_pg_describe_result(statement);
}

/* ---- preparing on the server ---- */

corm_status corm_pg_send_prepare(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    char name[NAME_ROOM];
    statement->name = ++connection->last_name;
    name_of(statement, name);
    int types = statement->has_given ? (int)statement->parameter_count : 0;
    if (PQsendPrepare(connection->native, name, statement->sql, types, statement->given_types) == 0 ||
        PQsendDescribePrepared(connection->native, name) == 0) {
        return corm_pg_fail(connection);
    }
    return CORM_OK;
}

/* Parameters' types, and whether all columns can be read in binary form. */
static corm_status take_description(corm_driver_statement *statement, const PGresult *description) {
    size_t count = (size_t)PQnparams(description);
    if (count != statement->parameter_count) {
        return corm_error_set(CORM_INTERNAL_ERROR, "the server counts %zu parameters, not %zu", count,
                              statement->parameter_count);
    }
    Oid *types = corm_realloc_array(statement->parameter_types, count + 1, sizeof *types);
    if (types == NULL) {
        return CORM_NO_MEMORY;
    }
    statement->parameter_types = types;
    for (size_t i = 0; i < count; i++) {
        types[i] = PQparamtype(description, (int)i);
    }
    statement->reads_binary = true;
    statement->has_zoned = false;
    statement->first_column = PQnfields(description) > 0 ? PQftype(description, 0) : 0;
    for (int i = 0; i < PQnfields(description); i++) {
        statement->reads_binary = statement->reads_binary && corm_pg_reads_binary(PQftype(description, i));
        statement->has_zoned = statement->has_zoned || PQftype(description, i) == OID_TIMESTAMPTZ;
    }
    statement->described = true;
    return CORM_OK;
}

corm_status corm_pg_take_prepare(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    PGresult *description = NULL, *end = NULL;
    corm_status status = corm_pg_take_answers(connection, 1);
    if (status != CORM_OK) {
        statement->name = 0; /* it was not made */
        return status;
    }
    status = corm_pg_next_result(connection, &description);
    if (status == CORM_OK && description == NULL) {
        status = corm_pg_fail(connection);
    }
    if (status == CORM_OK) {
        status = PQresultStatus(description) == PGRES_COMMAND_OK ? take_description(statement, description)
                                                                 : corm_pg_fail_result(connection, description);
    }
    PQclear(description);
    if (status == CORM_OK) {
        status = corm_pg_next_result(connection, &end);
        PQclear(end);
    }
    return status;
}

corm_status corm_pg_prepare_now(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    corm_status status = corm_pg_pipeline_begin(connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_pg_send_closed(connection, &answers);
    if (status == CORM_OK) {
        status = corm_pg_send_begin(connection, &answers);
    }
    if (status == CORM_OK) {
        status = corm_pg_send_prepare(statement);
    }
    if (status == CORM_OK) {
        status = corm_pg_pipeline_sync(connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers);
    }
    status = status == CORM_OK ? corm_pg_take_prepare(statement) : status;
    return corm_pg_pipeline_end(connection, status);
}

/* ---- executing ---- */

bool corm_pg_is_utc(PGconn *native) {
    const char *zone = PQparameterStatus(native, "TimeZone");
    return zone != NULL && (strcmp(zone, "UTC") == 0 || strcmp(zone, "Etc/UTC") == 0 || strcmp(zone, "GMT") == 0);
}

/* Points in time come with the offset of the session's time zone, which only the texts have. */
int corm_pg_result_format(const corm_driver_statement *statement) {
    return statement->described && statement->reads_binary &&
           (!statement->has_zoned || corm_pg_is_utc(statement->connection->native));
}

corm_status corm_pg_send_execute(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    const corm_pg_parameters *given = &statement->parameters;
    char name[NAME_ROOM];
    name_of(statement, name);
    int sent = statement->name != 0
                   ? PQsendQueryPrepared(connection->native, name, (int)given->count, given->values, given->lengths,
                                         given->formats, corm_pg_result_format(statement))
                   : PQsendQueryParams(connection->native, statement->sql, (int)given->count,
                                       statement->has_given ? statement->given_types : NULL, given->values,
                                       given->lengths, given->formats, 0);
    return sent == 0 ? corm_pg_fail(connection) : CORM_OK;
}

corm_status corm_pg_take_results(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    PGresult *result = NULL;
    corm_status status = corm_pg_next_result(connection, &result);
    if (status == CORM_OK && result == NULL) {
        return corm_pg_fail(connection);
    }
    while (status == CORM_OK && result != NULL) {
        status = corm_pg_accept(statement, result);
        result = NULL;
        if (status == CORM_OK) {
            status = corm_pg_next_result(connection, &result);
        }
    }
    return status;
}

/* All in one round trip: BEGIN, names that are free again, PREPARE where it is due, the execution. */
static corm_status run_piped(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    bool prepares = corm_pg_wants_preparing(statement);
    corm_status status = corm_pg_pipeline_begin(connection);
    if (status != CORM_OK) {
        return status;
    }
    if (prepares) {
        status = corm_pg_send_closed(connection, &answers);
    }
    if (status == CORM_OK) {
        status = corm_pg_send_begin(connection, &answers);
    }
    if (status == CORM_OK && prepares) {
        status = corm_pg_send_prepare(statement);
    }
    if (status == CORM_OK) {
        status = corm_pg_send_execute(statement);
    }
    if (status == CORM_OK) {
        status = corm_pg_pipeline_sync(connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers);
    }
    if (status == CORM_OK && prepares) {
        status = corm_pg_take_prepare(statement);
    } else if (prepares) {
        statement->name = 0;
    }
    if (status == CORM_OK) {
        status = corm_pg_take_results(statement);
    }
    return corm_pg_pipeline_end(connection, status);
}

corm_status corm_pg_take_to_end(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = corm_pg_take_results(statement);
    if (status == CORM_INTERRUPTED || status == CORM_TIMEOUT) {
        corm_pg_stop(connection);
    }
    while (status != CORM_OK && !connection->broken) { /* to the end of what failed */
        PGresult *result;
        corm_error reason;
        corm_error_take(&reason);
        corm_status taken = corm_pg_next_result(connection, &result);
        connection->broken = taken != CORM_OK || PQstatus(connection->native) != CONNECTION_OK;
        PQclear(result);
        corm_error_restore(&reason);
        if (result == NULL) {
            break;
        }
    }
    return status;
}

/* Without a pipeline: what was prepared already, or several statements in one text. */
static corm_status run_alone(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    corm_status status = CORM_OK;
    if (connection->begins) { /* several statements: the pipeline does not take them */
        char sql[80];
        snprintf(sql, sizeof sql, "BEGIN %s", connection->isolation);
        connection->begins = false;
        status = corm_pg_run(connection, sql);
    }
    if (status == CORM_OK && statement->several) {
        status = PQsendQuery(connection->native, statement->sql) == 0 ? corm_pg_fail(connection) : CORM_OK;
    } else if (status == CORM_OK) {
        status = corm_pg_send_execute(statement);
    }
    if (status != CORM_OK) {
        return status;
    }
    return corm_pg_take_to_end(statement);
}

/* Was the prepared statement outdated: its table changed, or somebody deallocated it? */
static bool is_outdated(corm_status status) {
    const corm_error *error = corm_error_last();
    return (status == CORM_NOT_SUPPORTED && strcmp(error->sqlstate, "0A000") == 0 && error->message != NULL &&
            strstr(error->message, "cached plan") != NULL) ||
           (status == CORM_PROGRAMMING_ERROR && strcmp(error->sqlstate, "26000") == 0);
}

static corm_status run(corm_driver_statement *statement) {
    const corm_driver_connection *connection = statement->connection;
    if (statement->name != 0 && corm_pg_types_differ(statement, statement->values)) {
        corm_pg_forget(statement);
        statement->described = false;
    }
    if (statement->name == 0) {
        corm_pg_choose_types(statement, statement->values);
    }
    corm_status status = corm_pg_parameters_set(&statement->parameters, corm_pg_known_types(statement),
                                                statement->values, statement->parameter_count);
    if (status != CORM_OK) {
        return status;
    }
    bool alone = statement->several || (statement->name != 0 && !connection->begins);
    return alone ? run_alone(statement) : run_piped(statement);
}

corm_status corm_pg_execute(corm_driver_statement *statement, bool *has_row) {
    corm_driver_connection *connection = statement->connection;
    bool first = statement->name == 0;
    bool began = connection->begins;
    bool inside = PQtransactionStatus(connection->native) != PQTRANS_IDLE;
    *has_row = false;
    statement->changed = -1;
    corm_status status = run(statement);
    if (status != CORM_OK && !first && is_outdated(status)) {
        corm_pg_forget(statement);
        statement->described = false;
        if (!inside && !began) {
            status = run(statement);
        }
    }
    *has_row = status == CORM_OK && statement->rows > 0;
    return status;
}

corm_status corm_pg_step(corm_driver_statement *statement, bool *has_row) {
    *has_row = statement->row + 1 < statement->rows;
    statement->row += *has_row;
    return *has_row ? CORM_OK : corm_pg_stream_next(statement, has_row);
}
