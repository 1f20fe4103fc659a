"""Looking at the schema of a live database."""

from __future__ import annotations

import re

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Optional

__all__ = ["Inspector"]

_TYPES = {
    "BIGINT": "BIGINT", "BLOB": "BLOB", "BOOL": "BOOLEAN", "BOOLEAN": "BOOLEAN", "CHAR": "CHAR", "DATE": "DATE",
    "DATETIME": "DATETIME", "DECIMAL": "DECIMAL", "DOUBLE": "FLOAT", "FLOAT": "FLOAT", "INT": "INTEGER",
    "INTEGER": "INTEGER", "NUMERIC": "NUMERIC", "REAL": "REAL", "SMALLINT": "SMALLINT", "TEXT": "TEXT", "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP", "VARCHAR": "VARCHAR", "NVARCHAR": "NVARCHAR", "NCHAR": "NCHAR",
}  # fmt: skip


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type_of(declared: str) -> Any:
    """The type of a column's declaration, by its words; else by SQLite's rules of affinity."""
    from .. import types

    match = re.match(r"([\w ]+)(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?", declared)
    words = match.group(1).strip().upper() if match else ""
    sizes = [int(size) for size in match.groups()[1:] if size is not None] if match else []
    name = _TYPES.get(words)
    if name is None:
        if not words:
            return types.NullType()
        name = ("INTEGER" if "INT" in words else "TEXT" if any(part in words for part in ("CHAR", "CLOB", "TEXT")) else
                "REAL" if any(part in words for part in ("REAL", "FLOA", "DOUB")) else "NUMERIC")
    cls = getattr(types, name)
    try:
        return cls(*sizes)
    except TypeError:
        return cls()


class Inspector:
    """The schema of a database as it is now.

    :param bind: an Engine or a Connection.

    Example::

        inspect(engine).get_table_names()
    """

    def __new__(cls, bind: Any) -> Inspector:
        """The inspector of the database that this is."""
        if cls is Inspector and bind.dialect.name == "postgresql":
            from ._reflection_postgresql import PGInspector

            return object.__new__(PGInspector)
        if cls is Inspector and bind.dialect.name in ("mysql", "mariadb"):
            from ._reflection_mysql import MySQLInspector

            return object.__new__(MySQLInspector)
        return object.__new__(cls)

    def __init__(self, bind: Any):
        self.bind = bind
        self.engine = bind.engine
        self.dialect = bind.dialect

    @property
    def default_schema_name(self) -> Optional[str]:
        """The name of the schema that is meant when none is given."""
        return "main"

    def _rows(self, sql: str, *parameters: Any) -> list[Any]:
        if isinstance(self.bind, _engine.Connection):
            return list(self.bind.exec_driver_sql(sql, parameters).all())
        with self.bind.connect() as connection:
            return list(connection.exec_driver_sql(sql, parameters).all())

    def _pragma(self, name: str, argument: str, schema: Optional[str]) -> Iterator[dict[str, Any]]:
        prefix = "" if schema is None else _quoted(schema) + "."
        sql = f"PRAGMA {prefix}{name}({_quoted(argument)})"
        return iter([dict(row._mapping) for row in self._rows(sql)])

    def _names(self, kind: str, schema: Optional[str]) -> list[str]:
        master = "sqlite_master" if schema is None else _quoted(schema) + ".sqlite_master"
        rows = self._rows(
            f"SELECT name FROM {master} WHERE type = ? AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name", kind)
        return [row[0] for row in rows]

    def has_table(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> bool:
        """Whether there is a table or view of this name."""
        if isinstance(self.bind, _engine.Connection):
            return _engine._has_table(self.bind, table_name, schema)  # type: ignore[no-any-return]
        with self.bind.connect() as connection:
            return _engine._has_table(connection, table_name, schema)  # type: ignore[no-any-return]

    def get_table_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The tables."""
        return self._names("table", schema)

    def get_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The views."""
        return self._names("view", schema)

    def get_schema_names(self, **kw: Any) -> list[str]:
        """The schemas: of SQLite, the attached databases."""
        return [row[1] for row in self._rows("PRAGMA database_list") if row[1] != "temp"]

    def has_index(self, table_name: str, index_name: str, schema: Optional[str] = None, **kw: Any) -> bool:
        """Whether a table has an index of this name."""
        return any(index["name"] == index_name for index in self.get_indexes(table_name, schema))

    def _table_info(self, table: str, schema: Optional[str]) -> list[dict[str, Any]]:
        info = list(self._pragma("table_info", table, schema))
        if not info:
            raise exc.NoSuchTableError(f"{schema}.{table}" if schema else table)
        return info

    def get_columns(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each column: name, type, nullable, default, primary_key."""
        return [{"name": column["name"], "type": _type_of(column["type"]), "nullable": not column["notnull"],
                 "default": column["dflt_value"], "primary_key": column["pk"]}
                for column in self._table_info(table_name, schema)]  # fmt: skip

    def get_pk_constraint(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The primary key: constrained_columns, name."""
        keys = sorted((column["pk"], column["name"]) for column in self._table_info(table_name, schema) if column["pk"])
        return {"constrained_columns": [name for _, name in keys], "name": None}

    def get_foreign_keys(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each foreign key."""
        self._table_info(table_name, schema)
        keys: dict[int, dict[str, Any]] = {}
        for row in self._pragma("foreign_key_list", table_name, schema):
            actions = {"onupdate": row["on_update"], "ondelete": row["on_delete"]}
            options = {name: action for name, action in actions.items() if action != "NO ACTION"}
            key = keys.setdefault(row["id"], {
                "name": None, "constrained_columns": [], "referred_schema": schema, "referred_table": row["table"],
                "referred_columns": [], "options": options,
            })  # fmt: skip
            key["constrained_columns"].append(row["from"])
            if row["to"] is not None:
                key["referred_columns"].append(row["to"])
        for key in keys.values():
            if not key["referred_columns"]:
                key["referred_columns"] = self.get_pk_constraint(key["referred_table"], schema)["constrained_columns"]
        return [keys[number] for number in sorted(keys, reverse=True)]

    def _index_columns(self, name: str, schema: Optional[str]) -> list[Any]:
        return [row["name"] for row in self._pragma("index_info", name, schema)]

    def get_indexes(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each index that was created as one."""
        self._table_info(table_name, schema)
        found = [{"name": row["name"], "column_names": self._index_columns(row["name"], schema),
                  "unique": row["unique"], "dialect_options": {}}
                 for row in self._pragma("index_list", table_name, schema) if row["origin"] == "c"]  # fmt: skip
        return sorted(found, key=lambda index: index["name"])

    def get_unique_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each UNIQUE constraint."""
        self._table_info(table_name, schema)
        return [{"name": None, "column_names": self._index_columns(row["name"], schema)}
                for row in self._pragma("index_list", table_name, schema) if row["origin"] == "u"]  # fmt: skip

    def get_view_definition(self, view_name: str, schema: Optional[str] = None, **kw: Any) -> str:
        """The SQL of a view."""
        master = "sqlite_master" if schema is None else _quoted(schema) + ".sqlite_master"
        rows = self._rows(f"SELECT sql FROM {master} WHERE type = 'view' AND name = ?", view_name)
        if not rows:
            raise exc.NoSuchTableError(view_name)
        return rows[0][0]  # type: ignore[no-any-return]

    def clear_cache(self) -> None:
        """Nothing is kept between questions."""
