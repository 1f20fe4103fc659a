"""Memory runs out: the 1st, 2nd, 3rd ... allocation of the interpreter fails, until each scenario passes.

Each scenario runs in a process of its own. Each failure has to come out as MemoryError (or as an error caused by
one); the interpreter goes on, and the same session still answers once memory is back.
"""

import pytest
from support import ours_only, run_python

pytest.importorskip("_testcapi")
pytestmark = [ours_only, pytest.mark.database("sqlite")]

HARNESS = """
import gc, pickle, sys
from _testcapi import remove_mem_hooks, set_nomemory
from cormorant import Column, ForeignKey, Integer, create_engine, exc, func, insert, inspect, select, text
from cormorant.orm import Session, declarative_base, joinedload, relationship, selectinload
from people import Address, Base, User, fill

engine = create_engine("sqlite://")
fill(engine)

def create():
    user = User(name="x", age=5)
    user.addresses.append(Address(email="y"))
    user.name = "z"
    return user.name, user.addresses[0].user

def load():
    with Session(engine) as session:
        users = session.scalars(select(User).order_by(User.id)).all()
        return [(user.name, user.age) for user in users], [mail.email for mail in users[0].addresses]

def load_eagerly():
    with Session(engine) as session:
        users = session.scalars(select(User).options(selectinload(User.addresses))).all()
        joined = session.scalars(select(Address).options(joinedload(Address.user))).all()
        return [len(user.addresses) for user in users], [mail.user.name for mail in joined]

def query():
    with Session(engine) as session:
        counted = session.query(User.name, func.count(Address.id)).outerjoin(Address)
        return counted.group_by(User.id).order_by(User.id).all()

def flush():
    with Session(engine) as session:
        session.add(User(name="new", addresses=[Address(email="1"), Address(email="2")]))
        session.flush()
        ann = session.get(User, 1)
        ann.age = 31
        session.delete(session.get(User, 4))
        session.flush()
        session.rollback()

def core():
    with engine.connect() as connection:
        connection.execute(insert(User.__table__), [{"name": "a"}, {"name": "b"}])
        found = connection.execute(text("SELECT name FROM users WHERE id = :i"), {"i": 1}).mappings().all()
        connection.rollback()
        return [dict(row) for row in found]

def hold():
    user = User(name="x")
    return vars(user), repr(select(User)), str(User.name == "x")

def flush_many():
    with Session(engine) as session:
        users = [User(name=str(number)) for number in range(40)]
        session.add_all(users)
        session.flush()
        for user in users:
            user.name += "!"
        session.flush()
        for user in users:
            session.delete(user)
        session.flush()
        session.rollback()

def savepoint():
    with Session(engine) as session:
        ann = session.get(User, 1)
        with session.begin_nested():
            ann.age = 99
            session.flush()
        session.rollback()
        return ann.age

def merge_and_pickle():
    with Session(engine) as session:
        ann = session.get(User, 1)
        ann.addresses
        again = pickle.loads(pickle.dumps(ann))
        session.expunge_all()
        return session.merge(again).name

def declare():
    Base = declarative_base()

    class Thing(Base):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("things.id"))
        up = relationship("Thing", remote_side=[id], backref="down")

    return len(Thing(up=Thing()).up.down)

def cold():
    own = create_engine("sqlite://")
    with own.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(insert(User.__table__), {"name": "x"})
        found = connection.scalars(select(User.name).where(User.name.in_(["x", "y"]) | User.age.is_(None))).all()
    own.dispose()
    return found

def inspected():
    with Session(engine) as session:
        ann = session.get(User, 1)
        ann.age = 5
        state = inspect(ann)
        session.rollback()
        return state.attrs.age.history, state.identity, sorted(state.unloaded), state.dict

scenario = globals()[sys.argv[1]]
for _ in range(3):
    expected = scenario()
gc.collect()
gc.disable()
injected = other = 0

def attempt(first, last):
    # Allocations from the first to before the last fail.
    global injected, other
    gc.collect()  # also empties the interpreter's stocks of small objects, so that they are allocated anew
    failed = None
    set_nomemory(first, last)
    try:
        scenario()
    except BaseException as error:
        failed = error
    remove_mem_hooks()
    came_through = failed is None
    if not came_through:
        injected += 1
        kinds = []
        while failed is not None and len(kinds) < 10:
            kinds.append(type(failed).__name__)
            failed = failed.__cause__ or failed.__context__
        if "MemoryError" not in kinds and kinds != ["PicklingError"]:  # pickle drops the cause when it imports
            other += 1
            print("other:", first, last, kinds)
    del failed
    with Session(engine) as session:
        assert session.scalar(select(func.count(User.id))) == 4, (first, last)
        assert session.get(User, 1).age == 30, (first, last)
    return came_through

number = 0
while not attempt(number, number + 25):  # many in a row fail; not all, for then CPython 3.11 cannot even unwind a frame
    number += 1
for single in range(number):  # just this one fails
    attempt(single, single + 1)
assert scenario() == expected or scenario in (create, hold, inspected)
print("integrity:", engine.connect().scalar(text("PRAGMA integrity_check")))
print(f"injected: {injected} other: {other} until: {number}")
"""

SCENARIOS = [
    "create", "load", "load_eagerly", "query", "flush", "flush_many", "savepoint", "merge_and_pickle", "core", "cold",
    "hold", "declare", "inspected",
]  # fmt: skip
TOTAL = []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_failed_allocation_is_a_memory_error_and_nothing_else(scenario):
    done = run_python(HARNESS, scenario, timeout=600)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    words = done.stdout.split()
    injected, other = (
        int(words[words.index("injected:") + 1]),
        int(words[words.index("other:", words.index("injected:")) + 1]),
    )
    print(f"{scenario}: injected: {injected}")
    TOTAL.append(injected)
    assert "integrity: ok" in done.stdout
    assert injected > 3 and other == 0, done.stdout[-2000:]


def test_the_injections_are_counted():
    print(f"injected: {sum(TOTAL)}")
    assert sum(TOTAL) > 0
