/*
 * The cache of compiled statements: chained buckets and a list in order of use, under one lock that is held for a probe
 * and one comparison.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/wait.h"
#include "compile/compiler_private.h"
#include "sql/walk.h"

struct corm_statement_cache {
    pthread_mutex_t lock;
    corm_cached **buckets;
    size_t bucket_count; /* a power of two */
    size_t capacity;
    size_t count;
    corm_cached *newest, *oldest;
    uint64_t hits, misses;
};

enum { DEFAULT_CAPACITY = 500 };

corm_status corm_statement_cache_new(size_t capacity, corm_statement_cache **out) {
    *out = NULL;
    if (!capacity)
        capacity = DEFAULT_CAPACITY;
    size_t buckets = 16;
    while (buckets < capacity && buckets <= SIZE_MAX / 4)
        buckets *= 2;
    corm_statement_cache *cache = corm_calloc(1, sizeof *cache);
    if (!cache)
        return CORM_NO_MEMORY;
    cache->buckets = corm_calloc(buckets, sizeof *cache->buckets);
    if (!cache->buckets || pthread_mutex_init(&cache->lock, NULL)) {
        corm_free(cache->buckets);
        corm_free(cache);
        return CORM_NO_MEMORY;
    }
    cache->bucket_count = buckets;
    cache->capacity = capacity;
    *out = cache;
    return CORM_OK;
}

void corm_cached_unref(corm_cached *cached) {
    if (!cached || atomic_fetch_sub_explicit(&cached->references, 1, memory_order_acq_rel) != 1)
        return;
    if (cached->plan_release)
        cached->plan_release(cached->plan);
    corm_compiled_unref(cached->compiled);
    corm_node_unref(cached->key);
    corm_free((void *)(uintptr_t)cached->same);
    corm_free(cached);
}

/* ---- the list in order of use, and the buckets ---- */

static corm_cached **bucket_of(const corm_statement_cache *cache, uint64_t hash) {
    return &cache->buckets[(size_t)(hash ^ (hash >> 32)) & (cache->bucket_count - 1)];
}

static void list_remove(corm_statement_cache *cache, corm_cached *cached) {
    *(cached->newer ? &cached->newer->older : &cache->newest) = cached->older;
    *(cached->older ? &cached->older->newer : &cache->oldest) = cached->newer;
    cached->newer = cached->older = NULL;
}

static void list_add(corm_statement_cache *cache, corm_cached *cached) {
    cached->newer = NULL;
    cached->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = cached;
    cache->newest = cached;
}

/* Out of the cache; the reference that the cache held is the caller's. */
static void take_out(corm_statement_cache *cache, corm_cached *cached) {
    corm_cached **place = bucket_of(cache, cached->hash);
    while (*place != cached)
        place = &(*place)->next;
    *place = cached->next;
    cached->next = NULL;
    list_remove(cache, cached);
    cache->count--;
}

/* Everything out, as a list through `next`; released by the caller without the lock, for plans may call hooks. */
static corm_cached *take_all(corm_statement_cache *cache) {
    corm_cached *all = NULL;
    while (cache->oldest) {
        corm_cached *cached = cache->oldest;
        take_out(cache, cached);
        cached->next = all;
        all = cached;
    }
    return all;
}

static void release_list(corm_cached *all) {
    while (all) {
        corm_cached *next = all->next;
        all->next = NULL;
        corm_cached_unref(all);
        all = next;
    }
}

void corm_statement_cache_clear(corm_statement_cache *cache) {
    corm_wait_lock(&cache->lock);
    corm_cached *all = take_all(cache);
    pthread_mutex_unlock(&cache->lock);
    release_list(all);
}

void corm_statement_cache_free(corm_statement_cache *cache) {
    if (!cache)
        return;
    release_list(take_all(cache));
    pthread_mutex_destroy(&cache->lock);
    corm_free(cache->buckets);
    corm_free(cache);
}

size_t corm_statement_cache_count(corm_statement_cache *cache) {
    corm_wait_lock(&cache->lock);
    size_t count = cache->count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

void corm_statement_cache_statistics(corm_statement_cache *cache, uint64_t *hits, uint64_t *misses) {
    corm_wait_lock(&cache->lock);
    *hits = cache->hits;
    *misses = cache->misses;
    pthread_mutex_unlock(&cache->lock);
}

uint64_t corm_column_keys_hash(const char *const *keys, size_t count) {
    if (!keys)
        return 0;
    uint64_t hash = corm_hash_mix(1, count);
    for (size_t i = 0; i < count; i++)
        hash = corm_hash_mix(hash, corm_hash_bytes(keys[i], strlen(keys[i])));
    return hash;
}

/* ---- finding ---- */

/* Places that were one bind when compiling must be one now: only the first is read. */
static bool same_places(const corm_cached *cached, const corm_vector *binds) {
    for (size_t i = 0; i < cached->same_count; i++) {
        if (binds->items[cached->same[2 * i]] != binds->items[cached->same[2 * i + 1]])
            return false;
    }
    return true;
}

static uint64_t key_hash(const corm_dialect *dialect, const corm_node *node, uint64_t options) {
    return corm_hash_mix(corm_hash_mix(node->hash, (uint64_t)(uintptr_t)dialect), options);
}

static corm_status find_locked(corm_statement_cache *cache, const corm_dialect *dialect, corm_node *node,
                               uint64_t options, corm_vector *binds, corm_cached **out) {
    uint64_t hash = key_hash(dialect, node, options);
    for (corm_cached *cached = *bucket_of(cache, hash); cached; cached = cached->next) {
        if (cached->hash != hash || cached->dialect != dialect || cached->options != options)
            continue;
        bool matches;
        size_t before = binds->count;
        corm_status status = corm_node_match(cached->key, node, binds, &matches);
        if (status)
            return status;
        if (matches && !before && same_places(cached, binds)) {
            atomic_fetch_add_explicit(&cached->references, 1, memory_order_relaxed);
            *out = cached;
            if (cache->newest != cached) {
                list_remove(cache, cached);
                list_add(cache, cached);
            }
            return CORM_OK;
        }
        binds->count = before;
    }
    return CORM_OK;
}

corm_status corm_statement_cache_find(corm_statement_cache *cache, const corm_dialect *dialect, corm_node *node,
                                      uint64_t options, corm_vector *binds, corm_cached **out) {
    *out = NULL;
    binds->count = 0;
    if (node->flags & CORM_NODE_UNCACHEABLE)
        return CORM_OK;
    corm_wait_lock(&cache->lock);
    corm_status status = find_locked(cache, dialect, node, options, binds, out);
    *(*out ? &cache->hits : &cache->misses) += 1;
    pthread_mutex_unlock(&cache->lock);
    return status;
}

/* ---- keeping ---- */

/* A kept key has no values: they may be large, or hold a user's objects. Literal ones are part of the key. */
static corm_status without_value(void *context, corm_node *node, corm_node **out) {
    (void)context;
    if (!(node->flags & CORM_NODE_HAS_BIND)) {
        *out = corm_node_ref(node);
        return CORM_OK;
    }
    if (node->kind != CORM_NODE_BIND || node->detail & CORM_BIND_LITERAL)
        return CORM_OK;
    *out = corm_bind_stripped(node);
    return *out ? CORM_OK : corm_error_last()->status;
}

static corm_status strip_slots(corm_compiled *compiled) {
    for (size_t i = 0; i < compiled->slot_count; i++) {
        corm_slot *slot = &compiled->slots[i];
        if (slot->source != SLOT_BIND || !slot->bind)
            continue;
        corm_node *stripped = corm_bind_stripped(slot->bind);
        if (!stripped)
            return CORM_NO_MEMORY;
        corm_node_unref(slot->bind);
        slot->bind = stripped;
    }
    corm_node_unref(compiled->statement);
    compiled->statement = NULL;
    return CORM_OK;
}

static int compare_pairs(const void *left, const void *right) {
    const corm_pointer_entry *first = left;
    const corm_pointer_entry *second = right;
    if (first->key != second->key)
        return (uintptr_t)first->key < (uintptr_t)second->key ? -1 : 1;
    return (uintptr_t)first->value < (uintptr_t)second->value ? -1 : 1;
}

/* Which places of the statement's binds hold the same bind. */
static corm_status find_same(corm_cached *cached, const corm_node *node) {
    corm_vector binds = {0};
    corm_pointer_entry *entries = NULL;
    corm_status status = corm_node_collect_binds(node, &binds);
    if (status || binds.count < 2)
        goto done;
    entries = corm_alloc_array(binds.count, sizeof *entries);
    if (!entries) {
        status = CORM_NO_MEMORY;
        goto done;
    }
    for (size_t i = 0; i < binds.count; i++)
        entries[i] = (corm_pointer_entry){binds.items[i], (void *)(uintptr_t)i};
    qsort(entries, binds.count, sizeof *entries, compare_pairs);
    size_t pairs = 0;
    for (size_t i = 1; i < binds.count; i++)
        pairs += entries[i].key == entries[i - 1].key;
    if (!pairs)
        goto done;
    uint32_t *same = corm_alloc_array(2 * pairs, sizeof *same);
    if (!same) {
        status = CORM_NO_MEMORY;
        goto done;
    }
    cached->same = same;
    for (size_t i = 1; i < binds.count; i++) {
        if (entries[i].key != entries[i - 1].key)
            continue;
        same[2 * cached->same_count] = (uint32_t)(uintptr_t)entries[i - 1].value;
        same[2 * cached->same_count + 1] = (uint32_t)(uintptr_t)entries[i].value;
        cached->same_count++;
    }
done:
    corm_free(entries);
    corm_vector_clear(&binds);
    return status;
}

static corm_status fill(corm_cached *cached, corm_node *node, bool keep) {
    if (!keep) {
        cached->key = corm_node_ref(node);
        return CORM_OK;
    }
    corm_status status = find_same(cached, node);
    if (status)
        return status;
    cached->key = corm_node_replace(node, without_value, NULL);
    if (!cached->key && corm_error_last()->status == CORM_NO_MEMORY)
        return CORM_NO_MEMORY;
    /* An extension that cannot be rewritten keeps its values. */
    if (!cached->key)
        cached->key = corm_node_ref(node);
    /* Only while no third party has the compiled statement may it change. */
    unsigned holders = atomic_load_explicit(&cached->compiled->references, memory_order_acquire);
    return holders <= 2 ? strip_slots(cached->compiled) : CORM_OK;
}

corm_status corm_statement_cache_put(corm_statement_cache *cache, const corm_dialect *dialect, corm_node *node,
                                     uint64_t options, corm_compiled *compiled, void *plan,
                                     void (*plan_release)(void *plan), corm_cached **out) {
    *out = NULL;
    corm_cached *cached = corm_calloc(1, sizeof *cached);
    if (!cached) {
        if (plan_release)
            plan_release(plan);
        return CORM_NO_MEMORY;
    }
    atomic_init(&cached->references, 1);
    cached->compiled = corm_compiled_ref(compiled);
    cached->dialect = dialect;
    cached->options = options;
    cached->plan = plan;
    cached->plan_release = plan_release;
    bool keep = !(node->flags & CORM_NODE_UNCACHEABLE);
    corm_status status = fill(cached, node, keep);
    if (status) {
        corm_cached_unref(cached);
        return status;
    }
    *out = cached;
    if (!keep)
        return CORM_OK;
    cached->hash = key_hash(dialect, node, options);
    corm_cached *old = NULL;
    corm_wait_lock(&cache->lock);
    atomic_fetch_add_explicit(&cached->references, 1, memory_order_relaxed);
    corm_cached **bucket = bucket_of(cache, cached->hash);
    cached->next = *bucket;
    *bucket = cached;
    list_add(cache, cached);
    cache->count++;
    if (cache->count > cache->capacity) {
        old = cache->oldest;
        take_out(cache, old);
    }
    pthread_mutex_unlock(&cache->lock);
    corm_cached_unref(old);
    return CORM_OK;
}
