"""`SqlFile`: a file of SQLite's that any thread may use, one at a time.

Its log is synced at each commit, so what was answered survives a power cut. A file that is damaged is set aside and
named, and never stops the start.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from tallystick.model.clock import Clock
from tallystick.model.errors import StoreError

Answer = TypeVar("Answer")


class SqlFile:
    """A file and the one connection to it.

    Parameters
    ----------
    path
        The file, made if it is not there; None for tables that are kept in memory only.
    schema, version
        Statements that make the tables, and the number of their format.
    missing
        What is missing if the file is damaged, for people: ``events are missing``.
    clock
        Gives a damaged file that is set aside its name.
    upgrades
        Statements that make the tables of the following format of those of an earlier one, by the number of that.

    Raises
    ------
    StoreError
        If the file cannot be opened, or a newer version wrote it.
    """

    def __init__(
        self,
        path: Path | None,
        schema: str,
        version: int,
        missing: str,
        clock: Clock,
        upgrades: Mapping[int, str] | None = None,
    ) -> None:
        self._schema = schema
        self._version = version
        self._clock = clock
        self._upgrades = upgrades or {}
        self._lock = threading.Lock()
        self._damaged = ""
        self.connection = self._in_memory() if path is None else self._opened(path, missing)

    def run(self, doing: str, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """What `work` returns; what it changes is on disk then.

        Parameters
        ----------
        doing
            What the error says cannot be done.

        Raises
        ------
        StoreError
            If the disk does not take or give it; then nothing is changed.
        """
        with self._lock, _told_as_store_error(doing), self.connection:
            return work(self.connection)

    def problems(self) -> list[str]:
        """What an operator should know."""
        return [self._damaged] if self._damaged else []

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self.connection.close()

    def _opened(self, path: Path, missing: str) -> sqlite3.Connection:
        try:
            return self._open(path)
        except sqlite3.OperationalError as error:
            raise StoreError(f"cannot open {path}: {error}; expected a file that this user may write") from error
        except sqlite3.DatabaseError as error:
            aside = path.with_name(f"{path.name}.damaged-{int(self._clock.now())}")
            for end in ("", "-wal", "-shm"):
                part = path.with_name(path.name + end)
                if part.exists():
                    part.rename(aside.with_name(aside.name + end))
            self._damaged = f"{missing}: {path} was damaged ({error}) and is kept as {aside.name}"
            return self._open(path)

    def _open(self, path: Path) -> sqlite3.Connection:
        with suppress(OSError):  # which SQLite tells better
            path.touch(0o640)  # as all that is beside it; what it writes ahead gets the same
        connection = sqlite3.connect(path, check_same_thread=False)
        try:
            for setting in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
                connection.execute(f"pragma {setting}")
            _check(connection)
            self._prepare(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _in_memory(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.execute("pragma foreign_keys = on")
        connection.executescript(self._schema)
        return connection

    def _prepare(self, connection: sqlite3.Connection, path: Path) -> None:
        (version,) = connection.execute("pragma user_version").fetchone()
        if version > self._version:
            raise StoreError(f"cannot open {path}: it has format {version}; expected at most {self._version}")
        if version == 0:
            connection.executescript(f"begin; {self._schema} pragma user_version = {self._version}; commit;")
            return
        for before in range(version, self._version):
            connection.executescript(f"begin; {self._upgrades[before]} pragma user_version = {before + 1}; commit;")


def copy_file(source: Path, destination: Path) -> int:
    """Copy a file of tables, also one that is open, if it is there; return the bytes written.

    Raises
    ------
    StoreError
        If it cannot be read, or the disk takes nothing.
    """
    if not source.exists():
        return 0
    with _told_as_store_error(f"copy {source}"), closing(sqlite3.connect(source)) as connection:
        destination.touch(0o640)
        connection.execute("vacuum into ?", (str(destination),))
    with destination.open("rb") as file:
        os.fsync(file.fileno())
    return destination.stat().st_size


def _check(connection: sqlite3.Connection) -> None:
    (answer,) = connection.execute("pragma quick_check(1)").fetchone()
    if answer != "ok":
        raise sqlite3.DatabaseError(answer)


@contextmanager
def _told_as_store_error(doing: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"cannot {doing}: {error}; expected a disk that takes and gives data") from error
