"""Answers to OpenTSDB's queries: series found, read, made rates of, and aggregated by group.

The order is OpenTSDB's: each series is downsampled, then made a rate of, then joined with the others of its group at
every moment at which any of them has a point; where one lacks a point there, its aggregator says what stands for it.
Whole hours around the range are read, as there, so that lines and rates begin before the range does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from tallystick.query.opentsdb.filters import group_keys
from tallystick.query.opentsdb.names import Known, metric_series
from tallystick.query.opentsdb.points import Interpolation, Mask, Points, Values, interpolated, rates
from tallystick.query.opentsdb.question import Downsampling, Fill, Question, SubQuery
from tallystick.query.opentsdb.reading import Span, read_buckets, read_slots
from tallystick.query.opentsdb.times import calendar_edges, even_edges
from tallystick.query.session import Session

_HOUR_S = 3600

Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the series of a group.

    Parameters
    ----------
    query
        What it answers.
    tags
        Those in which the series do not differ.
    aggregate_tags
        Keys of those in which they do.
    names
        The series.
    times_ms : int64[m]
        Epoch milliseconds.
    values : float64[n]
        NaN where a bucket was filled with it.
    """

    query: SubQuery
    tags: Tags
    aggregate_tags: list[str]
    names: list[str]
    times_ms: NDArray[np.int64]
    values: Values


def answer(session: Session, question: Question) -> list[Answer]:
    """The answers to all queries of a request, in their order.

    Raises
    ------
    QueryError
        If nothing has the name of a metric, or a filter cannot be used.
    LimitError
        If the request is larger than the limits allow.
    """
    return [one for query in question.queries for one in _answer(session, question, query)]


def find_series(session: Session, query: SubQuery) -> tuple[NDArray[np.int32], list[Known]]:
    """The series that a query selects, by name: their ids, and what is known of them.

    Raises
    ------
    QueryError
        If nothing has the name of the metric, or a filter cannot be used.
    LimitError
        If there are more series than may be read.
    """
    catalog = session.store.catalog
    expressions = [expression for one in query.filters for expression in one.expressions()]
    ids = metric_series(catalog, query.metric, expressions)
    session.charge(len(ids), 0)
    series = [Known.of(name) for name in catalog.names(ids)]
    grouped, filtered = set(group_keys(query.filters)), {one.key for one in query.filters}
    kept = [
        k
        for k, one in enumerate(series)
        if grouped <= one.tags.keys() and (not query.explicit_tags or one.tags.keys() == filtered)
    ]
    return ids[kept], [series[k] for k in kept]


def _answer(session: Session, question: Question, query: SubQuery) -> list[Answer]:
    ids, series = find_series(session, query)
    if not len(ids):
        return []
    before_bytes = session.held_bytes
    points = _read(session, question, query, ids)
    some = np.flatnonzero(points.present.any(axis=1))
    if not len(some):
        return []
    points, series = _filled(points.take(some), query.downsampling), [series[k] for k in some.tolist()]
    between = query.aggregator.between
    if query.rate is not None:
        points, between = rates(points, query.rate), Interpolation.PREVIOUS
    session.check_time()
    whole = query.downsampling is not None and query.downsampling.length is None
    times_ms = np.array([question.start_ms]) if whole else points.times_s * 1000
    asked = np.flatnonzero((times_ms >= question.start_ms) & (times_ms <= question.end_ms))
    answers: list[Answer] = []
    for members, values, there in _joined(points, _groups(query, series), query, between):
        at = asked[there[asked]]
        if len(at):
            group = [series[k] for k in members]
            answers.append(Answer(query, *_common(group), [one.name for one in group], times_ms[at], values[at]))
    session.hold(before_bytes - session.held_bytes)
    return answers


def _read(session: Session, question: Question, query: SubQuery, ids: NDArray[np.int32]) -> Points:
    """The points of each series, downsampled if that is asked for."""
    now_s = int(session.clock.now())
    down = query.downsampling
    if down is not None and down.length is None:
        first, end = (-(-moment // 1000) for moment in (question.start_ms, question.end_ms))
        return read_buckets(session, ids, np.array([first, end]), down.function)
    start_s, end_s = question.start_ms // 1000, question.end_ms // 1000 + 1
    if down is not None and down.length is not None:
        start_s -= start_s % down.length.seconds
        end_s += -end_s % down.length.seconds
    start_s -= start_s % _HOUR_S
    if down is None or down.fill is Fill.NONE:  # else there is nothing between points, and no need of what follows
        end_s = min(end_s + -end_s % _HOUR_S, max(now_s, start_s) + 1)
    if down is None or down.length is None:
        return read_slots(session, ids, Span(start_s, end_s))
    most = session.limits.points_max
    if down.by_calendar:
        edges = calendar_edges(down.length, question.zone, start_s, end_s, most)
    else:
        edges = even_edges(down.length, start_s, end_s, most)
    return read_buckets(session, ids, edges, down.function)


def _filled(points: Points, down: Downsampling | None) -> Points:
    """Points in all buckets where a fill policy says so."""
    if down is None or down.length is None or down.fill is Fill.NONE:
        return points
    filling = 0.0 if down.fill is Fill.ZERO else np.nan
    values = np.where(points.present, points.values, filling)
    return Points(points.times_s, values, np.ones_like(points.present))


def _groups(query: SubQuery, series: Sequence[Known]) -> list[list[int]]:
    """Positions of the series that are joined with each other."""
    if query.aggregator.name == "none":
        return [[k] for k in range(len(series))]
    groups: dict[tuple[str, ...], list[int]] = {}
    keys = group_keys(query.filters)
    for k, one in enumerate(series):
        groups.setdefault(tuple(one.tags[key] for key in keys), []).append(k)
    return list(groups.values())


def _joined(
    points: Points, groups: list[list[int]], query: SubQuery, between: Interpolation
) -> list[tuple[list[int], Values, Mask]]:
    """Each group with its values float64[m], and whether there is one at a moment, bool[m]; groups in their order.

    Groups of one size are joined together.
    """
    values, counts = interpolated(points, between)
    found: list[tuple[int, Values, Mask]] = []
    by_size = sorted(range(len(groups)), key=lambda k: len(groups[k]))
    for _, alike in groupby(by_size, key=lambda k: len(groups[k])):
        places = list(alike)
        with np.errstate(invalid="ignore", over="ignore"):
            if len(places) == 1:
                found.append((places[0], *_joined_one(points, groups[places[0]], values, counts, query)))
            else:
                members = np.array([groups[k] for k in places])
                joined = query.aggregator.reduce(values[members], counts[members], 1)
                found += zip(places, joined, points.present[members].any(axis=1), strict=True)
    return [(groups[k], joined, there) for k, joined, there in sorted(found, key=lambda one: one[0])]


def _joined_one(
    points: Points, members: list[int], values: Values, counts: Mask, query: SubQuery
) -> tuple[Values, Mask]:
    """The same of one group; nothing is copied if it is all series there are."""
    rows = slice(None) if len(members) == len(values) else np.array(members)
    return query.aggregator.reduce(values[rows], counts[rows], 0), np.asarray(points.present[rows].any(axis=0))


def _common(series: Sequence[Known]) -> tuple[Tags, list[str]]:
    """Tags that have one value in all series that have them, and the keys of the others."""
    common: Tags = {}
    apart: set[str] = set()
    for one in series:
        for key, value in one.tags.items():
            if key not in apart and common.setdefault(key, value) != value:
                apart.add(key)
                del common[key]
    return common, sorted(apart)
