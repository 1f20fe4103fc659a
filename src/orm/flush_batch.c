/*
 * Batches: objects whose statements have one shape, as executions of one statement.
 *
 * The shape of a statement is the set of columns that it writes, a bit each. Objects of one shape that follow each
 * other go to the driver as one batch: it asks for each row's parameters (bind), which are read off the object, and
 * tells its outcome (result), which checks that the row was there and keeps its generated key. An object with an SQL
 * expression as a value is a batch of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

/* ---- a statement for a shape ---- */

/* One parameter of the compiled statement: a column's present value, or a part of the key the row has. */
typedef struct column_parameter {
    corm_attribute *attribute;
    const corm_type *type;
    corm_convert_bind convert; /* NULL: nothing to do for plain values */
    int key_part;              /* index in the primary key, or -1: a value */
    bool plain;                /* the driver takes values as they are, but for the host's */
} column_parameter;

typedef struct batch_writer {
    corm_flush *flush;
    corm_mapper *mapper;
    corm_compiled *compiled; /* a reference */
    column_parameter *parameters;
    size_t count;
    corm_work **works; /* borrowed: those of the batch */
    size_t work_count;
    uint32_t action;
    size_t generated; /* index in the primary key of what the database numbers; count of it: none */
    int64_t *missing; /* grows by the rows that were not there; or NULL */
    corm_scratch scratch;
    corm_value *converted; /* owned results of the host's conversions, by parameter */
    bool holds_converted;  /* some, and scratch memory */
    corm_node *statement;  /* a reference: binds are borrowed from it */
    corm_vector binds;     /* those inside SQL expressions, which have values of their own */
} batch_writer;

static const char *const key_prefix = "corm key ";

/* The keys of the columns that get a value: borrowed from the table. */
static corm_status add_names(const corm_work *work, corm_vector *names) {
    const corm_table *table = work->state->mapper->table;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < table->columns.count && status == CORM_OK; i++) {
        corm_column *column = table->columns.items[i];
        if (corm_shape_has(work, column)) {
            status = corm_vector_push(names, column->key);
        }
    }
    return status;
}

/* WHERE each column of the key equals a parameter named after its place. */
static corm_node *with_key(corm_node *statement, const corm_mapper *mapper) {
    for (size_t i = 0; i < mapper->primary_key_count && statement != NULL; i++) {
        corm_column *column = mapper->primary_key[i]->column;
        char name[32];
        snprintf(name, sizeof name, "%s%zu", key_prefix, i);
        corm_node *bind = corm_bind_named(name, NULL, corm_column_type(column), false);
        corm_node *equality = corm_binary_new(CORM_OP_EQ, corm_column_node(column), bind);
        corm_node *narrowed = corm_dml_where(statement, equality);
        corm_node_unref(bind);
        corm_node_unref(equality);
        corm_node_unref(statement);
        statement = narrowed;
    }
    return statement;
}

static corm_node *statement_for(const corm_mapper *mapper, uint32_t action) {
    corm_node *table = corm_table_node(mapper->table);
    if (action == CORM_WORK_INSERT) {
        return corm_insert_new(table);
    }
    return with_key(action == CORM_WORK_UPDATE ? corm_update_new(table) : corm_delete_new(table), mapper);
}

/* The values that are SQL expressions: into the statement itself. */
static corm_node *with_expressions(corm_node *statement, const corm_work *work, corm_vector *names) {
    const corm_mapper *mapper = work->state->mapper;
    const corm_host *host = mapper->host;
    for (size_t i = 0; i < mapper->attribute_count && statement != NULL; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_value value;
        if (attribute->column == NULL || !corm_shape_has(work, attribute->column)) {
            continue;
        }
        if (host->get(work->object, attribute, &value) != CORM_OK) {
            corm_node_unref(statement);
            return NULL;
        }
        corm_node *expression =
            value.kind == CORM_KIND_HOST && host->expression != NULL ? host->expression(&value) : NULL;
        if (expression == NULL) {
            continue;
        }
        corm_node *column = corm_column_node(attribute->column);
        corm_node *set = corm_dml_values(statement, &column, &expression, 1);
        corm_node_unref(expression);
        corm_node_unref(statement);
        statement = set;
        for (size_t n = 0; n < names->count; n++) {
            if (names->items[n] == attribute->column->key) {
                corm_vector_remove(names, n);
                break;
            }
        }
    }
    return statement;
}

/* Columns whose default or onupdate is SQL, or a sequence's next value, stand in the statement too. */
static corm_node *with_default_expressions(corm_node *statement, const corm_dialect *dialect, const corm_work *work,
                                           uint32_t action) {
    const corm_table *table = work->state->mapper->table;
    for (size_t i = 0; i < table->columns.count && statement != NULL && action != CORM_WORK_DELETE; i++) {
        corm_column *column = table->columns.items[i];
        const corm_default *chosen = action == CORM_WORK_INSERT ? &column->default_value : &column->on_update;
        corm_node *value = chosen->kind == CORM_DEFAULT_EXPRESSION ? chosen->expression : NULL;
        if (action == CORM_WORK_INSERT && chosen->kind == CORM_DEFAULT_NONE) {
            value = corm_dialect_sequence_of(dialect, column);
        }
        if (value == NULL || corm_shape_has(work, column)) {
            continue;
        }
        corm_node *node = corm_column_node(column);
        corm_node *set = corm_dml_values(statement, &node, &value, 1);
        corm_node_unref(statement);
        statement = set;
    }
    return statement;
}

static corm_status compile(batch_writer *writer, const corm_work *work, bool expressions) {
    corm_engine *engine = corm_connection_engine(writer->flush->connection);
    const corm_dialect *dialect = corm_engine_dialect(engine);
    corm_vector names = {0};
    corm_cached *cached = NULL;
    corm_node *statement = statement_for(writer->mapper, writer->action);
    corm_status status = statement == NULL ? corm_error_last()->status : CORM_OK;
    if (status == CORM_OK && writer->action != CORM_WORK_DELETE) {
        status = add_names(work, &names);
    }
    if (status == CORM_OK) {
        statement = with_default_expressions(statement, dialect, work, writer->action);
        if (expressions) {
            statement = with_expressions(statement, work, &names);
        }
        status = statement == NULL ? corm_error_last()->status : CORM_OK;
    }
    static const char *const no_keys[] = {NULL};
    const char *const *keys = names.count == 0 ? no_keys : (const char *const *)(void *)names.items;
    bool defaults = writer->action == CORM_WORK_INSERT && !writer->mapper->leaves_defaults;
    uint64_t options = corm_column_keys_hash(keys, names.count) ^ (defaults ? 3 : 1);
    if (status == CORM_OK) {
        status =
            corm_statement_cache_find(corm_engine_cache(engine), dialect, statement, options, &writer->binds, &cached);
    }
    if (status == CORM_OK && cached == NULL) {
        writer->binds.count = 0;
        status = corm_node_collect_binds(statement, &writer->binds);
    }
    if (status == CORM_OK && cached == NULL) {
        corm_compile_options how = {
            .column_keys = keys, .column_key_count = names.count, .no_defaults = true, .return_defaults = defaults};
        corm_compiled *compiled;
        status = corm_compile(dialect, statement, &how, &compiled);
        if (status == CORM_OK) {
            status = corm_statement_cache_put(corm_engine_cache(engine), dialect, statement, options, compiled, NULL,
                                              NULL, &cached);
            corm_compiled_unref(compiled);
        }
    }
    if (status == CORM_OK) {
        writer->compiled = corm_compiled_ref(cached->compiled);
    }
    corm_cached_unref(cached);
    writer->statement = statement;
    corm_vector_clear(&names);
    return status;
}

static corm_status find_parameter(batch_writer *writer, const char *name, column_parameter *out) {
    const corm_mapper *mapper = writer->mapper;
    size_t prefix = strlen(key_prefix);
    out->key_part = -1;
    out->attribute = NULL;
    if (name != NULL && strncmp(name, key_prefix, prefix) == 0) {
        out->key_part = atoi(name + prefix);
        out->attribute = mapper->primary_key[out->key_part];
    } else if (name != NULL) {
        corm_column *column = corm_table_column(mapper->table, name);
        out->attribute = column == NULL ? NULL : corm_mapper_attribute_of(mapper, column);
    }
    if (out->attribute == NULL) {
        return CORM_OK; /* a bind inside an SQL expression: it has its own value */
    }
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
    out->type = corm_type_adapted(corm_column_type(out->attribute->column), dialect->name);
    if (out->type == NULL) {
        return corm_error_last()->status;
    }
    out->convert = dialect->bind_converter(out->type);
    out->plain = out->convert == NULL && out->type->host == NULL;
    return CORM_OK;
}

static corm_status find_parameters(batch_writer *writer) {
    writer->count = corm_compiled_parameter_count(writer->compiled);
    writer->parameters = corm_calloc(writer->count, sizeof *writer->parameters);
    writer->converted = corm_calloc(writer->count, sizeof *writer->converted);
    corm_status status = writer->parameters == NULL || writer->converted == NULL ? CORM_NO_MEMORY : CORM_OK;
    for (size_t i = 0; i < writer->count && status == CORM_OK; i++) {
        status = find_parameter(writer, corm_compiled_parameter_name(writer->compiled, i), &writer->parameters[i]);
    }
    return status;
}

static void drop_converted(batch_writer *writer) {
    for (size_t i = 0; i < writer->count && writer->converted != NULL; i++) {
        if (writer->converted[i].owned) {
            corm_value_clear(&writer->converted[i]);
        }
    }
}

static void writer_clear(batch_writer *writer) {
    drop_converted(writer);
    corm_compiled_unref(writer->compiled);
    corm_vector_clear(&writer->binds);
    corm_node_unref(writer->statement);
    corm_free(writer->parameters);
    corm_free(writer->converted);
    corm_scratch_clear(&writer->scratch);
}

/* ---- the batch's callbacks ---- */

/* A value as the driver takes it. What the conversion allocates is kept until the next row. */
static corm_status convert(batch_writer *writer, size_t at, const corm_value *in, corm_value *out) {
    const column_parameter *parameter = &writer->parameters[at];
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
    if (in->kind == CORM_KIND_NULL || in->kind == CORM_KIND_ABSENT) {
        *out = CORM_NULL_VALUE;
        return CORM_OK;
    }
    if (parameter->plain && in->kind != CORM_KIND_HOST) {
        *out = *in;
        return CORM_OK;
    }
    writer->holds_converted = true;
    corm_status status = corm_convert_parameter(dialect, parameter->type, in, out, &writer->scratch);
    if (status == CORM_OK) {
        writer->converted[at] = *out;
    }
    return status;
}

static corm_status bind_row(void *context, size_t row, corm_value *values, size_t count) {
    batch_writer *writer = context;
    corm_work *work = writer->works[row];
    const corm_host *host = writer->mapper->host;
    corm_status status = CORM_OK;
    corm_value room;
    const corm_value *key = NULL;
    if (writer->holds_converted) {
        drop_converted(writer);
        corm_scratch_reset(&writer->scratch);
        writer->holds_converted = false;
    }
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        const column_parameter *parameter = &writer->parameters[i];
        if (parameter->attribute == NULL) {
            corm_default_call call = {.compiled = writer->compiled, .binds = &writer->binds};
            corm_value own;
            status = corm_default_call_value(&call, i, &own);
            if (status == CORM_OK) {
                status = corm_convert_parameter(corm_compiled_dialect(writer->compiled),
                                                corm_compiled_parameter_type(writer->compiled, i), &own, &values[i],
                                                &writer->scratch);
            }
            writer->holds_converted = true;
            if (status == CORM_OK) {
                writer->converted[i] = values[i];
            }
        } else if (parameter->key_part >= 0) {
            /* The row goes by the key that this flush wrote, if it did. */
            if (key == NULL && work->key_written) {
                key = work->new_key;
            } else if (key == NULL) {
                corm_state_key(work->state, &key, &room);
            }
            status = convert(writer, i, &key[parameter->key_part], &values[i]);
        } else {
            corm_value value;
            status = host->get(work->object, parameter->attribute, &value);
            if (status == CORM_OK) {
                status = convert(writer, i, &value, &values[i]);
            }
        }
    }
    return status;
}

static corm_status stale(const batch_writer *writer, const char *verb, int64_t expected, int64_t matched) {
    return corm_error_set(CORM_STALE_DATA,
                          "%s statement on table '%s' expected to %s %lld row(s); %lld were matched: the rows were "
                          "changed or removed by another transaction",
                          verb, writer->mapper->table->name, writer->action == CORM_WORK_DELETE ? "delete" : "update",
                          (long long)expected, (long long)matched);
}

/* The columns that the INSERT gave back: of the key, and those that the database computed. */
static corm_status take_returned(const batch_writer *writer, corm_work *work, const corm_value *values, size_t count) {
    const corm_mapper *mapper = writer->mapper;
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
    corm_column *const *columns;
    char room[CORM_RESULT_ROOM];
    size_t returned = corm_compiled_returned_keys(writer->compiled, &columns);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < returned && i < count && status == CORM_OK; i++) {
        const corm_type *type = corm_type_adapted(corm_column_type(columns[i]), dialect->name);
        if (type == NULL) {
            return corm_error_last()->status;
        }
        corm_convert_result converter = dialect->result_converter(type);
        corm_value value = values[i];
        if (converter != NULL && value.kind != CORM_KIND_NULL) {
            status = converter(type, &values[i], &value, room);
        }
        corm_attribute *attribute = corm_mapper_attribute_of(mapper, columns[i]);
        if (status == CORM_OK && attribute != NULL) {
            corm_load_step step = {attribute, 0, type};
            status = mapper->host->load_row(work->object, &step, 1, &value);
        }
        if (mapper->primary_key_count == 1 && mapper->primary_key[0]->column == columns[i] &&
            value.kind == CORM_KIND_INTEGER && type->host == NULL) {
            work->new_key[0] = value;
            work->key_written = true; /* else complete_insert() reads the key off the object */
        }
    }
    if (!mapper->leaves_defaults && dialect->inserts_return_defaults) {
        work->flags |= CORM_WORK_FETCHED;
    }
    return status;
}

static corm_status row_written(void *context, size_t row, int64_t generated_key, int64_t changed,
                               const corm_value *values, size_t count) {
    batch_writer *writer = context;
    corm_work *work = writer->works[row];
    const corm_mapper *mapper = writer->mapper;
    if (values != NULL && corm_compiled_flags(writer->compiled) & CORM_COMPILED_RETURNS_KEYS) {
        return take_returned(writer, work, values, count);
    }
    if (writer->action != CORM_WORK_INSERT) {
        if (writer->missing != NULL) {
            *writer->missing += changed == 0 ? 1 : 0;
        }
        return writer->action == CORM_WORK_UPDATE && changed == 0
                   ? stale(writer, "UPDATE", (int64_t)writer->work_count, (int64_t)writer->work_count - 1)
                   : CORM_OK;
    }
    if (writer->generated < mapper->primary_key_count) {
        corm_value key = corm_value_integer(generated_key);
        if (changed == 0) {
            return corm_error_set(CORM_FLUSH_ERROR,
                                  "an INSERT into table '%s' wrote no row: an ON CONFLICT clause of the table or a "
                                  "trigger keeps it out",
                                  mapper->table->name);
        }
        work->new_key[writer->generated] = key;
        work->key_written = mapper->primary_key_count == 1; /* else read_key() finds the other parts */
        return mapper->host->set(work->object, mapper->primary_key[writer->generated], &key);
    }
    return CORM_OK;
}
/* ---- running batches ---- */

/* Whether binding runs nobody's code, so that what one row's values are borrowed from stays as it is. */
static bool takes_plain_values(const batch_writer *writer) {
    for (size_t i = 0; i < writer->count; i++) {
        if (writer->parameters[i].attribute == NULL || !writer->parameters[i].plain) {
            return false;
        }
    }
    return true;
}

/* A batch, until its results were told. The works of a step that is under way are borrowed. */
typedef struct waiting_batch {
    batch_writer writer;
    corm_batch batch;
    corm_work *works[];
} waiting_batch;

static void waiting_free(waiting_batch *waiting) {
    writer_clear(&waiting->writer);
    corm_free(waiting);
}

static waiting_batch *waiting_new(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **works,
                                  size_t count, int64_t *missing) {
    waiting_batch *made = corm_calloc(1, sizeof *made + (flush->waits ? count * sizeof *made->works : 0));
    if (made == NULL) {
        return NULL;
    }
    if (flush->waits) {
        memcpy(made->works, works, count * sizeof *made->works);
        works = made->works;
    }
    made->writer = (batch_writer){.flush = flush,
                                  .mapper = mapper,
                                  .action = action,
                                  .works = works,
                                  .work_count = count,
                                  .missing = missing,
                                  .generated = mapper->primary_key_count};
    const corm_column *numbered = corm_table_autoincrement_column(mapper->table);
    for (size_t i = 0; i < mapper->primary_key_count && action == CORM_WORK_INSERT; i++) {
        if (mapper->primary_key[i]->column == numbered && !corm_shape_has(works[0], numbered)) {
            made->writer.generated = i;
        }
    }
    return made;
}

/* 1 + the parameter of an INSERT that is the row's key, given by the program; 0: none. */
static size_t unique_parameter(const batch_writer *writer) {
    const corm_mapper *mapper = writer->mapper;
    for (size_t i = 0; i < writer->count && writer->action == CORM_WORK_INSERT && mapper->primary_key_count == 1; i++) {
        if (writer->parameters[i].attribute == mapper->primary_key[0]) {
            return i + 1;
        }
    }
    return 0;
}

static corm_status run(waiting_batch *waiting, corm_values_kind values) {
    batch_writer *writer = &waiting->writer;
    corm_flush *flush = writer->flush;
    size_t size;
    const char *sql = corm_compiled_text(writer->compiled, &size);
    waiting->batch = (corm_batch){.rows = writer->work_count,
                                  .parameter_count = writer->count,
                                  .bind = bind_row,
                                  .result = row_written,
                                  .wants_keys = writer->generated < writer->mapper->primary_key_count,
                                  .unique = unique_parameter(writer),
                                  .may_wait = flush->waits,
                                  .row = {.keeps_values = values == CORM_VALUES_PLAIN && takes_plain_values(writer)},
                                  .context = writer};
    corm_compiled_row(writer->compiled, &waiting->batch.row.at, &waiting->batch.row.size);
    return corm_connection_execute_batch(flush->connection, corm_compiled_id(writer->compiled), sql, size,
                                         &waiting->batch);
}

corm_status corm_flush_batch(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **works, size_t count,
                             corm_values_kind values, int64_t *missing) {
    corm_status status = corm_flush_connect(flush, mapper);
    if (status == CORM_OK && flush->waits) {
        status = corm_vector_reserve(&flush->waiting, 1);
    }
    waiting_batch *waiting = status == CORM_OK ? waiting_new(flush, mapper, action, works, count, missing) : NULL;
    if (waiting == NULL) {
        return status == CORM_OK ? CORM_NO_MEMORY : status;
    }
    status = compile(&waiting->writer, works[0], values == CORM_VALUES_EXPRESSION);
    if (status == CORM_OK) {
        status = find_parameters(&waiting->writer);
    }
    if (status == CORM_OK) {
        status = run(waiting, values);
    }
    if (status == CORM_OK && flush->waits) {
        flush->waiting.items[flush->waiting.count++] = waiting;
    } else {
        waiting_free(waiting);
    }
    return status;
}

void corm_flush_drop_batches(corm_flush *flush) {
    for (size_t i = 0; i < flush->waiting.count; i++) {
        waiting_free(flush->waiting.items[i]);
    }
    flush->waiting.count = 0;
}

corm_status corm_flush_settle_batches(corm_flush *flush) {
    corm_status status = flush->waiting.count == 0 ? CORM_OK : corm_connection_settle(flush->connection);
    corm_error reason;
    corm_error_take(&reason);
    corm_flush_drop_batches(flush);
    corm_error_restore(&reason);
    return status;
}

corm_values_kind corm_flush_values(const corm_work *work, corm_status *status) {
    const corm_mapper *mapper = work->mapper;
    const corm_host *host = mapper->host;
    corm_values_kind kind = CORM_VALUES_PLAIN;
    if (host->expression == NULL) {
        return kind;
    }
    for (size_t i = 0; i < mapper->attribute_count && *status == CORM_OK; i++) {
        corm_value value;
        if (mapper->attributes[i]->column == NULL || !corm_shape_has(work, mapper->attributes[i]->column) ||
            host->kind(work->object, mapper->attributes[i]) != CORM_KIND_HOST) {
            continue;
        }
        kind = CORM_VALUES_OF_HOST;
        *status = host->get(work->object, mapper->attributes[i], &value);
        corm_node *expression = *status == CORM_OK && value.kind == CORM_KIND_HOST ? host->expression(&value) : NULL;
        if (expression != NULL) {
            corm_node_unref(expression);
            return CORM_VALUES_EXPRESSION;
        }
    }
    return kind;
}

/* Write works in runs of one shape. */
corm_status corm_flush_batches(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **items,
                               size_t count) {
    corm_status status = CORM_OK;
    for (size_t first = 0, last; first < count && status == CORM_OK; first = last) {
        corm_values_kind kind = corm_flush_values(items[first], &status);
        for (last = first + 1; last < count && kind != CORM_VALUES_EXPRESSION && status == CORM_OK; last++) {
            corm_values_kind next = corm_shape_same(items[first], items[last]) ? corm_flush_values(items[last], &status)
                                                                               : CORM_VALUES_EXPRESSION;
            if (next == CORM_VALUES_EXPRESSION) {
                break;
            }
            kind = next > kind ? next : kind;
        }
        if (status == CORM_OK) {
            status = corm_flush_batch(flush, mapper, action, items + first, last - first, kind, NULL);
        }
    }
    return status;
}
