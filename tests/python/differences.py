"""What differs between databases, in one place: tests that do not hold on one, each with the reason.

A test about one database's own words carries `@pytest.mark.database("sqlite")` where it stands; a module that is, has
`pytestmark`. Here are those that state a promise which a database cannot keep.
"""

# database: {part of a test's name: reason}
DIFFERENCES = {
    "postgresql": {
        "[name-much longer": "VARCHAR(10) refuses what is longer, as the standard says",
        "[name-quotes": "VARCHAR(10) refuses what is longer, as the standard says",
        "[words-a NUL": "text cannot hold NUL: a DataError says so",
        "wrong_kind_is_refused_before_the_database_sees_it[day": "a text is a date's literal: the server reads it",
        "wrong_kind_is_refused_before_the_database_sees_it[moment": "a text is a date's literal: the server reads it",
        "wrong_kind_is_refused_before_the_database_sees_it[hour": "the server refuses it, not the engine",
        "test_what_another_program_stored_is_understood": "columns have types: nothing else can be stored in them",
        "test_a_condition_finds_its_rows[t.name LIKE :name_1]": "LIKE looks at case",
        "test_a_condition_finds_its_rows[t.name LIKE :name_1 || '%']": "LIKE looks at case",
        'test_a_condition_finds_its_rows[(t.name COLLATE "NOCASE")': "collations are others",
        "test_an_expression_has_its_value[max(": "max() is an aggregate only; greatest() takes several",
        "test_an_expression_has_its_value[EXTRACT(year": "EXTRACT takes dates, not texts",
        "test_not_a_number_and_infinities_do_no_harm": "integer columns hold integers",
        "test_dates_out_of_range_are_plain_errors": "the server refuses them when they are stored",
        "test_a_column_of_another_kind_than_its_type_does_no_harm": "columns hold values of their types only",
        "test_text_that_is_not_utf8_in_the_file": "the server checks encodings",
        "test_a_list_of_a_hundred_thousand_works": "a statement takes at most 65,535 parameters",
        "test_values_of_great_size_pass": "VARCHAR(50) refuses what is longer, as the standard says",
        "test_names_with_quotes_nul_and_great_length": "names are cut at 63 bytes, and the table has another name",
    },
    "mariadb": {
        "[name-much longer": "VARCHAR(10) refuses what is longer, as the standard says",
        "[name-quotes": "VARCHAR(10) refuses what is longer, as the standard says",
        "[words-xxxxxxxx": "TEXT holds 64 KiB",
        "[data-b'\\\\x00\\\\x00\\\\x00\\\\x00": "BLOB holds 64 KiB",
        "[ratio--1.79": "FLOAT has 32 bits",
        "[ratio-5e-324]": "FLOAT has 32 bits",
        "test_a_stored_value_can_be_found_by_itself[ratio-0.1]": "a FLOAT is not the DOUBLE that it is compared with",
        "[ratio-inf]": "there are no infinities",
        "[ratio--inf]": "there are no infinities",
        "[hour-datetime.time(23, 59, 59, 999999)]": "TIME keeps whole seconds",
        "[hour-datetime.time(1, 2, 3, 4)]": "TIME keeps whole seconds",
        "[moment-datetime.datetime(9999": "DATETIME keeps whole seconds",
        "[moment-datetime.datetime(1969": "DATETIME keeps whole seconds",
        "wrong_kind_is_refused_before_the_database_sees_it[day": "a text is a date's literal: the server reads it",
        "wrong_kind_is_refused_before_the_database_sees_it[moment": "a text is a date's literal: the server reads it",
        "wrong_kind_is_refused_before_the_database_sees_it[hour": "the server reads a number as a time: 5 is 00:00:05",
        "test_returning_gives_what_was_written": "UPDATE has no RETURNING",
        "test_conflicts_are_resolved_in_sqlites_own_words": "ON CONFLICT is not among its words",
        'test_a_condition_finds_its_rows[(t.name COLLATE "NOCASE")': "collations are others",
        "test_an_expression_has_its_value[max(": "max() is an aggregate only; greatest() takes several",
        "test_not_a_number_and_infinities_do_no_harm": "there are neither: both are refused",
        "test_dates_out_of_range_are_plain_errors": "the server refuses them when they are stored",
        "test_a_column_of_another_kind_than_its_type_does_no_harm": "columns hold values of their types only",
        "test_text_that_is_not_utf8_in_the_file": "the server checks encodings",
        "test_names_with_quotes_nul_and_great_length": "names have 64 characters of the basic plane",
        "test_values_of_great_size_pass": "VARCHAR(50) refuses what is longer, as the standard says",
        "test_a_hundred_thousand_nested_ors_do_what_they_can": "its parser takes all of them",
        "test_a_column_named_like_a_method_is_still_read_by_name": "KEYS is a reserved word",
        "test_the_parameters_of_text_are_bound": "|| means OR",
    },
}


def reason_against(kind, node):
    """Why a test does not run on a database, or None."""
    mark = node.get_closest_marker("database")
    if mark is not None and kind not in mark.args:
        return f"is about {', '.join(mark.args)}"
    for part, reason in DIFFERENCES.get(kind, {}).items():
        if part in node.nodeid:
            return reason
    return None
