/* UPDATE and DELETE of many rows through a session, with the objects it has kept in step. */
#ifndef CORM_ORM_BULK_H
#define CORM_ORM_BULK_H

#include "orm/query.h"

/* Run it, and bring the session's objects of those rows in step: changed columns are expired, deleted objects leave. */
corm_status corm_bulk_execute(corm_session *session, corm_node *statement, const corm_parameters *sets,
                              size_t set_count, const corm_execute_options *options, corm_result **out);
/* Without autoflush and without keeping objects in step. */
corm_status corm_session_execute_plain(corm_session *session, corm_node *statement, const corm_parameters *sets,
                                       size_t set_count, const corm_execute_options *options, corm_result **out);

#endif
