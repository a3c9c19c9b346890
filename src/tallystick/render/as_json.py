"""Graphite's JSON: ``[{"target": "a.b", "tags": {"name": "a.b"}, "datapoints": [[1.5, 1700000040], ...]}, ...]``.

A day at ten seconds has 8,640 points. A kernel writes them; series that have infinite values, or such as are written
with an exponent, go through the general encoder, which takes several times as long.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from tallystick.kernels.points import POINT_BYTES_MAX, write_points
from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer, wrapped
from tallystick.render.json_numbers import shown

_ENCODER = msgspec.json.Encoder()


@renderer("json")
def render_json(grids: Sequence[Grid], options: Options) -> Rendered:
    """One object a series; an unknown value is null, an infinite one 1e9999, as in Graphite."""
    pieces: list[bytes] = []
    for grid in grids:
        for series in _series(grid, options.no_null_points):
            pieces += (b"," if pieces else b"[", *series)
    body = b"".join((*pieces, b"]")) if pieces else b"[]"
    if options.pretty:
        body = msgspec.json.format(body, indent=2)
    return wrapped(body, options.jsonp)


def _series(grid: Grid, no_null_points: bool) -> Iterator[tuple[bytes, ...]]:
    """The pieces of each series: points of a day are large, and copied no more often than they must."""
    out = np.empty(2 + grid.values.shape[1] * POINT_BYTES_MAX, np.uint8)
    for row, values in zip(grid.rows, grid.values, strict=True):
        known = np.flatnonzero(~np.isnan(values)) if no_null_points else None
        if known is None:
            points = _points(values, grid, out)
        elif len(known):
            points = _general(values[known], grid.times[known])
        else:
            continue
        head = (_ENCODER.encode(row.name), _ENCODER.encode(row.tags))
        yield b'{"target":%s,"tags":%s,"datapoints":' % head, points, b"}"


def _points(values: NDArray[np.float64], grid: Grid, out: NDArray[np.uint8]) -> bytes:
    """All points of a series; `out` is room for them."""
    length = write_points(np.ascontiguousarray(values), grid.start_s, grid.step_s, out) if grid.start_s >= 0 else -1
    return out[:length].tobytes() if length >= 0 else _general(values, grid.times)


def _general(values: NDArray[np.float64], times: NDArray[np.int64]) -> bytes:
    """Points of any values; the encoder writes NaN as null, and tuples as it does lists."""
    return _ENCODER.encode(list(zip(shown(values), times.tolist(), strict=True)))
