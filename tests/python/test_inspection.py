"""inspect() and its kin: what a class, an object, an engine say about themselves."""

import pytest
from cormorant import Column, ForeignKey, Integer, MetaData, String, Table, exc, inspect, select, text
from cormorant.orm import (
    aliased,
    attributes,
    class_mapper,
    configure_mappers,
    make_transient,
    make_transient_to_detached,
    object_mapper,
    object_session,
    was_deleted,
)
from cormorant.orm.attributes import (
    flag_dirty,
    flag_modified,
    get_history,
    init_collection,
    instance_state,
    set_committed_value,
)
from cormorant.orm.exc import UnmappedClassError
from people import Address, User
from support import statements_of


def test_a_class_has_a_mapper():
    mapper = inspect(User)
    assert mapper is User.__mapper__ is class_mapper(User)
    assert (
        mapper.class_ is User and mapper.local_table is User.__table__ and mapper.persist_selectable is User.__table__
    )
    assert [column.name for column in mapper.primary_key] == ["id"]
    assert mapper.is_mapper and mapper.columns.keys() == ["id", "name", "age"]
    assert str(mapper) == "Mapper[User(users)]"


def test_a_mapper_knows_its_attributes():
    mapper = inspect(User)
    assert set(mapper.attrs.keys()) == {"id", "name", "age", "addresses"}
    assert mapper.column_attrs.keys() == ["id", "name", "age"]
    assert mapper.relationships.keys() == ["addresses"]
    assert mapper.relationships.addresses.mapper is inspect(Address)
    assert mapper.attrs.name.key == "name" and mapper.attrs.name.columns[0] is User.__table__.c.name
    assert {prop.key for prop in mapper.iterate_properties} == {"id", "name", "age", "addresses"}
    assert mapper.all_orm_descriptors.keys() and "name" in mapper.all_orm_descriptors
    assert mapper.get_property("name").key == "name" and mapper.has_property("name")
    assert list(mapper.primary_key_from_instance(User(id=5))) == [5]


def test_what_is_not_mapped_is_refused():
    with pytest.raises(exc.NoInspectionAvailable, match="No inspection system is available for object of type"):
        inspect(object())
    assert inspect(object(), raiseerr=False) is None
    with pytest.raises(UnmappedClassError, match="Class 'builtins.int' is not mapped"):
        class_mapper(int)


def test_an_object_has_a_state(session):
    ann = session.get(User, 1)
    state = inspect(ann)
    assert state is inspect(ann) is instance_state(ann)
    assert state.object is ann and state.obj() is ann and state.mapper is inspect(User) is object_mapper(ann)
    assert state.session is session is object_session(ann)
    assert state.identity == (1,) and state.has_identity and state.class_ is User
    assert state.persistent and not (state.transient or state.pending or state.deleted or state.detached)
    assert state.dict["name"] == "ann" and state.attrs.name.value == "ann"
    assert set(state.unloaded) == {"addresses"} and not state.modified and not state.expired


def test_attributes_of_a_state(session):
    ann = session.get(User, 1)
    state = inspect(ann)
    assert set(state.attrs.keys()) == {"id", "name", "age", "addresses"}
    assert state.attrs.age.loaded_value == 30 and state.attrs.age.key == "age"
    assert state.attrs.addresses.loaded_value is attributes.NO_VALUE
    ann.age = 31
    assert state.modified and state.attrs.age.history.added == [31]
    session.expire(ann, ["name"])
    assert state.expired_attributes == {"name"}


def test_history_tells_what_was_added_and_taken(session):
    ann = session.get(User, 1)
    assert get_history(ann, "age") == ((), [30], ())
    ann.age = 31
    history = get_history(ann, "age")
    assert (list(history.added), list(history.unchanged), list(history.deleted)) == ([31], [], [30])
    assert history.has_changes() and not history.empty()
    assert history.sum() == [31, 30] and history.non_deleted() == [31] and history.non_added() == [30]
    ann.age = 30
    assert not get_history(ann, "age").has_changes()
    session.flush()
    assert get_history(ann, "age") == ((), [30], ())


def test_history_of_a_collection(session):
    ann = session.get(User, 1)
    one, two = ann.addresses
    new = Address(email="x")
    ann.addresses.append(new)
    ann.addresses.remove(one)
    history = inspect(ann).attrs.addresses.history
    assert (history.added, history.unchanged, history.deleted) == ([new], [two], [one])


def test_history_of_a_reference(session):
    mail = session.get(Address, 1)
    ann, bob = session.get(User, 1), session.get(User, 2)
    assert mail.user is ann
    mail.user = bob
    history = get_history(mail, "user")
    assert (history.added, history.deleted) == ([bob], [ann])


def test_history_of_a_new_object():
    user = User(name="x")
    assert get_history(user, "name").added == ["x"]
    assert get_history(user, "age").empty()


def test_flag_modified_writes_what_was_changed_inside(session, engine):
    ann = session.get(User, 1)
    flag_modified(ann, "name")
    assert ann in session.dirty and session.is_modified(ann)
    with statements_of(engine) as sent:
        session.flush()
    assert [one.text for one in sent] == ["UPDATE users SET name=? WHERE users.id = ?"]
    session.expire(ann, ["name"])
    with pytest.raises(exc.InvalidRequestError, match="Can't flag attribute 'name' modified"):
        flag_modified(ann, "name")


def test_flag_dirty_puts_an_object_before_the_hooks_without_writing(session, engine):
    ann = session.get(User, 1)
    flag_dirty(ann)
    assert ann in session.dirty
    with statements_of(engine) as sent:
        session.flush()
    assert sent == []


def test_set_committed_value_is_no_change(session):
    ann = session.get(User, 1)
    set_committed_value(ann, "age", 99)
    mail = Address(email="x")
    set_committed_value(ann, "addresses", [mail])
    assert ann.age == 99 and ann not in session.dirty and ann.addresses == [mail]


def test_init_collection_gives_an_empty_one(session):
    user = User()
    adapter = init_collection(user, "addresses")
    adapter.append_without_event(Address(email="x"))
    assert [mail.email for mail in user.addresses] == ["x"]


def test_make_transient_forgets_the_row(session):
    dot = session.get(User, 4)
    session.expunge(dot)
    make_transient(dot)
    assert inspect(dot).transient and inspect(dot).key is None and dot.name == "dot"
    dot.id = None
    session.add(dot)
    session.flush()
    assert dot.id == 5 and session.scalars(select(User.id).where(User.name == "dot")).all() == [4, 5]


def test_make_transient_to_detached_claims_a_row(session):
    made = User(id=2)
    make_transient_to_detached(made)
    assert inspect(made).detached and inspect(made).identity == (2,)
    session.add(made)
    assert made.name == "bob" and made is session.get(User, 2)


def test_was_deleted(session):
    dot = session.get(User, 4)
    assert not was_deleted(dot)
    session.delete(dot)
    session.flush()
    assert was_deleted(dot)


def test_an_aliased_class_is_inspected_too():
    other = aliased(User, name="other")
    insp = inspect(other)
    assert insp.mapper is inspect(User) and insp.class_ is User and insp.name == "other" and insp.is_aliased_class


def test_a_mapped_attribute_is_inspected_too():
    assert User.name.key == "name" and User.name.class_ is User and User.name.parent is inspect(User)
    assert User.name.property is inspect(User).attrs.name
    assert inspect(User.name) is User.name


def test_an_engine_tells_of_its_tables(engine):
    metadata = MetaData()
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("name", String(5), nullable=False))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id")))
    metadata.create_all(engine)
    found = inspect(engine)
    assert found.get_table_names() == ["a", "b"] and found.has_table("a") and not found.has_table("c")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["a", "b"]


def test_configure_mappers_finds_what_is_wrong():
    from cormorant.orm import declarative_base, relationship

    configure_mappers()
    Base = declarative_base()

    class Lonely(Base):
        __tablename__ = "lonely"
        id = Column(Integer, primary_key=True)
        other = relationship("NoSuchClass")

    with pytest.raises(exc.InvalidRequestError, match="expression 'NoSuchClass' failed to locate a name"):
        Base.registry.configure()
    Base.registry.dispose()


def test_the_sessions_state_follows_the_row(session):
    ann = session.get(User, 1)
    session.execute(text("UPDATE users SET age = 1"))
    session.refresh(ann)
    assert get_history(ann, "age") == ((), [1], ())
