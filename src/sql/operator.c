/* The table of operators. Precedences are those of SQLAlchemy, which decide where parentheses stand. */
#include "sql/operator.h"

/* An operator without a place in the order: parenthesised as an operand of anything. */
#define UNRANKED (-100)
#define LARGEST 100

#define OPERATOR(op, spelling, rank, inverse)                                                                          \
    [CORM_OP_##op] = {.text = spelling, .precedence = rank, .negation = inverse}
#define COMPARISON(op, spelling, rank, inverse)                                                                        \
    [CORM_OP_##op] = {.text = spelling, .precedence = rank, .negation = CORM_OP_##inverse, .is_comparison = true}
#define ASSOCIATIVE(op, spelling, rank) [CORM_OP_##op] = {.text = spelling, .precedence = rank, .associative = true}

const corm_operator_info corm_operators[CORM_OP_COUNT] = {
    [CORM_OP_NONE] = {.precedence = LARGEST},
    ASSOCIATIVE(AND, " AND ", 3),
    ASSOCIATIVE(OR, " OR ", 2),
    OPERATOR(COMMA, ", ", -1, CORM_OP_NONE),
    OPERATOR(NOT, "NOT ", 5, CORM_OP_NONE),
    COMPARISON(EQ, " = ", 5, NE),
    COMPARISON(NE, " != ", 5, EQ),
    COMPARISON(LT, " < ", 5, GE),
    COMPARISON(LE, " <= ", 5, GT),
    COMPARISON(GT, " > ", 5, LE),
    COMPARISON(GE, " >= ", 5, LT),
    COMPARISON(IS, " IS ", 5, IS_NOT),
    COMPARISON(IS_NOT, " IS NOT ", 5, IS),
    COMPARISON(IS_DISTINCT_FROM, NULL, 5, IS_NOT_DISTINCT_FROM),
    COMPARISON(IS_NOT_DISTINCT_FROM, NULL, 5, IS_DISTINCT_FROM),
    COMPARISON(LIKE, " LIKE ", 5, NOT_LIKE),
    COMPARISON(NOT_LIKE, " NOT LIKE ", 5, LIKE),
    COMPARISON(ILIKE, NULL, 5, NOT_ILIKE),
    COMPARISON(NOT_ILIKE, NULL, 5, ILIKE),
    COMPARISON(STARTSWITH, NULL, UNRANKED, NOT_STARTSWITH),
    COMPARISON(NOT_STARTSWITH, NULL, UNRANKED, STARTSWITH),
    COMPARISON(ENDSWITH, NULL, UNRANKED, NOT_ENDSWITH),
    COMPARISON(NOT_ENDSWITH, NULL, UNRANKED, ENDSWITH),
    COMPARISON(CONTAINS, NULL, UNRANKED, NOT_CONTAINS),
    COMPARISON(NOT_CONTAINS, NULL, UNRANKED, CONTAINS),
    COMPARISON(ISTARTSWITH, NULL, UNRANKED, NOT_ISTARTSWITH),
    COMPARISON(NOT_ISTARTSWITH, NULL, UNRANKED, ISTARTSWITH),
    COMPARISON(IENDSWITH, NULL, UNRANKED, NOT_IENDSWITH),
    COMPARISON(NOT_IENDSWITH, NULL, UNRANKED, IENDSWITH),
    COMPARISON(ICONTAINS, NULL, UNRANKED, NOT_ICONTAINS),
    COMPARISON(NOT_ICONTAINS, NULL, UNRANKED, ICONTAINS),
    COMPARISON(IN, " IN ", 5, NOT_IN),
    COMPARISON(NOT_IN, " NOT IN ", 5, IN),
    COMPARISON(BETWEEN, " BETWEEN ", 5, NOT_BETWEEN),
    COMPARISON(NOT_BETWEEN, " NOT BETWEEN ", 5, BETWEEN),
    COMPARISON(MATCH, " MATCH ", 5, NOT_MATCH),
    COMPARISON(NOT_MATCH, " NOT MATCH ", 5, MATCH),
    COMPARISON(REGEXP_MATCH, NULL, 5, NOT_REGEXP_MATCH),
    COMPARISON(NOT_REGEXP_MATCH, NULL, 5, REGEXP_MATCH),
    ASSOCIATIVE(ADD, " + ", 7),
    OPERATOR(SUB, " - ", 7, CORM_OP_NONE),
    ASSOCIATIVE(MUL, " * ", 8),
    OPERATOR(TRUE_DIV, " / ", 8, CORM_OP_NONE),
    OPERATOR(FLOOR_DIV, " / ", 8, CORM_OP_NONE),
    OPERATOR(MOD, " % ", 8, CORM_OP_NONE),
    ASSOCIATIVE(CONCAT, " || ", 5),
    OPERATOR(BIT_AND, " & ", 7, CORM_OP_NONE),
    OPERATOR(BIT_OR, " | ", 7, CORM_OP_NONE),
    OPERATOR(BIT_XOR, " ^ ", 7, CORM_OP_NONE),
    OPERATOR(LEFT_SHIFT, " << ", 7, CORM_OP_NONE),
    OPERATOR(RIGHT_SHIFT, " >> ", 7, CORM_OP_NONE),
    OPERATOR(COLLATE, " COLLATE ", 4, CORM_OP_NONE),
    OPERATOR(FILTER, " FILTER ", 6, CORM_OP_NONE),
    OPERATOR(CUSTOM, NULL, 0, CORM_OP_NONE),
    OPERATOR(NEGATE, "-", 8, CORM_OP_NONE),
    OPERATOR(BIT_NOT, "~", 8, CORM_OP_NONE),
    OPERATOR(DISTINCT, "DISTINCT ", 5, CORM_OP_NONE),
    OPERATOR(ASC, " ASC", 3, CORM_OP_NONE),
    OPERATOR(DESC, " DESC", 3, CORM_OP_NONE),
    OPERATOR(NULLS_FIRST, " NULLS FIRST", 3, CORM_OP_NONE),
    OPERATOR(NULLS_LAST, " NULLS LAST", 3, CORM_OP_NONE),
    OPERATOR(EXISTS, "EXISTS ", 0, CORM_OP_NONE),
    OPERATOR(ANY, "ANY ", 15, CORM_OP_NONE),
    OPERATOR(ALL, "ALL ", 15, CORM_OP_NONE),
    OPERATOR(NULL, "NULL", LARGEST, CORM_OP_NONE),
    OPERATOR(TRUE, "true", LARGEST, CORM_OP_FALSE),
    OPERATOR(FALSE, "false", LARGEST, CORM_OP_TRUE),
    OPERATOR(UNION, " UNION ", 0, CORM_OP_NONE),
    OPERATOR(UNION_ALL, " UNION ALL ", 0, CORM_OP_NONE),
    OPERATOR(INTERSECT, " INTERSECT ", 0, CORM_OP_NONE),
    OPERATOR(INTERSECT_ALL, " INTERSECT ALL ", 0, CORM_OP_NONE),
    OPERATOR(EXCEPT, " EXCEPT ", 0, CORM_OP_NONE),
    OPERATOR(EXCEPT_ALL, " EXCEPT ALL ", 0, CORM_OP_NONE),
    OPERATOR(AS, " AS ", -1, CORM_OP_NONE),
    OPERATOR(AS_BOOLEAN, NULL, -10, CORM_OP_NONE),
};

bool corm_operator_needs_parentheses(corm_operator inner, corm_operator outer) {
    if (inner == outer && corm_operators[inner].associative)
        return false;
    return corm_operators[inner].precedence <= corm_operators[outer].precedence;
}

corm_operator corm_operator_negation(corm_operator op) {
    return (corm_operator)corm_operators[op].negation;
}
