"""Graphite's raw format: ``name,start,end,step|1.5,None,2.0`` on a line for each series."""

from collections.abc import Sequence

import numpy as np

from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer


@renderer("raw")
def render_raw(grids: Sequence[Grid], options: Options) -> Rendered:
    """Values as Python writes them; the end is exclusive."""
    lines = []
    for grid in grids:
        for row, values in zip(grid.rows, grid.values, strict=True):
            shown = [
                "None" if unknown else repr(value)
                for value, unknown in zip(values.tolist(), np.isnan(values), strict=True)
            ]
            name = row.name.replace("\n", " ")
            lines.append(f"{name},{grid.start_s},{grid.end_s},{grid.step_s}|{','.join(shown)}\n")
    return Rendered("".join(lines).encode(), "text/plain")
