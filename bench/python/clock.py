"""A stop-watch for the part of a work that counts, and the loop that reads attributes."""

import time
from typing import Any


class Clock:
    """`with clock:` measures; what is outside (making the data, clearing up) is not counted."""

    seconds = 0.0

    def __enter__(self) -> "Clock":
        self.start = time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.perf_counter() - self.start


def read_amounts(objects: list[Any], count: int) -> None:
    """Read an attribute of each of some objects, again and again, so many times in all."""
    for _ in range(count // len(objects)):
        for one in objects:
            one.amount
