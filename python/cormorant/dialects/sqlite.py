"""SQLite: its dialect, its INSERT with ON CONFLICT, its types."""

from __future__ import annotations

from .._engine import SQLiteInsert as Insert
from .._engine import sqlite_insert as insert
from ..engine.default import DefaultDialect
from ..types import (
    BIGINT,
    BLOB,
    BOOLEAN,
    CHAR,
    DATE,
    DATETIME,
    DECIMAL,
    FLOAT,
    INTEGER,
    JSON,
    NUMERIC,
    REAL,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    VARCHAR,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SQLiteDialect(DefaultDialect):
    """What SQLite is like.

    Its objects serve compile(dialect=...) and conversions of types.
    """

    name = "sqlite"
    driver = "pysqlite"
    paramstyle = "qmark"
    positional = True
    insert_returning = update_returning = delete_returning = True
    default_schema_name = "main"
    supports_alter = False

    @property
    def server_version_info(self) -> tuple[int, ...]:  # type: ignore[override]
        """The version of the library."""
        from sqlite3 import sqlite_version_info

        return sqlite_version_info

    @property
    def dbapi(self) -> Any:
        import sqlite3

        return sqlite3

    loaded_dbapi = dbapi

    def get_isolation_level_values(self, dbapi_conn: Any = None) -> list[str]:
        """The isolation levels that a connection takes."""
        return ["READ UNCOMMITTED", "SERIALIZABLE", "AUTOCOMMIT"]


dialect = SQLiteDialect

__all__ = (
    "BIGINT", "BLOB", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DECIMAL", "FLOAT", "INTEGER", "Insert", "JSON",
    "NUMERIC", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "VARCHAR", "dialect", "insert",
)  # fmt: skip
