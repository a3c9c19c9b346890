"""From a program of a host through its agent to the server: each number once, whoever is killed on the way."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import Agent
from servers import START_S_MAX, Server, running_server, wait_until
from tallystick.model.address import Address
from tallystick.model.kind import Kind
from tallystick.native import NativeClient, Slot

pytestmark = pytest.mark.timeout(START_S_MAX + 240)

NATIVE = """
[[listeners]]
protocol = "native"
address = "tcp://127.0.0.1:0"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), NATIVE) as started:
        yield started


@pytest.fixture
def agent(server: Server, tmp_path: Path) -> Iterator[Agent]:
    made = Agent(tmp_path, server.port("native tcp"), server.url)
    made.start()
    yield made
    made.stop()


def total(server: Server, name: str) -> float:
    return sum(server.values(f"stat({name},'sum')"))


def test_a_shell_loop_that_counts_is_right_to_the_last_call(server: Server, agent: Agent) -> None:
    send = f"{sys.executable} -m tallystick send --to udp://127.0.0.1:{agent.statsd}"
    script = f"""
set -e
for i in $(seq 12); do {send} loop.calls 1 --counter; {send} loop.took $i --timing; done
{send} loop.queue 7
{send} runs --counter --app backup --env test
for user in ann bob ann; do {send} loop.users $user --set; done
"""
    subprocess.run(["sh", "-c", script], check=True, timeout=120)
    agent.stop()
    wait_until(lambda: total(server, "loop.calls") == 12.0, "twelve calls", lambda: total(server, "loop.calls"))
    assert total(server, "loop.took") == sum(range(1, 13))
    assert max(server.values("stat(loop.took,'max')")) == 12.0
    assert server.values("loop.queue") == [7.0]
    assert total(server, "test.apps.backup.runs") == 1.0
    assert sum(server.values("loop.users")) >= 2.0


def test_every_protocol_of_the_host_arrives(server: Server, agent: Agent) -> None:
    now_s = int(time.time())
    assert agent.say("carbon", f"doors.carbon 1.5 {now_s}\n".encode()) == b""
    assert agent.say("istatd", b"*doors.istatd^web^ 2\n") == b""
    assert agent.say("opentsdb", f"put doors.opentsdb {now_s} 3 host=web1\nversion\n".encode()).startswith(b"tally")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"doors.statsd:4|c|@0.5\ndoors.statsd:1|c\n^1 shop.sold:1|c", ("127.0.0.1", agent.statsd))
    agent.stop()
    wait_until(lambda: total(server, "doors.statsd") == 9.0, "StatsD's counter")
    assert server.values("doors.carbon") == [1.5]
    assert [total(server, name) for name in ("doors.istatd", "doors.istatd.web")] == [2.0, 2.0]
    assert server.values("seriesByTag('name=doors.opentsdb','host=web1')") == [3.0]
    assert total(server, "test.hosts.web.web1.shop.sold") == 1.0


def test_what_a_program_tallied_counts_once_though_the_agent_is_killed_again_and_again(
    server: Server, agent: Agent
) -> None:
    client = NativeClient(Address("unix", path=str(agent.path("native"))), "shop")
    client.start()
    begin_ms = int(time.time()) // 10 * 10_000 - 600_000
    given = 0
    for _ in range(4):
        answered = client.counts.acknowledged
        for _ in range(30):
            client.offer(
                [Slot("killed.hits", Kind.COUNTER, begin_ms + given % 50 * 10_000, 2.0, (2.0, 3.0, 0.5, 1.0, 2.0))]
            )
            given += 1
        wait_until(lambda before=answered: client.counts.acknowledged > before, "an answer")
        for k in range(10):  # some of these are on disk and not answered, some are on their way
            client.offer([Slot("killed.hits", Kind.COUNTER, begin_ms + k * 10_000, 2.0, (2.0, 3.0, 0.5, 1.0, 2.0))])
            given += 1
        agent.kill()
        agent.start()
    assert client.wait_acknowledged(60.0)
    client.stop()
    agent.stop()
    wait_until(lambda: total(server, "killed.hits") >= 3.0 * given, "all of it", lambda: total(server, "killed.hits"))
    assert total(server, "killed.hits") == 3.0 * given
    assert client.counts.dropped == 0


def test_events_of_dogstatsd_are_on_the_server(server: Server, agent: Agent) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"_e{11,5}:deploy shop|4.2.1|t:info|#app:shop", ("127.0.0.1", agent.statsd))
    wait_until(lambda: server.get("/api/events")["events"], "the event")
    (event,) = server.get("/api/events")["events"]
    assert (event["what"], event["data"]) == ("deploy shop", "4.2.1")
    assert event["tags"] == ["app:shop", "alert_type:info"]
    agent.stop()
    wait_until(lambda: total(server, "seriesByTag('name=statsd.events','app=shop')") == 1.0, "its count")
