"""What is asked of ``/api/query``: metrics, how their series are aggregated, and for which time."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import Enum
from typing import Any

from tallystick.model.errors import QueryError
from tallystick.query.opentsdb.aggregators import AGGREGATORS, Aggregator, find_aggregator
from tallystick.query.opentsdb.filters import Filter, joined_filters, new_filter, tag_filter
from tallystick.query.opentsdb.points import COUNTER_MAX, Rate
from tallystick.query.opentsdb.times import Length, parse_length

QUERIES_MAX = 500
"""In one request."""


class Fill(Enum):
    """What a bucket is in which a series has no point."""

    NONE = "none"
    NAN = "nan"
    NULL = "null"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Downsampling:
    """Points of a series joined in buckets of time.

    Parameters
    ----------
    text
        As it was asked for.
    length
        Of a bucket; None for one bucket of the whole range.
    function
        How points are joined.
    fill
        What buckets without points are.
    by_calendar
        Whether buckets begin where those of the calendar do.
    """

    text: str
    length: Length | None
    function: Aggregator
    fill: Fill = Fill.NONE
    by_calendar: bool = False


@dataclass(frozen=True, slots=True)
class SubQuery:
    """A metric and what is made of it.

    Parameters
    ----------
    metric
        The path of the series.
    aggregator
        How the series of a group are joined.
    filters
        What their tags must be, and by which they are grouped.
    downsampling, rate
        What is done to each series before; None for nothing.
    explicit_tags
        Whether series have no tags but those of the filters.
    index
        Its place in the request.
    """

    metric: str
    aggregator: Aggregator
    filters: tuple[Filter, ...] = ()
    downsampling: Downsampling | None = None
    rate: Rate | None = None
    explicit_tags: bool = False
    index: int = 0

    def as_json(self) -> dict[str, Any]:
        """The query as OpenTSDB tells it back with ``show_query``."""
        rate = self.rate or Rate()
        return {
            "aggregator": self.aggregator.name,
            "metric": self.metric,
            "tsuids": None,
            "downsample": self.downsampling.text if self.downsampling else None,
            "rate": self.rate is not None,
            "filters": [_filter_as_json(one) for one in self.filters],
            "percentiles": None,
            "index": self.index,
            "rateOptions": {
                "counter": rate.counter,
                "counterMax": int(rate.counter_max),
                "resetValue": int(rate.reset_value),
                "dropResets": rate.drop_resets,
            },
            "filterTagKs": [],
            "explicitTags": self.explicit_tags,
            "tags": {one.key: f"{one.kind}({one.text})" for one in self.filters if one.group_by},
        }


@dataclass(frozen=True, slots=True)
class Question:
    """A request for points.

    Parameters
    ----------
    start_ms, end_ms
        The first and the last moment that points may have, epoch milliseconds.
    queries
        At least one.
    zone
        Where days begin for buckets by calendar.
    """

    start_ms: int
    end_ms: int
    queries: tuple[SubQuery, ...] = field(default=())
    zone: tzinfo = UTC


def parse_downsampling(text: str, *, by_calendar: bool = False) -> Downsampling:
    """Read ``1m-avg``, ``1h-sum-zero``, ``1dc-max``, ``0all-count``.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    parts = text.split("-")
    if len(parts) not in (2, 3):
        raise QueryError(
            f"Invalid downsampling specifier {text[:100]!r}: expected interval, function and optional fill policy, "
            "as in 1m-avg-none"
        )
    interval, name, *fill = parts
    function = AGGREGATORS.get(name)
    if function is None or name == "none":
        raise QueryError(f"No such downsampling function: {name}; expected one such as avg")
    policies = [one.value for one in Fill]
    policy = fill[0].lower() if fill else Fill.NONE.value
    if policy not in policies:
        raise QueryError(f"No such fill policy: {policy!r}: must be one of: {', '.join(policies)}")
    if "all" in interval:
        return Downsampling(text, None, function, Fill(policy))
    is_calendar = interval.endswith("c")
    return Downsampling(
        text, parse_length(interval.removesuffix("c")), function, Fill(policy), by_calendar or is_calendar
    )


def parse_metric(text: str, number: int = 0) -> SubQuery:
    """Read the parameter ``m``: ``sum:1m-avg:rate{counter,100,10}:sys.cpu{host=*}{dc=literal_or(lax|dal)}``.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    aggregator, *middle, last = _split(text)
    if len(middle) > 3 or not last or last == text:
        raise QueryError(f"Invalid parameter m={text[:200]}: expected 2 to 5 parts between colons, as in sum:sys.cpu")
    metric, filters = parse_filters(last)
    downsampling, rate, explicit = None, None, False
    for part in middle:
        word = part.lower()
        if word.startswith("rate"):
            rate = _parse_rate(part)
        elif part[:1].isdigit():
            downsampling = parse_downsampling(part)
        elif word == "explicit_tags":
            explicit = True
        else:
            raise QueryError(
                f"cannot use {part[:100]!r} in m={text[:200]}: not supported; "
                "expected rate, a downsampling such as 1m-avg, or explicit_tags"
            )
    return SubQuery(metric, find_aggregator(aggregator), joined_filters(filters), downsampling, rate, explicit, number)


def _split(text: str) -> list[str]:
    """The parts between colons that stand in no braces: a filter may hold some."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "{") - (character == "}")
        if character == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts if len(parts) > 1 else [*parts, ""]


def parse_filters(text: str) -> tuple[str, list[Filter]]:
    """Read ``metric{tags that group}{tags that do not}``.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    metric, brace, rest = text.partition("{")
    if not metric:
        raise QueryError(f"Metric cannot be null or empty: {text[:200]!r}")
    if not brace:
        return metric, []
    if not rest.endswith("}"):
        raise QueryError(f"Missing '}}' at the end of: {text[:200]!r}")
    groups, _, others = rest[:-1].partition("}{")
    return metric, [*_tags(groups, group_by=True), *_tags(others, group_by=False)]


def _tags(text: str, *, group_by: bool) -> list[Filter]:
    filters = []
    for pair in split_pairs(text):
        key, equals, value = pair.partition("=")
        if not (key and equals and value):
            raise QueryError(f"invalid tag: {pair[:100]!r}; expected key=value")
        if value.lower() == "not_key()":
            filters.append(new_filter("not_key", key, "", group_by=group_by))
        else:
            filters.append(tag_filter(key, value, group_by=group_by))
    return filters


def split_pairs(text: str) -> list[str]:
    """What stands between commas outside of parentheses: a regular expression may hold some."""
    pairs, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            pairs.append("")
        else:
            pairs[-1] += character
    return [pair for pair in pairs if pair]


def _parse_rate(text: str) -> Rate:
    """``rate``, ``rate{counter,max,reset}`` or ``rate{dropcounter}``."""
    if text.lower() == "rate":
        return Rate()
    if not (text.lower().startswith("rate{") and text.endswith("}")):
        raise QueryError(f"Invalid rate options specification: {text[:100]}; expected rate{{counter,max,reset}}")
    words = text[5:-1].split(",")
    if len(words) > 3:
        raise QueryError(
            f"Incorrect number of values in rate options specification: {text[:100]}; expected at most three"
        )
    try:
        most, reset = (float(int(word)) if word else None for word in [*words[1:], "", ""][:2])
    except ValueError as error:
        raise QueryError(f"cannot read {text[:100]}: {error}; expected whole numbers behind the first comma") from error
    return Rate(
        words[0].lower().endswith("counter"),
        COUNTER_MAX if most is None else most,
        reset or 0.0,
        words[0].lower() == "dropcounter",
    )


def _filter_as_json(one: Filter) -> dict[str, Any]:
    return {"tagk": one.key, "filter": one.text, "group_by": one.group_by, "groupBy": one.group_by, "type": one.kind}
