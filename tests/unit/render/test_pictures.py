"""Pictures: what is asked for can be seen in their pixels and shapes."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from tallystick.model.errors import LimitError, QueryError
from tallystick.model.grid import Grid, Row
from tallystick.render import Drawing, Options, Slice, render, render_pie
from tallystick.render.picture.drawing import SERIES_MAX
from tallystick.render.picture.units import unit_for

NAN = float("nan")
START_S = 1_700_000_040


def grid(*lines: list[float], **options: object) -> Grid:
    rows = tuple(Row(name, name, {"name": name}, options=options) for name, _ in zip("abcdefgh", lines, strict=False))
    return Grid(np.array(lines), rows, START_S, 60)


def drawn(grids: list[Grid], form: str = "png", **parameters: str) -> bytes:
    options = Options(drawing=Drawing.parse(parameters), zone=ZoneInfo("Europe/Vienna"))
    body = render(form, grids, options).body
    assert isinstance(body, bytes)
    return body


def pixels(grids: list[Grid], **parameters: str) -> np.ndarray:
    """The picture as bytes, height x width x (red, green, blue, opacity)."""
    return (imread(io.BytesIO(drawn(grids, **parameters))) * 255).round().astype(int)


def amount(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    """How many pixels have about that colour."""
    return int((np.abs(picture[:, :, :3] - color).max(axis=2) < 8).sum())


UP = [float(x) for x in range(50)]
BLUE, GREEN, RED = (100, 100, 255), (0, 200, 0), (200, 0, 50)


def test_a_picture_has_the_size_that_was_asked_for() -> None:
    assert pixels([grid(UP)]).shape == (250, 330, 4)
    assert pixels([grid(UP)], width="123", height="45").shape == (45, 123, 4)


def test_series_take_the_colours_of_the_list_in_turn() -> None:
    picture = pixels([grid(UP, UP[::-1])])
    assert amount(picture, BLUE) > 100
    assert amount(picture, GREEN) > 100
    chosen = pixels([grid(UP, UP[::-1])], colorList="ff8800,#123456")
    assert amount(chosen, (0xFF, 0x88, 0)) > 100
    assert amount(chosen, (0x12, 0x34, 0x56)) > 100


def test_functions_choose_colour_and_width() -> None:
    thin, thick = pixels([grid(UP, color="red")]), pixels([grid(UP, color="red", lineWidth=6)])
    assert amount(thick, RED) > 2 * amount(thin, RED) > 100


@pytest.mark.parametrize(
    ("dash", "width"), [(-1.0, 1.2), (1e-300, 1.2), (1e300, 1.2), (5.0, -5.0), (5.0, 1e-9), (5.0, 1e300)]
)
def test_dashes_and_widths_of_any_size_end_in_a_picture(dash: float, width: float) -> None:
    assert drawn([grid(UP, dashed=dash, lineWidth=width)], width="50", height="50")


def test_templates_are_light_and_dark() -> None:
    assert amount(pixels([grid(UP)]), (255, 255, 255)) > 40_000
    assert amount(pixels([grid(UP)], template="noc"), (0, 0, 0)) > 40_000
    assert amount(pixels([grid(UP)], template="solarized-dark"), (0, 0x2B, 0x36)) > 40_000
    assert amount(pixels([grid(UP)], template="none of these"), (255, 255, 255)) > 40_000
    assert amount(pixels([grid(UP)], template="noc", bgcolor="red"), RED) > 40_000


def test_areas_are_filled() -> None:
    line = amount(pixels([grid(UP)]), BLUE)
    assert amount(pixels([grid(UP)], areaMode="first"), BLUE) > 10 * line
    assert amount(pixels([grid(UP)], areaMode="first", areaAlpha="0.3"), BLUE) < 3 * line
    stacked = pixels([grid(UP, UP)], areaMode="stacked")
    assert amount(stacked, GREEN) > 5000 and amount(stacked, BLUE) > 5000


def banded(low: list[float], middle: list[float], high: list[float]) -> Grid:
    """As the query function ``band`` marks three series."""
    three = grid(low, middle, high)
    rows = (replace(row, options={"band": word}) for row, word in zip(three.rows, ("min", "avg", "max"), strict=True))
    return replace(three, rows=tuple(rows))


def test_a_band_is_a_faint_area_between_the_least_and_the_greatest_with_a_line_for_the_mean() -> None:
    one = banded([10.0] * 50, [20.0] * 50, [40.0] * 50)
    picture = pixels([one], graphOnly="true", yMin="0", yMax="100")
    faint = np.abs(picture[:, :, :3] - (216, 216, 255)).max(axis=2) < 8
    height = picture.shape[0]
    assert np.flatnonzero(faint[:, 100]).tolist()[0] == pytest.approx(0.6 * height, abs=2)
    assert np.flatnonzero(faint[:, 100]).tolist()[-1] == pytest.approx(0.9 * height, abs=2)
    line = np.abs(picture[:, 100, :3] - BLUE).max(axis=1) < 60
    assert np.flatnonzero(line).mean() == pytest.approx(0.8 * height, abs=2)
    assert amount(picture, GREEN) == amount(picture, RED) == 0


def test_a_band_is_seen_whole_and_has_one_entry_in_the_legend() -> None:
    svg = drawn([banded([-30.0] * 9, [0.0] * 9, [70.0] * 9), grid([5.0] * 9)], "svg").decode()
    shown = re.findall(r"<!-- (.*?) -->", svg)
    assert shown.count("b") == shown.count("a") == 1 and "c" not in shown
    assert {"−40", "80"} <= set(shown)


def test_a_band_that_is_not_whole_is_drawn_as_lines() -> None:
    whole = banded(UP, [x + 20 for x in UP], [x + 40 for x in UP])
    two = replace(whole, rows=whole.rows[:2], values=whole.values[:2])
    assert amount(pixels([two]), BLUE) > 100 and amount(pixels([two]), GREEN) > 100


def test_what_is_stacked_by_a_function_stands_on_the_one_before() -> None:
    picture = pixels([grid(UP, [2 * x for x in UP], stacked=True)])
    assert amount(picture, GREEN) > 5000 and amount(picture, BLUE) > 5000


def test_what_is_invisible_carries_an_area_and_is_not_drawn() -> None:
    low = grid([30.0] * 50, stacked=True, invisible=True)
    picture = pixels([low, grid([60.0] * 50, stacked=True, color="red")], hideAxes="true", hideGrid="true")
    share = amount(picture, RED) / amount(pixels([grid([60.0] * 50, stacked=True, color="red")], hideAxes="true"), RED)
    assert 0.4 < share < 0.6


def test_gaps_are_gaps_unless_they_are_joined() -> None:
    gaps = [x if x % 10 < 4 else NAN for x in UP]
    whole = amount(pixels([grid(UP)], hideLegend="true"), BLUE)
    assert amount(pixels([grid(gaps)], hideLegend="true"), BLUE) < 0.6 * whole
    assert amount(pixels([grid(gaps)], hideLegend="true", lineMode="connected"), BLUE) > 0.8 * whole
    assert amount(pixels([grid(gaps)], hideLegend="true", lineMode="connected", connectedLimit="3"), BLUE) < 0.6 * whole


def test_a_value_between_two_gaps_is_seen() -> None:
    assert amount(pixels([grid([NAN, 1.0, NAN, NAN, 2.0, NAN])], hideLegend="true"), BLUE) == 2


def test_unknown_values_can_be_zero() -> None:
    svg = drawn([grid([NAN, NAN, NAN])], "svg", drawNullAsZero="true", hideLegend="true")
    assert b"#6464ff" in svg
    assert b"#6464ff" not in drawn([grid([NAN, NAN, NAN])], "svg", hideLegend="true")


def test_vertical_lines_reach_from_the_bottom_to_the_top() -> None:
    mark = grid([NAN] * 25 + [1.0] + [NAN] * 24, drawAsInfinite=True, color="red", lineWidth=2)
    picture = pixels([grid(UP), mark], hideLegend="true")
    columns = (np.abs(picture[:, :, :3] - RED).max(axis=2) < 60).sum(axis=0)
    assert columns.max() > 180 and (columns > 100).sum() <= 4


def test_without_data_it_says_so() -> None:
    words = pixels([])
    assert amount(words, (199, 0, 51)) > 30
    assert amount(pixels([Grid(np.empty((1, 0)), (Row("a", "a"),), 0, 60)]), (199, 0, 51)) > 30


def test_words_are_written_and_hidden() -> None:
    every = len(drawn([grid(UP)], "svg", title="T", vtitle="V"))
    for hidden in ({"hideLegend": "true"}, {"hideAxes": "true"}, {"hideYAxis": "1"}, {"hideXAxis": "1"}, {"title": ""}):
        assert len(drawn([grid(UP)], "svg", **({"title": "T", "vtitle": "V"} | hidden))) < every - 200
    assert drawn([grid(UP)], "svg", graphOnly="true", title="T").count(b"<use") == 0


def test_a_legend_is_shown_up_to_ten_series_or_when_it_is_asked_for() -> None:
    ten, eleven = ([grid(UP) for _ in range(n)] for n in (10, 11))
    assert legend_rows(ten) == 10
    assert legend_rows(eleven) == 0
    assert legend_rows(eleven, hideLegend="false") == 11
    assert legend_rows(ten, uniqueLegend="true") == 1
    assert legend_rows([grid(UP), grid([NAN, NAN])], hideNullFromLegend="true") == 1


def test_a_legend_takes_at_most_half_of_the_picture() -> None:
    many = [Grid(np.array([UP]), (Row(f"a.very.long.name.of.a.series.{k}", ""),), START_S, 60) for k in range(150)]
    assert 5 < legend_rows(many, hideLegend="false") < 30


def legend_rows(grids: list[Grid], **parameters: str) -> int:
    svg = drawn(grids, "svg", **parameters).decode()
    legend = svg.partition('<g id="legend_1">')[2]
    return len(re.findall(r'<g id="patch_\d+">', legend))


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_same_series_give_the_same_bytes(form: str) -> None:
    assert drawn([grid(UP)], form, title="T") == drawn([grid(UP)], form, title="T")


def test_names_are_text_and_nothing_else() -> None:
    hard = 'a$x_1$</text><script>alert(1)</script>\n"&\x01\u202e' + "z" * 5000
    one = Grid(np.array([UP]), (Row(hard, hard),), START_S, 60)
    svg = drawn([one], "svg", title=hard, vtitle=hard)
    assert b"<script" not in svg
    assert drawn([one], title=hard, vtitle=hard).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("system", "value", "text"),
    [
        ("si", 1500.0, "1.5 K"),
        ("si", -2e6, "\N{MINUS SIGN}2 M"),
        ("si", 0.25, "0.25"),
        ("binary", 3 * 2.0**30, "3 Gi"),
        ("sec", 5400.0, "1.5 H"),
        ("msec", 1500.0, "1.5 s"),
        ("none", 1500.0, "1500"),
        ("si", 0.0, "0"),
    ],
)
def test_labels_are_short(system: str, value: float, text: str) -> None:
    assert unit_for(system, 0.0, value).text(value) == text


def test_a_picture_of_too_many_series_is_refused() -> None:
    many = Grid(np.zeros((SERIES_MAX + 1, 2)), tuple(Row("a", "a") for _ in range(SERIES_MAX + 1)), START_S, 60)
    with pytest.raises(LimitError, match="highestMax"):
        drawn([many])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("width", "0"),
        ("height", "5000"),
        ("width", "wide"),
        ("lineMode", "round"),
        ("bgcolor", "nothing"),
        ("colorList", "red,nothing"),
        ("areaAlpha", "2"),
        ("logBase", "x"),
        ("logBase", "1"),
        ("yMin", "1e300"),
        ("yStep", "0"),
        ("yDivisors", "a,b"),
        ("hideLegend", "perhaps"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(QueryError, match=rf"colour|cannot use {name}="):
        Drawing.parse({name: value})


def test_empty_and_default_parameters_and_those_of_others_are_passed_over() -> None:
    assert Drawing.parse({"width": "", "areaMode": "default", "target": "a", "_salt": "1"}) == Drawing()


numbers = st.lists(st.floats(width=64), min_size=2, max_size=5)


def choices(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


parameters = st.fixed_dictionaries(
    {},
    optional={
        "width": choices("1", "10", "300"),
        "height": choices("1", "10", "200"),
        "margin": choices("0", "10", "400"),
        "fontSize": choices("1", "8", "40"),
        "lineMode": choices("slope", "staircase", "connected"),
        "areaMode": choices("none", "first", "all", "stacked"),
        "logBase": choices("e", "2", "10"),
        "yUnitSystem": choices("si", "binary", "sec", "msec", "none"),
        "yMin": choices("-5", "0", "1e99"),
        "yMax": choices("-5", "5", "1e99"),
        "yLimit": choices("-5", "5"),
        "yStep": choices("1e-150", "0.001", "5"),
        "minorY": choices("0", "3"),
        "yAxisSide": choices("left", "right"),
        "drawNullAsZero": choices("true"),
        "title": choices("T", "\u4e2d\U0001f600", "a$b$"),
        "fontName": choices("Serif", "no such font", "DejaVu Sans Mono"),
        "xFormat": choices("%H:%M", "%%", "x"),
        "graphOnly": choices("true"),
    },
)


@pytest.mark.filterwarnings("error", "ignore:Glyph", "ignore:AutoDateLocator")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(numbers, parameters, st.booleans(), st.integers(1, 10**7))
def test_any_values_and_parameters_make_a_picture(
    line: list[float], asked: dict[str, str], right: bool, step_s: int
) -> None:
    one = Grid(np.array([line, line[::-1]]), (Row("a", "a"), Row("b", "b", options={"secondYAxis": right})), 0, step_s)
    assert drawn([one], **asked).startswith(b"\x89PNG")


def test_slices_of_a_pie_have_the_size_of_their_numbers() -> None:
    body = render_pie("png", [Slice("a", 3), Slice("none", NAN), Slice("below", -1), Slice("b", 1)], Options()).body
    assert isinstance(body, bytes)
    picture = (imread(io.BytesIO(body)) * 255).round().astype(int)
    assert 2.5 < amount(picture, BLUE) / amount(picture, (200, 100, 255)) < 3.5
    assert render_pie("svg", [], Options()).media_type == "image/svg+xml"


def test_matplotlib_is_not_imported_before_the_first_picture() -> None:
    script = "import sys, tallystick.render; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
