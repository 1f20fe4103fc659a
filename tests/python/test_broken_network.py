"""A network that breaks at any message: a clear error in time, nothing half-written, and the next session works."""

import pathlib
import sys
import threading

import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, exc, func, select
from cormorant.orm import Session, declarative_base, relationship
from databases import KIND

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

from proxy import Proxy  # noqa: E402 -- the path is set first

pytestmark = pytest.mark.database("postgresql", "mariadb")

WAIT = 0.5  # seconds that an answer may take: of a machine that does other things too
LONGEST = 20  # seconds after which a test counts as hanging
Base = declarative_base()


class Account(Base):
    __tablename__ = "accounts"
    id = Column(Integer, primary_key=True)
    owner = Column(String(50))
    balance = Column(Integer)
    entries = relationship("Entry", back_populates="account")


class Entry(Base):
    __tablename__ = "entries"
    id = Column(Integer, primary_key=True)
    account_id = Column(ForeignKey("accounts.id"))
    amount = Column(Integer)
    account = relationship("Account", back_populates="entries")


@pytest.fixture
def proxy(database):
    url = database.own
    default = {"postgresql": 5432, "mariadb": 3306}[KIND]
    proxy = Proxy(KIND, url.host or "127.0.0.1", url.port or default)
    yield proxy
    proxy.close()


@pytest.fixture
def through(database, proxy, engine):
    """An engine whose connections go through the proxy; the tables are there."""
    Base.metadata.create_all(engine)
    url = database.own.set(host="127.0.0.1", port=proxy.port)
    through = create_engine(url.update_query_dict({"connect_timeout": str(WAIT), "read_timeout": str(WAIT)}))
    yield through
    through.dispose()


def program(engine):
    """Connect, prepare, query, flush, commit; True when the commit was reported."""
    with Session(engine) as session:
        account = Account(owner="Ada", balance=0)
        session.add(account)
        for amount in (10, 20, 30):
            account.entries.append(Entry(amount=amount))
        session.flush()
        account.balance = session.scalar(select(func.sum(Entry.amount)).where(Entry.account == account))
        session.commit()
    return True


def in_time(work):
    """What the work gives or raises; it may not take for ever."""
    outcome = {}

    def run():
        try:
            outcome["result"] = work()
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LONGEST)
    assert not thread.is_alive(), "the program hangs"
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def messages_of(proxy, engine):
    """How many messages the server sends while the program runs on a new connection."""
    engine.dispose()
    proxy.reset()
    in_time(lambda: program(engine))
    count = proxy.messages
    engine.dispose()
    return count


def check_money(engine):
    """Each account has all of its entries and the sum of them, or is not there."""
    with Session(engine) as session:
        accounts = session.scalars(select(Account)).all()
        for account in accounts:
            assert sorted(entry.amount for entry in account.entries) == [10, 20, 30]
            assert account.balance == 60
        return len(accounts)


@pytest.mark.parametrize("fault", ["cut", "reset", "truncate", "stall", "half"])
def test_a_break_at_any_message_is_an_error_and_leaves_nothing_half_done(through, proxy, engine, fault, capsys):
    total = messages_of(proxy, through)
    assert total > 10
    accounts = check_money(engine)
    for at in range(1, total + 1):
        proxy.reset(fault, at)
        committed = in_doubt = False
        try:
            committed = in_time(lambda: program(through))
        except exc.DBAPIError as error:
            assert isinstance(error, (exc.OperationalError, exc.InterfaceError, exc.InternalError)), (at, error)
            assert str(error.orig), at
            in_doubt = "whether the transaction was committed is not known" in str(error)
            assert in_doubt == (error.statement == "COMMIT"), (at, error)
            assert not (in_doubt and getattr(error, "is_transient", False)), (at, error)
        else:
            assert not proxy.happened or at >= total - 2, f"the break at message {at} of {total} went unnoticed"
        broken = proxy.happened
        proxy.drop()
        proxy.reset()
        assert in_time(lambda: program(through)), f"after a break at message {at}"
        through.dispose()
        now = check_money(engine)
        # A commit that was reported is there, one in doubt may be, nothing else is.
        assert now - accounts in ((2,) if committed else (1, 2) if in_doubt else (1,)), (at, broken)
        accounts = now
    with capsys.disabled():
        print(f"\nfaults: {total} broken messages ({fault})")


@pytest.mark.parametrize("piece", [1, 7])
def test_messages_that_come_in_pieces_are_whole_in_the_end(through, proxy, engine, piece):
    proxy.reset(piece=piece)
    for _ in range(3):
        in_time(lambda: program(through))
    assert check_money(engine) == 3


def test_slow_messages_are_waited_for(database, proxy, engine):
    Base.metadata.create_all(engine)
    patient = create_engine(database.own.set(host="127.0.0.1", port=proxy.port))
    proxy.reset(delay=0.01)
    in_time(lambda: program(patient))
    assert check_money(engine) == 1
    patient.dispose()


def test_a_server_that_cannot_be_reached_is_an_operational_error(through, proxy):
    proxy.close()
    with pytest.raises(exc.OperationalError):
        in_time(lambda: program(through))


def test_a_connection_that_broke_while_idle_is_replaced_when_asked_for(database, proxy, engine):
    Base.metadata.create_all(engine)
    url = database.own.set(host="127.0.0.1", port=proxy.port)
    pinging = create_engine(url, pool_pre_ping=True)
    in_time(lambda: program(pinging))
    proxy.drop()
    in_time(lambda: program(pinging))
    assert check_money(engine) == 2
    pinging.dispose()
