"""What compile() gives."""

from __future__ import annotations

from .. import _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class Compiled:
    """A statement as SQL, with its parameters.

    `str()` of it is the SQL.
    """

    def __init__(self, statement: Any, string: str, names: list[str], values: list[Any], dialect: Any):
        self.statement = statement
        self.string = string
        self.dialect = dialect
        self.positiontup = list(names)
        self._values = values

    @property
    def params(self) -> dict[str, Any]:
        """The parameters by name, with the values that they have now."""
        return dict(zip(self.positiontup, self._values))

    @property
    def positional(self) -> bool:
        """Whether parameters go by place."""
        return self.dialect is not None and self.dialect.name != "default"

    def construct_params(self, params: Optional[dict[str, Any]] = None, **kw: Any) -> dict[str, Any]:
        """The parameters by name, with others in the place of some."""
        return {**self.params, **{name: value for name, value in (params or {}).items() if name in self.positiontup}}

    def __str__(self) -> str:
        return self.string

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__} object at {id(self):#x}>"


class SQLCompiler(Compiled):
    """A statement as SQL, with its parameters."""


def dialect_of(bind: Any, dialect: Any) -> Any:
    """The dialect that is meant: itself, or that of an engine or connection."""
    return dialect if dialect is not None else getattr(bind, "dialect", None)


def compile_element(
    element: Any, bind: Any = None, dialect: Any = None, *, compile_kwargs: Any = None, column_keys: Any = None,
    **kw: Any,
) -> SQLCompiler:  # fmt: skip
    """An element's SQL and parameters.

    :param bind: an Engine or Connection whose dialect is meant.
    :param dialect: a dialect.
    :param compile_kwargs: {"literal_binds": True} writes the values into the text.
    :param column_keys: names of the columns that an INSERT or UPDATE gives values for.
    """
    dialect = dialect_of(bind, dialect)
    options = compile_kwargs or {}
    name = None if dialect is None else dialect.name
    string, names, values = _engine._compile(element, name, bool(options.get("literal_binds")), column_keys)
    return SQLCompiler(element, string, names, values, dialect)
