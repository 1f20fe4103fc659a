"""Hostile programs: hooks that re-enter, collections changed under way, threads, forks, use after close, odd arguments.

None crashes, none half-writes; each input is told apart and counted (pytest -rP shows the count).
"""

import gc
import os
import threading

import pytest
from cormorant import Column, ForeignKey, Integer, String, create_engine, event, exc, func, insert, or_, select, text
from cormorant.orm import Session, declarative_base, relationship
from people import Address, User, fill
from support import TRIED, ours_only, output_of, run_python, tried


def test_hooks_that_raise_leave_the_session_usable(engine):
    for name in (
        "before_insert",
        "after_insert",
        "before_update",
        "after_update",
        "before_delete",
        "after_delete",
        "load",
    ):
        Other = declarative_base()

        class Item(Other):
            __tablename__ = "items"
            id = Column(Integer, primary_key=True)
            name = Column(String(50))

        Other.metadata.drop_all(engine)
        Other.metadata.create_all(engine)
        with Session(engine) as session:
            session.add(Item(id=1, name="a"))
            session.commit()
            armed = []

            @event.listens_for(Item, tried(name))
            def fail(*arguments):
                if armed:
                    raise KeyError("from the hook")

            armed.append(1)
            with pytest.raises(KeyError, match="from the hook"):
                session.expunge_all()
                item = session.get(Item, 1)
                if "delete" in name:
                    session.delete(item)
                item.name = "b"
                session.add(Item(id=2))
                session.flush()
            armed.clear()
            session.rollback()
            assert session.scalars(select(Item.name)).all() == ["a"]


@pytest.mark.parametrize(
    "deed",
    [
        "close",
        "expunge_all",
        "expire_all",
        "rollback",
        "commit",
        "flush",
        "delete others",
        "query",
        "add more",
        "collect",
    ],
)
@pytest.mark.parametrize("name", ["before_insert", "after_insert", "before_flush", "after_flush", "load"])
@pytest.mark.filterwarnings("ignore")
def test_hooks_that_reenter_the_session_do_not_crash(engine, name, deed):
    fill(engine)
    with Session(engine) as session:
        deeds = {
            "close": session.close,
            "expunge_all": session.expunge_all,
            "expire_all": session.expire_all,
            "rollback": session.rollback,
            "commit": session.commit,
            "flush": session.flush,
            "delete others": lambda: [session.delete(one) for one in session.query(Address).all()],
            "query": lambda: session.query(User).all(),
            "add more": lambda: session.add(User(name="more")),
            "collect": gc.collect,
        }
        busy = []

        def reenter(*arguments):
            if not busy:
                busy.append(1)
                deeds[deed]()

        target = session if name.endswith("flush") else User
        event.listen(target, name, reenter)
        try:
            session.add_all([User(name="new", addresses=[Address(email="new")]) for _ in range(3)])
            session.flush()
            [user.name for user in session.scalars(select(User))]
            session.commit()
        except (exc.SQLAlchemyError, RecursionError, AssertionError):
            pass
        finally:
            event.remove(target, name, reenter)
        tried((name, deed))
        session.rollback()
        session.expunge_all()
        assert session.scalar(select(func.count(User.id))) >= 4


def test_a_hook_may_drop_the_last_reference_to_its_object(engine):
    fill(engine)
    with Session(engine) as session:
        held = [User(name="x")]

        def drop(mapper, connection, target):
            held.clear()
            gc.collect()

        event.listen(User, "after_insert", drop)
        try:
            session.add(held[0])
            session.flush()
        finally:
            event.remove(User, "after_insert", drop)
        tried("drop")
        gc.collect()
        assert session.scalar(select(func.count(User.id)).where(User.name == "x")) == 1


def test_a_collection_may_be_changed_while_it_is_iterated(session):
    ann = session.get(User, 1)
    for number, _ in enumerate(ann.addresses):
        if number < 50:
            ann.addresses.append(Address(email=tried(str(number))))
    for mail in ann.addresses:
        ann.addresses.remove(mail)
    session.flush()
    session.expire_all()
    assert session.scalar(select(func.count(Address.id)).where(Address.user_id == 1)) == len(ann.addresses)


@pytest.mark.filterwarnings("ignore")
def test_a_collection_may_be_changed_while_it_is_flushed(session):
    ann = session.get(User, 1)

    def change(mapper, connection, target):
        ann.addresses.append(Address(email="during"))
        if len(ann.addresses) > 3:
            del ann.addresses[0]

    event.listen(Address, "before_insert", change)
    try:
        ann.addresses.append(Address(email=tried("new")))
        session.flush()
    finally:
        event.remove(Address, "before_insert", change)
    session.rollback()
    assert len(ann.addresses) == 2


def test_adding_while_iterating_over_the_session_does_not_crash(session):
    session.add_all([User(name=str(number)) for number in range(100)])
    try:
        for user in session:
            session.add(User(name=tried("more")))
            session.expunge(user)
    except (RuntimeError, exc.SQLAlchemyError):
        pass
    session.rollback()


def test_circular_cascades_end(engine):
    Other = declarative_base()

    class A(Other):
        __tablename__ = "a"
        id = Column(Integer, primary_key=True)
        b_id = Column(ForeignKey("b.id"))
        b = relationship("B", foreign_keys=[b_id], cascade="all", post_update=True, backref="as_")

    class B(Other):
        __tablename__ = "b"
        id = Column(Integer, primary_key=True)
        a_id = Column(ForeignKey("a.id", use_alter=True, name="x"))
        a = relationship("A", foreign_keys=[a_id], cascade="all", post_update=True, backref="bs")

    Other.metadata.create_all(engine)
    with Session(engine) as session:
        a = A(b=B())
        a.b.a = a
        session.add(tried(a))
        session.commit()
        session.merge(A(id=1, b=B(id=1)))
        session.expire(a)
        session.refresh(a)
        session.delete(a)
        session.commit()
        assert session.scalars(select(A)).all() == session.scalars(select(B)).all() == []


@ours_only
def test_a_session_in_two_threads_at_once_does_not_crash():
    output = output_of(
        """
        import threading
        from cormorant import create_engine, select, exc
        from cormorant.orm import Session
        from cormorant.pool import StaticPool
        from people import Base, User, fill

        engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
        fill(engine)
        session = Session(engine)
        stop = []

        def work():
            for turn in range(200):
                try:
                    session.add(User(name=str(turn)))
                    session.scalars(select(User)).all()
                    session.flush()
                    session.rollback()
                except Exception:
                    try:
                        session.rollback()
                    except Exception:
                        pass

        threads = [threading.Thread(target=work) for _ in range(3)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        session.rollback()
        print("alive")
        """,
    )
    assert output.strip() == tried("alive")


def test_use_after_close_is_an_error_and_not_a_crash(engine, session):
    connection = engine.connect()
    result = connection.execute(text("SELECT 1 UNION ALL SELECT 2"))
    transaction = connection.get_transaction()
    connection.close()
    for deed in (
        lambda: connection.execute(text("SELECT 1")),
        lambda: connection.begin(),
        lambda: result.keys() and result.all(),
    ):
        tried(deed)
        try:
            deed()
        except (exc.SQLAlchemyError, AssertionError):
            pass
    transaction.rollback()
    scalars = session.scalars(select(User))
    first = next(scalars)
    session.close()
    try:
        scalars.all()
    except exc.SQLAlchemyError:
        pass
    assert tried(first.name) == "ann"
    raw = engine.raw_connection()
    cursor = raw.cursor()
    raw.close()
    with pytest.raises(Exception):
        raw.cursor().execute("SELECT 1")
    del cursor
    engine.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_lets_go_of_what_it_inherited(tmp_path):
    output = output_of(
        """
        import os, sys
        from cormorant import create_engine, select, text
        from cormorant.orm import Session
        from people import User, fill

        engine = create_engine("sqlite:///" + sys.argv[1])
        fill(engine)
        session = Session(engine)
        ann = session.get(User, 1)
        child = os.fork()
        if child == 0:
            engine.dispose(close=False)
            with Session(engine) as own:
                own.add(User(name="from the child"))
                own.commit()
            os._exit(0)
        os.waitpid(child, 0)
        session.rollback()
        print(ann.name, session.scalar(select(User.name).order_by(User.id.desc()).limit(1)))
        """,
        tmp_path / "x.db",
    )
    assert output.strip() == "ann from the child" and tried(output)


@ours_only
def test_a_forked_child_may_simply_end(tmp_path):
    done = run_python(
        """
        import os, sys
        from cormorant import create_engine, text
        from cormorant.orm import Session
        from people import User, fill

        engine = create_engine("sqlite:///" + sys.argv[1])
        fill(engine)
        session = Session(engine)
        session.add(User(name="parent's"))
        session.flush()
        if os.fork() == 0:
            del session, engine
            sys.exit(0)
        os.wait()
        session.commit()
        print(session.scalar(text("PRAGMA integrity_check")), session.query(User).count())
        """,
        tmp_path / "x.db",
    )
    assert done.returncode == 0 and done.stdout.strip() == "ok 5" and tried(done)


def test_odd_arguments_are_refused_with_a_class(session):
    odd = [None, 5, -1, 1.5, "text", b"bytes", object(), [], {}, (), User, User(), int, lambda: 0, float("nan"), 2**70]
    calls = [
        session.add, session.delete, session.expunge, session.refresh, session.expire, session.merge, session.execute,
        session.scalars, lambda x: session.get(User, x), lambda x: session.get(x, 1), session.query,
        lambda x: session.query(User).filter(x), lambda x: session.query(User).order_by(x),
        lambda x: select(User).limit(x), lambda x: select(User).join(x), lambda x: User.name.in_(x),
        lambda x: User.name.like(x),
        lambda x: select(x), lambda x: func.count(x), lambda x: or_(x, User.id == 1), lambda x: select(User).options(x),
        lambda x: setattr(User(), "addresses", x), lambda x: User().addresses.append(x),
        lambda x: setattr(Address(), "user", x),
        lambda x: insert(x), lambda x: insert(User).values(x), lambda x: text(x),
        lambda x: Column(x), lambda x: ForeignKey(x),
        lambda x: String(x), lambda x: relationship(x), lambda x: create_engine(x), lambda x: session.add_all(x),
        lambda x: session.query(User)[x], lambda x: event.listen(x, "load", print),
        lambda x: session.execute(select(User), x),
    ]  # fmt: skip
    for call in calls:
        for value in odd:
            tried(value)
            try:
                with session.no_autoflush:
                    call(value)
            except (exc.SQLAlchemyError, TypeError, ValueError, AttributeError, KeyError, IndexError,
                    NotImplementedError, AssertionError, OverflowError):  # fmt: skip
                pass
            session.rollback()
    assert session.scalar(select(func.count(User.id))) == 4


def test_threads_end_while_their_sessions_live(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    fill(engine)
    kept = []

    def work():
        own = Session(engine)
        kept.append((own, own.get(User, 1)))

    for _ in range(5):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert all(user.name == tried("ann") for _, user in kept)
    for own, _ in kept:
        own.close()


def test_the_inputs_are_counted():
    print(f"inputs: {len(TRIED)} tried")
    assert TRIED
