"""Mapped classes and sessions: the public names of the ORM.

What declaring classes needs is imported now, the rest when it is first asked for.
"""

from __future__ import annotations

del annotations  # the feature; the submodule of this name is found only without it

from .._engine import (
    InstanceState,
    InstrumentedAttribute,
    QueryableAttribute,
    aliased,
    configure_mappers,
    with_parent,
)
from .._missing import getattr_of
from .base import (
    MANYTOMANY,
    MANYTOONE,
    ONETOMANY,
    LoaderCallableStatus,
    Mapped,
    NotExtension,
    PassiveFlag,
    RelationshipDirection,
)
from .decl_api import (
    DeclarativeBase,
    DeclarativeBaseNoMeta,
    DeclarativeMeta,
    add_mapped_attribute,
    as_declarative,
    declarative_base,
    declarative_mixin,
    declared_attr,
    has_inherited_table,
    reconstructor,
    registry,
    validates,
)
from .mapper import Mapper, class_mapper, identity_key, object_mapper
from .properties import (
    ColumnProperty,
    MappedColumn,
    MappedSQLExpression,
    MapperProperty,
    Synonym,
    SynonymProperty,
    deferred,
    mapped_column,
    synonym,
)
from .relationships import Relationship, RelationshipProperty, backref, foreign, relationship, remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .query import Query as Query
    from .retrying import retry as retry
    from .scoping import scoped_session as scoped_session
    from .session import ORMExecuteState as ORMExecuteState
    from .session import Session as Session
    from .session import SessionTransaction as SessionTransaction
    from .session import close_all_sessions as close_all_sessions
    from .session import make_transient as make_transient
    from .session import make_transient_to_detached as make_transient_to_detached
    from .session import object_session as object_session
    from .session import sessionmaker as sessionmaker
    from .session import was_deleted as was_deleted
    from .strategy_options import Load as Load
    from .strategy_options import contains_eager as contains_eager
    from .strategy_options import defaultload as defaultload
    from .strategy_options import defer as defer
    from .strategy_options import immediateload as immediateload
    from .strategy_options import joinedload as joinedload
    from .strategy_options import lazyload as lazyload
    from .strategy_options import load_only as load_only
    from .strategy_options import noload as noload
    from .strategy_options import raiseload as raiseload
    from .strategy_options import selectinload as selectinload
    from .strategy_options import subqueryload as subqueryload
    from .strategy_options import undefer as undefer

_missing = getattr_of(__name__)

# Names by the module that has them.
_LATE = {
    "attributes": ("AttributeEventToken", "History"),
    "collections": (
        "attribute_keyed_dict", "attribute_mapped_collection", "column_keyed_dict", "column_mapped_collection",
        "keyfunc_mapping", "mapped_collection", "KeyFuncDict", "MappedCollection", "InstrumentedList",
        "InstrumentedSet", "InstrumentedDict",
    ),
    "query": ("Query",),
    "retrying": ("retry",),
    "scoping": ("scoped_session", "ScopedSession"),
    "session": (
        "ORMExecuteState", "Session", "SessionTransaction", "SessionTransactionOrigin", "close_all_sessions",
        "make_transient", "make_transient_to_detached", "object_session", "sessionmaker", "was_deleted",
    ),
    "state": ("AttributeState",),
    "strategy_options": (
        "Load", "contains_eager", "defaultload", "defer", "immediateload", "joinedload", "lazyload", "load_only",
        "noload", "raiseload", "selectinload", "subqueryload", "undefer",
    ),
    "unitofwork": ("UOWTransaction",),
    "util": ("AliasedClass", "AliasedInsp"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _LATE.items() for name in names}
_MODULE_OF["CascadeOptions"] = "relationships"
_SUBMODULES = frozenset(("attributes", "collections", "events", "exc", "instrumentation", "interfaces", "state"))

__all__ = [
    "ColumnProperty", "DeclarativeBase", "DeclarativeBaseNoMeta", "DeclarativeMeta", "InstanceState",
    "InstrumentedAttribute", "LoaderCallableStatus", "MANYTOMANY", "MANYTOONE", "Mapped", "MappedColumn",
    "MappedSQLExpression", "Mapper", "MapperProperty", "NotExtension", "ONETOMANY", "PassiveFlag", "QueryableAttribute",
    "Relationship", "RelationshipDirection", "RelationshipProperty", "add_mapped_attribute", "aliased",
    "as_declarative",
    "backref", "class_mapper", "clear_mappers", "configure_mappers", "declarative_base", "declarative_mixin",
    "declared_attr", "deferred", "foreign", "has_inherited_table", "identity_key", "mapped_column", "object_mapper",
    "reconstructor", "Synonym", "SynonymProperty", "registry", "relationship", "remote", "synonym", "validates",
    "with_parent",
]  # fmt: skip
__all__ += _MODULE_OF


def clear_mappers() -> None:
    """Forget the mappings of all classes: they cannot be used with sessions any more."""
    from .. import _engine

    for one in {id(mapper.registry): mapper.registry for mapper in _engine._all_mappers()}.values():
        one.dispose()


def __getattr__(name: str) -> Any:
    module = _MODULE_OF.get(name)
    if module is None and name in _SUBMODULES:
        module = name
    if module is not None:
        from importlib import import_module

        try:
            found = import_module(f".{module}", __name__)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{module}":
                raise
        else:
            if module == name:
                return found
            if hasattr(found, name):
                value = getattr(found, name)
                globals()[name] = value
                return value
    raise _missing(name, 2)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF})
