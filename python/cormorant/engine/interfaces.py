"""What annotations name: the dialect, the contexts of executions and errors."""

from __future__ import annotations

from .default import DefaultDialect as Dialect
from .events import ExceptionContext, ExecutionContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DBAPIConnection", "DBAPICursor", "Dialect", "ExceptionContext", "ExecutionContext"]


class DBAPIConnection:
    """A connection in the shape of PEP 249, for annotations."""

    def cursor(self, *args: Any, **kwargs: Any) -> DBAPICursor:
        """A cursor."""
        raise TypeError("DBAPIConnection is for annotations only")


class DBAPICursor:
    """A cursor in the shape of PEP 249, for annotations."""
