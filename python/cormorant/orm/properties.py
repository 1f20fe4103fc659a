"""What stands behind a mapped column: mapped_column() before, ColumnProperty after the class is made."""

from __future__ import annotations

from .. import _engine, exc
from ..schema import Column

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ABSENT: Any = object()


class MapperProperty:
    """The base of what is mapped under an attribute's name."""

    is_property = True
    is_relationship = False
    key: str
    parent: Any

    @property
    def class_attribute(self) -> Any:
        """The class' attribute of this property."""
        return getattr(self.parent.class_, self.key)

    def __str__(self) -> str:
        return f"{self.parent.class_.__name__}.{self.key}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at 0x{id(self):x}; {getattr(self, 'key', 'no key')}>"


class ColumnProperty(MapperProperty):
    """A column of a table, mapped to an attribute."""

    strategy_key = (("deferred", False), ("instrument", True))

    def __init__(self, column: Any, deferred: bool = False, active_history: bool = False, info: Any = None):
        self.columns = [column]
        self.deferred = deferred
        self.active_history = active_history
        if info is not None:
            self.info = info

    @property
    def expression(self) -> Any:
        """The column."""
        return self.columns[0]

    @property
    def info(self) -> Any:
        """A dictionary of the user's own."""
        return self.columns[0].info

    @info.setter
    def info(self, value: Any) -> None:
        self.columns[0].info = value

    @property
    def doc(self) -> Any:
        """The documentation of the attribute."""
        return getattr(self.columns[0], "doc", None)


MappedSQLExpression = ColumnProperty


class SynonymProperty(MapperProperty):
    """Another name of an attribute: made by synonym()."""

    is_attribute = True

    def __init__(self, name: str, info: Any = None, doc: str | None = None):
        self.name = name
        self.info = info if info is not None else {}
        self.doc = self.__doc__ = doc

    def __get__(self, instance: Any, owner: Any) -> Any:
        return getattr(owner if instance is None else instance, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        setattr(instance, self.name, value)

    def __delete__(self, instance: Any) -> None:
        delattr(instance, self.name)


Synonym = SynonymProperty


def synonym(name: str, *, info: Any = None, doc: str | None = None, **unsupported: Any) -> Any:
    """Another name of an attribute of the class.

    :param name: the attribute's name.

    Example::

        id = Column("job_id", Integer, primary_key=True)
        job_id = synonym("id")
    """
    for option, value in unsupported.items():
        if value is not None:
            raise exc.ArgumentError(f"synonym({option}=...) is not supported yet")
    return SynonymProperty(name, info, doc)


class MappedColumn:
    """What mapped_column() gives: a column whose name, type and nullability the class may still fill in."""

    _has_nullable = False

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], options: dict[str, Any]):
        self._args = args
        self._kwargs = kwargs
        self._options = options
        self._column: Any = None

    # -- what the annotation and the class say

    @property
    def column(self) -> Any:
        """The Column: made now if it was not yet."""
        if self._column is None:
            self._column = Column(*self._args, **self._kwargs)
        return self._column

    @property
    def name(self) -> Any:
        return self.column.name

    @property
    def _given_name(self) -> str | None:
        name = self._kwargs.get("name")
        return self._args[0] if name is None and self._args and isinstance(self._args[0], str) else name

    @property
    def _has_type(self) -> bool:
        if "type_" in self._kwargs:
            return self._kwargs["type_"] is not None
        for arg in self._args[:2]:
            if isinstance(arg, _engine.TypeEngine) or (
                isinstance(arg, type) and issubclass(arg, _engine.TypeEngine)
            ):
                return True
        return False

    @property
    def _has_foreign_key(self) -> bool:
        from ..schema import ForeignKey

        return any(isinstance(arg, ForeignKey) for arg in self._args)

    def _merged(self, template: MappedColumn) -> MappedColumn:
        """This one's arguments over those of a template (of an Annotated type)."""
        kwargs = {**template._kwargs, **self._kwargs}
        options = {**template._options, **self._options}
        args = list(self._args)
        names = [arg for arg in args[:1] if isinstance(arg, str)]
        rest = [_fresh(arg) for arg in template._args if not isinstance(arg, str)]
        if self._has_type:
            rest = [arg for arg in rest if not _is_type(arg)]
            kwargs.pop("type_", None) if "type_" not in self._kwargs else None
        if self._has_foreign_key:
            rest = [arg for arg in rest if type(arg).__name__ != "ForeignKey"]
        own = [arg for arg in args if not isinstance(arg, str)]
        types = [arg for arg in (*own, *rest) if _is_type(arg)]
        others = [arg for arg in (*own, *rest) if not _is_type(arg)]
        if not names and template._args and isinstance(template._args[0], str):
            names = [template._args[0]]
        return MappedColumn((*names, *types, *others), kwargs, options)

    def _copy(self) -> MappedColumn:
        """For another class that has it from a mixin."""
        made = MappedColumn(tuple(_fresh(arg) for arg in self._args), dict(self._kwargs), dict(self._options))
        return made

    def _finish(self, key: str, type_: Any, nullable: bool | None) -> Any:
        """The Column, named and typed."""
        if self._column is None:
            kwargs = self._kwargs
            if nullable is not None and "nullable" not in kwargs and not kwargs.get("primary_key"):
                kwargs = {**kwargs, "nullable": nullable}
            args = self._args
            if self._given_name is None:
                kwargs = {**kwargs, "name": key}
            if type_ is not None and not self._has_type:
                kwargs = {**kwargs, "type_": type_}
            self._column = Column(*args, **kwargs)
            return self._column
        column = self._column
        if column.name is None:
            column.name = key
            if column.key is None:
                column.key = key
        if type_ is not None and not self._has_type:
            column.type = type_() if isinstance(type_, type) else type_
        if nullable is not None and "nullable" not in self._kwargs and not self._kwargs.get("primary_key"):
            column.nullable = nullable
        return column

    # -- as an expression, in the class' body

    def __clause_element__(self) -> Any:
        return self.column

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.column, name)

    def __eq__(self, other: Any) -> Any:
        return self.column == _plain(other)

    def __ne__(self, other: Any) -> Any:
        return self.column != _plain(other)

    def __lt__(self, other: Any) -> Any:
        return self.column < _plain(other)

    def __le__(self, other: Any) -> Any:
        return self.column <= _plain(other)

    def __gt__(self, other: Any) -> Any:
        return self.column > _plain(other)

    def __ge__(self, other: Any) -> Any:
        return self.column >= _plain(other)

    def __add__(self, other: Any) -> Any:
        return self.column + _plain(other)

    def __radd__(self, other: Any) -> Any:
        return other + self.column

    def __sub__(self, other: Any) -> Any:
        return self.column - _plain(other)

    def __mul__(self, other: Any) -> Any:
        return self.column * _plain(other)

    def __truediv__(self, other: Any) -> Any:
        return self.column / _plain(other)

    def __mod__(self, other: Any) -> Any:
        return self.column % _plain(other)

    def __invert__(self) -> Any:
        return ~self.column

    def __neg__(self) -> Any:
        return -self.column

    __hash__ = object.__hash__


def deferred(column: Any, *additional: Any, **kwargs: Any) -> Any:
    """A column that is loaded when it is first read.

    Example::

        text = deferred(Column(Text))
    """
    if isinstance(column, MappedColumn):
        return MappedColumn(column._args, column._kwargs, {**column._options, "deferred": True})
    if not isinstance(column, Column):
        raise exc.ArgumentError("deferred() of an SQL expression is not supported yet: give it a Column")
    return ColumnProperty(column, deferred=True, active_history=bool(kwargs.get("active_history")))


def _plain(value: Any) -> Any:
    return value.column if isinstance(value, MappedColumn) else value


def _is_type(arg: Any) -> bool:
    return isinstance(arg, _engine.TypeEngine) or (isinstance(arg, type) and issubclass(arg, _engine.TypeEngine))


def _fresh(arg: Any) -> Any:
    """Of an argument that one column only can have (a ForeignKey, a constraint): a copy."""
    copy = getattr(arg, "_copy", None)
    return arg if copy is None or _is_type(arg) else copy()


def mapped_column(
    __name_pos: Any = None,
    __type_pos: Any = None,
    *args: Any,
    init: Any = _ABSENT,
    repr: Any = _ABSENT,
    default: Any = _ABSENT,
    default_factory: Any = _ABSENT,
    compare: Any = _ABSENT,
    kw_only: Any = _ABSENT,
    hash: Any = _ABSENT,
    dataclass_metadata: Any = _ABSENT,
    insert_default: Any = _ABSENT,
    nullable: Any = _ABSENT,
    primary_key: bool | None = None,
    deferred: bool = False,
    deferred_group: str | None = None,
    deferred_raiseload: bool | None = None,
    use_existing_column: bool = False,
    active_history: bool = False,
    sort_order: int = 0,
    **kwargs: Any,
) -> Any:
    """Declare a column in a class; what it does not say, the annotation says.

    :param args: optionally a name and a type, then ForeignKey and other items of a Column.
    :param nullable: whether NULL is allowed; by default what ``Optional`` in the annotation says.
    :param insert_default: as ``default`` of a Column.
    :param deferred: load the column when it is first read.
    :param active_history: load the former value before it is replaced.
    :param sort_order: columns with a lower number come first in the table.

    Example::

        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str | None] = mapped_column(String(50))
    """
    for name, value in (("init", init), ("default_factory", default_factory), ("kw_only", kw_only)):
        if value is not _ABSENT:
            raise exc.ArgumentError(
                f"Attribute argument '{name}' is for mapped dataclasses, which are not supported yet"
            )
    if deferred_raiseload:
        raise exc.ArgumentError("mapped_column(deferred_raiseload=True) is not supported yet")
    options: dict[str, Any] = {}
    if deferred or deferred_group is not None:
        options["deferred"] = True
    if active_history:
        options["active_history"] = True
    if sort_order:
        options["sort_order"] = sort_order
    if primary_key is not None:
        kwargs["primary_key"] = primary_key
    if nullable is not _ABSENT:
        kwargs["nullable"] = nullable
    if insert_default is not _ABSENT:
        kwargs["default"] = insert_default
    elif default is not _ABSENT:
        kwargs["default"] = default
    given = [arg for arg in (__name_pos, __type_pos) if arg is not None]
    return MappedColumn((*given, *args), kwargs, options)
