"""What graphite-web tells of a series to others of its kind."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid


def described(grids: Sequence[Grid], written: Callable[[NDArray[np.float64]], object]) -> Iterator[dict[str, object]]:
    """A dictionary for each series; the end is exclusive.

    Parameters
    ----------
    written
        Makes what a format keeps of values, float64[m], NaN for unknown ones.
    """
    for grid in grids:
        for row, values in zip(grid.rows, grid.values, strict=True):
            yield {
                "name": row.name,
                "start": grid.start_s,
                "end": grid.end_s,
                "step": grid.step_s,
                "values": written(np.ascontiguousarray(values)),
                "pathExpression": row.path,
                "valuesPerPoint": 1,
                "consolidationFunc": row.consolidation,
                "xFilesFactor": row.x_files_factor or 0.0,
            }
