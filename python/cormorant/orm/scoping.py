"""scoped_session: a session for each thread, or for each value of a function."""

from __future__ import annotations

from .._engine import QueryProperty as QueryProperty
from .._engine import ScopedRegistry, scoped_session
from .._missing import getattr_of

ScopedSession = scoped_session

__all__ = ["ScopedRegistry", "ScopedSession", "scoped_session"]

__getattr__ = getattr_of(__name__)
