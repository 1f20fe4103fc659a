"""One-to-many, many-to-one and one-to-one: both sides kept in step, in memory and in the rows."""

import pytest
from cormorant import Column, ForeignKey, Integer, String, event, exc, select
from cormorant.orm import Session, backref, declarative_base, relationship
from cormorant.orm.exc import FlushError
from people import Address, User


def one_to_one():
    Base = declarative_base()

    class Person(Base):
        __tablename__ = "persons"
        id = Column(Integer, primary_key=True)
        passport = relationship("Passport", back_populates="person", uselist=False)

    class Passport(Base):
        __tablename__ = "passports"
        id = Column(Integer, primary_key=True)
        person_id = Column(ForeignKey("persons.id"))
        person = relationship("Person", back_populates="passport")

    return Base, Person, Passport


def test_appending_sets_the_reference_and_setting_the_reference_appends():
    ann, bob, mail = User(name="ann"), User(name="bob"), Address(email="a")
    ann.addresses.append(mail)
    assert mail.user is ann
    mail.user = bob
    assert ann.addresses == [] and bob.addresses == [mail]
    bob.addresses.remove(mail)
    assert mail.user is None
    mail.user = ann
    assert ann.addresses == [mail]
    mail.user = None
    assert ann.addresses == []


def test_every_list_operation_keeps_the_other_side_in_step():
    user = User()
    a, b, c, d = [Address(email=name) for name in "abcd"]
    user.addresses.extend([a, b])
    user.addresses.insert(0, c)
    user.addresses += [d]
    assert user.addresses == [c, a, b, d] and all(one.user is user for one in (a, b, c, d))
    assert user.addresses.pop() is d and d.user is None
    assert user.addresses.pop(0) is c and c.user is None
    user.addresses[0] = c
    assert a.user is None and c.user is user
    user.addresses[0:1] = [a, d]
    assert user.addresses == [a, d, b] and c.user is None and d.user is user
    del user.addresses[0]
    assert a.user is None
    del user.addresses[:]
    assert d.user is None and b.user is None and user.addresses == []
    user.addresses = [a, b]
    user.addresses.clear()
    assert a.user is None and b.user is None
    user.addresses.append(a)
    user.addresses.reverse()
    user.addresses.sort(key=lambda one: one.email)
    assert user.addresses == [a] and a.user is user


def test_assigning_a_list_replaces_the_members():
    user = User()
    a, b, c = [Address(email=name) for name in "abc"]
    user.addresses = [a, b]
    kept = user.addresses
    user.addresses = [b, c]
    assert a.user is None and b.user is user and c.user is user
    assert user.addresses == [b, c]
    assert kept is not user.addresses
    user.addresses = []
    assert b.user is None and c.user is None


def test_a_collection_is_a_list_to_python(session):
    ann = session.get(User, 1)
    assert isinstance(ann.addresses, list) and len(ann.addresses) == 2
    assert ann.addresses == [session.get(Address, 1), session.get(Address, 2)]
    assert session.get(Address, 2) in ann.addresses and ann.addresses.index(session.get(Address, 2)) == 1
    assert ann.addresses is ann.addresses and ann.addresses[::-1] == list(reversed(ann.addresses))
    assert [*ann.addresses, 1][:2] == ann.addresses and ann.addresses + [1] == [*ann.addresses, 1]
    assert bool(ann.addresses) and not session.get(User, 3).addresses


def test_only_the_right_class_and_only_collections_are_accepted():
    user = User()
    with pytest.raises((TypeError, AttributeError)):
        user.addresses = 5
    with pytest.raises(AttributeError):
        user.addresses.append("text")
    with pytest.raises(TypeError, match="Incompatible collection type: User is not list-like"):
        user.addresses = User()


def test_the_wrong_class_in_a_reference_is_refused_at_the_latest_when_it_is_flushed(engine):
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))
        parent = relationship(Parent)

    Base.metadata.create_all(engine)
    with Session(engine) as session, pytest.raises((AssertionError, FlushError), match="objects? of type"):
        session.add(Child(parent=Child()))
        session.flush()


def test_keys_are_carried_from_parents_to_children(session):
    eve = User(name="eve", addresses=[Address(email="1"), Address(email="2")])
    session.add(eve)
    session.commit()
    assert eve.id is not None and [mail.user_id for mail in eve.addresses] == [eve.id, eve.id]
    mail = Address(email="3", user=User(name="fay"))
    session.add(mail)
    session.commit()
    assert mail.user_id == mail.user.id


def test_moving_a_child_moves_its_row(session):
    ann, bob = session.get(User, 1), session.get(User, 2)
    mail = ann.addresses[0]
    mail.user = bob
    session.commit()
    assert mail.user_id == 2 and mail in bob.addresses and mail not in ann.addresses


def test_removing_a_child_empties_its_key(session):
    ann = session.get(User, 1)
    mail = ann.addresses.pop(0)
    session.commit()
    assert mail.user_id is None and mail.user is None and [one.id for one in ann.addresses] == [2]


def test_deleting_a_parent_empties_the_keys_of_its_children(session):
    session.delete(session.get(User, 1))
    session.commit()
    assert session.scalars(select(Address.user_id).order_by(Address.id)).all() == [None, None, 2]


def test_a_key_set_by_hand_is_seen_after_expiration(session):
    mail = session.get(Address, 1)
    assert mail.user.name == "ann"
    mail.user_id = 2
    assert mail.user.name == "ann"
    session.flush()
    session.expire(mail)
    assert mail.user.name == "bob"


def test_a_pending_object_does_not_load_its_reference_by_itself(session):
    mail = Address(email="x", user_id=1)
    session.add(mail)
    with session.no_autoflush:
        assert mail.user is None
    session.flush()
    session.expire(mail, ["user"])
    assert mail.user.name == "ann"


def test_a_reference_to_nothing_is_none(session):
    lonely = Address(email="x")
    session.add(lonely)
    session.commit()
    assert lonely.user is None


def test_the_unloaded_other_side_hears_of_a_change_when_it_loads(session):
    mail = Address(email="new", user=session.get(User, 1))
    session.add(mail)
    ann = session.get(User, 1)
    assert [one.email for one in ann.addresses] == ["ann@a", "ann@b", "new"]


def test_backref_makes_the_other_side():
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child", backref="parent", order_by="Child.name")

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        parent_id = Column(ForeignKey("parents.id"))

    parent, child = Parent(), Child(name="x")
    child.parent = parent
    assert parent.children == [child]
    parent.children.remove(child)
    assert child.parent is None


def test_backref_may_carry_options():
    Base = declarative_base()

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))
        parent = relationship("Parent", backref=backref("only_child", uselist=False))

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)

    parent, child = Parent(), Child()
    child.parent = parent
    assert parent.only_child is child
    parent.only_child = None
    assert child.parent is None


def test_without_back_populates_each_side_goes_alone(engine):
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child")

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        parent = Parent(children=[Child(), Child()])
        session.add(parent)
        session.commit()
        assert [child.parent_id for child in parent.children] == [1, 1]


def test_a_one_to_one_is_a_single_object_on_both_sides(engine):
    Base, Person, Passport = one_to_one()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        person, first, second = Person(), Passport(), Passport()
        person.passport = first
        assert first.person is person
        session.add(person)
        session.commit()
        assert person.passport is first
        person.passport = second
        assert first.person is None and second.person is person
        session.commit()
        assert first.person_id is None and second.person_id == person.id
        second.person = None
        assert person.passport is None
        session.commit()
        assert Person().passport is None


def test_more_than_one_row_for_a_one_to_one_gives_one_with_a_warning(engine):
    Base, Person, Passport = one_to_one()
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Person(id=1), Passport(person_id=1), Passport(person_id=1)])
        session.commit()
        with pytest.warns(exc.SAWarning, match="Multiple rows returned with uselist=False"):
            assert session.get(Person, 1).passport is not None


def test_a_relationship_may_be_given_after_the_class():
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(Integer, ForeignKey("parents.id"))

    Parent.children = relationship(Child, back_populates="parent")
    Child.parent = relationship(Parent, back_populates="children")
    parent = Parent(children=[Child()])
    assert parent.children[0].parent is parent


def test_the_class_may_be_named_late_or_by_a_callable():
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship(lambda: Child, primaryjoin=lambda: Parent.id == Child.parent_id)
        sons = relationship("Child", primaryjoin="Parent.id == Child.parent_id", viewonly=True)

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))

    assert Parent(children=[Child()]).children[0].parent_id is None
    assert Parent().sons == []


@pytest.mark.parametrize(
    "order",
    [
        lambda child: child.name.desc(),
        lambda child: "Child.name.desc()",
        lambda child: "desc(Child.name)",
        lambda child: [child.size.desc(), child.name.desc()],
        lambda child: "Child.size.desc(), Child.name.desc()",
        lambda child: lambda: child.name.desc(),
    ],
)
def test_order_by_may_be_an_expression_a_string_a_list_or_a_callable(engine, order):
    Base = declarative_base()

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        size = Column(Integer, default=1)
        parent_id = Column(ForeignKey("parents.id"))

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        children = relationship("Child", order_by=order(Child))

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Parent(id=1, children=[Child(name=name) for name in "bca"]))
        session.commit()
        assert [child.name for child in session.get(Parent, 1).children] == ["c", "b", "a"]


def test_a_set_and_a_dictionary_can_be_collections(engine):
    from cormorant.orm.collections import attribute_keyed_dict

    Base = declarative_base()

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        a_id = Column(ForeignKey("parents.id"))
        b_id = Column(ForeignKey("parents.id"))
        a = relationship("Parent", back_populates="as_set", foreign_keys=[a_id])
        b = relationship("Parent", back_populates="as_dict", foreign_keys=[b_id])

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        as_set = relationship(Child, collection_class=set, foreign_keys=[Child.a_id], back_populates="a")
        as_dict = relationship(
            Child, collection_class=attribute_keyed_dict("name"), foreign_keys=[Child.b_id], back_populates="b"
        )

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        parent, one, two = Parent(id=1), Child(name="one"), Child(name="two")
        parent.as_set.add(one)
        parent.as_set |= {two}
        parent.as_dict["one"] = one
        assert one.a is parent and two.a is parent and one.b is parent
        parent.as_set.discard(two)
        assert two.a is None
        session.add(parent)
        session.commit()
        assert isinstance(parent.as_set, set) and parent.as_set == {one}
        assert isinstance(parent.as_dict, dict) and parent.as_dict == {"one": one}
        del parent.as_dict["one"]
        assert one.b is None


def test_events_tell_of_members_coming_and_going():
    heard = []
    Base, Person, Passport = one_to_one()
    event.listen(Person.passport, "set", lambda target, value, old, initiator: heard.append((value, old)))
    person, passport = Person(), Passport()
    person.passport = passport
    person.passport = None
    assert heard[0][0] is passport and heard[1] == (None, passport)


def test_loading_a_parent_by_key_uses_the_object_in_hand(session, engine):
    from support import statements_of

    ann = session.get(User, 1)
    mail = session.get(Address, 1)
    with statements_of(engine) as sent:
        assert mail.user is ann
    assert sent == []
