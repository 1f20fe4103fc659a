"""Classes of SQL expressions."""

from __future__ import annotations

from .._engine import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    Case,
    Cast,
    ClauseElement,
    ClauseList,
    ColumnClause,
    ColumnElement,
    Executable,
    Exists,
    Extract,
    False_,
    Function,
    FunctionFilter,
    Grouping,
    Label,
    Null,
    Over,
    ScalarSelect,
    TextClause,
    True_,
    Tuple,
    TypeCoerce,
    UnaryExpression,
)

ExpressionClauseList = ClauseList
OperatorExpression = ColumnElement
NamedColumn = ColumnClause
KeyedColumnElement = WrapsColumnExpression = ColumnElement
SQLCoreOperations = SQLColumnExpression = ColumnElement
DQLDMLClauseElement = CompilerElement = ClauseElement


class quoted_name(str):
    """A name that is quoted, or not, whatever it looks like.

    :param value: the name.
    :param quote: True, False, or None: as it looks.
    """

    quote: bool | None

    def __new__(cls, value: str, quote: bool | None = None) -> quoted_name:
        made = super().__new__(cls, value)
        made.quote = quote
        return made


__all__ = (
    "BinaryExpression", "BindParameter", "BooleanClauseList", "Case", "Cast", "ClauseElement", "ClauseList",
    "ColumnClause", "ColumnElement", "CompilerElement", "DQLDMLClauseElement", "Executable", "Exists",
    "ExpressionClauseList", "Extract", "False_", "Function", "FunctionFilter", "Grouping", "KeyedColumnElement",
    "Label", "NamedColumn", "Null", "OperatorExpression", "Over", "SQLColumnExpression", "SQLCoreOperations",
    "ScalarSelect", "TextClause", "True_", "Tuple", "TypeCoerce", "UnaryExpression", "WrapsColumnExpression",
    "quoted_name",
)  # fmt: skip
