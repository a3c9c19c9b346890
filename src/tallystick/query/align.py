"""Bringing series onto one time line, and joining slots for pixels."""

from collections.abc import Sequence
from math import ceil, lcm

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Found, Grid, Row
from tallystick.query.reduce import Values, enough, known_count, reduction
from tallystick.query.series import SeriesList


def aligned(series: SeriesList, x_files_factor: float = 0.0) -> Grid:
    """All series as one grid.

    Series that differ in step are joined to the least common multiple of their steps, each by its row's
    consolidation, in slots that are aligned to the epoch; an incomplete first slot is left out, as it is when the store
    is read at that step. Where a series has no slots it gets NaN.

    Raises
    ------
    ValueError
        If there is no series.
    """
    if not series.grids:
        raise ValueError("cannot align an empty list of series")
    if len(series.grids) == 1:
        return series.grids[0]
    step_s = lcm(*(grid.step_s for grid in series.grids))
    if len({(grid.step_s, grid.start_s % step_s) for grid in series.grids}) > 1:
        grids = [_coarser(grid, step_s, x_files_factor) for grid in series.grids]
    else:
        grids = list(series.grids)
    start_s = min(grid.start_s for grid in grids)
    slots = (max(grid.end_s for grid in grids) - start_s) // step_s
    rows: list[Row] = []
    values = np.full((len(series), slots), np.nan)
    for grid in grids:
        offset = (grid.start_s - start_s) // step_s
        values[len(rows) : len(rows) + len(grid), offset : offset + grid.values.shape[1]] = grid.values
        rows.extend(grid.rows)
    return Grid(values, tuple(rows), start_s, step_s)


def consolidated(series: SeriesList, slots_max: int, x_files_factor: float) -> SeriesList:
    """The series with at most `slots_max` slots each, joined by each row's consolidation.

    Slots are aligned to the epoch, so that they do not wander when a graph refreshes. One slot is allowed to
    stand anywhere.
    """
    if not series.grids:
        return series
    length_s = max(grid.end_s for grid in series.grids) - min(grid.start_s for grid in series.grids)

    def fit(grid: Grid) -> Grid:
        if grid.step_s * slots_max >= length_s:
            return grid
        if slots_max == 1:
            return _joined(grid, grid.values, grid.start_s, max(grid.values.shape[1], 1), x_files_factor)
        return _coarser(grid, grid.step_s * ceil(length_s / grid.step_s / slots_max), x_files_factor)

    return series.each(fit)


def lengthened(series: SeriesList, step_s: int, x_files_factor: float) -> SeriesList:
    """The series in slots of at least `step_s` seconds, aligned to the epoch, joined by each row's consolidation."""
    return series.each(lambda grid: _coarser(grid, -(-step_s // grid.step_s) * grid.step_s, x_files_factor))


def _coarser(grid: Grid, step_s: int, x_files_factor: float) -> Grid:
    """`grid` in slots of `step_s` seconds (a multiple of its own step) that are aligned to the epoch."""
    if grid.step_s == step_s and grid.start_s % step_s == 0:
        return grid
    start_s = -(-grid.start_s // step_s) * step_s
    lost = -(-(start_s - grid.start_s) // grid.step_s)
    return _joined(grid, grid.values[:, lost:], start_s, step_s // grid.step_s, x_files_factor)


def _joined(grid: Grid, values: Values, start_s: int, width: int, x_files_factor: float) -> Grid:
    """Every `width` slots of `values` joined into one; the last may hold fewer."""
    slots = -(-values.shape[1] // width)
    padded = np.full((len(grid), slots * width), np.nan)
    padded[:, : values.shape[1]] = values
    groups = padded.reshape(len(grid), slots, width)
    result = np.empty((len(grid), slots))
    for (word, share), rows in _by_consolidation(grid.rows, x_files_factor).items():
        chosen = groups[rows]
        joined = reduction(word)(chosen, 2)
        result[rows] = np.where(enough(known_count(chosen, 2), width, share), joined, np.nan)
    return Grid(result, grid.rows, start_s, grid.step_s * width)


def _by_consolidation(rows: Sequence[Row], x_files_factor: float) -> dict[tuple[str, float], NDArray[np.intp] | slice]:
    if isinstance(rows, Found):
        return {(rows.consolidation, x_files_factor): slice(None)}
    groups: dict[tuple[str, float], list[int]] = {}
    for i, row in enumerate(rows):
        share = x_files_factor if row.x_files_factor is None else row.x_files_factor
        groups.setdefault((row.consolidation, share), []).append(i)
    if len(groups) == 1:
        return {key: slice(None) for key in groups}
    return {key: np.array(members, np.intp) for key, members in groups.items()}
