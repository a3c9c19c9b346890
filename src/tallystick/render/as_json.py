"""Graphite's JSON: ``[{"target": "a.b", "tags": {"name": "a.b"}, "datapoints": [[1.5, 1700000040], ...]}, ...]``."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer, wrapped

_ENCODER = msgspec.json.Encoder()
# JSON has no infinity; Graphite's readers take a number that overflows to it.
_INFINITE = {True: msgspec.Raw(b"1e9999"), False: msgspec.Raw(b"-1e9999")}


@renderer("json")
def render_json(grids: Sequence[Grid], options: Options) -> Rendered:
    """One object a series; an unknown value is null, an infinite one 1e9999, as in Graphite."""
    # One series after the other, so that few of the many small tuples live at the same time.
    body = b"[%s]" % b",".join(_ENCODER.encode(one) for grid in grids for one in _series(grid, options.no_null_points))
    if options.pretty:
        body = msgspec.json.format(body, indent=2)
    return wrapped(body, options.jsonp)


def _series(grid: Grid, no_null_points: bool) -> Iterator[dict[str, Any]]:
    every = grid.times.tolist()
    for row, line in zip(grid.rows, grid.values, strict=True):
        times: list[int] = every
        values: list[Any] = line.tolist()
        for i in np.flatnonzero(np.isinf(line)).tolist():
            values[i] = _INFINITE[bool(line[i] > 0)]
        if no_null_points:
            known = np.flatnonzero(~np.isnan(line)).tolist()
            if not known:
                continue
            values, times = [values[i] for i in known], [times[i] for i in known]
        # The encoder writes NaN as null, and tuples as it does lists.
        yield {"target": row.name, "tags": row.tags, "datapoints": list(zip(values, times, strict=True))}
