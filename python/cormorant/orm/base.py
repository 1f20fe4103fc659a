"""What the mapping's files share: Mapped[], the words for what is not there, passive flags."""

from __future__ import annotations

import sys
from enum import Enum, IntFlag
from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, TypeVar, overload

    _T = TypeVar("_T")

    class Mapped(Generic[_T]):
        """The annotation of a mapped attribute: ``name: Mapped[str]``."""

        @overload
        def __get__(self, instance: None, owner: Any) -> Any: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> _T: ...
        def __get__(self, instance: object | None, owner: Any) -> Any: ...
        def __set__(self, instance: Any, value: Any) -> None: ...
        def __delete__(self, instance: Any) -> None: ...

else:

    class Mapped:
        """The annotation of a mapped attribute: ``name: Mapped[str]``.

        Example::

            class User(Base):
                __tablename__ = "users"
                id: Mapped[int] = mapped_column(primary_key=True)
                name: Mapped[str | None]
        """

        __slots__ = ()

        def __class_getitem__(cls, item):
            return GenericAlias(cls, item)


class LoaderCallableStatus(Enum):
    """Why an attribute has no value: never set, or not loaded."""

    PASSIVE_NO_RESULT = 0
    PASSIVE_CLASS_MISMATCH = 1
    ATTR_WAS_SET = 2
    ATTR_EMPTY = 3
    NO_VALUE = 4
    NEVER_SET = NO_VALUE
    DONT_SET = 5


PASSIVE_NO_RESULT = LoaderCallableStatus.PASSIVE_NO_RESULT
NO_VALUE = LoaderCallableStatus.NO_VALUE
NEVER_SET = NO_VALUE
ATTR_EMPTY = LoaderCallableStatus.ATTR_EMPTY


class PassiveFlag(IntFlag):
    """How far reading an attribute may go to find its value."""

    NO_CHANGE = 0
    CALLABLES_OK = 1
    SQL_OK = 2
    RELATED_OBJECT_OK = 4
    INIT_OK = 8
    NON_PERSISTENT_OK = 16
    LOAD_AGAINST_COMMITTED = 32
    NO_AUTOFLUSH = 64
    PASSIVE_OFF = RELATED_OBJECT_OK | NON_PERSISTENT_OK | INIT_OK | CALLABLES_OK | SQL_OK
    PASSIVE_RETURN_NO_VALUE = PASSIVE_OFF ^ INIT_OK
    PASSIVE_NO_INITIALIZE = PASSIVE_RETURN_NO_VALUE ^ CALLABLES_OK
    PASSIVE_NO_FETCH = PASSIVE_OFF ^ SQL_OK
    PASSIVE_NO_FETCH_RELATED = PASSIVE_OFF ^ RELATED_OBJECT_OK
    PASSIVE_ONLY_PERSISTENT = PASSIVE_OFF ^ NON_PERSISTENT_OK


PASSIVE_OFF = PassiveFlag.PASSIVE_OFF
PASSIVE_NO_INITIALIZE = PassiveFlag.PASSIVE_NO_INITIALIZE
PASSIVE_NO_FETCH = PassiveFlag.PASSIVE_NO_FETCH
PASSIVE_RETURN_NO_VALUE = PassiveFlag.PASSIVE_RETURN_NO_VALUE


class RelationshipDirection(Enum):
    """Which side of a relationship the parent is."""

    ONETOMANY = 1
    MANYTOONE = 2
    MANYTOMANY = 3


ONETOMANY = RelationshipDirection.ONETOMANY
MANYTOONE = RelationshipDirection.MANYTOONE
MANYTOMANY = RelationshipDirection.MANYTOMANY


class NotExtension(Enum):
    """The kind of a mapped attribute that no extension made."""

    NOT_EXTENSION = "not_extension"


def module_of(cls: type) -> dict[str, object]:
    """The namespace of the module in which a class was made."""
    module = sys.modules.get(cls.__module__)
    return module.__dict__ if module is not None else {}
