/*
 * Expressions from bytes: a stack machine whose steps are constructors. Built twice they are equal in structure and have
 * one hash; their SQL is the same each time, and SQLite may refuse it, but nothing else may happen.
 */
#include "fuzz.h"

#include <sqlite3.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "dialect/dialect.h"
#include "sql/select.h"

const char *const fuzz_seeds[] = {"0123456789",
                                  "abcABCabcABC",
                                  "0a0b1c2d3e4f",
                                  "\x01\x10\x22\x31\x44\x50\x61\x77",
                                  "zyxwvu",
                                  "aaaaaaaaaabbbbbbbbbbcccccccccc0000000000dddddddddd",
                                  NULL};

enum { ROOM = 64, STEPS = 400 };

typedef struct stack {
    corm_node *nodes[ROOM];
    size_t count;
} stack;

static void push(stack *on, corm_node *node) {
    if (node == NULL) {
        corm_error_clear();
    } else if (on->count == ROOM) {
        corm_node_unref(node);
    } else {
        on->nodes[on->count++] = node;
    }
}

static corm_node *pop(stack *from) {
    if (from->count > 0) {
        return from->nodes[--from->count];
    }
    corm_value one = corm_value_integer(1);
    return corm_bind_new(&one, NULL);
}

static void binary(stack *on, uint8_t which) {
    static const corm_operator operators[] = {CORM_OP_EQ,  CORM_OP_LT,   CORM_OP_ADD,    CORM_OP_SUB, CORM_OP_MUL,
                                              CORM_OP_MOD, CORM_OP_LIKE, CORM_OP_CONCAT, CORM_OP_IS,  CORM_OP_BIT_AND};
    corm_node *right = pop(on), *left = pop(on);
    push(on, corm_binary_new(operators[which % (sizeof operators / sizeof *operators)], left, right));
    corm_node_unref(left);
    corm_node_unref(right);
}

static void unary(stack *on, uint8_t which) {
    corm_node *operand = pop(on), *made = NULL;
    switch (which % 5) {
    case 0:
        made = corm_not(operand);
        break;
    case 1:
        made = corm_unary_new(CORM_OP_NEGATE, operand);
        break;
    case 2:
        made = corm_label(operand, which & 8 ? "named" : NULL);
        break;
    case 3:
        made = corm_cast(operand, corm_type_of_kind((corm_type_kind)(which / 5 % CORM_TYPE_KIND_COUNT)));
        break;
    default:
        made = corm_grouping(operand);
    }
    push(on, made);
    corm_node_unref(operand);
}

static void logical(stack *on, uint8_t which) {
    corm_node *right = pop(on), *left = pop(on);
    push(on, which & 1 ? corm_and2(left, right) : corm_or2(left, right));
    corm_node_unref(left);
    corm_node_unref(right);
}

static void subquery(stack *on, uint8_t which) {
    corm_node *what = pop(on), *where = which & 1 ? pop(on) : NULL;
    corm_node *made = corm_select_new(&what, 1);
    if (made != NULL && where != NULL) {
        corm_node *narrowed = corm_select_where(made, where);
        corm_node_unref(made);
        made = narrowed;
    }
    corm_node *value = made == NULL ? NULL : which & 2 ? corm_scalar_subquery(made) : corm_exists(made);
    push(on, value);
    corm_node_unref(made);
    corm_node_unref(what);
    corm_node_unref(where);
}

static void leaf(stack *on, uint8_t which) {
    corm_value value = which & 1 ? corm_value_integer(which) : corm_value_bytes(CORM_KIND_TEXT, "text", which % 5);
    switch (which % 6) {
    case 0:
        push(on, corm_null());
        break;
    case 1:
        push(on, corm_true());
        break;
    case 2:
        push(on, corm_plain_column(which & 8 ? "column" : "other", corm_type_of_kind(CORM_TYPE_INTEGER)));
        break;
    case 3:
        push(on, corm_bind_named(which & 8 ? "name" : "other", &value, NULL, (which & 16) != 0));
        break;
    default:
        push(on, corm_bind_new(&value, NULL));
    }
}

static void function(stack *on, uint8_t which) {
    corm_node *arguments[3];
    size_t count = which % 4;
    for (size_t i = 0; i < count; i++) {
        arguments[i] = pop(on);
    }
    push(on, corm_function_new(which & 8 ? "coalesce" : "odd name", arguments, count, NULL));
    for (size_t i = 0; i < count; i++) {
        corm_node_unref(arguments[i]);
    }
}

static corm_node *build(const uint8_t *data, size_t size) {
    static void (*const steps[])(stack * on, uint8_t which) = {leaf, leaf, binary, unary, logical, subquery, function};
    stack on = {.count = 0};
    for (size_t i = 0; i + 1 < size && i < STEPS; i += 2) {
        steps[data[i] % (sizeof steps / sizeof *steps)](&on, data[i + 1]);
    }
    while (on.count > 1) {
        logical(&on, 0);
    }
    return pop(&on);
}

static void prepare(const char *sql, size_t size) {
    static sqlite3 *database;
    sqlite3_stmt *statement = NULL;
    must(database != NULL || sqlite3_open(":memory:", &database) == SQLITE_OK);
    sqlite3_prepare_v2(database, sql, (int)size, &statement, NULL);
    sqlite3_finalize(statement);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    corm_node *first = build(data, size), *second = build(data, size);
    must(first != NULL && second != NULL && corm_node_equal(first, second) && first->hash == second->hash);
    corm_text texts[2] = {CORM_TEXT_EMPTY, CORM_TEXT_EMPTY};
    corm_status status = corm_statement_render(NULL, first, false, &texts[0]);
    must(corm_statement_render(NULL, second, false, &texts[1]) == status);
    if (status == CORM_OK) {
        must(texts[0].size == texts[1].size && memcmp(texts[0].data, texts[1].data, texts[0].size) == 0);
        prepare(texts[0].data, texts[0].size);
    } else {
        must(corm_error_last()->message != NULL);
    }
    corm_text_clear(&texts[0]);
    corm_text_clear(&texts[1]);
    corm_node_unref(first);
    corm_node_unref(second);
    corm_error_clear();
    return 0;
}
