"""Engines: how they are made, what they say of themselves, and how they share connections."""

import logging
import sqlite3
import threading

import pytest
from cormorant import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    exc,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from cormorant.engine import URL, Connection
from cormorant.orm import Session
from cormorant.pool import NullPool, QueuePool, StaticPool
from people import Base, User
from support import ours_only, output_of

pytestmark = pytest.mark.database("sqlite")  # files, and how they are opened

metadata = MetaData()
things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("name", String(50)))


def test_an_engine_describes_itself():
    engine = create_engine("sqlite:///some.db")
    assert engine.dialect.name == engine.name == "sqlite"
    assert engine.url.database == "some.db" and str(engine.url) == "sqlite:///some.db"
    assert repr(engine) == "Engine(sqlite:///some.db)" and isinstance(engine, Engine)
    assert engine.driver


def test_a_url_is_taken_apart_and_put_together():
    url = make_url("postgresql+psycopg://me:se%40cret@host:5432/db?sslmode=on")
    assert (url.drivername, url.username, url.password, url.host, url.port, url.database) == (
        "postgresql+psycopg", "me", "se@cret", "host", 5432, "db",
    )  # fmt: skip
    assert (
        url.query["sslmode"] == "on" and url.get_backend_name() == "postgresql" and url.get_driver_name() == "psycopg"
    )
    assert str(url) == "postgresql+psycopg://me:***@host:5432/db?sslmode=on"
    assert url.render_as_string(hide_password=False) == "postgresql+psycopg://me:se%40cret@host:5432/db?sslmode=on"
    assert url.set(database="other").database == "other" and url.database == "db"
    made = URL.create("sqlite", database="x.db")
    assert str(made) == "sqlite:///x.db" and made == make_url("sqlite:///x.db")
    assert create_engine(made).url == made
    assert make_url("sqlite:///some%20file.db").database == "some file.db"


@pytest.mark.parametrize("url", ["", "nonsense", "://", "sqlite"])
def test_a_url_that_makes_no_sense_is_an_error(url):
    with pytest.raises(exc.ArgumentError, match="Could not parse .*URL"):
        create_engine(url)


def test_an_unknown_database_is_an_error_that_names_it():
    with pytest.raises(exc.NoSuchModuleError, match="nosuch"):
        create_engine("nosuch://")


def test_an_unknown_option_is_an_error_that_names_it():
    with pytest.raises(TypeError, match="nonsense"):
        create_engine("sqlite://", nonsense=True)


def test_a_file_that_cannot_be_opened_is_an_operational_error(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/no/such/folder/file.db")
    with pytest.raises(exc.OperationalError, match="unable to open database file"):
        engine.connect()


def test_a_file_that_is_no_database_is_a_database_error(tmp_path):
    (tmp_path / "x.db").write_bytes(b"this is not a database" * 100)
    with create_engine(f"sqlite:///{tmp_path / 'x.db'}").connect() as connection:
        with pytest.raises(exc.DatabaseError, match="file is not a database"):
            connection.execute(text("SELECT * FROM sqlite_master"))


def test_a_database_in_memory_is_one_for_the_thread_that_made_it():
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(insert(things), {"name": "x"})
    with engine.connect() as connection:
        assert connection.scalar(select(things.c.name)) == "x"
    other = create_engine("sqlite://")
    assert not inspect(other).has_table("things")
    engine.dispose()
    assert not inspect(engine).has_table("things")


def test_a_static_pool_shares_one_connection_with_all_threads():
    engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
    metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(things), {"name": "x"})
        session.commit()
    found = []

    def look():
        with engine.connect() as connection:
            found.append(connection.scalar(select(things.c.name)))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == ["x"]


def test_a_creator_makes_the_connections(tmp_path):
    path = tmp_path / "made.db"
    made = []

    def create():
        made.append(1)
        return sqlite3.connect(path)

    engine = create_engine("sqlite://", creator=create, poolclass=NullPool)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), [{"name": "a"}, {"name": "b"}])
        assert connection.execute(select(things.c.name)).scalars().all() == ["a", "b"]
    with Session(engine) as session:
        assert session.scalars(select(things.c.id)).all() == [1, 2]
    assert len(made) >= 2
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT count(*) FROM things").fetchone() == (2,)


def test_connect_args_reach_the_connection(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", connect_args={"timeout": 0.05, "check_same_thread": False})
    metadata.create_all(engine)
    with engine.connect() as holder:
        holder.execute(insert(things), {"name": "held"})
        with engine.connect() as other, pytest.raises(exc.OperationalError, match="database is locked"):
            other.execute(insert(things), {"name": "x"})
        holder.rollback()


def test_the_time_out_may_stand_in_the_url(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}?timeout=0.05")
    metadata.create_all(engine)
    with engine.connect() as holder:
        holder.execute(insert(things), {"name": "held"})
        with engine.connect() as other, pytest.raises(exc.OperationalError, match="database is locked"):
            other.execute(insert(things), {"name": "x"})


@ours_only
def test_foreign_keys_may_stand_in_the_url(tmp_path):
    for value, expected in (("1", 1), ("0", 0)):
        engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}?foreign_keys={value}")
        with engine.connect() as connection:
            assert connection.scalar(text("PRAGMA foreign_keys")) == expected


def test_the_connect_event_gives_a_raw_connection_for_pragmas(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")

    @event.listens_for(engine, "connect")
    def set_pragma(dbapi_connection, connection_record):
        cursor = dbapi_connection.cursor()
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA journal_mode=WAL")
        assert cursor.fetchone()[0] == "wal"
        cursor.close()

    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"


def test_the_recipe_that_begins_transactions_itself_works(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", connect_args={"timeout": 0.05})

    @event.listens_for(engine, "connect")
    def begin_nothing(dbapi_connection, connection_record):
        dbapi_connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_at_once(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as holder:
        metadata.create_all(holder)
        with pytest.raises(exc.OperationalError, match="database is locked"), engine.connect() as other:
            other.execute(select(things.c.id))
        with holder.begin_nested():
            holder.execute(insert(things), {"name": "x"})
    with engine.connect() as connection:
        assert connection.scalar(select(things.c.name)) == "x"


def test_the_connect_event_of_all_engines():
    heard = []

    def note(dbapi_connection, record):
        heard.append(dbapi_connection)

    event.listen(Engine, "connect", note)
    try:
        with create_engine("sqlite://").connect():
            pass
    finally:
        event.remove(Engine, "connect", note)
    assert len(heard) == 1


def test_functions_can_be_given_to_the_raw_connection():
    engine = create_engine("sqlite://")

    @event.listens_for(engine, "connect")
    def add_function(dbapi_connection, record):
        dbapi_connection.create_function("twice", 1, lambda value: value * 2)

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT twice(21)")) == 42


def test_a_raw_connection_is_lent_to_those_who_ask(engine):
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("SELECT ?, ?", (1, "x"))
        assert cursor.fetchone() == (1, "x")
        cursor.execute("CREATE TABLE t (a INTEGER)")
        cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        assert cursor.execute("SELECT a FROM t").fetchall() == [(1,), (2,)]
        assert [column[0] for column in cursor.description] == ["a"]
        cursor.close()
        raw.commit()
    finally:
        raw.close()


def test_execution_events_see_the_statement_and_may_change_it(engine):
    heard = []

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def before(connection, cursor, statement, parameters, context, executemany):
        heard.append(("before", statement, tuple(parameters), executemany))
        return statement + " -- seen", parameters

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection, cursor, statement, parameters, context, executemany):
        heard.append(("after", statement))

    with engine.connect() as connection:
        assert connection.execute(text("SELECT :a"), {"a": 1}).scalar() == 1
    assert heard == [("before", "SELECT ?", (1,), False), ("after", "SELECT ? -- seen")]


def test_transaction_events(engine):
    heard = []
    event.listen(engine, "begin", lambda connection: heard.append("begin"))
    event.listen(engine, "commit", lambda connection: heard.append("commit"))
    event.listen(engine, "rollback", lambda connection: heard.append("rollback"))
    event.listen(engine, "checkout", lambda connection, record, proxy: heard.append("checkout"))
    event.listen(engine, "checkin", lambda connection, record: heard.append("checkin"))
    with engine.begin() as connection:
        connection.execute(text("SELECT 1"))
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.rollback()
    once = [event for event in heard if event not in ("checkout", "checkin")]
    assert once == ["begin", "commit", "begin", "rollback"]
    assert heard[0] == "checkout" and heard[-1] == "checkin"


def test_echo_logs_statements_and_parameters(caplog):
    engine = create_engine("sqlite://", echo=True)
    logging.getLogger("sqlalchemy.engine").propagate = True
    with caplog.at_level(logging.INFO, logger="sqlalchemy.engine"):
        with engine.begin() as connection:
            connection.execute(text("SELECT :a AS one"), {"a": 1})
    lines = [record.getMessage() for record in caplog.records if record.name == "sqlalchemy.engine.Engine"]
    assert "BEGIN (implicit)" in lines and "SELECT ? AS one" in lines and "COMMIT" in lines
    assert any(line.startswith("[") and line.endswith("(1,)") for line in lines)


def test_logging_alone_turns_the_echo_on(caplog):
    with caplog.at_level(logging.INFO, logger="sqlalchemy.engine"):
        engine = create_engine("sqlite://")
        with engine.connect() as connection:
            connection.execute(text("SELECT 5"))
    assert "SELECT 5" in [record.getMessage() for record in caplog.records]


def test_echo_prints_to_standard_output_when_nobody_set_up_logging():
    printed = output_of(
        """
        from cormorant import create_engine, text
        with create_engine("sqlite://", echo=True).connect() as connection:
            connection.execute(text("SELECT 1"))
        """
    )
    assert "INFO sqlalchemy.engine.Engine SELECT 1" in printed


def test_hidden_parameters_are_not_logged_nor_in_errors(caplog):
    engine = create_engine("sqlite://", hide_parameters=True)
    with caplog.at_level(logging.INFO, logger="sqlalchemy.engine"), engine.connect() as connection:
        connection.execute(text("SELECT :a"), {"a": "secret"})
        with pytest.raises(exc.OperationalError) as caught:
            connection.execute(text("SELECT * FROM nowhere WHERE a = :a"), {"a": "secret"})
    assert "secret" not in caplog.text and "secret" not in str(caught.value)


def test_a_pool_counts_what_is_out(tmp_path):
    engine = create_engine(
        f"sqlite:///{tmp_path / 'x.db'}", poolclass=QueuePool, pool_size=1, max_overflow=1, pool_timeout=0.05
    )
    with engine.connect(), engine.connect():
        assert engine.pool.checkedout() == 2
        with pytest.raises(exc.TimeoutError, match="QueuePool limit of size 1 overflow 1 reached"):
            engine.connect()
    assert engine.pool.checkedout() == 0


def test_threads_share_an_engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    Base.metadata.create_all(engine)
    wrong = []

    def work(number):
        try:
            for turn in range(20):
                with Session(engine) as session, session.begin():
                    session.add(User(name=f"{number}", age=turn))
                with Session(engine) as session:
                    assert len(session.scalars(select(User).where(User.name == f"{number}")).all()) == turn + 1
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == 80


def test_a_connection_knows_its_engine_and_when_it_is_closed(engine):
    with engine.connect() as connection:
        assert isinstance(connection, Connection) and connection.engine is engine and not connection.closed
        assert connection.dialect is engine.dialect and not connection.in_transaction()
    assert connection.closed
    with pytest.raises(exc.ResourceClosedError, match="This Connection is closed"):
        connection.execute(text("SELECT 1"))


def test_execution_options_make_another_view_of_the_engine(engine):
    marked = engine.execution_options(mark="x")
    with marked.connect() as connection:
        assert connection.get_execution_options()["mark"] == "x"
    assert "mark" not in engine.get_execution_options()


def test_autocommit_isolation_commits_each_statement(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", isolation_level="AUTOCOMMIT")
    metadata.create_all(engine)
    with engine.connect() as connection:
        connection.execute(insert(things), {"name": "x"})
        connection.rollback()
    with engine.connect() as connection:
        assert connection.scalar(select(things.c.name)) == "x"


def test_what_is_left_open_is_rolled_back_when_it_returns(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", pool_size=1, max_overflow=0)
    metadata.create_all(engine)
    connection = engine.connect()
    connection.execute(insert(things), {"name": "lost"})
    connection.close()
    with engine.connect() as connection:
        assert connection.scalar(select(things.c.name)) is None


def test_a_dialect_tells_of_its_database(engine):
    dialect = engine.dialect
    assert issubclass(dialect.dbapi.OperationalError, Exception)
    assert "AUTOCOMMIT" in dialect.get_isolation_level_values(None)
    assert dialect.dialect_description.startswith(dialect.name + "+")
    assert dialect.supports_statement_cache


def test_listening_to_an_engine_needs_nothing_of_the_schema():
    told = output_of("""
        from cormorant import create_engine, event

        engine = create_engine("sqlite://")

        def tell(connection, record):
            print("connected")

        event.listen(engine, "connect", tell)
        engine.connect().close()
        assert event.contains(engine, "connect", tell)
        event.remove(engine, "connect", tell)
    """)
    assert told == "connected\n"
