"""SQL types: what columns hold, how it is spelled in DDL, and how its values travel."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

# The engine's kinds of types.
_NULL, _INTEGER, _SMALL_INTEGER, _BIG_INTEGER, _BOOLEAN, _FLOAT, _NUMERIC = range(7)
_STRING, _TEXT, _BINARY, _DATE, _TIME, _DATETIME = range(7, 13)

_MISSING: Any = object()


class TypeEngine(_engine.TypeEngine):
    """The base of all types."""

    _kind = _NULL
    _name: Optional[str] = None  # the DDL spelling asked for; None: the dialect's own
    _arguments: tuple[tuple[str, Any], ...] = ()  # what repr() shows: names and defaults
    _converts = False  # values go through _bind() and _result()
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
        self._set(
            self._kind, -1 if length is None else length, -1 if precision is None else precision,
            -1 if scale is None else scale, bool(as_decimal), bool(timezone), self._name, collation,
            self if self._needs_conversion() else None,
        )  # fmt: skip

    def _make_late(self) -> None:
        self._make()

    def _needs_conversion(self) -> bool:
        cls = type(self)
        return (
            cls._converts
            or cls.bind_processor is not TypeEngine.bind_processor
            or cls.result_processor is not TypeEngine.result_processor
        )

    # -- values, for the engine

    def _bind(self, value: Any) -> Any:
        """What is sent for a value."""
        processor = self._cached_processor("_bind_processor", lambda: self.bind_processor(_dialect()))
        return value if processor is None else processor(value)

    def _result(self, value: Any) -> Any:
        """What a value that came is in Python."""
        processor = self._cached_processor("_result_processor", lambda: self.result_processor(_dialect(), None))
        return value if processor is None else processor(value)

    def _cached_processor(self, name: str, make: Callable[[], Any]) -> Any:
        found = self.__dict__.get(name, _MISSING)
        if found is _MISSING:
            found = self.__dict__[name] = make()
        return found

    # -- for users

    def bind_processor(self, dialect: Any) -> Any:
        """A function that converts values to be sent, or None."""
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        """A function that converts values that came, or None."""
        return None

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
        name = "default" if dialect is None else dialect.name
        return str(self._variants.get(name, self)._spelling(name))

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
        made: TypeEngine = self.copy()
        made._variants = {**self._variants, **{name: other for name in dialect_names}}
        if "sqlite" in dialect_names:
            made._be(other)
        return made

    def copy(self, **kw: Any) -> Any:
        """Another type like this one."""
        made = type(self).__new__(type(self))
        made.__dict__.update(
            {name: value for name, value in self.__dict__.items() if not name.endswith("_processor")}
        )
        kind, length, precision, scale, as_decimal, timezone, name, collation = self._describe()
        made._set(
            kind, length, precision, scale, as_decimal, timezone, name, collation,
            made if self._needs_conversion() else None,
        )  # fmt: skip
        return made

    def adapt(self, cls: Any, **kw: Any) -> Any:
        """A type of another class with the same arguments."""
        given = {name: getattr(self, name) for name, default in self._arguments if hasattr(self, name)}
        return cls(**{**given, **kw})

    def dialect_impl(self, dialect: Any) -> TypeEngine:
        """The type that a database uses for this one."""
        return self._variants.get(str(dialect.name), self)

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


def _dialect() -> Any:
    from .dialects.sqlite import dialect

    return dialect.shared()


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
    _arguments = (("precision", None), ("scale", None), ("decimal_return_scale", None), ("asdecimal", True))

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
    _arguments = (("precision", None), ("asdecimal", False), ("decimal_return_scale", None))
    scale = None

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
    _arguments = (("timezone", False),)

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
        inner = self._inner()
        kind, length, precision, scale, as_decimal, timezone, name, collation = inner._describe()
        converts = self._needs_conversion() or inner._needs_conversion()
        self._set(
            kind, length, precision, scale, as_decimal, timezone, name, collation, self if converts else None
        )

    def _inner(self) -> Any:
        if type(self).load_dialect_impl is not TypeDecorator.load_dialect_impl:
            return to_instance(self.load_dialect_impl(_dialect()))
        return self.impl

    def _needs_conversion(self) -> bool:
        cls = type(self)
        return (
            cls.process_bind_param is not TypeDecorator.process_bind_param
            or cls.process_result_value is not TypeDecorator.process_result_value
            or super()._needs_conversion()
        )

    def _bind(self, value: Any) -> Any:
        value = self.process_bind_param(value, _dialect())
        inner = self._inner()
        return inner._bind(value) if inner._needs_conversion() else value

    def _result(self, value: Any) -> Any:
        inner = self._inner()
        if inner._needs_conversion():
            value = inner._result(value)
        return self.process_result_value(value, _dialect())

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
        made._make()
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "impl":
            raise AttributeError(name)
        return getattr(self.impl, name)

    def _shown(self) -> list[str]:
        return list(self.impl._shown()) if isinstance(self.impl, TypeEngine) else []


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
        kind, length, precision, scale, as_decimal, timezone, _, collation = self._describe()
        self._set(
            kind, length, precision, scale, as_decimal, timezone, self.get_col_spec(), collation,
            self if self._needs_conversion() else None,
        )  # fmt: skip

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

    _converts = True

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
        self._make(length=self.length, collation=collation)

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

    def _bind(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            return self._texts[value]
        except (KeyError, TypeError):
            if isinstance(value, str) and not self.validate_strings:
                return value
            if isinstance(value, str) and value in self._objects:
                return value
            raise self._refuse(value) from None

    def _result(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            return self._objects[value]
        except KeyError:
            raise self._refuse(value) from None

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
    _converts = True
    hashable = False
    NULL: Any = type("_Null", (), {"__repr__": lambda self: "symbol('JSON_NULL')", "__slots__": ()})()

    def __init__(self, none_as_null: bool = False) -> None:
        self.none_as_null = none_as_null
        self._make()

    @property
    def should_evaluate_none(self) -> bool:  # type: ignore[override]
        """Whether None is a value of its own."""
        return not self.none_as_null

    def _bind(self, value: Any) -> Any:
        if value is None:
            return None if self.none_as_null else "null"
        if value is JSON.NULL:
            return "null"
        import json

        return json.dumps(value)

    def _result(self, value: Any) -> Any:
        if value is None:
            return None
        import json

        return json.loads(value)

    def _shown(self) -> list[str]:
        return ["none_as_null=True"] if self.none_as_null else []


class Uuid(TypeEngine):
    """UUIDs.

    :param as_uuid: uuid.UUID in Python; False: text.
    :param native_uuid: use the database's own type where it has one.
    """

    _kind = _STRING
    _name: Optional[str] = "CHAR"
    _converts = True
    _arguments: tuple[tuple[str, Any], ...] = (("as_uuid", True), ("native_uuid", True))
    length: Optional[int] = 32

    def __init__(self, as_uuid: bool = True, native_uuid: bool = True) -> None:
        self.as_uuid = as_uuid
        self.native_uuid = native_uuid
        self._make(length=self.length)

    def _bind(self, value: Any) -> Any:
        if value is None:
            return None
        return value.hex if self.as_uuid else value.replace("-", "")

    def _result(self, value: Any) -> Any:
        if value is None:
            return None
        import uuid

        made = uuid.UUID(value)
        return made if self.as_uuid else str(made)

    @property
    def python_type(self) -> type:
        """uuid.UUID or str."""
        if not self.as_uuid:
            return str
        import uuid

        return uuid.UUID


class UUID(Uuid):
    """The database's own UUID type."""

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
    _converts = True
    _arguments = (("native", True), ("second_precision", None), ("day_precision", None))

    def __init__(
        self, native: bool = True, second_precision: Optional[float] = None, day_precision: Optional[float] = None
    ) -> None:
        self.native = native
        self.second_precision = second_precision
        self.day_precision = day_precision
        self._make()

    def _bind(self, value: Any) -> Any:
        return None if value is None else _epoch() + value

    def _result(self, value: Any) -> Any:
        return None if value is None else value - _epoch()

    @property
    def python_type(self) -> type:
        """datetime.timedelta."""
        import datetime

        return datetime.timedelta


def _epoch() -> Any:
    import datetime

    return datetime.datetime(1970, 1, 1)


class PickleType(TypeEngine):
    """Python objects, pickled.

    :param protocol: pickle's protocol; None: the highest.
    :param pickler: a module with dumps() and loads().
    :param comparator: tells whether two values are the same.
    """

    _kind = _BINARY
    _converts = True
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
    _DATETIME: DateTime,
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
    collation: Optional[str] = None,
) -> TypeEngine:  # fmt: skip
    """The type object for one of the engine's own types."""
    key = (kind, length, precision, scale, as_decimal, timezone, name, collation)
    made = _known.get(key)
    if made is None:
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
    "PickleType", "INTEGER", "INT", "SMALLINT", "BIGINT", "NUMERIC", "DECIMAL", "FLOAT", "REAL", "DOUBLE",
    "DOUBLE_PRECISION", "BOOLEAN", "VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "TEXT", "CLOB", "DATE", "TIME",
    "DATETIME", "TIMESTAMP", "BLOB", "BINARY", "VARBINARY", "NULLTYPE", "BOOLEANTYPE", "STRINGTYPE", "INTEGERTYPE",
    "to_instance",
)  # fmt: skip
