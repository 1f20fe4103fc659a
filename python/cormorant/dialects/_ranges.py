"""Ranges of PostgreSQL as Python's values: Range and MultiRange."""

from __future__ import annotations

import datetime
import decimal
from typing import Generic, TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, Optional, Union

    Bounds = Literal["()", "[)", "(]", "[]"]

_T = TypeVar("_T")


class Range(Generic[_T]):
    """What lies between two values; None: no end on that side. Immutable.

    :param lower: where it begins.
    :param upper: where it ends.
    :param bounds: "[" and "]": the value belongs to it, "(" and ")": it does not.
    :param empty: nothing lies in it.

    Example::

        Range(1, 10).contains(9)        # True
        Range(1, 10).contains(10)       # False
    """

    __slots__ = ("lower", "upper", "bounds", "empty")

    lower: Optional[_T]
    upper: Optional[_T]
    bounds: Bounds
    empty: bool

    def __init__(
        self, lower: Optional[_T] = None, upper: Optional[_T] = None, *, bounds: Bounds = "[)", empty: bool = False
    ) -> None:
        if len(bounds) != 2 or bounds[0] not in "[(" or bounds[1] not in "])":
            raise ValueError(f"bounds are two brackets, not {bounds!r}")
        put = object.__setattr__
        put(self, "lower", lower)
        put(self, "upper", upper)
        put(self, "bounds", bounds)
        put(self, "empty", bool(empty))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"cannot delete field {name!r}")

    def __reduce__(self) -> Any:
        return _remake, (self.lower, self.upper, self.bounds, self.empty)

    # -- looking

    @property
    def is_empty(self) -> bool:
        """Whether nothing lies in it."""
        return self.empty

    isempty = is_empty

    @property
    def lower_inc(self) -> bool:
        """Whether the lower end belongs to it."""
        return self.bounds[0] == "["

    @property
    def upper_inc(self) -> bool:
        """Whether the upper end belongs to it."""
        return self.bounds[1] == "]"

    @property
    def lower_inf(self) -> bool:
        """Whether it has no lower end."""
        return not self.empty and self.lower is None

    @property
    def upper_inf(self) -> bool:
        """Whether it has no upper end."""
        return not self.empty and self.upper is None

    @property
    def __sa_type_engine__(self) -> Any:
        """The type of the range, by what its ends are."""
        return _type_of(self, "RANGE")

    def __bool__(self) -> bool:
        return not self.empty

    def __repr__(self) -> str:
        return f"Range(lower={self.lower!r}, upper={self.upper!r}, bounds={self.bounds!r}, empty={self.empty!r})"

    def __str__(self) -> str:
        if self.empty:
            return "empty"
        lower = "" if self.lower is None else str(self.lower)
        upper = "" if self.upper is None else str(self.upper)
        return f"{self.bounds[0]}{lower},{upper}{self.bounds[1]}"

    def __hash__(self) -> int:
        return hash((self.lower, self.upper, self.bounds, self.empty))

    # -- comparing

    def _begin(self) -> tuple[Any, bool]:
        """Where it begins: a value that belongs to it, or one after which it begins."""
        step = _step(self)
        if self.lower is None or self.lower_inc or step is None:
            return self.lower, self.lower is None or self.lower_inc
        return self.lower + step, True

    def _end(self) -> tuple[Any, bool]:
        """Where it ends: a value that does not belong to it, or the last one that does."""
        step = _step(self)
        if self.upper is None or not self.upper_inc or step is None:
            return self.upper, self.upper is not None and self.upper_inc
        return self.upper + step, False

    def __eq__(self, other: Any) -> bool:
        """Whether both have the same values in them."""
        if not isinstance(other, Range):
            return NotImplemented
        if self.empty or other.empty:
            return self.empty and other.empty
        return self._begin() == other._begin() and self._end() == other._end()

    def contains(self, value: Union[_T, Range[_T]]) -> bool:
        """Whether a value, or all of another range, lies in it."""
        if isinstance(value, Range):
            if value.empty or self.empty:
                return value.empty
            return _begins_first(self, value) and _ends_last(self, value)
        if self.empty or value is None:
            return False
        above: bool = self.lower is None or self.lower < value or (self.lower_inc and self.lower == value)  # type: ignore[operator]
        below: bool = self.upper is None or value < self.upper or (self.upper_inc and self.upper == value)  # type: ignore[operator]
        return above and below

    __contains__ = contains

    def contained_by(self, other: Range[_T]) -> bool:
        """Whether all of it lies in another range."""
        return other.contains(self)

    def overlaps(self, other: Range[_T]) -> bool:
        """Whether some value lies in both."""
        return not (self.empty or other.empty or self.strictly_left_of(other) or self.strictly_right_of(other))

    def strictly_left_of(self, other: Range[_T]) -> bool:
        """Whether it ends before another range begins."""
        if self.empty or other.empty or self.upper is None or other.lower is None:
            return False
        end, inside = self._end()
        begin, begin_inside = other._begin()
        return bool(end < begin or (end == begin and not (inside and begin_inside)))

    __lshift__ = strictly_left_of

    def strictly_right_of(self, other: Range[_T]) -> bool:
        """Whether it begins after another range ends."""
        return other.strictly_left_of(self)

    __rshift__ = strictly_right_of

    def not_extend_left_of(self, other: Range[_T]) -> bool:
        """Whether it does not begin before another range."""
        return not (self.empty or other.empty) and _begins_first(other, self)

    def not_extend_right_of(self, other: Range[_T]) -> bool:
        """Whether it does not end after another range."""
        return not (self.empty or other.empty) and _ends_last(other, self)

    def adjacent_to(self, other: Range[_T]) -> bool:
        """Whether one begins where the other ends, with nothing between them."""
        return not (self.empty or other.empty) and (_meets(self, other) or _meets(other, self))

    # -- computing

    def union(self, other: Range[_T]) -> Range[_T]:
        """What lies in either.

        :raises ValueError: something between them lies in neither.
        """
        if self.empty or other.empty:
            return other if self.empty else self
        if not self.overlaps(other) and not self.adjacent_to(other):
            raise ValueError("Adding non-overlapping and non-adjacent ranges is not implemented")
        first = self if _begins_first(self, other) else other
        last = self if _ends_last(self, other) else other
        return Range(first.lower, last.upper, bounds=first.bounds[0] + last.bounds[1])  # type: ignore[arg-type]

    __add__ = union

    def intersection(self, other: Range[_T]) -> Range[_T]:
        """What lies in both."""
        if not self.overlaps(other):
            return Range(None, None, empty=True)
        first = other if _begins_first(self, other) else self
        last = other if _ends_last(self, other) else self
        return Range(first.lower, last.upper, bounds=first.bounds[0] + last.bounds[1])  # type: ignore[arg-type]

    __mul__ = intersection

    def difference(self, other: Range[_T]) -> Range[_T]:
        """What lies in this one only.

        :raises ValueError: that is two ranges.
        """
        if self.empty or other.empty or not self.overlaps(other):
            return self
        begins, ends = _begins_first(other, self), _ends_last(other, self)
        if begins and ends:
            return Range(None, None, empty=True)
        if not begins and not ends:
            raise ValueError("Subtracting a strictly inner range is not implemented")
        if begins:
            bound = "(" if other.upper_inc else "["
            return Range(other.upper, self.upper, bounds=bound + self.bounds[1])  # type: ignore[arg-type]
        bound = ")" if other.lower_inc else "]"
        return Range(self.lower, other.lower, bounds=self.bounds[0] + bound)  # type: ignore[arg-type]

    __sub__ = difference


def _remake(lower: Any, upper: Any, bounds: Any, empty: bool) -> Range[Any]:
    return Range(lower, upper, bounds=bounds, empty=empty)


def _step(of: Range[Any]) -> Any:
    """The distance of neighbours, where there are neighbours: of whole numbers and of days."""
    value = of.lower if of.lower is not None else of.upper
    if type(value) is int:
        return 1
    return datetime.timedelta(days=1) if type(value) is datetime.date else None


def _begins_first(one: Range[Any], other: Range[Any]) -> bool:
    """Whether one begins where the other does, or before."""
    begin, inside = one._begin()
    second, second_inside = other._begin()
    if begin is None or second is None:
        return begin is None
    return bool(begin < second or (begin == second and (inside or not second_inside)))


def _ends_last(one: Range[Any], other: Range[Any]) -> bool:
    """Whether one ends where the other does, or after."""
    end, inside = one._end()
    second, second_inside = other._end()
    if end is None or second is None:
        return end is None
    return bool(end > second or (end == second and (inside or not second_inside)))


def _meets(one: Range[Any], other: Range[Any]) -> bool:
    """Whether the other begins just where one ends."""
    if one.upper is None or other.lower is None:
        return False
    end, inside = one._end()
    begin, begin_inside = other._begin()
    return bool(end == begin and inside != begin_inside)


class MultiRange(list[Range[_T]], Generic[_T]):
    """A list of ranges, for what stands where no type says that it is one."""

    @property
    def __sa_type_engine__(self) -> Any:
        """The type of the ranges, by what their ends are."""
        return _type_of(self[0] if self else Range(), "MULTIRANGE")


def _type_of(of: Range[Any], what: str) -> Any:
    from . import postgresql

    value = of.lower if of.lower is not None else of.upper
    kinds: list[tuple[type, Callable[[Any], str]]] = [
        (int, lambda whole: "INT4" if -(2**31) <= whole < 2**31 else "INT8"),
        (decimal.Decimal, lambda number: "NUM"),
        (datetime.datetime, lambda point: "TS" if point.tzinfo is None else "TSTZ"),
        (datetime.date, lambda day: "DATE"),
    ]
    for cls, name in kinds:
        if isinstance(value, cls):
            return getattr(postgresql, name(value) + what)()
    from ..types import NULLTYPE

    return NULLTYPE
