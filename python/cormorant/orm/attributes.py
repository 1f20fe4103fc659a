"""Working with attributes from outside: history, values without events, marks of change."""

from __future__ import annotations

from .. import _engine
from .._engine import (
    InstrumentedAttribute,
    QueryableAttribute,
    del_attribute,
    flag_dirty,
    flag_modified,
    get_attribute,
    get_history,
    init_collection,
    set_attribute,
    set_committed_value,
)
from .base import (
    NEVER_SET,
    NO_VALUE,
    PASSIVE_NO_FETCH,
    PASSIVE_NO_INITIALIZE,
    PASSIVE_NO_RESULT,
    PASSIVE_OFF,
    PASSIVE_RETURN_NO_VALUE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AttributeEventToken", "History", "InstrumentedAttribute", "NEVER_SET", "NO_VALUE", "PASSIVE_NO_FETCH",
    "PASSIVE_NO_INITIALIZE", "PASSIVE_NO_RESULT", "PASSIVE_OFF", "PASSIVE_RETURN_NO_VALUE", "QueryableAttribute",
    "del_attribute", "flag_dirty", "flag_modified", "get_attribute", "get_history", "init_collection",
    "instance_dict", "instance_state", "manager_of_class", "set_attribute", "set_committed_value",
]  # fmt: skip


class History(tuple):  # type: ignore[type-arg]
    """What happened to an attribute since the last flush: lists of what was added, unchanged and deleted."""

    __slots__ = ()

    def __new__(cls, added: Any = (), unchanged: Any = (), deleted: Any = ()) -> History:
        return tuple.__new__(cls, (added, unchanged, deleted))

    @property
    def added(self) -> Any:
        """Values that came."""
        return self[0]

    @property
    def unchanged(self) -> Any:
        """Values that stayed."""
        return self[1]

    @property
    def deleted(self) -> Any:
        """Values that went."""
        return self[2]

    def __bool__(self) -> bool:
        return self != HISTORY_BLANK

    def empty(self) -> bool:
        """Whether there is neither a change nor a value."""
        return not bool((self.added or self.deleted) or self.unchanged)

    def sum(self) -> list[Any]:
        """All values: added, unchanged, deleted."""
        return list(self.added or []) + list(self.unchanged or []) + list(self.deleted or [])

    def non_deleted(self) -> list[Any]:
        """Values that are there now."""
        return list(self.added or []) + list(self.unchanged or [])

    def non_added(self) -> list[Any]:
        """Values that were there before."""
        return list(self.unchanged or []) + list(self.deleted or [])

    def has_changes(self) -> bool:
        """Whether anything was added or deleted."""
        return bool(self.added or self.deleted)

    def _asdict(self) -> dict[str, Any]:
        return {"added": self.added, "unchanged": self.unchanged, "deleted": self.deleted}

    _fields = ("added", "unchanged", "deleted")

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        return f"History(added={self.added!r}, unchanged={self.unchanged!r}, deleted={self.deleted!r})"


HISTORY_BLANK = tuple.__new__(History, ((), (), ()))


class AttributeEventToken:
    """What began a change: handed to attribute listeners as ``initiator``."""

    __slots__ = ("parent_token", "op", "key")

    def __init__(self, attribute: Any, op: str):
        self.parent_token = attribute
        self.op = op
        self.key = attribute.key

    @property
    def impl(self) -> Any:
        """The attribute that the change began with."""
        return self.parent_token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttributeEventToken) and (
            other.parent_token is self.parent_token and other.op == self.op
        )

    def __hash__(self) -> int:
        return hash((id(self.parent_token), self.op))


Event = AttributeEventToken


def instance_state(instance: Any) -> Any:
    """What the ORM knows of an object. Raises UnmappedInstanceError when its class is not mapped."""
    return _engine._state_of(instance)


def instance_dict(instance: Any) -> dict[str, Any]:
    """An object's dictionary."""
    values: dict[str, Any] = instance.__dict__
    return values


def manager_of_class(cls: type) -> Any:
    """The Mapper of a mapped class, or None."""
    return _engine._mapper_of(cls)
