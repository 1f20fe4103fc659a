"""Rows as a stream: a result that is larger than memory comes in chunks, and the connection is free meanwhile."""

import databases
import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, exc, select, text
from cormorant.orm import Session, declarative_base, joinedload, relationship, selectinload

MANY = 1_000_000
SPARE = 16 * 2**20  # far less than the rows take together
NUMBERS = {
    "postgresql": "SELECT i FROM generate_series(1, {0}) AS numbers(i)",
    "mariadb": "SELECT seq FROM seq_1_to_{0}",
    "sqlite": "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {0}) "
    "SELECT i FROM numbers",
}

Base = declarative_base()


class Parent(Base):
    __tablename__ = "parent"
    id = Column(Integer, primary_key=True)
    name = Column(String(20))
    children = relationship("Child", order_by="Child.id")


class Child(Base):
    __tablename__ = "child"
    id = Column(Integer, primary_key=True)
    parent_id = Column(ForeignKey("parent.id"))


def numbers(count=MANY):
    return text(NUMBERS[databases.KIND].format(count))


def memory():
    """What the process occupies now, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def open_cursors(connection):
    """The cursors of this transaction on a server that can tell."""
    if databases.KIND != "postgresql":
        return 0
    return connection.scalar(text("SELECT count(*) FROM pg_cursors WHERE statement LIKE 'DECLARE%'"))


@pytest.fixture
def family(engine):
    """Twenty-five parents of two children each."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Parent(id=i, name=f"p{i}", children=[Child(), Child()]) for i in range(1, 26))
        session.commit()
    return engine


@pytest.mark.parametrize("options", [{"stream_results": True}, {"yield_per": 500}], ids=["stream", "yield_per"])
def test_a_million_rows_pass_through_little_memory(engine, options):
    with engine.connect() as connection:
        before = most = memory()
        total = 0
        for row in connection.execute(numbers(), execution_options=options):
            total += row[0]
            if row[0] % 50_000 == 0:
                most = max(most, memory())
        assert total == MANY * (MANY + 1) // 2
        assert most - before < SPARE


def test_other_statements_run_between_the_rows(engine):
    with engine.connect() as connection:
        seen = []
        for row in connection.execution_options(yield_per=10).execute(numbers(35)):
            seen.append(connection.scalar(text("SELECT :n + 0"), {"n": row[0]}))
        assert seen == list(range(1, 36))


def test_two_streams_are_read_in_turn(engine):
    with engine.connect() as connection:
        one = connection.execute(numbers(30), execution_options={"yield_per": 7})
        other = connection.execute(numbers(30), execution_options={"yield_per": 4})
        assert [(a[0], b[0]) for a, b in zip(one, other)] == [(i, i) for i in range(1, 31)]


def test_options_of_statement_and_engine_stream_too(database_url):
    engine = create_engine(database_url, execution_options={"yield_per": 3})
    with engine.connect() as connection:
        assert [len(part) for part in connection.execute(numbers(7)).partitions()] == [3, 3, 1]
        of_call = connection.execute(numbers(7), execution_options={"yield_per": 4})
        assert [len(part) for part in of_call.partitions()] == [4, 3]
    engine.dispose()
    engine = create_engine(database_url)
    with engine.connect() as connection:
        of_statement = connection.execute(numbers(7).execution_options(yield_per=5))
        assert [len(part) for part in of_statement.partitions()] == [5, 2]
    engine.dispose()


def test_a_chunk_that_is_just_full_is_followed_by_none(engine):
    with engine.connect() as connection:
        assert len(connection.execute(numbers(20), execution_options={"yield_per": 10}).all()) == 20
        nothing = numbers(20).text + (" WHERE 1 = 0" if databases.KIND != "sqlite" else " LIMIT 0")
        assert connection.execute(text(nothing), execution_options={"yield_per": 10}).all() == []
        assert open_cursors(connection) == 0


def test_leaving_early_frees_the_cursor(engine):
    with engine.connect() as connection:
        with connection.execute(numbers(), execution_options={"yield_per": 10}) as result:
            assert result.fetchone()[0] == 1
        assert open_cursors(connection) == 0
        assert connection.execute(numbers(), execution_options={"yield_per": 10}).first()[0] == 1
        assert open_cursors(connection) == 0
        assert connection.scalar(text("SELECT 1")) == 1


def test_rows_of_a_rolled_back_transaction_are_gone(engine):
    with engine.connect() as connection:
        result = connection.execute(numbers(), execution_options={"yield_per": 10})
        result.fetchone()
        connection.rollback()
        with pytest.raises(exc.ResourceClosedError):
            result.all()
        assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.database("postgresql")
def test_rows_of_a_committed_transaction_are_gone_and_the_next_one_is_unharmed(engine):
    with engine.connect() as connection:
        result = connection.execute(numbers(), execution_options={"yield_per": 10})
        result.fetchone()
        connection.commit()
        assert connection.scalar(text("SELECT 1")) == 1
        with pytest.raises(exc.ProgrammingError, match="transaction in which they were read has ended"):
            result.all()
        assert connection.scalar(text("SELECT 2")) == 2


def test_streams_under_autocommit(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        result = connection.execute(numbers(100), execution_options={"yield_per": 10})
        assert connection.scalar(text("SELECT 1")) == 1
        assert len(result.all()) == 100
        connection.execute(numbers(100), execution_options={"yield_per": 10}).first()
        assert open_cursors(connection) == 0


@pytest.mark.database("postgresql", "mariadb")
def test_an_error_in_the_middle_comes_where_it_happens(engine):
    failing = {
        "postgresql": "SELECT 10 / (25 - i) FROM generate_series(1, 1000) AS numbers(i)",
        "mariadb": "SELECT (SELECT seq FROM seq_1_to_2 WHERE seq < 2 OR n.seq = 25) FROM seq_1_to_1000 AS n",
    }[databases.KIND]
    with engine.connect() as connection:
        with pytest.raises(exc.DBAPIError) as caught:
            for _ in connection.execute(text(failing), execution_options={"yield_per": 10}):
                pass
        assert caught.value.orig is not None
        connection.rollback()
        assert connection.scalar(text("SELECT 1")) == 1


def test_what_has_no_cursor_runs_as_usual(family):
    with family.connect() as connection:
        changed = connection.execute(
            text("UPDATE parent SET name = 'x' WHERE id < 4"), execution_options={"stream_results": True}
        )
        assert changed.rowcount == 3
        again = connection.exec_driver_sql("SELECT name FROM parent WHERE id = 3", execution_options={"yield_per": 2})
        assert again.all() == [("x",)]


def test_objects_load_lazily_while_others_come(family):
    with Session(family) as session:
        found = {}
        for parent in session.scalars(select(Parent).order_by(Parent.id).execution_options(yield_per=4)):
            found[parent.id] = len(parent.children)
        assert found == {i: 2 for i in range(1, 26)}
        assert [p.id for p in session.query(Parent).order_by(Parent.id).yield_per(4)] == list(range(1, 26))


def test_selectinload_loads_for_each_chunk(family):
    from cormorant import event

    statements = []
    event.listen(family, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with Session(family) as session:
        query = select(Parent).order_by(Parent.id).options(selectinload(Parent.children))
        result = session.scalars(query, execution_options={"yield_per": 10})
        sizes = []
        for part in result.partitions():
            sizes.append(len(part))
            for parent in part:
                assert len(parent.__dict__["children"]) == 2
        assert sizes == [10, 10, 5]
    assert sum("child" in statement for statement in statements) == 3


def test_joined_collections_cannot_be_streamed(family):
    with Session(family) as session:
        query = select(Parent).options(joinedload(Parent.children)).execution_options(yield_per=10)
        with pytest.raises(exc.InvalidRequestError, match="Can't use yield_per with eager loaders"):
            session.execute(query).unique().all()


def test_changes_are_flushed_while_rows_come(family):
    with Session(family) as session:
        for parent in session.scalars(select(Parent).order_by(Parent.id), execution_options={"yield_per": 5}):
            parent.name = f"new {parent.id}"
            session.add(Child(parent_id=parent.id))
            session.flush()
        session.commit()
    with Session(family) as session:
        assert session.scalars(select(Parent.name).order_by(Parent.id)).all() == [f"new {i}" for i in range(1, 26)]


def test_closing_the_session_ends_the_stream(family):
    session = Session(family)
    result = session.scalars(select(Parent).order_by(Parent.id), execution_options={"yield_per": 4})
    assert result.fetchmany(1)[0].id == 1
    session.close()
    with pytest.raises(exc.ResourceClosedError):
        result.all()
    with Session(family) as other:
        assert open_cursors(other.connection()) == 0
