"""Looking at the schema of a live database.

The engine reads the catalogue, one query for each kind of thing whatever the number of tables, and gives plain tuples;
here they become the documented dictionaries. What was read is kept until clear_cache().
"""

from __future__ import annotations

import enum
from contextlib import contextmanager
from typing import NamedTuple

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, Optional

__all__ = ["Inspector", "ObjectKind", "ObjectScope"]

# The engine's kinds of things; a bit each tells what to read.
_RELATION, _COLUMN, _PRIMARY_KEY, _FOREIGN_KEY, _UNIQUE, _CHECK, _INDEX = range(7)
_ALL = (1 << 7) - 1


class ObjectKind(enum.Flag):
    """Tables and views, for the get_multi_... methods."""

    TABLE = enum.auto()
    VIEW = enum.auto()
    MATERIALIZED_VIEW = enum.auto()
    ANY_VIEW = VIEW | MATERIALIZED_VIEW
    ANY = TABLE | VIEW | MATERIALIZED_VIEW


class ObjectScope(enum.Flag):
    """Whether temporary ones are meant, for the get_multi_... methods."""

    DEFAULT = enum.auto()
    TEMPORARY = enum.auto()
    ANY = DEFAULT | TEMPORARY


_KINDS = {
    "table": ObjectKind.TABLE, "foreign table": ObjectKind.TABLE, "view": ObjectKind.VIEW,
    "materialized view": ObjectKind.MATERIALIZED_VIEW,
}  # fmt: skip
_TEMPORARY = "temporary "


class Column(NamedTuple):
    """A column as the engine tells of it."""

    name: str
    type_text: Optional[str]
    type: tuple[Any, ...]
    nullable: bool
    default: Optional[str]
    autoincrement: bool
    comment: Optional[str]
    computed: Optional[str]
    persisted: bool
    identity: Optional[str]
    identity_options: Optional[str]
    collation: Optional[str]
    type_name: Optional[str]


class Part(NamedTuple):
    """A column or expression of a key."""

    column: Optional[str]
    expression: Optional[str]
    referred: Optional[str]
    order: Optional[str]
    length: Optional[str]
    included: bool


class Key(NamedTuple):
    """A constraint or index."""

    kind: int
    name: Optional[str]
    part_tuples: list[Any]
    referred_schema: Optional[str]
    referred_table: Optional[str]
    on_update: Optional[str]
    on_delete: Optional[str]
    initially: Optional[str]
    deferrable: Optional[bool]
    unique: bool
    where: Optional[str]
    method: Optional[str]
    comment: Optional[str]
    constraint: Optional[str]

    @property
    def parts(self) -> list[Part]:
        """The parts of the key, without what is carried along."""
        return [part for part in map(Part._make, self.part_tuples) if not part.included]

    @property
    def included(self) -> list[Optional[str]]:
        """What is carried along."""
        return [part.column for part in map(Part._make, self.part_tuples) if part.included]

    @property
    def columns(self) -> list[Optional[str]]:
        """The columns; None for an expression."""
        return [part.column for part in self.parts]


class _Relation:
    """A table, view or sequence, as far as it was read."""

    def __init__(self, found: Any):
        self.name, self.kind, self.comment, self.sql = found[:4]
        self.known = 0
        self.columns: list[Column] = []
        self.keys: dict[int, list[Key]] = {}

    def learn(self, found: Any, kinds: int) -> None:
        """Take in what was read of some kinds."""
        new = kinds & ~self.known
        self.known |= kinds | 1 << _RELATION
        if new & 1 << _COLUMN:
            self.columns = [Column._make(column) for column in found[4]]
        for kind in range(_PRIMARY_KEY, _INDEX + 1):
            if new & 1 << kind:
                self.keys[kind] = []
        for key in map(Key._make, found[5]):
            if new & 1 << key.kind:
                self.keys[key.kind].append(key)

    @property
    def temporary(self) -> bool:
        """Whether it goes with the connection."""
        return bool(self.kind.startswith(_TEMPORARY))

    @property
    def object_kind(self) -> Optional[ObjectKind]:
        """What it is; None: a sequence."""
        return _KINDS.get(self.kind.removeprefix(_TEMPORARY))


class _Schema:
    """What is known of one schema."""

    def __init__(self) -> None:
        self.relations: dict[str, Optional[_Relation]] = {}  # None: not there
        self.complete = 0  # kinds that were read of everything in it


class Inspector:
    """The schema of a database.

    What was once read is kept: clear_cache() forgets it.

    :param bind: an Engine or a Connection.

    Example::

        inspect(engine).get_table_names()
    """

    def __new__(cls, bind: Any) -> Inspector:
        """The inspector of the database that this is."""
        if cls is Inspector:
            from ._reflection import INSPECTORS

            cls = INSPECTORS.get(bind.dialect.name, cls)
        return object.__new__(cls)

    def __init__(self, bind: Any):
        self.bind = bind
        self.engine = bind.engine
        self.dialect = bind.dialect
        self.info_cache: dict[Any, Any] = {}

    @classmethod
    def from_engine(cls, bind: Any) -> Inspector:
        """The inspector of an Engine."""
        return Inspector(bind)

    def clear_cache(self) -> None:
        """Forget what was read."""
        self.info_cache.clear()

    # -- reading

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        if isinstance(self.bind, _engine.Connection):
            yield self.bind
        else:
            with self.bind.connect() as connection:
                yield connection

    def _cached(self, key: str, read: Callable[[Any], Any]) -> Any:
        if key not in self.info_cache:
            with self._connected() as connection:
                self.info_cache[key] = read(connection)
        return self.info_cache[key]

    def _schema(self, name: Optional[str]) -> _Schema:
        found: _Schema = self.info_cache.setdefault(("schema", name), _Schema())
        return found

    def _read(self, schema: Optional[str], names: Optional[Sequence[str]], kinds: int) -> _Schema:
        """Read kinds of things of some relations, or of all: those that are not known yet."""
        known = self._schema(schema)
        kinds |= 1 << _RELATION
        if known.complete & kinds == kinds:
            return known
        if names is not None:
            names = [name for name in names if not self._knows(known, name, kinds)]
            if not names:
                return known
        with self._connected() as connection:
            found = _engine._inspect_tables(connection, schema, None if names is None else tuple(names), kinds)
        for one in found:
            relation = known.relations.get(one[0])
            if relation is None:
                relation = known.relations[one[0]] = _Relation(one)
            relation.learn(one, kinds)
        if names is None:
            known.complete |= kinds
        else:
            for name in names:
                known.relations.setdefault(name, None)
        return known

    @staticmethod
    def _knows(known: _Schema, name: str, kinds: int) -> bool:
        relation = known.relations.get(name)
        if relation is None:
            return name in known.relations or bool(known.complete)
        return (relation.known | known.complete) & kinds == kinds

    def _relation(self, name: str, schema: Optional[str], *kinds: int) -> _Relation:
        """A table or view with what was asked for."""
        bits = sum(1 << kind for kind in kinds)
        relation = self._read(schema, [name], bits).relations.get(name)
        if relation is None or relation.object_kind is None:
            raise exc.NoSuchTableError(f"{schema}.{name}" if schema else name)
        return relation

    def _names(self, schema: Optional[str], kind: Optional[ObjectKind], temporary: bool = False) -> list[str]:
        relations = self._read(schema, None, 0).relations.values()
        there = [relation for relation in relations if relation is not None]
        return [one.name for one in there if one.object_kind is kind and one.temporary == temporary]

    # -- names

    @property
    def default_schema_name(self) -> Optional[str]:
        """The name of the schema that is meant when none is given."""
        return self._cached("default schema", _engine._inspect_default_schema)  # type: ignore[no-any-return]

    def get_schema_names(self, **kw: Any) -> list[str]:
        """The schemas: databases of MariaDB and MySQL; of SQLite, the attached ones."""
        return list(self._cached("schemas", _engine._inspect_schemas))

    def get_table_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The tables of a schema.

        :param schema: its name; None: the default one.
        """
        return self._names(schema, ObjectKind.TABLE)

    def get_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The views of a schema."""
        return self._names(schema, ObjectKind.VIEW)

    def get_materialized_view_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The views whose rows are stored."""
        return self._names(schema, ObjectKind.MATERIALIZED_VIEW)

    def get_sequence_names(self, schema: Optional[str] = None, **kw: Any) -> list[str]:
        """The sequences of a schema."""
        return self._names(schema, None)

    def get_temp_table_names(self, **kw: Any) -> list[str]:
        """The connection's temporary tables."""
        return self._names(None, ObjectKind.TABLE, temporary=True)

    def get_temp_view_names(self, **kw: Any) -> list[str]:
        """The connection's temporary views."""
        return self._names(None, ObjectKind.VIEW, temporary=True)

    def has_table(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> bool:
        """Whether there is a table or view of this name."""
        relation = self._read(schema, [table_name], 0).relations.get(table_name)
        return relation is not None and relation.object_kind is not None

    def has_sequence(self, sequence_name: str, schema: Optional[str] = None, **kw: Any) -> bool:
        """Whether there is a sequence of this name."""
        return sequence_name in self.get_sequence_names(schema)

    def has_index(self, table_name: str, index_name: str, schema: Optional[str] = None, **kw: Any) -> bool:
        """Whether a table is there and has an index of this name."""
        if not self.has_table(table_name, schema):
            return False
        return any(key.name == index_name for key in self._relation(table_name, schema, _INDEX).keys[_INDEX])

    def has_schema(self, schema_name: str, **kw: Any) -> bool:
        """Whether there is a schema of this name."""
        return schema_name in self.get_schema_names()

    # -- one table

    def get_columns(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each column: name, type, nullable, default, and what the database has besides.

        Raises NoSuchTableError.
        """
        return self._columns(self._relation(table_name, schema, *self._column_kinds))

    def get_pk_constraint(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The primary key: constrained_columns, name."""
        return self._primary_key(self._relation(table_name, schema, _PRIMARY_KEY))

    def get_foreign_keys(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each foreign key: name, constrained_columns, referred_schema, referred_table, referred_columns,
        options.
        """
        return self._foreign_keys(self._relation(table_name, schema, _FOREIGN_KEY), schema)

    def get_indexes(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each index: name, column_names, unique, dialect_options."""
        return self._indexes(self._relation(table_name, schema, _INDEX))

    def get_unique_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each UNIQUE constraint: name, column_names."""
        return self._uniques(self._relation(table_name, schema, _UNIQUE))

    def get_check_constraints(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> list[dict[str, Any]]:
        """A dict for each CHECK constraint: name, sqltext."""
        return self._checks(self._relation(table_name, schema, _CHECK))

    def get_table_comment(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """The table's comment: text."""
        return self._comment(self._relation(table_name, schema))

    def get_table_options(self, table_name: str, schema: Optional[str] = None, **kw: Any) -> dict[str, Any]:
        """Options of the table, for Table(): none are read."""
        self._relation(table_name, schema)
        return {}

    def get_view_definition(self, view_name: str, schema: Optional[str] = None, **kw: Any) -> str:
        """The SQL of a view."""
        relation = self._relation(view_name, schema)
        if relation.object_kind not in ObjectKind.ANY_VIEW:  # type: ignore[operator]
            raise exc.NoSuchTableError(f"{schema}.{view_name}" if schema else view_name)
        return relation.sql  # type: ignore[no-any-return]

    # -- many tables at once

    def _multi(
        self, shape: Callable[[_Relation], Any], kinds: Iterable[int], schema: Optional[str],
        filter_names: Optional[Sequence[str]], kind: ObjectKind, scope: ObjectScope,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        wanted = None if filter_names is None else list(filter_names)
        relations = self._read(schema, wanted, sum(1 << one for one in kinds)).relations
        found = {}
        for name, relation in relations.items():
            if relation is None or relation.object_kind is None or relation.object_kind not in kind:
                continue
            if wanted is not None and name not in wanted:
                continue
            if (ObjectScope.TEMPORARY if relation.temporary else ObjectScope.DEFAULT) in scope:
                found[schema, name] = shape(relation)
        return found

    def get_multi_columns(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_columns() of many tables, by (schema, name).

        :param schema: None: the default one.
        :param filter_names: only these.
        :param kind: tables, views, or both.
        :param scope: lasting ones, temporary ones, or both.
        """
        return self._multi(self._columns, self._column_kinds, schema, filter_names, kind, scope)

    def get_multi_pk_constraint(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_pk_constraint() of many tables: see get_multi_columns()."""
        return self._multi(self._primary_key, [_PRIMARY_KEY], schema, filter_names, kind, scope)

    def get_multi_foreign_keys(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_foreign_keys() of many tables: see get_multi_columns()."""
        return self._multi(
            lambda relation: self._foreign_keys(relation, schema), [_FOREIGN_KEY], schema, filter_names, kind, scope)

    def get_multi_indexes(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_indexes() of many tables: see get_multi_columns()."""
        return self._multi(self._indexes, [_INDEX], schema, filter_names, kind, scope)

    def get_multi_unique_constraints(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_unique_constraints() of many tables: see get_multi_columns()."""
        return self._multi(self._uniques, [_UNIQUE], schema, filter_names, kind, scope)

    def get_multi_check_constraints(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_check_constraints() of many tables: see get_multi_columns()."""
        return self._multi(self._checks, [_CHECK], schema, filter_names, kind, scope)

    def get_multi_table_comment(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_table_comment() of many tables: see get_multi_columns()."""
        return self._multi(self._comment, [], schema, filter_names, kind, scope)

    def get_multi_table_options(
        self, schema: Optional[str] = None, filter_names: Optional[Sequence[str]] = None,
        kind: ObjectKind = ObjectKind.TABLE, scope: ObjectScope = ObjectScope.DEFAULT, **kw: Any,
    ) -> dict[tuple[Optional[str], str], Any]:  # fmt: skip
        """get_table_options() of many tables: see get_multi_columns()."""
        return self._multi(lambda relation: {}, [], schema, filter_names, kind, scope)

    # -- order

    def get_sorted_table_and_fkc_names(self, schema: Optional[str] = None, **kw: Any) -> list[tuple[Any, Any]]:
        """Tables after those they refer to, each with the names of its foreign keys; at the end None with the foreign
        keys of cycles, (table, name) each.
        """
        from ._reflection import sort_by_foreign_keys

        names = set(self.get_table_names(schema))
        keys = {name: found for (_, name), found in self.get_multi_foreign_keys(schema).items() if name in names}
        return sort_by_foreign_keys(keys)

    # -- tables

    def reflect_table(
        self, table: Any, include_columns: Optional[Iterable[str]] = None, exclude_columns: Iterable[str] = (),
        resolve_fks: bool = True, _extend_on: Any = None, _reflect_info: Any = None, _given: Any = None,
    ) -> None:  # fmt: skip
        """Give a Table the columns, constraints and indexes that it has in the database.

        :param table: a Table.
        :param include_columns: only these.
        :param exclude_columns: all but these.
        :param resolve_fks: read the tables that it refers to, too.

        Raises NoSuchTableError.
        """
        from ._reflection import reflect_table

        reflect_table(self, table, include_columns, exclude_columns, resolve_fks, _extend_on, _given or {})

    # -- dictionaries; what databases tell besides is added by their own inspectors

    _column_kinds: tuple[int, ...] = (_COLUMN,)

    def _columns(self, relation: _Relation) -> list[dict[str, Any]]:
        return [self._column(relation, column) for column in relation.columns]

    def _column(self, relation: _Relation, column: Column, type_: Any = None) -> dict[str, Any]:
        from ._reflection import type_of

        made = {"name": column.name, "type": type_ or type_of(column), "nullable": column.nullable,
                "default": column.default}  # fmt: skip
        if column.computed is not None:
            made["computed"] = {"sqltext": column.computed, "persisted": column.persisted}
        return made

    def _primary_key(self, relation: _Relation) -> dict[str, Any]:
        for key in relation.keys[_PRIMARY_KEY]:
            return {"constrained_columns": key.columns, "name": key.name}
        return {"constrained_columns": [], "name": None}

    def _foreign_keys(self, relation: _Relation, schema: Optional[str]) -> list[dict[str, Any]]:
        return [self._foreign_key(key, schema) for key in relation.keys[_FOREIGN_KEY]]

    def _foreign_key(self, key: Key, schema: Optional[str]) -> dict[str, Any]:
        options = {"onupdate": key.on_update, "ondelete": key.on_delete, "deferrable": key.deferrable,
                   "initially": key.initially}  # fmt: skip
        return {
            "name": key.name, "constrained_columns": key.columns, "referred_schema": key.referred_schema,
            "referred_table": key.referred_table, "referred_columns": [part.referred for part in key.parts],
            "options": {name: value for name, value in options.items() if value is not None},
        }  # fmt: skip

    def _indexes(self, relation: _Relation) -> list[dict[str, Any]]:
        return [self._index(key) for key in relation.keys[_INDEX]]

    def _index(self, key: Key) -> dict[str, Any]:
        made: dict[str, Any] = {"name": key.name, "column_names": key.columns, "unique": key.unique}
        if None in key.columns:
            made["expressions"] = [part.expression or part.column for part in key.parts]
        sorting = {part.column or part.expression: tuple(part.order.split()) for part in key.parts if part.order}
        if sorting:
            made["column_sorting"] = sorting
        return made

    def _uniques(self, relation: _Relation) -> list[dict[str, Any]]:
        return [{"name": key.name, "column_names": key.columns} for key in relation.keys[_UNIQUE]]

    def _checks(self, relation: _Relation) -> list[dict[str, Any]]:
        return [{"name": key.name, "sqltext": key.parts[0].expression} for key in relation.keys[_CHECK]]

    def _comment(self, relation: _Relation) -> dict[str, Any]:
        return {"text": relation.comment}
