"""Engines, connections and transactions."""

from __future__ import annotations

from .._engine import Connection, Engine, NestedTransaction, RootTransaction, Transaction, TwoPhaseTransaction

__all__ = ["Connection", "Engine", "NestedTransaction", "RootTransaction", "Transaction", "TwoPhaseTransaction"]
