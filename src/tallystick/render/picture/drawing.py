"""`Drawing`: the style parameters of Graphite's ``/render``, under its names for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tallystick.model.errors import QueryError
from tallystick.render.picture.colors import Color, color_of, colors_of
from tallystick.render.picture.templates import DEFAULT, TEMPLATES, Template

PIXELS_MAX = 4096
SERIES_MAX = 1000
"""More are not drawn: each costs the server some milliseconds, and nobody sees them."""
LEGEND_ITEMS_MAX = 10
"""Above that there is no legend, unless ``hideLegend=false`` asks for it."""
TEXT_CHARS_MAX = 300
LEVEL_MAX = 1e150
"""Beyond that, either way, nothing is drawn: axes are reckoned in doubles."""

Size = Annotated[float, Meta(ge=1, le=PIXELS_MAX)]
Width = Annotated[float, Meta(ge=0, le=100)]
Level = Annotated[float, Meta(ge=-LEVEL_MAX, le=LEVEL_MAX)]
Step = Annotated[float, Meta(gt=0, le=LEVEL_MAX)]
Opacity = Annotated[float, Meta(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Side:
    """How the axis of one side is to be.

    Parameters
    ----------
    low, high
        Its ends; None to see all values.
    limit
        It ends there at the latest.
    step
        Between its labels.
    line_width, color, dashed
        Of the series that are drawn by it.
    """

    low: float | None
    high: float | None
    limit: float | None
    step: float | None
    line_width: float
    color: Color | None
    dashed: float | None


class Drawing(msgspec.Struct, frozen=True, rename="camel"):
    """How a picture is to look; sizes are in pixels.

    The fields are Graphite's parameters, by its names and with its defaults; `parse` reads them.
    """

    width: Size = 330
    height: Size = 250
    margin: Annotated[float, Meta(ge=0, le=500)] = 10
    template: str = DEFAULT
    bgcolor: str = ""
    fgcolor: str = ""
    color_list: str = ""
    major_grid_line_color: str = ""
    minor_grid_line_color: str = ""
    font_name: str = "Sans"
    font_size: Annotated[float, Meta(ge=1, le=100)] = 10
    font_bold: bool = False
    font_italic: bool = False
    title: str = ""
    vtitle: str = ""
    vtitle_right: str = ""
    line_mode: Literal["slope", "staircase", "connected"] = "slope"
    line_width: Width | None = None
    thickness: Width | None = None
    connected_limit: Annotated[float, Meta(ge=0)] | None = None
    area_mode: Literal["none", "first", "all", "stacked"] = "none"
    area_alpha: Opacity | None = None
    draw_null_as_zero: bool = False
    hide_legend: bool | None = None
    hide_null_from_legend: bool = False
    unique_legend: bool = False
    hide_axes: bool = False
    hide_x_axis: bool = False
    hide_y_axis: bool = False
    hide_grid: bool = False
    graph_only: bool = False
    y_axis_side: Literal["left", "right"] = "left"
    y_unit_system: Literal["si", "binary", "sec", "msec", "none"] = "si"
    log_base: str = ""
    minor_y: Annotated[int, Meta(ge=0, le=10)] = 1
    y_divisors: str = ""
    x_format: str = ""
    min_x_step: Annotated[float, Meta(ge=0, le=PIXELS_MAX)] = 1
    min: Level | None = None
    max: Level | None = None
    y_min: Level | None = None
    y_max: Level | None = None
    y_limit: Level | None = None
    y_step: Step | None = None
    y_min_left: Level | None = None
    y_max_left: Level | None = None
    y_limit_left: Level | None = None
    y_step_left: Step | None = None
    left_width: Width | None = None
    left_color: str = ""
    left_dashed: bool = False
    y_min_right: Level | None = None
    y_max_right: Level | None = None
    y_limit_right: Level | None = None
    y_step_right: Step | None = None
    right_width: Width | None = None
    right_color: str = ""
    right_dashed: bool = False
    pie_labels: Literal["horizontal", "rotated"] = "horizontal"
    value_labels: Literal["none", "number", "percent"] = "percent"
    value_labels_min: float = 5
    value_labels_color: str = "black"

    @classmethod
    def parse(cls, parameters: Mapping[str, str]) -> "Drawing":
        """The drawing that the parameters of a request ask for; those of others are passed over.

        Raises
        ------
        QueryError
            If one cannot be used.
        """
        said = {name: value for name, value in parameters.items() if value and value.lower() != "default"}
        try:
            drawing = msgspec.convert(said, cls, strict=False)
        except msgspec.ValidationError as error:
            cause, _, place = str(error).partition(" - at `$.")
            name = place.rstrip("`")
            raise QueryError(f"cannot use {name}={said.get(name, '')[:100]!r}: {cause}") from error
        drawing.check()
        return drawing

    def check(self) -> None:
        """Read what is text.

        Raises
        ------
        QueryError
            If a colour, the base of logarithms or the divisors are none.
        """
        for text in (self.bgcolor, self.fgcolor, self.major_grid_line_color, self.minor_grid_line_color,
                     self.left_color, self.right_color, self.value_labels_color):  # fmt: skip
            if text:
                color_of(text)
        colors_of(self.color_list)
        _base(self.log_base)
        _divisors(self.y_divisors)

    @property
    def slots_max(self) -> int:
        """Slots that there is room for."""
        return max(2, int(self.width / max(self.min_x_step, 0.25)))

    @property
    def look(self) -> Template:
        """The template, with the colours that were asked for in place of its own."""
        base = TEMPLATES.get(self.template, TEMPLATES[DEFAULT])
        return Template(
            color_of(self.bgcolor) if self.bgcolor else base.background,
            color_of(self.fgcolor) if self.fgcolor else base.foreground,
            color_of(self.major_grid_line_color) if self.major_grid_line_color else base.major,
            color_of(self.minor_grid_line_color) if self.minor_grid_line_color else base.minor,
            colors_of(self.color_list) or base.lines,
        )

    @property
    def left(self) -> Side:
        """The axis of the left side."""
        return self._side(
            (self.y_min_left, self.y_max_left, self.y_limit_left, self.y_step_left),
            self.left_width,
            self.left_color,
            dashed=self.left_dashed,
        )

    @property
    def right(self) -> Side:
        """The axis of the right side, for series that `secondYAxis()` marks."""
        return self._side(
            (self.y_min_right, self.y_max_right, self.y_limit_right, self.y_step_right),
            self.right_width,
            self.right_color,
            dashed=self.right_dashed,
        )

    def _side(self, own: tuple[float | None, ...], width: float | None, color: str, *, dashed: bool) -> Side:
        low, high, limit, step = own
        every = next((one for one in (self.line_width, self.thickness) if one is not None), 1.2)
        return Side(
            _first(low, self.y_min, self.min),
            _first(high, self.y_max, self.max),
            _first(limit, self.y_limit),
            _first(step, self.y_step),
            every if width is None else width,
            color_of(color) if color else None,
            5.0 if dashed else None,
        )

    @property
    def base(self) -> float | None:
        """Of the logarithms of a logarithmic axis; None if it is to be linear."""
        return _base(self.log_base)

    @property
    def divisors(self) -> tuple[int, ...]:
        """Numbers of parts that an axis may be cut into."""
        return _divisors(self.y_divisors)


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _base(text: str) -> float | None:
    if not text:
        return None
    if text == "e":
        return 2.718281828459045
    try:
        base = float(text)
    except ValueError as error:
        raise QueryError(f"cannot use logBase={text[:50]!r}: expected a number above 1, or e") from error
    if not 1 < base <= 1e6:
        raise QueryError(f"cannot use logBase={text[:50]!r}: expected a number above 1, or e")
    return base


def _divisors(text: str) -> tuple[int, ...]:
    try:
        found = tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError as error:
        raise QueryError(f"cannot use yDivisors={text[:50]!r}: expected whole numbers with commas") from error
    return tuple(one for one in found if 0 < one <= 100)
