/*
 * Writing: a step's objects as batches of INSERT, UPDATE and DELETE, one batch a statement shape.
 *
 * On a driver that can leave results for later, batches follow each other without waiting, until a step needs keys that
 * an earlier one generated: a flush takes as many round trips as its dependencies are deep. What follows from the results
 * (keys, the other side's foreign keys, hooks) is done when they are there, step by step (corm_flush_settle).
 *
 * INSERTs keep the order in which objects were added; UPDATEs and DELETEs go by primary key, so that concurrent
 * transactions lock rows in one order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

static const corm_host *host_of(const corm_state *state) {
    return state->mapper->host;
}

/* ---- before and after a batch ---- */

static corm_status read_key(corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->primary_key_count && status == CORM_OK; i++) {
        corm_value_clear(&work->new_key[i]);
        status = corm_column_value(work->state, mapper->primary_key[i], &work->new_key[i]);
    }
    work->key_written = status == CORM_OK;
    return status;
}

static corm_status fire(corm_flush *flush, corm_work *work, corm_event_kind kind) {
    const corm_mapper *mapper = work->state->mapper;
    return mapper->listening & kind ? mapper->host->event(kind, flush->session, flush->connection, work->state)
                                    : CORM_OK;
}

/* Does the database give a column of new rows its value when the statement has none? */
static bool gives_value(const corm_flush *flush, const corm_column *column) {
    const corm_dialect *dialect = corm_engine_dialect(corm_connection_engine(flush->connection));
    return column->server_default != NULL || column->server_default_node != NULL ||
           column->default_value.kind == CORM_DEFAULT_EXPRESSION || column->computed != NULL ||
           (column->identity != NULL && dialect->supports_identity) ||
           corm_dialect_sequence_of(dialect, column) != NULL;
}

/* Values that the database computed are fetched when they are next read. */
static corm_status forget_computed(const corm_flush *flush, corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    const corm_host *host = mapper->host;
    bool insert = (work->flags & CORM_WORK_INSERT) != 0;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_column *column = attribute->column;
        if (column == NULL || attribute->primary_key) {
            continue;
        }
        bool by_database = !corm_shape_has(work, column) &&
                           (insert ? gives_value(flush, column)
                                   : column->on_update.kind == CORM_DEFAULT_EXPRESSION || column->computed != NULL);
        if (by_database && insert && (work->flags & CORM_WORK_FETCHED) && corm_column_type(column)->host == NULL) {
            continue; /* it came back with the INSERT */
        }
        corm_value value = CORM_ABSENT_VALUE;
        if (!by_database && corm_shape_has(work, column) && host->expression != NULL) {
            status = host->get(work->object, attribute, &value);
            corm_node *expression = status == CORM_OK && value.kind == CORM_KIND_HOST ? host->expression(&value) : NULL;
            by_database = expression != NULL;
            corm_node_unref(expression);
        }
        if (by_database && status == CORM_OK) {
            status = host->set(work->object, attribute, &CORM_ABSENT_VALUE);
        }
    }
    return status;
}

static bool has_computed(const corm_mapper *mapper) {
    for (size_t i = 0; i < mapper->table->columns.count; i++) {
        const corm_column *column = mapper->table->columns.items[i];
        if (column->default_value.kind == CORM_DEFAULT_EXPRESSION ||
            column->on_update.kind == CORM_DEFAULT_EXPRESSION || column->computed != NULL ||
            column->server_default != NULL || column->server_default_node != NULL || column->sequence != NULL ||
            column->identity != NULL) {
            return true;
        }
    }
    return false;
}
/* ---- INSERT ---- */

/* Give a column its Python-side default, if it has one and no value. */
static corm_status apply_default(corm_flush *flush, corm_work *work, corm_attribute *attribute,
                                 const corm_default *chosen, corm_value *value) {
    const corm_host *host = host_of(work->state);
    if (chosen->kind == CORM_DEFAULT_VALUE) {
        *value = chosen->value;
        return host->set(work->object, attribute, &chosen->value);
    }
    if (chosen->kind != CORM_DEFAULT_CALLABLE || host->call_default == NULL) {
        return CORM_OK;
    }
    corm_value made;
    corm_status status = host->call_default(chosen->callable, flush->session, work->state, &made);
    if (status == CORM_OK) {
        status = host->set(work->object, attribute, &made);
        value->kind = made.kind;
        corm_value_clear(&made);
    }
    return status;
}

static corm_status insert_shape(corm_flush *flush, corm_work *work, const corm_column *numbered) {
    const corm_mapper *mapper = work->state->mapper;
    const corm_host *host = mapper->host;
    corm_status status = CORM_OK;
    memset(work->shape, 0, corm_shape_size(work));
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_column *column = attribute->column;
        if (column == NULL || column->computed != NULL) {
            continue;
        }
        corm_value value = {.kind = (uint8_t)host->kind(work->object, attribute)};
        if (corm_is_nothing(&value) && column->default_value.kind != CORM_DEFAULT_NONE) {
            status = apply_default(flush, work, attribute, &column->default_value, &value);
        }
        if (status == CORM_OK && corm_is_nothing(&value)) {
            if (column == numbered || gives_value(flush, column)) {
                continue; /* the database gives the value */
            }
            if (value.kind == CORM_KIND_ABSENT) {
                status = host->set(work->object, attribute, &CORM_NULL_VALUE);
            }
        }
        corm_shape_add(work, column);
    }
    return status;
}

static bool is_insert(const corm_work *work) {
    return (work->flags & (CORM_WORK_INSERT | CORM_WORK_REPLACED)) == CORM_WORK_INSERT &&
           (work->state->flags & CORM_STATE_PENDING);
}

/* The work that deletes the row of the key that a new object has, or NULL. */
static corm_work *find_replaced(corm_flush *flush, const corm_work *work) {
    const corm_mapper *mapper = work->mapper;
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        if (corm_is_nothing(&work->new_key[i])) {
            return NULL;
        }
    }
    corm_state *present =
        corm_identity_find(&flush->session->identity, mapper, work->new_key, mapper->primary_key_count);
    corm_work *other = present == NULL ? NULL : corm_flush_find(flush, present);
    return other != NULL && (other->flags & CORM_WORK_DELETE) ? other : NULL;
}

/* A new object with the key of one that is deleted takes its row over: one UPDATE instead of a DELETE and an INSERT. */
static corm_status write_replacement(corm_flush *flush, corm_work *work, const corm_column *numbered) {
    corm_status status = read_key(work);
    corm_work *replaced = status == CORM_OK ? find_replaced(flush, work) : NULL;
    work->key_written = replaced != NULL;
    if (replaced == NULL) {
        return status;
    }
    status = insert_shape(flush, work, numbered);
    corm_values_kind values = status == CORM_OK ? corm_flush_values(work, &status) : CORM_VALUES_PLAIN;
    if (status == CORM_OK) {
        status = corm_flush_batch(flush, work->mapper, CORM_WORK_UPDATE, &work, 1, values, NULL);
    }
    work->flags |= CORM_WORK_REPLACED;
    replaced->flags |= CORM_WORK_REPLACED;
    return status;
}

static corm_status write_inserts(corm_flush *flush, const corm_work_step *step) {
    const corm_column *numbered = corm_table_autoincrement_column(step->mapper->table);
    corm_work **works = (corm_work **)(void *)step->works.items;
    size_t count = step->works.count;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK && (flush->actions & CORM_WORK_DELETE); i++) {
        if (is_insert(works[i])) {
            status = write_replacement(flush, works[i], numbered);
        }
    }
    size_t most = corm_engine_driver(corm_connection_engine(flush->connection))->batch_rows;
    for (size_t first = 0, last; first < count && status == CORM_OK; first = last) {
        while (first < count && !is_insert(works[first])) {
            first++;
        }
        for (last = first;
             last < count && (most == 0 || last - first < most) && is_insert(works[last]) && status == CORM_OK;
             last++) {
            status = insert_shape(flush, works[last], numbered);
        }
        if (status == CORM_OK) {
            status = corm_flush_batches(flush, step->mapper, CORM_WORK_INSERT, works + first, last - first);
        }
    }
    return status;
}

/* ---- UPDATE ---- */

/* The columns that really differ from what the database has. */
static corm_status update_shape(corm_flush *flush, corm_work *work) {
    corm_state *state = work->state;
    const corm_mapper *mapper = state->mapper;
    const corm_host *host = mapper->host;
    corm_status status = CORM_OK;
    memset(work->shape, 0, corm_shape_size(work));
    for (size_t i = 0; state->changes != NULL && i < state->changes->count; i++) {
        const corm_change *change = &state->changes->items[i];
        corm_attribute *attribute = change->attribute;
        if (attribute->column == NULL || attribute->column->computed != NULL) {
            continue;
        }
        corm_value committed = change->committed;
        if (committed.kind == CORM_KIND_ABSENT || !host->unchanged(work->object, attribute, &committed)) {
            corm_shape_add(work, attribute->column);
        }
    }
    if (corm_shape_is_empty(work)) {
        return CORM_OK;
    }
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_column *column = attribute->column;
        if (column == NULL || column->on_update.kind == CORM_DEFAULT_NONE || corm_shape_has(work, column)) {
            continue;
        }
        corm_value value = CORM_ABSENT_VALUE;
        status = apply_default(flush, work, attribute, &column->on_update, &value);
        if (status == CORM_OK && value.kind != CORM_KIND_ABSENT) {
            corm_shape_add(work, column);
        }
    }
    return status;
}

static int compare_keys(const corm_work *left, const corm_work *right) {
    if (!((left->state->flags | right->state->flags) & CORM_STATE_KEY_TUPLE)) {
        int64_t a = left->state->key.integer, b = right->state->key.integer;
        return a < b ? -1 : a > b;
    }
    corm_value left_room, right_room;
    const corm_value *a = NULL, *b = NULL;
    size_t count = corm_state_key(left->state, &a, &left_room);
    size_t other = corm_state_key(right->state, &b, &right_room);
    for (size_t i = 0; i < count && i < other; i++) {
        int order = corm_value_compare(&a[i], &b[i]);
        if (order != 0) {
            return order;
        }
    }
    return count < other ? -1 : count > other;
}

static int by_shape_and_key(const void *left, const void *right) {
    const corm_work *const *a = left, *const *b = right;
    int order = memcmp((*a)->shape, (*b)->shape, corm_shape_size(*a));
    return order != 0 ? order : compare_keys(*a, *b);
}

static int by_key(const void *left, const void *right) {
    const corm_work *const *a = left, *const *b = right;
    return compare_keys(*a, *b);
}

/* Objects mostly come in the order of their keys. */
static void sort_works(corm_vector *works, int (*order)(const void *left, const void *right)) {
    size_t sorted = 1;
    while (sorted < works->count && order(&works->items[sorted - 1], &works->items[sorted]) <= 0) {
        sorted++;
    }
    if (sorted < works->count) {
        qsort(works->items, works->count, sizeof *works->items, order);
    }
}

static corm_status write_updates(corm_flush *flush, const corm_work_step *step) {
    corm_vector updates = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_UPDATE) || !(work->state->flags & CORM_STATE_IN_MAP)) {
            continue;
        }
        status = update_shape(flush, work);
        if (status == CORM_OK && !corm_shape_is_empty(work)) {
            status = corm_vector_push(&updates, work);
        }
    }
    if (status == CORM_OK && updates.count > 0) {
        sort_works(&updates, by_shape_and_key);
        status = corm_flush_batches(flush, step->mapper, CORM_WORK_UPDATE, (corm_work **)(void *)updates.items,
                                    updates.count);
    }
    corm_vector_clear(&updates);
    return status;
}

/* ---- a step ---- */

static corm_status fire_saves(corm_flush *flush, const corm_work_step *step, bool before) {
    corm_status status = CORM_OK;
    uint32_t any = before ? CORM_EVENT_BEFORE_INSERT | CORM_EVENT_BEFORE_UPDATE
                          : CORM_EVENT_AFTER_INSERT | CORM_EVENT_AFTER_UPDATE;
    if (!(step->mapper->listening & any)) {
        return CORM_OK;
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if (work->flags & CORM_WORK_INSERT) {
            status = fire(flush, work, before ? CORM_EVENT_BEFORE_INSERT : CORM_EVENT_AFTER_INSERT);
        } else if (work->flags & CORM_WORK_UPDATE) {
            status = fire(flush, work, before ? CORM_EVENT_BEFORE_UPDATE : CORM_EVENT_AFTER_UPDATE);
        }
    }
    return status;
}

corm_status corm_flush_connect(corm_flush *flush, corm_mapper *mapper) {
    if (flush->session->get_bind == NULL) {
        return CORM_OK;
    }
    corm_status status = corm_session_choose(flush->session, NULL, mapper);
    return status == CORM_OK ? corm_session_connection(flush->session, &flush->connection) : status;
}

static bool refers_to(const corm_mapper *mapper, const corm_mapper *other) {
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        if (relationship != NULL && relationship->target == other) {
            return true;
        }
    }
    return false;
}

/* Whether what a step writes may depend on results that were not told yet: keys of related objects. */
static bool depends_on_unfinished(const corm_flush *flush, const corm_mapper *mapper) {
    for (size_t i = 0; i < flush->unfinished.count; i++) {
        const corm_mapper *other = ((const corm_work_step *)flush->unfinished.items[i])->mapper;
        if (refers_to(mapper, other) || refers_to(other, mapper)) {
            return true;
        }
    }
    return false;
}

corm_status corm_write_step(corm_flush *flush, corm_work_step *step) {
    corm_status status = depends_on_unfinished(flush, step->mapper) ? corm_flush_settle(flush) : CORM_OK;
    bool related = step->mapper->relationship_count > 0;
    if (status == CORM_OK) {
        status = corm_flush_connect(flush, step->mapper);
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK && related; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = corm_sync_references(flush, work, false, NULL);
        }
    }
    if (status == CORM_OK) {
        status = fire_saves(flush, step, true);
    }
    if (status == CORM_OK) {
        status = write_updates(flush, step); /* first: a new row may take a unique value that a changed one gives up */
    }
    if (status == CORM_OK) {
        status = write_inserts(flush, step);
    }
    if (status == CORM_OK) {
        status = corm_vector_push(&flush->unfinished, step);
    }
    return status == CORM_OK && !flush->waits ? corm_flush_settle(flush) : status;
}

/* ---- what follows from the results ---- */

/* The key's values as written, and which others only the database knows. */
static corm_status complete(const corm_flush *flush, const corm_mapper *mapper, corm_work *work, bool computed) {
    corm_status status = CORM_OK;
    bool insert = is_insert(work);
    bool update =
        (work->flags & CORM_WORK_UPDATE) && (work->state->flags & CORM_STATE_IN_MAP) && !corm_shape_is_empty(work);
    if (!insert && !update) {
        return CORM_OK;
    }
    for (size_t i = 0; i < mapper->primary_key_count && status == CORM_OK && !work->key_written; i++) {
        if (insert || corm_shape_has(work, mapper->primary_key[i]->column)) {
            status = read_key(work);
        }
    }
    return status == CORM_OK && computed ? forget_computed(flush, work) : status;
}

static corm_status finish_saves(corm_flush *flush, const corm_work_step *step) {
    const corm_mapper *mapper = step->mapper;
    bool computed = has_computed(mapper) || mapper->host->expression != NULL;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        status = complete(flush, mapper, step->works.items[i], computed);
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = corm_sync_children(flush, work, false);
        }
    }
    return status == CORM_OK ? fire_saves(flush, step, false) : status;
}

static bool is_delete(const corm_work *work) {
    return (work->flags & (CORM_WORK_DELETE | CORM_WORK_REPLACED)) == CORM_WORK_DELETE &&
           (work->state->flags & CORM_STATE_IN_MAP);
}

static corm_status warn_of_missing(const corm_work_step *step, size_t expected) {
    const corm_mapper *mapper = step->mapper;
    corm_text message = CORM_TEXT_EMPTY;
    if (mapper->host->warn == NULL) {
        return CORM_OK;
    }
    corm_text_append_format(&message,
                            "DELETE statement on table '%s' expected to delete %zu row(s); %lld were matched.",
                            mapper->table->name, expected, (long long)((int64_t)expected - step->missing));
    corm_status status = corm_text_status(&message);
    if (status == CORM_OK) {
        status = mapper->host->warn(message.data);
    }
    corm_text_clear(&message);
    return status;
}

static corm_status finish_deletes(corm_flush *flush, const corm_work_step *step) {
    corm_status status = CORM_OK;
    size_t expected = 0;
    for (size_t i = 0; i < step->works.count; i++) {
        expected += is_delete(step->works.items[i]);
    }
    if (step->missing > 0) {
        status = warn_of_missing(step, expected);
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        if (is_delete(step->works.items[i])) {
            status = fire(flush, step->works.items[i], CORM_EVENT_AFTER_DELETE);
        }
    }
    return status;
}

corm_status corm_flush_settle(corm_flush *flush) {
    corm_status status = corm_flush_settle_batches(flush);
    for (size_t i = 0; i < flush->unfinished.count && status == CORM_OK; i++) {
        status = finish_saves(flush, flush->unfinished.items[i]);
    }
    for (size_t i = 0; i < flush->undeleted.count && status == CORM_OK; i++) {
        status = finish_deletes(flush, flush->undeleted.items[i]);
    }
    flush->unfinished.count = flush->undeleted.count = 0;
    return status;
}

/* ---- post updates ---- */

static bool has_post_update(const corm_mapper *mapper) {
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        if (relationship != NULL && relationship->post_update) {
            return true;
        }
    }
    return false;
}

/* A foreign key that the row does not have yet: of an inserted object one that is set, else one that changed. */
static void add_posted(corm_work *work, const corm_column *column) {
    corm_state *state = work->state;
    const corm_host *host = state->mapper->host;
    corm_attribute *attribute =
        column->table == state->mapper->table ? corm_mapper_attribute_of(state->mapper, column) : NULL;
    if (attribute == NULL) {
        return;
    }
    corm_change *change = corm_state_change(state, attribute);
    corm_value value;
    bool differs = work->flags & CORM_WORK_INSERT
                       ? host->get(work->object, attribute, &value) == CORM_OK && !corm_is_nothing(&value)
                       : change != NULL && !host->unchanged(work->object, attribute, &change->committed);
    if (differs) {
        corm_shape_add(work, column);
    }
}

/* Columns that a post_update relationship writes into this object. */
static void post_columns(corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    memset(work->shape, 0, corm_shape_size(work));
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        for (size_t s = 0; relationship != NULL && relationship->post_update && s < relationship->sync_count; s++) {
            add_posted(work, relationship->sync[s].destination);
        }
        if (relationship != NULL && relationship->inverse != NULL && relationship->inverse->relationship->post_update) {
            const corm_relationship *inverse = relationship->inverse->relationship;
            for (size_t s = 0; s < inverse->sync_count; s++) {
                add_posted(work, inverse->sync[s].destination);
            }
        }
    }
}

static corm_status update_posted(corm_flush *flush, corm_work *work) {
    post_columns(work);
    return corm_shape_is_empty(work)
               ? CORM_OK
               : corm_flush_batch(flush, work->state->mapper, CORM_WORK_UPDATE, &work, 1, CORM_VALUES_PLAIN, NULL);
}

static corm_status post_update_saves(corm_flush *flush) {
    corm_status status = CORM_OK;
    /* Keys first, over all objects: a child may be on either side. */
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if ((work->flags & CORM_WORK_DELETE) || !has_post_update(work->state->mapper)) {
            continue;
        }
        bool changed = false;
        status = corm_sync_references(flush, work, true, &changed);
        if (status == CORM_OK) {
            status = corm_sync_children(flush, work, true);
        }
    }
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = update_posted(flush, work);
        }
    }
    return status;
}

/* Rows that are deleted stop referring to each other first. */
static corm_status post_update_deletes(corm_flush *flush, corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    bool changed = false;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_relationship *relationship = attribute->relationship;
        if (relationship != NULL && relationship->post_update && relationship->direction == CORM_MANY_TO_ONE) {
            status = corm_sync_nullify(attribute, work->state);
            changed = true;
        }
    }
    return status == CORM_OK && changed ? update_posted(flush, work) : status;
}

corm_status corm_write_post_updates(corm_flush *flush) {
    bool any = false;
    for (size_t i = 0; i < flush->groups.count; i++) {
        any = any || has_post_update(((corm_work_group *)flush->groups.items[i])->mapper);
    }
    if (!any) {
        return CORM_OK;
    }
    corm_status status = corm_flush_settle(flush);
    if (status == CORM_OK) {
        status = post_update_saves(flush);
    }
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if (work->flags & CORM_WORK_DELETE) {
            status = post_update_deletes(flush, work);
        }
    }
    return status;
}

/* ---- DELETE ---- */

corm_status corm_write_deletes(corm_flush *flush, corm_work_step *step) {
    corm_vector deletes = {0};
    corm_status status = corm_flush_connect(flush, step->mapper);
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if (is_delete(work)) {
            status = fire(flush, work, CORM_EVENT_BEFORE_DELETE);
            if (status == CORM_OK) {
                status = corm_vector_push(&deletes, work);
            }
        }
    }
    if (status == CORM_OK && deletes.count > 0) {
        sort_works(&deletes, by_key);
        status = corm_flush_batch(flush, step->mapper, CORM_WORK_DELETE, (corm_work **)(void *)deletes.items,
                                  deletes.count, CORM_VALUES_PLAIN, &step->missing);
    }
    corm_vector_clear(&deletes);
    if (status == CORM_OK) {
        status = corm_vector_push(&flush->undeleted, step);
    }
    return status == CORM_OK && !flush->waits ? corm_flush_settle(flush) : status;
}
