"""SQL functions."""

from __future__ import annotations

from .. import _engine
from .._engine import Function, FunctionFilter, Over, func

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FunctionElement = Function

_NAMES = frozenset((
    "char_length", "coalesce", "concat", "count", "cume_dist", "current_date", "current_time", "current_timestamp",
    "current_user", "dense_rank", "localtime", "localtimestamp", "max", "min", "now", "percent_rank", "random", "rank",
    "session_user", "sum", "sysdate", "user",
))  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(_engine.func, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, or it is not there yet")


__all__ = ("Function", "FunctionElement", "FunctionFilter", "Over", "func")
