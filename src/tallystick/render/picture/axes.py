"""The two axes of values and the one of time: their ends, labels and grids."""

from collections.abc import Sequence
from datetime import tzinfo

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, DateFormatter
from matplotlib.ticker import AutoMinorLocator, FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from tallystick.render.picture.canvas import Canvas
from tallystick.render.picture.curves import Curve
from tallystick.render.picture.drawing import Side
from tallystick.render.picture.units import unit_for

_LABEL_PIXELS = 34
"""Between two labels of an axis of values, at least."""
_TIME_PIXELS = 75
"""Between two labels of the axis of time, about."""
_TICKS_MAX = 100


def set_value_axis(canvas: Canvas, axes: Axes, curves: Sequence[Curve], side: Side, height: float) -> None:
    """Give the axis of one side its ends, and its labels in a unit that fits them."""
    drawing = canvas.drawing
    low, high = _ends(curves, side)
    if drawing.base is not None and high > 0:
        _set_logarithmic(axes, drawing.base, low, high, drawing.y_unit_system)
        return
    unit = unit_for(drawing.y_unit_system, low, high)
    parts = drawing.divisors[-1] if drawing.divisors else max(2, min(10, int(height / _LABEL_PIXELS)))
    ticks = _ticks(low / unit.size, high / unit.size, parts, side.step and side.step / unit.size) * unit.size
    axes.set_ylim(
        ticks[0] if side.low is None else side.low,
        max(ticks[-1], high) if side.high is None and side.limit is None else high,
    )
    axes.yaxis.set_major_locator(FixedLocator(ticks.tolist()))
    axes.yaxis.set_minor_locator(AutoMinorLocator(drawing.minor_y + 1) if drawing.minor_y else NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit.text(value)))


def set_time_axis(canvas: Canvas, axes: Axes, curves: Sequence[Curve], zone: tzinfo) -> None:
    """From the first time of all curves to their last one."""
    begin = min(curve.days[0] for curve in curves)
    end = max(curve.days[-1] for curve in curves)
    if end <= begin:
        begin, end = begin - 1 / 1440, end + 1 / 1440
    axes.set_xlim(begin, end)
    labels = max(2, int(canvas.width / _TIME_PIXELS))
    locator = AutoDateLocator(zone, minticks=2, maxticks=max(3, labels + 1), interval_multiples=True)
    axes.xaxis.set_major_locator(locator)
    x_format = canvas.drawing.x_format[:50]
    axes.xaxis.set_major_formatter(
        DateFormatter(x_format, zone) if x_format else ConciseDateFormatter(locator, zone, show_offset=True)
    )
    axes.xaxis.set_minor_locator(NullLocator())


def style(canvas: Canvas, axes: Axes, *, grid: bool) -> None:
    """Fine lines for the grid, behind everything, and words in the colour of the picture."""
    drawing, look = canvas.drawing, canvas.look
    axes.set_facecolor("none")
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    font = canvas.font()
    axes.tick_params(axis="both", which="both", length=0, colors=look.foreground, pad=4)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.get_offset_text()):
        label.set_fontproperties(font)
        label.set_color(look.foreground)
    if grid and not drawing.hide_grid:
        axes.grid(
            visible=True, which="major", color=look.major, linewidth=0.7, alpha=_opacity(drawing.major_grid_line_color)
        )
        axes.grid(
            visible=True,
            which="minor",
            axis="y",
            color=look.minor,
            linewidth=0.5,
            alpha=_opacity(drawing.minor_grid_line_color) / 2,
        )
    if drawing.hide_axes or drawing.hide_x_axis:
        axes.tick_params(axis="x", labelbottom=False)
        axes.xaxis.get_offset_text().set_visible(False)
    if drawing.hide_axes or drawing.hide_y_axis:
        axes.tick_params(axis="y", labelleft=False, labelright=False)


def _opacity(asked: str) -> float:
    """Of lines of the grid: a colour that somebody asked for is drawn as it is."""
    return 1.0 if asked else 0.45


def _ends(curves: Sequence[Curve], side: Side) -> tuple[float, float]:
    """The least and the greatest value to be seen: areas stand on 0, and what is never negative has no negative end."""
    seen = [curve for curve in curves if not curve.vertical and not np.isnan(curve.values).all()]
    low = min((float(np.nanmin(curve.least)) for curve in seen), default=0.0)
    high = max((float(np.nanmax(curve.greatest)) for curve in seen), default=1.0)
    if any(curve.floor is not None for curve in seen):
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0) or 1.0
    elif 0 < low < 0.4 * high:
        low = 0.0
    low = low if side.low is None else side.low
    high = high if side.limit is None else min(high, side.limit)
    high = high if side.high is None else side.high
    return (low, high) if low < high else (low, low + max(1.0, abs(low)))


def _ticks(low: float, high: float, parts: int, step: float | None) -> NDArray[np.float64]:
    """Round numbers from below `low` to above `high`."""
    if step and (high - low) / step <= _TICKS_MAX:
        return np.arange(np.floor(low / step), np.ceil(high / step) + 1) * step
    return np.asarray(MaxNLocator(parts, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))


def _set_logarithmic(axes: Axes, base: float, low: float, high: float, system: str) -> None:
    axes.set_autoscaley_on(False)  # values below 0 are left out
    axes.set_yscale("log", base=base, nonpositive="mask")
    axes.set_ylim(low if 0 < low < high else min(high / base**3, 1.0), high)
    axes.yaxis.set_major_locator(LogLocator(base=base))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit_for(system, 0, value).text(value)))
