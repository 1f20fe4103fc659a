"""Database URLs."""

from __future__ import annotations

from collections import namedtuple

from .. import _engine, exc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any, Optional, Union

_Fields = namedtuple("_Fields", "drivername username password host port database query")


class _Query(dict):  # type: ignore[type-arg]
    """A dict that does not change: the query of a URL."""

    def _refuse(self, *args: Any, **kw: Any) -> Any:
        raise TypeError("the query of a URL does not change: see URL.update_query_dict()")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)

    def union(self, other: Mapping[str, Any]) -> _Query:
        """A new one with more."""
        return type(self)({**self, **other})


def _text(name: str, value: Any) -> Optional[str]:
    if value is not None and not isinstance(value, str):
        if name == "password":
            return value  # type: ignore[no-any-return]  # an object whose str() is the password
        raise TypeError(f"{name} must be a string" if name == "drivername" else f"{name} must be a string or None")
    return value


def _query_of(query: Any) -> _Query:
    made: dict[str, Any] = {}
    items = query.items() if hasattr(query, "items") else query
    for key, value in items:
        if not isinstance(key, str):
            raise TypeError("Query dictionary keys must be strings")
        if isinstance(value, str):
            made[key] = value
        elif isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            made[key] = tuple(value)
        else:
            raise TypeError("Query dictionary values must be strings or sequences of strings")
    return _Query(made)


def _quoted(text: str, safe: str) -> str:
    from urllib.parse import quote

    return quote(text, safe=safe)


class URL(_Fields):
    """The parts of a database URL: a named tuple that does not change. See make_url() and URL.create()."""

    __slots__ = ()

    drivername: str
    username: Optional[str]
    password: Optional[str]
    host: Optional[str]
    port: Optional[int]
    database: Optional[str]
    query: Mapping[str, Union[str, Sequence[str]]]

    @classmethod
    def create(cls, drivername: str, username: Optional[str] = None, password: Optional[str] = None,
               host: Optional[str] = None, port: Optional[int] = None, database: Optional[str] = None,
               query: Mapping[str, Union[Sequence[str], str]] = _Query()) -> URL:
        """A URL of its parts.

        :param drivername: dialect and driver, such as "sqlite" or "sqlite+pysqlite".
        :param query: more arguments for the driver.
        """
        if drivername is None:
            raise TypeError("drivername must be a string")
        return cls(_text("drivername", drivername), _text("username", username), _text("password", password),
                   _text("host", host), None if port is None else int(port), _text("database", database),
                   _query_of(query))

    def set(self, drivername: Optional[str] = None, username: Optional[str] = None, password: Optional[str] = None,
            host: Optional[str] = None, port: Optional[int] = None, database: Optional[str] = None,
            query: Optional[Mapping[str, Union[Sequence[str], str]]] = None) -> URL:
        """A URL with some parts replaced."""
        given = {"drivername": drivername, "username": username, "password": password, "host": host, "port": port,
                 "database": database, "query": query}
        parts = self._asdict()
        parts.update({key: value for key, value in given.items() if value is not None})
        return type(self).create(**parts)

    def _replace(self, **kw: Any) -> URL:
        return type(self).create(**{**self._asdict(), **kw})

    def update_query_pairs(self, key_value_pairs: Iterable[tuple[str, Any]], append: bool = False) -> URL:
        """A URL with more in its query; append: beside what is there under the same key."""
        query: dict[str, Any] = dict(self.query) if append else {}
        for key, value in key_value_pairs:
            values = (value,) if isinstance(value, str) else tuple(value)
            if key in query:
                old = query[key]
                values = ((old,) if isinstance(old, str) else tuple(old)) + values
            query[key] = values[0] if len(values) == 1 else values
        return self.set(query={**self.query, **query})

    def update_query_string(self, query_string: str, append: bool = False) -> URL:
        """The same of a query as it stands in a URL."""
        from urllib.parse import parse_qsl

        return self.update_query_pairs(parse_qsl(query_string), append=append)

    def update_query_dict(self, query_parameters: Mapping[str, Any], append: bool = False) -> URL:
        """The same of a mapping."""
        return self.update_query_pairs(query_parameters.items(), append=append)

    def difference_update_query(self, names: Iterable[str]) -> URL:
        """A URL without these in its query."""
        gone = set(names)
        return self._replace(query={key: value for key, value in self.query.items() if key not in gone})

    @property
    def normalized_query(self) -> Mapping[str, Sequence[str]]:
        """The query with a tuple for every key."""
        return _Query({key: (value,) if isinstance(value, str) else tuple(value) for key, value in self.query.items()})

    def render_as_string(self, hide_password: bool = True) -> str:
        """The URL as text; a hidden password is shown as three stars."""
        text = self.drivername + "://"
        if self.username is not None:
            text += _quoted(self.username, " +")
            if self.password is not None:
                text += ":" + ("***" if hide_password else _quoted(str(self.password), " +"))
            text += "@"
        if self.host is not None:
            text += f"[{self.host}]" if ":" in self.host else self.host
        if self.port is not None:
            text += f":{self.port}"
        if self.database is not None:
            text += "/" + _quoted(self.database, " +/:~!$&'()*,;=@") if any(c in self.database for c in "?#%") else (
                "/" + self.database)
        if self.query:
            from urllib.parse import quote_plus

            pairs = [(key, item) for key, values in sorted(self.normalized_query.items()) for item in values]
            text += "?" + "&".join(f"{quote_plus(key)}={quote_plus(item)}" for key, item in pairs)
        return text

    def __str__(self) -> str:
        return self.render_as_string(hide_password=True)

    def __repr__(self) -> str:
        return self.render_as_string(hide_password=True)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __copy__(self) -> URL:
        return self

    def __deepcopy__(self, memo: Any) -> URL:
        return self

    def get_backend_name(self) -> str:
        """The dialect's name."""
        return self.drivername.partition("+")[0]

    def get_driver_name(self) -> str:
        """The driver's name; the dialect's own when none is given."""
        return self.drivername.partition("+")[2] or _DRIVERS.get(self.get_backend_name(), "")

    def get_dialect(self) -> Any:
        """The class of the dialect."""
        from .default import dialect_class

        return dialect_class(self)

    def translate_connect_args(self, names: Optional[list[str]] = None, **kw: Any) -> dict[str, Any]:
        """The parts as keyword arguments, under other names where those are given."""
        made = {}
        for name in ("host", "database", "username", "password", "port"):
            value = getattr(self, name)
            if value:
                made[kw.get(name, name)] = value
        return made


_DRIVERS = {"sqlite": "pysqlite", "mysql": "mysqldb", "mariadb": "mysqldb", "postgresql": "psycopg"}


def make_url(name_or_url: Union[str, URL]) -> URL:
    """The URL of a text.

    :param name_or_url: a text such as "sqlite:///file.db?timeout=10", or a URL, which is given back.
    :raises ArgumentError: it is no URL.
    """
    if isinstance(name_or_url, URL):
        return name_or_url
    if not isinstance(name_or_url, str):
        if hasattr(name_or_url, "_sqla_is_testing_if_this_is_a_mock_object"):
            return name_or_url
        raise exc.ArgumentError(f"Expected string or URL object, got {name_or_url!r}")
    try:
        dialect, driver, username, password, host, port, database, pairs = _engine._url_parse(name_or_url)
    except exc.ArgumentError as error:
        reason = str(error).partition(": ")[2]
        raise exc.ArgumentError(f"Could not parse SQLAlchemy URL from given URL string: {reason}") from None
    query: dict[str, Any] = {}
    for key, value in pairs:
        if key in query:
            old = query[key]
            query[key] = (old if isinstance(old, tuple) else (old,)) + (value,)
        else:
            query[key] = value
    name = dialect if driver is None else f"{dialect}+{driver}"
    return URL(name, username, password, host, port, database, _Query(query))
