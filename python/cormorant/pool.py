"""Pools of connections: the classes that poolclass= takes, and what listeners and raw connections meet.

The pool itself is the engine's, in C; these objects say which kind it is and show its counts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

__all__ = [
    "AssertionPool", "ConnectionPoolEntry", "ManagesConnection", "NullPool", "Pool", "PoolProxiedConnection",
    "PoolResetState", "QueuePool", "SingletonThreadPool", "StaticPool",
]  # fmt: skip


class PoolResetState:
    """What a `reset` listener is told."""

    def __init__(self, transaction_was_reset: bool = False, terminate_only: bool = False, asyncio_safe: bool = True):
        self.transaction_was_reset = transaction_was_reset
        self.terminate_only = terminate_only
        self.asyncio_safe = asyncio_safe


class ManagesConnection:
    """Something over a driver's connection."""

    __slots__ = ("dbapi_connection", "__weakref__")

    dbapi_connection: Any

    @property
    def driver_connection(self) -> Any:
        """The driver's connection."""
        return self.dbapi_connection


class ConnectionPoolEntry(ManagesConnection):
    """A connection as its pool keeps it."""

    __slots__ = ("info", "record_info")

    def __init__(self, dbapi_connection: Any):
        self.dbapi_connection = dbapi_connection
        self.info: dict[Any, Any] = {}
        self.record_info: dict[Any, Any] = {}

    @property
    def connection(self) -> Any:
        """The driver's connection."""
        return self.dbapi_connection

    @property
    def in_use(self) -> bool:
        """Whether somebody has it."""
        return True


_ConnectionRecord = ConnectionPoolEntry


class PoolProxiedConnection(ManagesConnection):
    """The driver's connection as the pool gives it: closing it gives it back."""

    __slots__ = ("_connection", "_record", "_owns", "_detached")

    def __init__(self, connection: Any, dbapi_connection: Any, record: ConnectionPoolEntry):
        self._connection = connection
        self.dbapi_connection = dbapi_connection
        self._record: Optional[ConnectionPoolEntry] = record
        self._owns = False
        self._detached = False

    def _own(self, connection: Any) -> PoolProxiedConnection:
        """Another one, which has the connection to itself (raw_connection())."""
        assert self._record is not None
        other = type(self)(connection, self.dbapi_connection, self._record)
        other._owns = True
        return other

    @property
    def connection(self) -> Any:
        """The driver's connection."""
        return self.dbapi_connection

    @property
    def info(self) -> dict[Any, Any]:
        """A dict that lives as long as the driver's connection."""
        return {} if self._record is None else self._record.info

    @property
    def record_info(self) -> Optional[dict[Any, Any]]:
        """A dict that lives as long as the pool's entry."""
        return None if self._record is None else self._record.record_info

    @property
    def is_valid(self) -> bool:
        """Whether it was not given back."""
        return self.dbapi_connection is not None

    @property
    def is_detached(self) -> bool:
        """Whether it left the pool."""
        return self._detached

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """A cursor of the driver's."""
        return self.dbapi_connection.cursor(*args, **kwargs)

    def commit(self) -> None:
        """Commit."""
        self.dbapi_connection.commit()

    def rollback(self) -> None:
        """Roll back."""
        self.dbapi_connection.rollback()

    def close(self) -> None:
        """Roll back and give the connection back."""
        if self._owns and self.dbapi_connection is not None:
            if not self._detached:
                self._connection.engine.pool._reset(self.dbapi_connection)
            self._connection.close()
        self._connection = None
        self.dbapi_connection = None
        self._record = None

    def invalidate(self, e: Optional[BaseException] = None, soft: bool = False) -> None:
        """Close the driver's connection instead of pooling it."""
        if self._connection is not None:
            self._connection.invalidate(e)
        self._connection = None
        self.dbapi_connection = None
        self._record = None

    def detach(self) -> None:
        """Take the connection out of the pool for good: closing it then closes it."""
        if self._connection is not None:
            self._connection.detach()
        self._detached = True

    def __getattr__(self, name: str) -> Any:
        if self.dbapi_connection is None:
            raise _closed()
        return getattr(self.dbapi_connection, name)

    def __enter__(self) -> PoolProxiedConnection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        if self._owns and self.dbapi_connection is not None:
            self.close()


_ConnectionFairy = PoolProxiedConnection


def _closed() -> Exception:
    from .exc import ResourceClosedError

    return ResourceClosedError("This Connection is closed")


class Pool:
    """A pool of connections, of an engine or of its own.

    :param creator: a function that opens a connection; for a pool without an engine.
    """

    _kind = 1
    _arguments: tuple[str, ...] = ()  # of create_engine(), beside those that every pool takes

    def __init__(self, creator: Optional[Callable[[], Any]] = None, pool_size: int = 5, max_overflow: int = 10,
                 timeout: float = 30.0, use_lifo: bool = False, recycle: int = -1, echo: Any = None,
                 pre_ping: bool = False, logging_name: Optional[str] = None, reset_on_return: Any = True,
                 _engine: Any = None, **kw: Any):
        self._creator = creator
        self._timeout = timeout
        self.logging_name = logging_name
        self._settings: dict[str, Any] = {
            "pool_size": pool_size, "max_overflow": max_overflow, "pool_timeout": timeout, "pool_use_lifo": use_lifo,
            "pool_recycle": recycle, "echo_pool": echo, "pool_pre_ping": pre_ping,
            "pool_reset_on_return": reset_on_return,
        }  # fmt: skip
        self._made = _engine
        self._reset_on_return = _reset_mode(reset_on_return)

    def _reset(self, dbapi_connection: Any) -> None:
        """What is done with a transaction that comes back under way."""
        if self._reset_on_return is not None:
            getattr(dbapi_connection, self._reset_on_return)()

    @property
    def _engine(self) -> Any:
        if self._made is None:
            from .engine.create import create_engine

            settings = {key: value for key, value in self._settings.items() if key in _COMMON + self._arguments}
            self._made = create_engine("sqlite://", creator=self._creator, poolclass=type(self), _pool=self, **settings)
        return self._made

    def _counts(self) -> tuple[int, int, int, int]:
        return self._engine._pool_counts()  # type: ignore[no-any-return]

    def connect(self) -> PoolProxiedConnection:
        """A connection from the pool."""
        return self._engine.raw_connection()  # type: ignore[no-any-return]

    def dispose(self) -> None:
        """Close the connections that are not in use."""
        self._engine.dispose()

    def recreate(self) -> Pool:
        """A new pool like this one, without its connections."""
        return type(self)(self._creator, **{_PARAMETERS.get(key, key): value for key, value in self._settings.items()})

    def status(self) -> str:
        """The counts, in words."""
        return type(self).__name__

    def checkedin(self) -> int:
        """How many connections wait in the pool."""
        return self._counts()[0]

    def checkedout(self) -> int:
        """How many connections are in use."""
        return self._counts()[1]


def _reset_mode(given: Any) -> Optional[str]:
    modes = {True: "rollback", "rollback": "rollback", "commit": "commit", False: None, None: None, "none": None}
    if not isinstance(given, (bool, str, type(None))) or given not in modes:
        from .exc import ArgumentError

        raise ArgumentError(f"Invalid value {given!r} for reset_on_return: True, False, 'rollback', 'commit' or None")
    return modes[given]


_COMMON = ("pool_recycle", "echo_pool", "pool_pre_ping", "pool_reset_on_return", "pool_logging_name")
_PARAMETERS = {"pool_timeout": "timeout", "pool_use_lifo": "use_lifo", "pool_recycle": "recycle", "echo_pool": "echo",
               "pool_pre_ping": "pre_ping", "pool_reset_on_return": "reset_on_return"}


class QueuePool(Pool):
    """Keeps some connections and opens more in need, up to a limit; then waits, first come, first served."""

    _kind = 1
    _arguments = ("pool_size", "max_overflow", "pool_timeout", "pool_use_lifo")

    def size(self) -> int:
        """How many connections are kept."""
        return self._counts()[2]

    def overflow(self) -> int:
        """How many connections there are beyond that; negative: so many may still be kept."""
        return self._counts()[3]

    def timeout(self) -> float:
        """How many seconds a connection is waited for."""
        return float(self._timeout)

    def status(self) -> str:
        idle, in_use, size, overflow = self._counts()
        return (f"Pool size: {size}  Connections in pool: {idle} Current Overflow: {overflow} "
                f"Current Checked out connections: {in_use}")


class NullPool(Pool):
    """Keeps no connection."""

    _kind = 2

    def status(self) -> str:
        return "NullPool"


class StaticPool(Pool):
    """One connection for everybody."""

    _kind = 3

    def status(self) -> str:
        return "StaticPool"


class SingletonThreadPool(Pool):
    """One connection a thread."""

    _kind = 4
    _arguments = ("pool_size",)

    def size(self) -> int:
        """How many threads have a connection."""
        return self._counts()[0]

    def status(self) -> str:
        return f"SingletonThreadPool id:{id(self)} size: {self._counts()[0]}"


class AssertionPool(Pool):
    """One connection, which only one user may have at a time: another one is an error."""

    _kind = 1

    def status(self) -> str:
        return "AssertionPool"


def __getattr__(name: str) -> Any:
    from ._missing import getattr_of

    return getattr_of(__name__)(name, 2)
