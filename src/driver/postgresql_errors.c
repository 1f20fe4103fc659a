/*
 * What PostgreSQL says when it fails, as the engine's classes of errors: those that programs on psycopg catch, by the
 * class of the SQLSTATE.
 */
#include <string.h>

#include "base/text.h"
#include "driver/postgresql_private.h"

typedef struct state_class {
    char prefix[6]; /* of the SQLSTATE */
    corm_status status;
} state_class;

static const state_class classes[] = {
    {"08", CORM_OPERATIONAL_ERROR}, {"0A", CORM_NOT_SUPPORTED},     {"20", CORM_PROGRAMMING_ERROR},
    {"21", CORM_PROGRAMMING_ERROR}, {"22", CORM_DATA_ERROR},        {"23", CORM_INTEGRITY_ERROR},
    {"24", CORM_INTERNAL_ERROR},    {"25", CORM_INTERNAL_ERROR},    {"26", CORM_PROGRAMMING_ERROR},
    {"27", CORM_OPERATIONAL_ERROR}, {"28", CORM_OPERATIONAL_ERROR}, {"2B", CORM_INTERNAL_ERROR},
    {"2D", CORM_INTERNAL_ERROR},    {"2F", CORM_OPERATIONAL_ERROR}, {"34", CORM_PROGRAMMING_ERROR},
    {"38", CORM_OPERATIONAL_ERROR}, {"39", CORM_OPERATIONAL_ERROR}, {"3B", CORM_OPERATIONAL_ERROR},
    {"3D", CORM_PROGRAMMING_ERROR}, {"3F", CORM_PROGRAMMING_ERROR}, {"40", CORM_OPERATIONAL_ERROR},
    {"42", CORM_PROGRAMMING_ERROR}, {"44", CORM_PROGRAMMING_ERROR}, {"53", CORM_OPERATIONAL_ERROR},
    {"54", CORM_OPERATIONAL_ERROR}, {"55", CORM_OPERATIONAL_ERROR}, {"57", CORM_OPERATIONAL_ERROR},
    {"58", CORM_OPERATIONAL_ERROR}, {"F0", CORM_OPERATIONAL_ERROR}, {"HV", CORM_OPERATIONAL_ERROR},
    {"P0", CORM_PROGRAMMING_ERROR}, {"XX", CORM_INTERNAL_ERROR},
};

static corm_status classify(const char *sqlstate) {
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strncmp(classes[i].prefix, sqlstate, 2) == 0) {
            return classes[i].status;
        }
    }
    return CORM_DATABASE_ERROR;
}

/* The server ends the connection with these, or has ended it. */
static bool is_fatal(const char *sqlstate) {
    return strncmp(sqlstate, "08", 2) == 0 || strcmp(sqlstate, "57P01") == 0 || strcmp(sqlstate, "57P02") == 0 ||
           strcmp(sqlstate, "57P03") == 0 || strcmp(sqlstate, "57P05") == 0;
}

/* Others were in the way: serialization, deadlock, a lock that was not got. */
static bool is_transient(const char *sqlstate) {
    return strcmp(sqlstate, "40001") == 0 || strcmp(sqlstate, "40P01") == 0 || strcmp(sqlstate, "55P03") == 0;
}

/* A message without its severity in front and the line's end behind. */
static int trim(const char **message, const char *severity) {
    size_t prefix = severity == NULL ? 0 : strlen(severity);
    if (prefix > 0 && strncmp(*message, severity, prefix) == 0 && (*message)[prefix] == ':') {
        *message += prefix + 1;
        *message += strspn(*message, " ");
    }
    size_t size = strlen(*message);
    while (size > 0 && (*message)[size - 1] == '\n') {
        size--;
    }
    return (int)size;
}

corm_status corm_pg_fail(corm_driver_connection *connection) {
    const char *message = PQerrorMessage(connection->native);
    if (PQstatus(connection->native) != CONNECTION_OK) {
        connection->broken = true;
    }
    int size = trim(&message, NULL);
    if (strstr(message, "out of memory") != NULL) {
        connection->broken = true;
        return corm_error_no_memory();
    }
    if (size == 0) { /* libpq has nothing to complain of */
        bool lost = connection->broken;
        connection->broken = true;
        return corm_error_set(CORM_OPERATIONAL_ERROR, "%s",
                              lost ? "the connection is lost" : "the server answered out of turn");
    }
    return corm_error_set(CORM_OPERATIONAL_ERROR, "%.*s", size, message);
}

static void add_diagnostics(const PGresult *result) {
    static const int fields[CORM_DIAGNOSTIC_COUNT] = {
        [CORM_DIAGNOSTIC_PRIMARY] = PG_DIAG_MESSAGE_PRIMARY,     [CORM_DIAGNOSTIC_SEVERITY] = PG_DIAG_SEVERITY,
        [CORM_DIAGNOSTIC_DETAIL] = PG_DIAG_MESSAGE_DETAIL,       [CORM_DIAGNOSTIC_HINT] = PG_DIAG_MESSAGE_HINT,
        [CORM_DIAGNOSTIC_POSITION] = PG_DIAG_STATEMENT_POSITION, [CORM_DIAGNOSTIC_CONTEXT] = PG_DIAG_CONTEXT,
        [CORM_DIAGNOSTIC_SCHEMA] = PG_DIAG_SCHEMA_NAME,          [CORM_DIAGNOSTIC_TABLE] = PG_DIAG_TABLE_NAME,
        [CORM_DIAGNOSTIC_COLUMN] = PG_DIAG_COLUMN_NAME,          [CORM_DIAGNOSTIC_TYPE] = PG_DIAG_DATATYPE_NAME,
        [CORM_DIAGNOSTIC_CONSTRAINT] = PG_DIAG_CONSTRAINT_NAME,
    };
    for (int i = 0; i < CORM_DIAGNOSTIC_COUNT; i++) {
        corm_error_add_diagnostic((corm_diagnostic)i, PQresultErrorField(result, fields[i]));
    }
}

corm_status corm_pg_fail_result(corm_driver_connection *connection, const PGresult *result) {
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorMessage(result);
    if (PQstatus(connection->native) != CONNECTION_OK) {
        connection->broken = true;
    }
    int size = trim(&message, PQresultErrorField(result, PG_DIAG_SEVERITY));
    if (sqlstate == NULL) {
        return size == 0 ? corm_pg_fail(connection) : corm_error_set(CORM_OPERATIONAL_ERROR, "%.*s", size, message);
    }
    connection->broken = connection->broken || is_fatal(sqlstate);
    corm_status status = corm_error_set(classify(sqlstate), "%.*s", size, message);
    if (status != CORM_NO_MEMORY) {
        corm_error_add_native(0, sqlstate);
        if (strcmp(sqlstate, "26000") == 0 && connection->prepares) {
            corm_error_add_words(
                " (a pooler that hands each transaction to another session needs prepare_threshold=none "
                "in the URL)");
        }
        if (is_transient(sqlstate)) {
            corm_error_add_transient();
        }
        add_diagnostics(result);
    }
    return status;
}
