/* See databases.h. */
#include "databases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const database *const all[] = {
    &sqlite_database,
#ifdef CORM_HAVE_POSTGRESQL
    &postgresql_database,
#endif
#ifdef CORM_HAVE_MARIADB
    &mariadb_database,
#endif
};

static void end(const char *name, const char *why) {
    fprintf(stderr, "CORMORANT_TEST_DB=%s: %s\n", name, why);
    exit(2);
}

const database *database_now(void) {
    static const database *found;
    const char *name = getenv("CORMORANT_TEST_DB");
    for (size_t i = 0; found == NULL && i < sizeof all / sizeof *all; i++) {
        if (strcmp(name == NULL || *name == '\0' ? "sqlite" : name, all[i]->name) == 0) {
            found = all[i];
        }
    }
    if (found == NULL) {
        end(name, "there is no such database");
    }
    if (found->variable != NULL && getenv(found->variable) == NULL) {
        end(name, "no server is named: run under tests/servers/run.py");
    }
    return found;
}

void database_url(const char *name, char *url, size_t size) {
    const char *given = getenv(database_now()->variable);
    const char *scheme = strstr(given, "://");
    size_t before = scheme == NULL ? strlen(given) : (size_t)(scheme - given) + 3;
    before += strcspn(given + before, "/?");
    const char *options = strchr(given, '?');
    snprintf(url, size, "%.*s/%s%s", (int)before, given, name, options == NULL ? "" : options);
}

const char *database_own(void) {
    static char name[64];
    if (name[0] == '\0') {
        snprintf(name, sizeof name, "cormorant_c_%ld", (long)getpid());
    }
    return name;
}
