"""Operators of SQL expressions, as functions."""

from __future__ import annotations

from operator import add, and_, eq, ge, gt, inv, le, lt, mod, mul, ne, neg, or_, sub, truediv
from operator import floordiv as floordiv

from .._engine import ColumnElement

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

Operators = ColumnOperators = ColumnElement


class OperatorType:
    """An operator that Python has no function for: calling it calls the elements' method."""

    def __init__(self, name: str, method: str):
        self.__name__ = name
        self._method = method

    def __call__(self, left: Any, *others: Any, **kw: Any) -> Any:
        return getattr(left, self._method)(*others, **kw)

    def __repr__(self) -> str:
        return f"<function {self.__name__}>"


class custom_op:
    """An operator of op().

    :param opstring: its spelling.
    """

    def __init__(self, opstring: str, precedence: int = 0, is_comparison: bool = False):
        self.opstring = opstring
        self.precedence = precedence
        self.is_comparison = is_comparison

    def __eq__(self, other: object) -> bool:
        return isinstance(other, custom_op) and other.opstring == self.opstring

    def __hash__(self) -> int:
        return hash(self.opstring)

    def __call__(self, left: Any, right: Any) -> Any:
        return left.op(self.opstring, is_comparison=self.is_comparison)(right)


def _make(name: str, method: str) -> OperatorType:
    return OperatorType(name, method)


comma_op = _make("comma_op", "self_group")
is_ = _make("is_", "is_")
is_not = isnot = _make("is_not", "is_not")
is_distinct_from = _make("is_distinct_from", "is_distinct_from")
is_not_distinct_from = isnot_distinct_from = _make("is_not_distinct_from", "is_not_distinct_from")
like_op = _make("like_op", "like")
not_like_op = notlike_op = _make("not_like_op", "not_like")
ilike_op = _make("ilike_op", "ilike")
not_ilike_op = notilike_op = _make("not_ilike_op", "not_ilike")
startswith_op = _make("startswith_op", "startswith")
not_startswith_op = _make("not_startswith_op", "startswith")
endswith_op = _make("endswith_op", "endswith")
not_endswith_op = _make("not_endswith_op", "endswith")
contains_op = _make("contains_op", "contains")
not_contains_op = _make("not_contains_op", "contains")
istartswith_op = _make("istartswith_op", "istartswith")
not_istartswith_op = _make("not_istartswith_op", "istartswith")
iendswith_op = _make("iendswith_op", "iendswith")
not_iendswith_op = _make("not_iendswith_op", "iendswith")
icontains_op = _make("icontains_op", "icontains")
not_icontains_op = _make("not_icontains_op", "icontains")
in_op = _make("in_op", "in_")
not_in_op = notin_op = _make("not_in_op", "not_in")
between_op = _make("between_op", "between")
not_between_op = _make("not_between_op", "between")
match_op = _make("match_op", "match")
not_match_op = _make("not_match_op", "match")
regexp_match_op = _make("regexp_match_op", "regexp_match")
not_regexp_match_op = _make("not_regexp_match_op", "regexp_match")
concat_op = _make("concat_op", "concat")
bitwise_and_op = _make("bitwise_and_op", "bitwise_and")
bitwise_or_op = _make("bitwise_or_op", "bitwise_or")
bitwise_xor_op = _make("bitwise_xor_op", "bitwise_xor")
bitwise_lshift_op = _make("bitwise_lshift_op", "bitwise_lshift")
bitwise_rshift_op = _make("bitwise_rshift_op", "bitwise_rshift")
bitwise_not_op = _make("bitwise_not_op", "bitwise_not")
collate = _make("collate", "collate")
filter_op = _make("filter_op", "filter")
distinct_op = _make("distinct_op", "distinct")
asc_op = _make("asc_op", "asc")
desc_op = _make("desc_op", "desc")
nulls_first_op = nullsfirst_op = _make("nulls_first_op", "nulls_first")
nulls_last_op = nullslast_op = _make("nulls_last_op", "nulls_last")
exists = _make("exists", "exists")
any_op = _make("any_op", "any_")
all_op = _make("all_op", "all_")

# In the order of the engine's operators.
_ORDER: tuple[Any, ...] = (
    None, and_, or_, comma_op, inv, eq, ne, lt, le, gt, ge, is_, is_not, is_distinct_from, is_not_distinct_from,
    like_op, not_like_op, ilike_op, not_ilike_op, startswith_op, not_startswith_op, endswith_op, not_endswith_op,
    contains_op, not_contains_op, istartswith_op, not_istartswith_op, iendswith_op, not_iendswith_op, icontains_op,
    not_icontains_op, in_op, not_in_op, between_op, not_between_op, match_op, not_match_op, regexp_match_op,
    not_regexp_match_op, add, sub, mul, truediv, floordiv, mod, concat_op, bitwise_and_op, bitwise_or_op,
    bitwise_xor_op, bitwise_lshift_op, bitwise_rshift_op, collate, filter_op, None, neg, bitwise_not_op,
    distinct_op, asc_op, desc_op, nulls_first_op, nulls_last_op, exists, any_op, all_op,
)  # fmt: skip


def _by_number(number: int, custom: Optional[str]) -> Optional[Callable[..., Any]]:
    """The operator of an expression."""
    if custom is not None and (number >= len(_ORDER) or _ORDER[number] is None):
        return custom_op(custom)
    return _ORDER[number] if number < len(_ORDER) else None


def is_comparison(op: Any) -> bool:
    """Whether an operator gives a truth value."""
    if isinstance(op, custom_op):
        return op.is_comparison
    return op in _ORDER[5:39]
