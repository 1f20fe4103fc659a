"""What stands in a Column or Table beside constraints: defaults, sequences, computed columns."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class SchemaItem:
    """What a Table or a Column can be given."""

    __visit_name__ = "schema_item"

    @property
    def info(self) -> dict[Any, Any]:
        """A dictionary of one's own."""
        info: dict[Any, Any] = self.__dict__.setdefault("_info", {})
        return info

    @info.setter
    def info(self, value: dict[Any, Any]) -> None:
        self.__dict__["_info"] = value

    def _attach(self, table: Any) -> None:
        raise exc.ArgumentError(f"{type(self).__name__} belongs into a Column, not into a Table")

    def _attach_column(self, column: Any) -> None:
        raise exc.ArgumentError(f"{type(self).__name__} belongs into a Table, not into a Column")

    def _copy(self, **kw: Any) -> Any:
        return self


class HasConditionalDDL:
    """What DDL may be made for."""

    __slots__ = ()


# -- defaults in Python


class DefaultGenerator(SchemaItem):
    """What gives a value that a statement lacks."""

    for_update = False
    column: Any = None
    is_sequence = False
    is_server_default = False
    is_clause_element = False
    is_callable = False
    is_scalar = False
    has_arg = False

    def _attach_column(self, column: Any) -> None:
        self.column = column
        setattr(column, "onupdate" if self.for_update else "default", self)


class ColumnDefault(DefaultGenerator):
    """A default of a column: a value, a callable, or an SQL expression.

    :param arg: which.
    :param for_update: of UPDATE, not of INSERT.
    """

    arg: Any
    has_arg = True

    def __new__(cls, arg: Any = None, for_update: bool = False) -> Any:
        if cls is not ColumnDefault:
            return super().__new__(cls)
        if isinstance(arg, FetchedValue):
            raise exc.ArgumentError("ColumnDefault may not be a server-side default type.")
        if _is_expression(arg):
            return super().__new__(ColumnElementColumnDefault)
        return super().__new__(CallableColumnDefault if callable(arg) else ScalarElementColumnDefault)

    def __init__(self, arg: Any = None, for_update: bool = False) -> None:
        self.arg = arg
        self.for_update = for_update

    def _copy(self, **kw: Any) -> ColumnDefault:
        return ColumnDefault(self._original(), self.for_update)

    def _original(self) -> Any:
        return self.arg

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._original()!r})"


class ScalarElementColumnDefault(ColumnDefault):
    """A value."""

    is_scalar = True

    def _attach_column(self, column: Any) -> None:
        super()._attach_column(column)
        column._set_default(self.for_update, "value", self.arg)


class ColumnElementColumnDefault(ColumnDefault):
    """An SQL expression."""

    is_clause_element = True

    def _attach_column(self, column: Any) -> None:
        super()._attach_column(column)
        column._set_default(self.for_update, "expression", self.arg)


class CallableColumnDefault(ColumnDefault):
    """A callable, which is given the context of the execution or nothing."""

    is_callable = True

    def __init__(self, arg: Any = None, for_update: bool = False) -> None:
        super().__init__(_engine.DefaultCallable(arg, takes_context(arg)), for_update)

    def _original(self) -> Any:
        return self.arg.function

    def _attach_column(self, column: Any) -> None:
        super()._attach_column(column)
        column._set_default(self.for_update, "callable", self.arg)


def _is_expression(arg: Any) -> bool:
    if isinstance(arg, _engine.ClauseElement):
        return True
    return not isinstance(arg, type) and hasattr(arg, "__clause_element__")


def takes_context(function: Any) -> bool:
    """Whether a default wants the context: it has one argument that must be given.

    Raises ArgumentError when it wants more.
    """
    bound = 0
    code = getattr(function, "__code__", None)
    defaults = getattr(function, "__defaults__", None)
    if code is None:
        inner = getattr(function, "__func__", None)
        if inner is None and isinstance(function, type):
            inner = function.__dict__.get("__init__")
        elif inner is None:
            inner = getattr(type(function).__call__, "__wrapped__", type(function).__call__)
        code = getattr(inner, "__code__", None)
        defaults = getattr(inner, "__defaults__", None)
        bound = 1
    if code is None:
        return False
    required = code.co_argcount - bound - len(defaults or ())
    if required > 1:
        raise exc.ArgumentError("ColumnDefault Python function takes zero or one positional arguments")
    return bool(required == 1)


def default_of(value: Any, for_update: bool) -> DefaultGenerator:
    """The default that an argument of Column means."""
    if isinstance(value, DefaultGenerator):
        value.for_update = for_update
        return value
    return ColumnDefault(value, for_update)


class Sequence(DefaultGenerator):
    """A sequence of numbers of the database; SQLite has none and numbers rows by itself.

    :param name: its name.
    """

    is_sequence = True

    def __init__(
        self, name: str, start: Optional[int] = None, increment: Optional[int] = None, minvalue: Optional[int] = None,
        maxvalue: Optional[int] = None, nominvalue: Optional[bool] = None, nomaxvalue: Optional[bool] = None,
        cycle: Optional[bool] = None, schema: Any = None, cache: Optional[int] = None, order: Optional[bool] = None,
        data_type: Any = None, optional: bool = False, quote: Optional[bool] = None, metadata: Any = None,
        quote_schema: Optional[bool] = None, for_update: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.start, self.increment = start, increment
        self.minvalue, self.maxvalue = minvalue, maxvalue
        self.nominvalue, self.nomaxvalue = nominvalue, nomaxvalue
        self.cycle, self.cache, self.order = cycle, cache, order
        self.schema = schema
        self.data_type = data_type
        self.optional = optional
        self.metadata = metadata
        self.for_update = for_update

    def __repr__(self) -> str:
        parts = [repr(self.name)]
        for name in ("start", "increment", "schema"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"Sequence({', '.join(parts)})"


# -- defaults in the database


class FetchedValue(SchemaItem):
    """The database gives a value by itself, in a way of its own.

    :param for_update: of UPDATE, not of INSERT.
    """

    is_server_default = True
    reflected = False
    has_argument = False
    is_clause_element = False
    is_identity = False
    column: Any = None

    def __init__(self, for_update: bool = False) -> None:
        self.for_update = for_update

    def _for(self, for_update: bool) -> FetchedValue:
        self.for_update = for_update
        return self

    def _copy(self, **kw: Any) -> FetchedValue:
        return FetchedValue(self.for_update)

    def _attach_column(self, column: Any) -> None:
        self.column = column
        if self.for_update:
            column.server_onupdate = self
        else:
            column.server_default = self

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class DefaultClause(FetchedValue):
    """DEFAULT of a column.

    :param arg: a text or an SQL expression.
    """

    has_argument = True
    _numbers = False  # the database's own way to number rows, which a table that is made again has by itself

    def __init__(self, arg: Any, for_update: bool = False, _reflected: bool = False) -> None:
        if not isinstance(arg, str) and not _is_expression(arg):
            raise exc.ArgumentError(
                f"Argument 'arg' is expected to be one of type '<class 'str'>' or "
                f"'<class 'sqlalchemy.sql.elements.ClauseElement'>' or '<class 'sqlalchemy.sql.elements.TextClause'>', "
                f"got '{type(arg)}'"
            )
        super().__init__(for_update)
        self.arg = arg
        self.reflected = _reflected

    def _copy(self, **kw: Any) -> DefaultClause:
        made = DefaultClause(self.arg, self.for_update, self.reflected)
        made._numbers = self._numbers
        return made

    def _attach_column(self, column: Any) -> None:
        super()._attach_column(column)
        if not self.for_update and not self._numbers:
            column._set_server_default(self.arg)

    def __repr__(self) -> str:
        return f"DefaultClause({self.arg!r}, for_update={self.for_update!r})"


class Computed(FetchedValue):
    """GENERATED ALWAYS AS: the database computes the column.

    :param sqltext: the expression.
    :param persisted: stored, not computed when read.
    """

    def __init__(self, sqltext: Any, persisted: Optional[bool] = None) -> None:
        super().__init__()
        self.sqltext = _engine.text(sqltext) if isinstance(sqltext, str) else sqltext
        self.persisted = persisted

    def _copy(self, **kw: Any) -> Computed:
        return Computed(self.sqltext, self.persisted)

    def _attach_column(self, column: Any) -> None:
        if column.server_default is not None:
            raise exc.ArgumentError(
                "A generated column cannot specify a server_default or a server_onupdate argument"
            )
        self.column = column
        column.computed = self
        column.server_default = self
        column._set_computed(self.sqltext, bool(self.persisted))

    def __repr__(self) -> str:
        return f"Computed({self.sqltext!r})"


class Identity(FetchedValue):
    """GENERATED AS IDENTITY, where the database has it; SQLite numbers rows by itself."""

    is_identity = True

    def __init__(self, always: Optional[bool] = False, on_null: Optional[bool] = None, **kw: Any) -> None:
        super().__init__()
        self.always = always
        self.on_null = on_null
        self.options = kw

    def _copy(self, **kw: Any) -> Identity:
        return Identity(self.always, self.on_null, **self.options)

    def _attach_column(self, column: Any) -> None:
        self.column = column
        column.identity = self
        column.autoincrement = True
        if not column._nullable_given:
            column.nullable = False

    def __repr__(self) -> str:
        return f"Identity(always={self.always!r})"
