"""SQL types: what a column holds and how its values travel.

The plain types (numbers, text, bytes, booleans, dates) are converted by the engine in C. A type that needs Python for a
value (JSON, Enum, Uuid, TypeDecorator, ...) is the engine's *host* type: its ``_bind`` and ``_result`` are called once a
value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, ClassVar, Generic, TypeVar

from .. import _engine

if TYPE_CHECKING:
    import datetime
    import decimal
    import uuid
    from collections.abc import Sequence

# The engine's kinds of types: corm_type_kind.
_NULL, _INTEGER, _SMALL_INTEGER, _BIG_INTEGER, _BOOLEAN, _FLOAT, _NUMERIC, _STRING, _TEXT, _BINARY, _DATE, _TIME, _DATETIME = range(13)

_T = TypeVar("_T", bound=Any)


class TypeEngine(_engine.TypeEngine, Generic[_T]):
    """The base of all SQL types."""

    _kind: ClassVar[int] = _NULL
    _name: ClassVar[str | None] = None  # DDL spelling, where it is not the kind's
    _python_type: ClassVar[type[Any]] = object
    _shown: ClassVar[tuple[str, ...]] = ()  # arguments that repr() shows where they are given
    _is_host: ClassVar[bool] = False

    should_evaluate_none: bool = False
    sort_key_function: Callable[[Any], Any] | None = None
    hashable: bool = True

    def __init__(self) -> None:
        self._make()

    def _make(
        self,
        length: int | None = None,
        precision: int | None = None,
        scale: int | None = None,
        as_decimal: bool = False,
        timezone: bool = False,
        name: str | None = None,
        collation: str | None = None,
    ) -> None:
        """Tell the engine what the type is."""

        def number(value: int | None) -> int:
            return -1 if value is None else value

        self._set(
            self._kind,
            number(length),
            number(precision),
            number(scale),
            as_decimal,
            timezone,
            self._name if name is None else name,
            collation,
            self if self._is_host else None,
        )

    @property
    def python_type(self) -> type[Any]:
        """The Python type that values have."""
        return self._python_type

    def compile(self, dialect: Any = None) -> str:
        """The type's spelling in DDL.

        :param dialect: a dialect or its name; the default one if None.
        """
        return self._compile("default" if dialect is None else getattr(dialect, "name", dialect))

    def as_generic(self, *, allow_nulltype: bool = False) -> TypeEngine[Any]:
        """The generic type nearest to this one."""
        for cls in type(self).__mro__:
            if cls.__name__ in _GENERIC and issubclass(cls, TypeEngine):
                return self if cls is type(self) else cls._of_arguments(self)
        return self

    @classmethod
    def _of_arguments(cls, other: TypeEngine[Any]) -> TypeEngine[Any]:
        return cls(**{key: getattr(other, key) for key in cls._shown if getattr(other, key, None) not in (None, False)})

    def with_variant(self, type_: Any, *dialect_names: str) -> TypeEngine[_T]:
        """A copy of this type that is another type on the named databases."""
        if not dialect_names:
            from ..exc import ArgumentError

            raise ArgumentError("At least one dialect name is required")
        other = to_instance(type_)
        copy = self.copy()
        copy._variants = {**getattr(self, "_variants", {}), **dict.fromkeys(dialect_names, other)}
        return copy

    def copy(self, **arguments: Any) -> TypeEngine[_T]:
        """The same type once more, with other arguments where given."""
        import copy

        if not arguments:
            return copy.copy(self)
        return type(self)(**{**{key: getattr(self, key) for key in self._shown}, **arguments})

    def __copy__(self) -> TypeEngine[_T]:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._remake()
        return made

    def __reduce__(self) -> Any:
        return (_unpickle, (type(self), dict(self.__dict__)))

    def _remake(self) -> None:
        self._make()

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """The type that a plain value has beside an expression of this type."""
        return _type_of_value(value)

    def evaluates_none(self) -> TypeEngine[_T]:
        """A copy for which None is a value like any other."""
        made = self.copy()
        made.should_evaluate_none = True
        return made

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any] | None:
        """A function from Python's values to the database's, or None."""
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> Callable[[Any], Any] | None:
        """A function from the database's values to Python's, or None."""
        return None

    def dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """The type as the database has it."""
        return getattr(self, "_variants", {}).get(getattr(dialect, "name", dialect), self)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Are two values the same to the type?"""
        return bool(x == y)

    @property
    def _type_affinity(self) -> type[Any]:
        for cls in type(self).__mro__:
            if cls.__name__ in _GENERIC:
                return cls
        return type(self)

    def _compare_type_affinity(self, other: Any) -> bool:
        return self._type_affinity is other._type_affinity

    def __str__(self) -> str:
        return self.compile()

    def __repr__(self) -> str:
        shown = ((key, getattr(self, key, None)) for key in self._shown)
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in shown if value not in (None, False))})"


def _unpickle(cls: type[TypeEngine[Any]], state: dict[str, Any]) -> TypeEngine[Any]:
    made = cls.__new__(cls)
    made.__dict__.update(state)
    made._remake()
    return made


def to_instance(type_: Any) -> TypeEngine[Any]:
    """A type from a type or its class; None gives NullType.

    :raises TypeError: it is neither.
    """
    if type_ is None:
        return NULLTYPE
    made = type_() if isinstance(type_, type) else type_
    if not isinstance(made, TypeEngine):
        raise TypeError(f"{type_!r} is no SQL type")
    return made


class NullType(TypeEngine[None]):
    """A type that is not known."""

    _python_type = object


class Concatenable:
    """A mix-in that marks types whose ``+`` is concatenation."""


class Indexable:
    """A mix-in that marks types with index operators."""


# ---- numbers ----


class Integer(TypeEngine[int]):
    """A whole number."""

    _kind = _INTEGER
    _python_type = int


class SmallInteger(Integer):
    """A whole number of 16 bits."""

    _kind = _SMALL_INTEGER


class BigInteger(Integer):
    """A whole number of 64 bits."""

    _kind = _BIG_INTEGER


class Numeric(TypeEngine["decimal.Decimal"]):
    """An exact number.

    :param precision: digits in all.
    :param scale: digits behind the point.
    :param decimal_return_scale: digits of results where the database stores floating point numbers.
    :param asdecimal: give Decimal, else float.
    """

    _kind = _NUMERIC
    _shown = ("precision", "scale")
    _default_asdecimal: ClassVar[bool] = True

    def __init__(
        self,
        precision: int | None = None,
        scale: int | None = None,
        decimal_return_scale: int | None = None,
        asdecimal: bool | None = None,
    ) -> None:
        self.precision = precision
        self.scale = scale
        self.decimal_return_scale = decimal_return_scale
        self.asdecimal = self._default_asdecimal if asdecimal is None else asdecimal
        self._remake()

    def _remake(self) -> None:
        self._make(precision=self.precision, scale=self.scale, as_decimal=self.asdecimal)

    @property
    def python_type(self) -> type[Any]:
        """Decimal or float."""
        if self.asdecimal:
            import decimal

            return decimal.Decimal
        return float

    def __repr__(self) -> str:
        shown = [f"{key}={value!r}" for key in self._shown if (value := getattr(self, key)) is not None]
        if self.asdecimal != self._default_asdecimal:
            shown.append(f"asdecimal={self.asdecimal!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


class Float(Numeric):
    """A floating point number.

    :param precision: digits that the database is asked for.
    :param asdecimal: give Decimal instead of float.
    :param decimal_return_scale: digits of such Decimals.
    """

    _kind = _FLOAT
    _shown = ("precision",)
    _default_asdecimal = False

    def __init__(
        self, precision: int | None = None, asdecimal: bool = False, decimal_return_scale: int | None = None
    ) -> None:
        super().__init__(precision, None, decimal_return_scale, asdecimal)


class Double(Float):
    """A floating point number of 64 bits."""

    _name = "DOUBLE"


# ---- text and bytes ----


class String(TypeEngine[str], Concatenable):
    """Text.

    :param length: characters, for DDL.
    :param collation: a collation's name, for DDL.
    """

    _kind = _STRING
    _python_type = str
    _shown = ("length", "collation")

    def __init__(self, length: int | None = None, collation: str | None = None) -> None:
        self.length = length
        self.collation = collation
        self._remake()

    def _remake(self) -> None:
        self._make(length=self.length, collation=self.collation)


class Text(String):
    """Text of any length."""

    _kind = _TEXT


class Unicode(String):
    """Text; the same as String where all text is Unicode."""


class UnicodeText(Text):
    """Text of any length; the same as Text where all text is Unicode."""


class _Binary(TypeEngine[bytes]):
    _kind = _BINARY
    _python_type = bytes
    _shown = ("length",)

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self._remake()

    def _remake(self) -> None:
        self._make(length=self.length)


class LargeBinary(_Binary):
    """Bytes.

    :param length: bytes, for the DDL of databases that want it.
    """


# ---- booleans, dates, times ----


class SchemaType:
    """A mix-in that marks types with a name or constraint of their own in the schema."""

    name: str | None = None


class Boolean(SchemaType, TypeEngine[bool]):
    """True or false.

    :param create_constraint: write a CHECK constraint where the database has no such type.
    :param name: the constraint's name.
    """

    _kind = _BOOLEAN
    _python_type = bool

    def __init__(self, create_constraint: bool = False, name: str | None = None) -> None:
        self.create_constraint = create_constraint
        self.name = name
        self._make()


class Date(TypeEngine["datetime.date"]):
    """A day."""

    _kind = _DATE

    @property
    def python_type(self) -> type[Any]:
        """datetime.date"""
        import datetime

        return datetime.date


class _Timed(TypeEngine[Any]):
    _shown = ("timezone",)

    def __init__(self, timezone: bool = False) -> None:
        self.timezone = timezone
        self._remake()

    def _remake(self) -> None:
        self._make(timezone=self.timezone)


class Time(_Timed):
    """A time of day.

    :param timezone: with an offset, where the database stores it.
    """

    _kind = _TIME

    @property
    def python_type(self) -> type[Any]:
        """datetime.time"""
        import datetime

        return datetime.time


class DateTime(_Timed):
    """A day and a time.

    :param timezone: with an offset, where the database stores it.
    """

    _kind = _DATETIME

    @property
    def python_type(self) -> type[Any]:
        """datetime.datetime"""
        import datetime

        return datetime.datetime


# ---- types that Python converts ----


class _HostType(TypeEngine[_T]):
    """A type whose values Python converts: _bind to the database, _result from it; neither is given None by the engine."""

    _is_host = True

    def _bind(self, value: Any) -> Any:
        return value

    def _result(self, value: Any) -> Any:
        return value


class Interval(_HostType["datetime.timedelta"]):
    """A duration: stored as a point in time after 1970-01-01 where the database has no such type."""

    _kind = _DATETIME

    def __init__(self, native: bool = True, second_precision: float | None = None, day_precision: float | None = None) -> None:
        self.native = native
        self.second_precision = second_precision
        self.day_precision = day_precision
        self._make()

    @property
    def python_type(self) -> type[Any]:
        """datetime.timedelta"""
        import datetime

        return datetime.timedelta

    def _bind(self, value: Any) -> Any:
        import datetime

        return None if value is None else datetime.datetime(1970, 1, 1) + value

    def _result(self, value: Any) -> Any:
        import datetime

        return None if value is None else value - datetime.datetime(1970, 1, 1)


class Uuid(_HostType["uuid.UUID"]):
    """A UUID: 32 hexadecimal digits where the database has no such type.

    :param as_uuid: Python values are uuid.UUID, else strings.
    :param native_uuid: use the database's own type, where it has one.
    """

    _kind = _STRING
    _name = "CHAR"

    def __init__(self, as_uuid: bool = True, native_uuid: bool = True) -> None:
        self.as_uuid = as_uuid
        self.native_uuid = native_uuid
        self._remake()

    def _remake(self) -> None:
        self._make(length=32)

    @property
    def python_type(self) -> type[Any]:
        """uuid.UUID or str"""
        if not self.as_uuid:
            return str
        import uuid

        return uuid.UUID

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


class PickleType(_HostType[object]):
    """Any object that can be pickled.

    :param protocol: pickle's; the highest by default.
    :param pickler: a module with dumps() and loads().
    :param comparator: a function that tells whether two values are the same.
    """

    _kind = _BINARY

    def __init__(
        self, protocol: int | None = None, pickler: Any = None, comparator: Any = None, impl: Any = None
    ) -> None:
        import pickle

        self.protocol = pickle.HIGHEST_PROTOCOL if protocol is None else protocol
        self.pickler = pickle if pickler is None else pickler
        self.comparator = comparator
        self._make()

    def _bind(self, value: Any) -> Any:
        return None if value is None else self.pickler.dumps(value, self.protocol)

    def _result(self, value: Any) -> Any:
        return None if value is None else self.pickler.loads(value)

    def compare_values(self, x: Any, y: Any) -> bool:
        """By the comparator, or by equality."""
        return bool(self.comparator(x, y)) if self.comparator else bool(x == y)


class JSON(_HostType[Any], Indexable):
    """A JSON document.

    :param none_as_null: None is SQL's NULL, else JSON's ``null``.
    """

    _kind = _TEXT
    _name = "JSON"
    hashable = False

    NULL: ClassVar[Any]

    def __init__(self, none_as_null: bool = False) -> None:
        self.none_as_null = none_as_null
        self._make()

    @property
    def should_evaluate_none(self) -> bool:  # type: ignore[override]
        """Is None a value?"""
        return not self.none_as_null

    @should_evaluate_none.setter
    def should_evaluate_none(self, value: bool) -> None:
        self.none_as_null = not value

    def _bind(self, value: Any) -> Any:
        if value is None and self.none_as_null:
            return None
        import json

        return json.dumps(None if value is JSON.NULL else value)

    def _result(self, value: Any) -> Any:
        if value is None:
            return None
        import json

        return json.loads(value)


class _JSONNull:
    def __repr__(self) -> str:
        return "JSON.NULL"


JSON.NULL = _JSONNull()


class Enum(SchemaType, _HostType[Any], Concatenable):
    """One of some names: strings, or the members of a Python enum.

    :param enums: strings, or one enum class.
    :param values_callable: gives the strings that stand for an enum's members; their names by default.
    :param name: the type's name, where the database has such types.
    :param length: of the VARCHAR; as long as the longest by default.
    :param validate_strings: refuse strings that are not among them.
    """

    _kind = _STRING

    def __init__(
        self,
        *enums: Any,
        name: str | None = None,
        values_callable: Callable[[Any], Sequence[str]] | None = None,
        length: int | None = None,
        validate_strings: bool = False,
        create_constraint: bool = False,
        native_enum: bool = True,
        schema: str | None = None,
        metadata: Any = None,
        quote: bool | None = None,
        inherit_schema: bool = False,
        omit_aliases: bool = True,
        sort_key_function: Callable[[Any], Any] | None = None,
    ) -> None:
        self.enum_class: Any = None
        self.values_callable = values_callable
        self.validate_strings = validate_strings
        self.create_constraint = create_constraint
        self.native_enum = native_enum
        self.schema = schema
        self.metadata = metadata
        if len(enums) == 1 and hasattr(enums[0], "__members__"):
            self.enum_class = enums[0]
            members = enums[0].__members__
            if omit_aliases:
                members = {key: member for key, member in members.items() if key == member.name}
            names = list(values_callable(enums[0])) if values_callable else list(members)
            self.enums = names
            self._to_name = dict(zip(members.values(), names))
            self._to_object = dict(zip(names, members.values()))
            self.name = enums[0].__name__.lower() if name is None else name
        else:
            if len(enums) == 1 and isinstance(enums[0], (list, tuple)):
                enums = tuple(enums[0])
            self.enums = list(enums)
            self._to_name = {}
            self._to_object = {name: name for name in self.enums}
            self.name = name
        longest = max((len(name) for name in self.enums), default=0)
        if length is not None and length < longest:
            raise ValueError(f"When provided, length must be larger or equal than the length of the longest enum value. {length} < {longest}")
        self.length = longest if length is None else length
        self._remake()

    def _remake(self) -> None:
        self._make(length=self.length)

    @property
    def python_type(self) -> type[Any]:
        """The enum class, or str."""
        return self.enum_class or str

    def _bind(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            return self._to_name[value]
        except (KeyError, TypeError):
            pass
        if isinstance(value, str) and (value in self._to_object or (not self.validate_strings and not self.enum_class)):
            return value
        raise self._unknown(value)

    def _result(self, value: Any) -> Any:
        if value is None or self.enum_class is None and not self.validate_strings:
            return value
        try:
            return self._to_object[value]
        except KeyError:
            raise self._unknown(value) from None

    def _unknown(self, value: Any) -> LookupError:
        names = self.enums if len(self.enums) <= 4 else [*self.enums[:3], "..", self.enums[-1]]
        return LookupError(f"{value!r} is not among the defined enum values. Enum name: {self.name}. Possible values: {', '.join(names)}")

    def __repr__(self) -> str:
        shown = [repr(name) for name in self.enums] if self.enum_class is None else [", ".join(map(repr, self.enums))]
        if self.name is not None:
            shown.append(f"name={self.name!r}")
        return f"Enum({', '.join(shown)})"


class UserDefinedType(_HostType[_T]):
    """The base of types that users spell: ``get_col_spec()`` gives the DDL, processors convert.

    Subclasses define ``get_col_spec(self, **kw)`` and, where values are to be converted, ``bind_processor(dialect)`` and
    ``result_processor(dialect, coltype)``.
    """

    cache_ok: ClassVar[bool | None] = None

    def __new__(cls, *args: Any, **kwargs: Any) -> UserDefinedType[Any]:
        made = super().__new__(cls)
        made._defined = False
        return made

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        init = cls.__init__

        def wrapped(self: Any, *args: Any, **kw: Any) -> None:
            init(self, *args, **kw)
            if type(self) is cls:
                self._remake()

        wrapped.__wrapped__ = init  # type: ignore[attr-defined]
        wrapped.__doc__ = init.__doc__
        cls.__init__ = wrapped  # type: ignore[method-assign]

    def _remake(self) -> None:
        self._make(name=self.get_col_spec())
        self._bound = self.bind_processor(_dialect())
        self._read = self.result_processor(_dialect(), None)

    def get_col_spec(self, **kw: Any) -> str:
        """The type's spelling in DDL."""
        return type(self).__name__.upper()

    def _bind(self, value: Any) -> Any:
        return value if self._bound is None else self._bound(value)

    def _result(self, value: Any) -> Any:
        return value if self._read is None else self._read(value)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """The type itself."""
        return self


class TypeDecorator(_HostType[_T]):
    """A type of a user's own around another one.

    Subclasses set ``impl`` and define ``process_bind_param(value, dialect)`` and ``process_result_value(value, dialect)``,
    both given None too.
    """

    impl: Any = None
    cache_ok: ClassVar[bool | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if self.impl is None:
            raise AttributeError("TypeDecorator implementations require a class-level variable 'impl' which refers to the class of type being decorated")
        impl = self.impl if not isinstance(self.impl, type) else self.impl(*args, **kwargs)
        self.impl = to_instance(impl)
        self._remake()

    def _remake(self) -> None:
        inner = self.load_dialect_impl(_dialect())
        self._inner: TypeEngine[Any] = to_instance(inner)
        self._inner_is_host = isinstance(self._inner, _HostType)
        kind, length, precision, scale, as_decimal, timezone, name = self._inner._describe()
        self._set(kind, length, precision, scale, as_decimal, timezone, name, getattr(self._inner, "collation", None), self)

    @property
    def impl_instance(self) -> TypeEngine[Any]:
        """The type inside."""
        return self._inner

    @property
    def python_type(self) -> type[Any]:
        """The type inside's."""
        return self._inner.python_type

    def load_dialect_impl(self, dialect: Any) -> TypeEngine[Any]:
        """The type inside, for a database."""
        return self.impl  # type: ignore[no-any-return]

    def type_engine(self, dialect: Any) -> TypeEngine[Any]:
        """The type inside, for a database."""
        return self.load_dialect_impl(dialect)

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        """From Python to what the type inside takes."""
        return value

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        """From what the type inside gives to Python."""
        return value

    def process_literal_param(self, value: Any, dialect: Any) -> Any:
        """From Python to what a literal shows."""
        return self.process_bind_param(value, dialect)

    def _bind(self, value: Any) -> Any:
        value = self.process_bind_param(value, _dialect())
        return self._inner._bind(value) if self._inner_is_host else value  # type: ignore[attr-defined]

    def _result(self, value: Any) -> Any:
        if self._inner_is_host:
            value = self._inner._result(value)  # type: ignore[attr-defined]
        return self.process_result_value(value, _dialect())

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """The type itself: what is compared with it is processed too."""
        return self

    def compare_values(self, x: Any, y: Any) -> bool:
        """As the type inside does."""
        return self._inner.compare_values(x, y)

    def copy(self, **arguments: Any) -> TypeDecorator[_T]:
        """The same type once more."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._remake()
        return made

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.__dict__["impl"] if "impl" in self.__dict__ else type(self).impl, name)

    def __repr__(self) -> str:
        inner = repr(self.impl)
        return f"{type(self).__name__}{inner[inner.index('('):]}" if "(" in inner else f"{type(self).__name__}()"


class ExternalType:
    """A mix-in that marks types from outside."""

    cache_ok: ClassVar[bool | None] = None


def _dialect() -> Any:
    from ..dialects import sqlite

    return sqlite.dialect()


# ---- SQL's own names ----


class INTEGER(Integer):
    """INTEGER"""


INT = INTEGER


class SMALLINT(SmallInteger):
    """SMALLINT"""


class BIGINT(BigInteger):
    """BIGINT"""


class NUMERIC(Numeric):
    """NUMERIC"""


class DECIMAL(Numeric):
    """DECIMAL"""

    _name = "DECIMAL"


class FLOAT(Float):
    """FLOAT"""


class REAL(Float):
    """REAL"""

    _name = "REAL"


class DOUBLE(Double):
    """DOUBLE"""


class DOUBLE_PRECISION(Double):
    """DOUBLE PRECISION"""

    _name = "DOUBLE PRECISION"


class VARCHAR(String):
    """VARCHAR"""


class CHAR(String):
    """CHAR"""

    _name = "CHAR"


class NVARCHAR(Unicode):
    """NVARCHAR"""

    _name = "NVARCHAR"


class NCHAR(Unicode):
    """NCHAR"""

    _name = "NCHAR"


class TEXT(Text):
    """TEXT"""


class CLOB(Text):
    """CLOB"""

    _name = "CLOB"


class BLOB(LargeBinary):
    """BLOB"""


class BINARY(_Binary):
    """BINARY"""

    _name = "BINARY"


class VARBINARY(_Binary):
    """VARBINARY"""

    _name = "VARBINARY"


class BOOLEAN(Boolean):
    """BOOLEAN"""


class DATE(Date):
    """DATE"""


class TIME(Time):
    """TIME"""


class DATETIME(DateTime):
    """DATETIME"""


class TIMESTAMP(DateTime):
    """TIMESTAMP"""

    _name = "TIMESTAMP"


class UUID(Uuid):
    """UUID"""

    _name = "UUID"

    def _remake(self) -> None:
        self._make()


NULLTYPE = NullType()
BOOLEANTYPE = Boolean()
STRINGTYPE = String()
INTEGERTYPE = Integer()

_GENERIC = frozenset(
    ["Integer", "SmallInteger", "BigInteger", "Numeric", "Float", "Double", "String", "Text", "Unicode", "UnicodeText"]
    + ["LargeBinary", "Boolean", "Date", "Time", "DateTime", "Interval", "Uuid", "PickleType", "JSON", "Enum", "NullType"]
)


def _type_of_value(value: Any) -> TypeEngine[Any]:
    for python, made in ((bool, Boolean), (int, Integer), (float, Float), (str, String), (bytes, LargeBinary)):
        if isinstance(value, python):
            return made()  # type: ignore[abstract]
    import datetime
    import decimal

    for python, made in ((datetime.datetime, DateTime), (datetime.date, Date), (datetime.time, Time),
                         (datetime.timedelta, Interval), (decimal.Decimal, Numeric)):  # fmt: skip
        if isinstance(value, python):
            return made()
    return NULLTYPE


_BY_KIND: dict[int, type[TypeEngine[Any]]] = {
    _NULL: NullType, _INTEGER: Integer, _SMALL_INTEGER: SmallInteger, _BIG_INTEGER: BigInteger, _BOOLEAN: Boolean,
    _FLOAT: Float, _NUMERIC: Numeric, _STRING: String, _TEXT: Text, _BINARY: LargeBinary, _DATE: Date, _TIME: Time,
    _DATETIME: DateTime,
}  # fmt: skip
_BY_NAME: dict[str, type[TypeEngine[Any]]] = {
    cls._name: cls
    for cls in (DECIMAL, REAL, DOUBLE, DOUBLE_PRECISION, CHAR, NVARCHAR, NCHAR, CLOB, BINARY, VARBINARY, TIMESTAMP)
    if cls._name is not None
}


def _of(
    kind: int, length: int, precision: int, scale: int, as_decimal: bool, timezone: bool, name: str | None
) -> TypeEngine[Any]:
    """The Python type of one that the engine made."""
    cls = _BY_NAME.get(name or "", _BY_KIND[kind])

    def number(value: int) -> int | None:
        return None if value < 0 else value

    if issubclass(cls, Float):
        return cls(number(precision), as_decimal)
    if issubclass(cls, Numeric):
        return cls(number(precision), number(scale), None, as_decimal)
    if issubclass(cls, (String, _Binary)):
        return cls(number(length))
    if issubclass(cls, _Timed):
        return cls(timezone)
    return cls()
