"""Buckets in istatd's shapes: JSON of one counter, JSON of several, rows of numbers, CSV."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tallystick.query.istatd import AGGREGATE, COUNTER, GAUGE, Buckets

TYPES = {str(GAUGE): "gauge", str(COUNTER): "counter", str(AGGREGATE): "aggregate"}
_FIELDS = ("time", "count", "min", "max", "sum", "sumsq", "avg", "sdev")
_CSV_HEAD = "ISO Time,Unix Timestamp,Sample Count,Minimum,Maximum,Sum,Sum Squared,Average,Standard Deviation\r\n"


def as_object(buckets: Buckets) -> dict[str, Any]:
    """One counter, as ``GET`` answers it."""
    rows = (dict(zip(_FIELDS, row, strict=True)) for row in _rows(buckets))
    told = [{"time": row.pop("time"), "data": row} for row in rows]
    return {**_range(buckets), "buckets": told}


def as_member(buckets: Buckets, *, compact: bool) -> dict[str, Any]:
    """One of several counters."""
    rows: list[Any] = list(_rows(buckets))
    return {**_range(buckets), "data": rows if compact else [dict(zip(_FIELDS, row, strict=True)) for row in rows]}


def as_csv(buckets: Buckets) -> str:
    """One counter as lines."""
    lines = [
        f"{datetime.fromtimestamp(row[0], UTC):%Y-%m-%dT%H:%M:%SZ},{','.join(map(_spelt, row))}\r\n"
        for row in _rows(buckets)
    ]
    return _CSV_HEAD + "".join(lines)


def _range(buckets: Buckets) -> dict[str, int]:
    window = buckets.window
    return {"start": window.start_s, "end": window.end_s, "interval": window.interval_s}


def _rows(buckets: Buckets) -> Iterator[tuple[Any, ...]]:
    """Time, count, minimum, maximum, sum, sum of squares, average and deviation of each bucket."""
    return zip(*(column.tolist() for column in buckets.columns()), strict=True)


def _spelt(value: float) -> str:
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
