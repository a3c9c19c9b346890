"""Series as bytes."""

import json
import pickle
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.model.errors import QueryError
from tallystick.model.grid import Grid, Row
from tallystick.render import FORMATS, Options, render

NAN = float("nan")


def grid(*lines: list[float], names: tuple[str, ...] = ("a", "b", "c")) -> Grid:
    rows = tuple(Row(name, name, {"name": name}) for name, _ in zip(names, lines, strict=False))
    return Grid(np.array(lines), rows, 1_700_000_040, 60)


def test_json_has_the_shape_of_graphite() -> None:
    answer = render("json", [grid([4.0, NAN])], Options())
    assert answer.media_type == "application/json"
    assert answer.body == (b'[{"target":"a","tags":{"name":"a"},"datapoints":[[4.0,1700000040],[null,1700000100]]}]')


@given(st.lists(st.lists(st.floats(allow_infinity=False), min_size=3, max_size=3), min_size=1, max_size=3))
def test_json_gives_back_every_value(lines: list[list[float]]) -> None:
    answer = json.loads(render("json", [grid(*lines)], Options()).body)
    back = [[value for value, _ in one["datapoints"]] for one in answer]
    assert back == [[None if np.isnan(value) else value for value in line] for line in lines]


def test_json_writes_infinity_as_a_number_that_overflows_to_it() -> None:
    body = render("json", [grid([float("inf"), -float("inf")])], Options()).body
    assert b"[1e9999,1700000040],[-1e9999,1700000100]" in body


def test_json_escapes_names_of_any_kind() -> None:
    hard = 'a"\\</script>\nö\x01'
    (one,) = json.loads(render("json", [grid([1.0], names=(hard,))], Options()).body)
    assert one["target"] == hard


def test_points_and_series_without_values_can_be_left_out() -> None:
    answer = json.loads(render("json", [grid([NAN, 2.0], [NAN, NAN])], Options(no_null_points=True)).body)
    assert [(one["target"], one["datapoints"]) for one in answer] == [("a", [[2.0, 1_700_000_100]])]


def test_a_series_without_slots_is_written_nonetheless() -> None:
    assert json.loads(render("json", [Grid(np.empty((1, 0)), (Row("a", "a"),), 0, 60)], Options()).body) == [
        {"target": "a", "tags": {}, "datapoints": []}
    ]


def test_json_can_be_indented_or_wrapped() -> None:
    assert b'\n  {\n    "target": "a"' in render("json", [grid([1.0])], Options(pretty=True)).body
    answer = render("json", [], Options(jsonp="my.draw_1"))
    assert (answer.body, answer.media_type) == (b"my.draw_1([])", "text/javascript")
    with pytest.raises(QueryError, match="jsonp"):
        render("json", [], Options(jsonp="alert(1)//"))


def test_csv_has_a_line_for_each_value_in_the_zone_of_the_reader() -> None:
    answer = render("csv", [grid([1.5, NAN], names=("a,b",))], Options(zone=ZoneInfo("Europe/Vienna")))
    assert answer.media_type == "text/csv"
    assert answer.body == b'"a,b",2023-11-14 23:14:00,1.5\r\n"a,b",2023-11-14 23:15:00,\r\n'


def test_raw_has_a_line_for_each_series() -> None:
    answer = render("raw", [grid([1.5, NAN], [0.1, 1e300])], Options())
    assert answer.media_type == "text/plain"
    assert answer.body.decode() == ("a,1700000040,1700000160,60|1.5,None\nb,1700000040,1700000160,60|0.1,1e+300\n")


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(QueryError, match=", ".join(sorted(FORMATS))):
        render("gif", [], Options())


def test_dygraph_has_a_row_for_each_time() -> None:
    answer = render("dygraph", [grid([4.0, NAN], [float("inf"), 2.0])], Options())
    assert answer.media_type == "application/json"
    assert answer.body == (
        b'{"labels" : ["Time","a","b"], "data" : [[1700000040000,4.0,1e9999],[1700000100000,null,2.0]]}'
    )
    assert render("dygraph", [], Options(jsonp="draw")).body == b"draw({})"


def test_dygraph_brings_different_steps_onto_one_time_line() -> None:
    fine = Grid(np.arange(4.0)[np.newaxis], (Row("fine", "fine"),), 1_700_000_040, 30)
    table = json.loads(render("dygraph", [grid([1.0, 2.0]), fine], Options()).body)["data"]
    assert table == [[1700000040000, 1.0, 0.5], [1700000100000, 2.0, 2.5]]


def test_rickshaw_names_its_axes() -> None:
    answer = render("rickshaw", [grid([4.0, NAN])], Options())
    assert answer.body == (b'[{"target":"a","datapoints":[{"x":1700000040,"y":4.0},{"x":1700000100,"y":null}]}]')


def binary_value(line: list[float]) -> list[dict[str, object]]:
    values = [None if np.isnan(value) else value for value in line]
    return [
        {
            "name": "a",
            "start": 1_700_000_040,
            "end": 1_700_000_040 + 60 * len(line),
            "step": 60,
            "values": values,
            "pathExpression": "a",
            "valuesPerPoint": 1,
            "consolidationFunc": "average",
            "xFilesFactor": 0.0,
        }
    ]


@given(st.lists(st.floats(), min_size=1, max_size=9))
def test_msgpack_gives_back_every_value(line: list[float]) -> None:
    answer = render("msgpack", [grid(line)], Options())
    assert answer.media_type == "application/x-msgpack"
    assert msgspec.msgpack.decode(answer.body) == binary_value(line)


@given(st.lists(st.floats(), min_size=1, max_size=9))
def test_pickle_gives_back_every_value(line: list[float]) -> None:
    answer = render("pickle", [grid(line)], Options())
    assert answer.media_type == "application/pickle"
    assert pickle.loads(answer.body) == binary_value(line)
