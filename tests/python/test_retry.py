"""A unit of work that is tried again when others were in its way: it is done once, or not at all."""

import pickle
import random
import threading

import pytest
from cormorant import Column, Integer, create_engine, exc, func, select, text
from cormorant.orm import Session, declarative_base, sessionmaker
from databases import KIND
from support import ours_only

pytestmark = ours_only
servers_only = pytest.mark.database("postgresql", "mariadb")
WAIT = 30  # seconds after which a test counts as hanging
Base = declarative_base()


class Account(Base):
    __tablename__ = "accounts"
    id = Column(Integer, primary_key=True)
    balance = Column(Integer, nullable=False)


@pytest.fixture
def sessions(file_engine):
    from cormorant.orm import retry  # noqa: F401 -- it is there

    Base.metadata.create_all(file_engine)
    with Session(file_engine) as session:
        session.add_all([Account(id=number, balance=100) for number in (1, 2, 3)])
        session.commit()
    return sessionmaker(file_engine)


def retry(*args, **kwargs):
    from cormorant.orm import retry

    return retry(*args, **{"pause": 0.001, **kwargs})


def balances(sessions):
    with sessions() as session:
        return list(session.scalars(select(Account.balance).order_by(Account.id)))


def together(*works):
    """Run them at once; what they give."""
    results = [None] * len(works)

    def run(at):
        try:
            results[at] = works[at]()
        except BaseException as error:
            results[at] = error

    threads = [threading.Thread(target=run, args=(at,), daemon=True) for at in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert not any(thread.is_alive() for thread in threads), "it hangs"
    return results


class Work:
    """Adds one to two accounts; in the first attempt it waits in between for the other."""

    def __init__(self, meeting, first, second):
        self.meeting, self.keys = meeting, (first, second)
        self.errors = []

    def __call__(self, session):
        first, second = self.keys
        try:
            session.get(Account, first).balance += 1
            session.flush()
            if not self.errors:
                self.meeting.wait(WAIT)
            session.get(Account, second, with_for_update=True, populate_existing=True).balance += 1
            session.flush()
        except exc.DBAPIError as error:
            self.errors.append(error)
            raise
        return "done"


@servers_only
def test_of_two_that_wait_for_each_other_one_is_tried_again_and_both_are_done_once(sessions):
    meeting = threading.Barrier(2)
    one, two = Work(meeting, 1, 2), Work(meeting, 2, 1)
    assert together(lambda: retry(sessions, one), lambda: retry(sessions, two)) == ["done", "done"]
    assert balances(sessions) == [102, 102, 100]
    errors = one.errors + two.errors
    assert errors  # more than one: who tries again may come before the one that waited, and block it anew
    for error in errors:
        assert error.is_transient and not error.connection_invalidated
        assert getattr(error.orig, "sqlstate", None) == "40P01" or error.orig.args[0] == 1213


@servers_only
def test_two_that_each_rely_on_what_the_other_changes_are_put_in_an_order(database_url, sessions):
    """Each takes all that there is above 200: together they would take too much."""
    engine = create_engine(database_url, isolation_level="SERIALIZABLE")
    meeting = threading.Barrier(2)
    attempts = []

    def take(number):
        def work(session):
            total = session.scalar(select(func.sum(Account.balance)))
            if attempts.count(number) == 0:
                attempts.append(number)
                meeting.wait(WAIT)
            else:
                attempts.append(number)
            session.get(Account, number).balance -= total - 200

        return lambda: retry(engine, work)

    assert together(take(1), take(2)) == [None, None]
    assert sum(balances(sessions)) == 200 and len(attempts) == 3
    engine.dispose()


@pytest.mark.database("sqlite")
def test_a_file_that_another_writes_to_is_tried_again(database_url, sessions):
    impatient = create_engine(str(database_url) + "?timeout=0")
    errors = []
    with sessions() as other:
        other.get(Account, 2).balance += 1
        other.flush()

        def work(session):
            if errors:
                other.commit()
            session.get(Account, 1).balance += 1
            try:
                session.flush()
            except exc.OperationalError as error:
                errors.append(error)
                raise

        retry(impatient, work)
    assert len(errors) == 1 and errors[0].is_transient
    assert balances(sessions) == [101, 101, 100]
    impatient.dispose()


@servers_only
def test_a_connection_that_is_lost_before_the_commit_is_replaced(sessions):
    errors = []

    def work(session):
        session.get(Account, 1).balance += 1
        session.flush()
        try:
            if not errors:
                session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())" if KIND == "postgresql"
                                     else "KILL CONNECTION_ID()"))  # fmt: skip
                session.execute(text("SELECT 1"))
        except exc.DBAPIError as error:
            errors.append(error)
            raise

    retry(sessions, work)
    assert balances(sessions) == [101, 100, 100]
    assert [error.is_transient for error in errors] == [True] and errors[0].connection_invalidated


@servers_only
def test_a_lock_that_is_not_got_at_once_is_tried_for_again(sessions):
    errors = []
    with sessions() as holder:
        holder.get(Account, 1, with_for_update=True)

        def work(session):
            if errors:
                holder.rollback()
            try:
                session.get(Account, 1, with_for_update={"nowait": True}).balance += 1
            except exc.OperationalError as error:
                errors.append(error)
                raise

        retry(sessions, work)
    assert len(errors) == 1 and balances(sessions) == [101, 100, 100]


@servers_only
def test_many_who_are_in_each_others_way_all_come_through(sessions):
    def work_of(seed):
        chance = random.Random(seed)

        def run():
            for _ in range(5):
                first, second = chance.sample((1, 2, 3), 2)

                def move(session, first=first, second=second):
                    session.get(Account, first, with_for_update=True).balance -= 1
                    session.flush()
                    session.get(Account, second, with_for_update=True).balance += 1

                retry(sessions, move, attempts=50, longest_pause=0.05)
            return chance

        return run

    assert all(isinstance(one, random.Random) for one in together(*[work_of(seed) for seed in range(6)]))
    assert sum(balances(sessions)) == 300


def test_what_trying_again_does_not_help_against_is_raised_at_once(sessions):
    attempts = []

    def twice(session):
        attempts.append(1)
        session.add(Account(id=1, balance=0))

    with pytest.raises(exc.IntegrityError) as caught:
        retry(sessions, twice)
    assert len(attempts) == 1 and not caught.value.is_transient

    def broken(session):
        attempts.append(1)
        session.get(Account, 1).balance = 0
        session.flush()
        raise LookupError("ours")

    with pytest.raises(LookupError, match="ours"):
        retry(sessions, broken)
    assert len(attempts) == 2 and balances(sessions) == [100, 100, 100]


def a_transient_error():
    error = exc.OperationalError("UPDATE", (), Exception("in the way"))
    error.is_transient = True
    return error


def test_attempts_end(sessions):
    attempts = []

    def work(session):
        attempts.append(1)
        session.get(Account, 1).balance += 1
        session.flush()
        raise a_transient_error()

    with pytest.raises(exc.OperationalError, match="in the way"):
        retry(sessions, work, attempts=3)
    assert len(attempts) == 3 and balances(sessions) == [100, 100, 100]


def test_an_engine_or_any_maker_of_sessions_will_do(file_engine, sessions):
    from cormorant.orm import Session

    assert retry(file_engine, lambda session: session.get(Account, 1).balance) == 100
    assert retry(lambda: Session(file_engine), lambda session: session.get(Account, 2).balance) == 100


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"pause": -1}, {"longest_pause": float("nan")}])
def test_impossible_patience_is_refused(sessions, wrong):
    with pytest.raises(exc.ArgumentError):
        retry(sessions, lambda session: None, **wrong)


def test_an_error_that_was_pickled_is_still_transient():
    assert pickle.loads(pickle.dumps(a_transient_error())).is_transient
