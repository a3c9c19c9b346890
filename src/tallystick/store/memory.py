"""`MemoryStore`: the plain model of a store, for tests and demonstrations.

It keeps every sample and computes each statistic when asked, so that it is obviously right and slow. Engines are
compared with it. Nothing expires, nothing is written to disk.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import lcm

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock, SystemClock
from tallystick.model.errors import ForgottenSeriesError, StoreError, TakenNameError
from tallystick.model.kind import Kind
from tallystick.model.name import canonical, is_canonical
from tallystick.model.numbered import Numbered
from tallystick.model.retention import DEFAULT_KEEP, AggregationRule, Retention, RetentionRule
from tallystick.model.sample import GAUGE_DELTA, SampleBatch
from tallystick.model.series import Part
from tallystick.model.statistic import STATISTICS, Statistic
from tallystick.model.tally import Tally, TallyBatch
from tallystick.store.history import History, Loaded, Overlap
from tallystick.store.loading.usable import usable_rows
from tallystick.store.memory_catalog import MemoryCatalog
from tallystick.store.plain import Piece, members_of, percentile_of, pieces_of, statistic_of, tallied_pieces, tally_of

_DEFAULT_RULES = (RetentionRule("*", Retention.parse(DEFAULT_KEEP)),)


@dataclass(slots=True)
class _Series:
    name: str
    kind: Kind
    retention: Retention
    coarse: Statistic
    level: float = 0.0
    slots: dict[int, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    loaded: dict[tuple[int, int], list[Piece]] = field(default_factory=lambda: defaultdict(list))
    """Imported slots, by step and number of the slots that they are kept in."""

    def between(self, start_s: int, end_s: int) -> list[Piece]:
        """The samples of all finest slots that begin in ``[start_s, end_s)``, and imported slots in it, by time."""
        step_s = self.retention.step_s
        slots = range(-(-start_s // step_s), -(-end_s // step_s))
        samples = [sample for slot in slots for sample in self.slots.get(slot, ())]
        for (step, slot), pieces in self.loaded.items():
            if start_s <= slot * step < end_s and (end_s - start_s) % step == 0:
                samples += pieces
        return sorted(samples)

    def columns(self, start_s: int, step_s: int, width: int) -> set[int]:
        """Which of `width` intervals of `step_s` seconds from `start_s` on may have samples."""
        begins = [slot * self.retention.step_s for slot in self.slots]
        begins += [slot * step for step, slot in self.loaded]
        return {column for begin_s in begins if 0 <= (column := (begin_s - start_s) // step_s) < width}

    def last_seen(self) -> int:
        """Start of the newest slot in epoch seconds, -1 if there is none."""
        finest = [slot * self.retention.step_s for slot in self.slots]
        return max([*finest, *(slot * step for step, slot in self.loaded)], default=-1)

    def keep_by(self, retention: Retention) -> None:
        """Have another retention from now on."""
        samples = [sample for pieces in self.slots.values() for sample in pieces]
        self.retention = retention
        self.slots.clear()
        for sample in samples:
            self.slots[sample.timestamp_ms // (1000 * retention.step_s)].append(sample)

    def has(self, step_s: int, slot: int) -> bool:
        """Whether a slot would be there twice."""
        start_s, end_s = slot * step_s, (slot + 1) * step_s
        coarser = ((step, start_s // step) for step, _ in self.loaded if step > step_s)
        return bool(self.between(start_s, end_s)) or any(place in self.loaded for place in coarser)


class MemoryStore:
    """A store in dictionaries; keeps `tallystick.store.contract.Store`.

    Parameters
    ----------
    rules
        How long names are kept; the first that matches counts.
    clock
        By which what is read is old, and imported slots are old or lie ahead.
    future_limit_s
        Imported slots that begin further ahead are not taken.
    aggregation
        What gauges are in coarse slots; the first that matches a name counts.
    """

    def __init__(
        self,
        rules: Sequence[RetentionRule] = _DEFAULT_RULES,
        clock: Clock | None = None,
        future_limit_s: int = 600,
        aggregation: Sequence[AggregationRule] = (),
    ) -> None:
        self._rules = rules
        self._aggregation = aggregation
        self._clock = clock or SystemClock()
        self._future_limit_s = future_limit_s
        self._series: dict[int, _Series] = {}
        self._ids: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._calls: list[Callable[[NDArray[np.int32]], None]] = []
        self._next_id = 0
        self._arrivals = 0
        self._batches = 0
        self._lock = threading.RLock()

    @property
    def catalog(self) -> "MemoryCatalog":
        with self._lock:
            return MemoryCatalog({series: (one.name, one.kind) for series, one in self._series.items()})

    def create(self, names: Sequence[str], kinds: Sequence[Kind] | NDArray[np.uint8]) -> NDArray[np.int32]:
        with self._lock:
            return np.array([self._create(*one) for one in zip(names, kinds, strict=True)], np.int32)

    def follow(self, rules: Sequence[RetentionRule]) -> None:
        """Keep all series by other rules from now on."""
        with self._lock:
            self._rules = rules
            for series in self._series.values():
                series.retention = self._retention_of(series.name)
                samples = [sample for slot in series.slots.values() for sample in slot]
                series.slots.clear()
                for sample in samples:
                    series.slots[sample.timestamp_ms // (1000 * series.retention.step_s)].append(sample)

    def _create(self, name: str, kind: Kind) -> int:
        if canonical(name) != name:
            raise ValueError(f"cannot create series {name!r}: its tags are not in order; expected {canonical(name)!r}")
        if name not in self._ids:
            self._ids[name] = self._next_id
            self._series[self._next_id] = _Series(name, Kind(kind), self._retention_of(name), self._coarse_of(name))
            self._next_id += 1
        series = self._ids[name]
        return series if self._series[series].kind == kind else -1

    def _retention_of(self, name: str) -> Retention:
        return next((r.retention for r in self._rules if r.matches(name)), Retention.parse(DEFAULT_KEEP))

    def _coarse_of(self, name: str) -> Statistic:
        return next((rule.statistic for rule in self._aggregation if rule.matches(name)), Statistic.AVG)

    def append(self, batch: SampleBatch, tallies: TallyBatch | None = None, numbered: Numbered | None = None) -> int:
        tallies = TallyBatch.empty() if tallies is None else tallies
        if not (len(batch) or len(tallies) or numbered):
            raise StoreError("cannot append an empty batch")
        with self._lock:
            dead = sorted({*batch.ids.tolist(), *tallies.ids.tolist()} - self._series.keys())
            if dead:
                raise ForgottenSeriesError(dead)
            columns = (batch.ids, batch.timestamp, batch.value, batch.weight, batch.kind)
            for row in zip(*(column.tolist() for column in columns), strict=True):
                self._take(*row)
            for series_id, piece in zip(tallies.ids.tolist(), tallied_pieces(tallies), strict=True):
                self._take_tallied(self._series[series_id], piece)
            if numbered:
                self._numbers[numbered.sender] = max(numbered.number, self.last_number(numbered.sender))
            self._batches += 1
            return self._batches

    def last_number(self, sender: str) -> int:
        return self._numbers.get(sender, 0)

    def _take_tallied(self, series: _Series, piece: Piece) -> None:
        series.level = piece.value
        self._arrivals += 1
        slot = series.slots[piece.timestamp_ms // (1000 * series.retention.step_s)]
        # It is the last of what came so far, whenever in the slot that was.
        begin_ms = piece.timestamp_ms // (1000 * series.retention.step_s) * 1000 * series.retention.step_s
        latest_ms = max([begin_ms, *(earlier.timestamp_ms for earlier in slot)])
        slot.append(replace(piece, timestamp_ms=latest_ms, arrival=self._arrivals))

    def _take(self, series_id: int, timestamp_ms: int, value: float, weight: float, kind: int) -> None:
        series = self._series[series_id]
        if kind & GAUGE_DELTA:
            value += series.level
        series.level = value
        self._arrivals += 1
        slot = timestamp_ms // (1000 * series.retention.step_s)
        series.slots[slot].append(Piece.sample(timestamp_ms, self._arrivals, value, weight))

    def load(self, history: History, overlap: Overlap = Overlap.SKIP) -> Loaded:
        with self._lock:
            loaded, taken = Loaded(), list[tuple[_Series, tuple[int, int], Piece]]()
            usable = usable_rows(history).tolist()
            for number, piece in enumerate(pieces_of(history.tally, 0)):
                position = int(history.tally.series[number])
                outcome, row = self._place(history, position, piece, overlap, usable=usable[number])
                loaded += outcome
                taken += row
            for series, place, piece in taken:  # at the end: slots of one history do not shut each other out
                self._arrivals += 1
                step_s, slot = place
                # Of what is kept in one slot the last to arrive is the last: times within a slot are not kept.
                kept = replace(piece, timestamp_ms=1000 * slot * step_s, arrival=self._arrivals)
                series.loaded[place].append(kept)
            return loaded

    def _place(
        self, history: History, position: int, piece: Piece, overlap: Overlap, *, usable: bool
    ) -> tuple[Loaded, list[tuple[_Series, tuple[int, int], Piece]]]:
        """What becomes of an imported slot; if it is taken, its series, step and number."""
        name, step_s = history.names[position], history.tally.step_s
        start_s = piece.timestamp_ms // 1000
        age_s = int(self._clock.now()) - start_s - step_s
        oldest_s = max(rule.retention.keep_s for rule in self._rules)
        if age_s > oldest_s or -age_s - step_s > self._future_limit_s:
            return Loaded(out_of_time=1), []
        if not (is_canonical(name) and usable):
            return Loaded(refused=1), []
        series_id = self._create(name, history.kinds[position])
        if series_id < 0:
            return Loaded(refused=1), []
        series = self._series[series_id]
        kept = [r.step_s for r in series.retention.resolutions if r.keep_s >= age_s]
        if not kept:
            return Loaded(out_of_time=1), []
        step = next((s for s in kept if s % step_s == 0), next((s for s in kept if s >= step_s), kept[-1]))
        if overlap is Overlap.SKIP and series.has(step, start_s // step):
            return Loaded(present=1), []
        return Loaded(taken=1), [(series, (step, start_s // step), piece)]

    def delete(self, ids: NDArray[np.int32]) -> None:
        with self._lock:
            gone = [series for series in dict.fromkeys(ids.tolist()) if series in self._series]
            for series in gone:
                del self._ids[self._series.pop(series).name]
        self._tell(gone)

    def rename(self, series: int, name: str) -> None:
        with self._lock:
            if series not in self._series:
                raise StoreError(f"cannot rename series {series}: there is none; expected the id of a series")
            old = self._series[series].name
            if name in self._ids:
                raise TakenNameError(
                    f"cannot rename {old!r} to {name!r}: there is a series of that name; expected a new one"
                )
            self._ids[name] = self._ids.pop(old)
            self._series[series].name = name
            self._series[series].keep_by(self._retention_of(name))
            self._series[series].coarse = self._coarse_of(name)
        self._tell([series])

    def when_forgotten(self, call: Callable[[NDArray[np.int32]], None]) -> None:
        self._calls.append(call)

    def _tell(self, ids: list[int]) -> None:
        for call in self._calls if ids else ():
            call(np.array(ids, np.int32))

    def last_seen(self, ids: NDArray[np.int32]) -> NDArray[np.int64]:
        with self._lock:
            found = [self._series.get(series) for series in ids.tolist()]
            return np.array([-1 if one is None else one.last_seen() for one in found], np.int64)

    def durable(self, ticket: int) -> bool:
        """Memory is as durable as this store gets."""
        return ticket <= self._batches

    def when_durable(self, ticket: int, call: Callable[[], None]) -> None:
        if not self.durable(ticket):
            raise ValueError(f"cannot wait for ticket {ticket}: expected one that append() returned")
        call()

    def retention(self, series: int) -> Retention:
        return self._series[series].retention

    def defaults(self, ids: NDArray[np.int32], step_s: int) -> NDArray[np.uint8]:
        return np.array([STATISTICS.index(_default(self._series[i], step_s)) for i in ids.tolist()], np.uint8)

    def steps(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> NDArray[np.int64]:
        age_s = self._clock.now() - start_s
        return np.array([self._series[i].retention.covering(age_s).step_s for i in ids.tolist()], np.int64)

    def parts(self, ids: NDArray[np.int32], start_s: int, until_s: int) -> list[Part]:
        kept = [self._series[i].retention for i in ids.tolist()]
        found: list[Part] = []
        at_s = start_s
        while at_s < until_s:
            step_s = lcm(*(retention.covering(self._clock.now() - at_s).step_s for retention in kept))
            keep_s = min(max(r.keep_s for r in one.resolutions if step_s % r.step_s == 0) for one in kept)
            slot = Part(at_s // step_s * step_s, at_s // step_s * step_s + step_s, step_s, keep_s)
            if found and found[-1].step_s == step_s:
                slot = replace(found.pop(), until_s=slot.until_s)
            found.append(slot)
            at_s = slot.until_s
        return found

    def read(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        statistics: Sequence[Statistic] = (Statistic.DEFAULT,),
    ) -> dict[Statistic, NDArray[np.float64]]:
        def value(statistic: Statistic) -> Callable[[_Series, list[Piece]], float]:
            return lambda series, samples: _statistic(series, samples, statistic, step_s)

        return {one: self._matrix(ids, start_s, until_s, step_s, value(one)) for one in statistics}

    def percentiles(
        self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int, ranks: Sequence[float]
    ) -> dict[float, NDArray[np.float64]]:
        def value(rank: float) -> Callable[[_Series, list[Piece]], float]:
            return lambda series, samples: percentile_of(samples, rank) if series.kind == Kind.TIMING else float("nan")

        return {rank: self._matrix(ids, start_s, until_s, step_s, value(rank)) for rank in ranks}

    def tally(self, ids: NDArray[np.int32], start_s: int, until_s: int, step_s: int) -> Tally:
        with self._lock:
            series = [self._series.get(one) for one in ids.tolist()]
            slots = range(start_s // step_s, until_s // step_s)
            places = [
                (row, slot, pieces)
                for row, one in enumerate(series)
                for slot in slots
                if one is not None and (pieces := one.between(slot * step_s, (slot + 1) * step_s))
            ]
            timings = [one is not None and one.kind == Kind.TIMING for one in series]
        return tally_of(places, timings, step_s)

    def _matrix(
        self,
        ids: NDArray[np.int32],
        start_s: int,
        until_s: int,
        step_s: int,
        value: Callable[[_Series, list[Piece]], float],
    ) -> NDArray[np.float64]:
        matrix = np.full((len(ids), (until_s - start_s) // step_s), np.nan)
        with self._lock:
            for row, series_id in enumerate(ids.tolist()):
                series = self._series.get(series_id)
                if series is None:
                    continue
                for column in series.columns(start_s, step_s, matrix.shape[1]):
                    begin_s = start_s + column * step_s
                    samples = series.between(begin_s, begin_s + step_s)
                    if samples:
                        matrix[row, column] = value(series, samples)
        return matrix


def _statistic(series: _Series, samples: list[Piece], statistic: Statistic, step_s: int) -> float:
    """A statistic of samples that are ordered by time and arrival."""
    if series.kind == Kind.SET and statistic in (Statistic.DEFAULT, Statistic.LAST):
        return members_of(samples)
    return statistic_of(samples, _default(series, step_s) if statistic is Statistic.DEFAULT else statistic)


def _default(series: _Series, step_s: int) -> Statistic:
    match series.kind:
        case Kind.GAUGE:
            return Statistic.LAST if step_s == series.retention.step_s else series.coarse
        case Kind.COUNTER:
            return Statistic.SUM
        case Kind.TIMING:
            return Statistic.AVG
        case _:
            return Statistic.LAST
