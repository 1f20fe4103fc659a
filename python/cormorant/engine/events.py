"""What listeners of engines meet: the context of an execution, the context of an error."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional


class ExecutionContext:
    """One execution of a statement, the same object before and after; listeners may keep their own attributes on it."""

    compiled = None
    invoked_statement = None

    def __init__(self, connection: Any, cursor: Any, statement: str, parameters: Any, executemany: bool):
        self.root_connection = self.connection = connection
        self.cursor = cursor
        self.statement = statement
        self.parameters = parameters
        self.executemany = executemany

    @property
    def engine(self) -> Any:
        """The engine."""
        return self.connection.engine

    @property
    def dialect(self) -> Any:
        """The dialect."""
        return self.connection.dialect

    @property
    def execution_options(self) -> dict[str, Any]:
        """The connection's options."""
        return self.connection.get_execution_options()  # type: ignore[no-any-return]


class ExceptionContext:
    """An error under way, for handle_error listeners."""

    def __init__(self, exception: BaseException, original: BaseException, args: tuple[Any, ...]):
        self.connection, self.cursor, self.statement, self.parameters, self.execution_context, _ = args
        self.engine = self.connection.engine
        self.dialect = self.engine.dialect
        self.original_exception = original
        self.sqlalchemy_exception: Optional[BaseException] = exception if exception is not original else None
        self.chained_exception: Optional[BaseException] = None
        self.is_disconnect = False
        self.invalidate_pool_on_disconnect = True
        self.is_pre_ping = False


def _handle_error(listeners: list[Any], exception: BaseException, args: tuple[Any, ...]) -> BaseException:
    """Call the listeners; what comes out is raised in the exception's place."""
    original = getattr(exception, "orig", None) or exception
    context = ExceptionContext(exception, original, args)
    result = exception
    for function, retval, _ in listeners:
        try:
            given = function(context)
        except BaseException as replacement:
            if replacement.__cause__ is None:
                replacement.__cause__ = original
            return replacement
        if retval and isinstance(given, BaseException):
            context.chained_exception = result = given
            if given.__cause__ is None:
                given.__cause__ = original
    return result


def _wrap_listener(function: Callable[..., Any], names: str, named: bool, once: bool, target: Any,
                   identifier: str) -> Callable[..., Any]:
    """A listener that takes its arguments by name, or is called only once."""
    keys = names.split()
    called: list[bool] = []

    def listener(*args: Any) -> Any:
        if once:
            if called:
                return None
            called.append(True)
        return function(**dict(zip(keys, args))) if named else function(*args)

    return listener
