"""Logging: engines and pools speak through Python's loggers under the names that programs filter on."""

from __future__ import annotations

import logging
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

rootlogger = logging.getLogger("sqlalchemy")


def _add_default_handler() -> None:
    """For echo=True: show lines on standard output, unless the program has set up handlers itself."""
    if not rootlogger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        rootlogger.addHandler(handler)


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(name)


def _emit(logger: logging.Logger, level: int, message: str) -> None:
    """Log a line: whether it is wanted was decided by the engine, whose echo goes beyond the logger's level."""
    if not logger.disabled and logger.manager.disable < level:
        logger._log(level, message, ())


class echo_property:
    """An `echo` attribute of engines."""

    def __get__(self, instance: Any, owner: Optional[type]) -> Any:
        return self if instance is None else instance.echo


def class_logger(cls: type) -> type:
    """Give a class a logger under its own name."""
    cls.logger = logging.getLogger(f"{cls.__module__}.{cls.__name__}")  # type: ignore[attr-defined]
    return cls


class Identified:
    """Something whose loggers may have a name of their own."""

    logging_name: Optional[str] = None
