/*
 * Statements with more parameters than the protocol can count: a list of a hundred thousand keys. They go as text, each
 * value as a literal in its place.
 *
 * No value can be taken for SQL, whatever the server's mode and character set: numbers and dates are made of digits, text
 * and bytes are written in hexadecimal.
 */
#include <stdio.h>
#include <string.h>

#include "driver/mysql_private.h"
#include "type/datetime.h"

/* Past a quoted piece; `at` stands on the opening quote. */
static const char *skip_quoted(const char *at, const char *end, bool escapes) {
    char quote = *at++;
    while (at < end && *at != quote) {
        at += escapes && quote != '`' && *at == '\\' ? 2 : 1;
    }
    return at < end ? at + 1 : end;
}

static const char *skip_until(const char *at, const char *end, const char *stop) {
    const char *found = memmem(at, (size_t)(end - at), stop, strlen(stop));
    return found == NULL ? end : found + strlen(stop);
}

/* The next parameter's mark, outside of quotes and comments, or NULL. */
static const char *find_mark(const char *at, const char *end, bool escapes) {
    while (at < end && *at != '?') {
        if (*at == '\'' || *at == '"' || *at == '`') {
            at = skip_quoted(at, end, escapes);
        } else if (*at == '#' || (end - at > 2 && memcmp(at, "-- ", 3) == 0)) {
            at = skip_until(at, end, "\n");
        } else if (end - at > 1 && memcmp(at, "/*", 2) == 0) {
            at = skip_until(at + 2, end, "*/");
        } else {
            at++;
        }
    }
    return at < end ? at : NULL;
}

static bool has_escapes(const corm_driver_statement *statement) {
    return !(statement->connection->mysql->server_status & SERVER_STATUS_NO_BACKSLASH_ESCAPES);
}

size_t corm_mysql_count_marks(const corm_driver_statement *statement) {
    const char *end = statement->sql + statement->size;
    const char *mark = find_mark(statement->sql, end, has_escapes(statement));
    size_t count = 0;
    for (; mark != NULL; count++) {
        mark = find_mark(mark + 1, end, has_escapes(statement));
    }
    return count;
}

static void append_hexadecimal(const char *introducer, const corm_value *value, corm_text *out) {
    static const char digits[] = "0123456789ABCDEF";
    corm_text_append(out, introducer);
    corm_text_append(out, "X'");
    for (size_t i = 0; i < value->as.text.size; i++) {
        unsigned char byte = (unsigned char)value->as.text.data[i];
        char both[] = {digits[byte >> 4], digits[byte & 15]};
        corm_text_append_bytes(out, both, sizeof both);
    }
    corm_text_append_char(out, '\'');
}

static corm_status append_decimal(const corm_value *value, size_t place, corm_text *out) {
    for (size_t i = 0; i < value->as.text.size; i++) {
        if (strchr("0123456789+-.eE", value->as.text.data[i]) == NULL || value->as.text.data[i] == '\0') {
            return corm_error_set(CORM_DATA_ERROR, "parameter %zu is no number", place);
        }
    }
    corm_text_append_char(out, '(');
    corm_text_append_bytes(out, value->as.text.data, value->as.text.size);
    corm_text_append_char(out, ')');
    return CORM_OK;
}

static void append_datetime(const corm_value *value, corm_text *out) {
    char room[CORM_DATETIME_MAX];
    corm_datetime parts = value->as.datetime;
    parts.has_offset = false;
    size_t size = corm_datetime_format((corm_kind)value->kind, &parts, ' ', false, room);
    corm_text_append(out, value->kind == CORM_KIND_DATE   ? "DATE'"
                          : value->kind == CORM_KIND_TIME ? "TIME'"
                                                          : "TIMESTAMP'");
    corm_text_append_bytes(out, room, size);
    corm_text_append_char(out, '\'');
}

/* The value is one that corm_mysql_encode() takes. */
static corm_status append_literal(const corm_value *value, size_t place, corm_text *out) {
    switch ((corm_kind)value->kind) {
    case CORM_KIND_BOOLEAN:
        corm_text_append_char(out, value->as.boolean ? '1' : '0');
        return CORM_OK;
    case CORM_KIND_INTEGER:
        corm_text_append_format(out, "%lld", (long long)value->as.integer);
        return CORM_OK;
    case CORM_KIND_FLOAT:
        corm_text_append_format(out, "(%.17e)", value->as.real);
        return CORM_OK;
    case CORM_KIND_DECIMAL:
        return append_decimal(value, place, out);
    case CORM_KIND_TEXT:
        append_hexadecimal("_utf8mb4 ", value, out);
        return CORM_OK;
    case CORM_KIND_BYTES:
        append_hexadecimal("_binary ", value, out);
        return CORM_OK;
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        append_datetime(value, out);
        return CORM_OK;
    default:
        corm_text_append(out, "NULL");
        return CORM_OK;
    }
}

corm_status corm_mysql_write_literals(corm_driver_statement *statement, const corm_value *values, size_t count) {
    const char *at = statement->sql, *end = statement->sql + statement->size;
    corm_text *out = &statement->filled;
    corm_status status = CORM_OK;
    corm_text_truncate(out, 0);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const char *mark = find_mark(at, end, has_escapes(statement));
        MYSQL_BIND unused;
        corm_mysql_room room;
        if (mark == NULL) {
            return corm_error_set(CORM_INTERNAL_ERROR, "a statement has fewer parameters than were counted");
        }
        corm_text_append_bytes(out, at, (size_t)(mark - at));
        at = mark + 1;
        status = corm_mysql_encode(&unused, &room, &values[i], i + 1);
        if (status == CORM_OK) {
            status = append_literal(&values[i], i + 1, out);
        }
    }
    corm_text_append_bytes(out, at, (size_t)(end - at));
    return status == CORM_OK ? corm_text_status(out) : status;
}
