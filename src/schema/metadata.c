/* MetaData: the owner of tables, and their order by dependency. */
#include <stdlib.h>
#include <string.h>

#include "schema/schema_private.h"
#include "sql/pointer_map.h"
#include "sql/walk.h"

static void destroy(corm_owner *owner) {
    corm_metadata *metadata = (corm_metadata *)(void *)owner;
    HASH_CLEAR(hh, metadata->by_key);
    for (size_t i = 0; i < metadata->tables.count; i++)
        corm_table_destroy(metadata->tables.items[i]);
    for (size_t i = 0; i < metadata->removed.count; i++)
        corm_table_destroy(metadata->removed.items[i]);
    corm_vector_clear(&metadata->tables);
    corm_vector_clear(&metadata->removed);
    corm_host_slot_clear(&metadata->host);
    corm_free(metadata->schema);
    corm_free(metadata);
}

corm_status corm_metadata_new(const char *schema, corm_metadata **out) {
    *out = NULL;
    corm_metadata *metadata = corm_calloc(1, sizeof *metadata);
    if (!metadata)
        return CORM_NO_MEMORY;
    atomic_init(&metadata->owner.references, 1);
    metadata->owner.destroy = destroy;
    if (schema && !(metadata->schema = corm_strdup(schema))) {
        corm_free(metadata);
        return CORM_NO_MEMORY;
    }
    *out = metadata;
    return CORM_OK;
}

corm_metadata *corm_metadata_ref(corm_metadata *metadata) {
    if (metadata)
        atomic_fetch_add_explicit(&metadata->owner.references, 1, memory_order_relaxed);
    return metadata;
}

void corm_metadata_unref(corm_metadata *metadata) {
    if (metadata && atomic_fetch_sub_explicit(&metadata->owner.references, 1, memory_order_acq_rel) == 1)
        destroy(&metadata->owner);
}

corm_table *corm_metadata_table(const corm_metadata *metadata, const char *key) {
    corm_table *table = NULL;
    HASH_FIND_STR(metadata->by_key, key, table);
    return table;
}

void corm_metadata_remove(corm_metadata *metadata, corm_table *table) {
    if (table->removed || table->metadata != metadata)
        return;
    table->removed = true;
    HASH_DEL(metadata->by_key, table);
    for (size_t i = 0; i < metadata->tables.count; i++) {
        if (metadata->tables.items[i] == table) {
            corm_vector_remove(&metadata->tables, i);
            break;
        }
    }
    metadata->removed.items[metadata->removed.count++] = table; /* there is room since it was added */
}

void corm_metadata_clear(corm_metadata *metadata) {
    while (metadata->tables.count)
        corm_metadata_remove(metadata, metadata->tables.items[metadata->tables.count - 1]);
}

/* ---- the order of tables ---- */

/* One table while sorting: who must come before it, and through which constraint. */
typedef struct sorting {
    corm_table *table;
    corm_vector parents;     /* struct sorting * */
    corm_vector constraints; /* corm_constraint *, beside parents */
    bool done;
    bool in_cycle;
    bool visited;
} sorting;

static int by_key(const void *left, const void *right) {
    const sorting *first = left;
    const sorting *second = right;
    return strcmp(first->table->key, second->table->key);
}

static sorting *find(sorting *all, size_t count, const corm_table *table) {
    for (size_t i = 0; i < count; i++) {
        if (all[i].table == table)
            return &all[i];
    }
    return NULL;
}

static corm_status gather_parents(sorting *item, sorting *all, size_t count) {
    for (size_t i = 0; i < item->table->constraints.count; i++) {
        corm_constraint *constraint = item->table->constraints.items[i];
        if (constraint->kind != CORM_CONSTRAINT_FOREIGN_KEY || constraint->use_alter)
            continue;
        corm_column *target;
        corm_status status = corm_foreign_key_resolve(constraint->foreign_keys.items[0], &target);
        if (status)
            return status;
        sorting *parent = find(all, count, target->table);
        if (!parent || parent == item)
            continue;
        status = corm_vector_push(&item->parents, parent);
        if (!status)
            status = corm_vector_push(&item->constraints, constraint);
        if (status)
            return status;
    }
    return CORM_OK;
}

static bool is_ready(const sorting *item) {
    for (size_t i = 0; i < item->parents.count; i++) {
        const sorting *parent = item->parents.items[i];
        if (!parent->done)
            return false;
    }
    return true;
}

/* Does the table lead back to itself through tables that are not done? */
static corm_status find_cycle(sorting *item, sorting *all, size_t count, bool *out) {
    corm_vector waiting = {0};
    for (size_t i = 0; i < count; i++)
        all[i].visited = false;
    *out = false;
    corm_status status = corm_vector_push(&waiting, item);
    while (!status && waiting.count && !*out) {
        const sorting *at = waiting.items[--waiting.count];
        for (size_t i = 0; i < at->parents.count && !status; i++) {
            sorting *parent = at->parents.items[i];
            *out = *out || parent == item;
            if (!parent->done && !parent->visited) {
                parent->visited = true;
                status = corm_vector_push(&waiting, parent);
            }
        }
    }
    corm_vector_clear(&waiting);
    return status;
}

/* Nothing is ready: leave out the foreign keys between tables that are in cycles. */
static corm_status break_cycles(sorting *all, size_t count, corm_vector *skipped) {
    for (size_t i = 0; i < count; i++) {
        all[i].in_cycle = false;
        bool in_cycle = false;
        if (!all[i].done) {
            corm_status status = find_cycle(&all[i], all, count, &in_cycle);
            if (status)
                return status;
        }
        all[i].in_cycle = in_cycle;
    }
    for (size_t i = 0; i < count; i++) {
        sorting *item = &all[i];
        for (size_t j = item->parents.count; item->in_cycle && j-- > 0;) {
            const sorting *parent = item->parents.items[j];
            if (!parent->in_cycle)
                continue;
            if (skipped) {
                corm_status status = corm_vector_push(skipped, item->constraints.items[j]);
                if (status)
                    return status;
            }
            corm_vector_remove(&item->parents, j);
            corm_vector_remove(&item->constraints, j);
        }
    }
    return CORM_OK;
}

corm_status corm_metadata_sorted_tables(corm_metadata *metadata, corm_vector *out, corm_vector *skipped) {
    size_t count = metadata->tables.count;
    sorting *all = corm_calloc(count ? count : 1, sizeof *all);
    if (!all)
        return CORM_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        all[i].table = metadata->tables.items[i];
    if (count)
        qsort(all, count, sizeof *all, by_key);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = gather_parents(&all[i], all, count);
    size_t done = 0;
    while (!status && done < count) {
        /* A round: all that depend on nothing of this round. */
        corm_vector ready = {0};
        for (size_t i = 0; i < count && !status; i++) {
            if (!all[i].done && is_ready(&all[i]))
                status = corm_vector_push(&ready, &all[i]);
        }
        for (size_t i = 0; i < ready.count && !status; i++) {
            sorting *item = ready.items[i];
            item->done = true;
            done++;
            status = corm_vector_push(out, item->table);
        }
        if (!status && !ready.count)
            status = break_cycles(all, count, skipped);
        corm_vector_clear(&ready);
    }
    for (size_t i = 0; i < count; i++) {
        corm_vector_clear(&all[i].parents);
        corm_vector_clear(&all[i].constraints);
    }
    corm_free(all);
    return status;
}
