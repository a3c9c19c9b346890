"""`Canvas`: an empty picture, its words, and its bytes once it is drawn.

A point is a pixel here (72 dots an inch), so that Graphite's sizes are what they say. No state of Matplotlib's is
shared between pictures, but for its caches, which are not made for several threads: one picture is drawn at a time.
"""

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.transforms import Bbox

from tallystick.render.picture.drawing import TEXT_CHARS_MAX, Drawing

_DOTS_AN_INCH = 72
_drawing_now = threading.Lock()
# What no font of this machine can write is drawn as a box, and a picture that is too narrow for its labels has other
# ones: neither is worth a word in the log, each time.
for _text in ("Glyph .* missing from font", "AutoDateLocator was unable"):
    warnings.filterwarnings("ignore", _text, UserWarning)
_SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # a name may hold dollar signs
    "svg.hashsalt": "tallystick",  # the same picture has the same bytes
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "path.simplify": True,
}
_FAMILIES = {
    "sans": "DejaVu Sans",
    "serif": "DejaVu Serif",
    "mono": "DejaVu Sans Mono",
    "monospace": "DejaVu Sans Mono",
}
_MEDIA_METADATA = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {"Software": None}}


@contextmanager
def alone() -> Iterator[None]:
    """While a picture is drawn."""
    with _drawing_now, mpl.rc_context(_SETTINGS):
        yield


class Canvas:
    """A picture that is being drawn; use it within `alone`.

    Parameters
    ----------
    drawing
        How it is to look.
    """

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.look = drawing.look
        self.width, self.height = int(drawing.width), int(drawing.height)
        self.figure = Figure(
            (self.width / _DOTS_AN_INCH, self.height / _DOTS_AN_INCH), _DOTS_AN_INCH, facecolor=self.look.background
        )
        self._agg = FigureCanvasAgg(self.figure)
        self.renderer = self._agg.get_renderer()

    def font(self, scale: float = 1.0, *, bold: bool | None = None) -> FontProperties:
        """The font that was asked for, so many times as large."""
        drawing = self.drawing
        return FontProperties(
            family=_family(drawing.font_name),
            size=drawing.font_size * scale,
            weight="bold" if (drawing.font_bold if bold is None else bold) else "normal",
            style="italic" if drawing.font_italic else "normal",
        )

    def text_width(self, text: str, font: FontProperties) -> float:
        """Pixels from its left end to its right one."""
        width, _, _ = self.renderer.get_text_width_height_descent(text, font, False)
        return float(width)

    def fitted(self, text: str, font: FontProperties, width: float) -> str:
        """A text of one line, cut so that it takes no more than so many pixels."""
        text = shown(text)
        if self.text_width(text, font) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if self.text_width(f"{text[:middle]}…", font) <= width:
                low = middle
            else:
                high = middle - 1
        return f"{text[:low]}…"

    def write_title(self) -> float:
        """Write the title, if there is one; return the pixels that it takes from the top."""
        if not self.drawing.title:
            return 0.0
        font = self.font(1.25, bold=True)
        text = self.fitted(self.drawing.title, font, self.width - 2 * self.drawing.margin)
        top = 1 - self.drawing.margin / self.height
        self.figure.text(0.5, top, text, color=self.look.foreground, fontproperties=font, ha="center", va="top")
        return self.drawing.font_size * 1.25 * 1.8

    def write_no_data(self) -> None:
        """Say that there is nothing to draw."""
        self.figure.text(
            0.5, 0.5, "No Data", color=(0.78, 0.0, 0.2, 1.0), fontproperties=self.font(1.4), ha="center", va="center"
        )

    def place(self, axes: Axes, left: float, bottom: float, right: float, top: float) -> None:
        """Put axes at so many pixels from each edge."""
        width, height = max(self.width - left - right, 1.0), max(self.height - bottom - top, 1.0)
        axes.set_position((left / self.width, bottom / self.height, width / self.width, height / self.height))

    def overhang(self, axes: Axes) -> tuple[float, float, float, float]:
        """Pixels that the words of axes take beyond them: left, bottom, right, top."""
        inner: Bbox = axes.bbox
        outer = axes.get_tightbbox(self.renderer) or inner
        return inner.x0 - outer.x0, inner.y0 - outer.y0, outer.x1 - inner.x1, outer.y1 - inner.y1

    def encoded(self, form: str) -> bytes:
        """The picture as png, svg or pdf."""
        out = io.BytesIO()
        self.figure.savefig(
            out, format=form, facecolor=self.look.background, dpi=_DOTS_AN_INCH, metadata=_MEDIA_METADATA[form]
        )
        return out.getvalue()


def _family(name: str) -> str:
    """The font of that name, as far as this machine has it."""
    known = {one.lower(): one for one in fontManager.get_font_names()}
    return known.get(_FAMILIES.get(name.lower(), name).lower(), _FAMILIES["sans"])


def shown(text: str) -> str:
    """A text of others in a line of its own: what is not printable is a blank, what is too long is cut off."""
    cut = text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…"
    return "".join(char if char.isprintable() else " " for char in cut)
