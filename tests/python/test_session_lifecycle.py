"""The states of an object, from made to deleted, and what a session does to move it along."""

import pytest
from cormorant import Column, Integer, String, create_engine, exc, inspect, select, text
from cormorant.orm import Session, declarative_base, object_session, scoped_session, sessionmaker
from cormorant.orm.exc import DetachedInstanceError, ObjectDeletedError, UnmappedInstanceError
from people import Address, User
from support import statements_of, verbs


def states(thing):
    state = inspect(thing)
    return [name for name in ("transient", "pending", "persistent", "deleted", "detached") if getattr(state, name)]


def test_an_object_goes_through_its_states(session):
    eve = User(name="eve")
    assert states(eve) == ["transient"] and eve not in session
    session.add(eve)
    assert states(eve) == ["pending"] and eve in session and eve in session.new
    session.flush()
    assert states(eve) == ["persistent"] and eve not in session.new and eve.id == 5
    session.delete(eve)
    assert states(eve) == ["persistent"] and eve in session.deleted
    session.flush()
    assert states(eve) == ["deleted"] and eve not in session
    session.commit()
    assert states(eve) == ["detached"]


def test_a_new_object_has_none_where_nothing_was_set():
    eve = User()
    assert eve.id is None and eve.name is None and eve.addresses == []
    assert Address().user is None


def test_flush_gives_keys_and_defaults(session):
    users = [User(name=str(number)) for number in range(3)]
    session.add_all(users)
    assert [user.id for user in users] == [None, None, None]
    session.flush()
    assert [user.id for user in users] == [5, 6, 7]
    assert session.new == set() or len(session.new) == 0


def test_new_dirty_and_deleted_show_what_is_waiting(session):
    ann, bob = session.get(User, 1), session.get(User, 4)
    eve = User(name="eve")
    session.add(eve)
    ann.age = 31
    session.delete(bob)
    assert set(session.new) == {eve} and ann in session.dirty and set(session.deleted) == {bob}
    assert session.is_modified(ann)
    session.flush()
    assert not session.new and not session.dirty and not session.deleted
    assert not session.is_modified(ann)


def test_setting_the_same_value_is_no_change(session, engine):
    ann = session.get(User, 1)
    ann.age = 30
    assert not session.is_modified(ann)
    with statements_of(engine) as sent:
        session.flush()
    assert sent == []


def test_a_query_flushes_what_is_pending_first(session):
    session.add(User(name="eve"))
    assert session.scalars(select(User).where(User.name == "eve")).one().id is not None


READS = {
    "get() of one that is not here": (lambda session, bob, mail: session.get(User, 3), True),
    "get() of one that is pending": (lambda session, bob, mail: session.get(User, 77).name, True),
    "get() of one that expired": (lambda session, bob, mail: session.get(User, 2), True),
    "get() that reads anew": (lambda session, bob, mail: session.get(User, 2, populate_existing=True), True),
    "get() of one that is here": (lambda session, bob, mail: session.get(User, 1), False),
    "an expired attribute": (lambda session, bob, mail: bob.name, True),
    "a collection": (lambda session, bob, mail: len(bob.addresses), True),
    "a reference to what is here": (lambda session, bob, mail: mail.user, False),
    "refresh()": (lambda session, bob, mail: session.refresh(bob), True),
    "Query.get()": (lambda session, bob, mail: session.query(User).get(3), True),
    "merge()": (lambda session, bob, mail: session.merge(User(id=3, name="c")), True),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("read", READS)
def test_whatever_asks_the_database_flushes_first(session, engine, read):
    ann, bob, mail = session.get(User, 1), session.get(User, 2), session.get(Address, 1)
    session.expire(bob)
    ann.name = "anne"
    session.add(User(id=77, name="new"))
    look, asks = READS[read]
    with statements_of(engine) as sent:
        look(session, bob, mail)
    assert verbs(sent)[:2] == (["UPDATE", "INSERT"] if asks else [])
    session.rollback()
    session.expire(bob)
    ann.name = "anne"
    with session.no_autoflush, statements_of(engine) as sent:
        look(session, bob, mail) if read != "get() of one that is pending" else None
    assert "UPDATE" not in verbs(sent)


def test_a_reference_to_a_pending_object_is_found_after_the_flush(session):
    mail = session.get(Address, 3)
    new = User(id=77, name="new")
    session.add(new)
    mail.user_id = 77
    session.expire(mail, ["user"])
    assert mail.user is new and inspect(new).persistent


def test_autoflush_can_be_off(engine, session):
    with Session(engine, autoflush=False) as quiet:
        quiet.add(User(name="eve"))
        assert quiet.scalars(select(User).where(User.name == "eve")).first() is None
        quiet.flush()
        assert quiet.scalars(select(User).where(User.name == "eve")).first() is not None
    with session.no_autoflush:
        session.add(User(name="fay"))
        assert session.scalars(select(User).where(User.name == "fay")).first() is None
    assert session.scalars(select(User).where(User.name == "fay")).first() is not None


def test_commit_expires_and_the_next_look_reads_again(session, engine):
    ann = session.get(User, 1)
    session.commit()
    assert "name" not in vars(ann) and inspect(ann).expired_attributes >= {"name", "age"}
    with engine.begin() as connection:
        connection.execute(text("UPDATE users SET age = 77 WHERE id = 1"))
    with statements_of(engine) as sent:
        assert ann.age == 77 and ann.name == "ann"
    assert verbs(sent) == ["SELECT"]


def test_expire_on_commit_can_be_off(engine, session):
    with Session(engine, expire_on_commit=False) as keeping:
        ann = keeping.get(User, 1)
        keeping.commit()
        with statements_of(engine) as sent:
            assert ann.name == "ann"
        assert sent == []


def test_expire_forgets_all_or_some(session, engine):
    ann = session.get(User, 1)
    ann.age = 99
    session.expire(ann)
    assert ann.age == 30
    ann.age = 99
    session.expire(ann, ["name"])
    session.execute(text("UPDATE users SET name = 'changed' WHERE id = 1"))
    assert ann.name == "changed" and ann.age == 99
    session.expire_all()
    with statements_of(engine) as sent:
        ann.name
    assert len(sent) == 1


def test_refresh_reads_now(session):
    ann = session.get(User, 1)
    session.execute(text("UPDATE users SET age = 50, name = 'x' WHERE id = 1"))
    session.refresh(ann, ["age"])
    assert (ann.age, ann.name) == (50, "ann")
    session.refresh(ann)
    assert ann.name == "x"


def test_refreshing_what_is_gone_or_not_there_is_an_error(session):
    ann = session.get(User, 4)
    session.execute(text("DELETE FROM users WHERE id = 4"))
    with pytest.raises(exc.InvalidRequestError, match="Could not refresh instance"):
        session.refresh(ann)
    with pytest.raises(exc.InvalidRequestError, match="is not persistent within this Session"):
        session.refresh(User())


def test_an_expired_object_whose_row_is_gone_says_so(session):
    dot = session.get(User, 4)
    session.expire(dot)
    session.execute(text("DELETE FROM users WHERE id = 4"))
    with pytest.raises(ObjectDeletedError, match="has been deleted, or its row is otherwise not present"):
        dot.name


def test_expunge_lets_an_object_go_as_it_is(session):
    ann = session.get(User, 1)
    session.expunge(ann)
    assert states(ann) == ["detached"] and ann.name == "ann" and object_session(ann) is None
    assert session.get(User, 1) is not ann
    session.expunge_all()
    assert list(session) == []
    with pytest.raises(exc.InvalidRequestError, match="is not present in this Session"):
        session.expunge(ann)


def test_a_detached_object_cannot_load_what_it_has_not(session):
    ann = session.get(User, 1)
    session.expire(ann, ["age"])
    session.expunge(ann)
    with pytest.raises(
        DetachedInstanceError, match="is not bound to a Session; attribute refresh operation cannot proceed"
    ):
        ann.age
    with pytest.raises(DetachedInstanceError, match="lazy load operation of attribute 'addresses' cannot proceed"):
        ann.addresses


def test_a_detached_object_can_come_back(session):
    ann = session.get(User, 1)
    session.expunge(ann)
    ann.age = 44
    session.add(ann)
    assert states(ann) == ["persistent"]
    session.commit()
    assert session.scalar(text("SELECT age FROM users WHERE id = 1")) == 44


def test_close_detaches_and_the_session_can_be_used_again(session):
    ann = session.get(User, 1)
    session.close()
    assert states(ann) == ["detached"] and ann.name == "ann"
    assert session.get(User, 1) is not ann


def test_the_with_block_closes(engine, session):
    with Session(engine) as inner:
        ann = inner.get(User, 1)
        inner.add(User(name="lost"))
        assert ann in inner
    assert ann not in inner and object_session(ann) is None
    assert session.scalars(select(User).where(User.name == "lost")).first() is None


def test_a_session_that_must_not_be_used_after_close_refuses(engine, session):
    closed = Session(engine, close_resets_only=False)
    closed.close()
    with pytest.raises(exc.InvalidRequestError, match="This Session has been permanently closed"):
        closed.execute(select(User))


def test_get_finds_by_key(session):
    assert session.get(User, 1).name == "ann"
    assert session.get(User, (1,)).name == "ann"
    assert session.get(User, {"id": 1}).name == "ann"
    assert session.get(User, 99) is None
    assert session.get_one(User, 1).name == "ann"
    with pytest.raises(exc.NoResultFound):
        session.get_one(User, 99)
    with pytest.raises(exc.InvalidRequestError, match="Incorrect number of values in identifier"):
        session.get(User, (1, 2))


def test_merge_copies_a_state_onto_the_sessions_object(session):
    ann = session.get(User, 1)
    given = User(id=1, name="new name")
    merged = session.merge(given)
    assert merged is ann and ann.name == "new name" and ann.age == 30
    assert given not in session


def test_merge_loads_or_makes_what_the_session_has_not(session):
    merged = session.merge(User(id=2, age=21))
    assert merged.name == "bob" and merged.age == 21 and states(merged) == ["persistent"]
    fresh = session.merge(User(id=77, name="fresh"))
    assert states(fresh) == ["pending"]
    session.flush()
    assert session.scalar(select(User.name).where(User.id == 77)) == "fresh"


def test_merge_follows_relationships(session):
    given = User(id=1, name="ann", addresses=[Address(id=1, email="changed"), Address(email="added")])
    ann = session.merge(given)
    assert [address.email for address in ann.addresses] == ["changed", "added"]
    session.flush()
    assert session.get(Address, 2).user_id is None


def test_merge_without_loading_takes_a_detached_object_as_it_is(engine, session):
    with Session(engine, expire_on_commit=False) as other:
        ann = other.get(User, 1)
    with statements_of(engine) as sent:
        merged = session.merge(ann, load=False)
        assert merged.name == "ann" and merged is not ann
    assert sent == []


def test_delete_needs_a_row(session):
    with pytest.raises(exc.InvalidRequestError, match="is not persisted"):
        session.delete(User(name="nobody"))


def test_a_deleted_object_added_again_before_the_flush_stays(session):
    dot = session.get(User, 4)
    session.delete(dot)
    session.add(dot)
    session.flush()
    assert states(dot) == ["persistent"] and session.get(User, 4) is dot


def test_an_object_belongs_to_one_session(engine, session):
    ann = session.get(User, 1)
    with Session(engine) as other, pytest.raises(exc.InvalidRequestError, match="is already attached to session"):
        other.add(ann)


def test_only_mapped_objects_can_be_added(session):
    with pytest.raises(UnmappedInstanceError, match="Class 'builtins.str' is not mapped"):
        session.add("text")
    with pytest.raises(UnmappedInstanceError, match="Class 'builtins.object' is not mapped"):
        session.delete(object())


def test_a_session_iterates_over_its_objects(session):
    ann, eve = session.get(User, 1), User(name="eve")
    session.add(eve)
    assert set(session) == {ann, eve}
    assert ann in session and "x" not in [user.name for user in session]


def test_object_session_tells_whose_an_object_is(session):
    assert object_session(session.get(User, 1)) is session
    assert object_session(User()) is None
    assert Session.object_session(session.get(User, 1)) is session


def test_a_sessionmaker_makes_sessions_of_one_kind(engine, session):
    make = sessionmaker(engine, expire_on_commit=False)
    with make() as one, make() as two:
        assert one is not two and one.get_bind() is engine and isinstance(one, Session)
    late = sessionmaker()
    late.configure(bind=engine)
    assert late().get(User, 1).name == "ann"
    assert make(autoflush=False).autoflush is False


def test_a_sessionmaker_begins_and_commits(engine, session):
    make = sessionmaker(engine)
    with make.begin() as one:
        one.add(User(name="kept"))
    with pytest.raises(ZeroDivisionError), make.begin() as one:
        one.add(User(name="lost"))
        one.flush()
        1 / 0
    names = session.scalars(select(User.name)).all()
    assert "kept" in names and "lost" not in names


def test_a_subclass_of_session_can_be_made(engine):
    class Mine(Session):
        def hello(self):
            return "hello"

    assert sessionmaker(engine, class_=Mine)().hello() == "hello"
    assert isinstance(Mine(engine), Session)


def test_a_scoped_session_is_one_session_per_thread(engine, session):
    import threading

    registry = scoped_session(sessionmaker(engine))
    first = registry()
    assert registry() is first
    assert registry.get(User, 1) in registry
    assert registry.query(User).count() == 4
    found = []
    thread = threading.Thread(target=lambda: found.append(registry()))
    thread.start()
    thread.join()
    assert found[0] is not first
    registry.remove()
    assert registry() is not first
    registry.remove()


def test_a_scoped_session_gives_its_classes_a_query_property(engine):
    Base = declarative_base()
    registry = scoped_session(sessionmaker(engine))
    Base.query = registry.query_property()

    class Thing(Base):
        __tablename__ = "things"
        id = Column(Integer, primary_key=True)
        name = Column(String(50))

    Base.metadata.create_all(engine)
    registry.add(Thing(name="x"))
    registry.commit()
    assert Thing.query.filter_by(name="x").one().id == 1
    registry.remove()


def test_a_session_without_an_engine_says_so():
    with pytest.raises(exc.UnboundExecutionError):
        Session().execute(select(User))


def test_sessions_info_and_binds(engine, session):
    assert session.bind is engine and session.get_bind() is engine
    session.info["who"] = "me"
    assert session.info == {"who": "me"}
    assert session.connection().engine is engine


def test_different_classes_may_live_in_different_databases(engine):
    Base = declarative_base()

    class Here(Base):
        __tablename__ = "here"
        id = Column(Integer, primary_key=True)

    class There(Base):
        __tablename__ = "there"
        id = Column(Integer, primary_key=True)

    other = create_engine("sqlite://", pool_logging_name="other")
    Here.__table__.create(engine)
    There.__table__.create(other)
    with Session(binds={Here: engine, There: other}) as split:
        split.add_all([Here(id=1), There(id=2)])
        split.commit()
        assert split.get(Here, 1).id == 1 and split.get(There, 2).id == 2
    other.dispose()
