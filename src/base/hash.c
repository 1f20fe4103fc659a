/* XXH3, the one hash of bytes. */
#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t corm_hash_bytes(const void *data, size_t size) {
    return XXH3_64bits(data, size);
}
