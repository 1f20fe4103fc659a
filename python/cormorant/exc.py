"""The exceptions and warnings of the package."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional


class HasDescriptionCode:
    """Something with a short code under which the documentation explains it."""

    code: Optional[str] = None

    def __init__(self, *arg: Any, **kw: Any) -> None:
        code = kw.pop("code", None)
        if code is not None:
            self.code = code
        super().__init__(*arg, **kw)


class SQLAlchemyError(HasDescriptionCode, Exception):
    """The base of every error of the package."""

    def _message(self) -> str:
        if len(self.args) == 1:
            text = self.args[0]
            return text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
        return str(self.args)

    def __str__(self) -> str:
        return self._message()


class EmulatedDBAPIException(Exception):
    """An error that a driver's stand-in raises in the place of the driver."""

    orig: Optional[BaseException] = None


class ArgumentError(SQLAlchemyError):
    """A wrong or conflicting argument."""


class DuplicateColumnError(ArgumentError):
    """A table has a column of this name already."""


class ObjectNotExecutableError(ArgumentError):
    """execute() was given something that cannot be executed."""

    def __init__(self, target: Any) -> None:
        super().__init__(f"Not an executable object: {target!r}")
        self.target = target

    def __reduce__(self) -> Any:
        return self.__class__, (self.target,)


class NoSuchModuleError(ArgumentError):
    """No dialect or driver of this name."""


class NoForeignKeysError(ArgumentError):
    """No foreign keys to join along."""


class AmbiguousForeignKeysError(ArgumentError):
    """More than one way to join."""


class ConstraintColumnNotFoundError(ArgumentError):
    """A constraint names a column that its table does not have."""


class CircularDependencyError(SQLAlchemyError):
    """Things that depend on each other in a circle."""

    def __init__(self, message: str, cycles: Any = None, edges: Any = None, msg: Optional[str] = None,
                 code: Optional[str] = None) -> None:
        text = message if msg is None else msg
        if cycles:
            text += " (%s)" % ", ".join(repr(item) for item in cycles)
        super().__init__(text, code=code)
        self.cycles = cycles
        self.edges = edges

    def __reduce__(self) -> Any:
        return self.__class__, (None, self.cycles, self.edges, self.args[0])


class CompileError(SQLAlchemyError):
    """A statement cannot be turned to SQL."""


class UnsupportedCompilationError(CompileError):
    """The dialect cannot render this construct."""

    code = "l7de"


class IdentifierError(SQLAlchemyError):
    """A name is too long for the database."""


class DisconnectionError(SQLAlchemyError):
    """Raised in a pool's event: the connection is dead, try another."""

    invalidate_pool = False


class InvalidatePoolError(DisconnectionError):
    """Raised in a pool's event: all connections are dead."""

    invalidate_pool = True


class TimeoutError(SQLAlchemyError):  # noqa: A001
    """No connection came free in time."""


class InvalidRequestError(SQLAlchemyError):
    """The call makes no sense in the present state."""


class IllegalStateChangeError(InvalidRequestError):
    """A session was used while another of its operations was under way."""


class NoInspectionAvailable(InvalidRequestError):
    """inspect() knows nothing of this object."""


class NoDBAPILoaded(InvalidRequestError):
    """The dialect has no driver."""


class PendingRollbackError(InvalidRequestError):
    """The transaction failed and must be rolled back first."""


class ResourceClosedError(InvalidRequestError):
    """A closed result or connection was used."""


class NoSuchColumnError(InvalidRequestError, KeyError):
    """A row or a FROM has no such column."""


class AmbiguousColumnError(InvalidRequestError):
    """More than one column goes by the name."""


class NoResultFound(InvalidRequestError):
    """A row was required and none was found."""


class MultipleResultsFound(InvalidRequestError):
    """One row was required and several were found."""


class NoReferenceError(InvalidRequestError):
    """A foreign key refers to what is not there."""

    table_name: str = ""


class AwaitRequired(InvalidRequestError):
    """A blocking call outside of the loop's helper."""

    code = "xd1r"


class MissingGreenlet(InvalidRequestError):
    """A blocking call outside of the loop's helper."""

    code = "xd2s"


class NoReferencedTableError(NoReferenceError):
    """A foreign key refers to a table that is not known."""

    def __init__(self, message: str, tname: str = "") -> None:
        super().__init__(message)
        self.table_name = tname

    def __reduce__(self) -> Any:
        return self.__class__, (self.args[0], self.table_name)


class NoReferencedColumnError(NoReferenceError):
    """A foreign key refers to a column that its table does not have."""

    def __init__(self, message: str, tname: str = "", cname: str = "") -> None:
        super().__init__(message)
        self.table_name = tname
        self.column_name = cname

    def __reduce__(self) -> Any:
        return self.__class__, (self.args[0], self.table_name, self.column_name)


class NoSuchTableError(InvalidRequestError):
    """The database has no such table."""


class UnreflectableTableError(InvalidRequestError):
    """The table is there but cannot be described."""


class UnboundExecutionError(InvalidRequestError):
    """Nothing says which engine to use."""


class DontWrapMixin:
    """A user's error that comes out of an execution as it is."""


_HIDDEN = "[SQL parameters hidden due to hide_parameters=True]"


# What is wrong with a value, by the engine's number.
_REASONS: dict[int, type[Exception]] = {3: TypeError, 4: ValueError}


class StatementError(SQLAlchemyError):
    """An error while a statement ran: with its text and parameters."""

    statement: Optional[str] = None
    orig: Optional[BaseException] = None
    ismulti: Optional[bool] = None
    hide_parameters = False
    connection_invalidated = False

    def __init__(self, message: str, statement: Optional[str], params: Any, orig: Optional[BaseException],
                 hide_parameters: bool = False, code: Optional[str] = None, ismulti: Optional[bool] = None) -> None:
        super().__init__(message, code=code)
        self.statement = statement
        self._params = params
        self._shown: Optional[str] = None
        self.orig = orig
        self.ismulti = ismulti
        self.hide_parameters = hide_parameters
        self.detail: list[str] = []

    @classmethod
    def _of_engine(cls, message: str, statement: Optional[str], shown: Optional[str], native_code: int,
                   orig: Optional[BaseException] = None, driver: Optional[str] = None, sqlstate: str = "",
                   diagnostics: tuple[Optional[str], ...] = (), disconnected: bool = False,
                   transient: bool = False) -> StatementError:
        """Make one of what the engine says; parameters come as they are shown."""
        if orig is None:
            orig = _REASONS.get(native_code, InvalidRequestError)(message)
        elif not message:
            message = str(orig)
        error = cls(_described(orig, message), statement, None, orig)
        return error._show(shown)  # type: ignore[no-any-return]

    def _show(self, shown: Optional[str]) -> Any:
        if shown == _HIDDEN:
            self.hide_parameters = True
        else:
            self._shown = shown
        return self

    @property
    def params(self) -> Any:
        """The parameters: a tuple, or a list of tuples."""
        if self._params is None and self._shown is not None:
            from ast import literal_eval

            try:
                self._params = literal_eval(self._shown)
            except (ValueError, SyntaxError):
                self._params = self._shown
        return self._params

    @params.setter
    def params(self, value: Any) -> None:
        self._params = value
        self._shown = None

    def add_detail(self, msg: str) -> None:
        """Add a line to the message."""
        self.detail.append(msg)

    def __reduce__(self) -> Any:
        return (self.__class__, (self.args[0], self.statement, self.params, self.orig, self.hide_parameters,
                                 self.__dict__.get("code"), self.ismulti), {"detail": self.detail})

    def __str__(self) -> str:
        lines = [self._message()]
        lines += [f"({detail})" for detail in self.detail]
        if self.statement:
            lines.append(f"[SQL: {self.statement}]")
            if self.hide_parameters:
                lines.append(_HIDDEN)
            elif self._shown is not None:
                if self._shown != "()":
                    lines.append(f"[parameters: {self._shown}]")
            elif self._params:
                lines.append(f"[parameters: {self._params!r}]")
        return "\n".join(lines)


def _described(orig: BaseException, message: str) -> str:
    """The message with the class that the driver raised, as users know it from logs."""
    cls = type(orig)
    return f"({cls.__module__}.{cls.__name__}) {message}"


_ERROR_NAMES: dict[int, str] = {}


def _driver_error(name: str, message: str, native_code: int, driver: Optional[str], sqlstate: str,
                  diagnostics: tuple[Optional[str], ...]) -> BaseException:
    """What the library of a database that programs know raises in such a case, with its code."""
    if driver == "mysqldb":
        from .dialects import _mysql_errors

        return _mysql_errors.make(name, message, native_code)
    if driver in (None, "pysqlite"):
        return _sqlite_error(name, message, native_code)
    from . import _dbapi

    return _dbapi.error_of(name, message, native_code, sqlstate, diagnostics)


def _sqlite_error(name: str, message: str, native_code: int) -> BaseException:
    """The exception that Python's sqlite3 raises in such a case, with its code."""
    import sqlite3

    error: Any = getattr(sqlite3, name, sqlite3.DatabaseError)(message)
    if native_code:
        if not _ERROR_NAMES:
            for constant, value in vars(sqlite3).items():
                if constant.startswith(("SQLITE_ERROR", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CONSTRAINT",
                                        "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_CANTOPEN",
                                        "SQLITE_FULL", "SQLITE_MISMATCH", "SQLITE_MISUSE", "SQLITE_NOTADB",
                                        "SQLITE_RANGE", "SQLITE_TOOBIG", "SQLITE_SCHEMA", "SQLITE_PERM",
                                        "SQLITE_PROTOCOL", "SQLITE_ABORT", "SQLITE_AUTH", "SQLITE_INTERRUPT")):
                    _ERROR_NAMES[value] = constant
        error.sqlite_errorcode = native_code
        error.sqlite_errorname = _ERROR_NAMES.get(native_code, "unknown")
    return error  # type: ignore[no-any-return]


class DBAPIError(StatementError):
    """The driver raised an error: it is in `orig`."""

    code = "dbapi"
    #: May the same transaction go well when it is tried again, because others were in its way? After a deadlock, a
    #: serialization failure, a lock that was not got in time, or a connection that was lost before it was told to
    #: commit. See :func:`cormorant.orm.retry`.
    is_transient = False

    def __init__(self, statement: Optional[str], params: Any, orig: BaseException, hide_parameters: bool = False,
                 connection_invalidated: bool = False, code: Optional[str] = None,
                 ismulti: Optional[bool] = None) -> None:
        try:
            text = str(orig)
        except Exception as failure:  # noqa: BLE001 -- a driver's exception may be broken
            text = f"Error in str() of DB-API-generated exception: {failure}"
        super().__init__(_described(orig, text), statement, params, orig, hide_parameters, code=code, ismulti=ismulti)
        self.connection_invalidated = connection_invalidated

    @classmethod
    def _of_engine(cls, message: str, statement: Optional[str], shown: Optional[str], native_code: int,
                   orig: Optional[BaseException] = None, driver: Optional[str] = None, sqlstate: str = "",
                   diagnostics: tuple[Optional[str], ...] = (), disconnected: bool = False,
                   transient: bool = False) -> DBAPIError:
        if orig is None:
            orig = _driver_error(cls.__name__, message, native_code, driver, sqlstate, diagnostics)
        error = cls(statement, None, orig, connection_invalidated=disconnected,
                    ismulti=bool(shown and shown.startswith("[")))
        error.is_transient = transient
        return error._show(shown)  # type: ignore[no-any-return]

    def __reduce__(self) -> Any:
        return (self.__class__, (self.statement, self.params, self.orig, self.hide_parameters,
                                 self.connection_invalidated, self.__dict__.get("code"), self.ismulti),
                {"detail": self.detail, "is_transient": self.is_transient})


class InterfaceError(DBAPIError):
    """The driver was used wrongly."""

    code = "rvf5"


class DatabaseError(DBAPIError):
    """The database failed."""

    code = "4xp6"


class DataError(DatabaseError):
    """A value that the database does not take."""

    code = "9h9h"


class OperationalError(DatabaseError):
    """What the database met while it worked: locks, missing files, broken SQL."""

    code = "e3q8"


class IntegrityError(DatabaseError):
    """A constraint was violated."""

    code = "gkpj"


class InternalError(DatabaseError):
    """The database is in trouble with itself."""

    code = "2j85"


class ProgrammingError(DatabaseError):
    """A wrong number of parameters, a wrong use of a cursor."""

    code = "f405"


class NotSupportedError(DatabaseError):
    """The database does not do this."""

    code = "tw8g"


class SATestSuiteWarning(Warning):
    """A warning for tests."""


class SADeprecationWarning(HasDescriptionCode, DeprecationWarning):
    """Something that will go."""

    deprecated_since: Optional[str] = None


class Base20DeprecationWarning(SADeprecationWarning):
    """Something that is gone in the second generation."""


class LegacyAPIWarning(Base20DeprecationWarning):
    """Something that stays, but has a better successor."""


class MovedIn20Warning(Base20DeprecationWarning):
    """Something that has a new place."""


class SAPendingDeprecationWarning(PendingDeprecationWarning):
    """Something that may go."""


class SAWarning(HasDescriptionCode, RuntimeWarning):
    """Something that is allowed and probably not meant."""
