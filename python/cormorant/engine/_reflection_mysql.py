"""Looking at the schema of a live MariaDB or MySQL database, by information_schema."""

from __future__ import annotations

import re

from .. import exc
from .reflection import Inspector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_TYPES = {
    "bigint": "BIGINT", "binary": "BINARY", "blob": "BLOB", "char": "CHAR", "date": "DATE", "datetime": "DATETIME",
    "decimal": "DECIMAL", "double": "DOUBLE", "float": "FLOAT", "int": "INTEGER", "json": "JSON", "longblob": "BLOB",
    "longtext": "TEXT", "mediumblob": "BLOB", "mediumint": "INTEGER", "mediumtext": "TEXT", "smallint": "SMALLINT",
    "text": "TEXT", "time": "TIME", "timestamp": "TIMESTAMP", "tinyblob": "BLOB", "tinyint": "SMALLINT",
    "tinytext": "TEXT", "uuid": "UUID", "varbinary": "VARBINARY", "varchar": "VARCHAR", "year": "SMALLINT",
}  # fmt: skip
_SIZED = {"char", "varchar", "binary", "varbinary", "decimal"}
_WITHOUT_ACTION = {"RESTRICT", "NO ACTION"}


def _type_of(declared: str) -> Any:
    """The type of a column's declaration: "varchar(50)", "decimal(10,2) unsigned"."""
    from .. import types

    match = re.match(r"(\w+)(?:\((\d+)(?:,(\d+))?\))?", declared)
    name = _TYPES.get(match.group(1)) if match else None
    if match is None or name is None:
        return types.NullType()
    if match.group(0) == "tinyint(1)":
        return types.BOOLEAN()
    sizes = [int(size) for size in match.group(2, 3) if size is not None] if match.group(1) in _SIZED else []
    return getattr(types, name)(*sizes)


class MySQLInspector(Inspector):
    """The schema of a MariaDB or MySQL database as it is now."""

    @property
    def default_schema_name(self) -> Optional[str]:
        """The database of the connection."""
        return self._rows("SELECT DATABASE()")[0][0]  # type: ignore[no-any-return]

    def _ask(self, what: str, schema: Optional[str], *parameters: Any) -> list[Any]:
        """A query whose first condition is left out: on the schema."""
        sql, _, rest = what.partition("{schema}")
        if schema is None:
            return self._rows(f"{sql}DATABASE(){rest}", *parameters)
        return self._rows(f"{sql}?{rest}", schema, *parameters)

    def _of_kind(self, kind: str, schema: Optional[str]) -> list[str]:
        rows = self._ask("SELECT table_name FROM information_schema.tables WHERE table_schema = {schema} "
                         "AND table_type = ? ORDER BY table_name", schema, kind)  # fmt: skip
        return [row[0] for row in rows]

    def _there(self, table: str, schema: Optional[str]) -> None:
        if not self.has_table(table, schema):
            raise exc.NoSuchTableError(f"{schema}.{table}" if schema else table)

    def get_table_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The tables."""
        return self._of_kind("BASE TABLE", schema)

    def get_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The views."""
        return self._of_kind("VIEW", schema)

    def get_sequence_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The sequences, which MariaDB has."""
        return self._of_kind("SEQUENCE", schema)

    def get_schema_names(self, **kw: Any) -> list[str]:
        """The databases of the server."""
        return [row[0] for row in self._rows("SELECT schema_name FROM information_schema.schemata ORDER BY 1")]

    def get_columns(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each column: name, type, nullable, default, autoincrement, comment."""
        self._there(table_name, schema)
        found = []
        for name, declared, nullable, default, extra, generated, comment in self._ask(
            "SELECT column_name, column_type, is_nullable, column_default, extra, generation_expression, "
            "column_comment FROM information_schema.columns WHERE table_schema = {schema} AND table_name = ? "
            "ORDER BY ordinal_position", schema, table_name,
        ):  # fmt: skip
            column = {"name": name, "type": _type_of(declared), "nullable": nullable == "YES",
                      "default": None if default == "NULL" else default,
                      "autoincrement": "auto_increment" in extra, "comment": comment or None}
            if generated:
                column["computed"] = {"sqltext": generated, "persisted": "STORED" in extra.upper()}
            found.append(column)
        return found

    def _index_rows(self, table: str, schema: Optional[str]) -> dict[str, tuple[bool, list[str]]]:
        self._there(table, schema)
        found: dict[str, tuple[bool, list[str]]] = {}
        for name, not_unique, column in self._ask(
            "SELECT index_name, non_unique, column_name FROM information_schema.statistics "
            "WHERE table_schema = {schema} AND table_name = ? ORDER BY index_name, seq_in_index",
            schema, table,
        ):  # fmt: skip
            found.setdefault(name, (not not_unique, []))[1].append(column)
        return found

    def get_pk_constraint(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The primary key: constrained_columns, name."""
        key = self._index_rows(table_name, schema).get("PRIMARY", (True, []))
        return {"constrained_columns": key[1], "name": None}

    def get_indexes(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each index; a UNIQUE constraint is one too."""
        return [{"name": name, "column_names": columns, "unique": unique}
                for name, (unique, columns) in self._index_rows(table_name, schema).items()
                if name != "PRIMARY"]  # fmt: skip

    def get_unique_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each UNIQUE constraint, which is an index of the same name."""
        return [{"name": index["name"], "column_names": index["column_names"], "duplicates_index": index["name"]}
                for index in self.get_indexes(table_name, schema) if index["unique"]]  # fmt: skip

    def get_check_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each CHECK constraint of MariaDB."""
        self._there(table_name, schema)
        rows = self._ask(
            "SELECT constraint_name, check_clause FROM information_schema.check_constraints "
            "WHERE constraint_schema = {schema} AND table_name = ? ORDER BY constraint_name", schema, table_name)
        return [{"name": name, "sqltext": clause} for name, clause in rows]

    def get_foreign_keys(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each foreign key."""
        self._there(table_name, schema)
        found: dict[str, dict[str, Any]] = {}
        for name, column, other_schema, other, referred, on_update, on_delete, elsewhere in self._ask(
            "SELECT k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, "
            "k.referenced_column_name, r.update_rule, r.delete_rule, k.referenced_table_schema != k.table_schema "
            "FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r "
            "ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name "
            "AND r.table_name = k.table_name "
            "WHERE k.table_schema = {schema} AND k.table_name = ? AND k.referenced_table_name IS NOT NULL "
            "ORDER BY k.constraint_name, k.ordinal_position", schema, table_name,
        ):  # fmt: skip
            options = {word: rule for word, rule in (("onupdate", on_update), ("ondelete", on_delete))
                       if rule not in _WITHOUT_ACTION}
            key = found.setdefault(name, {
                "name": name, "constrained_columns": [], "referred_columns": [], "referred_table": other,
                "referred_schema": other_schema if elsewhere or schema is not None else None, "options": options,
            })  # fmt: skip
            key["constrained_columns"].append(column)
            key["referred_columns"].append(referred)
        return list(found.values())

    def get_table_comment(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The table's comment: text."""
        self._there(table_name, schema)
        rows = self._ask("SELECT table_comment FROM information_schema.tables WHERE table_schema = {schema} "
                         "AND table_name = ?", schema, table_name)  # fmt: skip
        return {"text": rows[0][0] or None}

    def get_view_definition(self, view_name: str, schema: Optional[str] = None, **kw: Any) -> str:
        """The SQL of a view."""
        rows = self._ask("SELECT view_definition FROM information_schema.views WHERE table_schema = {schema} "
                         "AND table_name = ?", schema, view_name)  # fmt: skip
        if not rows:
            raise exc.NoSuchTableError(f"{schema}.{view_name}" if schema else view_name)
        return rows[0][0]  # type: ignore[no-any-return]
