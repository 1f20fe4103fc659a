"""Bases of SQL types."""

from __future__ import annotations

from ..types import ExternalType, NullType, TypeDecorator, TypeEngine, UserDefinedType, to_instance

__all__ = ("ExternalType", "NullType", "TypeDecorator", "TypeEngine", "UserDefinedType", "to_instance")
