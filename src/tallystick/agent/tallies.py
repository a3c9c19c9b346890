"""`Tallies`: the samples of one host, folded into slots of ten seconds as they come.

A sample belongs to the slot of its own time where it brings one, else to that of its arrival. A slot is given away when
another one is the present one, whichever way the clock went: what comes for a slot that was given away opens it once
more, and the two merge on the server. So a clock that jumps costs nothing but a row.

Memory is bounded by the number of different names and slots that are open at a time. Samples of a name that finds no
room are refused and counted.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from sys import float_info

from tallystick.model.clock import Clock
from tallystick.model.kind import Kind
from tallystick.native import Slot
from tallystick.native.accumulate import Distinct, Histogram, Spread

SLOT_MS = 10_000
NAMES_MAX = 100_000
"""Different names in all open slots; one takes about 1 kB, a timing with many different values 10."""
_MOST = float_info.max


class Open:
    """What the samples of one series in one slot came to so far; whoever holds one holds the lock of its `Tallies`.

    Parameters
    ----------
    name, kind
        Of the series.

    Attributes
    ----------
    origin
        The protocol by which some of them came; see `tallystick.native.Name`.
    """

    __slots__ = ("distinct", "histogram", "kind", "moment_ms", "name", "origin", "spread")

    def __init__(self, name: str, kind: Kind) -> None:
        self.name = name
        self.kind = kind
        self.origin = ""
        self.moment_ms = 0
        self.spread = Spread()
        self.histogram = Histogram() if kind is Kind.TIMING else None
        self.distinct = Distinct() if kind is Kind.SET else None

    def add(self, value: float, weight: float = 1.0) -> None:
        """Add a sample, which is the latest; not of a set."""
        self.spread.add(value, weight)
        if self.histogram is not None:
            self.histogram.add(value, weight)

    def add_at(self, value: float, weight: float, moment_ms: int) -> None:
        """Add a sample of a given time: the latest by time, then by arrival, is the last."""
        last = self.spread.last
        self.add(value, weight)
        if moment_ms < self.moment_ms:
            self.spread.last = last
        else:
            self.moment_ms = moment_ms

    def add_all(self, values: Sequence[float], weight: float, moment_ms: int) -> None:
        """Add samples of one moment, not of a set, each of which stands for `weight` of them."""
        last = self.spread.last
        self.spread.add_all(values, weight)
        if self.histogram is not None:
            self.histogram.add_all(values, weight)
        if moment_ms < self.moment_ms:
            self.spread.last = last
        else:
            self.moment_ms = moment_ms

    def add_alike(self, value: float, weight: float, samples: int) -> None:
        """Add so many samples of one value and weight."""
        weight *= samples
        self.spread.merge(weight, weight * value, 0.0, value, value, value)
        if self.histogram is not None:
            self.histogram.add(value, weight)

    def merge(self, slot: Slot) -> None:
        """Add what others tallied.

        Raises
        ------
        ValueError
            If it has a sketch that is none; nothing of it is added then.
        """
        self.origin = slot.origin or self.origin
        if self.distinct is not None:
            self.distinct.merge(slot.sketch)
            return
        self.spread.merge(*(slot.spread or (1.0, slot.last, 0.0, slot.last, slot.last)), slot.last)
        if self.histogram is not None and (slot.buckets or slot.spread is not None):
            self.histogram.merge(slot.buckets)
        elif self.histogram is not None:
            self.histogram.add(slot.last)

    def is_empty(self) -> bool:
        """Whether nothing was added: what was to be merged was no good."""
        return self.distinct.count() == 0.0 if self.distinct is not None else self.spread.count == 0.0

    def slot(self, at_ms: int) -> Slot:
        """All of it, as it is sent."""
        if self.distinct is not None:
            sketch = self.distinct.sketch()
            return Slot(self.name, self.kind, at_ms, self.distinct.count(), sketch=sketch, origin=self.origin)
        spread = self.spread.statistics()
        buckets = self.histogram.buckets() if self.histogram is not None and spread is not None else ()
        return Slot(self.name, self.kind, at_ms, self.spread.last, spread, buckets, origin=self.origin)


class Tallies:
    """Samples by series and slot; any thread may add.

    Who reads from where reading can go on after a crash (a file, a sender that is answered) has `Tallies` of his own,
    and gives what `drain` gives away together with the position behind it, as one record.

    Parameters
    ----------
    clock
        Tells in which slot what arrives belongs.
    names_max
        So many series are open at a time, a series in two slots counting twice.
    """

    def __init__(self, clock: Clock, names_max: int = NAMES_MAX) -> None:
        self.lock = threading.RLock()
        """Held by whoever works with `Open` ones himself."""
        self.refused = 0
        """Samples for which there was no room, as a growing total."""
        self._clock = clock
        self._names_max = names_max
        self._slots: dict[int, dict[tuple[str, Kind], Open]] = {}
        self._n_open = 0
        self._levels: dict[str, float] = {}
        self._feeders: list[Callable[[int | None], object]] = []

    def count(self, name: str, by: float = 1.0, weight: float = 1.0, *, at_ms: int | None = None) -> None:
        """Count; the increment stands for `weight` of them."""
        self._add(name, Kind.COUNTER, by, weight, at_ms)

    def gauge(self, name: str, value: float, *, at_ms: int | None = None) -> None:
        """Set a level."""
        with self.lock:
            self.keep_level(name, value)
            self._add(name, Kind.GAUGE, value, 1.0, at_ms)

    def change(self, name: str, delta: float, *, at_ms: int | None = None) -> None:
        """Raise or lower a level, from what it was here when it was last told, or from 0."""
        with self.lock:
            self.gauge(name, self.changed(name, delta), at_ms=at_ms)

    def time(self, name: str, value: float, weight: float = 1.0, *, at_ms: int | None = None) -> None:
        """Add a sample of a distribution, which stands for `weight` of them."""
        self._add(name, Kind.TIMING, value, weight, at_ms)

    def cumulative(self, name: str, value: float, *, at_ms: int | None = None) -> None:
        """Tell how far a counter that only grows has come."""
        self._add(name, Kind.CUMULATIVE, value, 1.0, at_ms)

    def member(self, name: str, text: str | bytes, *, at_ms: int | None = None) -> None:
        """Add a member to a set."""
        with self.lock:
            opened = self.open(name, Kind.SET, at_ms)
            if opened is not None and opened.distinct is not None:
                opened.distinct.add(text if isinstance(text, bytes) else text.encode())

    def merge(self, slot: Slot) -> bool:
        """Add what others tallied; False if there was no room for it.

        Raises
        ------
        ValueError
            If it has a sketch that is none.
        """
        with self.lock:
            opened = self.open(slot.name, slot.kind, slot.at_ms)
            if opened is None:
                return False
            opened.merge(slot)
            if slot.kind is Kind.GAUGE:
                self.keep_level(slot.name, slot.last)
            return True

    def take(self, now_ms: int) -> list[Slot]:
        """The slots but the present one, each of which is given once; cheap where there are none."""
        present = now_ms // SLOT_MS
        with self.lock:
            self._feed(present)
            over = {number: self._slots.pop(number) for number in list(self._slots) if number != present}
            self._n_open -= sum(map(len, over.values()))
        return _slots_of(over)

    def drain(self) -> list[Slot]:
        """All slots, the present one as well: it goes on as another one, and the two merge."""
        with self.lock:
            self._feed(None)
            over, self._slots, self._n_open = self._slots, {}, 0
        return _slots_of(over)

    def has_room(self, series: int) -> bool:
        """Whether so many more find room; with nothing open all that there is has to do."""
        with self.lock:
            return not self._n_open or self._n_open + series <= self._names_max

    # For those who hold the lock.

    def open(self, name: str, kind: Kind, at_ms: int | None = None, samples: int = 1) -> Open | None:
        """Where the samples of a series in a slot go, by default the present one; None without room for them.

        Parameters
        ----------
        samples
            So many are refused if there is no room.
        """
        number = int(self._clock.now() * 1000.0 if at_ms is None else at_ms) // SLOT_MS
        slot = self._slots.get(number)
        key = name, kind
        opened = None if slot is None else slot.get(key)
        if opened is not None:
            return opened
        if self._n_open >= self._names_max:
            self.refused += samples
            return None
        self._n_open += 1
        opened = self._slots.setdefault(number, {})[key] = Open(name, kind)
        return opened

    def keep_level(self, name: str, value: float) -> None:
        """Remember what a gauge is, for changes; of too many, those that are known longest are forgotten."""
        levels = self._levels
        levels[name] = value
        if len(levels) > self._names_max:
            for oldest in list(islice(levels, max(1, self._names_max // 8))):
                del levels[oldest]

    def changed(self, name: str, delta: float) -> float:
        """What a gauge becomes by a change of what it was when it was last told, or of 0."""
        before = self._levels.get(name, 0.0)
        value = before + delta
        return value if -_MOST <= value <= _MOST else before  # a change that leaves the range of numbers is none

    def feed(self, feeder: Callable[[int | None], object]) -> None:
        """Have `feeder` called, under the lock, before slots are given away: it adds what it has kept back.

        It is given the number of the slot that is not given away, None where all are.
        """
        self._feeders.append(feeder)

    def _feed(self, present: int | None) -> None:
        for feeder in self._feeders:
            feeder(present)

    def _add(self, name: str, kind: Kind, value: float, weight: float, at_ms: int | None) -> None:
        with self.lock:
            opened = self.open(name, kind, at_ms)
            if opened is None:
                return
            if at_ms is None:
                opened.add(value, weight)
            else:
                opened.add_at(value, weight, at_ms)


def _slots_of(slots: Mapping[int, dict[tuple[str, Kind], Open]]) -> list[Slot]:
    """Slots to be sent of those that are given away, which are empty then: of each there is only one at a time."""
    found = []
    for number, slot in sorted(slots.items()):
        for key in list(slot):
            opened = slot.pop(key)
            if not opened.is_empty():
                found.append(opened.slot(number * SLOT_MS))
    return found
