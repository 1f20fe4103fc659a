"""Nothing is left behind: each scenario, repeated, leaves as many objects and as much memory as before it."""

import gc
import pickle
import sys
import tracemalloc

import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, event, exc, inspect, select, text, update
from cormorant.orm import Session, declarative_base, joinedload, relationship, selectinload
from people import Address, User, fill
from support import ours_only

pytestmark = [ours_only, pytest.mark.database("sqlite")]

ROUNDS = 30


@pytest.fixture(scope="module")
def engine():
    engine = create_engine("sqlite://")
    fill(engine)
    yield engine
    engine.dispose()


def make_objects(engine):
    user = User(name="x", addresses=[Address(email="y")])
    user.addresses.append(Address(email="z"))
    user.addresses.pop().user
    user.note = vars(user)


def load_objects(engine):
    with Session(engine) as session:
        [(user.name, vars(user)) for user in session.scalars(select(User))]
        session.query(User).filter(User.age == 30).order_by(User.id).all()
        session.get(User, 1).addresses[0].user


def load_eagerly(engine):
    with Session(engine) as session:
        session.scalars(select(User).options(selectinload(User.addresses).joinedload(Address.user))).all()
        session.scalars(select(User).options(joinedload(User.addresses))).unique().all()


def write_and_roll_back(engine):
    with Session(engine) as session:
        user = User(name="x", addresses=[Address(email=str(number)) for number in range(5)])
        session.add(user)
        session.flush()
        user.name = "y"
        user.addresses.pop()
        session.flush()
        with session.begin_nested():
            session.delete(session.get(User, 4))
        session.rollback()


def commit_and_delete(engine):
    with Session(engine) as session:
        user = User(name="x")
        session.add(user)
        session.commit()
        user.name
        session.delete(user)
        session.commit()


def rows_and_results(engine):
    with engine.connect() as connection:
        rows = connection.execute(select(User.id, User.name)).all()
        [row._mapping["name"] for row in rows]
        connection.execute(text("SELECT :a"), {"a": "x"}).mappings().all()
        next(iter(connection.execute(select(User.id))))


def expressions(engine):
    condition = (User.name == "x") | User.age.in_([1, 2, 3]) & ~User.addresses.any()
    str(select(User, Address.email).join(User.addresses).where(condition).order_by(User.id.desc()).limit(3))


def bulk_statements(engine):
    with Session(engine) as session:
        session.get(User, 1)
        session.execute(update(User).where(User.age > 1).values(age=User.age + 1))
        session.rollback()


def errors(engine):
    with Session(engine) as session:
        session.add(User(id=1))
        try:
            session.flush()
        except exc.IntegrityError:
            session.rollback()
        try:
            session.execute(text("SELECT * FROM nowhere"))
        except exc.OperationalError:
            pass
        try:
            User(nothing=1)
        except TypeError:
            pass


def hooks(engine):
    def note(*arguments):
        pass

    event.listen(User, "before_insert", note)
    with Session(engine) as session:
        event.listen(session, "before_flush", note)
        session.add(User())
        session.flush()
        session.rollback()
    event.remove(User, "before_insert", note)


def hooks_that_raise(engine):
    def fail(*arguments):
        raise KeyError

    with Session(engine) as session:
        event.listen(session, "before_flush", fail)
        session.add(User())
        try:
            session.flush()
        except KeyError:
            session.rollback()


def inspection(engine):
    with Session(engine) as session:
        user = session.get(User, 1)
        user.age = 5
        state = inspect(user)
        (state.attrs.age.history, state.identity, state.unloaded, state.session, session.dirty, list(session))
        session.merge(User(id=2, name="m"))
        session.expire(user)
        session.refresh(user)
        session.expunge(user)


def pickles(engine):
    with Session(engine) as session:
        user = session.get(User, 1)
        user.addresses
        pickle.loads(pickle.dumps(user))


def circles_that_only_the_collector_finds(engine):
    session = Session(engine)
    user = session.get(User, 1)
    user.session = session
    user.addresses[0].friend = user
    session.info["user"] = user


def classes(engine):
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        children = relationship("Child", back_populates="parent", cascade="all, delete-orphan")

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))
        parent = relationship("Parent", back_populates="children")

    Parent(children=[Child()]).children[0].parent


def engines(engine):
    own = create_engine("sqlite://")
    with own.begin() as connection:
        connection.execute(text("CREATE TABLE t (a)"))
    own.dispose()


SCENARIOS = [
    make_objects, load_objects, load_eagerly, write_and_roll_back, commit_and_delete, rows_and_results, expressions,
    bulk_statements, errors, hooks, hooks_that_raise, inspection, pickles, circles_that_only_the_collector_finds,
    classes, engines,
]  # fmt: skip


def settle():
    """Collect what can be collected, and empty the interpreter's cache of looked-up names, which holds some of them."""
    for _ in range(3):
        gc.collect()
    sys._clear_type_cache()


def growth(scenario, engine):
    """What some rounds leave: objects of the collector, blocks, bytes."""
    objects = len(gc.get_objects())
    memory, blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
    for _ in range(ROUNDS):
        scenario(engine)
    settle()
    grown, more_blocks = tracemalloc.get_traced_memory()[0] - memory, sys.getallocatedblocks() - blocks
    return len(gc.get_objects()) - objects, more_blocks, grown


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_objects_and_memory_stay_flat(engine, scenario):
    """A leak grows in each of three measurements; a table of the interpreter's that finds its size grows in one."""
    for _ in range(5):
        scenario(engine)
    settle()
    tracemalloc.start()
    try:
        scenario(engine)
        settle()
        measured = [growth(scenario, engine) for _ in range(3)]
    finally:
        tracemalloc.stop()
    objects, blocks, grown = map(min, zip(*measured))
    print(f"{scenario.__name__}: {ROUNDS} rounds, {objects} objects, {blocks} blocks, {grown} bytes more")
    assert objects < 2 and blocks < ROUNDS // 6 and grown < ROUNDS * 20


def resident():
    import os

    with open("/proc/self/statm") as statistics:
        return int(statistics.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_memory_of_the_process_stays_flat(engine, scenario):
    """Also what the C core allocates behind Python's back."""
    rounds = 300 if scenario is not classes else 60
    for _ in range(rounds // 3):
        scenario(engine)
    settle()
    before = resident()
    for _ in range(rounds):
        scenario(engine)
    settle()
    grown = resident() - before
    print(f"{scenario.__name__}: {rounds} rounds, {grown // 1024} KiB more")
    assert grown < 2 * 1024 * 1024 if rounds >= 300 else grown < 4 * 1024 * 1024


def test_shared_objects_keep_their_reference_counts(engine):
    watched = {
        "None": None,
        "True": True,
        "User": User,
        "Address": Address,
        "engine": engine,
        "name": User.name,
        "table": User.__table__,
    }
    for scenario in SCENARIOS:
        scenario(engine)
    settle()
    before = {name: sys.getrefcount(thing) for name, thing in watched.items()}
    for _ in range(ROUNDS):
        for scenario in SCENARIOS:
            if scenario is not classes:
                scenario(engine)
    settle()
    for name, thing in watched.items():
        more = sys.getrefcount(thing) - before[name]
        print(f"{name}: {more} references more")
        assert abs(more) < ROUNDS // 2, name
