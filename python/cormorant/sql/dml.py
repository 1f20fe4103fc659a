"""Classes of INSERT, UPDATE and DELETE."""

from __future__ import annotations

from .._engine import Delete, Insert, Update, UpdateBase

ValuesBase = DMLWhereBase = UpdateBase

__all__ = ("DMLWhereBase", "Delete", "Insert", "Update", "UpdateBase", "ValuesBase")
