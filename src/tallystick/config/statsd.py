"""The table ``[statsd]``: the names that StatsD emits, as its own config words them."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from tallystick.config.table import Conflict, Table, key

_TIMER_NAMES_MAX = 50


def _percents(shares: tuple[float, ...]) -> None:
    for share in shares:
        if not 0 < abs(share) <= 100:
            raise ValueError(f"{share:g} is no percentile; expected one up to 100, or below 0 from the top")


def _ascending(bounds: tuple[float, ...]) -> None:
    if any(not low < high for low, high in pairwise(bounds)):
        raise ValueError(f"{list(bounds)} do not ascend; expected each bound above the one before")


class Histogram(Table, frozen=True):
    """Bins of the timers whose name holds a word."""

    metric: Annotated[str, key("A part of the timers' names; empty for all.")]
    bins: Annotated[tuple[float, ...], key("Upper bounds, ascending; inf for no bound.", _ascending, min_length=1)]


class Statsd(Table, frozen=True):
    """By which names series that came by StatsD can be read beside their own; keys are those of StatsD's config."""

    names: Annotated[bool, key("Whether stats.timers.KEY.upper_90 and the like can be read.")] = True
    legacy_namespace: Annotated[
        bool, key("stats.KEY and stats_counts.KEY for counters; else stats.counters.KEY.rate and .count.")
    ] = True
    global_prefix: Annotated[str, key("First word of names; without the legacy namespace only.")] = "stats"
    prefix_counter: Annotated[str, key("Second word of counters' names; likewise.")] = "counters"
    prefix_timer: Annotated[str, key("Of timers.")] = "timers"
    prefix_gauge: Annotated[str, key("Of gauges.")] = "gauges"
    prefix_set: Annotated[str, key("Of sets.")] = "sets"
    global_suffix: Annotated[str, key("Last word of names.")] = ""
    flush_counts: Annotated[bool, key("Whether counters have counts beside rates.")] = True
    percent_threshold: Annotated[
        tuple[float, ...], key("Percentiles of timers; -10 for the ten percent at the top.", _percents, max_length=8)
    ] = (90,)
    calculated_timer_metrics: Annotated[
        tuple[str, ...], key('Only these statistics of timers, as in ["mean", "upper_percent"]; empty for all.')
    ] = ()
    histogram: Annotated[
        tuple[Histogram, ...],
        key("Bins of timers, as in { metric = 'latency', bins = [10, 100, inf] }; the first that fits counts."),
    ] = ()
    delete_idle_stats: Annotated[
        bool, key("Nothing where nothing came; else counts are 0 and gauges keep their last value, as StatsD sends.")
    ] = False
    idle_s: Annotated[int, key("For so long behind the last sample.", ge=0, le=7 * 86400)] = 86400

    def conflicts(self) -> Iterator[Conflict]:
        made = 5 * len(self.percent_threshold) + sum(len(one.bins) for one in self.histogram)
        if made > _TIMER_NAMES_MAX:
            cause = f"percentiles and bins make {made} names of a timer; expected at most {_TIMER_NAMES_MAX}"
            yield ("histogram" if self.histogram else "percent_threshold",), cause
