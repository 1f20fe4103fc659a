"""Sessions: a unit of work over one transaction."""

from __future__ import annotations

from enum import Enum

from .._engine import IdentityMap as IdentityMap
from .._engine import IdentitySet as IdentitySet
from .._engine import (
    Session,
    SessionTransaction,
    close_all_sessions,
    make_transient,
    make_transient_to_detached,
    object_session,
    sessionmaker,
    was_deleted,
)
from .._missing import getattr_of
from .context import ORMExecuteState

__all__ = [
    "ORMExecuteState", "Session", "SessionTransaction", "SessionTransactionOrigin", "close_all_sessions",
    "make_transient", "make_transient_to_detached", "object_session", "sessionmaker", "was_deleted",
]  # fmt: skip

__getattr__ = getattr_of(__name__)


class SessionTransactionOrigin(Enum):
    """What began a transaction."""

    AUTOBEGIN = 0
    BEGIN = 1
    BEGIN_NESTED = 2
    SUBTRANSACTION = 3
