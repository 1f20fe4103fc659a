"""One side's work on a server, in a process of its own: told by lines on its input, answers seconds.

usage: server_worker.py SIDE URL     SIDE: cormorant, sqlalchemy, or the client library psycopg or MySQLdb
"""

import gc
import importlib
import importlib.machinery
import importlib.util
import sys
import threading
import time

ROWS = 100_000
KEYS = 10_000
THREADS = 16
TRANSACTIONS = 50  # of each thread


def clocked(work):
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def classes_of(package):
    """Mapped classes at the level of a module, as programs have them."""
    sql, orm = importlib.import_module(package), importlib.import_module(package + ".orm")
    base = orm.declarative_base()
    names = {
        "Base": base, "Column": sql.Column, "ForeignKey": sql.ForeignKey, "Integer": sql.Integer, "String": sql.String,
        "relationship": orm.relationship,
    }  # fmt: skip
    module = importlib.util.module_from_spec(importlib.machinery.ModuleSpec("bench_models", None))
    sys.modules["bench_models"] = module
    module.__dict__.update(names)
    exec(MODELS, module.__dict__)
    return sql, orm, module


MODELS = """
class Item(Base):
    __tablename__ = "bench_items"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    amount = Column(Integer)


class Parent(Base):
    __tablename__ = "bench_parents"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    children = relationship("Child", back_populates="parent")


class Child(Base):
    __tablename__ = "bench_children"
    id = Column(Integer, primary_key=True)
    name = Column(String(50))
    parent_id = Column(ForeignKey("bench_parents.id"))
    parent = relationship("Parent", back_populates="children")
"""


class Objects:
    """Cormorant or SQLAlchemy: the same program."""

    def __init__(self, package, url):
        self.sql, self.orm, models = classes_of(package)
        self.engine = self.sql.create_engine(url, pool_size=1)
        self.Item, self.Parent, self.Child, self.base = models.Item, models.Parent, models.Child, models.Base

    def create(self):
        self.base.metadata.drop_all(self.engine)
        self.base.metadata.create_all(self.engine)
        self.flush()

    def load(self):
        with self.orm.Session(self.engine) as session:
            return clocked(lambda: session.query(self.Item).limit(ROWS).all())

    def flush(self):
        with self.orm.Session(self.engine) as session:
            session.execute(self.sql.delete(self.Item))
            session.add_all([self.Item(name=f"item {number}", amount=number) for number in range(ROWS)])
            took = clocked(session.flush)
            session.commit()
            return took

    def keys(self):
        with self.orm.Session(self.engine) as session:
            Item, select = self.Item, self.sql.select
            numbers = session.scalars(select(Item.id).order_by(Item.id).limit(KEYS)).all()

            def work():
                for number in numbers:
                    session.scalars(select(Item).where(Item.id == number)).one()

            return clocked(work)

    def unit(self):
        """50 parents, 500 children, 100 updates, 50 deletes."""
        with self.orm.Session(self.engine) as session:
            items = session.query(self.Item).limit(150).all()

            def work():
                for number in range(50):
                    parent = self.Parent(name=f"parent {number}")
                    parent.children = [self.Child(name=f"child {child}") for child in range(10)]
                    session.add(parent)
                for item in items[:100]:
                    item.amount += 1
                for item in items[100:]:
                    session.delete(item)
                session.commit()

            return clocked(work)

    def transactions(self, numbers, engine):
        """Short ones: three objects by their keys, one changed, one new."""
        for turn in range(TRANSACTIONS):
            with self.orm.Session(engine) as session:
                found = [session.get(self.Item, numbers[turn * 3 + place]) for place in range(3)]
                found[0].amount += 1
                session.add(self.Item(name="new", amount=turn))
                session.commit()

    def threads(self):
        """16 threads on 16 connections, each with rows of its own."""
        engine = self.sql.create_engine(self.engine.url, pool_size=THREADS)
        with self.orm.Session(engine) as session:
            numbers = session.scalars(self.sql.select(self.Item.id).limit(THREADS * TRANSACTIONS * 3)).all()
        size = TRANSACTIONS * 3
        parts = [numbers[place * size : (place + 1) * size] for place in range(THREADS)]
        threads = [threading.Thread(target=self.transactions, args=(part, engine)) for part in parts]

        def work():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        connections = [engine.connect() for _ in range(THREADS)]
        for connection in connections:
            connection.close()
        start = time.process_time()
        took = clocked(work)
        self.used = time.process_time() - start
        engine.dispose()
        return took

    def cpu(self):
        """Of the last threads(), in seconds."""
        return self.used


class Library:
    """The client library by hand."""

    def __init__(self, name, url):
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        library = importlib.import_module(name)
        if name == "psycopg":
            self.connection = library.connect(host=parts.hostname, port=parts.port, user=parts.username,
                                              password=parts.password, dbname=parts.path[1:])  # fmt: skip
        else:
            self.connection = library.connect(host=parts.hostname, port=parts.port, user=parts.username,
                                              password=parts.password, database=parts.path[1:])  # fmt: skip
        self.insert = "INSERT INTO bench_items (name, amount) VALUES (%s, %s)"

    def load(self):
        cursor = self.connection.cursor()

        def work():
            cursor.execute(f"SELECT id, name, amount FROM bench_items LIMIT {ROWS}")
            cursor.fetchall()

        took = clocked(work)
        self.connection.rollback()
        return took

    def flush(self):
        cursor = self.connection.cursor()
        rows = [(f"item {number}", number) for number in range(ROWS)]
        cursor.execute("DELETE FROM bench_items")
        took = clocked(lambda: cursor.executemany(self.insert, rows))
        self.connection.commit()
        return took

    def keys(self):
        cursor = self.connection.cursor()
        cursor.execute(f"SELECT id FROM bench_items ORDER BY id LIMIT {KEYS}")
        numbers = cursor.fetchall()

        def work():
            for number in numbers:
                cursor.execute("SELECT id, name, amount FROM bench_items WHERE id = %s", number)
                cursor.fetchone()

        took = clocked(work)
        self.connection.rollback()
        return took


def main(side, url):
    worker = Objects(side, url) if side in ("cormorant", "sqlalchemy") else Library(side, url)
    for line in sys.stdin:
        print(getattr(worker, line.strip())(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
