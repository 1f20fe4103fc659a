"""What is PostgreSQL's own: how values travel, errors, failed transactions, batches, cancelling, lost connections."""

import datetime
import decimal
import math
import os
import signal
import threading
import uuid

import pytest
from cormorant import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    SmallInteger,
    String,
    Table,
    Time,
    Uuid,
    create_engine,
    exc,
    func,
    insert,
    inspect,
    literal,
    make_url,
    select,
    text,
)
from cormorant.dialects import postgresql
from cormorant.orm import Session, declarative_base
from cormorant.orm.exc import FlushError
from cormorant.schema import CreateTable
from cormorant.types import JSON, UUID
from support import flat

pytestmark = pytest.mark.database("postgresql")


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        yield connection


NOON = datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)
VALUES = [
    (SmallInteger, [-(2**15), 2**15 - 1]),
    (Integer, [-(2**31), 2**31 - 1]),
    (BigInteger, [-(2**63), 2**63 - 1]),
    (Float, [0.1, -1.7976931348623157e308, 5e-324, math.inf, -math.inf]),
    (
        Numeric(40, 20),
        [decimal.Decimal(text) for text in ("0E-20", "-12345678901234567890.12345678901234567890", "0.1")],
    ),
    (Numeric, [decimal.Decimal(text) for text in ("1E+30", "-0.000000000001", "100000000", "9999.0001", "-10000")]),
    (String, ["", "snow ☃", "'quotes' \\ and %s"]),
    (LargeBinary, [b"", bytes(range(256))]),
    (Boolean, [True, False]),
    (Date, [datetime.date.min, datetime.date(1999, 12, 31), datetime.date.max]),
    (Time, [datetime.time.min, datetime.time.max]),
    (DateTime, [datetime.datetime.min, NOON, datetime.datetime.max]),
    (DateTime(timezone=True), [NOON.replace(tzinfo=datetime.timezone.utc)]),
    (JSON, [{"a": [1, None, "x"]}, [], "text"]),
    (postgresql.JSONB, [{"a": [1, None, "x"]}]),
    (UUID, [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)]),
]


@pytest.mark.parametrize("type_, values", VALUES, ids=[repr(type_) for type_, _ in VALUES])
def test_values_travel_exactly_as_texts_and_in_binary_form(engine, type_, values):
    table = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("value", type_))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table), [{"id": at, "value": value} for at, value in enumerate(values)])
        connection.execute(insert(table), {"id": 99, "value": None})
        found = select(table.c.value).order_by(table.c.id)
        texts = connection.scalars(found).all()  # the first execution
        binary = connection.scalars(found).all()  # those that follow
    assert texts == binary == [*values, None]
    assert [type(value) for value in texts] == [type(value) for value in binary]


def test_not_a_number_is_one(connection):
    for _ in range(2):
        assert math.isnan(connection.scalar(select(literal(math.nan))))
        assert connection.scalar(text("SELECT numeric 'NaN'")).is_nan()


def test_a_point_in_time_is_shown_in_the_sessions_time_zone(connection):
    moment = datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone.utc)
    for zone, hours in (("UTC", 0), ("Asia/Kolkata", 5.5)):
        connection.execute(text("SELECT set_config('timezone', :zone, false)"), {"zone": zone})
        for _ in range(2):
            shown = connection.scalar(select(literal(moment, DateTime(timezone=True))))
            assert shown == moment and shown.utcoffset() == datetime.timedelta(hours=hours)


def test_what_python_has_no_date_for_is_a_data_error(connection):
    for value in ("infinity", "-infinity", "10000-01-01", "0044-03-15 BC"):
        for kind in ("date", "timestamp"):
            with pytest.raises(exc.DataError):
                connection.execute(text(f"SELECT {kind} '{value}'")).all()


def test_untyped_parameters_have_the_types_of_their_values(connection):
    values = [5, 2**40, 1.5, True, "x", None, decimal.Decimal("1.5"), datetime.date(2020, 1, 1), b"x", 7]
    for value in [*values, *reversed(values)]:
        found = connection.scalar(text("SELECT :x"), {"x": value})
        assert found == value and type(found) is type(value)
    assert connection.scalar(text("SELECT :x + :y"), {"x": 1, "y": 2}) == 3
    connection.execute(text("CREATE TEMP TABLE t (a int, b text, c float)"))
    rows = [{"a": 1, "b": "x", "c": 1}, {"a": None, "b": None, "c": 2.5}, {"a": 2**31 - 1, "b": "y", "c": 3}]
    connection.execute(text("INSERT INTO t VALUES (:a, :b, :c)"), rows)
    assert [row._asdict() for row in connection.execute(text("SELECT * FROM t"))] == rows


def test_sql_is_read_as_the_server_reads_it(connection):
    for sql, value in [
        ("SELECT '$1; $2' || $1", "$1; $2x"),
        ('SELECT $1 AS "a;$2"', "x"),
        ("SELECT $q$it's; $2$q$ || $1 /* ; $3 /* nested */ $4 */ -- ; $5", "it's; $2x"),
        (r"SELECT E'\'; $2' || $1;  ", "'; $2x"),
    ]:
        assert connection.exec_driver_sql(sql, ("x",)).scalar() == value


def test_several_statements_run_together_without_parameters_only(connection):
    assert connection.execute(text("SELECT 1; SELECT 2 AS b")).one().b == 2
    with pytest.raises(exc.ProgrammingError, match="several statements with parameters"):
        connection.execute(text("SELECT :x; SELECT 2"), {"x": 1})


ERRORS = [
    ("SELECT * FROM nowhere", exc.ProgrammingError, "42P01"),
    ("SELECT nothing", exc.ProgrammingError, "42703"),
    ("SELEKT 1", exc.ProgrammingError, "42601"),
    ("SELECT 1 / 0", exc.DataError, "22012"),
    ("SELECT CAST('x' AS int)", exc.DataError, "22P02"),
    ("INSERT INTO p VALUES (1)", exc.IntegrityError, "23505"),
    ("INSERT INTO c VALUES (1, 5)", exc.IntegrityError, "23503"),
    ("INSERT INTO p VALUES (NULL)", exc.IntegrityError, "23502"),
    ("DO 'BEGIN RAISE EXCEPTION ''no''; END'", exc.ProgrammingError, "P0001"),
    ("SAVEPOINT a; ROLLBACK TO b", exc.InternalError, "3B001"),
    ("CREATE DATABASE x", exc.InternalError, "25001"),
    ("SELECT pg_terminate_backend(pg_backend_pid())", exc.OperationalError, "57P01"),
]


@pytest.mark.parametrize("sql, kind, state", ERRORS, ids=[state for _, _, state in ERRORS])
def test_errors_have_the_class_of_their_state(connection, sql, kind, state):
    connection.execute(text("CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1)"))
    connection.execute(text("CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p)"))
    with pytest.raises(exc.DBAPIError) as caught:
        connection.execute(text(sql))
    assert caught.value.orig.sqlstate == caught.value.orig.pgcode == state
    if state != "3B001":
        assert type(caught.value) is kind


def test_an_error_carries_what_the_server_said_beside_it(connection):
    connection.execute(text("CREATE TABLE p (id int CONSTRAINT only_one PRIMARY KEY)"))
    with pytest.raises(exc.IntegrityError) as caught:
        connection.execute(text("INSERT INTO p VALUES (1), (1)"))
    said = caught.value.orig.diag
    assert (said.schema_name, said.table_name, said.constraint_name) == ("public", "p", "only_one")
    assert said.message_detail == "Key (id)=(1) already exists." and said.severity == "ERROR"
    assert said.message_primary == 'duplicate key value violates unique constraint "only_one"'


def test_a_failed_transaction_says_so_until_it_is_rolled_back(connection):
    with pytest.raises(exc.ProgrammingError):
        connection.execute(text("SELECT nothing"))
    with pytest.raises(exc.InternalError, match="current transaction is aborted"):
        connection.execute(text("SELECT 1"))
    connection.rollback()
    with connection.begin():
        with pytest.raises(exc.ProgrammingError), connection.begin_nested():
            connection.execute(text("SELECT nothing"))
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_statement_survives_a_change_of_its_table(engine):
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (a int)"))
        connection.execute(text("INSERT INTO t VALUES (1)"))
        for _ in range(2):
            assert connection.execute(text("SELECT * FROM t")).all() == [(1,)]
        connection.commit()
        connection.execute(text("ALTER TABLE t ADD COLUMN b text DEFAULT 'x'"))
        connection.commit()
        with pytest.raises(exc.NotSupportedError, match="cached plan"):
            connection.execute(text("SELECT * FROM t"))
        connection.rollback()
        assert connection.execute(text("SELECT * FROM t")).all() == [(1, "x")]
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with alone.connect() as connection:
        assert connection.execute(text("SELECT * FROM t")).all() == [(1, "x")]
        assert connection.execute(text("SELECT * FROM t")).all() == [(1, "x")]
        connection.execute(text("ALTER TABLE t DROP COLUMN b"))
        assert connection.execute(text("SELECT * FROM t")).all() == [(1,)]


def test_many_statements_come_and_go_on_one_connection(connection):
    for number in range(600):
        assert connection.scalar(text(f"SELECT {number} + :x"), {"x": 1}) == number + 1
    assert connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) <= 258


def test_without_preparing_nothing_is_left_on_the_server(database_url):
    engine = create_engine(database_url, connect_args={"prepare_threshold": None})
    with engine.connect() as connection:
        for _ in range(3):
            assert connection.execute(select(literal(5), literal("x"))).one() == (5, "x")
        assert connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0
    engine.dispose()


class World:
    Base = declarative_base()

    class Item(Base):
        __tablename__ = "items"
        id = Column(Integer, primary_key=True)
        name = Column(String(10))


def test_a_long_batch_gives_each_object_its_key(engine):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        items = [World.Item(name=str(number)) for number in range(3000)]
        session.add_all(items)
        session.flush()
        rows = dict(session.execute(text("SELECT name, id FROM items")).all())
        assert [item.id for item in items] == [rows[item.name] for item in items]


def test_the_row_of_a_batch_that_failed_is_named(connection):
    connection.execute(text("CREATE TABLE t (a int CHECK (a < 700))"))
    with pytest.raises(exc.IntegrityError, match=r"set 701 of 1000") as caught:
        connection.execute(text("INSERT INTO t VALUES (:a)"), [{"a": number} for number in range(1000)])
    assert "(700,)" in str(caught.value)
    connection.rollback()
    assert connection.scalar(text("SELECT 1")) == 1


def interrupt_when_asleep(engine, pid):
    """Send SIGINT to this process as soon as the server runs the query of a backend."""
    running = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid AND wait_event = 'PgSleep'")
    with engine.connect() as watcher:
        while watcher.scalar(running, {"pid": pid}) == 0:
            watcher.rollback()
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_stops_a_query_and_keeps_the_connection(engine, connection):
    pid = connection.scalar(text("SELECT pg_backend_pid()"))
    watcher = threading.Thread(target=interrupt_when_asleep, args=(engine, pid))
    watcher.start()
    with pytest.raises(KeyboardInterrupt):
        connection.execute(text("SELECT pg_sleep(60)"))
    watcher.join()
    connection.rollback()
    assert connection.scalar(text("SELECT pg_backend_pid()")) == pid


def test_a_connection_that_the_server_ended_is_not_used_again(engine):
    with engine.connect() as connection, engine.connect() as other:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.rollback()
        other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.connection_invalidated
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != pid


def test_urls_take_other_drivers_names_and_keep_their_password(database_url):
    for name in ("postgresql", "postgresql+psycopg2", "postgresql+psycopg", "postgresql+libpq"):
        engine = create_engine(database_url.set(drivername=name))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        assert database_url.password not in repr(engine)
        engine.dispose()
    with pytest.raises(exc.NoSuchModuleError, match="asyncio is not supported yet"):
        create_engine("postgresql+asyncpg://x")
    with pytest.raises(exc.ProgrammingError, match='invalid connection option "nonsense"'):
        create_engine(database_url.set(query={"nonsense": "1"})).connect()
    with pytest.raises(exc.OperationalError) as caught:
        create_engine(database_url.set(password="wrong secret")).connect()
    assert "wrong secret" not in str(caught.value)


def test_several_hosts_are_tried_in_turn(database_url):
    at = f"127.0.0.1:{database_url.port}"
    engine = create_engine(database_url._replace(host=None, port=None, query={"host": ("127.0.0.1:1", at)}))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    assert make_url("postgresql://u:p%40s@[::1]:5432/d%2Fb").password == "p@s"


def test_create_table_is_spelled_as_postgresql_wants_it():
    things = Table(
        "things", MetaData(), Column("id", BigInteger, primary_key=True), Column("moment", DateTime),
        Column("user", String),
        Column("data", LargeBinary), Column("made", DateTime(timezone=True), server_default=func.now()),
    )  # fmt: skip
    assert flat(CreateTable(things).compile(dialect=postgresql.dialect())) == (
        "CREATE TABLE things ( id BIGSERIAL NOT NULL, moment TIMESTAMP WITHOUT TIME ZONE, "
        '"user" VARCHAR, data BYTEA, made TIMESTAMP WITH TIME ZONE DEFAULT now(), PRIMARY KEY (id) )'
    )


STATEMENTS = [
    (lambda t: select(t.c.a).limit(5).offset(3),
     "SELECT t.a FROM t LIMIT %(param_1)s::INTEGER OFFSET %(param_2)s::INTEGER"),
    (lambda t: select(t.c.a).offset(3), "SELECT t.a FROM t LIMIT ALL OFFSET %(param_1)s::INTEGER"),
    (lambda t: insert(t).values(b="x"), "INSERT INTO t (b) VALUES (%(b)s::VARCHAR) RETURNING t.a"),
    (lambda t: select(t.c.a / 2, t.c.a // 2, t.c.a % 2),
     "SELECT t.a / CAST(%(a_1)s::INTEGER AS NUMERIC) AS anon_1, t.a / %(a_2)s::INTEGER AS anon_2, "
     "t.a %% %(a_3)s::INTEGER AS anon_3 FROM t"),
    (lambda t: select(t.c.b).where(t.c.b.ilike("x%")), "SELECT t.b FROM t WHERE t.b ILIKE %(b_1)s::VARCHAR"),
    (lambda t: select(t.c.b).where(t.c.b.icontains("x")),
     "SELECT t.b FROM t WHERE (t.b ILIKE '%%' || %(b_1)s::VARCHAR || '%%')"),
    (lambda t: select(t.c.b).where(~t.c.b.regexp_match("x")), "SELECT t.b FROM t WHERE t.b !~ %(b_1)s::VARCHAR"),
    (lambda t: select(t.c.a).where(t.c.b.is_distinct_from(None)), "SELECT t.a FROM t WHERE t.b IS DISTINCT FROM NULL"),
    (lambda t: select(t.c.a).with_for_update(skip_locked=True), "SELECT t.a FROM t FOR UPDATE SKIP LOCKED"),
]  # fmt: skip


@pytest.mark.parametrize("make, sql", STATEMENTS, ids=[sql for _, sql in STATEMENTS])
def test_statements_are_spelled_as_programs_on_psycopg_know_them(make, sql):
    table = Table("t", MetaData(), Column("a", Integer, primary_key=True), Column("b", String))
    assert flat(make(table).compile(dialect=postgresql.dialect())) == sql


def test_the_inspector_sees_what_was_created(engine):
    metadata = MetaData()
    Table("a", metadata, Column("id", BigInteger, primary_key=True), Column("n", Numeric(10, 2), nullable=False),
          Column("s", String(7), unique=True, server_default="x"))  # fmt: skip
    Table("b", metadata, Column("id", Integer, primary_key=True),
          Column("a_id", ForeignKey("a.id", ondelete="CASCADE"), index=True))  # fmt: skip
    metadata.create_all(engine)
    found = inspect(engine)
    for _ in range(2):
        columns = {column["name"]: column for column in found.get_columns("a")}
        assert [repr(column["type"]) for column in columns.values()] == [
            "BIGINT()", "NUMERIC(precision=10, scale=2)", "VARCHAR(length=7)"]  # fmt: skip
        assert columns["id"]["autoincrement"] and not columns["n"]["nullable"] and "x" in columns["s"]["default"]
        assert found.get_pk_constraint("a") == {
            "constrained_columns": ["id"], "name": "a_pkey", "comment": None,
            "dialect_options": {"postgresql_include": []},
        }  # fmt: skip
        (key,) = found.get_foreign_keys("b")
        assert key["referred_table"] == "a" and key["options"] == {"ondelete": "CASCADE"}
        assert [index["name"] for index in found.get_indexes("b")] == ["ix_b_a_id"]
        assert [one["column_names"] for one in found.get_unique_constraints("a")] == [["s"]]
    with pytest.raises(exc.NoSuchTableError):
        found.get_columns("nothing")


def keys_are_those_of_the_rows(session, items):
    rows = dict(session.execute(text("SELECT name, id FROM items")).all())
    return {item.name: item.id for item in items} == {item.name: rows[item.name] for item in items}


MANY = 1100  # rows of a batch that has a round trip of its own; FEW go behind other batches, without waiting
FEW = 40
TRIGGER = """
    CREATE FUNCTION upset() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} END $$;
    CREATE TRIGGER upset BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION upset()
"""


@pytest.mark.parametrize("count", [FEW, MANY])
def test_rows_inserted_together_are_few_statements(engine, count):
    World.Base.metadata.create_all(engine)
    with engine.connect() as connection, Session(connection) as session:
        for _ in range(2):  # the first looks whether keys come in order
            items = [World.Item(name=str(number)) for number in range(count)]
            session.add_all(items)
            session.flush()
        prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT%unnest(%'"
        assert connection.scalar(text(prepared)) == 1
        assert connection.scalar(text("SELECT count(DISTINCT cmin::text || xmin::text) FROM items")) <= 2
        session.commit()


@pytest.mark.parametrize("count", [FEW, MANY])
def test_rows_with_values_of_the_server_are_few_statements_too(engine, count):
    Base = declarative_base()

    class Job(Base):
        __tablename__ = "jobs"
        id = Column(Integer, Sequence("job_numbers", metadata=Base.metadata), primary_key=True)
        name = Column(String(10))
        made = Column(DateTime, default=func.now())
        state = Column(String(10), server_default="new")
        size = Column(Integer, Computed("length(name)", persisted=True))
        place = Column(Integer, Identity())

    Base.metadata.create_all(engine)
    with engine.connect() as connection, Session(connection) as session:
        for _ in range(2):
            jobs = [Job(name="x" * (number % 9)) for number in range(count)]
            session.add_all(jobs)
            session.flush()
            assert [job.size for job in jobs] == [number % 9 for number in range(count)]
            assert {job.state for job in jobs} == {"new"}
            assert [job.place for job in jobs] == list(range(jobs[0].place, jobs[0].place + count))
            rows = dict(session.execute(text("SELECT id, name FROM jobs")).all())
            assert all(rows[job.id] == job.name for job in jobs)
        assert connection.scalar(text("SELECT count(DISTINCT cmin::text || xmin::text) FROM jobs")) <= 2
        session.commit()


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_trigger_that_gives_keys_of_its_own_is_noticed(engine, count):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(text(TRIGGER.format("NEW.id := hashtext(NEW.name); RETURN NEW;")))
        items = [World.Item(name=str(number)) for number in range(count)]
        session.add_all(items)
        session.commit()
        assert keys_are_those_of_the_rows(session, items)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_trigger_that_comes_later_is_an_error(engine, count):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([World.Item(name=str(number)) for number in range(count)])
        session.flush()
        session.execute(text(TRIGGER.format("NEW.id := hashtext(NEW.name); RETURN NEW;")))
        session.add_all([World.Item(name=f"b{number}") for number in range(count)])
        with pytest.raises(FlushError, match=f"keys of {count} new rows cannot be told"):
            session.flush()
        session.rollback()
        assert session.scalar(select(func.count()).select_from(World.Item)) == 0


def test_the_object_whose_row_is_refused_is_named(engine):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([World.Item(name=str(number)) for number in range(100)])
        session.commit()
        session.add_all([World.Item(name="x" * (11 if number == 70 else 1)) for number in range(100)])
        with pytest.raises(exc.DataError, match=r"'xxxxxxxxxxx',\) \(set 71 of 100\)"):
            session.flush()
        session.rollback()
        assert session.scalar(select(func.count()).select_from(World.Item)) == 100


def test_keys_that_no_sequence_gives_belong_to_their_rows(engine):
    Base = declarative_base()

    class Odd(Base):
        __tablename__ = "items"
        id = Column(Integer, primary_key=True, autoincrement=False, server_default=text("(random() * 2000000000)::int"))
        name = Column(String(10))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        items = [Odd(name=str(number)) for number in range(200)]
        session.add_all(items)
        session.commit()
        assert keys_are_those_of_the_rows(session, items)


@pytest.mark.parametrize("wrong", [None, 100, 9000, 9999])
def test_runs_of_rows_follow_each_other(engine, wrong):
    World.Base.metadata.create_all(engine)
    names = [str(number) for number in range(10_000)]
    with Session(engine) as session:
        session.add_all([World.Item(name="trusted") for _ in range(10)])
        session.flush()
        items = [World.Item(name="x" * 11 if number == wrong else name) for number, name in enumerate(names)]
        session.add_all(items)
        if wrong is None:
            session.flush()
            rows = dict(session.execute(select(World.Item.id, World.Item.name)).all())
            assert all(rows[item.id] == name for item, name in zip(items, names, strict=True))
        else:
            with pytest.raises(exc.DataError, match=rf"'xxxxxxxxxxx',\) \(set {wrong + 1} of 10000\)"):
                session.flush()
            session.rollback()
            assert session.scalar(select(func.count()).select_from(World.Item)) == 0


def test_rows_behind_one_that_is_refused_in_company_go_one_by_one(engine):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([World.Item(name="trusted") for _ in range(10)])
        session.flush()
        session.execute(
            text("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF (SELECT count(*) > 1 AND bool_or(name = '5000') FROM fresh) THEN
                    RAISE EXCEPTION 'alone'; END IF; RETURN NULL; END $$;
            CREATE TRIGGER refuse AFTER INSERT ON items REFERENCING NEW TABLE AS fresh
                FOR EACH STATEMENT EXECUTE FUNCTION refuse()""")
        )
        items = [World.Item(name=str(number)) for number in range(10_000)]
        session.add_all(items)
        session.flush()
        rows = dict(session.execute(select(World.Item.id, World.Item.name)).all())
        assert len(rows) == 10_010
        assert all(rows[item.id] == item.name for item in items)


BULK = {
    "session": lambda session, rows: session.execute(insert(World.Item), rows),
    "connection": lambda session, rows: session.connection().execute(insert(World.Item.__table__), rows),
    "mappings": lambda session, rows: session.bulk_insert_mappings(World.Item, rows),
    "objects": lambda session, rows: session.bulk_save_objects([World.Item(**row) for row in rows]),
}


@pytest.mark.parametrize("way", BULK)
def test_rows_whose_keys_nobody_asks_for_are_few_statements(engine, way):
    World.Base.metadata.create_all(engine)
    with Session(engine) as session:
        BULK[way](session, [{"name": str(number)} for number in range(MANY)])
        assert session.scalar(text("SELECT count(DISTINCT cmin::text || xmin::text) FROM items")) == 1
        assert session.scalars(select(World.Item.name).order_by(World.Item.id)).all() == [str(n) for n in range(MANY)]
        with pytest.raises(exc.DataError, match=r"'xxxxxxxxxxx',\) \(set 71 of 100\)"):
            BULK[way](session, [{"name": "x" * (11 if number == 70 else 1)} for number in range(100)])


KEYS = {
    "integer": (Integer, lambda number: number * 7 % 3001),
    "text": (String(40), lambda number: f'key "{number}", of (it)'),
    "uuid": (Uuid, lambda number: uuid.UUID(int=number * 7919)),
    "bytes": (LargeBinary, lambda number: b"\0key %d" % number),
    "moment": (DateTime, lambda number: datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=number)),
}


@pytest.mark.parametrize("count", [FEW, MANY])
@pytest.mark.parametrize("kind", KEYS)
def test_what_the_server_adds_to_rows_with_keys_of_the_program_is_theirs(engine, kind, count):
    Base = declarative_base()
    key_type, key_of = KEYS[kind]

    class Part(Base):
        __tablename__ = "parts"
        name = Column(String(10))
        key = Column("the (key), ", key_type, primary_key=True, autoincrement=False)
        state = Column(String(10), server_default="new")
        size = Column(Integer, Computed("length(name)", persisted=True))

    Base.metadata.create_all(engine)
    with engine.connect() as connection, Session(connection) as session:
        for turn in range(2):
            parts = [Part(key=key_of(turn * count + number), name="x" * (number % 9)) for number in range(count)]
            session.add_all(parts)
            session.flush()
            assert [(part.state, part.size) for part in parts] == [("new", len(part.name)) for part in parts]
        together = connection.scalar(text("SELECT count(DISTINCT cmin::text || xmin::text) FROM parts")) <= 2
        assert together == (kind != "moment")  # a moment is not compared
        session.commit()


def test_rows_whose_keys_a_trigger_changes_go_one_by_one(engine):
    Base = declarative_base()

    class Part(Base):
        __tablename__ = "items"
        key = Column(String(40), primary_key=True)
        size = Column(Integer, Computed("length(key)", persisted=True))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(text(TRIGGER.format("NEW.key := NEW.key || '!'; RETURN NEW;")))
        parts = [Part(key=f"{number}") for number in range(FEW)]
        session.add_all(parts)
        session.flush()
        assert [part.size for part in parts] == [len(f"{number}!") for number in range(FEW)]


def test_rows_inserted_together_hold_any_value(engine):
    Base = declarative_base()

    class Wide(Base):
        __tablename__ = "wide"
        id = Column(Integer, primary_key=True)
        a, b, c = Column(SmallInteger), Column(BigInteger), Column(Float)
        d, e, f = Column(Numeric(20, 5)), Column(String), Column(LargeBinary)
        g, h, i = Column(Boolean), Column(Date), Column(DateTime)
        j, k, m = Column(Time), Column(DateTime(timezone=True)), Column(UUID)

    names = "abcdefghijkm"
    zoned = NOON.replace(tzinfo=datetime.timezone.utc)
    row = (1, 2**40, 0.5, decimal.Decimal("-1.50000"), "{\"x', NULL", b"\0\xff", True, NOON.date(), NOON, NOON.time(),
           zoned, uuid.UUID(int=7))  # fmt: skip
    none = (None,) * len(names)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        rows = [row if number % 3 else none for number in range(40)] + [(*row[:8], NOON.replace(tzinfo=None), *row[9:])]
        objects = [Wide(**dict(zip(names, values))) for values in rows]
        session.add_all(objects)
        session.commit()
        session.expunge_all()
        back = session.scalars(select(Wide).order_by(Wide.id)).all()
        assert [tuple(getattr(one, name) for name in names) for one in back] == rows
