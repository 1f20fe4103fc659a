"""Sequences and identity columns: created, asked, dropped, where the database has them; numbered without elsewhere."""

import pytest
from cormorant import (
    BigInteger,
    Column,
    Identity,
    Integer,
    MetaData,
    Sequence,
    String,
    Table,
    create_engine,
    func,
    insert,
    inspect,
    select,
)
from cormorant.orm import Session, declarative_base
from cormorant.schema import CreateSequence, CreateTable, DropSequence

with_sequences = pytest.mark.database("postgresql", "mariadb")


def sql_of(element, dialect):
    return str(element.compile(dialect=dialect)).strip()


def dialect_named(name):
    urls = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://h/d", "mariadb": "mariadb+mysqldb://h/d"}
    return create_engine(urls[name]).dialect


@pytest.fixture
def model():
    metadata = MetaData()
    tickets = Table(
        "tickets", metadata,
        Column("id", Integer, Sequence("ticket_ids", start=100, increment=10), primary_key=True),
        Column("place", Integer, Sequence("Places", start=7)),
        Column("name", String(20)),
    )  # fmt: skip
    return metadata, tickets


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("postgresql", "CREATE SEQUENCE x.s AS BIGINT"),
        ("mariadb", "CREATE SEQUENCE x.s"),
    ],
)
def test_a_sequence_is_created_with_all_that_was_said_of_it(dialect, expected):
    sequence = Sequence(
        "s", start=5, increment=2, minvalue=1, maxvalue=99, cycle=True, cache=3, data_type=BigInteger, schema="x"
    )
    assert sql_of(CreateSequence(sequence), dialect_named(dialect)) == (
        f"{expected} INCREMENT BY 2 START WITH 5 MINVALUE 1 MAXVALUE 99 CACHE 3 CYCLE"
    )
    assert sql_of(DropSequence(sequence, if_exists=True), dialect_named(dialect)) == "DROP SEQUENCE IF EXISTS x.s"


@pytest.mark.parametrize(("dialect", "no"), [("postgresql", "NO CYCLE"), ("mariadb", "NOCYCLE")])
def test_what_a_sequence_must_not_do_is_said_in_the_databases_words(dialect, no):
    sequence = Sequence("s", nominvalue=True, nomaxvalue=True, cycle=False)
    text = sql_of(CreateSequence(sequence, if_not_exists=True), dialect_named(dialect))
    assert text == f"CREATE SEQUENCE IF NOT EXISTS s NO MINVALUE NO MAXVALUE {no}"


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("postgresql", "INSERT INTO tickets (id, place, name) VALUES "
                       "(nextval('ticket_ids'), nextval('\"Places\"'), %(name)s::VARCHAR) RETURNING tickets.id"),
        ("sqlite", "INSERT INTO tickets (name) VALUES (?)"),
    ],
)  # fmt: skip
def test_a_new_row_asks_the_sequences_for_what_it_lacks(model, dialect, expected):
    statement = model[1].insert().values(name="a")
    assert " ".join(sql_of(statement, dialect_named(dialect)).split()) == expected


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("postgresql", "SELECT nextval('s') AS next_value_1"),
        ("mariadb", "SELECT nextval(s) AS next_value_1"),
        (None, "SELECT <next sequence value: s> AS next_value_1"),
    ],
)
def test_the_next_value_is_an_expression(dialect, expected):
    sequence = Sequence("s")
    for expression in (sequence.next_value(), func.next_value(sequence)):
        assert sql_of(select(expression), dialect and dialect_named(dialect)) == expected


def test_a_database_without_sequences_refuses_their_values():
    with pytest.raises(Exception, match="does not support sequence increments"):
        sql_of(select(Sequence("s").next_value()), dialect_named("sqlite"))


def test_an_optional_sequence_leaves_numbering_to_the_database():
    table = Table("t", MetaData(), Column("id", Integer, Sequence("s", optional=True), primary_key=True))
    assert "id SERIAL NOT NULL" in sql_of(CreateTable(table), dialect_named("postgresql"))
    assert "AUTO_INCREMENT" in sql_of(CreateTable(table), dialect_named("mariadb"))


def test_a_column_with_a_sequence_is_not_numbered_in_another_way(model):
    assert "id INTEGER NOT NULL" in sql_of(CreateTable(model[1]), dialect_named("postgresql"))


@pytest.mark.database("mariadb")
def test_a_key_with_a_sequence_has_no_auto_increment(engine, model):
    with engine.connect() as connection:
        assert "AUTO_INCREMENT" not in sql_of(CreateTable(model[1]), connection.dialect)


@with_sequences
def test_sequences_come_and_go_with_the_tables(engine, model):
    metadata, tickets = model
    Sequence("alone", metadata=metadata)
    metadata.create_all(engine)
    assert sorted(inspect(engine).get_sequence_names()) == ["Places", "alone", "ticket_ids"]
    metadata.create_all(engine)  # what is there is left alone
    metadata.drop_all(engine)
    assert inspect(engine).get_sequence_names() == []
    metadata.drop_all(engine)
    tickets.create(engine)
    assert sorted(inspect(engine).get_sequence_names()) == ["Places", "ticket_ids"]
    tickets.drop(engine)
    assert inspect(engine).get_sequence_names() == []


@with_sequences
def test_rows_get_their_numbers_from_sequences(engine, model):
    metadata, tickets = model
    metadata.create_all(engine)
    with engine.begin() as connection:
        first = connection.execute(insert(tickets).values(name="a"))
        assert first.inserted_primary_key == (100,)
        connection.execute(insert(tickets), [{"name": "b"}, {"name": "c"}])
        rows = connection.execute(select(tickets).order_by(tickets.c.id)).all()
    assert rows == [(100, 7, "a"), (110, 8, "b"), (120, 9, "c")]


@with_sequences
def test_a_sequence_runs_by_itself(engine):
    sequence = Sequence("counter", start=5, increment=5)
    sequence.create(engine)
    with engine.begin() as connection:
        assert connection.execute(sequence) == 5
        assert connection.scalar(sequence) == 10
        assert connection.scalar(sequence.next_value()) == 15
        assert connection.scalar(select(func.next_value(sequence))) == 20
    with Session(engine) as session:
        assert session.scalar(sequence) == 25
        assert session.execute(sequence) == 30
    sequence.drop(engine)
    assert inspect(engine).get_sequence_names() == []


def test_objects_are_numbered_with_a_sequence_or_without(engine):
    Base = declarative_base()

    class Ticket(Base):
        __tablename__ = "tickets"
        id = Column(Integer, Sequence("ticket_ids", start=100, increment=10), primary_key=True)
        place = Column(Integer, Sequence("places", start=7))
        name = Column(String(20))

    Base.metadata.create_all(engine)
    has_sequences = engine.dialect.name != "sqlite"
    with Session(engine) as session:
        tickets = [Ticket(name=f"t{number}") for number in range(20)]
        session.add_all(tickets)
        session.add(Ticket(name="given", id=1005, place=1))
        session.flush()
        ids = [ticket.id for ticket in tickets]
        assert ids == ([100 + 10 * number for number in range(20)] if has_sequences else sorted(ids))
        places = [ticket.place for ticket in tickets]
        assert places == ([7 + number for number in range(20)] if has_sequences else [None] * 20)
        session.commit()
        names = session.scalars(select(Ticket.name).where(Ticket.id == tickets[3].id)).all()
        assert names == ["t3"]
        assert session.get(Ticket, 1005).place == 1
    Base.metadata.drop_all(engine)


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        ({}, "BY DEFAULT AS IDENTITY"),
        ({"always": True}, "ALWAYS AS IDENTITY"),
        ({"start": 3, "increment": 4, "cycle": True}, "BY DEFAULT AS IDENTITY (INCREMENT BY 4 START WITH 3 CYCLE)"),
        ({"maxvalue": 9, "nominvalue": True, "cycle": False},
         "BY DEFAULT AS IDENTITY (MAXVALUE 9 NO MINVALUE NO CYCLE)"),
    ],
)  # fmt: skip
def test_an_identity_is_declared_in_the_standards_words(identity, words):
    table = Table("t", MetaData(), Column("id", Integer, Identity(**identity), primary_key=True))
    assert f"id INTEGER GENERATED {words}, " in sql_of(CreateTable(table), dialect_named("postgresql"))
    assert "GENERATED" not in sql_of(CreateTable(table), dialect_named("sqlite"))
    assert "id INTEGER NOT NULL AUTO_INCREMENT" in sql_of(CreateTable(table), dialect_named("mariadb"))


def test_an_identity_that_may_be_null_says_so():
    table = Table("t", MetaData(), Column("n", Integer, Identity(), nullable=True))
    assert "n INTEGER GENERATED BY DEFAULT AS IDENTITY NULL" in sql_of(CreateTable(table), dialect_named("postgresql"))


def test_an_identity_numbers_objects(engine):
    Base = declarative_base()

    class Ticket(Base):
        __tablename__ = "tickets"
        id = Column(Integer, Identity(start=1), primary_key=True)
        name = Column(String(20))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        tickets = [Ticket(name=f"t{number}") for number in range(12)]
        session.add_all(tickets)
        session.commit()
        assert [ticket.id for ticket in tickets] == list(range(1, 13))


@pytest.mark.database("postgresql")
def test_an_identity_beside_the_key_is_read_back(engine):
    Base = declarative_base()

    class Ticket(Base):
        __tablename__ = "tickets"
        id = Column(Integer, primary_key=True)
        number = Column(Integer, Identity(always=True, start=50))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        ticket = Ticket()
        session.add(ticket)
        session.flush()
        assert ticket.number == 50


@pytest.mark.parametrize(
    "arguments", [{"server_default": "3"}, {"autoincrement": False}], ids=["server_default", "autoincrement"]
)
def test_an_identity_stands_alone(arguments):
    from cormorant.exc import ArgumentError

    with pytest.raises(ArgumentError, match="A column with an Identity object cannot specify"):
        Column("id", Integer, Identity(), **arguments)
