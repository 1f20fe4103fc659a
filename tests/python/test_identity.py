"""One row, one object, in each session; and what keeps an object there."""

import gc
import weakref

import pytest
from cormorant import Column, Integer, String, exc, inspect, select, text
from cormorant.orm import Session, declarative_base, make_transient_to_detached
from cormorant.orm.util import identity_key
from people import Address, User

Base = declarative_base()


class Seat(Base):
    __tablename__ = "seats"
    row = Column(Integer, primary_key=True, autoincrement=False)
    number = Column(String(50), primary_key=True)
    price = Column(Integer)


@pytest.fixture
def hall(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as hall:
        hall.add_all(
            [Seat(row=1, number="a", price=5), Seat(row=1, number="b", price=6), Seat(row=2, number="a", price=7)]
        )
        hall.commit()
        yield hall


def test_every_way_to_a_row_leads_to_the_same_object(session):
    ann = session.get(User, 1)
    assert session.get(User, 1) is ann
    assert session.scalars(select(User).where(User.name == "ann")).one() is ann
    assert session.query(User).filter_by(id=1).one() is ann
    assert session.get(Address, 1).user is ann
    assert session.execute(select(User, Address).join(Address).where(Address.id == 2)).one()[0] is ann
    session.expire(ann)
    assert session.get(User, 1) is ann
    session.commit()
    assert session.get(User, 1) is ann


def test_another_session_has_another_object(engine, session):
    with Session(engine) as other:
        assert other.get(User, 1) is not session.get(User, 1)


def test_a_row_read_again_does_not_overwrite_the_object(session):
    ann = session.get(User, 1)
    session.execute(text("UPDATE users SET age = 77"))
    assert session.scalars(select(User).where(User.id == 1)).one() is ann and ann.age == 30
    session.scalars(select(User).execution_options(populate_existing=True)).all()
    assert ann.age == 77


def test_columns_do_not_come_from_objects(session):
    session.get(User, 1)
    session.execute(text("UPDATE users SET age = 77"))
    assert session.scalar(select(User.age).where(User.id == 1)) == 77


def test_a_new_object_is_its_row_once_flushed(session):
    eve = User(id=5, name="eve")
    session.add(eve)
    session.flush()
    assert session.get(User, 5) is eve


def test_an_object_nobody_holds_is_let_go(session):
    ann = session.get(User, 1)
    gone = weakref.ref(ann)
    assert len(session.identity_map) >= 1
    del ann
    gc.collect()
    assert gone() is None and len(session.identity_map) == 0


def test_a_changed_object_is_kept_until_it_is_flushed(session):
    ann = session.get(User, 1)
    ann.age = 99
    seen = weakref.ref(ann)
    del ann
    gc.collect()
    assert seen() is not None
    session.flush()
    gc.collect()
    assert seen() is None
    assert session.get(User, 1).age == 99


def test_a_pending_and_a_deleted_object_are_kept(session):
    session.add(User(name="eve"))
    session.delete(session.get(User, 4))
    gc.collect()
    session.flush()
    assert session.scalars(select(User.name).order_by(User.id)).all() == ["ann", "bob", "cid", "eve"]


def test_a_composite_key_is_one_identity(hall):
    seat = hall.get(Seat, (1, "a"))
    assert hall.get(Seat, {"row": 1, "number": "a"}) is seat
    assert hall.scalars(select(Seat).where(Seat.price == 5)).one() is seat
    assert hall.get(Seat, (2, "a")) is not seat
    assert hall.get(Seat, (2, "b")) is None
    assert inspect(seat).identity == (1, "a")


def test_an_identity_key_is_class_key_and_token(session, hall):
    ann = session.get(User, 1)
    assert inspect(ann).identity == (1,)
    assert inspect(ann).identity_key[:2] == (User, (1,))
    assert identity_key(User, 1) == identity_key(instance=ann) == inspect(ann).key
    assert inspect(ann).key in session.identity_map
    assert session.identity_map[identity_key(User, 1)] is ann
    assert inspect(User()).identity is None


def test_two_new_objects_with_one_key_are_a_conflict(session):
    one, two = User(id=50), User(id=50)
    session.add_all([one, two])
    with pytest.raises(exc.IntegrityError, match="UNIQUE constraint failed: users.id|users_pkey|Duplicate entry"):
        session.flush()
    session.rollback()
    assert one not in session and two not in session


def test_a_second_object_for_a_key_in_the_session_is_refused(session):
    session.get(User, 1)
    stranger = User(id=1, name="x")
    make_transient_to_detached(stranger)
    keep = session.get(User, 1)
    with pytest.raises(exc.InvalidRequestError, match="another instance with"):
        session.add(stranger)
    assert keep is session.get(User, 1)


@pytest.mark.database("sqlite")
def test_a_key_of_another_kind_is_not_the_same_key(session):
    ann = session.get(User, 1)
    assert session.get(User, "not a number") is None
    assert session.get(User, 1) is ann


@pytest.mark.database("sqlite")
def test_keys_go_to_the_ends_of_their_range(session):
    for key in (2**63 - 1, -(2**63), 0, -1):
        session.add(User(id=key, name=str(key)))
    session.commit()
    session.expunge_all()
    for key in (2**63 - 1, -(2**63), 0, -1):
        assert session.get(User, key).name == str(key)
    assert session.get(User, 0) is session.scalars(select(User).where(User.id == 0)).one()


def test_many_objects_keep_their_identities(engine, session):
    session.add_all([User(name=str(number)) for number in range(5000)])
    session.commit()
    session.expunge_all()
    first = session.scalars(select(User)).all()
    again = session.scalars(select(User)).all()
    assert len(first) == 5004 and all(a is b for a, b in zip(first, again))
    del first[::2], again
    gc.collect()
    assert len(session.identity_map) == len(first)
    assert all(session.get(User, user.id) is user for user in first)


def test_an_object_whose_key_was_taken_by_another_row_after_a_delete(session):
    dot = session.get(User, 4)
    session.delete(dot)
    session.flush()
    new = User(id=4, name="new")
    session.add(new)
    session.flush()
    assert session.get(User, 4) is new and dot not in session
