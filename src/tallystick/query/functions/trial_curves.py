"""Curves out of nothing, to try graphs with."""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from tallystick.query.context import Context
from tallystick.query.lines import curve
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


@function("identity", group="Calculate")
def identity(context: Context, name: str) -> SeriesList:
    """The epoch seconds of each minute."""
    return curve(context, name, 60, lambda times: times, path=f'identity("{name}")')


@function("timeFunction", "time", group="Transform")
def time_function(context: Context, name: str, step: int = 60) -> SeriesList:
    """The epoch seconds of each step."""
    return curve(context, name, step, lambda times: times)


@function("sinFunction", "sin", group="Transform")
def sin_function(context: Context, name: str, amplitude: int = 1, step: int = 60) -> SeriesList:
    """The sine of the epoch seconds."""
    return curve(context, name, step, lambda times: np.sin(times) * amplitude)


@function("randomWalkFunction", "randomWalk", group="Special")
def random_walk(context: Context, name: str, step: int = 60) -> SeriesList:
    """A random walk from 0; the same for the same name and range, so that a graph does not change when it refreshes."""
    generator = np.random.default_rng([crc32(name.encode()), context.from_s])

    def walk(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.cumsum(generator.random(len(times)) - 0.5)

    return curve(context, name, step, walk)
