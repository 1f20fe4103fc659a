"""Mapper: a mapped class as seen from outside."""

from __future__ import annotations

from .. import _engine, exc
from .exc import UnmappedColumnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class ReadOnlyProperties:
    """Attributes of a mapper by name: ``props.name``, ``props["name"]``, iteration over the values."""

    __slots__ = ("_data",)
    _data: dict[str, Any]

    def __init__(self, data: dict[str, Any]):
        object.__setattr__(self, "_data", data)

    def __getattr__(self, key: str) -> Any:
        try:
            return self._data[key]
        except KeyError:
            raise AttributeError(key) from None

    def __setattr__(self, key: str, value: Any) -> None:
        raise TypeError(f"{type(self).__name__} object is immutable")

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._data.values()))

    def __len__(self) -> int:
        return len(self._data)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._data]

    def get(self, key: str, default: Any = None) -> Any:
        return self._data.get(key, default)

    def keys(self) -> list[str]:
        return list(self._data)

    def values(self) -> list[Any]:
        return list(self._data.values())

    def items(self) -> list[tuple[str, Any]]:
        return list(self._data.items())

    def has_key(self, key: str) -> bool:
        return key in self._data


class Mapper(_engine.MapperBase):
    """How a class is mapped to a table: ``inspect(User)``.

    Mappers are made by declarative mapping and live as long as their class.
    """

    is_mapper = True
    is_selectable = False
    is_aliased_class = False
    is_instance = False
    is_attribute = False
    is_clause_element = False
    non_primary = False
    single = False
    concrete = False
    inherits = None
    polymorphic_on = None
    polymorphic_identity = None
    polymorphic_load = None
    with_polymorphic = None
    with_polymorphic_mappers: tuple[Mapper, ...] = ()
    version_id_col = None
    eager_defaults: bool | str = "auto"
    confirm_deleted_rows = True
    always_refresh = False

    # -- tables and columns

    @property
    def persist_selectable(self) -> Any:
        """The table that the class is mapped to."""
        return self.local_table

    mapped_table = persist_selectable
    selectable = persist_selectable

    @property
    def tables(self) -> tuple[Any, ...]:
        """The tables that the mapper writes to."""
        return (self.local_table,)

    @property
    def primary_key(self) -> tuple[Any, ...]:
        """The columns of the primary key, in the table's order."""
        return tuple(self._column_of(key) for key in self._primary_keys())

    @property
    def columns(self) -> ReadOnlyProperties:
        """Mapped columns by attribute name."""
        return ReadOnlyProperties({key: self._column_of(key) for key, column in self._keys() if column})

    c = columns

    # -- attributes

    def _property(self, key: str) -> Any:
        return self._descriptor(key)._property

    @property
    def attrs(self) -> ReadOnlyProperties:
        """All mapped attributes by name."""
        self.registry.configure()
        found = {key: self._property(key) for key, _ in self._keys()}
        return ReadOnlyProperties({**found, **self.__dict__.get("_synonyms", {})})

    @property
    def column_attrs(self) -> ReadOnlyProperties:
        """Mapped attributes that are columns."""
        return ReadOnlyProperties({key: self._property(key) for key, column in self._keys() if column})

    @property
    def relationships(self) -> ReadOnlyProperties:
        """Mapped attributes that are relationships."""
        self.registry.configure()
        return ReadOnlyProperties({key: self._property(key) for key, column in self._keys() if not column})

    @property
    def synonyms(self) -> ReadOnlyProperties:
        """Mapped attributes that are other names of attributes."""
        return ReadOnlyProperties(self.__dict__.get("_synonyms", {}))

    @property
    def composites(self) -> ReadOnlyProperties:
        """Mapped attributes that are made of several columns."""
        return ReadOnlyProperties({})

    @property
    def all_orm_descriptors(self) -> ReadOnlyProperties:
        """The class' mapped attributes and what extensions (hybrids) added, by name."""
        self.registry.configure()
        found = {key: self._descriptor(key) for key, _ in self._keys()}
        for base in self.class_.__mro__:
            for key, value in base.__dict__.items():
                if key not in found and getattr(type(value), "is_attribute", False) is True:
                    found[key] = value
        return ReadOnlyProperties(found)

    @property
    def iterate_properties(self) -> Iterator[Any]:
        """All mapped attributes' properties."""
        return iter(self.attrs)

    @property
    def validators(self) -> dict[str, Any]:
        """Validating methods by attribute name."""
        return dict(self.__dict__.get("_validators", {}))

    def has_property(self, key: str) -> bool:
        """Whether an attribute of this name is mapped."""
        return any(key == name for name, _ in self._keys())

    def get_property(self, key: str, _configure_mappers: bool = False) -> Any:
        """The property of an attribute's name.

        Raises InvalidRequestError when there is none.
        """
        if _configure_mappers or not self.has_property(key):
            self.registry.configure()
        if not self.has_property(key):
            raise exc.InvalidRequestError(
                f"Mapper '{self}' has no property '{key}'.  If this property was indicated from other mappers or "
                "configure events, ensure registry.configure() has been called."
            )
        return self._property(key)

    def get_property_by_column(self, column: Any) -> Any:
        """The property of a column. Raises UnmappedColumnError when it is not mapped here."""
        key = self._key_of_column(column)
        if key is None:
            raise UnmappedColumnError(f"No column {column} is configured on mapper {self}...")
        return self._property(key)

    def add_property(self, key: str, prop: Any) -> None:
        """Map one more attribute."""
        from . import decl_base

        decl_base.add_attribute(self.class_, key, prop)

    def add_properties(self, dict_of_properties: dict[str, Any]) -> None:
        """Map more attributes."""
        for key, value in dict_of_properties.items():
            self.add_property(key, value)

    # -- identity

    def primary_key_from_instance(self, instance: Any) -> list[Any]:
        """The values of an object's primary key, as they are now."""
        return [getattr(instance, key) for key in self._primary_keys()]

    def identity_key_from_primary_key(self, primary_key: Any, identity_token: Any = None) -> tuple[Any, ...]:
        """The key of the identity map for a primary key."""
        values = tuple(primary_key) if isinstance(primary_key, (tuple, list)) else (primary_key,)
        return self.class_, values, identity_token

    def identity_key_from_instance(self, instance: Any) -> tuple[Any, ...]:
        """The key of the identity map for an object's primary key."""
        return self.identity_key_from_primary_key(self.primary_key_from_instance(instance))

    def identity_key_from_row(self, row: Any, identity_token: Any = None, adapter: Any = None) -> tuple[Any, ...]:
        """The key of the identity map for a row that has the primary key's columns."""
        mapping = getattr(row, "_mapping", row)
        values = [mapping[column] if column in mapping else mapping[column.name] for column in self.primary_key]
        return self.identity_key_from_primary_key(values, identity_token)

    # -- hierarchy: there is none yet

    @property
    def mapper(self) -> Mapper:
        """This mapper."""
        return self

    @property
    def base_mapper(self) -> Mapper:
        """The root of the inheritance hierarchy: this mapper."""
        return self

    @property
    def self_and_descendants(self) -> frozenset[Mapper]:
        """This mapper and those that inherit from it."""
        return frozenset((self,))

    @property
    def polymorphic_map(self) -> dict[Any, Mapper]:
        """Mappers by polymorphic identity."""
        return {}

    def polymorphic_iterator(self) -> Iterator[Mapper]:
        """This mapper and those that inherit from it."""
        return iter((self,))

    def iterate_to_root(self) -> Iterator[Mapper]:
        """This mapper and those that it inherits from."""
        return iter((self,))

    def isa(self, other: Any) -> bool:
        """Whether this mapper inherits from another."""
        return self is other

    def common_parent(self, other: Any) -> bool:
        """Whether both mappers inherit from one."""
        return self is other

    def is_sibling(self, other: Any) -> bool:
        return False

    def cascade_iterator(self, type_: str, state: Any, halt_on: Any = None) -> Iterator[tuple[Any, ...]]:
        """Objects that a cascade reaches from one, along loaded relationships.

        Yields tuples of object, mapper, state and the state's dictionary.
        """
        seen = {id(state.obj())}
        waiting = [state.obj()]
        while waiting:
            parent = waiting.pop()
            for prop in _engine._mapper_of(type(parent)).relationships:
                if type_ not in prop.cascade:
                    continue
                value = _engine._peek(parent, prop.key)
                for item in _engine._collection_items(value) if prop.uselist else (value,):
                    if item is None or id(item) in seen or (halt_on is not None and halt_on(_engine._state_of(item))):
                        continue
                    seen.add(id(item))
                    waiting.append(item)
                    inner = _engine._state_of(item)
                    yield item, inner.mapper, inner, inner.dict

    def __str__(self) -> str:
        return f"Mapper[{self._name}({self.local_table.name})]"

    def __repr__(self) -> str:
        return f"<Mapper at 0x{id(self):x}; {self._name}>"


def class_mapper(class_: Any, configure: bool = True) -> Mapper:
    """The mapper of a mapped class, or of a Mapper.

    Raises UnmappedClassError for a class that is not mapped, ArgumentError for what is no class.
    """
    from .exc import UnmappedClassError

    mapper: Mapper | None = _engine._mapper_of(class_)
    if mapper is None:
        if not isinstance(class_, type):
            raise exc.ArgumentError(f"Class object expected, got '{class_!r}'.")
        raise UnmappedClassError(class_)
    if configure:
        mapper.registry.configure()
    return mapper


def object_mapper(instance: Any) -> Mapper:
    """The mapper of an object. Raises UnmappedInstanceError when its class is not mapped."""
    mapper: Mapper = _engine._state_of(instance).mapper
    return mapper


def identity_key(
    class_: Any = None, ident: Any = None, *, instance: Any = None, row: Any = None, identity_token: Any = None
) -> tuple[Any, ...]:
    """The key that the identity map has for a primary key, a row or an object.

    Example::

        identity_key(User, 5)            # (User, (5,), None)
        identity_key(instance=user)
    """
    if class_ is not None:
        mapper = class_mapper(class_)
        if row is None:
            if ident is None:
                raise exc.ArgumentError("ident or row is required")
            return mapper.identity_key_from_primary_key(ident, identity_token)
        return mapper.identity_key_from_row(row, identity_token)
    if instance is None:
        raise exc.ArgumentError("class or instance is required")
    return object_mapper(instance).identity_key_from_instance(instance)
