"""What is looked at: what the config names, and what is found on the host."""

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar

import pytest

from servers import wait_until
from tallystick.agent import Finder, Found, Host, HostCollector, Job, Point, Runner, Service, Surroundings
from tallystick.agent.collecting import jobs as jobs_module
from tallystick.agent.collecting.registry import Registered
from tallystick.config import EVERYTHING, Collector
from tallystick.config.table import Table, key
from tallystick.model.clock import ManualClock
from tallystick.model.errors import ConfigError


class Settings(Table, frozen=True):
    """Of a service."""

    port: Annotated[int, key("Where it listens.", ge=1, le=65535)] = 80


class Side(HostCollector):
    """What every host has."""

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("x", 1.0)


class Served(Service[Settings]):
    """A service that is found at the ports that are noted here."""

    at: ClassVar[list[int]] = []
    called: ClassVar[str] = ""
    held: ClassVar[int] = 0
    freed: ClassVar[threading.Event] = threading.Event()

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[Settings]]:
        for port in cls.at:
            if port == cls.held:
                cls.freed.wait()
            instance = cls.called or ("" if port == 80 else str(port))
            yield Found(Settings(port=port), instance, f"it listens on port {port}")

    def collect(self, monotonic_s: float) -> Iterator[Point]:
        yield Point("port", float(self.settings.port))


class Lost(Service[Settings]):
    """Its search never ends."""

    freed: ClassVar[threading.Event] = threading.Event()

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[Settings]]:
        cls.freed.wait()
        return ()


class Broken(Service[Settings]):
    """Its search fails."""

    @classmethod
    def discover(cls, around: Surroundings) -> Iterable[Found[Settings]]:
        raise ValueError("no such thing")


class OnlyConfigured(Service[Settings]):
    """Is never found."""


KNOWN = {
    name: Registered(name, looks, settings)
    for name, looks, settings in (
        ("broken", Broken, Settings),
        ("lost", Lost, Settings),
        ("only", OnlyConfigured, Settings),
        ("served", Served, Settings),
        ("side", Side, Table),
    )
}


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in (("at", []), ("called", ""), ("held", 0), ("freed", threading.Event())):
        monkeypatch.setattr(Served, name, value)
    monkeypatch.setattr(Lost, "freed", threading.Event())
    monkeypatch.setattr(jobs_module, "DISCOVERY_LIMIT_S", 0.05)
    yield
    Lost.freed.set()
    Served.freed.set()


def found(*items: Collector, discover: bool = False) -> Finder:
    return Finder(items, Host(), discover=discover, known=KNOWN)


def names(jobs: Iterable[Job]) -> list[str]:
    return [job.name for job in jobs]


def test_nothing_is_found_by_those_who_do_not_search() -> None:
    Served.at = [80]
    finder = found(Collector(name="served"))
    assert names(finder.configured()) == ["served"]
    assert finder.at_once() == finder.search() == []


@pytest.mark.parametrize("by_item", [True, False])
def test_sides_of_the_host_are_there_at_once_and_services_when_they_are_found(by_item: bool) -> None:
    finder = found(Collector(name=EVERYTHING, interval_s=30)) if by_item else found(discover=True)
    assert names(finder.at_once()) == ["side"]
    assert finder.search() == []
    Served.at = [80, 81]
    services = finder.search()
    assert names(services) == ["served", "served.81"]
    assert {job.interval_s for job in services} == {30 if by_item else 10}
    Served.at = [81, 82]
    assert names(finder.search()) == ["served.82"], "what was there before stays, and is not found again"


def test_what_was_found_is_told_once_and_what_cannot_be_searched_for_too(caplog: pytest.LogCaptureFixture) -> None:
    Served.at = [80]
    finder = found(discover=True)
    with caplog.at_level(logging.INFO):
        finder.search()
        finder.search()
    assert [record.message for record in caplog.records] == [
        "cannot search for broken: ValueError: no such thing",
        "cannot search for lost: no end within 0.05 s",
        "collecting served: it listens on port 80",
    ]


def test_another_one_that_is_called_the_same_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    Served.called = "shop"
    Served.at = [81]
    finder = found(discover=True)
    assert names(finder.search()) == ["served.shop"]
    Served.at = [81, 82]
    for _ in range(2):
        assert names(finder.search()) == []
    why = "it listens on port 82, and served.shop is another one; expected an item in the config"
    assert caplog.messages.count(f"cannot collect served.shop: {why}") == 1


def test_what_is_found_while_another_one_holds_up_the_search_is_there_all_the_same() -> None:
    Served.at = [80, 81, 82]
    Served.held = 81
    finder = found(discover=True)
    assert names(finder.search()) == ["served"]
    assert names(finder.search()) == [], "it is not searched for a second time meanwhile"
    Served.freed.set()
    wait_until(lambda: "served.82" in names(finder.search()), "what is behind it")


def test_what_is_configured_is_not_searched_for() -> None:
    Served.at = [80]
    assert found(Collector(name="served", further={"port": 8080}), discover=True).search() == []
    assert found(Collector(name="served", collect=False), discover=True).search() == []
    assert found(Collector(name="served", collect=False)).configured() == []


def test_keys_of_its_own_reach_a_collector() -> None:
    job, other = found(
        Collector(name="served", further={"port": 8080}), Collector(name="served", instance="other", timeout_s=2)
    ).configured()
    assert (job.name, job.collector.settings, job.limit_s) == ("served", Settings(port=8080), 5)
    assert (other.name, other.collector.settings, other.limit_s) == ("served.other", Settings(), 2)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        found(Collector(name="zebra"), Collector(name="served", further={"port": 0, "prt": 1})).configured()
    assert caught.value.problems == [
        "cannot collect zebra: there is none; expected one of broken, lost, only, served, side",
        "cannot use key prt of collector served: there is no such key; did you mean port?",
        "cannot use key port of collector served: it is 0; expected an integer >= 1",
    ]


def test_so_much_is_found_and_no_more(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(jobs_module, "FOUND_MAX", 3)
    Served.at = [80, 81, 82, 83, 84]
    assert len(found(discover=True).search()) == 3
    assert "cannot collect served.83: 3 things were found already" in caplog.messages


def test_a_service_that_starts_later_is_collected_from_then_on() -> None:
    clock = ManualClock()
    came: list[str] = []
    finder = found(discover=True)
    runner = Runner(
        finder.at_once(), clock, lambda points, _: came.extend(point.name for point in points), "", finder=finder
    )
    runner.tick()
    wait_until(lambda: runner.tick() > 1, "the first search's end")
    Served.at = [80]
    clock.advance(60)

    def is_looked_at() -> bool:
        runner.tick()
        return "served.port" in came

    wait_until(is_looked_at, "a look at the service")
    assert {"side.x", "served.up"} <= set(came)
