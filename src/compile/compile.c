/*
 * Compiling a statement: the compiler's own life, and the compiled statement that comes of it.
 *
 * A compiled statement keeps what executions need of the nodes (binds, result columns), so that the statement itself can
 * be let go of when a cache keeps the result.
 */
#include "compile/compile.h"

#include <string.h>

#include "compile/compiler_private.h"

static _Atomic uint64_t next_id = 1;

/* ---- compiled statements ---- */

corm_compiled *corm_compiled_ref(corm_compiled *compiled) {
    if (compiled)
        atomic_fetch_add_explicit(&compiled->references, 1, memory_order_relaxed);
    return compiled;
}

void corm_compiled_unref(corm_compiled *compiled) {
    if (!compiled || atomic_fetch_sub_explicit(&compiled->references, 1, memory_order_acq_rel) != 1)
        return;
    corm_slots_clear(compiled->slots, compiled->slot_count);
    corm_free(compiled->slots);
    for (size_t i = 0; i < compiled->column_count; i++) {
        corm_node_unref(compiled->columns[i].node);
        corm_type_unref(compiled->columns[i].type);
    }
    corm_free(compiled->columns);
    for (size_t i = 0; i < compiled->owned.count; i++)
        corm_node_unref(compiled->owned.items[i]);
    corm_vector_clear(&compiled->owned);
    for (size_t i = 0; i < compiled->strings.count; i++)
        corm_free(compiled->strings.items[i]);
    corm_vector_clear(&compiled->strings);
    corm_vector_clear(&compiled->returned_keys);
    corm_node_unref(compiled->statement);
    corm_metadata_unref(compiled->metadata);
    corm_free(compiled->text);
    corm_free(compiled);
}

uint64_t corm_compiled_id(const corm_compiled *compiled) {
    return compiled->id;
}

uint32_t corm_compiled_flags(const corm_compiled *compiled) {
    return compiled->flags;
}

const corm_dialect *corm_compiled_dialect(const corm_compiled *compiled) {
    return compiled->dialect;
}

const char *corm_compiled_text(const corm_compiled *compiled, size_t *size) {
    if (size)
        *size = compiled->text_size;
    return compiled->text;
}

size_t corm_compiled_column_count(const corm_compiled *compiled) {
    return compiled->column_count;
}

const corm_result_column *corm_compiled_columns(const corm_compiled *compiled) {
    return compiled->columns;
}

size_t corm_compiled_parameter_count(const corm_compiled *compiled) {
    return compiled->slot_count;
}

const char *corm_compiled_parameter_name(const corm_compiled *compiled, size_t index) {
    return compiled->slots[index].name;
}

const corm_bind *corm_compiled_parameter_bind(const corm_compiled *compiled, size_t index) {
    const corm_node *bind = compiled->slots[index].bind;
    return bind ? corm_node_bind(bind) : NULL;
}

const corm_value *corm_compiled_parameter_value(const corm_compiled *compiled, size_t index) {
    static const corm_value absent = {0};
    const corm_node *bind = compiled->slots[index].bind;
    return bind ? &corm_node_bind(bind)->value : &absent;
}

const corm_type *corm_compiled_parameter_type(const corm_compiled *compiled, size_t index) {
    const corm_type *type = compiled->slots[index].type;
    return type ? type : corm_type_of_kind(CORM_TYPE_NULL);
}

corm_table *corm_compiled_insert_table(const corm_compiled *compiled) {
    return compiled->insert_table;
}

void corm_compiled_row(const corm_compiled *compiled, size_t *at, size_t *size) {
    /* "(?, ?)": each marker with a parenthesis or a comma and a space. */
    bool repeats = compiled->slot_count > 0 && compiled->row_size == compiled->slot_count * strlen("?, ");
    *at = repeats ? compiled->row_at : 0;
    *size = repeats ? compiled->row_size : 0;
}

size_t corm_compiled_returned_keys(const corm_compiled *compiled, corm_column *const **out) {
    *out = (corm_column *const *)(void *)compiled->returned_keys.items;
    return compiled->returned_keys.count;
}

/* ---- the compiler ---- */

static corm_status number_binds(corm_compiler *compiler, const corm_node *source) {
    corm_vector *binds = &compiler->statement_binds;
    corm_status status = corm_node_collect_binds(source, binds);
    for (size_t i = 0; i < binds->count && !status; i++) {
        void *known;
        if (!corm_pointer_map_get(&compiler->bind_index, binds->items[i], &known))
            status = corm_pointer_map_set(&compiler->bind_index, binds->items[i], (void *)(uintptr_t)(i + 1));
    }
    return status;
}

static corm_status open(corm_compiler *compiler, const corm_dialect *dialect, const corm_compile_options *options) {
    *compiler = (corm_compiler){.dialect = dialect};
    if (options)
        compiler->options = *options;
    compiler->out = &compiler->main;
    compiler->compiled = corm_calloc(1, sizeof *compiler->compiled);
    if (!compiler->compiled)
        return CORM_NO_MEMORY;
    atomic_init(&compiler->compiled->references, 1);
    compiler->compiled->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
    compiler->compiled->dialect = dialect;
    return CORM_OK;
}

static void output_clear(corm_sql_output *output) {
    corm_slots_clear(output->slots, output->count);
    corm_free(output->slots);
    corm_text_clear(&output->text);
}

static void shut(corm_compiler *compiler) {
    output_clear(&compiler->main);
    for (size_t i = 0; i < compiler->cte_count; i++)
        output_clear(&compiler->ctes[i].output);
    corm_free(compiler->ctes);
    for (size_t i = 0; i < compiler->all_labels.count; i++)
        corm_labels_free(compiler->all_labels.items[i]);
    corm_vector_clear(&compiler->all_labels);
    corm_vector_clear(&compiler->open_ctes);
    corm_vector_clear(&compiler->statement_binds);
    corm_pointer_map_clear(&compiler->bind_index);
    corm_pointer_map_clear(&compiler->names);
    corm_pointer_map_clear(&compiler->labels);
    corm_pointer_map_clear(&compiler->restated);
    name_counter *counter, *next;
    HASH_ITER(hh, compiler->counters, counter, next) {
        HASH_DEL(compiler->counters, counter);
        corm_free(counter->base);
        corm_free(counter);
    }
    corm_compiled_unref(compiler->compiled);
}

static void hold_table(corm_compiled *compiled, const corm_node *dml) {
    corm_table *table = corm_node_as_table(corm_dml_part_of(dml, CORM_DML_TABLE));
    if (!table)
        return;
    compiled->insert_table = table;
    compiled->metadata = corm_metadata_ref(table->metadata);
}

static corm_status compile_statement(corm_compiler *compiler, corm_node *statement) {
    corm_compiled *compiled = compiler->compiled;
    switch ((corm_node_kind)statement->kind) {
    case CORM_NODE_SELECT:
    case CORM_NODE_COMPOUND:
        compiled->flags |= CORM_COMPILED_SELECT | CORM_COMPILED_RETURNS_ROWS;
        return corm_compile_select(compiler, statement, SELECT_TOP);
    case CORM_NODE_INSERT:
        compiled->flags |= CORM_COMPILED_INSERT;
        hold_table(compiled, statement);
        return corm_compile_insert(compiler, statement);
    case CORM_NODE_UPDATE:
        compiled->flags |= CORM_COMPILED_UPDATE;
        return corm_compile_update(compiler, statement);
    case CORM_NODE_DELETE:
        compiled->flags |= CORM_COMPILED_DELETE;
        return corm_compile_delete(compiler, statement);
    case CORM_NODE_TEXT: {
        compiled->flags |= CORM_COMPILED_TEXT;
        corm_labels *labels;
        corm_status status = corm_compile_text(compiler, statement);
        if (!status)
            status = corm_compiler_labels(compiler, statement, false, &labels);
        if (status || !labels->count)
            return status;
        /* The columns are the user's word: recorded, not written. */
        size_t size = compiler->main.text.size;
        status = corm_compile_result_columns(compiler, labels, true);
        corm_text_truncate(&compiler->main.text, size);
        return status;
    }
    default:
        return corm_compile_expression(compiler, statement, CORM_OP_NONE, NULL);
    }
}

/* Move what was written to the compiled statement. */
static corm_status finish(corm_compiler *compiler, corm_node *statement) {
    corm_compiled *compiled = compiler->compiled;
    corm_status status = corm_compile_ctes(compiler);
    if (!status)
        status = corm_text_status(&compiler->main.text);
    if (!status)
        status = corm_number_markers(compiler, &compiler->main);
    if (status)
        return status;
    if (compiler->cte_count || compiler->options.for_people)
        compiled->row_size = 0; /* it stands elsewhere now */
    corm_text_append(&compiler->main.text, "");
    compiled->text = corm_text_take(&compiler->main.text, &compiled->text_size);
    if (!compiled->text && !(compiled->text = corm_strdup("")))
        return CORM_NO_MEMORY;
    compiled->slots = compiler->main.slots;
    compiled->slot_count = compiler->main.count;
    compiler->main.slots = NULL;
    compiler->main.count = 0;
    if (compiled->column_count)
        compiled->flags |= CORM_COMPILED_RETURNS_ROWS;
    if (!(statement->flags & CORM_NODE_UNCACHEABLE))
        compiled->flags |= CORM_COMPILED_CACHEABLE;
    compiled->statement = corm_node_ref(statement);
    return CORM_OK;
}

/* A name that is given by the user must not be one that the compiler gives. */
static corm_status check_names(const corm_compiler *compiler) {
    const corm_compiled *compiled = compiler->compiled;
    for (size_t i = 0; i < compiled->slot_count; i++) {
        const corm_slot *slot = &compiled->slots[i];
        if (!slot->bind || !corm_node_bind(slot->bind)->key)
            continue;
        for (size_t j = 0; j < compiled->slot_count; j++) {
            const corm_slot *other = &compiled->slots[j];
            if (other->bind && !corm_node_bind(other->bind)->key && strcmp(other->name, slot->name) == 0)
                return corm_error_set(CORM_COMPILE_ERROR,
                                      "Bind parameter '%s' conflicts with unique bind parameter of the same name",
                                      slot->name);
        }
    }
    return CORM_OK;
}

corm_status corm_compile(const corm_dialect *dialect, corm_node *statement, const corm_compile_options *options,
                         corm_compiled **out) {
    *out = NULL;
    if (!statement)
        return corm_error_last()->status ? corm_error_last()->status
                                         : corm_error_set(CORM_ARGUMENT_ERROR, "There is no statement to compile");
    corm_compiler compiler;
    corm_status status = open(&compiler, dialect ? dialect : corm_dialect_default(), options);
    if (!status)
        status = number_binds(&compiler, options && options->bind_source ? options->bind_source : statement);
    if (!status)
        status = compile_statement(&compiler, statement);
    if (!status)
        status = finish(&compiler, statement);
    if (!status)
        status = check_names(&compiler);
    if (!status) {
        *out = compiler.compiled;
        compiler.compiled = NULL;
    }
    shut(&compiler);
    return status;
}

corm_status corm_statement_render(const corm_dialect *dialect, corm_node *node, bool literal_binds, corm_text *out) {
    corm_compile_options options = {.literal_binds = literal_binds, .for_people = true};
    corm_compiled *compiled;
    corm_status status = corm_compile(dialect, node, &options, &compiled);
    if (status)
        return status;
    corm_text_append_bytes(out, compiled->text, compiled->text_size);
    corm_compiled_unref(compiled);
    return corm_text_status(out);
}

corm_status corm_compile_fragment(const corm_dialect *dialect, corm_node *node, bool plain_columns, corm_text *out) {
    corm_compiler compiler;
    corm_status status = open(&compiler, dialect, NULL);
    if (!status) {
        compiler.plain_columns = plain_columns;
        compiler.as_literals = true;
        status = corm_compile_expression(&compiler, node, CORM_OP_NONE, NULL);
    }
    if (!status)
        status = corm_text_status(&compiler.main.text);
    if (!status)
        corm_text_append_bytes(out, compiler.main.text.data ? compiler.main.text.data : "", compiler.main.text.size);
    shut(&compiler);
    return status ? status : corm_text_status(out);
}
