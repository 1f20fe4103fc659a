/* Creating and dropping the tables of a metadata, in the order of their foreign keys. */
#ifndef CORM_ENGINE_CREATE_H
#define CORM_ENGINE_CREATE_H

#include "engine/engine.h"

/* tables: corm_table *, those to create, or NULL for all. check_first: leave out what is there (or, dropping, what is
 * not). Runs in the connection's transaction; begins and commits one of its own when there is none. */
corm_status corm_create_tables(corm_connection *connection, corm_metadata *metadata, const corm_vector *tables,
                               bool check_first);
corm_status corm_drop_tables(corm_connection *connection, corm_metadata *metadata, const corm_vector *tables,
                             bool check_first);

#endif
