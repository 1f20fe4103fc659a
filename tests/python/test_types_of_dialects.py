"""A type may be another one on each database, and what converts values is told which database it is."""

import uuid

import databases
import pytest
from cormorant import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    exc,
    insert,
    select,
    text,
)
from cormorant.orm import Session, declarative_base, relationship, selectinload
from cormorant.types import TypeDecorator, UserDefinedType

KIND = databases.KIND


class Told(TypeDecorator):
    """Writes and reads the name of the dialect."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else f"{dialect.name}:{value}"

    def process_result_value(self, value, dialect):
        return None if value is None else value.replace(dialect.name, "here")


class Marked(Told):
    """Writes the name of the dialect, and takes it off again."""

    cache_ok = True

    def process_result_value(self, value, dialect):
        return None if value is None else value.removeprefix(f"{dialect.name}:")


class Guid(TypeDecorator):
    """The recipe that many programs have: the server's own type where there is one, else text."""

    impl = String(36)
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            from cormorant.dialects.postgresql import UUID

            return dialect.type_descriptor(UUID())
        return dialect.type_descriptor(String(36))

    def process_bind_param(self, value, dialect):
        return value if value is None or dialect.name == "postgresql" else str(value)

    def process_result_value(self, value, dialect):
        return value if value is None or isinstance(value, uuid.UUID) else uuid.UUID(value)


class Shouted(UserDefinedType):
    cache_ok = True

    def get_col_spec(self, **kw):
        return "VARCHAR(40)"

    def bind_processor(self, dialect):
        return lambda value: None if value is None else f"{value}!{dialect.name}"

    def result_processor(self, dialect, coltype):
        return lambda value: None if value is None else value.upper()


Base = declarative_base()


class Parent(Base):
    __tablename__ = "parents"
    id = Column(Guid, primary_key=True, default=uuid.uuid4)
    told = Column(Told)
    children = relationship("Child", back_populates="parent", order_by="Child.id")


class Child(Base):
    __tablename__ = "children"
    id = Column(Marked, primary_key=True)
    parent_id = Column(Guid, ForeignKey("parents.id"))
    key = Column(Uuid)
    parent = relationship(Parent, back_populates="children")


@pytest.fixture
def session(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


def test_a_decorator_is_told_the_dialect_in_use(session):
    parent = Parent(told="x")
    session.add(parent)
    session.commit()
    assert session.scalar(text("SELECT told FROM parents")) == f"{KIND}:x"
    assert parent.told == "here:x"
    assert session.scalar(select(Parent.told)) == "here:x"
    assert session.scalars(select(Parent).where(Parent.told == "x")).one() is parent


def test_objects_are_known_by_keys_that_are_converted(session):
    parent = Parent(told="x", children=[Child(id="b"), Child(id="a")])
    session.add_all([parent, *(Parent() for _ in range(20))])
    session.commit()
    key = parent.id
    assert type(key) is uuid.UUID
    assert [child.id for child in parent.children] == ["a", "b"]
    assert parent.children[0].parent is parent and session.get(Parent, key) is parent
    session.expunge_all()
    child = session.scalars(select(Child).order_by(Child.id).options(selectinload(Child.parent))).first()
    assert child.parent.id == key and child.parent.children[0] is child
    child.parent = None
    session.commit()
    assert [child.id for child in session.get(Parent, key).children] == ["b"]
    session.delete(session.get(Parent, key).children[0])
    session.commit()
    assert session.query(Child).count() == 1


def test_a_uuid_is_a_key(session):
    value = uuid.UUID("12345678-1234-5678-1234-567812345678")

    metadata = MetaData()
    table = Table("keyed", metadata, Column("id", Uuid, primary_key=True), Column("name", String(9)))
    metadata.create_all(session.connection())

    Own = declarative_base(metadata=metadata)

    class Keyed(Own):
        __table__ = table

    session.add_all([Keyed(id=value, name="x"), *(Keyed(id=uuid.UUID(int=n)) for n in range(20))])
    session.commit()
    found = session.get(Keyed, value)
    assert found.name == "x" and session.scalars(select(Keyed).where(Keyed.id == value)).one() is found
    found.name = "y"
    session.commit()
    assert session.scalar(select(table.c.name).where(table.c.id == value)) == "y"
    session.delete(found)
    session.commit()
    assert session.get(Keyed, value) is None


def test_functions_that_convert_are_made_for_the_dialect(engine):
    table = Table("t", MetaData(), Column("id", Integer, primary_key=True), Column("x", Shouted))
    table.create(engine)
    with engine.connect() as connection:
        connection.execute(insert(table), [{"id": 1, "x": "a"}, {"id": 2, "x": None}])
        assert connection.scalars(select(table.c.x).order_by(table.c.id)).all() == [f"A!{KIND.upper()}", None]


def test_a_variant_stands_in_on_its_database(engine):
    other = JSON().with_variant(String(50), "mysql", "mariadb") if KIND != "mariadb" else String(50)
    mixed = String(50).with_variant(JSON(), KIND)
    table = Table("t", MetaData(), Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
                  Column("x", mixed), Column("y", other))  # fmt: skip
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(insert(table).values(x={"a": [1]}, y="text"))
        row = connection.execute(select(table.c.id, table.c.x, table.c.y)).one()
    assert row == (1, {"a": [1]}, "text")
    assert "JSON" in mixed.compile(dialect=engine.dialect)


def test_a_variant_has_another_spelling(engine):
    kind = Numeric(10, 2).with_variant(String(12), KIND)
    assert str(kind.compile(dialect=engine.dialect)) == "VARCHAR(12)" and str(kind.compile()) == "NUMERIC(10, 2)"


def test_a_conversion_that_fails_names_the_statement(session):
    class Strict(TypeDecorator):
        impl = Integer
        cache_ok = True

        def process_bind_param(self, value, dialect):
            raise LookupError(f"no {value} on {dialect.name}")

    table = Table("t", MetaData(), Column("x", Strict))
    with pytest.raises(exc.StatementError) as refused:
        session.execute(insert(table).values(x=5))
    assert isinstance(refused.value.orig, LookupError) and f"no 5 on {KIND}" in str(refused.value)
    assert "INSERT INTO t" in refused.value.statement
