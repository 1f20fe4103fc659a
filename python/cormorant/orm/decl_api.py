"""Declaring mapped classes: DeclarativeBase, declarative_base(), registry, declared_attr, validates."""

from __future__ import annotations

from _weakref import ref

from .. import _engine, exc
from . import decl_base
from .base import Mapped
from .properties import MappedColumn, mapped_column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "DeclarativeAttributeIntercept", "DeclarativeBase", "DeclarativeBaseNoMeta", "DeclarativeMeta", "Mapped",
    "MappedColumn", "add_mapped_attribute", "as_declarative", "declarative_base", "declarative_mixin", "declared_attr",
    "has_inherited_table", "mapped_column", "reconstructor", "registry", "validates",
]  # fmt: skip


# ---- declared_attr


class declared_attr:
    """A method of a mixin or class that gives a mapped attribute, or ``__tablename__`` and its kin, for each class.

    Example::

        class HasOwner:
            @declared_attr
            def owner_id(cls) -> Mapped[int]:
                return mapped_column(ForeignKey("owner.id"))

            @declared_attr.directive
            def __tablename__(cls) -> str:
                return cls.__name__.lower()
    """

    _directive = False
    _cascading = False

    def __init__(self, fget: Callable[[Any], Any]):
        self.fget = fget.__func__ if isinstance(fget, classmethod) else fget
        self.__doc__ = fget.__doc__

    def __class_getitem__(cls, item: Any) -> Any:
        from types import GenericAlias

        return GenericAlias(cls, item)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        cls = type(instance) if owner is None else owner
        made = decl_base._declaring.get(cls)
        if made is None:
            return self.fget(cls)
        if id(self) not in made:
            made[id(self)] = self.fget(cls)
        return made[id(self)]

    def _fget_annotation(self) -> Any:
        """What the method is annotated to return, if that is Mapped[...]."""
        from .annotations import resolve

        given = getattr(self.fget, "__annotations__", {}).get("return", decl_base._MISSING)
        if isinstance(given, str):
            holder = type("_", (), {"__module__": self.fget.__module__})
            given = resolve(given, holder)
        return given

    class directive:
        """declared_attr for what is no mapped attribute: ``__tablename__``, ``__table_args__``, ``__mapper_args__``."""

        def __new__(cls, fget: Callable[[Any], Any]) -> Any:
            made = declared_attr(fget)
            made._directive = True
            return made

        def __class_getitem__(cls, item: Any) -> Any:
            return cls

    class cascading:
        """declared_attr that is evaluated for each class of a hierarchy."""

        def __new__(cls, fget: Callable[[Any], Any]) -> Any:
            made = declared_attr(fget)
            made._cascading = True
            return made

        def __class_getitem__(cls, item: Any) -> Any:
            return cls


def declarative_mixin(cls: Any) -> Any:
    """Mark a class as a mixin: for type checkers' sake, the class is unchanged."""
    return cls


def has_inherited_table(cls: type) -> bool:
    """Whether a class derives from one that has a table."""
    return any(getattr(base, "__table__", None) is not None for base in cls.__mro__[1:])


def add_mapped_attribute(target: Any, key: str, attr: Any) -> None:
    """Map one more attribute of a mapped class."""
    decl_base.add_attribute(target, key, attr)


# ---- registries


class registry(_engine.RegistryBase):
    """Mapped classes that refer to each other by name, and the MetaData of their tables.

    :param metadata: the MetaData; a new one by default.
    :param type_annotation_map: SQL types by Python type, for annotations.
    :param constructor: ``__init__`` of the base classes that are made; by default keyword arguments set attributes.
    """

    def __init__(
        self,
        *,
        metadata: Any = None,
        class_registry: Any = None,
        type_annotation_map: Any = None,
        constructor: Any = _engine.Instance.__init__,
    ):
        from ..schema import MetaData

        self.metadata = metadata if metadata is not None else MetaData()
        self.constructor = constructor
        self.type_annotation_map: dict[Any, Any] = {}
        self._names: dict[str, list[Any]] = {}
        if type_annotation_map is not None:
            self.update_type_annotation_map(type_annotation_map)

    def update_type_annotation_map(self, type_annotation_map: Any) -> None:
        """Add SQL types for Python types."""
        self.type_annotation_map.update(type_annotation_map)

    # -- names

    def _register(self, cls: type) -> None:
        kept = [
            item for item in self._names.get(cls.__name__, ())
            if (other := item()) is not None
            and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__)
        ]  # fmt: skip
        if any(self._same_path(item(), cls) for item in self._names.get(cls.__name__, ())):
            from warnings import warn

            warn(
                f"This declarative base already contains a class with the same class name and module name as "
                f"{cls.__module__}.{cls.__name__}, and will be replaced in the string-lookup table.",
                exc.SAWarning,
                stacklevel=6,
            )
        kept.append(ref(cls))
        self._names[cls.__name__] = kept

    @staticmethod
    def _same_path(other: Any, cls: type) -> bool:
        return other is not None and other.__module__ == cls.__module__ and "__mapper__" in other.__dict__

    def _classes_named(self, name: str) -> list[type]:
        found = [cls for item in self._names.get(name, ()) if (cls := item()) is not None]
        return found

    def _all_classes(self) -> list[type]:
        return [cls for items in self._names.values() for item in items if (cls := item()) is not None]

    @property
    def _class_registry(self) -> dict[str, Any]:
        return {name: classes[0] for name in self._names if (classes := self._classes_named(name))}

    # -- making classes

    def generate_base(
        self, mapper: Any = None, cls: Any = object, name: str = "Base", metaclass: Any = None
    ) -> Any:
        """A base class of mapped classes.

        :param cls: a class, or a tuple of classes, that the base derives from.
        :param name: the base's name.
        :param metaclass: the base's metaclass, DeclarativeMeta or derived from it.
        """
        bases = cls if isinstance(cls, tuple) else (cls,)
        bases = tuple(base for base in bases if base is not object)
        body: dict[str, Any] = {
            "_sa_registry": self, "registry": self, "metadata": self.metadata, "__abstract__": True,
            "__module__": bases[0].__module__ if bases else __name__,
        }  # fmt: skip
        if bases and bases[0].__doc__:
            body["__doc__"] = bases[0].__doc__
        if self.constructor is not None:
            body["__init__"] = self.constructor
        made = (metaclass or DeclarativeMeta)(name, (*bases, _engine.Instance), body)
        return made

    def as_declarative_base(self, **kw: Any) -> Callable[[type], Any]:
        """generate_base() as a decorator of the class that the base derives from."""

        def decorate(cls: type) -> Any:
            return self.generate_base(cls=cls, name=cls.__name__, **kw)

        return decorate

    def mapped(self, cls: type) -> Any:
        """Map a class that has no declarative base.

        The mapped class is a new one that derives from the given one.
        """
        if isinstance(cls, type) and issubclass(cls, _engine.Instance):
            decl_base.map_class(self, cls)
            return cls
        body = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__,
                "_sa_registry": self}  # fmt: skip
        meta: Any = type(cls) if type(cls) is not type else DeclarativeAttributeIntercept
        made = meta(cls.__name__, (cls, _engine.Instance), body)
        decl_base.map_class(self, made, cls)
        return made

    def map_declaratively(self, cls: type) -> Any:
        """Map a class that derives from a base of this registry, and give its Mapper."""
        decl_base.map_class(self, cls)
        return cls.__dict__["__mapper__"]


# ---- metaclasses and bases


class DeclarativeAttributeIntercept(type):
    """The metaclass of mapped classes: maps columns and relationships that are assigned to the class."""

    def __setattr__(cls, key: str, value: Any) -> None:
        if "__mapper__" in cls.__dict__:
            decl_base.add_attribute(cls, key, value)
        else:
            type.__setattr__(cls, key, value)

    def __delattr__(cls, key: str) -> None:
        mapper = cls.__dict__.get("__mapper__")
        if mapper is not None and mapper.has_property(key):
            raise NotImplementedError("Can't un-map individual mapped attributes on a mapped class.")
        type.__delattr__(cls, key)


class DeclarativeMeta(DeclarativeAttributeIntercept):
    """The metaclass of declarative_base(): maps each class that is derived."""

    _sa_registry: Any

    def __init__(cls, classname: Any, bases: Any, dict_: Any, **kw: Any):
        type.__init__(cls, classname, bases, dict_)
        if "_sa_registry" not in cls.__dict__ and "registry" in cls.__dict__:
            given = cls.__dict__["registry"]
            if isinstance(given, registry):
                type.__setattr__(cls, "_sa_registry", given)
                if "metadata" not in cls.__dict__:
                    type.__setattr__(cls, "metadata", given.metadata)
        if not cls.__dict__.get("__abstract__", False) and "_sa_registry" not in cls.__dict__:
            decl_base.map_class(cls._sa_registry, cls)


def _setup_base(cls: Any) -> None:
    """A direct subclass of DeclarativeBase: its registry, metadata and constructor."""
    metadata = cls.__dict__.get("metadata")
    given = cls.__dict__.get("registry")
    types = cls.__dict__.get("type_annotation_map")
    if given is not None:
        if not isinstance(given, registry):
            raise exc.InvalidRequestError(
                "Declarative base class has a 'registry' attribute that is not an instance of "
                "sqlalchemy.orm.registry()"
            )
        made = given
        if types is not None:
            raise exc.InvalidRequestError(
                "Declarative base class has both a 'registry' attribute and a type_annotation_map entry.  Per-base "
                "type_annotation_maps can't be used when a registry is passed."
            )
    else:
        made = registry(metadata=metadata, type_annotation_map=types)
    type.__setattr__(cls, "registry", made)
    type.__setattr__(cls, "_sa_registry", made)
    if metadata is None:
        type.__setattr__(cls, "metadata", made.metadata)
    if "__init__" not in cls.__dict__:
        type.__setattr__(cls, "__init__", made.constructor)


def _init_subclass(cls: Any, root: type) -> None:
    if root in cls.__bases__:
        if "__tablename__" in cls.__dict__ or "__table__" in cls.__dict__:
            raise exc.InvalidRequestError(
                f"Cannot use {root.__name__!r} directly as a declarative base class. Create a Base by creating a "
                "subclass of it."
            )
        _setup_base(cls)
    elif "registry" in cls.__dict__ and isinstance(cls.__dict__["registry"], registry) and (
        cls.__dict__.get("__abstract__", False)
    ):
        type.__setattr__(cls, "_sa_registry", cls.__dict__["registry"])
    elif not cls.__dict__.get("__abstract__", False):
        decl_base.map_class(cls._sa_registry, cls)


class DeclarativeBase(_engine.Instance, metaclass=DeclarativeAttributeIntercept):
    """Derive the base of your mapped classes from this one.

    Example::

        class Base(DeclarativeBase):
            pass

        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
    """

    if TYPE_CHECKING:
        registry: Any
        metadata: Any
        __table__: Any
        __tablename__: Any
        __mapper__: Any

        def __init__(self, **kw: Any): ...

    def __init_subclass__(cls, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        _init_subclass(cls, DeclarativeBase)


class DeclarativeBaseNoMeta(_engine.Instance):
    """DeclarativeBase with the plain metaclass: attributes assigned later are mapped with add_mapped_attribute()."""

    def __init_subclass__(cls, **kw: Any) -> None:
        super().__init_subclass__(**kw)
        _init_subclass(cls, DeclarativeBaseNoMeta)


def declarative_base(
    *,
    metadata: Any = None,
    mapper: Any = None,
    cls: Any = object,
    name: str = "Base",
    class_registry: Any = None,
    type_annotation_map: Any = None,
    constructor: Any = _engine.Instance.__init__,
    metaclass: Any = None,
) -> Any:
    """A base class of mapped classes, in the classic style.

    :param metadata: the MetaData of the tables; a new one by default.
    :param cls: a class, or a tuple of classes, that the base derives from.
    :param name: the base's name.
    :param constructor: ``__init__``; by default keyword arguments set attributes.

    Example::

        Base = declarative_base()

        class User(Base):
            __tablename__ = "users"
            id = Column(Integer, primary_key=True)
    """
    return registry(
        metadata=metadata, class_registry=class_registry, constructor=constructor,
        type_annotation_map=type_annotation_map,
    ).generate_base(cls=cls, name=name, metaclass=metaclass)  # fmt: skip


def as_declarative(**kw: Any) -> Callable[[type], Any]:
    """declarative_base() as a decorator of the class that the base derives from."""
    metadata, types = kw.pop("metadata", None), kw.pop("type_annotation_map", None)
    return registry(metadata=metadata, type_annotation_map=types).as_declarative_base(**kw)


# ---- methods


def validates(*names: str, include_removes: bool = False, include_backrefs: bool = True) -> Callable[[Any], Any]:
    """A method that sees each value before it is set, and gives the value to store.

    :param names: attributes to validate.
    :param include_removes: also call it when an item is removed, with a third argument ``is_remove``.
    :param include_backrefs: also call it for changes that began on the other side.

    Example::

        @validates("email")
        def check_email(self, key, address):
            if "@" not in address:
                raise ValueError("no e-mail address")
            return address
    """

    def decorate(function: Any) -> Any:
        function.__sa_validators__ = names
        function.__sa_validation_opts__ = {"include_removes": include_removes, "include_backrefs": include_backrefs}
        return function

    return decorate


def reconstructor(fn: Any) -> Any:
    """A method that is called on each object after it was loaded."""
    fn.__sa_reconstructor__ = True
    return fn
