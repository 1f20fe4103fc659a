/* A database of the program's own on a MariaDB server, looked into through Connector/C; see databases.h. */
#include <mysql.h>
#include <unistd.h>

#include "support.h"

static MYSQL *look;
static pid_t owner; /* a forked child leaves it alone */

/* The tests' SQL is the standard's: names in double quotes, || for texts. */
#define STANDARD "SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES,PIPES_AS_CONCAT')"

static void run_on(const char *sql, database_cell cell, void *context) {
    if (mysql_query(look, sql) != 0) {
        fail_msg("%s: %s", sql, mysql_error(look));
    }
    MYSQL_RES *result = mysql_store_result(look);
    if (result == NULL) {
        return; /* no rows */
    }
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        for (unsigned i = 0; cell != NULL && i < mysql_num_fields(result); i++) {
            cell(context, row[i], i == 0);
        }
    }
    mysql_free_result(result);
}

static void connect_to_server(void) {
    char name[64], password[64], host[128];
    unsigned port;
    const char *url = getenv(mariadb_database.variable);
    if (sscanf(url, "%*[^:]://%63[^:@/]:%63[^@]@%127[^:/]:%u", name, password, host, &port) != 4) {
        fail_msg("%s is to be mariadb://USER:PASSWORD@HOST:PORT/DATABASE", mariadb_database.variable);
    }
    look = mysql_init(NULL);
    assert_non_null(look);
    mysql_options(look, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(look, host, name, password, NULL, port, NULL, 0) == NULL) {
        fail_msg("%s", mysql_error(look));
    }
}

static void drop_database(void) {
    char sql[128];
    if (owner == getpid()) {
        snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", database_own());
        run_on(sql, NULL, NULL);
        mysql_close(look);
    }
}

static void mariadb_open(char *url, size_t size) {
    if (look == NULL) {
        char sql[128];
        connect_to_server();
        run_on(STANDARD, NULL, NULL);
        snprintf(sql, sizeof sql, "CREATE DATABASE %s", database_own());
        run_on(sql, NULL, NULL);
        snprintf(sql, sizeof sql, "USE %s", database_own());
        run_on(sql, NULL, NULL);
        owner = getpid();
        atexit(drop_database);
    }
    database_url(database_own(), url, size);
}

static void add_statement(void *context, const char *text, bool first) {
    char *sql = context;
    (void)first;
    snprintf(sql + strlen(sql), 4096 - strlen(sql), "%s`%s`", *sql == '\0' ? "DROP TABLE " : ", ", text);
}

/* Ends what a failed test left open, which would hold locks. */
static void end_one(void *context, const char *text, bool first) {
    (void)first;
    snprintf(context, 64, "KILL %s", text);
}

static void end_others(void) {
    char end[64];
    do {
        end[0] = '\0';
        run_on("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id != CONNECTION_ID() "
               "AND command != 'Killed' LIMIT 1",
               end_one, end);
        if (end[0] != '\0') {
            mysql_query(look, end); /* it may have ended by itself */
        }
    } while (end[0] != '\0');
}

static void mariadb_close(void) {
    char sql[4096] = "";
    end_others();
    run_on("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()", add_statement, sql);
    if (sql[0] != '\0') {
        run_on("SET foreign_key_checks = 0", NULL, NULL);
        run_on(sql, NULL, NULL);
        run_on("SET foreign_key_checks = 1", NULL, NULL);
    }
}

/* Tables that may hold something: with a key handed out, or with keys of other tables only. */
#define USED                                                                                                           \
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND (auto_increment IS NULL OR " \
    "auto_increment > 1)"

typedef struct used_tables {
    char names[32][64];
    size_t count;
} used_tables;

static void add_used(void *context, const char *text, bool first) {
    used_tables *used = context;
    (void)first;
    assert_true(used->count < sizeof used->names / sizeof *used->names);
    snprintf(used->names[used->count++], sizeof *used->names, "%s", text);
}

static void mariadb_empty(void) {
    used_tables used = {.count = 0};
    end_others();
    run_on(USED, add_used, &used);
    run_on("SET foreign_key_checks = 0", NULL, NULL);
    for (size_t i = 0; i < used.count; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "DELETE FROM `%s`", used.names[i]);
        run_on(sql, NULL, NULL);
        snprintf(sql, sizeof sql, "ALTER TABLE `%s` AUTO_INCREMENT = 1", used.names[i]);
        run_on(sql, NULL, NULL);
    }
    run_on("SET foreign_key_checks = 1", NULL, NULL);
}

static void mariadb_run(const char *sql, database_cell cell, void *context) {
    run_on(sql, cell, context);
}

const database mariadb_database = {ON_MARIADB,    "mariadb",  "CORMORANT_TEST_MARIADB", mariadb_open, mariadb_close,
                                   mariadb_empty, mariadb_run};
