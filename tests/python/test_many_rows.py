"""Many new objects in one flush: each gets the key of its own row, whatever the table does meanwhile."""

import pytest
from cormorant import Column, Integer, MetaData, String, Table, event, insert, select, text
from cormorant.exc import IntegrityError
from cormorant.orm import Session, declarative_base
from cormorant.orm.exc import FlushError

pytestmark = pytest.mark.database("sqlite")  # triggers, clauses and keys in its own words
Base = declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True)


def create(engine, *statements, table="CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(50) UNIQUE)"):
    with engine.begin() as connection:
        connection.execute(text(table))
        for statement in statements:
            connection.execute(text(statement))


def check_keys(session, items):
    rows = dict(session.execute(text("SELECT name, id FROM items")).all())
    assert {item.name: item.id for item in items} == {item.name: rows[item.name] for item in items}


@pytest.mark.parametrize("count", [1, 7, 8, 9, 64, 65, 66, 129, 512, 513, 514, 1200])
def test_each_object_has_the_key_of_its_row(engine, count):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        items = [Item(name=f"item {i}") for i in range(count)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)
        assert len({item.id for item in items}) == count


def test_a_trigger_that_inserts_into_the_table_does_not_confuse_keys(engine):
    create(
        engine,
        "CREATE TRIGGER echo AFTER INSERT ON items WHEN new.name NOT LIKE 'echo%' "
        "BEGIN INSERT INTO items (name) VALUES ('echo of ' || new.name); END",
    )
    with Session(engine) as session:
        items = [Item(name=f"item {i}") for i in range(200)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)


def test_a_trigger_that_comes_between_two_flushes_is_noticed(engine):
    create(engine)
    with Session(engine) as session:
        session.add_all([Item(name=f"first {i}") for i in range(200)])
        session.flush()
        session.execute(
            text(
                "CREATE TRIGGER echo AFTER INSERT ON items WHEN new.name NOT LIKE 'echo%' "
                "BEGIN INSERT INTO items (name) VALUES ('echo of ' || new.name); END"
            )
        )
        items = [Item(name=f"second {i}") for i in range(200)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)


def test_rows_that_replace_others_keep_their_keys(engine):
    create(engine, table="CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(50) UNIQUE ON CONFLICT REPLACE)")
    with Session(engine) as session:
        session.execute(text("INSERT INTO items (id, name) VALUES (1000, 'item 150'), (1001, 'item 20')"))
        items = [Item(name=f"item {i}") for i in range(200)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)


def test_keys_near_the_largest_integer_belong_to_their_rows(engine):
    create(engine, f"INSERT INTO items (id, name) VALUES ({2**63 - 50}, 'large')")
    with Session(engine) as session:
        items = [Item(name=f"item {i}") for i in range(300)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)


def test_the_row_that_breaks_a_constraint_is_named_and_nothing_stays(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Item(name="item 150" if i == 250 else f"item {i}") for i in range(300)])
        with pytest.raises(IntegrityError) as caught:
            session.flush()
        assert "item 150" in str(caught.value.params)
        session.rollback()
        assert session.execute(select(Item)).all() == []
        session.add_all([Item(name=f"item {i}") for i in range(300)])
        session.commit()
        assert session.query(Item).count() == 300


def test_a_table_that_leaves_rows_out_is_an_error(engine):
    create(engine, table="CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(50) UNIQUE ON CONFLICT IGNORE)")
    with Session(engine) as session:
        session.add_all([Item(name="item 150" if i == 250 else f"item {i}") for i in range(300)])
        with pytest.raises(FlushError):
            session.flush()
        session.rollback()
        assert session.query(Item).count() == 0


@pytest.mark.parametrize("count", [9, 100, 700])
def test_an_execution_with_many_sets_writes_each(engine, count):
    notes = Table("notes", MetaData(), Column("id", Integer, primary_key=True), Column("body", String(2000)))
    notes.create(engine)
    bodies = [("é" * (i % 300)) + str(i) for i in range(count)]
    with engine.begin() as connection:
        result = connection.execute(insert(notes), [{"id": i, "body": body} for i, body in enumerate(bodies)])
        assert result.rowcount == count
        assert connection.execute(select(notes.c.body).order_by(notes.c.id)).scalars().all() == bodies


def test_keys_given_and_keys_generated_mix(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        items = [Item(id=5000 + i if i % 100 == 0 else None, name=f"item {i}") for i in range(500)]
        session.add_all(items)
        session.flush()
        check_keys(session, items)
        assert items[400].id == 5400


def test_hooks_see_each_object_with_its_key(engine):
    Base.metadata.create_all(engine)
    seen = []

    def remember(mapper, connection, target):
        seen.append((target.name, target.id))

    event.listen(Item, "after_insert", remember)
    try:
        with Session(engine) as session:
            session.add_all([Item(name=f"item {i}") for i in range(200)])
            session.flush()
            assert dict(seen) == dict(session.execute(text("SELECT name, id FROM items")).all())
    finally:
        event.remove(Item, "after_insert", remember)
