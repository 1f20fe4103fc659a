"""How transactions are to be: isolation levels, read-only and deferrable ones, of engines, connections and sessions."""

import pytest
from cormorant import create_engine, exc, insert, text
from cormorant.orm import Session
from databases import KIND
from people import Base, User, fill

LEVELS = {"sqlite": ("SERIALIZABLE", "READ UNCOMMITTED"), "postgresql": ("READ COMMITTED", "SERIALIZABLE"),
          "mariadb": ("REPEATABLE READ", "READ COMMITTED")}  # fmt: skip
USUAL, OTHER = LEVELS[KIND]


def level_of(session):
    return session.connection().get_isolation_level()


@pytest.fixture
def small(database_url):
    """An engine with one connection, so that what one user leaves the next one finds."""
    engine = create_engine(database_url, pool_size=1, max_overflow=0)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_the_engines_level_is_its_sessions_level(database_url):
    engine = create_engine(database_url, isolation_level=OTHER)
    with engine.connect() as connection:
        assert connection.get_isolation_level() == OTHER
    with Session(engine) as session:
        assert level_of(session) == OTHER
        session.rollback()
        assert level_of(session) == OTHER
    engine.dispose()


def test_an_engine_with_options_shares_its_connections_but_not_its_level(small):
    other = small.execution_options(isolation_level=OTHER)
    for _ in range(2):
        with Session(other) as session:
            assert level_of(session) == OTHER
        with Session(small) as session:
            assert level_of(session) == USUAL
        with small.connect() as connection:
            assert connection.get_isolation_level() == USUAL


def test_a_connections_level_is_gone_with_it(small):
    with small.connect().execution_options(isolation_level=OTHER) as connection:
        assert connection.get_isolation_level() == OTHER
    with small.connect() as connection:
        assert connection.get_isolation_level() == USUAL


def test_the_default_level_is_told_whatever_the_present_one_is(small):
    with small.connect().execution_options(isolation_level=OTHER) as connection:
        assert (connection.default_isolation_level, connection.get_isolation_level()) == (USUAL, OTHER)


def test_a_sessions_transaction_has_the_level_that_it_begins_with(small):
    with Session(small) as session:
        session.connection(execution_options={"isolation_level": OTHER})
        assert level_of(session) == OTHER
        with pytest.warns(exc.SAWarning, match="Connection is already established"):
            session.connection(execution_options={"isolation_level": USUAL})
        session.commit()
        assert level_of(session) == USUAL


def test_a_session_may_commit_each_statement(small):
    with Session(small.execution_options(isolation_level="AUTOCOMMIT")) as session:
        session.execute(insert(User), {"name": "kept"})
        session.rollback()
        assert session.scalars(text("SELECT name FROM users")).all() == ["kept"]
    with Session(small) as session:
        session.execute(insert(User), {"name": "lost"})
        session.rollback()
        assert session.scalars(text("SELECT name FROM users")).all() == ["kept"]


def test_a_level_that_is_not_known_is_refused_and_changes_nothing(small):
    with pytest.raises(exc.ArgumentError, match="Invalid value 'CHAOS' for isolation_level"):
        small.connect().execution_options(isolation_level="chaos")
    with small.connect() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(exc.InvalidRequestError, match="isolation_level may not be altered"):
            connection.execution_options(isolation_level=OTHER)
    with small.connect() as connection:
        assert connection.get_isolation_level() == USUAL


@pytest.mark.database("postgresql")
def test_a_read_only_transaction_refuses_to_write(small):
    fill(small)
    reader = small.execution_options(postgresql_readonly=True)
    with reader.connect() as connection, pytest.raises(exc.InternalError, match="read-only transaction") as caught:
        connection.execute(insert(User), {"name": "eve"})
    assert caught.value.orig.sqlstate == "25006"
    with Session(reader) as session:
        assert session.get(User, 1).name == "ann"
        session.get(User, 1).name = "anna"
        with pytest.raises(exc.InternalError):
            session.commit()
    with small.begin() as connection:
        connection.execute(insert(User), {"name": "eve"})


@pytest.mark.database("postgresql")
def test_a_deferrable_transaction_is_one(small):
    def is_one(engine):
        with engine.connect() as connection:
            return connection.scalar(text("SHOW transaction_deferrable"))

    careful = small.execution_options(
        isolation_level="SERIALIZABLE", postgresql_readonly=True, postgresql_deferrable=True
    )
    assert is_one(careful) == "on" and is_one(small) == "off"
    with careful.connect() as connection:
        assert connection.get_isolation_level() == "SERIALIZABLE"


@pytest.mark.database("postgresql", "mariadb")
def test_a_level_that_stays_is_said_once(small):
    from support import statements_of

    other = small.execution_options(isolation_level=OTHER)
    with Session(other) as session:
        level_of(session)
    with statements_of(small) as sent:
        for _ in range(3):
            with Session(other) as session:
                session.execute(text("SELECT 1"))
    assert not [one for one in sent if "SESSION" in one.text]
