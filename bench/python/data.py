"""What every side of a benchmark works on: the same tables with the same rows, in a file made by sqlite3."""

import os
import sqlite3

SCHEMA = """
CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50), amount INTEGER);
CREATE TABLE parents (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50));
CREATE TABLE children (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50), parent_id INTEGER REFERENCES parents (id));
CREATE INDEX ix_children_parent_id ON children (parent_id);
"""
CHILDREN_OF_ONE = 10


def rows(count: int) -> list[tuple[str, int]]:
    """The rows of items without their keys."""
    return [(f"item {i}", i * 7 % 1000) for i in range(count)]


def make_file(path: str, items: int, parents: int) -> None:
    """A new database with so many items, and so many parents with ten children each."""
    if os.path.exists(path):
        os.unlink(path)
    database = sqlite3.connect(path)
    database.executescript(SCHEMA)
    database.executemany("INSERT INTO items (name, amount) VALUES (?, ?)", rows(items))
    database.executemany("INSERT INTO parents (name) VALUES (?)", [(f"parent {i}",) for i in range(parents)])
    children = [(f"child {i}", i % parents + 1) for i in range(parents * CHILDREN_OF_ONE)]
    database.executemany("INSERT INTO children (name, parent_id) VALUES (?, ?)", children)
    database.commit()
    database.close()
