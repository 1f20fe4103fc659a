"""Results: rows, and other looks at them."""

from __future__ import annotations

from collections.abc import KeysView

from .._engine import CursorResult, MappingResult, Result, ScalarResult, TupleResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["CursorResult", "MappingResult", "RMKeyView", "Result", "ScalarResult", "TupleResult"]


class RMKeyView(KeysView[str]):
    """The names of a result's columns."""

    __slots__ = ("_keys",)

    def __init__(self, names: tuple[str, ...]):
        self._keys = names

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, item: Any) -> bool:
        return item in self._keys

    def __eq__(self, other: Any) -> bool:
        return list(other) == list(self._keys)

    def __ne__(self, other: Any) -> bool:
        return list(other) != list(self._keys)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"RMKeyView({list(self._keys)!r})"
