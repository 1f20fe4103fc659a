/* Hashing (XXH3) and uthash with its non-fatal out-of-memory mode. Include this, never uthash.h itself. */
#ifndef CORM_BASE_HASH_H
#define CORM_BASE_HASH_H

#include "base/alloc.h"
#include "base/error.h"

uint64_t corm_hash_bytes(const void *data, size_t size);
static inline uint64_t corm_hash_mix(uint64_t hash, uint64_t value) {
    hash ^= value + 0x9E3779B97F4A7C15ull + (hash << 6) + (hash >> 2);
    hash *= 0xD6E8FEB86659FD93ull;
    return hash ^ (hash >> 32);
}

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size) corm_alloc(size)
#define uthash_free(memory, size) corm_free(memory)
/* After a failed HASH_ADD the added element's hh.tbl is NULL; the error is already set. */
#define uthash_nonfatal_oom(element) ((void)(element))
#include <uthash.h>

#endif
