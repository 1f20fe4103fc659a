"""PostgreSQL's own types: what is stored comes back as psycopg's users know it, typed or not."""

import datetime
import decimal
import enum
import ipaddress
import uuid

import pytest
from cormorant import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Time,
    Uuid,
    any_,
    exc,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    type_coerce,
)
from cormorant import ARRAY as AnyArray
from cormorant.dialects import postgresql
from cormorant.dialects.postgresql import ARRAY, ENUM, MultiRange, Range, array, array_agg
from cormorant.orm import Session, declarative_base
from support import PEER, flat, ours_only, statements_of

pytestmark = pytest.mark.database("postgresql")

Decimal = decimal.Decimal
NOON = datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)
UTC = datetime.timezone.utc
DAY = datetime.date(2024, 2, 29)


class Mood(enum.Enum):
    SAD = "sad"
    FINE = "it's fine"


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        yield connection


def stored(connection, type_, values, looks):
    """The values after a stay in a column of the type, sent one by one and many at once."""
    metadata = MetaData()
    table = Table("kept", metadata, Column("id", Integer, primary_key=True), Column("x", type_))
    metadata.create_all(connection)
    for value in values:
        connection.execute(insert(table).values(x=value))
    connection.execute(insert(table), [{"x": value} for value in values] * 10)
    rows = connection.scalars(select(table.c.x).order_by(table.c.id)).all()
    assert len(rows) == 11 * len(values)
    assert all(repr(row) == repr(rows[i % len(values)]) for i, row in enumerate(rows))
    for value in values if looks else ():
        assert value is None or connection.scalar(select(table.c.id).where(table.c.x == value).limit(1)) is not None
    return rows[: len(values)]


SPANS = [
    datetime.timedelta(0),
    datetime.timedelta(days=400, hours=5, microseconds=1),
    datetime.timedelta(days=-1, seconds=1),
    datetime.timedelta(microseconds=-1),
    None,
]
UUIDS = [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.UUID("12345678-1234-5678-1234-567812345678"), None]


# What the server has no equality of, or the peer gives parameters of another type.
UNCOMPARED = ["jsonpath"] + (["money", "tsvector", "tsquery", "timestamp without time zone"] if PEER else [])


@pytest.mark.parametrize(
    "type_, values, column",
    [
        (Uuid(), UUIDS, "uuid"),
        (Uuid(as_uuid=False), [str(value) for value in UUIDS[:3]] + [None], "uuid"),
        (Uuid(native_uuid=False), UUIDS, "character(32)"),
        (Interval(), SPANS, "interval"),
        (Interval(native=False), SPANS[:2] + [None], "timestamp without time zone"),
        (Interval(second_precision=0), [datetime.timedelta(seconds=5)], "interval(0)"),
        (postgresql.INTERVAL(fields="DAY TO SECOND", precision=3), [datetime.timedelta(milliseconds=5)],
         "interval day to second(3)"),
        (Enum(Mood), [Mood.SAD, Mood.FINE, None], "mood"),
        (Enum("a", "b'c", "", name="Odd Name"), ["a", "b'c", "", None], '"Odd Name"'),
        (Enum("a", "b", name="plain", native_enum=False), ["a", "b", None], "character varying(1)"),
        (AnyArray(Integer), [[], [1], [1, None, -3], [[1, 2], [3, 4]], [2**31 - 1], None], "integer[]"),
        (ARRAY(BigInteger), [[2**63 - 1, -(2**63)]], "bigint[]"),
        (ARRAY(String(20)), [["", "a,b", '"', "\\", "{}", "NULL", "null", " x ", "it's", "☃", None], []],
         "character varying(20)[]"),
        (ARRAY(Text, dimensions=2), [[["a", None], ["{", '"']]], "text[]"),
        (ARRAY(Float), [[0.1, -1e300, float("inf")]], "double precision[]"),
        (ARRAY(Numeric(20, 5)), [[Decimal("1.50000"), Decimal("-12345.00001"), None]], "numeric(20,5)[]"),
        (ARRAY(Boolean), [[True, False, None]], "boolean[]"),
        (ARRAY(Date), [[DAY, None]], "date[]"),
        (ARRAY(DateTime), [[NOON, None]], "timestamp without time zone[]"),
        (ARRAY(DateTime(timezone=True)), [[NOON.replace(tzinfo=UTC)]], "timestamp with time zone[]"),
        (ARRAY(Time), [[NOON.time()]], "time without time zone[]"),
        (ARRAY(Interval), [SPANS[:3]], "interval[]"),
        (ARRAY(Uuid), [UUIDS], "uuid[]"),
        (ARRAY(LargeBinary), [[b"", b"\x00\xff\\\"", None]], "bytea[]"),
        (ARRAY(Enum(Mood)), [[Mood.FINE, None, Mood.SAD]], "mood[]"),
        (ARRAY(Integer, as_tuple=True), [(1, 2), ()], "integer[]"),
        (ARRAY(postgresql.INET), [[ipaddress.ip_address("::1")]], "inet[]"),
        (ARRAY(postgresql.INT4RANGE), [[Range(1, 5), Range(empty=True)]], "int4range[]"),
        (postgresql.INT4RANGE(),
         [Range(1, 10), Range(None, 5), Range(7, None), Range(None, None), Range(empty=True), None], "int4range"),
        (postgresql.INT8RANGE(), [Range(-(2**63), 2**63 - 1)], "int8range"),
        (postgresql.NUMRANGE(), [Range(Decimal("1.5"), Decimal("2.25"), bounds="(]")], "numrange"),
        (postgresql.DATERANGE(), [Range(DAY, DAY + datetime.timedelta(days=1))], "daterange"),
        (postgresql.TSRANGE(), [Range(NOON, None, bounds="[)"), Range(None, NOON, bounds="()")], "tsrange"),
        (postgresql.TSTZRANGE(), [Range(NOON.replace(tzinfo=UTC), None)], "tstzrange"),
        (postgresql.INT4MULTIRANGE(), [MultiRange([Range(1, 2), Range(5, 9)]), MultiRange([])], "int4multirange"),
        (postgresql.TSMULTIRANGE(), [MultiRange([Range(NOON, None)])], "tsmultirange"),
        (postgresql.NUMMULTIRANGE(), [MultiRange([Range(Decimal("1"), Decimal("2"), bounds="[]")])], "nummultirange"),
        (postgresql.DATEMULTIRANGE(), [MultiRange([Range(DAY, None)])], "datemultirange"),
        (postgresql.INET(), [ipaddress.ip_address("10.0.0.1"), ipaddress.ip_interface("10.0.0.1/8"),
                             ipaddress.ip_address("2001:db8::1"), None], "inet"),
        (postgresql.CIDR(), [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")], "cidr"),
        (postgresql.MACADDR(), ["08:00:2b:01:02:03", None], "macaddr"),
        (postgresql.MACADDR8(), ["08:00:2b:01:02:03:04:05"], "macaddr8"),
        (postgresql.BIT(3), ["101", None], "bit(3)"),
        (postgresql.BIT(varying=True), ["", "10101"], "bit varying"),
        (postgresql.MONEY(), ["$12.50", "-$0.01"], "money"),
        (postgresql.OID(), [0, 2**32 - 1], "oid"),
        (postgresql.TSVECTOR(), ["'cat':3 'fat':2", ""], "tsvector"),
        (postgresql.TSQUERY(), ["'fat' & 'cat'"], "tsquery"),
        (postgresql.JSONPATH(), ['$."a"[*]'], "jsonpath"),
        (postgresql.TIMESTAMP(precision=0), [NOON.replace(microsecond=0)], "timestamp(0) without time zone"),
        (postgresql.TIME(timezone=True, precision=3), [datetime.time(1, 2, 3, 4000, UTC)], "time(3) with time zone"),
    ],
    ids=lambda part: part if type(part) is str else None,
)  # fmt: skip
def test_a_value_comes_back_from_a_column_of_its_type(connection, type_, values, column):
    back = stored(connection, type_, values, looks=column not in UNCOMPARED)
    shown = connection.scalar(
        text("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'kept'::regclass "
             "AND attname = 'x'".replace("::", "\\:\\:"))
    )  # fmt: skip
    assert back == values and (PEER or [type(value) for value in back] == [type(value) for value in values])
    assert shown == column


@pytest.mark.parametrize(
    "sql, value",
    [
        ("'{\"a\": [1, null]}'::json", {"a": [1, None]}),
        ("'[1, \"x\"]'::jsonb", [1, "x"]),
        ("'null'::jsonb", None),
        ("'12345678-1234-5678-1234-567812345678'::uuid", UUIDS[2]),
        ("'1 year 2 mons 3 days 04:05:06.7'::interval",
         datetime.timedelta(days=428, hours=4, minutes=5, seconds=6, milliseconds=700)),
        ("'-1 year -2 mons 3 days -04:05:06'::interval",
         datetime.timedelta(days=-422, hours=-4, minutes=-5, seconds=-6)),
        ("'{1,2,NULL}'::int[]", [1, 2, None]),
        ("'{{1,2},{3,4}}'::int8[]", [[1, 2], [3, 4]]),
        ("'[0:1]={1,2}'::int[]", [1, 2]),
        ("'{}'::text[]", []),
        ("'{\"a,b\",c}'::text[]", ["a,b", "c"]),
        ("'{1.50,NULL}'::numeric[]", [Decimal("1.50"), None]),
        ("'{t,f}'::bool[]", [True, False]),
        ("'{0.5,NaN}'::float8[]", "[0.5, nan]"),
        ("ARRAY['2024-02-29'::date]", [DAY]),
        ("ARRAY['{\"a\": 1}'::jsonb]", [{"a": 1}]),
        ("'10.0.0.1'::inet", ipaddress.ip_address("10.0.0.1")),
        ("'10.0.0.1/8'::inet", ipaddress.ip_interface("10.0.0.1/8")),
        ("'10.0.0.0/8'::cidr", ipaddress.ip_network("10.0.0.0/8")),
        ("'08:00:2b:01:02:03'::macaddr", "08:00:2b:01:02:03"),
        ("B'101'", "101"),
        ("'12.5'::money", "$12.50"),
        ("26::oid", 26),
    ],
)
def test_a_value_without_a_type_comes_as_the_server_knows_it(connection, sql, value):
    sql = sql.replace(":", "\\:")
    alone = connection.scalar(text(f"SELECT {sql}"))
    again = [connection.execute(text(f"SELECT {sql}, CAST(:n AS INTEGER)"), {"n": n}).first()[0] for n in range(3)]
    if type(value) is str and value.startswith("["):
        assert repr(alone) == value and {repr(one) for one in again} == {value}
    else:
        assert alone == value and type(alone) is type(value) and again == [value] * 3


@ours_only
def test_a_range_without_a_type_comes_as_a_range(connection):
    found = connection.execute(
        text("SELECT '[1,10)'\\:\\:int4range, '(,1.5]'\\:\\:numrange, 'empty'\\:\\:daterange, "
             "'{[1,2),[5,)}'\\:\\:int8multirange, ARRAY['[1,2)'\\:\\:int4range]")
    ).first()  # fmt: skip
    assert found == (
        Range(1, 10), Range(None, Decimal("1.5"), bounds="(]"), Range(empty=True),
        MultiRange([Range(1, 2), Range(5, None)]), [Range(1, 2)],
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [uuid.UUID(int=5), datetime.timedelta(days=2, seconds=1), [1, 2, None], [[1], [2]], [1.5],
     [True, None], [DAY], ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("10.0.0.0/8")],
)  # fmt: skip
def test_a_parameter_without_a_type_has_its_own(connection, value):
    assert connection.scalar(text("SELECT :value"), {"value": value}) == value


def test_a_list_can_be_looked_in(connection):
    numbers = connection.scalars(
        text("SELECT n FROM generate_series(1, 9) n WHERE n = ANY(:wanted) ORDER BY n"), {"wanted": [2, 5, 77]}
    )
    assert numbers.all() == [2, 5]
    words = connection.scalars(
        text("SELECT w FROM unnest(CAST(:words AS TEXT[])) w WHERE w = ANY(:wanted)"),
        {"words": ["a", "b"], "wanted": ["b", "c"]},
    )
    assert words.all() == ["b"]


# ---- enumerations


def types_there(connection):
    return connection.scalars(
        text("SELECT n.nspname || '.' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace "
             "WHERE t.typtype = 'e' ORDER BY 1")
    ).all()  # fmt: skip


def test_an_enumeration_is_created_and_dropped_with_its_tables(engine):
    metadata = MetaData()
    mood = Enum(Mood)
    Table("one", metadata, Column("id", Integer, primary_key=True), Column("mood", mood))
    Table("two", metadata, Column("id", Integer, primary_key=True), Column("moods", ARRAY(Enum(Mood))))
    Table("own", metadata, Column("x", ENUM("a", name="by_hand", create_type=False)), Column("y", Integer))
    by_hand = ENUM("a", name="by_hand")
    with engine.begin() as connection:
        by_hand.create(connection)
        by_hand.create(connection)
        metadata.create_all(connection)
        metadata.create_all(connection)
        assert types_there(connection) == ["public.by_hand", "public.mood"]
        metadata.drop_all(connection)
        assert types_there(connection) == ["public.by_hand"]
        by_hand.drop(connection)
        by_hand.drop(connection)
        assert types_there(connection) == []
        with pytest.raises(exc.ProgrammingError):
            by_hand.drop(connection, checkfirst=False)


def test_a_table_alone_creates_its_enumeration_and_leaves_it(engine):
    table = Table("one", MetaData(), Column("mood", Enum(Mood)))
    with engine.begin() as connection:
        table.create(connection)
        table.drop(connection)
        assert types_there(connection) == ["public.mood"]
        table.create(connection)


def test_an_enumeration_lives_in_a_schema(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA elsewhere"))
        metadata = MetaData()
        table = Table("t", metadata, Column("id", Integer, primary_key=True),
                      Column("mood", Enum(Mood, inherit_schema=True)),
                      Column("kind", Enum("x", name="kind", schema="public")), schema="elsewhere")  # fmt: skip
        metadata.create_all(connection)
        assert types_there(connection) == ["elsewhere.mood", "public.kind"]
        connection.execute(insert(table).values(mood=Mood.FINE, kind="x"))
        assert connection.execute(select(table.c.mood, table.c.kind)).one() == (Mood.FINE, "x")


def test_an_enumeration_of_the_metadata_is_its_own(engine):
    metadata = MetaData()
    Enum("a", "b", name="lonely", metadata=metadata)
    with engine.begin() as connection:
        metadata.create_all(connection)
        assert types_there(connection) == ["public.lonely"]
        metadata.drop_all(connection)
        assert types_there(connection) == []


def test_an_enumeration_needs_a_name(engine):
    with pytest.raises(exc.CompileError, match="PostgreSQL ENUM type requires a name"):
        MetaData().create_all(engine)
        Table("t", MetaData(), Column("x", Enum("a"))).create(engine)


def test_what_is_none_of_an_enumeration_is_refused(connection):
    table = Table("t", MetaData(), Column("x", Enum("a", name="letters")))
    table.create(connection)
    connection.commit()
    with pytest.raises(exc.DataError):
        connection.execute(insert(table).values(x="q"))
    connection.rollback()
    with pytest.raises(exc.StatementError) as refused:
        connection.execute(insert(table).values(x=5))
    assert isinstance(refused.value.__cause__ or refused.value.orig, LookupError)


def test_a_check_stands_where_there_is_no_type(engine):
    native = Enum("a", name="kind", create_constraint=True)
    table = Table("t", MetaData(), Column("x", native),
                  Column("y", Enum("b", name="other", native_enum=False, create_constraint=True)))  # fmt: skip
    table.create(engine)
    assert [check["name"] for check in inspect(engine).get_check_constraints("t")] == ["other"]


# ---- arrays


@pytest.fixture
def boxes(connection):
    table = Table("boxes", MetaData(), Column("id", Integer, primary_key=True), Column("numbers", ARRAY(Integer)),
                  Column("words", ARRAY(Text)))  # fmt: skip
    table.create(connection)
    connection.execute(
        insert(table),
        [{"id": 1, "numbers": [1, 2, 3], "words": ["a"]}, {"id": 2, "numbers": [3, 4], "words": ["b", None]},
         {"id": 3, "numbers": [], "words": []}, {"id": 4, "numbers": None, "words": None}],
    )  # fmt: skip
    return table


def ids(connection, table, condition):
    return connection.scalars(select(table.c.id).where(condition).order_by(table.c.id)).all()


def test_arrays_are_compared(connection, boxes):
    numbers = boxes.c.numbers
    assert ids(connection, boxes, numbers == [3, 4]) == [2]
    assert ids(connection, boxes, numbers.contains([3])) == [1, 2]
    assert ids(connection, boxes, numbers.contained_by([1, 2, 3, 9])) == [1, 3]
    assert ids(connection, boxes, numbers.overlap([4, 1])) == [1, 2]
    assert ids(connection, boxes, any_(numbers) == 4) == [2]
    assert ids(connection, boxes, literal(2) < any_(numbers)) == [1, 2]
    assert ids(connection, boxes, boxes.c.words.contains(["b"])) == [2]
    assert ids(connection, boxes, numbers[1] == 1) == [1]
    assert ids(connection, boxes, func.cardinality(numbers) == 0) == [3]
    assert ids(connection, boxes, numbers.is_(None)) == [4]


@pytest.mark.filterwarnings("ignore")
def test_any_and_all_of_an_array(connection, boxes):
    import operator

    assert ids(connection, boxes, boxes.c.numbers.any(3)) == [1, 2]
    assert ids(connection, boxes, boxes.c.numbers.all(5, operator=operator.gt)) == [1, 2, 3]


def test_parts_of_arrays(connection, boxes):
    numbers = boxes.c.numbers
    parts = connection.execute(select(numbers[2], numbers[2:3], numbers + [9]).where(boxes.c.id == 1)).one()
    assert parts == (2, [2, 3], [1, 2, 3, 9])
    zero = type_coerce(numbers, ARRAY(Integer, zero_indexes=True))
    assert connection.execute(select(zero[0], zero[0:1]).where(boxes.c.id == 1)).one() == (1, [1, 2])
    grid = array([array([1, 2]), array([3, 4])])
    assert connection.scalar(select(type_coerce(grid, ARRAY(Integer, dimensions=2))[2][1])) == 3


def test_an_item_of_an_array_is_changed(connection, boxes):
    connection.execute(boxes.update().where(boxes.c.id == 1).values({boxes.c.numbers: boxes.c.numbers + array([4])}))
    assert connection.scalar(select(boxes.c.numbers).where(boxes.c.id == 1)) == [1, 2, 3, 4]


def test_arrays_are_written_and_gathered(connection, boxes):
    assert connection.scalar(select(array([1, 2]) + array([3]))) == [1, 2, 3]
    assert connection.scalar(select(array([], type_=Integer))) == []
    assert connection.scalar(select(array(["x", literal("y")]))) == ["x", "y"]
    assert connection.scalar(select(func.array_agg(boxes.c.id))) == [1, 2, 3, 4]
    assert connection.scalar(select(array_agg(boxes.c.id)[1:2])) == [1, 2]
    assert connection.scalars(select(func.unnest(boxes.c.numbers)).where(boxes.c.id == 1)).all() == [1, 2, 3]


Base = declarative_base()


class Shelf(Base):
    __tablename__ = "shelves"
    id = Column(Uuid, primary_key=True, default=uuid.uuid4)
    tags = Column(ARRAY(String(10)))
    mood = Column(Enum(Mood))
    span = Column(Interval)
    during = Column(postgresql.DATERANGE)


def test_objects_keep_such_values(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        shelf = Shelf(tags=["a"], mood=Mood.FINE, span=SPANS[1], during=Range(DAY, None))
        session.add_all([shelf, *(Shelf(tags=[str(i)]) for i in range(20))])
        session.commit()
        key = shelf.id
        assert (shelf.tags, shelf.mood, shelf.span, shelf.during) == (["a"], Mood.FINE, SPANS[1], Range(DAY, None))
        assert session.get(Shelf, key) is shelf
        assert session.scalars(select(Shelf).where(Shelf.id == key)).one() is shelf
        shelf.tags = ["a", "b"]
        shelf.mood = Mood.SAD
        session.commit()
        assert session.scalars(select(Shelf).where(Shelf.tags.contains(["b"]))).one() is shelf
        assert session.scalars(select(Shelf.mood).where(Shelf.tags[2] == "b")).one() is Mood.SAD
        assert session.scalars(select(Shelf).where(Shelf.during.contains(DAY))).one() is shelf
        assert session.query(Shelf).filter(Shelf.id.in_([key])).one() is shelf
        with statements_of(engine) as sent:
            session.commit()
        assert sent == []


# ---- ranges


def test_ranges_are_compared(connection):
    table = Table("r", MetaData(), Column("id", Integer, primary_key=True), Column("x", postgresql.INT4RANGE))
    table.create(connection)
    connection.execute(insert(table), [{"id": 1, "x": Range(1, 5)}, {"id": 2, "x": Range(5, None)},
                                       {"id": 3, "x": Range(empty=True)}])  # fmt: skip
    x = table.c.x
    assert ids(connection, table, x.contains(2)) == [1]
    assert ids(connection, table, x.contains(Range(6, 7))) == [2]
    assert ids(connection, table, x.contained_by(Range(0, 9))) == [1, 3]
    assert ids(connection, table, x.overlaps(Range(4, 6))) == [1, 2]
    assert ids(connection, table, x << Range(9, 10)) == [1]
    assert ids(connection, table, x >> Range(0, 2)) == [2]
    assert ids(connection, table, x.adjacent_to(Range(5, 6))) == [1]
    assert ids(connection, table, x.not_extend_right_of(Range(0, 5))) == [1]
    assert connection.scalar(select(x * Range(2, 3)).where(table.c.id == 1)) == Range(2, 3)
    assert connection.scalar(select(x + Range(5, 8)).where(table.c.id == 1)) == Range(1, 8)
    assert connection.scalar(select(func.lower(x)).where(table.c.id == 1)) == 1


def test_addresses_are_compared(connection):
    table = Table("hosts", MetaData(), Column("id", Integer, primary_key=True), Column("x", postgresql.INET))
    table.create(connection)
    connection.execute(insert(table), [{"id": 1, "x": "10.0.0.1"}, {"id": 2, "x": ipaddress.ip_address("::1")}])
    assert ids(connection, table, table.c.x == "10.0.0.1") == [1]
    assert ids(connection, table, table.c.x.op("<<", is_comparison=True)("10.0.0.0/8")) == [1]


def test_hstore_is_a_dictionary(connection):
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS hstore"))
    table = Table("h", MetaData(), Column("id", Integer, primary_key=True), Column("x", postgresql.HSTORE))
    table.create(connection)
    pairs = [{}, {"a": "1", "b": None}, {'"': "\\", "": "NULL", "k=>": " , "}]
    for number, value in enumerate(pairs):
        connection.execute(insert(table).values(id=number, x=value))
    assert connection.scalars(select(table.c.x).order_by(table.c.id)).all() == pairs
    assert ids(connection, table, table.c.x.has_key("b")) == [1]
    assert ids(connection, table, table.c.x.contains({"a": "1"})) == [1]
    assert ids(connection, table, table.c.x["a"] == "1") == [1]
    assert connection.scalar(select(table.c.x.delete("a")).where(table.c.id == 1)) == {"b": None}
    assert connection.scalar(select(table.c.x.keys()).where(table.c.id == 1)) == ["a", "b"]


def test_citext_knows_no_case(connection):
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS citext"))
    table = Table("c", MetaData(), Column("id", Integer, primary_key=True), Column("x", postgresql.CITEXT))
    table.create(connection)
    connection.execute(insert(table).values(id=1, x="Hello"))
    assert connection.scalar(select(table.c.x).where(table.c.x == "hELLO")) == "Hello"


# ---- looking at columns


def test_types_are_read_from_the_catalogue(engine):
    metadata = MetaData()
    kinds = [
        Uuid(), Interval(), Enum(Mood), ARRAY(Integer), ARRAY(String(5)), ARRAY(Enum(Mood)), postgresql.INT4RANGE(),
        postgresql.TSTZMULTIRANGE(), postgresql.INET(), postgresql.CIDR(), postgresql.MACADDR(), postgresql.BIT(4),
        postgresql.BIT(9, varying=True), postgresql.MONEY(), postgresql.OID(), postgresql.TSVECTOR(), JSON(),
        postgresql.JSONB(), postgresql.TIMESTAMP(precision=3), postgresql.TIME(timezone=True, precision=0),
        postgresql.INTERVAL(fields="DAY TO SECOND", precision=3), ARRAY(Numeric(5, 2)),
    ]  # fmt: skip
    Table("t", metadata, *(Column(f"c{i}", kind) for i, kind in enumerate(kinds)))
    metadata.create_all(engine)
    read = Table("t", MetaData(), autoload_with=engine)
    dialect = postgresql.dialect()
    given = [flat(kind.compile(dialect=dialect)) for kind in kinds]
    assert [flat(column.type.compile(dialect=dialect)).upper() for column in read.c] == [name.upper() for name in given]
    assert read.c.c2.type.enums == ["SAD", "FINE"] and read.c.c5.type.item_type.enums == ["SAD", "FINE"]


# ---- points in time


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_a_moment_with_an_offset_is_shown_in_the_zone_of_the_session_where_none_is_kept(connection, zone):
    table = Table("moments", MetaData(), Column("id", Integer, primary_key=True), Column("x", DateTime),
                  Column("y", DateTime(timezone=True)))  # fmt: skip
    table.create(connection)
    connection.execute(text(f"SET TIME ZONE '{zone}'"))
    noon = datetime.datetime(2024, 7, 1, 12, 0)
    moment = noon.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    local = moment.astimezone(UTC).replace(tzinfo=None) + datetime.timedelta(hours=0 if zone == "UTC" else 2)
    for value in (moment, noon, moment):
        connection.execute(insert(table).values(x=value, y=moment))
    connection.execute(insert(table), [{"x": value, "y": moment} for value in (noon, moment) * 10])
    found = connection.scalars(select(table.c.x).order_by(table.c.id)).all()
    assert found == [local, noon, local, *(noon, local) * 10]
    assert set(connection.scalars(select(table.c.y))) == {moment}
    assert len(ids(connection, table, table.c.x == moment)) == 12
    assert len(ids(connection, table, table.c.x == noon)) == 11
