"""Which names StatsD makes of a key, and of which statistic each is the value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum
from typing import Self

from tallystick.config import Statsd
from tallystick.kernels import order_statistics as share
from tallystick.model.kind import Kind
from tallystick.model.statistic import Statistic

Words = tuple[str, ...]
FORMS_MAX = 63
"""An id of a name made by StatsD has six bits for its form."""


class Idle(Enum):
    """What StatsD sends while nothing comes for a key."""

    NOTHING = "nothing"
    ZERO = "zero"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Plain:
    """A statistic of the slot, or that for each second of it."""

    statistic: Statistic
    per_second: bool = False


@dataclass(frozen=True, slots=True)
class SumSquares:
    """The sum of the squared samples."""


@dataclass(frozen=True, slots=True)
class Median:
    """The sample in the middle."""


@dataclass(frozen=True, slots=True)
class Share:
    """Something about the lowest (above zero) or highest (below zero) `percent` of the samples.

    Parameters
    ----------
    column
        Of `tallystick.kernels.order_statistics.shares`.
    """

    percent: float
    column: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The number of samples in ``[begin, end)``, for the keys that the histogram of this number is for."""

    begin: float
    end: float
    histogram: int


Value = Plain | SumSquares | Median | Share | Bin


@dataclass(frozen=True, slots=True)
class Form:
    """A name that StatsD makes of a key.

    Parameters
    ----------
    before, after
        The components around the key's own.
    kind
        Of the series that have it.
    value
        What its value is.
    joined
        How slots are joined where too many are asked for.
    idle
        What it is while nothing comes.
    """

    before: Words
    after: Words
    kind: Kind
    value: Value
    joined: Statistic
    idle: Idle = Idle.NOTHING

    def name_of(self, key: str) -> str:
        """The name made of a series' name; tags stay behind everything."""
        path, semicolon, tags = key.partition(";")
        return ".".join((*self.before, path, *self.after)) + semicolon + tags


@dataclass(frozen=True, slots=True)
class Bins:
    """A histogram of StatsD's config: upper bounds, ascending, for keys that hold `metric`."""

    metric: str
    bounds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """How StatsD is configured; the fields are its own keys.

    Parameters
    ----------
    percent_threshold
        Shares of a timer's samples, in percent; the highest ones where below zero.
    calculated_timer_metrics
        Only these statistics of timers (``count_percent`` and the like for those of shares); all if empty.
    delete_idle_stats
        Whether nothing is there while nothing comes for a key.
    idle_s
        Else for so long behind its last sample there are zeros, or a gauge's last value.
    """

    legacy_namespace: bool = True
    global_prefix: str = "stats"
    prefix_counter: str = "counters"
    prefix_timer: str = "timers"
    prefix_gauge: str = "gauges"
    prefix_set: str = "sets"
    global_suffix: str = ""
    flush_counts: bool = True
    percent_threshold: tuple[float, ...] = (90.0,)
    calculated_timer_metrics: Words = ()
    histogram: tuple[Bins, ...] = ()
    delete_idle_stats: bool = False
    idle_s: int = 86_400

    @classmethod
    def configured(cls, table: Statsd) -> Self:
        """As the config has it."""
        given = {field.name: getattr(table, field.name) for field in fields(cls)}
        return cls(**given | {"histogram": tuple(Bins(one.metric, one.bins) for one in table.histogram)})

    def forms(self) -> tuple[Form, ...]:
        """Every name that is made of a key.

        Raises
        ------
        ValueError
            If there are more than `FORMS_MAX`.
        """
        found = tuple(self._forms())
        if len(found) > FORMS_MAX:
            raise ValueError(
                f"cannot make {len(found)} names of a key: the limit is {FORMS_MAX}; "
                "expected fewer percentiles or bins of histograms"
            )
        return found

    def _forms(self) -> Iterator[Form]:
        behind = _words(self.global_suffix)
        rate, count = Plain(Statistic.SUM, per_second=True), Plain(Statistic.SUM)
        counters = self._branch("", self.prefix_counter)
        word_rate, word_count = ((), ()) if self.legacy_namespace else (("rate",), ("count",))
        yield Form(counters, word_rate + behind, Kind.COUNTER, rate, Statistic.AVG, Idle.ZERO)
        if self.flush_counts:
            counts = ("stats_counts",) if self.legacy_namespace else counters
            yield Form(counts, word_count + behind, Kind.COUNTER, count, Statistic.SUM, Idle.ZERO)
        level = Plain(Statistic.DEFAULT)
        gauges, sets = self._branch("gauges", self.prefix_gauge), self._branch("sets", self.prefix_set)
        if gauges or behind:  # else it is the name that the series has already
            yield Form(gauges, behind, Kind.GAUGE, level, Statistic.AVG, Idle.LAST)
        yield Form(sets, ("count", *behind), Kind.SET, level, Statistic.MAX, Idle.ZERO)
        timers = self._branch("timers", self.prefix_timer)
        for word, value, joined in self._timer_statistics():
            if self._calculated(word):
                idle = Idle.ZERO if word in ("count", "count_ps") else Idle.NOTHING
                yield Form(timers, (*word.split("."), *behind), Kind.TIMING, value, joined, idle)

    def _branch(self, legacy: str, prefix: str) -> Words:
        """Where the names of one kind are."""
        return _words(f"stats.{legacy}" if self.legacy_namespace else f"{self.global_prefix}.{prefix}")

    def _timer_statistics(self) -> Iterator[tuple[str, Value, Statistic]]:
        yield "std", Plain(Statistic.SDEV), Statistic.AVG
        yield "upper", Plain(Statistic.MAX), Statistic.MAX
        yield "lower", Plain(Statistic.MIN), Statistic.MIN
        yield "count", Plain(Statistic.COUNT), Statistic.SUM
        yield "count_ps", Plain(Statistic.COUNT, per_second=True), Statistic.AVG
        yield "sum", Plain(Statistic.SUM), Statistic.SUM
        yield "sum_squares", SumSquares(), Statistic.SUM
        yield "mean", Plain(Statistic.AVG), Statistic.AVG
        yield "median", Median(), Statistic.AVG
        for percent in dict.fromkeys(self.percent_threshold):
            word = f"{percent:g}".replace(".", "_").replace("-", "top")
            boundary = ("upper", Statistic.MAX) if percent > 0 else ("lower", Statistic.MIN)
            yield f"count_{word}", Share(percent, share.COUNT), Statistic.SUM
            yield f"mean_{word}", Share(percent, share.MEAN), Statistic.AVG
            yield f"{boundary[0]}_{word}", Share(percent, share.BOUNDARY), boundary[1]
            yield f"sum_{word}", Share(percent, share.SUM), Statistic.SUM
            yield f"sum_squares_{word}", Share(percent, share.SUM_SQUARES), Statistic.SUM
        for number, histogram in enumerate(self.histogram):
            begin = float("-inf")
            for bound in histogram.bounds:
                word = f"{bound:g}".replace(".", "_")
                yield f"histogram.bin_{word}", Bin(begin, bound, number), Statistic.SUM
                begin = bound

    def _calculated(self, word: str) -> bool:
        general = re.sub(r"_(top)?[\d_]+$", "_percent", word).partition(".")[0]
        return not self.calculated_timer_metrics or general in self.calculated_timer_metrics


def _words(text: str) -> Words:
    return tuple(word for word in text.split(".") if word)
