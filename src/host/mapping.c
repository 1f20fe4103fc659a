/*
 * Models of the C face: from the declarations of CORM_MAPPING to tables and mappers. See cormorant/mapping.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/create.h"
#include "host/object.h"

/* ---- models ---- */

corm_models *corm_models_new(void) {
    corm_models *models = corm_calloc(1, sizeof *models);
    c_object_values_init();
    corm_metadata *metadata = NULL;
    corm_status status = models == NULL ? CORM_NO_MEMORY : corm_metadata_new(NULL, &metadata);
    if (status == CORM_OK) {
        status = corm_registry_new(metadata, &models->registry);
        corm_metadata_unref(metadata);
    }
    if (status != CORM_OK) {
        corm_free(models);
        return NULL;
    }
    return models;
}

static void mapping_free(c_mapping *mapping) {
    if (mapping->mapping->mapper == mapping->mapper) {
        mapping->mapping->mapper = NULL;
    }
    while (mapping->hooks != NULL) {
        c_hook *next = mapping->hooks->next;
        corm_free(mapping->hooks);
        mapping->hooks = next;
    }
    corm_free(mapping->attributes);
    corm_free(mapping->places);
    corm_free(mapping);
}

void corm_models_free(corm_models *models) {
    if (models == NULL) {
        return;
    }
    corm_registry_unref(models->registry);
    for (size_t i = 0; i < models->mappings.count; i++) {
        mapping_free(models->mappings.items[i]);
    }
    corm_vector_clear(&models->mappings);
    corm_free(models);
}

corm_mapper *c_mapper_of(const corm_mapping *mapping) {
    if (mapping->mapper == NULL) {
        corm_error_set(CORM_UNMAPPED_CLASS, "struct %s is in no corm_models: add it with corm_models_add()",
                       mapping->name);
    }
    return mapping->mapper;
}

corm_attribute *c_attribute_of(const corm_mapping *mapping, const char *field) {
    corm_mapper *mapper = c_mapper_of(mapping);
    corm_attribute *attribute = mapper == NULL ? NULL : corm_mapper_attribute(mapper, field);
    if (mapper != NULL && attribute == NULL) {
        corm_error_set(CORM_ARGUMENT_ERROR, "field %s.%s is not mapped", mapping->name, field);
    }
    return attribute;
}

/* ---- columns ---- */

static const struct {
    corm_type_kind kind;
    const char *name;
} type_kinds[] = {{CORM_TYPE_NULL, "no type"},
                  {CORM_TYPE_INTEGER, "CORM_INTEGER"},
                  {CORM_TYPE_SMALL_INTEGER, "CORM_SMALL_INTEGER"},
                  {CORM_TYPE_BIG_INTEGER, "CORM_BIG_INTEGER"},
                  {CORM_TYPE_BOOLEAN, "CORM_BOOLEAN"},
                  {CORM_TYPE_FLOAT, "CORM_FLOAT"},
                  {CORM_TYPE_NUMERIC, "CORM_NUMERIC"},
                  {CORM_TYPE_STRING, "CORM_STRING"},
                  {CORM_TYPE_TEXT, "CORM_TEXT"},
                  {CORM_TYPE_BINARY, "CORM_BINARY"},
                  {CORM_TYPE_DATE, "CORM_DATE"},
                  {CORM_TYPE_TIME, "CORM_TIME"},
                  {CORM_TYPE_DATETIME, "CORM_DATETIME"}};

static const char *const field_names[] = {"",           "int64_t",   "int32_t",     "int16_t",          "bool",
                                          "double",     "char *",    "corm_bytes",  "corm_datetime",    "corm_int",
                                          "corm_float", "corm_bool", "corm_moment", "a struct pointer", "corm_many *"};

static bool fits(corm_field_type field, corm_type_kind kind) {
    switch (kind) {
    case CORM_TYPE_INTEGER:
    case CORM_TYPE_SMALL_INTEGER:
    case CORM_TYPE_BIG_INTEGER:
        return field == CORM_FIELD_INT64 || field == CORM_FIELD_INT32 || field == CORM_FIELD_INT16 ||
               field == CORM_FIELD_NULLABLE_INT;
    case CORM_TYPE_BOOLEAN:
        return field == CORM_FIELD_BOOL || field == CORM_FIELD_NULLABLE_BOOL;
    case CORM_TYPE_FLOAT:
        return field == CORM_FIELD_DOUBLE || field == CORM_FIELD_NULLABLE_FLOAT;
    case CORM_TYPE_NUMERIC:
        return field == CORM_FIELD_DOUBLE || field == CORM_FIELD_NULLABLE_FLOAT || field == CORM_FIELD_TEXT;
    case CORM_TYPE_STRING:
    case CORM_TYPE_TEXT:
        return field == CORM_FIELD_TEXT;
    case CORM_TYPE_BINARY:
        return field == CORM_FIELD_BYTES;
    case CORM_TYPE_DATE:
    case CORM_TYPE_TIME:
    case CORM_TYPE_DATETIME:
        return field == CORM_FIELD_DATETIME || field == CORM_FIELD_NULLABLE_DATETIME;
    default:
        return false;
    }
}

static bool shows_null(corm_field_type field) {
    return field == CORM_FIELD_TEXT || field == CORM_FIELD_BYTES || field >= CORM_FIELD_NULLABLE_INT;
}

/* What a double and a corm_datetime hold, told to databases whose FLOAT and DATETIME hold less: binary digits of the
 * number, decimal ones of the second. */
enum { DOUBLE_PRECISION = 53, MICROSECOND_PRECISION = 6 };

corm_status c_type_of(corm_sql_type type, bool exact, corm_type **out) {
    size_t index = (size_t)(type >> 56);
    *out = NULL;
    if (index == 0 || index >= sizeof type_kinds / sizeof *type_kinds) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "%llx is no column type", (unsigned long long)type);
    }
    corm_type_kind kind = type_kinds[index].kind;
    int first = (int)(type >> 24 & 0xFFFFFFFF), second = (int)(type & 0xFFFFFF);
    corm_type_options options = {.as_decimal = exact && kind == CORM_TYPE_NUMERIC};
    options.length = kind == CORM_TYPE_STRING ? first : 0;
    options.precision = kind == CORM_TYPE_NUMERIC                              ? first
                        : kind == CORM_TYPE_FLOAT                              ? DOUBLE_PRECISION
                        : kind == CORM_TYPE_TIME || kind == CORM_TYPE_DATETIME ? MICROSECOND_PRECISION
                                                                               : 0;
    options.scale = kind == CORM_TYPE_NUMERIC ? second : 0;
    *out = corm_type_new(kind, &options);
    return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status type_of(const corm_mapping *mapping, const corm_field *field, corm_type **out) {
    size_t index = (size_t)(field->type >> 56);
    *out = NULL;
    if (index == 0 || index >= sizeof type_kinds / sizeof *type_kinds) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s: not a column type", mapping->name, field->name);
    }
    if (!fits(field->field_type, type_kinds[index].kind)) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s: a field of C type %s cannot hold a column of type %s",
                              mapping->name, field->name, field_names[field->field_type], type_kinds[index].name);
    }
    return c_type_of(field->type, field->field_type == CORM_FIELD_TEXT, out);
}

/* Room for the name of a foreign key, and how long one may be on every database. */
enum { KEY_NAME_ROOM = 64 };

/* A column refers to another. The foreign key has a name where one fits: tables that refer to each other are dropped by
 * it. Two underscores keep "a_b"."c" and "a"."b_c" apart, for databases where such names are one's own in the schema. */
static corm_status refer(corm_column *column, const char *table, const char *name, const char *references,
                         corm_foreign_key_options options) {
    char key_name[KEY_NAME_ROOM];
    int size = snprintf(key_name, sizeof key_name, "fk_%s__%s", table, name);
    options.name = size > 0 && size < KEY_NAME_ROOM ? key_name : NULL;
    return corm_column_add_foreign_key(column, references, NULL, &options, NULL);
}

static corm_status describe_column(const corm_mapping *mapping, const corm_field *field, corm_column *column) {
    corm_status status = CORM_OK;
    if (field->references != NULL && strchr(field->references, '.') == NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s: references has the form \"table.column\", not \"%s\"",
                              mapping->name, field->name, field->references);
    }
    corm_column_set_primary_key(column, field->primary_key);
    bool nullable = !field->primary_key && !field->required && (shows_null(field->field_type) || field->nullable);
    corm_column_set_nullable(column, nullable);
    column->unique = field->unique;
    column->index = field->index;
    if (field->references != NULL) {
        corm_foreign_key_options options = {.ondelete = field->on_delete, .onupdate = field->on_update};
        status = refer(column, mapping->table, field->column == NULL ? field->name : field->column, field->references,
                       options);
    }
    if (status == CORM_OK && field->server_default != NULL) {
        status = corm_column_set_server_default(column, field->server_default, NULL);
    }
    return status;
}

static corm_status add_column(c_mapping *made, corm_table *table, const corm_field *field) {
    corm_type *type;
    corm_column *column = NULL;
    corm_status status = type_of(made->mapping, field, &type);
    if (status == CORM_OK) {
        status = corm_column_new(field->column == NULL ? field->name : field->column, type, &column);
    }
    corm_type_unref(type);
    if (status == CORM_OK) {
        status = describe_column(made->mapping, field, column);
    }
    if (status == CORM_OK) {
        status = corm_table_append_column(table, column, false);
    }
    corm_column_unref(column);
    return status;
}

static bool is_relationship(const corm_field *field) {
    return field->field_type == CORM_FIELD_REFERENCE || field->field_type == CORM_FIELD_MANY;
}

/* ---- relationships ---- */

static corm_status parse_lazy(const corm_mapping *mapping, const corm_field *field, corm_lazy *out) {
    static const struct {
        const char *name;
        corm_lazy lazy;
    } names[] = {{"select", CORM_LAZY_SELECT},
                 {"selectin", CORM_LAZY_SELECTIN},
                 {"joined", CORM_LAZY_JOINED},
                 {"raise", CORM_LAZY_RAISE},
                 {"noload", CORM_LAZY_NOLOAD}};
    *out = CORM_LAZY_SELECT;
    for (size_t i = 0; i < sizeof names / sizeof *names && field->lazy != NULL; i++) {
        if (strcmp(names[i].name, field->lazy) == 0) {
            *out = names[i].lazy;
            return CORM_OK;
        }
    }
    return field->lazy == NULL
               ? CORM_OK
               : corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s: lazy is one of select, selectin, joined, raise, noload",
                                mapping->name, field->name);
}

static corm_status declare_relationship(const corm_mapping *mapping, const corm_field *field,
                                        corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    corm_status status = parse_lazy(mapping, field, &relationship->lazy);
    relationship->use_list = field->field_type == CORM_FIELD_MANY;
    relationship->post_update = field->post_update;
    relationship->view_only = field->view_only;
    relationship->passive_deletes = field->passive_deletes ? CORM_PASSIVE_DELETES_ON : CORM_PASSIVE_DELETES_OFF;
    if (status == CORM_OK && field->inverse != NULL) {
        relationship->back_populates = corm_strdup(field->inverse);
        status = relationship->back_populates == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    if (status == CORM_OK && field->cascade != NULL) {
        relationship->cascade_given = true;
        status = corm_cascade_parse(field->cascade, &relationship->cascade);
    }
    return status;
}

/* The next word of a list "a, b desc": its bounds, and whether "desc" follows. */
static bool next_word(const char **at, const char **word, size_t *size, bool *descending) {
    const char *from = *at + strspn(*at, ", ");
    *word = from;
    *size = strcspn(from, ", ");
    from += *size;
    from += strspn(from, " ");
    *descending = strncmp(from, "desc", 4) == 0 && (from[4] == '\0' || from[4] == ',' || from[4] == ' ');
    from += *descending ? 4 : 0;
    *at = from;
    return *size > 0;
}

static corm_attribute *attribute_named(const corm_mapper *mapper, const char *name, size_t size) {
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (strlen(attribute->key) == size && memcmp(attribute->key, name, size) == 0) {
            return attribute;
        }
    }
    return NULL;
}

static corm_status unknown_name(const corm_attribute *attribute, const char *what, const char *name, size_t size) {
    return corm_error_set(CORM_ARGUMENT_ERROR, "%s.%s: %s names '%.*s', which there is not", attribute->mapper->name,
                          attribute->key, what, (int)size, name);
}

static corm_status resolve_order(corm_attribute *attribute, const char *text) {
    const char *word;
    size_t size;
    bool descending;
    corm_status status = CORM_OK;
    while (status == CORM_OK && next_word(&text, &word, &size, &descending)) {
        corm_attribute *by = attribute_named(attribute->relationship->target, word, size);
        if (by == NULL || by->column == NULL) {
            return unknown_name(attribute, "order_by", word, size);
        }
        corm_node *node = descending ? corm_unary_new(CORM_OP_DESC, corm_column_node(by->column))
                                     : corm_node_ref(corm_column_node(by->column));
        status = node == NULL ? corm_error_last()->status : corm_vector_push(&attribute->relationship->order_by, node);
        if (status != CORM_OK) {
            corm_node_unref(node);
        }
    }
    return status;
}

/* Columns by name: of this struct's table or of the target's. */
static corm_status resolve_columns(corm_attribute *attribute, const char *what, const char *text, corm_vector *out) {
    const char *word;
    size_t size;
    bool ignored;
    corm_status status = CORM_OK;
    const corm_mapper *sides[] = {attribute->mapper, attribute->relationship->target};
    while (status == CORM_OK && next_word(&text, &word, &size, &ignored)) {
        corm_attribute *found = NULL;
        for (size_t i = 0; i < 2 && found == NULL; i++) {
            found = attribute_named(sides[i], word, size);
        }
        if (found == NULL || found->column == NULL) {
            return unknown_name(attribute, what, word, size);
        }
        status = corm_vector_push(out, found->column);
    }
    return status;
}

corm_status c_mapping_resolve(corm_mapper *mapper, corm_attribute *attribute) {
    const corm_field *field = &c_mapping_of(mapper)->mapping->fields[attribute->index];
    corm_relationship *relationship = attribute->relationship;
    corm_status status = CORM_OK;
    relationship->target = corm_registry_find(mapper->registry, field->target);
    if (relationship->target == NULL) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "%s.%s refers to struct %s, which is in no corm_models: add it with corm_models_add()",
                              mapper->name, attribute->key, field->target);
    }
    if (field->secondary != NULL) {
        relationship->secondary = corm_metadata_table(corm_registry_metadata(mapper->registry), field->secondary);
        if (relationship->secondary == NULL) {
            return unknown_name(attribute, "secondary", field->secondary, strlen(field->secondary));
        }
    }
    relationship->foreign_keys.count = relationship->remote_side.count = 0;
    if (field->foreign_keys != NULL) {
        status = resolve_columns(attribute, "foreign_keys", field->foreign_keys, &relationship->foreign_keys);
    }
    if (status == CORM_OK && field->remote_side != NULL) {
        status = resolve_columns(attribute, "remote_side", field->remote_side, &relationship->remote_side);
    }
    if (status == CORM_OK && field->order_by != NULL && relationship->order_by.count == 0) {
        status = resolve_order(attribute, field->order_by);
    }
    return status;
}

/* ---- adding a struct ---- */

static size_t aligned(size_t size) {
    size_t alignment = _Alignof(max_align_t);
    return (size + alignment - 1) / alignment * alignment;
}

enum { ROOM_FOR_A_TEXT = 24, ROOM_FOR_TEXTS = 96 };

static void lay_out(c_mapping *made) {
    made->committed_offset = aligned(sizeof(c_object));
    made->loaded_offset = made->committed_offset + made->mapping->size;
    /* The word right before the struct is the distance to the header. */
    made->struct_offset = aligned(made->loaded_offset + made->field_count + sizeof(size_t));
    made->is_simple = true;
    for (size_t i = 0; i < made->field_count; i++) {
        corm_field_type type = made->mapping->fields[i].field_type;
        made->has_many = made->has_many || type == CORM_FIELD_MANY;
        made->is_simple =
            made->is_simple && type != CORM_FIELD_MANY && type != CORM_FIELD_REFERENCE && type != CORM_FIELD_BYTES;
        made->text_room += type == CORM_FIELD_TEXT && made->text_room < ROOM_FOR_TEXTS ? ROOM_FOR_A_TEXT : 0;
        size_t offset = made->mapping->fields[i].offset;
        made->places[i] = (c_place){.field_type = type,
                                    .in_struct = (uint32_t)(made->struct_offset + offset),
                                    .committed = (uint32_t)(made->committed_offset + offset)};
    }
}

static corm_status map_fields(c_mapping *made) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < made->field_count && status == CORM_OK; i++) {
        const corm_field *field = &made->mapping->fields[i];
        if (is_relationship(field)) {
            status = corm_mapper_add_relationship(made->mapper, field->name, &made->attributes[i]);
            if (status == CORM_OK) {
                status = declare_relationship(made->mapping, field, made->attributes[i]);
            }
        } else {
            corm_column *column =
                corm_table_column(made->mapper->table, field->column == NULL ? field->name : field->column);
            status = corm_mapper_add_column(made->mapper, field->name, column, &made->attributes[i]);
        }
    }
    return status;
}

static corm_status build(corm_models *models, c_mapping *made) {
    corm_table *table = NULL;
    const corm_mapping *mapping = made->mapping;
    corm_metadata *metadata = corm_registry_metadata(models->registry);
    corm_status status = corm_table_new(metadata, mapping->table, NULL, &table);
    bool is_new = status == CORM_OK;
    for (size_t i = 0; i < made->field_count && status == CORM_OK; i++) {
        if (!is_relationship(&mapping->fields[i])) {
            status = add_column(made, table, &mapping->fields[i]);
        }
    }
    if (status == CORM_OK) {
        status = corm_mapper_new(models->registry, &corm_c_host, (void *)(uintptr_t)mapping, mapping->name, table,
                                 &made->mapper);
    }
    if (status == CORM_OK) {
        made->mapper->host_data = made;
        status = map_fields(made);
        const corm_column *numbered = corm_table_autoincrement_column(table);
        for (size_t i = 0; i < made->field_count && status == CORM_OK && numbered != NULL; i++) {
            made->numbered = made->attributes[i]->column == numbered ? made->attributes[i] : made->numbered;
        }
    }
    if (status != CORM_OK && is_new) {
        corm_metadata_remove(metadata, table); /* what cannot be mapped is not created either */
    }
    return status;
}

corm_status corm_models_add_mapping(corm_models *models, corm_mapping *mapping) {
    if (mapping->mapper != NULL) {
        return corm_error_set(CORM_INVALID_REQUEST, "struct %s is in a corm_models already", mapping->name);
    }
    c_mapping *made = corm_calloc(1, sizeof *made);
    if (made == NULL) {
        return CORM_NO_MEMORY;
    }
    made->mapping = mapping;
    made->models = models;
    made->field_count = mapping->field_count;
    made->attributes = corm_calloc(mapping->field_count, sizeof *made->attributes);
    made->places = corm_calloc(mapping->field_count, sizeof *made->places);
    bool complete = made->attributes != NULL && made->places != NULL;
    corm_status status = complete ? corm_vector_push(&models->mappings, made) : CORM_NO_MEMORY;
    if (status != CORM_OK) {
        corm_free(made->attributes);
        corm_free(made->places);
        corm_free(made);
        return status;
    }
    lay_out(made);
    status = build(models, made);
    if (status == CORM_OK) {
        mapping->mapper = made->mapper;
    } else if (made->mapper != NULL) {
        corm_mapper_dispose(made->mapper);
    }
    return status;
}

static corm_status association_column(corm_table *table, const char *table_name, const char *name,
                                      const char *references) {
    corm_column *column;
    corm_status status = corm_column_new(name, corm_type_of_kind(CORM_TYPE_NULL), &column); /* as what it refers to */
    if (status == CORM_OK) {
        corm_column_set_primary_key(column, true);
        status = refer(column, table_name, name, references, (corm_foreign_key_options){.name = NULL});
    }
    if (status == CORM_OK) {
        status = corm_table_append_column(table, column, false);
    }
    corm_column_unref(column);
    return status;
}

corm_status corm_models_add_association(corm_models *models, const char *table, const char *left_column,
                                        const char *left_references, const char *right_column,
                                        const char *right_references) {
    corm_table *made;
    corm_status status = corm_table_new(corm_registry_metadata(models->registry), table, NULL, &made);
    if (status == CORM_OK) {
        status = association_column(made, table, left_column, left_references);
    }
    return status == CORM_OK ? association_column(made, table, right_column, right_references) : status;
}

corm_status corm_models_check(corm_models *models) {
    return corm_registry_configure(models->registry);
}

/* ---- tables ---- */

static corm_status with_connection(corm_models *models, corm_engine *engine,
                                   corm_status (*run)(corm_connection *connection, corm_metadata *metadata,
                                                      const corm_vector *tables, bool check_first)) {
    corm_connection *connection;
    corm_status status = corm_engine_connect(engine, &connection);
    if (status == CORM_OK) {
        status = run(connection, corm_registry_metadata(models->registry), NULL, true);
        corm_connection_close(connection);
    }
    return status;
}

corm_status corm_create_all(corm_models *models, corm_engine *engine) {
    return with_connection(models, engine, corm_create_tables);
}

corm_status corm_drop_all(corm_models *models, corm_engine *engine) {
    return with_connection(models, engine, corm_drop_tables);
}

/* ---- hooks ---- */

corm_status corm_mapping_listen(corm_mapping *mapping, corm_hook_kind kind, corm_hook hook, void *context) {
    static const uint32_t events[] = {0,
                                      CORM_EVENT_BEFORE_INSERT,
                                      CORM_EVENT_AFTER_INSERT,
                                      CORM_EVENT_BEFORE_UPDATE,
                                      CORM_EVENT_AFTER_UPDATE,
                                      CORM_EVENT_BEFORE_DELETE,
                                      CORM_EVENT_AFTER_DELETE,
                                      CORM_EVENT_LOAD};
    corm_mapper *mapper = c_mapper_of(mapping);
    if (mapper == NULL) {
        return CORM_UNMAPPED_CLASS;
    }
    if ((size_t)kind == 0 || (size_t)kind >= sizeof events / sizeof *events) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "%d is no kind of hook", (int)kind);
    }
    if (hook == NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "the hook is NULL");
    }
    c_hook *added = corm_calloc(1, sizeof *added);
    if (added == NULL) {
        return CORM_NO_MEMORY;
    }
    *added = (c_hook){kind, hook, context, NULL};
    c_mapping *made = mapper->host_data;
    c_hook **last = &made->hooks;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = added;
    mapper->listening |= events[kind];
    return CORM_OK;
}
