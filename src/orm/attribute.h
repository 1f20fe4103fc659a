/*
 * Reading and changing attributes as a user does: with loading, events, history and the other side.
 *
 * A host's fast paths handle what needs none of this (a loaded value is read; a column that is already
 * recorded as changed is stored again) and call here for the rest.
 */
#ifndef CORM_ORM_ATTRIBUTE_H
#define CORM_ORM_ATTRIBUTE_H

#include "orm/state.h"

/* Make sure that the attribute is loaded if it can be: fetches columns that are expired or deferred, and
 * relationships by their strategy. A transient or pending object's attribute may stay ABSENT (its value is
 * then the language's nothing; an unset collection is made empty). CORM_DETACHED_INSTANCE when it would need a
 * session, CORM_OBJECT_DELETED when the row is gone. */
corm_status corm_attribute_load(corm_state *state, corm_attribute *attribute);

/* Set a column. */
corm_status corm_attribute_set_column(corm_state *state, corm_attribute *attribute, const corm_value *value);
/* Set a reference; object may be NULL. Keeps the other side in step and cascades save-update. */
corm_status corm_attribute_set_reference(corm_state *state, corm_attribute *attribute, corm_object *object);
/* Unset (Python's del). */
corm_status corm_attribute_delete(corm_state *state, corm_attribute *attribute);

/* A collection of the host is about to get or lose an item by the user's hand: fires events (which may replace
 * *item, borrowed in and out), records history, keeps the other side in step and cascades. The host then does
 * the mutation itself. `collection_changing` is called before both. */
corm_status corm_collection_adding(corm_state *state, corm_attribute *attribute, corm_object **item);
corm_status corm_collection_removing(corm_state *state, corm_attribute *attribute, corm_object *item);
/* Replace a whole collection (assignment): events for what comes and goes; then the host's collection_set. */
corm_status corm_collection_replace(corm_state *state, corm_attribute *attribute, corm_object *const *items,
                                    size_t count);
/* Append or remove by an operation of the engine or of a C user: adding/removing and then the host's mutation,
 * or a pending mutation when the collection is not loaded. */
corm_status corm_collection_append(corm_state *state, corm_attribute *attribute, corm_object *item);
corm_status corm_collection_remove(corm_state *state, corm_attribute *attribute, corm_object *item);

#endif
