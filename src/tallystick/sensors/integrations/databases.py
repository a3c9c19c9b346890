"""Statements of DB-API cursors, timed by their first word: ``database.time``, and ``database.errors`` by the exception.

Cursors stay what they are: each class of them gets a subclass that measures. So whatever a library or framework asks
of a connection or a cursor, it gets as before.
"""

import functools
import inspect
import re
from collections.abc import Callable
from time import perf_counter
from types import ModuleType
from typing import Any

from tallystick.sensors.integrations.wrapping import MARK, marked, wrap
from tallystick.sensors.sensors import Sensors

_METHODS = ("execute", "executemany", "executescript", "callproc")
_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
_WORDS = frozenset(
    (
        *("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "WITH", "VALUES", "COPY", "CALL", "EXPLAIN"),
        *("CREATE", "ALTER", "DROP", "TRUNCATE", "VACUUM", "ANALYZE", "PRAGMA", "SET", "SHOW", "LOCK"),
        *("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "DECLARE", "FETCH", "CLOSE"),
    )
)
_LOOKED_AT_CHARS = 500


def install(library: Any, sensors: Sensors) -> None:
    """Time the statements of all connections that a library makes from now on."""
    if library.__name__ == "sqlite3":
        make = functools.partial(_sqlite3_connect, library, sensors)
        wrap(library, "connect", make)
        wrap(library.dbapi2, "connect", make)  # this is where Django and SQLAlchemy connect
    elif library.__name__ == "psycopg":
        for kind, cursor in ((library.Connection, library.Cursor), (library.AsyncConnection, library.AsyncCursor)):
            if not hasattr(kind.connect, MARK):
                connect = _connect("psycopg", "cursor_factory", cursor, sensors, kind.connect.__func__)
                kind.connect = classmethod(marked(connect, kind.connect))
        library.connect = library.Connection.connect
    elif library.__name__ == "psycopg2":
        cursor = library.extensions.cursor
        wrap(library, "connect", functools.partial(_connect, "psycopg2", "cursor_factory", cursor, sensors))
    else:
        cursor = library.cursors.Cursor
        wrap(library, "connect", functools.partial(_connect, library.__name__, "cursorclass", cursor, sensors))


def timed_cursor(kind: type, system: str, sensors: Sensors) -> type:
    """A subclass of a class of cursors whose statements are timed.

    Parameters
    ----------
    system
        Label of what is counted: ``sqlite3``, ``psycopg``.
    """
    if "__tallystick_system__" in vars(kind):
        return kind
    found = _TIMED.get((kind, sensors))
    if found is None:
        methods = {name: _timed(getattr(kind, name), system, sensors) for name in _METHODS if hasattr(kind, name)}
        said = {"__tallystick_system__": system, "__module__": kind.__module__, "__doc__": kind.__doc__}
        found = _TIMED[kind, sensors] = type(kind.__name__, (kind,), methods | said)
    return found


_TIMED: dict[tuple[type, Sensors], type] = {}


def statement_of(query: object) -> str:
    """The first word of a statement if it is one that databases know, else ``OTHER``."""
    if isinstance(query, bytes):
        query = query[:_LOOKED_AT_CHARS].decode(errors="replace")
    found = _FIRST_WORD.match(query[:_LOOKED_AT_CHARS]) if isinstance(query, str) else None
    word = found[1].upper() if found else ""
    return word if word in _WORDS else "OTHER"


def _timed(method: Callable[..., Any], system: str, sensors: Sensors) -> Callable[..., Any]:
    def statement(query: object) -> str:
        return "CALL" if method.__name__ == "callproc" else statement_of(query)

    def end(began: float, query: object) -> None:
        timing = sensors.timing("database.time", system=system, statement=statement(query))
        timing.observe(perf_counter() - began)

    def fail(error: Exception) -> None:
        sensors.counter("database.errors", system=system, error=type(error).__name__).increment()

    if inspect.iscoroutinefunction(method):

        @functools.wraps(method)
        async def run_async(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                return await method(self, query, *args, **kwargs)
            except Exception as error:
                fail(error)
                raise
            finally:
                end(began, query)

        return run_async

    @functools.wraps(method)
    def run(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        began = perf_counter()
        try:
            return method(self, query, *args, **kwargs)
        except Exception as error:
            fail(error)
            raise
        finally:
            end(began, query)

    return run


def _sqlite3_connect(library: ModuleType, sensors: Sensors, original: Callable[..., Any]) -> Callable[..., Any]:
    def cursor(self: Any, factory: type = library.Cursor) -> Any:
        is_class = isinstance(factory, type) and issubclass(factory, library.Cursor)
        return library.Connection.cursor(self, timed_cursor(factory, "sqlite3", sensors) if is_class else factory)

    def shortcut(name: str) -> Callable[..., Any]:
        @functools.wraps(getattr(library.Connection, name))
        def run(self: Any, *args: Any) -> Any:
            return getattr(self.cursor(), name)(*args)  # as it is documented, and not by ways of its own

        return run

    methods = {name: shortcut(name) for name in ("execute", "executemany", "executescript")}
    timed = type("Connection", (library.Connection,), {"cursor": cursor, "__module__": library.__name__} | methods)

    def connect(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 6:  # else the class of the connection is given by its place
            kwargs.setdefault("factory", timed)
        return original(*args, **kwargs)

    return connect


def _connect(
    system: str, parameter: str, default: type, sensors: Sensors, original: Callable[..., Any]
) -> Callable[..., Any]:
    def connect(*args: Any, **kwargs: Any) -> Any:
        kwargs[parameter] = timed_cursor(kwargs.get(parameter) or default, system, sensors)
        return original(*args, **kwargs)

    return connect
