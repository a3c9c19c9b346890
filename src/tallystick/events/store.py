"""`EventStore`: events in one file of SQLite's, safe on disk before whoever tells one is answered.

Bounded by number and by size: the oldest go. A file that is damaged is set aside and named, and never stops the start.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tallystick.events.event import DATA_CHARS_MAX, TAG_CHARS_MAX, TAGS_MAX, TIME_S_MAX, WHAT_CHARS_MAX, Event
from tallystick.model.clock import Clock
from tallystick.sql import SqlFile, copy_file

FILE_NAME = "events.db"
"""In the directory of the store."""

_SCHEMA_VERSION = 2
_ONCE = """
create table event_once (
    once text primary key,
    event integer not null references event (id) on delete cascade
) strict, without rowid;
create index event_once_event on event_once (event);
"""
_SCHEMA = f"""
create table event (
    id integer primary key autoincrement,
    time_s integer not null,
    what text not null,
    tags text not null,
    data text not null,
    bytes integer not null
) strict;
create index event_time on event (time_s);
create table event_tag (
    tag text not null,
    event integer not null references event (id) on delete cascade,
    primary key (tag, event)
) strict, without rowid;
create index event_tag_event on event_tag (event);
{_ONCE}
"""
_SELECT = "select id, time_s, what, tags, data from event"
_ID_MAX = (1 << 63) - 1
"""SQLite's largest integer."""
_ROW_BYTES = 100
"""What an event takes beside its text, about."""

Answer = TypeVar("Answer")


class EventStore:
    """Keeps events; any thread may call.

    Parameters
    ----------
    path
        The file; None for events that are kept in memory only.
    clock
        For events that do not say when they happened.
    events_max, bytes_max
        How many are kept, and of how much text; beyond that the oldest are forgotten.

    Raises
    ------
    StoreError
        If the file cannot be opened, or a newer version wrote it.
    """

    def __init__(
        self, path: Path | None, clock: Clock, *, events_max: int = 100_000, bytes_max: int = 256 << 20
    ) -> None:
        self._clock = clock
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._file = SqlFile(path, _SCHEMA, _SCHEMA_VERSION, "events are missing", clock, {1: _ONCE})
        counting = "select count(*), total(bytes) from event"
        self._lock = threading.Lock()  # of the two numbers, which are those of the file
        self._count, self._bytes = self._file.run("read events", lambda events: events.execute(counting).fetchone())

    def add(
        self, what: str, tags: Sequence[str] = (), data: str = "", time_s: int | None = None, once: str = ""
    ) -> Event:
        """Keep an event; it is on disk when this returns. What is too long is cut off.

        Parameters
        ----------
        once
            A word of the sender's for this event: where one of that word is kept, that one is returned.

        Raises
        ------
        StoreError
            If the disk does not take it.
        """
        told = _within_limits(Event(0, int(self._clock.now()) if time_s is None else time_s, what, tuple(tags), data))

        def write(connection: sqlite3.Connection) -> Event:
            found = connection.execute(f"{_SELECT} where id = (select event from event_once where once = ?)", (once,))
            if (row := found.fetchone()) is not None:
                return _event(row)
            (kept,) = self._add(connection, [told])
            if once:  # unless it was forgotten at once, as the oldest of too many
                connection.execute("insert into event_once select ?, id from event where id = ?", (once, kept.id))
            return kept

        return self._run("keep an event", write)

    def add_all(self, events: Iterable[Event]) -> list[Event]:
        """Keep several at the cost of one; they are given ids.

        Raises
        ------
        StoreError
            If the disk does not take them; then none of them is kept.
        """
        told = [_within_limits(event) for event in events]

        return self._run("keep events", lambda connection: self._add(connection, told))

    def find(
        self,
        from_s: int | None = None,
        until_s: int | None = None,
        tags: Sequence[str] = (),
        *,
        any_tag: bool = False,
        limit: int | None = None,
    ) -> list[Event]:
        """The events of a range of time, in its order.

        Parameters
        ----------
        from_s, until_s
            Epoch seconds, both inclusive; None for no end.
        tags
            That they must have all of; none for events of any tags.
        any_tag
            Whether one of `tags` is enough.
        limit
            Only so many, the latest ones.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        where, asked = _selection(from_s or 0, TIME_S_MAX if until_s is None else until_s, tags, any_tag=any_tag)
        query = f"{_SELECT} where {where} order by time_s desc, id desc limit ?"
        asked.append(-1 if limit is None else limit)
        rows = self._run("read events", lambda connection: connection.execute(query, asked).fetchall())
        return [_event(row) for row in reversed(rows)]

    def moments(self, from_s: int, until_s: int, tags: Sequence[str]) -> NDArray[np.int64]:
        """Epoch seconds of the events from `from_s` up to before `until_s` that have all of `tags`, ascending.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        where, asked = _selection(from_s, until_s - 1, tags)
        query = f"select time_s from event where {where} order by time_s"
        rows = self._run("read events", lambda connection: connection.execute(query, asked).fetchall())
        return np.array([time_s for (time_s,) in rows], np.int64)

    def get(self, number: int) -> Event | None:
        """The event of an id, if it is still kept.

        Raises
        ------
        StoreError
            If the file cannot be read.
        """
        if number > _ID_MAX:
            return None
        query = f"{_SELECT} where id = ?"
        row = self._run("read events", lambda connection: connection.execute(query, (number,)).fetchone())
        return None if row is None else _event(row)

    def remove(self, number: int) -> bool:
        """Forget an event; whether it was there.

        Raises
        ------
        StoreError
            If the disk does not take that.
        """

        def write(connection: sqlite3.Connection) -> bool:
            found = connection.execute("delete from event where id = ? returning bytes", (number,)).fetchall()
            for (size,) in found:
                self._count, self._bytes = self._count - 1, self._bytes - size
            return bool(found)

        return number <= _ID_MAX and self._run("remove an event", write)

    def problems(self) -> list[str]:
        """What an operator should know."""
        return self._file.problems()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._count)

    def _run(self, doing: str, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self._lock:
            before = self._count, self._bytes
            try:
                return self._file.run(doing, work)
            except BaseException:
                self._count, self._bytes = before
                raise

    def _add(self, connection: sqlite3.Connection, told: Sequence[Event]) -> list[Event]:
        kept = [_insert(connection, event) for event in told]
        self._forget_oldest(connection, len(kept), sum(map(_size, kept)))
        return kept

    def _forget_oldest(self, connection: sqlite3.Connection, added: int, added_bytes: int) -> None:
        self._count, self._bytes = self._count + added, self._bytes + added_bytes
        while self._count > self._events_max or self._bytes > self._bytes_max:
            ((size,),) = connection.execute(
                "delete from event where id = (select id from event order by time_s, id limit 1) returning bytes"
            ).fetchall()
            self._count, self._bytes = self._count - 1, self._bytes - size


def copy_events(directory: Path, destination: Path) -> int:
    """Copy the events of a store, also one that is open, to another directory; return the bytes written.

    Raises
    ------
    StoreError
        If they cannot be read, or the disk takes nothing.
    """
    return copy_file(directory / FILE_NAME, destination / FILE_NAME)


def _selection(from_s: int, until_s: int, tags: Sequence[str], *, any_tag: bool = False) -> tuple[str, list[str | int]]:
    """A condition of events, both ends inclusive, and its values."""
    where, asked = "time_s between ? and ?", [from_s, until_s]
    wanted = list(dict.fromkeys(tags))
    if not wanted:
        return where, [*asked]
    marks = ",".join("?" * len(wanted))
    where += f" and id in (select event from event_tag where tag in ({marks}) group by event having count(*) >= ?)"
    return where, [*asked, *wanted, 1 if any_tag else len(wanted)]


def _insert(connection: sqlite3.Connection, event: Event) -> Event:
    columns = event.time_s, event.what, " ".join(event.tags), event.data, _size(event)
    cursor = connection.execute("insert into event (time_s, what, tags, data, bytes) values (?, ?, ?, ?, ?)", columns)
    number = cursor.lastrowid or 0
    connection.executemany("insert into event_tag values (?, ?)", [(tag, number) for tag in event.tags])
    return Event(number, event.time_s, event.what, event.tags, event.data)


def _within_limits(event: Event) -> Event:
    tags = tuple(dict.fromkeys(word[:TAG_CHARS_MAX] for tag in event.tags for word in _clean(tag).split()))
    return Event(
        0,
        min(max(event.time_s, 0), TIME_S_MAX),
        _clean(event.what)[:WHAT_CHARS_MAX],
        tags[:TAGS_MAX],
        _clean(event.data)[:DATA_CHARS_MAX],
    )


def _clean(text: str) -> str:
    """Text as the database can hold it: half a pair of surrogates is no character."""
    return text.encode("utf-8", "replace").decode()


def _size(event: Event) -> int:
    return _ROW_BYTES + sum(len(text.encode()) for text in (event.what, event.data, *event.tags))


def _event(row: tuple[int, int, str, str, str]) -> Event:
    number, time_s, what, tags, data = row
    return Event(number, time_s, what, tuple(tags.split()), data)
