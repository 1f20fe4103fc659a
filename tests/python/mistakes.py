"""Mistakes that programs make, and the class and code of the error that each database answers with.

The same table is what test_error_classes.py checks, on Cormorant and on SQLAlchemy with psycopg, mysqlclient and
sqlite3, and what docs/databases/errors.md shows: `python3 tests/python/mistakes.py` writes the page.
"""

import pathlib

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "databases" / "errors.md"
DATABASES = ("sqlite", "postgresql", "mariadb")

TABLES = {
    "sqlite": "CREATE TABLE rooms (id INTEGER PRIMARY KEY, name VARCHAR(5) UNIQUE, floor INTEGER NOT NULL, "
    "size SMALLINT CONSTRAINT positive CHECK (size > 0), price NUMERIC(4, 2), day DATE, "
    "house INTEGER REFERENCES houses)",
    "postgresql": "CREATE TABLE rooms (id SERIAL PRIMARY KEY, name VARCHAR(5) UNIQUE, floor INTEGER NOT NULL, "
    "size SMALLINT CONSTRAINT positive CHECK (size > 0), price NUMERIC(4, 2), day DATE, "
    "house INTEGER REFERENCES houses)",
    "mariadb": "CREATE TABLE rooms (id INTEGER PRIMARY KEY AUTO_INCREMENT, name VARCHAR(5) UNIQUE, "
    "floor INTEGER NOT NULL, size SMALLINT, price NUMERIC(4, 2), day DATE, house INTEGER REFERENCES houses (id), "
    "CONSTRAINT positive CHECK (size > 0))",
}
HOUSES = "CREATE TABLE houses (id INTEGER PRIMARY KEY)"
FIRST = "INSERT INTO rooms (id, name, floor) VALUES (100, 'one', 1)"


def everywhere(sql):
    return dict.fromkeys(DATABASES, sql)


# what was done wrong: (the statement by database, (class, code) by database; None: it is no mistake there)
STATEMENTS = {
    "a key that is there already": (
        everywhere("INSERT INTO rooms (id, name, floor) VALUES (100, 'two', 1)"),
        {"sqlite": ("IntegrityError", 1555), "postgresql": ("IntegrityError", "23505"),
         "mariadb": ("IntegrityError", 1062)},
    ),
    "a value that is there already, where it is UNIQUE": (
        everywhere("INSERT INTO rooms (name, floor) VALUES ('one', 1)"),
        {"sqlite": ("IntegrityError", 2067), "postgresql": ("IntegrityError", "23505"),
         "mariadb": ("IntegrityError", 1062)},
    ),
    "NULL where it is NOT NULL": (
        everywhere("INSERT INTO rooms (floor) VALUES (NULL)"),
        {"sqlite": ("IntegrityError", 1299), "postgresql": ("IntegrityError", "23502"),
         "mariadb": ("IntegrityError", 1048)},
    ),
    "no value for a column without a default": (
        everywhere("INSERT INTO rooms (name) VALUES ('two')"),
        {"sqlite": ("IntegrityError", 1299), "postgresql": ("IntegrityError", "23502"),
         "mariadb": ("IntegrityError", 1364)},
    ),
    "a reference to a row that is not there": (
        everywhere("INSERT INTO rooms (floor, house) VALUES (1, 99)"),
        {"sqlite": ("IntegrityError", 787), "postgresql": ("IntegrityError", "23503"),
         "mariadb": ("IntegrityError", 1452)},
    ),
    "deleting a row that others refer to": (
        everywhere("DELETE FROM houses WHERE id = 1"),
        {"sqlite": ("IntegrityError", 787), "postgresql": ("IntegrityError", "23503"),
         "mariadb": ("IntegrityError", 1451)},
    ),
    "a value that a CHECK refuses": (
        everywhere("INSERT INTO rooms (floor, size) VALUES (1, -1)"),
        {"sqlite": ("IntegrityError", 275), "postgresql": ("IntegrityError", "23514"),
         "mariadb": ("OperationalError", 4025)},
    ),
    "a text that is too long": (
        everywhere("INSERT INTO rooms (name, floor) VALUES ('much too long', 1)"),
        {"sqlite": None, "postgresql": ("DataError", "22001"), "mariadb": ("DataError", 1406)},
    ),
    "a number out of range": (
        everywhere("INSERT INTO rooms (floor, size) VALUES (1, 100000)"),
        {"sqlite": None, "postgresql": ("DataError", "22003"), "mariadb": ("DataError", 1264)},
    ),
    "an exact number with too many digits": (
        everywhere("INSERT INTO rooms (floor, price) VALUES (1, 12345.6)"),
        {"sqlite": None, "postgresql": ("DataError", "22003"), "mariadb": ("DataError", 1264)},
    ),
    "a day that does not exist": (
        everywhere("INSERT INTO rooms (floor, day) VALUES (1, '2024-02-30')"),
        {"sqlite": None, "postgresql": ("DataError", "22008"), "mariadb": ("OperationalError", 1292)},
    ),
    "a text that is no number": (
        everywhere("INSERT INTO rooms (floor) VALUES ('ground')"),
        {"sqlite": None, "postgresql": ("DataError", "22P02"), "mariadb": ("OperationalError", 1366)},
    ),
    "division by zero": (
        {"sqlite": "SELECT 1 / 0", "postgresql": "SELECT 1 / 0", "mariadb": "INSERT INTO rooms (floor) VALUES (1 / 0)"},
        {"sqlite": None, "postgresql": ("DataError", "22012"), "mariadb": ("OperationalError", 1365)},
    ),
    "a table that is not there": (
        everywhere("SELECT * FROM nowhere"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42P01"),
         "mariadb": ("ProgrammingError", 1146)},
    ),
    "a column that is not there": (
        everywhere("SELECT nothing FROM rooms"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42703"),
         "mariadb": ("OperationalError", 1054)},
    ),
    "a function that is not there": (
        everywhere("SELECT no_such_function(1)"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42883"),
         "mariadb": ("OperationalError", 1305)},
    ),
    "broken SQL": (
        everywhere("SELEC 1"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42601"),
         "mariadb": ("ProgrammingError", 1064)},
    ),
    "an ambiguous column": (
        everywhere("SELECT id FROM rooms, houses"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42702"),
         "mariadb": ("OperationalError", 1052)},
    ),
    "a table that is there already": (
        everywhere(HOUSES),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42P07"),
         "mariadb": ("OperationalError", 1050)},
    ),
    "a subquery of several rows where one is wanted": (
        everywhere("SELECT (SELECT id FROM rooms UNION SELECT 2 UNION SELECT 3)"),
        {"sqlite": None, "postgresql": ("ProgrammingError", "21000"), "mariadb": ("OperationalError", 1242)},
    ),
    "more values than columns": (
        everywhere("INSERT INTO rooms (floor) VALUES (1, 2)"),
        {"sqlite": ("OperationalError", 1), "postgresql": ("ProgrammingError", "42601"),
         "mariadb": ("OperationalError", 1136)},
    ),
}  # fmt: skip

# what test_error_classes.py does in words of its own
SITUATIONS = {
    "a deadlock": {"sqlite": None, "postgresql": ("OperationalError", "40P01"), "mariadb": ("OperationalError", 1213)},
    "a serialization failure": {"sqlite": None, "postgresql": ("OperationalError", "40001"), "mariadb": None},
    "a lock that is not got in time": {
        "sqlite": ("OperationalError", 5), "postgresql": ("OperationalError", "55P03"),
        "mariadb": ("OperationalError", 1205)},
    "writing in a read-only transaction": {
        "sqlite": ("OperationalError", 8), "postgresql": ("InternalError", "25006"),
        "mariadb": ("OperationalError", 1792)},
    "a statement after one that failed": {
        "sqlite": None, "postgresql": ("InternalError", "25P02"), "mariadb": None},
    "what one may not do": {
        "sqlite": None, "postgresql": ("ProgrammingError", "42501"), "mariadb": ("OperationalError", 1142)},
    "a wrong password": {
        "sqlite": None, "postgresql": ("OperationalError", None), "mariadb": ("OperationalError", 1045)},
    "a database that is not there": {
        "sqlite": ("OperationalError", 14), "postgresql": ("OperationalError", None),
        "mariadb": ("OperationalError", 1049)},
    "a server that is not there": {
        "sqlite": None, "postgresql": ("OperationalError", None), "mariadb": ("OperationalError", 2002)},
    "a connection that was ended": {
        "sqlite": None, "postgresql": ("OperationalError", "57P01"), "mariadb": ("OperationalError", None)},
}  # fmt: skip

HEAD = """# Mistakes and their errors

What programs catch: the class (of `cormorant.exc`, and of `error.orig`) and the code of each mistake on each database.
Both are those of SQLAlchemy with psycopg, mysqlclient and sqlite3: tests/python/test_error_classes.py measures
them on Cormorant and on those. This page is written from its table (`python3 tests/python/mistakes.py`).

The code is `error.orig.sqlstate` (and `pgcode`) on PostgreSQL, `error.orig.args[0]` on MariaDB and
`error.orig.sqlite_errorcode` on SQLite; in C `corm_error_last()->sqlstate` and `->native_code`. An error has the
`statement` and `params` that failed, and on PostgreSQL `orig.diag` (constraint, table, column, detail, hint). Where a
cell has no code the library tells none, or one of several. A dash: no mistake there.

PyMySQL differs from mysqlclient in two of these: it has OperationalError for 1364 and DataError for 1366.

| mistake | SQLite | PostgreSQL | MariaDB |
|---|---|---|---|
"""


def shown(expected):
    if expected is None:
        return "-"
    name, code = expected
    return name if code is None else f"{name} {code}"


def page():
    rows = {name: expected for name, (_, expected) in STATEMENTS.items()} | SITUATIONS
    lines = [f"| {name} | {' | '.join(shown(by[database]) for database in DATABASES)} |" for name, by in rows.items()]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
