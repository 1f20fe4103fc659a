"""Types that the database knows by a name of their own: enumerations of PostgreSQL, created and dropped with tables."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional

    from .schema import Table

_THERE = (
    "SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
    "WHERE t.typname = CAST(:name AS TEXT) AND CASE WHEN CAST(:schema AS TEXT) IS NULL "
    "THEN pg_catalog.pg_type_is_visible(t.oid) ELSE n.nspname = CAST(:schema AS TEXT) END"
)


def named_type(type_: Any) -> Any:
    """The enumeration that a type is on PostgreSQL, or holds; None: none that has to be created."""
    from .types import Enum, _Decorated

    found = type_._on("postgresql")
    while isinstance(found, _Decorated) or getattr(found, "item_type", None) is not None:
        found = found._inner if isinstance(found, _Decorated) else found.item_type._on("postgresql")
    return found if isinstance(found, Enum) and found.native_enum and found.create_type else None


def types_of(tables: Iterable[Table], more: Iterable[Any] = ()) -> list[Any]:
    """The enumerations that some tables need, each once.

    :param tables: the tables.
    :param more: other types.
    """
    found: dict[tuple[Optional[str], Optional[str]], Any] = {}
    for type_ in [*more, *(column.type for table in tables for column in table.c)]:
        named = named_type(type_)
        if named is not None:
            found.setdefault((named.schema, named.name), named)
    return list(found.values())


def run_types(connection: Any, types: Iterable[Any], drop: bool) -> None:
    """Create types that are not there, or drop those that are.

    :param connection: a Connection.
    :param types: the enumerations.
    :param drop: drop them.
    """
    for type_ in types:
        run_type(connection, type_, True, drop)


def run_type(connection: Any, type_: Any, checkfirst: Any, drop: bool) -> None:
    """Create or drop one type.

    :param connection: a Connection.
    :param type_: the enumeration.
    :param checkfirst: unless it is there, or if it is there.
    :param drop: drop it.
    """
    dialect = connection.dialect
    if dialect.name != "postgresql":
        return
    if type_.name is None:
        raise exc.CompileError("PostgreSQL ENUM type requires a name.")
    if checkfirst:
        given = {"name": type_.name, "schema": type_.schema}
        if (connection.execute(_engine.text(_THERE), given).first() is not None) != drop:
            return
    name = type_._spelling(dialect.name)
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in type_.enums)
    _engine._run_ddl(connection, f"DROP TYPE {name}" if drop else f"CREATE TYPE {name} AS ENUM ({labels})")
