/* Association tables: rows that come and go with the members of many-to-many relationships. */
#include <string.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

/* ---- association tables ---- */

typedef struct pair_writer {
    corm_flush *flush;
    const corm_relationship *relationship;
    corm_compiled *compiled;
    const corm_sync_pair **places; /* by parameter: the pair whose source gives the value */
    bool *of_right;                /* by parameter: the value is the right object's */
    corm_pair **pairs;
    size_t count;
    int64_t missing;
    corm_scratch scratch;
    corm_value *values; /* owned, by parameter */
} pair_writer;

static corm_status bind_pair(void *context, size_t row, corm_value *values, size_t count) {
    pair_writer *writer = context;
    const corm_pair *pair = writer->pairs[row];
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
    corm_status status = CORM_OK;
    corm_scratch_reset(&writer->scratch);
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const corm_column *source = writer->places[i]->source;
        corm_state *state = writer->of_right[i] ? pair->right : pair->left;
        corm_attribute *attribute = corm_mapper_attribute_of(state->mapper, source);
        corm_value_clear(&writer->values[i]);
        status = attribute == NULL ? corm_error_set(CORM_FLUSH_ERROR, "class %s does not map column '%s'",
                                                    state->mapper->name, source->name)
                                   : corm_column_value(state, attribute, &writer->values[i]);
        if (status == CORM_OK) {
            status = corm_is_nothing(&writer->values[i])
                         ? (values[i] = CORM_NULL_VALUE, CORM_OK)
                         : corm_convert_parameter(dialect, corm_column_type(source), &writer->values[i], &values[i],
                                                  &writer->scratch);
        }
    }
    return status;
}

static corm_status pair_written(void *context, size_t row, int64_t generated_key, int64_t changed,
                                const corm_value *values, size_t count) {
    pair_writer *writer = context;
    (void)row;
    (void)generated_key;
    (void)values;
    (void)count;
    writer->missing += changed == 0 ? 1 : 0;
    return CORM_OK;
}

/* INSERT or DELETE of one association row; parameters are named by the columns' keys. */
static corm_node *pair_statement(const corm_relationship *relationship, bool removed) {
    corm_node *table = corm_table_node(relationship->secondary);
    if (!removed) {
        return corm_insert_new(table);
    }
    corm_node *statement = corm_delete_new(table);
    const corm_sync_pair *lists[] = {relationship->sync, relationship->secondary_sync};
    size_t counts[] = {relationship->sync_count, relationship->secondary_sync_count};
    for (size_t list = 0; list < 2; list++) {
        for (size_t i = 0; i < counts[list] && statement != NULL; i++) {
            corm_column *column = lists[list][i].destination;
            corm_node *bind = corm_bind_named(column->key, NULL, corm_column_type(column), false);
            corm_node *equality = corm_binary_new(CORM_OP_EQ, corm_column_node(column), bind);
            corm_node *narrowed = corm_dml_where(statement, equality);
            corm_node_unref(bind);
            corm_node_unref(equality);
            corm_node_unref(statement);
            statement = narrowed;
        }
    }
    return statement;
}

static corm_status compile_pairs(pair_writer *writer, bool removed) {
    const corm_relationship *relationship = writer->relationship;
    corm_engine *engine = corm_connection_engine(writer->flush->connection);
    const corm_dialect *dialect = corm_engine_dialect(engine);
    corm_vector names = {0}, binds = {0};
    corm_cached *cached = NULL;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < relationship->sync_count && status == CORM_OK && !removed; i++) {
        status = corm_vector_push(&names, relationship->sync[i].destination->key);
    }
    for (size_t i = 0; i < relationship->secondary_sync_count && status == CORM_OK && !removed; i++) {
        status = corm_vector_push(&names, relationship->secondary_sync[i].destination->key);
    }
    corm_node *statement = status == CORM_OK ? pair_statement(relationship, removed) : NULL;
    const char *const *keys = (const char *const *)(void *)names.items;
    uint64_t options = corm_column_keys_hash(keys, names.count) ^ 2;
    if (status == CORM_OK) {
        status = statement == NULL ? corm_error_last()->status
                                   : corm_statement_cache_find(corm_engine_cache(engine), dialect, statement, options,
                                                               &binds, &cached);
    }
    if (status == CORM_OK && cached == NULL) {
        corm_compile_options how = {.column_keys = keys, .column_key_count = names.count};
        corm_compiled *compiled;
        status = corm_compile(dialect, statement, &how, &compiled);
        if (status == CORM_OK) {
            status = corm_statement_cache_put(corm_engine_cache(engine), dialect, statement, options, compiled, NULL,
                                              NULL, &cached);
            corm_compiled_unref(compiled);
        }
    }
    writer->compiled = status == CORM_OK ? corm_compiled_ref(cached->compiled) : NULL;
    corm_cached_unref(cached);
    corm_node_unref(statement);
    corm_vector_clear(&names);
    corm_vector_clear(&binds);
    return status;
}

static corm_status find_places(pair_writer *writer, size_t count) {
    const corm_relationship *relationship = writer->relationship;
    writer->places = corm_calloc(count, sizeof *writer->places);
    writer->of_right = corm_calloc(count, sizeof *writer->of_right);
    writer->values = corm_calloc(count, sizeof *writer->values);
    if (writer->places == NULL || writer->of_right == NULL || writer->values == NULL) {
        return CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = corm_compiled_parameter_name(writer->compiled, i);
        for (size_t s = 0; s < relationship->sync_count; s++) {
            if (strcmp(relationship->sync[s].destination->key, name) == 0) {
                writer->places[i] = &relationship->sync[s];
            }
        }
        for (size_t s = 0; s < relationship->secondary_sync_count; s++) {
            if (strcmp(relationship->secondary_sync[s].destination->key, name) == 0) {
                writer->places[i] = &relationship->secondary_sync[s];
                writer->of_right[i] = true;
            }
        }
        if (writer->places[i] == NULL) {
            return corm_error_set(CORM_FLUSH_ERROR,
                                  "association table '%s': column default '%s' needs a mapped class of its own",
                                  relationship->secondary->name, name);
        }
    }
    return CORM_OK;
}

/* The values that the rows consist of may be expired: they are loaded before the batch begins. */
static corm_status load_sources(const pair_writer *writer, size_t parameters) {
    corm_status status = CORM_OK;
    for (size_t p = 0; p < writer->count; p++) {
        for (size_t i = 0; i < parameters && status == CORM_OK; i++) {
            corm_state *state = writer->of_right[i] ? writer->pairs[p]->right : writer->pairs[p]->left;
            corm_attribute *attribute = corm_mapper_attribute_of(state->mapper, writer->places[i]->source);
            status = attribute == NULL ? CORM_OK : corm_attribute_load(state, attribute);
        }
    }
    return status;
}

static corm_status run_pairs(corm_flush *flush, corm_pair **pairs, size_t count, bool removed) {
    pair_writer writer = {
        .flush = flush, .relationship = pairs[0]->attribute->relationship, .pairs = pairs, .count = count};
    corm_status status = corm_flush_connect(flush, pairs[0]->attribute->mapper);
    if (status == CORM_OK) {
        status = compile_pairs(&writer, removed);
    }
    size_t parameters = status == CORM_OK ? corm_compiled_parameter_count(writer.compiled) : 0;
    if (status == CORM_OK) {
        status = find_places(&writer, parameters);
    }
    if (status == CORM_OK) {
        status = load_sources(&writer, parameters);
    }
    if (status == CORM_OK) {
        size_t size;
        const char *sql = corm_compiled_text(writer.compiled, &size);
        corm_batch batch = {.rows = count,
                            .parameter_count = parameters,
                            .bind = bind_pair,
                            .result = pair_written,
                            .context = &writer};
        status = corm_connection_execute_batch(flush->connection, corm_compiled_id(writer.compiled), sql, size, &batch);
    }
    if (status == CORM_OK && removed && writer.missing > 0) {
        status = corm_error_set(
            CORM_STALE_DATA, "DELETE statement on table '%s' expected to delete %zu row(s); Only %lld were matched.",
            writer.relationship->secondary->name, count, (long long)((int64_t)count - writer.missing));
    }
    for (size_t i = 0; i < parameters && writer.values != NULL; i++) {
        corm_value_clear(&writer.values[i]);
    }
    corm_free(writer.places);
    corm_free(writer.of_right);
    corm_free(writer.values);
    corm_compiled_unref(writer.compiled);
    corm_scratch_clear(&writer.scratch);
    return status;
}

corm_status corm_write_pairs(corm_flush *flush, bool removed) {
    corm_vector batch = {0};
    corm_status status = CORM_OK;
    /* One batch a relationship: each round takes the pairs of the first that is left. */
    for (size_t first = 0; first < flush->pair_order.count && status == CORM_OK; first++) {
        corm_pair *head = flush->pair_order.items[first];
        if (head == NULL || head->removed != removed) {
            continue;
        }
        batch.count = 0;
        const corm_attribute *attribute = head->attribute;
        for (size_t i = first; i < flush->pair_order.count && status == CORM_OK; i++) {
            corm_pair *pair = flush->pair_order.items[i];
            if (pair != NULL && pair->attribute == attribute && pair->removed == removed) {
                status = corm_vector_push(&batch, pair);
                HASH_DELETE(hh, flush->pairs, pair);
                flush->pair_order.items[i] = NULL;
                if (status != CORM_OK) {
                    corm_free(pair);
                }
            }
        }
        if (status == CORM_OK) {
            status = run_pairs(flush, (corm_pair **)(void *)batch.items, batch.count, removed);
        }
        for (size_t i = 0; i < batch.count; i++) {
            corm_free(batch.items[i]);
        }
    }
    corm_vector_clear(&batch);
    return status;
}
