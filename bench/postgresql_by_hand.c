/*
 * The C face beside libpq by hand on PostgreSQL: rows by their keys, and new rows with their keys back; alternating, medians.
 *
 * By hand, a row by its key is one prepared statement in binary form; new rows are an INSERT that selects from arrays, which
 * is the fastest way that gives keys back (a pipeline of single rows takes some three times as long). Both let go of a row
 * before they ask for the next.
 *
 * usage: postgresql_by_hand URL [ROWS] [KEYS] [ROUNDS]     prints one line of JSON
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cormorant.h>

#include "measure.h"

typedef struct item {
    int64_t id;
    char *name;
    corm_int amount;
} item;

CORM_MAPPING(item, "bench_c_items", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(name, CORM_STRING(50)), CORM_COLUMN(amount, CORM_INTEGER));

enum { TOGETHER = 4096, NAME_ROOM = 24, INT4 = 23, TEXT = 25 };

static void run(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    must(PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK, sql);
    PQclear(result);
}

static int64_t first_key(PGconn *connection) {
    PGresult *result = PQexec(connection, "SELECT min(id) FROM bench_c_items");
    int64_t key = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return key;
}

/* ---- by hand ---- */

static double keys_by_hand(PGconn *connection, int64_t first, int keys) {
    const char *select = "SELECT id, name, amount FROM bench_c_items WHERE id = $1::INTEGER";
    PQclear(PQprepare(connection, "by_key", select, 0, NULL));
    run(connection, "BEGIN");
    double start = now();
    for (int i = 0; i < keys; i++) {
        uint32_t key = htonl((uint32_t)(first + i));
        const char *values[] = {(const char *)&key};
        int lengths[] = {4}, formats[] = {1};
        PGresult *result = PQexecPrepared(connection, "by_key", 1, values, lengths, formats, 1);
        must(PQntuples(result) == 1, "by key");
        item *one = malloc(sizeof *one);
        one->id = (int32_t)ntohl(*(const uint32_t *)(const void *)PQgetvalue(result, 0, 0));
        one->name = strdup(PQgetvalue(result, 0, 1));
        must(one->id == first + i, "key");
        free(one->name);
        free(one);
        PQclear(result);
    }
    double took = now() - start;
    run(connection, "COMMIT");
    run(connection, "DEALLOCATE by_key");
    return took;
}

static char *open_array(char *at, uint32_t type, uint32_t count) {
    uint32_t head[] = {htonl(1), 0, htonl(type), htonl(count), htonl(1)};
    memcpy(at, head, sizeof head);
    return at + sizeof head;
}

static char *put(char *at, const void *bytes, size_t size) {
    uint32_t length = htonl((uint32_t)size);
    memcpy(at, &length, sizeof length);
    memcpy(at + sizeof length, bytes, size);
    return at + sizeof length + size;
}

static void insert_some(PGconn *connection, item *items, int count, char *names, char *amounts) {
    char *name_end = open_array(names, TEXT, (uint32_t)count), *amount_end = open_array(amounts, INT4, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        uint32_t amount = htonl((uint32_t)items[i].amount.value);
        name_end = put(name_end, items[i].name, strlen(items[i].name));
        amount_end = put(amount_end, &amount, sizeof amount);
    }
    const char *values[] = {names, amounts};
    int lengths[] = {(int)(name_end - names), (int)(amount_end - amounts)}, formats[] = {1, 1};
    PGresult *result = PQexecPrepared(connection, "many", 2, values, lengths, formats, 1);
    must(PQntuples(result) == count, "insert");
    for (int i = 0; i < count; i++) {
        items[i].id = (int32_t)ntohl(*(const uint32_t *)(const void *)PQgetvalue(result, i, 0));
    }
    PQclear(result);
}

static double insert_by_hand(PGconn *connection, int rows) {
    char *room = malloc((size_t)rows * NAME_ROOM), *names = malloc(TOGETHER * (NAME_ROOM + 4) + 64);
    char *amounts = malloc(TOGETHER * 8 + 64);
    run(connection, "DELETE FROM bench_c_items");
    PQclear(PQprepare(connection, "many",
                      "INSERT INTO bench_c_items (name, amount) SELECT n, a FROM unnest($1::text[], $2::int4[]) WITH "
                      "ORDINALITY AS rows(n, a, place) ORDER BY place RETURNING id",
                      0, NULL));
    double start = now();
    item *items = calloc((size_t)rows, sizeof *items);
    for (int i = 0; i < rows; i++) {
        items[i].name = room + (size_t)i * NAME_ROOM;
        snprintf(items[i].name, NAME_ROOM, "item %d", i);
        items[i].amount = corm_int_of(i);
    }
    run(connection, "BEGIN");
    for (int i = 0; i < rows; i += TOGETHER) {
        insert_some(connection, items + i, rows - i < TOGETHER ? rows - i : TOGETHER, names, amounts);
    }
    run(connection, "COMMIT");
    double took = now() - start;
    run(connection, "DEALLOCATE many");
    free(items);
    free(names);
    free(amounts);
    free(room);
    return took;
}

/* ---- with Cormorant ---- */

static double keys_of_objects(corm_engine *engine, corm_models *models, int64_t first, int keys) {
    corm_session *session = corm_session_open(engine, models);
    must(corm_get(session, item, first + keys) != NULL, "another"); /* connects and prepares */
    double start = now();
    for (int i = 0; i < keys; i++) {
        item *one = corm_get(session, item, first + i);
        must(one != NULL && one->id == first + i && corm_expunge(session, one) == CORM_OK, "by key");
    }
    double took = now() - start;
    corm_session_end(session);
    return took;
}

static double insert_objects(corm_engine *engine, corm_models *models, int rows) {
    char *names = malloc((size_t)rows * NAME_ROOM);
    corm_session *session = corm_session_open(engine, models);
    int64_t deleted;
    must(corm_delete_all(session, item, NULL, &deleted) == CORM_OK && corm_commit(session) == CORM_OK, "delete");
    double start = now();
    for (int i = 0; i < rows; i++) {
        item *one = corm_new(session, item);
        one->name = names + (size_t)i * NAME_ROOM;
        snprintf(one->name, NAME_ROOM, "item %d", i);
        one->amount = corm_int_of(i);
    }
    must(corm_commit(session) == CORM_OK, "commit");
    double took = now() - start;
    corm_session_end(session);
    free(names);
    return took;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: postgresql_by_hand URL [ROWS] [KEYS] [ROUNDS]\n");
        return 2;
    }
    int rows = argc > 2 ? atoi(argv[2]) : 100000, keys = argc > 3 ? atoi(argv[3]) : 10000;
    int rounds = argc > 4 ? atoi(argv[4]) : 5;
    double *times = calloc((size_t)rounds * 4, sizeof *times);
    corm_models *models = corm_models_new();
    must(corm_models_add(models, item) == CORM_OK, "mapping");
    corm_engine *engine = corm_open(argv[1]);
    must(engine != NULL && corm_create_all(models, engine) == CORM_OK, "create");
    PGconn *connection = PQconnectdb(argv[1]);
    must(PQstatus(connection) == CONNECTION_OK, "connect");
    for (int i = 0; i < rounds; i++) {
        times[i] = insert_by_hand(connection, rows);
        times[rounds + i] = insert_objects(engine, models, rows);
        int64_t first = first_key(connection);
        times[2 * rounds + i] = keys_by_hand(connection, first, keys);
        times[3 * rounds + i] = keys_of_objects(engine, models, first, keys);
    }
    double hand_insert = median(times, rounds), insert = median(times + rounds, rounds);
    double hand_keys = median(times + 2 * rounds, rounds), by_key = median(times + 3 * rounds, rounds);
    printf("{\"rows\": %d, \"c_insert_ms\": %.2f, \"hand_insert_ms\": %.2f, \"c_insert_ratio\": %.2f, \"keys\": %d, "
           "\"c_keys_ms\": %.2f, \"hand_keys_ms\": %.2f, \"c_keys_ratio\": %.2f}\n",
           rows, insert * 1e3, hand_insert * 1e3, insert / hand_insert, keys, by_key * 1e3, hand_keys * 1e3,
           by_key / hand_keys);
    run(connection, "DROP TABLE bench_c_items");
    PQfinish(connection);
    corm_close(engine);
    corm_models_free(models);
    free(times);
    return 0;
}
