"""`Taps`: showing live what arrives for names that a glob matches; nothing is done while nobody looks.

A tap keeps a bounded number of samples until its reader fetches them. What does not fit, and what a burst holds beyond
`_ROWS_AT_ONCE` rows of a batch, is skipped and counted: whoever looks must not slow those who send.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.names import NameArrays
from tallystick.ledger import Account
from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.route import shown_text
from tallystick.store.names.glob import split

KEPT_MAX = 1000
"""Samples that wait for their reader."""
TAPS_MAX = 16
_NAMES_KNOWN_MAX = 100_000
_ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A sample on its way.

    Parameters
    ----------
    time_s
        Its own time, epoch seconds.
    weight
        How many samples of the sender it stands for.
    """

    time_s: float
    name: str
    value: float
    weight: float
    kind: str
    source: str
    peer: str


class Tap:
    """Samples of the names that a glob matches, as they were sent; thread-safe.

    Parameters
    ----------
    pattern
        As queries have it: ``*`` stays within a component.
    source
        Only what comes by this source; empty for all.

    Raises
    ------
    QueryError
        If the glob cannot be read.
    """

    def __init__(self, pattern: str, source: str = "") -> None:
        self._globs = split(pattern)
        self._source = source
        self._lock = threading.Lock()
        self._kept: deque[Seen] = deque()
        self._skipped = 0
        self._matches: dict[str, bool] = {}
        self.wake: Callable[[], None] = lambda: None
        """Called, from any thread, when there is something to fetch."""

    def fetch(self) -> tuple[list[Seen], int]:
        """What came since the last time, and how many more were skipped."""
        with self._lock:
            kept, skipped = list(self._kept), self._skipped
            self._kept.clear()
            self._skipped = 0
        return kept, skipped

    def offer(self, batch: SampleBatch, entries: NDArray[np.int32], names: dict[int, str], account: Account) -> None:
        """Keep what matches of a batch.

        Parameters
        ----------
        names
            The name of each entry in the batch.
        """
        if self._source and self._source != account.source:
            return
        wanted = [entry for entry, name in names.items() if self._is_wanted(name)]
        rows = np.flatnonzero(np.isin(entries, np.array(wanted, np.int32))) if wanted else np.empty(0, np.int64)
        if not len(rows):
            return
        taken = rows[:_ROWS_AT_ONCE]
        kinds = (batch.kind[taken] & np.uint8(~GAUGE_DELTA & 0xFF)).tolist()
        columns = zip(
            batch.timestamp[taken].tolist(),
            entries[taken].tolist(),
            batch.value[taken].tolist(),
            batch.weight[taken].tolist(),
            kinds,
            strict=True,
        )
        with self._lock:
            self._skipped += len(rows) - len(taken)
            for time_ms, entry, value, weight, kind in columns:
                if len(self._kept) == KEPT_MAX:
                    self._kept.popleft()
                    self._skipped += 1
                word = Kind(kind).name.lower()
                self._kept.append(Seen(time_ms / 1000, names[entry], value, weight, word, account.source, account.peer))
        self.wake()

    def _is_wanted(self, name: str) -> bool:
        found = self._matches.get(name)
        if found is None:
            if len(self._matches) >= _NAMES_KNOWN_MAX:
                self._matches.clear()
            found = self._matches[name] = self._matches_glob(name)
        return found

    def _matches_glob(self, name: str) -> bool:
        path, tags = name.partition(";")[::2]
        components = path.split(".")
        components[-1] += f";{tags}" if tags else ""
        return any(
            len(globs) == len(components)
            and all(glob.matches([one])[0] for glob, one in zip(globs, components, strict=True))
            for globs in self._globs
        )


class Taps:
    """All who look; false while nobody does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taps: tuple[Tap, ...] = ()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._taps)

    def open(self, tap: Tap) -> bool:
        """Have a tap look until `close`; False if too many look already."""
        with self._lock:
            if len(self._taps) >= TAPS_MAX:
                return False
            self._taps = (*self._taps, tap)
            return True

    def close(self, tap: Tap) -> None:
        """Let a tap look no more."""
        with self._lock:
            self._taps = tuple(one for one in self._taps if one is not tap)

    def offer(self, batch: SampleBatch, arrays: NameArrays, entries: NDArray[np.int32], account: Account) -> None:
        """Show a batch that was stored to whoever looks."""
        unique = np.unique(entries)
        names = dict(zip(unique.tolist(), map(shown_text, arrays.packed(unique).texts()), strict=True))
        for tap in self._taps:
            tap.offer(batch, entries, names, account)
