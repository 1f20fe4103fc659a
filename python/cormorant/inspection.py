"""inspect(): what there is to know of a mapped class, an object, an attribute, an engine."""

from __future__ import annotations

from . import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["inspect"]


def inspect(subject: Any, raiseerr: bool = True) -> Any:
    """The inspection object of a subject.

    :param subject: a mapped class (gives its Mapper), a mapped object (its InstanceState), an aliased class, an
        attribute or expression (itself), an Engine or Connection (an Inspector).
    :param raiseerr: raise NoInspectionAvailable when there is none; else None is returned.

    Example::

        inspect(User).primary_key
        inspect(user).persistent
        inspect(engine).get_table_names()
    """
    found = _engine._state_or_none(subject)
    if found is None:
        found = _other(subject)
    if found is None and raiseerr:
        raise exc.NoInspectionAvailable(
            f"No inspection system is available for object of type {type(subject)}"
        )
    return found


def _other(subject: Any) -> Any:
    if isinstance(subject, _engine.AliasedClass):
        from .orm.util import AliasedInsp

        return AliasedInsp(subject)
    if isinstance(subject, _engine.ClauseElement):
        return subject
    mapper = _engine._mapper_of(subject)
    if mapper is not None:
        mapper.registry.configure()
        return mapper
    if isinstance(subject, _engine.InstanceState):
        return subject
    kind = type(subject)
    if hasattr(kind, "reflect_table"):
        return subject
    if hasattr(kind, "connect") or hasattr(kind, "exec_driver_sql"):
        from .engine import Connection, Engine

        if isinstance(subject, (Connection, Engine)):
            from .engine.reflection import Inspector

            return Inspector(subject)
    method = getattr(kind, "__clause_element__", None)
    return subject if method is not None else None
