"""retry: a unit of work that is tried again when others were in its way."""

from __future__ import annotations

from .._engine import Session, _pause_before_attempt
from .._missing import getattr_of
from ..exc import ArgumentError, DBAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, TypeVar, Union

    from ..engine import Engine

    _T = TypeVar("_T")

__all__ = ["retry"]

__getattr__ = getattr_of(__name__)


def retry(sessions: Union[Callable[[], Session], Engine], work: Callable[[Session], _T], *, attempts: int = 5,
          pause: float = 0.05, longest_pause: float = 2.0) -> _T:
    """Do a unit of work in a session of its own and commit it; again from the beginning, when others were in its way.

    That is so after a deadlock, a serialization failure, a lock that was not got in time, and a connection that was
    lost before it was told to commit (``DBAPIError.is_transient``). What was rolled back leaves no trace in the
    database, so the work is done once or not at all. What it does elsewhere is its own affair.

    :param sessions: a ``sessionmaker``, anything else that gives a new Session, or an Engine.
    :param work: called with the session. It may flush, but not commit.
    :param attempts: how often at most, in all.
    :param pause: seconds after the first attempt; twice as long after each further one, at random less.
    :param longest_pause: seconds.
    :returns: what the work returns. Its objects are detached by then.
    :raises DBAPIError: the last attempt's error, or one that trying again does not help against.

    Example::

        def transfer(session):
            session.get(Account, 1).balance -= 10
            session.get(Account, 2).balance += 10

        retry(sessionmaker(engine), transfer)
    """
    if attempts < 1:
        raise ArgumentError(f"attempts is {attempts}: one is the least")
    if not (0 <= pause < 2**31 and 0 <= longest_pause < 2**31):
        raise ArgumentError("a pause before another attempt is a number of seconds from 0 on")
    make: Callable[[], Session] = sessions if callable(sessions) else lambda: Session(sessions)
    attempt = 1
    while True:
        try:
            with make() as session:
                result = work(session)
                session.commit()
                return result
        except DBAPIError as error:
            if attempt >= attempts or not error.is_transient:
                raise
        _pause_before_attempt(attempt, pause, longest_pause)
        attempt += 1
