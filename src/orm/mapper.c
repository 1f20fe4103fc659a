/*
 * Registries and mappers: declaring classes, attributes and relationships. See mapper.h; what is resolved late is in
 * configure.c.
 */
#include "orm/mapper.h"

#include <string.h>

#include "base/alloc.h"
#include "orm/registry_private.h"

static void relationship_free(corm_relationship *relationship) {
    if (relationship == NULL) {
        return;
    }
    corm_node_unref(relationship->primary_join);
    corm_node_unref(relationship->secondary_join);
    for (size_t i = 0; i < relationship->order_by.count; i++) {
        corm_node_unref(relationship->order_by.items[i]);
    }
    corm_vector_clear(&relationship->order_by);
    corm_vector_clear(&relationship->foreign_keys);
    corm_vector_clear(&relationship->remote_side);
    corm_free(relationship->back_populates);
    corm_free(relationship->backref);
    corm_free(relationship->sync);
    corm_free(relationship->secondary_sync);
    corm_free(relationship);
}

static void attribute_free(corm_attribute *attribute) {
    if (attribute == NULL) {
        return;
    }
    if (attribute->host_release != NULL) {
        attribute->host_release(attribute->host);
    }
    relationship_free(attribute->relationship);
    corm_free(attribute->key);
    corm_free(attribute);
}

static void mapper_free(corm_mapper *mapper) {
    if (mapper->plans != NULL && mapper->plans_release != NULL) {
        mapper->plans_release(mapper->plans);
    }
    HASH_CLEAR(hh, mapper->by_key);
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        attribute_free(mapper->attributes[i]);
    }
    if (mapper->host_release != NULL) {
        mapper->host_release(mapper->host_data);
    }
    corm_free(mapper->attributes);
    corm_free(mapper->by_column);
    corm_free(mapper->primary_key);
    corm_free(mapper->name);
    corm_free(mapper);
}

/* ---- registries ---- */

corm_status corm_registry_new(corm_metadata *metadata, corm_registry **out) {
    *out = NULL;
    corm_registry *registry = corm_calloc(1, sizeof *registry);
    if (registry == NULL) {
        return CORM_NO_MEMORY;
    }
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&registry->configuring, &recursive);
    pthread_mutexattr_destroy(&recursive);
    atomic_init(&registry->references, 1);
    atomic_init(&registry->configured, true);
    registry->metadata = corm_metadata_ref(metadata);
    *out = registry;
    return CORM_OK;
}

corm_registry *corm_registry_ref(corm_registry *registry) {
    atomic_fetch_add_explicit(&registry->references, 1, memory_order_relaxed);
    return registry;
}

void corm_registry_unref(corm_registry *registry) {
    if (registry == NULL || atomic_fetch_sub_explicit(&registry->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    HASH_CLEAR(hh, registry->by_name);
    for (size_t i = 0; i < registry->mappers.count; i++) {
        mapper_free(registry->mappers.items[i]);
    }
    corm_vector_clear(&registry->mappers);
    corm_metadata_unref(registry->metadata);
    pthread_mutex_destroy(&registry->configuring);
    corm_free(registry);
}

corm_metadata *corm_registry_metadata(corm_registry *registry) {
    return registry->metadata;
}

corm_mapper *corm_registry_find(corm_registry *registry, const char *name) {
    corm_mapper *mapper;
    HASH_FIND_STR(registry->by_name, name, mapper);
    return mapper;
}

size_t corm_registry_count(const corm_registry *registry) {
    return registry->mappers.count;
}

corm_mapper *corm_registry_at(const corm_registry *registry, size_t index) {
    return registry->mappers.items[index];
}

/* ---- mappers ---- */

corm_status corm_mapper_new(corm_registry *registry, const corm_host *host, void *host_class, const char *name,
                            corm_table *table, corm_mapper **out) {
    static atomic_uint identities = 0;
    *out = NULL;
    if (table->metadata != registry->metadata) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "class %s: table '%s' belongs to another MetaData than its registry",
                              name, table->name);
    }
    corm_mapper *mapper = corm_calloc(1, sizeof *mapper);
    if (mapper == NULL) {
        return CORM_NO_MEMORY;
    }
    mapper->registry = registry;
    mapper->host = host;
    mapper->host_class = host_class;
    mapper->table = table;
    mapper->name = corm_strdup(name);
    if (mapper->name == NULL || corm_vector_push(&registry->mappers, mapper) != CORM_OK) {
        corm_free(mapper->name);
        corm_free(mapper);
        return CORM_NO_MEMORY;
    }
    mapper->identity = atomic_fetch_add(&identities, 1) + 1;
    corm_mapper *former = corm_registry_find(registry, name);
    if (former != NULL) {
        HASH_DELETE(hh, registry->by_name, former);
    }
    HASH_ADD_KEYPTR(hh, registry->by_name, mapper->name, strlen(mapper->name), mapper);
    if (mapper->hh.tbl == NULL) {
        registry->mappers.count--;
        corm_free(mapper->name);
        corm_free(mapper);
        return CORM_NO_MEMORY;
    }
    atomic_store(&registry->configured, false);
    *out = mapper;
    return CORM_OK;
}

void corm_mapper_dispose(corm_mapper *mapper) {
    corm_registry *registry = mapper->registry;
    if (corm_registry_find(registry, mapper->name) == mapper) {
        HASH_DELETE(hh, registry->by_name, mapper);
    }
    mapper->disposed = true;
    mapper->host_class = NULL;
}

corm_mapper *corm_mapper_ref(corm_mapper *mapper) {
    corm_registry_ref(mapper->registry);
    return mapper;
}

void corm_mapper_unref(corm_mapper *mapper) {
    if (mapper != NULL) {
        corm_registry_unref(mapper->registry);
    }
}

/* ---- attributes ---- */

corm_attribute *corm_mapper_attribute(const corm_mapper *mapper, const char *key) {
    corm_attribute *attribute;
    HASH_FIND_STR(mapper->by_key, key, attribute);
    return attribute;
}

corm_attribute *corm_mapper_attribute_of(const corm_mapper *mapper, const corm_column *column) {
    return column->table == mapper->table && column->position < mapper->by_column_count
               ? mapper->by_column[column->position]
               : NULL;
}

static corm_status add_attribute(corm_mapper *mapper, const char *key, corm_attribute_kind kind, corm_attribute **out) {
    *out = NULL;
    if (corm_mapper_attribute(mapper, key) != NULL) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "class %s: attribute '%s' is mapped already", mapper->name, key);
    }
    if (mapper->attribute_count == mapper->attribute_capacity) {
        size_t capacity = mapper->attribute_capacity == 0 ? 8 : mapper->attribute_capacity * 2;
        corm_attribute **grown = corm_realloc_array(mapper->attributes, capacity, sizeof *grown);
        if (grown == NULL) {
            return CORM_NO_MEMORY;
        }
        mapper->attributes = grown;
        mapper->attribute_capacity = capacity;
    }
    corm_attribute *attribute = corm_calloc(1, sizeof *attribute);
    if (attribute == NULL) {
        return CORM_NO_MEMORY;
    }
    attribute->mapper = mapper;
    attribute->kind = kind;
    attribute->index = (uint32_t)mapper->attribute_count;
    attribute->key = corm_strdup(key);
    if (attribute->key == NULL) {
        corm_free(attribute);
        return CORM_NO_MEMORY;
    }
    HASH_ADD_KEYPTR(hh, mapper->by_key, attribute->key, strlen(attribute->key), attribute);
    if (attribute->hh.tbl == NULL) {
        attribute_free(attribute);
        return CORM_NO_MEMORY;
    }
    mapper->attributes[mapper->attribute_count++] = attribute;
    *out = attribute;
    return CORM_OK;
}

static corm_status reserve_by_column(corm_mapper *mapper, size_t count) {
    if (count <= mapper->by_column_count) {
        return CORM_OK;
    }
    corm_attribute **grown = corm_realloc_array(mapper->by_column, count, sizeof *grown);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    memset(grown + mapper->by_column_count, 0, (count - mapper->by_column_count) * sizeof *grown);
    mapper->by_column = grown;
    mapper->by_column_count = count;
    return CORM_OK;
}

corm_status corm_mapper_add_column(corm_mapper *mapper, const char *key, corm_column *column, corm_attribute **out) {
    *out = NULL;
    if (column->table != mapper->table) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "class %s: column '%s' of attribute '%s' is not one of table '%s'",
                              mapper->name, column->name == NULL ? "" : column->name, key, mapper->table->name);
    }
    corm_status status = reserve_by_column(mapper, mapper->table->columns.count);
    if (status == CORM_OK) {
        status = add_attribute(mapper, key, CORM_ATTRIBUTE_COLUMN, out);
    }
    if (status != CORM_OK) {
        return status;
    }
    (*out)->column = column;
    (*out)->primary_key = column->primary_key;
    if (mapper->by_column[column->position] == NULL) {
        mapper->by_column[column->position] = *out;
    }
    return CORM_OK;
}

corm_status corm_mapper_add_relationship(corm_mapper *mapper, const char *key, corm_attribute **out) {
    *out = NULL;
    corm_relationship *relationship = corm_calloc(1, sizeof *relationship);
    if (relationship == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = add_attribute(mapper, key, CORM_ATTRIBUTE_REFERENCE, out);
    if (status != CORM_OK) {
        corm_free(relationship);
        return status;
    }
    relationship->attribute = *out;
    relationship->use_list = -1;
    relationship->cascade = CORM_CASCADE_DEFAULT;
    relationship->lazy = CORM_LAZY_SELECT;
    relationship->passive_updates = true;
    (*out)->relationship = relationship;
    mapper->relationship_count++;
    atomic_store(&mapper->registry->configured, false);
    return CORM_OK;
}

/* ---- cascades' words ---- */

corm_status corm_cascade_parse(const char *text, uint32_t *out) {
    static const struct {
        const char *word;
        uint32_t bits;
    } words[] = {{"save-update", CORM_CASCADE_SAVE_UPDATE},
                 {"merge", CORM_CASCADE_MERGE},
                 {"delete", CORM_CASCADE_DELETE},
                 {"delete-orphan", CORM_CASCADE_DELETE_ORPHAN},
                 {"expunge", CORM_CASCADE_EXPUNGE},
                 {"refresh-expire", CORM_CASCADE_REFRESH_EXPIRE},
                 {"all", CORM_CASCADE_ALL},
                 {"none", 0}};
    uint32_t bits = 0;
    for (const char *at = text; *at != '\0';) {
        size_t size = strcspn(at, ",");
        const char *next = at[size] == ',' ? at + size + 1 : at + size;
        while (size > 0 && (*at == ' ' || *at == '\t' || *at == '\n')) {
            at++;
            size--;
        }
        while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t' || at[size - 1] == '\n')) {
            size--;
        }
        bool known = size == 0;
        for (size_t i = 0; i < sizeof words / sizeof *words && !known; i++) {
            if (strlen(words[i].word) == size && memcmp(words[i].word, at, size) == 0) {
                bits |= words[i].bits;
                known = true;
            }
        }
        if (!known) {
            return corm_error_set(CORM_ARGUMENT_ERROR,
                                  "Invalid cascade option(s): '%.*s': known are all, none, save-update, merge, "
                                  "delete, delete-orphan, expunge and refresh-expire",
                                  (int)size, at);
        }
        at = next;
    }
    *out = bits;
    return CORM_OK;
}
