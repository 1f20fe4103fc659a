"""The classes and codes of errors, mistake by mistake: those that programs catch on each database today."""

import secrets
import threading

import pytest
from cormorant import create_engine, exc, make_url, text
from databases import KIND
from mistakes import FIRST, HOUSES, PAGE, SITUATIONS, STATEMENTS, TABLES, page
from support import PEER, keep_references_true, ours_only

servers_only = pytest.mark.database("postgresql", "mariadb")
WAIT = 30


@pytest.fixture
def rooms(file_engine):
    keep_references_true(file_engine)
    with file_engine.begin() as connection:
        for statement in (HOUSES, TABLES[KIND], FIRST, "INSERT INTO houses VALUES (1)",
                          "UPDATE rooms SET house = 1"):  # fmt: skip
            connection.exec_driver_sql(statement)
    return file_engine


def code_of(error):
    if KIND == "postgresql":
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        assert code == getattr(error.orig, "pgcode", code)
        return code
    if KIND == "mariadb":
        return error.orig.args[0]
    return error.orig.sqlite_errorcode


def check(expected, call):
    """The call raises what the table says, or nothing where it says so."""
    if expected is None:
        call()
        return None
    with pytest.raises(exc.DBAPIError) as caught:
        call()
    error = caught.value
    assert (type(error).__name__, expected[1] and code_of(error)) == expected, error
    assert type(error.orig).__name__ == expected[0] or PEER
    names = [cls.__name__ for cls in type(error.orig).__mro__]
    assert expected[0] in names and "Error" in names
    return error


@pytest.mark.parametrize("mistake", STATEMENTS)
def test_a_mistake_is_an_error_of_its_class(rooms, mistake):
    statements, expected = STATEMENTS[mistake]
    with rooms.connect() as connection:
        error = check(expected[KIND], lambda: connection.exec_driver_sql(statements[KIND]))
        assert error is None or (error.statement == statements[KIND] and not error.connection_invalidated)


@pytest.mark.database("postgresql")
def test_the_server_says_more(rooms):
    with rooms.connect() as connection:
        error = check(("IntegrityError", "23505"), lambda: connection.execute(text(FIRST)))
    diagnostics = error.orig.diag
    assert diagnostics.constraint_name == "rooms_pkey" and diagnostics.table_name == "rooms"
    assert diagnostics.schema_name == "public" and "(id)=(100) already exists" in diagnostics.message_detail
    assert diagnostics.severity == "ERROR"
    with rooms.connect() as connection:
        error = check(("IntegrityError", "23502"), lambda: connection.execute(
            text("INSERT INTO rooms (floor) VALUES (:floor)"), {"floor": None}))  # fmt: skip
        assert error.orig.diag.column_name == "floor" and error.params
    with rooms.connect() as connection:
        error = check(("ProgrammingError", "42703"), lambda: connection.execute(text("SELECT nam FROM rooms")))
        assert "rooms.name" in error.orig.diag.message_hint and error.orig.diag.statement_position == "8"


def test_parameters_are_shown(rooms):
    with rooms.connect() as connection, pytest.raises(exc.IntegrityError) as caught:
        connection.execute(text("INSERT INTO rooms (id, floor) VALUES (:id, :floor)"), {"id": 100, "floor": 7})
    assert "INSERT INTO rooms (id, floor)" in caught.value.statement
    shown = caught.value.params
    assert sorted(shown.values() if isinstance(shown, dict) else shown) == [7, 100]


# ---- situations ----


def situation(name, call):
    return check(SITUATIONS[name][KIND], call)


def wait_a_little_only(connection):
    if KIND == "postgresql":
        connection.execute(text("SET lock_timeout = '50ms'"))
    elif KIND == "mariadb":
        connection.execute(text("SET innodb_lock_wait_timeout = 1"))
    else:
        connection.execute(text("PRAGMA busy_timeout = 10"))


def test_a_lock_that_is_not_got_in_time(rooms):
    with rooms.connect() as holder, rooms.connect() as other:
        holder.execute(text("UPDATE rooms SET floor = 2"))
        if KIND == "sqlite":
            other = other.execution_options()
            other.connection.dbapi_connection.execute("PRAGMA busy_timeout = 10")
        else:
            wait_a_little_only(other)
        situation("a lock that is not got in time", lambda: other.execute(text("UPDATE rooms SET floor = 3")))


@servers_only
def test_a_deadlock(rooms):
    with rooms.begin() as connection:
        connection.execute(text("INSERT INTO rooms (id, floor) VALUES (2, 1)"))
    meeting, errors = threading.Barrier(2), []

    def cross(first, second):
        with rooms.connect() as connection:
            connection.execute(text(f"UPDATE rooms SET floor = 5 WHERE id = {first}"))
            meeting.wait(WAIT)
            try:
                connection.execute(text(f"UPDATE rooms SET floor = 5 WHERE id = {second}"))
            except exc.DBAPIError as error:
                errors.append(error)

    threads = [threading.Thread(target=cross, args=keys) for keys in ((100, 2), (2, 100))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)

    def raise_it():
        (error,) = errors
        raise error

    situation("a deadlock", raise_it)


@pytest.mark.database("postgresql")
def test_a_serialization_failure(rooms):
    strict = rooms.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as one, strict.connect() as two:
        for connection in (one, two):
            connection.execute(text("SELECT count(*) FROM rooms"))
        one.execute(text("UPDATE rooms SET floor = 6"))
        one.commit()
        situation("a serialization failure", lambda: two.execute(text("UPDATE rooms SET floor = 7")))


def test_writing_in_a_read_only_transaction(rooms):
    with rooms.connect() as connection:
        if KIND == "sqlite":
            connection.execute(text("PRAGMA query_only = 1"))
        else:
            connection.exec_driver_sql(
                "SET TRANSACTION READ ONLY" if KIND == "postgresql" else "SET SESSION TRANSACTION READ ONLY"
            )
            connection.commit() if KIND == "mariadb" else None
        situation("writing in a read-only transaction", lambda: connection.execute(text(FIRST)))
        if KIND != "postgresql":
            connection.invalidate()


def test_a_statement_after_one_that_failed(rooms):
    with rooms.connect() as connection:
        with pytest.raises(exc.DBAPIError):
            connection.execute(text("SELECT nothing FROM rooms"))
        situation("a statement after one that failed", lambda: connection.execute(text("SELECT 1")))


@pytest.fixture
def stranger(database, rooms):
    """The URL of a user who may do nothing much."""
    name, password = f"stranger_{secrets.token_hex(4)}", "pass"
    with database.admin.connect() as admin:
        if KIND == "postgresql":
            admin.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        else:
            admin.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY '{password}'")
            admin.exec_driver_sql(f"GRANT CREATE ON *.* TO {name}")
    yield make_url(database.own).set(username=name, password=password)
    with database.admin.connect() as admin:
        admin.exec_driver_sql(f"DROP {'ROLE' if KIND == 'postgresql' else 'USER'} {name}")


def connecting(url):
    def connect():
        engine = create_engine(url)
        try:
            engine.connect().close()
        finally:
            engine.dispose()

    return connect


@servers_only
def test_what_one_may_not_do_and_a_wrong_password(stranger):
    engine = create_engine(stranger)
    table = "public.rooms" if KIND == "postgresql" else "rooms"
    with engine.connect() as connection:
        situation("what one may not do", lambda: connection.execute(text(f"SELECT * FROM {table}")))
    engine.dispose()
    error = situation("a wrong password", connecting(stranger.set(password="wrong")))
    assert "wrong" not in str(error).replace("wrong password", "")


def test_a_database_that_is_not_there(database, tmp_path):
    url = f"sqlite:///{tmp_path / 'no' / 'such.db'}" if KIND == "sqlite" else database.own.set(database="nowhere")
    situation("a database that is not there", connecting(url))


@servers_only
def test_a_server_that_is_not_there(database):
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    situation("a server that is not there", connecting(database.own.set(host="127.0.0.1", port=port)))


@servers_only
def test_a_connection_that_was_ended(database, rooms):
    with rooms.connect() as connection, database.admin.connect() as admin:
        if KIND == "postgresql":
            number = connection.scalar(text("SELECT pg_backend_pid()"))
            admin.execute(text(f"SELECT pg_terminate_backend({number}, 5000)"))
        else:
            number = connection.scalar(text("SELECT CONNECTION_ID()"))
            admin.execute(text(f"KILL {number}"))
        error = situation("a connection that was ended", lambda: connection.execute(text("SELECT 1")))
        assert error.connection_invalidated
        assert KIND == "postgresql" or code_of(error) in (1927, 2006, 2013)


@ours_only
def test_the_page_shows_this_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python3 tests/python/mistakes.py"
