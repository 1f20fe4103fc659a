"""MetaData, tables and columns, under the name that some programs import them from."""

from __future__ import annotations

from ..schema import *  # noqa: F403
from ..schema import __all__ as __all__
