"""How often a unit of work waits for the server: as its dependencies are deep, not as many statements as it has."""

import pathlib
import sys

import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, select, text
from cormorant.orm import Session, declarative_base, relationship
from databases import KIND

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

from proxy import Proxy  # noqa: E402 -- the path is set first

pytestmark = pytest.mark.database("postgresql")

QUIET = 0.05  # seconds
Base = declarative_base()


class Parent(Base):
    __tablename__ = "parents"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    children = relationship("Child", back_populates="parent")


class Child(Base):
    __tablename__ = "children"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("parents.id"))
    name = Column(String(50))
    parent = relationship("Parent", back_populates="children")


class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    body = Column(String(50))


@pytest.fixture
def proxy(database):
    proxy = Proxy(KIND, database.own.host, database.own.port)
    yield proxy
    proxy.close()


def unit_of_work(session, notes):
    """50 parents, 500 children, 100 updates, 50 deletes."""
    for number in range(50):
        parent = Parent(name=f"parent {number}")
        parent.children = [Child(name=f"child {number} {child}") for child in range(10)]
        session.add(parent)
    for note in notes[:100]:
        note.body += "!"
    for note in notes[100:150]:
        session.delete(note)


def test_a_unit_of_work_waits_as_often_as_it_is_deep(database, engine, proxy):
    Base.metadata.create_all(engine)
    through = create_engine(database.own.set(host="127.0.0.1", port=proxy.port), pool_size=1)
    turns = {}
    for attempt in ("cold", "warm"):
        with Session(through) as session:
            session.add_all([Note(body=f"note {number}") for number in range(150)])
            session.commit()
            notes = session.scalars(select(Note).order_by(Note.id.desc()).limit(150)).all()
            unit_of_work(session, notes)
            proxy.reset(quiet=QUIET)
            session.flush()
            flushed = proxy.turns
            session.commit()
            turns[attempt] = (flushed, proxy.turns)
            proxy.reset()
            for child in session.scalars(select(Child)):
                assert child.parent.name.split()[1] == child.name.split()[1]
    # Parents, then all the rest, then COMMIT; a first time, each statement is prepared.
    assert turns["warm"] == (2, 3)
    assert turns["cold"][1] < 12
    with Session(engine) as session:
        assert len(session.scalars(select(Parent)).all()) == 100
        assert len(session.scalars(select(Child)).all()) == 1000
        assert len(session.scalars(select(Note)).all()) == 200
    through.dispose()


def test_a_failure_behind_others_is_told_of_the_right_row(engine):
    from cormorant.exc import IntegrityError

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        for attempt in range(2):
            session.add(Note(id=attempt + 1, body="there"))
            session.commit()
        notes = session.scalars(select(Note)).all()
        notes[0].body = "changed"
        session.add_all([Parent(name="one"), Child(name="astray", parent_id=12345), Child(name="well")])
        with pytest.raises(IntegrityError) as caught:
            session.flush()
        assert "INSERT INTO children" in caught.value.statement
        assert "astray" in str(caught.value.params)
        session.rollback()
        assert session.scalars(select(Note.body)).all() == ["there", "there"]
        assert session.scalars(select(Parent)).all() == []
        session.add(Parent(name="again", children=[Child(name="of it")]))
        session.commit()
        assert session.scalars(select(Child)).one().parent.name == "again"


def work_of_many_rows(session, notes):
    """Changed notes, parents with their children, and loose children: several batches of one round trip."""
    for note in notes:
        note.body += "!"
    session.add_all([Parent(name=f"p{number}", children=[Child(name=f"p{number}")]) for number in range(20)])
    session.add_all([Child(name=f"loose {number}") for number in range(20)])


def test_rows_refused_together_are_told_apart(engine):
    from cormorant.exc import IntegrityError

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Note(body="there") for _ in range(20)])
        session.commit()
        for attempt in ("new to the server", "known to it"):
            work_of_many_rows(session, session.scalars(select(Note)).all())
            session.add_all([Child(name=f"lost {n}", parent_id=12345 if n == 7 else None) for n in range(20)])
            with pytest.raises(IntegrityError) as caught:
                session.flush()
            assert "INSERT INTO children" in caught.value.statement, attempt
            assert "'lost 7'" in str(caught.value), attempt
            session.rollback()
            assert set(session.scalars(select(Note.body))) == {"there"}
            assert session.scalars(select(Parent)).all() == session.scalars(select(Child)).all() == []
            work_of_many_rows(session, session.scalars(select(Note)).all())
            session.flush()
            session.rollback()


REFUSES_MANY = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF (SELECT count(*) FROM fresh) > 1 THEN RAISE EXCEPTION 'one at a time'; END IF; RETURN NULL; END $$;
    CREATE TRIGGER refuse AFTER INSERT ON {} REFERENCING NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION refuse()
"""
MIXES_KEYS = """
    CREATE FUNCTION mix() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.id := NEW.id * 7919 % 10007; RETURN NEW; END $$;
    CREATE TRIGGER mix BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION mix()
"""


@pytest.mark.parametrize("trigger", [REFUSES_MANY, MIXES_KEYS])
@pytest.mark.parametrize("table", ["parents", "children"])
def test_what_cannot_go_together_goes_one_by_one_and_all_behind_it_again(engine, trigger, table):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(text(trigger.format(table)))
        session.add_all([Note(body="there") for _ in range(20)])
        session.commit()
        for times in (1, 2):
            notes = session.scalars(select(Note)).all()
            work_of_many_rows(session, notes)
            session.delete(notes[0])
            session.commit()
            assert len(session.scalars(select(Note)).all()) == 20 - times
            assert set(session.scalars(select(Note.body))) == {"there" + "!" * times}
            children = session.scalars(select(Child)).all()
            assert len(children) == 40 * times
            assert all(child.name == child.parent.name for child in children if child.parent is not None)
            assert sum(child.parent is None for child in children) == 20 * times
