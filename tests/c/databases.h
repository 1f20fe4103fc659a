/*
 * The database that the C suites run on: CORMORANT_TEST_DB=sqlite (the default), postgresql or mariadb.
 *
 * Servers are named by CORMORANT_TEST_POSTGRESQL and CORMORANT_TEST_MARIADB, as tests/servers/run.py sets them. A program
 * makes a database of its own there, gone when the program ends, and each test gets it empty. Beside the engine's
 * connections stands one of the client library's own: it empties the database, and it looks into it for the tests.
 */
#ifndef CORM_TEST_DATABASES_H
#define CORM_TEST_DATABASES_H

#include <stdbool.h>
#include <stddef.h>

typedef enum database_kind { ON_SQLITE = 1, ON_POSTGRESQL = 2, ON_MARIADB = 4 } database_kind;

/* One cell of an answer. first: of its row. */
typedef void (*database_cell)(void *context, const char *text, bool first);

typedef struct database {
    database_kind kind;
    const char *name;
    const char *variable; /* that has the server's URL; NULL: none is needed */
    /* An empty database, and its URL for the engine. */
    void (*open)(char *url, size_t size);
    /* After the test: nothing is left. */
    void (*close)(void);
    /* The same, but tables stay, empty and with keys that begin at 1: much faster on a server. NULL: close() is fast. */
    void (*empty)(void);
    /* Run SQL over a connection of its own. What fails, fails the test in the database's words. */
    void (*run)(const char *sql, database_cell cell, void *context);
} database;

extern const database sqlite_database, postgresql_database, mariadb_database;

/* The one of this run. Ends the program if there is none of that name. */
const database *database_now(void);
/* The server's URL with another database in it. */
void database_url(const char *name, char *url, size_t size);
/* A name for this program's own database. */
const char *database_own(void);

#endif
