"""Graphite's JSON: ``[{"target": "a.b", "tags": {"name": "a.b"}, "datapoints": [[1.5, 1700000040], ...]}, ...]``.

A day at ten seconds has 8,640 points, and the time goes into writing their floats. So the values of a series are
encoded in one call, and the text of each moment, the same for all series of a grid, is made once.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer, wrapped

_ENCODER = msgspec.json.Encoder()
_NONE = b"[]"


@renderer("json")
def render_json(grids: Sequence[Grid], options: Options) -> Rendered:
    """One object a series; an unknown value is null, an infinite one 1e9999, as in Graphite."""
    body = b"[%s]" % b",".join(series for grid in grids for series in _series(grid, options.no_null_points))
    if options.pretty:
        body = msgspec.json.format(body, indent=2)
    return wrapped(body, options.jsonp)


def _series(grid: Grid, no_null_points: bool) -> Iterator[bytes]:
    times = [b",%d],[" % time for time in grid.times.tolist()]
    for row, values in zip(grid.rows, grid.values, strict=True):
        if no_null_points:
            known = np.flatnonzero(~np.isnan(values))
            points = _points(values[known], [times[i] for i in known.tolist()])
        else:
            points = _points(values, times)
        if points != _NONE or not no_null_points:
            head = (_ENCODER.encode(row.name), _ENCODER.encode(row.tags))
            yield b'{"target":%s,"tags":%s,"datapoints":%s}' % (*head, points)


def _points(values: NDArray[np.float64], stamps: list[bytes]) -> bytes:
    """``[[value,time],...]``; each of `stamps` is the end of one pair and the beginning of the next."""
    if not len(values):
        return _NONE
    pieces: list[bytes] = [b""] * (2 * len(stamps))
    pieces[::2] = encoded(values)
    pieces[1::2] = stamps
    return b"[[%s]" % b"".join(pieces)[:-2]


def encoded(values: NDArray[np.float64]) -> list[bytes]:
    """Each value as JSON."""
    written = _ENCODER.encode(values.tolist())[1:-1].split(b",")
    # JSON has no infinity; Graphite's readers take a number that overflows to it.
    for i in np.flatnonzero(np.isinf(values)).tolist():
        written[i] = b"1e9999" if values[i] > 0 else b"-1e9999"
    return written
