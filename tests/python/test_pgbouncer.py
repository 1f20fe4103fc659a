"""Behind a pooler that hands each transaction to another session: nothing may be left on the server between them."""

import pathlib
import sys

import pytest
from cormorant import create_engine, exc, select, text
from cormorant.orm import Session
from databases import KIND
from people import Address, User, fill
from support import ours_only

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

pytestmark = [pytest.mark.database("postgresql"), ours_only]


@pytest.fixture(scope="module")
def bouncers(database):
    """By the number of sessions that they keep on the server."""
    if KIND != "postgresql":
        pytest.skip("is about PostgreSQL")
    from pgbouncer import PgBouncer

    started = {}
    for sessions in (1, 2):
        started[sessions] = PgBouncer(database.own, sessions)
        started[sessions].start()
    yield {sessions: bouncer.url() for sessions, bouncer in started.items()}
    for bouncer in started.values():
        bouncer.stop()


@pytest.fixture
def behind(bouncers, database, engine):
    """behind(sessions, **arguments): an engine whose connections go through the pooler."""
    made = []
    fill(engine)

    def behind(sessions, **arguments):
        made.append(create_engine(bouncers[sessions].update_query_dict(arguments), pool_size=4))
        return made[-1]

    yield behind
    for one in made:
        one.dispose()


def turn(session, name):
    """A transaction of several kinds of statements."""
    user = session.scalars(select(User).where(User.name == name)).one()
    count = len(user.addresses)
    user.addresses.append(Address(email=f"{name}{count}@example.com"))
    session.add_all([User(name=f"{name}'s friend {number}") for number in range(3)])
    session.flush()
    user.age = (user.age or 0) + 1
    session.commit()
    return count


@pytest.mark.parametrize("sessions", [1, 2])
def test_without_preparing_two_take_turns_on_the_servers_sessions(behind, sessions):
    engine = behind(sessions, prepare_threshold="none")
    with Session(engine) as one, Session(engine) as two:
        before = {name: turn(session, name) for session, name in ((one, "ann"), (two, "bob"))}
        for round in range(1, 4):
            assert turn(one, "ann") == before["ann"] + round
            assert turn(two, "bob") == before["bob"] + round


def test_rows_stream_and_savepoints_hold_within_a_transaction(behind):
    engine = behind(1, prepare_threshold="none")
    with engine.connect() as connection:
        rows = connection.execution_options(yield_per=2).execute(text("SELECT generate_series(1, 9)"))
        assert [row[0] for row in rows] == list(range(1, 10))
    with Session(engine) as session:
        session.add(User(name="kept"))
        with pytest.raises(exc.IntegrityError), session.begin_nested():
            session.add(User(id=1, name="twice"))
            session.flush()
        session.commit()
        assert session.scalars(select(User.name).where(User.name == "kept")).one()


def test_with_preparing_the_failure_is_clear_and_nothing_else_is_run(behind):
    """Statements are prepared in one session and looked for in another: never is another's run in their place."""
    engine = behind(2)
    failures = []
    with engine.connect() as one, engine.connect() as two:
        for round in range(12):
            # The second is in the way now and then, so that the first gets the other session.
            other = two if round % 3 else None
            if other is not None:
                assert other.execute(text("SELECT 'two', :n"), {"n": round}).one() == ("two", round)
            try:
                assert one.execute(text("SELECT 'one', :n"), {"n": round}).one() == ("one", round)
            except exc.ProgrammingError as error:
                failures.append(error)
            one.rollback()
            two.rollback()
    assert failures and all("prepare_threshold=none" in str(error) for error in failures)
    assert {error.orig.sqlstate for error in failures} == {"26000"}
