"""Aliased classes as inspect() shows them, and joins of mapped classes."""

from __future__ import annotations

from .. import _engine
from .._engine import AliasedClass, aliased, with_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["AliasedClass", "AliasedInsp", "aliased", "class_mapper", "identity_key", "object_mapper", "with_parent"]


class AliasedInsp:
    """What there is to know of an aliased class: ``inspect(aliased(User))``."""

    is_aliased_class = True
    is_mapper = False
    is_instance = False
    is_selectable = False
    is_attribute = False

    def __init__(self, entity: Any):
        self.entity = entity

    @property
    def mapper(self) -> Any:
        """The Mapper."""
        return self.entity._aliased_mapper

    @property
    def class_(self) -> Any:
        """The mapped class."""
        return self.mapper.class_

    @property
    def name(self) -> str:
        """The alias' name."""
        return str(self.entity._aliased_name)

    @property
    def selectable(self) -> Any:
        """What stands in the FROM clause."""
        return _engine._aliased_from(self.entity)

    def __clause_element__(self) -> Any:
        return self.entity.__clause_element__()

    def __str__(self) -> str:
        return f"aliased({self.mapper.class_.__name__})"

    def __repr__(self) -> str:
        return f"<AliasedInsp at 0x{id(self):x}; {self.class_.__name__}>"


def __getattr__(name: str) -> Any:
    if name in ("class_mapper", "identity_key", "object_mapper"):
        from . import mapper

        return getattr(mapper, name)
    raise AttributeError(f"module '{__name__}' has no attribute {name!r}")
