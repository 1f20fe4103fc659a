"""FROMs and SELECTs: their classes, and table()."""

from __future__ import annotations

from .. import _engine
from .._engine import (
    CTE,
    Alias,
    CompoundSelect,
    Executable,
    Exists,
    FromClause,
    Join,
    ScalarSelect,
    Select,
    SelectBase,
    Subquery,
    TableClause,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

GenerativeSelect = SelectBase
AliasedReturnsRows = Alias
NamedFromClause = FromClause
Selectable = ReturnsRows = FromClause
HasCTE = HasPrefixes = Executable
TextualSelect = _engine.TextClause


class SelectLabelStyle(int):
    """How the columns of a result are called."""

    _names = ("LABEL_STYLE_DISAMBIGUATE_ONLY", "LABEL_STYLE_TABLENAME_PLUS_COL", "LABEL_STYLE_NONE")

    @property
    def name(self) -> str:
        """The constant's name."""
        return self._names[self]

    def __repr__(self) -> str:
        return f"<SelectLabelStyle.{self.name}: {int(self)}>"


LABEL_STYLE_DISAMBIGUATE_ONLY = SelectLabelStyle(0)
LABEL_STYLE_TABLENAME_PLUS_COL = SelectLabelStyle(1)
LABEL_STYLE_NONE = SelectLabelStyle(2)
LABEL_STYLE_DEFAULT = LABEL_STYLE_DISAMBIGUATE_ONLY


def _label_style(number: int) -> SelectLabelStyle:
    return (LABEL_STYLE_DISAMBIGUATE_ONLY, LABEL_STYLE_TABLENAME_PLUS_COL, LABEL_STYLE_NONE)[number]


class _PlainColumn(_engine.ColumnBase[Any] if TYPE_CHECKING else _engine.ColumnBase):  # type: ignore[misc]
    """A column of table()."""

    def __repr__(self) -> str:
        return f"<cormorant.sql.elements.ColumnClause at {id(self):#x}; {self.name}>"

    def __str__(self) -> str:
        table = self.table
        return str(self.name) if table is None else f"{table.name}.{self.name}"


def table(name: str, *columns: Any, schema: Optional[str] = None, **kw: Any) -> TableClause:
    """A table known by name and columns only.

    :param name: its name.
    :param columns: column() objects.
    :param schema: the schema that it is in.
    """
    metadata = _engine.MetaDataBase()
    metadata._init(None)
    made = TableClause()
    made._create(metadata, name, schema or "", None)
    for given in columns:
        plain = _PlainColumn()
        plain._init(given.name, given.type)
        made._append_column(plain, False)
    return made


def subquery(alias: Any, *args: Any, **kw: Any) -> Subquery:
    """A SELECT as a FROM."""
    made: Subquery = args[0].subquery(alias) if args else alias.subquery(**kw)
    return made


def cte(statement: Any, name: Optional[str] = None, recursive: bool = False) -> CTE:
    """A statement as a common table expression."""
    made: CTE = statement.cte(name, recursive=recursive) if recursive else statement.cte(name)
    return made


__all__ = (
    "Alias", "AliasedReturnsRows", "CTE", "CompoundSelect", "Executable", "Exists", "FromClause",
    "GenerativeSelect", "HasCTE", "HasPrefixes", "Join", "LABEL_STYLE_DEFAULT", "LABEL_STYLE_DISAMBIGUATE_ONLY",
    "LABEL_STYLE_NONE", "LABEL_STYLE_TABLENAME_PLUS_COL", "NamedFromClause", "ReturnsRows", "ScalarSelect",
    "Select", "SelectBase", "SelectLabelStyle", "Selectable", "Subquery", "TableClause", "TextualSelect", "cte",
    "subquery", "table",
)  # fmt: skip
