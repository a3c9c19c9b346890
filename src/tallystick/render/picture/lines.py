"""Series as lines and areas over time."""

from collections.abc import Sequence
from datetime import tzinfo

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tallystick.model.grid import Grid
from tallystick.render.picture.axes import set_time_axis, set_value_axis, style
from tallystick.render.picture.canvas import Canvas, shown
from tallystick.render.picture.colors import faded
from tallystick.render.picture.curves import Curve, curves_of
from tallystick.render.picture.drawing import Drawing
from tallystick.render.picture.legend import Entry, write_legend

_BAND_OPACITY = 0.25
_DASH_PX_MIN, _DASHED_PX_MIN = 1.0, 0.1
"""The shortest dash, and the thinnest line that has any."""


def draw_lines(canvas: Canvas, grids: Sequence[Grid], zone: tzinfo) -> None:
    """Draw series, with a title, axes and a legend.

    Raises
    ------
    QueryError
        If a function asks for a colour that there is none of.
    """
    drawing = canvas.drawing
    curves = curves_of([grid for grid in grids if grid.values.shape[1]], drawing)
    if not curves:
        canvas.write_title()
        canvas.write_no_data()
        return
    left = [curve for curve in curves if not curve.right]
    right = [curve for curve in curves if curve.right]
    axes = canvas.figure.add_axes((0, 0, 1, 1))
    sides = [(axes, left, drawing.left)] if left or not right else []
    if right:
        second = axes.twinx() if left else axes
        sides.append((second, right, drawing.right))
    for place, members, _ in sides:
        for curve in members:
            _draw(place, curve, drawing)
    set_time_axis(canvas, axes, curves, zone)
    for i, (place, members, side) in enumerate(sides):
        set_value_axis(canvas, place, members, side, 0.7 * canvas.height)
        at_right = (i > 0) or drawing.y_axis_side == "right" or not left
        place.yaxis.set_label_position("right" if at_right else "left")
        place.yaxis.tick_right() if at_right else place.yaxis.tick_left()
        style(canvas, place, grid=i == 0)
        _write_side(canvas, place, drawing.vtitle_right if i or not left else drawing.vtitle)
    _lay_out(canvas, [place for place, _, _ in sides], _entries(curves, drawing))


def _draw(axes: Axes, curve: Curve, drawing: Drawing) -> None:
    if curve.hidden or np.isnan(curve.values).all():
        return
    if curve.vertical:
        marks = curve.days[np.nan_to_num(curve.values) != 0]
        axes.vlines(marks, 0, 1, colors=[curve.color], linewidth=curve.width, transform=axes.get_xaxis_transform())
        return
    days, values, steps, color = curve.days, curve.values, drawing.line_mode == "staircase", curve.color
    areas = [] if curve.floor is None else [(curve.floor, values, curve.fill)]
    areas += [(*curve.band, _BAND_OPACITY)] if curve.band else []
    if drawing.line_mode == "connected":
        kept = _connected(values, drawing.connected_limit)
        days, values = days[kept], values[kept]
        areas = [(low[kept], high[kept], opacity) for low, high, opacity in areas]
    for low, high, opacity in areas:
        axes.fill_between(days, low, high, facecolor=faded(color, opacity), linewidth=0, step="post" if steps else None)
    (line,) = axes.plot(
        days,
        values,
        color=color,
        linewidth=curve.width,
        drawstyle="steps-post" if steps else "default",
        solid_joinstyle="round",
        solid_capstyle="butt",
    )
    if curve.dash and curve.width >= _DASHED_PX_MIN:
        # Matplotlib multiplies by the width. Much shorter dashes than pixels would take it for ever.
        dash = max(curve.dash, _DASH_PX_MIN) / curve.width
        line.set_dashes((dash, dash))
    alone = _alone(values)
    if alone.any() and not steps:
        axes.plot(days[alone], values[alone], color=color, linestyle="none", marker="o", markersize=curve.width * 1.5,
                  markeredgewidth=0)  # fmt: skip


def _connected(values: NDArray[np.float64], limit: float | None) -> NDArray[np.bool_]:
    """Which points to keep, so that lines go over gaps; those of gaps longer than `limit` slots stay gaps."""
    unknown: NDArray[np.bool_] = np.isnan(values)
    kept: NDArray[np.bool_] = ~unknown
    if limit is None:
        return kept
    edges = np.flatnonzero(np.diff(np.concatenate(([False], unknown, [False])).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin > limit:
            kept[begin] = True
    return kept


def _alone(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Points without a neighbour, of which a line would show nothing."""
    known = np.concatenate(([False], ~np.isnan(values), [False]))
    lonely: NDArray[np.bool_] = known[1:-1] & ~known[:-2] & ~known[2:]
    return lonely


def _write_side(canvas: Canvas, axes: Axes, text: str) -> None:
    drawing = canvas.drawing
    if text and not (drawing.graph_only or drawing.hide_axes):
        axes.set_ylabel(
            canvas.fitted(text, canvas.font(), 0.8 * canvas.height),
            color=canvas.look.foreground,
            fontproperties=canvas.font(),
            labelpad=6,
        )


def _entries(curves: Sequence[Curve], drawing: Drawing) -> list[Entry]:
    return [
        (shown(curve.name), curve.color)
        for curve in curves
        if not curve.hidden and not (curve.empty and drawing.hide_null_from_legend)
    ]


def _lay_out(canvas: Canvas, sides: Sequence[Axes], entries: Sequence[Entry]) -> None:
    """Give the axes what title, legend and their own labels leave of the picture."""
    drawing = canvas.drawing
    if drawing.graph_only:
        for axes in sides:
            axes.set_axis_off()
            canvas.place(axes, 0, 0, 0, 0)
        return
    top = canvas.write_title()
    bottom = write_legend(canvas, entries)
    edges = [drawing.margin, drawing.margin + bottom, drawing.margin, drawing.margin + top]
    for axes in sides:
        canvas.place(axes, *edges)
    overhang = np.max([canvas.overhang(axes) for axes in sides], axis=0)
    taken = [edge + max(0.0, float(words)) for edge, words in zip(edges, overhang, strict=True)]
    for axes in sides:
        canvas.place(axes, *taken)
