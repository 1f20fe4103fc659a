"""The declarative API under its former address; cormorant.orm has all of it."""

from __future__ import annotations

from ..orm.decl_api import (
    DeclarativeMeta,
    as_declarative,
    declarative_base,
    declared_attr,
    has_inherited_table,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DeclarativeMeta", "as_declarative", "declarative_base", "declared_attr", "has_inherited_table"]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"cormorant.ext.declarative.{name} is not there yet: SQLAlchemy may have it, Cormorant has not")
