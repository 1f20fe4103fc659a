/* DDL as text. The order of execution is the engine's: see corm_metadata_sorted_tables(). All append to `out`. */
#ifndef CORM_COMPILE_DDL_H
#define CORM_COMPILE_DDL_H

#include "dialect/dialect.h"

enum { CORM_DDL_IF_NOT_EXISTS = 1u << 0, CORM_DDL_IF_EXISTS = 1u << 0 };

/* CREATE TABLE with its constraints; `without` (may be NULL) lists foreign key constraints to leave out, those of
 * cycles, which the engine adds with ALTER TABLE where the dialect supports it. Indexes are statements of their own. */
corm_status corm_ddl_create_table(const corm_dialect *dialect, corm_table *table, uint32_t flags,
                                  const corm_vector *without, corm_text *out);
corm_status corm_ddl_drop_table(const corm_dialect *dialect, corm_table *table, uint32_t flags, corm_text *out);
corm_status corm_ddl_create_index(const corm_dialect *dialect, const corm_index *index, uint32_t flags, corm_text *out);
corm_status corm_ddl_drop_index(const corm_dialect *dialect, const corm_index *index, uint32_t flags, corm_text *out);
/* ALTER TABLE t ADD CONSTRAINT ... and DROP CONSTRAINT; needs a name. */
corm_status corm_ddl_add_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out);
corm_status corm_ddl_drop_constraint(const corm_dialect *dialect, const corm_constraint *constraint, corm_text *out);
/* One column's line of CREATE TABLE, as ALTER TABLE ADD COLUMN wants it too. */
corm_status corm_ddl_column(const corm_dialect *dialect, corm_column *column, corm_text *out);

#endif
