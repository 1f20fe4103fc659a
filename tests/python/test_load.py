"""Load: memory that stays flat over many statements, many threads on few connections, connect storms, slow servers.

Bounds are small here; `make soak` sets CORM_LOAD_STATEMENTS and CORM_LOAD_THREADS to what the promises say.
"""

import os
import pathlib
import secrets
import sys
import threading

import pytest
from cormorant import Column, Integer, String, create_engine, exc, func, insert, select, text
from cormorant.orm import Session, declarative_base
from cormorant.pool import NullPool
from databases import KIND
from support import ours_only
from test_leaks import resident, settle

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

servers_only = pytest.mark.database("postgresql", "mariadb")
STATEMENTS = int(os.environ.get("CORM_LOAD_STATEMENTS", "6000"))
THREADS = int(os.environ.get("CORM_LOAD_THREADS", "60"))
CONNECTIONS = 20
WAIT = 300  # seconds after which a test counts as hanging
MOST_GROWTH = 3 * 1024 * 1024
Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    amount = Column(Integer)


def run_all(count, work):
    """work(number) in so many threads that begin at once; the errors."""
    errors, lock, start = [], threading.Lock(), threading.Barrier(count)

    def run(number):
        start.wait(WAIT)
        try:
            work(number)
        except BaseException as error:
            with lock:
                errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    return errors


# ---- memory ----


def some_statements(engine, first):
    """Ten statements: of the unit of work, by key, with a text of their own, one that fails."""
    with Session(engine) as session:
        item = Item(name=f"item {first}", amount=first % 7)
        session.add(item)
        session.flush()
        item.amount += 1
        session.flush()
        session.scalars(select(Item).where(Item.id == item.id)).one()
        session.execute(text(f"SELECT {first} AS number_{first % 1000}")).all()
        session.execute(select(func.count(Item.id)).where(Item.amount == first % 3)).scalar()
        session.delete(item)
        session.commit()
    with engine.connect() as connection:
        connection.execute(insert(Item), [{"name": "a"}, {"name": "b"}])
        connection.execute(select(Item.__table__).limit(first % 5 + 1)).all()
        with pytest.raises(exc.DBAPIError):
            connection.execute(text(f"SELECT nothing_{first % 50} FROM items"))
        connection.rollback()


@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps what was freed")
def test_memory_stays_flat_over_many_statements(file_engine, capsys):
    engine = file_engine
    Base.metadata.create_all(engine)
    for number in range(STATEMENTS // 20 + 100):  # caches find their sizes
        some_statements(engine, number)
    settle()
    before = resident()
    for number in range(STATEMENTS // 10):
        some_statements(engine, number)
    settle()
    grown = resident() - before
    with capsys.disabled():
        print(f"\nload: {STATEMENTS} statements, {grown // 1024} KiB more")
    assert grown < MOST_GROWTH


@servers_only
def test_the_servers_memory_of_a_connection_is_bounded(file_engine):
    """Prepared statements are given back: very many texts leave no more than the cache holds."""
    with file_engine.connect() as connection:
        for number in range(400):
            connection.execute(text(f"SELECT {number}")).all()
        if KIND == "postgresql":
            kept = connection.scalar(text("SELECT count(*) FROM pg_prepared_statements"))
        else:
            kept = connection.execute(text("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'")).one()[1]
        assert int(kept) < 400


# ---- threads ----


@servers_only
def test_many_threads_share_few_connections(database_url, capsys):
    engine = create_engine(database_url, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=WAIT)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Item(id=number, name="counter", amount=0) for number in range(1, 6)])
        session.commit()
    most, lock, used = [0], threading.Lock(), set()

    def work(number):
        for round in range(5):
            with Session(engine) as session:
                session.get(Item, (number + round) % 5 + 1, with_for_update=True).amount += 1
                session.flush()
                with lock:
                    most[0] = max(most[0], engine.pool.checkedout())
                    used.add(session.connection().connection.dbapi_connection)
                session.commit()

    assert run_all(THREADS, work) == []
    with Session(engine) as session:
        assert session.scalar(select(func.sum(Item.amount))) == THREADS * 5
    assert most[0] <= CONNECTIONS and len(used) <= CONNECTIONS
    assert engine.pool.checkedout() == 0
    engine.dispose()
    with capsys.disabled():
        print(f"\nload: {THREADS} threads on at most {most[0]} connections")


def test_a_thread_that_gets_no_connection_in_time_is_told(database_url):
    engine = create_engine(database_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect():
        errors = run_all(10, lambda number: engine.connect())
    assert len(errors) == 10
    assert all(isinstance(error, exc.TimeoutError) and "QueuePool limit" in str(error) for error in errors)
    assert run_all(1, lambda number: engine.connect().close()) == []
    engine.dispose()


# ---- connect storms ----


@pytest.fixture
def limited(database, engine):
    """The URL of somebody who may have so many connections, and no more."""
    name, password = f"storm_{secrets.token_hex(4)}", secrets.token_hex(8)
    limit = 10
    with database.admin.connect() as admin:
        if KIND == "postgresql":
            admin.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' CONNECTION LIMIT {limit}"))
        else:
            admin.execute(text(f"CREATE USER {name} IDENTIFIED BY '{password}' WITH MAX_USER_CONNECTIONS {limit}"))
            admin.execute(text(f"GRANT SELECT ON *.* TO {name}"))
    yield database.own.set(username=name, password=password), limit
    with database.admin.connect() as admin:
        admin.execute(text(f"DROP {'ROLE' if KIND == 'postgresql' else 'USER'} {name}"))


@servers_only
def test_more_connections_than_the_server_gives_are_errors_and_it_recovers(limited, capsys):
    url, limit = limited
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": "60"})
    held, lock = [], threading.Lock()

    def work(number):
        connection = engine.connect()
        with lock:
            held.append(connection)
        assert connection.scalar(text("SELECT 1")) == 1

    errors = run_all(THREADS, work)
    with capsys.disabled():
        print(f"\nload: a storm of {THREADS}: {len(held)} connected, {len(errors)} refused")
    assert 0 < len(held) <= limit and len(held) + len(errors) == THREADS
    assert all(isinstance(error, exc.OperationalError) for error in errors), set(map(type, errors))
    assert not any(url.password in str(error) for error in errors)
    for connection in held:
        connection.close()
    engine.dispose()
    calm = create_engine(url, pool_size=limit - 2, max_overflow=0, pool_timeout=WAIT, pool_pre_ping=True)

    def ask(number):
        for _ in range(100):  # the server may take a moment to see that the others are gone
            try:
                with calm.connect() as connection:
                    assert connection.scalar(text("SELECT 1")) == 1
                return
            except exc.OperationalError:
                threading.Event().wait(0.02)
        raise AssertionError("it does not recover")

    assert run_all(THREADS, ask) == []
    calm.dispose()


# ---- slow servers ----


@servers_only
def test_a_slow_server_serves_everybody(database, engine):
    from proxy import Proxy

    Base.metadata.create_all(engine)
    url = database.own
    proxy = Proxy(KIND, url.host or "127.0.0.1", url.port or {"postgresql": 5432, "mariadb": 3306}[KIND])
    slow = create_engine(url.set(host="127.0.0.1", port=proxy.port), pool_size=4, max_overflow=0)
    proxy.reset(delay=0.005)

    def work(number):
        with Session(slow) as session:
            session.add(Item(name="slow", amount=number))
            session.commit()

    assert run_all(16, work) == []
    with Session(engine) as session:
        assert sorted(session.scalars(select(Item.amount))) == list(range(16))
    slow.dispose()
    proxy.close()


@servers_only
@ours_only
def test_a_server_that_became_too_slow_is_an_error_for_each_who_waits(database, engine):
    from proxy import Proxy

    Base.metadata.create_all(engine)
    url = database.own
    proxy = Proxy(KIND, url.host or "127.0.0.1", url.port or {"postgresql": 5432, "mariadb": 3306}[KIND])
    through = url.set(host="127.0.0.1", port=proxy.port).update_query_dict({"read_timeout": "0.2"})
    slow = create_engine(through, pool_size=8)
    for connection in [slow.connect() for _ in range(8)]:
        connection.close()
    proxy.reset("stall", 1)

    def work(number):
        with Session(slow) as session:
            session.add(Item(name="never", amount=number))
            session.commit()

    errors = run_all(8, work)
    assert len(errors) == 8
    assert all(isinstance(error, exc.OperationalError) and error.connection_invalidated for error in errors), errors
    proxy.drop()
    proxy.reset()
    assert run_all(1, work) == []
    slow.dispose()
    proxy.close()
