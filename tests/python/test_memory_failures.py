"""Memory runs out: the 1st, 2nd, 3rd ... allocation of the interpreter fails, until each scenario passes.

Each scenario runs in a process of its own. Each failure has to come out as MemoryError (or as an error caused by
one); the interpreter goes on, and the same session still answers once memory is back.
"""

import pytest
from support import ours_only, run_python

pytest.importorskip("_testcapi")
pytestmark = ours_only

HARNESS = """
import gc, sys
from _testcapi import remove_mem_hooks, set_nomemory
from cormorant import create_engine, exc, select, text, func, insert
from cormorant.orm import Session, selectinload, joinedload
from people import Address, User, fill

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

scenario = globals()[sys.argv[1]]
for _ in range(3):
    expected = scenario()
gc.collect()
gc.disable()
injected = passed_in_a_row = other = 0
number = 0
while passed_in_a_row < 3 and number < 20000:
    failed = None
    gc.collect()  # also empties the interpreter's stocks of small objects, so that they are allocated anew
    set_nomemory(number, number + 1)
    try:
        result = scenario()
    except BaseException as error:
        failed = error
    remove_mem_hooks()
    if failed is None:
        passed_in_a_row += 1
    else:
        injected += 1
        passed_in_a_row = 0
        kinds = []
        while failed is not None and len(kinds) < 10:
            kinds.append(type(failed).__name__)
            failed = failed.__cause__ or failed.__context__
        if "MemoryError" not in kinds:
            other += 1
            print("other:", number, kinds)
    del failed
    with Session(engine) as session:
        assert session.scalar(select(func.count(User.id))) == 4, number
        assert session.get(User, 1).age == 30, number
    number += 1
assert scenario() == expected or scenario is create or scenario is hold
print("integrity:", engine.connect().scalar(text("PRAGMA integrity_check")))
print(f"injected: {injected} other: {other} until: {number}")
"""

TOTAL = []


@pytest.mark.parametrize("scenario", ["create", "load", "load_eagerly", "query", "flush", "core", "hold"])
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
