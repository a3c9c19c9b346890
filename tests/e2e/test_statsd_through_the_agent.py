"""Clients of StatsD that send to an agent's door, where they sent to the server: dashboards see no difference."""

import random
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from agents import Agent
from servers import START_S_MAX, Server, package, running_server, wait_until

pytestmark = [pytest.mark.timeout(START_S_MAX + 240), pytest.mark.senders]

MORE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
[[listeners]]
protocol = "statsd"
address = "udp://127.0.0.1:0"
[statsd]
percent_threshold = [90, 99.9, -10]
histogram = [{ metric = "took", bins = [10, 100.5, inf] }]
{more}
[[store.retention]]
match = "tens.*"
keep = "10s:1d"
[[store.retention]]
match = "*"
keep = "1d:1y"
"""
STRAIGHT, THROUGH = "straight", "through"
"""What names and tags have of those who sent to the server, and of those who sent to the agents."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One whose slots last a day, so that what is sent now is in one slot whenever a slot of an agent's begins."""
    with running_server(tmp_path, MORE.replace("{more}", "")) as started:
        yield started


@pytest.fixture
def agents(server: Server, tmp_path: Path) -> Iterator[list[Agent]]:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(Agent(tmp_path / name, server.port("native tcp"), server.url))
        made[-1].start()
    yield made
    for agent in made:
        agent.stop()


def say_all(port: int, who: str) -> None:
    """All that clients can say of a host's own."""
    random.seed(7)  # so that as many samples are left out on each way
    with python(port, f"d.{who}") as py:
        py.decr("hits", 3)
        for k in range(40):
            py.incr("sampled", rate=0.5)
            py.timing("sampled_ms", k, rate=0.5)
        py.gauge("level", 17)
        py.gauge("level", 3, delta=True)
        py.gauge("below", -7)
        py.timing("took", 0.25)
        py.set("users", "ann")
    with dog(port, who) as client:
        client.gauge("queue", 4, tags=["env:prod"])
        client.histogram("size", 7.5, tags=["env:prod", "zone:b"])
        client.distribution("spread", 2.5)
        client.service_check(f"d.{who}.up", 2, tags=["env:prod"])
        client.event("deploy shop", "4.2.1", tags=[f"who:{who}"])


def say_shared(port: int, who: str, host: int) -> None:
    """What programs of several hosts say under the same names."""
    with python(port, f"d.{who}") as py, py.pipeline() as pipe:
        for k in range(50):
            pipe.incr("hits", k)
            pipe.timing("took", (k * k + host) / 7)
            pipe.set("users", f"user{k + 30 * host}")
    with dog(port, who) as client:
        client.increment("page.views", 2 + host, tags=["page:home", "env:prod"])
        client.increment("end")  # the last on its way: what was said before is there when this is


@contextmanager
def python(port: int, prefix: str) -> Iterator[Any]:
    """A client of PyPI's ``statsd``."""
    with closing(package("statsd").StatsClient("127.0.0.1", port, prefix=prefix)) as client:
        yield client


@contextmanager
def dog(port: int, who: str) -> Iterator[Any]:
    """A client of PyPI's ``datadog``, all of whose lines have left at the end."""
    client = package("datadog.dogstatsd").DogStatsd(
        host="127.0.0.1", port=port, namespace=f"d.{who}", disable_telemetry=True, origin_detection_enabled=False
    )
    yield client
    client.flush()
    client.close_socket()


def drain(agents: list[Agent]) -> None:
    """Have what came to agents so far on the server, or on its way to it."""
    for agent in agents:
        agent.stop()
        agent.start()  # if the server was busy, what is on disk follows


def total(server: Server, target: str) -> float:
    return sum(value for values in server.render(target, "-2d").values() for value in values.values())


def tree(server: Server, root: str, who: str) -> set[tuple[str, int]]:
    """The nodes below a root that are of one way, each with whether it is a leaf."""
    found: set[tuple[str, int]] = set()
    for depth in range(1, 9):
        nodes = server.get("/metrics/find", query=root + ".*" * depth, format="json")
        found |= {(node["path"].replace(who, "W"), node["is_leaf"]) for node in nodes}
    return {node for node in found if "W" in node[0]}


def rendered(server: Server, names: list[str], who: str) -> dict[str, list[list[float]]]:
    """Values and times of names, by their names."""
    targets = [name.replace("W", who) for name in names]
    rows = server.get("/render", target=targets, format="json", **{"from": "-2d"})
    return {row["target"].replace(who, "W"): row["datapoints"] for row in rows}


def assert_same(server: Server, *roots: str, least: int) -> None:
    """Nothing that begins so tells on which way it came."""
    nodes = {node for root in roots for node in tree(server, root, THROUGH)}
    assert nodes == {node for root in roots for node in tree(server, root, STRAIGHT)}
    names = sorted(path for path, is_leaf in nodes if is_leaf)
    assert len(names) >= least
    straight, through = (rendered(server, names, who) for who in (STRAIGHT, THROUGH))
    assert set(straight) == set(through) == set(names)
    for name, points in straight.items():
        for (value, at), (other, at_other) in zip(points, through[name], strict=True):
            assert at == at_other
            assert other == (value if value is None else pytest.approx(value, rel=1e-9)), name
    values = {value for points in straight.values() for value, _ in points}
    assert len(values) > least / 2


def test_the_names_that_statsd_emits_are_the_same_whichever_way_its_lines_came(
    server: Server, agents: list[Agent]
) -> None:
    one, two = agents
    say_all(one.statsd, THROUGH)
    for host, agent in enumerate((one, two)):
        with python(agent.statsd, "tens") as py, py.pipeline() as pipe:
            for k in range(30):
                pipe.incr("hits", 2)
                pipe.timing("took", k)
        say_shared(agent.statsd, THROUGH, host)
    say_all(server.port("statsd udp"), STRAIGHT)
    for host in range(2):
        say_shared(server.port("statsd udp"), STRAIGHT, host)
    drain(agents)
    for who in (THROUGH, STRAIGHT):
        wait_until(lambda who=who: total(server, f"stats_counts.d.{who}.end") == 2.0, f"all that is {who}")
    assert total(server, f"stats_counts.d.{THROUGH}.hits") == 2 * sum(range(50)) - 3
    assert_same(server, "stats", "stats_counts", least=110)
    assert_rates(server)
    server.stop()
    server.more = MORE.replace("{more}", "legacy_namespace = false\n")
    server.start()
    assert total(server, f"stats.counters.d.{THROUGH}.end.count") == 2.0
    assert_same(server, "stats", least=110)


def assert_rates(server: Server) -> None:
    """What is said for a second is that, though an agent speaks every ten."""
    assert total(server, "stats_counts.tens.hits") == 120.0
    assert 10 * total(server, "stats.tens.hits") == pytest.approx(120.0)
    assert total(server, "stats.timers.tens.took.count") == 60.0
    assert 10 * total(server, "stats.timers.tens.took.count_ps") == pytest.approx(60.0)
    assert max(server.values("stats.timers.tens.took.upper_90")) == pytest.approx(26, rel=0.012)
