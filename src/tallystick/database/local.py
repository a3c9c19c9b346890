"""`LocalDatabase`: a store in a directory, read by this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tallystick.database.database import Database
from tallystick.database.result import Result
from tallystick.model.clock import Clock, SystemClock
from tallystick.model.errors import QueryError, StoreError
from tallystick.model.series import Part, Series
from tallystick.query import Evaluator, QueryLimits, Request, parse_time, time_zone
from tallystick.query.known import known_parts, known_series
from tallystick.query.table import parse_wanted, read_table
from tallystick.store.contract import StoreReader
from tallystick.store.view import StoreView


def open_directory(directory: str | os.PathLike[str], limits: QueryLimits | None) -> LocalDatabase:
    """The store in a directory.

    Raises
    ------
    StoreError
        If there is none, or it cannot be read.
    """
    try:
        view = StoreView(Path(directory))
    except OSError as error:
        raise StoreError(
            f"cannot open store {os.fspath(directory)}: {error.strerror}; expected a store's directory that may be read"
        ) from error
    return LocalDatabase(view, str(view.path), limits, refresh=view.refresh)


class LocalDatabase(Database):
    """A store of this process.

    Parameters
    ----------
    store
        Read only.
    place
        What is shown of it.
    refresh
        Looks at the store as it is now.
    """

    def __init__(
        self,
        store: StoreReader,
        place: str,
        limits: QueryLimits | None = None,
        clock: Clock | None = None,
        refresh: Callable[[], object] = lambda: None,
    ) -> None:
        self._opened: StoreReader | None = store
        self._place = place
        self._limits = limits or QueryLimits()
        self._clock = clock or SystemClock()
        self._refresh = refresh

    @property
    def _store(self) -> StoreReader:
        if self._opened is None:
            raise StoreError(f"cannot read the store in {self._place}: it was closed; expected to open it again")
        return self._opened

    def find(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[str]:
        catalog = self._store.catalog
        if tags:
            return catalog.names(catalog.tagged(list(tags)))
        if not pattern:
            return sorted(catalog.names(catalog.ids()))
        return catalog.names(catalog.find(pattern))

    def browse(self, pattern: str = "*") -> list[str]:
        return self._store.catalog.paths(pattern)

    def search(self, words: str, limit: int = 50) -> list[str]:
        return self._store.catalog.search(words, limit)

    def series(self, pattern: str = "", *, tags: Sequence[str] = ()) -> list[Series]:
        return known_series(self._store, pattern, list(tags), self._limits.series_max)

    def refresh(self) -> None:
        if self._store is not None:
            self._refresh()

    def close(self) -> None:
        self._opened = None
        self._refresh = lambda: None  # it holds the files, too

    def __repr__(self) -> str:
        return f"<Database in {self._place}>"

    def _query(
        self,
        targets: list[str],
        start: str,
        until: str,
        step_s: int | None,
        slots_max: int | None,
        statistics: list[str],
        zone: str,
    ) -> Result:
        from_s, until_s, now_s = self._range(start, until, zone)
        asked = Request(from_s, until_s, now_s, time_zone(zone), slots_max, step_s=step_s)
        evaluator = Evaluator(self._store, self._clock, self._limits)
        table = read_table(evaluator, targets, asked, parse_wanted(statistics))
        return Result(
            tuple(row.name for row in table.rows),
            tuple(row.tags for row in table.rows),
            tuple(origin.kind.name.lower() if origin else None for origin in table.origins),
            tuple(origin.kept_s if origin else None for origin in table.origins),
            table.start_s,
            table.step_s,
            table.columns,
        )

    def _parts(self, pattern: str, tags: list[str], start: str, until: str, zone: str) -> list[Part]:
        from_s, until_s, _ = self._range(start, until, zone)
        return known_parts(self._store, pattern, tags, from_s, until_s, self._limits.series_max)

    def _range(self, start: str, until: str, zone: str) -> tuple[int, int, int]:
        """Epoch seconds of both ends and of the present."""
        place, now_s = time_zone(zone), int(self._clock.now())
        from_s, until_s = sorted((parse_time(start, now_s, place), parse_time(until, now_s, place)))
        if from_s == until_s:
            raise QueryError(f"cannot read from {start!r} until {until!r}: the range is empty; expected a longer one")
        return from_s, until_s, now_s
