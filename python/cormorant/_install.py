"""install_as_sqlalchemy(): existing programs run without a change of their imports."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_ALIAS = "sqlalchemy"
_PACKAGE = __name__.rpartition(".")[0]


class _Loader(importlib.abc.Loader):
    """Gives the package's own module under the other name: one module, two names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.spec: importlib.machinery.ModuleSpec | None = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.name)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # the import system has just set the alias' own


class _Finder(importlib.abc.MetaPathFinder):
    """Finds ``sqlalchemy`` and everything below it in this package, before any installed one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        own = _PACKAGE + fullname[len(_ALIAS) :]
        if own not in sys.modules:
            try:
                found = importlib.util.find_spec(own)
            except ModuleNotFoundError:
                found = None
            if found is None:
                raise ModuleNotFoundError(
                    f"No module named {fullname!r}: Cormorant stands in for SQLAlchemy and has no {own!r} (yet)",
                    name=fullname,
                )
        is_package = hasattr(sys.modules.get(own), "__path__")
        return importlib.machinery.ModuleSpec(fullname, _Loader(own), is_package=is_package)


def install_as_sqlalchemy() -> None:
    """Let ``import sqlalchemy``, and of all its modules that exist here, give this package.

    Call it once, before anything imports SQLAlchemy; calling it again does nothing.

    :raises ImportError: the real SQLAlchemy was imported already: its classes would live beside ours.

    Example::

        import cormorant
        cormorant.install_as_sqlalchemy()
        from sqlalchemy.orm import Session
    """
    package = sys.modules[_PACKAGE]
    present = sys.modules.get(_ALIAS)
    if present is package:
        return
    if present is not None:
        raise ImportError(
            f"SQLAlchemy {getattr(present, '__version__', '')} was already imported before install_as_sqlalchemy() was "
            f"called (from {getattr(present, '__file__', None)}): call it before the first import of sqlalchemy",
            name=_ALIAS,
        )
    import importlib.util  # noqa: F401

    sys.meta_path.insert(0, _Finder())
    sys.modules[_ALIAS] = package
    for name, module in list(sys.modules.items()):
        if name.startswith(_PACKAGE + "."):
            sys.modules[_ALIAS + name[len(_PACKAGE) :]] = module
