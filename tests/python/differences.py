"""What differs between databases, in one place: tests that do not hold on one, each with the reason.

A test about one database's own words carries `@pytest.mark.database("sqlite")` where it stands; a module that is, has
`pytestmark`. Here are those that state a promise which a database cannot keep.
"""

# database: {part of a test's name: reason}
DIFFERENCES = {
    "postgresql": {},
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
