/*
 * The text of an INSERT of arrays, made of that of one row.
 *
 * "INSERT INTO t (a, b) VALUES ($1::INTEGER, $2::VARCHAR) RETURNING t.id" becomes "INSERT INTO t (a, b) SELECT
 * p1::INTEGER, p2::VARCHAR FROM unnest($1::int4[], $2::text[]) WITH ORDINALITY AS ... ORDER BY place RETURNING t.id".
 * What is not of exactly this form has no such text.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "driver/postgresql_private.h"

typedef struct element {
    const char *cast; /* as it stands in the statement */
    Oid type;
    const char *array;
} element;

/* Other types travel as texts, which the cast then reads. */
static const element elements[] = {
    {"INTEGER", OID_INT4, "int4[]"},
    {"BIGINT", OID_INT8, "int8[]"},
    {"SMALLINT", OID_INT2, "int2[]"},
    {"BOOLEAN", OID_BOOL, "bool[]"},
    {"FLOAT", OID_FLOAT8, "float8[]"},
    {"BYTEA", OID_BYTEA, "bytea[]"},
    {"DATE", OID_DATE, "date[]"},
    {"TIMESTAMP WITHOUT TIME ZONE", OID_TIMESTAMP, "timestamp[]"},
    {"TIMESTAMP WITH TIME ZONE", OID_TIMESTAMPTZ, "timestamptz[]"},
    {"TIME WITHOUT TIME ZONE", OID_TIME, "time[]"},
};

static const element *element_of(const char *cast, size_t size) {
    static const element text = {"", OID_TEXT, "text[]"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        if (strlen(elements[i].cast) == size && memcmp(elements[i].cast, cast, size) == 0) {
            return &elements[i];
        }
    }
    return &text;
}

/* The size of a cast's type, up to a comma or parenthesis that is none of its own: NUMRANGE, INTERVAL (3), "Mood"[]. */
static size_t cast_size(const char *at) {
    size_t size = 0, depth = 0;
    bool quoted = false;
    for (; at[size] != '\0'; size++) {
        if (at[size] == '"') {
            quoted = !quoted;
        } else if (!quoted && at[size] == '(') {
            depth++;
        } else if (!quoted && depth == 0 && (at[size] == ',' || at[size] == ')')) {
            break;
        } else if (!quoted && at[size] == ')') {
            depth--;
        }
    }
    return size;
}

/* Read "$1::TYPE"; its size, 0 when it is something else. */
static size_t rewrite_parameter(const char *at, size_t number, corm_text *select, corm_text *from, Oid *type) {
    char *end;
    if (*at != '$' || strtoul(at + 1, &end, 10) != number || strncmp(end, "::", 2) != 0) {
        return 0;
    }
    const char *cast = end + 2;
    size_t size = cast_size(cast);
    const element *found = element_of(cast, size);
    *type = found->type;
    corm_text_append_format(select, "p%zu::%.*s", number, (int)size, cast);
    corm_text_append_format(from, "%s$%zu::%s", number == 1 ? "" : ", ", number, found->array);
    return size == 0 ? 0 : (size_t)(cast - at) + size;
}

/* The size of a value that the statement itself has and that looks at no row; 0: it is something else. */
static size_t own_value_size(const char *at) {
    static const char *const moments[] = {"CURRENT_TIMESTAMP", "CURRENT_DATE", "LOCALTIMESTAMP", "now()"};
    static const char next[] = "nextval('";
    size_t size = 0;
    for (size_t i = 0; i < sizeof moments / sizeof *moments && size == 0; i++) {
        size = strncmp(at, moments[i], strlen(moments[i])) == 0 ? strlen(moments[i]) : 0;
    }
    if (strncmp(at, next, strlen(next)) == 0) {
        const char *end = strchr(at + strlen(next), '\'');
        size = end != NULL && end[1] == ')' ? (size_t)(end - at) + 2 : 0;
    }
    return at[size] == ',' || at[size] == ')' ? size : 0;
}

/* Read "$1::TYPE, nextval('numbers'), $2::TYPE, ...)" and write what selects it; NULL when it is something else, else
 * what follows. */
static const char *rewrite_row(const char *at, size_t count, corm_text *select, corm_text *from, Oid *types,
                               size_t witness, size_t *witness_place) {
    size_t parameters = 0;
    for (size_t place = 0;; place++) {
        corm_text_append(select, place == 0 ? "" : ", ");
        bool is_parameter = *at == '$' && parameters < count;
        size_t size =
            is_parameter ? rewrite_parameter(at, parameters + 1, select, from, &types[parameters]) : own_value_size(at);
        if (size == 0) {
            return NULL;
        }
        if (!is_parameter) {
            corm_text_append_bytes(select, at, size);
        }
        parameters += is_parameter;
        *witness_place = is_parameter && parameters == witness ? place : *witness_place;
        at += size;
        if (*at == ')') {
            return parameters == count ? at + 1 : NULL;
        }
        if (strncmp(at, ", ", 2) != 0) {
            return NULL;
        }
        at += 2;
    }
}

/* The name at a place in "INSERT INTO table (name, name, ...)"; NULL: there is none. */
static const char *name_at(const char *sql, size_t place, size_t *size) {
    bool quoted = false, inside = false;
    const char *start = NULL;
    for (const char *at = sql; *at != '\0'; at++) {
        quoted = *at == '"' ? !quoted : quoted;
        if (quoted) {
            continue;
        }
        if (!inside && *at == '(') {
            inside = true;
            start = at + 1;
        } else if (inside && (*at == ',' || *at == ')')) {
            if (place == 0) {
                *size = (size_t)(at - start);
                return start;
            }
            if (*at == ')' || at[1] != ' ') {
                return NULL;
            }
            place--;
            start = at + 2;
        }
    }
    return NULL;
}

corm_status corm_pg_arrays_rewrite(const corm_driver_statement *statement, Oid *types, bool *returns, size_t *witness,
                                   corm_text *out) {
    size_t witness_place = 0, name_size = 0;
    static const char values[] = " VALUES (", returning[] = " RETURNING ";
    const char *at = strncmp(statement->sql, "INSERT INTO ", 12) == 0 ? statement->sql : NULL;
    const char *tail = NULL;
    corm_text select = CORM_TEXT_EMPTY, from = CORM_TEXT_EMPTY;
    while (at != NULL && tail == NULL && (at = strstr(at, values)) != NULL) {
        corm_text_clear(&select);
        corm_text_clear(&from);
        tail = rewrite_row(at + strlen(values), statement->parameter_count, &select, &from, types, *witness,
                           &witness_place);
        bool plain = tail != NULL &&
                     (*tail == '\0' || (strncmp(tail, returning, strlen(returning)) == 0 && strchr(tail, '$') == NULL));
        tail = plain ? tail : NULL;
        at += tail == NULL ? strlen(values) : 0;
    }
    if (tail != NULL) {
        corm_text_append_bytes(out, statement->sql, (size_t)(at - statement->sql));
        corm_text_append_format(out, " SELECT %s FROM unnest(%s) WITH ORDINALITY AS corm_rows(",
                                select.data == NULL ? "" : select.data, from.data == NULL ? "" : from.data);
        for (size_t i = 0; i < statement->parameter_count; i++) {
            corm_text_append_format(out, "p%zu, ", i + 1);
        }
        corm_text_append(out, "place) ORDER BY place");
        corm_text_append(out, tail);
        *returns = *tail != '\0';
        const char *name = *returns && *witness != 0 ? name_at(statement->sql, witness_place, &name_size) : NULL;
        *witness = name == NULL ? 0 : *witness;
        corm_text_append(out, name == NULL ? "" : ", ");
        corm_text_append_bytes(out, name, name_size);
    }
    corm_status status = corm_text_status(&select);
    status = status == CORM_OK ? corm_text_status(&from) : status;
    status = status == CORM_OK ? corm_text_status(out) : status;
    corm_text_clear(&select);
    corm_text_clear(&from);
    return status;
}
