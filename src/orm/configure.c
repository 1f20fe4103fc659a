/*
 * Configuring mappers: primary keys, and for each relationship its join, direction, the pairs of columns it keeps equal
 * and its other side. What a host has as strings or callables it resolves first (host->resolve_relationship).
 *
 * How a join is found: with no primaryjoin, along the foreign keys between the two tables; with one, its equalities of
 * columns give the pairs, and of each pair the foreign key is the one that the user named (foreign_keys), or the one
 * that refers to the other.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/wait.h"
#include "orm/entity.h"
#include "orm/registry_private.h"
#include "sql/walk.h"

/* ---- messages ---- */

static corm_status fail(corm_status status, const corm_attribute *attribute, const char *format, ...) CORM_PRINTF(3, 4);

static corm_status fail(corm_status status, const corm_attribute *attribute, const char *format, ...) {
    corm_text message = CORM_TEXT_EMPTY;
    va_list arguments;
    char room[512];
    va_start(arguments, format);
    vsnprintf(room, sizeof room, format, arguments);
    va_end(arguments);
    corm_text_append_format(&message, "relationship %s.%s: %s", attribute->mapper->name, attribute->key, room);
    corm_error_set(status, "%s", message.data == NULL ? room : message.data);
    corm_text_clear(&message);
    return status;
}

/* ---- pairs ---- */

typedef struct pairs {
    corm_sync_pair *items;
    size_t count;
    size_t capacity;
} pairs;

static corm_status pairs_add(pairs *list, corm_column *source, corm_column *destination) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].source == source && list->items[i].destination == destination) {
            return CORM_OK;
        }
    }
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 2 : list->capacity * 2;
        corm_sync_pair *grown = corm_realloc_array(list->items, capacity, sizeof *grown);
        if (grown == NULL) {
            return CORM_NO_MEMORY;
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = (corm_sync_pair){source, destination};
    return CORM_OK;
}

static bool named(const corm_vector *columns, const corm_column *column) {
    return corm_vector_contains(columns, column);
}

static bool refers(corm_column *from, const corm_column *to) {
    for (size_t i = 0; i < from->foreign_keys.count; i++) {
        if (corm_foreign_key_refers_to(from->foreign_keys.items[i], to)) {
            return true;
        }
    }
    return false;
}

/* ---- joins along foreign keys ---- */

typedef struct key_search {
    corm_attribute *attribute;
    pairs found;
    size_t constraints; /* how many foreign keys matched */
} key_search;

/* Is the constraint one to join along: does it refer to `target`, and do the user's foreign_keys name it? */
static corm_status match_constraint(key_search *search, const corm_constraint *constraint, const corm_table *target) {
    const corm_vector *chosen = &search->attribute->relationship->foreign_keys;
    pairs pair = {0};
    corm_status status = CORM_OK;
    bool wanted = chosen->count == 0;
    for (size_t i = 0; i < constraint->foreign_keys.count && status == CORM_OK; i++) {
        corm_foreign_key *key = constraint->foreign_keys.items[i];
        if (corm_foreign_key_table(key) != target) {
            corm_free(pair.items);
            return CORM_OK;
        }
        corm_column *column;
        status = corm_foreign_key_resolve(key, &column);
        if (status == CORM_OK) {
            wanted = wanted || named(chosen, key->parent);
            status = pairs_add(&pair, column, key->parent);
        }
    }
    if (status == CORM_OK && wanted && pair.count > 0) {
        search->constraints++;
        for (size_t i = 0; i < pair.count && status == CORM_OK; i++) {
            status = pairs_add(&search->found, pair.items[i].source, pair.items[i].destination);
        }
    }
    corm_free(pair.items);
    return status;
}

static corm_status search_table(key_search *search, const corm_table *from, const corm_table *to) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < from->constraints.count && status == CORM_OK; i++) {
        const corm_constraint *constraint = from->constraints.items[i];
        if (constraint->kind == CORM_CONSTRAINT_FOREIGN_KEY) {
            status = match_constraint(search, constraint, to);
        }
    }
    return status;
}

static corm_status judge_search(const key_search *search, const char *tables) {
    const corm_attribute *attribute = search->attribute;
    if (search->constraints == 0) {
        return corm_error_set(CORM_NO_FOREIGN_KEYS,
                              "Could not determine join condition between %s tables on relationship %s.%s - there "
                              "are no foreign keys linking these tables.  Ensure that referencing columns are "
                              "associated with a ForeignKey or ForeignKeyConstraint, or specify a 'primaryjoin' "
                              "expression.",
                              tables, attribute->mapper->name, attribute->key);
    }
    if (search->constraints > 1) {
        return corm_error_set(CORM_AMBIGUOUS_FOREIGN_KEYS,
                              "Could not determine join condition between %s tables on relationship %s.%s - there "
                              "are multiple foreign key paths linking the tables.  Specify the 'foreign_keys' "
                              "argument, providing a list of those columns which should be counted as containing "
                              "a foreign key reference to the parent table.",
                              tables, attribute->mapper->name, attribute->key);
    }
    return CORM_OK;
}

/* ---- joins given by the user ---- */

/* The column that a node of an expression stands for, or NULL. */
static corm_column *column_of(corm_node *node) {
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    if (attribute != NULL) {
        return attribute->attribute->column;
    }
    return corm_node_as_column(node);
}

static corm_status plain_column(void *context, corm_node *node, corm_node **out) {
    (void)context;
    corm_attribute_node *attribute = corm_node_as_attribute(node);
    *out = attribute != NULL && attribute->attribute->column != NULL
               ? corm_node_ref(corm_column_node(attribute->attribute->column))
               : NULL;
    return CORM_OK;
}

/* Which of two columns refers to the other? *source is the key, *destination the foreign key; both NULL: neither. */
static void orient(const corm_relationship *relationship, corm_column *left, corm_column *right, corm_column **source,
                   corm_column **destination) {
    const corm_vector *chosen = &relationship->foreign_keys;
    bool left_refers = chosen->count > 0 ? named(chosen, left) && !named(chosen, right) : refers(left, right);
    bool right_refers = chosen->count > 0 ? named(chosen, right) && !named(chosen, left) : refers(right, left);
    if (chosen->count == 0 && !left_refers && !right_refers && relationship->secondary != NULL) {
        /* Of an association table all columns are foreign keys. */
        left_refers = left->table == relationship->secondary && right->table != relationship->secondary;
        right_refers = right->table == relationship->secondary && left->table != relationship->secondary;
    }
    *source = right_refers ? left : left_refers ? right : NULL;
    *destination = right_refers ? right : left_refers ? left : NULL;
}

typedef struct join_search {
    corm_relationship *relationship;
    pairs found;
    bool other; /* something else than an equality of a foreign key */
} join_search;

static corm_status examine(join_search *search, corm_node *node) {
    if (node->kind == CORM_NODE_GROUPING) {
        return examine(search, corm_node_child(node, 0));
    }
    if (node->kind == CORM_NODE_BINARY && node->op == CORM_OP_AND) {
        corm_status status = examine(search, corm_binary_left(node));
        return status == CORM_OK ? examine(search, corm_binary_right(node)) : status;
    }
    if (node->kind == CORM_NODE_LIST && node->op == CORM_OP_AND) {
        corm_status status = CORM_OK;
        for (size_t i = 0; i < corm_list_count(node) && status == CORM_OK; i++) {
            status = examine(search, corm_list_at(node, i));
        }
        return status;
    }
    corm_column *left = NULL, *right = NULL, *source = NULL, *destination = NULL;
    if (node->kind == CORM_NODE_BINARY && node->op == CORM_OP_EQ) {
        left = column_of(corm_binary_left(node));
        right = column_of(corm_binary_right(node));
    }
    if (left != NULL && right != NULL) {
        orient(search->relationship, left, right, &source, &destination);
    }
    if (source == NULL) {
        search->other = true;
        return CORM_OK;
    }
    return pairs_add(&search->found, source, destination);
}

/* The pairs of a join that the user gave; rewrites it in terms of the tables' columns. */
static corm_status examine_join(corm_relationship *relationship, corm_node **join, pairs *out, bool *simple) {
    corm_node *plain = corm_node_replace(*join, plain_column, NULL);
    if (plain == NULL) {
        return corm_error_last()->status;
    }
    corm_node_unref(*join);
    *join = plain;
    join_search search = {.relationship = relationship};
    corm_status status = examine(&search, plain);
    *simple = *simple && !search.other;
    *out = search.found;
    return status;
}

static corm_node *join_of(const pairs *list) {
    corm_node *join = NULL;
    for (size_t i = 0; i < list->count; i++) {
        corm_node *equality = corm_binary_new(CORM_OP_EQ, corm_column_node(list->items[i].source),
                                              corm_column_node(list->items[i].destination));
        corm_node *both = join == NULL ? corm_node_ref(equality) : corm_and2(join, equality);
        corm_node_unref(join);
        corm_node_unref(equality);
        join = both;
        if (join == NULL) {
            return NULL;
        }
    }
    return join;
}

/* Find or examine one join, giving its pairs. */
static corm_status work_out_join(corm_attribute *attribute, corm_node **join, const corm_table *near,
                                 const corm_table *far, const char *tables, pairs *out) {
    corm_relationship *relationship = attribute->relationship;
    if (*join != NULL) {
        corm_status status = examine_join(relationship, join, out, &relationship->simple);
        if (status == CORM_OK && out->count == 0) {
            status = fail(CORM_ARGUMENT_ERROR, attribute,
                          "could not locate any relevant foreign key columns for the join condition. Ensure that "
                          "referencing columns are associated with a ForeignKey or ForeignKeyConstraint, or are "
                          "named in foreign_keys or annotated with foreign()");
        }
        return status;
    }
    key_search search = {.attribute = attribute};
    corm_status status = search_table(&search, far, near);
    if (status == CORM_OK && near != far) {
        status = search_table(&search, near, far);
    }
    if (status == CORM_OK) {
        status = judge_search(&search, tables);
    }
    if (status == CORM_OK) {
        *join = join_of(&search.found);
        status = *join == NULL ? corm_error_last()->status : CORM_OK;
    }
    *out = search.found;
    return status;
}

/* ---- direction ---- */

static corm_status find_direction(corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    if (relationship->secondary != NULL) {
        relationship->direction = CORM_MANY_TO_MANY;
        return CORM_OK;
    }
    const corm_table *parent = attribute->mapper->table;
    const corm_table *target = relationship->target->table;
    bool to_target = true, to_parent = true; /* where all the foreign keys are */
    for (size_t i = 0; i < relationship->sync_count; i++) {
        to_target = to_target && relationship->sync[i].destination->table == target;
        to_parent = to_parent && relationship->sync[i].destination->table == parent;
    }
    if (parent == target) {
        bool key_is_remote = false;
        for (size_t i = 0; i < relationship->sync_count; i++) {
            key_is_remote = key_is_remote || named(&relationship->remote_side, relationship->sync[i].source);
        }
        relationship->direction = key_is_remote ? CORM_MANY_TO_ONE : CORM_ONE_TO_MANY;
        return CORM_OK;
    }
    if (to_target == to_parent) {
        return fail(CORM_ARGUMENT_ERROR, attribute,
                    "can't determine its direction: foreign key columns are present in both the parent and the "
                    "child's mapped tables. Specify the 'foreign_keys' argument");
    }
    relationship->direction = to_target ? CORM_ONE_TO_MANY : CORM_MANY_TO_ONE;
    return CORM_OK;
}

/* Many-to-one along exactly the target's primary key can be looked up by identity: the pairs are put in its order. */
static void find_target_key(corm_relationship *relationship) {
    const corm_mapper *target = relationship->target;
    relationship->target_key = false;
    if (relationship->direction != CORM_MANY_TO_ONE || !relationship->simple ||
        relationship->sync_count != target->table->primary_key.count) {
        return;
    }
    for (size_t i = 0; i < relationship->sync_count; i++) {
        size_t at = i;
        while (at < relationship->sync_count && relationship->sync[at].source != target->table->primary_key.items[i]) {
            at++;
        }
        if (at == relationship->sync_count) {
            return;
        }
        corm_sync_pair pair = relationship->sync[i];
        relationship->sync[i] = relationship->sync[at];
        relationship->sync[at] = pair;
    }
    relationship->target_key = true;
}

static corm_status check_mapped(const corm_attribute *attribute, const corm_sync_pair *sync, size_t count) {
    const corm_relationship *relationship = attribute->relationship;
    const corm_mapper *sides[] = {attribute->mapper, relationship->target};
    for (size_t i = 0; i < count; i++) {
        const corm_column *columns[] = {sync[i].source, sync[i].destination};
        for (size_t c = 0; c < 2; c++) {
            for (size_t s = 0; s < 2; s++) {
                if (columns[c]->table == sides[s]->table && corm_mapper_attribute_of(sides[s], columns[c]) == NULL) {
                    return fail(CORM_ARGUMENT_ERROR, attribute, "column '%s' of table '%s' is not mapped by class %s",
                                columns[c]->name, columns[c]->table->name, sides[s]->name);
                }
            }
        }
    }
    return CORM_OK;
}

static corm_status check_cascade(const corm_attribute *attribute) {
    const corm_relationship *relationship = attribute->relationship;
    if ((relationship->cascade & CORM_CASCADE_DELETE_ORPHAN) && !relationship->single_parent &&
        relationship->direction != CORM_ONE_TO_MANY) {
        return corm_error_set(
            CORM_ARGUMENT_ERROR,
            "For %s relationship %s.%s, delete-orphan cascade is normally configured only on the "
            "\"one\" side of a one-to-many relationship, and not on the \"many\" side of a many-to-one "
            "or many-to-many relationship.  To force this relationship to allow a particular \"%s\" "
            "object to be referenced by only a single \"%s\" object at a time via the %s.%s "
            "relationship, which would allow delete-orphan cascade to take place in this direction, "
            "set the single_parent=True flag.",
            relationship->direction == CORM_MANY_TO_ONE ? "many-to-one" : "many-to-many", attribute->mapper->name,
            attribute->key, relationship->target->name, attribute->mapper->name, attribute->mapper->name,
            attribute->key);
    }
    return CORM_OK;
}

/* Self-referential: which side of each pair is the target's. Stated by the user, else by direction. */
static corm_status state_remote_side(corm_relationship *relationship) {
    corm_status status = CORM_OK;
    if (relationship->remote_side.count > 0 || relationship->direction == CORM_MANY_TO_MANY) {
        return CORM_OK;
    }
    for (size_t i = 0; i < relationship->sync_count && status == CORM_OK; i++) {
        const corm_sync_pair *pair = &relationship->sync[i];
        status = corm_vector_push(&relationship->remote_side,
                                  relationship->direction == CORM_MANY_TO_ONE ? pair->source : pair->destination);
    }
    return status;
}

static corm_status configure_join(corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    const corm_table *parent = attribute->mapper->table;
    const corm_table *target = relationship->target->table;
    pairs primary = {0}, secondary = {0};
    corm_status status;
    relationship->simple = true;
    if (relationship->secondary == NULL) {
        status = work_out_join(attribute, &relationship->primary_join, parent, target, "parent/child", &primary);
    } else {
        status = work_out_join(attribute, &relationship->primary_join, parent, relationship->secondary,
                               "parent/association", &primary);
        if (status == CORM_OK) {
            status = work_out_join(attribute, &relationship->secondary_join, target, relationship->secondary,
                                   "association/child", &secondary);
        }
    }
    corm_free(relationship->sync);
    corm_free(relationship->secondary_sync);
    relationship->sync = primary.items;
    relationship->sync_count = primary.count;
    relationship->secondary_sync = secondary.items;
    relationship->secondary_sync_count = secondary.count;
    if (status == CORM_OK) {
        status = find_direction(attribute);
    }
    if (status == CORM_OK) {
        status = check_mapped(attribute, primary.items, primary.count);
    }
    if (status == CORM_OK) {
        status = check_mapped(attribute, secondary.items, secondary.count);
    }
    if (status == CORM_OK) {
        status = check_cascade(attribute);
    }
    return status == CORM_OK ? state_remote_side(relationship) : status;
}

/* ---- the other side ---- */

static corm_status link_inverse(corm_attribute *attribute, corm_attribute *inverse) {
    corm_relationship *ours = attribute->relationship, *theirs = inverse->relationship;
    if (theirs->target != attribute->mapper) {
        return fail(CORM_ARGUMENT_ERROR, attribute, "its other side '%s' refers to class %s, not to %s", inverse->key,
                    theirs->target == NULL ? "(unknown)" : theirs->target->name, attribute->mapper->name);
    }
    if (ours->direction == theirs->direction && ours->direction != CORM_MANY_TO_MANY) {
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "%s.%s and back-reference %s.%s are both of the same direction "
                              "<RelationshipDirection.%s>.  Did you mean to set remote_side on the many-to-one side ?",
                              attribute->mapper->name, attribute->key, inverse->mapper->name, inverse->key,
                              ours->direction == CORM_ONE_TO_MANY ? "ONETOMANY: 1" : "MANYTOONE: 2");
    }
    ours->inverse = inverse;
    if (theirs->inverse == NULL) {
        theirs->inverse = attribute;
    }
    return CORM_OK;
}

static corm_status copy_columns(corm_vector *to, const corm_vector *from) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < from->count && status == CORM_OK; i++) {
        status = corm_vector_push(to, from->items[i]);
    }
    return status;
}

/* Make the attribute that a backref asks for. */
static corm_status make_backref(corm_attribute *attribute) {
    corm_relationship *ours = attribute->relationship;
    corm_mapper *target = ours->target;
    corm_attribute *made;
    if (corm_mapper_attribute(target, ours->backref) != NULL) {
        return fail(CORM_ARGUMENT_ERROR, attribute,
                    "Error creating backref '%s': property of that name exists on mapper of class %s", ours->backref,
                    target->name);
    }
    corm_status status = corm_mapper_add_relationship(target, ours->backref, &made);
    if (status != CORM_OK) {
        return status;
    }
    corm_relationship *theirs = made->relationship;
    theirs->target = attribute->mapper;
    theirs->secondary = ours->secondary;
    theirs->primary_join = corm_node_ref(ours->secondary != NULL ? ours->secondary_join : ours->primary_join);
    theirs->secondary_join = ours->secondary != NULL ? corm_node_ref(ours->primary_join) : NULL;
    theirs->host_backref = ours->host_backref;
    theirs->passive_updates = ours->passive_updates;
    theirs->post_update = ours->post_update;
    theirs->view_only = ours->view_only;
    theirs->back_populates = corm_strdup(attribute->key);
    status = theirs->back_populates == NULL ? CORM_NO_MEMORY : copy_columns(&theirs->foreign_keys, &ours->foreign_keys);
    for (size_t i = 0; i < ours->sync_count && status == CORM_OK && ours->secondary == NULL; i++) {
        status = corm_vector_push(&theirs->remote_side, ours->direction == CORM_MANY_TO_ONE ? ours->sync[i].destination
                                                                                            : ours->sync[i].source);
    }
    return status == CORM_OK && target->host->attribute_added != NULL ? target->host->attribute_added(target, made)
                                                                      : status;
}

static corm_status configure_relationship(corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    const corm_host *host = attribute->mapper->host;
    corm_status status = CORM_OK;
    if (host->resolve_relationship != NULL) {
        status = host->resolve_relationship(attribute->mapper, attribute);
    }
    if (status == CORM_OK && relationship->target == NULL) {
        status = fail(CORM_INVALID_REQUEST, attribute, "it has no target class");
    }
    if (status == CORM_OK && relationship->target->host != host) {
        status = fail(CORM_ARGUMENT_ERROR, attribute, "its target class %s belongs to another host",
                      relationship->target->name);
    }
    if (status == CORM_OK) {
        status = configure_join(attribute);
    }
    if (status != CORM_OK) {
        return status;
    }
    bool many = relationship->use_list < 0 ? relationship->direction != CORM_MANY_TO_ONE : relationship->use_list != 0;
    attribute->kind = many ? CORM_ATTRIBUTE_COLLECTION : CORM_ATTRIBUTE_REFERENCE;
    find_target_key(relationship);
    if (relationship->lazy == CORM_LAZY_JOINED || relationship->lazy == CORM_LAZY_SELECTIN) {
        attribute->mapper->eager = true;
    }
    relationship->configured = true;
    return relationship->backref != NULL && relationship->inverse == NULL ? make_backref(attribute) : CORM_OK;
}

static corm_status link_back(corm_attribute *attribute) {
    corm_relationship *relationship = attribute->relationship;
    if (relationship->back_populates == NULL || relationship->inverse != NULL) {
        return CORM_OK;
    }
    corm_attribute *inverse = corm_mapper_attribute(relationship->target, relationship->back_populates);
    if (inverse == NULL || inverse->relationship == NULL) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "Mapper 'Mapper[%s(%s)]' has no property '%s'.  If this property was indicated from "
                              "other mappers or configure events, ensure registry.configure() has been called.",
                              relationship->target->name, relationship->target->table->name,
                              relationship->back_populates);
    }
    return inverse->relationship->configured ? link_inverse(attribute, inverse) : CORM_OK;
}

/* ---- primary keys ---- */

static corm_status configure_key(corm_mapper *mapper) {
    size_t count = mapper->table->primary_key.count;
    if (count == 0) {
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "Mapper Mapper[%s(%s)] could not assemble any primary key columns for mapped table "
                              "'%s': give one or more columns primary_key=True",
                              mapper->name, mapper->table->name, mapper->table->name);
    }
    corm_attribute **key = corm_alloc_array(count, sizeof *key);
    if (key == NULL) {
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const corm_column *column = mapper->table->primary_key.items[i];
        key[i] = corm_mapper_attribute_of(mapper, column);
        if (key[i] == NULL) {
            corm_free(key);
            return corm_error_set(CORM_ARGUMENT_ERROR, "class %s: primary key column '%s' of table '%s' is not mapped",
                                  mapper->name, column->name, mapper->table->name);
        }
        key[i]->primary_key = true;
    }
    corm_free(mapper->primary_key);
    mapper->primary_key = key;
    mapper->primary_key_count = count;
    corm_type_kind kind = corm_column_type(key[0]->column)->kind;
    mapper->integer_key = count == 1 && corm_column_type(key[0]->column)->host == NULL &&
                          (kind == CORM_TYPE_INTEGER || kind == CORM_TYPE_BIG_INTEGER ||
                           kind == CORM_TYPE_SMALL_INTEGER || kind == CORM_TYPE_NULL);
    return CORM_OK;
}

/* ---- the registry ---- */

typedef corm_status (*relationship_step)(corm_attribute *attribute);

static corm_status each_relationship(corm_mapper *mapper, bool configured, relationship_step step) {
    corm_status status = CORM_OK;
    /* Backrefs add attributes meanwhile, also to this mapper. */
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        if (corm_attribute_is_relationship(attribute) && attribute->relationship->configured == configured) {
            status = step(attribute);
        }
    }
    return status;
}

/* Has any relationship been left for another round (made by a backref)? */
static bool is_complete(const corm_registry *registry) {
    for (size_t m = 0; m < registry->mappers.count; m++) {
        const corm_mapper *mapper = registry->mappers.items[m];
        for (size_t i = 0; i < mapper->attribute_count && !mapper->disposed; i++) {
            const corm_attribute *attribute = mapper->attributes[i];
            if (corm_attribute_is_relationship(attribute) && !attribute->relationship->configured) {
                return false;
            }
        }
    }
    return true;
}

static corm_status each_mapper(corm_registry *registry, bool configured, relationship_step step) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < registry->mappers.count && status == CORM_OK; i++) {
        corm_mapper *mapper = registry->mappers.items[i];
        if (!mapper->disposed) {
            status = each_relationship(mapper, configured, step);
        }
    }
    return status;
}

static corm_status configure_all(corm_registry *registry) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < registry->mappers.count && status == CORM_OK; i++) {
        corm_mapper *mapper = registry->mappers.items[i];
        if (!mapper->configured && !mapper->disposed) {
            status = configure_key(mapper);
            mapper->configured = status == CORM_OK;
        }
    }
    do {
        status = status == CORM_OK ? each_mapper(registry, false, configure_relationship) : status;
    } while (status == CORM_OK && !is_complete(registry));
    return status == CORM_OK ? each_mapper(registry, true, link_back) : status;
}

corm_status corm_registry_configure(corm_registry *registry) {
    if (atomic_load_explicit(&registry->configured, memory_order_acquire)) {
        return CORM_OK;
    }
    corm_wait_lock(&registry->configuring); /* its owner may run the host's code, which lets other threads run */
    corm_status status = CORM_OK;
    if (!registry->busy && !atomic_load(&registry->configured)) {
        registry->busy = true;
        status = configure_all(registry);
        registry->busy = false;
        if (status == CORM_OK) {
            atomic_store_explicit(&registry->configured, true, memory_order_release);
        }
    }
    pthread_mutex_unlock(&registry->configuring);
    return status;
}

corm_status corm_mapper_configure(corm_mapper *mapper) {
    return corm_registry_configure(mapper->registry);
}
