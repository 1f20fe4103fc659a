/*
 * Rows as a stream: a cursor on the server's side.
 *
 * DECLARE and the first FETCH go in one round trip, with the BEGIN that is owed; each chunk after that is one FETCH.
 * Between chunks nothing is under way, so other statements run on the same connection. The cursor lives as long as its
 * transaction; where each statement is one of its own, the server keeps the rows (WITH HOLD) until the cursor is closed.
 * What a cursor cannot be declared for runs as usual, its rows at once.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "driver/postgresql_private.h"

enum { COMMAND_ROOM = 96 };

/* ---- what can be streamed ---- */

static bool is_word_character(unsigned char c) {
    return isalnum(c) || c == '_' || c == '$' || c >= 0x80;
}

static bool is_one_of(const char *word, size_t size, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strlen(*words) == size && strncasecmp(*words, word, size) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether some word stands anywhere in the text, be it in a comment: a statement that is not streamed is right too. */
static bool has_word(const char *sql, const char *const *words) {
    while (*sql != '\0') {
        size_t size = 0;
        while (is_word_character((unsigned char)sql[size])) {
            size++;
        }
        if (size > 0 && is_one_of(sql, size, words)) {
            return true;
        }
        sql += size > 0 ? size : 1;
    }
    return false;
}

/* Reads rows, and does nothing else. */
static bool can_stream(const corm_driver_statement *statement) {
    static const char *const starts[] = {"SELECT", "VALUES", "TABLE", "WITH", NULL};
    static const char *const writing[] = {"INTO", "INSERT", "DELETE", "MERGE", NULL};
    static const char *const updating[] = {"UPDATE", NULL}; /* FOR UPDATE reads */
    corm_pg_text text;
    corm_pg_scan(statement->sql, strlen(statement->sql), &text);
    if (statement->several || !is_one_of(text.word, text.word_size, starts) || has_word(statement->sql, writing)) {
        return false;
    }
    return !corm_pg_word_is(&text, "WITH") || !has_word(statement->sql, updating);
}

/* ---- commands ---- */

static void name_of(const corm_driver_statement *statement, char *room, const char *verb) {
    snprintf(room, COMMAND_ROOM, "%s corm_stream_%llu", verb, (unsigned long long)statement->stream.name);
}

static corm_status send_fetch(corm_driver_statement *statement, int format) {
    char sql[COMMAND_ROOM], verb[COMMAND_ROOM / 2];
    snprintf(verb, sizeof verb, "FETCH FORWARD %zu FROM", statement->stream.chunk);
    name_of(statement, sql, verb);
    return PQsendQueryParams(statement->connection->native, sql, 0, NULL, NULL, NULL, NULL, format) == 0
               ? corm_pg_fail(statement->connection)
               : CORM_OK;
}

static corm_status send_declare(corm_driver_statement *statement) {
    const corm_pg_parameters *given = &statement->parameters;
    corm_text sql = CORM_TEXT_EMPTY;
    char head[COMMAND_ROOM];
    name_of(statement, head, "DECLARE");
    corm_text_append(&sql, head);
    corm_text_append(&sql, statement->stream.holds ? " NO SCROLL CURSOR WITH HOLD FOR "
                                                   : " NO SCROLL CURSOR WITHOUT HOLD FOR ");
    corm_text_append(&sql, statement->sql);
    corm_status status = sql.failed ? CORM_NO_MEMORY : CORM_OK;
    if (status == CORM_OK &&
        PQsendQueryParams(statement->connection->native, sql.data, (int)given->count, corm_pg_known_types(statement),
                          given->values, given->lengths, given->formats, 0) == 0) {
        status = corm_pg_fail(statement->connection);
    }
    corm_text_clear(&sql);
    return status;
}

/* The chunk that was taken; after one that is not full the cursor has no more. */
static void note_chunk(corm_driver_statement *statement) {
    statement->stream.ended = (size_t)statement->rows < statement->stream.chunk;
    statement->changed = -1;
}

/* Begin, declare and fetch, in one round trip. */
static corm_status open_stream(corm_driver_statement *statement) {
    corm_driver_connection *connection = statement->connection;
    size_t answers = 0;
    corm_status status = corm_pg_pipeline_begin(connection);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_pg_send_begin(connection, &answers);
    if (status == CORM_OK) {
        status = send_declare(statement);
    }
    if (status == CORM_OK && statement->stream.holds) {
        status = corm_pg_pipeline_sync(connection); /* the end of the transaction that it stands in */
    }
    if (status == CORM_OK) {
        status = send_fetch(statement, corm_pg_result_format(statement));
    }
    if (status == CORM_OK) {
        status = corm_pg_pipeline_sync(connection);
    }
    if (status == CORM_OK) {
        status = corm_pg_take_answers(connection, answers + 1);
    }
    if (status == CORM_OK && statement->stream.holds) {
        status = corm_pg_take_sync(connection);
    }
    statement->stream.open = status == CORM_OK;
    if (status == CORM_OK) {
        status = corm_pg_take_results(statement);
    }
    return corm_pg_pipeline_end(connection, status);
}

/* The rows of a cursor go with the transaction; a later one may not be asked for it, as that would end it. */
static bool is_gone(const corm_driver_statement *statement) {
    return !statement->stream.holds && statement->stream.transaction != statement->connection->transactions;
}

static bool is_closable(const corm_driver_statement *statement) {
    const corm_driver_connection *connection = statement->connection;
    PGTransactionStatusType state = PQtransactionStatus(connection->native);
    return !connection->broken && !is_gone(statement) && connection->left_count == 0 &&
           state == (statement->stream.holds && state == PQTRANS_IDLE ? PQTRANS_IDLE : PQTRANS_INTRANS);
}

/* ---- the driver's calls ---- */

corm_status corm_pg_execute_streamed(corm_driver_statement *statement, size_t chunk, bool *has_row) {
    corm_driver_connection *connection = statement->connection;
    *has_row = false;
    if (!can_stream(statement)) {
        return corm_pg_execute(statement, has_row);
    }
    statement->changed = -1;
    if (statement->name != 0 && corm_pg_types_differ(statement, statement->values)) {
        corm_pg_forget(statement);
    }
    if (statement->name == 0) {
        corm_pg_choose_types(statement, statement->values);
    }
    corm_status status = corm_pg_parameters_set(&statement->parameters, corm_pg_known_types(statement),
                                                statement->values, statement->parameter_count);
    if (status != CORM_OK) {
        return status;
    }
    statement->stream = (corm_pg_stream){
        .name = ++connection->last_name,
        .chunk = chunk,
        .transaction = connection->transactions,
        .holds = !connection->begins && PQtransactionStatus(connection->native) == PQTRANS_IDLE,
    };
    status = open_stream(statement);
    if (status == CORM_OK) {
        note_chunk(statement);
        *has_row = statement->rows > 0;
    }
    return status;
}

corm_status corm_pg_stream_next(corm_driver_statement *statement, bool *has_row) {
    corm_driver_connection *connection = statement->connection;
    bool binary = statement->reads_binary && (!statement->has_zoned || corm_pg_is_utc(connection->native));
    *has_row = false;
    if (!statement->stream.open || statement->stream.ended) {
        return CORM_OK;
    }
    if (is_gone(statement)) {
        return corm_error_set(CORM_PROGRAMMING_ERROR,
                              "the rows that are left are gone: the transaction in which they were read has ended");
    }
    corm_status status = send_fetch(statement, binary);
    status = status == CORM_OK ? corm_pg_take_to_end(statement) : status;
    if (status != CORM_OK) {
        statement->rows = statement->row = 0;
        return status;
    }
    note_chunk(statement);
    *has_row = statement->rows > 0;
    return CORM_OK;
}

void corm_pg_stream_close(corm_driver_statement *statement) {
    bool closes = statement->stream.open && is_closable(statement);
    statement->stream.open = false;
    if (closes) {
        char sql[COMMAND_ROOM];
        corm_error pending;
        corm_error_take(&pending);
        name_of(statement, sql, "CLOSE");
        corm_pg_run(statement->connection, sql); /* what fails here shows with the next statement */
        corm_error_restore(&pending);
    }
}
