"""Query: a SELECT that is built step by step and gives objects."""

from __future__ import annotations

from .._engine import Query, aliased
from .._missing import getattr_of
from .context import BulkDelete, BulkUD, BulkUpdate

__all__ = ["BulkDelete", "BulkUD", "BulkUpdate", "Query", "aliased"]

__getattr__ = getattr_of(__name__)
