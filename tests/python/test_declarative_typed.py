"""Declarative classes that say their columns in annotations."""

import datetime
import decimal
from typing import Annotated, Any, ClassVar, List, Optional, Set, Union

import pytest
from cormorant import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    exc,
    func,
    inspect,
    select,
)
from cormorant.orm import (
    DeclarativeBase,
    DeclarativeBaseNoMeta,
    Mapped,
    Session,
    declarative_base,
    declared_attr,
    mapped_column,
    registry,
    relationship,
)
from support import flat, output_of


class Strange:
    """A class that no SQL type stands for."""


@pytest.fixture
def Base():
    class Base(DeclarativeBase):
        pass

    return Base


def type_of(column):
    return str(column.type)


def test_annotations_give_types_and_nullability(Base):
    class Thing(Base):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        nick: Mapped[Optional[str]]
        old: Mapped[Union[str, None]]
        new: Mapped[str | None]
        other_way: Mapped[None | int]
        flag: Mapped[bool]
        ratio: Mapped[float]
        price: Mapped[decimal.Decimal]
        day: Mapped[datetime.date]
        hour: Mapped[datetime.time]
        moment: Mapped[datetime.datetime]
        data: Mapped[bytes]

    columns = Thing.__table__.c
    assert columns.keys() == [
        "id", "name", "nick", "old", "new", "other_way", "flag", "ratio", "price", "day", "hour", "moment", "data",
    ]  # fmt: skip
    assert [type_of(column) for column in columns] == [
        "INTEGER", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "BOOLEAN", "DOUBLE", "NUMERIC", "DATE",
        "TIME", "DATETIME", "BLOB",
    ]  # fmt: skip
    assert [column.name for column in columns if column.nullable] == ["nick", "old", "new", "other_way"]


def test_mapped_column_adds_to_or_overrides_the_annotation(Base):
    class Thing(Base):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
        name: Mapped[str] = mapped_column(String(30), unique=True)
        called: Mapped[str] = mapped_column("name_in_table", Text, nullable=True)
        must: Mapped[Optional[str]] = mapped_column(nullable=False)
        plain = mapped_column(Integer)
        old_style = Column(String(5))
        counted: Mapped[int] = mapped_column(default=5, index=True)

    columns = Thing.__table__.c
    assert type_of(columns.id) == "BIGINT" and type_of(columns.name) == "VARCHAR(30)" and columns.name.unique
    assert columns.name_in_table.nullable and type_of(columns.name_in_table) == "TEXT"
    assert not columns.must.nullable and columns.plain.nullable and type_of(columns.old_style) == "VARCHAR(5)"
    assert columns.counted.default.arg == 5 and columns.counted.index


def test_relationships_take_their_class_and_form_from_the_annotation(Base, engine):
    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        addresses: Mapped[List["Address"]] = relationship(back_populates="user")
        as_set: Mapped[Set["Address"]] = relationship(viewonly=True)
        lower: Mapped[list["Address"]] = relationship(viewonly=True)
        card: Mapped[Optional["Card"]] = relationship(back_populates="user")

    class Address(Base):
        __tablename__ = "addresses"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[Optional[int]] = mapped_column(ForeignKey("users.id"))
        user: Mapped["User"] = relationship(back_populates="addresses")

    class Card(Base):
        __tablename__ = "cards"
        id: Mapped[int] = mapped_column(primary_key=True)
        user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
        user: Mapped[User] = relationship(back_populates="card")

    user = User(addresses=[Address()], card=Card())
    assert user.addresses[0].user is user and user.card.user is user
    assert isinstance(user.as_set, set) and user.lower == []
    assert inspect(User).relationships.card.uselist is False
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(user)
        session.commit()
        assert user.as_set == {user.addresses[0]} and user.card.user_id == user.id


def test_annotated_types_carry_their_columns(Base, engine):
    key = Annotated[int, mapped_column(primary_key=True)]
    short = Annotated[str, 30]
    required = Annotated[str, mapped_column(String(50), nullable=False)]
    owned = Annotated[int, mapped_column(ForeignKey("owners.id"))]
    now = Annotated[datetime.datetime, mapped_column(server_default=func.CURRENT_TIMESTAMP())]

    class Mine(DeclarativeBase):
        type_annotation_map = {short: String(30)}

    class Owner(Mine):
        __tablename__ = "owners"
        id: Mapped[key]
        name: Mapped[short]
        nick: Mapped[Optional[short]]
        made: Mapped[now]

    class Pet(Mine):
        __tablename__ = "pets"
        id: Mapped[key]
        title: Mapped[required]
        owner_id: Mapped[Optional[owned]]
        owner: Mapped[Optional[Owner]] = relationship()

    assert type_of(Owner.__table__.c.name) == "VARCHAR(30)" and not Owner.__table__.c.name.nullable
    assert Owner.__table__.c.nick.nullable and type_of(Owner.__table__.c.nick) == "VARCHAR(30)"
    assert type_of(Pet.__table__.c.title) == "VARCHAR(50)" and Pet.__table__.c.owner_id.nullable
    assert Pet.__table__.c.id is not Owner.__table__.c.id
    Mine.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Pet(title="x", owner=Owner(name="y")))
        session.commit()
        assert session.scalars(select(Pet)).one().owner.made is not None


def test_the_base_may_have_its_own_types_metadata_and_registry():
    class Mine(DeclarativeBase):
        metadata = MetaData()
        type_annotation_map = {str: String(99), int: BigInteger, datetime.datetime: Text(), dict[str, Any]: Text()}

    class Thing(Mine):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        moment: Mapped[datetime.datetime]
        extra: Mapped[dict[str, Any]]

    assert [type_of(column) for column in Thing.__table__.c] == ["BIGINT", "VARCHAR(99)", "TEXT", "TEXT"]

    class Other(DeclarativeBase):
        registry = registry(type_annotation_map={str: String(7)})

    class Thing2(Other):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    assert type_of(Thing2.__table__.c.name) == "VARCHAR(7)" and Thing2.metadata is Other.metadata


def test_a_mixin_gives_columns_and_relationships(Base, engine):
    class Keyed:
        id: Mapped[int] = mapped_column(primary_key=True)

    class Stamped:
        made: Mapped[datetime.datetime] = mapped_column(default=lambda: datetime.datetime(2024, 1, 1))
        note: Mapped[Optional[str]] = mapped_column(String(50))

        @declared_attr.directive
        def __tablename__(cls) -> str:
            return cls.__name__.lower()

    class Owned:
        @declared_attr
        def owner_id(cls) -> Mapped[Optional[int]]:
            return mapped_column(ForeignKey("owner.id"))

        @declared_attr
        def owner(cls) -> Mapped[Optional["Owner"]]:
            return relationship("Owner")

    class Owner(Keyed, Stamped, Base):
        pass

    class Dog(Keyed, Stamped, Owned, Base):
        name: Mapped[str] = mapped_column(String(50))

    class Cat(Keyed, Stamped, Owned, Base):
        pass

    assert set(Dog.__table__.c.keys()) == {"id", "made", "note", "owner_id", "name"}
    assert Dog.__table__.c.made is not Cat.__table__.c.made
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Dog(name="rex", owner=Owner()))
        session.commit()
        dog = session.scalars(select(Dog)).one()
        assert dog.owner_id == 1 and dog.made == datetime.datetime(2024, 1, 1)


def test_plain_annotations_are_left_alone(Base):
    class Thing(Base):
        __tablename__ = "things"
        count: ClassVar[int] = 0
        id: Mapped[int] = mapped_column(primary_key=True)

    assert Thing.__table__.c.keys() == ["id"] and Thing.count == 0


def test_an_annotation_without_mapped_is_an_error_that_says_what_to_write(Base):
    with pytest.raises(exc.ArgumentError, match='Type annotation for "Thing.name" can\'t be correctly interpreted'):

        class Thing(Base):
            __tablename__ = "things"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: str = mapped_column()


def test_plain_annotations_are_allowed_when_asked(Base):
    class Thing(Base):
        __allow_unmapped__ = True
        __tablename__ = "things"
        id: int = Column(Integer, primary_key=True)
        note: str = "plain"

    assert Thing.note == "plain" and Thing(id=5).id == 5


def test_an_annotation_with_no_sql_type_is_an_error_that_names_it(Base):
    with pytest.raises(exc.ArgumentError, match="Could not locate SQLAlchemy Core type"):

        class Thing(Base):
            __tablename__ = "things"
            id: Mapped[int] = mapped_column(primary_key=True)
            odd: Mapped[Strange]


def test_typed_and_classic_bases_are_equal(engine):
    Old = declarative_base()

    class Thing(Old):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[Optional[str]]

    class Plain(DeclarativeBaseNoMeta):
        pass

    class Other(Plain):
        __tablename__ = "others"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert Thing.__table__.c.name.nullable and Other.__table__.c.id.primary_key
    mapper_registry = registry()

    @mapper_registry.mapped
    class Decorated:
        __tablename__ = "decorated"
        id: Mapped[int] = mapped_column(primary_key=True)

    assert Decorated(id=1).id == 1


def test_the_base_itself_is_not_mapped_and_must_be_made_directly():
    with pytest.raises(exc.InvalidRequestError):

        class Thing(DeclarativeBase):
            __tablename__ = "things"
            id: Mapped[int] = mapped_column(primary_key=True)

        Thing(id=1)


def test_attributes_of_the_class_are_expressions(Base):
    class Thing(Base):
        __tablename__ = "things"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    assert (
        flat(select(Thing).where(Thing.name == "x"))
        == "SELECT things.id, things.name FROM things WHERE things.name = :name_1"
    )
    assert str(Thing.name) == "Thing.name" and repr(Thing.__table__.c.name).startswith("Column('name', String()")


def test_sort_order_moves_columns(Base):
    class Thing(Base):
        __tablename__ = "things"
        last: Mapped[int] = mapped_column(sort_order=10)
        id: Mapped[int] = mapped_column(primary_key=True)

    assert Thing.__table__.c.keys() == ["id", "last"]


def test_many_to_many_in_annotations(Base, engine):
    links = Table(
        "links",
        Base.metadata,
        Column("a", ForeignKey("a.id"), primary_key=True),
        Column("b", ForeignKey("b.id"), primary_key=True),
    )

    class A(Base):
        __tablename__ = "a"
        id: Mapped[int] = mapped_column(primary_key=True)
        bs: Mapped[List["B"]] = relationship(secondary=links, back_populates="as_")

    class B(Base):
        __tablename__ = "b"
        id: Mapped[int] = mapped_column(primary_key=True)
        as_: Mapped[List[A]] = relationship(secondary=lambda: links, back_populates="bs")

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(A(bs=[B(), B()]))
        session.commit()
        assert [len(b.as_) for b in session.scalars(select(B))] == [1, 1]


def test_a_self_reference_in_annotations(Base):
    class Node(Base):
        __tablename__ = "nodes"
        id: Mapped[int] = mapped_column(primary_key=True)
        parent_id: Mapped[Optional[int]] = mapped_column(ForeignKey("nodes.id"))
        children: Mapped[List["Node"]] = relationship(back_populates="parent")
        parent: Mapped[Optional["Node"]] = relationship(back_populates="children", remote_side=[id])

    root = Node(children=[Node()])
    assert root.children[0].parent is root


def test_postponed_annotations_are_read_as_they_were_meant():
    program = """
from __future__ import annotations
import datetime as dt
from typing import TYPE_CHECKING, Annotated, List, Optional
from cormorant import ForeignKey, String, create_engine, select
from cormorant.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

key = Annotated[int, mapped_column(primary_key=True)]
class Base(DeclarativeBase):
    pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[key]
    name: Mapped[str]
    nick: Mapped[str | None]
    born: Mapped[Optional[dt.date]]
    addresses: Mapped[List[Address]] = relationship(back_populates="user")
    more: Mapped[list["Address"]] = relationship(viewonly=True)
class Address(Base):
    __tablename__ = "addresses"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[Optional[int]] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User | None] = relationship(back_populates="addresses")

print([(c.name, str(c.type), c.nullable) for c in User.__table__.c])
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(User(name="x", addresses=[Address()]))
    session.commit()
    print(session.scalars(select(Address)).one().user.name)
"""
    assert output_of(program).splitlines() == [
        "[('id', 'INTEGER', False), ('name', 'VARCHAR', False), ('nick', 'VARCHAR', True), ('born', 'DATE', True)]",
        "x",
    ]
