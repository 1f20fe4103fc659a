"""The work by hand: Python's sqlite3, tuples, dictionaries, a class with __slots__. See objects.py for the twin."""

import sqlite3

import data
from clock import Clock, read_amounts


class Slots:
    __slots__ = ("id", "name", "amount")

    def __init__(self) -> None:
        self.id, self.name, self.amount = 1, "one", 1


class Side:
    def __init__(self, path: str) -> None:
        self.database = sqlite3.connect(path)

    def load(self, clock: Clock, count: int) -> object:
        with clock:
            rows = self.database.execute("SELECT id, name, amount FROM items").fetchall()
        assert len(rows) == count
        return rows

    select = load

    def flush(self, clock: Clock, count: int) -> None:
        rows = data.rows(count)
        with clock:
            self.database.executemany("INSERT INTO items (name, amount) VALUES (?, ?)", rows)
        self.database.rollback()

    def write(self, clock: Clock, count: int) -> None:
        with clock:
            self.database.executemany("INSERT INTO items (name, amount) VALUES (?, ?)", data.rows(count))
            self.database.commit()
        self.database.execute("DELETE FROM items WHERE id > ?", (count,))
        self.database.commit()

    def get(self, clock: Clock, count: int) -> None:
        with clock:
            for key in range(1, count + 1):
                row = self.database.execute("SELECT id, name, amount FROM items WHERE id = ?", (key,)).fetchone()
        assert row[0] == count

    query_key = get
    select_key = get

    def update(self, clock: Clock, count: int) -> None:
        changes = [(-1, key) for key in range(1, count + 1)]
        with clock:
            self.database.executemany("UPDATE items SET amount = ? WHERE id = ?", changes)
        self.database.rollback()

    def read(self, clock: Clock, count: int) -> None:
        objects = [Slots() for _ in range(1000)]
        with clock:
            read_amounts(objects, count)

    def walk(self, clock: Clock, count: int) -> object:
        with clock:
            parents = self.database.execute("SELECT id, name FROM parents").fetchall()
            children: dict[int, list[tuple[int, str, int]]] = {parent[0]: [] for parent in parents}
            for child in self.database.execute("SELECT id, name, parent_id FROM children").fetchall():
                children[child[2]].append(child)
            total = 0
            for parent in parents:
                for child in children[parent[0]]:
                    total += child[0]
        assert len(parents) == count and total > 0
        return children
