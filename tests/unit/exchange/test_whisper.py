"""Reading Graphite's trees: files are written, and read for comparison, by the whisper package itself."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import whisper
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallystick.exchange.whisper import name_of, read
from tallystick.exchange.whisper_file import METHODS, parse
from tallystick.model.errors import ForeignFileError
from tallystick.model.kind import Kind
from tallystick.store.history import History
from watching import Told

NOW_S = 1_700_002_800


def create(file: Path, archives: list[tuple[int, int]], method: str = "average", xff: float = 0.5) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    whisper.create(str(file), archives, xFilesFactor=xff, aggregationMethod=method)
    return file


def update(file: Path, points: dict[int, float], now_s: int = NOW_S) -> None:
    whisper.update_many(str(file), sorted(points.items()), now=now_s)


def points_of(pieces: list[History]) -> dict[tuple[str, int], dict[int, float]]:
    found: dict[tuple[str, int], dict[int, float]] = {}
    for piece in pieces:
        tally = piece.tally
        assert tally.spread is None
        for position, slot, value in zip(tally.series, tally.slot, tally.last, strict=True):
            key = piece.names[position], tally.step_s
            found.setdefault(key, {})[int(slot) * tally.step_s] = float(value)
    return found


def test_directories_are_names_and_methods_are_kinds(tmp_path: Path):
    update(create(tmp_path / "web" / "cpu.wsp", [(10, 60)]), {NOW_S - 10: 1.5})
    update(create(tmp_path / "hits.wsp", [(10, 60)], "sum"), {NOW_S - 10: 2.0})
    (tmp_path / "notes.txt").write_text("not of interest")
    told = Told()
    pieces = list(read(tmp_path, told))
    assert points_of(pieces) == {("hits", 10): {NOW_S - 10: 2.0}, ("web.cpu", 10): {NOW_S - 10: 1.5}}
    assert [piece.kinds for piece in pieces] == [[Kind.COUNTER], [Kind.GAUGE]]
    assert told.sentences == []
    assert told.size_bytes == sum(file.stat().st_size for file in tmp_path.rglob("*.wsp"))


def test_a_single_file_is_named_by_itself(tmp_path: Path):
    file = create(tmp_path / "cpu.wsp", [(10, 60)])
    update(file, {NOW_S - 10: 1.0})
    assert points_of(list(read(file, Told()))) == {("cpu", 10): {NOW_S - 10: 1.0}}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/b/c.wsp", "a.b.c"),
        ("a b/c;d.wsp", "a_b.c_d"),
        ("_tagged/abc/def/disk_DOT_used;host=web1;dc=x.wsp", "disk.used;dc=x;host=web1"),
    ],
)
def test_paths_are_names(path: str, name: str):
    *folders, file = path.split("/")
    assert name_of(tuple(folders), file) == name


def test_a_file_named_by_a_hash_is_named_and_passed_over(tmp_path: Path):
    create(tmp_path / "_tagged" / "abc" / "def" / f"{'ab' * 32}.wsp", [(10, 60)])
    told = Told()
    assert list(read(tmp_path, told)) == []
    assert "TAG_HASH_FILENAMES" in told.sentences[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:10],
        lambda content: content[:20],
        lambda content: content[:-1],
        lambda content: b"\0" * 16 + content[16:],
        lambda content: content[:12] + b"\0\0\xff\xff" + content[16:],
        lambda content: content[:20] + b"\0\0\0\0" + content[24:],
        lambda content: b"",
    ],
)
def test_damaged_files_are_named_and_cost_only_themselves(tmp_path: Path, damage):
    update(create(tmp_path / "a.wsp", [(10, 60)]), {NOW_S - 10: 1.0})
    update(create(tmp_path / "b.wsp", [(10, 60)]), {NOW_S - 10: 2.0})
    (tmp_path / "a.wsp").write_bytes(damage((tmp_path / "a.wsp").read_bytes()))
    told = Told()
    assert points_of(list(read(tmp_path, told))) == {("b", 10): {NOW_S - 10: 2.0}}
    assert len(told.sentences) == 1
    assert str(tmp_path / "a.wsp") in told.sentences[0]


def test_any_bytes_are_read_or_refused(tmp_path: Path):
    random.seed(3)
    content = create(tmp_path / "a.wsp", [(10, 60), (60, 60)]).read_bytes()
    for _ in range(300):
        damaged = bytearray(content[: random.choice([len(content), random.randrange(len(content))])])
        for _ in range(random.randrange(8)):
            if damaged:
                damaged[random.randrange(min(len(damaged), 60))] = random.randrange(256)
        try:
            parse(bytes(damaged))
        except ForeignFileError:
            continue


def test_coarser_archives_are_read_where_finer_ones_do_not_reach(tmp_path: Path):
    file = create(tmp_path / "a.wsp", [(10, 30), (60, 30)])
    start_s = NOW_S - 1200
    for at_s in range(start_s, NOW_S, 10):
        whisper.update(str(file), float(at_s - start_s), at_s, now=at_s)
    found = points_of(list(read(file, Told())))
    fine, coarse = found["a", 10], found["a", 60]
    assert min(fine) == NOW_S - 300
    assert sorted(coarse) == list(range(start_s, NOW_S - 300, 60))
    assert coarse[start_s] == 25.0
    assert all(value == at_s - start_s for at_s, value in fine.items())


def test_a_coarse_slot_that_a_finer_archive_has_forgotten_half_of_is_taken_whole(tmp_path: Path):
    file = create(tmp_path / "a.wsp", [(10, 30), (60, 30)])
    end_s = NOW_S + 30
    for at_s in range(end_s - 1200, end_s, 10):
        whisper.update(str(file), 1.0, at_s, now=at_s)
    found = points_of(list(read(file, Told())))
    assert min(found["a", 10]) == NOW_S - 240
    assert max(found["a", 60]) == NOW_S - 300


archives_drawn = st.sampled_from([[(10, 12)], [(10, 12), (60, 10)], [(10, 6), (30, 10), (300, 12)], [(1, 13), (10, 4)]])
updates = st.lists(st.tuples(st.integers(0, 4000), st.integers(-500, 500), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    archives=archives_drawn,
    drawn=updates,
    method=st.sampled_from(sorted(METHODS.values())),
    xff=st.sampled_from([0, 0.5, 1]),
)
def test_every_archive_holds_what_whisper_reads_from_it(
    tmp_path: Path, archives: list[tuple[int, int]], drawn: list[tuple[int, int, bool]], method: str, xff: float
):
    """Rings that wrapped, gaps, late points, factors that leave coarse points out: as whisper itself sees them."""
    file = tmp_path / "a.wsp"
    file.unlink(missing_ok=True)
    create(file, archives, method, xff)
    reach_s = archives[-1][0] * archives[-1][1]
    now_s = NOW_S
    for seconds, value, late in drawn:
        if not late:
            now_s += seconds % 97
        at_s = now_s - (seconds % reach_s if late else 0)
        whisper.update(str(file), value / 4, at_s, now=now_s)
    parsed_method, parsed = parse(file.read_bytes())
    assert parsed_method == method
    for archive, (step_s, points) in zip(parsed, archives, strict=True):
        newest_s = int(archive.time_s.max(initial=0))
        if not newest_s:
            continue
        assert (np.diff(archive.time_s) > 0).all()
        info = {"secondsPerPoint": step_s, "points": points, "retention": step_s * points}
        start_s = newest_s - step_s * points
        times, values = whisper.fetch(str(file), start_s, newest_s, now=newest_s, archiveToSelect=step_s)
        expected = {t: v for t, v in zip(range(*times), values, strict=True) if v is not None}
        assert dict(zip(archive.time_s.tolist(), archive.value.tolist(), strict=True)) == expected, info


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(archives=archives_drawn, drawn=updates)
def test_each_moment_is_read_once(tmp_path: Path, archives: list[tuple[int, int]], drawn: list[tuple[int, int, bool]]):
    file = tmp_path / "a.wsp"
    file.unlink(missing_ok=True)
    create(file, archives, "sum", 0.0)
    now_s = NOW_S
    for seconds, _, _ in drawn:
        now_s += seconds % 97
        whisper.update(str(file), 1.0, now_s, now=now_s)
    pieces = list(read(file, Told()))
    covered: set[int] = set()
    for (_, step_s), points in points_of(pieces).items():
        for at_s in points:
            seconds_of = set(range(at_s, at_s + step_s))
            assert not covered & seconds_of
            covered |= seconds_of


def test_of_a_tree_only_files_are_read_and_links_to_directories_are_not_followed(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.wsp")
    (tmp_path / "endless.wsp").symlink_to("/dev/zero")
    (tmp_path / "nowhere.wsp").symlink_to("missing")
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    told = Told()
    assert list(read(tmp_path, told)) == []
    assert told.sentences == []


def test_a_directory_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refusing(path: str | Path) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    told = Told()
    assert list(read(tmp_path, told)) == []
    assert told.sentences == [
        f"cannot list {tmp_path / 'closed'}: Permission denied; expected a directory that may be read"
    ]
