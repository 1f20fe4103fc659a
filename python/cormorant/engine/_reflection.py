"""Reflection: what each database tells besides, types of columns, and Tables made of what was found."""

from __future__ import annotations

import re
import warnings
from typing import NamedTuple

from .. import _engine, exc
from .reflection import _CHECK, _COLUMN, _INDEX, _PRIMARY_KEY, _UNIQUE, Inspector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional

    from .reflection import Column, Key, _Relation

_NULL = 0  # the engine's kind of a type that is not known
_WHOLE = (1, 2, 3)  # the engine's kinds of whole numbers

# -- types


def type_of(column: Column) -> Any:
    """The type object of a column; a warning and NullType when its type is not known."""
    from .. import types

    kind, length, precision, scale, as_decimal, timezone, name, _ = column.type
    if name == "BYTEA":
        from ..dialects.postgresql import BYTEA

        return BYTEA()
    if kind != _NULL:
        return types._of(kind, length, precision, scale, as_decimal, timezone, name, column.collation)
    if name is not None:
        return _unlike_others(name, column)
    if column.type_text:
        warnings.warn(
            f"Did not recognize type '{column.type_text}' of column '{column.name}'", exc.SAWarning, stacklevel=2)
    return types.NullType()


def _unlike_others(name: str, column: Column) -> Any:
    """A type that the engine knows by name only."""
    from .. import types

    if name == "JSONB":
        from ..dialects.postgresql import JSONB

        return JSONB()
    if name == "ENUM":
        values = re.findall(r"'((?:[^']|'')*)'", column.type_text or "")
        return types.Enum(*(value.replace("''", "'") for value in values), name=column.type_name)
    return types.Interval() if name == "INTERVAL" else getattr(types, name)()


# -- databases


def _not_here() -> Any:
    """What a database has none of: the documented answer."""
    raise NotImplementedError


class SQLiteInspector(Inspector):
    """The schema of a SQLite database."""

    _column_kinds = (_COLUMN, _PRIMARY_KEY)

    def get_sequence_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """SQLite has no sequences: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def get_materialized_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """SQLite has none: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def _column(self, relation: _Relation, column: Column, type_: Any = None) -> dict[str, Any]:
        made = super()._column(relation, column, type_)
        keys = [name for key in relation.keys[_PRIMARY_KEY] for name in key.columns]
        made["primary_key"] = keys.index(column.name) + 1 if column.name in keys else 0
        return made

    def _indexes(self, relation: _Relation) -> list[dict[str, Any]]:
        found = []
        for key in relation.keys[_INDEX]:
            if None in key.columns:
                warnings.warn(
                    f"Skipped unsupported reflection of expression-based index {key.name}", exc.SAWarning, stacklevel=2)
                continue
            where = {} if key.where is None else {"sqlite_where": _engine.text(key.where)}
            found.append({"name": key.name, "column_names": key.columns, "unique": int(key.unique),
                          "dialect_options": where})  # fmt: skip
        return found

    def get_table_comment(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """SQLite has no comments: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def _comment(self, relation: _Relation) -> dict[str, Any]:
        return _not_here()  # type: ignore[no-any-return]


class PGInspector(Inspector):
    """The schema of a PostgreSQL database."""

    def _column(self, relation: _Relation, column: Column, type_: Any = None) -> dict[str, Any]:
        from ..dialects._postgresql_types import type_of_text

        own = type_of_text(column.type_text, column.type_name)
        made = {**super()._column(relation, column, type_ or own), "autoincrement": column.autoincrement,
                "comment": column.comment}  # fmt: skip
        if column.identity is not None:
            numbers = (column.identity_options or "").split()
            names = ("start", "increment", "minvalue", "maxvalue", "cache")
            made["identity"] = {
                "always": column.identity == "a", **{name: int(given) for name, given in zip(names, numbers)},
                "cycle": numbers[-1:] == ["t"],
            }  # fmt: skip
        return made

    def _primary_key(self, relation: _Relation) -> dict[str, Any]:
        made = super()._primary_key(relation)
        for key in relation.keys[_PRIMARY_KEY]:
            made.update(comment=key.comment, dialect_options={"postgresql_include": []})
        return made

    def _foreign_key(self, key: Key, schema: Optional[str]) -> dict[str, Any]:
        return {**super()._foreign_key(key, schema), "comment": key.comment}

    def _index(self, key: Key) -> dict[str, Any]:
        made = super()._index(key)
        options: dict[str, Any] = {"postgresql_include": key.included}
        if key.method != "btree":
            options["postgresql_using"] = key.method
        if key.where is not None:
            options["postgresql_where"] = key.where
        made["dialect_options"] = options
        if key.constraint is not None:
            made["duplicates_constraint"] = key.constraint
        return made

    def _uniques(self, relation: _Relation) -> list[dict[str, Any]]:
        options = {"postgresql_include": [], "postgresql_nulls_not_distinct": False}
        return [{**made, "comment": key.comment, "dialect_options": dict(options)}
                for made, key in zip(super()._uniques(relation), relation.keys[_UNIQUE])]  # fmt: skip

    def _checks(self, relation: _Relation) -> list[dict[str, Any]]:
        return [{**made, "comment": key.comment}
                for made, key in zip(super()._checks(relation), relation.keys[_CHECK])]  # fmt: skip


class MySQLInspector(Inspector):
    """The schema of a MariaDB or MySQL database."""

    def get_temp_table_names(self, **kw: Any) -> list[str]:
        """The catalogue tells of none: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def get_temp_view_names(self, **kw: Any) -> list[str]:
        """There are none: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def get_materialized_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """There are none: NotImplementedError."""
        return _not_here()  # type: ignore[no-any-return]

    def _column(self, relation: _Relation, column: Column, type_: Any = None) -> dict[str, Any]:
        from ..dialects._mysql_types import type_of_text

        own = type_of_text(column.type_text, column.collation)
        made = {**super()._column(relation, column, type_ or own), "comment": column.comment}
        if column.type[0] in _WHOLE:
            made["autoincrement"] = column.autoincrement
        return made

    def _primary_key(self, relation: _Relation) -> dict[str, Any]:
        return {**super()._primary_key(relation), "name": None}

    def _index(self, key: Key) -> dict[str, Any]:
        made: dict[str, Any] = {"name": key.name, "column_names": key.columns, "unique": key.unique}
        options: dict[str, Any] = {}
        lengths = {part.column: int(part.length) for part in key.parts if part.length is not None}
        if key.method in ("FULLTEXT", "SPATIAL"):
            options[f"{self.dialect.name}_prefix"] = key.method
        elif lengths:
            options[f"{self.dialect.name}_length"] = lengths
        if options:
            made["dialect_options"] = options
        return made

    def _uniques(self, relation: _Relation) -> list[dict[str, Any]]:
        return [{**made, "duplicates_index": made["name"]} for made in super()._uniques(relation)]


INSPECTORS: dict[str, type[Inspector]] = {
    "sqlite": SQLiteInspector, "postgresql": PGInspector, "mysql": MySQLInspector, "mariadb": MySQLInspector,
}  # fmt: skip


# -- order


def sort_by_foreign_keys(keys: dict[str, list[dict[str, Any]]]) -> list[tuple[Any, Any]]:
    """Names of tables after those they refer to, with their foreign keys' names; those of cycles at the end."""
    waiting = {
        name: {key["referred_table"] for key in found} & keys.keys() - {name} for name, found in sorted(keys.items())
    }
    ordered: list[tuple[Any, Any]] = []
    left: list[tuple[str, Optional[str]]] = []
    while waiting:
        ready = [name for name, others in waiting.items() if not others & waiting.keys()]
        if ready:
            ordered += [(name, [(name, key["name"]) for key in keys[name]]) for name in ready]
            for name in ready:
                del waiting[name]
            continue
        name = _in_cycle(waiting)
        left += [(name, key["name"]) for key in keys[name] if key["referred_table"] in waiting.keys() - {name}]
        keys = {**keys, name: [key for key in keys[name] if key["referred_table"] not in waiting.keys() - {name}]}
        waiting[name] = set()
    return [*ordered, (None, left)]


def _in_cycle(waiting: dict[str, set[str]]) -> str:
    """A table from which a walk along foreign keys comes back to itself."""
    name, seen = next(iter(waiting)), set[str]()
    while name not in seen:
        seen.add(name)
        name = min(waiting[name] & waiting.keys())
    return name


# -- Tables


class _Choice(NamedTuple):
    """What is read of a table: only some columns, all but some, and those that are given take their own places."""

    only: Optional[frozenset[str]]
    without: frozenset[str]
    given: dict[str, Any]

    def passes_over(self, names: Iterable[str]) -> bool:
        """Whether one of the columns is not the database's own."""
        return any(name in self.without or name in self.given for name in names)


def reflect_table(
    inspector: Inspector, table: Any, include: Optional[Iterable[str]], exclude: Iterable[str], resolve: bool,
    under_way: Optional[set[Any]], given: dict[str, Any],
) -> None:  # fmt: skip
    """See Inspector.reflect_table(). Tables referred to wait in a list, so that a chain of any length is read.

    :param given: columns that take the places of those that are read, by name.
    """
    pending = [(table, _Choice(None if include is None else frozenset(include), frozenset(exclude), given))]
    seen = set() if under_way is None else under_way
    made: list[Any] = []
    try:
        while pending:
            one, choice = pending.pop()
            seen.add(one)
            for name, schema in _fill(inspector, one, choice):
                if resolve and _key_of(name, schema) not in one.metadata._tables:
                    made.append(_empty_table(name, schema, one.metadata))
                    pending.append((made[-1], _Choice(None, frozenset(), {})))
    except BaseException:
        for one in made:
            one.metadata._remove(one)
        raise


def _key_of(name: str, schema: Optional[str]) -> str:
    return name if schema is None else f"{schema}.{name}"


def _empty_table(name: str, schema: Optional[str], metadata: Any) -> Any:
    from ..schema import BLANK_SCHEMA, Table

    return Table(name, metadata, schema=BLANK_SCHEMA if schema is None else schema)


def _fill(inspector: Inspector, table: Any, choice: _Choice) -> list[tuple[str, Any]]:
    """Read one table; the tables that it refers to."""
    relation = inspector._relation(table.name, table.schema, *range(_COLUMN, _INDEX + 1))
    names = _add_columns(inspector, table, relation, choice)
    _add_primary_key(inspector._primary_key(relation), table, names)
    referred = _add_foreign_keys(inspector._foreign_keys(relation, table.schema), table, names, choice)
    _add_indexes(inspector._indexes(relation), table, names, choice)
    _add_others(inspector, relation, table, names)
    return referred


def _add_columns(inspector: Inspector, table: Any, relation: _Relation, choice: _Choice) -> dict[str, Any]:
    """Columns by the name that they have in the database."""
    from .._schema_ddl import tell_of_column

    keys = inspector._primary_key(relation)["constrained_columns"]
    names: dict[str, Any] = {}
    for found in inspector._columns(relation):
        name = found["name"]
        if choice.only is not None and name not in choice.only:
            continue
        if name in choice.without:
            if name in table.c:
                names[name] = table.c[name]
            continue
        tell_of_column(inspector, table, found)
        column = choice.given.get(name)
        if column is None:
            column = _column_of(found, name in keys)
        elif name in keys and not column.primary_key:
            raise exc.ArgumentError(
                f"Trying to redefine primary-key column '{name}' as a non-primary-key column on table "
                f"'{table.fullname}'"
            )
        table._take_column(column, True)
        if name not in choice.given:
            column._imply(table)
        names[name] = column
    return names


def _column_of(found: dict[str, Any], primary_key: bool) -> Any:
    from ..schema import Column, Computed, DefaultClause, Identity

    items: list[Any] = []
    given = {name: found[name] for name in ("nullable", "comment", "key", "info", "quote", "system")
             if found.get(name) is not None}  # fmt: skip
    if found.get("autoincrement"):
        given["autoincrement"] = True
    elif found.get("autoincrement") is False:
        given["autoincrement"] = False
    if "computed" in found:
        items.append(Computed(found["computed"]["sqltext"], found["computed"]["persisted"]))
    elif found.get("default") is not None:
        default = found["default"]
        if isinstance(default, str):
            default = _engine.text(default.replace("\\", "\\\\").replace(":", "\\:"))
        given["server_default"] = clause = DefaultClause(default, _reflected=True)
        clause._numbers = primary_key and bool(found.get("autoincrement"))
    if "identity" in found:
        items.append(Identity(**found["identity"]))
    return Column(found["name"], found["type"], *items, primary_key=primary_key, **given)


def _add_primary_key(found: dict[str, Any], table: Any, names: dict[str, Any]) -> None:
    from ..schema import PrimaryKeyConstraint

    columns = [names[name] for name in found["constrained_columns"] if name in names]
    own = [column for column in table._primary_key_columns if all(column is not other for other in columns)]
    if columns:
        PrimaryKeyConstraint(*columns, *own, name=_kept(found["name"]))._attach(table)


def _kept(name: Optional[str]) -> Any:
    """A name that no naming convention changes."""
    from ..schema import conv

    return None if name is None else conv(name)


def _add_foreign_keys(
    found: list[dict[str, Any]], table: Any, names: dict[str, Any], choice: _Choice
) -> list[tuple[str, Any]]:
    from ..schema import ForeignKeyConstraint

    referred = []
    for key in found:
        own = key["constrained_columns"]
        if not names.keys() >= set(own):
            continue
        referred.append((key["referred_table"], key["referred_schema"]))
        if choice.passes_over(own):
            continue
        target = _key_of(key["referred_table"], key["referred_schema"])
        ForeignKeyConstraint(
            [names[name] for name in own], [f"{target}.{name}" for name in key["referred_columns"]],
            name=_kept(key["name"]), link_to_name=True, comment=key.get("comment"), **key["options"],
        )._attach(table)  # fmt: skip
    return referred


def _add_indexes(found: list[dict[str, Any]], table: Any, names: dict[str, Any], choice: _Choice) -> None:
    from ..schema import Index

    for index in found:
        if index.get("duplicates_constraint") is not None:
            continue
        parts: list[Any] = []
        for place, name in enumerate(index["column_names"]):
            part = names.get(name) if name is not None else _engine.text(index["expressions"][place])
            for word in index.get("column_sorting", {}).get(name, ()):
                part = part if part is None else getattr(part, word)()
            parts.append(part)
        if any(part is None for part in parts):
            if choice.only is None:
                warnings.warn(
                    f"index key '{index['name']}' was not located in columns for table '{table.name}'", exc.SAWarning,
                    stacklevel=2,
                )  # fmt: skip
            continue
        Index(_kept(index["name"]), *parts, unique=bool(index["unique"]), _table=table,
              **index.get("dialect_options", {}))  # fmt: skip


def _add_others(inspector: Inspector, relation: _Relation, table: Any, names: dict[str, Any]) -> None:
    """Unique and check constraints, and the comment."""
    from ..schema import CheckConstraint, UniqueConstraint

    for unique in inspector._uniques(relation):
        own = unique["column_names"]
        if unique.get("duplicates_index") is None and names.keys() >= set(own):
            UniqueConstraint(*(names[name] for name in own), name=_kept(unique["name"]))._attach(table)
    for check in inspector._checks(relation):
        text = check["sqltext"].replace("\\", "\\\\").replace(":", "\\:")
        CheckConstraint(_engine.text(text), name=_kept(check["name"]))._attach(table)
    if relation.comment is not None:
        table.comment = relation.comment


def reflect_metadata(
    metadata: Any, bind: Any, schema: Optional[str], views: bool, only: Any, options: dict[str, Any]
) -> None:
    """See MetaData.reflect(). All tables are read before the first is made: a query for each kind of thing."""
    inspector = bind if isinstance(bind, Inspector) else Inspector(bind)
    there = inspector.get_table_names(schema)
    if views:
        there += inspector.get_view_names(schema)
        if inspector.dialect.name == "postgresql":
            there += inspector.get_materialized_view_names(schema)
    extend = options.pop("extend_existing")
    known = set() if extend else {name for name in there if _key_of(name, schema) in metadata._tables}
    if only is None:
        wanted = [name for name in there if name not in known]
    elif callable(only):
        wanted = [name for name in there if name not in known and only(name, metadata)]
    else:
        missing = [name for name in only if name not in there]
        if missing:
            within = "" if schema is None else f" schema '{schema}'"
            raise exc.InvalidRequestError(
                f"Could not reflect: requested table(s) not available in {inspector.engine!r}{within}: "
                f"({', '.join(missing)})"
            )
        wanted = [name for name in only if name not in known]
    _read_tables(inspector, metadata, schema, wanted, extend, options)


def _read_tables(
    inspector: Inspector, metadata: Any, schema: Optional[str], wanted: list[str], extend: bool, options: dict[str, Any]
) -> None:
    from ..schema import BLANK_SCHEMA, Table

    inspector._read(schema, wanted, sum(1 << kind for kind in range(_COLUMN, _INDEX + 1)))
    done: set[Any] = set()
    for name in wanted:
        made = metadata._tables.get(_key_of(name, schema))
        if made is not None and (made in done or not extend):
            continue  # another one has referred to it
        try:
            Table(
                name, metadata, schema=BLANK_SCHEMA if schema is None else schema, extend_existing=extend,
                autoload_with=inspector, _extend_on=done, **options,
            )  # fmt: skip
        except exc.UnreflectableTableError as error:
            warnings.warn(f"Skipping table {name}: {error}", exc.SAWarning, stacklevel=2)
