/*
 * FROM: which FROMs a select has, how its joins fall into place, what enclosing statements give, and how they are
 * written.
 */
#include "compile/compiler_private.h"
#include "sql/select.h"
#include "sql/walk.h"

static corm_status add_once(corm_vector *out, corm_node *from) {
    return corm_vector_contains(out, from) ? CORM_OK : corm_vector_push(out, from);
}

/* ---- what expressions mention ---- */

typedef struct mention {
    corm_vector *out;
    corm_status status;
    const corm_node *last;
} mention;

static corm_walk_action visit(void *context, corm_node *node) {
    mention *found = context;
    corm_node *from = NULL;
    switch ((corm_node_kind)node->kind) {
    case CORM_NODE_COLUMN:
        from = corm_table_node(corm_node_as_column(node)->table);
        break;
    case CORM_NODE_COLUMN_OF:
        from = corm_node_child(node, 0);
        break;
    case CORM_NODE_TABLE:
    case CORM_NODE_ALIAS:
    case CORM_NODE_JOIN:
        from = node;
        break;
    case CORM_NODE_SCALAR_SUBQUERY:
    case CORM_NODE_SELECT:
    case CORM_NODE_COMPOUND:
    case CORM_NODE_TEXT:
        return CORM_WALK_OVER;
    default:
        return CORM_WALK_INTO;
    }
    if (from && from != found->last && !found->status) {
        found->last = from;
        found->status = add_once(found->out, from);
    }
    return found->status ? CORM_WALK_STOP : CORM_WALK_OVER;
}

corm_status corm_mentioned_froms(corm_node *node, corm_vector *out) {
    if (!node)
        return CORM_OK;
    mention found = {.out = out};
    corm_status status = corm_node_walk(node, visit, &found);
    return status ? status : found.status;
}

/* All that a FROM is made of: itself, and for a join both sides. */
static corm_status add_members(corm_vector *out, corm_node *from) {
    for (;;) {
        corm_status status = add_once(out, from);
        if (status || from->kind != CORM_NODE_JOIN)
            return status;
        status = add_members(out, corm_join_right(from));
        if (status)
            return status;
        from = corm_join_left(from);
    }
}

corm_status corm_frame_add(corm_frame *frame, corm_node *from) {
    return add_members(&frame->froms, from);
}

static bool has_member(corm_node *from, const corm_node *sought) {
    for (;;) {
        if (from == sought)
            return true;
        if (from->kind != CORM_NODE_JOIN)
            return false;
        if (has_member(corm_join_right(from), sought))
            return true;
        from = corm_join_left(from);
    }
}

/* ---- joins of a select ---- */

/* Which of the FROMs can a join start from? Appends their numbers (as pointers). */
static corm_status find_left_sides(const corm_vector *froms, corm_node *right, corm_node *on, corm_vector *out) {
    corm_vector needed = {0};
    corm_status status = CORM_OK;
    bool ambiguous = froms->count > 1 && on;
    if (ambiguous)
        status = corm_mentioned_froms(on, &needed);
    for (size_t i = 0; i < froms->count && !status; i++) {
        corm_node *from = froms->items[i];
        if (from == right)
            continue;
        bool fits = true;
        if (ambiguous && needed.count) {
            for (size_t j = 0; j < needed.count && fits; j++)
                fits = has_member(from, needed.items[j]) || has_member(right, needed.items[j]);
        } else if (!on) {
            fits = corm_can_join(from, right);
        }
        if (fits)
            status = corm_vector_push(out, (void *)(uintptr_t)i);
    }
    /* An ON clause that names none of them could be of any. */
    if (!status && !out->count && on) {
        for (size_t i = 0; i < froms->count && !status; i++)
            status = corm_vector_push(out, (void *)(uintptr_t)i);
    }
    corm_vector_clear(&needed);
    return status;
}

static corm_status no_left_side(const corm_node *right, bool many) {
    const char *name = corm_node_display_name(right);
    if (many)
        return corm_error_set(
            CORM_INVALID_REQUEST,
            "Can't determine which FROM clause to join from, there are multiple FROMS which can join "
            "to this entity. Please use the .select_from() method to establish an explicit left side, "
            "as well as providing an explicit ON clause if not present already to help resolve the "
            "ambiguity.");
    return corm_error_set(
        CORM_INVALID_REQUEST,
        "Don't know how to join to '%s'. Please use the .select_from() method to establish an explicit "
        "left side, as well as providing an explicit ON clause if not present already to help resolve "
        "the ambiguity.",
        name ? name : corm_node_kind_name(right));
}

/* Find the left side of one join among the FROMs so far, or, when there are none, among what is mentioned. *place is
 * froms->count when the left side is not among them. */
static corm_status find_left(corm_node *select, const corm_vector *froms, const corm_node *join, corm_node **left,
                             size_t *place) {
    corm_node *given = corm_join_left(join);
    *place = froms->count;
    *left = given;
    if (given) {
        for (size_t i = 0; i < froms->count; i++) {
            if (has_member(froms->items[i], given)) {
                *left = froms->items[i];
                *place = i;
                break;
            }
        }
        return CORM_OK;
    }
    corm_vector mentioned = {0};
    corm_vector sides = {0};
    const corm_vector *among = froms;
    corm_status status = CORM_OK;
    if (!froms->count) {
        status = corm_mentioned_froms(corm_select_part_of(select, CORM_SELECT_COLUMNS), &mentioned);
        if (!status)
            status = corm_mentioned_froms(corm_select_part_of(select, CORM_SELECT_WHERE), &mentioned);
        among = &mentioned;
    }
    if (!status)
        status = find_left_sides(among, corm_join_right(join), corm_join_on(join), &sides);
    if (!status && sides.count != 1)
        status = no_left_side(corm_join_right(join), sides.count > 1);
    if (!status) {
        size_t index = (size_t)(uintptr_t)sides.items[0];
        *left = among->items[index];
        if (among == froms)
            *place = index;
    }
    corm_vector_clear(&mentioned);
    corm_vector_clear(&sides);
    return status;
}

static corm_status add_join(corm_node *select, corm_node *join, corm_vector *froms) {
    corm_node *left;
    size_t place;
    corm_status status = find_left(select, froms, join, &left, &place);
    if (status)
        return status;
    corm_node *made = corm_join_new(left, corm_join_right(join), corm_join_on(join), join->detail);
    if (!made)
        return corm_error_last()->status;
    if (place < froms->count) {
        corm_node_unref(froms->items[place]);
        froms->items[place] = made;
        return CORM_OK;
    }
    status = corm_vector_push(froms, made);
    if (status)
        corm_node_unref(made);
    return status;
}

/* ---- the FROMs of a select ---- */

static corm_status push_ref_once(corm_vector *froms, corm_node *from) {
    if (corm_vector_contains(froms, from))
        return CORM_OK;
    corm_status status = corm_vector_push(froms, from);
    if (!status)
        corm_node_ref(from);
    return status;
}

/* A FROM that is part of a join stands there only. */
static void hide_members(corm_vector *froms) {
    for (size_t i = froms->count; i-- > 0;) {
        corm_node *from = froms->items[i];
        for (size_t j = 0; j < froms->count; j++) {
            corm_node *other = froms->items[j];
            if (j != i && other->kind == CORM_NODE_JOIN && has_member(other, from)) {
                corm_node_unref(from);
                corm_vector_remove(froms, i);
                break;
            }
        }
    }
}

corm_status corm_select_froms(corm_compiler *compiler, corm_node *select, corm_vector *out) {
    (void)compiler;
    corm_vector mentioned = {0};
    corm_status status = CORM_OK;
    const corm_node *given = corm_select_part_of(select, CORM_SELECT_FROM);
    for (size_t i = 0; i < corm_list_count(given) && !status; i++)
        status = push_ref_once(out, corm_list_at(given, i));
    const corm_node *joins = corm_select_part_of(select, CORM_SELECT_JOINS);
    for (size_t i = 0; i < corm_list_count(joins) && !status; i++)
        status = add_join(select, corm_list_at(joins, i), out);
    if (!status)
        status = corm_mentioned_froms(corm_select_part_of(select, CORM_SELECT_COLUMNS), &mentioned);
    if (!status)
        status = corm_mentioned_froms(corm_select_part_of(select, CORM_SELECT_WHERE), &mentioned);
    for (size_t i = 0; i < mentioned.count && !status; i++)
        status = push_ref_once(out, mentioned.items[i]);
    corm_vector_clear(&mentioned);
    if (!status)
        hide_members(out);
    return status;
}

static bool in_frames(const corm_frame *frame, const corm_node *from) {
    for (; frame; frame = frame->outer) {
        if (corm_vector_contains(&frame->froms, from))
            return true;
    }
    return false;
}

static void remove_at(corm_vector *froms, size_t index) {
    corm_node_unref(froms->items[index]);
    corm_vector_remove(froms, index);
}

static bool listed(const corm_node *list, const corm_node *node) {
    for (size_t i = 0; i < corm_list_count(list); i++) {
        if (corm_list_at(list, i) == node)
            return true;
    }
    return false;
}

corm_status corm_correlate(corm_compiler *compiler, const corm_node *select, bool as_from, corm_vector *froms) {
    const corm_node *named = corm_select_part_of(select, CORM_SELECT_CORRELATE);
    if (!compiler->frame)
        return CORM_OK;
    if (named || select->detail & (CORM_SELECT_NO_CORRELATE | CORM_SELECT_CORRELATE_EXCEPT)) {
        bool except = select->detail & CORM_SELECT_CORRELATE_EXCEPT;
        for (size_t i = froms->count; i-- > 0;) {
            bool chosen = listed(named, froms->items[i]) != except;
            if (chosen && in_frames(compiler->frame, froms->items[i]))
                remove_at(froms, i);
        }
        return CORM_OK;
    }
    if (as_from || froms->count <= 1)
        return CORM_OK;
    for (size_t i = froms->count; i-- > 0;) {
        if (corm_vector_contains(&compiler->frame->froms, froms->items[i]))
            remove_at(froms, i);
    }
    if (froms->count)
        return CORM_OK;
    return corm_error_set(CORM_INVALID_REQUEST,
                          "Select statement returned no FROM clauses due to auto-correlation; specify "
                          "correlate(<tables>) to control correlation manually.");
}

/* ---- writing ---- */

static corm_status compile_alias(corm_compiler *compiler, corm_node *alias) {
    corm_node *element = corm_alias_element(alias);
    corm_text *text = &compiler->out->text;
    if (alias->detail & CORM_ALIAS_CTE) {
        corm_status status = corm_compile_cte(compiler, alias);
        if (status)
            return status;
        const char *name = corm_compiler_alias_name(compiler, alias);
        return name ? corm_dialect_identifier(compiler->dialect, name, &compiler->out->text) : CORM_NO_MEMORY;
    }
    const char *name = corm_compiler_alias_name(compiler, alias);
    if (!name)
        return CORM_NO_MEMORY;
    if (alias->detail & CORM_ALIAS_LATERAL)
        corm_text_append(text, "LATERAL ");
    corm_status status;
    if (corm_node_is_select(element) || element->kind == CORM_NODE_TEXT) {
        corm_text_append_char(text, '(');
        status = element->kind == CORM_NODE_TEXT ? corm_compile_text(compiler, element)
                                                 : corm_compile_select(compiler, element, SELECT_AS_FROM);
        corm_text_append_char(text, ')');
    } else if (element->kind == CORM_NODE_JOIN) {
        return corm_error_set(CORM_COMPILE_ERROR, "A join cannot have a name; select from it and use subquery()");
    } else {
        status = corm_compile_from(compiler, element);
    }
    if (status)
        return status;
    corm_text_append(text, " AS ");
    return corm_dialect_identifier(compiler->dialect, name, text);
}

static corm_status compile_on(corm_compiler *compiler, corm_node *join) {
    corm_node *on = corm_join_on(join);
    if (on)
        return corm_compile_expression(compiler, on, CORM_OP_AS_BOOLEAN, NULL);
    corm_node *left = corm_join_left(join);
    on = corm_join_condition(left, corm_join_right(join), left->kind == CORM_NODE_JOIN ? corm_join_right(left) : NULL);
    if (!on)
        return corm_error_last()->status;
    corm_status status = corm_vector_push(&compiler->compiled->owned, on);
    if (status) {
        corm_node_unref(on);
        return status;
    }
    return corm_compile_expression(compiler, on, CORM_OP_AS_BOOLEAN, NULL);
}

static corm_status compile_join(corm_compiler *compiler, corm_node *join) {
    corm_vector spine = {0};
    corm_status status = CORM_OK;
    while (join->kind == CORM_NODE_JOIN && !status) {
        if (!corm_join_left(join))
            status = corm_error_set(CORM_COMPILE_ERROR, "A join has no left side");
        else
            status = corm_vector_push(&spine, join);
        join = corm_join_left(join);
    }
    if (!status)
        status = corm_compile_from(compiler, join);
    while (spine.count && !status) {
        corm_node *at = spine.items[--spine.count];
        corm_node *right = corm_join_right(at);
        corm_text *text = &compiler->out->text;
        if (at->detail & CORM_JOIN_FULL)
            corm_text_append(text, " FULL OUTER JOIN ");
        else
            corm_text_append(text, at->detail & CORM_JOIN_OUTER ? " LEFT OUTER JOIN " : " JOIN ");
        bool nested = right->kind == CORM_NODE_JOIN;
        if (nested)
            corm_text_append_char(text, '(');
        status = corm_compile_from(compiler, right);
        if (nested)
            corm_text_append_char(text, ')');
        corm_text_append(text, " ON ");
        if (!status)
            status = compile_on(compiler, at);
    }
    corm_vector_clear(&spine);
    return status;
}

corm_status corm_compile_from(corm_compiler *compiler, corm_node *from) {
    if (compiler->depth >= CORM_NODE_MAX_DEPTH)
        return corm_error_set(CORM_COMPILE_ERROR,
                              "This statement is nested more than %d levels deep, which is the limit",
                              CORM_NODE_MAX_DEPTH);
    compiler->depth++;
    corm_status status;
    switch ((corm_node_kind)from->kind) {
    case CORM_NODE_TABLE:
        status = corm_dialect_table_name(compiler->dialect, corm_node_as_table(from), &compiler->out->text);
        break;
    case CORM_NODE_ALIAS:
        status = compile_alias(compiler, from);
        break;
    case CORM_NODE_JOIN:
        status = compile_join(compiler, from);
        break;
    case CORM_NODE_TEXT:
        status = corm_compile_text(compiler, from);
        break;
    case CORM_NODE_EXTENSION:
    case CORM_NODE_FUNCTION:
    case CORM_NODE_LITERAL_COLUMN:
        status = corm_compile_expression(compiler, from, CORM_OP_NONE, NULL);
        break;
    default:
        status = corm_error_set(CORM_COMPILE_ERROR, "%s cannot stand in a FROM clause", corm_node_kind_name(from));
        break;
    }
    compiler->depth--;
    return status;
}

corm_status corm_compile_froms(corm_compiler *compiler, const corm_vector *froms) {
    for (size_t i = 0; i < froms->count; i++) {
        if (i)
            corm_text_append(&compiler->out->text, ", ");
        corm_status status = corm_compile_from(compiler, froms->items[i]);
        if (status)
            return status;
    }
    return corm_text_status(&compiler->out->text);
}
