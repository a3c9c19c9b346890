"""The agent as a program: what it collects reaches each server, with what it tells of itself."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from foreign_http import answering, http
from native_doors import NativeDoor
from posting import NOW_S
from servers import wait_until
from tallystick.agent import program, trial
from tallystick.agent.collecting.runner import Runner
from tallystick.agent.collecting.tells import line_of
from tallystick.agent.trial import trials
from tallystick.config import Agent, Check, Collector, Config
from tallystick.config.doors import Door
from tallystick.config.logs import Log
from tallystick.model.clock import ManualClock, SystemClock
from tallystick.native.names import short_host
from tallystick.parse.native_connection import Greeting


class DoorsTime(SystemClock):
    """The machine's clock, but for the time of day: that is the doors'."""

    def now(self) -> float:
        return float(NOW_S)


@pytest.fixture
def doors() -> Iterator[list[NativeDoor]]:
    made = [NativeDoor(), NativeDoor(Greeting(token="open"))]
    for door in made:
        door.open()
    yield made
    for door in made:
        door.close()


def config_of(doors: list[NativeDoor], spool: Path, *collectors: str, **keys: str) -> Config:
    looked_at = tuple(Collector(name=name, interval_s=3600) for name in collectors)
    servers = tuple(str(door.address) for door in doors)
    agent = Agent(servers=servers, prefix="x", spool=str(spool), discover=False, doors=(), **keys)
    return Config(collectors=looked_at, agent=agent)


def test_a_print_looks_twice_so_that_rates_are_there() -> None:
    clock = ManualClock()
    config = Config(collectors=(Collector(name="cpu"), Collector(name="load")), agent=Agent(prefix="x.{host}"))
    slots = program.once(config, clock, clock.advance, pause_s=20)
    assert f"x.{short_host()}.load.1m" in [slot.name for slot in slots]
    assert {slot.at_ms for slot in slots} == {1_700_000_020_000}


def test_the_agent_sends_to_each_server_and_tells_of_itself(doors: list[NativeDoor], tmp_path: Path) -> None:
    until = threading.Event()
    config = config_of(doors, tmp_path / "spool", "load", token="open")
    agent = threading.Thread(target=program.run, args=(config, DoorsTime(), until), daemon=True)
    agent.start()
    expected = {"x.load.1m", "x.agent.looks_failed", "x.agent.spool.bytes", "x.agent.slots_dropped", "x.agent.threads"}
    for door in doors:
        wait_until(lambda door=door: expected <= set(names_of(door)), "all names")
    until.set()
    agent.join(20)
    assert not agent.is_alive()


def test_all_that_an_agent_tells_of_itself_has_a_unit_and_a_meaning(doors: list[NativeDoor], tmp_path: Path) -> None:
    opened = (Door("statsd", "udp://127.0.0.1:0"), Door("carbon", "tcp://127.0.0.1:0"))
    config = config_of(doors, tmp_path / "spool", token="open")
    config = replace(config, agent=replace(config.agent, doors=opened), logs=(Log(path=str(tmp_path / "*.log")),))
    made = program.Program(config, ManualClock())
    runner = made.feeds[-1]
    assert isinstance(runner, Runner)
    itself = next(job.collector for job in runner.jobs if job.name == "agent")
    made.start()
    try:
        for job in runner.jobs:
            assert job.collector.tells
        told = [point.name for at_s in (1.0, 2.0) for point in itself.collect(at_s)]
    finally:
        made.stop()
    assert {"cpu_percent", "logs.lines", "events.posted", "spool.bytes"} <= set(told)
    assert {name for name in told if name.startswith("doors.") and name.endswith(".taken")}
    lines = {name: line_of(name, itself.tells) for name in told}
    assert [name for name, line in lines.items() if not (line and line.unit and line.meaning)] == []


def test_what_goes_down_is_an_event_on_the_server(doors: list[NativeDoor], tmp_path: Path) -> None:
    with answering(http(b"{}")) as server:
        config = config_of(doors, tmp_path / "spool", token="open", events=server.url)
        missing = {"path": str(tmp_path / "missing")}
        config = replace(config, checks=(Check(name="backup", kind="file", further=missing),))
        agent = program.Program(config, DoorsTime())
        agent.start()
        wait_until(lambda: server.asked, "an event")
        agent.stop()
    told = json.loads(server.asked[0].partition(b"\r\n\r\n")[2])
    assert told["what"] == f"checks.backup is down: missing: {missing['path']} is not there"
    assert told["tags"][:3] == ["down", "checks.backup", f"host:{short_host()}"]


def names_of(door: NativeDoor) -> list[str]:
    catalog = door.house.store.catalog
    return list(catalog.names(catalog.ids()))


def test_a_trial_tells_what_can_be_used_and_what_cannot(doors: list[NativeDoor], tmp_path: Path) -> None:
    away = NativeDoor()
    away.open()
    away.close()
    config = config_of([*doors, away], tmp_path / "spool", "load", "udp")
    clock = ManualClock()
    found = {(one.what, one.name): one for one in trials(config, clock, clock.advance)}
    servers = [found["server", str(door.address)] for door in (*doors, away)]
    assert [one.is_good for one in servers] == [True, False, False]
    assert "token" in servers[1].found and "refused" in servers[2].found
    assert found["collector", "load"].found == "3 numbers, every 3600 s"
    assert int(found["collector", "udp"].found.partition(" ")[0]) > 3, "rates, which are there at the second look"
    assert found["spool", str(tmp_path / "spool")].is_good
    assert not list(tmp_path.iterdir()), "a trial leaves nothing behind"


def test_a_door_that_nobody_asked_for_may_be_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        door = Door(protocol="opentsdb", address=f"tcp://127.0.0.1:{taken.getsockname()[1]}")
        config = config_of([], tmp_path / "spool", "load")
        config = replace(config, agent=replace(config.agent, doors=(door,), discover=False))

        def tried() -> tuple[bool, str]:
            clock = ManualClock()
            (one,) = [one for one in trials(config, clock, clock.advance) if one.name == door.address]
            return one.is_good, one.found

        good, cause = tried()
        assert not good and "another program uses it" in cause
        monkeypatch.setattr(trial, "DEFAULT_DOORS", (door,))
        good, cause = tried()
        assert good and cause.startswith("left out: ") and "another program uses it" in cause
