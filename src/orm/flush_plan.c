/*
 * What a flush writes, and in which order.
 *
 * Collecting starts from what the session holds and looks at each object's relationships once: children of a deleted
 * parent are deleted or cut loose, orphans are deleted, objects whose foreign key is about to change are drawn in.
 *
 * Ordering is a topological sort of mappers along relationships (Kahn). Mappers in a circle, or with a relationship to
 * themselves, are taken together, and their objects are sorted one by one into levels; each level of a mapper is one
 * step, so that even a tree of rows is written in as many batches as it is deep.
 */
#include <string.h>

#include "base/alloc.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

static const corm_host *host_of(const corm_state *state) {
    return state->mapper->host;
}

/* ---- works ---- */

corm_work *corm_flush_find(const corm_flush *flush, const corm_state *state) {
    if (!(state->flags & CORM_STATE_HELD) || state->held_index >= flush->by_held.count) {
        return NULL;
    }
    corm_work *work = flush->by_held.items[state->held_index];
    return work != NULL && work->state == state ? work : NULL;
}

/* Make room for a work at the state's place. */
static corm_status reserve_place(corm_flush *flush, const corm_state *state) {
    size_t count = flush->by_held.count;
    if (state->held_index < count) {
        return CORM_OK;
    }
    /* What is held may grow meanwhile: room for all of it at once. */
    size_t wanted = flush->session->held.count;
    corm_status status = corm_vector_reserve(&flush->by_held, wanted - count);
    if (status == CORM_OK) {
        memset(flush->by_held.items + count, 0, (wanted - count) * sizeof *flush->by_held.items);
        flush->by_held.count = wanted;
    }
    return status;
}

static corm_work *work_new(corm_flush *flush, corm_state *state) {
    size_t words = (state->mapper->table->columns.count + 63) / 64;
    size_t keys = state->mapper->primary_key_count;
    corm_work *work =
        corm_arena_alloc(&flush->memory, sizeof *work + keys * sizeof *work->new_key + words * sizeof *work->shape);
    if (work != NULL) {
        work->state = state;
        work->mapper = state->mapper;
        work->object = corm_state_object(state);
        work->shape = (uint64_t *)(void *)(work->new_key + keys);
    }
    return work;
}

corm_status corm_flush_add(corm_flush *flush, corm_state *state, uint32_t action, corm_work **out) {
    corm_work *work = corm_flush_find(flush, state);
    flush->actions |= action;
    if (work != NULL) {
        if ((action & CORM_WORK_DELETE) && !(work->flags & CORM_WORK_DELETE)) {
            work->flags = CORM_WORK_DELETE; /* what is saved is looked at again as deleted */
        }
        *out = work;
        return CORM_OK;
    }
    *out = NULL;
    corm_status status = corm_session_hold(flush->session, state);
    if (status == CORM_OK) {
        status = reserve_place(flush, state);
    }
    if (status != CORM_OK) {
        return status;
    }
    work = work_new(flush, state);
    status = work == NULL ? CORM_NO_MEMORY : corm_vector_push(&flush->works, work);
    if (status != CORM_OK) {
        return status;
    }
    work->flags = action;
    flush->related = flush->related || state->mapper->relationship_count > 0;
    host_of(state)->retain(work->object);
    flush->by_held.items[state->held_index] = work;
    *out = work;
    return CORM_OK;
}

static uint32_t save_action(const corm_state *state) {
    return state->flags & CORM_STATE_HAS_KEY ? CORM_WORK_UPDATE : CORM_WORK_INSERT;
}

/* Add what is to be saved, unless it is not this session's or on its way out. */
static corm_status add_save(corm_flush *flush, corm_state *state) {
    corm_work *work;
    if (state->session != flush->session || (state->flags & (CORM_STATE_DELETED | CORM_STATE_DELETING))) {
        return CORM_OK;
    }
    return corm_flush_add(flush, state, save_action(state), &work);
}

/* Add what is to be deleted and what its own cascades reach. */
static corm_status add_delete(corm_flush *flush, corm_state *state) {
    const corm_host *host = host_of(state);
    corm_vector reached = {0};
    if (!(state->flags & CORM_STATE_IN_MAP) || state->session != flush->session ||
        (state->flags & CORM_STATE_DELETING)) {
        return CORM_OK;
    }
    corm_status status = corm_cascade_collect(state, CORM_CASCADE_DELETE, true, NULL, &reached);
    for (size_t i = 0; i < reached.count && status == CORM_OK; i++) {
        corm_state *other = host->state_of(reached.items[i]);
        corm_work *work;
        if (other != NULL && (other->flags & CORM_STATE_IN_MAP) && other->session == flush->session) {
            status = corm_flush_add(flush, other, CORM_WORK_DELETE, &work);
            other->flags |= CORM_STATE_DELETING;
        }
    }
    corm_objects_release(host, &reached);
    return status;
}

/* ---- orphans ---- */

/* Did the same relationship of another object take the item in? Asked only where there is no other side to tell. */
static corm_status taken_in(corm_flush *flush, corm_attribute *attribute, const corm_object *item, bool *out) {
    corm_status status = CORM_OK;
    *out = false;
    for (size_t i = 0; i < flush->works.count && status == CORM_OK && !*out; i++) {
        corm_work *work = flush->works.items[i];
        if (work->state->mapper != attribute->mapper || (work->flags & CORM_WORK_DELETE)) {
            continue;
        }
        corm_history history;
        status = corm_state_history(work->state, attribute, false, &history);
        *out = status == CORM_OK && corm_vector_contains(&history.added_objects, item);
        corm_history_clear(work->state, &history);
    }
    return status;
}

static corm_status has_parent(corm_flush *flush, corm_attribute *attribute, corm_state *item, bool *out) {
    corm_attribute *inverse = attribute->relationship->inverse;
    if (inverse == NULL) {
        return taken_in(flush, attribute, corm_state_object(item), out);
    }
    corm_vector parents = {0};
    corm_status status = corm_relationship_objects(item, inverse, &parents);
    *out = parents.count > 0;
    corm_objects_release(host_of(item), &parents);
    return status;
}

/* ---- looking at relationships ---- */

static corm_status drop_child(corm_flush *flush, corm_attribute *attribute, corm_state *child) {
    if (child->session != flush->session || !(child->flags & CORM_STATE_IN_MAP)) {
        return CORM_OK;
    }
    if (attribute->relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) {
        bool kept;
        corm_status status = has_parent(flush, attribute, child, &kept);
        return status != CORM_OK || kept ? status : add_delete(flush, child);
    }
    if (attribute->relationship->direction != CORM_ONE_TO_MANY || (child->flags & CORM_STATE_DELETING)) {
        return CORM_OK;
    }
    corm_status status = add_save(flush, child);
    return status == CORM_OK ? corm_sync_nullify(attribute, child) : status;
}

static corm_status each_object(corm_flush *flush, corm_attribute *attribute, const corm_vector *objects,
                               corm_status (*act)(corm_flush *flush, corm_attribute *attribute, corm_state *state)) {
    corm_status status = CORM_OK;
    const corm_host *host = attribute->mapper->host;
    for (size_t i = 0; i < objects->count && status == CORM_OK; i++) {
        if (objects->items[i] != NULL) {
            corm_state *state = host->state_of(objects->items[i]);
            status = state == NULL ? corm_error_last()->status : act(flush, attribute, state);
        }
    }
    return status;
}

static corm_status keep_child(corm_flush *flush, corm_attribute *attribute, corm_state *child) {
    (void)attribute;
    return add_save(flush, child);
}

static corm_status delete_child(corm_flush *flush, corm_attribute *attribute, corm_state *child) {
    if (attribute->relationship->cascade & (CORM_CASCADE_DELETE | CORM_CASCADE_DELETE_ORPHAN)) {
        return add_delete(flush, child);
    }
    if (attribute->relationship->direction != CORM_ONE_TO_MANY || (child->flags & CORM_STATE_DELETING) ||
        !(child->flags & CORM_STATE_IN_MAP)) {
        return CORM_OK;
    }
    corm_status status = add_save(flush, child);
    return status == CORM_OK ? corm_sync_nullify(attribute, child) : status;
}

static bool key_changes(const corm_state *state) {
    for (size_t i = 0; i < state->mapper->primary_key_count; i++) {
        if (corm_state_change(state, state->mapper->primary_key[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* A reference was cleared whose other side owns what it holds. The other side may not know: it took the object and let it
 * go within this flush. */
static bool is_orphaned(const corm_work *work, corm_attribute *attribute) {
    const corm_attribute *inverse = attribute->relationship->inverse;
    corm_value value;
    return inverse != NULL && (inverse->relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) &&
           (work->flags & CORM_WORK_UPDATE) && corm_state_change(work->state, attribute) != NULL &&
           host_of(work->state)->get(work->object, attribute, &value) == CORM_OK && value.kind == CORM_KIND_NULL;
}

static corm_status prepare_saved(corm_flush *flush, corm_work *work, corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    if (relationship->direction == CORM_MANY_TO_ONE && is_orphaned(work, attribute)) {
        return add_delete(flush, work->state);
    }
    bool orphans = (relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) != 0;
    bool moves = relationship->direction == CORM_ONE_TO_MANY && !relationship->passive_updates &&
                 (work->flags & CORM_WORK_UPDATE) && key_changes(work->state);
    corm_history history;
    if (relationship->direction == CORM_MANY_TO_ONE && !orphans) {
        return CORM_OK;
    }
    corm_status status = corm_state_history(work->state, attribute, moves, &history);
    if (status == CORM_OK && relationship->direction == CORM_ONE_TO_MANY) {
        status = each_object(flush, attribute, &history.added_objects, keep_child);
    }
    if (status == CORM_OK && moves) {
        status = each_object(flush, attribute, &history.unchanged_objects, keep_child);
    }
    if (status == CORM_OK) {
        status = each_object(flush, attribute, &history.deleted_objects, drop_child);
    }
    corm_history_clear(work->state, &history);
    return status;
}

static corm_status prepare_deleted(corm_flush *flush, corm_work *work, corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    bool cascades = (relationship->cascade & (CORM_CASCADE_DELETE | CORM_CASCADE_DELETE_ORPHAN)) != 0;
    if (relationship->passive_deletes == CORM_PASSIVE_DELETES_ALL ||
        (relationship->direction != CORM_ONE_TO_MANY && !cascades)) {
        return CORM_OK;
    }
    corm_history history;
    bool load = relationship->passive_deletes == CORM_PASSIVE_DELETES_OFF;
    corm_status status = corm_state_history(work->state, attribute, load, &history);
    if (status == CORM_OK) {
        status = each_object(flush, attribute, &history.unchanged_objects, delete_child);
    }
    if (status == CORM_OK) {
        status = each_object(flush, attribute, &history.added_objects, delete_child);
    }
    if (status == CORM_OK) {
        status = each_object(flush, attribute, &history.deleted_objects, drop_child);
    }
    corm_history_clear(work->state, &history);
    return status;
}

static corm_status prepare(corm_flush *flush, corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    work->flags |= CORM_WORK_PREPARED;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK && mapper->relationship_count > 0; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (attribute->relationship == NULL || attribute->relationship->view_only) {
            continue;
        }
        status = work->flags & CORM_WORK_DELETE ? prepare_deleted(flush, work, attribute)
                                                : prepare_saved(flush, work, attribute);
    }
    return status;
}

static corm_status prepare_all(corm_flush *flush) {
    corm_status status = CORM_OK;
    bool more = flush->related;
    while (more && status == CORM_OK) {
        more = false;
        for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
            corm_work *work = flush->works.items[i];
            if (!(work->flags & CORM_WORK_PREPARED)) {
                more = true;
                status = prepare(flush, work);
            }
        }
    }
    return status;
}

corm_status corm_flush_collect(corm_flush *flush) {
    corm_session *session = flush->session;
    corm_status status = corm_vector_reserve(&flush->works, session->held_count);
    for (size_t i = 0; i < session->held.count && status == CORM_OK; i++) {
        corm_state *state = session->held.items[i];
        corm_work *work;
        if (state == NULL) {
            continue;
        }
        if (state->flags & CORM_STATE_DELETING) {
            status = corm_flush_add(flush, state, CORM_WORK_DELETE, &work);
        } else if (state->flags & (CORM_STATE_PENDING | CORM_STATE_MODIFIED)) {
            status = corm_flush_add(flush, state, save_action(state), &work);
        } else {
            corm_session_unhold(session, state);
        }
    }
    return status == CORM_OK ? prepare_all(flush) : status;
}

/* ---- ordering mappers ---- */

static corm_status find_group(corm_flush *flush, corm_mapper *mapper, uint32_t *out) {
    for (size_t i = flush->groups.count; i > 0; i--) {
        if (((corm_work_group *)flush->groups.items[i - 1])->mapper == mapper) {
            *out = (uint32_t)(i - 1);
            return CORM_OK;
        }
    }
    corm_work_group *group = corm_calloc(1, sizeof *group);
    if (group == NULL) {
        return CORM_NO_MEMORY;
    }
    group->mapper = mapper;
    corm_status status = corm_vector_push(&flush->groups, group);
    if (status != CORM_OK) {
        corm_free(group);
        return status;
    }
    *out = (uint32_t)(flush->groups.count - 1);
    return CORM_OK;
}

static corm_status make_groups(corm_flush *flush) {
    corm_status status = CORM_OK;
    corm_mapper *last = NULL;
    uint32_t group = 0;
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if (work->mapper != last) {
            last = work->mapper;
            status = find_group(flush, last, &group);
        }
        if (status == CORM_OK) {
            work->group = group;
            status = corm_vector_push(&((corm_work_group *)flush->groups.items[group])->works, work);
        }
    }
    return status;
}

enum { EDGE_NONE, EDGE_WEAK, EDGE_STRONG };

/* Which group must come before which: edges[before * count + after]. */
typedef struct order_graph {
    corm_flush *flush;
    size_t count;
    uint8_t *edges;
} order_graph;

static corm_work_group *group_at(const order_graph *graph, size_t index) {
    return graph->flush->groups.items[index];
}

static void add_edge(const order_graph *graph, const corm_mapper *before, size_t after, bool reverse,
                     uint8_t strength) {
    for (size_t i = 0; i < graph->count; i++) {
        if (group_at(graph, i)->mapper == before) {
            uint8_t *edge = &graph->edges[reverse ? after * graph->count + i : i * graph->count + after];
            *edge = strength > *edge ? strength : *edge;
        }
    }
}

static void add_edges(const order_graph *graph, size_t index) {
    const corm_mapper *mapper = group_at(graph, index)->mapper;
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        if (relationship == NULL || relationship->view_only || relationship->post_update ||
            relationship->direction == CORM_MANY_TO_MANY) {
            continue;
        }
        add_edge(graph, relationship->target, index, relationship->direction == CORM_ONE_TO_MANY, EDGE_STRONG);
    }
    /* Foreign keys without a relationship are respected where that closes no circle. */
    for (size_t i = 0; i < mapper->table->constraints.count; i++) {
        const corm_constraint *constraint = mapper->table->constraints.items[i];
        if (constraint->kind != CORM_CONSTRAINT_FOREIGN_KEY || constraint->foreign_keys.count == 0) {
            continue;
        }
        const corm_table *target = corm_foreign_key_table(constraint->foreign_keys.items[0]);
        for (size_t other = 0; other < graph->count && target != mapper->table; other++) {
            if (group_at(graph, other)->mapper->table == target) {
                add_edge(graph, group_at(graph, other)->mapper, index, false, EDGE_WEAK);
            }
        }
    }
}

static bool waits(const order_graph *graph, size_t index, uint8_t strength) {
    for (size_t i = 0; i < graph->count; i++) {
        if (i != index && !group_at(graph, i)->done && graph->edges[i * graph->count + index] >= strength) {
            return true;
        }
    }
    return false;
}

/* Mark, in `reached`, what comes before (or after) `from` among the groups that are left. */
static void reach(const order_graph *graph, size_t from, bool backwards, bool *reached) {
    bool more = true;
    memset(reached, 0, graph->count * sizeof *reached);
    reached[from] = true;
    while (more) {
        more = false;
        for (size_t i = 0; i < graph->count; i++) {
            for (size_t j = 0; j < graph->count && reached[i]; j++) {
                uint8_t edge = backwards ? graph->edges[j * graph->count + i] : graph->edges[i * graph->count + j];
                if (edge == EDGE_STRONG && !reached[j] && !group_at(graph, j)->done) {
                    reached[j] = true;
                    more = true;
                }
            }
        }
    }
}

/* ---- ordering the objects of a circle ---- */

typedef struct row_circle {
    corm_flush *flush;
    const bool *members; /* by group */
    corm_vector works;   /* corm_work * */
    corm_vector edges;   /* pairs of corm_work *: before, after */
} row_circle;

static bool in_circle(const row_circle *circle, const corm_work *work) {
    return work != NULL && circle->members[work->group];
}

static corm_status add_row_edge(row_circle *circle, corm_work *before, corm_work *after) {
    if (!in_circle(circle, before) || !in_circle(circle, after) ||
        ((before->flags ^ after->flags) & CORM_WORK_DELETE)) {
        return CORM_OK;
    }
    if (before == after) {
        corm_value key = CORM_ABSENT_VALUE;
        corm_status status = CORM_OK;
        if (after->flags & CORM_WORK_INSERT) {
            status = corm_column_value(after->state, after->state->mapper->primary_key[0], &key);
        }
        bool unknown =
            (after->flags & CORM_WORK_INSERT) && (key.kind == CORM_KIND_ABSENT || key.kind == CORM_KIND_NULL);
        corm_value_clear(&key);
        if (status != CORM_OK || !unknown) {
            return status; /* a row may refer to itself by a key that is known */
        }
    }
    corm_status status = corm_vector_push(&circle->edges, before);
    if (status == CORM_OK) {
        status = corm_vector_push(&circle->edges, after);
    }
    if (status == CORM_OK) {
        after->waits++;
    }
    return status;
}

static corm_status edges_to(row_circle *circle, corm_work *work, const corm_vector *objects, bool objects_first) {
    const corm_host *host = host_of(work->state);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < objects->count && status == CORM_OK; i++) {
        corm_state *state = objects->items[i] == NULL ? NULL : host->state_of(objects->items[i]);
        corm_work *other = state == NULL ? NULL : corm_flush_find(circle->flush, state);
        if (other != NULL) {
            status = objects_first ? add_row_edge(circle, other, work) : add_row_edge(circle, work, other);
        }
    }
    return status;
}

static corm_status row_edges(row_circle *circle, corm_work *work, corm_attribute *attribute) {
    bool references = attribute->relationship->direction == CORM_MANY_TO_ONE;
    bool deleted = (work->flags & CORM_WORK_DELETE) != 0;
    corm_history history;
    corm_status status = corm_state_history(work->state, attribute, false, &history);
    if (status == CORM_OK && references && deleted && history.unchanged_objects.count == 0 &&
        history.added_objects.count == 0) {
        corm_object *known = NULL;
        status = corm_load_peek(circle->flush->session, work->state, attribute, &known);
        if (status == CORM_OK && known != NULL) {
            status = corm_vector_push(&history.unchanged_objects, known);
            if (status != CORM_OK) {
                host_of(work->state)->release(known);
            }
        }
    }
    if (status == CORM_OK) {
        status = edges_to(circle, work, &history.added_objects, references);
    }
    if (status == CORM_OK) {
        status = edges_to(circle, work, &history.unchanged_objects, references);
    }
    if (status == CORM_OK && deleted) {
        status = edges_to(circle, work, &history.deleted_objects, references);
    }
    corm_history_clear(work->state, &history);
    return status;
}

static corm_status find_row_edges(row_circle *circle) {
    corm_status status = CORM_OK;
    for (size_t w = 0; w < circle->works.count && status == CORM_OK; w++) {
        corm_work *work = circle->works.items[w];
        const corm_mapper *mapper = work->state->mapper;
        for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
            corm_attribute *attribute = mapper->attributes[i];
            const corm_relationship *relationship = attribute->relationship;
            if (relationship != NULL && !relationship->view_only && !relationship->post_update &&
                relationship->direction != CORM_MANY_TO_MANY) {
                status = row_edges(circle, work, attribute);
            }
        }
    }
    return status;
}

static corm_status circular(const row_circle *circle) {
    corm_text names = CORM_TEXT_EMPTY;
    size_t shown = 0;
    for (size_t i = 0; i < circle->works.count && shown < 3; i++) {
        corm_work *work = circle->works.items[i];
        if (work->waits > 0) {
            corm_text_append(&names, shown++ == 0 ? "" : ", ");
            host_of(work->state)->describe(work->object, &names);
        }
    }
    corm_error_set(CORM_CIRCULAR_DEPENDENCY,
                   "Circular dependency detected. Rows that refer to each other (%s) cannot be written in any order: "
                   "set post_update=True on one of the relationships",
                   names.data == NULL ? "" : names.data);
    corm_text_clear(&names);
    return CORM_CIRCULAR_DEPENDENCY;
}

static int edge_order(const void *left, const void *right) {
    const corm_work *const *a = left, *const *b = right;
    return (uintptr_t)a[0] < (uintptr_t)b[0] ? -1 : (uintptr_t)a[0] > (uintptr_t)b[0];
}

/* The first edge out of a work, in the sorted list. */
static size_t first_edge(const corm_vector *edges, const corm_work *work) {
    size_t low = 0, high = edges->count / 2;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)edges->items[middle * 2] < (uintptr_t)work) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Give each work its level; *depth is how many levels there are. */
static corm_status find_levels(row_circle *circle, uint32_t *depth) {
    corm_vector queue = {0};
    corm_status status = CORM_OK;
    *depth = 1;
    if (circle->edges.count > 0) {
        qsort(circle->edges.items, circle->edges.count / 2, 2 * sizeof *circle->edges.items, edge_order);
    }
    for (size_t i = 0; i < circle->works.count && status == CORM_OK; i++) {
        corm_work *work = circle->works.items[i];
        work->level = 0;
        if (work->waits == 0) {
            status = corm_vector_push(&queue, work);
        }
    }
    for (size_t i = 0; i < queue.count && status == CORM_OK; i++) {
        corm_work *work = queue.items[i];
        for (size_t e = first_edge(&circle->edges, work);
             e * 2 < circle->edges.count && circle->edges.items[e * 2] == work && status == CORM_OK; e++) {
            corm_work *after = circle->edges.items[e * 2 + 1];
            after->level = after->level > work->level ? after->level : work->level + 1;
            *depth = *depth > after->level ? *depth : after->level + 1;
            if (--after->waits == 0) {
                status = corm_vector_push(&queue, after);
            }
        }
    }
    if (status == CORM_OK && queue.count < circle->works.count) {
        status = circular(circle);
    }
    corm_vector_clear(&queue);
    return status;
}

static corm_status new_step(corm_flush *flush, corm_mapper *mapper, corm_work_step **out) {
    *out = corm_calloc(1, sizeof **out);
    if (*out == NULL) {
        return CORM_NO_MEMORY;
    }
    (*out)->mapper = mapper;
    corm_status status = corm_vector_push(&flush->steps, *out);
    if (status != CORM_OK) {
        corm_free(*out);
        *out = NULL;
    }
    return status;
}

/* Steps of a circle: its levels in order, of each level its mappers; laid out first, then filled in one pass. */
static corm_status emit_levels(row_circle *circle, const order_graph *graph, uint32_t depth) {
    corm_flush *flush = circle->flush;
    size_t first = flush->steps.count, width = 0;
    uint32_t *column = corm_alloc_array(graph->count, sizeof *column);
    corm_status status = column == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t group = 0; group < graph->count && status == CORM_OK; group++) {
        column[group] = (uint32_t)width;
        width += circle->members[group] ? 1 : 0;
    }
    for (uint32_t level = 0; level < depth && status == CORM_OK; level++) {
        for (size_t group = 0; group < graph->count && status == CORM_OK; group++) {
            corm_work_step *step;
            if (circle->members[group]) {
                status = new_step(flush, group_at(graph, group)->mapper, &step);
            }
        }
    }
    for (size_t i = 0; i < circle->works.count && status == CORM_OK; i++) {
        corm_work *work = circle->works.items[i];
        corm_work_step *step = flush->steps.items[first + work->level * width + column[work->group]];
        status = corm_vector_push(&step->works, work);
    }
    corm_free(column);
    return status;
}

static corm_status emit_circle(const order_graph *graph, const bool *members) {
    row_circle circle = {.flush = graph->flush, .members = members};
    corm_status status = CORM_OK;
    uint32_t depth = 0;
    for (size_t i = 0; i < graph->flush->works.count && status == CORM_OK; i++) {
        corm_work *work = graph->flush->works.items[i];
        work->waits = 0;
        if (members[work->group]) {
            status = corm_vector_push(&circle.works, work);
        }
    }
    if (status == CORM_OK) {
        status = find_row_edges(&circle);
    }
    if (status == CORM_OK) {
        status = find_levels(&circle, &depth);
    }
    if (status == CORM_OK) {
        status = emit_levels(&circle, graph, depth);
    }
    for (size_t i = 0; i < graph->count; i++) {
        group_at(graph, i)->done = group_at(graph, i)->done || members[i];
    }
    corm_vector_clear(&circle.works);
    corm_vector_clear(&circle.edges);
    return status;
}

/* No group is free: take a circle that waits for nobody outside. members is the result. */
static void find_circle(const order_graph *graph, bool *members, bool *room) {
    size_t from = 0;
    while (group_at(graph, from)->done) {
        from++;
    }
    for (;;) {
        size_t outside = graph->count;
        reach(graph, from, false, members);
        reach(graph, from, true, room);
        for (size_t i = 0; i < graph->count; i++) {
            if (room[i] && !members[i]) {
                outside = i; /* comes before, and does not come after: not in the circle */
            }
            members[i] = members[i] && room[i];
        }
        if (outside == graph->count) {
            return;
        }
        from = outside;
    }
}

static corm_status emit_group(const order_graph *graph, size_t index, bool *members) {
    corm_work_group *group = group_at(graph, index);
    corm_work_step *step;
    if (graph->edges[index * graph->count + index] == EDGE_STRONG) {
        memset(members, 0, graph->count * sizeof *members);
        members[index] = true;
        return emit_circle(graph, members);
    }
    corm_status status = new_step(graph->flush, group->mapper, &step);
    if (status == CORM_OK) {
        step->works = group->works;
        group->works = (corm_vector){0};
        group->done = true;
    }
    return status;
}

/* A group that nothing holds back, foreign keys respected if possible; graph->count when there is none. */
static size_t next_group(const order_graph *graph) {
    for (uint8_t strength = EDGE_WEAK; strength <= EDGE_STRONG; strength++) {
        for (size_t i = 0; i < graph->count; i++) {
            if (!group_at(graph, i)->done && !waits(graph, i, strength)) {
                return i;
            }
        }
    }
    return graph->count;
}

corm_status corm_flush_order(corm_flush *flush) {
    corm_status status = make_groups(flush);
    if (status != CORM_OK) {
        return status;
    }
    order_graph graph = {.flush = flush, .count = flush->groups.count};
    bool *marks = corm_calloc(graph.count * 2, sizeof *marks);
    graph.edges = marks == NULL ? NULL : corm_calloc(graph.count, graph.count);
    if (graph.edges == NULL) {
        corm_free(marks);
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < graph.count; i++) {
        add_edges(&graph, i);
    }
    for (;;) {
        size_t left = 0;
        for (size_t i = 0; i < graph.count; i++) {
            left += group_at(&graph, i)->done ? 0 : 1;
        }
        if (left == 0 || status != CORM_OK) {
            break;
        }
        size_t next = next_group(&graph);
        if (next < graph.count) {
            status = emit_group(&graph, next, marks);
        } else {
            find_circle(&graph, marks, marks + graph.count);
            status = emit_circle(&graph, marks);
        }
    }
    corm_free(graph.edges);
    corm_free(marks);
    return status;
}

/* ---- the end ---- */

void corm_flush_clear(corm_flush *flush) {
    for (size_t i = 0; i < flush->steps.count; i++) {
        corm_vector_clear(&((corm_work_step *)flush->steps.items[i])->works);
        corm_free(flush->steps.items[i]);
    }
    corm_vector_clear(&flush->steps);
    corm_flush_drop_batches(flush);
    corm_vector_clear(&flush->waiting);
    corm_vector_clear(&flush->unfinished);
    corm_vector_clear(&flush->undeleted);
    for (size_t i = 0; i < flush->groups.count; i++) {
        corm_vector_clear(&((corm_work_group *)flush->groups.items[i])->works);
        corm_free(flush->groups.items[i]);
    }
    corm_vector_clear(&flush->groups);
    HASH_CLEAR(hh, flush->pairs);
    for (size_t i = 0; i < flush->pair_order.count; i++) {
        corm_free(flush->pair_order.items[i]);
    }
    corm_vector_clear(&flush->pair_order);
    corm_vector_clear(&flush->by_held);
    for (size_t i = 0; i < flush->works.count; i++) {
        corm_work *work = flush->works.items[i];
        const corm_host *host = work->mapper->host;
        for (size_t key = 0; key < work->mapper->primary_key_count; key++) {
            corm_value_clear(&work->new_key[key]);
        }
        host->release(work->object);
    }
    corm_vector_clear(&flush->works);
    corm_arena_clear(&flush->memory);
}
