"""Bases of statements and collections of columns."""

from __future__ import annotations

from .._engine import Executable, ReadOnlyColumnCollection

ColumnCollection = ReadOnlyColumnCollection
Generative = Executable

__all__ = ("ColumnCollection", "Executable", "Generative", "ReadOnlyColumnCollection")
