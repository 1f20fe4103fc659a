/*
 * The C face beside a hand-written loop over libsqlite3: load and insert the same rows, alternating, medians.
 *
 * usage: load_insert [ROWS] [ROUNDS]     prints one line of JSON
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cormorant.h>

#include "measure.h"

typedef struct item {
    int64_t id;
    char *name;
    corm_int amount;
} item;

CORM_MAPPING(item, "items", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(amount, CORM_INTEGER));

static const char *const path = "/tmp/cormorant-bench.db";

/* ---- by hand ---- */

typedef struct plain {
    int64_t id;
    char *name;
    int64_t amount;
    int is_null;
} plain;

/* Structs in memory, written in one transaction, with their keys put back: what the mapped program does. */
static double insert_by_hand(int rows) {
    sqlite3 *database;
    sqlite3_stmt *statement;
    char *names = malloc((size_t)rows * 24);
    must(sqlite3_open(path, &database) == SQLITE_OK, "open");
    sqlite3_exec(database, "DELETE FROM items", NULL, NULL, NULL);
    double start = now();
    plain *items = malloc(sizeof *items * (size_t)rows);
    for (int i = 0; i < rows; i++) {
        items[i] = (plain){.name = names + (size_t)i * 24, .amount = i};
        snprintf(items[i].name, 24, "item %d", i);
    }
    sqlite3_exec(database, "BEGIN", NULL, NULL, NULL);
    sqlite3_prepare_v2(database, "INSERT INTO items (name, amount) VALUES (?, ?)", -1, &statement, NULL);
    for (int i = 0; i < rows; i++) {
        sqlite3_bind_text(statement, 1, items[i].name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, items[i].amount);
        must(sqlite3_step(statement) == SQLITE_DONE, "insert");
        sqlite3_reset(statement);
        items[i].id = sqlite3_last_insert_rowid(database);
    }
    sqlite3_finalize(statement);
    sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    double took = now() - start;
    sqlite3_close(database);
    must(items[rows - 1].id > 0, "keys");
    free(items);
    free(names);
    return took;
}

static double load_by_hand(int rows) {
    sqlite3 *database;
    sqlite3_stmt *statement;
    must(sqlite3_open(path, &database) == SQLITE_OK, "open");
    double start = now();
    plain *items = malloc(sizeof *items * (size_t)rows);
    int count = 0;
    sqlite3_prepare_v2(database, "SELECT id, name, amount FROM items", -1, &statement, NULL);
    while (sqlite3_step(statement) == SQLITE_ROW && count < rows) {
        plain *one = &items[count++];
        int size = sqlite3_column_bytes(statement, 1);
        one->id = sqlite3_column_int64(statement, 0);
        one->name = malloc((size_t)size + 1);
        memcpy(one->name, sqlite3_column_text(statement, 1), (size_t)size + 1);
        one->is_null = sqlite3_column_type(statement, 2) == SQLITE_NULL;
        one->amount = sqlite3_column_int64(statement, 2);
    }
    sqlite3_finalize(statement);
    double took = now() - start;
    must(count == rows, "load");
    for (int i = 0; i < count; i++) {
        free(items[i].name);
    }
    free(items);
    sqlite3_close(database);
    return took;
}

/* ---- with Cormorant ---- */

static double insert_objects(corm_engine *engine, corm_models *models, int rows) {
    char *names = malloc((size_t)rows * 24);
    corm_session *session = corm_session_open(engine, models);
    int64_t deleted;
    must(corm_delete_all(session, item, NULL, &deleted) == CORM_OK && corm_commit(session) == CORM_OK, "delete");
    double start = now();
    for (int i = 0; i < rows; i++) {
        item *one = corm_new(session, item);
        one->name = names + (size_t)i * 24;
        snprintf(one->name, 24, "item %d", i);
        one->amount = corm_int_of(i);
    }
    must(corm_commit(session) == CORM_OK, "commit");
    double took = now() - start;
    corm_session_end(session);
    free(names);
    return took;
}

static double load_objects(corm_engine *engine, corm_models *models, int rows) {
    corm_session *session = corm_session_open(engine, models);
    double start = now();
    corm_query *query = corm_select(item);
    int count = 0;
    corm_foreach(item, one, session, query) {
        count += one->id != 0;
    }
    double took = now() - start;
    must(count == rows, "load");
    corm_query_free(query);
    corm_session_end(session);
    return took;
}

int main(int argc, char **argv) {
    int rows = argc > 1 ? atoi(argv[1]) : 100000, rounds = argc > 2 ? atoi(argv[2]) : 7;
    double *times = calloc((size_t)rounds * 4, sizeof *times);
    char url[128];
    unlink(path);
    snprintf(url, sizeof url, "sqlite:///%s", path);
    corm_models *models = corm_models_new();
    must(corm_models_add(models, item) == CORM_OK, "mapping");
    corm_engine *engine = corm_open(url);
    must(engine != NULL && corm_create_all(models, engine) == CORM_OK, "create");
    for (int i = 0; i < rounds; i++) {
        times[i] = insert_by_hand(rows);
        times[rounds + i] = insert_objects(engine, models, rows);
        times[2 * rounds + i] = load_by_hand(rows);
        times[3 * rounds + i] = load_objects(engine, models, rows);
    }
    double hand_insert = median(times, rounds), insert = median(times + rounds, rounds);
    double hand_load = median(times + 2 * rounds, rounds), load = median(times + 3 * rounds, rounds);
    printf("{\"rows\": %d, \"c_insert_ms\": %.2f, \"hand_insert_ms\": %.2f, \"c_insert_ratio\": %.2f, "
           "\"c_load_ms\": %.2f, \"hand_load_ms\": %.2f, \"c_load_ratio\": %.2f}\n",
           rows, insert * 1e3, hand_insert * 1e3, insert / hand_insert, load * 1e3, hand_load * 1e3, load / hand_load);
    corm_close(engine);
    corm_models_free(models);
    free(times);
    unlink(path);
    return 0;
}
