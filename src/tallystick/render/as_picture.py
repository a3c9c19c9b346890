"""Pictures: PNG, SVG and PDF, as Graphite's ``/render`` draws them; also for mails, without any HTTP.

::

    picture = render("png", grids, Options(drawing=Drawing(width=800, height=300, title="Orders")))

Matplotlib is imported by the first picture.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from tallystick.model.errors import LimitError
from tallystick.model.grid import Grid
from tallystick.render.format import Options, Rendered, renderer, wrapped
from tallystick.render.picture.drawing import SERIES_MAX
from tallystick.render.picture.slice import Slice

if TYPE_CHECKING:
    from tallystick.render.picture.canvas import Canvas

_MEDIA_TYPES = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/x-pdf"}

PICTURES = tuple(_MEDIA_TYPES)
"""The formats that are pictures."""


@renderer("png")
def render_png(grids: Sequence[Grid], options: Options) -> Rendered:
    """Dots."""
    return _lines("png", grids, options)


@renderer("svg")
def render_svg(grids: Sequence[Grid], options: Options) -> Rendered:
    """Shapes; with `jsonp` as a string that a script is given."""
    return _lines("svg", grids, options)


@renderer("pdf")
def render_pdf(grids: Sequence[Grid], options: Options) -> Rendered:
    """A page of the picture's size."""
    return _lines("pdf", grids, options)


def render_pie(form: str, slices: Sequence[Slice], options: Options) -> Rendered:
    """A pie in one of `PICTURES`.

    Raises
    ------
    LimitError
        If there are too many slices.
    """
    from tallystick.render.picture.pie import draw_pie

    _within_limit(len(slices))
    return _drawn(form, options, lambda canvas: draw_pie(canvas, slices))


def _lines(form: str, grids: Sequence[Grid], options: Options) -> Rendered:
    from tallystick.render.picture.lines import draw_lines

    _within_limit(sum(map(len, grids)))
    return _drawn(form, options, lambda canvas: draw_lines(canvas, grids, options.zone))


def _drawn(form: str, options: Options, draw: "Callable[[Canvas], None]") -> Rendered:
    from tallystick.render.picture.canvas import Canvas, alone

    with alone():
        canvas = Canvas(options.drawing)
        draw(canvas)
        body = canvas.encoded(form)
    if form == "svg" and options.jsonp is not None:
        return wrapped(msgspec.json.encode(body.decode()), options.jsonp)
    return Rendered(body, _MEDIA_TYPES[form])


def _within_limit(series: int) -> None:
    if series > SERIES_MAX:
        raise LimitError(
            f"cannot draw {series} series: more than {SERIES_MAX} are not told apart in a picture; "
            "expected fewer, as by highestMax(..., 20), or another format"
        )
