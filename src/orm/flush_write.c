/*
 * Writing: a step's objects as batches of INSERT, UPDATE and DELETE, one batch a statement shape.
 *
 * The shape of a statement is the set of columns that it writes, a bit each. Objects of one shape that follow each
 * other go to the driver as one batch: it asks for each row's parameters (bind), which are read off the object, and
 * tells its outcome (result), which checks that the row was there and keeps its generated key. An object with an SQL
 * expression as a value is a batch of its own.
 *
 * INSERTs keep the order in which objects were added; UPDATEs and DELETEs go by primary key, so that concurrent
 * transactions lock rows in one order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "compile/compile.h"
#include "orm/flush_private.h"
#include "orm/loading.h"

static const corm_host *host_of(const corm_state *state) {
    return state->mapper->host;
}

/* ---- shapes ---- */

static void shape_add(corm_work *work, const corm_column *column) {
    work->shape[column->position / 64] |= (uint64_t)1 << (column->position % 64);
}

static bool shape_has(const corm_work *work, const corm_column *column) {
    return (work->shape[column->position / 64] >> (column->position % 64)) & 1;
}

static size_t shape_size(const corm_work *work) {
    return (work->mapper->table->columns.count + 63) / 64 * sizeof *work->shape;
}

static bool shape_is_empty(const corm_work *work) {
    for (size_t i = 0; i < shape_size(work) / sizeof *work->shape; i++) {
        if (work->shape[i] != 0) {
            return false;
        }
    }
    return true;
}

static bool same_shape(const corm_work *left, const corm_work *right) {
    return left->shape[0] == right->shape[0] && memcmp(left->shape, right->shape, shape_size(left)) == 0;
}

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
    int64_t missing;  /* rows that were not there */
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
        if (shape_has(work, column)) {
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
        if (attribute->column == NULL || !shape_has(work, attribute->column)) {
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

/* Columns whose default or onupdate is SQL stand in the statement too. */
static corm_node *with_default_expressions(corm_node *statement, const corm_work *work, uint32_t action) {
    const corm_table *table = work->state->mapper->table;
    for (size_t i = 0; i < table->columns.count && statement != NULL && action != CORM_WORK_DELETE; i++) {
        corm_column *column = table->columns.items[i];
        const corm_default *chosen = action == CORM_WORK_INSERT ? &column->default_value : &column->on_update;
        if (chosen->kind != CORM_DEFAULT_EXPRESSION || shape_has(work, column)) {
            continue;
        }
        corm_node *node = corm_column_node(column);
        corm_node *set = corm_dml_values(statement, &node, &chosen->expression, 1);
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
        statement = with_default_expressions(statement, work, writer->action);
        if (expressions) {
            statement = with_expressions(statement, work, &names);
        }
        status = statement == NULL ? corm_error_last()->status : CORM_OK;
    }
    static const char *const no_keys[] = {NULL};
    const char *const *keys = names.count == 0 ? no_keys : (const char *const *)(void *)names.items;
    uint64_t options = corm_column_keys_hash(keys, names.count) ^ 1;
    if (status == CORM_OK) {
        status =
            corm_statement_cache_find(corm_engine_cache(engine), dialect, statement, options, &writer->binds, &cached);
    }
    if (status == CORM_OK && cached == NULL) {
        writer->binds.count = 0;
        status = corm_node_collect_binds(statement, &writer->binds);
    }
    if (status == CORM_OK && cached == NULL) {
        corm_compile_options how = {.column_keys = keys, .column_key_count = names.count, .no_defaults = true};
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
    out->type = corm_column_type(out->attribute->column);
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
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

/* The key's columns that the INSERT gave back. */
static corm_status take_returned_key(const batch_writer *writer, corm_work *work, const corm_value *values,
                                     size_t count) {
    const corm_mapper *mapper = writer->mapper;
    const corm_dialect *dialect = corm_compiled_dialect(writer->compiled);
    corm_column *const *columns;
    char room[CORM_RESULT_ROOM];
    size_t returned = corm_compiled_returned_keys(writer->compiled, &columns);
    corm_status status = CORM_OK;
    for (size_t i = 0; i < returned && i < count && status == CORM_OK; i++) {
        const corm_type *type = corm_column_type(columns[i]);
        corm_convert_result converter = dialect->result_converter(type);
        corm_value value = values[i];
        if (converter != NULL && value.kind != CORM_KIND_NULL) {
            status = converter(type, &values[i], &value, room);
        }
        for (size_t part = 0; part < mapper->primary_key_count && status == CORM_OK; part++) {
            if (mapper->primary_key[part]->column == columns[i]) {
                status = mapper->host->set(work->object, mapper->primary_key[part], &value);
            }
        }
        if (mapper->primary_key_count == 1 && value.kind == CORM_KIND_INTEGER && type->host == NULL) {
            work->new_key[0] = value;
            work->key_written = true; /* else complete_insert() reads the key off the object */
        }
    }
    return status;
}

static corm_status row_written(void *context, size_t row, int64_t generated_key, int64_t changed,
                               const corm_value *values, size_t count) {
    batch_writer *writer = context;
    corm_work *work = writer->works[row];
    const corm_mapper *mapper = writer->mapper;
    if (values != NULL && corm_compiled_flags(writer->compiled) & CORM_COMPILED_RETURNS_KEYS) {
        return take_returned_key(writer, work, values, count);
    }
    if (writer->action != CORM_WORK_INSERT) {
        writer->missing += changed == 0 ? 1 : 0;
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

/* ---- before and after a batch ---- */

static corm_status read_key(corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->primary_key_count && status == CORM_OK; i++) {
        corm_value_clear(&work->new_key[i]);
        status = corm_column_value(work->state, mapper->primary_key[i], &work->new_key[i]);
    }
    work->key_written = status == CORM_OK;
    return status;
}

static corm_status fire(corm_flush *flush, corm_work *work, corm_event_kind kind) {
    const corm_mapper *mapper = work->state->mapper;
    return mapper->listening & kind ? mapper->host->event(kind, flush->session, flush->connection, work->state)
                                    : CORM_OK;
}

/* Values that the database computed are fetched when they are next read. */
static corm_status forget_computed(corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    const corm_host *host = mapper->host;
    bool insert = (work->flags & CORM_WORK_INSERT) != 0;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_column *column = attribute->column;
        if (column == NULL || attribute->primary_key) {
            continue;
        }
        const corm_default *chosen = insert ? &column->default_value : &column->on_update;
        bool by_database = !shape_has(work, column) &&
                           (chosen->kind == CORM_DEFAULT_EXPRESSION || column->computed != NULL ||
                            (insert && (column->server_default != NULL || column->server_default_node != NULL)));
        corm_value value = CORM_ABSENT_VALUE;
        if (!by_database && shape_has(work, column) && host->expression != NULL) {
            status = host->get(work->object, attribute, &value);
            corm_node *expression = status == CORM_OK && value.kind == CORM_KIND_HOST ? host->expression(&value) : NULL;
            by_database = expression != NULL;
            corm_node_unref(expression);
        }
        if (by_database && status == CORM_OK) {
            status = host->set(work->object, attribute, &CORM_ABSENT_VALUE);
        }
    }
    return status;
}

static bool has_computed(const corm_mapper *mapper) {
    for (size_t i = 0; i < mapper->table->columns.count; i++) {
        const corm_column *column = mapper->table->columns.items[i];
        if (column->default_value.kind == CORM_DEFAULT_EXPRESSION ||
            column->on_update.kind == CORM_DEFAULT_EXPRESSION || column->computed != NULL ||
            column->server_default != NULL || column->server_default_node != NULL) {
            return true;
        }
    }
    return false;
}

/* ---- running batches ---- */

/* What the values of works are, the later the more: plain ones, objects that the host converts, SQL expressions. */
typedef enum values_kind { VALUES_PLAIN, VALUES_OF_HOST, VALUES_EXPRESSION } values_kind;

/* Whether binding runs nobody's code, so that what one row's values are borrowed from stays as it is. */
static bool takes_plain_values(const batch_writer *writer) {
    for (size_t i = 0; i < writer->count; i++) {
        if (writer->parameters[i].attribute == NULL || !writer->parameters[i].plain) {
            return false;
        }
    }
    return true;
}

/* Run one batch: `count` works of one shape. */
static corm_status run_batch(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **works, size_t count,
                             values_kind values, int64_t *missing) {
    batch_writer writer = {.flush = flush,
                           .mapper = mapper,
                           .action = action,
                           .works = works,
                           .work_count = count,
                           .generated = mapper->primary_key_count};
    const corm_column *numbered = corm_table_autoincrement_column(mapper->table);
    for (size_t i = 0; i < mapper->primary_key_count && action == CORM_WORK_INSERT; i++) {
        if (mapper->primary_key[i]->column == numbered && !shape_has(works[0], numbered)) {
            writer.generated = i;
        }
    }
    corm_status status = corm_flush_connect(flush, mapper);
    if (status == CORM_OK) {
        status = compile(&writer, works[0], values == VALUES_EXPRESSION);
    }
    if (status == CORM_OK) {
        status = find_parameters(&writer);
    }
    if (status == CORM_OK) {
        size_t size;
        const char *sql = corm_compiled_text(writer.compiled, &size);
        corm_batch batch = {.rows = count,
                            .parameter_count = writer.count,
                            .bind = bind_row,
                            .result = row_written,
                            .wants_keys = writer.generated < mapper->primary_key_count,
                            .row = {.keeps_values = values == VALUES_PLAIN && takes_plain_values(&writer)},
                            .context = &writer};
        corm_compiled_row(writer.compiled, &batch.row.at, &batch.row.size);
        status = corm_connection_execute_batch(flush->connection, corm_compiled_id(writer.compiled), sql, size, &batch);
    }
    *missing = writer.missing;
    writer_clear(&writer);
    return status;
}

static values_kind kind_of_values(const corm_work *work, corm_status *status) {
    const corm_mapper *mapper = work->mapper;
    const corm_host *host = mapper->host;
    values_kind kind = VALUES_PLAIN;
    if (host->expression == NULL) {
        return kind;
    }
    for (size_t i = 0; i < mapper->attribute_count && *status == CORM_OK; i++) {
        corm_value value;
        if (mapper->attributes[i]->column == NULL || !shape_has(work, mapper->attributes[i]->column) ||
            host->kind(work->object, mapper->attributes[i]) != CORM_KIND_HOST) {
            continue;
        }
        kind = VALUES_OF_HOST;
        *status = host->get(work->object, mapper->attributes[i], &value);
        corm_node *expression = *status == CORM_OK && value.kind == CORM_KIND_HOST ? host->expression(&value) : NULL;
        if (expression != NULL) {
            corm_node_unref(expression);
            return VALUES_EXPRESSION;
        }
    }
    return kind;
}

/* Write works in runs of one shape. */
static corm_status run_batches(corm_flush *flush, corm_mapper *mapper, uint32_t action, corm_work **items,
                               size_t count) {
    corm_status status = CORM_OK;
    int64_t missing;
    for (size_t first = 0, last; first < count && status == CORM_OK; first = last) {
        values_kind kind = kind_of_values(items[first], &status);
        for (last = first + 1; last < count && kind != VALUES_EXPRESSION && status == CORM_OK; last++) {
            values_kind next =
                same_shape(items[first], items[last]) ? kind_of_values(items[last], &status) : VALUES_EXPRESSION;
            if (next == VALUES_EXPRESSION) {
                break;
            }
            kind = next > kind ? next : kind;
        }
        if (status == CORM_OK) {
            status = run_batch(flush, mapper, action, items + first, last - first, kind, &missing);
        }
    }
    return status;
}

/* ---- INSERT ---- */

/* Give a column its Python-side default, if it has one and no value. */
static corm_status apply_default(corm_flush *flush, corm_work *work, corm_attribute *attribute,
                                 const corm_default *chosen, corm_value *value) {
    const corm_host *host = host_of(work->state);
    if (chosen->kind == CORM_DEFAULT_VALUE) {
        *value = chosen->value;
        return host->set(work->object, attribute, &chosen->value);
    }
    if (chosen->kind != CORM_DEFAULT_CALLABLE || host->call_default == NULL) {
        return CORM_OK;
    }
    corm_value made;
    corm_status status = host->call_default(chosen->callable, flush->session, work->state, &made);
    if (status == CORM_OK) {
        status = host->set(work->object, attribute, &made);
        value->kind = made.kind;
        corm_value_clear(&made);
    }
    return status;
}

static bool is_nothing(const corm_value *value) {
    return value->kind == CORM_KIND_ABSENT || value->kind == CORM_KIND_NULL;
}

static corm_status insert_shape(corm_flush *flush, corm_work *work, const corm_column *numbered) {
    const corm_mapper *mapper = work->state->mapper;
    const corm_host *host = mapper->host;
    corm_status status = CORM_OK;
    memset(work->shape, 0, shape_size(work));
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_column *column = attribute->column;
        if (column == NULL || column->computed != NULL) {
            continue;
        }
        corm_value value = {.kind = (uint8_t)host->kind(work->object, attribute)};
        if (is_nothing(&value) && column->default_value.kind != CORM_DEFAULT_NONE) {
            status = apply_default(flush, work, attribute, &column->default_value, &value);
        }
        if (status == CORM_OK && is_nothing(&value)) {
            if (column == numbered || column->server_default != NULL || column->server_default_node != NULL ||
                column->default_value.kind == CORM_DEFAULT_EXPRESSION) {
                continue; /* the database gives the value */
            }
            if (value.kind == CORM_KIND_ABSENT) {
                status = host->set(work->object, attribute, &CORM_NULL_VALUE);
            }
        }
        shape_add(work, column);
    }
    return status;
}

static bool is_insert(const corm_work *work) {
    return (work->flags & (CORM_WORK_INSERT | CORM_WORK_REPLACED)) == CORM_WORK_INSERT &&
           (work->state->flags & CORM_STATE_PENDING);
}

/* The work that deletes the row of the key that a new object has, or NULL. */
static corm_work *find_replaced(corm_flush *flush, const corm_work *work) {
    const corm_mapper *mapper = work->mapper;
    for (size_t i = 0; i < mapper->primary_key_count; i++) {
        if (is_nothing(&work->new_key[i])) {
            return NULL;
        }
    }
    corm_state *present =
        corm_identity_find(&flush->session->identity, mapper, work->new_key, mapper->primary_key_count);
    corm_work *other = present == NULL ? NULL : corm_flush_find(flush, present);
    return other != NULL && (other->flags & CORM_WORK_DELETE) ? other : NULL;
}

/* A new object with the key of one that is deleted takes its row over: one UPDATE instead of a DELETE and an INSERT. */
static corm_status write_replacement(corm_flush *flush, corm_work *work, const corm_column *numbered) {
    corm_status status = read_key(work);
    corm_work *replaced = status == CORM_OK ? find_replaced(flush, work) : NULL;
    work->key_written = replaced != NULL;
    if (replaced == NULL) {
        return status;
    }
    int64_t missing;
    status = insert_shape(flush, work, numbered);
    values_kind values = status == CORM_OK ? kind_of_values(work, &status) : VALUES_PLAIN;
    if (status == CORM_OK) {
        status = run_batch(flush, work->mapper, CORM_WORK_UPDATE, &work, 1, values, &missing);
    }
    work->flags |= CORM_WORK_REPLACED;
    replaced->flags |= CORM_WORK_REPLACED;
    return status;
}

/* What follows an INSERT: the key's values, and which others only the database knows. */
static corm_status complete_insert(corm_work *work, bool computed) {
    corm_status status = work->key_written ? CORM_OK : read_key(work);
    return status == CORM_OK && computed ? forget_computed(work) : status;
}

static corm_status write_inserts(corm_flush *flush, const corm_work_step *step) {
    const corm_column *numbered = corm_table_autoincrement_column(step->mapper->table);
    corm_work **works = (corm_work **)(void *)step->works.items;
    size_t count = step->works.count;
    bool computed = has_computed(step->mapper) || step->mapper->host->expression != NULL;
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK && (flush->actions & CORM_WORK_DELETE); i++) {
        if (is_insert(works[i])) {
            status = write_replacement(flush, works[i], numbered);
        }
    }
    size_t most = corm_engine_driver(corm_connection_engine(flush->connection))->batch_rows;
    for (size_t first = 0, last; first < count && status == CORM_OK; first = last) {
        while (first < count && !is_insert(works[first])) {
            first++;
        }
        for (last = first;
             last < count && (most == 0 || last - first < most) && is_insert(works[last]) && status == CORM_OK;
             last++) {
            status = insert_shape(flush, works[last], numbered);
        }
        if (status == CORM_OK) {
            status = run_batches(flush, step->mapper, CORM_WORK_INSERT, works + first, last - first);
        }
        for (size_t i = first; i < last && status == CORM_OK; i++) {
            status = complete_insert(works[i], computed);
        }
    }
    return status;
}

/* ---- UPDATE ---- */

/* The columns that really differ from what the database has. */
static corm_status update_shape(corm_flush *flush, corm_work *work) {
    corm_state *state = work->state;
    const corm_mapper *mapper = state->mapper;
    const corm_host *host = mapper->host;
    corm_status status = CORM_OK;
    memset(work->shape, 0, shape_size(work));
    for (size_t i = 0; state->changes != NULL && i < state->changes->count; i++) {
        const corm_change *change = &state->changes->items[i];
        corm_attribute *attribute = change->attribute;
        if (attribute->column == NULL || attribute->column->computed != NULL) {
            continue;
        }
        corm_value committed = change->committed;
        if (committed.kind == CORM_KIND_ABSENT || !host->unchanged(work->object, attribute, &committed)) {
            shape_add(work, attribute->column);
        }
    }
    if (shape_is_empty(work)) {
        return CORM_OK;
    }
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        corm_column *column = attribute->column;
        if (column == NULL || column->on_update.kind == CORM_DEFAULT_NONE || shape_has(work, column)) {
            continue;
        }
        corm_value value = CORM_ABSENT_VALUE;
        status = apply_default(flush, work, attribute, &column->on_update, &value);
        if (status == CORM_OK && value.kind != CORM_KIND_ABSENT) {
            shape_add(work, column);
        }
    }
    return status;
}

static int compare_keys(const corm_work *left, const corm_work *right) {
    if (!((left->state->flags | right->state->flags) & CORM_STATE_KEY_TUPLE)) {
        int64_t a = left->state->key.integer, b = right->state->key.integer;
        return a < b ? -1 : a > b;
    }
    corm_value left_room, right_room;
    const corm_value *a = NULL, *b = NULL;
    size_t count = corm_state_key(left->state, &a, &left_room);
    size_t other = corm_state_key(right->state, &b, &right_room);
    for (size_t i = 0; i < count && i < other; i++) {
        int order = corm_value_compare(&a[i], &b[i]);
        if (order != 0) {
            return order;
        }
    }
    return count < other ? -1 : count > other;
}

static int by_shape_and_key(const void *left, const void *right) {
    const corm_work *const *a = left, *const *b = right;
    int order = memcmp((*a)->shape, (*b)->shape, shape_size(*a));
    return order != 0 ? order : compare_keys(*a, *b);
}

static int by_key(const void *left, const void *right) {
    const corm_work *const *a = left, *const *b = right;
    return compare_keys(*a, *b);
}

/* Objects mostly come in the order of their keys. */
static void sort_works(corm_vector *works, int (*order)(const void *left, const void *right)) {
    size_t sorted = 1;
    while (sorted < works->count && order(&works->items[sorted - 1], &works->items[sorted]) <= 0) {
        sorted++;
    }
    if (sorted < works->count) {
        qsort(works->items, works->count, sizeof *works->items, order);
    }
}

static corm_status write_updates(corm_flush *flush, const corm_work_step *step) {
    corm_vector updates = {0};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_UPDATE) || !(work->state->flags & CORM_STATE_IN_MAP)) {
            continue;
        }
        status = update_shape(flush, work);
        if (status == CORM_OK && !shape_is_empty(work)) {
            status = corm_vector_push(&updates, work);
        }
    }
    if (status == CORM_OK && updates.count > 0) {
        sort_works(&updates, by_shape_and_key);
        status = run_batches(flush, step->mapper, CORM_WORK_UPDATE, (corm_work **)(void *)updates.items, updates.count);
    }
    bool computed = has_computed(step->mapper) || step->mapper->host->expression != NULL;
    for (size_t i = 0; i < updates.count && status == CORM_OK; i++) {
        corm_work *work = updates.items[i];
        for (size_t key = 0; key < step->mapper->primary_key_count && status == CORM_OK && !work->key_written; key++) {
            if (shape_has(work, step->mapper->primary_key[key]->column)) {
                status = read_key(work);
            }
        }
        if (status == CORM_OK && computed) {
            status = forget_computed(work);
        }
    }
    corm_vector_clear(&updates);
    return status;
}

/* ---- a step ---- */

static corm_status fire_saves(corm_flush *flush, const corm_work_step *step, bool before) {
    corm_status status = CORM_OK;
    uint32_t any = before ? CORM_EVENT_BEFORE_INSERT | CORM_EVENT_BEFORE_UPDATE
                          : CORM_EVENT_AFTER_INSERT | CORM_EVENT_AFTER_UPDATE;
    if (!(step->mapper->listening & any)) {
        return CORM_OK;
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if (work->flags & CORM_WORK_INSERT) {
            status = fire(flush, work, before ? CORM_EVENT_BEFORE_INSERT : CORM_EVENT_AFTER_INSERT);
        } else if (work->flags & CORM_WORK_UPDATE) {
            status = fire(flush, work, before ? CORM_EVENT_BEFORE_UPDATE : CORM_EVENT_AFTER_UPDATE);
        }
    }
    return status;
}

corm_status corm_flush_connect(corm_flush *flush, corm_mapper *mapper) {
    if (flush->session->get_bind == NULL) {
        return CORM_OK;
    }
    corm_status status = corm_session_choose(flush->session, NULL, mapper);
    return status == CORM_OK ? corm_session_connection(flush->session, &flush->connection) : status;
}

corm_status corm_write_step(corm_flush *flush, const corm_work_step *step) {
    corm_status status = corm_flush_connect(flush, step->mapper);
    bool related = step->mapper->relationship_count > 0;
    for (size_t i = 0; i < step->works.count && status == CORM_OK && related; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = corm_sync_references(flush, work, false, NULL);
        }
    }
    if (status == CORM_OK) {
        status = fire_saves(flush, step, true);
    }
    if (status == CORM_OK) {
        status = write_updates(flush, step); /* first: a new row may take a unique value that a changed one gives up */
    }
    if (status == CORM_OK) {
        status = write_inserts(flush, step);
    }
    for (size_t i = 0; i < step->works.count && status == CORM_OK && related; i++) {
        corm_work *work = step->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = corm_sync_children(flush, work, false);
        }
    }
    return status == CORM_OK ? fire_saves(flush, step, false) : status;
}

/* ---- post updates ---- */

static bool has_post_update(const corm_mapper *mapper) {
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        if (relationship != NULL && relationship->post_update) {
            return true;
        }
    }
    return false;
}

/* A foreign key that the row does not have yet: of an inserted object one that is set, else one that changed. */
static void add_posted(corm_work *work, const corm_column *column) {
    corm_state *state = work->state;
    const corm_host *host = state->mapper->host;
    corm_attribute *attribute =
        column->table == state->mapper->table ? corm_mapper_attribute_of(state->mapper, column) : NULL;
    if (attribute == NULL) {
        return;
    }
    corm_change *change = corm_state_change(state, attribute);
    corm_value value;
    bool differs = work->flags & CORM_WORK_INSERT
                       ? host->get(work->object, attribute, &value) == CORM_OK && !is_nothing(&value)
                       : change != NULL && !host->unchanged(work->object, attribute, &change->committed);
    if (differs) {
        shape_add(work, column);
    }
}

/* Columns that a post_update relationship writes into this object. */
static void post_columns(corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    memset(work->shape, 0, shape_size(work));
    for (size_t i = 0; i < mapper->attribute_count; i++) {
        const corm_relationship *relationship = mapper->attributes[i]->relationship;
        for (size_t s = 0; relationship != NULL && relationship->post_update && s < relationship->sync_count; s++) {
            add_posted(work, relationship->sync[s].destination);
        }
        if (relationship != NULL && relationship->inverse != NULL && relationship->inverse->relationship->post_update) {
            const corm_relationship *inverse = relationship->inverse->relationship;
            for (size_t s = 0; s < inverse->sync_count; s++) {
                add_posted(work, inverse->sync[s].destination);
            }
        }
    }
}

static corm_status update_posted(corm_flush *flush, corm_work *work) {
    int64_t missing;
    post_columns(work);
    return shape_is_empty(work) ? CORM_OK
                                : run_batch(flush, work->state->mapper, CORM_WORK_UPDATE, &work, 1, false, &missing);
}

static corm_status post_update_saves(corm_flush *flush) {
    corm_status status = CORM_OK;
    /* Keys first, over all objects: a child may be on either side. */
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if ((work->flags & CORM_WORK_DELETE) || !has_post_update(work->state->mapper)) {
            continue;
        }
        bool changed = false;
        status = corm_sync_references(flush, work, true, &changed);
        if (status == CORM_OK) {
            status = corm_sync_children(flush, work, true);
        }
    }
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if (!(work->flags & CORM_WORK_DELETE)) {
            status = update_posted(flush, work);
        }
    }
    return status;
}

/* Rows that are deleted stop referring to each other first. */
static corm_status post_update_deletes(corm_flush *flush, corm_work *work) {
    const corm_mapper *mapper = work->state->mapper;
    corm_status status = CORM_OK;
    bool changed = false;
    for (size_t i = 0; i < mapper->attribute_count && status == CORM_OK; i++) {
        corm_attribute *attribute = mapper->attributes[i];
        const corm_relationship *relationship = attribute->relationship;
        if (relationship != NULL && relationship->post_update && relationship->direction == CORM_MANY_TO_ONE) {
            status = corm_sync_nullify(attribute, work->state);
            changed = true;
        }
    }
    return status == CORM_OK && changed ? update_posted(flush, work) : status;
}

corm_status corm_write_post_updates(corm_flush *flush) {
    bool any = false;
    for (size_t i = 0; i < flush->groups.count; i++) {
        any = any || has_post_update(((corm_work_group *)flush->groups.items[i])->mapper);
    }
    if (!any) {
        return CORM_OK;
    }
    corm_status status = post_update_saves(flush);
    for (size_t i = 0; i < flush->works.count && status == CORM_OK; i++) {
        corm_work *work = flush->works.items[i];
        if (work->flags & CORM_WORK_DELETE) {
            status = post_update_deletes(flush, work);
        }
    }
    return status;
}

/* ---- DELETE ---- */

corm_status corm_write_deletes(corm_flush *flush, const corm_work_step *step) {
    corm_vector deletes = {0};
    corm_status status = corm_flush_connect(flush, step->mapper);
    int64_t missing = 0;
    const corm_mapper *mapper = step->mapper;
    for (size_t i = 0; i < step->works.count && status == CORM_OK; i++) {
        corm_work *work = step->works.items[i];
        if ((work->flags & (CORM_WORK_DELETE | CORM_WORK_REPLACED)) == CORM_WORK_DELETE &&
            (work->state->flags & CORM_STATE_IN_MAP)) {
            status = fire(flush, work, CORM_EVENT_BEFORE_DELETE);
            if (status == CORM_OK) {
                status = corm_vector_push(&deletes, work);
            }
        }
    }
    if (status == CORM_OK && deletes.count > 0) {
        sort_works(&deletes, by_key);
        status = run_batch(flush, step->mapper, CORM_WORK_DELETE, (corm_work **)(void *)deletes.items, deletes.count,
                           false, &missing);
    }
    if (status == CORM_OK && missing > 0 && mapper->host->warn != NULL) {
        corm_text message = CORM_TEXT_EMPTY;
        corm_text_append_format(&message,
                                "DELETE statement on table '%s' expected to delete %zu row(s); %lld were matched.",
                                mapper->table->name, deletes.count, (long long)((int64_t)deletes.count - missing));
        status = corm_text_status(&message);
        if (status == CORM_OK) {
            status = mapper->host->warn(message.data);
        }
        corm_text_clear(&message);
    }
    for (size_t i = 0; i < deletes.count && status == CORM_OK; i++) {
        corm_work *work = deletes.items[i];
        status = fire(flush, work, CORM_EVENT_AFTER_DELETE);
    }
    corm_vector_clear(&deletes);
    return status;
}

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
            status = is_nothing(&writer->values[i])
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
