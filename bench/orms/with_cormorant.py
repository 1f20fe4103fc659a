"""Cormorant: SQLAlchemy's program with another import."""

from with_sqlalchemy import Program as SQLAlchemy


class Program(SQLAlchemy):
    package = "cormorant"
