"""MariaDB: what it shares with MySQL, under its own name."""

from __future__ import annotations

from . import mysql
from .mysql import MariaDBDialect as dialect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ("dialect",)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(mysql, name)
