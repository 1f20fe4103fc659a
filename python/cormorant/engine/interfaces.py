"""What annotations name: the dialect, the contexts of executions and errors."""

from __future__ import annotations

from .default import DefaultDialect as Dialect
from .events import ExceptionContext, ExecutionContext

__all__ = ["DBAPIConnection", "DBAPICursor", "Dialect", "ExceptionContext", "ExecutionContext"]


class DBAPIConnection:
    """A connection in the shape of PEP 249, for annotations."""


class DBAPICursor:
    """A cursor in the shape of PEP 249, for annotations."""
