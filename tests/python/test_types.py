"""Types: what is stored comes back, to the last bit, also at the ends of each range."""

import datetime
import decimal
import math

import pytest
from cormorant import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Time,
    Unicode,
    exc,
    insert,
    literal,
    select,
    text,
    types,
)
from cormorant.orm import Session, declarative_base

Base = declarative_base()


class Everything(Base):
    __tablename__ = "everything"
    id = Column(Integer, primary_key=True)
    small = Column(SmallInteger)
    big = Column(BigInteger)
    name = Column(String(10))
    words = Column(Text)
    flag = Column(Boolean)
    ratio = Column(Float)
    price = Column(Numeric(20, 4))
    loose = Column(Numeric(10, 2, asdecimal=False))
    day = Column(Date)
    hour = Column(Time)
    moment = Column(DateTime)
    data = Column(LargeBinary)


UTMOST = 2**63 - 1

ROUND_TRIPS = [
    ("small", 0),
    ("small", -32768),
    ("big", UTMOST),
    ("big", -UTMOST - 1),
    ("big", 2**53 + 1),
    ("name", ""),
    ("name", "much longer than the ten characters of its column"),
    ("name", "quotes ' and \" and ` and ; -- stay"),
    ("words", "snow ☃, a clef 𝄞, a family 👨‍👩‍👧, e\u0301"),
    ("words", "line\nbreaks\r\n\tand tabs"),
    ("words", "a NUL \0 in the middle, and one at the end \0"),
    ("words", "x" * 1_000_000),
    ("flag", True),
    ("flag", False),
    ("ratio", 0.1),
    ("ratio", -1.7976931348623157e308),
    ("ratio", 5e-324),
    ("ratio", math.inf),
    ("ratio", -math.inf),
    ("price", decimal.Decimal("12345678.1234")),
    ("price", decimal.Decimal("-0.0001")),
    ("price", decimal.Decimal("0")),
    ("loose", 12.25),
    ("day", datetime.date.min),
    ("day", datetime.date.max),
    ("day", datetime.date(2024, 2, 29)),
    ("hour", datetime.time.min),
    ("hour", datetime.time.max),
    ("hour", datetime.time(1, 2, 3, 4)),
    ("moment", datetime.datetime.min),
    ("moment", datetime.datetime.max),
    ("moment", datetime.datetime(1969, 12, 31, 23, 59, 59, 1)),
    ("data", b""),
    ("data", bytes(range(256))),
    ("data", b"\0" * 1_000_000),
]


@pytest.fixture
def session(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


def name_of(value):
    return repr(value)[:40]


@pytest.mark.parametrize("attribute, value", ROUND_TRIPS, ids=lambda part: part if type(part) is str else name_of(part))
def test_a_value_comes_back_as_it_was_stored(session, attribute, value):
    session.add(Everything(id=1, **{attribute: value}))
    session.commit()
    session.expunge_all()
    back = getattr(session.get(Everything, 1), attribute)
    assert back == value and type(back) is type(value)
    column = session.scalars(select(getattr(Everything, attribute))).one()
    assert column == value and type(column) is type(value)


@pytest.mark.parametrize("attribute, value", ROUND_TRIPS, ids=lambda part: part if type(part) is str else name_of(part))
def test_a_stored_value_can_be_found_by_itself(session, attribute, value):
    session.add_all([Everything(id=1, **{attribute: value}), Everything(id=2)])
    session.flush()
    column = getattr(Everything, attribute)
    assert session.scalars(select(Everything.id).where(column == value)).all() == [1]


@pytest.mark.parametrize("attribute", [name for name in Everything.__table__.c.keys() if name != "id"])
def test_none_is_null_in_every_type(session, attribute):
    session.add(Everything(id=1, **{attribute: None}))
    session.commit()
    assert getattr(session.get(Everything, 1), attribute) is None
    column = getattr(Everything, attribute)
    assert session.scalars(select(Everything.id).where(column.is_(None))).all() == [1]
    assert session.scalars(select(Everything.id).where(column == None)).all() == [1]  # noqa: E711


@pytest.mark.database("sqlite")
def test_not_a_number_is_null_to_sqlite(session):
    session.add(Everything(id=1, ratio=math.nan))
    session.commit()
    assert session.get(Everything, 1).ratio is None


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "attribute, value, kind, stored",
    [
        ("day", datetime.date(2024, 1, 2), "text", "2024-01-02"),
        ("hour", datetime.time(1, 2, 3, 4), "text", "01:02:03.000004"),
        ("moment", datetime.datetime(2024, 1, 2, 3, 4, 5), "text", "2024-01-02 03:04:05.000000"),
        ("moment", datetime.datetime(1, 1, 1), "text", "0001-01-01 00:00:00.000000"),
        ("flag", True, "integer", 1),
        ("price", decimal.Decimal("1.5"), "real", 1.5),
        ("data", b"\x00\xff", "blob", b"\x00\xff"),
    ],
)
def test_values_are_stored_as_every_other_program_expects(session, attribute, value, kind, stored):
    session.add(Everything(id=1, **{attribute: value}))
    session.flush()
    found = session.execute(text(f"SELECT typeof({attribute}), {attribute} FROM everything")).one()
    assert tuple(found) == (kind, stored)


@pytest.mark.parametrize(
    "attribute, stored, value",
    [
        ("moment", "2024-01-02 03:04:05", datetime.datetime(2024, 1, 2, 3, 4, 5)),
        ("day", "2024-01-02", datetime.date(2024, 1, 2)),
        ("hour", "03:04:05", datetime.time(3, 4, 5)),
        ("flag", 1, True),
        ("flag", 0, False),
        ("price", 3, decimal.Decimal("3.0000")),
        ("ratio", 3, 3.0),
    ],
)
def test_what_another_program_stored_is_understood(session, attribute, stored, value):
    session.execute(text(f"INSERT INTO everything (id, {attribute}) VALUES (1, :stored)"), {"stored": stored})
    assert getattr(session.get(Everything, 1), attribute) == value


@pytest.mark.parametrize(
    "attribute, value, complaint",
    [
        ("day", "2024-01-02", "SQLite Date type only accepts Python date objects as input"),
        ("moment", "2024-01-02", "SQLite DateTime type only accepts Python datetime and date objects as input"),
        ("hour", 5, "SQLite Time type only accepts Python time objects as input"),
        ("flag", 5, "Value 5 is not None, True, or False"),
        ("flag", "yes", "Not a boolean value: 'yes'"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_before_the_database_sees_it(session, attribute, value, complaint):
    session.add(Everything(id=1, **{attribute: value}))
    with pytest.raises(exc.StatementError, match=complaint) as caught:
        session.flush()
    assert isinstance(caught.value.orig, (TypeError, ValueError))
    session.rollback()
    assert session.scalars(select(Everything)).all() == []


def test_an_object_that_no_database_knows_is_refused(session):
    session.add(Everything(id=1, name=object()))
    with pytest.raises(exc.DBAPIError, match="type 'object'"):
        session.flush()


def test_numbers_have_the_scale_of_their_column(session):
    session.add(Everything(id=1, price=decimal.Decimal("1.5"), loose=decimal.Decimal("2.25")))
    session.commit()
    everything = session.get(Everything, 1)
    assert str(everything.price) == "1.5000"
    assert everything.loose == 2.25 and type(everything.loose) is float


def test_a_date_for_a_moment_and_a_moment_for_a_date_are_accepted(session):
    session.add(Everything(id=1, moment=datetime.date(2024, 1, 2), day=datetime.datetime(2024, 1, 2, 3, 4)))
    session.commit()
    everything = session.get(Everything, 1)
    assert everything.moment == datetime.datetime(2024, 1, 2) and everything.day == datetime.date(2024, 1, 2)


def test_subclasses_of_plain_values_are_stored_as_what_they_are(session):
    class Name(str):
        pass

    class Number(int):
        pass

    session.add(Everything(id=Number(1), name=Name("x"), big=Number(3), data=bytearray(b"abc")))
    session.commit()
    session.expunge_all()
    everything = session.get(Everything, Number(1))
    assert (everything.name, everything.big, everything.data) == ("x", 3, b"abc")
    assert type(everything.name) is str and type(everything.big) is int


@pytest.mark.parametrize(
    "a_type, sql, shown",
    [
        (Integer(), "INTEGER", "Integer()"),
        (BigInteger(), "BIGINT", "BigInteger()"),
        (SmallInteger(), "SMALLINT", "SmallInteger()"),
        (String(), "VARCHAR", "String()"),
        (String(50), "VARCHAR(50)", "String(length=50)"),
        (Unicode(5), "VARCHAR(5)", "Unicode(length=5)"),
        (Text(), "TEXT", "Text()"),
        (Boolean(), "BOOLEAN", "Boolean()"),
        (Float(), "FLOAT", "Float()"),
        (Numeric(10, 2), "NUMERIC(10, 2)", "Numeric(precision=10, scale=2)"),
        (Date(), "DATE", "Date()"),
        (Time(), "TIME", "Time()"),
        (DateTime(), "DATETIME", "DateTime()"),
        (types.VARCHAR(3), "VARCHAR(3)", "VARCHAR(length=3)"),
        (types.INTEGER(), "INTEGER", "INTEGER()"),
        (types.TIMESTAMP(), "TIMESTAMP", "TIMESTAMP()"),
    ],
)
def test_a_type_shows_its_sql_and_its_own_declaration(a_type, sql, shown):
    assert str(a_type) == sql and repr(a_type) == shown


@pytest.mark.parametrize(
    "a_type, python",
    [
        (Integer(), int),
        (String(), str),
        (Boolean(), bool),
        (Float(), float),
        (Numeric(), decimal.Decimal),
        (Date(), datetime.date),
        (Time(), datetime.time),
        (DateTime(), datetime.datetime),
        (LargeBinary(), bytes),
    ],
)
def test_a_type_knows_its_python_type(a_type, python):
    assert a_type.python_type is python


def test_a_class_is_as_good_as_its_instance():
    table = Table("t", MetaData(), Column("a", Integer), Column("b", String), Column("c", types.Integer))
    assert isinstance(table.c.a.type, Integer) and isinstance(table.c.b.type, String)
    assert isinstance(table.c.c.type, Integer)
    assert Integer is types.Integer


@pytest.mark.parametrize(
    "value, a_type",
    [
        (5, Integer),
        (True, Boolean),
        ("x", String),
        (1.5, Float),
        (b"x", LargeBinary),
        (decimal.Decimal("1"), Numeric),
        (datetime.date(2024, 1, 1), Date),
        (datetime.time(1), Time),
        (datetime.datetime(2024, 1, 1), DateTime),
    ],
)
def test_a_literal_takes_its_type_from_its_value(session, value, a_type):
    assert isinstance(literal(value).type, a_type)
    back = session.scalar(select(literal(value)))
    assert back == value and type(back) is type(value)


@pytest.mark.database("sqlite")
def test_integers_come_back_whatever_the_declared_width(session):
    session.execute(insert(Everything), {"id": 1, "small": UTMOST})
    assert session.get(Everything, 1).small == UTMOST
