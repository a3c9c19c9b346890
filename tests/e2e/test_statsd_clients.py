"""The clients that people have in their code: PyPI's ``statsd`` and ``datadog``."""

from collections.abc import Iterator
from typing import Any

import pytest

from servers import START_S_MAX, Server, package, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 60), pytest.mark.senders]


@pytest.fixture
def client(shared_server: Server) -> Iterator[Any]:
    made = package("statsd").StatsClient("127.0.0.1", shared_server.port("statsd udp"), prefix="py")
    yield made
    made.close()


@pytest.fixture
def dog(shared_server: Server) -> Iterator[Any]:
    made = package("datadog.dogstatsd").DogStatsd(
        host="127.0.0.1",
        port=shared_server.port("statsd udp"),
        namespace="dog",
        disable_telemetry=True,
        origin_detection_enabled=False,
    )
    yield made
    made.flush()
    made.close_socket()


def total(server: Server, target: str) -> float:
    return sum(server.values(target))


def test_counters_are_summed_and_a_sample_stands_for_those_that_were_not_sent(
    shared_server: Server, client: Any
) -> None:
    for _ in range(5):
        client.incr("signups")
    client.incr("signups", 10)
    client.decr("signups", 2)
    wait_until(lambda: total(shared_server, "py.signups") == 13, "a sum of 13")
    for _ in range(400):
        client.incr("sampled", rate=0.25)  # the client sends about every fourth
    client.incr("sampled.end")
    wait_until(lambda: shared_server.values("py.sampled.end"), "the last count")
    sampled = total(shared_server, "py.sampled")
    assert sampled % 4 == 0
    assert 200 <= sampled <= 640


def test_gauges_keep_the_last_level_and_are_changed_by_signed_values(shared_server: Server, client: Any) -> None:
    client.gauge("depth", 10)
    client.gauge("depth", 5, delta=True)
    client.gauge("depth", -3, delta=True)
    wait_until(lambda: shared_server.values("py.depth")[-1:] == [12.0], "a depth of 12")
    client.gauge("balance", -7)  # sent as zero and a change, in one datagram
    wait_until(lambda: shared_server.values("py.balance")[-1:] == [-7.0], "a balance of -7")


def test_timings_give_averages_extremes_and_percentiles(shared_server: Server, client: Any) -> None:
    with client.pipeline() as pipe:  # one datagram, so all are of one slot
        for ms in range(1, 31):
            pipe.timing("answer", ms)
    wait_until(lambda: total(shared_server, "stat(py.answer,'count')") == 30, "30 timings")
    assert shared_server.values("py.answer") == [15.5]
    assert shared_server.values("stat(py.answer,'min')") == [1.0]
    assert shared_server.values("stat(py.answer,'max')") == [30.0]
    assert shared_server.values("percentile(py.answer,50)") == [pytest.approx(15, rel=0.05)]
    assert shared_server.values("percentile(py.answer,99)") == [pytest.approx(30, rel=0.02)]


def test_sets_count_what_is_distinct(shared_server: Server, client: Any) -> None:
    with client.pipeline() as pipe:
        for k in range(30):
            pipe.set("users", f"u{k % 10}")
    assert wait_until(lambda: shared_server.values("py.users"), "py.users") == [pytest.approx(10, abs=0.1)]


def test_a_pipeline_carries_several_metrics_in_a_datagram(shared_server: Server, client: Any) -> None:
    with client.pipeline() as pipe:
        pipe.incr("pipe.count", 3)
        pipe.gauge("pipe.level", 1.25)
        pipe.timing("pipe.ms", 12.5)
    assert wait_until(lambda: shared_server.values("py.pipe.ms"), "py.pipe.ms") == [12.5]
    assert shared_server.values("py.pipe.count") == [3.0]
    assert shared_server.values("py.pipe.level") == [1.25]


def test_dogstatsd_tags_become_tags_of_the_series(shared_server: Server, dog: Any) -> None:
    dog.increment("page.views", 2, tags=["env:prod", "page:home"])
    dog.increment("page.views", 3, tags=["page:cart", "env:prod"])
    dog.gauge("queue", 4, tags=["env:prod"])
    dog.histogram("size", 7.5)
    dog.distribution("spread", 2.5)
    dog.timing("took", 250)
    dog.set("visitors", "ann")
    dog.flush()
    wait_until(lambda: shared_server.values("dog.visitors"), "dog.visitors")
    found = shared_server.render("groupByTags(seriesByTag('name=dog.page.views','env=prod'),'sum','page')")
    assert {name: sum(values.values()) for name, values in found.items()} == {
        "dog.page.views;page=cart": 3.0,
        "dog.page.views;page=home": 2.0,
    }
    assert shared_server.values("dog.queue;env=prod") == [4.0]
    for name, value in (("size", 7.5), ("spread", 2.5), ("took", 250.0), ("visitors", 1.0)):
        assert shared_server.values(f"dog.{name}") == [pytest.approx(value)]
