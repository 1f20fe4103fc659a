"""MySQL and MariaDB: the dialects and the types that only they have."""

from __future__ import annotations

from .._engine import MySQLInsert as Insert
from .._engine import mysql_insert as insert
from ..engine.default import DefaultDialect
from ..types import BINARY, BLOB, BOOLEAN, DATE, JSON, VARBINARY
from ._mysql_types import (
    BIGINT,
    BIT,
    CHAR,
    DATETIME,
    DECIMAL,
    DOUBLE,
    ENUM,
    FLOAT,
    INET4,
    INET6,
    INTEGER,
    LONGBLOB,
    LONGTEXT,
    MEDIUMBLOB,
    MEDIUMINT,
    MEDIUMTEXT,
    NCHAR,
    NUMERIC,
    NVARCHAR,
    REAL,
    SET,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    TINYBLOB,
    TINYINT,
    TINYTEXT,
    VARCHAR,
    YEAR,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


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

    @property
    def dbapi(self) -> Any:
        """A module with the driver's exceptions."""
        from . import _mysql_errors

        return _mysql_errors

    loaded_dbapi = dbapi


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
    "BIGINT", "BINARY", "BIT", "BLOB", "BOOLEAN", "CHAR", "DATE", "DATETIME", "DECIMAL", "DOUBLE", "ENUM", "FLOAT",
    "INET4", "INET6", "INTEGER", "Insert", "JSON", "LONGBLOB", "LONGTEXT", "MEDIUMBLOB", "MEDIUMINT", "MEDIUMTEXT",
    "NCHAR", "NUMERIC", "NVARCHAR", "REAL", "SET", "SMALLINT", "TEXT", "TIME", "TIMESTAMP", "TINYBLOB", "TINYINT",
    "TINYTEXT", "VARBINARY", "VARCHAR", "YEAR", "dialect", "insert",
)  # fmt: skip
