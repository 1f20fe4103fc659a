"""The types that MariaDB and MySQL have more of: what is stored comes back, and is read from the catalogue."""

import datetime
import decimal
import enum
import uuid
import warnings

import pytest
from cormorant import (
    Column,
    DateTime,
    Enum,
    Integer,
    Interval,
    MetaData,
    String,
    Table,
    Uuid,
    cast,
    column,
    exc,
    insert,
    select,
    text,
)
from cormorant.dialects import mysql
from cormorant.orm import Session, declarative_base
from cormorant.schema import CreateTable
from support import PEER, flat

pytestmark = pytest.mark.database("mariadb")

Decimal = decimal.Decimal
NOON = datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)


class Mood(enum.Enum):
    SAD = "sad"
    FINE = "fine"


KINDS = [
    (mysql.TINYINT(), [-128, 127, None], "tinyint(4)"),
    (mysql.TINYINT(unsigned=True), [0, 255], "tinyint(3) unsigned"),
    (mysql.TINYINT(display_width=1), [0, 1], "tinyint(1)"),
    (mysql.SMALLINT(unsigned=True), [65535], "smallint(5) unsigned"),
    (mysql.MEDIUMINT(), [-(2**23), 2**23 - 1], "mediumint(9)"),
    (mysql.MEDIUMINT(unsigned=True), [2**24 - 1], "mediumint(8) unsigned"),
    (mysql.INTEGER(display_width=5, zerofill=True), [7, 2**32 - 1], "int(5) unsigned zerofill"),
    (mysql.INTEGER(unsigned=True), [2**32 - 1], "int(10) unsigned"),
    (mysql.BIGINT(), [-(2**63), 2**63 - 1], "bigint(20)"),
    (mysql.BIGINT(unsigned=True), [0, 2**63 - 1, 2**63, 2**64 - 1, None], "bigint(20) unsigned"),
    (mysql.DECIMAL(10, 2, unsigned=True), [Decimal("12345678.90")], "decimal(10,2) unsigned"),
    (mysql.NUMERIC(65, 30), [Decimal("1." + "0" * 29 + "1")], "decimal(65,30)"),
    (mysql.DECIMAL(5, 1, asdecimal=False), [1.5], "decimal(5,1)"),
    (mysql.DOUBLE(asdecimal=False), [0.1, -1.7976931348623157e308], "double"),
    (mysql.DOUBLE(10, 3), [Decimal("1.125")], "double(10,3)"),
    (mysql.FLOAT(), [0.5], "float"),
    (mysql.FLOAT(10, 2, unsigned=True), [0.5], "float(10,2) unsigned"),
    (mysql.DATETIME(fsp=6), [NOON, datetime.datetime.max, None], "datetime(6)"),
    (mysql.DATETIME(fsp=3), [NOON.replace(microsecond=123000)], "datetime(3)"),
    (mysql.DATETIME(), [NOON.replace(microsecond=0)], "datetime"),
    (mysql.TIMESTAMP(fsp=6), [NOON, None], "timestamp(6)"),
    (mysql.TIME(fsp=6), [NOON.time(), datetime.time.max], "time(6)"),
    (mysql.YEAR(), [1901, 2155, 0], "year(4)"),
    (mysql.BIT(), [0, 1, None], "bit(1)"),
    (mysql.BIT(64), [0, 2**64 - 1, 5], "bit(64)"),
    (mysql.TINYTEXT(), ["", "ü"], "tinytext"),
    (mysql.MEDIUMTEXT(charset="utf8mb4", collation="utf8mb4_bin"), ["𝄞" * 20000], "mediumtext"),
    (mysql.LONGTEXT(), ["x" * 100000], "longtext"),
    (mysql.TEXT(100), ["text"], "text"),
    (mysql.VARCHAR(20, charset="latin1", collation="latin1_bin"), ["ü"], "varchar(20)"),
    (mysql.CHAR(5), ["abc"], "char(5)"),
    (mysql.NVARCHAR(6), ["ü"], "varchar(6)"),
    (mysql.TINYBLOB(), [b"\x00\xff"], "tinyblob"),
    (mysql.MEDIUMBLOB(), [b"x" * 70000], "mediumblob"),
    (mysql.LONGBLOB(), [b""], "longblob"),
    (mysql.ENUM("a", "b'c", ""), ["a", "b'c", "", None], "enum('a','b''c','')"),
    (mysql.ENUM(Mood), [Mood.FINE], "enum('SAD','FINE')"),
    (mysql.SET("x", "y", "z"), [{"x", "z"}, set(), {"y"}, None], "set('x','y','z')"),
    (mysql.SET("x", "", retrieve_as_bitwise=True), [{"x", ""}, {"x"}, set()], "set('x','')"),
    (mysql.JSON(), [{"a": [1, None, "ü"]}, [], "text"], "longtext"),
    (mysql.INET6(), ["2001:db8::1"], "inet6"),
    (Enum(Mood), [Mood.SAD, None], "enum('SAD','FINE')"),
    (Enum("a", "b", native_enum=False), ["a"], "varchar(1)"),
    (Interval(), [datetime.timedelta(days=3, seconds=5), datetime.timedelta(0), None], "datetime"),
    (Uuid(), [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), None], "uuid"),
    (Uuid(as_uuid=False), [str(uuid.UUID(int=7))], "uuid"),
    (Uuid(native_uuid=False), [uuid.UUID(int=7)], "char(32)"),
]


@pytest.mark.parametrize("type_, values, spelling", KINDS, ids=lambda part: part if type(part) is str else None)
def test_a_value_comes_back_from_a_column_of_its_type(engine, type_, values, spelling):
    table = Table("kept", MetaData(), Column("id", Integer, primary_key=True), Column("x", type_))
    table.create(engine)
    with engine.begin() as connection:
        for value in values:
            connection.execute(insert(table).values(x=value))
        connection.execute(insert(table), [{"x": value} for value in values] * 10)
        rows = connection.scalars(select(table.c.x).order_by(table.c.id)).all()
        shown = connection.scalar(
            text("SELECT column_type FROM information_schema.columns WHERE table_schema = DATABASE() "
                 "AND table_name = 'kept' AND column_name = 'x'")
        )  # fmt: skip
    assert rows == values * 11
    assert {type(row) for row in rows} == {type(value) for value in values}
    assert shown == spelling


def test_types_are_read_from_the_catalogue(engine):
    metadata = MetaData()
    left_out = (mysql.TIMESTAMP, mysql.INET6) if PEER else (mysql.TIMESTAMP,)
    kinds = [kind for kind, _, _ in KINDS if not isinstance(kind, left_out)]
    Table("t", metadata, *(Column(f"c{i}", kind) for i, kind in enumerate(kinds)))
    metadata.create_all(engine)
    dialect = engine.dialect

    def spelled(table):
        with engine.begin() as connection:
            table.drop(connection, checkfirst=True)
            table.create(connection)
            return connection.execute(
                text("SELECT column_name, column_type, collation_name FROM information_schema.columns "
                     "WHERE table_schema = DATABASE() ORDER BY ordinal_position")
            ).all()  # fmt: skip

    before = spelled(metadata.tables["t"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = Table("t", MetaData(), autoload_with=engine)
    assert [tuple(row) for row in spelled(read)] == [tuple(row) for row in before]
    assert "SET('x','y','z')" in flat(CreateTable(read).compile(dialect=dialect))


@pytest.mark.parametrize(
    "type_, spelling, cast_to",
    [
        (mysql.INTEGER(unsigned=True), "INTEGER UNSIGNED", "UNSIGNED INTEGER"),
        (mysql.INTEGER(display_width=5, zerofill=True), "INTEGER(5) ZEROFILL", "SIGNED INTEGER"),
        (mysql.DOUBLE(10, 3), "DOUBLE(10, 3)", None),
        (mysql.DECIMAL(10, 2), "DECIMAL(10, 2)", "DECIMAL(10, 2)"),
        (mysql.DATETIME(fsp=6), "DATETIME(6)", "DATETIME(6)"),
        (mysql.VARCHAR(20, charset="latin1", collation="latin1_bin"),
         "VARCHAR(20) CHARACTER SET latin1 COLLATE latin1_bin", "CHAR(20) CHARACTER SET latin1 COLLATE latin1_bin"),
        (mysql.CHAR(5, binary=True), "CHAR(5) BINARY", "CHAR(5) BINARY"),
        (mysql.NCHAR(5), "NATIONAL CHAR(5)", "CHAR(5)"),
        (mysql.SET("a", "b"), "SET('a','b')", None),
        (mysql.ENUM("a", charset="utf8mb4"), "ENUM('a') CHARACTER SET utf8mb4", None),
        (Enum("a", "b'"), "ENUM('a','b''')", None),
        (mysql.BIT(8), "BIT(8)", None),
        (mysql.YEAR(4), "YEAR(4)", None),
        (Interval(), "DATETIME", "DATETIME"),
        (DateTime(), "DATETIME", "DATETIME"),
    ],
)
def test_a_type_has_its_spelling(type_, spelling, cast_to):
    dialect = mysql.dialect()
    assert type_.compile(dialect=dialect) == spelling
    if cast_to is not None:
        assert flat(cast(column("x"), type_).compile(dialect=dialect)) == f"CAST(x AS {cast_to})"


def test_numbers_beyond_64_bits_are_refused_by_the_server(engine):
    table = Table("t", MetaData(), Column("x", mysql.BIGINT(unsigned=True)))
    table.create(engine)
    with engine.connect() as connection:
        for number in (-1, 2**64):
            with pytest.raises(exc.DataError):
                connection.execute(insert(table).values(x=number))


def test_a_big_number_without_a_type_is_an_int(engine):
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 18446744073709551615")) == 2**64 - 1
        assert type(connection.scalar(text("SELECT 18446744073709551615"))) is int
        assert connection.scalar(text("SELECT CAST(:x AS UNSIGNED)"), {"x": 2**64 - 1}) == 2**64 - 1


def test_a_time_outside_of_a_day_is_a_span(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE spans (x TIME(6))"))
        spans = [datetime.timedelta(hours=-838, minutes=-59), datetime.timedelta(days=3, microseconds=5)]
        for span in spans:
            connection.execute(text("INSERT INTO spans VALUES (:span)"), {"span": span})
        assert connection.scalars(text("SELECT x FROM spans ORDER BY x")).all() == spans


def test_a_blank_in_a_set_needs_bits():
    with pytest.raises(exc.ArgumentError, match="retrieve_as_bitwise"):
        mysql.SET("a", "")


Base = declarative_base()


class Shelf(Base):
    __tablename__ = "shelves"
    id = Column(mysql.BIGINT(unsigned=True), primary_key=True)
    name = Column(String(10))
    tags = Column(mysql.SET("x", "y"))
    mood = Column(Enum(Mood))
    mask = Column(mysql.BIT(4))


def test_objects_keep_such_values(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        shelf = Shelf(id=2**64 - 1, tags={"x"}, mood=Mood.FINE, mask=5)
        session.add_all([shelf, Shelf(id=7)])
        session.commit()
        assert (shelf.tags, shelf.mood, shelf.mask) == ({"x"}, Mood.FINE, 5)
        assert session.get(Shelf, 2**64 - 1) is shelf
        assert session.scalars(select(Shelf).where(Shelf.id == 2**64 - 1)).one() is shelf
        shelf.tags = {"x", "y"}
        session.commit()
        assert session.scalars(select(Shelf.tags).where(Shelf.id == shelf.id)).one() == {"x", "y"}
