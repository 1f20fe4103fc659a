/* Operators: how each is spelled, how tightly it binds, what its negation is. One table in operator.c. */
#ifndef CORM_SQL_OPERATOR_H
#define CORM_SQL_OPERATOR_H

#include <cormorant/common.h>

typedef enum corm_operator {
    CORM_OP_NONE = 0,
    CORM_OP_AND,
    CORM_OP_OR,
    CORM_OP_COMMA,
    CORM_OP_NOT,
    CORM_OP_EQ,
    CORM_OP_NE,
    CORM_OP_LT,
    CORM_OP_LE,
    CORM_OP_GT,
    CORM_OP_GE,
    CORM_OP_IS,
    CORM_OP_IS_NOT,
    CORM_OP_IS_DISTINCT_FROM,
    CORM_OP_IS_NOT_DISTINCT_FROM,
    CORM_OP_LIKE,
    CORM_OP_NOT_LIKE,
    CORM_OP_ILIKE,
    CORM_OP_NOT_ILIKE,
    CORM_OP_STARTSWITH,
    CORM_OP_NOT_STARTSWITH,
    CORM_OP_ENDSWITH,
    CORM_OP_NOT_ENDSWITH,
    CORM_OP_CONTAINS,
    CORM_OP_NOT_CONTAINS,
    CORM_OP_ISTARTSWITH,
    CORM_OP_NOT_ISTARTSWITH,
    CORM_OP_IENDSWITH,
    CORM_OP_NOT_IENDSWITH,
    CORM_OP_ICONTAINS,
    CORM_OP_NOT_ICONTAINS,
    CORM_OP_IN,
    CORM_OP_NOT_IN,
    CORM_OP_BETWEEN,
    CORM_OP_NOT_BETWEEN,
    CORM_OP_MATCH,
    CORM_OP_NOT_MATCH,
    CORM_OP_REGEXP_MATCH,
    CORM_OP_NOT_REGEXP_MATCH,
    CORM_OP_ADD,
    CORM_OP_SUB,
    CORM_OP_MUL,
    CORM_OP_TRUE_DIV,
    CORM_OP_FLOOR_DIV,
    CORM_OP_MOD,
    CORM_OP_CONCAT,
    CORM_OP_BIT_AND,
    CORM_OP_BIT_OR,
    CORM_OP_BIT_XOR,
    CORM_OP_LEFT_SHIFT,
    CORM_OP_RIGHT_SHIFT,
    CORM_OP_COLLATE,
    CORM_OP_FILTER, /* an aggregate's FILTER (WHERE ...) */
    CORM_OP_CUSTOM, /* BINARY with its own spelling */
    CORM_OP_NEGATE, /* unary from here */
    CORM_OP_BIT_NOT,
    CORM_OP_DISTINCT,
    CORM_OP_ASC,
    CORM_OP_DESC,
    CORM_OP_NULLS_FIRST,
    CORM_OP_NULLS_LAST,
    CORM_OP_EXISTS,
    CORM_OP_ANY,
    CORM_OP_ALL,
    CORM_OP_NULL, /* of CONSTANT from here */
    CORM_OP_TRUE,
    CORM_OP_FALSE,
    CORM_OP_UNION, /* of COMPOUND from here */
    CORM_OP_UNION_ALL,
    CORM_OP_INTERSECT,
    CORM_OP_INTERSECT_ALL,
    CORM_OP_EXCEPT,
    CORM_OP_EXCEPT_ALL,
    CORM_OP_AS, /* contexts, of which no node is made */
    CORM_OP_AS_BOOLEAN,
    CORM_OP_COUNT
} corm_operator;

typedef struct corm_operator_info {
    const char *text; /* with the spaces around it: " = "; NULL: rendered specially */
    int8_t precedence;
    uint8_t negation;   /* a corm_operator, NONE: wrapped in NOT */
    bool associative;   /* a op (b op c) needs no parentheses */
    bool is_comparison; /* gives a boolean */
} corm_operator_info;

extern const corm_operator_info corm_operators[CORM_OP_COUNT];

/* Does an element with operator `inner` need parentheses as an operand of `outer`? */
bool corm_operator_needs_parentheses(corm_operator inner, corm_operator outer);
/* `not a < b` is `a >= b`; NONE when there is no such operator. */
corm_operator corm_operator_negation(corm_operator op);

#endif
