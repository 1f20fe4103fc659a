"""Connections that are lost or invalidated: their transaction has to be rolled back, then they take another one."""

import pytest
from cormorant import create_engine, event, exc, insert, text
from cormorant.orm import Session
from databases import KIND
from people import Base, User, fill

servers_only = pytest.mark.database("postgresql", "mariadb")


@pytest.fixture
def people(file_engine):
    fill(file_engine)
    return file_engine


def end_from_outside(engine, connection):
    """The server ends the connection; it is seen when it is used next."""
    with create_engine(engine.url).connect() as other:
        if KIND == "postgresql":
            number = connection.scalar(text("SELECT pg_backend_pid()"))
            other.execute(text(f"SELECT pg_terminate_backend({number}, 5000)"))
        else:
            number = connection.scalar(text("SELECT CONNECTION_ID()"))
            other.execute(text(f"KILL {number}"))
        other.engine.dispose()


def test_an_invalidated_connection_takes_another_one(people):
    with people.connect() as connection:
        connection.invalidate()
        assert connection.invalidated and not connection.closed
        assert connection.scalar(text("SELECT count(*) FROM users")) == 4
        assert not connection.invalidated


def test_a_transaction_under_way_has_to_be_rolled_back_first(people):
    with people.connect() as connection:
        connection.execute(insert(User), {"name": "lost"})
        connection.invalidate()
        assert connection.in_transaction()
        for call in (lambda: connection.execute(text("SELECT 1")), connection.commit):
            with pytest.raises(exc.PendingRollbackError, match="Can't reconnect until invalid transaction"):
                call()
        connection.rollback()
        assert connection.scalar(text("SELECT count(*) FROM users")) == 4


def test_the_same_of_a_transaction_that_is_an_object(people):
    with people.connect() as connection:
        transaction = connection.begin()
        connection.execute(insert(User), {"name": "lost"})
        connection.invalidate()
        with pytest.raises(exc.PendingRollbackError):
            connection.execute(text("SELECT 1"))
        transaction.rollback()
        with connection.begin():
            connection.execute(insert(User), {"name": "kept"})
    with people.connect() as connection:
        assert connection.scalar(text("SELECT max(name) FROM users WHERE name IN ('kept', 'lost')")) == "kept"


def test_an_invalidated_connection_is_not_pooled(people):
    with people.connect() as connection:
        before = connection.connection.dbapi_connection
        connection.invalidate()
    with people.connect() as connection:
        assert connection.connection.dbapi_connection is not before


def test_closing_ends_it_all(people):
    connection = people.connect()
    connection.execute(text("SELECT 1"))
    connection.invalidate()
    connection.close()
    assert connection.closed
    with pytest.raises(exc.ResourceClosedError):
        connection.execute(text("SELECT 1"))
    assert people.pool.checkedout() == 0


def test_a_sessions_connection_that_is_invalidated_needs_its_rollback(people):
    with Session(people) as session:
        session.get(User, 1).name = "lost"
        session.flush()
        session.connection().invalidate()
        with pytest.raises(exc.InvalidRequestError):
            session.commit()
        session.rollback()
        assert session.get(User, 1).name == "ann"


@servers_only
def test_a_lost_connection_is_invalidated_by_the_error(people):
    with people.connect() as connection:
        end_from_outside(people, connection)
        with pytest.raises(exc.DBAPIError) as caught:
            connection.execute(text("SELECT 1"))
        assert caught.value.connection_invalidated and connection.invalidated
        with pytest.raises(exc.PendingRollbackError):
            connection.execute(text("SELECT 1"))
        connection.rollback()
        assert connection.scalar(text("SELECT count(*) FROM users")) == 4


@servers_only
def test_what_one_connection_lost_the_others_of_its_time_are_not_trusted_with(people):
    with people.connect() as one, people.connect() as two:
        one.scalar(text("SELECT 1"))
        before = two.connection.dbapi_connection
        two.close()
        end_from_outside(people, one)
        with pytest.raises(exc.DBAPIError):
            one.execute(text("SELECT 1"))
        one.rollback()
    with people.connect() as connection:
        assert connection.connection.dbapi_connection is not before


@pytest.mark.parametrize("how, there", [("rollback", False), (True, False), ("commit", True)])
def test_what_the_pool_does_with_a_transaction_that_comes_back(database_url, how, there):
    engine = create_engine(database_url, pool_reset_on_return=how)
    Base.metadata.create_all(engine)
    raw = engine.raw_connection()
    cursor = raw.cursor()
    cursor.execute("INSERT INTO users (name) VALUES ('eve')")
    raw.close()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM users")) == there
    engine.dispose()


def test_the_pool_refuses_what_it_cannot_do(database_url):
    with pytest.raises(exc.ArgumentError, match="reset_on_return"):
        create_engine(database_url, pool_reset_on_return="perhaps")


def test_a_detached_connection_works_and_is_closed_at_the_end(people):
    with people.connect() as connection:
        before = connection.connection.dbapi_connection
        connection.detach()
        assert connection.scalar(text("SELECT count(*) FROM users")) == 4
        connection.rollback()
    with people.connect() as connection:
        assert connection.connection.dbapi_connection is not before


@servers_only
def test_listeners_are_told_of_what_is_invalidated_and_why(people):
    told = []
    event.listen(people, "invalidate", lambda connection, record, error: told.append((connection, error)))
    with people.connect() as connection:
        raw = connection.connection.dbapi_connection
        reason = LookupError("no more")
        connection.invalidate(reason)
        assert told.pop() == (raw, reason)
        end_from_outside(people, connection)
        raw = connection.connection.dbapi_connection
        with pytest.raises(exc.DBAPIError) as caught:
            connection.execute(text("SELECT 1"))
        assert told.pop() == (raw, caught.value.orig)
    with people.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert told == []
