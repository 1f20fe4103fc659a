/* What the files of this folder share. */
#ifndef CORM_SCHEMA_PRIVATE_H
#define CORM_SCHEMA_PRIVATE_H

#include "schema/schema.h"

/* Free a column that no table has, or that its metadata lets go of: its content and itself. */
void corm_column_destroy(corm_column *column);
void corm_table_destroy(corm_table *table);
void corm_constraint_destroy(corm_constraint *constraint);
void corm_index_destroy(corm_index *index);
void corm_foreign_key_destroy(corm_foreign_key *key);
void corm_host_slot_clear(corm_host_slot *slot);
/* Replace *place by a copy; text NULL: by nothing. */
corm_status corm_replace_text(char **place, const char *text);
/* The column got a table: make what its flags and foreign keys imply. */
corm_status corm_table_adopt_implied(corm_table *table, corm_column *column);
/* Intern what a column keeps, once it is the metadata's. */
corm_status corm_column_intern(corm_column *column);

#endif
