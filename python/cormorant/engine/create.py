"""create_engine(): reads URL and arguments, and makes the engine of them."""

from __future__ import annotations

from .. import _engine, exc, pool
from . import default
from .url import URL, make_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional, Union

# Accepted and without a meaning here: how statements are written and batched is the engine's own business.
_ACCEPTED = frozenset((
    "future", "enable_from_linting", "paramstyle", "module", "json_serializer", "json_deserializer", "label_length",
    "max_identifier_length", "insertmanyvalues_page_size", "use_insertmanyvalues", "pool_reset_on_return",
    "skip_autocommit_rollback", "native_datetime", "plugins", "compiled_cache", "pool_logging_name",
))  # fmt: skip

_FOR_SQLITE3 = ("detect_types", "factory", "autocommit")
_UNLIMITED = 1 << 30


def _text_of(value: Any) -> str:
    return "1" if value is True else "0" if value is False else "" if value is None else str(value)


def _driver_arguments(url: URL, connect_args: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = [(key, values[-1]) for key, values in url.normalized_query.items()]
    return pairs + [(key, _text_of(value)) for key, value in connect_args.items()]


_said: set[str] = set()


def _say_driver(url: URL) -> None:
    """Another library's name in a URL means the engine's own driver: said once."""
    wanted = url.drivername.partition("+")[2]
    own = _engine._driver_name(url.get_backend_name(), wanted or None)
    if wanted and wanted != own and url.drivername not in _said:
        import logging

        _said.add(url.drivername)
        logging.getLogger("sqlalchemy.engine.Engine").info(
            "%s: the engine's own driver is used, not %s", url.drivername, wanted)


def _is_memory(url: URL) -> bool:
    if url.get_backend_name() != "sqlite":
        return False
    database = url.database
    return not database or database == ":memory:" or "mode=memory" in database or url.query.get("mode") == "memory"


def _own_connections(url: URL, connect_args: dict[str, Any]) -> Optional[Callable[[], Any]]:
    """Arguments that only Python's sqlite3 understands: it opens the connections then."""
    wanted = [key for key in _FOR_SQLITE3 if connect_args.get(key)]
    if not wanted:
        return None
    arguments: dict[str, Any] = {**url.query, **connect_args}
    if "timeout" in arguments:
        arguments["timeout"] = float(arguments["timeout"])

    def connect() -> Any:
        import sqlite3

        return sqlite3.connect(url.database or ":memory:", **arguments)

    return connect


def _pool_class(given: Any, url: URL) -> Any:
    if given is None:
        return pool.SingletonThreadPool if _is_memory(url) else pool.QueuePool
    if isinstance(given, type) and issubclass(given, pool.Pool):
        return given
    raise exc.ArgumentError(f"poolclass={given!r} is no pool class of this package")


def _take_pool(kwargs: dict[str, Any], cls: Any, dialect: Any) -> dict[str, Any]:
    """The pool's arguments; what is left in kwargs is nobody's."""
    taken: dict[str, Any] = {"pool": cls._kind}
    allowed = cls._arguments
    if "pool_size" in allowed:
        size = kwargs.pop("pool_size", 5)
        taken["pool_size"] = _UNLIMITED if size == 0 else size
    if "max_overflow" in allowed:
        taken["max_overflow"] = kwargs.pop("max_overflow", 10)
    if "pool_timeout" in allowed:
        timeout = kwargs.pop("pool_timeout", 30.0)
        taken["pool_timeout"] = 1e9 if timeout is None else -1.0 if timeout == 0 else float(timeout)
    taken["fifo"] = not kwargs.pop("pool_use_lifo", False) if "pool_use_lifo" in allowed else False
    taken["pool_recycle"] = max(0.0, float(kwargs.pop("pool_recycle", -1)))
    taken["pre_ping"] = bool(kwargs.pop("pool_pre_ping", False))
    if cls is pool.AssertionPool:
        taken.update(pool_size=1, max_overflow=0, pool_timeout=-1.0)
    unknown = [key for key in kwargs if key not in _ACCEPTED]
    if unknown:
        names = ",".join(f"'{key}'" for key in unknown)
        raise TypeError(
            f"Invalid argument(s) {names} sent to create_engine(), using configuration "
            f"{type(dialect).__name__}/{cls.__name__}/Engine.  Please check that the keyword arguments are appropriate "
            "for this combination of components."
        )
    return taken


def create_engine(url: Union[str, URL], **kwargs: Any) -> _engine.Engine:
    """An engine for a database. It connects when it is first used.

    :param url: such as ``sqlite:///file.db``, ``sqlite://`` (in memory), ``sqlite:///file.db?foreign_keys=1&timeout=10``
        (seconds to wait for a lock).
    :param connect_args: a dict of more arguments for the driver.
    :param creator: a function that opens a connection (of Python's ``sqlite3``) instead of the driver.
    :param poolclass: a class of ``cormorant.pool``; by default SingletonThreadPool for a database in memory, else
        QueuePool.
    :param pool_size: connections to keep. :param max_overflow: more in need.
    :param pool_timeout: seconds to wait for one.
    :param pool_recycle: seconds after which one is replaced. :param pool_pre_ping: test each before use.
    :param pool_reset_on_return: what is done with a transaction that a raw connection comes back with: "rollback" (or
        True), "commit", or None.
    :param echo: log statements; "debug" for more. :param echo_pool: log what the pool does.
    :param logging_name: added to the logger's name. :param hide_parameters: keep values out of logs and errors.
    :param isolation_level: SERIALIZABLE, READ UNCOMMITTED or AUTOCOMMIT.
    :param execution_options: options for every connection.
    :param query_cache_size: how many compiled statements to keep.
    :raises ArgumentError: no URL. :raises NoSuchModuleError: no such dialect or driver.
    :raises TypeError: an argument is not known, or does not fit the pool.
    """
    parsed = make_url(url)
    if "future" in kwargs and not kwargs["future"]:
        raise exc.ArgumentError("The 'future' parameter passed to create_engine() may only be set to True.")
    dialect = default.dialect_class(parsed)()
    _say_driver(parsed)
    own_pool = kwargs.pop("_pool", None)
    given_pool = kwargs.pop("pool", None)
    if given_pool is not None:
        kwargs.setdefault("creator", given_pool._creator)
        kwargs.setdefault("poolclass", type(given_pool))
        for key, value in given_pool._settings.items():
            if key in given_pool._arguments or key in pool._COMMON:
                kwargs.setdefault(key, value)
        own_pool = given_pool
    connect_args = dict(kwargs.pop("connect_args", None) or {})
    creator = kwargs.pop("creator", None) or _own_connections(parsed, connect_args)
    cls = _pool_class(kwargs.pop("poolclass", None), parsed)
    echo, echo_pool = kwargs.pop("echo", None), kwargs.pop("echo_pool", None)
    name, pool_name = kwargs.pop("logging_name", None), kwargs.get("pool_logging_name")
    options = dict(kwargs.pop("execution_options", None) or {})
    isolation_level = kwargs.pop("isolation_level", None)
    if isolation_level is not None:
        options["isolation_level"] = isolation_level
    hide, cache_size = bool(kwargs.pop("hide_parameters", False)), kwargs.pop("query_cache_size", 500)
    timeout = kwargs.get("pool_timeout", 30.0)
    reset_on_return = kwargs.get("pool_reset_on_return", True)
    settings = _take_pool(kwargs, cls, dialect)
    password = None if parsed.password is None else str(parsed.password)
    parts = (parsed.get_backend_name(), parsed.drivername.partition("+")[2] or None, parsed.username, password,
             parsed.host, parsed.port or 0, parsed.database, _driver_arguments(parsed, connect_args))
    engine = _engine.Engine(
        parts, parsed, dialect, creator,
        "sqlalchemy.engine.Engine" + (f".{name}" if name else ""),
        f"sqlalchemy.pool.impl.{cls.__name__}" + (f".{pool_name}" if pool_name else ""),
        options, hide_parameters=hide, cache_size=int(cache_size), **settings,
    )  # fmt: skip
    if own_pool is None:
        own_pool = cls(creator, timeout=timeout, reset_on_return=reset_on_return, _engine=engine)
    else:
        own_pool._made = engine
    engine._set_pool(own_pool)
    if echo:
        engine.echo = echo
    if echo_pool:
        engine._set_echo_pool(echo_pool)
    return engine


def create_pool_from_url(url: Union[str, URL], **kwargs: Any) -> pool.Pool:
    """A pool of connections without the rest of an engine.

    :param url: as for create_engine().
    """
    renamed = {"pool_" + key if key in ("recycle", "pre_ping", "timeout", "use_lifo") else key: value
               for key, value in kwargs.items()}
    return create_engine(url, **renamed).pool  # type: ignore[no-any-return]


def _bool_of(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text in ("true", "yes", "on", "y", "t", "1"):
        return True
    if text in ("false", "no", "off", "n", "f", "0"):
        return False
    return value


_CONVERSIONS: dict[str, Any] = {
    "echo": _bool_of, "echo_pool": _bool_of, "future": _bool_of, "pool_pre_ping": _bool_of, "pool_use_lifo": _bool_of,
    "hide_parameters": _bool_of, "pool_size": int, "max_overflow": int, "pool_recycle": int, "pool_timeout": float,
    "query_cache_size": int, "connect_args": dict,
}  # fmt: skip


def engine_from_config(configuration: dict[str, Any], prefix: str = "sqlalchemy.", **kwargs: Any) -> _engine.Engine:
    """An engine of a configuration, whose values may be texts.

    :param configuration: a mapping with ``sqlalchemy.url`` and others.
    :param prefix: what the keys begin with.
    """
    options = {key[len(prefix):]: value for key, value in configuration.items() if key.startswith(prefix)}
    options.pop("_coerce_config", None)
    options = {key: _CONVERSIONS[key](value) if key in _CONVERSIONS and isinstance(value, str) else value
               for key, value in options.items()}
    options.update(kwargs)
    return create_engine(options.pop("url"), **options)
