"""SQL types, under the name that some programs import them from."""

from __future__ import annotations

from ..types import *  # noqa: F403
from ..types import __all__ as __all__
