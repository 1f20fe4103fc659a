"""Cormorant: objects for rows. SQLAlchemy's public API on an engine written in C.

Names are imported from the modules that have them when they are first asked for: a program pays for what it uses.
"""

from __future__ import annotations

from ._missing import getattr_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import event as event
    from . import exc as exc
    from . import orm as orm
    from . import pool as pool
    from .engine import *  # noqa: F403
    from .engine import create_engine as create_engine
    from .inspection import inspect as inspect
    from .schema import *  # noqa: F403
    from .sql.expression import *  # noqa: F403
    from .types import *  # noqa: F403

__cormorant_version__ = "0.1.0"

# Programs look at sqlalchemy.__version__ to know the API's generation; this is the one that is spoken here.
__version__ = "2.1.0+cormorant.0.1.0"

# Where each name is.
_LATE = {
    "engine": (
        "BaseRow", "Connection", "CursorResult", "Dialect", "Engine", "ExceptionContext", "ExecutionContext",
        "Inspector", "MappingResult", "NestedTransaction", "Result", "ResultProxy", "RootTransaction", "Row",
        "RowMapping", "ScalarResult", "Transaction", "TupleResult", "URL", "create_engine", "create_pool_from_url",
        "engine_from_config", "make_url",
    ),
    "inspection": (
        "inspect",
    ),
    "pool": (
        "AssertionPool", "NullPool", "Pool", "PoolProxiedConnection", "PoolResetState", "QueuePool",
        "SingletonThreadPool", "StaticPool",
    ),
    "schema": (
        "BaseDDLElement", "BLANK_SCHEMA", "CheckConstraint", "Column", "ColumnDefault", "Computed", "Constraint",
        "CreateTable", "DDL", "DDLElement", "DefaultClause", "DropTable", "ExecutableDDLElement", "FetchedValue",
        "ForeignKey", "ForeignKeyConstraint", "Identity", "Index", "MetaData", "PrimaryKeyConstraint", "Sequence",
        "Table", "UniqueConstraint", "insert_sentinel",
    ),
    "types": (
        "ARRAY", "BIGINT", "BINARY", "BLOB", "BOOLEAN", "BigInteger", "Boolean", "CHAR", "CLOB", "DATE", "DATETIME",
        "DECIMAL", "DOUBLE", "DOUBLE_PRECISION", "Date", "DateTime", "Double", "Enum", "FLOAT", "Float", "INT",
        "INTEGER", "Integer", "Interval", "JSON", "LargeBinary", "NCHAR", "NUMERIC", "NVARCHAR", "Numeric",
        "NumericCommon", "PickleType", "REAL", "SMALLINT", "SmallInteger", "String", "TEXT", "TIME", "TIMESTAMP",
        "Text", "Time", "TypeDecorator", "UUID", "Unicode", "UnicodeText", "Uuid", "VARBINARY", "VARCHAR",
    ),
    "sql.expression": (
        "Alias", "BinaryExpression", "BindParameter", "BooleanClauseList", "CTE", "Case", "Cast", "ClauseElement",
        "ClauseList", "ColumnClause", "ColumnCollection", "ColumnElement", "ColumnExpressionArgument",
        "ColumnOperators", "CompoundSelect", "Delete", "Executable", "Exists", "Extract", "False_", "FromClause",
        "Function", "FunctionElement", "FunctionFilter", "GenerativeSelect", "Grouping", "HasCTE", "HasPrefixes",
        "Insert", "Join", "LABEL_STYLE_DEFAULT", "LABEL_STYLE_DISAMBIGUATE_ONLY", "LABEL_STYLE_NONE",
        "LABEL_STYLE_TABLENAME_PLUS_COL", "Label", "Null", "Operators", "Over", "ReturnsRows",
        "SQLColumnExpression", "ScalarSelect", "Select", "SelectBase", "SelectLabelStyle", "Selectable", "Subquery",
        "TableClause", "TextClause", "TextualSelect", "True_", "Tuple", "TypeCoerce", "UnaryExpression", "Update",
        "UpdateBase", "ValuesBase", "alias", "all_", "and_", "any_", "asc", "between", "bindparam", "bitwise_not",
        "case", "cast", "collate", "column", "cte", "custom_op", "delete", "desc", "distinct", "except_",
        "except_all", "exists", "extract", "false", "func", "funcfilter", "insert", "intersect", "intersect_all",
        "join", "label", "lateral", "literal", "literal_column", "not_", "null", "nulls_first", "nulls_last",
        "nullsfirst", "nullslast", "or_", "outerjoin", "over", "quoted_name", "select", "table", "text", "true",
        "tuple_", "type_coerce", "union", "union_all", "update",
    ),
}  # fmt: skip
_HOMES = {name: module for module, names in _LATE.items() for name in names}
_MODULES = frozenset(
    ("dialects", "engine", "event", "exc", "ext", "inspection", "log", "orm", "pool", "schema", "sql", "types")
)
_missing = getattr_of(__name__)


def install_as_sqlalchemy() -> None:
    """Let ``import sqlalchemy``, and of all its modules that exist here, give this package.

    Call it once, before anything imports SQLAlchemy; calling it again does nothing.

    :raises ImportError: the real SQLAlchemy was imported already.
    """
    from ._install import install_as_sqlalchemy as install

    install()


def _all() -> list[str]:
    """What ``from cormorant import *`` gives: every name that is there."""
    from importlib import import_module

    return [name for name, home in _HOMES.items() if hasattr(import_module(f"{__name__}.{home}"), name)]


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return _all()
    home = _HOMES.get(name)
    if home is None and name not in _MODULES:
        return _missing(name, 2)
    from importlib import import_module

    try:
        module = import_module(f"{__name__}.{home or name}")
        value = module if home is None else getattr(module, name)
    except AttributeError:
        return _missing(name, 2)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOMES) | _MODULES)
