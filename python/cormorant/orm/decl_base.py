"""From a class body to a mapped class: its own attributes, those of mixins, annotations, table and mapper."""

from __future__ import annotations

from .. import _engine, exc
from ..schema import Column, Table
from . import annotations as reading
from .exc import MappedAnnotationError
from .mapper import Mapper
from .properties import ColumnProperty, MappedColumn, MapperProperty, SynonymProperty
from .relationships import RelationshipProperty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SKIPPED = frozenset((
    "metadata", "registry", "type_annotation_map", "__tablename__", "__table__", "__table_args__", "__mapper_args__",
    "__abstract__", "__allow_unmapped__", "__module__", "__qualname__", "__doc__", "__dict__", "__weakref__",
    "__annotations__", "__init__", "__slots__", "__mapper__", "__sa_dataclass_metadata_key__",
))  # fmt: skip

_MAPPER_ARGS = frozenset((
    "eager_defaults", "confirm_deleted_rows", "batch", "passive_updates", "exclude_properties", "include_properties",
    "properties", "column_prefix", "primary_key", "always_refresh", "allow_partial_pks", "legacy_is_orphan",
))  # fmt: skip

# Values of declared_attr while their class is being mapped: each is made once.
_declaring: dict[type, dict[int, Any]] = {}


class Declaration:
    """One class on its way to be mapped."""

    def __init__(self, registry: Any, cls: type, own: tuple[type, ...]):
        self.registry = registry
        self.cls = cls
        self.own = own  # the class itself, and what a decorator was given
        self.columns: dict[str, Any] = {}
        self.order: dict[str, int] = {}
        self.options: dict[str, dict[str, Any]] = {}
        self.relationships: dict[str, RelationshipProperty] = {}
        self.synonyms: dict[str, SynonymProperty] = {}
        self.tablename = self.table = self.table_args = None
        self.mapper_args: dict[str, Any] = {}

    # -- scanning

    def scan(self) -> None:
        cls = self.cls
        for base in cls.__mro__[1:]:
            if "__mapper__" in base.__dict__ and base not in self.own:
                raise exc.InvalidRequestError(
                    f"Class {cls!r} derives from the mapped class {base!r}: inheritance between mapped classes is not "
                    "supported yet; share columns through a mixin or an abstract base class"
                )
        self.table = self._special("__table__")
        self.tablename = self._special("__tablename__")
        self.table_args = self._special("__table_args__")
        self.mapper_args = dict(self._special("__mapper_args__") or {})
        taken: set[str] = set()
        for base in cls.__mro__:
            if base in (object, _engine.Instance) or base.__module__.startswith("cormorant."):
                continue
            self._scan_base(base, taken)

    def _special(self, name: str) -> Any:
        if name == "__table__" and not any(name in base.__dict__ for base in self.cls.__mro__):
            return None
        value = getattr(self.cls, name, None)
        if callable(value) and not isinstance(value, (type, str, dict, tuple, _engine.ClauseElement)):
            raise exc.ArgumentError(
                f"{name} of class {self.cls.__name__} is a method: put @declared_attr.directive above it"
            )
        return value

    def _scan_base(self, base: type, taken: set[str]) -> None:
        mine = base in self.own
        annotations = base.__dict__.get("__annotations__", {})
        names = _merge(list(base.__dict__), list(annotations))
        if not mine:  # a mixin's columns come before what its methods give
            names.sort(key=lambda name: isinstance(base.__dict__.get(name), _declared_attr()))
        for name in names:
            if name in taken or (name in _SKIPPED and not (mine and self._is_column_metadata(base, name))):
                continue
            given = base.__dict__.get(name, _MISSING)
            self._take(base, name, given, annotations.get(name, _MISSING), mine)
            taken.add(name)

    @staticmethod
    def _is_column_metadata(base: type, name: str) -> bool:
        if name != "metadata" or not _is_declared(base.__dict__.get(name)):
            return False
        from warnings import warn

        warn(
            "Attribute name 'metadata' should be left reserved for the MetaData instance when using a Declarative "
            "class.",
            exc.SAWarning,
            stacklevel=7,
        )
        return True

    def _take(self, base: type, name: str, value: Any, annotation: Any, mine: bool) -> None:
        if isinstance(value, _declared_attr()):
            if value._directive or (not value._cascading and name.startswith("__")):
                return
            made = value.__get__(None, self.cls)
            returned = value._fget_annotation()
            if _is_declared(made):
                self._put(name, made, returned, base, copy=False)
            return
        declared = value is not _MISSING and _is_declared(value)
        if annotation is not _MISSING:
            read = reading.resolve(annotation, base)
            if reading.is_mapped(read):
                if declared or value is _MISSING or value is None:
                    self._put(name, value if declared else MappedColumn((), {}, {}), read, base, copy=not mine)
                return
            if declared or (value is _MISSING and mine):
                self._refuse_unmapped(name, read, value)
        if declared:
            if not mine and isinstance(value, RelationshipProperty):
                raise exc.InvalidRequestError(
                    "Mapper properties (i.e. deferred,column_property(), relationship(), etc.) must be declared as "
                    "@declared_attr callables on declarative mixin classes. For dataclass field() objects, use a "
                    "lambda:"
                )
            self._put(name, value, _MISSING, base, copy=not mine)

    def _refuse_unmapped(self, name: str, read: Any, value: Any) -> None:
        if (
            reading.is_class_var(read)
            or getattr(self.cls, "__allow_unmapped__", False)
            or isinstance(value, Column)
            or name.startswith("__")
        ):
            return
        raise MappedAnnotationError(
            f"Type annotation for \"{self.cls.__name__}.{name}\" can't be correctly interpreted for Annotated "
            "Declarative Table form.  ORM annotations should normally make use of the ``Mapped[]`` generic type, or "
            "other ORM-compatible generic type, as a container for the actual type, which indicates the intent that "
            "the attribute is mapped. Class variables that are not intended to be mapped by the ORM should use "
            "ClassVar[].  To allow Annotated Declarative to disregard legacy annotations which don't use Mapped[] to "
            "pass, set \"__allow_unmapped__ = True\" on the class or a superclass this class."
        )

    def _put(self, name: str, value: Any, annotation: Any, base: type, copy: bool) -> None:
        """One attribute: a column, a relationship, or another name of one."""
        if isinstance(value, SynonymProperty):
            self.synonyms[name] = SynonymProperty(value.name, value.info, value.doc) if copy else value
            return
        if isinstance(value, RelationshipProperty):
            if copy:
                value = value._copy()
            if annotation is not _MISSING and reading.is_mapped(annotation):
                value._infer(*reading.read_relationship(reading.inside(annotation, base), base))
            elif value.argument is None:
                raise exc.ArgumentError(
                    f"Python typing annotation is required for attribute \"{self.cls.__name__}.{name}\" when primary "
                    "argument(s) for \"Relationship\" construct are None or not present"
                )
            self.relationships[name] = value
            return
        options: dict[str, Any] = {}
        if isinstance(value, ColumnProperty):
            options = {"deferred": value.deferred, "active_history": value.active_history}
            value = value.columns[0]
        if isinstance(value, MappedColumn):
            column, options = self._column_of(name, value, annotation, base, copy)
        else:
            column = value._copy() if copy and value.table is None else value
            if column.name is None:
                column.name = name
            if column.key is None:
                column.key = name
        self.columns[name] = column
        self.order[name] = options.pop("sort_order", 0)
        self.options[name] = options

    def _column_of(self, name: str, value: MappedColumn, annotation: Any, base: type, copy: bool) -> tuple[Any, Any]:
        type_ = nullable = None
        if copy:
            value = value._copy()
        if annotation is not _MISSING and reading.is_mapped(annotation):
            given = reading.inside(annotation, base)
            if given is not None:
                read = reading.Reading(given, base)
                for template in read.templates:
                    value = value._merged(template)
                nullable = read.optional
                if not value._has_type and not (value._has_foreign_key and isinstance(read.type, reading.Late)):
                    type_ = self._sql_type(name, read)
        elif not value._has_type and not value._has_foreign_key and not value._kwargs.get("_computed"):
            if not any(type(arg).__name__ in ("Computed", "Identity", "Sequence") for arg in value._args):
                raise exc.ArgumentError(
                    f"Python typing annotation is required for attribute \"{self.cls.__name__}.{name}\" when primary "
                    "argument(s) for \"MappedColumn\" construct are None or not present"
                )
        return value._finish(name, type_, nullable), dict(value._options)

    def _sql_type(self, name: str, read: reading.Reading) -> Any:
        from .typemap import sql_type

        found = sql_type(self.registry, read)
        if found is None:
            kind = read.type.__name__ if isinstance(read.type, reading.Late) else read.type
            raise MappedAnnotationError(
                f"Could not locate SQLAlchemy Core type when resolving for Python type indicated by '{kind}' inside "
                f"the Mapped[] annotation for the '{name}' attribute; the type object is not resolvable by the registry"
            )
        return found

    # -- the table

    def make_table(self) -> Any:
        if self.table is not None:
            return self.table
        if self.tablename is None:
            raise exc.InvalidRequestError(
                f"Class {self.cls!r} does not have a __table__ or __tablename__ specified and does not inherit from an "
                "existing table-mapped class."
            )
        args: tuple[Any, ...] = ()
        options: dict[str, Any] = {}
        given = self.table_args
        if isinstance(given, dict):
            options = given
        elif isinstance(given, tuple):
            args, options = (given[:-1], given[-1]) if given and isinstance(given[-1], dict) else (given, {})
        elif given is not None:
            raise exc.ArgumentError("__table_args__ value must be a tuple, dict, or None")
        names = list(self.columns)
        names.sort(key=lambda name: self.order.get(name, 0))
        columns = []
        for name in names:
            if all(self.columns[name] is not column for column in columns):
                columns.append(self.columns[name])
        make = getattr(self.cls, "__table_cls__", Table)
        found = [base.__dict__["metadata"] for base in self.cls.__mro__ if "metadata" in base.__dict__]
        metadata = next((value for value in found if not _is_declared(value)), None)
        self.table = make(
            self.tablename, metadata if metadata is not None else self.registry.metadata, *columns,
            *(_plain(arg) for arg in args), **options,
        )  # fmt: skip
        return self.table

    # -- the mapper

    def map(self) -> Mapper:
        cls = self.cls
        unknown = [name for name in self.mapper_args if name not in _MAPPER_ARGS]
        if unknown:
            raise exc.ArgumentError(
                f"__mapper_args__ of class {cls.__name__}: {', '.join(map(repr, unknown))} is not supported yet"
            )
        table = self.make_table()
        if not list(getattr(table.primary_key, "columns", table.primary_key)):
            raise exc.ArgumentError(
                f"Mapper Mapper[{cls.__name__}({table.name})] could not assemble any primary key columns for mapped "
                f"table '{table.name}'"
            )
        type.__setattr__(cls, "__table__", table)
        mapper = Mapper(self.registry, cls, table)
        for name in ("confirm_deleted_rows", "eager_defaults", "always_refresh"):
            if name in self.mapper_args:
                setattr(mapper, name, self.mapper_args[name])
        mapper._set_eager_defaults(mapper.eager_defaults)
        for key, column in self._named_columns(table):
            self._map_column(mapper, key, column)
        properties = self.mapper_args.get("properties") or {}
        for key, prop in {**properties, **self.relationships, **self.synonyms}.items():
            add_attribute(cls, key, prop)
        _attach_methods(mapper)
        self.registry._register(cls)
        _engine._class_mapped(mapper)
        return mapper

    def _named_columns(self, table: Any) -> list[tuple[str, Any]]:
        names = {id(_of_table(table, column)): key for key, column in self.columns.items()}
        prefix = self.mapper_args.get("column_prefix") or ""
        only = self.mapper_args.get("include_properties")
        without = self.mapper_args.get("exclude_properties") or ()
        found = []
        for column in table.c:
            key = names.get(id(column))
            if key is None:
                key = prefix + column.key
                if (only is not None and key not in only) or key in without:
                    continue
            found.append((key, column))
        return found

    def _map_column(self, mapper: Mapper, key: str, column: Any) -> None:
        options = self.options.get(key, {})
        map_column(mapper, key, column, **options)


def _of_table(table: Any, column: Any) -> Any:
    """The table's column that a column given to it became."""
    if getattr(column, "table", None) is table:
        return column
    return table.c.get(column.key, column) if hasattr(table.c, "get") else column


_MISSING: Any = object()


def _merge(values: list[str], annotated: list[str]) -> list[str]:
    """Both lists of names in one, each in its own order: at a name that both have, one waits for the other."""
    merged: dict[str, None] = {}
    both = set(values) & set(annotated)
    waited: set[str] = set()
    present, other = list(reversed(values)), list(reversed(annotated))
    while present or other:
        if not present or (present[-1] in both and present[-1] not in waited and other):
            if present:
                waited.add(present[-1])
            present, other = other, present
            continue
        merged[present.pop()] = None
    return list(merged)


def _declared_attr() -> type[Any]:
    from .decl_api import declared_attr

    return declared_attr


def _is_declared(value: Any) -> bool:
    return isinstance(value, (Column, MappedColumn, MapperProperty))


def _plain(arg: Any) -> Any:
    return arg.column if isinstance(arg, MappedColumn) else arg


def map_column(
    mapper: Mapper, key: str, column: Any, deferred: bool = False, active_history: bool = False
) -> ColumnProperty:
    """Map one column of the table to an attribute."""
    prop = ColumnProperty(column, deferred, active_history)
    prop.key = key
    prop.parent = mapper
    mapper._map_column(key, column, prop, deferred, active_history)
    return prop


def _attach_methods(mapper: Mapper) -> None:
    """Validators and reconstructors among the class' methods."""
    seen: set[str] = set()
    for base in mapper.class_.__mro__:
        if base is object or base is _engine.Instance:
            continue
        for name, value in base.__dict__.items():
            if name in seen or not callable(value):
                continue
            seen.add(name)
            names = getattr(value, "__sa_validators__", None)
            if names is not None:
                for key in names:
                    mapper.__dict__.setdefault("_validators", {})[key] = (value, value.__sa_validation_opts__)
                    if mapper.has_property(key):
                        attach_validator(mapper, key)
            if getattr(value, "__sa_reconstructor__", False):
                mapper._add_reconstructor(value)


def attach_validator(mapper: Mapper, key: str) -> None:
    """Have the validator of an attribute called, if there is one."""
    found = mapper.__dict__.get("_validators", {}).get(key)
    if found is not None:
        function, options = found
        _engine._attribute_validate(
            mapper._descriptor(key), function, options["include_removes"], options["include_backrefs"]
        )


def add_attribute(cls: Any, key: str, value: Any) -> None:
    """Map one more attribute of a class that is mapped already: ``User.addresses = relationship(...)``."""
    mapper = cls.__dict__["__mapper__"]
    if isinstance(value, RelationshipProperty):
        value.key = key
        value.parent = mapper
        if value.argument is None and not value._inferred:
            raise exc.ArgumentError(
                f"Python typing annotation is required for attribute \"{cls.__name__}.{key}\" when primary argument(s) "
                "for \"Relationship\" construct are None or not present"
            )
        mapper._map_relationship(key, value)
        attach_validator(mapper, key)
        return
    if isinstance(value, SynonymProperty):
        value.key = key
        value.parent = mapper
        mapper.__dict__.setdefault("_synonyms", {})[key] = value
        type.__setattr__(cls, key, value)
        return
    options: dict[str, Any] = {}
    if isinstance(value, MappedColumn):
        options = {name: option for name, option in value._options.items() if name != "sort_order"}
        value = value._finish(key, None, None)
    elif isinstance(value, ColumnProperty):
        options = {"deferred": value.deferred, "active_history": value.active_history}
        value = value.columns[0]
    if isinstance(value, Column):
        if value.name is None:
            value.name = key
        if value.key is None:
            value.key = key
        table = mapper.local_table
        if value.table is None:
            table.append_column(value, replace_existing=True)
        map_column(mapper, key, value, **options)
        attach_validator(mapper, key)
        return
    type.__setattr__(cls, key, value)


def map_class(registry: Any, cls: type, *extra: type) -> Mapper:
    """Map a class whose body declares a table and attributes."""
    declaration = Declaration(registry, cls, (cls, *extra))
    _declaring[cls] = {}
    try:
        declaration.scan()
        return declaration.map()
    finally:
        del _declaring[cls]
