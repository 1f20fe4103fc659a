"""Errors: the class that SQLAlchemy documents, and a sentence that says what went wrong where."""

import pickle

import pytest
from cormorant import (
    Column,
    Date,
    DateTime,
    ForeignKey,
    Integer,
    String,
    bindparam,
    create_engine,
    event,
    exc,
    insert,
    literal,
    select,
    text,
)
from cormorant.orm import Session, declarative_base, relationship
from cormorant.orm import exc as orm_exc
from people import Address, Base, User


def test_the_classes_of_errors_are_a_family():
    assert issubclass(exc.ArgumentError, exc.SQLAlchemyError)
    assert issubclass(exc.InvalidRequestError, exc.SQLAlchemyError)
    assert issubclass(exc.DBAPIError, exc.StatementError) and issubclass(exc.StatementError, exc.SQLAlchemyError)
    for name in (
        "IntegrityError",
        "OperationalError",
        "ProgrammingError",
        "DataError",
        "InternalError",
        "NotSupportedError",
    ):
        assert issubclass(getattr(exc, name), exc.DatabaseError)
    assert issubclass(exc.DatabaseError, exc.DBAPIError) and issubclass(exc.InterfaceError, exc.DBAPIError)
    assert issubclass(exc.NoResultFound, exc.InvalidRequestError)
    assert issubclass(exc.MultipleResultsFound, exc.InvalidRequestError)
    assert issubclass(exc.PendingRollbackError, exc.InvalidRequestError)
    assert issubclass(exc.ResourceClosedError, exc.InvalidRequestError)
    assert issubclass(exc.UnboundExecutionError, exc.InvalidRequestError)
    assert issubclass(exc.CompileError, exc.SQLAlchemyError)
    assert issubclass(exc.NoForeignKeysError, exc.ArgumentError) and issubclass(
        exc.AmbiguousForeignKeysError, exc.ArgumentError
    )
    assert issubclass(exc.NoReferencedTableError, exc.NoReferenceError)
    assert issubclass(exc.SAWarning, RuntimeWarning) and issubclass(exc.SADeprecationWarning, DeprecationWarning)
    assert (
        issubclass(orm_exc.StaleDataError, exc.SQLAlchemyError)
        and orm_exc.ConcurrentModificationError is orm_exc.StaleDataError
    )
    assert issubclass(orm_exc.DetachedInstanceError, exc.SQLAlchemyError)
    assert issubclass(orm_exc.ObjectDeletedError, exc.InvalidRequestError)
    assert issubclass(orm_exc.UnmappedInstanceError, orm_exc.UnmappedError)
    assert issubclass(orm_exc.UnmappedError, exc.InvalidRequestError)
    assert issubclass(orm_exc.FlushError, exc.SQLAlchemyError)
    assert orm_exc.NoResultFound is exc.NoResultFound and orm_exc.MultipleResultsFound is exc.MultipleResultsFound


@pytest.mark.database("sqlite")
def test_a_database_error_carries_the_statement_the_parameters_and_the_original(session):
    import sqlite3

    with pytest.raises(exc.IntegrityError) as caught:
        session.execute(insert(User).values(id=1, name="x"))
    error = caught.value
    assert isinstance(error.orig, sqlite3.IntegrityError) and str(error.orig) == "UNIQUE constraint failed: users.id"
    assert error.statement == "INSERT INTO users (id, name) VALUES (?, ?)" and tuple(error.params) == (1, "x")
    lines = str(error).splitlines()
    assert lines[0] == "(sqlite3.IntegrityError) UNIQUE constraint failed: users.id"
    assert lines[1] == "[SQL: INSERT INTO users (id, name) VALUES (?, ?)]" and lines[2] == "[parameters: (1, 'x')]"
    assert error.__cause__ is error.orig and error.connection_invalidated is False
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and type(again) is exc.IntegrityError


@pytest.mark.database("sqlite")
@pytest.mark.parametrize(
    "statement, kind, words",
    [
        ("SELECT * FROM nowhere", exc.OperationalError, "no such table: nowhere"),
        ("SELECT height FROM users", exc.OperationalError, "no such column: height"),
        ("SELEKT 1", exc.OperationalError, 'near "SELEKT": syntax error'),
        ("SELECT", exc.OperationalError, "incomplete input"),
        ("SELECT 1; SELECT 2", exc.ProgrammingError, "one statement at a time"),
        ("SELECT 'unfinished", exc.OperationalError, "unrecognized token"),
        ("INSERT INTO addresses (id) VALUES (100)", exc.IntegrityError, "NOT NULL constraint failed: addresses.email"),
        ("SELECT abs(-9223372036854775808)", exc.OperationalError, "integer overflow"),
        ("SELECT json_extract('{', '$')", exc.OperationalError, "malformed JSON"),
    ],
)
def test_each_failure_of_the_database_has_its_class_and_its_own_words(session, statement, kind, words):
    with pytest.raises(kind, match=words):
        session.execute(text(statement)).all()
    session.rollback()
    assert session.get(User, 1).name == "ann"


def test_a_failed_flush_keeps_its_cause_for_those_who_go_on(session):
    session.add(Address())
    with pytest.raises(exc.IntegrityError):
        session.flush()
    with pytest.raises(
        exc.PendingRollbackError, match="(?i)Original exception was: .*(not.null constraint|cannot be null)"
    ):
        session.get(User, 1)
    session.rollback()
    assert session.get(User, 1) is not None


def test_a_relationship_to_a_name_that_nobody_has_says_which():
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        b = relationship("Missing")

    with pytest.raises(exc.InvalidRequestError, match="Mapper\\[A\\(a\\)\\].*'Missing' failed to locate a name"):
        A()
    with pytest.raises(exc.InvalidRequestError, match="failed to (initialize|locate)"):
        A()
    Other.registry.dispose()


def test_a_relationship_without_a_way_says_how_to_give_one():
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        bs = relationship("B")

    class B(Other):
        __tablename__ = "b"
        id = Column(Integer, primary_key=True)

    with pytest.raises(exc.NoForeignKeysError, match="no foreign keys linking these tables.*primaryjoin"):
        Other.registry.configure()
    Other.registry.dispose()


def test_back_populates_to_nothing_says_so():
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        bs = relationship("B", back_populates="nothing")

    class B(Other):
        __tablename__ = "b"
        id = Column(Integer, primary_key=True)
        a_id = Column(ForeignKey("a.id"))

    refused = "Mapper 'Mapper\\[B\\(b\\)\\]' has no (property|relationship) 'nothing'"
    with pytest.raises(exc.InvalidRequestError, match=refused):
        Other.registry.configure()
    Other.registry.dispose()


def test_two_same_ends_of_a_relationship_are_refused():
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        up_id = Column(ForeignKey("a.id"))
        up = relationship("A", back_populates="down")
        down = relationship("A", back_populates="up")

    with pytest.raises(exc.ArgumentError, match="are both of the same direction.*remote_side"):
        Other.registry.configure()
    Other.registry.dispose()


def test_unmapped_things_are_refused_by_name(session):
    class Plain:
        pass

    with pytest.raises(orm_exc.UnmappedInstanceError, match="Class '.*Plain' is not mapped"):
        session.add(Plain())
    with pytest.raises(orm_exc.UnmappedInstanceError, match="is not mapped; was a class"):
        session.add(User)
    with pytest.raises(exc.ArgumentError):
        select(Plain)
    with pytest.raises(exc.SQLAlchemyError):
        session.get(Plain, 1)


def test_selecting_nonsense_is_refused():
    with pytest.raises(
        exc.ArgumentError, match="Column expression, FROM clause, or other columns clause element expected"
    ):
        select(object())
    with pytest.raises(exc.ArgumentError):
        select("users")
    with pytest.raises(exc.ArgumentError):
        select(User).where(object())
    with pytest.raises(AttributeError, match="nothing"):
        User.nothing


def test_a_missing_name_of_a_module_is_an_error_that_names_it():
    import cormorant

    with pytest.raises(AttributeError, match="no_such_name"):
        cormorant.no_such_name
    with pytest.raises(ImportError, match="no_such_name"):
        from cormorant.orm import no_such_name  # noqa: F401


def test_an_error_in_user_code_keeps_its_traceback(session):
    import traceback

    @event.listens_for(session, "before_flush")
    def clumsy(session, context, instances):
        return [][0]

    session.add(User())
    with pytest.raises(IndexError) as caught:
        session.flush()
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "clumsy" and frames[-1].filename == __file__


@pytest.mark.database("sqlite")
def test_an_error_while_converting_names_the_statement(session):
    statement = select(User.id).where(bindparam("day", type_=Date) == literal(1))
    with pytest.raises(exc.StatementError, match="SQLite Date type only accepts Python date objects") as caught:
        session.execute(statement, {"day": "text"})
    assert "SELECT users.id" in caught.value.statement and not isinstance(caught.value, exc.DBAPIError)


@pytest.mark.database("sqlite")
def test_a_row_with_a_value_that_does_not_convert_is_a_plain_error(engine):
    Other = declarative_base()

    class Thing(Other):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        moment = Column(DateTime)

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(text("INSERT INTO things VALUES (1, 'not a date')"))
        with pytest.raises(ValueError, match="not a date"):
            session.scalars(select(Thing)).all()
        assert session.scalar(select(Thing.id)) == 1


def test_using_a_closed_or_missing_database_says_so(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/none/x.db")
    with Session(engine) as session:
        with pytest.raises(exc.OperationalError, match="unable to open database file"):
            session.get(User, 1)
    Base.metadata.create_all(create_engine(f"sqlite:///{tmp_path}/x.db"))


@pytest.mark.database("sqlite")
def test_a_string_length_is_not_an_error_of_ours(engine):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(name="x" * 1000))
        session.commit()
        assert len(session.scalar(select(User.name))) == 1000
    assert isinstance(User.name.type, String)
