"""Attributes that are computed from others, in Python of an object and in SQL of its class."""

from __future__ import annotations

from .. import _engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["HybridExtensionType", "hybrid_method", "hybrid_property"]

from enum import Enum


class HybridExtensionType(Enum):
    """The kinds of hybrids."""

    HYBRID_METHOD = "HYBRID_METHOD"
    HYBRID_PROPERTY = "HYBRID_PROPERTY"


class hybrid_method:
    """A method that gives a value when called on an object, and an expression when called on its class.

    Example::

        @hybrid_method
        def contains(self, point):
            return (self.start <= point) & (point <= self.end)
    """

    is_attribute = True
    extension_type = HybridExtensionType.HYBRID_METHOD

    def __init__(self, func: Callable[..., Any], expr: Callable[..., Any] | None = None):
        self.func = func
        self.expr = expr if expr is not None else func
        self.__doc__ = func.__doc__

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self.expr.__get__(owner, type(owner))
        return self.func.__get__(instance, owner)

    def expression(self, expr: Callable[..., Any]) -> hybrid_method:
        """Decorate the method that gives the expression."""
        return type(self)(self.func, expr)

    @property
    def inplace(self) -> Any:
        """Decorators that keep the method's name out of the way: ``@name.inplace.expression``."""
        return _InPlace(self, {"expression": "expr"})


class hybrid_property:
    """A property that gives a value of an object and an expression of its class.

    Example::

        @hybrid_property
        def full_name(self):
            return self.first + " " + self.last

        @full_name.expression
        def full_name(cls):
            return cls.first.concat(" ").concat(cls.last)
    """

    is_attribute = True
    extension_type = HybridExtensionType.HYBRID_PROPERTY

    def __init__(self, fget: Any, fset: Any = None, fdel: Any = None, expr: Any = None):
        self.fget = fget
        self.fset = fset
        self.fdel = fdel
        self.expr = expr.__func__ if isinstance(expr, classmethod) else expr
        self.__doc__ = fget.__doc__
        self.__name__ = getattr(fget, "__name__", "hybrid")

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is not None:
            return self.fget(instance)
        made = (self.expr if self.expr is not None else self.fget)(owner)
        if isinstance(made, _engine.ColumnElement) and getattr(made, "name", None) is None:
            return made.label(self.__name__)
        return made

    def __set__(self, instance: Any, value: Any) -> None:
        if self.fset is None:
            raise AttributeError("can't set attribute")
        self.fset(instance, value)

    def __delete__(self, instance: Any) -> None:
        if self.fdel is None:
            raise AttributeError("can't delete attribute")
        self.fdel(instance)

    def _with(self, **changed: Any) -> hybrid_property:
        given = {"fget": self.fget, "fset": self.fset, "fdel": self.fdel, "expr": self.expr, **changed}
        return type(self)(**given)

    def getter(self, fget: Any) -> hybrid_property:
        """Decorate the method that gives the value."""
        return self._with(fget=fget)

    def setter(self, fset: Any) -> hybrid_property:
        """Decorate the method that sets the value."""
        return self._with(fset=fset)

    def deleter(self, fdel: Any) -> hybrid_property:
        """Decorate the method that deletes the value."""
        return self._with(fdel=fdel)

    def expression(self, expr: Any) -> hybrid_property:
        """Decorate the method that gives the expression of a class."""
        return self._with(expr=expr)

    @property
    def overrides(self) -> hybrid_property:
        """In a subclass: begin from this property."""
        return self

    @property
    def inplace(self) -> Any:
        """Decorators for methods of names of their own: ``@full_name.inplace.setter``."""
        return _InPlace(self, {"getter": "fget", "setter": "fset", "deleter": "fdel", "expression": "expr"})


class _InPlace:
    def __init__(self, target: Any, roles: dict[str, str]):
        self._target = target
        self._roles = roles

    def __getattr__(self, name: str) -> Any:
        try:
            attribute = self._roles[name]
        except KeyError:
            raise AttributeError(name) from None

        def decorate(function: Any) -> Any:
            plain = function.__func__ if isinstance(function, classmethod) else function
            setattr(self._target, attribute, plain)
            return self._target

        return decorate
