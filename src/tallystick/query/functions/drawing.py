"""Drawing options. They change no value; some show in the name, as in Graphite."""

from dataclasses import replace

from tallystick.model.grid import Row
from tallystick.query.context import Context
from tallystick.query.registry import function
from tallystick.query.series import SeriesList


def _with_option(series: SeriesList, key: str, value: object) -> SeriesList:
    return series.with_rows(lambda row: replace(row, options=row.options | {key: value}))


@function("color", group="Graph", transparent=True)
def color(context: Context, seriesList: SeriesList, theColor: str) -> SeriesList:
    """Draw in a colour."""
    return _with_option(seriesList, "color", theColor)


@function("alpha", group="Graph", transparent=True)
def alpha(context: Context, seriesList: SeriesList, alpha: float) -> SeriesList:
    """Draw with a transparency."""
    return _with_option(seriesList, "alpha", alpha)


@function("lineWidth", group="Graph", transparent=True)
def line_width(context: Context, seriesList: SeriesList, width: float) -> SeriesList:
    """Draw with a line of a width."""
    return _with_option(seriesList, "lineWidth", width)


@function("dashed", group="Graph", transparent=True)
def dashed(context: Context, seriesList: SeriesList, dashLength: float = 5) -> SeriesList:
    """Draw with dashes."""

    def marked(row: Row) -> Row:
        tags = row.tags | {"dashed": str(dashLength)}
        return replace(row, name=f"dashed({row.name}, {dashLength:g})", tags=tags)

    return _with_option(seriesList.with_rows(marked), "dashed", dashLength)


@function("drawAsInfinite", group="Graph", transparent=True)
def draw_as_infinite(context: Context, seriesList: SeriesList) -> SeriesList:
    """Draw a vertical line where a value is not 0."""
    return _with_option(seriesList.with_rows(lambda row: _named(row, "drawAsInfinite")), "drawAsInfinite", True)


@function("secondYAxis", group="Graph", transparent=True)
def second_y_axis(context: Context, seriesList: SeriesList) -> SeriesList:
    """Draw by the axis on the right."""
    return _with_option(seriesList.with_rows(lambda row: _named(row, "secondYAxis")), "secondYAxis", True)


def _named(row: Row, word: str) -> Row:
    return replace(row, name=f"{word}({row.name})", tags=row.tags | {word: "1"})
