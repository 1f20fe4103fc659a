/* Pools: see pool.h. */
#include "engine/pool.h"

#include "base/alloc.h"
#include "base/wait.h"

static const int default_size = 5, default_overflow = 10;
static const double default_timeout = 30;

static atomic_uint forks;
static pthread_once_t count_forks_once = PTHREAD_ONCE_INIT;

static void count_fork(void) {
    atomic_fetch_add_explicit(&forks, 1, memory_order_relaxed);
}

static void count_forks(void) {
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned corm_fork_count(void) {
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

corm_status corm_pool_init(corm_pool *pool, corm_engine *engine, const corm_engine_options *options) {
    pthread_condattr_t monotonic;
    pthread_once(&count_forks_once, count_forks);
    *pool = (corm_pool){.engine = engine,
                        .kind = options->pool,
                        .recycle = options->pool_recycle,
                        .pre_ping = options->pool_pre_ping,
                        .fifo = options->pool_fifo,
                        .process = corm_fork_count()};
    pool->size = options->pool_size == 0 ? default_size : options->pool_size < 0 ? 0 : options->pool_size;
    pool->overflow = options->overflow_given ? options->max_overflow : default_overflow;
    pool->timeout = options->pool_timeout == 0  ? default_timeout
                    : options->pool_timeout < 0 ? 0
                                                : options->pool_timeout;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->returned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return CORM_OK;
}

/* ---- records ---- */

static bool is_inherited(const corm_record *record) {
    return record->process != corm_fork_count();
}

static void record_free(corm_pool *pool, corm_record *record) {
    bool inherited = is_inherited(record);
    corm_statements_clear(&record->statements, inherited);
    if (inherited) {
        corm_engine_driver(pool->engine)->abandon(record->connection);
    } else {
        corm_engine_close(pool->engine, record->connection);
    }
    corm_free(record);
}

static corm_status record_new(corm_pool *pool, corm_record **out) {
    *out = corm_calloc(1, sizeof **out);
    if (*out == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = corm_engine_open(pool->engine, &(*out)->connection);
    if (status != CORM_OK) {
        corm_free(*out);
        *out = NULL;
        return status;
    }
    (*out)->statements.driver = corm_engine_driver(pool->engine);
    (*out)->statements.capacity = CORM_STATEMENTS_CAPACITY;
    (*out)->opened = corm_clock_now();
    (*out)->generation = pool->generation;
    (*out)->process = corm_fork_count();
    (*out)->thread = pthread_self();
    return CORM_OK;
}

static bool is_lost(const corm_pool *pool, const corm_record *record) {
    return !corm_engine_driver(pool->engine)->is_usable(record->connection);
}

static bool is_stale(const corm_pool *pool, const corm_record *record) {
    return record->generation != pool->generation || is_inherited(record) ||
           (pool->recycle > 0 && (double)(corm_clock_now() - record->opened) / 1e9 > pool->recycle) ||
           is_lost(pool, record);
}

/* Whether the server still answers; asked with pool_pre_ping. What else goes wrong is an error. */
static corm_status ping(const corm_pool *pool, corm_record *record, bool *answers) {
    static const char question[] = "SELECT 1";
    const corm_driver *driver = corm_engine_driver(pool->engine);
    corm_prepared *prepared;
    bool has_row = false;
    corm_status status =
        corm_statements_take(&record->statements, record->connection, 0, question, sizeof question - 1, &prepared);
    if (status == CORM_OK) {
        status = driver->execute(prepared->statement, &has_row);
        corm_statements_give(&record->statements, prepared);
    }
    *answers = status == CORM_OK;
    if (status == CORM_NO_MEMORY || status == CORM_INTERRUPTED) {
        return status;
    }
    corm_error_clear();
    return CORM_OK;
}

/* With the mutex held: what one connection lost, the others of its time have lost too. */
static void distrust(corm_pool *pool) {
    pool->generation++;
}

/* A list of records that were taken out of the pool: closing them runs hooks, so the mutex is not held. */
static void free_list(corm_pool *pool, corm_record *list) {
    while (list != NULL) {
        corm_record *next = list->next;
        record_free(pool, list);
        list = next;
    }
}

/* With the mutex held: in a forked child, begin anew. The parent's connections in use are lost to nobody here. */
static corm_record *leave_parent(corm_pool *pool) {
    corm_record *inherited = NULL;
    if (pool->process != corm_fork_count()) {
        inherited = pool->idle;
        pool->idle = NULL;
        pool->idle_count = pool->in_use = 0;
        pool->first_waiter = pool->last_waiter = NULL;
        pool->process = corm_fork_count();
    }
    return inherited;
}

/* ---- queues ---- */

static corm_record *pop_idle(corm_pool *pool) {
    corm_record **link = &pool->idle;
    while (pool->fifo && *link != NULL && (*link)->next != NULL) {
        link = &(*link)->next;
    }
    corm_record *record = *link;
    if (record != NULL) {
        *link = record->next;
        record->next = NULL;
        pool->idle_count--;
    }
    return record;
}

static bool may_open(const corm_pool *pool) {
    return pool->kind == CORM_POOL_NULL || pool->overflow < 0 ||
           pool->in_use + pool->idle_count < pool->size + pool->overflow;
}

static corm_status timed_out(const corm_pool *pool) {
    return corm_error_set(CORM_TIMEOUT,
                          "QueuePool limit of size %d overflow %d reached, connection timed out, timeout %.2f: is a "
                          "connection or session not closed?",
                          pool->size, pool->overflow, pool->timeout);
}

static void leave_queue(corm_pool *pool, const corm_waiter *waiter) {
    corm_waiter **link = &pool->first_waiter;
    corm_waiter *before = NULL;
    while (*link != waiter) {
        before = *link;
        link = &(*link)->next;
    }
    *link = waiter->next;
    if (pool->last_waiter == waiter) {
        pool->last_waiter = before;
    }
    pthread_cond_broadcast(&pool->returned);
}

/* With the mutex held: wait for our turn and for room. */
static corm_status wait_for_room(corm_pool *pool) {
    corm_status status = CORM_OK;
    corm_waiter waiter = {NULL};
    if (pool->first_waiter == NULL && (pool->idle_count > 0 || may_open(pool))) {
        return CORM_OK;
    }
    if (pool->last_waiter != NULL) {
        pool->last_waiter->next = &waiter;
    } else {
        pool->first_waiter = &waiter;
    }
    pool->last_waiter = &waiter;
    int64_t deadline = corm_clock_now() + (int64_t)(pool->timeout * 1e9);
    while (status == CORM_OK && !(pool->first_waiter == &waiter && (pool->idle_count > 0 || may_open(pool)))) {
        status = corm_wait_condition(&pool->returned, &pool->mutex, deadline);
    }
    leave_queue(pool, &waiter);
    return status == CORM_TIMEOUT ? timed_out(pool) : status;
}

static corm_status take_queued(corm_pool *pool, corm_record **out) {
    corm_wait_lock(&pool->mutex);
    corm_record *discarded = leave_parent(pool);
    corm_status status = wait_for_room(pool);
    if (status == CORM_OK) {
        *out = pop_idle(pool);
        pool->in_use++;
    }
    pthread_mutex_unlock(&pool->mutex);
    free_list(pool, discarded);
    if (status != CORM_OK) {
        return status;
    }
    bool answers = true, stale = *out != NULL && is_stale(pool, *out);
    if (*out != NULL && !stale && pool->pre_ping) {
        status = ping(pool, *out, &answers);
    }
    if (!answers) {
        corm_wait_lock(&pool->mutex);
        distrust(pool);
        pthread_mutex_unlock(&pool->mutex);
    }
    if (stale || !answers) {
        record_free(pool, *out);
        *out = NULL;
    }
    if (status == CORM_OK && *out == NULL) {
        status = record_new(pool, out);
    }
    if (status != CORM_OK) {
        corm_wait_lock(&pool->mutex);
        pool->in_use--;
        pthread_cond_broadcast(&pool->returned);
        pthread_mutex_unlock(&pool->mutex);
    }
    return status;
}

static void give_queued(corm_pool *pool, corm_record *record, bool keep) {
    corm_wait_lock(&pool->mutex);
    bool inherited = is_inherited(record);
    pool->in_use -= inherited ? 0 : 1;
    if (!keep && !inherited && record->generation == pool->generation && is_lost(pool, record)) {
        distrust(pool);
    }
    keep = keep && !inherited && pool->kind != CORM_POOL_NULL && pool->idle_count < pool->size &&
           record->generation == pool->generation;
    if (keep) {
        record->next = pool->idle;
        pool->idle = record;
        pool->idle_count++;
    }
    if (pool->first_waiter != NULL) {
        pthread_cond_broadcast(&pool->returned);
    }
    pthread_mutex_unlock(&pool->mutex);
    if (!keep) {
        record_free(pool, record);
    }
}

/* ---- shared connections: one for everybody, or one a thread ---- */

static bool suits(const corm_pool *pool, const corm_record *record) {
    return record->generation == pool->generation &&
           (pool->kind == CORM_POOL_STATIC || pthread_equal(record->thread, pthread_self()));
}

static corm_status take_shared(corm_pool *pool, corm_record **out) {
    corm_wait_lock(&pool->mutex);
    corm_record *inherited = leave_parent(pool);
    corm_record *record = pool->idle;
    while (record != NULL && !suits(pool, record)) {
        record = record->next;
    }
    if (record != NULL) {
        record->users++;
        pool->in_use++;
    }
    pthread_mutex_unlock(&pool->mutex);
    free_list(pool, inherited);
    if (record != NULL) {
        *out = record;
        return CORM_OK;
    }
    corm_status status = record_new(pool, out);
    if (status != CORM_OK) {
        return status;
    }
    corm_wait_lock(&pool->mutex);
    (*out)->users = 1;
    (*out)->next = pool->idle;
    pool->idle = *out;
    pool->idle_count++;
    pool->in_use++;
    pthread_mutex_unlock(&pool->mutex);
    return CORM_OK;
}

static void give_shared(corm_pool *pool, corm_record *record, bool keep) {
    corm_wait_lock(&pool->mutex);
    record->users--;
    pool->in_use--;
    keep = keep && record->generation == pool->generation && !is_inherited(record);
    bool last = record->users == 0 && !keep;
    for (corm_record **link = &pool->idle; last && *link != NULL; link = &(*link)->next) {
        if (*link == record) {
            *link = record->next;
            pool->idle_count--;
            break;
        }
    }
    if (!keep && !last) {
        record->generation = UINT64_MAX; /* the last user closes it; nobody new gets it */
    }
    pthread_mutex_unlock(&pool->mutex);
    if (last) {
        record_free(pool, record);
    }
}

static bool is_shared(const corm_pool *pool) {
    return pool->kind == CORM_POOL_STATIC || pool->kind == CORM_POOL_THREAD;
}

corm_status corm_pool_take(corm_pool *pool, corm_record **out) {
    *out = NULL;
    return is_shared(pool) ? take_shared(pool, out) : take_queued(pool, out);
}

void corm_pool_give(corm_pool *pool, corm_record *record, bool keep) {
    if (is_shared(pool)) {
        give_shared(pool, record, keep);
    } else {
        give_queued(pool, record, keep);
    }
}

void corm_pool_dispose(corm_pool *pool) {
    corm_wait_lock(&pool->mutex);
    corm_record *discarded = leave_parent(pool);
    corm_record **link = &pool->idle;
    pool->generation++;
    while (*link != NULL) {
        corm_record *record = *link;
        if (record->users > 0) {
            link = &record->next;
            continue;
        }
        *link = record->next;
        pool->idle_count--;
        record->next = discarded;
        discarded = record;
    }
    pthread_mutex_unlock(&pool->mutex);
    free_list(pool, discarded);
}

void corm_pool_clear(corm_pool *pool) {
    corm_pool_dispose(pool);
    free_list(pool, pool->idle);
    pool->idle = NULL;
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->mutex);
}
