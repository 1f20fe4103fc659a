/* A database of the program's own on a PostgreSQL server, looked into through libpq; see databases.h. */
#include <libpq-fe.h>
#include <unistd.h>

#include "support.h"

static PGconn *look;
static pid_t owner; /* a forked child leaves it alone */

static void say_nothing(void *context, const char *notice) {
    (void)context;
    (void)notice;
}

static PGconn *connect_to(const char *name) {
    char url[512];
    database_url(name, url, sizeof url);
    PGconn *made = PQconnectdb(url);
    if (PQstatus(made) != CONNECTION_OK) {
        fail_msg("%s", PQerrorMessage(made));
    }
    PQsetNoticeProcessor(made, say_nothing, NULL);
    return made;
}

static void run_on(PGconn *connection, const char *sql, database_cell cell, void *context) {
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    char *words = strdup(PQresultErrorMessage(result));
    for (int row = 0; cell != NULL && row < PQntuples(result); row++) {
        for (int i = 0; i < PQnfields(result); i++) {
            cell(context, PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i), i == 0);
        }
    }
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        print_error("%s\n%s", sql, words);
        free(words);
        fail();
    }
    free(words);
}

static void drop_database(void) {
    char sql[128];
    if (owner != getpid()) {
        return;
    }
    PQfinish(look);
    PGconn *admin = connect_to("postgres");
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", database_own());
    run_on(admin, sql, NULL, NULL);
    PQfinish(admin);
}

static void postgresql_open(char *url, size_t size) {
    if (look == NULL) {
        char sql[128];
        PGconn *admin = connect_to("postgres");
        snprintf(sql, sizeof sql, "CREATE DATABASE %s", database_own());
        run_on(admin, sql, NULL, NULL);
        PQfinish(admin);
        look = connect_to(database_own());
        owner = getpid();
        atexit(drop_database);
    }
    database_url(database_own(), url, size);
}

/* What a failed test left open would hold locks. */
static void end_others(void) {
    run_on(look,
           "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
           "WHERE datname = current_database() AND pid != pg_backend_pid() AND state != 'idle'",
           NULL, NULL);
}

static void postgresql_close(void) {
    end_others();
    run_on(look, "DROP SCHEMA public CASCADE; CREATE SCHEMA public", NULL, NULL);
}

static void postgresql_empty(void) {
    end_others();
    run_on(look,
           "DO $$ DECLARE one record; BEGIN "
           "SET LOCAL session_replication_role = replica; "
           "FOR one IN SELECT oid::regclass AS name, relkind FROM pg_class "
           "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') LOOP "
           "IF one.relkind = 'r' THEN EXECUTE 'DELETE FROM ' || one.name; "
           "ELSE PERFORM setval(one.name, 1, false); END IF; END LOOP; END $$",
           NULL, NULL);
}

static void postgresql_run(const char *sql, database_cell cell, void *context) {
    run_on(look, sql, cell, context);
}

const database postgresql_database = {ON_POSTGRESQL,   "postgresql",     "CORMORANT_TEST_POSTGRESQL",
                                      postgresql_open, postgresql_close, postgresql_empty,
                                      postgresql_run};
