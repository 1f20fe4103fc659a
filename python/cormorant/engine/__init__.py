"""Engines, connections, results and URLs."""

from __future__ import annotations

from .._engine import (
    Connection,
    CursorResult,
    Engine,
    MappingResult,
    NestedTransaction,
    Result,
    RootTransaction,
    ScalarResult,
    Transaction,
    TupleResult,
    TwoPhaseTransaction,
)
from .._missing import getattr_of
from .row import BaseRow, Row, RowMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .create import create_engine, create_pool_from_url, engine_from_config
    from .default import DefaultDialect as Dialect
    from .events import ExceptionContext, ExecutionContext
    from .reflection import Inspector
    from .url import URL, make_url

__all__ = [
    "BaseRow", "Connection", "CursorResult", "Dialect", "Engine", "ExceptionContext", "ExecutionContext", "Inspector",
    "MappingResult", "NestedTransaction", "Result", "ResultProxy", "RootTransaction", "Row", "RowMapping",
    "ScalarResult", "Transaction", "TupleResult", "TwoPhaseTransaction", "URL", "create_engine", "create_pool_from_url",
    "engine_from_config", "make_url",
]  # fmt: skip

ResultProxy = CursorResult

_LATE = {
    "create": ("create_engine", "create_pool_from_url", "engine_from_config"),
    "interfaces": ("Dialect", "ExceptionContext", "ExecutionContext"),
    "reflection": ("Inspector",),
    "url": ("URL", "make_url"),
}  # fmt: skip
_HOMES = {name: module for module, names in _LATE.items() for name in names}
_MODULES = frozenset(
    ("base", "create", "cursor", "default", "events", "interfaces", "reflection", "result", "row", "url")
)
_missing = getattr_of(__name__)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None and name not in _MODULES:
        return _missing(name, 2)
    from importlib import import_module

    module = import_module(f"{__name__}.{home or name}")
    value = module if home is None else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
