"""What the database gives to new rows is there after the flush: the INSERT gives it back where the database can."""

import pytest
from cormorant import Column, Computed, Integer, String, event, func, text
from cormorant.orm import Session, declarative_base


def model(**mapper_args):
    Base = declarative_base()

    class Job(Base):
        __tablename__ = "jobs"
        __mapper_args__ = mapper_args
        id = Column(Integer, primary_key=True)
        name = Column(String(20))
        state = Column(String(20), server_default="new")
        weight = Column(Integer, server_default=text("7"))
        double = Column(Integer, Computed("weight * 2", persisted=True))
        shout = Column(String(20), default=func.upper("loud"))

    return Base, Job


@pytest.fixture
def statements(engine):
    seen = []

    @event.listens_for(engine, "before_cursor_execute")
    def remember(connection, cursor, statement, parameters, context, executemany):
        seen.append(statement)

    return seen


def test_defaults_of_the_database_come_with_the_insert(engine, statements):
    Base, Job = model()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        job = Job(name="a")
        session.add(job)
        session.flush()
        statements.clear()
        assert (job.state, job.weight, job.double, job.shout) == ("new", 7, 14, "LOUD")
        assert statements == []


def test_what_the_program_gives_stays(engine):
    Base, Job = model()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        job = Job(id=5, name="a", state="old", weight=1, shout="x")
        session.add(job)
        session.flush()
        assert (job.id, job.state, job.double, job.shout) == (5, "old", 2, "x")


def test_many_rows_get_each_their_own(engine, statements):
    Base, Job = model()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        jobs = [Job(name=f"n{number}") for number in range(30)]
        session.add_all(jobs)
        session.flush()
        statements.clear()
        assert [job.id for job in jobs] == list(range(1, 31))
        assert {(job.state, job.weight, job.double, job.shout) for job in jobs} == {("new", 7, 14, "LOUD")}
        assert statements == []
        session.expire_all()
        assert [session.get(Job, number + 1).name for number in range(30)] == [job.name for job in jobs]


def test_without_eager_defaults_they_are_read_when_asked_for(engine, statements):
    Base, Job = model(eager_defaults=False)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        job = Job(name="a")
        session.add(job)
        session.flush()
        statements.clear()
        assert (job.state, job.weight, job.double, job.shout) == ("new", 7, 14, "LOUD")
        assert len(statements) == 1
