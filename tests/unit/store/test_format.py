"""The reader that was made from the format page alone agrees with the store."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from stores import NOW_S, opened
from tallystick.model.clock import ManualClock
from tallystick.model.kind import Kind
from tallystick.model.sample import SampleBatch
from tallystick.model.statistic import Statistic

READER = Path(__file__).parents[3] / "tools" / "read_block.py"
NAMES = ["gauge", "sparse", "several", "timing", "members"]
KINDS = [Kind.GAUGE, Kind.GAUGE, Kind.COUNTER, Kind.TIMING, Kind.SET]
COLUMNS = {"last": Statistic.LAST, "count": Statistic.COUNT, "sum": Statistic.SUM, "min": Statistic.MIN}
COLUMNS |= {"max": Statistic.MAX}


@pytest.fixture(scope="module")
def reader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("read_block", READER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def batches() -> list[SampleBatch]:
    """Every form of a page: regular and listed slots, one and several samples, histograms and sketches."""
    random = np.random.default_rng(8)
    offsets = [
        np.arange(-300, 300),
        np.sort(random.choice(600, 90, replace=False)) - 300,
        np.repeat(np.arange(-100, 100), 3),
        np.repeat(np.arange(-50, 50, 5), 40),
        np.repeat(np.arange(-20, 20), 30),
    ]
    found = []
    for series, (slots, kind) in enumerate(zip(offsets, KINDS, strict=True)):
        value = np.round(random.normal(50, 9, len(slots)), 2)
        if kind == Kind.SET:
            value = random.integers(1, 40, len(slots)).astype(np.int64).view(np.float64)
        times = (NOW_S + slots * 10) * 1000
        found.append(SampleBatch.of(np.full(len(slots), series), times, value, kind=kind))
    return found


@pytest.fixture(scope="module", params=["sealed", "compacted"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("format")
    clock = ManualClock(float(NOW_S))
    with opened(directory, clock) as store:
        store.create(NAMES, KINDS)
        for batch in batches():
            store.append(batch)
        store.maintenance.seal()
        if request.param == "compacted":
            clock.advance(3 * 7200.0)
            store.maintenance.compact()
    return directory


def blocks(directory: Path) -> list[Path]:
    return sorted((directory / "blocks").iterdir())


@pytest.mark.parametrize("series", range(len(NAMES)), ids=NAMES)
def test_the_reader_finds_what_the_store_finds(reader: ModuleType, directory: Path, series: int):
    rows = [row for path in blocks(directory) for row in reader.slots(path, series)]
    start_s, until_s = NOW_S - 7200, NOW_S + 7200
    with opened(directory) as store:
        ids = np.array([series], np.int32)
        expected = store.read(ids, start_s, until_s, 10, list(Statistic))
        ranks = store.percentiles(ids, start_s, until_s, 10, [100.0])[100.0][0]
    times = [row["time_s"] for row in rows]
    assert times == [start_s + 10 * int(k) for k in np.flatnonzero(~np.isnan(expected[Statistic.LAST][0]))]
    for row in rows:
        k = (row["time_s"] - start_s) // 10
        assert row["last"] == expected[Statistic.LAST][0, k]
        if KINDS[series] == Kind.SET:
            assert row["sketch"]
            continue
        for name, statistic in COLUMNS.items():
            if name in row:
                assert row[name] == expected[statistic][0, k]
        if KINDS[series] == Kind.TIMING:
            numbers, weights = row["buckets"]
            assert sum(weights) == row["count"] == 40
            assert 2.0 ** ((numbers[-1] - 40_000) / 32) < ranks[k] <= 2.0 ** ((numbers[-1] - 39_999) / 32)


def test_the_forms_of_pages_differ(reader: ModuleType, directory: Path):
    keys = [set(next(reader.slots(blocks(directory)[0], k))) for k in range(len(NAMES))]
    assert [("count" in k, "buckets" in k, "sketch" in k) for k in keys[:4]] == [
        (False, False, False),
        (False, False, False),
        (True, False, False),
        (True, True, False),
    ]
    assert "sketch" in keys[4]


def test_the_reader_prints_a_line_for_each_slot(directory: Path):
    command = [sys.executable, str(READER), str(blocks(directory)[0]), "0"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == 600
    assert json.loads(lines[0]).keys() == {"time_s", "last"}


@pytest.mark.parametrize("position", [2, 500, -240, -100, -12, -1])
def test_the_reader_notices_damage(reader: ModuleType, directory: Path, tmp_path: Path, position: int):
    data = bytearray(blocks(directory)[0].read_bytes())
    data[position] ^= 4
    (tmp_path / "damaged.block").write_bytes(data)
    with pytest.raises(SystemExit, match="cannot"):
        list(reader.slots(tmp_path / "damaged.block", 0))


def test_the_reader_imports_nothing_of_ours_and_is_short():
    text = READER.read_text()
    assert "import tallystick" not in text
    assert "from tallystick" not in text
    assert len(text.splitlines()) <= 70


def test_a_series_with_one_sample_takes_24_bytes(tmp_path: Path):
    with opened(tmp_path) as store:
        ids = store.create([f"pod.{k}.start" for k in range(5000)], [Kind.GAUGE] * 5000)
        store.append(SampleBatch.of(ids, np.full(5000, NOW_S * 1000), np.arange(5000.0)))
        store.maintenance.seal()
        (entry,) = store.block_set.manifest.blocks
    assert entry.file_bytes < 24.5 * 5000
