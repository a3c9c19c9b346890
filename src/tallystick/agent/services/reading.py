"""From what a service answers to points: a table of metrics, their numbers, and rates of those that grow.

A service counts since it began. Its counters become rates by the difference of two looks; those of a service that was
started anew between them are left out, which is told by its *run* (a process id, a start time, a random id), even if
they have grown beyond what they were.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.tells import Tells, unit_of
from tallystick.model.point import Point

_NUMBER = re.compile(r"-?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,3})?", re.ASCII)


class Metric(NamedTuple):
    """One line of a collector's table: what is taken from an answer, and what it means.

    Parameters
    ----------
    name
        Below that of the collector, with what varies in angle brackets: ``database.<database>.commits``.
    source
        What the service calls it.
    meaning
        One line for the guide.
    rate
        Whether the service counts it since it began: then it is told per second.
    scale
        What the service's number is multiplied by, to have the unit that the name says.
    """

    name: str
    source: str
    meaning: str
    rate: bool = False
    scale: float = 1.0

    @property
    def unit(self) -> str:
        """What the name says, or that it has none; of what is called by others, nothing."""
        return "" if self.name.endswith(">") else unit_of(self.name, per_second=self.rate) or "1"


class Ratio(NamedTuple):
    """What a part of a whole was between two looks, as the share of hits in all reads.

    Parameters
    ----------
    name
        As that of a `Metric`.
    part, whole
        Names of metrics whose rates are summed above and below the line; one that begins with ``_`` is for this only.
    meaning
        One line for the guide.
    scale
        100 makes percent.
    """

    name: str
    part: tuple[str, ...]
    whole: tuple[str, ...]
    meaning: str
    scale: float = 100.0

    @property
    def unit(self) -> str:
        """What the name says."""
        return unit_of(self.name) or "1"


class Reading:
    """Numbers of one look.

    Parameters
    ----------
    run
        Differs from that of the look before if the service was started anew.
    """

    def __init__(self, run: str = "") -> None:
        self.run = run
        self.levels: dict[str, float] = {}
        self.counters: dict[str, dict[str, float]] = {}
        """By thing (what the names begin with) and by whole name: if one of a thing's was reset, none has a rate."""

    def take(self, metrics: Sequence[Metric], fields: Mapping[str, str], under: str = "") -> None:
        """Take what `fields` have of the metrics.

        Parameters
        ----------
        fields
            The service's words, by its names for them; what is no number, or negative (as services say that there is
            none), is left out.
        under
            What the names begin with, in place of what stands in angle brackets.
        """
        for metric in metrics:
            value = number(fields.get(metric.source, ""))
            if value is None or value < 0:
                continue
            name = metric.name if not under else f"{under}.{metric.name.rpartition('>.')[2]}"
            if metric.rate:
                self.count(name, value * metric.scale, under)
            else:
                self.levels[name] = scaled(value, metric.scale)

    def count(self, name: str, total: float, thing: str = "") -> None:
        """Take what has been counted since the service began."""
        self.counters.setdefault(thing, {})[name] = total


class Looks:
    """Makes points of the readings of one service; remembers its counters from one look to the next.

    Parameters
    ----------
    tells
        What it may tell; its ratios are made of the rates of each thing for which there are all.
    """

    def __init__(self, tells: Iterable[Tells] = ()) -> None:
        self._ratios = [one for one in tells if isinstance(one, Ratio)]
        self._run = ""
        self._rates = Rates()

    def points(self, reading: Reading, monotonic_s: float) -> Iterator[Point]:
        """Levels as they are and growth per second; the first look has levels only."""
        for name, value in reading.levels.items():
            yield Point(name, value)
        if reading.run != self._run:
            self._run, self._rates = reading.run, Rates()
        for thing, rates in self._rates.since_last(reading.counters, monotonic_s).items():
            for name, rate in rates.items():
                if not name.rpartition(".")[2].startswith("_"):
                    yield Point(name, rate, unit=unit_of(name, per_second=True))
            yield from self._shares(thing, rates)

    def forget(self) -> None:
        """Make no rates of what was seen before: for services whose runs cannot be told apart, when one was away."""
        self._rates = Rates()

    def _shares(self, thing: str, rates: Mapping[str, float]) -> Iterator[Point]:
        for ratio in self._ratios:
            part, whole = _sum(ratio.part, thing, rates), _sum(ratio.whole, thing, rates)
            if part is not None and whole:
                yield Point(_under(thing, ratio.name), round(ratio.scale * part / whole, 3))


def number(text: str) -> float | None:
    """A decimal number, None if `text` is none."""
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def scaled(value: float, scale: float) -> float:
    """`value` times `scale`, without the noise of the multiplication."""
    return value if scale == 1 else round(value * scale, 6)


def _sum(names: Sequence[str], thing: str, rates: Mapping[str, float]) -> float | None:
    found = [rates.get(_under(thing, name)) for name in names]
    return None if None in found else sum(rate for rate in found if rate is not None)


def _under(thing: str, name: str) -> str:
    return f"{thing}.{name.rpartition('>.')[2]}" if thing else name
