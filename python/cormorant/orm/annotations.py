"""Reading annotations of mapped classes: what is inside Mapped[], also of names that do not exist yet."""

from __future__ import annotations

import sys
from types import UnionType

from .. import exc
from .base import Mapped, module_of
from .properties import MappedColumn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NONE = type(None)


class Late:
    """A name in an annotation that is not there (yet): a class that is mapped later, or one for type checkers only."""

    def __init__(self, name: str, args: tuple[Any, ...] = ()):
        self.__name__ = name
        self.__args__ = args

    def __getitem__(self, item: Any) -> Late:
        return Late(self.__name__, item if isinstance(item, tuple) else (item,))

    def __getattr__(self, name: str) -> Late:
        if name.startswith("__"):
            raise AttributeError(name)
        return Late(f"{self.__name__}.{name}")

    def __or__(self, other: Any) -> LateUnion:
        return LateUnion((self, other))

    def __ror__(self, other: Any) -> LateUnion:
        return LateUnion((other, self))

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        return None


class LateUnion:
    """``Later | None``."""

    def __init__(self, args: tuple[Any, ...]):
        self.__args__ = args

    def __or__(self, other: Any) -> LateUnion:
        return LateUnion((*self.__args__, other))

    def __ror__(self, other: Any) -> LateUnion:
        return LateUnion((other, *self.__args__))


class _Namespace(dict):  # type: ignore[type-arg]
    """Names in the order in which an annotation sees them; Late for those that are not there."""

    def __init__(self, *places: Any):
        super().__init__()
        self._places = places

    def __missing__(self, name: str) -> Any:
        for place in self._places:
            if name in place:
                return place[name]
        import builtins

        if hasattr(builtins, name):
            return getattr(builtins, name)
        return Late(name)


def evaluate(text: str, cls: type) -> Any:
    """The value of an annotation that is a string.

    Raises ArgumentError when it is no expression.
    """
    try:
        return eval(text, {}, _Namespace(module_of(cls), cls.__dict__))
    except SyntaxError as error:
        raise exc.ArgumentError(f"annotation {text!r} of class {cls.__name__} cannot be read: {error.msg}") from error
    except TypeError:
        # "str" | None inside quotes, and the like
        parts = [part.strip() for part in text.split("|")]
        if len(parts) > 1:
            return LateUnion(tuple(evaluate(part, cls) for part in parts))
        raise


def resolve(annotation: Any, cls: type) -> Any:
    """An annotation with strings and forward references evaluated at its outermost level."""
    while True:
        if isinstance(annotation, str):
            annotation = evaluate(annotation, cls)
        elif hasattr(annotation, "__forward_arg__"):
            annotation = annotation.__forward_arg__
        else:
            return annotation


def is_mapped(annotation: Any) -> bool:
    """Whether it is Mapped[...] (or Mapped alone)."""
    origin = getattr(annotation, "__origin__", annotation)
    return isinstance(origin, type) and issubclass(origin, Mapped)


def is_class_var(annotation: Any) -> bool:
    """Whether it is ClassVar, with or without a type."""
    typing = sys.modules.get("typing")
    if typing is None:
        return isinstance(annotation, Late) and annotation.__name__.split(".")[-1] == "ClassVar"
    return getattr(annotation, "__origin__", annotation) is typing.ClassVar or (
        isinstance(annotation, Late) and annotation.__name__.split(".")[-1] == "ClassVar"
    )


def inside(annotation: Any, cls: type) -> Any:
    """What Mapped[] holds, evaluated; None for a bare Mapped."""
    args = getattr(annotation, "__args__", ())
    return resolve(args[0], cls) if args else None


def _union_args(annotation: Any) -> tuple[Any, ...] | None:
    if isinstance(annotation, (UnionType, LateUnion)):
        return annotation.__args__
    if isinstance(annotation, Late):
        name = annotation.__name__.split(".")[-1]
        if name == "Optional":
            return (*annotation.__args__, None)
        return annotation.__args__ if name == "Union" else None
    typing = sys.modules.get("typing")
    if typing is not None and getattr(annotation, "__origin__", None) is typing.Union:
        return tuple(annotation.__args__)
    return None


class Reading:
    """What an annotation says: the type without None, whether None is allowed, columns inside Annotated."""

    def __init__(self, given: Any, cls: type):
        self.optional = False
        self.templates: list[MappedColumn] = []
        self.lookups: list[Any] = []
        self.type = self._read(given, cls)

    def _read(self, given: Any, cls: type) -> Any:
        given = resolve(given, cls)
        args = _union_args(given)
        if args is not None:
            rest = []
            for arg in args:
                arg = resolve(arg, cls) if not isinstance(arg, type) else arg
                if arg is None or arg is _NONE:
                    self.optional = True
                else:
                    rest.append(arg)
            if len(rest) == 1:
                return self._read(rest[0], cls)
            self.lookups.append(given)
            return given
        self.lookups.append(given)
        if hasattr(given, "__metadata__"):
            for item in given.__metadata__:
                if isinstance(item, MappedColumn):
                    self.templates.append(item)
            return self._read(given.__origin__, cls)
        if hasattr(given, "__supertype__"):
            return self._read(given.__supertype__, cls)
        if type(given).__name__ == "TypeAliasType":
            return self._read(given.__value__, cls)
        return given


_COLLECTIONS = {
    "List": list, "list": list, "Set": set, "set": set, "FrozenSet": set, "Dict": dict, "dict": dict,
    "Sequence": list, "MutableSequence": list, "Collection": list, "Iterable": list, "MutableSet": set,
    "MutableMapping": dict, "Mapping": dict, "Tuple": list, "tuple": list,
}  # fmt: skip


def read_relationship(given: Any, cls: type) -> tuple[Any, bool | None, Any]:
    """The target (a class or a name), uselist and the collection's class that an annotation says."""
    reading = Reading(given, cls)
    kind = reading.type
    origin = getattr(kind, "__origin__", None)
    args = tuple(getattr(kind, "__args__", ()) or ())
    if isinstance(kind, Late) and args and kind.__name__.split(".")[-1] in _COLLECTIONS:
        origin = _COLLECTIONS[kind.__name__.split(".")[-1]]
    if isinstance(origin, type) and args:
        collection = _collection_of(origin)
        target = _target(args[-1], cls)
        if collection in (list, dict):
            return target, True, None if collection is list else None
        return target, True, collection
    return _target(kind, cls), False, None


def _collection_of(origin: type) -> Any:
    if origin in (list, set, dict):
        return origin
    name = origin.__name__
    if origin.__module__ in ("collections.abc", "typing", "builtins"):
        return _COLLECTIONS.get(name, list)
    return origin


def _target(kind: Any, cls: type) -> Any:
    if isinstance(kind, str) or hasattr(kind, "__forward_arg__"):
        kind = Reading(kind, cls).type
    if isinstance(kind, Late):
        return kind.__name__
    args = _union_args(kind)
    if args is not None:
        return _target(next(arg for arg in args if arg is not None and arg is not _NONE), cls)
    return kind
