"""Looking at the schema of a live PostgreSQL database, by its catalogue."""

from __future__ import annotations

import re

from .. import exc
from .reflection import Inspector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_TYPES = {
    "bigint": "BIGINT", "boolean": "BOOLEAN", "bytea": "LargeBinary", "character": "CHAR",
    "character varying": "VARCHAR",
    "date": "DATE", "double precision": "DOUBLE_PRECISION", "integer": "INTEGER", "json": "JSON", "numeric": "NUMERIC",
    "real": "REAL", "smallint": "SMALLINT", "text": "TEXT", "time": "TIME", "timestamp": "TIMESTAMP", "uuid": "UUID",
}  # fmt: skip

_ACTIONS = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT", "r": "RESTRICT"}

_COLUMNS = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
           pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
           pg_catalog.col_description(a.attrelid, a.attnum)
    FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = CAST(:relation AS OID) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""

# Column numbers of a constraint or an index as names, in their order.
_NAMES = """
    (SELECT array_to_string(array_agg(replace(replace(a.attname, '\\', '\\\\'), ',', '\\c') ORDER BY k.place), ',')
     FROM unnest({numbers}) WITH ORDINALITY k(number, place)
     LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = {relation} AND a.attnum = k.number)
"""

_CONSTRAINTS = f"""
    SELECT c.conname, {_NAMES.format(numbers="c.conkey", relation="c.conrelid")}, n.nspname, f.relname,
           {_NAMES.format(numbers="c.confkey", relation="c.confrelid")}, c.confupdtype, c.confdeltype,
           c.condeferrable, c.condeferred, pg_catalog.pg_table_is_visible(c.confrelid),
           pg_catalog.pg_get_constraintdef(c.oid)
    FROM pg_catalog.pg_constraint c LEFT JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace
    WHERE c.conrelid = CAST(:relation AS OID) AND c.contype = CAST(:kind AS "char") ORDER BY c.conname
"""

_INDEXES = f"""
    SELECT i.relname, x.indisunique, {_NAMES.format(numbers="x.indkey::int2[]", relation="x.indrelid")},
           pg_catalog.pg_get_expr(x.indpred, x.indrelid), m.amname
    FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = i.relam
    WHERE x.indrelid = CAST(:relation AS OID) AND NOT x.indisprimary
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint c
                      WHERE c.conindid = x.indexrelid AND c.contype IN ('u', 'x'))
    ORDER BY i.relname
"""


def _type_of(declared: str) -> Any:
    from .. import types

    match = re.fullmatch(r"([a-z ]+?)(?:\((\d+)(?:,(\d+))?\))?( with(?:out)? time zone)?(?:\((\d+)\))?", declared)
    name = _TYPES.get(match.group(1)) if match else None
    if match is None or name is None:
        return types.NullType()
    cls = getattr(types, name)
    if match.group(4) is not None:
        return cls(timezone=match.group(4) == " with time zone")
    sizes = [int(size) for size in match.group(2, 3) if size is not None]
    return cls(*sizes)


def _list_of(joined: Optional[str]) -> list[str]:
    """The names that _NAMES joined."""
    if not joined:
        return []
    return [name.replace("\\c", ",").replace("\\\\", "\\") for name in joined.split(",")]


class PGInspector(Inspector):
    """The schema of a PostgreSQL database as it is now."""

    @property
    def default_schema_name(self) -> Optional[str]:
        """The first schema of the search path."""
        return self._select("SELECT CAST(current_schema() AS TEXT)")[0][0]  # type: ignore[no-any-return]

    def _select(self, sql: str, **parameters: Any) -> list[Any]:
        from .. import text
        from .._engine import Connection

        if isinstance(self.bind, Connection):
            return list(self.bind.execute(text(sql.replace("::", "\\:\\:")), parameters).all())
        with self.bind.connect() as connection:
            return list(connection.execute(text(sql.replace("::", "\\:\\:")), parameters).all())

    def _relation(self, name: str, schema: Optional[str]) -> int:
        """The number of a table or view."""
        within = "n.nspname = :schema" if schema is not None else "pg_catalog.pg_table_is_visible(c.oid)"
        rows = self._select(
            "SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE "
            f"c.relname = CAST(:name AS TEXT) AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND {within}",
            name=name, **({} if schema is None else {"schema": schema}),
        )  # fmt: skip
        if not rows:
            raise exc.NoSuchTableError(f"{schema}.{name}" if schema else name)
        return rows[0][0]  # type: ignore[no-any-return]

    def _relations(self, kinds: str, schema: Optional[str]) -> list[str]:
        within = ":schema" if schema is not None else "current_schema()"
        rows = self._select(
            "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            f"WHERE c.relkind IN ({kinds}) AND n.nspname = {within} ORDER BY c.relname",
            **({} if schema is None else {"schema": schema}),
        )
        return [row[0] for row in rows]

    def get_table_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The tables."""
        return self._relations("'r', 'p'", schema)

    def get_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The views."""
        return self._relations("'v'", schema)

    def get_sequence_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The sequences."""
        return self._relations("'S'", schema)

    def get_schema_names(self, **kw: Any) -> list[str]:
        """The schemas, but for the system's."""
        rows = self._select(
            r"SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname")
        return [row[0] for row in rows]

    def get_columns(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each column: name, type, nullable, default, autoincrement, comment."""
        found = []
        for name, declared, nullable, default, identity, generated, comment in self._select(
            _COLUMNS, relation=self._relation(table_name, schema)
        ):
            column = {"name": name, "type": _type_of(declared), "nullable": nullable, "default": default,
                      "autoincrement": bool(identity) or (default or "").startswith("nextval("), "comment": comment}
            if generated:
                column["computed"] = {"sqltext": default, "persisted": True}
                column["default"] = None
            if identity:
                column["identity"] = {"always": identity == "a"}
            found.append(column)
        return found

    def _constraints(self, kind: str, table: str, schema: Optional[str]) -> list[Any]:
        return self._select(_CONSTRAINTS, relation=self._relation(table, schema), kind=kind)

    def get_pk_constraint(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The primary key: constrained_columns, name."""
        for row in self._constraints("p", table_name, schema):
            return {"constrained_columns": _list_of(row[1]), "name": row[0]}
        return {"constrained_columns": [], "name": None}

    def get_unique_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each UNIQUE constraint."""
        return [{"name": row[0], "column_names": _list_of(row[1])}
                for row in self._constraints("u", table_name, schema)]  # fmt: skip

    def get_check_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each CHECK constraint."""
        return [{"name": row[0], "sqltext": re.sub(r"^CHECK \(\(?(.*?)\)?\)$", r"\1", row[10], flags=re.DOTALL)}
                for row in self._constraints("c", table_name, schema)]  # fmt: skip

    def get_foreign_keys(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each foreign key."""
        found = []
        for row in self._constraints("f", table_name, schema):
            name, columns, other_schema, other, referred, on_update, on_delete, deferrable, deferred, visible, _ = row
            options: dict[str, Any] = {}
            if on_update in _ACTIONS:
                options["onupdate"] = _ACTIONS[on_update]
            if on_delete in _ACTIONS:
                options["ondelete"] = _ACTIONS[on_delete]
            if deferrable:
                options["deferrable"] = True
            if deferred:
                options["initially"] = "DEFERRED"
            found.append({
                "name": name, "constrained_columns": _list_of(columns),
                "referred_schema": None if visible and schema is None else other_schema, "referred_table": other,
                "referred_columns": _list_of(referred), "options": options,
            })  # fmt: skip
        return found

    def get_indexes(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each index that belongs to no constraint."""
        found = []
        for name, unique, columns, where, method in self._select(
            _INDEXES, relation=self._relation(table_name, schema)
        ):
            options = {} if where is None else {"postgresql_where": where}
            if method != "btree":
                options["postgresql_using"] = method
            found.append(
                {"name": name, "column_names": _list_of(columns), "unique": unique, "dialect_options": options})
        return found

    def get_table_comment(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The table's comment: text."""
        rows = self._select(
            "SELECT pg_catalog.obj_description(CAST(:relation AS OID), 'pg_class')",
            relation=self._relation(table_name, schema),
        )
        return {"text": rows[0][0]}

    def get_view_definition(self, view_name: str, schema: Optional[str] = None, **kw: Any) -> str:
        """The SQL of a view."""
        relation = self._relation(view_name, schema)
        return self._select(  # type: ignore[no-any-return]
            "SELECT pg_catalog.pg_get_viewdef(CAST(:relation AS OID), true)", relation=relation
        )[0][0]
