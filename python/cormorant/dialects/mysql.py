"""MySQL and MariaDB: the dialects and the types that only they have."""

from __future__ import annotations

from .._engine import MySQLInsert as Insert
from .._engine import mysql_insert as insert
from ..engine.default import DefaultDialect
from ..types import (
    BIGINT,
    BINARY,
    BLOB,
    BOOLEAN,
    CHAR,
    DATE,
    DATETIME,
    DECIMAL,
    FLOAT,
    INTEGER,
    JSON,
    NCHAR,
    NUMERIC,
    NVARCHAR,
    REAL,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    VARBINARY,
    VARCHAR,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class MySQLDialect(DefaultDialect):
    """What MySQL is like. Its objects serve compile(dialect=...) and conversions of types."""

    name = "mysql"
    driver = "mysqldb"
    paramstyle = "format"
    positional = True
    max_identifier_length = 255
    max_index_name_length = 64
    max_constraint_name_length = 64
    supports_default_values = False
    is_mariadb = False
    _shared: Optional[MySQLDialect] = None

    def __init__(self, **kw: Any) -> None:
        self.options = kw

    @classmethod
    def shared(cls) -> MySQLDialect:
        """One object for all that need no other."""
        if "_shared" not in cls.__dict__:
            cls._shared = cls()
        assert cls._shared is not None
        return cls._shared

    @property
    def dbapi(self) -> Any:
        """A module with the driver's exceptions."""
        from . import _mysql_errors

        return _mysql_errors

    loaded_dbapi = dbapi

    def type_descriptor(self, typeobj: Any) -> Any:
        """The type that the database uses for one."""
        from ..types import to_instance

        return to_instance(typeobj)

    def get_isolation_level_values(self, dbapi_conn: Any = None) -> list[str]:
        """The isolation levels that a connection takes."""
        return ["AUTOCOMMIT", "READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"


class MariaDBDialect(MySQLDialect):
    """What MariaDB is like, beside MySQL."""

    name = "mariadb"
    is_mariadb = True
    supports_sequences = True
    sequences_optional = True
    insert_returning = True
    delete_returning = True


dialect = MySQLDialect

__all__ = (
    "BIGINT", "BINARY", "BLOB", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DECIMAL", "FLOAT", "INTEGER", "Insert", "JSON",
    "NCHAR", "NUMERIC", "NVARCHAR", "REAL", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "VARBINARY", "VARCHAR", "dialect",
    "insert",
)  # fmt: skip
