/*
 * Queries: select structs, or rows of columns.
 *
 *     corm_query *q = corm_select(user);
 *     corm_where(q, corm_eq(user, name, "John Doe"));
 *     for (user *u; (u = corm_next(session, q, user)) != NULL;) { ... }
 *     corm_query_free(q);
 *
 * Expressions are consumed by what they are given to, so nothing has to be freed but the query. A failure anywhere (short
 * of memory, a wrong argument) makes the query fail when it runs, with the first reason; a query is never run without a
 * criterion that could not be made. NULL stands for "not given", where that makes sense.
 *
 * The first corm_next() runs the query, the last returns NULL: then corm_error_last()->status is CORM_OK, or tells what
 * failed. A loop that is left early leaves the result open until corm_query_rewind(), corm_query_free() or the session's
 * end. A query may be run again, also in another session.
 */
#ifndef CORMORANT_QUERY_H
#define CORMORANT_QUERY_H

#include <cormorant/session.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_node corm_expression;
typedef struct corm_query corm_query;

/* ---- expressions: new ones, consumed by what takes them ---- */

#define corm_column(type_, field_) ((void)offsetof(type_, field_), corm_column_of_field(type_##_mapping(), #field_))
CORM_API corm_expression *corm_column_of_field(corm_mapping *mapping, const char *field);

CORM_API corm_expression *corm_value_int(int64_t value);
CORM_API corm_expression *corm_value_double(double value);
CORM_API corm_expression *corm_value_bool(bool value);
CORM_API corm_expression *corm_value_text(const char *value);       /* copied; NULL: NULL */
CORM_API corm_expression *corm_value_blob(corm_bytes bytes);        /* copied; NULL data: NULL */
CORM_API corm_expression *corm_value_datetime(corm_datetime value); /* a date or time where the column is one */
CORM_API corm_expression *corm_value_maybe_int(corm_int value);     /* NULL when not set, as the following */
CORM_API corm_expression *corm_value_maybe_double(corm_float value);
CORM_API corm_expression *corm_value_maybe_bool(corm_bool value);
CORM_API corm_expression *corm_value_moment(corm_moment value);
CORM_API corm_expression *corm_value_null(void);
CORM_API corm_expression *corm_value_expression(corm_expression *expression);
#ifndef __cplusplus
#define CORM_VALUE(value)                                                                                              \
    _Generic((value),                                                                                                  \
        bool: corm_value_bool,                                                                                         \
        char: corm_value_int,                                                                                          \
        signed char: corm_value_int,                                                                                   \
        unsigned char: corm_value_int,                                                                                 \
        short: corm_value_int,                                                                                         \
        unsigned short: corm_value_int,                                                                                \
        int: corm_value_int,                                                                                           \
        long: corm_value_int,                                                                                          \
        long long: corm_value_int,                                                                                     \
        unsigned: corm_value_int,                                                                                      \
        float: corm_value_double,                                                                                      \
        double: corm_value_double,                                                                                     \
        char *: corm_value_text,                                                                                       \
        const char *: corm_value_text,                                                                                 \
        corm_bytes: corm_value_blob,                                                                                   \
        corm_datetime: corm_value_datetime,                                                                            \
        corm_int: corm_value_maybe_int,                                                                                \
        corm_float: corm_value_maybe_double,                                                                           \
        corm_bool: corm_value_maybe_bool,                                                                              \
        corm_moment: corm_value_moment,                                                                                \
        corm_expression *: corm_value_expression)(value)
#endif

typedef enum corm_comparison {
    CORM_COMPARE_EQ = 1,
    CORM_COMPARE_NE,
    CORM_COMPARE_LT,
    CORM_COMPARE_LE,
    CORM_COMPARE_GT,
    CORM_COMPARE_GE,
    CORM_COMPARE_LIKE,
    CORM_COMPARE_ILIKE,
    CORM_COMPARE_STARTS_WITH,
    CORM_COMPARE_ENDS_WITH,
    CORM_COMPARE_CONTAINS,
    CORM_COMPARE_ADD,
    CORM_COMPARE_SUBTRACT,
    CORM_COMPARE_MULTIPLY,
    CORM_COMPARE_DIVIDE,
    CORM_COMPARE_MODULO,
    CORM_COMPARE_CONCAT
} corm_comparison;
CORM_API corm_expression *corm_compare(corm_comparison how, corm_expression *left, corm_expression *right);

#define corm_eq(type_, field_, value) corm_compare(CORM_COMPARE_EQ, corm_column(type_, field_), CORM_VALUE(value))
#define corm_ne(type_, field_, value) corm_compare(CORM_COMPARE_NE, corm_column(type_, field_), CORM_VALUE(value))
#define corm_lt(type_, field_, value) corm_compare(CORM_COMPARE_LT, corm_column(type_, field_), CORM_VALUE(value))
#define corm_le(type_, field_, value) corm_compare(CORM_COMPARE_LE, corm_column(type_, field_), CORM_VALUE(value))
#define corm_gt(type_, field_, value) corm_compare(CORM_COMPARE_GT, corm_column(type_, field_), CORM_VALUE(value))
#define corm_ge(type_, field_, value) corm_compare(CORM_COMPARE_GE, corm_column(type_, field_), CORM_VALUE(value))
#define corm_like(type_, field_, pattern)                                                                              \
    corm_compare(CORM_COMPARE_LIKE, corm_column(type_, field_), CORM_VALUE(pattern))
#define corm_ilike(type_, field_, pattern)                                                                             \
    corm_compare(CORM_COMPARE_ILIKE, corm_column(type_, field_), CORM_VALUE(pattern))
/* These take the text as it is: % and _ in it stand for themselves. */
#define corm_starts_with(type_, field_, text)                                                                          \
    corm_compare(CORM_COMPARE_STARTS_WITH, corm_column(type_, field_), CORM_VALUE(text))
#define corm_ends_with(type_, field_, text)                                                                            \
    corm_compare(CORM_COMPARE_ENDS_WITH, corm_column(type_, field_), CORM_VALUE(text))
#define corm_contains(type_, field_, text)                                                                             \
    corm_compare(CORM_COMPARE_CONTAINS, corm_column(type_, field_), CORM_VALUE(text))
#define corm_is_null(type_, field_) corm_null_test(corm_column(type_, field_), true)
#define corm_not_null(type_, field_) corm_null_test(corm_column(type_, field_), false)
CORM_API corm_expression *corm_null_test(corm_expression *expression, bool is_null);
CORM_API corm_expression *corm_between_of(corm_expression *expression, corm_expression *low, corm_expression *high);
/* IN a list of any length. */
CORM_API corm_expression *corm_in_ints(corm_expression *expression, const int64_t *values, size_t count);
CORM_API corm_expression *corm_in_texts(corm_expression *expression, const char *const *values, size_t count);
CORM_API corm_expression *corm_in_query(corm_expression *expression, corm_query *query); /* the query stays yours */
/* The query gives a row; and its one column's value in its one row, NULL without a row. What the query selects from and
 * the enclosing one too is taken from there. The query stays yours. */
CORM_API corm_expression *corm_exists_query(corm_query *query);
CORM_API corm_expression *corm_scalar_query(corm_query *query);
CORM_API corm_expression *corm_both(corm_expression *left, corm_expression *right);
CORM_API corm_expression *corm_either(corm_expression *left, corm_expression *right);
CORM_API corm_expression *corm_negate(corm_expression *expression);
/* An SQL function of up to three arguments; NULL ends them. */
CORM_API corm_expression *corm_call(const char *name, corm_expression *first, corm_expression *second,
                                    corm_expression *third);
CORM_API corm_expression *corm_count_all(void);
CORM_API corm_expression *corm_as(corm_expression *expression, const char *name);
CORM_API corm_expression *corm_desc(corm_expression *expression);
CORM_API corm_expression *corm_nulls_first(corm_expression *expression);
CORM_API corm_expression *corm_nulls_last(corm_expression *expression);
CORM_API corm_expression *corm_by_name(const char *name); /* what corm_as() named, to order or group by */
CORM_API corm_expression *corm_distinct_of(corm_expression *expression); /* as an aggregate's argument */
CORM_API corm_expression *corm_cast_to(corm_expression *expression, corm_sql_type type);
/* CASE WHEN condition THEN result ELSE otherwise END; nest them for more conditions. */
CORM_API corm_expression *corm_when(corm_expression *condition, corm_expression *result, corm_expression *otherwise);
/* SQL text as an expression, not checked: never put a user's input in it. Values go to places ":name". */
CORM_API corm_expression *corm_sql(const char *text);
CORM_API corm_expression *corm_sql_value(corm_expression *text, const char *name, corm_expression *value);

/* Relationships: the reference is this object; some related object meets the criterion (NULL: there is one). */
#define corm_refers_to(type_, field_, object)                                                                          \
    ((void)offsetof(type_, field_), corm_relationship_is(type_##_mapping(), #field_, (object)))
CORM_API corm_expression *corm_relationship_is(corm_mapping *mapping, const char *field, void *object);
#define corm_any(type_, field_, criterion)                                                                             \
    ((void)offsetof(type_, field_), corm_relationship_any(type_##_mapping(), #field_, (criterion)))
CORM_API corm_expression *corm_relationship_any(corm_mapping *mapping, const char *field, corm_expression *criterion);

/* ---- aliases: another look at a struct's table, to join it with itself ---- */

typedef struct corm_aliased corm_aliased;
#define corm_aliased_new(type_) corm_aliased_of(type_##_mapping())
CORM_API corm_aliased *corm_aliased_of(corm_mapping *mapping); /* NULL: see corm_error_last() */
CORM_API void corm_aliased_free(corm_aliased *alias);          /* accepts NULL; queries made with it may live on */
#define corm_aliased_column(alias, type_, field_)                                                                      \
    ((void)offsetof(type_, field_), corm_column_of_alias((alias), #field_))
CORM_API corm_expression *corm_column_of_alias(const corm_aliased *alias, const char *field);

/* ---- queries ---- */

#define corm_select(type_) corm_query_of(type_##_mapping())
CORM_API corm_query *corm_query_of(corm_mapping *mapping);
CORM_API corm_query *corm_query_new(void); /* of columns, added with corm_pick() */
CORM_API corm_query *corm_query_of_alias(const corm_aliased *alias);
CORM_API corm_query *corm_query_of_sql(corm_expression *text); /* rows of a whole statement: corm_sql() */
CORM_API void corm_query_free(corm_query *query);              /* accepts NULL */
CORM_API void corm_pick(corm_query *query, corm_expression *expression);
#define corm_pick_object(query, type_) corm_query_pick_mapping((query), type_##_mapping())
CORM_API void corm_query_pick_mapping(corm_query *query, corm_mapping *mapping);
CORM_API void corm_pick_aliased(corm_query *query, const corm_aliased *alias); /* its object */
CORM_API void corm_where(corm_query *query, corm_expression *criterion);
/* Join along a relationship. outer: rows without a match stay. */
#define corm_join(query, type_, field_)                                                                                \
    ((void)offsetof(type_, field_), corm_query_join((query), type_##_mapping(), #field_, false))
#define corm_outer_join(query, type_, field_)                                                                          \
    ((void)offsetof(type_, field_), corm_query_join((query), type_##_mapping(), #field_, true))
CORM_API void corm_query_join(corm_query *query, corm_mapping *mapping, const char *field, bool outer);
/* Along a relationship to an alias of its target. */
#define corm_join_aliased(query, type_, field_, alias)                                                                 \
    ((void)offsetof(type_, field_), corm_query_join_alias((query), type_##_mapping(), #field_, (alias), false))
CORM_API void corm_query_join_alias(corm_query *query, corm_mapping *mapping, const char *field,
                                    const corm_aliased *alias, bool outer);
/* Along the foreign key between what is selected and this struct; or on a condition. */
#define corm_join_by_key(query, type_) corm_query_join_by_key((query), type_##_mapping(), false)
CORM_API void corm_query_join_by_key(corm_query *query, corm_mapping *mapping, bool outer);
#define corm_join_where(query, type_, condition) corm_query_join_where((query), type_##_mapping(), (condition), false)
CORM_API void corm_query_join_where(corm_query *query, corm_mapping *mapping, corm_expression *condition, bool outer);
CORM_API void corm_order_by(corm_query *query, corm_expression *expression);
CORM_API void corm_group_by(corm_query *query, corm_expression *expression);
CORM_API void corm_having(corm_query *query, corm_expression *criterion);
CORM_API void corm_limit(corm_query *query, int64_t limit);
CORM_API void corm_offset(corm_query *query, int64_t offset);
CORM_API void corm_distinct(corm_query *query);
/* Load a relationship with the query: "selectin", "joined"; or "raise" when it is looked at. */
#define corm_with(query, type_, field_, strategy)                                                                      \
    ((void)offsetof(type_, field_), corm_query_with((query), type_##_mapping(), #field_, (strategy)))
CORM_API void corm_query_with(corm_query *query, corm_mapping *mapping, const char *field, const char *strategy);
/* The same along a path of fields, "addresses.user": the last one is loaded so. */
#define corm_with_path(query, type_, path, strategy) corm_query_with((query), type_##_mapping(), (path), (strategy))

/* ---- running ---- */

#define corm_next(session, query, type_) ((type_ *)corm_query_next((session), (query), type_##_mapping()))
CORM_API void *corm_query_next(corm_session *session, corm_query *query, corm_mapping *mapping);
#define corm_foreach(type_, name, session, query)                                                                      \
    for (type_ * name; (name = corm_next((session), (query), type_)) != NULL;)
/* The first object, or NULL; the result is closed. */
#define corm_first(session, query, type_) ((type_ *)corm_query_first((session), (query), type_##_mapping()))
CORM_API void *corm_query_first(corm_session *session, corm_query *query, corm_mapping *mapping);
/* Go to the next row of columns; false at the end or at a failure. Values are read by place. */
CORM_API bool corm_next_row(corm_session *session, corm_query *query);
CORM_API bool corm_row_is_null(const corm_query *query, size_t column);
CORM_API int64_t corm_row_int(const corm_query *query, size_t column); /* NULL: 0; beyond 64 bits: the nearest */
CORM_API double corm_row_double(const corm_query *query, size_t column);
CORM_API const char *corm_row_text(corm_query *query, size_t column);   /* until the next row; NULL: NULL */
CORM_API void *corm_row_object(const corm_query *query, size_t column); /* of corm_pick_object() */
CORM_API const corm_value *corm_row_value(const corm_query *query, size_t column);
CORM_API void corm_query_rewind(corm_query *query);
/* How many rows; -1: a failure. */
CORM_API int64_t corm_count(corm_session *session, corm_query *query);
/* The SQL, for people: free with corm_string_free(). */
CORM_API char *corm_query_sql(const corm_query *query); /* NULL: see corm_error_last() */
CORM_API void corm_string_free(char *text);

/* Many rows at once: SET field = value WHERE criterion (NULL constant: corm_value_null(); all rows: pass
 * corm_value_bool(true)). Objects in the session follow. *changed may be NULL. */
#define corm_update_all(session, type_, field_, value, criterion, changed)                                             \
    ((void)offsetof(type_, field_),                                                                                    \
     corm_update_rows((session), type_##_mapping(), #field_, CORM_VALUE(value), (criterion), (changed)))
CORM_API corm_status corm_update_rows(corm_session *session, corm_mapping *mapping, const char *field,
                                      corm_expression *value, corm_expression *criterion, int64_t *changed);
/* Several fields at once. Values are consumed. */
typedef struct corm_assignment {
    const char *field;
    corm_expression *value;
} corm_assignment;
CORM_API corm_status corm_update_fields(corm_session *session, corm_mapping *mapping,
                                        const corm_assignment *assignments, size_t count, corm_expression *criterion,
                                        int64_t *changed);
#define corm_delete_all(session, type_, criterion, changed)                                                            \
    corm_delete_rows((session), type_##_mapping(), (criterion), (changed))
CORM_API corm_status corm_delete_rows(corm_session *session, corm_mapping *mapping, corm_expression *criterion,
                                      int64_t *changed);
/* Run any statement, corm_sql(), in the session's transaction. Objects do not follow: corm_refresh() them. */
CORM_API corm_status corm_run(corm_session *session, corm_expression *text, int64_t *changed);

#ifdef __cplusplus
}
#endif
#endif
