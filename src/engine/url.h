/*
 * Database URLs: dialect+driver://user:password@host:port/database?key=value, as users write them.
 *
 * Every part may be percent-escaped. A parsed URL is immutable after it was handed to an engine.
 */
#ifndef CORM_ENGINE_URL_H
#define CORM_ENGINE_URL_H

#include "base/text.h"

typedef struct corm_url_argument {
    char *key;
    char *value;
} corm_url_argument;

typedef struct corm_url {
    char *dialect;  /* "sqlite" */
    char *driver;   /* "pysqlite", or NULL */
    char *username; /* NULL where not given, also the rest */
    char *password;
    char *host;
    int port; /* 0: none */
    char *database;
    corm_url_argument *query;
    size_t query_count;
} corm_url;

/* A query argument that a pool adds for connections which several threads share at once. */
#define CORM_URL_SHARED "corm shared"

/* CORM_ARGUMENT_ERROR: not a URL. *out is owned by the caller. */
corm_status corm_url_parse(const char *text, corm_url **out);
corm_status corm_url_new(const char *dialect, const char *driver, corm_url **out);
corm_status corm_url_add_query(corm_url *url, const char *key, const char *value);
corm_status corm_url_copy(const corm_url *url, corm_url **out);
void corm_url_free(corm_url *url); /* accepts NULL */
/* The value of a query argument, or NULL. */
const char *corm_url_query(const corm_url *url, const char *key);
/* As text; a hidden password is shown as ***. */
void corm_url_render(const corm_url *url, bool hide_password, corm_text *out);

#endif
