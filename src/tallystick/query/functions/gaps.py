"""Gaps found, filled and left alone."""

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid
from tallystick.query.align import aligned
from tallystick.query.context import Context
from tallystick.query.gaps import last_before, neighbours
from tallystick.query.parameters import Limit
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


def _at(values: Values, index: NDArray[np.int64]) -> Values:
    return np.take_along_axis(values, np.clip(index, 0, values.shape[1] - 1), axis=1)


@function("keepLastValue", group="Transform")
def keep_last_value(context: Context, seriesList: SeriesList, limit: Limit = float("inf")) -> SeriesList:
    """Fill gaps of up to `limit` slots with the value before them; longer gaps stay gaps."""

    def compute(grid: Grid) -> Values:
        if not grid.values.size:
            return grid.values
        before, after = neighbours(grid.values)
        fill = np.isnan(grid.values) & (before >= 0) & (after - before - 1 <= limit)
        return np.where(fill, _at(grid.values, before), grid.values)

    return transformed(seriesList, compute, lambda name: f"keepLastValue({name})")


@function("interpolate", group="Transform")
def interpolate(context: Context, seriesList: SeriesList, limit: Limit = float("inf")) -> SeriesList:
    """Fill gaps of up to `limit` slots with a straight line; the ends stay as they are."""

    def compute(grid: Grid) -> Values:
        values, slots = grid.values, grid.values.shape[1]
        if not values.size:
            return values
        before, after = neighbours(values)
        fill = np.isnan(values) & (before >= 0) & (after < slots) & (after - before - 1 <= limit)
        low, high = _at(values, before), _at(values, after)
        line = low + (np.arange(slots) - before) * (high - low) / np.maximum(after - before, 1)
        return np.where(fill, line, values)

    return transformed(seriesList, compute, lambda name: f"interpolate({name})")


@function("changed", group="Special")
def changed(context: Context, seriesList: SeriesList) -> SeriesList:
    """1 where a value differs from the known one before it, else 0."""

    def compute(grid: Grid) -> Values:
        if not grid.values.size:
            return grid.values
        earlier = last_before(grid.values)
        differs = ~np.isnan(grid.values) & (earlier >= 0) & (grid.values != _at(grid.values, earlier))
        return np.asarray(differs, np.float64)

    return transformed(seriesList, compute, lambda name: f"changed({name})")


@function("isNonNull", "isNotNull", group="Transform")
def is_non_null(context: Context, seriesList: SeriesList) -> SeriesList:
    """1 where a value is known, else 0."""
    return transformed(
        seriesList,
        lambda grid: (~np.isnan(grid.values)).astype(np.float64),
        lambda name: f"isNonNull({name})",
        {"isNonNull": 1},
    )


@function("transformNull", group="Transform")
def transform_null(
    context: Context, seriesList: SeriesList, default: float = 0, referenceSeries: SeriesList | None = None
) -> SeriesList:
    """Put a number where a value is unknown; with reference series only where one of those is known."""
    reference = aligned(referenceSeries) if referenceSeries is not None and len(referenceSeries) else None

    def compute(grid: Grid) -> Values:
        wanted = np.isnan(grid.values)
        if reference is not None:
            present = np.isin(grid.times, reference.times[(~np.isnan(reference.values)).any(axis=0)])
            wanted = wanted & present
        return np.where(wanted, default, grid.values)

    mark = {"transformNull": default} | ({"referenceSeries": 1} if reference is not None else {})
    ending = ",referenceSeries" if reference is not None else ""
    return transformed(seriesList, compute, lambda name: f"transformNull({name},{default:g}{ending})", mark)
