"""The exceptions of a MariaDB or MySQL driver, as PyMySQL and mysqlclient have them: (code, message)."""

from __future__ import annotations


class Error(Exception):
    """What goes wrong between a program and the server."""


class InterfaceError(Error):
    """The driver was used wrongly."""


class DatabaseError(Error):
    """The database failed."""


class DataError(DatabaseError):
    """A value that the database does not take."""


class OperationalError(DatabaseError):
    """What the database met while it worked."""


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class InternalError(DatabaseError):
    """The database is in trouble with itself."""


class ProgrammingError(DatabaseError):
    """Wrong SQL, or a table that is not there."""


class NotSupportedError(DatabaseError):
    """The database does not do this."""


for _class in (Error, InterfaceError, DatabaseError, DataError, OperationalError, IntegrityError, InternalError,
               ProgrammingError, NotSupportedError):  # fmt: skip
    _class.__module__ = "MySQLdb"  # what users know from their logs


def make(name: str, message: str, native_code: int) -> Error:
    """The exception of a failure.

    :param name: of its class. :param native_code: the server's number for it, or 0.
    """
    cls = globals().get(name, DatabaseError)
    error: Error = cls(native_code, message) if native_code else cls(message)
    return error
