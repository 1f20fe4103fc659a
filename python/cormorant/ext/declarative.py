"""The declarative API under its former address; cormorant.orm has all of it."""

from __future__ import annotations

from .._missing import getattr_of
from ..orm.decl_api import (
    DeclarativeMeta,
    as_declarative,
    declarative_base,
    declared_attr,
    has_inherited_table,
)

__all__ = ["DeclarativeMeta", "as_declarative", "declarative_base", "declared_attr", "has_inherited_table"]

__getattr__ = getattr_of(__name__)
