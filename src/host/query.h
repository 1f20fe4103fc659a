/*
 * Between the files of the C face's queries: expressions (expression.c) and what is made of them (query.c).
 *
 * NULL stands for "not given". What could not be made is the failed expression: whatever it is put into fails with the
 * reason that the thread keeps. So a query whose criterion could not be made is never run without it.
 */
#ifndef CORM_HOST_QUERY_H
#define CORM_HOST_QUERY_H

#include "base/set.h"
#include "host/object.h"
#include "orm/query.h"

struct corm_query {
    corm_node *select;     /* NULL: nothing is selected yet */
    corm_error failure;    /* the first thing that went wrong while it was made */
    corm_result *result;   /* while it runs */
    corm_session *session; /* of the result: borrowed */
    corm_item *items;      /* of the present row of columns */
    bool has_row;
    corm_set seen;     /* objects that corm_next() gave, where rows repeat them */
    corm_vector texts; /* char *: zero-terminated copies for corm_row_text() */
};

/* An entity node that is an alias. */
struct corm_aliased {
    corm_node *entity;
    corm_mapper *mapper;
};

/* The failed expression; remembers the thread's error as the reason, once until it is told. */
corm_expression *c_expression_failed(void);
static inline bool c_expression_is_made(const corm_expression *expression);
/* Set the thread's error to the reason why expressions failed. */
corm_status c_expression_reason(void);
/* The node, or the failed expression when it is NULL. */
corm_expression *c_expression_of(corm_node *node);
/* Is it there and made? Says why not. */
bool c_expression_check(const corm_expression *expression, const char *what);
/* An attribute of the struct (or of an alias of it) as a node: NULL with the error set. */
corm_node *c_attribute_node(corm_mapping *mapping, corm_node *entity, const char *field);
/* What the query selects, borrowed; NULL with the reason why it cannot run. */
corm_node *c_query_select(const corm_query *query);
/* A plain value compared with a column takes the column's type. A new reference, or NULL. */
corm_node *c_expression_fitting(corm_node *left, corm_node *right);

extern corm_node c_failed_node;
static inline bool c_expression_is_made(const corm_expression *expression) {
    return expression != &c_failed_node;
}

#endif
