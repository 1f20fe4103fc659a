"""Rows."""

from __future__ import annotations

from collections.abc import Mapping

from .._engine import Row, RowMapping

__all__ = ["BaseRow", "Row", "RowMapping"]

BaseRow = Row
Mapping.register(RowMapping)
