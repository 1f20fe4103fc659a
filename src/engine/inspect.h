/* Looking at a live schema. */
#ifndef CORM_ENGINE_INSPECT_H
#define CORM_ENGINE_INSPECT_H

#include "engine/result.h"

/* schema NULL: the default one. */
corm_status corm_inspect_has_table(corm_connection *connection, const char *schema, const char *name, bool *out);
/* Names in alphabetical order, appended: each a string owned by the caller (corm_free). */
corm_status corm_inspect_table_names(corm_connection *connection, const char *schema, corm_vector *out);

#endif
