/*
 * Running statements through a session or a connection: the cache, parameters, the result. See query.h.
 */
#include <string.h>

#include "base/alloc.h"
#include "orm/bulk.h"
#include "orm/result_private.h"

enum { STREAM_ROWS = 1000 }; /* of a stream whose user names no number, fetched at a time */

static const uint64_t legacy_bit = 1, many_bit = 2;
static const char *const no_keys[1]; /* parameters were given, but none is a column */

/* ---- compiling ---- */

static bool is_select(const corm_node *statement) {
    return statement->kind == CORM_NODE_SELECT;
}

static bool returns_entities(const corm_node *statement) {
    bool dml = statement->kind == CORM_NODE_INSERT || statement->kind == CORM_NODE_UPDATE ||
               statement->kind == CORM_NODE_DELETE;
    const corm_node *returning = dml ? corm_dml_part_of(statement, CORM_DML_RETURNING) : NULL;
    return returning != NULL && (returning->flags & CORM_NODE_HAS_EXTENSION);
}

static corm_status compile(const corm_dialect *dialect, corm_node *statement, const char *const *keys, size_t key_count,
                           bool legacy, bool many, corm_plan **plan, corm_compiled **out) {
    corm_node *core = NULL;
    *plan = NULL;
    corm_status status = CORM_OK;
    if (is_select(statement) && ((statement->flags & CORM_NODE_HAS_EXTENSION) || legacy)) {
        status = corm_plan_select(statement, legacy, plan, &core);
    } else if (returns_entities(statement)) {
        status = corm_plan_returning(statement, plan, &core);
    } else {
        core = corm_plan_core(statement);
        status = core == NULL ? corm_error_last()->status : CORM_OK;
    }
    if (status == CORM_OK) {
        corm_compile_options how = {
            .column_keys = keys, .column_key_count = key_count, .bind_source = statement, .no_returned_keys = many};
        status = corm_compile(dialect, core, &how, out);
    }
    if (status == CORM_OK && *plan != NULL) {
        corm_plan_take_types(*plan, *out);
    }
    corm_node_unref(core);
    if (status != CORM_OK) {
        corm_plan_free(*plan);
        *plan = NULL;
    }
    return status;
}

static corm_status find_or_compile(corm_engine *engine, corm_node *statement, const char *const *keys, size_t key_count,
                                   bool legacy, bool many, corm_vector *binds, corm_cached **out) {
    const corm_dialect *dialect = corm_engine_dialect(engine);
    corm_statement_cache *cache = corm_engine_cache(engine);
    uint64_t options = corm_column_keys_hash(keys, key_count) << 3 | (legacy ? legacy_bit : 0) | (many ? many_bit : 0);
    corm_status status = corm_statement_cache_find(cache, dialect, statement, options, binds, out);
    if (status != CORM_OK || *out != NULL) {
        return status;
    }
    corm_plan *plan;
    corm_compiled *compiled;
    status = compile(dialect, statement, keys, key_count, legacy, many, &plan, &compiled);
    if (status != CORM_OK) {
        return status;
    }
    status = corm_statement_cache_put(cache, dialect, statement, options, compiled, plan, corm_plan_free, out);
    corm_compiled_unref(compiled);
    binds->count = 0;
    return status == CORM_OK ? corm_node_collect_binds(statement, binds) : status;
}

/* ---- results ---- */

static corm_status describe_columns(corm_result *result) {
    size_t count = corm_cursor_column_count(result->cursor);
    const corm_compiled *compiled = result->cached == NULL ? NULL : result->cached->compiled;
    const corm_result_column *columns = compiled == NULL ? NULL : corm_compiled_columns(compiled);
    size_t known = compiled == NULL ? 0 : corm_compiled_column_count(compiled);
    result->own_outputs = corm_calloc(count, sizeof *result->own_outputs);
    result->own_names = corm_calloc(count, sizeof *result->own_names);
    if (result->own_outputs == NULL || result->own_names == NULL) {
        return CORM_NO_MEMORY;
    }
    result->outputs = result->own_outputs;
    result->output_count = count;
    for (size_t i = 0; i < count; i++) {
        bool named = i < known && columns[i].name != NULL;
        result->own_names[i] = corm_strdup(named ? columns[i].name : corm_cursor_column_name(result->cursor, i));
        if (result->own_names[i] == NULL) {
            return CORM_NO_MEMORY;
        }
        result->outputs[i].name = result->own_names[i];
        result->outputs[i].type = i < known ? columns[i].type : corm_type_of_kind(CORM_TYPE_NULL);
        result->outputs[i].node = i < known ? columns[i].node : NULL;
    }
    return CORM_OK;
}

/* Plain columns of a plan are named by the compiler (labels made unique). Once: the plan is shared. */
static corm_status take_outputs(corm_result *result) {
    const corm_plan *plan = result->plan;
    const corm_result_column *columns = corm_compiled_columns(result->cached->compiled);
    result->own_outputs = corm_calloc(plan->output_count, sizeof *result->own_outputs);
    if (result->own_outputs == NULL) {
        return CORM_NO_MEMORY;
    }
    result->outputs = result->own_outputs;
    result->output_count = plan->output_count;
    for (size_t i = 0; i < plan->output_count; i++) {
        result->outputs[i] = plan->outputs[i];
        if (plan->entities[i] == NULL) {
            const corm_result_column *column = &columns[plan->columns[i]];
            result->outputs[i].type = column->type;
            const corm_node *node = plan->outputs[i].node;
            const char *function = node != NULL && node->kind == CORM_NODE_FUNCTION
                                       ? ((const corm_function *)(const void *)node)->name
                                       : NULL;
            result->outputs[i].name = plan->outputs[i].name != NULL ? plan->outputs[i].name
                                      : function != NULL            ? function
                                                                    : column->name;
        }
    }
    result->loaded = corm_calloc(plan->entity_count, sizeof *result->loaded);
    return result->loaded == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status prepare_conversion(corm_result *result) {
    const corm_result_column *columns = corm_compiled_columns(result->cached->compiled);
    size_t count = corm_compiled_column_count(result->cached->compiled);
    for (size_t i = 0; i < count; i++) {
        result->converts = result->converts || columns[i].convert != NULL;
    }
    if (!result->converts) {
        return CORM_OK;
    }
    if (corm_cursor_column_count(result->cursor) != count) {
        result->converts = false; /* text() with fewer columns declared than it gives */
        return CORM_OK;
    }
    result->row = corm_calloc(count, sizeof *result->row);
    result->rooms = corm_alloc_array(count, CORM_RESULT_ROOM);
    return result->row == NULL || result->rooms == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static bool returns_keys(const corm_result *result) {
    return (corm_compiled_flags(result->cached->compiled) & CORM_COMPILED_RETURNS_KEYS) != 0;
}

/* The cursor has rows of the user's. */
static bool has_columns(const corm_result *result) {
    return !returns_keys(result) && corm_cursor_column_count(result->cursor) > 0;
}

void corm_result_drop_returned_key(corm_result *result) {
    for (size_t i = 0; i < result->returned_key_count; i++) {
        corm_value_clear(&result->returned_key[i]);
    }
    corm_free(result->returned_key);
    result->returned_key = NULL;
    result->returned_key_count = 0;
}

/* Keep a row of returned keys as the columns' types have them. */
static corm_status keep_returned_key(corm_result *result, const corm_value *row) {
    const corm_dialect *dialect = corm_compiled_dialect(result->cached->compiled);
    corm_column *const *columns;
    char room[CORM_RESULT_ROOM];
    size_t count = corm_compiled_returned_keys(result->cached->compiled, &columns);
    corm_status status = CORM_OK;
    corm_result_drop_returned_key(result);
    result->returned_key = corm_calloc(count, sizeof *result->returned_key);
    if (result->returned_key == NULL) {
        return CORM_NO_MEMORY;
    }
    result->returned_key_count = count;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const corm_type *type = corm_type_adapted(corm_column_type(columns[i]), dialect->name);
        if (type == NULL) {
            return corm_error_last()->status;
        }
        corm_convert_result convert = dialect->result_converter(type);
        corm_value value = row[i];
        if (convert != NULL && row[i].kind != CORM_KIND_NULL) {
            status = convert(type, &row[i], &value, room);
        }
        if (status == CORM_OK) {
            status = corm_value_copy(&value, &result->returned_key[i]);
        }
        if (columns[i] == corm_table_autoincrement_column(columns[i]->table) && value.kind == CORM_KIND_INTEGER) {
            result->generated_key = value.as.integer;
        }
    }
    return status;
}

/* The row of keys is not the user's: it is read, and the cursor closed. */
static corm_status take_returned_key(corm_result *result) {
    bool has_row = false;
    corm_status status = corm_cursor_next(result->cursor, &has_row);
    if (status == CORM_OK && has_row) {
        status = keep_returned_key(result, corm_cursor_values(result->cursor));
    }
    while (status == CORM_OK && has_row) {
        status = corm_cursor_next(result->cursor, &has_row);
    }
    corm_cursor_close(result->cursor);
    return status;
}

static const corm_value *returned_value(const corm_result *result, const corm_column *column) {
    corm_column *const *columns;
    corm_compiled_returned_keys(result->cached->compiled, &columns);
    for (size_t i = 0; i < result->returned_key_count; i++) {
        if (columns[i] == column) {
            return &result->returned_key[i];
        }
    }
    return NULL;
}

/* The primary key of an inserted row: what the database numbered, and what the statement gave. */
static corm_status note_inserted_key(corm_result *result) {
    corm_table *table = corm_compiled_insert_table(result->cached->compiled);
    if (table == NULL || table->primary_key.count == 0) {
        return CORM_OK;
    }
    result->inserted_key = corm_calloc(table->primary_key.count, sizeof *result->inserted_key);
    if (result->inserted_key == NULL) {
        return CORM_NO_MEMORY;
    }
    result->inserted_key_count = table->primary_key.count;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < table->primary_key.count && status == CORM_OK; i++) {
        const corm_column *column = table->primary_key.items[i];
        const corm_value *returned = returned_value(result, column);
        bool given = returned != NULL;
        if (given) {
            status = corm_value_copy(returned, &result->inserted_key[i]);
        }
        for (size_t p = 0; p < result->execution.count && p < corm_compiled_parameter_count(result->cached->compiled);
             p++) {
            const char *name = corm_compiled_parameter_name(result->cached->compiled, p);
            if (name != NULL && strcmp(name, column->key) == 0 && !given) {
                given = result->execution.values[p].kind != CORM_KIND_NULL;
                status = corm_value_copy(&result->execution.values[p], &result->inserted_key[i]);
            }
        }
        if (!given && corm_table_autoincrement_column(table) == column && !returns_keys(result)) {
            result->inserted_key[i] = corm_value_integer(result->generated_key);
        }
    }
    return status;
}

static uint64_t statement_id(const corm_result *result) {
    uint64_t id = corm_compiled_id(result->cached->compiled);
    return result->execution.shape == 0 ? id : corm_hash_mix(id, result->execution.shape) | (uint64_t)1 << 63;
}

static corm_status prepare(corm_result *result, const corm_parameters *set) {
    corm_named_values named = {0};
    if (set != NULL) {
        named = (corm_named_values){.count = set->count,
                                    .names = set->names,
                                    .values = set->values,
                                    .lists = set->lists,
                                    .list_counts = set->list_counts};
    }
    corm_status status = corm_execution_prepare(&result->execution, result->cached->compiled, &result->binds,
                                                set == NULL ? NULL : &named);
    if (status == CORM_STATEMENT_ERROR) {
        corm_error_add_statement(corm_compiled_text(result->cached->compiled, NULL), NULL);
    }
    return status;
}

static corm_status run(corm_result *result, corm_connection *connection, const corm_parameters *set) {
    corm_status status = prepare(result, set);
    if (status == CORM_OK) {
        corm_cursor_free(result->cursor);
        result->cursor = NULL;
        status =
            corm_connection_stream(connection, statement_id(result), result->execution.sql, result->execution.sql_size,
                                   result->execution.values, result->execution.count, result->chunk, &result->cursor);
    }
    return status == CORM_OK && returns_keys(result) ? take_returned_key(result) : status;
}

/* What the rows of the first execution are: the same for all others. */
static corm_status describe(corm_result *result) {
    corm_status status = CORM_OK;
    if (result->plan != NULL) {
        status = take_outputs(result);
    } else if (has_columns(result)) {
        status = describe_columns(result);
    }
    return status == CORM_OK ? prepare_conversion(result) : status;
}

/* Several parameter sets as one batch of the driver's, for statements without rows. */
typedef struct batch_state {
    corm_result *result;
    const corm_parameters *sets;
    int64_t changed, generated;
    size_t ready; /* the row whose values the execution has, from 1 */
} batch_state;

static corm_status bind_set(void *context, size_t row, corm_value *values, size_t count) {
    batch_state *state = context;
    corm_execution *execution = &state->result->execution;
    /* The first set was prepared for its text: defaults are called once for each row. */
    corm_status status = state->ready == row + 1 ? CORM_OK : prepare(state->result, &state->sets[row]);
    state->ready = row + 1;
    if (status == CORM_STATEMENT_ERROR && row > 0) {
        corm_error kept;
        corm_error_take(&kept);
        corm_error_set(CORM_STATEMENT_ERROR, "%s, in parameter group %zu", kept.message == NULL ? "" : kept.message,
                       row);
        corm_error_add_statement(kept.statement, NULL);
        corm_error_free_content(&kept);
        return status;
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        values[i] = execution->values[i];
        values[i].owned = false;
    }
    return status;
}

static corm_status count_set(void *context, size_t row, int64_t generated, int64_t changed, const corm_value *values,
                             size_t count) {
    batch_state *state = context;
    (void)row;
    (void)values;
    (void)count;
    state->changed += changed > 0 ? changed : 0;
    state->generated = generated;
    return CORM_OK;
}

static corm_status run_batch(corm_result *result, corm_connection *connection, const corm_parameters *sets,
                             size_t count) {
    batch_state state = {.result = result, .sets = sets, .ready = 1};
    corm_status status = prepare(result, &sets[0]);
    if (status == CORM_OK) {
        corm_batch batch = {.rows = count,
                            .parameter_count = result->execution.count,
                            .bind = bind_set,
                            .result = count_set,
                            .context = &state};
        corm_compiled_row(result->cached->compiled, &batch.row.at, &batch.row.size);
        status = corm_connection_execute_batch(connection, statement_id(result), result->execution.sql,
                                               result->execution.sql_size, &batch);
    }
    result->rowcount = state.changed;
    result->generated_key = state.generated;
    return status;
}

static bool is_batch(const corm_result *result, size_t count) {
    uint32_t flags = corm_compiled_flags(result->cached->compiled);
    return count > 1 && !(flags & (CORM_COMPILED_RETURNS_ROWS | CORM_COMPILED_EXPANDING | CORM_COMPILED_SELECT));
}

/* Several parameter sets: one after the other on one prepared statement; rows changed, and rows returned, add up. */
static corm_status run_sets(corm_result *result, corm_connection *connection, const corm_parameters *sets,
                            size_t count) {
    int64_t changed = 0;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = run(result, connection, &sets[i]);
        if (status == CORM_OK && i == 0) {
            status = describe(result);
        }
        if (status == CORM_OK && has_columns(result)) {
            result->buffered = true;
            status = corm_result_take_rows(result);
        }
        if (status == CORM_OK) {
            changed += corm_cursor_changed_rows(result->cursor);
        }
    }
    result->rowcount = changed;
    return status;
}

static corm_status start(corm_result *result, corm_connection *connection, const corm_parameters *sets,
                         size_t set_count) {
    if (is_batch(result, set_count)) {
        return run_batch(result, connection, sets, set_count);
    }
    corm_status status = set_count > 1 ? run_sets(result, connection, sets, set_count)
                                       : run(result, connection, set_count == 1 ? sets : NULL);
    if (status != CORM_OK) {
        return status;
    }
    if (set_count <= 1) {
        result->rowcount = corm_cursor_changed_rows(result->cursor);
    }
    if (!returns_keys(result)) {
        result->generated_key = corm_cursor_generated_key(result->cursor);
    }
    if (corm_compiled_flags(result->cached->compiled) & CORM_COMPILED_INSERT && set_count <= 1) {
        status = note_inserted_key(result);
    }
    return status == CORM_OK && set_count <= 1 ? describe(result) : status;
}

/* ---- parameters' names ---- */

/* Columns that an INSERT or UPDATE without values takes from the first set: by attribute or column key. */
static corm_status find_keys(corm_node *statement, const corm_parameters *set, corm_vector *keys,
                             corm_mapper **mapper) {
    bool wanted = (statement->kind == CORM_NODE_INSERT || statement->kind == CORM_NODE_UPDATE);
    *mapper = NULL;
    if (!wanted || set == NULL) {
        return CORM_OK;
    }
    corm_node *target = corm_dml_part_of(statement, CORM_DML_TABLE);
    corm_entity *entity = corm_node_as_entity(target);
    corm_table *table = entity != NULL ? entity->mapper->table : corm_node_as_table(target);
    *mapper = entity == NULL ? NULL : entity->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < set->count && status == CORM_OK && table != NULL; i++) {
        corm_attribute *attribute = *mapper == NULL ? NULL : corm_mapper_attribute(*mapper, set->names[i]);
        corm_column *column = attribute != NULL ? attribute->column : corm_table_column(table, set->names[i]);
        if (column != NULL) {
            status = corm_vector_push(keys, column->key);
        } else if (statement->kind == CORM_NODE_INSERT && *mapper == NULL) {
            status = corm_error_set(CORM_COMPILE_ERROR, "Unconsumed column names: %s", set->names[i]);
        }
    }
    return status;
}

/* The sets with attributes' names replaced by columns'; *renamed must be freed, NULL when nothing changed. */
static corm_status rename_sets(const corm_mapper *mapper, const corm_parameters *sets, size_t count,
                               corm_parameters **renamed, const char ***names) {
    bool differs = false;
    size_t total = 0;
    *renamed = NULL;
    *names = NULL;
    for (size_t i = 0; mapper != NULL && i < mapper->attribute_count; i++) {
        const corm_attribute *attribute = mapper->attributes[i];
        differs = differs || (attribute->column != NULL && strcmp(attribute->key, attribute->column->key) != 0);
    }
    if (!differs) {
        return CORM_OK;
    }
    for (size_t i = 0; i < count; i++) {
        total += sets[i].count;
    }
    *renamed = corm_alloc_array(count, sizeof **renamed);
    *names = corm_alloc_array(total, sizeof **names);
    if (*renamed == NULL || *names == NULL) {
        return CORM_NO_MEMORY;
    }
    const char **next = *names;
    for (size_t i = 0; i < count; i++) {
        (*renamed)[i] = sets[i];
        (*renamed)[i].names = next;
        for (size_t n = 0; n < sets[i].count; n++) {
            const corm_attribute *attribute = corm_mapper_attribute(mapper, sets[i].names[n]);
            *next++ = attribute != NULL && attribute->column != NULL ? attribute->column->key : sets[i].names[n];
        }
    }
    return CORM_OK;
}

/* ---- entry points ---- */

static corm_status set_chunk(corm_result *result, const corm_execute_options *options, size_t set_count) {
    bool streams = options != NULL && set_count <= 1;
    result->load_rows = streams ? options->yield_per : 0;
    result->chunk = result->load_rows;
    if (streams && options->yield_per == 0 && options->stream) {
        result->chunk = options->most_rows > 0 ? options->most_rows : STREAM_ROWS;
    }
    if (result->load_rows > 0 && result->plan != NULL && result->plan->unique) {
        return corm_error_set(CORM_INVALID_REQUEST,
                              "Can't use yield_per with eager loaders that require uniquing or row buffering, e.g. "
                              "joinedload() against collections or subqueryload().  Consider the selectinload() "
                              "strategy for better flexibility in loading objects.");
    }
    return CORM_OK;
}

static corm_status execute(corm_session *session, corm_connection *connection, corm_node *statement,
                           const corm_parameters *sets, size_t set_count, const corm_execute_options *options,
                           corm_result **out) {
    corm_result *result = corm_calloc(1, sizeof *result);
    corm_vector keys = {0};
    corm_mapper *mapper;
    corm_parameters *renamed = NULL;
    const char **names = NULL;
    *out = NULL;
    if (result == NULL) {
        return CORM_NO_MEMORY;
    }
    result->session = session;
    result->rowcount = -1;
    result->statement = corm_node_ref(statement);
    result->populate_existing = (options != NULL && options->populate_existing) || statement->kind == CORM_NODE_UPDATE;
    corm_status status = find_keys(statement, set_count > 0 ? sets : NULL, &keys, &mapper);
    if (status == CORM_OK && set_count > 0) {
        status = rename_sets(mapper, sets, set_count, &renamed, &names);
    }
    if (status == CORM_OK) {
        bool none = keys.count == 0 && statement->kind == CORM_NODE_INSERT &&
                    corm_dml_part_of(statement, CORM_DML_COLUMNS) == NULL;
        status = find_or_compile(
            corm_connection_engine(connection), statement, none ? no_keys : (const char *const *)(void *)keys.items,
            keys.count, options != NULL && options->legacy_labels, set_count > 1, &result->binds, &result->cached);
    }
    if (status == CORM_OK) {
        result->plan = result->cached->plan;
        if (result->plan != NULL && session == NULL) {
            result->plan = NULL; /* a connection gives the columns */
        }
        status = set_chunk(result, options, set_count);
    }
    if (status == CORM_OK) {
        status = start(result, connection, renamed != NULL ? renamed : sets, set_count);
    }
    corm_vector_clear(&keys);
    corm_free(renamed);
    corm_free(names);
    if (status != CORM_OK) {
        corm_result_free(result);
        return status;
    }
    *out = result;
    return CORM_OK;
}

corm_status corm_session_execute_plain(corm_session *session, corm_node *statement, const corm_parameters *sets,
                                       size_t set_count, const corm_execute_options *options, corm_result **out) {
    corm_connection *connection;
    *out = NULL;
    corm_status status = session->chosen ? CORM_OK : corm_session_choose(session, statement, NULL);
    if (status == CORM_OK) {
        status = corm_session_connection(session, &connection);
    }
    return status == CORM_OK ? execute(session, connection, statement, sets, set_count, options, out) : status;
}

static bool is_bulk(const corm_node *statement) {
    return (statement->kind == CORM_NODE_UPDATE || statement->kind == CORM_NODE_DELETE) &&
           corm_node_as_entity(corm_dml_part_of(statement, CORM_DML_TABLE)) != NULL;
}

corm_status corm_session_execute(corm_session *session, corm_node *statement, const corm_parameters *sets,
                                 size_t set_count, const corm_execute_options *options, corm_result **out) {
    *out = NULL;
    corm_status status = corm_session_enter(session);
    if (status != CORM_OK) {
        return status;
    }
    if (options == NULL || !options->no_autoflush) {
        status = corm_session_flush_if_needed(session);
    }
    if (status == CORM_OK) {
        bool bulk = is_bulk(statement) && set_count <= 1 && (options == NULL || options->synchronize_session != 3);
        status = bulk ? corm_bulk_execute(session, statement, sets, set_count, options, out)
                      : corm_session_execute_plain(session, statement, sets, set_count, options, out);
    }
    corm_session_leave(session);
    return status;
}

corm_status corm_connection_execute_node(corm_connection *connection, corm_node *statement, const corm_parameters *sets,
                                         size_t set_count, const corm_execute_options *options, corm_result **out) {
    return execute(NULL, connection, statement, sets, set_count, options, out);
}

/* ---- SQL as it is ---- */

static corm_status run_sql(corm_result *result, corm_connection *connection, const char *sql, size_t size,
                           const corm_value *values, size_t count) {
    corm_cursor_free(result->cursor);
    result->cursor = NULL;
    corm_status status =
        corm_connection_stream(connection, 0, sql, size, values, count, result->chunk, &result->cursor);
    bool streams =
        result->chunk > 0 && corm_engine_driver(corm_connection_engine(connection))->execute_streamed != NULL;
    bool has_row = status == CORM_OK && corm_cursor_column_count(result->cursor) > 0;
    /* The values are the caller's: with rows to come and values bound, read now. A stream was sent them. */
    if (has_row && count > 0 && !streams) {
        status = describe_columns(result);
        if (status == CORM_OK) {
            status = corm_result_buffer(result);
        }
    }
    return status;
}

corm_status corm_connection_execute_sql(corm_connection *connection, const char *sql, size_t size,
                                        const corm_value *sets, size_t set_count, size_t width,
                                        const corm_execute_options *options, corm_result **out) {
    corm_result *result = corm_calloc(1, sizeof *result);
    int64_t changed = 0;
    *out = NULL;
    if (result == NULL) {
        return CORM_NO_MEMORY;
    }
    result->rowcount = -1;
    corm_status status = set_chunk(result, options, set_count);
    if (status == CORM_OK && set_count <= 1) {
        status = run_sql(result, connection, sql, size, sets, width);
        changed = status == CORM_OK ? corm_cursor_changed_rows(result->cursor) : -1;
    }
    for (size_t i = 0; set_count > 1 && i < set_count && status == CORM_OK; i++) {
        corm_cursor_free(result->cursor);
        result->cursor = NULL;
        status = corm_connection_execute(connection, 0, sql, size, sets + i * width, width, &result->cursor);
        changed += status == CORM_OK ? corm_cursor_changed_rows(result->cursor) : 0;
    }
    if (status == CORM_OK) {
        result->rowcount = changed;
        result->generated_key = corm_cursor_generated_key(result->cursor);
        if (set_count <= 1 && result->own_outputs == NULL && corm_cursor_column_count(result->cursor) > 0) {
            status = describe_columns(result);
        }
    }
    if (status != CORM_OK) {
        corm_result_free(result);
        return status;
    }
    *out = result;
    return CORM_OK;
}
