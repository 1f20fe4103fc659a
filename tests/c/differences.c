/* See differences.h. */
#include "differences.h"

#define SERVERS (ON_POSTGRESQL | ON_MARIADB)

static const struct {
    const char *test;   /* or a whole file */
    unsigned databases; /* on which it does not hold */
    const char *reason;
} differences[] = {
    {"test_faults.c", SERVERS, "is about the file system below SQLite"},
    {"infinities_stay_and_not_a_number_becomes_null", SERVERS, "PostgreSQL keeps NaN; MariaDB has neither"},
    {"values_that_a_field_cannot_hold_are_refused_by_name", SERVERS, "columns hold values of their types only"},
    {"long_texts_and_bytes_come_back", ON_MARIADB, "TEXT and BLOB hold 65,535 bytes"},
    {"what_others_wrote_is_not_lost_by_reading_it", SERVERS, "columns hold values of their types only"},
    {"numbers_beyond_their_column_are_refused_or_kept", SERVERS, "the server refuses them"},
    {"several_statements_at_once_are_refused", ON_POSTGRESQL, "what has no parameters may be several statements"},
    {"lists_of_any_length_work", ON_POSTGRESQL, "a statement takes at most 65,535 parameters"},
    {"a_row_may_be_its_own_parent", ON_MARIADB, "InnoDB refuses to delete a row that refers to itself"},
    {"of_two_that_wait_for_each_other_one_is_tried_again", ON_SQLITE, "two cannot write at once"},
    {"a_prepared_transaction_is_committed_or_rolled_back", ON_SQLITE, "it has no two-phase transactions"},
    {"a_prepared_transaction_outlives_its_session", ON_SQLITE, "it has no two-phase transactions"},
    {"sqlite_has_none", SERVERS, "they have"},
    {"a_crowd_shares_few_connections", ON_SQLITE, "writers wait for the file, not for a connection"},
    {"a_locked_file_is_tried_again", SERVERS, "rows are locked, never the database"},
    {"a_locked_file_is_an_operational_error_and_can_be_tried_again", SERVERS, "rows are locked, never the database"},
};

/* Why a test does not run, or NULL. */
static const char *reason_against(const char *test, const char *file) {
    const char *name = strrchr(file, '/');
    name = name == NULL ? file : name + 1;
    for (size_t i = 0; i < sizeof differences / sizeof *differences; i++) {
        if ((differences[i].databases & database_now()->kind) &&
            (strcmp(differences[i].test, test) == 0 || strcmp(differences[i].test, name) == 0)) {
            return differences[i].reason;
        }
    }
    return NULL;
}

int run_stories_of(const char *file, const struct CMUnitTest *tests, size_t count) {
    struct CMUnitTest *those = calloc(count, sizeof *those);
    size_t taken = 0;
    if (those == NULL) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        const char *reason = reason_against(tests[i].name, file);
        if (reason == NULL) {
            those[taken++] = tests[i];
        } else {
            print_message("not on %s: %s: %s\n", database_now()->name, tests[i].name, reason);
        }
    }
    int failures = taken == 0 ? 0 : _cmocka_run_group_tests(file, those, taken, NULL, NULL);
    free(those);
    return failures;
}
