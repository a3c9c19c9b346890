"""The store of istatd: a directory for each counter, in it a file for each interval, each a ring of buckets.

**Names** are the directories: ``store/web/errors/10s`` is of ``web.errors``.

**Statistics** come over as they are: count, sum, minimum and maximum, and M2 from the sum of squares. That sum has the
24 bits of a ``float``, of which a large mean leaves nothing, so M2 is kept within what minimum, maximum and mean allow.
No last value is kept; the average stands for it.

**Kinds.** istatd's gauges are gauges. Its counters keep events per second of their finest interval; they become
counters of events again, a sample for each of those intervals. In the coarser files these include the silent ones.

**Time**: each moment is taken from the finest file that reaches back to it. Intervals nest, so a bucket of a coarser
file that a finer one knows the end of is taken whole, and every sample is there once. Trailing files (last week blended
with this one) hold no measurements and are passed over.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tallystick.exchange.foreign import Column, component, folders_below, joined
from tallystick.exchange.istatd_file import StatFile, read_file, recognised
from tallystick.exchange.registry import Watch, reader
from tallystick.model.deviations import least_m2, most_m2
from tallystick.model.errors import ForeignFileError
from tallystick.model.kind import Kind
from tallystick.model.tally import Spread, Tally
from tallystick.store.history import History

_DIVISION_NOISE = 1e-9
_FLOAT_NOISE = 1e-6


@dataclass(frozen=True, slots=True)
class _Level:
    """The slots of one interval; those of a counter are in events."""

    kind: Kind
    tally: Tally

    @property
    def first(self) -> int:
        """Beginning of its oldest slot, epoch seconds."""
        return int(self.tally.slot[0]) * self.tally.step_s

    def before(self, end_s: int) -> "_Level":
        """The slots that begin before a moment."""
        return self._rows(slice(0, self._position(end_s)))

    def since(self, start_s: int) -> "_Level":
        """The slots that do not begin before a moment."""
        return self._rows(slice(self._position(start_s), None))

    def _position(self, moment_s: int) -> int:
        return int(np.searchsorted(self.tally.slot * self.tally.step_s, moment_s))

    def _rows(self, rows: slice) -> "_Level":
        t = self.tally
        spread = None if t.spread is None else t.spread.take(rows)
        return _Level(self.kind, Tally(t.step_s, t.series[rows], t.slot[rows], t.last[rows], spread))


@reader("istatd")
def read(path: Path, watch: Watch) -> Iterator[History]:
    """What the counters of a store hold: a piece for each interval of each. Files of others are not looked at."""
    for folders, files in folders_below(path, watch):
        counter = [file for file in (_file(file, watch) for file in files) if file is not None]
        if counter:
            try:
                name = joined([component(folder) for folder in folders or (path.absolute().name,)])
                yield from histories(name, counter)
            except ValueError as cause:
                watch(f"cannot read {path.joinpath(*folders)}: {cause}")


def _file(path: Path, watch: Watch) -> StatFile | None:
    try:
        if not recognised(path):
            return None
        file = read_file(path)
        watch.came(path.stat().st_size)
    except (ForeignFileError, OSError) as cause:
        watch(str(cause))
        return None
    if file.damage:
        watch(f"cannot read all of {path}: {file.damage}; what is whole was read")
    return file


def histories(name: str, files: Sequence[StatFile]) -> Iterator[History]:
    """The pieces of one counter, finest interval first."""
    measured = sorted((file for file in files if not file.trailing), key=lambda file: file.interval_s)
    levels = [_level(file, measured[0].interval_s) for file in measured if len(file.buckets)]
    for level in _each_moment_once(levels):
        yield History([name], [level.kind], level.tally)


def _each_moment_once(levels: Sequence[_Level]) -> list[_Level]:
    """Cut levels, finest first, so that they follow each other in time."""
    if not levels:
        return []
    kept = [levels[0]]
    newest = levels[0].tally
    newest_end_s = (int(newest.slot[-1]) + 1) * newest.step_s
    for level in levels[1:]:
        covered_s = min(finer.first for finer in kept)
        older = level.before(covered_s)
        if not len(older.tally):
            continue
        end_s = (int(older.tally.slot[-1]) + 1) * older.tally.step_s
        if end_s > newest_end_s:  # not over yet, and perhaps behind the finer file
            older = older.before(end_s - older.tally.step_s)
        elif end_s > covered_s:
            kept = [finer.since(end_s) for finer in kept]
        kept = [one for one in (*kept, older) if len(one.tally)]
    return kept


def _level(file: StatFile, finest_s: int) -> _Level:
    b = file.buckets
    count, total, low, high, squares = (
        b[column].astype(np.float64) for column in ("count", "sum", "min", "max", "sum_sq")
    )
    if file.counter:
        # A rate of the finest interval, times its length, is the events in it.
        base_s = file.interval_s / file.fixed_count if file.fixed_count > 0 else finest_s
        base_s = file.interval_s if file.collated else base_s
        total, squares = _events(total * base_s, _DIVISION_NOISE), squares * base_s**2
        low, high = _events(low * base_s, _FLOAT_NOISE), _events(high * base_s, _FLOAT_NOISE)
        low = np.where(low * count > total, 0.0, low)  # an interval was silent
    mean = total / count
    low, high = np.minimum(low, mean), np.maximum(high, mean)
    low, high = np.where(count == 1.0, mean, low), np.where(count == 1.0, mean, high)
    spread = None
    if (count != 1.0).any():
        # The minimum of a coarser file of a counter knows nothing of silent intervals, the sum of squares does.
        lowest = np.minimum(low, 0.0) if file.counter and not file.collated else low
        least, most = least_m2(count, mean, low, high), most_m2(count, mean, lowest, high)
        spread = Spread(count, total, _m2(count, mean, squares, least, most), low, high)
    slot = b["time"].astype(np.int64) // file.interval_s
    tally = Tally(file.interval_s, np.zeros(len(b), np.int32), slot, mean, spread)
    return _Level(Kind.COUNTER if file.counter else Kind.GAUGE, tally)


def _m2(count: Column, mean: Column, squares: Column, least: Column, most: Column) -> Column:
    """Sum of squared deviations; where a difference of two large numbers is noise, the nearest that can be."""
    with np.errstate(over="ignore", invalid="ignore"):
        m2 = squares - count * mean**2
    return np.asarray(np.clip(np.where(np.isfinite(m2), m2, least), least, np.maximum(least, most)))


def _events(number: Column, noise: float) -> Column:
    """The whole number meant by one that a division left a little beside it."""
    whole = np.rint(number)
    return np.where(np.abs(number - whole) <= noise * np.abs(whole), whole, number)
