/* The dialects there are, and what they share. */
#ifndef CORM_DIALECT_DIALECTS_H
#define CORM_DIALECT_DIALECTS_H

#include "compile/compiler.h"

extern const corm_dialect corm_dialect_sqlite;
extern const corm_dialect corm_dialect_mysql, corm_dialect_mariadb;
extern const corm_dialect corm_dialect_postgresql;
extern const corm_dialect corm_dialect_plain; /* "default": what str(statement) shows */

/* Standard spellings, for dialects that do not have their own. */
corm_status corm_standard_extract(corm_compiler *compiler, const char *field, corm_node *operand);
const char *corm_standard_function_name(const char *name); /* each as it is */
corm_status corm_standard_result_uuid(const corm_type *type, const corm_value *in, corm_value *out, char *room);
corm_status corm_standard_type_name(const corm_dialect *dialect, const corm_type *type, corm_text *out);
corm_status corm_standard_literal(const corm_dialect *dialect, const corm_type *type, const corm_value *value,
                                  corm_text *out);

/* Truth values where the database has them: 1 and 0 are taken too. */
corm_status corm_standard_bind_boolean(const corm_type *type, const corm_value *in, corm_value *out,
                                       corm_scratch *scratch);

/* SQLite's storage: sqlite_values.c. */
corm_convert_bind corm_sqlite_bind_converter(const corm_type *type);
corm_convert_result corm_sqlite_result_converter(const corm_type *type);
/* MariaDB's and MySQL's: mysql_values.c. */
corm_convert_bind corm_mysql_bind_converter(const corm_type *type);
corm_convert_result corm_mysql_result_converter(const corm_type *type);

/* Live schemas: sqlite_inspect.c, sqlite_source.c, postgresql_inspect.c, mysql_inspect.c. */
corm_status corm_sqlite_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out);
corm_status corm_sqlite_schemas_query(corm_text *out);
corm_status corm_sqlite_inspect_source(corm_arena *arena, corm_found_table *table, unsigned kinds);
corm_status corm_sqlite_type_of_text(const char *text, corm_type **out);
corm_status corm_postgresql_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out);
corm_status corm_postgresql_schemas_query(corm_text *out);
corm_status corm_postgresql_type_of_text(const char *text, corm_type **out);
corm_status corm_mysql_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out);
corm_status corm_mariadb_inspect_query(corm_found_kind kind, const char *schema, size_t names, corm_text *out);
corm_status corm_mysql_schemas_query(corm_text *out);
corm_status corm_mysql_type_of_text(const char *text, corm_type **out);

#endif
