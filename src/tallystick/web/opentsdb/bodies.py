"""What OpenTSDB's clients ask, in JSON or in the address, as questions.

Fields that OpenTSDB does not know are passed over, as it does; a number or a boolean in quotes is what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from starlette.datastructures import QueryParams
from starlette.requests import Request

from tallystick.model.errors import QueryError
from tallystick.query import time_zone
from tallystick.query.opentsdb import (
    COUNTER_MAX,
    QUERIES_MAX,
    Downsampling,
    Question,
    Rate,
    SubQuery,
    find_aggregator,
    joined_filters,
    new_filter,
    parse_downsampling,
    parse_metric,
    parse_moment,
    tag_filter,
)
from tallystick.web.errors import BodyError
from tallystick.web.reading import NOT_JSON, body_of

BODY_BYTES_MAX = 1 << 20
T = TypeVar("T")
Moment = str | int | float


@dataclass(frozen=True, slots=True)
class Shown:
    """What an answer tells beside the points, and how it writes these.

    Parameters
    ----------
    milliseconds
        Whether times are in milliseconds, not in seconds.
    arrays
        Whether points are pairs, not members of an object.
    query, tsuids, stats, summary, annotations
        Whether these are told.
    """

    milliseconds: bool = False
    arrays: bool = False
    query: bool = False
    tsuids: bool = False
    stats: bool = False
    summary: bool = False
    annotations: bool = False


class FilterBody(msgspec.Struct, rename="camel"):
    """A filter on a tag."""

    type: str
    tagk: str
    filter: str | None = None
    group_by: bool | None = None
    group_by_as_told: bool | None = msgspec.field(default=None, name="group_by")


class RateBody(msgspec.Struct, rename="camel"):
    """How rates are made."""

    counter: bool | None = None
    counter_max: float | None = None
    reset_value: float | None = None
    drop_resets: bool | None = None


class SubQueryBody(msgspec.Struct, rename="camel"):
    """A metric and what is made of it."""

    aggregator: str | None = None
    metric: str | None = None
    tsuids: list[str] | None = None
    downsample: str | None = None
    rate: bool | None = None
    rate_options: RateBody | None = None
    tags: dict[str, str] | None = None
    filters: list[FilterBody] | None = None
    explicit_tags: bool | None = None
    percentiles: list[float] | None = None


class QueryBody(msgspec.Struct, rename="camel"):
    """A request for points."""

    start: Moment | None = None
    end: Moment | None = None
    queries: list[SubQueryBody] | None = None
    timezone: str | None = None
    use_calendar: bool | None = None
    ms_resolution: bool | None = None
    ms: bool | None = None
    show_query: bool | None = None
    show_tsuids: bool | None = msgspec.field(default=None, name="showTSUIDs")
    show_stats: bool | None = None
    show_summary: bool | None = None
    no_annotations: bool | None = None
    global_annotations: bool | None = None
    delete: bool | None = None


class LastSeries(msgspec.Struct, rename="camel"):
    """Series whose last points are asked for."""

    metric: str | None = None
    tags: dict[str, str] | None = None
    tsuids: list[str] | None = None


class LastBody(msgspec.Struct, rename="camel"):
    """A request for last points."""

    queries: list[LastSeries] | None = None
    resolve_names: bool = False
    back_scan: int = 0


class TagBody(msgspec.Struct):
    """A tag to look up."""

    key: str = "*"
    value: str = "*"


class LookupBody(msgspec.Struct, rename="camel"):
    """A request for the series of a metric."""

    metric: str | None = None
    tags: list[TagBody] | None = None
    limit: int = 25


class SuggestBody(msgspec.Struct):
    """A request for completions."""

    type: str = ""
    q: str | None = None
    max: int | None = None


async def read_body(request: Request, shape: type[T]) -> T:
    """The JSON of a request.

    Raises
    ------
    BodyError
        If it is too large, or no such JSON.
    """
    body = await body_of(request, BODY_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except NOT_JSON as error:
        raise BodyError(400, f"Unable to parse the given JSON: {error}") from error


def question_of_body(body: QueryBody, now_ms: int, *, arrays: bool) -> tuple[Question, Shown]:
    """What a JSON body asks.

    Raises
    ------
    QueryError
        If something is missing, cannot be read, or is not supported.
    """
    if body.delete:
        raise QueryError("Deleting data is not enabled; series are deleted by /api/series/delete")
    subqueries = body.queries or []
    _check_count(subqueries)
    queries = tuple(
        _subquery(one, number, by_calendar=bool(body.use_calendar)) for number, one in enumerate(subqueries)
    )
    shown = Shown(
        bool(body.ms_resolution or body.ms),
        arrays,
        bool(body.show_query),
        bool(body.show_tsuids),
        bool(body.show_stats),
        bool(body.show_summary),
        bool(body.global_annotations and not body.no_annotations),
    )
    return _question(body.start, body.end, body.timezone, queries, now_ms), shown


def question_of_address(given: QueryParams, now_ms: int) -> tuple[Question, Shown]:
    """What the parameters of an address ask.

    Raises
    ------
    QueryError
        If something is missing, cannot be read, or is not supported.
    """
    if "tsuid" in given:
        raise QueryError(_NO_TSUIDS)
    texts = list(dict.fromkeys(given.getlist("m")))
    _check_count(texts)
    queries = tuple(parse_metric(text, number) for number, text in enumerate(texts))
    shown = Shown(
        "ms" in given,
        "arrays" in given,
        "show_query" in given,
        "show_tsuids" in given,
        "show_stats" in given,
        "show_summary" in given,
        "global_annotations" in given and "no_annotations" not in given,
    )
    zone = given.get("tz") or given.get("timezone")
    return _question(given.get("start"), given.get("end"), zone, queries, now_ms), shown


def series_of_text(text: str) -> tuple[str, list[tuple[str, str]]]:
    """A metric and its tags, ``sys.cpu{host=web01,dc=*}``; the metric may be missing.

    Raises
    ------
    QueryError
        If it cannot be read.
    """
    if text.startswith("{"):
        text = f"*{text}"
    metric, brace, rest = text.partition("{")
    if not brace:
        return metric, []
    if not rest.endswith("}"):
        raise QueryError(f"Missing '}}' at the end of: {text[:200]!r}")
    pairs = [pair.partition("=") for pair in rest[:-1].split(",") if pair]
    if not all(key and equals and value for key, equals, value in pairs):
        raise QueryError(f"invalid tag in {text[:200]!r}; expected key=value")
    return metric, [(key, value) for key, _, value in pairs]


_NO_TSUIDS = "cannot find series by tsuids: series have names only; expected a metric and tags"


def _check_count(queries: Sequence[object]) -> None:
    if not queries:
        raise QueryError("Missing queries; expected at least one, with an aggregator and a metric")
    if len(queries) > QUERIES_MAX:
        raise QueryError(f"cannot answer {len(queries)} queries at once: the limit is {QUERIES_MAX}; expected fewer")


def _question(
    start: Moment | None, end: Moment | None, zone_name: str | None, queries: tuple[SubQuery, ...], now_ms: int
) -> Question:
    if start is None or start == "":
        raise QueryError("Missing start time; expected one such as 1h-ago")
    zone = time_zone(zone_name or "")
    start_ms = parse_moment(str(start), now_ms, zone)
    end_ms = now_ms if end is None or end == "" else parse_moment(str(end), now_ms, zone)
    if end_ms < start_ms:
        raise QueryError(
            f"End time [{end_ms}] must be greater than or equal to the start time [{start_ms}]; both in milliseconds"
        )
    return Question(start_ms, end_ms, queries, zone)


def _subquery(body: SubQueryBody, number: int, *, by_calendar: bool) -> SubQuery:
    if body.tsuids:
        raise QueryError(_NO_TSUIDS)
    if body.percentiles:
        raise QueryError("cannot answer percentiles: no histograms of OpenTSDB's are kept; expected p99 and the like")
    if not body.metric:
        raise QueryError(f"Missing the metric of query {number}")
    if not body.aggregator:
        raise QueryError(f"Missing the aggregation function of query {number}; expected one such as sum")
    filters = [
        new_filter(one.type, one.tagk, one.filter or "", group_by=bool(one.group_by or one.group_by_as_told))
        for one in body.filters or ()
    ]
    filters += [tag_filter(key, text, group_by=True) for key, text in (body.tags or {}).items()]
    return SubQuery(
        body.metric,
        find_aggregator(body.aggregator),
        joined_filters(filters),
        _downsampling(body.downsample, by_calendar=by_calendar),
        _rate(body.rate_options) if body.rate else None,
        bool(body.explicit_tags),
        number,
    )


def _downsampling(text: str | None, *, by_calendar: bool) -> Downsampling | None:
    return parse_downsampling(text, by_calendar=by_calendar) if text else None


def _rate(body: RateBody | None) -> Rate:
    if body is None:
        return Rate()
    most = COUNTER_MAX if body.counter_max is None else body.counter_max
    return Rate(bool(body.counter), most, body.reset_value or 0.0, bool(body.drop_resets))
