"""Relationships inside conditions: equality, any, has, contains, and joins by them."""

import pytest
from cormorant import exc, not_, or_, select
from cormorant.orm import aliased, with_parent
from people import Address, User
from support import flat


def ids(session, statement):
    return sorted(session.scalars(statement))


def test_comparing_with_an_object_compares_the_keys(session):
    ann = session.get(User, 1)
    assert flat(Address.user == ann) == ":param_1 = addresses.user_id"
    assert ids(session, select(Address.id).where(Address.user == ann)) == [1, 2]
    assert ids(session, select(Address.id).filter_by(user=ann)) == [1, 2]
    assert ids(session, select(Address.id).where(Address.user != ann)) == [3]


def test_comparing_with_none_asks_for_null(session):
    session.add(Address(id=9, email="lonely"))
    assert flat(Address.user == None) == "addresses.user_id IS NULL"  # noqa: E711
    assert ids(session, select(Address.id).where(Address.user == None)) == [9]  # noqa: E711
    assert ids(session, select(Address.id).where(Address.user != None)) == [1, 2, 3]  # noqa: E711


def test_the_key_is_read_when_the_statement_runs(session):
    eve = User(name="eve")
    session.add(eve)
    statement = select(Address.id).where(Address.user == eve)
    session.flush()
    session.add(Address(id=9, email="x", user_id=eve.id))
    assert ids(session, statement) == [9]


def test_any_asks_for_some_member(session):
    assert ids(session, select(User.id).where(User.addresses.any())) == [1, 2]
    assert ids(session, select(User.id).where(User.addresses.any(Address.email == "ann@b"))) == [1]
    assert ids(session, select(User.id).where(User.addresses.any(email="bob@a"))) == [2]
    assert ids(session, select(User.id).where(~User.addresses.any())) == [3, 4]
    assert ids(session, select(User.id).where(or_(User.addresses.any(email="bob@a"), User.name == "dot"))) == [2, 4]
    assert flat(User.addresses.any()) == "EXISTS (SELECT 1 FROM addresses, users WHERE users.id = addresses.user_id)"


def test_has_asks_about_the_one(session):
    assert ids(session, select(Address.id).where(Address.user.has(User.age == 30))) == [1, 2]
    assert ids(session, select(Address.id).where(Address.user.has(name="bob"))) == [3]
    assert ids(session, select(Address.id).where(not_(Address.user.has(name="bob")))) == [1, 2]


def test_any_and_has_look_through_all_rows_also_where_their_table_is_joined(session):
    joined = select(User.id).join(User.addresses).where(Address.email == "ann@a")
    assert ids(session, joined.where(User.addresses.any(email="ann@b"))) == [1]
    assert ids(session, joined.where(~User.addresses.any(email="ann@b"))) == []
    back = select(Address.id).join(Address.user).where(User.name == "bob")
    assert ids(session, back.where(Address.user.has(name="bob"))) == [3]


def test_contains_asks_for_this_member(session):
    mail = session.get(Address, 3)
    assert ids(session, select(User.id).where(User.addresses.contains(mail))) == [2]
    assert ids(session, select(User.id).where(~User.addresses.contains(mail))) == [1, 3, 4]


def test_with_parent_finds_the_members(session):
    ann = session.get(User, 1)
    assert ids(session, select(Address.id).where(with_parent(ann, User.addresses))) == [1, 2]


def test_an_aliased_entity_has_relationships_of_its_own(session):
    other = aliased(User)
    assert ids(session, select(other.id).where(other.addresses.any(email="bob@a"))) == [2]
    mail = aliased(Address)
    assert ids(session, select(User.id).join(User.addresses.of_type(mail)).where(mail.email == "bob@a")) == [2]
    ann = session.get(User, 1)
    assert ids(session, select(mail.id).where(mail.user == ann)) == [1, 2]


def test_the_wrong_question_is_an_error_that_says_the_right_one():
    with pytest.raises(
        exc.InvalidRequestError, match="'any\\(\\)' not implemented for scalar attributes. Use has\\(\\)"
    ):
        Address.user.any()
    with pytest.raises(exc.InvalidRequestError, match="'has\\(\\)' not implemented for collections. Use any\\(\\)"):
        User.addresses.has()
    with pytest.raises(exc.InvalidRequestError, match="use contains\\(\\) to test for membership"):
        User.addresses == User()
    with pytest.raises(NotImplementedError, match="in_\\(\\) not yet supported for relationships"):
        Address.user.in_([User()])


def test_a_relationship_attribute_says_what_it_is():
    assert str(User.addresses) == "User.addresses" and str(Address.user) == "Address.user"
    assert User.addresses.key == "addresses"
    assert User.addresses.property.mapper.class_ is Address
    assert User.addresses.property.uselist is True and Address.user.property.uselist is False
    assert User.addresses.property.direction.name == "ONETOMANY" and Address.user.property.direction.name == "MANYTOONE"
