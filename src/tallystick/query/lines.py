"""Series that are made of nothing but the range of time: lines and test curves."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.query.context import Context
from tallystick.query.series import SeriesList


def constant(context: Context, value: float, name: str, path: str | None = None) -> SeriesList:
    """A horizontal line: three points over the range, as Graphite draws it."""
    step_s = max((context.until_s - context.from_s) // 2, 1)
    row = Row(name, path or f"constantLine({name})", {"name": name})
    return SeriesList((Grid(np.full((1, 3), value), (row,), context.from_s, step_s),))


def curve(
    context: Context,
    name: str,
    step_s: int,
    compute: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    path: str | None = None,
) -> SeriesList:
    """A series over the range whose values are computed from the epoch seconds of its slots.

    Raises
    ------
    QueryError
        If the step is below a second.
    LimitError
        If it has more points than a request may have.
    """
    if step_s < 1:
        raise QueryError(f"cannot draw {name!r} with a step of {step_s} s: expected at least 1")
    context.session.charge(1, (context.until_s - context.from_s) // step_s)
    times = np.arange(context.from_s, context.until_s, step_s, dtype=np.float64)
    row = Row(name, path or name, {"name": name})
    return SeriesList((Grid(compute(times)[np.newaxis], (row,), context.from_s, step_s),))
