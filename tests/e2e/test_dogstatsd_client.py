"""What PyPI's ``datadog`` sends beside StatsD's lines, over each of its sockets."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from balances import Balances

from servers import START_S_MAX, Server, package, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]

DOORS = ("udp", "unixgram", "unixstream")


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dog(shared_server: Server, door: str) -> Iterator[Any]:
    place = shared_server.doors[f"statsd {door}"]
    where = {"port": shared_server.port("statsd udp")} if door == "udp" else {"socket_path": f"{door}://{place}"}
    made = package("datadog.dogstatsd").DogStatsd(
        host="127.0.0.1",
        namespace=f"dog.{door}",
        disable_telemetry=True,
        origin_detection_enabled=True,
        container_id="1234",
        constant_tags=["by:test"],
        disable_buffering=False,
        socket_timeout=10,  # else what a socket has no room for at once is dropped
        **where,
    )
    yield made
    made.flush()
    made.close_socket()


def test_times_are_those_that_the_sender_says(shared_server: Server, dog: Any, door: str) -> None:
    balances = Balances(shared_server, f"statsd {door}")
    at = int(time.time()) // 10 * 10 - 600
    dog.count_with_timestamp("late", 4, at + 3)
    dog.gauge_with_timestamp("depth", 2.5, at + 13)
    dog.flush()
    late = f"dog.{door}.late;by=test"
    assert wait_until(lambda: shared_server.render(late), late) == {late: {at: 4.0}}
    assert shared_server.render(f"dog.{door}.depth;by=test") == {f"dog.{door}.depth;by=test": {at + 10: 2.5}}
    balances.wait_for(stored=2, rejected={})


def test_many_samples_come_in_a_packet(shared_server: Server, dog: Any, door: str) -> None:
    for k in range(300):
        dog.distribution("spread", k, tags=[f"part:{k % 3}"])
        dog.increment("hits")
    dog.flush()
    wait_until(lambda: sum(shared_server.values(f"dog.{door}.hits;by=test")) == 300, "300 hits")
    counted = f"sumSeries(stat(seriesByTag('name=dog.{door}.spread'),'count'))"
    wait_until(lambda: sum(shared_server.values(counted)) == 300, "300 samples")
    names = shared_server.get("/metrics/find", query=f"stats.timers.dog.{door}.spread.upper_90;*", format="json")
    assert [node["path"].partition(";")[2] for node in names] == [f"by=test;part={k}" for k in range(3)]


def test_events_are_counted_and_kept(shared_server: Server, dog: Any, door: str) -> None:
    title = f"Deployed by {door} | naïve"
    dog.event(title, "line one\nline two", alert_type="warning", hostname="web1", priority="low", tags=["env:prod"])
    dog.flush()

    def found() -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = shared_server.get("/api/statsd/events")["events"]
        return [event for event in events if event["title"] == title]

    (event,) = wait_until(found, "the event")
    assert event["text"] == "line one\nline two"
    assert (event["host"], event["type"], event["priority"]) == ("web1", "warning", "low")
    assert sorted(event["tags"]) == ["by:test", "env:prod"]
    counted = "seriesByTag('name=statsd.events','type=warning','host=web1')"
    wait_until(lambda: sum(shared_server.values(counted)) == DOORS.index(door) + 1, "its count")
    tags = "env:prod by:test host:web1 alert_type:warning"
    kept = wait_until(lambda: shared_server.get("/events/get_data", tags=tags), "the event that is kept")
    assert (title, "line one\nline two") in [(one["what"], one["data"]) for one in kept]


def test_service_checks_are_gauges(shared_server: Server, dog: Any, door: str) -> None:
    name = f"redis.{door}"
    dog.service_check(name, 2, hostname="db1", message="it is | down: d:x", tags=["role:cache"])
    dog.flush()
    target = f"servicecheck.{name};by=test;host=db1;role=cache"
    assert wait_until(lambda: shared_server.values(target), target) == [2.0]
