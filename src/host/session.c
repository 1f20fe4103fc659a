/* Sessions, references and collections of the C face: see cormorant/session.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "host/object.h"
#include "orm/session_private.h"

/* ---- engines ---- */

typedef struct echo_hook {
    corm_echo echo;
    void *context;
} echo_hook;

static void log_line(void *context, corm_log_kind kind, const char *message) {
    const echo_hook *hook = context;
    (void)kind;
    if (hook->echo != NULL) {
        hook->echo(hook->context, message);
    } else {
        fprintf(stderr, "%s\n", message);
    }
}

static corm_status open_engine(const char *url, const corm_engine_options *options, corm_engine **out) {
    corm_url *parsed;
    *out = NULL;
    if (url == NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "the database's URL is NULL");
    }
    corm_status status = corm_url_parse(url, &parsed);
    if (status == CORM_OK) {
        status = corm_engine_new(parsed, options, out);
        corm_url_free(parsed);
    }
    return status;
}

corm_engine *corm_open(const char *url) {
    corm_engine *engine;
    return open_engine(url, NULL, &engine) == CORM_OK ? engine : NULL;
}

corm_status corm_open_with_echo(const char *url, corm_echo echo, void *context, corm_engine **out) {
    echo_hook *hook = corm_alloc(sizeof *hook);
    *out = NULL;
    if (hook == NULL) {
        return CORM_NO_MEMORY;
    }
    *hook = (echo_hook){echo, context};
    corm_engine_options options = {.hooks = {.context = hook, .log = log_line, .release = corm_free}};
    corm_status status = open_engine(url, &options, out);
    if (status != CORM_OK) {
        corm_free(hook);
        return status;
    }
    corm_engine_set_echo(*out, CORM_LOG_ENGINE, true);
    return CORM_OK;
}

void corm_close(corm_engine *engine) {
    corm_engine_unref(engine);
}

/* ---- sessions ---- */

corm_session *corm_session_open(corm_engine *engine, corm_models *models) {
    corm_session *session = NULL;
    c_session *own = corm_calloc(1, sizeof *own);
    corm_session_options options = {
        .keep_on_commit = true, .strong = true, .host = own, .host_functions = &corm_c_host};
    corm_status status = own == NULL ? CORM_NO_MEMORY : corm_registry_configure(models->registry);
    if (status == CORM_OK) {
        status = corm_session_new(engine, &options, &session);
    }
    if (status != CORM_OK) {
        corm_free(own);
        return NULL;
    }
    corm_session_listen(session, CORM_EVENT_AFTER_FLUSH_POSTEXEC | CORM_EVENT_AFTER_SOFT_ROLLBACK |
                                     CORM_EVENT_AFTER_COMMIT | CORM_EVENT_BEFORE_ATTACH |
                                     CORM_EVENT_PERSISTENT_TO_DETACHED | CORM_EVENT_PENDING_TO_TRANSIENT |
                                     CORM_EVENT_PERSISTENT_TO_TRANSIENT);
    return session;
}

/* Objects that went into another session meanwhile are left alone. */
static void cut_all(corm_vector *objects) {
    for (size_t i = 0; i < objects->count; i++) {
        c_object *object = c_object_from(objects->items[i]);
        object->state.flags &= ~(uint32_t)C_STATE_LEFT;
        if (object->state.session == NULL) {
            c_object_cut(object);
        }
    }
    corm_objects_release(&corm_c_host, objects);
}

void corm_session_end(corm_session *session) {
    corm_vector objects = {0};
    if (session == NULL) {
        return;
    }
    if (corm_session_is_busy(session)) {
        corm_error_set(CORM_INVALID_REQUEST,
                       "the session cannot end inside of one of its operations: return from the hook "
                       "first, or let the other thread finish");
        return;
    }
    /* Short of memory, those that were not listed are lost to the process, never to the database. */
    if (corm_session_objects(session, CORM_SESSION_ALL, &objects) != CORM_OK) {
        corm_error_clear();
    }
    c_session *own = corm_session_host(session);
    while (own->queries.count > 0) {
        corm_query_rewind(own->queries.items[own->queries.count - 1]);
    }
    corm_session_free(session);
    cut_all(&objects);
    cut_all(&own->left);
    c_session_forget(own);
    corm_vector_clear(&own->retired);
    corm_vector_clear(&own->queries);
    corm_slab_close(&own->objects);
    corm_free(own);
}

corm_status corm_set_isolation(corm_session *session, const char *level) {
    corm_characteristics wanted = {0};
    if (session->connection != NULL) {
        return corm_error_set(CORM_INVALID_REQUEST, "the session has a transaction under way, which has its isolation "
                                                    "level: commit or roll back first");
    }
    if (level != NULL && strlen(level) >= sizeof wanted.isolation) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "there is no isolation level of such a length");
    }
    snprintf(wanted.isolation, sizeof wanted.isolation, "%s", level == NULL ? "" : level);
    corm_session_characterize(session, &wanted);
    return CORM_OK;
}

corm_status corm_fail(corm_status status, const char *format, ...) {
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return corm_error_set(status, "%s", message);
}

void *corm_object_new(corm_session *session, corm_mapping *mapping) {
    corm_mapper *mapper = c_mapper_of(mapping);
    c_object *object;
    if (mapper == NULL || corm_mapper_configure(mapper) != CORM_OK ||
        c_object_new(session, mapper, &object) != CORM_OK) {
        return NULL;
    }
    c_object_mark_new(object);
    corm_status status = corm_session_add(session, c_object_handle(object), &corm_c_host);
    corm_c_host.release(c_object_handle(object)); /* the session holds it, or nobody does */
    return status == CORM_OK ? c_object_struct(object) : NULL;
}

void *corm_object_get_by(corm_session *session, corm_mapping *mapping, const corm_value *keys, size_t count) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_object *handle = NULL;
    if (mapper == NULL || corm_session_get(session, mapper, keys, count, NULL, false, &handle) != CORM_OK) {
        return NULL;
    }
    corm_error_clear();
    if (handle == NULL) {
        return NULL;
    }
    void *object = c_object_struct(c_object_from(handle));
    corm_c_host.release(handle); /* the session holds it */
    return object;
}

void *corm_object_get(corm_session *session, corm_mapping *mapping, int64_t key) {
    corm_value value = corm_value_integer(key);
    return corm_object_get_by(session, mapping, &value, 1);
}

corm_status corm_delete(corm_session *session, void *object) {
    c_object *known = c_object_of(object);
    return known == NULL ? CORM_UNMAPPED_INSTANCE : corm_session_delete(session, c_object_handle(known), &corm_c_host);
}

corm_status corm_add(corm_session *session, void *object) {
    c_object *known = c_object_of(object);
    return known == NULL ? CORM_UNMAPPED_INSTANCE : corm_session_add(session, c_object_handle(known), &corm_c_host);
}

corm_status corm_refresh(corm_session *session, void *object) {
    c_object *known = c_object_of(object);
    if (known == NULL) {
        return CORM_UNMAPPED_INSTANCE;
    }
    corm_status status = corm_session_expire(session, &known->state, NULL, 0);
    return status == CORM_OK ? corm_session_refresh(session, &known->state, NULL, 0) : status;
}

corm_status corm_expunge(corm_session *session, void *object) {
    c_object *known = c_object_of(object);
    if (known == NULL) {
        return CORM_UNMAPPED_INSTANCE;
    }
    corm_c_host.retain(c_object_handle(known));
    corm_status status = corm_session_expunge(session, &known->state);
    if (status == CORM_OK) {
        c_object_cut(known);
    }
    corm_c_host.release(c_object_handle(known));
    return status;
}

corm_status corm_flush(corm_session *session) {
    return corm_session_flush(session);
}

corm_status corm_commit(corm_session *session) {
    corm_status status = corm_session_flush(session);
    return status == CORM_OK ? corm_session_commit(session) : status;
}

corm_status corm_rollback(corm_session *session) {
    return corm_session_rollback(session);
}

corm_status corm_save(corm_session *session) {
    return corm_session_begin_nested(session);
}

corm_status corm_release(corm_session *session) {
    return corm_session_commit_nested(session);
}

corm_status corm_rollback_save(corm_session *session) {
    return corm_session_rollback_nested(session);
}

void corm_keep(void *object) {
    c_object *known = c_object_of(object);
    if (known != NULL) {
        corm_c_host.retain(c_object_handle(known));
    }
}

void corm_let_go(void *object) {
    c_object *known = c_object_of(object);
    if (known != NULL) {
        corm_c_host.release(c_object_handle(known));
    }
}

void *corm_object_merge(corm_session *session, corm_mapping *mapping, void *object) {
    c_object *known = c_object_of(object);
    corm_object *merged;
    if (known != NULL && c_object_mapping(known)->mapping != mapping) {
        corm_error_set(CORM_TYPE_ERROR, "the object is a %s, not a %s", c_object_mapping(known)->mapping->name,
                       mapping->name);
        return NULL;
    }
    if (known == NULL || c_object_detect(known) != CORM_OK ||
        corm_session_merge(session, c_object_handle(known), &corm_c_host, true, &merged) != CORM_OK) {
        return NULL;
    }
    corm_c_host.release(merged); /* the session holds it */
    return c_object_struct(c_object_from(merged));
}

corm_standing corm_standing_of(const void *object) {
    const c_object *known = c_object_of(object);
    if (known == NULL) {
        return (corm_standing)0;
    }
    const corm_state *state = &known->state;
    return corm_state_is_pending(state)      ? CORM_PENDING
           : corm_state_is_deleted(state)    ? CORM_DELETED
           : corm_state_is_persistent(state) ? CORM_PERSISTENT
           : corm_state_is_detached(state)   ? CORM_DETACHED
                                             : CORM_TRANSIENT;
}

corm_session *corm_session_of(const void *object) {
    const c_object *known = c_object_of(object);
    return known == NULL ? NULL : known->state.session;
}

void corm_set_autoflush(corm_session *session, bool autoflush) {
    corm_session_set_autoflush(session, autoflush);
}

/* ---- references ---- */

static corm_attribute *relationship_named(c_object *object, const char *field) {
    corm_attribute *attribute = c_attribute_of(c_object_mapping(object)->mapping, field);
    if (attribute != NULL && attribute->kind != CORM_ATTRIBUTE_REFERENCE) {
        corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s is no reference", c_object_mapping(object)->mapping->name, field);
        return NULL;
    }
    return attribute;
}

/* Bracket what uses an object's session, if it has one. */
static corm_status enter(const c_object *object) {
    return object->state.session == NULL ? CORM_OK : corm_session_enter(object->state.session);
}

/* session: as it was when entering. The object may have left it. */
static void leave(corm_session *session) {
    if (session != NULL) {
        corm_session_leave(session);
    }
}

static corm_status fetch(c_object *object, corm_attribute *attribute, corm_value *out) {
    corm_status status = corm_c_host.detect_changes(&object->state);
    if (status == CORM_OK) {
        status = corm_attribute_load(&object->state, attribute);
    }
    return status == CORM_OK ? corm_c_host.get(c_object_handle(object), attribute, out) : status;
}

void *corm_reference_fetch(void *object, const char *field) {
    c_object *known = c_object_of(object);
    corm_attribute *attribute = known == NULL ? NULL : relationship_named(known, field);
    corm_value value;
    if (attribute == NULL || enter(known) != CORM_OK) {
        return NULL;
    }
    corm_session *session = known->state.session;
    corm_status status = fetch(known, attribute, &value);
    leave(session);
    if (status != CORM_OK) {
        return NULL;
    }
    corm_error_clear();
    return value.kind == CORM_KIND_HOST ? c_object_struct(c_object_from(value.as.host)) : NULL;
}

corm_status corm_reference_set(void *object, const char *field, void *other) {
    c_object *known = c_object_of(object);
    c_object *target = other == NULL ? NULL : c_object_of(other);
    corm_attribute *attribute = known == NULL ? NULL : relationship_named(known, field);
    if (attribute == NULL || (other != NULL && target == NULL)) {
        return corm_error_last()->status;
    }
    corm_session *session = known->state.session;
    corm_status status = enter(known);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_c_host.detect_changes(&known->state);
    if (status == CORM_OK) {
        status =
            corm_attribute_set_reference(&known->state, attribute, target == NULL ? NULL : c_object_handle(target));
    }
    leave(session);
    return status;
}

/* ---- collections ---- */

static corm_status load_many(corm_many *many) {
    return many->loaded ? CORM_OK : corm_attribute_load(&many->owner->state, many->attribute);
}

size_t corm_many_count(corm_many *many) {
    return load_many(many) == CORM_OK ? many->items.count : SIZE_MAX;
}

void *corm_many_at(corm_many *many, size_t index) {
    if (load_many(many) != CORM_OK) {
        return NULL;
    }
    if (index >= many->items.count) {
        corm_error_clear();
        return NULL;
    }
    return c_object_struct(c_object_from(many->items.items[index]));
}

/* Both sides are in step, so the reference on the other side tells at once. */
static bool holds(const corm_many *many, c_object *item) {
    corm_attribute *inverse = many->attribute->relationship->inverse;
    corm_value value;
    if (inverse != NULL && inverse->kind == CORM_ATTRIBUTE_REFERENCE && inverse->mapper == item->state.mapper &&
        corm_c_host.get(c_object_handle(item), inverse, &value) == CORM_OK && value.kind != CORM_KIND_ABSENT &&
        (value.kind != CORM_KIND_HOST || value.as.host != (void *)many->owner)) {
        return false;
    }
    return corm_vector_contains(&many->items, item);
}

static corm_status add_item(corm_many *many, c_object *item) {
    corm_status status = c_object_detect(item);
    if (status != CORM_OK || (many->loaded && holds(many, item))) {
        return status; /* an object is in a collection once */
    }
    return corm_collection_append(&many->owner->state, many->attribute, c_object_handle(item));
}

static corm_status remove_item(corm_many *many, c_object *item) {
    corm_status status = c_object_detect(item);
    if (status == CORM_OK) {
        status = load_many(many);
    }
    if (status == CORM_OK && !holds(many, item)) {
        const corm_attribute *attribute = many->attribute;
        return corm_error_set(CORM_INVALID_REQUEST, "the %s is not in %s.%s", c_object_mapping(item)->mapping->name,
                              attribute->mapper->name, attribute->key);
    }
    return status == CORM_OK ? corm_collection_remove(&many->owner->state, many->attribute, c_object_handle(item))
                             : status;
}

static corm_status change_many(corm_many *many, void *object, corm_status (*change)(corm_many *many, c_object *item)) {
    corm_session *session = many->owner->state.session;
    corm_status status = enter(many->owner);
    if (status == CORM_OK) {
        c_object *item = c_object_of(object);
        status = item == NULL ? CORM_UNMAPPED_INSTANCE : change(many, item);
        leave(session);
    }
    return status;
}

corm_status corm_many_add(corm_many *many, void *object) {
    return change_many(many, object, add_item);
}

corm_status corm_many_remove(corm_many *many, void *object) {
    return change_many(many, object, remove_item);
}

bool corm_many_contains(corm_many *many, const void *object) {
    c_object *item = c_object_of(object);
    return item != NULL && load_many(many) == CORM_OK && corm_vector_contains(&many->items, item);
}
