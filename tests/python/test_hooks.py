"""Hooks: what a program is told of, when, and what it may change by answering."""

import pytest
from cormorant import Column, ForeignKey, Integer, String, event, exc, func, insert, inspect, select
from cormorant.orm import Mapper, Session, declarative_base, relationship, sessionmaker, validates


@pytest.fixture
def story(engine):
    """Classes of a test's own, so that its hooks concern nobody else."""
    Base = declarative_base()

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        children = relationship("Child", back_populates="parent")

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))
        parent_id = Column(ForeignKey("parents.id"))
        parent = relationship("Parent", back_populates="children")

    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield Parent, Child, session


def test_mapper_events_come_around_each_write(story):
    Parent, _, session = story
    heard = []
    for name in ("before_insert", "after_insert", "before_update", "after_update", "before_delete", "after_delete"):

        def note(mapper, connection, target, name=name):
            heard.append(
                (name, target.name, mapper is inspect(Parent), connection.scalar(select(func.count(Parent.id))))
            )

        event.listen(Parent, name, note)
    parent = Parent(name="a")
    session.add(parent)
    session.commit()
    parent.name = "b"
    session.commit()
    session.delete(parent)
    session.commit()
    assert heard == [
        ("before_insert", "a", True, 0),
        ("after_insert", "a", True, 1),
        ("before_update", "b", True, 1),
        ("after_update", "b", True, 1),
        ("before_delete", "b", True, 1),
        ("after_delete", "b", True, 0),
    ]


def test_what_a_hook_sets_before_an_insert_or_update_is_written(story):
    Parent, _, session = story

    @event.listens_for(Parent, "before_insert")
    @event.listens_for(Parent, "before_update")
    def shout(mapper, connection, target):
        target.name = target.name.upper()

    parent = Parent(name="quiet")
    session.add(parent)
    session.commit()
    assert session.scalar(select(Parent.name)) == "QUIET"
    parent.name = "again"
    session.commit()
    assert parent.name == "AGAIN"


def test_the_key_is_there_after_an_insert(story):
    Parent, Child, session = story
    keys = []
    event.listen(Parent, "after_insert", lambda mapper, connection, target: keys.append(target.id))
    session.add_all([Parent(), Parent()])
    session.flush()
    assert keys == [1, 2]


def test_a_hook_may_write_through_the_connection(story):
    Parent, Child, session = story

    @event.listens_for(Parent, "after_insert")
    def log(mapper, connection, target):
        connection.execute(insert(Child.__table__), {"name": f"made {target.id}"})

    session.add(Parent())
    session.commit()
    assert session.scalars(select(Child.name)).all() == ["made 1"]


def test_a_hook_that_raises_stops_the_flush(story):
    Parent, _, session = story

    @event.listens_for(Parent, "before_insert")
    def refuse(mapper, connection, target):
        raise ValueError("not today")

    session.add(Parent(name="x"))
    with pytest.raises(ValueError, match="not today"):
        session.flush()
    session.rollback()
    assert session.scalar(select(func.count(Parent.id))) == 0


def test_events_of_all_mappers(story):
    Parent, Child, session = story
    heard = []

    def note(mapper, connection, target):
        heard.append(type(target).__name__)

    event.listen(Mapper, "before_insert", note)
    try:
        session.add(Parent(children=[Child()]))
        session.flush()
    finally:
        event.remove(Mapper, "before_insert", note)
    assert heard == ["Parent", "Child"]


def test_events_of_a_base_reach_the_classes_below_when_propagated(story):
    Parent, Child, session = story
    heard = []
    event.listen(Parent.__mro__[1], "before_insert", lambda m, c, target: heard.append(target), propagate=True)
    child = Child()
    session.add(child)
    session.flush()
    assert heard == [child]


def test_a_listener_can_be_removed_and_asked_for(story):
    Parent, _, session = story
    heard = []

    def note(mapper, connection, target):
        heard.append(target)

    event.listen(Parent, "before_insert", note)
    assert event.contains(Parent, "before_insert", note)
    event.remove(Parent, "before_insert", note)
    assert not event.contains(Parent, "before_insert", note)
    session.add(Parent())
    session.flush()
    assert heard == []


def test_a_listener_may_be_wanted_once(story):
    Parent, _, session = story
    heard = []
    event.listen(Parent, "before_insert", lambda mapper, connection, target: heard.append(target), once=True)
    session.add_all([Parent(), Parent()])
    session.flush()
    assert len(heard) == 1


def test_session_events_come_in_order(story):
    Parent, _, session = story
    heard = []
    event.listen(
        session, "before_flush", lambda session, context, instances: heard.append(("before_flush", len(session.new)))
    )
    event.listen(session, "after_flush", lambda session, context: heard.append(("after_flush", len(session.new))))
    event.listen(session, "after_flush_postexec", lambda session, context: heard.append(("postexec", len(session.new))))
    event.listen(session, "before_commit", lambda session: heard.append("before_commit"))
    event.listen(session, "after_commit", lambda session: heard.append("after_commit"))
    event.listen(session, "after_rollback", lambda session: heard.append("after_rollback"))
    event.listen(session, "after_begin", lambda session, transaction, connection: heard.append("after_begin"))
    session.add(Parent())
    session.commit()
    session.scalars(select(Parent)).all()
    session.rollback()
    assert heard == [
        "before_commit",
        ("before_flush", 1),
        "after_begin",
        ("after_flush", 1),
        ("postexec", 0),
        "after_commit",
        "after_begin",
        "after_rollback",
    ]


def test_before_flush_may_add_change_and_delete(story):
    Parent, Child, session = story
    session.add_all([Parent(id=1, name="old"), Parent(id=2, name="doomed")])
    session.commit()

    @event.listens_for(session, "before_flush", once=True)
    def tidy(session, context, instances):
        for thing in list(session.new):
            thing.name = "seen"
        session.add(Child(name="added by the hook"))
        session.delete(session.get(Parent, 2))
        session.get(Parent, 1).name = "new"

    session.add(Child(name="x"))
    session.commit()
    assert session.scalars(select(Child.name).order_by(Child.id)).all() == ["seen", "added by the hook"]
    assert session.scalars(select(Parent.name)).all() == ["new"]


def test_sessions_of_a_maker_and_all_sessions_can_be_listened_to(engine, story):
    Parent, _, _ = story
    heard = []
    make = sessionmaker(engine)
    event.listen(make, "before_commit", lambda session: heard.append("maker"))

    def note(session):
        heard.append("all")

    event.listen(Session, "before_commit", note)
    try:
        with make() as session:
            session.add(Parent())
            session.commit()
        with Session(engine) as session:
            session.get(Parent, 1)
            session.commit()
    finally:
        event.remove(Session, "before_commit", note)
    assert heard.count("maker") == 1 and heard.count("all") == 2


def test_state_changes_are_told(story):
    Parent, _, session = story
    heard = []
    for name in (
        "transient_to_pending",
        "pending_to_persistent",
        "persistent_to_deleted",
        "deleted_to_detached",
        "loaded_as_persistent",
    ):
        event.listen(session, name, lambda session, thing, name=name: heard.append(name))
    event.listen(session, "after_attach", lambda session, thing: heard.append("after_attach"))
    parent = Parent()
    session.add(parent)
    session.flush()
    session.delete(parent)
    session.flush()
    session.commit()
    assert [name for name in heard if name != "after_attach"] == [
        "transient_to_pending",
        "pending_to_persistent",
        "persistent_to_deleted",
        "deleted_to_detached",
    ]
    assert "after_attach" in heard


def test_do_orm_execute_sees_each_statement(story):
    Parent, _, session = story
    heard = []

    @event.listens_for(session, "do_orm_execute")
    def note(state):
        heard.append((state.is_select, state.is_update))

    session.scalars(select(Parent)).all()
    assert heard == [(True, False)]


def test_load_comes_once_for_each_object_and_refresh_when_it_is_read_again(story):
    Parent, _, session = story
    heard = []
    event.listen(Parent, "load", lambda target, context: heard.append(("load", target.name)))
    event.listen(Parent, "refresh", lambda target, context, names: heard.append(("refresh", target.name)))
    event.listen(Parent, "expire", lambda target, names: heard.append(("expire", names)))
    session.add_all([Parent(id=1, name="a"), Parent(id=2, name="b")])
    session.commit()
    heard.clear()
    session.expunge_all()
    parents = session.scalars(select(Parent).order_by(Parent.id)).all()
    assert heard == [("load", "a"), ("load", "b")]
    session.refresh(parents[0])
    assert heard[-1] == ("refresh", "a")
    session.expire(parents[1], ["name"])
    assert heard[-1] == ("expire", ["name"]) or tuple(heard[-1][1]) == ("name",)


def test_init_comes_when_an_object_is_made(story):
    Parent, _, session = story
    heard = []
    event.listen(Parent, "init", lambda target, args, kwargs: heard.append(dict(kwargs)))
    Parent(name="x")
    assert heard == [{"name": "x"}]


def test_attribute_events_hear_the_new_and_the_old_value(story):
    Parent, _, session = story
    heard = []
    event.listen(Parent.name, "set", lambda target, value, old, initiator: heard.append((value, old)))
    parent = Parent(name="a")
    parent.name = "b"
    assert heard[1] == ("b", "a") and heard[0][0] == "a"


def test_an_attribute_event_may_replace_the_value(story):
    Parent, _, session = story

    @event.listens_for(Parent.name, "set", retval=True)
    def shout(target, value, old, initiator):
        return value.upper()

    assert Parent(name="a").name == "A"


def test_collection_events_hear_members_come_and_go(story):
    Parent, Child, session = story
    heard = []
    event.listen(Parent.children, "append", lambda target, child, initiator: heard.append(("append", child.name)))
    event.listen(Parent.children, "remove", lambda target, child, initiator: heard.append(("remove", child.name)))
    parent, a, b = Parent(), Child(name="a"), Child(name="b")
    parent.children.append(a)
    b.parent = parent
    parent.children.remove(a)
    b.parent = None
    assert heard == [("append", "a"), ("append", "b"), ("remove", "a"), ("remove", "b")]


def test_a_validator_sees_each_value_and_may_change_or_refuse_it(engine):
    Base = declarative_base()

    class Account(Base):
        __tablename__ = "accounts"
        id = Column(Integer, primary_key=True)
        email = Column(String(50))
        name = Column(String(50))

        @validates("email")
        def check_email(self, key, value):
            if "@" not in value:
                raise ValueError(f"{key} needs an @")
            return value.lower()

        @validates("name")
        def check_name(self, key, value):
            return value.strip()

    assert Account(email="A@B", name=" x ").email == "a@b"
    with pytest.raises(ValueError, match="email needs an @"):
        Account(email="nothing")
    account = Account(email="a@b", name="x ")
    assert account.name == "x"
    with pytest.raises(ValueError):
        account.email = "no"
    assert account.email == "a@b"
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.execute(insert(Account.__table__), {"id": 1, "email": "UNCHECKED"})
        assert session.get(Account, 1).email == "UNCHECKED"


def test_a_validator_may_watch_several_attributes_and_collections():
    Base = declarative_base()
    heard = []

    class Parent(Base):
        __tablename__ = "parents"
        id = Column(Integer, primary_key=True)
        a = Column(String(50))
        b = Column(String(50))
        children = relationship("Child")

        @validates("a", "b")
        def note(self, key, value):
            heard.append((key, value))
            return value

        @validates("children", include_removes=True)
        def note_child(self, key, child, is_remove):
            heard.append((key, is_remove))
            return child

    class Child(Base):
        __tablename__ = "children"
        id = Column(Integer, primary_key=True)
        parent_id = Column(ForeignKey("parents.id"))

    parent = Parent(a="1", b="2")
    parent.children.append(Child())
    parent.children.pop()
    assert heard == [("a", "1"), ("b", "2"), ("children", False), ("children", True)]


def test_an_unknown_event_is_an_error(story):
    Parent, _, session = story
    with pytest.raises(exc.InvalidRequestError, match="No such event 'before_lunch'"):
        event.listen(Parent, "before_lunch", print)
    with pytest.raises(exc.InvalidRequestError, match="No such event"):
        event.listen(session, "before_lunch", print)


def test_table_creation_can_be_listened_to(engine):
    from cormorant import MetaData, Table

    heard = []
    table = Table("things", MetaData(), Column("id", Integer, primary_key=True))
    event.listen(table, "before_create", lambda target, connection, **options: heard.append("before"))
    event.listen(table, "after_create", lambda target, connection, **options: heard.append(target.name))
    event.listen(table.metadata, "after_drop", lambda target, connection, **options: heard.append("dropped"))
    table.metadata.create_all(engine)
    table.metadata.drop_all(engine)
    assert heard == ["before", "things", "dropped"]


def test_do_orm_execute_sees_and_changes_what_get_asks(story):
    Parent, _, session = story
    session.add_all([Parent(id=1, name="a"), Parent(id=2, name="b")])
    session.commit()
    session.expunge_all()
    heard = []

    @event.listens_for(session, "do_orm_execute")
    def only_a(state):
        heard.append((state.is_select, state.is_column_load, state.parameters, state.execution_options.get("mark")))
        state.statement = state.statement.where(Parent.name == "a")

    parent = session.get(Parent, 1, execution_options={"mark": 7})
    assert session.get(Parent, 1) is parent  # is here: nothing is asked
    assert session.get(Parent, 2) is None and session.get(Parent, {"id": 3}) is None
    assert heard == [
        (True, False, {"pk_1": 1}, 7),
        (True, False, {"pk_1": 2}, None),
        (True, False, {"pk_1": 3}, None),
    ]


def test_loaded_as_persistent_comes_for_each_object_that_a_session_loads(story):
    Parent, _, session = story
    session.add(Parent(id=1, name="a"))
    session.commit()
    session.expunge_all()
    heard = []
    event.listen(Parent, "load", lambda target, context: heard.append(("load", target.id)))
    event.listen(session, "loaded_as_persistent", lambda session, target: heard.append(("persistent", target.id)))
    parent = session.get(Parent, 1)
    session.scalars(select(Parent)).all()
    session.add(Parent(id=2))
    session.flush()
    assert heard == [("load", 1), ("persistent", 1)] and parent in session
