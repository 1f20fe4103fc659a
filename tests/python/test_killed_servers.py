"""Servers that are killed while money is transferred: not a cent appears or vanishes, and what was told is there."""

import importlib
import os
import pathlib
import random
import signal
import sys
import threading
import time
import uuid

import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, exc, func, select, text
from cormorant.orm import Session, declarative_base
from databases import KIND

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

pytestmark = pytest.mark.database("postgresql", "mariadb")

SECONDS = float(os.environ.get("CORM_KILL_SECONDS", "12"))
THREADS = 16
ACCOUNTS = 20
MONEY = 1000
Base = declarative_base()


class Account(Base):
    __tablename__ = "accounts"
    id = Column(Integer, primary_key=True)
    balance = Column(Integer, nullable=False)


class Transfer(Base):
    __tablename__ = "transfers"
    id = Column(Integer, primary_key=True)
    token = Column(String(36), unique=True)
    source_id = Column(ForeignKey("accounts.id"))
    target_id = Column(ForeignKey("accounts.id"))
    amount = Column(Integer)


@pytest.fixture
def server():
    """A server of the test's own, which keeps what it promised."""
    server = importlib.import_module(KIND).Server(durable=True)
    server.start()
    yield server
    server.stop()


def transfer(engine, token, chance):
    first, second = chance.sample(range(1, ACCOUNTS + 1), 2)
    amount = chance.randrange(1, 50)
    with Session(engine) as session:
        query = select(Account).where(Account.id.in_([first, second])).order_by(Account.id).with_for_update()
        accounts = {account.id: account for account in session.scalars(query)}
        accounts[first].balance -= amount
        accounts[second].balance += amount
        session.add(Transfer(token=token, source_id=first, target_id=second, amount=amount))
        session.commit()


class Workers:
    def __init__(self, engine):
        self.engine = engine
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.reported = []
        self.failures = []
        self.surprises = []
        self.threads = [threading.Thread(target=self.work, args=(seed,)) for seed in range(THREADS)]

    def work(self, seed):
        chance = random.Random(seed)
        while not self.over.is_set():
            token = str(uuid.UUID(int=chance.getrandbits(128)))
            try:
                transfer(self.engine, token, chance)
            except (exc.OperationalError, exc.InterfaceError, exc.InternalError) as error:
                with self.lock:
                    self.failures.append(str(error))
                time.sleep(0.02)
            except BaseException as error:
                with self.lock:
                    self.surprises.append(repr(error))
            else:
                with self.lock:
                    self.reported.append(token)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads), "a worker hangs"


def end_a_backend(server, engine, chance):
    """PostgreSQL: kill -9 of a connection's process, which makes the server begin anew; MariaDB has threads."""
    if KIND == "mariadb":
        with engine.connect() as connection:
            numbers = connection.scalars(text(
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id != CONNECTION_ID()")).all()
            for number in numbers[:3]:
                connection.execute(text(f"KILL {number}"))
        return
    pids = [pid for pid in server.children()]
    with engine.connect() as connection:
        backends = set(connection.scalars(text(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid != pg_backend_pid()")))
    victims = [pid for pid in pids if pid in backends]
    if victims:
        os.kill(chance.choice(victims), signal.SIGKILL)


def check_books(engine, reported):
    with Session(engine) as session:
        assert session.scalar(select(func.sum(Account.balance))) == ACCOUNTS * MONEY
        transfers = session.scalars(select(Transfer)).all()
        balances = dict.fromkeys(range(1, ACCOUNTS + 1), MONEY)
        for one in transfers:
            balances[one.source_id] -= one.amount
            balances[one.target_id] += one.amount
        assert balances == {account.id: account.balance for account in session.scalars(select(Account))}
        missing = set(reported) - {one.token for one in transfers}
        assert not missing, f"{len(missing)} commits were reported and are not there"
        return len(transfers)


def test_killed_servers_lose_nothing_that_was_reported(server, capsys):
    chance = random.Random(2026)
    engine = create_engine(server.url(), pool_size=THREADS, connect_args={"connect_timeout": "5"})
    outside = create_engine(server.url(), pool_size=1, pool_pre_ping=True)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Account(id=number, balance=MONEY) for number in range(1, ACCOUNTS + 1)])
        session.commit()
    kills = 0
    with Workers(engine) as workers:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(0.7)
            kills += 1
            if kills % 3 == 0:
                server.kill()
                server.revive()
                continue
            try:
                end_a_backend(server, outside, chance)
            except exc.DBAPIError:
                pass  # it is starting again
        time.sleep(0.5)
    assert workers.surprises == []
    for _ in range(50):
        try:
            with outside.connect():
                break
        except exc.OperationalError:
            time.sleep(0.1)
    assert len(workers.reported) > 20 and workers.failures
    there = check_books(outside, workers.reported)
    engine.dispose()
    outside.dispose()
    with capsys.disabled():
        print(f"\nkills: {kills} kills, {len(workers.reported)} transfers reported, {there} there, "
              f"{len(workers.failures)} failed")  # fmt: skip
