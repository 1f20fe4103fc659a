/*
 * Dialects: what differs between databases in SQL text and in how values are stored.
 *
 * A dialect is a table of data and functions; the compiler asks it and never who it is. Functions may not be NULL
 * unless said otherwise. Dialects are static and may be used by any thread.
 */
#ifndef CORM_DIALECT_DIALECT_H
#define CORM_DIALECT_DIALECT_H

#include "dialect/inspect.h"
#include "schema/schema.h"

struct corm_compiler;

/* Temporary memory of an execution: given out in pieces, let go of all at once. */
typedef struct corm_scratch {
    struct corm_scratch_block *blocks;
    char *next;
    size_t left;
} corm_scratch;
/* 8-byte aligned; NULL with CORM_NO_MEMORY. */
void *corm_scratch_alloc(corm_scratch *scratch, size_t size);
void corm_scratch_reset(corm_scratch *scratch); /* keeps one block for reuse */
void corm_scratch_clear(corm_scratch *scratch);

/* Convert a parameter for storage. *out may borrow from *in and from the scratch. CORM_STATEMENT_ERROR names the
 * value. NULL values are never given. */
typedef corm_status (*corm_convert_bind)(const corm_type *type, const corm_value *in, corm_value *out,
                                         corm_scratch *scratch);
/* Convert a column's value to the type's. *out may borrow from *in or hold text in `room` (CORM_RESULT_ROOM bytes,
 * valid as long as the caller keeps it). CORM_VALUE_ERROR names the value. NULL values are never given. */
#define CORM_RESULT_ROOM 512
typedef corm_status (*corm_convert_result)(const corm_type *type, const corm_value *in, corm_value *out, char *room);

typedef enum corm_paramstyle {
    CORM_PARAMSTYLE_QMARK,   /* ? */
    CORM_PARAMSTYLE_NAMED,   /* :name */
    CORM_PARAMSTYLE_NUMERIC, /* $1; %(name)s where people read it */
    CORM_PARAMSTYLE_FORMAT   /* ?; %s where people read it */
} corm_paramstyle;

/* An isolation level and the statement that sets it for a connection's transactions to come. */
typedef struct corm_isolation {
    const char *level;     /* "READ COMMITTED" */
    const char *statement; /* NULL: AUTOCOMMIT, which the engine and the driver see to */
} corm_isolation;

typedef struct corm_dialect {
    const char *name;
    corm_paramstyle paramstyle;
    char quote_open, quote_close;
    const char *const *reserved_words; /* lower case, sorted, NULL at the end */
    size_t identifier_limit;           /* longest name, in bytes */
    bool supports_returning;
    bool supports_native_boolean; /* TRUE and FALSE; else 1 and 0 */
    bool supports_default_values; /* INSERT INTO t DEFAULT VALUES; else () VALUES () */
    bool supports_multi_table_delete;
    bool supports_update_from;
    bool supports_for_update;
    bool returning_without_table; /* RETURNING id, not RETURNING t.id */
    bool has_true_division;       /* of integers: else the divisor is made inexact */
    bool supports_if_exists;
    bool supports_nested_transactions; /* savepoints */
    bool supports_sequences;
    bool supports_foreign_key_alter; /* ALTER TABLE ADD CONSTRAINT; else cycles stay inline */
    bool supports_deferrable;
    bool parenthesises_compound; /* (SELECT ...) UNION ... may stand in parentheses */
    const char *distinct_from;   /* " IS DISTINCT FROM " */
    const char *not_distinct_from;
    const char *regexp, *not_regexp; /* " REGEXP " */
    const char *empty_set; /* of one column: "SELECT 1 WHERE 1!=1"; NULL: IN (NULL) AND (1 != 1), which has any type */
    bool tuples_in_values; /* (a, b) IN (VALUES (1, 2)); else IN ((1, 2)) */
    const char *like_ignoring_case, *not_like_ignoring_case; /* " ILIKE "; NULL: both sides are made lower case */
    const char *share_lock;        /* " FOR SHARE"; NULL: rows that are read are locked for writing */
    bool waits_or_not;             /* NOWAIT and SKIP LOCKED behind a lock */
    bool leads_select_with_tables; /* INSERT INTO t WITH ... SELECT; else WITH ... INSERT INTO t SELECT */
    const char *empty_set_end;     /* of several columns, behind them: " FROM DUAL WHERE 1!=1"; NULL: standard SQL */
    const char *concat_function;   /* what joins text: "concat"; NULL: || */
    bool floors_division;          /* FLOOR(a / b) for whole quotients, as dividing integers gives fractions */
    bool has_boolean_words;        /* true and false can be written, though truth is stored as a number */
    bool lacks_null_ordering;      /* no NULLS FIRST: a second order stands for it, NULLs being smallest */
    bool names_tables_of_update;   /* UPDATE t, u SET t.x=... and DELETE FROM t USING t, u */
    bool drops_index_of_table;     /* DROP INDEX i ON t */
    bool nullness_before_default;
    bool numbered_key_first;     /* a primary key begins with the column that the database numbers */
    bool inserts_return_keys;    /* what the database numbers comes back from an INSERT by RETURNING */
    bool parenthesises_defaults; /* DEFAULT (expression) */
    bool numbers_beside_column;  /* PRIMARY KEY AUTOINCREMENT beside a column; else see column_type, column_end */

    const corm_isolation *isolations; /* those that a connection takes; a level of NULL at the end */
    const char *isolation_reset;      /* the server's own level again */
    const char *isolation_query;      /* one row of one text: the present level, perhaps with - for spaces */

    /* Text after a SELECT for limit and offset, of which one may be NULL. */
    corm_status (*limit)(struct corm_compiler *compiler, corm_node *limit, corm_node *offset);
    /* Division of numbers; NULL: as it stands. */
    corm_status (*true_divide)(struct corm_compiler *compiler, const corm_binary *binary);
    /* EXTRACT(field FROM x). */
    corm_status (*extract)(struct corm_compiler *compiler, const char *field, corm_node *operand);
    /* Name of a function without arguments or known to the dialect under another; NULL: as it is. */
    const char *(*function_name)(const char *name);
    /* DDL spelling of a type. CORM_COMPILE_ERROR when it has none. */
    corm_status (*type_name)(const corm_type *type, corm_text *out);
    /* The type's spelling in CAST; nothing appended: the value stands without a CAST. NULL: type_name(). */
    corm_status (*cast_type)(const corm_type *type, corm_text *out);
    /* The type of a column in CREATE TABLE, where it says more than its type's name; NULL: type_name(). */
    corm_status (*column_type)(const corm_column *column, corm_text *out);
    /* What follows NOT NULL of a column in CREATE TABLE; may be NULL. */
    corm_status (*column_end)(const corm_column *column, corm_text *out);
    /* What follows the closing parenthesis of CREATE TABLE; may be NULL. */
    corm_status (*table_end)(const corm_table *table, corm_text *out);
    /* What a parameter of a type is cast to, behind it: "::INTEGER"; NULL: nothing is said. */
    corm_status (*bind_cast)(const corm_type *type, bool for_people, corm_text *out);
    /* A query for tables and views of the name that is its only parameter: rows, or none. schema NULL: the default. */
    corm_status (*has_table_query)(const char *schema, corm_text *out);
    /* A query for the names of tables, in alphabetical order, in one column. */
    corm_status (*table_names_query)(const char *schema, corm_text *out);
    /* A query for all things of a kind (see inspect.h) of so many tables, whose names are its parameters; 0: of all.
     * Nothing appended: there are none. */
    corm_status (*inspect_query)(corm_found_kind kind, const char *schema, size_t names, corm_text *out);
    /* A query for the names of schemas in one column, and one for the default one. */
    corm_status (*schemas_query)(corm_text *out);
    const char *default_schema_query;
    /* Add what only the text of the table tells; may be NULL. */
    corm_status (*inspect_source)(corm_arena *arena, corm_found_table *table, unsigned kinds);
    /* The type that the catalogue spells so; NULL (no error set) when it is not known. *out is owned. */
    corm_status (*type_of_text)(const char *text, corm_type **out);
    /* A value as SQL text: the dialect's one renderer of literals. CORM_COMPILE_ERROR when it cannot be. */
    corm_status (*literal)(const struct corm_dialect *dialect, const corm_type *type, const corm_value *value,
                           corm_text *out);
    /* NULL when there is nothing to do. */
    corm_convert_bind (*bind_converter)(const corm_type *type);
    corm_convert_result (*result_converter)(const corm_type *type);
} corm_dialect;

/* NULL with CORM_NO_SUCH_MODULE: "sqlite", "default". */
const corm_dialect *corm_dialect_find(const char *name);
/* What str(statement) uses. Never NULL. */
const corm_dialect *corm_dialect_default(void);

/* Append an identifier, quoted when it is reserved, has upper case or odd characters. CORM_COMPILE_ERROR for a NUL byte
 * or an empty name. */
corm_status corm_dialect_identifier(const corm_dialect *dialect, const char *name, corm_text *out);
corm_status corm_dialect_quoted(const corm_dialect *dialect, const char *name, corm_text *out); /* always quoted */
bool corm_dialect_requires_quotes(const corm_dialect *dialect, const char *name);
/* "schema.table". */
corm_status corm_dialect_table_name(const corm_dialect *dialect, const corm_table *table, corm_text *out);
/* What stands between the parentheses of IN, or NOT IN, with an empty list of `width` columns. Appends. */
void corm_empty_set(const corm_dialect *dialect, uint32_t width, bool negated, corm_text *out);
/* A value as a literal: converted for storage first. */
corm_status corm_dialect_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                                 corm_text *out);

#endif
