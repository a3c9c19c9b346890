"""Reading RRDtool's archives: files are made by the program ``rrdtool`` itself."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from servers import cannot_run
from tallystick.exchange import rrd, rrd_dump
from tallystick.exchange.rrd import names_of, read
from tallystick.model.errors import StartError
from tallystick.model.kind import Kind
from tallystick.store.history import History
from watching import Told

T0 = 1_700_002_800  # the beginning of an hour


@pytest.fixture(autouse=True)
def rrdtool() -> None:
    if shutil.which("rrdtool") is None:
        cannot_run("rrdtool is missing: apt-get install rrdtool")


def make(file: Path, sources: str, archives: str, updates: Sequence[str], step_s: int = 10) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    head = ["rrdtool", "create", str(file), "--start", str(T0), "--step", str(step_s)]
    subprocess.run([*head, *sources.split(), *archives.split()], check=True)
    for begin in range(0, len(updates), 2000):
        subprocess.run(["rrdtool", "update", str(file), *updates[begin : begin + 2000]], check=True)
    return file


def pieces(path: Path) -> list[History]:
    told = Told()
    found = list(read(path, told))
    assert not told.sentences
    assert told.size_bytes > 0
    return found


def slots(history: History, name: str) -> dict[int, float]:
    """Values of a series by the start of their slots."""
    tally = history.tally
    mine = tally.series == list(history.names).index(name)
    return dict(zip((tally.slot[mine] * tally.step_s).tolist(), tally.last[mine].tolist(), strict=True))


def test_a_row_is_the_slot_that_ends_at_its_time(tmp_path: Path) -> None:
    file = make(
        tmp_path / "load.rrd",
        "DS:value:GAUGE:20:U:U",
        "RRA:AVERAGE:0.5:1:10",
        [f"{T0 + 10}:1.5", f"{T0 + 20}:2.25", f"{T0 + 30}:U", f"{T0 + 40}:4"],
    )
    (history,) = pieces(file)
    assert slots(history, "load") == {T0: 1.5, T0 + 10: 2.25, T0 + 30: 4.0}  # unknown is nothing
    assert history.tally.step_s == 10
    assert history.tally.spread is None  # one value, one sample
    assert list(history.kinds) == [Kind.GAUGE]


def test_sources_that_count_are_gauges_of_their_rate(tmp_path: Path) -> None:
    file = make(
        tmp_path / "if_octets.rrd",
        "DS:rx:DERIVE:20:0:U DS:tx:COUNTER:20:0:U DS:lost:ABSOLUTE:20:0:U",
        "RRA:AVERAGE:0.5:1:10",
        [f"{T0}:1000:50:0".replace(str(T0), str(T0 + 10)), f"{T0 + 20}:1500:80:20"],
    )
    (history,) = pieces(file)
    assert set(history.kinds) == {Kind.GAUGE}
    assert slots(history, "if_octets.rx")[T0 + 10] == pytest.approx(50)
    assert slots(history, "if_octets.tx")[T0 + 10] == pytest.approx(3)
    assert slots(history, "if_octets.lost")[T0 + 10] == pytest.approx(2)


def test_functions_of_one_step_are_one_tally(tmp_path: Path) -> None:
    archives = " ".join(f"RRA:{function}:0.5:6:10" for function in ("AVERAGE", "MIN", "MAX", "LAST"))
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 10.0]
    updates = [f"{T0 + 10 * (k + 1)}:{value}" for k, value in enumerate(values)]
    (history,) = pieces(make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", archives, updates))
    spread = history.tally.full
    assert history.tally.step_s == 60
    assert (spread.count[0], spread.sum[0], spread.min[0], spread.max[0]) == (6.0, 24.0, 1.0, 10.0)
    assert history.tally.last[0] == 10.0
    # The deviation is not in the file: it is the least that the others allow, and no more than the true one.
    assert 0 < spread.m2[0] <= np.var(values) * 6


def test_where_only_averages_are_kept_the_others_are_as_narrow_as_can_be(tmp_path: Path) -> None:
    updates = [f"{T0 + 10 * (k + 1)}:{k}" for k in range(6)]
    (history,) = pieces(make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:6:10", updates))
    spread = history.tally.full
    assert (spread.min[0], spread.max[0], spread.m2[0], history.tally.last[0]) == (2.5, 2.5, 0.0, 2.5)


def test_each_moment_is_taken_from_the_finest_archive_that_reaches_it(tmp_path: Path) -> None:
    updates = [f"{T0 + 10 * (k + 1)}:{k}" for k in range(90)]
    archives = "RRA:AVERAGE:0.5:1:20 RRA:AVERAGE:0.5:6:8 RRA:AVERAGE:0.5:30:10"
    fine, middle, coarse = pieces(make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", archives, updates))
    assert min(slots(fine, "x")) == T0 + 700
    assert set(slots(middle, "x")) == set(range(T0 + 420, T0 + 720, 60))
    assert set(slots(coarse, "x")) == {T0, T0 + 300}
    # A row of which a finer archive has a part counts for the rest: nothing counts twice, and nothing is lost.
    assert middle.tally.full.count.tolist() == [6, 6, 6, 6, 4]
    assert coarse.tally.full.count.tolist() == [30, 12]
    assert sum(float(p.tally.full.count.sum()) for p in (fine, middle, coarse)) == 90


def test_rows_that_fit_no_slot_are_shared_out_by_time(tmp_path: Path) -> None:
    updates = [f"{T0 + 10 * (k + 1)}:{k % 13}" for k in range(7 * 60)]
    archives = "RRA:AVERAGE:0.5:7:60 RRA:MAX:0.5:7:60"
    (history,) = pieces(make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", archives, updates))
    tally, spread = history.tally, history.tally.full
    assert tally.step_s == 60
    inner = spread.count[1:-1]
    assert inner == pytest.approx(np.full(len(inner), 6.0))
    rows = 7 * (420 // 7 - 1)  # the first row began before the file did
    assert spread.count.sum() == pytest.approx(rows, abs=7)
    assert spread.max.max() == 12
    assert spread.sum.sum() / spread.count.sum() == pytest.approx(6, abs=0.1)


def test_rows_longer_than_an_hour_become_hours(tmp_path: Path) -> None:
    updates = [f"{T0 + 3600 * (k + 1)}:{k}" for k in range(48)]
    file = make(tmp_path / "x.rrd", "DS:value:GAUGE:7200:U:U", "RRA:AVERAGE:0.5:24:10", updates, step_s=3600)
    (history,) = pieces(file)
    assert history.tally.step_s == 3600
    assert (history.tally.full.count == 1.0).all()
    assert len(set(np.diff(history.tally.slot).tolist())) == 1


def test_a_tree_of_collectd_has_the_names_that_write_graphite_sends(tmp_path: Path) -> None:
    update = [f"{T0 + 10}:1", f"{T0 + 20}:2"]
    make(tmp_path / "web1.lan" / "cpu-0" / "cpu-user.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:1:9", update)
    make(
        tmp_path / "web1.lan" / "load" / "load.rrd",
        "DS:shortterm:GAUGE:20:U:U DS:midterm:GAUGE:20:U:U",
        "RRA:AVERAGE:0.5:1:9",
        [f"{at}:3" for at in update],
    )
    found = [name for history in pieces(tmp_path) for name in history.names]
    assert found == ["web1_lan.cpu-0.cpu-user", "web1_lan.load.load.shortterm", "web1_lan.load.load.midterm"]


@pytest.mark.parametrize(
    ("folders", "file", "sources", "names"),
    [
        (("lan",), "web1.lan-cpu-user-d.rrd", ["42"], ["lan.web1_lan.cpu.user"]),
        (("lan",), "localhost-diskstats_iops-sda-rdio-g.rrd", ["42"], ["lan.localhost.diskstats_iops.sda.rdio"]),
        ((), "traffic in.rrd", ["a", "b;c"], ["traffic_in.a", "traffic_in.b_c"]),
        ((), "x.rrd.xml", ["42"], ["x"]),
    ],
)
def test_names_are_made_of_folders_file_and_source(
    folders: tuple[str, ...], file: str, sources: list[str], names: list[str]
) -> None:
    assert names_of(folders, file, sources) == names


def test_two_sources_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two data sources are both named x\.a_b"):
        names_of((), "x.rrd", ["a.b", "a b"])


def test_a_dump_is_read_as_its_archive_is(tmp_path: Path) -> None:
    updates = [f"{T0 + 10 * (k + 1)}:{k}" for k in range(90)]
    archives = "RRA:AVERAGE:0.5:1:20 RRA:MAX:0.5:6:20 RRA:HWPREDICT:20:0.1:0.0035:6"
    file = make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", archives, updates)
    dumped = tmp_path / "dumped" / "x.xml"
    dumped.parent.mkdir()
    dumped.write_bytes(subprocess.run(["rrdtool", "dump", str(file)], check=True, capture_output=True).stdout)
    for one, other in zip(pieces(file), pieces(dumped), strict=True):
        assert one.names == other.names
        assert one.tally.slot.tolist() == other.tally.slot.tolist()
        assert one.tally.last.tolist() == other.tally.last.tolist()


def test_a_file_that_cannot_be_read_is_named_and_stops_no_other(tmp_path: Path) -> None:
    update = [f"{T0 + 10}:1", f"{T0 + 20}:2"]
    for name in ("a", "b", "c"):
        make(tmp_path / f"{name}.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:1:9", update)
    (tmp_path / "b.rrd").write_bytes((tmp_path / "b.rrd").read_bytes()[:400])
    (tmp_path / "d.rrd").write_bytes(b"")
    (tmp_path / "notes.xml").write_text("<notes/>")  # another's, and none of our business
    told = Told()
    found = [name for history in read(tmp_path, told) for name in history.names]
    assert found == ["a", "c"]
    assert [problem.split(": ")[0] for problem in told.sentences] == [
        f"cannot read {tmp_path / f'{n}.rrd'}" for n in "bd"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<rrd><step>10</step>", "no element found"),
        ("<other/>", "step, data sources or time"),
        ("<rrd><step>-3</step></rrd>", "-3 is out of range"),
        ("<rrd><ds><name>a</name></ds><rra><cf>LAST</cf></rra></rrd>", "does not fit 1 data sources"),
        ("<rrd><rra><database><row><v>1</v></row></database></rra></rrd>", "does not fit 0 data sources"),
        ("<a>" * 20, "nested too deeply"),
        ('<!DOCTYPE rrd [<!ENTITY a "b">]><rrd/>', "it declares entities"),
        ("<rrd><rra><database><row><v>1x</v></row></database></rra></rrd>", "could not convert"),
        ("<rrd><rra><database>" + 50_000 * "\n        <!-- -->" + "</rrd>", "mismatched tag"),
        ("<rrd><rra><database>" + 3_000_000 * " ", "a text without end"),
        ('<rrd a="' + 3_000_000 * "x", "a tag without end"),
    ],
)
def test_a_dump_that_is_none_says_why(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "x.xml"
    file.write_text(text)
    told = Told()
    assert not list(read(file, told))
    assert len(told.sentences) == 1
    assert problem in told.sentences[0]
    assert told.sentences[0].startswith(f"cannot read {file}: ")


def test_a_file_with_too_many_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rrd_dump, "VALUES_MAX", 50)
    file = make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:1:60", [])
    told = Told()
    assert not list(read(file, told))
    assert told.sentences == [f"cannot read {file}: it has more than 50 values; expected what rrdtool dump writes"]


def test_without_the_program_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:1:60", [])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match="expected apt-get install rrdtool"):
        list(read(file, lambda _: None))


def test_archives_and_dumps_are_recognised_by_what_is_in_them(tmp_path: Path) -> None:
    file = make(tmp_path / "x.rrd", "DS:value:GAUGE:20:U:U", "RRA:AVERAGE:0.5:1:60", [])
    (tmp_path / "y.rrd").write_text("no archive")
    (tmp_path / "y.xml").write_text("<!-- Round Robin Database Dump --><rrd>")
    assert [rrd.recognised(f) for f in (file, tmp_path / "y.rrd", tmp_path / "y.xml", tmp_path)] == [
        True,
        False,
        True,
        False,
    ]
