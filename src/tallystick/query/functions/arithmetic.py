"""Each value by itself: sums, products, powers and their like."""

import numpy as np

from tallystick.query.context import Context
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.rounding import rounded
from tallystick.query.series import SeriesList, transformed


def _finite(values: Values) -> Values:
    """What has no finite result is unknown."""
    return np.where(np.isfinite(values), values, np.nan)


@function("scale", group="Transform")
def scale(context: Context, seriesList: SeriesList, factor: float) -> SeriesList:
    """Multiply by a constant."""
    return transformed(
        seriesList, lambda grid: grid.values * factor, lambda name: f"scale({name},{factor:g})", {"scale": factor}
    )


@function("scaleToSeconds", group="Transform")
def scale_to_seconds(context: Context, seriesList: SeriesList, seconds: float) -> SeriesList:
    """Values per slot as values per so many seconds."""
    return transformed(
        seriesList,
        lambda grid: rounded(grid.values * (seconds / grid.step_s), 6),
        lambda name: f"scaleToSeconds({name},{int(seconds)})",
        {"scaleToSeconds": seconds},
    )


@function("offset", group="Transform")
def offset(context: Context, seriesList: SeriesList, factor: float) -> SeriesList:
    """Add a constant."""
    return transformed(
        seriesList, lambda grid: grid.values + factor, lambda name: f"offset({name},{factor:g})", {"offset": factor}
    )


@function("add", group="Transform")
def add(context: Context, seriesList: SeriesList, constant: float) -> SeriesList:
    """Add a constant; the name shows its whole part only, as in Graphite."""
    return transformed(
        seriesList, lambda grid: grid.values + constant, lambda name: f"add({name},{int(constant)})", {"add": constant}
    )


@function("absolute", group="Transform")
def absolute(context: Context, seriesList: SeriesList) -> SeriesList:
    """The distance from 0."""
    return transformed(seriesList, lambda grid: np.abs(grid.values), lambda name: f"absolute({name})", {"absolute": 1})


@function("invert", group="Transform")
def invert(context: Context, seriesList: SeriesList) -> SeriesList:
    """One divided by each value."""

    def compute(values: Values) -> Values:
        with np.errstate(divide="ignore"):
            return _finite(1.0 / values)

    return transformed(seriesList, lambda grid: compute(grid.values), lambda name: f"invert({name})", {"invert": 1})


@function("pow", group="Transform")
def power(context: Context, seriesList: SeriesList, factor: float) -> SeriesList:
    """Each value to the power of a constant."""

    def compute(values: Values) -> Values:
        with np.errstate(all="ignore"):
            return _finite(np.where(np.isnan(values), np.nan, np.power(values, factor)))

    return transformed(
        seriesList, lambda grid: compute(grid.values), lambda name: f"pow({name},{factor:g})", {"pow": factor}
    )


@function("squareRoot", group="Transform")
def square_root(context: Context, seriesList: SeriesList) -> SeriesList:
    """The square root; unknown below 0."""

    def compute(values: Values) -> Values:
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(values))

    return transformed(
        seriesList, lambda grid: compute(grid.values), lambda name: f"squareRoot({name})", {"squareRoot": 1}
    )


@function("round", group="Transform")
def round_values(context: Context, seriesList: SeriesList, precision: int | None = None) -> SeriesList:
    """Round to so many digits after the point."""
    shown = "" if precision is None else f",{precision}"
    return transformed(
        seriesList,
        lambda grid: rounded(grid.values, precision or 0),
        lambda name: f"round({name}{shown})",
        {"round": precision or 0},
    )
