"""Collectors on this very host, and on the trees of ``tests/golden/proc``.

A golden case is a folder with two hosts, ``before`` and ``after`` (two looks, ten seconds apart), and one
``<collector>.txt`` a collector with the lines that the second look yields.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tallystick.agent import Collector, Host, NoSettings, registered
from tallystick.agent.carbon import lines
from tallystick.agent.collectors.filesystem import Filesystem, named
from tallystick.agent.point import Point
from tallystick.agent.rates import Rates
from tallystick.config import Collector as CollectorConfig
from tallystick.native.names import component

GOLDEN = Path(__file__).parents[2] / "golden" / "proc"
CASES = sorted(GOLDEN.glob("*/*.txt"))


def made(name: str, root: str = "") -> Collector[Any]:
    return registered()[name].made(CollectorConfig(name=name), Host(root))


def told(collector: Collector[Any], name: str, monotonic_s: float) -> list[Point]:
    return [replace(point, name=f"{name}.{point.name}") for point in collector.collect(monotonic_s)]


@pytest.mark.parametrize("expected", CASES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_collector_reads_what_the_kernel_writes(expected: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, name = expected.parent, expected.stem
    collector = made(name, str(case / "before"))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(case / "before" / "proc"))
    list(collector.collect(100.0))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(case / "after" / "proc"))
    collector.host = Host(str(case / "after"))
    assert lines(told(collector, name, 110.0), 10).decode() == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name, one in registered().items() if not one.looks.TELLS_UP])
def test_a_collector_yields_plain_numbers_under_its_own_name(name: str) -> None:
    collector = made(name)
    points = [*told(collector, name, 1.0), *told(collector, name, 2.0)]
    assert points or name in {"disk", "network"}, "only machines without disks or links have nothing to tell"
    for point in points:
        assert all(part == component(part) for part in point.name.split("."))
        assert point.value >= 0
        assert not point.name.endswith("percent") or point.value <= 100


def test_the_shares_of_the_cpu_add_up_to_a_hundred() -> None:
    collector = made("cpu")
    first = list(collector.collect(1.0))
    assert [point.name for point in first] == ["cores"]
    begun = psutil.cpu_times()
    while sum(psutil.cpu_times()) == sum(begun):  # until the kernel's clock has moved on
        pass
    shares = [point.value for point in collector.collect(2.0) if point.name != "cores"]
    assert sum(shares) == pytest.approx(100, abs=0.01)


def test_the_root_filesystem_is_always_there_and_agrees_with_the_kernel() -> None:
    points = {point.name: point.value for point in made("filesystem").collect(1.0)}
    room = os.statvfs("/")
    assert points["root.used"] + points["root.free"] <= room.f_blocks * room.f_frsize
    assert 0 < points["root.used_percent"] <= 100


def test_filesystems_on_devices_are_looked_at_once_and_those_of_networks_and_images_are_not() -> None:
    host = Host(str(GOLDEN.parent / "collectors" / "filesystem"))
    assert Filesystem(NoSettings(), host).mounts() == ["/", "/boot", "/mnt/my disk", "/srv/data"]


def test_mounts_that_would_be_called_the_same_are_numbered() -> None:
    assert named(["/", "/root", "/srv/a", "/srv-a", "/x"]) == {
        "root": "/",
        "root_2": "/root",
        "srv-a": "/srv/a",
        "srv-a_2": "/srv-a",
        "x": "/x",
    }


def test_the_first_look_has_no_rates_and_a_counter_that_was_reset_has_none_either() -> None:
    rates = Rates()
    assert rates.since_last({"a": {"x": 5.0}, "b": {"x": 9.0}}, 10.0) == {}
    assert rates.since_last({"a": {"x": 25.0}, "b": {"x": 1.0}, "new": {"x": 7.0}}, 20.0) == {"a": {"x": 2.0}}
    assert rates.since_last({"a": {"x": 25.0}, "b": {"x": 2.0}}, 30.0) == {"a": {"x": 0.0}, "b": {"x": 0.1}}


def test_two_looks_at_one_moment_have_no_rates() -> None:
    rates = Rates()
    rates.since_last({"a": {"x": 5.0}}, 10.0)
    assert rates.since_last({"a": {"x": 6.0}}, 10.0) == {}


def test_lines_are_as_short_as_they_read_back() -> None:
    points = [Point("a", 3.0), Point("b", 0.125), Point("c", 25276514304.0), Point("d", 1e300)]
    assert lines(points, 60) == b"a 3 60\nb 0.125 60\nc 25276514304 60\nd 1e+300 60\n"
