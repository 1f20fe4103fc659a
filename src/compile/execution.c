/*
 * The values of one execution, and the text for them where it depends on the lengths of lists.
 *
 * Plain values pass through without copies; converted ones live in the execution's scratch memory. The text of the last
 * execution is kept and used again as long as the lists have the same lengths.
 */
#include <string.h>

#include "compile/compiler_private.h"

static corm_compile_host compile_host;

void corm_compile_host_set(const corm_compile_host *host) {
    compile_host = host ? *host : (corm_compile_host){0};
}

/* ---- converting ---- */

/* Kinds that every driver takes as they are. */
static bool is_plain(const corm_value *value) {
    return value->kind <= CORM_KIND_BYTES && value->kind != CORM_KIND_BOOLEAN;
}

/* A HOST value, or one whose type is the host's, becomes a plain one: owned or not. */
static corm_status to_plain(const corm_type *type, const corm_value *in, corm_value *out, corm_scratch *scratch) {
    *out = *in;
    out->owned = false;
    if (in->kind != CORM_KIND_HOST && (in->stored || !type || !type->host))
        return CORM_OK;
    if (compile_host.convert) {
        corm_status status = compile_host.convert(type ? type : corm_type_of_kind(CORM_TYPE_NULL), in, out, scratch);
        out->stored = type && type->host;
        return status;
    }
    return in->kind == CORM_KIND_HOST
               ? corm_error_set(CORM_STATEMENT_ERROR, "An object was given as a parameter, but nobody can convert it")
               : CORM_OK;
}

/* The dialect's conversion of a plain value, which it takes over. */
static corm_status convert_plain(const corm_dialect *dialect, const corm_type *type, corm_convert_bind converter,
                                 corm_value plain, corm_value *out, corm_scratch *scratch) {
    if (plain.kind == CORM_KIND_DECIMAL && plain.form == CORM_FORM_INTEGER && !dialect->has_big_integers) {
        corm_value_clear(&plain);
        return corm_error_set(CORM_OVERFLOW_ERROR, "Python int too large to convert to SQLite INTEGER");
    }
    if (!converter && !is_plain(&plain))
        converter = dialect->bind_converter(corm_type_of_value(&plain));
    if (!converter || plain.kind == CORM_KIND_NULL) {
        *out = plain;
        return CORM_OK;
    }
    *out = CORM_ABSENT_VALUE;
    corm_status status = converter(type ? type : corm_type_of_kind(CORM_TYPE_NULL), &plain, out, scratch);
    if (!plain.owned)
        return status;
    /* What was converted may still point into the owned value: it goes over into the scratch. */
    bool borrows = !status &&
                   (out->kind == CORM_KIND_TEXT || out->kind == CORM_KIND_BYTES || out->kind == CORM_KIND_DECIMAL) &&
                   !out->owned;
    if (borrows) {
        char *copy = corm_scratch_alloc(scratch, out->as.text.size);
        if (copy && out->as.text.size)
            memcpy(copy, out->as.text.data, out->as.text.size);
        out->as.text.data = copy;
        if (!copy)
            status = CORM_NO_MEMORY;
    }
    corm_value_clear(&plain);
    return status;
}

static corm_status convert(const corm_dialect *dialect, const corm_type *type, corm_convert_bind converter,
                           const corm_value *in, corm_value *out, corm_scratch *scratch) {
    corm_value plain;
    corm_status status = to_plain(type, in, &plain, scratch);
    return status ? status : convert_plain(dialect, type, converter, plain, out, scratch);
}

static const corm_type *adapted(const corm_dialect *dialect, const corm_type *type) {
    return corm_type_adapted((corm_type *)(uintptr_t)type, dialect->name);
}

corm_status corm_convert_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *in,
                                 corm_value *out, corm_scratch *scratch) {
    corm_value plain;
    const corm_type *base = type;
    type = adapted(dialect, base);
    corm_status status = base && !type ? corm_error_last()->status : to_plain(type, in, &plain, scratch);
    if (status)
        return status;
    if (plain.kind == CORM_KIND_NULL || plain.kind == CORM_KIND_DECIMAL || plain.kind == CORM_KIND_BOOLEAN ||
        (plain.kind == CORM_KIND_INTEGER && type && corm_type_is_number(type))) {
        *out = plain;
        return CORM_OK;
    }
    return convert_plain(dialect, type, type ? dialect->bind_converter(type) : NULL, plain, out, scratch);
}

corm_status corm_convert_parameter(const corm_dialect *dialect, const corm_type *type, const corm_value *in,
                                   corm_value *out, corm_scratch *scratch) {
    const corm_type *base = type;
    type = adapted(dialect, base);
    if (base && !type)
        return corm_error_last()->status;
    return convert(dialect, type, type ? dialect->bind_converter(type) : NULL, in, out, scratch);
}

/* ---- finding values ---- */

/* What a slot gets in this execution: one value, or a list. */
typedef struct source {
    const corm_value *value;
    const corm_value *items;
    size_t count;
    size_t width;
    bool named;           /* by the execution's named values, which are not there for longer than the call */
    corm_value evaluated; /* by a callback: owned, perhaps */
} source;

static bool find_named(const corm_named_values *values, const corm_slot *slot, source *out) {
    for (size_t i = 0; values && i < values->count; i++) {
        if (strcmp(values->names[i], slot->name) != 0)
            continue;
        bool is_list = values->lists && values->lists[i];
        out->named = true;
        if (is_list && (slot->expanding || values->values[i].kind == CORM_KIND_ABSENT)) {
            out->items = values->lists[i];
            out->count = values->list_counts[i];
        } else {
            out->value = &values->values[i];
        }
        return true;
    }
    return false;
}

static corm_status from_bind(const corm_slot *slot, const corm_bind *bind, source *out) {
    out->width = bind->item_width;
    if (slot->expanding && !bind->evaluate) {
        if (bind->node.detail & CORM_BIND_REQUIRED)
            return corm_error_set(CORM_STATEMENT_ERROR, "A value is required for bind parameter '%s'", slot->name);
        out->items = bind->items;
        out->count = bind->item_count;
        return CORM_OK;
    }
    if (bind->evaluate) {
        corm_status status = bind->evaluate(bind->context, &out->evaluated);
        out->value = &out->evaluated;
        return status;
    }
    if (bind->value.kind == CORM_KIND_ABSENT)
        return corm_error_set(CORM_STATEMENT_ERROR, "A value is required for bind parameter '%s'", slot->name);
    out->value = &bind->value;
    return CORM_OK;
}

static corm_status find_source(const corm_compiled *compiled, const corm_slot *slot, const corm_vector *binds,
                               const corm_named_values *values, source *out) {
    *out = (source){.width = slot->bind ? corm_node_bind(slot->bind)->item_width : 1};
    if (slot->by_name && find_named(values, slot, out))
        return CORM_OK;
    switch (slot->source) {
    case SLOT_BIND:
        if (!binds || slot->index >= binds->count)
            return corm_error_set(CORM_STATEMENT_ERROR, "The statement's values were not given for parameter '%s'",
                                  slot->name);
        return from_bind(slot, corm_node_bind(binds->items[slot->index]), out);
    case SLOT_CONSTANT:
        return from_bind(slot, corm_node_bind(slot->bind), out);
    case SLOT_NAMED:
        return corm_error_set(CORM_STATEMENT_ERROR, "A value is required for bind parameter '%s'", slot->name);
    case SLOT_CALLABLE:
        if (!compile_host.call_default)
            return corm_error_set(CORM_STATEMENT_ERROR, "Nobody can call the default of column '%s'", slot->name);
        out->value = &out->evaluated;
        return compile_host.call_default(slot->callable, &(corm_default_call){compiled, binds, values},
                                         &out->evaluated);
    }
    return CORM_OK;
}

corm_status corm_default_call_value(const corm_default_call *call, size_t index, corm_value *out) {
    const corm_slot *slot = &call->compiled->slots[index];
    source from;
    *out = CORM_ABSENT_VALUE;
    if (slot->source == SLOT_CALLABLE && !(slot->by_name && find_named(call->values, slot, &from)))
        return CORM_OK;
    if (slot->bind && corm_node_bind(slot->bind)->evaluate)
        return CORM_OK;
    corm_status status = find_source(call->compiled, slot, call->binds, call->values, &from);
    if (!status && from.value)
        *out = *from.value;
    return status;
}

/* ---- the execution ---- */

static void clear_values(corm_execution *execution) {
    for (size_t i = 0; i < execution->count; i++) {
        if (execution->values[i].owned)
            corm_value_clear(&execution->values[i]);
    }
    execution->count = 0;
}

void corm_execution_clear(corm_execution *execution) {
    clear_values(execution);
    corm_free(execution->values);
    corm_text_clear(&execution->expanded);
    corm_scratch_clear(&execution->scratch);
    corm_free(execution->lengths);
    corm_compiled_unref(execution->expanded_of);
    *execution = CORM_EXECUTION_EMPTY;
}

static corm_status reserve(corm_execution *execution, size_t more) {
    size_t needed = execution->count + more;
    if (needed < more)
        return corm_error_no_memory();
    if (needed <= execution->capacity)
        return CORM_OK;
    size_t capacity = execution->capacity ? execution->capacity : 16;
    while (capacity < needed) {
        if (capacity > SIZE_MAX / 2)
            return corm_error_no_memory();
        capacity *= 2;
    }
    corm_value *values = corm_realloc_array(execution->values, capacity, sizeof *values);
    if (!values)
        return CORM_NO_MEMORY;
    execution->values = values;
    execution->capacity = capacity;
    return CORM_OK;
}

static corm_status add_value(corm_execution *execution, const corm_compiled *compiled, const corm_slot *slot,
                             const corm_value *value) {
    corm_value *place = &execution->values[execution->count];
    if (!slot->convert && is_plain(value) && !(slot->type && slot->type->host)) {
        *place = *value;
        place->owned = false;
        execution->count++;
        return CORM_OK;
    }
    if (value->kind == CORM_KIND_NULL && !(slot->type && slot->type->host)) {
        *place = CORM_NULL_VALUE;
        execution->count++;
        return CORM_OK;
    }
    corm_status status = convert(compiled->dialect, slot->type, slot->convert, value, place, &execution->scratch);
    if (!status)
        execution->count++;
    return status;
}

/* A value that a callback gave stays with the execution. */
static corm_status add_evaluated(corm_execution *execution, const corm_compiled *compiled, const corm_slot *slot,
                                 source *from) {
    corm_status status = add_value(execution, compiled, slot, &from->evaluated);
    if (!from->evaluated.owned)
        return status;
    corm_value *place = status ? NULL : &execution->values[execution->count - 1];
    bool points =
        place && !place->owned &&
        (place->kind == CORM_KIND_TEXT || place->kind == CORM_KIND_BYTES || place->kind == CORM_KIND_DECIMAL) &&
        place->as.text.data == from->evaluated.as.text.data && from->evaluated.kind != CORM_KIND_HOST;
    if (points)
        place->owned = true;
    else
        corm_value_clear(&from->evaluated);
    return status;
}

/* Rows are read after the call: what the values point to is kept with the execution. */
static corm_status keep_value(corm_execution *execution, const corm_value *given) {
    corm_value *place = &execution->values[execution->count - 1];
    bool points = (given->kind == CORM_KIND_TEXT || given->kind == CORM_KIND_BYTES) && place->kind == given->kind &&
                  !place->owned && place->as.text.data == given->as.text.data && place->as.text.size;
    if (!points)
        return CORM_OK;
    char *copy = corm_scratch_alloc(&execution->scratch, place->as.text.size);
    if (!copy)
        return CORM_NO_MEMORY;
    memcpy(copy, place->as.text.data, place->as.text.size);
    place->as.text.data = copy;
    return CORM_OK;
}

static corm_status add_given(corm_execution *execution, const corm_compiled *compiled, const corm_slot *slot,
                             const source *from, const corm_value *value) {
    corm_status status = add_value(execution, compiled, slot, value);
    if (!status && from->named && (compiled->flags & (CORM_COMPILED_RETURNS_ROWS | CORM_COMPILED_TEXT)))
        status = keep_value(execution, value);
    return status;
}

static corm_status add_source(corm_execution *execution, const corm_compiled *compiled, const corm_slot *slot,
                              source *from) {
    corm_status status = reserve(execution, from->value ? 1 : from->count);
    if (status) {
        corm_value_clear(&from->evaluated);
        return status;
    }
    if (from->value == &from->evaluated)
        return add_evaluated(execution, compiled, slot, from);
    if (from->value)
        return add_given(execution, compiled, slot, from, from->value);
    for (size_t i = 0; i < from->count && !status; i++)
        status = add_given(execution, compiled, slot, from, &from->items[i]);
    return status;
}

/* ---- the text for lists ---- */

/* One parameter; number: how many there are before it. */
static corm_status write_parameter(const corm_dialect *dialect, const corm_type *type, size_t number, corm_text *out) {
    if (dialect->paramstyle == CORM_PARAMSTYLE_NUMERIC)
        corm_text_append_format(out, "$%zu", number + 1);
    else
        corm_text_append_char(out, '?');
    return type && dialect->bind_cast ? dialect->bind_cast(type, false, out) : CORM_OK;
}

static corm_status write_list(const corm_compiled *compiled, const corm_slot *slot, size_t count, size_t number,
                              corm_text *out) {
    size_t width = slot->bind ? corm_node_bind(slot->bind)->item_width : 1;
    const corm_type *type = width > 1 ? NULL : slot->type;
    corm_status status = CORM_OK;
    if (!count) {
        corm_empty_set(compiled->dialect, (uint32_t)width, slot->negated, out);
        return CORM_OK;
    }
    if (width > 1 && compiled->dialect->tuples_in_values)
        corm_text_append(out, "VALUES ");
    for (size_t i = 0; i < count && !status; i++) {
        if (width > 1 && i % width == 0)
            corm_text_append(out, i ? "), (" : "(");
        else if (i)
            corm_text_append(out, ", ");
        status = write_parameter(compiled->dialect, type, number + i, out);
    }
    if (width > 1)
        corm_text_append_char(out, ')');
    return status;
}

static bool same_lengths(corm_execution *execution, const size_t *lengths, size_t count) {
    return execution->length_count == count &&
           (!count || memcmp(execution->lengths, lengths, count * sizeof *lengths) == 0);
}

/* Write the text for lists of these lengths, one for each expanding slot, unless it is there already. */
static corm_status expand(corm_execution *execution, corm_compiled *compiled, const size_t *lengths, size_t count) {
    if (execution->expanded_of == compiled && same_lengths(execution, lengths, count))
        return CORM_OK;
    corm_text *out = &execution->expanded;
    corm_compiled_unref(execution->expanded_of);
    execution->expanded_of = NULL;
    size_t *kept = corm_realloc_array(execution->lengths, count ? count : 1, sizeof *kept);
    if (!kept)
        return CORM_NO_MEMORY;
    execution->lengths = kept;
    execution->length_count = count;
    if (count)
        memcpy(kept, lengths, count * sizeof *kept);
    corm_text_clear(out);
    size_t at = 0, list = 0, number = 0;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < compiled->slot_count && !status; i++) {
        const corm_slot *slot = &compiled->slots[i];
        corm_text_append_bytes(out, compiled->text + at, slot->offset - at);
        at = slot->offset + slot->size;
        if (slot->expanding) {
            status = write_list(compiled, slot, lengths[list], number, out);
            number += lengths[list++];
        } else {
            status = write_parameter(compiled->dialect, NULL, number++, out);
        }
    }
    corm_text_append_bytes(out, compiled->text + at, compiled->text_size - at);
    if (!status)
        status = corm_text_status(out);
    if (!status)
        execution->expanded_of = corm_compiled_ref(compiled);
    return status;
}

static uint64_t shape_of(const size_t *lengths, size_t count) {
    uint64_t shape = 0;
    for (size_t i = 0; i < count; i++)
        shape = corm_hash_mix(shape, lengths[i] + 1);
    return shape;
}

static corm_status prepare_values(corm_execution *execution, corm_compiled *compiled, const corm_vector *binds,
                                  const corm_named_values *values, size_t *lengths) {
    size_t list = 0;
    for (size_t i = 0; i < compiled->slot_count; i++) {
        const corm_slot *slot = &compiled->slots[i];
        source from;
        corm_status status = find_source(compiled, slot, binds, values, &from);
        if (status)
            return status;
        if (slot->expanding) {
            size_t count = from.value ? 1 : from.count;
            if (from.width > 1 && count % from.width)
                return corm_error_set(CORM_STATEMENT_ERROR, "Parameter '%s' needs tuples of %zu values", slot->name,
                                      from.width);
            lengths[list++] = count;
        } else if (!from.value) {
            return corm_error_set(CORM_STATEMENT_ERROR, "A list was given for parameter '%s', which is not one of IN",
                                  slot->name);
        }
        status = add_source(execution, compiled, slot, &from);
        if (status)
            return status;
    }
    return CORM_OK;
}

corm_status corm_execution_prepare(corm_execution *execution, corm_compiled *compiled, const corm_vector *binds,
                                   const corm_named_values *values) {
    clear_values(execution);
    if (execution->scratch.blocks)
        corm_scratch_reset(&execution->scratch);
    corm_status status = reserve(execution, compiled->slot_count);
    if (status)
        return status;
    if (!(compiled->flags & CORM_COMPILED_EXPANDING)) {
        execution->sql = compiled->text;
        execution->sql_size = compiled->text_size;
        execution->shape = 0;
        return prepare_values(execution, compiled, binds, values, NULL);
    }
    size_t lists = 0;
    for (size_t i = 0; i < compiled->slot_count; i++)
        lists += compiled->slots[i].expanding;
    size_t few[8];
    size_t *lengths = lists <= 8 ? few : corm_alloc_array(lists, sizeof *lengths);
    if (!lengths)
        return CORM_NO_MEMORY;
    status = prepare_values(execution, compiled, binds, values, lengths);
    if (!status)
        status = expand(execution, compiled, lengths, lists);
    if (!status) {
        execution->sql = execution->expanded.data;
        execution->sql_size = execution->expanded.size;
        execution->shape = shape_of(lengths, lists);
    }
    if (lengths != few)
        corm_free(lengths);
    return status;
}
