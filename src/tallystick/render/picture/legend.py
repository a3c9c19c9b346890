"""The legend below a picture: the names of its series, in as many columns as there is room for."""

from collections.abc import Sequence

from matplotlib.legend import Legend
from matplotlib.patches import Patch

from tallystick.render.picture.canvas import Canvas
from tallystick.render.picture.colors import Color
from tallystick.render.picture.drawing import LEGEND_ITEMS_MAX

_COLUMNS_MAX = 6
_BESIDE_NAME = 3.0
"""What a column takes beside a name, in sizes of the font."""

Entry = tuple[str, Color]


def write_legend(canvas: Canvas, entries: Sequence[Entry]) -> float:
    """Write a legend, unless it is to be hidden; return the pixels that it takes from the bottom."""
    drawing = canvas.drawing
    hidden = drawing.hide_legend if drawing.hide_legend is not None else len(entries) > LEGEND_ITEMS_MAX
    if hidden or drawing.graph_only or not entries:
        return 0.0
    if drawing.unique_legend:
        entries = list({name: (name, color) for name, color in reversed(entries)}.values())[::-1]
    font, room = canvas.font(), canvas.width - 2 * drawing.margin
    beside = _BESIDE_NAME * drawing.font_size
    rows_max = max(1, int(canvas.height / 2 / (1.5 * drawing.font_size)))
    names = [canvas.fitted(name, font, room - beside) for name, _ in entries[: rows_max * _COLUMNS_MAX]]
    widest = max(canvas.text_width(name, font) for name in names) + beside
    columns = max(1, min(_COLUMNS_MAX, len(names), int(room / widest)))
    colors = [color for _, color in entries]
    if len(entries) > columns * rows_max:
        kept = columns * rows_max - 1
        names = [*names[:kept], f"… and {len(entries) - kept} more"]
        colors = [*colors[:kept], (0.0, 0.0, 0.0, 0.0)]
    legend: Legend = canvas.figure.legend(
        [Patch(facecolor=(*color[:3], max(color[3], 0.6) if color[3] else 0.0)) for color in colors[: len(names)]],
        names,
        loc="lower left",
        bbox_to_anchor=(drawing.margin / canvas.width, drawing.margin / canvas.height),
        ncols=columns,
        prop=font,
        labelcolor=canvas.look.foreground,
        frameon=False,
        borderpad=0,
        borderaxespad=0,
        labelspacing=0.35,
        handlelength=0.9,
        handleheight=0.9,
        handletextpad=0.5,
        columnspacing=1.2,
    )
    return float(legend.get_window_extent(canvas.renderer).height) + drawing.font_size * 0.8
