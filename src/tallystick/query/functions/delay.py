import numpy as np

from tallystick.model.grid import Grid
from tallystick.query.context import Context
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


@function("delay", group="Transform")
def delay(context: Context, seriesList: SeriesList, steps: int) -> SeriesList:
    """Move values by so many slots to the right, or to the left if negative."""

    def compute(grid: Grid) -> Values:
        slots = grid.values.shape[1]
        moved = np.full_like(grid.values, np.nan)
        by = max(-slots, min(steps, slots))
        if by >= 0:
            moved[:, by:] = grid.values[:, : slots - by]
        else:
            moved[:, :by] = grid.values[:, -by:]
        return moved

    return transformed(seriesList, compute, lambda name: f"delay({name},{steps})", {"delay": steps})
