"""Types that only MariaDB and MySQL have, and what they have more of others."""

from __future__ import annotations

import re

from .. import exc, types
from ..types import _METHODS, _OWN, Enum, TypeEngine, _Binary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional


def _sized(name: str, *sizes: Optional[int]) -> str:
    given = [str(int(size)) for size in sizes if size is not None]
    return f"{name}({', '.join(given)})" if given else name


def _quoted(texts: Iterable[str]) -> str:
    """Texts as literals: backslashes doubled too, as the server may take them for escapes."""
    return ",".join("'" + value.replace("\\", "\\\\").replace("'", "''") + "'" for value in texts)


# -- numbers


class _Whole(types.Integer):
    """Whole numbers: what their family shares.

    :param display_width: of older servers' output.
    :param unsigned: none below zero, and twice as many above.
    :param zerofill: filled up with zeros; unsigned as well.
    """

    _arguments = (("display_width", None), ("unsigned", False), ("zerofill", False))
    _word = ""

    def __init__(
        self, display_width: Optional[int] = None, *, unsigned: bool = False, zerofill: bool = False, **kw: Any
    ) -> None:
        self.display_width = display_width
        self.unsigned = unsigned
        self.zerofill = zerofill
        self._name = _sized(self._word, display_width) + _flags(unsigned, zerofill)
        self._make()


def _flags(unsigned: bool, zerofill: bool) -> str:
    return (" UNSIGNED" if unsigned else "") + (" ZEROFILL" if zerofill else "")


class TINYINT(_Whole):
    """TINYINT: 8 bits."""

    _kind = types.SmallInteger._kind
    _word = "TINYINT"


class SMALLINT(_Whole, types.SMALLINT):
    """SMALLINT: 16 bits."""

    _kind = types.SmallInteger._kind
    _word = "SMALLINT"


class MEDIUMINT(_Whole):
    """MEDIUMINT: 24 bits."""

    _word = "MEDIUMINT"


class INTEGER(_Whole, types.INTEGER):
    """INTEGER: 32 bits."""

    _word = "INTEGER"


class BIGINT(_Whole, types.BIGINT):
    """BIGINT: 64 bits."""

    _kind = types.BigInteger._kind
    _word = "BIGINT"


class _Fraction(types.NumericCommon):
    """Numbers that are not whole: what their family shares.

    :param precision: digits in all.
    :param scale: digits after the point.
    :param asdecimal: Decimal in Python; False: float.
    :param unsigned: none below zero.
    :param zerofill: filled up with zeros; unsigned as well.
    """

    _arguments: tuple[tuple[str, Any], ...] = (
        ("precision", None), ("scale", None), ("asdecimal", True), ("unsigned", False), ("zerofill", False),
    )  # fmt: skip
    _word = ""

    def __init__(
        self, precision: Optional[int] = None, scale: Optional[int] = None, asdecimal: bool = True, *,
        unsigned: bool = False, zerofill: bool = False, decimal_return_scale: Optional[int] = None, **kw: Any,
    ) -> None:  # fmt: skip
        if self._kind == types.Float._kind and self._word != "FLOAT" and (precision is None) != (scale is None):
            raise exc.ArgumentError("You must specify both precision and scale or omit both altogether.")
        self.precision = precision
        self.scale = scale
        self.asdecimal = asdecimal
        self.unsigned = unsigned
        self.zerofill = zerofill
        self.decimal_return_scale = decimal_return_scale
        self._name = _sized(self._word, precision, None if precision is None else scale) + _flags(unsigned, zerofill)
        # The name says all; a scale decides how many digits inexact numbers come back with as decimals.
        self._be(self._kind, -1, -1, -1 if scale is None or self._kind != types.Float._kind else scale, asdecimal,
                 False, self._name, None)  # fmt: skip


class NUMERIC(_Fraction, types.NUMERIC):
    """NUMERIC: exact."""

    _kind = types.Numeric._kind
    _word = "NUMERIC"


class DECIMAL(_Fraction, types.DECIMAL):
    """DECIMAL: exact."""

    _kind = types.Numeric._kind
    _word = "DECIMAL"


class DOUBLE(_Fraction, types.DOUBLE):
    """DOUBLE: 64 bits."""

    _kind = types.Float._kind
    _word = "DOUBLE"


class REAL(_Fraction, types.REAL):
    """REAL: DOUBLE."""

    _kind = types.Float._kind
    _word = "REAL"


class FLOAT(_Fraction, types.FLOAT):
    """FLOAT: 32 bits; float in Python."""

    _kind = types.Float._kind
    _word = "FLOAT"

    def __init__(
        self, precision: Optional[int] = None, scale: Optional[int] = None, asdecimal: bool = False, **kw: Any
    ) -> None:
        super().__init__(precision, scale, asdecimal, **kw)


class BIT(TypeEngine):
    """BIT: int.

    :param length: in bits, 1 to 64; None: 1.
    """

    _kind = _OWN
    _converter = _METHODS
    _arguments = (("length", None),)

    def __init__(self, length: Optional[int] = None) -> None:
        self.length = length
        self._name = _sized("BIT", length)
        self._make()

    def _bind(self, value: Any) -> Any:
        return value

    def _result(self, value: Any) -> Any:
        return int.from_bytes(value, "big") if isinstance(value, bytes) else value

    @property
    def python_type(self) -> type:
        """int."""
        return int


class YEAR(types.SmallInteger):
    """YEAR: int, 1901 to 2155, and 0.

    :param display_width: 4.
    """

    _arguments = (("display_width", None),)

    def __init__(self, display_width: Optional[int] = None) -> None:
        self.display_width = display_width
        self._name = _sized("YEAR", display_width)
        self._make()


# -- dates and times


class _Fine(types._Timed):
    """Points in time: what their family shares.

    :param timezone: means nothing here.
    :param fsp: digits of a second's fraction, 0 to 6; None: whole seconds.
    """

    _arguments = (("timezone", False), ("fsp", None))
    _word = ""

    def __init__(self, timezone: bool = False, fsp: Optional[int] = None) -> None:
        self.timezone = timezone
        self.fsp = fsp
        self._name = _sized(self._word, fsp)
        self._make(timezone=timezone)


class DATETIME(_Fine, types.DATETIME):
    """DATETIME."""

    _word = "DATETIME"


class TIMESTAMP(_Fine, types.TIMESTAMP):
    """TIMESTAMP: a point in time after 1970, kept in UTC."""

    _word = "TIMESTAMP"


class TIME(_Fine, types.TIME):
    """TIME."""

    _word = "TIME"


# -- texts and bytes


class _Texts(types.String):
    """Texts: what their family shares.

    :param length: in characters.
    :param charset: CHARACTER SET.
    :param collation: COLLATE.
    :param ascii: a character set of old.
    :param unicode: a character set of old.
    :param binary: compared by their bytes.
    :param national: the server's national character set.
    """

    _arguments: tuple[tuple[str, Any], ...] = (
        ("length", None), ("charset", None), ("collation", None), ("ascii", False), ("unicode", False),
        ("binary", False), ("national", False),
    )  # fmt: skip
    _word = ""

    def __init__(
        self, length: Optional[int] = None, *, charset: Optional[str] = None, collation: Optional[str] = None,
        ascii: bool = False, unicode: bool = False, binary: bool = False, national: bool = False, **kw: Any,
    ) -> None:  # fmt: skip
        self.length = length
        self.charset = charset
        self.collation = collation
        self.ascii = ascii
        self.unicode = unicode
        self.binary = binary
        self.national = national
        self._name = ("NATIONAL " if national else "") + _sized(self._word, length) + self._end()
        self._be(self._kind, -1, -1, -1, False, False, self._name, None)

    def _end(self) -> str:
        for name in (self.charset, self.collation):
            if name is not None and not re.fullmatch(r"\w+", name):
                raise exc.ArgumentError(f"{name!r} is no name of a character set or collation")
        kind = f" CHARACTER SET {self.charset}" if self.charset else " ASCII" if self.ascii else ""
        kind = kind or (" UNICODE" if self.unicode else "")
        return kind + (f" COLLATE {self.collation}" if self.collation else " BINARY" if self.binary else "")


class VARCHAR(_Texts, types.VARCHAR):
    """VARCHAR."""

    _word = "VARCHAR"


class CHAR(_Texts, types.CHAR):
    """CHAR."""

    _word = "CHAR"


class NVARCHAR(_Texts, types.NVARCHAR):
    """NATIONAL VARCHAR."""

    _word = "VARCHAR"

    def __init__(self, length: Optional[int] = None, **kw: Any) -> None:
        super().__init__(length, **{**kw, "national": True})


class NCHAR(_Texts, types.NCHAR):
    """NATIONAL CHAR."""

    _word = "CHAR"

    def __init__(self, length: Optional[int] = None, **kw: Any) -> None:
        super().__init__(length, **{**kw, "national": True})


class TEXT(_Texts, types.TEXT):
    """TEXT: 64 KiB."""

    _kind = types.Text._kind
    _word = "TEXT"


class TINYTEXT(_Texts):
    """TINYTEXT: 255 bytes."""

    _kind = types.Text._kind
    _word = "TINYTEXT"


class MEDIUMTEXT(_Texts):
    """MEDIUMTEXT: 16 MiB."""

    _kind = types.Text._kind
    _word = "MEDIUMTEXT"


class LONGTEXT(_Texts):
    """LONGTEXT: 4 GiB."""

    _kind = types.Text._kind
    _word = "LONGTEXT"


class TINYBLOB(_Binary):
    """TINYBLOB: 255 bytes."""

    _name = "TINYBLOB"


class MEDIUMBLOB(_Binary):
    """MEDIUMBLOB: 16 MiB."""

    _name = "MEDIUMBLOB"


class LONGBLOB(_Binary):
    """LONGBLOB: 4 GiB."""

    _name = "LONGBLOB"


# -- one of some, some of some


class ENUM(Enum):
    """ENUM: one of some texts.

    :param enums: the texts, or one enum.Enum class.
    :param charset: CHARACTER SET.
    :param collation: COLLATE.
    """

    def __init__(self, *enums: Any, **kw: Any) -> None:
        self.charset = kw.pop("charset", None)
        for ignored in ("strict", "ascii", "unicode", "binary", "national", "native_enum"):
            kw.pop(ignored, None)
        super().__init__(*enums, **kw)

    def _make_enum(self) -> None:
        name = f"ENUM({_quoted(self.enums)})" + _Texts._end(self)  # type: ignore[arg-type]
        self._be(_OWN, -1, -1, -1, False, False, name, None)

    ascii = unicode = binary = False


class SET(TypeEngine):
    """SET: any of some texts, a set in Python.

    :param values: the texts.
    :param retrieve_as_bitwise: they travel as a number, a bit for each: needed when one of them is "".
    :param charset: CHARACTER SET.
    :param collation: COLLATE.

    Alone, "" cannot be told from an empty set when it is read.
    """

    _kind = _OWN
    _converter = _METHODS
    hashable = False
    ascii = unicode = binary = False

    def __init__(self, *values: str, **kw: Any) -> None:
        self.retrieve_as_bitwise = kw.pop("retrieve_as_bitwise", False)
        self.charset = kw.pop("charset", None)
        self.collation = kw.pop("collation", None)
        self.values = tuple(values)
        if not self.retrieve_as_bitwise and "" in values:
            raise exc.ArgumentError(
                "Can't use the blank value '' in a SET without setting retrieve_as_bitwise=True"
            )
        self._name = f"SET({_quoted(values)})" + _Texts._end(self)  # type: ignore[arg-type]
        self._bits = {value: 1 << place for place, value in enumerate(values)}
        self._make()

    def _bind(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, int)):
            return value
        if not self.retrieve_as_bitwise:
            return ",".join(value)
        number = 0
        for one in value:
            number |= self._bits[one]
        return number

    def _result(self, value: Any) -> Any:
        if value is None or isinstance(value, set):
            return value
        if isinstance(value, int):
            return {one for one, bit in self._bits.items() if value & bit}
        return set(value.split(",")) if value else set()

    @property
    def python_type(self) -> type:
        """set."""
        return set

    def _shown(self) -> list[str]:
        shown = [repr(value) for value in self.values]
        return [*shown, "retrieve_as_bitwise=True"] if self.retrieve_as_bitwise else shown


class _Address(TypeEngine):
    _kind = _OWN

    @property
    def python_type(self) -> type:
        """str."""
        return str


class INET4(_Address):
    """INET4 of MariaDB: text."""

    _name = "INET4"


class INET6(_Address):
    """INET6 of MariaDB: text."""

    _name = "INET6"


# -- types as the catalogue spells them

_WHOLE: dict[str, Any] = {
    "tinyint": TINYINT, "smallint": SMALLINT, "mediumint": MEDIUMINT, "int": INTEGER, "bigint": BIGINT,
}  # fmt: skip
_FRACTIONS: dict[str, Any] = {"decimal": DECIMAL, "double": DOUBLE, "float": FLOAT}
_FINE: dict[str, Any] = {"datetime": DATETIME, "timestamp": TIMESTAMP, "time": TIME}
_PLAIN: dict[str, Any] = {
    "tinytext": TINYTEXT, "mediumtext": MEDIUMTEXT, "longtext": LONGTEXT, "tinyblob": TINYBLOB,
    "mediumblob": MEDIUMBLOB, "longblob": LONGBLOB, "inet4": INET4, "inet6": INET6, "uuid": types.UUID,
}  # fmt: skip
_SPELLING = re.compile(r"(\w+)(?:\(([0-9,]+)\))?( unsigned)?( zerofill)?")
_LABEL = re.compile(r"'((?:[^']|'')*)'")


def type_of_text(text: Optional[str], collation: Optional[str]) -> Any:
    """The type that information_schema spells so; None: one that is left to others, or not known.

    :param text: "int(10) unsigned", "enum('a','b')".
    :param collation: where it is not the table's.
    """
    if text is None:
        return None
    if text.startswith(("enum(", "set(")):
        labels = [label.replace("''", "'") for label in _LABEL.findall(text)]
        if text.startswith("enum"):
            return ENUM(*labels, collation=collation)
        return SET(*labels, collation=collation, retrieve_as_bitwise="" in labels)
    found = _SPELLING.fullmatch(text)
    if found is None:
        return None
    word, sizes = found[1], [int(size) for size in (found[2] or "").split(",") if size]
    signs = {"unsigned": bool(found[3]), "zerofill": bool(found[4])}
    if word in _WHOLE and any(signs.values()):
        return _WHOLE[word](*sizes, **signs)
    if word in _FRACTIONS and (any(signs.values()) or (word != "decimal" and sizes)):
        return _FRACTIONS[word](*sizes, **signs)
    if word in _FINE and sizes:
        return _FINE[word](fsp=sizes[0])
    if word in ("bit", "year"):
        return (BIT if word == "bit" else YEAR)(*sizes)
    made = _PLAIN.get(word)
    if made is None:
        return None
    return made(collation=collation) if issubclass(made, _Texts) else made()
