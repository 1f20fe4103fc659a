"""SQL types: what columns hold, how it is spelled in DDL, and how its values travel."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

# The engine's kinds of types.
_NULL, _INTEGER, _SMALL_INTEGER, _BIG_INTEGER, _BOOLEAN, _FLOAT, _NUMERIC = range(7)
_STRING, _TEXT, _BINARY, _DATE, _TIME, _DATETIME, _ENUM, _OWN = range(7, 15)

# Conversions of values that are the engine's.
_METHODS, _BY_TABLE, _UUIDS, _JSON, _SPANS, _FORMS, _ARRAYS = "peujifa"

_MISSING: Any = object()


class TypeEngine(_engine.TypeEngine):
    """The base of all types."""

    _kind = _NULL
    _name: Optional[str] = None  # the DDL spelling asked for; None: the dialect's own
    _arguments: tuple[tuple[str, Any], ...] = ()  # what repr() shows: names and defaults
    _converter = ""  # how values are converted: one of the letters above
    _variants: dict[str, TypeEngine] = {}
    hashable = True
    should_evaluate_none = False
    sort_key_function: Optional[Callable[[Any], Any]] = None

    def __init__(self) -> None:
        self._make()

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def _make(
        self, length: Optional[int] = None, precision: Optional[int] = None, scale: Optional[int] = None,
        as_decimal: bool = False, timezone: bool = False, collation: Optional[str] = None,
    ) -> None:  # fmt: skip
        self._be(
            self._kind, -1 if length is None else length, -1 if precision is None else precision,
            -1 if scale is None else scale, bool(as_decimal), bool(timezone), self._name, collation,
        )  # fmt: skip

    def _be(self, *description: Any, converts: Optional[bool] = None) -> None:
        """Be what _describe() tells of a type, with this one's own conversions."""
        adapts = self._is_adapted()
        if converts is None:
            converts = bool(self._converter) or adapts and self._converts_by_dialect()
        given: list[Any] = [*description[:8], self if converts else None, adapts, *description[8:]]
        self._set(*given)
        if converts:
            self._convert_by(self._converter or _METHODS, *self._conversion())

    def _conversion(self) -> tuple[Any, ...]:
        """What the conversion of values needs."""
        return ()

    def _make_late(self) -> None:
        self._make()

    # -- the type that a database has

    def _is_adapted(self) -> bool:
        """Whether databases may have other types for this one."""
        return bool(self._variants) or self._converts_by_dialect()

    def _converts_by_dialect(self) -> bool:
        cls = type(self)
        return (
            cls.bind_processor is not TypeEngine.bind_processor
            or cls.result_processor is not TypeEngine.result_processor
        )

    def _adapted(self, name: str) -> TypeEngine:
        """The type that a database has for this one.

        :param name: of the dialect.
        """
        variant = self._variants.get(name)
        return self._for_dialect(name) if variant is None else variant._on(name)

    def _for_dialect(self, name: str) -> TypeEngine:
        return _Processed(self, dialect_named(name)) if self._converts_by_dialect() else self

    # -- for users

    def bind_processor(self, dialect: Any) -> Any:
        """A function that converts values to be sent, or None."""
        return self._bind if self._converter else None

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """A function that converts values that came, or None."""
        return self._result if self._converter else None

    def literal_processor(self, dialect: Any) -> Any:
        """A function that writes a value as SQL text, or None."""
        return None

    @property
    def python_type(self) -> type:
        """The Python type of its values."""
        return object

    def compile(self, dialect: Any = None) -> str:
        """The DDL spelling.

        :param dialect: a dialect; None: the default one.
        """
        return str(self._spelling("default" if dialect is None else dialect.name))

    def __str__(self) -> str:
        return self.compile()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._shown())})"

    def _shown(self) -> list[str]:
        shown = []
        for name, default in self._arguments:
            value = getattr(self, name, default)
            if value != default:
                shown.append(f"{name}={value!r}")
        return shown

    def with_variant(self, type_: Any, *dialect_names: str) -> TypeEngine:
        """The same type, but another one on some databases.

        :param type_: the other type.
        :param dialect_names: names such as "sqlite".
        """
        if not dialect_names:
            raise exc.ArgumentError("At least one dialect name is required")
        other = to_instance(type_)
        if other._variants:
            raise exc.ArgumentError(
                "can't pass a type that already has variants as a dialect-level type to with_variant()"
            )
        for name in dialect_names:
            if name in self._variants:
                raise exc.ArgumentError(f"Dialect {name!r} is already present in the mapping for this {self!r}")
        made: TypeEngine = self.copy(_variants={**self._variants, **{name: other for name in dialect_names}})
        return made

    def copy(self, **kw: Any) -> Any:
        """Another type like this one."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        if "_variants" in kw:
            made._variants = kw["_variants"]
        made._be(*self._describe())
        return made

    def adapt(self, cls: Any, **kw: Any) -> Any:
        """A type of another class with the same arguments."""
        given = {name: getattr(self, name) for name, default in self._arguments if hasattr(self, name)}
        return cls(**{**given, **kw})

    def dialect_impl(self, dialect: Any) -> TypeEngine:
        """The type that a database uses for this one."""
        found: TypeEngine = self._on(str(dialect.name))
        return found

    def as_generic(self, allow_nulltype: bool = False) -> TypeEngine:
        """The type without the spelling of one database."""
        kind, length, precision, scale, as_decimal, timezone = self._describe()[:6]
        return _of(kind, length, precision, scale, as_decimal, timezone, None)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same."""
        return bool(x == y)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine:
        """The type of a value that is compared with this one."""
        return self

    @property
    def _type_affinity(self) -> type:
        for cls in type(self).__mro__:
            if TypeEngine in cls.__bases__:
                return cls
        return type(self)


def dialect_named(name: str) -> Any:
    """The dialect's object that conversions of types get.

    :param name: of the dialect.
    """
    from . import dialects
    from .engine.default import DefaultDialect

    return (getattr(dialects, name).dialect if name in dialects.__all__ else DefaultDialect).shared()


class _Processed(TypeEngine):
    """A type with functions of its own, on one database."""

    _converter = _METHODS

    def __init__(self, owner: TypeEngine, dialect: Any) -> None:
        self._to_send = owner.bind_processor(dialect)
        self._came = owner.result_processor(dialect, None)
        self._owner = owner
        self._be(*owner._describe())

    def _bind(self, value: Any) -> Any:
        return value if self._to_send is None else self._to_send(value)

    def _result(self, value: Any) -> Any:
        return value if self._came is None else self._came(value)


def to_instance(type_: Any) -> Any:
    """A type object: of a class, its instance; of None, NULLTYPE."""
    if type_ is None:
        return NULLTYPE
    return type_() if isinstance(type_, type) else type_


class NullType(TypeEngine):
    """The type that is not known."""

    def compile(self, dialect: Any = None) -> str:
        """NULL; a dialect has no spelling for it."""
        return "NULL" if dialect is None else super().compile(dialect)


# -- numbers


class Integer(TypeEngine):
    """Whole numbers."""

    _kind = _INTEGER

    @property
    def python_type(self) -> type:
        """int."""
        return int


class SmallInteger(Integer):
    """Small whole numbers."""

    _kind = _SMALL_INTEGER


class BigInteger(Integer):
    """Big whole numbers."""

    _kind = _BIG_INTEGER


class NumericCommon(TypeEngine):
    """Numbers that are not whole."""

    asdecimal: bool

    @property
    def python_type(self) -> type:
        """Decimal or float."""
        if not self.asdecimal:
            return float
        from decimal import Decimal

        return Decimal


class Numeric(NumericCommon):
    """Exact decimal numbers, Decimal in Python.

    :param precision: digits in all.
    :param scale: digits after the point.
    :param decimal_return_scale: digits after the point of what comes back, where the database stores inexact numbers.
    :param asdecimal: False: float in Python.
    """

    _kind = _NUMERIC
    _arguments: tuple[tuple[str, Any], ...] = (
        ("precision", None), ("scale", None), ("decimal_return_scale", None), ("asdecimal", True),
    )  # fmt: skip

    def __init__(
        self, precision: Optional[int] = None, scale: Optional[int] = None,
        decimal_return_scale: Optional[int] = None, asdecimal: bool = True,
    ) -> None:  # fmt: skip
        self.precision = precision
        self.scale = scale
        self.decimal_return_scale = decimal_return_scale
        self.asdecimal = asdecimal
        self._make(precision=precision, scale=scale, as_decimal=asdecimal)


class Float(NumericCommon):
    """Floating point numbers.

    :param precision: of the database's type.
    :param asdecimal: True: Decimal in Python.
    :param decimal_return_scale: digits after the point of those.
    """

    _kind = _FLOAT
    _arguments: tuple[tuple[str, Any], ...] = (
        ("precision", None), ("asdecimal", False), ("decimal_return_scale", None),
    )  # fmt: skip
    scale: Optional[int] = None

    def __init__(
        self, precision: Optional[int] = None, asdecimal: bool = False, decimal_return_scale: Optional[int] = None
    ) -> None:
        self.precision = precision
        self.asdecimal = asdecimal
        self.decimal_return_scale = decimal_return_scale
        self._make(precision=precision, as_decimal=asdecimal)


class Double(Float):
    """Floating point numbers of double precision."""

    _name = "DOUBLE"


class Boolean(TypeEngine):
    """Truth values.

    :param create_constraint: make a CHECK constraint where the database has no such type.
    :param name: the constraint's name.
    """

    _kind = _BOOLEAN
    _arguments = (("create_constraint", False), ("name", None))

    def __init__(self, create_constraint: bool = False, name: Optional[str] = None, **kw: Any) -> None:
        self.create_constraint = create_constraint
        self.name = name
        self._make()

    def _constraint_values(self) -> list[Any]:
        return [0, 1]

    @property
    def python_type(self) -> type:
        """bool."""
        return bool


# -- texts and bytes


class String(TypeEngine):
    """Text.

    :param length: in characters; None: not limited.
    :param collation: the database's name of a collation.
    """

    _kind = _STRING
    _arguments: tuple[tuple[str, Any], ...] = (("length", None), ("collation", None))

    def __init__(self, length: Optional[int] = None, collation: Optional[str] = None) -> None:
        self.length = length
        self.collation = collation
        self._make(length=length, collation=collation)

    @property
    def python_type(self) -> type:
        """str."""
        return str


class Text(String):
    """Long text."""

    _kind = _TEXT


class Unicode(String):
    """Text in any script."""


class UnicodeText(Text):
    """Long text in any script."""


class _Binary(TypeEngine):
    """Bytes."""

    _kind = _BINARY
    _arguments = (("length", None),)

    def __init__(self, length: Optional[int] = None) -> None:
        self.length = length
        self._make(length=length)

    @property
    def python_type(self) -> type:
        """bytes."""
        return bytes


class LargeBinary(_Binary):
    """Bytes.

    :param length: for databases that want one.
    """


# -- dates and times


class _Timed(TypeEngine):
    _arguments: tuple[tuple[str, Any], ...] = (("timezone", False),)

    def __init__(self, timezone: bool = False) -> None:
        self.timezone = timezone
        self._make(timezone=timezone)

    @property
    def python_type(self) -> type:
        """datetime.datetime or datetime.time."""
        import datetime

        return datetime.datetime if self._kind == _DATETIME else datetime.time


class Date(TypeEngine):
    """Days: datetime.date."""

    _kind = _DATE

    @property
    def python_type(self) -> type:
        """datetime.date."""
        import datetime

        return datetime.date


class Time(_Timed):
    """Times of day: datetime.time."""

    _kind = _TIME


class DateTime(_Timed):
    """Points in time: datetime.datetime."""

    _kind = _DATETIME


# -- types that convert in Python


class TypeDecorator(TypeEngine):
    """A type of one's own on top of another one, `impl`, with conversions of values.

    Subclasses set `impl` and override process_bind_param() and process_result_value().
    """

    impl: Any = None
    cache_ok: Optional[bool] = None
    coerce_to_is_types: Any = (type(None),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = type(self).impl
        if given is None:
            raise AttributeError(
                "TypeDecorator implementations require a class-level variable 'impl' which refers to the class of type "
                "being decorated"
            )
        self._adopt_impl(given(*args, **kwargs) if isinstance(given, type) else given)

    def _adopt_impl(self, impl: Any) -> None:
        self.impl = impl
        self._make()

    @property
    def impl_instance(self) -> Any:
        """The type below, an object."""
        return self.impl

    def _make(self, *args: Any, **kw: Any) -> None:
        self._be(*self.impl._on("default")._describe(), converts=self._processes() or bool(self.impl._converter))

    def _processes(self) -> bool:
        cls = type(self)
        return (
            cls.process_bind_param is not TypeDecorator.process_bind_param
            or cls.process_result_value is not TypeDecorator.process_result_value
            or cls.load_dialect_impl is not TypeDecorator.load_dialect_impl
            or self._converts_by_dialect()
        )

    def _is_adapted(self) -> bool:
        return True

    def _for_dialect(self, name: str) -> TypeEngine:
        return _Decorated(self, dialect_named(name))

    def _bind(self, value: Any) -> Any:
        return self._on("default")._bind(value)

    def _result(self, value: Any) -> Any:
        return self._on("default")._result(value)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        """The value to send for one given in Python."""
        return value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """The value in Python for one that came."""
        return value

    def process_literal_param(self, value: Any, dialect: Any) -> Any:
        """The value to write into SQL text."""
        return self.process_bind_param(value, dialect)

    def load_dialect_impl(self, dialect: Any) -> Any:
        """The type below on a database."""
        return self.impl

    def type_engine(self, dialect: Any) -> Any:
        """The type below on a database."""
        return self.load_dialect_impl(dialect)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same."""
        return bool(self.impl.compare_values(x, y))

    def copy(self, **kw: Any) -> Any:
        """Another type like this one."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        if "_variants" in kw:
            made._variants = kw["_variants"]
        made._make()
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "impl":
            raise AttributeError(name)
        return getattr(self.impl, name)

    def _shown(self) -> list[str]:
        return list(self.impl._shown()) if isinstance(self.impl, TypeEngine) else []


class _Decorated(TypeEngine):
    """A TypeDecorator on one database."""

    _converter = _METHODS

    def __init__(self, owner: TypeDecorator, dialect: Any) -> None:
        cls = type(owner)
        inner = to_instance(owner.load_dialect_impl(dialect))._on(dialect.name)
        self._owner = owner
        self._dialect = dialect
        self._inner = inner
        self._before = cls.process_bind_param is not TypeDecorator.process_bind_param
        self._after = cls.process_result_value is not TypeDecorator.process_result_value
        self._processed = _Processed(owner, dialect) if owner._converts_by_dialect() else None
        converts = self._before or self._after or self._processed is not None or bool(inner._converter)
        self._be(*inner._describe(), converts=converts)

    def _bind(self, value: Any) -> Any:
        if self._processed is not None:
            return self._processed._bind(value)
        if self._before:
            value = self._owner.process_bind_param(value, self._dialect)
        return self._inner._bind(value)

    def _result(self, value: Any) -> Any:
        if self._processed is not None:
            return self._processed._result(value)
        value = self._inner._result(value)
        return self._owner.process_result_value(value, self._dialect) if self._after else value


ExternalType = TypeDecorator


class UserDefinedType(TypeEngine):
    """A type of one's own that the database knows by a name: override get_col_spec()."""

    cache_ok: Optional[bool] = None

    def __init__(self) -> None:
        pass

    def get_col_spec(self, **kw: Any) -> str:
        """The DDL spelling."""
        raise exc.CompileError(f"{type(self).__name__} has no get_col_spec()")

    def _make_late(self) -> None:
        described = self._describe()
        self._be(*described[:6], self.get_col_spec(), *described[7:])

    def compile(self, dialect: Any = None) -> str:
        """The DDL spelling."""
        return self.get_col_spec()


class Enum(String):
    """One of some texts, or of the members of an enum.Enum class, stored by name.

    :param enums: the texts, or one class.
    :param values_callable: gives the texts that are stored for the members of a class.
    :param name: of the type, and of the constraint.
    :param native_enum: use the database's own kind of type where it has one.
    :param length: of the column; None: the longest text.
    :param create_constraint: make a CHECK constraint.
    :param validate_strings: refuse texts that are none of them.
    """

    _converter = _BY_TABLE

    def __init__(self, *enums: Any, **kw: Any) -> None:
        self.values_callable = kw.pop("values_callable", None)
        self.native_enum = kw.pop("native_enum", True)
        self.create_constraint = kw.pop("create_constraint", False)
        self.validate_strings = kw.pop("validate_strings", False)
        self.omit_aliases = kw.pop("omit_aliases", True)
        self.sort_key_function = kw.pop("sort_key_function", _MISSING)
        self.schema = kw.pop("schema", None)
        self.metadata = kw.pop("metadata", None)
        self.inherit_schema = kw.pop("inherit_schema", False)
        self.create_type = kw.pop("create_type", True)
        name = kw.pop("name", None)
        length = kw.pop("length", None)
        collation = kw.pop("collation", None)
        for ignored in ("quote", "convert_unicode", "_create_events", "_adapted_from"):
            kw.pop(ignored, None)
        if kw:
            raise TypeError(f"Enum() got an unexpected keyword argument {next(iter(kw))!r}")
        self._read(enums)
        self.name = name if name is not None or self.enum_class is None else self.enum_class.__name__.lower()
        longest = max((len(value) for value in self.enums), default=0)
        self._length_given = length
        if length is not None and length < longest and not self.native_enum:
            raise ValueError(
                f"When provided, length must be larger or equal than the length of the longest enum value. "
                f"{length} < {longest}"
            )
        self.length = length if length is not None and not self.native_enum else (length or longest)
        self.collation = collation
        if self.metadata is not None:
            self.metadata._note_type(self)
            if self.schema is None:
                self.schema = self.metadata.schema
        self._make_enum()

    def _make_enum(self) -> None:
        self._be(
            _ENUM if self.native_enum else _STRING, self.length, -1, -1, False, False,
            self.name if self.native_enum else None, self.collation, self.schema,
            tuple(self.enums) if self.native_enum else None,
        )  # fmt: skip

    def _adopt_schema(self, schema: Optional[str]) -> bool:
        """The type lives where its table does. Whether it was not there before."""
        adopts: bool = self.native_enum and self.inherit_schema and self.schema is None and schema is not None
        if adopts:
            self.schema = schema
            self._make_enum()
        return adopts

    def _conversion(self) -> tuple[Any, ...]:
        return self._texts, self._objects

    def _read(self, enums: tuple[Any, ...]) -> None:
        members = getattr(enums[0], "__members__", None) if len(enums) == 1 else None
        self.enum_class = enums[0] if members is not None else None
        if members is None:
            self.enums = [str(value) for value in enums]
            objects = list(self.enums)
        else:
            if self.omit_aliases:
                members = {name: member for name, member in members.items() if member.name == name}
            objects = list(members.values())
            values: Any = self.values_callable(self.enum_class) if self.values_callable else list(members)
            if self.values_callable:
                objects = list(enums[0])
            self.enums = list(values)
        self._objects = dict(zip(self.enums, objects))
        self._texts = dict(zip(objects, self.enums))
        if self.sort_key_function is _MISSING:
            self.sort_key_function = None

    def _refuse(self, value: Any) -> LookupError:
        shown = self.enums if len(self.enums) <= 4 else [*self.enums[:3], "...", self.enums[-1]]
        return LookupError(
            f"{value!r} is not among the defined enum values. Enum name: {self.name}. Possible values: "
            f"{', '.join(shown)}"
        )

    def _bind_other(self, value: Any) -> Any:
        """What is sent for a value that is none of them."""
        if isinstance(value, str) and (not self.validate_strings or value in self._objects):
            return value
        raise self._refuse(value)

    def _result_other(self, value: Any) -> Any:
        raise self._refuse(value)

    def _constraint_values(self) -> list[Any]:
        return list(self.enums)

    @property
    def python_type(self) -> type:
        """str, or the class."""
        return str if self.enum_class is None else self.enum_class

    def _shown(self) -> list[str]:
        shown = [repr(value) for value in self.enums]
        for name, default in (("name", None), ("native_enum", True), ("create_constraint", False)):
            if getattr(self, name) != default:
                shown.append(f"{name}={getattr(self, name)!r}")
        if self._length_given is not None:
            shown.append(f"length={self._length_given!r}")
        return shown


class JSON(TypeEngine):
    """Anything that JSON can show, stored as text.

    :param none_as_null: None is SQL's NULL, not JSON's null.
    """

    _kind = _STRING
    _name = "JSON"
    _converter = _JSON
    hashable = False
    NULL: Any = type("_Null", (), {"__repr__": lambda self: "symbol('JSON_NULL')", "__slots__": ()})()

    def __init__(self, none_as_null: bool = False) -> None:
        self.none_as_null = none_as_null
        self._make()

    @property
    def should_evaluate_none(self) -> bool:  # type: ignore[override]
        """Whether None is a value of its own."""
        return not self.none_as_null

    def _conversion(self) -> tuple[Any, ...]:
        return (bool(self.none_as_null),)

    def _shown(self) -> list[str]:
        return ["none_as_null=True"] if self.none_as_null else []


class Uuid(TypeEngine):
    """UUIDs.

    :param as_uuid: uuid.UUID in Python; False: text.
    :param native_uuid: use the database's own type where it has one.
    """

    _kind = _STRING
    _name: Optional[str] = "CHAR"
    _converter = _UUIDS
    _arguments: tuple[tuple[str, Any], ...] = (("as_uuid", True), ("native_uuid", True))
    length: Optional[int] = 32

    def __init__(self, as_uuid: bool = True, native_uuid: bool = True) -> None:
        self.as_uuid = as_uuid
        self.native_uuid = native_uuid
        self._make(length=self.length)

    def _conversion(self) -> tuple[Any, ...]:
        return (bool(self.as_uuid),)

    def _is_adapted(self) -> bool:
        return self.native_uuid or super()._is_adapted()

    def _for_dialect(self, name: str) -> TypeEngine:
        native = self.native_uuid and name in ("postgresql", "mariadb") and type(self) is Uuid
        return UUID(self.as_uuid) if native else super()._for_dialect(name)

    @property
    def python_type(self) -> type:
        """uuid.UUID or str."""
        if not self.as_uuid:
            return str
        import uuid

        return uuid.UUID


class UUID(Uuid):
    """The database's own UUID type."""

    _kind = _OWN
    _name = "UUID"
    length = None
    _arguments = (("as_uuid", True),)

    def __init__(self, as_uuid: bool = True) -> None:
        super().__init__(as_uuid, True)


class Interval(TypeEngine):
    """Spans of time: datetime.timedelta, stored as a point in time after 1970.

    :param native: use the database's own type where it has one.
    """

    _kind = _DATETIME
    _converter = _SPANS
    _arguments: tuple[tuple[str, Any], ...] = (("native", True), ("second_precision", None), ("day_precision", None))

    def __init__(
        self, native: bool = True, second_precision: Optional[float] = None, day_precision: Optional[float] = None
    ) -> None:
        self.native = native
        self.second_precision = second_precision
        self.day_precision = day_precision
        self._make()

    def _is_adapted(self) -> bool:
        return self.native or super()._is_adapted()

    def _for_dialect(self, name: str) -> TypeEngine:
        if self.native and name == "postgresql" and type(self) is Interval:
            from .dialects.postgresql import INTERVAL

            return INTERVAL(None if self.second_precision is None else int(self.second_precision))
        return super()._for_dialect(name)

    @property
    def python_type(self) -> type:
        """datetime.timedelta."""
        import datetime

        return datetime.timedelta


class ARRAY(TypeEngine):
    """An array, where the database has arrays: PostgreSQL.

    :param item_type: the type of its items, which is no array itself.
    :param as_tuple: tuples in Python; False: lists.
    :param dimensions: how many lists lie in each other; None: as many as a value has.
    :param zero_indexes: in Python an index of 0 is the first item: 1 is added for the database.
    """

    _kind = _OWN
    _name = "ARRAY"
    _converter = _ARRAYS
    _arguments = (("as_tuple", False), ("dimensions", None), ("zero_indexes", False))

    def __init__(
        self, item_type: Any, as_tuple: bool = False, dimensions: Optional[int] = None, zero_indexes: bool = False
    ) -> None:
        self.item_type = to_instance(item_type)
        if isinstance(self.item_type, ARRAY):
            raise ValueError(
                "Do not nest ARRAY types; ARRAY(basetype) handles multi-dimensional arrays of basetype"
            )
        self.as_tuple = as_tuple
        self.dimensions = dimensions
        self.zero_indexes = zero_indexes
        self._be(_OWN, -1, -1, -1, False, False, "ARRAY", None, None, None, self.item_type, dimensions or 1)

    def _conversion(self) -> tuple[Any, ...]:
        return self.item_type._on("postgresql"), (self.dimensions, bool(self.as_tuple))

    @property
    def _operators(self) -> Any:
        from .dialects._postgresql_operators import Arrays

        return Arrays

    @property
    def hashable(self) -> bool:  # type: ignore[override]
        """Whether its values are."""
        return bool(self.as_tuple)

    @property
    def python_type(self) -> type:
        """list or tuple."""
        return tuple if self.as_tuple else list

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same."""
        return bool(x == y)

    def _shown(self) -> list[str]:
        return [repr(self.item_type), *super()._shown()]


def _array_of(item_type: Any) -> ARRAY:
    """The type of array_agg()."""
    inner = getattr(item_type, "item_type", None)
    return ARRAY(item_type if inner is None else inner, dimensions=1 if inner is None else None)


class PickleType(TypeEngine):
    """Python objects, pickled.

    :param protocol: pickle's protocol; None: the highest.
    :param pickler: a module with dumps() and loads().
    :param comparator: tells whether two values are the same.
    """

    _kind = _BINARY
    _converter = _METHODS
    hashable = False

    def __init__(
        self, protocol: Optional[int] = None, pickler: Any = None, comparator: Any = None, impl: Any = None
    ) -> None:
        self.protocol = protocol
        self.pickler = pickler
        self.comparator = comparator
        self._make()

    def _pickler(self) -> Any:
        if self.pickler is not None:
            return self.pickler
        import pickle

        return pickle

    def _bind(self, value: Any) -> Any:
        if value is None:
            return None
        protocol = self.protocol
        if protocol is None:
            import pickle

            protocol = pickle.HIGHEST_PROTOCOL
        return self._pickler().dumps(value, protocol)

    def _result(self, value: Any) -> Any:
        return None if value is None else self._pickler().loads(value)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether two values are the same."""
        return bool(self.comparator(x, y) if self.comparator else x == y)


# -- spellings of SQL


class INTEGER(Integer):
    """INTEGER."""

    _name = "INTEGER"


INT = INTEGER


class SMALLINT(SmallInteger):
    """SMALLINT."""

    _name = "SMALLINT"


class BIGINT(BigInteger):
    """BIGINT."""

    _name = "BIGINT"


class NUMERIC(Numeric):
    """NUMERIC."""

    _name = "NUMERIC"


class DECIMAL(Numeric):
    """DECIMAL."""

    _name = "DECIMAL"


class FLOAT(Float):
    """FLOAT."""

    _name = "FLOAT"


class REAL(Float):
    """REAL."""

    _name = "REAL"


class DOUBLE(Double):
    """DOUBLE."""

    _name = "DOUBLE"


class DOUBLE_PRECISION(Double):
    """DOUBLE PRECISION."""

    _name = "DOUBLE PRECISION"


class BOOLEAN(Boolean):
    """BOOLEAN."""

    _name = "BOOLEAN"


class VARCHAR(String):
    """VARCHAR."""

    _name = "VARCHAR"


class CHAR(String):
    """CHAR."""

    _name = "CHAR"


class NVARCHAR(Unicode):
    """NVARCHAR."""

    _name = "NVARCHAR"


class NCHAR(Unicode):
    """NCHAR."""

    _name = "NCHAR"


class TEXT(Text):
    """TEXT."""

    _name = "TEXT"


class CLOB(Text):
    """CLOB."""

    _name = "CLOB"


class DATE(Date):
    """DATE."""

    _name = "DATE"


class TIME(Time):
    """TIME."""

    _name = "TIME"


class DATETIME(DateTime):
    """DATETIME."""

    _name = "DATETIME"


class TIMESTAMP(DateTime):
    """TIMESTAMP."""

    _name = "TIMESTAMP"


class BLOB(LargeBinary):
    """BLOB."""

    _name = "BLOB"


class BINARY(_Binary):
    """BINARY."""

    _name = "BINARY"


class VARBINARY(_Binary):
    """VARBINARY."""

    _name = "VARBINARY"


# -- types of expressions

_CLASSES: dict[int, type[TypeEngine]] = {
    _NULL: NullType, _INTEGER: Integer, _SMALL_INTEGER: SmallInteger, _BIG_INTEGER: BigInteger, _BOOLEAN: Boolean,
    _FLOAT: Float, _NUMERIC: Numeric, _STRING: String, _TEXT: Text, _BINARY: LargeBinary, _DATE: Date, _TIME: Time,
    _DATETIME: DateTime, _ENUM: Enum, _OWN: NullType,
}  # fmt: skip
_NAMED: dict[tuple[int, str], type[TypeEngine]] = {
    (cls._kind, cls._name): cls
    for cls in (
        Double, INTEGER, SMALLINT, BIGINT, NUMERIC, DECIMAL, FLOAT, REAL, DOUBLE_PRECISION, BOOLEAN, VARCHAR, CHAR,
        NVARCHAR, NCHAR, TEXT, CLOB, DATE, TIME, DATETIME, TIMESTAMP, BLOB, BINARY, VARBINARY,
    )
    if cls._name is not None
}  # fmt: skip
_known: dict[tuple[Any, ...], TypeEngine] = {}


def _of(
    kind: int, length: int, precision: int, scale: int, as_decimal: bool, timezone: bool, name: Optional[str],
    collation: Optional[str] = None, schema: Optional[str] = None, labels: Optional[tuple[str, ...]] = None,
) -> TypeEngine:  # fmt: skip
    """The type object for one of the engine's own types."""
    key = (kind, length, precision, scale, as_decimal, timezone, name, collation, schema, labels)
    made = _known.get(key)
    if made is None and kind == _ENUM:
        made = Enum(*(labels or ()), name=name, length=_given(length), schema=schema, collation=collation)
    elif made is None:
        cls = _CLASSES[kind] if name is None else _NAMED.get((kind, name), _CLASSES[kind])
        made = cls.__new__(cls)
        made.__dict__.update(
            length=_given(length), precision=_given(precision), scale=_given(scale), asdecimal=as_decimal,
            timezone=timezone, collation=collation, decimal_return_scale=None, create_constraint=False,
        )  # fmt: skip
        if kind == _BOOLEAN:
            made.__dict__["name"] = None
        made._set(kind, length, precision, scale, as_decimal, timezone, name, collation, None)
        if len(_known) < 1000:
            _known[key] = made
    return made


def _given(number: int) -> Optional[int]:
    return None if number < 0 else number


NULLTYPE = NullType()
BOOLEANTYPE = Boolean()
STRINGTYPE = String()
INTEGERTYPE = Integer()

__all__ = (
    "TypeEngine", "TypeDecorator", "UserDefinedType", "ExternalType", "NullType", "Integer", "SmallInteger",
    "BigInteger", "Numeric", "NumericCommon", "Float", "Double", "Boolean", "String", "Text", "Unicode",
    "UnicodeText", "LargeBinary", "Date", "Time", "DateTime", "Enum", "JSON", "Uuid", "UUID", "Interval",
    "PickleType", "ARRAY", "INTEGER", "INT", "SMALLINT", "BIGINT", "NUMERIC", "DECIMAL", "FLOAT", "REAL", "DOUBLE",
    "DOUBLE_PRECISION", "BOOLEAN", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "TEXT", "CLOB", "DATE", "TIME",
    "DATETIME", "TIMESTAMP", "BLOB", "BINARY", "VARBINARY", "NULLTYPE", "BOOLEANTYPE", "STRINGTYPE", "INTEGERTYPE",
    "to_instance",
)  # fmt: skip
