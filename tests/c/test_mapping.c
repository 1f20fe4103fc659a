/* Mappings: the schema they make, and what is refused when they are registered or first used, in words that say why. */
#include "differences.h"

/* ---- the schema ---- */

static void tables_are_created_in_the_order_of_their_foreign_keys(void **state) {
    (void)state;
    assert_int_equal(tables_in_file(NULL), 15);
    ok(corm_create_all(now.models, now.engine)); /* what is there already stays */
    new_user("ann");
    ok(corm_commit(now.session));
    ok(corm_create_all(now.models, now.engine));
    assert_int_equal(in_file("SELECT count(*) FROM users"), 1);
    ok(corm_drop_all(now.models, now.engine));
    assert_int_equal(tables_in_file(NULL), 0);
    ok(corm_drop_all(now.models, now.engine));
    ok(corm_create_all(now.models, now.engine));
}

/* The columns of a table: name, type, whether it must be there. */
static const char *columns_of(const char *table) {
    char sql[512];
    snprintf(sql, sizeof sql,
             on("SELECT name, type, \"notnull\" FROM pragma_table_info('%s')",
                "SELECT column_name, data_type || coalesce('(' || character_maximum_length || ')', '')"
                " || CASE WHEN data_type = 'numeric' THEN '(' || numeric_precision || ', ' || numeric_scale || ')'"
                " ELSE '' END, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = '%s' ORDER BY ordinal_position",
                "SELECT column_name, column_type, is_nullable = 'NO' FROM information_schema.columns"
                " WHERE table_schema = DATABASE() AND table_name = '%s' ORDER BY ordinal_position"),
             table);
    return rows_in_file(sql);
}

static const char *key_of(const char *table) {
    char sql[512];
    snprintf(sql, sizeof sql,
             on("SELECT name FROM pragma_table_info('%s') WHERE pk > 0 ORDER BY pk",
                "SELECT column_name FROM information_schema.key_column_usage JOIN information_schema.table_constraints"
                " USING (constraint_name, table_name) WHERE constraint_type = 'PRIMARY KEY' AND table_name = '%s'"
                " ORDER BY ordinal_position",
                "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE()"
                " AND constraint_name = 'PRIMARY' AND table_name = '%s' ORDER BY ordinal_position"),
             table);
    return rows_in_file(sql);
}

static void columns_have_their_types_and_constraints(void **state) {
    (void)state;
    assert_string_equal(
        columns_of("nullable"),
        on("id,INTEGER,1; whole,BIGINT,0; real,FLOAT,0; flag,BOOLEAN,0; string,VARCHAR(20),0; text,TEXT,0; "
           "bytes,BLOB,0; exact,NUMERIC(30, 10),0; money,NUMERIC(10, 2),0; day,DATE,0; clock,TIME,0; at,DATETIME,0",
           "id,integer,1; whole,bigint,0; real,double precision,0; flag,boolean,0; string,character varying(20),0; "
           "text,text,0; bytes,bytea,0; exact,numeric(30, 10),0; money,numeric(10, 2),0; day,date,0; "
           "clock,time without time zone,0; at,timestamp without time zone,0",
           "id,int(11),1; whole,bigint(20),0; real,double,0; flag,tinyint(1),0; string,varchar(20),0; text,text,0; "
           "bytes,blob,0; exact,decimal(30,10),0; money,decimal(10,2),0; day,date,0; clock,time(6),0; "
           "at,datetime(6),0"));
    assert_string_equal(
        columns_of("plain"),
        on("id,BIGINT,1; middle,INTEGER,1; small,SMALLINT,1; flag,BOOLEAN,1; real,FLOAT,1; money,NUMERIC(10, 2),1; "
           "at,DATETIME,1",
           "id,bigint,1; middle,integer,1; small,smallint,1; flag,boolean,1; real,double precision,1; "
           "money,numeric(10, 2),1; at,timestamp without time zone,1",
           "id,bigint(20),1; middle,int(11),1; small,smallint(6),1; flag,tinyint(1),1; real,double,1; "
           "money,decimal(10,2),1; at,datetime(6),1"));
    assert_string_equal(columns_of("addresses"), on("id,INTEGER,1; email,VARCHAR(200),1; user_id,INTEGER,0",
                                                    "id,integer,1; email,character varying(200),1; user_id,integer,0",
                                                    "id,int(11),1; email,varchar(200),1; user_id,int(11),0"));
    assert_string_equal(key_of("stops"), "route; place");
    assert_string_equal(key_of("memberships"), "user_id; club_id");
}

/* The foreign keys of a table: its table, columns, what a deletion does. */
static const char *foreign_keys_of(const char *table) {
    char sql[1024];
    snprintf(sql, sizeof sql,
             on("SELECT \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list('%s') ORDER BY 2",
                "SELECT u.table_name, k.column_name, u.column_name, r.delete_rule"
                " FROM information_schema.referential_constraints r"
                " JOIN information_schema.key_column_usage k USING (constraint_name)"
                " JOIN information_schema.constraint_column_usage u USING (constraint_name)"
                " WHERE k.table_name = '%s' ORDER BY 2",
                "SELECT k.referenced_table_name, k.column_name, k.referenced_column_name, r.delete_rule"
                " FROM information_schema.referential_constraints r JOIN information_schema.key_column_usage k"
                " USING (constraint_schema, constraint_name, table_name)"
                " WHERE k.constraint_schema = DATABASE() AND k.table_name = '%s' ORDER BY 2"),
             table);
    return rows_in_file(sql);
}

/* The indexes of a table beside its key: columns, whether unique. */
static const char *indexes_of(const char *table) {
    char sql[512];
    snprintf(sql, sizeof sql,
             on("SELECT c.name, l.\"unique\" FROM pragma_index_list('%s') l, pragma_index_info(l.name) c",
                "SELECT a.attname, indisunique::int FROM pg_index JOIN pg_attribute a ON attrelid = indexrelid"
                " WHERE indrelid = '%s'::regclass AND NOT indisprimary",
                "SELECT column_name, NOT non_unique FROM information_schema.statistics"
                " WHERE table_schema = DATABASE() AND table_name = '%s' AND index_name != 'PRIMARY'"),
             table);
    return rows_in_file(sql);
}

static void keys_indexes_and_uniques(void **state) {
    (void)state;
    assert_string_equal(foreign_keys_of("entries"), "baskets,basket_id,id,CASCADE");
    assert_string_equal(foreign_keys_of("games"), on("teams,guest_id,id,NO ACTION; teams,home_id,id,NO ACTION",
                                                     "teams,guest_id,id,NO ACTION; teams,home_id,id,NO ACTION",
                                                     "teams,guest_id,id,RESTRICT; teams,home_id,id,RESTRICT"));
    assert_string_equal(indexes_of("leaves"), "parent_id,0");
    assert_string_equal(indexes_of("clubs"), "title,1");
}

typedef struct defaulted {
    int64_t id;
    corm_int level;
    char *state;
    char *note;
    int32_t fixed;
} defaulted;

CORM_MAPPING(defaulted, "defaulted", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(level, CORM_INTEGER, .server_default = "7"),
             CORM_COLUMN(state, CORM_STRING(10), .server_default = "new", .column = "current state"),
             CORM_COLUMN(note, CORM_TEXT), CORM_COLUMN(fixed, CORM_INTEGER, .nullable = true));

static void what_the_database_computes_is_there_after_the_flush(void **state) {
    (void)state;
    ok(corm_models_add(now.models, defaulted));
    ok(corm_create_all(now.models, now.engine));
    defaulted *made = there(corm_new(now.session, defaulted));
    defaulted *own = there(corm_new(now.session, defaulted));
    own->level = corm_int_of(1);
    own->state = text_of("old");
    ok(corm_commit(now.session));
    assert_true(made->level.set && made->level.value == 7);
    assert_string_equal(made->state, "new");
    assert_null(made->note);
    assert_int_equal(own->level.value, 1);
    assert_string_equal(own->state, "old");
    corm_query *query = corm_select(defaulted);
    corm_where(query, corm_eq(defaulted, state, "new"));
    assert_ptr_equal(corm_first(now.session, query, defaulted), made);
    corm_query_free(query);
    change_file("UPDATE defaulted SET fixed = NULL");
    ok(corm_refresh(now.session, made));
    assert_int_equal(made->fixed, 0); /* .nullable: read as zero */
}

/* ---- refused when registered ---- */

static const struct {
    corm_field_type field;
    const char *name;
} field_types[] = {{CORM_FIELD_INT64, "int64_t"},           {CORM_FIELD_INT32, "int32_t"},
                   {CORM_FIELD_INT16, "int16_t"},           {CORM_FIELD_BOOL, "bool"},
                   {CORM_FIELD_DOUBLE, "double"},           {CORM_FIELD_TEXT, "char *"},
                   {CORM_FIELD_BYTES, "corm_bytes"},        {CORM_FIELD_DATETIME, "corm_datetime"},
                   {CORM_FIELD_NULLABLE_INT, "corm_int"},   {CORM_FIELD_NULLABLE_FLOAT, "corm_float"},
                   {CORM_FIELD_NULLABLE_BOOL, "corm_bool"}, {CORM_FIELD_NULLABLE_DATETIME, "corm_moment"}};

static const struct {
    corm_sql_type type;
    const char *name, *fields; /* those that fit: one letter for each of field_types */
} column_types[] = {{CORM_INTEGER, "CORM_INTEGER", "yyynnnnnynnn"},
                    {CORM_SMALL_INTEGER, "CORM_SMALL_INTEGER", "yyynnnnnynnn"},
                    {CORM_BIG_INTEGER, "CORM_BIG_INTEGER", "yyynnnnnynnn"},
                    {CORM_BOOLEAN, "CORM_BOOLEAN", "nnnynnnnnnyn"},
                    {CORM_FLOAT, "CORM_FLOAT", "nnnnynnnnynn"},
                    {CORM_NUMERIC(5, 2), "CORM_NUMERIC", "nnnnyynnnynn"},
                    {CORM_STRING(5), "CORM_STRING", "nnnnnynnnnnn"},
                    {CORM_TEXT, "CORM_TEXT", "nnnnnynnnnnn"},
                    {CORM_BINARY, "CORM_BINARY", "nnnnnnynnnnn"},
                    {CORM_DATE, "CORM_DATE", "nnnnnnnynnny"},
                    {CORM_TIME, "CORM_TIME", "nnnnnnnynnny"},
                    {CORM_DATETIME, "CORM_DATETIME", "nnnnnnnynnny"}};

static corm_status register_fields(const char *table, const corm_field *fields, size_t count) {
    corm_mapping mapping = {"made", table, 64, fields, count, NULL};
    corm_models *models = there(corm_models_new());
    corm_status status = corm_models_add_mapping(models, &mapping);
    if (status == CORM_OK) {
        status = corm_models_check(models);
    }
    corm_models_free(models);
    return status;
}

static void a_field_that_does_not_fit_its_column_is_refused_with_both_types(void **state) {
    (void)state;
    for (size_t c = 0; c < sizeof column_types / sizeof *column_types; c++) {
        for (size_t f = 0; f < sizeof field_types / sizeof *field_types; f++) {
            const corm_field fields[] = {
                {.name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true},
                {.name = "it", .offset = 8, .field_type = field_types[f].field, .type = column_types[c].type}};
            corm_status status = register_fields("made", fields, 2);
            if (column_types[c].fields[f] == 'y') {
                ok(status);
                continue;
            }
            assert_int_equal(status, CORM_ARGUMENT_ERROR);
            const char *message = corm_error_last()->message;
            if (strstr(message, field_types[f].name) == NULL || strstr(message, column_types[c].name) == NULL ||
                strstr(message, "made.it") == NULL) {
                fail_msg("%s", message);
            }
        }
    }
}

static const corm_field good_key = {
    .name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true};

static void what_was_refused_can_be_added_once_it_is_right(void **state) {
    (void)state;
    const corm_field wrong[] = {good_key,
                                {.name = "it", .offset = 8, .field_type = CORM_FIELD_INT64, .type = CORM_TEXT}};
    const corm_field right[] = {good_key,
                                {.name = "it", .offset = 8, .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER}};
    static corm_mapping mapping; /* outlives the models, which the test's end frees */
    mapping = (corm_mapping){"made", "made", 64, wrong, 2, NULL};
    fails(corm_models_add_mapping(now.models, &mapping), CORM_ARGUMENT_ERROR, "made.it");
    ok(corm_create_all(now.models, now.engine));
    assert_int_equal(tables_in_file("made"), 0);
    mapping.fields = right;
    ok(corm_models_add_mapping(now.models, &mapping));
    ok(corm_create_all(now.models, now.engine));
    there(corm_object_new(now.session, &mapping));
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT id, it FROM made"), "1,0");
    reopen();
}

static void a_mapping_needs_a_primary_key(void **state) {
    (void)state;
    const corm_field fields[] = {{.name = "it", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER}};
    fails(register_fields("made", fields, 1), CORM_ARGUMENT_ERROR, "primary key");
}

static void names_stand_once(void **state) {
    (void)state;
    const corm_field twice[] = {good_key, good_key};
    fails(register_fields("made", twice, 2), CORM_ARGUMENT_ERROR, "id");
    corm_models *models = there(corm_models_new());
    ok(corm_models_add(models, defaulted));
    fails(corm_models_add(models, defaulted), CORM_INVALID_REQUEST, "in a corm_models already");
    corm_mapping other = *defaulted_mapping();
    other.mapper = NULL;
    other.name = "other";
    fails(corm_models_add_mapping(models, &other), CORM_INVALID_REQUEST, "defaulted");
    corm_models_free(models);
}

static void unknown_types_are_refused(void **state) {
    (void)state;
    const corm_field fields[] = {good_key, {.name = "it", .field_type = CORM_FIELD_INT64, .type = 0}};
    fails(register_fields("made", fields, 2), CORM_ARGUMENT_ERROR, "made.it");
}

/* ---- refused when relationships are resolved ---- */

#define key                                                                                                            \
    { .name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true }
#define number(name_, references_)                                                                                     \
    {                                                                                                                  \
        .name = name_, .offset = 8, .field_type = CORM_FIELD_NULLABLE_INT, .type = CORM_INTEGER,                       \
        .references = references_                                                                                      \
    }

/* Two structs, parent and child, each with one relationship; the error of resolving them. */
static void refuses(corm_field parents, corm_field childs, const char *references, const char *second,
                    corm_status expected, const char *part) {
    parents.offset = childs.offset = 40;
    const corm_field parent_fields[] = {key, parents};
    const corm_field child_fields[] = {key, number("parent_id", references), number("other_id", second), childs};
    corm_mapping parent = {"parent", "parents", 64, parent_fields, parents.name == NULL ? 1 : 2, NULL};
    corm_mapping child = {"child", "children", 64, child_fields, childs.name == NULL ? 3 : 4, NULL};
    corm_models *models = there(corm_models_new());
    corm_status status = corm_models_add_mapping(models, &parent);
    if (status == CORM_OK) {
        status = corm_models_add_mapping(models, &child);
    }
    if (status == CORM_OK) {
        status = corm_models_check(models);
    }
    fails(status, expected, part);
    corm_engine *engine = there(corm_open("sqlite://"));
    corm_session *session = corm_session_open(engine, models);
    if (session != NULL) {
        /* What could not be registered is not there; the rest can be used. */
        assert_null(corm_object_new(session, &child));
        corm_session_end(session);
    }
    corm_close(engine);
    corm_models_free(models);
}

#define many(...) ((corm_field){.name = "items", .field_type = CORM_FIELD_MANY, __VA_ARGS__})
#define one(...) ((corm_field){.name = "parent", .field_type = CORM_FIELD_REFERENCE, __VA_ARGS__})
#define none ((corm_field){.name = NULL})

static void relationships_that_cannot_be_are_refused(void **state) {
    (void)state;
    refuses(many(.target = "nobody"), none, "parents.id", NULL, CORM_INVALID_REQUEST, "nobody");
    refuses(many(.target = "child", .inverse = "nothing"), none, "parents.id", NULL, CORM_INVALID_REQUEST, "nothing");
    refuses(many(.target = "child", .inverse = "parent_id"), none, "parents.id", NULL, CORM_INVALID_REQUEST,
            "parent_id");
    refuses(many(.target = "child", .order_by = "zork"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR, "zork");
    refuses(many(.target = "child", .foreign_keys = "zork"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR, "zork");
    refuses(many(.target = "child", .remote_side = "zork"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR, "zork");
    refuses(many(.target = "child", .secondary = "zork"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR, "zork");
    refuses(many(.target = "child", .lazy = "maybe"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR, "lazy");
    refuses(many(.target = "child", .cascade = "everything"), none, "parents.id", NULL, CORM_ARGUMENT_ERROR,
            "everything");
    refuses(many(.target = "child"), none, NULL, NULL, CORM_NO_FOREIGN_KEYS, "parent.items");
    refuses(many(.target = "child"), none, "parents.id", "parents.id", CORM_AMBIGUOUS_FOREIGN_KEYS, "parent.items");
    refuses(none, one(.target = "parent"), "parents.id", "parents.id", CORM_AMBIGUOUS_FOREIGN_KEYS, "child.parent");
    refuses(many(.target = "child"), one(.target = "parent", .cascade = "all, delete-orphan"), "parents.id", NULL,
            CORM_ARGUMENT_ERROR, "delete-orphan");
}

static void references_to_missing_tables_are_named(void **state) {
    (void)state;
    refuses(many(.target = "child"), none, "zork.id", NULL, CORM_NO_FOREIGN_KEYS, "parent.items");
    refuses(many(.target = "child"), none, "parents.zork", NULL, CORM_NO_REFERENCED_COLUMN, "zork");
    refuses(none, none, "nonsense", NULL, CORM_ARGUMENT_ERROR, "nonsense");
    const corm_field fields[] = {key, number("other_id", "zork.id")};
    corm_mapping mapping = {"made", "made", 64, fields, 2, NULL};
    corm_models *models = there(corm_models_new());
    ok(corm_models_add_mapping(models, &mapping));
    fails(corm_create_all(models, now.engine), CORM_NO_REFERENCED_TABLE, "zork");
    corm_models_free(models);
}

static void structs_that_are_not_registered_are_named(void **state) {
    (void)state;
    corm_models *models = there(corm_models_new());
    corm_session *session = there(corm_session_open(now.engine, models));
    assert_null(corm_new(session, defaulted));
    failed_with(CORM_UNMAPPED_CLASS, "struct defaulted");
    assert_null(corm_get(session, defaulted, 1));
    failed_with(CORM_UNMAPPED_CLASS, "struct defaulted");
    corm_query *query = corm_select(defaulted);
    assert_null(corm_first(session, query, defaulted));
    failed_with(CORM_UNMAPPED_CLASS, "struct defaulted");
    corm_query_free(query);
    corm_session_end(session);
    corm_models_free(models);
}

static void urls_that_cannot_be_are_refused(void **state) {
    (void)state;
    assert_null(corm_open("nonsense"));
    failed_with(CORM_ARGUMENT_ERROR, "database URL");
    assert_null(corm_open("oracle://host/db"));
    failed_with(CORM_NO_SUCH_MODULE, "oracle");
    corm_engine *engine = there(corm_open("sqlite:////no/such/directory/file.db"));
    fails(corm_create_all(now.models, engine), CORM_OPERATIONAL_ERROR, "unable to open");
    corm_close(engine);
    engine = there(corm_open("sqlite://?zork=1"));
    fails(corm_create_all(now.models, engine), CORM_ARGUMENT_ERROR, "zork");
    corm_close(engine);
    assert_null(corm_open(NULL));
    failed_with(CORM_ARGUMENT_ERROR, "NULL");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(tables_are_created_in_the_order_of_their_foreign_keys),
        story(columns_have_their_types_and_constraints),
        story(keys_indexes_and_uniques),
        story(what_the_database_computes_is_there_after_the_flush),
        story(a_field_that_does_not_fit_its_column_is_refused_with_both_types),
        story(what_was_refused_can_be_added_once_it_is_right),
        story(a_mapping_needs_a_primary_key),
        story(names_stand_once),
        story(unknown_types_are_refused),
        story(relationships_that_cannot_be_are_refused),
        story(references_to_missing_tables_are_named),
        story(structs_that_are_not_registered_are_named),
        story(urls_that_cannot_be_are_refused),
    };
    return run_stories(tests);
}
