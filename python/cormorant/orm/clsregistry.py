"""Names inside strings of relationship(): classes, tables and SQL's functions, found when they are needed."""

from __future__ import annotations

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Columns:
    """A class inside a string: its mapped attributes."""

    def __init__(self, cls: type):
        self._cls = cls

    def __getattr__(self, key: str) -> Any:
        mapper = _engine._mapper_of(self._cls)
        if mapper is not None and mapper.has_property(key):
            return mapper._column_of(key) if mapper._column_of(key) is not None else mapper._descriptor(key)
        if key.startswith("__") or mapper is None:
            return getattr(self._cls, key)
        raise AttributeError(f"Class {self._cls!r} does not have a mapped column named '{key}'")


class _Path:
    """A dotted path of modules to a class: ``myapp.models.User``."""

    def __init__(self, names: Names, parts: tuple[str, ...]):
        self._names = names
        self._parts = parts

    def __getattr__(self, key: str) -> Any:
        found = self._names.in_module(self._parts, key)
        if found is not None:
            return _Columns(found)
        return _Path(self._names, (*self._parts, key))


class Names(dict):  # type: ignore[type-arg]
    """The namespace that a relationship's strings are evaluated in."""

    def __init__(self, registry: Any, cls: type, mapper_name: str, module: dict[str, Any]):
        super().__init__()
        self._registry = registry
        self._cls = cls
        self._mapper_name = mapper_name
        self._module = module
        self._tables_first = False

    def evaluate(self, text: str, tables_first: bool = False) -> Any:
        """The value of a string, with classes as they are.

        Raises InvalidRequestError for names that are not known.
        """
        self._tables_first = tables_first
        stripped = text.strip()
        tables = self._registry.metadata.tables
        if tables_first and stripped in tables:
            return tables[stripped]
        try:
            value = self[stripped] if stripped.isidentifier() else eval(stripped, {"__builtins__": {}}, self)
        except (NameError, KeyError) as error:
            name = error.name if isinstance(error, NameError) else error.args[0]
            raise exc.InvalidRequestError(
                f"When initializing mapper {self._mapper_name}, expression {text!r} failed to locate a name "
                f"({name!r}). If this is a class name, consider adding this relationship() to the {self._cls!r} class "
                "after both dependent classes have been defined."
            ) from error
        if isinstance(value, _Path):
            raise exc.InvalidRequestError(
                f"When initializing mapper {self._mapper_name}, expression {text!r} failed to locate a name "
                f"({'.'.join(value._parts)!r}). If this is a class name, consider adding this relationship() to the "
                f"{self._cls!r} class after both dependent classes have been defined."
            )
        return value._cls if isinstance(value, _Columns) else value

    def __missing__(self, name: str) -> Any:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def _find(self, name: str) -> Any:
        tables = self._registry.metadata.tables
        if self._tables_first and name in tables:
            return tables[name]
        classes = self._registry._classes_named(name)
        if len(classes) > 1:
            raise exc.InvalidRequestError(
                f"Multiple classes found for path \"{name}\" in the registry of this declarative base. Please use a "
                "fully module-qualified path."
            )
        if classes:
            return _Columns(classes[0])
        if name in tables:
            return tables[name]
        from . import foreign, remote

        if name in ("foreign", "remote"):
            return foreign if name == "foreign" else remote
        import cormorant

        try:
            return getattr(cormorant, name)
        except AttributeError:
            pass
        if name in self._module:
            value = self._module[name]
            return _Columns(value) if _engine._mapper_of(value) is not None and isinstance(value, type) else value
        if any(name in cls.__module__.split(".") for cls in self._registry._all_classes()):
            return _Path(self, (name,))
        schemas = {table.schema for table in tables.values() if table.schema}
        if name in schemas:
            return _Schema(name, tables)
        return None

    def in_module(self, parts: tuple[str, ...], name: str) -> type | None:
        """The class of a name in a module whose path has these parts in a row."""
        named: list[type] = self._registry._classes_named(name)
        for cls in named:
            path = cls.__module__.split(".")
            for start in range(len(path)):
                if tuple(path[start : start + len(parts)]) == parts and start + len(parts) == len(path):
                    return cls
        return None


class _Schema:
    """A schema inside a string: its tables."""

    def __init__(self, name: str, tables: Any):
        self._name = name
        self._tables = tables

    def __getattr__(self, key: str) -> Any:
        try:
            return self._tables[f"{self._name}.{key}"]
        except KeyError:
            raise AttributeError(key) from None
