"""Operators of PostgreSQL's own types: what their columns answer to beside the operators that all have.

A function's first argument is the expression. `own` in the engine finds them by the type's class.
"""

from __future__ import annotations

from .. import _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


def _compare(operator: str) -> Any:
    def compare(expression: Any, other: Any) -> Any:
        return expression.op(operator, is_comparison=True)(other)

    compare.__doc__ = f"{operator}."
    return staticmethod(compare)


def _combine(operator: str) -> Any:
    def combine(expression: Any, other: Any) -> Any:
        return expression.op(operator, return_type=expression.type)(other)

    combine.__doc__ = f"{operator}."
    return staticmethod(combine)


class Arrays:
    """Of ARRAY."""

    contains = _compare("@>")
    contained_by = _compare("<@")
    overlap = _compare("&&")
    overlaps = overlap

    @staticmethod
    def any(expression: Any, other: Any, operator: Any = None) -> Any:
        """Whether a value compares so with some item."""
        return _with_items(expression, other, operator, "any_")

    @staticmethod
    def all(expression: Any, other: Any, operator: Any = None) -> Any:
        """Whether a value compares so with all items."""
        return _with_items(expression, other, operator, "all_")

    @staticmethod
    def getitem(expression: Any, index: Any) -> Any:
        """An item, or with a slice an array of items; both ends of the slice belong to it."""
        type_ = expression.type
        offset = 1 if type_.zero_indexes else 0
        if isinstance(index, slice):
            if index.step is not None:
                raise NotImplementedError("slices of arrays have no step")
            first, last = (
                end if end is None or isinstance(end, _engine.ClauseElement) else _engine.literal(end + offset)
                for end in (index.start, index.stop)
            )
            return _engine._subscript(expression, first, last, True, type_)
        if not isinstance(index, _engine.ClauseElement):
            index = _engine.literal(index + offset)
        inner = type_.item_type
        if type_.dimensions is not None and type_.dimensions > 1:
            inner = type(type_)(inner, type_.as_tuple, type_.dimensions - 1, type_.zero_indexes)
        return _engine._subscript(expression, index, None, False, inner)


def _with_items(expression: Any, other: Any, operator: Any, which: str) -> Any:
    import operator as operators

    other = other if isinstance(other, _engine.ClauseElement) else _engine.literal(other, expression.type.item_type)
    return (operators.eq if operator is None else operator)(other, getattr(expression, which)())


class Ranges:
    """Of ranges and multiranges."""

    @staticmethod
    def contains(expression: Any, other: Any) -> Any:
        """Whether a value, or all of a range, lies in it."""
        from ._ranges import Range

        if not isinstance(other, (Range, list, str, _engine.ClauseElement)):
            other = _engine.literal(other)
        return expression.op("@>", is_comparison=True)(other)

    contained_by = _compare("<@")
    overlaps = _compare("&&")
    strictly_left_of = _compare("<<")
    strictly_right_of = _compare(">>")
    lshift = strictly_left_of
    rshift = strictly_right_of
    not_extend_right_of = _compare("&<")
    not_extend_left_of = _compare("&>")
    adjacent_to = _compare("-|-")
    union = _combine("+")
    difference = _combine("-")
    intersection = _combine("*")


class HSTORE:
    """Of HSTORE."""

    contains = _compare("@>")
    contained_by = _compare("<@")

    @staticmethod
    def has_key(expression: Any, key: Any) -> Any:
        """Whether it has a key."""
        return expression.op("?", is_comparison=True)(_text(key))

    @staticmethod
    def has_any(expression: Any, keys: Any) -> Any:
        """Whether it has one of some keys."""
        return expression.op("?|", is_comparison=True)(_texts(keys))

    @staticmethod
    def has_all(expression: Any, keys: Any) -> Any:
        """Whether it has all of some keys."""
        return expression.op("?&", is_comparison=True)(_texts(keys))

    @staticmethod
    def getitem(expression: Any, key: Any) -> Any:
        """The text of a key, or NULL."""
        return expression.op("->", return_type=expression.type.text_type)(_text(key))

    @staticmethod
    def defined(expression: Any, key: Any) -> Any:
        """Whether the text of a key is not NULL."""
        from ..types import BOOLEANTYPE

        return _engine.func.defined(expression, _text(key), type_=BOOLEANTYPE)

    @staticmethod
    def delete(expression: Any, key: Any) -> Any:
        """The same without a key, some keys, or what another one has."""
        keys = key if isinstance(key, (dict, _engine.ClauseElement)) else None
        if isinstance(key, dict):
            keys = _engine.literal(key, expression.type)
        elif keys is None:
            keys = _texts(key) if isinstance(key, (list, tuple)) else _text(key)
        return _engine.func.delete(expression, keys, type_=expression.type)

    @staticmethod
    def slice(expression: Any, keys: Any) -> Any:
        """The same with some keys only."""
        return _engine.func.slice(expression, _texts(keys), type_=expression.type)

    @staticmethod
    def keys(expression: Any) -> Any:
        """An array of the keys."""
        return _engine.func.akeys(expression, type_=_text_array())

    @staticmethod
    def vals(expression: Any) -> Any:
        """An array of the texts."""
        return _engine.func.avals(expression, type_=_text_array())

    @staticmethod
    def array(expression: Any) -> Any:
        """An array of keys and texts in turn."""
        return _engine.func.hstore_to_array(expression, type_=_text_array())

    @staticmethod
    def matrix(expression: Any) -> Any:
        """An array of pairs."""
        return _engine.func.hstore_to_matrix(expression, type_=_text_array())


def _text_array(dimensions: Optional[int] = None) -> Any:
    from ..types import Text
    from ._postgresql_types import ARRAY

    return ARRAY(Text(), dimensions=dimensions)


def _text(value: Any) -> Any:
    from ..types import Text

    return value if isinstance(value, _engine.ClauseElement) else _engine.literal(value, Text())


def _texts(values: Any) -> Any:
    return values if isinstance(values, _engine.ClauseElement) else _engine.literal(list(values), _text_array())
