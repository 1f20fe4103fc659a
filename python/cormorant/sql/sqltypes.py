"""The SQL types under the name that they have in SQLAlchemy's own layout."""

from __future__ import annotations

from ..types import *  # noqa: F403
from ..types import NULLTYPE as NULLTYPE
