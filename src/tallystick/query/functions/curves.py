"""Each value by itself: logarithms, exponentials and their like."""

from math import log as natural_log

import numpy as np

from tallystick.model.errors import QueryError
from tallystick.query.context import Context
from tallystick.query.reduce import Values
from tallystick.query.registry import function
from tallystick.query.series import SeriesList, transformed


@function("log", "logarithm", group="Transform")
def log(context: Context, seriesList: SeriesList, base: int = 10) -> SeriesList:
    """The logarithm; unknown for what is not above 0."""
    if base < 2:
        raise QueryError(f"cannot call log: base is {base}; expected 2 or more")

    def compute(values: Values) -> Values:
        with np.errstate(all="ignore"):
            return np.where(values > 0, np.log(values) / natural_log(base), np.nan)

    return transformed(
        seriesList, lambda grid: compute(grid.values), lambda name: f"log({name}, {base})", {"log": base}
    )


@function("exp", group="Transform")
def exp(context: Context, seriesList: SeriesList) -> SeriesList:
    """Euler's number to the power of each value."""

    def compute(values: Values) -> Values:
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(values))

    return transformed(seriesList, lambda grid: compute(grid.values), lambda name: f"exp({name})", {"exp": "e"})


@function("logit", group="Transform")
def logit(context: Context, seriesList: SeriesList) -> SeriesList:
    """The logarithm of the odds; unknown outside of 0 to 1."""

    def compute(values: Values) -> Values:
        with np.errstate(all="ignore"):
            return np.where((values > 0) & (values < 1), np.log(values / (1 - values)), np.nan)

    return transformed(seriesList, lambda grid: compute(grid.values), lambda name: f"logit({name})", {"logit": "logit"})


@function("sigmoid", group="Transform")
def sigmoid(context: Context, seriesList: SeriesList) -> SeriesList:
    """The logistic function: any value into 0 to 1."""

    def compute(values: Values) -> Values:
        with np.errstate(over="ignore"):
            return 1.0 / (1.0 + np.exp(-values))

    return transformed(
        seriesList, lambda grid: compute(grid.values), lambda name: f"sigmoid({name})", {"sigmoid": "sigmoid"}
    )
