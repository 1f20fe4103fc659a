/*
 * Descriptions of tables: the rows of the catalogue's queries, one query a kind, put into records. See inspect.h and
 * dialect/inspect.h.
 *
 * Relations come first, sorted by name; rows of the other kinds find their table by its name. Rows whose table is not
 * among the relations (it was made in between) are passed over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/inspect.h"

/* More names than that are no parameters: all tables are asked for, and those that nobody wants forgotten. */
enum { MOST_NAMES = 500 };

/* What one inspection knows. */
typedef struct inspection {
    corm_connection *connection;
    const corm_dialect *dialect;
    const char *schema;
    const char *const *names;
    size_t count;
    corm_found *found;
    corm_found_table *table; /* of the present row */
    corm_found_key *key;     /* the one that rows are of */
    const char *group;       /* what tells keys of a table apart */
} inspection;

/* ---- values of rows ---- */

/* NULL: no error, *out is NULL. */
static corm_status text_of(inspection *run, const corm_value *value, const char **out) {
    enum { NUMBER_ROOM = 32 };
    char number[NUMBER_ROOM];
    *out = NULL;
    if (value->kind == CORM_KIND_TEXT || value->kind == CORM_KIND_BYTES) {
        *out = corm_found_text(&run->found->arena, value->as.text.data, value->as.text.size);
    } else if (value->kind == CORM_KIND_INTEGER) {
        int size = snprintf(number, sizeof number, "%" PRId64, value->as.integer);
        *out = corm_found_text(&run->found->arena, number, (size_t)size);
    } else {
        return CORM_OK;
    }
    return *out == NULL ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status texts_of(inspection *run, const corm_value *row, const int *columns, const char **const *out,
                            size_t count) {
    corm_status status = CORM_OK;
    for (size_t i = 0; i < count && status == CORM_OK; i++) {
        status = text_of(run, &row[columns[i]], out[i]);
    }
    return status;
}

static bool truth_of(const corm_value *value) {
    switch (value->kind) {
    case CORM_KIND_BOOLEAN:
        return value->as.boolean;
    case CORM_KIND_INTEGER:
        return value->as.integer != 0;
    case CORM_KIND_TEXT:
        return value->as.text.size == 1 && *value->as.text.data != '0' && *value->as.text.data != 'f';
    default:
        return false;
    }
}

static bool is_text(const corm_value *value, const char *text) {
    return value->kind == CORM_KIND_TEXT && value->as.text.size == strlen(text) &&
           memcmp(value->as.text.data, text, value->as.text.size) == 0;
}

/* ---- relations ---- */

static bool is_wanted(const inspection *run, const corm_value *name) {
    for (size_t i = 0; i < run->count; i++) {
        if (is_text(name, run->names[i])) {
            return true;
        }
    }
    return run->count == 0;
}

static corm_status take_relation(inspection *run, const corm_value *row) {
    if (!is_wanted(run, &row[CORM_FOUND_ROW_TABLE])) {
        return CORM_OK;
    }
    corm_found_table *table = corm_arena_alloc(&run->found->arena, sizeof *table);
    if (table == NULL) {
        return CORM_NO_MEMORY;
    }
    const int columns[] = {CORM_FOUND_ROW_TABLE, CORM_RELATION_TYPE, CORM_RELATION_COMMENT, CORM_RELATION_SQL};
    const char **const texts[] = {&table->name, &table->type, &table->comment, &table->sql};
    corm_status status = texts_of(run, row, columns, texts, sizeof columns / sizeof *columns);
    table->next = run->found->tables;
    if (status == CORM_OK && table->name != NULL && table->type != NULL) {
        run->found->tables = table;
        run->found->count++;
    }
    return status;
}

static int by_name(const void *left, const void *right) {
    const corm_found_table *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static corm_status sort_tables(corm_found *found) {
    found->by_place = corm_arena_alloc(&found->arena, (found->count + 1) * sizeof(corm_found_table *));
    if (found->by_place == NULL) {
        return CORM_NO_MEMORY;
    }
    size_t place = 0;
    for (corm_found_table *table = found->tables; table != NULL; table = table->next) {
        found->by_place[place++] = table;
    }
    qsort(found->by_place, found->count, sizeof(corm_found_table *), by_name);
    found->tables = found->count == 0 ? NULL : found->by_place[0];
    for (place = 0; place < found->count; place++) {
        found->by_place[place]->next = place + 1 < found->count ? found->by_place[place + 1] : NULL;
    }
    return CORM_OK;
}

corm_found_table *corm_found_table_named(const corm_found *found, const char *name) {
    size_t low = 0, high = found->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(found->by_place[middle]->name, name);
        if (order == 0) {
            return found->by_place[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* Rows of one table follow each other. */
static corm_status find_table(inspection *run, const corm_value *row) {
    const char *name;
    if (run->table != NULL && is_text(&row[CORM_FOUND_ROW_TABLE], run->table->name)) {
        return CORM_OK;
    }
    corm_status status = text_of(run, &row[CORM_FOUND_ROW_TABLE], &name);
    run->table = name == NULL ? NULL : corm_found_table_named(run->found, name);
    run->key = NULL;
    return status;
}

/* ---- columns ---- */

static corm_status take_column(inspection *run, const corm_value *row) {
    corm_found_column *column = corm_arena_alloc(&run->found->arena, sizeof *column);
    if (column == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_found_column **link = &run->table->columns;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = column;
    const int columns[] = {
        CORM_COLUMN_NAME,     CORM_COLUMN_TYPE,     CORM_COLUMN_DEFAULT,   CORM_COLUMN_COMMENT,
        CORM_COLUMN_COMPUTED, CORM_COLUMN_IDENTITY, CORM_COLUMN_COLLATION, CORM_COLUMN_IDENTITY_OPTIONS,
        CORM_COLUMN_TYPE_NAME};
    const char **const texts[] = {&column->name,      &column->type_text,        &column->default_text,
                                  &column->comment,   &column->computed,         &column->identity,
                                  &column->collation, &column->identity_options, &column->type_name};
    corm_status status = texts_of(run, row, columns, texts, sizeof columns / sizeof *columns);
    column->nullable = truth_of(&row[CORM_COLUMN_NULLABLE]);
    column->autoincrement = truth_of(&row[CORM_COLUMN_AUTOINCREMENT]);
    column->persisted = truth_of(&row[CORM_COLUMN_PERSISTED]);
    if (status == CORM_OK && column->type_text != NULL) {
        status = run->dialect->type_of_text(column->type_text, &column->type);
    }
    if (status == CORM_OK && column->type == NULL) {
        column->type = corm_type_of_kind(CORM_TYPE_NULL);
    }
    return status;
}

/* ---- keys ---- */

static corm_status begin_key(inspection *run, const corm_value *row, corm_found_kind kind) {
    const char *name;
    corm_status status = text_of(run, &row[CORM_KEY_NAME], &name);
    if (status == CORM_OK) {
        status = text_of(run, &row[CORM_FOUND_ROW_GROUP], &run->group);
    }
    run->key = status == CORM_OK ? corm_found_add_key(&run->found->arena, run->table, kind, name) : NULL;
    if (run->key == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_found_key *key = run->key;
    const int columns[] = {CORM_KEY_REFERRED_SCHEMA, CORM_KEY_REFERRED_TABLE, CORM_KEY_ON_UPDATE,
                           CORM_KEY_ON_DELETE,       CORM_KEY_INITIALLY,      CORM_KEY_WHERE,
                           CORM_KEY_METHOD,          CORM_KEY_COMMENT,        CORM_KEY_CONSTRAINT};
    const char **const texts[] = {&key->referred_schema, &key->referred_table, &key->on_update,
                                  &key->on_delete,       &key->initially,      &key->where,
                                  &key->method,          &key->comment,        &key->constraint};
    key->unique = truth_of(&row[CORM_KEY_UNIQUE]);
    if (row[CORM_KEY_DEFERRABLE].kind != CORM_KIND_NULL) {
        key->deferrable = truth_of(&row[CORM_KEY_DEFERRABLE]);
    }
    return texts_of(run, row, columns, texts, sizeof columns / sizeof *columns);
}

static bool is_of_group(const inspection *run, const corm_value *value) {
    if (value->kind == CORM_KIND_INTEGER) {
        return strtoll(run->group, NULL, 10) == value->as.integer;
    }
    return is_text(value, run->group);
}

static corm_status take_part(inspection *run, const corm_value *row, corm_found_kind kind) {
    corm_status status = CORM_OK;
    if (run->key == NULL || run->group == NULL || !is_of_group(run, &row[CORM_FOUND_ROW_GROUP])) {
        status = begin_key(run, row, kind);
    }
    corm_found_part *part = status == CORM_OK ? corm_found_add_part(&run->found->arena, run->key, NULL) : NULL;
    if (part == NULL) {
        return status == CORM_OK ? CORM_NO_MEMORY : status;
    }
    const int columns[] = {CORM_KEY_COLUMN, CORM_KEY_EXPRESSION, CORM_KEY_REFERRED_COLUMN, CORM_KEY_ORDER,
                           CORM_KEY_LENGTH};
    const char **const texts[] = {&part->column, &part->expression, &part->referred, &part->order, &part->length};
    part->included = truth_of(&row[CORM_KEY_INCLUDED]);
    return texts_of(run, row, columns, texts, sizeof columns / sizeof *columns);
}

/* ---- queries ---- */

static corm_status take_any(inspection *run, const corm_value *row, corm_found_kind kind) {
    if (kind == CORM_FOUND_RELATION) {
        return take_relation(run, row);
    }
    corm_status status = find_table(run, row);
    if (status != CORM_OK || run->table == NULL) {
        return status;
    }
    return kind == CORM_FOUND_COLUMN ? take_column(run, row) : take_part(run, row, kind);
}

static corm_status ask(inspection *run, corm_found_kind kind) {
    corm_text sql = CORM_TEXT_EMPTY;
    corm_cursor *cursor = NULL;
    size_t count = run->count > MOST_NAMES ? 0 : run->count;
    corm_value *values = count == 0 ? NULL : corm_calloc(count, sizeof *values);
    corm_status status =
        count != 0 && values == NULL ? CORM_NO_MEMORY : run->dialect->inspect_query(kind, run->schema, count, &sql);
    bool has_row = status == CORM_OK && sql.size != 0;
    run->table = NULL;
    run->key = NULL;
    for (size_t i = 0; values != NULL && i < count; i++) {
        values[i] = corm_value_bytes(CORM_KIND_TEXT, run->names[i], strlen(run->names[i]));
    }
    if (has_row) {
        corm_text_append(&sql, " ORDER BY 1, 2, 3");
        status = corm_text_status(&sql);
    }
    if (has_row && status == CORM_OK) {
        status = corm_connection_execute(run->connection, 0, sql.data, sql.size, values, count, &cursor);
    }
    while (status == CORM_OK && has_row) {
        status = corm_cursor_next(cursor, &has_row);
        if (status == CORM_OK && has_row) {
            status = take_any(run, corm_cursor_values(cursor), kind);
        }
    }
    corm_cursor_free(cursor);
    corm_text_clear(&sql);
    corm_free(values);
    return status;
}

corm_status corm_inspect_tables(corm_connection *connection, const char *schema, const char *const *names, size_t count,
                                unsigned kinds, corm_found **out) {
    const corm_dialect *dialect = corm_engine_dialect(corm_connection_engine(connection));
    *out = NULL;
    corm_found *found = corm_calloc(1, sizeof *found);
    if (found == NULL) {
        return CORM_NO_MEMORY;
    }
    inspection run = {
        .connection = connection, .dialect = dialect, .schema = schema, .names = names, .count = count, .found = found};
    corm_status status = ask(&run, CORM_FOUND_RELATION);
    if (status == CORM_OK) {
        status = sort_tables(found);
    }
    for (corm_found_kind kind = CORM_FOUND_COLUMN; kind < CORM_FOUND_KIND_COUNT; kind++) {
        if (status == CORM_OK && (kinds & CORM_FOUND_BIT(kind)) != 0 && found->count != 0) {
            status = ask(&run, kind);
        }
    }
    for (corm_found_table *table = found->tables; table != NULL && status == CORM_OK; table = table->next) {
        status = dialect->inspect_source == NULL ? CORM_OK : dialect->inspect_source(&found->arena, table, kinds);
    }
    if (status != CORM_OK) {
        corm_found_free(found);
        return status;
    }
    *out = found;
    return CORM_OK;
}

void corm_found_free(corm_found *found) {
    if (found == NULL) {
        return;
    }
    for (corm_found_table *table = found->tables; table != NULL; table = table->next) {
        for (corm_found_column *column = table->columns; column != NULL; column = column->next) {
            corm_type_unref(column->type);
        }
    }
    corm_arena_clear(&found->arena);
    corm_free(found);
}
