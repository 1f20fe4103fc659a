/* Parameters in the text: which value goes where, and how it is written. */
#include <string.h>

#include "compile/compiler_private.h"

void corm_slots_clear(corm_slot *slots, size_t count) {
    for (size_t i = 0; i < count; i++) {
        corm_node_unref(slots[i].bind);
        corm_node_unref(slots[i].column);
        corm_type_unref(slots[i].type);
    }
}

static corm_slot *add_slot(corm_compiler *compiler) {
    corm_sql_output *out = compiler->out;
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? out->capacity * 2 : 8;
        corm_slot *slots = corm_realloc_array(out->slots, capacity, sizeof *slots);
        if (!slots)
            return NULL;
        out->slots = slots;
        out->capacity = capacity;
    }
    corm_slot *slot = &out->slots[out->count++];
    *slot = (corm_slot){.offset = out->text.size};
    return slot;
}

/* Write the marker of a slot. Numbers are given when all are in their places: see corm_number_markers(). */
static corm_status write_marker(corm_compiler *compiler, corm_slot *slot) {
    const corm_dialect *dialect = compiler->dialect;
    corm_text *text = &compiler->out->text;
    if (slot->expanding) {
        corm_text_append_format(text, "__[POSTCOMPILE_%s]", slot->name);
        compiler->compiled->flags |= CORM_COMPILED_EXPANDING;
    } else if (dialect->paramstyle == CORM_PARAMSTYLE_QMARK ||
               (dialect->paramstyle == CORM_PARAMSTYLE_FORMAT && !compiler->options.for_people)) {
        corm_text_append_char(text, '?');
    } else if (dialect->paramstyle == CORM_PARAMSTYLE_FORMAT) {
        corm_text_append(text, "%s");
    } else if (dialect->paramstyle == CORM_PARAMSTYLE_NAMED) {
        corm_text_append_format(text, ":%s", slot->name);
    } else if (compiler->options.for_people) {
        corm_text_append_format(text, "%%(%s)s", slot->name);
    } else {
        corm_text_append_char(text, '$');
    }
    slot->size = text->size - slot->offset;
    corm_status status = CORM_OK;
    if (!slot->expanding && slot->type && dialect->bind_cast)
        status = dialect->bind_cast(slot->type, compiler->options.for_people, text);
    return status ? status : corm_text_status(text);
}

/* Copy a piece of text; where people get parameters as %s or %(name)s, a percent sign is written twice. */
static void copy_piece(const char *piece, size_t size, bool doubles, corm_text *out) {
    const char *sign = doubles ? memchr(piece, '%', size) : NULL;
    while (sign) {
        size_t part = (size_t)(sign - piece) + 1;
        corm_text_append_bytes(out, piece, part);
        corm_text_append_char(out, '%');
        piece += part;
        size -= part;
        sign = memchr(piece, '%', size);
    }
    corm_text_append_bytes(out, piece, size);
}

corm_status corm_number_markers(const corm_compiler *compiler, corm_sql_output *output) {
    bool for_people = compiler->options.for_people;
    corm_text numbered = CORM_TEXT_EMPTY;
    const char *from = output->text.data;
    size_t at = 0;
    bool is_numbered = compiler->dialect->paramstyle == CORM_PARAMSTYLE_NUMERIC;
    if (!from || !(is_numbered || (compiler->dialect->paramstyle == CORM_PARAMSTYLE_FORMAT && for_people)))
        return CORM_OK;
    for (size_t i = 0; i < output->count; i++) {
        corm_slot *slot = &output->slots[i];
        copy_piece(from + at, slot->offset - at, for_people, &numbered);
        at = slot->offset + slot->size;
        size_t offset = numbered.size;
        if (for_people || slot->expanding)
            corm_text_append_bytes(&numbered, from + slot->offset, slot->size);
        else
            corm_text_append_format(&numbered, "$%zu", i + 1);
        slot->offset = offset;
        slot->size = numbered.size - offset;
    }
    copy_piece(from + at, output->text.size - at, for_people, &numbered);
    corm_text_clear(&output->text);
    output->text = numbered;
    return corm_text_status(&output->text);
}

/* The type that the database has for it; and the marker. */
static corm_status set_type(corm_compiler *compiler, corm_slot *slot, corm_type *type) {
    corm_type *adapted = corm_type_adapted(type, compiler->dialect->name);
    if (type && !adapted)
        return corm_error_last()->status;
    slot->type = corm_type_ref(adapted);
    slot->convert = type ? compiler->dialect->bind_converter(adapted) : NULL;
    return write_marker(compiler, slot);
}

/* ---- literals ---- */

static corm_status write_literal(corm_compiler *compiler, const corm_type *type, const corm_value *value) {
    return corm_dialect_literal(compiler->dialect, type, value, &compiler->out->text);
}

static corm_status write_literal_list(corm_compiler *compiler, const corm_bind *bind) {
    const corm_type *type = corm_node_type(&bind->node);
    corm_text *text = &compiler->out->text;
    bool tuples = bind->node.detail & CORM_BIND_TUPLES;
    if (!bind->item_count) {
        corm_empty_set(compiler->dialect, bind->item_width, compiler->negates_list, text);
        return corm_text_status(text);
    }
    if (tuples && compiler->dialect->tuples_in_values)
        corm_text_append(text, "VALUES ");
    for (size_t i = 0; i < bind->item_count; i++) {
        bool first = i % bind->item_width == 0;
        if (i)
            corm_text_append(text, first && tuples ? "), " : ", ");
        if (tuples && first)
            corm_text_append_char(text, '(');
        corm_status status = write_literal(
            compiler, type->kind == CORM_TYPE_NULL ? corm_type_of_value(&bind->items[i]) : type, &bind->items[i]);
        if (status)
            return status;
    }
    if (tuples)
        corm_text_append_char(text, ')');
    return corm_text_status(text);
}

static corm_status write_bind_literal(corm_compiler *compiler, const corm_bind *bind, const corm_type *type) {
    if (bind->node.detail & CORM_BIND_EXPANDING)
        return write_literal_list(compiler, bind);
    corm_value value = bind->value;
    if (bind->evaluate) {
        corm_status status = bind->evaluate(bind->context, &value);
        if (status)
            return status;
    }
    corm_status status;
    if (value.kind == CORM_KIND_ABSENT)
        status = corm_error_set(CORM_COMPILE_ERROR, "Bind parameter '%s' without a renderable value not allowed here.",
                                bind->key ? bind->key : "anonymous");
    else
        status = write_literal(compiler, type->kind == CORM_TYPE_NULL ? corm_type_of_value(&value) : type, &value);
    if (bind->evaluate && value.owned)
        corm_value_clear(&value);
    return status;
}

/* ---- binds ---- */

/* What an anonymous bind is named after: what it is compared with. */
static const char *name_base(const corm_bind *bind, const corm_node *beside) {
    if (bind->hint)
        return bind->hint;
    if (!(bind->node.detail & CORM_BIND_COMPARED) || !beside)
        return "param";
    switch ((corm_node_kind)beside->kind) {
    case CORM_NODE_COLUMN:
    case CORM_NODE_COLUMN_OF:
    case CORM_NODE_FUNCTION:
    case CORM_NODE_EXTENSION: {
        const char *name = corm_node_display_name(beside);
        return name && *name ? name : "param";
    }
    case CORM_NODE_LITERAL_COLUMN:
        return beside->detail & CORM_LITERAL_QUOTED ? corm_node_display_name(beside) : "param";
    default:
        return "param";
    }
}

static void find_source(corm_compiler *compiler, corm_slot *slot, corm_node *bind) {
    void *index;
    slot->bind = corm_node_ref(bind);
    if (corm_pointer_map_get(&compiler->bind_index, bind, &index)) {
        slot->source = SLOT_BIND;
        slot->index = (size_t)(uintptr_t)index - 1;
    } else {
        slot->source = SLOT_CONSTANT;
    }
}

static bool wants_literal(const corm_compiler *compiler, const corm_node *bind) {
    return compiler->options.literal_binds || compiler->as_literals || bind->detail & CORM_BIND_LITERAL;
}

corm_status corm_compiler_bind(corm_compiler *compiler, corm_node *node, const corm_node *beside) {
    const corm_bind *bind = corm_node_bind(node);
    if (wants_literal(compiler, node))
        return write_bind_literal(compiler, bind, corm_node_type(node));
    const char *name = bind->key ? corm_compiler_keep_copy(compiler, bind->key)
                                 : corm_compiler_anonymous(compiler, node, name_base(bind, beside));
    corm_slot *slot = name ? add_slot(compiler) : NULL;
    if (!slot)
        return CORM_NO_MEMORY;
    slot->name = name;
    slot->by_name = bind->key != NULL;
    slot->expanding = node->detail & CORM_BIND_EXPANDING;
    slot->negated = compiler->negates_list;
    find_source(compiler, slot, node);
    return set_type(compiler, slot, node->type);
}

static const char *column_slot_name(corm_compiler *compiler, const corm_column *column, const char *suffix) {
    corm_text text = CORM_TEXT_EMPTY;
    corm_text_append(&text, column->key);
    corm_text_append(&text, suffix);
    return corm_compiler_keep(compiler, corm_text_take(&text, NULL));
}

corm_status corm_compiler_column_value(corm_compiler *compiler, corm_column *column, corm_node *value,
                                       const char *suffix) {
    bool plain = value->kind == CORM_NODE_BIND && !(value->detail & CORM_BIND_EXPANDING) && !corm_node_bind(value)->key;
    corm_node *column_node = corm_column_node(column);
    if (!plain)
        return corm_compile_expression(compiler, value, ALWAYS, column_node);
    corm_type *type = corm_column_type(column);
    if (type->kind == CORM_TYPE_NULL)
        type = corm_node_type(value);
    if (wants_literal(compiler, value))
        return write_bind_literal(compiler, corm_node_bind(value), type);
    const char *name = column_slot_name(compiler, column, suffix);
    corm_slot *slot = name ? add_slot(compiler) : NULL;
    if (!slot)
        return CORM_NO_MEMORY;
    slot->name = name;
    slot->by_name = true;
    find_source(compiler, slot, value);
    return set_type(compiler, slot, type);
}

corm_status corm_compiler_named_slot(corm_compiler *compiler, corm_column *column, const char *suffix,
                                     const corm_default *callable) {
    const char *name = column_slot_name(compiler, column, suffix);
    corm_slot *slot = name ? add_slot(compiler) : NULL;
    if (!slot)
        return CORM_NO_MEMORY;
    slot->name = name;
    slot->by_name = true;
    slot->source = callable ? SLOT_CALLABLE : SLOT_NAMED;
    slot->callable = callable ? callable->callable : NULL;
    slot->column = corm_node_ref(corm_column_node(column));
    return set_type(compiler, slot, corm_column_type(column));
}

corm_status corm_compiler_number(corm_compiler *compiler, int64_t number) {
    corm_value value = corm_value_integer(number);
    corm_node *bind = corm_bind_new(&value, NULL);
    if (!bind)
        return corm_error_last()->status;
    corm_status status = corm_vector_push(&compiler->compiled->owned, bind);
    if (status) {
        corm_node_unref(bind);
        return status;
    }
    return corm_compiler_bind(compiler, bind, NULL);
}
