"""`Curve`: a series as it will be drawn: its points, its colour, its axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.model.grid import Grid, Row
from tallystick.query.align import aligned
from tallystick.query.series import SeriesList
from tallystick.render.picture.colors import Color, color_of, faded
from tallystick.render.picture.drawing import LEVEL_MAX, Drawing

DAY_S = 86400.0
_ALL_FILLED = 0.4
"""Opacity of areas that lie over each other, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as it will be drawn.

    Parameters
    ----------
    days : float64[m]
        Days since the epoch, which is how Matplotlib counts time.
    values : float64[m]
        NaN where there is none.
    floor : float64[m] or None
        Where the area below it ends; None if it has none.
    fill
        Opacity of the area.
    dash
        Length of a dash in pixels; None for a whole line.
    right
        Whether it is drawn by the axis of the right side.
    vertical
        Whether it is a line from the bottom to the top wherever its value is not 0.
    hidden
        Whether it is not drawn: it is what an area stands on.
    empty
        Whether it has no value at all.
    """

    name: str
    days: NDArray[np.float64]
    values: NDArray[np.float64]
    color: Color
    width: float
    floor: NDArray[np.float64] | None = None
    fill: float = 1.0
    dash: float | None = None
    right: bool = False
    vertical: bool = False
    hidden: bool = False
    empty: bool = False


def curves_of(grids: Sequence[Grid], drawing: Drawing) -> list[Curve]:
    """The curves of series, in their order.

    Raises
    ------
    QueryError
        If the colour that a function gave to one is none.
    """
    if drawing.area_mode == "stacked" and len(grids) > 1:
        grids = [aligned(SeriesList(tuple(grids)))]
    colors = cycle(drawing.look.lines)
    curves: list[Curve] = []
    for grid in grids:
        days = grid.times / DAY_S
        for row, values in zip(grid.rows, grid.values, strict=True):
            known = np.where(np.abs(values) < LEVEL_MAX, values, np.nan)
            empty = bool(np.isnan(known).all())
            if drawing.draw_null_as_zero:
                known = np.nan_to_num(known)
            curves.append(_curve(row, days, known, drawing, colors, curves, empty=empty))
    return curves


def _curve(
    row: Row,
    days: NDArray[np.float64],
    values: NDArray[np.float64],
    drawing: Drawing,
    colors: "cycle[Color]",
    before: Sequence[Curve],
    *,
    empty: bool,
) -> Curve:
    options: dict[str, Any] = row.options
    right = bool(options.get("secondYAxis"))
    side = drawing.right if right else drawing.left
    hidden = bool(options.get("invisible"))
    color = _color(options, side.color, colors, hidden=hidden)
    floor, fill = None, drawing.area_alpha
    stands_on = next((one for one in reversed(before) if one.floor is not None and len(one.days) == len(days)), None)
    if options.get("stacked"):
        floor = np.zeros(len(values)) if stands_on is None else np.nan_to_num(stands_on.values)
    elif drawing.area_mode == "stacked" and not right:
        floor = np.zeros(len(values)) if stands_on is None else np.nan_to_num(stands_on.values)
        values = floor + np.nan_to_num(values)
    elif drawing.area_mode == "all" or (drawing.area_mode == "first" and not before):
        floor = np.zeros(len(values))
        fill = (_ALL_FILLED if drawing.area_mode == "all" else 1.0) if fill is None else fill
    if floor is not None and options.get("alpha") is not None:
        fill = float(options["alpha"])
    elif options.get("alpha") is not None:
        color = faded(color, float(options["alpha"]))
    return Curve(
        row.name,
        days,
        values,
        color,
        float(options.get("lineWidth", side.line_width)),
        floor,
        1.0 if fill is None else fill,
        float(options["dashed"]) if options.get("dashed") else side.dashed,
        right,
        bool(options.get("drawAsInfinite")),
        hidden,
        empty,
    )


def _color(options: dict[str, Any], of_side: Color | None, colors: "cycle[Color]", *, hidden: bool) -> Color:
    if options.get("color"):
        return color_of(str(options["color"]))
    if hidden:
        return 0.0, 0.0, 0.0, 0.0
    return of_side or next(colors)
