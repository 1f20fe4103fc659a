"""What a session with its database should hold, told with dictionaries: the model beside which programs run.

Four kinds of objects, each with a label that never changes:
    owner  kids (all, delete-orphan), pets
    kid    owner, tags (many-to-many)
    pet    owner, leader (another pet), followers, mark (a tag, seen from this side only)
    tag    kids (many-to-many)
`memory` is what the objects show, `rows` what is in the database, `saved` what it was at the beginning of the
transaction and at each savepoint. `held` are the objects that the program has a reference to; only these can be edited.
"""

from typing import Any, NamedTuple

# An operation of a program, such as ("set", "kid3", "number", 7).
Operation = tuple[Any, ...]

COLUMNS = ("name", "number")
REFERENCES: dict[str, dict[str, str]] = {
    "owner": {},
    "kid": {"owner": "owner"},
    "pet": {"owner": "owner", "leader": "pet", "mark": "tag"},
    "tag": {},
}
# Collections that are the other side of a reference: (kind, collection) -> (kind of the items, their reference).
COLLECTIONS = {
    ("owner", "kids"): ("kid", "owner"),
    ("owner", "pets"): ("pet", "owner"),
    ("pet", "followers"): ("pet", "leader"),
}
PAIRS = {("kid", "tags"): "tag", ("tag", "kids"): "kid"}


def kind_of(label: str) -> str:
    return label.rstrip("0123456789")


class State(NamedTuple):
    """Objects by label, each a dictionary of its columns and references, and the pairs of a kid and a tag."""

    objects: dict[str, dict[str, Any]]
    pairs: set[tuple[str, str]]

    def copy(self) -> "State":
        return State({label: dict(one) for label, one in self.objects.items()}, set(self.pairs))

    def items(self, label: str, collection: str) -> list[str]:
        kind = kind_of(label)
        if (kind, collection) in COLLECTIONS:
            item_kind, reference = COLLECTIONS[kind, collection]
            found = (
                other for other, one in self.objects.items() if kind_of(other) == item_kind and one[reference] == label
            )
        elif kind == "kid":
            found = (tag for kid, tag in self.pairs if kid == label)
        else:
            found = (kid for kid, tag in self.pairs if tag == label)
        return sorted(found)

    def view(self, label: str) -> dict[str, Any]:
        """What reading every attribute of an object gives."""
        shown: dict[str, Any] = dict(self.objects[label])
        for kind, collection in (*COLLECTIONS, *PAIRS):
            if kind == kind_of(label):
                shown[collection] = self.items(label, collection)
        return shown


class World:
    def __init__(self) -> None:
        self.memory = State({}, set())
        self.rows = State({}, set())
        self.saved: list[State] = [self.rows.copy()]
        self.marked: set[str] = set()  # to be deleted by the next flush
        self.held: set[str] = set()
        self.used: set[str] = set()  # labels are not used twice

    # ---- what may be done ----

    def editable(self, label: str | None, kind: str = "") -> bool:
        known = label in self.held and label in self.memory.objects and label not in self.marked
        return known and (not kind or kind_of(str(label)) == kind)

    def pending(self, label: str) -> bool:
        return label not in self.rows.objects

    def may_leave(self, kid: str) -> bool:
        """A kid without its owner leaves the session, a new one at once: nothing unwritten may refer to it."""
        return self.memory.items(kid, "tags") == self.rows.items(kid, "tags")

    def may_lead(self, leader: str | None, follower: str) -> bool:
        """Pets that lead each other in a circle, now or with what they were, have no order to be written in."""
        waiting, seen = [leader], set()
        while waiting:
            label = waiting.pop()
            if label == follower:
                return False
            if label is not None and label not in seen:
                seen.add(label)
                waiting += [
                    state.objects[label]["leader"] for state in (self.memory, self.rows) if label in state.objects
                ]
        return True

    def may_point(self, label: str, reference: str, target: str | None) -> bool:
        old = self.memory.objects[label][reference]
        if old == target or (old is not None and old in self.marked):
            return False
        if reference == "leader" and not self.may_lead(target, label):
            return False
        if kind_of(label) != "kid":
            return True
        # A new kid that is moved leaves the session with the first owner and does not come back with the second.
        return self.may_leave(label) and (target is None or not self.pending(label))

    def allows(self, operation: Operation) -> bool:
        """Whether the operation makes sense now; one that does not is left out of the program."""
        test = getattr(self, f"allows_{operation[0]}", None)
        return test is None or bool(test(*operation[1:]))

    def allows_add(self, label: str, name: str, number: int | None, how: str, owner: str | None) -> bool:
        if label in self.used:
            return False
        if kind_of(label) == "kid":
            return self.editable(owner, "owner")
        return owner is None or self.editable(owner, "owner")

    def allows_set(self, label: str, column: str, value: Any) -> bool:
        return self.editable(label)

    def allows_point(self, label: str, reference: str, target: str | None) -> bool:
        kind = REFERENCES[kind_of(label)][reference]
        return (
            self.editable(label)
            and (target is None or self.editable(target, kind))
            and self.may_point(label, reference, target)
        )

    def allows_append(self, label: str, collection: str, item: str) -> bool:
        if not self.editable(label) or not self.editable(item) or item in self.memory.items(label, collection):
            return False
        key = (kind_of(label), collection)
        if key in PAIRS:
            return kind_of(item) == PAIRS[key] and not self.is_orphan(label) and not self.is_orphan(item)
        kind, reference = COLLECTIONS[key]
        return kind_of(item) == kind and self.may_point(item, reference, label)

    def allows_remove(self, label: str, collection: str, item: str) -> bool:
        if not self.editable(label) or not self.editable(item) or item not in self.memory.items(label, collection):
            return False
        if (kind_of(label), collection) in PAIRS:
            return not self.is_orphan(label) and not self.is_orphan(item)
        return kind_of(item) != "kid" or self.may_leave(item)

    def allows_replace(self, label: str, collection: str, items: tuple[str, ...]) -> bool:
        if not self.editable(label):
            return False
        old = self.memory.items(label, collection)
        return all(self.allows_remove(label, collection, item) for item in old if item not in items) and all(
            self.allows_append(label, collection, item) for item in items if item not in old
        )

    def allows_delete(self, label: str) -> bool:
        if not self.editable(label) or self.pending(label):
            return False
        # A mark seen from one side only is not cleared when its tag goes.
        return not any(one.get("mark") == label for one in self.memory.objects.values())

    def allows_refresh(self, label: str) -> bool:
        return self.editable(label) and not self.is_orphan(label)

    def allows_discard(self, label: str) -> bool:
        return self.editable(label) and not self.pending(label)

    allows_expire = allows_refresh
    allows_forget = allows_refresh

    def allows_drop(self, label: str) -> bool:
        return label in self.held

    def allows_read(self, label: str, attribute: str) -> bool:
        return self.editable(label)

    def allows_fetch(self, label: str) -> bool:
        return label in self.memory.objects and label not in self.held and label not in self.marked

    def allows_save(self) -> bool:
        return len(self.saved) < 4

    def allows_release(self) -> bool:
        return len(self.saved) > 1

    allows_rollback_save = allows_release

    # ---- what it does ----

    def is_orphan(self, label: str) -> bool:
        return kind_of(label) == "kid" and self.memory.objects[label]["owner"] is None

    def do(self, operation: Operation) -> bool:
        """Do an operation; true when a flush that it implies deletes something."""
        return bool(getattr(self, f"do_{operation[0]}")(*operation[1:]))

    def do_add(self, label: str, name: str, number: int | None, how: str, owner: str | None) -> None:
        one: dict[str, Any] = {"name": name, "number": number}
        one.update(dict.fromkeys(REFERENCES[kind_of(label)]))
        if owner is not None:
            one["owner"] = owner
        self.memory.objects[label] = one
        self.held.add(label)
        self.used.add(label)

    def do_set(self, label: str, column: str, value: Any) -> None:
        self.memory.objects[label][column] = value

    def do_point(self, label: str, reference: str, target: str | None) -> None:
        self.memory.objects[label][reference] = target
        if kind_of(label) == "kid" and target is None and self.pending(label):
            del self.memory.objects[label]
            self.held.discard(label)

    def do_append(self, label: str, collection: str, item: str) -> None:
        key = (kind_of(label), collection)
        if key in PAIRS:
            self.memory.pairs.add((label, item) if key[0] == "kid" else (item, label))
        else:
            self.do_point(item, COLLECTIONS[key][1], label)

    def do_remove(self, label: str, collection: str, item: str) -> None:
        key = (kind_of(label), collection)
        if key in PAIRS:
            self.memory.pairs.remove((label, item) if key[0] == "kid" else (item, label))
        else:
            self.do_point(item, COLLECTIONS[key][1], None)

    def do_replace(self, label: str, collection: str, items: tuple[str, ...]) -> None:
        old = self.memory.items(label, collection)
        for item in old:
            if item not in items:
                self.do_remove(label, collection, item)
        for item in items:
            if item not in old:
                self.do_append(label, collection, item)

    def do_delete(self, label: str) -> bool:
        deleted = self.do_flush()
        if label in self.memory.objects:
            self.marked.add(label)
            if kind_of(label) == "owner":
                self.marked.update(self.memory.items(label, "kids"))
        return deleted

    def do_flush(self) -> bool:
        objects = self.memory.objects
        gone = self.marked | {label for label in objects if self.is_orphan(label)}
        for label in gone:
            del objects[label]
        for one in objects.values():
            for reference in ("owner", "leader"):
                if one.get(reference) in gone:
                    one[reference] = None
        self.memory.pairs.difference_update([pair for pair in self.memory.pairs if gone & set(pair)])
        self.held -= gone
        self.marked = set()
        self.rows = self.memory.copy()
        return bool(gone)

    def do_commit(self) -> bool:
        deleted = self.do_flush()
        self.saved = [self.rows.copy()]
        return deleted

    def do_save(self) -> bool:
        deleted = self.do_flush()
        self.saved.append(self.rows.copy())
        return deleted

    def do_release(self) -> bool:
        deleted = self.do_flush()
        self.saved.pop()
        return deleted

    def back_to(self, state: State) -> None:
        self.rows, self.memory = state.copy(), state.copy()
        self.marked = set()
        self.held &= set(state.objects)

    def do_rollback(self) -> None:
        self.back_to(self.saved[0])
        del self.saved[1:]

    def do_rollback_save(self) -> None:
        self.back_to(self.saved.pop())

    def do_discard(self, label: str) -> None:
        for column in COLUMNS:
            self.memory.objects[label][column] = self.rows.objects[label][column]

    def do_drop(self, label: str) -> None:
        self.held.discard(label)

    def do_fetch(self, label: str) -> bool:
        deleted = self.do_flush()
        if label in self.memory.objects:
            self.held.add(label)
        return deleted

    def do_forget(self, label: str) -> bool:
        deleted = self.do_flush()
        self.held.discard(label)
        return deleted

    def do_bulk(self, kind: str, threshold: int, value: int) -> bool:
        deleted = self.do_flush()
        for label, one in self.memory.objects.items():
            if kind_of(label) == kind and one["number"] is not None and one["number"] >= threshold:
                one["number"] = value
        self.rows = self.memory.copy()
        return deleted

    def do_clash(self, kind: str) -> None:
        self.do_rollback()

    def do_reopen(self) -> bool:
        deleted = self.do_commit()
        self.held.clear()
        return deleted

    def do_query(self, kind: str, threshold: int, eager: bool) -> bool:
        return self.do_flush()

    def do_refresh(self, label: str) -> bool:
        return self.do_flush()

    do_expire = do_refresh

    def do_expire_all(self) -> bool:
        return self.do_flush()

    def do_read(self, label: str, attribute: str) -> None:
        pass

    def do_gc(self) -> None:
        pass

    def do_check(self) -> None:
        pass
