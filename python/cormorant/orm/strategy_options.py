"""Loader options: how a query loads relationships and columns."""

from __future__ import annotations

from .._engine import (
    Load,
    contains_eager,
    defaultload,
    defer,
    immediateload,
    joinedload,
    lazyload,
    load_only,
    noload,
    raiseload,
    selectinload,
    subqueryload,
    undefer,
)
from .._missing import getattr_of

__all__ = [
    "Load", "contains_eager", "defaultload", "defer", "immediateload", "joinedload", "lazyload", "load_only", "noload",
    "raiseload", "selectinload", "subqueryload", "undefer",
]  # fmt: skip

__getattr__ = getattr_of(__name__)
