/*
 * The compiler as dialects and extension nodes see it: they append text and have nodes compiled in their place.
 */
#ifndef CORM_COMPILE_COMPILER_H
#define CORM_COMPILE_COMPILER_H

#include "compile/compile.h"

typedef struct corm_compiler corm_compiler;

/* SQL text of the compiler's own making: never a user's. */
void corm_compiler_append(corm_compiler *compiler, const char *sql);
/* Compile a node here. against: the operator it is an operand of, NONE: no parentheses are added. */
corm_status corm_compiler_node(corm_compiler *compiler, corm_node *node, corm_operator against);
/* The same for an operand that is compared with another: an anonymous value is named after that one. */
corm_status corm_compiler_operand(corm_compiler *compiler, corm_node *node, corm_operator against,
                                  const corm_node *beside);
/* A number that does not change between executions, as a parameter. */
corm_status corm_compiler_number(corm_compiler *compiler, int64_t number);
const corm_dialect *corm_compiler_dialect(const corm_compiler *compiler);

#endif
