"""Collections of relationships: dictionaries by attribute, and users' own classes."""

from __future__ import annotations

from .. import _engine, exc
from .._engine import CollectionAdapter, InstrumentedList, InstrumentedSet, KeyFuncDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

InstrumentedDict = KeyFuncDict
MappedCollection = KeyFuncDict


# ---- dictionaries


class _ByAttribute:
    """The key function of attribute_keyed_dict()."""

    __slots__ = ("name", "ignore")

    def __init__(self, name: str, ignore: bool):
        self.name = name
        self.ignore = ignore

    def __call__(self, item: Any) -> Any:
        key = getattr(item, self.name)
        if key is None and self.ignore:
            return None
        return key

    def __reduce__(self) -> Any:
        return _ByAttribute, (self.name, self.ignore)


class _ByColumns:
    """The key function of column_keyed_dict()."""

    __slots__ = ("columns",)

    def __init__(self, columns: tuple[Any, ...]):
        self.columns = columns

    def __call__(self, item: Any) -> Any:
        mapper = _engine._mapper_of(type(item))
        values = tuple(getattr(item, mapper.get_property_by_column(column).key) for column in self.columns)
        return values[0] if len(values) == 1 else values


def keyfunc_mapping(keyfunc: Callable[[Any], Any], *, ignore_unpopulated_attribute: bool = False) -> Callable[[], Any]:
    """A collection_class: a dictionary under what a function gives for each item.

    Example::

        notes = relationship("Note", collection_class=keyfunc_mapping(lambda note: note.keyword.lower()))
    """

    def make() -> Any:
        return KeyFuncDict(keyfunc)

    return make


def attribute_keyed_dict(attr_name: str, *, ignore_unpopulated_attribute: bool = False) -> Callable[[], Any]:
    """A collection_class: a dictionary under an attribute of each item.

    Example::

        notes: Mapped[dict[str, "Note"]] = relationship(collection_class=attribute_keyed_dict("keyword"))
    """
    return keyfunc_mapping(_ByAttribute(attr_name, ignore_unpopulated_attribute))


def column_keyed_dict(mapping_spec: Any, *, ignore_unpopulated_attribute: bool = False) -> Callable[[], Any]:
    """A collection_class: a dictionary under one or several columns of each item."""
    columns = tuple(mapping_spec) if isinstance(mapping_spec, (list, tuple)) else (mapping_spec,)
    return keyfunc_mapping(_ByColumns(columns))


mapped_collection = keyfunc_mapping
attribute_mapped_collection = attribute_keyed_dict
column_mapped_collection = column_keyed_dict


# ---- users' classes: decorators that name the methods


class collection:
    """Decorators for the methods of a collection class: which appends, which removes, which iterates.

    Example::

        class Items:
            @collection.appender
            def put(self, item): ...
            @collection.remover
            def take(self, item): ...
            @collection.iterator
            def walk(self): ...
    """

    @staticmethod
    def appender(fn: Any) -> Any:
        """The method that appends one item."""
        fn._sa_instrument_role = "appender"
        return fn

    @staticmethod
    def remover(fn: Any) -> Any:
        """The method that removes one item."""
        fn._sa_instrument_role = "remover"
        return fn

    @staticmethod
    def iterator(fn: Any) -> Any:
        """The method that iterates over the items."""
        fn._sa_instrument_role = "iterator"
        return fn

    @staticmethod
    def internally_instrumented(fn: Any) -> Any:
        """The method does by itself what instrumentation would add."""
        fn._sa_instrumented = True
        return fn

    @staticmethod
    def adds(arg: int | str) -> Any:
        """The method adds the item that is this argument."""

        def decorate(fn: Any) -> Any:
            fn._sa_instrument_before = ("adding", arg)
            return fn

        return decorate

    @staticmethod
    def removes(arg: int | str) -> Any:
        """The method removes the item that is this argument."""

        def decorate(fn: Any) -> Any:
            fn._sa_instrument_before = ("removing", arg)
            return fn

        return decorate

    @staticmethod
    def replaces(arg: int | str) -> Any:
        """The method puts the argument in and gives the item that it replaced."""

        def decorate(fn: Any) -> Any:
            fn._sa_instrument_before = ("adding", arg)
            fn._sa_instrument_after = "removing"
            return fn

        return decorate

    @staticmethod
    def removes_return() -> Any:
        """The method removes the item that it returns."""

        def decorate(fn: Any) -> Any:
            fn._sa_instrument_after = "removing"
            return fn

        return decorate


_instrumented: dict[type, type] = {}


def prepare_factory(factory: Any) -> Any:
    """What makes the collections of an attribute, from the collection_class that the user gave."""
    if factory is list:
        return InstrumentedList
    if factory is set:
        return InstrumentedSet
    if factory is dict:
        raise exc.ArgumentError(
            "Type InstrumentedDict must elect an appender method to be a collection class: use attribute_keyed_dict() "
            "or another dictionary with a key function"
        )
    if isinstance(factory, type):
        return _instrument_class(factory)
    return factory


def _instrument_object(made: Any) -> Any:
    """Of a collection that a factory gave: the same contents in a collection that tells its owner."""
    cls = type(made)
    if cls is list or cls is set:
        return (InstrumentedList if cls is list else InstrumentedSet)(made)
    instrumented = _instrument_class(cls)
    if instrumented is not cls:
        made.__class__ = instrumented
    return made


def _roles(cls: type) -> dict[str, str]:
    roles: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        for name, value in base.__dict__.items():
            role = getattr(value, "_sa_instrument_role", None)
            if role is not None:
                roles[role] = name
    emulates: Any = getattr(cls, "__emulates__", None)
    if emulates is None:
        emulates = next((kind for kind in (list, set, dict) if issubclass(cls, kind)), None)
    if emulates is None:
        if hasattr(cls, "append"):
            emulates = list
        elif hasattr(cls, "add"):
            emulates = set
        elif hasattr(cls, "set"):
            emulates = dict
    kinds: dict[Any, tuple[str | None, ...]] = {
        list: ("append", "remove", "__iter__"),
        set: ("add", "remove", "__iter__"),
        dict: ("set", "remove", "values"),
    }
    for role, method in zip(("appender", "remover", "iterator"), kinds.get(emulates, (None, None, None))):
        if role not in roles and method is not None and hasattr(cls, method):
            roles[role] = method
    for role in ("appender", "remover", "iterator"):
        if role not in roles:
            raise exc.ArgumentError(f"Type {cls.__name__} must elect an {role} method to be a collection class")
    roles["emulates"] = emulates
    return roles


def _instrument_class(cls: type) -> type:
    """A subclass of a user's collection class that tells its owner of each change."""
    if issubclass(cls, (InstrumentedList, InstrumentedSet, KeyFuncDict)) or hasattr(cls, "_sa_adapter"):
        return cls
    found = _instrumented.get(cls)
    if found is not None:
        return found
    roles = _roles(cls)
    body: dict[str, Any] = {
        "__slots__": ("_sa_adapter_", "_sa_quiet") if "__dict__" not in dir(cls) else (),
        "__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__,
        "_sa_adapter": property(_adapter), "_sa_append": _raw(roles["appender"]), "_sa_remove": _raw(roles["remover"]),
        "_sa_items": _iterator(roles["iterator"], roles["emulates"]),
    }  # fmt: skip
    if not body["__slots__"]:
        del body["__slots__"]
    for name, (before, after) in _methods(cls, roles).items():
        body[name] = _wrapped(getattr(cls, name), before, after)
    emulated: Any = roles["emulates"]
    if emulated is list:
        body.update(_list_methods(cls, roles))
    elif emulated is set:
        body.update(_set_methods(cls))
    elif emulated is dict:
        body.update(_dict_methods(cls))
    meta: Any = type(cls)
    made: type = meta(cls.__name__, (cls,), body)
    _instrumented[cls] = made
    return made


def _adapter(self: Any) -> Any:
    try:
        return self._sa_adapter_
    except AttributeError:
        self._sa_adapter_ = adapter = CollectionAdapter()
        return adapter


class _RawAdapter:
    """Changes a collection without telling anyone."""

    __slots__ = ("data",)

    def __init__(self, data: Any):
        self.data = data

    def append_without_event(self, item: Any) -> None:
        """Append an item: no events, no history."""
        _engine._collection_append(self.data, item)

    def remove_without_event(self, item: Any) -> None:
        """Remove an item: no events, no history."""
        _engine._collection_remove(self.data, item)

    def append_with_event(self, item: Any, initiator: Any = None) -> None:
        """Append an item as the owner's user would."""
        add = getattr(self.data, "append", None) or getattr(self.data, "add", None) or self.data.set
        add(item)

    def clear_without_event(self) -> None:
        """Remove all items: no events, no history."""
        for item in list(self):
            _engine._collection_remove(self.data, item)

    def __iter__(self) -> Any:
        return iter(_engine._collection_items(self.data))

    def __len__(self) -> int:
        return len(_engine._collection_items(self.data))

    def __bool__(self) -> bool:
        return True


def collection_adapter(collection: Any) -> Any:
    """What changes a collection of a mapped object behind its owner's back."""
    return _RawAdapter(collection)


class _Quiet:
    """While it lasts, the collection's methods tell nobody."""

    __slots__ = ("target",)

    def __init__(self, target: Any):
        self.target = target

    def __enter__(self) -> None:
        self.target._sa_quiet = getattr(self.target, "_sa_quiet", 0) + 1

    def __exit__(self, *error: object) -> None:
        self.target._sa_quiet -= 1


def _raw(name: str) -> Any:
    def run(self: Any, item: Any) -> Any:
        with _Quiet(self):
            return getattr(self, name)(item)

    return run


def _iterator(name: str, emulates: Any) -> Any:
    def items(self: Any) -> Any:
        return list(getattr(self, name)())

    return items


def _methods(cls: type, roles: dict[str, Any]) -> dict[str, tuple[Any, str | None]]:
    """Methods to wrap by name: what is told before (and of which argument), and of the result after."""
    found: dict[str, tuple[Any, str | None]] = {}
    for base in reversed(cls.__mro__):
        for name, value in base.__dict__.items():
            before, after = getattr(value, "_sa_instrument_before", None), getattr(value, "_sa_instrument_after", None)
            if (before or after) and not getattr(value, "_sa_instrumented", False):
                found[name] = (before, after)
    for role, kind in (("appender", "adding"), ("remover", "removing")):
        name = roles[role]
        if name not in found and not getattr(getattr(cls, name), "_sa_instrumented", False):
            found[name] = ((kind, 1), None)
    return found


def _wrapped(original: Any, before: Any, after: str | None) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "_sa_quiet", 0):
            return original(self, *args, **kwargs)
        if before is not None:
            kind, which = before
            values = list(args)
            if isinstance(which, int) and which - 1 < len(values):
                told = getattr(self._sa_adapter, kind)(values[which - 1])
                if kind == "adding":
                    values[which - 1] = told
            else:
                name = which if isinstance(which, str) else next(iter(kwargs), None)
                if name in kwargs:
                    told = getattr(self._sa_adapter, kind)(kwargs[name])
                    kwargs[name] = told if kind == "adding" else kwargs[name]
            args = tuple(values)
        with _Quiet(self):
            result = original(self, *args, **kwargs)
        if after is not None and result is not None:
            getattr(self._sa_adapter, after)(result)
        return result

    method.__name__ = getattr(original, "__name__", "method")
    method.__doc__ = original.__doc__
    return method


def _list_methods(cls: type, roles: dict[str, Any]) -> dict[str, Any]:
    """Of a class like a list: its other changing methods in terms of the appender and the remover."""
    append, remove = roles["appender"], roles["remover"]
    methods: dict[str, Any] = {}

    def extend(self: Any, items: Any) -> None:
        for item in list(items):
            getattr(self, append)(item)

    def iadd(self: Any, items: Any) -> Any:
        extend(self, items)
        return self

    def clear(self: Any) -> None:
        for item in self._sa_items():
            getattr(self, remove)(item)

    if hasattr(cls, "extend"):
        methods["extend"] = extend
    if hasattr(cls, "__iadd__"):
        methods["__iadd__"] = iadd
    if hasattr(cls, "clear"):
        methods["clear"] = clear
    if hasattr(cls, "insert"):
        methods["insert"] = _wrapped(cls.insert, ("adding", 2), None)
    if hasattr(cls, "pop"):

        def pop(self: Any, index: int = -1) -> Any:
            if getattr(self, "_sa_quiet", 0):
                return cls.pop(self, index)
            item = self._sa_items()[index]
            self._sa_adapter.removing(item)
            with _Quiet(self):
                return cls.pop(self, index)

        methods["pop"] = pop
    if hasattr(cls, "__delitem__"):

        def delitem(self: Any, index: Any) -> None:
            if not getattr(self, "_sa_quiet", 0):
                gone = self._sa_items()[index]
                for item in gone if isinstance(index, slice) else [gone]:
                    self._sa_adapter.removing(item)
            with _Quiet(self):
                cls.__delitem__(self, index)

        methods["__delitem__"] = delitem
    if hasattr(cls, "__setitem__"):

        def setitem(self: Any, index: Any, value: Any) -> None:
            if not getattr(self, "_sa_quiet", 0):
                gone = self._sa_items()[index]
                if isinstance(index, slice):
                    value = list(value)
                    for item in gone:
                        if not any(item is other for other in value):
                            self._sa_adapter.removing(item)
                    value = [item if any(item is other for other in gone) else self._sa_adapter.adding(item)
                             for item in value]  # fmt: skip
                elif gone is not value:
                    self._sa_adapter.removing(gone)
                    value = self._sa_adapter.adding(value)
            with _Quiet(self):
                cls.__setitem__(self, index, value)

        methods["__setitem__"] = setitem
    return {name: value for name, value in methods.items() if name not in (append, remove)}


def _set_methods(cls: type) -> dict[str, Any]:
    """Of a subclass of set: its other changing methods."""
    methods: dict[str, Any] = {}

    def become(self: Any, wanted: set[Any]) -> None:
        for item in set(self) - wanted:
            self.remove(item)
        for item in wanted - set(self):
            self.add(item)

    def through(name: str) -> Any:
        def method(self: Any, *others: Any) -> None:
            copy = set(self)
            getattr(copy, name)(*others)
            become(self, copy)

        return method

    def inplace(name: str) -> Any:
        def method(self: Any, other: Any) -> Any:
            through(name)(self, other)
            return self

        return method

    def discard(self: Any, item: Any) -> None:
        if item in self:
            self.remove(item)

    def pop(self: Any) -> Any:
        for item in self:
            self.remove(item)
            return item
        raise KeyError("pop from an empty set")

    if issubclass(cls, set):
        for name in ("update", "difference_update", "intersection_update", "symmetric_difference_update"):
            methods[name] = through(name)
        operators = {"__ior__": "update", "__isub__": "difference_update", "__iand__": "intersection_update"}
        operators["__ixor__"] = "symmetric_difference_update"
        for operator, name in operators.items():
            methods[operator] = inplace(name)
        methods["clear"] = lambda self: become(self, set())
        methods["pop"] = pop
        methods["discard"] = discard
    return methods


def _dict_methods(cls: type) -> dict[str, Any]:
    """Of a class like a dictionary: assignment and deletion by key."""
    methods: dict[str, Any] = {}
    if not issubclass(cls, dict):
        return methods

    def setitem(self: Any, key: Any, value: Any) -> None:
        if not getattr(self, "_sa_quiet", 0):
            if key in self and self[key] is not value:
                self._sa_adapter.removing(self[key])
            value = self._sa_adapter.adding(value)
        with _Quiet(self):
            cls.__setitem__(self, key, value)

    def delitem(self: Any, key: Any) -> None:
        if not getattr(self, "_sa_quiet", 0):
            self._sa_adapter.removing(self[key])
        with _Quiet(self):
            cls.__delitem__(self, key)

    def pop(self: Any, key: Any, *default: Any) -> Any:
        if key not in self:
            if default:
                return default[0]
            raise KeyError(key)
        value = self[key]
        delitem(self, key)
        return value

    def clear(self: Any) -> None:
        for key in list(self):
            delitem(self, key)

    def update(self: Any, *args: Any, **kwargs: Any) -> None:
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    methods.update(__setitem__=setitem, __delitem__=delitem, pop=pop, clear=clear, update=update)
    return methods
