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
    from typing import Any, Optional


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
    _shared: Optional[PGDialect] = None

    def __init__(self, **kw: Any) -> None:
        self.options = kw

    @classmethod
    def shared(cls) -> PGDialect:
        """One object for all that need no other."""
        if cls._shared is None:
            cls._shared = cls()
        return cls._shared

    @property
    def dbapi(self) -> Any:
        from .. import _dbapi

        return _dbapi

    loaded_dbapi = dbapi

    def type_descriptor(self, typeobj: Any) -> Any:
        """The type that PostgreSQL uses for one."""
        from ..types import to_instance

        return to_instance(typeobj)

    def get_isolation_level_values(self, dbapi_conn: Any = None) -> list[str]:
        """The isolation levels that a connection takes."""
        return ["AUTOCOMMIT", "READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

    def __repr__(self) -> str:
        return f"<PGDialect object at {id(self):#x}>"


dialect = PGDialect

__all__ = (
    "BIGINT", "BOOLEAN", "BYTEA", "CHAR", "DATE", "DOUBLE_PRECISION", "FLOAT", "INTEGER", "Insert", "JSON", "JSONB",
    "NUMERIC", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "UUID", "VARCHAR", "dialect", "insert",
)  # fmt: skip
