/*
 * Inside the compiler: what its files share.
 *
 * The compiler writes into the present output. A common table expression is written into an output of its own while
 * the statement goes on; all are joined at the end, each parameter keeping its place in the text.
 */
#ifndef CORM_COMPILE_PRIVATE_H
#define CORM_COMPILE_PRIVATE_H

#include "base/hash.h"
#include "compile/compiler.h"
#include "sql/pointer_map.h"

/* Where a parameter's value comes from. */
typedef enum slot_source {
    SLOT_BIND,     /* the execution's bind number `index` */
    SLOT_CONSTANT, /* the bind that the slot holds */
    SLOT_NAMED,    /* the execution's named values only */
    SLOT_CALLABLE  /* a column's default or onupdate, called for each execution */
} slot_source;

typedef struct corm_slot {
    size_t offset; /* of the marker in the text */
    size_t size;
    slot_source source;
    size_t index;
    bool expanding;
    bool negated;     /* a list of NOT IN */
    bool by_name;     /* the execution's named values go before the statement's own */
    const char *name; /* kept in strings */
    corm_node *bind;  /* a reference, or NULL */
    corm_type *type;  /* a reference, or NULL */
    corm_convert_bind convert;
    corm_node *column; /* a reference: of SLOT_CALLABLE and NAMED */
    void *callable;    /* borrowed from the column */
} corm_slot;

typedef struct corm_output {
    corm_text text;
    corm_slot *slots;
    size_t count, capacity;
} corm_sql_output;

struct corm_compiled {
    atomic_uint references;
    uint64_t id;
    uint32_t flags;
    const corm_dialect *dialect;
    corm_node *statement; /* a reference, or NULL once in a cache */
    char *text;
    size_t text_size;
    corm_slot *slots;
    size_t slot_count;
    corm_result_column *columns; /* nodes and types are references */
    size_t column_count, column_capacity;
    corm_vector strings;       /* char *: names of slots and columns */
    corm_vector owned;         /* corm_node *: made while compiling */
    corm_table *insert_table;  /* borrowed: the metadata is held */
    corm_vector returned_keys; /* corm_column *, borrowed likewise */
    size_t row_at, row_size;   /* of an INSERT of one row: its values in the text */
    corm_metadata *metadata;   /* a reference, or NULL */
};

/* One column of a SELECT as it is written: alone, under its own name or under one that we give. */
typedef enum label_kind { LABEL_NONE, LABEL_NAME, LABEL_ANONYMOUS } label_kind;
typedef struct corm_label_info {
    corm_node *node; /* as selected; a reference */
    label_kind kind;
    char *name;           /* LABEL_NAME: the name; LABEL_ANONYMOUS: what it is numbered after; owned */
    const void *identity; /* what an anonymous name belongs to */
    bool prefixed;        /* the name begins with the name of an anonymous alias: see labels.c */
    corm_node *prefix;    /* that alias, borrowed from node */
} corm_label_info;
typedef struct corm_labels {
    corm_label_info *items;
    size_t count;
    bool as_from;
} corm_labels;

/* An enclosing statement, while something in it is compiled. */
typedef struct corm_frame {
    struct corm_frame *outer;
    corm_vector froms;   /* borrowed: all FROMs, those inside joins too */
    corm_labels *labels; /* of a SELECT */
    bool is_compound;
} corm_frame;

typedef struct name_counter {
    char *base;
    unsigned count;
    UT_hash_handle hh;
} name_counter;

typedef struct corm_cte {
    corm_node *alias; /* borrowed */
    corm_sql_output output;
} corm_cte;

enum {                           /* how a SELECT is compiled */
       SELECT_TOP = 1u << 0,     /* its columns are the result's */
       SELECT_AS_FROM = 1u << 1, /* it stands in FROM: every column gets a name */
       SELECT_NO_ORDER = 1u << 2
};

struct corm_compiler {
    const corm_dialect *dialect;
    corm_compile_options options;
    corm_sql_output *out;
    corm_sql_output main;
    corm_compiled *compiled;
    corm_frame *frame;
    corm_vector statement_binds; /* borrowed: the binds that executions give */
    corm_pointer_map bind_index; /* BIND to its number + 1 */
    corm_pointer_map names;      /* identity to char * */
    corm_pointer_map labels;     /* SELECT to corm_labels * */
    corm_vector all_labels;
    name_counter *counters;
    corm_cte *ctes;
    size_t cte_count, cte_capacity;
    size_t ctes_at;            /* where in the main text they stand */
    corm_vector open_ctes;     /* aliases whose bodies are being compiled */
    corm_pointer_map restated; /* first branch of a recursive CTE to its alias */
    bool any_recursive;
    bool plain_columns; /* columns without their tables: RETURNING, INSERT, index */
    bool negates_list;  /* the right side of NOT IN is written */
    bool as_literals;   /* values in the text whatever the options: DDL */
    unsigned depth;
};

#define ALWAYS CORM_OP_TRUE /* as `against`: parentheses around any operator */

/* names.c */
const char *corm_compiler_keep(corm_compiler *compiler, char *text); /* takes over; NULL gives NULL */
const char *corm_compiler_keep_copy(corm_compiler *compiler, const char *text);
const char *corm_compiler_anonymous(corm_compiler *compiler, const void *identity, const char *base);
/* The name that an alias goes by; for a CTE too. */
const char *corm_compiler_alias_name(corm_compiler *compiler, corm_node *alias);
corm_node *corm_compiler_canonical(corm_compiler *compiler, corm_node *alias);

/* slots.c */
corm_status corm_compiler_bind(corm_compiler *compiler, corm_node *bind, const corm_node *beside);
/* A value of a column in INSERT or UPDATE: its name is the column's. suffix: of multiple rows, or "". */
corm_status corm_compiler_column_value(corm_compiler *compiler, corm_column *column, corm_node *value,
                                       const char *suffix);
corm_status corm_compiler_named_slot(corm_compiler *compiler, corm_column *column, const char *suffix,
                                     const corm_default *callable);
void corm_slots_clear(corm_slot *slots, size_t count);
/* Where parameters go by numbers: give them, now that their order is known. */
corm_status corm_number_markers(const corm_compiler *compiler, corm_sql_output *output);

/* labels.c */
corm_status corm_compiler_labels(corm_compiler *compiler, corm_node *select, bool as_from, corm_labels **out);
void corm_labels_free(corm_labels *labels);
/* The name as it is written, after anonymous ones are numbered; NULL without error for LABEL_NONE. */
corm_status corm_label_text(corm_compiler *compiler, const corm_label_info *label, const char **out);
/* The name that a column of an alias of a select has. */
corm_status corm_compiler_column_of_name(corm_compiler *compiler, const corm_node *column_of, const char **out);

/* expression.c */
corm_status corm_compile_expression(corm_compiler *compiler, corm_node *node, corm_operator against,
                                    const corm_node *beside);
/* A list of conditions, all of which hold. */
corm_status corm_compile_conditions(corm_compiler *compiler, const corm_node *list);
corm_status corm_compile_list(corm_compiler *compiler, const corm_node *list, corm_operator against);
corm_status corm_compile_text(corm_compiler *compiler, const corm_node *text);

/* One element, with the parentheses that its place wants. */
corm_status corm_compile_leaf(corm_compiler *compiler, corm_node *node, corm_operator against, const corm_node *beside);

/* An order by which NULLs come first or last, where the database has no words for it: does it take an order of its own
 * before? Then what the words of an order are, and what is ordered. */
bool corm_null_order_needs_key(const corm_compiler *compiler, const corm_node *node);
const char *corm_order_word(const corm_compiler *compiler, const corm_node *node);
corm_node *corm_ordered(corm_node *node);

/* operators.c */
bool corm_is_parenthesised(const corm_node *node, corm_operator against);
/* Is it written by a loop along its spine, into the deepest operands? */
bool corm_is_chain(const corm_compiler *compiler, const corm_node *node);
corm_status corm_compile_chain(corm_compiler *compiler, corm_node *node, corm_operator against);
/* Two operands in a form of their own: IN, BETWEEN, LIKE's kin, ... */
corm_status corm_compile_special(corm_compiler *compiler, const corm_node *node);

/* froms.c */
/* The FROMs that expressions mention, each once, in order. */
corm_status corm_mentioned_froms(corm_node *node, corm_vector *out);
/* What a select selects from, joins put together. New references. */
corm_status corm_select_froms(corm_compiler *compiler, corm_node *select, corm_vector *out);
/* Take out what enclosing statements give. */
corm_status corm_correlate(corm_compiler *compiler, const corm_node *select, bool as_from, corm_vector *froms);
corm_status corm_frame_add(corm_frame *frame, corm_node *from);
corm_status corm_compile_from(corm_compiler *compiler, corm_node *from);
corm_status corm_compile_froms(corm_compiler *compiler, const corm_vector *froms);

/* select.c */
corm_status corm_compile_select(corm_compiler *compiler, corm_node *select, unsigned how);
corm_status corm_compile_cte(corm_compiler *compiler, corm_node *alias);
corm_status corm_compile_result_columns(corm_compiler *compiler, const corm_labels *labels, bool top);
corm_status corm_compile_ctes(corm_compiler *compiler);

/* dml.c */
corm_status corm_compile_insert(corm_compiler *compiler, corm_node *insert);
corm_status corm_compile_update(corm_compiler *compiler, corm_node *update);
corm_status corm_compile_delete(corm_compiler *compiler, corm_node *node);

/* compile.c: for DDL, an expression alone. */
corm_status corm_compile_fragment(const corm_dialect *dialect, corm_node *node, bool plain_columns, corm_text *out);

#endif
