"""Names for OpenTSDB's questions: suggestions, look-ups, and the last point of each series."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, takewhile
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from tallystick.model.clock import Clock
from tallystick.model.errors import QueryError
from tallystick.model.name import tags_of
from tallystick.model.statistic import Statistic
from tallystick.query.opentsdb.filters import new_filter
from tallystick.query.session import Session
from tallystick.store.contract import Catalog, StoreReader

KINDS = ("metrics", "tagk", "tagv")
"""What can be suggested."""
_FRESH_S = 10.0


@dataclass(frozen=True, slots=True)
class Words:
    """All metrics, keys and values of tags, in order, and of how many series at which monotonic time."""

    series: int
    at_s: float
    by_kind: Mapping[str, Sequence[str]]


class Suggestions:
    """Completions of metrics and tags.

    Parameters
    ----------
    clock
        Says how old what is kept may be.

    Notes
    -----
    All names are looked through when there are more or fewer series than before, else every ten seconds; half a
    million take half a second. What is kept of them is one list for each kind.
    """

    def __init__(self, store: StoreReader, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._words = Words(-1, 0.0, {})

    def starting_with(self, kind: str, start: str, limit: int) -> list[str]:
        """Up to `limit` words of a kind of `KINDS` that begin with `start`, in order.

        Raises
        ------
        QueryError
            If there is no such kind.
        """
        if kind not in KINDS:
            raise QueryError(f"Invalid 'type' parameter:{kind}; expected one of {', '.join(KINDS)}")
        words = self._current().by_kind[kind]
        behind = islice(words, bisect_left(words, start), None)
        return list(islice(takewhile(lambda word: word.startswith(start), behind), limit))

    def _current(self) -> Words:
        with self._lock:
            catalog = self._store.catalog
            now_s, series = self._clock.monotonic(), len(catalog)
            if self._words.series != series or now_s - self._words.at_s > _FRESH_S:
                self._words = _words(catalog, series, now_s)
            return self._words


def _words(catalog: Catalog, series: int, now_s: float) -> Words:
    metrics: set[str] = set()
    tags: set[str] = set()
    for name in catalog.names(catalog.ids()):
        metric, *pairs = name.split(";")
        metrics.add(metric)
        tags.update(pairs)
    split = [pair.partition("=") for pair in tags]
    keys, values = {key for key, _, _ in split}, {value for _, _, value in split}
    return Words(series, now_s, {"metrics": sorted(metrics), "tagk": sorted(keys), "tagv": sorted(values)})


class UnknownNameError(QueryError):
    """Nothing has the name of a metric; OpenTSDB says 404 to who looks it up, else 400."""


@dataclass(frozen=True, slots=True)
class Known:
    """A series as OpenTSDB has it.

    Parameters
    ----------
    name
        Ours, canonical.
    metric
        Its path.
    tags
        By key.
    """

    name: str
    metric: str
    tags: dict[str, str]

    @classmethod
    def of(cls, name: str) -> "Known":
        """The series of a canonical name."""
        tags = tags_of(name)
        metric = tags.pop("name")
        return cls(name, metric, tags)

    @property
    def tsuid(self) -> str:
        """A digest of the name, where OpenTSDB has its number; nothing can be asked by it."""
        return tsuid_of(self.name)


def tsuid_of(name: str) -> str:
    """What stands for a series where OpenTSDB has a number for it."""
    return blake2b(name.encode(), digest_size=9).hexdigest().upper()


def metric_series(catalog: Catalog, metric: str, expressions: Sequence[str]) -> NDArray[np.int32]:
    """Ids of the series of a metric that tag expressions select, by name.

    Raises
    ------
    UnknownNameError
        If nothing has the metric's name.
    QueryError
        If an expression cannot be read.
    """
    named = f"name={metric}"
    ids = catalog.tagged([named, *expressions])
    if not len(ids) and not (expressions and len(catalog.tagged([named]))):
        raise UnknownNameError(f"No such name for 'metrics': '{metric[:200]}'")
    return ids


def look_up(catalog: Catalog, metric: str, tags: Sequence[tuple[str, str]]) -> list[Known]:
    """The series of a metric (any, if it is empty or ``*``) that have some tags; ``*`` stands for any key or value.

    Raises
    ------
    UnknownNameError
        If nothing has the metric's name.
    QueryError
        If neither a metric nor a tag is named.
    """
    expressions = [
        expression
        for key, value in tags
        if key != "*"
        for expression in new_filter("wildcard" if value == "*" else "literal_or", key, value).expressions()
    ]
    values = {value for key, value in tags if key == "*" and value != "*"}
    if metric not in ("", "*"):
        ids = metric_series(catalog, metric, expressions)
    elif expressions:
        ids = catalog.tagged(expressions)
    elif values:
        ids = catalog.ids()
    else:
        raise QueryError("Missing metric and tags. Please supply at least one value.")
    found = [Known.of(name) for name in catalog.names(ids)]
    return [one for one in found if values <= set(one.tags.values())] if values else found


def last_points(session: Session, metric: str, tags: Mapping[str, str], back_s: int) -> list[tuple[Known, int, float]]:
    """The newest point of each series of a metric that has some tags: the series, epoch seconds, and the value.

    Parameters
    ----------
    back_s
        Older points are left out; 0 for none.

    Raises
    ------
    UnknownNameError
        If nothing has the metric's name.
    LimitError
        If there are more series than may be read.
    """
    store = session.store
    ids = metric_series(store.catalog, metric, [f"{key}={value}" for key, value in tags.items()])
    session.charge(len(ids), len(ids))
    seen = store.last_seen(ids)
    oldest = int(session.clock.now()) - back_s if back_s else 0
    values = np.full(len(ids), np.nan)
    for at_s in np.unique(seen[seen >= oldest]).tolist():
        rows = np.flatnonzero(seen == at_s)
        steps = store.steps(ids[rows], at_s, at_s + 1)
        for step_s in np.unique(steps).tolist():
            some, start_s = rows[steps == step_s], at_s // step_s * step_s
            read = store.read(ids[some], start_s, start_s + step_s, step_s, (Statistic.LAST,))
            values[some] = read[Statistic.LAST][:, 0]
        session.check_time()
    known = np.flatnonzero(~np.isnan(values))
    names = store.catalog.names(ids[known])
    rows_of = zip(names, seen[known].tolist(), values[known].tolist(), strict=True)
    return [(Known.of(name), at_s, value) for name, at_s, value in rows_of]
