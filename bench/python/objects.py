"""The work with mapped objects, over Cormorant or over SQLAlchemy: the package's name is in BENCH_PACKAGE."""

import os
from importlib import import_module
from typing import Any

import data
from clock import Clock, read_amounts


core, orm = import_module(os.environ["BENCH_PACKAGE"]), import_module(os.environ["BENCH_PACKAGE"] + ".orm")
Base: Any = orm.declarative_base()


class Item(Base):
    __tablename__ = "items"
    id = core.Column(core.Integer, primary_key=True)
    name = core.Column(core.String(50))
    amount = core.Column(core.Integer)


class Parent(Base):
    __tablename__ = "parents"
    id = core.Column(core.Integer, primary_key=True)
    name = core.Column(core.String(50))
    children = orm.relationship("Child", back_populates="parent")


class Child(Base):
    __tablename__ = "children"
    id = core.Column(core.Integer, primary_key=True)
    name = core.Column(core.String(50))
    parent_id = core.Column(core.Integer, core.ForeignKey("parents.id"), index=True)
    parent = orm.relationship("Parent", back_populates="children")


class Side:
    def __init__(self, path: str) -> None:
        self.core, self.orm = core, orm
        self.Item, self.Parent, self.Child = Item, Parent, Child
        self.engine = core.create_engine(f"sqlite:///{path}")

    def session(self) -> Any:
        return self.orm.Session(self.engine)

    def load(self, clock: Clock, count: int) -> object:
        session = self.session()
        with clock:
            found = session.query(self.Item).all()
        assert len(found) == count
        return found, session

    def select(self, clock: Clock, count: int) -> object:
        session = self.session()
        with clock:
            found = session.scalars(self.core.select(self.Item)).all()
        assert len(found) == count
        return found, session

    def flush(self, clock: Clock, count: int) -> None:
        Item = self.Item
        made = [Item(name=name, amount=amount) for name, amount in data.rows(count)]
        with self.session() as session:
            session.add_all(made)
            with clock:
                session.flush()
            assert made[0].id > 0 and made[-1].id == made[0].id + count - 1
            session.rollback()

    def write(self, clock: Clock, count: int) -> None:
        Item = self.Item
        with self.session() as session:
            with clock:
                session.add_all([Item(name=name, amount=amount) for name, amount in data.rows(count)])
                session.commit()
            session.execute(self.core.delete(Item).where(Item.id > count))
            session.commit()

    def get(self, clock: Clock, count: int) -> None:
        Item, Session, engine = self.Item, self.orm.Session, self.engine
        with clock:
            for key in range(1, count + 1):
                with Session(engine) as session:
                    found = session.get(Item, key)
        assert found.id == count

    def query_key(self, clock: Clock, count: int) -> None:
        Item = self.Item
        with self.session() as session:
            with clock:
                for key in range(1, count + 1):
                    found = session.query(Item).filter(Item.id == key).one()
            assert found.id == count

    def select_key(self, clock: Clock, count: int) -> None:
        Item, select = self.Item, self.core.select
        with self.session() as session:
            with clock:
                for key in range(1, count + 1):
                    found = session.scalars(select(Item).where(Item.id == key)).one()
            assert found.id == count

    def update(self, clock: Clock, count: int) -> None:
        with self.session() as session:
            found = session.query(self.Item).limit(count).all()
            with clock:
                for one in found:
                    one.amount = -1
                session.flush()
            session.rollback()

    def read(self, clock: Clock, count: int) -> None:
        with self.session() as session:
            objects = session.query(self.Item).limit(1000).all()
            with clock:
                read_amounts(objects, count)

    def walk(self, clock: Clock, count: int) -> object:
        session = self.session()
        with clock:
            everything = self.core.select(self.Parent).options(self.orm.selectinload(self.Parent.children))
            parents = session.scalars(everything).all()
            total = 0
            for parent in parents:
                for child in parent.children:
                    total += child.id
        assert len(parents) == count and total > 0
        return parents, session
