"""Dialects as programs see them: names and abilities of a database and its driver."""

from __future__ import annotations

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Self

    from .url import URL


class DefaultDialect:
    """What every dialect says of itself. Its objects serve compile(dialect=...) and conversions of types."""

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
    _shared: Optional[Self] = None

    def __init__(self, **kw: Any) -> None:
        self.options = kw

    @classmethod
    def shared(cls) -> Self:
        """One object of the class for all that need no other."""
        made: Optional[Self] = cls.__dict__.get("_shared")
        if made is None:
            made = cls._shared = cls()
        return made

    def type_descriptor(self, typeobj: Any) -> Any:
        """The type that the database uses for one."""
        from ..types import to_instance

        return to_instance(typeobj)

    def get_isolation_level_values(self, dbapi_conn: Any = None) -> list[str]:
        """The isolation levels that a connection takes."""
        return ["AUTOCOMMIT", "READ COMMITTED", "READ UNCOMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"

    @property
    def dialect_description(self) -> str:
        """Dialect and driver."""
        return f"{self.name}+{self.driver}"

    @property
    def dbapi(self) -> Any:
        """A module with the driver's exceptions."""
        return None

    loaded_dbapi = dbapi


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
