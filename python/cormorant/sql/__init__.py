"""SQL expressions and statements."""

from __future__ import annotations

from .expression import *  # noqa: F403
from .expression import __all__ as _expression_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MODULES = frozenset((
    "base", "compiler", "ddl", "dml", "elements", "expression", "functions", "operators", "schema", "selectable",
    "sqltypes", "type_api",
))  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name in ("ClauseElement", "ColumnElement"):
        from . import elements

        return getattr(elements, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}, or it is not there yet")


__all__ = _expression_names
