"""What the library Rickshaw takes: ``[{"target": "a", "datapoints": [{"x": 1700000040, "y": 1.5}, ...]}, ...]``."""

from collections.abc import Sequence

import msgspec

from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer, wrapped
from tallystick.render.json_numbers import shown


@renderer("rickshaw")
def render_rickshaw(grids: Sequence[Grid], options: Options) -> Rendered:
    """An unknown value is null."""
    series = [
        {
            "target": row.name,
            "datapoints": [{"x": x, "y": y} for x, y in zip(grid.times.tolist(), shown(values), strict=True)],
        }
        for grid in grids
        for row, values in zip(grid.rows, grid.values, strict=True)
    ]
    body = msgspec.json.encode(series)
    return wrapped(msgspec.json.format(body, indent=2) if options.pretty else body, options.jsonp)
