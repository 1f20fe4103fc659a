"""One side of the benchmarks in a process of its own: does the work that it is told on standard input.

usage: worker.py cormorant|sqlalchemy|sqlite3 FILE

One request a line, "WORK COUNT": answers with the seconds that it took. "memory COUNT": the bytes of resident memory
that one loaded object takes.
"""

import gc
import os
import sys
from typing import Any

from clock import Clock


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def memory(side: Any, count: int) -> float:
    """Load everything once and look at the process: its growth is the objects, their values and the identity map."""
    gc.collect()
    before = resident()
    kept = side.load(Clock(), count)
    gc.collect()
    grown = resident() - before
    del kept
    return grown / count


def main() -> None:
    package, path = sys.argv[1:]
    if package == "sqlite3":
        import plain

        side: Any = plain.Side(path)
    else:
        os.environ["BENCH_PACKAGE"] = package
        import objects

        side = objects.Side(path)
    for line in sys.stdin:
        work, count = line.split()[0], int(line.split()[1])
        if work == "memory":
            answer = memory(side, count)
        else:
            gc.collect()
            clock = Clock()
            kept = getattr(side, work)(clock, count)
            answer = clock.seconds
            del kept
        print(answer, flush=True)


if __name__ == "__main__":
    main()
