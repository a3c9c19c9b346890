"""What a result can be made into, and how it looks."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filled import NOW_S

from tallystick.database import Database, Result
from tallystick.model.errors import QueryError

NAN = float("nan")


def result_of(*names: str, **columns: list[list[float]]) -> Result:
    arrays = {word: np.array(values, float) for word, values in columns.items()}
    return Result(names, ({},) * len(names), (None,) * len(names), (None,) * len(names), 1000, 10, arrays)


def test_a_data_frame_has_a_column_for_each_series(db: Database) -> None:
    frame = db.query("web.*.load", "-5min").to_pandas()
    assert list(frame.columns) == ["web.a.load", "web.b.load"]
    assert frame.columns.name == "name"
    assert frame.index.name == "time"
    assert str(frame.index.tz) == "UTC"
    assert frame.index[0] == pd.Timestamp(NOW_S - 290, unit="s", tz="UTC")
    assert frame.index.freq == pd.Timedelta(seconds=10)
    assert frame["web.a.load"].iloc[0] == 131.0
    assert frame.resample("1min").max().shape[0] == 6


def test_several_statistics_stand_below_their_series(db: Database) -> None:
    result = db.query("web.*.load", "-5min", statistics=["min", "max"])
    frame = result.to_pandas()
    assert frame.columns.names == ["name", "statistic"]
    for i, name in enumerate(result.names):
        for word in ("min", "max"):
            np.testing.assert_array_equal(frame[name, word].to_numpy(), result.to_numpy(word)[i])
    assert list(frame.xs("max", axis="columns", level="statistic").columns) == ["web.a.load", "web.b.load"]


def test_a_wide_arrow_table_has_a_column_for_each_series() -> None:
    table = result_of("a", "b", avg=[[1, NAN], [3, 4]]).to_arrow()
    assert table.schema.field("time").type == pa.timestamp("ms", "UTC")
    assert table.column_names == ["time", "a", "b"]
    assert table["a"].to_pylist() == [1.0, None]
    several = result_of("a", min=[[1, 2]], max=[[3, 4]]).to_arrow()
    assert several.column_names == ["time", "a:min", "a:max"]


def test_a_long_arrow_table_has_a_row_for_each_value() -> None:
    table = result_of("a", "b", min=[[1, NAN], [NAN, NAN]], max=[[2, NAN], [NAN, 5]]).to_arrow("long")
    assert table.column_names == ["time", "name", "min", "max"]
    assert table["name"].to_pylist() == ["a", "b"]
    assert table["min"].to_pylist() == [1.0, None]
    assert table["max"].to_pylist() == [2.0, 5.0]
    assert [moment.timestamp() for moment in table["time"].to_pylist()] == [1000, 1010]
    with pytest.raises(QueryError, match="expected wide or long"):
        result_of("a", avg=[[1]]).to_arrow("tall")


@pytest.mark.parametrize("layout", ["wide", "long"])
def test_both_layouts_go_to_parquet_and_back(db: Database, tmp_path: object, layout: str) -> None:
    table = db.query("web.*.load", "-5min", statistics=["min", "max"]).to_arrow(layout)
    pq.write_table(table, f"{tmp_path}/a.parquet")
    again = pq.read_table(f"{tmp_path}/a.parquet")
    assert again.to_pandas().equals(table.to_pandas())


def test_nothing_found_is_an_empty_table_of_each_kind(db: Database) -> None:
    empty = db.query("no.such", statistics=["min", "max"])
    assert empty.to_pandas().shape == (0, 0)
    assert empty.to_arrow().num_rows == empty.to_arrow("long").num_rows == 0
    assert "no series matches" in empty._repr_html_()
    assert empty.times.shape == (0,)


def test_a_console_sees_what_it_is_and_the_first_series() -> None:
    many = result_of(*(f"web.{i}" for i in range(12)), avg=[[i, i + 2.0] for i in range(12)])
    first, second, *_, last = repr(many).splitlines()
    assert first == "<Result: 12 series, 2 slots of 10 s, 1970-01-01 00:16:40 to 1970-01-01 00:17:00 UTC, avg>"
    assert second == "  'web.0'  last 2  min 0  max 2  avg 1"
    assert last == "and 2 more"
    assert "  'gap'  last -" in repr(result_of("gap", avg=[[NAN, NAN]]))


def test_names_are_only_text_wherever_they_are_shown() -> None:
    evil = result_of("<script>alert(1)</script>\x1b[2J&", avg=[[1, 2, NAN, float("inf")]])
    shown = evil._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
    assert "<svg" in shown
    assert "\x1b" not in repr(evil)


def test_a_course_keeps_the_peak_among_many_slots() -> None:
    values = [0.0] * 5000
    values[2503] = 9.0
    shown = result_of("a", avg=[values])._repr_html_()
    points = shown.partition("points='")[2].partition("'")[0].split()
    assert sum(point.endswith(",1.0") for point in points) == 1
