/* Looking at a live schema. A connection is used by one thread at a time; what was found belongs to its owner. */
#ifndef CORM_ENGINE_INSPECT_H
#define CORM_ENGINE_INSPECT_H

#include "dialect/inspect.h"
#include "engine/result.h"

/* Tables, views and sequences of a schema, in the catalogue's order of names. */
typedef struct corm_found {
    corm_arena arena; /* all of it */
    corm_found_table *tables;
    struct corm_found_table **by_place; /* sorted by name */
    size_t count;
} corm_found;

/* schema NULL: the default one. */
corm_status corm_inspect_has_table(corm_connection *connection, const char *schema, const char *name, bool *out);
/* Names in alphabetical order, appended: each a string owned by the caller (corm_free). */
corm_status corm_inspect_table_names(corm_connection *connection, const char *schema, corm_vector *out);
/* Names of schemas, appended as above. */
corm_status corm_inspect_schema_names(corm_connection *connection, corm_vector *out);
/* The default schema's name: owned by the caller, NULL when there is none. */
corm_status corm_inspect_default_schema(corm_connection *connection, char **out);

/* Describe the relations of these names, or with a count of 0 all of the schema; names that are not there are left out.
 * kinds: bits (CORM_FOUND_BIT) of what is wanted beside the relations themselves; each costs one query, whatever the
 * count. *out is owned by the caller (corm_found_free). */
corm_status corm_inspect_tables(corm_connection *connection, const char *schema, const char *const *names, size_t count,
                                unsigned kinds, corm_found **out);
void corm_found_free(corm_found *found); /* accepts NULL */
/* By exact name; NULL (no error set) when it is not there. */
corm_found_table *corm_found_table_named(const corm_found *found, const char *name);

#endif
