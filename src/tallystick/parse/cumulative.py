"""Histograms of senders to tallies: of those that count since a sender began, what came since the report before.

OTLP and Prometheus report histograms that only grow. What such a report adds is its difference to the last one of the
same series and sender, which is remembered:

- **A first report** counts if its sender began after we started to look; else nobody knows how much of it is
  old, and it is rejected as `RESET`. So after a restart of the server one report of each series is only a beginning.
- **A sender that began anew** (it says so, or a bucket has fallen) has all that it reports counted.
- **A report that is not later** than the last one is rejected as `DUPLICATE`: what it counts is counted.
- **A change of scale** of exponential buckets loses nothing; other explicit bounds are like a first report.
- **A report of nothing new** holds no sample.
- **Memory** is bounded: beyond `SERIES_MAX` histograms those that were silent for an hour are forgotten, and where that
  makes no room, new ones are rejected as `SERIES_LIMIT`.

What is not told is reckoned from the middles of buckets (`tallystick.kernels.distributions`): the squared deviations
always, the extremes of what lies between two reports unless they moved. The last value is the average.
"""

import secrets

import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.distributions import (
    BEGUN,
    FULL,
    IDLE,
    PASSED,
    TAKEN,
    Remembered,
    Reports,
    Spreads,
    cells_needed,
    compact,
    spread_buckets,
    take_differences,
)
from tallystick.kernels.names import NameTable
from tallystick.kernels.packed import Names
from tallystick.kernels.words import PADDING
from tallystick.model.kind import Kind
from tallystick.model.reason import Reason
from tallystick.model.tally import Histograms, Spread, TallyBatch
from tallystick.parse.reports import room_for_reports

SERIES_MAX = 200_000
"""Histograms whose last report is remembered."""
BUCKETS_MAX = 50 * SERIES_MAX
"""Their buckets, together."""
NOTHING = 255
"""Instead of a `Reason`: a report of nothing new, which holds no sample."""

_SILENT_MS = 3_600_000
_FORGET_EVERY_MS = 60_000
_WRITER_BYTES = 8
_COLUMNS = Remembered._fields[:-3]  # those that have a row for each histogram
_REASONS = np.zeros(8, np.uint8)
_REASONS[BEGUN], _REASONS[PASSED], _REASONS[FULL] = Reason.RESET, Reason.DUPLICATE, Reason.SERIES_LIMIT
_REASONS[IDLE] = NOTHING


class Differences:
    """What was reported last of each histogram; belongs to one parser, or to several that take turns.

    Parameters
    ----------
    since_ms
        When we started to look: milliseconds since the epoch. Without it that is the first report.
    series_max, buckets_max
        How much is remembered.
    """

    def __init__(
        self, since_ms: int | None = None, *, series_max: int = SERIES_MAX, buckets_max: int = BUCKETS_MAX
    ) -> None:
        self.writer_key = np.frombuffer(secrets.token_bytes(16), np.uint64)
        """By which parsers make hashes of who reports: two uint64 that nobody else knows."""
        self._series_max = series_max
        self._buckets_max = buckets_max
        self._keys = NameTable(series_max)
        self._kept = _nothing(64, min(1024, buckets_max))
        self._heard_ms = np.zeros(64, np.int64)
        self._whole_since_ms = since_ms
        self._forgot_ms = 0

    @classmethod
    def prepare(cls) -> None:
        """Have all kernels compiled that are called here: see `tallystick.parse.ready`."""
        none, nothing = room_for_reports(0, 0, 0), np.empty(0, np.uint8)
        fresh = cls()
        fresh.tallies(none, NameTable(), 0)
        compact(fresh._kept, none.bucket, none.weight)
        _tallied(none, nothing, nothing)

    def __len__(self) -> int:
        """Histograms that are remembered."""
        return len(self._keys)

    def tallies(self, reports: Reports, names: NameTable, now_ms: int) -> tuple[TallyBatch | None, NDArray[np.uint8]]:
        """Tallies of the reports that count, in their order.

        Parameters
        ----------
        reports
            Are changed.
        names
            What their ids are entries of; the caller holds its lock.

        Returns
        -------
        batch, reasons
            The tallies, None if there are none, and for each report 0 if it is among them, else its `Reason`, or
            `NOTHING`.
        """
        if self._whole_since_ms is None:
            self._whole_since_ms = now_ms
        verdict, exact = np.empty(len(reports.ids), np.uint8), np.empty(len(reports.ids), np.uint8)
        entries = self._entries(reports, names, now_ms)
        take_differences(reports, entries, self._kept, self._whole_since_ms, verdict, exact)
        taken = verdict == TAKEN
        if not taken.any():
            return None, _REASONS[verdict]
        return _tallied(reports, verdict, exact), _REASONS[verdict]

    def _entries(self, reports: Reports, names: NameTable, now_ms: int) -> NDArray[np.int64]:
        """Where the last report of each is remembered: -1 for those that need no place, or find none."""
        entries = np.full(len(reports.ids), -1, np.int64)
        cumulative = np.flatnonzero(reports.cumulative)
        if not len(cumulative):
            return entries
        keys = _keys(names.packed(reports.ids[cumulative]), reports.writer[cumulative])
        found = self._keys.intern_packed(keys)
        self._grow(int(reports.offset[-1]))
        self._heard_ms[found[found >= 0]] = now_ms
        if (found < 0).any() and now_ms >= self._forgot_ms + _FORGET_EVERY_MS:
            self._forget(now_ms)
            found = self._keys.intern_packed(keys)
            self._grow(int(reports.offset[-1]))
            self._heard_ms[found[found >= 0]] = now_ms
        if int(self._kept.used[0]) + int(reports.offset[-1]) > len(self._kept.bucket):
            return entries  # all that may be remembered is
        entries[cumulative] = found
        return entries

    def _grow(self, buckets: int) -> None:
        """Make room for the keys that there are, and for so many more buckets, if that may be."""
        kept, count = self._kept, len(self._keys)
        if count > len(kept.begin):
            kept = _moved(kept, np.arange(len(kept.begin)), 2 * count)
            heard_ms = np.zeros(2 * count, np.int64)
            heard_ms[: len(self._heard_ms)] = self._heard_ms
            self._heard_ms = heard_ms
        used = int(kept.used[0])
        if used + buckets > len(kept.bucket):
            live = int(kept.length[kept.begin >= 0].sum())
            room = min(2 * (live + buckets), self._buckets_max)
            if live + buckets <= room:
                bucket, weight = np.empty(room, np.int32), np.empty(room)
                kept.used[0] = compact(kept, bucket, weight)
                kept = kept._replace(bucket=bucket, weight=weight)
        self._kept = kept

    def _forget(self, now_ms: int) -> None:
        """Forget the histograms that were silent for long."""
        lively = np.flatnonzero(self._heard_ms[: len(self._keys)] > now_ms - _SILENT_MS)
        keys = NameTable(self._series_max)
        keys.intern_packed(self._keys.packed(lively))
        if len(lively) < len(self._keys):  # what comes back was counted before
            self._whole_since_ms = now_ms
        self._keys, self._heard_ms = keys, self._heard_ms[lively]
        self._kept = _moved(self._kept, lively, len(lively))
        self._forgot_ms = now_ms


def _tallied(reports: Reports, verdict: NDArray[np.uint8], exact: NDArray[np.uint8]) -> TallyBatch:
    rows = np.flatnonzero(verdict == TAKEN)
    n, cells = len(rows), cells_needed(reports, verdict)
    out = Spreads(
        count=np.empty(n),
        sum=np.empty(n),
        m2=np.empty(n),
        min=np.empty(n),
        max=np.empty(n),
        offset=np.empty(n + 1, np.int64),
        bucket=np.empty(cells, np.int32),
        weight=np.empty(cells),
    )
    spread_buckets(reports, verdict, exact, out)
    used = int(out.offset[n])
    return TallyBatch(
        reports.ids[rows],
        reports.timestamp[rows],
        np.full(n, int(Kind.TIMING), np.uint8),
        out.sum / out.count,
        Spread(out.count, out.sum, out.m2, out.min, out.max),
        Histograms(out.offset, out.bucket[:used].copy(), out.weight[:used].copy()),
    )


def _keys(names: Names, writer: NDArray[np.uint64]) -> Names:
    """Each name with its writer behind it."""
    n = len(names)
    lengths = names.lengths
    offsets = np.zeros(n + 1, np.int64)
    np.cumsum(lengths + _WRITER_BYTES, out=offsets[1:])
    arena = np.zeros(int(offsets[-1]) + PADDING, np.uint8)
    shift = np.repeat(np.arange(n, dtype=np.int64) * _WRITER_BYTES, lengths)
    arena[np.arange(len(names.data)) + shift] = names.data
    ends = offsets[1:, None] - _WRITER_BYTES + np.arange(_WRITER_BYTES)
    arena[ends] = writer[:, None].view(np.uint8).reshape(n, _WRITER_BYTES)
    return Names(arena, offsets)


def _moved(kept: Remembered, entries: NDArray[np.intp], room: int) -> Remembered:
    """The rows of some entries, with room for others; they have the same buckets."""
    moved = _nothing(room, 0)
    for column, old in ((getattr(moved, name), getattr(kept, name)) for name in _COLUMNS):
        column[: len(entries)] = old[entries]
    return moved._replace(bucket=kept.bucket, weight=kept.weight, used=kept.used)


def _nothing(entries: int, buckets: int) -> Remembered:
    return Remembered(
        start=np.zeros(entries, np.int64),
        timestamp=np.zeros(entries, np.int64),
        scale=np.zeros(entries, np.int8),
        layout=np.zeros(entries, np.uint64),
        sum=np.zeros(entries),
        min=np.zeros(entries),
        max=np.zeros(entries),
        begin=np.full(entries, -1, np.int64),
        length=np.zeros(entries, np.int64),
        room=np.zeros(entries, np.int64),
        bucket=np.empty(buckets, np.int32),
        weight=np.empty(buckets),
        used=np.zeros(1, np.int64),
    )
