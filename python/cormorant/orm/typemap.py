"""SQL types by Python type, for annotations."""

from __future__ import annotations

from .annotations import Late, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# By module and name, so that nothing is imported that no annotation mentions.
_DEFAULTS = {
    ("builtins", "bool"): "Boolean", ("builtins", "bytes"): "LargeBinary", ("builtins", "float"): "Double",
    ("builtins", "int"): "Integer", ("builtins", "str"): "String", ("datetime", "date"): "Date",
    ("datetime", "datetime"): "DateTime", ("datetime", "time"): "Time", ("datetime", "timedelta"): "Interval",
    ("decimal", "Decimal"): "Numeric", ("uuid", "UUID"): "Uuid",
}  # fmt: skip


def sql_type(registry: Any, reading: Reading) -> Any:
    """The type of a column whose annotation was read; None when there is none."""
    given = registry.type_annotation_map
    for lookup in (*reading.lookups, reading.type):
        try:
            found = given.get(lookup)
        except TypeError:
            continue
        if found is not None:
            return found
    kind = reading.type
    if isinstance(kind, Late):
        name = kind.__name__.split(".")[-1]
        return next((_named(sql) for (_, python), sql in _DEFAULTS.items() if python == name), None)
    if not isinstance(kind, type):
        return _literal(kind)
    for base in kind.__mro__:
        if base is not kind and base in given:
            return given[base]
        if base.__module__ == "enum" and base.__name__ == "Enum":
            enum = _named("Enum")
            return enum(kind) if enum is not None else None
        sql = _DEFAULTS.get((base.__module__, base.__name__))
        if sql is not None and (base is kind or not _is_enum(kind)):
            return _named(sql)
    return None


def _is_enum(kind: type) -> bool:
    return any(base.__module__ == "enum" and base.__name__ == "Enum" for base in kind.__mro__)


def _literal(kind: Any) -> Any:
    import sys

    typing = sys.modules.get("typing")
    if typing is not None and getattr(kind, "__origin__", None) is typing.Literal:
        enum = _named("Enum")
        return enum(*kind.__args__, native_enum=False) if enum is not None else None
    return None


def _named(name: str) -> Any:
    from .. import types

    return getattr(types, name, None)
