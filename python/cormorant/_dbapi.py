"""The exceptions of a driver, as PEP 249 names them: what errors have as `orig` on databases that are servers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

apilevel = "2.0"
threadsafety = 1
paramstyle = "pyformat"

_FIELDS = ("message_primary", "severity", "message_detail", "message_hint", "statement_position", "context",
           "schema_name", "table_name", "column_name", "datatype_name", "constraint_name")  # fmt: skip


class Diagnostic:
    """What the server said beside its message; what it did not say is None."""

    message_primary: Optional[str]
    severity: Optional[str]
    message_detail: Optional[str]
    message_hint: Optional[str]
    statement_position: Optional[str]
    context: Optional[str]
    schema_name: Optional[str]
    table_name: Optional[str]
    column_name: Optional[str]
    datatype_name: Optional[str]
    constraint_name: Optional[str]
    sqlstate: Optional[str]

    def __init__(self, sqlstate: Optional[str] = None, fields: tuple[Optional[str], ...] = ()) -> None:
        self.sqlstate = sqlstate
        for name, value in zip(_FIELDS, fields or (None,) * len(_FIELDS)):
            setattr(self, name, value)


class Warning(Exception):  # noqa: A001 -- the name is PEP 249's
    """Something that is no error."""


class Error(Exception):
    """The driver or the database failed.

    :ivar sqlstate: the five letters of the SQL standard, or None. Also as `pgcode`.
    :ivar native_code: the database's own number, or 0.
    :ivar diag: what the server said beside its message.
    """

    sqlstate: Optional[str] = None
    native_code = 0
    diag = Diagnostic()

    @property
    def pgcode(self) -> Optional[str]:
        """The SQLSTATE."""
        return self.sqlstate

    @property
    def pgerror(self) -> Optional[str]:
        """The message."""
        return str(self.args[0]) if self.args else None

    def __reduce__(self) -> Any:
        return type(self), self.args, {"sqlstate": self.sqlstate, "native_code": self.native_code, "diag": self.diag}


class InterfaceError(Error):
    """The driver was used wrongly."""


class DatabaseError(Error):
    """The database failed."""


class DataError(DatabaseError):
    """A value that the database does not take."""


class OperationalError(DatabaseError):
    """What the database met while it worked: lost connections, locks, time-outs."""


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class InternalError(DatabaseError):
    """The database is in trouble with itself, or the transaction has failed."""


class ProgrammingError(DatabaseError):
    """Wrong SQL, or a table that is not there."""


class NotSupportedError(DatabaseError):
    """The database does not do this."""


def error_of(name: str, message: str, native_code: int, sqlstate: str,
             diagnostics: tuple[Optional[str], ...]) -> Error:
    """The exception of a class' name."""
    cls = globals().get(name, DatabaseError)
    error: Error = cls(message)
    error.sqlstate = sqlstate or None
    error.native_code = native_code
    error.diag = Diagnostic(error.sqlstate, diagnostics)
    return error


def connect(*args: Any, **kwargs: Any) -> Any:
    """Not the way: engines connect by themselves."""
    raise NotSupportedError("connections are made by create_engine()")
