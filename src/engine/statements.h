/*
 * The prepared statements of one driver connection, least recently used out first.
 *
 * Keyed by the id of the compiled statement, so that a hit hashes no text, or by the text where there is no id. A
 * statement that a cursor uses is marked and never handed out twice.
 */
#ifndef CORM_ENGINE_STATEMENTS_H
#define CORM_ENGINE_STATEMENTS_H

#include "base/hash.h"
#include "driver/driver.h"

typedef struct corm_prepared {
    uint64_t key; /* the id, or a hash of the text */
    char *sql;    /* kept for those found by text; NULL: found by id */
    size_t size;
    corm_driver_statement *statement;
    int64_t made; /* corm_clock_now(): echo tells its age */
    bool in_use;
    bool cached; /* else it goes when its user is done */
    struct corm_prepared *newer, *older;
    UT_hash_handle hh;
} corm_prepared;

typedef struct corm_statements {
    const corm_driver *driver;
    corm_prepared *by_key; /* uthash */
    corm_prepared *newest, *oldest;
    size_t count, capacity;
} corm_statements;

enum { CORM_STATEMENTS_CAPACITY = 256 };

corm_status corm_statements_take(corm_statements *statements, corm_driver_connection *connection, uint64_t id,
                                 const char *sql, size_t size, corm_prepared **out);
/* Resets the statement. */
void corm_statements_give(corm_statements *statements, corm_prepared *prepared);
/* Finalize all; abandon: forget them without touching the connection. */
void corm_statements_clear(corm_statements *statements, bool abandon);

#endif
