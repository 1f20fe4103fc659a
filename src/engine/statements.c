/* The cache of prepared statements: see statements.h. */
#include "engine/statements.h"

#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"

static void unlink_prepared(corm_statements *statements, corm_prepared *prepared) {
    if (prepared->newer != NULL) {
        prepared->newer->older = prepared->older;
    } else {
        statements->newest = prepared->older;
    }
    if (prepared->older != NULL) {
        prepared->older->newer = prepared->newer;
    } else {
        statements->oldest = prepared->newer;
    }
    prepared->newer = prepared->older = NULL;
}

static void link_newest(corm_statements *statements, corm_prepared *prepared) {
    prepared->older = statements->newest;
    prepared->newer = NULL;
    if (statements->newest != NULL) {
        statements->newest->newer = prepared;
    } else {
        statements->oldest = prepared;
    }
    statements->newest = prepared;
}

static void prepared_free(const corm_driver *driver, corm_prepared *prepared) {
    driver->finalize(prepared->statement);
    corm_free(prepared->sql);
    corm_free(prepared);
}

static void forget(corm_statements *statements, corm_prepared *prepared) {
    HASH_DELETE(hh, statements->by_key, prepared);
    unlink_prepared(statements, prepared);
    statements->count--;
    prepared->cached = false;
    if (!prepared->in_use) {
        prepared_free(statements->driver, prepared);
    }
}

/* Too many: the oldest that nobody uses goes. */
static void evict(corm_statements *statements) {
    corm_prepared *oldest = statements->oldest;
    while (oldest != NULL && oldest->in_use) {
        oldest = oldest->newer;
    }
    if (oldest != NULL) {
        forget(statements, oldest);
    }
}

static bool matches(const corm_prepared *prepared, uint64_t id, const char *sql, size_t size) {
    return id != 0 ? prepared->sql == NULL
                   : prepared->sql != NULL && prepared->size == size && memcmp(prepared->sql, sql, size) == 0;
}

/* Keep a new statement; when that fails it is simply not kept. */
static void keep(corm_statements *statements, corm_prepared *prepared) {
    if (statements->count >= statements->capacity) {
        evict(statements);
    }
    corm_prepared *present;
    HASH_FIND(hh, statements->by_key, &prepared->key, sizeof prepared->key, present);
    if (present != NULL) {
        return;
    }
    HASH_ADD(hh, statements->by_key, key, sizeof prepared->key, prepared);
    if (prepared->hh.tbl == NULL) {
        corm_error_clear();
        return;
    }
    link_newest(statements, prepared);
    statements->count++;
    prepared->cached = true;
}

corm_status corm_statements_take(corm_statements *statements, corm_driver_connection *connection, uint64_t id,
                                 const char *sql, size_t size, corm_prepared **out) {
    uint64_t key = id != 0 ? id : corm_hash_bytes(sql, size);
    corm_prepared *prepared;
    *out = NULL;
    HASH_FIND(hh, statements->by_key, &key, sizeof key, prepared);
    if (prepared != NULL && !prepared->in_use && matches(prepared, id, sql, size)) {
        prepared->in_use = true;
        if (statements->newest != prepared) {
            unlink_prepared(statements, prepared);
            link_newest(statements, prepared);
        }
        *out = prepared;
        return CORM_OK;
    }
    prepared = corm_calloc(1, sizeof *prepared);
    if (prepared == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = CORM_OK;
    prepared->key = key;
    prepared->size = size;
    if (id == 0) {
        prepared->sql = corm_strndup(sql, size);
        status = prepared->sql == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    if (status == CORM_OK) {
        status = statements->driver->prepare(connection, sql, size, &prepared->statement);
    }
    if (status != CORM_OK) {
        corm_free(prepared->sql);
        corm_free(prepared);
        return status;
    }
    prepared->in_use = true;
    prepared->made = corm_clock_now();
    keep(statements, prepared);
    *out = prepared;
    return CORM_OK;
}

void corm_statements_give(corm_statements *statements, corm_prepared *prepared) {
    statements->driver->reset(prepared->statement);
    prepared->in_use = false;
    if (!prepared->cached) {
        prepared_free(statements->driver, prepared);
    }
}

void corm_statements_clear(corm_statements *statements, bool abandon) {
    corm_prepared *prepared = statements->newest;
    HASH_CLEAR(hh, statements->by_key);
    statements->newest = statements->oldest = NULL;
    statements->count = 0;
    while (prepared != NULL) {
        corm_prepared *older = prepared->older;
        prepared->cached = false;
        if (!prepared->in_use && abandon) {
            corm_free(prepared->sql);
            corm_free(prepared);
        } else if (!prepared->in_use) {
            prepared_free(statements->driver, prepared);
        }
        prepared = older;
    }
}
