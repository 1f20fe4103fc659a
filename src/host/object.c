/*
 * Objects of the C host: memory, fields, and finding what changed. See object.h.
 *
 * Reading a field gives a tagged value; storing one copies it, texts included. The committed copy follows what the
 * engine stores, never what the user assigns, so comparing the two finds the user's changes.
 */
#include "host/object.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "orm/loading.h"
#include "orm/session_private.h"

static const uint32_t object_magic = 0xC04A0B1Eu;

static const corm_field *field_of(const c_object *object, const corm_attribute *attribute) {
    return &c_object_mapping(object)->mapping->fields[attribute->index];
}

static void *in_struct(const c_object *object, const corm_field *field) {
    return (char *)object + c_object_mapping(object)->struct_offset + field->offset;
}

static void *in_committed(const c_object *object, const corm_field *field) {
    return (char *)object + c_object_mapping(object)->committed_offset + field->offset;
}

static uint8_t *loaded_bits(const c_object *object) {
    return (uint8_t *)object + c_object_mapping(object)->loaded_offset;
}

static bool is_loaded(const c_object *object, const corm_attribute *attribute) {
    return loaded_bits(object)[attribute->index] != 0;
}

static void set_loaded(c_object *object, const corm_attribute *attribute, bool loaded) {
    loaded_bits(object)[attribute->index] = loaded;
}

c_object *c_object_of(const void *user_struct) {
    if (user_struct != NULL) {
        /* The word before the struct is the distance to the header. */
        size_t distance;
        memcpy(&distance, (const char *)user_struct - sizeof distance, sizeof distance);
        c_object *object = (c_object *)(void *)((char *)(uintptr_t)user_struct - distance);
        if (object->magic == object_magic) {
            return object;
        }
    }
    corm_error_set(CORM_UNMAPPED_INSTANCE, "%s is no object of a session: make objects with corm_new() or a query",
                   user_struct == NULL ? "NULL" : "the pointer");
    return NULL;
}

/* ---- fields and values ---- */

static size_t field_size(const corm_field *field) {
    switch (field->field_type) {
    case CORM_FIELD_INT64:
        return sizeof(int64_t);
    case CORM_FIELD_INT32:
        return sizeof(int32_t);
    case CORM_FIELD_INT16:
        return sizeof(int16_t);
    case CORM_FIELD_BOOL:
        return sizeof(bool);
    case CORM_FIELD_DOUBLE:
        return sizeof(double);
    case CORM_FIELD_TEXT:
        return sizeof(char *);
    case CORM_FIELD_BYTES:
        return sizeof(corm_bytes);
    case CORM_FIELD_DATETIME:
        return sizeof(corm_datetime);
    case CORM_FIELD_NULLABLE_INT:
        return sizeof(corm_int);
    case CORM_FIELD_NULLABLE_FLOAT:
        return sizeof(corm_float);
    case CORM_FIELD_NULLABLE_BOOL:
        return sizeof(corm_bool);
    case CORM_FIELD_NULLABLE_DATETIME:
        return sizeof(corm_moment);
    case CORM_FIELD_REFERENCE:
    case CORM_FIELD_MANY:
        return sizeof(void *);
    }
    return 0;
}

static corm_kind datetime_kind(const corm_attribute *attribute) {
    switch (corm_column_type(attribute->column)->kind) {
    case CORM_TYPE_DATE:
        return CORM_KIND_DATE;
    case CORM_TYPE_TIME:
        return CORM_KIND_TIME;
    default:
        return CORM_KIND_DATETIME;
    }
}

static corm_value datetime_value(const corm_attribute *attribute, const corm_datetime *datetime) {
    corm_value value = {.kind = (uint8_t)datetime_kind(attribute)};
    value.as.datetime = *datetime;
    return value;
}

/* The value at a place of a field's type; borrowed from it. */
static inline corm_value read_field(const corm_field *field, const corm_attribute *attribute, const void *place) {
    switch (field->field_type) {
    case CORM_FIELD_INT64:
        return corm_value_integer(*(const int64_t *)place);
    case CORM_FIELD_INT32:
        return corm_value_integer(*(const int32_t *)place);
    case CORM_FIELD_INT16:
        return corm_value_integer(*(const int16_t *)place);
    case CORM_FIELD_BOOL:
        return corm_value_boolean(*(const bool *)place);
    case CORM_FIELD_DOUBLE:
        return corm_value_float(*(const double *)place);
    case CORM_FIELD_TEXT: {
        const char *text = *(const char *const *)place;
        corm_kind kind =
            corm_column_type(attribute->column)->kind == CORM_TYPE_NUMERIC ? CORM_KIND_DECIMAL : CORM_KIND_TEXT;
        return text == NULL ? CORM_NULL_VALUE : corm_value_bytes(kind, text, strlen(text));
    }
    case CORM_FIELD_BYTES: {
        const corm_bytes *bytes = place;
        return bytes->data == NULL ? CORM_NULL_VALUE : corm_value_bytes(CORM_KIND_BYTES, bytes->data, bytes->size);
    }
    case CORM_FIELD_DATETIME:
        return datetime_value(attribute, place);
    case CORM_FIELD_NULLABLE_INT: {
        const corm_int *nullable = place;
        return nullable->set ? corm_value_integer(nullable->value) : CORM_NULL_VALUE;
    }
    case CORM_FIELD_NULLABLE_FLOAT: {
        const corm_float *nullable = place;
        return nullable->set ? corm_value_float(nullable->value) : CORM_NULL_VALUE;
    }
    case CORM_FIELD_NULLABLE_BOOL: {
        const corm_bool *nullable = place;
        return nullable->set ? corm_value_boolean(nullable->value) : CORM_NULL_VALUE;
    }
    case CORM_FIELD_NULLABLE_DATETIME: {
        const corm_moment *nullable = place;
        return nullable->set ? datetime_value(attribute, &nullable->value) : CORM_NULL_VALUE;
    }
    case CORM_FIELD_REFERENCE: {
        void *target = *(void *const *)place;
        c_object *object = target == NULL ? NULL : c_object_of(target);
        corm_value value = CORM_NULL_VALUE;
        if (object != NULL) {
            value.kind = CORM_KIND_HOST;
            value.as.host = object;
        }
        return value;
    }
    case CORM_FIELD_MANY:
        break;
    }
    return CORM_ABSENT_VALUE;
}

static corm_status misfit(const corm_attribute *attribute, const corm_value *value) {
    corm_text shown = CORM_TEXT_EMPTY;
    corm_value_describe(value, &shown);
    corm_error_set(CORM_VALUE_ERROR, "%s.%s: the database has %s %s, which the field's C type cannot hold",
                   attribute->mapper->name, attribute->key, corm_kind_name((corm_kind)value->kind),
                   shown.data == NULL ? "" : shown.data);
    corm_text_clear(&shown);
    return CORM_VALUE_ERROR;
}

static bool integer_of(const corm_value *value, int64_t low, int64_t high, int64_t *out) {
    if (value->kind == CORM_KIND_INTEGER) {
        *out = value->as.integer;
    } else if (value->kind == CORM_KIND_BOOLEAN) {
        *out = value->as.boolean;
    } else {
        return false;
    }
    return *out >= low && *out <= high;
}

static bool real_of(const corm_value *value, double *out) {
    int64_t integer;
    if (value->kind == CORM_KIND_FLOAT) {
        *out = value->as.real;
        return true;
    }
    if (integer_of(value, INT64_MIN, INT64_MAX, &integer)) {
        *out = (double)integer;
        return true;
    }
    return false;
}

/* A copy of text or bytes, and a NUL, in the room that the object has for it. */
static char *take_room(c_object *object, const corm_value *value) {
    char *copy = (char *)object + object->used;
    object->used += (uint32_t)value->as.text.size + 1;
    memcpy(copy, value->as.text.data, value->as.text.size);
    copy[value->as.text.size] = '\0';
    return copy;
}

/* A copy of text or bytes with a NUL behind it. The first copies of a loaded object go into the room that
 * its own memory has for them. */
static corm_status copy_bytes(c_object *object, const corm_value *value, char **out) {
    if (value->as.text.size < object->size - object->used) {
        *out = take_room(object, value);
        return CORM_OK;
    }
    *out = corm_strndup(value->as.text.data, value->as.text.size);
    return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static bool is_inside(const c_object *object, const void *copy) {
    return (uintptr_t)copy - (uintptr_t)object < object->size;
}

static void free_bytes(const c_object *object, const void *copy) {
    if (!is_inside(object, copy)) {
        corm_free((void *)(uintptr_t)copy);
    }
}

static bool has_bytes(const corm_value *value) {
    return value->kind == CORM_KIND_TEXT || value->kind == CORM_KIND_BYTES || value->kind == CORM_KIND_DECIMAL;
}

/* Store a number, boolean or datetime at a place. false: it does not fit. */
static bool write_plain(const corm_field *field, const corm_value *value, void *place) {
    bool null = value->kind == CORM_KIND_NULL || value->kind == CORM_KIND_ABSENT;
    bool is_time = value->kind == CORM_KIND_DATE || value->kind == CORM_KIND_TIME || value->kind == CORM_KIND_DATETIME;
    int64_t integer = 0;
    double real = 0;
    if (null) {
        memset(place, 0, field_size(field));
        return true;
    }
    switch (field->field_type) {
    case CORM_FIELD_INT64:
        return integer_of(value, INT64_MIN, INT64_MAX, (int64_t *)place);
    case CORM_FIELD_INT32:
        if (!integer_of(value, INT32_MIN, INT32_MAX, &integer)) {
            return false;
        }
        *(int32_t *)place = (int32_t)integer;
        return true;
    case CORM_FIELD_INT16:
        if (!integer_of(value, INT16_MIN, INT16_MAX, &integer)) {
            return false;
        }
        *(int16_t *)place = (int16_t)integer;
        return true;
    case CORM_FIELD_BOOL:
        if (!integer_of(value, INT64_MIN, INT64_MAX, &integer)) {
            return false;
        }
        *(bool *)place = integer != 0;
        return true;
    case CORM_FIELD_DOUBLE:
        return real_of(value, (double *)place);
    case CORM_FIELD_DATETIME:
        if (is_time) {
            *(corm_datetime *)place = value->as.datetime;
        }
        return is_time;
    case CORM_FIELD_NULLABLE_INT:
        if (!integer_of(value, INT64_MIN, INT64_MAX, &integer)) {
            return false;
        }
        *(corm_int *)place = corm_int_of(integer);
        return true;
    case CORM_FIELD_NULLABLE_FLOAT:
        if (!real_of(value, &real)) {
            return false;
        }
        *(corm_float *)place = corm_float_of(real);
        return true;
    case CORM_FIELD_NULLABLE_BOOL:
        if (!integer_of(value, INT64_MIN, INT64_MAX, &integer)) {
            return false;
        }
        *(corm_bool *)place = corm_bool_of(integer != 0);
        return true;
    case CORM_FIELD_NULLABLE_DATETIME:
        if (is_time) {
            ((corm_moment *)place)->value = value->as.datetime;
            ((corm_moment *)place)->set = true;
        }
        return is_time;
    default:
        return false;
    }
}

/* The text of a number or date: SQLite may give one for a text column. */
static corm_status as_text(const corm_value *value, corm_text *room, corm_value *out) {
    corm_value_describe(value, room);
    *out = corm_value_bytes(CORM_KIND_TEXT, room->data, room->size);
    return corm_text_status(room);
}

static corm_status write_bytes(c_object *object, const corm_field *field, const corm_value *value) {
    char *copy = NULL;
    size_t size = 0;
    corm_status status = CORM_OK;
    if (has_bytes(value)) {
        size = value->as.text.size;
        status = copy_bytes(object, value, &copy);
    } else if (value->kind != CORM_KIND_NULL && value->kind != CORM_KIND_ABSENT) {
        corm_text room = CORM_TEXT_EMPTY;
        corm_value text;
        status = as_text(value, &room, &text);
        size = room.size;
        if (status == CORM_OK) {
            status = copy_bytes(object, &text, &copy);
        }
        corm_text_clear(&room);
    }
    if (status != CORM_OK) {
        return status;
    }
    if (field->field_type == CORM_FIELD_TEXT) {
        char **committed = in_committed(object, field);
        free_bytes(object, *committed);
        *committed = copy;
        *(char **)in_struct(object, field) = copy;
    } else {
        corm_bytes *committed = in_committed(object, field);
        free_bytes(object, committed->data);
        *committed = (corm_bytes){copy, size};
        *(corm_bytes *)in_struct(object, field) = *committed;
    }
    return CORM_OK;
}

static bool is_bytes_field(const corm_field *field) {
    return field->field_type == CORM_FIELD_TEXT || field->field_type == CORM_FIELD_BYTES;
}

static void write_reference(c_object *object, const corm_field *field, corm_object *target) {
    void **committed = in_committed(object, field);
    corm_object *former = *committed;
    if (target != NULL) {
        corm_c_host.retain(target);
    }
    *committed = target;
    *(void **)in_struct(object, field) = target == NULL ? NULL : c_object_struct(c_object_from(target));
    if (former != NULL) {
        corm_c_host.release(former);
    }
}

/* Store in the struct and in the committed copy. */
static corm_status store(c_object *object, const corm_attribute *attribute, const corm_value *value) {
    const corm_field *field = field_of(object, attribute);
    if (field->field_type == CORM_FIELD_REFERENCE) {
        write_reference(object, field, value->kind == CORM_KIND_HOST ? value->as.host : NULL);
        return CORM_OK;
    }
    if (is_bytes_field(field)) {
        return write_bytes(object, field, value);
    }
    if (!write_plain(field, value, in_struct(object, field))) {
        return misfit(attribute, value);
    }
    memcpy(in_committed(object, field), in_struct(object, field), field_size(field));
    return CORM_OK;
}

/* ---- life ---- */

static corm_many *many_of(const c_object *object, const corm_field *field) {
    return *(corm_many **)in_committed(object, field);
}

static void release_items(corm_many *many) {
    corm_objects_release(&corm_c_host, &many->items);
}

static void free_fields(c_object *object) {
    const c_mapping *mapping = c_object_mapping(object);
    for (size_t i = 0; i < mapping->field_count; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        if (field->field_type == CORM_FIELD_TEXT) {
            free_bytes(object, *(char **)in_committed(object, field));
        } else if (field->field_type == CORM_FIELD_BYTES) {
            free_bytes(object, ((corm_bytes *)in_committed(object, field))->data);
        } else if (field->field_type == CORM_FIELD_REFERENCE) {
            write_reference(object, field, NULL);
        } else if (field->field_type == CORM_FIELD_MANY && many_of(object, field) != NULL) {
            release_items(many_of(object, field));
            corm_free(many_of(object, field));
        }
    }
}

void c_object_cut(c_object *object) {
    for (size_t i = 0; i < c_object_mapping(object)->field_count; i++) {
        const corm_field *field = &c_object_mapping(object)->mapping->fields[i];
        if (field->field_type == CORM_FIELD_REFERENCE) {
            write_reference(object, field, NULL);
            set_loaded(object, c_object_mapping(object)->attributes[i], false);
        } else if (field->field_type == CORM_FIELD_MANY) {
            many_of(object, field)->loaded = false;
            release_items(many_of(object, field));
        }
    }
}

/* room: bytes behind the struct for copies of texts. session: may be NULL. */
static corm_status new_object(corm_session *session, corm_mapper *mapper, size_t room, c_object **out) {
    const c_mapping *mapping = c_mapping_of(mapper);
    size_t distance = mapping->struct_offset, fixed = distance + mapping->mapping->size;
    if (room > UINT32_MAX - fixed) {
        room = 0; /* such texts have memory of their own */
    }
    c_session *own = session == NULL ? NULL : corm_session_host(session);
    corm_slab_block *block;
    c_object *object = corm_slab_alloc(own == NULL ? NULL : &own->objects, fixed + room, &block);
    *out = NULL;
    if (object == NULL) {
        return CORM_NO_MEMORY;
    }
    memset(object, 0, fixed);
    object->magic = object_magic;
    object->references = 1;
    object->block = block;
    object->size = (uint32_t)(fixed + room);
    object->used = (uint32_t)fixed;
    object->state.mapper = mapper; /* the rest of corm_state_init() is zero */
    memcpy((char *)object + distance - sizeof distance, &distance, sizeof distance);
    for (size_t i = 0; i < mapping->field_count && mapping->has_many; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        if (field->field_type != CORM_FIELD_MANY) {
            continue;
        }
        corm_many *many = corm_calloc(1, sizeof *many);
        if (many == NULL) {
            free_fields(object);
            corm_slab_free(block, object);
            return CORM_NO_MEMORY;
        }
        many->owner = object;
        many->attribute = mapping->attributes[i];
        *(corm_many **)in_committed(object, field) = many;
        *(corm_many **)in_struct(object, field) = many;
    }
    *out = object;
    return CORM_OK;
}

corm_status c_object_new(corm_session *session, corm_mapper *mapper, c_object **out) {
    return new_object(session, mapper, c_mapping_of(mapper)->text_room, out);
}

void c_object_mark_new(c_object *object) {
    object->state.flags |= C_STATE_UNSEEN;
    memset(loaded_bits(object), 1, c_object_mapping(object)->field_count);
    for (size_t i = 0; i < c_object_mapping(object)->field_count && c_object_mapping(object)->has_many; i++) {
        const corm_field *field = &c_object_mapping(object)->mapping->fields[i];
        if (field->field_type == CORM_FIELD_MANY) {
            many_of(object, field)->loaded = true;
        }
    }
}

static corm_status host_create_for_merge(corm_mapper *mapper, corm_object **out) {
    c_object *object;
    corm_status status = c_object_new(NULL, mapper, &object);
    *out = status == CORM_OK ? c_object_handle(object) : NULL;
    return status;
}

static void host_retain(corm_object *handle) {
    c_object_from(handle)->references++;
}

static void host_release(corm_object *handle) {
    c_object *object = c_object_from(handle);
    if (object->references > 1) {
        object->references--;
        return;
    }
    /* One reference stays while the object is taken apart: what it lets go of may refer back to it. */
    if (object->state.flags & CORM_STATE_DYING) {
        return;
    }
    corm_state_destroy(&object->state);
    free_fields(object);
    object->magic = 0;
    corm_slab_free(object->block, object);
}

static bool host_try_hold(corm_state *state) {
    if (state->flags & CORM_STATE_DYING) {
        return false;
    }
    host_retain(corm_state_object(state));
    return true;
}

static corm_object *host_object_of(corm_state *state) {
    return (corm_object *)(void *)((char *)state - offsetof(c_object, state));
}

static corm_state *host_state_of(corm_object *handle) {
    return &c_object_from(handle)->state;
}

/* ---- attributes ---- */

/* A new object's key of 0 is one that the database gives. */
static bool awaits_number(const c_object *object, const corm_attribute *attribute) {
    return !(object->state.flags & CORM_STATE_HAS_KEY) && c_object_mapping(object)->numbered == attribute;
}

static corm_status host_get(corm_object *handle, const corm_attribute *attribute, corm_value *out) {
    c_object *object = c_object_from(handle);
    const corm_field *field = field_of(object, attribute);
    if (!is_loaded(object, attribute)) {
        *out = CORM_ABSENT_VALUE;
        return CORM_OK;
    }
    *out = read_field(field, attribute, in_struct(object, field));
    if (out->kind == CORM_KIND_INTEGER && out->as.integer == 0 && awaits_number(object, attribute)) {
        *out = CORM_ABSENT_VALUE;
    }
    return CORM_OK;
}

static corm_status note_incomplete(c_object *object);

/* Of what get() gives only the kind: texts are not measured. */
static corm_kind host_kind(corm_object *handle, const corm_attribute *attribute) {
    c_object *object = c_object_from(handle);
    const corm_field *field = field_of(object, attribute);
    const void *place = in_struct(object, field);
    if (!is_loaded(object, attribute)) {
        return CORM_KIND_ABSENT;
    }
    switch (field->field_type) {
    case CORM_FIELD_INT64:
        return *(const int64_t *)place == 0 && awaits_number(object, attribute) ? CORM_KIND_ABSENT : CORM_KIND_INTEGER;
    case CORM_FIELD_NULLABLE_INT:
        return ((const corm_int *)place)->set ? CORM_KIND_INTEGER : CORM_KIND_NULL;
    case CORM_FIELD_TEXT:
        return *(char *const *)place == NULL ? CORM_KIND_NULL : CORM_KIND_TEXT;
    default:
        break;
    }
    corm_value value;
    return host_get(handle, attribute, &value) == CORM_OK ? (corm_kind)value.kind : CORM_KIND_ABSENT;
}

static corm_status host_set(corm_object *handle, const corm_attribute *attribute, const corm_value *value) {
    c_object *object = c_object_from(handle);
    if (attribute->kind == CORM_ATTRIBUTE_COLLECTION) {
        corm_many *many = many_of(object, field_of(object, attribute));
        many->loaded = false;
        release_items(many);
        return CORM_OK;
    }
    if (value->kind == CORM_KIND_ABSENT) {
        set_loaded(object, attribute, false);
        /* The last value read stays to be seen; a reference does not: what it refers to may be gone. */
        return attribute->kind == CORM_ATTRIBUTE_REFERENCE ? store(object, attribute, &CORM_NULL_VALUE)
                                                           : note_incomplete(object);
    }
    corm_status status = store(object, attribute, value);
    if (status == CORM_OK) {
        set_loaded(object, attribute, true);
    }
    return status;
}

static void host_restore(corm_object *handle, const corm_attribute *attribute, corm_value *value) {
    c_object *object = c_object_from(handle);
    const corm_field *field = field_of(object, attribute);
    if (!is_bytes_field(field)) {
        if (host_set(handle, attribute, value) != CORM_OK) {
            corm_error_clear(); /* it was the field's own value: it fits */
        }
        return;
    }
    bool null = !has_bytes(value);
    const char *data = null ? NULL : value->as.text.data;
    const void **committed = in_committed(object, field); /* of text and of bytes the pointer comes first */
    free_bytes(object, *committed);
    *committed = data;
    if (field->field_type == CORM_FIELD_BYTES) {
        ((corm_bytes *)in_committed(object, field))->size = null ? 0 : value->as.text.size;
    }
    memcpy(in_struct(object, field), in_committed(object, field), field_size(field));
    set_loaded(object, attribute, true);
    *value = CORM_ABSENT_VALUE;
}

static corm_status host_snapshot(corm_object *handle, const corm_attribute *attribute, corm_value *out) {
    corm_value value;
    corm_status status = host_get(handle, attribute, &value);
    if (status == CORM_OK && value.kind == CORM_KIND_HOST) {
        host_retain(value.as.host);
        *out = value;
        out->owned = true;
        return CORM_OK;
    }
    return status == CORM_OK ? corm_value_copy(&value, out) : status;
}

static bool host_unchanged(corm_object *handle, const corm_attribute *attribute, const corm_value *snapshot) {
    corm_value value;
    return host_get(handle, attribute, &value) == CORM_OK && corm_value_equal(&value, snapshot);
}

static corm_status host_load_row(corm_object *handle, const corm_load_step *steps, size_t count,
                                 const corm_value *row) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = host_set(handle, steps[i].attribute, &row[steps[i].column]);
    }
    return status;
}

/* Store a value of the kind that its field is made for into a new object; false: it is another kind, or a text for which
 * the object has no room. */
static inline bool store_common(c_object *object, c_place place, const corm_value *value) {
    void *now = (char *)object + place.in_struct, *then = (char *)object + place.committed;
    switch (place.field_type) {
    case CORM_FIELD_INT64:
        if (value->kind != CORM_KIND_INTEGER) {
            return false;
        }
        *(int64_t *)now = *(int64_t *)then = value->as.integer;
        return true;
    case CORM_FIELD_NULLABLE_INT:
        if (value->kind != CORM_KIND_INTEGER) {
            return value->kind == CORM_KIND_NULL; /* as it was made */
        }
        *(corm_int *)now = *(corm_int *)then = corm_int_of(value->as.integer);
        return true;
    case CORM_FIELD_TEXT:
        if (value->kind != CORM_KIND_TEXT || value->as.text.size >= object->size - object->used) {
            return value->kind == CORM_KIND_NULL;
        }
        *(char **)now = *(char **)then = take_room(object, value);
        return true;
    default:
        return false;
    }
}

/* One allocation: the texts of the row lie behind the struct. */
static corm_status host_create(corm_session *session, corm_mapper *mapper, const corm_load_step *steps, size_t count,
                               const corm_value *row, corm_object **out) {
    size_t room = 0;
    for (size_t i = 0; i < count; i++) {
        const corm_value *value = &row[steps[i].column];
        if (has_bytes(value)) {
            room += value->as.text.size + 1;
        }
    }
    c_object *object;
    *out = NULL;
    corm_status status = new_object(session, mapper, room, &object);
    if (status != CORM_OK) {
        return status;
    }
    const c_place *places = c_mapping_of(mapper)->places;
    uint8_t *loaded = loaded_bits(object);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const corm_attribute *attribute = steps[i].attribute;
        const corm_value *value = &row[steps[i].column];
        if (!store_common(object, places[attribute->index], value)) {
            status = store(object, attribute, value);
        }
        loaded[attribute->index] = status == CORM_OK;
    }
    if (status != CORM_OK) {
        host_release(c_object_handle(object));
        return status;
    }
    *out = c_object_handle(object);
    return CORM_OK;
}

/* Put a struct's field back to the committed value: what plain assignment did is forgotten. */
static void revert(c_object *object, const corm_field *field) {
    if (field->field_type == CORM_FIELD_REFERENCE) {
        corm_object *committed = *(corm_object **)in_committed(object, field);
        *(void **)in_struct(object, field) = committed == NULL ? NULL : c_object_struct(c_object_from(committed));
    } else {
        memcpy(in_struct(object, field), in_committed(object, field), field_size(field));
    }
}

static void host_unload_all(corm_object *handle) {
    c_object *object = c_object_from(handle);
    for (size_t i = 0; i < c_object_mapping(object)->field_count; i++) {
        const corm_attribute *attribute = c_object_mapping(object)->attributes[i];
        revert(object, &c_object_mapping(object)->mapping->fields[i]);
        if (attribute->kind != CORM_ATTRIBUTE_COLUMN) { /* columns go on showing what they are known to have */
            host_set(handle, attribute, &CORM_ABSENT_VALUE);
        }
    }
}

/* ---- collections ---- */

static corm_many *collection(corm_object *owner, const corm_attribute *attribute) {
    return many_of(c_object_from(owner), field_of(c_object_from(owner), attribute));
}

static corm_status push(corm_vector *vector, corm_object *item) {
    corm_status status = corm_vector_push(vector, item);
    if (status == CORM_OK) {
        host_retain(item);
    }
    return status;
}

static corm_status host_collection_set(corm_object *owner, const corm_attribute *attribute, corm_object *const *items,
                                       size_t count) {
    corm_many *many = collection(owner, attribute);
    corm_vector fresh = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = push(&fresh, items[i]);
    }
    if (status != CORM_OK) {
        corm_objects_release(&corm_c_host, &fresh);
        return status;
    }
    corm_vector former = many->items;
    many->items = fresh;
    many->loaded = true;
    corm_objects_release(&corm_c_host, &former);
    return CORM_OK;
}

static corm_status host_collection_items(corm_object *owner, const corm_attribute *attribute, corm_vector *out) {
    const corm_many *many = collection(owner, attribute);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < many->items.count && status == CORM_OK; i++) {
        status = push(out, many->items.items[i]);
    }
    return status;
}

static bool host_collection_is_loaded(corm_object *owner, const corm_attribute *attribute) {
    return collection(owner, attribute)->loaded;
}

static corm_status host_collection_append(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    return push(&collection(owner, attribute)->items, item);
}

static corm_status host_collection_remove(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    corm_many *many = collection(owner, attribute);
    for (size_t i = 0; i < many->items.count; i++) {
        if (many->items.items[i] == item) {
            corm_vector_remove(&many->items, i);
            host_release(item);
            break;
        }
    }
    return CORM_OK;
}

static bool host_collection_contains(corm_object *owner, const corm_attribute *attribute, corm_object *item) {
    return corm_vector_contains(&collection(owner, attribute)->items, item);
}

/* ---- changes by plain assignment ---- */

/* Of a field whose bytes differ from the committed ones: is it equal all the same? */
static bool same_as_committed(const c_object *object, const corm_field *field, const corm_attribute *attribute) {
    const void *now = in_struct(object, field), *then = in_committed(object, field);
    if (field->field_type == CORM_FIELD_REFERENCE) {
        corm_object *committed = *(corm_object *const *)then;
        return *(void *const *)now == (committed == NULL ? NULL : c_object_struct(c_object_from(committed)));
    }
    if (field->field_type == CORM_FIELD_TEXT || field->field_type == CORM_FIELD_MANY) {
        return *(void *const *)now == *(void *const *)then;
    }
    if (field->field_type == CORM_FIELD_BYTES) {
        const corm_bytes *a = now, *b = then;
        return a->data == b->data && a->size == b->size;
    }
    corm_value assigned = read_field(field, attribute, now), committed = read_field(field, attribute, then);
    return corm_value_equal(&assigned, &committed);
}

/* Store an assigned text. The user may have assigned the former copy to another object, whose turn is still to come: it is
 * freed after the flush. */
static corm_status replace_bytes(c_object *object, const corm_attribute *attribute, const corm_value *assigned) {
    const corm_field *field = field_of(object, attribute);
    c_session *session = object->state.session == NULL ? NULL : corm_session_host(object->state.session);
    corm_status status = session == NULL ? CORM_OK : corm_vector_reserve(&session->retired, 1);
    if (status != CORM_OK) {
        return status;
    }
    const void **committed = in_committed(object, field); /* of text and of bytes the pointer comes first */
    const void *former = *committed;
    *committed = NULL;
    status = host_set(c_object_handle(object), attribute, assigned);
    if (status != CORM_OK) {
        *committed = former;
    } else if (session == NULL) {
        free_bytes(object, former);
    } else if (!is_inside(object, former) && former != NULL) {
        session->retired.items[session->retired.count++] = (void *)(uintptr_t)former;
    }
    return status;
}

void c_session_forget(c_session *own) {
    for (size_t i = 0; i < own->retired.count; i++) {
        corm_free(own->retired.items[i]);
    }
    own->retired.count = 0;
    corm_objects_release(&corm_c_host, &own->incomplete);
}

/* Room for one more object that may become transient again. */
static corm_status expect_leaver(c_session *own) {
    corm_status status = corm_vector_reserve(&own->left, own->may_leave + 1);
    own->may_leave += status == CORM_OK ? 1 : 0;
    return status;
}

corm_status c_session_complete(corm_session *session) {
    c_session *own = corm_session_host(session);
    corm_vector objects = own->incomplete;
    corm_status status = objects.count == 0 ? CORM_OK : corm_session_enter(session);
    bool entered = objects.count > 0 && status == CORM_OK;
    own->incomplete = (corm_vector){0};
    for (size_t i = 0; i < objects.count && status == CORM_OK; i++) {
        corm_state *state = &c_object_from(objects.items[i])->state;
        if (state->session == session && (state->flags & CORM_STATE_IN_MAP)) {
            status = corm_load_columns(session, state, NULL, 0);
        }
    }
    if (entered) {
        corm_session_leave(session);
    }
    corm_objects_release(&corm_c_host, &objects);
    return status;
}

/* A column is to be read again: note it, so that it is at the end of the operation. */
static corm_status note_incomplete(c_object *object) {
    corm_session *session = object->state.session;
    c_session *own = session == NULL ? NULL : corm_session_host(session);
    size_t count = own == NULL ? 0 : own->incomplete.count;
    if (own == NULL || (count > 0 && own->incomplete.items[count - 1] == object)) {
        return CORM_OK;
    }
    return push(&own->incomplete, c_object_handle(object));
}

/* A field that the user assigned: record the former value, then take the new one in. */
static corm_status take_in(c_object *object, corm_attribute *attribute) {
    const corm_field *field = field_of(object, attribute);
    corm_object *handle = c_object_handle(object);
    corm_value assigned = read_field(field, attribute, in_struct(object, field));
    if (field->field_type == CORM_FIELD_MANY) {
        revert(object, field);
        return corm_error_set(CORM_INVALID_REQUEST,
                              "%s.%s: a collection is changed with corm_many_add() and "
                              "corm_many_remove(), not by assigning the pointer",
                              attribute->mapper->name, attribute->key);
    }
    if (field->field_type == CORM_FIELD_REFERENCE) {
        void *target = *(void **)in_struct(object, field);
        if (target != NULL && assigned.kind != CORM_KIND_HOST) {
            revert(object, field);
            return CORM_UNMAPPED_INSTANCE;
        }
        revert(object, field);
        set_loaded(object, attribute, is_loaded(object, attribute));
        return corm_attribute_set_reference(&object->state, attribute, target == NULL ? NULL : assigned.as.host);
    }
    corm_status status = CORM_OK;
    if (object->state.flags & CORM_STATE_HAS_KEY) { /* else everything is new: nothing is recorded */
        corm_value former = is_loaded(object, attribute) ? read_field(field, attribute, in_committed(object, field))
                                                         : CORM_ABSENT_VALUE;
        corm_value owned;
        status = corm_value_copy(&former, &owned);
        if (status == CORM_OK) {
            status = corm_state_changed(&object->state, attribute, &owned);
        }
    }
    if (status != CORM_OK) {
        return status;
    }
    return is_bytes_field(field) ? replace_bytes(object, attribute, &assigned) : host_set(handle, attribute, &assigned);
}

/* A column of an object that was never written: nothing is recorded, and most have no former value to let go of. */
static corm_status take_in_new(c_object *object, corm_attribute *attribute) {
    const corm_field *field = field_of(object, attribute);
    void *now = in_struct(object, field), *then = in_committed(object, field);
    if (field->field_type != CORM_FIELD_TEXT) {
        memcpy(then, now, field_size(field));
    } else {
        char *copy;
        corm_value text = corm_value_bytes(CORM_KIND_TEXT, *(char **)now, strlen(*(char **)now));
        corm_status status = copy_bytes(object, &text, &copy);
        if (status != CORM_OK) {
            return status;
        }
        *(char **)then = *(char **)now = copy;
    }
    set_loaded(object, attribute, true);
    return CORM_OK;
}

static bool has_committed_text(const c_object *object, const c_mapping *mapping) {
    for (size_t i = 0; i < mapping->field_count; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        if (field->field_type == CORM_FIELD_TEXT && *(char **)in_committed(object, field) != NULL) {
            return true;
        }
    }
    return false;
}

/* The fields of an object that was just made, at once: nothing is committed yet. Texts are copied. */
static corm_status take_in_all(c_object *object, const c_mapping *mapping) {
    char *now = c_object_struct(object), *then = (char *)object + mapping->committed_offset;
    for (size_t i = 0; i < mapping->field_count; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        char **text = (char **)(void *)(now + field->offset);
        if (field->field_type != CORM_FIELD_TEXT || *text == NULL) {
            continue;
        }
        corm_value value = corm_value_bytes(CORM_KIND_TEXT, *text, strlen(*text));
        char *copy;
        corm_status status = copy_bytes(object, &value, &copy);
        if (status != CORM_OK) {
            return status; /* the next look finds the rest */
        }
        *text = *(char **)(void *)(then + field->offset) = copy;
    }
    memcpy(then, now, mapping->mapping->size);
    return CORM_OK;
}

static bool is_taken_in_simply(const c_object *object, const corm_field *field) {
    if (object->state.flags & CORM_STATE_HAS_KEY) {
        return false;
    }
    switch (field->field_type) {
    case CORM_FIELD_TEXT:
        return *(char **)in_struct(object, field) != NULL && *(char **)in_committed(object, field) == NULL;
    case CORM_FIELD_BYTES:
    case CORM_FIELD_REFERENCE:
    case CORM_FIELD_MANY:
        return false;
    default:
        return true;
    }
}

/* Of a field's bytes, those before the padding: an assignment may leave anything in that. */
static size_t compared_size(const corm_field *field) {
    switch (field->field_type) {
    case CORM_FIELD_NULLABLE_INT:
        return offsetof(corm_int, set) + sizeof(bool);
    case CORM_FIELD_NULLABLE_FLOAT:
        return offsetof(corm_float, set) + sizeof(bool);
    case CORM_FIELD_NULLABLE_DATETIME:
        return offsetof(corm_moment, set) + sizeof(bool);
    default:
        return field_size(field);
    }
}

static bool is_same_reference(const c_object *object, const corm_field *field) {
    corm_object *committed = *(corm_object **)in_committed(object, field);
    return committed != NULL && *(void **)in_struct(object, field) == c_object_struct(c_object_from(committed));
}

static bool host_seems_unchanged(const corm_state *state) {
    const c_object *object = c_object_from(host_object_of((corm_state *)(uintptr_t)state));
    const c_mapping *mapping = c_object_mapping(object);
    if (state->flags & C_STATE_UNSEEN) {
        return false;
    }
    const char *now = (const char *)object + mapping->struct_offset;
    if (memcmp(now, (const char *)object + mapping->committed_offset, mapping->mapping->size) == 0) {
        return true;
    }
    for (size_t i = 0; i < mapping->field_count; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        bool same = memcmp(in_struct(object, field), in_committed(object, field), compared_size(field)) == 0 ||
                    (field->field_type == CORM_FIELD_REFERENCE && is_same_reference(object, field));
        if (!same) {
            return false;
        }
    }
    return true;
}

static corm_status host_detect_changes(corm_state *state) {
    c_object *object = c_object_from(host_object_of(state));
    const c_mapping *mapping = c_object_mapping(object);
    corm_status status = CORM_OK;
    bool unseen = (state->flags & C_STATE_UNSEEN) != 0;
    state->flags &= ~(uint32_t)C_STATE_UNSEEN;
    if (unseen && mapping->is_simple && !has_committed_text(object, mapping)) {
        return take_in_all(object, mapping);
    }
    for (size_t i = 0; i < mapping->field_count && status == CORM_OK; i++) {
        const corm_field *field = &mapping->mapping->fields[i];
        if (memcmp(in_struct(object, field), in_committed(object, field), compared_size(field)) == 0) {
            continue; /* of a reference: nothing, as before */
        }
        if (is_taken_in_simply(object, field)) {
            status = take_in_new(object, mapping->attributes[i]);
        } else if (!same_as_committed(object, field, mapping->attributes[i])) {
            status = take_in(object, mapping->attributes[i]);
        }
    }
    return status;
}

corm_status c_object_detect(c_object *object) {
    return host_detect_changes(&object->state);
}

/* ---- hooks, messages ---- */

static corm_status host_event(corm_event_kind kind, corm_session *session, struct corm_connection *connection,
                              corm_state *state) {
    static const struct {
        corm_event_kind event;
        corm_hook_kind hook;
    } kinds[] = {{CORM_EVENT_BEFORE_INSERT, CORM_HOOK_BEFORE_INSERT},
                 {CORM_EVENT_AFTER_INSERT, CORM_HOOK_AFTER_INSERT},
                 {CORM_EVENT_BEFORE_UPDATE, CORM_HOOK_BEFORE_UPDATE},
                 {CORM_EVENT_AFTER_UPDATE, CORM_HOOK_AFTER_UPDATE},
                 {CORM_EVENT_BEFORE_DELETE, CORM_HOOK_BEFORE_DELETE},
                 {CORM_EVENT_AFTER_DELETE, CORM_HOOK_AFTER_DELETE},
                 {CORM_EVENT_LOAD, CORM_HOOK_LOAD}};
    (void)connection;
    if (kind == CORM_EVENT_PENDING_TO_TRANSIENT || kind == CORM_EVENT_PERSISTENT_TO_TRANSIENT) {
        c_session *own = corm_session_host(session);
        if (!(state->flags & C_STATE_LEFT) && own->left.count < own->left.capacity) {
            state->flags |= C_STATE_LEFT;
            own->left.items[own->left.count++] = host_object_of(state);
            host_retain(host_object_of(state));
        }
        return CORM_OK;
    }
    if (kind == CORM_EVENT_PERSISTENT_TO_DETACHED) {
        c_object_cut(
            c_object_from(host_object_of(state))); /* what an expunge reached shall not hold itself in circles */
        return CORM_OK;
    }
    if (kind == CORM_EVENT_BEFORE_ATTACH) {
        return expect_leaver(corm_session_host(session));
    }
    if (kind == CORM_EVENT_AFTER_COMMIT) {
        ((c_session *)corm_session_host(session))->may_leave = 0;
        return CORM_OK;
    }
    if (kind == CORM_EVENT_AFTER_FLUSH_POSTEXEC || kind == CORM_EVENT_AFTER_SOFT_ROLLBACK) {
        corm_status completed = kind == CORM_EVENT_AFTER_FLUSH_POSTEXEC ? c_session_complete(session) : CORM_OK;
        c_session_forget(corm_session_host(session));
        return completed;
    }
    corm_status status = CORM_OK;
    c_object *object = state == NULL ? NULL : c_object_from(host_object_of(state));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && object != NULL; i++) {
        for (const c_hook *hook = kinds[i].event == kind ? c_object_mapping(object)->hooks : NULL;
             hook != NULL && status == CORM_OK; hook = hook->next) {
            if (hook->kind == kinds[i].hook) {
                corm_error_clear();
                status = hook->call(hook->context, session, c_object_struct(object));
                if (status != CORM_OK && corm_error_last()->status == CORM_OK) {
                    corm_error_set(status, "a hook of %s stopped the operation",
                                   c_object_mapping(object)->mapping->name);
                }
            }
        }
    }
    /* A hook assigns fields: what it changed is part of what is written. */
    if (status == CORM_OK && object != NULL && (kind == CORM_EVENT_BEFORE_INSERT || kind == CORM_EVENT_BEFORE_UPDATE)) {
        status = host_detect_changes(state);
    }
    return status;
}

static void host_describe(corm_object *handle, corm_text *out) {
    c_object *object = c_object_from(handle);
    corm_text_append_format(out, "<%s at %p>", c_object_mapping(object)->mapping->name, c_object_struct(object));
}

/* ---- objects inside values ---- */

static void value_retain(void *object) {
    host_retain(object);
}

static void value_release(void *object) {
    host_release(object);
}

static void value_describe(void *object, corm_text *out) {
    host_describe(object, out);
}

void c_object_values_init(void) {
    static const corm_value_host functions = {
        .retain = value_retain, .release = value_release, .describe = value_describe};
    corm_value_host_set(&functions);
}

const corm_host corm_c_host = {
    .name = "c",
    .create = host_create,
    .retain = host_retain,
    .release = host_release,
    .try_hold = host_try_hold,
    .object_of = host_object_of,
    .state_of = host_state_of,
    .get = host_get,
    .kind = host_kind,
    .set = host_set,
    .restore = host_restore,
    .snapshot = host_snapshot,
    .unchanged = host_unchanged,
    .load_row = host_load_row,
    .unload_all = host_unload_all,
    .collection_set = host_collection_set,
    .collection_items = host_collection_items,
    .collection_is_loaded = host_collection_is_loaded,
    .collection_append = host_collection_append,
    .collection_remove = host_collection_remove,
    .collection_contains = host_collection_contains,
    .event = host_event,
    .resolve_relationship = c_mapping_resolve,
    .detect_changes = host_detect_changes,
    .seems_unchanged = host_seems_unchanged,
    .describe = host_describe,
    .create_for_merge = host_create_for_merge,
};
