"""Constraints, foreign keys and indexes."""

from __future__ import annotations

from . import _engine, exc
from ._schema_items import SchemaItem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Optional


class conv(str):
    """A name that no naming convention changes."""


class Constraint(SchemaItem):
    """A constraint of a table.

    :param name: its name.
    :param deferrable: DEFERRABLE or NOT DEFERRABLE.
    :param initially: INITIALLY.
    :param info: a dictionary of one's own.
    """

    __visit_name__ = "constraint"
    _prefix: Optional[str] = None  # in a naming convention
    _table: Any = None

    def __init__(
        self, name: Optional[str] = None, deferrable: Optional[bool] = None, initially: Optional[str] = None,
        info: Any = None, comment: Optional[str] = None, _implicit: bool = False, **dialect_kw: Any,
    ) -> None:  # fmt: skip
        from .schema import dialect_arguments

        self.name = name
        self.deferrable = deferrable
        self.initially = initially
        self.comment = comment
        self.dialect_kwargs = dialect_arguments(dialect_kw)
        self._implicit = _implicit
        if info is not None:
            self.info = info

    @property
    def table(self) -> Any:
        """The Table.

        Raises InvalidRequestError when the constraint is not bound to one yet.
        """
        if self._table is None:
            raise exc.InvalidRequestError(
                "This constraint is not bound to a table.  Did you mean to call table.append_constraint(constraint) ?"
            )
        return self._table

    def _attach(self, table: Any) -> None:
        from ._schema_ddl import fire

        if self._table is table:
            return
        fire(self, "before_parent_attach", table)
        self._table = table
        self._add(table)
        table._own_constraints.append(self)
        fire(self, "after_parent_attach", table)

    def _add(self, table: Any) -> None:
        raise exc.CompileError(f"{type(self).__name__} is no kind of constraint that a database has")

    # -- naming conventions

    def _convention_name(self, table: Any) -> Optional[str]:
        """The name after the MetaData's convention; the constraint's own when there is none."""
        name = self.name
        if isinstance(name, conv):
            return name
        conventions = table.metadata.naming_convention
        pattern = conventions.get(type(self), conventions.get(self._prefix))
        if pattern is None or (name is not None and "%(constraint_name)s" not in pattern):
            return name
        if name is None and "%(constraint_name)s" in pattern:
            if self._prefix == "ck":
                return None
            raise exc.InvalidRequestError(
                "Naming convention including %(constraint_name)s token requires that constraint is explicitly named."
            )
        return str(conv(pattern % _Tokens(self, table, conventions)))

    def _columns_for_name(self) -> list[Any]:
        return []

    def _reference_for_name(self) -> tuple[str, str]:
        return "", ""


class _Tokens(dict):  # type: ignore[type-arg]
    """What the parts of a naming convention's pattern are replaced by."""

    def __init__(self, constraint: Any, table: Any, conventions: Any):
        self.constraint = constraint
        self.table = table
        self.conventions = conventions

    def __missing__(self, key: str) -> str:
        if key in self.conventions:
            return str(self.conventions[key](self.constraint, self.table))
        if key == "table_name":
            return str(self.table.name)
        if key == "constraint_name":
            return str(self.constraint.name)
        if key == "referred_table_name":
            return str(self.constraint._reference_for_name()[0])
        referred = key.startswith("referred_")
        rest = key[len("referred_"):] if referred else key
        if rest.startswith("column_"):
            return self._columns(rest[len("column_"):], referred)
        raise KeyError(key)

    def _columns(self, rest: str, referred: bool) -> str:
        position, _, what = rest.partition("_")
        many = position.endswith("N") or what.startswith("N_")
        separator = "_" if what.startswith("N_") else ""
        what = what[2:] if what.startswith("N_") else what
        if many:
            names = [self._one(index, what, referred) for index in range(self._count())]
            return separator.join(names)
        return self._one(int(position), what, referred)

    def _count(self) -> int:
        return len(self.constraint._columns_for_name())

    def _one(self, index: int, what: str, referred: bool) -> str:
        if referred:
            return str(self.constraint._reference_for_name()[1])
        columns = self.constraint._columns_for_name()
        if index >= len(columns):
            return ""
        column = columns[index]
        name = getattr(column, "name", None) or str(column)
        if what == "label":
            return f"{self.table.name}_{name}"
        if what == "key":
            return str(getattr(column, "key", name))
        return str(name)


# -- of columns


class ColumnCollectionMixin:
    """What has columns."""

    _pending: list[Any]

    def _resolve_columns(self, table: Any) -> list[Any]:
        found = []
        for item in self._pending:
            if isinstance(item, str):
                column = table.c.get(item)
                if column is None:
                    raise exc.ConstraintColumnNotFoundError(
                        f"Can't create {type(self).__name__} on table '{table.name}': no column named '{item}' is "
                        "present."
                    )
                found.append(column)
            else:
                column = _engine._as_column(item)
                if column.table is not None and column.table is not table:
                    raise exc.ArgumentError(
                        f"Column(s) '{column.table.name}.{column.name}' are not part of table '{table.name}'."
                    )
                found.append(column)
        return found


class ColumnCollectionConstraint(ColumnCollectionMixin, Constraint):
    """A constraint of some columns.

    :param columns: names or Columns.
    """

    def __init__(self, *columns: Any, **kw: Any) -> None:
        kw.pop("_column_flag", None)
        kw.pop("_gather_expressions", None)
        kw.pop("_autoattach", None)
        super().__init__(**kw)
        self._pending = list(columns)
        self._found: list[Any] = []
        table = _table_of(columns)
        if table is not None and not self._implicit:
            self._attach(table)

    @property
    def columns(self) -> Any:
        """The columns, a collection."""
        return _engine._columns([(column.key, column) for column in self._list()])

    c = columns

    def _list(self) -> list[Any]:
        if self._found:
            return self._found
        return [item for item in self._pending if not isinstance(item, str)]

    def _columns_for_name(self) -> list[Any]:
        return self._list()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._list())

    def __len__(self) -> int:
        return len(self._list())

    def __bool__(self) -> bool:
        return True

    def contains_column(self, col: Any) -> bool:
        """Whether it is one of the columns."""
        return any(column is col for column in self._list())

    def __contains__(self, key: Any) -> bool:
        return any(column.key == key for column in self._list())

    def _copy(self, **kw: Any) -> Any:
        names = [item if isinstance(item, str) else item.key for item in self._pending]
        return type(self)(*names, name=self.name, deferrable=self.deferrable, initially=self.initially)

    def __repr__(self) -> str:
        parts = [repr(column) for column in self._list()]
        if self.name is not None:
            parts.append(f"name={self.name!r}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _table_of(items: Any) -> Any:
    """The table of expressions that are all columns of one; None otherwise."""
    table = None
    for item in items:
        column = item if isinstance(item, _engine.ColumnBase) else None
        if column is None or column.table is None:
            return None
        table = column.table
    return table


class UniqueConstraint(ColumnCollectionConstraint):
    """UNIQUE.

    :param columns: names or Columns.
    """

    __visit_name__ = "unique_constraint"
    _prefix = "uq"

    def _add(self, table: Any) -> None:
        self._found = self._resolve_columns(table)
        self.name = self._convention_name(table)
        _engine._table_add_unique(table, self.name, self._found, self._implicit)


class PrimaryKeyConstraint(ColumnCollectionConstraint):
    """PRIMARY KEY.

    :param columns: names or Columns.
    """

    __visit_name__ = "primary_key_constraint"
    _prefix = "pk"

    def _attach(self, table: Any) -> None:
        if self._table is table:
            return
        self._table = table
        found = self._resolve_columns(table)
        name = self.name
        if name is None:
            name = self._convention_name(table) if found else None
        _engine._table_set_primary_key(table, name, found)
        self.name = name
        table._primary_key = self

    def _list(self) -> list[Any]:
        return super()._list() if self._table is None else list(self._table._primary_key_columns)


class CheckConstraint(Constraint):
    """CHECK.

    :param sqltext: the condition: a text or an SQL expression.
    """

    __visit_name__ = "check_constraint"
    _prefix = "ck"

    def __init__(self, sqltext: Any, name: Optional[str] = None, table: Any = None, **kw: Any) -> None:
        for ignored in ("_create_rule", "_autoattach", "_type_bound"):
            kw.pop(ignored, None)
        self._of_type = kw.pop("_of_type", None)
        super().__init__(name=name, **kw)
        self.sqltext = _engine.text(sqltext) if isinstance(sqltext, str) else sqltext
        self._columns = _columns_in(self.sqltext)
        if table is None and self._columns and not self._implicit:
            table = _table_of(self._columns)
        if table is not None:
            self._attach(table)

    @property
    def columns(self) -> Any:
        """The columns in the condition, a collection."""
        return _engine._columns([(column.key, column) for column in self._columns])

    def _columns_for_name(self) -> list[Any]:
        return self._columns

    def _add(self, table: Any) -> None:
        self.name = self._convention_name(table)
        _engine._table_add_check(table, self.name, self.sqltext, None, self._implicit, self._of_type)

    def _attach_column(self, column: Any) -> None:
        column.__dict__.setdefault("_checks", []).append(self)
        if column.table is not None:
            self._attach_beside(column.table, column)

    def _attach_beside(self, table: Any, column: Any) -> None:
        if self._table is None:
            self._table = table
            self.name = self._convention_name(table)
            _engine._table_add_check(table, self.name, self.sqltext, column, True)

    def _copy(self, **kw: Any) -> CheckConstraint:
        return CheckConstraint(self.sqltext, name=self.name, deferrable=self.deferrable, initially=self.initially)

    def __repr__(self) -> str:
        named = "" if self.name is None else f", name={self.name!r}"
        return f"CheckConstraint({self.sqltext!r}{named})"


def _columns_in(element: Any) -> list[Any]:
    """The Columns somewhere in an expression."""
    found: list[Any] = []
    waiting = [element]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _engine.ColumnBase):
            if all(column is not item for column in found):
                found.append(item)
        elif hasattr(item, "get_children"):
            waiting.extend(reversed(item.get_children()))
    return found


# -- foreign keys


class ForeignKey(SchemaItem):
    """A column refers to another one.

    :param column: "table.column", "schema.table.column", or a Column.
    :param ondelete: what happens when the row referred to is deleted: "CASCADE", "SET NULL"...
    :param onupdate: the same when its key changes.
    :param name: of the constraint.
    :param use_alter: the constraint is made with ALTER TABLE, where the database has it.

    Example::

        Column("user_id", ForeignKey("users.id", ondelete="CASCADE"))
    """

    __visit_name__ = "foreign_key"
    parent: Any = None
    constraint: Any = None
    _composite = False
    _position = -1

    def __init__(
        self, column: Any, _constraint: Any = None, use_alter: bool = False, name: Optional[str] = None,
        onupdate: Optional[str] = None, ondelete: Optional[str] = None, deferrable: Optional[bool] = None,
        initially: Optional[str] = None, link_to_name: bool = False, match: Optional[str] = None, info: Any = None,
        comment: Optional[str] = None, _unresolvable: bool = False, **dialect_kw: Any,
    ) -> None:  # fmt: skip
        self._colspec = column if isinstance(column, str) else _engine._as_column(column)
        self.use_alter = use_alter
        self.name = name
        self.onupdate = onupdate
        self.ondelete = ondelete
        self.deferrable = deferrable
        self.initially = initially
        self.link_to_name = link_to_name
        self.match = match
        self.comment = comment
        self.dialect_kwargs = dialect_kw
        if info is not None:
            self.info = info

    # -- for Column and Table

    def _attach_column(self, column: Any) -> None:
        if self.parent is not None and self.parent is not column:
            raise exc.InvalidRequestError("This ForeignKey already has a parent !")
        self.parent = column
        column.__dict__.setdefault("_foreign_keys", []).append(self)

    def _place(self, column: Any, position: int) -> None:
        self.parent = column
        self._position = position

    def _make_constraint(self, table: Any, column: Any) -> None:
        """The constraint of one column, when its table is there."""
        if self.constraint is not None:
            return
        self.constraint = ForeignKeyConstraint(
            [column], [self._colspec], use_alter=self.use_alter, name=self.name, onupdate=self.onupdate,
            ondelete=self.ondelete, deferrable=self.deferrable, initially=self.initially, match=self.match,
            link_to_name=self.link_to_name, comment=self.comment, _implicit=True, _element=self,
        )  # fmt: skip
        self.constraint._attach(table)

    def _copy(self, **kw: Any) -> ForeignKey:
        made = ForeignKey(
            self._colspec, use_alter=self.use_alter, name=self.name, onupdate=self.onupdate, ondelete=self.ondelete,
            deferrable=self.deferrable, initially=self.initially, link_to_name=self.link_to_name, match=self.match,
            comment=self.comment, **self.dialect_kwargs,
        )  # fmt: skip
        if "_info" in self.__dict__:
            made.info = self.info
        return made

    # -- looking

    @property
    def target_fullname(self) -> str:
        """ "table.column" of the column referred to."""
        if isinstance(self._colspec, str):
            return self._colspec
        column = self._colspec
        return str(column.key) if column.table is None else f"{column.table.fullname}.{column.key}"

    @property
    def column(self) -> Any:
        """The Column referred to.

        Raises NoReferencedTableError and NoReferencedColumnError when it is not there.
        """
        if not isinstance(self._colspec, str):
            return self._colspec
        if self.parent is None or self.parent.table is None or self._position < 0:
            raise exc.InvalidRequestError(
                "This ForeignKey object does not yet have a parent Column associated with it."
            )
        return self.parent._resolve_foreign_key(self._position)

    def references(self, table: Any) -> bool:
        """Whether a table is referred to."""
        return self.column.table is table

    def get_referent(self, table: Any) -> Any:
        """The column of a FROM that is referred to, or None."""
        return table.corresponding_column(self.column)

    def __repr__(self) -> str:
        return f"ForeignKey({self.target_fullname!r})"


class ForeignKeyConstraint(ColumnCollectionConstraint):
    """FOREIGN KEY of one or several columns.

    :param columns: names or Columns.
    :param refcolumns: "table.column" or Columns, as many.
    """

    __visit_name__ = "foreign_key_constraint"
    _prefix = "fk"

    def __init__(
        self, columns: Any, refcolumns: Any, name: Optional[str] = None, onupdate: Optional[str] = None,
        ondelete: Optional[str] = None, deferrable: Optional[bool] = None, initially: Optional[str] = None,
        use_alter: bool = False, link_to_name: bool = False, match: Optional[str] = None, table: Any = None,
        info: Any = None, comment: Optional[str] = None, _implicit: bool = False, _element: Any = None, **kw: Any,
    ) -> None:  # fmt: skip
        columns, refcolumns = list(columns), list(refcolumns)
        if len(set(map(str, columns))) != len(set(map(str, refcolumns))) and len(columns) != len(refcolumns):
            raise exc.ArgumentError(
                "ForeignKeyConstraint number of constrained columns must match the number of referenced columns."
            )
        self.onupdate = onupdate
        self.ondelete = ondelete
        self.use_alter = use_alter
        self.link_to_name = link_to_name
        self.match = match
        if _element is not None:
            self.elements = [_element]
        else:
            self.elements = [
                ForeignKey(
                    target, use_alter=use_alter, name=name, onupdate=onupdate, ondelete=ondelete, deferrable=deferrable,
                    initially=initially, link_to_name=link_to_name, match=match,
                )
                for target in refcolumns
            ]  # fmt: skip
        Constraint.__init__(
            self, name=name, deferrable=deferrable, initially=initially, info=info, comment=comment,
            _implicit=_implicit, **kw,
        )  # fmt: skip
        self._pending = columns
        self._found = []
        if table is None and not _implicit:
            table = _table_of(columns)
        if table is not None:
            self._attach(table)

    def _add(self, table: Any) -> None:
        self._found = self._resolve_columns(table)
        self.name = self._convention_name(table)
        for column, key in zip(self._found, self.elements):
            keys = column.__dict__.setdefault("_foreign_keys", [])
            if not self._implicit:
                key.parent = column
                key._composite = True
                key.constraint = self
                keys.append(key)
        _engine._table_add_foreign_key(
            table, self._found, [key._colspec for key in self.elements], self.name, self.ondelete, self.onupdate,
            self.initially, self.match, self.deferrable, self.use_alter, self._implicit,
        )  # fmt: skip
        for column, key in zip(self._found, self.elements):
            key._position = len(column._core_foreign_keys()) - 1

    @property
    def column_keys(self) -> list[str]:
        """The keys of its columns."""
        return [item if isinstance(item, str) else item.key for item in self._pending]

    @property
    def referred_table(self) -> Any:
        """The Table referred to."""
        return self.elements[0].column.table

    def _reference_for_name(self) -> tuple[str, str]:
        parts = self.elements[0].target_fullname.split(".")
        return (parts[-2] if len(parts) > 1 else parts[0]), parts[-1]

    def _copy(self, **kw: Any) -> ForeignKeyConstraint:
        return ForeignKeyConstraint(
            self.column_keys, [key.target_fullname for key in self.elements], name=self.name, onupdate=self.onupdate,
            ondelete=self.ondelete, deferrable=self.deferrable, initially=self.initially, use_alter=self.use_alter,
            match=self.match,
        )  # fmt: skip


# -- indexes


class Index(ColumnCollectionMixin, SchemaItem):
    """An index.

    :param name: its name; None: after its table and first column.
    :param expressions: names, Columns or SQL expressions.
    :param unique: UNIQUE.
    :param sqlite_where: of a partial index.

    Example::

        Index("ix_users_name", users.c.name, users.c.age.desc())
    """

    __visit_name__ = "index"
    _table: Any = None
    _prefix = "ix"
    _position = -1

    def __init__(
        self, name: Optional[str], *expressions: Any, unique: bool = False, quote: Optional[bool] = None,
        info: Any = None, _table: Any = None, _implicit: bool = False, **dialect_kw: Any,
    ) -> None:  # fmt: skip
        from .schema import dialect_arguments

        self.name = name
        self.unique = unique
        self.dialect_kwargs = dialect_arguments(dialect_kw)
        self._implicit = _implicit
        self._pending = list(expressions)
        self.expressions: list[Any] = []
        if info is not None:
            self.info = info
        table = _table
        if table is None and not _implicit:
            columns = [column for item in expressions if not isinstance(item, str) for column in _columns_in(item)]
            table = _table_of(columns) if columns else None
        if table is not None:
            self._attach(table)

    def _attach(self, table: Any) -> None:
        if self._table is table:
            return
        if self._table is not None:
            raise exc.ArgumentError(
                f"Index '{self.name}' is against table '{self._table.description}', and cannot be associated with "
                f"table '{table.description}'."
            )
        expressions = []
        for item in self._pending:
            if isinstance(item, str):
                column = table.c.get(item)
                if column is None:
                    raise exc.ConstraintColumnNotFoundError(
                        f"Can't create Index on table '{table.name}': no column named '{item}' is present."
                    )
                item = column
            elif not isinstance(item, _engine.ClauseElement):
                item = _engine._as_column(item)
            expressions.append(item)
        self.expressions = expressions
        self._table = table
        if self.name is None:
            self.name = Constraint._convention_name(self, table)  # type: ignore[arg-type]
        where = self.dialect_kwargs.get("sqlite_where")
        if isinstance(where, str):
            where = _engine.text(where)
        self._position = _engine._table_add_index(table, self.name, expressions, self.unique, where, self._implicit)
        table.__dict__.setdefault("_indexes", []).append(self)

    @property
    def table(self) -> Any:
        """The Table, or None."""
        return self._table

    @property
    def columns(self) -> Any:
        """The columns in it, a collection."""
        found = [column for item in self.expressions for column in _columns_in(item)]
        return _engine._columns([(column.key, column) for column in found])

    def _columns_for_name(self) -> list[Any]:
        return [column for item in self.expressions or self._pending for column in _columns_in(item)]

    def create(self, bind: Any, checkfirst: bool = False) -> None:
        """Create the index.

        :param bind: an Engine or a Connection.
        """
        from ._schema_ddl import CreateIndex, run_on

        run_on(bind, CreateIndex(self, if_not_exists=bool(checkfirst)))

    def drop(self, bind: Any, checkfirst: bool = False) -> None:
        """Drop the index.

        :param bind: an Engine or a Connection.
        """
        from ._schema_ddl import DropIndex, run_on

        run_on(bind, DropIndex(self, if_exists=bool(checkfirst)))

    def _copy(self, **kw: Any) -> Index:
        items = [item if isinstance(item, str) else getattr(item, "key", item) for item in self._pending]
        return Index(self.name, *items, unique=self.unique, **self.dialect_kwargs)

    def __repr__(self) -> str:
        parts = [repr(self.name), *(repr(item) for item in self.expressions or self._pending)]
        if self.unique:
            parts.append("unique=True")
        return f"Index({', '.join(parts)})"
