"""Reading istatd's files. No istatd was at hand: the writer below is made from the same page of its format."""

import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tallystick.exchange.istatd import read
from tallystick.exchange.istatd_file import BUCKET, COLLATED, COUNTER_AGGREGATE, MAGIC, TRAILING, recognised
from tallystick.model.kind import Kind
from tallystick.store.history import History
from watching import Told

T0 = 1_700_002_800  # the beginning of an hour
PAGE_BYTES = 8192
BUCKETS_A_PAGE = PAGE_BYTES // 32


class Ring:
    """A file of istatd, written as it writes: a bucket's place follows from its time, old ones are not cleared."""

    def __init__(self, interval_s: int, *, pages: int = 2, flags: int = 0, created_s: int = T0, fixed: int = 0) -> None:
        self.interval_s, self.pages, self.flags, self.created_s, self.fixed = interval_s, pages, flags, created_s, fixed
        self.buckets = np.zeros(pages * BUCKETS_A_PAGE, BUCKET)
        self.last_s = 0

    def sample(self, at_s: int, *values: float) -> "Ring":
        """Samples of a gauge at one time."""
        slot_s = at_s - at_s % self.interval_s
        place = (slot_s - self.created_s) // self.interval_s % len(self.buckets)
        if self.buckets["time"][place] != slot_s:
            self.buckets[place] = np.zeros((), BUCKET)
            self.buckets["time"][place] = slot_s
        bucket = self.buckets[place]  # a view
        for value in values:
            first = bucket["count"] == 0
            bucket["sum"] += value
            bucket["sum_sq"] += np.float32(value) ** 2
            bucket["min"] = value if first else min(bucket["min"], value)
            bucket["max"] = value if first else max(bucket["max"], value)
            bucket["count"] += 1
        self.last_s = max(self.last_s, slot_s)
        return self

    def events(self, at_s: int, events: float, base_s: int = 10) -> "Ring":
        """What a counter had in one of its finest intervals: kept as a rate."""
        self.sample(at_s, events / base_s)
        if self.flags & COUNTER_AGGREGATE:
            slot_s = at_s - at_s % self.interval_s
            self.buckets["count"][self.buckets["time"] == slot_s] = self.fixed
        return self

    def header(self) -> bytes:
        head = bytearray(PAGE_BYTES)
        head[:16] = MAGIC.ljust(16, b"\0")
        struct.pack_into("<5i", head, 16, 464, self.interval_s, self.flags, 8, 4)
        struct.pack_into("<5q", head, 40, PAGE_BYTES, self.pages, 0, 0, self.last_s)
        struct.pack_into("<q", head, 112, self.created_s)
        struct.pack_into("<q", head, 456, self.fixed)
        return bytes(head)

    def write(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(self.header() + self.buckets.tobytes())
        return file


def pieces(path: Path) -> list[History]:
    told = Told()
    found = list(read(path, told))
    assert not told.sentences
    return found


def starts(history: History) -> list[int]:
    return (history.tally.slot * history.tally.step_s).tolist()


def statistics(history: History) -> list[tuple[float, ...]]:
    s = history.tally.full
    return list(zip(s.count.tolist(), s.sum.tolist(), s.m2.tolist(), s.min.tolist(), s.max.tolist(), strict=True))


def test_a_gauge_keeps_all_its_statistics(tmp_path: Path) -> None:
    Ring(10).sample(T0, 4.0).sample(T0 + 11, 3.0, 5.0, 10.0).write(tmp_path / "web" / "load" / "10s")
    (history,) = pieces(tmp_path)
    assert list(history.names) == ["web.load"]
    assert list(history.kinds) == [Kind.GAUGE]
    assert starts(history) == [T0, T0 + 10]
    assert statistics(history) == [(1, 4, 0, 4, 4), (3, 18, 26, 3, 10)]
    assert history.tally.last.tolist() == [4.0, 6.0]  # no last value is kept: the average stands for it


def test_slots_of_one_sample_need_no_spread(tmp_path: Path) -> None:
    Ring(10).sample(T0, 1.25).sample(T0 + 20, 2.5).write(tmp_path / "a" / "10s")
    (history,) = pieces(tmp_path)
    assert history.tally.spread is None
    assert history.tally.last.tolist() == [1.25, 2.5]


def test_a_ring_that_went_round_holds_its_last_round(tmp_path: Path) -> None:
    ring = Ring(10)
    size = len(ring.buckets)
    for k in range(0, 3 * size, 2):  # every other one: what lies between is of the round before
        ring.sample(T0 + 10 * k, float(k))
    for k in range(size - 99, size, 2):
        ring.buckets[k]["time"] = T0 + 10 * k  # left from the first round, never cleared
        ring.buckets[k]["count"] = 1
    ring.write(tmp_path / "a" / "10s")
    (history,) = pieces(tmp_path)
    assert history.tally.last.tolist() == [float(k) for k in range(2 * size, 3 * size, 2)]
    assert starts(history) == [T0 + 10 * k for k in range(2 * size, 3 * size, 2)]


def test_samples_from_before_the_file_was_made_are_found_too(tmp_path: Path) -> None:
    Ring(10).sample(T0 - 500, 1.0).sample(T0, 2.0).write(tmp_path / "a" / "10s")
    (history,) = pieces(tmp_path)
    assert starts(history) == [T0 - 500, T0]


def test_the_deviation_of_large_values_is_not_made_of_rounding(tmp_path: Path) -> None:
    Ring(10).sample(T0, *[1e9] * 7).sample(T0 + 10, 16_777_216.0, 16_777_218.0).write(tmp_path / "a" / "10s")
    (history,) = pieces(tmp_path)
    m2 = history.tally.full.m2.tolist()
    assert m2 == [0.0, 2.0]  # seven equal values deviate by nothing; two have the deviation of their extremes


def test_a_counter_becomes_events_again(tmp_path: Path) -> None:
    fine, coarse = Ring(10, flags=COLLATED), Ring(300, flags=COUNTER_AGGREGATE, fixed=30)
    for at_s, events in ((T0, 1), (T0 + 10, 7), (T0 + 290, 33)):
        fine.events(at_s, events)
        coarse.events(at_s, events)
    fine.write(tmp_path / "errors" / "10s")
    (history,) = pieces(tmp_path)
    assert list(history.kinds) == [Kind.COUNTER]
    assert statistics(history) == [(1, 1, 0, 1, 1), (1, 7, 0, 7, 7), (1, 33, 0, 33, 33)]
    (tmp_path / "errors" / "10s").unlink()
    coarse.write(tmp_path / "errors" / "5m")
    (history,) = pieces(tmp_path)
    ((count, total, m2, low, high),) = statistics(history)
    assert (count, total, low, high) == (30, 41, 1, 33)  # the smallest of those that had any
    assert m2 == pytest.approx(np.var([1, 7, 33, *[0] * 27]) * 30, rel=1e-5)  # of all thirty, silent ones included


def test_each_sample_is_there_once_though_every_file_has_it(tmp_path: Path) -> None:
    fine, middle, coarse = Ring(10), Ring(300), Ring(3600)
    for k in range(3 * len(fine.buckets)):
        for ring in (fine, middle, coarse):
            ring.sample(T0 + 10 * k, float(k % 100), float(k % 7))
    for ring, name in ((fine, "10s"), (middle, "5m"), (coarse, "1h")):
        ring.write(tmp_path / "a" / name)
    histories = pieces(tmp_path)
    assert [h.tally.step_s for h in histories] == [10, 300]
    assert sum(float(h.tally.full.count.sum()) for h in histories) == 2 * 3 * len(fine.buckets)
    finest, older = histories
    assert starts(finest)[0] == starts(older)[-1] + 300


def test_a_young_counter_is_not_replaced_by_a_bucket_that_is_not_over(tmp_path: Path) -> None:
    Ring(10).sample(T0 + 20, 1.0).sample(T0 + 60, 2.0).write(tmp_path / "a" / "10s")
    Ring(300).sample(T0 + 20, 1.0).sample(T0 - 300, 5.0).write(tmp_path / "a" / "5m")
    fine, coarse = pieces(tmp_path)
    assert starts(fine) == [T0 + 20, T0 + 60]
    assert starts(coarse) == [T0 - 300]


def test_trailing_files_are_no_measurements(tmp_path: Path) -> None:
    Ring(10).sample(T0, 1.0).write(tmp_path / "a" / "10s")
    Ring(300, flags=TRAILING).sample(T0 - 9000, 7.0).write(tmp_path / "a" / "ret-7d")
    assert [starts(h) for h in pieces(tmp_path)] == [[T0]]


def test_a_file_that_was_not_written_to_its_end_gives_what_it_has(tmp_path: Path) -> None:
    ring = Ring(10)
    for k in range(400):
        ring.sample(T0 + 10 * k, float(k))
    file = ring.write(tmp_path / "a" / "10s")
    file.write_bytes(file.read_bytes()[: PAGE_BYTES + 32 * 300 + 5])
    told = Told()
    (history,) = read(tmp_path, told)
    assert len(history) == 300
    assert told.sentences == [f"cannot read all of {file}: it ends after 300 of 512 buckets; what is whole was read"]


def test_pages_that_never_reached_the_disk_are_gaps(tmp_path: Path) -> None:
    ring = Ring(10)
    for k in range(400):
        ring.sample(T0 + 10 * k, float(k))
    ring.buckets[:BUCKETS_A_PAGE] = np.zeros((), BUCKET)
    ring.last_s = T0 + 10 * 380  # the header is older than the last page
    ring.write(tmp_path / "a" / "10s")
    (history,) = pieces(tmp_path)
    assert starts(history) == [T0 + 10 * k for k in range(256, 400)]


def test_buckets_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    ring = Ring(10)
    for k in range(6):
        ring.sample(T0 + 10 * k, float(k))
    ring.buckets[0]["time"] = T0 + 10  # not its place
    ring.buckets[1]["sum"] = np.nan
    ring.buckets[2]["min"] = 99
    ring.buckets[3]["count"] = -1
    ring.buckets[4]["time"] += 10 * len(ring.buckets) * 1000  # years ahead of the header
    ring.write(tmp_path / "a" / "10s")
    assert [starts(h) for h in pieces(tmp_path)] == [[T0 + 50]]


@pytest.mark.parametrize(
    ("offset", "form", "value", "problem"),
    [
        (20, "<i", 0, "its header is damaged"),
        (32, "<i", 5, "its version is 5; expected 4"),
        (40, "<q", 1 << 40, "its header is damaged"),
        (40, "<q", 33, "its header is damaged"),
        (48, "<q", -1, "its header is damaged"),
        (112, "<q", -5, "its header is damaged"),
        (456, "<q", 1 << 50, "its header is damaged"),
    ],
)
def test_a_file_with_a_damaged_header_is_named_and_stops_no_other(
    tmp_path: Path, offset: int, form: str, value: int, problem: str
) -> None:
    for name in ("a", "b", "c"):
        Ring(10).sample(T0, 1.0).write(tmp_path / name / "10s")
    file = tmp_path / "b" / "10s"
    damaged = bytearray(file.read_bytes())
    struct.pack_into(form, damaged, offset, value)
    file.write_bytes(damaged)
    told = Told()
    assert [name for history in read(tmp_path, told) for name in history.names] == ["a", "c"]
    assert len(told.sentences) == 1
    assert told.sentences[0].startswith(f"cannot read {file}: {problem}")


def test_files_of_others_are_not_looked_at(tmp_path: Path) -> None:
    Ring(10).sample(T0, 1.0).write(tmp_path / "a" / "10s")
    (tmp_path / "a" / "notes").write_text("something else")
    (tmp_path / "empty").write_bytes(b"")
    assert [name for history in pieces(tmp_path) for name in history.names] == ["a"]
    assert [recognised(f) for f in _in_order(tmp_path.rglob("*"))] == [False, True, False, False]


def test_names_follow_the_directories(tmp_path: Path) -> None:
    for name in ("web/errors", "web/load.avg", "db"):
        Ring(10).sample(T0, 1.0).write(tmp_path / name / "10s")
    assert [name for h in pieces(tmp_path) for name in h.names] == ["db", "web.errors", "web.load_avg"]
    assert [name for h in pieces(tmp_path / "db") for name in h.names] == ["db"]


def test_any_bytes_behind_the_magic_are_read_or_named(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    whole = Ring(10).sample(T0, 1.0).write(tmp_path / "a" / "10s").read_bytes()
    for _ in range(200):
        damaged = bytearray(whole)
        for at in random.integers(16, 600, 4):
            damaged[at] = random.integers(0, 256)
        (tmp_path / "a" / "10s").write_bytes(damaged[: random.integers(16, len(damaged))])
        told = Told()
        for history in read(tmp_path, told):
            assert np.isfinite(history.tally.full.sum).all()


def _in_order(files: Iterable[Path]) -> list[Path]:
    return sorted(files)
