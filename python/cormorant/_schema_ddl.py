"""DDL as objects, and the events around it."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional


# -- connections


class connected:
    """A Connection of a bind: itself, or one of an Engine, in a transaction of its own."""

    def __init__(self, bind: Any):
        if bind is None:
            raise exc.ArgumentError("an Engine or a Connection is needed")
        self._begun: Any = None
        self._bind = bind

    def __enter__(self) -> Any:
        if isinstance(self._bind, _engine.Connection):
            return self._bind
        begin = getattr(self._bind, "begin", None)
        if begin is None:
            raise exc.ArgumentError(f"an Engine or a Connection is needed, not {self._bind!r}")
        self._begun = begin()
        return self._begun.__enter__()

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> Any:
        return None if self._begun is None else self._begun.__exit__(kind, value, traceback)


def run_on(bind: Any, element: BaseDDLElement) -> None:
    """Run DDL on an Engine or a Connection."""
    with connected(bind) as connection:
        _engine._run_ddl(connection, element._sql(connection.dialect.name))


class Creatable:
    """What a database has beside its tables, and a program may create and drop by itself."""

    def create(self, bind: Any, checkfirst: Any = True) -> None:
        """Create it in the database.

        :param bind: an Engine or a Connection.
        :param checkfirst: unless it is there.
        """
        with connected(bind) as connection:
            self._run(connection, checkfirst, False)

    def drop(self, bind: Any, checkfirst: Any = True) -> None:
        """Drop it from the database.

        :param bind: an Engine or a Connection.
        :param checkfirst: if it is there.
        """
        with connected(bind) as connection:
            self._run(connection, checkfirst, True)

    def _run(self, connection: Any, checkfirst: Any, drop: bool) -> None:
        raise NotImplementedError  # of each kind


# -- DDL


class BaseDDLElement:
    """DDL of one thing."""

    element: Any
    target: Any = None
    _predicate: Any = None
    _dialects: Any = None
    state: Any = None

    def _sql(self, dialect: str) -> str:
        raise NotImplementedError

    def compile(self, bind: Any = None, dialect: Any = None, **kw: Any) -> Any:
        """The SQL."""
        from .sql.compiler import Compiled, dialect_of

        dialect = dialect_of(bind, dialect)
        return Compiled(self, self._sql("default" if dialect is None else dialect.name), [], [], dialect)

    def __str__(self) -> str:
        return self._sql("default")

    def __clause_element__(self) -> Any:
        return _engine.text(self._sql("sqlite").replace(":", "\\:"))


class ExecutableDDLElement(BaseDDLElement):
    """DDL that can be executed, also when an event happens."""

    def execute_if(self, dialect: Any = None, callable_: Any = None, state: Any = None) -> Any:
        """The same, to be executed on some databases or under a condition only."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._dialects = (dialect,) if isinstance(dialect, str) else dialect
        made._predicate = callable_
        made.state = state
        return made

    def against(self, target: Any) -> Any:
        """The same, of a table or another thing."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.target = target
        return made

    def _wanted(self, target: Any, connection: Any, **kw: Any) -> bool:
        if self._dialects is not None and connection.dialect.name not in self._dialects:
            return False
        return self._predicate is None or bool(
            self._predicate(self, target, connection, state=self.state, **kw)
        )

    def __call__(self, target: Any, bind: Any, **kw: Any) -> None:
        """Execute it, as a listener of an event."""
        if self._wanted(target, bind, **kw):
            _engine._run_ddl(bind, self.against(target)._sql(bind.dialect.name))


DDLElement = ExecutableDDLElement


class DDL(ExecutableDDLElement):
    """DDL of one's own text, with %(table)s and the like for what it is about.

    :param statement: the text.
    :param context: more names for it.

    Example::

        event.listen(users, "after_create", DDL("CREATE TRIGGER ..."))
    """

    def __init__(self, statement: str, context: Optional[dict[str, Any]] = None):
        if not isinstance(statement, str):
            raise exc.ArgumentError(f"Expected a string or unicode SQL statement, got {statement!r}")
        self.statement = statement
        self.context = context or {}

    def _sql(self, dialect: str) -> str:
        context = dict(self.context)
        table = self.target
        if table is not None and hasattr(table, "fullname"):
            context.setdefault("table", _engine._quote(table.name, dialect))
            context.setdefault("schema", _engine._quote(table.schema, dialect) if table.schema else "")
            parts = table.fullname.split(".")
            context.setdefault("fullname", ".".join(_engine._quote(part, dialect) for part in parts))
        return self.statement % context

    def __repr__(self) -> str:
        return f"<DDL@{id(self):x}; {self.statement!r}>"


class _TableDDL(ExecutableDDLElement):
    _drop = False

    def __init__(self, element: Any, flag: bool):
        self.element = self.target = element
        self._flag = flag

    def _sql(self, dialect: str) -> str:
        return str(_engine._ddl_table(self.element, dialect, self._drop, self._flag))


class CreateTable(_TableDDL):
    """CREATE TABLE.

    :param element: the Table.
    :param if_not_exists: IF NOT EXISTS.
    """

    def __init__(self, element: Any, include_foreign_key_constraints: Any = None, if_not_exists: bool = False):
        super().__init__(element, if_not_exists)


class DropTable(_TableDDL):
    """DROP TABLE.

    :param element: the Table.
    :param if_exists: IF EXISTS.
    """

    _drop = True

    def __init__(self, element: Any, if_exists: bool = False):
        super().__init__(element, if_exists)


class _SequenceDDL(ExecutableDDLElement):
    def __init__(self, element: Any, flag: bool):
        self.element = self.target = element
        self._flag = flag

    def _name(self, dialect: str) -> str:
        parts = [part for part in (self.element.schema, self.element.name) if part]
        return ".".join(_engine._quote(part, dialect) for part in parts)


class CreateSequence(_SequenceDDL):
    """CREATE SEQUENCE.

    :param element: the Sequence.
    :param if_not_exists: IF NOT EXISTS.
    """

    def __init__(self, element: Any, if_not_exists: bool = False):
        super().__init__(element, if_not_exists)

    def _sql(self, dialect: str) -> str:
        from ._schema_items import numbering

        words = ["CREATE SEQUENCE IF NOT EXISTS" if self._flag else "CREATE SEQUENCE", self._name(dialect)]
        if dialect == "postgresql" and self.element.data_type is not None:
            words.append(f"AS {self.element.data_type.compile(dialect=_dialect_named(dialect))}")
        words.append(numbering(self.element, "NO" if dialect in ("mariadb", "mysql") else "NO "))
        return " ".join(word for word in words if word)


class DropSequence(_SequenceDDL):
    """DROP SEQUENCE.

    :param element: the Sequence.
    :param if_exists: IF EXISTS.
    """

    def __init__(self, element: Any, if_exists: bool = False):
        super().__init__(element, if_exists)

    def _sql(self, dialect: str) -> str:
        return ("DROP SEQUENCE IF EXISTS " if self._flag else "DROP SEQUENCE ") + self._name(dialect)


def _dialect_named(name: str) -> Any:
    from . import dialects

    return getattr(dialects, name).dialect()


class _IndexDDL(ExecutableDDLElement):
    _drop = False

    def __init__(self, element: Any, flag: bool):
        self.element = self.target = element
        self._flag = flag

    def _sql(self, dialect: str) -> str:
        index = self.element
        if index.table is None:
            raise exc.CompileError(f"Index '{index.name}' is not associated with any table.")
        return str(_engine._ddl_index(index.table, index._position, dialect, self._drop, self._flag))


class CreateIndex(_IndexDDL):
    """CREATE INDEX.

    :param element: the Index.
    :param if_not_exists: IF NOT EXISTS.
    """

    def __init__(self, element: Any, if_not_exists: bool = False):
        super().__init__(element, if_not_exists)


class DropIndex(_IndexDDL):
    """DROP INDEX.

    :param element: the Index.
    :param if_exists: IF EXISTS.
    """

    _drop = True

    def __init__(self, element: Any, if_exists: bool = False):
        super().__init__(element, if_exists)


# -- events

_EVENTS = frozenset((
    "before_create", "after_create", "before_drop", "after_drop", "before_parent_attach", "after_parent_attach",
    "column_reflect",
))  # fmt: skip
_class_listeners: dict[tuple[type, str], list[Any]] = {}


def _place(target: Any, identifier: str, make: bool) -> Optional[list[Any]]:
    """Where the listeners of a target are; None: it is none of ours."""
    from ._schema_items import SchemaItem

    if identifier not in _EVENTS:
        return None
    if isinstance(target, type):
        if not issubclass(target, (SchemaItem, _engine.MetaDataBase)):
            return None
        key = (target, identifier)
        return _class_listeners.setdefault(key, []) if make else _class_listeners.get(key)
    if not isinstance(target, (SchemaItem, _engine.MetaDataBase)):
        return None
    listeners = target.__dict__.get("_listeners")
    if listeners is None:
        if not make:
            return []
        listeners = target.__dict__["_listeners"] = {}
    place: list[Any] = listeners.setdefault(identifier, []) if make else listeners.get(identifier, [])
    return place


def _schema_listen(target: Any, identifier: str, fn: Callable[..., Any], options: dict[str, Any]) -> bool:
    place = _place(target, identifier, True)
    if place is None:
        return False
    entry = (fn, bool(options.get("once")))
    place.insert(0, entry) if options.get("insert") else place.append(entry)
    return True


def _schema_unlisten(target: Any, identifier: str, fn: Callable[..., Any]) -> bool:
    place = _place(target, identifier, False) or []
    for entry in place:
        if entry[0] == fn:
            place.remove(entry)
            return True
    return False


def _schema_contains(target: Any, identifier: str, fn: Callable[..., Any]) -> bool:
    return any(entry[0] == fn for entry in _place(target, identifier, False) or ())


_engine._schema_listen = _schema_listen
_engine._schema_unlisten = _schema_unlisten
_engine._schema_contains = _schema_contains


def listened(metadata: Any, tables: Optional[list[Any]]) -> bool:
    """Whether anybody wants to know of creating or dropping these."""
    if _class_listeners or metadata.__dict__.get("_listeners"):
        return True
    return any(table.__dict__.get("_listeners") for table in (metadata._tables.values() if tables is None else tables))


def tell_of_column(inspector: Any, table: Any, column: dict[str, Any]) -> None:
    """Let the listeners of a table, of its MetaData and of classes see, and change, a column that was read."""
    for target in (table.metadata, table):
        for cls in type(target).__mro__:
            for entry in list(_class_listeners.get((cls, "column_reflect"), ())):
                entry[0](inspector, table, column)
        for entry in list((target.__dict__.get("_listeners") or {}).get("column_reflect", ())):
            entry[0](inspector, table, column)


def fire(target: Any, identifier: str, argument: Any, **kw: Any) -> None:
    """Call the listeners of a target and of its class."""
    own = target.__dict__.get("_listeners")
    if own is None and not _class_listeners:
        return
    places = [_class_listeners.get((cls, identifier)) for cls in type(target).__mro__] if _class_listeners else []
    places.append(own.get(identifier) if own else None)
    for place in places:
        for entry in list(place or ()):
            if entry[1]:
                place.remove(entry)  # type: ignore[union-attr]
            entry[0](target, argument, **kw)
