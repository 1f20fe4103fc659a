"""relationship(), backref(), and how their strings and callables are resolved when mappers are configured."""

from __future__ import annotations

from .. import _engine, exc
from .._engine import foreign, remote
from .base import MANYTOMANY, MANYTOONE, ONETOMANY, module_of
from .properties import MappedColumn, MapperProperty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Relationship", "RelationshipProperty", "backref", "foreign", "relationship", "remote"]

_CASCADES = ("save-update", "merge", "delete", "delete-orphan", "expunge", "refresh-expire")
_CASCADE_BITS = {"save-update": 1, "merge": 2, "delete": 4, "delete-orphan": 8, "expunge": 16, "refresh-expire": 32}
_LAZY = {
    None: "noload", True: "select", False: "joined", "select": "select", "joined": "joined", "selectin": "selectin",
    "raise": "raise", "raise_on_sql": "raise_on_sql", "noload": "noload", "subquery": "subquery",
    "immediate": "immediate",
}  # fmt: skip
_LAZY_NAMES = {1: "select", 2: "joined", 3: "selectin", 4: "raise", 5: "raise_on_sql", 6: "noload"}


class CascadeOptions(frozenset[str]):
    """The cascades of a relationship, as a set of words with an attribute for each."""

    save_update = property(lambda self: "save-update" in self)
    merge = property(lambda self: "merge" in self)
    delete = property(lambda self: "delete" in self)
    delete_orphan = property(lambda self: "delete-orphan" in self)
    expunge = property(lambda self: "expunge" in self)
    refresh_expire = property(lambda self: "refresh-expire" in self)

    def __repr__(self) -> str:
        return f"CascadeOptions({','.join(sorted(self))!r})"


def _check_cascade(cascade: Any) -> str:
    words = cascade if isinstance(cascade, (set, frozenset, list, tuple)) else str(cascade).split(",")
    words = [word.strip() for word in words if word.strip()]
    unknown = [word for word in words if word not in (*_CASCADES, "all", "none")]
    if unknown:
        raise exc.ArgumentError(f"Invalid cascade option(s): {', '.join(repr(word) for word in sorted(unknown))}")
    return ", ".join(words)


class RelationshipProperty(MapperProperty):
    """A relationship between two mapped classes: made by relationship()."""

    is_relationship = True

    def __init__(self, argument: Any, arguments: dict[str, Any]):
        lazy = arguments.get("lazy", "select")
        if lazy in ("dynamic", "write_only"):
            raise exc.ArgumentError(f"relationship(lazy='{lazy}') is not supported yet")
        if lazy not in _LAZY:
            raise exc.ArgumentError(f"Unknown loader strategy lazy={lazy!r}")
        if arguments.get("cascade") not in (None, False):
            arguments["cascade"] = _check_cascade(arguments["cascade"])
        if arguments.get("backref") and arguments.get("back_populates"):
            raise exc.ArgumentError("backref and back_populates keyword arguments are mutually exclusive")
        if arguments.get("viewonly"):
            if arguments.get("sync_backref"):
                raise exc.ArgumentError(
                    "sync_backref and viewonly cannot both be True, as a viewonly relationship does not change objects"
                )
            cascade = arguments.get("cascade") or ""
            refused = [word for word in ("all", "save-update", "delete", "delete-orphan") if word in cascade]
            if refused:
                raise exc.ArgumentError(
                    "Cascade settings \"%s\" should not be combined with a viewonly=True relationship.   This "
                    "configuration will raise an error in a future release.  " % ", ".join(refused)
                )
        self.argument = argument
        self._arguments = arguments
        self._inferred: dict[str, Any] = {}
        self.info = arguments.get("info") if arguments.get("info") is not None else {}
        self.doc = arguments.get("doc")
        self.key = None  # type: ignore[assignment]
        self.parent = None

    # -- as configured

    def _fact(self, name: str) -> Any:
        return self.parent._relationship_info(self.key)[name]

    @property
    def mapper(self) -> Any:
        """The target's mapper."""
        return self._fact("mapper")

    entity = mapper

    @property
    def target(self) -> Any:
        """The target's table."""
        return self.mapper.local_table

    @property
    def direction(self) -> Any:
        """ONETOMANY, MANYTOONE or MANYTOMANY."""
        return {"ONETOMANY": ONETOMANY, "MANYTOONE": MANYTOONE, "MANYTOMANY": MANYTOMANY}[self._fact("direction")]

    @property
    def uselist(self) -> bool:
        """Whether the attribute is a collection."""
        return bool(self._fact("uselist"))

    @property
    def secondary(self) -> Any:
        """The association table, or None."""
        return self._fact("secondary")

    @property
    def primaryjoin(self) -> Any:
        """The condition between the parent's table and the target's, or the association table."""
        return self._fact("primaryjoin")

    @property
    def secondaryjoin(self) -> Any:
        """The condition between the association table and the target's, or None."""
        return self._fact("secondaryjoin")

    @property
    def synchronize_pairs(self) -> list[tuple[Any, Any]]:
        """Pairs of a referred-to column and its foreign key."""
        return list(self._fact("pairs"))

    @property
    def secondary_synchronize_pairs(self) -> list[tuple[Any, Any]]:
        """The same between the target and the association table."""
        return list(self._fact("secondary_pairs"))

    @property
    def local_remote_pairs(self) -> list[tuple[Any, Any]]:
        """Pairs of the parent's column and the column that it is joined with."""
        pairs = self.synchronize_pairs
        if self.direction is MANYTOONE:
            return [(b, a) for a, b in pairs]
        return pairs + self.secondary_synchronize_pairs

    @property
    def local_columns(self) -> set[Any]:
        """The parent's columns in the join."""
        pairs = self.synchronize_pairs
        return {pair[1 if self.direction is MANYTOONE else 0] for pair in pairs}

    @property
    def remote_side(self) -> set[Any]:
        """The other side's columns in the join."""
        return {remote for _, remote in self.local_remote_pairs}

    @property
    def back_populates(self) -> str | None:
        """The name of the other side's attribute, or None."""
        return self._fact("inverse") or self._arguments.get("back_populates")

    @property
    def backref(self) -> Any:
        return self._arguments.get("backref")

    @property
    def cascade(self) -> CascadeOptions:
        """The cascades in effect."""
        bits = self._fact("cascade")
        return CascadeOptions(word for word, bit in _CASCADE_BITS.items() if bits & bit)

    @property
    def lazy(self) -> Any:
        """How the attribute is loaded."""
        given = self._arguments.get("lazy")
        return given if given is not None else _LAZY_NAMES.get(self._fact("lazy"), "select")

    @property
    def _reverse_property(self) -> set[Any]:
        inverse = self._fact("inverse")
        return set() if inverse is None else {self.mapper._property(inverse)}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.__dict__["_arguments"][name]
        except KeyError:
            if name in _DEFAULTS:
                return _DEFAULTS[name]
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'") from None

    # -- resolving

    def _copy(self) -> RelationshipProperty:
        return type(self)(self.argument, dict(self._arguments))

    def _infer(self, target: Any, uselist: bool | None, collection: Any) -> None:
        """What the annotation said."""
        if self.argument is None:
            self.argument = target
        if uselist is not None:
            self._inferred["uselist"] = uselist
        if collection is not None:
            self._inferred["collection_class"] = collection

    def _resolve(self) -> dict[str, Any]:
        """All arguments with names and callables resolved, as the engine wants them."""
        given = self._arguments
        out = {name: given.get(name) for name in _PASSED}
        for name, value in self._inferred.items():
            if out.get(name) is None:
                out[name] = value
        out["target"] = self._target()
        out["secondary"] = self._evaluate("secondary")
        out["primaryjoin"] = self._evaluate("primaryjoin")
        out["secondaryjoin"] = self._evaluate("secondaryjoin")
        out["foreign_keys"] = self._list("foreign_keys")
        out["remote_side"] = self._list("remote_side")
        out["order_by"] = self._list("order_by")
        out["lazy"] = _LAZY[given.get("lazy", "select")]
        if out["cascade"] is False:
            out["cascade"] = "none"
        out["collection_class"] = _collection_factory(out["collection_class"])
        other = given.get("backref")
        if other is not None:
            name, arguments = other if isinstance(other, tuple) else (other, {})
            self._backref_arguments = arguments  # the engine borrows them until the other side is made
            out["backref"], out["backref_arguments"] = name, arguments
        if given.get("sync_backref") is False or (given.get("viewonly") and given.get("back_populates")):
            out["back_populates"] = None if given.get("viewonly") else out["back_populates"]
        return out

    def _target(self) -> Any:
        argument = self.argument
        if argument is None:
            if self.parent is None or "target" in self._inferred:
                return None
            raise exc.ArgumentError(
                f"Python typing annotation is required for attribute \"{self.parent.class_.__name__}.{self.key}\" when "
                "primary argument(s) for \"Relationship\" construct are None or not present"
            )
        if isinstance(argument, str):
            argument = self._names().evaluate(argument)
        elif callable(argument) and not isinstance(argument, type) and _engine._mapper_of(argument) is None:
            argument = argument()
        if isinstance(argument, str):
            argument = self._names().evaluate(argument)
        if _engine._mapper_of(argument) is None:
            if not isinstance(argument, type):
                raise exc.ArgumentError(
                    f"relationship '{self.key}' expects a class or a mapper argument (received: {type(argument)})"
                )
            from .exc import UnmappedClassError

            raise UnmappedClassError(argument)
        return argument

    def _names(self) -> Any:
        from .clsregistry import Names

        return Names(self.parent.registry, self.parent.class_, str(self.parent), module_of(self.parent.class_))

    def _evaluate(self, name: str) -> Any:
        value = self._arguments.get(name)
        if value is None:
            return None
        if isinstance(value, str):
            value = self._names().evaluate(value, tables_first=name == "secondary")
        elif callable(value) and not isinstance(value, (type, MappedColumn, _engine.ClauseElement)):
            value = value()
        if name == "secondary" and isinstance(value, type) and _engine._mapper_of(value) is not None:
            raise exc.ArgumentError(
                f"secondary argument {value!r} passed to to relationship() {self.parent.class_.__name__}.{self.key} "
                "must be a Table object or other FROM clause; can't send a mapped class directly as rows in "
                "'secondary' are persisted independently of a class that is mapped to that same table."
            )
        return value

    def _list(self, name: str) -> list[Any] | None:
        value = self._evaluate(name)
        if value is None or value is False:
            return None
        items = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
        return [
            self._names().evaluate(item) if isinstance(item, str) else item.column if isinstance(item, MappedColumn)
            else item
            for item in items
        ]  # fmt: skip


Relationship = RelationshipProperty

_PASSED = (
    "uselist", "cascade", "passive_deletes", "join_depth", "passive_updates", "post_update", "viewonly",
    "single_parent", "innerjoin", "active_history", "back_populates", "backref", "collection_class",
)  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "uselist": None, "collection_class": None, "primaryjoin": None, "secondaryjoin": None, "back_populates": None,
    "order_by": False, "backref": None, "overlaps": None, "post_update": False, "cascade": None, "viewonly": False,
    "lazy": "select", "passive_deletes": False, "passive_updates": True, "active_history": False,
    "enable_typechecks": True, "foreign_keys": None, "remote_side": None, "join_depth": None,
    "comparator_factory": None, "single_parent": False, "innerjoin": False, "distinct_target_key": None,
    "load_on_pending": False, "query_class": None, "info": None, "omit_join": None, "sync_backref": None,
    "doc": None, "bake_queries": True, "cascade_backrefs": False,
}  # fmt: skip


def _collection_factory(factory: Any) -> Any:
    if factory is None or factory is list:
        return None
    from .collections import prepare_factory

    return prepare_factory(factory)


def relationship(argument: Any = None, secondary: Any = None, **kwargs: Any) -> Any:
    """Declare that objects of one class refer to objects of another.

    :param argument: the target: a class, its name, a callable that gives it; None takes it from the annotation.
    :param secondary: the association table of a many-to-many relationship, its name, or a callable.
    :param uselist: whether the attribute is a collection; by default what direction and annotation say.
    :param collection_class: class or callable that makes the collection.
    :param primaryjoin, secondaryjoin: join conditions, where foreign keys do not tell.
    :param foreign_keys, remote_side: columns that settle which way the join goes.
    :param order_by: expression, list, string or callable: the order of the collection.
    :param back_populates: name of the other side's attribute, which is kept in step.
    :param backref: name of an attribute to be made on the other side, or what backref() gives.
    :param cascade: words with commas: "save-update, merge" (the default), "all, delete-orphan"...
    :param passive_deletes, passive_updates: leave rows that refer here to the database.
    :param post_update: write the foreign key in a statement of its own, to break cycles of rows.
    :param viewonly: for reading only.
    :param lazy: "select", "selectin", "joined", "raise", "raise_on_sql", "noload", "immediate", "subquery".
    :param innerjoin: joined loading may use an inner join.
    :param single_parent: an object has one parent only.
    :param join_depth: how far joined loading follows a relationship to the class itself.
    :param overlaps, info, doc, active_history, sync_backref: as SQLAlchemy documents them.

    Example::

        addresses: Mapped[list["Address"]] = relationship(back_populates="user", cascade="all, delete-orphan")
    """
    if secondary is not None:
        kwargs["secondary"] = secondary
    for name in kwargs:
        if name not in _DEFAULTS and name != "secondary":
            if name in ("init", "repr", "default", "default_factory", "compare", "kw_only", "hash"):
                raise exc.ArgumentError(
                    f"Attribute argument '{name}' is for mapped dataclasses, which are not supported yet"
                )
            raise TypeError(f"relationship() got an unexpected keyword argument '{name}'")
    return RelationshipProperty(argument, kwargs)


def backref(name: str, **kwargs: Any) -> tuple[str, dict[str, Any]]:
    """The name of a relationship's other side together with arguments of it, for ``relationship(backref=...)``.

    Example::

        items = relationship("Item", backref=backref("parent", lazy="joined"))
    """
    return name, kwargs


def _make_backref_property(mapper: Any, key: str, arguments: Any) -> RelationshipProperty:
    """Called by the engine when it makes the other side of a backref."""
    made = RelationshipProperty(None, dict(arguments or {}))
    made._inferred["target"] = None
    made.key = key
    made.parent = mapper
    return made
