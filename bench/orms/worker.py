"""One ORM's work on one database, in a process of its own: told by lines on its input, answers seconds.

usage: worker.py ORM URL ROWS     ORM: a module of this folder without its "with_"

Each module has a class Program with the eleven operations, as plain or as async methods. They work on a table "journal"
(a number, a point in time, a level, a text), which is the program's own.
"""

import asyncio
import contextvars
import gc
import importlib
import inspect
import sys
import time

from journal import OPERATIONS, TABLE_ROWS


class Worker:
    def __init__(self, name, url, rows):
        self.rows = rows
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.context = contextvars.copy_context()  # where some keep their connections
        self.program = importlib.import_module(f"with_{name}").Program(url)
        self.call("start")

    def call(self, name, *args):
        method = getattr(self.program, name)
        if not inspect.iscoroutinefunction(method):
            return method(*args)
        return self.loop.run_until_complete(self.loop.create_task(method(*args), context=self.context))

    def has(self, name):
        return getattr(self.program, name, None) is not None

    def measure(self, name):
        """Seconds; None when the ORM has no such operation."""
        kind, _ = OPERATIONS[name]
        if not self.has(name):
            if name == "insert_bulk":
                self.call("insert_batch", self.rows)  # the rows are needed
            return None
        given = {"count": self.rows, "none": None}.get(kind)
        if kind in ("keys", "objects"):
            given = self.call(kind, self.rows)
        gc.collect()
        start = time.perf_counter()
        found = self.call(name, *([] if given is None else [given]))
        took = time.perf_counter() - start
        expected = {"filter_large": TABLE_ROWS * self.rows, "filter_dicts": TABLE_ROWS * self.rows,
                    "filter_tuples": TABLE_ROWS * self.rows}  # fmt: skip
        if name in expected and found != expected[name]:
            raise SystemExit(f"{name} found {found} rows, not {expected[name]}")
        return took

    def answer(self, line):
        if line == "create":
            self.call("create")
            return 0.0
        return self.measure(line)


def main(name, url, rows):
    worker = Worker(name, url, int(rows))
    for line in sys.stdin:
        print(worker.answer(line.strip()), flush=True)
    if worker.has("stop"):
        worker.call("stop")


if __name__ == "__main__":
    main(*sys.argv[1:])
