"""What listeners of executions get: ORMExecuteState, and the contexts of bulk updates and deletes."""

from __future__ import annotations

from .. import _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class ORMExecuteState:
    """One execution of a statement by a session, for listeners of do_orm_execute.

    A listener may replace `statement` and `parameters`, change the options with update_execution_options(), run the
    statement itself with invoke_statement(), or return a Result, which then is the execution's.
    """

    __slots__ = (
        "session",
        "statement",
        "parameters",
        "bind_arguments",
        "local_execution_options",
        "_original",
        "_listeners",
        "_position",
    )

    def __init__(
        self,
        session: Any,
        statement: Any,
        parameters: Any,
        execution_options: Mapping[str, Any],
        bind_arguments: Mapping[str, Any],
        listeners: list[Any],
        position: int,
    ):
        self.session = session
        self.statement = self._original = statement
        self.parameters = parameters
        self.local_execution_options = dict(execution_options)
        self.bind_arguments = dict(bind_arguments)
        self._listeners = listeners
        self._position = position

    @property
    def execution_options(self) -> dict[str, Any]:
        """All options: of the session, the statement and the call."""
        options = dict(self.session.execution_options)
        options.update(getattr(self.statement, "_execution_options", None) or {})
        options.update(self.local_execution_options)
        return options

    def update_execution_options(self, **opts: Any) -> None:
        """Add options to those of the call."""
        self.local_execution_options.update(opts)

    def invoke_statement(
        self,
        statement: Any = None,
        params: Any = None,
        execution_options: Mapping[str, Any] | None = None,
        bind_arguments: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the statement, or the given one, past the listeners that had their turn: a Result."""
        parameters = self.parameters
        if params is not None:
            parameters = {**parameters, **params} if isinstance(parameters, dict) else params
        options = {**self.local_execution_options, **(execution_options or {})}
        binds = {**self.bind_arguments, **(bind_arguments or {})}
        return _run(
            self.session,
            self.statement if statement is None else statement,
            parameters,
            options,
            binds,
            self._listeners,
            self._position,
        )

    @property
    def is_select(self) -> bool:
        """Is it a SELECT?"""
        return isinstance(self.statement, (_engine.Select, _engine.CompoundSelect))

    @property
    def is_insert(self) -> bool:
        """Is it an INSERT?"""
        return isinstance(self.statement, _engine.Insert)

    @property
    def is_update(self) -> bool:
        """Is it an UPDATE?"""
        return isinstance(self.statement, _engine.Update)

    @property
    def is_delete(self) -> bool:
        """Is it a DELETE?"""
        return isinstance(self.statement, _engine.Delete)

    @property
    def is_executemany(self) -> bool:
        """Are there several parameter sets?"""
        return isinstance(self.parameters, list)

    @property
    def is_orm_statement(self) -> bool:
        """Does it name mapped classes?"""
        return self.bind_mapper is not None

    @property
    def bind_mapper(self) -> Any:
        """The Mapper of the first mapped class in it, or None."""
        return _engine._statement_mapper(self.statement)

    @property
    def all_mappers(self) -> list[Any]:
        """The Mappers of what is selected."""
        found = self.bind_mapper
        return [] if found is None else [found]

    is_column_load = is_relationship_load = is_from_statement = False
    lazy_loaded_from = None
    user_defined_options: tuple[Any, ...] = ()


class BulkUD:
    """A Query.update() or Query.delete() that ran, for listeners of after_bulk_update and after_bulk_delete."""

    def __init__(self, session: Any, query: Any, rowcount: int):
        self.session = session
        self.query = query
        self.rowcount = rowcount
        self.mapper = _engine._statement_mapper(query.statement)

    @property
    def result(self) -> BulkUD:
        """Has `rowcount`."""
        return self


class BulkUpdate(BulkUD):
    """A Query.update() that ran."""

    def __init__(self, session: Any, query: Any, rowcount: int, values: Any):
        super().__init__(session, query, rowcount)
        self.values = values


class BulkDelete(BulkUD):
    """A Query.delete() that ran."""


def _bulk_context(session: Any, query: Any, values: Any, rowcount: int) -> BulkUD:
    return BulkDelete(session, query, rowcount) if values is None else BulkUpdate(session, query, rowcount, values)


class _Counted:
    """What update(Entity) with a list of dictionaries gives: no rows, a count of those that changed."""

    __slots__ = ("rowcount",)
    returns_rows = False

    def __init__(self, rowcount: int):
        self.rowcount = rowcount

    def close(self) -> None:
        """Nothing is open."""


def _listeners_of(session: Any, name: str) -> list[Any]:
    found = []
    for cls in reversed(type(session).__mro__):
        found += [one[0] for one in cls.__dict__.get("_cormorant_listeners", {}).get(name, ())]
    return found + [one[0] for one in session._listeners.get(name, ())]


def _run(
    session: Any,
    statement: Any,
    parameters: Any,
    options: Mapping[str, Any],
    binds: Mapping[str, Any],
    listeners: list[Any],
    position: int,
) -> Any:
    state = ORMExecuteState(session, statement, parameters, options, binds, listeners, position)
    while state._position < len(listeners):
        state._position += 1
        result = listeners[state._position - 1](state)
        if result is not None:
            return result
    return session._execute(state.statement, state.parameters, state.local_execution_options)


def _do_orm_execute(session: Any, statement: Any, parameters: Any, options: Any, binds: Any) -> Any:
    return _run(session, statement, parameters, options or {}, binds or {}, _listeners_of(session, "do_orm_execute"), 0)


def _get(
    session: Any,
    entity: Any,
    key: tuple[Any, ...],
    options: Any,
    populate_existing: bool,
    for_update: Any,
    execution_options: Any,
    bind_arguments: Any,
) -> Any:
    """Session.get() by a statement that listeners see and that may lock the row."""
    from ..inspection import inspect
    from ..sql import bindparam, select

    mapper = inspect(entity)
    names = [f"pk_{number}" for number in range(1, len(key) + 1)]
    statement = select(entity).where(
        *(
            column.is_(None) if value is None else column == bindparam(name)
            for column, name, value in zip(mapper.primary_key, names, key)
        )
    )
    if options:
        statement = statement.options(*options)
    if for_update is not None and for_update is not False:
        statement = statement.with_for_update(**({} if for_update is True else for_update))
    execution = dict(execution_options or {})
    if populate_existing:
        execution["populate_existing"] = True
    values = {name: value for name, value in zip(names, key) if value is not None}
    result = session.execute(statement, values, execution_options=execution, bind_arguments=bind_arguments or {})
    return result.unique().scalars().one_or_none()


def _execute(session: Any, statement: Any, parameters: Any, options: Mapping[str, Any]) -> Any:
    return session.execute(statement, parameters, execution_options=options)
