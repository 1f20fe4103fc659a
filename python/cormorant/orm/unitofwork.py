"""What flush listeners get as their flush_context."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class UOWTransaction:
    """A flush under way, of a session."""

    __slots__ = ("session",)

    def __init__(self, session: Any):
        self.session = session
