/*
 * The demo in C: ask the database that demo.py stored the same questions, then change something in it.
 *
 * usage: [ECHO=1] demo ask|change URL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cormorant.h>

/* ---- the model: the same tables as in model.py ---- */

typedef struct country country;
typedef struct subdivision subdivision;
typedef struct script script;
typedef struct language language;
typedef struct currency currency;

struct country {
    int64_t id;
    char *code;
    char *name;
    char *flag; /* may be NULL, as any text that is not .required */
    corm_many *subdivisions;
    corm_many *currencies;
    corm_many *languages;
};

struct subdivision {
    int64_t id;
    char *code;
    char *name;
    char *kind;
    int64_t country_id;
    corm_int parent_id; /* may be NULL, and shows it */
    country *country;
    subdivision *parent;
    corm_many *parts;
};

struct script {
    int64_t id;
    char *code;
    char *name;
    corm_many *languages;
};

struct language {
    int64_t id;
    char *code;
    char *name;
    corm_int script_id;
    script *script;
    corm_many *countries;
};

struct currency {
    int64_t id;
    char *code;
    char *name;
    char *symbol;
    corm_many *countries;
};

CORM_MAPPING(
    country, "countries", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
    CORM_COLUMN(code, CORM_STRING(2), .required = true, .unique = true),
    CORM_COLUMN(name, CORM_STRING(200), .required = true), CORM_COLUMN(flag, CORM_STRING(8)),
    CORM_HAS_MANY(subdivisions, subdivision, .inverse = "country", .order_by = "code", .cascade = "all, delete-orphan"),
    CORM_HAS_MANY(currencies, currency, .secondary = "country_currencies", .inverse = "countries", .order_by = "code"),
    CORM_HAS_MANY(languages, language, .secondary = "country_languages", .inverse = "countries", .order_by = "code"));

CORM_MAPPING(subdivision, "subdivisions", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(code, CORM_STRING(6), .required = true, .unique = true),
             CORM_COLUMN(name, CORM_STRING(200), .required = true),
             CORM_COLUMN(kind, CORM_STRING(80), .required = true),
             CORM_COLUMN(country_id, CORM_INTEGER, .references = "countries.id", .index = true),
             CORM_COLUMN(parent_id, CORM_INTEGER, .references = "subdivisions.id", .index = true),
             CORM_BELONGS_TO(country, country, .inverse = "subdivisions"),
             CORM_BELONGS_TO(parent, subdivision, .inverse = "parts", .remote_side = "id"),
             CORM_HAS_MANY(parts, subdivision, .inverse = "parent", .order_by = "code"));

CORM_MAPPING(script, "scripts", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(code, CORM_STRING(4), .required = true, .unique = true),
             CORM_COLUMN(name, CORM_STRING(200), .required = true),
             CORM_HAS_MANY(languages, language, .inverse = "script", .order_by = "code"));

CORM_MAPPING(language, "languages", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(code, CORM_STRING(3), .required = true, .unique = true),
             CORM_COLUMN(name, CORM_STRING(200), .required = true),
             CORM_COLUMN(script_id, CORM_INTEGER, .references = "scripts.id"),
             CORM_BELONGS_TO(script, script, .inverse = "languages"),
             CORM_HAS_MANY(countries, country, .secondary = "country_languages", .inverse = "languages",
                           .order_by = "name"));

CORM_MAPPING(currency, "currencies", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(code, CORM_STRING(3), .required = true, .unique = true),
             CORM_COLUMN(name, CORM_STRING(200), .required = true), CORM_COLUMN(symbol, CORM_STRING(4)),
             CORM_HAS_MANY(countries, country, .secondary = "country_currencies", .inverse = "currencies",
                           .order_by = "name"));

/* ---- a failure ends this program; a service would roll back and go on ---- */

static void check(corm_status status) {
    if (status != CORM_OK) {
        const corm_error *error = corm_error_last();
        fprintf(stderr, "%s: %s\n%s\n", corm_status_name(status), error->message,
                error->statement == NULL ? "" : error->statement);
        exit(1);
    }
}

static void must(const void *pointer, const char *what) {
    if (pointer == NULL) {
        check(corm_error_last()->status);
        fprintf(stderr, "%s: not found\n", what);
        exit(1);
    }
}

/* A loop over a query ends at its end or at a failure; the query is not needed any more. */
static void finish(corm_query *query) {
    check(corm_error_last()->status);
    corm_query_free(query);
}

static corm_models *map_models(void) {
    corm_models *models = corm_models_new();
    check(corm_models_add(models, country));
    check(corm_models_add(models, subdivision));
    check(corm_models_add(models, script));
    check(corm_models_add(models, language));
    check(corm_models_add(models, currency));
    check(corm_models_add_association(models, "country_currencies", "country_id", "countries.id", "currency_id",
                                      "currencies.id"));
    check(corm_models_add_association(models, "country_languages", "country_id", "countries.id", "language_id",
                                      "languages.id"));
    return models;
}

/* ---- questions ---- */

/* Print rows of a name and a number. */
static void print_counts(corm_session *session, corm_query *query) {
    while (corm_next_row(session, query)) {
        printf("  %s: %lld\n", corm_row_text(query, 0), (long long)corm_row_int(query, 1));
    }
    finish(query);
}

static void most_subdivisions(corm_session *session) {
    puts("Most subdivisions:");
    corm_query *query = corm_query_new();
    corm_pick(query, corm_column(country, name));
    corm_pick(query, corm_call("count", corm_column(subdivision, id), NULL, NULL));
    corm_join(query, country, subdivisions);
    corm_group_by(query, corm_column(country, id));
    corm_order_by(query, corm_desc(corm_call("count", corm_column(subdivision, id), NULL, NULL)));
    corm_order_by(query, corm_column(country, name));
    corm_limit(query, 5);
    print_counts(session, query);
}

static void most_widely_spoken(corm_session *session) {
    puts("Spoken in most countries:");
    corm_query *query = corm_query_new();
    corm_pick(query, corm_column(language, name));
    corm_pick(query, corm_call("count", corm_column(country, id), NULL, NULL));
    corm_join(query, language, countries);
    corm_group_by(query, corm_column(language, id));
    corm_having(query, corm_compare(CORM_COMPARE_GT, corm_call("count", corm_column(country, id), NULL, NULL),
                                    corm_value_int(3)));
    corm_order_by(query, corm_desc(corm_call("count", corm_column(country, id), NULL, NULL)));
    corm_order_by(query, corm_column(language, name));
    print_counts(session, query);
}

static void regions_of_belgium(corm_session *session) {
    puts("The regions of Belgium and their parts:");
    corm_query *query = corm_select(subdivision);
    corm_join(query, subdivision, country);
    corm_where(query, corm_eq(country, code, "BE"));
    corm_where(query, corm_is_null(subdivision, parent_id));
    corm_order_by(query, corm_column(subdivision, code));
    corm_with(query, subdivision, parts, "selectin");
    corm_foreach(subdivision, region, session, query) {
        const char *before = "";
        printf("  %s: ", region->name);
        corm_each(subdivision, part, region->parts) {
            printf("%s%s", before, part->name);
            before = ", ";
        }
        puts(*before == '\0' ? "-" : "");
    }
    finish(query);

    query = corm_select(subdivision);
    corm_where(query, corm_eq(subdivision, code, "BE-VLI"));
    subdivision *limburg = corm_first(session, query, subdivision);
    must(limburg, "BE-VLI");
    must(corm_fetch(limburg, parent), "its parent"); /* references are loaded when they are asked for */
    must(corm_fetch(limburg->parent, country), "its country");
    printf("%s lies in %s, %s\n", limburg->name, limburg->parent->name, limburg->parent->country->name);
    corm_query_free(query);
}

static void scripts_of_india(corm_session *session) {
    puts("Languages of India with a script of their own name:");
    corm_query *query = corm_select(language);
    corm_join(query, language, countries);
    corm_join(query, language, script);
    corm_where(query, corm_eq(country, code, "IN"));
    corm_order_by(query, corm_column(language, name));
    corm_with(query, language, script, "joined");
    corm_foreach(language, one, session, query) {
        printf("  %s: %s\n", one->name, one->script->code);
    }
    finish(query);
}

static void german_money(corm_session *session) {
    puts("What they pay with where German is spoken:");
    corm_query *query = corm_select(country);
    corm_where(query, corm_any(country, languages, corm_eq(language, code, "deu")));
    corm_order_by(query, corm_column(country, name));
    corm_with(query, country, currencies, "selectin");
    corm_foreach(country, one, session, query) {
        const char *before = "";
        printf("  %s: ", one->name);
        corm_each(currency, money, one->currencies) {
            printf("%s%s", before, money->code);
            before = ", ";
        }
        puts(*before == '\0' ? "-" : "");
    }
    finish(query);
}

static void ask(corm_session *session) {
    most_subdivisions(session);
    most_widely_spoken(session);
    regions_of_belgium(session);
    scripts_of_india(session);
    german_money(session);
}

/* ---- changes ---- */

static currency *find_currency(corm_session *session, const char *code) {
    corm_query *query = corm_select(currency);
    corm_where(query, corm_eq(currency, code, code));
    currency *found = corm_first(session, query, currency);
    must(found, code);
    corm_query_free(query);
    return found;
}

/* The data ties a currency to a country by its first two letters, so the euro has none: give it its countries, and its
 * sign; and in Croatia it has taken the kuna's place. */
static void change(corm_session *session) {
    static const char *const codes[] = {"AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "HR",
                                        "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PT", "SI", "SK"};
    currency *euro = find_currency(session, "EUR");
    euro->symbol = "€";
    corm_query *query = corm_select(country);
    corm_where(query, corm_in_texts(corm_column(country, code), codes, sizeof codes / sizeof *codes));
    corm_foreach(country, one, session, query) {
        check(corm_many_add(euro->countries, one));
    }
    finish(query);
    check(corm_delete(session, find_currency(session, "HRK")));
    check(corm_commit(session));
    printf("%s %s: %zu countries\n", euro->name, euro->symbol, corm_many_count(euro->countries));
}

static double now(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
    if (argc != 3 || (strcmp(argv[1], "ask") != 0 && strcmp(argv[1], "change") != 0)) {
        fprintf(stderr, "usage: demo ask|change URL\n");
        return 2;
    }
    const char *url = argv[2];
    corm_models *models = map_models();
    corm_engine *engine = NULL;
    if (getenv("ECHO") != NULL) {
        check(corm_open_with_echo(url, NULL, NULL, &engine));
    } else {
        engine = corm_open(url);
    }
    must(engine, url);
    double start = now();
    corm_session *session = corm_session_open(engine, models);
    must(session, "a session");
    if (strcmp(argv[1], "ask") == 0) {
        ask(session);
    } else {
        change(session);
    }
    corm_session_end(session);
    fprintf(stderr, "%s: %.1f ms\n", argv[1], now() - start);
    corm_close(engine);
    corm_models_free(models);
    return 0;
}
