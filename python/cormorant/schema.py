"""MetaData, tables, columns, and what belongs to them: defaults, constraints, indexes, DDL."""

from __future__ import annotations

from . import _engine, exc
from ._schema_constraints import (
    CheckConstraint,
    ColumnCollectionConstraint,
    ColumnCollectionMixin,
    Constraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    conv,
)
from ._schema_ddl import (
    DDL,
    BaseDDLElement,
    CreateIndex,
    CreateSequence,
    CreateTable,
    DDLElement,
    DropIndex,
    DropSequence,
    DropTable,
    ExecutableDDLElement,
    connected,
    fire,
    listened,
)
from ._schema_items import (
    CallableColumnDefault,
    ColumnDefault,
    ColumnElementColumnDefault,
    Computed,
    DefaultClause,
    DefaultGenerator,
    FetchedValue,
    HasConditionalDDL,
    Identity,
    ScalarElementColumnDefault,
    SchemaItem,
    Sequence,
    default_of,
)

from ._schema_types import run_types, types_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Optional, TypeVar, Union

    _T = TypeVar("_T")

_MISSING: Any = object()

BLANK_SCHEMA = type("_Blank", (), {"__repr__": lambda self: "symbol('BLANK_SCHEMA')", "__slots__": ()})()
RETAIN_SCHEMA = type("_Retain", (), {"__repr__": lambda self: "symbol('RETAIN_SCHEMA')", "__slots__": ()})()
SCHEMA_ITEM_EXPECTED = "'SchemaItem' object, such as a 'Column' or a 'Constraint' expected, got {!r}"

DEFAULT_NAMING_CONVENTION = {"ix": "ix_%(column_0_label)s"}


class MetaData(_engine.MetaDataBase, HasConditionalDDL):
    """A collection of tables that belong together.

    :param schema: the schema of tables that name none.
    :param quote_schema: whether its name is quoted.
    :param naming_convention: how constraints and indexes without a name are called.
    :param info: a dictionary of one's own.

    Example::

        metadata = MetaData()
        users = Table("users", metadata, Column("id", Integer, primary_key=True))
        metadata.create_all(engine)
    """

    __visit_name__ = "metadata"
    naming_convention: dict[str, Any] = DEFAULT_NAMING_CONVENTION

    def __init__(
        self, schema: Optional[str] = None, quote_schema: Optional[bool] = None,
        naming_convention: Optional[dict[str, Any]] = None, info: Optional[dict[Any, Any]] = None,
    ) -> None:  # fmt: skip
        if schema is not None and not isinstance(schema, str):
            raise exc.ArgumentError(f"expected schema argument to be a string, got {type(schema)}.")
        self._init(schema)
        if naming_convention is not None:
            self.naming_convention = dict(naming_convention)
        if info is not None:
            self.info = info

    def __repr__(self) -> str:
        return "MetaData()"

    @property
    def tables(self) -> Any:
        """Tables by name, "schema.name" where they have a schema: a read-only mapping."""
        from types import MappingProxyType

        return MappingProxyType(self._tables)

    @property
    def _sequences(self) -> dict[str, Sequence]:
        """Sequences by name, "schema.name" where they have a schema."""
        sequences: dict[str, Sequence] = self.__dict__.setdefault("_own_sequences", {})
        return sequences

    @property
    def sorted_tables(self) -> list[Table]:
        """Tables, each after those it refers to."""
        return list(self._sorted_tables())

    def __contains__(self, table: Union[str, Table]) -> bool:
        key = table if isinstance(table, str) else table.key
        return key in self._tables

    def remove(self, table: Table) -> None:
        """Take a table out."""
        self._remove(table)

    def clear(self) -> None:
        """Take all tables out."""
        for table in list(self._tables.values()):
            self._remove(table)
        self._sequences.clear()

    def reflect(
        self, bind: Any, schema: Optional[str] = None, views: bool = False, only: Any = None,
        extend_existing: bool = False, autoload_replace: bool = True, resolve_fks: bool = True, **dialect_kwargs: Any,
    ) -> None:  # fmt: skip
        """Read all tables of a schema that are not here yet.

        :param bind: an Engine or a Connection.
        :param schema: the schema; None: the MetaData's, or the database's default one.
        :param views: views as well.
        :param only: names; or a function of a name and the MetaData that tells whether it is wanted.
        :param extend_existing: tables that are here already are read, too.
        :param autoload_replace: see Table.
        :param resolve_fks: tables that foreign keys refer to are read, too.

        Raises InvalidRequestError when a name is not there.
        """
        from .engine._reflection import reflect_metadata

        reflect_metadata(
            self, bind, self.schema if schema is None else schema, views, only,
            {"extend_existing": extend_existing, "autoload_replace": autoload_replace, "resolve_fks": resolve_fks,
             **dialect_kwargs},
        )  # fmt: skip

    def create_all(self, bind: Any, tables: Optional[Iterable[Table]] = None, checkfirst: Any = True) -> None:
        """Create tables and indexes, in the order of their foreign keys.

        :param bind: an Engine or a Connection.
        :param tables: only these; None: all.
        :param checkfirst: leave out those that are there already.
        """
        self._run(bind, tables, checkfirst, False)

    def drop_all(self, bind: Any, tables: Optional[Iterable[Table]] = None, checkfirst: Any = True) -> None:
        """Drop tables, in the reverse order of their foreign keys.

        :param bind: an Engine or a Connection.
        :param tables: only these; None: all.
        :param checkfirst: leave out those that are not there.
        """
        self._run(bind, tables, checkfirst, True)

    def _run(self, bind: Any, tables: Optional[Iterable[Table]], checkfirst: Any, drop: bool) -> None:
        wanted = None if tables is None else list(tables)
        with connected(bind) as connection:
            sequences = self._sequences_of(wanted) if connection.dialect.supports_sequences else []
            types = self._types_of(wanted) if connection.dialect.name == "postgresql" else []
            if not drop:
                run_types(connection, types, False)
                for sequence in sequences:
                    sequence._run(connection, checkfirst, False)
            self._run_tables(connection, wanted, checkfirst, drop)
            if drop:
                run_types(connection, types, True)
                for sequence in sequences:
                    sequence._run(connection, checkfirst, True)

    def _types_of(self, tables: Optional[list[Table]]) -> list[Any]:
        """The enumerations of some tables, and those of the MetaData itself."""
        if tables is not None:
            return types_of(tables)
        return types_of(self.tables.values(), self.__dict__.get("_types", ()))

    def _note_type(self, type_: Any) -> None:
        """An enumeration is created and dropped with the MetaData."""
        self.__dict__.setdefault("_types", []).append(type_)

    def _sequences_of(self, tables: Optional[list[Table]]) -> list[Sequence]:
        """The sequences of some tables, and those of no table's."""
        return [
            sequence for sequence in self._sequences.values()
            if tables is None or sequence.column is None or sequence.column.table in tables
        ]  # fmt: skip

    def _run_tables(self, connection: Any, wanted: Optional[list[Table]], checkfirst: Any, drop: bool) -> None:
        if not listened(self, wanted):
            _engine._create_tables(connection, self, wanted, bool(checkfirst), drop)
            return
        ordered = [table for table in self.sorted_tables if wanted is None or table in wanted]
        ordered = [table for table in ordered if not checkfirst or table._is_there(connection) == drop]
        if drop:
            ordered.reverse()
        what = "drop" if drop else "create"
        fire(self, f"before_{what}", connection, tables=ordered, checkfirst=checkfirst)
        for table in ordered:
            table._run(connection, False, drop)
        fire(self, f"after_{what}", connection, tables=ordered, checkfirst=checkfirst)


class Table(_engine.TableClause, SchemaItem, HasConditionalDDL):
    """A table of a database.

    :param name: its name.
    :param metadata: the MetaData that it belongs to.
    :param args: Columns, constraints and indexes.
    :param schema: the schema that it is in.
    :param extend_existing: add to a table of this name that is there already.
    :param keep_existing: give back a table of this name that is there already, as it is.
    :param must_exist: such a table must be there.
    :param autoload_with: an Engine, Connection or Inspector: columns, constraints and indexes are read from the
        database; Columns that are given stand in the place of those that are read.
    :param autoload_replace: False: columns that an extended table has already are kept as well.
    :param include_columns: names of columns; others are not read.
    :param resolve_fks: tables that foreign keys refer to are read, too.
    :param listeners: pairs of an event's name and a function, such as ("column_reflect", f).
    :param comment: a comment.
    :param info: a dictionary of one's own.
    :param prefixes: words after CREATE.
    :param sqlite_autoincrement: AUTOINCREMENT of SQLite.
    :param sqlite_with_rowid: False: WITHOUT ROWID of SQLite.
    :param sqlite_strict: STRICT of SQLite.

    Example::

        users = Table("users", metadata, Column("id", Integer, primary_key=True), Column("name", String(50)))
    """

    __visit_name__ = "table"

    def __new__(cls, *args: Any, **kw: Any) -> Any:
        if not args:
            return super().__new__(cls)
        if len(args) < 2 or not isinstance(args[1], _engine.MetaDataBase):
            if len(args) >= 2:
                raise exc.ArgumentError(f"expected MetaData argument to be a MetaData object, got {type(args[1])}.")
            raise TypeError("Table() takes at least two positional-only arguments 'name', and 'metadata'")
        name, metadata, *items = args
        schema = kw.get("schema")
        if schema is None:
            schema = metadata.schema
        elif schema is BLANK_SCHEMA:
            schema = None
        key = name if schema is None else f"{schema}.{name}"
        keep, extend = kw.pop("keep_existing", False), kw.pop("extend_existing", False)
        must_exist = kw.pop("must_exist", kw.pop("mustexist", False))
        if keep and extend:
            raise exc.ArgumentError("keep_existing and extend_existing are mutually exclusive.")
        existing = metadata._tables.get(key)
        if existing is not None:
            if not keep and not extend and (items or kw.keys() - {"schema"}):
                raise exc.InvalidRequestError(
                    f"Table '{key}' is already defined for this MetaData instance.  Specify 'extend_existing=True' to "
                    "redefine options and columns on an existing Table object."
                )
            if extend:
                existing._extend(items, kw)
            return existing
        if must_exist:
            raise exc.InvalidRequestError(f"Table '{key}' not defined")
        self = super().__new__(cls)
        self._create(metadata, name, schema or "", kw.pop("quote", None))
        try:
            kw.pop("schema", None)
            self._extend(items, kw)
        except BaseException:
            metadata._remove(self)
            raise
        fire(self, "after_parent_attach", metadata)
        return self

    def __init__(self, *args: Any, **kw: Any) -> None:
        """All was done by __new__()."""

    # -- arguments

    def _extend(self, items: Iterable[Any], kw: dict[str, Any]) -> None:
        kw = dict(kw)
        items = list(items)
        autoload = {name: kw.pop(name) for name in _AUTOLOAD if name in kw}
        self._read_options(kw)
        replace = self.__dict__.get("_complete", False)
        if autoload.get("autoload_with") is not None:
            self._autoload(items, replace, **autoload)
        columns, others = [], []
        for item in items:
            if isinstance(item, Column):
                columns.append(item)
            elif isinstance(item, (SchemaItem, Constraint)):
                others.append(item)
            else:
                column = getattr(item, "column", None)
                if not isinstance(column, Column):
                    raise exc.ArgumentError(SCHEMA_ITEM_EXPECTED.format(item))
                columns.append(column)
        for column in columns:
            if column.table is not self:
                self._take_column(column, replace)
        for item in others:
            item._attach(self)
        for column in columns:
            column._imply(self)
        if "_complete" not in self.__dict__:
            self._complete = True
        self._name_primary_key()

    def _autoload(
        self, items: Iterable[Any], extends: bool, autoload_with: Any, autoload_replace: bool = True,
        include_columns: Optional[Iterable[str]] = None, resolve_fks: bool = True, _extend_on: Any = None,
    ) -> None:  # fmt: skip
        """Read the table from a database, but for the columns that are given."""
        from .inspection import inspect

        given = {item.name: item for item in items if isinstance(item, Column)}
        kept = {column.name for column in self.c} - given.keys() if extends and not autoload_replace else set()
        inspect(autoload_with).reflect_table(
            self, include_columns, kept, resolve_fks, _extend_on=_extend_on, _given=given
        )

    def _read_options(self, kw: dict[str, Any]) -> None:
        info = kw.pop("info", None)
        if info is not None:
            self.info = info
        if "comment" in kw:
            self.comment = kw.pop("comment")
        for prefix in kw.pop("prefixes", None) or ():
            self._add_prefix(prefix)
        for name, listener in kw.pop("listeners", None) or ():
            from .event import listen

            listen(self, name, listener)
        for ignored in ("quote_schema", "quote", "schema", "_no_init"):
            kw.pop(ignored, None)
        returning = kw.pop("implicit_returning", True)
        options = self.__dict__.setdefault("dialect_kwargs", {})
        options.update(dialect_arguments(kw))
        self._flags(
            bool(options.get("sqlite_autoincrement", False)), not options.get("sqlite_with_rowid", True),
            bool(options.get("sqlite_strict", False)), bool(returning),
        )  # fmt: skip

    def _take_column(self, column: Column, replace: bool) -> None:
        if column.name is None or column.name == "":
            raise exc.ArgumentError(
                "Column must be constructed with a non-blank name or assign a non-blank .name before adding to a Table."
            )
        if column.table is not None and column.table is not self:
            raise exc.ArgumentError(
                f"Column object '{column.key}' already assigned to Table '{column.table.description}'"
            )
        if not replace and column.key in self.c and self.c[column.key] is not column:
            raise exc.DuplicateColumnError(
                f"A column with name '{column.key}' is already present in table '{self.name}'."
            )
        replaced = self.c.get(column.key) if replace else None
        self._append_column(column, replace)
        if replaced is not None and replaced is not column:
            self._forget(replaced)

    def _forget(self, column: Column) -> None:
        """What a column that was replaced implied is gone."""
        self._constraints = [
            item for item in self._own_constraints
            if not (item._implicit and any(own is column for own in item._columns_for_name()))
        ]  # fmt: skip
        kept = [
            index for index in self.__dict__.get("_indexes", ())
            if not (index._implicit and any(own is column for own in index._columns_for_name()))
        ]  # fmt: skip
        for position, index in enumerate(kept):
            index._position = position
        self._indexes = kept

    def _name_primary_key(self) -> None:
        key = self.primary_key
        if key.name is None and self._primary_key_columns:
            key.name = key._convention_name(self)
            if key.name is not None:
                _engine._table_set_primary_key(self, key.name, [])

    def append_column(self, column: Column, *, replace_existing: bool = False) -> None:
        """Add a column.

        :param column: the Column.
        :param replace_existing: in the place of one of the same name.
        """
        self._take_column(column, replace_existing)
        column._imply(self)
        self._name_primary_key()

    def append_constraint(self, constraint: Union[Index, Constraint]) -> None:
        """Add a constraint or index."""
        constraint._attach(self)

    # -- looking

    @property
    def primary_key(self) -> PrimaryKeyConstraint:
        """The primary key: its columns, in order."""
        key = self.__dict__.get("_primary_key")
        if key is None:
            key = PrimaryKeyConstraint(_implicit=True)
            key._table = self
            self._primary_key = key
        return key

    @property
    def _own_constraints(self) -> list[Constraint]:
        constraints: list[Constraint] = self.__dict__.setdefault("_constraints", [])
        return constraints

    @property
    def constraints(self) -> set[Constraint]:
        """All constraints: the primary key, foreign keys, unique and check constraints."""
        return {self.primary_key, *self._own_constraints}

    @property
    def indexes(self) -> set[Index]:
        """All indexes."""
        return set(self.__dict__.get("_indexes", ()))

    @property
    def foreign_keys(self) -> set[ForeignKey]:
        """The foreign keys of all columns."""
        return {key for column in self.c for key in column.foreign_keys}

    @property
    def foreign_key_constraints(self) -> set[ForeignKeyConstraint]:
        """The foreign key constraints."""
        return {item for item in self._own_constraints if isinstance(item, ForeignKeyConstraint)}

    def __repr__(self) -> str:
        parts = [repr(self.name), repr(self.metadata), *(repr(column) for column in self.c)]
        parts.append(f"schema={self.schema!r}")
        return f"Table({', '.join(parts)})"

    def __str__(self) -> str:
        return str(self.fullname)

    # -- statements and DDL

    def insert(self) -> Any:
        """An INSERT."""
        return _engine.insert(self)

    def update(self) -> Any:
        """An UPDATE."""
        return _engine.update(self)

    def delete(self) -> Any:
        """A DELETE."""
        return _engine.delete(self)

    def create(self, bind: Any, checkfirst: Any = False) -> None:
        """Create the table and its indexes.

        :param bind: an Engine or a Connection.
        :param checkfirst: unless it is there.
        """
        with connected(bind) as connection:
            if checkfirst and self._is_there(connection):
                return
            if connection.dialect.name == "postgresql":
                run_types(connection, types_of([self]), False)
            self._run_sequences(connection, checkfirst, False)
            self._run(connection, False, False)

    def drop(self, bind: Any, checkfirst: Any = False) -> None:
        """Drop the table.

        :param bind: an Engine or a Connection.
        :param checkfirst: if it is there.
        """
        with connected(bind) as connection:
            if checkfirst and not self._is_there(connection):
                return
            self._run(connection, False, True)
            self._run_sequences(connection, checkfirst, True)

    def _is_there(self, connection: Any) -> bool:
        return bool(_engine._has_table(connection, self.name, self.schema))

    def _run(self, connection: Any, checkfirst: Any, drop: bool) -> None:
        if checkfirst and self._is_there(connection) != drop:
            return
        what = "drop" if drop else "create"
        fire(self, f"before_{what}", connection, checkfirst=checkfirst)
        _engine._create_tables(connection, self.metadata, [self], False, drop)
        fire(self, f"after_{what}", connection, checkfirst=checkfirst)

    def _run_sequences(self, connection: Any, checkfirst: Any, drop: bool) -> None:
        for column in self.c:
            if isinstance(column.default, Sequence):
                column.default._run(connection, checkfirst, drop)

    def to_metadata(
        self, metadata: MetaData, schema: Any = RETAIN_SCHEMA, name: Optional[str] = None, **kw: Any
    ) -> Table:
        """A copy in another MetaData.

        :param metadata: where to.
        :param schema: another schema.
        :param name: another name.
        """
        target = self.schema if schema is RETAIN_SCHEMA else schema
        key = name or self.name
        full = key if target is None else f"{target}.{key}"
        if full in metadata._tables:
            existing: Table = metadata._tables[full]
            return existing
        items: list[Any] = [column._copy() for column in self.c]
        items += [item._copy() for item in self._own_constraints if not item._implicit]
        items += [index._copy() for index in self.__dict__.get("_indexes", ()) if not index._implicit]
        options = dict(self.__dict__.get("dialect_kwargs", {}))
        made = Table(
            key, metadata, *items, schema=BLANK_SCHEMA if target is None else target, comment=self.comment, **options
        )
        if not self.primary_key._implicit:
            made.primary_key.name = self.primary_key.name
        return made


class Column(_engine.ColumnBase[_T] if TYPE_CHECKING else _engine.ColumnBase, SchemaItem):  # type: ignore[misc]
    """A column of a table.

    :param name: its name; may come later, from a class attribute.
    :param type_: its type; may be left out with a foreign key.
    :param args: ForeignKey, Sequence, Computed and other things of a column.
    :param primary_key: part of the primary key.
    :param nullable: may be NULL; not given: unless it is a primary key.
    :param default: a value, an SQL expression or a callable that gives what an INSERT lacks.
    :param onupdate: the same for an UPDATE.
    :param server_default: DEFAULT in the database: a text or an SQL expression.
    :param unique: with a unique constraint.
    :param index: with an index.
    :param autoincrement: whether the database numbers the rows.
    :param key: its name in table.c.
    :param comment: a comment.
    :param info: a dictionary of one's own.

    Example::

        Column("name", String(50), nullable=False)
    """

    __visit_name__ = "column"
    unique: Optional[bool] = None
    index: Optional[bool] = None
    default: Optional[DefaultGenerator] = None
    onupdate: Optional[DefaultGenerator] = None
    server_default: Optional[FetchedValue] = None
    server_onupdate: Optional[FetchedValue] = None
    computed: Optional[Computed] = None
    identity: Optional[Identity] = None
    doc: Optional[str] = None
    system = False
    quote: Optional[bool] = None

    def __init__(
        self, __name_pos: Any = None, __type_pos: Any = None, *args: Any, name: Any = None, type_: Any = None,
        autoincrement: Any = "auto", default: Any = _MISSING, insert_default: Any = _MISSING, doc: Optional[str] = None,
        key: Optional[str] = None, index: Optional[bool] = None, unique: Optional[bool] = None, info: Any = None,
        nullable: Any = _MISSING, onupdate: Any = None, primary_key: bool = False, server_default: Any = None,
        server_onupdate: Any = None, quote: Optional[bool] = None, system: bool = False, comment: Optional[str] = None,
        sort_order: int = 0, **dialect_kwargs: Any,
    ) -> None:  # fmt: skip
        items = [arg for arg in (__name_pos, __type_pos) if arg is not None] + list(args)
        if items and isinstance(items[0], str):
            if name is not None:
                raise exc.ArgumentError("May not pass name positionally and as a keyword.")
            name = items.pop(0)
        if items and _is_type(items[0]):
            if type_ is not None:
                raise exc.ArgumentError("May not pass type_ positionally and as a keyword.")
            type_ = items.pop(0)
        if name is not None and not isinstance(name, str):
            raise exc.ArgumentError(f"a column's name is a str, not {name!r}")
        self._init(name, type_() if isinstance(type_, type) else type_)
        if primary_key:
            self.primary_key = True
        if nullable is not _MISSING and nullable is not None:
            self.nullable = nullable
        if key is not None:
            self.key = key
        if autoincrement != "auto":
            self.autoincrement = autoincrement
        if quote is not None or system:
            self._set_quote(quote, system)
            self.quote, self.system = quote, system
        if comment is not None:
            self.comment = comment
        if doc is not None:
            self.doc = doc
        if info is not None:
            self.info = info
        if unique is not None:
            self.unique = unique
        if index is not None:
            self.index = index
        if dialect_kwargs:
            self.dialect_kwargs = dialect_arguments(dialect_kwargs)
        given = default if insert_default is _MISSING else insert_default
        self._set_defaults(given, onupdate, server_default, server_onupdate)
        for item in items:
            if not isinstance(item, (SchemaItem, Constraint)):
                raise exc.ArgumentError(SCHEMA_ITEM_EXPECTED.format(item))
            item._attach_column(self)

    def _set_defaults(self, default: Any, onupdate: Any, server_default: Any, server_onupdate: Any) -> None:
        if default is not _MISSING and default is not None:
            default_of(default, False)._attach_column(self)
        if onupdate is not None:
            default_of(onupdate, True)._attach_column(self)
        if server_default is not None:
            if not isinstance(server_default, FetchedValue):
                server_default = DefaultClause(server_default)
            server_default._attach_column(self)
        if server_onupdate is not None:
            if not isinstance(server_onupdate, FetchedValue):
                server_onupdate = DefaultClause(server_onupdate, for_update=True)
            self.server_onupdate = server_onupdate._for(True)

    # -- names and copies, for declarative classes

    def _set_name(self, name: str, key: Optional[str] = None) -> None:
        """The name and key of a column that was declared without."""
        if getattr(self, "name", None) is None:
            self.name = name
        if self.key is None or key is not None:
            self.key = key or name

    def _copy(self, **kw: Any) -> Column:
        """A column like this one that no table has yet."""
        made = type(self).__new__(type(self))
        made._init(self.name, self.__dict__.get("_given_type", self._type_object()))
        if self.primary_key:
            made.primary_key = True
        if self._nullable_given:
            made.nullable = self.nullable
        if self.key is not None:
            made.key = self.key
        if self.autoincrement != "auto":
            made.autoincrement = self.autoincrement
        if self.quote is not None or self.system:
            made._set_quote(self.quote, self.system)
        if self.comment is not None:
            made.comment = self.comment
        for name, value in self.__dict__.items():
            if name in _COPIED:
                made.__dict__[name] = value
            elif not name.startswith("_") and name not in _ATTACHED:
                made.__dict__[name] = value
        for item in (self.default, self.onupdate, self.server_default):
            if item is not None:
                item._copy()._attach_column(made)
        if self.server_onupdate is not None:
            made.server_onupdate = self.server_onupdate
        for item in self.__dict__.get("_foreign_keys", ()):
            if not item._composite:
                item._copy()._attach_column(made)
        for item in self.__dict__.get("_checks", ()):
            item._copy()._attach_column(made)
        return made

    copy = _copy

    def _type_object(self) -> Any:
        given = self.type
        return None if type(given).__name__ == "NullType" else given

    # -- what a table makes of it

    def _imply(self, table: Table) -> None:
        """Give the table the constraints and the index that the column asks for."""
        if isinstance(self.default, Sequence):
            self.default._attach_metadata(table.metadata)
        fire(self, "before_parent_attach", table)
        for key in list(self.__dict__.get("_foreign_keys", ())):
            key._make_constraint(table, self)
        if self.index:
            Index(None, self, unique=bool(self.unique), _implicit=True)._attach(table)
        elif self.unique:
            UniqueConstraint(self, _implicit=True)._attach(table)
        for check in self.__dict__.get("_checks", ()):
            check._attach_beside(table, self)
        type_ = self._type_with_schema(table.schema)
        if getattr(type_, "create_constraint", False) and not type_._variants:
            values = type_._constraint_values()
            literals = [_engine.literal_column(_literal(value)) for value in values]
            CheckConstraint(
                _engine.column(self.name).in_(literals), name=type_.name, _implicit=True, _of_type=self
            )._attach(table)  # fmt: skip
        fire(self, "after_parent_attach", table)

    def _type_with_schema(self, schema: Optional[str]) -> Any:
        """The type, which may live in the schema of the table."""
        given: Any = self.type  # type: ignore[has-type]
        adopt_schema = getattr(given, "_adopt_schema", None)
        if adopt_schema is not None and adopt_schema(schema):
            self.type = given
        return given

    # -- looking

    @property
    def foreign_keys(self) -> set[ForeignKey]:
        """The foreign keys of the column."""
        keys = self.__dict__.get("_foreign_keys")
        if keys is None:
            known = self._core_foreign_keys() if self.table is not None else ()
            keys = []
            for position, (target, ondelete, onupdate) in enumerate(known):
                key = ForeignKey(target, ondelete=ondelete, onupdate=onupdate)
                key._place(self, position)
                keys.append(key)
            if keys:
                self._foreign_keys = keys
        return set(keys)

    @property
    def constraints(self) -> set[Constraint]:
        """Constraints that stand beside the column."""
        return set(self.__dict__.get("_checks", ()))

    @property
    def description(self) -> Optional[str]:
        """The name."""
        return self.name

    def references(self, column: Column) -> bool:
        """Whether the column refers to another one, by a foreign key."""
        return any(key.column is column for key in self.foreign_keys)

    def append_foreign_key(self, fk: ForeignKey) -> None:
        """Add a foreign key."""
        fk._attach_column(self)
        if self.table is not None:
            fk._make_constraint(self.table, self)

    def __str__(self) -> str:
        if self.name is None:
            return "(no name)"
        table = self.table
        return self.name if table is None else f"{table.description}.{self.name}"

    def __repr__(self) -> str:
        parts = []
        if self.name is not None:
            parts.append(repr(self.name))
        parts.append(repr(self.type))
        keys = self.__dict__.get("_foreign_keys", ())
        parts += [repr(key) for key in keys]
        parts += [repr(check) for check in self.__dict__.get("_checks", ())]
        table = self.table
        parts.append("table=None" if table is None else f"table=<{table.description}>")
        if self.key != self.name:
            parts.append(f"key={self.key!r}")
        if self.primary_key:
            parts.append("primary_key=True")
        if not self.nullable:
            parts.append("nullable=False")
        for name in ("onupdate", "default", "server_default", "comment"):
            value = getattr(self, name)
            if value is not None:
                parts.append(f"{name}={value!r}")
        return f"Column({', '.join(parts)})"


_AUTOLOAD = ("autoload_with", "autoload_replace", "include_columns", "resolve_fks", "_extend_on")
_ATTACHED = frozenset(("default", "onupdate", "server_default", "server_onupdate", "computed", "identity"))
_COPIED = frozenset(("unique", "index", "info", "doc", "quote", "system", "dialect_kwargs"))


def _literal(value: Any) -> str:
    return str(value) if not isinstance(value, str) else "'" + value.replace("'", "''") + "'"


def _is_type(arg: Any) -> bool:
    return isinstance(arg, _engine.TypeEngine) or (isinstance(arg, type) and issubclass(arg, _engine.TypeEngine))


def dialect_arguments(kw: dict[str, Any]) -> dict[str, Any]:
    """Arguments of databases: those named after one. TypeError names others."""
    for name in kw:
        prefix, underscore, rest = name.partition("_")
        if not underscore or not rest or not prefix:
            raise TypeError(f"Additional arguments should be named <dialectname>_<argument>, got '{name}'")
    return dict(kw)


def insert_sentinel(
    name: Optional[str] = None, type_: Any = None, *, default: Any = None, omit_from_statements: bool = True
) -> Column:
    """A column that tells inserted rows apart."""
    from .types import Integer

    return Column(name, type_ or Integer(), default=default)


def sort_tables(tables: Iterable[Table], skip_fn: Optional[Callable[..., Any]] = None) -> list[Table]:
    """Tables, each after those it refers to."""
    wanted = list(tables)
    found: list[Table] = []
    for table in wanted:
        for other in table.metadata.sorted_tables:
            if other in wanted and other not in found:
                found.append(other)
    return found


_engine.register_view(_engine.NODE_TABLE, Table)
_engine.register_view(_engine.NODE_COLUMN, Column)

__all__ = (
    "MetaData", "Table", "Column", "ForeignKey", "ForeignKeyConstraint", "PrimaryKeyConstraint", "UniqueConstraint",
    "CheckConstraint", "Constraint", "ColumnCollectionConstraint", "ColumnCollectionMixin", "Index", "Sequence",
    "Computed", "Identity", "DefaultClause", "FetchedValue", "DefaultGenerator", "ColumnDefault",
    "CallableColumnDefault", "ScalarElementColumnDefault", "ColumnElementColumnDefault", "SchemaItem",
    "HasConditionalDDL", "DDL", "DDLElement", "ExecutableDDLElement", "BaseDDLElement", "CreateTable", "DropTable",
    "CreateIndex", "DropIndex", "CreateSequence", "DropSequence", "BLANK_SCHEMA", "RETAIN_SCHEMA",
    "DEFAULT_NAMING_CONVENTION", "conv", "insert_sentinel", "sort_tables",
)  # fmt: skip
