"""What stands in a Column or Table beside constraints: defaults, sequences, computed columns."""

from __future__ import annotations

from . import _engine, exc
from ._schema_ddl import Creatable

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


def numbering(options: Any, no: str = "NO ") -> str:
    """The words of CREATE SEQUENCE, and of AS IDENTITY, for the options given."""
    words = []
    for name, word in (
        ("increment", "INCREMENT BY"), ("start", "START WITH"), ("minvalue", "MINVALUE"), ("maxvalue", "MAXVALUE"),
    ):  # fmt: skip
        if getattr(options, name) is not None:
            words.append(f"{word} {int(getattr(options, name))}")
    if options.nominvalue is not None:
        words.append("NO MINVALUE")
    if options.nomaxvalue is not None:
        words.append("NO MAXVALUE")
    if options.cache is not None:
        words.append(f"CACHE {int(options.cache)}")
    if options.cycle is not None:
        words.append("CYCLE" if options.cycle else f"{no}CYCLE")
    return " ".join(words)


class Sequence(Creatable, DefaultGenerator):
    """A sequence of numbers of the database; databases without number rows by themselves.

    :param name: its name.
    :param start: its first number.
    :param increment: the step from one number to the next.
    :param minvalue: the smallest number.
    :param maxvalue: the largest one.
    :param nominvalue: NO MINVALUE.
    :param nomaxvalue: NO MAXVALUE.
    :param cycle: begin again after the last one.
    :param schema: the schema that it is in.
    :param cache: how many numbers are taken at once.
    :param data_type: the type of its numbers.
    :param optional: only where the database numbers keys in no other way.
    :param metadata: the MetaData that creates and drops it.

    Example::

        Column("id", Integer, Sequence("user_id_seq", start=1000), primary_key=True)
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
        self.schema = metadata.schema if schema is None and metadata is not None else schema
        self.data_type = data_type() if isinstance(data_type, type) else data_type
        self.optional = optional
        self.metadata = metadata
        self.for_update = for_update
        if metadata is not None:
            metadata._sequences[self._key] = self

    @property
    def _key(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def next_value(self) -> Any:
        """An SQL expression: the next number."""
        from .types import Integer

        return _engine._next_value(self.schema or None, self.name, self.data_type or Integer())

    def __clause_element__(self) -> Any:
        return self.next_value()

    def _execute_on_connection(self, connection: Any, parameters: Any, options: Any) -> Any:
        return connection.execute(self.next_value()).scalar()

    def _copy(self, **kw: Any) -> Sequence:
        made = Sequence(
            self.name, self.start, self.increment, self.minvalue, self.maxvalue, self.nominvalue, self.nomaxvalue,
            self.cycle, self.schema, self.cache, self.order, self.data_type, self.optional, for_update=self.for_update,
        )  # fmt: skip
        made.metadata = self.metadata
        return made

    def _attach_column(self, column: Any) -> None:
        super()._attach_column(column)
        if not self.for_update:
            column._set_sequence(self.next_value(), self.optional)

    def _attach_metadata(self, metadata: Any) -> None:
        """The column that it numbers came into a table of a MetaData."""
        self.metadata = metadata
        if self.schema is None and metadata.schema is not None:
            self.schema = metadata.schema
            self.column._set_sequence(self.next_value(), self.optional)
        metadata._sequences[self._key] = self

    # -- creating and dropping

    def _run(self, connection: Any, checkfirst: Any, drop: bool) -> None:
        from ._schema_ddl import CreateSequence, DropSequence, fire

        dialect = connection.dialect
        if not dialect.supports_sequences or (self.optional and dialect.sequences_optional):
            return
        if checkfirst and self._is_there(connection) != drop:
            return
        what = "drop" if drop else "create"
        fire(self, f"before_{what}", connection, checkfirst=checkfirst)
        element = DropSequence(self) if drop else CreateSequence(self)
        _engine._run_ddl(connection, element._sql(dialect.name))
        fire(self, f"after_{what}", connection, checkfirst=checkfirst)

    def _is_there(self, connection: Any) -> bool:
        from .inspection import inspect

        return self.name in inspect(connection).get_sequence_names(self.schema)

    def __repr__(self) -> str:
        parts = [repr(self.name)]
        for name in (
            "start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "schema", "cache",
            "order", "data_type",
        ):  # fmt: skip
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        if self.optional:
            parts.append("optional=True")
        if self.metadata is not None:
            parts.append(f"metadata={self.metadata!r}")
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
    """GENERATED AS IDENTITY, where the database has it; the others number keys by themselves.

    :param always: ALWAYS, not BY DEFAULT: no statement may give a value.
    :param on_null: not for the databases that there are.
    :param start: and the others: as of a Sequence.
    """

    is_identity = True

    def __init__(
        self, always: Optional[bool] = False, on_null: Optional[bool] = None, start: Optional[int] = None,
        increment: Optional[int] = None, minvalue: Optional[int] = None, maxvalue: Optional[int] = None,
        nominvalue: Optional[bool] = None, nomaxvalue: Optional[bool] = None, cycle: Optional[bool] = None,
        cache: Optional[int] = None, order: Optional[bool] = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.always, self.on_null = always, on_null
        self.start, self.increment = start, increment
        self.minvalue, self.maxvalue = minvalue, maxvalue
        self.nominvalue, self.nomaxvalue = nominvalue, nomaxvalue
        self.cycle, self.cache, self.order = cycle, cache, order

    def _copy(self, **kw: Any) -> Identity:
        return Identity(
            self.always, self.on_null, self.start, self.increment, self.minvalue, self.maxvalue, self.nominvalue,
            self.nomaxvalue, self.cycle, self.cache, self.order,
        )  # fmt: skip

    def _attach_column(self, column: Any) -> None:
        if column.autoincrement is False:
            raise exc.ArgumentError("A column with an Identity object cannot specify autoincrement=False")
        if column.server_default is not None and not isinstance(column.server_default, Identity):
            raise exc.ArgumentError(
                "A column with an Identity object cannot specify a server_default or a server_onupdate argument"
            )
        self.column = column
        column.identity = self
        column.server_default = self
        words = numbering(self)
        always = "ALWAYS" if self.always else "BY DEFAULT"
        column._set_identity(f"GENERATED {always} AS IDENTITY" + (f" ({words})" if words else ""))
        if not column._nullable_given:
            column.nullable = False

    def __repr__(self) -> str:
        parts = ["always=True"] if self.always else []
        for name in ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        return f"Identity({', '.join(parts)})"
