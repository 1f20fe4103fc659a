"""SQLite: its dialect, its INSERT with ON CONFLICT, its types."""

from __future__ import annotations

from .._engine import SQLiteInsert as Insert
from .._engine import sqlite_insert as insert
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
    from typing import Any, Optional


class SQLiteDialect:
    """What SQLite is like.

    Its objects serve compile(dialect=...) and conversions of types.
    """

    name = "sqlite"
    driver = "pysqlite"
    paramstyle = "qmark"
    positional = True
    supports_native_boolean = False
    supports_sequences = False
    sequences_optional = False
    supports_sane_rowcount = True
    insert_returning = update_returning = delete_returning = True
    default_schema_name = "main"
    _shared: Optional[SQLiteDialect] = None

    def __init__(self, **kw: Any) -> None:
        self.options = kw

    @classmethod
    def shared(cls) -> SQLiteDialect:
        """One object for all that need no other."""
        if cls._shared is None:
            cls._shared = cls()
        return cls._shared

    def type_descriptor(self, typeobj: Any) -> Any:
        """The type that SQLite uses for one."""
        from ..types import to_instance

        return to_instance(typeobj)

    def __repr__(self) -> str:
        return f"<SQLiteDialect object at {id(self):#x}>"


dialect = SQLiteDialect

__all__ = (
    "BIGINT", "BLOB", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DECIMAL", "FLOAT", "INTEGER", "Insert", "JSON",
    "NUMERIC", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "VARCHAR", "dialect", "insert",
)  # fmt: skip
