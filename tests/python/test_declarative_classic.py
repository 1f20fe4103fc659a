"""Declarative classes in the style before annotations."""

import warnings

import pytest
from cormorant import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    exc,
    inspect,
    select,
)
from cormorant.orm import (
    Session,
    as_declarative,
    backref,
    declarative_base,
    declared_attr,
    deferred,
    has_inherited_table,
    registry,
    relationship,
    synonym,
)


@pytest.fixture
def Base():
    return declarative_base()


def test_a_class_gets_a_table_and_columns_become_attributes(Base):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String(50), nullable=False)
        full = Column("full_name", String)

    assert isinstance(User.__table__, Table) and User.__table__ is Base.metadata.tables["users"]
    assert User.__table__.c.keys() == ["id", "name", "full_name"]
    assert str(User.full == "x") == "users.full_name = :full_name_1"
    assert User(full="x").full == "x"
    assert User.name.type.length == 50 and User.name.expression is not None


def test_the_default_constructor_takes_attribute_names_only(Base):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String)

    assert User(name="x", id=5).id == 5
    with pytest.raises(TypeError, match="'nothing' is an invalid keyword argument for User"):
        User(nothing=1)
    with pytest.raises(TypeError):
        User("x")


def test_ext_declarative_has_the_old_name():
    from cormorant.ext.declarative import declarative_base as old

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Base = old()

    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)

    assert User(id=1).id == 1


def test_the_base_may_have_its_own_metadata_class_and_constructor():
    class Root:
        def shout(self):
            return type(self).__name__.upper()

    def construct(self, **values):
        for name, value in values.items():
            setattr(self, name, value)

    metadata = MetaData()
    Base = declarative_base(metadata=metadata, cls=Root, name="Mine", constructor=construct)

    class Thing(Base):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)

    assert Base.metadata is metadata and Base.__name__ == "Mine"
    assert Thing(anything=5).anything == 5 and Thing().shout() == "THING"
    assert isinstance(Base.registry, registry)


def test_table_arguments(Base):
    class Thing(Base):
        __tablename__ = "things"
        __table_args__ = (
            UniqueConstraint("a", "b"),
            CheckConstraint("a > 0"),
            Index("by_b", "b"),
            {"info": {"x": 1}},
        )
        id = Column(Integer, primary_key=True)
        a = Column(Integer)
        b = Column(Integer)

    class Other(Base):
        __tablename__ = "others"
        __table_args__ = {"info": {"y": 2}}
        id = Column(Integer, primary_key=True)

    assert Thing.__table__.info == {"x": 1} and Other.__table__.info == {"y": 2}
    assert {type(one).__name__ for one in Thing.__table__.constraints} == {
        "PrimaryKeyConstraint", "UniqueConstraint", "CheckConstraint",
    }  # fmt: skip
    assert [one.name for one in Thing.__table__.indexes] == ["by_b"]


def test_a_class_may_be_given_its_table(Base, engine):
    class Thing(Base):
        __table__ = Table(
            "things", Base.metadata, Column("id", Integer, primary_key=True), Column("x y", String(50), key="xy")
        )

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Thing(xy="v"))
        session.commit()
        assert session.scalars(select(Thing)).one().xy == "v"


def test_a_class_needs_a_table_and_a_key(Base):
    with pytest.raises(exc.InvalidRequestError, match="does not have a __table__ or __tablename__ specified"):

        class NoTable(Base):
            id = Column(Integer, primary_key=True)

    with pytest.raises(exc.ArgumentError, match="could not assemble any primary key columns for mapped table 'nokey'"):

        class NoKey(Base):
            __tablename__ = "nokey"
            id = Column(Integer)


def test_a_column_named_metadata_is_warned_of(Base):
    with pytest.warns(exc.SAWarning, match="Attribute name 'metadata' should be left reserved"):

        class Bad(Base):
            __tablename__ = "bad"
            id = Column(Integer, primary_key=True)
            metadata = Column(String)


def test_columns_may_be_added_to_a_class_later(Base, engine):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)

    User.name = Column(String(50))
    User.full = Column("full_name", String(50))
    assert User.__table__.c.keys() == ["id", "name", "full_name"]
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(name="x", full="y"))
        session.commit()
        assert session.execute(select(User.name, User.full)).one() == ("x", "y")


def test_relationships_may_be_added_to_a_class_later_even_when_objects_exist(Base, engine):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)

    class Address(Base):
        __tablename__ = "addresses"
        id = Column(Integer, primary_key=True)
        user_id = Column(ForeignKey("users.id"))

    early = User()
    User.addresses = relationship(Address, backref=backref("user"))
    assert early.addresses == []
    address = Address(user=early)
    assert early.addresses == [address]
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(early)
        session.commit()
        assert address.user_id == early.id


def test_a_mixin_gives_its_columns_to_each_class(Base):
    class Named:
        name = Column(String(20))

        def hello(self):
            return f"I am {self.name}"

    class Keyed:
        id = Column(Integer, primary_key=True)

    class A(Keyed, Named, Base):
        __tablename__ = "a"

    class B(Keyed, Named, Base):
        __tablename__ = "b"
        extra = Column(Integer)

    assert A.__table__.c.name is not B.__table__.c.name
    assert set(A.__table__.c.keys()) == {"id", "name"} and A(name="x").hello() == "I am x"
    assert B.__table__.c.name.type.length == 20


def test_declared_attr_computes_for_each_class(Base, engine):
    class Owned:
        @declared_attr
        def __tablename__(cls):
            return cls.__name__.lower() + "s"

        @declared_attr
        def owner_id(cls):
            return Column(ForeignKey("owners.id"))

        @declared_attr
        def owner(cls):
            return relationship("Owner", backref=cls.__tablename__)

        id = Column(Integer, primary_key=True)

    class Owner(Base):
        __tablename__ = "owners"
        id = Column(Integer, primary_key=True)

    class Dog(Owned, Base):
        pass

    class Cat(Owned, Base):
        pass

    owner = Owner()
    dog, cat = Dog(owner=owner), Cat(owner=owner)
    assert owner.dogs == [dog] and owner.cats == [cat]
    assert Dog.__tablename__ == "dogs" and Dog.__table__.c.owner_id is not Cat.__table__.c.owner_id


def test_an_abstract_base_is_not_mapped(Base):
    class Common(Base):
        __abstract__ = True
        id = Column(Integer, primary_key=True)

    class Thing(Common):
        __tablename__ = "things"

    assert not hasattr(Common, "__table__") and Thing(id=1).id == 1
    assert not has_inherited_table(Thing)


def test_a_registry_maps_with_a_decorator():
    mapper_registry = registry()

    @mapper_registry.mapped
    class Thing:
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        name = Column(String)

    assert Thing(name="x").name == "x" and Thing.__name__ == "Thing"
    Base = mapper_registry.generate_base()

    class Other(Base):
        __tablename__ = "others"
        id = Column(Integer, primary_key=True)

    assert Other.metadata is mapper_registry.metadata
    assert {mapper.class_ for mapper in mapper_registry.mappers} == {Thing, Other}


def test_as_declarative_makes_a_base_of_a_class():
    @as_declarative()
    class Base:
        def hello(self):
            return "hello"

        @declared_attr
        def __tablename__(cls):
            return cls.__name__.lower()

    class Thing(Base):
        id = Column(Integer, primary_key=True)

    assert Thing.__tablename__ == "thing" and Thing().hello() == "hello"


def test_synonyms_and_deferred_columns(Base, engine):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        called = synonym("name")
        bio = deferred(Column(String(50)))
        age = Column("years", Integer)

    user = User(called="x", age=5)
    assert user.name == "x"
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(user)
        session.commit()
        assert session.scalars(select(User).where(User.called == "x")).one().age == 5


def test_mapper_arguments(Base):
    class User(Base):
        __tablename__ = "users"
        __mapper_args__ = {"confirm_deleted_rows": False}
        id = Column(Integer, primary_key=True)

    assert inspect(User).confirm_deleted_rows is False


def test_two_classes_of_one_name_warn_and_are_told_apart_by_their_modules(Base):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)

    with pytest.warns(exc.SAWarning, match="already contains a class with the same class name"):
        again = type("User", (Base,), {"__tablename__": "more", "id": Column(Integer, primary_key=True)})
    assert again.__table__.name == "more" and User.__table__.name == "users"


def test_one_table_cannot_be_declared_twice(Base):
    class User(Base):
        __tablename__ = "users"
        id = Column(Integer, primary_key=True)

    with pytest.raises(exc.InvalidRequestError, match="Table 'users' is already defined for this MetaData instance"):

        class Other(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
