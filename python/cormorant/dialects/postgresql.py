"""PostgreSQL: its dialect, its INSERT with ON CONFLICT, its types."""

from __future__ import annotations

from .. import _engine
from .._engine import SQLiteInsert as Insert
from .._engine import sqlite_insert as insert
from ..engine.default import DefaultDialect
from ..types import (
    BIGINT,
    BOOLEAN,
    CHAR,
    DATE,
    DOUBLE_PRECISION,
    FLOAT,
    INTEGER,
    NUMERIC,
    REAL,
    SMALLINT,
    TEXT,
    UUID,
    VARCHAR,
)
from ._postgresql_types import (
    ARRAY,
    BIT,
    BYTEA,
    CIDR,
    CITEXT,
    DATEMULTIRANGE,
    DATERANGE,
    ENUM,
    HSTORE,
    INET,
    INT4MULTIRANGE,
    INT4RANGE,
    INT8MULTIRANGE,
    INT8RANGE,
    INTERVAL,
    JSON,
    JSONB,
    JSONPATH,
    MACADDR,
    MACADDR8,
    MONEY,
    NUMMULTIRANGE,
    NUMRANGE,
    OID,
    REGCLASS,
    REGCONFIG,
    TIME,
    TIMESTAMP,
    TSMULTIRANGE,
    TSQUERY,
    TSRANGE,
    TSTZMULTIRANGE,
    TSTZRANGE,
    TSVECTOR,
    AbstractMultiRange,
    AbstractRange,
    AbstractSingleRange,
)
from ._ranges import MultiRange, Range

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def array(clauses: Any, *, type_: Any = None, **kw: Any) -> Any:
    """ARRAY[...]: an array of expressions and values.

    :param clauses: what is in it.
    :param type_: the type of the items; None: that of the first that has one.
    """
    return _engine._array_literal(list(clauses), ARRAY, type_)


def array_agg(*arg: Any, **kw: Any) -> Any:
    """array_agg(expression): an array of a group's values.

    :param arg: the expression.
    :param kw: of func.array_agg().
    """
    kw.setdefault("type_", ARRAY(arg[0].type, dimensions=1))
    return _engine.func.array_agg(*arg, **kw)


class PGDialect(DefaultDialect):
    """What PostgreSQL is like.

    Its objects serve compile(dialect=...) and conversions of types.
    """

    name = "postgresql"
    driver = "psycopg"
    paramstyle = "pyformat"
    max_identifier_length = 63
    default_schema_name = "public"
    supports_native_boolean = True
    supports_sequences = True
    sequences_optional = True
    insert_returning = update_returning = delete_returning = True

    @property
    def dbapi(self) -> Any:
        from .. import _dbapi

        return _dbapi

    loaded_dbapi = dbapi


dialect = PGDialect

__all__ = (
    "ARRAY", "AbstractMultiRange", "AbstractRange", "AbstractSingleRange", "BIGINT", "BIT", "BOOLEAN", "BYTEA", "CHAR",
    "CIDR", "CITEXT", "DATE", "DATEMULTIRANGE", "DATERANGE", "DOUBLE_PRECISION", "ENUM", "FLOAT", "HSTORE", "INET",
    "INT4MULTIRANGE", "INT4RANGE", "INT8MULTIRANGE", "INT8RANGE", "INTEGER", "INTERVAL", "Insert", "JSON", "JSONB",
    "JSONPATH", "MACADDR", "MACADDR8", "MONEY", "MultiRange", "NUMERIC", "NUMMULTIRANGE", "NUMRANGE", "OID", "REAL",
    "REGCLASS", "REGCONFIG", "Range", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "TSMULTIRANGE", "TSQUERY", "TSRANGE",
    "TSTZMULTIRANGE", "TSTZRANGE", "TSVECTOR", "UUID", "VARCHAR", "array", "array_agg", "dialect", "insert",
)  # fmt: skip
