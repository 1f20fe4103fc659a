/* Engines: see engine.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "engine/pool.h"

struct corm_engine {
    atomic_size_t references;
    corm_url *url;
    const corm_dialect *dialect;
    const corm_driver *driver;
    corm_statement_cache *cache;
    corm_engine_hooks hooks;
    atomic_uint echo;      /* 1 << corm_log_kind */
    atomic_uint listening; /* CORM_LISTEN_... */
    bool hide_parameters;
    corm_pool pool;
};

static corm_status set_up(corm_engine *engine, const corm_url *url, const corm_engine_options *options) {
    engine->driver = options->driver != NULL ? options->driver : corm_driver_find(url->dialect, url->driver);
    engine->dialect = engine->driver == NULL ? NULL : corm_dialect_find(url->dialect);
    if (engine->dialect == NULL) {
        return corm_error_last()->status;
    }
    corm_engine_options chosen = *options;
    if (chosen.pool == CORM_POOL_DEFAULT) {
        bool is_private = engine->driver->is_private != NULL && engine->driver->is_private(url);
        chosen.pool = is_private ? CORM_POOL_THREAD : CORM_POOL_QUEUE;
    }
    corm_status status = corm_url_copy(url, &engine->url);
    if (status == CORM_OK && chosen.pool == CORM_POOL_STATIC) {
        status = corm_url_add_query(engine->url, CORM_URL_SHARED, "1");
    }
    if (status == CORM_OK) {
        status = corm_statement_cache_new(chosen.cache_size, &engine->cache);
    }
    engine->hide_parameters = chosen.hide_parameters;
    return status == CORM_OK ? corm_pool_init(&engine->pool, engine, &chosen) : status;
}

corm_status corm_engine_new(const corm_url *url, const corm_engine_options *options, corm_engine **out) {
    static const corm_engine_options none = {0};
    *out = NULL;
    corm_engine *engine = corm_calloc(1, sizeof *engine);
    if (engine == NULL) {
        return CORM_NO_MEMORY;
    }
    atomic_init(&engine->references, 1);
    atomic_init(&engine->echo, 0);
    atomic_init(&engine->listening, 0);
    corm_status status = set_up(engine, url, options == NULL ? &none : options);
    if (status != CORM_OK) {
        corm_statement_cache_free(engine->cache);
        corm_url_free(engine->url);
        corm_free(engine);
        return status;
    }
    if (options != NULL) {
        engine->hooks = options->hooks;
    }
    *out = engine;
    return CORM_OK;
}

corm_engine *corm_engine_ref(corm_engine *engine) {
    atomic_fetch_add_explicit(&engine->references, 1, memory_order_relaxed);
    return engine;
}

void corm_engine_unref(corm_engine *engine) {
    if (engine == NULL || atomic_fetch_sub_explicit(&engine->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    corm_error pending;
    corm_error_take(&pending);
    corm_pool_clear(&engine->pool);
    corm_statement_cache_free(engine->cache);
    corm_url_free(engine->url);
    if (engine->hooks.release != NULL) {
        engine->hooks.release(engine->hooks.context);
    }
    corm_free(engine);
    corm_error_restore(&pending);
}

const corm_dialect *corm_engine_dialect(const corm_engine *engine) {
    return engine->dialect;
}

const corm_driver *corm_engine_driver(const corm_engine *engine) {
    return engine->driver;
}

const corm_url *corm_engine_url(const corm_engine *engine) {
    return engine->url;
}

corm_statement_cache *corm_engine_cache(corm_engine *engine) {
    return engine->cache;
}

void corm_engine_set_echo(corm_engine *engine, corm_log_kind kind, bool on) {
    if (on) {
        atomic_fetch_or(&engine->echo, 1u << kind);
    } else {
        atomic_fetch_and(&engine->echo, ~(1u << kind));
    }
}

bool corm_engine_echo(const corm_engine *engine, corm_log_kind kind) {
    return (atomic_load_explicit(&engine->echo, memory_order_relaxed) >> kind) & 1;
}

bool corm_engine_hides_parameters(const corm_engine *engine) {
    return engine->hide_parameters;
}

void corm_engine_listen(corm_engine *engine, unsigned kinds) {
    atomic_store_explicit(&engine->listening, kinds, memory_order_relaxed);
}

bool corm_engine_is_listened(const corm_engine *engine, unsigned kind) {
    return (atomic_load_explicit(&engine->listening, memory_order_relaxed) & kind) != 0;
}

bool corm_engine_is_sole(const corm_engine *engine) {
    return atomic_load_explicit(&engine->references, memory_order_relaxed) == 1;
}

void corm_engine_log(corm_engine *engine, corm_log_kind kind, const char *format, ...) {
    if (!corm_engine_echo(engine, kind) || engine->hooks.log == NULL) {
        return;
    }
    char room[512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size < sizeof room) {
        engine->hooks.log(engine->hooks.context, kind, room);
        return;
    }
    char *longer = size < 0 ? NULL : corm_alloc((size_t)size + 1);
    if (longer == NULL) {
        corm_error_clear();
        return;
    }
    va_start(arguments, format);
    vsnprintf(longer, (size_t)size + 1, format, arguments);
    va_end(arguments);
    engine->hooks.log(engine->hooks.context, kind, longer);
    corm_free(longer);
}

/* ---- connections of the driver ---- */

corm_status corm_engine_open(corm_engine *engine, corm_driver_connection **out) {
    corm_engine_hooks *hooks = &engine->hooks;
    *out = NULL;
    corm_status status =
        hooks->connect != NULL ? hooks->connect(hooks->context, out) : engine->driver->connect(engine->url, out);
    if (status != CORM_OK) {
        corm_error_add_driver(engine->driver->name);
    }
    if (status == CORM_OK && hooks->connected != NULL) {
        status = hooks->connected(hooks->context, *out);
        if (status != CORM_OK) {
            corm_engine_close(engine, *out);
            *out = NULL;
        }
    }
    if (status == CORM_OK) {
        corm_engine_log(engine, CORM_LOG_POOL, "Created new connection %p", (void *)*out);
    }
    return status;
}

void corm_engine_close(corm_engine *engine, corm_driver_connection *connection) {
    corm_engine_log(engine, CORM_LOG_POOL, "Closing connection %p", (void *)connection);
    if (engine->hooks.closing != NULL) {
        engine->hooks.closing(engine->hooks.context, connection);
    }
    engine->driver->close(connection);
}

corm_pool *corm_engine_pool(corm_engine *engine) {
    return &engine->pool;
}

const corm_engine_hooks *corm_engine_hooks_of(const corm_engine *engine) {
    return &engine->hooks;
}

void corm_engine_dispose(corm_engine *engine) {
    corm_pool_dispose(&engine->pool);
}

corm_pool_kind corm_engine_pool_kind(const corm_engine *engine) {
    return engine->pool.kind;
}

void corm_engine_pool_counts(corm_engine *engine, int *idle, int *in_use, int *size, int *overflow) {
    corm_pool *pool = &engine->pool;
    corm_wait_lock(&pool->mutex);
    *idle = pool->idle_count;
    *in_use = pool->in_use;
    *size = pool->size;
    *overflow = pool->in_use + pool->idle_count - pool->size;
    pthread_mutex_unlock(&pool->mutex);
}
