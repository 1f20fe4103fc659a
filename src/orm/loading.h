/*
 * Loading what is not there: columns, relationships, objects by key. For the files of the ORM; all are called with the
 * session entered.
 */
#ifndef CORM_ORM_LOADING_H
#define CORM_ORM_LOADING_H

#include "orm/options.h"
#include "orm/session.h"

/* Fetch columns of a persistent state: those given and, with them, all others that are absent and not deferred. What was
 * changed meanwhile stays. CORM_OBJECT_DELETED when the row is gone. */
corm_status corm_load_columns(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                              size_t count);
/* All expired columns: is the row still there? */
corm_status corm_load_expired(corm_session *session, corm_state *state);
/* Session.refresh(): attributes NULL: all columns and the eagerly loaded relationships; else these.
 * CORM_INVALID_REQUEST when the row is gone. */
corm_status corm_load_refresh(corm_session *session, corm_state *state, corm_attribute *const *attributes,
                              size_t count);
/* Load a relationship by its strategy and store it; what was added and removed while it was not loaded is worked in. */
corm_status corm_load_relationship(corm_session *session, corm_state *state, corm_attribute *attribute);
/* What a many-to-one reference would load, if the identity map knows it: retained in *out, else NULL. No SQL. */
corm_status corm_load_peek(corm_session *session, corm_state *state, corm_attribute *attribute, corm_object **out);
/* One object by its primary key from the database; retained in *out, NULL when there is none. */
corm_status corm_load_by_key(corm_session *session, corm_mapper *mapper, const corm_value *values, size_t count,
                             corm_load_options *options, bool populate_existing, corm_object **out);

/* Set a state's key from its object's attributes. CORM_INVALID_REQUEST when one has no value. */
corm_status corm_state_key_from_object(corm_state *state);

#endif
