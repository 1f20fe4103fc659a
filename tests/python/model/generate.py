"""Random programs: operations that the model allows, chosen with weights. The same seed makes the same program."""

import random
from typing import NamedTuple

from .world import COLLECTIONS, PAIRS, REFERENCES, Operation, World, kind_of

WEIGHTS = {
    "add": 18,
    "set": 10,
    "point": 10,
    "append": 12,
    "remove": 8,
    "replace": 5,
    "delete": 5,
    "flush": 9,
    "commit": 3,
    "rollback": 2,
    "save": 4,
    "release": 2,
    "rollback_save": 3,
    "expire": 3,
    "expire_all": 2,
    "refresh": 3,
    "discard": 2,
    "drop": 4,
    "fetch": 6,
    "forget": 1,
    "gc": 1,
    "read": 8,
    "check": 3,
    "query": 4,
    "bulk": 2,
    "clash": 1,
    "reopen": 1,
}
NAMES = ("", "a", "B c", "it's", "été", "名前", "x" * 40, None)
PARTS = {kind: [name for owner, name in (*COLLECTIONS, *PAIRS) if owner == kind] for kind in REFERENCES}


class Program(NamedTuple):
    seed: int
    autoflush: bool
    expire_on_commit: bool
    operations: tuple[Operation, ...]

    def __str__(self) -> str:
        lines = [f"program of seed {self.seed}, autoflush={self.autoflush}, expire_on_commit={self.expire_on_commit}"]
        lines += [f"    {operation!r}" for operation in self.operations]
        return "\n".join(lines)


class Chooser:
    """Proposes operations for the present state of a world."""

    def __init__(self, seed: int, world: World) -> None:
        self.random, self.world = random.Random(seed), world
        self.number = 0

    def some(self, kind: str = "") -> str | None:
        """A label that can be edited."""
        labels = sorted(label for label in self.world.held if self.world.editable(label, kind))
        return self.random.choice(labels) if labels else None

    def propose(self) -> Operation | None:
        name = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        make = getattr(self, f"make_{name}", None)
        return make() if make else (name,)

    def make_add(self) -> Operation:
        kind = self.random.choice(("owner", "owner", "kid", "kid", "kid", "pet", "pet", "tag"))
        self.number += 1
        how = self.random.choice(("append", "reference"))
        owner = self.some("owner") if kind == "kid" or (kind == "pet" and self.random.random() < 0.5) else None
        return ("add", f"{kind}{self.number}", self.random.choice(NAMES), self.a_number(), how, owner)

    def a_number(self) -> int | None:
        return self.random.choice((None, 0, 1, 2, 3, 5, 8, -1, 2**40))

    def make_set(self) -> Operation | None:
        label = self.some()
        if self.random.random() < 0.5:
            return label and ("set", label, "name", self.random.choice(NAMES))  # type: ignore[return-value]
        return label and ("set", label, "number", self.a_number())  # type: ignore[return-value]

    def make_point(self) -> Operation | None:
        label = self.some(self.random.choice(("kid", "pet")))
        if label is None:
            return None
        reference = self.random.choice(list(REFERENCES[kind_of(label)]))
        target = self.some(REFERENCES[kind_of(label)][reference]) if self.random.random() < 0.7 else None
        return ("point", label, reference, target)

    def a_collection(self) -> tuple[str, str] | None:
        label = self.some()
        return (label, self.random.choice(PARTS[kind_of(label)])) if label else None

    def items_for(self, label: str, collection: str) -> list[str]:
        key = (kind_of(label), collection)
        kind = PAIRS[key] if key in PAIRS else COLLECTIONS[key][0]
        return sorted(other for other in self.world.held if self.world.editable(other, kind))

    def make_append(self) -> Operation | None:
        found = self.a_collection()
        items = self.items_for(*found) if found else []
        return ("append", *found, self.random.choice(items)) if found and items else None

    def make_remove(self) -> Operation | None:
        found = self.a_collection()
        items = self.world.memory.items(*found) if found else []
        return ("remove", *found, self.random.choice(items)) if found and items else None

    def make_replace(self) -> Operation | None:
        found = self.a_collection()
        if found is None:
            return None
        items = self.items_for(*found)
        return ("replace", *found, tuple(self.random.sample(items, self.random.randint(0, min(3, len(items))))))

    def of_one(self, name: str) -> Operation | None:
        label = self.some()
        return (name, label) if label else None

    def make_delete(self) -> Operation | None:
        return self.of_one("delete")

    def make_expire(self) -> Operation | None:
        return self.of_one("expire")

    def make_refresh(self) -> Operation | None:
        return self.of_one("refresh")

    def make_discard(self) -> Operation | None:
        return self.of_one("discard")

    def make_drop(self) -> Operation | None:
        return self.of_one("drop")

    def make_forget(self) -> Operation | None:
        return self.of_one("forget")

    def make_fetch(self) -> Operation | None:
        labels = sorted(set(self.world.memory.objects) - self.world.held)
        return ("fetch", self.random.choice(labels)) if labels else None

    def make_read(self) -> Operation | None:
        label = self.some()
        if label is None:
            return None
        return ("read", label, self.random.choice([*REFERENCES[kind_of(label)], *PARTS[kind_of(label)], "name"]))

    def make_query(self) -> Operation:
        return ("query", self.random.choice(list(REFERENCES)), self.random.randint(0, 5), self.random.random() < 0.5)

    def make_bulk(self) -> Operation:
        kind = self.random.choice(list(REFERENCES))
        return ("bulk", kind, self.random.randint(0, 5), self.random.randint(0, 9))

    def make_clash(self) -> Operation:
        return ("clash", self.random.choice(list(REFERENCES)))


def generate(seed: int) -> Program:
    """The program of a seed."""
    world = World()
    chooser = Chooser(seed, world)
    autoflush, expire = chooser.random.random() < 0.3, chooser.random.random() < 0.8
    operations: list[Operation] = []
    for _ in range(chooser.random.choice((8, 15, 25, 40))):
        operation = chooser.propose()
        if operation is not None and world.allows(operation):
            if autoflush:
                world.do_flush()
                if not world.allows(operation):
                    continue
            world.do(operation)
            operations.append(operation)
    return Program(seed, autoflush, expire, tuple(operations))
