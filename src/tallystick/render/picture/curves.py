"""`Curve`: a series as it will be drawn: its points, its colour, its axis."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
_WIDTH_PX_MAX = 100.0
_ALL_FILLED = 0.4
"""Opacity of areas that lie over each other, if nothing else is said."""
_BAND = ("min", "avg", "max")
"""What the query function ``band`` makes of a series, in this order; each row's options say which it is."""


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
    band : (float64[m], float64[m]) or None
        Between what the values of each slot lie, the least and the greatest; None if that is not drawn.
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
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def least(self) -> NDArray[np.float64]:
        """What is drawn lowest, float64[m]."""
        return self.band[0] if self.band else self.values

    @property
    def greatest(self) -> NDArray[np.float64]:
        """What is drawn highest, float64[m]."""
        return self.band[1] if self.band else self.values


def curves_of(grids: Sequence[Grid], drawing: Drawing) -> list[Curve]:
    """The curves of series, in their order; the three of a band are one, unless what is drawn is stacked.

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
        every = np.where(np.abs(grid.values) < LEVEL_MAX, grid.values, np.nan)
        empty = np.asarray(np.isnan(every).all(axis=1))
        if drawing.draw_null_as_zero:
            every = np.nan_to_num(every)
        for line, edges in _lines(grid.rows, banded=drawing.area_mode != "stacked"):
            curve = _curve(grid.rows[line], days, every[line], drawing, colors, curves, empty=bool(empty[line]))
            curves.append(replace(curve, band=(every[edges[0]], every[edges[1]])) if edges else curve)
    return curves


def _lines(rows: Sequence[Row], *, banded: bool) -> Iterator[tuple[int, tuple[int, int] | None]]:
    """The row of each curve, and the rows that its band lies between if it has one."""
    i = 0
    while i < len(rows):
        if banded and tuple(row.options.get("band") for row in rows[i : i + len(_BAND)]) == _BAND:
            yield i + 1, (i, i + 2)
            i += len(_BAND)
        else:
            yield i, None
            i += 1


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
        min(max(float(options.get("lineWidth", side.line_width)), 0.0), _WIDTH_PX_MAX),
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
