"""PostgreSQL: its dialect, its INSERT with ON CONFLICT, its types."""

from __future__ import annotations

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
    JSON,
    NUMERIC,
    REAL,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    UUID,
    VARCHAR,
    LargeBinary,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BYTEA(LargeBinary):
    """BYTEA."""

    _name = "BYTEA"


class JSONB(JSON):
    """JSONB: JSON that the server has taken apart."""

    _name = "JSONB"


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
    "BIGINT", "BOOLEAN", "BYTEA", "CHAR", "DATE", "DOUBLE_PRECISION", "FLOAT", "INTEGER", "Insert", "JSON", "JSONB",
    "NUMERIC", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "UUID", "VARCHAR", "dialect", "insert",
)  # fmt: skip
