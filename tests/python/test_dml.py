"""insert, update and delete: as statements, through a connection and through a session."""

import pytest
from cormorant import (
    Column,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    exc,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from cormorant.orm import Session
from people import Address, Base, User
from support import flat, statements_of, verbs


def ages(session):
    return {row.name: row.age for row in session.execute(select(User.name, User.age))}


def test_dml_says_what_it_does():
    users = User.__table__
    assert flat(insert(users)) == "INSERT INTO users (id, name, age) VALUES (:id, :name, :age)"
    assert flat(insert(users).values(name="x")) == "INSERT INTO users (name) VALUES (:name)"
    assert flat(insert(users).values([{"name": "x"}, {"name": "y"}])) == (
        "INSERT INTO users (name) VALUES (:name_m0), (:name_m1)"
    )
    assert flat(insert(users).from_select(["name"], select(Address.email))) == (
        "INSERT INTO users (name) SELECT addresses.email FROM addresses"
    )
    assert flat(update(users).values(age=1)) == "UPDATE users SET age=:age"
    assert flat(update(users).where(users.c.id == 1).values(age=users.c.age + 1)) == (
        "UPDATE users SET age=(users.age + :age_1) WHERE users.id = :id_1"
    )
    assert flat(delete(users)) == "DELETE FROM users"
    assert flat(delete(users).where(users.c.age < 5, users.c.id > 1)) == (
        "DELETE FROM users WHERE users.age < :age_1 AND users.id > :id_1"
    )
    assert flat(insert(User).values(name="x").returning(User.id)) == (
        "INSERT INTO users (name) VALUES (:name) RETURNING users.id"
    )
    assert flat(users.insert()) == flat(insert(users))
    assert flat(users.update().values(age=1)) == "UPDATE users SET age=:age"
    assert flat(users.delete()) == "DELETE FROM users"


def test_a_connection_inserts_one_row_or_many(engine):
    Base.metadata.create_all(engine)
    users = User.__table__
    with engine.begin() as connection:
        assert connection.execute(insert(users).values(name="one")).rowcount == 1
        assert connection.execute(insert(users), {"name": "two"}).inserted_primary_key == (2,)
        with statements_of(engine) as sent:
            connection.execute(insert(users), [{"name": "three"}, {"name": "four"}])
        assert [one.many for one in sent] == [True]
        connection.execute(insert(users).values([{"name": "five"}, {"name": "six"}]))
        found = connection.scalars(select(users.c.name).order_by(users.c.id)).all()
    assert found == ["one", "two", "three", "four", "five", "six"]


def test_a_connection_updates_and_deletes_and_says_how_many(engine):
    Base.metadata.create_all(engine)
    users = User.__table__
    with engine.begin() as connection:
        connection.execute(insert(users), [{"name": name, "age": 1} for name in "abcd"])
        assert connection.execute(update(users).where(users.c.name > "b").values(age=5)).rowcount == 2
        by_name = update(users).where(users.c.name == bindparam("who")).values(age=bindparam("new"))
        assert connection.execute(by_name, [{"who": "a", "new": 7}, {"who": "b", "new": 8}]).rowcount == 2
        assert connection.execute(select(users.c.age).order_by(users.c.id)).scalars().all() == [7, 8, 5, 5]
        assert connection.execute(delete(users).where(users.c.age == 5)).rowcount == 2
        assert connection.execute(update(users).where(users.c.id == 99).values(age=0)).rowcount == 0


def test_values_may_be_expressions(engine):
    Base.metadata.create_all(engine)
    users = User.__table__
    with engine.begin() as connection:
        connection.execute(insert(users).values(name=func.lower("ABC"), age=literal(2) + 3))
        connection.execute(
            insert(users).values({users.c.name: "by column", "age": select(func.max(users.c.age)).scalar_subquery()})
        )
        rows = connection.execute(select(users.c.name, users.c.age)).all()
    assert rows == [("abc", 5), ("by column", 5)]


def test_rows_can_be_inserted_from_a_select(session):
    chosen = select(Address.email, Address.id).where(Address.user_id == 1)
    session.execute(insert(User).from_select(["name", "age"], chosen))
    assert session.execute(select(User.name, User.age).where(User.id > 4).order_by(User.id)).all() == [
        ("ann@a", 1),
        ("ann@b", 2),
    ]


def test_returning_gives_what_was_written(session):
    made = session.execute(insert(User).values(name="eve", age=5).returning(User.id, User.name))
    assert made.one() == (5, "eve")
    assert session.scalars(update(User).where(User.age == 5).values(age=6).returning(User.age)).all() == [6]
    assert session.scalars(delete(User).where(User.name == "eve").returning(User.name)).all() == ["eve"]


def test_a_session_inserts_many_from_a_list(session, engine):
    with statements_of(engine) as sent:
        session.execute(insert(User), [{"name": "eve", "age": 1}, {"name": "fay", "age": 2}])
    assert verbs(sent) == ["INSERT"] and sent[0].many
    assert ages(session)["fay"] == 2


def test_returning_gives_all_rows_also_where_the_keys_differ(session):
    rows = [{"name": "eve"}, {"id": 70, "name": "fay"}, {"id": 71}, {"name": "gus"}]
    found = session.execute(insert(User).returning(User.id, User.name), rows).all()
    assert [name for _, name in found] == ["eve", "fay", None, "gus"] and found[1:3] == [(70, "fay"), (71, None)]
    people = session.scalars(insert(User).returning(User), [{"name": "hal"}, {"id": 80, "name": "ida"}]).all()
    assert [one.name for one in people] == ["hal", "ida"] and all(one in session for one in people)


def test_returning_an_entity_gives_objects_in_the_order_of_the_list(session):
    users = session.scalars(
        insert(User).returning(User, sort_by_parameter_order=True), [{"name": "eve"}, {"name": "fay"}]
    ).all()
    assert [user.name for user in users] == ["eve", "fay"]
    assert users[0] in session and users[0].id is not None


def test_update_changes_rows_and_the_objects_in_hand(session):
    ann, bob = session.get(User, 1), session.get(User, 2)
    result = session.execute(update(User).where(User.age == 30).values(age=31))
    assert result.rowcount == 2
    assert (ann.age, bob.age) == (31, 20)
    session.execute(update(User).values({User.age: User.age + 1}).where(User.name == "ann"))
    assert ann.age == 32
    session.rollback()
    assert ann.age == 30


@pytest.mark.parametrize("how", ["evaluate", "fetch", "auto"])
def test_objects_in_hand_follow_however_they_are_found(session, how):
    ann, cid = session.get(User, 1), session.get(User, 3)
    session.execute(
        update(User).where(User.name.in_(["ann", "bob"])).values(age=1), execution_options={"synchronize_session": how}
    )
    assert (ann.age, cid.age) == (1, 30)
    session.execute(delete(User).where(User.name == "cid"), execution_options={"synchronize_session": how})
    assert cid not in session and ann in session


def test_objects_in_hand_are_left_alone_when_asked(session):
    ann = session.get(User, 1)
    session.execute(update(User).values(age=1).execution_options(synchronize_session=False))
    assert ann.age == 30
    session.refresh(ann)
    assert ann.age == 1


def test_delete_takes_rows_and_the_objects_in_hand(session):
    dot = session.get(User, 4)
    assert session.execute(delete(User).where(User.name == "dot")).rowcount == 1
    assert dot not in session
    assert session.get(User, 4) is None


def test_a_session_updates_many_by_their_keys(session, engine):
    with statements_of(engine) as sent:
        session.execute(update(User), [{"id": 1, "age": 41}, {"id": 2, "age": 42}])
    assert verbs(sent) == ["UPDATE"] and sent[0].many
    assert ages(session)["ann"] == 41 and ages(session)["bob"] == 42


def test_pending_changes_are_flushed_before_a_statement_runs(session):
    session.add(User(id=5, name="eve", age=30))
    assert session.execute(update(User).where(User.age == 30).values(age=0)).rowcount == 3


def test_bulk_methods_write_without_objects(session):
    session.bulk_insert_mappings(User, [{"name": "eve", "age": 1}, {"name": "fay", "age": 2}])
    session.bulk_update_mappings(User, [{"id": 1, "age": 99}])
    session.bulk_save_objects([User(name="gus", age=3)])
    found = ages(session)
    assert (found["ann"], found["eve"], found["gus"]) == (99, 1, 3)


def test_an_unknown_column_is_an_error_that_names_it(engine):
    with engine.connect() as connection:
        with pytest.raises(exc.CompileError, match="Unconsumed column names: nothing"):
            connection.execute(insert(User.__table__).values(nothing=1))
        with pytest.raises(exc.CompileError, match="Unconsumed column names: nothing"):
            connection.execute(update(User.__table__).values(nothing=1))


def test_a_missing_parameter_is_an_error_that_says_where(engine):
    Base.metadata.create_all(engine)
    with engine.connect() as connection:
        with pytest.raises(
            exc.StatementError, match="A value is required for bind parameter 'age', in parameter group 1"
        ):
            connection.execute(insert(User.__table__), [{"name": "a", "age": 1}, {"name": "b"}])


def test_conflicts_are_resolved_in_sqlites_own_words(engine):
    from cormorant.dialects.sqlite import insert as sqlite_insert

    things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("n", String(50)))
    things.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), {"id": 1, "n": "old"})
        upsert = sqlite_insert(things).values(id=1, n="new")
        connection.execute(upsert.on_conflict_do_nothing())
        assert connection.scalar(select(things.c.n)) == "old"
        connection.execute(upsert.on_conflict_do_update(index_elements=[things.c.id], set_={"n": upsert.excluded.n}))
        assert connection.scalar(select(things.c.n)) == "new"


def test_text_writes_too(session):
    assert session.execute(text("UPDATE users SET age = :a WHERE age = 30"), {"a": 3}).rowcount == 2
    session.commit()
    with Session(session.bind) as other:
        other.execute(text("INSERT INTO users (name) VALUES (:name)"), [{"name": "x"}, {"name": "y"}])
        assert other.scalar(text("SELECT count(*) FROM users WHERE name IN ('x', 'y')")) == 2
