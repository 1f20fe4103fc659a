"""Runs programs against a package and against the model, and makes a program that shows a difference small.

usage: python -m model.runner [--package NAME] [--from SEED] [--count N] [--seconds S] [--rows]

Every difference (an object that shows something else, other rows, an unexpected exception) is printed with its seed and
the smallest program that still shows it. --rows prints the final rows of each program, one line of JSON, so that two
packages can be compared with each other.
"""

import argparse
import gc
import json
import sys
import time
import traceback
import warnings
import weakref
from typing import Any

from .generate import Program, generate
from .mapped import Mapping
from .world import COLLECTIONS, COLUMNS, PAIRS, REFERENCES, Operation, State, World, kind_of


class Difference(Exception):
    """The package and the model do not agree."""


class Run:
    """One program: a session beside a world."""

    def __init__(self, mapping: Mapping, program: Program) -> None:
        self.mapping, self.program, self.world = mapping, program, World()
        self.objects: dict[str, Any] = {}
        self.savepoints: list[Any] = []
        self.deletes = False  # whether a flush of the present operation deletes something
        self.buried = False  # whether something was deleted in this transaction: it may be held for a rollback
        self.open()

    def open(self) -> None:
        self.session = self.mapping.orm.Session(
            self.mapping.engine, autoflush=self.program.autoflush, expire_on_commit=self.program.expire_on_commit
        )

    def run(self) -> State:
        """Do every operation, compare at the end and give the final rows."""
        try:
            for operation in (*self.program.operations, ("check",), ("commit",), ("check",)):
                if self.program.autoflush:  # then any operation may flush: the model has to know when
                    self.do(("flush",))
                self.do(operation)
                if self.program.autoflush and operation[0] in ("point", "append", "replace"):
                    self.do(("expire_all",))  # a reference set without looking at the former one
        finally:
            self.session.close()
        with self.mapping.engine.connect() as connection:
            rows = self.mapping.rows(connection)
        self.compare("the final rows", rows, self.world.rows)
        return rows

    def do(self, operation: Operation) -> None:
        if not self.world.allows(operation):
            return
        self.deletes = self.world.do(operation)
        self.buried = self.buried or self.deletes
        getattr(self, f"do_{operation[0]}")(*operation[1:])
        if self.deletes:
            self.session.expire_all()
        if operation[0] in ("commit", "rollback", "clash", "reopen"):
            self.buried = False
        if operation[0] in ("commit", "rollback", "clash", "rollback_save", "point", "remove", "replace"):
            for label in [label for label in self.objects if not self.kept(label)]:
                del self.objects[label]

    def kept(self, label: str) -> bool:
        """Whether a reference is of use: also deleted objects come back when their transaction is rolled back."""
        return label in self.world.held or any(label in state.objects for state in self.world.saved)

    def compare(self, what: str, found: Any, expected: Any) -> None:
        if found != expected:
            raise Difference(f"{what}:\n    found    {found}\n    expected {expected}")

    def show(self, label: str, attribute: str) -> Any:
        """What reading an attribute gives, objects as their labels."""
        value = getattr(self.objects[label], attribute)
        if attribute in COLUMNS:
            return value
        if attribute in REFERENCES[kind_of(label)]:
            return None if value is None else value.label
        labels = [one.label for one in value]
        return sorted(labels)

    def touch(self, label: str, attribute: str) -> None:
        """Load a reference before it is replaced, so that both sides know of the change at once."""
        if not self.program.autoflush or (kind_of(label), attribute) == ("kid", "owner"):
            getattr(self.objects[label], attribute)

    # ---- operations ----

    def do_add(self, label: str, name: Any, number: Any, how: str, owner: str | None) -> None:
        made = self.mapping.class_of(label)(label=label, name=name, number=number)
        if owner is not None and how == "append":
            getattr(self.objects[owner], "kids" if kind_of(label) == "kid" else "pets").append(made)
        else:
            if owner is not None:
                made.owner = self.objects[owner]
            self.session.add(made)
        self.objects[label] = made

    def do_set(self, label: str, column: str, value: Any) -> None:
        setattr(self.objects[label], column, value)

    def do_point(self, label: str, reference: str, target: str | None) -> None:
        self.touch(label, reference)
        setattr(self.objects[label], reference, self.objects[target] if target else None)

    def touch_items(self, label: str, collection: str, items: tuple[str, ...]) -> None:
        key = (kind_of(label), collection)
        for item in items:
            if key in COLLECTIONS:
                self.touch(item, COLLECTIONS[key][1])

    def do_append(self, label: str, collection: str, item: str) -> None:
        self.touch_items(label, collection, (item,))
        getattr(self.objects[label], collection).append(self.objects[item])

    def do_remove(self, label: str, collection: str, item: str) -> None:
        self.touch_items(label, collection, (item,))
        getattr(self.objects[label], collection).remove(self.objects[item])

    def do_replace(self, label: str, collection: str, items: tuple[str, ...]) -> None:
        self.touch_items(label, collection, items)
        setattr(self.objects[label], collection, [self.objects[item] for item in items])

    def do_flush(self) -> None:
        self.session.flush()

    def flush_first(self) -> None:
        """What refers to deleted objects in memory is only certain when it is read again."""
        self.session.flush()
        if self.deletes:
            self.session.expire_all()
            self.deletes = False

    def do_delete(self, label: str) -> None:
        self.flush_first()
        if label in self.world.marked:
            self.session.delete(self.objects[label])

    def do_commit(self) -> None:
        self.session.commit()
        self.savepoints.clear()

    def do_rollback(self) -> None:
        self.session.rollback()
        self.savepoints.clear()

    def do_save(self) -> None:
        self.savepoints.append(self.session.begin_nested())

    def do_release(self) -> None:
        self.savepoints.pop().commit()

    def do_rollback_save(self) -> None:
        self.savepoints.pop().rollback()
        self.session.expire_all()

    def do_expire(self, label: str) -> None:
        self.flush_first()
        self.session.expire(self.objects[label])

    def do_expire_all(self) -> None:
        self.flush_first()
        self.session.expire_all()

    def do_refresh(self, label: str) -> None:
        self.flush_first()
        self.session.refresh(self.objects[label])

    def do_discard(self, label: str) -> None:
        self.session.expire(self.objects[label], list(COLUMNS))

    def do_drop(self, label: str) -> None:
        del self.objects[label]

    def do_fetch(self, label: str) -> None:
        self.flush_first()
        if label not in self.world.held:
            return
        known = self.objects.get(label)
        cls = self.mapping.class_of(label)
        select = self.mapping.core.select(cls).where(cls.label == label)
        if kind_of(label) == "tag":
            found = self.session.get(cls, label)
        else:
            found = self.session.scalars(select).one()
        if known is not None and found is not known:
            raise Difference(f"{label} is another object than before")
        self.objects[label] = found

    def do_forget(self, label: str) -> None:
        """Without a reference to it, a flushed object may not live on (but deleted objects may refer to it)."""
        self.flush_first()
        watched = weakref.ref(self.objects.pop(label))
        self.session.expire_all()
        gc.collect()
        if watched() is not None and not self.buried and set(self.objects) <= set(self.world.memory.objects):
            raise Difference(f"{label} lives on: {[type(one) for one in gc.get_referrers(watched())]}")

    def do_gc(self) -> None:
        gc.collect()

    def do_read(self, label: str, attribute: str) -> None:
        self.compare(f"{label}.{attribute}", self.show(label, attribute), self.world.memory.view(label)[attribute])

    def do_check(self) -> None:
        """Every object that the program holds, and every row."""
        for label in sorted(self.world.held):
            if label in self.world.memory.objects and label not in self.world.marked:
                if self.objects[label] not in self.session:
                    raise Difference(f"{label} is not in the session")
                expected = self.world.memory.view(label)
                for attribute, value in expected.items():
                    self.compare(f"{label}.{attribute}", self.show(label, attribute), value)
        with self.session.no_autoflush:
            self.compare("rows", self.mapping.rows(self.session), self.world.rows)

    def do_query(self, kind: str, threshold: int, eager: bool) -> None:
        self.flush_first()
        cls, orm = self.mapping.classes[kind], self.mapping.orm
        query = self.mapping.core.select(cls).where(cls.number >= threshold).order_by(cls.label.desc())
        collections = [name for owner, name in (*COLLECTIONS, *PAIRS) if owner == kind]
        if eager:
            query = query.options(*(orm.selectinload(getattr(cls, name)) for name in collections))
        found = self.session.scalars(query).all()
        expected = [
            label
            for label, one in sorted(self.world.memory.objects.items(), reverse=True)
            if kind_of(label) == kind and one["number"] is not None and one["number"] >= threshold
        ]
        self.compare(f"query of {kind} >= {threshold}", [one.label for one in found], expected)
        for one in found:
            if one.label in self.objects and self.objects[one.label] is not one:
                raise Difference(f"{one.label} is another object than before")
            if eager:
                for name in collections:
                    labels = sorted(item.label for item in getattr(one, name))
                    self.compare(f"{one.label}.{name} by selectin", labels, self.world.memory.items(one.label, name))

    def do_bulk(self, kind: str, threshold: int, value: int) -> None:
        self.flush_first()
        cls = self.mapping.classes[kind]
        self.session.execute(self.mapping.core.update(cls).where(cls.number >= threshold).values(number=value))

    def do_clash(self, kind: str) -> None:
        """A flush that fails: two objects with one label."""
        cls = self.mapping.classes[kind]
        self.session.add_all([cls(label="twice"), cls(label="twice")])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.session.flush()
            except self.mapping.core.exc.IntegrityError:
                pass
            else:
                raise Difference("two rows with one label")
        self.do_rollback()

    def do_reopen(self) -> None:
        self.session.commit()
        self.session.close()
        self.objects.clear()
        self.savepoints.clear()
        self.open()


def run(mapping: Mapping, program: Program) -> tuple[str | None, State | None]:
    """Run a program: what is wrong, or None; and the final rows."""
    mapping.clear()
    one = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one = Run(mapping, program)
            return None, one.run()
    except Difference as error:
        return str(error), None
    except Exception:
        return traceback.format_exc(limit=-6), None
    finally:
        if one is not None:
            one.session.close()


def minimise(mapping: Mapping, program: Program) -> Program:
    """Leave out operations as long as a difference remains."""
    size = max(1, len(program.operations) // 2)
    while True:
        smaller = None
        for start in range(0, len(program.operations), size):
            operations = program.operations[:start] + program.operations[start + size :]
            candidate = program._replace(operations=operations)
            if run(mapping, candidate)[0] is not None:
                smaller = candidate
                break
        if smaller is not None:
            program = smaller
        elif size == 1:
            return program
        else:
            size = max(1, size // 2)


def report(mapping: Mapping, program: Program) -> str:
    """The smallest program that shows the difference, with what is different."""
    small = minimise(mapping, program)
    return f"{mapping.package} differs from the model. {small}\n{run(mapping, small)[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Run random programs against a package and a model.")
    parser.add_argument("--package", default="cormorant")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--failures", type=int, default=3, help="stop after so many differences")
    options = parser.parse_args()
    mapping = Mapping(options.package)
    end, failures, done = time.monotonic() + options.seconds, 0, 0
    for seed in range(options.first, options.first + options.count):
        if time.monotonic() > end or failures >= options.failures:
            break
        program = generate(seed)
        wrong, rows = run(mapping, program)
        done += 1
        if wrong is not None:
            failures += 1
            print(report(mapping, program), flush=True)
        elif options.rows and rows is not None:
            print(json.dumps([seed, sorted(rows.objects.items()), sorted(rows.pairs)]), flush=True)
    print(f"programs: {done} generated, {failures} with a difference", file=sys.stderr if options.rows else sys.stdout)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
