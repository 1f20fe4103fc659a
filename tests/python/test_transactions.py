"""Transactions of sessions and connections: commit, rollback, savepoints, and what objects look like afterwards."""

import pytest
from cormorant import exc, insert, inspect, select, text
from cormorant.exc import PendingRollbackError
from cormorant.orm import Session
from people import Address, Base, User, fill
from support import with_real_transactions


def names_in(engine):
    with engine.connect() as connection:
        return connection.scalars(text("SELECT name FROM users ORDER BY id")).all()


@pytest.fixture
def file_engine(file_engine):
    return with_real_transactions(file_engine)


@pytest.fixture
def story(file_engine):
    """A session over a file, so that another connection sees only what is committed."""
    fill(file_engine)
    with Session(file_engine) as session:
        yield session


def test_what_is_committed_is_seen_by_others_and_what_is_not_is_not(story, file_engine):
    story.add(User(name="eve"))
    story.flush()
    assert names_in(file_engine) == ["ann", "bob", "cid", "dot"]
    story.commit()
    assert names_in(file_engine) == ["ann", "bob", "cid", "dot", "eve"]


def test_rollback_restores_values(story):
    ann = story.get(User, 1)
    ann.age = 99
    story.flush()
    ann.name = "not even flushed"
    story.rollback()
    assert (ann.name, ann.age) == ("ann", 30) and not story.dirty


def test_rollback_makes_new_objects_transient_again(story):
    eve = User(name="eve")
    story.add(eve)
    story.flush()
    assert eve.id == 5
    story.rollback()
    assert eve not in story and inspect(eve).transient
    assert eve.name == "eve" and eve.id == 5
    story.add(eve)
    story.commit()
    assert eve.name == "eve" and eve.id == 5


def test_rollback_lets_pending_objects_go(story):
    eve = User(name="eve")
    story.add(eve)
    story.rollback()
    assert eve not in story and inspect(eve).transient and eve.name == "eve"


def test_rollback_brings_deleted_objects_back(story):
    dot = story.get(User, 4)
    story.delete(dot)
    story.flush()
    assert dot not in story
    story.rollback()
    assert dot in story and inspect(dot).persistent and dot.name == "dot"
    story.delete(dot)
    story.rollback()
    assert dot in story and dot not in story.deleted


def test_rollback_restores_collections_and_references(story):
    ann, bob = story.get(User, 1), story.get(User, 2)
    moved = ann.addresses[0]
    bob.addresses.append(moved)
    assert moved.user is bob
    story.flush()
    story.rollback()
    assert moved.user is ann and [address.id for address in ann.addresses] == [1, 2]
    assert [address.id for address in bob.addresses] == [3]


def test_rollback_restores_a_changed_key(story):
    dot = story.get(User, 4)
    dot.id = 40
    story.flush()
    assert story.get(User, 40) is dot
    story.rollback()
    assert dot.id == 4 and story.get(User, 4) is dot and story.get(User, 40) is None


def test_a_failed_flush_rolls_back_and_says_so_until_it_is_acknowledged(story):
    story.add(User(id=1, name="twice"))
    with pytest.raises(exc.IntegrityError):
        story.commit()
    assert names_in(story.bind) == ["ann", "bob", "cid", "dot"]
    story.rollback()
    assert story.get(User, 1).name == "ann"


def test_a_session_in_need_of_rollback_refuses_to_go_on(story):
    story.add(User(id=1, name="twice"))
    with pytest.raises(exc.IntegrityError):
        story.flush()
    with pytest.raises(PendingRollbackError, match="This Session's transaction has been rolled back"):
        story.execute(select(User))
    assert not story.is_active
    story.rollback()
    assert story.is_active and story.scalars(select(User)).first() is not None


@pytest.mark.database("sqlite")
def test_a_failed_statement_does_not_end_the_transaction(story):
    story.add(User(name="eve"))
    story.flush()
    with pytest.raises(exc.OperationalError, match="no such table: nowhere"):
        story.execute(text("SELECT * FROM nowhere"))
    story.commit()
    assert "eve" in names_in(story.bind)


def test_a_savepoint_can_be_rolled_back_alone(story):
    story.add(User(name="kept"))
    savepoint = story.begin_nested()
    lost = User(name="lost")
    story.add(lost)
    story.flush()
    savepoint.rollback()
    assert lost not in story
    story.commit()
    assert names_in(story.bind) == ["ann", "bob", "cid", "dot", "kept"]


def test_a_savepoint_that_ends_well_is_part_of_the_transaction(story):
    with story.begin_nested():
        story.add(User(name="kept"))
    assert names_in(story.bind) == ["ann", "bob", "cid", "dot"]
    story.commit()
    assert names_in(story.bind)[-1] == "kept"


def test_a_savepoints_block_rolls_back_when_it_raises(story):
    ann = story.get(User, 1)
    with pytest.raises(ZeroDivisionError), story.begin_nested():
        ann.age = 99
        story.flush()
        1 / 0
    assert ann.age == 30
    story.commit()
    assert ann.age == 30


def test_savepoints_nest(story):
    with story.begin_nested() as outer:
        story.add(User(name="outer"))
        with story.begin_nested():
            story.add(User(name="inner"))
        with pytest.raises(exc.IntegrityError), story.begin_nested():
            story.add(User(id=1))
            story.flush()
        assert story.get_nested_transaction() is outer
    story.commit()
    assert names_in(story.bind)[4:] == ["outer", "inner"]


def test_a_rejected_row_inside_a_savepoint_leaves_the_rest(story):
    for key in (10, 1, 11):
        try:
            with story.begin_nested():
                story.add(User(id=key, name=f"number {key}"))
        except exc.IntegrityError:
            pass
    story.commit()
    assert names_in(story.bind) == ["ann", "bob", "cid", "dot", "number 10", "number 11"]


def test_rolling_back_a_savepoint_restores_what_changed_since(story):
    ann, dot = story.get(User, 1), story.get(User, 4)
    ann.age = 31
    savepoint = story.begin_nested()
    ann.age = 32
    story.delete(dot)
    story.flush()
    savepoint.rollback()
    assert ann.age == 31 and dot in story
    story.commit()
    assert ann.age == 31


def test_begin_blocks_commit_or_roll_back(file_engine):
    fill(file_engine)
    with Session(file_engine) as session, session.begin():
        session.add(User(name="eve"))
    assert names_in(file_engine)[-1] == "eve"
    with pytest.raises(ZeroDivisionError), Session(file_engine) as session, session.begin():
        session.add(User(name="lost"))
        1 / 0
    assert names_in(file_engine)[-1] == "eve"


def test_in_transaction_tells_the_truth(story):
    assert not story.in_transaction()
    story.get(User, 1)
    assert story.in_transaction() and story.get_transaction() is not None
    story.commit()
    assert not story.in_transaction() and story.get_transaction() is None
    with story.begin_nested():
        assert story.in_nested_transaction()
    assert not story.in_nested_transaction()


def test_begin_within_a_transaction_is_an_error(story):
    story.get(User, 1)
    with pytest.raises(exc.InvalidRequestError, match="A transaction is already begun on this Session"):
        story.begin()
    story.rollback()
    with story.begin():
        pass


def test_a_session_may_be_told_never_to_begin_by_itself(file_engine):
    fill(file_engine)
    with Session(file_engine, autobegin=False) as session:
        with pytest.raises(exc.InvalidRequestError, match="Autobegin is disabled on this Session"):
            session.get(User, 1)
        with session.begin():
            assert session.get(User, 1).name == "ann"


def test_committing_an_ended_block_is_an_error(story):
    with story.begin() as transaction:
        transaction.commit()
    assert not story.in_transaction()
    with pytest.raises(exc.InvalidRequestError, match="Can't operate on closed transaction inside context manager"):
        with story.begin() as transaction:
            transaction.commit()
            story.get(User, 1)


def test_a_connection_commits_as_it_goes_or_in_blocks(file_engine):
    Base.metadata.create_all(file_engine)
    users = User.__table__
    with file_engine.connect() as connection:
        connection.execute(insert(users), {"name": "lost"})
    with file_engine.connect() as connection:
        connection.execute(insert(users), {"name": "kept"})
        connection.commit()
        connection.execute(insert(users), {"name": "rolled back"})
        connection.rollback()
    with file_engine.connect() as connection, connection.begin():
        connection.execute(insert(users), {"name": "in a block"})
    with file_engine.begin() as connection:
        connection.execute(insert(users), {"name": "in the engine's block"})
    with pytest.raises(ZeroDivisionError), file_engine.begin() as connection:
        connection.execute(insert(users), {"name": "lost"})
        1 / 0
    assert names_in(file_engine) == ["kept", "in a block", "in the engine's block"]


def test_a_connections_transaction_is_an_object(file_engine):
    Base.metadata.create_all(file_engine)
    with file_engine.connect() as connection:
        transaction = connection.begin()
        assert connection.in_transaction() and transaction.is_active
        connection.execute(insert(User.__table__), {"name": "lost"})
        transaction.rollback()
        assert not connection.in_transaction() and not transaction.is_active
        transaction = connection.begin()
        with pytest.raises(exc.InvalidRequestError, match="already"):
            connection.begin()
        transaction.commit()
    assert names_in(file_engine) == []


def test_a_connections_savepoints(file_engine):
    Base.metadata.create_all(file_engine)
    users = User.__table__
    with file_engine.begin() as connection:
        connection.execute(insert(users), {"name": "a"})
        savepoint = connection.begin_nested()
        connection.execute(insert(users), {"name": "b"})
        savepoint.rollback()
        with connection.begin_nested():
            connection.execute(insert(users), {"name": "c"})
        assert not connection.in_nested_transaction()
    assert names_in(file_engine) == ["a", "c"]


def test_a_session_may_live_inside_a_connections_transaction(file_engine):
    fill(file_engine)
    with file_engine.connect() as connection:
        outside = connection.begin()
        with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
            session.add(User(name="eve"))
            session.commit()
            session.add(User(name="fay"))
            session.rollback()
            assert [user.name for user in session.scalars(select(User).where(User.id > 4))] == ["eve"]
        outside.rollback()
    assert names_in(file_engine) == ["ann", "bob", "cid", "dot"]


def test_two_sessions_do_not_see_each_others_objects(file_engine):
    fill(file_engine)
    with Session(file_engine) as one, Session(file_engine) as two:
        a, b = one.get(User, 1), two.get(User, 1)
        assert a is not b
        two.rollback()
        a.age = 99
        one.commit()
        assert two.get(User, 1) is b and b.age == 99


def test_moving_a_child_and_failing_leaves_everything_as_it_was(story):
    ann, bob = story.get(User, 1), story.get(User, 2)
    bob.addresses = ann.addresses[:1] + [Address(email=None)]
    with pytest.raises(exc.IntegrityError, match="(?i)not.null constraint|cannot be null"):
        story.commit()
    story.rollback()
    assert [address.id for address in ann.addresses] == [1, 2] and [address.id for address in bob.addresses] == [3]
