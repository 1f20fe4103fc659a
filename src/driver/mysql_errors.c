/*
 * Errors of MariaDB and MySQL: their classes are those that mysqlclient gives the same codes, which are PyMySQL's but for
 * two: 1364 (no default) and 1366 (a value of a wrong kind).
 */
#include <errmsg.h>
#include <mysqld_error.h>
#include <string.h>
#include <sys/socket.h>

#include "driver/mysql_private.h"

enum {
    FIRST_SERVER_ERROR = 1000,
    FIRST_CLIENT_ERROR = 2000,
    LAST_CLIENT_ERROR = 2999,
    CLIENT_WAS_IDLE = 4031,       /* MySQL 8 closes a connection that said nothing for long */
    CONNECTION_WAS_KILLED = 1927, /* MariaDB */
    NO_LOCK_AT_ONCE = 3572,       /* MySQL: NOWAIT */
};

static const unsigned short programming[] = {
    ER_DB_CREATE_EXISTS,      ER_PARSE_ERROR,
    ER_WRONG_DB_NAME,         ER_WRONG_TABLE_NAME,
    ER_FIELD_SPECIFIED_TWICE, ER_INVALID_GROUP_FUNC_USE,
    ER_UNSUPPORTED_EXTENSION, ER_TABLE_MUST_HAVE_COLUMNS,
    ER_NO_SUCH_TABLE,         ER_SYNTAX_ERROR,
    ER_WRONG_COLUMN_NAME,     ER_CANT_DO_THIS_DURING_AN_TRANSACTION,
};
static const unsigned short data[] = {
    ER_PRIMARY_CANT_HAVE_NULL, ER_NO_DEFAULT,
    ER_WARN_NULL_TO_NOTNULL,   ER_WARN_DATA_OUT_OF_RANGE,
    WARN_DATA_TRUNCATED,       ER_ILLEGAL_VALUE_FOR_TYPE,
    ER_DATA_TOO_LONG,          ER_DATETIME_FUNCTION_OVERFLOW,
};
static const unsigned short integrity[] = {
    ER_BAD_NULL_ERROR,    ER_DUP_ENTRY,           ER_CANNOT_ADD_FOREIGN,  ER_NO_REFERENCED_ROW,
    ER_ROW_IS_REFERENCED, ER_ROW_IS_REFERENCED_2, ER_NO_REFERENCED_ROW_2, ER_NO_DEFAULT_FOR_FIELD,
};
static const unsigned short not_supported[] = {
    ER_WARNING_NOT_COMPLETE_ROLLBACK,
    ER_NOT_SUPPORTED_YET,
    ER_UNKNOWN_STORAGE_ENGINE,
    ER_FEATURE_DISABLED,
};

/* Others were in the way: a deadlock, a lock that was not got, a row that changed since the transaction began. */
static const unsigned short transient[] = {
    ER_LOCK_DEADLOCK, ER_LOCK_WAIT_TIMEOUT, ER_CHECKREAD, ER_XA_RBDEADLOCK, ER_XA_RBTIMEOUT, NO_LOCK_AT_ONCE,
};

#define CONTAINS(codes, code) contains(codes, sizeof codes / sizeof *codes, code)
static bool contains(const unsigned short *codes, size_t count, unsigned int code) {
    for (size_t i = 0; i < count; i++) {
        if (codes[i] == code) {
            return true;
        }
    }
    return false;
}

static corm_status classify(unsigned int code) {
    if (CONTAINS(integrity, code)) {
        return CORM_INTEGRITY_ERROR;
    }
    if (CONTAINS(programming, code)) {
        return CORM_PROGRAMMING_ERROR;
    }
    if (CONTAINS(data, code)) {
        return CORM_DATA_ERROR;
    }
    if (CONTAINS(not_supported, code)) {
        return CORM_NOT_SUPPORTED;
    }
    return code < FIRST_SERVER_ERROR ? CORM_INTERNAL_ERROR : CORM_OPERATIONAL_ERROR;
}

/* Does the connection not live on after it? Of the client's own errors a few tell of a wrong call only. */
static bool is_fatal(unsigned int code) {
    switch (code) {
    case CONNECTION_WAS_KILLED:
    case CLIENT_WAS_IDLE:
    case ER_SERVER_SHUTDOWN:
    case ER_NORMAL_SHUTDOWN:
    case ER_FORCING_CLOSE:
    case ER_NEW_ABORTING_CONNECTION:
        return true;
    case CR_PARAMS_NOT_BOUND:
    case CR_INVALID_PARAMETER_NO:
    case CR_UNSUPPORTED_PARAM_TYPE:
    case CR_NO_PREPARE_STMT:
    case CR_OUT_OF_MEMORY:
    case CR_NEW_STMT_METADATA:
        return false;
    default:
        return code >= FIRST_CLIENT_ERROR && code <= LAST_CLIENT_ERROR;
    }
}

void corm_mysql_break(corm_driver_connection *connection) {
    connection->broken = true;
    my_socket descriptor = mysql_get_socket(connection->mysql);
    if (descriptor != -1) {
        shutdown(descriptor, SHUT_RDWR);
    }
}

corm_status corm_mysql_fail_with(corm_driver_connection *connection, unsigned int code, const char *state,
                                 const char *message) {
    if (code == CR_OUT_OF_MEMORY) {
        return corm_error_no_memory();
    }
    if (is_fatal(code)) {
        corm_mysql_break(connection);
    }
    corm_status status = corm_error_set(code == 0 ? CORM_INTERFACE_ERROR : classify(code), "%s",
                                        message[0] == '\0' ? "the client library failed without saying why" : message);
    corm_error_add_native((int)code, state);
    corm_error_add_driver(CORM_MYSQL_DRIVER);
    if (CONTAINS(transient, code)) {
        corm_error_add_transient();
    }
    return status;
}

corm_status corm_mysql_fail(corm_driver_connection *connection) {
    MYSQL *mysql = connection->mysql;
    return corm_mysql_fail_with(connection, mysql_errno(mysql), mysql_sqlstate(mysql), mysql_error(mysql));
}

corm_status corm_mysql_fail_statement(corm_driver_statement *statement) {
    MYSQL_STMT *prepared = statement->prepared;
    return corm_mysql_fail_with(statement->connection, mysql_stmt_errno(prepared), mysql_stmt_sqlstate(prepared),
                                mysql_stmt_error(prepared));
}
