"""Types that only PostgreSQL has, and what it has more of others."""

from __future__ import annotations

import re

from .. import types
from .._schema_ddl import Creatable
from ..types import ARRAY as _ARRAY
from ..types import _FORMS, _OWN, Enum, TypeEngine
from ._postgresql_operators import HSTORE as _HSTORE_OPERATORS
from ._postgresql_operators import Ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# Forms of texts: see corm_form in cormorant/value.h.
_INTEGERS, _NUMBERS, _DAYS, _MOMENTS, _INTERVALS, _ADDRESSES, _NETWORKS = 2, 4, 6, 8, 9, 12, 13
_RANGE, _MULTIRANGE = 0x20, 0x40


class _Own(TypeEngine):
    """A type that the server spells by its name, and whose values are texts."""

    _kind = _OWN
    _name: Optional[str] = None

    @property
    def python_type(self) -> type:
        """str."""
        return str


class _Formed(_Own):
    """A type whose texts stand for other values."""

    _converter = _FORMS
    _form = 0

    def _conversion(self) -> tuple[Any, ...]:
        return (self._form,)

    @property
    def python_type(self) -> type:
        """What its values are."""
        return object


class INTERVAL(types.Interval):
    """INTERVAL: datetime.timedelta. A month comes as 30 days and a year as 365.

    :param precision: digits of a second's fraction.
    :param fields: which parts are kept: "DAY TO SECOND".
    """

    _kind = _OWN
    _arguments = (("precision", None), ("fields", None))
    native = True
    second_precision = day_precision = None

    def __init__(self, precision: Optional[int] = None, fields: Optional[str] = None) -> None:
        self.precision = precision
        self.fields = fields
        words = ["INTERVAL", fields, None if precision is None else f"({int(precision)})"]
        self._name = " ".join(word for word in words if word)
        self._make()

    def _is_adapted(self) -> bool:
        return TypeEngine._is_adapted(self)

    def _for_dialect(self, name: str) -> TypeEngine:
        return TypeEngine._for_dialect(self, name)


class _Precise(types._Timed):
    _arguments = (("timezone", False), ("precision", None))
    _word = ""

    def __init__(self, timezone: bool = False, precision: Optional[int] = None) -> None:
        self.timezone = timezone
        self.precision = precision
        self._name = self._word
        if precision is not None:
            self._name = f"{self._word}({int(precision)}) WITH{'' if timezone else 'OUT'} TIME ZONE"
        self._make(timezone=timezone)


class TIMESTAMP(_Precise, types.TIMESTAMP):
    """TIMESTAMP.

    :param timezone: WITH TIME ZONE.
    :param precision: digits of a second's fraction.
    """

    _word = "TIMESTAMP"


class TIME(_Precise, types.TIME):
    """TIME.

    :param timezone: WITH TIME ZONE.
    :param precision: digits of a second's fraction.
    """

    _word = "TIME"


class BYTEA(types.LargeBinary):
    """BYTEA."""

    _name = "BYTEA"


class JSON(types.JSON):
    """JSON.

    :param none_as_null: None is SQL's NULL, not JSON's null.
    :param astext_type: the type of what is taken out as text.
    """

    def __init__(self, none_as_null: bool = False, astext_type: Any = None) -> None:
        super().__init__(none_as_null)
        self.astext_type = types.Text() if astext_type is None else astext_type


class JSONB(JSON):
    """JSONB: JSON that the server has taken apart."""

    _name = "JSONB"


class ARRAY(_ARRAY):
    """An array of the server's.

    :param item_type: the type of its items, which is no array itself.
    :param as_tuple: tuples in Python; False: lists.
    :param dimensions: how many lists lie in each other; None: as many as a value has.
    :param zero_indexes: in Python an index of 0 is the first item: 1 is added for the server.
    """


class ENUM(Creatable, Enum):
    """An enumeration of the server's: CREATE TYPE name AS ENUM.

    :param enums: the texts, or one enum.Enum class.
    :param name: of the type.
    :param create_type: create and drop it with its tables; False: with create() and drop() only.
    """

    def __init__(self, *enums: Any, name: Any = None, create_type: bool = True, **kw: Any) -> None:
        kw.pop("native_enum", None)
        super().__init__(*enums, name=name, create_type=create_type, **kw)

    def _run(self, connection: Any, checkfirst: Any, drop: bool) -> None:
        from .._schema_types import run_type

        run_type(connection, self, checkfirst, drop)


class BIT(_Own):
    """BIT or BIT VARYING: a text of 0 and 1.

    :param length: in bits; None: 1, or any number of varying ones.
    :param varying: BIT VARYING.
    """

    _arguments = (("length", None), ("varying", False))

    def __init__(self, length: Optional[int] = None, varying: bool = False) -> None:
        self.length = length if length is not None or varying else 1
        self.varying = varying
        self._name = ("BIT VARYING" if varying else "BIT") + ("" if self.length is None else f"({int(self.length)})")
        self._make()


class INET(_Formed):
    """INET: an address of ipaddress, or an interface where the size of its network is told."""

    _name = "INET"
    _form = _ADDRESSES


class CIDR(_Formed):
    """CIDR: a network of ipaddress."""

    _name = "CIDR"
    _form = _NETWORKS


class MACADDR(_Own):
    """MACADDR: text."""

    _name = "MACADDR"


class MACADDR8(_Own):
    """MACADDR8: text."""

    _name = "MACADDR8"


class MONEY(_Own):
    """MONEY: text, as the server's lc_monetary writes it."""

    _name = "MONEY"


class OID(_Own):
    """OID: int."""

    _name = "OID"

    @property
    def python_type(self) -> type:
        """int."""
        return int


class REGCLASS(_Own):
    """REGCLASS: the name of a table."""

    _name = "REGCLASS"


class REGCONFIG(_Own):
    """REGCONFIG: the name of a configuration of text search."""

    _name = "REGCONFIG"


class TSVECTOR(_Own):
    """TSVECTOR: a text that is ready to be searched."""

    _name = "TSVECTOR"


class TSQUERY(_Own):
    """TSQUERY: what is searched for in a text."""

    _name = "TSQUERY"


class JSONPATH(_Own):
    """JSONPATH: a path into JSON."""

    _name = "JSONPATH"


class CITEXT(types.Text):
    """CITEXT of the extension citext: text that is compared without regard to case."""

    _name = "CITEXT"


class HSTORE(_Own):
    """HSTORE of the extension hstore: a dict of texts.

    :param text_type: the type of its values.
    """

    _name = "HSTORE"
    _converter = "h"
    _operators = _HSTORE_OPERATORS
    hashable = False

    def __init__(self, text_type: Any = None) -> None:
        self.text_type = types.Text() if text_type is None else text_type
        self._make()

    @property
    def python_type(self) -> type:
        """dict."""
        return dict


class AbstractRange(_Formed):
    """The base of ranges and multiranges."""

    _operators = Ranges


class AbstractSingleRange(AbstractRange):
    """The base of ranges."""

    @property
    def python_type(self) -> type:
        """Range."""
        from ._ranges import Range

        return Range


class AbstractMultiRange(AbstractRange):
    """The base of multiranges."""

    @property
    def python_type(self) -> type:
        """MultiRange."""
        from ._ranges import MultiRange

        return MultiRange


class INT4RANGE(AbstractSingleRange):
    """INT4RANGE: Range of int."""

    _name = "INT4RANGE"
    _form = _RANGE | _INTEGERS


class INT8RANGE(AbstractSingleRange):
    """INT8RANGE: Range of int."""

    _name = "INT8RANGE"
    _form = _RANGE | _INTEGERS


class NUMRANGE(AbstractSingleRange):
    """NUMRANGE: Range of Decimal."""

    _name = "NUMRANGE"
    _form = _RANGE | _NUMBERS


class DATERANGE(AbstractSingleRange):
    """DATERANGE: Range of date."""

    _name = "DATERANGE"
    _form = _RANGE | _DAYS


class TSRANGE(AbstractSingleRange):
    """TSRANGE: Range of datetime."""

    _name = "TSRANGE"
    _form = _RANGE | _MOMENTS


class TSTZRANGE(AbstractSingleRange):
    """TSTZRANGE: Range of datetime with an offset."""

    _name = "TSTZRANGE"
    _form = _RANGE | _MOMENTS


class INT4MULTIRANGE(AbstractMultiRange):
    """INT4MULTIRANGE: ranges of int."""

    _name = "INT4MULTIRANGE"
    _form = _MULTIRANGE | _INTEGERS


class INT8MULTIRANGE(AbstractMultiRange):
    """INT8MULTIRANGE: ranges of int."""

    _name = "INT8MULTIRANGE"
    _form = _MULTIRANGE | _INTEGERS


class NUMMULTIRANGE(AbstractMultiRange):
    """NUMMULTIRANGE: ranges of Decimal."""

    _name = "NUMMULTIRANGE"
    _form = _MULTIRANGE | _NUMBERS


class DATEMULTIRANGE(AbstractMultiRange):
    """DATEMULTIRANGE: ranges of date."""

    _name = "DATEMULTIRANGE"
    _form = _MULTIRANGE | _DAYS


class TSMULTIRANGE(AbstractMultiRange):
    """TSMULTIRANGE: ranges of datetime."""

    _name = "TSMULTIRANGE"
    _form = _MULTIRANGE | _MOMENTS


class TSTZMULTIRANGE(AbstractMultiRange):
    """TSTZMULTIRANGE: ranges of datetime with an offset."""

    _name = "TSTZMULTIRANGE"
    _form = _MULTIRANGE | _MOMENTS


_BY_WORD: dict[str, Any] = {
    cls._name.lower(): cls
    for cls in (
        INET, CIDR, MACADDR, MACADDR8, MONEY, OID, REGCLASS, REGCONFIG, TSVECTOR, TSQUERY, JSONPATH, CITEXT, HSTORE,
        INT4RANGE, INT8RANGE, NUMRANGE, DATERANGE, TSRANGE, TSTZRANGE, INT4MULTIRANGE, INT8MULTIRANGE, NUMMULTIRANGE,
        DATEMULTIRANGE, TSMULTIRANGE, TSTZMULTIRANGE, JSON, JSONB, types.UUID, BYTEA,
    )
    if cls._name is not None
}  # fmt: skip


# -- types as the catalogue spells them

_WORDS: dict[str, Any] = {
    **_BY_WORD, "bigint": types.BIGINT, "boolean": types.BOOLEAN, "character": types.CHAR, "date": types.DATE,
    "character varying": types.VARCHAR, "double precision": types.DOUBLE_PRECISION, "integer": types.INTEGER,
    "numeric": types.NUMERIC, "real": types.REAL, "smallint": types.SMALLINT, "text": types.TEXT,
}  # fmt: skip
_SPELLING = re.compile(r"([a-z0-9 ]+?) ?(?:\(([0-9, ]+)\))?( with(?:out)? time zone)?")


def type_of_text(text: Optional[str], name: Optional[str]) -> Any:
    """The type that format_type() spells so; None: one that is left to others, or not known.

    :param text: "character varying(5)[]", "enum('a','b')".
    :param name: of an enumeration.
    """
    if text is None:
        return None
    is_item = text.endswith("[]")
    base = text.removesuffix("[]")
    if base.startswith("enum("):
        labels = [value.replace("''", "'") for value in re.findall(r"'((?:[^']|'')*)'", base)]
        made: Any = ENUM(*labels, name=name)
    else:
        found = _SPELLING.fullmatch(base)
        made = None if found is None else _spelled(found[1], found[2], found[3], is_item)
    return ARRAY(made) if made is not None and is_item else made


def _spelled(words: str, arguments: Optional[str], zone: Optional[str], is_item: bool) -> Any:
    sizes = [int(size) for size in arguments.split(",")] if arguments else []
    precision = sizes[0] if sizes else None
    if words in ("timestamp", "time"):
        cls: Any = TIMESTAMP if words == "timestamp" else TIME
        return cls(timezone=zone == " with time zone", precision=precision)
    if words == "interval" or words.startswith("interval "):
        return INTERVAL(precision, words[9:].upper() or None)
    if words in ("bit", "bit varying"):
        return BIT(precision, varying=words == "bit varying")
    cls = _WORDS.get(words)
    return None if cls is None or (not is_item and words not in _BY_WORD) else cls(*sizes)
