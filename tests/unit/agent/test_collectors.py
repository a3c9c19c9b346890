"""Collectors on this very host, and on the trees of ``tests/golden/proc``.

A golden case is a folder with two hosts, ``before`` and ``after`` (two looks, ten seconds apart), and one
``<collector>.txt`` a collector with the lines that the second look yields.
"""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from point_lines import lines
from tallystick.agent import Collector, Host, NoSettings, Surroundings, registered
from tallystick.agent.collecting.rates import Rates
from tallystick.agent.collecting.tells import line_of
from tallystick.agent.collectors.clock import points
from tallystick.agent.collectors.containers import Containers
from tallystick.agent.collectors.filesystem import Filesystem, named
from tallystick.agent.collectors.systemd import Systemd, states
from tallystick.config import Collector as CollectorConfig
from tallystick.model.point import Point
from tallystick.native.names import component

GOLDEN = Path(__file__).parents[2] / "golden" / "proc"
CASES = sorted(GOLDEN.glob("*/*.txt"))


FURTHER = {"process": {"match": "-m shop"}}
"""Keys of those that cannot do without."""


def made(name: str, root: str = "") -> Collector[Any]:
    return registered()[name].made(CollectorConfig(name=name, further=FURTHER.get(name, {})), Host(root))


def told(collector: Collector[Any], name: str, monotonic_s: float) -> list[Point]:
    return [replace(point, name=f"{name}.{point.name}") for point in collector.collect(monotonic_s)]


def unsaid(collector: Collector[Any], names: list[str]) -> list[str]:
    """Of what it yielded that of which it does not say what it is, and in which unit."""
    lines = {name: line_of(name, collector.tells) for name in names}
    return [name for name, line in lines.items() if line is None or not (line.unit and line.meaning)]


@pytest.mark.parametrize("expected", CASES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_collector_reads_what_the_kernel_writes(expected: Path) -> None:
    case, name = expected.parent, expected.stem
    collector = made(name, str(case / "before"))
    list(collector.collect(100.0))
    collector.host = Host(str(case / "after"))
    points = told(collector, name, 110.0)
    assert lines(points, 10).decode() == expected.read_text(encoding="utf-8")
    assert not unsaid(collector, [point.name.removeprefix(f"{name}.") for point in points])


@pytest.mark.parametrize("name", [name for name, one in registered().items() if not one.looks.TELLS_UP])
def test_a_collector_yields_plain_numbers_under_names_of_its_own(name: str) -> None:
    collector = made(name)
    if name not in FURTHER and not list(collector.discover(Surroundings(Host()))):
        return  # there is none of it on this host
    points = [*collector.collect(1.0), *collector.collect(2.0)]
    assert len({point.name for point in points}) >= len(points) / 2, "each name once a look"
    assert not unsaid(collector, [point.name for point in points])
    for point in points:
        assert all(part == component(part) for part in point.name.split("."))
        assert point.value >= 0 or name in {"clock", "temperature"}
        assert not point.name.endswith("percent") or point.value <= 100 or name in {"process", "containers"}


def test_the_shares_of_the_cpu_add_up_to_a_hundred() -> None:
    collector = made("cpu")
    first = list(collector.collect(1.0))
    assert [point.name for point in first] == ["cores"]
    begun = time.process_time()
    while time.process_time() - begun < 0.05:  # until the kernel's clock has moved on
        pass
    states = {"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
    shares = [point.value for point in collector.collect(2.0) if point.name in states]
    assert sum(shares) == pytest.approx(100, abs=0.01)


def test_the_root_filesystem_is_always_there_and_agrees_with_the_kernel() -> None:
    points = {point.name: point.value for point in made("filesystem").collect(1.0)}
    room = os.statvfs("/")
    assert points["root.used"] + points["root.free"] <= room.f_blocks * room.f_frsize
    assert 0 < points["root.used_percent"] <= 100


def test_filesystems_on_devices_are_looked_at_once_and_those_of_networks_and_images_are_not() -> None:
    host = Host(str(GOLDEN.parent / "collectors" / "filesystem"))
    assert Filesystem(NoSettings(), host).mounts() == ["/", "/boot", "/mnt/my disk", "/srv/data"]


def test_services_of_systemd_are_counted_and_those_that_failed_or_were_restarted_are_named() -> None:
    case = GOLDEN.parent / "collectors" / "systemd"
    assert lines(states((case / "show").read_text(encoding="utf-8")), 10).decode() == (case / "show.txt").read_text()


def test_services_of_systemd_are_measured_by_their_control_groups() -> None:
    before, after = (Host(str(GOLDEN / "server" / when)) for when in ("before", "after"))
    systemd = Systemd(NoSettings(), before)
    list(systemd.used("/sys/fs/cgroup", 0.0))
    systemd.host = after
    told = lines(systemd.used("/sys/fs/cgroup", 10.0), 10).decode()
    assert told == (GOLDEN.parent / "collectors" / "systemd" / "used.txt").read_text(encoding="utf-8")


def test_a_clock_says_how_right_it_is() -> None:
    case = GOLDEN.parent / "collectors" / "clock"
    for file in case.glob("*.hex"):
        told = lines(points(bytes.fromhex(file.read_text())), 10).decode()
        assert told == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_a_container_that_ended_is_forgotten_and_its_name_can_be_another_ones(tmp_path: Path) -> None:
    root = tmp_path / "sys/fs/cgroup"
    first, second = (root / f"docker/{digit * 64}" for digit in "ab")
    root.mkdir(parents=True)
    (root / "cgroup.controllers").write_text("cpu memory")

    def begin(group: Path) -> None:
        group.mkdir(parents=True)
        (group / "memory.current").write_text("7")
        told = tmp_path / "var/lib/docker/containers" / group.name / "config.v2.json"
        told.parent.mkdir(parents=True)
        told.write_text('{"Name": "/shop"}')

    containers = Containers(NoSettings(), Host(str(tmp_path)))
    begin(first)
    assert names_of(containers) == ["shop.memory_bytes", "running"]
    begin(second)
    assert names_of(containers) == ["shop.memory_bytes", f"shop_{'b' * 12}.memory_bytes", "running"]
    shutil.rmtree(first)
    shutil.rmtree(second)
    assert names_of(containers) == ["running"]
    begin(root / f"docker/{'c' * 64}")
    assert names_of(containers) == ["shop.memory_bytes", "running"]


def names_of(collector: Collector[NoSettings]) -> list[str]:
    return [point.name for point in collector.collect(1.0)]


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
