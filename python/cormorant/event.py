"""Listening to what happens: listen(), listens_for(), remove(), contains()."""

from __future__ import annotations

from _weakref import ref

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["CANCEL", "NO_RETVAL", "contains", "listen", "listens_for", "remove"]

_RAW = 1
_RETVAL = 2


class _Symbol:
    __slots__ = ("_name",)

    def __init__(self, name: str):
        self._name = name

    def __repr__(self) -> str:
        return f"symbol({self._name!r})"


CANCEL = _Symbol("CANCEL")
NO_RETVAL = _Symbol("NO_RETVAL")

# Each event's arguments, by the kind of target: for named=True, and to know which events there are.
_MAPPER = {
    "before_insert": ("mapper", "connection", "target"), "after_insert": ("mapper", "connection", "target"),
    "before_update": ("mapper", "connection", "target"), "after_update": ("mapper", "connection", "target"),
    "before_delete": ("mapper", "connection", "target"), "after_delete": ("mapper", "connection", "target"),
    "mapper_configured": ("mapper", "class_"), "before_mapper_configured": ("mapper", "class_"),
    "instrument_class": ("mapper", "class_"), "after_mapper_constructed": ("mapper", "class_"),
    "before_configured": (), "after_configured": (),
}  # fmt: skip
_INSTANCE = {
    "init": ("target", "args", "kwargs"), "init_failure": ("target", "args", "kwargs"),
    "first_init": ("manager", "cls"),
    "load": ("target", "context"), "refresh": ("target", "context", "attrs"), "expire": ("target", "attrs"),
    "pickle": ("target", "state_dict"), "unpickle": ("target", "state_dict"),
}  # fmt: skip
_ATTRIBUTE = {
    "set": ("target", "value", "oldvalue", "initiator"), "append": ("target", "value", "initiator"),
    "remove": ("target", "value", "initiator"), "modified": ("target", "initiator"),
    "init_scalar": ("target", "value", "dict_"),
}  # fmt: skip
_STATE = ("session", "instance")
_SESSION = {
    "before_flush": ("session", "flush_context", "instances"), "after_flush": ("session", "flush_context"),
    "after_flush_postexec": ("session", "flush_context"), "before_commit": ("session",), "after_commit": ("session",),
    "after_rollback": ("session",), "after_soft_rollback": ("session", "previous_transaction"),
    "after_begin": ("session", "transaction", "connection"), "before_attach": _STATE, "after_attach": _STATE,
    "transient_to_pending": _STATE, "pending_to_persistent": _STATE, "persistent_to_deleted": _STATE,
    "loaded_as_persistent": _STATE, "deleted_to_detached": _STATE, "persistent_to_detached": _STATE,
    "pending_to_transient": _STATE, "persistent_to_transient": _STATE, "deleted_to_persistent": _STATE,
    "detached_to_persistent": _STATE, "do_orm_execute": ("orm_execute_state",),
    "after_transaction_create": ("session", "transaction"), "after_transaction_end": ("session", "transaction"),
    "after_bulk_update": ("update_context",), "after_bulk_delete": ("delete_context",),
}  # fmt: skip


def _weakly(target: Any) -> Any:
    try:
        return ref(target)
    except TypeError:
        return lambda: None


class _Listener:
    """One listener of mapped classes that are not there yet, or of all of them."""

    __slots__ = ("target", "identifier", "fn", "call", "flags", "first", "options", "applied")

    def __init__(self, target: Any, identifier: str, fn: Any, options: dict[str, Any]):
        self.target = _weakly(target)
        self.identifier = identifier
        self.fn = fn
        self.options = options
        self.flags = (_RAW if options.get("raw") else 0) | (_RETVAL if options.get("retval") else 0)
        self.first = bool(options.get("insert"))
        self.call = fn
        self.applied: list[Any] = []  # weak references to mappers


# Those that wait for classes to be mapped. All others lie with their target.
_waiting: list[_Listener] = []
_configure: dict[str, list[_Listener]] = {"before_configured": [], "after_configured": []}


def _adapt(listener: _Listener, names: tuple[str, ...]) -> Any:
    fn = listener.fn
    call = fn
    if listener.options.get("named"):

        def call_named(*args: Any) -> Any:
            return fn(**dict(zip(names, args)))

        call = call_named
    if listener.options.get("once"):
        inner, done = call, list[bool]()

        def call_once(*args: Any) -> Any:
            if not done:
                done.append(True)
                return inner(*args)
            return args[1] if listener.flags & _RETVAL and len(args) > 1 else None

        call = call_once
    if call is not fn:
        call._sa_original = fn
    return call


def _no_such_event(identifier: str, target: Any) -> exc.InvalidRequestError:
    return exc.InvalidRequestError(f"No such event '{identifier}' for target '{target}'")


# ---- finding the target


def _session_target(target: Any) -> Any:
    """The Session or class of sessions that a target stands for; None when it is none."""
    if isinstance(target, _engine.Session) or (isinstance(target, type) and issubclass(target, _engine.Session)):
        return target
    factory = getattr(target, "session_factory", None)
    if factory is not None:
        target = factory
    cls = getattr(target, "class_", None)
    if isinstance(cls, type) and issubclass(cls, _engine.Session) and not isinstance(target, type):
        return cls
    if isinstance(target, type) and target.__name__ in ("sessionmaker", "scoped_session"):
        return _engine.Session
    return None


def _mappers_of(target: Any, propagate: bool) -> list[Any] | None:
    """The mappers that a class or Mapper stands for now; None when the target is no such thing."""
    mapper = _engine._mapper_of(target)
    if mapper is not None and not isinstance(target, _engine.InstrumentedAttribute):
        return [mapper]
    if not isinstance(target, type):
        return None
    if issubclass(target, _engine.MapperBase):
        return list(_engine._all_mappers())
    if not propagate:
        return []
    return [mapper for mapper in _engine._all_mappers() if issubclass(mapper.class_, target)]


# ---- registering


def listen(target: Any, identifier: str, fn: Callable[..., Any], *args: Any, **kw: Any) -> None:
    """Have a function called when something happens.

    :param target: a mapped class, Mapper, attribute, Session, sessionmaker, Engine, Pool, Table...
    :param identifier: the event's name.
    :param fn: the function; what it raises ends the operation.
    :param propagate: also for classes that derive from the target, now and later.
    :param named: arguments are passed by name.
    :param once: only the first time.
    :param raw: gets the InstanceState in place of the object.
    :param retval: what the function returns is stored (attribute events).
    :param insert: before those that are there.

    Raises InvalidRequestError when there is no such event.

    Example::

        def receive(mapper, connection, target):
            target.changed_at = datetime.now()
        event.listen(User, "before_update", receive)
    """
    if _engine._engine_listen(target, identifier, fn, kw) or _of_schema("_schema_listen", target, identifier, fn, kw):
        return
    listener = _Listener(target, identifier, fn, kw)
    session = _session_target(target)
    if session is not None:
        if identifier not in _SESSION:
            raise _no_such_event(identifier, target)
        listener.call = _adapt(listener, _SESSION[identifier])
        _engine._session_listen(session, identifier, listener.call, 0, listener.first)
    elif isinstance(target, _engine.InstrumentedAttribute):
        if identifier not in _ATTRIBUTE:
            raise _no_such_event(identifier, target)
        listener.call = _adapt(listener, _ATTRIBUTE[identifier])
        _engine._attribute_listen(
            target, identifier, listener.call, listener.flags, listener.first, bool(kw.get("active_history"))
        )
    else:
        _listen_mapped(target, listener)


def _of_schema(name: str, *arguments: Any) -> bool:
    """What the schema's module has to do with it, if that was needed already: without it there are no such targets."""
    function = getattr(_engine, name, None)
    return function is not None and bool(function(*arguments))


def _listen_mapped(target: Any, listener: _Listener) -> None:
    identifier = listener.identifier
    names = _MAPPER.get(identifier, _INSTANCE.get(identifier))
    propagate = bool(listener.options.get("propagate"))
    mappers = _mappers_of(target, propagate)
    if mappers is None or names is None:
        raise _no_such_event(identifier, target)
    listener.call = _adapt(listener, names)
    if identifier in _configure:
        _configure[identifier].append(listener)
        _engine._watch_configure(True)
        return
    if identifier in ("mapper_configured", "before_mapper_configured"):
        _engine._watch_configure(True)
    for mapper in mappers:
        _apply(listener, mapper)
    if isinstance(target, type) and (propagate or _engine._mapper_of(target) is None):
        _waiting.append(listener)


def _apply(listener: _Listener, mapper: Any) -> None:
    if any(item() is mapper for item in listener.applied):
        return
    listener.applied.append(ref(mapper))
    _engine._mapper_listen(mapper, listener.identifier, listener.call, listener.flags, listener.first)
    if listener.identifier in ("init", "init_failure", "first_init"):
        _watch_init(mapper)


def _class_mapped(mapper: Any) -> None:
    """Called for each class that is mapped: listeners that waited for it."""
    cls = mapper.class_
    for listener in list(_waiting):
        target = listener.target()
        if target is None:
            _waiting.remove(listener)
        elif issubclass(target, _engine.MapperBase):
            _apply(listener, mapper)
        elif target is cls or (listener.options.get("propagate") and issubclass(cls, target)):
            _apply(listener, mapper)
    _fire(mapper, "instrument_class", mapper, cls)
    _fire(mapper, "after_mapper_constructed", mapper, cls)


def _fire(mapper: Any, identifier: str, *args: Any) -> None:
    _engine._mapper_fire(mapper, identifier, args)


def _before_configure(mappers: list[Any]) -> None:
    for listener in list(_configure["before_configured"]):
        listener.call()
    for mapper in mappers:
        _fire(mapper, "before_mapper_configured", mapper, mapper.class_)


def _after_configure(mappers: list[Any]) -> None:
    for mapper in mappers:
        _fire(mapper, "mapper_configured", mapper, mapper.class_)
    for listener in list(_configure["after_configured"]):
        listener.call()


def _watch_init(mapper: Any) -> None:
    """Have the class' constructor tell listeners."""
    cls = mapper.class_
    original = cls.__init__
    if getattr(original, "_sa_watches", False):
        return
    seen: list[bool] = []

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        if type(self) is not cls:
            original(self, *args, **kwargs)
            return
        if not seen:
            seen.append(True)
            _fire(mapper, "first_init", mapper, cls)
        _fire(mapper, "init", self, args, kwargs)
        try:
            original(self, *args, **kwargs)
        except Exception:
            _fire(mapper, "init_failure", self, args, kwargs)
            raise

    __init__.__wrapped__ = original  # type: ignore[attr-defined]
    __init__.__doc__ = original.__doc__
    __init__._sa_watches = True  # type: ignore[attr-defined]
    type.__setattr__(cls, "__init__", __init__)


def listens_for(target: Any, identifier: str, *args: Any, **kw: Any) -> Callable[[Any], Any]:
    """listen() as a decorator.

    Example::

        @event.listens_for(User, "before_insert")
        def receive(mapper, connection, target):
            ...
    """

    def decorate(fn: Any) -> Any:
        listen(target, identifier, fn, *args, **kw)
        return fn

    return decorate


def _of_kind(target: Any, identifier: str, fn: Any, keep: bool) -> bool:
    """Take a listener away from its target; keep: only look."""
    session = _session_target(target)
    if session is not None:
        return bool(_engine._session_unlisten(session, identifier, fn, keep))
    if isinstance(target, _engine.InstrumentedAttribute):
        return bool(_engine._attribute_unlisten(target, identifier, fn, keep))
    found = False
    for place in (_waiting, _configure.get(identifier, [])):
        for listener in list(place):
            if listener.identifier == identifier and listener.fn == fn and listener.target() is target:
                found = True
                if not keep:
                    place.remove(listener)
    for mapper in _mappers_of(target, True) or ():
        found = _engine._mapper_unlisten(mapper, identifier, fn, keep) or found
    return found


def remove(target: Any, identifier: str, fn: Callable[..., Any]) -> None:
    """Take a listener away: the arguments that listen() had.

    Raises InvalidRequestError when it is not there.
    """
    if _engine._engine_unlisten(target, identifier, fn) or _of_schema("_schema_unlisten", target, identifier, fn):
        return
    if not _of_kind(target, identifier, fn, False):
        raise exc.InvalidRequestError(f"No listeners found for event {target} / {identifier!r} / {fn} ")


def contains(target: Any, identifier: str, fn: Callable[..., Any]) -> bool:
    """Whether a listener is registered."""
    return bool(
        _engine._engine_contains(target, identifier, fn)
        or _of_schema("_schema_contains", target, identifier, fn)
        or _of_kind(target, identifier, fn, True)
    )
