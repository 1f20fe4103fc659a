"""Results of connections."""

from __future__ import annotations

from .._engine import CursorResult

__all__ = ["CursorResult", "ResultProxy"]

ResultProxy = CursorResult
