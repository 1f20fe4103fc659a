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
    "mariadb": {},
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
