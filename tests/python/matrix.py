"""The matrix of types: extremes written on a database, read back with their type and without, and kept as records.

    CORMORANT_TEST_DB=postgresql python3 tests/python/matrix.py record    # what it gives, under tests/servers/run.py
    python3 tests/python/matrix.py page                                   # writes docs/databases/types.md

With CORMORANT_TEST_PEER=1 and the peer's Python the first form records what psycopg, PyMySQL or sqlite3 give for the
same values. test_type_matrix.py checks that the records are what a database gives now, and that the page is theirs.
"""

import datetime
import decimal
import ipaddress
import json
import math
import pathlib
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
RECORDS = HERE / "matrix.json"
PAGE = HERE.parents[1] / "docs" / "databases" / "types.md"
DRIVERS = {"sqlite": "sqlite3", "postgresql": "psycopg 3", "mariadb": "PyMySQL"}
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}
LONGEST = 44

D = decimal.Decimal
NOON = datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)
ZONED = NOON.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
KEY = uuid.UUID("12345678-1234-5678-1234-567812345678")


def shared():
    """Types of all databases and what is written to them."""
    import cormorant as c

    yield "SmallInteger", c.SmallInteger(), [-(2**15), 2**15 - 1]
    yield "Integer", c.Integer(), [-(2**31), 2**31 - 1, None]
    yield "BigInteger", c.BigInteger(), [-(2**63), 2**63 - 1, 2**63]
    yield "Double", c.Double(), [0.1, 5e-324, -1.7976931348623157e308, math.inf, math.nan]
    yield "Float", c.Float(), [0.1]
    yield "Numeric(30, 10)", c.Numeric(30, 10), [D("12345678901234567890.0123456789"), D("0E-10"), D("NaN")]
    yield "Boolean", c.Boolean(), [True, False]
    yield "String(20)", c.String(20), ["", "ü☃𝄞", "it's \\ \"", "a\0b", "x" * 21]
    yield "Text", c.Text(), ["x" * 1000]
    yield "LargeBinary", c.LargeBinary(), [b"", b"\0\xff'\\"]
    yield "Date", c.Date(), [datetime.date.min, datetime.date.max]
    yield "Time", c.Time(), [datetime.time.min, datetime.time.max]
    yield "DateTime", c.DateTime(), [datetime.datetime.min, datetime.datetime.max, NOON, ZONED]
    yield "DateTime(timezone=True)", c.DateTime(timezone=True), [ZONED]
    yield "Interval", c.Interval(), [datetime.timedelta(0), datetime.timedelta(days=400, microseconds=1)]
    yield "Uuid", c.Uuid(), [uuid.UUID(int=0), KEY]
    yield "Enum", c.Enum("a", "b'c", name="letters"), ["b'c", "q"]
    yield "JSON", c.JSON(), [{"a": [1, None, "ü"]}, [], None]


def of_postgresql():
    import cormorant as c
    from cormorant.dialects import postgresql as p

    yield "ARRAY(Integer)", p.ARRAY(c.Integer), [[], [1, None, -(2**31)], [[1, 2], [3, 4]]]
    yield "ARRAY(Text)", p.ARRAY(c.Text), [["a,b", '"', "NULL", "", None]]
    yield "ARRAY(Numeric)", p.ARRAY(c.Numeric), [[D("1.50"), D("NaN")]]
    yield "ARRAY(Uuid)", p.ARRAY(c.Uuid), [[KEY]]
    yield "ARRAY(DateTime)", p.ARRAY(c.DateTime), [[NOON]]
    yield "ARRAY(LargeBinary)", p.ARRAY(c.LargeBinary), [[b"\0\xff"]]
    yield "INT4RANGE", p.INT4RANGE(), [p.Range(1, 10), p.Range(None, None), p.Range(empty=True)]
    yield "NUMRANGE", p.NUMRANGE(), [p.Range(D("1.5"), None, bounds="(]")]
    yield "TSTZRANGE", p.TSTZRANGE(), [p.Range(ZONED, None)]
    yield "INT8MULTIRANGE", p.INT8MULTIRANGE(), [p.MultiRange([p.Range(1, 2), p.Range(5, None)])]
    yield "INET", p.INET(), [ipaddress.ip_address("::1"), ipaddress.ip_interface("10.0.0.1/8")]
    yield "CIDR", p.CIDR(), [ipaddress.ip_network("10.0.0.0/8")]
    yield "MACADDR", p.MACADDR(), ["08:00:2b:01:02:03"]
    yield "BIT(3)", p.BIT(3), ["101"]
    yield "MONEY", p.MONEY(), ["$12.50"]
    yield "OID", p.OID(), [2**32 - 1]
    yield "JSONB", p.JSONB(), [{"a": [1, None]}]
    yield "TSVECTOR", p.TSVECTOR(), ["'cat':3 'fat':2"]
    yield "TIMESTAMP(precision=3)", p.TIMESTAMP(precision=3), [NOON]


def of_mariadb():
    from cormorant.dialects import mysql as m

    yield "TINYINT(unsigned=True)", m.TINYINT(unsigned=True), [0, 255, 256]
    yield "BIGINT(unsigned=True)", m.BIGINT(unsigned=True), [2**63 - 1, 2**64 - 1, 2**64]
    yield "INTEGER(5, zerofill=True)", m.INTEGER(5, zerofill=True), [7]
    yield "DOUBLE()", m.DOUBLE(), [0.5]
    yield "FLOAT()", m.FLOAT(), [0.1]
    yield "DATETIME(fsp=6)", m.DATETIME(fsp=6), [NOON, datetime.datetime.max]
    yield "TIMESTAMP(fsp=3)", m.TIMESTAMP(fsp=3), [NOON]
    yield "TIME(fsp=6)", m.TIME(fsp=6), [datetime.time.max]
    yield "YEAR", m.YEAR(), [1901, 2155]
    yield "BIT(64)", m.BIT(64), [0, 2**64 - 1]
    yield "LONGTEXT", m.LONGTEXT(), ["x" * 70000]
    yield "VARCHAR(5, charset=latin1)", m.VARCHAR(5, charset="latin1"), ["ü", "☃"]
    yield "LONGBLOB", m.LONGBLOB(), [b"\0" * 70000]
    yield "SET", m.SET("x", "y"), [{"x", "y"}, set()]
    yield "SET(retrieve_as_bitwise=True)", m.SET("x", "", retrieve_as_bitwise=True), [{"x", ""}]


def shown(value):
    """A value as it stands in the table: its class too, where it does not say so itself; short."""
    if isinstance(value, (datetime.datetime, datetime.time, datetime.date)):
        text = f"{type(value).__name__} {value.isoformat()}"
    elif isinstance(value, datetime.timedelta):
        text = f"timedelta {value}"
    elif isinstance(value, set):
        text = "{" + ", ".join(sorted(map(repr, value))) + "}" if value else "set()"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(shown, value)) + "]"
    else:
        text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 9]}...{len(text)}"


def told(connection, work):
    """What a piece of work gives, or the class of its error, in a savepoint."""
    point = connection.begin_nested()
    try:
        given = work()
    except Exception as error:  # whatever the database or the library has against it
        if point.is_active:
            point.rollback()
        return type(error).__name__
    point.commit()
    return shown(given)


def rows_of(connection, kind):
    """(type, column, value, with its type, without) for all values."""
    import cormorant as c

    makers = {"postgresql": of_postgresql, "mariadb": of_mariadb}
    kinds = [*shared(), *(makers[kind]() if kind in makers else ())]
    for place, (name, type_, values) in enumerate(kinds):  # a table for each, as prepared statements remember types
        columns = c.Column("id", c.Integer, primary_key=True), c.Column("x", type_)
        table = c.Table(f"matrix_{place}", c.MetaData(), *columns)
        table.metadata.create_all(connection)
        spelling = str(type_.compile(dialect=connection.dialect))
        for number, value in enumerate(values, 1):
            row = c.insert(table).values(id=number, x=value)

            def read(statement):
                return connection.execute(statement).scalar()

            fault = told(connection, lambda row=row: connection.execute(row) and None)
            if fault != "None":
                yield [name, spelling, shown(value), fault, fault]
                continue
            typed = c.select(table.c.x).where(table.c.id == number)
            plain = c.text(f"SELECT x FROM {table.name} WHERE id = {number}")
            known, unknown = (told(connection, lambda one=one: read(one)) for one in (typed, plain))
            yield [name, spelling, shown(value), known, unknown]
        table.metadata.drop_all(connection)


def rows_now(engine, kind):
    """What the engine's database gives now."""
    with engine.connect() as connection:
        rows = list(rows_of(connection, kind))
        connection.rollback()
    return rows


# -- the page


def same(ours, peers):
    return "the same" if ours == peers else f"`{peers}`"


def page(records):
    """docs/databases/types.md as a text."""
    lines = [
        "# Types and their extremes",
        "",
        "Written by `python3 tests/python/matrix.py page` from what the databases gave; the tests compare it with what",
        "they give now. Each value was written by a column of the type, read back by the column, and read by `text()`,",
        "which knows no type. The last column is what the drivers that programs know give to SQLAlchemy's `text()`.",
    ]
    for kind, title in TITLES.items():
        peers = {(row[0], row[2]): row for row in records[kind]["peer"]}
        lines += ["", f"## {title}", "", f"| type | column | written | comes back | by text() | {DRIVERS[kind]} |",
                  "|---|---|---|---|---|---|"]  # fmt: skip
        for name, spelling, value, typed, plain in records[kind]["ours"]:
            peer = peers.get((name, value))
            cells = [f"{name}", spelling, f"`{value}`", same(value, typed), same(typed, plain),
                     "-" if peer is None else same(plain, peer[4])]  # fmt: skip
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def written(records):
    """The records as JSON with a row a line."""
    parts = []
    for kind, sides in sorted(records.items()):
        lists = [f'"{side}": [\n' + ",\n".join(map(json.dumps, rows)) + "\n]" for side, rows in sorted(sides.items())]
        parts.append(f'"{kind}": {{' + ",\n".join(lists) + "}")
    return "{" + ",\n".join(parts) + "}\n"


def main():
    sys.path.insert(0, str(HERE))
    records = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    if sys.argv[1:] == ["page"]:
        PAGE.write_text(page(records))
        return
    import conftest  # noqa: F401 -- puts the package on the path
    import databases

    from cormorant import create_engine

    database = databases.KINDS[databases.KIND]()
    engine = create_engine(database.url())
    records.setdefault(databases.KIND, {})["peer" if databases.PEER else "ours"] = rows_now(engine, databases.KIND)
    RECORDS.write_text(written(records))
    engine.dispose()
    database.close()


if __name__ == "__main__":
    main()
