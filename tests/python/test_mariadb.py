"""What is MariaDB's own: how values travel, its errors, batches, cancelling, lost connections, URLs, isolation."""

import datetime
import os
import signal
import threading
from decimal import Decimal

import pytest
from cormorant import (
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    create_engine,
    exc,
    func,
    make_url,
    select,
    text,
)
from cormorant.orm import Session, declarative_base
from cormorant.orm.exc import StaleDataError

pytestmark = pytest.mark.database("mariadb")

Base = declarative_base()


class Thing(Base):
    __tablename__ = "things"
    id = Column(Integer, primary_key=True)
    name = Column(String(200))
    number = Column(Integer, unique=True)
    price = Column(Numeric(20, 6))
    data = Column(LargeBinary)
    moment = Column(DateTime)


@pytest.fixture
def things(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


# ---- values ----

VALUES = [
    ("TINYINT", "-128", -128),
    ("TINYINT UNSIGNED", "255", 255),
    ("SMALLINT UNSIGNED", "65535", 65535),
    ("MEDIUMINT", "-8388608", -8388608),
    ("INT UNSIGNED", "4294967295", 4294967295),
    ("BIGINT", "-9223372036854775808", -(2**63)),
    ("BIGINT UNSIGNED", "9223372036854775807", 2**63 - 1),
    ("BIGINT UNSIGNED", "18446744073709551615", 2**64 - 1),
    ("DECIMAL(65,30)", "-1.000000000000000000000000000001", Decimal("-1.000000000000000000000000000001")),
    ("FLOAT", "0.1", 0.1),
    ("DOUBLE", "1.7976931348623157e308", 1.7976931348623157e308),
    ("DATE", "'1000-01-01'", datetime.date(1000, 1, 1)),
    ("DATE", "'9999-12-31'", datetime.date(9999, 12, 31)),
    ("DATETIME(6)", "'9999-12-31 23:59:59.999999'", datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    ("DATETIME", "'2020-01-02'", datetime.datetime(2020, 1, 2)),
    ("TIMESTAMP(3)", "'2020-01-02 03:04:05.678'", datetime.datetime(2020, 1, 2, 3, 4, 5, 678000)),
    ("TIME", "'23:59:59'", datetime.time(23, 59, 59)),
    ("TIME(6)", "'00:00:00.000001'", datetime.time(0, 0, 0, 1)),
    ("TIME", "'-12:30:00'", datetime.timedelta(hours=-12, minutes=-30)),
    ("TIME(2)", "'838:59:59.25'", datetime.timedelta(hours=838, minutes=59, seconds=59, milliseconds=250)),
    ("YEAR", "2155", 2155),
    ("BIT(10)", "b'1000000001'", b"\x02\x01"),
    ("CHAR(3)", "'ü€𝄞'", "ü€𝄞"),
    ("LONGTEXT", "repeat('x', 70000)", "x" * 70000),
    ("VARBINARY(3)", "x'0027ff'", b"\x00'\xff"),
    ("LONGBLOB", "x''", b""),
    ("ENUM('a', 'b')", "'b'", "b"),
    ("SET('a', 'b')", "'a,b'", "a,b"),
    ("JSON", """'{"a": 1}'""", '{"a": 1}'),
    ("BOOL", "TRUE", 1),
    ("INT", "NULL", None),
]


@pytest.mark.parametrize(("kind", "literal", "value"), VALUES)
def test_a_value_is_the_same_in_the_binary_protocol_and_in_text(engine, kind, literal, value):
    with engine.begin() as connection:
        connection.execute(text("SET sql_mode = 'STRICT_ALL_TABLES'"))
        connection.exec_driver_sql(f"CREATE TABLE v (x {kind} NULL)")
        connection.exec_driver_sql(f"INSERT INTO v VALUES ({literal})")
        binary = connection.exec_driver_sql("SELECT x FROM v").scalar()
        as_text = connection.exec_driver_sql("EXECUTE IMMEDIATE 'SELECT x FROM v'").scalar()
    assert binary == value and type(binary) is type(value)
    assert as_text == value and type(as_text) is type(value)


def test_a_date_of_zeros_is_none(engine):
    with engine.begin() as connection:
        connection.execute(text("SET sql_mode = ''"))
        connection.exec_driver_sql("CREATE TABLE v (d DATE, m DATETIME)")
        connection.exec_driver_sql("INSERT INTO v VALUES ('0000-00-00', '2020-00-10 01:02:03')")
        assert connection.exec_driver_sql("SELECT d, m FROM v").one() == (None, None)
        assert connection.exec_driver_sql("EXECUTE IMMEDIATE 'SELECT d, m FROM v'").one() == (None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused(engine, value):
    with engine.connect() as connection, pytest.raises(exc.ProgrammingError, match="can not be used with MySQL"):
        connection.execute(text("SELECT :x"), {"x": value})


def test_the_rows_found_are_counted_not_the_rows_changed(things):
    things.add(Thing(id=1, name="same"))
    things.commit()
    assert things.execute(text("UPDATE things SET name = 'same'")).rowcount == 1


def test_a_table_may_change_between_two_executions(engine):
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE v (a INT)")
        connection.exec_driver_sql("INSERT INTO v VALUES (1)")
        assert connection.exec_driver_sql("SELECT * FROM v").all() == [(1,)]
        connection.exec_driver_sql("ALTER TABLE v ADD b VARCHAR(10) DEFAULT 'x'")
        assert connection.exec_driver_sql("SELECT * FROM v").all() == [(1, "x")]
        connection.exec_driver_sql("ALTER TABLE v DROP a")
        assert connection.exec_driver_sql("SELECT * FROM v").all() == [("x",)]


def test_several_results_are_read_at_once(engine):
    with engine.connect() as connection:
        first = connection.exec_driver_sql("SELECT seq FROM seq_1_to_1000")
        second = connection.exec_driver_sql("SELECT seq FROM seq_1_to_1000 ORDER BY seq DESC")
        assert [(next(first)[0], next(second)[0]) for _ in range(3)] == [(1, 1000), (2, 999), (3, 998)]
        assert connection.scalar(text("SELECT 1")) == 1
        assert len(first.all()) == len(second.all()) == 997


def test_more_parameters_than_the_protocol_counts_go_as_literals(engine):
    awkward = ["it's", 'a "word"', "back\\slash", "\\'; DROP TABLE t; -- ", "ü€𝄞", "nul\0inside", "?", "100%", ""]
    odd = [b"\x00\xff'\\", Decimal("-1.50"), 1e-7, datetime.datetime(2020, 1, 2, 3, 4, 5, 6), None, True, -(2**63)]
    with engine.connect() as connection:
        sql = "SELECT ?, '?', \"it's ?\", `a?`.x /* ? */ FROM (SELECT 1 AS x) AS `a?` -- ?\nWHERE 1 NOT IN ({})"
        for value in awkward + odd:
            rest = ["many"] * 70_000
            row = connection.exec_driver_sql(sql.format(", ".join("?" * len(rest))), (value, *rest)).one()
            assert row[0] == value and row[1:] == ("?", "it's ?", 1)
            if len(awkward + odd) > 20:
                break
        found = select(func.count()).where(bindparam("x", "many").in_(awkward * 10_000))
        assert connection.scalar(found) == 0


# ---- errors ----

ERRORS = [
    ("SELEKT 1", exc.ProgrammingError, 1064),
    ("SELECT * FROM nowhere", exc.ProgrammingError, 1146),
    ("SELECT nothing FROM things", exc.OperationalError, 1054),
    ("CREATE TABLE things (a INT)", exc.OperationalError, 1050),
    ("SELECT 1; SELECT 2", exc.ProgrammingError, 1064),
    ("INSERT INTO things (id) VALUES (1)", exc.IntegrityError, 1062),
    ("INSERT INTO things (id) VALUES (NULL), (1)", exc.IntegrityError, 1062),
    ("INSERT INTO parts (thing_id) VALUES (99)", exc.IntegrityError, 1452),
    ("INSERT INTO parts (thing_id) VALUES (NULL)", exc.IntegrityError, 1048),
    ("DELETE FROM things", exc.IntegrityError, 1451),
    ("INSERT INTO things (name) VALUES (repeat('x', 201))", exc.DataError, 1406),
    ("INSERT INTO things (number) VALUES (99999999999)", exc.DataError, 1264),
    ("INSERT INTO things (number) VALUES ('many')", exc.OperationalError, 1366),
    ("UPDATE parts SET amount = -1", exc.OperationalError, 4025),
    ("CREATE TABLE x (a INT) ENGINE=nothing", exc.NotSupportedError, 1286),
    ("SELECT sleep()", exc.OperationalError, 1582),
]


@pytest.mark.parametrize(("sql", "error", "code"), ERRORS)
def test_a_mistake_has_the_class_and_the_code_that_programs_know(things, sql, error, code):
    things.execute(text("CREATE TABLE parts (thing_id INT NOT NULL, amount INT CHECK (amount > 0), "
                        "FOREIGN KEY (thing_id) REFERENCES things (id)) ENGINE=InnoDB"))  # fmt: skip
    things.add(Thing(id=1))
    things.flush()
    things.execute(text("INSERT INTO parts (thing_id, amount) VALUES (1, 1)"))
    with pytest.raises(error) as caught:
        things.execute(text(sql))
    assert caught.value.orig.args[0] == code and type(caught.value.orig).__name__ == error.__name__
    assert str(caught.value).startswith(f"(MySQLdb.{error.__name__}) ({code}, ")
    things.rollback()


def test_a_deadlock_is_told_and_the_others_work_goes_on(file_engine):
    Base.metadata.create_all(file_engine)
    with Session(file_engine) as one, Session(file_engine) as other:
        one.add_all([Thing(id=1), Thing(id=2)])
        one.commit()
        one.execute(text("UPDATE things SET name = 'a' WHERE id = 1"))
        other.execute(text("UPDATE things SET name = 'b' WHERE id = 2"))
        outcome = []

        def wait():
            try:
                other.execute(text("UPDATE things SET name = 'b' WHERE id = 1"))
                outcome.append("done")
            except exc.OperationalError as error:
                outcome.append(error.orig.args[0])

        waiter = threading.Thread(target=wait)
        waiter.start()
        try:
            one.execute(text("UPDATE things SET name = 'a' WHERE id = 2"))
            outcome.append("done")
        except exc.OperationalError as error:
            outcome.append(error.orig.args[0])
        one.rollback()
        waiter.join()
        other.rollback()
    assert sorted(map(str, outcome)) == ["1213", "done"]


# ---- batches ----


def test_keys_come_back_to_the_objects_that_they_belong_to(things):
    made = [Thing(name=f"name {n}", number=n if n % 3 else None) for n in range(10_000)]
    things.add_all(made)
    things.commit()
    keys = [thing.id for thing in made]
    assert keys == sorted(set(keys))
    stored = dict(things.execute(select(Thing.id, Thing.name)).all())
    assert all(stored[thing.id] == f"name {n}" for n, thing in enumerate(made))


def test_a_column_may_change_its_kind_within_a_batch(things):
    moment = datetime.datetime(2020, 1, 2)
    prices = [Decimal("1.500000"), 2, 3.25, None, Decimal("-7.000001"), True]
    made = [Thing(price=prices[n % len(prices)], moment=moment if n % 2 else None, data=b"x" * n) for n in range(100)]
    things.add_all(made)
    things.commit()
    for n, thing in enumerate(made):
        expected = prices[n % len(prices)]
        assert thing.price == (None if expected is None else Decimal(str(float(expected)) if expected is True else
                                                                     str(expected)))  # fmt: skip
        assert thing.moment == (moment if n % 2 else None) and thing.data == b"x" * n


def test_a_batch_larger_than_a_message_goes_in_several(things):
    made = [Thing(data=bytes([n]) * 60_000) for n in range(100)]
    things.add_all(made)
    things.commit()
    assert [thing.data[:1] for thing in made] == [bytes([n]) for n in range(100)]
    assert things.scalar(select(func.sum(func.length(Thing.data)))) == 6_000_000


def test_a_row_that_vanished_is_noticed_in_a_batch(things):
    made = [Thing(number=n) for n in range(50)]
    things.add_all(made)
    things.commit()
    for thing in made:
        assert thing.number is not None
    things.execute(text("DELETE FROM things WHERE id = :id"), {"id": made[20].id})
    for thing in made:
        thing.number += 1000
    with pytest.raises(StaleDataError, match="50 row"):
        things.flush()


def test_a_conflict_in_a_batch_rolls_all_of_it_back(things):
    things.add(Thing(number=70))
    things.commit()
    things.add_all([Thing(number=n) for n in range(100)])
    with pytest.raises(exc.IntegrityError) as caught:
        things.commit()
    assert caught.value.orig.args == (1062, "Duplicate entry '70' for key 'number'")
    things.rollback()
    assert things.scalars(select(Thing.number)).all() == [70]


def test_several_connections_insert_at_once_and_each_gets_its_own_keys(file_engine):
    Base.metadata.create_all(file_engine)
    kept = {}

    def insert(worker):
        with Session(file_engine) as session:
            made = [Thing(name=f"{worker}.{n}") for n in range(3000)]
            session.add_all(made)
            session.commit()
            kept.update({thing.id: thing.name for thing in made})

    workers = [threading.Thread(target=insert, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with Session(file_engine) as session:
        assert dict(session.execute(select(Thing.id, Thing.name)).all()) == kept and len(kept) == 12_000


# ---- cancelling and losing ----


def when_running(engine, number, act):
    """Do something as soon as the server runs a statement on a connection."""

    def watch():
        sql = text("SELECT count(*) FROM information_schema.processlist WHERE id = :id AND info LIKE '%sleep%'")
        with engine.connect() as connection:
            while not connection.scalar(sql, {"id": number}):
                connection.rollback()
        act()

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


def number_of(connection):
    return connection.scalar(text("SELECT CONNECTION_ID()"))


def test_an_interrupt_from_the_keyboard_stops_a_query_and_keeps_the_connection(file_engine):
    with file_engine.connect() as connection:
        number = number_of(connection)
        watcher = when_running(file_engine, number, lambda: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            connection.execute(text("SELECT sleep(60)"))
        watcher.join()
        connection.rollback()
        assert number_of(connection) == number


def test_a_raw_connection_can_be_interrupted_from_another_thread(file_engine):
    with file_engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        watcher = when_running(file_engine, number_of(connection), raw.interrupt)
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT sleep(60) FROM seq_1_to_3"))
        watcher.join()
        assert caught.value.orig.args[0] == 1317
        assert connection.scalar(text("SELECT 1")) == 1


def test_a_connection_that_was_killed_is_replaced(file_engine):
    with file_engine.connect() as connection, file_engine.connect() as killer:
        number = number_of(connection)
        killer.execute(text(f"KILL {number}"))
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.orig.args[0] in (2006, 2013)
    with file_engine.connect() as connection:
        assert number_of(connection) != number


def test_a_server_that_does_not_answer_in_time_is_given_up(database_url):
    engine = create_engine(database_url.update_query_dict({"read_timeout": "0.2"}))
    with engine.connect() as connection, pytest.raises(exc.OperationalError, match="did not answer") as caught:
        connection.execute(text("SELECT sleep(60)"))
    assert caught.value.orig.args[0] == 2013
    engine.dispose()


# ---- URLs ----


@pytest.mark.parametrize("name", ["mysql", "mariadb", "mysql+pymysql", "mysql+mysqldb", "mysql+mysqlconnector",
                                  "mariadb+mariadbconnector"])  # fmt: skip
def test_urls_that_programs_have_mean_this_driver(database_url, name):
    engine = create_engine(database_url.set(drivername=name))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    assert engine.dialect.name == name.partition("+")[0] and engine.dialect.driver == "mysqldb"
    engine.dispose()


def test_generated_keys_come_back_under_mysqls_name_too(database_url):
    engine = create_engine(database_url.set(drivername="mysql"))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        made = [Thing(name=str(n)) for n in range(50)]
        session.add_all(made)
        session.commit()
        assert all(session.scalar(select(Thing.name).where(Thing.id == thing.id)) == thing.name for thing in made)
    engine.dispose()


@pytest.mark.parametrize("name", ["mysql+aiomysql", "mysql+asyncmy", "mariadb+aiomysql"])
def test_drivers_of_asyncio_are_refused_in_words(name):
    with pytest.raises(exc.NoSuchModuleError, match="asyncio is not supported yet"):
        create_engine(f"{name}://u:p@h/d")


@pytest.mark.parametrize(("argument", "words"), [("nonsense=1", "'nonsense' is not known"),
                                                 ("charset=latin1", "utf8mb4"),
                                                 ("connect_timeout=soon", "no number of seconds"),
                                                 ("ssl_mode=MAYBE", "none of DISABLED")])  # fmt: skip
def test_an_argument_that_is_wrong_is_refused_in_words(database_url, argument, words):
    engine = create_engine(make_url(f"{database_url.render_as_string(hide_password=False)}?{argument}"))
    with pytest.raises(exc.ArgumentError, match=words):
        engine.connect()


def test_a_password_is_in_no_error_and_no_text(database_url):
    engine = create_engine(database_url.set(password="se:c/r@t"))
    with pytest.raises(exc.OperationalError) as caught:
        engine.connect()
    assert caught.value.orig.args[0] == 1045
    assert "se:c" not in str(caught.value) + repr(engine) + str(engine.url)


# ---- transactions ----


def test_isolation_levels_are_set_and_taken_back(file_engine):
    with file_engine.connect() as connection:
        usual = connection.get_isolation_level()
        number = number_of(connection)
    for level in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"):
        with file_engine.connect().execution_options(isolation_level=level) as connection:
            assert connection.get_isolation_level() == level
    with file_engine.connect() as connection:
        assert number_of(connection) == number and connection.get_isolation_level() == usual
    with pytest.raises(exc.ArgumentError, match="READ COMMITTED, REPEATABLE READ"):
        file_engine.connect().execution_options(isolation_level="SOME")


def test_with_autocommit_a_statement_is_a_transaction(file_engine):
    Base.metadata.create_all(file_engine)
    with (
        file_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as writer,
        file_engine.connect() as reader,
    ):
        writer.execute(text("INSERT INTO things (id) VALUES (1)"))
        assert reader.scalar(text("SELECT count(*) FROM things")) == 1
        writer.rollback()
    with file_engine.connect() as connection:
        connection.execute(text("INSERT INTO things (id) VALUES (2)"))
    with file_engine.connect() as connection:
        assert connection.scalars(text("SELECT id FROM things")).all() == [1]


def test_savepoints_go_back_part_of_the_way(things):
    things.add(Thing(id=1))
    things.flush()
    with pytest.raises(exc.IntegrityError), things.begin_nested():
        things.execute(text("INSERT INTO things (id) VALUES (2)"))
        things.execute(text("INSERT INTO things (id) VALUES (1)"))
    things.commit()
    assert things.scalars(select(Thing.id)).all() == [1]


def test_a_foreign_key_goes_with_its_row(engine):
    class Part(Base):
        __tablename__ = "parts"
        id = Column(Integer, primary_key=True)
        thing_id = Column(ForeignKey("things.id", ondelete="CASCADE"))

    try:
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all([Thing(id=1), Part(id=1, thing_id=1)])
            session.commit()
            session.execute(text("DELETE FROM things"))
            assert session.scalar(select(func.count(Part.id))) == 0
    finally:
        Base.metadata.remove(Part.__table__)


def test_an_upsert_updates_the_row_that_has_the_key(engine):
    from cormorant.dialects.mysql import insert as mysql_insert

    things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer))
    things.create(engine)
    with engine.begin() as connection:
        new = mysql_insert(things)
        add = new.on_duplicate_key_update(n=things.c.n + new.inserted.n)
        connection.execute(add, {"id": 1, "n": 5})
        connection.execute(add, {"id": 1, "n": 7})
        connection.execute(add, [{"id": 1, "n": 100}, {"id": 2, "n": 20}])
        connection.execute(new.values([{"id": 2, "n": 1}, {"id": 3, "n": 3}]).on_duplicate_key_update({"n": 0}))
        assert connection.execute(select(things.c.id, things.c.n).order_by(things.c.id)).all() == [
            (1, 112),
            (2, 0),
            (3, 3),
        ]


# ---- keys without RETURNING ----


@pytest.fixture
def plainly(engine, database_url):
    """The same server under mysql://, whose INSERT gives nothing back but the first key."""
    Base.metadata.create_all(engine)
    other = create_engine(database_url.set(drivername="mysql"))
    yield other
    other.dispose()


def executions(session):
    return int(session.execute(text("SHOW SESSION STATUS LIKE 'Com_stmt_execute'")).one()[1])


def new_things(count):
    return [
        Thing(
            name=None if number % 7 == 0 else f"thing {number}",
            number=number,
            price=Decimal(number) / 8 if number % 3 else None,
            data=bytes([number % 256]) * (number % 5),
            moment=datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=number),
        )
        for number in range(count)
    ]


def assert_each_has_its_row(session, things):
    rows = {row.id: row for row in session.execute(select(Thing.__table__))}
    assert len({thing.id for thing in things}) == len(things)
    for thing in things:
        row = rows[thing.id]
        assert (row.name, row.number, row.price, row.data) == (thing.name, thing.number, thing.price, thing.data)


@pytest.mark.parametrize("step", [1, 3])
def test_keys_follow_the_first_one(plainly, step):
    with Session(plainly) as session:
        session.execute(text(f"SET SESSION auto_increment_increment = {step}"))
        before = executions(session)
        things = new_things(3000)
        session.add_all(things)
        session.flush()
        assert executions(session) - before < 10
        assert_each_has_its_row(session, things)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE things ENGINE = MyISAM",
        "CREATE TRIGGER changes BEFORE INSERT ON things FOR EACH ROW SET NEW.id = 100000 - NEW.number",
    ],
)
def test_keys_that_need_not_follow_are_asked_for_one_by_one(plainly, change):
    with Session(plainly) as session:
        session.execute(text(change))
        session.commit()
        before = executions(session)
        things = new_things(50)
        session.add_all(things)
        session.flush()
        assert executions(session) - before >= 50


def test_the_row_that_is_refused_among_several_is_named(plainly):
    with Session(plainly) as session:
        session.add(Thing(name="first", number=1500))
        session.commit()
        session.add_all(new_things(3000))
        with pytest.raises(exc.IntegrityError, match="Duplicate entry '1500'") as caught:
            session.flush()
        assert "'thing 1500'" in str(caught.value)
        session.rollback()
        assert session.scalars(select(Thing.name)).all() == ["first"]
        things = new_things(30)
        session.add_all(things)
        session.commit()
        assert_each_has_its_row(session, things)


def test_a_table_of_another_schema_and_with_a_strange_name_is_found(plainly, database_url):
    Strange = declarative_base(metadata=MetaData(schema=database_url.database))

    class Odd(Strange):
        __tablename__ = "odd (table), `s"
        id = Column(Integer, primary_key=True)
        name = Column("VALUES (?, ?)", String(20))

    class Even(Strange):
        __tablename__ = "an even table"
        id = Column(Integer, primary_key=True)
        name = Column(String(20))

    Strange.metadata.create_all(plainly)
    with Session(plainly) as session:
        for kind in (Odd, Even):
            items = [kind(name=str(number)) for number in range(100)]
            session.add_all(items)
            session.flush()
            rows = dict(session.execute(select(kind.id, kind.name)).all())
            assert all(rows[item.id] == str(number) for number, item in enumerate(items))
