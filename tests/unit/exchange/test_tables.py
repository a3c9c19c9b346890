"""Parquet and CSV: what is written is read back with all of its statistics; tables of others are read as samples."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.exchange.registry import readers, writers
from tallystick.fold import fold_batch
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.tally import Tally
from tallystick.store.history import History
from watching import Told

NOW_S = 1_700_002_800
NAMES = [f"web.{kind.name.lower()};host=a" for kind in Kind]
FORMATS = ("parquet", "csv")

rows = st.lists(
    st.tuples(
        st.integers(0, len(NAMES) - 1), st.integers(0, 200), st.floats(-1e12, 1e12), st.sampled_from([1.0, 10.0])
    ),
    min_size=1,
    max_size=50,
)


def histories(drawn: Iterable[tuple[int, int, float, float]], step_s: int = 10) -> list[History]:
    series, seconds, values, weights = (np.array(column) for column in zip(*drawn, strict=True))
    kind = series.astype(np.uint8)
    value = values.astype(np.float64)
    sets = kind == Kind.SET
    value[sets] = (1 + seconds[sets]).astype(np.int64).view(np.float64)
    batch = SampleBatch(series.astype(np.int32), (NOW_S + seconds) * 1000, value, weights, kind)
    return [History(NAMES, list(Kind), tally) for tally in fold_batch(batch, step_s)]


def rows_of(pieces: Iterable[History]) -> list[tuple[object, ...]]:
    """Every row with all that it has, in an order that does not depend on the pieces."""
    found = []
    for piece in pieces:
        tally, full = piece.tally, piece.tally.full
        for k in range(len(tally)):
            position = int(tally.series[k])
            found.append(
                (
                    piece.names[position],
                    int(piece.kinds[position]),
                    tally.step_s,
                    int(tally.slot[k]),
                    *(float(c[k]) for c in (full.count, full.sum, full.m2, full.min, full.max, tally.last)),
                    *_histogram(tally, k),
                    _sketch(tally, k),
                )
            )
    return sorted(found)


def _histogram(tally: Tally, row: int) -> tuple[object, ...]:
    if tally.histograms is None:
        return ((), ())
    h = tally.histograms
    inside = slice(int(h.offset[row]), int(h.offset[row + 1]))
    return tuple(h.bucket[inside].tolist()), tuple(h.weight[inside].tolist())


def _sketch(tally: Tally, row: int) -> bytes:
    s = tally.sketches
    return b"" if s is None else s.data[int(s.offset[row]) : int(s.offset[row + 1])].tobytes()


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=rows, step_s=st.sampled_from([1, 10, 60]))
def test_what_is_written_is_read_back(
    tmp_path: Path, form: str, drawn: list[tuple[int, int, float, float]], step_s: int
):
    pieces = histories(drawn, step_s)
    file = tmp_path / f"history.{form}"
    writers()[form](file, pieces)
    told = Told()
    assert rows_of(readers()[form](file, told)) == rows_of(pieces)
    assert told.sentences == []
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_tree_of_files_is_read(tmp_path: Path, form: str):
    for k in range(3):
        (tmp_path / f"{k}").mkdir()
        writers()[form](tmp_path / f"{k}" / f"x.{form}", histories([(0, 10 * k, 1.0, 1.0)]))
    (tmp_path / "readme.txt").write_text("not of interest")
    assert len(rows_of(readers()[form](tmp_path, Told()))) == 3


def write_parquet(file: Path, columns: dict[str, list[object]]) -> None:
    pq.write_table(pa.table(columns), file)


def write_csv(file: Path, columns: dict[str, list[object]]) -> None:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    file.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("form", "write"), [("parquet", write_parquet), ("csv", write_csv)])
@pytest.mark.parametrize("factor", [1, 1000, 10**6, 10**9])
def test_a_table_of_samples_is_read_whatever_its_times_count(
    tmp_path: Path, form: str, write: Callable[[Path, dict[str, list[object]]], None], factor: int
):
    times = [(NOW_S + k) * factor for k in range(3)]
    write(tmp_path / f"x.{form}", {"name": ["a;y=2;x=1"] * 3, "time": times, "value": [1.5, 2.0, -3.0]})
    found = rows_of(readers()[form](tmp_path, Told()))
    assert [(row[0], row[1], row[2], row[3], row[9]) for row in found] == [
        ("a;x=1;y=2", Kind.GAUGE, 1, NOW_S + k, value) for k, value in enumerate([1.5, 2.0, -3.0])
    ]


def test_timestamps_and_kinds_of_a_table_are_understood(tmp_path: Path):
    times = pa.array([NOW_S * 10**9, NOW_S * 10**9 + 1], pa.timestamp("ns"))
    table = pa.table({"name": ["a", "a"], "kind": ["counter", None], "time": times, "value": pa.array([1, 2])})
    pq.write_table(table, tmp_path / "x.parquet")
    found = rows_of(readers()["parquet"](tmp_path, Told()))
    assert [(row[1], row[9]) for row in found] == [(Kind.GAUGE, 2.0), (Kind.COUNTER, 1.0)]


def test_times_as_text_and_a_file_without_a_header_are_understood(tmp_path: Path):
    (tmp_path / "a.csv").write_text("name,time,value\na,2023-11-14 23:00:00,1\na,2023-11-14T23:00:01Z,\n")
    (tmp_path / "b.csv").write_text("b,2023-11-14 23:00:00,1\n")
    told = Told()
    found = rows_of(readers()["csv"](tmp_path, told))
    assert told.sentences == []
    assert [(row[0], row[3], row[9]) for row in found] == [("a", NOW_S, 1.0), ("b", NOW_S, 1.0)]


@pytest.mark.parametrize(
    ("columns", "cause"),
    [
        ({"name": ["a"], "when": [NOW_S]}, "name, when; expected name, time and value"),
        ({"name": ["a"], "time": [NOW_S], "value": [1.0], "kind": ["gouge"]}, "'gouge'; expected one of gauge"),
        ({"name": ["a"], "time": [NOW_S], "value": ["x"]}, "cannot use columns"),
        ({"name": [None], "time": [NOW_S], "value": [1.0]}, "without a name"),
        ({"name": ["a"], "time": ["never"], "value": [1.0]}, "cannot use columns"),
    ],
)
def test_a_table_that_cannot_be_used_is_named_with_its_columns(
    tmp_path: Path, columns: dict[str, list[object]], cause: str
):
    write_parquet(tmp_path / "x.parquet", columns)
    told = Told()
    assert list(readers()["parquet"](tmp_path, told)) == []
    assert str(tmp_path / "x.parquet") in told.sentences[0]
    assert cause in told.sentences[0]


@pytest.mark.parametrize("form", FORMATS)
def test_damaged_files_are_named_and_cost_only_themselves(tmp_path: Path, form: str):
    for name in ("a", "b"):
        writers()[form](tmp_path / f"{name}.{form}", histories([(0, 1, 1.0, 1.0)]))
    content = (tmp_path / f"a.{form}").read_bytes()
    (tmp_path / f"a.{form}").write_bytes(content[: len(content) // 2] + b"\xff,,,\n")
    told = Told()
    assert len(rows_of(readers()[form](tmp_path, told))) == 1
    assert len(told.sentences) == 1


def test_every_format_is_registered_once():
    assert set(readers()) >= {"parquet", "csv", "whisper", "rrd", "istatd"}
    assert set(writers()) == {"parquet", "csv"}


def test_a_long_name_of_many_rows_takes_no_memory_for_each(tmp_path: Path):
    name = pa.DictionaryArray.from_arrays(pa.array(np.zeros(200_000, np.int32)), pa.array(["x" * 100_000]))
    time, value = pa.array(np.full(200_000, NOW_S)), pa.array(np.ones(200_000))
    pq.write_table(pa.table({"name": name, "time": time, "value": value}), tmp_path / "x.parquet", store_schema=False)
    before = pa.total_allocated_bytes()
    told = Told()
    (piece,) = readers()["parquet"](tmp_path, told)
    assert [len(name) for name in piece.names] == [100_000]
    assert told.sentences == []
    assert pa.total_allocated_bytes() - before < 10_000_000
