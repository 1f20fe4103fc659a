"""Dialects as programs see them: names and abilities of a database and its driver."""

from __future__ import annotations

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .url import URL


class DefaultDialect:
    """What every dialect says of itself."""

    name = "default"
    driver = "default"
    paramstyle = "named"
    positional = False
    is_async = False
    max_identifier_length = 9999
    default_schema_name: Optional[str] = None
    server_version_info: Optional[tuple[int, ...]] = None
    supports_alter = True
    supports_sane_rowcount = True
    supports_sane_multi_rowcount = True
    supports_native_boolean = False
    supports_sequences = False
    sequences_optional = False
    supports_statement_cache = True
    supports_default_values = True
    supports_multivalues_insert = True
    insert_returning = False
    update_returning = False
    delete_returning = False

    @property
    def dialect_description(self) -> str:
        """Dialect and driver."""
        return f"{self.name}+{self.driver}"

    @property
    def dbapi(self) -> Any:
        """A module with the driver's exceptions."""
        return None

    loaded_dbapi = dbapi


class SQLiteDialect(DefaultDialect):
    """SQLite."""

    name = "sqlite"
    driver = "pysqlite"
    paramstyle = "qmark"
    positional = True
    default_schema_name = "main"
    supports_alter = False
    insert_returning = True
    update_returning = True
    delete_returning = True

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


def dialect_class(url: URL) -> Any:
    """The class of a URL's dialect.

    :raises NoSuchModuleError: there is none, or no such driver.
    """
    name = url.get_backend_name()
    from .. import dialects

    if name not in dialects.__all__:
        raise exc.NoSuchModuleError(f"Can't load plugin: sqlalchemy.dialects:{url.drivername.replace('+', '.')}")
    _engine._driver_name(name, url.drivername.partition("+")[2] or None)
    return getattr(dialects, name).dialect
