"""Series as slices of a pie."""

from collections.abc import Sequence
from itertools import cycle
from math import isfinite

from tallystick.render.picture.canvas import Canvas, shown
from tallystick.render.picture.colors import color_of, faded
from tallystick.render.picture.legend import write_legend
from tallystick.render.picture.slice import Slice


def draw_pie(canvas: Canvas, slices: Sequence[Slice]) -> None:
    """Draw slices clockwise from the top, with a title and a legend."""
    drawing = canvas.drawing
    top = canvas.write_title() + drawing.margin
    sizes = [one.value if isfinite(one.value) and one.value > 0 else 0.0 for one in slices]
    total = sum(sizes)
    if not total:
        canvas.write_no_data()
        return
    opacity = 1.0 if drawing.area_alpha is None else drawing.area_alpha
    lines = cycle(drawing.look.lines)
    colors = [faded(next(lines), opacity) for _ in slices]
    bottom = drawing.margin + write_legend(
        canvas, [(shown(one.name), c) for one, c in zip(slices, colors, strict=True)]
    )
    axes = canvas.figure.add_axes((0, 0, 1, 1))
    canvas.place(axes, drawing.margin, bottom, drawing.margin, top)
    _, labels, *_ = axes.pie(
        sizes,
        colors=colors,
        startangle=90,
        counterclock=False,
        labels=[_label(one.value, total, canvas) for one in slices],
        labeldistance=0.62,
        rotatelabels=drawing.pie_labels == "rotated",
        wedgeprops={"linewidth": 1, "edgecolor": canvas.look.background},
        textprops={"fontproperties": canvas.font(), "color": color_of(drawing.value_labels_color), "ha": "center",
                   "va": "center"},
    )  # fmt: skip
    for label in labels:
        label.set_horizontalalignment("center")
    axes.set_aspect("equal")


def _label(value: float, total: float, canvas: Canvas) -> str:
    """What stands in a slice; nothing in a small one."""
    drawing = canvas.drawing
    share = 100 * value / total
    match drawing.value_labels:
        case "percent" if share >= drawing.value_labels_min:
            return f"{share:.0f}%"
        case "number" if value >= drawing.value_labels_min:
            return f"{value:.6g}"
        case _:
            return ""
