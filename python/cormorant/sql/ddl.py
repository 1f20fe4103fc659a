"""DDL as objects."""

from __future__ import annotations

from .._schema_ddl import (
    DDL,
    BaseDDLElement,
    CreateIndex,
    CreateSequence,
    CreateTable,
    DDLElement,
    DropIndex,
    DropSequence,
    DropTable,
    ExecutableDDLElement,
)
from ..schema import sort_tables

__all__ = (
    "DDL", "BaseDDLElement", "CreateIndex", "CreateSequence", "CreateTable", "DDLElement", "DropIndex", "DropSequence",
    "DropTable", "ExecutableDDLElement", "sort_tables",
)  # fmt: skip
