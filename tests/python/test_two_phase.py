"""Two-phase transactions: prepared ones outlive their connection; a session commits on several databases or on none."""

import uuid

import pytest
from cormorant import Column, Integer, String, create_engine, event, exc, insert, text
from cormorant.engine.base import TwoPhaseTransaction
from cormorant.orm import Session, declarative_base
from databases import KIND
from people import Base, User, fill
from support import ours_only

servers_only = pytest.mark.database("postgresql", "mariadb")
Other = declarative_base()


class Order(Other):
    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    title = Column(String(50), unique=True)


@pytest.fixture
def pair(file_engine):
    """Two engines on the same server, which take part in one transaction as two."""
    Base.metadata.create_all(file_engine)
    Other.metadata.create_all(file_engine)
    second = create_engine(file_engine.url)
    yield file_engine, second
    second.dispose()
    with file_engine.connect() as connection:  # nothing is left on the server, whatever failed
        for xid in connection.recover_twophase() if KIND != "sqlite" else ():
            connection.rollback_prepared(xid, recover=True)


def names(engine):
    with engine.connect() as connection:
        return connection.scalars(text("SELECT name FROM users ORDER BY id")).all()


def prepared(engine):
    with engine.connect() as connection:
        return connection.recover_twophase()


@servers_only
@pytest.mark.parametrize("prepares", [True, False])
@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
def test_a_transaction_ends_as_it_is_told_prepared_or_not(pair, prepares, ending):
    engine = pair[0]
    with engine.connect() as connection:
        transaction = connection.begin_twophase()
        assert isinstance(transaction, TwoPhaseTransaction) and transaction.xid.startswith("_sa_")
        connection.execute(insert(User), {"name": "eve"})
        if prepares:
            transaction.prepare()
        getattr(transaction, ending)()
        assert not transaction.is_active and not connection.in_transaction()
        connection.execute(insert(User), {"name": "lost"})
    assert names(engine) == (["eve"] if ending == "commit" else [])
    assert prepared(engine) == []


@servers_only
@pytest.mark.parametrize("xid", ["mine", "o'clock", uuid.UUID(int=7).hex])
def test_a_prepared_transaction_outlives_its_connection(pair, xid):
    engine = pair[0]
    for ending in ("commit_prepared", "rollback_prepared"):
        with engine.connect() as connection:
            transaction = connection.begin_twophase(xid)
            connection.execute(insert(User), {"name": ending})
            transaction.prepare()
            connection.invalidate()
        engine.dispose()
        assert prepared(engine) == [xid]
        with engine.connect() as connection:
            assert connection.recover_twophase() == [xid]
            getattr(connection, ending)(xid, recover=True)
        assert prepared(engine) == []
    assert names(engine) == ["commit_prepared"]


@servers_only
def test_an_empty_transaction_can_be_prepared(pair):
    with pair[0].connect() as connection:
        transaction = connection.begin_twophase()
        transaction.prepare()
        transaction.commit()
    assert prepared(pair[0]) == []


@servers_only
def test_savepoints_work_in_it(pair):
    with pair[0].connect() as connection:
        transaction = connection.begin_twophase()
        connection.execute(insert(User), {"name": "kept"})
        savepoint = connection.begin_nested()
        connection.execute(insert(User), {"name": "lost"})
        savepoint.rollback()
        transaction.prepare()
        transaction.commit()
    assert names(pair[0]) == ["kept"]


@servers_only
@ours_only
def test_what_makes_no_sense_is_refused(pair):
    with pair[0].connect() as connection:
        transaction = connection.begin_twophase("once")
        with pytest.raises(exc.InvalidRequestError, match="already in progress"):
            connection.begin_twophase()
        with pytest.raises(exc.InvalidRequestError, match="outside of other transactions"):
            connection.commit_prepared("another")
        transaction.prepare()
        with pytest.raises(exc.InvalidRequestError, match="prepared already"):
            transaction.prepare()
        with pytest.raises(exc.InvalidRequestError, match="prepared; no further SQL"):
            connection.execute(text("SELECT 1"))
        transaction.rollback()
        with pytest.raises(exc.InvalidRequestError, match="inactive"):
            transaction.prepare()
        with pytest.raises(exc.ArgumentError, match="1 to"):
            connection.begin_twophase("x" * 500)
        with pytest.raises(exc.DBAPIError):
            connection.commit_prepared("nobody prepared this")


@servers_only
def test_a_session_prepares_and_then_commits_or_rolls_back(pair):
    engine = pair[0]
    for name, ending in (("eve", "commit"), ("lost", "rollback")):
        with Session(engine, twophase=True) as session:
            assert session.twophase
            session.add(User(name=name))
            session.prepare()
            assert len(prepared(pair[1])) == 1
            with pytest.raises(exc.InvalidRequestError, match="'prepared' state; no further SQL"):
                session.execute(text("SELECT 1"))
            getattr(session, ending)()
            session.execute(text("SELECT 1"))
    assert names(engine) == ["eve"] and prepared(engine) == []


@servers_only
def test_a_session_commits_on_both_databases_or_on_none(pair):
    one, two = pair
    binds = {User: one, Order: two}
    with Session(binds=binds, twophase=True) as session:
        session.add_all([User(name="eve"), Order(title="tea")])
        session.commit()
    assert names(one) == ["eve"]
    with Session(binds=binds, twophase=True) as session:
        session.add_all([User(name="lost"), Order(title="tea")])
        with pytest.raises(exc.IntegrityError):
            session.commit()
    with Session(binds=binds, twophase=True) as session:
        session.add_all([User(name="lost"), Order(title="coffee")])
        session.flush()
        other = session.connection(bind_arguments={"mapper": Order})
        other.invalidate()  # its transaction cannot be prepared any more
        with pytest.raises(exc.SQLAlchemyError):
            session.commit()
        session.rollback()
    assert names(one) == ["eve"] and prepared(one) == []


def test_prepare_needs_a_session_that_does_so(pair):
    with Session(pair[0]) as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(exc.InvalidRequestError, match="'twophase' mode not enabled"):
            session.prepare()


@pytest.mark.database("sqlite")
def test_sqlite_has_none(engine):
    fill(engine)
    with engine.connect() as connection:
        for call in (connection.begin_twophase, connection.recover_twophase, lambda: connection.commit_prepared("x")):
            with pytest.raises(NotImplementedError):
                call()
    with Session(engine, twophase=True) as session, pytest.raises((NotImplementedError, exc.NotSupportedError)):
        session.get(User, 1)


@servers_only
def test_listeners_hear_of_each_step(pair):
    told = []
    for name in ("begin", "commit", "rollback"):
        event.listen(pair[0], name, lambda connection, name=name: told.append(name))
    for name in ("begin_twophase", "prepare_twophase"):
        event.listen(pair[0], name, lambda connection, xid, name=name: told.append((name, xid)))
    for name in ("commit_twophase", "rollback_twophase"):
        event.listen(pair[0], name, lambda connection, xid, done, name=name: told.append((name, xid, done)))
    with pair[0].connect() as connection:
        transaction = connection.begin_twophase("first")
        transaction.prepare()
        transaction.commit()
        connection.begin_twophase("second").rollback()
    assert told == [("begin_twophase", "first"), ("prepare_twophase", "first"), ("commit_twophase", "first", True),
                    ("begin_twophase", "second"), ("rollback_twophase", "second", False)]  # fmt: skip
