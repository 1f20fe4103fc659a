"""The exceptions of the ORM."""

from __future__ import annotations

from .. import exc as sa_exc
from ..exc import MultipleResultsFound as MultipleResultsFound
from ..exc import NoResultFound as NoResultFound

NO_STATE = (AttributeError, KeyError)


class StaleDataError(sa_exc.SQLAlchemyError):
    """A row that was to be changed or deleted is not there, or has another version."""


ConcurrentModificationError = StaleDataError


class FlushError(sa_exc.SQLAlchemyError):
    """A flush met objects in a state that it cannot write."""


class MappedAnnotationError(sa_exc.ArgumentError):
    """An annotation of a mapped class cannot be read."""


class UnmappedError(sa_exc.InvalidRequestError):
    """Something is not mapped."""


class ObjectDereferencedError(sa_exc.SQLAlchemyError):
    """An object is gone that an operation needs."""


class DetachedInstanceError(sa_exc.SQLAlchemyError):
    """An object without a session was asked for what is not loaded."""

    code = "bhk3"


class UnmappedInstanceError(UnmappedError):
    """An object's class is not mapped."""

    def __init__(self, obj: object, msg: str | None = None) -> None:
        if msg is None:
            if isinstance(obj, str):
                msg = obj
            else:
                name = f"{type(obj).__module__}.{type(obj).__qualname__}"
                msg = f"Class '{name}' is not mapped"
                if isinstance(obj, type):
                    given = f"{obj.__module__}.{obj.__qualname__}"
                    msg += f"; was a class ({given}) supplied where an instance was required?"
        super().__init__(msg)


class UnmappedClassError(UnmappedError):
    """A class is not mapped."""

    def __init__(self, cls: object, msg: str | None = None) -> None:
        if msg is None:
            msg = f"Class '{cls.__module__}.{cls.__qualname__}' is not mapped" if isinstance(cls, type) else str(cls)
        super().__init__(msg)


class ObjectDeletedError(sa_exc.InvalidRequestError):
    """The row of an object is gone."""


class UnmappedColumnError(sa_exc.InvalidRequestError):
    """A column is not mapped."""


class LoaderStrategyException(sa_exc.InvalidRequestError):
    """A loader option does not fit the attribute."""
