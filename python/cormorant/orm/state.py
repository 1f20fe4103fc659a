"""Views of an object's attributes: what ``inspect(obj).attrs.name`` gives."""

from __future__ import annotations

from .. import _engine
from .._engine import InstanceState
from .base import NO_VALUE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["AttributeState", "InstanceState"]


class AttributeState:
    """One attribute of one object."""

    __slots__ = ("state", "key")

    def __init__(self, state: Any, key: str):
        self.state = state
        self.key = key

    @property
    def loaded_value(self) -> Any:
        """The value if it is loaded, else NO_VALUE."""
        return _engine._peek(self.state.obj(), self.key, NO_VALUE)

    @property
    def value(self) -> Any:
        """The value, loaded if need be."""
        return getattr(self.state.obj(), self.key)

    @property
    def history(self) -> Any:
        """What changed since the last flush; nothing is loaded."""
        return _engine._history(self.state.obj(), self.key, False)

    def load_history(self) -> Any:
        """What changed since the last flush, after loading the attribute."""
        return _engine._history(self.state.obj(), self.key, True)


class Attributes:
    """An object's attributes by name."""

    __slots__ = ("_state", "_names")

    def __init__(self, state: Any):
        self._state = state
        self._names = [key for key, _ in state.mapper._keys()]

    def __getattr__(self, key: str) -> AttributeState:
        if key not in self._names:
            raise AttributeError(key)
        return AttributeState(self._state, key)

    def __getitem__(self, key: str) -> AttributeState:
        if key not in self._names:
            raise KeyError(key)
        return AttributeState(self._state, key)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def __iter__(self) -> Iterator[AttributeState]:
        return (AttributeState(self._state, key) for key in self._names)

    def __len__(self) -> int:
        return len(self._names)

    def get(self, key: str, default: Any = None) -> Any:
        return AttributeState(self._state, key) if key in self._names else default

    def keys(self) -> list[str]:
        return list(self._names)

    def values(self) -> list[AttributeState]:
        return list(self)

    def items(self) -> list[tuple[str, AttributeState]]:
        return [(key, AttributeState(self._state, key)) for key in self._names]
