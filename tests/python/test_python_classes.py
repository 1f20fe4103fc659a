"""A mapped class stays a Python class: everything that Python gives a class goes on working."""

import copy
import gc
import pickle
import weakref

import pytest
from cormorant import Column, ForeignKey, Integer, String, inspect, select
from cormorant.orm import Session, declarative_base, reconstructor, relationship
from cormorant.orm.exc import DetachedInstanceError
from people import Address, User

Base = declarative_base()


class Shape:
    """A base class that knows nothing of databases."""

    made = 0

    def __init__(self, corners=0, **more):
        super().__init__(**more)
        self.corners = corners
        Shape.made += 1

    def describe(self):
        return f"{self.name} with {self.corners} corners"


class Figure(Shape, Base):
    __tablename__ = "figures"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    corners = Column(Integer)
    kind = "a class attribute"

    @property
    def shout(self):
        return self.name.upper()

    @shout.setter
    def shout(self, value):
        self.name = value.lower()

    @classmethod
    def square(cls):
        return cls(name="square", corners=4)

    @staticmethod
    def help():
        return "help"

    def __repr__(self):
        return f"<Figure {self.name}>"

    def __len__(self):
        return self.corners

    def __eq__(self, other):
        return isinstance(other, Figure) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


class Guarded(Base):
    """Its __init__ takes positions and does not call its base's."""

    __tablename__ = "guarded"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))

    def __init__(self, name):
        self.name = name
        self.calls = 1

    @reconstructor
    def after_load(self):
        self.calls = 100


@pytest.fixture
def figures(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as figures:
        yield figures


def test_methods_properties_and_class_attributes_work(figures):
    square = Figure.square()
    assert square.describe() == "square with 4 corners" and square.shout == "SQUARE" and Figure.help() == "help"
    square.shout = "CIRCLE"
    assert (
        square.name == "circle"
        and square.kind == Figure.kind
        and repr(square) == "<Figure circle>"
        and len(square) == 4
    )
    figures.add(square)
    figures.commit()
    assert figures.scalars(select(Figure)).one().describe() == "circle with 4 corners"
    assert Figure.__doc__ is None and Figure.__name__ == "Figure" and Figure.__module__ == __name__
    assert issubclass(Figure, Shape) and isinstance(square, Shape)


def test_the_own_constructor_runs_for_new_objects_and_not_for_loaded_ones(figures):
    before = Shape.made
    figures.add(Figure(name="x", corners=1))
    figures.commit()
    figures.expunge_all()
    assert figures.scalars(select(Figure)).one().corners == 1
    assert Shape.made == before + 1


def test_a_constructor_need_not_call_its_bases(figures):
    guarded = Guarded("x")
    assert guarded.name == "x" and guarded.calls == 1
    with pytest.raises(TypeError):
        Guarded()
    figures.add(guarded)
    figures.commit()
    figures.expunge_all()
    del guarded
    again = figures.scalars(select(Guarded)).one()
    assert again.name == "x" and again.calls == 100


def test_a_constructor_that_raises_leaves_nothing(figures):
    class Refusing(Base):
        __tablename__ = "refusing"
        id = Column(Integer, primary_key=True)

        def __init__(self):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Refusing()
    Base.metadata.remove(Refusing.__table__)


def test_own_equality_does_not_confuse_the_session(figures):
    one, two = Figure(name="same"), Figure(name="same")
    assert one == two
    figures.add_all([one, two])
    figures.commit()
    assert one.id != two.id and len(figures.scalars(select(Figure)).all()) == 2
    figures.delete(two)
    figures.commit()
    assert one in figures and two not in figures


def test_plain_attributes_live_beside_mapped_ones(figures):
    figure = Figure(name="x", corners=1)
    figure.anything = [1, 2]
    figures.add(figure)
    figures.commit()
    assert figure.anything == [1, 2] and figure.name == "x"
    del figure.anything
    with pytest.raises(AttributeError, match="anything"):
        figure.anything
    with pytest.raises(AttributeError, match="nothing"):
        figure.nothing


def test_vars_shows_the_loaded_values(session):
    ann = session.get(User, 1)
    shown = {name: value for name, value in vars(ann).items() if not name.startswith("_")}
    assert shown == {"id": 1, "name": "ann", "age": 30}
    assert "addresses" not in ann.__dict__
    ann.addresses
    assert [address.id for address in ann.__dict__["addresses"]] == [1, 2]
    ann.age = 31
    ann.note = "plain"
    assert ann.__dict__["age"] == 31 and vars(ann)["note"] == "plain"
    session.expire(ann)
    assert not {"id", "name", "age", "addresses"} & set(vars(ann)) and vars(ann)["note"] == "plain"
    assert ann.age == 30 and vars(ann)["age"] == 30


def test_vars_of_a_new_object_shows_what_was_set():
    user = User(name="x")
    assert {name: value for name, value in vars(user).items() if not name.startswith("_")} == {"name": "x"}


def test_programs_serialise_through_vars(session):
    import json

    rows = [
        {key: value for key, value in vars(user).items() if not key.startswith("_sa")}
        for user in session.scalars(select(User))
    ]
    assert json.loads(json.dumps(rows, sort_keys=True))[0] == {"age": 30, "id": 1, "name": "ann"}


def test_what_is_written_into_the_dictionary_is_read_by_the_attribute(session):
    ann = session.get(User, 1)
    vars(ann)["age"] = 5
    assert ann.age == 5 and ann not in session.dirty


def test_getattr_setattr_hasattr_dir_and_delattr(session):
    ann = session.get(User, 1)
    assert ann.name == "ann" and hasattr(ann, "addresses") and not hasattr(ann, "nothing")
    assert getattr(ann, "nothing", 5) == 5
    ann.age = 6
    assert ann.age == 6
    assert {"id", "name", "age", "addresses"} <= set(dir(ann)) and "name" in dir(User)
    session.commit()
    assert ann.age == 6
    del ann.age
    assert ann.age is None and ann in session.dirty


def test_a_subclass_may_intercept_attributes(figures):
    class Watched(Base):
        __tablename__ = "watched"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        seen = []

        def __setattr__(self, name, value):
            if not name.startswith("_"):
                self.seen.append(name)
            super().__setattr__(name, value)

        def __getattr__(self, name):
            if name.startswith("magic"):
                return name
            raise AttributeError(name)

    watched = Watched(name="x")
    watched.plain = 1
    assert Watched.seen == ["name", "plain"] and watched.magic_thing == "magic_thing" and watched.name == "x"
    Base.metadata.remove(Watched.__table__)


def test_objects_are_pickled_with_what_they_have(session):
    ann = session.get(User, 1)
    assert ann.addresses[0].user is ann
    ann.note = "plain"
    again = pickle.loads(pickle.dumps(ann))
    assert again is not ann and type(again) is User and again.name == "ann" and again.note == "plain"
    assert [mail.email for mail in again.addresses] == ["ann@a", "ann@b"] and again.addresses[0].user is again
    assert inspect(again).detached and inspect(again).identity == (1,) and again not in session
    session.expunge_all()
    session.add(again)
    assert session.get(User, 1) is again


def test_pickled_objects_remember_what_was_not_loaded_and_what_changed(session):
    ann = session.get(User, 1)
    ann.age = 99
    session.expire(ann, ["name"])
    again = pickle.loads(pickle.dumps(ann))
    with pytest.raises(DetachedInstanceError):
        again.name
    assert again.age == 99 and inspect(again).modified
    session.expunge_all()
    session.add(again)
    session.commit()
    assert session.get(User, 1).age == 99 and again.name == "ann"


def test_a_new_object_is_pickled_as_new():
    again = pickle.loads(pickle.dumps(User(name="x", addresses=[Address(email="y")])))
    assert inspect(again).transient and again.addresses[0].user is again and again.age is None


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol_works(protocol):
    assert pickle.loads(pickle.dumps(User(name="x"), protocol)).name == "x"


def test_circles_of_objects_are_collected(session):
    ann = session.get(User, 1)
    assert ann.addresses[0].user is ann
    gone = [weakref.ref(ann), weakref.ref(ann.addresses[0])]
    del ann
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_new_objects_in_circles_are_collected():
    user = User(addresses=[Address(email="x")])
    user.me = user
    gone = [weakref.ref(user), weakref.ref(user.addresses[0])]
    del user
    gc.collect()
    assert [ref() for ref in gone] == [None, None]


def test_an_object_may_die_at_once_without_the_collector(session):
    ann = session.get(User, 1)
    died = []
    weakref.finalize(ann, died.append, "ann")
    gc.disable()
    try:
        del ann
        assert died == ["ann"]
    finally:
        gc.enable()


def test_a_weak_reference_calls_back_and_the_session_is_not_confused(session):
    heard = []
    ann = session.get(User, 1)
    ref = weakref.ref(ann, lambda _: heard.append(session.get(User, 1)))
    del ann
    gc.collect()
    assert ref() is None and heard[0].name == "ann" and session.get(User, 1) is heard[0]


def test_a_finalizer_may_use_the_session(engine):
    Other = declarative_base()

    class Dying(Other):
        __tablename__ = "dying"
        id = Column(Integer, primary_key=True)
        heard = []

        def __del__(self):
            self.heard.append(self.id)

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Dying(id=7))
        session.commit()
        assert session.get(Dying, 7).id == 7
        gc.collect()
        assert 7 in Dying.heard
        assert session.get(Dying, 7).id == 7


def test_classes_themselves_are_collected():
    Other = declarative_base()

    class Parent(Other):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child", back_populates="parent")

    class Child(Other):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))
        parent = relationship("Parent", back_populates="children")

    Parent(children=[Child()])
    gone = [weakref.ref(Parent), weakref.ref(Child), weakref.ref(Other)]
    del Parent, Child, Other
    for _ in range(3):
        gc.collect()
    assert [ref() for ref in gone] == [None, None, None]


def test_slots_and_metaclass_arguments_in_bases_are_allowed(engine):
    class Slotted:
        __slots__ = ()

        def twice(self):
            return self.number * 2

    class Hooked:
        def __init_subclass__(cls, word="none", **more):
            cls.word = word
            super().__init_subclass__(**more)

    Other = declarative_base()

    class Thing(Slotted, Hooked, Other):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        number = Column(Integer)

    assert Thing(number=4).twice() == 8 and Thing.word == "none"


def test_a_generic_base_class_is_allowed():
    from typing import Generic, TypeVar

    T = TypeVar("T")
    Other = declarative_base()

    class Box(Generic[T]):
        pass

    class Thing(Box[int], Other):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)

    assert Thing(id=1).id == 1


def test_objects_are_hashed_by_identity_and_can_be_keys():
    one, two = User(name="x"), User(name="x")
    assert one != two and len({one, two}) == 2 and {one: 1}[one] == 1


def test_new_without_init_makes_no_usable_row_but_does_not_break():
    user = User.__new__(User)
    assert isinstance(user, User)


def test_copying_by_hand(session):
    ann = session.get(User, 1)
    twin = User(**{key: value for key, value in vars(ann).items() if key in ("name", "age")})
    session.add(twin)
    session.flush()
    assert twin.id != 1 and (twin.name, twin.age) == ("ann", 30)


def test_copies_hold_the_values():
    shallow = copy.copy(User(name="x"))
    assert shallow.name == "x"
